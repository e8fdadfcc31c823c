"""Checks of arguments that several modules share."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, TypeGuard


def checked_int(what: str, number: object, at_least: int = 1) -> int:
    """The number as an int. TypeError if it is not one (nor is a bool), ValueError if too small."""
    if not isinstance(number, Integral) or isinstance(number, bool):
        raise TypeError(f"{what} must be an int, got {number!r} of type {type(number).__name__}")
    if number < at_least:
        raise ValueError(f"{what} must be at least {at_least}, got {number}")
    return int(number)


def checked_number(
    what: str, number: object, expected: str, holds: Callable[[float], bool]
) -> float:
    """The number as a float. TypeError if it is none (nor is a bool), ValueError unless it holds.

    Args:
        what: the argument; names it in messages, as `expected` says which numbers are allowed.
    """
    if is_bool(number):
        raise TypeError(f"{what}: expected a number, got {number!r}")
    checked = real_number(number, what, "a number")
    if not holds(checked):
        raise ValueError(f"{what}: expected {expected}, got {number!r}")
    return checked


def refuse_masked(what: str, array: object) -> None:
    """TypeError for a NumPy masked array, whose masked numbers would be read as numbers."""
    if hasattr(array, "mask") and hasattr(array, "filled"):
        raise TypeError(
            f"{what} is a masked array, whose masked numbers have no meaning here; leave out the "
            f"rows that have some, or say what stands for them (`.filled(0.0)`)"
        )


def rows_of(rows: Iterable[Any]) -> list[Any]:
    """The rows of a list, an array or a DataFrame (iterating that gives its column names)."""
    return list(rows.to_numpy() if hasattr(rows, "to_numpy") else rows)


def array_of_frame(what: str, frame: Any) -> Any:
    """The numbers of a DataFrame or Series as an array; nan where a cell is empty.

    Raises:
        TypeError: for a cell that is no number; names its row and column.
    """
    array = frame.to_numpy()
    if array.dtype.kind in "biuf":
        return array
    if array.dtype != object:
        raise TypeError(f"{what} holds {array.dtype}, which are no numbers; make numbers of them")
    import numpy as np

    numbers = np.empty(array.shape)
    for place in np.ndindex(array.shape):
        if (number := number_of_cell(array[place])) is None:
            row, *column = place
            within = "".join(f", column {frame.columns[k]!r}" for k in column)
            raise TypeError(
                f"{what} holds {array[place]!r} in row {row}{within}, which is no number; "
                f"leave the column out, or make numbers of it"
            )
        numbers[place] = number
    return numbers


def number_of_cell(cell: Any) -> float | int | None:
    """The cell of a frame as a number, nan if it is empty, None if it is something else."""
    if isinstance(cell, Real):
        return cell if isinstance(cell, int) and not isinstance(cell, bool) else float(cell)
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return math.nan
    return None


def real_number(
    number: object,
    operation: str,
    expected: str = "a real number",
    several: str = "take one at a time",
) -> float:
    """`number` as a float64, whatever kind of real number it is (NumPy's scalars and bools too).

    A number beyond the range of float64 becomes ±inf. Raises TypeError, naming the operation and
    showing the operand, for anything that is neither a `numbers.Real` nor a bool; if it holds
    several numbers, it says what to do with them.
    """
    if type(number) is float:
        return number
    if not (isinstance(number, Real) or is_bool(number)):
        hint = ""
        if getattr(number, "shape", None) == ():  # an array without dimensions
            hint = "; its number is .item()"
        elif hasattr(number, "__len__") and not isinstance(number, str):
            hint = f"; of several, {several}"
        raise TypeError(
            f"{operation}: expected {expected}, "
            f"got {reprlib.repr(number)} of type {type(number).__name__}{hint}"
        ) from None
    real: Any = number
    try:
        return float(real)
    except OverflowError:
        return math.inf if real > 0 else -math.inf


def is_bool(x: object) -> TypeGuard[bool]:
    """Whether x is a bool of Python or of NumPy, whose type is `bool_` before NumPy 2."""
    return type(x).__name__ in ("bool", "bool_")
