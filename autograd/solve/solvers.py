"""The solvers behind `minimize`: Ipopt, and SciPy's trust-constr."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autograd.solve.problem import Problem

if TYPE_CHECKING:
    from autograd.solve.problem import Floats

UNBOUNDED = -1e20
"""An objective below this is taken for unbounded: Ipopt takes numbers beyond 1e20 for infinite."""

OUTCOMES = {
    # reason: status, what it says
    "solved": (0, "a local minimum was found"),
    "acceptable": (1, "a local minimum was found, but not to the tolerance that was asked for"),
    "iterations": (2, "the iterations were not enough"),
    "infeasible": (3, "no feasible point was found: the constraints may contradict one another"),
    "unbounded": (4, "the objective falls without bound"),
    "nonfinite": (5, "a value or a derivative is not finite"),
    "exception": (6, "the functions raised an exception"),
    "interrupted": (7, "interrupted"),
    "callback": (8, "stopped by the callback"),
    "stuck": (9, "no step leads further"),
}
"""Why a run ended: `reason`, `status` and `message` of a result."""


@dataclass
class Run:
    """The state of a solver's run.

    Attributes:
        x: the latest iterate.
        n_iterations: how many there were.
        reason: why the run is to end, one of `OUTCOMES`; "" while it goes on.
        detail: more of it, for the message.
        exception: the exception that the functions or the callback raised.
        multipliers: λ of the Lagrangian f + λ·g.
        bound_multipliers: for the lower and the upper bounds of x, if the solver has them.
        solver_status: the solver's own number for the outcome.
    """

    problem: Problem
    report: Callable[[Run, float, float], None]
    x: Floats
    n_iterations: int = 0
    reason: str = ""
    detail: str = ""
    exception: BaseException | None = None
    multipliers: Any = None
    bound_multipliers: Any = None
    solver_status: int = 0
    options: dict[str, Any] = field(default_factory=dict)

    def ended(self, reason: str, detail: str = "") -> None:
        """Record why the run ended; the first reason is kept."""
        if not self.reason:
            self.reason, self.detail = reason, detail

    def failed(self, error: BaseException) -> None:
        """Record an exception as the reason why the run ended."""
        if isinstance(error, KeyboardInterrupt):
            self.ended("interrupted")
        elif not self.reason:
            self.exception = error
            self.ended("exception", f"{type(error).__name__}: {error}")

    def goes_on(self, n_iterations: int, objective: float, violation: float) -> bool:
        """Report an iteration; returns whether to continue."""
        if self.reason:
            return False
        self.n_iterations = n_iterations
        if objective < UNBOUNDED:
            self.ended("unbounded")
        try:
            self.report(self, objective, violation)
        except StopIteration:
            self.ended("callback")
        except BaseException as error:  # it must not pass through compiled code
            self.failed(error)
        return not self.reason


# --- Ipopt ----------------------------------------------------------------------------------------

IPOPT_STATUS = {
    0: "solved",
    6: "solved",  # a feasible point of a square problem
    1: "acceptable",
    2: "infeasible",
    3: "stuck",  # the search direction becomes too small
    4: "unbounded",  # the iterates diverge
    -1: "iterations",
    -2: "stuck",  # the restoration failed
    -3: "stuck",  # no step could be computed
    -13: "nonfinite",
}
"""Ipopt's status (IpReturnCodes_inc.h) as a reason."""

INFINITE = 1e20
"""The bound that Ipopt treats as none."""


def ipopt(run: Run, tol: float, max_iterations: int) -> None:
    """Solve the problem by Ipopt.

    A. Wächter and L. T. Biegler, On the implementation of an interior-point filter line-search
    algorithm for large-scale nonlinear programming, Mathematical Programming 106(1), 2006.
    """
    import ipyopt
    import numpy as np

    problem = run.problem
    n, m = problem.n, problem.m

    def guarded(function: Callable[[], Any], failed: Any) -> Any:
        """The result, or `failed` after an exception: it is kept from Ipopt and ends the run."""
        try:
            return failed if run.reason else function()
        except BaseException as error:
            run.failed(error)
            return failed

    def objective(x: Floats) -> float:
        return float(guarded(lambda: problem.values(x)[0], math.nan))

    def gradient(x: Floats) -> Floats:
        run.x = x.copy()  # Ipopt asks for it once at each iterate
        return problem.gradient(x)

    def filled(function: Callable[..., Floats]) -> Callable[..., None]:
        """The function as Ipopt calls it, with the array to fill as the last argument."""

        def fill(*args: Any) -> None:
            args[-1][:] = guarded(lambda: function(*args[:-1]), math.nan)

        return fill

    def intermediate(_mode: int, iteration: int, f: float, violation: float, *_: float) -> bool:
        return run.goes_on(iteration, f, violation)

    def clipped(x: Floats) -> Floats:
        return np.clip(x, -INFINITE, INFINITE)

    def is_lower(x: Floats) -> bool:
        start = np.clip(problem.start, problem.low, problem.high)
        return bool(problem.values(x)[0] < problem.values(start)[0])

    options: dict[str, Any] = {"print_level": 0, "sb": "yes"}
    solver = ipyopt.Problem(
        *(n, clipped(problem.low), clipped(problem.high)),
        *(m, clipped(problem.lower), clipped(problem.upper)),
        *(problem.jacobian_structure, problem.hessian_structure),
        *(objective, filled(gradient), filled(lambda x: problem.values(x)[1:])),
        *(filled(problem.jacobian), filled(problem.hessian), intermediate),
        ipopt_options=options | {"tol": tol, "max_iter": max_iterations} | run.options,
    )
    multipliers, at_low, at_high = np.zeros(m), np.zeros(n), np.zeros(n)
    x, _, status = solver.solve(run.x.copy(), mult_g=multipliers, mult_x_L=at_low, mult_x_U=at_high)
    run.solver_status = status
    run.multipliers, run.bound_multipliers = multipliers, (at_low, at_high)
    if run.reason not in ("exception", "interrupted"):
        run.x = x
    reason, detail = IPOPT_STATUS.get(status, "stuck"), _ipopt_detail(status, problem)
    if reason == "unbounded" and not guarded(lambda: is_lower(x), False):
        reason, detail = "stuck", "the iterates diverge"
    run.ended(reason, detail)


def _ipopt_detail(status: int, problem: Problem) -> str:
    if status == -10:
        return f"there are more equations than the {problem.n} unknowns"
    if status == -12:
        return "Ipopt does not know an option, or not this value of it"
    return "" if status in IPOPT_STATUS else f"Ipopt's status is {status}"


# --- trust-constr ---------------------------------------------------------------------------------

BARRIER_OPTIONS = "initial_barrier_parameter", "initial_barrier_tolerance"
BARRIER_FACTOR = 0.05

FEASIBLE = 1e-6
"""A point that violates the constraints by no more is feasible; trust-constr approaches them."""


def trust_constr(run: Run, tol: float, max_iterations: int) -> None:
    """Solve the problem by SciPy's `trust-constr`.

    The method detects no infeasible or unbounded problem; its last point is checked for these.
    """
    import numpy as np
    from scipy.optimize import Bounds, NonlinearConstraint, minimize
    from scipy.sparse import csr_array

    problem = run.problem
    n, m = problem.n, problem.m
    run.x = np.clip(run.x, problem.low, problem.high)
    no_multipliers = np.zeros(m)

    def values(x: Floats) -> Floats:
        found = problem.values(x)
        if np.isfinite(found).all():
            return found
        return np.array([math.inf, *no_multipliers])  # never an improvement

    def jacobian(x: Floats) -> Any:
        return csr_array((problem.jacobian(x), problem.jacobian_structure), shape=(m, n))

    def hessian(x: Floats, multipliers: Floats, scale: float) -> Any:
        rows, columns = problem.hessian_structure
        half = problem.hessian(x, multipliers, scale)
        off = rows != columns
        places = np.append(rows, columns[off]), np.append(columns, rows[off])
        return csr_array((np.append(half, half[off]), places), shape=(n, n))

    def after(x: Floats, state: Any) -> bool:
        run.x = x.copy()
        n_iterations = n_before + int(state.nit)
        return not run.goes_on(n_iterations, float(state.fun), float(state.constr_violation))

    constraints = NonlinearConstraint(
        lambda x: values(x)[1:],
        problem.lower,
        problem.upper,
        jac=jacobian,
        hess=lambda x, v: hessian(x, v, 0.0),
    )
    is_bounded = bool(np.isfinite([problem.low, problem.high]).any())
    options = {"gtol": tol, "xtol": tol, "barrier_tol": tol}
    n_before = 0

    def solve(more: dict[str, Any]) -> Any:
        nonlocal n_before
        n_before = run.n_iterations
        left = {"maxiter": max(1, max_iterations - n_before)}
        return minimize(
            lambda x: values(x)[0],
            run.x,
            jac=problem.gradient,
            hess=lambda x: hessian(x, no_multipliers, 1.0),
            constraints=[constraints] if m else [],
            bounds=Bounds(problem.low, problem.high) if is_bounded else None,
            method="trust-constr",
            callback=after,
            options=options | left | more | run.options,
        )

    try:
        if problem.nonfinite(run.x):
            run.ended("nonfinite")
            return
        with np.errstate(all="ignore"):
            found = solve({})
            while found.status == 1 and (barrier := getattr(found, "barrier_parameter", 0.0)) > tol:
                # it takes the optimum for the current barrier for the optimum: go on with less
                lower = barrier * BARRIER_FACTOR
                found = solve(dict.fromkeys(BARRIER_OPTIONS, lower))
    except BaseException as error:  # an exception of the functions, or Ctrl-C
        if isinstance(error, TypeError) and run.options and not run.n_iterations:
            raise TypeError(f"minimize: trust-constr with options {run.options}: {error}") from None
        run.failed(error)
        return
    run.x, run.solver_status = found.x, int(found.status)
    run.multipliers = found.v[0] if m else no_multipliers
    if not problem.violation(run.x) <= max(tol, FEASIBLE):
        run.ended("infeasible", f"after {run.n_iterations} iterations")
    run.ended({0: "iterations", 1: "solved", 2: "solved"}.get(found.status, "stuck"))
