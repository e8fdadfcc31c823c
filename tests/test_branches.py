"""A branch not taken has no say: in every order, in the sweep, in `grad`, and compiled.

Most libraries answer nan in these cases, where 0 meets an infinite derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, grad
from tests.graphs import Program, any_float, inputs, programs
from tests.numerics import same

Function = Callable[[Any], Any]

CASES: dict[str, tuple[Function, float, float, float]] = {
    "log": (lambda x: ag.where(x > 0.0, ag.log(x), 0.0 * x), 0.0, 0.0, 0.0),
    "sqrt": (lambda x: ag.where(x > 0.0, ag.sqrt(x), 0.0), -3.0, 0.0, 0.0),
    "elu": (lambda x: ag.where(x > 0.0, x, ag.exp(x) - 1.0), 800.0, 1.0, 0.0),
    "sinc": (lambda x: ag.where(abs(x) > 0.0, ag.sin(x) / x, 1.0), 0.0, 0.0, 0.0),
    "minimum": (lambda x: ag.minimum(x, ag.exp(x)), 1000.0, 1.0, 0.0),
    "sqrt of relu": (lambda x: ag.sqrt(ag.relu(x)), -1.0, 0.0, 0.0),
}
"""A function, a point, and its first and second derivative there."""

HONEST: dict[str, Function] = {
    "a square of a root": lambda x: ag.sqrt(x) ** 2,
    "a length": lambda x: ag.sqrt(x * x + x * x),
    "a zero computed": lambda x: (x - x) * ag.log(x),
}
"""Functions whose nan at 0 takes part, and shows."""

each_case = pytest.mark.parametrize(("f", "x", "first", "second"), CASES.values(), ids=CASES)
each_backend = pytest.mark.parametrize("backend", ["python", "llvm"])


@each_case
def test_first_order(f: Function, x: float, first: float, second: float) -> None:
    leaf = Value(x)
    f(leaf).backward()
    assert leaf.grad == first
    leaf = Value(x)
    assert grad(f(leaf), [leaf])[0].data == first
    assert ag.gradient(f)(x) == first


@each_case
def test_second_order(f: Function, x: float, first: float, second: float) -> None:
    assert ag.gradient(ag.gradient(f))(x) == second
    assert ag.hessian(f)(x) == second
    leaf = Value(x)
    (slope,) = grad(f(leaf), [leaf])
    assert grad(slope, [leaf])[0].data == second


@each_backend
@each_case
def test_compiled(f: Function, x: float, first: float, second: float, backend: Any) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite")
    assert ag.jit(ag.gradient(f), backend)([x]) == [first]
    assert ag.jit(ag.gradient(ag.gradient(f)), backend)([x]) == [second]
    leaf = Value(1.0)
    ag.jit(lambda y: f(leaf * y), backend).backward([x])
    assert leaf.grad == first * x


@each_backend
@each_case
def test_in_a_batch_each_example_goes_its_own_way(
    f: Function, x: float, first: float, second: float, backend: Any
) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite")
    ordinary = [0.25 * (i + 1) for i in range(10)]
    column = [*ordinary[:5], x, *ordinary[5:], x]
    wanted = [first if y == x else ag.gradient(f)(y) for y in column]
    found = ag.jit(ag.gradient(f), backend)(column)
    assert found == pytest.approx(wanted, rel=1e-15)
    leaf = Value(1.0)
    ag.jit(lambda y: f(leaf * y), backend).backward(column)
    mean = math.fsum(slope * y for slope, y in zip(wanted, column, strict=True)) / len(column)
    assert leaf.grad == pytest.approx(mean, rel=1e-14)


@pytest.mark.parametrize("f", HONEST.values(), ids=HONEST)
def test_a_nan_that_takes_part_shows(f: Function) -> None:
    leaf = Value(0.0)
    f(leaf).backward()
    assert math.isnan(leaf.grad)
    assert math.isnan(ag.gradient(f)(0.0))
    assert math.isnan(ag.jit(ag.gradient(f), "python")([0.0])[0])


def test_what_was_compared_is_in_the_graph() -> None:
    a, b = Value(2.0, "a"), Value(-1.0, "b")
    chosen = ag.where(b.log() > 0.0, a, b)
    found = ag.first_nonfinite(chosen)
    assert found is not None
    assert found.op == "log"
    assert [step.node.op for step in ag.forward_steps(ag.where(a * b > 0.0, a, b))] == [
        *("mul", "gt", "where")
    ]


def plain_sweep(output: Value, leaf: Value) -> float:
    adjoints: dict[Value, float] = {output: 1.0}
    for node in reversed(ag.value.topological_order(output)):
        for arg, partial in zip(node.args, node.partials, strict=True):
            if partial is not None and node in adjoints:
                contribution = adjoints[node] * partial
                adjoints[arg] = adjoints[arg] + contribution if arg in adjoints else contribution
    return adjoints.get(leaf, 0.0)


@given(programs(), inputs(st.one_of(any_float, st.floats(-2.0, 2.0))))
def test_a_gradient_without_nan_keeps_its_bits(program: Program, numbers: list[float]) -> None:
    leaves = [Value(x) for x in numbers]
    output = program(*leaves)
    if not isinstance(output, Value):
        return
    output.backward()
    for leaf in leaves:
        plain = plain_sweep(output, leaf)
        if not math.isnan(plain):
            assert same([0.0 if leaf.grad is None else leaf.grad], [plain])
