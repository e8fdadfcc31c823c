"""The schema of a table: what its columns mean, and how its rows become numbers.

It is kept with a model, so that new rows are read as those were that it learned from.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from autograd.data.errors import TableError, abbreviated
from autograd.data.numbers import NumberFormat, number
from autograd.data.sheet import Sheet, is_missing, is_missing_number

Task: TypeAlias = Literal["classification", "regression"]
Missing: TypeAlias = Literal["refuse", "drop", "mean"]

EMPTY = "(empty)"
"""The word for an empty cell in a column whose cells are one word or empty, as in a box to tick."""

LARGEST = 1e150
"""Beyond it the square of a number, and so a loss, is near the end of what a float holds."""


@dataclass(frozen=True)
class Column:
    """The description of a column.

    Attributes:
        name, position: its name, and its place from 0.
        kind: "number", "words", "date"; "mixed" if some cells are numbers and some are not;
            "empty".
        role: "input", "label", or "left out".
        n_missing: the number of missing cells.
        n_filled: the number of other cells.
        words: the count of each distinct word or number, sorted; empty if there are more than a
            model can learn.
        n_words: the number of distinct words or numbers, where they are counted.
        spellings: the number of distinct spellings, before those that differ in capitals alone were
            merged.
        strays: words among numbers, so rare that they count as missing values.
        odd_numbers: cells among numbers that look like numbers but cannot be parsed.
        span: the smallest and the largest number.
        units: the units and flags that may stand beside its numbers.
    """

    name: str
    position: int
    kind: str
    role: str = "input"
    n_missing: int = 0
    n_filled: int = 0
    words: Mapping[str, int] = field(default_factory=dict)
    n_words: int = 0
    spellings: int = 0
    strays: tuple[str, ...] = ()
    odd_numbers: tuple[str, ...] = ()
    span: tuple[float, float] = (math.nan, math.nan)
    units: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the inputs that the column becomes: its own name, or one for each word."""
        if self.kind == "words":
            return tuple(f"{self.name}={word}" for word in self.words)
        return (self.name,)

    def is_missing(self, cell: str) -> bool:
        """Whether the cell is missing in this column."""
        if self.kind == "words":
            return is_missing(cell) and EMPTY not in self.words
        return is_missing_number(cell)


def indices(words: Iterable[str]) -> dict[str, int]:
    """Map the `key` of each word to the index of the first word with this key."""
    return {key(word): i for i, word in reversed(list(enumerate(words)))}


def key(word: str) -> str:
    """The key by which words are compared.

    Case and extra spaces are ignored, except the case of single letters; 1 and 1.0 are equal.
    """
    word = " ".join(word.split())
    found = number(word)
    if found is not None and found.is_integer():
        return str(int(found))
    return word.casefold() if len(word) > 1 else word


class Examples(NamedTuple):
    """The rows of a table as numbers.

    Attributes:
        X: the inputs of each row; nan for a missing cell that the mean will replace.
        Y: the label of each row, the index of a class or a number; empty if there is no label.
        rows: the index of each row in the sheet, from 0.
    """

    X: list[list[float]]
    Y: list[int] | list[float]
    rows: list[int]


@dataclass(frozen=True)
class Schema:
    """How the columns of a table become inputs and labels.

    Attributes:
        columns: all of them.
        classes: the names of the classes; none if the label is a number, or missing.
        missing: what is done about missing cells: "refuse", "drop" their rows, or fill in the
            "mean" of the column.
        is_default: which of label and task were not given, but inferred.
        decimal, na_values: how cells are read, as in `Sheet`.
        means: the number filled in where one of an input is missing, if a model has it.
    """

    columns: tuple[Column, ...]
    classes: tuple[str, ...] = ()
    missing: Missing = "refuse"
    is_default: frozenset[str] = frozenset()
    decimal: str = ""
    na_values: tuple[str, ...] = ()
    means: tuple[float, ...] = ()

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

    def examples(self, sheet: Sheet, keep_unlabeled: bool = False) -> Examples:
        """The rows as numbers.

        Args:
            sheet: the table.
            keep_unlabeled: whether rows whose label is missing are kept, with nan for it.

        Raises:
            TableError: for a missing cell, if these are refused, and for a cell that is no finite
                number or no known word; names line and column.
        """
        import numpy as np

        inputs = [values for column in self.inputs for values in self._inputs(sheet, column)]
        labels = None
        if (label := self.label) is not None:
            may_lack = keep_unlabeled or self.missing != "refuse"
            labels = _converted(sheet, label, may_lack, self.classes)
        gaps = list(inputs) if self.missing == "drop" else []
        gaps += [] if labels is None or keep_unlabeled else [labels]
        complete = np.ones(sheet.n_rows, bool)
        for values in gaps:
            complete &= ~np.isnan(values)
        rows = np.flatnonzero(complete).tolist()
        if not rows:
            raise TableError(
                f"{sheet.file}: every row has a missing cell, so none is left", {"missing": "mean"}
            )
        by_row = zip(*(values.data for values in inputs), strict=True)  # Python's floats
        X = [list(row) for row in compress(by_row, complete)]
        Y = [] if labels is None else labels[complete].tolist()
        if self.classes:
            Y = [y if math.isnan(y) else int(y) for y in Y]
        return Examples(X, Y, rows)

    def _inputs(self, sheet: Sheet, column: Column) -> list[Any]:
        """The inputs that a column becomes, each a number for every row."""
        may_lack = self.missing != "refuse"
        if column.kind != "words":
            return [_converted(sheet, column, may_lack)]
        which = _converted(sheet, column, may_lack, column.words)
        which_is_none = 0.0 * which  # nan for a missing cell
        return [which_is_none + (which == i) for i in range(len(column.words))]

    # --- another table ----------------------------------------------------------------------------

    def located(self, sheet: Sheet) -> Schema:
        """The same schema with the columns at their places in another table.

        Columns are found by name if the header has any of the inputs, else by position. The label
        and the columns that are left out may be missing.

        Raises:
            TableError: if an input is missing; names it.
        """
        used = [column for column in self.columns if column.role != "left out"]
        inputs, n = self.inputs, len(sheet.names)
        named = {key(name): i for i, name in enumerate(sheet.names)}
        if sheet.has_header and any(key(column.name) in named for column in inputs):
            places = {c.name: named[key(c.name)] for c in used if key(c.name) in named}
        else:
            unlabeled = [column for column in self.columns if column.role != "label"]
            candidates = [list(self.columns), inputs, unlabeled]
            given = next((columns for columns in candidates if len(columns) == n), None)
            if given is None:
                raise TableError(
                    f"{sheet.file}: expected {len(inputs)} columns "
                    f"({abbreviated([column.name for column in inputs], 10)}), "
                    f"got {n} ({abbreviated(sheet.names)})"
                )
            places = {column.name: i for i, column in enumerate(given)}
        if lacking := [column.name for column in inputs if column.name not in places]:
            raise TableError(
                f"{sheet.file}: it has no column {abbreviated(lacking)}; its columns are "
                f"{abbreviated(sheet.names, 10)}; name them as those that the model learned from"
            )
        return replace(
            self,
            columns=tuple(replace(c, position=places[c.name]) for c in used if c.name in places),
        )

    def to_json(self) -> dict[str, Any]:
        """The schema as JSON lists and strings, to read other tables in the same way."""
        return {
            "columns": [
                [c.name, c.role, list(c.words) if c.kind == "words" else None, list(c.units)]
                for c in self.columns
            ],
            "missing": self.missing,
            "decimal": self.decimal,
            "na_values": list(self.na_values),
            "means": list(self.means),
        }

    @classmethod
    def from_json(cls, kept: Any, classes: Sequence[str]) -> Schema:
        """The schema from the output of `to_json`. ValueError if that is damaged."""
        try:
            columns = tuple(
                Column(
                    str(name),
                    i,
                    "number" if words is None else "words",
                    role,
                    words=dict.fromkeys(map(str, words or ()), 0),
                    units=tuple(map(str, units)),
                )
                for i, (name, role, words, units) in enumerate(kept["columns"])
            )
            schema = cls(
                columns,
                tuple(classes),
                kept["missing"],
                decimal=kept["decimal"],
                na_values=tuple(map(str, kept["na_values"])),
                means=tuple(map(float, kept["means"])),
            )
            is_intact = (
                schema.to_json() == kept
                and all(column.role in ("input", "label", "left out") for column in columns)
                and schema.missing in get_args(Missing)
                and schema.decimal in ("", ".", ",")
                and all(map(math.isfinite, schema.means))
                and len(schema.means) in (0, len(schema.features))
            )
            if not is_intact:
                raise ValueError("they are not as they were saved")
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            raise ValueError(f"the model's columns are damaged: {error!r}") from error
        return schema


def _converted(sheet: Sheet, column: Column, may_lack: bool, words: Collection[str] = ()) -> Any:
    """The cells of a column as an array: finite numbers, or indices of these words.

    A missing cell becomes nan if `may_lack`, and is an error otherwise. Each distinct cell is
    looked at once. Errors name line and column.
    """
    import numpy as np

    cells, form = sheet.columns[column.position], NumberFormat(sheet.decimal, column.units)
    found = np.full(sheet.n_rows, math.nan) if words else form.column(cells)
    left = ~(np.abs(found) <= LARGEST)
    if not left.any():
        return found
    found = found.copy()
    known = indices(words)
    if column.role == "label":
        for i, name in enumerate(sheet.classes):  # what a first line of counts calls 0, 1, …
            if key(name) in known:
                known.setdefault(str(i), known[key(name)])
    values: dict[str, float] = {}
    for row, cell in zip(np.flatnonzero(left).tolist(), compress(cells, left), strict=True):
        if cell not in values:
            if may_lack and column.is_missing(cell):
                values[cell] = math.nan
            elif (index := _index(cell, column, known, form)) is not None:
                values[cell] = index
            else:
                problem, fix = _problem(cell, column, words, form)
                raise TableError(f"{sheet.place(row, column.position)}: {problem}", fix)
        found[row] = values[cell]
    return found


def _index(cell: str, column: Column, known: Mapping[str, int], form: NumberFormat) -> int | None:
    """The index of a cell's word or number, given by their keys; None if it has none."""
    if column.is_missing(cell) or not known:
        return None
    index = known.get(key(EMPTY if is_missing(cell) else cell))
    if index is None and (value := form.parse(cell)) is not None:
        index = known.get(key(repr(value)))
    return index


def _problem(
    cell: str, column: Column, words: Collection[str], form: NumberFormat
) -> tuple[str, dict[str, str]]:
    """What is wrong with a cell that cannot be learned from, and the arguments to pass."""
    is_label = column.role == "label"
    if column.is_missing(cell):
        what, fix = ("the label", "drop") if is_label else ("it", "mean")
        return f"{what} is missing ({cell!r:.20})", {"missing": fix}
    if words:
        expected = f"{'the classes ' * is_label}{abbreviated(words, 10)}"
        return f"expected one of {expected}, got {cell!r:.60}; leave that row out", {}
    value = form.parse(cell)
    if value is None or math.isinf(value):
        return f"expected a finite number, got {cell!r:.60}; correct that cell", {}
    return f"{cell!r:.60} is too large to be squared; use another unit", {}
