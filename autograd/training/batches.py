"""`batches` of one epoch, and the steps of all: which examples, at which learning rate."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
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


def rows_of_steps(
    n: int, size: int, epochs: int, seed: int, shuffle: bool
) -> Iterator[Sequence[int]]:
    """For each step of a training on n examples, their indices; each epoch in another order."""
    seeds = random.Random(seed)
    if size >= n:
        return itertools.repeat(range(n), epochs)
    orders = (order_of(n, size, seeds.getrandbits(64), shuffle) for _ in range(epochs))
    return (order[start : start + size] for order in orders for start in range(0, n, size))


class Steps(NamedTuple):
    """Steps to take, one after the other.

    Attributes:
        first: the number of the first, from 0.
        per_epoch: how many steps an epoch has.
        rows: of each step, the indices of its examples.
        rates: of each step, its learning rate; None if no schedule sets them.
    """

    first: int
    per_epoch: int
    rows: list[Sequence[int]]
    rates: list[float] | None

    def part(self, start: int, stop: int | None = None) -> Steps:
        """The steps from `start` to before `stop`."""
        rates = None if self.rates is None else self.rates[start:stop]
        return Steps(self.first + start, self.per_epoch, self.rows[start:stop], rates)
