"""Lowering: composites expanded, functions of equal operands computed once, and fused trees."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd.compiler.backends import python
from autograd.compiler.columns import read_columns
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Program, groups
from autograd.compiler.trace import gradient_of, trace
from autograd.primitives import Primitive, div, exp, where
from tests.numerics import same
from tests.runners import n_groups


def program_of(f: Any, *leaves: ag.Value) -> Program:
    """The program of the value of a function without arguments, and of its gradient."""
    (output,) = trace(f, []).outputs
    return roll(lower([], [output], True, leaves, leaves))


def computed(program: Program) -> list[float]:
    return list(python.compile_program(program)([leaf.data for leaf in program.leaves], []))


def eager(f: Any, *leaves: ag.Value) -> list[float | None]:
    for leaf in leaves:
        leaf.grad = None
    value = f()
    value.backward()
    return [value.data, *(leaf.grad for leaf in leaves)]


@pytest.fixture
def rows() -> dict[str, Primitive]:
    """Composite rows: their values are made of the table's operations."""

    def logistic_value(x: Any) -> Any:
        e = exp(-abs(x))
        return div(where(x >= 0.0, 1.0, e), 1.0 + e)

    def logistic_slope(z: Any, x: Any) -> Any:
        e = exp(-abs(x))
        return div(e, (1.0 + e) * (1.0 + e))

    made = {
        "leaky": Primitive(
            "leaky",
            "leaky",
            lambda x: where(x < 0.0, 0.1 * x, x),
            lambda z, x: where(x < 0.0, 0.1, 1.0),
            chooses=True,
            composite=True,
        ),
        "logistic": Primitive(
            "logistic", "logistic", logistic_value, logistic_slope, composite=True
        ),
    }
    made["twice"] = Primitive(
        "twice",
        "twice",
        lambda x, y: made["logistic"](x) + made["leaky"](y) * 2.0,
        lambda z, x, y: logistic_slope(z, x),
        lambda z, x, y: 2.0 * where(y < 0.0, 0.1, 1.0),
        composite=True,
    )
    return made


@pytest.mark.parametrize("x", [-2.0, -0.0, 0.0, 0.7, 800.0])
def test_a_composite_is_made_of_the_tables_operations(rows: Any, x: float) -> None:
    w, v = ag.Value(x, "w"), ag.Value(-0.5, "v")
    for f in (
        lambda: rows["leaky"](w * v + 1.0),
        lambda: rows["logistic"](w) * v,
        lambda: rows["twice"](w, v) + rows["twice"](v, 3.0),
    ):
        program = program_of(f, w, v)
        assert not any(name in str(program) for name in rows)
        assert computed(program) == eager(f, w, v)


def test_value_and_slope_share_the_functions_in_them(rows: Any) -> None:
    w = ag.Value(0.3, "w")
    assert str(program_of(lambda: rows["logistic"](w * 2.0 + 1.0), w)).count("exp") == 1


def test_a_composite_of_a_user_may_be_constant_in_some_arguments(rows: Any) -> None:
    w = ag.Value(0.3, "w")
    f = lambda: rows["twice"](w, -1.0)  # noqa: E731
    assert computed(program_of(f, w)) == eager(f, w)


def test_what_is_used_twice_is_computed_once(rows: Any) -> None:
    ws = [ag.Value(0.1 * i, f"w{i}") for i in range(20)]
    for inner in (lambda: ag.dot(ws, ws), lambda: ag.sin(ws[1]), lambda: ws[1] * ws[2] - 1.0):
        (output,) = trace(lambda inner=inner: rows["leaky"](inner()), []).outputs
        program = roll(lower([], [output], True, ws))
        assert n_groups(program) == 2
        assert computed(program) == [rows["leaky"](inner()).data]


def test_functions_of_equal_operands_are_computed_once() -> None:
    w, v = ag.Value(0.4, "w"), ag.Value(0.2, "v")
    f = lambda: ag.sin(w * v + 1.0) * w + ag.sin(w * v + 1.0) * ag.sin(v * w + 1.0)  # noqa: E731
    program = program_of(f, w, v)
    assert str(program).count("sin") == 2  # w · v and v · w are two products
    assert computed(program) == eager(f, w, v)


def test_leaves_that_are_not_given_follow_as_they_were_created() -> None:
    ws = [ag.Value(float(i)) for i in range(4)]
    (output,) = trace(lambda: ws[3] * ws[1] + ws[2] * ws[0], []).outputs
    assert lower([], [output], True, [ws[2]]).leaves == [ws[2], ws[0], ws[1], ws[3]]


def test_equal_tapes_have_one_key() -> None:
    def tape_of(a: float, scale: float) -> Any:
        w = ag.Value(a, "w")
        return lower([], trace((w * scale).sin, []).outputs, True)

    assert tape_of(1.0, 2.0).key == tape_of(3.0, 2.0).key != tape_of(1.0, 2.5).key


def test_a_result_that_stands_elsewhere_is_copied() -> None:
    w = ag.Value(3.0, "w")

    def f() -> Any:
        y = w * w
        return [y, w, 2.0, y, ag.stop_gradient(y)]

    recorded = trace(f, [])
    program = roll(lower([], recorded.outputs, True))
    assert computed(program) == [9.0, 3.0, 2.0, 9.0, 9.0]


def test_a_long_dead_chain_costs_nothing() -> None:
    ws = [ag.Value(0.5 * i) for i in range(3000)]

    def f(x: Any) -> Any:
        total = x * x
        for w in ws:
            total = ag.sin(total) + w
        return ag.where(True, x, total)

    recorded = trace(f, [()])
    program = roll(lower(recorded.inputs, recorded.outputs, True))
    assert n_groups(program) <= 2


def test_terms_that_do_not_vary_are_added_to_the_mean() -> None:
    """Where that keeps the order of the additions."""
    w, v = ag.Value(0.3), ag.Value(0.7)

    def f(x: Any) -> Any:
        y = x * w
        return [y + v, v + y, ag.sum([y, x, v, w]), ag.sum([v, y, x]), ag.sum([w, v]), y + v]

    recorded = trace(f, [()])
    program = roll(lower(recorded.inputs, recorded.outputs, True))
    run = python.compile_program(program)
    assert same(run([0.3, 0.7], read_columns([[1.1]])), [y.data for y in f(ag.Value(1.1))])
    examples = [1.1, -0.2, 5.0]
    means = np.mean([[y.data for y in f(ag.Value(x))] for x in examples], axis=0)
    np.testing.assert_allclose(run([0.3, 0.7], read_columns([examples])), means, rtol=1e-15)
    assert sum(1 for _ in groups(program.means)) == 3  # of y, of y + x, of v + y + x


def test_what_is_merged_has_one_section() -> None:
    w = ag.Value(0.5, "w")

    def f(x: Any) -> Any:
        return ag.sin(w) * x + ag.where(x > 0.0, ag.sin(w), x)

    compiled = ag.jit(f, "python")
    expected = [f(ag.Value(x)).data for x in (1.0, -2.0)]
    assert compiled([1.0, -2.0]) == expected


# --- the reverse sweep in columns -----------------------------------------------------------------

DIFFERENTIATED: dict[str, Any] = {
    "constant adjoints": lambda w, v, x: 3.0 * (w - 2.0 * v) - (x + w) / 4.0 - w,
    "products of constants": lambda w, v, x: -(-(w * 0.5) * 0.1 + 7.0) * 1.0,
    "no dependence": lambda w, v, x: x * 2.0,
    "the leaf itself": lambda w, v, x: w,
    "an adjoint that does not vary": lambda w, v, x: ag.sin(w) * v + x,
    "one operand twice": lambda w, v, x: w * w + (w + w) / w - v**v,
    "constant exponents": lambda w, v, x: w**1.0 + w**2.0 + w**0.5 + v**-3.0 + 2.0**w + w**0.0,
    "signs of zero": lambda w, v, x: w * 0.0 + v * -0.0 + (x * -0.0) * w,
    "sums and products": lambda w, v, x: ag.dot([w, v, x], [v, x, 2.0]) * ag.sum([w, 1.0, v, w]),
    "a length": lambda w, v, x: ag.hypot(w, v, x, 2.0),
    "selected": lambda w, v, x: ag.relu(w * x) + ag.maximum(w, v) - ag.clip(v * x, -1.0, 1.0),
    "a nan not selected": lambda w, v, x: ag.where(w < 9.0, w * x, ag.log(w - v) ** 0.5),
    "finite behind a choice": lambda w, v, x: ag.relu(ag.sin(w) * v),
    "stopped": lambda w, v, x: ag.stop_gradient(w * v) * w + abs(v),
    "in a function": lambda w, v, x: ag.gradient(lambda y: ag.tanh(y * w) * v)(x) * v,
}


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_the_gradient_in_columns_is_that_of_the_graph(name: str) -> None:
    w, v = ag.Value(0.7), ag.Value(1.3)
    recorded = trace(lambda x: DIFFERENTIATED[name](w, v, x), [()])
    outputs, leaves = recorded.outputs, [w, v]
    slopes, selection = gradient_of(outputs[0], leaves)
    by_graph = lower(recorded.inputs, [*outputs, *slopes], True, leaves)
    by_columns = lower(recorded.inputs, outputs, True, leaves, leaves)
    assert by_columns.selection is selection
    examples = read_columns([[0.3, -1.1, 2.0]])
    found = [
        python.compile_program(roll(lowered))([0.7, 1.3], examples)
        for lowered in (by_graph, by_columns)
    ]
    assert same(*found)


def test_what_varies_only_in_a_branch_left_out_varies_no_more() -> None:
    """Where a condition is a constant, the mean is of what is selected alone."""
    w = ag.Value(0.1)
    functions: list[Any] = [
        lambda x: ag.where(True, w, x) + 1.0,
        lambda x: ag.where(False, x, ag.where(True, w, x)) * w + w,
        lambda x: ag.exp(ag.where(True, w, x)) + x,
    ]
    for f in functions:
        examples = [2.0, 3.0, 5.0]
        w.grad = None
        mean = sum(f(x) for x in map(ag.Value, examples)) / 3.0
        mean.backward()
        expected = mean.data, w.grad
        w.grad = None
        compiled = ag.jit(f, backend="python")
        assert compiled.backward(examples) == pytest.approx(expected[0], rel=1e-15)
        assert w.grad == pytest.approx(expected[1], rel=1e-15)
        assert compiled.mean(examples) == pytest.approx(expected[0], rel=1e-15)


def test_each_of_many_constants_has_a_slope_of_its_own() -> None:
    w = ag.Value(0.3)
    data = [math.sin(i) for i in range(2_000)]

    def f() -> ag.Value:
        return ag.sum([(ag.tanh(w * x) - x * x) ** 2 for x in data])

    assert computed(program_of(f, w)) == eager(f, w)


def test_leaves_that_nothing_depends_on_have_the_slope_0() -> None:
    w, v = ag.Value(2.0), ag.Value(3.0)
    assert computed(roll(lower([], [w * 4.0, 1.5], True, [w, v], [w, v]))) == [8.0, 1.5, 4.0, 0.0]
    assert computed(roll(lower([], [1.5], True, [w], [w]))) == [1.5, 0.0]


@pytest.mark.slow
def test_long_sums_with_constants_far_apart_have_gradients_of_their_own() -> None:
    """Sums are told apart by a hash of what is constant in them, wherever that stands."""
    w, n = ag.Value(2.0), 1 << 16

    def f() -> ag.Value:
        first: list[ag.Value | float] = [w] * (n + 2)
        second = first[:]
        first[0] = second[n] = 1.0
        return ag.sum(first) * ag.sum(second)

    assert computed(program_of(f, w)) == eager(f, w)
