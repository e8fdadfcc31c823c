"""Transformations nested in each other: no derivative is cut off, eager or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag
from autograd import Value
from tests.numerics import same

Function = Callable[..., Any]


def square_of(a: Any) -> Function:
    return lambda y: a * y * y


CUT_OFF: dict[str, tuple[Function, float, float]] = {
    "a factor": (lambda a: ag.gradient(square_of(a))(2.0), 3.0, 4.0),
    "a factor twice": (lambda a: a * ag.gradient(lambda y: a * y)(1.0), 3.0, 6.0),
    "value and gradient": (lambda a: sum(ag.value_and_gradient(square_of(a))(2.0)), 3.0, 8.0),
    "only the value": (lambda a: ag.value_and_gradient(lambda t: t * t + a)(2.0)[0], 3.0, 1.0),
    "jacobian": (lambda a: ag.jacobian(lambda y: [y, a * a * y])(2.0)[1], 3.0, 6.0),
    "hessian": (lambda a: ag.hessian(lambda v: a * a * v[0] * v[1])([1.0, 2.0])[0][1], 3.0, 6.0),
    "hessian-vector product": (
        lambda a: ag.hessian_vector_product(square_of(a))(2.0, 5.0),
        *(3.0, 10.0),
    ),
    "jvp": (lambda a: ag.jvp(lambda y: [a * y, y])(2.0, 5.0)[0], 3.0, 5.0),
    "vjp": (lambda a: ag.vjp(lambda y: [a * y, y], 2.0)[1]([5.0, 1.0])[0], 3.0, 5.0),
    "the value of a vjp": (lambda a: ag.vjp(lambda y: a * y, 2.0)[0], 3.0, 2.0),
    "the vector of a jvp": (lambda a: ag.jvp(lambda y: y * y * y)(2.0, a), 3.0, 12.0),
    "the vector of a product": (
        lambda a: ag.hessian_vector_product(lambda y: y * y * y)(2.0, a),
        *(3.0, 12.0),
    ),
    "the vector of a vjp": (lambda a: ag.vjp(lambda y: y * y * y, 2.0)[1](a)[0], 3.0, 12.0),
    "a constant given by name": (
        lambda a: ag.gradient(lambda y, c: c * y * y)(2.0, c=a),
        *(3.0, 4.0),
    ),
    "an argument left out by argnums": (
        lambda a: ag.gradient(lambda y, c: c * y * y, argnums=0)(2.0, a),
        *(3.0, 4.0),
    ),
    "a list": (lambda a: ag.gradient(lambda v: a * v[0] * v[1])([2.0, 4.0])[0], 3.0, 4.0),
    "a dictionary": (
        lambda a: ag.gradient(lambda d: a * d["x"] * d["y"])({"x": 2.0, "y": 4.0})["x"],
        *(3.0, 4.0),
    ),
    "two levels": (
        lambda a: ag.gradient(lambda b: ag.gradient(lambda c: a * b * b * c * c)(1.0))(2.0),
        *(3.0, 8.0),
    ),
    "the middle one does not depend on it": (
        lambda a: a * ag.gradient(lambda b: b * ag.gradient(lambda c: b * c)(1.0))(2.0),
        *(3.0, 4.0),
    ),
    "two results": (
        lambda a: ag.gradient(lambda y: ag.exp(a * y))(0.0) * ag.gradient(lambda y: y * y)(a),
        *(3.0, 12.0),
    ),
}
"""A function of one number in which a transformation at floats depends on it; a point; its slope
there."""

each_case = pytest.mark.parametrize(("f", "x", "slope"), CUT_OFF.values(), ids=CUT_OFF)


@each_case
def test_an_inner_transformation_keeps_what_it_closes_over(
    f: Function, x: float, slope: float
) -> None:
    assert ag.gradient(f)(x) == slope
    assert ag.value_and_gradient(f)(x)[1] == slope
    assert ag.jvp(f)(x, 1.0) == slope
    assert ag.jacobian(lambda a: [f(a)])(x) == [slope]
    leaf = Value(x)
    f(leaf).backward()
    assert leaf.grad == slope


@each_case
def test_compiled(f: Function, x: float, slope: float) -> None:
    eager = [f(Value(x)).data, ag.gradient(f)(x), ag.hessian(f)(x)]
    compiled = [ag.jit(g, "python")([x])[0] for g in (f, ag.gradient(f), ag.hessian(f))]
    assert same(compiled, eager)
    leaf = Value(x)
    ag.jit(lambda: f(leaf), "python").backward()
    assert leaf.grad == slope


@each_case
def test_checked(f: Function, x: float, slope: float) -> None:
    ag.check_gradient(f, [x])
    ag.check_gradient(f, [x], order=2)
    leaf = Value(x)
    ag.check_gradient(lambda: f(leaf), [leaf], order=2)


def test_a_loss_with_a_slope_in_it() -> None:
    w = Value(3.0)
    loss = (ag.gradient(lambda t: w * t * t)(2.0) - 5.0) ** 2 + (w - 1.0) ** 2
    loss.backward()
    assert w.grad == 60.0


# --- floats or Values -----------------------------------------------------------------------------


def test_floats_come_out_if_the_result_depends_on_the_arguments_alone() -> None:
    w = Value(3.0)
    assert ag.gradient(lambda t: t * t + w)(2.0) == 4.0
    assert ag.gradient(lambda t: t * t + w.exp())([2.0][0]) == 4.0
    assert ag.hessian(lambda t: t * t + w * t)(2.0) == 2.0
    assert ag.jvp(lambda t: t * t + w)(2.0, 1.0) == 4.0
    assert ag.gradient(lambda t: t * t * ag.stop_gradient(w))(2.0) == 12.0
    assert ag.gradient(lambda t: ag.where(t > 0.0, t * t, w * t))(2.0) == 4.0
    assert ag.gradient(lambda t: ag.where(w > 0.0, t * t, t))(2.0) == 4.0


def test_a_result_is_all_floats_or_all_values() -> None:
    w = Value(3.0)
    found = ag.gradient(lambda s, t: s * s + w * t)(2.0, 4.0)
    assert [type(x) for x in found] == [Value, Value]
    assert [x.data for x in found] == [4.0, 3.0]
    value, slope = ag.value_and_gradient(lambda t: t * t + w)(2.0)
    assert [(type(x), x.data) for x in (value, slope)] == [(Value, 7.0), (Value, 4.0)]
    rows = ag.jacobian(lambda t: {"a": t, "b": [w * t]})(2.0)
    assert [type(x) for x in (rows["a"], rows["b"][0])] == [Value, Value]


def test_leaves_that_the_function_makes_are_constants() -> None:
    def total(xs: list[Any]) -> Any:
        sum_of = Value(0.0)
        for x in xs:
            sum_of = sum_of + Value(2.0) * x * x
        return sum_of

    assert ag.gradient(total)([1.0, 3.0]) == [4.0, 12.0]
    assert ag.jvp(total)([1.0, 3.0], [1.0, 1.0]) == 16.0


def test_under_no_grad_a_result_is_a_constant() -> None:
    w = Value(3.0)

    def f(x: Any) -> Any:
        with ag.no_grad():
            s = ag.gradient(lambda t: t**3)(x)
        return s * x

    assert ag.gradient(f)(3.0) == 27.0
    assert ag.hessian(f)(3.0) == 0.0
    with ag.no_grad():
        assert ag.gradient(lambda t: w * t * t)(2.0) == 12.0
        assert ag.value_and_gradient(lambda t: w * t * t)(2.0) == (12.0, 12.0)
        assert ag.hessian(lambda t: w * t * t)(2.0) == 6.0
        assert ag.jvp(lambda t: w * t * t)(2.0, w).args == ()
        value, pull_back = ag.vjp(lambda t: w * t, 2.0)
        assert (value, pull_back(5.0)) == (6.0, (15.0,))
        slope = ag.gradient(lambda t: w * t * ag.gradient(lambda u: u * t)(1.0))(Value(2.0))
    assert (type(slope), slope.data, slope.args) == (Value, 12.0, ())


def test_a_vjp_may_be_recorded_in_one_context_and_used_in_another() -> None:
    w = Value(3.0)
    value, pull_back = ag.vjp(lambda t: w * t, 2.0)
    assert value.data == 6.0
    assert pull_back(5.0)[0].data == 15.0
    with ag.no_grad():
        assert pull_back(5.0) == (15.0,)
        _, paused = ag.vjp(lambda t: w * t, 2.0)
    assert paused(5.0) == (15.0,)
    u = Value(5.0)
    (product,) = paused(u)
    product.backward()
    assert u.grad == 3.0
