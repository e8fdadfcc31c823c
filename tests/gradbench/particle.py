"""`particle`: where to put a charge so that a particle among two charges hits the origin.

The particle's path is integrated by Euler's method, whose force is a gradient, until it crosses the
x axis. A gradient descent finds the parameter w of one charge's place that makes the crossing x²
small. The path is compiled as a loop of fixed length with its value and slope. The four functions
differ in the modes of differentiation, forward or reverse, of the descent and of the force.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd as ag
from tests.gradbench import descent
from tests.gradbench.descent import MODES, Differentiated, Point, Scalar
from tests.gradbench.function import Function, Thunk

TIME_STEP = 0.1
MAX_STEPS = 512


def crossing(w: Any, inner: Callable[[Scalar], Differentiated], max_steps: int) -> Any:
    """The square of x where the path crosses the x axis; inf if it does not in so many steps."""

    def potential(place: Point) -> Any:
        x, y = place
        return 1.0 / descent.length([x - 10.0, y - (10.0 - w)]) + 1.0 / descent.length(
            [x - 10.0, y]
        )

    def step(state: tuple[Any, ...], _: object) -> tuple[tuple[Any, ...], None]:
        """One more step, or none where the axis was crossed; its velocity is then the last one."""
        x, y, u, v = state
        new_x, new_y = x + TIME_STEP * u, y + TIME_STEP * v
        _, slope_x, slope_y = inner(potential)([x, y])
        crosses = new_y <= 0.0
        new_u = ag.where(crosses, u, u - TIME_STEP * slope_x)
        new_v = ag.where(crosses, v, v - TIME_STEP * slope_y)
        new = (new_x, new_y, new_u, new_v)
        return tuple(ag.where(y > 0.0, a, b) for a, b in zip(new, state, strict=True)), None

    (x, y, u, v), _ = ag.scan(step, (0.0, 8.0, 0.75, 0.0), length=max_steps)
    at_axis = x - y / v * u
    return ag.where(y > 0.0, math.inf, at_axis * at_axis)


def _solved(modes: str) -> Function:
    outer, inner = (MODES[mode] for mode in modes)

    def prepare(given: dict[str, Any]) -> Thunk:
        def compiled(max_steps: int) -> Any:
            return ag.jit(outer(lambda w: crossing(w[0], inner, max_steps)), in_axes=None)

        def compute() -> float:
            (w,) = descent.minimize(descent.until_finite(compiled, MAX_STEPS), [given["w"]])
            return w

        return compute

    return Function(prepare)


rr, ff, fr, rf = map(_solved, ("rr", "ff", "fr", "rf"))
