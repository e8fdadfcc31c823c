"""Loads a table or a toy data set for `train` and `playground`, split for training and testing."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograd import data
from autograd.cli.arguments import add_file_options, read_sheet_of
from autograd.cli.output import say
from autograd.data import Rows, Schema, infer_schema, printable, train_test_split
from autograd.data.summary import describe, hints

TOY_SETS: dict[str, Callable[..., tuple[Rows, list[int]]]] = {
    "moons": data.moons,
    "circles": data.circles,
    "spirals": data.spirals,
    "blobs": data.blobs,
    "xor": partial(data.xor, n=200, noise=0.2),
}


def add_data_options(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add the argument for a data set, and the options for how it is read."""
    sets = f"iris, {', '.join(TOY_SETS)}, or a file: a table, with the label in its last column"
    unless = f"(default: {default or 'all is chosen in the page'})"
    parser.add_argument("data", nargs="?", default=default, help=f"{sets} {unless}")
    option = parser.add_argument_group("what the columns are").add_argument
    option("--label", metavar="NAME|N", help="the column to predict (default: the last one)")
    option("--task", choices=["classification", "regression"], help="what the label is about")
    option("--drop", nargs="+", action="extend", default=[], metavar="NAME", help="leave out")
    option("--one-hot", action="store_true", help="make each word of a column an input, 0 or 1")
    add_file_options(parser)


@dataclass(frozen=True)
class Examples:
    """Examples to learn from and to test on, with the names of their columns and classes.

    Attributes:
        places: for each test example its line in the file, as text; "" if there is no file.
        schema: how the table was read, if it comes from a file.
    """

    name: str
    X_train: Rows
    X_test: Rows
    Y_train: Sequence[float]
    Y_test: Sequence[float]
    features: tuple[str, ...]
    classes: tuple[str, ...]
    places: list[str]
    schema: Schema | None


def examples_of(options: argparse.Namespace) -> Examples:
    """Load the data set that the arguments name; for a file, print what was inferred."""
    X: Rows
    Y: Sequence[float]
    features: tuple[str, ...]
    schema: Schema | None = None
    if options.data in TOY_SETS:
        X, Y = TOY_SETS[options.data](seed=options.seed)
        name, features, places = options.data, ("x", "y"), [""] * len(X)
        classes = tuple(str(label) for label in sorted(set(Y)))
    else:
        path = str(data.IRIS_FILE) if options.data == "iris" else options.data
        sheet = read_sheet_of(path, options, data_sets=["iris", *TOY_SETS])
        schema = infer_schema(
            sheet,
            label=options.label,
            task=options.task,
            drop=options.drop,
            missing=options.missing or "refuse",
            one_hot=options.one_hot,
            drop_constant=True,
        )
        X, Y, rows = schema.examples(sheet)
        say(*describe(schema, sheet).splitlines())
        name, features, classes = Path(path).name.split(".")[0], schema.features, schema.classes
        if (label := schema.label) and len(set(Y)) < 2:
            only = classes[int(Y[0])] if classes else f"{Y[0]:g}"
            raise ValueError(
                f"{path}, {sheet.named(label.position)} (the label): it holds only "
                f"{printable(only)}, so there is nothing to tell apart; "
                f"type --label and the name of another column"
            )
        for hint in hints(schema, sheet):
            say(f"  {hint}")
        places = [f"line {sheet.line_numbers[row]}: " for row in rows]
    # A number to predict has no classes to divide by: all its values are one.
    strata = Y if classes else [0.0] * len(Y)
    train, test, _, _ = train_test_split(range(len(X)), strata, seed=options.seed)
    return Examples(
        printable(name),
        [X[i] for i in train],
        [X[i] for i in test],
        [Y[i] for i in train],
        [Y[i] for i in test],
        features,
        classes,
        [places[i] for i in test],
        schema,
    )
