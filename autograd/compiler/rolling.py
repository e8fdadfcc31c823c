"""From a listing to a program: finding the loops again that the recording unrolled.

The passes, each linear in the size of the listing:

1. *Sums.* Chains of additions and subtractions become one sum with signs; products that are used
   in it alone become its terms. So a loop over `total = total + a * b` and a call of `dot` are the
   same program. Additions are swapped or negated as a whole, never regrouped: that keeps each bit.
2. *Trees.* A node that is used once goes into the expression of its user.
3. *Groups.* Expressions of one form whose operands are ready at the same time are a group. Its
   rows get neighbouring addresses, and each operand is described as base + Σ strideᵢ·indexᵢ, or by
   a table of addresses where that fails.
4. *Loops.* A sequence of groups that comes again, with every base moved on by a step of its own, is
   a loop (see `folding`).
5. *Constants* that are the same in a whole group, and in all turns of the loops around it, become
   literals; others are data, in the order in which they are read.

Plain Python throughout, so that no back end needs more than this package.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from operator import sub
from typing import Any

from autograd.compiler.folding import Flat, Table, fold
from autograd.compiler.layout import assembled
from autograd.compiler.program import Program
from autograd.compiler.trace import AFTER, EACH, MEAN, Listing

MOST_IN_TREE = 14
"""How many operations an expression has at most."""

ARITHMETIC = frozenset(
    [
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "+",
        "Σ",
        "Σ·",
        "dot",
        "mean",
        "where",
        "lt",
        "le",
        "gt",
        "ge",
    ]
)

MOST_PLAIN_TERMS = 4
"""A sum of so many terms is written out; a longer one is a reduction (of products: half as many)."""

FEWEST_LOOKED_UP = 8
"""A group whose operands are no affine addresses is looked up in tables if it has so many rows;
with fewer it is written row by row, which needs no tables and is no longer than what was recorded."""


FEWEST_OF_PLAN = 4
"""Rows whose sums take their terms from places that differ too much are looked up row by row."""

MOST_RUNS, FEWEST_IN_RUN = 6, 3
"""A sum is cut into at most so many runs, each (but for the first and last) at least so long; the
addresses of others are looked up."""


FEW, WELL_ROLLED, MANY_NODES = 30, 200, 40_000
"""With more groups than a few, other orders of the groups are tried: as late as possible instead of
as soon, and chain after chain instead of level by level; of many nodes only if they roll badly."""


def roll(listing: Listing) -> Program:
    """The program that computes the listing."""
    forms = _Forms(listing)
    best: tuple[int, Any] | None = None
    for is_late, by_chain in ((False, False), (True, False), (False, True), (True, True)):
        numbered = _Numbering(listing, forms)
        sections: list[list[Flat]] = [[], [], [], []]
        for section, rows in forms.groups(is_late, by_chain):
            sections[section] += numbered.group(rows)
        sections[EACH if not listing.is_batch else AFTER] += numbered.copies()
        folded = [fold(flats) for flats in sections]
        n_items = sum(len(flat.labels) for flats in folded for flat in flats)
        if best is None or n_items < best[0]:
            best = n_items, (folded, numbered.constants, numbered.sizes)
        n_nodes = len(listing.ops)
        if n_items <= FEW or (n_nodes > MANY_NODES and n_items * WELL_ROLLED < n_nodes):
            break
    assert best is not None
    return assembled(listing, *best[1])


# --- sums, trees and groups -----------------------------------------------------------------------


class _Forms:
    """What each expression of the program is made of.

    Attributes:
        spaces: the space where the number of each node stands.
        form: of each root (a node that has an address): an integer, the same for the same form.
        slots: of each root: the nodes that the form is applied to, in order; for a reduction, its
            factors as lists of nodes.
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.ops, self.args, self.sections = listing.ops[:], listing.args[:], listing.sections
        self.dead = bytearray(len(self.ops))
        self.uses = self._uses()
        self.sums: dict[int, list[int]] = {}  # the terms of a sum; ~x for -x
        self.products: set[int] = set()  # sums whose terms after the first are products
        self._find_sums()
        for node in list(self.sums):
            self._finish_sum(node)
        self.absorbed, self.has_reduction = self._find_trees()
        self.fixed: dict[int, int] = {}  # the address in `y` of a node that is a result
        for i, node in enumerate(listing.results):
            if listing.ops[node] not in ("k", "w", "x") and (
                listing.is_batch or self.sections[node] == EACH
            ):
                self.fixed.setdefault(node, i)
        letters = "cvmc"
        self.spaces = [
            op if op in ("k", "w", "x") else letters[section]
            for op, section in zip(self.ops, self.sections, strict=True)
        ]
        for node in self.fixed:
            self.spaces[node] = "y"
            self.absorbed[node] = False
        self.interned: dict[Any, int] = {}
        self.shapes: list[Any] = []
        self.order: list[int] = []  # of each form; those that differ in counts alone share it
        self.orders: dict[Any, int] = {}
        self.bare: dict[Any, Any] = {}
        self.form: dict[int, int] = {}
        self.slots: dict[int, list[Any]] = {}
        self._find_forms()

    def _uses(self) -> list[int]:
        """How often each node is used; what no result needs is dead."""
        uses, args, ops = [0] * len(self.ops), self.args, self.ops
        for node in self.listing.results:
            uses[node] += 1
        for i in reversed(range(len(ops))):
            if not uses[i]:
                self.dead[i] = 1
            elif ops[i] != "k":
                for arg in args[i]:
                    uses[arg] += 1
        return uses

    def _find_sums(self) -> None:
        """Gather chains of additions, each in the list of its last node."""
        ops, args, uses, sections, sums = self.ops, self.args, self.uses, self.sections, self.sums
        products = self.products
        for i, op in enumerate(ops):
            if op not in ("add", "sub", "sum") or self.dead[i]:
                continue
            first, *rest = args[i]
            signed = [~rest[0]] if op == "sub" else rest

            def is_product(x: int, i: int = i) -> bool:
                return ops[x] == "mul" and uses[x] == 1 and sections[x] == sections[i]

            of_products = all(map(is_product, rest))
            for x, terms, kind in (
                (first, signed, of_products),
                (rest[0], [first], is_product(first)) if op == "add" else (first, signed, None),
            ):
                chain = sums.get(x)
                if (
                    chain is not None
                    and uses[x] == 1
                    and sections[x] == sections[i]
                    and kind is (x in products)
                ):
                    del sums[x]
                    self.dead[x] = 1
                    chain += terms
                    of_products = bool(kind)
                    break
            else:
                chain = [first, *signed]
                if op == "add" and is_product(first) and not of_products:
                    chain, of_products = [rest[0], first], True  # x·y + c is c + x·y
            sums[i] = chain
            if of_products:
                products.add(i)

    def _finish_sum(self, i: int) -> None:
        """Write a short sum out as a tree; turn products into the terms of a long one."""
        terms = self.sums[i]
        ops, args, uses = self.ops, self.args, self.uses

        def is_product(x: int) -> bool:
            return ops[x] == "mul" and self.sections[x] == self.sections[i]

        nodes = [x if x >= 0 else ~x for x in terms]
        usable = [is_product(x) for x in nodes]
        alone = sum(uses[x] == 1 for x, ok in zip(nodes, usable, strict=True) if ok)
        if (
            len(terms) > MOST_PLAIN_TERMS // 2
            and all(usable[1:])
            and 2 * alone >= sum(usable)
            and len(set(nodes)) == len(nodes)
            and len(terms) - (not usable[0]) > MOST_PLAIN_TERMS // 2
        ):
            start = 0 if usable[0] else 1
            pairs = [args[x] for x in nodes[start:]]
            for x in nodes[start:]:
                uses[x] -= 1
                if uses[x] == 0:
                    self.dead[x] = 1
                else:  # computed again here
                    for y in args[x]:
                        uses[y] += 1
            ops[i] = "Σ·"
            args[i] = (
                nodes[:start],
                [u for u, _ in pairs],
                [v for _, v in pairs],
                [x < 0 for x in terms[start:]],
            )
        elif len(terms) > MOST_PLAIN_TERMS:
            ops[i] = "Σ"
            args[i] = ([], nodes, None, [x < 0 for x in terms])
        else:
            ops[i] = "+"
            args[i] = tuple(terms)

    def _find_trees(self) -> tuple[list[bool], list[bool]]:
        """Which nodes are part of their only user's expression."""
        ops, args, uses, sections, dead = self.ops, self.args, self.uses, self.sections, self.dead
        n = len(ops)
        absorbed, has_reduction = [False] * n, [False] * n
        calls: list[Any] = [()] * n  # the functions in its tree: none of them a second time, or a
        # recurrence would stand there several turns deep
        size = [1] * n
        for i, op in enumerate(ops):
            if dead[i] or op in ("k", "w", "x"):
                continue
            if op == "dot":
                half = len(args[i]) // 2
                if half > MOST_PLAIN_TERMS // 2:
                    ops[i] = "Σ·"
                    args[i] = ([], args[i][:half], args[i][half:], [False] * half)
                    op = "Σ·"
            if op in ("Σ", "Σ·"):
                has_reduction[i] = True
                inner = args[i][0]
            elif op == "+":
                inner = [x if x >= 0 else ~x for x in args[i]]
            else:
                inner = args[i]
            total, section = 1, sections[i]
            own = () if op in ARITHMETIC else (op,)
            for x in inner:
                if uses[x] == 1 and not dead[x] and ops[x] not in ("k", "w", "x"):
                    same = sections[x] == section
                    mean = section == MEAN and sections[x] == EACH and not has_reduction[x]
                    fits = total + size[x] < MOST_IN_TREE and (not own or op not in calls[x])
                    if (same or mean) and fits:
                        absorbed[x] = True
                        total += size[x]
                        own += calls[x]
                        has_reduction[i] = has_reduction[i] or has_reduction[x]
            size[i], calls[i] = total, own
        for node in self.listing.results:
            absorbed[node] = False
        return absorbed, has_reduction

    def _find_forms(self) -> None:
        ops, absorbed, dead = self.ops, self.absorbed, self.dead
        for i, op in enumerate(ops):
            if dead[i] or absorbed[i] or op in ("k", "w", "x"):
                continue
            slots: list[Any] = []
            shape = self._shape(i, slots)
            form = self.interned.setdefault(shape, len(self.interned))
            if form == len(self.shapes):
                self.shapes.append(shape)
                self.order.append(self.orders.setdefault(self._bare(shape), len(self.orders)))
            self.form[i] = form
            self.slots[i] = slots

    def groups(self, is_late: bool, by_chain: bool) -> list[tuple[int, list[int]]]:
        """The section and the roots of each group, in an order to compute them in.

        A root belongs to the group of its form at its level: how many others must come before it;
        or, as late as possible, how many must come after.
        """
        level = [0] * len(self.ops)
        sections, slots = self.sections, self.slots
        if is_late:
            for i in reversed(slots):
                above = level[i] - 1
                for slot in slots[i]:
                    for factor in ((slot,),) if type(slot) is int else slot:
                        for x in factor:
                            if level[x] > above and sections[x] == sections[i]:
                                level[x] = above
        else:
            for i, of_root in slots.items():
                deepest = -1
                for slot in of_root:
                    if type(slot) is int:
                        deepest = max(deepest, level[slot])
                    else:
                        for factor in slot:
                            deepest = max(deepest, max(map(level.__getitem__, factor)))
                level[i] = deepest + 1
        found: dict[tuple[int, int, int, str], list[int]] = {}
        for i, form in self.form.items():
            section = sections[i]
            key = (section, 0 if section == MEAN else level[i], form, self.spaces[i])
            rows = found.get(key)
            if rows is None:
                found[key] = [i]
            else:
                rows.append(i)

        def in_order(item: tuple[tuple[int, int, int, str], list[int]]) -> tuple[Any, ...]:
            (section, level, form, space), rows = item
            return section, level, self.order[form], space, rows[0]

        groups = [(key[0], rows) for key, rows in sorted(found.items(), key=in_order)]
        return self._by_chain(groups) if by_chain else groups

    def _by_chain(self, groups: list[tuple[int, list[int]]]) -> list[tuple[int, list[int]]]:
        """The same groups, in an order in which each comes soon after those it needs."""
        group_of = {row: g for g, (_, rows) in enumerate(groups) for row in rows}
        needs: list[set[int]] = [set() for _ in groups]
        for row, g in group_of.items():
            for slot in self.slots[row]:
                for factor in ((slot,),) if type(slot) is int else slot:
                    needs[g].update(group_of[x] for x in factor if x in group_of)
        users: list[list[int]] = [[] for _ in groups]
        missing = []
        for g, needed in enumerate(needs):
            needed.discard(g)
            missing.append(len(needed))
            for x in needed:
                users[x].append(g)
        ready = [g for g in reversed(range(len(groups))) if not missing[g]]
        order = []
        while ready:
            g = ready.pop()
            order.append(groups[g])
            for user in reversed(users[g]):
                missing[user] -= 1
                if not missing[user]:
                    ready.append(user)
        return sorted(order, key=lambda group: group[0])

    def _shape(self, i: int, slots: list[Any]) -> Any:
        """The form of a node's expression; appends what it is applied to."""
        op, args = self.ops[i], self.args[i]
        if op == "mean":
            return self._part(args[0], slots)
        if op in ("Σ", "Σ·"):
            first, u, v, negative = args
            start = self._part(first[0], slots) if first else None
            spaces = self.spaces
            if v is None:
                slots.append((u,))
                classes = tuple(zip(negative, map(spaces.__getitem__, u)))
            else:
                pairs = [
                    (x, y) if RANK[spaces[x]] <= RANK[spaces[y]] else (y, x)
                    for x, y in zip(u, v, strict=True)
                ]
                u, v = [x for x, _ in pairs], [y for _, y in pairs]
                slots.append((u, v))
                get = spaces.__getitem__
                classes = tuple(zip(negative, map(get, u), map(get, v)))
            return ("Σ", start, self._intern_classes(classes))
        if op == "+":
            shape = None
            for x in args if args[0] >= 0 else args:
                node = x if x >= 0 else ~x
                part = self._part(node, slots)
                if shape is None:
                    shape = part
                else:
                    shape = ("sub" if x < 0 else "add", shape, part)
            return shape
        if op == "dot":  # of one or two products
            half = len(args) // 2
            shape = None
            for x, y in zip(args[:half], args[half:], strict=True):
                x, y = self._ordered(x, y)
                product = ("mul", self._part(x, slots), self._part(y, slots))
                shape = product if shape is None else ("add", shape, product)
            return shape
        if op == "mul":
            args = self._ordered(*args)
        return (op, *[self._part(x, slots) for x in args])

    def _ordered(self, x: int, y: int) -> tuple[int, int]:
        """The factors, in an order that does not depend on how they were written."""
        rank = RANK[self.spaces[x]] + self.absorbed[x], RANK[self.spaces[y]] + self.absorbed[y]
        return (y, x) if rank[0] > rank[1] else (x, y)

    def _part(self, x: int, slots: list[Any]) -> Any:
        if self.absorbed[x]:
            return self._shape(x, slots)
        slots.append(x)
        return self.spaces[x]

    def _bare(self, shape: Any) -> Any:
        """The form without the number of terms of its sums, so that a loop may change it."""
        if isinstance(shape, str) or shape is None:
            return shape
        found = self.bare.get(shape)
        if found is None:
            parts = shape[1:2] if shape[0] == "Σ" else shape[1:]
            found = self.bare[shape] = (shape[0], *[self._bare(part) for part in parts])
        return found

    def _intern_classes(self, classes: tuple[Any, ...]) -> tuple[Any, ...]:
        """(class, count) for terms of one class, as in almost every sum; else all of them."""
        first = classes[0]
        return (first, len(classes)) if classes.count(first) == len(classes) else classes


RANK = {space: 2 * i for i, space in enumerate("kwcmyxv")}
"""In a product the factor comes first that varies less."""


# --- addresses ------------------------------------------------------------------------------------


class _Numbering:
    """Gives every row its address, group by group, and describes the operands by strides.

    Attributes:
        constants: the numbers of `k`; each place where a constant is read has its own.
        sizes: how many addresses each space has.
    """

    def __init__(self, listing: Listing, forms: _Forms) -> None:
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
            spaces = slot_spaces(shape)
            sums = [q for q, slot_space in enumerate(spaces) if slot_space is None]
            single = ("group", 0, space, forms._bare(shape), ())
            found = shape, spaces, sums, single, "bt" * (1 + len(spaces))
            self._known[form, space] = found
        shape, spaces, sums, single, kinds = found
        if len(rows) == 1 and not sums:
            return (self._row(rows[0], space, spaces, single, kinds),)
        slots = [forms.slots[row] for row in rows]
        if not sums:
            return self._affine(rows, shape, space, slots, spaces, {})
        return self._with_sums(rows, shape, space, slots, spaces, sums)

    def _row(
        self, row: int, space: str, spaces: Sequence[str | None], shape: Any, kinds: str
    ) -> Flat:
        """A group of one row without sums, as most are of a long computation."""
        address = self.address
        address[row] = target = self._new(space, 1) if space != "y" else self.forms.fixed[row]
        ints = [target, 0]
        for x, slot_space in zip(self.forms.slots[row], spaces, strict=True):
            ints += (self._constants([x]) if slot_space == "k" else address[x], 0)
        return Flat(shape, kinds, tuple(ints), (self.listing.labels.get(row, ""),))

    def _with_sums(
        self,
        rows: list[int],
        shape: Any,
        space: str,
        slots: list[list[Any]],
        spaces: Sequence[str | None],
        sums: list[int],
    ) -> Iterator[Flat]:
        """Groups of rows whose sums have the same runs each."""
        by_plan: dict[Any, list[int]] = {}
        memo: dict[Any, Any] = {}
        for r in range(len(rows)):
            key = []
            for q in sums:
                key.append(self._runs(slots[r][q], sum_classes(shape, q), memo))
            by_plan.setdefault(tuple(key), []).append(r)
        is_uniform = all(type(sum_classes(shape, q)[1]) is int for q in sums)
        if is_uniform and len(by_plan) > 1 and len(rows) < FEWEST_OF_PLAN * len(by_plan):
            plan = [((0, sum_classes(shape, q)[1], 1, None),) for q in sums]
            by_plan = {tuple(plan): list(range(len(rows)))}
        for key, members in by_plan.items():
            plans = dict(zip(sums, key, strict=True))
            yield from self._affine(
                [rows[r] for r in members],
                shape,
                space,
                [slots[r] for r in members],
                spaces,
                plans,
            )

    def _runs(self, factors: tuple[Sequence[int], ...], classes: Any, memo: Any) -> Any:
        """How the terms of a sum follow each other: (start, turns, period, steps or tables) each."""
        address, spaces = self.address, self.forms.spaces
        columns = [list(map(address.__getitem__, factor)) for factor in factors]
        T = len(columns[0])
        steps = tuple(tuple(map(sub, column[1:], column)) for column in columns)
        key = (classes, steps)
        if key not in memo:
            memo[key] = _runs(classes, columns, steps, T)
        return memo[key]

    def _affine(
        self,
        rows: list[int],
        shape: Any,
        space: str,
        slots: list[list[Any]],
        spaces: Sequence[str | None],
        plans: dict[int, Any],
    ) -> Iterator[Flat]:
        """Groups of rows whose sums have the same runs."""
        address, m = self.address, len(rows)
        columns: list[list[int]] = []  # of addresses, one for each operand that is no constant
        for q in range(len(slots[0])):
            if q in plans:
                at = [
                    start
                    for start, _, period, steps in plans[q]
                    if steps is not None
                    for start in range(start, start + period)
                ]
                for start in at:
                    for c in range(len(slots[0][q])):
                        if spaces_of(shape, q, start)[c] != "k":
                            columns.append([address[slot[q][c][start]] for slot in slots])
            elif spaces[q] != "k":
                columns.append([address[slot[q]] for slot in slots])
        fixed = [self.forms.fixed[row] for row in rows] if space == "y" else None
        order, segments = _nest_in_best_order(columns, fixed, m)
        if order is not None:
            rows = [rows[r] for r in order]
            slots = [slots[r] for r in order]
            columns = [[column[r] for r in order] for column in columns]
            fixed = [fixed[r] for r in order] if fixed else None
        if fixed is None:
            start = self._new(space, m)
            targets: Sequence[int] = range(start, start + m)
        else:
            targets = fixed
        for row, target in zip(rows, targets, strict=True):
            address[row] = target
        if len(segments) > max(3, m // 6):
            segments = (
                [(0, (m,), None)] if m >= FEWEST_LOOKED_UP else [(r, (), ()) for r in range(m)]
            )
        for start, dims, strides in segments:
            yield self._flat(
                shape, space, plans, rows, slots, columns, targets, start, dims, strides
            )

    def _flat(
        self,
        shape: Any,
        space: str,
        plans: dict[int, Any],
        rows: list[int],
        slots: list[list[Any]],
        columns: list[list[int]],
        targets: Sequence[int],
        start: int,
        dims: tuple[int, ...],
        strides: Any,
    ) -> Flat:
        n = len(dims)
        size = 1
        for d in dims:
            size *= d
        kinds, ints = ["p" * n], list(dims)
        row_strides = []
        size_ = size
        for d in dims:
            size_ //= d
            row_strides.append(size_)

        def described(column: Sequence[int], q: int | None) -> tuple[Any, ...]:
            """base, table, strides of the segment's rows."""
            if strides is not None:
                return (column[start], 0, *[s[q] for s in strides]) if q is not None else None
            here = column[start : start + size]
            step = here[1] - here[0]
            if all(
                map(
                    int.__eq__,
                    here,
                    range(here[0], here[0] + step * size, step) if step else repeat(here[0]),
                )
            ):
                return here[0], 0, step
            return here[0], Table(tuple(a - here[0] for a in here), (1,)), 0

        def operand(values: tuple[Any, ...]) -> None:
            kinds.append("bt" + "p" * (len(values) - 2))
            ints.extend(values)

        n_columns = len(columns)
        if strides is not None:
            operand((targets[start], 0, *[s[n_columns] for s in strides]))
        else:
            operand(described(targets, None))
        at = 0
        for q, spc in enumerate(slot_spaces(shape)):
            if q not in plans:
                if spc == "k":
                    base = self._constants([slots[r][q] for r in range(start, start + size)])
                    operand((base, 0, *row_strides))
                else:
                    operand(described(columns[at], at))
                    at += 1
                continue
            for first, turns, period, steps in plans[q]:
                kinds.append("p")
                ints.append(turns)
                for k in range(period):
                    for c, spc in enumerate(spaces_of(shape, q, first + k)):
                        if spc == "k":
                            nodes = [
                                slots[r][q][c][t]
                                for r in range(start, start + size)
                                for t in range(first + k, first + turns * period, period)
                            ]
                            operand(
                                (self._constants(nodes), 0, *[s * turns for s in row_strides], 1)
                            )
                            continue
                        if steps is None:  # each row has terms of its own
                            values = [
                                self.address[y]
                                for slot in slots[start : start + size]
                                for y in slot[q][c]
                            ]
                            rows_at = tuple(range(0, size * turns, turns))
                            offsets = Table(rows_at, tuple(row_strides)) if n else None
                            relative = tuple([x - values[0] for x in values])
                            table = Table(relative, (0,) * n + (1,), offsets)
                            operand((values[0], table, *[0] * (n + 1)))
                            continue
                        step = steps[k][c]
                        base, table, *rest = described(columns[at], at)
                        at += 1
                        if type(step) is int:
                            operand((base, table, *rest, step))
                        elif table == 0:
                            operand((base, Table(step, (0,) * n + (1,)), *rest, 0))
                        else:
                            values = tuple(a + b for a in table.values for b in step)
                            operand((base, Table(values, (len(step), 1)), *rest, 0))
        runs = tuple(
            tuple((p, classes_of(shape, q, f, p)) for f, _, p, _ in plans[q]) for q in plans
        )
        label = self._label(rows[start : start + size])
        shape = self.forms._bare(shape)
        return Flat(("group", n, space, shape, runs), "".join(kinds), tuple(ints), (label,))

    def _constants(self, nodes: list[int]) -> int:
        base = self._new("k", len(nodes))
        args = self.listing.args
        self.constants.extend([args[node] for node in nodes])
        return base

    def _label(self, rows: list[int]) -> str:
        labels = [self.listing.labels[row] for row in rows if row in self.listing.labels]
        return (
            ""
            if not labels
            else labels[0]
            if len(set(labels)) == 1
            else f"{labels[0]} … {labels[-1]}"
        )

    def copies(self) -> Iterator[Flat]:
        """Groups that write those results which stand elsewhere."""
        forms, listing = self.forms, self.listing
        rest: dict[str, list[int]] = {}
        for i, node in enumerate(listing.results):
            if forms.fixed.get(node) != i:
                rest.setdefault(forms.spaces[node], []).append(i)
        for space, places in rest.items():
            nodes = [listing.results[i] for i in places]
            columns = [] if space == "k" else [[self.address[node] for node in nodes]]
            for start, dims, strides in _nest([*columns, places], len(places)):
                yield self._flat(
                    space,
                    "y",
                    {},
                    nodes,
                    [[node] for node in nodes],
                    columns,
                    places,
                    start,
                    dims,
                    strides,
                )


def slot_spaces(shape: Any) -> list[str | None]:
    """The space of each slot of a form; None for a reduction."""
    found: list[str | None] = []
    _walk(shape, found)
    return found


def _walk(shape: Any, found: list[Any]) -> None:
    if isinstance(shape, str):
        found.append(shape)
    elif shape[0] == "Σ":
        if shape[1] is not None:
            _walk(shape[1], found)
        found.append(None)
    else:
        for part in shape[1:]:
            _walk(part, found)


def sum_classes(shape: Any, q: int) -> Any:
    """The classes of the terms of the reduction in slot q."""
    found: list[Any] = []
    _walk_classes(shape, found)
    return found[q]


def _walk_classes(shape: Any, found: list[Any]) -> None:
    if isinstance(shape, str):
        found.append(None)
    elif shape[0] == "Σ":
        if shape[1] is not None:
            _walk_classes(shape[1], found)
        found.append(shape[2])
    else:
        for part in shape[1:]:
            _walk_classes(part, found)


def spaces_of(shape: Any, q: int, term: int) -> tuple[str, ...]:
    """The spaces of the factors of a term."""
    return _class_of(sum_classes(shape, q), term)[1:]


def classes_of(shape: Any, q: int, first: int, period: int) -> tuple[Any, ...]:
    classes = sum_classes(shape, q)
    return tuple(_class_of(classes, first + k) for k in range(period))


def _class_of(classes: Any, term: int) -> Any:
    return classes[0] if type(classes[1]) is int else classes[term]


def _runs(classes: Any, columns: list[list[int]], steps: Any, T: int) -> Any:
    """Runs of terms that cover the sum: tuples (start, turns, period, steps)."""
    uniform = type(classes[1]) is int
    if uniform and all(len(set(column)) <= 1 for column in steps):
        return ((0, T, 1, (tuple(column[0] if column else 0 for column in steps),)),)
    d = list(zip(*steps, strict=True))
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
    if at >= T and min(lengths[1:-1] + [max(lengths)]) >= FEWEST_IN_RUN:
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
    for a, b in zip(bounds, bounds[1:], strict=False):
        tables = []
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
    """Segments that cover the rows in order, each a box of indices in which all columns are affine."""
    if m == 1:
        return [(0, (), ())]
    whole = _box(columns, m)
    if whole is not None:
        return [(0, *whole)]
    rows = list(zip(*columns, strict=True))
    steps = [tuple(map(sub, b, a)) for a, b in zip(rows, rows[1:], strict=False)]
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
    """Dims and strides if all rows are one box."""
    if m == 1:
        return (), ()
    strides = tuple(column[1] - column[0] for column in columns)
    inner = m
    for column, step in zip(columns, strides, strict=True):
        expected = range(column[0], column[0] + step * inner, step) if step else repeat(column[0])
        for at, (a, b) in enumerate(zip(column[:inner], expected)):
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
