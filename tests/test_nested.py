"""Transformations nested in each other: no derivative is cut off, eager or compiled."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.derivatives import graph
from tests import transformed
from tests.numerics import same
from tests.transformed import OURS, evaluated, program

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


# --- random programs ------------------------------------------------------------------------------

Library = Any

AROUND: list[Callable[[Function, Library], Function]] = [
    lambda f, m: f,
    lambda f, m: m.gradient(f),
    lambda f, m: m.value_and_gradient(f),
    lambda f, m: lambda x, y: m.jvp(f)(x, y, (0.3, -0.8)),
    lambda f, m: m.jacobian(lambda x, y: [f(x, y), x * f(y, x)]),
    lambda f, m: lambda x, y: m.vjp(f, x, y)[1](1.5),
]
"""What is done with a program."""


def case(seed: int) -> tuple[str, Callable[[Function, Library], Function], tuple[float, float]]:
    """A program, with a block of `no_grad` in every fourth; what is done with it; a point."""
    text = program(seed, orders=3 + seed % 2, with_no_grad=seed % 4 == 0)
    return text, AROUND[seed % len(AROUND)], (0.31 + 0.001 * (seed % 100), -0.57)


def close(ours: list[float], theirs: list[float]) -> bool:
    scale = max([1.0, *map(abs, theirs)])
    return all(abs(a - b) <= 1e-8 * scale for a, b in zip(ours, theirs, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 120, 10))
def test_random_programs_against_pytorch(start: int) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    torch = transformed.torch()
    for seed in range(start, start + 10):
        text, around, point = case(seed)
        f, g = evaluated(text, OURS), evaluated(text, torch)
        assert close(OURS.flat(around(f, OURS)(*point)), torch.flat(around(g, torch)(*point))), text
        leaves = [Value(x) for x in point]
        output = f(*leaves)
        if isinstance(output, Value):
            output.backward()
        slopes = [leaf.grad or 0.0 for leaf in leaves]
        assert close(slopes, torch.flat(torch.gradient(g)(*point))), text


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, 200, 20))
def test_random_programs_have_the_same_bits_compiled(start: int) -> None:
    for seed in range(start, start + 20):
        text, around, (x, y) = case(seed)
        if "m.constant" in text:  # no_grad is for eager code
            continue
        f = around(evaluated(text, OURS), OURS)
        eager, (compiled,) = f(x, y), ag.jit(f, "python")([x], [y])
        assert same(OURS.flat(compiled), OURS.flat(eager)), text


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


# --- argnums, vjp, dictionaries -------------------------------------------------------------------


def test_argnums_choose_the_arguments() -> None:
    def f(x: Any, y: Any, z: Any = 1.0) -> Any:
        return x * y * y * z

    assert ag.gradient(f, argnums=0)(2.0, 3.0) == 9.0
    assert ag.gradient(f, argnums=-1)(2.0, 3.0) == 12.0
    assert ag.gradient(f, argnums=(1,))(2.0, 3.0) == (12.0,)
    assert ag.gradient(f, argnums=(2, 0))(2.0, 3.0, 4.0) == (18.0, 36.0)
    assert ag.value_and_gradient(f, argnums=1)(2.0, 3.0) == (18.0, 12.0)
    assert ag.hessian(f, argnums=1)(2.0, 3.0) == 4.0
    assert ag.gradient(f, argnums=np.int64(1))(2.0, 3.0) == 12.0
    wrong: Any
    for wrong in ("y", 1.0, [1.0]):
        with pytest.raises(TypeError, match=r"^gradient: argnums is .*; give the position"):
            ag.gradient(f, argnums=wrong)(2.0, 3.0)
    assert ag.hessian(f, argnums=(0, 1))(2.0, 3.0) == ((0.0, 6.0), (6.0, 4.0))
    assert ag.jacobian(lambda x, y: [x * y, y], argnums=1)(2.0, 3.0) == [2.0, 1.0]
    received = []
    ag.gradient(lambda x, other: (received.append(other), x * x)[1], argnums=0)(2.0, "anything")
    assert received == ["anything"]
    w = Value(3.0)
    slope = ag.gradient(f, argnums=0)(2.0, w)
    slope.backward()
    assert (slope.data, w.grad) == (9.0, 6.0)
    for wrong in (2, -3, (0, 0), (0, -2)):
        with pytest.raises(
            ValueError, match=r"argnums is .* for 2 arguments; give positions from 0"
        ):
            ag.gradient(f, argnums=wrong)(2.0, 3.0)


def test_an_operand_without_a_derivative_counts_in_those_of_the_others() -> None:
    scaled = ag.Primitive("scaled", "scaled", "x * s", lambda z, x, s: s, None)

    def slope(a: Any) -> Any:
        return ag.gradient(lambda x: scaled(x, a))(2.0)

    assert ag.gradient(slope)(3.0) == 1.0
    assert ag.jit(ag.gradient(slope), in_axes=None, backend="python")(3.0) == 1.0
    assert not scaled.is_local
    assert ag.primitives.where.is_local


def test_a_vjp_may_be_called_from_several_threads() -> None:
    x = [0.1 * i for i in range(30)]
    _, pull_back = ag.vjp(lambda v: [ag.sin(ag.dot(v, v)) * t for t in v], x)
    vectors = [[float(i == k) for i in range(30)] for k in range(30)]
    right = [pull_back(u) for u in vectors]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(pull_back, vectors * 5))
    finally:
        sys.setswitchinterval(before)
    assert found == right * 5


def test_a_function_may_call_backward_itself() -> None:
    def f(x: Any) -> Any:
        (x * x).backward()
        slope = x.grad
        return [x * slope, x * x * slope]

    def last(x: Any) -> Any:
        return f(x)[-1]

    assert ag.jacobian(f)(3.0) == [6.0, 36.0]
    assert ag.gradient(last)(3.0) == 36.0
    assert ag.hessian(last)(3.0) == 12.0
    _, pull_back = ag.vjp(f, 3.0)
    assert [pull_back([1.0, 0.0]), pull_back([1.0, 0.0])] == [(6.0,), (6.0,)]


def test_a_leaf_made_inside_a_function_keeps_its_grad() -> None:
    made = []

    def f(x: Any) -> Any:
        made.append(w := Value(2.0))
        (w * w).backward()
        return w * x * x

    assert ag.gradient(f)(3.0) == 12.0
    assert ag.jacobian(lambda x: [f(x), x])(3.0) == [12.0, 1.0]
    assert [w.grad for w in made] == [4.0, 4.0]


def test_vjp_has_the_structure_of_jax() -> None:
    def f(x: Any, d: dict[str, Any]) -> Any:
        return {"u": x * d["b"][0], "v": [d["a"] * x * x]}

    value, pull_back = ag.vjp(f, 2.0, {"b": [3.0], "a": 5.0})
    assert value == {"u": 6.0, "v": [20.0]}
    assert pull_back({"u": 1.0, "v": [0.0]}) == (3.0, {"b": [2.0], "a": 0.0})
    assert pull_back({"v": [10.0], "u": 0.0}) == (200.0, {"b": [0.0], "a": 40.0})
    assert ag.vjp(lambda x: x * x, 3.0)[1](1.0) == (6.0,)
    assert ag.vjp(lambda x, n: x**n, 3.0, n=3)[1](1.0) == (27.0,)
    with pytest.raises(ValueError, match="vjp: the vector has 1 elements for 2 results"):
        ag.vjp(lambda x: [x, x], 3.0)[1](1.0)
    with pytest.raises(ValueError, match=r"vjp: expected the keys \['u', 'v'\], got \['u'\]"):
        pull_back({"u": 1.0})
    with pytest.raises(TypeError, match=r"vjp: expected a function, got 1\.0"):
        ag.vjp(1.0, 2.0)


def test_nothing_to_differentiate() -> None:
    value, pull_back = ag.vjp(lambda x: [], [1.0, 2.0])
    assert (value, pull_back([])) == ([], ([0.0, 0.0],))
    assert ag.jacobian(lambda x: [])([1.0]) == ag.jvp(lambda x: [])([1.0], [1.0]) == []
    assert ag.gradient(lambda x: 1.0)([]) == ag.hessian(lambda x: 1.0)([]) == []
    assert ag.hessian(lambda x: 1.0)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_dictionaries_keep_their_structure_and_order() -> None:
    def f(p: dict[str, Any]) -> Any:
        return p["w"][0] * p["w"][1] * p["nested"]["b"] ** 2

    point = {"w": [2.0, 3.0], "nested": {"b": 5.0}}
    slope = ag.gradient(f)(point)
    assert slope == {"w": [75.0, 50.0], "nested": {"b": 60.0}}
    assert list(slope) == ["w", "nested"]
    second = ag.hessian(f)(point)
    assert second["w"][0] == {"w": [0.0, 25.0], "nested": {"b": 30.0}}
    v = {"nested": {"b": 1.0}, "w": [0.0, 0.0]}  # matched by key, in whatever order
    assert ag.jvp(f)(point, v) == 60.0
    assert ag.hessian_vector_product(f)(point, v) == {"w": [30.0, 20.0], "nested": {"b": 12.0}}
    assert ag.jacobian(lambda p: {"r": f(p)})(point)["r"] == slope
    with pytest.raises(ValueError, match=r"jvp: expected the keys \['w', 'nested'\], got \['w'\]"):
        ag.jvp(f)(point, {"w": [0.0, 0.0]})


def test_an_array_that_is_returned_holds_the_derivatives_of_each_argument() -> None:
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")

    def f(x: Any, y: Any) -> Any:
        return numpy.array([x * y, x, y * y])

    by_x, by_y = ag.jacobian(f)(2.0, 3.0)
    assert (by_x.tolist(), by_y.tolist()) == ([3.0, 1.0, 0.0], [2.0, 0.0, 6.0])
    u, v = numpy.array([1.0, 2.0]), numpy.array([3.0, 4.0, 5.0])
    blocks = ag.hessian(lambda u, v: u.sum() ** 2 * v.prod())(u, v)
    assert [[block.shape for block in row] for row in blocks] == [
        [(2, 2), (2, 3)],
        [(3, 2), (3, 3)],
    ]
    rows = ag.jacobian(lambda p: numpy.array([p[0] * p[1], p[0]]))([2.0, 3.0])
    assert rows == [[3.0, 2.0], [1.0, 0.0]]
    both = ag.jacobian(lambda d: numpy.array([d["a"] * d["b"], d["a"]]))({"a": 2.0, "b": 3.0})
    assert both["a"].tolist() == [3.0, 1.0]


# --- cost -----------------------------------------------------------------------------------------


def test_a_nested_gradient_visits_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    visited: list[Any] = []

    def path(x: Any) -> Any:
        for _ in range(100):
            x = x - 0.1 * ag.gradient(lambda t: ag.sin(t) * t)(x)
        return x

    def counted(outputs: Any, inputs: Any) -> Any:
        found = since(outputs, inputs)
        visited.append(len(found))
        return found

    since = graph.nodes_since
    monkeypatch.setattr(graph, "nodes_since", counted)
    ag.gradient(path)(0.5)
    assert sorted(visited)[-2] < 10  # the outer gradient alone may visit the whole path


# --- compiled functions inside --------------------------------------------------------------------


def test_a_compiled_function_that_would_cut_off_a_derivative_is_refused() -> None:
    def f(a: Any, paused: bool = False) -> Any:
        compiled = ag.jit(lambda y: a * y, "python")
        if paused:
            with ag.no_grad():
                found = compiled([2.0])[0]
            return a * found
        return a * compiled([2.0])[0]

    with pytest.raises(TypeError, match=r"depends on Value\(3.0.*; call the function itself"):
        ag.gradient(f)(3.0)
    with pytest.raises(TypeError, match="which a transformation differentiates"):
        ag.gradient(lambda x: f(x * x))(Value(3.0))
    assert ag.gradient(f)(3.0, paused=True) == 6.0
    w = Value(5.0)
    model = ag.jit(lambda y: w * y, "python")
    assert ag.gradient(lambda a: a * model([2.0])[0])(3.0) == 10.0
    assert f(Value(3.0)).data == 18.0
