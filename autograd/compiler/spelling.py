"""How each primitive is written in machine code, step by step as its value on floats is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from autograd.compiler.instructions import Code, Numbers

    Spelling: TypeAlias = Callable[..., Numbers]


def _power(code: Code, x: Numbers, y: Numbers) -> Numbers:
    square = code.operation("fmul", x, x)
    is_two = code.compare("==", y, code.number(2.0))
    return code.select(is_two, square, code.call("libm.pow", x, y))


def _operation(name: str, code: Code, *args: Numbers) -> Numbers:
    return code.operation(name, *args)


def _libm(name: str, code: Code, *args: Numbers) -> Numbers:
    return code.call(f"libm.{name}", *args)


def _comparison(symbol: str, code: Code, x: Numbers, y: Numbers) -> Numbers:
    return code.truth(code.compare(symbol, x, y))


LIBM = (
    "exp expm1 log log1p log2 log10 pow sin cos tan asin acos atan atan2 "
    "sinh cosh tanh asinh acosh atanh erf erfc floor fmod"
)
"""The functions of the C library that a program may call."""

SPELLING: dict[str, Spelling] = {
    **{name: partial(_operation, f"f{name}") for name in ("add", "sub", "mul", "div", "neg")},
    **{name: partial(_libm, name) for name in LIBM.split()},
    "pow": _power,
    "stop_gradient": lambda code, x: x,
    "lt": partial(_comparison, "<"),
    "le": partial(_comparison, "<="),
    "gt": partial(_comparison, ">"),
    "ge": partial(_comparison, ">="),
    "where": lambda code, c, x, y: code.select(code.holds(c), x, y),
    "abs": lambda code, x: code.intrinsic("llvm.fabs", x),
    "sqrt": lambda code, x: code.intrinsic("llvm.sqrt", x),
}
"""Rows of the table that are not here are called back."""
