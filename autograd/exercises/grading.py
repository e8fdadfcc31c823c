"""How an answer is judged: `check`, and what the exercises compare answers with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from autograd.checks import is_bool, real_number
from autograd.value import Value, adjoints
from autograd.viz import explain


@dataclass(frozen=True, repr=False)
class Reply:
    """The verdict of `check` on an answer; it prints as text.

    Attributes:
        is_right: whether the answer is right. A Reply is true if it is.
        text: the sentence that says so, or which mistake was made.
    """

    is_right: bool
    text: str

    def __bool__(self) -> bool:
        return self.is_right

    def __repr__(self) -> str:
        return f"{'Right.' if self.is_right else 'Not yet.'} {self.text}".rstrip()


class Mistake(Exception):  # noqa: N818 - of the answer, not of the program
    """A wrong answer; the message says what is wrong."""


Exercise = Callable[..., str | None]
"""Takes the answers; returns what to add to "Right.", or raises a Mistake."""

EXERCISES: dict[str, Exercise] = {}


def exercise(name: str) -> Callable[[Exercise], Exercise]:
    """Register the decorated function as the exercise of that number."""

    def register(function: Exercise) -> Exercise:
        EXERCISES[name] = function
        return function

    return register


def check(name: str, /, *answers: Any, **named_answers: Any) -> Reply:
    """Whether the answers to an exercise are right, and if not, which mistake was made.

    Args:
        name: the number of the exercise: "2.1" is the first of notebook 2.
        *answers: the answers, in the order that the exercise asks for them.
        **named_answers: the answers by name. `...` stands for an answer not given yet.

    Raises:
        ValueError: if there is no such exercise.
        TypeError: if the number or the names of the answers do not fit the exercise.
    """
    if name not in EXERCISES:
        known = ", ".join(sorted(EXERCISES))
        raise ValueError(f"check: there is no exercise {name!r}; there are {known}")
    if any(answer is ... for answer in (*answers, *named_answers.values())):
        return Reply(False, "There is no answer here yet: write it in place of the three dots.")
    try:
        return Reply(True, EXERCISES[name](*answers, **named_answers) or "")
    except Mistake as mistake:
        return Reply(False, str(mistake))


# --- comparing ------------------------------------------------------------------------------------


def as_number(what: str, given: Any) -> float:
    """The answer as a float. Raises a Mistake if it is no number."""
    if isinstance(given, Value):
        given = given.data
    if is_bool(given) or not isinstance(given, Real):
        raise Mistake(f"{what} is a number; {given!r} is none.")
    return real_number(given, what)


def as_share(given: Any) -> float:
    """The answer as a number from 0 to 1. Raises a Mistake if it is none."""
    share = as_number("An accuracy", given)
    if not 0.0 <= share <= 1.0:
        raise Mistake("As a share from 0 to 1, please: 0.5 for a half.")
    return share


def equal_numbers(given: float, right: float, tolerance: float = 0.005) -> bool:
    """Whether a number typed by hand, and so rounded, is the right one."""
    return math.isclose(given, right, rel_tol=tolerance, abs_tol=1e-9)


def number(
    what: str,
    given: Any,
    right: float,
    mistakes: Mapping[float, str] | Mapping[int, str],
    tolerance: float = 0.005,
) -> None:
    """Compare a number with the right one, then with those that known mistakes lead to.

    Raises a Mistake. A wrong sign is recognized even if it is not listed.
    """
    given = as_number(what, given)
    if equal_numbers(given, right, tolerance):
        return
    for wrong, reason in mistakes.items():
        if equal_numbers(given, wrong, tolerance):
            raise Mistake(reason)
    if equal_numbers(given, -right, tolerance):
        raise Mistake(f"{what} has the right size, but the other sign.")
    raise Mistake(f"{what} is not {given:g}.")


def gradient(given: Any, output: Value, leaf: Value) -> None:
    """Compare a number with doutput/dleaf, and with what the usual mistakes would find.

    The mistakes are read from the graph: a path forgotten, local derivatives added along a path,
    paths multiplied, the local derivative for the total one, the value for the derivative.
    Raises a Mistake.
    """
    what = f"d{output.label}/d{leaf.label}"
    given = as_number(what, given)
    right = adjoints(output).get(leaf, 0.0)
    paths = explain(output, leaf).paths
    mistakes: dict[float, str] = {}
    if len(paths) > 1:
        for path in paths:
            mistakes[path.product] = (
                f"{given:g} is the contribution of one path. {leaf.label} is used more than once; "
                f"add all paths."
            )
        product = math.prod(path.product for path in paths)
        mistakes.setdefault(product, "Multiply along a path, but add the paths.")
    for path in paths:
        if len(path.partials) > 1:
            last = path.partials[-1]
            mistakes.setdefault(
                last,
                f"{last:g} is the local derivative next to {leaf.label}. Multiply it by the "
                f"derivative of {output.label} with respect to what uses {leaf.label}.",
            )
            mistakes.setdefault(
                math.fsum(path.partials), "Along one path, derivatives are multiplied, not added."
            )
    mistakes.setdefault(2 * right, "Twice too much: one contribution was counted twice.")
    mistakes.setdefault(output.data, f"{output.data:g} is the value of {output.label}.")
    mistakes.setdefault(
        leaf.data, f"{leaf.data:g} is the value of {leaf.label}; the derivative says how "
        f"{output.label} changes with it."
    )  # fmt: skip
    number(what, given, right, mistakes)


def choice(given: Any, right: str, wrong: Mapping[str, str]) -> None:
    """Compare a word with the right one, and with wrong ones that have a reason.

    Raises a Mistake.
    """
    word = str(given).strip().lower()
    if word != right:
        choices = ", ".join(sorted([right, *wrong]))
        raise Mistake(wrong.get(word, f"Choose one of {choices}."))


def called(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call the reader's function and return its result.

    Raises a Mistake if the function raises an exception, or returns `...`.
    """
    try:
        result = function(*arguments)
    except RecursionError:
        raise Mistake("It calls itself without an end.") from None
    except Exception as error:
        raise Mistake(f"It raised {type(error).__name__}: {error}") from None
    if result is ...:
        raise Mistake("It returns three dots: write what it is to return in their place.")
    return result
