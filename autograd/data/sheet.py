"""A table as it stands in a file: names, and cells that are still text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from autograd.data.errors import printable

MISSING = frozenset({"", "?", "na", "n/a", "<na>", "nan", "null", "n. a.", "k. a.", "k.a."})
"""Cells that mean a missing number or word, in lower case."""

_SPREADSHEET_ERROR = re.compile(r"#[^\W\d_].*[!?]|#n/a|#nv", re.IGNORECASE)
"""The error values of spreadsheets, such as #DIV/0! or #N/A."""

_NO_NUMBER = re.compile(r"none|--?|–|—|\.|\.\.\.|:(?: ?[a-z])?", re.IGNORECASE)
"""Cells that mean a missing number in a column of numbers only; Eurostat has `:` and `: c`."""

SEPARATOR = "\0"  # no text has it: a file with zero bytes is refused


def is_missing(cell: str) -> bool:
    """Whether the cell stands for a missing value: empty, NA, ?, #DIV/0! and the like."""
    return cell.lower() in MISSING or (cell[0] == "#" and bool(_SPREADSHEET_ERROR.fullmatch(cell)))


def is_missing_number(cell: str) -> bool:
    """Whether the cell stands for a missing value in a column of numbers, as - and : do there."""
    return is_missing(cell) or bool(_NO_NUMBER.fullmatch(cell))


class Line(NamedTuple):
    """One row of a table: the number of its line in the file, from 1, and its cells."""

    number: int
    cells: list[str]


class Cells:
    """The cells of a column.

    Attributes:
        text: all of them, a `SEPARATOR` between two: a Python string for every cell would take
            several times the size of the file.
        numbers: the number of each cell, by the format with which they were parsed.
    """

    def __init__(self, cells: Iterable[str]) -> None:
        self.text = SEPARATOR.join(cells)
        self.numbers: dict[object, Any] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self.text.split(SEPARATOR))

    @cached_property
    def plain(self) -> Any:
        """The cells as Python reads them as floats, nan for an empty one; None if it cannot."""
        return floats(self.text)


def floats(text: str) -> Any:
    """The cells in a text as an array, nan for an empty one; None if Python cannot read one."""
    import numpy as np

    if "_" in text:  # 1_000 is Python's own
        return None
    try:
        return np.fromiter([float(cell or "nan") for cell in text.split(SEPARATOR)], float)
    except ValueError:
        return None


@dataclass(frozen=True)
class Sheet:
    """A table as it stands in a file, every cell still text.

    Attributes:
        file: the path of the file, as it is shown in messages.
        names: a name for each column; `column 1` and so on where the file has none.
        columns: the cells of each column.
        line_numbers: for each row, the number of its line in the file, from 1.
        notes: the formats that were recognized, for people to read: `commas`, `gzip`, `a header`.
        has_header: whether the names come from the file.
        named_rows: whether the first column has no name, and so only names or counts the rows.
        classes: the names of the labels 0, 1, …, if a first line of counts gives them.
        left_out: lines that are not rows: a title, a footnote, a line of totals.
        decimal: the decimal mark, "." or ","; "" if no cell tells.
        units: for each column the units and flags that its numbers may have.
        na_values: the words and numbers that were read as missing.
    """

    file: str
    names: tuple[str, ...]
    columns: Sequence[Cells]
    line_numbers: Sequence[int]
    notes: tuple[str, ...]
    has_header: bool
    named_rows: bool = False
    classes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    decimal: str = ""
    units: Sequence[tuple[str, ...]] = ()
    na_values: tuple[str, ...] = ()

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return len(self.line_numbers)

    def column(self, position: int) -> list[str]:
        """The cells of one column."""
        return list(self.columns[position])

    def named(self, position: int) -> str:
        """A column, for a message: by its name, or its place from 1."""
        name = printable(self.names[position])
        return f"column {name}" if self.has_header and not name.startswith("column ") else name

    def place(self, row: int, position: int | None = None) -> str:
        """The location of a row, or of one of its cells, for a message."""
        column = "" if position is None else f", {self.named(position)}"
        return f"{self.file}, line {self.line_numbers[row]}{column}"
