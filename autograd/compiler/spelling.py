"""How each primitive is written in machine code, step by step as its value on floats is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from autograd.compiler.instructions import Code, Numbers

    Spelling: TypeAlias = Callable[..., Numbers]


def _relu(code: Code, x: Numbers) -> Numbers:
    zero = code.number(0.0)
    return code.select(code.compare("<", x, zero), zero, x)


def _power(code: Code, x: Numbers, y: Numbers) -> Numbers:
    square = code.operation("fmul", x, x)
    is_two = code.compare("==", y, code.number(2.0))
    return code.select(is_two, square, code.call("libm.pow", x, y))


def _sech2(code: Code, x: Numbers) -> Numbers:
    one, size = code.number(1.0), code.intrinsic("llvm.fabs", x)
    e = code.call("libm.exp", code.operation("fmul", code.number(-2.0), size))
    above = code.operation("fadd", one, e)
    four_e = code.operation("fmul", code.number(4.0), e)
    return code.operation("fdiv", four_e, code.operation("fmul", above, above))


def _exp_of_minus_abs(code: Code, x: Numbers) -> Numbers:
    return code.call("libm.exp", code.operation("fneg", code.intrinsic("llvm.fabs", x)))


def _sigmoid(code: Code, x: Numbers) -> Numbers:
    one, e = code.number(1.0), _exp_of_minus_abs(code, x)
    numerator = code.select(code.compare(">=", x, code.number(0.0)), one, e)
    return code.operation("fdiv", numerator, code.operation("fadd", one, e))


def _softplus(code: Code, x: Numbers) -> Numbers:
    log1p = code.call("libm.log1p", _exp_of_minus_abs(code, x))
    return code.operation("fadd", _relu(code, x), log1p)


def _extremum(wins: str, loses: str, code: Code, x: Numbers, y: Numbers) -> Numbers:
    other = code.select(code.compare(loses, x, y), y, code.operation("fadd", x, y))
    return code.select(code.compare(wins, x, y), x, other)


def _operation(name: str, code: Code, *args: Numbers) -> Numbers:
    return code.operation(name, *args)


def _libm(name: str, code: Code, *args: Numbers) -> Numbers:
    return code.call(f"libm.{name}", *args)


def _comparison(symbol: str, code: Code, x: Numbers, y: Numbers) -> Numbers:
    return code.truth(code.compare(symbol, x, y))


LIBM = "exp expm1 log log1p sin cos tan asin acos atan atan2 sinh cosh tanh erf erfc pow"
"""The functions of the C library that a program may call."""

SPELLING: dict[str, Spelling] = {
    **{name: partial(_operation, f"f{name}") for name in ("add", "sub", "mul", "div", "neg")},
    **{name: partial(_libm, name) for name in LIBM.split()},
    "pow": _power,
    "stop_gradient": lambda code, x: x,
    "sech2": _sech2,
    "lt": partial(_comparison, "<"),
    "le": partial(_comparison, "<="),
    "gt": partial(_comparison, ">"),
    "ge": partial(_comparison, ">="),
    "where": lambda code, c, x, y: code.select(code.holds(c), x, y),
    "maximum": partial(_extremum, ">=", "<"),
    "minimum": partial(_extremum, "<=", ">"),
    "abs": lambda code, x: code.intrinsic("llvm.fabs", x),
    "sqrt": lambda code, x: code.intrinsic("llvm.sqrt", x),
    "sigmoid": _sigmoid,
    "relu": _relu,
    "softplus": _softplus,
}
"""Rows of the table that are not here are called back."""
