"""A solution of equations as nodes of a graph, differentiated by the implicit function theorem.

If f(x, p) = 0 defines x as a function of p, then dx/dp = -(∂f/∂x)⁻¹ · ∂f/∂p. A solution with n
components is recorded as two layers of n nodes:

    residualₘ(p)                      the number 0, with the partials ∂fₘ/∂p at the solution
    rootᵢ(residual₁ … residualₙ, p)   the solution, with the partials -(∂f/∂x)⁻¹ᵢₘ

Both partials, read with Values, are graph of p *and of the root nodes themselves*. So they can be
differentiated again, with x moving along as it should, to any order.
"""

from __future__ import annotations

import contextvars
import itertools
import math
import operator
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn, Self

from autograd import primitives, recording
from autograd.compiler.jit import jit
from autograd.compiler.trace import Traced
from autograd.derivatives import grad
from autograd.derivatives.graph import copied, in_recorded_order, number_of, pulled_back
from autograd.derivatives.many_results import Column, ManyResults
from autograd.operators import OWNED
from autograd.primitives import Primitive
from autograd.solve.newton import Point, newton
from autograd.value import Operand, Value, leaf_adjoints

Row = dict[int, Operand]
"""The nonzeros of a row of a matrix, by their columns."""


class System:
    """Equations f(x, p) = 0 as a recorded graph.

    Attributes:
        xs, ps: the Values that stand for the unknowns and the parameters.
        residuals: f, as a graph of xs, ps and constants only.
        used: for each residual, which of `[*xs, *ps]` it depends on, by index.
    """

    def __init__(
        self, xs: Sequence[Value], ps: Sequence[Value], residuals: Sequence[Operand]
    ) -> None:
        self.xs, self.ps, self.residuals = xs, ps, residuals
        index = {x: i for i, x in enumerate([*xs, *ps])}
        self._orders = [in_recorded_order([r], index) for r in residuals]
        self.used = [sorted(index[x] for x in order if x in index) for order in self._orders]

    def point(self) -> Point:
        """The residuals and derivatives at the point where the system was recorded."""
        partials, rounding = [], []
        for residual, used, order in zip(self.residuals, self.used, self._orders, strict=True):
            for x in order:
                if x.primitive is not None:
                    x.grad = None  # not the slope of another residual
            slopes = leaf_adjoints(residual) if isinstance(residual, Value) else {}
            partials.append({i: slopes.get(x, 0.0) for i, x in self._placeholders(used)})
            found = [(x, slopes.get(x) if x.primitive is None else x.grad) for x in order]
            # A node whose slope is 0 does not count, even if it is inf or nan: it is not selected.
            rounding.append(sum(abs(a * x._float) for x, a in found if a))
        residuals = [number_of(r) for r in self.residuals]
        return Point([x._float for x in self.xs], residuals, partials, rounding)

    def partials(self) -> list[Row]:
        """The derivatives of each residual with respect to `[*xs, *ps]`, as graph."""
        rows: list[Row] = []
        for residual, used in zip(self.residuals, self.used, strict=True):
            inputs = dict(self._placeholders(used))
            found = pulled_back([(residual, 1.0, 1.0)], list(inputs.values()))
            slopes = [0.0 if slope is None else slope for slope, _ in found]
            rows.append(dict(zip(inputs, slopes, strict=True)))
        return rows

    def _placeholders(self, indices: Sequence[int]) -> list[tuple[int, Value]]:
        """Indices, each with the Value that stands for this unknown or parameter."""
        n = len(self.xs)
        return [(i, self.xs[i] if i < n else self.ps[i - n]) for i in indices]

    def compiled(self) -> Callable[[list[float]], Point]:
        """A compiled function from the numbers of `[*xs, *ps]` to the system at that point."""
        n, used = len(self.xs), self.used

        def numbers(given: list[Value]) -> list[list[Operand]]:
            mapping = dict(zip([*self.xs, *self.ps], given, strict=True))
            rows = []
            for residual, indices in zip(copied(self.residuals, mapping), used, strict=True):
                inner = _numbers_in(residual)
                slopes = dict(zip(inner, grad(residual, inner) if inner else [], strict=True))
                parts = [primitives.where(a, abs(a * x), 0.0) for x, a in slopes.items()]
                rows.append(
                    [residual, primitives.sum(*parts), *[slopes[given[i]] for i in indices]]
                )
            return rows

        evaluate = jit(numbers, in_axes=None)

        def point(given: list[float]) -> Point:
            rows = evaluate(given)
            residuals, rounding = [row[0] for row in rows], [row[1] for row in rows]
            by = [dict(zip(i, row[2:], strict=True)) for i, row in zip(used, rows, strict=True)]
            return Point(given[:n], residuals, by, rounding)

        return point


def _numbers_in(residual: Operand) -> list[Value]:
    """The nodes that a residual is computed from, except whole loops, which have no number."""
    nodes = in_recorded_order([residual])
    return [x for x in nodes if not isinstance(x.primitive, ManyResults | Column)]


# --- rows of the table ----------------------------------------------------------------------------


class ImplicitRow(Primitive):
    """The row of one component of a solution, or of one residual.

    It is owned by the nodes that it recorded, and freed with them.
    """

    is_local = False  # its partials depend on the other components

    def __init__(self, name: str, solution: Solution, index: int, is_root: bool) -> None:
        self.name = self.__name__ = name
        self.symbol = "root" if is_root else "residual"
        self.__doc__ = "A component of a solution of equations, or a residual, which is 0 there."
        self.partials, self.arity, self.variadic = (), None, True
        self.chooses, self.template, self.key = False, "", "root"
        self.definition = None if is_root else lambda *_: 0.0
        self._solution, self._index, self._is_root = solution, index, is_root

    @property
    def operator(self) -> Callable[..., Any]:  # type: ignore[override]
        """The function that records this primitive, looked up anew to avoid a reference cycle."""
        return self.on_any

    @property
    def value(self) -> Callable[..., float]:
        """The value as a function of floats."""
        return lambda *numbers: self.at(numbers)

    def at(self, numbers: Sequence[float]) -> float:
        """This component of the solution for these operands, solved for unless it is known."""
        if not self._is_root:
            return 0.0
        x, _ = self._solution.at(numbers[self._solution.n :])
        return x[self._index]

    def partials_at(self, z: Any, args: Sequence[Any], operands: Sequence[Any]) -> Sequence[Any]:
        """∂z/∂argᵢ for each operand: floats if z is a float, else Values."""
        n = self._solution.n if self._is_root else 0
        own = args[n:]
        found = self._solution.at(own)[1] if type(z) is float else self._solution.graph(own)
        row = found.kept((found.inverse if self._is_root else found.slopes)[self._index])
        return [row.get(i) for i in range(n or len(own))] + [None] * (len(own) if n else 0)

    def on(self, args: Sequence[Any]) -> Value:
        """The node on these operands."""
        is_traced = any(type(x) is Traced for x in args)
        return Traced.record(self, args) if is_traced else Value.record(self, args)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "root: a graph with a solution of equations cannot be pickled, because it holds the "
            "function; pickle its parameters, or its numbers (`.data`)"
        )


class _Partials:
    """The partials of a solution with n components, for nodes on these operands, or at numbers.

    Attributes:
        slopes: the derivatives of the residuals with respect to the parameters.
    """

    def __init__(self, operands: Sequence[Any], n: int, rows: Sequence[Mapping[int, Any]]) -> None:
        self.operands = operands
        self._jacobian = [{i: x for i, x in row.items() if i < n} for row in rows]
        self.slopes = [{i - n: x for i, x in row.items() if i >= n} for row in rows]

    @cached_property
    def inverse(self) -> list[Row]:
        """The derivatives of the solution with respect to the residuals."""
        return negative_inverse(self._jacobian)

    def kept(self, row: Row) -> Row:
        """Copy the row as sums of one term, which keep this object alive for the other rows."""
        copies = {i: primitives.sum(x) if isinstance(x, Value) else x for i, x in row.items()}
        _partials_of.update((x, self) for x in copies.values() if isinstance(x, Value))
        return copies


_partials_of: weakref.WeakKeyDictionary[Value, _Partials] = weakref.WeakKeyDictionary()


# --- solutions ------------------------------------------------------------------------------------

_numbers = itertools.count(1)

REMEMBERED = 4096
"""For so many sets of operands a solution remembers its numbers; n components ask for the same."""


class Solution:
    """x with f(x, p) = 0, for any numbers of its operands: the parameters p, then initial guesses.

    Attributes:
        n: how many unknowns there are.
        number: the number of this solution, which makes the names of its primitives unique.
        system: the equations.
    """

    def __init__(
        self, system: System, x0: Sequence[Operand], max_steps: int, solved: Point | None = None
    ) -> None:
        self.n = len(system.xs)
        self.number = next(_numbers)
        self.system = system
        self._x0 = [x if type(x) is float else None for x in x0]
        self._max_steps = max_steps
        self._solved: dict[tuple[float, ...], tuple[list[float], _Partials]] = {}
        self._graph: Callable[[], _Partials | None] = lambda: None
        if solved is not None:
            self._keep(tuple([p._float for p in system.ps]), solved)

    # --- numbers

    @cached_property
    def _evaluate(self) -> Callable[[list[float]], Point]:
        return self.system.compiled()

    def at(self, operands: Sequence[float]) -> tuple[list[float], _Partials]:
        """The components at these operands, and the partials there.

        Raises:
            ConvergenceError: if no solution is found.
        """
        key = tuple(map(float, operands))
        # in a context of its own: neither traced nor paused
        return self._solved.get(key) or self._keep(key, contextvars.Context().run(self._solve, key))

    def _keep(self, key: tuple[float, ...], point: Point) -> tuple[list[float], _Partials]:
        if len(self._solved) >= REMEMBERED:
            self._solved.clear()
        found = self._solved[key] = point.x, _Partials(key, self.n, point.partials)
        return found

    def _solve(self, key: tuple[float, ...]) -> Point:
        n_parameters = len(self.system.ps)
        parameters, guesses = list(key[:n_parameters]), iter(key[n_parameters:])
        start = [next(guesses) if x is None else x for x in self._x0]
        return newton(lambda x: self._evaluate([*x, *parameters]), start, self._max_steps)

    # --- graph

    def nodes(self, operands: Sequence[Any]) -> list[Value]:
        """A node for each component."""
        residuals = [self._row(m, is_root=False).on(operands) for m in range(self.n)]
        return [self._row(i, is_root=True).on([*residuals, *operands]) for i in range(self.n)]

    def graph(self, operands: Sequence[Any]) -> _Partials:
        """The partials for nodes on these operands."""
        found = self._graph()
        if found is None or not all(map(operator.is_, found.operands, operands)):
            mapping = dict(zip(self.system.xs, self.nodes(operands), strict=True))
            mapping.update(zip(self.system.ps, operands, strict=False))  # guesses follow
            rows = self.system.partials()
            items = iter(copied([x for row in rows for x in row.values()], mapping))
            replayed = [{i: next(items) for i in row} for row in rows]
            found = _Partials(tuple(operands), self.n, replayed)
            self._graph = weakref.ref(found)
        return found

    def _row(self, index: int, is_root: bool) -> ImplicitRow:
        """The primitive of a component or a residual.

        It refers to this solution, but not the other way round.
        """
        name = f"{'root' if is_root else 'residual'} {self.number}.{index}"
        row: ImplicitRow | None = OWNED.get(name)
        if row is None:
            row = OWNED[name] = ImplicitRow(name, self, index, is_root)
        return row


# --- matrices -------------------------------------------------------------------------------------


def negative_inverse(matrix: Sequence[Row]) -> list[Row]:
    """-A⁻¹ of numbers or of Values, by elimination with partial pivoting.

    Structural zeros of the result are left out. The pivot is the largest entry of its column in
    magnitude; in a function that is being compiled, whose numbers are not known yet, rows are
    exchanged by `where`. A singular matrix gives inf or nan: of an unknown that no equation is left
    for, every derivative is nan.
    """
    n = len(matrix)
    rows: list[Row] = [{**row, n + m: -1.0} for m, row in enumerate(matrix)]
    for column in range(n):
        candidates = [m for m in range(column, n) if column in rows[m]]
        if not candidates:
            rows[column] = {column: 1.0, **dict.fromkeys(range(n, 2 * n), math.nan)}
            continue
        first = candidates[0]
        rows[column], rows[first] = rows[first], rows[column]
        pivot = rows[column][column]
        for m in candidates[1:]:
            other = rows[m][column]
            is_larger = primitives.abs(other) > primitives.abs(pivot)
            if recording.is_tracing() and isinstance(is_larger, Value):
                rows[column], rows[m] = _exchanged(is_larger, rows[column], rows[m])
            elif is_larger:
                rows[column], rows[m] = rows[m], rows[column]
            pivot = rows[column][column]
        for m in range(column + 1, n):
            if column in rows[m]:
                factor = primitives.div(rows[m].pop(column), pivot)
                _subtract(rows[m], factor, rows[column], column)
    for column in reversed(range(n)):
        pivot = rows[column].pop(column)
        rows[column] = {j: primitives.div(x, pivot) for j, x in rows[column].items()}
        for m in range(column):
            if column in rows[m]:
                _subtract(rows[m], rows[m].pop(column), rows[column], column)
    return [{j - n: x for j, x in sorted(row.items()) if j >= n} for row in rows]


def _subtract(row: Row, factor: Operand, other: Row, column: int) -> None:
    """Subtract factor · other from row in place, except in one column."""
    for j, x in other.items():
        if j != column:
            row[j] = row[j] - factor * x if j in row else -(factor * x)


def _exchanged(condition: Any, row: Row, other: Row) -> tuple[Row, Row]:
    """The two rows, swapped where the condition holds."""
    columns = sorted({*row, *other})
    pairs = [(row.get(j, 0.0), other.get(j, 0.0)) for j in columns]
    first = [primitives.where(condition, y, x) for x, y in pairs]
    second = [primitives.where(condition, x, y) for x, y in pairs]
    return dict(zip(columns, first, strict=True)), dict(zip(columns, second, strict=True))
