"""Machine code: the memory that it writes, and sums in the same order however it is made."""

from __future__ import annotations

import gc
import importlib
import itertools
import math
import os
import random
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import autograd as ag
from autograd.compiler.backends.llvm import codegen, source
from autograd.compiler.backends.llvm import runtime as machine
from autograd.compiler.backends.llvm.runtime import Machine, address
from autograd.compiler.backends.llvm.training import CompiledTraining
from autograd.compiler.jit import executable
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.trace import trace

llvm_module = importlib.import_module("autograd.compiler.backends.llvm.module")

pytestmark = pytest.mark.slow

binding = pytest.importorskip("llvmlite.binding", reason="machine code needs llvmlite (extra jit)")

COUNTS = [*range(1, 18), 31, 32, 33, 103, 104, 105, 208, 209, 300]

CANARY = 4.2e-42


def network() -> tuple[Callable[..., Any], list[ag.Value], int]:
    """Matrices, their transposes, outer products, and a sum that depends on no input."""
    model = ag.MLP(3, [9, 5, 1], activation="tanh", seed=2)
    weights = model.parameters()
    return lambda x, y: ag.hinge(model(x), y) + 1e-3 * ag.dot(weights, weights), weights, 3


def recurrence() -> tuple[Callable[..., Any], list[ag.Value], int]:
    """A loop over groups, and single numbers."""
    rate, start = ag.Value(0.3, "rate"), ag.Value(0.7, "start")

    def f(x: list[ag.Value], y: ag.Value) -> ag.Value:
        node = start
        for i in range(30):
            node = node + rate * (x[i % 3] - node).tanh() * y
        return node * node

    return f, [rate, start], 3


def lookup() -> tuple[Callable[..., Any], list[ag.Value], int]:
    """Numbers from a table, at places without a pattern."""
    table = [ag.Value(math.sin(i), f"t{i}") for i in range(23)]

    def f(x: list[ag.Value], y: ag.Value) -> ag.Value:
        return ag.sum((table[i * i % 23] * x[i % 3] - y) ** 2 for i in range(40))

    return f, table, 3


PROGRAMS = {"network": network, "recurrence": recurrence, "lookup": lookup}


def columns(count: int, width: int) -> list[Any]:
    rows = [[math.cos(7.0 * i + k) for k in range(width)] for i in range(count)]
    return [rows, [1.0 if i % 3 else -1.0 for i in range(count)]]


def listed(name: str, is_batch: bool = True) -> Any:
    f, leaves, width = PROGRAMS[name]()
    recorded = trace(f, [(width,), ()])
    (output,) = recorded.outputs
    return lower(recorded.inputs, [output], is_batch, leaves, leaves)


def results(code: Machine, found: Any, given: list[Any]) -> list[float]:
    from autograd.compiler.columns import read_columns

    return code([leaf.data for leaf in found.leaves], read_columns(given)).tolist()


class Guard:
    """Gives out memory that stands among numbers which nobody may change."""

    def __init__(self) -> None:
        self._rooms: list[tuple[Any, int, int]] = []

    def room(self, n: int) -> Any:
        """As `machine.aligned_zeros`, in whose place it stands."""
        margin = 4 * machine.LINE
        numbers = np.full(n + 2 * margin, CANARY)
        first = 3 * machine.LINE - address(numbers) // 8 % machine.LINE
        numbers[first : first + n] = 0.0
        self._rooms.append((numbers, first, n))
        return numbers[first : first + n]

    def is_untouched(self) -> bool:
        """Whether all numbers around the memory are as they were."""
        return all(
            (numbers[:first] == CANARY).all() and (numbers[first + n :] == CANARY).all()
            for numbers, first, n in self._rooms
        )


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    """Around all memory that machine code works on."""
    guard = Guard()
    monkeypatch.setattr(machine, "aligned_zeros", guard.room)
    return guard


@pytest.mark.parametrize("is_batch", [True, False], ids=["batch", "each"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_written_beside_its_memory(name: str, is_batch: bool, guard: Guard) -> None:
    found = listed(name, is_batch)
    code = Machine(roll(found))
    for count in COUNTS:
        results(code, found, columns(count, 3))
    assert guard.is_untouched()


@pytest.mark.parametrize("is_batch", [True, False], ids=["batch", "each"])
def test_memory_lives_as_long_as_what_works_on_it(
    is_batch: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms: list[weakref.ref[Any]] = []
    room = machine.aligned_zeros

    def recorded(n: int) -> Any:
        numbers = room(n)
        rooms.append(weakref.ref(numbers.base))
        return numbers

    monkeypatch.setattr(machine, "aligned_zeros", recorded)
    found = listed("network", is_batch)
    code = Machine(roll(found))
    for count in COUNTS:
        results(code, found, columns(count, 3))
    assert rooms
    assert all(kept() is not None for kept in rooms)


def test_a_training_writes_nothing_beside_its_memory(guard: Guard) -> None:
    f, weights, width = network()
    given = columns(40, width)
    adam = ag.Adam(weights, 0.01)
    # a fresh program, whose memory is guarded, and not one that another test has compiled
    training = CompiledTraining(lambda x, y: [f(x, y), x[0] * 0.125], given, adam)
    order = [i * 7 % 40 for i in range(80)]
    (losses, _) = training.steps([13, 13, 13, 1, 40], order, [adam.coefficients()])
    assert len(losses) == 5
    assert guard.is_untouched()


def test_the_guard_sees_a_number_that_is_written_one_place_too_far(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = guard.room
    monkeypatch.setattr(machine, "aligned_zeros", lambda n: room(max(0, n - 1)))
    found = listed("network")
    results(Machine(roll(found)), found, columns(1, 3))
    assert not guard.is_untouched()


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_order_of_sums_is_that_of_the_lanes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the code was compiled for: few examples, many, or several chunks of them."""
    found = listed(name)
    program = roll(found)
    counts = [*range(1, 18), 33, 113, 250]
    code = Machine(program)
    expected = [results(code, found, columns(count, 3)) for count in counts]
    for chunk in (16, 64):
        monkeypatch.setattr(machine, "chunk_of", lambda count, chunk=chunk: chunk)
        code = Machine(program)
        assert [results(code, found, columns(count, 3)) for count in counts] == expected


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_batch_adds_up_lane_by_lane_from_the_short_block_on(name: str) -> None:
    """Then the upper half of the lanes is added to the lower, until one is left."""
    found, of_each = listed(name), listed(name, is_batch=False)
    code, code_of_each, lanes = Machine(roll(found)), Machine(roll(of_each)), machine.lanes()
    for count in (3, lanes, 2 * lanes + 1, 3 * lanes - 1):
        given = columns(count, 3)
        means = results(code, found, given)
        rows = results(code_of_each, of_each, given)
        if name == "network":
            assert means[0] == pytest.approx(math.fsum(rows[:count]) / count, rel=1e-14)
            continue  # its penalty is added to the mean, not to each example
        for i, mean in enumerate(means):
            numbers = rows[i * count : (i + 1) * count]
            first = count % lanes or lanes
            sums = [numbers[k] if k < first else -0.0 for k in range(lanes)]
            for start in range(first, count, lanes):
                sums = [total + numbers[start + k] for k, total in enumerate(sums)]
            while len(sums) > 1:
                half = len(sums) // 2
                sums = [low + high for low, high in zip(sums[:half], sums[half:], strict=True)]
            assert mean == sums[0] / count


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_example_in_a_lane_has_the_bits_of_one_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(name)
    program, given = roll(found), columns(1, 3)
    alone = results(Machine(program), found, given)
    monkeypatch.setattr(machine, "chunk_of", lambda count: 32)
    assert results(Machine(program), found, given) == alone


def test_examples_in_an_order_of_their_own() -> None:
    """The first batch of an order is the batch of these examples."""
    f, weights, width = network()
    given = columns(30, width)
    order = [i * 11 % 30 for i in range(30)]
    before = [w.data for w in weights]
    descent = ag.GradientDescent(weights, 0.1)
    training = CompiledTraining(lambda x, y: [f(x, y)], given, descent)
    ((loss,),) = training.steps([17], order, [descent.coefficients()])
    for w, number in zip(weights, before, strict=True):
        w.data, w.grad = number, None
    batch = [[column[i] for i in order[:17]] for column in given]
    assert ag.jit(f, backend="llvm").backward(*batch) == loss


def test_memory_is_used_again() -> None:
    found = listed("network")
    code = cast(Machine, executable(found, "llvm"))
    first = results(code, found, columns(20, 3))
    assert results(code, found, columns(7, 3)) != first
    assert results(code, found, columns(20, 3)) == first


def test_what_a_row_raises_is_raised_and_said() -> None:
    broken = ag.Primitive("broken", "broken", lambda x: 1.0 / (x - 1.0), lambda z, x: 0.0 * x)
    whole = ag.Primitive("whole", "whole", int, lambda z, x: 0.0 * x)
    compiled = ag.jit(lambda x: 1.0 + broken(x), "llvm")
    assert compiled([2.0, 3.0]) == [2.0, 1.5]
    with pytest.raises(ValueError, match=r"^broken: its value raised ZeroDivisionError"):
        compiled([2.0, 1.0])
    assert compiled([2.0]) == [2.0]
    with pytest.raises(TypeError, match=r"^whole: its value must return a float, got 1 of"):
        ag.jit(whole, "llvm")([1.5])


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_results_do_not_depend_on_how_the_code_is_cut_into_functions(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each item with a function of its own."""
    found = listed(name)
    program = roll(found)
    expected = {count: results(Machine(program), found, columns(count, 3)) for count in (1, 50)}
    monkeypatch.setattr(codegen, "LONGEST_FUNCTION", 0)
    n_items = sum(map(len, program.sections.values()))
    assert source(program).count("define internal void") >= n_items > 1
    for count, bits in expected.items():
        assert results(Machine(program), found, columns(count, 3)) == bits


@pytest.mark.parametrize("name", PROGRAMS)
def test_code_that_was_compiled_quickly_has_the_bits_of_the_code_that_replaces_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = listed(name)
    program = roll(found)
    expected = {count: results(Machine(program), found, columns(count, 3)) for count in (1, 50)}
    compilations: list[object] = []

    class Counting(binding.JITLibraryBuilder):  # type: ignore[misc, name-defined]
        def link(self, *given: Any) -> Any:
            compilations.append(given)
            return super().link(*given)

    monkeypatch.setattr(binding, "JITLibraryBuilder", Counting)
    monkeypatch.setattr(machine, "LONG_TEXT", 0)
    for price, n_compiled in ((1e9, 1), (0, 2)):  # optimizing never pays, or at once
        monkeypatch.setattr(machine, "PRICE", price)
        for count, bits in expected.items():
            code = Machine(program)
            del compilations[:]
            for _ in range(3):
                assert results(code, found, columns(count, 3)) == bits
            assert len(compilations) == n_compiled


def irregular(n_steps: int) -> tuple[Callable[[], Any], list[ag.Value]]:
    """Steps without a pattern: no two of them are alike."""
    rng = random.Random(3)
    leaves = [ag.Value(rng.uniform(0.5, 1.5), f"w{i}") for i in range(6)]

    def term(known: list[ag.Value], depth: int) -> ag.Value:
        if not depth:
            return rng.choice(known)
        a, b = term(known, depth - 1), term(known, rng.randrange(depth))
        made = (a + b, a * b, a / (b * b + 1.0), a.tanh(), ag.sin(b))
        return made[rng.randrange(len(made))]

    def f() -> ag.Value:
        rng.seed(3)
        x, y, z = leaves[:3]
        for _ in range(n_steps):
            x, y, z = y, z, (0.5 * x + 0.1 * term([x, y, z, *leaves[3:]], 3)).tanh()
        return x * y + z

    return f, leaves


def test_an_irregular_program_is_cut_into_functions_of_bounded_size() -> None:
    """Whatever LLVM does with a function that takes more than linear time, it stays small."""
    f, leaves = irregular(100)
    compiled = ag.jit(f, "llvm")
    value = compiled.backward()
    slopes = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    output = f()
    output.backward()
    assert value == output.data
    assert slopes == [leaf.grad for leaf in leaves]
    functions = compiled.llvm.split("\ndefine ")[1:]
    assert len(functions) > 5
    assert max(function.count("\n") for function in functions) < 2 * codegen.LONGEST_FUNCTION


@pytest.mark.parametrize("n", [*range(1, 18), 31, 33])
def test_rows_in_lanes_have_the_bits_of_single_numbers(n: int) -> None:
    """However many there are: the last vector overlaps the one before."""
    rng = random.Random(n)
    x = [ag.Value(rng.uniform(-1.0, 1.0), f"x{i}") for i in range(n)]
    w = [[ag.Value(rng.uniform(-1.0, 1.0), f"w{i},{j}") for j in range(n)] for i in range(n)]

    def f() -> list[ag.Value]:
        h = [ag.dot(row, x).tanh() for row in w]
        return [a * b - 0.5 for a, b in zip(h, x, strict=True)]

    assert ag.jit(f, "llvm")() == [output.data for output in f()]


# --- what has to be finite ------------------------------------------------------------------------


def slope_at_zero(w: ag.Value) -> ag.Value:
    """A finite number, whose slope at 0 is not."""
    return w.sqrt()


def large_slope(w: ag.Value) -> ag.Value:
    """A slope so large that Adam's mean of squares is infinite, but the new weight is finite."""
    return (w - 1.0) * ag.where(w > 0.5, 1.0, 1e200)


@pytest.mark.parametrize("of_weight", [slope_at_zero, large_slope])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 15, 16, 17, 40])
def test_a_step_is_refused_whichever_number_is_not_finite(
    n: int, of_weight: Callable[[ag.Value], ag.Value]
) -> None:
    """Its slope, its new weight or its state; and nothing has changed."""
    weights = [ag.Value(1.0, f"w{i}") for i in range(n)]
    adam = ag.Adam(weights, 0.01)
    states = list(adam.states)
    training = CompiledTraining(lambda x: [x * ag.sum(map(of_weight, weights))], [[1.0, 1.0]], adam)
    for bad in range(n):
        for i, weight in enumerate(weights):
            weight.data = 0.0 if i == bad else 1.0
        data = [weight.data for weight in weights]
        assert training.steps([2], None, [adam.coefficients()]) == [[]]
        assert [weight.data for weight in weights] == data
        assert adam.states == states
        weights[bad].data = 1.0
        (losses,) = training.steps([2], None, [adam.coefficients()])
        assert len(losses) == 1
        adam.states[:] = states


# --- processes and memory -------------------------------------------------------------------------

FORKING = """
import os, threading, time
import autograd as ag

def compiled(i):
    return ag.jit(lambda x: ag.sum([(x + float(i + k)).tanh() * x for k in range(3)]), "llvm")

def compile_on(i):
    while True:
        compiled(i)([1.0, 2.0])
        i += 10

threading.Thread(target=compile_on, args=(1_000_000,), daemon=True).start()
compiled(0)([1.0, 2.0])  # from here on most of the time one of them compiles
for i in range(5):
    time.sleep(0.05)
    child = os.fork()
    if not child:
        os._exit(len(compiled(-10 * i)([1.0, 2.0])))
    end = time.monotonic() + 60
    while not (ended := os.waitpid(child, os.WNOHANG))[0] and time.monotonic() < end:
        time.sleep(0.02)
    print(os.waitstatus_to_exitcode(ended[1]) if ended[0] else "hung", flush=True)
    if not ended[0]:
        os.kill(child, 9)
        os.waitpid(child, 0)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_compiles_although_threads_of_its_parent_were_compiling() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING], capture_output=True, text=True, check=False
    )
    assert ran.stdout.split() == ["2"] * 5, ran.stderr


def test_more_operands_than_a_callback_takes_are_refused_by_name() -> None:
    row = ag.Primitive(
        "spread", "spread", lambda *xs: max(xs), lambda z, *xs: [1.0] * len(xs), variadic=True
    )
    for n, backend in ((1024, "llvm"), (1025, "python")):
        compiled = ag.jit(lambda x, n=n: row(*[x + i for i in range(n)]), backend=backend)
        assert list(compiled([2.0])) == [n + 1.0]
    with pytest.raises(TypeError, match=r"spread: .* 1024 operands, got 1025; .*'python'"):
        ag.jit(lambda x: row(*[x + i for i in range(1025)]), backend="llvm")([2.0])


def test_a_program_that_nobody_holds_is_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its machine code, which owns what is called back."""
    held: list[weakref.ref[Any]] = []

    class Watched(machine.MachineCode):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            held.append(weakref.ref(self))

    monkeypatch.setattr(machine, "MachineCode", Watched)
    row = ag.Primitive("freed", "freed", lambda x: x + 1.0, lambda z, x: 1.0)
    x = ag.Value(2.0, "x")
    recorded = trace(lambda: row(x).exp(), [])
    code = Machine(roll(lower([], recorded.outputs, is_batch=True)))
    assert list(code([2.0], [])) == [math.exp(3.0)]
    assert all(found() for found in held)
    del code, recorded
    gc.collect()
    assert [found() for found in held] == [None]


def resident() -> int:
    """The memory of this process, in kB."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux")
def test_dropped_programs_leave_no_more_memory_behind_than_llvmlite_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which is 10 kB each, for the same text linked and dropped by itself."""
    monkeypatch.setattr(machine, "LONG_TEXT", 0)  # it is compiled in the shortest time
    recorded = trace(lambda x: (x * x + 1.0) / x, [()])
    program = roll(lower(recorded.inputs, recorded.outputs, is_batch=False))

    def ours(i: int) -> None:
        assert Machine(program).memory(1)[0].code.address

    text, symbols = llvm_module.module(codegen.Layout(program, machine.lanes(), 1))
    assert not symbols  # it calls nothing
    ours(0)  # which prepares llvmlite
    compiler = binding.create_lljit_compiler(suppress_errors=False)

    def llvmlite_alone(i: int) -> None:
        builder = binding.JITLibraryBuilder().add_ir(text).export_symbol("run")
        assert builder.link(compiler, f"alone{i}")["run"]

    numbers = itertools.count()  # each program has a name of its own

    def growth(make: Callable[[int], None], count: int) -> int:
        before = resident()
        for _ in range(count):
            make(next(numbers))
        gc.collect()
        return resident() - before

    for make in llvmlite_alone, ours:
        growth(make, 30)
    alone = growth(llvmlite_alone, 100)
    assert growth(ours, 100) < 1.15 * alone + 100
