"""Functions of several Values: `sum`, `dot`, `mean` and `where`.

They take floats as well, and answer with a float where no Value is among their arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import overload

from autograd import primitives
from autograd.value import Condition, Operand, Value


@overload
def sum(terms: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def sum(terms: Iterable[Operand]) -> Value: ...
def sum(terms: Iterable[Operand]) -> Operand:
    """The sum of the terms as one node, added from left to right; 0.0 of nothing."""
    return primitives.sum(*terms)


@overload
def dot(u: Iterable[float], v: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def dot(u: Iterable[Operand], v: Iterable[Operand]) -> Value: ...
def dot(u: Iterable[Operand], v: Iterable[Operand]) -> Operand:
    """u₁v₁ + u₂v₂ + … as one node, added from left to right; 0.0 of nothing.

    The node's operands are all of u, then all of v. Raises ValueError if they differ in length.
    """
    u, v = tuple(u), tuple(v)
    if len(u) != len(v):
        raise ValueError(f"dot: u has {len(u)} elements, v has {len(v)}; give both equally many")
    return primitives.dot(*u, *v)


@overload
def mean(terms: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def mean(terms: Iterable[Operand]) -> Value: ...
def mean(terms: Iterable[Operand]) -> Operand:
    """The arithmetic mean, the `sum` divided by the count. Raises ValueError for no terms."""
    terms = tuple(terms)
    if not terms:
        raise ValueError("mean: got no terms; it needs at least one")
    return sum(terms) / len(terms)


@overload
def where(condition: Condition | bool, x: float, y: float) -> float: ...  # type: ignore[overload-overlap]
@overload
def where(condition: Condition | bool, x: Operand, y: Operand) -> Value: ...
def where(condition: Condition | bool, x: Operand, y: Operand) -> Operand:
    """x where the condition holds, y elsewhere, as one node that keeps the condition.

    The condition is a comparison of Values, or a bool. The branch taken has derivative 1, the
    other 0, and the condition none.
    """
    if not isinstance(condition, Condition):
        if not primitives.is_bool(condition):
            raise TypeError(
                f"where: expected a comparison of Values or a bool as the condition, "
                f"got {condition!r} of type {type(condition).__name__}"
            )
        condition = bool(condition)
    x, y = (v if isinstance(v, Value) else primitives.where.number(v) for v in (x, y))
    return primitives.where(*(condition, x, y))  # type: ignore[arg-type]
