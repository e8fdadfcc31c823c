"""Arguments of compiled functions: one column each, checked and stored as flat arrays."""

from __future__ import annotations

import itertools
import reprlib
import struct
import sys
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from autograd.checks import array_of_frame, real_number, refuse_masked
from autograd.derivatives.structures import is_array

if TYPE_CHECKING:
    import numpy as np

Numbers: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"


@dataclass(slots=True)
class Column:
    """One argument for all examples: its numbers one after another, each example's together.

    Attributes:
        count: how many examples there are.
        shape: of one example: () for a number, (2,) for a row of two, (8, 8) for nested rows.
        numbers: count · width float64s in row-major order.
        is_array: whether a NumPy array was given.
        is_constant: whether it is a single argument that all examples share, not a column.
    """

    count: int
    shape: tuple[int, ...]
    numbers: array[float] | Numbers
    is_array: bool
    is_constant: bool = False

    @property
    def width(self) -> int:
        """How many numbers one example has in this column."""
        return len(self.numbers) // self.count

    def rows(self) -> list[Any]:
        """The examples, as numbers or nested lists of them."""
        import numpy as np

        rows: list[Any] = np.reshape(self.numbers, (self.count, *self.shape)).tolist()
        return rows


def read_columns(
    columns: Sequence[object], axes: int | tuple[int | None, ...] | None = 0
) -> list[Column]:
    """The columns given to a compiled function, one per argument.

    Args:
        axes: of all or of each argument: 0, or None if the examples share it.

    Raises:
        TypeError: for a column that is no list or array, or that holds anything but real numbers.
        ValueError: for no examples, columns of different length, or a ragged column; or
            for another number of axes than of columns.
    """
    each = axes if isinstance(axes, tuple) else (axes,) * len(columns)
    if len(each) != len(columns):
        raise ValueError(
            f"jit: got {len(columns)} arguments, but in_axes={axes} has {len(each)} elements; "
            f"give one for each argument"
        )
    read = []
    for i, column in enumerate(columns):
        is_constant = each[i] is None
        name = f"argument {i}" if is_constant else f"column {i}"
        read.append(read_column(column, name, is_constant))
    if len(read) > 1:
        counts = [column.count for column in read if not column.is_constant]
        if len(set(counts)) > 1:
            raise ValueError(f"jit: the columns have {counts} examples; give each equally many")
    return read


def read_column(column: object, name: str, is_constant: bool = False) -> Column:
    """One column, given as a sequence of numbers, or of rows, or as an array or data frame.

    Or an argument that all examples share: a number, nested lists or an array.
    """
    pandas: Any = sys.modules.get("pandas")  # without it there is no frame
    if pandas is not None and isinstance(column, pandas.DataFrame | pandas.Series):
        column = array_of_frame(f"jit: {name}", column)
    if is_array(column):
        return _read_array(cast("np.ndarray[Any, Any]", column), name, is_constant)
    if not is_constant and not _has_items(type(column)):
        hint = ""
        if isinstance(column, Real):
            hint = "; of one example write f([x])"
        elif hasattr(column, "record"):  # a Value, whose derivatives would be lost
            hint = "; it takes numbers: differentiate first and compile then, jit(gradient(f))"
        raise TypeError(
            f"jit: {name}: expected a list or an array with an element for each example, "
            f"got {reprlib.repr(column)} of type {type(column).__name__}{hint}"
        )
    items: list[Any] = [column] if is_constant else list(cast("Sequence[Any]", column))
    count = len(items)
    shape: list[Any] = []
    while rows := set(filter(_has_items, kinds := set(map(type, items)))):
        for item in items if any(hasattr(kind, "mask") for kind in rows) else ():
            refuse_masked(f"jit: {name}", item)
        lengths: set[int | None] = (
            set(map(len, items))
            if rows == kinds
            else {len(item) if type(item) in rows else None for item in items}
        )
        if len(lengths) > 1:
            raise ValueError(
                f"jit: {name} is ragged: every example must have the same shape, "
                f"but there are {_listed(lengths)}"
            )
        shape += lengths
        items = list(itertools.chain.from_iterable(items))
    if not count:
        raise ValueError(f"jit: {name} holds no examples")
    return Column(count, tuple(shape), _floats(items, kinds, name), False, is_constant)


def joined_leaves(
    leaves: Sequence[float] | Numbers, columns: Sequence[Column]
) -> tuple[Numbers, list[Column]]:
    """The numbers of the space `w`: what all examples share, then the leaves. And other columns."""
    import numpy as np

    shared = [column.numbers for column in columns if column.is_constant]
    numbers: Numbers = np.concatenate([*shared, leaves]) if shared else np.asarray(leaves, float)
    return numbers, [column for column in columns if not column.is_constant]


def _read_array(array: np.ndarray[Any, Any], name: str, is_constant: bool) -> Column:
    refuse_masked(f"jit: {name}", array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"jit: {name}: expected real numbers, got an array of {array.dtype}")
    if not is_constant and not (array.ndim and len(array)):
        raise ValueError(f"jit: {name} holds no examples: {array!r}")
    import numpy as np

    flat = np.ascontiguousarray(array, float).ravel()  # no matrix, which cannot be flat
    if is_constant:
        return Column(1, array.shape, flat, True, True)
    return Column(len(array), array.shape[1:], flat, True)


def _has_items(kind: type) -> bool:
    import numpy as np

    # tuples, because making a union takes longer than the check
    is_text = issubclass(kind, (str, bytes, bytearray))
    return not is_text and issubclass(kind, (Sequence, np.ndarray))


def _listed(lengths: set[int | None]) -> str:
    rows = [f"rows of {length}" for length in sorted(x for x in lengths if x is not None)[:4]]
    return " and ".join(rows + ["plain numbers"] * (None in lengths))


def _floats(items: list[Any], kinds: set[type], name: str) -> array[float]:
    if kinds <= {float, int}:
        with suppress(OverflowError, struct.error):  # a large int, which becomes inf below
            return array("d", struct.pack(f"{len(items)}d", *items))  # in half the time
    return array("d", [real_number(item, f"jit: {name}") for item in items])
