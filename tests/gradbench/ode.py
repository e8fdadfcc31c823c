"""`ode`: s steps of Runge and Kutta's method for y₀' = x₀, yᵢ' = xᵢ·yᵢ₋₁ from t = 0 to 2.

`primal` is y(2), and `gradient` that of its last component with respect to x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk

END = 2.0

FEW_STEPS = 16
"""A loop of so few steps is plain Python. Of that only what is asked for is compiled: the last
component of y depends on four components of x for each step. A longer one is recorded once."""


def solution(x: Sequence[Any], steps: int) -> list[Any]:
    """y at the end, after so many steps of the classical fourth order method."""
    h = END / steps

    def slope(y: Sequence[Any]) -> list[Any]:
        return [x[0], *[a * b for a, b in zip(x[1:], y[:-1], strict=True)]]

    def ahead(y: Sequence[Any], k: Sequence[Any], h: float) -> list[Any]:
        return [a + h * b for a, b in zip(y, k, strict=True)]

    def step(y: Sequence[Any], _: object) -> tuple[list[Any], None]:
        k1 = slope(y)
        k2 = slope(ahead(y, k1, h / 2.0))
        k3 = slope(ahead(y, k2, h / 2.0))
        k4 = slope(ahead(y, k3, h))
        ks = zip(k1, k2, k3, k4, strict=True)
        mean = [(a + 2.0 * b + 2.0 * c + d) / 6.0 for a, b, c, d in ks]
        return ahead(y, mean, h), None

    y = [0.0] * len(x)
    if steps > FEW_STEPS:
        return ag.scan(step, y, length=steps)[0]
    for _ in range(steps):
        y, _ = step(y, None)
    return y


def _prepared(transformation: Callable[[Any], Any]) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        f = transformation(lambda x: solution(x, given["s"]))
        compiled, x = ag.jit(f, in_axes=None), np.array(given["x"])
        return lambda: compiled(x)

    return Function(prepare)


primal = _prepared(lambda f: f)
gradient = _prepared(lambda f: ag.gradient(lambda x: f(x)[-1]))
