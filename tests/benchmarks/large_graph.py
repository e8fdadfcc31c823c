"""A graph of many elementary operations, forward and backward: time and memory of a node.

Each measurement has a process of its own, which gives its CPU time and its peak resident memory:
what a node costs, the backward pass included. The graph is many chains of a hundred operations
each, joined by a tree of additions, because micrograd recurses as deep as a graph is.
"""

from __future__ import annotations

import gc
import importlib
import json
import statistics
import subprocess
import sys
import time
from typing import Any

from tests.benchmarks.measure import peak_memory, print_table

SIZES = {10_000: 5, 100_000: 5, 1_000_000: 3}
"""Operations, and how many measurements to take the median of."""

ENGINES = {
    "autograd": "autograd",
    "micrograd": "micrograd.engine",
    "four slots": "tests.benchmarks.peers.four_slots",
}
CHAIN = 100


def build(value: Any, operations: int) -> Any:
    """A graph of that many operations, none deeper than a recursion can follow."""
    factor, term = value(0.999), value(0.001)
    ends = []
    for _ in range(operations // CHAIN):
        node = value(0.5)
        for _ in range((CHAIN - 1) // 2):
            node = node * factor + term
        ends.append(node * factor)
    while len(ends) > 1:
        ends = [a + b for a, b in zip(ends[::2], ends[1::2], strict=False)] + ends[-1:] * (
            len(ends) % 2
        )
    return ends[0]


def measure(module: str, operations: int) -> None:
    """Print the seconds forward, backward, and to free the graph, and its bytes; all per operation.

    To be called alone in its process.
    """
    value = importlib.import_module(module).Value
    build(value, CHAIN).backward()
    before = peak_memory()
    start = time.process_time()
    output = build(value, operations)
    built = time.process_time()
    output.backward()
    swept = time.process_time()
    memory = peak_memory() - before
    del output
    gc.collect()
    freed = time.process_time()
    numbers = (built - start, swept - built, freed - swept, memory)
    print(json.dumps([number / operations for number in numbers]))


def in_a_process(module: str, operations: int) -> list[float] | None:
    """What `measure` prints; None where the engine is not installed."""
    call = f"from tests.benchmarks.large_graph import measure; measure({module!r}, {operations})"
    finished = subprocess.run(
        [sys.executable, "-c", call], capture_output=True, text=True, check=False
    )
    if "ModuleNotFoundError" in finished.stderr:
        return None
    finished.check_returncode()
    numbers: list[float] = json.loads(finished.stdout)
    return numbers


def run(title: str) -> None:
    """Measure and print."""
    rows = []
    for operations, rounds in SIZES.items():
        base = None
        for engine, found in _in_turns(operations, rounds).items():
            if not found:
                rows.append((engine, f"{operations:,}", *["missing"] * 5))
                continue
            forward, backward, free, memory = map(statistics.median, zip(*found, strict=True))
            base = base or forward + backward
            nanoseconds = [f"{1e9 * s:,.0f}" for s in (forward, backward, free)]
            ratio = f"{(forward + backward) / base:.1f}"
            rows.append((engine, f"{operations:,}", *nanoseconds, ratio, f"{memory:,.0f}"))
    header = ("ns/node of CPU time", "nodes", "forward", "backward", "free", "both", "bytes/node")
    print_table(f"{title} (both: forward and backward, times ours)", header, rows)


def _in_turns(operations: int, rounds: int) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = {engine: [] for engine in ENGINES}
    for _ in range(rounds):
        for engine, module in ENGINES.items():
            numbers = in_a_process(module, operations)
            if numbers:
                found[engine].append(numbers)
    return found
