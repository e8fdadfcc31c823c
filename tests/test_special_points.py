"""Derivatives up to order 5 of every row, where its rules might give them away.

That is at 0 of both signs, at kinks, at the ends of the domain, and on both sides of every point at
which a rule or a value passes from one form to another. mpmath's numerical derivatives at 60 digits
are the judge. Where a derivative does not exist, what the row answers by choice is written down.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest

from autograd import Value, grad
from autograd.primitives import TABLE

mpmath = pytest.importorskip("mpmath", reason="mpmath, the oracle of these tests, is not installed")
mp = mpmath.mp

from tests.benchmarks.rules import ROWS, WITHOUT_DERIVATIVE  # noqa: E402

ORDERS = 5
inf, nan = math.inf, math.nan
TINY, SMALL = 5e-324, 2.0**-30

Point = tuple[float, ...]


class Case(NamedTuple):
    """The derivatives of t ↦ row(point + t·direction) at t = 0."""

    name: str
    point: Point
    direction: Point
    chosen: Sequence[float] | None = None  # the answers where mathematics has none, or too many


def beside(*points: float) -> list[float]:
    """Each point, and the float64 before and after it."""
    return [y for x in points for y in (math.nextafter(x, -inf), x, math.nextafter(x, inf))]


ZEROS = (0.0, -0.0, SMALL, -SMALL)

SMOOTH: dict[str, list[float]] = {
    # rows of one argument, at points where they have all derivatives
    "neg": [*ZEROS],
    "exp": [*ZEROS, -700.0],
    "expm1": [*ZEROS, 40.0, -40.0],
    "log": [*beside(1.0)],
    "log2": [*beside(1.0, 2.0)],
    "log10": [*beside(1.0)],
    "log1p": [*ZEROS],
    "sqrt": [*beside(1.0)],
    "cbrt": [*beside(1.0, -8.0), 1e-3],
    "sin": [*ZEROS, *beside(math.pi / 2)],
    "cos": [*ZEROS, *beside(math.pi / 2)],
    "tan": [*ZEROS, 1.5],
    "asin": [*ZEROS, *beside(0.5, -0.5)],
    "acos": [*ZEROS, *beside(0.5, -0.5)],
    "atan": [*ZEROS, *beside(1.0, -1.0)],
    "sinh": [*ZEROS],
    "cosh": [*ZEROS],
    "tanh": [*ZEROS, 20.0, -20.0],
    "asinh": [*ZEROS, *beside(2.0**28, -(2.0**28))],
    "acosh": [1.0 + 2.0**-20, 2.0],
    "atanh": [*ZEROS, *beside(0.5, -0.5)],
    "sech2": [*ZEROS, 20.0, -20.0],
    "sigmoid": [*ZEROS, 40.0, -40.0],
    "logistic_pdf": [*ZEROS, 40.0, -40.0],
    "softplus": [*ZEROS, 40.0, -40.0],
    "log_sigmoid": [*ZEROS, 40.0, -40.0],
    "erf": [*ZEROS, 3.0],
    "erfc": [*ZEROS, 3.0],
    "bell": [*ZEROS, 3.0],
    "norm_pdf": [*ZEROS, 3.0],
    "norm_cdf": [*ZEROS, *beside(-0.5, 1.0), -10.0],
    "log_norm_cdf": [*ZEROS, *beside(0.5, 1.0, -3.0), 5.0, -30.0, -1000.0],
    "lgamma": [1e-3, 0.5, *beside(1.0, 2.0, 5.0, 8.0), -1e-3, -0.5, *beside(-0.25, -1.75)],
    "digamma": [
        1e-3,
        *beside(1.0, 1.4616321449683622, 5.0, 8.0),
        -1e-3,
        -0.5,
        *beside(-0.25, -1.75),
    ],
    **{f"polygamma{n}": [1e-3, 1.0, *beside(10.0 + (n + 1) // 2), -0.25] for n in range(1, 4)},
}

PAIRS: dict[str, list[Point]] = {
    # rows of several arguments, differentiated along each of them and along one slanting line
    "add": [(0.0, -0.0)],
    "sub": [(0.0, -0.0)],
    "mul": [(0.0, 0.0), (0.0, -3.0)],
    "div": [(0.0, 2.0), (-0.0, -2.0), (1.0, 3.0)],
    "pow": [(2.0, 0.5), (2.0, 1.0), (2.0, 0.0), (1.0, 3.0), *((1.5, y) for y in beside(0.5, 1.0))],
    "atan2": [(0.0, 2.0), (-0.0, 2.0), (2.0, 0.0), (-2.0, 0.0), (1.0, 1.0), (-1.0, 1.0)],
    "hypot": [(3.0, 4.0, 0.0), (0.0, 2.0), (-2.0, 0.0), (1.0, 1.0)],
    "sum": [(0.0, -0.0, 1.0)],
    "dot": [(0.0, 1.0, 0.0, 2.0)],
    "logaddexp": [(0.0, 0.0), (0.0, -0.0), (1.0, *beside(1.0)[:1]), (3.0, 3.0), (-40.0, 2.0)],
    "xlogy": [(0.0, 2.0), (-0.0, 2.0), (2.0, 1.0), (0.0, 1e-3)],
    "mod": [(5.0, 3.0), (-5.0, 3.0), (5.0, -3.0), (1.0, 8.0)],
    "fmod": [(5.0, 3.0), (-5.0, 3.0), (5.0, -3.0), (1.0, 8.0)],
}

CHOSEN: list[tuple[str, Point, Point, list[float]]] = [
    # kinks, as PyTorch has them: the slope by choice, and beyond it 0
    ("abs", (0.0,), (1.0,), [0.0] * 5),
    ("abs", (-0.0,), (1.0,), [0.0] * 5),
    ("abs", (TINY,), (1.0,), [1.0, 0.0, 0.0, 0.0, 0.0]),
    ("relu", (0.0,), (1.0,), [0.0] * 5),
    ("relu", (-0.0,), (1.0,), [0.0] * 5),
    ("relu", (TINY,), (1.0,), [1.0, 0.0, 0.0, 0.0, 0.0]),
    ("maximum", (2.0, 2.0), (1.0, 0.0), [0.5, 0.0, 0.0, 0.0, 0.0]),
    ("minimum", (2.0, 2.0), (1.0, 0.0), [0.5, 0.0, 0.0, 0.0, 0.0]),
    ("maximum", (0.0, -0.0), (1.0, 0.0), [0.5, 0.0, 0.0, 0.0, 0.0]),
    ("minimum", (0.0, -0.0), (1.0, 0.0), [0.5, 0.0, 0.0, 0.0, 0.0]),
    ("where", (1.0, 2.0, 2.0), (0.0, 1.0, 0.0), [1.0, 0.0, 0.0, 0.0, 0.0]),
    # at a bound the slope is that of what is clipped
    ("clip", (1.0, 1.0, 2.0), (1.0, 0.0, 0.0), [1.0, 0.0, 0.0, 0.0, 0.0]),
    ("clip", (2.0, 1.0, 2.0), (1.0, 0.0, 0.0), [1.0, 0.0, 0.0, 0.0, 0.0]),
    ("clip", (1.0, 1.0, 2.0), (0.0, 1.0, 0.0), [0.0] * 5),
    ("clip", (2.0, 1.0, 2.0), (0.0, 0.0, 1.0), [0.0] * 5),
    ("clip", (0.0, 1.0, 2.0), (1.0, 1.0, 0.0), [1.0, 0.0, 0.0, 0.0, 0.0]),
    ("clip", (3.0, 1.0, 2.0), (0.0, 0.0, 1.0), [1.0, 0.0, 0.0, 0.0, 0.0]),
    # steps, on them as well
    *(
        (name, (x,), (1.0,), [0.0] * 5)
        for name in ("sign", "floor", "ceil", "trunc", "round")
        for x in (0.0, -0.0, 0.5, 1.5, 2.0, -2.0)
    ),
    ("floordiv", (6.0, 3.0), (1.0, 0.0), [0.0] * 5),
    ("floordiv", (6.0, 3.0), (0.0, 1.0), [0.0] * 5),
    ("mod", (6.0, 3.0), (1.0, 0.0), [1.0, 0.0, 0.0, 0.0, 0.0]),
    ("mod", (6.0, 3.0), (0.0, 1.0), [-2.0, 0.0, 0.0, 0.0, 0.0]),
    ("fmod", (-6.0, 3.0), (0.0, 1.0), [2.0, 0.0, 0.0, 0.0, 0.0]),
    # Poles and vertical tangents. nan: the derivatives of both sides differ, or a product has one
    # factor 0 and one infinite, as of (1 - x)·(1 + x) at 1, whose limit floats cannot tell.
    ("sqrt", (0.0,), (1.0,), [inf, -inf, inf, -inf, inf]),
    ("log", (0.0,), (1.0,), [inf, -inf, inf, -inf, inf]),
    ("log2", (0.0,), (1.0,), [inf, -inf, inf, -inf, inf]),
    ("log10", (0.0,), (1.0,), [inf, -inf, inf, -inf, inf]),
    ("log1p", (-1.0,), (1.0,), [inf, -inf, inf, -inf, inf]),
    ("cbrt", (0.0,), (1.0,), [inf, nan, nan, nan, nan]),
    ("acosh", (1.0,), (1.0,), [inf, nan, nan, nan, nan]),
    ("asin", (1.0,), (1.0,), [inf, nan, nan, nan, nan]),
    ("acos", (1.0,), (1.0,), [-inf, nan, nan, nan, nan]),
    ("atanh", (1.0,), (1.0,), [inf, nan, nan, nan, nan]),
    # a length at 0: the slope is 0 by choice, of which there is no derivative
    ("hypot", (0.0, 0.0), (1.0, 0.0), [0.0, nan, nan, nan, nan]),
    ("hypot", (0.0, -0.0), (1.0, 2.0), [0.0, nan, nan, nan, nan]),
    ("atan2", (0.0, 0.0), (1.0, 2.0), [0.0, nan, nan, nan, nan]),
    # constant exponents at 0
    ("pow", (0.0, 0.0), (1.0, 0.0), [0.0] * 5),
    ("pow", (0.0, 1.0), (1.0, 0.0), [1.0, 0.0, 0.0, 0.0, 0.0]),
    ("pow", (-0.0, 2.0), (1.0, 0.0), [0.0, 2.0, 0.0, 0.0, 0.0]),
    ("pow", (0.0, 3.0), (1.0, 0.0), [0.0, 0.0, 6.0, 0.0, 0.0]),
    ("pow", (0.0, 5.0), (1.0, 0.0), [0.0, 0.0, 0.0, 0.0, 120.0]),
    ("pow", (0.0, 0.5), (1.0, 0.0), [inf, -inf, inf, -inf, inf]),
    ("pow", (0.0, -1.0), (1.0, 0.0), [-inf, inf, -inf, inf, -inf]),
    # tails, in which all is 0
    *(
        (name, (x,), (1.0,), [0.0] * 5)
        for name in ("erf", "erfc", "bell", "norm_pdf", "norm_cdf")
        for x in (50.0, -inf)
    ),
    *((name, (x,), (1.0,), [0.0] * 5) for name in ("sigmoid", "tanh") for x in (1e5, -inf)),
    ("asinh", (inf,), (1.0,), [0.0] * 5),
]


TOLERANCES = {"log_norm_cdf": 1e-9}  # of a fit, whose error grows with every derivative

VALUES: dict[str, Callable[..., Any]] = {
    **{name: row.value for name, row in ROWS.items()},
    "log_norm_cdf": lambda x: mp.log(mp.ncdf(x)),
}


def _of_polygamma(k: int) -> Callable[[int, Any], Any]:
    return lambda n, x: mp.psi(k + n, x)


DERIVATIVES: dict[str, Callable[[int, Any], Any]] = {
    "lgamma": lambda n, x: mp.psi(n - 1, x) if n else mp.log(abs(mp.gamma(x))),
    "digamma": mp.psi,
    **{f"polygamma{k}": _of_polygamma(k) for k in range(1, 4 + ORDERS)},
}
"""The derivative of order n at x, where there is a closed form."""


def cases() -> Iterator[Case]:
    for name, xs in SMOOTH.items():
        yield from (Case(name, (x,), (1.0,)) for x in xs)
    for name, points in PAIRS.items():
        for point in points:
            for i in range(len(point)):
                yield Case(name, point, tuple(float(k == i) for k in range(len(point))))
            if name != "pow" or point[1] != 0.0:
                yield Case(name, point, tuple(1.0 - 0.5 * k for k in range(len(point))))
    yield from (Case(*chosen) for chosen in CHOSEN)


def computed(case: Case) -> list[float]:
    """The derivatives of orders 1 to 5, each as the gradient of the graph of the one before."""
    t = Value(0.0)
    args = [x if d == 0.0 else x + d * t for x, d in zip(case.point, case.direction, strict=True)]
    if len(args) == 1:
        args = [t := Value(case.point[0])]  # which may be infinite, or -0
    y = TABLE[case.name](*args)
    found = []
    for _ in range(ORDERS):
        (y,) = grad(y, [t])
        found.append(y.data)
    return found


def exact(case: Case) -> list[Any]:
    """The value and the derivatives by mpmath, which takes differences of many more digits."""
    with mp.workdps(60):
        point = [mp.mpf(x) for x in case.point]
        if case.name in DERIVATIVES:
            with mp.workdps(30):
                return [DERIVATIVES[case.name](n, *point) for n in range(ORDERS + 1)]

        def along(t: Any) -> Any:
            return VALUES[case.name](
                *(x + d * t for x, d in zip(point, case.direction, strict=True))
            )

        return [mp.diff(along, 0, n) for n in range(ORDERS + 1)]


def check(case: Case) -> None:
    found = computed(case)
    if case.chosen is not None:
        for order, (x, chosen) in enumerate(zip(found, case.chosen, strict=True), start=1):
            assert x == chosen or (math.isnan(x) and math.isnan(chosen)), (case, order, found)
        return
    value, *derivatives = exact(case)
    scale = abs(value)
    for order, (x, reference) in enumerate(zip(found, derivatives, strict=True), start=1):
        scale = max(scale, abs(reference))
        error = abs(mp.mpf(x) - reference)
        # where one crosses 0, or is smaller than what it is made of, in relation to that
        tolerance = TOLERANCES.get(case.name, 1e-12)
        within = tolerance * (abs(reference) + 0.01 * scale)
        assert error <= within, (case, order, x, float(reference))


ROWS_WITH_DERIVATIVES = sorted(set(TABLE) - set(WITHOUT_DERIVATIVE))


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS_WITH_DERIVATIVES)
def test_derivatives_up_to_order_5(name: str) -> None:
    of_row = [case for case in cases() if case.name == name]
    assert of_row, f"give {name} its special points"
    for case in of_row:
        check(case)


def test_no_case_is_of_a_row_that_there_is_not() -> None:
    assert {case.name for case in cases()} <= set(ROWS_WITH_DERIVATIVES)
