"""LLVM IR for the groups and loops of a program: tiled, and vectorized over examples or rows.

Many examples go through the program in chunks. In each group the examples of a chunk are the
innermost loop, a vector of them at a time, one example in each lane. Of one example alone, and in
what is computed once a call, the lanes are rows of a group.

Either way a group is cut into tiles, whose rows are computed together in registers: what they have
in common is loaded once. Every operation is the IEEE one, in the order of the program; nothing is
reordered or fused.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import TypeAlias

from autograd.compiler.backends.llvm.builder import Index, Vectors
from autograd.compiler.program import (
    Apply,
    Element,
    Expression,
    Group,
    Integer,
    Item,
    Lookup,
    Loop,
    Program,
    Reduce,
    Run,
    elements,
)

Offsets: TypeAlias = Mapping[int, int]
"""How far a row of a tile is from the first one, in each index."""

NOWHERE: Offsets = {}


@dataclass(frozen=True)
class Layout:
    """How a program is laid out in machine code.

    Attributes:
        lanes: the number of lanes of a vector.
        chunk: how many examples are computed together: 1, or a multiple of `lanes`. Each number of
            an example has room for so many.
    """

    program: Program
    lanes: int
    chunk: int

    @property
    def block(self) -> int:
        """How many examples are computed at once."""
        return 1 if self.chunk == 1 else self.lanes


ITEM = {
    **dict.fromkeys(("w", "k", "c", "m", "y", "x", "v", "table", "sums"), "ptr"),
    **dict.fromkeys(("end", "short", "busy", "count"), "i64"),
    **dict.fromkeys(("is_later", "is_last"), "i1"),
}
"""The parameters of a function of items: the memory of the spaces; for a chunk of examples, its
end, the start of the block that is not full (or -1), and the number of lanes in use there; whether
it is a later chunk than the first, and the last; and the number of all examples."""


LONGEST_FUNCTION = 1000
"""So many lines make the next item begin a function of its own.

For 200 irregular steps LLVM takes 0.58 s in such functions, with 300 lines 0.63 s, with 2,000
0.55 s; in a single one 0.99 s, which grows faster than the program.
"""


def functions_of(
    layout: Layout, externals: dict[str, int], section: str, items: Sequence[Item]
) -> list[Items]:
    """Functions of bounded size, which run the items of a section when called in turn."""
    functions: list[Items] = []
    for item in items:
        if not functions or len(functions[-1].lines) > LONGEST_FUNCTION:
            functions.append(Items(f"{section}.{len(functions)}", layout, externals, section))
        functions[-1].write_item(item)
    return functions


class Items(Vectors):
    """Writes the LLVM function that runs items of a section."""

    def __init__(self, name: str, layout: Layout, externals: dict[str, int], section: str) -> None:
        given = [f"{kind}{' noalias' * (kind == 'ptr')} %{x}" for x, kind in ITEM.items()]
        super().__init__(f"internal void @{name}({', '.join(given)})", externals)
        self.name = name
        self._layout = layout
        self._by_examples = section in ("each", "means") and layout.chunk > 1
        self._is_mean = section == "means" and self._by_examples
        self._example: Index = 0  # the first one of the vector
        self._index: list[Index] = []  # of the tile's first row
        self._elements: list[Offsets] = [{}]  # the rows of the tile
        self._lane_dim: int | None = None  # the index that differs from lane to lane

    def write_item(self, item: Item) -> None:
        """Write a group, or a loop and its items."""
        if isinstance(item, Group) and not item.dims and not self._by_examples:
            self._write_tile(item)  # what neighbors load is loaded once
            return
        with self.scope():
            if isinstance(item, Group):
                self._write_group(item)
            else:
                assert isinstance(item, Loop)  # scans are written as such
                self.loop(0, self._integer(item.count), 1, partial(self._write_turn, item))

    def _write_turn(self, loop: Loop, i: Index) -> None:
        self._index.append(i)
        for item in loop.body:
            self.write_item(item)
        self._index.pop()

    # --- a group, tile by tile

    def _write_group(self, group: Group) -> None:
        """Write the loops over the tiles of a group; lanes hold examples or the innermost rows."""
        depth = len(self._index)
        extents = {depth + i: self._integer(x) for i, x in enumerate(group.dims)}
        if self._by_examples:
            self.set_lanes(self._layout.lanes)
        elif (lane_dim := self._best_for_lanes(group, extents)) is not None:
            self._lane_dim, extent = lane_dim, int(extents[lane_dim])
            self.set_lanes(min(self._layout.lanes, 1 << extent.bit_length() - 1))
        sizes = self._tile_sizes(group, extents)
        self._index += [0] * len(extents)
        self._nest(group, sorted(extents, key=lambda d: (d == self._lane_dim, d)), extents, sizes)
        del self._index[depth:]
        self._lane_dim = None
        self.set_lanes(1)

    def _nest(
        self,
        group: Group,
        dims: Sequence[int],
        extents: Mapping[int, Index],
        sizes: Mapping[int, int],
    ) -> None:
        """Write loops over these indices, and in them a tile of these sizes."""
        if not dims:
            rows = [(dim, size) for dim, size in sizes.items() if dim != self._lane_dim]
            ranges = [[(dim, i) for i in range(size)] for dim, size in rows]
            self._elements = [dict(offsets) for offsets in itertools.product(*ranges)]
            with self.scope():
                self._write_tile(group)
            self._elements = [{}]
            return
        dim, extent, size = dims[0], extents[dims[0]], sizes[dims[0]]

        def iterate(size: int, i: Index) -> None:
            self._index[dim] = i
            self._nest(group, dims[1:], extents, {**sizes, dim: size})

        if isinstance(extent, str):
            self.loop(0, extent, 1, partial(iterate, 1))
            return
        rest = extent % size
        self.loop(0, extent - rest, size, partial(iterate, size))
        if rest and dim == self._lane_dim:
            iterate(size, extent - size)  # computes some rows again, which have the same bits
        elif rest:
            iterate(rest, extent - rest)

    def _best_for_lanes(self, group: Group, extents: Mapping[int, Index]) -> int | None:
        """The index to vectorize: the one with the fewest gathers; None for scalar code."""
        found = [group.target, *elements(group.expression)]

        def gathers(dim: int) -> int:
            return sum(_step(x, dim) is None for x in found)

        able = [dim for dim, x in extents.items() if isinstance(x, int) and x >= FEWEST_IN_LANES]
        return min(able, key=gathers, default=None)

    def _tile_sizes(self, group: Group, extents: dict[int, Index]) -> dict[int, int]:
        """How many rows a tile has along each index; the lanes are one of these.

        Only sums and means have tiles of several rows, along the last indices. With single rows the
        gradients of the demo, the digits and MNIST-size take twice as long, that of the GPT 1.55
        times. On 1,000 examples of MNIST-size, tiles along the last index alone take 1.3 times as
        long, and tiles of means as small as those of sums 1.15 times.
        """
        lanes = self._layout.lanes
        rows = 2 * lanes if self._is_mean else lanes if _adds_up(group.expression) else 1
        sizes = dict.fromkeys(extents, 1)
        for dim, extent in reversed(extents.items()):
            if dim == self._lane_dim:
                sizes[dim] = self.lanes
            elif isinstance(extent, int):
                sizes[dim] = max(1, min(extent, lanes, rows))
                rows //= sizes[dim]
        return sizes

    def _write_tile(self, group: Group) -> None:
        """Compute and store the rows of a tile, in a loop over examples if they differ in them."""
        if self._is_mean:
            self._write_means(group)
            return

        def rows(example: Index) -> None:
            self._example = example
            values = self._value(group.expression)
            for x, offsets in zip(values, self._elements, strict=True):
                self._store(x, group.target, offsets)

        if self._by_examples:
            self.loop(0, "%end", self.lanes, rows, is_empty=False)
        else:
            rows(0)

    def _write_means(self, group: Group) -> None:
        """Add up the blocks of a chunk lane by lane; after the last chunk add up the lanes, divide.

        Sums start from -0.0, which leaves every number unchanged when it is added. What idle lanes
        of an incomplete block have added is removed: to mask every block takes 1.3 times as long.
        """
        lanes, nothing = self.lanes, self.literal(-0.0)
        places = [self._place(group.target, offsets) for offsets in self._elements]
        first = 0 if group.target.space == "m" else self._layout.program.sizes["m"]
        kept = [
            self.address("%sums", self.integer((variable, lanes)), (first + known) * lanes)
            for _, variable, known in places
        ]
        numbers = ", ".join(f"i64 {lane}" for lane in range(lanes))

        def without_idle(sums: Sequence[str]) -> list[str]:
            is_busy = f"icmp slt {self.vector('i64')} <{numbers}>, {self.splat('%busy', 'i64')}"
            return [self.select(self.let(is_busy), x, nothing) for x in sums]

        def block(example: Index, *sums: str) -> Sequence[str]:
            self._example = example
            values = self._value(group.expression)
            added = [self.op("add", *pair) for pair in zip(sums, values, strict=True)]
            is_short = self.let(f"icmp eq i64 {example}, %short")
            return self.branch(is_short, lambda: without_idle(added), added, self.type)

        def keep() -> None:
            for x, address in zip(sums, kept, strict=True):
                self.store(x, address)

        def finish() -> None:
            count = self.let("sitofp i64 %count to double")
            start = 0
            while start < len(sums):
                pointer, variable, known = places[start]
                side_by_side = [(pointer, variable, known + i) for i in range(lanes)]
                n = lanes if places[start : start + lanes] == side_by_side else 1
                mean = self.op("div", self.sum_lanes(sums[start : start + n]), self.splat(count))
                address = self.address(pointer, variable, known)
                if n == lanes:
                    self.store(mean, address)
                else:
                    self.store(self.lane(mean, 0), address, "double")
                start += n

        before = [nothing] * len(places)
        so_far = self.branch("%is_later", lambda: [self.load(x) for x in kept], before, self.type)
        sums = self.loop(0, "%end", lanes, block, so_far, self.type, is_empty=False)
        self.branch(self.let("xor i1 %is_last, true"), keep)
        self.branch("%is_last", finish)

    # --- expressions

    def _value(self, expression: Expression) -> Sequence[str]:
        """The expression, for each row of the tile."""
        match expression:
            case Element():
                return [self._load(expression, offsets) for offsets in self._elements]
            case Apply(primitive=name, args=args):
                columns = [self._value(arg) for arg in args]
                return [self.op(name, *[c[i] for c in columns]) for i in range(len(self._elements))]
            case Reduce(first=first, runs=runs):
                return reduce(self._with_run, runs, self._value(-0.0 if first is None else first))
        return [self.literal(expression)] * len(self._elements)

    def _with_run(self, totals: Sequence[str], run: Run) -> Sequence[str]:
        """The totals plus the terms of a run."""

        def add(t: Index, *totals: str) -> list[str]:
            self._index.append(t)
            sums = list(totals)
            for term in run.terms:
                name = "sub" if term.is_negative else "add"
                for i, offsets in enumerate(self._elements):
                    factors = [self._load(x, offsets) for x in term.factors]
                    sums[i] = self.op(name, sums[i], reduce(partial(self.op, "mul"), factors))
            self._index.pop()
            return sums

        return self.loop(0, self._integer(run.count), 1, add, totals, self.type)

    # --- operands

    def _integer(self, x: Integer, offsets: Offsets = NOWHERE) -> Index:
        """The value of an integer, literal or looked up, at the indices of a row."""
        if isinstance(x, int):
            return x
        at = self._integer(x.at, offsets)
        place = self.affine(0, (1, at), *self._terms_of(x.strides, offsets))
        return self.load(self.address("%table", *place), "i64")

    def _terms_of(self, strides: Sequence[Integer], offsets: Offsets) -> list[tuple[Index, Index]]:
        """The terms of Σ stride·index, as pairs; the offset of a row adds terms of its own."""
        terms: list[tuple[Index, Index]] = []
        for dim, (stride, i) in enumerate(zip(strides, self._index, strict=False)):
            by = self._integer(stride, offsets)
            terms += [(by, i), (by, offsets.get(dim, 0))]
        return terms

    def _place(self, x: Element, offsets: Offsets) -> tuple[str, Index, int]:
        """The address of an operand: a pointer, a variable and a constant offset, in numbers."""
        base = self._integer(x.base, offsets)
        variable, known = self.affine(0, (1, base), *self._terms_of(x.strides, offsets))
        if self._by_examples and self._layout.program.varies(x.space):
            by = self._layout.chunk
            variable, known = self.affine(known * by, (variable, by), (1, self._example))
        return f"%{x.space}", variable, known

    def _address(self, x: Element, offsets: Offsets) -> str:
        return self.address(*self._place(x, offsets))

    def _lane_address(self, x: Element, offsets: Offsets, lane: int) -> str:
        assert self._lane_dim is not None
        return self._address(x, {**offsets, self._lane_dim: lane})

    def _step_of_lanes(self, x: Element) -> int | None:
        if self._by_examples:
            return int(self._layout.program.varies(x.space))
        return 1 if self._lane_dim is None else _step(x, self._lane_dim)

    def _load(self, x: Element, offsets: Offsets) -> str:
        """Load an operand into every lane."""
        match self._step_of_lanes(x):
            case 1:
                return self.load(self._address(x, offsets))
            case -1:
                return self.reversed(self.load(self._lane_address(x, offsets, self.lanes - 1)))
            case 0:
                return self.splat(self.load(self._address(x, offsets), "double"))
        found = "poison"
        for lane in range(self.lanes):
            address = self._lane_address(x, offsets, lane)
            found = self.with_lane(found, lane, self.load(address, "double"))
        return found

    def _store(self, number: str, x: Element, offsets: Offsets) -> None:
        match self._step_of_lanes(x):
            case 1:
                self.store(number, self._address(x, offsets))
            case -1:
                address = self._lane_address(x, offsets, self.lanes - 1)
                self.store(self.reversed(number), address)
            case _:
                for lane in range(self.lanes):
                    address = self._lane_address(x, offsets, lane)
                    self.store(self.lane(number, lane), address, "double")


def call_of(function: Items, given: Mapping[str, Index]) -> str:
    """A call of a function; each argument is `given` by name, or else the caller's own."""
    arguments = [f"{kind} {given.get(x, f'%{x}')}" for x, kind in ITEM.items()]
    return f"call void @{function.name}({', '.join(arguments)})"


# --- which tiles, and what is in the lanes --------------------------------------------------------

FEWEST_IN_LANES = 4
"""So many rows of a group are a vector. With 2 the gradient of 1,000 Runge-Kutta steps takes 1.03
times as long, with 8 that of the GPT on 8 tokens; without vectors of rows 2.0 times, Rosenbrock's
2.2 times."""


def _step(x: Element, dim: int) -> int | None:
    """How far an operand's address moves with an index: -1, 0 or 1, or None for anything else."""
    step = x.strides[dim]
    is_looked_up = any(_depends(integer, dim) for integer in (x.base, *x.strides))
    return step if step in (-1, 0, 1) and not is_looked_up else None


def _depends(x: Integer, dim: int) -> bool:
    """Whether an integer depends on the index `dim`."""
    return isinstance(x, Lookup) and (any(x.strides[dim : dim + 1]) or _depends(x.at, dim))


def _adds_up(expression: Expression) -> bool:
    """Whether a row adds up the terms of a run."""
    if isinstance(expression, Apply):
        return any(map(_adds_up, expression.args))
    return isinstance(expression, Reduce)
