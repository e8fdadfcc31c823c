"""Neural networks as ordinary functions of Values: `Neuron`, `Layer` and `MLP`.

A neuron is weights · inputs + bias under an activation, a layer is neurons side by side, and a
multilayer perceptron is layers one after another. Nothing here learns: a model computes,
`backward()` finds the gradient of what was computed, and a stepper from `optim` moves the
`parameters()`.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> model
    MLP(2, [16, 16, 1], activation='relu', output='linear') of 337 parameters
    >>> score = model([0.5, -1.0])

- `module` is what any model has: parameters and their names;
- `perceptrons` are the three models;
- `saved` is what a file says of a model, `safetensors` the file format of that name;
- `predictions` are what it says of many rows, and how often that is right.

A forward pass never looks at the numbers in it, so a model recorded at one input can be compiled
for all of them; `predict` does that, and so this room stands above the compiler's.
"""

from autograd.nn.module import Module
from autograd.nn.perceptrons import GAINS, MLP, Layer, Neuron, Seed

__all__ = ["GAINS", "MLP", "Layer", "Module", "Neuron", "Seed"]
