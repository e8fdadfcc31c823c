"""`custom`: partial derivatives given by hand, in every order and every back end."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value


def logsumexp(v: list[Any]) -> Any:
    """log(eᵃ + eᵇ) by a form that is not differentiated; its partials are those of softmax."""
    largest = ag.maximum(v[0], v[1])
    s = largest + ag.log(ag.exp(v[0] - largest) + ag.exp(v[1] - largest))
    return custom_of(s, v)


def custom_of(s: Any, v: list[Any]) -> Any:
    total = ag.exp(v[0]) + ag.exp(v[1])
    return ag.custom(s, v, [ag.exp(x) / total for x in v])


def plain(v: list[Any]) -> Any:
    return ag.log(ag.exp(v[0]) + ag.exp(v[1]))


POINT = [0.3, 1.2]


def test_the_value_is_kept_and_the_derivatives_are_those_given() -> None:
    x, y = Value(0.3), Value(1.2)
    z = ag.custom(7.0, [x, y], [2.0, -3.0]) * 10.0
    z.backward()
    assert (z.data, x.grad, y.grad) == (70.0, 20.0, -30.0)


@pytest.mark.parametrize(
    "transform", [ag.gradient, ag.hessian, lambda f: ag.jacobian(ag.hessian(f))]
)
def test_every_order_follows_from_the_given_partials(transform: Any) -> None:
    found, expected = transform(logsumexp)(POINT), transform(plain)(POINT)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_graph_of_the_value_is_not_differentiated() -> None:
    x, w = Value(2.0), Value(5.0)
    z = ag.custom(w * x**3, [x], [1.0])
    z.backward()
    assert (z.data, x.grad, w.grad) == (40.0, 1.0, None)


def test_a_partial_is_no_operand_with_a_derivative_of_its_own() -> None:
    x, p = Value(2.0), Value(3.0)
    z = ag.custom(1.0, [x], [p])
    assert [slope.data for slope in ag.grad(z, [x, p])] == [3.0, 0.0]
    (slope,) = ag.grad(z, [x])
    assert ag.grad(slope, [p])[0].data == 1.0


def test_the_gradient_goes_on_through_xs() -> None:
    a = Value(2.0)
    ag.custom(0.0, [a * a], [10.0]).backward()
    assert a.grad == 40.0


def test_a_straight_through_step() -> None:
    def step(x: Any) -> Any:
        return ag.custom(ag.where(x > 0.0, 1.0, 0.0), [x], [ag.exp(-x * x)])

    assert step(0.5) == 1.0
    assert ag.gradient(step)(0.5) == math.exp(-0.25)
    assert ag.gradient(ag.gradient(step))(0.5) == -math.exp(-0.25)
    ag.check_gradient(ag.gradient(step), [0.5])


def test_structures_numbers_and_repeated_xs() -> None:
    x = Value(2.0)
    z = ag.custom(1.0, {"a": x, "b": [5.0, x]}, {"b": [9.0, 3.0], "a": 4.0})
    z.backward()
    assert x.grad == 7.0
    assert ag.custom(1, 2.0, 3) == 1.0
    assert type(ag.custom(1, 2.0, 3)) is float
    assert ag.custom(x, [1.0], [1.0]).data == 2.0
    array = ag.custom(1.0, np.array([x, 1.0], object), np.array([2.0, 3.0]))
    assert ag.grad(array, [x])[0].data == 2.0


def test_it_moves_along_directions() -> None:
    assert ag.jvp(logsumexp)(POINT, [1.0, 2.0]) == pytest.approx(
        ag.jvp(plain)(POINT, [1.0, 2.0]), rel=1e-13
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1.0, [Value(1.0)], [1.0, 2.0]), ValueError, "2 partials for 1 xs"),
        (("a", [Value(1.0)], [1.0]), TypeError, "custom: the value"),
        ((1.0, [Value(1.0)], ["a"]), TypeError, "custom: partials"),
        ((1.0, ["a"], [1.0]), TypeError, "custom: xs"),
        ((1.0, {"a": Value(1.0)}, {"b": 1.0}), ValueError, "custom: expected the keys"),
    ],
)
def test_what_is_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ag.custom(*arguments)


# --- compiled -------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["python", "llvm", "jax"])
@pytest.mark.parametrize("transform", [lambda f: f, ag.gradient, ag.hessian])
def test_compiled_it_has_the_same_numbers(backend: Any, transform: Any) -> None:
    pytest.importorskip("jax" if backend == "jax" else "llvmlite")
    f = transform(logsumexp)
    points = [POINT, [-2.0, 0.25]]
    for found, point in zip(ag.jit(f, backend=backend)(points), points, strict=True):
        np.testing.assert_allclose(found, f(point), rtol=1e-13 if backend == "jax" else 0.0)


def test_no_program_calls_python_back() -> None:
    compiled = ag.jit(ag.hessian(logsumexp), backend="python")
    compiled([POINT])
    assert "rows[" not in compiled.source
    assert "given_partial" not in compiled.source + compiled.c + compiled.javascript


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_as_c_it_has_the_same_numbers(tmp_path: Path) -> None:
    compiled = ag.jit(ag.gradient(logsumexp), backend="python")
    compiled([POINT])
    main = """
#include <stdio.h>
int main(void) {
  double x[2] = {0.3, 1.2}, y[2], memory[100];
  program(0, x, 1, y, memory);
  printf("[%.17g, %.17g]", y[0], y[1]);
}
"""
    (tmp_path / "p.c").write_text(compiled.c + main)
    command = ["cc", "-ffp-contract=off", "p.c", "-lm", "-o", "p"]
    subprocess.run(command, check=True, cwd=tmp_path)
    printed = subprocess.run([tmp_path / "p"], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == ag.gradient(logsumexp)(POINT)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_as_javascript_it_has_the_same_numbers(tmp_path: Path) -> None:
    compiled = ag.jit(ag.gradient(logsumexp), backend="python")
    compiled([POINT])
    use = "console.log(JSON.stringify([...program(memory(), Float64Array.of(0.3, 1.2))]));\n"
    (tmp_path / "p.mjs").write_text(compiled.javascript + use)
    printed = subprocess.run(
        ["node", tmp_path / "p.mjs"], capture_output=True, text=True, check=True
    ).stdout
    np.testing.assert_allclose(json.loads(printed), ag.gradient(logsumexp)(POINT), rtol=1e-14)


# --- with what stands on derivatives --------------------------------------------------------------


@pytest.mark.parametrize(
    ("inner", "right"),
    [
        (ag.gradient, 2.0),
        (lambda f: lambda x: ag.jvp(f)(x, 1.0), 2.0),
        (lambda f: lambda x: ag.vjp(f, x)[1](1.0)[0], 2.0),
        (ag.hessian, 1.0),
        (lambda f: lambda x: ag.hessian_vector_product(f)(x, 1.0), 1.0),
    ],
)
def test_a_partial_that_depends_on_an_outer_value(inner: Any, right: float) -> None:
    def slope(a: Any) -> Any:
        return inner(lambda x: ag.custom(x, [x], [a * x]))(2.0)

    assert ag.gradient(slope)(3.0) == ag.jit(ag.gradient(slope))([3.0])[0] == right


def test_sparse_derivatives_are_those_given() -> None:
    pytest.importorskip("scipy")

    def f(v: list[Any]) -> Any:
        return ag.sin(logsumexp(v[:2])) * v[2]

    def g(v: list[Any]) -> Any:
        return ag.sin(plain(v[:2])) * v[2]

    point = [0.3, 1.2, 0.7]
    np.testing.assert_allclose(
        ag.sparse_hessian(f)(point).toarray(), ag.hessian(g)(point), rtol=1e-12
    )
    np.testing.assert_allclose(
        ag.sparse_jacobian(lambda v: [f(v), v[0]])(point).toarray(),
        ag.jacobian(lambda v: [g(v), v[0]])(point),
        rtol=1e-12,
    )
