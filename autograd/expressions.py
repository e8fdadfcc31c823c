"""A formula in text, such as `"tanh(a*b + c)"`, as a graph of Values.

The text is parsed and its operations are recorded one by one; nothing in it is run as Python.
"""

from __future__ import annotations

import ast
import unicodedata

from autograd import primitives
from autograd.primitives import Primitive
from autograd.value import Operand, Value

OPERATORS: dict[type[ast.AST], Primitive] = {
    ast.Add: primitives.add,
    ast.Sub: primitives.sub,
    ast.Mult: primitives.mul,
    ast.Div: primitives.div,
    ast.Pow: primitives.pow,
    ast.USub: primitives.neg,
}

FUNCTIONS: dict[str, Primitive] = {
    name: primitive
    for name, primitive in primitives.TABLE.items()
    if name not in ("add", "sub", "mul", "div", "pow", "neg", "where", "sum", "dot")
}


def parse(text: str, /, **numbers: float) -> Value:
    """The graph of the formula `text`, whose variables are leaves labelled with their names.

    Args:
        text: numbers, variables, `+ - * / **`, parentheses, and the library's functions of one or
            two arguments: `exp(x)`, `maximum(x, y)`, …. The whole formula is the output's label.
        numbers: one number for each variable.

    Raises:
        ValueError: if the text is no such formula, a variable has no number, or a number belongs
            to no variable.
    """
    text = text.strip()
    # Python's parser normalises the names in the text, so that "µ" is one variable however typed.
    names = {name: unicodedata.normalize("NFKC", name) for name in numbers}
    variables = {names[name]: Value(number, names[name]) for name, number in numbers.items()}
    operands: list[Operand] = []
    unused = set(variables)
    for term in _postorder(_tree(text)):
        match term:
            case ast.Constant(value=int() | float() as number) if type(number) is not bool:
                operands.append(primitives.real_number(number, text))
            case ast.Name(id=name) if name in variables:
                operands.append(variables[name])
                unused.discard(name)
            case ast.Name(id=name):
                raise ValueError(f"{text!r}: the variable {name} has no number; add {name}=1.5")
            case _:
                primitive, n_args = _operation(term, text)
                first = len(operands) - n_args
                operands[first:] = [primitive(*operands[first:])]
    if unused:
        raise ValueError(f"{text!r}: there is no variable {min(unused)} in it")
    (result,) = operands
    output = result if isinstance(result, Value) else Value(result)
    output.label = output.label or text
    return output


def _tree(text: str) -> ast.expr:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        raise ValueError(f"{text!r} is no formula: {reason}") from None


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


def _operation(term: ast.expr, text: str) -> tuple[Primitive, int]:
    """The primitive that a term stands for, and how many operands it takes."""
    match term:
        case ast.BinOp(op=op) | ast.UnaryOp(op=op) if type(op) in OPERATORS:
            return OPERATORS[type(op)], len(_operands(term))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            takes = len(FUNCTIONS[name].partials)
            if len(args) != takes:
                raise ValueError(f"{text!r}: {name} takes {takes} arguments, not {len(args)}")
            return FUNCTIONS[name], takes
    unknown = ast.get_source_segment(text, term)  # as typed; ast.unparse would be recursive
    raise ValueError(
        f"{text!r}: cannot read {unknown!r}; write + - * / ** and {', '.join(FUNCTIONS)}"
    )
