"""Generates Python source for the operators of `Value` from the table of primitives.

A rule called with symbols (`Symbol`) instead of numbers returns its own formula, and a formula can
be written as Python code. So the function that computes a primitive and records the node is
generated from the primitive's row of the table:

    >>> print(source(primitives.exp))
"""

from __future__ import annotations

import ast
import itertools
import keyword
import linecache
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, NoReturn, TypeAlias
from weakref import WeakValueDictionary

from autograd import recording

OWNED: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""Rows that belong to the nodes made by them and are freed with these, by name. `TABLE[name]` finds
them, but does not list them."""


class _Table(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return OWNED[name]


TABLE: dict[str, Any] = _Table()
"""Every `Primitive` by name, in the order in which they were made (see `primitives`)."""

Primitive: TypeAlias = Any
"""A row of the table, whose class is defined on top of this module."""

BINARY = {
    **{name: name for name in ("add", "sub", "mul", "pow", "mod", "floordiv")},
    "truediv": "div",
}
UNARY = {"neg": "neg", "abs": "abs"}
COMPARISONS = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
LOGICAL = {"and": "logical_and", "or": "logical_or"}
"""Python's operators on the left, the rows of the table that they are on the right."""

CONDITIONS = frozenset([*COMPARISONS.values(), *LOGICAL.values(), "logical_not"])
"""The rows whose result is 1 or 0, for true or false."""

UFUNCS = {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "power": "pow",
    "remainder": "mod",
    "floor_divide": "floordiv",
    "negative": "neg",
    "absolute": "abs",
    "fabs": "abs",
    "rint": "round",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "invert": "logical_not",
}
"""NumPy's names for rows of the table that have another name here."""

_COMPOSED: dict[str, Callable[[Any], Any]] = {
    "positive": lambda x: x,
    "reciprocal": lambda x: 1.0 / x,
    "square": lambda x: x * x,
}
"""NumPy's functions that are no rows."""

counter = itertools.count()
"""Creation numbers: of two nodes, the one made later has the higher."""

NAMESPACE: dict[str, Any] = {
    "copysign": math.copysign,
    "inf": math.inf,
    "nan": math.nan,
    "fabs": math.fabs,
    "counter": counter,
    "open_pauses": recording.open_pauses,
    "is_paused": recording.is_paused,
}
"""The names in generated source. Rows are added as they are made, and the two classes of nodes by
`value`."""


# --- symbols --------------------------------------------------------------------------------------


class Symbol:
    """A symbolic expression. Calling a rule on symbols gives its formula.

    Attributes:
        name: the Python name of an argument; "" for an operation.
        primitive: the operation; None for an argument.
        args: the operands of the operation, symbols and floats.
    """

    __slots__ = ("args", "name", "primitive")

    def __init__(self, name: str, primitive: Any = None, args: Sequence[Any] = ()) -> None:
        self.name = name
        self.primitive = primitive
        self.args = args

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Any:
        """The operation on symbols; a composite primitive as elementary operations."""
        if primitive.definition is not None:
            return primitive.definition(*args)
        return Symbol("", primitive, [x if isinstance(x, Symbol) else float(x) for x in args])

    def __repr__(self) -> str:
        lines, text = statements(self)
        return "; ".join([*lines, text])

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"it branches on {self!r}, so that only one branch would be known: "
            f"write where(condition, x, y)"
        )

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"it asks for the number of {self!r}: write it in the operations of the table, such as "
            f"autograd.exp for math.exp"
        )


def add_arithmetic(kind: type) -> None:
    """Give a class with a `record` method Python's operators, and NumPy's functions."""
    for python, name in (BINARY | COMPARISONS | LOGICAL).items():
        setattr(kind, f"__{python}__", _method(name))
        if python not in COMPARISONS:
            setattr(kind, f"__r{python}__", _method(name, reflected=True))
    for python, name in (UNARY | {"invert": "logical_not"}).items():
        setattr(kind, f"__{python}__", _method(name))
    kind.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]


def _method(name: str, reflected: bool = False) -> Callable[..., Any]:
    def method(*operands: Any) -> Any:
        return TABLE[name](*(operands[::-1] if reflected else operands))

    return method


def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """NumPy's functions of a Value are those of the table: `np.exp(x)` is `ag.exp(x)`."""
    # Of a scalar that it compares with a Value, NumPy makes an array without dimensions.
    inputs = tuple(x.item() if getattr(x, "shape", None) == () else x for x in inputs)
    is_elementwise = any(getattr(x, "shape", None) for x in inputs)
    if ufunc.__name__ in ("equal", "not_equal") and not is_elementwise:
        other = inputs[1] if inputs[0] is self else inputs[0]
        return (self.__eq__(other) is True) is (ufunc.__name__ == "equal")
    name = ufunc.__name__
    if name in _COMPOSED and method == "__call__" and not (options or is_elementwise):
        return _COMPOSED[name](*inputs)
    primitive = TABLE.get(UFUNCS.get(name, name))
    if primitive is None or method != "__call__" or options:
        raise TypeError(f"np.{ufunc.__name__} takes no Value; write it with the functions of ag")
    return primitive(*inputs)


add_arithmetic(Symbol)


# --- formulas as source ---------------------------------------------------------------------------


def parameters_of(expression: str) -> list[str]:
    """The names in an expression that are not primitives, sorted."""
    nodes = ast.walk(ast.parse(expression, mode="eval"))
    return sorted({node.id for node in nodes if isinstance(node, ast.Name)} - set(TABLE))


def statements(formula: Any, in_place: bool = False) -> tuple[list[str], str]:
    """A formula as Python: assignments of repeated subexpressions, and the expression.

    With `in_place`, functions of `math` are called without a wrapper where they cannot raise.
    """
    uses = Counter[Symbol]()
    lines: list[str] = []
    texts: dict[Symbol, str] = {}

    def count(x: Symbol) -> None:
        for arg in x.args:
            if isinstance(arg, Symbol):
                if not uses[arg]:
                    count(arg)
                uses[arg] += 1

    def named(x: Symbol, text: str) -> str:
        texts[x] = f"t{len(texts)}"
        lines.append(f"{texts[x]} = {_bare(text)}")
        return texts[x]

    def written(x: Any, in_branch: bool, as_condition: bool = False) -> str:
        if not isinstance(x, Symbol):
            text = repr(float(x))
            return f"({text})" if text[0] == "-" else text
        if x.primitive is None or x in texts:
            return texts.get(x, x.name)
        in_branch = in_branch and uses[x] == 1  # what is used more often is computed before
        is_where = x.primitive.name == "where"
        operands = [
            written(arg, in_branch or (is_where and i > 0), is_where and i == 0)
            for i, arg in enumerate(x.args)
        ]
        template = x.primitive.template or (x.primitive.call_in_place if in_place else "")
        for i, arg in enumerate(x.args):  # an operand that is to be repeated gets a name
            if template.count(f"{{{i}}}") > 1 and operands[i][-1] == ")" and type(arg) is Symbol:
                if in_branch:  # where it might be computed in vain
                    template = ""
                else:
                    operands[i] = named(arg, operands[i])
        if as_condition and x.primitive.name in COMPARISONS and uses[x] == 1:
            return f" {x.primitive.symbol} ".join(operands)
        call = f"{x.primitive.key}({', '.join(map(_bare, operands))})"
        text = f"({template.format(*operands)})" if template else call
        return named(x, text) if uses[x] > 1 else text

    if isinstance(formula, Symbol):
        count(formula)
    text = _bare(written(formula, in_branch=False))
    return lines, text


def _bare(text: str) -> str:
    """The text without the parentheses around it."""
    depth = 0
    for i, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1] if text[0] == "(" else text


def function_of(formula: Any, parameters: Sequence[str], name: str) -> Callable[..., float]:
    """A formula of symbols as a Python function, whose source tracebacks and debuggers find."""
    lines, text = statements(formula, in_place=True)
    return _executed(name, _definition(name, parameters, [*lines, f"return {text}"]))


def _definition(name: str, parameters: Sequence[str], lines: Sequence[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"def {name}({', '.join(parameters)}):\n{body}"


def _executed(name: str, text: str, title: str = "") -> Callable[..., Any]:
    filename = f"<autograd {title or name}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    made: dict[str, Callable[..., Any]] = {}
    exec(compile(text, filename, "exec"), NAMESPACE, made)
    return made[name]


_BUILTIN = {"type", "float", "int", "next"}
"""The names of Python that generated source uses."""


def key_of(name: str) -> str:
    """A unique name for a primitive in generated source."""
    is_usable = name.isidentifier() and name.isascii() and not keyword.iskeyword(name)
    is_local = re.fullmatch(r".|d.|[tx]\d+|node|.*_row", name)  # operands and the like, and rows
    if not is_usable or is_local or name in _BUILTIN:
        name = "row"
    names = itertools.chain([name], map(f"{name}_{{}}".format, itertools.count(2)))
    return next(name for name in names if name not in NAMESPACE)


# --- the operator of a row ------------------------------------------------------------------------

_NUMBER = """\
if type({x}) is {kind}: {a} = {x}._float
elif type({x}) is float: {a} = {x}
elif type({x}) is int:
    try: {x} = {a} = float({x})
    except OverflowError: return {row}.on_any({operands})
else: return {row}.on_any({operands})
"""

_NODE = """\
if open_pauses and is_paused(): return {kind}(z)
node = new_{kind}()
node._float = z
node._created = next(counter)
node.grad = None
node.label = ""
node.primitive = {row}
"""


def source(primitive: Primitive, method_of: int | None = None) -> str:
    """The operator of a primitive as the source of a Python function.

    It computes the number of each operand, then the value, then the partial derivative with respect
    to each operand that is a node. An operand x that is its own number a (`x is a`) is not a node.

    Args:
        primitive: a row with one to three operands.
        method_of: the operand that the function is a method of, which therefore is a node: 0 for
            `__mul__`, 1 for `__rmul__`. None for a function that takes numbers as well.
    """
    operands, numbers = "xyv"[: len(primitive.partials)], "abc"[: len(primitive.partials)]
    row, formulas = f"{primitive.key}_row", primitive.formulas(["z", *numbers])
    parameters = list(operands[::-1] if method_of else operands)
    node = None if method_of is None else operands[method_of]
    value_lines, value = statements(formulas[0], in_place=True)

    def lines() -> Iterator[str]:
        for x, a in zip(operands, numbers, strict=True):
            if x == node:
                yield f"{a} = {x}._float"
                continue
            kind = "Condition" if primitive.name == "where" and x == "x" else "Value"
            names = ", ".join(operands)
            yield from _NUMBER.format(x=x, a=a, kind=kind, row=row, operands=names).splitlines()
        yield from value_lines
        yield f"z = {value}"
        if node is None:
            only_numbers = (f"{x} is {a}" for x, a in zip(operands, numbers, strict=True))
            yield f"if {' and '.join(only_numbers)}: return z"
        kind = "Condition" if primitive.name in CONDITIONS else "Value"
        yield from _NODE.format(kind=kind, row=row).splitlines()
        slopes = []
        for x, a, formula in zip(operands, numbers, formulas[1:], strict=True):
            shared, slope = ([], "None") if formula is None else statements(formula, in_place=True)
            if len(operands) == 1:  # the lines that the value begins with, too, have run
                ends = range(1, len(shared) + 1)
                yield from (shared[i - 1] for i in ends if shared[:i] != value_lines[:i])
            elif x == node:
                yield from shared
            elif shared:
                yield f"if {x} is {a}: d{x} = None"
                yield "else:"
                yield from (f"    {line}" for line in [*shared, f"d{x} = {slope}"])
                slope = f"d{x}"
            elif formula is not None and x != node:
                slope = f"None if {x} is {a} else {slope}"
            slopes.append(slope)
        if len(operands) > 2:
            yield f"node._x = ({', '.join(operands)})"
            yield "node._y = node._dy = None"
            yield f"node._dx = ({', '.join(slopes)})"
        else:
            yield f"node._x = {operands[0]}"
            yield f"node._y = {operands[1] if len(operands) == 2 else None}"
            yield f"node._dx = {slopes[0]}"
            yield f"node._dy = {slopes[1] if len(operands) == 2 else None}"
        yield "return node"

    return _definition(primitive.key, parameters, list(lines()))


@cache
def operator(primitive: Primitive, method_of: int | None = None) -> Callable[..., Any]:
    """The function that records `primitive`, or a method that does; see `source`."""
    title = f"operator {primitive.name}{'' if method_of is None else f', method {method_of}'}"
    function = _executed(primitive.key, source(primitive, method_of), title)
    function.__doc__ = primitive.__doc__
    return function
