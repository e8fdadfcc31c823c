"""Training examples, read from lists, NumPy arrays and pandas frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from autograd.checks import array_of_frame, number_of_cell, refuse_masked


class Examples(NamedTuple):
    """Examples and their targets, as lists of equal length, which are not empty.

    Attributes:
        X: the examples, in plain Python numbers.
        Y: as many targets.
        columns: the names of the columns of X, where it came with some.
    """

    X: list[Any]
    Y: list[Any]
    columns: Sequence[str] = ()

    def batch(self, rows: Iterable[int]) -> tuple[list[Any], list[Any]]:
        """The examples of these rows, and their targets."""
        X, Y = self.X, self.Y
        return [X[i] for i in rows], [Y[i] for i in rows]

    def not_finite(self, rows: Iterable[int]) -> str:
        """A clause that locates the first nan or inf in these rows; "" if all are finite."""
        for i in rows:
            for name, example in ("X", self.X[i]), ("Y", self.Y[i]):
                for number, place in _not_finite(example):
                    columns = self.columns if name == "X" and len(place) == 1 else ()
                    within = [repr(columns[k]) if columns else str(k) for k in place]
                    column = f", column {', '.join(within)}" if within else ""
                    return f"{name} is {number} in row {i}{column}; "
        return ""


def checked_examples(caller: str, X: Iterable[Any], Y: Iterable[Any]) -> Examples:
    """X and Y as lists of plain numbers.

    Raises:
        TypeError: for a masked array, or a frame with cells that are not numbers.
        ValueError: if they differ in length, or are empty.
    """
    xs, ys = _plain(caller, "X", X), _plain(caller, "Y", Y)
    if len(xs) != len(ys):
        raise ValueError(f"{caller}: X has {len(xs)} examples, Y has {len(ys)} targets")
    if not xs:
        raise ValueError(f"{caller}: got no examples; X and Y are empty")
    return Examples(xs, ys, [str(name) for name in getattr(X, "columns", ())])


def class_indices(
    caller: str, Y: Iterable[Any], targets: list[Any], classes: Sequence[str]
) -> tuple[list[Any], tuple[str, ...]]:
    """Replace class names in the targets by indices; returns the targets and the names.

    Args:
        caller: the name of the calling function, for messages.
        Y: the targets as given; the categories of a pandas Series name the classes.
        targets: the same as a list.
        classes: the names in order, if they are known; otherwise they are sorted.
    """
    if not any(isinstance(y, str) for y in targets):
        return targets, tuple(classes)
    for i, y in enumerate(targets):
        if not isinstance(y, str):
            raise ValueError(
                f"{caller}: the target of row {i} is {y!r}, and those of others are names of "
                f"classes"
            )
    categories = getattr(getattr(Y, "cat", None), "categories", ())
    names = tuple(classes) or tuple(categories) or tuple(sorted(set(targets)))
    indices = {name: k for k, name in enumerate(names)}
    for i, y in enumerate(targets):
        if y not in indices:
            raise ValueError(
                f"{caller}: the target of row {i} is {y!r}, and the classes are {names}"
            )
    return [indices[y] for y in targets], names


def _plain(caller: str, name: str, column: Any) -> list[Any]:
    """A list of what the column holds, arrays and their numbers as lists and Python's numbers."""
    refuse_masked(f"{caller}: {name}", column)
    if hasattr(column, "to_numpy"):  # a DataFrame or Series; iterated, it would give its names
        return _rows_of_frame(caller, name, column)
    if not isinstance(column, Iterable):
        raise TypeError(
            f"{caller}: {name} must be a list, an array or a frame of examples, got {column!r} "
            f"of type {type(column).__name__}"
        )
    rows = list(column)
    for row in rows:
        refuse_masked(f"{caller}: {name}", row)
    return [row.tolist() if hasattr(row, "tolist") else row for row in rows]


def _rows_of_frame(caller: str, name: str, frame: Any) -> list[Any]:
    """The rows of a DataFrame as lists, or the numbers or names of a Series."""
    array = frame.to_numpy()
    if array.dtype == object and array.ndim == 1:
        return [y if isinstance(y, str) else number_of_cell(y) for y in array.tolist()]
    rows: list[Any] = array_of_frame(f"{caller}: {name}", frame).tolist()
    return [row[0] for row in rows] if name == "Y" and array.shape[1:] == (1,) else rows


def _not_finite(example: Any) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Each nan or inf in an example, and its indices."""
    if isinstance(example, float) and not math.isfinite(example):
        yield example, ()
    elif isinstance(example, list | tuple):
        for k, part in enumerate(example):
            yield from ((number, (k, *place)) for number, place in _not_finite(part))


def shape_of(example: Any) -> tuple[int, ...]:
    """The shape of nested lists, read from the first element at each level; () for a number."""
    if not isinstance(example, list | tuple):
        return ()
    return (len(example), *(shape_of(example[0]) if example else ()))
