"""What a training learns from, read from lists, NumPy arrays and the frames of pandas."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from numbers import Real
from typing import Any, NamedTuple


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

    def not_finite(self, rows: Iterable[int]) -> str:
        """Where the first nan or inf is in these rows, as a part of a sentence; "" if none is."""
        for i in rows:
            for name, example in ("X", self.X[i]), ("Y", self.Y[i]):
                for number, place in _not_finite(example):
                    columns = self.columns if name == "X" and len(place) == 1 else ()
                    within = [repr(columns[k]) if columns else str(k) for k in place]
                    column = f", column {', '.join(within)}" if within else ""
                    return f"{name} is {number} in row {i}{column}; "
        return ""


def checked_examples(caller: str, X: Iterable[Any], Y: Iterable[Any]) -> Examples:
    """Both as lists of plain numbers.

    Raises:
        TypeError: for a masked array, or a frame with cells that are no numbers.
        ValueError: if they differ in length, or are empty.
    """
    xs, ys = _plain(caller, "X", X), _plain(caller, "Y", Y)
    if len(xs) != len(ys):
        raise ValueError(f"{caller}: X has {len(xs)} examples, Y has {len(ys)} targets")
    if not xs:
        raise ValueError(f"{caller}: got no examples; X and Y are empty")
    return Examples(xs, ys, [str(name) for name in getattr(X, "columns", ())])


def class_indices(
    Y: Iterable[Any], targets: list[Any], classes: Sequence[str]
) -> tuple[list[Any], tuple[str, ...]]:
    """Targets that are names of classes as their indices, and the names.

    Args:
        Y: the targets as they were given; the categories of a pandas Series name the classes.
        targets: the same as a list.
        classes: the names in their order, if they are known; otherwise sorted.
    """
    if not all(isinstance(y, str) for y in targets):
        return targets, tuple(classes)
    categories = getattr(getattr(Y, "cat", None), "categories", ())
    names = tuple(classes) or tuple(categories) or tuple(sorted(set(targets)))
    indices = {name: k for k, name in enumerate(names)}
    for i, y in enumerate(targets):
        if y not in indices:
            raise ValueError(f"fit: the target of row {i} is {y!r}, and the classes are {names}")
    return [indices[y] for y in targets], names


def _plain(caller: str, name: str, column: Any) -> list[Any]:
    """A list of what the column holds, arrays and their numbers as lists and Python's numbers."""
    _refuse_masked(caller, name, column)
    if hasattr(column, "to_numpy"):  # a DataFrame or Series; iterated, it would give its names
        return _rows_of_frame(caller, name, column)
    if not isinstance(column, Iterable):
        raise TypeError(
            f"{caller}: {name} must be a list, an array or a frame of examples, got {column!r} "
            f"of type {type(column).__name__}"
        )
    rows = list(column)
    for row in rows:
        _refuse_masked(caller, name, row)
    return [row.tolist() if hasattr(row, "tolist") else row for row in rows]


def _refuse_masked(caller: str, name: str, column: Any) -> None:
    if hasattr(column, "mask") and hasattr(column, "filled"):
        raise TypeError(
            f"{caller}: {name} is a masked array, whose gaps would be read as numbers; fill them "
            f"({name}.filled(…)), or leave out the rows that have some"
        )


def _rows_of_frame(caller: str, name: str, frame: Any) -> list[Any]:
    """The rows of a DataFrame as lists, or the numbers of a Series; what is missing is nan."""
    array = frame.to_numpy()
    rows: list[Any] = array.tolist()
    if array.dtype != object:
        return [row[0] for row in rows] if name == "Y" and array.shape[1:] == (1,) else rows
    if array.ndim == 1:
        return [y if isinstance(y, str) else _number_of_cell(y) for y in rows]
    for i, row in enumerate(rows):
        for k, cell in enumerate(row):
            if _number_of_cell(cell) is None:
                raise TypeError(
                    f"{caller}: {name} holds {cell!r} in row {i}, column {frame.columns[k]!r}, "
                    f"which is no number; leave the column out, or make numbers of it"
                )
    return [[_number_of_cell(cell) for cell in row] for row in rows]


def _number_of_cell(cell: Any) -> Any:
    """The cell as a number, nan if it is empty, None if it is something else."""
    if isinstance(cell, Real):
        return cell if isinstance(cell, int) and not isinstance(cell, bool) else float(cell)
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return math.nan
    return None


def _not_finite(example: Any) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Each nan or inf within, and the way to it."""
    if isinstance(example, float) and not math.isfinite(example):
        yield example, ()
    elif isinstance(example, list | tuple):
        for k, part in enumerate(example):
            yield from ((number, (k, *place)) for number, place in _not_finite(part))
