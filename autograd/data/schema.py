"""The schema of a table: what its columns mean, and how its rows become numbers.

It is kept with a model, so that new rows are read as those were that it learned from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
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
        all_whole: whether all its numbers are whole.
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
    all_whole: bool = False
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
        labels = self._labels(sheet, keep_unlabeled)
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
        known = indices(column.words)
        which = _converted(sheet, column, may_lack, _index_in(sheet, column, known, column.words))
        which_is_none = 0.0 * which  # nan for a missing cell
        return [which_is_none + (which == i) for i in range(len(column.words))]

    def _labels(self, sheet: Sheet, may_lack: bool) -> Any:
        """The label of every row, nan where it is allowed to be missing; None without labels."""
        if (column := self.label) is None:
            return None
        rule = None
        if self.classes:
            known = indices(self.classes)
            for i, name in enumerate(sheet.classes):  # what a first line of counts calls 0, 1, …
                if key(name) in known:
                    known.setdefault(str(i), known[key(name)])
            rule = _index_in(sheet, column, known, self.classes)
        return _converted(sheet, column, may_lack or self.missing != "refuse", rule)

    # --- another table ----------------------------------------------------------------------------

    def located(self, sheet: Sheet) -> Schema:
        """The same schema with the columns at their places in another table.

        Columns are found by name if the header has any of the inputs, else by position. The label
        and the columns that are left out may be missing.

        Raises:
            TableError: if an input is missing; names it.
        """
        used = [column for column in self.columns if column.role != "left out"]
        named = {key(name): i for i, name in enumerate(sheet.names)}
        n = len(sheet.names)
        inputs = self.inputs
        unlabeled = [column for column in self.columns if column.role != "label"]
        if sheet.has_header and any(key(column.name) in named for column in inputs):
            places = {c.name: named[key(c.name)] for c in used if key(c.name) in named}
        else:
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
            choices: list[tuple[Any, tuple[Any, ...]]] = [
                (role, ("input", "label", "left out")) for _, role, _, _ in kept["columns"]
            ]
            choices += [(kept["missing"], get_args(Missing)), (kept["decimal"], ("", ".", ","))]
            choices += [(type(mean), (int, float)) for mean in kept["means"]]  # pages write 2
            for given, allowed in choices:
                if given not in allowed:
                    raise ValueError(f"unexpected {given!r:.40}")
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
            for name in kept.keys() | schema.to_json().keys():
                given, written = kept.get(name), schema.to_json().get(name)
                if given != written:
                    raise ValueError(f"unexpected {name} {given!r:.40}")
            if not all(map(math.isfinite, schema.means)):
                raise ValueError("a mean is not finite")
            if len(schema.means) not in (0, len(schema.features)):
                raise ValueError(f"{len(schema.means)} means of {len(schema.features)} inputs")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the model's columns are damaged: {error!r}") from error
        return schema


def _finite_in(sheet: Sheet, column: Column) -> Callable[[str], float]:
    """A function that parses cells of this column, and raises for one that cannot be learned from.

    It raises a TableError for one that is not finite, or too large for its square in training.
    """
    parse = NumberFormat(sheet.decimal, column.units).parse

    def finite(cell: str) -> float:
        found = parse(cell)
        if found is None or math.isinf(found):
            raise TableError(f"expected a finite number, got {cell!r:.60}; correct that cell")
        if abs(found) > LARGEST:
            raise TableError(f"{cell!r:.60} is too large to be squared; use another unit")
        return found

    return finite


def _index_in(
    sheet: Sheet, column: Column, known: Mapping[str, int], words: Iterable[str]
) -> Callable[[str], float]:
    """A function for the index of a cell's word or number, given by their keys.

    It raises a TableError for a cell that is none of the words.
    """
    parse = NumberFormat(sheet.decimal, column.units).parse

    def index(cell: str) -> int:
        if EMPTY in column.words and is_missing(cell):
            cell = EMPTY
        found = known.get(key(cell))
        if found is None and (value := parse(cell)) is not None:
            found = known.get(key(repr(value)))
        if found is None:
            what = "the classes " if column.role == "label" else ""
            expected = f"expected one of {what}{abbreviated(words, 10)}"
            raise TableError(f"{expected}, got {cell!r:.60}; leave that row out")
        return found

    return index


def _converted(
    sheet: Sheet, column: Column, may_lack: bool, rule: Callable[[str], float] | None = None
) -> Any:
    """Convert the cells of a column by a rule, each distinct cell once; returns an array.

    Without a rule they are finite numbers. A missing cell becomes nan, or an error unless it
    `may_lack`. Errors name line and column.
    """
    import numpy as np

    cells, form = sheet.columns[column.position], NumberFormat(sheet.decimal, column.units)
    found = np.full(sheet.n_rows, math.nan) if rule else form.column(cells)
    left = ~(np.abs(found) <= LARGEST)
    if not left.any():
        return found
    found = found.copy()
    convert = rule or _finite_in(sheet, column)
    known: dict[str, float] = {}
    for row, cell in zip(np.flatnonzero(left), compress(cells, left), strict=True):
        if cell not in known:
            try:
                is_gap = column.is_missing(cell)
                if is_gap and not may_lack:
                    what, fix = ("the label", "drop") if column.role == "label" else ("it", "mean")
                    raise TableError(f"{what} is missing ({cell!r:.20})", {"missing": fix})
                known[cell] = math.nan if is_gap else convert(cell)
            except TableError as error:
                place = sheet.place(int(row), column.position)
                raise TableError(f"{place}: {error.problem}", error.fix) from None
        found[row] = known[cell]
    return found
