"""Every primitive of the table: its partials at ordinary points, and its answers at the edges.

The first half loops over the table, so that a new entry is tested the moment it exists. The second
half is a table of its own: what each primitive and its partials are at 0, at ties, at infinity, at
nan and where float64 overflows. A new entry without edge cases fails.
"""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import autograd as ag
from autograd import Value, grad, primitives
from autograd.primitives import TABLE, Primitive
from tests.numerics import (
    SMOOTH,
    SPECIAL,
    central_difference,
    differentiable,
    ordinary_points,
    same,
)

inf, nan = math.inf, math.nan

every_primitive = pytest.mark.parametrize("primitive", TABLE.values(), ids=lambda row: row.name)
every_smooth_primitive = pytest.mark.parametrize("primitive", SMOOTH, ids=lambda row: row.name)


def leaves_at(point: tuple[float, ...]) -> list[Value]:
    """A leaf for each number of the point."""
    return [Value(x) for x in point]


# --- the whole table against finite differences ---------------------------------------------------


def check_first_order(primitive: Primitive, point: tuple[float, ...]) -> None:
    node = primitive(*leaves_at(point))
    assert same([node.data], [primitive(*point)]), point
    assert len(node.partials) == len(point)
    for i, partial in enumerate(node.partials):
        if i in differentiable(primitive, len(point)):
            numeric = central_difference(primitive, point, i)
            assert partial == pytest.approx(numeric, rel=1e-8, abs=1e-9), point
        else:
            assert partial is None


def check_second_order(primitive: Primitive, point: tuple[float, ...]) -> None:
    def partial(i: int, *args: float) -> float:
        found = primitive.partials_at(primitive(*args), args, [None] * len(args))[i]
        assert type(found) is float
        return found

    leaves = leaves_at(point)
    wanted = differentiable(primitive, len(point))
    slopes = grad(primitive(*leaves), [leaves[i] for i in wanted])
    for i, slope in zip(wanted, slopes, strict=True):
        assert same([slope.data], [partial(i, *point)]), point
        curvatures = grad(slope, [leaves[j] for j in wanted])
        for j, curvature in zip(wanted, curvatures, strict=True):
            numeric = central_difference(lambda *args, i=i: partial(i, *args), point, j)
            assert curvature.data == pytest.approx(numeric, rel=1e-8, abs=1e-9), point


@every_smooth_primitive
def test_partials_and_second_partials_agree_with_central_differences(primitive: Primitive) -> None:
    for point in ordinary_points(primitive):
        check_first_order(primitive, point)
        check_second_order(primitive, point)


@pytest.mark.parametrize("name", ["lt", "le", "gt", "ge", "stop_gradient", "difference_error"])
def test_what_has_no_derivative_gets_none(name: str) -> None:
    leaves = leaves_at((0.7, 2.0))[: len(TABLE[name].partials)]
    node = TABLE[name](*leaves)
    assert node.partials == (None,) * len(leaves)
    assert [slope.data for slope in grad(node, leaves)] == [0.0] * len(leaves)
    node.backward()
    assert [leaf.grad for leaf in leaves] == [None] * len(leaves)


@every_smooth_primitive
def test_a_plain_number_among_the_operands_has_no_partial(primitive: Primitive) -> None:
    for point in ordinary_points(primitive):
        whole = primitive(*leaves_at(point))
        for i in range(len(point) if len(point) > 1 else 0):
            operands: list[Value | float] = [*leaves_at(point)]
            operands[i] = point[i]
            node = primitive(*operands)
            assert node.args[i] == point[i]
            assert type(node.args[i]) is float
            assert node.partials[i] is None
            assert same([node.data], [whole.data]), (point, i)
            others = [k for k in range(len(point)) if k != i]
            found, expected = ([x.partials[k] for k in others] for x in (node, whole))
            if primitive is primitives.pow:  # a constant exponent has its own rule
                assert found == pytest.approx(expected, rel=1e-15), (point, i)
            else:
                assert same(found, expected), (point, i)


def test_the_checks_find_a_wrong_rule() -> None:
    wrong = Primitive("square", "square", lambda x: x * x, lambda z, x: 2.002 * x)
    with pytest.raises(AssertionError):
        check_first_order(wrong, (0.7,))
    blind = Primitive("blind", "square", lambda x: x * x, lambda z, x: 2.0 * ag.stop_gradient(x))
    with pytest.raises(AssertionError):
        check_second_order(blind, (0.7,))


def test_a_new_primitive_is_one_entry() -> None:
    square = Primitive("square", "²", lambda x: x * x, lambda z, x: 2.0 * x)
    assert square(3.0) == 9.0
    check_first_order(square, (0.7,))
    check_second_order(square, (0.7,))
    x = Value(3.0)
    y = square(square(x))
    y.backward()
    assert x.grad == 108.0
    assert grad(grad(y, [x])[0], [x])[0].data == 108.0


def test_a_second_row_of_a_name_is_refused() -> None:
    for name in ("exp", "pow"):
        row = TABLE[name]
        with pytest.raises(ValueError, match=f"there is a row named '{name}'"):
            Primitive(name, name, math.exp, lambda z, x: z)
        assert TABLE[name] is row
    Primitive("square", "²", lambda x: x * x, lambda z, x: 2.0 * x)
    with pytest.raises(ValueError, match="choose another name"):
        Primitive("square", "²", lambda x: x * x, lambda z, x: 2.0 * x)


HOSTILE = [
    *(
        "Value",
        "new",
        "node",
        "exp ",
        "t0",
        "x0",
        "z",
        "float",
        "type",
        "int",
        "next",
        "counter",
        "if",
        "lambda",
    ),
    *("nan", "inf", "mul_row", "row", "k", "w", "é"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_row_may_have_any_name_and_changes_no_other(name: str) -> None:
    row = Primitive(name, "triple", lambda x, y: 3.0 * x, lambda z, x, y: 3.0, None)
    twice = Primitive("twice", "twice", lambda x: 2.0 * row(x, x), lambda z, x: 2.0 * row(1.0, z))
    x = Value(2.0)
    assert (row(x, 1.0).data, row(2.0, 1), (x * 3).data, ag.exp(x * 0).data) == (6.0, 6.0, 6.0, 1.0)
    assert [twice(x).data, *twice(x).partials] == [12.0, 6.0]


def test_a_row_may_be_called_as_another_ones_object() -> None:
    of_object = Primitive("thing_row", "A", lambda x: 3.0 * x, lambda z, x: 3.0)
    thing = Primitive("thing", "B", lambda x: 5.0 * x, lambda z, x: 5.0)
    x = Value(2.0)
    assert (of_object(x).data, thing(x).data, thing(x).primitive) == (6.0, 10.0, thing)


@pytest.mark.slow
def test_rows_made_before_the_compiler_is_loaded_are_users() -> None:
    program = """
import autograd as ag
for name in ("x", "k", "w", "inf", "2 operands of row.f"):
    row = ag.Primitive(name, "f", lambda x: 3.0 * x, lambda z, x: 3.0)
    for backend in ("python", "llvm"):
        found = ag.jit(lambda x: row(x) + x * x, backend)([2.0, 1.0])
        assert found == [10.0, 4.0], (name, backend, found)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize(
    ("value", "rules", "said"),
    [
        (lambda x, y: x * y, [lambda z, x: 1.0], "cannot be called with 1 arguments"),
        (lambda x: x * x, [], "cannot be called with 0 arguments"),
        ("x * y", [lambda z, x: 1.0], r"unknown names \['y'\]"),
        ("math.cos(x)", [lambda z, x: 1.0], r"unknown names \['math'\]"),
        ("x * exp(-x)", [], "1 parameters"),
        ("x +", [lambda z, x: 1.0], "no expression"),
        (
            lambda x, y, v, w: x * y * v * w,
            [lambda z, x, y, v, w: math.cos(x), None, None, None],
            "rule for argument 1 cannot be used: it asks for the number",
        ),
    ],
)
def test_a_row_that_cannot_work_is_refused_when_it_is_made(
    value: Any, rules: list[Any], said: str
) -> None:
    with pytest.raises(TypeError, match=f"^wrong: .*{said}"):
        Primitive("wrong", "wrong", value, *rules)


def test_a_value_that_is_no_float_is_refused_when_it_is_computed() -> None:
    for wrong in (3, None, "a"):
        row = Primitive(f"gives {wrong}", "f", lambda x, wrong=wrong: wrong, lambda z, x: 0.0)
        for x in (1.0, Value(1.0)):
            with pytest.raises(TypeError, match=f"its value must return a float, got {wrong!r}"):
                row(x)


@pytest.mark.parametrize("name", ["", "new\nline", "\x1b[2J"])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected a name that can be printed") as refused:
        Primitive(name, "²", lambda x: x * x, lambda z, x: 2.0 * x)
    assert repr(name) in str(refused.value)


@pytest.mark.parametrize("symbol", ["", "\x00", "a\nb"])
def test_a_symbol_that_cannot_be_written_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"square with, got {symbol!r}")):
        Primitive("square", symbol, lambda x: x * x, lambda z, x: 2.0 * x)


def test_a_variadic_row_gives_a_partial_for_each_argument() -> None:
    first = Primitive("first", "first", lambda *xs: xs[0], lambda z, *xs: [1.0], variadic=True)
    x, y = Value(2.0), Value(3.0)
    assert first(x).partials == (1.0,)
    with pytest.raises(ValueError, match="first: its rule gave 1 partials for 2 arguments"):
        first(x, y)
    lazily = Primitive(
        "lazily",
        "lazily",
        lambda *xs: sum(xs, 0.0),
        lambda z, *xs: (1.0 for _ in xs),
        variadic=True,
    )
    assert lazily(x, 1.0, y).partials == (1.0, None, 1.0)
    for rules in ([], [lambda z, *xs: xs] * 2):
        with pytest.raises(ValueError, match=f"a single rule, .* got {len(rules)} rules"):
            Primitive("many", "many", lambda *xs: 0.0, *rules, variadic=True)


def test_a_value_may_be_written_as_an_expression() -> None:
    mix = Primitive(
        "mix",
        "mix",
        "b * x + a",
        lambda z, a, b, x: 1.0,
        lambda z, a, b, x: x,
        lambda z, a, b, x: b,
    )
    assert mix(1.0, 2.0, 3.0) == 7.0
    leaves = leaves_at((1.0, 2.0, 3.0))
    node = mix(*leaves)
    assert (node.data, node.args, node.partials) == (7.0, tuple(leaves), (1.0, 3.0, 2.0))


@every_primitive
def test_a_row_called_is_its_operator(primitive: Primitive) -> None:
    is_general = primitive.variadic or primitive.name.startswith("polygamma")
    assert is_general or primitive.operator.__name__ == primitive.name
    if hasattr(ag, primitive.name) and not is_general and primitive.name not in ("where", "clip"):
        assert primitive.operator is getattr(ag, primitive.name)


# --- the edges ------------------------------------------------------------------------------------

HUGE, TINY = 1e308, 5e-324
EDGES: dict[str, list[tuple[tuple[float, ...], float, tuple[float | None, ...]]]] = {
    # primitive: arguments, value, partials
    "add": [
        ((0.0, -0.0), 0.0, (1.0, 1.0)),
        ((-0.0, -0.0), -0.0, (1.0, 1.0)),
        ((inf, -inf), nan, (1.0, 1.0)),
        ((HUGE, HUGE), inf, (1.0, 1.0)),
        ((nan, 1.0), nan, (1.0, 1.0)),
    ],
    "sub": [
        ((0.0, 0.0), 0.0, (1.0, -1.0)),
        ((-0.0, 0.0), -0.0, (1.0, -1.0)),
        ((inf, inf), nan, (1.0, -1.0)),
        ((-HUGE, HUGE), -inf, (1.0, -1.0)),
        ((1.0, nan), nan, (1.0, -1.0)),
    ],
    "mul": [
        ((0.0, -3.0), -0.0, (-3.0, 0.0)),
        ((-0.0, -3.0), 0.0, (-3.0, -0.0)),
        ((0.0, inf), nan, (inf, 0.0)),
        ((HUGE, -10.0), -inf, (-10.0, HUGE)),
        ((TINY, 0.1), 0.0, (0.1, TINY)),
        ((nan, 0.0), nan, (0.0, nan)),
    ],
    "div": [
        ((1.0, 0.0), inf, (inf, -inf)),
        ((1.0, -0.0), -inf, (-inf, -inf)),
        ((-1.0, 0.0), -inf, (inf, inf)),
        ((0.0, 0.0), nan, (inf, nan)),
        ((0.0, -2.0), -0.0, (-0.5, -0.0)),
        ((1.0, inf), 0.0, (0.0, -0.0)),
        ((inf, inf), nan, (0.0, nan)),
        ((inf, 0.0), inf, (inf, -inf)),
        ((HUGE, 0.1), inf, (10.0, -inf)),
        ((nan, 0.0), nan, (inf, nan)),
        ((1.0, nan), nan, (nan, nan)),
    ],
    "pow": [
        # x⁰ is 1 with slope 0 for every x, and 0ʸ has slope 0 in y for every y ≥ 0
        ((0.0, 0.0), 1.0, (0.0, 0.0)),
        ((-0.0, 0.0), 1.0, (0.0, 0.0)),
        ((inf, 0.0), 1.0, (0.0, inf)),
        ((nan, 0.0), 1.0, (0.0, nan)),
        ((-2.0, 0.0), 1.0, (0.0, nan)),
        ((0.0, 1.0), 0.0, (1.0, 0.0)),
        ((-0.0, 1.0), -0.0, (1.0, 0.0)),
        ((0.0, 2.0), 0.0, (0.0, 0.0)),
        ((-0.0, 3.0), -0.0, (0.0, 0.0)),
        ((0.0, 0.5), 0.0, (inf, 0.0)),
        ((0.0, inf), 0.0, (nan, 0.0)),
        ((0.0, -1.0), inf, (-inf, -inf)),
        ((-0.0, -1.0), -inf, (-inf, inf)),
        ((-0.0, -2.0), inf, (inf, -inf)),
        ((0.0, -inf), inf, (-inf, -inf)),
        ((0.0, nan), nan, (nan, nan)),
        # roots of negative numbers, and their whole powers
        ((-8.0, 1 / 3), nan, (nan, nan)),
        ((-2.0, 0.5), nan, (nan, nan)),
        ((-2.0, 3.0), -8.0, (12.0, nan)),
        ((-2.0, 2.0), 4.0, (-4.0, nan)),
        # overflow and infinity (a slope of y·xʸ⁻¹ = ∞·0 is nan, as in PyTorch)
        ((10.0, 400.0), inf, (inf, inf)),
        ((-10.0, 401.0), -inf, (inf, nan)),
        ((-10.0, 400.0), inf, (-inf, nan)),
        ((10.0, -400.0), 0.0, (-0.0, 0.0)),
        ((HUGE, 2.0), inf, (2.0 * HUGE, inf)),
        ((2.0, inf), inf, (inf, inf)),
        ((2.0, -inf), 0.0, (nan, 0.0)),
        ((0.5, inf), 0.0, (nan, -0.0)),
        ((1.0, inf), 1.0, (inf, 0.0)),
        ((-1.0, inf), 1.0, (inf, nan)),
        ((inf, -1.0), 0.0, (-0.0, nan)),
        ((inf, inf), inf, (inf, inf)),
        ((1.0, nan), 1.0, (nan, 0.0)),
        ((nan, 2.0), nan, (nan, nan)),
    ],
    "neg": [((0.0,), -0.0, (-1.0,)), ((-inf,), inf, (-1.0,)), ((nan,), nan, (-1.0,))],
    "abs": [
        ((0.0,), 0.0, (0.0,)),
        ((-0.0,), 0.0, (0.0,)),
        ((TINY,), TINY, (1.0,)),
        ((-TINY,), TINY, (-1.0,)),
        ((-inf,), inf, (-1.0,)),
        ((nan,), nan, (0.0,)),
    ],
    "exp": [
        ((0.0,), 1.0, (1.0,)),
        ((1000.0,), inf, (inf,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((inf,), inf, (inf,)),
        ((-inf,), 0.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "log": [
        ((1.0,), 0.0, (1.0,)),
        ((0.0,), -inf, (inf,)),
        ((-0.0,), -inf, (-inf,)),
        ((-1.0,), nan, (-1.0,)),
        ((inf,), inf, (0.0,)),
        ((-inf,), nan, (-0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "sqrt": [
        ((0.0,), 0.0, (inf,)),
        ((-0.0,), -0.0, (-inf,)),
        ((-1.0,), nan, (nan,)),
        ((inf,), inf, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "sin": [((0.0,), 0.0, (1.0,)), ((-0.0,), -0.0, (1.0,)), ((inf,), nan, (nan,))],
    "cos": [((0.0,), 1.0, (-0.0,)), ((-0.0,), 1.0, (0.0,)), ((-inf,), nan, (nan,))],
    "tan": [((0.0,), 0.0, (1.0,)), ((-0.0,), -0.0, (1.0,)), ((inf,), nan, (nan,))],
    "tanh": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((1000.0,), 1.0, (0.0,)),
        ((-inf,), -1.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "sigmoid": [
        ((0.0,), 0.5, (0.25,)),
        ((-0.0,), 0.5, (0.25,)),
        ((1000.0,), 1.0, (0.0,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((inf,), 1.0, (0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "relu": [
        ((0.0,), 0.0, (0.0,)),
        ((-0.0,), -0.0, (0.0,)),
        ((TINY,), TINY, (1.0,)),
        ((-TINY,), 0.0, (0.0,)),
        ((inf,), inf, (1.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((nan,), nan, (1.0,)),
    ],
    "softplus": [
        ((0.0,), math.log(2.0), (0.5,)),
        ((1000.0,), 1000.0, (1.0,)),
        ((-1000.0,), 0.0, (0.0,)),
        ((inf,), inf, (1.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "maximum": [
        ((2.0, 2.0), 2.0, (0.5, 0.5)),
        ((0.0, -0.0), 0.0, (0.5, 0.5)),
        ((inf, inf), inf, (0.5, 0.5)),
        ((-inf, 1.0), 1.0, (0.0, 1.0)),
        ((nan, 1.0), nan, (1.0, 1.0)),
        ((1.0, nan), nan, (1.0, 1.0)),
    ],
    "minimum": [
        ((2.0, 2.0), 2.0, (0.5, 0.5)),
        ((0.0, -0.0), 0.0, (0.5, 0.5)),
        ((-inf, -inf), -inf, (0.5, 0.5)),
        ((-inf, 1.0), -inf, (1.0, 0.0)),
        ((nan, 1.0), nan, (1.0, 1.0)),
        ((1.0, nan), nan, (1.0, 1.0)),
    ],
    "where": [
        ((1.0, 1.0, nan), 1.0, (None, 1.0, 0.0)),
        ((0.0, 1.0, -0.0), -0.0, (None, 0.0, 1.0)),
        ((0.0, inf, 1.0), 1.0, (None, 0.0, 1.0)),
        ((-0.0, 1.0, nan), nan, (None, 0.0, 1.0)),
    ],
    **{
        name: [
            ((1.0, 2.0), float(lesser), (None, None)),
            ((2.0, 1.0), float(greater), (None, None)),
            ((0.0, -0.0), float(equal), (None, None)),
            ((-0.0, 0.0), float(equal), (None, None)),
            ((inf, inf), float(equal), (None, None)),
            ((-inf, inf), float(lesser), (None, None)),
            ((-TINY, 0.0), float(lesser), (None, None)),
            ((nan, 1.0), 0.0, (None, None)),
            ((1.0, nan), 0.0, (None, None)),
            ((nan, nan), 0.0, (None, None)),
        ]
        for name, lesser, equal, greater in (
            ("lt", True, False, False),
            ("le", True, True, False),
            ("gt", False, False, True),
            ("ge", False, True, True),
        )
    },
    "logical_and": [
        ((1.0, 1.0), 1.0, (None, None)),
        ((1.0, 0.0), 0.0, (None, None)),
        ((0.0, 1.0), 0.0, (None, None)),
        ((0.0, 0.0), 0.0, (None, None)),
    ],
    "logical_or": [
        ((1.0, 1.0), 1.0, (None, None)),
        ((1.0, 0.0), 1.0, (None, None)),
        ((0.0, 1.0), 1.0, (None, None)),
        ((0.0, 0.0), 0.0, (None, None)),
    ],
    "logical_not": [((1.0,), 0.0, (None,)), ((0.0,), 1.0, (None,))],
    "stop_gradient": [
        ((-0.0,), -0.0, (None,)),
        ((inf,), inf, (None,)),
        ((nan,), nan, (None,)),
    ],
    "given_partial": [
        ((-0.0, 1.0, 3.0), -0.0, (1.0, 3.0, None)),
        ((inf, nan, -inf), inf, (1.0, -inf, None)),
    ],
    "expm1": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((TINY,), TINY, (1.0,)),
        ((1000.0,), inf, (inf,)),
        ((-1000.0,), -1.0, (0.0,)),
        ((inf,), inf, (inf,)),
        ((-inf,), -1.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "log1p": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((-1.0,), -inf, (inf,)),
        ((-2.0,), nan, (-1.0,)),
        ((inf,), inf, (0.0,)),
        ((-inf,), nan, (-0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "asin": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((1.0,), math.pi / 2, (inf,)),
        ((-1.0,), -math.pi / 2, (inf,)),
        ((1.0 + 2.0**-52,), nan, (nan,)),
        ((-inf,), nan, (nan,)),
        ((nan,), nan, (nan,)),
    ],
    "acos": [
        ((0.0,), math.pi / 2, (-1.0,)),
        ((-0.0,), math.pi / 2, (-1.0,)),
        ((1.0,), 0.0, (-inf,)),
        ((-1.0,), math.pi, (-inf,)),
        ((1.0 + 2.0**-52,), nan, (nan,)),
        ((inf,), nan, (nan,)),
        ((nan,), nan, (nan,)),
    ],
    "atan": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((HUGE,), math.pi / 2, (0.0,)),
        ((inf,), math.pi / 2, (0.0,)),
        ((-inf,), -math.pi / 2, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "atan2": [
        # at the origin, where every direction meets, the derivatives are 0
        ((0.0, 0.0), 0.0, (0.0, 0.0)),
        ((-0.0, 0.0), -0.0, (0.0, 0.0)),
        ((0.0, -0.0), math.pi, (0.0, 0.0)),
        ((-0.0, -0.0), -math.pi, (0.0, 0.0)),
        ((0.0, 2.0), 0.0, (0.5, -0.0)),
        ((0.0, -2.0), math.pi, (-0.5, -0.0)),
        ((-0.0, -2.0), -math.pi, (-0.5, 0.0)),
        ((2.0, 0.0), math.pi / 2, (0.0, -0.5)),
        ((-2.0, 0.0), -math.pi / 2, (0.0, 0.5)),
        ((inf, 1.0), math.pi / 2, (0.0, nan)),
        ((1.0, inf), 0.0, (nan, -0.0)),
        ((inf, inf), math.pi / 4, (nan, nan)),
        ((nan, 1.0), nan, (nan, nan)),
        ((1.0, nan), nan, (nan, nan)),
    ],
    "sinh": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((1000.0,), inf, (inf,)),
        ((-1000.0,), -inf, (inf,)),
        ((-inf,), -inf, (inf,)),
        ((nan,), nan, (nan,)),
    ],
    "cosh": [
        ((0.0,), 1.0, (0.0,)),
        ((-0.0,), 1.0, (-0.0,)),
        ((1000.0,), inf, (inf,)),
        ((-1000.0,), inf, (-inf,)),
        ((inf,), inf, (inf,)),
        ((nan,), nan, (nan,)),
    ],
    "sech2": [
        ((0.0,), 1.0, (-0.0,)),
        ((-0.0,), 1.0, (0.0,)),
        ((1000.0,), 0.0, (-0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "erf": [
        ((0.0,), 0.0, (2.0 / math.sqrt(math.pi),)),
        ((-0.0,), -0.0, (2.0 / math.sqrt(math.pi),)),
        ((HUGE,), 1.0, (0.0,)),
        ((-inf,), -1.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "erfc": [
        ((0.0,), 1.0, (-2.0 / math.sqrt(math.pi),)),
        ((-0.0,), 1.0, (-2.0 / math.sqrt(math.pi),)),
        ((HUGE,), 0.0, (-0.0,)),
        ((-inf,), 2.0, (-0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "hypot": [
        ((), 0.0, ()),
        ((0.0,), 0.0, (0.0,)),
        ((-2.0,), 2.0, (-1.0,)),
        ((0.0, -0.0), 0.0, (0.0, 0.0)),
        ((3.0, -4.0), 5.0, (0.6, -0.8)),
        ((3.0 * 2.0**1020, 0.0, -(2.0**1022)), 5.0 * 2.0**1020, (0.6, 0.0, -0.8)),
        ((TINY, 0.0), TINY, (1.0, 0.0)),
        ((inf, 1.0), inf, (nan, 0.0)),
        ((nan, 0.0), nan, (nan, nan)),
        ((nan, inf), inf, (nan, nan)),
    ],
    "log2": [
        ((1.0,), 0.0, (1.0 / math.log(2.0),)),
        ((2.0**-1074,), -1074.0, (inf,)),
        ((0.0,), -inf, (inf,)),
        ((-1.0,), nan, (-1.0 / math.log(2.0),)),
        ((inf,), inf, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "log10": [
        ((1000.0,), 3.0, (1.0 / math.log(10.0) / 1000.0,)),
        ((-0.0,), -inf, (-inf,)),
        ((-1.0,), nan, (-1.0 / math.log(10.0),)),
        ((inf,), inf, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "asinh": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((HUGE,), math.asinh(HUGE), (1e-308,)),
        ((-inf,), -inf, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "acosh": [
        ((1.0,), 0.0, (inf,)),
        ((1.0 - 2.0**-53,), nan, (nan,)),
        ((inf,), inf, (0.0,)),
        ((-inf,), nan, (nan,)),
        ((nan,), nan, (nan,)),
    ],
    "atanh": [
        ((0.0,), 0.0, (1.0,)),
        ((-0.0,), -0.0, (1.0,)),
        ((1.0,), inf, (inf,)),
        ((-1.0,), -inf, (inf,)),
        ((2.0,), nan, (-1.0 / 3.0,)),
        ((nan,), nan, (nan,)),
    ],
    "cbrt": [
        ((0.0,), 0.0, (inf,)),
        ((-0.0,), -0.0, (inf,)),
        ((-27.0,), -3.0, (1.0 / 27.0,)),
        ((2.0**-1074,), 2.0**-358, (2.0**716 / 3.0,)),
        ((-inf,), -inf, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "sign": [
        ((0.0,), 0.0, (0.0,)),
        ((-0.0,), 0.0, (0.0,)),
        ((-TINY,), -1.0, (0.0,)),
        ((inf,), 1.0, (0.0,)),
        ((nan,), nan, (0.0,)),
    ],
    **{
        name: [
            ((2.5,), above, (0.0,)),
            ((-2.5,), below, (0.0,)),
            ((0.5,), half, (0.0,)),
            ((-0.5,), minus_half, (0.0,)),
            ((-0.0,), -0.0, (0.0,)),
            ((2.0**52 + 1.0,), 2.0**52 + 1.0, (0.0,)),
            ((-HUGE,), -HUGE, (0.0,)),
            ((-inf,), -inf, (0.0,)),
            ((nan,), nan, (0.0,)),
        ]
        for name, above, below, half, minus_half in (
            ("floor", 2.0, -3.0, 0.0, -1.0),
            ("ceil", 3.0, -2.0, 1.0, -0.0),
            ("trunc", 2.0, -2.0, 0.0, -0.0),
            ("round", 2.0, -2.0, 0.0, -0.0),
        )
    },
    "fmod": [
        ((5.0, 3.0), 2.0, (1.0, -1.0)),
        ((-5.0, 3.0), -2.0, (1.0, 1.0)),
        ((5.0, inf), 5.0, (1.0, 0.0)),
        ((5.0, 0.0), nan, (1.0, nan)),
        ((inf, 2.0), nan, (1.0, nan)),
    ],
    "mod": [
        ((5.0, 3.0), 2.0, (1.0, -1.0)),
        ((-5.0, 3.0), 1.0, (1.0, 2.0)),
        ((5.0, -3.0), -1.0, (1.0, 2.0)),
        ((-6.0, 3.0), 0.0, (1.0, 2.0)),
        ((6.0, -3.0), -0.0, (1.0, 2.0)),
        ((-5.0, inf), inf, (1.0, 1.0)),
        ((5.0, 0.0), nan, (1.0, -inf)),
        ((inf, 2.0), nan, (1.0, nan)),
        ((nan, 2.0), nan, (1.0, nan)),
    ],
    "floordiv": [
        ((5.0, 3.0), 1.0, (0.0, 0.0)),
        ((-5.0, 3.0), -2.0, (0.0, 0.0)),
        ((-0.0, 3.0), -0.0, (0.0, 0.0)),
        ((5.0, 0.0), inf, (0.0, 0.0)),
        ((0.0, 0.0), nan, (0.0, 0.0)),
        ((-5.0, inf), -1.0, (0.0, 0.0)),
        ((inf, 2.0), nan, (0.0, 0.0)),
    ],
    "clip": [
        ((1.0, 1.0, 2.0), 1.0, (1.0, 0.0, 0.0)),
        ((2.0, 1.0, 2.0), 2.0, (1.0, 0.0, 0.0)),
        ((0.0, 1.0, 2.0), 1.0, (0.0, 1.0, 0.0)),
        ((inf, 1.0, 2.0), 2.0, (0.0, 0.0, 1.0)),
        ((0.0, 2.0, 1.0), 1.0, (0.0, 0.0, 1.0)),  # the upper bound is applied last
        ((nan, 1.0, 2.0), nan, (1.0, 0.0, 0.0)),
        ((1.5, nan, 2.0), nan, (1.0, 0.0, 0.0)),
    ],
    "logistic_pdf": [
        ((0.0,), 0.25, (-0.0,)),
        ((-0.0,), 0.25, (0.0,)),
        ((1000.0,), 0.0, (-0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "log_sigmoid": [
        ((0.0,), -math.log(2.0), (0.5,)),
        ((1000.0,), -0.0, (0.0,)),
        ((-1000.0,), -1000.0, (1.0,)),
        ((inf,), -0.0, (0.0,)),
        ((-inf,), -inf, (1.0,)),
        ((nan,), nan, (nan,)),
    ],
    "difference_error": [
        ((1.0, 2.0**-60), -(2.0**-60), (None, None)),
        ((2.0**-60, 1.0), 2.0**-60, (None, None)),
        ((inf, 1.0), nan, (None, None)),
    ],
    "logaddexp": [
        ((0.0, 0.0), math.log(2.0), (0.5, 0.5)),
        ((-inf, 1.0), 1.0, (0.0, 1.0)),
        ((inf, 1.0), inf, (1.0, 0.0)),
        ((inf, -inf), inf, (1.0, 0.0)),
        ((-inf, -inf), -inf, (nan, nan)),
        ((inf, inf), inf, (nan, nan)),
        ((HUGE, -HUGE), HUGE, (1.0, 0.0)),
        ((nan, inf), nan, (nan, nan)),
    ],
    "xlogy": [
        ((0.0, 0.0), 0.0, (0.0, 0.0)),
        ((-0.0, 2.0), 0.0, (math.log(2.0), -0.0)),
        ((0.0, -1.0), 0.0, (0.0, -0.0)),
        ((0.0, inf), 0.0, (inf, 0.0)),
        ((1.0, 0.0), -inf, (-inf, inf)),
        ((1.0, -1.0), nan, (nan, -1.0)),
        ((0.0, nan), nan, (nan, nan)),
        ((nan, 1.0), nan, (0.0, nan)),
    ],
    "bell": [
        ((0.0,), 1.0, (-0.0,)),
        ((-0.0,), 1.0, (0.0,)),
        ((HUGE,), 0.0, (-0.0,)),
        ((-inf,), 0.0, (-0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "norm_pdf": [
        ((0.0,), 1.0 / math.sqrt(2.0 * math.pi), (-0.0,)),
        ((HUGE,), 0.0, (-0.0,)),
        ((-inf,), 0.0, (-0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "norm_cdf": [
        ((0.0,), 0.5, (1.0 / math.sqrt(2.0 * math.pi),)),
        ((-0.0,), 0.5, (1.0 / math.sqrt(2.0 * math.pi),)),
        ((HUGE,), 1.0, (0.0,)),
        ((-inf,), 0.0, (0.0,)),
        ((nan,), nan, (nan,)),
    ],
    "log_norm_cdf": [
        ((-1e8,), -5000000000000019.0, (1e8 + 1e-8,)),
        ((-HUGE,), -inf, (HUGE,)),
        ((HUGE,), -0.0, (0.0,)),
        ((inf,), -0.0, (0.0,)),
        ((-inf,), -inf, (inf,)),
        ((nan,), nan, (nan,)),
    ],
    "lgamma": [
        ((1.0,), 0.0, (-0.5772156649015329,)),
        ((2.0,), 0.0, (0.42278433509846714,)),
        ((0.0,), inf, (-inf,)),
        ((-0.0,), inf, (inf,)),
        ((-1.0,), inf, (nan,)),
        ((-1e300,), inf, (nan,)),
        ((HUGE,), inf, (math.log(HUGE),)),
        ((inf,), inf, (inf,)),
        ((-inf,), inf, (nan,)),
        ((nan,), nan, (nan,)),
    ],
    "digamma": [
        ((0.0,), -inf, (inf,)),
        ((-0.0,), inf, (inf,)),
        ((-3.0,), nan, (inf,)),
        ((inf,), inf, (0.0,)),
        ((-inf,), nan, (nan,)),
        ((nan,), nan, (nan,)),
    ],
    **{
        f"polygamma{n}": [
            ((0.0,), inf * (-1.0) ** (n + 1), (inf * (-1.0) ** n,)),
            ((-3.0,), inf if n % 2 else nan, (nan if n % 2 else inf,)),
            ((inf,), 0.0 * (-1.0) ** (n + 1), (0.0 * (-1.0) ** n,)),
            ((-inf,), nan, (nan,)),
            ((nan,), nan, (nan,)),
        ]
        for n in range(1, 4)
    },
    "sum": [
        ((), 0.0, ()),
        ((-0.0,), -0.0, (1.0,)),
        ((-0.0, -0.0), -0.0, (1.0, 1.0)),
        ((HUGE, HUGE, -HUGE), inf, (1.0, 1.0, 1.0)),
        ((1.0, 1e100, 1.0, -1e100), 0.0, (1.0, 1.0, 1.0, 1.0)),
        ((inf, -inf), nan, (1.0, 1.0)),
    ],
    "dot": [
        ((), 0.0, ()),
        ((-0.0, 1.0), -0.0, (1.0, -0.0)),
        ((-1.0, -0.0, 0.0, 0.0), -0.0, (0.0, 0.0, -1.0, -0.0)),
        ((HUGE, 1.0, 10.0, -inf), nan, (10.0, -inf, HUGE, 1.0)),
        ((0.0, inf), nan, (inf, 0.0)),
        ((nan, 1.0, 0.0, 1.0), nan, (0.0, 1.0, nan, 1.0)),
    ],
}


def test_every_primitive_has_its_edges_written_down() -> None:
    assert set(EDGES) == set(TABLE)


@pytest.mark.parametrize("name", EDGES)
def test_edges(name: str) -> None:
    """The value of floats and of Values, their partials, and the gradient as graph."""
    for args, value, partials in EDGES[name]:
        assert same([TABLE[name](*args)], [value]), args
        if args:
            leaves = leaves_at(args)
            node = TABLE[name](*leaves)
            assert same([node.data], [value]), args
            assert same(node.partials, partials), args
            slopes = [0.0 if p is None else p for p in partials]
            assert same([x.data for x in grad(node, leaves)], slopes), args


@every_primitive
def test_no_number_makes_a_primitive_raise(primitive: Primitive) -> None:
    n = 2 if primitive.variadic else len(primitive.partials)
    for x in SPECIAL:
        for y in SPECIAL:
            point = ((x, y) * 2)[:n]
            if primitive is primitives.where:
                point = (float(x <= y), x, y)
            node = primitive(*leaves_at(point))
            assert type(node.data) is float
            of_numbers = [node.partials[i] for i in differentiable(primitive, n)]
            assert [type(p) for p in of_numbers] == [float] * len(of_numbers)


@pytest.mark.parametrize(
    ("f", "x", "first", "second"),
    [
        (lambda x: x**2, 0.0, 0.0, 2.0),
        (lambda x: x**1, 0.0, 1.0, 0.0),
        (lambda x: x**0, 0.0, 0.0, 0.0),
        (lambda x: x**3, 0.0, 0.0, 0.0),
        (lambda x: x**3, -2.0, 12.0, -12.0),
        (lambda x: x**-1, 0.5, -4.0, 16.0),
        (lambda x: 2.0**x, 0.0, math.log(2.0), math.log(2.0) ** 2),
        (lambda x: 0.0**x, 2.0, 0.0, 0.0),
        (abs, 0.0, 0.0, 0.0),
        (lambda x: x.relu(), 0.0, 0.0, 0.0),
        (lambda x: ag.maximum(x, 0.0), 0.0, 0.5, 0.0),
        (lambda x: ag.maximum(x, -x), 0.0, 0.0, 0.0),
        (lambda x: x.sigmoid(), 1000.0, 0.0, 0.0),
        (lambda x: x.softplus(), -1000.0, 0.0, 0.0),
        (lambda x: x.softplus(), 1000.0, 1.0, 0.0),
        (lambda x: x.exp(), 1000.0, inf, inf),
        (lambda x: (-x).exp(), 1000.0, 0.0, 0.0),
        (lambda x: x.log(), 0.0, inf, -inf),
    ],
)
def test_first_and_second_derivative_at_an_edge(
    f: Callable[[Value], Value], x: float, first: float, second: float
) -> None:
    leaf = Value(x)
    (slope,) = grad(f(leaf), [leaf])
    (curvature,) = grad(slope, [leaf])
    assert slope.data == pytest.approx(first, rel=1e-15)
    assert curvature.data == pytest.approx(second, rel=1e-15)


# --- calling a primitive --------------------------------------------------------------------------


@every_primitive
def test_numbers_in_a_float_out(primitive: Primitive) -> None:
    for one in (1.0, 1, True, Fraction(1)):
        n = 2 if primitive.variadic else len(primitive.partials)
        assert type(primitive(*[one] * n)) is float


@pytest.mark.parametrize(
    "name", [x for x, row in TABLE.items() if hasattr(Value, x) and row.arity == 1]
)
def test_a_function_is_there_for_floats_for_values_and_as_a_method(name: str) -> None:
    function = getattr(ag, name)
    node, by_method = function(Value(0.7)), getattr(Value(0.7), name)()
    assert function is getattr(Value, name)
    assert node.primitive is TABLE[name]
    assert function.__name__ == name
    assert type(function(0.7)) is float
    assert node.op == by_method.op == name
    assert same([function(0.7), *node.partials], [by_method.data, *by_method.partials])
    assert getattr(Value, name).__doc__ == function.__doc__
    assert function.__doc__


@every_primitive
def test_what_is_no_real_number_is_refused(primitive: Primitive) -> None:
    n = 2 if primitive.variadic else len(primitive.partials)
    for other, wrong in itertools.product((1.0, Value(1.0)), ("1", None, 1j, [1.0], Decimal(1))):
        operands = [*[other] * (n - 1), wrong]
        with pytest.raises(TypeError, match=rf"^{primitive.name}\b.*{re.escape(repr(wrong))}"):
            primitive(*operands)


def test_a_row_without_its_symbol_is_refused() -> None:
    with pytest.raises(
        TypeError, match=r"^Primitive: .*, got 'unmade', <function .* and <function"
    ):
        Primitive("unmade", lambda x: x**3, lambda z, x: 3.0 * x * x)  # type: ignore[arg-type]
    assert "unmade" not in TABLE


def test_a_wrong_number_of_arguments_is_refused() -> None:
    with pytest.raises(
        TypeError, match=r"maximum.* takes 2 arguments, got 3; .* or None, for each"
    ):
        primitives.maximum(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match=r"exp.* takes 1 arguments, got 0"):
        primitives.exp()
    with pytest.raises(TypeError, match="maximum"):
        ag.maximum(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match="exp"):
        ag.exp()


@pytest.mark.parametrize("x", [1000.0, -1000.0, 40.0, -40.0])
def test_sigmoid_and_softplus_are_stable(x: float) -> None:
    assert ag.sigmoid(x) + ag.sigmoid(-x) == 1.0
    assert ag.softplus(x) - ag.softplus(-x) == x
    assert ag.sigmoid(-40.0) == pytest.approx(math.exp(-40.0), rel=1e-15)
    assert ag.softplus(-40.0) == pytest.approx(math.exp(-40.0), rel=1e-15)
