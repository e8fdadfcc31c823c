"""`sum`, `dot`, `mean`, `where`, `maximum` and `minimum` of Values and of floats."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

import autograd as ag
from autograd import Value, primitives
from tests.numerics import same

CANCELLING = [1.0, 1e100, 1.0, -1e100]
"""From left to right this is 0; compensated (builtin `sum` since 3.12, `fsum`) it is 2."""


def test_sum_is_one_node() -> None:
    a, b = Value(1.0), Value(2.0)
    total = ag.sum([a, b, 3.0, a])
    assert (total.op, total.data) == ("sum", 7.0)
    assert total.args == (a, b, 3.0, a)
    assert total.partials == (1.0, 1.0, None, 1.0)
    total.backward()
    assert (a.grad, b.grad) == (2.0, 1.0)


def test_dot_is_one_node_with_all_of_u_and_then_all_of_v() -> None:
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    product = ag.dot([a, b], [c, 7.0])
    assert (product.op, product.data) == ("dot", 31.0)
    assert product.args == (a, b, c, 7.0)
    assert product.partials == (5.0, 7.0, 2.0, None)
    product.backward()
    assert (a.grad, b.grad, c.grad) == (5.0, 7.0, 2.0)


def test_dot_of_a_vector_with_itself() -> None:
    a, b = Value(2.0), Value(3.0)
    ag.dot([a, b], [a, b]).backward()
    assert (a.grad, b.grad) == (4.0, 6.0)


def test_floats_in_a_float_out() -> None:
    answers = [
        ag.sum([1, 2.5]),
        ag.dot([1, 2], [Fraction(1, 2), 4.0]),
        ag.mean([1, 2]),
        ag.where(True, 1, 2),
        ag.maximum(1, 2),
        ag.minimum(True, False),
    ]
    assert answers == [3.5, 8.5, 1.5, 1.0, 2.0, 0.0]
    assert {type(x) for x in answers} == {float}


def test_any_iterable_will_do() -> None:
    a = Value(2.0)
    assert ag.sum(x for x in [a, a]).data == 4.0
    assert ag.mean(iter([a, a])).data == 2.0
    assert ag.dot((x for x in [a, 1.0]), (x for x in [3.0, a])).data == 8.0  # type: ignore[attr-defined, misc]


def test_of_nothing() -> None:
    assert same([ag.sum([]), ag.dot([], [])], [0.0, 0.0])
    with pytest.raises(ValueError, match="mean: got no terms"):
        ag.mean([])


def test_dot_refuses_different_lengths() -> None:
    with pytest.raises(ValueError, match="dot: u has 2 elements, v has 1"):
        ag.dot([1.0, 2.0], [Value(3.0)])


def test_sums_run_from_left_to_right() -> None:
    assert math.fsum(CANCELLING) == 2.0
    leaves = [Value(x) for x in CANCELLING]
    ones = [1.0] * 4
    looped = leaves[0]
    for leaf in leaves[1:]:
        looped = looped + leaf
    for total in (
        ag.sum(CANCELLING),
        ag.sum(leaves).data,
        ag.dot(CANCELLING, ones),
        ag.dot(leaves, ones).data,
        ag.mean(leaves).data * 4.0,
        looped.data,
    ):
        assert total == 0.0
    assert ag.sum([0.1] * 10) == 0.9999999999999999 != math.fsum([0.1] * 10)


def test_dot_rounds_every_product_before_it_adds() -> None:
    x = 1.0 + 2.0**-30  # x² needs more than 53 bits; a fused multiply-add would keep them
    assert ag.dot([x, -1.0], [x, x * x]) == 0.0
    assert ag.dot([Value(x), -1.0], [x, x * x]).data == 0.0


def test_sums_start_from_the_first_term() -> None:
    assert same([ag.sum([-0.0]), ag.dot([-0.0], [1.0])], [-0.0, -0.0])
    assert same([ag.sum([Value(-0.0)]).data, ag.mean([Value(-0.0)]).data], [-0.0, -0.0])


def test_adjoints_are_summed_from_left_to_right_as_well() -> None:
    x = Value(1.0)
    # The dot's last operand is reached last, so the contributions to x arrive in this order.
    ag.dot([x] * 4, CANCELLING).backward()
    assert x.grad == 0.0
    assert ag.gradient(lambda x: ag.dot([x] * 4, CANCELLING))(1.0) == 0.0


def test_mean_is_the_sum_over_the_count() -> None:
    a, b, c = Value(1.0), Value(2.0), Value(4.0)
    mean = ag.mean([a, b, c])
    assert mean.data == 7.0 / 3.0
    assert (mean.op, mean.args[0].op, mean.args[1]) == ("div", "sum", 3.0)
    mean.backward()
    assert a.grad == b.grad == c.grad == 1.0 / 3.0


def test_where_takes_a_branch_and_keeps_the_comparison() -> None:
    x, y = Value(2.0), Value(3.0)
    condition = x < y
    chosen = ag.where(condition, x * 10.0, y)
    assert (chosen.data, chosen.op) == (20.0, "where")
    assert chosen.args[0] is condition
    assert chosen.partials == (None, 1.0, 0.0)
    chosen.backward()
    assert (x.grad, y.grad) == (10.0, 0.0)


def test_a_condition_passes_no_gradient() -> None:
    x = Value(2.0)
    step = ag.where(x > 0.0, 1.0, 0.0)
    assert type(step) is Value
    step.backward()
    assert x.grad is None
    assert ag.grad(step, [x])[0].data == 0.0


@pytest.mark.parametrize("truth", [True, False])
def test_where_takes_a_plain_bool(truth: bool) -> None:
    x = Value(2.0)
    assert ag.where(truth, x, 7.0).data == (2.0 if truth else 7.0)
    assert ag.where(truth, 1.0, 7.0) == (1.0 if truth else 7.0)


def test_where_takes_a_numpy_bool() -> None:
    numpy = pytest.importorskip("numpy", reason="NumPy is not installed")
    assert ag.where(numpy.bool_(False), Value(1.0), 7.0).data == 7.0


@pytest.mark.parametrize("wrong", [1.0, 0, "yes", None, Value(1.0)], ids=repr)
def test_where_refuses_what_is_no_comparison(wrong: object) -> None:
    with pytest.raises(TypeError, match="where: expected a comparison of Values or a bool"):
        ag.where(wrong, Value(1.0), 2.0)


@pytest.mark.parametrize("branches", [("a", 1.0), (1.0, "a"), (Value(1.0), "a"), (None, None)])
def test_where_refuses_a_branch_that_is_no_number(branches: tuple[object, object]) -> None:
    with pytest.raises(TypeError, match=r"^where: .*('a'|None) of type"):
        ag.where(Value(1.0) > 0.0, *branches)


@pytest.mark.parametrize("function", [ag.sum, ag.mean])
def test_a_term_that_is_no_number_is_refused(function: Callable[..., Any]) -> None:
    for terms in (["a"], [Value(1.0), "a"], [1.0, None]):
        with pytest.raises(TypeError, match=r"^sum .*('a'|None) of type"):
            function(terms)


def test_an_error_in_a_generator_of_terms_is_its_own() -> None:
    with pytest.raises(TypeError, match="NoneType"):
        ag.sum(1.0 + x for x in [None])  # type: ignore[operator]


@pytest.mark.parametrize("function", [ag.sum, ag.mean, ag.softmax, ag.logsumexp])
def test_terms_that_are_no_list_are_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=rf"^{function.__name__}: expected a list of terms, got 5"):
        function(5)
    with pytest.raises(TypeError, match=r"^dot: expected a list of terms, got Value"):
        ag.dot(Value(1.0), [2.0])


def test_of_several_numbers_it_is_said_to_take_one() -> None:
    for call in (lambda: ag.exp([1.0, 2.0]), lambda: Value(1.0) * [2.0]):
        with pytest.raises(TypeError, match=r"of type list; of several, take one at a time$"):
            call()
    with pytest.raises(TypeError, match=r"of type str$"):
        ag.exp("1.0")


def test_maximum_and_minimum_take_numbers_on_either_side() -> None:
    x = Value(2.0)
    assert ag.maximum(x, 3).data == ag.maximum(3, x).data == 3.0
    assert ag.minimum(x, 3).data == ag.minimum(3, x).data == 2.0
    assert ag.maximum(3, x).partials == (None, 0.0)


@pytest.mark.slow
def test_a_long_dot_is_still_one_node() -> None:
    n = 100_000
    x = Value(0.5)
    product = ag.dot([x] * n, range(n))
    product.backward()
    assert x.grad == n * (n - 1) / 2
    assert len(product.args) == 2 * n


def test_the_builtin_sum_of_this_python_is_not_used() -> None:
    if sys.version_info >= (3, 12):
        assert sum(CANCELLING) == 2.0
    assert primitives.sum(*CANCELLING) == 0.0
