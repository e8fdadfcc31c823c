"""The op table of machine code: how each primitive is written in LLVM IR.

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
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
)
"""The functions of the C library that a program may call."""


def _instruction(text: str) -> Op:
    """One instruction on the type T, or on the type that intrinsics call V."""
    return lambda code, *xs: code.let(text.format(*xs, T=code.type, V=code.suffix))


def _comparison(condition: str) -> Op:
    return lambda code, x, y: code.truth(code.compare(condition, x, y))


def _library(name: str) -> Op:
    return lambda code, *xs: code.call(f"libm.{name}", *xs)


def _power(code: Code, x: Register, y: Register) -> Register:
    is_two = code.compare("oeq", y, code.literal(2.0))
    return code.select(is_two, code.op("mul", x, x), code.call("libm.pow", x, y))


def _sech2(code: Code, x: Register) -> Register:
    e = code.op("exp", code.op("mul", -2.0, code.op("abs", x)))
    root = code.op("add", 1.0, e)
    return code.op("div", code.op("mul", 4.0, e), code.op("mul", root, root))


def _sigmoid(code: Code, x: Register) -> Register:
    e = code.op("exp", code.op("neg", code.op("abs", x)))
    return code.op("div", code.op("where", code.op("ge", x, 0.0), 1.0, e), code.op("add", 1.0, e))


def _relu(code: Code, x: Register) -> Register:
    return code.op("where", code.op("lt", x, 0.0), 0.0, x)


def _softplus(code: Code, x: Register) -> Register:
    e = code.op("exp", code.op("neg", code.op("abs", x)))
    return code.op("add", _relu(code, x), code.op("log1p", e))


def _extremum(wins: str, loses: str) -> Op:
    """The argument that wins; the sum where neither does, for a nan."""

    def write(code: Code, x: Register, y: Register) -> Register:
        other = code.op("where", code.op(loses, x, y), y, code.op("add", x, y))
        return code.op("where", code.op(wins, x, y), x, other)

    return write


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
    "where": lambda code, c, x, y: code.select(code.holds(c), x, y),
    # the C library
    **{name: _library(name) for name in LIBM},
    "pow": _power,
    # composites
    "sech2": _sech2,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "softplus": _softplus,
    "maximum": _extremum("ge", "lt"),
    "minimum": _extremum("le", "gt"),
}
"""A primitive that is not here is called back: its value on floats is run by Python."""
