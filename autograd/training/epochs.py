"""The loop over all steps: takes them in chunks, and yields each epoch.

Steps on Values (`eager`) and by compiled programs (`compiled`) return the same two rows of numbers,
from which loss and accuracy of an epoch are computed here.
"""

from __future__ import annotations

import itertools
import operator
import time
from collections.abc import Generator, Iterable, Sequence
from functools import reduce
from typing import Protocol

from autograd.optim import Stepper
from autograd.training.batches import Chunk, Plan
from autograd.training.eager import Rows
from autograd.training.history import Epoch

CHUNK = 0.1
"""For about how many seconds steps are taken before `fit` sees to its bar and to Ctrl-C."""


class Steps(Protocol):
    """The protocol of objects that take training steps, on Values or in machine code."""

    @property
    def runs_ahead(self) -> bool:
        """Whether to take several steps at a time, before their epochs are reported."""

    def take(self, chunk: Chunk) -> Rows:
        """Take all of these steps.

        Raises FloatingPointError at a step that is not finite; the steps before it are taken.
        """


def epochs_of(
    steps: Steps, plan: Plan, optimizer: Stepper, has_accuracy: bool, watched: bool
) -> Generator[Epoch, None, None]:
    """Take the steps of the plan, and yield each epoch.

    Unless `watched`, steps may be taken ahead of the epoch yielded. If the generator is then
    closed, the parameters go back to that epoch.
    """
    account = _Account(plan.counts, has_accuracy)
    n_steps = 1
    while chunk := plan.chunk(min(n_steps, account.n_missing) if watched else n_steps):
        before = _Snapshot(optimizer) if steps.runs_ahead else None
        n_reported = -len(account.losses)  # of this chunk; their epoch began in an earlier one
        began = time.perf_counter()
        try:
            losses, shares = steps.take(chunk)
            if steps.runs_ahead:
                seconds = time.perf_counter() - began
                n_steps = max(1, int(len(chunk) * min(10.0, CHUNK / seconds)))
            rates = chunk.rates or [optimizer.learning_rate] * len(chunk)
            for row in account.epochs_completed(losses, shares, rates):
                n_reported += len(plan.counts)
                yield row
        except FloatingPointError:
            raise  # nothing of the step was taken
        except BaseException:
            if before is not None and n_reported < len(chunk):
                before.restore(optimizer)
                steps.take(chunk.split(max(0, n_reported))[0])
            raise


class _Snapshot:
    """The weights, states and learning rate of a stepper before some steps, to restore them."""

    def __init__(self, optimizer: Stepper) -> None:
        self.weights = [parameter.data for parameter in optimizer.parameters]
        self.states = list(optimizer.states)
        self.learning_rate = optimizer.learning_rate

    def restore(self, optimizer: Stepper) -> None:
        for parameter, weight in zip(optimizer.parameters, self.weights, strict=True):
            parameter.data = weight
        optimizer.states[:] = self.states
        optimizer.learning_rate = self.learning_rate


class _Account:
    """Collects the measurements of steps until their epoch is complete.

    Attributes:
        losses: the objective before each step of the epoch so far.
        shares: the share of correct predictions in the batch of each of them.
    """

    def __init__(self, counts: list[int], has_accuracy: bool) -> None:
        self.losses: list[float] = []
        self.shares: list[float] = []
        self._n_epochs = 0
        self._counts = counts
        self._has_accuracy = has_accuracy

    @property
    def n_missing(self) -> int:
        """How many steps the epoch still lacks."""
        return len(self._counts) - len(self.losses)

    def epochs_completed(
        self, losses: Sequence[float], shares: Sequence[float], rates: Sequence[float]
    ) -> Iterable[Epoch]:
        """Add the measurements of further steps; returns the epochs that are now complete."""
        rates = rates[self.n_missing - 1 : len(losses) : len(self._counts)]
        self.losses += losses
        self.shares += shares
        complete = len(rates) * len(self._counts)
        means, accuracies = self._of_epochs(self.losses[:complete], self.shares[:complete])
        del self.losses[:complete], self.shares[:complete]
        numbers = range(1 + self._n_epochs, 1 + self._n_epochs + len(rates))
        self._n_epochs += len(rates)
        shown = accuracies if self._has_accuracy else itertools.repeat(None)
        return map(Epoch, numbers, means, shown, map(float, rates))

    def _of_epochs(
        self, losses: list[float], shares: list[float]
    ) -> tuple[Sequence[float], Sequence[float]]:
        """The mean loss and the accuracy of each complete epoch, from those of its steps."""
        if len(self._counts) == 1:
            return losses, shares
        n = sum(self._counts)
        means = self._totals(losses, [count / n for count in self._counts])
        n_correct = self._totals(shares, self._counts)
        # a share of a batch, times its size, may miss the whole number by a bit
        return means, [round(number, 6) / n for number in n_correct]

    def _totals(self, of_steps: list[float], weights: Sequence[float]) -> list[float]:
        """For each epoch the weighted sum over its steps."""
        n = len(weights)
        weighted = list(map(operator.mul, of_steps, itertools.cycle(weights)))
        return [reduce(operator.add, weighted[i : i + n]) for i in range(0, len(weighted), n)]
