"""The arguments of a sparse derivative: their structure, and their numbers as columns."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from numbers import Number
from typing import Any

from autograd.compiler.columns import Column
from autograd.derivatives.structures import Nested, flat, form_of, is_array, rebuilt
from autograd.derivatives.transformations import Argnums, _indices
from autograd.primitives import real_number
from autograd.value import Value


class Arguments:
    """The positional arguments of a call.

    Attributes:
        is_batch: whether they are a batch of points.
        form: their structure, hashable.
        n, n_others: how many numbers there are to differentiate with respect to, and besides.
        has_values: whether there are Values among them.
    """

    def __init__(self, operation: str, xs: tuple[Nested, ...], argnums: Argnums) -> None:
        self.operation = operation
        self.xs = xs
        if argnums == 0 and xs:
            self._indices = [0]
        else:
            self._indices, _ = _indices(operation, argnums, len(xs))
        self._others = [i for i in range(len(xs)) if i not in self._indices]
        chosen = [xs[i] for i in self._indices]
        self.is_batch = any(is_array(x) and x.ndim > 1 for x in chosen)
        self._count = self._batch_size() if self.is_batch else 1
        self._each = [self.is_batch and is_array(x) for x in xs]
        self._numbers: list[Any] = [
            self._read(x, is_each) for x, is_each in zip(xs, self._each, strict=True)
        ]
        self.form = tuple([form for form, _ in self._numbers])
        widths = [self._width(i) for i in range(len(xs))]
        self.n = sum(widths[i] for i in self._indices)
        self.n_others = sum(widths[i] for i in self._others)
        self.has_values = any(type(numbers) is list for _, numbers in self._numbers)
        if not self.n:
            raise ValueError(
                f"{operation}: there is no number to differentiate with respect to among the "
                f"arguments {xs!r:.80}"
            )

    def _batch_size(self) -> int:
        counts: dict[int, int] = {}
        for i, x in enumerate(self.xs):
            if is_array(x):
                counts[i] = x.shape[0] if x.ndim else 1
            elif i in self._indices:
                raise ValueError(
                    f"{self.operation}: argument {i} is no array, but another one is a batch of "
                    f"points; give each as an array with a point in each entry of the first axis"
                )
        if len(set(counts.values())) > 1:
            raise ValueError(
                f"{self.operation}: the batches have {list(counts.values())} points; give each "
                f"array equally many, and what is the same for all points as a list"
            )
        count: int = next(iter(counts.values()))
        if not count:
            raise ValueError(f"{self.operation}: the batch holds no points")
        return count

    def _read(self, x: Nested, is_each: bool) -> tuple[Any, Any]:
        """The structure of an argument, and its numbers: an array, or a list with Values in it."""
        import numpy as np

        if is_array(x) and x.dtype.kind in "biuf":
            shape = x.shape[1:] if is_each else x.shape
            return ("array", shape), np.asarray(x, float, order="C").reshape(-1)
        if type(x) is list:
            array = _array_of(x)
            if array is not None:
                return ("list", len(x)), array
        given = list(flat(x))
        if any(isinstance(number, Value) for number in given):
            if is_each:
                raise TypeError(f"{self.operation}: a batch of points holds numbers, no Values")
            return form_of(x), given
        what = f"{self.operation}: a function's argument"
        numbers = [
            real_number(number, what, "a real number", "give a list, a tuple, a dictionary or an "
                        "array") for number in given
        ]  # fmt: skip
        form = form_of(x[0]) if is_each else form_of(x)
        return form, np.array(numbers, float)

    def _width(self, i: int) -> int:
        numbers = len(self._numbers[i][1])
        return numbers // self._count if self._each[i] else numbers

    def example(self) -> list[Nested]:
        """One point, in the structure that the function gets it in."""
        return [x[0] if is_each else x for x, is_each in zip(self.xs, self._each, strict=True)]

    def filled(
        self, example: Sequence[Nested], chosen: Iterable[Value], others: Iterable[Value]
    ) -> tuple[Nested, ...]:
        """The arguments with these numbers in them."""
        found = list(example)
        for indices, numbers in ((self._indices, chosen), (self._others, others)):
            numbers_left = iter(numbers)
            for i in indices:
                found[i] = rebuilt(example[i], numbers_left)
        return tuple(found)

    def columns(self) -> list[Column]:
        """The numbers as columns of a compiled function."""
        import numpy as np

        found = []
        for indices in (self._indices, self._others):
            if len(indices) == 1 and self._count == 1:
                numbers = self._numbers[indices[0]][1]
            else:
                parts = [self._rows(i) for i in indices]
                numbers = np.concatenate(parts, axis=1).reshape(-1) if parts else ()
            if len(numbers):
                found.append(Column(self._count, (len(numbers) // self._count,), numbers, True))
        return found

    def _rows(self, i: int) -> Any:
        """The numbers of an argument, a row for each point."""
        import numpy as np

        numbers = self._numbers[i][1]
        if self._each[i]:
            return numbers.reshape(self._count, -1)
        return np.broadcast_to(numbers, (self._count, len(numbers)))


def _array_of(x: list[Any]) -> Any:
    """A flat list of numbers as an array; None if it is anything else."""
    import numpy as np

    if set(map(type, x)) <= {float, int}:
        try:
            return np.array(x, float)
        except OverflowError:  # an int beyond the range of float64
            return None
    return None


def key_of(constants: Mapping[str, Any]) -> Any:
    """What the recording depends on among the arguments given by name, hashable."""
    return tuple([(name, _key(constants[name])) for name in sorted(constants)])


def _key(x: Any) -> Any:
    if isinstance(x, dict):
        return type(x), tuple([(key, _key(item)) for key, item in x.items()])
    if isinstance(x, list | tuple):
        return type(x), tuple(map(_key, x))
    if is_array(x) and x.dtype.kind != "O":
        return "array", x.dtype.str, x.shape, x.tobytes()
    if is_array(x):
        return "array", x.shape, tuple(map(_key, x.flat))
    if isinstance(x, set | frozenset):
        return type(x), frozenset(x)
    if isinstance(x, float):
        return type(x), float(x).hex()  # 0.0 is not -0.0
    is_function = callable(x) and type(x).__hash__ is not None
    if x is None or is_function or isinstance(x, Number | str | bytes | Value):
        return type(x), x
    try:  # what an object holds, because that may change
        return type(x), pickle.dumps(x)
    except Exception:  # whatever an object raises that cannot be pickled: recorded at each call
        return object()
