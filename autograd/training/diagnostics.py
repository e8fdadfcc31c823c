"""Diagnostics of a training that diverged: the first non-finite node, the largest weight."""

from __future__ import annotations

import math
from collections.abc import Sequence

from autograd.optim import Parameter
from autograd.value import Value, first_nonfinite, topological_order


def origin(loss: Value) -> str:
    """In words, the first node in the graph of the loss whose value or derivative is not finite."""
    node = first_nonfinite(loss)
    if node is not None:
        return f"the first node that is not finite is {_described(node)}"
    for node in topological_order(loss):
        if not all(partial is None or math.isfinite(partial) for partial in node.partials):
            return f"the first node whose derivative is not finite is {_described(node)}"
    return "every value and every local derivative in the graph of the loss is finite"


def largest(parameters: Sequence[Parameter]) -> str:
    """The parameter furthest from 0, by which one sees whether the weights ran away."""
    i, parameter = max(enumerate(parameters), key=lambda pair: abs(pair[1].data))
    return f"{getattr(parameter, 'label', '') or f'parameter {i}'} = {parameter.data}"


def _described(node: Value) -> str:
    """The node's label, operation and data, joined by "=".

    The operation lists the operands that are not finite or, if there are none, all; at most four.
    """
    operands = [arg.data if isinstance(arg, Value) else arg for arg in node.args]
    broken = [x for x in operands if isinstance(x, float) and not math.isfinite(x)]
    shown = (broken or operands)[:4]
    ellipsis = ", …" if len(shown) < len(operands) else ""
    operation = f"{node.op}({', '.join(map(str, shown))}{ellipsis})" if node.op else ""
    name = node.label or ("" if operation else "a leaf")
    return " = ".join(part for part in (name, operation, str(node.data)) if part)
