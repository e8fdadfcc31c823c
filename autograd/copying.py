"""Copying and pickling of graphs: without recursion, whatever their depth, and each node once.

`copy`, `deepcopy` and `pickle` ask each object how it is rebuilt. An inner node answers with a list
of all nodes that it depends on, oldest first, and its place in that list. The list is an object
that the copier remembers like any other, so nodes that are met later, on their own or as part of
another graph, refer to it. What is rebuilt has new creation numbers in the same order.
"""

from __future__ import annotations

import threading
from operator import attrgetter
from typing import Any, Self, TypeAlias
from weakref import ref

Node: TypeAlias = Any
"""A Value, which this module must not import."""


def reduced(node: Node, protocol: object = None) -> tuple[Any, ...]:
    """How `node` is rebuilt: its `__reduce_ex__`."""
    if not node.args:
        return _made, (type(node), node.data, node.label, node.grad)
    run = getattr(_latest, "run", None)
    run = run and run()
    if run is None:
        run = _Run()
        _latest.run = ref(run)
    return _node, run.place(node)


class _Run:
    """One run of a copier: which nodes it has visited, and the list and index of each.

    The lists that the copier remembers keep the run alive, so it ends with the copier.
    """

    def __init__(self) -> None:
        self.places: dict[Node, tuple[ref[_Nodes], int]] = {}

    def place(self, node: Node) -> tuple[_Nodes, int]:
        """The list that the node is in, and its index there."""
        nodes = self._list_of(node)
        if nodes is None:
            nodes = _Nodes(self, node)
            for i, inner in enumerate(nodes.inner):
                self.places[inner] = ref(nodes), i + len(nodes.outside)
        return nodes, self.places[node][1]

    def _list_of(self, node: Node) -> _Nodes | None:
        return self.places[node][0]() if node in self.places else None

    def is_outside(self, node: Node) -> bool:
        """Whether a node is copied separately: a leaf, or one that was copied before."""
        return not node.args or self._list_of(node) is not None


_latest = threading.local()


class _Nodes:
    """The inner nodes that a node depends on, itself included, without those met before.

    Attributes:
        outside: the operands of inner nodes that are leaves or were met before.
        inner: the nodes, oldest first.
    """

    def __init__(self, run: _Run, node: Node) -> None:
        self.run = run
        inner, outside, stack = {node}, dict[Node, None](), [node]
        while stack:
            for x in stack.pop().args:
                if type(x) is float or x in inner:
                    continue
                if run.is_outside(x):
                    outside[x] = None
                else:
                    inner.add(x)
                    stack.append(x)
        self.inner = sorted(inner, key=attrgetter("_created"))
        self.outside = sorted(outside, key=attrgetter("_created"))

    def __reduce__(self) -> tuple[Any, ...]:
        index = {x: i for i, x in enumerate([*self.outside, *self.inner])}
        rows = _Rows(
            (
                *(type(x), x.data, x.label, x.grad, x.primitive),
                tuple([a if type(a) is float else index[a] for a in x.args]),
                x.partials,
            )
            for x in self.inner
        )
        return _nodes, (self.outside, rows)


class _Rows(tuple[Any, ...]):
    """The contents of nodes, numbers and names, which a deep copy shares."""

    __slots__ = ()

    def __deepcopy__(self, memo: object) -> Self:
        return self


# --- rebuilding -----------------------------------------------------------------------------------


def _made(kind: type, number: float, label: str, grad: float | None) -> Node:
    """A new leaf, with the next creation number."""
    node = kind(number, label)
    node.grad = grad
    return node


def _nodes(outside: list[Node], rows: _Rows) -> list[Node]:
    nodes = list(outside)
    for kind, number, label, grad, row, args, partials in rows:
        node = _made(kind, number, label, grad)
        node.primitive = row
        node._keep([nodes[a] if type(a) is int else a for a in args], partials)
        nodes.append(node)
    return nodes


def _node(nodes: list[Node] | _Nodes, index: int) -> Node:
    if isinstance(nodes, _Nodes):  # of a shallow copy, which has the same operands
        node = nodes.inner[index - len(nodes.outside)]
        copied = _made(type(node), node.data, node.label, node.grad)
        copied.primitive = node.primitive
        copied._keep(node.args, node.partials)
        return copied
    return nodes[index]
