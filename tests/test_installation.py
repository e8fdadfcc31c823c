"""The package as installed: its version, and beside another that is imported as `autograd`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag
from autograd.__main__ import main

PACKAGE = Path(ag.__file__).parent
ROOT = PACKAGE.parent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder to import from, with a copy of the package in it."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "site" / "autograd", ignore=ignored)
    return tmp_path / "site"


def python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site)},
    )


def test_the_version_is_that_of_the_changelog(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"scalar-autograd {ag.__version__}\n"
    newest = re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == ag.__version__


@pytest.mark.slow
def test_alone_it_is_imported_without_a_word(site: Path) -> None:
    run = python(site, "-c", "import autograd; print(autograd.__file__)")
    assert run.stdout.strip() == str(site / "autograd" / "__init__.py")
    assert run.stderr == ""


@pytest.mark.slow
def test_files_of_the_other_package_in_its_folder_are_reported_in_one_line(site: Path) -> None:
    (site / "autograd" / "differential_operators.py").touch()
    run = python(site, "-c", "import autograd")
    assert run.returncode == 0
    warning, *source = run.stderr.splitlines()
    assert f"{site / 'autograd'} holds a second package called autograd" in warning
    assert len(source) <= 1  # the line of the program, if Python has it


@pytest.mark.slow
def test_the_command_line_names_the_package_that_replaced_this_one(site: Path) -> None:
    (site / "autograd" / "__init__.py").write_text("")
    run = python(site, "-m", "autograd")
    assert run.returncode == 1
    assert run.stdout == ""
    assert re.fullmatch(
        r".*__init__\.py belongs to another package called autograd; remove .*\n", run.stderr
    )


@pytest.mark.slow
def test_a_folder_without_modules_that_has_its_name_is_no_obstacle(site: Path) -> None:
    (site.parent / "autograd").mkdir()
    run = python(site, "-m", "autograd", "--version")
    assert run.stdout == f"scalar-autograd {ag.__version__}\n"
