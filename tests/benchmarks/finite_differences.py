"""The demo's gradient by central differences: two forward passes a weight, nothing recorded."""

from __future__ import annotations

import time

import autograd as ag
from autograd import Value
from tests import micrograd_demo as demo
from tests.benchmarks.demo_step import with_initial_weights
from tests.benchmarks.measure import print_table, readable

STEP = 1e-5


def run(title: str) -> None:
    """Measure and print."""
    X, Y = demo.moons()
    model = with_initial_weights(ag.MLP(2, [16, 16, 1]))
    parameters = model.parameters()

    def loss() -> Value:
        losses = [ag.hinge(model(x), y) for x, y in zip(X, Y, strict=True)]
        return ag.mean(losses) + demo.PENALTY * ag.dot(parameters, parameters)

    def nudged(p: Value, step: float) -> float:
        before, p.data = p.data, p.data + step
        nudged_loss = loss().data
        p.data = before
        return nudged_loss

    start = time.process_time()
    recorded = loss()
    forward_end = time.process_time()
    recorded.backward()
    backward_end = time.process_time()
    with ag.no_grad():
        numeric = [(nudged(p, STEP) - nudged(p, -STEP)) / (2.0 * STEP) for p in parameters]
    end = time.process_time()

    forward, backward = forward_end - start, backward_end - forward_end
    differences = end - backward_end
    worst = max(abs(n - (p.grad or 0.0)) for n, p in zip(numeric, parameters, strict=True))
    gradient = forward + backward
    rows = [
        ("forward pass, recorded", readable(forward), f"{forward / gradient:.2f}"),
        ("backward pass", readable(backward), f"{backward / gradient:.2f}"),
        ("gradient by backpropagation (both)", readable(gradient), "1.00"),
        (
            f"gradient by {2 * len(parameters)} forward passes",
            readable(differences),
            f"{differences / gradient:.0f}",
        ),
    ]
    print_table(f"{title} (they differ by {worst:.0e})", ("", "CPU time", "ratio"), rows)
