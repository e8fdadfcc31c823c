"""Input of the sparse algorithms: the active nodes of a graph, with duplicate nodes merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import primitives
from autograd.derivatives.activity import derivative_args
from autograd.derivatives.graph import nodes_since
from autograd.derivatives.local_partials import Kind, Local, called
from autograd.derivatives.terms import Factor, Recorder, Term, is_number
from autograd.value import Value


class ActiveGraph:
    """The nodes through which outputs have a derivative with respect to inputs.

    A Jacobian and a Hessian can share one, so that no node is looked at twice.

    Attributes:
        inputs: the inputs.
        record: records further operations; one that is in the graph already is taken from there.
    """

    def __init__(self, inputs: Sequence[Any]) -> None:
        self.inputs = inputs
        self.record = Recorder()
        self._kinds: dict[Any, Kind] = {}  # the rules are read once for each kind of node
        self._first: dict[Any, Factor] = {x: x for x in inputs}  # the first node equal to a node
        self._operands: dict[Any, list[Any]] = {x: [] for x in inputs}  # active ones, of active
        self._local: dict[Any, Local] = {}

    def behind(self, outputs: Sequence[Factor]) -> tuple[list[Any], dict[Any, int]]:
        """The outputs, with duplicates merged, and the active nodes that they depend on.

        Of each node its place: inputs come first, and then the nodes as they were created.
        """
        first, operands = self._first, self._operands
        for node in nodes_since([x for x in outputs if type(x) is not float], self.inputs):
            if node in first or node.primitive is None:
                continue
            args = [x if type(x) is float else first.get(x, x) for x in node.args]
            found = first[node] = _canonical(node, args, self.record)
            if found not in operands and type(found) is not float and found.primitive is not None:
                active = [x for x in derivative_args(found.primitive, found.args) if x in operands]
                if active:
                    operands[found] = active
        distinct = [x if type(x) is float else first.get(x, x) for x in outputs]
        needed = {*self.inputs, *distinct}
        for node, active in reversed(operands.items()):
            if node in needed:
                needed.update(active)
        return distinct, {x: i for i, x in enumerate([x for x in operands if x in needed])}

    def first(self, node: Any) -> dict[Value, Term]:
        """The partials of an active node with respect to its active operands."""
        if not node.primitive.is_local:
            return called(node, self._operands, self.record)
        return self.local(node).first

    def local(self, node: Any) -> Local:
        """The first and second partials of an active node with a local row."""
        if node not in self._local:
            kind = self._kind_of(node)
            self._local[node] = Local(kind, node, self._operands, self.record)
        return self._local[node]

    def _kind_of(self, node: Any) -> Kind:
        seen: dict[Value, int] = {}
        pattern = [
            x if type(x) is float else seen.setdefault(x, i) for i, x in enumerate(node.args)
        ]
        key = (node.primitive, *[(x, str(x)) if type(x) is float else x for x in pattern])
        if key not in self._kinds:
            self._kinds[key] = Kind(node.primitive, pattern)
        return self._kinds[key]


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
