"""The training loop: takes all steps of a plan, and yields loss and accuracy of each epoch.

Steps are taken by an object of `eager` or `compiled`, which returns the same numbers for each.
"""

from __future__ import annotations

import functools
import itertools
import operator
import time
from collections.abc import Generator, Sequence
from typing import TypeAlias

from autograd.optim import Stepper
from autograd.training.batches import Plan
from autograd.training.compiled import MachineSteps
from autograd.training.eager import EagerSteps
from autograd.training.history import Epoch

CHUNK = 0.1
"""For about how many seconds steps are taken before `fit` sees to its bar and to Ctrl-C."""


Steps: TypeAlias = EagerSteps | MachineSteps
"""Takes training steps: on Values, by compiled programs (a subclass), or in machine code."""


def epochs_of(
    taker: Steps, plan: Plan, optimizer: Stepper, has_accuracy: bool, watched: bool
) -> Generator[Epoch, None, None]:
    """Take the steps of the plan, and yield each epoch.

    Unless `watched`, steps may be taken ahead of the epoch yielded. If the generator is then
    closed, the parameters go back to that epoch.
    """
    counts, n_epochs, n_steps = plan.counts, 0, 1
    losses: list[float] = []  # of the steps of the epoch so far
    shares: list[float] = []
    while chunk := plan.chunk(min(n_steps, len(counts) - len(losses)) if watched else n_steps):
        before = _state(optimizer) if taker.runs_ahead else None
        n_reported = -len(losses)  # of this chunk; their epoch began in an earlier one
        began = time.perf_counter()
        try:
            taken = taker.take(chunk)
            if taker.runs_ahead:
                seconds = time.perf_counter() - began
                n_steps = max(1, int(len(chunk) * min(10.0, CHUNK / seconds)))
            rates = chunk.rates or [optimizer.learning_rate] * len(chunk)
            rates = rates[len(counts) - len(losses) - 1 :: len(counts)]  # of each last step
            losses += taken[0]
            shares += taken[1]
            means, accuracies = _of_epochs(losses, shares, counts)
            shown = accuracies if has_accuracy else itertools.repeat(None)
            rows = map(Epoch, itertools.count(n_epochs + 1), means, shown, map(float, rates))
            n_epochs += len(rates)
            del losses[: len(rates) * len(counts)], shares[: len(rates) * len(counts)]
            for row in rows:
                n_reported += len(counts)
                yield row
        except FloatingPointError:
            raise  # nothing of the step was taken
        except BaseException:
            if before is not None and n_reported < len(chunk):
                _restore(optimizer, *before)
                taker.take(chunk.part(0, max(0, n_reported)))
            raise


def _of_epochs(
    losses: list[float], shares: list[float], counts: list[int]
) -> tuple[Sequence[float], Sequence[float]]:
    """The mean loss and the accuracy of each complete epoch, from those of its steps."""
    if len(counts) == 1:
        return losses[:], shares[:]
    n = sum(counts)
    means = _totals(losses, [count / n for count in counts])
    # a share of a batch, times its size, may miss the whole number by a bit
    return means, [round(number, 6) / n for number in _totals(shares, counts)]


def _totals(of_steps: list[float], weights: Sequence[float]) -> list[float]:
    """For each complete epoch the weighted sum over its steps, from the first to the last."""
    n = len(weights)
    weighted = list(map(operator.mul, of_steps, itertools.cycle(weights)))
    ends = range(n, len(of_steps) + 1, n)
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
