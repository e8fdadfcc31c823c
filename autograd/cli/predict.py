"""`predict`: apply a saved model to the rows of a table, and score it if there are labels."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace

from autograd.cli.arguments import add_file_options, read_sheet_of
from autograd.cli.learner import how_good
from autograd.cli.output import flush, say
from autograd.data import Schema, Sheet, filled, infer_schema, printable
from autograd.data.inference import column_index
from autograd.data.schema import Task
from autograd.data.summary import rows_left_out
from autograd.functions import softmax
from autograd.nn import MLP

EXAMPLE = "runs/model.json grades.csv --show name --probabilities"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
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


def run(options: argparse.Namespace) -> None:
    """Print one prediction a line, and on stderr how good they are, if the table has the labels."""
    try:
        model = MLP.load(options.model)
    except ValueError as error:
        raise ValueError(f"{error}; name the model first, and the table second") from error
    if not all(math.isfinite(parameter.data) for parameter in model.parameters()):
        raise ValueError(f"{options.model}: it has parameters that are not finite; train it again")
    if options.probabilities and model.widths[-1] == 1:
        raise ValueError(f"{options.model}: it predicts a number, and has no probabilities")
    schema = None
    if model.table:
        try:
            schema = Schema.from_json(model.table, model.classes)
        except ValueError as error:
            raise ValueError(f"{options.model}: {error}") from error
    sheet = read_sheet_of(options.data, options, schema)
    shown = [sheet.column(column_index(sheet, name)) for name in options.show]
    for part in sheet.left_out:
        say(f"left out: {part}", file=sys.stderr)
    schema = schema.located(sheet) if schema else _schema(model, sheet)
    if options.missing:
        schema = replace(schema, missing=options.missing)
    if len(schema.features) != model.n_inputs:
        raise ValueError(
            f"{sheet.file}: the model expected {model.n_inputs} inputs, "
            f"got {len(schema.features)} columns"
        )
    X, Y, rows = schema.examples(sheet, keep_unlabeled=True)
    if len(rows) < sheet.n_rows:
        say(rows_left_out(sheet.n_rows - len(rows)), file=sys.stderr)
    X = filled(X, schema.means or [0.0] * model.n_inputs)
    names = [printable(str(name), 200) for name in model.classes or range(model.widths[-1])]
    if options.probabilities or options.show:
        say(_row([*options.show, "prediction", *(names if options.probabilities else ())]))
    found = model.predict(X)
    for row, prediction in zip(rows, found, strict=True):
        cells = [column[row] for column in shown]
        if isinstance(prediction, list):
            cells.append(names[prediction.index(max(prediction))])
            if options.probabilities:
                cells += [f"{p:.4g}" for p in softmax(prediction)]
        else:
            cells.append(repr(prediction))
        say(_row(cells))
    known = [(z, y) for z, y in zip(found, Y, strict=bool(Y)) if not math.isnan(y)]
    if known:
        flush()
        say(how_good(*zip(*known, strict=True))[0], file=sys.stderr)


def _schema(model: MLP, sheet: Sheet) -> Schema:
    """A schema for a model that was saved without one: all columns are numbers."""
    labeled = len(sheet.names) == model.n_inputs + 1
    task: Task = "classification" if model.widths[-1] > 1 else "regression"
    schema = infer_schema(sheet, labeled=labeled, task=task)
    return replace(schema, classes=model.classes) if labeled and model.classes else schema


def _row(cells: Sequence[str]) -> str:
    """The cells in a line, those with a comma or a quotation mark in quotes, as CSV has them."""
    shown = [printable(cell, 200) for cell in cells]
    return ", ".join(
        '"' + cell.replace('"', '""') + '"' if set(cell) & {",", '"'} else cell for cell in shown
    )
