"""The pages that stand built in `notebooks/pages/`: `python -m tests.pages` writes them anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import autograd as ag
from autograd import Value, play
from autograd.viz import Player
from autograd.viz.playground import Playground

FOLDER = Path(__file__).parents[1] / "notebooks" / "pages"


def backpropagation() -> Player:
    """L = (a·b + c)·a, in which a has two ways to L."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    d = a * b + c
    d.label = "d"
    L = d * a
    L.label = "L"
    return play(L)


def moons() -> Playground:
    """A network that learns two moons, with some points held out."""
    X, labels = ag.datasets.moons(seed=0)
    X, test_X, Y, test_Y = ag.datasets.train_test_split(X, [2 * y - 1 for y in labels])
    model = ag.MLP(2, [16, 16, 1], seed=0)

    def penalty(parameters: Sequence[Value]) -> Value:
        return 1e-4 * ag.sum(w * w for w in parameters)

    return ag.playground(
        model,
        ag.hinge,
        X,
        Y,
        ag.GradientDescent(model.parameters(), 0.1),
        penalty=penalty,
        held_out=(test_X, test_Y),
        title="A network learns two moons",
    )


BUILT: dict[str, Callable[[], Player | Playground]] = {
    "backpropagation.html": backpropagation,
    "playground.html": moons,
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, build in BUILT.items():
        print(build().save(FOLDER / name))
