"""Derivatives of a recorded graph: `grad` in reverse mode and `tangents` in forward mode.

Both read the rules of the table. With Values in place of floats, the derivative that a rule gives
is new graph: it can be differentiated again, drawn, or compiled.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary, WeakSet

from autograd import primitives, recording
from autograd.derivatives.activity import Activity, derivative_args
from autograd.derivatives.many_results import Column, ManyResults, Result, RowOfMany
from autograd.primitives import Primitive
from autograd.recording import Selection
from autograd.value import Operand, Value

Contributions: TypeAlias = Iterator[tuple[Value, Operand]]

_creation = attrgetter("_created")

_guarded: WeakKeyDictionary[Value, tuple[Operand, Value]] = WeakKeyDictionary()
"""Of each node `where(active > 0, contribution, 0)` in gradients that follow branches: the
condition and the contribution. A higher derivative looks through such a node, so that its sums are
those of the plain gradient."""

_apart: WeakSet[Value] = WeakSet()
"""The sums of derivatives of graphs that select (see `_selects`)."""

of_loops: WeakSet[Value] = WeakSet()
"""The leaves of a loop's step that stand for a number computed elsewhere, such as its state."""


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
    found = [adjoint for adjoint, _ in pulled_back([(output, 1.0, 1.0)], inputs)]
    return list(map(as_value, _signed(found, [output], inputs)))


def pulled_back(
    seeds: Iterable[tuple[Any, Operand, Operand]],
    inputs: Sequence[Value],
    earlier: Mapping[Value, tuple[Operand, Operand]] | None = None,
) -> list[tuple[Operand | None, Operand]]:
    """The reverse sweep: from the adjoints of several nodes to those of the inputs.

    Args:
        seeds: nodes (plain numbers are ignored), the upstream gradient of each, and its activity:
            0 or 1; a Value of these while tracing with `follows_branches`; while tracing without,
            0.0 if the node may be inactive.
        inputs: the Values to differentiate with respect to.
        earlier: for some inputs, the sum of earlier contributions, and its activity.

    Returns:
        for each input its adjoint, None if nothing contributes to it, and its activity.
    """
    seeds = [seed for seed in seeds if isinstance(seed[0], Value)]
    nodes = nodes_since([node for node, _, _ in seeds], inputs)
    order = dependent(nodes, inputs)
    selects = _selects(nodes)
    depends_on_input: set[Any] = {*inputs, *order}
    sweep = _Sweep(depends_on_input)
    contributions: dict[Any, list[Any]] = {node: [] for node in depends_on_input}
    for node, (total, active) in (earlier or {}).items():
        contributions[node].append(total)
        sweep.start(node, active)
    for seed, upstream, active in seeds:
        if seed in contributions:
            contributions[seed].append(upstream)
            sweep.start(seed, active)
    adjoints: dict[Value, Operand] = {}
    for node in reversed(order):
        if not contributions[node]:
            continue
        args, row = node.args, node.primitive
        if isinstance(row, ManyResults):
            known = {x: contributions[x] for x in args if x in depends_on_input}
            sums = {
                x: (_sum(terms, selects) if terms else None, sweep.activity_of(x))
                for x, terms in known.items()
            }
            for x, (total, active) in row.pull_back(node, contributions[node], sums).items():
                if x in contributions:
                    contributions[x] = [total]
                    sweep.start(x, active)
                else:  # a result in a column
                    contributions[x.args[0]].append((x.args[1:], total, active))
            continue
        adjoints[node] = upstream = _sum(contributions[node], selects)
        if row is None or depends_on_input.isdisjoint(args):
            continue
        if isinstance(row, Result):
            contributions[args[0]].append((args[1:], upstream, sweep.activity_of(node)))
            continue
        for arg, contribution in sweep.contributions(node, row, upstream):
            if arg in depends_on_input:
                contributions[arg].append(contribution)
    for x in inputs:  # those that a seed alone, or an earlier sum, contributes to
        if contributions[x] and x not in adjoints:
            adjoints[x] = _sum(contributions[x], selects)
    if (tracing := recording.current_tracing()) is not None:
        tracing.note(sweep.selection(), [adjoints[x] for x in inputs if x in adjoints])
    return [(adjoints.get(x), sweep.activity_of(x)) for x in inputs]


def tangents(
    outputs: Sequence[Value], inputs: Sequence[Value], directions: Sequence[Operand]
) -> list[Operand]:
    """The derivative of each output as the inputs move along the directions, as new graph.

    This is forward mode: each node's tangent is the sum, over its operands from left to right, of
    partial × tangent of the operand; an output that depends on no input has the tangent 0.0.
    """
    found = [along for along, _ in pushed_forward(outputs, inputs, directions)]
    return _signed(found, outputs, inputs)


def pushed_forward(
    outputs: Sequence[Value],
    inputs: Sequence[Value],
    directions: Sequence[Operand],
    activities: Mapping[Value, Operand] | None = None,
) -> list[tuple[Operand | None, Operand]]:
    """The tangent of each output (see `tangents`), None if it has none, and its activity.

    Args:
        activities: of inputs that may be inactive, which have no tangent then: 0.0; or while
            tracing with `follows_branches`, a Value, 0 or 1. Other inputs are active, 1.0.
    """
    tangent: dict[Any, Any] = dict(zip(inputs, directions, strict=True))
    activity: dict[Any, Operand] = dict(activities or {})
    inactive: Activity[Value] = Activity(_operation, _nodes, of_loops)
    tracing = recording.current_tracing()
    nodes = nodes_since(outputs, inputs)
    selects = _selects(nodes)
    for node in dependent(nodes, inputs):
        args, row = node.args, node.primitive
        if node in tangent or row is None:
            continue
        if isinstance(row, ManyResults):
            known = {x: (tangent[x], activity.get(x, 1.0)) for x in args if x in tangent}
            tangent[node] = row.push_forward(node, known)
            continue
        if isinstance(row, Column):
            tangent[node] = tangent[args[0]]
            continue
        if isinstance(row, Result):
            along, active = tangent[args[0]](args[1:])
            if along is not None:
                tangent[node] = along
                if not is_sure(active):
                    activity[node] = active
            continue
        terms, actives = [], []
        partials = row.partials_at(node, args, args)
        for arg, partial, recorded in zip(args, partials, node.partials, strict=True):
            if partial is not None and arg in tangent:
                if tracing is None:
                    _check_reproduced(node, partial, recorded)
                term = _if_selected(row, partial, _product(tangent[arg], partial))
                active = activity.get(arg, 1.0)
                if not (tracing is None or is_sure(active)):
                    inactive.note(node)
                    if tracing.follows_branches:
                        term = primitives.where(active > 0.0, term, 0.0)
                actives.append(active)
                terms.append(term)
        if terms:
            tangent[node] = _sum(terms, selects)
            if not any(map(is_sure, actives)):
                activity[node] = functools.reduce(primitives.maximum, actives)
            if node in _guarded:
                is_active, _ = _guarded[node]
                activity[node] = primitives.where(is_active, activity.get(node, 1.0), 0.0)
    if tracing is not None:
        tracing.note(inactive.selection(), [tangent[x] for x in outputs if x in tangent])
    return [(tangent.get(output), activity.get(output, 1.0)) for output in outputs]


def tangent_numbers(
    outputs: Sequence[Value],
    inputs: Sequence[Value],
    directions: Sequence[float],
    nodes: Iterable[Value],
) -> list[float]:
    """The numbers of `tangents` from the recorded partials; `nodes` are all nodes in between."""
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
    """Whether a partial of 0 is an ordinary factor, not the mark of an unselected operand."""
    return node.primitive is None or not node.primitive.chooses


# --- copies --------------------------------------------------------------------------------------


def copied(outputs: Iterable[Operand], new: dict[Any, Any]) -> list[Any]:
    """Copies of the outputs as new nodes, with some Values replaced.

    Args:
        outputs: the Values to copy, with all that they depend on; floats are returned as they are.
        new: maps nodes to their replacements; the copies of other nodes are added to it. Leaves
            that are not in it are not copied.
    """
    outputs = list(outputs)
    for node in in_recorded_order(outputs, new):
        row: Any = node.primitive
        if row is None or node in new:
            continue
        args = [new.get(x, x) for x in node.args]
        is_many = isinstance(row, RowOfMany)
        new[node] = copy = row.record(args) if is_many else Value.record(row, args)
        copy.label = node.label
        if node in _apart:
            _apart.add(copy)
        if node in _guarded:
            active, contribution = _guarded[node]
            _guarded[copy] = new.get(active, active), new.get(contribution, contribution)
    return [new.get(x, x) for x in outputs]


# --- which nodes ----------------------------------------------------------------------------------


def in_recorded_order(outputs: Iterable[Operand], stops: Collection[Value] = ()) -> list[Value]:
    """The nodes that the outputs depend on, in the order of their creation.

    The operands of nodes in `stops` are not visited.
    """
    stack: list[Any] = [x for x in outputs if isinstance(x, Value)]
    found = set(stack)
    pop, push, add = stack.pop, stack.append, found.add
    while stack:
        node = pop()
        if stops and node in stops:
            continue
        x, y = node._x, node._y
        if type(x) is tuple:
            new = [arg for arg in x if type(arg) is not float and arg not in found]
            found.update(new)
            stack += new
            continue
        if x is not None and type(x) is not float and x not in found:
            add(x)
            push(x)
        if y is not None and type(y) is not float and y not in found:
            add(y)
            push(y)
    return sorted(found, key=_creation)


def reached(outputs: Iterable[Operand], operands: Callable[[Value], Iterable[Any]]) -> set[Value]:
    """The outputs that are no floats, and all nodes found from them by the operands to look at."""
    found: set[Any] = {x for x in outputs if type(x) is not float}
    stack = list(found)
    while stack:
        new = [x for x in operands(stack.pop()) if type(x) is not float and x not in found]
        found.update(new)
        stack += new
    return found


def sources(outputs: Iterable[Operand]) -> set[Value]:
    """The outputs that are Values, and all nodes that they have derivatives with respect to."""
    found: set[Any] = set()
    results: dict[Value, list[tuple[float, ...]]] = {}  # of operations with several, those reached
    all_args: dict[Any, bool] = {}  # rows with a derivative with respect to each operand
    stack: list[Any] = list(outputs)
    while stack or results:
        if not stack:  # all that depends on the newest operation was visited
            operation: Any = max(results, key=_creation)
            stack += operation.primitive.sources(operation, results.pop(operation))
            continue
        node = stack.pop()
        if type(node) is float or node in found:
            continue
        found.add(node)
        row = node.primitive
        if isinstance(row, Result):
            results.setdefault(node.args[0], []).append(node.args[1:])
        elif row is not None:
            if row not in all_args:
                all_args[row] = row.variadic or all(row.partials)
            stack += node.args if all_args[row] else derivative_args(row, node.args)
    return found


def closed_over(
    outputs: Iterable[Operand], own: Collection[Value], start: int, with_leaves: bool = False
) -> list[Value]:
    """The Values that a function used and was not given, in order of creation.

    Args:
        outputs: the values that it returned.
        own: its arguments.
        start: the creation number before it was called; what is older is not its own.
        with_leaves: whether leaves that it made are among those found.
    """

    def is_outer(node: Value) -> bool:
        return node._created < start or (with_leaves and node.primitive is None)

    def operands(node: Value) -> list[Any]:
        args = () if is_outer(node) else node.args
        return [x for x in args if type(x) is not float and x not in own]

    starts = [x for x in outputs if isinstance(x, Value) and x not in own]
    return sorted(filter(is_outer, reached(starts, operands)), key=_creation)


def nodes_since(outputs: Iterable[Value], inputs: Sequence[Value]) -> list[Value]:
    """The nodes that the outputs depend on, made since the oldest input, in order of creation.

    Whatever is older cannot depend on an input.
    """
    oldest = min((x._created for x in inputs), default=math.inf)
    starts = [x for x in outputs if x._created >= oldest]

    def operands(node: Value) -> list[Any]:
        return [x for x in node.args if type(x) is not float and x._created >= oldest]

    return sorted(reached(starts, operands), key=_creation)


def dependent(nodes: Iterable[Value], inputs: Sequence[Value]) -> list[Value]:
    """The nodes that depend on an input, inputs included, in order of creation."""
    found: set[object] = set(inputs)
    order = []
    for node in nodes:
        if node in found or not found.isdisjoint(node.args):
            found.add(node)
            order.append(node)
    return order


def _selects(nodes: Iterable[Value]) -> bool:
    """Whether one of the nodes selects an operand, or is part of a derivative of such a node.

    For an operand that is not selected, eager code has no contribution, a compiled function one
    of 0. To keep the sums of the next order the same, a single contribution becomes a sum then.
    """
    return any(x in _apart or (x.primitive is not None and x.primitive.chooses) for x in nodes)


def positive_zero(outputs: Iterable[Value], inputs: Sequence[Value]) -> float:
    """What to add to the derivatives of the outputs: 0.0 or, for no difference, -0.0.

    If the outputs depend on derivatives of nodes that select, their own derivatives have more terms
    in a compiled function than in eager code, namely zeros. That makes no difference but for the
    sign of a result that is 0, which adding 0.0 makes positive.
    """
    return 0.0 if _apart and any(x in _apart for x in nodes_since(outputs, inputs)) else -0.0


def _signed(
    results: Iterable[Operand | None], outputs: Iterable[Value], inputs: Sequence[Value]
) -> list[Operand]:
    """Derivatives of the outputs, with the sign of zero as `positive_zero` says; None is 0.0."""
    zero = positive_zero(outputs, inputs)
    found = [0.0 if x is None else x for x in results]
    return [primitives.sum(x, zero) for x in found] if math.copysign(1.0, zero) > 0.0 else found


def made_since(outputs: Iterable[Value], start: int, own: Iterable[Value]) -> set[Value] | None:
    """The nodes that the outputs or their derivatives depend on; None if one is too old.

    Args:
        outputs: the Values to start from.
        start: the smallest creation number that is not too old.
        own: Values at which the search stops: the function's own arguments.
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
        row: Any = node.primitive
        if row is not None and not row.is_local:
            new = [x for x in node.args if type(x) is not float and x not in found]
            found.update(new)
            stack += new
            continue
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
    """upstream·partial, without a node for a factor 1, which would change nothing."""
    if type(partial) is float and partial == 1.0:
        return upstream
    if type(upstream) is float and upstream == 1.0:
        return partial
    return upstream * partial


def as_value(x: Operand) -> Value:
    """`x` itself if it is a Value, else a Value with this number.

    In a function being compiled this is a constant, not a leaf whose number is read at each call.
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
    """A term of a tangent: exactly 0 for an operand that was not selected, whose partial is 0.

    Eager code records the `where` too, so that compiled code groups sums in the same way.
    """
    return primitives.where(partial, term, 0.0) if row.chooses else term


# --- unselected branches --------------------------------------------------------------------------
#
# A node is active if a path of selected edges leads from the output to it. An inactive node
# contributes 0, with either sign, and no graph, so it does not contribute to higher derivatives
# either. What is active, eager code knows from the recorded partials. While a function is traced,
# that is not known yet: then the plain gradient is recorded; or, if the tracing follows branches,
# one in which the activity of each node is a Value, 0 or 1.


class _Sweep:
    """Passes upstream gradients on in a reverse sweep, and keeps track of which nodes are active.

    Eager code reads from the recorded partials which nodes are active. In a function being traced,
    a contribution that is nan counts as 0 where the node is inactive, if the tracing follows
    branches; otherwise contributions stay as they are, and `selection` says what can affect them.

    Args:
        targets: the nodes that are to receive contributions.
    """

    def __init__(self, targets: Collection[Value]) -> None:
        self._targets = targets
        self._tracing = recording.current_tracing()
        self._follows = self._tracing is None or self._tracing.follows_branches
        self._active: dict[Value, Operand] = {}
        self._unfollowed: Activity[Value] = Activity(_operation, _nodes, of_loops)

    def start(self, node: Value, active: Operand) -> None:
        """Add a path to a node, with its activity."""
        if self._follows:
            self._active[node] = _either(active, self._active.get(node, 0.0))
        elif is_sure(active):
            self._unfollowed.start(node)

    def activity_of(self, node: Value) -> Operand:
        """The activity of a node, to seed another sweep with."""
        if self._follows:
            return self._active.get(node, 0.0)
        return float(self._unfollowed.is_sure(node))

    def contributions(self, node: Value, row: Primitive, upstream: Operand) -> Contributions:
        """The operands of a node, and what it contributes to the adjoint of each."""
        if not self._follows:
            self._unfollowed.visit(node)
        args = node.args
        partials = row.partials_at(node, args, args)
        for arg, partial, number in zip(args, partials, node.partials, strict=True):
            if partial is None or arg not in self._targets:
                continue
            if self._tracing is None:
                _check_reproduced(node, partial, number)
            contribution = _product(upstream, partial)
            if not self._follows:
                yield arg, contribution
                continue
            target, active = arg, self._active[node]
            if row.chooses:
                selected: Any = partial if self._tracing else number
                active = primitives.where(selected, active, 0.0)
            while self._tracing and target in _guarded:
                is_active, target = _guarded[target]
                active = primitives.where(is_active, active, 0.0)
            self.start(target, active)
            # The upstream gradient is 0 already where nothing is active.
            if not is_sure(active) and contribution is not upstream:
                contribution = _guarded_by(active, contribution)
            yield target, contribution

    def selection(self) -> Selection:
        """How unselected branches can affect the contributions made."""
        return self._unfollowed.selection()


def _operation(node: Value) -> tuple[Any, Sequence[Any]]:
    return node.primitive, node.args


def _nodes(args: Sequence[Any]) -> list[Any]:
    return [x for x in args if type(x) is not float]


def always_active(inputs: Sequence[Value], outputs: Iterable[Operand]) -> set[Value]:
    """The inputs that are active whatever is selected, if the outputs are active."""
    activity: Activity[Value] = Activity(_operation, _nodes, of_loops)
    starts = [x for x in outputs if isinstance(x, Value)]
    for x in starts:
        activity.start(x)
    for node in reversed(nodes_since(starts, inputs)):
        if node.primitive is not None:
            activity.visit(node)
    return {x for x in inputs if activity.is_sure(x)}


def _either(x: Operand, y: Operand) -> Operand:
    """The activity of what is active if one of two nodes is."""
    for known, other in ((x, y), (y, x)):
        if type(known) is float:
            return other if known == 0.0 else known
    either: Operand = primitives.maximum(x, y)
    return either


def is_sure(active: Operand) -> bool:
    """Whether a node of this activity is known to be active."""
    return type(active) is float and active == 1.0


def _guarded_by(active: Operand, contribution: Operand) -> Operand:
    """The contribution; 0 if it is nan and inactive. In eager code a number if it is inactive."""
    if not recording.is_tracing():
        return _without_nan(number_of(contribution))
    is_active = active > 0.0
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
