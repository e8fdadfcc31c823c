"""A multilayer perceptron as dense layers: the form that all libraries share."""

from __future__ import annotations

from collections.abc import Sequence
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
    if isinstance(model, MLP):
        layers = model.layers
    elif isinstance(model, Layer):
        layers = [model]
    else:
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
        for layer in layers
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
    for ours, theirs in zip(model.layers, layers, strict=True):
        if ours.n_inputs != len(theirs.weight[0]):
            raise ValueError(
                f"{caller}: a layer takes {len(theirs.weight[0])} inputs, and the one before it "
                f"has {ours.n_inputs} outputs"
            )
        for neuron, row, bias in zip(ours.neurons, theirs.weight, theirs.bias, strict=True):
            for weight, number in zip(neuron.weights, row, strict=True):
                weight.data = number
            neuron.bias.data = bias
    return model


def unknown(caller: str, part: object) -> ValueError:
    """The error for a part of another library's model that an `MLP` cannot have."""
    return ValueError(
        f"{caller}: an MLP has no part such as this one, at this place: {part}; it has dense "
        f"layers, each under one of {', '.join(GAINS)}"
    )
