"""Input of the sparse algorithms: the active nodes of a graph, with duplicate nodes merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from autograd import primitives
from autograd.derivatives.activity import derivative_args
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
        for node in sorted(_reached(self.outputs, active), key=attrgetter("_created")):
            if any(arg in active for arg in _derivative_args(node)):
                active[node] = None
        self.order = list(active)
        self.rank = {x: i for i, x in enumerate(active)}


def _reached(outputs: Iterable[Factor], inputs: Iterable[Value]) -> set[Value]:
    """The nodes between outputs and inputs that the outputs have a derivative with respect to."""
    found: set[Value] = set()
    stack = [x for x in outputs if isinstance(x, Value)]
    while stack:
        node = stack.pop()
        if node not in found and node not in inputs:
            found.add(node)
            stack += _derivative_args(node)
    return found


def _distinct(
    outputs: Iterable[Factor], inputs: Sequence[Value], record: Recorder
) -> dict[Value, Factor]:
    """For each node that depends on an input, the first node that is equal to it."""
    oldest = min((x._created for x in inputs), default=0)
    found: set[Value] = set()
    stack = [x for x in outputs if isinstance(x, Value) and x._created >= oldest]
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack += [x for x in node.args if type(x) is not float and x._created >= oldest]
    same: dict[Value, Factor] = {x: x for x in inputs}
    for node in sorted(found, key=attrgetter("_created")):
        if node in same or node.primitive is None:
            continue
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


def _derivative_args(node: Value) -> list[Any]:
    return [] if node.primitive is None else derivative_args(node.primitive, node.args)
