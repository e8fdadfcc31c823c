"""Checks of arguments that several rooms make."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any


def checked_int(what: str, number: object, at_least: int = 1) -> int:
    """The number as an int. TypeError if it is none (a bool is not), ValueError if too small."""
    if not isinstance(number, Integral) or isinstance(number, bool):
        raise TypeError(f"{what} must be an int, got {number!r} of type {type(number).__name__}")
    if number < at_least:
        raise ValueError(f"{what} must be at least {at_least}, got {number}")
    return int(number)


def checked_number(what: str, number: object) -> float:
    """The number as a float. TypeError if it is none (a bool is not)."""
    if not isinstance(number, Real) or isinstance(number, bool):
        raise TypeError(f"{what} must be a number, got {number!r} of type {type(number).__name__}")
    return float(number)


def rows_of(rows: Iterable[Any]) -> list[Any]:
    """The rows of a list, an array or a DataFrame, which iterated would give its columns' names."""
    return list(rows.to_numpy() if hasattr(rows, "to_numpy") else rows)
