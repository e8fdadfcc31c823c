"""`grad` builds the gradient as graph; `gradient`, `hessian` … take functions of floats."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import autograd as ag
from autograd import Value, grad
from autograd.value import topological_order
from tests.numerics import same

nan = math.nan

# --- grad: graph to graph -------------------------------------------------------------------------


def test_the_gradient_is_a_list_of_values_that_can_be_differentiated_again() -> None:
    x = Value(3.0)
    y = x**4
    slopes = []
    for _ in range(5):
        (y,) = grad(y, [x])
        assert type(y) is Value
        slopes.append(y.data)
    assert slopes == [108.0, 108.0, 72.0, 24.0, 0.0]


def test_grad_changes_no_grad() -> None:
    x = Value(3.0)
    y = x * x
    grad(y, [x])
    assert x.grad is y.grad is None


def test_mixed_second_derivatives() -> None:
    x, y = Value(2.0), Value(5.0)
    z = x**2 * y**3
    by_x, by_y = grad(z, [x, y])
    assert (by_x.data, by_y.data) == (2 * 2 * 125, 4 * 3 * 25)
    assert [v.data for v in grad(by_x, [x, y])] == [2 * 125, 2 * 2 * 3 * 25]
    assert [v.data for v in grad(by_y, [x, y])] == [2 * 2 * 3 * 25, 4 * 6 * 5]


def test_an_input_that_the_output_does_not_reach() -> None:
    x, unused = Value(3.0), Value(4.0)
    slopes = grad(x * x, [unused, x])
    assert [type(s) for s in slopes] == [Value, Value]
    assert [s.data for s in slopes] == [0.0, 6.0]
    assert grad(slopes[0], [x])[0].data == 0.0


def test_the_inputs_may_be_any_iterable_but_not_one_value() -> None:
    x, y = Value(3.0), Value(4.0)
    assert [slope.data for slope in grad(x * y, (v for v in (x, y)))] == [4.0, 3.0]
    with pytest.raises(TypeError, match=r"^grad: expected a list of Values as inputs, got Value"):
        grad(x * y, x)


def test_no_inputs() -> None:
    assert grad(Value(1.0), []) == []


def test_an_input_twice() -> None:
    x = Value(3.0)
    assert [s.data for s in grad(x * x, [x, x])] == [6.0, 6.0]


def test_an_output_that_is_an_input() -> None:
    x = Value(3.0)
    y = x * x
    assert [s.data for s in grad(x, [x])] == [1.0]
    assert [s.data for s in grad(y, [y, x])] == [1.0, 6.0]


def test_an_inner_node_as_input() -> None:
    x = Value(3.0)
    inner = x * x
    output = inner * inner + x
    by_inner, by_x = grad(output, [inner, x])
    assert (by_inner.data, by_x.data) == (18.0, 109.0)
    assert [s.data for s in grad(by_inner, [inner])] == [2.0]
    assert grad(output, [inner])[0].data == 18.0


def test_inputs_may_be_any_sequence() -> None:
    x = Value(3.0)
    assert grad(x * x, (x,))[0].data == 6.0


def test_a_constant_function_and_the_identity() -> None:
    x = Value(3.0)
    assert grad(x * 0.0 + 1.0, [x])[0].data == 0.0
    assert grad(x + 0.0, [x])[0].data == 1.0


def test_the_gradient_through_a_branch() -> None:
    x = Value(-2.0)
    y = ag.where(x > 0.0, x**2, x**3)
    (slope,) = grad(y, [x])
    assert slope.data == 12.0
    assert grad(slope, [x])[0].data == -12.0


def test_the_bits_of_backward() -> None:
    x, y = Value(0.3), Value(-1.7)
    z = ag.dot([x, y, x * y], [y.exp(), x.tanh(), 0.1]) / (x - y).sigmoid() + ag.maximum(x, y)
    slopes = grad(z, [x, y])
    z.backward()
    assert same([s.data for s in slopes], [x.grad, y.grad])


def test_a_gradient_can_be_part_of_a_loss() -> None:
    x, w = Value(0.5), Value(2.0)
    (slope,) = grad((w * x).tanh(), [x])
    (slope**2).backward()  # d/dw (w·sech²(wx))², the penalty of a smooth fit
    t = math.tanh(1.0)
    sech = 1 - t * t
    assert w.grad == pytest.approx(2 * 2.0 * sech * (sech - 2.0 * 2 * t * sech * 0.5), rel=1e-14)


def test_nodes_that_do_not_lead_to_an_input_are_left_out() -> None:
    x, other = Value(2.0), Value(3.0)
    expensive = other
    for _ in range(50):
        expensive = expensive.tanh()
    (slope,) = grad(x * expensive, [x])
    assert slope is expensive


@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: x * y,
        lambda x, y: x.sin() + y,
        lambda x, y: ag.dot([x], [y]),
        lambda x, y: x**2.0 + y,
        lambda x, y: ag.where(x > y, x, y),
        ag.maximum,
    ],
)
def test_a_leaf_changed_since_is_an_error_that_names_the_node(
    change: Callable[[Value, Value], Value],
) -> None:
    x, y = Value(1.0), Value(2.0)
    output = change(x, y)
    node = output if output.op != "add" else output.args[0]
    x.data, y.data = 5.0, 4.0
    if node.op == "where":  # its condition is the one that was recorded
        assert [s.data for s in grad(output, [x, y])] == [0.0, 1.0]
        return
    with pytest.raises(RuntimeError, match=f"changed after {re.escape(repr(node))}.*record"):
        grad(output, [x, y])
    output.backward()  # which uses what was recorded
    x.data, y.data = 1.0, 2.0
    assert same([s.data for s in grad(output, [x, y])], [x.grad, y.grad])


def test_a_leaf_changed_since_is_no_error_where_no_partial_needs_it() -> None:
    x = Value(1.0)
    y = (x + 2.0).exp() * 3.0
    x.data = 5.0
    assert grad(y, [x])[0].data == 3.0 * math.exp(3.0)
    z = Value(1.0)
    w = z * 2.0
    z.data = nan
    assert grad(w, [z])[0].data == 2.0


def test_a_nan_partial_reproduces_itself() -> None:
    x = Value(nan)
    assert math.isnan(grad(x * x, [x])[0].data)


@pytest.mark.parametrize("arguments", [(1.0, []), (Value(1.0), [1.0]), ("a", []), (None, [])])
def test_grad_refuses_what_is_no_value(arguments: tuple[object, list[object]]) -> None:
    with pytest.raises(TypeError, match=r"^grad: expected a Value, got (1.0|'a'|None) of type"):
        grad(*arguments)


def test_a_deep_graph_is_no_recursion() -> None:
    x = Value(0.5)
    y = x
    for _ in range(5_000):
        y = y.sin()
    (slope,) = grad(y, [x])
    (curvature,) = grad(slope, [x])
    assert math.isfinite(curvature.data)
    assert len(topological_order(slope)) > 5_000 > sys.getrecursionlimit()


# --- functions of plain numbers -------------------------------------------------------------------


def test_gradient_of_one_number() -> None:
    slope = ag.gradient(lambda x: x**3)
    assert slope(2.0) == slope(2) == 12.0
    assert type(slope(2)) is float


def test_gradient_keeps_the_structure() -> None:
    def f(a: Value, rows: list[list[Value]], pair: tuple[Value, Value]) -> Value:
        return a * rows[0][0] + rows[1][0] * rows[1][1] + pair[0] ** 2 - pair[1]

    assert ag.gradient(f)(2.0, [[3.0], [4.0, 5.0], []], (6.0, 7.0)) == (
        3.0,
        [[2.0], [5.0, 4.0], []],
        (12.0, -1.0),
    )


def test_gradient_of_a_constant_and_of_an_unused_argument() -> None:
    assert ag.gradient(lambda x: 3.0)(1.0) == 0.0
    assert ag.gradient(lambda x: True)(1.0) == 0.0
    assert ag.gradient(lambda x, y: x)(1.0, 2.0) == (1.0, 0.0)


def test_gradient_touches_no_parameter() -> None:
    w = Value(3.0)
    assert ag.gradient(lambda x: w * x)(2.0).data == 3.0
    assert w.grad is None


def test_jacobian_has_the_structure_of_the_result() -> None:
    def polar(v: list[Value]) -> list[Value]:
        radius, angle = v
        return [radius * ag.cos(angle), radius * ag.sin(angle)]

    sine, cosine = math.sin(0.5), math.cos(0.5)
    assert ag.jacobian(polar)([2.0, 0.5]) == [[cosine, 2.0 * -sine], [sine, 2.0 * cosine]]
    assert ag.jacobian(lambda x, y: [[x * y], [x, 1.0]])(2.0, 3.0) == [
        [(3.0, 2.0)],
        [(1.0, 0.0), (0.0, 0.0)],
    ]
    assert ag.jacobian(lambda x: x * x)(3.0) == 6.0
    assert ag.jacobian(lambda x: [])(3.0) == []


def test_hessian_of_a_list_is_a_matrix() -> None:
    def rosenbrock(v: list[Value]) -> Value:
        return (1.0 - v[0]) ** 2 + 100.0 * (v[1] - v[0] ** 2) ** 2

    assert ag.hessian(rosenbrock)([1.0, 1.0]) == [[802.0, -400.0], [-400.0, 200.0]]


def test_hessian_of_several_arguments_is_blocks() -> None:
    def f(x: Value, v: list[Value]) -> Value:
        return x**2 * v[0] + v[1] ** 3

    assert ag.hessian(f)(2.0, [3.0, 4.0]) == (
        (6.0, [4.0, 0.0]),
        [(4.0, [0.0, 0.0]), (0.0, [0.0, 24.0])],
    )
    assert ag.hessian(lambda x: x**3)(2.0) == 12.0
    assert ag.hessian(lambda x: 1.0)(2.0) == 0.0


def test_hessian_vector_product_is_the_product() -> None:
    def f(v: list[Value]) -> Value:
        return ag.sin(v[0] * v[1]) + v[2] ** 3 * v[0]

    x, direction = [0.3, -0.7, 1.1], [2.0, -1.0, 0.5]
    expected = [ag.dot(row, direction) for row in ag.hessian(f)(x)]
    assert ag.hessian_vector_product(f)(x, direction) == pytest.approx(expected, rel=1e-14)


def test_hessian_vector_product_of_several_arguments() -> None:
    product = ag.hessian_vector_product(lambda x, y: x**2 * y)
    assert product(2.0, 3.0, (1.0, 10.0)) == (2 * 3.0 * 1.0 + 2 * 2.0 * 10.0, 2 * 2.0 * 1.0)
    assert ag.hessian_vector_product(lambda x: x**3)(2.0, 10.0) == 120.0
    assert ag.hessian_vector_product(lambda v: v[0] + v[1])([1.0, 2.0], [1.0, 1.0]) == [0.0, 0.0]


def test_hessian_vector_product_refuses_a_vector_of_another_length() -> None:
    with pytest.raises(ValueError, match="the vector has 1 elements for 2 inputs"):
        ag.hessian_vector_product(lambda v: v[0] * v[1])([1.0, 2.0], [1.0])


@pytest.mark.parametrize("transform", [ag.hessian_vector_product, ag.jvp])
def test_a_product_without_its_vector_says_so(transform: Callable) -> None:
    with pytest.raises(TypeError, match="f's arguments and then the vector, got 1"):
        transform(lambda x: x * x)(3.0)
    with pytest.raises(TypeError, match="got 0"):
        transform(lambda x: x * x)()


OPERATORS = [ag.gradient, ag.jacobian, ag.hessian]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    "wrong", ["a", None, 1j, {"a": None}, {1.0}, [1.0, "b"], ([None],)], ids=repr
)
def test_an_argument_that_is_no_number_is_refused(operator: Callable, wrong: object) -> None:
    with pytest.raises(TypeError, match="a function's argument: expected a real number, got"):
        operator(lambda x: x * 2.0)(wrong)


@pytest.mark.parametrize("operator", [ag.gradient, ag.hessian])
@pytest.mark.parametrize("wrong", [None, "a", [Value(1.0)], (Value(1.0), Value(2.0))], ids=repr)
def test_a_result_that_is_not_one_number_is_refused(operator: Callable, wrong: object) -> None:
    with pytest.raises(TypeError, match=f"^{operator.__name__} of f: expected .*real number, got"):
        operator(lambda x: wrong)(1.0)


def test_what_to_write_instead_is_said() -> None:
    with pytest.raises(TypeError, match=r"1.0.* of type set; of several, give a list, a tuple, a"):
        ag.gradient(lambda p: p)({1.0})
    with pytest.raises(TypeError, match="of type list; of several, take the jacobian"):
        ag.hessian(lambda x: [x, x])(1.0)  # type: ignore[return-value]
    with pytest.raises(
        TypeError, match="of type set; of several, return a list, a tuple, a dictionary or a Num"
    ):
        ag.jacobian(lambda x: {x})(1.0)
    with pytest.raises(TypeError, match=r"of type function; of a function there is the gradient"):
        grad(lambda x: x, [Value(1.0)])  # type: ignore[arg-type]


@pytest.mark.parametrize("operator", [*OPERATORS, ag.value_and_gradient, ag.jvp])
def test_what_is_no_function_is_refused_at_once(operator: Callable) -> None:
    with pytest.raises(TypeError, match=f"^{operator.__name__}: expected a function, got Value"):
        operator(Value(1.0))


def test_an_argument_given_by_its_name_is_a_constant() -> None:
    def f(x: Any, y: Any = 0.0, *, n: int, kind: str = "power") -> Any:
        return x**n + y if kind == "power" else x

    assert ag.gradient(f)(2.0, n=3) == 12.0
    assert ag.gradient(f)(2.0, 5.0, n=3) == (12.0, 1.0)
    assert ag.gradient(f)(2.0, y=5.0, n=3, kind="none") == 1.0
    assert ag.value_and_gradient(f)(2.0, y=5.0, n=3) == (13.0, 12.0)
    assert ag.hessian(f)(2.0, n=3) == 12.0
    assert ag.jacobian(lambda x, n: [x**n])(2.0, n=3) == [12.0]
    assert ag.jvp(f)(2.0, 10.0, n=3) == 120.0
    assert ag.hessian_vector_product(f)(2.0, 10.0, n=3) == 120.0
    assert ag.gradient(ag.gradient(f))(2.0, n=3) == 12.0


def test_named_tuples_keep_their_names() -> None:
    class Point(NamedTuple):
        x: Any
        y: Any

    slope = ag.gradient(lambda p: p.x * p.y)(Point(2.0, 3.0))
    assert isinstance(slope, Point)
    assert slope == Point(x=3.0, y=2.0)
    assert ag.hessian(lambda p: p.x * p.y)(slope).x == Point(0.0, 1.0)


def test_numpy_scalars_go_in_and_floats_come_out() -> None:
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")
    slope = ag.gradient(lambda v: v[0] * v[1])([numpy.float64(2.0), numpy.int64(3)])
    assert slope == [3.0, 2.0]
    assert {type(s) for s in slope} == {float}


def test_operators_compose() -> None:
    slope = ag.gradient(lambda x: x * ag.gradient(lambda y: y**3)(2.0))
    assert slope(5.0) == 12.0
    assert ag.gradient(lambda x: x * ag.gradient(lambda y: x * y**3)(2.0))(5.0) == 120.0


def test_newton_finds_a_minimum_in_a_few_steps() -> None:
    def f(x: Value) -> Value:
        return ag.exp(x) - 2.0 * x

    x = 0.0
    for _ in range(6):
        x -= ag.gradient(f)(x) / ag.hessian(f)(x)
    assert x == pytest.approx(math.log(2.0), rel=1e-15)


def new_nodes(slopes: list[Value], output: Value) -> list[Value]:
    known = set(topological_order(output))
    found = dict.fromkeys(node for slope in slopes for node in topological_order(slope))
    return [node for node in found if node not in known]


def test_a_factor_of_one_makes_no_node() -> None:
    x, w, b = Value(2.0), Value(3.0), Value(5.0)
    output = w * x + b
    slope_w, slope_b = grad(output, [w, b])
    assert slope_w is x  # upstream 1 times x
    assert slope_b.data == 1.0
    assert new_nodes([slope_w], output) == []
    (chained,) = grad((w * x + b) * 4.0, [b])
    assert chained.data == 4.0
    assert new_nodes([chained], output) == [chained]


def test_what_depends_on_no_input_makes_no_node() -> None:
    x, w = Value(2.0), Value(3.0)
    side = (w.exp() * w).tanh()  # of w alone
    output = x * x * side
    (slope,) = grad(output, [x])
    added = new_nodes([slope], output)
    assert slope.data == pytest.approx(4.0 * side.data)
    assert sorted(node.op for node in added) == ["mul", "mul", "sum"]  # nothing of tanh or exp


def test_an_argument_is_not_what_the_function_closes_over() -> None:
    def nested(x: Any) -> Any:
        return ag.gradient(lambda v: v * x)(x)  # x: the factor is constant

    assert ag.gradient(nested)(3.0) == 1.0
    x = Value(3.0)
    assert ag.gradient(lambda v: v * x)(x).data == 3.0
    assert ag.jit(nested, backend="python")([3.0, 5.0]) == [3.0, 5.0]
    assert ag.jit(ag.gradient(nested), backend="python")([3.0]) == [1.0]
