"""Programs of many sizes: recorded, rolled, compiled and run, beside JAX written by hand in arrays;
the classifiers beside PyTorch, too.

The gradient is timed inside of machine code, without the way to and from Python, in a compiled loop
of `LOOP` gradients: ours, JAX's by hand (also once a call), and as `to_jax` writes it. Each
workload has a process of its own, which gives its time to compile (recording included) and its peak
of memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.measure import in_turns, peak_memory, print_table, readable, repeated

LOOP = 50
"""How many gradients one compiled loop takes."""


def measure(name: str) -> None:
    """Print what one workload takes, as JSON; to be called alone in its process."""
    import autograd as ag
    from autograd.compiler.backends import llvm
    from autograd.compiler.columns import read_columns
    from tests.benchmarks.workloads import CLASSIFIERS, WORKLOADS

    workload = WORKLOADS[name]()
    compiled = ag.jit(workload.loss, backend="llvm")
    before, start = peak_memory(), time.perf_counter()
    compiled.backward(*workload.columns)
    found: dict[str, Any] = {
        "compile": time.perf_counter() - start,
        "memory": peak_memory() - before,
        "lines": len(str(compiled.program).splitlines()),
    }
    ours = [p.grad or 0.0 for p in workload.parameters]
    columns = read_columns(workload.columns) if workload.columns else []
    machine: Any = llvm.compile_program(compiled.program)
    count = columns[0].count if columns else 1
    memory, _ = machine.memory(count)
    memory.fill([leaf.data for leaf in compiled.program.leaves], ())
    memory.prepare(columns, count)
    memory.code.optimize()
    contestants = {
        "run": repeated(in_machine_code(memory)),
        "backward": repeated(lambda: compiled.backward(*workload.columns)),
    }
    try:
        contestants |= _jax(name, workload, ours, found)
    except ImportError:
        found |= dict.fromkeys(JAX, "missing")
    if name in CLASSIFIERS:
        try:
            contestants |= _pytorch(CLASSIFIERS[name], workload, ours)
        except ImportError:
            found["PyTorch"] = "missing"
    found |= in_turns(contestants, rounds=5)
    for key in ("run", "JAX loop", "our JAX loop"):
        if key in contestants:  # a step of it is many gradients
            found[key] /= LOOP
    print(json.dumps(found))


def in_machine_code(memory: Any) -> Callable[[], None]:
    """A compiled loop of `LOOP` runs of a program: a call from Python alone takes 0.4 µs."""
    from autograd.compiler.backends.llvm.builder import Function
    from autograd.compiler.backends.llvm.runtime import MachineCode

    code = Function("void @run(ptr %frame)")
    run = f"call void inttoptr (i64 {memory.code.address} to ptr)(ptr %frame)"
    code.loop(0, LOOP, 1, lambda _: code.do(run))
    loop = MachineCode(str(code), [])
    return lambda: loop(memory.frame)


def _jax(name: str, workload: Any, ours: list[float], found: dict[str, Any]) -> dict[str, Any]:
    import jax
    import numpy as np
    from jax import numpy as jnp

    import autograd as ag
    from tests.benchmarks.peers.jax_by_hand import losses

    gradient = jax.grad(losses(name, workload))
    start = jnp.array([p.data for p in workload.parameters])
    once = jax.jit(gradient)
    began = time.perf_counter()
    by_hand = np.asarray(once(start))
    found["JAX compile"] = time.perf_counter() - began
    found["off by"] = float(np.max(np.abs(by_hand - ours) / (np.abs(by_hand) + 1e-9)))

    columns = [np.array(column) for column in workload.columns]
    printed = ag.to_jax(workload.loss, *(column[0] for column in columns))

    def of_ours(w: Any) -> Any:
        return printed.value_and_gradient(w, *columns)[1]

    began = time.perf_counter()
    found_by_ours = dict(zip(printed.leaves, jax.jit(of_ours)(printed.numbers()), strict=True))
    found["our JAX compile"] = time.perf_counter() - began
    computed = np.array([found_by_ours.get(p, 0.0) for p in workload.parameters])
    assert np.allclose(computed, by_hand, rtol=1e-9, atol=1e-9 * np.abs(by_hand).max())

    def in_a_loop(gradient: Any, start: Any) -> Any:
        """`LOOP` gradients in one compiled call."""
        many = jax.jit(
            lambda w: jax.lax.fori_loop(0, LOOP, lambda _, x: x - 1e-12 * gradient(x), w)
        )
        return repeated(lambda: jax.block_until_ready(many(start)))

    return {
        "JAX call": repeated(lambda: jax.block_until_ready(once(start))),
        "JAX loop": in_a_loop(gradient, start),
        "our JAX loop": in_a_loop(of_ours, jnp.array(printed.numbers())),
    }


def _pytorch(sizes: tuple[int, ...], workload: Any, ours: list[float]) -> dict[str, Any]:
    import torch

    from tests.benchmarks.peers.pytorch import cross_entropy

    torch.set_num_threads(1)  # as ours, and faster for the smaller one: 140 µs against 480
    weights = [p.data for p in workload.parameters]
    gradient = cross_entropy(sizes, workload.columns, weights)
    of_weight, of_bias = gradient()[:2]
    theirs = torch.cat([of_weight, of_bias[:, None]], 1).flatten().tolist()
    assert all(abs(a - b) <= 1e-9 * (1.0 + abs(b)) for a, b in zip(ours, theirs, strict=False))
    return {"PyTorch": repeated(gradient)}


def run(title: str) -> None:
    """Measure and print."""
    from tests.benchmarks.workloads import WORKLOADS

    rows = []
    for name in WORKLOADS:
        call = f"from tests.benchmarks.programs import measure; measure({name!r})"
        finished = subprocess.run(
            [sys.executable, "-c", call], capture_output=True, text=True, check=False
        )
        if finished.returncode:
            print(f"{name} failed: {finished.stderr.strip().splitlines()[-1]}")
            continue
        found = json.loads(finished.stdout.splitlines()[-1])
        times = (_told(found.get(key)) for key in TIMES)
        rows.append((name, found["lines"], *times, f"{found['memory'] / 1e6:.0f} MB"))
    header = (
        *("", "lines", "compile", "gradient", "backward()", "JAX: compile", "call", "loop"),
        *("ours in JAX: compile", "loop", "PyTorch", "memory"),
    )
    print_table(title, header, rows)


def _told(found: float | str | None) -> str:
    return readable(found) if isinstance(found, float) else found or "–"


JAX = ("JAX compile", "JAX call", "JAX loop", "our JAX compile", "our JAX loop")
TIMES = ("compile", "run", "backward", *JAX, "PyTorch")
