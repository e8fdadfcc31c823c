"""Data to learn from: seeded toy sets, Fisher's irises, and a reader for tables of one's own.

Every set is a pair `(X, Y)`: one list of floats per example, and one label per example, which is
the index of its class, 0, 1 and so on. (`hinge` wants -1 and +1: `[2 * y - 1 for y in Y]`.)

    >>> X, Y = moons(100, noise=0.1, seed=0)
    >>> X_train, X_test, Y_train, Y_test = train_test_split(X, Y)
    >>> scale = Standardisation.of(X_train)
    >>> X_train, X_test = scale(X_train), scale(X_test)

- `toys` are points in the plane;
- `decoding` gives the text of a file, `text` its rows of cells, `understanding` finds out what
  their `columns` mean, a `reading` turns them into numbers, and a `refusal` says why not;
- `preparation` is the split, missing numbers, and one scale for all inputs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from autograd.datasets.columns import Missing, Task
from autograd.datasets.preparation import (
    Standardisation,
    column_means,
    filled,
    train_test_split,
)
from autograd.datasets.reading import Reading
from autograd.datasets.refusal import TableError, printable
from autograd.datasets.text import Sheet, read_sheet
from autograd.datasets.toys import Rows, blobs, circles, moons, spirals, xor
from autograd.datasets.understanding import understand

__all__ = [
    "IRIS_CLASSES",
    "Reading",
    "Rows",
    "Sheet",
    "Standardisation",
    "Table",
    "TableError",
    "blobs",
    "circles",
    "column_means",
    "filled",
    "iris",
    "moons",
    "printable",
    "read_csv",
    "read_sheet",
    "spirals",
    "train_test_split",
    "understand",
    "xor",
]

IRIS_CLASSES = ("setosa", "versicolor", "virginica")
"""The names of the classes 0, 1 and 2 of `iris`."""

IRIS_FILE = Path(__file__).parent / "iris.csv"


class Table(NamedTuple):
    """What a file holds.

    Attributes:
        X: one row of inputs per example.
        Y: one label per example: the index of its class, or a number to predict.
        features: the name of each input, from the header; `column 1` and so on without one.
        classes: the name of each class; none if the labels are numbers to predict.
    """

    X: list[list[float]]
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
    table = read_csv(IRIS_FILE)
    return table.X, [int(label) for label in table.Y]


def read_csv(
    path: str | os.PathLike[str],
    labelled: bool = True,
    *,
    label: str | int | None = None,
    task: Task | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    drop: Sequence[str] = (),
    missing: Missing = "refuse",
    encode: bool = False,
    encoding: str | None = None,
    empty: Sequence[str] = (),
) -> Table:
    """Read a table of numbers and words, such as a CSV file, compressed or not.

    What separates the cells, and whether the first line is a header, is recognised. Blank lines,
    lines that start with `#`, a title above the table, footnotes and totals below it are skipped.
    Numbers may have decimal commas, thousands set apart, and a unit. A label of words is a class,
    and so is one of whole numbers, if they are few; the classes stand in the order of the words or
    numbers.

    Args:
        path: the file, in UTF-8 (or UTF-16 with its mark) if `encoding` names no other.
        labelled: whether there is a label; if not, every column is an input and Y is empty.
        label: the name of the label's column, or its place from 1; the last if not given.
        task: "classification" or "regression", where the label leaves a doubt.
        delimiter, header: what separates cells, and whether a first line names the columns, where
            they are not to be recognised.
        drop: the names of columns to leave out.
        missing: what to do about empty cells, NA, ? and the like: "refuse" them, "drop" their
            rows, or put in the "mean" of the column.
        encode: whether to make every word of an input column an input, 1 where it stands, else 0.
        encoding: of the text, such as "latin-1".
        empty: words that stand for an empty cell, besides NA, ? and the like.

    Raises:
        OSError: if the file cannot be read; FileNotFoundError if there is none.
        TableError: a ValueError, if the table cannot be read so. It names file, line and column,
            and what to pass.
    """
    sheet = read_sheet(path, delimiter=delimiter, header=header, encoding=encoding, empty=empty)
    reading = understand(
        sheet,
        labelled=labelled,
        label=label,
        task=task,
        drop=drop,
        missing=missing,
        encode=encode,
    )
    X, Y, _ = reading.examples(sheet)
    if missing == "mean":
        X = filled(X, column_means(X))
    return Table(X, Y, reading.features, reading.classes)
