"""What comes between a table and a training: the split, missing numbers, and one scale for all."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Self, TypeVar

from autograd.checks import checked_number, rows_of

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
    X, Y = rows_of(X), rows_of(Y)
    n = len(X)
    if n != len(Y):
        raise ValueError(f"train_test_split: X has {n} examples, Y has {len(Y)}")
    if not 0.0 < checked_number("train_test_split: test_share", test_share) < 1.0:
        raise ValueError(
            f"train_test_split: test_share must be above 0 and below 1, got {test_share!r}"
        )
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
    test = {i for k, i in enumerate(by_class) if (k + 1) * n_test // n > k * n_test // n}
    parts = [i for i in order if i not in test], [i for i in order if i in test]
    return (
        [X[i] for i in parts[0]],
        [X[i] for i in parts[1]],
        [Y[i] for i in parts[0]],
        [Y[i] for i in parts[1]],
    )


class Standardisation(NamedTuple):
    """A shift and a scale for each input, to mean 0 and standard deviation 1 on the training set.

    Calling it returns the standardised examples. It is taken from the training set alone, and the
    same shift and scale then apply to every other example.
    """

    means: list[float]
    deviations: list[float]

    @classmethod
    def of(cls, X: Sequence[Sequence[float]]) -> Self:
        """The standardisation of these examples; an input that hardly varies is only shifted.

        Raises:
            ValueError: if there are no examples, or some have more inputs than others.
        """
        rows = rows_of(X)
        if not rows:
            raise ValueError("Standardisation: got no examples")
        columns = list(zip(*_alike(len(rows[0]), rows), strict=True))
        means = [math.fsum(column) / len(column) for column in columns]
        deviations = [
            math.hypot(*(x - mean for x in column)) / math.sqrt(len(column))
            # A rounded mean leaves a constant a tiny deviation, and 1e-300 has hardly an inverse.
            if max(column) - min(column) > 1e-300
            else 1.0
            for column, mean in zip(columns, means, strict=True)
        ]
        return cls(means, deviations)

    def __call__(self, X: Iterable[Sequence[float]]) -> Rows:
        """The examples, each input less its mean and divided by its standard deviation.

        Raises:
            ValueError: if an example has another number of inputs than those it was taken from.
        """
        return [
            [(x - m) / d for x, m, d in zip(row, self.means, self.deviations, strict=True)]
            for row in _alike(len(self.means), rows_of(X))
        ]


def _alike(n_inputs: int, X: Iterable[Sequence[float]]) -> Iterator[Sequence[float]]:
    """The rows; a ValueError for one that has another number of inputs."""
    for i, row in enumerate(X):
        if len(row) != n_inputs:
            raise ValueError(
                f"Standardisation: expected {n_inputs} inputs, got {len(row)} in example {i}"
            )
        yield row


# --- missing numbers ------------------------------------------------------------------------------


def column_means(X: Iterable[Sequence[float]]) -> list[float]:
    """The mean of each input over the examples where it is not nan; 0 where it always is."""
    present = [[x for x in column if not math.isnan(x)] for column in zip(*X, strict=True)]
    return [math.fsum(column) / len(column) if column else 0.0 for column in present]


def filled(X: Iterable[Sequence[float]], means: Sequence[float]) -> Rows:
    """The examples, with these means in the place of nan."""
    return [[m if math.isnan(x) else x for x, m in zip(row, means, strict=True)] for row in X]
