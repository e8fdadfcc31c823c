"""The training loop: takes all steps of a plan, and yields loss and accuracy of each epoch.

Steps are taken by an object of `eager` or `compiled`, which returns the same numbers for each.
"""

from __future__ import annotations

import functools
import itertools
import operator
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TypeAlias

from autograd.gc_pause import gc_paused
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
    counts = [min(size, n - start) for start in range(0, n, size)]
    weights = [count / n for count in counts]
    per_epoch, first, n_steps = len(counts), 0, 1
    losses: list[float] = []  # of the steps of the epoch so far
    shares: list[float] = []
    while True:
        left = per_epoch - len(losses)
        most = n_steps
        if most >= left:  # end with an epoch, so that Ctrl-C finds its parameters
            most = left if watched else most - (most - left) % per_epoch
        with gc_paused():  # of steps on few examples there are many lists
            rows = list(itertools.islice(rows_of_steps, most))
        if not rows:
            return
        numbers = range(first, first + len(rows))
        steps = Steps(first, per_epoch, rows, list(map(schedule, numbers)) if schedule else None)
        before = _state(optimizer) if taker.runs_ahead else None
        began = time.perf_counter()
        n_reported = -len(losses)  # of these steps; their epoch began with earlier ones
        try:
            measured = taker.take(steps)
            if taker.runs_ahead:
                seconds = time.perf_counter() - began
                n_steps = max(1, int(len(rows) * min(10.0, CHUNK / seconds)))
            rates = steps.rates or [optimizer.learning_rate] * len(rows)
            rates = rates[per_epoch - len(losses) - 1 :: per_epoch]  # of each last step
            losses += measured[0]
            shares += measured[1]
            means = _sums(losses, weights)
            # a share of a batch, times its size, may miss the whole number by a bit
            accuracies = [round(number, 6) / n for number in _sums(shares, counts)]
            shown = accuracies if has_accuracy else itertools.repeat(None)
            epochs = map(
                Epoch, itertools.count(first // per_epoch + 1), means, shown, map(float, rates)
            )
            first += len(rows)
            del losses[: len(rates) * per_epoch], shares[: len(rates) * per_epoch]
            for epoch in epochs:
                n_reported += per_epoch
                yield epoch
        except FloatingPointError:
            raise  # nothing of the step was taken
        except BaseException:
            if before is not None and n_reported < len(rows):
                _restore(optimizer, *before)
                taker.take(steps.part(0, max(0, n_reported)))
            raise


def _sums(of_steps: list[float], weights: Sequence[float]) -> list[float]:
    """For each complete epoch the weighted sum over its steps, from the first to the last."""
    n = len(weights)
    ends = range(n, len(of_steps) + 1, n)
    weighted = list(map(operator.mul, of_steps[: n * len(ends)], itertools.cycle(weights)))
    if n == 1:
        return weighted
    return [functools.reduce(operator.add, weighted[end - n : end]) for end in ends]


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
