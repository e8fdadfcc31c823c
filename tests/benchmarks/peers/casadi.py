"""CasADi: the whole batch as one scalar graph, run by its virtual machine."""

from __future__ import annotations

from itertools import pairwise

from tests.benchmarks.measure import repeated
from tests.benchmarks.peers import Contestant, Problem


def contestants(problem: Problem) -> dict[str, Contestant]:
    import casadi
    import numpy as np

    weights = casadi.SX.sym("w", len(problem.weights))
    a, start = casadi.SX(np.array(problem.X)), 0
    for n_inputs, n_outputs in pairwise(problem.layers):
        end = start + n_outputs * (n_inputs + 1)
        rows = casadi.reshape(weights[start:end], n_inputs + 1, n_outputs)
        a = a @ rows[:-1, :] + casadi.repmat(rows[-1, :], len(problem.X), 1)
        start = end
        if n_outputs > 1:
            a = casadi.fmax(a, 0.0)
    losses = casadi.fmax(1.0 - a * casadi.DM(problem.Y), 0.0)
    total = casadi.sum1(losses) / len(problem.Y) + problem.penalty * casadi.sumsqr(weights)
    slopes = casadi.gradient(total, weights)
    gradient = casadi.Function("gradient", [weights], [slopes])
    update = casadi.Function("update", [weights], [weights - problem.learning_rate * slopes])
    state = {"weights": casadi.DM(problem.weights)}

    def step() -> None:
        state["weights"] = update(state["weights"])

    first = casadi.DM(problem.weights)
    return {
        "CasADi, virtual machine": Contestant(
            lambda: gradient(first).full().ravel().tolist(), repeated(step)
        )
    }
