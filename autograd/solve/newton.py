"""Newton's method with a line search, for systems of equations with a dense Jacobian."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass


class ConvergenceError(ArithmeticError):
    """No solution was found.

    Attributes:
        x: the last point of the iteration, as a flat list.
        residual: the value of the function at `x`, as a flat list.
    """

    def __init__(self, message: str, x: Sequence[float], residual: Sequence[float]) -> None:
        super().__init__(message)
        self.x = list(x)
        self.residual = list(residual)

    def __reduce__(self) -> tuple[type, tuple[str, list[float], list[float]]]:
        return type(self), (str(self), self.x, self.residual)


@dataclass(slots=True)
class Point:
    """A system of n equations f(x) = 0 at a point.

    Attributes:
        x: the point.
        residual: f there.
        partials: for each equation its nonzero derivatives by index: with respect to the unknowns,
            then to the parameters.
        rounding: for each equation Σ |∂fₘ/∂v·v| over all numbers v that it is computed from, so
            that the residual is known up to about that times the machine epsilon.
    """

    x: list[float]
    residual: list[float]
    partials: list[dict[int, float]]
    rounding: list[float]

    @property
    def is_finite(self) -> bool:
        """Whether residual and Jacobian are finite, so that a step can start here."""
        n = len(self.x)
        slopes = [slope for row in self.partials for j, slope in row.items() if j < n]
        return all(map(math.isfinite, [*self.residual, *slopes]))

    @property
    def error(self) -> float:
        """The largest residual, in units of its own rounding error."""
        epsilon, tiny = sys.float_info.epsilon, sys.float_info.min
        return max(
            abs(r) / (epsilon * size + tiny)
            for r, size in zip(self.residual, self.rounding, strict=True)
        )


ACCEPTED_ERROR = 4.0
"""A residual of so many rounding errors is zero: each operation is off by half of one at most, the
functions of the C library by one or two."""

SHORTEST = 2.0**-40
"""The shortest part of a Newton step that is tried."""


def newton(evaluate: Callable[[list[float]], Point], x0: Sequence[float], max_steps: int) -> Point:
    """A solution of f(x) = 0, as exact as float64 can show it.

    A step is halved until the natural monotonicity test holds, which does not depend on how the
    equations are scaled: the next Newton step, with the old Jacobian, is shorter (Deuflhard, Newton
    Methods for Nonlinear Problems, 2004, section 3.3). Where the Jacobian is singular the step is
    that of least squares. There is no tolerance to choose: the iteration ends when the residual is
    zero up to the rounding errors of its own computation, and no longer decreases.

    Args:
        evaluate: the system at a point.
        x0: where to start.
        max_steps: how many steps to try.

    Raises:
        ConvergenceError: if there is no such point within `max_steps`, or no step leads nearer.
    """
    point = evaluate(list(x0))
    reason = "the residual or its Jacobian is not finite there"
    for n_steps in range(max_steps + 1):
        if not point.is_finite:
            break
        if point.error <= ACCEPTED_ERROR:
            return _polished(evaluate, point)
        reason = f"{n_steps} steps were not enough"
        if n_steps < max_steps:
            following = _step(evaluate, point)
            if following is None:
                reason = "no step leads nearer to a solution"
                break
            point = following
    raise ConvergenceError(
        f"root: no solution found from x0 = {reprlib.repr(list(x0))}: {reason}; the residual is "
        f"{reprlib.repr(point.residual)} at x = {reprlib.repr(point.x)}. Start nearer to a "
        f"solution, if there is one",
        point.x,
        point.residual,
    )


def _step(evaluate: Callable[[list[float]], Point], point: Point) -> Point | None:
    """Try a step, then halves of it; returns the first point that passes the test, or None."""
    solve = _solver(point)
    direction = solve(point.residual)
    scale = [max(abs(x), abs(d)) or 1.0 for x, d in zip(point.x, direction, strict=True)]
    length = _length(direction, scale)
    part = 1.0
    while part >= SHORTEST and length > 0.0:
        trial = evaluate(_moved(point.x, part, direction))
        if trial.is_finite:
            further = _length(solve(trial.residual), scale)
            if further <= (1.0 - part / 4.0) * length:
                return trial
        part /= 2.0
    return None


def _polished(evaluate: Callable[[list[float]], Point], point: Point) -> Point:
    """Improve a solution by up to three more Newton steps, as long as each reduces the error."""
    for _ in range(3):
        if not any(point.residual):
            break
        trial = evaluate(_moved(point.x, 1.0, _solver(point)(point.residual)))
        if not (trial.is_finite and trial.error < point.error):
            break
        point = trial
    return point


def _moved(x: Sequence[float], part: float, direction: Sequence[float]) -> list[float]:
    return [a + part * d for a, d in zip(x, direction, strict=True)]


def _length(direction: Sequence[float], scale: Sequence[float]) -> float:
    return math.hypot(*(d / s for d, s in zip(direction, scale, strict=True)))


def _solver(point: Point) -> Callable[[Sequence[float]], list[float]]:
    """The function that takes a residual to the Newton step from this point."""
    n = len(point.x)
    if n == 1:  # an array would take longer than all the rest
        slope = point.partials[0].get(0, 0.0)
        return lambda residual: [-residual[0] / slope if slope else 0.0]
    import numpy as np

    matrix = np.zeros((n, n))
    for m, row in enumerate(point.partials):
        for j, slope in row.items():
            if j < n:
                matrix[m, j] = slope

    def solve(residual: Sequence[float]) -> list[float]:
        downward = -np.array(residual)
        try:
            step = np.linalg.solve(matrix, downward)
        except np.linalg.LinAlgError:
            step = np.linalg.lstsq(matrix, downward)[0]
        return [float(d) for d in step]

    return solve
