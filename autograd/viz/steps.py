"""`forward_steps` and `backward_steps`: each operation, and each use of the chain rule."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from autograd.value import Value, adjoints, topological_order
from autograd.viz.graphview import called_after, checked
from autograd.viz.notation import TEXT, Names, names


@dataclass(frozen=True, slots=True, repr=False)
class ForwardStep:
    """One operation of the forward pass; prints as `e = a · b = 2 · (-3) = -6`."""

    node: Value
    names: Names = field(compare=False)

    def __str__(self) -> str:
        name, symbols = self.names[self.node], TEXT.formula(self.node, self.names)
        numbers, result = TEXT.numbers(self.node), TEXT.number(self.node.data)
        if numbers is None:
            return f"{name} = {symbols} = {result} (an operand has changed since)"
        return " = ".join([name, *dict.fromkeys([symbols, numbers]), result])

    __repr__ = __str__


@dataclass(frozen=True, slots=True, repr=False)
class Step:
    """The chain rule at one edge of the graph; prints as `dL/da += dL/de · ∂e/∂a = -2 · (-3) = 6`.

    Attributes:
        node: the node that passes its gradient on (e).
        arg: its operand, which receives it (a).
        upstream: the node's adjoint, complete by now (dL/de).
        partial: the local derivative at the recorded point (∂e/∂a).
        contribution: upstream · partial.
        total: the operand's adjoint in this pass, this contribution included.
        index: which of `node.args` it is: x·x passes its gradient on to x twice.
        output: the value being differentiated (L).
        names: the names of the nodes.
    """

    node: Value
    arg: Value
    upstream: float
    partial: float
    contribution: float
    total: float
    index: int
    output: Value
    names: Names = field(compare=False)

    def __str__(self) -> str:
        output, node, arg = (self.names[x] for x in (self.output, self.node, self.arg))
        symbols = TEXT.partial(self.node, self.index, self.names)
        numbers = TEXT.number(self.contribution)
        if self.node is not self.output:  # dL/dL is 1
            symbols = f"{TEXT.total(output, node)} · {symbols}"
            numbers = f"{TEXT.product([self.upstream, self.partial])} = {numbers}"
        line = f"{TEXT.total(output, arg)} += {symbols} = {numbers}"
        is_sum = self.total != self.contribution
        return f"{line} (total {TEXT.number(self.total)})" if is_sum else line

    __repr__ = __str__


def forward_steps(value: Value) -> Iterator[ForwardStep]:
    """The operations of the forward pass that computed `value`, in their order.

    Raises TypeError for anything but a Value.
    """
    order = topological_order(checked(value, "forward_steps"))
    named = names(order, called_after(order))
    return (ForwardStep(node, named) for node in order if node.args)


def backward_steps(value: Value) -> Iterator[Step]:
    """Each step of `value.backward()`, in its order and with its sums.

    Gradients are written when the iterator is exhausted, and then as `backward()` writes them;
    abandoned before that, it has changed nothing. Raises TypeError for anything but a Value.
    """
    order = topological_order(checked(value, "backward_steps"))
    return _backward_steps(order)


def _backward_steps(order: Sequence[Value]) -> Iterator[Step]:
    output, named = order[-1], names(order, called_after(order))
    adjoint = adjoints(output)
    totals: dict[Value, float] = {}
    for node in reversed(order):
        if node not in adjoint:  # it was only compared
            continue
        for index, arg, partial in local_derivatives(node):
            contribution = adjoint[node] * partial
            if math.isnan(contribution) and not math.isnan(adjoint[arg]):
                contribution = 0.0  # unselected branches contribute nothing
            totals[arg] = totals[arg] + contribution if arg in totals else contribution
            yield Step(
                *(node, arg, adjoint[node], partial, contribution, totals[arg], index),
                *(output, named),
            )
    output.backward()


def local_derivatives(node: Value) -> Iterator[tuple[int, Value, float]]:
    """Each operand with a derivative: its index, itself, and the local derivative."""
    for index, (arg, partial) in enumerate(zip(node.args, node.partials, strict=True)):
        if isinstance(arg, Value) and partial is not None:
            yield index, arg, partial
