"""Functions of Values: the primitives by name, and compositions such as `mean` and `softmax`.

They take floats as well, and answer with a float where no Value is among their arguments.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, Protocol, TypeVar, overload

from autograd import primitives, recording, special, value
from autograd.checks import real_number
from autograd.value import Condition, Operand, Value

T = TypeVar("T")


class Unary(Protocol):
    """A function of one number."""

    @overload
    def __call__(self, x: float, /) -> float: ...
    @overload
    def __call__(self, x: Value, /) -> Value: ...


class Binary(Protocol):
    """A function of two numbers."""

    @overload
    def __call__(self, x: float, y: float, /) -> float: ...  # type: ignore[overload-overlap]
    @overload
    def __call__(self, x: Operand, y: Operand, /) -> Value: ...


abs: Unary = primitives.abs.operator
sqrt: Unary = primitives.sqrt.operator
exp: Unary = primitives.exp.operator
expm1: Unary = primitives.expm1.operator
log: Unary = primitives.log.operator
log1p: Unary = primitives.log1p.operator
sin: Unary = primitives.sin.operator
cos: Unary = primitives.cos.operator
tan: Unary = primitives.tan.operator
asin: Unary = primitives.asin.operator
acos: Unary = primitives.acos.operator
atan: Unary = primitives.atan.operator
atan2: Binary = primitives.atan2.operator
sinh: Unary = primitives.sinh.operator
cosh: Unary = primitives.cosh.operator
tanh: Unary = primitives.tanh.operator
sigmoid: Unary = primitives.sigmoid.operator
softplus: Unary = primitives.softplus.operator
relu: Unary = primitives.relu.operator
asinh: Unary = special.asinh.operator
acosh: Unary = special.acosh.operator
atanh: Unary = primitives.atanh.operator
log2: Unary = primitives.log2.operator
log10: Unary = primitives.log10.operator
cbrt: Unary = special.cbrt.operator
sign: Unary = special.sign.operator
floor: Unary = special.floor.operator
ceil: Unary = special.ceil.operator
round: Unary = special.round.operator
trunc: Unary = special.trunc.operator
erf: Unary = special.erf.operator
erfc: Unary = special.erfc.operator
norm_cdf: Unary = special.norm_cdf.operator
log_norm_cdf: Unary = special.log_norm_cdf.operator
lgamma: Unary = special.lgamma.operator
digamma: Unary = special.digamma.operator
log_sigmoid: Unary = primitives.log_sigmoid.operator
logaddexp: Binary = special.logaddexp.operator
xlogy: Binary = special.xlogy.operator
maximum: Binary = primitives.maximum.operator
minimum: Binary = primitives.minimum.operator
stop_gradient: Unary = primitives.stop_gradient.operator


@overload
def hypot(*lengths: float) -> float: ...  # type: ignore[overload-overlap]
@overload
def hypot(*lengths: Operand) -> Value: ...
def hypot(*lengths: Operand) -> Operand:
    """√(x² + y² + …), the length of a vector of any dimension.

    At 0 its gradient is 0, and its second derivative nan, for it has none. So write `dot(v, v)` for
    the squared length, whose Hessian is 2·I, and not `hypot(*v) ** 2`.
    """
    return primitives.hypot(*lengths)


@overload
def sum(terms: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def sum(terms: Iterable[Operand]) -> Value: ...
def sum(terms: Iterable[Operand]) -> Operand:
    """The sum of the terms as one node, added from left to right; 0.0 of nothing."""
    return primitives.sum(*_listed("sum", terms))


@overload
def dot(u: Iterable[float], v: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def dot(u: Iterable[Operand], v: Iterable[Operand]) -> Value: ...
def dot(u: Iterable[Operand], v: Iterable[Operand]) -> Operand:
    """u₁v₁ + u₂v₂ + … as one node, added from left to right; 0.0 if empty.

    The node's operands are all of u, then all of v. Raises ValueError if they differ in length.
    """
    u, v = _listed("dot", u), _listed("dot", v)
    if len(u) != len(v):
        raise ValueError(f"dot: u has {len(u)} elements, v has {len(v)}; give both equally many")
    return primitives.dot(*u, *v)


@overload
def mean(terms: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def mean(terms: Iterable[Operand]) -> Value: ...
def mean(terms: Iterable[Operand]) -> Operand:
    """The arithmetic mean, the `sum` divided by the count. Raises ValueError for no terms."""
    terms = _some("mean", terms)
    return sum(terms) / len(terms)


@overload
def where(condition: Condition | bool, x: float, y: float) -> float: ...  # type: ignore[overload-overlap]
@overload
def where(condition: Value | bool, x: Operand, y: Operand) -> Value: ...
def where(condition: Value | bool, x: Operand, y: Operand) -> Operand:
    """x where the condition holds, y elsewhere, as one node that keeps the condition.

    The condition is a comparison of Values, or a bool. The branch taken has derivative 1, the
    other gradient 0, even where it is inf or nan. The condition gets no gradient.
    """
    selected: Operand = primitives.where(value.condition(condition, "where"), x, y)
    return selected


@overload
def clip(x: float, low: float, high: float) -> float: ...  # type: ignore[overload-overlap]
@overload
def clip(x: Operand, low: Operand, high: Operand) -> Value: ...
def clip(x: Operand, low: Operand, high: Operand) -> Operand:
    """x, but no less than `low` and no more than `high`.

    The bounds may be Values too: a bound that applies has slope 1, and x slope 0. At a bound x has
    slope 1, as in `torch.clamp`.

    Raises ValueError if low is above high (in a compiled function, if both are plain numbers).
    """
    clipped: Operand = primitives.clip(x, low, high)  # which refuses what is no number
    is_crossed = low > high
    if not (recording.is_tracing() and isinstance(is_crossed, Value)) and is_crossed:
        raise ValueError(f"clip: low is {low}, above high, {high}")
    return clipped


@overload
def logsumexp(terms: Iterable[float]) -> float: ...  # type: ignore[overload-overlap]
@overload
def logsumexp(terms: Iterable[Operand]) -> Value: ...
def logsumexp(terms: Iterable[Operand]) -> Operand:
    """log(eᵃ + eᵇ + …) of the terms, without overflow. Raises ValueError for no terms.

    The largest term is factored out. If it is infinite, ± the largest float64 is factored out
    instead, because inf - inf is nan.
    """
    terms = _some("logsumexp", terms)
    top = minimum(maximum(_largest(terms), -sys.float_info.max), sys.float_info.max)
    return top + log(sum([exp(x - top) for x in terms]))


@overload
def softmax(terms: Iterable[float]) -> list[float]: ...  # type: ignore[overload-overlap]
@overload
def softmax(terms: Iterable[Operand]) -> list[Value]: ...
def softmax(terms: Iterable[Operand]) -> list[Any]:
    """eˣ / Σ eˣ for each term x, a logit: positive numbers that add up to 1.

    Raises ValueError for no terms.
    """
    terms = _some("softmax", terms)
    top = _largest(terms)
    exps = [exp(x - top) for x in terms]
    total = sum(exps)
    return [e / total for e in exps]


def take(rows: Sequence[Any], index: Operand) -> Any:
    """`rows[index]`, where the index may be a Value, such as a token's row of an embedding matrix.

    Only the row taken gets a gradient; the index gets none. In a compiled function the row is
    selected at each call, and is nan for an invalid index.

    Args:
        rows: numbers, or lists of them of one length, from which a list is taken.
        index: a whole number from 0 to len(rows) - 1.

    Raises:
        ValueError: if there are no rows, they differ in length, or the index is not such a number.
    """
    rows = _some("take", rows)
    lengths = {len(row) if isinstance(row, list | tuple) else None for row in rows}
    if len(lengths) > 1:
        raise ValueError(f"take: the rows have different lengths: {lengths}")
    if not (isinstance(index, Value) and recording.is_tracing()):
        number = index.data if isinstance(index, Value) else real_number(index, "take")
        if number not in range(len(rows)):
            raise ValueError(f"take: expected an index from 0 to {len(rows) - 1}, got {number!r}")
        row = rows[int(number)]
        if not isinstance(index, Value):
            return row
        # Each element passes a `where`, as in a compiled function, so that sums group alike there.
        is_taken = is_at(index, int(number))
        if None in lengths:
            return where(is_taken, row, -0.0)
        return [where(is_taken, x, -0.0) for x in row]
    taken = selector([is_at(index, k) for k in range(len(rows))])
    if None in lengths:
        return taken(rows)
    return [taken(column) for column in zip(*rows, strict=True)]


def is_at(index: Value, k: int) -> Value:
    """The condition that the index is k."""
    return (index >= k) & (index <= k)


def selector(conditions: Sequence[Value]) -> Callable[[Iterable[Operand]], Operand]:
    """The function that returns the term whose condition holds, of a list; nan if there is none.

    It is a sum of which all terms but one are -0.0, which leave every number as it is. The first is
    nan where no condition holds.
    """
    start = where(sum(conditions) > 0.0, -0.0, math.nan)
    return lambda terms: sum(
        [start, *[where(c, x, -0.0) for c, x in zip(conditions, terms, strict=True)]]
    )


@overload
def polygamma(n: int, x: float) -> float: ...
@overload
def polygamma(n: int, x: Value) -> Value: ...
def polygamma(n: int, x: Operand) -> Operand:
    """The n-th derivative of `digamma` at x; of order 0 `digamma` itself.

    Raises ValueError unless n is a whole number from 0 to 99.
    """
    found: Operand = special.polygamma(n, x)
    return found


@overload
def square(x: float) -> float: ...
@overload
def square(x: Value) -> Value: ...
def square(x: Operand) -> Operand:
    """x², computed as x·x."""
    squared: Operand = primitives.mul(x, x)
    return squared


def _listed(function: str, terms: Iterable[T]) -> tuple[T, ...]:
    if not hasattr(terms, "__iter__"):
        raise TypeError(f"{function}: expected a list of terms, got {terms!r}; write [x, y]")
    return tuple(terms)


def _some(function: str, terms: Iterable[T]) -> tuple[T, ...]:
    listed = _listed(function, terms)
    if not listed:
        raise ValueError(f"{function}: got no terms; it needs at least one")
    return listed


def _largest(terms: Iterable[Operand]) -> Operand:
    return stop_gradient(reduce(maximum, terms))
