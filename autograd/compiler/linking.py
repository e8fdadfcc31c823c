"""Linking: programs are joined by relocating their items, and scans are expanded to loops.

`unnested` replaces each scan of a program by groups and a loop over memory, which writes to the
same addresses in every iteration. All back ends but JAX, which has `lax.scan`, apply it first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autograd.compiler.program import (
    Apply,
    Element,
    Group,
    Integer,
    Item,
    Lookup,
    Loop,
    Place,
    Program,
    Reduce,
    Run,
    Scan,
    Term,
)
from autograd.primitives import Primitive
from autograd.value import Value


class Joined:
    """A program under construction, to which items of other programs are added.

    Attributes:
        sizes, constants, table, rows: as in `Program`.
    """

    def __init__(self) -> None:
        self.sizes = dict.fromkeys("kwcmyxv", 0)
        self.constants = array("d")
        self.table = array("q")
        self.rows: dict[Primitive, None] = {}
        self.sections: dict[str, list[Item]] = {
            "once": [], "each": [], "means": [], "after": []
        }  # fmt: skip

    def room(self, space: str, count: int) -> int:
        """Reserve so many numbers in a space; returns where they begin."""
        start = self.sizes[space]
        self.sizes[space] += count
        return start

    def mover(self, program: Program, to: Mapping[str, Place], depth: int) -> Mover:
        """Returns what moves the items of `program` into this one, inside `depth` loops.

        Args:
            to: the new place of each space of `program`.
        """
        start = len(self.constants)
        self.constants.extend(program.constants)
        self.rows |= dict.fromkeys(program.rows)
        self.sizes["k"] = len(self.constants)
        return Mover(self, program.table, {**to, "k": Place("k", start, 0)}, depth)

    def program(
        self, inputs: Sequence[str], leaves: Sequence[Value], is_batch: bool, key: str
    ) -> Program:
        """The finished program."""
        sections: dict[str, Any] = {name: tuple(items) for name, items in self.sections.items()}
        return Program(
            tuple(inputs),
            tuple(leaves),
            is_batch,
            **sections,
            constants=self.constants,
            table=self.table,
            sizes=self.sizes,
            key=key,
            rows=tuple(self.rows),
        )


class Mover:
    """Moves items of one program into another, and into a loop there."""

    def __init__(
        self, joined: Joined, table: array[int], to: Mapping[str, Place], depth: int
    ) -> None:
        self._joined, self._table, self._to, self._depth = joined, table, to, depth
        self._copies: dict[tuple[int, int], int] = {}

    def items(self, items: Iterable[Item]) -> list[Item]:
        """Move the items."""
        return [self._moved(item) for item in items]

    def _moved(self, x: Any) -> Any:
        """An item or a part of one, the same except for its addresses."""
        match x:
            case Element():
                return self._operand(x)
            case Lookup():
                return self._integer(x)
            case Place():
                to = self._target(x.space)
                return replace(x, space=to.space, base=to.base + to.step * x.base)
            case Scan():
                given = {name: self._moved(place) for name, place in x.given.items()}
                to = self._moved(x.to)
                return replace(x, initial=self._moved(x.initial), given=given, to=to)
            case tuple():
                return tuple(map(self._moved, x))
            case Group() | Loop() | Apply() | Reduce() | Run() | Term():
                return type(x)(*[self._moved(getattr(x, name)) for name in x.__slots__])
        return x

    def _target(self, space: str) -> Place:
        """The new place of a space; the space itself if it belongs to an outer program."""
        return self._to.get(space) or Place(space, 0, 0)

    def _operand(self, x: Element) -> Element:
        to = self._target(x.space)
        outer = (to.stride,) * self._depth
        strides = (*outer, *(self._integer(stride, to.step) for stride in x.strides))
        return Element(to.space, self._integer(x.base, to.step, to.base), strides)

    def _integer(self, x: Integer, by: int = 1, more: int = 0) -> Integer:
        """The integer times `by` plus `more`; a `Lookup` reads a copy of the table with these."""
        if isinstance(x, int):
            return x * by + more
        at = self._integer(x.at, 1, self._copy(by, more))
        return Lookup(at, ((0,) * self._depth) + x.strides)

    def _copy(self, by: int, more: int) -> int:
        """The position of a copy of the table, each integer times `by` plus `more`."""
        if (by, more) not in self._copies:
            self._copies[by, more] = len(self._joined.table)
            self._joined.table.extend(x * by + more for x in self._table)
        return self._copies[by, more]


# --- scans as loops -------------------------------------------------------------------------------


def unnested(program: Program) -> Program:
    """The program with its scans written as loops over memory."""
    if not any(isinstance(item, Scan) for item in (*program.once, *program.each)):
        return program
    joined = Joined()
    joined.sizes |= program.sizes
    mover = joined.mover(program, {}, 0)
    for name, items in program.sections.items():
        for item in mover.items(items):
            joined.sections[name] += _loops(joined, item) if isinstance(item, Scan) else [item]
    return joined.program(program.inputs, program.leaves, program.is_batch, program.key)


def _loops(joined: Joined, scan: Scan) -> list[Item]:
    """A scan as groups and loops."""
    step, space, base = unnested(scan.step), scan.to.space, scan.to.base
    m, width = step.sizes["x"], step.sizes["y"]
    stride = width if scan.keeps_all else 0
    spaces = {x: Place(space, joined.room(space, step.sizes[x]), 0) for x in "cv"}
    y = base + width if scan.keeps_all else joined.room(space, width)
    spaces |= {"x": Place(space, base, m, stride), "y": Place(space, y, width, stride)}
    spaces |= scan.given
    body = joined.mover(step, spaces, 1).items(step.each)
    if not scan.keeps_all:
        body += _copies(spaces["x"], spaces["y"], 1)
    items: list[Item] = []
    for place in scan.initial:
        items += _copies(Place(space, base, place.count), place, 0)
        base += place.count
    items += joined.mover(step, spaces, 0).items(step.once) if step.once else []
    return [*items, Loop(scan.count, tuple(body))]


def _copies(to: Place, source: Place, depth: int) -> list[Item]:
    """A group that copies all numbers of `source` to `to`; nothing if there are none."""
    if not to.count:
        return []
    outer = (0,) * depth
    target = Element(to.space, to.base, (*outer, 1))
    return [Group((to.count,), target, Element(source.space, source.base, (*outer, 1)))]
