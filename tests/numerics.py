"""What the tests of numbers share: exact comparison, errors in ulps, finite differences, points."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterator, Sequence

from autograd.primitives import TABLE, Primitive

EPSILON = sys.float_info.epsilon

SPECIAL = (
    *(0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5, 1 / 3, 1000.0, -1000.0, 1e308, -1e308),
    *(5e-324, -5e-324, sys.float_info.min, math.inf, -math.inf, math.nan),
)
"""Numbers at which arithmetic has to make up its mind."""


def bits(x: float) -> bytes:
    """The eight bytes of x; every nan has the same."""
    return struct.pack("<d", math.nan if math.isnan(x) else x)


def same(computed: Sequence[float | None], expected: Sequence[float | None]) -> bool:
    """Whether both hold the same floats to the last bit: -0.0 is not 0.0, and a nan is a nan."""
    if len(computed) != len(expected):
        return False
    pairs = zip(computed, expected, strict=True)
    return all(x is y if x is None or y is None else bits(x) == bits(y) for x, y in pairs)


def central_difference(f: Callable[..., float], point: Sequence[float], i: int) -> float:
    """∂f/∂xᵢ from two values of f, with an error of about 1e-10 where f is tame."""
    step = math.cbrt(EPSILON) * max(1.0, abs(point[i]))
    right, left = point[i] + step, point[i] - step
    moved = [(*point[:i], x, *point[i + 1 :]) for x in (right, left)]
    return (f(*moved[0]) - f(*moved[1])) / (right - left)


# --- ordinary points: where every primitive is smooth ---------------------------------------------

_NUMBERS = (0.7, -1.3, 2.1, -0.4, 1.9, 0.3)

_INTO_DOMAIN: dict[str, Callable[..., tuple[float, ...]]] = {
    "log": lambda x: (abs(x),),
    "sqrt": lambda x: (abs(x),),
    "pow": lambda x, y: (abs(x), y),
    "log1p": lambda x: (abs(x),),
    "log2": lambda x: (abs(x),),
    "log10": lambda x: (abs(x),),
    "acosh": lambda x: (1.5 + abs(x),),
    "atanh": lambda x: (0.4 * x,),
    "xlogy": lambda x, y: (x, abs(y)),
    "asin": lambda x: (0.4 * x,),
    "acos": lambda x: (0.4 * x,),
    "where": lambda c, x, y: (float(c > 0.0), x, y),
}


def ordinary_points(primitive: Primitive) -> Iterator[tuple[float, ...]]:
    """Some points at which the primitive is smooth; a condition is 1.0 or 0.0 there."""
    n = 4 if primitive.variadic else len(primitive.partials)
    into_domain = _INTO_DOMAIN.get(primitive.name)
    for start in range(len(_NUMBERS)):
        point = tuple(_NUMBERS[(start + k) % len(_NUMBERS)] for k in range(n))
        yield into_domain(*point) if into_domain else point


SMOOTH = [p for p in TABLE.values() if p.name != "given_partial"]  # which has any derivative
"""The primitives that have ordinary points."""


def differentiable(primitive: Primitive, n: int) -> list[int]:
    """Which of n arguments the primitive is differentiated with respect to: no conditions."""
    if primitive.variadic:
        return list(range(n))
    return [i for i, rule in enumerate(primitive.partials) if rule is not None]
