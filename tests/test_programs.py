"""Programs as their users write them, each once: value and gradient, eager and compiled.

Each is checked against something that does not know this engine: a closed form, an integration of
the variational equation, a known minimum, or a NumPy program and its differences.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import autograd as ag

pytestmark = pytest.mark.slow

np = pytest.importorskip("numpy", reason="the programs beside ours use NumPy")
integrate = pytest.importorskip("scipy.integrate", reason="the programs beside ours use SciPy")
optimize = pytest.importorskip("scipy.optimize", reason="the programs beside ours use SciPy")

HAS_LLVM = importlib.util.find_spec("llvmlite") is not None
BACKENDS = [
    "eager",
    "python",
    pytest.param(
        "llvm", marks=pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed")
    ),
]
each_way = pytest.mark.parametrize("way", BACKENDS)

Floats = Sequence[float]


def with_slopes(f: Callable[[list[Any]], Any], way: Any) -> Callable[[Any], Any]:
    """Of a function of a row: value and slopes for each of many rows, a row each."""
    if way == "eager":

        def eager(rows: Any) -> Any:
            found = [ag.value_and_gradient(f)([float(x) for x in row]) for row in rows]
            return np.array([[value, *slopes] for value, slopes in found])

        return eager

    def recorded(row: list[ag.Value]) -> list[ag.Value]:
        value = f(row)
        return [value, *ag.grad(value, row)]

    compiled = ag.jit(recorded, way)
    return lambda rows: compiled(np.asarray(rows, dtype=float))


def differences(f: Callable[[Any], float], x: Floats, h: float) -> Any:
    """The gradient by central differences, in the order of x."""
    at = np.asarray(x, dtype=float)
    return np.array([(f(at + h * e) - f(at - h * e)) / (2 * h) for e in np.eye(len(at))])


# --- a swap and its sensitivities to thirty rates -------------------------------------------------

FIXED, YEARS = 0.03, 30


def swap(rates: Sequence[Any]) -> Any:
    """What the payer of the fixed rate has: half-yearly payments, on rates between whole years."""
    discounts = []
    for half in range(1, 2 * YEARS + 1):
        before, after = max(half // 2, 1), max((half + 1) // 2, 1)
        rate = (rates[before - 1] + rates[after - 1]) / 2
        discounts.append(ag.exp(-rate * (half / 2)))
    return 1 - discounts[-1] - FIXED / 2 * ag.sum(discounts)


def swap_by_hand(rates: Any) -> Any:
    """Value and slopes of every scenario, as products of matrices."""
    mixing = np.zeros((2 * YEARS, YEARS))
    for row, half in enumerate(range(1, 2 * YEARS + 1)):
        mixing[row, max(half // 2, 1) - 1] += 0.5
        mixing[row, max((half + 1) // 2, 1) - 1] += 0.5
    halves = np.arange(1, 2 * YEARS + 1) / 2
    discounts = np.exp(-(rates @ mixing.T) * halves)
    cash = np.full(2 * YEARS, -FIXED / 2)
    cash[-1] -= 1.0
    return np.column_stack([1 + discounts @ cash, -(discounts * cash * halves) @ mixing])


@each_way
def test_a_swap_and_its_thirty_slopes_over_scenarios(way: Any) -> None:
    n_scenarios = {"eager": 20, "python": 200}.get(way, 10_000)
    scenarios = 0.03 + 0.01 * np.random.default_rng(0).standard_normal((n_scenarios, YEARS))
    found = with_slopes(swap, way)(scenarios)
    assert found.shape == (n_scenarios, 1 + YEARS)
    np.testing.assert_allclose(found, swap_by_hand(scenarios), rtol=1e-12, atol=1e-13)


# --- an option and all of its Greeks --------------------------------------------------------------

STRIKE = 100.0


def call(row: Sequence[Any]) -> Any:
    """Black and Scholes' price (1973) of a call, by spot, volatility, rate and years."""
    spot, volatility, rate, years = row
    spread = volatility * ag.sqrt(years)
    d1 = (ag.log(spot / STRIKE) + (rate + volatility**2 / 2) * years) / spread
    return spot * ag.norm_cdf(d1) - STRIKE * ag.exp(-rate * years) * ag.norm_cdf(d1 - spread)


def greeks(s: float, v: float, r: float, t: float) -> tuple[float, list[float], list[list[float]]]:
    """Price, first and second derivatives by spot, volatility, rate and years, in closed form."""

    def cdf(x: float) -> float:
        return math.erfc(-x / math.sqrt(2)) / 2

    root = math.sqrt(t)
    d1 = (math.log(s / STRIKE) + (r + v * v / 2) * t) / (v * root)
    d2 = d1 - v * root
    owed = STRIKE * math.exp(-r * t)
    bell = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    bell2 = math.exp(-d2 * d2 / 2) / math.sqrt(2 * math.pi)
    d1_t = (r + v * v / 2) / (v * root) - d1 / (2 * t)
    d2_t = d1_t - v / (2 * root)
    vega = s * bell * root
    first = [
        cdf(d1),
        vega,
        t * owed * cdf(d2),
        s * bell * v / (2 * root) + r * owed * cdf(d2),
    ]
    ss, sv, sr, st = bell / (s * v * root), -bell * d2 / v, bell * root / v, bell * d1_t
    vv, vr = vega * d1 * d2 / v, -vega * d1 * root / v
    vt = vega / (2 * t) - vega * d1 * d1_t
    rr = t * owed * (bell2 * root / v - t * cdf(d2))
    rt = owed * ((1 - r * t) * cdf(d2) + t * bell2 * d2_t)
    tt = (
        -s * bell * v / (4 * t * root)
        - s * bell * d1 * d1_t * v / (2 * root)
        + r * owed * (bell2 * d2_t - r * cdf(d2))
    )
    second = [[ss, sv, sr, st], [sv, vv, vr, vt], [sr, vr, rr, rt], [st, vt, rt, tt]]
    return s * cdf(d1) - owed * cdf(d2), first, second


@each_way
def test_all_first_and_second_greeks_have_their_closed_forms(way: Any) -> None:
    generator = random.Random(0)
    ranges = [(80, 125), (0.1, 0.5), (0.0, 0.06), (0.2, 2.0)]
    book = [[generator.uniform(*ends) for ends in ranges] for _ in range(20)]

    def everything(row: list[ag.Value]) -> tuple[Any, ...]:
        price = call(row)
        slopes = ag.grad(price, row)
        return price, slopes, [ag.grad(slope, row) for slope in slopes]

    if way == "eager":
        found = [
            (call(row), ag.gradient(call)(row), ag.hessian(lambda *row: call(row))(*row))
            for row in book
        ]
    else:
        found = ag.jit(everything, backend=way)(book)
    for row, (price, slopes, bends) in zip(book, found, strict=True):
        expected_price, expected_slopes, expected_bends = greeks(*row)
        assert price == pytest.approx(expected_price, rel=1e-11, abs=1e-12)
        assert list(slopes) == pytest.approx(expected_slopes, rel=1e-11, abs=1e-12)
        for bend, expected in zip(bends, expected_bends, strict=True):
            assert list(bend) == pytest.approx(expected, rel=1e-9, abs=1e-9)


# --- maximum likelihood of a Kalman filter --------------------------------------------------------


def observations(n: int) -> list[float]:
    """A hidden state that keeps 0.9 of itself at each step, seen through noise."""
    generator, state, seen = random.Random(1), 0.0, []
    for _ in range(n):
        state = 0.9 * state + generator.gauss(0.0, 0.5)
        seen.append(state + generator.gauss(0.0, 0.7))
    return seen


def surprise(p: Sequence[Any], seen: Floats) -> Any:
    """-log likelihood by the filter; p holds artanh of what is kept, and two log variances."""
    kept, drift, noise = ag.tanh(p[0]), ag.exp(p[1]), ag.exp(p[2])
    mean, variance = 0.0, drift / (1 - kept**2)
    total: Any = 0.0
    for y in seen:
        error, spread = y - mean, variance + noise
        total = total + (ag.log(2 * math.pi * spread) + error**2 / spread) / 2
        gain = variance / spread
        mean = kept * (mean + gain * error)
        variance = kept**2 * variance * (1 - gain) + drift
    return total


def surprise_by_covariance(p: Any, seen: Floats) -> float:
    """The same without a filter: all observations are one draw of a normal law."""
    kept, drift, noise = math.tanh(p[0]), math.exp(p[1]), math.exp(p[2])
    n = len(seen)
    apart = abs(np.subtract.outer(np.arange(n), np.arange(n)))
    covariance = drift / (1 - kept**2) * kept**apart + noise * np.eye(n)
    _, log_determinant = np.linalg.slogdet(covariance)
    fit = np.array(seen) @ np.linalg.solve(covariance, seen)
    return float((n * math.log(2 * math.pi) + log_determinant + fit) / 2)


@each_way
def test_a_kalman_filter_finds_the_most_likely_parameters_by_l_bfgs(way: Any) -> None:
    seen = observations(60)
    compute = with_slopes(lambda p: surprise(p, seen), way)

    def objective(p: Any) -> tuple[float, Any]:
        ((value, *slopes),) = compute([p])
        return value, np.array(slopes)

    start = [0.5, 0.0, 0.0]
    value, slopes = objective(start)
    assert value == pytest.approx(surprise_by_covariance(start, seen), rel=1e-12)
    expected = differences(lambda p: surprise_by_covariance(p, seen), start, 1e-5)
    np.testing.assert_allclose(slopes, expected, rtol=1e-6, atol=1e-7)

    found = optimize.minimize(objective, start, jac=True, method="L-BFGS-B", tol=1e-12)
    usual = optimize.minimize(surprise_by_covariance, start, args=(seen,), method="Nelder-Mead")
    assert found.fun == pytest.approx(usual.fun, abs=1e-6)
    assert found.fun < value - 1.0
    assert np.abs(objective(found.x)[1]).max() < 1e-3


# --- Hamiltonian Monte Carlo ----------------------------------------------------------------------


def energy(place: Sequence[Any]) -> Any:
    """-log of a density: x is normal, and y normal around x², with standard deviation 1/2."""
    x, y = place
    return x**2 / 2 + 2 * (y - x**2) ** 2


def energy_by_hand(places: Any) -> Any:
    x, y = np.asarray(places).T
    off = y - x**2
    return np.column_stack([x**2 / 2 + 2 * off**2, x - 8 * x * off, 4 * off])


def hamiltonian(
    landscape: Callable[[Any], Any], rounds: int, chains: int, step: float = 0.1, leaps: int = 20
) -> tuple[Any, float]:
    """The places of all chains after each round, and the share of the moves that was accepted.

    Leapfrog and acceptance as in Neal, "MCMC using Hamiltonian dynamics" (2011), section 5.3.
    """
    generator = np.random.default_rng(1)
    place = 0.5 * generator.standard_normal((chains, 2))
    here = landscape(place)
    visited, accepted = [], 0.0
    for _ in range(rounds):
        momentum = generator.standard_normal(place.shape)
        total = here[:, 0] + (momentum**2).sum(axis=1) / 2
        to, there = place, here
        for _ in range(leaps):
            momentum = momentum - step / 2 * there[:, 1:]
            to = to + step * momentum
            there = landscape(to)
            momentum = momentum - step / 2 * there[:, 1:]
        gained = there[:, 0] + (momentum**2).sum(axis=1) / 2 - total
        taken = (np.log(generator.random(chains)) < -gained)[:, None]
        place, here = np.where(taken, to, place), np.where(taken, there, here)
        visited.append(place)
        accepted += taken.mean() / rounds
    return np.array(visited), accepted


@each_way
def test_hamiltonian_monte_carlo_walks_as_with_a_slope_by_hand(way: Any) -> None:
    visited, accepted = hamiltonian(with_slopes(energy, way), rounds=5, chains=4)
    expected, expected_share = hamiltonian(energy_by_hand, rounds=5, chains=4)
    np.testing.assert_allclose(visited, expected, rtol=1e-9, atol=1e-9)
    assert accepted == expected_share > 0.5


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed")
def test_hamiltonian_monte_carlo_finds_the_moments_of_its_density() -> None:
    visited, accepted = hamiltonian(with_slopes(energy, "llvm"), rounds=300, chains=200)
    x, y = visited[50:].reshape(-1, 2).T
    assert accepted > 0.9
    assert x.mean() == pytest.approx(0.0, abs=0.1)
    assert x.var() == pytest.approx(1.0, abs=0.1)
    assert y.mean() == pytest.approx(1.0, abs=0.1)  # E x²
    assert y.var() == pytest.approx(2.25, abs=0.4)  # Var x² + 1/4


# --- a network that obeys an equation -------------------------------------------------------------


def solution(network: ag.MLP, x: Any) -> Any:
    return x * (1 - x) * network([x])


def broken(network: ag.MLP, x: ag.Value) -> ag.Value:
    """How far u is from u″ = −π² sin πx."""
    (slope,) = ag.grad(solution(network, x), [x])
    (bend,) = ag.grad(slope, [x])
    return bend + math.pi**2 * ag.sin(math.pi * x)


def loss_by_hand(w: Any, xs: Any) -> float:
    """The mean square of `broken`, with the second derivative of x (1 − x) N(x) written out."""
    inner, bias, outer, last = w[0:16:2], w[1:16:2], w[16:24], w[24]
    t = np.tanh(np.outer(xs, inner) + bias)
    n = t @ outer + last
    n1 = ((1 - t**2) * inner) @ outer
    n2 = (-2 * t * (1 - t**2) * inner**2) @ outer
    bend = -2 * n + 2 * (1 - 2 * xs) * n1 + xs * (1 - xs) * n2
    return float(np.mean((bend + math.pi**2 * np.sin(math.pi * xs)) ** 2))


@each_way
def test_a_loss_with_a_second_derivative_in_it_has_the_right_gradient(way: Any) -> None:
    network = ag.MLP(1, [8, 1], activation="tanh", seed=0)
    weights = network.parameters()
    xs = [i / 10 for i in range(11)]

    if way == "eager":
        loss = ag.mean(broken(network, ag.Value(x)) ** 2 for x in xs)
        loss.backward()
        value = loss.data
    else:
        squared = ag.jit(lambda x: broken(network, x) ** 2, backend=way)
        value = squared.backward(xs)

    at = [weight.data for weight in weights]
    assert value == pytest.approx(loss_by_hand(np.array(at), np.array(xs)), rel=1e-12)
    expected = differences(lambda w: loss_by_hand(w, np.array(xs)), at, 1e-5)
    np.testing.assert_allclose([w.grad for w in weights], expected, rtol=1e-6, atol=1e-6)


def residual(network: ag.MLP, row: Sequence[Any]) -> ag.Value:
    return broken(network, row[0] + ag.Value(0.0))


@pytest.mark.parametrize("backend", [None, *BACKENDS[1:]])
def test_a_network_that_obeys_the_equation_becomes_its_solution(backend: Any) -> None:
    """Compiled, it is learned to the end; eager, the first epochs come down the same way."""
    epochs = 2000 if backend == "llvm" else 10
    losses = []
    for way in dict.fromkeys([backend, "python"]):
        network = ag.MLP(1, [8, 1], activation="tanh", seed=0)
        history = ag.fit(
            functools.partial(residual, network),
            ag.mean_squared_error,
            [[i / 20] for i in range(21)],
            [0.0] * 21,
            ag.Adam(network.parameters(), learning_rate=0.02),
            epochs=epochs if way == backend else 10,
            backend=way,
            progress=False,
        )
        losses.append([epoch.loss for epoch in history][:10])
        if way == "llvm":
            for i in range(51):
                x = i / 50
                assert solution(network, x).data == pytest.approx(math.sin(math.pi * x), abs=2e-3)
    assert losses[0] == pytest.approx(losses[-1], rel=1e-9)
    assert losses[0][-1] < losses[0][0]


# --- a damped oscillator, from noisy readings -----------------------------------------------------

TRUE = (2.0, 0.3, 2.5, 0.4)
TIMES = [i / 5 for i in range(50)]


def spring(p: Sequence[Any], t: Any) -> Any:
    amplitude, decay, frequency, phase = p
    return amplitude * ag.exp(-decay * t) * ag.cos(frequency * t + phase)


def slopes_of_spring(p: Any) -> Any:
    """In closed form, a row for each time."""
    t = np.array(TIMES)
    amplitude, decay, frequency, phase = p
    swing = np.exp(-decay * t) * np.cos(frequency * t + phase)
    turn = np.exp(-decay * t) * np.sin(frequency * t + phase)
    return np.column_stack(
        [swing, -t * amplitude * swing, -t * amplitude * turn, -amplitude * turn]
    )


@each_way
def test_a_spring_is_fitted_alike_by_descent_and_by_least_squares(way: Any) -> None:
    generator = random.Random(3)
    readings = [spring(TRUE, t) + generator.gauss(0.0, 0.1) for t in TIMES]
    start = [1.8, 0.25, 2.4, 0.3]

    if way == "eager":

        def table(p: Any) -> Any:
            rows = [ag.value_and_gradient(spring)(p.tolist(), t) for t in TIMES]
            return np.array([[value, *slopes] for value, (slopes, _) in rows])
    else:

        def recorded(p: list[ag.Value], t: ag.Value) -> list[ag.Value]:
            place = spring(p, t)
            return [place, *ag.grad(place, p)]

        compiled = ag.jit(recorded, way)

        def table(p: Any) -> Any:
            return compiled(np.tile(p, (len(TIMES), 1)), TIMES)

    at_start = table(np.array(start))
    np.testing.assert_allclose(at_start[:, 0], [spring(start, t) for t in TIMES], rtol=1e-13)
    np.testing.assert_allclose(at_start[:, 1:], slopes_of_spring(start), rtol=1e-12, atol=1e-13)

    squares = optimize.least_squares(
        lambda p: table(p)[:, 0] - readings, start, lambda p: table(p)[:, 1:], method="lm"
    )
    by_hand = optimize.least_squares(
        lambda p: np.array([spring(p.tolist(), t) for t in TIMES]) - readings,
        start,
        slopes_of_spring,
        method="lm",
    )
    np.testing.assert_allclose(squares.x, by_hand.x, rtol=1e-7)
    np.testing.assert_allclose(squares.x, TRUE, atol=0.15)

    p = [ag.Value(number) for number in start]
    ag.fit(
        lambda row: spring(p, row[0]),
        ag.mean_squared_error,
        [[t] for t in TIMES],
        readings,
        ag.Adam(p, learning_rate=0.02),
        epochs=300,
        backend=None if way == "eager" else way,
        progress=False,
    )
    np.testing.assert_allclose([q.data for q in p], by_hand.x, atol=2e-3)


# --- foxes and rabbits ----------------------------------------------------------------------------


def change(rabbits: Any, foxes: Any) -> tuple[Any, Any]:
    return rabbits * (1.0 - 0.5 * foxes), foxes * (0.5 * rabbits - 0.75)


def later(rabbits: Any, foxes: Any, years: float = 4.0, steps: int = 200) -> tuple[Any, Any]:
    """Lotka and Volterra's equations by Runge and Kutta's method of fourth order."""
    h = years / steps
    x, y = rabbits, foxes
    for _ in range(steps):
        a, b = change(x, y)
        c, d = change(x + h / 2 * a, y + h / 2 * b)
        e, f = change(x + h / 2 * c, y + h / 2 * d)
        g, i = change(x + h * e, y + h * f)
        x, y = x + h / 6 * (a + 2 * c + 2 * e + g), y + h / 6 * (b + 2 * d + 2 * f + i)
    return x, y


def later_by_scipy(rabbits: float, foxes: float, years: float = 4.0) -> Any:
    """The end, and its slopes by the start from the equation that a disturbance obeys."""

    def slope(t: float, state: Any) -> Any:
        x, y = state[:2]
        bends = np.array([[1.0 - 0.5 * y, -0.5 * x], [0.5 * y, 0.5 * x - 0.75]])
        return [*change(x, y), *(bends @ state[2:].reshape(2, 2)).ravel()]

    start = [rabbits, foxes, 1.0, 0.0, 0.0, 1.0]
    end = integrate.solve_ivp(
        slope, (0.0, years), start, method="DOP853", rtol=1e-12, atol=1e-13
    ).y[:, -1]
    return end[:2], end[2:].reshape(2, 2)


@each_way
def test_foxes_and_rabbits_depend_on_their_start_as_a_disturbance_does(way: Any) -> None:
    starts = [(2.0, 1.0), (1.0, 2.5), (1.5, 2.0)]
    if way == "eager":
        found = [
            [
                [number, *slopes]
                for number, slopes in zip(later(*s), ag.jacobian(later)(*s), strict=True)
            ]
            for s in starts
        ]
    else:

        def recorded(rabbits: ag.Value, foxes: ag.Value) -> list[list[ag.Value]]:
            return [[n, *ag.grad(n, [rabbits, foxes])] for n in later(rabbits, foxes)]

        found = ag.jit(recorded, way)(*(list(column) for column in zip(*starts, strict=True)))
    for start, rows in zip(starts, found, strict=True):
        end, slopes = later_by_scipy(*start)
        np.testing.assert_allclose([row[0] for row in rows], end, rtol=1e-7)
        np.testing.assert_allclose([row[1:] for row in rows], slopes, rtol=1e-6, atol=1e-7)
