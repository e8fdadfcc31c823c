"""The table of primitives: everything in this project that knows calculus.

A *primitive* is an operation with a value and one partial derivative per argument. For
`z = x·y` the row reads

    mul = Primitive("mul", "·", "x * y", lambda z, x, y: y, lambda z, x, y: x)

that is: the name, the symbol, the value on floats, then ∂z/∂x and ∂z/∂y, each written in terms of
the result `z` and the arguments. Called with floats, a rule gives the number that `backward()`
multiplies by; with Values, it builds the derivative as new graph; with symbols, it is its own
formula, from which the source of the operator is made (see `operators`).

A row is *elementary* or *composite*. An elementary row has a value in Python and one spelling in
each language that programs are printed in: arithmetic, comparisons, `where`, the functions of the
C library. The value of a composite row (`sigmoid`, `maximum`, `hypot`) is itself a function of the
table's operations, so it is stated once for floats, graphs and all languages.

Arithmetic is IEEE 754 float64 throughout: where Python would raise or turn complex, the result is
±inf or nan. Rules and composite values may use Python's operators, `/` and `**` among them, which
follow that arithmetic too, and the operations of the table. They branch through `where`, which can
be recorded, never through `if`. Each rule is written in a form that keeps its digits in the tails
as well: sech²(x) for tanh', not 1 - z², which cancels.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import operator
import re
import reprlib
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, reduce
from typing import Any, Protocol, Self, TypeAlias, TypeVar, overload

from autograd import operators
from autograd.checks import real_number
from autograd.operators import Symbol


class Recorder(Protocol):
    """An argument that is not a number and records the operations applied to it."""

    def record(self, primitive: Primitive, args: Sequence[object], /) -> Self:
        """Record a node for `primitive` on `args`."""


R = TypeVar("R", bound=Recorder)

Scalar: TypeAlias = Any
"""A float or a Recorder. Rules are generic over the two, which no static type here can say."""

Rule: TypeAlias = "Callable[..., Scalar] | None"
"""∂z/∂argument on `(z, *args)`; None where there is no derivative, as of a comparison."""


TABLE: dict[str, Primitive] = operators.TABLE
"""Every primitive by name, in the order in which they were made."""


class Primitive:
    """One row of the table: a named operation, its value on floats and its partial derivatives.

    A row that you make works everywhere: `erfcx = Primitive("erfcx", "erfcx", scipy.special.erfcx,
    lambda z, x: 2.0 * x * z - 2.0 / math.sqrt(math.pi))` computes on floats, records on Values,
    can be differentiated as often as its rule can, drawn, and compiled. Compiled code calls such a
    Python function back; a composite value compiles to code like the rest.

    Args:
        name: how the row is found in `TABLE`, and in messages.
        symbol: how formulas write it; a word is a function, anything else an operator before its
            argument, or between two.
        value: the value on floats: a function, which must return a float and not raise; or an
            expression in the operations of the table, such as "x * exp(-x)", whose parameters are
            those of the rules (without rules: the names in it, sorted).
        partials: for each argument a rule `rule(z, *args)` on floats and Values alike, in the
            operations of the table; None for an argument without a derivative.
        variadic: takes any number of arguments; a single rule returns all partials in a sequence.
            (Such a rule runs on plain floats, so it divides by `div` and not by `/`.)
        chooses: selects one of its arguments: one that is not selected, whose partial is 0, gets
            gradient 0 even where its own derivative is nan.
        composite: whether the value is written in the operations of the table, as an expression
            is; it is then compiled like any other operation.
        doc: a description in one line.

    Raises:
        ValueError: if there is a row of that name, or name or symbol cannot be printed.
        TypeError: if a rule, or a composite value, cannot be called with the arguments, branches
            with `if`, or asks for a number (as `math.cos` does).

    Calling the primitive with real numbers returns a float; with a Value among the arguments it
    records a node and returns that. Anything else is a TypeError.
    """

    definition: Callable[..., Scalar] | None
    """The value in the operations of the table; None for an elementary row."""
    template: str
    """How Python writes the operation, with {0} for the first operand; "" for a function's call."""
    call_in_place = ""
    """For a function of `math`, its call in generated source; see `_ieee`."""

    def __init__(
        self,
        name: str,
        symbol: str,
        value: Callable[..., float] | str,
        *partials: Rule,
        variadic: bool = False,
        chooses: bool = False,
        composite: bool | None = None,
        doc: str = "",
    ) -> None:
        _check(name, symbol, value, partials, variadic)
        self.name = self.__name__ = name
        self.symbol = symbol
        self.partials = partials
        self.arity = None if variadic else len(partials)
        self.variadic = variadic
        self.chooses = chooses
        self.__doc__ = doc
        self.key = operators.key_of(name)
        self.operator: Callable[..., Scalar] = self.on_any
        """The function that records it, or computes it where all arguments are floats."""
        self.definition, self.template = None, ""
        self.call_in_place = getattr(value, "call_in_place", "")
        if isinstance(value, str):
            value = self._from_expression(value)
        elif composite:
            self.definition = value
        self._function: Callable[..., float] = value
        operators.NAMESPACE[f"{self.key}_row"] = self
        is_users = own_names and not self.definition
        # a user's function is checked at each call
        operators.NAMESPACE[self.key] = (lambda *x: self.at(x)) if is_users else value
        if own_names:
            self.make_operator()
        TABLE[name] = self

    def _from_expression(self, expression: str) -> Callable[..., float]:
        rule = next((rule for rule in self.partials if rule is not None), None)
        try:
            names = operators.parameters_of(expression)
        except SyntaxError as error:
            raise TypeError(f"{self.name}: its value {expression!r} is no expression") from error
        parameters = names if rule is None else list(inspect.signature(rule).parameters)[1:]
        if len(parameters) != len(self.partials):
            raise TypeError(
                f"{self.name}: its value {expression!r} has {len(parameters)} parameters, "
                f"{parameters}, for {len(self.partials)} rules; give a rule, or None, for each"
            )
        if self.name not in ELEMENTARY and (unknown := {*names} - {*parameters}):
            raise TypeError(
                f"{self.name}: its value {expression!r} has the unknown names {sorted(unknown)}; "
                f"it may have the parameters of the rules, {parameters}, and the table's operations"
            )
        text = f"lambda {', '.join(parameters)}: {expression}"
        if self.name in ELEMENTARY:
            pattern = rf"\b({'|'.join(parameters)})\b"
            self.template = re.sub(pattern, lambda x: f"{{{parameters.index(x[0])}}}", expression)
            function: Callable[..., float] = eval(text, operators.NAMESPACE)
            return function
        self.definition = eval(text, dict(TABLE))
        return self.definition

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def has_derivative(self, index: int) -> bool:
        """Whether there is a derivative with respect to this argument."""
        return self.variadic or self.partials[index] is not None

    def __reduce__(self) -> tuple[Callable[..., Primitive], tuple[str | int]]:
        return _row, (self.name,)  # a graph that was copied or pickled has the same rows

    def formulas(self, names: Sequence[str]) -> list[Any]:
        """The value and each partial (None where there is none) as formulas of symbols.

        Args:
            names: the names of the result and the arguments.
        """
        z, *args = map(Symbol, names)
        value = self.definition and self._read(self.definition, "value", *args)
        return [
            Symbol("", self, args) if value is None else value,
            *[
                rule and self._read(rule, f"rule for argument {i}", z, *args)
                for i, rule in enumerate(self.partials, 1)
            ],
        ]

    def _read(self, function: Callable[..., Scalar], part: str, *symbols: Symbol) -> Scalar:
        """The formula of a rule or a composite value, called with symbols.

        Raises:
            TypeError: if it cannot be called with symbols; names it.
        """
        try:
            formula = function(*symbols)
            if formula is not None and not isinstance(formula, Symbol):
                formula = float(formula)
        except NameError:  # a row that is made later
            raise
        except Exception as error:
            raise TypeError(f"{self.name}: its {part} cannot be used: {error}") from error
        if formula is None:
            raise TypeError(f"{self.name}: its {part} returned None, which is no formula")
        return formula

    def make_operator(self) -> None:
        """Make the operator from the formulas, which validates them.

        If a rule uses a primitive that is not defined yet, the generic operator is kept.
        """
        with contextlib.suppress(NameError):
            if self.arity in (1, 2, 3):
                self.operator = operators.operator(self)
            elif self.arity is not None:
                self.formulas([f"x{i}" for i in range(self.arity + 1)])

    @cached_property
    def value(self) -> Callable[..., float]:
        """The value as a function of floats."""
        if self.definition is None or self.variadic:
            return self._function
        names = [f"x{i}" for i in range(len(self.partials))]
        formula = self._read(self.definition, "value", *map(Symbol, names))
        return operators.function_of(formula, names, self.key)

    @cached_property
    def is_local(self) -> bool:
        """Whether no rule reads an operand without a derivative, other than a condition.

        Otherwise the partials depend on more than the operands that gradients flow to, which
        whatever takes second derivatives has to ask (see `derivatives`).
        """
        if self.variadic or self.chooses or None not in self.partials:
            return True
        names = [f"x{i}" for i in range(len(self.partials))]
        read = [x for x in self.formulas(["z", *names])[1:] if isinstance(x, Symbol)]
        for formula in read:  # which grows by the parts of each
            read.extend([x for x in formula.args if isinstance(x, Symbol)])
        hidden = {x for x, rule in zip(names, self.partials, strict=True) if rule is None}
        return hidden.isdisjoint(x.name for x in read)

    @cached_property
    def _slopes(self) -> list[Callable[..., float] | None]:
        """The partial derivatives as functions of floats, compiled from the formulas.

        In them, `/` and `**` are the primitives `div` and `pow`.
        """
        names = ["z", *[f"x{i}" for i in range(len(self.partials))]]
        return [
            None if formula is None else operators.function_of(formula, names, self.key)
            for formula in self.formulas(names)[1:]
        ]

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
        """Apply to arguments of any type; the generated operators fall back to it."""
        for arg in args:
            if type(arg) is not float and hasattr(arg, "record"):
                return arg.record(self, args)
        return self.at([self.number(arg) for arg in args])

    def at(self, numbers: Sequence[float]) -> float:
        """The value as a float. Raises TypeError for another type, ValueError if it fails."""
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
            rules = self._slopes if type(z) is float else self.partials
            return [
                None if rule is None or type(x) is float else rule(z, *args)
                for x, rule in zip(operands, rules, strict=True)
            ]
        every = tuple(self.partials[0](z, *args))  # type: ignore[misc]
        if len(every) != len(args):
            raise ValueError(
                f"{self.name}: its rule gave {len(every)} partials for {len(args)} arguments"
            )
        if float not in map(type, operands):
            return every
        return [None if type(x) is float else p for x, p in zip(operands, every, strict=True)]

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
    if not (variadic or isinstance(value, str)):
        try:
            inspect.signature(value).bind(*partials)
        except TypeError as error:
            raise TypeError(
                f"{name}: its value cannot be called with {len(partials)} arguments, for so many "
                f"rules there are: {error}; give a rule, or None, for each argument"
            ) from None
        except ValueError:  # a function of C that does not say what it takes
            pass


def _row(name: str) -> Primitive:
    return TABLE[name]


ELEMENTARY = {"add", "sub", "mul", "div", "neg", "lt", "le", "gt", "ge", "where", "stop_gradient"}
"""The elementary rows that Python writes as an expression and not as the call of a function."""

own_names: frozenset[str] = frozenset()
"""The names of the package's own rows, once these are made; rows that are made later are users'."""


# --- values, where Python's own operation would raise or turn complex ----------------------------


def _ieee(
    function: Callable[[float], float], domain: str, pole: float = math.nan
) -> Callable[[float], float]:
    """`function`, but ±inf where it overflows, -inf at its pole, and nan where it has no value.

    Args:
        function: a function of `math`.
        domain: a condition on {0}, the argument, under which `function` never raises. Generated
            source tests it and calls `function` itself, which takes half the time.
        pole: where `function` raises ValueError because it is -inf.
    """

    def value(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.inf * function(math.copysign(1.0, x))  # on that side it has one sign
        except ValueError:
            return -math.inf if x == pole else math.nan

    name = function.__name__
    operators.NAMESPACE[f"math_{name}"] = function
    value.call_in_place = f"math_{name}({{0}}) if {domain} else {name}({{0}})"  # type: ignore[attr-defined]
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


def _atanh(x: float) -> float:
    if -1.0 < x < 1.0:
        return math.atanh(x)
    return math.copysign(math.inf, x) if math.fabs(x) == 1.0 else math.nan


def _added(terms: Iterator[float]) -> float:
    # From the left, starting from the first term. The builtin sum compensates since Python 3.12.
    return reduce(operator.add, terms, next(terms, 0.0))


def _dot(*factors: float) -> float:
    half = len(factors) // 2
    return _added(map(operator.mul, factors[:half], factors[half:]))


# --- composite values, and rules that need more than a line ---------------------------------------


def _maximum(x: Scalar, y: Scalar) -> Scalar:
    return where(x >= y, x, where(x < y, y, x + y))  # nan + y is nan


def _minimum(x: Scalar, y: Scalar) -> Scalar:
    return where(x <= y, x, where(x > y, y, x + y))


def _sigmoid(x: Scalar) -> Scalar:
    e = exp(-abs(x))  # at most 1, so nothing overflows at either end
    return where(x >= 0.0, 1.0, e) / (1.0 + e)


def _logistic_pdf(x: Scalar) -> Scalar:
    """e⁻ˣ/(1 + e⁻ˣ)², the derivative of the sigmoid.

    The square is expanded for fewer roundings (2.3 ulp in place of 3.7): 2e is exact.
    """
    e = exp(-abs(x))
    return div(e, 1.0 + (2.0 * e + e * e))


def _softplus(x: Scalar) -> Scalar:
    return relu(x) + log1p(exp(-abs(x)))


def _hypot(*xs: Scalar) -> Scalar:
    sizes = [abs(x) for x in xs]
    largest = reduce(maximum, sizes, 0.0)
    ratios = [div(x, largest) for x in sizes]  # so that no square overflows
    length = largest * sqrt(dot(*ratios, *ratios))
    infinite = reduce(
        maximum, [where(x >= math.inf, x, 0.0) for x in sizes], 0.0
    )  # though one be nan
    return where(infinite > 0.0, infinite, where(largest <= 0.0, largest, length))


def _swap_halves(z: Scalar, *factors: Scalar) -> Sequence[Scalar]:
    half = len(factors) // 2
    return factors[half:] + factors[:half]


def _first(*cases: tuple[Scalar, Callable[[], Scalar]]) -> Scalar:
    """The value of the first case that holds, as nested `where`.

    A condition on plain numbers is a bool and is decided now, so that a constant exponent leaves
    no branches in the graph.
    """
    (condition, value), *others = cases
    if type(condition) is bool:
        return value() if condition else _first(*others)
    return where(condition, value(), _first(*others))


def _power_by_base(z: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """y·xʸ⁻¹, in the form that keeps its digits.

    At 0¹ its derivative with respect to y is infinite, at x⁰ it is 1/x: there, a term is added that
    is 0 and has this derivative.
    """

    by_power = lambda: y * pow(x, y - 1.0)  # noqa: E731
    by_quotient = (div(x, x) > 0.0, lambda: div(y * z, x))  # x is neither 0 nor infinite
    of_constant = lambda: _first(  # noqa: E731
        (y == 0.0, lambda: 0.0),
        (y == 1.0, lambda: 1.0),  # x⁰ and x¹ are no operations
        (y == 2.0, lambda: 2.0 * x),
        (y >= 0.5, by_power),
        by_quotient,  # y - 1 would lose bits of y
        (True, by_power),
    )
    return _first(
        (type(y) is float, of_constant),
        (y > 1.0, by_power),
        (abs(x) + abs(y - 1.0) <= 0.0, lambda: y * (1.0 - sqrt(y - 1.0))),  # 0¹: by y it is -inf
        (y >= 0.5, by_power),
        (abs(y) > 0.0, lambda: _first(by_quotient, (True, by_power))),  # y - 1 would lose bits
        (abs(x) >= sys.float_info.min, lambda: 0.0 + y * div(z, x)),  # x⁰: by y it is 1/x,
        (x < 0.0, lambda: 0.0 - sqrt(y)),  # which may overflow
        (True, lambda: 0.0 + sqrt(y)),
    )


def _power_by_exponent(z: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """z·log x; 0 for x = 0, y ≥ 0, where its x-derivative is -inf (0 < y ≤ 1), inf (y = 0) or 0."""
    usual = lambda: z * log(x)  # noqa: E731
    of_zero = lambda: _first(  # noqa: E731
        (y > 1.0, lambda: 0.0),
        (y > 0.0, lambda: 0.0 - sqrt(x)),
        (y >= 0.0, lambda: 0.0 + sqrt(x)),
        (True, usual),
    )
    return _first((abs(x) <= 0.0, of_zero), (True, usual))


def _one_minus_square(x: Scalar) -> Scalar:
    """1 - x², factored where the difference would cancel."""
    return where(abs(x) < 0.5, 1.0 - x * x, (1.0 - x) * (1.0 + x))


def _atan_slope(x: Scalar) -> Scalar:
    """1 / (1 + x²), computed from 1/x for |x| > 1, so that no square overflows."""
    w = div(1.0, x)
    return where(abs(x) <= 1.0, div(1.0, 1.0 + x * x), div(w * w, 1.0 + w * w))


def _over_square(a: Scalar, x: Scalar, y: Scalar) -> Scalar:
    """a/(x² + y²), and 0 at the origin; scaled, so that no square overflows."""
    scale = stop_gradient(minimum(maximum(abs(x), abs(y)), sys.float_info.max))
    u, v = div(x, scale), div(y, scale)
    inside = div(div(div(a, scale), u * u + v * v), scale)
    return where(scale <= 0.0, abs(a) * sqrt(abs(a)), inside)  # by choice, see hypot


# --- the table ------------------------------------------------------------------------------------
#
# At a kink the rules choose as PyTorch does: relu'(0) = 0, abs'(0) = 0, and each argument gets ½
# where maximum or minimum tie. The comparisons are written so that nan falls on PyTorch's side too.

# fmt: off
add = Primitive("add", "+", "x + y", lambda z, x, y: 1.0, lambda z, x, y: 1.0)
sub = Primitive("sub", "-", "x - y", lambda z, x, y: 1.0, lambda z, x, y: -1.0)
mul = Primitive("mul", "·", "x * y", lambda z, x, y: y, lambda z, x, y: x)
div: Primitive = Primitive("div", "/", "x / y if y else x * copysign(inf, y)",
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
logical_and = Primitive("logical_and", "&", "where(x, where(y, 1.0, 0.0), 0.0)", None, None)
logical_or = Primitive("logical_or", "|", "where(x, 1.0, where(y, 1.0, 0.0))", None, None)
logical_not = Primitive("logical_not", "~", "where(x, 0.0, 1.0)", None)
maximum: Primitive = Primitive("maximum", "max", _maximum,
    lambda z, x, y: where(x <= y, where(x >= y, 0.5, 0.0), 1.0),
    lambda z, x, y: where(y <= x, where(y >= x, 0.5, 0.0), 1.0), chooses=True, composite=True,
    doc="The larger of x and y, nan if either is. A tie gives each half the gradient, and second "
        "derivatives are 0.")
minimum: Primitive = Primitive("minimum", "min", _minimum,
    lambda z, x, y: where(x >= y, where(x <= y, 0.5, 0.0), 1.0),
    lambda z, x, y: where(y >= x, where(y <= x, 0.5, 0.0), 1.0), chooses=True, composite=True,
    doc="The smaller of x and y, nan if either is. A tie gives each half the gradient, and second "
        "derivatives are 0.")
clip = Primitive("clip", "clip",
    lambda x, low, high: minimum(maximum(x, low), high),
    # at a bound the slope is x's, as of torch.clamp: bounds count where they are strictly passed
    lambda z, x, low, high: where(x < low, 0.0, where(x > high, 0.0, 1.0)),
    lambda z, x, low, high: where(x < low, where(low > high, 0.0, 1.0), 0.0),
    lambda z, x, low, high: where(maximum(x, low) > high, 1.0, 0.0), chooses=True, composite=True,
    doc="x, but no less than low and no more than high, nan if one is; at a bound x has slope 1.")
relu = Primitive("relu", "relu", "where(x < 0.0, 0.0, x)",  # nan stays nan, and -0 stays -0
    lambda z, x: where(x <= 0.0, 0.0, 1.0), chooses=True,
    doc="max(0, x); its derivatives at 0 are 0.")
stop_gradient = Primitive("stop_gradient", "stop_gradient", "x", None,
    doc="x itself, but as a constant: no gradient goes through it.")
given_partial = Primitive("given_partial", "given_partial", "value",
    lambda z, value, x, slope: 1.0, lambda z, value, x, slope: slope, None,
    doc="The value, with one more partial derivative, `slope`, with respect to x.")

abs: Primitive = Primitive("abs", "abs", math.fabs,
    lambda z, x: where(x > 0.0, 1.0, where(x < 0.0, -1.0, 0.0)),
    doc="|x|; its derivatives at 0 are 0.")
sqrt = Primitive("sqrt", "sqrt", _ieee(math.sqrt, "{0} >= 0.0"), lambda z, x: div(0.5, z),
    doc="The square root, nan below 0. For a vector's length use hypot, which has a slope at 0.")
exp = Primitive("exp", "exp", _ieee(math.exp, "{0} < 709.0"), lambda z, x: z,
    doc="eˣ, inf above 709.78.")
expm1 = Primitive("expm1", "expm1", _ieee(math.expm1, "{0} < 709.0"), lambda z, x: exp(x),
    doc="eˣ - 1, exact near 0.")
log = Primitive("log", "log", _ieee(math.log, "{0} > 0.0", pole=0.0), lambda z, x: div(1.0, x),
    doc="The natural logarithm, -inf at 0, nan below.")
log1p = Primitive("log1p", "log1p", _ieee(math.log1p, "{0} > -1.0", pole=-1.0),
    lambda z, x: div(1.0, 1.0 + x),
    doc="log(1 + x), exact near 0; -inf at -1, nan below.")
log2 = Primitive("log2", "log2", _ieee(math.log2, "{0} > 0.0", pole=0.0),
    lambda z, x: div(1.0 / math.log(2.0), x),
    doc="The logarithm to base 2, exact for powers of 2; -inf at 0, nan below.")
log10 = Primitive("log10", "log10", _ieee(math.log10, "{0} > 0.0", pole=0.0),
    lambda z, x: div(1.0 / math.log(10.0), x),
    doc="The logarithm to base 10; -inf at 0, nan below.")
sin = Primitive("sin", "sin", _ieee(math.sin, "-inf < {0} < inf"), lambda z, x: cos(x),
    doc="The sine of x in radians.")
cos: Primitive = Primitive("cos", "cos", _ieee(math.cos, "-inf < {0} < inf"), lambda z, x: -sin(x),
    doc="The cosine of x in radians.")
tan = Primitive("tan", "tan", _ieee(math.tan, "-inf < {0} < inf"), lambda z, x: 1.0 + z * z,
    doc="The tangent of x in radians.")
asin = Primitive("asin", "asin", _ieee(math.asin, "-1.0 <= {0} <= 1.0"),
    lambda z, x: div(1.0, sqrt(_one_minus_square(x))),
    doc="The angle from -π/2 to π/2 whose sine is x, nan outside of -1 to 1.")
acos = Primitive("acos", "acos", _ieee(math.acos, "-1.0 <= {0} <= 1.0"),
    lambda z, x: div(-1.0, sqrt(_one_minus_square(x))),
    doc="The angle from 0 to π whose cosine is x, nan outside of -1 to 1.")
atan = Primitive("atan", "atan", math.atan, lambda z, x: _atan_slope(x),
    doc="The angle from -π/2 to π/2 whose tangent is x.")
atan2 = Primitive("atan2", "atan2", math.atan2,
    lambda z, y, x: _over_square(x, x, y),
    lambda z, y, x: _over_square(-y, x, y),
    doc="The angle of the point (x, y), from -π to π; y comes first. Its gradient at 0 is 0, its "
        "second derivative there nan.")
sinh: Primitive = Primitive("sinh", "sinh", _ieee(math.sinh, "-709.0 < {0} < 709.0"),
    lambda z, x: cosh(x),
    doc="The hyperbolic sine, ±inf beyond 710.")
cosh: Primitive = Primitive("cosh", "cosh", _ieee(math.cosh, "-709.0 < {0} < 709.0"),
    lambda z, x: sinh(x),
    doc="The hyperbolic cosine, inf beyond ±710.")
atanh = Primitive("atanh", "atanh", _atanh, lambda z, x: div(1.0, _one_minus_square(x)),
    doc="The number whose hyperbolic tangent is x, ±inf at ±1 and nan beyond.")
tanh: Primitive = Primitive("tanh", "tanh", math.tanh, lambda z, x: sech2(x),
    doc="The hyperbolic tangent, from -1 to 1.")
logistic_pdf: Primitive = Primitive("logistic_pdf", "logistic_pdf", _logistic_pdf,
    lambda z, x: -(z * tanh(0.5 * x)), composite=True,
    doc="e⁻ˣ / (1 + e⁻ˣ)², the derivative of sigmoid.")
sech2: Primitive = Primitive("sech2", "sech²", lambda x: 4.0 * logistic_pdf(2.0 * x),
    lambda z, x: -2.0 * (z * tanh(x)), composite=True,
    doc="1 / cosh²(x), the derivative of tanh.")
sigmoid: Primitive = Primitive("sigmoid", "sigmoid", _sigmoid, lambda z, x: logistic_pdf(x),
    composite=True,
    doc="The logistic function 1 / (1 + e⁻ˣ), from 0 to 1, stable at both ends.")
softplus: Primitive = Primitive("softplus", "softplus", _softplus, lambda z, x: sigmoid(x),
    composite=True,
    doc="log(1 + eˣ), a smooth relu, stable at both ends.")
log_sigmoid = Primitive("log_sigmoid", "log_sigmoid", lambda x: -softplus(-x),
    lambda z, x: sigmoid(-x), composite=True,
    doc="log(sigmoid(x)), exact at both ends.")

sum: Primitive = Primitive("sum", "Σ", lambda *terms: _added(iter(terms)),
    lambda z, *terms: [1.0] * len(terms), variadic=True)
dot = Primitive("dot", "·", _dot, _swap_halves, variadic=True)
hypot: Primitive = Primitive("hypot", "hypot", _hypot,
    # At the origin the gradient is 0 by choice. The product rule gives the slope 0·inf to what it
    # comes from, so that a second derivative, which does not exist, is nan and not 0.
    lambda z, *xs: [where(z <= 0.0, z * sqrt(z), div(x, z)) for x in xs],
    variadic=True, composite=True,
    doc="√(x² + y² + …), the length of a vector of any dimension; its gradient at 0 is 0, its "
        "second derivative there nan. For a squared length write dot(v, v).")
# fmt: on
