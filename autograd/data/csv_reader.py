"""CSV reading: detects the delimiter, the header, and the lines that are not rows.

Nothing here knows what a cell means but to tell a header from data: a line of words above numbers.
"""

from __future__ import annotations

import csv
import os
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise
from pathlib import Path

from autograd.data.errors import TableError, checked_int, printable
from autograd.data.numbers import NumberFormat, infer_formats, is_number, number, quantity
from autograd.data.sheet import SEPARATOR, Cells, Line, Sheet, is_missing
from autograd.data.text_file import TextFile

TOTALS = frozenset(
    {"total", "totals", "sum", "average", "mean", "count", "∑", "σ", "ø"}
    | {"summe", "gesamt", "gesamtsumme", "mittelwert", "durchschnitt", "schnitt", "anzahl"}
    | {"somme", "moyenne", "suma", "promedio", "totale", "media"}
)
"""First words of a last line that holds totals, in lower case."""

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}

N_HEAD_LINES = 200
"""So many lines show what separates the cells."""

BLOCK = 1000
"""So many rows are stored at a time.

As many at the beginning show whether the first is a header, and how many cells a row has; as many
at the end, whether its lines belong to them. Footnotes do not, nor does a line of totals if no
other line begins with its word.
"""


def read_sheet(
    path: str | os.PathLike[str],
    *,
    delimiter: str | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    na_values: Sequence[str] = (),
    decimal: str = "",
    limit: int | None = None,
) -> Sheet:
    """Read the table in a text file, which may be compressed by gzip, bzip2 or xz.

    The delimiter is detected: commas, semicolons, tabs, bars or spaces. Blank lines, lines that
    start with `#`, a title above the table, footnotes and totals below it are skipped.
    A first line is a header if it has words above numbers, if it counts the columns
    (`0,1,2,target`) or years, or if none of its cells occurs again below; it may start with `#`,
    as NumPy writes it. A first line of counts, as scikit-learn's files have one
    (`150,4,setosa,versicolor,virginica`), gives the classes their names. The number format is
    detected, too: decimal commas, thousands separators, units.

    Args:
        path: the file.
        delimiter: the text between the cells; detected if not given.
        header: whether the first line names the columns; detected if not given.
        encoding: of the text, such as "latin-1"; if not given, UTF-8, UTF-16 with its mark, or
            cp1252.
        na_values: words that stand for a missing value, besides NA, ? and the like; a number
            among them matches it in any notation.
        decimal: the decimal mark, "." or ",", if all cells of the file are ambiguous, as 1,234 is.
        limit: how many rows to read at most; all, if not given.

    Raises:
        OSError: if the file cannot be read; FileNotFoundError if there is none.
        TableError: if it is no table of text, or too large; a ValueError that names file and line.
    """
    if limit is not None:
        limit = checked_int("read_sheet: limit", limit, at_least=1)
    source = TextFile(Path(path), printable(str(path), 200), encoding)
    if limit is None:
        source.check_size()
    while True:
        try:
            return _read(source, delimiter, header, na_values, decimal, limit)
        except UnicodeDecodeError as error:
            source.change_encoding(error)


def _read(
    source: TextFile,
    delimiter: str | None,
    header: bool | None,
    na_values: Sequence[str],
    decimal: str,
    limit: int | None,
) -> Sheet:
    """Parse the table. UnicodeDecodeError if the text is not in this encoding."""
    file = source.name
    text = source.lines()
    head = list(islice(text, N_HEAD_LINES))
    if head and (separator := re.fullmatch("sep=(.)\n", head[0], re.IGNORECASE)):
        delimiter = delimiter or separator[1]  # Excel's own word on it
        head[0] = "\n"
    delimiter = delimiter or _recognized(head)
    titles: list[str] = []
    endings: list[str] = []
    rows = _without_endings(_rows(chain(head, text), delimiter, file), endings)
    lines = list(islice(rows, BLOCK))
    if not lines:
        raise TableError(f"{file}: it is empty; expected rows of cells separated by commas")
    is_whole = len(lines) < BLOCK
    if header is None and (heading := _heading(head, delimiter, lines)):
        lines.insert(0, heading)
        header = True
    width = _width(lines)
    for line in lines:
        _cut(line, width)
    while width > 2 and len(lines) > 1 and _is_text(lines[0]):
        titles.append(f"a title in line {lines.pop(0).number}")
    classes = _counted(lines, is_whole) if header is None else ()
    if classes:
        del lines[0]
    if header is None:
        header = not classes and _is_header(lines)
    names = _taken_off(lines, width, delimiter, file) if header else [""] * width

    rows = chain(lines, rows)
    columns, line_numbers = _stored(islice(rows, limit), file, width)
    is_cut = limit is not None and next(rows, None) is not None
    left_out = titles + endings
    if na_words := {word.casefold() for word in na_values}:
        columns = [Cells("" if c.casefold() in na_words else c for c in cells) for cells in columns]
    decimal, units, how_written = infer_formats(columns, delimiter, decimal)
    na_numbers = {x for word in na_values if (x := NumberFormat(decimal).parse(word)) is not None}
    if na_numbers:
        for i, accepted in enumerate(units):
            numbers = NumberFormat(decimal, accepted).column(columns[i]).tolist()
            pairs = zip(columns[i], numbers, strict=True)
            columns[i] = Cells("" if x in na_numbers else cell for cell, x in pairs)
    notes = ["a header" if header else "no header", DELIMITERS.get(delimiter, repr(delimiter))]
    notes += source.notes + how_written
    notes += [f"left out: {part}" for part in left_out]
    notes += ["a first line of counts and names of classes"] * bool(classes)
    notes += [f"only the first {limit} rows read"] * is_cut
    return Sheet(
        file,
        _distinct([name or f"column {i}" for i, name in enumerate(names, start=1)]),
        columns,
        line_numbers,
        tuple(notes),
        header,
        named_rows=header and not names[0] and _names_rows(columns[0]),
        classes=classes,
        left_out=tuple(left_out),
        decimal=decimal,
        units=units,
        na_values=tuple(na_values),
    )


def _stored(rows: Iterator[Line], file: str, width: int) -> tuple[list[Cells], array[int]]:
    """The rows by columns, and their line numbers.

    TableError for a row that is longer or shorter than the others.
    """
    columns: list[list[str]] = [[] for _ in range(width)]
    line_numbers = array("q")
    while block := list(islice(rows, BLOCK)):
        for line in block:
            if len(line.cells) != width:
                _cut(line, width)
                if len(line.cells) != width:
                    raise _ragged(file, line, f"the others have {width}")
        numbers, rows_of_cells = zip(*block, strict=True)
        line_numbers.extend(numbers)
        for column, cells in zip(columns, zip(*rows_of_cells, strict=True), strict=True):
            column.append(SEPARATOR.join(cells))
    return [Cells(parts) for parts in columns], line_numbers


def _without_endings(rows: Iterator[Line], left_out: list[str]) -> Iterator[Line]:
    """The rows without footnotes and a line of totals; appends to `left_out` what these were.

    A footnote, as a title, is a line with one cell of words, in a table of three columns or more.
    """
    lines: list[Line] = []
    while block := list(islice(rows, BLOCK)):
        lines += block
        yield from lines[:-BLOCK]
        del lines[:-BLOCK]
    while len(lines) > 1 and _is_text(lines[-1]) and _width(lines) > 2:
        left_out.append(f"a footnote in line {lines.pop().number}")
    if _is_total(lines):
        left_out.append(f"totals in line {lines.pop().number}")
    yield from lines


def _width(lines: list[Line]) -> int:
    """How many cells most rows have, without empty columns on the right.

    A header may end in a delimiter that the rows lack.
    """
    first, *others = lines
    _cut(first, max((len(line.cells) for line in others), default=0))
    counted = others if len(others) > 1 else lines
    lengths = Counter(len(line.cells) for line in counted)
    width = max([len(first.cells), *lengths], key=lambda width: lengths[width])
    while width > 2 and not any(cell for line in lines for cell in line.cells[width - 1 :]):
        width -= 1  # every row ends with a delimiter
    return width


def _cut(line: Line, width: int) -> None:
    """Cut off empty cells beyond the width of the table."""
    while len(line.cells) > width and not line.cells[-1]:
        line.cells.pop()


def _is_text(line: Line) -> bool:
    return bool(line.cells[0]) and not any(line.cells[1:]) and not is_number(line.cells[0])


def _is_total(lines: list[Line]) -> bool:
    """Whether the last line, and no other, begins with a word for a total."""
    if len(lines) < 3:
        return False
    *others, last = lines
    i, begin = next(((i, cell.casefold()) for i, cell in enumerate(last.cells) if cell), (0, ""))
    begins_alike = any(i < len(o.cells) and o.cells[i].casefold() == begin for o in others)
    return begin.rstrip(": ") in TOTALS and not begins_alike


def _taken_off(lines: list[Line], width: int, delimiter: str, file: str) -> list[str]:
    """Remove the header from the lines; returns a name for each column, "" if it has none."""
    first = lines.pop(0)
    if not lines:
        raise TableError(
            f"{file}, line {first.number}: there are no rows below the header", {"header": "no"}
        )
    names = first.cells
    if len(names) == width - 1:
        # R writes no name above the names of rows. But a comma within a number, as in
        # A,22,843,10, makes rows longer, too.
        begins = [line.cells[0] for line in lines]
        if len(set(begins)) < len(begins) or (delimiter == "," and _splits_numbers(lines)):
            raise _ragged(file, lines[0], f"the header has {len(names)}")
        names = ["", *names]
    if len(names) != width:
        raise _ragged(file, first, f"the others have {width}")
    return names


_THOUSANDS = re.compile(r"[1-9]\d{0,2},\d{3}")


def _splits_numbers(lines: list[Line]) -> bool:
    """Whether two neighboring cells of every row look like one number with a thousands comma."""
    split = (
        {i for i, pair in enumerate(pairwise(line.cells)) if _THOUSANDS.fullmatch(",".join(pair))}
        for line in lines
    )
    return bool(set.intersection(*split))


def _names_rows(cells: Iterable[str]) -> bool:
    """Whether the cells number the rows, or are words that are all different."""
    cells = list(cells)
    n = len(cells)
    if cells in ([str(i) for i in range(start, start + n)] for start in (0, 1)):
        return True
    return len(set(cells)) == n and all(number(cell) is None for cell in cells)


def _ragged(file: str, line: Line, others: str) -> TableError:
    return TableError(
        f"{file}, line {line.number}: found {len(line.cells)} columns, where {others}; correct "
        f"that line, put numbers with commas in quotes, or say what separates the cells"
    )


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each duplicate followed by the number of its column, as in `x (2)`."""
    counts = Counter(names)
    return tuple(
        name if counts[name] == 1 else f"{name} ({i})" for i, name in enumerate(names, start=1)
    )


# --- rows -----------------------------------------------------------------------------------------


def _rows(text: Iterable[str], delimiter: str, file: str) -> Iterator[Line]:
    """The rows that are not blank and no comment."""
    if delimiter == " ":  # runs of spaces and tabs count as one
        text = (line.replace("\t", " ").strip() + "\n" for line in text)
    try:
        reader = csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)
    except (TypeError, ValueError) as error:
        raise TableError(f"{file}: cannot separate by {delimiter!r}: {error}") from error
    before = 0
    try:
        for row in reader:
            cells = list(map(str.strip, row))
            if any(cells) and (cells[0][:1] != "#" or is_missing(cells[0])):
                yield Line(before + 1, cells)
            before = reader.line_num
    except csv.Error as error:
        raise TableError(
            f"{file}, line {before + 1}: {error}; it has a quotation mark that is not closed, or "
            f"stands within a cell, where it is doubled"
        ) from error


def _recognized(head: Sequence[str]) -> str:
    """The delimiter with which most rows have the same number of cells, and more than one.

    `csv.Sniffer` considers the characters alone, and sometimes returns a letter or a colon. If
    another delimiter does as well as commas, these are taken for decimal commas.
    """

    def score(delimiter: str) -> tuple[float, bool, int]:
        try:
            widths = Counter(len(line.cells) for line in _rows(head, delimiter, ""))
        except TableError:
            widths = Counter()
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return (count / widths.total(), delimiter != ",", width) if width > 1 else (0.0, False, 0)

    best = max(",;\t|", key=score)
    if score(best)[0] <= 0.5:
        return max(best, " ", key=score)
    # Spaces stand in words, too.
    return " " if _holds_several_numbers(head, best) and score(" ")[0] else best


def _holds_several_numbers(head: Sequence[str], delimiter: str) -> bool:
    """Whether a cell of the first row consists of several numbers."""
    first = next(_rows(head, delimiter, ""), Line(0, []))
    cells = [cell.split() for cell in first.cells]
    return any(len(words) > 1 and all(number(w) is not None for w in words) for words in cells)


# --- the first line -------------------------------------------------------------------------------


def _heading(head: Sequence[str], delimiter: str, lines: list[Line]) -> Line | None:
    """The last comment above the rows, if it names their columns, and no line below it does."""
    above = enumerate(head[: lines[0].number - 1], start=1)
    comments = [(i, text.lstrip("# ")) for i, text in above if text.startswith("#")]
    if not comments or _is_header(lines):
        return None
    i, text = comments[-1]
    cells = next((line.cells for line in _rows([text], delimiter, "")), [])
    is_named = 1 < len(cells) == _width(lines) and all(number(cell) is None for cell in cells)
    return Line(i, cells) if is_named else None


def _counted(lines: list[Line], is_whole: bool) -> tuple[str, ...]:
    """The names of the classes, if the first line counts rows and columns and names classes."""
    first, *others = (line.cells for line in lines)
    if not others or not first[0].isdecimal() or first[1:2] != [str(len(others[0]) - 1)]:
        return ()
    names = [name for name in first[2:] if name]
    n_rows = int(first[0])
    if n_rows < len(others) or (is_whole and n_rows > len(others)):
        return ()
    is_code = {cells[-1] for cells in others} <= set(map(str, range(len(names))))
    return tuple(names) if is_code and all(number(name) is None for name in names) else ()


def _is_header(lines: list[Line]) -> bool:
    """Whether the first line names the columns."""
    first, *others = lines
    if not others:
        return not any(map(is_number, first.cells))
    shift = len(others[0].cells) - len(first.cells)
    if shift not in (0, 1):
        return shift > 0 and not any(map(is_number, first.cells))
    n_numbers = 0  # among the cells above numbers
    names: list[str] = []
    once: list[bool] = []  # of each cell above words, whether it does not come again
    is_no_class = False
    for i, cell in enumerate(first.cells, start=shift):
        below = [line.cells[i] for line in others if i < len(line.cells)]
        found = [q for c in below if (q := quantity(c))]
        if 2 * len(found) <= len(below):
            once.append(cell not in below)
            is_no_class |= once[-1] and 3 * len(set(below)) <= len(below)
        elif is_number(cell) or ((q := quantity(cell)) and q.unit in {q.unit for q in found}):
            n_numbers += 1
        elif not is_missing(cell):
            names.append(cell)
    if not n_numbers:
        # All words: names come once, while the words of a table come again.
        return bool(names) or all(once)
    counting = [cell for cell in first.cells if number(cell) is not None]
    start = next((int(cell) for cell in first.cells if cell.isdecimal()), 0)
    counts_up = counting == [str(i) for i in range(start, start + len(counting))]
    n_counting = len(counting) if counts_up else 0
    is_named = bool(names) or shift > 0 or is_no_class
    return (n_counting > 1 and is_named) or (n_counting > 2 and all(once or [False]))
