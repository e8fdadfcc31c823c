"""Range analysis: a lower bound of a number, and whether it is finite, before it is computed.

The table of primitives can be read with ranges, as it is with floats and with Values: that gives
the range of a value, and of a partial derivative. Only elementary operations need a line here;
composite values and the rules consist of these.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd import primitives
from autograd.operators import CONDITIONS, add_arithmetic
from autograd.primitives import Primitive

_POSITIVE = math.ulp(0.0)
"""The lower bound of what is positive, such as exp(x)."""


class Range:
    """Bounds of a number, which hold if nothing overflows or underflows.

    Two occurrences of an object other than `SOME` are the same number.

    Attributes:
        low: the number is at least this, or nan.
        is_finite: whether it is known to be finite.
        number: the number itself, if that is known, else None.
    """

    __slots__ = ("is_finite", "low", "number")

    def __init__(
        self, low: float = -math.inf, is_finite: bool = False, number: float | None = None
    ) -> None:
        self.low = low
        self.is_finite = is_finite
        self.number = number

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Range:
        """The range of an operation on ranges and numbers."""
        ranges = [range_of(x) for x in args]
        if primitive.name in CONDITIONS:
            return Range(0.0, is_finite=True)
        if primitive.name in _RANGES:
            return _RANGES[primitive.name](*ranges)
        if primitive.definition is not None and _is_read(primitive):
            return range_of(primitive.definition(*ranges))
        return Range(is_finite=primitive.name in _FINITE and all(x.is_finite for x in ranges))


SOME = Range(is_finite=True)
"""The range of a finite number of which nothing else is known."""


def range_of(x: Any) -> Range:
    """The range of a number; a range itself."""
    if isinstance(x, Range):
        return x
    return Range(-math.inf if math.isnan(x) else x, math.isfinite(x), x)


def partials_are_finite(primitive: Primitive, operands: Sequence[Any]) -> bool:
    """Whether all partials of a row are known to be finite, and are not the 0 of a step.

    A step, such as `floor`, passes on 0 times an upstream gradient that may be infinite.

    Args:
        primitive: the row.
        operands: the range of each operand, a float where it is a number.
    """
    if not _is_read(primitive):
        return False
    z = Range.record(primitive, operands)
    partials = [range_of(x) for x in primitive.partials_at(z, operands, operands) if x is not None]
    is_step = all(x.number == 0.0 for x in partials)
    return not is_step and all(x.is_finite for x in partials)


def _is_read(primitive: Primitive) -> bool:
    """Whether a row is read with ranges: a user's variadic one need only take floats and Values."""
    return not primitive.variadic or primitive.name in primitives.own_names


add_arithmetic(Range)


# --- elementary operations ------------------------------------------------------------------------

_FINITE = {
    *("sub", "neg", "sin", "cos", "tan", "atan", "tanh", "asinh", "sinh", "cosh", "expm1", "erf"),
    *("erfc", "floor"),
}
"""Primitives whose values are finite if their operands are, and whose bounds are never used."""


def _sum(*terms: Range) -> Range:
    return Range(_low_of_sum([x.low for x in terms]), all(x.is_finite for x in terms))


def _low_of_sum(bounds: Iterable[float]) -> float:
    low = primitives.sum.value(*bounds)  # rounded as the sum itself is
    return -math.inf if math.isnan(low) else low


def _low_of_product(x: Range, y: Range) -> float:
    is_square = x is y and x is not SOME
    if not is_square and (x.low < 0.0 or y.low < 0.0):
        return -math.inf
    return max(x.low * y.low, _POSITIVE) if x.low > 0.0 and y.low > 0.0 else 0.0


def _product(x: Range, y: Range) -> Range:
    return Range(_low_of_product(x, y), x.is_finite and y.is_finite)


def _dot(*factors: Range) -> Range:
    half = len(factors) // 2
    low = _low_of_sum(map(_low_of_product, factors[:half], factors[half:]))
    return Range(low, all(x.is_finite for x in factors))


def _quotient(x: Range, y: Range) -> Range:
    is_nonzero = y.low > 0.0 or (y.number is not None and y.number < 0.0)
    low = -math.inf
    if x.low >= 0.0 and y.low > 0.0:  # not 0: x / -0.0 is -inf
        low = _POSITIVE if x.low > 0.0 and y.is_finite else 0.0
    return Range(low, x.is_finite and is_nonzero)


def _power(x: Range, y: Range) -> Range:
    n = math.nan if y.number is None else y.number
    low = -math.inf
    if x.low > 0.0:
        low = _POSITIVE if x.is_finite and y.is_finite else 0.0
    elif n % 2.0 == 0.0 or (x.low >= 0.0 and n >= 0.0):  # the power -1 of -0.0 is -inf
        low = 0.0
    is_defined = x.low > 0.0 or (n >= 0.0 and (n.is_integer() or x.low >= 0.0))
    return Range(low, x.is_finite and y.is_finite and is_defined)


def _where(condition: Range, x: Range, y: Range) -> Range:
    return Range(min(x.low, y.low), x.is_finite and y.is_finite)


def _logarithm(function: Callable[[float], float], above: float) -> Callable[[Range], Range]:
    """The range of a logarithm, which rises with its operand and is finite above a number."""

    def ranged(x: Range) -> Range:
        is_defined = x.low > above
        return Range(function(x.low) if is_defined else -math.inf, x.is_finite and is_defined)

    return ranged


_RANGES: dict[str, Callable[..., Range]] = {
    "add": _sum,
    "sum": _sum,
    "mul": _product,
    "dot": _dot,
    "div": _quotient,
    "pow": _power,
    "where": _where,
    "maximum": lambda x, y: Range(max(x.low, y.low), x.is_finite and y.is_finite),
    "minimum": lambda x, y: _where(x, x, y),
    "relu": lambda x: Range(max(x.low, 0.0), x.is_finite),
    "abs": lambda x: Range(max(x.low, 0.0), x.is_finite),
    "exp": lambda x: Range(_POSITIVE if x.is_finite else 0.0, x.is_finite),
    "sqrt": lambda x: Range(math.sqrt(max(x.low, 0.0)), x.is_finite and x.low >= 0.0),
    "log": _logarithm(math.log, 0.0),
    "log2": _logarithm(math.log2, 0.0),
    "log10": _logarithm(math.log10, 0.0),
    "log1p": _logarithm(math.log1p, -1.0),
    "stop_gradient": lambda x: x,
}
"""The ranges of operations, by name; also of some composite ones, of which more can be said."""
