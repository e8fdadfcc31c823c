"""One full training step of micrograd's demo: forward, backward, update; 100 moons, 337 weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import autograd as ag
from autograd import Value
from tests import micrograd_demo as demo
from tests.benchmarks.measure import in_turns, print_table, readable, repeated


def with_initial_weights(model: Any) -> Any:
    """The model, its parameters where the demo starts."""
    for p, weight in zip(model.parameters(), demo.initial_weights(), strict=True):
        p.data = weight
    return model


def as_written(value: Callable[[float], Any], mlp: Callable[..., Any]) -> Callable[[], float]:
    """The demo's own code for either engine."""
    X, Y = demo.moons()
    model = with_initial_weights(mlp(2, [16, 16, 1]))
    return lambda: demo.step(value, model, X, Y, demo.STEPS)


def idiomatic() -> Callable[[], float]:
    """The same step as our own users write it."""
    X, Y = demo.moons()
    model = with_initial_weights(ag.MLP(2, [16, 16, 1]))
    parameters = model.parameters()
    optimizer = ag.GradientDescent(parameters, learning_rate=0.1)

    def step() -> float:
        losses = [ag.hinge(model(x), y) for x, y in zip(X, Y, strict=True)]
        total = ag.mean(losses) + demo.PENALTY * ag.dot(parameters, parameters)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        return total.data

    return step


def of_elementary_operations() -> Callable[[], float]:
    """The demo with neurons spelled as products and sums, node for node what micrograd records."""

    class Neuron:
        def __init__(self, weights: list[Value], bias: Value, active: bool) -> None:
            self.weights, self.bias, self.active = weights, bias, active

        def __call__(self, x: list[Value]) -> Value:
            z = sum((w * xi for w, xi in zip(self.weights, x, strict=True)), self.bias)
            return z.relu() if self.active else z

    class Network:
        def __init__(self) -> None:
            numbers = map(Value, demo.initial_weights())
            self.layers = [
                [
                    Neuron([next(numbers) for _ in range(n)], next(numbers), width > 1)
                    for _ in range(width)
                ]
                for n, width in pairwise(demo.LAYERS)
            ]

        def __call__(self, x: list[Value]) -> Value:
            for layer in self.layers:
                x = [neuron(x) for neuron in layer]
            return x[0]

        def parameters(self) -> list[Value]:
            neurons = [neuron for layer in self.layers for neuron in layer]
            return [p for neuron in neurons for p in (*neuron.weights, neuron.bias)]

        def zero_grad(self) -> None:
            for p in self.parameters():
                p.grad = None

    X, Y = demo.moons()
    model = Network()
    return lambda: demo.step(Value, model, X, Y, demo.STEPS)


def run(title: str) -> None:
    """Measure and print."""
    contestants = {
        "autograd, as its users write it": idiomatic(),
        "autograd, the demo's code": as_written(Value, ag.MLP),
        "autograd, one node per + and ·": of_elementary_operations(),
    }
    try:
        from micrograd import nn
        from micrograd.engine import Value as TheirValue

        contestants["micrograd"] = as_written(TheirValue, nn.MLP)
    except ImportError:
        pass
    steps = {name: repeated(step) for name, step in contestants.items()}
    medians = in_turns(steps, rounds=5, clock=time.process_time)
    theirs = medians.get("micrograd")
    rows = [
        (name, readable(s), f"{theirs / s:.1f}" if theirs else "") for name, s in medians.items()
    ]
    if not theirs:
        rows.append(("micrograd", "missing", ""))
    print_table(title, ("", "CPU time of a step", "times micrograd"), rows)
