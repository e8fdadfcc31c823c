"""Every rule of the table measured: its worst error in units in the last place (ulp).

For each row the value, the first and the second derivatives are computed at some 5,000 points,
spread over the magnitudes of the whole domain, of both signs, and dense around 0, 1, the ends of
the domain and where rules change from one form to another, and compared with mpmath at 300 bits
wherever the exact result is a normal float64. Then the worst points are moved about, in a few
rounds, in search of worse ones. One ulp is the distance of two neighboring floats at the exact
result. The points, but not those of the search, go to PyTorch and JAX as well. `table()` returns
what is printed as Markdown; `python -m tests.benchmarks rules` also writes it to
`notebooks/rules.md`.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import mpmath

from autograd import Value, grad
from autograd.primitives import TABLE
from tests.benchmarks.measure import print_table

mp = mpmath.mp
BITS = 300
COUNT = 5_000
SEARCHES = 4
KINDS = ("value", "first", "second")
PAGE = Path(__file__).parents[2] / "notebooks" / "rules.md"

GOALS = {"first": 4.0, "second": 16.0}
UNDERFLOW, OVERFLOW = sys.float_info.min, sys.float_info.max


class Row(NamedTuple):
    """A row's points, and its value and derivatives in mpmath; `second` holds the matrix's rows."""

    points: Callable[[random.Random], Sequence[float]]
    value: Callable[..., Any]
    first: Callable[..., Sequence[Any]]
    second: Callable[..., Sequence[Sequence[Any]]]


# --- points ---------------------------------------------------------------------------------------


def _near(source: random.Random, point: float) -> float:
    return point + source.choice((-1, 1)) * 2.0 ** source.uniform(-53.0, -1.0) * (abs(point) or 1.0)


def magnitudes(low: float, high: float, *near: float) -> Callable[[random.Random], float]:
    """Numbers from low to high: by magnitude, evenly within ±40, and dense around some points."""

    def draw(source: random.Random) -> float:
        while True:
            kind = source.random()
            if kind < 0.4:
                x = source.choice((-1, 1)) * 2.0 ** source.uniform(-1022.0, 1024.0 - 1e-12)
            elif kind < 0.55:
                x = source.choice((-1, 1)) * 2.0 ** source.uniform(-30.0, 11.0)
            elif kind < 0.8 or not near:
                x = source.uniform(max(low, -40.0), min(high, 40.0))
            else:
                x = _near(source, source.choice(near))
            if low <= x <= high:
                return x

    return draw


def of(*each: Callable[[random.Random], float]) -> Callable[[random.Random], Sequence[float]]:
    """Points whose coordinates are drawn one by one."""
    return lambda source: [draw(source) for draw in each]


def crossing(
    points: Callable[[random.Random], Sequence[float]], ratio: float
) -> Callable[[random.Random], Sequence[float]]:
    """The points, of which one in four has its first number near `ratio` times the last."""

    def draw(source: random.Random) -> Sequence[float]:
        first, *others, last = points(source)
        if source.random() < 0.25 and math.isfinite(x := _near(source, ratio * last)):
            first, others = x, [x * 2.0 ** -source.uniform(0.0, 60.0) for x in others]
        return [first, *others, last]

    return draw


def not_tiny(
    points: Callable[[random.Random], Sequence[float]],
) -> Callable[[random.Random], Sequence[float]]:
    """Those of the points of which a number is at least 1e-150."""

    def draw(source: random.Random) -> Sequence[float]:
        while max(map(abs, point := points(source))) < 1e-150:
            pass
        return point

    return draw


def similar(draw: Callable[[random.Random], float], n: int) -> Callable[..., Sequence[float]]:
    """Points of n numbers, in most of which these are of similar magnitude."""

    def point(source: random.Random) -> Sequence[float]:
        if source.random() < 0.3:
            return [draw(source) for _ in range(n)]
        x = draw(source)
        factors = [1.0, *(2.0 ** source.uniform(-30.0, 30.0) for _ in range(n - 1))]
        if source.random() < 0.5:
            factors[-1] = 1.0 + source.choice((-1, 1)) * 2.0 ** source.uniform(-52.0, 0.0)
        return [source.choice((-1, 1)) * x * f for f in factors]

    return point


def powers(source: random.Random) -> Sequence[float]:
    """A positive base and an exponent for which the power stays a float64."""
    if source.random() < 0.5:
        base = 2.0 ** source.uniform(-1022.0, 1024.0 - 1e-12)
    else:
        base = abs(_near(source, 1.0)) if source.random() < 0.5 else source.uniform(0.0, 40.0)
    reach = 700.0 / max(abs(math.log(base or 1.0)), 1e-3)
    kind = source.random()
    if kind < 0.4:
        return [base, source.uniform(-reach, reach)]
    if kind < 0.6:
        return [base, source.choice((-1, 1)) * reach * 2.0 ** source.uniform(-300.0, 0.0)]
    return [base, source.choice((0.1, 0.5, 1 / 3, -0.5, 1.5, 2.0, 3.0, -1.0, _near(source, 1.0)))]


everywhere = magnitudes(-OVERFLOW, OVERFLOW, 0.0, 1.0, -1.0)
positive = magnitudes(UNDERFLOW, OVERFLOW, 1.0)


# --- exact derivatives ----------------------------------------------------------------------------


def _unary(
    draw: Callable[[random.Random], float],
    value: Callable[[Any], Any],
    first: Callable[[Any], Any],
    second: Callable[[Any], Any],
) -> Row:
    return Row(of(draw), value, lambda x: [first(x)], lambda x: [[second(x)]])


def _flat(n: int) -> list[list[int]]:
    return [[0] * n for _ in range(n)]


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _power_first(x: Any, y: Any) -> Sequence[Any]:
    return [y * x ** (y - 1), x**y * mp.log(x)]


def _power_second(x: Any, y: Any) -> Sequence[Sequence[Any]]:
    factor = 1 + y * mp.log(x)
    mixed = None if abs(factor) < 0.5 else x ** (y - 1) * factor
    return [[y * (y - 1) * x ** (y - 2), mixed], [mixed, x**y * mp.log(x) ** 2]]


def _norm(*xs: Any) -> Any:
    return mp.sqrt(sum(x * x for x in xs))


def _norm_second(*xs: Any) -> Sequence[Sequence[Any]]:
    cube = _norm(*xs) ** 3

    def of_one(i: int) -> Any:
        others = sum(w * w for k, w in enumerate(xs) if k != i)
        return None if others < xs[i] * xs[i] else others / cube

    return [
        [of_one(i) if i == j else -x * w / cube for j, w in enumerate(xs)] for i, x in enumerate(xs)
    ]


def _angle_second(y: Any, x: Any) -> Sequence[Sequence[Any]]:
    square = x * x + y * y
    crosses = 0.5 < abs(x / y) < 2 if y else False
    mixed = None if crosses else (y - x) * (y + x) / square**2
    both = 2 * x * y / square**2
    return [[-both, mixed], [mixed, both]]


def _sech2_second(x: Any) -> Any:
    factor = 4 - 6 * mp.sech(x) ** 2
    return None if abs(factor) < 1 else mp.sech(x) ** 2 * factor


def _logistic_pdf_second(x: Any) -> Any:
    slope = _sigmoid(x) * _sigmoid(-x)
    factor = 1 - 6 * slope
    return None if abs(factor) < 0.25 else slope * factor


def _bell_second(x: Any) -> Any:
    factor = 4 * x * x - 2
    return None if abs(factor) < 1 else mp.exp(-x * x) * factor


def _cube_root(x: Any) -> Any:
    return mp.sign(x) * mp.cbrt(abs(x))


def _towards_zero(x: Any) -> Any:
    return mp.sign(x) * mp.floor(abs(x))


def _logaddexp(x: Any, y: Any) -> Any:
    value = max(x, y) + mp.log1p(mp.exp(-abs(x - y)))
    return None if abs(value) < abs(max(x, y)) / 2 else value


def _norm_cdf(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


@cache
def _inverse_mills(x: Any) -> Any:
    """φ(x)/Φ(x), at digits enough for it to be added to x."""
    with mp.workprec(BITS + 150):
        if x > -12:
            return mp.npdf(x) / _norm_cdf(x)
        fraction = mp.mpf(0)
        for k in range(10 + int((BITS / 5 / x) ** 2) * 5, 0, -1):  # Laplace's continued fraction
            fraction = k / (-x + fraction)
        return -x + fraction


def _norm_pdf_second(x: Any) -> Any:
    return None if abs(x * x - 1) < 0.5 else mp.npdf(x) * (x * x - 1)


def _lgamma(x: Any) -> Any:
    value = mp.log(abs(mp.gamma(x))) if abs(x) < 1e4 else mp.re(mp.loggamma(x))
    # below 0 it crosses 0 where the two terms of the reflection cancel
    return None if x < 0 and abs(value) < mp.loggamma(1 - x) else value


@cache
def _psi(n: int, x: Any) -> Any:
    """The n-th derivative of digamma, for x > -40: a sum, and the rest by Euler and Maclaurin."""
    if n == 0:
        return mp.digamma(x)
    count = 100 if x < 100 else 0
    y = x + count
    total = sum((x + k) ** (-n - 1) for k in range(count)) + y**-n / n + y ** (-n - 1) / 2
    term = y ** (-n - 2) * (n + 1)
    for k in range(1, 40):
        total += mp.bernoulli(2 * k) / mp.factorial(2 * k) * term
        term *= (n + 2 * k) * (n + 2 * k + 1) / y**2
    return (-1) ** (n + 1) * mp.factorial(n) * total


def _away_from_zeros(n: int) -> Callable[[Any], Any]:
    """The n-th derivative of digamma; none below 0 where it is less than half its nearest pole."""

    def value(x: Any) -> Any:
        found = _psi(n, x)
        if x < 0 and 2 * abs(found) < mp.factorial(n) * abs(x - mp.nint(x)) ** (-n - 1):
            return None
        return found

    return value


def _cosine_gap(x: Any) -> Any:
    return (1 - x) * (1 + x)


angles = magnitudes(-1e300, 1e300, 0.0, math.pi / 2, math.pi)
unit = magnitudes(-1.0 + 2.0**-53, 1.0 - 2.0**-53, 0.0, 1.0, -1.0, 0.5, -0.5)
exponents = magnitudes(-745.0, 710.0, 0.0)
both_tails = magnitudes(-760.0, 760.0, 0.0)

tails = magnitudes(-38.0, 38.0, 0.0, -0.5, 1.0, 0.7071, 1.2247)
normals = magnitudes(-1e15, 38.0, 0.0, -3.0, 0.5, 1.0)


def gammas(source: random.Random) -> float:
    """Mostly positive numbers; the negative are not near the whole ones, the poles, alone."""
    positive = magnitudes(1e-100, 1e100, 1.0, 2.0, 5.0, 8.0, 1.4616321449683622, 10.0)
    if source.random() < 0.7:
        return positive(source)
    return -source.randint(0, 30) - source.choice((0.5, 2.0 ** -source.uniform(1.0, 30.0)))


steps = magnitudes(-OVERFLOW, OVERFLOW, 0.0, 0.5, 1.0, -1.5, 2.0**52)
powers_of = magnitudes(1e-150, 1e150, 1.0)


def quotients(source: random.Random) -> Sequence[float]:
    """Two numbers whose quotient is a float64; often it is whole, or nearly."""
    y = source.choice((-1, 1)) * 2.0 ** source.uniform(-200.0, 200.0)
    kind = source.random()
    if kind < 0.3:
        return [y * 2.0 ** source.uniform(-60.0, 200.0), y]
    x = source.randint(-100, 100) * y if kind < 0.6 else source.uniform(-20.0, 20.0) * y
    return [math.nextafter(x, source.choice((-math.inf, math.inf, x))), y]


def clipped(source: random.Random) -> Sequence[float]:
    """A number and two bounds in order; one in three is a bound."""
    low, high = sorted(similar(everywhere, 2)(source))
    return [source.choice((everywhere(source), low, high)), low, high]


def differences(source: random.Random) -> Sequence[float]:
    """Two numbers, mostly so near each other that both count in the sum of their powers."""
    x = source.choice((both_tails, everywhere))(source)
    return [x, source.choice((x, -x, 0.0)) + both_tails(source)]


ROWS: dict[str, Row] = {
    "add": Row(
        similar(everywhere, 2), lambda x, y: x + y, lambda x, y: [1, 1], lambda *_: _flat(2)
    ),
    "sub": Row(
        similar(everywhere, 2), lambda x, y: x - y, lambda x, y: [1, -1], lambda *_: _flat(2)
    ),
    "mul": Row(
        similar(everywhere, 2),
        lambda x, y: x * y,
        lambda x, y: [y, x],
        lambda *_: [[0, 1], [1, 0]],
    ),
    "div": Row(
        similar(magnitudes(-1e150, 1e150, 1.0), 2),
        lambda x, y: x / y,
        lambda x, y: [1 / y, -x / y**2],
        lambda x, y: [[0, -1 / y**2], [-1 / y**2, 2 * x / y**3]],
    ),
    "pow": Row(powers, lambda x, y: x**y, _power_first, _power_second),
    "neg": _unary(everywhere, lambda x: -x, lambda x: -1, lambda x: 0),
    "abs": _unary(everywhere, abs, mp.sign, lambda x: 0),
    "sqrt": _unary(positive, mp.sqrt, lambda x: 1 / (2 * mp.sqrt(x)), lambda x: -(x**-1.5) / 4),
    "exp": _unary(exponents, mp.exp, mp.exp, mp.exp),
    "expm1": _unary(exponents, mp.expm1, mp.exp, mp.exp),
    "log": _unary(positive, mp.log, lambda x: 1 / x, lambda x: -1 / x**2),
    "log1p": _unary(
        magnitudes(-1.0 + 2.0**-53, OVERFLOW, 0.0, -1.0, 1.0),
        mp.log1p,
        lambda x: 1 / (1 + x),
        lambda x: -1 / (1 + x) ** 2,
    ),
    "sin": _unary(angles, mp.sin, mp.cos, lambda x: -mp.sin(x)),
    "cos": _unary(angles, mp.cos, lambda x: -mp.sin(x), lambda x: -mp.cos(x)),
    "tan": _unary(
        angles, mp.tan, lambda x: mp.sec(x) ** 2, lambda x: 2 * mp.tan(x) * mp.sec(x) ** 2
    ),
    "asin": _unary(
        unit,
        mp.asin,
        lambda x: 1 / mp.sqrt(_cosine_gap(x)),
        lambda x: x / mp.sqrt(_cosine_gap(x)) ** 3,
    ),
    "acos": _unary(
        unit,
        mp.acos,
        lambda x: -1 / mp.sqrt(_cosine_gap(x)),
        lambda x: -x / mp.sqrt(_cosine_gap(x)) ** 3,
    ),
    "atan": _unary(
        everywhere, mp.atan, lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2
    ),
    "atan2": Row(
        not_tiny(crossing(similar(magnitudes(-1e150, 1e150, 1.0), 2), 2.0)),
        mp.atan2,
        lambda y, x: [x / (x * x + y * y), -y / (x * x + y * y)],
        _angle_second,
    ),
    "sinh": _unary(both_tails, mp.sinh, mp.cosh, mp.sinh),
    "cosh": _unary(both_tails, mp.cosh, mp.sinh, mp.cosh),
    "tanh": _unary(
        both_tails,
        mp.tanh,
        lambda x: mp.sech(x) ** 2,
        lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2,
    ),
    "sech2": _unary(
        magnitudes(-760.0, 760.0, 0.0, 0.4349, 0.8814),
        lambda x: mp.sech(x) ** 2,
        lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2,
        _sech2_second,
    ),
    "sigmoid": _unary(
        both_tails,
        _sigmoid,
        lambda x: _sigmoid(x) * _sigmoid(-x),
        lambda x: -_sigmoid(x) * _sigmoid(-x) * mp.tanh(x / 2),
    ),
    "softplus": _unary(
        both_tails,
        lambda x: mp.log1p(mp.exp(x)),
        _sigmoid,
        lambda x: _sigmoid(x) * _sigmoid(-x),
    ),
    "relu": _unary(everywhere, lambda x: max(x, 0), lambda x: x > 0, lambda x: 0),
    "erf": _unary(
        magnitudes(-30.0, 30.0, 0.0),
        mp.erf,
        lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
        lambda x: -4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x),
    ),
    "erfc": _unary(
        magnitudes(-30.0, 30.0, 0.0),
        mp.erfc,
        lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
        lambda x: 4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x),
    ),
    "hypot": Row(
        crossing(similar(magnitudes(-1e150, 1e150, 1.0), 3), 1.0),
        _norm,
        lambda *xs: [x / _norm(*xs) for x in xs],
        _norm_second,
    ),
    "log2": _unary(
        positive,
        lambda x: mp.log(x, 2),
        lambda x: 1 / (x * mp.log(2)),
        lambda x: -1 / (x * x * mp.log(2)),
    ),
    "log10": _unary(
        positive,
        mp.log10,
        lambda x: 1 / (x * mp.log(10)),
        lambda x: -1 / (x * x * mp.log(10)),
    ),
    "asinh": _unary(
        magnitudes(-OVERFLOW, OVERFLOW, 0.0, 1.0, -1.0, 2.0**28),
        mp.asinh,
        lambda x: 1 / mp.sqrt(1 + x * x),
        lambda x: -x / mp.sqrt(1 + x * x) ** 3,
    ),
    "acosh": _unary(
        magnitudes(1.0 + 2.0**-52, OVERFLOW, 1.0, 2.0),
        mp.acosh,
        lambda x: 1 / mp.sqrt(x * x - 1),
        lambda x: -x / mp.sqrt(x * x - 1) ** 3,
    ),
    "atanh": _unary(
        unit, mp.atanh, lambda x: 1 / _cosine_gap(x), lambda x: 2 * x / _cosine_gap(x) ** 2
    ),
    "cbrt": _unary(
        everywhere,
        _cube_root,
        lambda x: 1 / (3 * _cube_root(x) ** 2),
        lambda x: -2 / (9 * _cube_root(x) ** 5),
    ),
    **{
        name: _unary(steps, function, lambda x: 0, lambda x: 0)
        for name, function in (
            ("floor", mp.floor),
            ("ceil", mp.ceil),
            ("trunc", lambda x: mp.sign(x) * mp.floor(abs(x))),
            ("round", mp.nint),
            ("sign", mp.sign),
        )
    },
    "fmod": Row(
        quotients,
        lambda x, y: x - y * _towards_zero(x / y),
        lambda x, y: [1, -_towards_zero(x / y)],
        lambda *_: _flat(2),
    ),
    "mod": Row(
        quotients,
        lambda x, y: x - y * mp.floor(x / y),
        lambda x, y: [1, -mp.floor(x / y)],
        lambda *_: _flat(2),
    ),
    "floordiv": Row(
        quotients, lambda x, y: mp.floor(x / y), lambda *_: [0, 0], lambda *_: _flat(2)
    ),
    "clip": Row(
        clipped,
        lambda x, low, high: min(max(x, low), high),
        lambda x, low, high: [low <= x <= high, x < low, x > high],
        lambda *_: _flat(3),
    ),
    "logistic_pdf": _unary(
        magnitudes(-760.0, 760.0, 0.0, 0.8698, 1.7627),
        lambda x: _sigmoid(x) * _sigmoid(-x),
        lambda x: -_sigmoid(x) * _sigmoid(-x) * mp.tanh(x / 2),
        _logistic_pdf_second,
    ),
    "log_sigmoid": _unary(
        both_tails,
        lambda x: -mp.log1p(mp.exp(-x)),
        lambda x: _sigmoid(-x),
        lambda x: -_sigmoid(x) * _sigmoid(-x),
    ),
    "logaddexp": Row(
        differences,
        _logaddexp,
        lambda x, y: [_sigmoid(x - y), _sigmoid(y - x)],
        lambda x, y: [
            [s * _sigmoid(x - y) * _sigmoid(y - x) for s in signs] for signs in ((1, -1), (-1, 1))
        ],
    ),
    "xlogy": Row(
        lambda source: [magnitudes(-1e150, 1e150, 1.0)(source), powers_of(source)],
        lambda x, y: x * mp.log(y),
        lambda x, y: [mp.log(y), x / y],
        lambda x, y: [[0, 1 / y], [1 / y, -x / y**2]],
    ),
    "bell": _unary(
        magnitudes(-30.0, 30.0, 0.0, 0.5, 0.866),
        lambda x: mp.exp(-x * x),
        lambda x: -2 * x * mp.exp(-x * x),
        _bell_second,
    ),
    "norm_pdf": _unary(tails, mp.npdf, lambda x: -x * mp.npdf(x), _norm_pdf_second),
    "norm_cdf": _unary(tails, _norm_cdf, mp.npdf, lambda x: -x * mp.npdf(x)),
    "log_norm_cdf": _unary(
        normals,
        lambda x: (
            -x * x / 2 - mp.log(mp.sqrt(2 * mp.pi) * _inverse_mills(x))
            if x < 0
            else mp.log1p(-_norm_cdf(-x))
        ),
        _inverse_mills,
        lambda x: -_inverse_mills(x) * (x + _inverse_mills(x)),
    ),
    "lgamma": _unary(
        gammas,
        _lgamma,
        _away_from_zeros(0),
        lambda x: _psi(1, x),
    ),
    "digamma": _unary(gammas, _away_from_zeros(0), lambda x: _psi(1, x), _away_from_zeros(2)),
    **{
        f"polygamma{n}": _unary(gammas, *map(_away_from_zeros, (n, n + 1, n + 2)))
        for n in range(1, 4)
    },
    "maximum": Row(similar(everywhere, 2), max, lambda x, y: [x > y, y > x], lambda *_: _flat(2)),
    "minimum": Row(similar(everywhere, 2), min, lambda x, y: [x < y, y < x], lambda *_: _flat(2)),
    "where": Row(
        lambda source: [source.choice((0.0, 1.0)), everywhere(source), everywhere(source)],
        lambda c, x, y: x if c else y,
        lambda c, x, y: [0, c, 1 - c],
        lambda *_: _flat(3),
    ),
    "sum": Row(
        similar(everywhere, 3), lambda *xs: sum(xs), lambda *_: [1] * 3, lambda *_: _flat(3)
    ),
    "dot": Row(
        similar(magnitudes(-1e150, 1e150, 1.0), 4),
        lambda a, b, c, d: a * c + b * d,
        lambda a, b, c, d: [c, d, a, b],
        lambda *_: [[0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0]],
    ),
}

WITHOUT_DERIVATIVE = (
    *("lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_not"),
    *("stop_gradient", "difference_error", "given_partial"),
)

OUT_OF_REACH = {
    "pow": "∂²/∂x∂y = xʸ⁻¹·(1 + y·log x) crosses 0; measured where |1 + y·log x| ≥ ½",
    "logistic_pdf": "its second derivative crosses 0; measured where |1 - 6z| ≥ ¼",
    "bell": "its second derivative crosses 0 at x² = ½; measured where |4x² - 2| ≥ 1",
    "norm_pdf": "its second derivative crosses 0 at ±1; measured where |x² - 1| ≥ ½",
    "logaddexp": "its value crosses 0; measured where it is at least half the larger argument",
    "lgamma": "below 0 its value crosses 0; measured where it is at least lgamma(1 - x)",
    "digamma": "below 0 it and its even derivatives cross 0 between two poles; measured where they "
    "are at least half of what the nearest pole contributes (the same holds of `polygamma`)",
    "sech2": "its second derivative crosses 0 where tanh²x = ⅓; measured where |4 - 6·sech²x| ≥ 1",
    "hypot": "∂²/∂x² = 1/z - x²/z³ cancels where x outweighs the others; measured where x²/z² ≤ ½",
    "atan2": "∂²/∂x∂y = (y² - x²)/z⁴ crosses 0 at |x| = |y|; measured where one is twice the "
    "other, and from 1e-150 to 1e150, beyond which a step on the way leaves float64",
}
"""Second derivatives that are the sum of two rounded terms: no bound holds where these cancel."""

FOUND: dict[str, tuple[tuple[float, ...], ...]] = {
    "asin": ((-0.8641446169650008,),),
    "asinh": ((-0.030141028324565285,),),
    "atan": ((3.921440489904029,),),
    "atan2": ((1.999999999999893, 0.9999999999999365),),
    "atanh": ((0.6472129198275769,),),
    "erf": ((1.6460465730427853,),),
    "erfc": ((-1.2901532717871165,),),
    "logaddexp": (
        (-0.05360500515377504, 2.6640265789942816),
        (4.274751244474128, -0.5657217493810034),
    ),
    "norm_pdf": (
        (-1.0698789742196078,),
        (1.2256567125887876,),
    ),
    "sech2": (
        (-0.619145261087553,),
        (0.42209182391952693,),
    ),
    "sigmoid": ((-0.5277985208141436,),),
    "tan": ((-7.754425130579232,),),
    "tanh": (
        (1.7262594671856135,),
        (-0.619145261087553,),
    ),
}
"""Points at which other searches found errors beyond those of the random points of a row."""


# --- measuring ------------------------------------------------------------------------------------


class Worst(NamedTuple):
    """The largest error in ulp, and the point where it was met."""

    ulps: float
    point: Sequence[float]

    def __str__(self) -> str:
        return f"{self.ulps:.2g}" if self.ulps < 100 else f"{self.ulps:.0e}"


Derivatives = tuple[float, Sequence[float], Sequence[Sequence[float]]]


def points_of(name: str, count: int = COUNT) -> Iterator[Sequence[float]]:
    """The points of `FOUND`, then the first `count` random ones, the same at every call."""
    source = random.Random(name)
    return chain(FOUND.get(name, ()), (ROWS[name].points(source) for _ in range(count)))


def ours(name: str, point: Sequence[float]) -> Derivatives:
    """The value, the gradient and the Hessian of a row at a point."""
    leaves = [Value(x) for x in point]
    output = TABLE[name](*leaves)
    slopes = grad(output, leaves)
    return (
        output.data,
        [slope.data for slope in slopes],
        [[x.data for x in grad(slope, leaves)] for slope in slopes],
    )


def exact(name: str, point: Sequence[float]) -> tuple[Any, Sequence[Any], Sequence[Sequence[Any]]]:
    """The same in mpmath, at 300 bits."""
    row = ROWS[name]
    with mp.workprec(BITS):
        xs = [mp.mpf(x) for x in point]
        return row.value(*xs), row.first(*xs), row.second(*xs)


def ulps(computed: float, reference: Any) -> float:
    """How far off, in units in the last place; 0 where the exact result is no normal float64."""
    if reference is None:
        return 0.0
    size = abs(reference)
    if size == 0:
        return 0.0 if computed == 0.0 else math.inf
    if not UNDERFLOW <= size <= OVERFLOW:
        return 0.0
    if not math.isfinite(computed):
        return math.inf
    with mp.workprec(BITS):
        return float(abs(computed - mp.mpf(reference)) / math.ulp(float(size)))


def _is_representable(x: Any) -> bool:
    return x is None or x == 0 or UNDERFLOW <= abs(x) <= OVERFLOW


def errors(computed: Derivatives, reference: Any) -> dict[str, float]:
    """The largest error of the value, of the gradient and of the Hessian.

    A derivative counts where the value, and of the second the first too, are normal numbers or 0.
    """
    (value, slopes, curvatures), (exact_value, exact_slopes, exact_curvatures) = computed, reference
    found = {"value": ulps(value, exact_value), "first": 0.0, "second": 0.0}
    if exact_value is None or _is_representable(exact_value):
        found["first"] = max(map(ulps, slopes, exact_slopes))
        if all(map(_is_representable, exact_slopes)):
            found["second"] = max(
                max(map(ulps, row, exact_row))
                for row, exact_row in zip(curvatures, exact_curvatures, strict=True)
            )
    return found


def measured(name: str, count: int = COUNT, peers: bool = False) -> dict[str, dict[str, Worst]]:
    """The worst errors of a row: of ours and, if asked, of those peers that have it.

    Ours are searched for as well, around the worst of the points, in `SEARCHES` rounds.
    """
    points = list(points_of(name, count))
    computed: dict[str, list[Derivatives]] = {}
    if peers:
        for peer, answer in (("PyTorch", in_torch), ("JAX", in_jax)):
            found = answer(name, points)
            if found is not None:
                computed[peer] = found
    worst: dict[str, dict[str, Worst]] = {who: {} for who in computed}
    at_points = []
    for i, point in enumerate(points):
        reference = exact(name, point)
        at_points.append((point, errors(ours(name, point), reference)))
        for who, answers in computed.items():
            for kind, error in errors(answers[i], reference).items():
                if kind not in worst[who] or error > worst[who][kind].ulps:
                    worst[who][kind] = Worst(error, point)
    return {"ours": {kind: _searched(name, kind, at_points) for kind in KINDS}, **worst}


def _searched(name: str, kind: str, found: Sequence[tuple[Sequence[float], Any]]) -> Worst:
    """The worst error of a kind, after a search from the worst of the points that were measured."""
    source = random.Random(name)
    worst = [Worst(error[kind], point) for point, error in found]

    def moved(x: float) -> float:
        return x * (1.0 + source.choice((-1, 0, 1)) * 2.0 ** -source.uniform(1.5, 52.0))

    for _ in range(SEARCHES):
        worst = sorted(worst, key=lambda w: -w.ulps)[: max(2, len(found) // 500)]
        if not 0.0 < worst[0].ulps < math.inf:
            break
        for w in list(worst):
            for point in ([moved(x) for x in w.point] for _ in range(25)):
                reference = exact(name, point)
                if _is_real(reference):  # not outside of the domain
                    worst.append(Worst(errors(ours(name, point), reference)[kind], point))
    return max(worst, key=lambda w: w.ulps)


def _is_real(reference: Any) -> bool:
    value, first, second = reference
    listed = [value, *first, *(x for row in second for x in row)]
    return not any(isinstance(x, mpmath.mpc) for x in listed)


# --- PyTorch and JAX ------------------------------------------------------------------------------

Answers = list[Derivatives]


def _arranged(value: Any, first: Any, second: Any, n: int, count: int) -> Answers:
    """Columns of numbers as one answer for each point."""
    return [
        (
            float(value[p]),
            [float(first[i][p]) for i in range(n)],
            [[float(second[i][j][p]) for j in range(n)] for i in range(n)],
        )
        for p in range(count)
    ]


def in_torch(name: str, points: Sequence[Sequence[float]]) -> Answers | None:
    """The derivatives of all points by PyTorch; None if it is not installed or lacks the row."""
    try:
        import torch
    except ImportError:
        return None
    functions: dict[str, Callable[..., Any]] = {
        **{name: getattr(torch, name) for name in TABLE if hasattr(torch, name)},
        "softplus": torch.nn.functional.softplus,
        "hypot": lambda *xs: torch.linalg.vector_norm(torch.stack(xs), dim=0),
        **{name: getattr(torch.special, name) for name in ("xlogy",)},
        "norm_cdf": torch.special.ndtr,
        "log_norm_cdf": torch.special.log_ndtr,
        "log_sigmoid": torch.nn.functional.logsigmoid,
        "mod": torch.remainder,
        "clip": torch.clamp,
        **{f"polygamma{n}": lambda x, n=n: torch.special.polygamma(n, x) for n in range(1, 4)},
        "where": lambda c, x, y: torch.where(c.bool(), x, y),
        "sum": lambda *xs: torch.stack(xs).sum(0),
        "dot": lambda a, b, c, d: a * c + b * d,
    }
    if name not in functions:
        return None
    columns = [
        torch.tensor(column, dtype=torch.float64, requires_grad=True)
        for column in zip(*points, strict=True)
    ]

    def slopes(output: Any) -> list[Any]:
        if not output.requires_grad:
            return [torch.zeros_like(x) for x in columns]
        found = torch.autograd.grad(output.sum(), columns, create_graph=True, allow_unused=True)
        # Adding zeros makes numbers of PyTorch's placeholder for a derivative that is 0 throughout;
        # and 0·x would not do, which is nan for an infinite x.
        return [
            torch.zeros_like(x, requires_grad=True) + (0.0 if g is None else g)
            for x, g in zip(columns, found, strict=True)
        ]

    value = functions[name](*columns)
    first = slopes(value)
    second = [[x.tolist() for x in slopes(slope)] for slope in first]
    return _arranged(value.tolist(), [x.tolist() for x in first], second, len(columns), len(points))


def in_jax(name: str, points: Sequence[Sequence[float]]) -> Answers | None:
    """The derivatives of all points by JAX; None if it is not installed or lacks the row."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    functions: dict[str, Callable[..., Any]] = {
        "add": jnp.add,
        "sub": jnp.subtract,
        "mul": jnp.multiply,
        "div": jnp.divide,
        "pow": jnp.power,
        "neg": jnp.negative,
        **{name: getattr(jnp, name) for name in TABLE if hasattr(jnp, name) and name != "sum"},
        **{name: getattr(jax.nn, name) for name in ("sigmoid", "softplus", "relu")},
        **{name: getattr(jax.scipy.special, name) for name in ("erf", "erfc", "digamma", "xlogy")},
        "lgamma": jax.scipy.special.gammaln,
        "norm_pdf": jax.scipy.stats.norm.pdf,
        "norm_cdf": jax.scipy.stats.norm.cdf,
        "log_norm_cdf": jax.scipy.stats.norm.logcdf,
        "log_sigmoid": jax.nn.log_sigmoid,
        **{f"polygamma{n}": lambda x, n=n: jax.scipy.special.polygamma(n, x) for n in range(1, 4)},
        "hypot": lambda *xs: jnp.linalg.norm(jnp.stack(xs)),
        "where": lambda c, x, y: jnp.where(c != 0.0, x, y),
        "sum": lambda a, b, c: a + b + c,
        "dot": lambda a, b, c, d: a * c + b * d,
    }
    if name not in functions:
        return None
    columns = [np.array(column) for column in zip(*points, strict=True)]
    every = tuple(range(len(columns)))
    value = jax.vmap(functions[name])(*columns)
    gradient = jax.grad(functions[name], argnums=every)
    first = jax.vmap(gradient)(*columns)
    second = [
        jax.vmap(jax.grad(lambda *xs, i=i: gradient(*xs)[i], argnums=every))(*columns)
        for i in every
    ]
    n = len(columns)
    as_arrays = [[np.asarray(second[i][j]) for j in range(n)] for i in range(n)]
    return _arranged(np.asarray(value), [np.asarray(x) for x in first], as_arrays, n, len(points))


# --- the table ------------------------------------------------------------------------------------

HEADER = (
    *("row", "value", "first", "second", "first: worst at", "second: worst at"),
    *("PyTorch first", "PyTorch second", "JAX first", "JAX second"),
)


def rows_of(results: dict[str, dict[str, dict[str, Worst]]]) -> list[tuple[str, ...]]:
    """The lines of the table."""

    def at(worst: Worst) -> str:
        return ", ".join(f"{x:.6g}" for x in worst.point) if worst.ulps else ""

    lines = []
    for name, result in results.items():
        mine = result["ours"]
        cells = [name, *(str(mine[kind]) for kind in ("value", "first", "second"))]
        cells += [at(mine["first"]), at(mine["second"])]
        for peer in ("PyTorch", "JAX"):
            kinds = result.get(peer)
            cells += [str(kinds[kind]) if kinds else "–" for kind in ("first", "second")]
        lines.append(tuple(cells))
    return lines


INTRODUCTION = f"""\
# How exact the rules are

The worst error of every row of the table, in units in the last place (ulp) of the exact result, at
{COUNT:,} points over the whole domain, and at those that searches for worse ones found,
wherever the exact result is a normal float64; mpmath at {BITS} bits is the judge. Goals: the first
derivatives within {GOALS["first"]:g} ulp, the second within {GOALS["second"]:g}. A derivative is
measured where what it is the derivative of is a normal number as well.
`python -m tests.benchmarks rules` measures again, prints the errors beside those of this page, and
writes it;
"–" is a function that the other engine has not.

The value of `sum` and `dot` is that of a rounded loop, in which terms may cancel. Comparisons and
`stop_gradient` have no derivatives. No bound can hold where the two terms of a second derivative
cancel, so some are measured away from there, as the notes below the table say.
"""


def page(lines: Sequence[Sequence[str]]) -> str:
    """The table as Markdown."""
    table = [HEADER, ["---"] * len(HEADER), *lines]
    notes = [f"- `{name}`: {why}." for name, why in OUT_OF_REACH.items()]
    body = "\n".join("| " + " | ".join(line) + " |" for line in table)
    return f"{INTRODUCTION}\n{body}\n\n" + "\n".join(notes) + "\n"


def table() -> str:
    """The table as Markdown, as it was last measured."""
    return PAGE.read_text(encoding="utf-8")


def rows_of_the_page() -> dict[str, list[str]]:
    """The cells of each row of the table, as they were last measured."""
    lines = [line for line in table().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row for row in cells[2:]}


def beside_the_page(lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """The header and the lines, with the errors that the page states beside them."""
    page, unknown = rows_of_the_page(), ["–"] * len(HEADER)
    header = [*HEADER[:4], "first before", "second before", *HEADER[4:]]
    return [header, *([*row[:4], *page.get(row[0], unknown)[2:4], *row[4:]] for row in lines)]


def run(title: str) -> None:
    """Measure, print beside the page, and write the page."""
    lines = rows_of({name: measured(name, peers=True) for name in ROWS})
    header, *rows = beside_the_page(lines)
    print_table(title, header, rows)
    PAGE.write_text(page(lines), encoding="utf-8")
