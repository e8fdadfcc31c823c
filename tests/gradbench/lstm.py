"""`lstm`: the loss of a recurrent network that predicts the bits of the next character.

All weight matrices are diagonal. Each layer has two rows of parameters: weights, and biases, of the
forget, input and output gate and of the change of the cell, one after another. The three further
rows are the weights of the input, and the weights and biases of the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk

Row = Sequence[Any]


def cell(
    weights: Row, biases: Row, hidden: Row, memory: Row, x: Row
) -> tuple[list[Any], list[Any]]:
    """The new hidden state and memory of a layer."""
    width = len(x)
    new_hidden, new_memory = [], []
    for i in range(width):
        forget, ingate, outgate, change = (
            weights[i + k * width] * source[i] + biases[i + k * width]
            for k, source in enumerate((x, hidden, x, hidden))
        )
        kept = ag.sigmoid(forget) * memory[i] + ag.sigmoid(ingate) * ag.tanh(change)
        new_memory.append(kept)
        new_hidden.append(ag.sigmoid(outgate) * ag.tanh(kept))
    return new_hidden, new_memory


def loss(
    layers: Sequence[Row], extra: Sequence[Row], state: Sequence[Row], sequence: Sequence[Row]
) -> Any:
    """The mean over all bits of the sequence but the first character's."""
    in_weights, out_weights, out_biases = extra

    def step(state: list[list[Any]], inputs: Sequence[Row]) -> tuple[list[list[Any]], Any]:
        character, following = inputs
        h = [x * w for x, w in zip(character, in_weights, strict=True)]
        new_state = []
        for i in range(0, len(layers), 2):
            h, memory = cell(layers[i], layers[i + 1], state[i], state[i + 1], h)
            new_state += [h, memory]
        y = [a * w + b for a, w, b in zip(h, out_weights, out_biases, strict=True)]
        log_total = ag.log(ag.sum([ag.exp(x) for x in y]) + 2.0)
        return new_state, ag.sum(
            [bit * (log_total - x) for bit, x in zip(following, y, strict=True)]
        )

    inputs = [[list(a), list(b)] for a, b in pairwise(sequence)]
    _, losses = ag.scan(step, [list(row) for row in state], inputs)
    return ag.sum(losses) / (len(losses) * len(sequence[0]))


def _prepared(f: Callable[..., Any], told: Callable[[Any], Any]) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        compiled = ag.jit(f, in_axes=None)
        names = ("main_params", "extra_params", "state", "sequence")
        arrays = [np.array(given[name]) for name in names]
        return lambda: compiled(*arrays)

    return Function(prepare, told)


objective = _prepared(loss, lambda value: value)
jacobian = _prepared(
    ag.gradient(loss, argnums=(0, 1)),
    lambda slopes: np.concatenate([x.reshape(-1) for x in slopes]),
)
