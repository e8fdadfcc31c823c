"""An interpreter of tapes: it starts at once, for the first calls, which need no compiled program.

It evaluates one operation after another, at a single point.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autograd.compiler.columns import Column, Numbers, joined_leaves
from autograd.compiler.program import Executable
from autograd.gc_pause import gc_paused
from autograd.primitives import TABLE

if TYPE_CHECKING:
    from autograd.compiler.lowering import Tape


PLAIN: dict[str, Callable[..., float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "neg": operator.neg,
}
"""Operations that Python has a function for, which takes half the time of a row's own."""


def most_calls(tape: Tape) -> int:
    """How many calls to interpret: together they take about 20 ms, or are two.

    An operation takes 0.3 µs, and to compile it from 2 µs (the determinant of 8 rows, which is
    nothing but loops) to 100 µs (a power flow with 5 buses).
    """
    return 2 + 50_000 // len(tape.op)


def interpreter(tape: Tape) -> Executable:
    """A function that evaluates a tape for a batch of one example."""
    import numpy as np

    constants, arg = tape.numbers.tolist(), np.append(tape.arg, [0, 0])
    results = tape.results.tolist()
    first = len(constants) + len(tape.inputs) + len(tape.leaves)
    starts, ends = tape.start[first:-1], tape.start[first + 1 :]
    ops = tape.op[first:].tolist()
    function_of = {op: _function(tape.names[op]) for op in set(ops)}
    code = [function_of[op] for op in ops]
    seconds = np.where(ends - starts == 2, arg[starts + 1], -1)  # of two operands; else -1
    x_of, y_of, others = arg[starts].tolist(), seconds.tolist(), np.flatnonzero(seconds < 0)
    with gc_paused():
        operands = [arg[i:j].tolist() for i, j in zip(starts[others], ends[others], strict=True)]

    def run(leaves: Sequence[float], columns: Sequence[Column]) -> Numbers:
        numbers, inputs = joined_leaves(leaves, columns)
        values: list[float] = [*constants]
        for column in inputs:
            values += column.numbers.tolist()
        values += numbers.tolist()
        append, value_of, rest = values.append, values.__getitem__, iter(operands)
        for function, x, y in zip(code, x_of, y_of, strict=True):
            if y >= 0:
                append(function(values[x], values[y]))
            else:
                append(function(*map(value_of, next(rest))))
        return np.array([values[i] for i in results], float)

    return run


def _function(name: str) -> Callable[..., float]:
    """The value of an operation on floats; "copy" and the mean of one example are the operand."""
    if name in ("copy", "mean"):
        return float
    if name.startswith("row."):
        return TABLE[name.removeprefix("row.")]  # which checks what its value returns
    return PLAIN.get(name, TABLE[name].value)
