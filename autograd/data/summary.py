"""Describes an inferred schema in text, with hints where another reading is plausible."""

from __future__ import annotations

import re
import shlex
from itertools import groupby, pairwise

from autograd.data.errors import abbreviated, printable
from autograd.data.numbers import number
from autograd.data.schema import Column, Schema
from autograd.data.sheet import Sheet

_COUNTS_ROWS = re.compile(
    r"(?:^|[^a-z])(?:id|index|no|nr|nummer|row)\.?$|(?-i:[a-z]Id$)|^Unnamed",
    re.ASCII | re.IGNORECASE,
)

MANY_COLUMNS = 16
"""From so many columns on, neighbors that are alike share a line."""


def describe(schema: Schema, sheet: Sheet) -> str:
    """A table of the columns: each with its kind, role, missing cells and levels."""
    lines = [("column", "kind", "role", "missing", "levels")]

    def alike(column: Column) -> object:
        if len(schema.columns) > MANY_COLUMNS and (column.role, column.kind) == ("input", "number"):
            return column.n_missing or "whole"
        return column.position

    for _, group in groupby(schema.columns, key=alike):
        first, *others = group
        name, role, levels = printable(first.name), _role(first, schema), _levels(first, schema)
        if others:
            spans = [column.span for column in (first, *others)]
            low, high = min(s[0] for s in spans), max(s[1] for s in spans)
            name = f"{name} … {printable(others[-1].name)}"
            role, levels = f"{1 + len(others)} {role}s", f"{low:g} … {high:g}"
        lines.append((name, first.kind, role, str(first.n_missing or ""), levels))
    *widths, _ = (max(map(len, cells)) for cells in zip(*lines, strict=True))
    table = ["  ".join([*map(str.ljust, cells, widths), cells[-1]]).rstrip() for cells in lines]
    rows = f"{sheet.n_rows} rows of {len(sheet.names)} columns"
    return "\n".join(
        [f"{sheet.file}: {rows}; {', '.join(sheet.notes)}", *("  " + line for line in table)]
    )


def _role(column: Column, schema: Schema) -> str:
    if column.role == "label":
        return f"label: {len(schema.classes)} classes" if schema.classes else "label: a number"
    if column.role == "input" and column.kind == "words":
        return f"{len(column.words)} input{'s' if len(column.words) > 1 else ''}"
    return column.role


def _levels(column: Column, schema: Schema) -> str:
    """The words of a column with their counts, or the range of its numbers."""
    is_label = column.role == "label" and bool(schema.classes)
    if column.role == "left out" and column.n_words == 1:
        return f"always {printable(next(iter(column.words)))}"
    if column.kind == "number" and not is_label:
        return f"{column.span[0]:g} … {column.span[1]:g}"
    if column.role == "left out" and column.n_filled:
        return f"{len(column.words) or 'many'} different"
    names = schema.classes if is_label else column.words
    counts = zip(names, column.words.values(), strict=False)
    shown = abbreviated((f"{name} {count}" for name, count in counts), 5)
    merged = column.kind == "words" and column.spellings > len(column.words)
    return shown + (f"; {column.spellings} spellings" if merged else "")


def hints(schema: Schema, sheet: Sheet) -> list[str]:
    """Notes on what was inferred or left out, with the command-line options that change it."""
    label = schema.label
    may_lack_rows = schema.missing == "drop" or (label is not None and label.n_missing)
    n_left_out = sheet.n_rows - len(schema.examples(sheet).rows) if may_lack_rows else 0
    is_inferred = "task" in schema.is_default and not sheet.classes
    are_numbers = label is not None and label.kind == "number" and len(schema.classes) > 2
    left_out = [column for column in schema.columns if column.role == "left out"]
    dates = [column.name for column in left_out if column.kind == "date"]
    constant = [c.name for c in left_out if c.kind != "date" and c.n_words == 1]
    found = {
        rows_left_out(n_left_out): n_left_out,
        "missing cells get the mean of their column": (
            schema.missing == "mean" and any(column.n_missing for column in schema.inputs)
        ),
        "the label is the last column; --label NAME takes another": "label" in schema.is_default,
        f"the {len(schema.classes)} different numbers of the label are classes; "
        f"--task regression predicts the number": is_inferred and are_numbers,
        f"dates and times are left out ({abbreviated(dates)}); to learn from them, add columns "
        f"of numbers, such as the year or the hour": dates,
        f"a column that never varies is left out ({abbreviated(constant)})": constant,
    }
    return [hint for hint, holds in found.items() if holds] + [
        f"{printable(column.name)}: if it only numbers the rows, leave it out: "
        f"--drop {shlex.quote(printable(column.name))}"
        for column in schema.inputs
        if _numbers_rows(column, sheet)
    ]


def _numbers_rows(column: Column, sheet: Sheet) -> bool:
    """Whether a column numbers the rows: it counts up, or has such a name and few equal cells."""
    cells = sheet.columns[column.position]
    if _COUNTS_ROWS.search(column.name) and len(set(cells)) > 0.9 * column.n_filled:
        return True
    return sheet.n_rows >= 10 and all(
        before is not None and before.is_integer() and after == before + 1
        for before, after in pairwise(map(number, cells))
    )


def rows_left_out(n: int) -> str:
    """A message that rows are left out."""
    rows, are = ("rows", "are") if n > 1 else ("row", "is")
    return f"{n} {rows} with missing cells {are} left out"
