"""How a table is refused: in one line that says where, what, and what to ask for instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

Cure: TypeAlias = Mapping[str, "str | bool | list[str]"]
"""Arguments of `read_csv`, which are options of the command line, that let the table be read."""


class TableError(ValueError):
    """A table that cannot be learnt from as it is.

    Attributes:
        problem: what is wrong, and where.
        cure: the arguments to add; empty where the file itself has to change.
    """

    def __init__(self, problem: str, cure: Cure | None = None) -> None:
        self.problem = problem
        self.cure = dict(cure or {})
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.cure.items())
        super().__init__(problem + (f"; pass {arguments}" if arguments else ""))


def printable(text: str, width: int = 40) -> str:
    """The text in one line that a terminal shows as it is: what it would obey is escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def listed(words: Iterable[str], most: int = 4) -> str:
    """The words after one another, the first few of them."""
    shown = [printable(word) for word in words]
    return ", ".join(shown[:most] + ([f"… ({len(shown)})"] if len(shown) > most else []))
