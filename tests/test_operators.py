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
        (Value.__mul__, source(primitives.mul)),
        (Value.__rsub__, source(primitives.sub, reflected=True)),
        (ag.maximum, source(primitives.maximum)),
        (primitives.where.operator, source(primitives.where)),
    ):
        assert inspect.getsource(function) == text
    assert str(inspect.signature(Value.__rsub__)) == "(y, x)"


def test_arithmetic_stands_in_place_and_each_case_holds_what_it_needs() -> None:
    text = source(primitives.mul)
    assert text.count("z = a * b") == 3  # two nodes, a node and a number, a number and a node
    assert text.count("return a * b") == 1  # two numbers
    assert [text.count(f"{d} = {slope}") for d in ("dx", "dy") for slope in ("a", "b", "None")] == [
        *(0, 2, 1),
        *(2, 0, 1),
    ]
    assert "(0.5 if a >= b else 0.0) if a <= b else 1.0" in source(primitives.maximum)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (lambda z, x: 1.0 if x > 0.0 else 0.0, r"a rule branches on \(1.0 if a > 0.0"),
        (lambda z, x: math.exp(x), "a rule asks for the number of a: .* autograd.exp for math.exp"),
    ],
)
def test_a_rule_that_cannot_be_read_with_names_is_refused(
    rule: Callable[..., Any], says: str
) -> None:
    row = Primitive("unreadable", "unreadable", lambda x: x, rule)
    try:
        with pytest.raises(TypeError, match=says):
            source(row)
        assert row(Value(2.0)).partials == (rule(2.0, 2.0),)  # with floats it can be
    finally:
        del TABLE["unreadable"]


def test_an_int_beyond_the_floats_is_infinite() -> None:
    v = Value(2.0)
    for huge, infinite in ((10**400, math.inf), (-(10**400), -math.inf)):
        assert (v * huge).args == (v, infinite)
        assert (huge * v).args == (infinite, v)
        assert ag.maximum(huge, 1.0) == max(infinite, 1.0)
