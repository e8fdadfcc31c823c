"""A scalar reverse-mode automatic differentiation engine, small enough to read in an afternoon."""

from __future__ import annotations

import importlib

_ROOMS = {
    "value": "Value Condition first_nonfinite",
    "recording": "no_grad",
    "primitives": "abs exp log sqrt sin cos tan tanh sigmoid relu softplus maximum minimum",
    "functions": "sum dot mean where",
    "derivatives": "grad gradient jacobian hessian hessian_vector_product",
    "gradcheck": "check_gradient GradientCheckError",
    "nn": "Module Neuron Layer MLP",
    "losses": "mean_squared_error binary_cross_entropy hinge cross_entropy",
    "optim": "GradientDescent Adam",
    "drawing": "draw Drawing",
    "stepping": "Step backward_steps forward_steps explain play",
}


def __getattr__(name: str) -> object:
    for room, names in _ROOMS.items():
        if name in names.split():
            return getattr(importlib.import_module(f"autograd.{room}"), name)
    raise AttributeError(f"module 'autograd' has no attribute {name!r}")
