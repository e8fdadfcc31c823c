"""micrograd: the engine that this project descends from."""

from __future__ import annotations

from tests import micrograd_demo as demo
from tests.benchmarks.measure import repeated
from tests.benchmarks.peers import Contestant, Problem


def contestants(problem: Problem) -> dict[str, Contestant]:
    from micrograd.engine import Value
    from micrograd.nn import MLP

    n_inputs, *widths = problem.layers
    model = MLP(n_inputs, widths)
    parameters = model.parameters()
    for p, weight in zip(parameters, problem.weights, strict=True):
        p.data = weight

    def backward() -> None:
        total = demo.total_loss(Value, model, problem.X, problem.Y)
        model.zero_grad()
        total.backward()

    def gradient() -> list[float]:
        backward()
        return [p.grad for p in parameters]

    def step() -> None:
        backward()
        for p in parameters:
            p.data -= problem.learning_rate * p.grad

    return {"micrograd": Contestant(gradient, repeated(step))}
