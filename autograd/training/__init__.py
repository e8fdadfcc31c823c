"""The training loop: `fit` joins a model, a loss, an optimizer and batches of examples.

    >>> X, Y = datasets.moons(100, noise=0.1, seed=1)
    >>> model = MLP(2, [8, 1], seed=1)
    >>> optimizer = Adam(model.parameters(), learning_rate=0.05)
    >>> fit(model, binary_cross_entropy, X, Y, optimizer, epochs=40, batch_size=20)
    History(40 epochs: loss 0.3239 → 0.03975, accuracy 87.0% → 100.0%)

Backpropagation and gradient descent stay two programs, and this is the one place that calls both:
for each batch the model predicts, the mean of the losses is recorded, `backward()` finds its
gradient, and `step()` applies it. Stochastic, mini-batch and batch descent are the same loop with
1, some or all of the examples in a batch.

- `fitting` has `fit`, which puts the others together;
- `examples` reads lists, arrays and frames, `batches` chooses those of each step;
- `objective` is the mean loss of a batch plus a penalty;
- `loop` takes the steps, and computes loss and accuracy of each epoch;
- `eager` takes the steps on Values, `compiled` by compiled programs;
- `diagnostics` explains a training that diverged, `history` is the result of the others.
"""

from autograd.training.batches import Schedule, batches
from autograd.training.fitting import fit
from autograd.training.history import PATIENCE, Epoch, History, Recording
from autograd.training.objective import Correct, Loss, Model, Penalty

__all__ = [
    "PATIENCE",
    "Correct",
    "Epoch",
    "History",
    "Loss",
    "Model",
    "Penalty",
    "Recording",
    "Schedule",
    "batches",
    "fit",
]
