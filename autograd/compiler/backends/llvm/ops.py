"""The op table of machine code: how each elementary primitive is written in LLVM IR.

Every operation is that of IEEE 754, or a function of the C library, in the steps of the primitive's
value on floats, so that all back ends have the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Code: TypeAlias = Any
"""The `Vectors` of `builder`, which reads this table."""

Register: TypeAlias = Any
"""Its name; or a literal."""

Op: TypeAlias = Callable[..., Register]
"""Takes the code and a register for each argument; returns the register of the result."""

LIBM = (
    *("exp", "expm1", "log", "log1p", "pow", "erf", "erfc"),
    *("log2", "log10", "floor", "fmod", "asinh", "acosh", "atanh"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
)
"""The functions of the C library that a program may call."""


def _instruction(text: str) -> Op:
    """An op of one instruction; in `text`, T is the type and V its suffix in intrinsics."""
    return lambda code, *xs: code.let(text.format(*xs, T=code.type, V=code.suffix))


def _comparison(condition: str) -> Op:
    def op(code: Code, x: Register, y: Register) -> Register:
        return code.select(code.compare(condition, x, y), code.literal(1.0), code.literal(0.0))

    return op


def _where(code: Code, c: Register, x: Register, y: Register) -> Register:
    return code.select(code.compare("une", c, code.literal(0.0)), x, y)


def _library(name: str) -> Op:
    return lambda code, *xs: code.call(f"libm.{name}", *xs)


def _power(code: Code, x: Register, y: Register) -> Register:
    is_two = code.compare("oeq", y, code.literal(2.0))
    return code.select(is_two, code.op("mul", x, x), code.call("libm.pow", x, y))


OPS: dict[str, Op] = {
    # arithmetic
    "add": _instruction("fadd {T} {}, {}"),
    "sub": _instruction("fsub {T} {}, {}"),
    "mul": _instruction("fmul {T} {}, {}"),
    "div": _instruction("fdiv {T} {}, {}"),
    "neg": _instruction("fneg {T} {}"),
    "abs": _instruction("call {T} @llvm.fabs.{V}({T} {})"),
    "sqrt": _instruction("call {T} @llvm.sqrt.{V}({T} {})"),
    "stop_gradient": lambda code, x: x,
    # comparisons, which never hold for a nan, and the choice between two numbers
    "lt": _comparison("olt"),
    "le": _comparison("ole"),
    "gt": _comparison("ogt"),
    "ge": _comparison("oge"),
    "where": _where,
    # the C library
    **{name: _library(name) for name in LIBM},
    "pow": _power,
}
"""A primitive that is not here is called back: its value on floats is run by Python."""
