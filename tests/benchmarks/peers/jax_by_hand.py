"""The workloads in JAX, written by hand in arrays: each a loss of the flat parameters."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests import micrograd_demo as demo
from tests.benchmarks.workloads import (
    CLASSIFIERS,
    CONTEXT,
    HEADS,
    SHAPES,
    WIDTH,
    Workload,
    tokens_of,
)


def losses(name: str, workload: Workload) -> Callable[[Any], Any]:
    """The loss of this workload; its parameters come as one array, in their order."""
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    columns = [jnp.array(column) for column in workload.columns]

    def perceptron(weights: Any, sizes: tuple[int, ...]) -> Any:
        h, at = columns[0], 0
        for i, (n_in, n_out) in enumerate(pairwise(sizes)):
            layer = weights[at : at + n_out * (n_in + 1)].reshape(n_out, n_in + 1)
            at += layer.size
            h = h @ layer[:, :n_in].T + layer[:, n_in]
            h = h if i == len(sizes) - 2 else jax.nn.relu(h)
        return h

    def hinge(w: Any) -> Any:
        margin = 1.0 - columns[1] * perceptron(w, (2, 16, 16, 1))[:, 0]
        return jnp.mean(jax.nn.relu(margin)) + demo.PENALTY * jnp.sum(w * w)

    def cross_entropy(*sizes: int) -> Callable[[Any], Any]:
        def loss(w: Any) -> Any:
            z = perceptron(w, sizes)
            return jnp.mean(jax.nn.logsumexp(z, 1) - z[jnp.arange(len(z)), columns[1]])

        return loss

    def rosenbrock(x: Any) -> Any:
        return jnp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    def oscillator(steps: int) -> Callable[[Any], Any]:
        h = 10.0 / 1000

        def loss(parameters: Any) -> Any:
            k, c, m = parameters

            def acceleration(x: Any, v: Any) -> Any:
                return -(k * x + c * v) / m

            def step(state: Any, _: Any) -> Any:
                x, v = state
                x1, v1 = v, acceleration(x, v)
                x2, v2 = v + 0.5 * h * v1, acceleration(x + 0.5 * h * x1, v + 0.5 * h * v1)
                x3, v3 = v + 0.5 * h * v2, acceleration(x + 0.5 * h * x2, v + 0.5 * h * v2)
                x4, v4 = v + h * v3, acceleration(x + h * x3, v + h * v3)
                x = x + h / 6 * (x1 + 2.0 * x2 + 2.0 * x3 + x4)
                return (x, v + h / 6 * (v1 + 2.0 * v2 + 2.0 * v3 + v4)), None

            start = columns[0][0], 0.0 * columns[0][0]
            (x, _), _ = jax.lax.scan(step, start, None, steps)
            return (x - 0.5) ** 2

        return loss

    def gpt(length: int) -> Callable[[Any], Any]:
        tokens = jnp.array(tokens_of(length))
        earlier = jnp.tril(jnp.ones((length, length), bool))

        def loss(flat: Any) -> Any:
            weights, at = {}, 0
            for key, (rows, width) in SHAPES.items():
                weights[key] = flat[at : at + rows * width].reshape(rows, width)
                at += rows * width

            def normalized(x: Any) -> Any:
                return x * (jnp.mean(x * x, -1, keepdims=True) + 1e-5) ** -0.5

            x = normalized(weights["token"][tokens[:-1]] + weights["place"][:length])
            h = normalized(x)
            q, k, v = (
                (h @ weights[key].T).reshape(length, HEADS, WIDTH // HEADS)
                for key in ("query", "key", "value")
            )
            scores = jnp.einsum("ihd,jhd->hij", q, k) * (WIDTH // HEADS) ** -0.5
            shares = jax.nn.softmax(jnp.where(earlier, scores, -jnp.inf), -1)
            mixed = jnp.einsum("hij,jhd->ihd", shares, v).reshape(length, WIDTH)
            x = x + mixed @ weights["mix"].T
            x = x + (jax.nn.relu(normalized(x) @ weights["up"].T) ** 2) @ weights["down"].T
            z = x @ weights["head"].T
            return jnp.mean(jax.nn.logsumexp(z, 1) - z[jnp.arange(length), tokens[1:]])

        return loss

    assert CONTEXT >= 16
    found: dict[str, Callable[[Any], Any]] = {
        "demo": hinge,
        **{name: cross_entropy(*sizes) for name, sizes in CLASSIFIERS.items()},
        "Rosenbrock 1,000": rosenbrock,
        "ODE, 1,000 steps": oscillator(1_000),
        "ODE, 10,000 steps": oscillator(10_000),
        "GPT, 8 tokens": gpt(8),
        "GPT, 16 tokens": gpt(16),
    }
    return found[name]
