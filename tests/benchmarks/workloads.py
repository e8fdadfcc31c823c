"""Programs that a compiler meets, written on single numbers as a user would write them.

Each is a function of one example that closes over its parameters, and the examples.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import autograd as ag
from autograd import Value
from tests import micrograd_demo as demo

WIDTH, HEADS, CONTEXT, TOKENS = 16, 4, 16, 27
SHAPES = {
    "token": (TOKENS, WIDTH),
    "place": (CONTEXT, WIDTH),
    "query": (WIDTH, WIDTH),
    "key": (WIDTH, WIDTH),
    "value": (WIDTH, WIDTH),
    "mix": (WIDTH, WIDTH),
    "up": (4 * WIDTH, WIDTH),
    "down": (WIDTH, 4 * WIDTH),
    "head": (TOKENS, WIDTH),
}
"""The matrices of the GPT, in the order of its parameters."""


@dataclass(frozen=True)
class Workload:
    """A function of one example (without arguments: of none), its parameters, and the examples."""

    loss: Callable[..., Any]
    parameters: list[Value]
    columns: Sequence[Any] = ()


def micrograds_demo() -> Workload:
    X, Y = demo.moons()
    model = ag.MLP(2, [16, 16, 1], seed=0)
    parameters = model.parameters()
    for parameter, weight in zip(parameters, demo.initial_weights(), strict=True):
        parameter.data = weight

    def loss(x: Any, y: Any) -> Any:
        return ag.hinge(model(x), y) + demo.PENALTY * ag.dot(parameters, parameters)

    return Workload(loss, parameters, [X, Y])


CLASSIFIERS = {"digits 64-32-10": (64, 32, 10), "MNIST-size 784-128-10": (784, 128, 10)}


def classifier(*sizes: int) -> Workload:
    source = random.Random(0)
    X = [[source.random() for _ in range(sizes[0])] for _ in range(32)]
    Y = [source.randrange(sizes[-1]) for _ in X]
    model = ag.MLP(sizes[0], sizes[1:], seed=0)
    return Workload(lambda x, y: ag.cross_entropy(model(x), y), model.parameters(), [X, Y])


def rosenbrock(n: int = 1000) -> Workload:
    xs = [Value(0.5 + 0.5 * math.sin(i), f"x{i}") for i in range(n)]

    def loss() -> Any:
        total: Any = 0.0
        for x, following in pairwise(xs):
            bend, rest = following - x * x, 1.0 - x
            total = total + (100.0 * (bend * bend) + rest * rest)
        return total

    return Workload(loss, xs)


def oscillator(steps: int) -> Workload:
    """A damped oscillator by the classical method of Runge and Kutta."""
    k, c, m = Value(2.0, "k"), Value(0.3, "c"), Value(1.5, "m")
    h = 10.0 / 1000

    def acceleration(x: Any, v: Any) -> Any:
        return -(k * x + c * v) / m

    def loss(start: Any) -> Any:
        x, v = start, 0.0 * start
        for _ in range(steps):
            x1, v1 = v, acceleration(x, v)
            x2, v2 = v + 0.5 * h * v1, acceleration(x + 0.5 * h * x1, v + 0.5 * h * v1)
            x3, v3 = v + 0.5 * h * v2, acceleration(x + 0.5 * h * x2, v + 0.5 * h * v2)
            x4, v4 = v + h * v3, acceleration(x + h * x3, v + h * v3)
            x = x + h / 6 * (x1 + 2.0 * x2 + 2.0 * x3 + x4)
            v = v + h / 6 * (v1 + 2.0 * v2 + 2.0 * v3 + v4)
        return (x - 0.5) ** 2

    return Workload(loss, [k, c, m], [[1.0]])


def gpt_parameters(value: Callable[[float], Any]) -> dict[str, list[list[Any]]]:
    source = random.Random(42)
    return {
        name: [[value(source.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in SHAPES.items()
    }


def plain_sum(terms: Sequence[Any]) -> Any:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def plain_dot(u: Sequence[Any], v: Sequence[Any]) -> Any:
    return plain_sum([a * b for a, b in zip(u, v, strict=True)])


def gpt_loss(
    weights: dict[str, list[list[Any]]],
    tokens: Sequence[int],
    dot: Callable[[Any, Any], Any] = ag.dot,
    total: Callable[[Any], Any] = ag.sum,
) -> Any:
    """The loss of a GPT of microgpt's size on a row of tokens, on any kind of scalar."""
    found = gpt_scores(weights, tokens[:-1], dot, total)
    losses = [
        -(shares(scores, total)[target].log())
        for scores, target in zip(found, tokens[1:], strict=True)
    ]
    return total(losses) * (1.0 / len(losses))


def shares(scores: Sequence[Any], total: Callable[[Any], Any]) -> list[Any]:
    exps = [score.exp() for score in scores]
    whole = total(exps)
    return [e / whole for e in exps]


def gpt_scores(
    weights: dict[str, list[list[Any]]],
    tokens: Sequence[int],
    dot: Callable[[Any, Any], Any] = ag.dot,
    total: Callable[[Any], Any] = ag.sum,
) -> list[list[Any]]:
    """For each token the scores of the next one."""

    def times(name: str, x: Sequence[Any]) -> list[Any]:
        return [dot(row, x) for row in weights[name]]

    def normalized(x: Sequence[Any]) -> list[Any]:
        scale = (dot(x, x) * (1.0 / len(x)) + 1e-5) ** -0.5
        return [a * scale for a in x]

    keys: list[Any] = []
    values: list[Any] = []
    found: list[list[Any]] = []
    size = WIDTH // HEADS
    for place, token in enumerate(tokens):
        pairs = zip(weights["token"][token], weights["place"][place], strict=True)
        x = normalized([a + b for a, b in pairs])
        h = normalized(x)
        query = times("query", h)
        keys.append(times("key", h))
        values.append(times("value", h))
        mixed: list[Any] = []
        for start in range(0, WIDTH, size):
            own = slice(start, start + size)
            share = shares([dot(query[own], key[own]) * size**-0.5 for key in keys], total)
            mixed += [dot(share, [value[start + j] for value in values]) for j in range(size)]
        x = [a + b for a, b in zip(x, times("mix", mixed), strict=True)]
        h = [up.relu() ** 2 for up in times("up", normalized(x))]
        x = [a + b for a, b in zip(x, times("down", h), strict=True)]
        found.append(times("head", x))
    return found


def tokens_of(length: int) -> list[int]:
    source = random.Random(1)
    return [TOKENS - 1, *(source.randrange(TOKENS - 1) for _ in range(length - 1)), TOKENS - 1]


def gpt(length: int) -> Workload:
    weights = gpt_parameters(Value)
    parameters = [w for rows in weights.values() for row in rows for w in row]
    for i, parameter in enumerate(parameters):
        parameter.label = f"w{i}"
    return Workload(lambda: gpt_loss(weights, tokens_of(length)), parameters)


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "demo": micrograds_demo,
    **{name: partial(classifier, *sizes) for name, sizes in CLASSIFIERS.items()},
    "Rosenbrock 1,000": rosenbrock,
    "ODE, 1,000 steps": lambda: oscillator(1_000),
    "ODE, 10,000 steps": lambda: oscillator(10_000),
    "GPT, 8 tokens": lambda: gpt(8),
    "GPT, 16 tokens": lambda: gpt(16),
}
