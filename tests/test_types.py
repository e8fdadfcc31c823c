"""An editor accepts what users write: pyright and mypy over a script, which also runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "users_script.py"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "MYPYPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment
    )


def test_the_script_runs() -> None:
    finished = run(sys.executable, str(SCRIPT))
    assert finished.returncode == 0, finished.stderr


def test_mypy_accepts_the_script() -> None:
    pytest.importorskip("mypy", reason="mypy is not installed")
    finished = run(
        *(sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"),
        *("--config-file=", "--ignore-missing-imports"),
        *("--no-site-packages", str(SCRIPT)),  # else it reads all of PyTorch, JAX and SciPy
    )
    assert finished.returncode == 0, finished.stdout


@pytest.fixture
def pyright(tmp_path: Path) -> str:
    pytest.importorskip("pyright", reason="pyright is not installed")
    if shutil.which("node") is None:
        pytest.skip("pyright needs node")
    return str(tmp_path)


def complaints(script: Path, folder: str) -> list[str]:
    """What pyright says of a script, found as an editor finds the package: beside it."""
    settings = {"include": [str(script)], "extraPaths": [str(ROOT)], "typeCheckingMode": "standard"}
    project = Path(folder) / "pyrightconfig.json"
    project.write_text(json.dumps(settings))
    command = (sys.executable, "-m", "pyright", "--outputjson", "--project", str(project))
    finished = run(*command, "--pythonpath", sys.executable)
    found = json.loads(finished.stdout)["generalDiagnostics"]
    return [f"line {x['range']['start']['line'] + 1}: {x['message']}" for x in found]


def test_pyright_accepts_the_script(pyright: str) -> None:
    assert complaints(SCRIPT, pyright) == []


def test_pyright_finds_what_is_wrong(pyright: str) -> None:
    script = Path(pyright) / "wrong.py"
    script.write_text(
        "import autograd as ag\n"
        "ag.Value('a')\n"
        "ag.MLP(2, 3)\n"
        "ag.Value(1.0).backwards()\n"
        "ag.Adam([1.0], 0.1)\n"
    )
    lines = {complaint.partition(":")[0] for complaint in complaints(script, pyright)}
    assert lines == {"line 2", "line 3", "line 4", "line 5"}
