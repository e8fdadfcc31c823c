"""Sparse Jacobians and Hessians: numbers and patterns against the dense ones."""

from __future__ import annotations

import copy
import math
import pickle
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.operators import CONDITIONS
from autograd.primitives import TABLE
from tests import sparse_problems as problems
from tests.sparse_problems import Problem

PROBLEMS = [
    problems.rosenbrock(9),
    problems.springs(4),
    problems.cart_pole(5),
    problems.van_der_pol(6),
    problems.power_flow("5 buses", problems.five_buses()),
    problems.power_flow("14 buses", problems.fourteen_buses()),
    problems.bundle_adjustment(2, 3, 6),
    problems.decay(12),
]
each_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
with_constraints = pytest.mark.parametrize(
    "problem", [p for p in PROBLEMS if p.constraints is not None], ids=lambda p: p.name
)


def dense(structure: Any, values: Any, shape: tuple[int, int], is_lower: bool = False) -> Any:
    matrix = np.zeros(shape)
    matrix[structure] = values
    return matrix + np.tril(matrix, -1).T if is_lower else matrix


def agree(found: Any, wanted: Any) -> None:
    scale = np.abs(wanted).max(initial=0.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-13 * scale)


@pytest.mark.slow
@each_problem
def test_hessians_of_lagrangians(problem: Problem) -> None:
    x, v = np.array(problem.point), problem.multipliers()
    hessian = ag.sparse_hessian(lambda x, v: problem.lagrangian(ag, x, v))
    wanted = np.array(ag.hessian(lambda x: problem.lagrangian(ag, x, v))(problem.point))
    found = hessian(x, v)
    assert found.format == "csr"
    agree(found.toarray(), wanted)
    structure = hessian.structure(x, v)
    agree(dense(structure, hessian.values(x, v), wanted.shape, is_lower=True), wanted)
    assert (structure[0] >= structure[1]).all()
    assert found.nnz == 2 * len(structure[0]) - (structure[0] == structure[1]).sum()
    assert found.has_canonical_format


@with_constraints
def test_jacobians(problem: Problem) -> None:
    jacobian = ag.sparse_jacobian(lambda x: problem.constraints(ag, x))  # type: ignore[misc]
    wanted = np.array(ag.jacobian(lambda x: problem.constraints(ag, x))(problem.point))  # type: ignore[misc]
    found = jacobian(problem.point)
    agree(found.toarray(), wanted)
    agree(dense(jacobian.structure(problem.point), found.data, wanted.shape), wanted)


@pytest.mark.parametrize("problem", PROBLEMS[:6], ids=lambda p: p.name)
def test_patterns_are_those_of_the_mathematics(problem: Problem) -> None:
    """An entry that is 0 at three random points is 0, and no other one is left out."""
    v = problem.multipliers()
    shape = len(problem.point), len(problem.point)
    source = random.Random(0)
    nonzero = np.zeros(shape, bool)
    hessian = ag.jit(ag.hessian(lambda x: problem.lagrangian(ag, x, v)), "python")
    for _ in range(3):
        point = [x + source.uniform(0.01, 0.1) for x in problem.point]
        nonzero |= np.reshape(hessian(np.array([point])), shape) != 0.0
    sparse = ag.sparse_hessian(lambda x: problem.lagrangian(ag, x, v))
    rows, columns = sparse.structure(problem.point)
    pattern = np.zeros(shape, bool)
    pattern[rows, columns] = pattern[columns, rows] = True
    assert (pattern == nonzero).all()


# --- every row ------------------------------------------------------------------------------------

NO_FUNCTION = {*CONDITIONS, "given_partial"}  # of the last, the second derivatives can be anything
ROWS = [name for name in TABLE if name not in NO_FUNCTION and not name.startswith("polygamma")]


def test_partials_given_by_hand() -> None:
    """They are those of some function; else there is no symmetric matrix."""

    def product(x: Any, y: Any) -> Any:
        return ag.custom(x * ag.exp(y), [x, y], [ag.exp(y), x * ag.exp(y)])

    def f(v: Any) -> Any:
        total = product(product(v[0], v[1]), v[2] * v[0]) ** 2
        return total + ag.custom(v[2] ** 2, v[2], 2.0 * v[2]) + ag.custom(0.0, v[0], v[0])

    x = [0.7, -0.3, 0.4]
    wanted = np.array(ag.hessian(f)(x))
    agree(wanted, wanted.T)
    agree(ag.sparse_hessian(f)(x).toarray(), wanted)
    agree(ag.sparse_jacobian(f)(x).toarray(), np.array([ag.gradient(f)(x)]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_every_row(name: str) -> None:
    """Nested, repeated and mixed with numbers."""
    row = TABLE[name]
    n = row.arity or 4

    def f(x: Any) -> Any:
        inner = [0.3 * x[i] * x[i + 1] + 0.1 * x[i] for i in range(n)]
        if name == "where":
            inner[0] = x[0] > 1.0
        z = row(*inner)
        total = z * z * x[0] + z
        if name != "where":
            total = total + row(*[inner[0]] * n) * row(*inner[:1], *[1.25] * (n - 1)) * x[1]
        return total

    source = random.Random(name)
    low = 3.0 if name == "acosh" else 0.5
    x = [source.uniform(low, low + 0.6) for _ in range(n + 1)]
    wanted = np.array(ag.hessian(f)(x))
    found = ag.sparse_hessian(f, backend="python")(x).toarray()
    agree(found, wanted)
    gradient = np.array([ag.gradient(f)(x)])
    agree(ag.sparse_jacobian(f, backend="python")(x).toarray(), gradient)


# --- patterns -------------------------------------------------------------------------------------


def pattern(structure: Any) -> list[tuple[int, int]]:
    return list(zip(*(x.tolist() for x in structure), strict=True))


def test_what_cannot_depend_is_left_out() -> None:
    def f(x: Any) -> Any:
        constant = ag.stop_gradient(x[0] * x[1])
        stepped = ag.floor(x[2]) * x[0]
        return [constant, stepped, x[1] - x[1] + x[2], 5.0, ag.where(x[0] > 0.0, x[1], 2.0)]

    assert pattern(ag.sparse_jacobian(f).structure([1.0, 2.0, 3.0])) == [(1, 0), (2, 2), (4, 1)]


def test_linear_functions_have_no_hessian() -> None:
    hessian = ag.sparse_hessian(lambda x: 2.0 * x[0] - x[1] / 3.0 + ag.relu(x[2]) + 1.0)
    assert pattern(hessian.structure([1.0, 2.0, 3.0])) == []
    assert hessian.values([1.0, 2.0, 3.0]).shape == (0,)
    assert hessian([1.0, 2.0, 3.0]).nnz == 0
    assert hessian([1.0, 2.0, 3.0]).shape == (3, 3)


def test_numbers_as_results() -> None:
    assert ag.sparse_hessian(lambda x: 3.0)([1.0]).nnz == 0
    assert ag.sparse_jacobian(lambda x: [3.0, x[0]])([1.0]).toarray().tolist() == [[0.0], [1.0]]


def test_the_pattern_does_not_depend_on_the_point() -> None:
    jacobian = ag.sparse_jacobian(lambda x: [x[0] * x[1]])
    assert pattern(jacobian.structure([0.0, 0.0])) == [(0, 0), (0, 1)]
    assert jacobian.values([0.0, 3.0]).tolist() == [3.0, 0.0]


def test_powers_leave_nothing_behind() -> None:
    def operations(f: Any) -> int:
        hessian = ag.sparse_hessian(f)
        hessian.values([2.0])
        return str(hessian.program).count("pow") + str(hessian.program).count("**")

    assert operations(lambda x: x[0] ** 2 + 3.0 * x[0] ** 1) == 0
    assert operations(lambda x: x[0] ** 3) == 0
    assert ag.sparse_hessian(lambda x: x[0] ** 5).values([2.0]).tolist() == [160.0]


# --- branches -------------------------------------------------------------------------------------

Point = list[float]

BRANCHES: dict[str, tuple[Any, list[Point]]] = {
    "log": (lambda v: ag.where(v[0] > 0.0, ag.log(v[0]), 0.0 * v[0]) * v[1], [[0.0, 2.0]]),
    "root": (lambda v: ag.where(v[0] > 0.0, ag.sqrt(v[0]), 0.0) ** 2 * v[1], [[0.0, 2.0]]),
    "quotient": (
        lambda v: ag.where(v[0] > 0.0, v[0] * v[1] / v[0], v[0]) * v[1],
        [[0.0, 2.0], [1.0, 2.0]],
    ),
    "sinc": (
        lambda v: ag.where(abs(v[0]) > 0.0, ag.sin(v[0]) / v[0], 1.0) * v[1],
        [[0.0, 2.0], [0.5, 2.0]],
    ),
    "root of relu": (lambda v: ag.sqrt(ag.relu(v[0])) * v[1] ** 2, [[-1.0, 2.0], [2.0, 2.0]]),
    "maximum": (
        lambda v: ag.maximum(v[0], v[1]) ** 2 * ag.maximum(v[0], v[0] ** 2),
        [[1.0, 2.0], [3.0, 2.0], [2.0, 2.0], [0.5, 0.5]],
    ),
    "overflow": (lambda v: ag.minimum(v[0] * v[1], ag.exp(v[0] ** 2)) * v[1], [[100.0, 2.0]]),
    "nested": (
        lambda v: (
            ag.where(
                v[0] > 0.0,
                ag.where(v[1] > 0.0, ag.log(v[0]) * ag.sqrt(v[1]), v[0] * v[1]),
                ag.where(v[1] > 0.0, ag.sqrt(v[1]) ** 3, ag.sqrt(-v[0]) * ag.sin(v[1])),
            )
            * (v[0] + v[1] ** 2)
        ),
        [[1.0, 2.0], [1.0, -2.0], [-1.0, 2.0], [-1.0, -2.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
    ),
    "both branches": (
        lambda v: ag.where(v[0] > 1.0, ag.sqrt(v[0] - 1.0), ag.sqrt(1.0 - v[0])) * ag.sin(v[1]),
        [[2.0, 0.5], [-2.0, 0.5]],
    ),
    "take": (
        lambda v: (
            ag.take([v[0] ** 2 * v[1], ag.log(v[0]) * v[1]], ag.where(v[0] > 0.0, 1.0, 0.0)) ** 2
        ),
        [[2.0, 0.5], [-2.0, 0.5], [0.0, 1.0]],
    ),
    "clip": (lambda v: ag.clip(v[0] ** 3, v[1], 4.0) ** 2, [[1.5, 2.0], [1.0, 2.0], [3.0, 2.0]]),
    "abs": (lambda v: abs(v[0]) ** 3 * v[1], [[0.0, 2.0], [-1.5, 2.0]]),
    "power": (lambda v: v[0] ** v[1], [[0.0, 3.0], [1.5, 2.0]]),
    "a nan that takes part": (lambda v: ag.sqrt(v[0]) ** 2 * v[1], [[0.0, 2.0]]),
    "a length at its kink": (lambda v: ag.hypot(v[0], v[1]) * v[0], [[0.0, 0.0], [3.0, 4.0]]),
}
each_backend = pytest.mark.parametrize(
    "backend", ["python", pytest.param("llvm", marks=pytest.mark.slow)]
)


@each_backend
@pytest.mark.parametrize(("f", "points"), BRANCHES.values(), ids=BRANCHES)
def test_unselected_branches_contribute_nothing(f: Any, points: list[Point], backend: Any) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite")
    hessian = ag.sparse_hessian(f, backend=backend)
    jacobian = ag.sparse_jacobian(lambda v: [f(v), v[0] * f(v)], backend=backend)
    for point in points:
        wanted = np.array(ag.hessian(f)(point))
        np.testing.assert_allclose(hessian(point).toarray(), wanted, rtol=1e-13, atol=1e-15)
        wanted = np.array(ag.jacobian(lambda v: [f(v), v[0] * f(v)])(point))
        np.testing.assert_allclose(jacobian(point).toarray(), wanted, rtol=1e-13, atol=1e-15)
    batch = np.array(points)
    by_point = [hessian.values(point) for point in points]
    np.testing.assert_array_equal(hessian.values(batch), by_point)


@pytest.mark.parametrize(("f", "points"), BRANCHES.values(), ids=BRANCHES)
def test_at_values_too(f: Any, points: list[Point]) -> None:
    hessian = ag.sparse_hessian(f)
    for point in points:
        found = hessian.values([Value(x) for x in point])
        assert all(isinstance(x, Value) for x in found)
        numbers = [x.data for x in found]
        np.testing.assert_allclose(numbers, hessian.values(point), rtol=1e-14, atol=1e-300)


def test_the_derivative_of_a_selection_is_one_selection() -> None:
    jacobian = ag.sparse_jacobian(lambda x: [ag.where(x[0] > 0.0, ag.sin(x[1]), x[1] * x[1])])
    assert jacobian.values([1.0, 2.0]).tolist() == [math.cos(2.0)]
    assert jacobian.values([-1.0, 2.0]).tolist() == [4.0]
    assert str(jacobian.program).count(" if ") == 1


def test_a_function_of_many_pieces() -> None:
    def f(v: list[Any]) -> Any:
        piece = v[1]
        for i in range(1000):
            piece = ag.where(v[0] > float(i), ag.sin(v[1]) * float(i) + v[0] * v[0], piece)
        return piece

    x, y = 3.5, 1.0
    jacobian = ag.sparse_jacobian(lambda v: [f(v)]).values([x, y])
    assert list(jacobian) == [2.0 * x, math.cos(y) * 3.0]
    assert list(ag.sparse_hessian(f).values([x, y])) == [2.0, -math.sin(y) * 3.0]


# --- composition ----------------------------------------------------------------------------------


def cubic(x: Any) -> Any:
    return x[0] ** 3 * x[1] + ag.sin(x[1]) * x[0]


def test_values_of_values_can_be_differentiated_again() -> None:
    hessian = ag.sparse_hessian(cubic)
    third = ag.jacobian(hessian.values)([1.5, 2.0])
    wanted = ag.jacobian(ag.hessian(cubic))([1.5, 2.0])
    agree(np.array(third), np.array([wanted[0][0], wanted[1][0], wanted[1][1]]))


@pytest.mark.parametrize("factor", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("kind", [ag.sparse_jacobian, ag.sparse_hessian])
def test_inside_jit_the_values_belong_to_the_structure(kind: Any, factor: float) -> None:
    def f(x: Any, c: Any) -> Any:  # whose first entry is 0 if c is, but stays an entry
        return c * x[0] ** 3 + x[0] * x[1] + x[1] ** 3

    sparse = kind(f)
    (found,) = ag.jit(lambda x: sparse.values([x, 0.0], factor), "python")([3.0])
    assert found == sparse.values([3.0, 0.0], factor).tolist()
    (slopes,) = ag.jit(ag.jacobian(lambda x: sparse.values([x, 1.0], factor)), "python")([3.0])
    assert slopes == ag.jacobian(lambda x: sparse.values([x, 1.0], factor))(3.0)


def test_inside_jit() -> None:
    hessian = ag.sparse_hessian(cubic)
    trace = ag.jit(lambda x: hessian.values(x)[0] + hessian.values(x)[2])
    wanted = np.trace(ag.hessian(cubic)([1.5, 2.0]))
    assert trace([[1.5, 2.0]])[0] == pytest.approx(wanted, rel=1e-14)
    slope = ag.jit(ag.gradient(lambda x: ag.sum(hessian.values(x))))
    wanted = ag.gradient(lambda x: ag.sum(hessian.values(x)))([1.5, 2.0])
    assert slope([[1.5, 2.0]])[0] == pytest.approx(wanted, rel=1e-14)
    with pytest.raises(TypeError, match="no SciPy matrix of Values"):
        ag.jit(hessian)([[1.5, 2.0]])


def test_of_a_function_that_takes_a_gradient() -> None:
    def f(x: Any) -> Any:
        slope = ag.gradient(cubic)(x)
        return slope[0] * slope[1] + x[0]

    agree(ag.sparse_hessian(f)([1.5, 2.0]).toarray(), np.array(ag.hessian(f)([1.5, 2.0])))
    newton = ag.sparse_jacobian(ag.gradient(cubic))
    agree(newton([1.5, 2.0]).toarray(), np.array(ag.hessian(cubic)([1.5, 2.0])))
    inner = ag.sparse_hessian(lambda x: ag.sum(ag.sparse_hessian(cubic).values(x)))
    wanted = ag.hessian(lambda x: ag.sum(ag.sparse_hessian(cubic).values(x)))([1.5, 2.0])
    agree(inner([1.5, 2.0]).toarray(), np.array(wanted))


def test_a_gradient_of_an_unselected_branch_inside() -> None:
    def g(x: Any) -> Any:
        return ag.where(x[0] > 0.0, ag.sqrt(x[0]) * x[1], x[0] * x[1] ** 2)

    def f(x: Any) -> Any:
        return ag.dot(ag.gradient(g)(x), x)

    for point in ([0.0, 2.0], [2.0, 3.0], [-1.0, 1.0]):
        hessian = ag.sparse_hessian(f)
        agree(hessian(point).toarray(), np.array(ag.hessian(f)(point)))
        found = hessian.values([Value(x) for x in point])  # fewer nodes, the same places
        agree(np.array([x.data for x in found]), hessian.values(point))


def test_leaves_that_are_closed_over_are_read_at_each_call() -> None:
    w = Value(3.0)
    hessian = ag.sparse_hessian(lambda x: w * x[0] ** 2 * x[1])
    assert hessian.values([1.0, 2.0]).tolist() == [12.0, 6.0]
    w.data = 1.0
    assert hessian.values([1.0, 2.0]).tolist() == [4.0, 2.0]
    assert w.grad is None


def test_a_derivative_by_what_is_closed_over_is_not_cut_off() -> None:
    def total(w: Any) -> Any:
        return ag.sum(ag.sparse_hessian(lambda x: w**2 * x[0] ** 2 * x[1]).values([1.0, 2.0]))

    assert ag.gradient(total)(3.0) == 36.0
    assert ag.jit(ag.gradient(total))([3.0]) == [36.0]
    inside = ag.sparse_hessian(lambda x: x[0] ** 2)
    assert ag.gradient(lambda w: w * ag.sum(inside.values([5.0])))(3.0) == 2.0
    with pytest.raises(TypeError, match=r"use `.values"):
        ag.gradient(lambda w: ag.sparse_hessian(lambda x: w * x[0] ** 2)([1.0]).sum())(3.0)


def test_under_no_grad() -> None:
    hessian = ag.sparse_hessian(cubic)
    with ag.no_grad():
        assert isinstance(hessian.values([1.0, 2.0]), np.ndarray)
        found = hessian.values([Value(1.0), Value(2.0)])
    assert [x.args for x in found] == [(), (), ()]


def test_parameters_keep_their_grad() -> None:
    model = ag.MLP(2, [3, 1], "tanh", seed=0)
    hessian = ag.sparse_hessian(model)([0.5, 0.25]).toarray()
    with ag.no_grad():
        agree(hessian, np.array(ag.hessian(model)([0.5, 0.25])))
    assert all(p.grad is None for p in model.parameters())


# --- arguments ------------------------------------------------------------------------------------


def test_further_arguments_are_constants() -> None:
    recorded = []

    def f(x: Any, v: Any, scale: Any) -> Any:
        recorded.append(1)
        return scale * ag.dot(v, [x[0] * x[1], x[2] ** 2])

    hessian = ag.sparse_hessian(f)
    for v, scale in (([1.0, 2.0], 3.0), ([0.5, 0.25], 1.0)):
        matrix = hessian([1.0, 2.0, 3.0], v, scale).toarray()
        assert matrix.tolist() == [
            [0.0, scale * v[0], 0.0],
            [scale * v[0], 0.0, 0.0],
            [0.0, 0.0, 2.0 * scale * v[1]],
        ]
    assert len(recorded) == 1


def test_a_function_that_is_replaced_in_a_constant_is_recorded_anew() -> None:
    """Also if it is at the address of one that is gone."""

    def times(k: int) -> Any:
        return lambda x: float(k) * x

    jacobian = ag.sparse_jacobian(lambda x, *, g: [g[0](x[0])])
    holder: list[Any] = [None]
    for k in range(1, 30):
        holder[0] = times(k)
        assert jacobian.values([1.0], g=holder).tolist() == [float(k)]


def test_arguments_given_by_name() -> None:
    def f(x: Any, *, n: int, weights: Any) -> Any:
        return ag.sum([w * x[i] ** 2 for i, w in zip(range(n), weights, strict=True)])

    hessian = ag.sparse_hessian(f)
    weights = [1.0, 2.0]
    assert hessian([1.0, 1.0], n=2, weights=weights).diagonal().tolist() == [2.0, 4.0]
    weights[0] = 5.0  # the same list with another number in it
    assert hessian([1.0, 1.0], n=2, weights=weights).diagonal().tolist() == [10.0, 4.0]
    assert hessian([1.0, 1.0], n=1, weights=np.ones(1)).diagonal().tolist() == [2.0, 0.0]


class Scaled:
    """A term that is called, and holds a number."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: Any) -> Any:
        return self.factor * x**2


def test_a_callable_object_is_known_by_what_it_holds() -> None:
    def f(x: Any, *, term: Any) -> Any:
        recorded.append(1)
        return ag.sum([term(xi) for xi in x])

    recorded: list[int] = []
    hessian, term = ag.sparse_hessian(f), Scaled(1.0)
    for factor in (1.0, 1.0, 3.0):
        term.factor = factor
        assert hessian([1.0, 1.0], term=term).diagonal().tolist() == [2.0 * factor] * 2
    assert len(recorded) == 2
    model = ag.MLP(2, [1], seed=1)  # whose parameters are read at each call
    n_recorded = len(recorded)
    values = ag.sparse_jacobian(lambda x, *, model: recorded.append(1) or model(x)).values
    for weight in (2.0, 3.0):
        model.parameters()[0].data = weight
        slopes = [slope.data for slope in ag.gradient(model)([1.0, 1.0])]
        assert values([1.0, 1.0], model=model).tolist() == slopes
    assert len(recorded) == n_recorded + 1


@pytest.mark.parametrize("argnums", [(0, 1), None, (1, 0), 1])
def test_argnums(argnums: Any) -> None:
    def g(x: Any, y: Any) -> Any:
        return [x[0] * y["a"], x[1] ** 2 + y["b"]]

    x, y = [2.0, 3.0], {"a": 5.0, "b": 7.0}
    found = ag.sparse_jacobian(g, argnums)(x, y).toarray()
    by_x, by_y = np.array([[5.0, 0.0], [0.0, 6.0]]), np.array([[2.0, 0.0], [0.0, 1.0]])
    order = {(0, 1): [by_x, by_y], None: [by_x, by_y], (1, 0): [by_y, by_x], 1: [by_y]}
    assert (found == np.hstack(order[argnums])).all()


def test_structures_go_in_as_they_are() -> None:
    def f(x: Any) -> Any:
        seen.append(type(x))
        return x[0] * x[1]

    seen: list[type] = []
    hessian = ag.sparse_hessian(f)
    hessian.values([1.0, 2.0])
    hessian.values((1.0, 2.0))
    hessian.values(np.array([1.0, 2.0]))
    assert seen == [list, tuple, np.ndarray]
    nested = ag.sparse_hessian(lambda x: x[0][0] * x[1][1])
    assert pattern(nested.structure([[1.0, 2.0], [3.0, 4.0]])) == [(3, 0)]
    number = ag.sparse_hessian(lambda x: x**3)
    assert number(2.0).toarray().tolist() == [[12.0]]
    vector = ag.sparse_hessian(lambda x: ag.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2))
    assert vector(np.ones(4)).nnz == 10


def test_any_kind_of_number() -> None:
    hessian = ag.sparse_hessian(lambda x: x[0] ** 3 * x[1])
    wanted = [12.0, 12.0]
    for x in ([2, 1], [np.float32(2), True], np.array([2, 1]), np.array([2, 1], np.int8)):
        assert hessian.values(x).tolist() == wanted
    assert hessian.values([10**400, 1]).tolist() == [math.inf, math.inf]


def test_arrays_of_any_layout() -> None:
    jacobian = ag.sparse_jacobian(lambda x, a: [x[0] * a[1], x[1] ** 2 * a[0]])
    x, a = np.arange(8.0).reshape(2, 4), np.arange(6.0)
    wanted = jacobian.values([1.0, 3.0], [1.0, 4.0])
    np.testing.assert_array_equal(jacobian.values(x[0, 1::2], a[1::3]), wanted)
    batch = np.array([[1.0, 2.0], [3.0, 4.0]])
    by_column = jacobian.values(np.asfortranarray(batch), np.asfortranarray(batch))
    np.testing.assert_array_equal(by_column, jacobian.values(batch, batch))


def test_a_batch_of_points() -> None:
    jacobian = ag.sparse_jacobian(lambda x, a, b: [a[0] * x[0] * x[1], b * x[2] ** 2, a[1]])
    x = np.arange(12.0).reshape(4, 3)
    a = np.arange(8.0).reshape(4, 2)
    values = jacobian.values(x, a, 3.0)
    one_by_one = [jacobian.values(x[i], a[i], 3.0) for i in range(4)]
    assert values.shape == (4, 3)
    np.testing.assert_array_equal(values, one_by_one)
    matrices = jacobian(x, a, 3.0)
    assert len(matrices) == 4
    np.testing.assert_array_equal(matrices[2].toarray(), jacobian(x[2], a[2], 3.0).toarray())
    same = jacobian.values(x, [1.0, 2.0], np.arange(4.0))
    np.testing.assert_array_equal(same[3], jacobian.values(x[3], [1.0, 2.0], 3.0))
    assert [y.tolist() for y in jacobian.structure(x, a, 3.0)] == [[0, 0, 1], [0, 1, 2]]
    nested = ag.sparse_hessian(lambda x: x[0, 0] * x[1, 1])
    assert nested.values(np.ones((5, 2, 2))).shape == (5, 1)


@pytest.mark.parametrize("backend", ["python", "llvm", "jax"])
def test_every_back_end(backend: Any) -> None:
    if backend != "python":
        pytest.importorskip({"llvm": "llvmlite", "jax": "jax"}[backend])
    problem = problems.van_der_pol(3)
    hessian = ag.sparse_hessian(lambda x, v: problem.lagrangian(ag, x, v), backend=backend)
    x, v = problem.point, problem.multipliers()
    wanted = ag.sparse_hessian(lambda x, v: problem.lagrangian(ag, x, v), backend="python")
    np.testing.assert_allclose(hessian.values(x, v), wanted.values(x, v), rtol=1e-13)
    assert "for each example" in str(hessian.program)


# --- errors ---------------------------------------------------------------------------------------


def test_what_is_refused() -> None:
    hessian = ag.sparse_hessian(lambda x: x[0] ** 2)
    with pytest.raises(TypeError, match="expected a function, got 3"):
        ag.sparse_hessian(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="backend must be"):
        ag.sparse_jacobian(cubic, backend="fortran")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no number to differentiate"):
        hessian([])
    with pytest.raises(TypeError, match="sparse_hessian: a function's argument"):
        hessian(["one"])
    with pytest.raises(ValueError, match="argnums"):
        ag.sparse_hessian(cubic, argnums=1)([1.0, 2.0])
    with pytest.raises(TypeError, match="sparse_hessian of f"):
        ag.sparse_hessian(lambda x: [x[0]])([1.0])
    with pytest.raises(TypeError, match="cannot be compiled"):
        ag.sparse_hessian(lambda x: x[0] if x[0] > 0.0 else x[1])([1.0, 2.0])
    with pytest.raises(ValueError, match="points; give each"):
        ag.sparse_jacobian(lambda x, a: x[0] * a)(np.ones((3, 2)), np.ones(2))
    with pytest.raises(ValueError, match="holds no points"):
        hessian(np.ones((0, 2)))
    with pytest.raises(TypeError, match="no SciPy matrix of Values"):
        hessian([Value(1.0)])
    with pytest.raises(RuntimeError, match="no program yet"):
        _ = ag.sparse_hessian(cubic).program


def test_without_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    hessian = ag.sparse_hessian(cubic)
    assert len(hessian.structure([1.0, 2.0])[0]) == len(hessian.values([1.0, 2.0])) == 3
    with pytest.raises(ImportError, match=r"pip install scipy; `.structure"):
        hessian([1.0, 2.0])


def test_a_failed_recording_does_no_harm() -> None:
    broken = True

    def f(x: Any) -> Any:
        if broken:
            raise KeyError("data")
        return x[0] ** 2

    hessian = ag.sparse_hessian(f)
    with pytest.raises(KeyError):
        hessian.values([1.0])
    broken = False
    assert hessian.values([1.0]).tolist() == [2.0]


# --- SciPy ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_trust_constr() -> None:
    optimize = pytest.importorskip("scipy.optimize")

    def f(x: Any) -> Any:
        return ag.sum((1.0 - x[:-1]) ** 2 + 100.0 * (x[1:] - x[:-1] ** 2) ** 2)

    def g(x: Any) -> Any:
        return [x[0] ** 2 + x[1] ** 2, x[2] * x[3]]

    constraint = optimize.NonlinearConstraint(
        g,
        [-np.inf, 0.5],
        [1.0, 0.5],
        jac=ag.sparse_jacobian(g),
        hess=ag.sparse_hessian(lambda x, v: ag.dot(v, g(x))),
    )
    found = optimize.minimize(
        f,
        np.full(6, 0.5),
        jac=ag.gradient(f),
        hess=ag.sparse_hessian(f),
        constraints=[constraint],
        method="trust-constr",
        options={"gtol": 1e-9, "xtol": 1e-12},
    )
    assert found.optimality < 1e-6
    assert found.constr_violation < 1e-9
    assert found.x[0] ** 2 + found.x[1] ** 2 <= 1.0 + 1e-8
    assert found.x[2] * found.x[3] == pytest.approx(0.5, abs=1e-8)


def test_least_squares() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    problem = problems.decay(60)

    def residuals(p: Any) -> Any:
        return problem.constraints(ag, p)  # type: ignore[misc]

    start = np.array(problem.point)
    found = optimize.least_squares(residuals, start, jac=ag.sparse_jacobian(residuals))
    dense_jacobian = ag.jit(ag.jacobian(residuals))
    wanted = optimize.least_squares(residuals, start, jac=lambda p: dense_jacobian(p[None])[0])
    assert found.success
    np.testing.assert_allclose(found.x, wanted.x, rtol=1e-4)


# --- CasADi ---------------------------------------------------------------------------------------


@each_problem
def test_patterns_are_those_of_casadi(problem: Problem) -> None:
    casadi = pytest.importorskip("casadi", reason="compared where it is installed")
    v = problem.multipliers()
    x = casadi.SX.sym("x", len(problem.point))
    parts = casadi.vertsplit(x)
    lagrangian = problem.lagrangian(casadi, parts, v)
    rows, columns = casadi.tril(casadi.hessian(lagrangian, x)[0]).sparsity().get_triplet()
    hessian = ag.sparse_hessian(lambda x: problem.lagrangian(ag, x, v))
    places = sorted(zip(rows, columns, strict=True))
    assert pattern(hessian.structure(problem.point)) == places
    if problem.constraints is not None:
        expression = casadi.vertcat(*problem.constraints(casadi, parts))
        rows, columns = casadi.jacobian(expression, x).sparsity().get_triplet()
        jacobian = ag.sparse_jacobian(lambda x: problem.constraints(ag, x))  # type: ignore[misc]
        places = sorted(zip(rows, columns, strict=True))
        assert pattern(jacobian.structure(problem.point)) == places


def test_a_set_that_changes_between_calls_is_read_anew() -> None:
    derivative = ag.sparse_jacobian(lambda x, at=None: [ag.sum([x[i] for i in sorted(at)])])
    at = {0}
    assert derivative.values([1.0, 2.0], at=at).tolist() == [1.0]
    at.add(1)
    assert derivative.values([1.0, 2.0], at=at).tolist() == [1.0, 1.0]


class Settings:
    def __init__(self, factor: float) -> None:
        self.factor = factor


def test_an_object_that_changes_between_calls_is_read_anew() -> None:
    derivative = ag.sparse_jacobian(lambda x, settings=None: [settings.factor * x[0]])
    settings = Settings(1.0)
    assert derivative.values([1.0], settings=settings).tolist() == [1.0]
    settings.factor = 4.0
    assert derivative.values([1.0], settings=settings).tolist() == [4.0]
    settings.unreadable = lambda: None  # type: ignore[attr-defined]
    settings.factor = 2.0
    assert derivative.values([1.0], settings=settings).tolist() == [2.0]


@pytest.mark.slow
@each_problem
def test_the_problems_for_arrays_are_the_same(problem: Problem) -> None:
    jax = pytest.importorskip("jax")
    assert problem.of_array is not None
    with jax.enable_x64(True):
        f, g = problem.of_array(jax.numpy, jax.numpy.array(problem.point))
    if problem.objective is not None:
        assert float(f) == pytest.approx(problem.objective(math, problem.point), rel=1e-12)
    if problem.constraints is not None:
        expected = problem.constraints(math, problem.point)
        np.testing.assert_allclose(np.asarray(g), expected, rtol=1e-12, atol=1e-13)


# --- copies, threads ------------------------------------------------------------------------------


def product(x: Any) -> Any:
    return x[0] ** 2 * x[1] + ag.sin(x[1])


@pytest.mark.parametrize(
    "make", [copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))]
)
@pytest.mark.parametrize("derive", [ag.sparse_jacobian, ag.sparse_hessian])
def test_copies_and_pickles_compute_the_same(derive: Any, make: Any) -> None:
    function = derive(product, backend="python")
    values = function.values([1.0, 2.0])
    copied = make(function)
    assert copied.backend == "python"
    np.testing.assert_array_equal(copied.values([1.0, 2.0]), values)


def test_a_matrix_that_is_changed_in_place_changes_no_other() -> None:
    pytest.importorskip("scipy")
    H = ag.sparse_hessian(product)
    H([1.0, 0.0]).eliminate_zeros()
    expected = ag.hessian(product)([1.0, 2.0])
    np.testing.assert_allclose(H([1.0, 2.0]).toarray(), expected, rtol=1e-15)


def test_threads_record_and_evaluate_side_by_side() -> None:
    H = ag.sparse_hessian(product)
    points = [[0.1 * i, 1.0] for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(H.values, points))
    for x, values in zip(points, found, strict=True):
        np.testing.assert_array_equal(values, H.values(x))
