"""More primitives: rounding, remainders, cube root, erf, normal distribution, lgamma, polygamma.

All but floor, fmod, asinh, acosh, erf and erfc are composite: polynomials and series in the
operations of the table, so they compile for every language as they are, with the same bits.
Coefficients without a source were fitted to values of 60 digits for this module; their errors stand
beside them.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from functools import cache
from numbers import Real

from autograd import primitives as p
from autograd.primitives import Primitive, Scalar

# --- steps and remainders -------------------------------------------------------------------------


def _floor(x: float) -> float:
    return math.copysign(float(math.floor(x)), x) if math.isfinite(x) else x  # -0.0 stays -0.0


def _fmod(x: float, y: float) -> float:
    return math.fmod(x, y) if math.isfinite(x) and y != 0.0 else math.nan * x * y


def _round(x: Scalar) -> Scalar:
    """Round to the nearest integer, ties to even, by adding 2⁵²."""
    size = p.abs(x)
    whole = (size + 4503599627370496.0) - 4503599627370496.0
    signed = p.where(x < 0.0, -whole, p.where(x > 0.0, whole, x))
    return p.where(size < 4503599627370496.0, signed, x)


def _mod(x: Scalar, y: Scalar) -> Scalar:
    """Python's x % y: the exact remainder, with the sign of y, even if it is 0."""
    rest = fmod(x, y)
    of_negative = p.where(rest > 0.0, rest + y, -p.abs(rest))
    of_positive = p.where(rest < 0.0, rest + y, p.abs(rest))
    return p.where(y < 0.0, of_negative, of_positive)


def _floordiv(x: Scalar, y: Scalar) -> Scalar:
    """Python's x // y, so that x = (x // y)·y + x % y; x // 0 is ±inf or nan."""
    rest = fmod(x, y)
    is_beyond = p.where(y < 0.0, p.where(rest > 0.0, 1.0, 0.0), p.where(rest < 0.0, 1.0, 0.0))
    quotient = p.div(x - rest, y) - is_beyond
    whole = floor(quotient)
    whole = p.where(quotient - whole > 0.5, whole + 1.0, whole)  # the division was rounded
    ratio = p.div(x, y)
    signed_zero = p.where(p.abs(quotient) <= 0.0, p.where(ratio < 0.0, -0.0, 0.0 * ratio), whole)
    return p.where(p.abs(y) <= 0.0, ratio, signed_zero)


# fmt: off
floor: Primitive = Primitive("floor", "floor", _floor, lambda z, x: 0.0, chooses=True,
    doc="The largest whole number up to x; its derivative is 0.")
ceil = Primitive("ceil", "ceil", lambda x: -floor(-x), lambda z, x: 0.0,
    chooses=True, composite=True,
    doc="The smallest whole number from x on; its derivative is 0.")
trunc = Primitive("trunc", "trunc",
    lambda x: p.where(x < 0.0, -floor(-x), floor(x)),
    lambda z, x: 0.0, chooses=True, composite=True,
    doc="x without what stands after the point; its derivative is 0.")
round: Primitive = Primitive("round", "round", _round, lambda z, x: 0.0,
    chooses=True, composite=True,
    doc="The nearest whole number, of two the even one; its derivative is 0.")
fmod: Primitive = Primitive("fmod", "fmod", _fmod,
    lambda z, x, y: 1.0, lambda z, x, y: round(p.div(z - x, y)),
    doc="What is left of x after whole multiples of y, with the sign of x; C's. Python's is %.")
mod: Primitive = Primitive("mod", "%", _mod,
    lambda z, x, y: 1.0, lambda z, x, y: -floordiv(x, y), composite=True)
floordiv: Primitive = Primitive("floordiv", "//", _floordiv,
    lambda z, x, y: 0.0, lambda z, x, y: 0.0, chooses=True, composite=True)
sign = Primitive("sign", "sign",
    lambda x: p.where(x > 0.0, 1.0, p.where(x < 0.0, -1.0, p.abs(x))),
    lambda z, x: 0.0, chooses=True, composite=True,
    doc="1, -1 or 0 as x is positive, negative or 0; its derivative is 0.")
# fmt: on


# --- the cube root --------------------------------------------------------------------------------


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


# fmt: off
cbrt = Primitive("cbrt", "cbrt", _cbrt_value, lambda z, x: p.div(1.0, 3.0 * (z * z)),
    composite=True,
    doc="The cube root, of negative numbers too.")
# fmt: on


# --- inverse hyperbolic functions -----------------------------------------------------------------


def _asinh_slope(x: Scalar) -> Scalar:
    """1/√(1 + x²). From 2²⁸ the 1 is below the last digit of x², and x² may overflow."""
    near = p.div(1.0, p.sqrt(1.0 + x * x))
    return p.where(p.abs(x) < 268435456.0, near, p.div(1.0, p.abs(x)))


# fmt: off
asinh = Primitive("asinh", "asinh", math.asinh, lambda z, x: _asinh_slope(x),
    doc="The number whose hyperbolic sine is x.")
acosh = Primitive("acosh", "acosh", p._ieee(math.acosh, "{0} >= 1.0"),
    # two roots: x² - 1 would cancel near 1 and overflow far out
    lambda z, x: p.div(1.0, p.sqrt(x - 1.0) * p.sqrt(x + 1.0)),
    doc="The positive number whose hyperbolic cosine is x, nan below 1.")
# fmt: on


# --- logarithms of sums and products --------------------------------------------------------------


def _rounding_of_difference(x: Scalar, y: Scalar) -> Scalar:
    """(x - y) - fl(x - y), exactly (Knuth, The Art of Computer Programming 2, section 4.2.2)."""
    difference = x - y
    part = difference - x
    return (x - (difference - part)) - (y + part)


def _difference_error(x: Scalar, y: Scalar) -> Scalar:
    """The rounding error of x - y where it matters to exp(x - y), else 0."""
    return p.where(p.abs(x - y) < 800.0, difference_error(x, y), 0.0)


def _logaddexp_value(x: Scalar, y: Scalar) -> Scalar:
    low, high = p.minimum(x, y), p.maximum(x, y)
    d = low - high
    rest = p.log1p(p.exp(d)) + p.sigmoid(d) * _difference_error(low, high)
    return p.where(d <= 0.0, high + rest, high)  # the difference of equal infinities is nan


def _sigmoid_of_difference(x: Scalar, y: Scalar) -> Scalar:
    """sigmoid(x - y), corrected for the rounding of x - y, which costs digits in the tails."""
    d = x - y
    return p.sigmoid(d) + p.logistic_pdf(d) * _difference_error(x, y)


def _both_are_zero(x: Scalar, y: Scalar) -> Scalar:
    return p.abs(x) + p.abs(y) <= 0.0


# fmt: off
difference_error = Primitive("difference_error", "difference_error", _rounding_of_difference,
    None, None, composite=True,  # a constant
    doc="What rounding takes from x - y.")
logaddexp = Primitive("logaddexp", "logaddexp", _logaddexp_value,
    lambda z, x, y: _sigmoid_of_difference(x, y),
    lambda z, x, y: _sigmoid_of_difference(y, x), composite=True,
    doc="log(eˣ + eʸ), which cannot overflow.")
xlogy = Primitive("xlogy", "xlogy",
    lambda x, y: p.where(p.abs(x) <= 0.0, p.where(p.abs(y) >= 0.0, 0.0, y), x * p.log(y)),
    # at x = 0 it is 0 for every y, so ∂/∂y is 0 there; ∂/∂x at y ≤ 0 is 0 by choice
    lambda z, x, y: p.where(p.abs(x) <= 0.0, p.where(y <= 0.0, 0.0, p.log(y)), p.log(y)),
    lambda z, x, y: p.where(_both_are_zero(x, y), 0.0, p.div(x, y)), composite=True,
    doc="x·log(y), and 0 for x = 0 whatever y is.")
# fmt: on


# --- the error function ---------------------------------------------------------------------------


def _exp_of_minus_square(x: Scalar, factor: float) -> Scalar:
    """exp(-factor·x²). A large square rounded would cost digits, so it is taken in two parts.

    The upper half of x's digits (Veltkamp's splitting: Dekker, A floating-point technique for
    extending the available precision, Numer. Math. 18, 1971) has an exact square. What is left
    changes the result by little, which expm1 knows to all digits that count.
    """
    size = p.minimum(p.abs(x), 40.0)  # beyond which it is 0
    shifted = 134217729.0 * size  # 2²⁷ + 1
    upper = shifted - (shifted - size)
    e = p.exp(-factor * (upper * upper))
    return e + e * p.expm1(factor * ((upper - size) * (upper + size)))


def _bell_slope(z: Scalar, x: Scalar, factor: float) -> Scalar:
    """-2·factor·x·z; 0 where z is 0, as at infinity."""
    return (-2.0 * factor) * (p.where(z > 0.0, x, 0.0) * z)


_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)

# fmt: off
bell = Primitive("bell", "bell", lambda x: _exp_of_minus_square(x, 1.0),
    lambda z, x: _bell_slope(z, x, 1.0), composite=True,
    doc="exp(-x²), exact in the tails.")
erf = Primitive("erf", "erf", math.erf, lambda z, x: _TWO_BY_ROOT_PI * bell(x),
    doc="The error function 2/√π · ∫₀ˣ exp(-t²) dt, from -1 to 1.")
erfc = Primitive("erfc", "erfc", math.erfc, lambda z, x: -_TWO_BY_ROOT_PI * bell(x),
    doc="1 - erf(x), exact also where erf is nearly 1.")
# fmt: on


# --- the normal distribution ----------------------------------------------------------------------
#
# All of it comes from one function, q(x) = φ(x)/Φ(-x) - x for x ≥ 0, which falls from √(2/π) to 0
# as 1/x. Up to 3 it is a quotient of polynomials in x, beyond that one in 1/x², over x. They were
# fitted to q at Chebyshev's points, with errors of 3e-19 and 4e-18. All coefficients are positive,
# so nothing cancels, not in derivatives of any order either.

# fmt: off
_MILLS_NUMERATOR = (
    0.7978845608028654, 0.6537112027164564, 0.29581188501140776, 0.0844166644320508,
    0.016187604727499583, 0.0020463967386929937, 0.00015751716352027317, 5.686698358148889e-06,
    1.7387184741204895e-11,
)
_MILLS_DENOMINATOR = (
    1.0, 1.2747350685986887, 0.8146774975608706, 0.3266487648265895, 0.08854478932188226,
    0.01649605507076203, 0.0020582591912416282, 0.00015749036309273802, 5.687668837122085e-06,
)
_MILLS_TAIL_NUMERATOR = (
    1.0, 97.5203239930836, 3698.042726140295, 70253.88701735412, 718649.9336961202,
    3962448.257495142, 11166752.723408883, 14196013.631132815, 6179508.17561153, 388023.1038654744,
)
_MILLS_TAIL_DENOMINATOR = (
    1.0, 99.52032399308357, 3887.083374126491, 77106.85052566198, 840651.3049857486,
    5098227.182389078, 16620195.10379024, 26671610.693701856, 17531800.192288555, 3014615.355749876,
)
# fmt: on
_ODD_FACTORIALS = [1.0 / math.prod(range(1, 2 * k + 2, 2)) for k in range(14)]  # 1/(2k + 1)!!
_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def _polynomial(coefficients: Sequence[float], x: Scalar) -> Scalar:
    """c₀ + c₁x + c₂x² + …, by Horner's rule."""
    *others, total = coefficients
    for c in reversed(others):
        total = total * x + c
    return total


def _quotient(numerator: Sequence[float], denominator: Sequence[float], x: Scalar) -> Scalar:
    return p.div(_polynomial(numerator, x), _polynomial(denominator, x))


def _excess(x: Scalar) -> Scalar:
    """φ(x)/Φ(-x) - x, for x ≥ 0."""
    w = p.div(1.0, x)
    tail = w * _quotient(_MILLS_TAIL_NUMERATOR, _MILLS_TAIL_DENOMINATOR, w * w)
    return p.where(x < 3.0, _quotient(_MILLS_NUMERATOR, _MILLS_DENOMINATOR, x), tail)


def _norm_pdf_value(x: Scalar) -> Scalar:
    return p.div(_exp_of_minus_square(x, 0.5), _ROOT_TWO_PI)


def _upper_tail(x: Scalar) -> Scalar:
    """Φ(-x), for x ≥ 0."""
    return p.div(_norm_pdf_value(x), x + _excess(x))


def _center(x: Scalar) -> Scalar:
    """Φ(x), for -½ ≤ x < 1: ½ + φ(x)·(x + x³/3 + x⁵/15 + …) (Abramowitz and Stegun, 26.2.11)."""
    return 0.5 + _norm_pdf_value(x) * (x * _polynomial(_ODD_FACTORIALS, x * x))


def _norm_cdf_value(x: Scalar) -> Scalar:
    tail = _upper_tail(p.abs(x))
    return p.where(x < -0.5, tail, p.where(x < 1.0, _center(x), 1.0 - tail))


def _log_norm_cdf_value(x: Scalar) -> Scalar:
    size = p.abs(x)
    below = -(0.5 * (x * x) + (_LOG_ROOT_TWO_PI + p.log(size + _excess(size))))
    above = p.where(x < 0.5, p.log(_center(x)), p.log1p(-_upper_tail(size)))
    return p.where(x < 0.0, below, above)


def _inverse_mills(x: Scalar) -> Scalar:
    """The inverse Mills ratio φ(x)/Φ(x).

    For x < 0 another formula is used, because the derivative of this quotient would cancel.
    """
    return p.where(x < 0.0, _excess(-x) - x, p.div(norm_pdf(x), norm_cdf(x)))


# fmt: off
norm_pdf = Primitive("norm_pdf", "norm_pdf", _norm_pdf_value,
    lambda z, x: _bell_slope(z, x, 0.5), composite=True,
    doc="exp(-x²/2) / √(2π), the density of the standard normal.")
norm_cdf = Primitive("norm_cdf", "norm_cdf", _norm_cdf_value, lambda z, x: norm_pdf(x),
    composite=True,
    doc="The cumulative distribution function of the standard normal, exact in the lower tail.")
log_norm_cdf = Primitive("log_norm_cdf", "log_norm_cdf", _log_norm_cdf_value,
    lambda z, x: _inverse_mills(x), composite=True,
    doc="log(norm_cdf(x)), exact however far out.")
# fmt: on


# --- the gamma function ---------------------------------------------------------------------------
#
# From 1 to 5, lgamma is (x - 1)(x - 2), and digamma is x - x₀, x₀ being its zero, times a constant
# plus a quotient of polynomials in x - 1. The quotients were fitted at Chebyshev's points in log x,
# with errors of 4e-19 and 2e-19. The constant is what stands there at x = 3, so that the quotient,
# and its rounding errors, are small. From 8 on there are the asymptotic series
# (Abramowitz and Stegun, 6.1.41 and 6.3.18), between the two and below 1 the recurrences (6.1.16,
# 6.3.6), in the direction in which nothing cancels, below 0 the reflections (6.1.17, 6.3.7).

# fmt: off
_LGAMMA_NUMERATOR = (
    0.23346566490153287, 0.6329397736549917, 0.58195633410043, 0.14563621504055774,
    -0.08637865842762328, -0.06394701535375635, -0.015363156365959637, -0.0015755066772255358,
    -6.28496857874831e-05, -6.698586239305339e-07,
)
_LGAMMA_DENOMINATOR = (
    1.0, 3.761543019818183, 5.778347073743927, 4.682734002442696, 2.162222843223221,
    0.574806712984855, 0.0849845345075945, 0.006420806197652994, 0.00020915116383939667,
    1.9722678323030548e-06,
)
_DIGAMMA_NUMERATOR = (
    0.6253801375034054, 0.6392311113217489, 0.039823123586043466, -0.1540300532905046,
    -0.0666435836141694, -0.011331002759353859, -0.0008622429871880468, -2.6567293688456545e-05,
    -2.2917726409542657e-07,
)
_DIGAMMA_DENOMINATOR = (
    1.0, 2.3888262231791804, 2.1252174224539275, 0.9264827958859817, 0.21523950614345147,
    0.02678577558266991, 0.0016833861514144507, 4.588884799103146e-05, 3.6880513349534276e-07,
)
# fmt: on
_DIGAMMA_ZERO = 1.4616321449683622, 9.549995429965697e-17  # as a sum of two
_BERNOULLI = [
    1 / 6,
    -1 / 30,
    1 / 42,
    -1 / 30,
    5 / 66,
    -691 / 2730,
    7 / 6,
    -3617 / 510,
    43867 / 798,
    -174611 / 330,
]
"""B₂, B₄, …"""
_STIRLING = [b / ((2 * k) * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, start=1)]
_DIGAMMA_SERIES = [b / (2 * k) for k, b in enumerate(_BERNOULLI, start=1)]


def _fraction(x: Scalar) -> Scalar:
    """x minus the nearest integer, exactly."""
    return x - round(x)


def _pi_cot_pi(x: Scalar) -> Scalar:
    """π·cot(πx), for |x| ≤ ½: as (πx / tan πx) / x, in which the rounding of πx has no effect."""
    w = math.pi * x
    complement = math.pi * (0.5 - p.abs(x))
    near = p.div(p.div(w, p.tan(w)), x)
    far = p.where(x < 0.0, -math.pi, math.pi) * p.tan(complement)
    return p.where(p.abs(x) < 0.25, near, far)


def _lgamma_above_0(x: Scalar) -> Scalar:
    t = p.where(x < 1.0, x, p.where(x < 5.0, x - 1.0, x - 4.0))  # 1 less than what has the fit
    quotient = 0.34375 + _quotient(_LGAMMA_NUMERATOR, _LGAMMA_DENOMINATOR, t)
    near = 0.0 - t * (1.0 - t) * quotient
    product = (x - 1.0) * (x - 2.0) * (x - 3.0)
    shifted = near + p.where(x < 1.0, -p.log(x), p.log(product))
    w = p.div(1.0, x)
    series = 0.5 * math.log(2.0 * math.pi) - 0.5 + w * _polynomial(_STIRLING, w * w)
    far = (x - 0.5) * (p.log(x) - 1.0) + series
    below_8 = p.where(x < 1.0, shifted, p.where(x < 5.0, near, shifted))
    return p.where(x < 8.0, below_8, far)


def _lgamma_value(x: Scalar) -> Scalar:
    w = math.pi * _fraction(x)
    reflected = p.log(p.abs(p.div(math.pi, p.sin(w)))) - _lgamma_above_0(1.0 - x)
    below = p.where(x > -4503599627370496.0, reflected, math.inf)  # whole numbers, all of them
    return p.where(x < 0.0, below, _lgamma_above_0(x))


def _digamma_above_0(x: Scalar) -> Scalar:
    zero, rest = _DIGAMMA_ZERO
    t = p.where(x < 1.0, x, x - 1.0)
    distance = (t - (zero - 1.0)) - rest
    near = distance * (0.625 + _quotient(_DIGAMMA_NUMERATOR, _DIGAMMA_DENOMINATOR, t))
    y = p.where(x < 8.0, x + 3.0, x)
    w = p.div(1.0, y)
    far = p.log(y) - (0.5 * w + w * w * _polynomial(_DIGAMMA_SERIES, w * w))
    # 1/x + 1/(x + 1) + 1/(x + 2)
    steps = p.div(2.0 + x * (6.0 + x * 3.0), x * (x + 1.0) * (x + 2.0))
    above_5 = p.where(x < 8.0, far - steps, far)
    return p.where(x < 1.0, near - p.div(1.0, x), p.where(x < 5.0, near, above_5))


def _digamma_value(x: Scalar) -> Scalar:
    fraction = _fraction(x)
    reflected = _digamma_above_0(1.0 - x) - _pi_cot_pi(fraction)
    below = p.where(p.abs(fraction) > 0.0, reflected, math.nan)  # a pole, with both signs beside it
    return p.where(x < 0.0, below, _digamma_above_0(x))


def _hurwitz_tail(s: int, x: Scalar) -> Scalar:
    """Σ (x + k)⁻ˢ over k = 0, 1, …, by Euler and Maclaurin's formula, for x ≥ 10 + s/2."""
    odd, rising = [], float(s)
    for k, b in enumerate(_BERNOULLI, start=1):
        odd.append(rising * b / math.factorial(2 * k))
        rising *= (s + 2 * k - 1) * (s + 2 * k)
    w = p.div(1.0, x)
    return p.pow(x, 1.0 - s) * (1.0 / (s - 1.0) + w * (0.5 + w * _polynomial(odd, w * w)))


def _hurwitz(s: int, x: Scalar) -> Scalar:
    """ζ(s, x) = Σ (x + k)⁻ˢ over k = 0, 1, …, for x > 0. All terms are positive."""
    count = 10 + s // 2
    tail = _hurwitz_tail(s, p.where(x < count, x + count, x))
    near = tail
    for k in reversed(range(count)):  # the smallest first
        near = near + p.pow(x + k, -float(s))
    return p.where(x < count, near, tail)


@cache
def _both_ways_coefficients(s: int) -> list[float]:
    sign = 2.0 * (-1.0) ** s
    return [sign * math.comb(s - 1 + j, j) * _hurwitz(s + j, 2.0) for j in range(s % 2, 40, 2)]


def _both_ways(s: int, x: Scalar) -> Scalar:
    """Σ (x + k)⁻ˢ over all integers k, for |x| ≤ ½: three terms, and a power series for the rest.

    Up to a constant factor it is the derivative of order s - 1 of π·cot(πx), as partial fractions.
    """
    rest = _polynomial(_both_ways_coefficients(s), x * x)
    around = (rest * x if s % 2 else rest) + p.pow(x - 1.0, -float(s)) + p.pow(x + 1.0, -float(s))
    return around + p.pow(x, -float(s))


def _polygamma_value(n: int) -> Callable[[Scalar], Scalar]:
    sign, factorial = (-1.0) ** (n + 1), float(math.factorial(n))

    def value(x: Scalar) -> Scalar:
        fraction = _fraction(x)
        below = sign * _both_ways(n + 1, fraction) - _hurwitz(n + 1, 1.0 - x)
        if n % 2 == 0:
            below = p.where(p.abs(fraction) > 0.0, below, math.nan)  # as of digamma
        return factorial * p.where(x < 0.0, below, sign * _hurwitz(n + 1, x))

    return value


class _OneOfMany(Primitive):
    """A primitive whose rule uses the next of a family: its formulas are not read in advance."""

    def make_operator(self) -> None:
        """Keep the generic operator."""

    def __reduce__(self) -> tuple[Callable[..., Primitive], tuple[str | int]]:
        return _polygamma, (int(self.name.removeprefix("polygamma")),)


_making_polygamma = threading.RLock()


def _polygamma(n: int) -> Primitive:
    """The primitive of the n-th derivative of digamma, n ≥ 1, made when it is first used.

    Up to n = 4 it is within 4 ulp; beyond, the rounding of x + k is amplified n + 1 times (n = 5:
    4.5 ulp).
    """
    name = f"polygamma{n}"
    with _making_polygamma:
        return p.TABLE.get(name) or _OneOfMany(
            *(name, name, _polygamma_value(n), lambda z, x: _polygamma(n + 1)(x)),
            composite=True,
            doc=f"The derivative of order {n} of digamma.",
        )


def polygamma(n: int, x: Scalar) -> Scalar:
    """The n-th derivative of digamma at x; n is a plain whole number, 0 or more."""
    if isinstance(n, bool) or not isinstance(n, Real) or n not in range(100):
        raise ValueError(f"polygamma: expected an order from 0 to 99, got {n!r}")
    return digamma(x) if n == 0 else _polygamma(int(n))(x)


# fmt: off
lgamma = Primitive("lgamma", "lgamma", _lgamma_value, lambda z, x: digamma(x), composite=True,
    doc="log |Γ(x)|, inf at 0 and the negative whole numbers.")
digamma: Primitive = Primitive("digamma", "digamma", _digamma_value, lambda z, x: _polygamma(1)(x),
    composite=True,
    doc="The derivative of lgamma; -inf at 0, nan at the negative whole numbers.")
# fmt: on
for _n in range(1, 4):
    _polygamma(_n)
