"""Conversion of models to and from scikit-learn, PyTorch, Keras and JAX.

    >>> module = ag.interop.to_torch(model)
    >>> model = ag.interop.from_torch(module)
    >>> classifier = ag.interop.sklearn.MLPClassifier(hidden_layer_sizes=(16,)).fit(X, y)

Each library has a module of its name here and loads when it is used; it needs the extra of that
name: `pip install 'scalar-autograd[torch]'`. Weights go both ways bit for bit.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autograd.interop import jax, keras, torch
from autograd.interop.jax import from_jax, to_jax_model
from autograd.interop.keras import from_keras, to_keras
from autograd.interop.torch import from_torch, to_torch

if TYPE_CHECKING:
    from autograd.interop import sklearn as sklearn

__all__ = [
    "from_jax",
    "from_keras",
    "from_torch",
    "jax",
    "keras",
    "sklearn",
    "to_jax_model",
    "to_keras",
    "to_torch",
    "torch",
]


def __getattr__(name: str) -> Any:
    if name == "sklearn":  # its classes derive from scikit-learn's, so that it cannot wait
        return importlib.import_module(f"{__name__}.sklearn")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
