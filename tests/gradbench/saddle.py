"""`saddle`: the point of min max f(p, q), by a gradient descent whose function is an ascent itself.

The derivative of the outer descent goes through all steps of the inner one. What is compiled is the
inner maximum with its value and slopes; the outer descent is a loop of Python. The four functions
differ in the modes of differentiation, forward or reverse, of the outer and of the inner descent.
"""

from __future__ import annotations

import math
from typing import Any

import autograd as ag
from tests.gradbench import descent
from tests.gradbench.descent import MODES, Point
from tests.gradbench.function import Function, Thunk

MAX_STEPS = 256


def objective(p: Point, q: Point) -> Any:
    return (p[0] * p[0] + p[1] * p[1]) - (q[0] * q[0] + q[1] * q[1])


def _solved(modes: str) -> Function:
    outer, inner = (MODES[mode] for mode in modes)

    def prepare(given: dict[str, Any]) -> Thunk:
        start = given["start"]

        def compiled(max_steps: int) -> Any:
            def maximum(p: Point) -> Any:
                """max f(p, q) over q; inf if the loop is too short for it."""
                lowered = inner(lambda q: -objective(p, q))
                q, has_ended = descent.recorded_minimize(lowered, start, max_steps)
                return ag.where(has_ended, objective(p, q), math.inf)

            return ag.jit(outer(maximum), in_axes=None)

        def compute() -> list[float]:
            p = descent.minimize(descent.until_finite(compiled, MAX_STEPS), start)
            q = descent.minimize(outer(lambda q: -objective(p, q)), start)
            return [*p, *q]

        return compute

    return Function(prepare)


rr, ff, fr, rf = map(_solved, ("rr", "ff", "fr", "rf"))
