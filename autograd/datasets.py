"""Data to learn from: seeded toy sets, Fisher's irises, and a reader for CSV files of one's own.

Every set is a pair `(X, Y)`: one list of floats per example, and one label per example, which is
the index of its class, 0, 1 and so on. (`hinge` wants -1 and +1: `[2 * y - 1 for y in Y]`.)

    >>> X, Y = moons(100, noise=0.1, seed=0)
    >>> X_train, X_test, Y_train, Y_test = train_test_split(X, Y)
    >>> scale = Standardisation.of(X_train)
    >>> X_train, X_test = scale(X_train), scale(X_test)

The toy sets list their classes in turn, 0, 1, 0, 1, so that the first examples are as mixed as all
of them. `noise` is the standard deviation of the Gaussian noise on each coordinate. They need the
standard library alone, and a seed decides every number.
"""

from __future__ import annotations

import csv
import io
import math
import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from numbers import Real
from pathlib import Path
from typing import NamedTuple, Self, TypeAlias, TypeVar

from autograd.checks import checked_int

Rows: TypeAlias = list[list[float]]
Example = TypeVar("Example")
Label = TypeVar("Label")

IRIS_CLASSES = ("setosa", "versicolor", "virginica")
"""The names of the classes 0, 1 and 2 of `iris`."""


# --- toy sets -------------------------------------------------------------------------------------


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> tuple[Rows, list[int]]:
    """Two interleaving half circles of radius 1, in two dimensions and two classes.

    Args:
        n: the number of examples, at least 2.
        noise: the standard deviation of the noise on each coordinate, at least 0.
        seed: decides the noise.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """

    def point(label: int, share: float) -> tuple[float, float]:
        x, y = math.cos(math.pi * share), math.sin(math.pi * share)
        return (x, y) if label == 0 else (1.0 - x, 0.5 - y)

    return _points("moons", point, 2, n=n, noise=noise, seed=seed)


def circles(
    n: int = 100, noise: float = 0.05, seed: int = 0, *, ratio: float = 0.5
) -> tuple[Rows, list[int]]:
    """A circle of radius 1 (class 0) around one of radius `ratio` (class 1).

    Args:
        n, noise, seed: as for `moons`.
        ratio: the inner radius, above 0 and below 1.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    if not 0.0 < _number("circles: ratio", ratio) < 1.0:
        raise ValueError(f"circles: ratio must be above 0 and below 1, got {ratio!r}")

    def point(label: int, share: float) -> tuple[float, float]:
        radius, angle = (1.0, ratio)[label], 2.0 * math.pi * share
        return radius * math.cos(angle), radius * math.sin(angle)

    return _points("circles", point, 2, n=n, noise=noise, seed=seed)


def spirals(
    n: int = 200, noise: float = 0.02, seed: int = 0, *, classes: int = 2, turns: float = 1.0
) -> tuple[Rows, list[int]]:
    """Arms that wind out of the origin to radius 1, one per class.

    Args:
        n, noise, seed: as for `moons`; at least as many examples as classes.
        classes: the number of arms, at least 2.
        turns: how often each arm goes round, above 0.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    classes = checked_int("spirals: classes", classes, at_least=2)
    if not 0.0 < _number("spirals: turns", turns) < math.inf:
        raise ValueError(f"spirals: turns must be finite and above 0, got {turns!r}")

    def point(label: int, share: float) -> tuple[float, float]:
        angle = 2.0 * math.pi * (turns * share + label / classes)
        return share * math.cos(angle), share * math.sin(angle)

    return _points("spirals", point, classes, n=n, noise=noise, seed=seed)


def blobs(
    n: int = 150, noise: float = 0.25, seed: int = 0, *, classes: int = 3
) -> tuple[Rows, list[int]]:
    """Round clouds whose centres stand evenly on the unit circle, one per class.

    Args:
        n, noise, seed: as for `moons`; at least as many examples as classes.
        classes: the number of clouds, at least 2.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    classes = checked_int("blobs: classes", classes, at_least=2)

    def point(label: int, share: float) -> tuple[float, float]:
        angle = 2.0 * math.pi * label / classes
        return math.cos(angle), math.sin(angle)

    return _points("blobs", point, classes, n=n, noise=noise, seed=seed)


def xor(n: int = 4, noise: float = 0.0, seed: int = 0) -> tuple[Rows, list[int]]:
    """The corners (0,0), (0,1), (1,0), (1,1) in turn, with the exclusive or of their coordinates.

    As it stands, the truth table; with more examples and noise, four clouds in two classes that
    no straight line separates.

    Args:
        n, noise, seed: as for `moons`; at least 4 examples.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """

    def point(corner: int, share: float) -> tuple[float, float]:
        return float(corner // 2), float(corner % 2)

    X, corners = _points("xor", point, 4, n=n, noise=noise, seed=seed)
    return X, [(0, 1, 1, 0)[corner] for corner in corners]


def _points(
    name: str,
    point: Callable[[int, float], tuple[float, float]],
    classes: int,
    *,
    n: int,
    noise: float,
    seed: int,
) -> tuple[Rows, list[int]]:
    """`point(label, share)` with noise, the share of each class going evenly from 0 to 1."""
    n = checked_int(f"{name}: n", n, at_least=classes)
    if not 0.0 <= _number(f"{name}: noise", noise) < math.inf:
        raise ValueError(f"{name}: noise must be finite and at least 0, got {noise!r}")
    rng = random.Random(seed)
    labels = [i % classes for i in range(n)]
    shares = [(i // classes + 0.5) / ((n - 1 - i % classes) // classes + 1) for i in range(n)]
    X = [
        [coordinate + rng.gauss(0.0, noise) for coordinate in point(label, share)]
        for label, share in zip(labels, shares, strict=True)
    ]
    return X, labels


def _number(what: str, number: object) -> float:
    if not isinstance(number, Real) or isinstance(number, bool):
        raise TypeError(f"{what} must be a number, got {number!r} of type {type(number).__name__}")
    return float(number)


# --- real data ------------------------------------------------------------------------------------


class Table(NamedTuple):
    """What a CSV file holds.

    Attributes:
        X: one row of inputs per example.
        Y: one label per example: the index of its class, or a number to predict.
        features: the name of each input, from the header; `column 1` and so on without one.
        classes: the name of each class; none if the labels are numbers to predict.
    """

    X: Rows
    Y: list[int] | list[float]
    features: tuple[str, ...]
    classes: tuple[str, ...]


def iris() -> tuple[Rows, list[int]]:
    """150 flowers, 50 of each of three species: sepal length and width, petal length and width, cm.

    Class 0 stands apart; 1 and 2 overlap a little. `IRIS_CLASSES` has the names of the species.

    From R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics
    7(2), 1936, pages 179-188, after measurements by E. Anderson. This is Fisher's table, taken
    from scikit-learn; that of the UCI Machine Learning Repository (doi:10.24432/C56C76, published
    under CC BY 4.0) differs from it in the 35th and the 38th flower, by errors of transcription.
    """
    table = read_csv(Path(__file__).parent / "data" / "iris.csv")
    return table.X, [int(label) for label in table.Y]


def read_csv(path: str | os.PathLike[str], labelled: bool = True) -> Table:
    """Read a table of numbers, separated by commas, with the label in its last column.

    The first row is a header if none of its inputs is a number. Blank lines, and lines that start
    with `#`, are skipped. If a label is a word, or if all are whole numbers, each different label
    is a class, in the order of the words or numbers; otherwise the labels are numbers to predict.

    Args:
        path: the file, in UTF-8.
        labelled: whether there is a label; if not, every column is an input and Y is empty.

    Raises:
        OSError: if the file cannot be read; FileNotFoundError if there is none.
        ValueError: for an input that is no finite number, a missing label, a row that is longer or
            shorter than the first, or no examples at all; names file, line and column.
    """
    source = Path(path)
    lines = list(_lines(source))
    if not lines:
        raise ValueError(f"{source}: it is empty; expected rows of numbers separated by commas")
    n_inputs = len(lines[0].cells) - labelled
    if n_inputs < 1:
        raise ValueError(
            f"{lines[0]}: found a single column; expected inputs and a label separated by commas"
        )
    features = tuple(f"column {i + 1}" for i in range(n_inputs))
    if not any(map(_is_number, lines[0].cells[:n_inputs])):
        header = lines.pop(0)
        features = tuple(
            name or f"column {i + 1}" for i, name in enumerate(header.cells[:n_inputs])
        )
        if not lines:
            raise ValueError(f"{header}: there are no rows of numbers below the header")
    for line in lines:
        if len(line.cells) != n_inputs + labelled:
            raise ValueError(
                f"{line}: found {len(line.cells)} columns, "
                f"where the first row has {n_inputs + labelled}"
            )
    X = [[line.number(i) for i in range(n_inputs)] for line in lines]
    Y, classes = _labels(lines) if labelled else ([], ())
    return Table(X, Y, features, classes)


class _Line(NamedTuple):
    """One row of a CSV file, which knows where it stands."""

    file: str
    number_in_file: int
    cells: list[str]

    def __str__(self) -> str:
        return f"{self.file}, line {self.number_in_file}"

    def number(self, column: int) -> float:
        cell = self.cells[column]
        if not _is_number(cell) or not math.isfinite(float(cell)):
            raise ValueError(
                f"{self}, column {column + 1}: expected a finite number, got {cell!r:.80}"
            )
        return float(cell)


def _lines(source: Path) -> Iterator[_Line]:
    try:
        text = io.StringIO(source.read_text(encoding="utf-8-sig"))
        reader = csv.reader(text, skipinitialspace=True, strict=True)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells) and not cells[0].startswith("#"):
                yield _Line(str(source), reader.line_num, cells)
    except UnicodeDecodeError as error:
        raise ValueError(f"{source}: it is no text in UTF-8 ({error})") from error
    except csv.Error as error:
        raise ValueError(f"{source}, line {reader.line_num}: {error}") from error


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _labels(lines: list[_Line]) -> tuple[list[int] | list[float], tuple[str, ...]]:
    for line in lines:
        if not line.cells[-1]:
            raise ValueError(f"{line}, column {len(line.cells)}: the label is missing")
    words = [line.cells[-1] for line in lines]
    if all(map(_is_number, words)):
        numbers = [line.number(len(line.cells) - 1) for line in lines]
        if not all(number.is_integer() for number in numbers):
            return numbers, ()
        words = [str(int(number)) for number in numbers]
        names = tuple(sorted(set(words), key=int))
    else:
        names = tuple(sorted(set(words)))
    index = {name: i for i, name in enumerate(names)}
    return [index[word] for word in words], names


# --- preparation ----------------------------------------------------------------------------------


def train_test_split(
    X: Iterable[Example], Y: Iterable[Label], test_share: float = 1 / 3, seed: int = 0
) -> tuple[list[Example], list[Example], list[Label], list[Label]]:
    """Divide examples at random into `X_train, X_test, Y_train, Y_test`.

    The split is stratified: every class has its share of the test set, rounded up or down.

    Args:
        X: the examples, a list or a NumPy array.
        Y: as many labels.
        test_share: the share of examples that is held out, above 0 and below 1.
        seed: decides which examples, and the order in which both parts come.

    Raises:
        TypeError: if the share is no number.
        ValueError: if X and Y differ in length, the share is out of its range, or so small or so
            large that a part would be empty.
    """
    X, Y = list(X), list(Y)
    n = len(X)
    if n != len(Y):
        raise ValueError(f"train_test_split: X has {n} examples, Y has {len(Y)}")
    if not 0.0 < _number("train_test_split: test_share", test_share) < 1.0:
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
        """The standardisation of these examples; an input that never varies is only shifted.

        Raises:
            ValueError: if there are no examples, or some have more inputs than others.
        """
        if not len(X):
            raise ValueError("Standardisation: got no examples")
        columns = list(zip(*_rows_of(len(X[0]), X), strict=True))
        means = [math.fsum(column) / len(column) for column in columns]
        deviations = [
            math.hypot(*(x - mean for x in column)) / math.sqrt(len(column))
            if min(column) < max(column)  # a rounded mean leaves a constant a tiny deviation
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
            for row in _rows_of(len(self.means), X)
        ]


def _rows_of(n_inputs: int, X: Iterable[Sequence[float]]) -> Iterator[Sequence[float]]:
    for i, row in enumerate(X):
        if len(row) != n_inputs:
            raise ValueError(
                f"Standardisation: expected {n_inputs} inputs, got {len(row)} in example {i}"
            )
        yield row
