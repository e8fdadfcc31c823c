"""`det`: the determinant of a matrix by expansion along its first row, and its gradient.

The recursion is ordinary Python; recorded, it is a graph of ℓ! products.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk


def determinant(rows: Sequence[Sequence[Any]]) -> Any:
    first, *others = rows
    if not others:
        return first[0]
    signed = first[0] * determinant([row[1:] for row in others])
    for j in range(1, len(first)):
        term = first[j] * determinant([[*row[:j], *row[j + 1 :]] for row in others])
        signed = signed - term if j % 2 else signed + term
    return signed


def _rows(a: Sequence[Any], n: int) -> list[Sequence[Any]]:
    return [a[i : i + n] for i in range(0, n * n, n)]


def _primal(given: dict[str, Any]) -> Thunk:
    compiled = ag.jit(lambda a: determinant(_rows(a, given["ell"])), in_axes=None)
    a = np.array(given["A"])
    return lambda: compiled(a)


def _gradient(given: dict[str, Any]) -> Thunk:
    """By `backward`, whose sweep the compiler makes without a Value for each operation."""
    leaves = list(map(ag.Value, given["A"]))
    compiled = ag.jit(lambda: determinant(_rows(leaves, given["ell"])))

    def compute() -> list[float | None]:
        for leaf in leaves:
            leaf.grad = 0.0
        compiled.backward()
        return [leaf.grad for leaf in leaves]

    return compute


primal, gradient = Function(_primal), Function(_gradient)
