"""`Learner`: trains a network on a standardized table, for `train` and `playground`.

Inputs and numeric targets are standardized: shifted to mean 0, scaled to standard deviation 1.
After training, both scales are multiplied into the first and the last layer, so that the saved
model takes and predicts numbers in the units of the table.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from autograd import functions, optim
from autograd.data import Rows, Standardization, column_means, filled
from autograd.losses import cross_entropy, mean_squared_error
from autograd.nn import MLP
from autograd.training import History, Loss, fit

STEPPERS = {"adam": optim.Adam, "gradient-descent": optim.GradientDescent}


def can_compile() -> bool:
    """Whether the package that compiles to machine code is installed."""
    return find_spec("llvmlite") is not None


@dataclass(frozen=True)
class Settings:
    """Training settings. The defaults suit tables of some dozens to some thousands of rows."""

    hidden: Sequence[int] = (32,)
    activation: str = "tanh"
    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 0.003
    weight_decay: float = 0.003
    stepper: str = "adam"
    seed: int = 0
    compiled: bool = False


class Learner:
    """A network, its scaling, and the examples it learns from.

    Attributes:
        model: the network, in standard units.
        means: the mean of each input, which replaces missing numbers (nan).
        X, Y: the examples in standard units, without missing numbers.
        constant: the indices of inputs that are the same in every example.
        loss: the loss that training minimizes.
    """

    def __init__(
        self, X: Rows, Y: Sequence[float], classes: Sequence[str], settings: Settings
    ) -> None:
        self.settings = settings
        self.classes = tuple(classes)
        self.means = column_means(X)
        X = filled(X, self.means)
        self.constant = [i for i, x in enumerate(X[0]) if all(row[i] == x for row in X)]
        self.scale = Standardization.of(X)
        self.target_scale = Standardization.of([[0.0 if classes else y] for y in Y])
        self.X, self.Y = self.scaled(X, Y)
        self.loss: Loss = cross_entropy if classes else mean_squared_error
        self.model = MLP(
            len(self.X[0]),
            [*settings.hidden, len(classes) or 1],
            activation=settings.activation,
            seed=settings.seed,
        )

    def scaled(self, X: Rows, Y: Sequence[float]) -> tuple[Rows, list[float]]:
        """The examples in standard units, without missing numbers."""
        X = self.scale(filled(X, self.means))
        return X, list(Y) if self.classes else [y for [y] in self.target_scale([[y] for y in Y])]

    def learn(self, progress: bool = True) -> History:
        """Train the network; Ctrl-C stops it after a whole step."""
        settings = self.settings
        optimizer = STEPPERS[settings.stepper](self.model.parameters(), settings.learning_rate)
        decay = settings.weight_decay

        def penalty(parameters: Sequence[Any]) -> Any:
            return decay * functions.sum(w * w for w in parameters if not w.label.endswith("bias"))

        return fit(
            self.model,
            self.loss,
            self.X,
            self.Y,
            optimizer,
            epochs=settings.epochs,
            batch_size=settings.batch_size,
            penalty=penalty if decay else None,
            compiled=settings.compiled,
            progress=progress,
            seed=settings.seed,
        )

    def learned(self) -> MLP:
        """The trained network with the scaling built in, so that it takes unscaled numbers.

        Training does not change the random initial weights of a constant input. They are set to 0,
        so that the input has no effect if it differs in a new row.

        In the first layer w·(x - m)/s + b is (w/s)·x + (b - (w/s)·m); in the last s·(w·h + b) + m
        is (s·w)·h + (s·b + m).
        """
        model = copy.deepcopy(self.model)
        model.zero_grad()
        for neuron in model.layers[0].neurons:
            for i in self.constant:
                neuron.weights[i].data = 0.0
            for weight, mean, deviation in zip(neuron.weights, *self.scale, strict=True):
                weight.data /= deviation
                neuron.bias.data -= weight.data * mean
        if not self.classes:
            ([mean], [deviation]) = self.target_scale
            for neuron in model.layers[-1].neurons:
                for weight in neuron.weights:
                    weight.data *= deviation
                neuron.bias.data = deviation * neuron.bias.data + mean
        model.classes = self.classes
        return model


def how_good(predictions: Sequence[Any], Y: Sequence[float]) -> tuple[str, float]:
    """The accuracy or the mean squared error of predictions, in words and as a number."""
    n = len(Y)
    pairs = zip(predictions, Y, strict=True)
    if isinstance(predictions[0], list):
        right = sum(z.index(max(z)) == y for z, y in pairs)
        return f"accuracy {right / n:.1%} ({right} of {n})", right / n
    error = math.fsum((z - y) ** 2 for z, y in pairs) / n
    return f"mean squared error {error:.4g} over {n} example{'s' * (n > 1)}", error
