"""`llsq`: a polynomial fitted to the sign function, ½ Σ (sᵢ - Σ xⱼ tᵢʲ)², and its gradient.

The points (tᵢ, sᵢ) are the examples of a compiled function, which share the coefficients x.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk


def squared_residual(x: Sequence[Any], t: Any, s: Any) -> Any:
    power: Any = 1.0
    residual = s
    for coefficient in x:
        residual = residual - coefficient * power
        power = power * t
    return residual * residual


def _prepared(of_example: Callable[..., Any]) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        x, n = np.array(given["x"]), given["n"]
        t = -1.0 + 2.0 * np.arange(n) / (n - 1)
        s = np.sign(t)
        compiled = ag.jit(of_example, in_axes=(None, 0, 0))
        return lambda: 0.5 * n * np.array(compiled.mean(x, t, s))

    return Function(prepare)


primal = _prepared(squared_residual)
gradient = _prepared(ag.gradient(squared_residual, argnums=0))
