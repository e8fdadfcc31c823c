"""Preprocessing: train-test split, standardization, and imputation of missing numbers."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Self, TypeVar

from autograd.data.errors import checked_number

Rows = list[list[float]]
Example = TypeVar("Example")
Label = TypeVar("Label")


def train_test_split(
    X: Iterable[Example], Y: Iterable[Label], test_share: float = 1 / 3, seed: int = 0
) -> tuple[list[Example], list[Example], list[Label], list[Label]]:
    """Divide examples at random into `X_train, X_test, Y_train, Y_test`.

    The split is stratified: every class has its share of the test set, rounded up or down.

    Args:
        X: the examples: a list, a NumPy array or a DataFrame.
        Y: as many labels.
        test_share: the share of examples that is held out, above 0 and below 1.
        seed: decides which examples, and the order in which both parts come.

    Raises:
        TypeError: if the share is no number.
        ValueError: if X and Y differ in length, the share is out of its range, or so small or so
            large that a part would be empty.
    """
    X, Y = _rows(X), _rows(Y)
    n = len(X)
    if n != len(Y):
        raise ValueError(f"train_test_split: X has {n} examples, Y has {len(Y)}")
    between = "above 0 and below 1"
    checked_number("train_test_split: test_share", test_share, between, lambda x: 0.0 < x < 1.0)
    n_test = round(test_share * n)
    if not 0 < n_test < n:
        raise ValueError(
            f"train_test_split: test_share {test_share!r} of {n} examples leaves one part empty"
        )
    order = random.Random(seed).sample(range(n), n)
    strata: dict[str, list[int]] = {}
    for i in order:
        strata.setdefault(repr(Y[i]), []).append(i)  # a label may be a list, which has no hash
    by_class = [i for stratum in strata.values() for i in stratum]
    # Going through class by class, hold one out each time the share has grown by a whole example.
    held_out = {i for k, i in enumerate(by_class) if (k + 1) * n_test // n > k * n_test // n}
    train = [i for i in order if i not in held_out]
    test = [i for i in order if i in held_out]
    return [X[i] for i in train], [X[i] for i in test], [Y[i] for i in train], [Y[i] for i in test]


class Standardization(NamedTuple):
    """A shift and a scale for each input, to mean 0 and standard deviation 1 on the training set.

    Calling it returns the standardized examples. It is computed from the training set alone, and
    the same shift and scale then apply to every other example.
    """

    means: list[float]
    deviations: list[float]

    @classmethod
    def of(cls, X: Sequence[Sequence[float]]) -> Self:
        """The standardization of these examples; an input that hardly varies is only shifted.

        Raises:
            ValueError: if there are no examples, or some have more inputs than others.
        """
        rows = _rows(X)
        if not rows:
            raise ValueError("Standardization: got no examples")
        means, deviations = [], []
        rows = list(_alike(len(rows[0]), rows))
        for i in range(len(rows[0])):
            column = array("d", (row[i] for row in rows))
            mean = math.fsum(column) / len(column)
            # A rounded mean leaves a constant a tiny deviation, and 1e-300 has hardly an inverse.
            varies = max(column) - min(column) > 1e-300
            spread = math.hypot(*(x - mean for x in column)) / math.sqrt(len(column))
            means.append(mean)
            deviations.append(spread if varies else 1.0)
        return cls(means, deviations)

    def __call__(self, X: Iterable[Sequence[float]]) -> Rows:
        """The examples, each input less its mean and divided by its standard deviation.

        Raises:
            ValueError: if an example has another number of inputs than the training set.
        """
        return [
            [(x - m) / d for x, m, d in zip(row, self.means, self.deviations, strict=True)]
            for row in _alike(len(self.means), _rows(X))
        ]


def _rows(rows: Iterable[Any]) -> list[Any]:
    """The rows of a list, an array or a DataFrame (iterating over one gives column names)."""
    return list(rows.to_numpy() if hasattr(rows, "to_numpy") else rows)


def _alike(n_inputs: int, X: Iterable[Sequence[float]]) -> Iterator[Sequence[float]]:
    """Yield the rows. ValueError for a row with another number of inputs."""
    for i, row in enumerate(X):
        if len(row) != n_inputs:
            raise ValueError(
                f"Standardization: expected {n_inputs} inputs, got {len(row)} in example {i}"
            )
        yield row


def column_means(X: Sequence[Sequence[float]]) -> list[float]:
    """The mean of each input over the examples where it is not nan; 0 where it always is."""
    means = []
    for i in range(len(X[0]) if X else 0):
        present = array("d", (row[i] for row in X if not math.isnan(row[i])))
        means.append(math.fsum(present) / len(present) if present else 0.0)
    return means


def filled(X: Iterable[list[float]], means: Sequence[float]) -> Rows:
    """The examples, with these means in the place of nan. Rows without nan are not copied."""
    return [
        [m if math.isnan(x) else x for x, m in zip(row, means, strict=True)]
        if any(map(math.isnan, row))
        else row
        for row in X
    ]
