"""`gmm`: the log posterior of a mixture of Gaussians with a Wishart prior, and its gradient.

Each component has a weight, a mean and a precision matrix QᵀQ, where Q is lower triangular with
exp(q) on its diagonal and l below it, column by column. The points are the examples of a compiled
function; its mean times their number is the sum that is asked for. What does not depend on a point
is computed once a call, although it is written as a part of every example.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk

Vector: TypeAlias = Sequence[Any]

Matrix: TypeAlias = Sequence[Vector]

PARAMETERS = ("alpha", "mu", "q", "l")
AXES = (0, None, None, None, None)
"""The points are examples, which share the parameters."""


def log_posterior(
    point: Vector, alpha: Vector, mu: Matrix, q: Matrix, lower: Matrix, n: int, m: int, gamma: float
) -> Any:
    """What one of n points contributes: its log likelihood, and an nth of the log prior."""
    terms, priors = [], []
    for a, mean, diagonal, below in zip(alpha, mu, q, lower, strict=True):
        y = whitened(point, mean, diagonal, below)
        terms.append(a + ag.sum(diagonal) - 0.5 * ag.dot(y, y))
        priors.append(log_wishart(diagonal, below, m, gamma))
    log_likelihood = ag.logsumexp(terms) - ag.logsumexp(alpha)
    return log_likelihood - 0.5 * len(point) * math.log(2.0 * math.pi) + ag.sum(priors) / n


def whitened(point: Vector, mean: Vector, q: Vector, lower: Vector) -> Any:
    """Q·(point - mean)."""
    centered = [x - u for x, u in zip(point, mean, strict=True)]
    rows = [[ag.exp(diagonal) * c] for diagonal, c in zip(q, centered, strict=True)]
    below = iter(lower)
    for j, c in enumerate(centered):
        for row in rows[j + 1 :]:
            row.append(next(below) * c)
    return [ag.sum(row) for row in rows]


def log_wishart(q: Vector, lower: Vector, m: int, gamma: float) -> Any:
    """The log density of QᵀQ, but for the part of the normalization that all tools leave out."""
    d = len(q)
    degrees = d + m + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi)
    log_gamma += math.fsum(math.lgamma(0.5 * (degrees - j)) for j in range(d))
    constant = degrees * d * (math.log(gamma) - 0.5 * math.log(2.0)) - log_gamma
    squares = [ag.exp(2.0 * x) for x in q] + [x * x for x in lower]
    return constant - 0.5 * gamma * gamma * ag.sum(squares) + m * ag.sum(q)


def _prepared(transformation: Callable[..., Any], told: Callable[[Any], Any]) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        n, m, gamma = given["n"], given["m"], given["gamma"]

        def of_point(point: Vector, *parameters: Any) -> Any:
            return n * log_posterior(point, *parameters, n, m, gamma)  # type: ignore[call-arg]

        of_parameters = range(1, 1 + len(PARAMETERS))
        compiled = ag.jit(transformation(of_point, of_parameters), in_axes=AXES)
        arrays = [np.array(given[name]) for name in ("x", *PARAMETERS)]
        return lambda: told(compiled.mean(*arrays))

    return Function(prepare)


objective = _prepared(lambda f, _: f, lambda total: total)
jacobian = _prepared(ag.gradient, lambda slopes: dict(zip(PARAMETERS, slopes, strict=True)))
