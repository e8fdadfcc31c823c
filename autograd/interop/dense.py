"""A multilayer perceptron as dense layers: the form that all libraries share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple, TypeAlias

from autograd.nn import GAINS, MLP, Layer, Module

Matrix: TypeAlias = "list[list[float]]"


class Dense(NamedTuple):
    """activation(weight · inputs + bias).

    Attributes:
        weight: a row for each output, a number for each input.
        bias: a number for each output.
        activation: one of `GAINS`.
    """

    weight: Matrix
    bias: list[float]
    activation: str


def dense_layers(caller: str, model: Module) -> list[Dense]:
    """The layers of a `Layer` or an `MLP`. TypeError for any other model."""
    if not isinstance(model, MLP | Layer):
        raise TypeError(
            f"{caller}: expected an MLP or a Layer, got {model!r:.200} of type "
            f"{type(model).__name__}; of another model, convert its layers one by one"
        )
    return [
        Dense(
            [[weight.data for weight in neuron.weights] for neuron in layer.neurons],
            [neuron.bias.data for neuron in layer.neurons],
            layer.neurons[0].activation,
        )
        for layer in (model.layers if isinstance(model, MLP) else [model])
    ]


def perceptron(caller: str, layers: Sequence[Dense]) -> MLP:
    """The `MLP` with the weights of these layers.

    Raises:
        ValueError: if there is no layer, hidden activations differ, or sizes do not match.
    """
    if not layers:
        raise ValueError(f"{caller}: found no layer with weights")
    *hidden, output = layers
    activations = {layer.activation for layer in hidden}
    if len(activations) > 1:
        raise ValueError(
            f"{caller}: an MLP has one activation for all hidden layers, got "
            f"{', '.join(sorted(activations))}; convert the layers one by one"
        )
    model = MLP(
        len(layers[0].weight[0]),
        [len(layer.bias) for layer in layers],
        activation=next(iter(activations), "relu"),
        output=output.activation,
        seed=0,
    )
    for before, layer in pairwise(layers):
        if len(layer.weight[0]) != len(before.bias):
            raise ValueError(
                f"{caller}: a layer takes {len(layer.weight[0])} inputs, and the one before it "
                f"has {len(before.bias)} outputs"
            )
    rows = [(*row, b) for layer in layers for row, b in zip(layer.weight, layer.bias, strict=True)]
    for parameter, number in zip(model.parameters(), chain.from_iterable(rows), strict=True):
        parameter.data = number
    return model


def unknown(caller: str, part: object) -> ValueError:
    """The error for a part of another library's model that an `MLP` cannot have."""
    return ValueError(
        f"{caller}: an MLP has no part such as this one, at this place: {part}; it has dense "
        f"layers, each under one of {', '.join(GAINS)}"
    )
