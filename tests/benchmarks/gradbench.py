"""The twelve problems of GradBench, as the tool in `tests/gradbench` solves them.

Each row has a process of its own, in which something small was compiled before. The inputs are made
here, with the sizes of GradBench's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.measure import print_table, readable

LIMIT = 200.0
"""Seconds after which a row is given up."""

ROWS: tuple[tuple[str, str, dict[str, int]], ...] = (
    ("hello", "double", {}),
    ("llsq", "gradient", {"n": 1_024, "m": 128}),
    ("lse", "gradient", {"n": 20_000}),
    ("lse", "gradient", {"n": 160_000}),
    ("ode", "gradient", {"n": 1_000, "s": 10}),
    ("ode", "gradient", {"n": 100, "s": 100}),
    ("kmeans", "cost", {"k": 100, "n": 1_000, "d": 16}),
    ("kmeans", "dir", {"k": 100, "n": 1_000, "d": 16}),
    ("gmm", "objective", {"d": 20, "k": 25, "n": 1_000}),
    ("gmm", "jacobian", {"d": 20, "k": 25, "n": 1_000}),
    ("ba", "objective", {"n": 49, "m": 7_776, "p": 31_843}),
    ("ba", "jacobian", {"n": 49, "m": 7_776, "p": 31_843}),
    ("ht", "objective", {"points": 100}),
    ("ht", "jacobian", {"points": 100}),
    ("lstm", "objective", {"l": 2, "c": 1_024}),
    ("lstm", "jacobian", {"l": 2, "c": 1_024}),
    ("lstm", "jacobian", {"l": 2, "c": 4_096}),
    ("det", "gradient", {"l": 8}),
    ("det", "gradient", {"l": 9}),
    *(("saddle", modes, {}) for modes in ("rr", "ff", "fr", "rf")),
    *(("particle", modes, {}) for modes in ("rr", "ff", "fr", "rf")),
)
"""What is asked for: an eval, its function and a size."""


def hello(random: np.random.Generator) -> Any:
    return 3.0


def llsq(random: np.random.Generator, n: int, m: int) -> Any:
    return {"x": random.random(m), "n": n}


def lse(random: np.random.Generator, n: int) -> Any:
    return {"x": random.random(n)}


def ode(random: np.random.Generator, n: int, s: int) -> Any:
    return {"x": random.random(n), "s": s}


def kmeans(random: np.random.Generator, k: int, n: int, d: int) -> Any:
    points = random.random((n, d))
    return {"points": points, "centroids": points[-k:]}


def gmm(random: np.random.Generator, d: int, k: int, n: int) -> Any:
    shapes = {"x": (n, d), "alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
    return {"d": d, "k": k, "n": n, "m": 0, "gamma": 1.0} | arrays


def ba(random: np.random.Generator, n: int, m: int, p: int) -> Any:
    camera = 0.2 * random.random(11) + 0.1
    point = random.random(3) + np.array([0.0, 0.0, 2.0])
    return {"n": n, "m": m, "p": p, "cam": camera, "x": point, "w": 0.8, "feat": random.random(2)}


def ht(random: np.random.Generator, points: int) -> Any:
    """A hand with the bones of GradBench's, and vertices at random places."""
    n_bones, n_vertices, n_triangles = 22, 544, 1_084
    relatives, inverses = random.normal(size=(2, n_bones, 4, 4)) / 2.0
    relatives[:, 3] = inverses[:, 3] = [0.0, 0.0, 0.0, 1.0]
    model = {
        "bone_count": n_bones,
        "bone_names": [str(bone) for bone in range(n_bones)],
        "parents": [-1, 0, *(0 if i % 4 == 0 else i + 1 for i in range(n_bones - 2))],
        "base_relatives": relatives,
        "inverse_base_absolutes": inverses,
        "base_positions": np.c_[random.normal(size=(n_vertices, 3)), np.ones(n_vertices)],
        "weights": random.dirichlet(np.ones(n_bones), n_vertices),
        "triangles": random.integers(0, n_vertices, (n_triangles, 3)),
        "is_mirrored": False,
    }
    correspondences = random.integers(0, n_triangles, points)
    data = {"model": model, "correspondences": correspondences}
    data["points"] = random.normal(size=(points, 3))
    return {"theta": random.normal(size=26), "data": data, "us": random.random((points, 2))}


def lstm(random: np.random.Generator, l: int, c: int) -> Any:  # noqa: E741 - GradBench's name
    width = 7  # the bits of a character
    shapes = {"main_params": (2 * l, 4 * width), "extra_params": (3, width)}
    shapes["state"] = (2 * l, width)
    arrays = {name: random.random(shape) for name, shape in shapes.items()}
    return arrays | {"sequence": random.integers(0, 2, (c, width)).astype(float)}


def det(random: np.random.Generator, l: int) -> Any:  # noqa: E741 - GradBench's name
    return {"A": random.random(l * l), "ell": l}


def saddle(random: np.random.Generator) -> Any:
    return {"start": [1.0, 1.0]}


def particle(random: np.random.Generator) -> Any:
    return {"w": 0.0}


MAKE: dict[str, Callable[..., Any]] = {
    made.__name__: made
    for made in (hello, llsq, lse, ode, kmeans, gmm, ba, ht, lstm, det, saddle, particle)
}
"""What makes the input of each eval."""


def measure(row: int) -> None:
    """Print the CPU seconds of the first call, and the fewest of those after it, as JSON.

    These are called for long enough to be compiled with all optimizations. What else runs on the
    machine does not count.
    """
    import autograd as ag
    from tests.gradbench.function import as_json
    from tests.gradbench.run import function_of

    ag.jit(lambda x: x * x)([1.0])
    module, function, size = ROWS[row]
    given = as_json(MAKE[module](np.random.default_rng(0), **size))
    compute = function_of(module, function).prepare(given)
    start = time.process_time()
    compute()
    first = time.process_time() - start
    times: list[float] = []
    while time.process_time() < start + first + 2.0 or len(times) < 5:
        begin = time.process_time()
        compute()
        times.append(time.process_time() - begin)
    print(json.dumps([first, min(times)]))


def measured(row: int) -> tuple[str, str]:
    """The two numbers of a row, or why there are none."""
    call = f"from tests.benchmarks.gradbench import measure; measure({row})"
    try:
        finished = subprocess.run(
            [sys.executable, "-c", call], capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"over {LIMIT:.0f} s", "–"
    if finished.returncode:
        lines = finished.stderr.strip().splitlines() or [f"signal {-finished.returncode}"]
        return "failed", lines[-1]
    first, best = json.loads(finished.stdout.splitlines()[-1])
    return f"{first:.2f} s", readable(best)


def run(title: str) -> None:
    """Measure and print."""
    rows = []
    for i, (module, function, size) in enumerate(ROWS):
        described = ", ".join(f"{name}={count:,}" for name, count in size.items())
        rows.append((f"{module} {function}", described, *measured(i)))
    print_table(title, ("", "size", "first call, CPU", "best, CPU"), rows)
