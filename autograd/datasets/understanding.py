"""What the columns of a table mean, found out by looking at every cell once; and what it lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from autograd.datasets.columns import (
    EMPTY,
    FEW_NUMBERS,
    LONGEST_TICK,
    NO_NUMBER,
    Column,
    Missing,
    Task,
    key,
)
from autograd.datasets.numerals import number
from autograd.datasets.reading import Reading
from autograd.datasets.refusal import TableError, listed, printable
from autograd.datasets.text import Line, Sheet, is_missing


def understand(
    sheet: Sheet,
    *,
    labelled: bool = True,
    label: str | int | None = None,
    task: Task | None = None,
    drop: Sequence[str] = (),
    missing: Missing = "refuse",
    encode: bool = False,
) -> Reading:
    """Decide how to read the columns of a table.

    A column is of numbers if all its cells are, those aside that stand for nothing. A label of
    words is a class; so is one of whole numbers, if they are few (20, and each three times on
    average); another is a number to predict.

    Args:
        sheet: the table.
        labelled: whether it has a label.
        label: the name of its column, or its place from 1; the last one if not given.
        task: "classification" or "regression", if it is not to be told from the label.
        drop: the names of columns to leave out.
        missing: what to do about missing cells: "refuse" them, "drop" their rows, or fill in the
            "mean". Without a label a row is left out in any case.
        encode: whether to make every word of an input column an input, 1 where it stands, else 0.

    Raises:
        TableError: if a column cannot be read so. Names it, and all that is to be asked for.
    """
    columns = [_understood(sheet, i) for i in range(len(sheet.names))]
    if sheet.named_rows:
        columns[0] = replace(columns[0], role="left out")
    dropped = {place_of(sheet, name) for name in drop}
    for i in dropped:
        columns[i] = replace(columns[i], role="left out")
    usable = [column for column in columns if column.role == "input"]
    if len(usable) < 1 + labelled:
        raise TableError(
            f"{sheet.place(sheet.lines[0])}: found {'a single column' if usable else 'no column'}; "
            f"expected inputs{' and a label' if labelled else ''}, separated by commas"
        )
    found = unfit = None
    if labelled:
        found = usable[-1] if label is None else columns[place_of(sheet, label)]
        if found.position in dropped:
            where = f"{sheet.file}, {sheet.named(found.position)}"
            raise TableError(f"{where}: it cannot be the label and be left out as well")
        if label is None and not found.can_be_label:
            fitting = [column for column in usable if column.can_be_label]
            unfit, found = (found, fitting[-1]) if fitting else (None, found)
        if found.kind == "mixed" and found.has_few_words:
            found = replace(found, kind="words")
        found = columns[found.position] = replace(found, role="label")
    if encode:
        columns = [
            replace(column, kind="words")
            if column.kind == "mixed" and column.can_be_encoded and not column.strays
            else column
            for column in columns
        ]
    columns = [_marked(column) if column.role == "input" else column for column in columns]
    reading = Reading(
        tuple(columns),
        missing=missing,
        by_default=labelled and label is None,
        decimal=sheet.decimal,
        empty=sheet.empty,
    )
    _check(sheet, reading, unfit, encode)
    if found is not None:
        reading = replace(reading, classes=_classes(sheet, found, task))
    if not reading.inputs:
        raise TableError(f"{sheet.file}: no column is left to learn from; drop fewer")
    return reading


def place_of(sheet: Sheet, name: str | int) -> int:
    """Where the column of that name is, or of that place from 1."""
    if name in sheet.names:
        return sheet.names.index(str(name))
    if str(name).isdecimal() and 1 <= int(name) <= len(sheet.names):
        return int(name) - 1
    raise TableError(
        f"{sheet.file}: there is no column {printable(str(name))!r}; its columns are "
        f"{listed(sheet.names, 20)}"
    )


def _understood(sheet: Sheet, position: int) -> Column:
    """The column as its cells show it, as an input until it is given another role."""
    name = sheet.names[position]
    cells = [cell for cell in sheet.column(position) if not is_missing(cell)]
    without = [cell for cell in cells if cell.lower() not in NO_NUMBER]
    numbers = [x for cell in without if (x := number(cell)) is not None]
    n = len(sheet.lines)
    if not cells:
        return Column(name, position, "empty", "left out", n_missing=n)
    if len(numbers) == len(without) and numbers:
        whole = all(x.is_integer() for x in numbers)
        counts = Counter(str(int(x)) if x.is_integer() else repr(x) for x in numbers)
        return Column(
            name,
            position,
            "number",
            n_missing=n - len(numbers),
            words={word: counts[word] for word in sorted(counts, key=float)},
            span=(min(numbers), max(numbers)),
            all_whole=whole,
        )
    spellings = Counter(" ".join(cell.split()) for cell in cells)
    merged: dict[str, str] = {}
    for word, _ in spellings.most_common():  # the most common spelling is the word
        merged.setdefault(key(word), key(word) if number(word) is not None else word)
    counts = Counter()
    for word, count in spellings.items():
        counts[merged[key(word)]] += count
    return Column(
        name,
        position,
        "mixed" if numbers else "words",
        n_missing=n - len(cells),
        words={word: counts[word] for word in sorted(counts)},
        spellings=len(spellings),
    )


def _marked(column: Column) -> Column:
    """The column, with nothing as an answer beside its only word: one ticks a box, or does not."""
    if column.kind == "words" and len(column.words) == 1 and column.n_missing:
        [word] = column.words
        if len(word) <= LONGEST_TICK:
            return replace(column, words={EMPTY: column.n_missing, **column.words}, n_missing=0)
    return column


def _classes(sheet: Sheet, label: Column, task: Task | None) -> tuple[str, ...]:
    """The names of the classes; none if the label is a number to predict."""
    n = sum(label.words.values())
    few = len(label.words) <= max(2, min(FEW_NUMBERS, n // 3))
    are_classes = label.kind == "words" or (label.all_whole and few) or bool(sheet.classes)
    if task == "regression":
        if label.kind != "number":
            raise TableError(
                f"{sheet.file}, {sheet.named(label.position)}: it holds words "
                f"({listed(label.words)}), which are classes and no numbers to predict",
                {"task": "classification"},
            )
        are_classes = False
    elif task == "classification":
        are_classes = True
    if not are_classes:
        return ()
    if sheet.classes and label.position == len(sheet.names) - 1:
        return sheet.classes
    return tuple(label.words)


def _check(sheet: Sheet, reading: Reading, unfit: Column | None, encode: bool) -> None:
    """Refuse what cannot be read, in one line with all that has to be asked for.

    Args:
        sheet, reading: the table, and how it is to be read.
        unfit: the last column, if it cannot be the label, which then is another one.
        encode: whether columns of words become inputs.
    """
    problems: list[str] = []
    cure: dict[str, str | bool | list[str]] = {}

    def complain(columns: Sequence[Column], problem: str, line: Line | None = None) -> None:
        where = f"line {line.number}, " if line else ""
        others = listed(column.name for column in columns[1:])
        also = f" (as do {others})" if others else ""
        problems.append(f"{where}{sheet.named(columns[0].position)}: {problem}{also}")

    label = reading.label
    gaps = [c for c in reading.columns if c.role != "left out" and c.n_missing]
    words = [column for column in reading.inputs if column.kind == "words"]
    strays = [c for c in reading.columns if c.role != "left out" and c.strays]
    mixed = [c for c in reading.inputs if c.kind == "mixed" and c not in strays]
    names = [column for column in words + mixed if not column.can_be_encoded]
    gaps = [column for column in gaps if column not in names]
    if gaps and reading.missing == "refuse":
        complain(gaps[:1], *_gap(sheet, gaps, reading))
        cure["missing"] = "drop" if gaps == [label] else "mean"
    if label is not None and (unfit or not label.can_be_label):
        bad = unfit or label
        rows = f"{bad.n_missing} of {len(sheet.lines)} rows"
        many = f"holds {len(bad.words)} different words"
        is_gappy = 2 * bad.n_missing >= len(sheet.lines)
        complain([bad], f"as the label, it {f'is missing in {rows}' if is_gappy else many}")
        if unfit is None:
            raise TableError(f"{sheet.file}, {problems[-1]}; name another column to predict")
        cure["label"] = label.name
    for group in filter(None, (strays, mixed)):
        line, cell = _first_word(sheet, group[0])
        complain(group, f"expected a finite number, got {cell!r:.60}", line)
    if strays:
        cure["empty"] = list(dict.fromkeys(word for column in strays for word in column.strays))
        if reading.missing == "refuse":
            cure["missing"] = "drop" if strays == [label] and not gaps else "mean"
    if encodable := [column for column in words if column not in names]:
        complain(encodable, f"it holds words, {listed(encodable[0].words, 3)}")
    if rest := [column for column in names if column not in mixed]:
        complain(rest, f"it holds {len(rest[0].words)} different words")
    if not encode and (encodable or any(column not in names for column in mixed)):
        cure["encode"] = True
    if names and len(names) == len(reading.inputs):
        raise TableError(
            f"{sheet.file}, {'; '.join(problems)}; there is nothing else to learn from, "
            f"so make numbers of one"
        )
    if names:
        cure["drop"] = [column.name for column in sorted(names, key=lambda c: c.position)]
    if cure:
        raise TableError(f"{sheet.file}, {'; '.join(problems)}", cure)


def _gap(sheet: Sheet, gaps: Sequence[Column], reading: Reading) -> tuple[str, Line]:
    """What is missing in these columns, in words, and where first."""
    line, cell = _first(sheet, gaps[0], gaps[0].is_missing)
    total = sum(column.n_missing for column in gaps)
    columns = f" in {len(gaps)} columns" if len(gaps) > 1 else ""
    more = f", and {total - 1} more{columns}" if total > 1 else ""
    if gaps[0].role != "label":
        return f"it is missing ({cell!r:.20}{more})", line
    which = "; the label is the last column unless another is named" if reading.by_default else ""
    return f"the label is missing ({cell!r:.20}{more}){which}", line


def _first(sheet: Sheet, column: Column, matches: Callable[[str], bool]) -> tuple[Line, str]:
    """The first line whose cell in this column matches, and that cell."""
    cells = ((line, line.cells[column.position]) for line in sheet.lines)
    return next((line, cell) for line, cell in cells if matches(cell))


def _first_word(sheet: Sheet, column: Column) -> tuple[Line, str]:
    """The first cell that is no number, in a column of numbers, and its line."""
    return _first(sheet, column, lambda c: not column.is_missing(c) and number(c) is None)
