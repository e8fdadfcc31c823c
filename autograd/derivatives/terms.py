"""Arithmetic for the sparse algorithms: equal operations are recorded once, 0 and 1 simplified.

Three kinds of factors occur: floats, which are multiplied while the graph is built; Values; and the
formulas of `local_partials`. A product has its sign and its number in front, so that equal products
are found, and sums subtract.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial, reduce
from typing import Any, TypeAlias

from autograd import primitives
from autograd.primitives import Primitive

Factor = Any
"""A float, a Value or a formula."""

Entries: TypeAlias = list[tuple[int, int, Factor]]
"""Row, column and value of each structural nonzero of a matrix, row by row."""

ADD, MUL, NEG = primitives.add, primitives.mul, primitives.neg


def is_number(x: Factor, number: float) -> bool:
    """Whether x is this plain number."""
    return type(x) is float and x == number


class Recorder:
    """Records operations, each distinct one once, and simplifies products and sums."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def __call__(self, row: Primitive, *args: Factor) -> Factor:
        """`row` of the operands, or the node that it was recorded as before."""
        key = self.key(row, args)
        found = self._known.get(key)
        if found is None:
            for x in args:
                if type(x) is not float:
                    found = self._known[key] = x.record(row, args)
                    break
        return found

    def known(self, node: Any, args: Sequence[Factor]) -> Any:
        """The first node of this operation on these operands: this one, if they are its own."""
        if all(x is y for x, y in zip(args, node.args, strict=True)):
            return self._known.setdefault(self.key(node.primitive, args), node)
        return self(node.primitive, *args)

    def key(self, row: Primitive, args: Sequence[Factor]) -> Any:
        """A hashable key, equal for operations with the same result."""
        if float in map(type, args):
            args = [_bits(x) if type(x) is float else x for x in args]
        if row is MUL or row is ADD:
            return row, frozenset(args)
        return row, *args

    def product(self, a: Factor, b: Factor) -> Factor:
        """a·b, without an operation for a factor 1 or 0; numbers are multiplied at once."""
        if type(a) is float or type(b) is float:
            x, a = _number_and_rest(a)
            y, b = _number_and_rest(b)
            return self.scaled(x * y, b if a is None else a)
        is_negative = False
        if a.primitive is NEG:
            a, is_negative = a.args[0], True
        if b.primitive is NEG:
            b, is_negative = b.args[0], not is_negative
        if a.primitive is MUL and b.primitive is MUL:
            x, y = a.args[0], b.args[0]
            if type(x) is float and type(y) is float:
                rest = self(MUL, a.args[1], b.args[1])
                return self.scaled(-x * y if is_negative else x * y, rest)
        found = self(MUL, a, b)  # a number in front of one is in a node that is there already
        return self(NEG, found) if is_negative else found

    def scaled(self, number: float, x: Factor) -> Factor:
        """number·x; None for x stands for 1."""
        if x is None or number == 0.0:
            return number
        if number == 1.0:
            return x
        if number == -1.0:
            return self(NEG, x)
        if number < 0.0:
            return self(NEG, self(MUL, -number, x))
        return self(MUL, number, x)

    def total(self, terms: Sequence[Factor]) -> Factor:
        """The sum of one or more terms; equal terms become a multiple of one."""
        if len(terms) == 1:
            return terms[0]
        constant = 0.0
        counts: dict[Factor, float] = {}
        for term in terms:
            sign, x = (-1.0, term.args[0]) if is_negation(term) else (1.0, term)
            if type(x) is float:
                constant += sign * x
            else:
                counts[x] = counts.get(x, 0.0) + sign
        added: list[Factor] = []
        subtracted: list[Factor] = []
        for x, n in counts.items():
            if n != 0.0:
                (added if n > 0.0 else subtracted).append(self.product(abs(n), x))
        if constant != 0.0 or not counts:
            added.append(constant)
        return self._difference(added, subtracted)

    def _difference(self, added: list[Factor], subtracted: list[Factor]) -> Factor:
        if not subtracted:
            return self._sum(added)
        if not added:
            return self(NEG, self._sum(subtracted))
        return self(primitives.sub, self._sum(added), self._sum(subtracted))

    def _sum(self, terms: list[Factor]) -> Factor:
        if len(terms) < 2:
            return terms[0] if terms else 0.0
        return self(ADD if len(terms) == 2 else primitives.sum, *terms)


def is_negation(x: Factor) -> bool:
    """Whether x is a negation."""
    return type(x) is not float and x.primitive is NEG


def _number_and_rest(x: Factor) -> tuple[float, Factor]:
    """The numeric coefficient of a product, and the rest of the product, None if there is none."""
    if type(x) is float:
        return x, None
    if x.primitive is NEG:
        number, rest = _number_and_rest(x.args[0])
        return -number, rest
    if x.primitive is MUL and type(x.args[0]) is float:
        number, rest = x.args
        return number, rest
    return 1.0, x


def _bits(x: float) -> Any:
    """A key for a number: 0.0 is not -0.0, and nan is nan."""
    return x if x and x == x else (float, str(x), math.copysign(1.0, x))  # noqa: PLR0124


def _is_second_arm(condition: Factor) -> bool:
    """Whether it is the condition for the second arm of a selection, `where(first, 0, 1)`."""
    is_where = condition.primitive is primitives.where
    return is_where and all(map(is_number, condition.args[1:], (0.0, 1.0)))


MOST_CONDITIONS = 8
"""More conditions of one term become their conjunction: a function of 300 pieces, each of which is
selected by a comparison of its own, would take twenty times as long."""


class Term:
    """A factor of paths through the graph, and the conditions under which they are selected.

    The conditions are applied last, to the product of a whole path: one that is not selected then
    contributes 0, even where a factor further on is nan or infinite.

    Attributes:
        value: the factor, of any value where the paths are not selected.
        selected: the conditions, none of which is 0 where the paths are selected.
    """

    __slots__ = ("selected", "value")

    def __init__(self, value: Factor, selected: tuple[Factor, ...] = ()) -> None:
        self.value = value
        self.selected = selected


class Terms:
    """Products and sums of terms."""

    def __init__(self, record: Recorder) -> None:
        self.record = record

    def product(self, a: Term, b: Term) -> Term:
        """The product of the partials of two edges in sequence, selected only if both are."""
        value = self.record.product(a.value, b.value)
        selected = tuple(dict.fromkeys(a.selected + b.selected)) if b.selected else a.selected
        if len(selected) > MOST_CONDITIONS:
            selected = (self._joined(primitives.logical_and, selected),)
        return Term(value, selected)

    def total(self, terms: Sequence[Term]) -> Term:
        """The sum of the terms of several paths."""
        if len(terms) == 1:
            return terms[0]
        groups: dict[Any, list[Term]] = {}  # by their conditions
        for term in terms:
            groups.setdefault(frozenset(term.selected), []).append(term)
        self._join_arms(groups)
        parts = list(map(self._sum, groups.values()))
        if len(parts) == 1:
            return parts[0]
        value = self.record.total(list(map(self.number, parts)))
        if not all(part.selected for part in parts):
            return Term(value)
        return Term(value, (self._joined(primitives.logical_or, map(self._condition, parts)),))

    def _sum(self, same: Sequence[Term]) -> Term:
        """The sum of terms with the same conditions."""
        return Term(self.record.total([term.value for term in same]), same[0].selected)

    def _join_arms(self, groups: dict[Any, list[Term]]) -> None:
        """Join groups that differ only in the arm of one selection into one term, in place."""
        left = sorted([same[0].selected for same in groups.values()], key=len)
        while left:
            conditions = left.pop()
            for arm in filter(_is_second_arm, conditions):
                rest = tuple([c for c in conditions if c is not arm])
                keys = frozenset([arm.args[0], *rest]), frozenset(conditions)
                if all(key in groups for key in keys):
                    x, y = (self._sum(groups.pop(key)).value for key in keys)
                    term = Term(self.record(primitives.where, arm.args[0], x, y), rest)
                    groups.setdefault(frozenset(rest), []).append(term)
                    left.append(rest)
                    break

    def number(self, term: Term) -> Factor:
        """The contribution of the term: its value if its path is selected, else 0."""
        if not term.selected or is_number(term.value, 0.0):
            return term.value
        return self.record(primitives.where, self._condition(term), term.value, 0.0)

    def entries(self, found: dict[tuple[int, int], list[Term]]) -> Entries:
        """The nonzeros of a matrix, given the terms of each entry by its row and column."""
        values = ((i, j, self.number(self.total(found[i, j]))) for i, j in sorted(found))
        return [(i, j, value) for i, j, value in values if not is_number(value, 0.0)]

    def _condition(self, term: Term) -> Factor:
        """Whether the term is selected, as one condition: 1 if it always is."""
        return self._joined(primitives.logical_and, term.selected) if term.selected else 1.0

    def _joined(self, row: Primitive, conditions: Iterable[Factor]) -> Factor:
        return reduce(partial(self.record, row), conditions)
