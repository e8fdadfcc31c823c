"""What the columns of a table mean: numbers or words, inputs or label; and its rows as numbers.

`understand` looks at every cell once, and decides. What it decided is a `Reading`, which says so in
a table for people, turns rows into numbers, and is kept with a model, so that new rows are read as
those were that it learnt from.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Literal, NamedTuple, TypeAlias

from autograd.datasets.refusal import TableError, listed, printable
from autograd.datasets.text import Line, Sheet, is_missing, number

Task: TypeAlias = Literal["classification", "regression"]
Missing: TypeAlias = Literal["refuse", "drop", "mean"]

FEW_NUMBERS = 20
"""Up to so many different whole numbers, each three times on average, are classes as a label."""

MANY_WORDS = 50
"""Beyond so many different words in a column, or one for every other row, they name the rows."""

NO_NUMBER = frozenset({"none", "-", "."})
"""What stands for a missing number, but may be a word among words."""


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
class Column:
    """What is known of a column.

    Attributes:
        name, position: its name, and its place from 0.
        kind: "number" or "words", "mixed" if most cells are numbers and some are not, "empty".
        role: "input", "label", or "left out".
        n_missing: how many of its cells stand for nothing.
        words: how often each word comes, or each whole number, in their order.
        spellings: how many spellings they had before those that differ in capitals became one.
        span: the smallest and the largest number.
        all_whole: whether all its numbers are whole.
    """

    name: str
    position: int
    kind: str
    role: str = "input"
    n_missing: int = 0
    words: Mapping[str, int] = field(default_factory=dict)
    spellings: int = 0
    span: tuple[float, float] = (math.nan, math.nan)
    all_whole: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the inputs it becomes: its own, or one for each of its words."""
        if self.kind == "words":
            return tuple(f"{self.name}={word}" for word in self.words)
        return (self.name,)

    def is_missing(self, cell: str) -> bool:
        """Whether the cell stands for nothing in this column."""
        return is_missing(cell) or (self.kind != "words" and cell.lower() in NO_NUMBER)

    @property
    def can_be_encoded(self) -> bool:
        """Whether its words are few enough to become inputs."""
        n_rows = self.n_missing + sum(self.words.values())
        return len(self.words) <= max(2, min(MANY_WORDS, n_rows // 2))

    @property
    def can_be_label(self) -> bool:
        """Whether it holds numbers, or words that are few enough to be classes."""
        n = sum(self.words.values())
        few = self.kind == "number" or len(self.words) <= max(FEW_NUMBERS, n // 5)
        return few and n > self.n_missing

    def levels(self) -> str:
        """Its words and how often they come, or the span of its numbers."""
        if self.role == "left out" and self.words:
            return f"{len(self.words)} different"
        if self.kind == "number":
            return f"{self.span[0]:g} … {self.span[1]:g}"
        shown = listed((f"{word} {count}" for word, count in self.words.items()), 5)
        merged = f"; {self.spellings} spellings" if self.spellings > len(self.words) else ""
        return shown + merged


@dataclass(frozen=True)
class Reading:
    """How the columns of a table are read.

    Attributes:
        columns: all of them.
        classes: the names of the classes; none if the label is a number, or missing.
        missing: what is done about missing cells: "refuse", "drop" their rows, or fill in the
            "mean" of the column.
        by_default: whether the label was not named, and so is the last column.
    """

    columns: tuple[Column, ...]
    classes: tuple[str, ...] = ()
    missing: Missing = "refuse"
    by_default: bool = False

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

    def examples(self, sheet: Sheet) -> Examples:
        """The rows as numbers.

        Raises:
            TableError: for a missing cell, if these are refused, and for a cell that is no finite
                number or no known word; names line and column.
        """
        X: list[list[float]] = []
        Y: list[Any] = []
        lines = []
        for line in sheet.lines:
            row = [x for column in self.inputs for x in self._numbers(sheet, line, column)]
            label = self._label(sheet, line)
            is_left_out = self.missing == "drop" and any(map(math.isnan, row))
            if is_left_out or (isinstance(label, float) and math.isnan(label)):
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
            words = list(column.words)
            known = _key(cell)
            if all(known != _key(word) for word in words):
                raise TableError(
                    f"{sheet.place(line, column.position)}: expected one of "
                    f"{listed(words, 10)}, got {cell!r:.60}; leave that row out"
                )
            return [float(known == _key(word)) for word in words]
        return [_finite(sheet, line, column)]

    def _label(self, sheet: Sheet, line: Line) -> float | int | None:
        """The label of a row; nan if it is missing and may be, None if there is no label."""
        if (column := self.label) is None:
            return None
        cell = line.cells[column.position]
        if column.is_missing(cell):
            if self.missing == "refuse":
                place = sheet.place(line, column.position)
                raise TableError(
                    f"{place}: the label is missing ({cell!r:.20})", {"missing": "drop"}
                )
            return math.nan
        if not self.classes:
            return _finite(sheet, line, column)
        names = [_key(name) for name in self.classes]
        if _key(cell) in names:
            return names.index(_key(cell))
        if cell.isdecimal() and int(cell) < len(sheet.classes):  # named by a first line of counts
            return names.index(_key(sheet.classes[int(cell)]))
        raise TableError(
            f"{sheet.place(line, column.position)}: expected one of the classes "
            f"{listed(self.classes, 10)}, got {cell!r:.60}"
        )

    # --- another table ----------------------------------------------------------------------------

    def located(self, sheet: Sheet) -> Reading:
        """The same reading of another table: by the names of its columns, or else their places.

        The label may be missing there, and so may the columns that are left out.

        Raises:
            TableError: if an input is missing; names it.
        """
        used = [column for column in self.columns if column.role != "left out"]
        if sheet.has_header and any(column.name in sheet.names for column in self.inputs):
            places = {name: i for i, name in enumerate(sheet.names)}
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
            return cls(columns, tuple(classes), kept["missing"])
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
            if _COUNTS_ROWS.search(column.name) and len(set(values)) > 0.9 * len(values):
                name = printable(column.name)
                hints.append(f"{name}: if it only numbers the rows, leave it out: --drop {name}")
        return hints


_COUNTS_ROWS = re.compile(r"(?:^|[^a-z])(?:id|index|no|nr|row)$|[a-z]Id$|^ID$|^Unnamed", re.ASCII)


def left_out(n: int) -> str:
    """That rows are left out, for people to read."""
    return (
        f"{n} rows with missing cells are left out"
        if n > 1
        else ("1 row with missing cells is left out")
    )


def _finite(sheet: Sheet, line: Line, column: Column) -> float:
    cell = line.cells[column.position]
    found = number(cell)
    if found is None or math.isinf(found):
        place = sheet.place(line, column.position)
        raise TableError(f"{place}: expected a finite number, got {cell!r:.60}; mend that cell")
    return found


def _key(word: str) -> str:
    """What words are compared by: capitals and spaces do not tell two apart, but single letters."""
    word = " ".join(word.split())
    found = number(word)
    if found is not None and found.is_integer():
        return str(int(found))
    return word.casefold() if len(word) > 1 else word


# --- to understand a table ------------------------------------------------------------------------


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
    for name in drop:
        i = _place(sheet, name)
        columns[i] = replace(columns[i], role="left out")
    usable = [column for column in columns if column.role == "input"]
    if len(usable) < 1 + labelled:
        raise TableError(
            f"{sheet.place(sheet.lines[0])}: found {'a single column' if usable else 'no column'}; "
            f"expected inputs{' and a label' if labelled else ''}, separated by commas"
        )
    found = unfit = None
    if labelled:
        found = usable[-1] if label is None else columns[_place(sheet, label)]
        if label is None and not found.can_be_label:
            fitting = [column for column in usable if column.can_be_label]
            unfit, found = (found, fitting[-1]) if fitting else (None, found)
        if found.kind == "mixed" and found.can_be_label:
            found = replace(found, kind="words")
        found = columns[found.position] = replace(found, role="label")
    if encode:
        columns = [
            replace(column, kind="words")
            if column.kind == "mixed" and column.can_be_encoded
            else column
            for column in columns
        ]
    reading = Reading(tuple(columns), missing=missing, by_default=labelled and label is None)
    _check(sheet, reading, unfit, encode)
    if found is not None:
        reading = replace(reading, classes=_classes(sheet, found, task))
    if not reading.inputs:
        raise TableError(f"{sheet.file}: no column is left to learn from; drop fewer")
    return reading


def _place(sheet: Sheet, name: str | int) -> int:
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
        merged.setdefault(_key(word), _key(word) if number(word) is not None else word)
    counts = Counter()
    for word, count in spellings.items():
        counts[merged[_key(word)]] += count
    return Column(
        name,
        position,
        "mixed" if numbers else "words",
        n_missing=n - len(cells),
        words={word: counts[word] for word in sorted(counts)},
        spellings=len(spellings),
    )


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
    mixed = [column for column in reading.inputs if column.kind == "mixed"]
    names = [column for column in words + mixed if not column.can_be_encoded]
    gaps = [column for column in gaps if column not in names]
    if gaps and reading.missing == "refuse":
        line, cell = _first(sheet, gaps[0], gaps[0].is_missing)
        total = sum(column.n_missing for column in gaps)
        columns = f" in {len(gaps)} columns" if len(gaps) > 1 else ""
        more = f", and {total - 1} more{columns}" if total > 1 else ""
        what = "the label" if gaps[0] is label else "it"
        complain(gaps[:1], f"{what} is missing ({cell!r:.20}{more})", line)
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
    if mixed:
        line, cell = _first(
            sheet, mixed[0], lambda c: not mixed[0].is_missing(c) and number(c) is None
        )
        complain(mixed, f"expected a finite number, got {cell!r:.60}", line)
    if encodable := [column for column in words if column not in names]:
        complain(encodable, f"it holds words, {listed(encodable[0].words, 3)}")
    if rest := [column for column in names if column not in mixed]:
        complain(rest, f"it holds {len(rest[0].words)} different words")
    if not encode and (encodable or any(column not in names for column in mixed)):
        cure["encode"] = True
    if names and len(names) == len(reading.inputs):
        raise TableError(
            f"{sheet.file}, {'; '.join(problems)}; there is nothing else to learn from"
        )
    if names:
        cure["drop"] = [column.name for column in sorted(names, key=lambda c: c.position)]
    if cure:
        raise TableError(f"{sheet.file}, {'; '.join(problems)}", cure)


def _first(sheet: Sheet, column: Column, matches: Callable[[str], bool]) -> tuple[Line, str]:
    """The first line whose cell in this column matches, and that cell."""
    cells = ((line, line.cells[column.position]) for line in sheet.lines)
    return next((line, cell) for line, cell in cells if matches(cell))
