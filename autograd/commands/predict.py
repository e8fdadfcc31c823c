"""`predict`: what a saved model says of the rows of a table, and how often it is right."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace

from autograd.commands.arguments import add_file_options, sheet_of
from autograd.commands.interrupts import Interrupts
from autograd.commands.learning import how_good, outputs
from autograd.datasets import Reading, filled, printable, understand
from autograd.datasets.columns import Task
from autograd.datasets.reading import left_out
from autograd.datasets.text import Sheet
from autograd.datasets.understanding import place_of
from autograd.nn import MLP

HELP = "apply a saved model"
EXAMPLE = "runs/model.json grades.csv --show name --probabilities"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("model", help="a model.json that train wrote")
    parser.add_argument("data", help="a table with the model's inputs, and the label or not")
    parser.add_argument(
        "--probabilities", action="store_true", help="print the probability of each class, too"
    )
    parser.add_argument(
        "--show",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="columns of the table to print before each prediction",
    )
    add_file_options(parser)


def run(options: argparse.Namespace, _: Interrupts) -> None:
    """Print one prediction a line, and on stderr how good they are, if the table has the labels."""
    try:
        model = MLP.load(options.model)
    except ValueError as error:
        raise ValueError(f"{error}; name the model first, and the table second") from error
    if options.probabilities and model.widths[-1] == 1:
        raise ValueError(f"{options.model}: it predicts a number, and has no probabilities")
    sheet = sheet_of(options.data, options, model.table)
    places = [place_of(sheet, name) for name in options.show]
    for part in sheet.left_out:
        print(f"left out: {part}", file=sys.stderr)
    reading = _reading(model, sheet)
    if options.missing:
        reading = replace(reading, missing=options.missing)
    X, Y, lines = reading.examples(sheet, unlabelled=True)
    if len(lines) < len(sheet.lines):
        print(left_out(len(sheet.lines) - len(lines)), file=sys.stderr)
    X = filled(X, model.table.get("means", [0.0] * model.n_inputs))
    names = [printable(name, 200) for name in model.classes]
    names = names or [str(i) for i in range(model.widths[-1])]
    if options.probabilities or options.show:
        heads = names if options.probabilities else []
        print(_row([*(sheet.names[i] for i in places), "prediction", *heads]))
    found = outputs(model, X)
    cells = {line.number: line.cells for line in sheet.lines}
    for number, numbers in zip(lines, found, strict=True):
        shown = [cells[number][i] for i in places]
        if len(numbers) == 1:
            print(_row([*shown, repr(numbers[0])]))
            continue
        best = names[numbers.index(max(numbers))]
        shares = [f"{p:.4g}" for p in _softmax(numbers)] if options.probabilities else []
        print(_row([*shown, best, *shares]))
    known = [(z, y) for z, y in zip(found, Y, strict=bool(Y)) if not math.isnan(y)]
    if known:
        sys.stdout.flush()
        print(how_good(*zip(*known, strict=True))[0], file=sys.stderr)


def _reading(model: MLP, sheet: Sheet) -> Reading:
    """How the model's table was read; if that is not known, all columns are numbers."""
    if model.table:
        return Reading.from_json(model.table, model.classes).located(sheet)
    labelled = len(sheet.names) == model.n_inputs + 1
    task: Task = "classification" if model.widths[-1] > 1 else "regression"
    reading = understand(sheet, labelled=labelled, task=task)
    if len(reading.features) != model.n_inputs:
        raise ValueError(
            f"{sheet.file}: the model expected {model.n_inputs} inputs, "
            f"got {len(reading.features)} columns"
        )
    if labelled and model.classes:
        reading = replace(reading, classes=model.classes)
    return reading


def _row(cells: Sequence[str]) -> str:
    """The cells in a line, those with a comma or a quotation mark in quotes, as CSV has them."""
    shown = [printable(cell, 200) for cell in cells]
    return ", ".join(
        '"' + cell.replace('"', '""') + '"' if set(cell) & {",", '"'} else cell for cell in shown
    )


def _softmax(logits: list[float]) -> list[float]:
    largest = max(logits)
    powers = [math.exp(z - largest) for z in logits]
    return [power / math.fsum(powers) for power in powers]
