"""The page of all public names is the one that the package gives."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "notebooks" / "reference.md").read_text("utf-8")


@pytest.mark.slow
def test_the_page_is_current(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the page names what plotting gives")
    command = [sys.executable, "-m", "tests.reference", str(tmp_path / "reference.md")]
    subprocess.run(command, check=True, cwd=ROOT)  # an example adds a row to the table
    written = (tmp_path / "reference.md").read_text("utf-8")
    assert written == PAGE, "write it anew: python -m tests.reference"


def test_every_public_name_is_on_it() -> None:
    for name in [*ag.__all__, "abs", "sum"]:
        assert re.search(rf"^###? `ag\.{name}`$", PAGE, re.MULTILINE), name
        assert f"(#ag{name.lower()})" in PAGE, name


def test_types_stand_there_as_they_are_written() -> None:
    assert "ag.datasets.Table(X: list[list[float]], Y: list[int] | list[float]," in PAGE
    assert "ForwardRef" not in PAGE


def test_dir_shows_what_is_public_and_no_more() -> None:
    public = {*ag.__all__, "abs", "round", "sum"}
    assert {name for name in dir(ag) if not name.startswith("_")} == public
    for name in public:
        assert getattr(ag, name) is not None
