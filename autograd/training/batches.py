"""`batches` of one epoch, and the `Plan` of all steps: which examples, at which learning rate."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from autograd.checks import checked_int
from autograd.training.examples import checked_examples

Schedule: TypeAlias = Callable[[int], float]
"""Takes the number of a step, from 0, and returns its learning rate."""


def batches(
    X: Iterable[Any], Y: Iterable[Any], size: int, seed: int = 0, shuffle: bool = True
) -> Iterator[tuple[list[Any], list[Any]]]:
    """One epoch: every example once, in batches of `size`, of which the last may be shorter.

    Size 1 is stochastic gradient descent, `len(X)` batch gradient descent, between them lies
    mini-batch gradient descent.

    Args:
        X: the examples, a list, a NumPy array or a DataFrame.
        Y: as many targets.
        size: how many examples a batch has, at least 1.
        seed: decides the order of the examples; where one batch holds all, they stay as they are.
        shuffle: False to keep the examples in the order given.

    Yields:
        `(X, Y)` of each batch, two lists.

    Raises:
        TypeError, ValueError: if there are no examples, X and Y differ in length, or the size is
            no positive int.
    """
    examples = checked_examples("batches", X, Y)
    size = checked_int("batches: size", size)
    order = order_of(len(examples.X), size, seed, shuffle)
    return (examples.batch(order[start : start + size]) for start in range(0, len(order), size))


def order_of(n: int, size: int, seed: int, shuffle: bool) -> Sequence[int]:
    """The order of n examples in an epoch."""
    return random.Random(seed).sample(range(n), n) if shuffle and size < n else range(n)


class Step(NamedTuple):
    """A step to take.

    Attributes:
        number: its number, from 0.
        epoch: the number of its epoch, from 1.
        rows: the indices of its examples.
        rate: its learning rate; None if no schedule sets it.
    """

    number: int
    epoch: int
    rows: Sequence[int]
    rate: float | None


@dataclass(frozen=True)
class Chunk:
    """Steps to take, one after the other.

    Attributes:
        per_epoch: how many steps an epoch has.
        first: the number of the first step here, from 0.
        counts: how many examples each of them takes.
        order: the examples of the first step, those of the second, and so on; None if every step
            takes all of them as they are.
        rates: the learning rate of each step; None if no schedule sets it.
    """

    per_epoch: int
    first: int
    counts: list[int]
    order: list[int] | None
    rates: list[float] | None

    def __len__(self) -> int:
        return len(self.counts)

    def __iter__(self) -> Iterator[Step]:
        rows = iter(self.order or ())
        rates = self.rates or itertools.repeat(None)
        for number, count, rate in zip(itertools.count(self.first), self.counts, rates):
            taken = range(count) if self.order is None else list(itertools.islice(rows, count))
            yield Step(number, 1 + number // self.per_epoch, taken, rate)

    def part(self, start: int, stop: int | None = None) -> Chunk:
        """The steps from `start` to before `stop`."""
        counts, order, rates = self.counts[start:stop], self.order, self.rates
        if order is not None:
            begin = sum(self.counts[:start])
            order = order[begin : begin + sum(counts)]
        rates = None if rates is None else rates[start:stop]
        return Chunk(self.per_epoch, self.first + start, counts, order, rates)


class Plan:
    """The steps of all epochs of a training.

    Attributes:
        counts: how many examples each step of an epoch takes.
    """

    def __init__(
        self,
        n: int,
        size: int,
        epochs: int,
        seed: int,
        shuffle: bool = True,
        schedule: Schedule | None = None,
    ) -> None:
        self.counts = [min(size, n - start) for start in range(0, n, size)]
        self._first = 0
        self._counts = (count for _ in range(epochs) for count in self.counts)
        seeds = random.Random(seed)
        orders = (order_of(n, size, seeds.getrandbits(64), shuffle) for _ in range(epochs))
        self._order = itertools.chain.from_iterable(orders) if len(self.counts) > 1 else None
        self._rates = map(schedule, itertools.count()) if schedule else None

    def chunk(self, n_steps: int) -> Chunk:
        """Take the next `n_steps` steps, or all that are left, with their rates by the schedule."""
        first, counts = self._first, list(itertools.islice(self._counts, n_steps))
        self._first += len(counts)
        order = None if self._order is None else list(itertools.islice(self._order, sum(counts)))
        rates = None if self._rates is None else list(itertools.islice(self._rates, len(counts)))
        return Chunk(len(self.counts), first, counts, order, rates)
