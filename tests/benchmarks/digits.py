"""Handwritten digits: an MLP 64-32-10 trained with cross entropy, beside PyTorch."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import autograd as ag
from tests.benchmarks.measure import print_table, readable

EPOCHS = 30
BATCH = 32
LEARNING_RATE = 0.003
SEED = 0


def split() -> tuple[Any, Any, Any, Any]:
    """Training and held-out images in [0, 1] and their digits; a third is held out."""
    import numpy as np
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    order = np.random.RandomState(SEED).permutation(len(y))
    held_out, training = np.split(order, [len(y) // 3])
    X = X / 16.0
    return X[training], y[training], X[held_out], y[held_out]


def ours(X: Any, y: Any, X_test: Any) -> Any:
    """The digits predicted by our model."""
    import numpy as np

    model = ag.MLP(64, [32, 10], seed=SEED)
    targets = np.eye(10)[y].tolist()
    ag.fit(
        model,
        ag.cross_entropy,
        X.tolist(),
        targets,
        ag.Adam(model.parameters(), LEARNING_RATE),
        epochs=EPOCHS,
        batch_size=BATCH,
        compiled=True,
        progress=False,
        seed=SEED,
    )
    return np.asarray(ag.jit(model)(X_test)).argmax(axis=1)


def pytorch(X: Any, y: Any, X_test: Any) -> Any:
    """The digits predicted by PyTorch's model, on the same data in the same way."""
    import torch
    from torch import nn

    torch.manual_seed(SEED)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    inputs, targets = torch.tensor(X), torch.tensor(y)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(y)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[batch]), targets[batch]).backward()
            optimizer.step()
    return model(torch.tensor(X_test)).argmax(dim=1).numpy()


def run(title: str) -> None:
    """Measure and print."""
    try:
        X, y, X_test, y_test = split()
    except ImportError:
        print(f"\n{title}: scikit-learn, which has the digits, is missing")
        return
    trainings: dict[str, Callable[..., Any]] = {
        "autograd fit(compiled=True)": ours,
        "PyTorch": pytorch,
    }
    rows = []
    for name, train in trainings.items():
        try:
            start = time.perf_counter()
            predicted = train(X, y, X_test)
            taken = time.perf_counter() - start
        except ImportError:
            rows.append((name, "missing", ""))
            continue
        rows.append((name, readable(taken), f"{100.0 * (predicted == y_test).mean():.1f} %"))
    print_table(f"{title}, {EPOCHS} epochs", ("", "wall time, all included", "held out"), rows)
