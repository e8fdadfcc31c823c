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
from tests.gradbench.function import Function, Thunk, flat, like, values

Vector: TypeAlias = Sequence[Any]

PARAMETERS = ("alpha", "mu", "q", "l")


def log_posterior(*parameters: Vector, point: Vector, n: int, m: int, gamma: float) -> Any:
    """What one of n points contributes: its log likelihood, and an nth of the log prior."""
    d = len(point)
    alpha, *others = parameters
    components = list(zip(*others, strict=True))
    terms = [
        a + ag.sum(q) - 0.5 * ag.sum([y * y for y in whitened(point, mu, q, lower)])
        for a, (mu, q, lower) in zip(alpha, components, strict=True)
    ]
    log_likelihood = ag.logsumexp(terms) - ag.logsumexp(alpha) - 0.5 * d * math.log(2.0 * math.pi)
    log_prior = ag.sum([log_wishart(q, lower, m, gamma) for _, q, lower in components])
    return log_likelihood + log_prior / n


def whitened(point: Vector, mu: Vector, q: Vector, lower: Vector) -> Any:
    """Q·(point - mu)."""
    centered = [x - u for x, u in zip(point, mu, strict=True)]
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


def _prepared(of_sum: Callable[[Any, list[Any]], Any]) -> Callable[[dict[str, Any]], Thunk]:
    """A function of n times what a point contributes, averaged over the points."""

    def prepare(given: dict[str, Any]) -> Thunk:
        parameters = [values(given[name]) for name in PARAMETERS]
        n, m, gamma = given["n"], given["m"], given["gamma"]

        def of_point(point: Vector) -> Any:
            return of_sum(
                n * log_posterior(*parameters, point=point, n=n, m=m, gamma=gamma), parameters
            )

        compiled, x = ag.jit(of_point), np.array(given["x"])
        return lambda: compiled.mean(x)

    return prepare


objective = Function(_prepared(lambda total, _: total))
jacobian = Function(
    _prepared(lambda total, parameters: like(parameters, ag.grad(total, flat(parameters)))),
    lambda slopes: dict(zip(PARAMETERS, slopes, strict=True)),
)
