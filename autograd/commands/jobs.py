"""What is to be learnt: a table from a file, or a toy set, divided into two parts."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograd import datasets
from autograd.commands.arguments import reading_of, sheet_of
from autograd.datasets import Reading, Rows, printable, train_test_split

TOY_SETS: dict[str, Callable[..., tuple[Rows, list[int]]]] = {
    "moons": datasets.moons,
    "circles": datasets.circles,
    "spirals": datasets.spirals,
    "blobs": datasets.blobs,
    "xor": partial(datasets.xor, n=200, noise=0.2),
}


@dataclass(frozen=True)
class Job:
    """What is to be learnt: examples, divided, with the names of their columns and classes.

    Attributes:
        places: where the examples held out stand in the file.
        reading: how the table was read, if it comes from a file.
    """

    name: str
    X_train: Rows
    X_test: Rows
    Y_train: Sequence[float]
    Y_test: Sequence[float]
    features: tuple[str, ...]
    classes: tuple[str, ...]
    places: list[str]
    reading: Reading | None


def job_of(options: argparse.Namespace) -> Job:
    """What the arguments name; what was understood of a file is printed."""
    if options.data in TOY_SETS:
        X, labels = TOY_SETS[options.data](seed=options.seed)
        classes = tuple(str(label) for label in sorted(set(labels)))
        return _divided(options, options.data, X, labels, ("x", "y"), classes)
    path = str(datasets.IRIS_FILE) if options.data == "iris" else options.data
    sheet = sheet_of(path, options, data_sets=["iris", *TOY_SETS])
    reading = reading_of(sheet, options)
    X, Y, lines = reading.examples(sheet)
    print(reading.described(sheet))
    if (label := reading.label) and len(set(Y)) < 2:
        only = reading.classes[int(Y[0])] if reading.classes else f"{Y[0]:g}"
        raise ValueError(
            f"{path}, {sheet.named(label.position)} (the label): it holds only "
            f"{printable(only)}, so there is nothing to tell apart; "
            f"type --label and the name of another column"
        )
    for hint in reading.hints(sheet):
        print(f"  {hint}")
    places = [f"line {line}: " for line in lines]
    name = Path(path).name.split(".")[0]
    return _divided(options, name, X, Y, reading.features, reading.classes, places, reading)


def _divided(
    options: argparse.Namespace,
    name: str,
    X: Rows,
    Y: Sequence[float],
    features: tuple[str, ...],
    classes: tuple[str, ...],
    places: Sequence[str] = (),
    reading: Reading | None = None,
) -> Job:
    named = list(zip(X, places or [""] * len(X), strict=True))
    # A number to predict has no classes to divide by: all its values are one.
    strata = Y if classes else [0.0] * len(Y)
    numbered = list(zip(named, Y, strict=True))
    train, test, _, _ = train_test_split(numbered, strata, seed=options.seed)
    return Job(
        name,
        [x for (x, _), _ in train],
        [x for (x, _), _ in test],
        [y for _, y in train],
        [y for _, y in test],
        features,
        classes,
        [place for (_, place), _ in test],
        reading,
    )
