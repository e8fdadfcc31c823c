"""Derivatives of a recorded graph: `grad` in reverse mode and `tangents` in forward mode.

Both read the rules of the table. With Values in place of floats, the derivative that a rule gives
is new graph: it can be differentiated again, drawn, or compiled.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from autograd import primitives, recording
from autograd.primitives import Primitive
from autograd.recording import Selection
from autograd.value import Operand, Value

_creation = attrgetter("_created")

_guarded: WeakKeyDictionary[Value, tuple[Operand, Value]] = WeakKeyDictionary()
"""Of each node `where(active > 0, contribution, 0)` in gradients that follow branches: the
condition and the contribution. A higher derivative looks through such a node, so that its sums are
those of the plain gradient."""


_apart: WeakSet[Value] = WeakSet()
"""The sums of derivatives of graphs that select (see `_selects`)."""


def grad(output: Value, inputs: Iterable[Value]) -> list[Value]:
    """doutput/dinput for each input, as new graph; `Value(0.0)` for one it does not depend on.

    The sums are those of `backward()`, in the same order, so the numbers agree to the last bit.
    Only nodes made since the oldest input are visited.

    Args:
        output: the Value to differentiate.
        inputs: the Values to differentiate with respect to: leaves or inner nodes.

    Raises:
        TypeError: if the output or an input is no Value.
        RuntimeError: if a leaf was changed since the graph was recorded, so that a partial built
            from the graph as it is now would differ from the recorded one.
    """
    if not isinstance(inputs, Iterable):
        raise TypeError(f"grad: expected a list of Values as inputs, got {inputs!r}; write [x]")
    inputs = list(inputs)
    for value in (output, *inputs):
        if not isinstance(value, Value):
            hint = "; of a function there is the gradient" if callable(value) else ""
            raise TypeError(
                f"grad: expected a Value, got {value!r} of type {type(value).__name__}{hint}"
            )
    nodes = _since([output], inputs)
    order = _dependent(nodes, inputs)
    selects = _selects(nodes)
    depends_on_input = {*inputs, *order}
    branches = _Branches(output)
    contributions: dict[Value, list[Operand]] = {node: [] for node in depends_on_input}
    if output in contributions:
        contributions[output].append(1.0)
    adjoints: dict[Value, Operand] = {}
    for node in reversed(order):
        if not contributions[node]:
            continue
        adjoints[node] = upstream = _sum(contributions[node], selects)
        args = node.args
        if node.primitive is None or depends_on_input.isdisjoint(args):
            continue
        partials = node.primitive.partials_at(node, args, args)
        for arg, partial, recorded in zip(args, partials, node.partials, strict=True):
            if partial is not None and arg in depends_on_input:
                if branches.tracing is None:  # else a compiled function reads the leaves anew
                    _check_reproduced(node, partial, recorded)
                arg, contribution = branches.passed(node, arg, upstream, partial)  # noqa: PLW2901
                if arg in depends_on_input:
                    contributions[arg].append(contribution)
    return [as_value(adjoints.get(x, 0.0)) for x in inputs]


def tangents(
    outputs: Sequence[Value], inputs: Sequence[Value], directions: Sequence[Operand]
) -> list[Operand]:
    """The derivative of each output as the inputs move along the directions, as new graph.

    This is forward mode: each node's tangent is the sum, over its operands from left to right, of
    partial × tangent of the operand; an output that depends on no input has the tangent 0.0.
    """
    tangent: dict[Any, Operand] = dict(zip(inputs, directions, strict=True))
    tracing = recording.current_tracing()
    nodes = _since(outputs, inputs)
    selects = _selects(nodes)
    for node in _dependent(nodes, inputs):
        args, row = node.args, node.primitive
        if node in tangent or row is None:
            continue
        terms = []
        partials = row.partials_at(node, args, args)
        for arg, partial, recorded in zip(args, partials, node.partials, strict=True):
            if partial is not None and arg in tangent:
                if tracing is None:
                    _check_reproduced(node, partial, recorded)
                terms.append(_if_selected(row, partial, _product(tangent[arg], partial)))
        if terms:
            tangent[node] = _sum(terms, selects)
    return [tangent.get(output, 0.0) for output in outputs]


def tangent_numbers(
    outputs: Sequence[Value],
    inputs: Sequence[Value],
    directions: Sequence[float],
    nodes: Iterable[Value],
) -> list[float]:
    """The numbers of `tangents` from the recorded partials, where `nodes` are all in between."""
    tangent: dict[Any, float] = dict(zip(inputs, directions, strict=True))
    tangent_of = tangent.get
    for node in sorted(nodes, key=_creation):
        dx, dy = node._dx, node._dy
        total = None
        if type(dx) is tuple:
            for x, partial in zip(node._x, dx):  # noqa: B905 - aligned when recorded
                if partial is not None and (along := tangent_of(x)) is not None:
                    term = along * partial if partial or _takes_all(node) else 0.0
                    total = term if total is None else total + term
        else:
            if dx is not None and (along := tangent_of(node._x)) is not None:
                total = along * dx if dx or _takes_all(node) else 0.0
            if dy is not None and (along := tangent_of(node._y)) is not None:
                term = along * dy if dy or _takes_all(node) else 0.0
                total = term if total is None else total + term
        if total is not None:
            tangent[node] = total
    return [tangent_of(output, 0.0) for output in outputs]


def _takes_all(node: Value) -> bool:
    """Whether a partial of 0 is a factor like others, not that of an unselected operand."""
    return node.primitive is None or not node.primitive.chooses


# --- which nodes ----------------------------------------------------------------------------------


def _since(outputs: Iterable[Value], inputs: Sequence[Value]) -> list[Value]:
    """The nodes that the outputs depend on, made since the oldest input, in order of creation.

    Whatever is older cannot depend on an input.
    """
    oldest = min((x._created for x in inputs), default=math.inf)
    stack = [x for x in outputs if x._created >= oldest]
    found = set(stack)
    while stack:
        for x in stack.pop().args:
            if type(x) is not float and x._created >= oldest and x not in found:
                found.add(x)
                stack.append(x)
    return sorted(found, key=_creation)


def _dependent(nodes: Iterable[Value], inputs: Sequence[Value]) -> list[Value]:
    """Those of the nodes, in order of creation, that depend on an input, inputs included."""
    dependent: set[object] = set(inputs)
    order = []
    for node in nodes:
        if node in dependent or not dependent.isdisjoint(node.args):
            dependent.add(node)
            order.append(node)
    return order


def _selects(nodes: Iterable[Value]) -> bool:
    """Whether operands are selected among the nodes, or were in what they are derivatives of.

    Where one is not selected, eager code has no contribution, and a compiled function one of 0. So
    that this changes no sum of the next order, a single contribution is then a sum of its own.
    """
    return any(x in _apart or (x.primitive is not None and x.primitive.chooses) for x in nodes)


def made_since(outputs: Iterable[Value], start: int, own: Iterable[Value]) -> set[Value] | None:
    """The nodes that the outputs have a derivative with respect to; None if one is older.

    Args:
        outputs: the Values to start from.
        start: the creation number that they are to be younger than.
        own: Values that are not looked behind, the function's own arguments.
    """
    found = set(own)
    stack = []
    for output in outputs:
        if output not in found:
            found.add(output)
            stack.append(output)
    while stack:
        node = stack.pop()
        if node._created < start:
            return None
        dx, dy = node._dx, node._dy
        if type(dx) is tuple:
            for x, partial in zip(node._x, dx):  # noqa: B905 - aligned when recorded
                if partial is not None and x not in found:
                    found.add(x)
                    stack.append(x)
            continue
        if dx is not None and (x := node._x) not in found:
            found.add(x)
            stack.append(x)
        if dy is not None and (x := node._y) not in found:
            found.add(x)
            stack.append(x)
    return found


# --- terms ----------------------------------------------------------------------------------------


def _sum(terms: list[Operand], is_apart: bool) -> Operand:
    if len(terms) == 1 and not is_apart:
        return terms[0]
    total: Operand = primitives.sum(*terms)
    if is_apart and isinstance(total, Value):
        _apart.add(total)
    return total


def _product(upstream: Operand, partial: Operand) -> Operand:
    """upstream·partial, without a node for a factor 1, which leaves every bit as it is."""
    if type(partial) is float and partial == 1.0:
        return upstream
    if type(upstream) is float and upstream == 1.0:
        return partial
    return upstream * partial


def as_value(x: Operand) -> Value:
    """The Value itself, or a number as a Value.

    While a function is compiled, that is no leaf, whose number would be read at each call.
    """
    if isinstance(x, Value):
        return x
    return Value.record(primitives.stop_gradient, [x]) if recording.is_tracing() else Value(x)


def number_of(x: Operand) -> float:
    """The number of a Value, or the number itself."""
    return x.data if isinstance(x, Value) else x


def _without_nan(x: float) -> float:
    return 0.0 if math.isnan(x) else x


def _if_selected(row: Primitive, partial: Operand, term: Operand) -> Operand:
    """A term of a tangent: exactly 0 for an operand that was not selected.

    Eager code records the `where` as well, so that sums group alike when it is compiled.
    """
    return primitives.where(partial > 0.0, term, 0.0) if row.chooses else term


class _Branches:
    """Which nodes are active: linked to the output by edges that were selected.

    What an inactive node contributes is the number 0, of whatever sign, and no graph, so it
    contributes nothing to any higher derivative either. While a function is traced, a selection has
    no number yet. Then the plain gradient is built; or, if the tracing follows branches, one that
    knows for each node by a Value, 0 or 1, whether it is active.
    """

    def __init__(self, output: Value) -> None:
        self.tracing = recording.current_tracing()
        self.activity: dict[Value, Operand] = {output: 1.0}
        self.may_be_inactive: set[Value] = set()

    def passed(
        self, node: Value, arg: Value, upstream: Operand, partial: Operand
    ) -> tuple[Value, Operand]:
        """Which node the contribution of `node` to its operand goes to, and as far as it counts."""
        contribution = _product(upstream, partial)
        active = self.activity.get(node, 0.0)
        chooses = node.primitive is not None and node.primitive.chooses
        if self.tracing is None:
            if chooses and number_of(partial) == 0.0:
                active = 0.0
            if active == 0.0:
                return arg, _without_nan(number_of(contribution))
            self.activity[arg] = active
            return arg, contribution
        if chooses or node in self.may_be_inactive:
            self.may_be_inactive.add(arg)
            found = Selection.FINITE if _is_finite(node) else Selection.NAN
            self.tracing.selection = max(self.tracing.selection, found)
        if not self.tracing.follows_branches:
            return arg, contribution
        if chooses:
            active = primitives.where(partial > 0.0, active, 0.0)
        while arg in _guarded:
            is_active, arg = _guarded[arg]
            active = primitives.where(is_active, active, 0.0)
        self.activity[arg] = primitives.maximum(active, self.activity.get(arg, 0.0))
        if (type(active) is float and active == 1.0) or contribution is upstream:
            return arg, contribution  # the upstream gradient is 0 already where nothing is active
        return arg, _guard(active > 0.0, contribution)


FINITE = {
    *(
        "add",
        "sub",
        "mul",
        "neg",
        "sum",
        "dot",
        "abs",
        "where",
        "maximum",
        "minimum",
        "relu",
        "clip",
    ),
    *("sin", "cos", "atan", "tanh", "sech2", "sigmoid", "logistic_pdf", "asinh", "bell", "erf"),
    *("erfc", "norm_pdf", "norm_cdf", "softplus", "log_sigmoid", "logaddexp"),
}
"""The rows whose partials are finite wherever their operands are, unless they overflow."""


def _is_finite(node: Value) -> bool:
    if node.op == "pow":
        exponent = node.args[1]
        return type(exponent) is float and exponent >= 1.0 and exponent.is_integer()
    return node.op in FINITE


def _guard(is_active: Operand, contribution: Operand) -> Operand:
    """The contribution, in a function being compiled; 0 if it is nan and not active."""
    zero = primitives.where(contribution <= contribution, contribution, 0.0)  # noqa: PLR0124
    node: Operand = primitives.where(is_active, contribution, primitives.stop_gradient(zero))
    if isinstance(node, Value) and isinstance(contribution, Value):
        _guarded[node] = is_active, contribution
    return node


def _check_reproduced(node: Value, partial: Operand, recorded: float | None) -> None:
    number = number_of(partial)
    both_nan = recorded is not None and math.isnan(recorded) and math.isnan(number)
    if number != recorded and not both_nan:
        raise RuntimeError(
            f"grad: a leaf was changed after {node!r} was recorded: its partial derivative was "
            f"{recorded} then and would be {number} now; record the graph again, then call grad"
        )
