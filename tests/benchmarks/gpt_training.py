"""A scalar GPT trained on a thousand names with Adam: compiled, eager, and on the smallest Value.

The compiled run is whole, with the recording and compilation of a program for each length of name;
of the others some steps are taken and the rest is reckoned.
"""

from __future__ import annotations

import random
import sys
import time
from typing import Any

import autograd as ag
from tests.benchmarks import workloads
from tests.benchmarks.measure import print_table, readable
from tests.benchmarks.peers import four_slots

STEPS, TIMED = 1000, 10


def names() -> list[list[int]]:
    """Made-up names of three to eight letters, as tokens with an end on either side."""
    source, end = random.Random(0), workloads.TOKENS - 1
    lengths = [source.choice((3, 4, 5, 5, 6, 6, 7, 8)) for _ in range(STEPS)]
    return [[end, *(source.randrange(end) for _ in range(n)), end] for n in lengths]


def run(title: str) -> None:
    """Measure and print."""
    sys.setrecursionlimit(100_000)  # the smallest Value recurses as deep as the graph is
    documents = names()
    rows = [("autograd, fit(compiled=True)", readable(_compiled(documents)), "whole")]
    for name, value, sums in (
        ("autograd, eager, ag.dot and ag.sum", ag.Value, ()),
        ("autograd, eager, plain", ag.Value, (workloads.plain_dot, workloads.plain_sum)),
        ("four slots", four_slots.Value, (workloads.plain_dot, workloads.plain_sum)),
    ):
        rows.append((name, readable(_eager(documents, value, sums)), f"from {TIMED} steps"))
    print_table(title, ("", f"{STEPS:,} steps", ""), rows)


def _compiled(documents: list[list[int]]) -> float:
    weights = workloads.gpt_parameters(ag.Value)
    parameters = [w for rows in weights.values() for row in rows for w in row]

    def embedded(tokens: Any) -> Any:
        rows = [ag.take(weights["token"], token) for token in tokens]
        return {**weights, "token": rows}

    def scores(tokens: Any) -> Any:
        return workloads.gpt_scores(embedded(tokens), range(len(tokens)))

    def loss(found: Any, following: Any) -> Any:
        return ag.mean(map(ag.cross_entropy, found, following))

    X, Y = [tokens[:-1] for tokens in documents], [tokens[1:] for tokens in documents]
    start = time.perf_counter()
    optimizer = ag.Adam(parameters, learning_rate=0.01)
    ag.fit(scores, loss, X, Y, optimizer, 1, 1, compiled=True, progress=False)
    return time.perf_counter() - start


def _eager(documents: list[list[int]], value: Any, sums: Any) -> float:
    weights = workloads.gpt_parameters(value)
    parameters = [w for rows in weights.values() for row in rows for w in row]
    optimizer = ag.Adam(parameters, learning_rate=0.01)
    start = time.perf_counter()
    for tokens in documents[:TIMED]:
        for parameter in parameters:
            parameter.grad = 0.0
        workloads.gpt_loss(weights, tokens, *sums).backward()
        optimizer.step()
    return (time.perf_counter() - start) / TIMED * len(documents)
