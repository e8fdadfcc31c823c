"""PyTorch, eager and through torch.compile, with its own SGD."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.benchmarks.measure import repeated
from tests.benchmarks.peers import Contestant, Problem, flat


def contestants(problem: Problem) -> dict[str, Contestant]:
    import torch

    X = torch.tensor(problem.X, dtype=torch.float64)
    y = torch.tensor(problem.Y, dtype=torch.float64)

    def loss(layers: Any) -> Any:
        (W1, b1), (W2, b2), (W3, b3) = layers
        a1 = torch.relu(torch.addmm(b1, X, W1.T))
        a2 = torch.relu(torch.addmm(b2, a1, W2.T))
        score = torch.addmm(b3, a2, W3.T)[:, 0]
        squares = sum((p * p).sum() for layer in layers for p in layer)
        return torch.relu(1.0 - y * score).mean() + problem.penalty * squares

    def contestant(loss: Any) -> Contestant:
        layers = [
            tuple(torch.from_numpy(array).requires_grad_() for array in layer)
            for layer in problem.matrices()
        ]
        parameters = [p for layer in layers for p in layer]
        optimizer = torch.optim.SGD(parameters, lr=problem.learning_rate)

        def backward() -> None:
            optimizer.zero_grad()
            loss(layers).backward()

        def gradient() -> list[float]:
            backward()
            return flat([(W.grad, b.grad) for W, b in layers])

        def step() -> None:
            backward()
            optimizer.step()

        return Contestant(gradient, repeated(step))

    return {"PyTorch": contestant(loss), "torch.compile": contestant(torch.compile(loss))}


def cross_entropy(sizes: tuple[int, ...], columns: Any, weights: list[float]) -> Callable[[], Any]:
    """What finds the gradient of a perceptron's mean loss; the weights neuron by neuron."""
    import torch

    X, y = torch.tensor(columns[0], dtype=torch.float64), torch.tensor(columns[1])
    layers, at = [], 0
    for n_in, n_out in pairwise(sizes):
        rows = torch.tensor(weights[at : at + n_out * (n_in + 1)], dtype=torch.float64)
        rows = rows.reshape(n_out, n_in + 1)
        layers.append([part.clone().requires_grad_() for part in (rows[:, :n_in], rows[:, n_in])])
        at += rows.numel()

    def gradient() -> Any:
        h = X
        for i, (weight, bias) in enumerate(layers):
            h = torch.addmm(bias, torch.relu(h) if i else h, weight.T)
        loss = torch.nn.functional.cross_entropy(h, y)
        return torch.autograd.grad(loss, [part for layer in layers for part in layer])

    return gradient
