"""The table of primitives: everything in this project that knows calculus.

A *primitive* is an operation with a value and one partial derivative per argument. For
`z = x·y` the row reads

    mul = Primitive("mul", "·", operator.mul, lambda z, x, y: y, lambda z, x, y: x)

that is: the name, the symbol, the value on floats, then ∂z/∂x and ∂z/∂y, each written on the
result `z` and the arguments. The rules use Python's `+ - *` and this table's own operations,
which compute on floats and *record* on anything that has a `record` method (the `Value` of the
next floor, which this file never imports). So one and the same rule, read with floats, gives the
number that `backward()` multiplies by; read with Values, it builds the derivative as new graph,
which can be differentiated again or compiled.

Arithmetic is IEEE 754 float64 throughout: where Python would raise or turn complex, the value is
±inf or nan. A rule therefore never divides with `/`, never writes `**`, and branches only through
`where`, which can be recorded, never through `if`, which cannot.
"""

from __future__ import annotations

import math
import operator
import reprlib
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from numbers import Real
from typing import Any, Protocol, Self, TypeAlias, TypeGuard, TypeVar, overload


class Recorder(Protocol):
    """An argument that is no number and records the operation itself."""

    def record(self, primitive: Primitive, args: Sequence[object], /) -> Self:
        """The node for `primitive` on `args`."""


R = TypeVar("R", bound=Recorder)

Scalar: TypeAlias = Any
"""A float or a Recorder. Rules are generic over the two, which no static type here can say."""

TABLE: dict[str, Primitive] = {}
"""Every primitive by name, in the order of this file."""


class Primitive:
    """One row of the table: a named operation, its value on floats and its partial derivatives.

    `value(*floats)` never raises. `partials` holds one rule per argument, `rule(z, *args)`, on
    floats or on Values alike. An operation on any number of arguments (`variadic=True`) has a
    single rule instead, which returns all its partials in a sequence.

    Calling the primitive with real numbers returns a float; with a Value among the arguments it
    records a node and returns that. Anything else is a TypeError.
    """

    def __init__(
        self,
        name: str,
        symbol: str,
        value: Callable[..., float],
        *partials: Callable[..., Scalar],
        variadic: bool = False,
        doc: str = "",
    ) -> None:
        self.name = self.__name__ = name
        self.symbol = symbol
        self.value = value
        self.partials = partials
        self.variadic = variadic
        self.__doc__ = doc
        TABLE[name] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @overload
    def __call__(self, *args: float) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *args: R | float) -> R: ...
    def __call__(self, *args: Scalar) -> Scalar:
        """The value on numbers, a node on Values."""
        if not self.variadic and len(args) != len(self.partials):
            raise TypeError(f"{self} takes {len(self.partials)} arguments, got {len(args)}")
        for arg in args:
            if type(arg) is not float and type(arg) is not bool:
                break
        else:
            return float(self.value(*args))  # of bools, maximum would be one
        for arg in args:
            if hasattr(arg, "record"):
                return arg.record(self, args)
        return self.value(*[self.number(arg) for arg in args])

    def partials_at(
        self, z: Scalar, args: Sequence[Scalar], operands: Sequence[Scalar]
    ) -> list[Scalar]:
        """∂z/∂argᵢ at (z, *args) for every argument; None where the operand is a plain float."""
        if self.variadic:
            every = self.partials[0](z, *args)
            if float not in map(type, operands):
                return list(every)
            return [None if type(x) is float else p for x, p in zip(operands, every, strict=True)]
        rules = zip(operands, self.partials, strict=True)
        return [None if type(x) is float else rule(z, *args) for x, rule in rules]

    def number(self, operand: object) -> float:
        """The operand as a float; a TypeError that names this operation if it is no real number."""
        named = self.name if self.name == self.symbol else f"{self.name} ({self.symbol})"
        return real_number(operand, named, "a Value or a real number")


def real_number(number: object, operation: str, expected: str = "a real number") -> float:
    """`number` as a float64, whatever kind of real number it is (NumPy's scalars and bools too).

    A number beyond the range of float64 becomes ±inf. Raises TypeError, naming the operation and
    showing the operand, for anything that is neither a `numbers.Real` nor a bool.
    """
    if type(number) is float:
        return number
    if not (isinstance(number, Real) or is_bool(number)):
        raise TypeError(
            f"{operation}: expected {expected}, "
            f"got {reprlib.repr(number)} of type {type(number).__name__}"
        ) from None
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf  # type: ignore[operator]


def is_bool(x: object) -> TypeGuard[bool]:
    """Whether x is a bool, Python's or NumPy's, which is no `numbers.Real` and had two names."""
    return type(x).__name__ in ("bool", "bool_")


# --- values, where Python's own operation would raise or turn complex ----------------------------


def _ieee(
    function: Callable[[float], float], at_zero: float = math.nan
) -> Callable[[float], float]:
    """`function`, but inf where it overflows, nan where it has no value, and a pole at 0."""

    def value(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.inf
        except ValueError:
            return at_zero if x == 0.0 else math.nan

    return value


def _quotient(x: float, y: float) -> float:
    try:
        return x / y
    except ZeroDivisionError:
        return x * math.copysign(math.inf, y)  # 0/0 and nan/0 are nan


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except (OverflowError, ValueError):  # with y finite: math.pow knows the infinite exponents
        if x < 0.0 and not y.is_integer():
            return math.nan  # a root of a negative number
        odd = math.fmod(y, 2.0) in (1.0, -1.0)
        return math.copysign(math.inf, x) if odd else math.inf  # overflow, or 1/0


def _sigmoid(x: float) -> float:
    e = math.exp(-math.fabs(x))  # at most 1, so nothing overflows at either end
    return (1.0 if x >= 0.0 else e) / (1.0 + e)


def _relu(x: float) -> float:
    return 0.0 if x <= 0.0 else x  # nan stays nan


def _softplus(x: float) -> float:
    return _relu(x) + math.log1p(math.exp(-math.fabs(x)))


def _maximum(x: float, y: float) -> float:
    return x if x >= y else y if x < y else x + y  # neither: one is nan, and so is the sum


def _minimum(x: float, y: float) -> float:
    return x if x <= y else y if x > y else x + y


def _added(terms: Iterator[float]) -> float:
    # From the left, starting from the first term. The builtin sum compensates since Python 3.12.
    return reduce(operator.add, terms, next(terms, 0.0))


def _dot(*factors: float) -> float:
    half = len(factors) // 2
    return _added(map(operator.mul, factors[:half], factors[half:]))


# --- rules that need more than a line -------------------------------------------------------------


def _swap_halves(z: Scalar, *factors: Scalar) -> Sequence[Scalar]:
    half = len(factors) // 2
    return factors[half:] + factors[:half]


def _decide(condition: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """`where`, but a plain bool decides at once: a constant exponent leaves no branch behind."""
    return (x if condition else y) if type(condition) is bool else where(condition, x, y)


def _power_by_base(z: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """y·xʸ⁻¹, and 0 for y = 0 also where x⁻¹ is not finite (there 1 stands in for x)."""
    base = _decide(abs(y) <= 0.0, _decide(abs(x) >= sys.float_info.min, x, 1.0), x)
    return y * pow(base, y - 1.0)


def _power_by_exponent(z: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """z·log x, and 0 for x = 0 and y ≥ 0 (there 1 stands in for x)."""
    return z * log(_decide(y >= 0.0, _decide(abs(x) <= 0.0, 1.0, x), x))


# --- the table ------------------------------------------------------------------------------------
#
# At a kink the rules choose as PyTorch does: relu'(0) = 0, abs'(0) = 0, and each argument gets ½
# where maximum or minimum tie. The comparisons are written so that nan falls on PyTorch's side too.

# fmt: off
add = Primitive("add", "+", operator.add, lambda z, x, y: 1.0, lambda z, x, y: 1.0)
sub = Primitive("sub", "-", operator.sub, lambda z, x, y: 1.0, lambda z, x, y: -1.0)
mul = Primitive("mul", "·", operator.mul, lambda z, x, y: y, lambda z, x, y: x)
div: Primitive = Primitive("div", "/", _quotient,
    lambda z, x, y: div(1.0, y),
    lambda z, x, y: div(-z, y))
pow = Primitive("pow", "**", _power, _power_by_base, _power_by_exponent)
neg = Primitive("neg", "-", operator.neg, lambda z, x: -1.0)

abs = Primitive("abs", "abs", math.fabs,
    lambda z, x: where(x > 0.0, 1.0, where(x < 0.0, -1.0, 0.0)),
    doc="|x|; its derivative at 0 is 0.")
exp = Primitive("exp", "exp", _ieee(math.exp), lambda z, x: z,
    doc="eˣ, inf above 709.78.")
log = Primitive("log", "log", _ieee(math.log, at_zero=-math.inf), lambda z, x: div(1.0, x),
    doc="The natural logarithm, -inf at 0, nan below.")
sqrt = Primitive("sqrt", "sqrt", _ieee(math.sqrt), lambda z, x: div(0.5, z),
    doc="The square root, nan below 0.")
sin = Primitive("sin", "sin", _ieee(math.sin), lambda z, x: cos(x),
    doc="The sine of x in radians.")
cos: Primitive = Primitive("cos", "cos", _ieee(math.cos), lambda z, x: -sin(x),
    doc="The cosine of x in radians.")
tan = Primitive("tan", "tan", _ieee(math.tan), lambda z, x: 1.0 + z * z,
    doc="The tangent of x in radians.")
tanh = Primitive("tanh", "tanh", math.tanh, lambda z, x: 1.0 - z * z,
    doc="The hyperbolic tangent, from -1 to 1.")
sigmoid = Primitive("sigmoid", "sigmoid", _sigmoid, lambda z, x: z * (1.0 - z),
    doc="The logistic function 1 / (1 + e⁻ˣ), from 0 to 1, stable at both ends.")
relu = Primitive("relu", "relu", _relu, lambda z, x: where(x <= 0.0, 0.0, 1.0),
    doc="max(0, x); its derivative at 0 is 0.")
softplus = Primitive("softplus", "softplus", _softplus, lambda z, x: sigmoid(x),
    doc="log(1 + eˣ), a smooth relu, stable at both ends.")

maximum = Primitive("maximum", "max", _maximum,
    lambda z, x, y: where(x <= y, where(x >= y, 0.5, 0.0), 1.0),
    lambda z, x, y: where(y <= x, where(y >= x, 0.5, 0.0), 1.0),
    doc="The larger of x and y, nan if either is. A tie gives each half the gradient.")
minimum = Primitive("minimum", "min", _minimum,
    lambda z, x, y: where(x >= y, where(x <= y, 0.5, 0.0), 1.0),
    lambda z, x, y: where(y >= x, where(y <= x, 0.5, 0.0), 1.0),
    doc="The smaller of x and y, nan if either is. A tie gives each half the gradient.")
where: Primitive = Primitive("where", "where", lambda c, x, y: x if c else y,
    lambda z, c, x, y: None,  # a condition jumps: it has no derivative
    lambda z, c, x, y: where(c, 1.0, 0.0),
    lambda z, c, x, y: where(c, 0.0, 1.0))

sum = Primitive("sum", "Σ", lambda *terms: _added(iter(terms)),
    lambda z, *terms: [1.0] * len(terms), variadic=True)
dot = Primitive("dot", "·", _dot, _swap_halves, variadic=True)
# fmt: on
