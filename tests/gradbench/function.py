"""A function of an eval: prepared once, run and timed as often as asked, reported as JSON."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag

Thunk = Callable[[], Any]
"""Computes the function once."""


class Function:
    """A function that an eval asks for.

    Args:
        prepare: takes the input of a message, and returns what computes the function once. That
            is timed, so the first time includes recording and compiling.
        told: makes what the eval expects of the result; not timed.
    """

    def __init__(
        self, prepare: Callable[[Any], Thunk], told: Callable[[Any], Any] = lambda result: result
    ) -> None:
        self.prepare = prepare
        self.told = told

    def evaluate(self, given: Any) -> dict[str, Any]:
        """The output, and the time of each run, in nanoseconds.

        It is run at least `min_runs` times, and again until it has taken `min_seconds` in all;
        once if the input does not say.
        """
        runs = given if isinstance(given, dict) else {}
        min_runs, min_seconds = runs.get("min_runs", 1), runs.get("min_seconds", 0.0)
        compute = self.prepare(given)
        output, times = None, list[int]()
        while not times or len(times) < min_runs or sum(times) < 1e9 * min_seconds:
            start = time.perf_counter_ns()
            output = compute()
            times.append(time.perf_counter_ns() - start)
        timings = [{"name": "evaluate", "nanoseconds": spent} for spent in times]
        return {"output": as_json(self.told(output)), "timings": timings}


def as_json(x: Any) -> Any:
    """Numbers, Values and arrays, in any structure, as JSON has them."""
    if isinstance(x, dict):
        return {key: as_json(item) for key, item in x.items()}
    if isinstance(x, list | tuple):
        return [as_json(item) for item in x]
    if isinstance(x, np.ndarray | np.generic):
        return x.tolist()
    return x.data if isinstance(x, ag.Value) else x
