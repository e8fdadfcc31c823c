"""Loops over groups: a sequence of groups that comes again is a loop around its first turn.

Here a group is flat: its form, and beside it the integers that tell where and how often. Two turns
belong to one loop if their forms agree and each address moves on by a step of its own. Where that
fails for longer sequences (triangles, wavefronts, attention over ever more keys), the integers
that change in any other way are looked up in tables by turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from operator import eq, sub
from typing import Any, NamedTuple

FEWEST_TURNS = 3
FEWEST_LOOKED_UP_TURNS = 5
"""A loop that needs tables must have so many turns."""

LOOKED_UP_COST = 1.5
"""How much more a loop that needs tables must save than loops without."""

LONGEST_PERIOD = 2000


@dataclass(frozen=True, slots=True)
class Table:
    """Integers that change with the indices: values[offset + Σ strideᵢ·indexᵢ].

    The offset is 0, or is looked up by the indices itself.
    """

    values: tuple[int, ...]
    strides: tuple[int, ...]
    offsets: Table | None = None


class Flat(NamedTuple):
    """A group or a loop.

    `ints` are of these kinds: "b" a base, "t" its table (or 0), to be added to it; "p" any other
    integer (or table): an extent, a stride, a count.
    """

    shape: Any
    kinds: str
    ints: tuple[Any, ...]
    labels: tuple[str, ...]


def fold(flats: list[Flat]) -> list[Flat]:
    """The same sequence, with loops, and loops in loops."""
    while True:
        folded = _folded(flats)
        if len(folded) == len(flats):
            return flats
        flats = folded


class _Found(NamedTuple):
    """Turns that follow each other; how many items a loop over them saves."""

    gain: int
    period: int
    start: int
    turns: int

    @property
    def end(self) -> int:
        return self.start + self.period * self.turns


def _folded(flats: list[Flat]) -> list[Flat]:
    """One round: the loops that save most, as far as they do not overlap.

    A loop that needs tables is preferred to those that need none if it saves clearly more.
    """
    taken = bytearray(len(flats))
    exact = _chosen(_exact(flats), taken, FEWEST_TURNS)
    saved = [0] * (len(flats) + 1)
    for found in exact:
        saved[found.start] = found.gain
    saved = list(accumulate(saved, initial=0))
    loose = [
        found
        for found in _loose(flats)
        if found.gain > 2 + LOOKED_UP_COST * (saved[found.end] - saved[found.start])
    ]
    taken = bytearray(len(flats))
    loops: dict[int, tuple[int, Flat]] = {}
    for found in (*_chosen(loose, taken, FEWEST_LOOKED_UP_TURNS), *exact):
        start, end, period = found.start, found.end, found.period
        if start in loops or (found in exact and any(taken[start:end])):
            continue
        loop = _loop([flats[i : i + period] for i in range(start, end, period)])
        if loop is not None:
            loops[start] = end - start, loop
        else:
            taken[start:end] = bytes(end - start)
    out: list[Flat] = []
    i = 0
    while i < len(flats):
        n, item = loops.get(i, (1, flats[i]))
        out.append(item)
        i += n
    return out


def _chosen(candidates: Iterable[_Found], taken: bytearray, fewest: int) -> list[_Found]:
    """Those that save most, shortened to what is not taken yet."""
    chosen = []
    for found in sorted(candidates, key=lambda x: (-x.gain, x.period, x.start)):
        _, period, start, turns = found
        while turns >= fewest and any(part := taken[start : start + turns * period]):
            first, last = part.index(1), part.rindex(1)
            if first >= fewest * period:
                turns = first // period
            else:
                skipped = last // period + 1
                start += skipped * period
                turns -= skipped
        if turns >= fewest:
            taken[start : start + turns * period] = b"\1" * (turns * period)
            chosen.append(_Found((turns - 1) * period, period, start, turns))
    return chosen


def _exact(flats: list[Flat]) -> Iterator[_Found]:
    """Turns in which all but the bases is the same, and each base moves on by a step of its own."""
    interned: dict[Any, int] = {}
    keys, bases = [], []
    for shape, kinds, ints, _ in flats:
        plain = tuple([x for x, kind in zip(ints, kinds, strict=True) if kind != "b"])
        keys.append(interned.setdefault((shape, kinds, plain), len(interned)))
        bases.append([x for x, kind in zip(ints, kinds, strict=True) if kind == "b"])
    for period in _periods(keys):
        for start, end in _true_runs(map(eq, keys, keys[period:])):
            if end - start < (FEWEST_TURNS - 1) * period:
                continue
            steps = [list(map(sub, bases[i + period], bases[i])) for i in range(start, end)]
            for a, b in _true_runs(map(eq, steps, steps[period:])):
                turns = (b - a) // period + 2
                if b - a >= period:
                    yield _Found((turns - 1) * period, period, start + a, turns)


def _loose(flats: list[Flat]) -> Iterator[_Found]:
    """Turns of the same form, whatever their integers."""
    interned: dict[Any, int] = {}
    keys = [interned.setdefault((flat.shape, flat.kinds), len(interned)) for flat in flats]
    for period in _periods(keys):
        for start, end in _true_runs(map(eq, keys, keys[period:])):
            turns = (end - start) // period + 1
            if turns >= FEWEST_LOOKED_UP_TURNS:
                yield _Found((turns - 1) * period, period, start, turns)


def _periods(keys: list[int]) -> list[int]:
    """Distances at which the sequence seems to come again: those of equal neighbours."""
    found: dict[int, None] = dict.fromkeys(
        range(1, min(130, len(keys) // 2)) if len(keys) < 3000 else ()
    )
    for length in (1, 4, 16):
        last: dict[Any, int] = {}
        distances: Counter[int] = Counter()
        for i, word in enumerate(zip(*(keys[k:] for k in range(length)), strict=False)):
            if word in last:
                distances[i - last[word]] += 1
            last[word] = i
        found |= dict.fromkeys(distance for distance, _ in distances.most_common(6))
    return [period for period in found if period <= LONGEST_PERIOD]


def _true_runs(flags: Any) -> Iterator[tuple[int, int]]:
    """Where the flags are true: the starts and ends."""
    at = 0
    for flag, run in groupby(flags):
        n = len(tuple(run))
        if flag:
            yield at, at + n
        at += n


def _loop(turns: list[list[Flat]]) -> Flat | None:
    """The turns as one loop; None if a table cannot describe what changes."""
    kinds, ints, labels = ["p"], [len(turns)], []
    for items in zip(*turns, strict=True):
        kinds.append(items[0].kinds.replace("bt", "btp"))
        if not _merge(items, ints):
            return None
        for label in zip(*(item.labels for item in items), strict=True):
            named = [x for x in label if x]
            ends = named and (named[0].split(" … ")[0], named[-1].split(" … ")[-1])
            labels.append("" if not ends else ends[0] if ends[0] == ends[1] else " … ".join(ends))
    shapes = tuple(flat.shape for flat in turns[0])
    return Flat(("loop", shapes), "".join(kinds), tuple(ints), tuple(labels))


def _merge(items: Sequence[Flat], ints: list[Any]) -> bool:
    """Append the integers of one item of the body, given those of all turns."""
    columns = list(zip(*(item.ints for item in items), strict=True))
    for at, kind in enumerate(items[0].kinds):
        if kind == "b":
            bases, tables = columns[at], columns[at + 1]
            step = bases[1] - bases[0]
            if any(b - a != step for a, b in pairwise(bases)):
                tables = tuple(
                    _shifted(table, base - bases[0])
                    for table, base in zip(tables, bases, strict=True)
                )
                step = 0
            table = _by_turn(tables)
            if table is None:
                return False
            ints += (bases[0], table, step)
        elif kind == "p":
            merged = _by_turn(columns[at])
            if merged is None:
                return False
            ints.append(merged)
    return True


def _shifted(table: Any, by: int) -> Any:
    if isinstance(table, int):
        return table + by
    return Table(tuple([x + by for x in table.values]), table.strides, table.offsets)


def _by_turn(values: Sequence[Any]) -> Any:
    """What an integer is, seen from outside of the loop: the same for all turns, or a table."""
    first = values[0]
    if all(value == first for value in values):
        return first if isinstance(first, int) else _lifted(first)
    if all(isinstance(value, int) for value in values):
        return Table(tuple(values), (1,))
    if any(isinstance(value, int) or value.strides != first.strides for value in values):
        return None
    starts: list[int] = []
    joined: list[int] = []
    for value in values:
        starts.append(len(joined))
        joined += value.values
    if all(value.offsets is None for value in values):
        lengths = {len(value.values) for value in values}
        if len(lengths) == 1:
            return Table(tuple(joined), (lengths.pop(), *first.strides))
        offsets = Table(tuple(starts), (1,))
    elif any(value.offsets is None for value in values):
        return None
    else:
        offsets = _by_turn(
            [_shifted(value.offsets, start) for value, start in zip(values, starts, strict=True)]
        )
        if offsets is None:
            return None
    return Table(tuple(joined), (0, *first.strides), offsets)


def _lifted(table: Table) -> Table:
    """The same table with one more index before the others."""
    offsets = None if table.offsets is None else _lifted(table.offsets)
    return Table(table.values, (0, *table.strides), offsets)
