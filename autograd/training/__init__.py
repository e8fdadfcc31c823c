"""The training loop: `fit` joins a model, a loss, an optimizer and batches of examples.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> optimizer = Adam(model.parameters(), learning_rate=0.01)
    >>> history = fit(model, binary_cross_entropy, X, Y, optimizer, epochs=200, batch_size=20)
    >>> history
    History(200 epochs: loss 0.4512 → 0.01853, accuracy 82.0% → 100.0%)

Backpropagation and gradient descent stay two programs, and this is the one place that calls both:
for each batch the model predicts, the mean of the losses is recorded, `backward()` finds its
gradient, and `step()` applies it. Stochastic, mini-batch and batch descent are the same loop with
1, some or all of the examples in a batch.

- `examples` reads lists, arrays and frames, `batches` plans the steps;
- `objective` is the loss with its penalty, `eager` takes the steps on Values;
- `compiled` takes the same steps by compiled programs;
- `epochs` computes loss and accuracy of an epoch from its steps;
- `diagnostics` explains a training that diverged, `history` records the others;
- `fitting` has `fit`.
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
