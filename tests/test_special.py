"""Steps, % and //, clip, sums of powers, the normal distribution, the gamma function."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import autograd as ag
from autograd import Value, grad
from autograd.primitives import TABLE
from tests.numerics import SPECIAL, same

inf, nan = math.inf, math.nan


def gradient(f: Callable[[list[Any]], Any], *point: float) -> list[float]:
    """∂f/∂x of each x, by backward(), which agrees with the gradient as graph."""
    leaves = [Value(x) for x in point]
    output = f(leaves)
    as_graph = [x.data for x in grad(output, leaves)]
    output.backward()
    by_backward = [0.0 if leaf.grad is None else leaf.grad for leaf in leaves]
    assert by_backward == pytest.approx(as_graph, nan_ok=True, rel=1e-14)
    return as_graph


# --- steps, % and // ------------------------------------------------------------------------------


def many_numbers() -> list[float]:
    source = random.Random(2)
    return [
        *SPECIAL,
        *(source.uniform(-5.0, 5.0) for _ in range(300)),
        *(k / 2.0 for k in range(-9, 10)),
        *(source.choice((-1, 1)) * 2.0 ** source.uniform(-1070.0, 1023.0) for _ in range(300)),
        *(2.0**k + 0.5 * j for k in range(50, 54) for j in range(-3, 4)),
        *(math.nextafter(x, y) for x in (0.5, -0.5, 1.0, -1.5) for y in (-inf, inf)),
    ]


@pytest.mark.parametrize(
    ("name", "function"),
    [("floor", math.floor), ("ceil", math.ceil), ("trunc", math.trunc), ("round", round)],
)
def test_steps_are_those_of_python(name: str, function: Callable[[float], int]) -> None:
    for x in filter(math.isfinite, many_numbers()):
        found = TABLE[name](x)
        assert found == function(x)
        assert math.copysign(1.0, found) == math.copysign(1.0, found or x)  # a zero has x's sign


def test_remainders_and_quotients_have_the_bits_of_python() -> None:
    source = random.Random(3)
    pairs = [(x, y) for x in SPECIAL for y in SPECIAL]
    pairs += [(source.uniform(-9.0, 9.0), source.uniform(-3.0, 3.0)) for _ in range(1000)]
    pairs += [(float(source.randint(-9, 9)), float(source.randint(-4, 4))) for _ in range(500)]
    pairs += [(0.1 * k, 0.1) for k in range(-50, 50)]
    for x, y in pairs:
        if y != 0.0:
            assert same([TABLE["mod"](x, y), TABLE["floordiv"](x, y)], [x % y, x // y])


def test_a_step_passes_nothing_on() -> None:
    assert gradient(lambda v: TABLE["log"](TABLE["floor"](v[0])), 0.5) == [
        0.0
    ]  # log has slope inf there
    assert gradient(lambda v: v[0] * TABLE["sign"](v[0]), -3.0) == [-1.0]
    assert gradient(lambda v: TABLE["mod"](v[0], v[1]), 7.5, 2.0) == [1.0, -3.0]
    assert gradient(lambda v: TABLE["floordiv"](v[0], v[1]), 7.5, 2.0) == [0.0, 0.0]


def test_pythons_divmod_and_round_are_those_of_the_table() -> None:
    x, y = ag.Value(7.5), ag.Value(-2.0)
    for quotient, remainder in (divmod(x, y), divmod(x, -2.0), divmod(7.5, y)):
        assert (quotient.data, remainder.data) == divmod(7.5, -2.0)
        assert (quotient.op, remainder.op) == ("floordiv", "mod")
    assert [(round(ag.Value(z)).op, round(ag.Value(z)).data) for z in (2.5, 3.5)] == [
        *(("round", 2.0), ("round", 4.0)),
    ]
    with pytest.raises(TypeError, match=r"round: .* whole number; .* round\(x.data, 2\)"):
        round(x, 2)


# --- clip -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "value", "slopes"),
    [
        ((0.5, 0.0, 1.0), 0.5, [1.0, 0.0, 0.0]),
        ((0.0, 0.0, 1.0), 0.0, [1.0, 0.0, 0.0]),
        ((1.0, 0.0, 1.0), 1.0, [1.0, 0.0, 0.0]),
        ((-2.0, 0.0, 1.0), 0.0, [0.0, 1.0, 0.0]),
        ((2.0, 0.0, 1.0), 1.0, [0.0, 0.0, 1.0]),
        ((0.5, 0.5, 0.5), 0.5, [1.0, 0.0, 0.0]),
        ((2.0, 1.0, -1.0), -1.0, [0.0, 0.0, 1.0]),
        ((-2.0, 1.0, -1.0), -1.0, [0.0, 0.0, 1.0]),
    ],
)
def test_clip_has_the_slopes_of_torch_clamp(
    point: Sequence[float], value: float, slopes: list[float]
) -> None:
    assert TABLE["clip"](*point) == value
    assert gradient(lambda v: TABLE["clip"](*v), *point) == slopes


def test_clip_between_a_weight_and_its_opposite() -> None:
    assert gradient(lambda v: TABLE["clip"](v[0], -v[1], v[1]), -3.0, 2.0) == [0.0, -1.0]
    assert gradient(lambda v: TABLE["clip"](v[0], -v[1], v[1]), 3.0, 2.0) == [0.0, 1.0]
    for low, high in (("a", 1.0), (None, 1.0), (-1.0, 1j)):
        with pytest.raises(TypeError, match=r"^clip: expected a Value or a real number, got "):
            ag.clip(Value(1.0), low, high)


# --- sums of powers at infinity -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "value", "slopes"),
    [
        ((-inf, -inf), -inf, [nan, nan]),
        ((-inf, 1.0), 1.0, [0.0, 1.0]),
        ((inf, 1.0), inf, [nan, 0.0]),
        ((inf, 1e308), inf, [nan, 0.0]),
        ((inf, -inf), inf, [nan, 0.0]),
        ((1e308, 1e308), 1e308, [0.5, 0.5]),
    ],
)
def test_logsumexp_at_infinity(terms: Sequence[float], value: float, slopes: list[float]) -> None:
    assert same([ag.logsumexp(terms)], [value])
    assert gradient(ag.logsumexp, *terms) == pytest.approx(slopes, nan_ok=True)


@pytest.mark.parametrize(
    ("logits", "value", "slopes"),
    [
        ((-inf, -inf, 1.0), inf, [0.0, -1.0, 1.0]),
        ((1.0, -inf, 1.0), inf, [0.5, -1.0, 0.5]),
        ((1.0, -1e30, 1.0 + math.log(3.0)), 1e30, [0.25, -1.0, 0.75]),
        ((1.0, -inf, 1.0 + math.log(3.0)), inf, [0.25, -1.0, 0.75]),
        ((-inf, 1.0, 1.0), math.log(2.0), [0.0, -0.5, 0.5]),
        ((-inf, 1.0, -inf), 0.0, [0.0, 0.0, 0.0]),
        ((0.0, 800.0, 0.0), 0.0, [0.0, 0.0, 0.0]),
        ((inf, 1.0, 2.0), nan, None),
        ((-inf, -inf, -inf), nan, None),
    ],
)
def test_cross_entropy_at_infinity(
    logits: tuple[float, ...], value: float, slopes: list[float] | None
) -> None:
    """The target is the second class."""

    def loss(z: list[Any]) -> Any:
        return (
            ag.cross_entropy(z, 1)
            if isinstance(z[0], Value)
            else ag.cross_entropy(list(map(Value, z)), 1).data
        )

    assert same([loss(list(logits))], [value])
    if slopes:
        assert gradient(loss, *logits) == pytest.approx(slopes, rel=1e-14)


# --- the normal distribution ----------------------------------------------------------------------


@pytest.mark.parametrize("x", [-1e2, -1e3, -1e5, -1e8])
def test_log_norm_cdf_far_out(x: float) -> None:
    """By its asymptotic series: -x²/2 - log(-x·√(2π)) - 1/x² + …"""
    w = 1.0 / (x * x)
    value = -0.5 * x * x - math.log(-x * math.sqrt(2.0 * math.pi)) - w + 2.5 * w * w
    value -= 37.0 / 3.0 * w**3
    assert TABLE["log_norm_cdf"](x) == pytest.approx(value, rel=4e-16)
    leaf = Value(x)
    (slope,) = grad(TABLE["log_norm_cdf"](leaf), [leaf])
    (curvature,) = grad(slope, [leaf])
    (third,) = grad(curvature, [leaf])
    assert slope.data == pytest.approx(-x * (1.0 + w * (1.0 - w * (2.0 - 10.0 * w))), rel=4e-16)
    assert curvature.data == pytest.approx(-1.0 + w * (1.0 - w * (6.0 - 50.0 * w)), rel=4e-16)
    third_by_series = -2.0 * w / x * (1.0 - 12.0 * w * (1.0 - 12.5 * w))
    assert third.data == pytest.approx(third_by_series, rel=1e-8)


def test_third_and_fifth_derivatives_of_erf_and_its_kin_at_0() -> None:
    two_by_root_pi, density = 2.0 / math.sqrt(math.pi), 1.0 / math.sqrt(2.0 * math.pi)
    for name, third, fifth in (
        ("erf", -2.0 * two_by_root_pi, 12.0 * two_by_root_pi),
        ("erfc", 2.0 * two_by_root_pi, -12.0 * two_by_root_pi),
        ("norm_cdf", -density, 3.0 * density),
    ):
        y = TABLE[name](x := Value(0.0))
        found = []
        for _ in range(5):
            (y,) = grad(y, [x])
            found.append(y.data)
        assert found[2::2] == pytest.approx([third, fifth], rel=1e-15)
        assert found[1::2] == [0.0, 0.0]


def test_the_second_derivative_of_a_length_at_0_is_none() -> None:
    by_root = ag.hessian(lambda v: TABLE["hypot"](*v) ** 2)([0.0, 0.0])
    assert all(math.isnan(x) for row in by_root for x in row)
    assert ag.gradient(lambda v: TABLE["hypot"](*v))([0.0, 0.0]) == [0.0, 0.0]
    squares = ag.hessian(lambda v: ag.dot(v, v))([0.0, 0.0])
    assert squares == [[2.0, 0.0], [0.0, 2.0]]


# --- the gamma function ---------------------------------------------------------------------------


def test_lgamma_is_the_logarithm_of_factorials() -> None:
    for n in range(1, 170):
        assert TABLE["lgamma"](float(n)) == pytest.approx(
            math.log(math.factorial(n - 1)), rel=1e-15
        )


@pytest.mark.parametrize("n", range(9))
def test_polygamma_keeps_its_recurrence(n: int) -> None:
    for x in (0.1, 0.7, 1.3, 4.5, 9.7, 12.0, -0.4, -1.7, -12.3):
        step = (-1.0) ** n * math.factorial(n) * x ** (-n - 1)
        scale = abs(ag.polygamma(n, x)) + abs(step)
        gap = ag.polygamma(n, x + 1.0) - ag.polygamma(n, x) - step
        assert abs(gap) <= 2e-14 * scale


@pytest.mark.parametrize("wrong", [-1, 1.5, 1000, "1", True, nan])
def test_polygamma_refuses_what_is_no_order(wrong: Any) -> None:
    with pytest.raises(ValueError, match="polygamma: expected an order from 0 to 99, got"):
        ag.polygamma(wrong, 1.0)


def test_a_negative_binomial_likelihood_has_two_orders() -> None:
    """log Γ(k + r) - log Γ(r) has, for a whole k, the derivative Σ 1/(r + i) over i < k."""

    def term(r: Any) -> Any:
        return TABLE["lgamma"](r + 5.0) - TABLE["lgamma"](r)

    r = 2.3
    sums = [sum((r + i) ** -power for i in range(5)) for power in (1, 2)]
    assert ag.gradient(term)(r) == pytest.approx(sums[0], rel=1e-14)
    assert ag.gradient(ag.gradient(term))(r) == pytest.approx(-sums[1], rel=1e-14)


def test_logaddexp_keeps_its_digits_in_the_tails() -> None:
    x, y = 0.1, -700.3  # of whose difference rounding takes 5e-14
    exact = math.exp(-700.4) * (1.0 + math.fsum((-700.3, -0.1, 700.4)))
    slopes = gradient(lambda v: TABLE["logaddexp"](*v), x, y)
    assert slopes == pytest.approx([1.0, exact], rel=4e-16)


def test_xlogy_is_the_limit_at_0() -> None:
    assert gradient(lambda v: TABLE["xlogy"](v[0], v[1]), 0.0, 0.0) == [0.0, 0.0]
    assert gradient(lambda v: TABLE["xlogy"](v[0], v[1]), 0.0, 2.0) == [math.log(2.0), 0.0]
    mixed = ag.hessian(lambda v: TABLE["xlogy"](v[0], v[1]))([0.0, 2.0])
    assert mixed == [[0.0, 0.5], [0.5, 0.0]]


def test_threads_that_ask_for_an_order_at_once_get_one_row() -> None:
    start = threading.Barrier(8)

    def ask(_: int) -> list[Any]:
        start.wait()
        return [ag.polygamma(n, Value(2.0)).primitive for n in range(30, 36)]

    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(ask, range(8)))
    assert all(row == rows[0] for row in rows)
