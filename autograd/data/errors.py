"""`TableError`, checks of arguments, and text shortened for messages.

The message of a `TableError` is one line: what is wrong with a table, where, and what to pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import TypeAlias

Fix: TypeAlias = Mapping[str, "str | bool | int | list[str]"]
"""Arguments of `read_csv`, which are options of the command line, that let the table be read."""


class TableError(ValueError):
    """A table that cannot be read, or not learned from, as it is.

    Attributes:
        problem: the description of the problem, and its place.
        fix: the arguments to add; empty where the file itself has to be changed.
    """

    def __init__(self, problem: str, fix: Fix | None = None) -> None:
        self.problem = problem
        self.fix = dict(fix or {})
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.fix.items())
        super().__init__(problem + (f"; pass {arguments}" if arguments else ""))


def printable(text: str, width: int = 40) -> str:
    """The text in one line, abbreviated, its control characters escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def abbreviated(words: Iterable[str], most: int = 4) -> str:
    """The first few words, separated by commas, and the total number if there are more."""
    shown = [printable(word) for word in words]
    return ", ".join(shown[:most] + ([f"… ({len(shown)})"] if len(shown) > most else []))


def checked_int(what: str, value: object, at_least: int) -> int:
    """The value as an int. TypeError if it is none (a bool is not), ValueError if too small."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{what} must be an int, got {value!r} of type {type(value).__name__}")
    if value < at_least:
        raise ValueError(f"{what} must be at least {at_least}, got {value}")
    return int(value)


def checked_number(
    what: str, value: object, requirement: str, holds: Callable[[float], bool]
) -> float:
    """The value as a float. TypeError if it is no number, ValueError if the requirement fails."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{what} must be a number, got {value!r} of type {type(value).__name__}")
    if not holds(float(value)):
        raise ValueError(f"{what} must be {requirement}, got {value!r}")
    return float(value)
