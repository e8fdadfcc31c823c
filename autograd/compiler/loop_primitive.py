"""The primitive of a loop that `scan` recorded: its results and its derivative rules.

The step of a scan is a graph of its own, a `Step`. The scan itself is a single node, with a further
node for each of its results. Its derivatives are scans as well: the gradient is a scan over the
steps in reverse order, whose step is the reverse sweep through the graph of a step. So scans can be
differentiated to any order.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any, TypeAlias

from autograd import primitives, recording
from autograd.compiler.trace import Traced
from autograd.derivatives.graph import (
    always_active,
    copied,
    dependent,
    in_recorded_order,
    is_sure,
    of_loops,
    pulled_back,
    pushed_forward,
    reached,
    sources,
)
from autograd.derivatives.many_results import ManyResults, Result
from autograd.value import Operand, Value

Activity: TypeAlias = Operand
"""See `derivatives.graph.pulled_back`."""


@dataclass(eq=False)
class Step:
    """The graph of one step.

    Attributes:
        state: a Traced for each number of the state before.
        inputs: a Traced for each number of an input.
        closure: a leaf for each Value that the step closes over.
        next_state: the state after the step.
        outputs: other nodes whose numbers are kept for every step.
    """

    state: list[Traced]
    inputs: list[Traced]
    closure: list[Value]
    next_state: list[Operand]
    outputs: list[Operand] = field(default_factory=list)

    def __post_init__(self) -> None:
        of_loops.update([*self.state, *self.inputs])
        self.state_index: dict[Value, int] = {x: i for i, x in enumerate(self.state)}
        self.input_index: dict[Value, int] = {x: i for i, x in enumerate(self.inputs)}
        self.closure_index = {x: i for i, x in enumerate(self.closure)}
        columns = list(enumerate([*self.next_state, *self.outputs]))
        self._columns = {x: i for i, x in reversed(columns) if isinstance(x, Value)}

    def column(self, node: Value) -> int:
        """The index of a node in the next state and the outputs; a new node becomes an output."""
        found = self._columns.setdefault(node, len(self.state) + len(self.outputs))
        if found == len(self.state) + len(self.outputs):
            self.outputs.append(node)
        return found

    def sources(self, results: Iterable[tuple[int, int]]) -> list[set[Value]]:
        """For each step the nodes that some results have derivatives with respect to.

        The steps are those up to the last of the results, each given by (steps, column).
        """
        columns: defaultdict[int, set[int]] = defaultdict(set)
        for t, column in results:
            columns[t].add(column)
        found: dict[frozenset[int], set[Value]] = {}
        by_step: list[set[Value]] = []
        for t in range(max(columns), 0, -1):
            later = by_step[-1] if by_step else ()
            used = frozenset(columns[t]).union(i for i, x in enumerate(self.state) if x in later)
            if used not in found:
                found[used] = sources(map(self.at, used))
            by_step.append(found[used])
        return by_step[::-1]

    def at(self, column: int) -> Operand:
        """The number in a column: part of the next state, or an output."""
        m = len(self.state)
        return self.next_state[column] if column < m else self.outputs[column - m]


class LoopPrimitive(ManyResults):
    """The row of a loop: its operands are the state, the closure, and the inputs step by step.

    The result (t, column) is the number in that column after t steps.
    """

    name = "scan"

    def __init__(self, step: Step, count: int) -> None:
        self.step = step
        self.count = count
        rows = {x.primitive for x in in_recorded_order([*step.next_state, *step.outputs])}
        self.chooses = any(row is not None and row.chooses for row in rows)

    def record(self, args: Sequence[Any]) -> Value:
        """Record the node of a loop on these operands."""
        return _node(self, args)

    def sources(self, node: Value, results: Sequence[tuple[float, ...]]) -> list[Operand]:
        """The operands that these results have derivatives with respect to."""
        run, step = LoopRun(node), self.step
        places = [(int(t), int(column)) for t, column in results]
        found = [run.state[i] for t, i in places if t == 0]
        leaves = [*step.closure, *step.inputs]
        for t, nodes in enumerate(step.sources(places)):
            found += [run.at(x, t) for x in (leaves if t else [*step.state, *leaves]) if x in nodes]
        return found

    def pull_back(
        self,
        node: Value,
        upstream: Sequence[tuple[tuple[float, ...], Operand, Operand]],
        earlier: Mapping[Value, tuple[Operand | None, Operand]],
    ) -> Mapping[Value, tuple[Operand, Operand]]:
        """Reverse mode: a loop over the steps in reverse (see `ManyResults`)."""
        return _Reverse(LoopRun(node), upstream, earlier).contributions()

    def push_forward(
        self, node: Value, tangents: Mapping[Value, tuple[Operand | None, Activity]]
    ) -> Callable[[tuple[float, ...]], tuple[Operand | None, Activity]]:
        """Forward mode: a loop of the state and its tangent (see `ManyResults`)."""
        return _forward(LoopRun(node), tangents)


class _ResultOfLoop(Result):
    name = "scan"

    def record(self, args: Sequence[Any]) -> Value:
        return _node(self, args)


_RESULT = _ResultOfLoop()


def _node(row: Any, args: Sequence[Any]) -> Value:
    """A node without a number: a Traced if it differs from example to example."""
    if any(type(x) is Traced for x in args):
        return Traced.record(row, args)
    node = Value(math.nan)
    node.primitive = row
    node._x, node._dx = tuple(args), (None,) * len(args)
    return node


class LoopRun:
    """A recorded loop, by its node, and what the nodes of its step are in each iteration."""

    def __init__(self, node: Value) -> None:
        row: Any = node.primitive
        self.step, self.count, self.node = row.step, row.count, node
        args, step = node.args, row.step
        m, q, d = len(step.state), len(step.closure), len(step.inputs)
        self.state: tuple[Any, ...] = args[:m]
        self.closure: tuple[Any, ...] = args[m : m + q]
        self.inputs: list[tuple[Any, ...]] = [
            args[i : i + d] for i in range(m + q, m + q + self.count * d, d or 1)
        ]
        self.inputs = self.inputs or [()] * self.count
        self._results: dict[tuple[int, int], Operand] = {}

    def at(self, x: Operand, t: int) -> Any:
        """The node or number that stands for node `x` of the step's graph in iteration `t`."""
        step = self.step
        if not isinstance(x, Value):
            return x
        if x in step.closure_index:
            return self.closure[step.closure_index[x]]
        if x in step.input_index:
            return self.inputs[t][step.input_index[x]]
        if x in step.state_index:
            i = step.state_index[x]
            stays = t == 0 or step.next_state[i] is x
            return self.state[i] if stays else self.result(t, i)
        return self.result(t + 1, step.column(x))

    def leaves_on(self, operands: Collection[Any]) -> set[Value]:
        """The leaves of the step that stand for one of these operands, in some iteration."""
        step = self.step
        found: set[Value] = {
            x for x, y in zip(step.state, self.state, strict=True) if y in operands
        }
        found |= {x for x, y in zip(step.closure, self.closure, strict=True) if y in operands}
        found |= {
            x for i, x in enumerate(step.inputs) if any(row[i] in operands for row in self.inputs)
        }
        return found

    def result(self, t: int, column: int) -> Operand:
        """The number in a column after t steps."""
        found = self._results.get((t, column))
        if found is None:
            found = _node(_RESULT, (self.node, float(t), float(column)))
            self._results[t, column] = found
        return found


def record(
    step: Step, state: Sequence[Any], closure: Sequence[Any], rows: Sequence[Sequence[Any]]
) -> LoopRun:
    """Record a loop on these operands, with a row of inputs for each step."""
    return LoopRun(LoopPrimitive(step, len(rows)).record([*state, *closure, *joined(rows)]))


def joined(rows: Iterable[Sequence[Any]]) -> list[Any]:
    """The elements of all rows, in one list."""
    return [x for row in rows for x in row]


# --- derivatives ----------------------------------------------------------------------------------


def _moving(step: Step, start: Iterable[Value]) -> set[Value]:
    """The nodes of a step that depend on these leaves, in the same step or in a later one."""
    users: defaultdict[Any, list[Value]] = defaultdict(list)
    for node in in_recorded_order([*step.next_state, *step.outputs]):
        for x in node.args:
            users[x].append(node)
    for leaf, next_state in zip(step.state, step.next_state, strict=True):
        users[next_state].append(leaf)
    return reached(start, lambda x: users.get(x, ()))


NOTHING: tuple[Operand, Activity] = (-0.0, 0.0)
"""The sum of no contributions, to which any number adds as it is, and its activity."""

ABSENT: tuple[Operand | None, Activity] = (None, 0.0)
"""The tangent of what has none, and its activity."""


class _Reverse:
    """The reverse sweep through a loop, as a loop.

    Its state consists of the adjoints of the state and of the closure. Each step reads the upstream
    gradients of its results, and those numbers of the forward loop that its sweep needs. If the
    step contains loops itself, only its state is read, and the rest is recomputed.

    In a tracing with `follows_branches`, the activity of each adjoint is part of the state, too.
    """

    def __init__(
        self,
        run: LoopRun,
        upstream: Sequence[tuple[tuple[float, ...], Operand, Operand]],
        earlier: Mapping[Value, tuple[Operand | None, Operand]],
    ) -> None:
        self.run, self.earlier, step = run, earlier, run.step
        tracing = recording.current_tracing()
        self.follows = tracing is not None and tracing.follows_branches
        given: dict[tuple[int, int], list[tuple[Operand, Activity]]] = {}
        for (t, column), adjoint, active in upstream:
            given.setdefault((int(t), int(column)), []).append((adjoint, active))
        self.given = {place: _added(terms) for place, terms in given.items()}
        self.sources = step.sources(given) or [set()]
        self.n = len(self.sources)  # later steps have no influence
        self.columns: list[tuple[Traced, Callable[[int], Operand]]] = []  # of the inputs
        self._find_carried()
        self.always_active = self._always_active()

        labels = [f"adjoint of {step.state[i].label}" for i in self.states]
        labels += [f"adjoint of {step.closure[k].label}" for k in self.closures]
        adjoints = [Traced(label) for label in labels]
        activities: list[Any] = [Traced("activity") for _ in adjoints if self.follows]
        self.leaves = adjoints + activities
        activities = activities or [0.0] * len(adjoints)
        pairs = list(zip(adjoints, activities, strict=True))
        earlier_in_step: dict[Value, tuple[Operand, Activity]] = {}
        seeds = [(step.at(c), *self._upstream(c, 1)) for c in self.outputs]
        for i, pair in zip(self.states, pairs, strict=False):
            seeds.append((step.next_state[i], *pair))
            if i in self.interior:
                earlier_in_step[step.state[i]] = self._upstream(i, 0)
        if not self.follows:
            active = float(bool(self.always_active))
            seeds = [(x, adjoint, active) for x, adjoint, _ in seeds]
        for i in self.inputs:
            if any(row[i] in self.counted for row in run.inputs):
                earlier_in_step[step.inputs[i]] = self._pair(partial(self._before_input, i))
        for k, pair in zip(self.closures, pairs[len(self.states) :], strict=True):
            earlier_in_step[step.closure[k]] = pair
        found = pulled_back(
            seeds,
            [
                *[step.state[i] for i in self.states],
                *[step.closure[k] for k in self.closures],
                *[step.inputs[i] for i in self.inputs],
            ],
            earlier_in_step,
        )
        sums: list[Operand] = [-0.0 if adjoint is None else adjoint for adjoint, _ in found]
        actives = [active for _, active in found if self.follows]
        n = len(adjoints)
        self._close(sums[:n] + actives[:n], sums[n:] + actives[n:])

    def _find_carried(self) -> None:
        """Find the states, closures and inputs that have adjoints, and the outputs in use."""
        step, run = self.run.step, self.run
        m = len(step.state)
        self.outputs = sorted({c for _, c in self.given if c >= m})
        self.behind = set().union(*self.sources)
        useful = run.leaves_on(self.earlier)
        moving = _moving(step, useful)
        useful &= self.behind
        live = {i for t, i in self.given if i < m and t > 0}
        live |= {i for i, x in enumerate(step.state) if x in self.behind}
        self.states = [i for i in sorted(live) if step.state[i] in moving]
        self.closures = [k for k, x in enumerate(step.closure) if x in useful]
        self.inputs = [i for i, x in enumerate(step.inputs) if x in useful]
        # What contributes to an operand from elsewhere begins the sum, if it stands in one place.
        uses = Counter(x for x in run.node.args if x in self.earlier)
        self.counted = {
            x for x, (total, _) in self.earlier.items() if total is not None and uses[x] == 1
        }
        self.interior = {i for t, i in self.given if 0 < t < self.n and i in self.states}
        self.interior |= {i for i in self.states if run.state[i] in self.counted}
        for i in self.interior:
            if (x := run.state[i]) in self.counted:
                terms: list[Any] = [self.earlier[x], self.given.get((0, i))]
                self.given[0, i] = _added(list(filter(None, terms)))

    def _always_active(self) -> set[Value]:
        """The leaves of the step that are active in each step, whatever is selected."""
        n, step = self.n, self.run.step
        places = [(n, i) for i in self.states]
        places += [(t + 1, c) for c in self.outputs for t in range(n)]
        alone = {i for i in self.interior if step.state[i] not in self.behind}
        places += [(t, i) for i in alone for t in range(1, n)]
        actives = [self.given.get(place, NOTHING)[1] for place in places]
        if not all(map(is_sure, actives)):
            return set()
        ends = [step.next_state[i] for i in self.states] + [step.at(c) for c in self.outputs]
        found = always_active([*step.state, *step.closure, *step.inputs], ends)
        carried = {step.state[i] for i in self.states if i not in alone}
        return found if carried <= found else set()

    def _upstream(self, column: int, ahead: int) -> tuple[Operand, Activity]:
        """Inputs for the upstream gradient of a column `ahead` steps later, and its activity."""
        return self._pair(lambda t: self.given.get((t + ahead, column), NOTHING))

    def _pair(self, value: Callable[[int], tuple[Operand, Activity]]) -> tuple[Operand, Activity]:
        """Add inputs of the reverse loop for the sum and the activity that `value(t)` returns."""
        upstream = self._input("upstream", lambda t: value(t)[0])
        return upstream, self._input("activity", lambda t: value(t)[1]) if self.follows else 0.0

    def _input(self, label: str, value: Callable[[int], Operand]) -> Traced:
        """Add an input of the reverse loop; `value(t)` is its value for forward step t."""
        leaf = Traced(label)
        self.columns.append((leaf, value))
        return leaf

    def _before_input(self, i: int, t: int) -> Any:
        """The earlier contributions to input `i` of step `t`, and their activity."""
        x = self.run.inputs[t][i]
        return self.earlier[x] if x in self.counted else NOTHING

    def _close(self, carried: list[Operand], outputs: list[Operand]) -> None:
        """Make the reverse loop's `Step`, whose inputs include the forward values it needs."""
        run, step = self.run, self.run.step
        results = [*carried, *outputs]
        nodes = in_recorded_order(results)
        sweep = set(dependent(nodes, [*self.leaves, *[leaf for leaf, _ in self.columns]]))
        if any(isinstance(x.primitive, LoopPrimitive) for x in nodes):
            read: set[Any] = {*step.state, *step.inputs}.intersection(nodes)
        else:
            used = {x for node in sweep for x in node.args} | set(results)
            read = {x for x in used if isinstance(x, Traced)} - sweep
        new: dict[Any, Any] = {}
        for x in sorted(read, key=attrgetter("_created")):
            new[x] = self._input(x.label, partial(self._read, x))
        results = copied(results, new)
        computed = set(in_recorded_order(results))
        closures = [k for k, x in enumerate(step.closure) if x in computed]
        self.step = Step(
            self.leaves,
            [leaf for leaf, _ in self.columns],
            [step.closure[k] for k in closures],
            results[: len(carried)],
            results[len(carried) :],
        )
        self.closure = [run.closure[k] for k in closures]

    def _read(self, x: Value, t: int) -> Operand:
        """The value of a node of the forward step in step `t`; states are read from the results."""
        step, run = self.run.step, self.run
        return run.result(t, step.state_index[x]) if x in step.state_index else run.at(x, t)

    def contributions(self) -> dict[Value, tuple[Operand, Activity]]:
        """For each operand, earlier contributions plus those of the loop, and their activity."""
        run, n, m = self.run, self.n, len(self.run.state)
        step = run.step
        counted = {run.state[i] for i in self.interior}
        counted |= {row[i] for row in run.inputs[:n] for i in self.inputs}
        counted &= self.counted
        before: dict[Any, Any] = {
            x: pair for x, pair in self.earlier.items() if pair[0] is not None and x not in counted
        }
        first: list[Any] = [self.given.get((n, i), NOTHING) for i in self.states]
        first += [before.pop(run.closure[k], NOTHING) for k in self.closures]
        state = [total for total, _ in first] + [x for _, x in first if self.follows]
        rows = [[value(t) for _, value in self.columns] for t in reversed(range(n))]
        reverse = record(self.step, state, self.closure, rows)
        found: dict[Value, list[tuple[Operand, Activity]]] = {}

        def add(operand: Any, leaf: Value, of: Sequence[Operand], i: int, t: int) -> None:
            if operand not in self.earlier:
                return
            active: Activity = float(leaf in self.always_active)
            if self.follows:
                active = reverse.at(of[i + len(of) // 2], n - 1 - t)
            found.setdefault(operand, []).append((reverse.at(of[i], n - 1 - t), active))

        carried, outputs = self.step.next_state, self.step.outputs[:]
        for place, k in enumerate(self.closures, len(self.states)):
            add(run.closure[k], step.closure[k], carried, place, 0)
        for t in reversed(range(n)):
            for place, i in enumerate(self.inputs):
                if step.inputs[i] in self.sources[t]:
                    add(run.inputs[t][i], step.inputs[i], outputs, place, t)
        for place, i in enumerate(self.states):
            if step.state[i] in self.sources[0] or (0, i) in self.given:
                add(run.state[i], step.state[i], carried, place, 0)
        for i in range(m):
            if (0, i) in self.given and i not in self.interior and run.state[i] in self.earlier:
                found.setdefault(run.state[i], []).insert(0, self.given[0, i])
        return {
            x: _added([before[x], *terms] if x in before else terms) for x, terms in found.items()
        }


def _added(terms: Sequence[Any]) -> tuple[Operand, Activity]:
    """The sum of contributions, and its activity: that of the most active one."""
    if not terms:
        return NOTHING
    total, active = terms[0]
    if len(terms) > 1:
        total = primitives.sum(*[term for term, _ in terms])
    for _, other in terms[1:]:
        active = primitives.maximum(active, other)
    return total, active


def _forward(
    run: LoopRun, tangents_of: Mapping[Value, tuple[Operand | None, Activity]]
) -> Callable[[tuple[float, ...]], tuple[Operand | None, Activity]]:
    """Forward mode: a loop of the state and its tangent. See `ManyResults.push_forward`.

    A part of the state may have a tangent in some steps only. In a tracing with `follows_branches`
    the activity of the tangents is then carried along.
    """
    step = run.step
    moving = _moving(step, run.leaves_on(tangents_of))
    parts = step.state, step.closure, step.inputs
    states, closures, inputs = ([i for i, x in enumerate(part) if x in moving] for part in parts)
    leaves = [x for part in parts for x in part if x in moving]
    a, b = len(states), len(states) + len(closures)

    def given(xs: Sequence[Any], chosen: Iterable[int]) -> list[tuple[Operand | None, Activity]]:
        return [tangents_of.get(xs[i], ABSENT) for i in chosen]

    state, closure = given(run.state, states), given(run.closure, closures)
    rows = [given(row, inputs) for row in run.inputs]

    along = [_like(x, f"tangent of {x.label}") for x in leaves]
    flags: list[Any] = []
    nodes = [x for x in (*step.next_state, *step.outputs) if isinstance(x, Value)]
    found: dict[Any, Any] = dict(zip(nodes, pushed_forward(nodes, leaves, along), strict=True))
    following = [found.get(step.next_state[i], ABSENT) for i in states]
    if not all(is_sure(active) for _, active in [*state, *closure, *joined(rows), *following]):
        tracing = recording.current_tracing()
        if tracing is not None and tracing.follows_branches:
            flags = [_like(x, "activity") for x in leaves]
        activities = dict(zip(leaves, flags or [0.0] * len(leaves), strict=True))
        pushed = pushed_forward(nodes, leaves, along, activities)
        found = dict(zip(nodes, pushed, strict=True))
        following = [found.get(step.next_state[i], ABSENT) for i in states]

    def numbers(pairs: Iterable[tuple[Operand | None, Activity]]) -> list[Operand]:
        pairs = list(pairs)
        tangents = [0.0 if tangent is None else tangent for tangent, _ in pairs]
        return tangents + [active for _, active in pairs if flags]

    both: Any = Step(
        [*step.state, *along[:a], *flags[:a]],  # type: ignore[list-item]
        [*step.inputs, *along[b:], *flags[b:]],  # type: ignore[list-item]
        [*step.closure, *along[a:b], *flags[a:b]],
        [*step.next_state, *numbers(following)],
    )
    loop = record(
        both,
        [*run.state, *numbers(state)],
        [*run.closure, *numbers(closure)],
        [[*xs, *numbers(pairs)] for xs, pairs in zip(run.inputs, rows, strict=True)],
    )

    def tangent_of(place: tuple[float, ...]) -> tuple[Operand | None, Activity]:
        t, column = map(int, place)
        if t == 0:
            return tangents_of.get(run.state[column], ABSENT)
        node = step.at(column)
        tangent, active = found[node] if isinstance(node, Value) else ABSENT
        return ABSENT if tangent is None else (loop.at(tangent, t - 1), loop.at(active, t - 1))

    return tangent_of


def _like(leaf: Value, label: str) -> Value:
    """Another leaf of a step, of the same kind, whose number is computed."""
    new = Traced(label) if type(leaf) is Traced else Value(math.nan, label)
    of_loops.add(new)
    return new
