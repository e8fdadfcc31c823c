"""Ours: eager, the compiled gradient called from Python each step, and `fit(compiled=True)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd as ag
from autograd import Value
from tests.benchmarks.measure import repeated
from tests.benchmarks.peers import Contestant, Problem


class Setup:
    """A model at the first weights, and its stepper."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        n_inputs, *widths = problem.layers
        self.model = ag.MLP(n_inputs, widths, activation="relu")
        self.parameters = self.model.parameters()
        for p, weight in zip(self.parameters, problem.weights, strict=True):
            p.data = weight
        self.optimizer = ag.GradientDescent(self.parameters, problem.learning_rate)

    def penalty(self, parameters: Sequence[Any]) -> Any:
        """The L2 term of the loss."""
        return self.problem.penalty * ag.dot(parameters, parameters)

    def gradient(self) -> list[float]:
        """What the last backward pass left at the parameters."""
        return [p.grad or 0.0 for p in self.parameters]


def eager(problem: Problem) -> Contestant:
    setup = Setup(problem)

    def backward() -> None:
        scores = map(setup.model, problem.X)
        losses = [ag.hinge(score, y) for score, y in zip(scores, problem.Y, strict=True)]
        setup.optimizer.zero_grad()
        (ag.mean(losses) + setup.penalty(setup.parameters)).backward()

    def gradient() -> list[float]:
        backward()
        return setup.gradient()

    def step() -> None:
        backward()
        setup.optimizer.step()

    return Contestant(gradient, repeated(step))


def compiled(problem: Problem, backend: Any) -> Contestant:
    import numpy as np

    setup = Setup(problem)

    @ag.jit(backend=backend)
    def loss(x: list[Value], y: Value) -> Value:
        return ag.hinge(setup.model(x), y) + setup.penalty(setup.parameters)

    X, Y = np.array(problem.X), np.array(problem.Y, dtype=np.float64)

    def backward() -> None:
        setup.optimizer.zero_grad()
        loss.backward(X, Y)

    def gradient() -> list[float]:
        backward()
        return setup.gradient()

    def step() -> None:
        backward()
        setup.optimizer.step()

    return Contestant(gradient, repeated(step))


def compiled_fit(problem: Problem) -> Contestant:
    setup = Setup(problem)

    def fit(epochs: int) -> None:
        ag.fit(
            setup.model,
            ag.hinge,
            problem.X,
            problem.Y,
            setup.optimizer,
            epochs=epochs,
            penalty=setup.penalty,
            compiled=True,
            progress=False,
        )

    def gradient() -> list[float]:
        before = [p.data for p in setup.parameters]
        fit(1)
        after = [p.data for p in setup.parameters]
        return [(b - a) / problem.learning_rate for a, b in zip(after, before, strict=True)]

    return Contestant(gradient, fit, has_startup=True)


def contestants(problem: Problem) -> dict[str, Contestant]:
    return {
        "autograd eager": eager(problem),
        "autograd jit, python": compiled(problem, "python"),
        "autograd jit, llvm": compiled(problem, "llvm"),
        "autograd fit(compiled=True)": compiled_fit(problem),
    }
