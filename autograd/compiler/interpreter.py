"""An interpreter of tapes: it starts at once, for the first calls, which need no compiled program.

It evaluates one operation after another, at a single point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autograd.compiler.columns import Column, Numbers, joined_leaves
from autograd.compiler.program import Executable
from autograd.primitives import TABLE, Primitive

if TYPE_CHECKING:
    from autograd.compiler.lowering import Tape


def most_calls(tape: Tape) -> int:
    """How many calls to interpret: together they take about 20 ms, or are two.

    An operation takes 0.4 µs, and to compile it from 2 µs (the determinant of 8 rows, which is
    nothing but loops) to 100 µs (a power flow with 5 buses).
    """
    return 2 + 50_000 // len(tape.op)


def interpreter(tape: Tape) -> Executable:
    """A function that evaluates a tape for a batch of one example."""
    import numpy as np

    start = tape.start.tolist()
    args, constants = tape.arg.tolist(), tape.numbers.tolist()
    first = len(constants) + len(tape.inputs) + len(tape.leaves)
    ops = tape.op[first:].tolist()
    function_of = {op: _function(tape.names[op]) for op in set(ops)}
    code = [function_of[op] for op in ops]
    starts, ends = start[first:-1], start[first + 1 :]

    def run(leaves: Sequence[float], columns: Sequence[Column]) -> Numbers:
        numbers, inputs = joined_leaves(leaves, columns)
        values: list[float] = [*constants]
        for column in inputs:
            values += column.numbers.tolist()
        values += numbers.tolist()
        append, value_of = values.append, values.__getitem__
        for function, begin, end in zip(code, starts, ends):  # noqa: B905 - in half the time
            append(function(*map(value_of, args[begin:end])))
        return np.array([values[i] for i in tape.results], float)

    return run


def _function(name: str) -> Callable[..., float]:
    """The value of an operation on floats; "copy" and the mean of one example are the operand."""
    if name in ("copy", "mean"):
        return float
    row: Primitive = TABLE[name.removeprefix("row.")]
    return row if name.startswith("row.") else row.value  # a user's row checks what it returns
