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
from autograd.viz.notation import is_word, shortened

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
    try:
        # A null and a lone surrogate would be ValueErrors of other kinds.
        readable = text.replace("\0", "?").encode(errors="replace").decode()
        tree = ast.parse(readable, mode="eval").body
        result = _recorded(tree, text, variables)
    except (SyntaxError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        if re.search(r"\d\s*[^\W\d]", text):
            reason += "; a product is written with *, such as 2*a"
        raise ValueError(f"{_quoted(text)} is no formula: {reason}") from None
    terms = list(ast.walk(tree))
    called = {term.func for term in terms if isinstance(term, ast.Call)}
    used = {term.id for term in terms if isinstance(term, ast.Name) and term not in called}
    if unused := variables.keys() - used:
        raise ValueError(f"{_quoted(text)}: there is no variable {min(unused)} in it")
    output = result if isinstance(result, Value) else Value(result)
    output.label = output.label or text
    return output


def _recorded(term: ast.expr, text: str, variables: dict[str, Value]) -> Operand:
    """The value of a term, its operations recorded from left to right."""
    outer: list[ast.BinOp] = []  # a sum of n terms is n - 1 operations deep on its left
    while isinstance(term, ast.BinOp) and type(term.op) in OPERATORS:
        outer.append(term)
        term = term.left
    result = _first_operand(term, text, variables)
    for term in reversed(outer):
        result = OPERATORS[type(term.op)](result, _recorded(term.right, text, variables))
    return result


def _first_operand(term: ast.expr, text: str, variables: dict[str, Value]) -> Operand:
    """The value of a number, a variable, a negation or a call."""
    known = functions()
    match term:
        case ast.Constant(value=int() | float() as number) if type(number) is not bool:
            return real_number(number, text)
        case ast.Name(id=name) if name in variables:
            return variables[name]
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.Name(id=name):
            raise ValueError(f"{_quoted(text)}: the variable {name} has no number; add {name}=1.5")
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            primitive, operands = OPERATORS[type(op)], [operand]
        case ast.Call(func=ast.Name(id=name), args=operands, keywords=[]) if name in known:
            primitive, takes = known[name], len(known[name].partials)
            if len(operands) != takes:
                raise ValueError(
                    f"{_quoted(text)}: {name} takes {takes} arguments, not {len(operands)}"
                )
        case _:
            unknown = ast.get_source_segment(text, term) or text
            instead = _hint(term) or f"write + - * / ** and {', '.join(known)}"
            raise ValueError(f"{_quoted(text)}: cannot read {_quoted(unknown)}; {instead}")
    result: Operand = primitive(*[_recorded(x, text, variables) for x in operands])
    return result


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
    return repr(shortened(text))
