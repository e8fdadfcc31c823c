"""The objective of a step: the mean loss of a batch plus a penalty on the parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from autograd import functions
from autograd.value import Operand, Value

Model: TypeAlias = Callable[[Any], Any]
"""Takes one example, returns its prediction: a Value, or a list of them."""

Loss: TypeAlias = Callable[[Any, Any], Value]
"""Takes a prediction and its target."""

Penalty: TypeAlias = Callable[[Sequence[Any]], Operand]
"""Takes the parameters."""

Correct: TypeAlias = Callable[[Any, Any], Operand]
"""Takes a prediction and its target; 1.0 if the one is right about the other, 0.0 if not."""


class Objective(NamedTuple):
    """The quantity that a step lowers, and the count of correct predictions."""

    model: Model
    loss: Loss
    penalty: Penalty | None
    correct: Correct | None

    def __call__(
        self, xs: list[Any], ys: list[Any], parameters: Sequence[Any]
    ) -> tuple[Value, list[Any]]:
        """The objective of a batch, and the predictions that it was computed from."""
        predictions = [self.model(x) for x in xs]
        objective = functions.mean(map(self.loss, predictions, ys))
        if self.penalty is not None:
            objective = objective + self.penalty(parameters)
        if not isinstance(objective, Value):
            raise TypeError(
                f"fit: the loss is the plain number {objective!r}, which has no gradient; "
                f"compute it by operations on the Values that the model returns"
            )
        return objective, predictions

    def of_one_example(self, parameters: Sequence[Any]) -> Callable[[Any, Any], list[Operand]]:
        """The function of an example for its objective, and 1 if it is predicted right, else 0."""

        def measured(x: Any, y: Any) -> list[Operand]:
            value, predictions = self([x], [y], parameters)
            return [value, self.n_correct(predictions, [y])]

        return measured

    def n_correct(self, predictions: list[Any], ys: list[Any]) -> Operand:
        """How many of the predictions are right."""
        return 0.0 if self.correct is None else functions.sum(map(self.correct, predictions, ys))
