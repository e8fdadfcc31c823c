"""Training steps on Values: predict, `backward()`, `step()`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from autograd import recording
from autograd.gc_pause import gc_paused
from autograd.optim import Stepper
from autograd.training.batches import Steps
from autograd.training.diagnostics import largest, origin
from autograd.training.examples import Examples
from autograd.training.objective import Objective

Measured: TypeAlias = tuple[Sequence[float], Sequence[float]]
"""Of some steps: the objective before each, and the share of correct predictions in its batch."""


class EagerSteps:
    """Takes training steps on Values: forward pass, backward pass, `optimizer.step()`."""

    runs_ahead = False
    """Whether to take several steps at a time, before their epochs are reported."""

    def __init__(self, objective: Objective, examples: Examples, optimizer: Stepper) -> None:
        self._objective = objective
        self._examples = examples
        self._optimizer = optimizer

    def take(self, steps: Steps) -> Measured:
        """Take all of these steps.

        Raises:
            FloatingPointError: at a step that would leave numbers that are not finite. It is not
                taken, the steps before it are.
        """
        losses, shares = [], []
        for number, rows in enumerate(steps.rows):
            if steps.rates is not None:
                self._optimizer.learning_rate = steps.rates[number]
            with gc_paused():
                loss, share = self._take(rows, steps.first + number, steps.per_epoch)
            losses.append(loss)
            shares.append(share)
        return losses, shares

    def _take(self, rows: Sequence[int], number: int, per_epoch: int) -> tuple[float, float]:
        """Take one step; returns the objective before it and the share of correct predictions."""
        optimizer = self._optimizer
        xs, ys = self._examples.batch(rows)
        loss, predictions = self._objective(xs, ys, optimizer.parameters)
        with recording.no_grad():
            n_correct = self._objective.n_correct(predictions, ys)
        try:
            if not math.isfinite(loss.data):
                raise FloatingPointError(f"the loss is {loss.data}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        except FloatingPointError as error:
            advice = "try a smaller learning rate; " if number else ""
            raise FloatingPointError(
                f"fit: it diverged at step {number}, in epoch {1 + number // per_epoch}: {error}; "
                f"{self._examples.not_finite(rows) or advice}{origin(loss)}; the parameters "
                f"are those before this step, the largest being {largest(optimizer.parameters)}"
            ) from error
        return loss.data, float(getattr(n_correct, "data", n_correct)) / len(ys)
