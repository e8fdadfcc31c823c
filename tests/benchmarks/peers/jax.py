"""JAX: a compiled step called from Python, and all steps inside one compiled loop."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.measure import repeated
from tests.benchmarks.peers import Contestant, Problem, flat


def contestants(problem: Problem) -> dict[str, Contestant]:
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    X, y = jnp.array(problem.X), jnp.array(problem.Y, dtype=jnp.float64)

    def loss(layers: Any) -> Any:
        (W1, b1), (W2, b2), (W3, b3) = layers
        a1 = jax.nn.relu(X @ W1.T + b1)
        a2 = jax.nn.relu(a1 @ W2.T + b2)
        score = (a2 @ W3.T + b3)[:, 0]
        squares = sum(jnp.sum(p * p) for p in jax.tree.leaves(layers))
        return jnp.mean(jax.nn.relu(1.0 - y * score)) + problem.penalty * squares

    def updated(layers: Any) -> Any:
        slopes = jax.grad(loss)(layers)
        return jax.tree.map(lambda p, g: p - problem.learning_rate * g, layers, slopes)

    one_step = jax.jit(updated)
    loop = jax.jit(lambda n, layers: jax.lax.fori_loop(0, n, lambda _, p: updated(p), layers))
    start = [(jnp.array(W), jnp.array(b)) for W, b in problem.matrices()]
    state = {"step": start}

    def step() -> None:
        state["step"] = jax.block_until_ready(one_step(state["step"]))

    def steps_in_a_loop(count: int) -> None:
        jax.block_until_ready(loop(count, start))

    def gradient() -> list[float]:
        return flat(jax.jit(jax.grad(loss))(start))

    return {
        "JAX jit": Contestant(gradient, repeated(step)),
        "JAX, all steps in one loop": Contestant(gradient, steps_in_a_loop),
    }
