"""An interpreter of tapes: it starts at once, for the first calls, which need no compiled program.

It evaluates one operation after another, at a single point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from autograd.compiler.columns import Column, Numbers, joined_leaves
from autograd.compiler.program import Executable
from autograd.primitives import TABLE

if TYPE_CHECKING:
    from autograd.compiler.lowering import Tape

MOST_CALLS = 25
"""How many calls are interpreted: together they take less time than to compile. The Hessian of a
power flow with 5 buses, 719 operations, takes 0.3 ms in place of 75 ms to compile it; that of a
bundle adjustment, 53,000 operations, 22 ms in place of 700."""


def interpreter(tape: Tape) -> Executable:
    """A function that evaluates a tape for a batch of one example."""
    import numpy as np

    names = [_function(name) for name in tape.names]
    start = tape.start.tolist()
    args, constants = tape.arg.tolist(), tape.numbers.tolist()
    first = len(constants) + len(tape.inputs) + len(tape.leaves)
    code = [names[op] for op in tape.op[first:].tolist()]
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


def _function(name: str) -> Callable[..., float] | Any:
    """The value of an operation on floats."""
    if name in ("copy", "mean"):  # of one example
        return float
    row = TABLE.get(name.removeprefix("row."))
    return None if row is None else row.value
