"""Hypothesis strategies for numbers and for random graphs over the whole table of primitives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from autograd.primitives import TABLE
from tests.numerics import SPECIAL

COMPARISONS = ("lt", "le", "gt", "ge")
"""The rows that make the conditions of `where`."""

ordinary = st.floats(-2.0, 2.0, allow_subnormal=False).map(lambda x: round(x, 3))
any_float = st.one_of(st.sampled_from(SPECIAL), st.floats())


@dataclass(frozen=True)
class Operation:
    """A primitive, and for each operand a constant or the place of an earlier value."""

    name: str
    operands: tuple[int | float, ...]


@dataclass(frozen=True)
class Program:
    """A random function of several numbers, as a list of operations; the last is its result."""

    operations: tuple[Operation, ...]

    def __call__(self, *inputs: Any, table: dict[str, Any] = TABLE) -> Any:
        """The result, on floats or on Values (or on whatever another `table` computes with)."""
        values = list(inputs)

        def operand(place: int | float) -> Any:
            return values[place] if type(place) is int else place

        for operation in self.operations:
            values.append(table[operation.name](*map(operand, operation.operands)))
        return values[-1]


def _latest_first(n: int) -> st.SearchStrategy[int]:
    """A place among n values; examples are simplified towards the one computed last."""
    return st.integers(0, n - 1).map(lambda i: n - 1 - i)


@st.composite
def programs(
    draw: st.DrawFn,
    n_inputs: int = 3,
    max_operations: int = 12,
    names: Iterable[str] = tuple(TABLE),
    constants: st.SearchStrategy[float] = ordinary,
) -> Program:
    """Random programs, in which values are shared freely and constants stand among the operands.

    The condition of a `where` is a comparison: an earlier one, or one made for it.
    """
    operations: list[Operation] = []
    comparisons: list[int] = []

    def add(name: str) -> int:
        """An operation more; the place of its result."""
        place = _latest_first(n_inputs + len(operations))
        operand = st.one_of(place, place, place, constants)
        row = TABLE[name]
        arity = draw(st.sampled_from((2, 4, 6))) if row.variadic else len(row.partials)
        operands = [draw(operand) for _ in range(arity - (name == "where"))]
        if not any(type(x) is int for x in operands):
            operands[0] = draw(place)
        if name == "where":
            is_new = not comparisons or draw(st.booleans())
            condition = (
                add(draw(st.sampled_from(COMPARISONS)))
                if is_new
                else draw(st.sampled_from(comparisons))
            )
            operands.insert(0, condition)
        operations.append(Operation(name, tuple(operands)))
        if name in COMPARISONS:
            comparisons.append(n_inputs + len(operations) - 1)
        return n_inputs + len(operations) - 1

    chosen = sorted(names)
    for _ in range(draw(st.integers(1, max_operations))):
        add(draw(st.sampled_from(chosen)))
    return Program(tuple(operations))


def inputs(numbers: st.SearchStrategy[float], n: int = 3) -> st.SearchStrategy[Sequence[float]]:
    """`n` numbers to call a program with."""
    return st.lists(numbers, min_size=n, max_size=n)
