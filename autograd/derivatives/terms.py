"""Products and sums in which 0 and 1 are numbers: what sparse derivatives are put together from.

A sparse derivative records an operation only where one is needed: a factor 1 and a term 0 leave
nothing behind, and numbers are multiplied while the graph is built.

A `Term` is a factor of a path through the graph, with the condition under which the path was
selected. The condition is applied last, to the product of the whole path: a path that was not
selected then contributes 0, even where a factor behind it is nan or infinite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from autograd import primitives

Factor = Any
"""A float, a Value or a Symbol."""


def is_number(x: Factor, number: float) -> bool:
    """Whether x is this plain number."""
    return type(x) is float and x == number


def product(a: Factor, b: Factor) -> Factor:
    """a·b; a factor 1 or -1 costs no multiplication, and numbers are gathered in one factor."""
    if type(a) is float:
        a, b = b, a
    if type(b) is not float:
        return a * b
    if type(a) is float:
        return a * b
    if b == 1.0:
        return a
    if b == -1.0:
        return negative(a)
    if _is(a, primitives.neg):
        return product(a.args[0], -b)
    if _is(a, primitives.mul):
        x, y = a.args
        if type(x) is float:
            return product(y, x * b)
        if type(y) is float:
            return product(x, y * b)
    return b * a


def negative(a: Factor) -> Factor:
    """-a."""
    if type(a) is float:
        return -a
    if _is(a, primitives.neg):
        return a.args[0]
    if _is(a, primitives.mul):
        x, y = a.args
        if type(x) is float:
            return product(y, -x)
        if type(y) is float:
            return product(x, -y)
    return -a


def _is(x: Factor, row: primitives.Primitive) -> bool:
    return x.primitive is row


def total(terms: Sequence[Factor]) -> Factor:
    """The sum of one or more terms; terms that are equal are multiplied."""
    if len(terms) == 1:
        return terms[0]
    number = 0.0
    counts: dict[Factor, int] = {}
    for term in terms:
        if type(term) is float:
            number += term
        else:
            counts[term] = counts.get(term, 0) + 1
    added = [x if n == 1 else product(float(n), x) for x, n in counts.items()]
    if not added:
        return number
    if number != 0.0:
        added.append(number)
    if len(added) == 1:
        return added[0]
    if len(added) > 2:
        return primitives.sum(*added)
    first, second = added
    if type(second) is not float and _is(second, primitives.neg):
        return first - second.args[0]
    return first + second


class Term:
    """A factor of selected paths.

    Attributes:
        value: the factor, of any value where the path is not selected.
        selected: not 0 where the path is selected; None if it always is.
    """

    __slots__ = ("selected", "value")

    def __init__(self, value: Factor, selected: Factor = None) -> None:
        self.value = value
        self.selected = selected


class Terms:
    """Arithmetic on terms; conditions that are combined more than once are recorded once."""

    def __init__(self) -> None:
        self._combined: dict[Any, Factor] = {}

    def product(self, a: Term, b: Term) -> Term:
        """The product along a path."""
        value = product(a.value, b.value)
        if a.selected is None or b.selected is None or a.selected is b.selected:
            return Term(value, b.selected if a.selected is None else a.selected)
        return Term(value, self._combination(primitives.logical_and, (a.selected, b.selected)))

    def total(self, terms: Sequence[Term]) -> Term:
        """The sum over paths."""
        if len(terms) == 1:
            return terms[0]
        by_condition: dict[Factor, list[Factor]] = {}
        for term in terms:
            by_condition.setdefault(term.selected, []).append(term.value)
        if len(by_condition) == 1:
            return Term(total([term.value for term in terms]), terms[0].selected)
        parts = [Term(total(values), selected) for selected, values in by_condition.items()]
        value = total([self.number(part) for part in parts])
        if None in by_condition:
            return Term(value)
        return Term(value, self._combination(primitives.logical_or, tuple(by_condition)))

    def number(self, term: Term) -> Factor:
        """What the term contributes: its value if its path is selected, else 0."""
        if term.selected is None:
            return term.value
        return primitives.where(term.selected, term.value, 0.0)

    def _combination(self, row: primitives.Primitive, conditions: Iterable[Factor]) -> Factor:
        key = (row, frozenset(conditions))
        if key not in self._combined:
            first, *others = conditions
            for other in others:
                first = row(first, other)
            self._combined[key] = first
        return self._combined[key]
