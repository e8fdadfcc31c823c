"""Sparse Jacobians and Hessians of Lagrangians: patterns, operations, set-up and evaluation.

CasADi runs its expressions in a virtual machine, or as C that it generates, which gcc -O1 compiles
if there are not too many operations; these are counted after CasADi has eliminated common
subexpressions. JAX differentiates functions written for arrays: to dense matrices, or to sparse
ones by asdex, which colors them (`pip install asdex`). An evaluation gives the values alone, in an
array: ours by a call of `.values`, or by the machine code that it runs, and CasADi's without the
overhead of a call. Times are those of the processor, so that the machine's other work does not
count.
"""

from __future__ import annotations

import functools
import gc
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
from autograd.compiler.arguments import Arguments
from autograd.compiler.backends import llvm
from autograd.compiler.pipeline import lower
from autograd.compiler.trace import trace
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


def operations_of(function: Any, arguments: tuple[Any, ...]) -> int:
    """What is computed for a point: arithmetic, functions and comparisons."""
    recorded = trace(function.values, [x.shape for x in arguments])
    tape: Any = lower(recorded.inputs, recorded.outputs, is_batch=True)
    no_operations = {0, 1, 2, tape.names.index("copy"), tape.names.index("mean")}
    arg, start, needed = tape.arg.tolist(), tape.start.tolist(), set(tape.results)
    for node in range(len(tape.op) - 1, -1, -1):
        if node in needed:
            needed.update(arg[start[node] : start[node + 1]])
    return sum(int(tape.op[node]) not in no_operations for node in needed)


def machine_code(function: Any, arguments: tuple[Any, ...]) -> Callable[[], None]:
    """What a call runs, on numbers that are in place."""
    machine: Any = llvm.compile_program(function.program)
    memory, _ = machine.memory(1)
    memory.prepare(Arguments("", arguments, 0).columns(), 1)
    memory.code.optimize()
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


def by_jax(problem: Problem, kind: str, multipliers: list[float]) -> dict[str, Any]:
    """The same derivative as a dense matrix, and as a sparse one by asdex, which colors it.

    For each a function of nothing, and the seconds to make it.
    """
    if importlib.util.find_spec("jax") is None:
        print("JAX is not installed: pip install jax")
        return {}
    import jax

    jax.config.update("jax_enable_x64", True)
    point, weights = jax.numpy.array(problem.point), jax.numpy.array(multipliers)
    assert problem.of_array is not None
    both = functools.partial(problem.of_array, jax.numpy)

    def function(x: Any) -> Any:
        f, g = both(x)
        return g if kind == "jacobian" else f + weights @ g

    found = {}
    for name, module in {"dense JAX": "jax", "asdex": "asdex"}.items():
        if importlib.util.find_spec(module) is None:
            print(f"{name} is not installed: pip install {module}")
            continue
        start = time.process_time()
        if name == "asdex":
            import asdex

            compiled = jax.jit(getattr(asdex, kind)(function, point))
        else:
            dense = jax.hessian(function) if kind == "hessian" else jax.jacobian(function)
            compiled = jax.jit(dense)

        def run(compiled: Any = compiled) -> Any:
            result = compiled(point)
            return getattr(result, "data", result).block_until_ready()

        run()
        found[name] = run, time.process_time() - start
    return found


# --- Ipopt ----------------------------------------------------------------------------------------


def solved(problem: Problem) -> list[object]:
    """The same nonlinear program solved by Ipopt, with our derivatives and with CasADi's."""
    import casadi

    assert problem.objective is not None
    assert problem.constraints is not None
    start = time.process_time()
    x = casadi.SX.sym("x", len(problem.point))
    parts = casadi.vertsplit(x)
    f, g = problem.objective(casadi, parts), casadi.vertcat(*problem.constraints(casadi, parts))
    options = {"print_time": False, "ipopt": {"print_level": 0, "sb": "yes"}}
    solver = casadi.nlpsol("solver", "ipopt", {"x": x, "f": f, "g": g}, options)
    bounds = {"lbx": problem.lower, "ubx": problem.upper}
    sides = {"lbg": problem.g_lower, "ubg": problem.g_upper}
    other = solver(x0=problem.point, **bounds, **sides)
    theirs = time.process_time() - start
    start = time.process_time()
    assert problem.lower is not None
    assert problem.upper is not None
    mine = ag.minimize(
        functools.partial(problem.objective, ag),
        problem.point,
        bounds=list(zip(problem.lower, problem.upper, strict=True)),
        constraints=(
            *(functools.partial(problem.constraints, ag), problem.g_lower, problem.g_upper),
        ),
        solver="ipopt",
    )
    ours = time.process_time() - start
    numbers = [
        mine.nit,
        solver.stats()["iter_count"],
        f"{mine.fun:.8g}",
        f"{float(other['f']):.8g}",
    ]
    times = [readable(ours), readable(theirs), f"{ours / theirs:.1f}"]
    return [problem.name, mine.reason, *numbers, *times]


# --- the tables -----------------------------------------------------------------------------------


def run(title: str) -> None:
    sizes, times, programs = [], [], []
    for problem in families():
        for kind in ("jacobian", "hessian"):
            if kind == "hessian" or problem.constraints is not None:
                size, duration = compared(problem, kind)
                sizes.append(size)
                times.append(duration)
        if problem.g_lower is not None and importlib.util.find_spec("ipyopt") is not None:
            programs.append(solved(problem))
    header = ["", "n", "nonzeros", "pattern", "greatest error", "operations", "CasADi", "ratio"]
    print_table(title, header, sizes)
    print_table(
        "an evaluation; in brackets its time beside our machine code",
        ["", "a call", "our code", *OTHERS],
        [[name, *evaluations] for name, _, evaluations in times],
    )
    print_table(
        "set-up, to the first values; in brackets ours beside it",
        ["", "ours", *OTHERS],
        [[name, *set_up] for name, set_up, _ in times],
    )
    print_table(
        "nonlinear programs by Ipopt, from the model to the solution",
        [
            *("", "ended", "iterations", "CasADi's", "optimum", "CasADi's"),
            *("time", "CasADi's", "ratio"),
        ],
        programs,
    )


OTHERS = ["CasADi", "in C", "dense JAX", "asdex"]


def compared(problem: Problem, kind: str) -> tuple[list[object], tuple[str, list[str], list[str]]]:
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

    contestants: dict[str, Any] = {"a call": lambda: function.values(*arguments)}
    contestants["our code"] = machine_code(function, arguments)
    contestants["CasADi"] = other.run
    set_ups = {"CasADi": set_up_other}
    mine, theirs = operations_of(function, arguments), other.operations()
    with tempfile.TemporaryDirectory() as folder:
        if shutil.which("gcc") and theirs <= MOST_IN_C:
            in_c, compiling = other.in_c(Path(folder))
            set_ups["in C"] = set_up_other + compiling
            if in_c is not None:
                contestants["in C"] = in_c
        for name, (run_it, taken) in by_jax(problem, kind, multipliers).items():
            contestants[name], set_ups[name] = run_it, taken
        steps = {name: repeated(step) for name, step in contestants.items()}
        gc.freeze()  # or every turn would begin with a walk over all of JAX
        measured = in_turns(steps, rounds=5, budget=0.03, clock=time.process_time)
    gc.unfreeze()
    name = f"{problem.name}: {kind}"
    size = [name, len(point), len(found), pattern, f"{error:.0e}", mine, theirs]
    code = measured["our code"]
    evaluations = [readable(measured["a call"]), readable(code)]
    set_up_texts = [readable(set_up)]
    for who in OTHERS:
        evaluations.append(
            f"{readable(measured[who])} ({measured[who] / code:.2g})" if who in measured else "-"
        )
        set_up_texts.append(
            f"{readable(set_ups[who])} ({set_up / set_ups[who]:.2g})" if who in set_ups else "-"
        )
    return [*size, f"{mine / theirs:.2f}"], (name, set_up_texts, evaluations)
