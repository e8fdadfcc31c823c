"""Loop rerolling: a repeated sequence of items becomes a loop; rows with affine addresses, a box.

An *item* is one row of a group (an expression with its operands), a *box* (a nest of loops around a
row), or a loop of items. It has a *base* address for each of its operands, and an *entry* with
everything else: its structure, its counts, and for each operand an array of addresses relative to
the base, with an axis for every index around it. A loop, or a further dimension of a box, adds one
axis.

A sequence of items repeats if their structures do. Addresses and counts that are not affine in the
loop's index are looked up.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.ragged import Integers, offsets, true_runs

FEWEST_ITERATIONS = 3
"""A loop has so many iterations. With 2 the gradient of a Gaussian process has 10 more groups in 67
and random programs 3 % more, with 6 that of a soft alignment has 13 more in 88."""

MOST_PERIODS = 6
"""So many of the distances between equal items, the most common ones, are tried as lengths
of an iteration. With 3 the gradient of a soft alignment has 2 more groups in 88; with 12 none has
fewer."""

MOST_BOXES = 3
"""Rows of a group that need more boxes than so many, for their addresses to be affine, are looked
up in tables. With 1 the gradient of the demo has 2.6 times as large tables, and a matrix and a
column of biases are one; with 6 that of an option's tree has 74 groups in place of 53."""

MOST_PADDING = 8
"""Arrays of several sizes are continued to one size, unless that takes so many times the space.
Without the limit the tables of a GPT have 1.6 times the size; with 1 there are twice as many groups
of a Gaussian process, with 4 or 16 as many."""


class Entry(NamedTuple):
    """The description of an item, without its base addresses.

    Attributes:
        structure: ("row", space of the target, form), where the runs of a form are the classes of
            the terms added in each iteration; ("box", (structure,)); or ("loop", structures).
        counts: how often each loop, box or run is run, in the order of the structure (outer
            ones first); an array with an axis for every index around it, of length 1 if it is
            always the same.
        relative: for each operand its addresses, relative to the first.
    """

    structure: Any
    counts: tuple[Integers, ...]
    relative: tuple[Integers, ...]


class Items(NamedTuple):
    """A sequence of items: the keys of their entries, and their bases, compressed."""

    keys: Integers
    start: Integers
    bases: Integers


class Roller:
    """Rolls sequences of items into loops; `entries` are the distinct descriptions of items."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._known: dict[Any, int] = {}
        self._structures: list[int] = []  # of each entry the number of its structure
        self._numbers: dict[Any, int] = {}

    def key(self, entry: Entry) -> int:
        """The index of an entry in `entries`; a new one is appended."""
        number = self._numbers.setdefault(entry.structure, len(self._numbers))
        digest = hashlib.blake2b(digest_size=16)
        for column in (*entry.counts, *entry.relative):
            digest.update(repr(column.shape).encode())
            digest.update(column.tobytes())
        found = self._known.setdefault((number, digest.digest()), len(self.entries))
        if found == len(self.entries):
            self.entries.append(entry)
            self._structures.append(number)
        return found

    def loops(self, items: Items) -> Items:
        """Replace repeated sequences of items by loops until none is left, so that loops nest."""
        while True:
            structures = np.array(self._structures, np.int64)[items.keys]
            rolled = self._nested(items, _repeats(structures))
            if len(rolled.keys) == len(items.keys):
                return rolled
            items = rolled

    def boxes(self, key: int, rows: Integers) -> list[tuple[int, int]]:
        """Rows that have this key, which may be computed in any order, as boxes.

        Returns the key of each box, and how many rows it has. If there would be too many boxes for
        the addresses to be affine in the indices, it is one, whose addresses are looked up.
        """
        found: list[list[int]] = []
        rest = rows
        while len(rest) and len(found) < MOST_BOXES:
            found.append(_box_at_start(rest))
            rest = rest[math.prod(found[-1]) :]
        if len(rest) or FEWEST_ITERATIONS * len(found) > len(rows) > MOST_BOXES:
            found = [[len(rows)]]
        boxes, at = [], 0
        for extents in found:
            own, inner = key, 1
            for extent in reversed(extents):
                bases = rows[at : at + extent * inner : inner]
                start = np.arange(extent + 1) * rows.shape[1]
                items = Items(np.full(extent, own), start, bases.reshape(-1))
                own, _ = self.nest(items, 0, 1, extent, "box")
                inner *= extent
            boxes.append((own, inner))
            at += inner
        return boxes

    def nest(self, items: Items, start: int, period: int, count: int, kind: str) -> Any:
        """The key and bases of the items as one loop or box; None if it gets too large."""
        keys = items.keys[start : start + period * count].reshape(count, period)
        a, b = items.start[start], items.start[start + period * count]
        bases = items.bases[a:b].reshape(count, -1)
        moved = bases - bases[0]
        if (keys == keys[0]).all():
            body = [self.entries[key] for key in keys[0].tolist()]
            counts = [n[None] for entry in body for n in entry.counts]
            each = [array for entry in body for array in entry.relative]
            relative = [
                moved[:, j].reshape(-1, *[1] * array.ndim) + array for j, array in enumerate(each)
            ]
        else:
            by_iteration = [[self.entries[key] for key in row] for row in keys.tolist()]
            body = by_iteration[0]
            counts, relative = [], []
            for place, spaces in enumerate(spaces_of(entry.structure) for entry in body):
                entries = [row[place] for row in by_iteration]
                for columns in zip(*(entry.counts for entry in entries), strict=True):
                    counts.append(_stacked(columns, is_affine=False))
                for space, columns in zip(
                    spaces, zip(*(entry.relative for entry in entries), strict=True), strict=True
                ):
                    j = len(relative)
                    relative.append(_stacked(columns, is_affine=space not in "k#"))
                    if relative[j] is None:
                        return None
                    relative[j] = relative[j] + moved[:, j].reshape(-1, *[1] * columns[0].ndim)
        structure = kind, tuple([entry.structure for entry in body])
        entry = Entry(structure, (np.array(count), *counts), tuple(relative))
        return self.key(entry), bases[0]

    def _nested(self, items: Items, loops: list[Any]) -> Items:
        """The items with these loops in place of what they are made of."""
        keys: list[Any] = []
        bases: list[Any] = []
        sizes: list[Any] = []
        at = 0
        size = np.diff(items.start)
        for start, period, count in sorted(loops):
            made = self.nest(items, start, period, count, "loop")
            if made is not None:
                keys += [items.keys[at:start], [made[0]]]
                bases += [items.bases[items.start[at] : items.start[start]], made[1]]
                sizes += [size[at:start], [len(made[1])]]
                at = start + period * count
        if not at:
            return items
        keys.append(items.keys[at:])
        bases.append(items.bases[items.start[at] :])
        sizes.append(size[at:])
        return Items(np.concatenate(keys), offsets(np.concatenate(sizes)), np.concatenate(bases))


def spaces_of(structure: Any) -> list[str]:
    """The space of each operand of an entry with this structure; "#" for a row's own number."""
    kind, *rest = structure
    if kind != "row":
        return [space for part in rest[0] for space in spaces_of(part)]
    return ["#", rest[0], *_spaces(rest[1])]


def _spaces(form: Any) -> list[str]:
    if type(form) is str:
        return [form]
    if form[0] != "Σ":
        return [space for part in form[1:] for space in _spaces(part)]
    first = [] if form[1] is None else _spaces(form[1])
    return first + [space for classes in form[2] for _, *spaces in classes for space in spaces]


def _stacked(parts: Sequence[Integers], is_affine: bool) -> Any:
    """The arrays along a new first axis, all continued to the size of the largest.

    If `is_affine` they are continued by their last step, else by their last number. Returns None if
    that would take much more space.
    """
    shape = tuple(np.max([part.shape for part in parts], axis=0).tolist())
    if len(parts) * math.prod(shape) > MOST_PADDING * sum(part.size for part in parts):
        return None
    return np.stack([_continued(part, shape, is_affine) for part in parts])


def _continued(part: Integers, shape: tuple[int, ...], is_affine: bool) -> Integers:
    for axis, extent in enumerate(shape):
        n = part.shape[axis]
        if n < extent:
            last = part.take([n - 1], axis)
            step = last - part.take([n - 2], axis) if is_affine and n > 1 else 0
            further = np.arange(1, extent - n + 1)
            further = further.reshape([-1 if a == axis else 1 for a in range(part.ndim)])
            part = np.concatenate([part, last + step * further], axis)
    return part


def _box_at_start(rows: Integers) -> list[int]:
    """The extents of a box of the first rows in which each column is affine."""
    if len(rows) == 1:
        return []
    step = rows[1] - rows[0]
    differs = np.flatnonzero((np.diff(rows, axis=0) != step).any(axis=1))
    inner = int(differs[0]) + 1 if len(differs) else len(rows)
    if inner == 2 < len(rows) - 1 and (rows[3] - rows[2] == rows[2] - rows[1]).all():
        # a row by itself, before a longer run; else a matrix and its biases are read from a table
        # (while the gradient of a soft alignment would have 74 groups in place of 88)
        return []
    n = len(rows) // inner
    blocks = rows[: n * inner].reshape(n, inner, -1)
    differs = np.flatnonzero((np.diff(blocks, axis=1) != step).any(axis=(1, 2)))
    heads = blocks[: differs[0] if len(differs) else n, 0]
    return [*_box_at_start(heads), inner]


def _repeats(structures: Integers) -> list[tuple[int, int, int]]:
    """(start, period, count) of disjoint repetitions, those first that save most items.

    What overlaps with one of them waits.
    """
    found = []
    for period in _likely_periods(structures):
        for a, b in true_runs(structures[period:] == structures[:-period], period):
            count = (b - a) // period + 1
            found.append((-(count - 1) * period, period, a, count))
    chosen, taken = [], np.zeros(len(structures), bool)
    for _, period, start, count in sorted(found):
        own = taken[start : start + count * period]
        if count >= FEWEST_ITERATIONS and not own.any():
            own[:] = True
            chosen.append((start, period, count))
    return chosen


def _likely_periods(keys: Integers) -> list[int]:
    """The most common distances from an element to the next one with the same key."""
    order = np.argsort(keys, kind="stable")
    distances = np.diff(order)[keys[order][1:] == keys[order][:-1]]
    distance, count = np.unique(distances, return_counts=True)
    likely: list[int] = sorted(distance[np.argsort(-count, kind="stable")[:MOST_PERIODS]].tolist())
    return likely
