"""Numbers as people write them in tables: 1.5 and 1,5, 4.439,00 € and $4,439.00, 64 %, −3.

Each is rewritten as Python reads it. A cell decides for itself where it can: the comma of 1,5 is a
decimal one, and those of 1,234,567 stand between thousands. Of 1,234 it is the other cells of the
file that decide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

_MARK = "[%‰°$€£¥₹₽₺₩]"
_UNIT = rf"{_MARK}[^\d\s]{{0,8}}|\s[^\W\d_][^\d\s]{{0,11}}|[^\W\d_][^\d\s]{{1,11}}"
_QUANTITY = re.compile(
    rf"(?P<sign>[+-]?)(?P<before>{_MARK}|(?:EUR|USD|CHF|GBP)\b)?\s*"
    rf"(?P<digits>\d(?:[\d.,'’\s]*\d)?)(?P<after>\s*(?:{_UNIT}))?"
)
"""A number with a unit. One letter that follows at once is none: 10a is a class of a school."""


def _numeral(decimal: str, between: str) -> re.Pattern[str]:
    thousands = rf"[1-9]\d{{0,2}}(?:[{between}\s'’]\d{{3}})+"
    return re.compile(rf"([+-]?(?:{thousands}|\d+))(?:{decimal}(\d+))?((?:[eE][+-]?\d+)?)")


_NUMERALS = {".": _numeral(r"\.", ","), ",": _numeral(",", r"\.")}
"""What a number looks like, by its decimal sign."""

_PLAIN = re.compile(r"[+-]?\d*\.(?:\d\d?|\d{4,})(?:[eE][+-]?\d+)?")
"""A number that only has a decimal point, as most do: not three digits behind it."""


class _Numeral(NamedTuple):
    """A number: as Python reads it, and how it was written."""

    text: str
    has_comma: bool
    has_thousands: bool


class _Cell(NamedTuple):
    """A cell that is a number with a point, a comma, or thousands apart.

    Attributes:
        row, place: where it is.
        by_sign: how it reads, if the decimal sign is a point, and if it is a comma.
    """

    row: list[str]
    place: int
    by_sign: dict[str, _Numeral]

    @property
    def text(self) -> str:
        return self.row[self.place]

    @property
    def is_open(self) -> bool:
        """Whether it is one number with a decimal point, and another with a decimal comma."""
        return len({numeral.text for numeral in self.by_sign.values()}) > 1


def number(cell: str) -> float | None:
    """The cell as a finite or infinite number; None if it is none."""
    try:
        return None if "_" in cell or math.isnan(found := float(cell)) else found
    except ValueError:
        return None


def rewrite(rows: Sequence[list[str]], delimiter: str, decimal: str = "") -> tuple[str, list[str]]:
    """Rewrite the numbers among the cells as Python reads them.

    A unit is left away where all cells of a column that have one have the same, and that is half
    of them at least.

    Args:
        rows: the cells, which are changed in place.
        delimiter: what separates them.
        decimal: the decimal sign, if it is known from elsewhere; the cells may know better.

    Returns:
        the decimal sign of the file, "." or ",", or "" if it has none or both; and what was
        rewritten, for people to read.
    """
    for row in rows:
        row[:] = ["-" + cell[1:] if cell[:1] == "−" else cell for cell in row]
    units = [unit for i in range(max(map(len, rows))) if (unit := _without_unit(rows, i))]
    cells, signs = _numerals(rows)
    sign = _decimal_sign(cells, signs, delimiter, decimal)
    notes = []
    for cell in cells:
        if cell.is_open and not sign and number(cell.text) is None:
            continue  # 1,234 in a file with points and commas as decimal signs: nobody knows
        numeral = cell.by_sign.get(sign) or next(iter(cell.by_sign.values()))
        cell.row[cell.place] = numeral.text
        notes += ["decimal commas"] * numeral.has_comma
        notes += ["thousands set apart"] * numeral.has_thousands
    if units:
        notes.append(f"units left away ({', '.join(dict.fromkeys(units))})")
    return sign, list(dict.fromkeys(notes))


def _decimal_sign(cells: Sequence[_Cell], signs: set[str], delimiter: str, decimal: str) -> str:
    """The decimal sign of the cells that may have either."""
    if signs:
        return "".join(signs) if len(signs) == 1 else ""
    marks = {mark for cell in cells if cell.is_open for mark in ".," if mark in cell.text}
    if decimal or not marks:
        return decimal
    if len(marks) == 2:
        return ""
    return "," if marks == {","} and delimiter != "," else "."


def _numerals(rows: Sequence[list[str]]) -> tuple[list[_Cell], set[str]]:
    """The cells to look at, and the decimal signs of those that leave no doubt."""
    cells = []
    signs = set()
    for row in rows:
        for i, text in enumerate(row):
            if not text or text.isdecimal():
                continue
            if _PLAIN.fullmatch(text):
                signs.add(".")
                continue
            by_sign: dict[str, _Numeral] = {}
            for sign, pattern in _NUMERALS.items():
                if match := pattern.fullmatch(text):
                    whole = re.sub(r"[^\d+-]", "", match[1])
                    fraction = f".{match[2]}" if match[2] else ""
                    by_sign[sign] = _Numeral(
                        whole + fraction + match[3],
                        sign == "," and bool(fraction),
                        whole != match[1],
                    )
            if by_sign:
                cells.append(_Cell(row, i, by_sign))
            if len(by_sign) == 1:
                signs |= by_sign.keys()
    return cells, signs


def _without_unit(rows: Sequence[list[str]], place: int) -> str:
    """Leave away the unit of a column, and return it; "" if it has none."""
    found = []
    n_filled = 0
    for row in rows:
        cell = row[place] if place < len(row) else ""
        n_filled += bool(cell)
        if not cell or number(cell) is not None or not (match := _QUANTITY.fullmatch(cell)):
            continue
        unit = (match["before"] or "") + (match["after"] or "").strip()
        if unit and any(numeral.fullmatch(match["digits"]) for numeral in _NUMERALS.values()):
            found.append((unit, row, match["sign"] + match["digits"]))
    if len({unit for unit, _, _ in found}) != 1 or 2 * len(found) < n_filled:
        return ""
    for _, row, text in found:
        row[place] = text
    return found[0][0]
