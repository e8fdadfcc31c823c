"""Parse the text of a formula into a graph: `parse("tanh(a*b + c)", a=2, b=-3, c=10)`."""

from __future__ import annotations

import ast
import math
import re
import unicodedata

from autograd import primitives
from autograd.checks import real_number
from autograd.primitives import TABLE, Primitive
from autograd.value import Operand, Value
from autograd.viz.notation import LONGEST_TEXT, is_word

OPERATORS: dict[type[ast.AST], Primitive] = {
    ast.Add: primitives.add,
    ast.Sub: primitives.sub,
    ast.Mult: primitives.mul,
    ast.Div: primitives.div,
    ast.Pow: primitives.pow,
    ast.USub: primitives.neg,
}


def functions() -> dict[str, Primitive]:
    """The functions that a formula may call: the primitives written as functions of numbers."""
    return {
        name: primitive
        for name, primitive in TABLE.items()
        if is_word(primitive.symbol) and not primitive.variadic and name != "where"
    }


CONSTANTS = {"pi": math.pi, "π": math.pi, "e": math.e}
"""Names that need no number, unless one is given."""

SAID_ELSEWHERE = {"max": "maximum", "min": "minimum", "ln": "log", "arctan": "atan"}
"""Functions by the names that they have elsewhere, and what they are called here."""


def parse(text: str, /, **numbers: float) -> Value:
    """The graph of the formula `text`, whose variables are leaves labeled with their names.

    The text is parsed and its operations are recorded one by one; nothing in it is run as Python.

    Args:
        text: numbers, variables, `pi` and `e`, `+ - * / **`, parentheses, and the library's
            functions of one or two arguments: `exp(x)`, `maximum(x, y)`, …. The whole formula is
            the output's label.
        numbers: one number for each variable.

    Raises:
        ValueError: if the text is no such formula, a variable has no number, or a number belongs
            to no variable.
    """
    text = text.strip()
    # Python's parser normalizes the names in the text, so that "µ" is one variable however typed.
    normal = {name: unicodedata.normalize("NFKC", name) for name in numbers}
    variables = {normal[name]: Value(number, normal[name]) for name, number in numbers.items()}
    operands: list[Operand] = []
    unused = set(variables)
    for term in _postorder(_tree(text)):
        match term:
            case ast.Constant(value=int() | float() as number) if type(number) is not bool:
                operands.append(real_number(number, text))
            case ast.Name(id=name) if name in variables:
                operands.append(variables[name])
                unused.discard(name)
            case ast.Name(id=name) if name in CONSTANTS:
                operands.append(CONSTANTS[name])
            case ast.Name(id=name):
                raise ValueError(
                    f"{_quoted(text)}: the variable {name} has no number; add {name}=1.5"
                )
            case _:
                primitive, n_args = _called(term, text)
                first = len(operands) - n_args
                operands[first:] = [primitive(*operands[first:])]
    if unused:
        raise ValueError(f"{_quoted(text)}: there is no variable {min(unused)} in it")
    (result,) = operands
    output = result if isinstance(result, Value) else Value(result)
    output.label = output.label or text
    return output


def _tree(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        if re.search(r"\d\s*[^\W\d]", text):
            reason += "; a product is written with *, such as 2*a"
        raise ValueError(f"{_quoted(text)} is no formula: {reason}") from None


def _postorder(tree: ast.expr) -> list[ast.expr]:
    """Every term after its operands, which go from left to right."""
    order, stack = [], [tree]
    while stack:
        term = stack.pop()
        order.append(term)
        stack += _operands(term)
    return order[::-1]


def _operands(term: ast.expr) -> list[ast.expr]:
    match term:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Call(args=args):
            return args
    return []


def _called(term: ast.expr, text: str) -> tuple[Primitive, int]:
    """The primitive that a term stands for, and how many operands it takes."""
    known = functions()
    match term:
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) if type(op) in OPERATORS:
            return OPERATORS[type(op)], len(_operands(term))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in known:
            takes = len(known[name].partials)
            if len(args) != takes:
                raise ValueError(
                    f"{_quoted(text)}: {name} takes {takes} arguments, not {len(args)}"
                )
            return known[name], takes
    unknown = ast.get_source_segment(text, term) or text  # ast.unparse would be recursive
    instead = _hint(term) or f"write + - * / ** and {', '.join(known)}"
    raise ValueError(f"{_quoted(text)}: cannot read {_quoted(unknown)}; {instead}")


def _hint(term: ast.expr) -> str:
    """A hint for a term that other languages write differently; empty if there is none."""
    match term:
        case ast.BinOp(op=ast.BitXor()):
            return "a power is written with **, such as a**2"
        case ast.Call(func=ast.Name(id=name)) if name in SAID_ELSEWHERE:
            return f"{name} is called {SAID_ELSEWHERE[name]} here"
        case ast.Call(func=ast.Attribute(attr=name)) if (
            SAID_ELSEWHERE.get(name, name) in functions()
        ):
            return f"write {SAID_ELSEWHERE.get(name, name)}(…) alone"
    return ""


def _quoted(text: str) -> str:
    """The text in quotes for a message, shortened if it is long."""
    return repr(text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…")
