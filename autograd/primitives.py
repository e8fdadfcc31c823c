"""The table of primitives: everything in this project that knows calculus.

A *primitive* is an operation with a value and one partial derivative per argument. For
`z = x·y` the row reads

    mul = Primitive("mul", "·", "x * y", lambda z, x, y: y, lambda z, x, y: x)

that is: the name, the symbol, the value on floats, then ∂z/∂x and ∂z/∂y, each written on the
result `z` and the arguments. The rules use Python's `+ - *`, comparisons, and this table's own
operations, which compute on floats and *record* on anything that has a `record` method (the
`Value` of a higher floor, which this file never imports). So one and the same rule, read with
floats, gives the number that `backward()` multiplies by; read with Values, it builds the
derivative as new graph; read with names, it is its own formula.

Arithmetic is IEEE 754 float64 throughout: where Python would raise or turn complex, the value is
±inf or nan. A rule therefore never divides with `/`, never writes `**`, and branches only through
`where`, which can be recorded, never through `if`, which cannot. Each rule is written in a form
that keeps its digits also in the tails: sech²(x) for tanh', not 1 - z², which cancels.
"""

from __future__ import annotations

import math
import operator
import re
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

Rule: TypeAlias = "Callable[..., Scalar] | None"
"""∂z/∂argument on `(z, *args)`; None where there is no derivative, as of a comparison."""

TABLE: dict[str, Primitive] = {}
"""Every primitive by name, in the order in which they were made."""


class Primitive:
    """One row of the table: a named operation, its value on floats and its partial derivatives.

    A row made anywhere works everywhere: `erfcx = Primitive("erfcx", "erfcx", scipy.special.erfcx,
    lambda z, x: 2.0 * x * z - 2.0 / math.sqrt(math.pi))` computes on floats, records on Values,
    can be differentiated as often as its rule can, drawn, and compiled.

    Args:
        name: how the row is found in `TABLE`, and in messages.
        symbol: how formulas write it; a word is a function, anything else an operator before its
            argument, or between two.
        value: the value on floats: a function, which must return a float and not raise; or the
            same as an expression, whose arguments are the single letters in it, in the order of
            the alphabet. An operator holds that in place of a call.
        partials: for each argument a rule `rule(z, *args)` on floats and Values alike, in the
            operations of the table; None for an argument without a derivative.
        variadic: takes any number of arguments; a single rule returns all partials in a sequence.
        chooses: hands one of its arguments on; one that is not chosen, by a partial of 0, has no
            influence, not even by a nan.
        doc: what it computes, in a line.

    Raises:
        ValueError: if there is a row of that name, or name or symbol cannot be printed.

    Calling the primitive with real numbers returns a float; with a Value among the arguments it
    records a node and returns that. Anything else is a TypeError.
    """

    def __init__(
        self,
        name: str,
        symbol: str,
        value: Callable[..., float] | str,
        *partials: Rule,
        variadic: bool = False,
        chooses: bool = False,
        doc: str = "",
    ) -> None:
        _check(name, symbol, value, partials, variadic)
        self.name = self.__name__ = name
        self.symbol = symbol
        self.expression = value if isinstance(value, str) else ""
        self.value: Callable[..., float] = _function(value) if isinstance(value, str) else value
        self.partials = partials
        self.arity = None if variadic else len(partials)
        self.variadic = variadic
        self.chooses = chooses
        self.operator: Callable[..., Scalar] = self.on_any  # until `value` has made a faster one
        self.__doc__ = doc
        TABLE[name] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def has_derivative(self, index: int) -> bool:
        """Whether there is a derivative by this argument."""
        return self.variadic or self.partials[index] is not None

    def __reduce__(self) -> tuple[Callable[[str], Primitive], tuple[str]]:
        return _row, (self.name,)  # a graph that was copied or pickled has the same rows

    @overload
    def __call__(self, *args: float) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, *args: R | float) -> R: ...
    def __call__(self, *args: Scalar) -> Scalar:
        """The value on numbers, a node on Values."""
        if self.arity is not None and self.arity != len(args):
            raise TypeError(
                f"{self} takes {self.arity} arguments, got {len(args)}; a row has a partial "
                f"derivative, or None, for each"
            )
        return self.operator(*args)

    def on_any(self, *args: Scalar) -> Scalar:
        """The same for arguments of any kind, where no operator was made for the usual ones."""
        for arg in args:
            if type(arg) is not float and hasattr(arg, "record"):
                return arg.record(self, args)
        return self.at([self.number(arg) for arg in args])

    def at(self, numbers: Sequence[float]) -> float:
        """The value, after seeing to it that it is a float."""
        try:
            z = self.value(*numbers)
        except Exception as error:
            raise ValueError(
                f"{self.name}: its value raised {error!r} at {reprlib.repr(tuple(numbers))}; "
                f"it must return a float for all floats, inf or nan if need be"
            ) from error
        if type(z) is not float:
            if not isinstance(z, float):
                raise TypeError(
                    f"{self.name}: its value must return a float, got {z!r} of type "
                    f"{type(z).__name__} at {reprlib.repr(tuple(numbers))}"
                )
            z = float(z)  # of NumPy's kind
        return z

    def partials_at(
        self, z: Scalar, args: Sequence[Scalar], operands: Sequence[Scalar]
    ) -> Sequence[Scalar]:
        """∂z/∂argᵢ at (z, *args) for every argument.

        None where the operand is a plain float, or where there is no derivative.
        """
        if not self.variadic:
            return [
                None if rule is None or type(x) is float else self._given(rule(z, *args))
                for x, rule in zip(operands, self.partials, strict=True)
            ]
        every = tuple(self.partials[0](z, *args))  # type: ignore[misc]
        if len(every) != len(args):
            raise ValueError(
                f"{self.name}: its rule gave {len(every)} partials for {len(args)} arguments"
            )
        if float not in map(type, operands):
            return every
        return [None if type(x) is float else p for x, p in zip(operands, every, strict=True)]

    def _given(self, partial: Scalar) -> Scalar:
        if partial is None:
            raise TypeError(f"{self.name}: its rule returned None, and no partial derivative")
        return partial

    def number(self, operand: object) -> float:
        """The operand as a float; a TypeError that names this operation if it is no real number."""
        named = self.name if self.name == self.symbol else f"{self.name} ({self.symbol})"
        return real_number(operand, named, "a Value or a real number")


def _check(
    name: object, symbol: object, value: object, partials: Sequence[Rule], variadic: bool
) -> None:
    if not (isinstance(name, str) and isinstance(symbol, str)) or not (
        callable(value) or isinstance(value, str)
    ):
        raise TypeError(
            f"Primitive: expected a name, a symbol and a function, "
            f"got {name!r}, {symbol!r} and {value!r}"
        )
    if not (name and name.isprintable()):
        raise ValueError(f"Primitive: expected a name that can be printed, got {name!r}")
    if not (symbol and symbol.isprintable()):
        raise ValueError(f"Primitive: expected a symbol to write {name} with, got {symbol!r}")
    if name in TABLE:
        raise ValueError(f"Primitive: there is a row named {name!r}; choose another name")
    if variadic and len(partials) != 1:
        raise ValueError(
            f"Primitive: {name} takes any number of arguments, so it has a single rule, which "
            f"returns all partials; got {len(partials)} rules"
        )


def _row(name: str) -> Primitive:
    return TABLE[name]


LETTER = r"\b[a-z]\b"
"""An argument, where a value is given as an expression."""


def letters(expression: str) -> list[str]:
    """What an expression is of: the single letters in it, sorted."""
    return sorted(set(re.findall(LETTER, expression)))


def _function(expression: str) -> Callable[..., float]:
    function: Callable[..., float] = eval(f"lambda {', '.join(letters(expression))}: {expression}")
    return function


def real_number(
    number: object,
    operation: str,
    expected: str = "a real number",
    several: str = "take one at a time",
) -> float:
    """`number` as a float64, whatever kind of real number it is (NumPy's scalars and bools too).

    A number beyond the range of float64 becomes ±inf. Raises TypeError, naming the operation and
    showing the operand, for anything that is neither a `numbers.Real` nor a bool; if it holds
    several numbers, it says what to do with them.
    """
    if type(number) is float:
        return number
    if not (isinstance(number, Real) or is_bool(number)):
        hint = ""
        if getattr(number, "shape", None) == ():  # an array without dimensions
            hint = "; its number is .item()"
        elif hasattr(number, "__len__") and not isinstance(number, str):
            hint = f"; of several, {several}"
        raise TypeError(
            f"{operation}: expected {expected}, "
            f"got {reprlib.repr(number)} of type {type(number).__name__}{hint}"
        ) from None
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf  # type: ignore[operator]


def is_bool(x: object) -> TypeGuard[bool]:
    """Whether x is a bool, Python's or NumPy's, which is no `numbers.Real` and had two names."""
    return type(x).__name__ in ("bool", "bool_")


# --- values, where Python's own operation would raise or turn complex ----------------------------


def _ieee(function: Callable[[float], float], pole: float = math.nan) -> Callable[[float], float]:
    """`function`, but ±inf where it overflows, -inf at its pole, and nan where it has no value."""

    def value(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.inf * function(math.copysign(1.0, x))  # on that side it has one sign
        except ValueError:
            return -math.inf if x == pole else math.nan

    return value


def _power(x: float, y: float) -> float:
    if y == 2.0:
        return x * x  # decided here, for every reading: a library's pow may round it otherwise
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


def _sech2(x: float) -> float:
    e = math.exp(-2.0 * math.fabs(x))
    return 4.0 * e / ((1.0 + e) * (1.0 + e))


def _softplus(x: float) -> float:
    return relu.value(x) + math.log1p(math.exp(-math.fabs(x)))


def _added(terms: Iterator[float]) -> float:
    # From the left, starting from the first term. The builtin sum compensates since Python 3.12.
    return reduce(operator.add, terms, next(terms, 0.0))


def _dot(*factors: float) -> float:
    half = len(factors) // 2
    return _added(map(operator.mul, factors[:half], factors[half:]))


def _hypot(*xs: float) -> float:
    largest = reduce(maximum.value, map(math.fabs, xs), 0.0)
    if not 0.0 < largest < math.inf:
        return math.inf if math.inf in map(math.fabs, xs) else largest
    return largest * math.sqrt(_added(iter([(x / largest) * (x / largest) for x in xs])))


_TWO_BY_ROOT_PI = 2.0 / math.sqrt(math.pi)

# --- rules that need more than a line -------------------------------------------------------------


def _swap_halves(z: Scalar, *factors: Scalar) -> Sequence[Scalar]:
    half = len(factors) // 2
    return factors[half:] + factors[:half]


def _if(condition: Scalar, x: Callable[[], Scalar], y: Callable[[], Scalar]) -> Scalar:
    """`where`, but a plain bool decides at once: a constant exponent leaves no branch behind."""
    if type(condition) is bool:
        return x() if condition else y()
    return where(condition, x(), y())


def _power_by_base(z: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """y·xʸ⁻¹, and 0 for y = 0. Below ½, where y - 1 would lose bits of y, it is y·z/x.

    At two corners, x⁰ and 0¹, the derivative of this by y is infinite: there stands a root of 0.
    """

    def by_power() -> Scalar:
        return y * pow(x, y - 1.0)

    def by_quotient() -> Scalar:
        return _if(div(x, x) > 0.0, lambda: div(y * z, x), by_power)  # x is neither 0 nor infinite

    def of_a_constant() -> Scalar:  # by which there is no derivative that might be infinite
        return _if(abs(y) <= 0.0, lambda: 0.0, lambda: _if(y >= 0.5, by_power, by_quotient))

    def up_to_one() -> Scalar:
        at_one = lambda: y * (1.0 - sqrt(y - 1.0))  # noqa: E731
        return _if(abs(x) + abs(y - 1.0) <= 0.0, at_one, by_power)

    def of_zero() -> Scalar:
        root = _if(x < 0.0, lambda: 0.0 - sqrt(y), lambda: 0.0 + sqrt(y))
        return _if(abs(x) >= sys.float_info.min, lambda: 0.0 + y * div(z, x), lambda: root)

    def below_half() -> Scalar:
        return _if(abs(y) <= 0.0, of_zero, by_quotient)

    def of_a_variable() -> Scalar:
        return _if(y >= 0.5, lambda: _if(y <= 1.0, up_to_one, by_power), below_half)

    return _if(type(y) is float, of_a_constant, of_a_variable)


def _power_by_exponent(z: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """z·log x, and 0 for x = 0 and y ≥ 0, where its derivative by x is -inf (y ≤ 1) or inf (0)."""
    usual = lambda: z * log(x)  # noqa: E731
    up_to_one = lambda: _if(y > 0.0, lambda: 0.0 - sqrt(x), lambda: 0.0 + sqrt(x))  # noqa: E731
    of_zero = lambda: _if(y > 1.0, lambda: 0.0, lambda: _if(y >= 0.0, up_to_one, usual))  # noqa: E731
    return _if(abs(x) <= 0.0, of_zero, usual)


def _root_of_one_minus_square(x: Scalar) -> Scalar:
    """√(1 - x²), by factors where x² would cancel."""
    return sqrt(where(abs(x) < 0.5, 1.0 - x * x, (1.0 - x) * (1.0 + x)))


def _atan_slope(x: Scalar) -> Scalar:
    """1 / (1 + x²), which for large x is written on 1/x, so that no square overflows."""
    w = div(1.0, x)
    return where(abs(x) <= 1.0, div(1.0, 1.0 + x * x), div(w * w, 1.0 + w * w))


def _over_square(a: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """a/(x² + y²), and 0 at the origin; scaled, so that no square overflows."""
    scale = stop_gradient(minimum(maximum(abs(x), abs(y)), sys.float_info.max))
    u, v = div(x, scale), div(y, scale)
    return where(scale <= 0.0, 0.0, div(div(div(a, scale), u * u + v * v), scale))


def _bell(x: Scalar) -> Scalar:
    """exp(-x²). A large square rounded would cost digits, so it is taken in two parts.

    The upper half of x's digits (Veltkamp's splitting: Dekker, A floating-point technique for
    extending the available precision, Numer. Math. 18, 1971) has an exact square.
    """
    x = minimum(abs(x), 30.0)  # beyond which it is 0
    shifted = 134217729.0 * x  # 2²⁷ + 1
    upper = shifted - (shifted - x)
    return exp(-(upper * upper)) * exp((upper - x) * (upper + x))


# --- the table ------------------------------------------------------------------------------------
#
# At a kink the rules choose as PyTorch does: relu'(0) = 0, abs'(0) = 0, and each argument gets ½
# where maximum or minimum tie. The comparisons are written so that nan falls on PyTorch's side too.

# fmt: off
add = Primitive("add", "+", "x + y", lambda z, x, y: 1.0, lambda z, x, y: 1.0)
sub = Primitive("sub", "-", "x - y", lambda z, x, y: 1.0, lambda z, x, y: -1.0)
mul = Primitive("mul", "·", "x * y", lambda z, x, y: y, lambda z, x, y: x)
div: Primitive = Primitive("div", "/", "x / y if y else x * math.copysign(math.inf, y)",
    lambda z, x, y: div(1.0, y),
    lambda z, x, y: div(-z, y))
pow = Primitive("pow", "**", _power, _power_by_base, _power_by_exponent)
neg = Primitive("neg", "-", "-x", lambda z, x: -1.0)

lt = Primitive("lt", "<", "1.0 if x < y else 0.0", None, None)
le = Primitive("le", "<=", "1.0 if x <= y else 0.0", None, None)
gt = Primitive("gt", ">", "1.0 if x > y else 0.0", None, None)
ge = Primitive("ge", ">=", "1.0 if x >= y else 0.0", None, None)
where: Primitive = Primitive("where", "where", "x if c else y",
    None,  # a condition jumps: it has no derivative
    lambda z, c, x, y: where(c, 1.0, 0.0),
    lambda z, c, x, y: where(c, 0.0, 1.0), chooses=True)
maximum = Primitive("maximum", "max", "x if x >= y else y if x < y else x + y",  # nan + y is nan
    lambda z, x, y: where(x <= y, where(x >= y, 0.5, 0.0), 1.0),
    lambda z, x, y: where(y <= x, where(y >= x, 0.5, 0.0), 1.0), chooses=True,
    doc="The larger of x and y, nan if either is. A tie gives each half the gradient.")
minimum = Primitive("minimum", "min", "x if x <= y else y if x > y else x + y",
    lambda z, x, y: where(x >= y, where(x <= y, 0.5, 0.0), 1.0),
    lambda z, x, y: where(y >= x, where(y <= x, 0.5, 0.0), 1.0), chooses=True,
    doc="The smaller of x and y, nan if either is. A tie gives each half the gradient.")
relu = Primitive("relu", "relu", "0.0 if x < 0.0 else x",  # nan stays nan, and -0 stays -0
    lambda z, x: where(x <= 0.0, 0.0, 1.0), chooses=True,
    doc="max(0, x); its derivative at 0 is 0.")
stop_gradient = Primitive("stop_gradient", "stop_gradient", "x", None,
    doc="x itself, but as a constant: no gradient goes through it.")

abs = Primitive("abs", "abs", math.fabs,
    lambda z, x: where(x > 0.0, 1.0, where(x < 0.0, -1.0, 0.0)),
    doc="|x|; its derivative at 0 is 0.")
sqrt = Primitive("sqrt", "sqrt", _ieee(math.sqrt), lambda z, x: div(0.5, z),
    doc="The square root, nan below 0. For a vector's length use hypot, which has a slope at 0.")
exp = Primitive("exp", "exp", _ieee(math.exp), lambda z, x: z,
    doc="eˣ, inf above 709.78.")
expm1 = Primitive("expm1", "expm1", _ieee(math.expm1), lambda z, x: exp(x),
    doc="eˣ - 1, exact near 0.")
log = Primitive("log", "log", _ieee(math.log, pole=0.0), lambda z, x: div(1.0, x),
    doc="The natural logarithm, -inf at 0, nan below.")
log1p = Primitive("log1p", "log1p", _ieee(math.log1p, pole=-1.0), lambda z, x: div(1.0, 1.0 + x),
    doc="log(1 + x), exact near 0; -inf at -1, nan below.")
sin = Primitive("sin", "sin", _ieee(math.sin), lambda z, x: cos(x),
    doc="The sine of x in radians.")
cos: Primitive = Primitive("cos", "cos", _ieee(math.cos), lambda z, x: -sin(x),
    doc="The cosine of x in radians.")
tan = Primitive("tan", "tan", _ieee(math.tan), lambda z, x: 1.0 + z * z,
    doc="The tangent of x in radians.")
asin = Primitive("asin", "asin", _ieee(math.asin),
    lambda z, x: div(1.0, _root_of_one_minus_square(x)),
    doc="The angle from -π/2 to π/2 whose sine is x, nan outside of -1 to 1.")
acos = Primitive("acos", "acos", _ieee(math.acos),
    lambda z, x: div(-1.0, _root_of_one_minus_square(x)),
    doc="The angle from 0 to π whose cosine is x, nan outside of -1 to 1.")
atan = Primitive("atan", "atan", math.atan, lambda z, x: _atan_slope(x),
    doc="The angle from -π/2 to π/2 whose tangent is x.")
atan2 = Primitive("atan2", "atan2", math.atan2,
    lambda z, y, x: _over_square(x, x, y),
    lambda z, y, x: _over_square(-y, x, y),
    doc="The angle of the point (x, y), from -π to π; y comes first. Its gradient at 0 is 0.")
sinh: Primitive = Primitive("sinh", "sinh", _ieee(math.sinh), lambda z, x: cosh(x),
    doc="The hyperbolic sine, ±inf beyond 710.")
cosh: Primitive = Primitive("cosh", "cosh", _ieee(math.cosh), lambda z, x: sinh(x),
    doc="The hyperbolic cosine, inf beyond ±710.")
tanh: Primitive = Primitive("tanh", "tanh", math.tanh, lambda z, x: sech2(x),
    doc="The hyperbolic tangent, from -1 to 1.")
sech2: Primitive = Primitive("sech2", "sech²", _sech2, lambda z, x: -2.0 * (z * tanh(x)),
    doc="1 / cosh²(x), the derivative of tanh.")
sigmoid = Primitive("sigmoid", "sigmoid", _sigmoid, lambda z, x: 0.25 * sech2(0.5 * x),
    doc="The logistic function 1 / (1 + e⁻ˣ), from 0 to 1, stable at both ends.")
softplus = Primitive("softplus", "softplus", _softplus, lambda z, x: sigmoid(x),
    doc="log(1 + eˣ), a smooth relu, stable at both ends.")
erf = Primitive("erf", "erf", math.erf, lambda z, x: _TWO_BY_ROOT_PI * _bell(x),
    doc="The error function 2/√π · ∫₀ˣ exp(-t²) dt, from -1 to 1.")
erfc = Primitive("erfc", "erfc", math.erfc, lambda z, x: -_TWO_BY_ROOT_PI * _bell(x),
    doc="1 - erf(x), exact also where erf is nearly 1.")

sum = Primitive("sum", "Σ", lambda *terms: _added(iter(terms)),
    lambda z, *terms: [1.0] * len(terms), variadic=True)
dot = Primitive("dot", "·", _dot, _swap_halves, variadic=True)
hypot: Primitive = Primitive("hypot", "hypot", _hypot,
    lambda z, *xs: [where(z <= 0.0, 0.0, div(x, z)) for x in xs], variadic=True,
    doc="√(x² + y² + …), the length of a vector of any dimension; its gradient at 0 is 0.")
# fmt: on
