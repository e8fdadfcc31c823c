"""The training loop: takes all steps of a plan, and yields loss and accuracy of each epoch.

Steps are taken by an object of `eager` or `compiled`, which returns the same numbers for each.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TypeAlias

from autograd.optim import Stepper
from autograd.training.batches import Schedule, Steps
from autograd.training.compiled import MachineSteps
from autograd.training.eager import EagerSteps
from autograd.training.history import Epoch

CHUNK = 0.1
"""For about how many seconds steps are taken before `fit` sees to its bar and to Ctrl-C."""


Taker: TypeAlias = EagerSteps | MachineSteps
"""Takes training steps: on Values, by compiled programs (a subclass), or in machine code."""


def epochs_of(
    taker: Taker,
    rows_of_steps: Iterator[Sequence[int]],
    n: int,
    size: int,
    optimizer: Stepper,
    schedule: Schedule | None,
    has_accuracy: bool,
    watched: bool,
) -> Generator[Epoch, None, None]:
    """Take the steps, on n examples in batches of `size`, and yield each epoch.

    Unless `watched`, steps may be taken ahead of the epoch yielded. If the generator is then
    closed, the parameters go back to that epoch.
    """
    per_epoch, first, n_steps = math.ceil(n / size), 0, 1
    loss = n_correct = 0.0  # in the epoch so far
    while True:
        most = min(n_steps, per_epoch - first % per_epoch) if watched else n_steps
        rows = list(itertools.islice(rows_of_steps, most))
        if not rows:
            return
        numbers = range(first, first + len(rows))
        rates = [schedule(number) if schedule else None for number in numbers]
        steps = Steps(first, per_epoch, rows, rates)
        before = _state(optimizer) if taker.runs_ahead else None
        began = time.perf_counter()
        n_reported = 0  # of these steps
        try:
            measured = taker.take(steps)
            if taker.runs_ahead:
                seconds = time.perf_counter() - began
                n_steps = max(1, int(len(rows) * min(10.0, CHUNK / seconds)))
            for batch, mean, share, rate in zip(rows, *measured, rates, strict=True):
                loss += mean * (len(batch) / n)
                n_correct += share * len(batch)
                first += 1
                if first % per_epoch == 0:
                    # a share of a batch, times its size, may miss the whole number by a bit
                    accuracy = round(n_correct, 6) / n if has_accuracy else None
                    last_rate = float(optimizer.learning_rate if rate is None else rate)
                    row = Epoch(first // per_epoch, loss, accuracy, last_rate)
                    loss = n_correct = 0.0
                    n_reported = first - steps.first
                    yield row
        except FloatingPointError:
            raise  # nothing of the step was taken
        except BaseException:
            if before is not None and n_reported < len(rows):
                _restore(optimizer, *before)
                taker.take(steps.part(0, n_reported))
            raise


def _state(optimizer: Stepper) -> tuple[list[float], list[tuple[float, ...]], float]:
    """The weights, states and learning rate of a stepper before some steps."""
    weights = [parameter.data for parameter in optimizer.parameters]
    return weights, list(optimizer.states), optimizer.learning_rate


def _restore(
    optimizer: Stepper, weights: list[float], states: list[tuple[float, ...]], rate: float
) -> None:
    for parameter, weight in zip(optimizer.parameters, weights, strict=True):
        parameter.data = weight
    optimizer.states[:] = states
    optimizer.learning_rate = rate
