"""The same steps by compiled programs: many at a time in machine code, or one after the other.

A step of machine code may take a few microseconds, so nothing is done here for a single one that
can be done for all the steps of a chunk.
"""

from __future__ import annotations

import math
from typing import Any

from autograd import recording
from autograd.compiler.columns import read_columns
from autograd.compiler.jit import executable
from autograd.compiler.trace import gradient_of, leaves_of, listing, trace
from autograd.optim import Stepper
from autograd.training.batches import Chunk
from autograd.training.eager import EagerSteps, Rows
from autograd.training.examples import Examples
from autograd.training.objective import Objective
from autograd.value import Operand


class MachineSteps:
    """Takes steps in machine code, gradient and update, without coming back to Python.

    Raises:
        TypeError: if the optimizer is no stepper with a rule, or its `step` does more than to
            apply the rule; or if what it trains cannot be compiled.
    """

    runs_ahead = True

    def __init__(self, objective: Objective, examples: Examples, optimizer: Stepper) -> None:
        from autograd.compiler.loop import CompiledTraining

        _check_rule(optimizer)
        _check_targets(objective, examples)
        of_one_example = _OfOneExample(objective, optimizer)
        columns = [examples.X, examples.Y]
        self._optimizer = optimizer
        self._eager = EagerSteps(objective, examples, optimizer)
        self._training = CompiledTraining(of_one_example, columns, optimizer)

    def take(self, chunk: Chunk) -> Rows:
        """Take all of these steps. A step that would not stay finite is left to Values to refuse.

        Raises:
            FloatingPointError: as `EagerSteps` says it.
        """
        losses: list[float] = []
        shares: list[float] = []
        while chunk:
            rows: Rows = self._steps(chunk) or self._eager.take(chunk.split(1)[0])
            losses += rows[0]
            shares += rows[1]
            chunk = chunk.split(len(rows[0]))[1]
        return losses, shares

    def _steps(self, chunk: Chunk) -> Rows | None:
        """As many of these steps as stay finite; None if the first one does not."""
        coefficients = []
        for rate in chunk.rates or [self._optimizer.learning_rate]:
            self._optimizer.learning_rate = rate
            coefficients.append(self._optimizer.coefficients())
        losses, shares = self._training.steps(chunk.counts, chunk.order, coefficients)
        return (losses, shares) if losses else None


class ProgramSteps:
    """Takes steps with the gradient by a compiled program, and the update by `step()` itself."""

    runs_ahead = False

    def __init__(
        self, objective: Objective, examples: Examples, optimizer: Stepper, backend: str
    ) -> None:
        _check_targets(objective, examples)
        of_one_example = _OfOneExample(objective, optimizer)
        columns = read_columns([examples.X, examples.Y])
        recorded = trace(of_one_example, [column.shape for column in columns])
        reached = set(leaves_of(recorded.outputs[0]))
        self._moved = [p for p in optimizer.parameters if p in reached]
        slopes, _ = gradient_of(recorded.outputs[0], self._moved)
        outputs = [*recorded.outputs, *slopes]
        listed = listing(recorded.inputs, outputs, is_batch=True, leaves=self._moved)
        self._leaves = listed.leaves
        self._run = executable(listed, backend)
        self._optimizer = optimizer
        self._examples = examples
        self._eager = EagerSteps(objective, examples, optimizer)

    def take(self, chunk: Chunk) -> Rows:
        """Take all of these steps. A step that would not stay finite is left to Values to refuse.

        Raises:
            FloatingPointError: as `EagerSteps` says it.
        """
        rows = [self._take(chunk.split(i + 1)[0].split(i)[1]) for i in range(len(chunk))]
        return [row[0] for row in rows], [row[1] for row in rows]

    def _take(self, chunk: Chunk) -> tuple[float, float]:
        """One step; the objective before it, and the share of correct predictions."""
        (planned,) = chunk
        if planned.rate is not None:
            self._optimizer.learning_rate = planned.rate
        X, Y = self._examples.X, self._examples.Y
        batch = read_columns([[X[i] for i in planned.rows], [Y[i] for i in planned.rows]])
        loss, share, *slopes = self._run([leaf.data for leaf in self._leaves], batch)
        try:
            if not math.isfinite(loss):
                raise FloatingPointError
            self._optimizer.zero_grad()
            for parameter, slope in zip(self._moved, slopes, strict=True):
                parameter.grad = slope
            self._optimizer.step()
        except FloatingPointError:
            (losses, shares) = self._eager.take(chunk)
            return losses[0], shares[0]
        return loss, share


class _OfOneExample:
    """What is compiled: the objective of one example, and whether its prediction is right."""

    def __init__(self, objective: Objective, optimizer: Stepper) -> None:
        self._objective = objective
        self._parameters = optimizer.parameters

    def __call__(self, x: Any, y: Any) -> list[Operand]:
        value, predictions = self._objective([x], [y], self._parameters)
        return [value, self._objective.n_correct(predictions, [y])]


def _check_targets(objective: Objective, examples: Examples) -> None:
    """Let the loss refuse a wrong target, which it cannot do once it is compiled."""
    with recording.no_grad():
        prediction = objective.model(examples.X[0])
        for target in {repr(y): y for y in examples.Y}.values():
            objective.loss(prediction, target)


def _check_rule(optimizer: Stepper) -> None:
    name = type(optimizer).__name__
    if not isinstance(optimizer, Stepper):
        raise TypeError(
            f"fit: {name} states no rule that could be compiled; derive it from ag.Stepper, whose "
            f"update() is that rule, or train with backend='python', which calls its step()"
        )
    for method in "step", "zero_grad":
        if getattr(optimizer, method) != getattr(Stepper, method).__get__(optimizer):
            raise TypeError(
                f"fit: {name} overrides {method}(), which machine code does not call: it would "
                f"train differently; state the rule in update(), or train with backend='python'"
            )
