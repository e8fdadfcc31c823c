"""New and repaired rows of the table, to be dissolved into `primitives` and `functions`.

A *composite* row's value is written in the table's own operations, an *elementary* one's is the C
library's function. Importing this module puts the rows into `TABLE`, in place of those of the same
name.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import reduce
from typing import Any

from autograd import primitives as p
from autograd.primitives import TABLE, Primitive, Scalar, _ieee
from autograd.value import _NAMESPACE


def _row(name: str, symbol: str, value: Any, *partials: Any, **options: Any) -> Primitive:
    """The row, in place of an older one of that name."""
    TABLE.pop(name, None)
    row = Primitive(name, symbol, value, *partials, **options)
    setattr(p, name, row)
    _NAMESPACE.update({name: row.value, f"{name}_row": row})
    return row


COMPOSITE: set[str] = set()
"""Names of the rows here whose value is written in the table's operations alone."""


def _composite(name: str, symbol: str, value: Any, *partials: Any, **options: Any) -> Primitive:
    COMPOSITE.add(name)
    return _row(name, symbol, value, *partials, **options)


# --- rows that the C library has ------------------------------------------------------------------
#
# Checked at 200,000 points and at the special ones: math.log2, log10, asinh, acosh, atanh, cbrt
# have the bits of the C library's (so machine code may call it); math.lgamma has not (CPython has
# one of its own), and loses all digits beside its zero at 1.


def _atanh(x: float) -> float:
    if -1.0 < x < 1.0:
        return math.atanh(x)
    return math.copysign(math.inf, x) if math.fabs(x) == 1.0 else math.nan


def _floor(x: float) -> float:
    return math.copysign(float(math.floor(x)), x) if math.isfinite(x) else x  # -0.0 stays -0.0


def _fmod(x: float, y: float) -> float:
    return math.fmod(x, y) if math.isfinite(x) and y != 0.0 else math.nan * x * y


def _one_minus_square(x: Scalar) -> Scalar:
    """1 - x², by factors where x² would cancel. (asin and acos take the root of it.)"""
    return p.where(p.abs(x) < 0.5, 1.0 - x * x, (1.0 - x) * (1.0 + x))


def _asinh_slope(x: Scalar) -> Scalar:
    """1/√(1 + x²). From 2²⁸ the 1 is below the last digit of x², and x² may overflow."""
    near = p.div(1.0, p.sqrt(1.0 + x * x))
    return p.where(p.abs(x) < 268435456.0, near, p.div(1.0, p.abs(x)))


# fmt: off
log2 = _row("log2", "log2", _ieee(math.log2, pole=0.0), lambda z, x: p.div(1.0 / math.log(2.0), x),
    doc="The logarithm to base 2, exact for powers of 2; -inf at 0, nan below.")
log10 = _row("log10", "log10", _ieee(math.log10, pole=0.0),
    lambda z, x: p.div(1.0 / math.log(10.0), x),
    doc="The logarithm to base 10; -inf at 0, nan below.")
asinh = _row("asinh", "asinh", math.asinh, lambda z, x: _asinh_slope(x),
    doc="The number whose hyperbolic sine is x.")
acosh = _row("acosh", "acosh", _ieee(math.acosh),
    # two roots: x² - 1 would cancel near 1 and overflow far out
    lambda z, x: p.div(1.0, p.sqrt(x - 1.0) * p.sqrt(x + 1.0)),
    doc="The positive number whose hyperbolic cosine is x, nan below 1.")
atanh = _row("atanh", "atanh", _atanh, lambda z, x: p.div(1.0, _one_minus_square(x)),
    doc="The number whose hyperbolic tangent is x, ±inf at ±1 and nan beyond.")
floor = _row("floor", "floor", _floor, lambda z, x: 0.0, chooses=True,
    doc="The largest whole number up to x; its derivative is 0.")
fmod = _row("fmod", "fmod", _fmod, lambda z, x, y: 1.0, lambda z, x, y: p.round(p.div(z - x, y)),
    doc="What is left of x after whole multiples of y, with the sign of x; C's. Python's is %.")
# fmt: on

# --- steps, % and // ------------------------------------------------------------------------------
#
# A step's derivative is 0. As in PyTorch it passes nothing on, not even nan from an infinite
# upstream gradient: hence `chooses`.


def _cbrt_value(x: Scalar) -> Scalar:
    """∛x to 0.67 ulp; the C library's has 3.7, too many for z² in the derivative.

    One step of Halley's method from a root rounded to 23 bits, whose square is exact (W. Kahan
    and FreeBSD's s_cbrt.c explain the idea).
    """
    size = p.abs(x)
    root = p.pow(size, 1.0 / 3.0)
    shifted = 1073741825.0 * root  # 2³⁰ + 1: Veltkamp's splitting
    root = shifted - (shifted - root)
    ratio = p.div(size, root * root)
    root = root + root * p.div(ratio - root, (root + root) + ratio)
    inner = p.where(x < 0.0, -root, root)
    return p.where(p.div(size, size) > 0.0, inner, x)  # 0, infinity and nan are their own roots


def _round_value(x: Scalar) -> Scalar:
    """To the nearest whole number, of two the even one, as the addition of 2⁵² rounds."""
    size = p.abs(x)
    whole = (size + 4503599627370496.0) - 4503599627370496.0
    signed = p.where(x < 0.0, -whole, p.where(x > 0.0, whole, x))
    return p.where(size < 4503599627370496.0, signed, x)


def _mod_value(x: Scalar, y: Scalar) -> Scalar:
    """Python's x % y: the exact rest, of y's sign, a zero too."""
    rest = p.fmod(x, y)
    of_negative = p.where(rest > 0.0, rest + y, -p.abs(rest))
    of_positive = p.where(rest < 0.0, rest + y, p.abs(rest))
    return p.where(y < 0.0, of_negative, of_positive)


def _floordiv_value(x: Scalar, y: Scalar) -> Scalar:
    """Python's x // y, of which x = (x // y)·y + x % y; x/0 is ±inf or nan."""
    rest = p.fmod(x, y)
    is_beyond = p.where(y < 0.0, p.where(rest > 0.0, 1.0, 0.0), p.where(rest < 0.0, 1.0, 0.0))
    quotient = p.div(x - rest, y) - is_beyond
    whole = p.floor(quotient)
    whole = p.where(quotient - whole > 0.5, whole + 1.0, whole)  # the division was rounded
    ratio = p.div(x, y)
    signed_zero = p.where(p.abs(quotient) <= 0.0, p.where(ratio < 0.0, -0.0, 0.0 * ratio), whole)
    return p.where(p.abs(y) <= 0.0, ratio, signed_zero)


# fmt: off
cbrt = _composite("cbrt", "cbrt", _cbrt_value, lambda z, x: p.div(1.0, 3.0 * (z * z)),
    doc="The cube root, of negative numbers too.")
sign = _composite("sign", "sign",
    lambda x: p.where(x > 0.0, 1.0, p.where(x < 0.0, -1.0, p.abs(x))),
    lambda z, x: 0.0, chooses=True,
    doc="1, -1 or 0 as x is positive, negative or 0; its derivative is 0.")
ceil = _composite("ceil", "ceil", lambda x: -p.floor(-x), lambda z, x: 0.0, chooses=True,
    doc="The smallest whole number from x on; its derivative is 0.")
trunc = _composite("trunc", "trunc",
    lambda x: p.where(x < 0.0, -p.floor(-x), p.floor(x)),
    lambda z, x: 0.0, chooses=True,
    doc="x without what stands after the point; its derivative is 0.")
round = _composite("round", "round", _round_value, lambda z, x: 0.0, chooses=True,
    doc="The nearest whole number, of two the even one; its derivative is 0.")
floordiv = _composite("floordiv", "//", _floordiv_value,
    lambda z, x, y: 0.0, lambda z, x, y: 0.0, chooses=True)
mod = _composite("mod", "%", _mod_value, lambda z, x, y: 1.0, lambda z, x, y: -p.floordiv(x, y))
square = _composite("square", "square", "x * x", lambda z, x: 2.0 * x,
    doc="x².")
# fmt: on


# --- clip -----------------------------------------------------------------------------------------

# fmt: off
clip = _composite("clip", "clip",
    lambda x, low, high: p.minimum(p.maximum(x, low), high),
    # at a bound the slope is x's, as of torch.clamp: bounds count where they are strictly passed
    lambda z, x, low, high: p.where(x < low, 0.0, p.where(x > high, 0.0, 1.0)),
    lambda z, x, low, high: p.where(x < low, p.where(low > high, 0.0, 1.0), 0.0),
    lambda z, x, low, high: p.where(p.maximum(x, low) > high, 1.0, 0.0), chooses=True,
    doc="x, but no less than low and no more than high, nan if one is; at a bound x has slope 1.")
# fmt: on


# --- the logistic function ------------------------------------------------------------------------


def _logistic_pdf_value(x: Scalar) -> Scalar:
    """The square is multiplied out, for fewer roundings (2.3 ulp in place of 3.7): 2e is exact."""
    e = p.exp(-p.abs(x))
    return p.div(e, 1.0 + (2.0 * e + e * e))


def _sigmoid_value(x: Scalar) -> Scalar:
    e = p.exp(-p.abs(x))  # at most 1, so nothing overflows at either end
    return p.div(p.where(x >= 0.0, 1.0, e), 1.0 + e)


# fmt: off
logistic_pdf = _composite("logistic_pdf", "logistic_pdf", _logistic_pdf_value,
    lambda z, x: -(z * p.tanh(0.5 * x)),
    doc="e⁻ˣ / (1 + e⁻ˣ)², the derivative of sigmoid.")
sech2 = _composite("sech2", "sech²", lambda x: 4.0 * p.logistic_pdf(2.0 * x),
    lambda z, x: -2.0 * (z * p.tanh(x)),
    doc="1 / cosh²(x), the derivative of tanh.")
sigmoid = _composite("sigmoid", "sigmoid", _sigmoid_value, lambda z, x: p.logistic_pdf(x),
    doc="The logistic function 1 / (1 + e⁻ˣ), from 0 to 1, stable at both ends.")
log_sigmoid = _composite("log_sigmoid", "log_sigmoid", lambda x: -p.softplus(-x),
    lambda z, x: p.sigmoid(-x),
    doc="log(sigmoid(x)), exact at both ends.")
# fmt: on


# --- logarithms of sums and products --------------------------------------------------------------


def _difference_error_value(x: Scalar, y: Scalar) -> Scalar:
    """(x - y) - fl(x - y), exactly (Knuth, The Art of Computer Programming 2, section 4.2.2)."""
    difference = x - y
    part = difference - x
    return (x - (difference - part)) - (y + part)


def _difference_error(x: Scalar, y: Scalar) -> Scalar:
    """What rounding took from x - y, where that matters to exp(x - y); else 0."""
    return p.where(p.abs(x - y) < 800.0, p.difference_error(x, y), 0.0)


def _logaddexp_value(x: Scalar, y: Scalar) -> Scalar:
    low, high = p.minimum(x, y), p.maximum(x, y)
    d = low - high
    rest = p.log1p(p.exp(d)) + p.sigmoid(d) * _difference_error(low, high)
    return p.where(d <= 0.0, high + rest, high)  # the difference of equal infinities is nan


def _sigmoid_of_difference(x: Scalar, y: Scalar) -> Scalar:
    """sigmoid(x - y): in the tails what rounding took from x - y would cost digits."""
    d = x - y
    return p.sigmoid(d) + p.logistic_pdf(d) * _difference_error(x, y)


def _both_are_zero(x: Scalar, y: Scalar) -> Scalar:
    return p.abs(x) + p.abs(y) <= 0.0


# fmt: off
difference_error = _composite("difference_error", "difference_error", _difference_error_value,
    None, None,  # a constant
    doc="What rounding takes from x - y.")
logaddexp = _composite("logaddexp", "logaddexp", _logaddexp_value,
    lambda z, x, y: _sigmoid_of_difference(x, y),
    lambda z, x, y: _sigmoid_of_difference(y, x),
    doc="log(eˣ + eʸ), which cannot overflow.")
xlogy = _composite("xlogy", "xlogy",
    lambda x, y: p.where(p.abs(x) <= 0.0, p.where(y <= y, 0.0, y), x * p.log(y)),
    # at x = 0 it is 0 for every y, and so is the derivative by y; that by x, at y ≤ 0, by choice
    lambda z, x, y: p.where(p.abs(x) <= 0.0, p.where(y <= 0.0, 0.0, p.log(y)), p.log(y)),
    lambda z, x, y: p.where(_both_are_zero(x, y), 0.0, p.div(x, y)),
    doc="x·log(y), and 0 for x = 0 whatever y is.")
# fmt: on


# --- repaired rules -------------------------------------------------------------------------------


def _exp_of_minus_square(x: Scalar, factor: float) -> Scalar:
    """exp(-factor·x²). A large square rounded would cost digits, so it is taken in two parts.

    The upper half of x's digits (Veltkamp's splitting: Dekker, A floating-point technique for
    extending the available precision, Numer. Math. 18, 1971) has an exact square.
    """
    size = p.minimum(p.abs(x), 40.0)  # beyond which it is 0
    shifted = 134217729.0 * size  # 2²⁷ + 1
    upper = shifted - (shifted - size)
    rest = (upper - size) * (upper + size)
    return p.exp(-factor * (upper * upper)) * p.exp(factor * rest)


def _bell_slope(z: Scalar, x: Scalar, factor: float) -> Scalar:
    """-2·factor·x·z, and 0 at infinity, where z is."""
    return (-2.0 * factor) * (p.where(z > 0.0, x, 0.0) * z)


_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)

# fmt: off
bell = _composite("bell", "bell", lambda x: _exp_of_minus_square(x, 1.0),
    lambda z, x: _bell_slope(z, x, 1.0),
    doc="exp(-x²), exact in the tails.")
erf = _row("erf", "erf", math.erf, lambda z, x: _TWO_BY_ROOT_PI * p.bell(x),
    doc="The error function 2/√π · ∫₀ˣ exp(-t²) dt, from -1 to 1.")
erfc = _row("erfc", "erfc", math.erfc, lambda z, x: -_TWO_BY_ROOT_PI * p.bell(x),
    doc="1 - erf(x), exact also where erf is nearly 1.")
hypot = _row("hypot", "hypot", p._hypot,
    # At the origin the gradient is 0 by choice. What it comes from has no slope there, so that a
    # second derivative, which does not exist, is nan and not 0.
    lambda z, *xs: [p.where(z <= 0.0, 0.0 * p.sqrt(z), p.div(x, z)) for x in xs], variadic=True,
    doc="√(x² + y² + …), the length of a vector of any dimension; its gradient at 0 is 0, its "
        "second derivative there nan. For a squared length write dot(v, v).")
# fmt: on


# --- functions ------------------------------------------------------------------------------------


def logsumexp(terms: Sequence[Scalar]) -> Scalar:
    """log(eᵃ + eᵇ + …) of the terms, which cannot overflow.

    The largest is taken out of the sum, as a constant: its own derivative there is 0. If it is
    infinite, the largest float64 stands for it, for inf - inf would be nan. (`softmax` takes the
    largest as it is: of infinite logits it is nan.)
    """
    top = _largest(terms)
    top = p.minimum(p.maximum(top, -sys.float_info.max), sys.float_info.max)
    return top + p.log(p.sum(*[p.exp(x - top) for x in terms]))


def _largest(terms: Sequence[Scalar]) -> Scalar:
    return p.stop_gradient(reduce(p.maximum, terms))


def log_one_plus(
    others: Sequence[Scalar], chosen: Scalar, index: Scalar | None = None
) -> Scalar:
    """`losses._log_one_plus`: log(1 + Σ exp(z - chosen)) of the other logits.

    With an index, of all but the one of that index. The largest difference, if it is positive, is
    taken out of the sum. Where the chosen logit is so far below the others, at -inf even, that its
    own share, the 1, is none beside theirs, the differences are taken from the largest of the
    others instead, and those keep their digits.
    """
    if index is not None:
        others = [
            p.where(index >= i, p.where(index <= i, -math.inf, z), z) for i, z in enumerate(others)
        ]
    largest = _largest(others)
    is_far = chosen - largest < -800.0  # exp(-800) is 0
    start = p.where(is_far, largest, chosen)
    top = p.stop_gradient(p.where(is_far, 0.0, p.maximum(largest - chosen, 0.0)))
    total = p.sum(*[p.exp((z - start) - top) for z in others])
    own = p.where(is_far, -1.0, p.expm1(-top))
    return p.where(is_far, largest - chosen, top) + p.log1p(total + own)
