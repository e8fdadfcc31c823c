"""Local derivatives for the sparse algorithms: first and second partials of one operation.

The rules of the table are read once for each kind of node: a primitive, with the information which
of its operands are numbers and which are the same node. The partials are cached as formulas with
common subexpressions merged; only those that an algorithm asks for are recorded in the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from autograd import primitives
from autograd.derivatives.terms import Entries, Factor, Recorder, Term, is_number
from autograd.operators import Symbol, counter
from autograd.primitives import Primitive
from autograd.value import Value


class Formula(Symbol):
    """A Symbol that keeps composite rows whole, whose rules are better than those of their parts.

    Attributes:
        known: the distinct formulas for this kind of node.
    """

    __slots__ = ("_created", "known")

    def __init__(
        self, known: dict[Any, Formula], primitive: Primitive | None, args: Sequence[Any]
    ) -> None:
        super().__init__("", primitive, args)
        self.known = known
        self._created = next(counter)

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Formula:
        """The formula for `primitive` on formulas and numbers; equal formulas are one object."""
        operands = [x if isinstance(x, Formula) else primitive.number(x) for x in args]
        known = next(x.known for x in operands if isinstance(x, Formula))
        key = (primitive, *[x if isinstance(x, Formula) else repr(x) for x in operands])
        if key not in known:
            known[key] = Formula(known, primitive, operands)
        return known[key]


class Kind:
    """The partial derivatives of a row, as formulas, for operands of one pattern.

    Args:
        row: the row.
        pattern: for each operand its number, if it is a constant, else the index of the first
            operand that is the same node.

    Attributes:
        result: the formula of the node.
        operands: the symbols of the distinct operands by their index.
        partials: for each operand the partial, if that is not always 0.
        first: for each of these the partial as a Term.
        second: the nonzero second derivatives by pairs of operands, where they were asked for.
    """

    def __init__(self, row: Primitive, pattern: Sequence[float | int]) -> None:
        known: dict[Any, Formula] = {}
        self.operands = {i: Formula(known, None, ()) for i in pattern if type(i) is int}
        args: list[Any] = [self.operands[x] if type(x) is int else x for x in pattern]
        self.result = Formula(known, row, args)
        partials: dict[int, list[Any]] = {}
        for x, partial in zip(pattern, row.partials_at(self.result, args, args), strict=True):
            if type(x) is int and partial is not None:
                number_or_formula = partial if isinstance(partial, Formula) else float(partial)
                partials.setdefault(x, []).append(number_or_formula)
        total = Recorder().total
        totals = {i: total(terms) for i, terms in partials.items()}
        self.partials = {i: p for i, p in totals.items() if not is_number(p, 0.0)}
        term = _selected if row.chooses else Term
        self.first = {i: term(p) for i, p in self.partials.items()}
        self.second: dict[tuple[int, int], Any] | None = None


def _selected(partial: Any) -> Term:
    """The partial of a row that selects: a factor, and the condition of the selection."""
    if type(partial) is float:
        return Term(partial)
    if partial.primitive is primitives.where:
        condition, *cases = partial.args
        if cases == [1.0, 0.0]:
            return Term(1.0, (condition,))
        if cases == [0.0, 1.0]:
            return Term(1.0, (partial,))
    return Term(partial, (partial,))


Jacobian: TypeAlias = Callable[[Sequence[Factor], Sequence[Any]], Entries]
"""The structural nonzeros of the derivatives of outputs with respect to inputs."""


class Local:
    """The partial derivatives of one node, recorded as they are asked for.

    Attributes:
        first: of each active operand, the partial as a Term.
    """

    def __init__(self, kind: Kind, node: Value, is_active: Any, record: Recorder) -> None:
        self._kind = kind
        self._operation = record
        args = node.args
        self._active = {i: args[i] for i in kind.first if args[i] in is_active}
        self._recorded: dict[Any, Factor] = {x: args[i] for i, x in kind.operands.items()}
        self._recorded[kind.result] = node
        self.first = {}
        for i, arg in self._active.items():
            term = kind.first[i]
            selected = tuple(map(self._record, term.selected)) if term.selected else ()
            self.first[arg] = Term(self._record(term.value), selected)

    def second(self, jacobian: Jacobian) -> Iterator[tuple[Value, Value, Factor]]:
        """The pairs of active operands with a second derivative, and that derivative.

        It is the derivative of the first partial, by an algorithm for Jacobians.
        """
        kind = self._kind
        if kind.second is None:
            kind.second = {}
            indices = list(kind.partials)
            operands = [kind.operands[i] for i in indices]
            for a, b, formula in jacobian(list(kind.partials.values()), operands):
                i, j = indices[a], indices[b]
                kind.second.setdefault((max(i, j), min(i, j)), formula)
        for (i, j), formula in kind.second.items():
            if i in self._active and j in self._active:
                yield self._active[i], self._active[j], self._record(formula)

    def _record(self, x: Any) -> Factor:
        """The Value for a formula, recorded after its operands; floats as they are."""
        if type(x) is float:
            return x
        recorded = self._recorded
        if x not in recorded:
            recorded[x] = self._operation(x.primitive, *map(self._record, x.args))
        return recorded[x]


def called(node: Any, is_active: Any, record: Recorder) -> dict[Value, Term]:
    """The first partials of a node whose row is not local: its rule is called with Values."""
    partials: dict[Value, list[Factor]] = {}
    found = node.primitive.partials_at(node, node.args, node.args)
    for arg, partial in zip(node.args, found, strict=True):
        if partial is not None and arg in is_active and not is_number(partial, 0.0):
            partials.setdefault(arg, []).append(partial)
    return {arg: Term(record.total(terms)) for arg, terms in partials.items()}
