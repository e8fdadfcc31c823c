"""An `MLP` as a JAX model: parameters, and a function that applies them.

    >>> jax.config.update("jax_enable_x64", True)
    >>> parameters, apply = to_jax_model(model)
    >>> apply(parameters, jnp.array([[0.5, -1.0]]))
    >>> jax.grad(lambda p: apply(p, x).sum())(parameters)
    >>> model = from_jax(parameters, activation="relu")

Weights go both ways bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd.interop.dense import Dense, dense_layers, perceptron
from autograd.nn import MLP, Module
from autograd.optional import requires

if TYPE_CHECKING:
    import jax

Parameters: TypeAlias = "list[dict[str, jax.Array]]"
"""For each layer its `weight` (outputs × inputs) and its `bias`."""


def to_jax_model(model: Module) -> tuple[Parameters, Callable[[Parameters, Any], jax.Array]]:
    """Return the parameters as a pytree of float64 arrays, and `apply(parameters, x)`.

    x is one row of inputs, or any batch of rows; the result has the outputs on the last axis, even
    if there is only one. `apply` can be given to `jax.jit`, `jax.grad` and `jax.vmap`.

    Raises:
        TypeError: if the model is neither an `MLP` nor a `Layer`.
        RuntimeError: if JAX is set to float32, which is its default.
    """
    with requires("to_jax_model", "JAX", "jax"):
        import jax
        import jax.numpy as jnp

    known: dict[str, Callable[[jax.Array], jax.Array]] = {
        "relu": jax.nn.relu,
        "softplus": jax.nn.softplus,
        "tanh": jnp.tanh,
        "sigmoid": jax.nn.sigmoid,
        "sin": jnp.sin,
        "linear": lambda z: z,
    }
    layers = dense_layers("to_jax_model", model)
    if not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        raise RuntimeError(
            "to_jax_model: JAX is set to float32, which would round the weights; "
            'call jax.config.update("jax_enable_x64", True) first'
        )
    activations = [known[layer.activation] for layer in layers]
    parameters = [
        {"weight": jnp.array(layer.weight), "bias": jnp.array(layer.bias)} for layer in layers
    ]

    def apply(parameters: Parameters, x: Any) -> jax.Array:
        signals = jnp.asarray(x)
        for layer, activation in zip(parameters, activations, strict=True):
            signals = activation(signals @ layer["weight"].T + layer["bias"])
        return signals

    return parameters, apply


def from_jax(
    parameters: Sequence[Mapping[str, Any]], activation: str = "relu", output: str = "linear"
) -> MLP:
    """Return the `MLP` with parameters as `to_jax_model` returns them.

    Args:
        parameters: for each layer its `weight` (outputs × inputs) and its `bias`.
        activation: of the hidden layers, one of `GAINS`.
        output: the activation of the last layer.

    Raises:
        TypeError: if the parameters have another form.
        ValueError: if the shapes do not fit one another, or an activation is unknown.
    """
    import numpy as np

    try:
        names = ([activation] * len(parameters) + [output])[1:]
        layers = []
        for layer, name in zip(parameters, names, strict=True):
            weight, bias = (
                np.asarray(layer[key]).astype(float, casting="same_kind")  # no complex numbers
                for key in ("weight", "bias")
            )
            layers.append(Dense(weight, bias, name))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise TypeError(
            "from_jax: expected a list with an array 'weight' (outputs × inputs) and an array "
            f"'bias' for each layer, got {parameters!r:.200}"
        ) from error
    return perceptron("from_jax", layers)
