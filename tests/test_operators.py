"""The source of an operator: what it holds, that it can be seen, and which rules it refuses."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag
from autograd import Value, primitives
from autograd.operators import source
from autograd.primitives import TABLE, Primitive


def test_a_debugger_can_show_what_runs() -> None:
    for function, text in (
        (Value.__mul__, source(primitives.mul, method_of=0)),
        (Value.__rsub__, source(primitives.sub, method_of=1)),
        (ag.maximum, source(primitives.maximum)),
        (primitives.where.operator, source(primitives.where)),
    ):
        assert inspect.getsource(function) == text
    assert str(inspect.signature(Value.__rsub__)) == "(y, x)"


def test_arithmetic_stands_in_place_and_the_source_is_linear_in_the_operands() -> None:
    text = source(primitives.mul)
    assert text.count("z = a * b") == 1
    assert "= None if x is a else b\n" in text
    assert "= None if y is b else a\n" in text
    assert "(0.5 if a >= b else 0.0) if a <= b else 1.0" in source(primitives.maximum)
    # a method knows that its first operand is a node
    assert "x is a" not in source(primitives.mul, method_of=0)
    # of the sigmoid's value and slope the exponential is computed once
    assert source(primitives.sigmoid).count("math_exp(") == 1
    assert len(source(primitives.where).splitlines()) <= 36


@pytest.mark.parametrize("x", [-745.2, -1.5, -0.0, 0.0, 0.3, 1.0, 709.5, 710.0, 1e300, math.inf])
@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "log2", "sqrt", "sin", "asin"])
def test_within_its_domain_and_outside_a_function_of_math_gives_the_value_of_its_row(
    name: str, x: float
) -> None:
    for number in (x, -x, math.nan):
        right = TABLE[name].at([number])
        assert repr(TABLE[name](number)) == repr(TABLE[name](Value(number)).data) == repr(right)


def f_of_one(x: float) -> float:
    return x


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ([lambda z, x: 1.0 if x > 0.0 else 0.0], r"rule for argument 1 .* branches on 1.0 if a >"),
        ([lambda z, x: math.exp(x)], "asks for the number of a: .* autograd.exp for math.exp"),
        ([lambda z, x: None], "rule for argument 1 returned None"),
        ([lambda x: 1.0], "rule for argument 1 cannot be used: .* positional argument"),
        ([lambda z, x: x.data], "rule for argument 1 cannot be used: 'Symbol' .* 'data'"),
        ([lambda z, x: 1.0] * 2, "value cannot be called with 2 arguments"),
    ],
)
def test_a_rule_that_has_no_formula_is_refused_when_the_row_is_made(
    rules: list[Callable[..., Any]], says: str
) -> None:
    with pytest.raises(TypeError, match=f"unreadable: its .*{says}"):
        Primitive("unreadable", "unreadable", f_of_one, *rules)
    assert "unreadable" not in TABLE


def test_a_rule_may_divide_and_raise_to_powers() -> None:
    row = Primitive("a_ratio", "ratio", lambda x: 0.0, lambda z, x: 1.0 / x + 2.0**x)
    for x, slope in (
        (0.5, 2.0 + 2.0**0.5),
        (0.0, math.inf),
        (-0.0, -math.inf),
        (2e3, math.inf),
    ):
        assert row(Value(x)).partials == (slope,)
        (graph,) = ag.grad(row(v := Value(x)), [v])
        assert graph.data == slope


def test_rows_may_refer_to_rows_that_are_made_later() -> None:
    rows = {}
    rows["sine"] = Primitive("sine_1", "sine", math.sin, lambda z, x: cosine(x))
    cosine = Primitive("cosine_1", "cosine", math.cos, lambda z, x: -rows["sine"](x))
    assert ag.gradient(ag.gradient(rows["sine"]))(0.5) == -math.sin(0.5)


def test_an_expression_is_composite_and_so_is_a_value_that_says_so() -> None:
    def swish(x: Any) -> Any:
        return x / (1.0 + primitives.exp(-x))

    rows = [
        Primitive("cube_1", "cube", "x**2 * x", lambda z, x: 3.0 * x * x),
        Primitive("swish_1", "swish", swish, lambda z, x: 1.0 + 0.0 * x, composite=True),
    ]
    assert [row(2.0) for row in rows] == [8.0, 2.0 / (1.0 + math.exp(-2.0))]
    assert rows[1](-1e3) == -0.0  # the exponential overflows, as in IEEE arithmetic
    assert all(row.definition is not None for row in rows)


def test_an_int_beyond_the_floats_is_infinite() -> None:
    v = Value(2.0)
    for huge, infinite in ((10**400, math.inf), (-(10**400), -math.inf)):
        assert (v * huge).args == (v, infinite)
        assert (huge * v).args == (infinite, v)
        assert ag.maximum(huge, 1.0) == max(infinite, 1.0)
