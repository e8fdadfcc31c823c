"""Data sets: seeded toy sets, Fisher's irises, and a reader for tables in CSV files.

Every set is a pair `(X, Y)`: one list of floats per example, and one label per example, which is
the index of its class, 0, 1 and so on. (`hinge` wants -1 and +1: `[2 * y - 1 for y in Y]`.)

    >>> X, Y = moons(100, noise=0.1, seed=0)
    >>> X_train, X_test, Y_train, Y_test = train_test_split(X, Y)
    >>> scale = Standardization.of(X_train)
    >>> X_train, X_test = scale(X_train), scale(X_test)

The package imports nothing else of `autograd`, which offers it as `autograd.datasets`:

- `toys` are points in the plane;
- `text_file` has the lines of a file, `csv_reader` makes a `sheet` of cells of them, `numbers`
  parses cells, `inference` finds the `schema`, `summary` prints it, `errors` say why there is none;
- `preprocessing` is the train-test split, standardization, and imputation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from autograd.data.csv_reader import read_sheet
from autograd.data.errors import TableError, printable
from autograd.data.inference import infer_schema
from autograd.data.preprocessing import Standardization, column_means, filled, train_test_split
from autograd.data.schema import Missing, Schema, Task
from autograd.data.sheet import Sheet
from autograd.data.text_file import SOME_ROWS
from autograd.data.toys import Rows, blobs, circles, moons, spirals, xor

__all__ = [
    "IRIS_CLASSES",
    "IRIS_FILE",
    "Rows",
    "Schema",
    "Sheet",
    "Standardization",
    "Table",
    "TableError",
    "blobs",
    "circles",
    "column_means",
    "filled",
    "infer_schema",
    "iris",
    "moons",
    "printable",
    "read_csv",
    "read_sheet",
    "spirals",
    "train_test_split",
    "xor",
]

IRIS_CLASSES = ("setosa", "versicolor", "virginica")
"""The names of the classes 0, 1 and 2 of `iris`."""

IRIS_FILE = Path(__file__).parent / "iris.csv"
"""The table that `iris` reads."""


class Table(NamedTuple):
    """The contents of a file as examples.

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
    labeled: bool = True,
    *,
    label: str | int | None = None,
    task: Task | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
    drop: Sequence[str] = (),
    missing: Missing = "refuse",
    one_hot: bool = False,
    encoding: str | None = None,
    na_values: Sequence[str] = (),
    limit: int | None = None,
) -> Table:
    """Read a table of numbers and words, such as a CSV file, compressed or not.

    What separates the cells, and whether the first line is a header, is recognized. Blank lines,
    lines that start with `#`, a title above the table, footnotes and totals below it are skipped.
    Numbers may have decimal commas, thousands separators, and a unit. A label of words is a class,
    and so is one of whole numbers, if they are few; the classes stand in the order of the words or
    numbers. Dates and times are left out.

    Args:
        path: the file, in UTF-8, UTF-16 with a byte order mark, or cp1252, or in `encoding`.
        labeled: whether there is a label; if not, every column is an input and Y is empty.
        label: the name of the label's column, or its place from 1; the last if not given.
        task: "classification" or "regression", where the label could be for either.
        delimiter, header: what separates cells, and whether the first line names the columns;
            recognized if not given.
        drop: the names of columns to leave out.
        missing: what to do about missing cells, such as empty ones, NA, ?: "refuse" them, "drop"
            their rows, or replace them by the "mean" of the column.
        one_hot: whether to encode a column of words as one input per word, 1 where it is the cell's
            word, else 0.
        encoding: of the text, such as "latin-1".
        na_values: words that stand for a missing cell, besides NA, ? and the like.
        limit: how many rows to read at most; all, if not given.

    Raises:
        OSError: if the file cannot be read; FileNotFoundError if there is none.
        TableError: a ValueError, if the table cannot be read with these arguments. It names file,
            line and column, and the argument to pass.
    """
    try:
        sheet = read_sheet(
            path,
            delimiter=delimiter,
            header=header,
            encoding=encoding,
            na_values=na_values,
            limit=limit,
        )
        schema = infer_schema(
            sheet,
            labeled=labeled,
            label=label,
            task=task,
            drop=drop,
            missing=missing,
            one_hot=one_hot,
        )
        X, Y, _ = schema.examples(sheet)
    except MemoryError:
        raise TableError(
            f"{printable(str(path), 200)}: there is not enough memory for it", {"limit": SOME_ROWS}
        ) from None
    if missing == "mean":
        X = filled(X, column_means(X))
    return Table(X, Y, schema.features, schema.classes)
