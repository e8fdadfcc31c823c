"""A nonlinear program as compiled functions: values, first and second derivatives, all exact.

minimize f(x)  subject to  low ≤ x ≤ high  and  lower ≤ g(x) ≤ upper
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd import functions, recording
from autograd.checks import real_number
from autograd.compiler.columns import Column
from autograd.compiler.jit import BackendName, _Runner, checked_backend
from autograd.compiler.pipeline import lower
from autograd.compiler.trace import Traced
from autograd.derivatives.edge_pushing import hessian_entries
from autograd.derivatives.elimination import jacobian_entries
from autograd.derivatives.graph import in_recorded_order
from autograd.derivatives.sparse_graph import ActiveGraph
from autograd.derivatives.structures import (
    Nested,
    flat,
    flat_like,
    operand,
    operands,
    paths,
    rebuilt,
)
from autograd.gc_pause import gc_paused
from autograd.value import Operand, Value

if TYPE_CHECKING:
    import numpy as np

    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
    Integers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

Constraint: TypeAlias = "tuple[Callable[[Nested], Nested], Any, Any]"
"""A function of x, and the least and the largest that it may be: numbers, None, or one for each."""


class Problem:
    """A nonlinear program as functions of a flat x.

    It is recorded once, and compiled as three programs: all values; their sparse Jacobian, whose
    first row is the gradient of f; and the sparse Hessian of the Lagrangian σ·f + λ·g, its lower
    half.

    Attributes:
        x0: the structure that f and the constraints get x in.
        start: its numbers.
        low, high: the bounds of x.
        lower, upper: the bounds of the constraints.
        jacobian_structure, hessian_structure: rows and columns of the nonzeros.
        calls: how often "values", "slopes" and "seconds", the second derivatives, were evaluated.
    """

    def __init__(
        self,
        f: Callable[[Nested], Operand],
        x0: Nested,
        bounds: Any,
        constraints: Any,
        backend: BackendName,
    ) -> None:
        import numpy as np

        self.x0 = x0
        what = "a real number", "give a list, a tuple, a dictionary or a NumPy array"
        self.start: Floats = np.array([real_number(x, "minimize: x0", *what) for x in flat(x0)])
        self.n = len(self.start)
        if not self.n:
            raise ValueError(f"minimize: x0 is {x0!r}, which holds no numbers to choose")
        self.low, self.high = read_bounds(bounds, self.n)
        self._f = f
        self._constraints = read_constraints(constraints)
        checked_backend(backend, "minimize")
        self._backend = backend
        self.calls: Counter[str] = Counter()
        self._latest: dict[str, tuple[bytes, Floats]] = {}
        # Recorded, not run: the functions may raise, or be nan, where x0 is.
        self._runners = self._recorded()
        self._numbers = np.zeros(self.n + 1 + self.m)  # x, then the weights of f and g
        self._columns = [Column(1, self._numbers.shape, self._numbers, is_array=True)]

    # --- what is recorded

    def _recorded(self) -> dict[str, _Runner]:
        """Compiled functions for the values, and for the nonzeros of Jacobian and Hessian."""
        with gc_paused(), recording.unrolling(), recording.tracing(follows_branches=True):
            x = [Traced(f"x{path}") for path in paths(self.x0)]
            values = self._called(x)
            weights = [Traced() for _ in values]
            graph = ActiveGraph(x)
            rows, columns, slopes = _unzipped(jacobian_entries(values, x, graph))
            found = hessian_entries(functions.dot(weights, values), x, graph)
        self._check_constant(values)
        n_gradient = self.n_gradient = int(rows.searchsorted(1))  # the first row comes first
        self._gradient_columns = columns[:n_gradient]
        self.jacobian_structure = rows[n_gradient:] - 1, columns[n_gradient:]
        rows, columns, seconds = _unzipped(found)
        self.hessian_structure = rows, columns
        parts = {"values": values, "slopes": slopes, "seconds": seconds}
        with gc_paused():
            tapes = {name: lower([*x, *weights], part, False) for name, part in parts.items()}
        return {name: _Runner(tape, self._backend, 0) for name, tape in tapes.items()}

    def _called(self, x: Sequence[Value]) -> list[Operand]:
        """The value of f, then those of all constraints; reads the bounds of the constraints."""
        import numpy as np

        structured = rebuilt(self.x0, iter(x))
        values = [operand(self._f(structured), "minimize: the objective", "add them up")]
        sides: list[tuple[Floats, Floats]] = []
        for k, (g, least, largest) in enumerate(self._constraints):
            result = g(structured)
            values += operands(result, f"minimize: constraint {k}")
            sides.append(read_sides(k, result, least, largest))
        self.lower: Floats = np.concatenate([np.zeros(0), *(lower for lower, _ in sides)])
        self.upper: Floats = np.concatenate([np.zeros(0), *(upper for _, upper in sides)])
        self.m = len(self.lower)
        return values

    def _check_constant(self, values: Sequence[Operand]) -> None:
        """Raise TypeError if derivatives of the result would be cut off."""
        variables = recording.variables()
        nodes = set(in_recorded_order(values)) if variables else set()
        for variable in variables:
            if variable in nodes:
                raise TypeError(
                    f"minimize: f or a constraint depends on {variable!r}, with respect to which a "
                    f"transformation differentiates, but a result of minimize is plain numbers; "
                    f"solve the conditions of a minimum by ag.root, which has derivatives, or call "
                    f"minimize under ag.no_grad()"
                )

    # --- numbers

    def values(self, x: Floats) -> Floats:
        """f and the constraints."""
        return self._kept("values", x)

    def gradient(self, x: Floats) -> Floats:
        """∂f/∂x."""
        import numpy as np

        dense = np.zeros(self.n)
        dense[self._gradient_columns] = self._kept("slopes", x)[: self.n_gradient]
        return dense

    def jacobian(self, x: Floats) -> Floats:
        """The nonzeros of ∂g/∂x, in the order of `jacobian_structure`."""
        return self._kept("slopes", x)[self.n_gradient :]

    def hessian(self, x: Floats, multipliers: Floats | float, scale: float) -> Floats:
        """The nonzeros of the lower half of ∂²(scale·f + multipliers·g)/∂x²."""
        self._numbers[self.n] = scale
        self._numbers[self.n + 1 :] = multipliers
        return self._run("seconds", x)

    def violation(self, x: Floats) -> float:
        """The largest violation of a bound or a constraint at x; 0.0 if there is none."""
        import numpy as np

        g = self.values(x)[1:]
        with np.errstate(invalid="ignore"):  # inf - inf
            parts = self.low - x, x - self.high, self.lower - g, g - self.upper
        return float(np.concatenate(parts).max(initial=0.0))

    def nonfinite(self, x: Floats) -> str:
        """The first number that is inf or nan at a point, in words; "" if there is none."""
        import numpy as np

        parts = {
            "the objective": self.values(x)[:1],
            "constraint {}": self.values(x)[1:],
            "the gradient": self.gradient(x),
            "the Jacobian of the constraints": self.jacobian(x),
            "the Hessian": self.hessian(x, 1.0, 1.0),
        }
        for what, numbers in parts.items():
            for i in np.flatnonzero(~np.isfinite(numbers)):
                return f"{what.format(i)} is {numbers[i]}"
        return ""

    def structured(self, x: Floats) -> Nested:
        """The point in the structure of x0."""
        return rebuilt(self.x0, iter(x.tolist()))

    def _kept(self, name: str, x: Floats) -> Floats:
        """All values, or all slopes, cached for the latest x, of which solvers request parts."""
        key = x.tobytes()
        latest = self._latest.get(name)
        if latest is None or latest[0] != key:
            latest = self._latest[name] = key, self._run(name, x)
        return latest[1]

    def _run(self, name: str, x: Floats) -> Floats:
        import numpy as np

        self.calls[name] += 1
        self._numbers[: self.n] = x
        return np.asarray(self._runners[name](self._columns), float)


def _unzipped(entries: Iterable[tuple[int, int, Operand]]) -> tuple[Integers, Integers, list[Any]]:
    """The rows, the columns and the values of nonzeros."""
    import numpy as np

    rows, columns, values = list(zip(*entries, strict=True)) or ((), (), ())
    return np.array(rows, np.int64), np.array(columns, np.int64), list(values)


# --- arguments ------------------------------------------------------------------------------------


def read_bounds(bounds: Any, n: int) -> tuple[Floats, Floats]:
    """The lower and the upper bound of each number of x.

    Raises:
        ValueError: for another number of bounds, or a lower bound above the upper one.
        TypeError: for anything else.
    """
    if hasattr(bounds, "lb"):  # scipy.optimize.Bounds
        return _sides("bounds", n, flat(bounds.lb), flat(bounds.ub))
    given: Any = (None, None) if bounds is None else bounds
    is_several = hasattr(given, "__iter__")
    pairs = [list(x) if hasattr(x, "__len__") else x for x in given] if is_several else []
    if len(pairs) == 2 and list not in map(type, pairs):  # one pair for all
        return _sides("bounds", n, pairs[:1], pairs[1:])
    if len(pairs) != n or any(type(pair) is not list or len(pair) != 2 for pair in pairs):
        raise ValueError(
            f"minimize: expected bounds as a pair (least, largest) for each of the {n} numbers "
            f"of x0, or a single pair for all, got {bounds!r:.80}"
        )
    least, largest = zip(*pairs, strict=True)
    return _sides("bounds", n, least, largest)


def read_constraints(constraints: Any) -> list[Constraint]:
    """The constraints as a list, whichever of the accepted forms they have.

    Raises:
        TypeError: for anything that is not a constraint.
        ValueError: for one of SciPy's dictionaries of another type than "eq" and "ineq".
    """
    if constraints is None:
        return []
    is_one = callable(constraints) or hasattr(constraints, "lb") or isinstance(constraints, dict)
    is_one = is_one or _is_triple(constraints)
    return list(map(_constraint, [constraints] if is_one else constraints))


def _is_triple(given: Any) -> bool:
    """Whether it is a function and its sides, and not three functions."""
    is_triple = isinstance(given, tuple) and len(given) == 3
    return is_triple and callable(given[0]) and not callable(given[1])


def _constraint(given: Any) -> Constraint:
    if _is_triple(given):
        return given  # type: ignore[no-any-return]
    if hasattr(given, "lb") and hasattr(given, "fun"):  # scipy.optimize.NonlinearConstraint
        return given.fun, given.lb, given.ub
    if hasattr(given, "lb") and hasattr(given, "A"):  # scipy.optimize.LinearConstraint
        return _linear(given.A), given.lb, given.ub
    if isinstance(given, dict) and callable(given.get("fun")):  # as SciPy's SLSQP takes it
        function, kind, more = given["fun"], given.get("type"), given.get("args", ())
        if kind not in ("eq", "ineq"):
            raise ValueError(f"minimize: a constraint's type must be 'eq' or 'ineq', got {kind!r}")
        return lambda x: function(x, *more), 0.0, 0.0 if kind == "eq" else None
    if callable(given):
        return given, 0.0, 0.0
    raise TypeError(
        f"minimize: expected a constraint, got {given!r:.80}; write (g, least, largest) for a "
        f"function g of x, g alone for g(x) = 0, or one of SciPy's constraints"
    )


def _linear(matrix: Any) -> Callable[[Nested], list[Operand]]:
    """x ↦ A·x."""
    import numpy as np

    rows = matrix.toarray() if hasattr(matrix, "toarray") else np.atleast_2d(matrix)

    def product(x: Nested) -> list[Operand]:
        numbers = list(flat(x))
        if rows.shape[1] != len(numbers):
            raise ValueError(
                f"minimize: a LinearConstraint has {rows.shape[1]} columns for {len(numbers)} "
                f"numbers of x; give it one for each"
            )
        return [
            functions.dot([float(row[j]) for j in at], [numbers[j] for j in at])
            for row in rows
            for at in [np.flatnonzero(row)]
        ]

    return product


def read_sides(k: int, result: Nested, least: Any, largest: Any) -> tuple[Floats, Floats]:
    """The least and the largest of each number that constraint k returned."""
    what, n = f"the sides of constraint {k}", sum(1 for _ in flat(result))
    least, largest = (flat_like(result, x, f"minimize: {what}") for x in (least, largest))
    return _sides(what, n, least, largest)


def _sides(
    what: str, n: int, least: Iterable[Any], largest: Iterable[Any]
) -> tuple[Floats, Floats]:
    """Two arrays of n numbers, of one for each or one for all; None stands for no bound."""
    import numpy as np

    def side(given: Iterable[Any], missing: float) -> Floats:
        numbers = [missing if x is None else real_number(x, f"minimize: {what}") for x in given]
        if len(numbers) not in (1, n):
            raise ValueError(
                f"minimize: {what}: expected {n} numbers, or one for all, got {len(numbers)}"
            )
        return np.full(n, numbers * (n if len(numbers) == 1 else 1), float)

    low, high = side(least, -math.inf), side(largest, math.inf)
    wrong = np.flatnonzero(~((low <= high) & (low < math.inf) & (high > -math.inf)))  # nan too
    if len(wrong):
        i = int(wrong[0])
        raise ValueError(
            f"minimize: {what}: the least must be at most the largest, with a number in between, "
            f"but those of number {i} are {low[i]} and {high[i]}"
        )
    return low, high
