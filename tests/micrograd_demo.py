"""The demo of micrograd: its data, its initial weights, and its loop, for any engine's Values.

The demo draws 100 moons and the weights of an MLP 2-16-16-1 from generators seeded with 1337, and
descends the hinge loss plus an L2 penalty for 100 full-batch steps. The generators are frozen, so
both are drawn here again, bit for bit, without micrograd and scikit-learn being installed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

SEED = 1337
LAYERS = (2, 16, 16, 1)
STEPS = 100
PENALTY = 1e-4

FIRST_LOSS, FIRST_ACCURACY = 0.8958441028683222, 0.50
LAST_LOSS, LAST_ACCURACY = 0.0109783701354927, 1.00
"""As published with the demo."""


def moons() -> tuple[list[list[float]], list[int]]:
    """100 points on two half circles, shuffled, with noise of 0.1; labels ±1. Needs NumPy."""
    import numpy as np

    generator = np.random.RandomState(SEED)
    angle = np.linspace(0.0, np.pi, 50)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1.0 - np.cos(angle), 1.0 - np.sin(angle) - 0.5])
    order = np.arange(100)
    generator.shuffle(order)
    points = np.concatenate([upper, lower])[order] + generator.normal(scale=0.1, size=(100, 2))
    return points.tolist(), [-1 if i < 50 else 1 for i in order]


def initial_weights() -> list[float]:
    """The 337 first parameters, neuron by neuron: uniform weights, then a bias of 0."""
    generator = random.Random(SEED)
    numbers: list[float] = []
    for n_inputs, n_outputs in pairwise(LAYERS):
        for _ in range(n_outputs):
            numbers += [generator.uniform(-1.0, 1.0) for _ in range(n_inputs)]
            numbers.append(0.0)
    return numbers


def total_loss(value: Callable[[float], Any], model: Any, X: Sequence[Any], Y: Any) -> Any:
    """One forward pass as the demo writes it: a Value per input, hinge loss, penalty."""
    scores = [model([value(x) for x in row]) for row in X]
    losses = [(1 + -y * score).relu() for y, score in zip(Y, scores, strict=True)]
    penalty = PENALTY * sum(p * p for p in model.parameters())
    return sum(losses) * (1.0 / len(losses)) + penalty


def descend(model: Any, k: int) -> None:
    """The update of step k, at a learning rate that falls from 1.0 to 0.1."""
    learning_rate = 1.0 - 0.9 * k / STEPS
    for p in model.parameters():
        p.data -= learning_rate * p.grad


def step(value: Callable[[float], Any], model: Any, X: Sequence[Any], Y: Any, k: int) -> float:
    """One step of the demo, forward, backward and update; the loss before it."""
    total = total_loss(value, model, X, Y)
    model.zero_grad()
    total.backward()
    descend(model, k)
    return float(total.data)


def accuracy(model: Any, X: Sequence[Any], Y: Any) -> float:
    """The share of points on their side."""
    hits = [(model(row).data > 0.0) == (y > 0) for row, y in zip(X, Y, strict=True)]
    return float(sum(hits) / len(hits))
