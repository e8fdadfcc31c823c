"""Input of the sparse algorithms: the active nodes of a graph, with duplicate nodes merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from autograd import primitives
from autograd.derivatives.activity import derivative_args
from autograd.derivatives.graph import nodes_since, reached
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

    def __init__(self, outputs: Sequence[Factor], inputs: Sequence[Value]) -> None:
        self.record = Recorder()
        distinct = _distinct(outputs, inputs, self.record)
        self.outputs = [distinct.get(x, x) if isinstance(x, Value) else x for x in outputs]
        active: dict[Value, None] = dict.fromkeys(inputs)
        given = set(inputs)

        def operands(node: Value) -> list[Any]:
            if node.primitive is None or node in given:
                return []
            return derivative_args(node.primitive, node.args)

        for node in sorted(reached(self.outputs, operands), key=attrgetter("_created")):
            if not active.keys().isdisjoint(operands(node)):
                active[node] = None
        self.order = list(active)
        self.rank = {x: i for i, x in enumerate(active)}


def _distinct(
    outputs: Iterable[Factor], inputs: Sequence[Value], record: Recorder
) -> dict[Value, Factor]:
    """For each node that depends on an input, the first node that is equal to it."""
    same: dict[Value, Factor] = {x: x for x in inputs}
    for node in nodes_since([x for x in outputs if isinstance(x, Value)], inputs):
        if node not in same and node.primitive is not None:
            args = [x if type(x) is float else same.get(x, x) for x in node.args]
            same[node] = _canonical(node, args, record)
    return same


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
