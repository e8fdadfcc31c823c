"""Values as they are recorded: a GPT in plain scalars and kinds of operands, beside four slots.

The garbage collector is on, as users have it. All take turns in one process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import autograd as ag
from tests.benchmarks import workloads
from tests.benchmarks.measure import in_turns, print_table, readable, repeated
from tests.benchmarks.peers import four_slots


def run(title: str) -> None:
    """Measure and print."""
    sys.setrecursionlimit(100_000)  # the peer recurses as deep as the graph is
    _print_gpt(title)
    _print_operands(title)


def _print_gpt(title: str) -> None:
    def step(value: Callable[[float], Any], *sums: Any) -> Callable[[], None]:
        weights = workloads.gpt_parameters(value)
        tokens = workloads.tokens_of(8)

        def forward_and_backward() -> None:
            workloads.gpt_loss(weights, tokens, *sums).backward()

        return forward_and_backward

    plain = (workloads.plain_dot, workloads.plain_sum)
    contestants = {
        "four slots": repeated(step(four_slots.Value, *plain)),
        "autograd": repeated(step(ag.Value, *plain)),
        "autograd, ag.dot and ag.sum": repeated(step(ag.Value)),
    }
    medians = in_turns(contestants, budget=1.0, clock=time.process_time)
    base = medians["four slots"]
    rows = [(name, readable(s), f"{base / s:.2f}") for name, s in medians.items()]
    print_table(f"{title}: GPT, 8 tokens", ("", "forward, backward", "times as fast"), rows)


def _print_operands(title: str) -> None:
    a, b = ag.Value(2.0), ag.Value(3.0)
    operations: dict[str, Callable[[], Any]] = {
        "a * b": lambda: a * b,
        "a * 2.0": lambda: a * 2.0,
        "a * 2": lambda: a * 2,
        "0 + a": lambda: 0 + a,
        "a ** 2": lambda: a**2,
        "a.exp()": a.exp,
        "ag.exp(a)": lambda: ag.exp(a),
        "ag.maximum(a, b)": lambda: ag.maximum(a, b),
    }
    medians = in_turns(
        {name: repeated(operation) for name, operation in operations.items()},
        clock=time.process_time,
    )
    base = medians["a * 2.0"]
    rows = [(name, readable(s), f"{s / base:.2f}") for name, s in medians.items()]
    print_table(f"{title}: one operation", ("", "to record", "times a * 2.0"), rows)
