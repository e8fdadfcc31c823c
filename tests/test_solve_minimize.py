"""`minimize`: known optima by both solvers, and how a run that goes wrong ends."""

from __future__ import annotations

import builtins
import importlib.util
import itertools
import math
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value

pytest.importorskip("scipy")

HAS_IPOPT = importlib.util.find_spec("ipyopt") is not None
SOLVERS: list[Any] = [
    pytest.param("ipopt", marks=pytest.mark.skipif(not HAS_IPOPT, reason="needs ipyopt")),
    "trust-constr",
]
by_both = pytest.mark.parametrize("solver", SOLVERS)


def rosenbrock(x: Any) -> Any:
    return (1.0 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2


# --- known optima ---------------------------------------------------------------------------------


@dataclass
class Known:
    """A problem of W. Hock and K. Schittkowski, Test Examples for Nonlinear Programming Codes,
    Lecture Notes in Economics and Mathematical Systems 187, Springer 1981, by its number there."""

    f: Any
    x0: list[float]
    optimum: float
    x: list[float] | None = None
    constraints: list[Any] = field(default_factory=list)
    bounds: Any = None


def at_least_zero(g: Any) -> Any:
    return g, 0.0, None


S3 = math.sqrt(3.0)
HOCK_SCHITTKOWSKI = {
    6: Known(
        lambda x: (1.0 - x[0]) ** 2,
        [-1.2, 1.0],
        0.0,
        [1.0, 1.0],
        [lambda x: 10.0 * (x[1] - x[0] ** 2)],
    ),
    7: Known(
        lambda x: ag.log(1.0 + x[0] ** 2) - x[1],
        [2.0, 2.0],
        -S3,
        [0.0, S3],
        [(lambda x: (1.0 + x[0] ** 2) ** 2 + x[1] ** 2, 4.0, 4.0)],
    ),
    10: Known(
        lambda x: x[0] - x[1],
        [-10.0, 10.0],
        -1.0,
        [0.0, 1.0],
        [at_least_zero(lambda x: -3.0 * x[0] ** 2 + 2.0 * x[0] * x[1] - x[1] ** 2 + 1.0)],
    ),
    15: Known(
        rosenbrock,
        [-2.0, 1.0],
        306.5,
        [0.5, 2.0],
        [(lambda x: [x[0] * x[1], x[0] + x[1] ** 2], [1.0, 0.0], None)],
        [(None, 0.5), (None, None)],
    ),
    24: Known(
        lambda x: ((x[0] - 3.0) ** 2 - 9.0) * x[1] ** 3 / (27.0 * S3),
        [1.0, 0.5],
        -1.0,
        [3.0, S3],
        [
            at_least_zero(lambda x: [x[0] / S3 - x[1], x[0] + S3 * x[1]]),
            (lambda x: x[0] + S3 * x[1], None, 6.0),
        ],
        (0.0, None),
    ),
    35: Known(
        lambda x: (
            9.0 - 8.0 * x[0] - 6.0 * x[1] - 4.0 * x[2] + 2.0 * x[0] ** 2 + 2.0 * x[1] ** 2
            + x[2] ** 2 + 2.0 * x[0] * x[1] + 2.0 * x[0] * x[2]
        ),
        [0.5, 0.5, 0.5],
        1.0 / 9.0,
        [4.0 / 3.0, 7.0 / 9.0, 4.0 / 9.0],
        [(lambda x: x[0] + x[1] + 2.0 * x[2], None, 3.0)],
        (0.0, None),
    ),
    39: Known(
        lambda x: -x[0],
        [2.0] * 4,
        -1.0,
        [1.0, 1.0, 0.0, 0.0],
        [lambda x: [x[1] - x[0] ** 3 - x[2] ** 2, x[0] ** 2 - x[1] - x[3] ** 2]],
    ),
    40: Known(
        lambda x: -x[0] * x[1] * x[2] * x[3],
        [0.8] * 4,
        -0.25,
        None,
        [
            lambda x: x[0] ** 3 + x[1] ** 2 - 1.0,
            lambda x: [x[0] ** 2 * x[3] - x[2], x[3] ** 2 - x[1]],
        ],
    ),
    43: Known(
        lambda x: (
            x[0] ** 2 + x[1] ** 2 + 2.0 * x[2] ** 2 + x[3] ** 2
            - 5.0 * x[0] - 5.0 * x[1] - 21.0 * x[2] + 7.0 * x[3]
        ),
        [0.0] * 4,
        -44.0,
        [0.0, 1.0, 2.0, -1.0],
        [
            at_least_zero(
                lambda x: [
                    8.0 - ag.dot(x, x) - x[0] + x[1] - x[2] + x[3],
                    10.0 - ag.dot(x, x) - x[1] ** 2 - x[3] ** 2 + x[0] + x[3],
                    5.0 - ag.dot(x[:3], x[:3]) - x[0] ** 2 - 2.0 * x[0] + x[1] + x[3],
                ]
            )
        ],
    ),
    71: Known(
        lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
        [1.0, 5.0, 5.0, 1.0],
        17.0140173,
        [1.0, 4.7429994, 3.8211503, 1.3794082],
        [(lambda x: x[0] * x[1] * x[2] * x[3], 25.0, None), (lambda x: ag.dot(x, x), 40.0, 40.0)],
        (1.0, 5.0),
    ),
    76: Known(
        lambda x: (
            x[0] ** 2 + 0.5 * x[1] ** 2 + x[2] ** 2 + 0.5 * x[3] ** 2 - x[0] * x[2] + x[2] * x[3]
            - x[0] - 3.0 * x[1] + x[2] - x[3]
        ),
        [0.5] * 4,
        -4.681818181,
        None,
        [
            (lambda x: x[0] + 2.0 * x[1] + x[2] + x[3], None, 5.0),
            (lambda x: 3.0 * x[0] + x[1] + 2.0 * x[2] - x[3], None, 4.0),
            (lambda x: x[1] + 4.0 * x[2], 1.5, None),
        ],
        (0.0, None),
    ),
    100: Known(
        lambda x: (
            (x[0] - 10.0) ** 2 + 5.0 * (x[1] - 12.0) ** 2 + x[2] ** 4 + 3.0 * (x[3] - 11.0) ** 2
            + 10.0 * x[4] ** 6 + 7.0 * x[5] ** 2 + x[6] ** 4 - 4.0 * x[5] * x[6]
            - 10.0 * x[5] - 8.0 * x[6]
        ),
        [1.0, 2.0, 0.0, 4.0, 0.0, 1.0, 1.0],
        680.6300573,
        None,
        [
            at_least_zero(
                lambda x: [
                    127.0 - 2.0 * x[0] ** 2 - 3.0 * x[1] ** 4 - x[2] - 4.0 * x[3] ** 2 - 5.0 * x[4],
                    282.0 - 7.0 * x[0] - 3.0 * x[1] - 10.0 * x[2] ** 2 - x[3] + x[4],
                    196.0 - 23.0 * x[0] - x[1] ** 2 - 6.0 * x[5] ** 2 + 8.0 * x[6],
                    -4.0 * x[0] ** 2 - x[1] ** 2 + 3.0 * x[0] * x[1] - 2.0 * x[2] ** 2
                    - 5.0 * x[5] + 11.0 * x[6],
                ]
            )
        ],
    ),
}  # fmt: skip


@pytest.mark.slow
@by_both
@pytest.mark.parametrize("number", HOCK_SCHITTKOWSKI)
def test_known_optima(number: int, solver: Any) -> None:
    known = HOCK_SCHITTKOWSKI[number]
    found = ag.minimize(
        known.f, known.x0, bounds=known.bounds, constraints=known.constraints, solver=solver
    )
    exact = solver == "ipopt"
    if number == 15 and not exact:  # which ends in another local minimum
        assert found.fun == pytest.approx(360.379767, rel=1e-6)
        return
    assert found.success, found.message
    assert found.reason in ("solved", "acceptable")
    assert found.maxcv < 1e-6
    assert found.fun == pytest.approx(known.optimum, rel=1e-6 if exact else 1e-5, abs=1e-6)
    if known.x is not None:
        assert found.x == pytest.approx(known.x, rel=1e-4 if exact else 1e-2, abs=1e-3)
    assert found.nit > 0
    assert found.nfev > 0
    assert found.njev > 0
    assert found.nhev > 0


@by_both
def test_the_multipliers_are_those_of_the_lagrangian(solver: Any) -> None:
    known = HOCK_SCHITTKOWSKI[43]
    found = ag.minimize(known.f, known.x0, constraints=known.constraints, solver=solver)
    g = known.constraints[0][0]
    slopes = np.array(ag.jacobian(g)(found.x))
    assert found.jac + found.multipliers @ slopes == pytest.approx(0.0, abs=1e-4)
    assert found.multipliers == pytest.approx([-1.0, 0.0, -2.0], abs=1e-2)


def test_the_multipliers_of_bounds() -> None:
    pytest.importorskip("ipyopt")
    found = ag.minimize(lambda x: x[0] + x[1] ** 2, [3.0, 3.0], bounds=[(2.0, None), (None, None)])
    low, high = found.bound_multipliers
    assert low == pytest.approx([1.0, 0.0], abs=1e-6)
    assert high == pytest.approx([0.0, 0.0], abs=1e-6)


@by_both
def test_a_chain_with_a_sparse_hessian(solver: Any) -> None:
    n = 30

    def f(x: Any) -> Any:
        pairs = itertools.pairwise(x)
        return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairs])

    found = ag.minimize(f, [0.8] * n, solver=solver)
    assert found.success
    assert found.x == pytest.approx([1.0] * n, rel=1e-4)


# --- structures and arguments ---------------------------------------------------------------------


@by_both
def test_x_has_the_structure_of_x0(solver: Any) -> None:
    scalar = ag.minimize(lambda x: (x - 2.0) ** 2, 0, solver=solver)
    assert type(scalar.x) is float
    assert scalar.x == pytest.approx(2.0)
    nested = ag.minimize(
        lambda x: (x["a"] - 1.0) ** 2 + (x["b"][0] - x["b"][1]) ** 2 + x["b"][1] ** 2,
        {"a": 0.0, "b": (3.0, [4.0][0])},
        solver=solver,
    )
    assert nested.x["a"] == pytest.approx(1.0)
    assert nested.x["b"] == pytest.approx((0.0, 0.0), abs=1e-6)
    target = np.array([[1.0, 2.0], [3.0, 4.0]])
    array = ag.minimize(lambda x: ag.sum(((x - target) ** 2).flat), np.zeros((2, 2)), solver=solver)
    np.testing.assert_allclose(array.x, target, rtol=1e-6)


@by_both
def test_constraints_and_bounds_of_scipy(solver: Any) -> None:
    from scipy.optimize import Bounds, LinearConstraint, NonlinearConstraint, OptimizeResult
    from scipy.sparse import csr_array

    found = ag.minimize(
        lambda x: (x[0] - 3.0) ** 2 + (x[1] - 3.0) ** 2,
        [0.0, 0.0],
        bounds=Bounds([-5.0, -5.0], 5.0),
        constraints=[
            NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, -np.inf, 4.0),
            LinearConstraint(csr_array([[1.0, 0.0]]), -np.inf, 1.0),
        ],
        solver=solver,
    )
    assert isinstance(found, OptimizeResult)
    assert found.x == pytest.approx([1.0, S3], rel=1e-4)
    assert found.constr == pytest.approx([4.0, 1.0], rel=1e-4)


@pytest.mark.slow
@by_both
def test_constraints_as_other_solvers_take_them(solver: Any) -> None:
    def solve(constraints: Any) -> Any:
        return ag.minimize(rosenbrock, [0.0, 0.0], constraints=constraints, solver=solver)

    least = {"type": "ineq", "fun": lambda x, a: a - x[0], "args": (0.25,)}
    same: Any = {"type": "eq", "fun": lambda x: x[0] - x[1] - 0.25, "jac": None}
    assert solve(least).x == pytest.approx([0.25, 0.0625], abs=1e-4)
    assert solve((least, same)).x == pytest.approx([0.25, 0.0], abs=1e-4)
    assert solve((lambda x: x[0] - 0.5, lambda x: x[1] - 0.5)).x == pytest.approx([0.5, 0.5])
    assert solve(iter([same])).x[0] == pytest.approx(solve([same]).x[0])
    assert solve([lambda x: []]).x == pytest.approx([1.0, 1.0], rel=1e-4)


def test_the_sides_of_a_dictionary_belong_to_its_keys() -> None:
    def g(x: Any) -> Any:
        return {"a": x[0], "b": x[1]}

    largest = {"b": 0.1, "a": 0.5}
    found = ag.minimize(rosenbrock, [0.0, 0.0], constraints=(g, None, largest))
    assert found.x == pytest.approx([0.33177, 0.1], abs=1e-4)
    with pytest.raises(ValueError, match="sides of constraint 0: expected the keys"):
        ag.minimize(rosenbrock, [0.0, 0.0], constraints=(g, None, {"a": 0.5, "c": 1.0}))


@by_both
@pytest.mark.filterwarnings("ignore:Singular Jacobian")
def test_equations_of_less_than_full_rank(solver: Any) -> None:
    def solve(c: float) -> Any:
        return ag.minimize(
            lambda x: ag.dot(x, x),
            [3.0, 7.0, 8.0],
            constraints=lambda x: [x[0] + x[1] - 1.0, 2.0 * x[0] + 2.0 * x[1] - c],
            solver=solver,
        )

    assert solve(2.0).x == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)
    assert solve(3.0).reason == "infeasible"


@pytest.mark.parametrize("n", [1, 5])
def test_a_problem_is_recorded_once(n: int) -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append("f")
        return ag.sum([(z - 1.0) ** 4 for z in x])

    def g(x: Any) -> Any:
        calls.append("g")
        return x[0] ** 2

    found = ag.minimize(f, [0.2] * n, constraints=(g, None, 0.25))
    assert found.x[0] == pytest.approx(0.5, abs=1e-6)
    assert calls == ["f", "g"]


@by_both
def test_gradients_in_the_functions_that_select(solver: Any) -> None:
    """An unselected branch has no derivative: the program that follows branches takes over."""

    def energy(z: Any) -> Any:
        return ag.where(z > 0.0, z * z, ag.sqrt(z)) + ag.where(z > 0.5, z**3, ag.sqrt(0.5 - z))

    def f(x: Any) -> Any:
        return (ag.gradient(energy)(x[0]) - 5.0) ** 2 + x[1] ** 2

    found = ag.minimize(f, [0.7, 1.0], solver=solver)
    assert found.success, found.message
    assert found.x == pytest.approx([1.0, 0.0], abs=1e-4)  # 2x + 3x² = 5


@by_both
def test_fixed_numbers_and_a_linear_program(solver: Any) -> None:
    found = ag.minimize(
        lambda x: x[0] + 2.0 * x[1],
        [1.0, 1.0],
        bounds=[(0.0, None), (0.5, 0.5)],
        constraints=(lambda x: x[0] + x[1], 1.0, None),
        solver=solver,
    )
    assert found.x == pytest.approx([0.5, 0.5], abs=1e-5)


def test_values_that_f_closes_over_are_constants() -> None:
    w = Value(3.0)
    found = ag.minimize(lambda x: (x - w) ** 2, 0.0)
    assert found.x == pytest.approx(3.0)
    assert w.grad is None
    with pytest.raises(TypeError, match="depends on"):  # which would be cut off
        ag.gradient(lambda w: ag.minimize(lambda x: (x - w) ** 2, 0.0).x)(3.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"f": 1.0}, TypeError, "minimize: f must be a function"),
        ({"x0": []}, ValueError, "holds no numbers"),
        ({"x0": ["a"]}, TypeError, "minimize: x0"),
        ({"x0": [Value(1.0), 1.0]}, TypeError, "minimize: x0"),
        ({"f": lambda x: x}, TypeError, "minimize: the objective"),
        ({"f": lambda x: x[0] if x[0] > 0.0 else x[1]}, TypeError, "cannot be compiled"),
        ({"bounds": [(0.0, 1.0)] * 3}, ValueError, "for each of the 2 numbers"),
        ({"bounds": (1.0, 0.0)}, ValueError, "the least must be at most the largest"),
        ({"bounds": (math.nan, 0.0)}, ValueError, "the least must be at most the largest"),
        ({"bounds": [("a", 0.0)] * 2}, TypeError, "minimize: bounds: expected a real"),
        ({"constraints": [1.0]}, TypeError, "expected a constraint"),
        (
            {"constraints": (lambda x: x, [0.0] * 3, None)},
            ValueError,
            "constraint 0: expected 2 numbers",
        ),
        ({"constraints": (lambda x: x, 1.0, 0.0)}, ValueError, "the sides of constraint 0"),
        ({"constraints": {"type": "le", "fun": sum}}, ValueError, "'eq' or 'ineq', got 'le'"),
        ({"constraints": lambda x: None}, TypeError, "minimize: constraint 0: expected a real"),
        ({"bounds": 3.0}, ValueError, "expected bounds as a pair"),
        ({"bounds": (math.inf, None)}, ValueError, "with a number in between"),
        ({"tol": 0.0}, ValueError, "tol: expected a number above 0"),
        ({"tol": math.nan}, ValueError, "tol: expected a number above 0"),
        ({"solver": "simplex"}, ValueError, "solver must be 'auto' or one of"),
        ({"max_iterations": 0}, ValueError, "max_iterations"),
        ({"tol": "small"}, TypeError, "minimize: tol"),
        ({"callback": 1.0}, TypeError, "callback must be a function"),
    ],
)
def test_what_is_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ag.minimize(**{"f": rosenbrock, "x0": [0.0, 0.0], **arguments})


def test_it_cannot_be_compiled() -> None:
    with pytest.raises(TypeError, match="minimize cannot be compiled"):
        ag.jit(lambda a: ag.minimize(lambda x: (x - a) ** 2, 0.0).x)([1.0])


def test_without_ipopt_it_is_trust_constr_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    found_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ipyopt" else found_spec(name)
    )
    found = ag.minimize(rosenbrock, [0.0, 0.0])
    assert found.solver == "trust-constr"
    assert "for Ipopt, pip install 'scalar-autograd[ipopt]'" in found.message
    assert "\n" not in found.message
    with pytest.raises(ImportError, match=r"pip install 'scalar-autograd\[ipopt\]'"):
        ag.minimize(rosenbrock, [0.0, 0.0], solver="ipopt")


# --- how runs end ---------------------------------------------------------------------------------


@pytest.mark.slow
@by_both
@pytest.mark.parametrize(
    ("reason", "f", "x0", "constraints"),
    [
        (
            "infeasible",
            lambda x: x[0] + x[1],
            [1.0, 2.0],
            [(lambda x: x[0], 2.0, None), (lambda x: x[0], None, 1.0)],
        ),
        ("infeasible", lambda x: x[0], [1.0, 1.0], [(lambda x: x[0] ** 2 + x[1] ** 2, None, -1.0)]),
        ("unbounded", lambda x: x[0], [1.0, 1.0], []),
        ("unbounded", lambda x: -x[0] * x[1], [1.0, 1.0], []),
        ("nonfinite", lambda x: ag.log(x[0]) + x[1] ** 2, [-1.0, 1.0], []),
        ("nonfinite", lambda x: x[0] ** 2 + x[1] ** 2, [-1.0, 0.0], [lambda x: ag.sqrt(x[0])]),
        ("nonfinite", lambda x: x[0] ** 1.5 + x[1] ** 2, [0.0, 1.0], []),
        ("nonfinite", lambda x: x[0] ** 2 + x[1] ** 2, [math.inf, 0.0], []),
    ],
)
def test_problems_without_a_solution(
    reason: str, f: Any, x0: list[float], constraints: Any, solver: Any
) -> None:
    found = ag.minimize(f, x0, constraints=constraints, solver=solver, max_iterations=300)
    assert found.reason == reason, found.message
    assert not found.success
    assert found.status == {"infeasible": 3, "unbounded": 4, "nonfinite": 5}[reason]
    assert len(found.x) == 2
    assert "\n" not in found.message
    if reason == "infeasible":
        assert found.maxcv >= 0.49


def test_what_is_not_finite_is_named() -> None:
    found = ag.minimize(lambda x: ag.log(x[0]) + x[1] ** 2, [-1.0, 1.0])
    assert "the objective is nan" in found.message
    found = ag.minimize(lambda x: x[0], [-1.0, 1.0], constraints=[lambda x: [x[1], ag.log(x[0])]])
    assert "constraint 1 is nan" in found.message
    assert found.x == [-1.0, 1.0]


@by_both
def test_too_few_iterations(solver: Any) -> None:
    found = ag.minimize(rosenbrock, [-1.2, 1.0], solver=solver, max_iterations=3)
    assert (found.reason, found.status, found.success) == ("iterations", 2, False)
    assert found.fun < rosenbrock([-1.2, 1.0])


@pytest.fixture
def fails_above_half() -> Any:
    return ag.Primitive("fails_above_half", "fails", _below_half, lambda z, x: 1.0)


def _below_half(x: float) -> float:
    if x < 0.5:
        return x
    raise OverflowError("beyond the model")


@by_both
def test_an_exception_in_the_model(solver: Any, fails_above_half: Any) -> None:
    def f(x: Any) -> Any:
        return rosenbrock(x) + 0.0 * fails_above_half(x[0])

    found = ag.minimize(f, [-1.2, 1.0], solver=solver)
    assert (found.reason, found.status, found.success) == ("exception", 6, False)
    assert isinstance(found.exception, ValueError)
    assert "fails_above_half" in found.message
    assert "\n" not in found.message
    assert found.x[0] < 0.5
    assert found.fun == pytest.approx(rosenbrock(found.x))


@by_both
def test_an_exception_at_the_start(solver: Any, fails_above_half: Any) -> None:
    found = ag.minimize(lambda x: fails_above_half(x[0]) ** 2, [0.7], solver=solver)
    assert found.reason == "exception"
    assert "OverflowError" in found.message
    assert found.x == [0.7]
    assert math.isnan(found.fun)


def test_an_exception_while_it_is_recorded_is_raised() -> None:
    def f(x: Any) -> Any:
        raise builtins.LookupError("no such model")

    with pytest.raises(LookupError, match="no such model"):
        ag.minimize(f, [1.0])


@by_both
def test_the_callback(solver: Any) -> None:
    rows: list[Any] = []
    found = ag.minimize(rosenbrock, [-1.2, 1.0], solver=solver, callback=rows.append)
    assert found.success
    assert [row.nit for row in rows] == sorted(row.nit for row in rows)
    assert rows[-1].x == pytest.approx([1.0, 1.0], rel=1e-3)
    assert rows[-1].maxcv == 0.0

    def stop(row: Any) -> None:
        if row.nit == 4:
            raise StopIteration

    found = ag.minimize(rosenbrock, [-1.2, 1.0], solver=solver, callback=stop)
    assert (found.reason, found.status, found.success, found.nit) == ("callback", 8, False, 4)


@by_both
def test_an_exception_in_the_callback(solver: Any) -> None:
    def fail(row: Any) -> None:
        raise ZeroDivisionError("in the callback")

    found = ag.minimize(rosenbrock, [-1.2, 1.0], solver=solver, callback=fail)
    assert found.reason == "exception"
    assert isinstance(found.exception, ZeroDivisionError)


@by_both
def test_a_request_to_exit_in_the_callback_is_obeyed(solver: Any) -> None:
    with pytest.raises(SystemExit):
        ag.minimize(rosenbrock, [-1.2, 1.0], solver=solver, callback=lambda row: sys.exit())


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_wherever_it_comes() -> None:
    """No run ends in an error, even if the interrupt comes while Ipopt's own code runs."""
    pytest.importorskip("ipyopt")
    if not hasattr(signal, "setitimer"):
        pytest.skip("has no timer that sends signals")
    starts: list[float] = []

    def f(x: Any) -> Any:
        return ag.sum([rosenbrock(x[i : i + 2]) for i in range(9)])

    def started(row: Any) -> None:
        if row.nit == 0:
            starts.append(0.0)
            signal.setitimer(signal.ITIMER_REAL, 3e-4 * len(starts))

    before = signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        for _ in range(12):
            found = ag.minimize(f, [-1.2] * 10, solver="ipopt", callback=started, tol=1e-300)
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            assert found.exception is None
            assert found.reason in ("interrupted", "solved", "acceptable", "stuck"), found.message
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
@by_both
def test_two_threads_at_once(solver: Any) -> None:
    def solve(a: float) -> Any:
        return ag.minimize(lambda x: rosenbrock(x) + (x[0] - a) ** 2, [-1.2, 1.0], solver=solver)

    numbers = [0.1 * i for i in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for found, a in zip(pool.map(solve, numbers), numbers, strict=True):
            assert found.success
            assert found.x == solve(a).x


def test_an_option_that_there_is_not() -> None:
    with pytest.raises(TypeError, match="minimize: trust-constr with options"):
        ag.minimize(rosenbrock, [0.0, 0.0], solver="trust-constr", options={"step": 1.0})
    if HAS_IPOPT:
        with pytest.raises(ValueError, match="step"):
            ag.minimize(rosenbrock, [0.0, 0.0], solver="ipopt", options={"step": 1.0})


@by_both
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_it_with_the_latest_point(solver: Any) -> None:
    def interrupt(row: Any) -> None:
        if row.nit == 3:
            signal.raise_signal(signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    found = ag.minimize(rosenbrock, [-1.2, 1.0], solver=solver, callback=interrupt)
    assert (found.reason, found.status, found.success) == ("interrupted", 7, False)
    assert found.exception is None
    assert found.fun < rosenbrock([-1.2, 1.0])
    assert found.x != [-1.2, 1.0]


@by_both
def test_the_progress_line(solver: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ag.minimize(rosenbrock, [-1.2, 1.0], solver=solver, progress=True)
    assert "objective" in capsys.readouterr().err


def test_options_of_the_solver() -> None:
    pytest.importorskip("ipyopt")
    found = ag.minimize(
        rosenbrock, [-1.2, 1.0], solver="ipopt", options={"hessian_approximation": "limited-memory"}
    )
    assert found.success
    assert found.nhev == 0


def test_a_derivative_of_the_result_is_refused_by_name() -> None:
    def least(p: Any) -> Any:
        return ag.minimize(lambda x: (x - p) ** 2, 0.0).x

    with pytest.raises(TypeError, match=r"minimize: .* plain numbers; .* ag\.root"):
        ag.gradient(least)(2.0)
    with ag.no_grad():
        assert least(2.0) == pytest.approx(2.0)
