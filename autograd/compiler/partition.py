"""Graphs with scans: partitioned at the scans, lowered part by part, and linked to one program.

The subgraph before a scan computes what the scan takes, and what later subgraphs need. Each
subgraph is a tape of its own, and so is the step of a scan; a graph without scans is a single tape.
The tapes pass through the compiler one by one, so no other pass knows of scans, and their programs
are joined by shifting addresses (see `linking`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from operator import ne
from typing import Any, TypeAlias

from autograd.compiler.linking import Joined, Mover
from autograd.compiler.loop_primitive import LoopRun, is_column, joined
from autograd.compiler.lowering import Tape, other_leaves
from autograd.compiler.program import Place, Program, Scan
from autograd.compiler.trace import Traced, gradient_of
from autograd.derivatives.graph import in_recorded_order
from autograd.derivatives.many_results import ManyResults, RowOfMany
from autograd.primitives import own_names
from autograd.recording import Selection
from autograd.value import Operand, Value

Blocks: TypeAlias = "dict[str, Mapping[Value, int]]"
"""For each space of what is computed elsewhere the addresses in it."""


# --- lowering -------------------------------------------------------------------------------------


@dataclass
class Part:
    """A part of a graph: the subgraph between two scans, or a scan.

    Attributes:
        tape: the tape of the subgraph, or of a step of the scan.
        results: the space of its results, which later parts read; "" for the last part.
        size: how many numbers the results are.
        is_once: whether it runs once per call, not for each example.
        scan: makes the scan of the program of its step; the spaces of its places are those of
            blocks.
    """

    tape: Tape | Partitioned
    results: str
    size: int
    is_once: bool
    scan: partial[Scan] | None = None


@dataclass
class Partitioned:
    """A graph with scans, lowered. It takes the place of a `Tape`.

    Attributes:
        parts: subgraphs and scans, in the order in which they are computed.
        key: a hash, the same for graphs that differ in nothing but the leaves and their labels.
    """

    inputs: list[str]
    leaves: list[Value]
    is_batch: bool
    parts: list[Part]
    selection: Selection = Selection.NONE
    key: str = field(init=False)

    def __post_init__(self) -> None:
        parts = [(x.tape.key, x.results, x.size, x.is_once, x.scan) for x in self.parts]
        self.key = hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def lower_parts(
    inputs: Sequence[Traced],
    outputs: Sequence[Operand],
    is_batch: bool,
    leaves: Iterable[Value] = (),
    blocks: Blocks | None = None,
    variables: Sequence[Value] = (),
    follows_branches: bool = False,
    with_value: bool = True,
) -> Tape | Partitioned:
    """The tape of a graph, or one for each of its parts if there are scans in it (see `lower`).

    If gradients are to follow branches, or go through scans or rows of users, they are recorded as
    graph before that is lowered.
    """
    stops = {x for block in (blocks or {}).values() for x in block}
    found = in_recorded_order(outputs, stops)
    rows = {x.primitive for x in found if x.primitive is not None}
    selection = Selection.NONE
    if variables and (follows_branches or any(row.name not in own_names for row in rows)):
        leaves = [*leaves, *variables]
        slopes, selection = gradient_of(outputs[0], variables, follows_branches)
        outputs, variables = [*outputs[not with_value :], *slopes], ()
        found = in_recorded_order(outputs, stops)
    if not any(isinstance(x.primitive, ManyResults) for x in found):
        tape = Tape(inputs, outputs, is_batch, leaves, blocks, found, variables, with_value)
        tape.selection = max(tape.selection, selection)
        return tape
    partition = _Partition(inputs, outputs, is_batch, leaves, blocks or {}, found)
    partitioned = partition.lowered()
    partitioned.selection = selection
    return partitioned


class _Partition:
    """Lowers a graph with scans, part by part.

    Subgraph i, from 0 on, comes before scan i; the last one follows all scans.
    """

    def __init__(
        self,
        inputs: Sequence[Traced],
        outputs: Sequence[Operand],
        is_batch: bool,
        leaves: Iterable[Value],
        blocks: Blocks,
        found: Sequence[Value],
    ) -> None:
        self.inputs, self.outputs, self.is_batch = inputs, outputs, is_batch
        self.blocks: Blocks = {}
        elsewhere = {x for block in blocks.values() for x in block}
        given = dict.fromkeys([*inputs, *leaves])
        others = other_leaves(found, elsewhere.union(given))
        self.leaves = [*given, *others][len(inputs) :]
        scans = [x for x in found if isinstance(x.primitive, ManyResults)]
        self.scans = sorted(scans, key=lambda x: type(x) is Traced)  # first those once a call
        self.n_once = sum(type(x) is not Traced for x in scans)
        self.places: dict[Value, tuple[str, int]] = {}
        self.strides: dict[Value, int] = {}  # of columns
        for name, nodes in ("w", self.leaves), ("x", inputs):
            self.places |= {x: (name, i) for i, x in enumerate(nodes)}
        for name, block in blocks.items():
            self._add_block(name, block)
        self._find_subgraphs([x for x in found if x not in elsewhere and x.primitive is not None])

    def _add_block(self, name: str, block: Mapping[Value, int]) -> None:
        self.blocks[name] = block
        self.places |= {x: (name, at) for x, at in block.items()}

    def _find_subgraphs(self, nodes: Sequence[Value]) -> None:
        """Find the earliest subgraph for each node, and what later ones need of each.

        Numbers that are computed once per call are passed on between subgraphs that run once per
        call; later ones compute them again.
        """
        number = {scan: i for i, scan in enumerate(self.scans)}
        self.results: list[list[Value]] = [[] for _ in self.scans]  # of each scan, those used
        subgraph: dict[Any, int] = {}
        last: dict[Any, int] = {}  # the last subgraph that uses it
        for node in nodes:
            operands = [x for x in node.args if type(x) is not float]
            if isinstance(node.primitive, ManyResults):
                at = number[node]
            elif isinstance(node.primitive, RowOfMany):
                subgraph[node] = number[node.args[0]] + 1
                self.results[number[node.args[0]]].append(node)
                continue
            else:
                at = max((subgraph.get(x, 0) for x in operands), default=0)
                subgraph[node] = at = at if type(node) is not Traced else max(at, self.n_once)
            for x in operands:
                last[x] = max(last.get(x, 0), at)
        for x in self.outputs:
            if isinstance(x, Value):
                last[x] = len(self.scans)
        self.handed_on: list[list[Value]] = [[] for _ in self.scans]
        for node, at in subgraph.items():
            is_later = at < last.get(node, 0) and (type(node) is Traced or at < self.n_once)
            if is_later and not isinstance(node.primitive, RowOfMany):
                self.handed_on[at].append(node)

    def lowered(self) -> Partitioned:
        """For each scan the subgraph before it, if any, and the scan; then the last subgraph."""
        parts: list[Part] = []
        for i, scan in enumerate(self.scans):
            parts += self._before(i, scan)
        last = Tape(self.inputs, self.outputs, self.is_batch, self.leaves, self.blocks)
        parts.append(Part(last, "", len(self.outputs), False))
        names = [x.label for x in self.inputs]
        return Partitioned(names, self.leaves, self.is_batch, parts)

    def _before(self, i: int, node: Value) -> list[Part]:
        """The subgraph before a scan, if one is needed, and the scan."""
        is_once, name = i < self.n_once, f"t{i}"
        run = LoopRun(node)
        step, n, m = run.step, run.count, len(run.state)
        targets: list[Any] = list(self.handed_on[i])
        handed_on = {x: at for at, x in enumerate(targets)}

        def placed(
            columns: Sequence[Sequence[Any]], is_state: bool = False
        ) -> list[tuple[list[int], Place]]:
            """Find places for columns of numbers: pairs of their indices and where these are.

            A state has one place where not all of it is anywhere yet.
            """
            found = self._streams(columns)
            rest = sorted(set(range(len(columns))) - {j for js, _ in found for j in js})
            if rest and is_state:
                found, rest = [], list(range(len(columns)))
            if rest:
                rows = list(zip(*[columns[j] for j in rest], strict=True))
                place = Place(name, len(targets), len(rest), len(rest) * (len(rows) > 1))
                targets.extend(joined(rows))
                found.append((rest, place))
            return found

        initial = placed(run.columns[:m], is_state=True)
        closure = placed(run.columns[m : step.n_fixed])
        inputs = placed(run.columns[step.n_fixed :])
        parts = []
        if targets:
            values = [x if isinstance(x, Value) else float(x) for x in targets]
            tape = Tape(self.inputs, values, is_once, self.leaves, self.blocks)
            parts.append(Part(tape, name, len(targets), is_once))
            self._add_block(name, handed_on)
        # the step
        used = [(int(x.args[1]), int(x.args[2])) for x in self.results[i]]
        moving = [x for x in self.results[i] if is_column(x)]
        keeps_all = bool(moving) or any(t < n or column >= m for t, column in used)
        columns = sorted({column for _, column in used if column >= m})
        given: dict[str, Place] = {}
        own: Blocks = {}
        for kind, leaves, places in ("K", step.closure, closure), ("X", step.inputs, inputs):
            for k, (js, place) in enumerate(places):
                given[f"{kind}{k}"] = place
                own[f"{kind}{k}"] = {leaves[j]: at for at, j in enumerate(js)}
        outputs = [*step.next_state, *[step.results[column] for column in columns]]
        tape_of_step = lower_parts(step.state, outputs, False, (), own)
        width = len(outputs)
        address = {column: m + at for at, column in enumerate(columns)}
        results = f"r{i}"
        self._add_block(
            results,
            {
                x: address.get(column, column) + (t * width if keeps_all else 0)
                for x, (t, column) in zip(self.results[i], used, strict=True)
            },
        )
        self.strides |= {x: int(x.args[3]) * width for x in moving}
        size = (n + 1) * width if keeps_all else m
        scan = partial(
            Scan,
            n,
            initial=tuple([place for _, place in initial]),
            given=given,
            to=Place(results, 0, size),
            keeps_all=keeps_all,
        )
        return [*parts, Part(tape_of_step, results, size, is_once, scan)]

    def _streams(self, columns: Iterable[Sequence[Any]]) -> list[tuple[list[int], Place]]:
        """Which columns are at which place, merged into as few places as possible.

        Columns without a place are left out. The address of a place grows by the same stride from
        number to number.
        """
        found: list[tuple[list[int], Place]] = []
        for j, column in enumerate(columns):
            place = self.places.get(column[0]) if isinstance(column[0], Value) else None
            if place is None:
                continue
            space, base = place
            stride = self.strides.get(column[0], 0)
            if len(column) > 1:
                stride = self.places.get(column[1], ("", 0))[1] - base
                places = ((space, base + stride * t) for t in range(len(column)))
                if any(map(ne, map(self.places.get, column), places)):
                    continue
            if found:
                js, before = found[-1]
                end = before.space, before.base + before.count, before.stride
                if js[-1] == j - 1 and end == (space, base, stride):
                    found[-1] = [*js, j], replace(before, count=before.count + 1)
                    continue
            found.append(([j], Place(space, base, 1, stride)))
        return found


# --- putting the parts together -------------------------------------------------------------------


def roll_parts(graph: Partitioned, roll: Callable[[Tape | Partitioned], Program]) -> Program:
    """Make a program of each subgraph and of each scan's step with `roll`, and join them."""
    joined = Joined()
    joined.sizes |= {"w": len(graph.leaves), "x": len(graph.inputs)}
    to: dict[str, Place] = {}
    for part in graph.parts:
        program = roll(part.tape)
        section, space = ("once", "c") if part.is_once else ("each", "v")
        own = Place(space if part.results else "y", 0, part.size)
        own = to[part.results] = replace(own, base=joined.room(own.space, own.count))
        if part.scan:
            scan = part.scan(step=program)
            joined.sections[section] += Mover(joined, joined.table, to, 0).items([scan])
            continue
        spaces = {**to, "y": own}
        spaces |= {
            local: Place(local, joined.room(local, program.sizes[local]), 0) for local in "cvm"
        }
        mover = joined.mover(program, spaces, 0)
        for name, items in program.sections.items():
            is_early = part.results and name == "after"  # only the last part has means
            joined.sections["once" if is_early else name] += mover.items(items)
    return joined.program(graph.inputs, graph.leaves, graph.is_batch, graph.key)
