"""The operator of a primitive as source: what runs when `Value` records.

A rule read with names is its own formula, and in Python's spelling that formula is code. So every
row writes the fast operator itself, with its arithmetic in place, and states nothing twice.

    >>> print(source(primitives.exp))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from autograd import primitives
from autograd.primitives import TABLE, Primitive

BINARY = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow"}
UNARY = {"neg": "neg", "abs": "abs"}
COMPARISONS = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
"""Python's operators on the left, which row of the table they are on the right."""

HOUSE = frozenset(TABLE)
"""The rows of this package, whose values are known to be floats; of others that is checked."""


class Name:
    """A name, or a formula of names: what a rule computes with when it is read to be written.

    Attributes:
        text: the formula in Python.
        is_word: whether it is a name or a number, which may be repeated at no cost.
        condition: of a comparison, the formula as a condition.
    """

    __slots__ = ("condition", "is_word", "text")

    def __init__(self, text: str, is_word: bool = False, condition: str = "") -> None:
        self.text = text
        self.is_word = is_word
        self.condition = condition or text

    @property
    def operand(self) -> str:
        """The formula as it stands in others."""
        return self.text if self.is_word or self.text.endswith(")") else f"({self.text})"

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Name:
        """The formula of a primitive on formulas."""
        names = [arg if isinstance(arg, Name) else _constant(float(arg)) for arg in args]
        operands = [name.operand for name in names]
        if primitive is primitives.where:
            return Name(f"({operands[1]} if {names[0].condition} else {operands[2]})")
        is_called = not primitive.inline or (
            "{0}" in primitive.inline and not all(name.is_word for name in names)
        )
        if is_called:
            return Name(f"{primitive.name}({', '.join(name.text for name in names)})")
        compares = primitive.name in COMPARISONS
        condition = f" {primitive.symbol} ".join(operands) if compares else ""
        return Name(f"({primitive.inline.format(*operands)})", condition=condition)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"a rule branches on {self.text}, so that only one branch would be known: "
            f"write where(condition, x, y)"
        )

    def __float__(self) -> NoReturn:
        raise TypeError(
            f"a rule asks for the number of {self.text}: write it in the operations of the table, "
            f"such as autograd.exp for math.exp"
        )


def _constant(number: float) -> Name:
    text = repr(number)
    return Name(f"({text})" if text[0] == "-" else text, is_word=True)


def _method(primitive: Primitive, reflected: bool = False) -> Callable[..., Any]:
    def method(*operands: Any) -> Any:  # a primitive itself would be no method, being no function
        return primitive(*(operands[::-1] if reflected else operands))

    return method


for _python, _name in (BINARY | UNARY | COMPARISONS).items():
    setattr(Name, f"__{_python}__", _method(TABLE[_name]))
for _python, _name in BINARY.items():
    setattr(Name, f"__r{_python}__", _method(TABLE[_name], reflected=True))


# --- the operator as a whole ----------------------------------------------------------------------

_UNARY = """\
def {name}(operand):
    if type(operand) is not Value:
        return {name}_row(operand)
    x = operand._float
    z = {value}
    if open_pauses and is_paused():
        return {kind}(z)
    node = new({kind})
    node._float = z
    node.grad = None
    node.label = ""
    node.primitive = {name}_row
    node._x = operand
    node._dx = {dx}
    node._y = node._dy = None
    return node
"""

_BINARY = """\
def {name}({parameters}):
    if type(left) is Value:
        x = left._float
        if type(right) is Value:
            y = right._float
            z = {value}
            dx = {dx}
            dy = {dy}
        else:
            if type(right) is float:
                y = right
            elif type(right) is int:
                right = y = float_of(right)
            else:
                return {name}_row(left, right)
            z = {value}
            dx = {dx}
            dy = None
    elif type(right) is Value:
        if type(left) is float:
            x = left
        elif type(left) is int:
            left = x = float_of(left)
        else:
            return {name}_row(left, right)
        y = right._float
        z = {value}
        dx = None
        dy = {dy}
    else:
        return {name}_row(left, right)
    if open_pauses and is_paused():
        return {kind}(z)
    node = new({kind})
    node._float = z
    node.grad = None
    node.label = ""
    node.primitive = {name}_row
    node._x = left
    node._y = right
    node._dx = dx
    node._dy = dy
    return node
"""


def source(primitive: Primitive, reflected: bool = False) -> str:
    """The operator of a primitive on one or two operands, as the text of a Python function."""
    operands = [Name(name, is_word=True) for name in ("x", "y")[: len(primitive.partials)]]
    rules = [
        rule and written(rule(Name("z", is_word=True), *operands)) for rule in primitive.partials
    ]
    value = written(Name.record(primitive, operands))
    return (_UNARY if len(operands) == 1 else _BINARY).format(
        name=primitive.name,
        parameters="right, left" if reflected else "left, right",
        value=value if primitive.name in HOUSE else f"{primitive.name}_row.{value}",
        dx=rules[0],
        dy=rules[-1],
        kind="Condition" if primitive.name in COMPARISONS else "Value",
    )


def written(formula: Any) -> str:
    """What a rule gave for names, as source."""
    text = formula.text if isinstance(formula, Name) else _constant(float(formula)).text
    return text[1:-1] if text[0] == "(" and text[-1] == ")" else text
