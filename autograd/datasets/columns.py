"""A column of a table: of numbers or of words, an input or the label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

from autograd.datasets.numerals import number
from autograd.datasets.refusal import listed
from autograd.datasets.text import is_missing

Task: TypeAlias = Literal["classification", "regression"]
Missing: TypeAlias = Literal["refuse", "drop", "mean"]

FEW_NUMBERS = 20
"""Up to so many different whole numbers, each three times on average, are classes as a label."""

MANY_WORDS = 50
"""Beyond so many different words in a column, or one for every other row, they name the rows."""

FEW_STRAYS = 5
"""Up to so many different words in no more than a quarter of a column of numbers are gaps."""

EMPTY = "(empty)"
"""The word for nothing, in a column whose answers are one word or nothing, as in a box to tick."""

LONGEST_TICK = 4
"""Up to so many letters a word is a tick: x, ok, true; a longer one is rather a remark."""

NO_NUMBER = frozenset({"none", "-", "--", "–", "—", ".", "..."})
"""What stands for a missing number, but may be a word among words."""


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
        if self.kind == "words":
            return is_missing(cell) and EMPTY not in self.words
        return is_missing(cell) or cell.lower() in NO_NUMBER

    def place_of(self, cell: str) -> int | None:
        """Which of its words the cell stands for, in a column of words; None if none."""
        word = EMPTY if EMPTY in self.words and is_missing(cell) else cell
        return self._places.get(key(word))

    @cached_property
    def _places(self) -> dict[str, int]:
        return places(self.words)

    @property
    def can_be_encoded(self) -> bool:
        """Whether its words are few enough to become inputs."""
        n_rows = self.n_missing + sum(self.words.values())
        return len(self.words) <= max(2, min(MANY_WORDS, n_rows // 2))

    @property
    def can_be_label(self) -> bool:
        """Whether it holds numbers, or words that are few enough to be classes."""
        n = sum(self.words.values())
        fits = self.kind == "number" or self.has_few_words or bool(self.strays)
        return fits and n > self.n_missing

    @property
    def has_few_words(self) -> bool:
        """Whether its words are few enough to be classes."""
        return len(self.words) <= max(FEW_NUMBERS, sum(self.words.values()) // 5)

    @property
    def strays(self) -> tuple[str, ...]:
        """Its words, where they are so few among numbers that they stand for missing ones."""
        words = [word for word in self.words if number(word) is None]
        n = sum(self.words[word] for word in words)
        are_few = len(words) <= FEW_STRAYS and 4 * n <= sum(self.words.values())
        return tuple(words) if self.kind == "mixed" and are_few else ()

    def levels(self) -> str:
        """Its words and how often they come, or the span of its numbers."""
        if self.role == "left out" and self.words:
            return f"{len(self.words)} different"
        if self.kind == "number":
            return f"{self.span[0]:g} … {self.span[1]:g}"
        shown = listed((f"{word} {count}" for word, count in self.words.items()), 5)
        merged = f"; {self.spellings} spellings" if self.spellings > len(self.words) else ""
        return shown + merged


def places(words: Iterable[str]) -> dict[str, int]:
    """The place of each word, by the key that its spellings share; the first of those that do."""
    return {key(word): i for i, word in reversed(list(enumerate(words)))}


def key(word: str) -> str:
    """What words are compared by: capitals and spaces do not tell two apart, but single letters."""
    word = " ".join(word.split())
    found = number(word)
    if found is not None and found.is_integer():
        return str(int(found))
    return word.casefold() if len(word) > 1 else word
