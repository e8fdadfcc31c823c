"""`lse`: log Σ exp(xᵢ) and its gradient, without overflow.

The largest x is taken out of the sum. The result does not depend on what is taken out, so it is
marked as a constant, and no derivative is followed through the maximum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk


def logsumexp(x: Sequence[Any]) -> Any:
    largest, _ = ag.scan(lambda top, xi: (ag.maximum(top, xi), None), x[0], x[1:])
    top = ag.stop_gradient(largest)
    total, _ = ag.scan(lambda total, xi: (total + ag.exp(xi - top), None), 0.0, x)
    return top + ag.log(total)


def _prepared(f: Callable[..., Any]) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        compiled, x = ag.jit(f, in_axes=None), np.array(given["x"])
        return lambda: compiled(x)

    return Function(prepare)


primal = _prepared(logsumexp)
gradient = _prepared(ag.gradient(logsumexp))
