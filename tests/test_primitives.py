"""Every primitive of the table: its partials at ordinary points, and its answers at the edges.

The first half loops over the table, so that a new entry is tested the moment it exists. The second
half is a table of its own: what each primitive and its partials are at 0, at ties, at infinity, at
nan and where float64 overflows. A new entry without edge cases fails.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction

import pytest

import autograd as ag
from autograd import Value, grad, primitives
from autograd.primitives import TABLE, Primitive
from tests.numerics import (
    SPECIAL,
    central_difference,
    every_primitive_at_ordinary_points,
    is_number,
    same,
)

inf, nan = math.inf, math.nan

at_ordinary_points = pytest.mark.parametrize(
    ("primitive", "point"),
    every_primitive_at_ordinary_points(),
    ids=lambda x: x.name if isinstance(x, Primitive) else str(x),
)


def leaves_at(point: tuple[float, ...]) -> list[Value | float]:
    """A leaf for each number of the point; a condition stays a bool."""
    return [Value(x) if is_number(x) else x for x in point]


# --- the whole table against finite differences ---------------------------------------------------


def check_first_order(primitive: Primitive, point: tuple[float, ...]) -> None:
    node = primitive(*leaves_at(point))
    assert same([node.data], [primitive(*point)])
    for i, partial in enumerate(node.partials):
        if is_number(point[i]):
            numeric = central_difference(primitive, point, i)
            assert partial == pytest.approx(numeric, rel=1e-8, abs=1e-9)
        else:
            assert partial is None


def check_second_order(primitive: Primitive, point: tuple[float, ...]) -> None:
    def partial(i: int, *args: float) -> float:
        found = primitive.partials_at(primitive(*args), args, [None] * len(args))[i]
        assert type(found) is float
        return found

    leaves = leaves_at(point)
    wanted = [i for i, x in enumerate(point) if is_number(x)]
    slopes = grad(primitive(*leaves), [leaves[i] for i in wanted])
    for i, slope in zip(wanted, slopes, strict=True):
        assert same([slope.data], [partial(i, *point)])
        curvatures = grad(slope, [leaves[j] for j in wanted])
        for j, curvature in zip(wanted, curvatures, strict=True):
            numeric = central_difference(lambda *args, i=i: partial(i, *args), point, j)
            assert curvature.data == pytest.approx(numeric, rel=1e-8, abs=1e-9)


@at_ordinary_points
def test_partials_agree_with_central_differences(
    primitive: Primitive, point: tuple[float, ...]
) -> None:
    check_first_order(primitive, point)


@at_ordinary_points
def test_second_partials_agree_with_central_differences_of_the_first(
    primitive: Primitive, point: tuple[float, ...]
) -> None:
    check_second_order(primitive, point)


@at_ordinary_points
def test_a_plain_number_among_the_operands_has_no_partial(
    primitive: Primitive, point: tuple[float, ...]
) -> None:
    whole = primitive(*leaves_at(point))
    for i in range(len(point)):
        if not is_number(point[i]) or len([x for x in point if is_number(x)]) < 2:
            continue
        operands = leaves_at(point)
        operands[i] = point[i]
        node = primitive(*operands)
        assert node.args[i] == point[i]
        assert type(node.args[i]) is float
        assert node.partials[i] is None
        assert same([node.data], [whole.data])
        for k, partial in enumerate(node.partials):
            assert partial is None if k == i else same([partial], [whole.partials[k]])


def test_the_checks_find_a_wrong_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "square", None)
    wrong = Primitive("square", "square", lambda x: x * x, lambda z, x: 2.002 * x)
    with pytest.raises(AssertionError):
        check_first_order(wrong, (0.7,))
    blind = Primitive("square", "square", lambda x: x * x, lambda z, x: 2.0 * float(x.data))
    with pytest.raises((AssertionError, AttributeError)):
        check_second_order(blind, (0.7,))


def test_a_new_primitive_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLE, "square", None)
    square = Primitive("square", "²", lambda x: x * x, lambda z, x: 2.0 * x)
    assert square(3.0) == 9.0
    check_first_order(square, (0.7,))
    check_second_order(square, (0.7,))
    x = Value(3.0)
    y = square(square(x))
    y.backward()
    assert x.grad == 108.0
    assert grad(grad(y, [x])[0], [x])[0].data == 108.0


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
        ((-2.0, 0.0), 1.0, (-0.0, nan)),
        ((0.0, 1.0), 0.0, (1.0, 0.0)),
        ((-0.0, 1.0), -0.0, (1.0, -0.0)),
        ((0.0, 2.0), 0.0, (0.0, 0.0)),
        ((-0.0, 3.0), -0.0, (0.0, -0.0)),
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
        ((-0.0,), 0.0, (0.0,)),
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
        ((True, 1.0, nan), 1.0, (None, 1.0, 0.0)),
        ((False, 1.0, -0.0), -0.0, (None, 0.0, 1.0)),
        ((False, inf, 1.0), 1.0, (None, 0.0, 1.0)),
    ],
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

at_the_edges = pytest.mark.parametrize(
    ("name", "args", "value", "partials"),
    [(name, *case) for name, cases in EDGES.items() for case in cases],
    ids=lambda x: x if isinstance(x, str) else None,
)


def test_every_primitive_has_its_edges_written_down() -> None:
    assert list(EDGES) == list(TABLE)


@at_the_edges
def test_edge(
    name: str, args: tuple[float, ...], value: float, partials: tuple[float | None, ...]
) -> None:
    node_or_number = TABLE[name](*leaves_at(args))
    if not args:
        assert same([node_or_number], [value])
        return
    assert same([node_or_number.data], [value])
    assert same(node_or_number.partials, partials)
    assert same([TABLE[name](*args)], [value])


@at_the_edges
def test_the_gradient_as_graph_has_the_same_answers_at_the_edges(
    name: str, args: tuple[float, ...], value: float, partials: tuple[float | None, ...]
) -> None:
    if args:
        leaves = leaves_at(args)
        inputs = [x for x in leaves if isinstance(x, Value)]
        found = grad(TABLE[name](*leaves), inputs)
        assert same([x.data for x in found], [p for p in partials if p is not None])


@pytest.mark.parametrize("primitive", TABLE.values(), ids=str)
def test_no_number_makes_a_primitive_raise(primitive: Primitive) -> None:
    n = 2 if primitive.variadic else len(primitive.partials)
    for x in SPECIAL:
        for y in SPECIAL:
            point = ((x, y) * 2)[:n]
            if primitive is primitives.where:
                point = (x <= y, x, y)
            node = primitive(*leaves_at(point))
            assert type(node.data) is float
            numbers = [p for p, at in zip(node.partials, point, strict=True) if is_number(at)]
            assert all(type(p) is float for p in numbers)


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
    f: object, x: float, first: float, second: float
) -> None:
    leaf = Value(x)
    (slope,) = grad(f(leaf), [leaf])
    (curvature,) = grad(slope, [leaf])
    assert slope.data == pytest.approx(first, rel=1e-15)
    assert curvature.data == pytest.approx(second, rel=1e-15)


# --- calling a primitive --------------------------------------------------------------------------


@pytest.mark.parametrize("primitive", TABLE.values(), ids=str)
def test_numbers_in_a_float_out(primitive: Primitive) -> None:
    for one in (1.0, 1, True, Fraction(1)):
        n = 2 if primitive.variadic else len(primitive.partials)
        assert type(primitive(*[one] * n)) is float


@pytest.mark.parametrize("name", [name for name in TABLE if hasattr(Value, name)])
def test_a_function_is_there_for_floats_for_values_and_as_a_method(name: str) -> None:
    function = getattr(ag, name)
    node, by_method = function(Value(0.7)), getattr(Value(0.7), name)()
    assert function is TABLE[name]
    assert function.__name__ == name
    assert type(function(0.7)) is float
    assert node.op == by_method.op == name
    assert same([function(0.7), *node.partials], [by_method.data, *by_method.partials])
    assert getattr(Value, name).__doc__ == function.__doc__
    assert function.__doc__


@pytest.mark.parametrize("wrong", ["1", None, 1j, [1.0], Decimal(1)], ids=repr)
@pytest.mark.parametrize("primitive", TABLE.values(), ids=str)
def test_what_is_no_real_number_is_refused(primitive: Primitive, wrong: object) -> None:
    for other in (1.0, Value(1.0)):
        n = 2 if primitive.variadic else len(primitive.partials)
        operands = [other] * n
        operands[-1] = wrong
        with pytest.raises(TypeError, match=rf"^{primitive.name}\b.*{re.escape(repr(wrong))}"):
            primitive(*operands)


def test_a_wrong_number_of_arguments_is_refused() -> None:
    with pytest.raises(TypeError, match=r"maximum.* takes 2 arguments, got 3"):
        ag.maximum(1.0, 2.0, 3.0)
    with pytest.raises(TypeError, match=r"exp.* takes 1 arguments, got 0"):
        ag.exp()


@pytest.mark.parametrize("x", [1000.0, -1000.0, 40.0, -40.0])
def test_sigmoid_and_softplus_are_stable(x: float) -> None:
    assert ag.sigmoid(x) + ag.sigmoid(-x) == 1.0
    assert ag.softplus(x) - ag.softplus(-x) == x
    assert ag.sigmoid(-40.0) == pytest.approx(math.exp(-40.0), rel=1e-15)
    assert ag.softplus(-40.0) == pytest.approx(math.exp(-40.0), rel=1e-15)
