"""Neural networks as ordinary functions of Values: `Neuron`, `Layer` and `MLP`.

A neuron is weights · inputs + bias under an activation, a layer is neurons side by side, and a
multilayer perceptron is layers one after another. Nothing here learns: a model computes,
`backward()` finds the gradient of what was computed, and a stepper from `optim` moves the
`parameters()`.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> model
    MLP(2, [16, 16, 1], activation='relu', output='linear') of 337 parameters
    >>> score = model([0.5, -1.0])

- `module` is the base class of models: parameters and their names;
- `perceptrons` are the three models;
- `serialization` writes a model as text and reads it back, `safetensors` is the file format of that
  name;
- `predictions` applies a model to many rows and scores it.

A forward pass never looks at the numbers in it, so a model recorded at one input can be compiled
for all of them; `predict` does that, and so this layer is above the compiler's.
"""

from autograd.nn.module import Module
from autograd.nn.perceptrons import GAINS, MLP, Layer, Neuron, Seed

__all__ = ["GAINS", "MLP", "Layer", "Module", "Neuron", "Seed"]
