"""Which nodes lie between inputs and outputs: structure without numbers."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from autograd.value import Value


def active_nodes(outputs: Iterable[Value], inputs: Iterable[Value]) -> list[Value]:
    """The nodes through which outputs have a derivative with respect to inputs, both included.

    In order of creation; inputs come first, whatever they were computed from.
    """
    given = dict.fromkeys(inputs)
    found: set[Value] = set()
    stack = [x for x in outputs if isinstance(x, Value)]
    while stack:
        node = stack.pop()
        if node in found or node in given:
            continue
        found.add(node)
        stack += derivative_args(node)
    active: dict[Value, None] = dict(given)
    for node in sorted(found, key=attrgetter("_created")):
        if any(arg in active for arg in derivative_args(node)):
            active[node] = None
    return list(active)


def derivative_args(node: Value) -> list[Any]:
    """The operands with respect to which the node's row has a derivative."""
    row = node.primitive
    if row is None:
        return []
    args = node.args
    if row.variadic:
        return [x for x in args if type(x) is not float]
    return [x for x, rule in zip(args, row.partials, strict=True) if rule and type(x) is not float]
