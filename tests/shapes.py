"""Programs as people write them, with their data as plain numbers in closures.

Each is made for a size, and returns a function without arguments and the leaves it depends on. What
is a loop for the person should be a loop for the compiler, however large the size.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any, TypeAlias

import autograd as ag
from autograd.value import Value

Shape: TypeAlias = Callable[[int], tuple[Callable[[], Any], list[Value]]]


def kalman_likelihood(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """-log likelihood of n observations of a local level that drifts."""
    rng = random.Random(1)
    observed = [math.sin(0.1 * t) + rng.gauss(0.0, 0.3) for t in range(n)]
    q, r, drift = Value(0.1, "q"), Value(0.3, "r"), Value(0.01, "drift")

    def f() -> Any:
        level, variance = 0.0 * q, 1.0 + 0.0 * q
        total: Any = 0.0
        for y in observed:
            level = level + drift
            variance = variance + q
            s = variance + r
            gain = variance / s
            residual = y - level
            total = total + 0.5 * (s.log() + residual * residual / s)
            level = level + gain * residual
            variance = (1.0 - gain) * variance
        return total

    return f, [q, r, drift]


def least_squares(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The sum of squared residuals of n rows with five features each."""
    rng = random.Random(2)
    rows = [[rng.gauss(0.0, 1.0) for _ in range(5)] for _ in range(n)]
    ys = [rng.gauss(0.0, 1.0) for _ in range(n)]
    w, b = [Value(0.1 * i, f"w{i}") for i in range(5)], Value(0.5, "b")

    def f() -> Any:
        total: Any = 0.0
        for row, y in zip(rows, ys, strict=True):
            prediction = b
            for wi, xi in zip(w, row, strict=True):
                prediction = prediction + wi * xi
            total = total + (prediction - y) ** 2
        return total / n

    return f, [*w, b]


def swap(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The value of an interest rate swap over n forward rates."""
    rates = [Value(0.02 + 0.0001 * i, f"rate{i}") for i in range(n)]
    fixed = Value(0.025, "fixed")

    def f() -> Any:
        discount: Any = 1.0
        value: Any = 0.0
        for rate in rates:
            discount = discount / (1.0 + 0.25 * rate)
            value = value + 0.25 * fixed * discount - 0.25 * rate * discount
        return 1e6 * value

    return f, [*rates, fixed]


def binomial_option(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """An American put by a binomial tree of n steps."""
    spot, volatility, rate = Value(100.0, "spot"), Value(0.2, "volatility"), Value(0.05, "rate")

    def f() -> Any:
        dt = 1.0 / n
        up = (volatility * math.sqrt(dt)).exp()
        down = 1.0 / up
        growth = (rate * dt).exp()
        p = (growth - down) / (up - down)
        prices = [spot * up**n]
        for _ in range(n):
            prices.append(prices[-1] * down * down)
        values = [ag.maximum(100.0 - price, 0.0) for price in prices]
        for step in range(n - 1, -1, -1):
            values = [(p * values[i] + (1.0 - p) * values[i + 1]) / growth for i in range(step + 1)]
        return values[0]

    return f, [spot, volatility, rate]


def spline(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The bending energy and misfit of a natural cubic spline on n knots: a tridiagonal solve."""
    ys = [Value(math.sin(0.5 * i), f"y{i}") for i in range(n)]
    targets = [math.sin(0.5 * i) + 0.1 * (-1) ** i for i in range(n)]
    h = [0.5 + 0.01 * (i % 7) for i in range(n - 1)]

    def f() -> Any:
        slopes = [(ys[i + 1] - ys[i]) / h[i] for i in range(n - 1)]
        right = [6.0 * (slopes[i] - slopes[i - 1]) for i in range(1, n - 1)]
        diagonal = [2.0 * (h[i - 1] + h[i]) for i in range(1, n - 1)]
        c: list[Any] = []
        d: list[Any] = []
        for i, r in enumerate(right):
            below = h[i]
            pivot = diagonal[i] - (below * c[-1] if c else 0.0)
            c.append(h[i + 1] / pivot)
            d.append((r - below * d[-1] if d else r) / pivot)
        m = [d[-1]]
        for i in range(len(d) - 2, -1, -1):
            m.append(d[i] - c[i] * m[-1])
        energy: Any = 0.0
        for curvature in m:
            energy = energy + curvature * curvature
        misfit: Any = 0.0
        for y, t in zip(ys, targets, strict=True):
            misfit = misfit + (y - t) ** 2
        return misfit + 0.01 * energy

    return f, ys


def markov_chain(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The log likelihood of n observed symbols under a hidden Markov model of three states."""
    rng = random.Random(3)
    seen = [rng.randrange(4) for _ in range(n)]
    a = [[Value(rng.gauss(0.0, 1.0), f"a{i}{j}") for j in range(3)] for i in range(3)]
    b = [[Value(rng.gauss(0.0, 1.0), f"b{i}{k}") for k in range(4)] for i in range(3)]

    def f() -> Any:
        move = [ag.softmax(row) for row in a]
        show = [ag.softmax(row) for row in b]
        belief: list[Any] = [1.0 / 3.0] * 3
        total: Any = 0.0
        for k in seen:
            belief = [sum(belief[i] * move[i][j] for i in range(3)) * show[j][k] for j in range(3)]
            norm = belief[0] + belief[1] + belief[2]
            total = total + norm.log()
            belief = [x / norm for x in belief]
        return total

    return f, [x for row in (*a, *b) for x in row]


def gaussian_process(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The log marginal likelihood of n points: a Cholesky factorisation and a solve."""
    rng = random.Random(4)
    xs = [0.3 * i + rng.uniform(0.0, 0.2) for i in range(n)]
    ys = [math.sin(x) for x in xs]
    length, scale, noise = Value(1.0, "length"), Value(1.0, "scale"), Value(0.1, "noise")

    def f() -> Any:
        k = [
            [
                scale * (-((x - y) ** 2) / (2.0 * length * length)).exp()
                + (noise if i == j else 0.0)
                for j, y in enumerate(xs[: i + 1])
            ]
            for i, x in enumerate(xs)
        ]
        lower: list[list[Any]] = []
        for i in range(n):
            row: list[Any] = []
            for j in range(i):
                known = ag.sum(row[p] * lower[j][p] for p in range(j))
                row.append((k[i][j] - known) / lower[j][j])
            row.append((k[i][i] - ag.sum(x * x for x in row)).sqrt())
            lower.append(row)
        solved: list[Any] = []
        for i in range(n):
            known = ag.sum(lower[i][p] * solved[p] for p in range(i))
            solved.append((ys[i] - known) / lower[i][i])
        return 0.5 * ag.dot(solved, solved) + ag.sum(lower[i][i].log() for i in range(n))

    return f, [length, scale, noise]


def pendulum(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """Where a damped pendulum is after n steps of symplectic Euler, pushed at times given."""
    push = [0.1 * math.cos(0.37 * t) for t in range(n)]
    angle, speed, damping = Value(1.0, "angle"), Value(0.0, "speed"), Value(0.1, "damping")

    def f() -> Any:
        a, s = angle, speed
        for p in push:
            s = s + 0.05 * (p - a.sin() - damping * s)
            a = a + 0.05 * s
        return (a - 0.5) ** 2 + s**2

    return f, [angle, speed, damping]


def logistic_regression(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The cross entropy of n rows, with a penalty."""
    rng = random.Random(5)
    rows = [([rng.gauss(0.0, 1.0) for _ in range(4)], rng.random() < 0.5) for _ in range(n)]
    w = [Value(0.1 * i, f"w{i}") for i in range(4)]

    def f() -> Any:
        losses = []
        for x, label in rows:
            z = ag.dot(w, x)
            losses.append((-z if label else z).softplus())
        return ag.mean(losses) + 0.01 * ag.dot(w, w)

    return f, w


def heat_rod(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The heat equation on a rod of n cells, over 30 steps."""
    start = [Value(math.exp(-((i - n / 2) ** 2) / 8.0), f"u{i}") for i in range(n)]
    conductivity = Value(0.2, "conductivity")

    def f() -> Any:
        u: list[Any] = start
        for _ in range(30):
            u = [
                u[i] + conductivity * (u[max(i - 1, 0)] - 2.0 * u[i] + u[min(i + 1, n - 1)])
                for i in range(n)
            ]
        return ag.sum(x * x for x in u)

    return f, [*start, conductivity]


def random_walks(n: int) -> tuple[Callable[[], Any], list[Value]]:
    """The mean payoff of n simulated price paths of 12 steps, from numbers drawn beforehand."""
    rng = random.Random(7)
    draws = [[rng.gauss(0.0, 1.0) for _ in range(12)] for _ in range(n)]
    spot, volatility = Value(1.0, "spot"), Value(0.3, "volatility")

    def f() -> Any:
        payoffs = []
        for path in draws:
            price: Any = spot
            for z in path:
                price = price * (volatility * (0.25 * z) - 0.03125 * volatility * volatility).exp()
            payoffs.append((price - 1.0).relu())
        return ag.mean(payoffs)

    return f, [spot, volatility]


SHAPES: dict[str, tuple[Shape, int]] = {
    "a Kalman filter": (kalman_likelihood, 100),
    "least squares": (least_squares, 60),
    "a swap": (swap, 60),
    "an option by a tree": (binomial_option, 24),
    "a spline": (spline, 40),
    "a Markov chain": (markov_chain, 120),
    "a Gaussian process": (gaussian_process, 20),
    "a pendulum": (pendulum, 60),
    "logistic regression": (logistic_regression, 60),
    "a heated rod": (heat_rod, 24),
    "random walks": (random_walks, 30),
}
"""Each with a size."""
