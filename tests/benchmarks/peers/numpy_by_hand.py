"""NumPy: matrices, and the gradient derived by hand."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.measure import repeated
from tests.benchmarks.peers import Contestant, Problem, flat


def contestants(problem: Problem) -> dict[str, Contestant]:
    import numpy as np

    X, y = np.array(problem.X), np.array(problem.Y, dtype=np.float64)
    layers = list(problem.matrices())

    def gradient() -> list[tuple[Any, Any]]:
        (W1, b1), (W2, b2), (W3, b3) = layers
        a1 = np.maximum(X @ W1.T + b1, 0.0)
        a2 = np.maximum(a1 @ W2.T + b2, 0.0)
        score = (a2 @ W3.T + b3)[:, 0]
        dz3 = np.where(y * score < 1.0, -y / len(y), 0.0)[:, None]
        dz2 = (dz3 @ W3) * (a2 > 0.0)
        dz1 = (dz2 @ W2) * (a1 > 0.0)
        decay = 2.0 * problem.penalty
        return [
            (dz.T @ a + decay * W, dz.sum(axis=0) + decay * b)
            for dz, a, (W, b) in zip((dz1, dz2, dz3), (X, a1, a2), layers, strict=True)
        ]

    def step() -> None:
        for (W, b), (dW, db) in zip(layers, gradient(), strict=True):
            np.subtract(W, problem.learning_rate * dW, out=W)
            np.subtract(b, problem.learning_rate * db, out=b)

    return {"NumPy by hand": Contestant(lambda: flat(gradient()), repeated(step))}
