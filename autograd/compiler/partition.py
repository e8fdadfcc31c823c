"""Graphs with scans: partitioned at the scans, lowered part by part, and linked to one program.

A stage computes what the next scan takes, and what later stages need. Each stage is a tape of its
own, and so is the step of a scan; a graph without scans is a single tape. The tapes pass through
the compiler one by one, so no other pass knows of scans, and their programs are joined by shifting
addresses (see `linking`).
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from autograd.compiler.linking import Joined, Mover
from autograd.compiler.lowering import Tape, lower, other_leaves
from autograd.compiler.program import CLOSURE, INPUTS, Place, Program, Scan
from autograd.compiler.trace import Traced, gradient_of
from autograd.derivatives.graph import in_recorded_order
from autograd.derivatives.many_results import ManyResults, Result
from autograd.primitives import own_names
from autograd.recording import Selection
from autograd.value import Operand as Number
from autograd.value import Value

Blocks: TypeAlias = "dict[str, dict[Value, int]]"
"""For each space of what is computed elsewhere the addresses in it."""


# --- lowering -------------------------------------------------------------------------------------


@dataclass
class Stage:
    """The part of a graph that is computed between two scans.

    Attributes:
        tape: the tape of this stage.
        results: the space of its results, which later stages read; "" for the last stage.
        is_once: whether it runs once per call, not for each example.
    """

    tape: Tape
    results: str
    is_once: bool


@dataclass
class LoweredScan:
    """A scan whose step was lowered.

    Attributes:
        initial: the places of the initial state's parts, in order; the spaces are those of blocks.
        given: the places of the other spaces that the step reads: its closure and its inputs.
        results: the name of the space of its results.
        size: how many numbers the results are.
        keeps_all: whether the results of every step are kept, or only the last state.
        is_once: whether it runs once a call.
    """

    count: int
    step: Tape | Staged
    initial: tuple[Place, ...]
    given: dict[str, Place]
    results: str
    size: int
    keeps_all: bool
    is_once: bool


@dataclass
class Staged:
    """A graph with scans, lowered. It takes the place of a `Tape`.

    Attributes:
        parts: stages and scans, in the order in which they are computed.
        key: a hash, the same for graphs that differ in nothing but the leaves and their labels.
    """

    inputs: list[str]
    leaves: list[Value]
    is_batch: bool
    parts: list[Stage | LoweredScan]
    selection: Selection = Selection.NONE
    key: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.blake2b(digest_size=16)
        for part in self.parts:
            if isinstance(part, Stage):
                digest.update(f"{part.tape.key} {part.results} {part.is_once} ".encode())
            else:
                digest.update(f"{replace(part, step=None)!r} {part.step.key} ".encode())  # type: ignore[arg-type]
        self.key = digest.hexdigest()

    @property
    def results(self) -> list[int]:
        """The results of the last stage."""
        last = self.parts[-1]
        assert isinstance(last, Stage)
        return last.tape.results


def lower_staged(
    inputs: Sequence[Traced],
    outputs: Sequence[Number],
    is_batch: bool,
    leaves: Iterable[Value] = (),
    blocks: Blocks | None = None,
    variables: Sequence[Value] = (),
    follows_branches: bool = False,
) -> Tape | Staged:
    """The tape of a graph, or one for each of its stages if there are scans in it (see `lower`).

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
        outputs, variables = [*outputs, *slopes], ()
        found = in_recorded_order(outputs, stops)
    if not any(isinstance(row, ManyResults) for row in rows):
        tape = lower(inputs, outputs, is_batch, leaves, blocks, found, variables)
        tape.selection = max(tape.selection, selection)
        return tape
    staged = _Staging(inputs, outputs, is_batch, leaves, blocks or {}, found).staged()
    staged.selection = selection
    return staged


class _Staging:
    """Lowers a graph with scans, stage by stage."""

    def __init__(
        self,
        inputs: Sequence[Traced],
        outputs: Sequence[Number],
        is_batch: bool,
        leaves: Iterable[Value],
        blocks: Blocks,
        found: Sequence[Value],
    ) -> None:
        self.inputs, self.outputs, self.is_batch = inputs, outputs, is_batch
        self.blocks = blocks.copy()
        elsewhere = {x for block in blocks.values() for x in block}
        given = dict.fromkeys([*inputs, *leaves])
        others = other_leaves(found, elsewhere.union(given))
        self.leaves = [*given, *others][len(inputs) :]
        scans = [x for x in found if isinstance(x.primitive, ManyResults)]
        self.scans = sorted(scans, key=lambda x: type(x) is Traced)  # first those once a call
        self.n_once = sum(type(x) is not Traced for x in scans)
        self.places: dict[Value, tuple[str, int]] = {}
        for name, nodes in ("w", self.leaves), ("x", inputs):
            self.places |= {x: (name, i) for i, x in enumerate(nodes)}
        for name, block in blocks.items():
            self.places |= {x: (name, at) for x, at in block.items()}
        self._find_stages([x for x in found if x not in elsewhere and x.primitive is not None])

    def _find_stages(self, nodes: Sequence[Value]) -> None:
        """Find the earliest stage for each node, and what later stages need of each stage.

        Numbers that are computed once per call are passed on between stages that run once per call;
        later stages compute them again.
        """
        number = {scan: i for i, scan in enumerate(self.scans)}
        self.results: list[list[Value]] = [[] for _ in self.scans]  # of each scan, those used
        stage: dict[Any, int] = {}
        last: dict[Any, int] = {}  # the last stage that uses it
        for node in nodes:
            if isinstance(node.primitive, Result):
                stage[node] = number[node.args[0]] + 1
                self.results[number[node.args[0]]].append(node)
                continue
            operands = [x for x in node.args if type(x) is not float]
            if isinstance(node.primitive, ManyResults):
                at = number[node]
            else:
                at = max((stage.get(x, 0) for x in operands), default=0)
                stage[node] = at = at if type(node) is not Traced else max(at, self.n_once)
            for x in operands:
                last[x] = max(last.get(x, 0), at)
        for x in self.outputs:
            if isinstance(x, Value):
                last[x] = len(self.scans)
        self.handed_on: list[list[Value]] = [[] for _ in self.scans]
        for node, at in stage.items():
            is_later = at < last.get(node, 0) and (type(node) is Traced or at < self.n_once)
            if is_later and not isinstance(node.primitive, Result):
                self.handed_on[at].append(node)

    def staged(self) -> Staged:
        """For each scan the stage before it, if any, and the scan itself; then the last stage."""
        parts: list[Stage | LoweredScan] = []
        for i, scan in enumerate(self.scans):
            parts += self._before(i, scan)
        last = lower(self.inputs, self.outputs, self.is_batch, self.leaves, self.blocks)
        parts.append(Stage(last, "", False))
        names = [x.label for x in self.inputs]
        return Staged(names, self.leaves, self.is_batch, parts)

    def _before(self, i: int, node: Value) -> list[Stage | LoweredScan]:
        """The stage before a scan, if one is needed, and the scan."""
        is_once = i < self.n_once
        row: Any = node.primitive
        step, n = row.step, row.count
        m, q, d = len(step.state), len(step.closure), len(step.inputs)
        args = node.args
        name = f"t{i}"
        targets = list(self.handed_on[i])
        block: dict[Value, int] = {x: at for at, x in enumerate(targets)}

        def placed(
            rows: Sequence[Sequence[Any]], is_state: bool = False
        ) -> list[tuple[list[int], Place]]:
            """Find places for rows of numbers: pairs of columns and where these are.

            A state has one place where not all of it is anywhere yet.
            """
            found = self._streams(rows)
            rest = sorted(set(range(len(rows[0]))) - {j for js, _ in found for j in js})
            if rest and is_state:
                found, rest = [], list(range(len(rows[0])))
            if rest:
                place = Place(name, len(targets), len(rest), len(rest) * (len(rows) > 1))
                targets.extend(row[j] for row in rows for j in rest)
                found.append((rest, place))
            return found

        initial = placed([args[:m]], is_state=True) if m else []
        closure = placed([args[m : m + q]]) if q else []
        rows = [args[at : at + d] for at in range(m + q, m + q + n * d, d or 1)]
        inputs = placed(rows) if d else []
        stage = []
        if targets:
            values = [x if isinstance(x, Value) else float(x) for x in targets]
            tape = lower(self.inputs, values, is_once, self.leaves, self.blocks)
            stage.append(Stage(tape, name, is_once))
            self.blocks[name] = block
            self.places |= {x: (name, at) for x, at in block.items()}
        # the step
        used = [tuple(map(int, x.args[1:])) for x in self.results[i]]
        keeps_all = any(t < n or column >= m for t, column in used)
        columns = sorted({column for _, column in used if column >= m})
        given, own = {}, {}
        for kind, leaves, places in (CLOSURE, step.closure, closure), (INPUTS, step.inputs, inputs):
            for k, (js, place) in enumerate(places):
                given[f"{kind}{k}"] = place
                own[f"{kind}{k}"] = {leaves[j]: at for at, j in enumerate(js)}
        outputs = [*step.next_state, *[step.at(column) for column in columns]]
        tape_of_step = lower_staged(step.state, outputs, False, (), own)
        width = len(outputs)
        place_of = {column: m + at for at, column in enumerate(columns)}
        results = f"r{i}"
        self.blocks[results] = {}
        for result, (t, column) in zip(self.results[i], used, strict=True):
            at = place_of.get(column, column) + (t * width if keeps_all else 0)
            self.blocks[results][result] = at
            self.places[result] = results, at
        parts = tuple([place for _, place in initial])
        size = (n + 1) * width if keeps_all else m
        return [
            *stage,
            LoweredScan(n, tape_of_step, parts, given, results, size, keeps_all, is_once),
        ]

    def _streams(self, rows: Sequence[Sequence[Any]]) -> list[tuple[list[int], Place]]:
        """Which columns of the rows are at which place, merged into as few places as possible.

        Columns without a place are left out. The address of a place grows by the same stride from
        row to row.
        """
        found: list[tuple[list[int], Place]] = []
        for j, first in enumerate(rows[0]):
            place = self.places.get(first) if isinstance(first, Value) else None
            if place is None:
                continue
            space, base = place
            stride = 0
            if len(rows) > 1:
                stride = self.places.get(rows[1][j], ("", 0))[1] - base
                places = ((space, base + stride * t) for t in range(len(rows)))
                if any(self.places.get(row[j]) != at for row, at in zip(rows, places, strict=True)):
                    continue
            if found:
                js, before = found[-1]
                end = before.space, before.base + before.count, before.stride
                if js[-1] == j - 1 and end == (space, base, stride):
                    found[-1] = [*js, j], replace(before, count=before.count + 1)
                    continue
            found.append(([j], Place(space, base, 1, stride)))
        return found


# --- putting the stages together ------------------------------------------------------------------


def roll_staged(staged: Staged, roll: Callable[[Tape | Staged], Program]) -> Program:
    """Make a program of each stage and of each scan's step with `roll`, and join them."""
    joined = Joined()
    joined.sizes |= {"w": len(staged.leaves), "x": len(staged.inputs)}
    to = {space: Place(space, 0, 0) for space in "wx"}
    for part in staged.parts:
        space = "c" if part.is_once else "v"
        if isinstance(part, LoweredScan):
            start = joined.room(space, part.size)
            to[part.results] = Place(space, start, part.size)
            place = Mover(joined, array("q"), to, 0).place
            scan = Scan(
                part.count,
                roll(part.step),
                tuple(map(place, part.initial)),
                {name: place(x) for name, x in part.given.items()},
                to[part.results],
                part.keeps_all,
            )
            joined.sections["once" if part.is_once else "each"].append(scan)
            continue
        program = roll(part.tape)
        sizes, own = program.sizes, dict(to)
        for local in "cvm":
            own[local] = Place(local, joined.room(local, sizes[local]), 0)
        if part.results:
            own["y"] = to[part.results] = Place(space, joined.room(space, sizes["y"]), sizes["y"])
        else:
            own["y"] = Place("y", joined.room("y", sizes["y"]), 0)
        mover = joined.mover(program, own, 0)
        for name, items in program.sections.items():
            if part.results and name == "after":
                name = "once"  # noqa: PLW2901 - there is no mean in a stage before the last
            joined.sections[name] += mover.items(items)
    return joined.program(staged.inputs, staged.leaves, staged.is_batch, staged.key)
