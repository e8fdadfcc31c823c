"""Hypothesis strategies for numbers and for random graphs over the whole table of primitives."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from autograd.primitives import TABLE
from tests.numerics import SPECIAL

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

ordinary = st.floats(-2.0, 2.0, allow_subnormal=False).map(lambda x: round(x, 3))
any_float = st.one_of(st.sampled_from(SPECIAL), st.floats())


@dataclass(frozen=True)
class Operation:
    """A primitive, and for each operand a constant or the place of an earlier value.

    `condition`, for `where` alone, is a comparison of two operands.
    """

    name: str
    operands: tuple[int | float, ...]
    condition: tuple[int | float, str, int | float] | None = None


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
            args = [operand(place) for place in operation.operands]
            if operation.condition:
                left, symbol, right = operation.condition
                args.insert(0, COMPARE[symbol](operand(left), operand(right)))
            values.append(table[operation.name](*args))
        return values[-1]


def _latest_first(n: int) -> st.SearchStrategy[int]:
    """A place among n values; examples are simplified towards the one computed last."""
    return st.integers(0, n - 1).map(lambda i: n - 1 - i)


@st.composite
def programs(
    draw: st.DrawFn,
    n_inputs: int = 3,
    max_operations: int = 12,
    names: Iterable[str] = TABLE,
    constants: st.SearchStrategy[float] = ordinary,
) -> Program:
    """Random programs, in which values are shared freely and constants stand among the operands."""
    operations: list[Operation] = []
    for n_values in range(n_inputs, n_inputs + draw(st.integers(1, max_operations))):
        place = _latest_first(n_values)
        operand = st.one_of(place, place, place, constants)
        name = draw(st.sampled_from(list(names)))
        primitive, condition = TABLE[name], None
        arity = draw(st.sampled_from((2, 4, 6))) if primitive.variadic else len(primitive.partials)
        if name == "where":
            condition = (draw(operand), draw(st.sampled_from(list(COMPARE))), draw(operand))
            arity -= 1
        operands = [draw(operand) for _ in range(arity)]
        if not any(type(x) is int for x in operands):
            operands[0] = draw(place)
        operations.append(Operation(name, tuple(operands), condition))
    return Program(tuple(operations))


def inputs(numbers: st.SearchStrategy[float], n: int = 3) -> st.SearchStrategy[Sequence[float]]:
    """`n` numbers to call a program with."""
    return st.lists(numbers, min_size=n, max_size=n)
