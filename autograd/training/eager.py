"""The steps of a training, taken one after the other: predict, `backward()`, `step()`."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, TypeAlias

from autograd import recording
from autograd.optim import Stepper
from autograd.training.batches import in_batches
from autograd.training.divergence import largest, origin
from autograd.training.history import Epoch
from autograd.training.objective import Objective
from autograd.value import Value

Schedule: TypeAlias = Callable[[int], float]
"""Takes the number of a step, from 0, and returns its learning rate."""


def eager_epochs(
    objective: Objective,
    X: list[Any],
    Y: list[Any],
    size: int,
    orders: Iterable[Sequence[int]],
    optimizer: Stepper,
    schedule: Schedule | None,
) -> Generator[Epoch, None, None]:
    """Train for as many epochs as there are orders of the examples, and report each."""
    step = 0
    for epoch, order in enumerate(orders, start=1):
        loss = n_correct = 0.0
        for xs, ys in in_batches(X, Y, size, order):
            if schedule is not None:
                optimizer.learning_rate = schedule(step)
            batch_loss, batch_correct = take_step(objective, xs, ys, optimizer, step, epoch)
            loss += len(xs) / len(X) * batch_loss
            n_correct += batch_correct
            step += 1
        accuracy = None if objective.correct is None else n_correct / len(X)
        yield Epoch(epoch, loss, accuracy, optimizer.learning_rate)


def take_step(
    objective: Objective,
    xs: list[Any],
    ys: list[Any],
    optimizer: Stepper,
    step: int,
    epoch: int,
) -> tuple[float, float]:
    """One step on one batch; the objective and the correct predictions before it."""
    diverged = f"fit: it diverged at step {step}, in epoch {epoch}"
    loss, predictions = objective(xs, ys, optimizer.parameters)
    with recording.no_grad():
        n_correct = objective.n_correct(predictions, ys)
    if not math.isfinite(loss.data):
        raise FloatingPointError(
            f"{diverged}: the loss is {loss.data}; {origin(loss)}; the parameters are those "
            f"before this step, the largest being {largest(optimizer.parameters)}"
        )
    try:
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    except FloatingPointError as error:
        raise FloatingPointError(f"{diverged}: {error}; {origin(loss)}") from error
    return loss.data, n_correct.data if isinstance(n_correct, Value) else n_correct
