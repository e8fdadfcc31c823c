"""`minimize`: a nonlinear program with exact sparse derivatives."""

from __future__ import annotations

import importlib.util
import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from autograd import recording
from autograd.checks import checked_int, checked_number
from autograd.compiler.jit import BackendName
from autograd.derivatives.structures import Nested
from autograd.solve.problem import Problem
from autograd.solve.solvers import OUTCOMES, Run, ipopt, trust_constr
from autograd.value import Operand

if TYPE_CHECKING:
    from tqdm import tqdm

SolverName: TypeAlias = Literal["auto", "ipopt", "trust-constr"]

Result: TypeAlias = Any
"""A `scipy.optimize.OptimizeResult`."""

SOLVERS: dict[str, Callable[[Run, float, int], None]] = {
    "ipopt": ipopt,
    "trust-constr": trust_constr,
}


def minimize(
    f: Callable[[Nested], Operand],
    x0: Nested,
    *,
    bounds: Any = None,
    constraints: Any = None,
    solver: SolverName = "auto",
    tol: float = 1e-8,
    max_iterations: int = 1000,
    callback: Callable[[Result], object] | None = None,
    progress: bool = False,
    options: Mapping[str, Any] | None = None,
    backend: BackendName = "auto",
) -> Result:
    """A local minimum of f(x), within bounds and constraints on x.

        >>> rosenbrock = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        >>> disk = (lambda x: x[0] ** 2 + x[1] ** 2, None, 1.0)
        >>> result = minimize(rosenbrock, [0.0, 0.0], bounds=(0.0, None), constraints=disk)
        >>> result.x, result.reason
        ([0.7864151509663094, 0.6176983074602644], 'solved')

    The gradient, the Jacobian of the constraints and the Hessian of the Lagrangian are exact and
    sparse (see `sparse_jacobian` and `sparse_hessian`), and compiled. The solver is Ipopt, with the
    extra `ipopt`; without it, trust-constr of SciPy, which takes longer and is less exact. Both
    take f and the constraints to be twice differentiable: at a kink, as that of `abs`, they may get
    stuck.

    Args:
        f: takes x and returns one number, by operations on Values. It is recorded once, as by
            `jit`: it must not branch on numbers. Values that it closes over are constants.
        x0: where to start: a number, or nested lists, tuples and dictionaries of them, or an array,
            the structure in which the functions get x.
        bounds: a pair (least, largest) for each number of x0 in order, or a single pair for all,
            with None for no bound; or `scipy.optimize.Bounds`.
        constraints: one of these, or a list of them:

            - `(g, least, largest)`, a function of x that returns a number or any structure of them,
              and what each may be: a number for all, or one for each, or None for no limit;
            - a function g alone, for g(x) = 0;
            - of SciPy a `NonlinearConstraint`, whose function takes Values, a `LinearConstraint`,
              or a dictionary with "type", "fun" and "args" (derivatives in them are not used).
        solver: "ipopt", "trust-constr", or "auto", which is Ipopt where it is installed.
        tol: the tolerance that the solver ends with, above 0.
        max_iterations: after how many iterations to give up.
        callback: is called after each iteration with a result of `x`, `fun`, `maxcv` and `nit`. If
            it raises `StopIteration`, the run ends.
        progress: whether to show a line with the iteration, the objective and the violation.
        options: further options of the solver, by their names there.
        backend: as for `jit`.

    Returns:
        A `scipy.optimize.OptimizeResult`, with:

        - `x`, in the structure of x0; `fun`, the objective; `jac`, its gradient, flat;
        - `constr`, the numbers of all constraints, flat, and `maxcv`, the largest violation of a
          bound or constraint;
        - `multipliers`, λ of the Lagrangian f + λ·g, and `bound_multipliers`, those of the lower
          and of the upper bounds (None for trust-constr);
        - `success`; `reason`, a word; `status`, its number; `message`, a line. The reasons are
          "solved" 0, "acceptable" 1, "iterations" 2, "infeasible" 3, "unbounded" 4, "nonfinite" 5,
          "exception" 6, "interrupted" 7 (Ctrl-C), "callback" 8 and "stuck" 9. Whatever the reason,
          `x` is the latest point;
        - `exception`, what the functions raised while they ran, or None;
        - `nit`, `nfev`, `njev`, `nhev`, how often it iterated and evaluated; `solver`, and
          `solver_status`, its own number.

    Raises:
        TypeError: if a function cannot be compiled, or an argument is none of the above.
        Exception: what a function raises while it is recorded, before the solver starts.
        ValueError: if there are not as many bounds as numbers of x0, or a least is above the
            largest.
        ImportError: without SciPy, or for `solver="ipopt"` without Ipopt.
    """
    if recording.is_tracing():
        raise recording.cannot_compile("minimize")
    for name, function in (("f", f), ("callback", callback)):
        if not callable(function) and (name == "f" or function is not None):
            raise TypeError(f"minimize: {name} must be a function, got {function!r:.80}")
    solver = _chosen(solver)
    tol = checked_number("minimize: tol", tol, "a number above 0", lambda x: x > 0.0)
    max_iterations = checked_int("minimize: max_iterations", max_iterations)
    problem = Problem(f, x0, bounds, constraints, backend)
    with _line() if progress else nullcontext() as line:
        report = _reporter(callback, line)
        run = Run(problem, report, problem.start.copy(), options=dict(options or {}))
        with _interruptible(run):
            SOLVERS[solver](run, tol, max_iterations)
    if run.exception is not None and not isinstance(run.exception, Exception):
        raise run.exception  # such as SystemExit
    return _result(run, solver)


@contextmanager
def _interruptible(run: Run) -> Iterator[None]:
    """A block in which Ctrl-C ends the run at the next evaluation; a second one raises at once.

    The solvers' own code is not safe to be left by an exception at any place.
    """

    def interrupt(*args: Any) -> None:
        if run.reason:
            signal.default_int_handler(*args)
        run.ended("interrupted")

    is_main = threading.current_thread() is threading.main_thread()
    takes_over = is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if takes_over:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        if takes_over:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _chosen(solver: str) -> Any:
    """The name of the solver to use. Raises an error if it is unknown or not installed."""
    if solver not in ("auto", *SOLVERS):
        names = ", ".join(map(repr, SOLVERS))
        raise ValueError(f"minimize: solver must be 'auto' or one of {names}, got {solver!r}")
    extra = "pip install 'scalar-autograd[ipopt]'"
    if importlib.util.find_spec("scipy") is None:
        raise ImportError(f"minimize needs SciPy: {extra}")
    has_ipopt = importlib.util.find_spec("ipyopt") is not None
    if solver == "ipopt" and not has_ipopt:
        raise ImportError(f"minimize: solver 'ipopt' needs ipyopt: {extra}")
    return ("ipopt" if has_ipopt else "trust-constr") if solver == "auto" else solver


def _line() -> tqdm[Any]:
    """A progress line that is overwritten in place."""
    from tqdm import tqdm  # takes longer to import than a small problem to solve

    return tqdm(bar_format="{desc}")


def _reporter(
    callback: Callable[[Result], object] | None, line: tqdm[Any] | None
) -> Callable[[Run, float, float], None]:
    """The function to call after each iteration, with the objective and the violation."""
    from scipy.optimize import OptimizeResult

    def report(run: Run, objective: float, violation: float) -> None:
        if line is not None:
            text = f"iteration {run.n_iterations}, objective {objective:.8g}"
            line.set_description_str(f"{text}, violation {violation:.2g}")
        if callback is not None:
            x = run.problem.structured(run.x)
            callback(OptimizeResult(x=x, fun=objective, maxcv=violation, nit=run.n_iterations))

    return report


def _result(run: Run, solver: str) -> Result:
    import numpy as np
    from scipy.optimize import OptimizeResult

    problem = run.problem
    try:
        values, gradient = problem.values(run.x), problem.gradient(run.x)
        violation = problem.violation(run.x)
        if run.reason in ("stuck", "iterations", "nonfinite"):
            what = problem.nonfinite(run.x)
            run.reason, run.detail = ("nonfinite", what) if what else (run.reason, run.detail)
    except Exception:  # it raises at the last point, too: that is said already
        values, gradient = np.full(problem.m + 1, math.nan), np.full(problem.n, math.nan)
        violation = math.nan
    status, message = OUTCOMES[run.reason]
    details = [run.detail] if run.detail else []
    details.append("Ipopt" if solver == "ipopt" else "trust-constr of SciPy")
    if solver != "ipopt" and importlib.util.find_spec("ipyopt") is None:
        details[-1] += "; for Ipopt, pip install 'scalar-autograd[ipopt]'"
    return OptimizeResult(
        x=problem.structured(run.x),
        fun=float(values[0]),
        jac=gradient,
        constr=values[1:],
        maxcv=violation,
        multipliers=run.multipliers,
        bound_multipliers=run.bound_multipliers,
        success=status <= 1,
        reason=run.reason,
        status=status,
        message=f"{message} ({'; '.join(details)})",
        exception=run.exception,
        nit=run.n_iterations,
        nfev=problem.calls["values"],
        njev=problem.calls["slopes"],
        nhev=problem.calls["seconds"],
        solver=solver,
        solver_status=run.solver_status,
    )
