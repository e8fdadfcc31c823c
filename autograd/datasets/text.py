"""A text as rows of cells: what separates the cells, what names them, and what is no row.

Nothing here knows what a cell means but to tell a header from data: a line of words above numbers.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from autograd.datasets.decoding import text_of
from autograd.datasets.numerals import number, rewrite
from autograd.datasets.refusal import TableError, printable

MISSING = frozenset({"", "?", "na", "n/a", "<na>", "nan", "null", "n. a.", "k. a.", "k.a."})
"""What stands for a number or word that is not there, in small letters."""

_SPREADSHEET_ERROR = re.compile(r"#[^\W\d_].*[!?]|#n/a|#nv", re.IGNORECASE)
"""What a spreadsheet writes where it could compute nothing, such as #DIV/0! or #N/A."""

TOTALS = frozenset(
    {"total", "totals", "sum", "average", "mean", "count", "∑", "σ", "ø"}
    | {"summe", "gesamt", "gesamtsumme", "mittelwert", "durchschnitt", "schnitt", "anzahl"}
    | {"somme", "moyenne", "suma", "promedio", "totale", "media"}
)
"""What a last line begins with that sums up the others, in small letters."""

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}


class Line(NamedTuple):
    """One row of a table: the number of its line in the file, from 1, and its cells."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Sheet:
    """A table as it stands in a file, every cell still text.

    Attributes:
        file: the path of the file.
        names: a name for each column; `column 1` and so on where the file has none.
        lines: the rows.
        notes: what was recognised, for people to read: `commas`, `gzip`, `a header`.
        has_header: whether the names come from the file.
        named_rows: whether the first column has no name, and so only names or counts the rows.
        left_out: what is no row: a title, a footnote, a line of totals.
        decimal: the decimal sign, "." or ","; "" if no cell leaves it open.
        empty: the words that were read as empty cells.
        classes: the names of the labels 0, 1, …, if a first line of counts gives them.
    """

    file: str
    names: tuple[str, ...]
    lines: list[Line]
    notes: tuple[str, ...]
    has_header: bool
    named_rows: bool = False
    classes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    decimal: str = ""
    empty: tuple[str, ...] = ()

    def column(self, position: int) -> list[str]:
        """The cells of one column."""
        return [line.cells[position] for line in self.lines]

    def named(self, position: int) -> str:
        """A column, for a message: by its name, or its place from 1."""
        name = printable(self.names[position])
        return f"column {name}" if self.has_header and not name.startswith("column ") else name

    def place(self, line: Line, position: int | None = None) -> str:
        """Where a row or one of its cells is, for a message."""
        column = "" if position is None else f", {self.named(position)}"
        return f"{self.file}, line {line.number}{column}"


def is_missing(cell: str) -> bool:
    """Whether the cell stands for nothing: empty, NA, ?, #DIV/0! and the like."""
    return cell.lower() in MISSING or bool(_SPREADSHEET_ERROR.fullmatch(cell))


def read_sheet(
    path: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    empty: Sequence[str] = (),
    decimal: str = "",
) -> Sheet:
    """The table in a file of text, compressed by gzip, bzip2 or xz or not at all.

    What separates the cells is recognised: commas, semicolons, tabs, bars or spaces. Blank lines,
    lines that start with `#`, a title above the table, footnotes and totals below it are skipped.
    A first line is a header if it has words above numbers, if it counts the columns
    (`0,1,2,target`) or years, or if no cell of it comes again below; it may start with `#`, as
    NumPy writes it. A first line of counts, as scikit-learn's files have one
    (`150,4,setosa,versicolor,virginica`), gives the classes their names. Numbers may have decimal
    commas, thousands set apart, and a unit that is the same in all of a column: `4.439,00 €` is
    read as 4439.

    Args:
        path: the file.
        delimiter: what separates the cells, if it is not to be recognised.
        header: whether the first line names the columns, if it is not to be recognised.
        encoding: of the text, such as "latin-1"; UTF-8, or UTF-16 with its mark, if not given.
        empty: words that stand for an empty cell, besides NA, ? and the like.
        decimal: the decimal sign, "." or ",", where no cell of the file tells: 1,234 may be either.

    Raises:
        OSError: if the file cannot be read; FileNotFoundError if there is none.
        TableError: if it is no table of text; a ValueError that names file and line.
    """
    file = printable(str(path), 200)
    text, packed = text_of(Path(path), file, encoding)
    if separator := re.match("sep=(.)\\n", text, re.IGNORECASE):  # Excel's own word on it
        delimiter = delimiter or separator[1]
        text = text[separator.end() - 1 :]
    if delimiter is None:
        delimiter = _recognised(text)
    lines = _lines(text, delimiter, file)
    if not lines:
        raise TableError(f"{file}: it is empty; expected rows of cells separated by commas")
    notes = [DELIMITERS.get(delimiter, repr(delimiter)), *packed]
    if header is None and (heading := _heading(text, delimiter, lines)):
        lines.insert(0, heading)
        header = True
    _without_empty_end(lines)
    left_out = _without_surroundings(lines)
    stand_for_nothing = {word.casefold() for word in empty}
    for line in lines:
        line.cells[:] = ["" if c.casefold() in stand_for_nothing else c for c in line.cells]
    decimal, rewritten = rewrite([line.cells for line in lines], delimiter, decimal)
    notes += [*rewritten, *(f"left out: {part}" for part in left_out)]

    classes = _counted(lines) if header is None else ()
    if classes:
        notes.append("a first line of counts and names of classes")
        del lines[0]
    n_columns = _width(lines)
    if header is None:
        header = not classes and _is_header(lines)
    names = _taken_off(lines, n_columns, file) if header else [""] * n_columns
    for line in lines:
        if len(line.cells) != n_columns:
            raise _ragged(file, line, n_columns)
    return Sheet(
        file,
        _distinct([name or f"column {i}" for i, name in enumerate(names, start=1)]),
        lines,
        ("a header" if header else "no header", *notes),
        header,
        named_rows=header and not names[0] and _names_rows([line.cells[0] for line in lines]),
        classes=classes,
        left_out=tuple(left_out),
        decimal=decimal,
        empty=tuple(empty),
    )


def _width(lines: list[Line]) -> int:
    """How many cells most rows have."""
    return Counter(len(line.cells) for line in lines).most_common(1)[0][0]


def _without_empty_end(lines: list[Line]) -> None:
    """Leave out what is no column: a separator after the last cell of every row."""
    width = _width(lines)
    while width > 2 and not any(cell for line in lines for cell in line.cells[width - 1 :]):
        width -= 1
        for line in lines:
            del line.cells[width:]


def _taken_off(lines: list[Line], n_columns: int, file: str) -> list[str]:
    """Take the header off the lines: a name for each column, "" for one that has none."""
    first = lines.pop(0)
    if not lines:
        raise TableError(
            f"{file}, line {first.number}: there are no rows below the header", {"header": "no"}
        )
    names = first.cells
    if len(names) == n_columns - 1:  # as R writes a table: no name above those of the rows
        names = ["", *names]
    if len(names) != n_columns:
        raise _ragged(file, first, n_columns)
    return names


def _without_surroundings(lines: list[Line]) -> list[str]:
    """Leave out what is no row: titles above, footnotes and a line of totals below.

    A title or footnote is a line with one cell of words, in a table of three columns or more.
    Returns what was left out, for people to read.
    """
    n_columns = _width(lines)
    left_out = []
    for what, end in ("a title", 0), ("a footnote", -1):
        while n_columns > 2 and len(lines) > 1 and _is_text(lines[end]):
            left_out.append(f"{what} in line {lines.pop(end).number}")
    if _is_total(lines):
        left_out.append(f"totals in line {lines.pop().number}")
    return left_out


def _is_text(line: Line) -> bool:
    return bool(line.cells[0]) and not any(line.cells[1:]) and number(line.cells[0]) is None


def _is_total(lines: list[Line]) -> bool:
    """Whether the last line begins with a word for what sums up others, as none of them does."""
    *others, last = lines
    i, begin = next(((i, cell.casefold()) for i, cell in enumerate(last.cells) if cell), (0, ""))
    begins_alike = any(i < len(o.cells) and o.cells[i].casefold() == begin for o in others)
    return len(others) > 1 and begin.rstrip(": ") in TOTALS and not begins_alike


def _names_rows(cells: list[str]) -> bool:
    """Whether the cells count the rows, or are words of which none comes twice."""
    n = len(cells)
    if cells in ([str(i) for i in range(start, start + n)] for start in (0, 1)):
        return True
    return len(set(cells)) == n and all(number(cell) is None for cell in cells)


def _ragged(file: str, line: Line, n_columns: int) -> TableError:
    return TableError(
        f"{file}, line {line.number}: found {len(line.cells)} columns, where the others have "
        f"{n_columns}; mend that line, or say what separates the cells"
    )


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, with their place where one comes twice."""
    counts = Counter(names)
    return tuple(
        name if counts[name] == 1 else f"{name} ({i})" for i, name in enumerate(names, start=1)
    )


# --- rows -----------------------------------------------------------------------------------------


def _lines(text: str, delimiter: str, file: str) -> list[Line]:
    """The rows that are not blank and no comment."""
    if delimiter == " ":  # runs of spaces and tabs count as one
        text = "\n".join(line.replace("\t", " ").strip() for line in text.split("\n"))
    lines = []
    try:
        reader = csv.reader(
            io.StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True
        )
    except (TypeError, ValueError) as error:
        raise TableError(f"{file}: cannot separate by {delimiter!r}: {error}") from error
    before = 0
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            is_comment = cells and cells[0].startswith("#") and not is_missing(cells[0])
            if any(cells) and not is_comment:
                lines.append(Line(before + 1, cells))
            before = reader.line_num
    except csv.Error as error:
        raise TableError(
            f"{file}, line {before + 1}: {error}; it has a quotation mark that is not closed, or "
            f"stands within a cell, where it is doubled"
        ) from error
    return lines


def _recognised(text: str) -> str:
    """What separates the cells: where most rows have as many as the others, and more than one.

    `csv.Sniffer` guesses from the characters alone, and takes a letter or a colon now and then.
    Where commas would do as well as another, they are decimal commas.
    """
    head = "\n".join(text.split("\n", 200)[:200])
    best, score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        if delimiter == " " and score[0] > 0.5 and not _holds_several_numbers(head, best):
            break  # spaces stand in words, too
        try:
            lengths = Counter(len(line.cells) for line in _lines(head, delimiter, ""))
        except TableError:
            continue
        width, count = max(lengths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        found = count / max(1, lengths.total()), width
        is_decimal_comma = best == "," and found[0] == score[0]
        if width > 1 and (
            found > score or is_decimal_comma or (delimiter == " " and score[0] > 0.5)
        ):
            best, score = delimiter, found
    return best


def _holds_several_numbers(text: str, delimiter: str) -> bool:
    """Whether a cell of the first row is a row of numbers itself."""
    cells = [cell.split() for line in _lines(text, delimiter, "")[:1] for cell in line.cells]
    return any(len(words) > 1 and all(number(w) is not None for w in words) for words in cells)


# --- the first line -------------------------------------------------------------------------------


def _heading(text: str, delimiter: str, lines: list[Line]) -> Line | None:
    """The last comment above the rows, if it names their columns, and no line below it does."""
    above = text.split("\n", lines[0].number)[: lines[0].number - 1]
    comment = next((i for i in reversed(range(len(above))) if above[i].startswith("#")), None)
    if comment is None or _is_header(lines):
        return None
    found = _lines(above[comment].lstrip("# "), delimiter, "")
    if not found or len(found[0].cells) != _width(lines) or _width(lines) < 2:
        return None
    is_named = all(number(cell) is None for cell in found[0].cells)
    return Line(comment + 1, found[0].cells) if is_named else None


def _counted(lines: list[Line]) -> tuple[str, ...]:
    """The names of the classes, if the first line counts rows and columns and names classes."""
    n_rows, n_inputs, *names = [*lines[0].cells, "", ""]
    names = [name for name in names if name]
    if len(lines) < 2 or n_rows != str(len(lines) - 1):
        return ()
    if n_inputs != str(len(lines[1].cells) - 1) or any(number(name) is not None for name in names):
        return ()
    labels = {line.cells[-1] for line in lines[1:]}
    return tuple(names) if labels <= set(map(str, range(len(names)))) else ()


def _is_header(lines: list[Line]) -> bool:
    """Whether the first line names the columns."""
    first, *others = lines
    if not others:
        return not any(number(cell) is not None for cell in first.cells)
    shift = len(others[0].cells) - len(first.cells)
    if shift not in (0, 1):
        return shift > 0 and all(number(cell) is None for cell in first.cells)
    above_numbers: list[tuple[str, list[str]]] = []
    above_words: list[tuple[str, list[str]]] = []
    for i, cell in enumerate(first.cells, start=shift):
        below = [line.cells[i] for line in others if i < len(line.cells)]
        is_numeric = sum(number(c) is not None for c in below) > len(below) / 2
        (above_numbers if is_numeric else above_words).append((cell, below))
    words = [cell for cell, _ in above_numbers if number(cell) is None and not is_missing(cell)]
    if all(number(cell) is None for cell, _ in above_numbers):
        # All words: names come once, while the words of a table come again.
        return bool(words) or not any(cell in below for cell, below in above_words)
    comes_once = [cell not in below for cell, below in above_words]
    is_no_class = any(
        once and 3 * len(set(below)) <= len(below)
        for once, (_, below) in zip(comes_once, above_words, strict=True)
    )
    n_counting = _counting(first.cells)
    is_named = bool(words) or shift > 0 or is_no_class
    return (n_counting > 1 and is_named) or (n_counting > 2 and all(comes_once or [False]))


def _counting(cells: list[str]) -> int:
    """How many cells are whole numbers; 0 if they do not count up by one."""
    counting = [cell for cell in cells if number(cell) is not None]
    if not counting or not counting[0].isdecimal():
        return 0
    start = int(counting[0])
    counts = counting == [str(i) for i in range(start, start + len(counting))]
    return len(counting) if counts else 0
