"""A multilayer perceptron as dense layers: the form that all libraries share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from autograd.nn import GAINS, MLP, Layer, Module

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Dense(NamedTuple):
    """activation(weight · inputs + bias).

    Attributes:
        weight: a row for each output, a number for each input.
        bias: a number for each output.
        activation: one of `GAINS`.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    activation: str


def dense_layers(caller: str, model: Module) -> list[Dense]:
    """The layers of a `Layer` or an `MLP`. TypeError for any other model."""
    if not isinstance(model, MLP | Layer):
        raise TypeError(
            f"{caller}: expected an MLP or a Layer, got {model!r:.200} of type "
            f"{type(model).__name__}; of another model, convert its layers one by one"
        )
    import numpy as np

    found = []
    for layer in model.layers if isinstance(model, MLP) else [model]:
        weight, bias = (np.reshape([p.data for p in ps], n) for n, ps in layer.arrays().values())
        found.append(Dense(weight, bias, layer.neurons[0].activation))
    return found


def perceptron(caller: str, layers: Sequence[Dense]) -> MLP:
    """The `MLP` with the weights of these layers.

    Raises:
        ValueError: if there is no layer, hidden activations differ, or sizes do not match.
    """
    if not layers:
        raise ValueError(f"{caller}: found no layer with weights")
    activations = {layer.activation for layer in layers[:-1]}
    if len(activations) > 1:
        raise ValueError(
            f"{caller}: an MLP has one activation for all hidden layers, got "
            f"{', '.join(sorted(activations))}; convert the layers one by one"
        )
    for before, (weight, bias, _) in zip([None, *layers], layers, strict=False):
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise ValueError(
                f"{caller}: weights of shape {weight.shape} do not fit the bias of shape "
                f"{bias.shape}"
            )
        if before and weight.shape[1] != len(before.bias):
            raise ValueError(
                f"{caller}: a layer takes {weight.shape[1]} inputs, and the one before it "
                f"has {len(before.bias)} outputs"
            )
    n_inputs, widths = layers[0].weight.shape[1], [len(layer.bias) for layer in layers]
    activation = next(iter(activations), "relu")
    model = MLP(n_inputs, widths, activation, layers[-1].activation, seed=0)
    import numpy as np

    numbers = [np.column_stack([weight, bias]).ravel() for weight, bias, _ in layers]
    for parameter, number in zip(model.parameters(), np.concatenate(numbers), strict=True):
        parameter.data = float(number)
    return model


def unknown(caller: str, part: object) -> ValueError:
    """The error for a part of another library's model that an `MLP` cannot have."""
    return ValueError(
        f"{caller}: an MLP has no part such as this one, at this place: {part}; it has dense "
        f"layers, each under one of {', '.join(GAINS)}"
    )
