"""Training steps on Values: predict, `backward()`, `step()`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from autograd import recording
from autograd.gc_pause import gc_paused
from autograd.optim import Stepper
from autograd.training.batches import Chunk, Planned
from autograd.training.diagnostics import largest, origin
from autograd.training.examples import Examples
from autograd.training.objective import Objective
from autograd.value import Value

Rows: TypeAlias = tuple[Sequence[float], Sequence[float]]
"""For each step the objective before it, and of its batch the share of correct predictions."""


class EagerSteps:
    """Takes training steps on Values: forward pass, backward pass, `optimizer.step()`."""

    runs_ahead = False
    """Whether to take several steps at a time, before their epochs are reported."""

    def __init__(self, objective: Objective, examples: Examples, optimizer: Stepper) -> None:
        self._objective = objective
        self._examples = examples
        self._optimizer = optimizer

    def take(self, chunk: Chunk) -> Rows:
        """Take all of these steps.

        Raises:
            FloatingPointError: at a step that would leave numbers that are not finite. It is not
                taken, the steps before it are.
        """
        losses, shares = [], []
        for planned in chunk:
            with gc_paused():
                loss, n_correct = self._take(planned)
            losses.append(loss)
            shares.append(n_correct / len(planned.rows))
        return losses, shares

    def _take(self, planned: Planned) -> tuple[float, float]:
        """Take one step; returns the objective before it and the number of correct predictions."""
        examples, optimizer = self._examples, self._optimizer
        step, epoch, rows, rate = planned
        if rate is not None:
            optimizer.learning_rate = rate
        xs, ys = [examples.X[i] for i in rows], [examples.Y[i] for i in rows]
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
            advice = "try a smaller learning rate; " if step else ""
            raise FloatingPointError(
                f"fit: it diverged at step {step}, in epoch {epoch}: {error}; "
                f"{examples.not_finite(rows) or advice}{origin(loss)}; the parameters are those "
                f"before this step, the largest being {largest(optimizer.parameters)}"
            ) from error
        return loss.data, n_correct.data if isinstance(n_correct, Value) else n_correct
