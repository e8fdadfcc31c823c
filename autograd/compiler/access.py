"""Access patterns: every number gets an address, and each group the addresses that it uses.

Rows of a group get neighboring addresses, in the order of the schedule. A group becomes one or more
items (see `reroll`), which hold the addresses that it reads and writes. Groups whose addresses
differ only by an offset share one description.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograd.compiler.expressions import SPACES, Expressions
from autograd.compiler.lowering import CONSTANT, INPUT
from autograd.compiler.ragged import Integers, offsets, ranges
from autograd.compiler.reroll import Entry, Items, Roller


class Access:
    """Addresses, and the items of each section.

    The operands of an item are: the number of its row in the schedule; the target; and the operands
    of its expression in the order of its form (for a run, each factor of each term).

    Attributes:
        rows: the roots in the order of the schedule.
        sizes: how many addresses each space has.
        constants: the node of each constant, in the order in which they are read.
        sections: the items of each section.
    """

    def __init__(self, x: Expressions, order: Integers, begin: list[int]) -> None:
        self.x, self.roller = x, Roller()
        self.rows = rows = x.roots[order]
        address = np.zeros(len(x.op), np.int64)
        address[x.results] = np.arange(len(x.results))
        self.sizes = dict.fromkeys(SPACES, 0) | {"y": len(x.results)}
        given = np.flatnonzero((x.op > CONSTANT) & (x.op <= INPUT))
        for nodes in (given, rows):
            for space in "wxcvm":
                mine = nodes[x.space[nodes] == SPACES.index(space)]
                address[mine] = self.sizes[space] + np.arange(len(mine))
                self.sizes[space] += len(mine)
        for mine, places in x.blocks.values():
            address[mine] = places
        n_slots = x.n_slots[order]
        start = offsets(n_slots + 2)
        nodes = np.empty(start[-1], np.int64)
        nodes[start[:-1]] = nodes[start[:-1] + 1] = rows
        at = ranges(start[:-1] + 2, n_slots)
        nodes[at] = x.slots[ranges(x.slot_start[order], n_slots)]
        addresses = address[nodes]
        addresses[start[:-1]] = np.arange(len(rows))
        constants = at[x.op[nodes[at]] == CONSTANT]
        addresses[constants] = np.arange(len(constants))  # each place where one is read has its own
        self.constants = nodes[constants]
        self._find_items(rows[begin[:-1]], np.diff(begin), start[begin], addresses)

    def _find_items(self, first: Integers, counts: Any, start: Any, addresses: Any) -> None:
        """Find the items of groups.

        Args:
            first: the first row of each group.
            counts: the number of rows of each group.
            start: the index of the first address of each group.
            addresses: the addresses of all rows.
        """
        x, size = self.x, np.diff(start)
        layouts = [Layout(shape) for shape in x.shapes]
        group = np.repeat(np.arange(len(first)), size)
        place = np.arange(len(addresses)) - start[group]
        width = (size // np.maximum(counts, 1))[group]
        base = np.concatenate([*(layout.base for layout in layouts), [0]])
        at = offsets(np.array([len(layout.base) for layout in layouts]))
        relative = (
            addresses - addresses[start[group] + base[at[x.form[first]][group] + place % width]]
        )
        data, bounds = relative.tobytes(), (8 * start).tolist()
        alike: dict[Any, list[int]] = {}
        columns = (x.form[first].tolist(), x.space[first].tolist(), bounds, bounds[1:])
        for g, (form, space, a, b) in enumerate(zip(*columns, strict=False)):
            alike.setdefault((form, space, data[a:b]), []).append(g)

        made = []  # of each class of groups: these, the keys of their items, where the bases are
        n_items, n_bases = np.zeros((2, len(first)), np.int64)
        for (form, space, _), members in alike.items():
            g = members[0]
            matrix = addresses[start[g] : start[g + 1]].reshape(counts[g], -1)
            keys, picked = self._items(layouts[form], x.spaces[space], matrix)
            groups = np.array(members)
            made.append((groups, keys, picked))
            n_items[groups], n_bases[groups] = len(keys), sum(map(len, picked))
        at, begin = offsets(n_items), offsets(n_bases)
        keys, sizes = np.empty((2, at[-1]), np.int64)
        bases = np.empty(begin[-1], np.int64)
        for groups, own, picked in made:
            to = at[groups][:, None] + np.arange(len(own))
            keys[to], sizes[to] = own, list(map(len, picked))
            pick = np.concatenate(picked)
            bases[begin[groups][:, None] + np.arange(len(pick))] = addresses[
                start[groups][:, None] + pick
            ]
        begin = offsets(sizes)
        cuts = at[np.searchsorted(x.section[first], range(5))].tolist()
        self.sections = [
            Items(keys[a:b], begin[a : b + 1] - begin[a], bases[begin[a] : begin[b]])
            for a, b in pairwise(cuts)
        ]

    def _items(self, layout: Layout, space: str, matrix: Integers) -> tuple[Any, list[Integers]]:
        """The keys of items that cover the rows of a group, and the places of their bases.

        Each row of the matrix holds the addresses of one row of the group.
        """
        m = len(matrix)
        structure = "row", space, layout.form
        if m == 1:
            entry = Entry(structure, tuple(layout.counts), layout.relative(matrix[0]))
            return [self.roller.key(entry)], [layout.heads]
        inner = np.ascontiguousarray((matrix - matrix[:, layout.base])[:, layout.inner])
        first, which = np.zeros(1, np.int64), np.zeros(m, np.int64)
        if inner.size:
            packed = inner.view(np.dtype((np.void, inner[0].nbytes))).reshape(-1)
            _, first, which = np.unique(packed, return_index=True, return_inverse=True)
        patterns = [
            self.roller.key(Entry(structure, tuple(layout.counts), layout.relative(matrix[row])))
            for row in first.tolist()
        ]
        bases = matrix[:, layout.heads]
        order = np.argsort(which, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(which[order])) + 1)
        keys, picked = [], []
        for part in sorted(parts, key=lambda part: part[0]):  # rows of one pattern
            at = 0
            for key, n in self.roller.boxes(patterns[which[part[0]]], bases[part]):
                keys.append(key)
                picked.append(part[at] * matrix.shape[1] + layout.heads)
                at += n
        return keys, picked


class Layout:
    """The order of the addresses in a row, for rows of one form.

    Attributes:
        form: the form, without the iterations of each run, so that a loop may change these.
        counts: the iterations of each run.
        base: for each address the place of the one that it is relative to.
        heads: the places of those that are relative to themselves.
        inner: the places of the others.
    """

    def __init__(self, shape: Any) -> None:
        self.counts: list[Any] = []
        self._columns: list[Any] = [np.array(0), np.array(1)]
        self._size = 2
        self.form = self._read(shape)
        self.heads = np.array([column.flat[0] for column in self._columns])
        self.base = np.empty(self._size, np.int64)
        for column in self._columns:
            self.base[column] = column.flat[0]
        self.inner = np.flatnonzero(self.base != np.arange(self._size))

    def _read(self, shape: Any) -> Any:
        """Add the places of a part's operands; returns its form."""
        if shape is None:
            return None
        if type(shape) is str:
            self._columns.append(np.array(self._size))
            self._size += 1
            return shape
        if shape[0] != "Σ":
            return (shape[0], *map(self._read, shape[1:]))
        first, runs = self._read(shape[1]), shape[2]
        n, n_factors = sum(n * len(classes) for n, classes in runs), len(runs[0][1][0]) - 1
        places = self._size + np.arange(n_factors * n).reshape(n_factors, n)
        self._size += n_factors * n
        for n, classes in runs:
            own, places = np.split(places, [n * len(classes)], axis=1)
            self._columns.extend(own.reshape(n_factors, n, -1).transpose(2, 0, 1).reshape(-1, n))
            self.counts.append(np.array(n))
        return "Σ", first, tuple([classes for _, classes in runs])

    def relative(self, row: Integers) -> tuple[Integers, ...]:
        """For each operand, its addresses in a row, relative to its first one."""
        return tuple([np.asarray(row[x] - row[x.flat[0]]) for x in self._columns])
