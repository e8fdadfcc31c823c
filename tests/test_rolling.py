"""Programs with loops: the bits of eager code in every back end, and no growth with the data."""

from __future__ import annotations

import importlib.util
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.compiler.backends import c, python
from autograd.compiler.jit import BACKENDS, jit
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Backend, Group, Item, Loop, Program
from autograd.compiler.trace import trace
from tests import graphs
from tests.loops import Loops
from tests.numerics import same
from tests.runners import CC, compiled_c, eager, n_groups, program_of
from tests.shapes import SHAPES
from tests.test_loops import program_of as random_program

needs_cc = pytest.mark.skipif(CC is None, reason="there is no C compiler here")
HAS_LLVM = importlib.util.find_spec("llvmlite") is not None
needs_llvm = pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed (extra jit)")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SHAPES if name not in ("an option by a tree",)])
def test_twice_the_data_is_the_same_program(name: str) -> None:
    """In items and in printed lines; only the counts in it grow."""
    shape, n = SHAPES[name]
    small, large = (program_of(shape(size)[0]) for size in (n, 2 * n))
    assert n_groups(large) <= n_groups(small)
    assert len(str(large).splitlines()) <= len(str(small).splitlines())


@pytest.mark.parametrize("seed", range(40))
def test_a_sum_whose_terms_alternate_has_its_bits(seed: int) -> None:
    """After some other terms, in turns of several terms, and with a rest; added and subtracted."""
    source = random.Random(seed)
    leaves = [ag.Value(source.uniform(-1.0, 1.0), f"w{i}") for i in range(60)]
    squares = [ag.Value(source.uniform(-1.0, 1.0), f"v{i}") for i in range(60)]

    def f() -> ag.Value:
        choose = random.Random(seed + 1)
        kinds = (lambda i, v: leaves[i], lambda i, v: v[i], lambda i, v: 0.5 + i, lambda i, v: v[0])
        v = [ag.sin(x) for x in squares]
        turn = [(choose.random() < 0.5, choose.choice(kinds)) for _ in range(choose.randint(1, 7))]
        head = [(choose.random() < 0.5, choose.choice(kinds)) for _ in range(choose.randint(0, 2))]
        terms = head + turn * choose.randint(3, 7) + turn[: choose.randint(0, 1)]
        total = choose.choice(kinds)(0, v)
        for i, (is_negative, kind) in enumerate(terms):
            total = total - kind(i, v) if is_negative else total + kind(i, v)
        return ag.exp(total) + leaves[0] * squares[0]

    program = program_of(f)
    numbers = [leaf.data for leaf in program.leaves]
    assert same(python.compile_program(program)(numbers, []), eager(f, program))


FEWEST_ITEMS = {
    "a Kalman filter": 27,
    "least squares": 5,
    "a swap": 12,
    "an option by a tree": 53,
    "a spline": 20,
    "a Markov chain": 34,
    "a Gaussian process": 67,
    "a pendulum": 18,
    "logistic regression": 10,
    "a heated rod": 19,
    "random walks": 18,
}
"""What each choice of the passes is for: fewer groups. Lower a number that can be lower."""


@pytest.mark.parametrize("name", SHAPES)
def test_no_program_has_more_items_than_it_had(name: str) -> None:
    shape, n = SHAPES[name]
    assert n_groups(program_of(shape(n)[0])) <= FEWEST_ITEMS[name]


@pytest.mark.slow
def test_random_programs_have_no_more_items_than_they_had() -> None:
    assert sum(n_groups(random_program(Loops(seed))) for seed in range(60)) <= 3042


@pytest.mark.slow
def test_a_tree_of_prices_grows_slower_than_its_steps() -> None:
    shape, n = SHAPES["an option by a tree"]
    small, large = (program_of(shape(size)[0]) for size in (n, 4 * n))
    assert n_groups(large) < 2 * n_groups(small)


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("name", SHAPES)
def test_small_sizes_are_right_too(name: str, size: int) -> None:
    """Where loops have hardly begun, or have just one turn."""
    shape, _ = SHAPES[name]
    if (name, size) in ((("a spline"), 1), (("a spline"), 2)):
        size = 10
    f, _ = shape(size)
    program = program_of(f)
    numbers = [leaf.data for leaf in program.leaves]
    assert same(python.compile_program(program)(numbers, []), eager(f, program))


@pytest.mark.slow
@needs_cc
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_random_graph_has_its_bits_in_c(data: st.DataObject, tmp_path_factory: Any) -> None:
    plan: graphs.Program = data.draw(graphs.programs(constants=graphs.any_float))
    leaves = [ag.Value(x) for x in data.draw(graphs.inputs(graphs.any_float))]
    if not isinstance(plan(*leaves), ag.Value):
        return
    f = lambda: plan(*leaves)  # noqa: E731
    program = program_of(f)
    numbers = [leaf.data for leaf in program.leaves]
    computed = compiled_c(program, tmp_path_factory.mktemp("c"))(numbers)
    assert same(computed, python.compile_program(program)(numbers, []))


def loops_of(items: Sequence[Item]) -> list[Loop]:
    return [item for item in items if isinstance(item, Loop)]


def test_a_recurrence_is_a_loop() -> None:
    w = ag.Value(0.5, "w")

    def f() -> Any:
        x: Any = 1.0
        for _ in range(1000):
            x = (w * x).sin()
        return x

    program = roll(lower([], trace(f, []).outputs, is_batch=True))
    (loop,) = loops_of(program.once)
    assert isinstance(loop.count, int)
    assert loop.count > 990
    assert len(str(program).splitlines()) < 10


def test_plain_loops_and_dot_are_the_same_program() -> None:
    w = [ag.Value(0.1 * i, f"w{i}") for i in range(20)]
    v = [ag.Value(0.2 * i, f"v{i}") for i in range(20)]

    def by_loop() -> Any:
        total = w[0] * v[0]
        for x, y in zip(w[1:], v[1:], strict=True):
            total = total + x * y
        return total

    programs = [
        roll(lower([], trace(f, []).outputs, is_batch=True, leaves=[*w, *v]))
        for f in (by_loop, lambda: ag.dot(w, v))
    ]
    assert programs[0].once == programs[1].once
    assert str(programs[0]).splitlines()[-2].strip() == "for i in 20: y0 += w0[i] · w20[i]"


def test_sums_that_start_anywhere_and_take_one_pattern_from_there_have_their_bits() -> None:
    source = random.Random(3)
    starts = [source.randrange(200) for _ in range(30)]
    w = [ag.Value(math.cos(i), f"w{i}") for i in range(8)]

    def f(x: Any) -> Any:
        picked = [[x[start + i * i] for i in range(8)] for start in starts]
        return ag.sum([ag.tanh(ag.sum(row)) + ag.dot(row, w).sin() for row in picked])

    row = [math.sin(0.7 * i) for i in range(260)]
    expected = f([ag.Value(number) for number in row])
    expected.backward()
    slopes = [leaf.grad for leaf in w]
    for backend in ("python", "llvm") if HAS_LLVM else ("python",):
        for leaf in w:
            leaf.grad = None
        assert jit(f, backend).backward([row]) == expected.data
        assert [leaf.grad for leaf in w] == slopes


def test_differences_belong_to_sums() -> None:
    a = [ag.Value(float(i), f"a{i}") for i in range(30)]

    def f() -> Any:
        total = a[0]
        for plus, minus in zip(a[1::2], a[2::2], strict=False):
            total = total + plus - minus
        return total - a[29]

    program = roll(lower([], trace(f, []).outputs, is_batch=True, leaves=a))
    assert n_groups(program) <= 2


def test_constants_that_differ_are_data_and_others_literals() -> None:
    w = ag.Value(0.5, "w")
    xs = [0.1 * i * i for i in range(50)]
    program = roll(lower([], trace(lambda: ag.sum(2.0 * (w - x) for x in xs), []).outputs, True))
    assert sorted(program.constants) == sorted([*xs, 2.0])
    program = roll(lower([], trace(lambda: [(w - x) / 3.0 for x in xs], []).outputs, True))
    assert program.constants.tolist() == xs
    assert "/ 3.0" in str(program)


def test_a_row_of_its_own_is_written_straight() -> None:
    a, b = ag.Value(1.0, "a"), ag.Value(2.0, "b")
    program = roll(lower([], trace(lambda: (a * b).sin() + a / b, []).outputs, is_batch=True))
    (group,) = program.once
    assert isinstance(group, Group)
    assert group.dims == ()


def test_backpropagation_through_a_network_can_be_read() -> None:
    model = ag.MLP(2, [16, 16, 1], activation="tanh", seed=0)
    f = jit(lambda x, y: (model(x) - y) ** 2, "python")
    f.backward([[1.0, 2.0]], [1.0])
    text = str(f.program)
    assert len(text.splitlines()) < 40
    assert "for i in 16, j in 16:" in text
    assert "layer0.neuron0.weight0 … layer0.neuron15.bias" in text


@pytest.fixture
def compiled_in(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The back ends of the programs that are compiled from now on."""
    found: list[str] = []
    for name, backend in BACKENDS.items():

        def counted(program: Program, backend: Backend = backend) -> Any:
            found.append(backend.name)
            assert backend.compile is not None
            return backend.compile(program)

        monkeypatch.setitem(BACKENDS, name, replace(backend, compile=backend.compile and counted))
    return found


@pytest.mark.parametrize("backend", ["python", pytest.param("llvm", marks=needs_llvm)])
def test_an_equal_program_is_compiled_once(backend: Any, compiled_in: list[str]) -> None:
    for seed in (0, 1):
        model = ag.MLP(2, [5, 3, 1], "tanh", seed=seed)
        f = jit(lambda x, model=model: model(x) ** 2 + 0.123, backend)
        f.backward([[1.0, 2.0]])
    assert compiled_in == [backend]


def test_looking_compiles_nothing(compiled_in: list[str]) -> None:
    f = jit(lambda x: x.sin() * 3.0 + 0.321, "python")
    f([1.0])
    assert compiled_in == ["python"]
    assert all([f.program, f.source, f.c, f.javascript])
    assert not HAS_LLVM or f.llvm
    assert compiled_in == ["python"]


@needs_cc
@pytest.mark.parametrize("label", ["*/ int x = 1/0; /*", "a\nb", "\\", "??/", "λ → ∞", "\ud800"])
def test_no_label_changes_the_c_program(label: str, tmp_path: Path) -> None:
    w = ag.Value(3.0, label)

    def f() -> Any:
        square = w * w
        square.label = label
        return square.sin() + square

    program = program_of(f)
    assert same(compiled_c(program, tmp_path)([3.0]), eager(f, program))


@pytest.fixture
def halved() -> ag.Primitive:
    """A row made outside of the package."""
    return ag.Primitive("halved", "halved", lambda x: 0.5 * x, lambda z, x: 0.5)


def test_a_row_of_your_own_is_declared_in_c_and_called_back_elsewhere(halved: Any) -> None:
    w = ag.Value(3.0, "w")
    program = program_of(lambda: halved(w) * w)
    assert "double halved(double);" in c.source(program)
    assert python.compile_program(program)([3.0], []).tolist() == [4.5, 3.0]
    if HAS_LLVM:
        assert jit(lambda: halved(w) * w, "llvm")() == 4.5
