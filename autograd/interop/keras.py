"""An `MLP` as a Keras 3 model, and a Keras model as an `MLP`.

    >>> theirs = to_keras(model)                    # a keras.Sequential, in float64
    >>> theirs.predict(numpy.array([[0.5, -1.0]]))
    >>> model = from_keras(theirs)

Weights go both ways bit for bit. Predictions equal ours to 1e-12 where Keras computes on
TensorFlow. On PyTorch its matrix products, on JAX its tanh and sin are in float32, whatever the
layers are set to: there they equal ours to 1e-6. (On JAX, `jax_enable_x64` has to be set.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.interop.dense import Dense, dense_layers, perceptron, unknown
from autograd.nn import MLP, Module
from autograd.optional import requires

_LIBRARY = "Keras on TensorFlow, PyTorch or JAX (KERAS_BACKEND says which)"


def to_keras(model: Module) -> Any:
    """The same layers as `keras.layers.Dense`, in float64, as a `keras.Sequential`.

    Raises:
        TypeError: if the model is neither an `MLP` nor a `Layer`.
        RuntimeError: if Keras stores the weights in float32, as on JAX without jax_enable_x64.
    """
    with requires("to_keras", _LIBRARY, "keras"):
        import keras
        import numpy as np

    activations = _activations()
    layers = dense_layers("to_keras", model)
    theirs = keras.Sequential([keras.Input(layers[0].weight.shape[1:], dtype="float64")])
    for weight, bias, activation in layers:
        dense = keras.layers.Dense(len(bias), activations[activation], dtype="float64")
        theirs.add(dense)
        dense.set_weights([weight.T, bias])
        if any(array.dtype != np.float64 for array in dense.get_weights()):
            raise RuntimeError(
                f"to_keras: Keras on {keras.backend.backend()} is set to float32, in which the "
                f"weights would lose half of their digits; with JAX, first call "
                f'jax.config.update("jax_enable_x64", True)'
            )
    return theirs


def from_keras(model: Any) -> MLP:
    """The `MLP` of a Keras model of `Dense` layers one after another.

    `Activation`, and `Dropout`, which does nothing once a model is trained, may stand between.

    Raises:
        TypeError: if it is no Keras model.
        ValueError: if it holds other layers, or hidden layers with different activations.
    """
    with requires("from_keras", _LIBRARY, "keras"):
        import keras
        import numpy as np

    if not isinstance(model, keras.Model):
        raise TypeError(
            f"from_keras: expected a keras.Model, got {model!r:.200} of type {type(model).__name__}"
        )
    kinds = keras.layers
    layers: list[Dense] = []
    for part in model.layers:
        if isinstance(part, kinds.Dense):
            if not part.built:
                raise ValueError(
                    "from_keras: the model has no weights yet; begin it with keras.Input((n,)), or "
                    "call its build((None, n)), where n is the number of inputs"
                )
            kernel, *bias = [array.astype(np.float64) for array in part.get_weights()]
            biases = bias[0] if bias else np.zeros(kernel.shape[1])
            layers.append(Dense(kernel.T, biases, _name(part)))
        elif isinstance(part, kinds.Activation) and layers and layers[-1].activation == "linear":
            layers[-1] = layers[-1]._replace(activation=_name(part))
        elif not isinstance(part, kinds.InputLayer | kinds.Dropout):
            raise unknown("from_keras", part)
    return perceptron("from_keras", layers)


def _activations() -> dict[str, Callable[[Any], Any]]:
    import keras

    names = ("linear", "relu", "sigmoid", "softplus", "tanh")
    return {name: keras.activations.get(name) for name in names} | {"sin": keras.ops.sin}


def _name(part: Any) -> str:
    for name, activation in _activations().items():
        if part.activation is activation:
            return name
    raise unknown("from_keras", part.activation)
