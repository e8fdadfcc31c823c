"""Nested lists, tuples, dictionaries and NumPy arrays of numbers, flattened and rebuilt.

Dictionaries keep the order of their keys, named tuples their names.
"""

from __future__ import annotations

import copy
import reprlib
import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

from autograd.checks import real_number, refuse_masked
from autograd.value import Operand, Value

Nested: TypeAlias = Any
"""A number, or a list, tuple, dictionary or array of Nested. (A recursive type would refuse users'
lists, because `list` is invariant.)"""


STRUCTURES = "give a list, a tuple, a dictionary or a NumPy array"
"""Advice in messages about several numbers."""


def flat(nested: Nested) -> Iterator[Any]:
    """Every number of the structure, in order.

    Raises:
        TypeError: for a masked array.
    """
    if isinstance(nested, dict):
        for item in nested.values():
            yield from flat(item)
    elif isinstance(nested, list | tuple):
        for item in nested:
            yield from flat(item)
    elif is_array(nested):
        refuse_masked(f"got {reprlib.repr(nested)}, which", nested)
        for item in nested.flat:
            yield from flat(item)
    else:
        yield nested


def flat_like(like: Nested, nested: Nested, operation: str) -> Iterator[Any]:
    """Every number of `nested` in the order in which `like` has them: dictionaries by their keys.

    Raises:
        ValueError: if a dictionary has other keys than the one in `like`.
    """
    if isinstance(like, dict) and isinstance(nested, dict):
        if like.keys() != nested.keys():
            raise ValueError(
                f"{operation}: expected the keys {list(like)}, got {list(nested)}; "
                f"give the structure of the function's argument or result"
            )
        for key, item in like.items():
            yield from flat_like(item, nested[key], operation)
    elif (
        isinstance(like, list | tuple)
        and isinstance(nested, list | tuple)
        and len(like) == len(nested)
    ):
        for pair in zip(like, nested, strict=True):
            yield from flat_like(*pair, operation)
    else:
        yield from flat(nested)


def operands(nested: Nested, what: str, several: str = STRUCTURES) -> list[Operand]:
    """Every number of the structure, in order: Values as they are, others as floats.

    Raises:
        TypeError: for anything else.
    """
    return [operand(x, what, several) for x in flat(nested)]


def operand(x: object, what: str, several: str = "take one at a time") -> Operand:
    """A Value as it is, another number as a float; `several` is what to do with several numbers."""
    return x if isinstance(x, Value) else real_number(x, what, several=several)


def form_of(nested: Nested) -> Any:
    """A hashable description of the structure, without the numbers."""
    if isinstance(nested, dict):
        return type(nested), tuple([(key, form_of(item)) for key, item in nested.items()])
    if isinstance(nested, list | tuple):
        return type(nested), tuple([form_of(item) for item in nested])
    return ("array", nested.shape) if is_array(nested) else "number"


def rebuilt(nested: Nested, items: Iterator[Any]) -> Nested:
    """The structure of `nested` with the next items in place of its numbers."""
    if isinstance(nested, dict):
        result = copy.copy(nested)  # of its own type, whatever that one is constructed from
        for key, item in nested.items():
            result[key] = rebuilt(item, items)
        return result
    if isinstance(nested, tuple):
        parts = [rebuilt(item, items) for item in nested]
        return type(nested)(*parts) if hasattr(nested, "_fields") else tuple(parts)
    if isinstance(nested, list):
        return [rebuilt(item, items) for item in nested]
    if is_array(nested):
        return _array(nested, [next(items) for _ in range(nested.size)])
    return next(items)


def paths(nested: Nested, prefix: str = "") -> Iterator[str]:
    """The path to every number of the structure, such as `['weights'][0]`."""
    if isinstance(nested, dict):
        for key, item in nested.items():
            yield from paths(item, f"{prefix}[{key!r}]")
    elif isinstance(nested, list | tuple) or (is_array(nested) and nested.shape):
        for i, item in enumerate(nested):
            yield from paths(item, f"{prefix}[{i}]")
    else:
        yield prefix


def is_array(x: object) -> bool:
    """Whether x is a NumPy array."""
    # Without NumPy there is no array, nor while another thread is importing it.
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    return array is not None and isinstance(x, array)


def _array(like: Any, items: list[Any]) -> Nested:
    """The items as an array of the shape of `like`.

    Where the items are arrays themselves, it is one array of more dimensions. Where they are
    tuples or dictionaries, such as the derivatives with respect to several arguments, these stay
    outside and hold the arrays, as in JAX. Lists stay inside: a list of rows is a matrix.
    """
    import numpy as np

    first = items[0] if items else 0.0
    if isinstance(first, tuple):
        parts = [_array(like, list(part)) for part in zip(*items, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if isinstance(first, dict):
        result = copy.copy(first)
        for key in first:
            result[key] = _array(like, [item[key] for item in items])
        return result
    if isinstance(first, list):
        return _rows(like.shape, iter(items))
    numbers = list(flat(items))
    has_values = any(isinstance(x, Value) for x in numbers)
    array: Any = np.empty(len(numbers), object if has_values else float)
    array[:] = numbers
    return array.reshape(like.shape + np.shape(first))


def _rows(shape: tuple[int, ...], items: Iterator[Any]) -> Nested:
    return [_rows(shape[1:], items) for _ in range(shape[0])] if shape else next(items)
