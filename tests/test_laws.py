"""Laws that hold for every graph, tried on random ones with special values among the numbers."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, grad, primitives
from autograd.primitives import TABLE
from autograd.value import adjoints, topological_order
from tests.graphs import COMPARISONS, NAMES, Program, any_float, inputs, ordinary, programs
from tests.numerics import bits, central_difference, same

pytestmark = pytest.mark.slow

any_programs = programs(constants=any_float)
WITH_EDGES = {
    *("where", "maximum", "minimum", "relu", "abs", "lt", "le", "gt", "ge", "stop_gradient"),
    *("logical_and", "logical_or", "logical_not", "clip", "sign", "floor", "ceil", "round"),
    *("trunc", "fmod", "mod", "floordiv", "difference_error", "cbrt", "xlogy", "acosh", "atanh"),
    *("div", "log", "log1p", "log2", "log10", "sqrt", "pow", "asin", "acos", "atan2", "hypot"),
    *("lgamma", "digamma", "polygamma1", "polygamma2", "polygamma3"),
    "given_partial",
}
"""The rows that jump or bend somewhere, or have no value there, or any derivative."""

smooth_programs = programs(names=set(NAMES) - WITH_EDGES)


def recorded(program: Program, xs: Sequence[float]) -> tuple[Value, list[Value]]:
    leaves = [Value(x) for x in xs]
    output = program(*leaves)
    return output, leaves


def slopes_of(output: Value, leaves: Sequence[Value]) -> list[float]:
    """∂output/∂leaf for each leaf, 0.0 for one that is not reached."""
    found = adjoints(output)
    return [found.get(leaf, 0.0) for leaf in leaves]


# --- one value, one gradient, however they are computed -------------------------------------------


@given(any_programs, inputs(any_float))
def test_a_graph_computes_what_the_floats_compute(program: Program, xs: list[float]) -> None:
    output, _ = recorded(program, xs)
    assert same([output.data], [program(*xs)])
    with ag.no_grad():
        silent, _ = recorded(program, xs)
    assert same([output.data], [silent.data])


@given(any_programs, inputs(any_float))
def test_grad_finds_the_bits_of_backward(program: Program, xs: list[float]) -> None:
    output, leaves = recorded(program, xs)
    as_graph = grad(output, leaves)
    output.backward()
    assert same([s.data for s in as_graph], [0.0 if x.grad is None else x.grad for x in leaves])
    nodes = topological_order(output)
    expected = [0.0 if x.grad is None else x.grad for x in nodes]
    assert same([s.data for s in grad(output, nodes)], expected)


@given(any_programs, inputs(any_float))
def test_the_gradient_of_the_gradient_finds_the_bits_of_its_backward(
    program: Program, xs: list[float]
) -> None:
    output, leaves = recorded(program, xs)
    for slope in grad(output, leaves):
        assert same([s.data for s in grad(slope, leaves)], slopes_of(slope, leaves))


@given(any_programs, inputs(any_float))
def test_two_recordings_agree_to_the_last_bit(program: Program, xs: list[float]) -> None:
    first, second = (recorded(program, xs) for _ in range(2))
    assert same(slopes_of(*first), slopes_of(*second))
    ops = [[node.op for node in topological_order(output)] for output, _ in (first, second)]
    assert ops[0] == ops[1]


@given(any_programs, inputs(any_float))
def test_a_second_pass_doubles_the_leaves_exactly(program: Program, xs: list[float]) -> None:
    output, leaves = recorded(program, xs)
    output.backward()
    once = [leaf.grad for leaf in leaves]
    inner = [node.grad for node in topological_order(output) if node.args]
    output.backward()
    assert same([leaf.grad for leaf in leaves], [None if g is None else g + g for g in once])
    assert same([node.grad for node in topological_order(output) if node.args], inner)


@given(any_programs, inputs(any_float))
def test_the_order_is_topological(program: Program, xs: list[float]) -> None:
    output, _ = recorded(program, xs)
    place = {node: i for i, node in enumerate(topological_order(output))}
    assert place[output] == len(place) - 1
    for node, i in place.items():
        assert all(place[arg] < i for arg in node.args if isinstance(arg, Value))


# --- calculus -------------------------------------------------------------------------------------


@given(smooth_programs, inputs(ordinary))
def test_the_gradient_agrees_with_central_differences(program: Program, xs: list[float]) -> None:
    output, leaves = recorded(program, xs)
    assume(abs(output.data) < 100.0)
    for i, slope in enumerate(slopes_of(output, leaves)):
        coarse = central_difference(program, xs, i)
        doubled = [x if k != i else x * (1.0 + 1e-5) for k, x in enumerate(xs)]
        moved = slopes_of(*recorded(program, doubled))[i]
        assume(abs(moved - slope) < 1e-2 * max(1.0, abs(slope)))  # else too curved to measure
        assert slope == pytest.approx(coarse, rel=1e-4, abs=1e-4)


def close(xs: Sequence[float], ys: Sequence[float]) -> bool:
    scale = max(1.0, *map(abs, xs), *map(abs, ys))
    return all(abs(x - y) <= 1e-12 * scale for x, y in zip(xs, ys, strict=True))


tame = st.floats(-3.0, 3.0)


@given(smooth_programs, smooth_programs, inputs(ordinary), tame, tame)
def test_the_gradient_is_linear(
    f: Program, g: Program, xs: list[float], a: float, b: float
) -> None:
    combined, leaves = recorded(lambda *x: a * f(*x) + b * g(*x), xs)
    of_f, of_g = slopes_of(*recorded(f, xs)), slopes_of(*recorded(g, xs))
    assume(all(abs(s) < 1e6 for s in (*of_f, *of_g)))
    terms = [(a * s, b * t) for s, t in zip(of_f, of_g, strict=True)]
    scale = max(1.0, *(abs(x) for pair in terms for x in pair))
    for slope, pair in zip(slopes_of(combined, leaves), terms, strict=True):
        assert abs(slope - sum(pair)) <= 1e-12 * scale


@given(smooth_programs, smooth_programs, inputs(ordinary))
def test_the_product_rule(f: Program, g: Program, xs: list[float]) -> None:
    product, leaves = recorded(lambda *x: f(*x) * g(*x), xs)
    value_f, value_g = f(*xs), g(*xs)
    of_f, of_g = slopes_of(*recorded(f, xs)), slopes_of(*recorded(g, xs))
    assume(all(abs(s) < 1e4 for s in (value_f, value_g, *of_f, *of_g)))
    expected = [s * value_g + value_f * t for s, t in zip(of_f, of_g, strict=True)]
    scale = max(1.0, *(abs(s * value_g) + abs(value_f * t) for s, t in zip(of_f, of_g)))  # noqa: B905
    for slope, rule in zip(slopes_of(product, leaves), expected, strict=True):
        assert abs(slope - rule) <= 1e-12 * scale


unary = st.sampled_from(("exp", "sin", "cos", "tanh", "sigmoid", "softplus", "neg"))


@given(unary, smooth_programs, inputs(ordinary))
def test_the_chain_rule(name: str, f: Program, xs: list[float]) -> None:
    outer = TABLE[name]
    inner, leaves = recorded(f, xs)
    assume(abs(inner.data) < 20.0 and all(abs(s) < 1e6 for s in slopes_of(inner, leaves)))
    alone = Value(inner.data)
    (outer_slope,) = slopes_of(outer(alone), [alone])
    expected = [outer_slope * s for s in slopes_of(inner, leaves)]
    assert close(slopes_of(outer(inner), leaves), expected)


@given(smooth_programs, inputs(ordinary))
def test_second_derivatives_are_symmetric(program: Program, xs: list[float]) -> None:
    matrix = ag.hessian(program)(*xs)
    assume(all(abs(h) < 1e6 for row in matrix for h in row))
    transposed = list(zip(*matrix, strict=True))
    scale = max(1.0, *(abs(h) for row in matrix for h in row))
    for row, column in zip(matrix, transposed, strict=True):
        for h, k in zip(row, column, strict=True):
            assert abs(h - k) <= 1e-9 * scale


@given(smooth_programs, inputs(ordinary), inputs(tame))
def test_the_hessian_vector_product_is_hessian_times_vector(
    program: Program, xs: list[float], vector: list[float]
) -> None:
    matrix = ag.hessian(program)(*xs)
    assume(all(abs(h) < 1e6 for row in matrix for h in row))
    product = ag.hessian_vector_product(program)(*xs, tuple(vector))
    scale = max(1.0, *(abs(h) for row in matrix for h in row))
    for p, row in zip(product, matrix, strict=True):
        assert abs(p - ag.dot(row, vector)) <= 1e-9 * scale


# --- one expression, three ways to write it -------------------------------------------------------

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "mod": operator.mod,
    "floordiv": operator.floordiv,
    "neg": operator.neg,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def by_operator(name: str) -> Any:
    def operation(*args: Any) -> Any:
        is_turned = name in COMPARISONS and not isinstance(args[0], Value)  # 0 < x is x > 0
        if is_turned or not any(isinstance(x, Value) for x in args):
            return TABLE[name](*args)
        return OPERATORS[name](*args)

    return operation


def by_method(name: str) -> Any:
    return lambda x: getattr(x, name)() if isinstance(x, Value) else TABLE[name](x)


AS_PEOPLE_WRITE = {
    **TABLE,
    **{name: by_operator(name) for name in OPERATORS},
    **{name: getattr(ag, name) for name in TABLE if hasattr(ag, name) and name != "clip"},
    **{
        name: by_method(name)
        for name, row in TABLE.items()
        if hasattr(Value, name) and row.arity == 1
    },
    "sum": lambda *terms: ag.sum(terms),
    "dot": lambda *xs: ag.dot(xs[: len(xs) // 2], xs[len(xs) // 2 :]),
}


@given(any_programs, inputs(any_float))
def test_operators_methods_and_functions_are_the_primitives(
    program: Program, xs: list[float]
) -> None:
    assert set(AS_PEOPLE_WRITE) == set(TABLE)
    output, leaves = recorded(program, xs)
    written, others = recorded(lambda *x: program(*x, table=AS_PEOPLE_WRITE), xs)
    assert same(
        [output.data, *slopes_of(output, leaves)], [written.data, *slopes_of(written, others)]
    )
    ops = [[node.op for node in topological_order(root)] for root in (output, written)]
    assert ops[0] == ops[1]


vectors = st.integers(1, 6).flatmap(lambda n: st.tuples(inputs(any_float, n), inputs(any_float, n)))


@given(vectors)
def test_sum_and_dot_are_the_loops_that_they_stand_for(
    vectors: tuple[list[float], list[float]],
) -> None:
    u, v = ([Value(x) for x in xs] for xs in vectors)
    looped = functools.reduce(operator.add, map(operator.mul, u, v))
    dotted = ag.dot(u, v)
    assert same([dotted.data], [looped.data])
    assert same(slopes_of(dotted, u + v), slopes_of(looped, u + v))
    added, summed = functools.reduce(operator.add, u), ag.sum(u)
    assert same([summed.data], [added.data])
    assert same(slopes_of(summed, u), slopes_of(added, u))


# --- single numbers -------------------------------------------------------------------------------


@given(any_float, any_float)
def test_arithmetic_is_that_of_ieee_754(x: float, y: float) -> None:
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")
    with numpy.errstate(all="ignore"):
        a, b = numpy.float64(x), numpy.float64(y)
        for ours, theirs in (
            (primitives.add(x, y), a + b),
            (primitives.sub(x, y), a - b),
            (primitives.mul(x, y), a * b),
            (primitives.div(x, y), a / b),
            (primitives.sqrt(x), numpy.sqrt(a)),
            (primitives.abs(x), numpy.abs(a)),
            (primitives.neg(x), -a),
        ):
            assert bits(ours) == bits(float(theirs))
        power = float(a**b)
        ours = primitives.pow(x, y)
        assert bits(ours) == bits(power) or math.isclose(ours, power, rel_tol=1e-15)


@given(any_float, any_float)
def test_maximum_and_minimum_split_their_sum(x: float, y: float) -> None:
    smaller, larger = primitives.minimum(x, y), primitives.maximum(x, y)
    leaves = [Value(x), Value(y)]
    slopes = slopes_of(ag.maximum(*leaves) + ag.minimum(*leaves), leaves)
    if math.isnan(x) or math.isnan(y):
        assert same([smaller, larger], [math.nan, math.nan])
        assert slopes == [2.0, 2.0]
    else:
        assert sorted([x, y]) == [smaller, larger]
        assert slopes == [1.0, 1.0]


@given(st.floats(-700.0, 700.0))
def test_functions_are_what_they_say(x: float) -> None:
    assert ag.sigmoid(x) + ag.sigmoid(-x) == pytest.approx(1.0, rel=1e-15)
    assert ag.softplus(x) - ag.softplus(-x) == pytest.approx(x, rel=1e-14, abs=1e-14)
    assert ag.relu(x) == ag.maximum(x, 0.0) == (x + abs(x)) / 2
    assert ag.log(ag.exp(x)) == pytest.approx(x, rel=1e-13, abs=1e-13)
    assert ag.tanh(x) == pytest.approx(2.0 * ag.sigmoid(2.0 * x) - 1.0, abs=1e-15)
