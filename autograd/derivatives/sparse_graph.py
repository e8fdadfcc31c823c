"""Input of the sparse algorithms: the active nodes of a graph, with duplicate nodes merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import primitives
from autograd.derivatives.activity import derivative_args
from autograd.derivatives.graph import nodes_since
from autograd.derivatives.terms import Factor, Recorder, is_number
from autograd.value import Value


class ActiveGraph:
    """The nodes through which outputs have a derivative with respect to inputs.

    Attributes:
        record: records further operations; one that is in the graph already is taken from there.
        outputs: the outputs, Values and numbers.
        order: the active nodes, inputs first and then as they were created.
        rank: the place of each in this order.
    """

    def __init__(self, outputs: Sequence[Factor], inputs: Sequence[Any]) -> None:
        self.record = Recorder()
        first: dict[Any, Factor] = {x: x for x in inputs}  # for each node, the first equal to it
        operands: dict[Any, list[Any]] = {x: [] for x in inputs}  # of active nodes, the active ones
        for node in nodes_since([x for x in outputs if type(x) is not float], inputs):
            if node in first or node.primitive is None:
                continue
            args = [x if type(x) is float else first.get(x, x) for x in node.args]
            found = first[node] = _canonical(node, args, self.record)
            if found not in operands and type(found) is not float and found.primitive is not None:
                active = [x for x in derivative_args(found.primitive, found.args) if x in operands]
                if active:
                    operands[found] = active
        self.outputs: list[Any] = [x if type(x) is float else first.get(x, x) for x in outputs]
        needed = {*inputs, *self.outputs}
        for node, active in reversed(operands.items()):
            if node in needed:
                needed.update(active)
        self.order = [x for x in operands if x in needed]
        self.rank = {x: i for i, x in enumerate(self.order)}


def _canonical(node: Value, args: Sequence[Factor], record: Recorder) -> Factor:
    """The node on these operands, or one with the same bits that is simpler or known."""
    row = node.primitive
    if row is primitives.sum and len(args) == 1:
        return args[0]
    if row in (primitives.mul, primitives.div, primitives.pow):
        x, y = args
        if is_number(y, 1.0):
            return x
        if row is primitives.mul and is_number(x, 1.0):
            return y
        if row is primitives.mul and type(y) is float:
            return record(row, y, x)  # the number in front, as in products of `terms`
        if row is primitives.pow and is_number(y, 2.0):
            return record(primitives.mul, x, x)
    return record.known(node, args)
