"""mpmath at 60 digits as oracle of expressions, with the error of each stated in ulps.

The bound is a number of ulps of the exact result, or of `scale` where that is larger. The single
rules are measured in `test_rules`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import autograd as ag
from autograd import Value, grad
from tests.numerics import EPSILON

mpmath = pytest.importorskip("mpmath", reason="mpmath, the oracle of these tests, is not installed")
mp = mpmath.mp


def logistic(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def derivatives(
    f: Callable[..., Value], point: Sequence[float]
) -> tuple[float, list[float], list[list[float]]]:
    """The value of f at the point, its gradient and its Hessian."""
    leaves = [Value(x) for x in point]
    output = f(*leaves)
    slopes = grad(output, leaves)
    return (
        output.data,
        [s.data for s in slopes],
        [[c.data for c in grad(s, leaves)] for s in slopes],
    )


def exact_derivative(f: Callable[..., Any], point: Sequence[float], *by: int) -> Any:
    """∂f/∂… at the point, by the indices in `by`, at 60 digits."""
    order = tuple(by.count(i) for i in range(len(point)))
    return mp.diff(f, tuple(map(mp.mpf, point)), order) if any(order) else f(*map(mp.mpf, point))


def check(computed: float, exact: Any, ulps: float, scale: float = 0.0) -> None:
    error = abs(mp.mpf(computed) - exact)
    unit = EPSILON * max(abs(exact), scale)
    # 1e-25 is what mpmath's own differences leave where the derivative is 0
    assert error <= ulps * unit + mp.mpf("1e-25"), f"{computed} is {float(error / unit)} ulps off"


def points_in(domain: Sequence[tuple[float, float]], count: int) -> list[list[float]]:
    """Random points of the domain; where it spans magnitudes, they do."""
    source = random.Random(1906)

    def number(low: float, high: float) -> float:
        if low > 0.0:
            return math.exp(source.uniform(math.log(low), math.log(high)))
        return source.uniform(low, high)

    return [[number(*interval) for interval in domain] for _ in range(count)]


COMPOSITE: list[tuple[Callable[..., Any], Callable[..., Any], float]] = [
    (
        lambda x, y: ag.exp(-(x**2 + y**2) / 2.0) / ag.sqrt(1.0 + x * x),
        lambda x, y: mp.exp(-(x**2 + y**2) / 2) / mp.sqrt(1 + x * x),
        16,
    ),
    (
        lambda x, y: ag.log(1.0 + ag.exp(x * y)) * ag.sin(x - y),
        lambda x, y: mp.log(1 + mp.exp(x * y)) * mp.sin(x - y),
        32,
    ),
    (
        lambda x, y: ag.dot([x, y, x * y], [ag.cos(y), ag.tan(x), 3.0]) / (2.0 + ag.tanh(x)),
        lambda x, y: (x * mp.cos(y) + y * mp.tan(x) + 3 * x * y) / (2 + mp.tanh(x)),
        32,
    ),
    (
        lambda x, y: ag.softplus(3.0 * x - y) - y * ag.sigmoid(x) + (1.0 + x * x) ** y,
        lambda x, y: mp.log1p(mp.exp(3 * x - y)) - y * logistic(x) + (1 + x * x) ** y,
        32,
    ),
]


@pytest.mark.parametrize(("f", "exact", "ulps"), COMPOSITE)
def test_composite_expressions(
    f: Callable[..., Value], exact: Callable[..., Any], ulps: float
) -> None:
    with mpmath.workdps(60):
        for point in points_in([(-1.4, 1.4)] * 2, 10):
            value, slopes, curvatures = derivatives(f, point)
            terms_scale = 1.0  # sums of terms around 1 cancel: the error is one of the terms
            check(value, exact_derivative(exact, point), ulps, terms_scale)
            for i in range(2):
                check(slopes[i], exact_derivative(exact, point, i), ulps, terms_scale)
                for j in range(2):
                    reference = exact_derivative(exact, point, i, j)
                    check(curvatures[i][j], reference, ulps, 4 * terms_scale)


@pytest.mark.parametrize("x", [-750.0, -100.0, -37.0, -1e-9, 1e-300, 1e-9, 37.0, 100.0, 709.0])
def test_sigmoid_and_softplus_keep_their_precision_at_both_ends(x: float) -> None:
    with mpmath.workdps(400):
        exact = logistic(mp.mpf(x))
        check(ag.sigmoid(x), exact, 3)
        check(ag.softplus(x), mp.log1p(mp.exp(mp.mpf(x))), 2)
        check(ag.gradient(ag.softplus)(x), exact, 3)
        check(ag.gradient(ag.sigmoid)(x), exact * (1 - exact), 4)
