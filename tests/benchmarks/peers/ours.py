"""Ours: eager, compiled and called from Python each step, and `fit(compiled=True)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

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

    def contestant(self, backward: Callable[[], object]) -> Contestant:
        """Steps that take the gradient by `backward`, and then the optimizer's step."""

        def gradient() -> list[float]:
            backward()
            return self.gradient()

        def step() -> None:
            backward()
            self.optimizer.step()

        return Contestant(gradient, repeated(step))


def eager(problem: Problem) -> Contestant:
    setup = Setup(problem)

    def backward() -> None:
        scores = map(setup.model, problem.X)
        losses = [ag.hinge(score, y) for score, y in zip(scores, problem.Y, strict=True)]
        setup.optimizer.zero_grad()
        (ag.mean(losses) + setup.penalty(setup.parameters)).backward()

    return setup.contestant(backward)


class Compiled(Setup):
    """The loss of an example, and the examples as arrays."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.X, self.Y = np.array(problem.X), np.array(problem.Y, dtype=np.float64)

    def loss(self, x: list[Value], y: Value) -> Value:
        return ag.hinge(self.model(x), y) + self.penalty(self.parameters)


def compiled(problem: Problem, backend: Any) -> Contestant:
    setup = Compiled(problem)
    loss = ag.jit(setup.loss, backend=backend)

    def backward() -> None:
        setup.optimizer.zero_grad()
        loss.backward(setup.X, setup.Y)

    return setup.contestant(backward)


def compiled_step(problem: Problem, in_block: bool) -> Contestant:
    setup = Compiled(problem)
    step = ag.jit_step(setup.loss, setup.optimizer)

    def gradient() -> list[float]:
        step(setup.X, setup.Y)
        return setup.gradient()

    def steps(count: int) -> None:
        with step if in_block else nullcontext():
            called(count)

    called = repeated(lambda: step(setup.X, setup.Y))
    return Contestant(gradient, steps)


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
        "autograd jit_step": compiled_step(problem, in_block=False),
        "autograd jit_step, in a with block": compiled_step(problem, in_block=True),
        "autograd fit(compiled=True)": compiled_fit(problem),
    }
