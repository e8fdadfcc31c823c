"""An `MLP` as a PyTorch module, and a PyTorch module as an `MLP`.

    >>> module = to_torch(model)                 # an nn.Sequential, in float64
    >>> module(torch.tensor([[0.5, -1.0]], dtype=torch.float64))
    >>> model = from_torch(module)

Weights go both ways bit for bit: a float32 weight is a float64 with zeros at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.interop.dense import Dense, dense_layers, perceptron, unknown
from autograd.nn import MLP, Module
from autograd.optional import requires

if TYPE_CHECKING:
    from torch import nn


def to_torch(model: Module) -> nn.Sequential:
    """The model as a `torch.nn.Sequential` of `Linear` layers and activations, in float64.

    Raises:
        TypeError: if the model is neither an `MLP` nor a `Layer`.
    """
    with requires("to_torch", "PyTorch", "torch"):
        import torch
        from torch import nn

    activations = _activations()
    modules: list[nn.Module] = []
    for weight, bias, activation in dense_layers("to_torch", model):
        linear = nn.Linear(weight.shape[1], len(bias), dtype=torch.float64)
        linear.load_state_dict({"weight": torch.tensor(weight), "bias": torch.tensor(bias)})
        modules.append(linear)
        if activation != "linear":
            modules.append(activations[activation]())
    return nn.Sequential(*modules)


def from_torch(module: nn.Module) -> MLP:
    """The `MLP` of a `torch.nn.Sequential` of `Linear` layers and activations, or of a `Linear`.

    A `Sequential` may contain others, `Identity`, and `Dropout`, which does nothing once a model is
    trained.

    Raises:
        TypeError: if it is no PyTorch module.
        ValueError: if it holds anything else, or hidden layers under different activations.
    """
    with requires("from_torch", "PyTorch", "torch"):
        import torch
        from torch import nn

    if not isinstance(module, nn.Module):
        raise TypeError(
            f"from_torch: expected a torch.nn.Module, got {module!r:.200} of type "
            f"{type(module).__name__}"
        )
    layers: list[Dense] = []
    todo = [module]
    while todo:
        part = todo.pop()
        if isinstance(part, nn.Sequential):
            todo += reversed(part)
        elif isinstance(part, nn.Linear):
            weight = part.weight.detach().to("cpu", torch.float64)
            bias = torch.zeros(len(weight), dtype=torch.float64)
            if part.bias is not None:
                bias = part.bias.detach().to("cpu", torch.float64)
            layers.append(Dense(weight.numpy(), bias.numpy(), "linear"))
        elif not isinstance(part, nn.Identity | nn.Dropout):
            name = _name(part)
            if name is None or not layers or layers[-1].activation != "linear":
                raise unknown("from_torch", part)
            layers[-1] = layers[-1]._replace(activation=name)
    return perceptron("from_torch", layers)


def _activations() -> dict[str, Any]:
    from torch import nn

    from autograd.interop.torch_modules import Sine

    return {
        "relu": nn.ReLU,
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
        "sin": Sine,
        "softplus": lambda: nn.Softplus(threshold=1e9),  # by default it is the identity from 20 on
    }


def _name(part: nn.Module) -> str | None:
    from torch import nn

    if isinstance(part, nn.Softplus):
        return "softplus" if part.beta == 1 else None
    return next((name for name, kind in _activations().items() if type(part) is kind), None)
