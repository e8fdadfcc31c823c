"""Sparse derivatives of a function as graph: the structural nonzeros of a Jacobian or a Hessian."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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


def sparse_jacobian_of(
    f: Callable[..., Nested],
    xs: tuple[Nested, ...],
    argnums: Argnums,
    constants: Mapping[str, Any],
) -> Sparse:
    """The Jacobian of f at xs; its values are floats or Values, as those of `jacobian` are."""
    with _called("sparse_jacobian", xs, argnums) as call:
        outputs = call.values(call.apply(f, constants))
        entries = jacobian_entries(outputs, call.leaves)
        values = list(call.returned([value for _, _, value in entries]))
        shape = (len(outputs), len(call.leaves))
    return Sparse([i for i, _, _ in entries], [j for _, j, _ in entries], shape, values)


def sparse_hessian_of(
    f: Callable[..., Operand],
    xs: tuple[Nested, ...],
    argnums: Argnums,
    constants: Mapping[str, Any],
) -> Sparse:
    """The lower half of the Hessian of f at xs; floats or Values, as those of `hessian` are."""
    with _called("sparse_hessian", xs, argnums) as call:
        output = call.value(call.apply(f, constants))
        entries = hessian_entries(output, call.leaves)
        values = list(call.returned([value for _, _, value in entries]))
        shape = (len(call.leaves), len(call.leaves))
    return Sparse([i for i, _, _ in entries], [j for _, j, _ in entries], shape, values)
