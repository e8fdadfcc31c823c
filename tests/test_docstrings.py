"""The examples in docstrings run, and give what they show."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path
from typing import Any

import pytest

import autograd as ag

pytestmark = pytest.mark.slow

PACKAGE = Path(ag.__file__).parent
EXAMPLES = sorted(path for path in PACKAGE.rglob("*.py") if ">>>" in path.read_text("utf-8"))

LIBRARIES = {
    "compiler/backends/jax": ["jax"],
    "compiler/sparse": ["scipy"],
    "interop/__init__": ["torch", "sklearn"],
    "interop/jax": ["jax"],
    "interop/keras": ["torch", "keras"],
    "interop/sklearn": ["sklearn"],
    "interop/torch": ["torch"],
}
"""What the examples of a module need, and some use without an import."""

BEFORE = """
import numpy
import numpy as np

w = ag.Value(0.5, "w")
model = ag.MLP(2, [3, 1], seed=1)
optimizer = ag.GradientDescent(model.parameters(), learning_rate=0.1)
loss = ag.binary_cross_entropy(model([0.5, -1.0]), 1)
X, Y = [[0.1 * i, 1.0 - 0.2 * i] for i in range(10)], [0, 1] * 5
x, y, batches_of_data = np.array(X), Y, [(X, Y)]
"""
"""What examples take as given."""


class Checker(doctest.OutputChecker):
    """What an example gives may be left out."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return not want or super().check_output(want, got, optionflags)


def names_for(module: str) -> dict[str, Any]:
    names: dict[str, Any] = {**vars(ag), "ag": ag}
    exec(BEFORE, names)
    for library in LIBRARIES.get(module, []):
        names[library] = pytest.importorskip(library)
    if "jax" in names:
        names["jnp"] = names["jax"].numpy
    if "sklearn" in names:
        exec("from sklearn.pipeline import make_pipeline", names)
        exec("from sklearn.preprocessing import StandardScaler", names)
        exec("from sklearn.model_selection import cross_val_score", names)
    return names


@pytest.mark.parametrize(
    "module",
    [str(path.relative_to(PACKAGE).with_suffix("")).replace("\\", "/") for path in EXAMPLES],
)
def test_examples_give_what_they_show(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where an example may write
    names = names_for(module)
    found = importlib.import_module(
        f"autograd.{module.replace('/', '.')}".removesuffix(".__init__")
    )
    said: list[str] = []
    runner = doctest.DocTestRunner(Checker(), optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(found, globs={}):
        example.globs = {**names, **vars(found)}
        runner.run(example, out=said.append, clear_globs=False)
    assert runner.tries > 0
    assert not runner.failures, "".join(said)
