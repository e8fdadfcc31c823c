"""How long the first compiled gradient takes, and how much memory, as the graph grows.

Each measurement has a process of its own. What is timed is everything: recording, the gradient as
graph, the linear program, the back end's work and the first run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import autograd as ag
from autograd import Value
from tests import micrograd_demo as demo
from tests.benchmarks.measure import peak_memory, print_table, readable
from tests.benchmarks.peers import Problem
from tests.benchmarks.peers.ours import Setup

SIZES = (1_000, 10_000, 100_000)
"""Operations of one example."""


def wandering(operations: int) -> Any:
    """A function of one number that takes so many operations, on a tenth as many weights."""
    weights = [Value(0.5 + i / operations, f"w{i}") for i in range(operations // 10)]

    @ag.jit
    def f(x: Value) -> Value:
        node = x
        for i in range(operations // 5):
            node = (node * weights[i % len(weights)] + x).tanh() * 0.75 - 0.125
        return node

    return f


def demo_loss() -> Any:
    """The demo's loss of one example."""
    setup = Setup(Problem(*demo.moons(), demo.initial_weights()))

    @ag.jit
    def loss(x: list[Value], y: Value) -> Value:
        return ag.hinge(setup.model(x), y) + setup.penalty(setup.parameters)

    return loss


def measure(operations: int) -> None:
    """Print the seconds of the first call, and the peak memory in bytes.

    Of the demo's loss for 0 operations. To be called alone in its process.
    """
    columns = [[0.5, 0.25]] if operations else demo.moons()
    f = wandering(operations) if operations else demo_loss()
    start = time.perf_counter()
    f.backward(*columns)
    taken = time.perf_counter() - start
    print(json.dumps([taken, peak_memory()]))


def run(title: str) -> None:
    """Measure and print."""
    rows = []
    for operations in (0, *SIZES):
        call = f"from tests.benchmarks.compile_time import measure; measure({operations})"
        printed = subprocess.run(
            [sys.executable, "-c", call], capture_output=True, text=True, check=True
        ).stdout
        taken, memory = json.loads(printed)
        name = f"{operations:,} operations" if operations else "micrograd's demo"
        rows.append((name, readable(taken), f"{memory / 1e6:,.0f} MB"))
    print_table(title, ("one example of", "first gradient after", "peak memory"), rows)
