"""Arguments of `sparse_jacobian` and `sparse_hessian`: nested, one point or a batch of points.

They are split into a structure, for which a derivative is recorded once, and numbers (`columns`).
"""

from __future__ import annotations

import inspect
import io
import pickle
from collections.abc import Mapping
from typing import Any

from autograd.checks import refuse_masked
from autograd.compiler.columns import Column
from autograd.derivatives.structures import Nested, form_of, is_array, operands
from autograd.derivatives.transformations import Argnums, _indices
from autograd.value import Value


class Arguments:
    """The positional arguments of a call.

    Attributes:
        is_batch: whether they are a batch of points, and `count` how many there are.
        form: their structure, hashable.
        has_values: whether there are Values among them.
    """

    def __init__(self, operation: str, xs: tuple[Nested, ...], argnums: Argnums) -> None:
        self.operation = operation
        self.xs = xs
        is_first = argnums == 0 and xs  # as it mostly is
        self._indices = [0] if is_first else _indices(operation, argnums, len(xs))[0]
        ranks = [xs[i].ndim if is_array(xs[i]) else 0 for i in self._indices]
        self.is_batch = max(ranks, default=0) > 1
        self.count = self._batch_size() if self.is_batch else 1
        for i, x in enumerate(xs):
            refuse_masked(f"{operation}: argument {i}", x)
        read = [self._read(x) for x in xs]
        self.form = tuple([form for form, _ in read])
        self._numbers = [numbers for _, numbers in read]
        self.has_values = list in map(type, self._numbers)
        if not sum([len(self._numbers[i]) for i in self._indices]):
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

    def _read(self, x: Nested) -> tuple[Any, Any]:
        """The structure of an argument, and its numbers: an array, or a list if it has Values.

        In a batch, the first axis of an array counts the points, and is not in the structure.
        """
        import numpy as np

        if is_array(x) and x.dtype.kind in "biuf":
            form = "array", x.shape[1:] if self.is_batch else x.shape
            return form, np.ascontiguousarray(x, float).ravel()
        given = operands(x, f"{self.operation}: a function's argument")
        is_each = is_array(x) and self.is_batch
        if not any(isinstance(number, Value) for number in given):
            return form_of(x[0] if is_each else x), np.array(given, float)
        if is_each:
            raise TypeError(f"{self.operation}: a batch of points holds numbers, no Values")
        return form_of(x), given

    def example(self) -> list[Nested]:
        """One point of the batch, in the structure that the function takes."""
        return [x[0] if self.is_batch and is_array(x) else x for x in self.xs]

    def columns(self) -> list[Column]:
        """The numbers of each argument as a column of a compiled function."""
        import numpy as np

        found = []
        for x, own in zip(self.xs, self._numbers, strict=True):
            numbers = np.tile(own, self.count) if self.is_batch and not is_array(x) else own
            found.append(Column(self.count, (len(numbers) // self.count,), numbers, True))
        return found


class _Pickler(pickle.Pickler):
    """Pickles what objects hold, but Values, functions and models by their identity.

    These are read at each call (of a model its parameters). They are listed in `known`: an identity
    is that of another object once its own is gone.
    """

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.fast = True  # equal objects need not be one object
        self.known: list[_Same] = []

    def persistent_id(self, x: Any) -> int | None:
        is_known = isinstance(x, Value | type) or inspect.isroutine(x) or hasattr(x, "parameters")
        if not is_known:
            return None
        self.known.append(_Same(x))
        return len(self.known)


class _Same:
    """An object as part of a key: it equals itself alone, and the key keeps it alive."""

    def __init__(self, x: object) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.x is other.x

    def __hash__(self) -> int:
        return id(self.x)


def key_of(constants: Mapping[str, Any]) -> Any:
    """A hashable key of the keyword arguments, as far as the recording depends on them."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    try:
        pickler.dump(sorted(constants.items()))
    except Exception:  # whatever an object raises that cannot be pickled: recorded at each call
        return object()
    return file.getvalue(), tuple(pickler.known)
