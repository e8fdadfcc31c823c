"""Schema inference: what the columns of a table mean, found by looking at every cell once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import compress

from autograd.data.errors import TableError, abbreviated, printable
from autograd.data.numbers import NumberFormat, number
from autograd.data.schema import EMPTY, Column, Missing, Schema, Task, key
from autograd.data.sheet import Sheet, is_missing, is_missing_number

FEW_NUMBERS = 20
"""Up to so many different whole numbers, each three times on average, are classes as a label."""

MANY_WORDS = 50
"""Beyond so many different words in a column, or one for every other row, they name the rows."""

MOST_WORDS = 1000
"""Beyond so many different words in a column they are not kept, and no classes."""

FEW_STRAYS = 5
"""Up to so many different words in no more than a quarter of a column of numbers are gaps."""

LONGEST_TICK = 4
"""Up to so many letters a word is a tick: x, ok, true; a longer one is rather a remark."""

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_TIME = r"\d{1,2}[:.]\d\d(?:[:.]\d\d(?:[.,]\d+)?)? ?(?:[ap]m)?"
_DATE = re.compile(
    rf"(?:\d{{4}}([-/.])\d{{1,2}}(?:\1\d{{1,2}})?|\d{{1,2}}([-/.])\d{{1,2}}\2(?:\d{{4}}|\d\d)"
    rf"|\d{{4}}-?[qw]\d{{1,2}}|\d{{1,2}}[- .]+{_MONTH}[- .,]*(?:\d{{4}}|\d\d)?"
    rf"|{_MONTH}[- ]\d{{1,2}}(?:, ?|[- ])\d{{4}}|{_MONTH}[- ]\d{{4}})"
    rf"(?:[T ]{_TIME}(?:Z|[+-]\d\d:?\d\d)?)?|{_TIME}",
    re.IGNORECASE,
)
"""A date or a time of day, as it is written in tables."""

_LIKE_A_NUMBER = re.compile(r"[-+−–(]*\s*[$€£¥₹₽₺₩]?\s*[-+−–]?[.,]?\d")
"""How a word begins that is rather a number that was written wrongly."""


def infer_schema(
    sheet: Sheet,
    *,
    labeled: bool = True,
    label: str | int | None = None,
    task: Task | None = None,
    drop: Sequence[str] = (),
    missing: Missing = "refuse",
    one_hot: bool = False,
    drop_constant: bool = False,
) -> Schema:
    """Decide how to read the columns of a table.

    A column is numeric if all its cells are numbers or missing. A label of words is a class; so is
    one of few whole numbers (two, or at most 20 that occur three times on average); any other is a
    number to predict. Dates and times are left out.

    Args:
        sheet: the table.
        labeled: whether it has a label.
        label: the name of its column, or its place from 1; the last one if not given.
        task: "classification" or "regression", by default inferred from the label.
        drop: the names of columns to leave out.
        missing: what to do about missing cells: "refuse" them, "drop" their rows, or fill in the
            "mean". A row without a label is always left out.
        one_hot: whether to encode each word of an input column as an input, 1 or 0.
        drop_constant: whether to leave out inputs that are the same in every row.

    Raises:
        TableError: if a column cannot be read; names it, and all arguments to pass.
    """
    columns = [_inferred(sheet, i) for i in range(len(sheet.names))]
    dropped = {column_index(sheet, name) for name in drop}
    for i in dropped | ({0} if sheet.named_rows else set()):
        columns[i] = replace(columns[i], role="left out")
    usable = [column for column in columns if column.role == "input"]
    if len(usable) < 1 + labeled:
        raise TableError(
            f"{sheet.place(0)}: found {'a single column' if usable else 'no column'}; "
            f"expected inputs{' and a label' if labeled else ''}, separated by commas"
        )
    found = unfit = None
    if labeled:
        found = usable[-1] if label is None else columns[column_index(sheet, label)]
        if found.position in dropped:
            where = f"{sheet.file}, {sheet.named(found.position)}"
            raise TableError(f"{where}: it cannot be the label and be left out as well")
        if label is None and not _can_be_label(found):
            fitting = [column for column in usable if _can_be_label(column)]
            unfit, found = (found, fitting[-1]) if fitting else (None, found)
        if found.kind in ("mixed", "date") and _has_few_words(found):
            found = replace(found, kind="words")
        columns[found.position] = replace(found, role="label")
    columns = [_as_input(column, one_hot, drop_constant, missing == "refuse") for column in columns]
    schema = Schema(
        tuple(columns),
        missing=missing,
        is_default=frozenset(["label"] * (labeled and label is None) + ["task"] * (task is None)),
        decimal=sheet.decimal,
        na_values=sheet.na_values,
    )
    _check(sheet, schema, unfit, one_hot)
    if schema.label is not None:
        schema = replace(schema, classes=_classes(sheet, schema.label, task))
    if not schema.inputs:
        raise TableError(
            f"{sheet.file}: no column is left to learn from"
            + ("; drop fewer" if dropped else ", as all of them are dates or constant")
        )
    return schema


def column_index(sheet: Sheet, name: str | int) -> int:
    """The index, from 0, of the column with this name, or with this position, from 1."""
    if name in sheet.names:
        return sheet.names.index(str(name))
    if str(name).isdecimal() and 1 <= int(name) <= len(sheet.names):
        return int(name) - 1
    raise TableError(
        f"{sheet.file}: there is no column {printable(str(name))!r}; its columns are "
        f"{abbreviated(sheet.names, 20)}"
    )


# --- one column -----------------------------------------------------------------------------------


def _inferred(sheet: Sheet, position: int) -> Column:
    """The column as inferred from its cells; it is an input until it is given another role."""
    import numpy as np

    cells, units = sheet.columns[position], sheet.units[position]
    numbers = NumberFormat(sheet.decimal, units).column(cells)
    is_other = np.isnan(numbers)
    others = Counter(compress(cells, is_other) if is_other.any() else ())
    numbers = numbers[~is_other] + 0.0  # of 0 and -0, which are equal, 0
    n_numbers = len(numbers)
    values, counts = np.unique(numbers, return_counts=True)
    missing = [cell for cell in others if is_missing(cell)]
    n_missing = sum(map(others.pop, missing))
    words = [cell for cell in others if not is_missing_number(cell)]
    column = Column(sheet.names[position], position, "empty", "left out", n_missing, units=units)
    if not n_numbers and not others:
        return column
    if n_numbers:
        column = replace(column, span=(float(values[0]), float(values[-1])))
    if n_numbers and not words:
        pairs = zip(values.tolist(), counts.tolist(), strict=True)
        kept = dict(pairs) if len(values) <= MOST_WORDS else {}
        return replace(
            column,
            kind="number",
            role="input",
            n_missing=sheet.n_rows - n_numbers,  # a dash among numbers is a gap
            n_filled=n_numbers,
            words={f"{x:.0f}" if x.is_integer() else repr(x): count for x, count in kept.items()},
            n_words=len(values),
        )
    kinds = others + Counter(compress(cells, ~is_other))
    merged, spellings = _merged(kinds)
    are_few = 3 * sum(others[word] for word in words) <= n_numbers
    odd = tuple(filter(_LIKE_A_NUMBER.match, words)) if are_few else ()
    are_dates = bool(words) and all(map(_DATE.fullmatch, words))
    return replace(
        column,
        kind="mixed" if n_numbers else "date" if are_dates else "words",
        role="input",
        n_filled=kinds.total(),
        words=merged if len(merged) <= MOST_WORDS else {},
        n_words=len(merged),
        spellings=spellings,
        strays=tuple(words) if are_few and len(words) <= FEW_STRAYS and not odd else (),
        odd_numbers=odd,
    )


def _merged(counts: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """The count of each word, with its spellings merged, and the number of spellings."""
    spellings: Counter[str] = Counter()
    for cell, count in counts.items():
        spellings[" ".join(cell.split())] += count
    keys = {word: key(word) for word in spellings}
    words: dict[str, str] = {}
    for word, _ in spellings.most_common():  # the most common spelling is the word
        words.setdefault(keys[word], keys[word] if number(word) is not None else word)
    merged: Counter[str] = Counter()
    for word, count in spellings.items():
        merged[words[keys[word]]] += count
    return {word: merged[word] for word in sorted(merged)}, len(spellings)


def _as_input(column: Column, one_hot: bool, drop_constant: bool, needs_all: bool) -> Column:
    """The column as an input, if it is one, or left out.

    A constant column with missing cells is kept if `needs_all`, so that these are reported.
    """
    if column.role != "input":
        return column
    if one_hot and column.kind == "mixed" and _can_be_one_hot(column) and not column.strays:
        column = replace(column, kind="words")
    if column.kind == "words" and len(column.words) == 1 and column.n_missing:
        [word] = column.words  # of a checkbox, an empty cell is the second category
        if len(word) <= LONGEST_TICK:
            words = {EMPTY: column.n_missing, **column.words}
            column = replace(column, words=words, n_words=2, n_missing=0)
    is_constant = column.n_words == 1 and not (column.n_missing and needs_all)
    if column.kind == "date" or (drop_constant and is_constant):
        return replace(column, role="left out")
    return column


def _can_be_one_hot(column: Column) -> bool:
    """Whether the column has few enough words for one-hot encoding."""
    n_rows = column.n_missing + column.n_filled
    return column.n_words <= max(2, min(MANY_WORDS, n_rows // 2))


def _has_few_words(column: Column) -> bool:
    """Whether its words are few enough to be classes."""
    return column.n_words <= min(MOST_WORDS, max(FEW_NUMBERS, column.n_filled // 5))


def _can_be_label(column: Column) -> bool:
    """Whether it holds numbers, or words that are few enough to be classes."""
    fits = column.kind == "number" or _has_few_words(column) or bool(column.strays)
    return fits and column.n_filled > column.n_missing


def _classes(sheet: Sheet, label: Column, task: Task | None) -> tuple[str, ...]:
    """The names of the classes; () if the label is a number to predict."""
    are_whole = all(map(str.isdecimal, (word.lstrip("-") for word in label.words)))
    few = label.n_words <= max(2, min(FEW_NUMBERS, label.n_filled // 3))
    are_classes = label.kind == "words" or (few and are_whole) or bool(sheet.classes)
    if task == "regression":
        if label.kind != "number":
            raise TableError(
                f"{sheet.file}, {sheet.named(label.position)}: it holds words "
                f"({abbreviated(label.words)}), which are classes and no numbers to predict",
                {"task": "classification"},
            )
        are_classes = False
    elif task == "classification":
        are_classes = True
    if not are_classes:
        return ()
    if label.n_words > MOST_WORDS:
        raise TableError(
            f"{sheet.file}, {sheet.named(label.position)}: it holds {label.n_words} different "
            f"numbers, too many for classes",
            {"task": "regression"},
        )
    if sheet.classes and label.position == len(sheet.names) - 1:
        return sheet.classes
    return tuple(label.words)


# --- what cannot be read --------------------------------------------------------------------------


def _check(sheet: Sheet, schema: Schema, unfit: Column | None, one_hot: bool) -> None:
    """Raise a TableError that lists what cannot be read, and all arguments that would help.

    Args:
        sheet, schema: the table, and how it is to be read.
        unfit: the last column, if it cannot be the label and another column was chosen.
        one_hot: whether columns of words become inputs.
    """
    problems: list[str] = []
    fix: dict[str, str | bool | int | list[str]] = {}

    def complain(columns: Sequence[Column], problem: str, row: int | None = None) -> None:
        where = "" if row is None else f"line {sheet.line_numbers[row]}, "
        others = abbreviated(column.name for column in columns[1:])
        also = f" (as do {others})" if others else ""
        problems.append(f"{where}{sheet.named(columns[0].position)}: {problem}{also}")

    label = schema.label
    used = [column for column in schema.columns if column.role != "left out"]
    words = [column for column in schema.inputs if column.kind == "words"]
    strays = [column for column in used if column.strays]
    mixed = [c for c in schema.inputs if c.kind == "mixed" and c not in strays]
    names = [column for column in words + mixed if not _can_be_one_hot(column)]
    gaps = [column for column in used if column.n_missing and column not in names]
    for column in used:
        if column.kind == "mixed" and column.odd_numbers:  # it is neither a word nor a gap
            row, _ = _first(sheet, column, column.odd_numbers.__contains__)
            odd = abbreviated(map(repr, column.odd_numbers))
            place = sheet.place(row, column.position)
            raise TableError(
                f"{place}: expected a finite number, got {odd}; correct it in the file"
            )
    if gaps and schema.missing == "refuse":
        complain(gaps[:1], *_gap(sheet, gaps, schema))
        fix["missing"] = "drop" if gaps == [label] else "mean"
    if label is not None and (unfit or not _can_be_label(label)):
        bad = unfit or label
        is_gappy = 2 * bad.n_missing >= sheet.n_rows
        gappy = f"is missing in {bad.n_missing} of {sheet.n_rows} rows"
        many = f"holds {bad.n_words} different {'dates' if bad.kind == 'date' else 'words'}"
        complain([bad], f"as the label, it {gappy if is_gappy else many}")
        if unfit is None:
            raise TableError(f"{sheet.file}, {problems[-1]}; name another column to predict")
        fix["label"] = label.name
    for group in filter(None, (strays, mixed)):
        row, cell = _first_word(sheet, group[0])
        complain(group, f"expected a finite number, got {cell!r:.60}", row)
    if strays:
        fix["na_values"] = list(dict.fromkeys(word for column in strays for word in column.strays))
        if schema.missing == "refuse":
            fix["missing"] = "drop" if strays == [label] and not gaps else "mean"
    if few := [column for column in words if column not in names]:
        complain(few, f"it holds words, {abbreviated(few[0].words, 3)}")
    if rest := [column for column in names if column not in mixed]:
        complain(rest, f"it holds {rest[0].n_words} different words")
    if not one_hot and (few or any(column not in names for column in mixed)):
        fix["one_hot"] = True
    if names and len(names) == len(schema.inputs):
        raise TableError(
            f"{sheet.file}, {'; '.join(problems)}; there is nothing else to learn from, "
            f"so make numbers of one"
        )
    if names:
        fix["drop"] = [column.name for column in sorted(names, key=lambda c: c.position)]
    if fix:
        raise TableError(f"{sheet.file}, {'; '.join(problems)}", fix)


def _gap(sheet: Sheet, gaps: Sequence[Column], schema: Schema) -> tuple[str, int]:
    """A message about the missing cells of these columns, and the first row with one."""
    row, cell = _first(sheet, gaps[0], gaps[0].is_missing)
    total = sum(column.n_missing for column in gaps)
    columns = f" in {len(gaps)} columns" if len(gaps) > 1 else ""
    more = f", and {total - 1} more{columns}" if total > 1 else ""
    if gaps[0].role != "label":
        return f"it is missing ({cell!r:.20}{more})", row
    is_default = "label" in schema.is_default
    which = "; the label is the last column unless another is named" if is_default else ""
    return f"the label is missing ({cell!r:.20}{more}){which}", row


def _first(sheet: Sheet, column: Column, matches: Callable[[str], bool]) -> tuple[int, str]:
    """The index of the first row whose cell in this column matches, and that cell."""
    cells = enumerate(sheet.columns[column.position])
    return next((row, cell) for row, cell in cells if matches(cell))


def _first_word(sheet: Sheet, column: Column) -> tuple[int, str]:
    """The first cell that is not a number in a column of numbers, and its row: (row, cell)."""
    parse = NumberFormat(sheet.decimal, column.units).parse
    return _first(sheet, column, lambda c: not column.is_missing(c) and parse(c) is None)
