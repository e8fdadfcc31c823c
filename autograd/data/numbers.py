"""Number parsing: 1.5 and 1,5, 4.439,00 € and $4,439.00, (5.00) and 5.00-, 64 %, −3.

A cell settles its decimal mark where it can: 1,5 has a decimal comma, and 1,234,567 has commas
between thousands. For 1,234 the other cells of the file decide.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from autograd.data.errors import abbreviated
from autograd.data.sheet import SEPARATOR, Cells, floats, is_missing_number

_SIGN = r"[+\-−–]"
_CURRENCY = r"[$€£¥₹₽₺₩]"
_UNIT = (
    rf"(?:[%‰°]|{_CURRENCY})[^\d\s()]{{0,8}}|\*{{1,3}}"
    r"|(?<=\s)[^\W\d_][^\d\s()]{0,11}|[^\W\d_][^\d\s()]{1,11}"
)
_QUANTITY = re.compile(
    rf"(?P<open>\()?(?P<sign>{_SIGN})?(?P<currency>{_CURRENCY}|(?:EUR|USD|CHF|GBP)\b)?\s*"
    rf"(?P<inner>{_SIGN})?(?P<digits>[.,]?\d(?:[\d.,'’\s]*\d)?)(?P<exponent>[eE][+-]?\d+)?"
    rf"(?P<trailing>-)?\s*(?P<unit>{_UNIT})?(?(open)\))"
)
"""A number with a unit. A letter directly after the digits is no unit: 10a is a school class."""

_FLAG = re.compile(r"\*{1,3}|[bcdefinprsuz]{1,2}")
"""A remark on a number, such as a flag of Eurostat: b is a break in the series, p provisional."""


def _numeral(decimal: str, between: str) -> re.Pattern[str]:
    thousands = rf"[1-9]\d{{0,2}}(?:[{between}\s'’]\d{{3}})+"
    lakhs = r"|[1-9]\d?(?:,\d\d)+,\d{3}" if between == "," else ""
    return re.compile(rf"({thousands}{lakhs}|\d*)(?:[{decimal}](\d+))?")


_NUMERALS = {".": _numeral(".", ","), ",": _numeral(",", ".")}
"""Patterns of digits for each decimal mark."""


class Quantity(NamedTuple):
    """A number in a cell, as people write it.

    Attributes:
        readings: its value by decimal mark: one, or two if either mark makes sense.
        digits: its digits and separators.
        unit: the text beside them, such as € or kg.
        has_odd_minus: whether it is negative by parentheses or a minus at its end.
    """

    readings: dict[str, float]
    digits: str
    unit: str
    has_odd_minus: bool

    @property
    def is_ambiguous(self) -> bool:
        """Whether it is one number with a decimal point, and another with a decimal comma."""
        return len(set(self.readings.values())) > 1


def quantity(cell: str) -> Quantity | None:
    """Parse a cell as a number with a sign and a unit; None if it does not look like a number."""
    if (match := _QUANTITY.fullmatch(cell)) is None:
        return None
    minus = match["sign"] or "", match["inner"] or "", match["trailing"] or "", match["open"] or ""
    if sum(map(len, minus)) > 1:
        return None
    readings = {}
    for mark, pattern in _NUMERALS.items():
        found = pattern.fullmatch(match["digits"])
        if found is None or (match["trailing"] and not found[2]):
            continue  # 2- is a school grade, 2.00- an amount
        whole = re.sub(r"\D", "", found[1])
        size = float(f"{whole or 0}.{found[2] or 0}{match['exponent'] or ''}")
        readings[mark] = -size if "".join(minus) not in ("", "+") else size
    unit = (match["currency"] or "") + (match["unit"] or "")
    is_odd = bool(match["open"] or match["trailing"])
    return Quantity(readings, match["digits"], unit, is_odd) if readings else None


def number(cell: str) -> float | None:
    """The cell as a float if Python reads it as a number, finite or infinite; else None."""
    try:
        found = float(cell)
    except ValueError:
        return None
    return None if math.isnan(found) or "_" in cell else found


def _shapes(text: str) -> str:
    """The text with all digits alike: 1, but 0 where a group of digits begins with it.

    Most cells of a column have one of a few shapes, and their shape decides how they are read: for
    instance 0,123 is no number of thousands.
    """
    text = text.translate(str.maketrans("23456789", "1" * 8))
    while "10" in text:
        text = text.replace("10", "11")
    return text


def is_number(cell: str) -> bool:
    """Whether the cell is a number without a unit, whichever its decimal mark is."""
    return number(cell) is not None or ((q := quantity(cell)) is not None and not q.unit)


class NumberFormat(NamedTuple):
    """How numbers are written.

    Attributes:
        decimal: the decimal mark, "." or ","; "" if it is not known.
        units: the units and flags that may stand beside a number.
    """

    decimal: str = ""
    units: tuple[str, ...] = ()

    def parse(self, cell: str) -> float | None:
        """The number in the cell; None if it is not a number."""
        if self.decimal != "," or "." not in cell:
            plain = number(cell.replace(",", ".") if self.decimal == "," else cell)
            if plain is not None:
                return plain
        if (found := quantity(cell)) is None:
            return number(cell)
        if found.unit and found.unit not in self.units:
            return None
        if self.decimal in found.readings:
            return found.readings[self.decimal]
        is_doubtful = found.is_ambiguous and "," in found.digits
        return None if is_doubtful else next(iter(found.readings.values()))

    def column(self, cells: Cells) -> Any:
        """The number in each cell of a column, nan where there is none, as an array to read.

        All cells are parsed at once, in a way that is checked on one cell of each shape.
        """
        import numpy as np

        text = cells.text
        if cells.plain is not None and (self.decimal != "," or "." not in text):
            return cells.plain
        if self in cells.numbers:
            return cells.numbers[self]
        shapes = _shapes(text).split(SEPARATOR)
        by_shape = {shape: self.parse(shape) for shape in set(shapes)}
        parsed = {"": math.nan} | {shape: x for shape, x in by_shape.items() if x is not None}
        odd = set("".join(parsed)) - set("0123456789+-eE") | set("".join(self.units))
        marks = {**dict.fromkeys(odd, ""), "−": "-", "–": "-", self.decimal or ".": "."}
        table = str.maketrans(marks)
        tried = floats(SEPARATOR.join(parsed).translate(table))
        found = None
        if tried is not None and np.array_equal(tried, [*parsed.values()], equal_nan=True):
            if by_shape.keys() - parsed.keys():
                pairs = zip(cells, shapes, strict=True)
                text = SEPARATOR.join(cell if shape in parsed else "" for cell, shape in pairs)
            found = floats(text.translate(table))
        if found is None:
            known = {cell: self.parse(cell) for cell in set(cells)}
            found = np.array([known[cell] for cell in cells], float)  # nan for None
        cells.numbers[self] = found
        return found


def infer_formats(
    columns: Sequence[Cells], delimiter: str, decimal: str = ""
) -> tuple[str, list[tuple[str, ...]], list[str]]:
    """Find out how the numbers of a table are written.

    A unit is accepted if all cells of a column that have one have the same, and at least half of
    the cells have it; or, for a currency, if all others are numbers. Flags may differ, and are
    accepted beside at most half of the numbers.

    Args:
        columns: the cells.
        delimiter: the text between them.
        decimal: the decimal mark to use if all cells are ambiguous.

    Returns:
        the decimal mark of the file, "." or ",", or "" if it has none or both; the units of each
        column; and notes on both for the user.
    """
    certain: set[str] = set()  # the decimal marks of cells that leave no doubt
    doubtful: set[str] = set()  # the marks in cells that could be read with either
    notes: Counter[str] = Counter()
    units: list[tuple[str, ...]] = []
    for column in columns:
        if column.plain is not None and ("." in certain or "." not in column.text):
            units.append(())
            continue
        beside: Counter[str | None] = Counter()  # the unit of each number, None for each word
        for cell, count in Counter(_shapes(column.text).split(SEPARATOR)).items():
            if is_missing_number(cell):
                continue
            if (found := quantity(cell)) is None:
                beside["" if number(cell) is not None else None] += count  # inf is a number
                continue
            marks = set(found.digits) & {".", ","}
            if found.is_ambiguous:
                doubtful |= marks
            elif marks:
                certain.update(found.readings)
            notes.update(_notes(found))
            beside[found.unit] += count
        accepted, note = _accepted(beside)
        units.append(accepted)
        notes.update(note)
    if certain:
        mark = "".join(certain) if len(certain) == 1 else ""
    elif decimal or len(doubtful) != 1:
        mark = decimal
    else:
        mark = "," if doubtful == {","} and delimiter != "," else "."
    if mark and doubtful - {mark}:
        notes["thousands separators"] += 1
    if mark == "," and "," in doubtful:
        notes["decimal commas"] += 1
    return mark, units, list(notes)


def _notes(found: Quantity) -> Iterator[str]:
    """Notes for the user on how the number is written, if that is unambiguous."""
    if found.has_odd_minus:
        yield "negative numbers in parentheses or with a trailing minus"
    if not found.is_ambiguous:
        mark = next(iter(found.readings))
        if mark == "," and "," in found.digits:
            yield "decimal commas"
        if set(found.digits) - set("0123456789" + mark):
            yield "thousands separators"


def _accepted(beside: Counter[str | None]) -> tuple[tuple[str, ...], list[str]]:
    """The units or flags of a column to ignore when its numbers are read, and a note on them."""
    units = {unit: count for unit, count in beside.items() if unit}
    share = sum(units.values()) / max(1, beside.total())
    if len(units) == 1:
        [unit] = units
        if share >= 0.5 or (re.match(_CURRENCY, unit) and None not in beside):
            return (unit,), [f"unit {unit} ignored"]
    if units and share <= 0.5 and all(map(_FLAG.fullmatch, units)):
        shown = abbreviated(f"{flag} {count}" for flag, count in units.items())
        return tuple(units), [f"flags ignored ({shown})"]
    return (), []
