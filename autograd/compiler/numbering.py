"""Addresses for the rows of groups, and each operand as base + Σ strideᵢ·indexᵢ, or as a table."""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, repeat
from operator import sub
from typing import Any

from autograd.compiler.folding import Flat, Table
from autograd.compiler.forms import Forms, class_of, slots_of
from autograd.compiler.program import spanned
from autograd.compiler.trace import Listing

FEWEST_LOOKED_UP = 8
"""A group whose operands are no affine addresses is looked up in tables if it has so many rows;
with fewer it is written row by row, which is no longer than what was recorded."""

FEWEST_OF_PLAN = 4
"""If the sums of fewer rows on average take their terms from places of one pattern, the terms of
every row are looked up."""

MOST_RUNS, FEWEST_IN_RUN = 6, 3
"""A sum is cut into at most so many runs, each (but for the first and last) at least so long; the
addresses of others are looked up."""


@dataclass
class _Group:
    """Rows of one form.

    Attributes:
        plans: for each slot that is a sum, the runs of its terms (see `_runs`).
        columns: the addresses of each operand that is no constant, one for each row.
        targets: the addresses of the results.
    """

    shape: Any
    space: str
    rows: list[int]
    slots: list[list[Any]]
    plans: dict[int, Any] = field(default_factory=dict)
    columns: list[list[int]] = field(default_factory=list)
    targets: Sequence[int] = ()


class Numbering:
    """Gives every row its address, group by group, and describes the operands by strides.

    Attributes:
        constants: the numbers of `k`; each place where a constant is read has its own.
        sizes: how many addresses each space has.
    """

    def __init__(self, listing: Listing, forms: Forms) -> None:
        self.listing, self.forms = listing, forms
        self.address = [0] * len(listing.ops)
        self.sizes = dict.fromkeys("kwxcvmy", 0)
        for i, op in enumerate(listing.ops):
            if op in ("w", "x"):
                self.address[i] = self._new(op, 1)
        self.sizes["y"] = len(listing.results)
        self.constants = array("d")
        self._known: dict[Any, Any] = {}  # of each form, what does not depend on its rows

    def _new(self, space: str, count: int) -> int:
        self.sizes[space] += count
        return self.sizes[space] - count

    def group(self, rows: list[int]) -> Iterable[Flat]:
        """The rows as as few groups as possible."""
        forms = self.forms
        form, space = forms.form[rows[0]], forms.spaces[rows[0]]
        if (found := self._known.get((form, space))) is None:
            shape = forms.shapes[form]
            kinds = slots_of(shape)
            sums = {q: kind for q, kind in enumerate(kinds) if type(kind) is not str}
            single = ("group", 0, space, forms.bare_shape(shape), ())
            found = self._known[form, space] = shape, kinds, sums, single, "bt" * (1 + len(kinds))
        shape, kinds, sums, single, int_kinds = found
        if len(rows) == 1 and not sums:
            return (self._row(rows[0], space, kinds, single, int_kinds),)
        group = _Group(shape, space, rows, [forms.slots[row] for row in rows])
        return self._with_sums(group, sums) if sums else self._affine(group)

    def _row(self, row: int, space: str, spaces: Sequence[str], shape: Any, kinds: str) -> Flat:
        """A group of one row without sums, as most are of a long computation."""
        address = self.address
        target = self._new(space, 1) if space != "y" else self.forms.fixed[row]
        address[row] = target
        ints = [target, 0]
        for x, slot_space in zip(self.forms.slots[row], spaces, strict=True):
            ints += (self._constants([x]) if slot_space == "k" else address[x], 0)
        return Flat(shape, kinds, tuple(ints), (self._label([row]),))

    def _with_sums(self, group: _Group, sums: dict[int, Any]) -> Iterator[Flat]:
        """Groups of rows whose sums have the same runs each."""
        by_plan: dict[Any, list[int]] = {}
        memo: dict[Any, Any] = {}
        for r, row in enumerate(group.slots):
            plan = tuple([self._runs(row[q], classes, memo) for q, classes in sums.items()])
            by_plan.setdefault(plan, []).append(r)
        is_uniform = all(type(classes[1]) is int for classes in sums.values())
        if is_uniform and len(by_plan) > 1 and len(group.rows) < FEWEST_OF_PLAN * len(by_plan):
            each_its_own = tuple([((0, classes[1], 1, None),) for classes in sums.values()])
            by_plan = {each_its_own: list(range(len(group.rows)))}
        for plan, members in by_plan.items():
            rows, slots = [group.rows[r] for r in members], [group.slots[r] for r in members]
            plans = dict(zip(sums, plan, strict=True))
            yield from self._affine(_Group(group.shape, group.space, rows, slots, plans))

    def _runs(self, factors: tuple[Sequence[int], ...], classes: Any, memo: Any) -> Any:
        """How the terms of a sum follow each other (see `_runs`), each such pattern once."""
        columns = [list(map(self.address.__getitem__, factor)) for factor in factors]
        steps = tuple([tuple(map(sub, column[1:], column)) for column in columns])
        key = (classes, steps)
        if key not in memo:
            memo[key] = _runs(classes, columns, steps)
        return memo[key]

    def _affine(self, group: _Group) -> Iterator[Flat]:
        """Groups of rows whose sums have the same runs, as few as possible."""
        address, slots, m = self.address, group.slots, len(group.rows)
        for q, slot in enumerate(slots_of(group.shape)):
            if q in group.plans:
                for first, _, period, steps in group.plans[q]:
                    for term in range(first, first + period) if steps is not None else ():
                        for c, space in enumerate(class_of(slot, term)[1:]):
                            if space != "k":
                                group.columns.append([address[row[q][c][term]] for row in slots])
            elif slot != "k":
                group.columns.append([address[row[q]] for row in slots])
        fixed = [self.forms.fixed[row] for row in group.rows] if group.space == "y" else None
        order, segments = _nest_in_best_order(group.columns, fixed, m)
        if order is not None:
            group.rows = [group.rows[r] for r in order]
            group.slots = [slots[r] for r in order]
            group.columns = [[column[r] for r in order] for column in group.columns]
            fixed = [fixed[r] for r in order] if fixed else None
        if fixed is None:
            first_target = self._new(group.space, m)
            group.targets = range(first_target, first_target + m)
        else:
            group.targets = fixed
        for row, target in zip(group.rows, group.targets, strict=True):
            address[row] = target
        if len(segments) > max(3, m // 6):
            is_worth_it = m >= FEWEST_LOOKED_UP
            segments = [(0, (m,), None)] if is_worth_it else [(r, (), ()) for r in range(m)]
        for start, dims, strides in segments:
            yield self._flat(group, start, dims, strides)

    def _flat(  # noqa: PLR0915 - one after another, as they stand in the form
        self, group: _Group, start: int, dims: tuple[int, ...], strides: Any
    ) -> Flat:
        """The rows from `start` on as one group with these dims.

        The strides are those of the columns and, last, of the targets; None if the columns are
        no affine addresses and so are looked up.
        """
        size = math.prod(dims)
        rows = group.slots[start : start + size]
        row_strides = [math.prod(dims[i + 1 :]) for i in range(len(dims))]
        kinds: list[str] = ["p" * len(dims)]
        ints: list[Any] = list(dims)
        column = itertools.count()

        def put(base: int, table: Any, *steps: Any) -> None:
            kinds.append("bt" + "p" * len(steps))
            ints.extend((base, table, *steps))

        def described(addresses: Sequence[int], at: int) -> tuple[Any, ...]:
            """Base, table and strides of one column."""
            here = addresses[start : start + size]
            if strides is not None:
                return here[0], 0, *[s[at] for s in strides]
            steps = set(map(sub, here[1:], here))
            if len(steps) == 1:
                return here[0], 0, *steps
            return here[0], Table(tuple([a - here[0] for a in here]), (1,)), 0

        def factor(of_rows: Sequence[Sequence[int]], space: str, run: Any, k: int, c: int) -> None:
            """Factor c of term k of a run, given the nodes of that factor for each row."""
            first, turns, period, steps = run
            if space == "k":
                terms = range(first + k, first + turns * period, period)
                nodes = [row[t] for row in of_rows for t in terms]
                put(self._constants(nodes), 0, *[s * turns for s in row_strides], 1)
            elif steps is None:  # each row has terms of its own
                values = [self.address[y] for row in of_rows for y in row]
                starts = tuple(range(0, size * turns, turns))
                offsets = Table(starts, tuple(row_strides)) if dims else None
                relative = tuple([x - values[0] for x in values])
                put(
                    values[0],
                    Table(relative, (0,) * len(dims) + (1,), offsets),
                    *[0] * len(dims),
                    0,
                )
            else:
                at = next(column)
                base, table, *rest = described(group.columns[at], at)
                step = steps[k][c]
                if type(step) is int:
                    put(base, table, *rest, step)
                elif table == 0:
                    put(base, Table(step, (0,) * len(dims) + (1,)), *rest, 0)
                else:
                    both = tuple([a + b for a in table.values for b in step])
                    put(base, Table(both, (len(step), 1)), *rest, 0)

        put(*described(group.targets, len(group.columns)))
        runs = []
        for q, slot in enumerate(slots_of(group.shape)):
            if q in group.plans:
                found = []
                for run in group.plans[q]:
                    first, turns, period, _ = run
                    kinds.append("p")
                    ints.append(turns)
                    classes = tuple([class_of(slot, first + k) for k in range(period)])
                    found.append((period, classes))
                    for k, (_, *spaces) in enumerate(classes):
                        for c, space in enumerate(spaces):
                            factor([row[q][c] for row in rows], space, run, k, c)
                runs.append(tuple(found))
            elif slot == "k":
                put(self._constants([row[q] for row in rows]), 0, *row_strides)
            else:
                at = next(column)
                put(*described(group.columns[at], at))
        shape = ("group", len(dims), group.space, self.forms.bare_shape(group.shape), tuple(runs))
        label = self._label(group.rows[start : start + size])
        return Flat(shape, "".join(kinds), tuple(ints), (label,))

    def _constants(self, nodes: list[int]) -> int:
        base = self._new("k", len(nodes))
        args = self.listing.args
        self.constants.extend([args[node] for node in nodes])
        return base

    def _label(self, rows: list[int]) -> str:
        labels = self.listing.labels
        return spanned([labels[row] for row in rows if row in labels]) if labels else ""

    def copies(self) -> Iterator[Flat]:
        """Groups that write those results which stand elsewhere."""
        forms, listing = self.forms, self.listing
        rest: dict[str, list[int]] = {}
        for i, node in enumerate(listing.results):
            if forms.fixed.get(node) != i:
                rest.setdefault(forms.spaces[node], []).append(i)
        for space, places in rest.items():
            nodes = [listing.results[i] for i in places]
            group = _Group(space, "y", nodes, [[node] for node in nodes], {}, [], places)
            if space != "k":
                group.columns.append([self.address[node] for node in nodes])
            for start, dims, strides in _nest([*group.columns, places], len(places)):
                yield self._flat(group, start, dims, strides)


def _runs(classes: Any, columns: list[list[int]], steps: Any) -> Any:
    """Runs of terms that cover the sum: tuples (start, turns, period, steps).

    The steps are, for each term of a period and each of its factors, a stride or a table of
    addresses relative to the first.
    """
    T = len(columns[0])
    uniform = type(classes[1]) is int
    if uniform and all(len(set(column)) <= 1 for column in steps):
        return ((0, T, 1, (tuple(column[0] if column else 0 for column in steps),)),)
    d: list[Any] = list(zip(*steps, strict=True))
    if not uniform:
        d = [x if classes[t] == classes[t + 1] else None for t, x in enumerate(d)]
    runs: list[Any] = []
    at = 0
    while at < T and len(runs) <= MOST_RUNS:
        end = at + 1
        if at < T - 1 and d[at] is not None:
            while end < T - 1 and d[end] == d[at]:
                end += 1
            if (
                end - at == 1 and end < T - 1
            ):  # two terms, and what follows is longer: leave it that
                following = end
                while following < T - 1 and d[following] == d[end] and d[end] is not None:
                    following += 1
                if following - end >= 2:
                    end = at
            if end > at:
                runs.append((at, end - at + 1, 1, (d[at],)))
                at = end + 1
                continue
        runs.append((at, 1, 1, (tuple(0 for _ in steps),)))
        at += 1
    lengths = [turns for _, turns, _, _ in runs]
    if at >= T and min([*lengths[1:-1], max(lengths)]) >= FEWEST_IN_RUN:
        return tuple(runs)
    for head in (0, 1):  # several terms in each turn, after at most one other
        for period in (2, 3, 4, 5, 6):
            turns = (T - head) // period
            if turns < FEWEST_IN_RUN or turns * period != T - head:
                continue
            if not uniform and classes[head:-period] != classes[head + period :]:
                continue
            strides = [
                tuple(column[head + k + period] - column[head + k] for column in columns)
                for k in range(period)
            ]
            if all(
                column[t + period] - column[t] == strides[(t - head) % period][c]
                for c, column in enumerate(columns)
                for t in range(head, T - period)
            ):
                start = ((0, 1, 1, (tuple(0 for _ in steps),)),) if head else ()
                return (*start, (head, turns, period, tuple(strides)))
    bounds = [0, *(t + 1 for t in range(T - 1) if not uniform and classes[t] != classes[t + 1]), T]
    out = []
    for a, b in pairwise(bounds):
        tables: list[Any] = []
        for column in columns:
            here = column[a:b]
            relative = tuple(x - here[0] for x in here)
            different = set(map(sub, here[1:], here))
            tables.append(relative if len(different) > 1 else next(iter(different), 0))
        out.append((a, b - a, 1, (tuple(tables),)))
    return tuple(out)


# --- nests ----------------------------------------------------------------------------------------

Segment = tuple[int, tuple[int, ...], Any]
"""The first row, the extents, and for each extent the strides of all columns."""


def _nest_in_best_order(
    columns: list[list[int]], fixed: list[int] | None, m: int
) -> tuple[list[int] | None, list[Segment]]:
    """The segments of the rows, as recorded or in another order if that needs fewer of them."""
    targets = fixed if fixed is not None else list(range(m))
    best: Any = None
    for order in _orders(columns, fixed, m):
        if order is None:
            tried = _nest([*columns, targets], m)
        else:
            there = targets if fixed is None else [fixed[r] for r in order]
            tried = _nest([*([column[r] for r in order] for column in columns), there], m)
        backwards = sum(x < 0 for _, _, strides in tried[:4] for s in strides for x in s)
        cost = (len(tried), backwards)
        if best is None or cost < best[0]:
            best = (cost, order, tried)
        if cost == (1, 0):
            break
    return best[1], best[2]


def _orders(
    columns: list[list[int]], fixed: list[int] | None, m: int
) -> Iterator[list[int] | None]:
    yield None
    if m > 2 and columns:
        if fixed is not None:
            yield sorted(range(m), key=fixed.__getitem__)
        rows = list(zip(*columns, strict=True))
        yield sorted(range(m), key=rows.__getitem__)
        rows = list(zip(*columns[::-1], strict=True))
        yield sorted(range(m), key=rows.__getitem__)


def _nest(columns: list[list[int]], m: int) -> list[Segment]:
    """Segments that cover the rows in order, each a box in which all columns are affine."""
    if m == 1:
        return [(0, (), ())]
    whole = _box(columns, m)
    if whole is not None:
        return [(0, *whole)]
    rows = list(zip(*columns, strict=True))
    steps = [tuple(map(sub, b, a)) for a, b in pairwise(rows)]
    segments: list[Segment] = []
    at = 0
    while at < m:
        if at == m - 1:
            segments.append((at, (), ()))
            break
        end = at + 1
        while end < m - 1 and steps[end] == steps[at]:
            end += 1
        if end - at == 1 and end < m - 1:
            following = end + 1
            while following < m - 1 and steps[following] == steps[end]:
                following += 1
            if following - end >= 2:
                segments.append((at, (), ()))
                at = end
                continue
        segments.append((at, (end - at + 1,), (steps[at],)))
        at = end + 1
    for _ in range(5):
        joined: list[Segment] = []
        i = 0
        while i < len(segments):
            start, dims, strides = segments[i]
            j = i + 1
            if j < len(segments) and segments[j][1:] == (dims, strides):
                step = tuple(map(sub, rows[segments[j][0]], rows[start]))
                while (
                    j + 1 < len(segments)
                    and segments[j + 1][1:] == (dims, strides)
                    and tuple(map(sub, rows[segments[j + 1][0]], rows[segments[j][0]])) == step
                ):
                    j += 1
                joined.append((start, (j + 1 - i, *dims), (step, *strides)))
                i = j + 1
            else:
                joined.append(segments[i])
                i += 1
        if len(joined) == len(segments):
            break
        segments = joined
    return segments


def _box(columns: list[list[int]], m: int) -> tuple[tuple[int, ...], tuple[Any, ...]] | None:
    """Dims and strides if all rows, at least two, are one box."""
    strides = tuple(column[1] - column[0] for column in columns)
    inner = m
    for column, step in zip(columns, strides, strict=True):
        expected = range(column[0], column[0] + step * inner, step) if step else repeat(column[0])
        for at, (a, b) in enumerate(zip(column[:inner], expected, strict=False)):
            if a != b:
                inner = at
                break
    if inner == m:
        return (m,), (strides,)
    if m % inner:
        return None
    heads = [column[::inner] for column in columns]
    for column, step, head in zip(columns, strides, heads, strict=True):
        if column != [a + step * i for a in head for i in range(inner)]:
            return None
    outer = _box(heads, m // inner)
    return None if outer is None else ((*outer[0], inner), (*outer[1], strides))
