"""The operator of a primitive as source: what runs when `Value` records.

A rule read with names is its own formula, and in Python's spelling that formula is code. So every
row writes the fast operator itself, with its arithmetic in place, and states nothing twice.

    >>> print(source(primitives.exp))
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

from autograd import primitives
from autograd.primitives import LETTER, TABLE, Primitive, letters

BINARY = {"add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "pow": "pow"}
UNARY = {"neg": "neg", "abs": "abs"}
COMPARISONS = {"lt": "lt", "le": "le", "gt": "gt", "ge": "ge"}
"""Python's operators on the left, which row of the table they are on the right."""

UFUNCS = {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "power": "pow",
    "negative": "neg",
    "absolute": "abs",
    "fabs": "abs",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
}
"""NumPy's names for rows of the table that are called otherwise here."""


class Name:
    """A name, or a formula of names: what a rule computes with when it is read to be written.

    Attributes:
        text: the formula in Python, in parentheses or otherwise one piece.
        is_word: whether it is a name or a number, which may be repeated at no cost.
        condition: of a comparison, the formula as a condition.
    """

    __slots__ = ("condition", "is_word", "text")

    def __init__(self, text: str, is_word: bool = False, condition: str = "") -> None:
        self.text = text
        self.is_word = is_word
        self.condition = condition or text

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Name:
        """The formula of a primitive on formulas."""
        names = [arg if isinstance(arg, Name) else _constant(float(arg)) for arg in args]
        operands = [name.text for name in names]
        if primitive is primitives.where:
            operands[0] = names[0].condition
        expression = primitive.expression
        found = re.findall(LETTER, expression)
        repeats = len(found) > len(names) and not all(name.is_word for name in names)
        if not expression or repeats:
            return Name(f"{primitive.name}({', '.join(map(written, names))})")
        given = dict(zip(letters(expression), operands, strict=True))
        text = re.sub(LETTER, lambda letter: given[letter[0]], expression)
        condition = f" {primitive.symbol} ".join(operands)
        return Name(f"({text})", condition=condition if primitive.name in COMPARISONS else "")

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

_NUMBER = """\
if type({x}) is float:
    {a} = {x}
elif type({x}) is int:
    try:
        {x} = {a} = float({x})
    except OverflowError:
        return {row}.on_any({operands})
else:
    return {row}.on_any({operands})
"""

_NODE = """\
if open_pauses and is_paused():
    return {kind}(z)
node = new({kind})
node._float = z
node.grad = None
node.label = ""
node.primitive = {row}
node._created = following()
node._x = {args[0]}
node._y = {args[1]}
node._dx = {partials[0]}
node._dy = {partials[1]}
return node
"""


def source(primitive: Primitive, reflected: bool = False) -> str:
    """The operator of a primitive as the text of a Python function.

    Each operand may be a node or a number. That is asked of one after the other, and each case has
    its own lines, so that nothing is computed that it does not need.
    """
    count = len(primitive.partials)
    operands, row = list("xyv"[:count]), f"{primitive.name}_row"
    result, *numbers = [Name(name, is_word=True) for name in "zabc"[: 1 + count]]
    value = written(Name.record(primitive, numbers))
    slopes = [rule and written(rule(result, *numbers)) for rule in primitive.partials]

    def cases(nodes: tuple[bool, ...] = ()) -> Iterator[str]:
        """The lines for all cases of the operands but the first ones, of which `nodes` tells."""
        if len(nodes) == count:
            yield f"z = {value}" if any(nodes) else f"return {value}"
            for x, slope, is_node in zip(operands, slopes, nodes, strict=True):
                if any(nodes):
                    yield f"d{x} = {slope if is_node else None}"
            return
        x, a = operands[len(nodes)], numbers[len(nodes)].text
        is_condition = primitive is primitives.where and not nodes
        yield f"if type({x}) is {'Condition' if is_condition else 'Value'}:"
        yield f"    {a} = {x}._float"
        yield from _indented(cases((*nodes, True)))
        yield "else:"
        number = _NUMBER.format(x=x, a=a, row=row, operands=", ".join(operands))
        yield from _indented(number.splitlines())
        yield from _indented(cases((*nodes, False)))

    def kept(names: list[str]) -> list[str]:
        return [*names, "None"] if count <= 2 else [f"({', '.join(names)})", "None"]

    node = _NODE.format(
        kind="Condition" if primitive.name in COMPARISONS else "Value",
        row=row,
        args=kept(operands),
        partials=kept([f"d{x}" for x in operands]),
    )
    parameters = ", ".join(reversed(operands) if reflected else operands)
    lines = [f"def {primitive.name}({parameters}):", *_indented([*cases(), *node.splitlines()])]
    return "\n".join([*lines, ""])


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)


def written(formula: Any) -> str:
    """What a rule gave for names, as source."""
    text = formula.text if isinstance(formula, Name) else _constant(float(formula)).text
    return text[1:-1] if text[0] == "(" and text[-1] == ")" else text
