"""Operations with several results, such as a loop: one node for the whole, and one for each result.

The results that another loop reads, one in each of its steps, are a single node, a `Column`.

The node of the whole has no number of its own. There are such nodes in functions that are being
compiled; eager code has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd.value import Operand, Value


class RowOfMany:
    """The row of a node with several results, or of one of them; replaces a `Primitive` there."""

    name: str
    arity: int | None = None
    definition = None
    variadic, chooses, is_local = True, False, True

    def record(self, args: Sequence[Any]) -> Value:
        """Record a node for this row on these operands, without a number."""
        row: Any = self
        for x in args:
            if isinstance(x, Value) and x.record is not Value.record:  # it was traced
                traced: Value = x.record(row, args)
                return traced
        node = Value(math.nan)
        node.primitive = row
        node._keep(args, (None,) * len(args))
        return node


class ManyResults(RowOfMany):
    """The primitive of the node that stands for an operation with several results.

    `chooses` says whether it selects anywhere inside.
    """

    def sources(self, node: Value, results: Sequence[tuple[float, ...]]) -> list[Operand]:
        """The operands with respect to which some results have derivatives.

        Args:
            node: the node of this row.
            results: the indices of the results.
        """
        raise NotImplementedError

    def pull_back(
        self,
        node: Value,
        upstream: Sequence[tuple[tuple[float, ...], Operand, Operand]],
        earlier: Mapping[Value, tuple[Operand | None, Operand]],
    ) -> Mapping[Value, tuple[Operand, Operand]]:
        """Reverse mode: add the contributions of this node to those made before.

        Args:
            node: the node of this row.
            upstream: for each result with a gradient: its index, the upstream gradient, and its
                activity (see `pulled_back`).
            earlier: for each operand to differentiate with respect to, the sum of the contributions
                made before (None if there are none), and its activity.

        Returns:
            for each operand that the node contributes to, the new sum, and its activity.
        """
        raise NotImplementedError

    def push_forward(
        self, node: Value, tangents: Mapping[Value, tuple[Operand | None, Operand]]
    ) -> Callable[[tuple[float, ...]], tuple[Operand | None, Operand]]:
        """Forward mode: from the tangents of operands to those of results, each with its activity.

        Returns:
            a function of a result's index; the tangent is None if the result never has one (see
            `pushed_forward`).
        """
        raise NotImplementedError


class Result(RowOfMany):
    """The row of one result; its operands are the node of the whole and the result's index."""

    name = "result"


class Column(RowOfMany):
    """The row of the results that another loop reads in turn, one in each of its steps.

    Its operands are the node of the whole, the index (t, column) of the first of these results,
    and by how much t grows from each to the next.
    """

    name = "column"
