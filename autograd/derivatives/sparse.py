"""Sparse Jacobians and Hessians of a function as graph, which `compiler.sparse` compiles.

`elimination` computes Jacobians, `edge_pushing` Hessians, both on the graph that `sparse_graph`
prepares, with the partials of `local_partials` and the arithmetic of `terms`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from autograd import recording
from autograd.derivatives.edge_pushing import hessian_entries
from autograd.derivatives.elimination import jacobian_entries
from autograd.derivatives.structures import Nested
from autograd.derivatives.transformations import Argnums, _called
from autograd.value import Operand


class Sparse(NamedTuple):
    """A sparse matrix: the places of its structural nonzeros, row by row, and their values.

    Of a symmetric matrix, those of the lower half.
    """

    rows: list[int]
    columns: list[int]
    shape: tuple[int, int]
    values: list[Operand]


def sparse_of(
    operation: str,
    f: Callable[..., Nested],
    xs: tuple[Nested, ...],
    argnums: Argnums,
    constants: Mapping[str, Any],
) -> Sparse:
    """The Jacobian of f at xs, or the Hessian if that is the operation's name.

    Its values are floats or Values, as those of `jacobian` and `hessian` are.
    """
    with recording.unrolling(), _called(operation, xs, argnums) as call:
        result = call.apply(f, constants)
        if operation == "sparse_hessian":
            entries = hessian_entries(call.value(result), call.leaves)
            n_rows = len(call.leaves)
        else:
            outputs = call.values(result)
            entries, n_rows = jacobian_entries(outputs, call.leaves), len(outputs)
        values = list(call.returned([value for _, _, value in entries]))
        shape = (n_rows, len(call.leaves))
    return Sparse([i for i, _, _ in entries], [j for _, j, _ in entries], shape, values)
