"""Local derivatives for the sparse algorithms: first and second partials of one operation.

The rules of the table are read once for each kind of node: a primitive, with the information which
of its operands are numbers and which are the same node. The partials are cached as formulas with
common subexpressions merged; only those that an algorithm asks for are recorded in the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from autograd import primitives
from autograd.derivatives.terms import Factor, Recorder, Term, is_number
from autograd.operators import Symbol
from autograd.primitives import Primitive
from autograd.value import Value


class Formula(Symbol):
    """A Symbol that keeps composite rows whole, whose rules are better than those of their parts.

    Attributes:
        known: the distinct formulas for this kind of node.
    """

    __slots__ = ("known",)

    def __init__(
        self, known: dict[Any, Formula], primitive: Primitive | None, args: Sequence[Any]
    ) -> None:
        super().__init__("", primitive, args)
        self.known = known

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
        result: the symbol of the node.
        operands: the symbols of the distinct operands by their index.
        first: for each operand whose partial is not always 0: the partial, and the condition under
            which the operand is selected, None if it always is.
    """

    def __init__(self, row: Primitive, pattern: Sequence[float | int]) -> None:
        self._arithmetic = Recorder()
        known: dict[Any, Formula] = {}
        self.result = known["result"] = Formula(known, None, ())
        self.operands: dict[int, Formula] = {}
        args: list[Any] = []
        for i, x in enumerate(pattern):
            if type(x) is int and x == i:
                self.operands[i] = known[i] = Formula(known, None, ())
            args.append(self.operands[x] if type(x) is int else x)
        partials: dict[int, list[Any]] = {}
        for x, partial in zip(pattern, row.partials_at(self.result, args, args), strict=True):
            if type(x) is int and partial is not None:
                partials.setdefault(x, []).append(_formula(partial))
        totals = {i: self._arithmetic.total(terms) for i, terms in partials.items()}
        self._partials = {i: p for i, p in totals.items() if not is_number(p, 0.0)}
        self.first = {
            i: _selected(p) if row.chooses else (p, None) for i, p in self._partials.items()
        }
        self._derivatives: dict[Any, Any] = {}
        self._second: dict[tuple[int, int], Any] | None = None

    @property
    def second(self) -> dict[tuple[int, int], Any]:
        """The nonzero second derivatives, by pairs of operands, the later one first."""
        if self._second is None:
            index = {x: i for i, x in self.operands.items()}
            self._second = {}
            for i, partial in self._partials.items():
                variables = {index[x] for x in _variables(partial) if x is not self.result}
                if self.result in _variables(partial):
                    variables = set(self._partials)
                for j in sorted(variables):
                    pair = (max(i, j), min(i, j))
                    if pair not in self._second and j in self._partials:
                        self._second[pair] = self._derivative(partial, j)
            self._second = {k: s for k, s in self._second.items() if not is_number(s, 0.0)}
        return self._second

    def _derivative(self, x: Any, j: int) -> Any:
        """dx/doperandⱼ, where x may also depend on the operand through the node's result."""
        if type(x) is float:
            return 0.0
        if x.primitive is None:
            return self._partials[j] if x is self.result else float(x is self.operands[j])
        if (x, j) not in self._derivatives:
            self._derivatives[x, j] = self._of_operation(x, j)
        return self._derivatives[x, j]

    def _of_operation(self, x: Formula, j: int) -> Any:
        row, args = x.primitive, x.args
        inner = [
            self._derivative(arg, j) if row.has_derivative(i) else 0.0 for i, arg in enumerate(args)
        ]
        if all(is_number(d, 0.0) for d in inner):
            return 0.0
        if row is primitives.where:
            _, first, second = inner
            return primitives.where(args[0], first, second)
        terms = []
        for d, partial in zip(inner, row.partials_at(x, args, args), strict=True):
            if partial is not None and not is_number(d, 0.0):
                p = _formula(partial)
                if is_number(p, 0.0):
                    if not row.chooses:  # a rule's way to say that there is a nan where d is inf
                        terms.append(d * p)
                    continue
                term = self._arithmetic.product(d, p)
                chosen = row.chooses and type(p) is not float
                terms.append(primitives.where(p, term, 0.0) if chosen else term)
        return self._arithmetic.total(terms) if terms else 0.0


def _formula(partial: Any) -> Any:
    return partial if isinstance(partial, Formula) else float(partial)


def _variables(x: Any) -> set[Formula]:
    """The symbols that a formula is written in."""
    if type(x) is float:
        return set()
    found = {x}
    stack = [x]
    while stack:
        for arg in stack.pop().args:
            if type(arg) is not float and arg not in found:
                found.add(arg)
                stack.append(arg)
    return {x for x in found if x.primitive is None}


def _selected(partial: Any) -> tuple[Any, Any]:
    """The partial split into a factor, and the condition under which the operand is selected."""
    if type(partial) is float:
        return partial, None
    if partial.primitive is primitives.where:
        condition, *cases = partial.args
        if cases == [1.0, 0.0]:
            return 1.0, condition
        if cases == [0.0, 1.0]:
            return 1.0, partial
    return partial, partial


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
        self.first = {
            arg: Term(*map(self._record, kind.first[i])) for i, arg in self._active.items()
        }

    def second(self) -> Iterator[tuple[Value, Value, Factor]]:
        """The pairs of active operands with a second derivative, and that derivative."""
        for (i, j), formula in self._kind.second.items():
            if i in self._active and j in self._active:
                yield self._active[i], self._active[j], self._record(formula)

    def _record(self, x: Any) -> Factor:
        """The Value for a formula, recorded after its operands; None and floats as they are."""
        if x is None or type(x) is float:
            return x
        recorded = self._recorded
        if x not in recorded:
            recorded[x] = self._operation(x.primitive, *map(self._record, x.args))
        return recorded[x]


class Direct:
    """The first partial derivatives of one node, found by calling its rule with Values."""

    def __init__(self, node: Value, is_active: Any, record: Recorder) -> None:
        row, args = node.primitive, node.args
        assert row is not None
        partials: dict[Value, list[Factor]] = {}
        for arg, partial in zip(args, row.partials_at(node, args, args), strict=True):
            if partial is not None and arg in is_active and not is_number(partial, 0.0):
                partials.setdefault(arg, []).append(partial)
        self.first = {arg: Term(record.total(terms)) for arg, terms in partials.items()}


class LocalDerivatives:
    """The partial derivatives of nodes; the rules are read once for each kind of node."""

    def __init__(self, record: Recorder) -> None:
        self._record = record
        self._kinds: dict[Any, Kind] = {}

    def of(self, node: Value, is_active: Any) -> Local | Direct:
        """The partial derivatives of a node with respect to its active operands."""
        row = node.primitive
        assert row is not None
        if not row.is_local:
            return Direct(node, is_active, self._record)
        seen: dict[Value, int] = {}
        pattern: list[float | int] = []
        for i, x in enumerate(node.args):
            pattern.append(x if type(x) is float else seen.setdefault(x, i))
        key = (row, *[(x, str(x)) if type(x) is float else x for x in pattern])
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = Kind(row, pattern)
        return Local(kind, node, is_active, self._record)
