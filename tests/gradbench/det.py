"""`det`: the determinant of a matrix by expansion along its first row, and its gradient.

The recursion is ordinary Python; recorded, it is a graph of ℓ! products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


def _prepared(transformation: Callable[[Any], Any]) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        n = given["ell"]

        def of_flat(a: Sequence[Any]) -> Any:
            return determinant([a[i : i + n] for i in range(0, n * n, n)])

        compiled, a = ag.jit(transformation(of_flat), in_axes=None), np.array(given["A"])
        return lambda: compiled(a)

    return Function(prepare)


primal = _prepared(lambda f: f)
gradient = _prepared(ag.gradient)
