"""Arithmetic for the sparse algorithms: equal operations are recorded once, 0 and 1 simplified.

Three kinds of factors occur: floats, which are multiplied while the graph is built; Values; and the
formulas of `local_partials`. A product has its sign and its number in front, so that equal products
are found, and sums subtract.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from autograd import primitives
from autograd.primitives import Primitive
from autograd.value import Value

Factor = Any
"""A float, a Value or a formula."""

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
            found = self._known[key] = recorded(row, args)
        return found

    def known(self, node: Value, args: Sequence[Factor]) -> Value:
        """The first node of this operation on these operands: this one, if they are its own."""
        row = node.primitive
        assert row is not None
        key = self.key(row, args)
        if key not in self._known:
            is_own = all(x is y for x, y in zip(args, node.args, strict=True))
            self._known[key] = node if is_own else recorded(row, args)
        found: Value = self._known[key]
        return found

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


def recorded(row: Primitive, args: Sequence[Factor]) -> Factor:
    """The node for a row on operands of which at least one is no number."""
    for x in args:
        if type(x) is not float and type(x) is not Value:
            return x.record(row, args)
    return Value.record(row, args)


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


class Term:
    """A factor of paths through the graph, and the condition under which they are selected.

    The condition is applied last, to the product of a whole path: one that is not selected then
    contributes 0, even where a factor further on is nan or infinite.

    Attributes:
        value: the factor, of any value where the paths are not selected.
        selected: not 0 where they are selected; None if they always are.
    """

    __slots__ = ("selected", "value")

    def __init__(self, value: Factor, selected: Factor = None) -> None:
        self.value = value
        self.selected = selected


class Terms:
    """Products and sums of terms."""

    def __init__(self, record: Recorder) -> None:
        self.record = record

    def product(self, a: Term, b: Term) -> Term:
        """The product of the partials of two edges in sequence, selected only if both are."""
        value = self.record.product(a.value, b.value)
        if a.selected is None or b.selected is None or a.selected is b.selected:
            return Term(value, b.selected if a.selected is None else a.selected)
        return Term(value, self.record(primitives.logical_and, a.selected, b.selected))

    def total(self, terms: Sequence[Term]) -> Term:
        """The sum of the terms of several paths."""
        if len(terms) == 1:
            return terms[0]
        values: dict[Factor, list[Factor]] = {}
        for term in terms:
            values.setdefault(term.selected, []).append(term.value)
        parts = [Term(self.record.total(x), selected) for selected, x in values.items()]
        if len(parts) == 1:
            return parts[0]
        value = self.record.total(list(map(self.number, parts)))
        if None in values:
            return Term(value)
        return Term(value, self._any(values))

    def number(self, term: Term) -> Factor:
        """The contribution of the term: its value if its path is selected, else 0."""
        if term.selected is None or is_number(term.value, 0.0):
            return term.value
        return self.record(primitives.where, term.selected, term.value, 0.0)

    def _any(self, conditions: Iterable[Factor]) -> Factor:
        first, *others = conditions
        for other in others:
            first = self.record(primitives.logical_or, first, other)
        return first
