"""Transformations in transformations: a gradient through a path with a gradient at every step."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import autograd as ag
from autograd import Value
from tests.benchmarks.measure import in_turns, print_table, readable, repeated

STEPS = (175, 350, 700, 1_400)
CHAIN = 2_000


def path(steps: int) -> Any:
    """Where a particle is after so many steps, as a function of where it starts."""

    def potential(p: Any) -> Any:
        return 1.0 / ag.sqrt(p[0] * p[0] + p[1] * p[1] + 0.1) + ag.exp(-1.0 * p[0])

    def end(start: Any) -> Any:
        place, speed = [start, 0.3 * start], [0.1, 0.2]
        for _ in range(steps):
            force = ag.gradient(potential)(place)
            speed = [v - 0.01 * f for v, f in zip(speed, force, strict=True)]
            place = [x + 0.01 * v for x, v in zip(place, speed, strict=True)]
        return place[0]

    return end


def chain(x: Any) -> Any:
    """A long function of one number."""
    for _ in range(CHAIN):
        x = ag.sin(x) * 0.99 + x * 0.01
    return x


def run(title: str) -> None:
    """Measure and print."""
    medians = in_turns(
        {str(steps): repeated(partial(ag.gradient(path(steps)), 1.0)) for steps in STEPS},
        clock=time.process_time,
    )
    rows = [(steps, readable(s), readable(s / int(steps))) for steps, s in medians.items()]
    print_table(title, ("steps of the path", "one gradient", "a step"), rows)
    medians = in_turns(
        {
            "the function": repeated(lambda: chain(Value(0.5))),
            "jvp": repeated(lambda: ag.jvp(chain)(0.5, 1.0)),
            "gradient": repeated(lambda: ag.gradient(chain)(0.5)),
        },
        clock=time.process_time,
    )
    base = medians["the function"]
    rows = [(name, readable(s), f"{s / base:.2f}") for name, s in medians.items()]
    print_table(f"a chain of {4 * CHAIN:,} operations", ("", "CPU time", "× function"), rows)
