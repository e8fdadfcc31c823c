"""The pages that stand built in `notebooks/pages/`: `python -m tests.pages` writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autograd import Value, play
from autograd.viz import Player
from autograd.viz.playground import Choices

FOLDER = Path(__file__).parents[1] / "notebooks" / "pages"


def backpropagation() -> Player:
    """L = (a·b + c)·a, in which L depends on a along two paths."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    d = a * b + c
    d.label = "d"
    L = d * a
    L.label = "L"
    return play(L)


BUILT: dict[str, Callable[[], Player | Choices]] = {
    "backpropagation.html": backpropagation,
    "playground.html": Choices,
}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, build in BUILT.items():
        print(build().save(FOLDER / name))
