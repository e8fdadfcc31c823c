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
from itertools import islice
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
from autograd.derivatives.many_results import Column, ManyResults, Result
from autograd.value import Operand, Value

Activity: TypeAlias = Operand
"""See `derivatives.graph.pulled_back`."""


class Step:
    """The graph of one step.

    Attributes:
        state: a Traced for each number of the state before.
        inputs: a Traced for each number of an input.
        closure: a leaf for each Value that the step closes over.
        results: the state after the step, then other nodes whose numbers are kept for every step.
        next_state: the state after the step.
        leaves: state, closure and inputs; `index` finds the index of each among them.
        n_state: how many of them are the state.
        n_fixed: how many of them are not inputs.
    """

    def __init__(
        self,
        state: Sequence[Value],
        inputs: Sequence[Value],
        closure: Sequence[Value],
        results: list[Operand],
    ) -> None:
        self.state, self.inputs, self.closure, self.results = state, inputs, closure, results
        self.next_state = results[: len(state)]
        of_loops.update([*state, *inputs])
        self.leaves = [*state, *closure, *inputs]
        self.index: dict[Value, int] = {x: i for i, x in enumerate(self.leaves)}
        self.n_state, self.n_fixed = len(state), len(state) + len(closure)
        columns = reversed(list(enumerate(results)))
        self._columns = {x: i for i, x in columns if isinstance(x, Value)}

    def column(self, node: Value) -> int:
        """The index of a node in the results, to which a new node is added."""
        found = self._columns.setdefault(node, len(self.results))
        if found == len(self.results):
            self.results.append(node)
        return found

    def sources(self, results: Iterable[tuple[int, int]]) -> list[set[Value]]:
        """For each step the leaves that some results have derivatives with respect to.

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
                found[used] = self.index.keys() & sources([self.results[column] for column in used])
            by_step.append(found[used])
        return by_step[::-1] or [set()]


class LoopPrimitive(ManyResults):
    """The row of a loop: its operands are the state, the closure, and the inputs one by one.

    Of each input there is an operand for each step, or a single one that is a `Column`.
    The result (t, column) is the number in that column after t steps.
    """

    name = "scan"

    def __init__(self, step: Step, count: int) -> None:
        self.step = step
        self.count = count
        rows = {x.primitive for x in in_recorded_order(step.results)}
        self.chooses = any(row is not None and row.chooses for row in rows)

    def sources(self, node: Value, results: Sequence[tuple[float, ...]]) -> list[Operand]:
        """The operands that these results have derivatives with respect to."""
        run, step = LoopRun(node), self.step
        places = [(int(t), int(column)) for t, column in results]
        by_step = step.sources(places)
        found = [run.state[i] for t, i in places if t == 0]
        any_step = set[Value]().union(*by_step)
        for i, leaf in enumerate(step.leaves):
            is_closure = step.n_state <= i < step.n_fixed
            used = [any_step] if is_closure else by_step[: 1 if i < step.n_state else None]
            found += [run.at(leaf, t) for t, leaves in enumerate(used) if leaf in leaves]
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


class LoopRun:
    """A recorded loop, by its node, and what the nodes of its step are in each iteration.

    Attributes:
        columns: for each leaf of the step its operands: one, or of an input one for each step.
    """

    def __init__(self, node: Value) -> None:
        row: Any = node.primitive
        self.step, self.count, self.node = row.step, row.count, node
        m, n, args = self.step.n_state, self.step.n_fixed, node.args
        self.state, self.closure = args[:m], args[m:n]
        self.columns: list[tuple[Any, ...]] = [(x,) for x in args[:n]]
        inputs = iter(args[n:])
        for x in inputs:
            self.columns.append((x, *islice(inputs, 0 if is_column(x) else self.count - 1)))
        self._results: dict[tuple[int, int], Operand] = {}

    def operand(self, i: int, t: int) -> Any:
        """The operand for leaf i of the step in iteration t; of the state, in the first one."""
        column = self.columns[i]
        return column[t % len(column)]

    def at(self, x: Operand, t: int) -> Any:
        """The node or number that stands for node `x` of the step's graph in iteration `t`."""
        step = self.step
        if not isinstance(x, Value):
            return x
        i = step.index.get(x)
        if i is None:
            return self.result(t + 1, step.column(x))
        if i < step.n_state and t > 0 and step.next_state[i] is not x:
            return self.result(t, i)
        operand = self.operand(i, t)
        if is_column(operand):
            node, first, column, by = operand.args
            return _RESULT.record([node, first + by * t, column])
        return operand

    def backwards(self, x: Value, n: int) -> Any:
        """What stands for leaf or node `x` in the first `n` iterations, the last one first."""
        i = self.step.index.get(x)
        if i is None or i < self.step.n_state:
            t, column = (n, self.step.column(x)) if i is None else (n - 1, i)
            return [_COLUMN.record([self.node, float(t), float(column), -1.0])]
        operands = self.columns[i]
        if is_column(operands[0]):
            node, first, of, by = operands[0].args
            return [_COLUMN.record([node, first + by * (n - 1), of, -by])]
        return operands[n - 1 :: -1]

    def leaves_on(self, operands: Collection[Any]) -> set[Value]:
        """The leaves of the step that stand for one of these operands, in some iteration."""
        pairs = zip(self.step.leaves, self.columns, strict=True)
        return {leaf for leaf, column in pairs if any(x in operands for x in column)}

    def result(self, t: int, column: int) -> Operand:
        """The number in a column after t steps."""
        place = t, column
        if place not in self._results:
            self._results[place] = _RESULT.record([self.node, float(t), float(column)])
        return self._results[place]


_RESULT, _COLUMN = Result(), Column()


def is_column(x: Any) -> bool:
    """Whether an operand is a `Column`, which stands for a number in each step."""
    return isinstance(x, Value) and isinstance(x.primitive, Column)


def record(step: Step, count: int, operands: Sequence[Any]) -> LoopRun:
    """Record a loop of `count` steps on these operands."""
    return LoopRun(LoopPrimitive(step, count).record(operands))


def joined(rows: Iterable[Sequence[Any]]) -> list[Any]:
    """The elements of all rows, in one list."""
    return [x for row in rows for x in row]


# --- derivatives ----------------------------------------------------------------------------------


def _moving(step: Step, start: Iterable[Value]) -> set[Value]:
    """The nodes of a step that depend on these leaves, in the same step or in a later one."""
    users: defaultdict[Any, list[Value]] = defaultdict(list)
    for node in in_recorded_order(step.results):
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
        self.sources = step.sources(given)
        self.n = len(self.sources)  # later steps have no influence
        self.columns: dict[Value, Sequence[Operand]] = {}  # of the inputs
        self._find_carried()
        self.always_active = self._always_active()
        self._sweep()

    def _find_carried(self) -> None:
        """Find the states, closures and inputs that have adjoints, and the outputs in use."""
        step, run = self.run.step, self.run
        m, n = step.n_state, step.n_fixed
        self.outputs = sorted({c for _, c in self.given if c >= m})
        behind = set[Value]().union(*self.sources)
        useful = run.leaves_on(self.earlier)
        moving = _moving(step, useful)
        useful &= behind
        live = {i for t, i in self.given if i < m and t > 0}
        live |= {i for i, x in enumerate(step.state) if x in behind}
        self.states = [i for i in sorted(live) if step.state[i] in moving]
        others = [i for i, x in enumerate(step.leaves) if i >= m and x in useful]
        self.closures = [i for i in others if i < n]
        self.inputs = [i for i in others if i >= n]
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
        step = self.run.step
        places = [(self.n, i) for i in self.states]
        places += [(t + 1, c) for c in self.outputs for t in range(self.n)]
        if not all(is_sure(self.given.get(place, NOTHING)[1]) for place in places):
            return set()
        ends = [step.next_state[i] for i in self.states] + [step.results[c] for c in self.outputs]
        found = always_active(step.leaves, ends)
        return found if found.issuperset(step.state[i] for i in self.states) else set()

    def _upstream(self, column: int, ahead: int) -> tuple[Operand, Activity]:
        """Inputs for the upstream gradient of a column `ahead` steps later, and its activity."""
        times = range(ahead, ahead + self.n)
        return self._pair([self.given.get((t, column), NOTHING) for t in reversed(times)])

    def _pair(self, pairs: Iterable[tuple[Any, Any]]) -> tuple[Operand, Activity]:
        """Add inputs of the reverse loop for sums and the activity of each."""
        sums, activities = zip(*pairs, strict=True)
        upstream = self._input("upstream", sums)
        if not self.follows:
            return upstream, float(bool(self.always_active))
        return upstream, self._input("activity", activities)

    def _input(self, label: str, column: Sequence[Operand]) -> Traced:
        """Add an input of the reverse loop, with its operands."""
        leaf = Traced(label)
        self.columns[leaf] = column
        return leaf

    def _flat(self, pairs: Sequence[tuple[Any, Any]]) -> list[Any]:
        """The sums, then the activity of each if that is part of the state."""
        return [x for x, _ in pairs] + [active for _, active in pairs if self.follows]

    def _sweep(self) -> None:
        """Sweep through a step: find the adjoint, and the activity, of each leaf before it."""
        step = self.run.step
        leaves = [step.leaves[i] for i in self.states + self.closures]
        sure = float(bool(self.always_active))
        state = [
            (Traced(f"adjoint of {x.label}"), Traced("activity") if self.follows else sure)
            for x in leaves
        ]
        earlier: dict[Value, Any] = dict(zip(leaves, state, strict=True))
        seeds = [(step.results[c], *self._upstream(c, 1)) for c in self.outputs]
        for i in self.states:
            seeds.append((step.next_state[i], *earlier.pop(step.state[i])))
            if i in self.interior:
                earlier[step.state[i]] = self._upstream(i, 0)
        before: dict[Any, Any] = {x: self.earlier[x] for x in self.counted}
        for i in self.inputs:
            operands = self.run.columns[i][self.n - 1 :: -1]
            if not self.counted.isdisjoint(operands):
                earlier[step.leaves[i]] = self._pair([before.get(x, NOTHING) for x in operands])
        leaves += [step.leaves[i] for i in self.inputs]
        found = pulled_back(seeds, leaves, earlier)
        pairs = [(-0.0 if x is None else x, active) for x, active in found]
        results = self._with_reads(self._flat(state), joined(pairs))
        self.adjoint = {
            x: (adjoint, active if self.follows else float(x in self.always_active))
            for x, adjoint, active in zip(leaves, results[::2], results[1::2], strict=True)
        }
        adjoints = list(self.adjoint.values())
        computed = set(in_recorded_order(results))
        closures = [i for i, x in enumerate(step.closure) if x in computed]
        self.step = Step(
            self._flat(state),
            list(self.columns),
            [step.closure[i] for i in closures],
            self._flat(adjoints[: len(state)]) + self._flat(adjoints[len(state) :]),
        )
        self.closure = [self.run.closure[i] for i in closures]

    def _with_reads(self, state: list[Value], results: list[Operand]) -> list[Operand]:
        """The results of a sweep, in which what it reads of the forward step is an input."""
        step = self.run.step
        nodes = in_recorded_order(results)
        sweep = set(dependent(nodes, [*state, *self.columns]))
        if any(isinstance(x.primitive, LoopPrimitive) for x in nodes):
            read: set[Any] = {*step.state, *step.inputs}.intersection(nodes)
        else:
            used = {x for node in sweep for x in node.args} | set(results)
            read = {x for x in used if isinstance(x, Traced)} - sweep
        in_order = sorted(read, key=attrgetter("_created"))
        return copied(
            results, {x: self._input(x.label, self.run.backwards(x, self.n)) for x in in_order}
        )

    def contributions(self) -> dict[Value, tuple[Operand, Activity]]:
        """For each operand, earlier contributions plus those of the loop, and their activity."""
        run, n, step = self.run, self.n, self.run.step
        counted = {run.state[i] for i in self.interior}
        counted = counted.union(*[run.columns[i][:n] for i in self.inputs]) & self.counted
        before: dict[Any, Any] = {
            x: pair for x, pair in self.earlier.items() if pair[0] is not None and x not in counted
        }
        state = [self.given.get((n, i), NOTHING) for i in self.states]
        state += [before.pop(run.operand(i, 0), NOTHING) for i in self.closures]
        operands = [*self._flat(state), *self.closure, *joined(self.columns.values())]
        reverse = record(self.step, n, operands)
        found: dict[Value, list[tuple[Operand, Activity]]] = {}
        sources, leaves = self.sources, step.leaves
        uses = [(i, 0) for i in self.closures]
        uses += [(i, t) for t in reversed(range(n)) for i in self.inputs if leaves[i] in sources[t]]
        uses += [(i, 0) for i in self.states if leaves[i] in sources[0] or (0, i) in self.given]
        for i, t in uses:
            if run.operand(i, t) in self.earlier:
                adjoint, active = (reverse.at(x, n - 1 - t) for x in self.adjoint[leaves[i]])
                found.setdefault(run.at(leaves[i], t), []).append((adjoint, active))
        for i, x in enumerate(run.state):
            if (0, i) in self.given and i not in self.interior and x in self.earlier:
                found.setdefault(x, []).insert(0, self.given[0, i])
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
    chosen = [i for i, x in enumerate(step.leaves) if x in moving]
    leaves = [step.leaves[i] for i in chosen]
    a, b = (sum(i < n for i in chosen) for n in (step.n_state, step.n_fixed))

    def given(i: int, t: int = 0) -> Any:
        x = run.operand(i, t)
        tangent: Any = tangents_of.get(x, ABSENT)
        if is_column(x) and x in tangents_of:  # a function, as `push_forward` returns it
            return tangent[0](run.at(step.leaves[i], t).args[1:])
        return tangent

    states = chosen[:a]
    state, closure = list(map(given, states)), list(map(given, chosen[a:b]))
    rows = [[given(i, t) for i in chosen[b:]] for t in range(run.count)]

    along = [_like(x, f"tangent of {x.label}") for x in leaves]
    flags: list[Any] = []
    nodes = [x for x in step.results if isinstance(x, Value)]

    def pushed(activities: Mapping[Value, Activity]) -> tuple[dict[Any, Any], list[Any]]:
        found = dict(zip(nodes, pushed_forward(nodes, leaves, along, activities), strict=True))
        return found, [found.get(step.next_state[i], ABSENT) for i in states]

    found, following = pushed({})
    if not all(is_sure(active) for _, active in [*state, *closure, *joined(rows), *following]):
        tracing = recording.current_tracing()
        if tracing is not None and tracing.follows_branches:
            flags = [_like(x, "activity") for x in leaves]
        found, following = pushed(dict(zip(leaves, flags or [0.0] * len(leaves), strict=True)))

    def numbers(pairs: Iterable[tuple[Operand | None, Activity]]) -> list[Operand]:
        pairs = list(pairs)
        tangents = [0.0 if tangent is None else tangent for tangent, _ in pairs]
        return tangents + [active for _, active in pairs if flags]

    both = Step(
        [*step.state, *along[:a], *flags[:a]],
        [*step.inputs, *along[b:], *flags[b:]],
        [*step.closure, *along[a:b], *flags[a:b]],
        [*step.next_state, *numbers(following)],
    )
    fixed = [*run.state, *numbers(state), *run.closure, *numbers(closure)]
    inputs = [*run.columns[step.n_fixed :], *zip(*map(numbers, rows), strict=True)]
    loop = record(both, run.count, [*fixed, *joined(inputs)])

    def tangent_of(place: tuple[float, ...]) -> tuple[Operand | None, Activity]:
        t, column = map(int, place)
        if t == 0:
            return tangents_of.get(run.state[column], ABSENT)
        node = step.results[column]
        tangent, active = found[node] if isinstance(node, Value) else ABSENT
        return ABSENT if tangent is None else (loop.at(tangent, t - 1), loop.at(active, t - 1))

    return tangent_of


def _like(leaf: Value, label: str) -> Value:
    """Another leaf of a step, of the same kind, whose number is computed."""
    new = Traced(label) if type(leaf) is Traced else Value(math.nan, label)
    of_loops.add(new)
    return new
