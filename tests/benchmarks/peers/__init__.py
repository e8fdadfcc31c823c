"""The demo's training step by others and by hand, one module per peer.

Every module has a function `contestants(problem)`, which returns what takes part in the table by
name; it raises ImportError or `PeerMissingError` where its package or compiler is not installed.
All compute in float64 and on the same parameters, flat, in the order of `MLP.parameters()`: neuron
by neuron, its weights and then its bias.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests import micrograd_demo as demo
from tests.benchmarks.measure import Steps


class PeerMissingError(Exception):
    """A peer that cannot take part, and why."""


@dataclass(frozen=True)
class Problem:
    """100 moons, an MLP 2-16-16-1 with relu, the mean hinge loss, L2 over all 337 parameters."""

    X: list[list[float]]
    Y: list[int]
    weights: list[float]
    layers: Sequence[int] = demo.LAYERS
    penalty: float = demo.PENALTY
    learning_rate: float = 0.1

    def matrices(self) -> Iterator[tuple[Any, Any]]:
        """Weights (one row a neuron) and biases of each layer as NumPy arrays."""
        import numpy as np

        flat, start = np.array(self.weights), 0
        for n_inputs, n_outputs in pairwise(self.layers):
            rows = flat[start : start + n_outputs * (n_inputs + 1)].reshape(n_outputs, -1)
            start += rows.size
            yield rows[:, :-1].copy(), rows[:, -1].copy()


def flat(gradients: Sequence[tuple[Any, Any]]) -> list[float]:
    """The inverse of `Problem.matrices`: pairs of arrays in the order of the parameters."""
    import numpy as np

    rows = [np.column_stack([np.asarray(w), np.asarray(b)]) for w, b in gradients]
    return [float(x) for array in rows for x in array.ravel()]


@dataclass(frozen=True)
class Contestant:
    """Someone who can do the training step.

    Attributes:
        gradient: the gradient at the first weights, flat, to be compared with everybody's.
        steps: takes that many training steps from where it is: forward, backward, update.
        has_startup: whether a call of `steps` compiles something first, which is not to count.
    """

    gradient: Callable[[], Sequence[float]]
    steps: Steps
    has_startup: bool = field(default=False)
