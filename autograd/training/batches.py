"""The examples of an epoch, cut into batches."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autograd.checks import checked_int


def batches(
    X: Iterable[Any], Y: Iterable[Any], size: int, seed: int
) -> Iterator[tuple[list[Any], list[Any]]]:
    """One epoch: every example once, in batches of `size`, of which the last may be shorter.

    Size 1 is stochastic gradient descent, `len(X)` batch gradient descent, between them lies
    mini-batch gradient descent.

    Args:
        X: the examples, a list or a NumPy array.
        Y: as many targets.
        size: how many examples a batch has, at least 1.
        seed: decides the order of the examples; where one batch holds all, they stay as they are.

    Yields:
        `(X, Y)` of each batch, two lists.

    Raises:
        TypeError, ValueError: if there are no examples, X and Y differ in length, or the size is
            no positive int.
    """
    X, Y = checked_examples("batches", X, Y)
    size = checked_int("batches: size", size)
    return in_batches(X, Y, size, order_of(len(X), size, seed))


def in_batches(
    X: list[Any], Y: list[Any], size: int, order: Sequence[int]
) -> Iterator[tuple[list[Any], list[Any]]]:
    """The examples in this order, so many at a time."""
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        yield [X[i] for i in batch], [Y[i] for i in batch]


def order_of(n: int, size: int, seed: int) -> Sequence[int]:
    """In which order an epoch meets n examples."""
    return range(n) if size >= n else random.Random(seed).sample(range(n), n)


def checked_examples(
    caller: str, X: Iterable[Any], Y: Iterable[Any]
) -> tuple[list[Any], list[Any]]:
    """Both as lists of equal length, which are not empty."""
    X, Y = _plain(X), _plain(Y)
    if len(X) != len(Y):
        raise ValueError(f"{caller}: X has {len(X)} examples, Y has {len(Y)} targets")
    if not X:
        raise ValueError(f"{caller}: got no examples; X and Y are empty")
    return X, Y


def _plain(column: Any) -> list[Any]:
    """A list of what the column holds, NumPy's arrays and numbers as lists and Python's numbers."""
    return [x.tolist() if hasattr(x, "tolist") else x for x in column]
