"""Newton's method with a line search, for systems of equations with a dense Jacobian."""

from __future__ import annotations

import math
import reprlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[Any, np.dtype[np.float64]]


class ConvergenceError(ArithmeticError):
    """No solution was found.

    Attributes:
        x: where the iteration ended, as a flat list.
        residual: the function there, as a flat list.
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
        jacobian: for each equation its nonzero derivatives, ∂fₘ/∂xⱼ by j.
        slopes: for each equation its derivatives with respect to the parameters, by their index.
        rounding: for each equation Σ |∂fₘ/∂v·v| over all numbers v that it is computed from, so
            that the residual is known up to about that times the machine epsilon.
    """

    x: list[float]
    residual: list[float]
    jacobian: list[dict[int, float]]
    slopes: list[dict[int, float]]
    rounding: list[float]

    @property
    def is_finite(self) -> bool:
        """Whether residual and Jacobian are finite, so that a step can start here."""
        numbers = [*self.residual, *(slope for row in self.jacobian for slope in row.values())]
        return all(map(math.isfinite, numbers))

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
    import numpy as np

    point = evaluate(list(x0))
    reason = "the residual or its Jacobian is not finite there"
    with np.errstate(all="ignore"):
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
    """The point after a step that passes the test; None if the shortest does not."""
    import numpy as np

    solve = _solver(point)
    direction = solve(point.residual)
    scale = np.maximum(np.abs(point.x), np.abs(direction))
    scale[scale == 0.0] = 1.0
    length = np.linalg.norm(direction / scale)
    part = 1.0
    while part >= SHORTEST and length > 0.0:
        trial = evaluate((point.x + part * direction).tolist())
        if trial.is_finite:
            further = np.linalg.norm(solve(trial.residual) / scale)
            if further <= (1.0 - part / 4.0) * length:
                return trial
        part /= 2.0
    return None


def _polished(evaluate: Callable[[list[float]], Point], point: Point) -> Point:
    """The best of a few more steps: the first residual that is small enough may not be the last."""
    for _ in range(3):
        if not any(point.residual):
            break
        trial = evaluate((point.x + _solver(point)(point.residual)).tolist())
        if not (trial.is_finite and trial.error < point.error):
            break
        point = trial
    return point


def _solver(point: Point) -> Callable[[Sequence[float]], Vector]:
    """The function that takes a residual to the Newton step from this point."""
    import numpy as np

    n = len(point.x)
    matrix = np.zeros((n, n))
    for m, row in enumerate(point.jacobian):
        for j, slope in row.items():
            matrix[m, j] = slope

    def solve(residual: Sequence[float]) -> Vector:
        try:
            step = np.linalg.solve(matrix, -np.array(residual))
            if np.isfinite(step).all():
                return step
        except np.linalg.LinAlgError:
            pass
        least: Vector = np.linalg.lstsq(matrix, -np.array(residual))[0]
        return least

    return solve
