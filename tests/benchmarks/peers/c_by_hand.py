"""C by hand, plain and on vectors of examples, compiled with this machine's `cc`: the limit."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.peers import Contestant, PeerMissingError, Problem

SOURCE = Path(__file__).with_suffix(".c")
FLAGS = ("-O3", "-march=native", "-std=gnu11", "-shared", "-fPIC")


def library() -> ctypes.CDLL:
    compiler = shutil.which("cc")
    if compiler is None:
        raise PeerMissingError("no C compiler `cc` on PATH")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "by_hand.so")
        subprocess.run([compiler, *FLAGS, str(SOURCE), "-o", str(path)], check=True)
        return ctypes.CDLL(str(path))


def aligned(array: Any) -> Any:
    """The array at an address that is a multiple of 64, as loads of whole vectors want it."""
    import numpy as np

    buffer = np.zeros(array.size + 8)
    start = (-buffer.ctypes.data % 64) // 8
    copy = buffer[start : start + array.size]
    copy[:] = array.ravel()
    return copy


def address(array: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def contestants(problem: Problem) -> dict[str, Contestant]:
    import numpy as np

    c = library()
    lanes: int = c.lanes()
    examples = len(problem.Y)
    vectors = -(-examples // lanes)
    padding = vectors * lanes - examples
    X, Y = np.array(problem.X), np.array(problem.Y, dtype=np.float64)
    by_vectors = np.pad(X, ((0, padding), (0, 0))).reshape(vectors, lanes, -1).swapaxes(1, 2)
    scale = np.pad(np.full(examples, 1.0 / examples), (0, padding))

    plain_data = [address(X), address(Y), examples]
    padded = [aligned(array) for array in (by_vectors.copy(), np.pad(Y, (0, padding)), scale)]
    vector_data = [*map(address, padded), vectors]
    alive = (X, Y, padded)

    def contestant(gradient: Any, steps: Any, data: list[Any]) -> Contestant:
        weights, slopes = np.array(problem.weights), np.zeros(len(problem.weights))
        penalty, rate = ctypes.c_double(problem.penalty), ctypes.c_double(problem.learning_rate)

        def first_gradient() -> list[float]:
            gradient(address(weights), *data, penalty, address(slopes))
            found: list[float] = slopes.tolist()
            return found

        def take(count: int, _alive: object = alive) -> None:
            steps(address(weights), *data, penalty, rate, ctypes.c_long(count))

        return Contestant(first_gradient, take)

    return {
        "C by hand": contestant(c.plain_gradient, c.plain_steps, plain_data),
        f"C by hand, {lanes} examples a vector": contestant(
            c.vector_gradient, c.vector_steps, vector_data
        ),
    }
