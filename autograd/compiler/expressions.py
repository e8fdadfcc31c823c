"""Expression fusion: operations become expression trees, and trees of one form are identified.

A chain of additions becomes one sum, with the products in it as its terms; an operation that is
used once becomes part of the expression that uses it. What remains has an address: the *roots*.
Two roots have the same *form* if their expressions differ in nothing but what they are applied to.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograd.compiler.lowering import (
    ADD,
    ARITHMETIC,
    DOT,
    EACH,
    INPUT,
    KNOWN,
    MEAN_OF,
    MUL,
    POW,
    SUB,
    SUM,
    Tape,
)
from autograd.compiler.ragged import Integers, combined, distinct, offsets, ranges

MOST_IN_TREE = 14
"""How many operations an expression has at most. With 7 random programs have 14 % more groups, with
28 2 % fewer, on longer lines; without a limit, passes over expressions would recur too deep."""

MOST_PLAIN_TERMS = 4
"""A sum of so many terms, or products, is written out; a longer one is a reduction. With 2 random
programs have 16 % more groups, the tables of a GPT 1.9 times the size; with 8 the gradient of a
Gaussian process has 131 groups in place of 76."""

SPACES = "kwcmyxv"
"""The spaces of a program."""

CHEAP = ARITHMETIC | {*KNOWN[:POW], "Σ"}
"""Operations that may occur several times in an expression. Any other function occurs once on each
path to the root, or a recurrence would be unrolled within an expression: 50 steps of sin(s)/2 + x
are a loop of one line, and would be a loop over three long ones."""


class Expressions:
    """A tape whose sums and trees of operations are fused into expressions.

    Attributes:
        names: the operation of each code in `op`.
        op, section: of each node, as on the tape.
        arg, start: the operands of each node, compressed. For a reduction: the first term unless it
            is a product; then all terms, or all first factors and all second factors.
        roots: the nodes that have an address, ascending.
        spaces: the spaces of the program, then those of `blocks`, which are computed elsewhere.
        space: for each node the space of its number, as an index into `spaces`.
        form: for each root an index into `shapes`.
        shapes: forms as nested tuples (operation, part, …), where a part is a form or a space. A
            reduction is ("Σ", first part or None, runs). A run adds terms of the same classes in
            each iteration: (number of iterations, classes). A class is (whether the term is
            subtracted, the space of each factor).
        slots, slot_start: the operands of each expression, compressed, in the order of its form.
    """

    def __init__(self, tape: Tape) -> None:
        self.names = [*tape.names, "Σ"]
        self.reduction = len(tape.names)
        self.op, self.section = tape.op, tape.section
        self.results = tape.results
        self.arg, self.start = tape.arg.copy(), tape.start
        self.find_uses(np.ones(len(self.op), bool))
        self.find_sums()
        self.absorb()
        letters = np.array([SPACES.index(x) for x in "kwxcvmc"])
        self.space = letters[np.where(self.op <= INPUT, self.op, INPUT + 1 + self.section)]
        self.space[self.results] = SPACES.index("y")
        self.spaces = [*SPACES, *tape.blocks]
        self.blocks = tape.blocks
        for i, (nodes, _) in enumerate(tape.blocks.values(), len(SPACES)):
            self.space[nodes] = i
        self.find_forms()
        self.find_slots()
        for name in ("arg", "start", "owner", "place", "uses", "live", "minus", "n_terms"):
            delattr(self, name)  # columns as long as the tape, which nobody needs any more

    def find_uses(self, live: Any) -> None:
        """Count the uses of each node, and find the nodes that no result depends on."""
        n = len(self.op)
        self.owner = np.repeat(np.arange(n), np.diff(self.start))  # of each operand
        self.place = np.arange(len(self.arg)) - self.start[self.owner]
        uses = np.bincount(self.arg[live[self.owner]], minlength=n)
        uses += np.bincount(self.results, minlength=n)
        dead = np.flatnonzero(live & (uses == 0) & (self.op > INPUT))
        while len(dead):  # and what they alone use
            live[dead] = False
            freed = self.arg[ranges(self.start[dead], self.start[dead + 1] - self.start[dead])]
            np.subtract.at(uses, freed, 1)
            freed = np.unique(freed)
            dead = freed[live[freed] & (uses[freed] == 0) & (self.op[freed] > INPUT)]
        self.live, self.uses = live, uses

    def find_chains(self) -> tuple[Integers, Integers, Integers]:
        """Find chains of additions and subtractions, such as x + y + z.

        A sum continues a chain if it is its only user. From the second term on a chain has
        either products that it alone uses, or other terms. Where that makes it longer, x + chain
        becomes chain + x, and x·y + z becomes z + x·y; additions are never regrouped, so that no
        bit changes.

        Returns for each node whether it is a sum, whether it continues the chain of its first
        operand, and the last sum of its chain.
        """
        op, arg, start, owner, place = self.op, self.arg, self.start, self.owner, self.place
        n = len(op)
        is_sum = self.live & ((op == ADD) | (op == SUB) | (op == SUM))
        fusible = (self.uses[arg] == 1) & (self.section[arg] == self.section[owner])
        is_link = fusible & is_sum[arg]
        is_product = fusible & (op[arg] == MUL)
        others = is_sum[owner] & (place > 0) & ~is_product
        adds_products = np.bincount(owner[others], minlength=n) == 0
        of_products = adds_products.copy()  # from the second term on, in the chain as a whole
        add = np.flatnonzero(self.live & (op == ADD))
        x, y = start[add], start[add] + 1
        of_products[add] |= is_product[x]

        joins = np.zeros(n, bool)
        sums = np.flatnonzero(is_sum)
        first = start[sums]
        joins[sums] = is_link[first] & (of_products[arg[first]] == adds_products[sums])
        by_second = ~joins[add] & is_link[y] & (of_products[arg[y]] == is_product[x])
        swapped = by_second | (~joins[add] & is_product[x] & ~is_product[y])
        joins[add] |= by_second
        x, y = x[swapped], y[swapped]
        arg[x], arg[y] = arg[y], arg[x]

        last = np.arange(n)
        last[arg[start[:-1][joins]]] = np.flatnonzero(joins)
        while (last != (further := last[last])).any():  # pointer doubling
            last = further
        return is_sum, joins, last

    def find_sums(self) -> None:
        """Turn each long chain of sums, and each long dot product, into one reduction."""
        is_sum, joins, last = self.find_chains()
        op, arg, start, owner, place = self.op, self.arg, self.start, self.owner, self.place
        n = len(op)
        # the terms of all chains, those of a chain together and in order
        e = np.flatnonzero(is_sum[owner] & ~(joins[owner] & (place == 0)))
        e = e[np.argsort(last[owner[e]], kind="stable")]
        chain, term, minus = last[owner[e]], arg[e], (op[owner[e]] == SUB) & (place[e] > 0)
        is_product = (op[term] == MUL) & (self.section[term] == self.section[chain])
        heads, at = np.unique(chain, return_index=True)
        count = np.bincount(chain, minlength=n)
        n_products = np.bincount(chain[is_product], minlength=n)
        n_alone = np.bincount(chain[is_product & (self.uses[term] == 1)], minlength=n)
        start_alone = np.zeros(n, np.int64)  # 1 where the first term is no product
        start_alone[heads] = ~is_product[at]
        of_products = (n_products + start_alone == count) & (2 * n_alone >= n_products)
        of_products &= n_products > MOST_PLAIN_TERMS
        is_long = of_products | (count > MOST_PLAIN_TERMS)
        n_args = np.diff(start)
        dots = np.flatnonzero(self.live & (op == DOT) & (n_args > 2 * MOST_PLAIN_TERMS))
        self.n_first = np.where(of_products, start_alone, 0)
        self.n_terms = np.where(of_products, n_products, np.where(is_long, count, 0))
        self.n_terms[dots] = n_args[dots] // 2

        new_start = offsets(
            np.where(is_long, self.n_first + self.n_terms * (1 + of_products), n_args)
        )
        new_arg, self.minus = np.empty(new_start[-1], np.int64), np.zeros(new_start[-1], bool)
        kept = ~is_long[owner]
        new_arg[new_start[owner[kept]] + place[kept]] = arg[kept]
        to = new_start[chain] + np.arange(len(e)) - np.repeat(at, count[heads])
        plain = is_long[chain] & ~(is_product & of_products[chain])
        new_arg[to[plain]], self.minus[to[plain]] = term[plain], minus[plain]
        pairs = is_product & of_products[chain]
        x, to = start[term[pairs]], to[pairs]
        new_arg[to], new_arg[to + self.n_terms[chain[pairs]]] = arg[x], arg[x + 1]
        self.minus[to] = minus[pairs]
        self.arg, self.start = new_arg, new_start
        self.op = np.where(self.n_terms > 0, self.reduction, op)
        self.find_uses(self.live & ~(is_sum & is_long[last] & (last != np.arange(n))))

    def absorb(self) -> None:
        """Fuse nodes that are used once into the expression of their user, users first."""
        op, arg, owner, n = self.op, self.arg, self.owner, len(self.op)
        fits = (op[owner] != self.reduction) | (self.place < self.n_first[owner])
        fits &= (self.section[owner] == self.section[arg]) | (
            (op[owner] == MEAN_OF) & (self.section[arg] == EACH)
        )
        fits &= self.live[owner] & (self.uses[arg] == 1) & (op[arg] > INPUT)
        bits = [0 if name in CHEAP else 1 << i for i, name in enumerate(self.names)]
        barred = bits[:]
        barred[MEAN_OF] = bits[self.reduction] = 1  # a mean over the examples holds no reduction
        code, root, above = op.data, np.arange(n).data, [barred[x] for x in op.tolist()]
        size, depth = [1] * n, [0] * n
        edges = np.flatnonzero(fits)[::-1]
        for x, user in zip(arg[edges].tolist(), owner[edges].tolist(), strict=True):
            target = root[user]
            if size[target] < MOST_IN_TREE and not above[user] & bits[code[x]]:
                root[x], depth[x] = target, depth[user] + 1
                above[x] |= above[user]
                size[target] += 1
        self.depth = np.array(depth)
        self.absorbed = self.depth > 0
        self.roots = np.flatnonzero(self.live & ~self.absorbed & (self.op > INPUT))

    def find_forms(self) -> None:
        """Find the form of each node, its expression without addresses; innermost parts first."""
        arg, start = self.arg, self.start
        n_parts = np.where(self.op == self.reduction, self.n_first, np.diff(start))
        key = np.where(self.op == self.reduction, len(self.names) + self.find_patterns(), self.op)
        self.form = np.zeros(len(self.op), np.int64)
        self.shapes: list[Any] = []
        known: dict[Any, int] = {}
        for depth in range(int(self.depth.max(initial=0)), -1, -1):
            nodes = np.flatnonzero(self.depth == depth) if depth else self.roots
            mine, parts = key[nodes], n_parts[nodes]
            for j in range(parts.max(initial=0)):
                column = np.zeros(len(nodes), np.int64)
                has = parts > j
                x = arg[start[nodes[has]] + j]
                kind = np.where(self.absorbed[x], len(self.spaces) + self.form[x], self.space[x])
                column[has] = 1 + kind
                mine = combined(mine, column)
            first, which = distinct(mine)
            forms = [
                known.setdefault(self.shape(node), len(known)) for node in nodes[first].tolist()
            ]
            self.shapes = list(known)
            self.form[nodes] = np.array(forms, np.int64)[which]

    def shape(self, node: int) -> Any:
        """The form of a node, given the forms of its absorbed operands."""
        a, b = int(self.start[node]), int(self.start[node + 1])
        is_reduction = self.op[node] == self.reduction
        parts = [
            self.shapes[self.form[x]] if self.absorbed[x] else self.spaces[self.space[x]]
            for x in self.arg[a : a + self.n_first[node] if is_reduction else b].tolist()
        ]
        if not is_reduction:
            return (self.names[self.op[node]], *parts)
        count = int(self.n_terms[node])
        a += len(parts)
        factors = self.arg[a:b].reshape(-1, count)
        minus = self.minus[a : a + count].tolist()
        terms = zip(minus, *self.space[factors].tolist(), strict=True)
        classes = [(bool(m), *(self.spaces[x] for x in spaces)) for m, *spaces in terms]
        return ("Σ", parts[0] if parts else None, _runs(classes))

    def find_patterns(self) -> Integers:
        """A number for each node, equal for reductions whose terms have equal classes."""
        pattern = np.zeros(len(self.op), np.int64)
        kind = 2 * self.space[self.arg] + self.minus
        known: dict[Any, int] = {}
        for node in np.flatnonzero(self.live & (self.op == self.reduction)).tolist():
            terms = kind[self.start[node] + self.n_first[node] : self.start[node + 1]]
            key = int(self.n_terms[node]), terms.tobytes()
            pattern[node] = known.setdefault(key, len(known))
        return pattern

    def find_slots(self) -> None:
        """Find the operands of each expression; those of absorbed nodes replace the nodes."""
        n_args = np.diff(self.start)
        slots = self.arg[ranges(self.start[self.roots], n_args[self.roots])]
        counts = n_args[self.roots]
        while (inner := self.absorbed[slots]).any():
            width = np.where(inner, n_args[slots], 1)
            before = offsets(width)
            bounds = offsets(counts)
            counts = before[bounds[1:]] - before[bounds[:-1]]
            spread = np.repeat(slots, width)
            e = np.repeat(inner, width)
            spread[e] = self.arg[ranges(self.start[slots[inner]], n_args[slots[inner]])]
            slots = spread
        self.slots, self.n_slots, self.slot_start = slots, counts, offsets(counts)


def _runs(classes: list[Any]) -> tuple[Any, ...]:
    """The runs of a sum, given the classes of its terms."""
    n = len(classes)
    changes = [i for i in range(1, n) if classes[i] != classes[i - 1]]
    for period in range(2, len(changes) + 1):  # several terms, fewer than there are changes
        if n % period == 0 and classes[:-period] == classes[period:]:
            return ((n // period, tuple(classes[:period])),)
    return tuple([(b - a, (classes[a],)) for a, b in pairwise([0, *changes, n])])
