"""The same steps in machine code, which takes many at a time.

A step may take a few microseconds, so nothing is done here for a single one that can be done for
a whole chunk of them. Between two chunks Python sees to Ctrl-C, and `fit` to its bar.
"""

from __future__ import annotations

import itertools
import operator
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from autograd import recording
from autograd.optim import Stepper
from autograd.training.eager import Schedule, take_step
from autograd.training.history import Epoch
from autograd.training.objective import Objective
from autograd.value import Operand

if TYPE_CHECKING:
    from autograd.jit.loop import CompiledTraining

CHUNK = 0.1
"""For about how many seconds machine code runs before Python has its turn."""


def compiled_epochs(
    objective: Objective,
    X: list[Any],
    Y: list[Any],
    size: int,
    orders: Iterable[Sequence[int]],
    optimizer: Stepper,
    schedule: Schedule | None,
    epochs: int,
    watched: bool,
) -> Generator[Epoch, None, None]:
    """What `eager_epochs` does, with as many steps at a time in machine code as `CHUNK` allows.

    The parameters run ahead of the epochs reported, unless those are `watched`; when the generator
    is closed, they go back to the last one that was reported.
    """
    training = _compiled_training(objective, X, Y, optimizer)
    plan = _Plan(len(X), size, orders, schedule, epochs)
    measured = _Measured(plan.counts, objective.correct is not None)
    n_steps = 1
    chunk = _Chunk([], None, None)
    while chunk := chunk or plan.chunk(min(n_steps, measured.n_missing) if watched else n_steps):
        before = _Snapshot(optimizer)
        n_reported = -len(measured.losses)  # of this chunk; their epoch began in an earlier one
        began = time.perf_counter()
        try:
            losses, shares = _take_steps(training, chunk, optimizer)
            n_steps = max(1, int(len(chunk) * min(10.0, CHUNK / (time.perf_counter() - began))))
            if not losses:  # the first step is refused: where and why, the eager one can tell
                losses, shares = _take_eagerly(objective, X, Y, chunk, optimizer, measured)
            rates = chunk.rates or [optimizer.learning_rate] * len(losses)
            for row in measured.epochs_completed(losses, shares, rates):
                n_reported += len(plan.counts)
                yield row
        except FloatingPointError:
            raise  # nothing of the step was taken
        except BaseException:
            if n_reported < len(chunk):
                before.restore(optimizer)
                _take_steps(training, chunk.split(max(0, n_reported))[0], optimizer)
            raise
        chunk = chunk.split(len(losses))[1]


# --- what to do -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chunk:
    """Steps to take, one after the other.

    Attributes:
        counts: how many examples each of them takes.
        order: the examples of the first step, those of the second, and so on; None if every step
            takes all of them as they are.
        rates: the learning rate of each step; None if no schedule sets it.
    """

    counts: list[int]
    order: list[int] | None
    rates: list[float] | None

    def __len__(self) -> int:
        return len(self.counts)

    def split(self, n: int) -> tuple[_Chunk, _Chunk]:
        """The first n steps, and the others."""
        end = sum(self.counts[:n])
        order, rates = self.order, self.rates
        return (
            _Chunk(self.counts[:n], order and order[:end], rates and rates[:n]),
            _Chunk(self.counts[n:], order and order[end:], rates and rates[n:]),
        )


class _Plan:
    """The steps of all epochs.

    Attributes:
        counts: how many examples each step of an epoch takes.
    """

    def __init__(
        self,
        n: int,
        size: int,
        orders: Iterable[Sequence[int]],
        schedule: Schedule | None,
        epochs: int,
    ) -> None:
        self.counts = [min(size, n - start) for start in range(0, n, size)]
        self._counts = (count for _ in range(epochs) for count in self.counts)
        self._order = itertools.chain.from_iterable(orders) if len(self.counts) > 1 else None
        self._rates = map(schedule, itertools.count()) if schedule else None

    def chunk(self, n_steps: int) -> _Chunk:
        """So many of the steps that are left. A schedule is asked for their rates only now."""
        counts = list(itertools.islice(self._counts, n_steps))
        order = None if self._order is None else list(itertools.islice(self._order, sum(counts)))
        rates = None if self._rates is None else list(itertools.islice(self._rates, len(counts)))
        return _Chunk(counts, order, rates)


# --- doing it -------------------------------------------------------------------------------------


def _compiled_training(
    objective: Objective, X: list[Any], Y: list[Any], optimizer: Stepper
) -> CompiledTraining:
    from autograd.jit.loop import CompiledTraining

    with recording.no_grad():
        prediction = objective.model(X[0])
        for target in {repr(y): y for y in Y}.values():  # the loss refuses a wrong one, once only
            objective.loss(prediction, target)

    def of_one_example(x: Any, y: Any) -> list[Operand]:
        value, predictions = objective([x], [y], optimizer.parameters)
        return [value, objective.n_correct(predictions, [y])]

    return CompiledTraining(of_one_example, [X, Y], optimizer)


def _take_steps(
    training: CompiledTraining, chunk: _Chunk, optimizer: Stepper
) -> Sequence[Sequence[float]]:
    """The objective of each step that was taken, and the share of correct predictions."""
    coefficients = []
    for rate in chunk.rates or [optimizer.learning_rate]:
        optimizer.learning_rate = rate
        coefficients.append(optimizer.coefficients())
    return training.steps(chunk.counts, chunk.order, coefficients)


def _take_eagerly(
    objective: Objective,
    X: list[Any],
    Y: list[Any],
    chunk: _Chunk,
    optimizer: Stepper,
    measured: _Measured,
) -> Sequence[Sequence[float]]:
    """The same for the first step alone, taken on Values."""
    if chunk.rates is not None:
        optimizer.learning_rate = chunk.rates[0]
    batch = range(len(X)) if chunk.order is None else chunk.order[: chunk.counts[0]]
    xs, ys = [X[i] for i in batch], [Y[i] for i in batch]
    epoch, step = 1 + measured.n_epochs, measured.n_steps
    loss, n_correct = take_step(objective, xs, ys, optimizer, step, epoch)
    return [loss], [n_correct / len(xs)]


class _Snapshot:
    """What a step changes of a stepper and its parameters."""

    def __init__(self, optimizer: Stepper) -> None:
        self.weights = [parameter.data for parameter in optimizer.parameters]
        self.states = [state[:] for state in optimizer.states]
        self.learning_rate = optimizer.learning_rate

    def restore(self, optimizer: Stepper) -> None:
        for parameter, weight in zip(optimizer.parameters, self.weights, strict=True):
            parameter.data = weight
        optimizer.states[:] = self.states
        optimizer.learning_rate = self.learning_rate


# --- what came of it ------------------------------------------------------------------------------


class _Measured:
    """What the steps of an epoch have measured, until it is complete.

    Attributes:
        losses: the objectives of these steps.
        shares: of their batches, the shares of correct predictions.
        n_epochs: how many epochs are complete.
    """

    def __init__(self, counts: list[int], has_accuracy: bool) -> None:
        self.losses: list[float] = []
        self.shares: list[float] = []
        self.n_epochs = 0
        self._counts = counts
        self._has_accuracy = has_accuracy

    @property
    def n_steps(self) -> int:
        """How many steps were taken in all."""
        return self.n_epochs * len(self._counts) + len(self.losses)

    @property
    def n_missing(self) -> int:
        """How many steps the epoch still lacks."""
        return len(self._counts) - len(self.losses)

    def epochs_completed(
        self, losses: Sequence[float], shares: Sequence[float], rates: Sequence[float]
    ) -> Iterable[Epoch]:
        """The epochs that are complete, now that more steps were measured."""
        rates = rates[self.n_missing - 1 : len(losses) : len(self._counts)]
        self.losses += losses
        self.shares += shares
        complete = len(rates) * len(self._counts)
        means, accuracies = self._of_epochs(self.losses[:complete], self.shares[:complete])
        del self.losses[:complete], self.shares[:complete]
        numbers = range(1 + self.n_epochs, 1 + self.n_epochs + len(rates))
        self.n_epochs += len(rates)
        shown = accuracies if self._has_accuracy else itertools.repeat(None)
        return map(Epoch, numbers, means, shown, map(float, rates))

    def _of_epochs(
        self, losses: list[float], shares: list[float]
    ) -> tuple[Sequence[float], Sequence[float]]:
        """The loss and the accuracy of complete epochs."""
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
