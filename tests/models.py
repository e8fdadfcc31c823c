"""What the tests of other libraries have in common: models, rows, and what ours says of them."""

from __future__ import annotations

import random
from typing import Any

from autograd import MLP, Layer, Module
from autograd.nn import GAINS

_random = random.Random(0)


def _with_biases(model: Any) -> Any:
    for parameter in model.parameters():
        if parameter.data == 0.0:
            parameter.data = _random.uniform(-1.0, 1.0)
    return model


MODELS: list[Any] = [
    *[_with_biases(MLP(3, [4, 5, 2], name, "linear", seed=1)) for name in GAINS],
    *[_with_biases(MLP(3, [4, 1], "tanh", name, seed=2)) for name in GAINS],
    _with_biases(Layer(3, 2, "sin", seed=3)),
    _with_biases(MLP(3, [1], seed=4)),
]

ROWS = [[_random.uniform(-3.0, 3.0) for _ in range(3)] for _ in range(20)]
ROWS += [[100.0, -200.0, 50.0], [0.0, 0.0, 0.0]]


def numbers(module: Module) -> list[float]:
    return [parameter.data for parameter in module.parameters()]


def fill(module: Module, data: list[float]) -> None:
    for parameter, number in zip(module.parameters(), data, strict=True):
        parameter.data = number


def predictions(model: Any) -> list[list[float]]:
    """A row of outputs for each of `ROWS`, also where there is one output."""
    return [row if isinstance(row, list) else [row] for row in model.predict(ROWS)]
