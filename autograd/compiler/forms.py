"""What each expression of a program is made of, and which expressions belong together.

Chains of additions become sums, what is used once goes into its user, and what has one form and can
be computed at the same time is a group.
"""

from __future__ import annotations

from typing import Any

from autograd.compiler.trace import EACH, MEAN, Listing

MOST_IN_TREE = 14
"""How many operations an expression has at most."""

MOST_PLAIN_TERMS = 4
"""A sum of so many terms is written out, a longer one a reduction; of products, half as many."""

ARITHMETIC = frozenset("add sub mul div neg + Σ Σ· dot mean where lt le gt ge".split())  # noqa: SIM905
"""What may stand in an expression several times; a function, such as sin, stands there once."""

RANK = {space: 2 * i for i, space in enumerate("kwcmyxv")}
"""In a product the factor comes first that varies less."""


class Forms:
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
            section = sections[i]
            are_products = [
                ops[x] == "mul" and uses[x] == 1 and sections[x] == section for x in args[i]
            ]
            first, *rest = args[i]
            signed = [~rest[0]] if op == "sub" else rest
            # x + (chain) is (chain) + x; and x·y + c is c + x·y
            ways = [(first, signed, all(are_products[1:]))]
            if op == "add":
                ways.append((rest[0], [first], are_products[0]))
            for x, terms, of_products in ways:
                chain = sums.get(x)
                if (
                    chain is not None
                    and uses[x] == 1
                    and sections[x] == section
                    and of_products is (x in products)
                ):
                    del sums[x]
                    self.dead[x] = 1
                    chain += terms
                    break
            else:
                _, _, of_products = ways[0]
                chain = [first, *signed]
                if op == "add" and are_products[0] and not of_products:
                    chain, of_products = [rest[0], first], True
            sums[i] = chain
            if of_products:
                products.add(i)

    def _finish_sum(self, i: int) -> None:
        """Write a short sum out as a tree; turn products into the terms of a long one."""
        terms = self.sums[i]
        ops, args, uses = self.ops, self.args, self.uses
        if len(terms) <= MOST_PLAIN_TERMS // 2:
            ops[i] = "+"
            args[i] = tuple(terms)
            return

        def is_product(x: int) -> bool:
            return ops[x] == "mul" and self.sections[x] == self.sections[i]

        nodes = [x if x >= 0 else ~x for x in terms]
        usable = [is_product(x) for x in nodes]
        alone = sum(uses[x] == 1 for x, ok in zip(nodes, usable, strict=True) if ok)
        if (
            all(usable[1:])
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
            if ops[i] in ("Σ", "Σ·"):
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
                self.order.append(self.orders.setdefault(self.bare_shape(shape), len(self.orders)))
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
                            deepest = max(deepest, *map(level.__getitem__, factor))
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
                classes: Any = tuple(zip(negative, map(spaces.__getitem__, u), strict=True))
            else:
                pairs = [
                    (x, y) if RANK[spaces[x]] <= RANK[spaces[y]] else (y, x)
                    for x, y in zip(u, v, strict=True)
                ]
                u, v = [x for x, _ in pairs], [y for _, y in pairs]
                slots.append((u, v))
                get = spaces.__getitem__
                classes = tuple(zip(negative, map(get, u), map(get, v), strict=True))
            return ("Σ", start, self._intern_classes(classes))
        if op == "+":
            shape = self._part(args[0], slots)
            for x in args[1:]:
                part = self._part(x if x >= 0 else ~x, slots)
                shape = ("sub" if x < 0 else "add", shape, part)
            return shape
        if op == "dot":  # of one or two products
            half = len(args) // 2
            shape = None
            for pair in zip(args[:half], args[half:], strict=True):
                x, y = self._ordered(*pair)
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

    def bare_shape(self, shape: Any) -> Any:
        """The form without the number of terms of its sums, so that a loop may change it."""
        if isinstance(shape, str) or shape is None:
            return shape
        found = self.bare.get(shape)
        if found is None:
            parts = shape[1:2] if shape[0] == "Σ" else shape[1:]
            found = self.bare[shape] = (shape[0], *[self.bare_shape(part) for part in parts])
        return found

    def _intern_classes(self, classes: tuple[Any, ...]) -> tuple[Any, ...]:
        """(class, count) for terms of one class, as in almost every sum; else all of them."""
        first = classes[0]
        return (first, len(classes)) if classes.count(first) == len(classes) else classes


# --- what stands in a form ------------------------------------------------------------------------


def slots_of(shape: Any) -> list[Any]:
    """For each slot of a form, from left to right: its space, or the classes of a sum's terms."""
    if isinstance(shape, str):
        return [shape]
    if shape[0] == "Σ":
        return [*(slots_of(shape[1]) if shape[1] is not None else ()), shape[2]]
    return [slot for part in shape[1:] for slot in slots_of(part)]


def class_of(classes: Any, term: int) -> Any:
    """Whether a term is negative, and the spaces of its factors."""
    return classes[0] if type(classes[1]) is int else classes[term]
