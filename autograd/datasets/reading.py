"""How a table is read: what was decided of its columns, in words, and its rows as numbers.

It is kept with a model, so that new rows are read as those were that it learnt from.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from autograd.datasets.columns import Column, Missing, key, places
from autograd.datasets.numerals import number
from autograd.datasets.refusal import TableError, listed, printable
from autograd.datasets.text import Line, Sheet

_COUNTS_ROWS = re.compile(
    r"(?:^|[^a-z])(?:id|index|no|nr|nummer|row)\.?$|(?-i:[a-z]Id$)|^Unnamed",
    re.ASCII | re.IGNORECASE,
)


LARGEST = 1e150
"""Beyond it the square of a number, and so a loss, is near the end of what a float holds."""


class Examples(NamedTuple):
    """Rows as numbers.

    Attributes:
        X: the inputs of each row; nan where a cell is missing, if missing cells get the mean.
        Y: its label, the index of a class or a number; empty if the table has none.
        lines: the number of its line in the file.
    """

    X: list[list[float]]
    Y: list[int] | list[float]
    lines: list[int]


@dataclass(frozen=True)
class Reading:
    """How the columns of a table are read.

    Attributes:
        columns: all of them.
        classes: the names of the classes; none if the label is a number, or missing.
        missing: what is done about missing cells: "refuse", "drop" their rows, or fill in the
            "mean" of the column.
        by_default: whether the label was not named, and so is the last column.
        decimal, empty: how cells are read, as in `Sheet`.
    """

    columns: tuple[Column, ...]
    classes: tuple[str, ...] = ()
    missing: Missing = "refuse"
    by_default: bool = False
    decimal: str = ""
    empty: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[Column]:
        """The columns that a model learns from."""
        return [column for column in self.columns if column.role == "input"]

    @property
    def label(self) -> Column | None:
        """The column to be predicted."""
        return next((column for column in self.columns if column.role == "label"), None)

    @property
    def features(self) -> tuple[str, ...]:
        """The name of each input of the model."""
        return tuple(name for column in self.inputs for name in column.features)

    def examples(self, sheet: Sheet, unlabelled: bool = False) -> Examples:
        """The rows as numbers.

        Args:
            sheet: the table.
            unlabelled: whether rows whose label is missing are kept, with nan for it.

        Raises:
            TableError: for a missing cell, if these are refused, and for a cell that is no finite
                number or no known word; names line and column.
        """
        X: list[list[float]] = []
        Y: list[Any] = []
        lines = []
        inputs = self.inputs
        for line in sheet.lines:
            row = [x for column in inputs for x in self._numbers(sheet, line, column)]
            label = self._label(sheet, line, unlabelled)
            lacks_label = label is not None and math.isnan(label) and not unlabelled
            if lacks_label or (self.missing == "drop" and any(map(math.isnan, row))):
                continue
            X.append(row)
            Y += [] if label is None else [label]
            lines.append(line.number)
        if not X:
            raise TableError(
                f"{sheet.file}: every row has a missing cell, so none is left", {"missing": "mean"}
            )
        return Examples(X, Y, lines)

    def _numbers(self, sheet: Sheet, line: Line, column: Column) -> list[float]:
        cell = line.cells[column.position]
        if column.is_missing(cell):
            if self.missing == "refuse":
                place = sheet.place(line, column.position)
                raise TableError(f"{place}: it is missing ({cell!r:.20})", {"missing": "mean"})
            return [math.nan] * len(column.features)
        if column.kind == "words":
            if (word := column.place_of(cell)) is None:
                raise TableError(
                    f"{sheet.place(line, column.position)}: expected one of "
                    f"{listed(column.words, 10)}, got {cell!r:.60}; leave that row out"
                )
            return [float(i == word) for i in range(len(column.words))]
        return [_finite(sheet, line, column)]

    @cached_property
    def _class_places(self) -> dict[str, int]:
        return places(self.classes)

    def _label(self, sheet: Sheet, line: Line, may_lack: bool) -> float | int | None:
        """The label of a row; nan if it is missing and may be, None if there is no label."""
        if (column := self.label) is None:
            return None
        cell = line.cells[column.position]
        if column.is_missing(cell):
            if self.missing == "refuse" and not may_lack:
                place = sheet.place(line, column.position)
                raise TableError(
                    f"{place}: the label is missing ({cell!r:.20})", {"missing": "drop"}
                )
            return math.nan
        if not self.classes:
            return _finite(sheet, line, column)
        found = self._class_places.get(key(cell))
        if found is None and cell.isdecimal() and int(cell) < len(sheet.classes):
            found = self._class_places.get(key(sheet.classes[int(cell)]))  # by a line of counts
        if found is None:
            raise TableError(
                f"{sheet.place(line, column.position)}: expected one of the classes "
                f"{listed(self.classes, 10)}, got {cell!r:.60}"
            )
        return found

    # --- another table ----------------------------------------------------------------------------

    def located(self, sheet: Sheet) -> Reading:
        """The same reading of another table: by the names of its columns, or else their places.

        The label may be missing there, and so may the columns that are left out.

        Raises:
            TableError: if an input is missing; names it.
        """
        used = [column for column in self.columns if column.role != "left out"]
        named = {key(name): i for i, name in enumerate(sheet.names)}
        if sheet.has_header and any(key(column.name) in named for column in self.inputs):
            places = {
                column.name: named[key(column.name)] for column in used if key(column.name) in named
            }
        elif len(sheet.names) == len(self.columns):
            places = {column.name: column.position for column in self.columns}
        else:
            without_label = [column for column in self.columns if column.role == "input"]
            others = [column for column in self.columns if column.role != "label"]
            if len(sheet.names) not in (len(without_label), len(others)):
                raise TableError(
                    f"{sheet.file}: expected {len(without_label)} columns "
                    f"({listed([column.name for column in without_label], 10)}), "
                    f"got {len(sheet.names)} ({listed(sheet.names)})"
                )
            given = without_label if len(sheet.names) == len(without_label) else others
            places = {column.name: i for i, column in enumerate(given)}
        if lacking := [column.name for column in self.inputs if column.name not in places]:
            raise TableError(
                f"{sheet.file}: it has no column {listed(lacking)}; its columns are "
                f"{listed(sheet.names, 10)}; name them as those that the model learnt from"
            )
        return replace(
            self,
            columns=tuple(
                replace(column, position=places[column.name])
                for column in used
                if column.name in places
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """What a model has to keep, to read other tables alike: plain lists and texts."""
        return {
            "columns": [
                [column.name, column.role, list(column.words) if column.kind == "words" else None]
                for column in self.columns
            ],
            "missing": self.missing,
            "decimal": self.decimal,
            "empty": list(self.empty),
        }

    @classmethod
    def from_json(cls, kept: Any, classes: Sequence[str]) -> Reading:
        """The reading that `to_json` kept. ValueError if it is damaged."""
        try:
            columns = tuple(
                Column(
                    str(name),
                    i,
                    "number" if words is None else "words",
                    str(role),
                    words=dict.fromkeys(map(str, words or ()), 0),
                )
                for i, (name, role, words) in enumerate(kept["columns"])
            )
            return cls(columns, tuple(classes), kept["missing"], **how_read(kept))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the model's columns are damaged: {error!r}") from error

    # --- in words ---------------------------------------------------------------------------------

    def described(self, sheet: Sheet) -> str:
        """A table of what was understood: each column with its kind, role and levels."""
        lines = [("column", "kind", "role", "missing", "levels")]
        for _, group in groupby(self.columns, key=self._alike):
            first, *others = group
            role = first.role
            name, levels = printable(first.name), first.levels()
            if first.role == "label" and self.classes:
                role = f"label: {len(self.classes)} classes"
                if first.kind == "number":
                    counts = zip(self.classes, first.words.values(), strict=False)
                    levels = listed((f"{name} {count}" for name, count in counts), 5)
            elif first.role == "label":
                role = "label: a number"
            elif first.role == "input" and first.kind == "words":
                role = f"{len(first.words)} input{'s' if len(first.words) > 1 else ''}"
            if others:
                spans = [column.span for column in (first, *others)]
                low, high = min(s[0] for s in spans), max(s[1] for s in spans)
                name = f"{name} … {printable(others[-1].name)}"
                role, levels = f"{1 + len(others)} {role}s", f"{low:g} … {high:g}"
            lines.append((name, first.kind, role, str(first.n_missing or ""), levels))
        *widths, _ = (max(map(len, cells)) for cells in zip(*lines, strict=True))
        table = ["  ".join([*map(str.ljust, cells, widths), cells[-1]]).rstrip() for cells in lines]
        rows = f"{len(sheet.lines)} rows of {len(sheet.names)} columns"
        return "\n".join(
            [f"{sheet.file}: {rows}; {', '.join(sheet.notes)}", *("  " + line for line in table)]
        )

    def _alike(self, column: Column) -> object:
        """Equal for neighbours that share a line: inputs without gaps in a table of many."""
        if len(self.columns) > 16 and column.role == "input" and column.kind == "number":
            return column.n_missing or "whole"
        return column.position

    def hints(self, sheet: Sheet) -> list[str]:
        """What may have been meant otherwise, and what to type then."""
        hints = []
        n_left_out = 0
        if self.missing == "drop" or (self.label is not None and self.label.n_missing):
            n_left_out = len(sheet.lines) - len(self.examples(sheet).lines)
        if n_left_out:
            hints.append(left_out(n_left_out))
        if self.missing == "mean" and any(column.n_missing for column in self.inputs):
            hints.append("missing cells get the mean of their column")
        if self.by_default:
            hints.append("the label is the last column; --label NAME takes another")
        for column in self.inputs:
            values = [cell for cell in sheet.column(column.position) if not column.is_missing(cell)]
            is_named_so = _COUNTS_ROWS.search(column.name) and len(set(values)) > 0.9 * len(values)
            if is_named_so or _counts(values):
                name = printable(column.name)
                typed = shlex.quote(name)
                hints.append(f"{name}: if it only numbers the rows, leave it out: --drop {typed}")
        return hints


def how_read(kept: Any) -> dict[str, Any]:
    """The arguments of `read_sheet` that a model keeps, by which new rows are read alike."""
    return {"decimal": kept.get("decimal", ""), "empty": tuple(kept.get("empty", ()))}


def _counts(cells: list[str]) -> bool:
    """Whether they are whole numbers that count upwards, row by row."""
    start = number(cells[0]) if len(cells) >= 10 else None
    if start is None or not start.is_integer():
        return False
    return all(number(cell) == start + i for i, cell in enumerate(cells))


def left_out(n: int) -> str:
    """That rows are left out, for people to read."""
    rows, are = ("rows", "are") if n > 1 else ("row", "is")
    return f"{n} {rows} with missing cells {are} left out"


def _finite(sheet: Sheet, line: Line, column: Column) -> float:
    """The cell as a number of a size that can be squared and summed, as learning does."""
    cell = line.cells[column.position]
    found = number(cell)
    if found is None or math.isinf(found):
        place = sheet.place(line, column.position)
        raise TableError(f"{place}: expected a finite number, got {cell!r:.60}; mend that cell")
    if abs(found) > LARGEST:
        place = sheet.place(line, column.position)
        raise TableError(f"{place}: {cell!r:.60} is too large to be squared; use another unit")
    return found
