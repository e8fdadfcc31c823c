"""The result of a training: a row per epoch, whether it converged, the path of the weights."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

PATIENCE = 10
"""Over how many epochs `tolerance` asks for an improvement."""


class Epoch(NamedTuple):
    """One row of a `History`.

    Attributes:
        epoch: its number, from 1.
        loss: the mean over the examples, each evaluated before the step on its batch; the penalty
            included.
        accuracy: the share of correct predictions, evaluated likewise; None for regression.
        learning_rate: the learning rate of the last step.
    """

    epoch: int
    loss: float
    accuracy: float | None
    learning_rate: float


class History(list[Epoch]):
    """The result of `fit`: a list with one `Epoch` per completed epoch, and why the run ended.

    Attributes:
        stopped: "epochs" if all were completed; if not, "converged", "interrupted" by Ctrl-C, or
            "callback".
        classes: the names of the classes 0, 1, … of the targets, where they are known.
    """

    stopped: Literal["epochs", "converged", "interrupted", "callback"] = "epochs"
    classes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        ended = "" if self.stopped == "epochs" else f", {self.stopped}"
        length = f"{len(self)} epoch{'' if len(self) == 1 else 's'}{ended}"
        if not self:
            return f"History({length})"
        first, last = self[0], self[-1]
        accuracy = (
            ""
            if first.accuracy is None or last.accuracy is None
            else f", accuracy {first.accuracy:.1%} → {last.accuracy:.1%}"
        )
        return f"History({length}: loss {first.loss:.4g} → {last.loss:.4g}{accuracy})"


def has_converged(history: History, tolerance: float) -> bool:
    """Whether the latest epochs have lowered the loss by less than this share of it."""
    if len(history) <= PATIENCE:
        return False
    before, now = history[-1 - PATIENCE].loss, history[-1].loss
    return before - now < tolerance * abs(before) or before == now  # at 0 no share is left to gain


class Recording:
    """The parameters of a model at the start and after each epoch.

    Pass it to `fit` as `callback`. `snapshots[0]` is the start, `snapshots[i]` belongs to
    `rows[i - 1]`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.rows: list[Epoch] = []
        self.snapshots = [self._numbers()]

    def __call__(self, row: Epoch) -> None:
        """Keep the parameters as they are now, after the epoch that `row` describes."""
        self.rows.append(row)
        self.snapshots.append(self._numbers())

    def _numbers(self) -> list[float]:
        return [parameter.data for parameter in self.model.parameters()]
