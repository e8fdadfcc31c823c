"""The loops of a program in LLVM IR.

Many examples at once: they go through the program in chunks, and in every group the examples of
the chunk are the innermost loop, a vector of them at a time, one example in each lane. A block
that is not full computes its last example in the idle lanes too; it is the first one.

One example alone: the lanes are rows of a group.

Either way a group is cut into tiles, whose rows are computed together, in registers: what they
have in common is loaded once. Every operation is the IEEE one, in the order of the program; nothing
is reordered or fused.

The machine code of a program is the function `run`, on a frame of integers (see `FRAME`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

from llvmlite import ir

from autograd.compiler.instructions import (
    DOUBLE,
    I64,
    POINTER,
    Code,
    Index,
    Numbers,
    vector,
)
from autograd.compiler.program import (
    Apply,
    Expression,
    Group,
    Integer,
    Item,
    Lookup,
    Operand,
    Program,
    Reduce,
    Run,
    operands,
)
from autograd.compiler.spelling import SPELLING

FRAME = ("w", "k", "s", "v", "table", "sums", "columns", "order", "rows")
"""The pointers that `run` is given, and after them `COUNTS`, all of them in one array of integers.

    w         the leaves
    k         the program's constants, and `table` its integers
    s         room for `c`, `m` and, of a batch, `y`: one float64 each
    v         room for `x`, `v` and, of each example, `y`: a float64 for each example of a chunk
    sums      of more examples than a chunk has: room for the lanes of each number of `s`
    columns   three integers for each: its address, its width and the index of its first input
    order     the examples in the order in which to take them, or null
    rows      where the results of each example go: all of the first result, then the second, …
"""

COUNTS = ("n_columns", "count", "keep")
"""How many columns and examples there are, at least one; and whether `v` still holds the inputs of
the call before, which are the same."""


# --- where the numbers stand ----------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """The memory that a program's machine code works on.

    Attributes:
        lanes: of a vector.
        chunk: how many examples go through the program together: 1, or some blocks of `lanes`.
        is_many: whether there may be more examples than these.
    """

    program: Program
    lanes: int
    chunk: int
    is_many: bool

    @property
    def block(self) -> int:
        """How many examples are computed at once."""
        return 1 if self.chunk == 1 else self.lanes

    @property
    def stride(self) -> int:
        """From one number of `v` to the next: mostly an odd number of blocks, so that they do not
        meet in the same few lines of the cache."""
        blocks = self.chunk // self.block
        return self.block * (blocks if blocks < 3 else blocks | 1)

    def place(self, space: str) -> tuple[str, int]:
        """The pointer that a space belongs to, and where after it the space begins."""
        if space in "wk":
            return space, 0
        pointer, spaces = ("v", "xvy") if self.program.varies(space) else ("s", "cmy")
        return pointer, sum(map(self.size, spaces[: spaces.index(space)]))

    def size(self, space: str) -> int:
        """How many numbers a space has."""
        return self.program.sizes.get(space, 0)

    @property
    def n_scalars(self) -> int:
        """How many float64s `s` has; the results of a batch are the last."""
        return sum(self.size(space) for space in "cmy" if not self.program.varies(space))

    @property
    def n_vectors(self) -> int:
        """How many numbers `v` has room for, for each example of a chunk."""
        return sum(self.size(space) for space in "xvy" if self.program.varies(space))


# --- one group ------------------------------------------------------------------------------------

LONGEST, UNROLLED = 4, 2
"""Up to how many terms a run is written out; and how many terms of a longer one make a turn."""

SMALL = 1000
"""Up to how many operations rows that are computed once are not worth a tile."""

Offsets = tuple[int, ...]


class _GroupWriter:
    """Writes the loops of one group, tile by tile.

    An element of a tile is a row; or, where rows are in the lanes, as many rows as there are. Its
    indices are those of the tile's first row plus offsets, which are known when this is written.
    """

    def __init__(
        self, code: Code, layout: Layout, group: Group, around: Sequence[Index], section: str
    ) -> None:
        self.code = code
        self.layout = layout
        self.group = group
        self.section = section
        self.by_examples = section in ("each", "means") and layout.chunk > 1
        self.index = [*around, *[0] * len(group.dims)]
        self.extents = [_integer(code, extent, around) for extent in group.dims]
        self.block: Index = 0  # the first example of the block
        self.lane_dim: int | None = None  # the index whose rows are in the lanes
        self.elements: list[Offsets] = []

    # --- which tiles

    def write(self) -> None:
        """The loops over tiles."""
        n_around = len(self.index) - len(self.extents)
        dims = list(range(n_around, len(self.index)))
        lane_dim = None if self.by_examples else self._best_for_lanes(dims)
        if lane_dim is not None:
            dims.remove(lane_dim)
            dims.append(lane_dim)
        extents = {dim: self.extents[dim - n_around] for dim in dims}
        self._nest(dims, extents, self._sizes(dims, extents, lane_dim), lane_dim, {})

    def _best_for_lanes(self, dims: Sequence[int]) -> int | None:
        """The index to put into lanes: that with the cheapest loads and stores, if worth while."""

        def cost(operand: Operand, dim: int, is_term: bool) -> float:
            stride = operand.strides[dim]
            if stride not in (0, 1) or self._is_looked_up(operand, dim):
                return 9.0 * (16 if is_term else 1)
            return float(stride) * (16 if is_term else 1)

        n_indices = len(self.index)
        found = [(x, len(x.strides) > n_indices) for x in operands(self.group.expression)]
        found.append((self.group.target, False))
        scalar = sum(8.0 * (16 if is_term else 1) for _, is_term in found)
        best: tuple[float, int] | None = None
        for dim, extent in zip(dims, self.extents, strict=True):
            if isinstance(extent, int) and extent < 4:
                continue
            filled = extent / 8 if isinstance(extent, int) and extent < 8 else 1.0
            total = sum(cost(x, dim, is_term) for x, is_term in found) / filled
            if total < 1.2 * scalar and (best is None or total < best[0]):
                best = total, dim
        return None if best is None else best[1]

    @staticmethod
    def _is_looked_up(operand: Operand, dim: int) -> bool:
        """Whether the operand's address is more than base + stride · index in this index."""
        integers = [operand.base, *operand.strides]
        return isinstance(operand.strides[dim], Lookup) or any(
            isinstance(x, Lookup) and (_depends(x, dim)) for x in integers
        )

    def _sizes(
        self, dims: Sequence[int], extents: dict[int, Index], lane_dim: int | None
    ) -> dict[int, int]:
        """How many rows a tile has in each index."""
        lanes = self.layout.lanes
        terms = _terms(self.group.expression)
        if self.section == "means" and self.by_examples:
            last, both = lanes, 2 * lanes
        elif self.by_examples:
            last = both = lanes if terms > 1 else 1
        elif math.prod(x if isinstance(x, int) else 8 for x in self.extents) * terms < SMALL:
            last = both = 1
        elif lane_dim is not None:
            last, both = 1, 4 if terms > 1 else 2
        else:
            last, both = 4, 16 if terms > 1 else 4
        sizes = dict.fromkeys(dims, 1)
        for dim in dims[:-3:-1]:
            extent = extents[dim]
            if isinstance(extent, int) and dim != lane_dim:
                sizes[dim] = _even(extent, max(1, last))
                both //= sizes[dim]
            last = both
        return sizes

    def _nest(
        self,
        dims: Sequence[int],
        extents: dict[int, Index],
        sizes: dict[int, int],
        lane_dim: int | None,
        tile: dict[int, int],
    ) -> None:
        """Loops over these indices, and in them the tile."""
        if not dims:
            self._tile(tile)
            return
        dim, *others = dims
        extent = extents[dim]

        def span(start: Index, stop: Index, size: int, lanes: int = 0) -> None:
            def turn(i: Index) -> tuple[()]:
                self.index[dim] = i
                self.lane_dim, self.lanes = (dim, lanes) if lanes else (None, 0)
                self._nest(others, extents, sizes, lane_dim, tile | {dim: 1 if lanes else size})
                return ()

            is_empty = isinstance(start, int) and isinstance(stop, int) and stop <= start
            if not is_empty:
                unknown = not (isinstance(start, int) and isinstance(stop, int))
                self.code.loop(start, stop, lanes or size, turn, may_be_empty=unknown)

        if dim == lane_dim:
            lanes = self.layout.lanes
            while isinstance(extent, int) and extent < lanes:
                lanes //= 2
            full = self._multiple(extent, lanes)
            span(0, full, 1, lanes)
            span(full, extent, extent - full if isinstance(extent, int) else 1)
        else:
            full = self._multiple(extent, sizes[dim])
            span(0, full, sizes[dim])
            if sizes[dim] > 1:
                span(full, extent, extent - full)

    def _multiple(self, extent: Index, size: int) -> Index:
        """As much of the extent as can be cut into pieces of this size."""
        if isinstance(extent, int):
            return extent - extent % size
        if size == 1:
            return extent
        return self.code.minus(extent, self.code.write.urem(extent, self.code.integer(size)))

    # --- a tile

    def _tile(self, tile: dict[int, int]) -> None:
        """Compute its rows and store them."""
        ranges = [range(tile.get(dim, 1)) for dim in range(len(self.index))]
        self.elements = list(itertools.product(*ranges))
        if self.by_examples:
            self.code.lanes = self.layout.lanes
            (self._means if self.section == "means" else self._for_each_block)()
            return
        self.code.lanes = self.lanes if self.lane_dim is not None else 1
        with self.code.scope():
            for offsets, x in zip(self.elements, self.value(self.group.expression), strict=True):
                self.store(x, offsets)

    def _for_each_block(self) -> None:
        def turn(block: Index) -> tuple[()]:
            self.block = block
            for offsets, x in zip(self.elements, self.value(self.group.expression), strict=True):
                self.store(x, offsets)
            return ()

        with self.code.scope():
            self.code.loop(0, self.code.arguments["end"], self.layout.lanes, turn)

    def _means(self) -> None:
        """Add up the blocks, lane by lane; after the last chunk add up the lanes, and divide.

        The sums of nothing are -0.0, to which every number can be added without a change. Idle
        lanes, which are in the first block, add nothing. Then the upper half of the lanes is added
        to the lower half, until one is left.
        """
        code, lanes, given = self.code, self.layout.lanes, self.code.arguments
        places = [self.place(self.group.target, offsets) for offsets in self.elements]

        def room() -> list[ir.Value]:
            return [
                code.address(given["sums"], code.times(variable, lanes), fixed * lanes)
                for _, variable, fixed in places
            ]

        def so_far() -> list[Numbers]:
            return [code.load(code.type, address, 8 * lanes) for address in room()]

        def turn(block: Index, *sums: Numbers) -> list[Numbers]:
            self.block = block
            is_first = code.write.icmp_unsigned("==", code.integer(block), code.integer(0))
            busy = code.splat(code.write.select(is_first, given["busy"], code.integer(lanes)))
            numbers = ir.Constant(vector(I64, lanes), list(range(lanes)))
            is_busy = code.write.icmp_unsigned("<", numbers, busy)
            values = self.value(self.group.expression)
            return [
                code.write.select(is_busy, code.write.fadd(total, x), total)
                for total, x in zip(sums, values, strict=True)
            ]

        nothing = [code.number(-0.0)] * len(places)
        sums = code.choose(given["is_later"], so_far, nothing) if self.layout.is_many else nothing
        with code.scope():
            sums = code.loop(0, given["end"], lanes, turn, sums)

        def keep() -> tuple[()]:
            for total, address in zip(sums, room(), strict=True):
                code.store(total, address, 8 * lanes)
            return ()

        def finish() -> tuple[()]:
            start = 0
            while start < len(sums):
                count = lanes if _are_consecutive(places[start : start + lanes], lanes) else 1
                total = self._added_up(sums[start : start + count])
                divisor = code.splat(given["count"]) if count > 1 else given["count"]
                _, variable, fixed = places[start]
                at = code.address(given["s"], variable, fixed)
                code.store(code.write.fdiv(total, divisor), at)
                start += count
            return ()

        if self.layout.is_many:
            code.choose(code.write.not_(given["is_last"]), keep)
            code.choose(given["is_last"], finish)
        else:
            finish()

    def _added_up(self, sums: Sequence[Numbers]) -> Numbers:
        """The lanes of one sum added up; or of as many as there are lanes, each in its lane."""
        code, size = self.code, self.layout.lanes
        xs = list(sums)
        while size > 1:
            half = size // 2
            if len(xs) == 1:  # half as many lanes each time
                low, high = (code.shuffled(xs[0], xs[0], range(i, i + half)) for i in (0, half))
                xs = [code.write.fadd(low, high)]
            else:  # two vectors become one
                low_lanes = [i for i in range(2 * self.layout.lanes) if i % size < half]
                high_lanes = [i + half for i in low_lanes]
                xs = [
                    code.write.fadd(code.shuffled(x, y, low_lanes), code.shuffled(x, y, high_lanes))
                    for x, y in zip(xs[::2], xs[1::2], strict=True)
                ]
            size = half
        return xs[0] if len(sums) > 1 else code.write.extract_element(xs[0], code.integer(0))

    # --- expressions

    def value(self, expression: Expression) -> list[Numbers]:
        """The expression, for each element of the tile."""
        code = self.code
        match expression:
            case Operand():
                return [self.load(expression, offsets) for offsets in self.elements]
            case Apply(primitive=name, args=args):
                columns = [self.value(arg) for arg in args]
                rows = list(zip(*columns, strict=True)) or [()] * len(self.elements)
                if name in SPELLING:
                    return [SPELLING[name](code, *numbers) for numbers in rows]
                return [code.call(f"row.{name}.{len(args)}", *numbers) for numbers in rows]
            case Reduce(first=first, runs=runs):
                totals = self.value(-0.0 if first is None else first)
                return reduce(self._with_run, runs, totals)
        return [code.number(expression)] * len(self.elements)

    def _with_run(self, totals: list[Numbers], run: Run) -> list[Numbers]:
        """The totals, and to them the terms of a run."""
        code, around = self.code, self.index
        count = _integer(code, run.count, around)

        def add(turns: int, t: Index, *totals: Numbers) -> list[Numbers]:
            self.index = [*around, t]
            sums = list(totals)
            for turn in range(turns):
                for term in run.terms:
                    name = "fsub" if term.is_negative else "fadd"
                    for i, offsets in enumerate(self.elements):
                        factors = [self.load(x, (*offsets, turn)) for x in term.factors]
                        product = reduce(partial(code.operation, "fmul"), factors)
                        sums[i] = getattr(code.write, name)(sums[i], product)
            self.index = around
            return sums

        if not isinstance(count, int):
            return list(code.loop(0, count, 1, partial(add, 1), totals, may_be_empty=True))
        turns = count if count <= LONGEST else UNROLLED if self.by_examples else 1
        full = count - count % turns
        totals = list(code.loop(0, full, turns, partial(add, turns), totals))
        return add(count - full, full, *totals) if count > full else totals

    # --- operands

    def place(self, operand: Operand, offsets: Offsets) -> tuple[str, Index, int]:
        """Its pointer, and how many numbers after it: what varies, and what is known."""
        code = self.code
        pointer, fixed = self.layout.place(operand.space)
        variable: Index = 0
        for stride, turn, offset in zip(operand.strides, self.index, offsets, strict=True):
            if isinstance(stride, int):
                variable = code.plus(variable, code.times(turn, stride))
                fixed += stride * offset
            else:
                step = _integer(code, stride, self.index, offsets)
                variable = code.plus(variable, code.times(code.plus(turn, offset), step))
        base = _integer(code, operand.base, self.index, offsets)
        if isinstance(base, int):
            fixed += base
        else:
            variable = code.plus(base, variable)
        if isinstance(variable, int):
            variable, fixed = 0, fixed + variable
        return pointer, variable, fixed

    def load(self, operand: Operand, offsets: Offsets) -> Numbers:
        """The operand, in every lane."""
        code, dim = self.code, self.lane_dim
        pointer, variable, fixed = self.place(operand, offsets)
        start = code.arguments[pointer]
        if pointer == "v" and self.by_examples:
            index, offset = self._in_v(variable, fixed)
            return code.load(code.type, code.address(start, index, offset), 8 * code.lanes)
        if dim is not None and (
            self._is_looked_up(operand, dim) or operand.strides[dim] not in (0, 1)
        ):
            return code.gathered(
                [
                    code.load(
                        DOUBLE, self._address(operand, (*offsets[:dim], lane, *offsets[dim + 1 :]))
                    )
                    for lane in range(code.lanes)
                ]
            )
        address = code.address(start, variable, fixed)
        if dim is not None and operand.strides[dim] == 1:
            return code.load(code.type, address)
        return code.splat(code.load(DOUBLE, address))

    def store(self, x: Numbers, offsets: Offsets) -> None:
        """Put it where the group puts its results."""
        code, dim, target = self.code, self.lane_dim, self.group.target
        pointer, variable, fixed = self.place(target, offsets)
        start = code.arguments[pointer]
        if self.by_examples:
            index, offset = self._in_v(variable, fixed)
            code.store(x, code.address(start, index, offset), 8 * code.lanes)
        elif dim is None or (target.strides[dim] == 1 and not self._is_looked_up(target, dim)):
            code.store(x, code.address(start, variable, fixed))
        else:
            for lane in range(code.lanes):
                at = (*offsets[:dim], lane, *offsets[dim + 1 :])
                code.store(code.lane(x, lane), self._address(target, at))

    def _address(self, operand: Operand, offsets: Offsets) -> ir.Value:
        pointer, variable, fixed = self.place(operand, offsets)
        return self.code.address(self.code.arguments[pointer], variable, fixed)

    def _in_v(self, variable: Index, fixed: int) -> tuple[Index, int]:
        """Where the examples of the block stand, of a number that differs between them."""
        stride = self.layout.stride
        return self.code.plus(self.code.times(variable, stride), self.block), fixed * stride


def _integer(code: Code, x: Integer, index: Sequence[Index], offsets: Offsets = ()) -> Index:
    """The integer at these indices plus these offsets."""
    if isinstance(x, int):
        return x
    at, fixed = _integer(code, x.at, index, offsets), 0
    for i, (stride, turn) in enumerate(zip(x.strides, index, strict=False)):
        at = code.plus(at, code.times(turn, stride))
        fixed += stride * offsets[i] if i < len(offsets) else 0
    return code.load(I64, code.address(code.arguments["table"], at, fixed))


def _depends(x: Integer, dim: int) -> bool:
    """Whether an integer changes with this index."""
    if isinstance(x, int):
        return False
    return (dim < len(x.strides) and x.strides[dim] != 0) or _depends(x.at, dim)


def _even(extent: int, most: int) -> int:
    """The size of tiles: all of it, or a divisor that is not much smaller than `most`."""
    if extent <= most:
        return max(1, extent)
    return next((t for t in range(most, most // 2, -1) if extent % t == 0), most)


def _terms(expression: Expression) -> int:
    """About how many terms a row adds up."""
    match expression:
        case Apply(args=args):
            return max(map(_terms, args), default=1)
        case Reduce(first=first, runs=runs):
            own = sum(r.count * len(r.terms) if isinstance(r.count, int) else 8 for r in runs)
            return max(own, 1 if first is None else _terms(first))
    return 1


def _are_consecutive(places: Sequence[tuple[str, Index, int]], count: int) -> bool:
    _, variable, first = places[0]
    return [(v, f) for _, v, f in places] == [(variable, first + i) for i in range(count)]


# --- a whole module -------------------------------------------------------------------------------

PARTS: dict[str, ir.Type] = {
    **dict.fromkeys(["w", "k", "s", "v", "table", "sums"], POINTER),
    "end": I64,  # of the examples of a chunk, idle lanes included
    "busy": I64,  # lanes of its first block
    "is_later": ir.IntType(1),  # not the first chunk
    "is_last": ir.IntType(1),
    "count": DOUBLE,
}
"""What the function of every item is given."""


def module(layout: Layout) -> ir.Module:
    """The program as a module of LLVM IR; its function `run` takes a frame."""
    built = ir.Module("program")
    calls = {
        section: [
            _item(built, layout, f"{section}.{i}", item, section) for i, item in enumerate(items)
        ]
        for section, items in layout.program.sections.items()
    }
    code = Code(built, "run", {"frame": POINTER})
    frame = code.arguments["frame"]
    given = {
        name: code.load(POINTER if name in FRAME else I64, code.address(frame, i))
        for i, name in enumerate((*FRAME, *COUNTS))
    }
    count, block = given["count"], layout.block
    zero, one = code.integer(0), code.integer(1)
    shared = [given[name] for name in list(PARTS)[:6]]
    whole = [
        code.write.icmp_unsigned("<", zero, zero),
        code.write.icmp_unsigned("==", zero, zero),
        code.write.uitofp(count, DOUBLE),
    ]
    for function in calls["once"]:
        code.write.call(function, [*shared, one, one, *whole])
    if calls["each"] or calls["means"] or not layout.program.is_batch:
        n_blocks = code.write.udiv(code.plus(count, block - 1), code.integer(block))
        rest = code.minus(count, code.times(code.minus(n_blocks, 1), block))  # of the first block

        def chunk(start: Index) -> tuple[()]:
            blocks = code.smaller(code.minus(n_blocks, start), layout.chunk // block)
            end = code.times(blocks, block)
            is_later = code.less(0, start)
            busy = code.write.select(is_later, code.integer(block), rest)
            position = code.write.select(
                is_later, code.plus(code.times(code.minus(start, 1), block), rest), zero
            )
            is_last = code.write.icmp_unsigned("==", code.plus(start, blocks), n_blocks)
            code.choose(
                code.write.icmp_unsigned("==", given["keep"], zero),
                lambda: _gather(code, layout, given, position, busy, end),
            )
            for function in calls["each"] + calls["means"]:
                code.write.call(function, [*shared, end, busy, is_later, is_last, whole[2]])
            if not layout.program.is_batch:
                _scatter(code, layout, given, position, busy, end)
            return ()

        code.loop(0, n_blocks, layout.chunk // block, chunk)
    for function in calls["after"]:
        code.write.call(function, [*shared, one, one, *whole])
    code.write.ret_void()
    return built


def _item(built: ir.Module, layout: Layout, name: str, item: Item, section: str) -> ir.Function:
    """The function of an item."""
    code = Code(built, name, PARTS)
    code.function.linkage = "internal"
    for pointer in list(PARTS)[:6]:
        code.arguments[pointer].add_attribute("noalias")

    def write(item: Item, around: Sequence[Index]) -> None:
        if isinstance(item, Group):
            with code.scope():
                _GroupWriter(code, layout, item, around, section).write()
            return
        count = _integer(code, item.count, around)

        def turn(i: Index) -> tuple[()]:
            for inner in item.body:
                write(inner, [*around, i])
            return ()

        code.loop(0, count, 1, turn, may_be_empty=not isinstance(count, int))

    write(item, [])
    code.write.ret_void()
    return code.function


def _gather(
    code: Code, layout: Layout, given: dict[str, Any], start: Index, busy: Index, end: Index
) -> tuple[()]:
    """Copy the inputs of a chunk, so that the examples of each number stand side by side.

    Idle lanes repeat the last example of their block.
    """
    block = layout.block
    has_order = code.write.icmp_unsigned(
        "!=", code.write.ptrtoint(given["order"], I64), code.integer(0)
    )

    def column(c: Index) -> tuple[()]:
        entry = code.address(given["columns"], code.times(c, 3))
        numbers, width, first = (
            code.load(kind, code.address(entry, i)) for i, kind in enumerate((POINTER, I64, I64))
        )

        def number(in_order: bool, i: Index) -> tuple[()]:
            to = code.address(given["v"], code.times(code.plus(first, i), layout.stride))

            def example(e: Index, position: Index) -> tuple[()]:
                position = code.plus(start, position)
                if in_order:
                    position = code.load(I64, code.address(given["order"], position))
                place = code.plus(code.times(position, width), i)
                x = code.load(DOUBLE, code.address(numbers, place))
                code.store(x, code.address(to, e))
                return ()

            def after_first(e: Index) -> tuple[()]:
                return example(e, code.plus(code.minus(e, block), busy))

            def whole_block(e: Index) -> tuple[()]:
                place = code.plus(start, code.plus(code.minus(e, block), busy))
                xs = code.load(vector(DOUBLE, block), code.address(numbers, place))
                code.store(xs, code.address(to, e))
                return ()

            last = code.minus(busy, 1)
            code.loop(0, block, 1, lambda e: example(e, code.smaller(e, last) if block > 1 else 0))
            if in_order or block == 1:
                code.loop(block, end, 1, after_first, may_be_empty=True)
                return ()
            is_narrow = code.write.icmp_unsigned("==", width, code.integer(1))
            for holds, step, copy in (
                (is_narrow, block, whole_block),
                (code.write.not_(is_narrow), 1, after_first),
            ):
                code.choose(holds, partial(code.loop, block, end, step, copy, (), True))
            return ()

        for in_order, holds in ((True, has_order), (False, code.write.not_(has_order))):
            numbers_of_example = partial(number, in_order)
            code.choose(holds, partial(code.loop, 0, width, 1, numbers_of_example, (), True))
        return ()

    code.loop(0, given["n_columns"], 1, column, may_be_empty=True)
    return ()


def _scatter(
    code: Code, layout: Layout, given: dict[str, Any], start: Index, busy: Index, end: Index
) -> None:
    """Copy the results of a chunk to where they belong."""
    block = layout.block
    _, first = layout.place("y")

    def result(i: Index) -> tuple[()]:
        at = code.address(given["v"], code.times(code.plus(i, first), layout.stride))
        to = code.address(given["rows"], code.plus(code.times(i, given["count"]), start))

        def example(e: Index, position: Index) -> tuple[()]:
            x = code.load(DOUBLE, code.address(at, e))
            code.store(x, code.address(to, position))
            return ()

        def whole_block(e: Index) -> tuple[()]:
            xs = code.load(vector(DOUBLE, block), code.address(at, e))
            code.store(xs, code.address(to, code.plus(code.minus(e, block), busy)))
            return ()

        code.loop(0, busy, 1, lambda e: example(e, e))
        code.loop(block, end, block, whole_block, may_be_empty=True)
        return ()

    code.loop(0, layout.size("y"), 1, result, may_be_empty=layout.size("y") == 0)
