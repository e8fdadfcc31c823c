"""The base install in a browser's Python: Pyodide, under node, does what Python here does.

Pyodide and Graphviz as WebAssembly are npm's, where `.ci/run` puts them:

    npm install --prefix .venv pyodide@0.27.7 pyodide-314@npm:pyodide@314.0.7 \\
        @hpcc-js/wasm-graphviz@1.29.2

NumPy is in Pyodide's distribution and not in npm's package, so nothing is compiled here.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import autograd as ag

NODE = shutil.which("node")
MODULES = Path(sys.prefix) / "node_modules"
NEEDED = [MODULES / name for name in ("pyodide", "pyodide-314", "@hpcc-js/wasm-graphviz")]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        NODE is None or not all(folder.is_dir() for folder in NEEDED),
        reason="node, or one of npm's packages under sys.prefix, is not installed",
    ),
]

LESS_STACK = """
import ctypes

# Python 3.14 takes care of its own stack, of 10 MB, while the browser's ends much earlier.
python, size = ctypes.pythonapi, 64 * 1024
python.PyUnstable_ThreadState_SetStackProtection(
    python.PyThreadState_Get(), python.emscripten_stack_get_base() - size, size
)
"""
"""What lets Python 3.14 free a deep graph in a browser, as the README has it."""

EVERYWHERE = """
import autograd as ag

told = {}
a, b, c = ag.Value(2.0, "a"), ag.Value(-3.0, "b"), ag.Value(10.0, "c")
d = a * b + c
L = d * a
d.label, L.label = "d", "L"
L.backward()
told["example"] = [L.data, a.grad, b.grad, c.grad]
told["explained"] = str(ag.explain(L, a))
ag.GradientDescent([a, b, c], learning_rate=0.01).step()
told["stepped"] = [a.data, b.data, c.data]

u, v = ag.Value(0.75, "u"), ag.Value(-3.0, "v")
M = ag.relu(u * v + 10.0) * u
M.label = "M"
M.backward()

X, Y = ag.datasets.moons(20, noise=0.1, seed=0)
model = ag.MLP(2, [4, 1], seed=0)
optimizer = ag.Adam(model.parameters(), learning_rate=0.05)
history = ag.fit(model, ag.binary_cross_entropy, X, Y, optimizer, epochs=20, batch_size=5)
told["losses"] = [epoch.loss for epoch in history]
told["weights"] = [p.data for p in model.parameters()]

def f(x, y):
    return ag.sin(x) * ag.exp(y) + ag.log(x * x + 1.0) / ag.cosh(y)

ag.check_gradient(f, [0.7, -1.3])
told["eager"] = [ag.gradient(f)(0.7, -1.3), *ag.hessian(f)(0.7, -1.3)]
"""

ONLY_THERE = """
import json, sys
from autograd.viz import drawing

told["platform"] = sys.platform
try:
    ag.draw(L).svg
except RuntimeError as reason:
    told["no program"] = str(reason)
try:
    ag.jit(f, backend="llvm")
except Exception as reason:
    told["no machine code"] = f"{type(reason).__name__}: {reason}"
drawing.layout = lambda dot: json.loads(graphviz_layout(dot))

told["svg"] = ag.draw(M).svg

chain = ag.Value(1.0)
for _ in range(200_000):
    chain = chain * 1.0
chain.backward()
del chain
told["deep"] = "freed"
print(json.dumps(told))
"""


def wheel_of(name: str, folder: Path) -> None:
    """The installed distribution, packed again as the wheel that it came in."""
    with zipfile.ZipFile(folder / f"{name}-0-py3-none-any.whl", "w") as wheel:
        for file in metadata.files(name) or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                wheel.write(str(file.locate()), str(file))


@pytest.fixture(scope="module", params=["pyodide", "pyodide-314"])
def there(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the program tells under Pyodide."""
    assert NODE is not None
    folder = tmp_path_factory.mktemp("pyodide")
    wheels = folder / "wheels"
    wheels.mkdir()
    for dependency in ("graphviz", "tqdm"):
        wheel_of(dependency, wheels)
    root = Path(ag.__file__).parents[1]
    with zipfile.ZipFile(wheels / "scalar_autograd-0-py3-none-any.whl", "w") as wheel:
        for file in (root / "autograd").rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                wheel.write(file, file.relative_to(root))
    program = folder / "program.py"
    first = LESS_STACK if request.param == "pyodide-314" else ""
    program.write_text(first + EVERYWHERE + ONLY_THERE, encoding="utf-8")
    runner = Path(__file__).with_name("in_pyodide.mjs")
    run = subprocess.run(
        [NODE, runner, MODULES, request.param, wheels, program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    told["said"] = run.stderr
    return told


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    """What the same program tells here."""
    names: dict[str, Any] = {}
    exec(EVERYWHERE, names)
    told: dict[str, Any] = json.loads(json.dumps(names["told"]))
    return told | {"M": names["M"]}


def flat(numbers: Any) -> list[float]:
    return [x for part in numbers for x in flat(part)] if isinstance(numbers, list) else [numbers]


def test_it_is_a_browsers_python(there: dict[str, Any]) -> None:
    assert there["platform"] == "emscripten"


@pytest.mark.parametrize("what", ["example", "stepped", "explained"])
def test_exact_arithmetic_is_the_same(
    there: dict[str, Any], here: dict[str, Any], what: str
) -> None:
    assert there[what] == here[what]


@pytest.mark.parametrize("what", ["losses", "weights", "eager"])
def test_functions_agree(there: dict[str, Any], here: dict[str, Any], what: str) -> None:
    """Not to the bit: another libm, which differs in the last place."""
    ours, theirs = flat(here[what]), flat(there[what])
    assert len(ours) > 2
    assert all(map(math.isfinite, ours))
    assert theirs == pytest.approx(ours, rel=1e-9, abs=1e-12)


def test_training_learnt(there: dict[str, Any]) -> None:
    assert there["losses"][-1] < 0.7 * there["losses"][0]
    assert "trained: 100%" in there["said"]
    assert "Warning" not in there["said"]  # that a bar has no thread of its own is no matter


def test_what_cannot_be_there_is_said(there: dict[str, Any]) -> None:
    assert "no program to draw with" in there["no program"]
    assert "llvm" in there["no machine code"]


def test_pictures_are_the_same_through_the_hook(
    there: dict[str, Any], here: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # a `dot` there has other fonts than graphviz-pure
    assert there["svg"] == ag.draw(here["M"]).svg


def test_a_deep_graph_is_freed(there: dict[str, Any]) -> None:
    assert there["deep"] == "freed"
