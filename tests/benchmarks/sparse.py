"""Sparse Jacobians and Hessians of Lagrangians: patterns, operations, set-up and evaluation.

CasADi runs its expressions in a virtual machine, or as C that it generates, which gcc -O1 compiles
if there are not too many operations; these are counted after CasADi has eliminated common
subexpressions. JAX makes dense matrices, of functions written for arrays. An evaluation gives the
values alone, in an array: ours by a call of `.values`, or by the machine code that it runs, and
CasADi's without the overhead of a call. Times are those of the processor, so that the machine's
other work does not count.
"""

from __future__ import annotations

import functools
import importlib.util
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from tests import sparse_problems as problems
from tests.benchmarks.measure import in_turns, print_table, readable, repeated
from tests.sparse_problems import Problem

PATIENCE, MOST_IN_C = 60.0, 15_000
"""Seconds for gcc, and operations beyond which it would take longer."""


def families() -> list[Problem]:
    return [
        problems.rosenbrock(1000),
        problems.springs(300),
        problems.cart_pole(200),
        problems.van_der_pol(200),
        problems.power_flow("power flow, 5 buses", problems.five_buses()),
        problems.power_flow("power flow, 14 buses", problems.fourteen_buses()),
        problems.power_flow("power flow, 100 buses", problems.mesh(10)),
        problems.bundle_adjustment(2, 20, 50),
        problems.decay(1000),
    ]


def ours(problem: Problem, kind: str) -> Any:
    if kind == "jacobian":
        assert problem.constraints is not None
        return ag.sparse_jacobian(functools.partial(problem.constraints, ag))
    return ag.sparse_hessian(functools.partial(problem.lagrangian, ag))


def operations_of(function: Any) -> int:
    """What is computed for a point: arithmetic, functions and comparisons."""
    tape = function._latest.recording.values._listing
    copied = tape.names.index("copy")
    arg, start, needed = tape.arg.tolist(), tape.start.tolist(), set(tape.results)
    for node in range(len(tape.op) - 1, -1, -1):
        if node in needed:
            needed.update(arg[start[node] : start[node + 1]])
    return sum(int(tape.op[node]) not in (0, 1, 2, copied) for node in needed)


def machine_code(function: Any, arguments: tuple[Any, ...]) -> Callable[[], None]:
    """What a call runs, on numbers that are in place."""
    from autograd.compiler.points import Arguments

    columns = Arguments("", arguments, 0).columns()
    machine = function._latest.recording.values._run
    memory, _ = machine.memory(1)
    memory.prepare(columns, 1)
    return memory.run  # type: ignore[no-any-return]


# --- CasADi ---------------------------------------------------------------------------------------


class Casadi:
    """The same derivative by CasADi, evaluated into memory without a copy."""

    def __init__(self, problem: Problem, kind: str, multipliers: list[float]) -> None:
        import casadi

        x = casadi.SX.sym("x", len(problem.point))
        v = casadi.SX.sym("v", len(multipliers))
        parts = casadi.vertsplit(x)
        if kind == "jacobian":
            assert problem.constraints is not None
            outputs = casadi.vertcat(*problem.constraints(casadi, parts))
            self.expression, arguments = casadi.jacobian(outputs, x), [x]
        else:
            weights = casadi.vertsplit(v) if multipliers else []
            output = problem.lagrangian(casadi, parts, weights)
            self.expression = casadi.tril(casadi.hessian(output, x)[0])
            arguments = [x, v]
        self.arguments = arguments
        self.function = casadi.Function("f", arguments, [self.expression])
        self.numbers = [np.array(problem.point), np.array(multipliers or [0.0])][: len(arguments)]
        self.values = np.zeros(self.expression.nnz())
        self.run = self.evaluation(self.function)

    def evaluation(self, function: Any) -> Callable[[], None]:
        buffer, run = function.buffer()
        for i, numbers in enumerate(self.numbers):
            buffer.set_arg(i, memoryview(numbers))
        buffer.set_res(0, memoryview(self.values))
        run.buffer = buffer  # which must outlive it
        return run  # type: ignore[no-any-return]

    def places(self) -> set[tuple[int, int]]:
        rows, columns = self.expression.sparsity().get_triplet()
        return set(zip(rows, columns, strict=True))

    def operations(self) -> int:
        import casadi

        function = casadi.Function("f", self.arguments, [casadi.cse(self.expression)])
        other = {casadi.OP_INPUT, casadi.OP_OUTPUT, casadi.OP_CONST, casadi.OP_PARAMETER}
        count = range(function.n_instructions())
        return sum(function.instruction_id(i) not in other for i in count)

    def in_c(self, folder: Path) -> tuple[Callable[[], None] | None, float]:
        """The function in C, if gcc is quick enough, and the seconds it took."""
        import casadi

        start = time.perf_counter()
        generator = casadi.CodeGenerator("f.c")
        generator.add(self.function)
        generator.generate(f"{folder}/")
        command = ["gcc", "-O1", "-shared", "-fPIC", "f.c", "-o", "f.so", "-lm"]
        try:
            subprocess.run(command, cwd=folder, check=True, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            return None, PATIENCE
        taken = time.perf_counter() - start
        return self.evaluation(casadi.external("f", str(folder / "f.so"))), taken


# --- JAX ------------------------------------------------------------------------------------------


def for_arrays(problem: Problem) -> Callable[[Any, Any], Any] | None:
    """The function of a problem for arrays, where that is a natural way to write it."""
    name = problem.name.split(",")[0]
    if name == "Rosenbrock":
        return lambda np, x: (
            (100.0 * (x[1:] - x[:-1] ** 2) ** 2).sum() + ((1.0 - x[:-1]) ** 2).sum()
        )
    if name == "springs":
        return _springs
    return None


def _springs(np: Any, x: Any) -> Any:
    masses = x.reshape(-1, 3)
    ends = np.zeros((1, 3)), np.array([[8.0, 0.0, 0.0]])
    chain = np.concatenate([ends[0], masses, ends[1]])
    lengths = np.sqrt(((chain[1:] - chain[:-1]) ** 2).sum(1))
    stretch = lengths - 6.0 / (len(masses) + 1)
    return 20.0 * len(masses) * (stretch**2).sum() + 9.81 * masses[:, 2].sum()


def dense_jax(problem: Problem) -> Callable[[], object] | None:
    f = for_arrays(problem)
    if f is None or importlib.util.find_spec("jax") is None:
        return None
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(jax.hessian(functools.partial(f, jax.numpy)))
    point = jax.numpy.array(problem.point)
    compiled(point)
    return lambda: compiled(point).block_until_ready()


# --- the tables -----------------------------------------------------------------------------------


def run(title: str) -> None:
    sizes, times = [], []
    for problem in families():
        for kind in ("jacobian", "hessian"):
            if kind == "hessian" or problem.constraints is not None:
                size, duration = compared(problem, kind)
                sizes.append(size)
                times.append(duration)
    header = ["", "n", "nonzeros", "pattern", "greatest error", "operations", "CasADi", "ratio"]
    print_table(title, header, sizes)
    print_table(
        "to the first values, and an evaluation; in brackets ratios to our set-up, or our code",
        ["", "set-up", "CasADi", "in C", "values", "our code", "CasADi", "in C", "dense JAX"],
        times,
    )


def compared(problem: Problem, kind: str) -> tuple[list[object], list[object]]:
    multipliers = problem.multipliers()
    point, weights = np.array(problem.point), np.array(multipliers)
    arguments = (point,) if kind == "jacobian" else (point, weights)
    start = time.process_time()
    function = ours(problem, kind)
    values = function.values(*arguments)
    set_up = time.process_time() - start
    rows, columns = function.structure(*arguments)
    start = time.process_time()
    other = Casadi(problem, kind, multipliers)
    other.run()
    set_up_other = time.process_time() - start

    found = dict(zip(zip(rows.tolist(), columns.tolist(), strict=True), values, strict=True))
    triplet = other.expression.sparsity().get_triplet()
    wanted = dict(zip(zip(*triplet, strict=True), other.values, strict=True))
    more, fewer = len(found.keys() - wanted.keys()), len(wanted.keys() - found.keys())
    pattern = "the same" if not more and not fewer else f"+{more} -{fewer}"
    scale = max(map(abs, wanted.values()), default=1.0)
    error = max((abs(found.get(k, 0.0) - x) for k, x in wanted.items()), default=0.0) / scale

    contestants: dict[str, Any] = {"ours": lambda: function.values(*arguments), "vm": other.run}
    contestants["code"] = machine_code(function, arguments)
    compiling = float("nan")
    with tempfile.TemporaryDirectory() as folder:
        mine, theirs = operations_of(function), other.operations()
        if shutil.which("gcc") and theirs <= MOST_IN_C:
            in_c, compiling = other.in_c(Path(folder))
            if in_c is not None:
                contestants["c"] = in_c
        jax = dense_jax(problem) if kind == "hessian" else None
        if jax is not None:
            contestants["jax"] = jax
        steps = {name: repeated(step) for name, step in contestants.items()}
        measured = in_turns(steps, rounds=5, budget=0.03, clock=time.process_time)
    name = f"{problem.name}: {kind}"
    size = [name, len(point), len(found), pattern, f"{error:.0e}", mine, theirs]
    ratio = f"{mine / theirs:.2f}"
    own, code = measured["ours"], measured["code"]
    evaluations = [
        f"{readable(measured[key])} ({measured[key] / code:.2g})" if key in measured else "-"
        for key in ("vm", "c", "jax")
    ]
    if not shutil.which("gcc") or theirs > MOST_IN_C:
        in_c_text = "-"
    elif "c" not in measured:
        in_c_text = f"> {PATIENCE:.0f} s"
    else:
        in_c_text = readable(set_up_other + compiling)
    return [*size, ratio], [
        name,
        readable(set_up),
        f"{readable(set_up_other)} ({set_up_other / set_up:.2g})",
        in_c_text,
        readable(own),
        readable(measured["code"]),
        *evaluations,
    ]
