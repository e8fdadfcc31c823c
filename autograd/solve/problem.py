"""A nonlinear program as compiled functions: values, first and second derivatives, all exact.

minimize f(x)  subject to  low ≤ x ≤ high  and  lower ≤ g(x) ≤ upper
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd import functions, recording
from autograd.compiler.jit import BackendName, jit
from autograd.derivatives.sparse import Sparse, sparse_hessian_of, sparse_jacobian_of
from autograd.derivatives.structures import Nested, flat, rebuilt
from autograd.primitives import real_number
from autograd.value import Operand, Value

if TYPE_CHECKING:
    import numpy as np

    Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
    Integers: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

Constraint: TypeAlias = "tuple[Callable[[Nested], Nested], Any, Any]"
"""A function of x, and the least and the largest that it may be: numbers, None, or one for each."""


class Problem:
    """The program, of a flat x.

    Three functions are compiled: all values; their sparse Jacobian, whose first row is the gradient
    of f; and the sparse Hessian of the Lagrangian σ·f + λ·g, its lower half.

    Attributes:
        x0: the structure that f and the constraints get x in.
        start: its numbers.
        low, high: the bounds of x.
        lower, upper: the bounds of the constraints.
        n_values, n_jacobians, n_hessians: how often each was evaluated.
        nonfinite: what was the first to be inf or nan, in words; "" if nothing was.
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
        self._lengths: list[int] = []
        self._structures: dict[str, tuple[Integers, Integers]] = {}
        self._values, self._first, self._second = (
            jit(function, backend, in_axes=None)
            for function in (self._recorded, self._jacobian_values, self._hessian_values)
        )
        self.n_values = self.n_jacobians = self.n_hessians = 0
        self.nonfinite = ""
        self._at: dict[str, tuple[bytes, Any]] = {}

        # Recorded, not run: the functions may raise, or be nan, where x0 is.
        recorded = self._values.recorded(self.start)
        for variable in recording.variables():
            if variable in recorded.nodes:
                raise TypeError(
                    f"minimize: f or a constraint depends on {variable!r}, with respect to which a "
                    f"transformation differentiates, but a result of minimize is plain numbers; "
                    f"solve the conditions of a minimum by ag.root, which has derivatives, or call "
                    f"minimize under ag.no_grad()"
                )
        sides = [
            read_sides(constraint, length, k)
            for k, (constraint, length) in enumerate(
                zip(self._constraints, self._lengths, strict=True)
            )
        ]
        self.lower: Floats = np.concatenate([np.zeros(0), *(lower for lower, _ in sides)])
        self.upper: Floats = np.concatenate([np.zeros(0), *(upper for _, upper in sides)])
        self.m = len(self.lower)
        self._first.recorded(self.start)
        self._second.recorded(self.start, np.ones(1 + self.m))
        rows, columns = self._structures["jacobian"]
        self.n_gradient = int(np.searchsorted(rows, 1))  # the first row comes first
        self._gradient_columns = columns[: self.n_gradient]
        self.jacobian_structure = rows[self.n_gradient :] - 1, columns[self.n_gradient :]
        self.hessian_structure = self._structures["hessian"]

    # --- what is recorded

    def _recorded(self, x: Sequence[Value]) -> list[Operand]:
        """f, and then all constraints."""
        structured = rebuilt(self.x0, iter(x))
        results = [list(flat(g(structured))) for g, _, _ in self._constraints]
        self._lengths = list(map(len, results))
        return [_one("the objective", self._f(structured)), *(r for row in results for r in row)]

    def _jacobian_values(self, x: Sequence[Value]) -> list[Operand]:
        return self._sparse("jacobian", sparse_jacobian_of(self._recorded, (x,), 0, {}))

    def _hessian_values(self, x: Sequence[Value], weights: Sequence[Value]) -> list[Operand]:
        return self._sparse("hessian", sparse_hessian_of(self._lagrangian, (x, weights), 0, {}))

    def _sparse(self, name: str, found: Sparse) -> list[Operand]:
        """The values to be compiled; where they stand is known from now on."""
        import numpy as np

        structure = np.array(found.rows, np.int64), np.array(found.columns, np.int64)
        self._structures.setdefault(name, structure)
        return found.values

    def _lagrangian(self, x: Sequence[Value], weights: Sequence[Value]) -> Operand:
        return functions.dot(weights, self._recorded(x))

    # --- numbers

    def values(self, x: Floats) -> Floats:
        """f and the constraints."""
        import numpy as np

        def compute() -> Floats:
            self.n_values += 1
            found: Floats = np.asarray(self._values(x))
            self._look_at("the objective", "constraint", found)
            return found

        return self._kept("values", x, compute)

    def gradient(self, x: Floats) -> Floats:
        """∂f/∂x."""
        import numpy as np

        dense = np.zeros(self.n)
        dense[self._gradient_columns] = self._slopes(x)[: self.n_gradient]
        self._look_at("the gradient", "a derivative", dense)
        return dense

    def jacobian(self, x: Floats) -> Floats:
        """The nonzeros of ∂g/∂x, in the order of `jacobian_structure`."""
        found: Floats = self._slopes(x)[self.n_gradient :]
        self._look_at("the Jacobian of the constraints", "a derivative", found)
        return found

    def hessian(self, x: Floats, multipliers: Floats, scale: float) -> Floats:
        """The nonzeros of the lower half of ∂²(scale·f + multipliers·g)/∂x²."""
        import numpy as np

        self.n_hessians += 1
        found: Floats = np.asarray(self._second(x, np.append(scale, multipliers)))
        self._look_at("the Hessian", "a derivative", found)
        return found

    def violation(self, x: Floats) -> float:
        """By how much the point is outside of a bound or a constraint at most."""
        import numpy as np

        g = self.values(x)[1:]
        parts = self.low - x, x - self.high, self.lower - g, g - self.upper
        return float(max(0.0, *(part.max(initial=0.0) for part in map(np.asarray, parts))))

    def structured(self, x: Floats) -> Nested:
        """The point in the structure of x0."""
        return rebuilt(self.x0, iter(x.tolist()))

    def _slopes(self, x: Floats) -> Floats:
        import numpy as np

        def compute() -> Floats:
            self.n_jacobians += 1
            return np.asarray(self._first(x), float)

        return self._kept("slopes", x, compute)

    def _kept(self, name: str, x: Floats, compute: Callable[[], Floats]) -> Floats:
        """The latest result, if it was of the same x: solvers ask for parts one after another."""
        key = x.tobytes()
        latest = self._at.get(name)
        if latest is None or latest[0] != key:
            latest = self._at[name] = key, compute()
        found: Floats = latest[1]
        return found

    def _look_at(self, first: str, others: str, numbers: Floats) -> None:
        """Note the first number that is inf or nan."""
        import numpy as np

        if self.nonfinite or np.isfinite(numbers).all():
            return
        i = int(np.flatnonzero(~np.isfinite(numbers))[0])
        what = first if i == 0 or others == "a derivative" else f"{others} {i - 1}"
        self.nonfinite = f"{what} is {numbers[i]}"


def _one(what: str, result: object) -> Operand:
    if isinstance(result, Value):
        return result
    return real_number(result, f"minimize: {what}", several="add them up")


# --- arguments ------------------------------------------------------------------------------------


def read_bounds(bounds: Any, n: int) -> tuple[Floats, Floats]:
    """The least and the largest of each number of x.

    Raises:
        ValueError: for another number of bounds, or a least above the largest.
        TypeError: for anything else.
    """
    import numpy as np

    if bounds is None:
        return np.full(n, -math.inf), np.full(n, math.inf)
    if hasattr(bounds, "lb"):  # scipy.optimize.Bounds
        low, high = side(bounds.lb, n, -math.inf), side(bounds.ub, n, math.inf)
    else:
        pairs = list(bounds)
        if len(pairs) == 2 and not any(hasattr(x, "__len__") for x in pairs):
            pairs = [tuple(pairs)] * n  # one pair for all
        if len(pairs) != n or any(not hasattr(p, "__len__") or len(p) != 2 for p in pairs):
            raise ValueError(
                f"minimize: expected bounds as a pair (least, largest) for each of the {n} numbers "
                f"of x0, or a single pair for all, got {bounds!r:.80}"
            )
        low = side([p[0] for p in pairs], n, -math.inf)
        high = side([p[1] for p in pairs], n, math.inf)
    check_order("bounds", "number", low, high)
    return low, high


def read_constraints(constraints: Any) -> list[Constraint]:
    """All constraints, as functions and what they may be.

    Raises:
        TypeError: for what is none.
    """
    if constraints is None:
        return []
    is_one = callable(constraints) or hasattr(constraints, "lb")
    is_one |= isinstance(constraints, tuple) and bool(constraints) and callable(constraints[0])
    return list(map(_constraint, [constraints] if is_one else constraints))


def _constraint(given: Any) -> Constraint:
    if isinstance(given, tuple) and len(given) == 3 and callable(given[0]):
        return given
    if hasattr(given, "lb") and hasattr(given, "fun"):  # scipy.optimize.NonlinearConstraint
        return given.fun, given.lb, given.ub
    if hasattr(given, "lb") and hasattr(given, "A"):  # scipy.optimize.LinearConstraint
        return _linear(given.A), given.lb, given.ub
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


def read_sides(constraint: Constraint, length: int, k: int) -> tuple[Floats, Floats]:
    """The least and the largest of each of a constraint's numbers."""
    _, lower, upper = constraint
    try:
        sides = side(lower, length, -math.inf), side(upper, length, math.inf)
    except ValueError as error:
        raise ValueError(f"minimize: constraint {k} returns {length} numbers: {error}") from None
    check_order(f"the sides of constraint {k}", "number", *sides)
    return sides


def side(given: Any, n: int, missing: float) -> Floats:
    """n numbers, of one for each or one for all; None stands for no bound."""
    import numpy as np

    items: Iterator[Any] = flat(given)
    numbers = [missing if x is None else real_number(x, "minimize: a bound") for x in items]
    if len(numbers) not in (1, n):
        raise ValueError(f"expected {n} bounds, or one for all, got {len(numbers)}")
    return np.full(n, numbers * (n if len(numbers) == 1 else 1), float)


def check_order(what: str, item: str, low: Floats, high: Floats) -> None:
    """Raise ValueError unless each is at most the other."""
    import numpy as np

    wrong = np.flatnonzero(~(low <= high))  # nan too
    if len(wrong):
        i = int(wrong[0])
        raise ValueError(
            f"minimize: {what}: the least must be at most the largest, but those of {item} {i} "
            f"are {low[i]} and {high[i]}"
        )
