"""Sparse Jacobians and Hessians: numbers and patterns against the dense ones."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

import autograd as ag
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

ROWS = [name for name in TABLE if name not in CONDITIONS and not name.startswith("polygamma")]


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
