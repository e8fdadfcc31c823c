"""`scan`: a compiled loop has the bits of the eager one, and so have its derivatives."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd as ag
from autograd import Value
from autograd.compiler import loop_recording as scans
from autograd.compiler.backends import c, javascript, python
from autograd.compiler.linking import unnested
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Scan
from autograd.compiler.trace import gradient_of, trace
from autograd.derivatives.graph import in_recorded_order
from autograd.derivatives.structures import flat
from tests.numerics import same
from tests.runners import NODE, compiled_c, in_node
from tests.test_rolling import needs_cc

HAS_LLVM = importlib.util.find_spec("llvmlite") is not None
HAS_JAX = importlib.util.find_spec("jax") is not None
EXACT = ["python", *["llvm"] * HAS_LLVM]
"""The back ends that have the bits of eager code."""

Run = Callable[..., tuple[Any, Any]]
Problem = Callable[[Run, Value, Value], Callable[..., Any]]


@pytest.fixture(autouse=True)
def _long_loops_are_those_of_257_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops of 300 steps are divided into segments then, and are not slow to write by hand."""
    monkeypatch.setattr(scans, "UNDIVIDED", 256)


def by_hand(step: Any, state: Any, inputs: Any = None, length: int = 0) -> tuple[Any, Any]:
    """The loop as a person would write it."""
    outputs = []
    for x in [None] * length if inputs is None else inputs:
        state, output = step(state, x)
        outputs.append(output)
    return state, outputs


# --- problems -------------------------------------------------------------------------------------


def recurrent(run: Run, w: Value, b: Value) -> Any:
    """The state is the output, too."""

    def step(s: Any, x: Any) -> Any:
        h = ag.tanh(w * s + b * x)
        return h, (h, h * 2.0)

    def f(xs: Any) -> Any:
        last, outputs = run(step, 0.1, xs)
        return ag.sum([h * h + y for h, y in outputs]) + last

    return f


def last_state(run: Run, w: Value, b: Value) -> Any:
    """Nothing but the last state is used, and the initial one is computed."""

    def step(s: Any, x: Any) -> Any:
        position, velocity = s
        velocity = velocity + 0.1 * (x - w * position)
        return (position + 0.1 * velocity, velocity), None

    def f(xs: Any) -> Any:
        (position, velocity), _ = run(step, (ag.sin(b), b * xs[0]), xs)
        return position * velocity

    return f


def without_inputs(run: Run, w: Value, b: Value) -> Any:
    def f(xs: Any) -> Any:
        state, squares = run(lambda s, _: (w * s + b, s * s), 0.5, length=len(xs))
        return ag.sum(squares) * xs[0] + state

    return f


def between_other_code(run: Run, w: Value, b: Value) -> Any:
    """Two loops, what is computed before, between and after, and uses of all that in each."""

    def f(xs: Any) -> Any:
        e = [ag.tanh(w * x) for x in xs]
        q = ag.exp(w * xs[0])

        def step(s: Any, x: Any) -> Any:
            p, v = s
            v = v + 0.1 * (x - p * q)
            return (p + 0.1 * v, v), p * v

        (p, v), ys = run(step, (1.0 * e[0], b), e)
        (p2, v2), more = run(step, (p * q, b * v), [y * e[-1] for y in ys])
        return ag.sum([y * y for y in ys]) + p2 * v2 * e[-1] * q + ag.sum(more)

    return f


def nested(run: Run, w: Value, b: Value) -> Any:
    def outer(s: Any, x: Any) -> Any:
        r, rs = run(lambda r, _: (ag.sin(r * w + x), r * s), s + b, length=3)
        return r * 0.5, ag.sum(rs)

    def f(xs: Any) -> Any:
        s, ys = run(outer, 0.3, xs)
        return s + ag.sum(ys)

    return f


def some_outputs(run: Run, w: Value, b: Value) -> Any:
    def f(xs: Any) -> Any:
        _, ys = run(lambda s, x: (w * s + x, s * b), xs[0] * w, xs)
        return ys[-1] + ys[len(ys) // 2] * w

    return f


def handed_on(run: Run, w: Value, b: Value) -> Any:
    """Outputs and states that a step does not compute."""

    def step(s: Any, x: Any) -> Any:
        p, q, r = s
        return (p * x + w, q, x), (p, w, x, 1.0, q, r)

    def f(xs: Any) -> Any:
        (p, q, r), ys = run(step, (b * 1.0, b * 2.0, 0.0), xs)
        return p * q * r + ag.sum([ag.sum(y) for y in ys])

    return f


def branches(run: Run, w: Value, b: Value) -> Any:
    """The unselected branch has a nan, or a derivative that is none."""

    def step(s: Any, x: Any) -> Any:
        p, v = s
        root = ag.where(p > 0.0, ag.sqrt(p), 0.5 * p * w)
        other = ag.where(x > 5.0, ag.sqrt(ag.relu(x) * 0.0), v * b)
        return (root * w + x, other + root), root

    def f(xs: Any) -> Any:
        (p, v), ys = run(step, (0.0, b), xs)
        return ag.sum(ys) + p * v

    return f


def unused_at_the_end(run: Run, w: Value, b: Value) -> Any:
    """A part of the state that the result does not depend on in the last step has no derivative
    there, though it were infinite."""

    def step(s: Any, x: Any) -> Any:
        p, q = s
        return (p + q * x, ag.sqrt(q - b)), None

    def f(xs: Any) -> Any:
        (p, _), _ = run(step, (w * 1.0, b + (len(xs) - 1) * b), xs)
        return p * 1.0

    return f


def compared(run: Run, w: Value, b: Value) -> Any:
    """What is only compared gets no gradient: a Value of the closure, an input, a state."""

    def step(s: Any, x: Any) -> Any:
        p, q = s
        p = ag.where(p > q, w * p, p + 0.1)
        return (ag.where(p > b, p, ag.where(p > x, 0.5 * p, p * w)), 1.5 * q), q

    def f(xs: Any) -> Any:
        (p, _), _ = run(step, (w * 1.0, b * 2.0), [b * x for x in xs])
        return p * p

    return f


def the_first_alone(run: Run, w: Value, b: Value) -> Any:
    """Only the first output is used, so that later inputs get no gradient."""

    def f(xs: Any) -> Any:
        leaves = [w, *[b] * (len(xs) - 1)]
        _, ys = run(lambda s, x: (s * x, ag.sin(s * x)), xs[0], leaves)
        return ys[0] * 2.0

    return f


def gradient_inside(run: Run, w: Value, b: Value) -> Any:
    """A loop whose step takes a gradient, and a gradient with respect to the inputs of a loop."""

    def energy(s: Any) -> Any:
        return 0.5 * w * s * s - b * ag.cos(s)

    def f(xs: Any) -> Any:
        s, _ = run(lambda s, x: (s - 0.1 * ag.gradient(energy)(s) + 0.01 * x, None), 0.4, xs)
        return s * s

    return f


PROBLEMS: list[Problem] = [
    *(recurrent, last_state, without_inputs, between_other_code, nested, some_outputs),
    *(handed_on, branches, gradient_inside, compared, the_first_alone),
]


def random_loop(seed: int) -> Problem:
    """A loop with a random step, of which random results are used."""
    UNARY = (ag.tanh, ag.sin, ag.relu, lambda x: 0.3 * x * x, lambda x: ag.sqrt(x * x + 1.0))

    def expression(r: random.Random, given: list[Any], depth: int = 2) -> Any:
        kind = r.random() if depth else 0.0
        if kind < 0.15:
            return r.choice(given)
        a, b, c, d = (expression(r, given, depth - 1) for _ in range(4))
        if kind < 0.35:
            return r.choice(UNARY)(a)
        return r.choice([a + b, a * b, a - 0.5 * b, ag.maximum(a, b), ag.where(a > b, c, d)])

    def problem(run: Run, w: Value, b: Value) -> Any:
        r = random.Random(seed)
        is_nested, same_step = r.random() < 0.3, r.random()
        n_states, n_outputs = r.randint(1, 3), r.randint(0, 2)

        def f(xs: Any) -> Any:
            r = random.Random(seed + 1)
            before = [expression(r, [w, b, Value(0.5)]) for _ in range(2)]
            closed_over = r.sample([w, b, *before], 2)

            def step(state: Any, x: Any) -> Any:
                r = random.Random(same_step)
                given = [*state, x, *closed_over]
                if is_nested:
                    inner = expression(r, given)
                    u, ys = run(lambda u, _: (ag.tanh(u * inner), u * w), state[0], length=3)
                    given += [u, ys[1]]
                new = [ag.tanh(expression(r, given)) for _ in state]
                outputs = [expression(r, given + new) for _ in range(n_outputs)]
                return tuple(new), tuple(outputs) if outputs else None

            start = tuple(r.choice([w, b, *before]) * 1.0 for _ in range(n_states))
            state, outputs = run(step, start, [r.choice(before) * x for x in xs])
            kept = [y for row in outputs or () for y in row or ()]
            used = r.sample(kept, min(len(kept), r.randint(0, 3))) or [r.choice(state)]
            return ag.sum([*used, r.choice([*used, *state, before[0] * w])])

        return f

    return problem


def numbers(n: int) -> list[float]:
    return [round(math.sin(1.7 * i * i + 0.3), 6) * (i % 7 != 3) for i in range(n)]


def value_and_slopes(f: Any, xs: Any, leaves: list[Value]) -> list[float | None]:
    for leaf in leaves:
        leaf.grad = None
    value = f(xs)
    value.backward()
    return [value.data, *[leaf.grad for leaf in leaves]]


def compiled_value_and_slopes(f: Any, xs: Any, leaves: list[Value], backend: Any) -> Any:
    for leaf in leaves:
        leaf.grad = None
    compiled = ag.jit(f, backend)
    value = compiled.backward([xs])
    (alone,) = compiled([xs])
    assert same([alone], [value])
    return [value, *[leaf.grad for leaf in leaves]]


@pytest.mark.parametrize(
    "n", [1, 3, pytest.param(2, marks=pytest.mark.slow), pytest.param(13, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_it_has_the_bits_of_the_loop_by_hand(problem: Problem, n: int) -> None:
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    xs = numbers(n)
    expected = value_and_slopes(problem(by_hand, *leaves), xs, leaves)
    assert all(x is None or math.isfinite(x) for x in expected)
    assert same(value_and_slopes(problem(ag.scan, *leaves), xs, leaves), expected)
    for backend in EXACT:
        found = compiled_value_and_slopes(problem(ag.scan, *leaves), xs, leaves, backend)
        assert same(found, expected), backend


@pytest.mark.slow
@pytest.mark.parametrize("n", [257, 300])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_long_loop_has_them_whatever_its_length(problem: Problem, n: int) -> None:
    """It is divided into segments, and 257 is prime."""
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    xs = numbers(n)
    expected = value_and_slopes(problem(by_hand, *leaves), xs, leaves)
    backend: Any = EXACT[-1]
    found = compiled_value_and_slopes(problem(ag.scan, *leaves), xs, leaves, backend)
    assert same(found, expected)


@pytest.mark.parametrize(
    ("seeds", "backend"),
    [
        (range(10), "python"),
        pytest.param(range(10, 110), "python", marks=pytest.mark.slow),
        pytest.param(range(10, 40), EXACT[-1], marks=pytest.mark.slow),  # each compiles for 0.1 s
    ],
)
def test_random_loops_agree(seeds: range, backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a loop reads a Value in two places, sums are grouped in another way."""
    for seed in seeds:
        n = (1, 2, 3, 5, 9)[seed % 5]
        monkeypatch.setattr(scans, "UNDIVIDED", 4 if seed % 2 else 256)
        leaves = [Value(0.7, "w"), Value(0.2, "b")]
        xs = numbers(n)
        expected = value_and_slopes(random_loop(seed)(by_hand, *leaves), xs, leaves)
        found = compiled_value_and_slopes(random_loop(seed)(ag.scan, *leaves), xs, leaves, backend)
        for x, y in zip(found, expected, strict=True):
            assert (x is None) == (y is None), (seed, found, expected)
            assert x is None or x == pytest.approx(y, rel=1e-9, abs=1e-12, nan_ok=True), seed


@pytest.mark.parametrize(
    "size", [4, pytest.param(3, marks=pytest.mark.slow), pytest.param(7, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_segments_of_any_size_change_no_bit(
    problem: Problem, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "UNDIVIDED", 8)
    monkeypatch.setattr(scans, "segment_size", lambda n: size)
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    xs = numbers(23)
    expected = value_and_slopes(problem(by_hand, *leaves), xs, leaves)
    found = compiled_value_and_slopes(problem(ag.scan, *leaves), xs, leaves, "python")
    assert same(found, expected)


def test_a_segment_has_about_the_root_of_the_steps() -> None:
    for n in range(scans.UNDIVIDED + 1, 20_000, 37):
        size = scans.segment_size(n)
        assert math.sqrt(n) / 2 <= size <= 2 * math.sqrt(n)
    assert [scans.segment_size(n) for n in (1_024, 100_000, 1_009)] == [32, 250, 31]


@pytest.mark.skipif(not HAS_JAX, reason="jax is not installed")
@pytest.mark.parametrize("n", [1, 13, 300])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_jax_agrees(problem: Problem, n: int) -> None:
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    xs = numbers(n)
    expected = value_and_slopes(problem(by_hand, *leaves), xs, leaves)
    for leaf in leaves:
        leaf.grad = None
    value = ag.jit(problem(ag.scan, *leaves), "jax").backward([xs])
    found = [value, *[leaf.grad for leaf in leaves]]
    assert [x for x in found if x is not None] == pytest.approx(
        [x for x in expected if x is not None], rel=1e-9, abs=1e-12
    )


@pytest.mark.skipif(not HAS_JAX, reason="jax is not installed")
def test_a_function_of_jax_has_loops_too() -> None:
    import jax

    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    xs = [numbers(20), numbers(21)[1:], numbers(22)[2:]]
    f = ag.to_jax(recurrent(ag.scan, *leaves), xs[0])
    with jax.enable_x64(True):
        value, slopes = f.value_and_gradient(f.numbers(), jax.numpy.array(xs))
        text = str(jax.make_jaxpr(f.value_and_gradient)(f.numbers(), jax.numpy.array(xs)))
    found = [value_and_slopes(recurrent(by_hand, *leaves), x, leaves) for x in xs]
    means = [sum(map(float, column)) / 3.0 for column in zip(*found, strict=True)]
    assert [float(value), *map(float, slopes)] == pytest.approx(means, rel=1e-9)
    assert text.count("scan[") == 2


def program_of(problem: Problem, n: int, leaves: list[Value]) -> Any:
    """The program of value and gradient on numbers that are constants."""
    recorded = trace(lambda: problem(ag.scan, *leaves)(numbers(n)), [], follows_branches=True)
    (output,) = recorded.outputs
    slopes, _ = gradient_of(output, leaves, follows_branches=True)
    return roll(lower([], [output, *slopes], is_batch=True, leaves=leaves))


@pytest.mark.slow
@needs_cc
@pytest.mark.parametrize("problem", PROBLEMS)
def test_in_c_it_has_the_bits_of_python(problem: Problem, tmp_path: Path) -> None:
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    program = unnested(program_of(problem, 11, leaves))
    expected = python.compile_program(program)([0.7, 0.2], [])
    assert same(compiled_c(program, tmp_path)([0.7, 0.2]), expected)
    eager = value_and_slopes(problem(by_hand, *leaves), numbers(11), leaves)
    assert same(expected, [0.0 if x is None else x for x in eager])
    assert "for (int i = 0; i < 11; i++)" in c.source(program)


@pytest.mark.skipif(NODE is None, reason="there is no node here")
def test_in_javascript_it_has_the_bits_of_python() -> None:
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    program = program_of(some_outputs, 11, leaves)
    (found,) = in_node([(program, [0.7, 0.2], [[]])])
    assert same(found, python.compile_program(program)([0.7, 0.2], []))
    assert "for (let i = 0; i < 11; i++)" in javascript.source(program)


# --- what is compiled -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("kind", [list, np.array, lambda xs: {0: xs[0]}, lambda xs: ([xs[0]],)])
def test_a_step_may_change_its_state_in_place(kind: Any) -> None:
    def step(state: Any, x: Any) -> Any:
        part = state[0] if isinstance(state, tuple) else state
        part[0] = 2.0 * part[0] + x
        return state, state

    def first(a: Any) -> Any:  # and the first output, 2·a + 1, stays as it was
        start = kind([a])
        _, outputs = ag.scan(step, start, [1.0, 2.0, 3.0])
        assert next(flat(start)) is a
        return next(flat(outputs[0]))

    assert first(Value(3.0)).data == 7.0
    assert ag.gradient(first)(3.0) == ag.jit(ag.gradient(first), "python")([3.0])[0] == 2.0


def test_it_is_one_loop_whatever_its_length() -> None:
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    lengths = []
    for n in (1_000, 4_000, 100_000):
        ones = [1.0] * n
        f = ag.jit(lambda: last_state(ag.scan, *leaves)(ones), "python")  # noqa: B023
        f.recorded()
        lengths.append(len(str(f.program).splitlines()))
    assert lengths[0] == lengths[1] == lengths[2] < 130


def test_a_gradient_has_no_node_for_each_step() -> None:
    w = Value(0.7, "w")

    def nodes(n: int) -> int:
        loop = lambda: ag.scan(lambda s, _: (ag.tanh(w * s), None), 0.1, length=n)[0]  # noqa: E731
        slopes, _ = gradient_of(trace(loop, []).outputs[0], [w])
        return len(in_recorded_order(slopes))

    assert nodes(5) == nodes(200)


def test_a_program_shows_its_steps() -> None:
    w = Value(0.5, "w")
    f = ag.jit(lambda xs: ag.scan(lambda s, x: (w * s + x, None), 0.0, xs)[0], "python")
    assert f([[1.0, 2.0, 3.0]]) == [4.25]
    text = str(f.program)
    assert "scan of 3 steps" in text
    assert "each y to" in text  # of the states, which the gradient reads
    assert "the last x to" in text
    assert any(isinstance(item, Scan) for item in f.program.each)
    assert not any(isinstance(item, Scan) for item in unnested(f.program).each)
    assert f.source.count("for ") > 1


def test_a_loop_over_parameters_alone_is_run_once_a_call() -> None:
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    loop = last_state(ag.scan, *leaves)
    backend: Any = EXACT[-1]
    f = ag.jit(lambda x: x * loop([1.0, 2.0, 3.0]), backend)
    by_loop = last_state(by_hand, *leaves)([1.0, 2.0, 3.0]).data
    assert f([1.0, 2.0, 4.0]) == [by_loop, 2.0 * by_loop, 4.0 * by_loop]
    f.backward([1.0, 2.0, 4.0])
    program = f.program
    assert sum(isinstance(item, Scan) for item in program.once) == 1
    assert sum(isinstance(item, Scan) for item in program.each) == 1  # whose upstream gradient is x


@pytest.mark.parametrize("backend", EXACT)
@pytest.mark.parametrize("n", [5, 300])
def test_each_example_of_many_has_its_own_loop(backend: Any, n: int) -> None:
    w, b = Value(0.7, "w"), Value(0.2, "b")

    def f_of(run: Run) -> Any:
        def f(xs: Any, p: Any) -> Any:
            s, ys = run(lambda s, x: (ag.tanh(w * s + x * p), s * b), p * w, xs)
            return s * s + ag.sum(ys)

        return f

    X = [[x + 0.01 * i for x in numbers(n)] for i in range(130)]
    P = numbers(130)
    computed = ag.jit(f_of(ag.scan), backend)(X, P)
    by_loop = f_of(by_hand)
    assert same(computed[::13], [by_loop(x, p).data for x, p in zip(X[::13], P[::13], strict=True)])


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed (extra jit)")
def test_training_takes_the_same_steps() -> None:
    X, Y = [numbers(9), numbers(10)[1:], numbers(11)[2:]], [0.3, -0.2, 0.1]
    found = []
    for run in (by_hand, ag.scan):
        w, b = Value(0.7, "w"), Value(0.2, "b")
        loop = last_state(run, w, b)
        step = ag.jit_step(lambda x, y, loop=loop: (loop(x) - y) ** 2, ag.Adam([w, b], 0.1))
        found.append([[step(X, Y) for _ in range(4)], w.data, b.data])
    assert found[0] == found[1]


class Rnn(ag.Module):
    """A recurrent network with one number as its state."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.w, self.b, self.out = Value(0.5), Value(-0.2), Value(0.3)

    def __call__(self, xs: Any) -> Any:
        state, _ = self.run(lambda s, x: (ag.tanh(self.w * s + x + self.b), None), 0.0, xs)
        return self.out * state


@pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed (extra jit)")
def test_fit_trains_a_model_with_a_loop() -> None:
    X, Y = [numbers(12 + i)[i:] for i in range(8)], numbers(8)
    weights = []
    for run, compiled in ((by_hand, False), (ag.scan, False), (ag.scan, True)):
        model = Rnn(run)
        optimizer = ag.Adam(model.parameters(), 0.05)
        ag.fit(model, ag.mean_squared_error, X, Y, optimizer, 10, progress=False, compiled=compiled)
        weights.append([p.data for p in model.parameters()])
    assert weights[0] == weights[1]
    assert weights[2] == pytest.approx(weights[0], rel=1e-12)


# --- derivatives ----------------------------------------------------------------------------------


def derivative_of(kind: str, run: Run, w: Value, b: Value) -> Any:
    """A function of the inputs that takes derivatives of a loop itself."""

    def h(xs: Any) -> Any:
        s, ys = run(lambda s, x: (ag.tanh(w * s + x * b), s * x), w, xs)
        return s * s + ag.sum(ys)

    def f(xs: Any) -> Any:
        v = [0.1 * i * w for i in range(len(xs))]
        if kind == "gradient":
            slopes = ag.gradient(h)(xs)
            return ag.dot(slopes, slopes)
        if kind == "value_and_gradient":
            value, slopes = ag.value_and_gradient(h)(xs)
            return value * ag.sum(slopes)
        if kind == "jvp":
            return ag.jvp(h)(xs, v)
        if kind == "vjp":
            value, pull_back = ag.vjp(h, xs)
            return value + ag.sum(pull_back(w)[0])
        if kind == "hessian_vector_product":
            return ag.dot(ag.hessian_vector_product(h)(xs, v), v)
        return ag.sum([ag.sum(row) for row in ag.hessian(h)(xs)])

    return f


@pytest.mark.parametrize(
    "n", [1, pytest.param(6, marks=pytest.mark.slow), pytest.param(23, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    "kind",
    ["gradient", "value_and_gradient", "jvp", "vjp", "hessian_vector_product", "hessian"],
)
def test_derivatives_in_a_compiled_function_are_right(
    kind: str, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of first order to the bit; what is of higher order, counting the gradient here, to rounding.

    The gradient of a Hessian is of third order.
    """
    if kind == "hessian" and n > 6:
        n = 9
    monkeypatch.setattr(scans, "UNDIVIDED", 8)  # so that the longest is divided
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    xs = numbers(n)
    expected = value_and_slopes(derivative_of(kind, by_hand, *leaves), xs, leaves)
    f = derivative_of(kind, ag.scan, *leaves)
    assert same(value_and_slopes(f, xs, leaves), expected)
    found = compiled_value_and_slopes(f, xs, leaves, EXACT[-1])
    if kind in ("value_and_gradient", "vjp", "jvp"):
        assert found[0] == expected[0]
    assert found == pytest.approx(expected, rel=1e-10)


def shifted(run: Run, w: Value, b: Value) -> Any:
    """A step returns a state of before, and its input, as they are."""

    def step(s: Any, x: Any) -> Any:
        return (ag.sin(s[0] * s[2] * w) + s[3] * b, s[0], s[1], x), None

    def f(xs: Any) -> Any:
        initial = w * 1.0, b * 2.0, w * b, b * 3.0
        (p, q, r, x), _ = run(step, initial, [x * w for x in xs])
        return p * q * r + x

    return f


def constant_at_the_start(run: Run, w: Value, b: Value) -> Any:
    """Where the derivative of a step is infinite, the state depends on nothing yet."""

    def f(xs: Any) -> Any:
        last, ys = run(lambda s, x: (ag.sqrt(s) * w + x * x + b, s), 0.0, xs)
        return last + ag.sum(ys)

    return f


def clock(run: Run, w: Value, b: Value) -> Any:
    """A part of the state depends on nothing in any step."""

    def f(xs: Any) -> Any:
        _, ys = run(lambda s, x: (s + 1.0, ag.sqrt(s) * b * (x + w)), 0.0, xs)
        return ag.sum(ys)

    return f


@pytest.mark.parametrize(
    ("n", "orders"),
    [
        (1, [1, 2]),
        (5, [1, 2]),
        pytest.param(4, [3], marks=pytest.mark.slow),
        pytest.param(300, [2], marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("problem", [shifted, constant_at_the_start, clock])
def test_forward_and_reverse_mode_in_any_order_agree(
    problem: Problem, n: int, orders: list[int]
) -> None:
    """The loop of 300 steps is divided into segments."""

    def along(f: Any, mode: str) -> Any:
        """The derivative of f in a direction, by reverse or forward mode."""
        if mode == "r":
            return lambda p: ag.dot(ag.gradient(f)(p), [0.3, 1.3])
        return lambda p: ag.jvp(f)(p, [0.3, 1.3])

    def derivative(run: Run, modes: str) -> Any:
        return functools.reduce(along, modes, lambda p: problem(run, *p)(numbers(n)))

    for order in orders:
        expected = derivative(by_hand, "r" * order)([0.7, 0.2])
        assert math.isfinite(expected)
        for modes in map("".join, itertools.product("rf", repeat=order)):
            found = ag.jit(derivative(ag.scan, modes), EXACT[-1], in_axes=None)([0.7, 0.2])
            assert found == pytest.approx(expected, rel=1e-10), modes


def test_the_gradient_of_the_initial_state_and_of_inputs_is_that_by_hand() -> None:
    w = Value(0.7)

    def f_of(run: Run) -> Any:
        def h(state: Any, xs: Any) -> Any:
            last, _ = run(
                lambda s, x: ({"p": ag.sin(s["p"] * x["a"]), "q": w * s["q"] + x["b"]}, None),
                state,
                xs,
            )
            return last["p"] * last["q"]

        def f(p: Any, q: Any, a: Any) -> Any:
            xs = [{"a": x, "b": x * x} for x in a]
            slopes = ag.gradient(h)({"p": p, "q": q}, xs)
            return [slopes[0]["p"], slopes[0]["q"], *[y for s in slopes[1] for y in s.values()]]

        return f

    args = 0.4, -0.3, numbers(7)
    expected = [x.data for x in f_of(by_hand)(*[Value(x) for x in args[:2]], args[2])]
    (found,) = ag.jit(f_of(ag.scan), "python")(*[[x] for x in args])
    assert same(found, expected)


@pytest.mark.parametrize("n", [1, 2, 5, 300])
def test_a_state_without_influence_at_the_end_spoils_nothing(n: int) -> None:
    leaves = [Value(0.7, "w"), Value(0.2, "b")]
    xs = numbers(n)
    expected = value_and_slopes(unused_at_the_end(by_hand, *leaves), xs, leaves)
    f = unused_at_the_end(ag.scan, *leaves)
    for backend in EXACT:
        assert same(compiled_value_and_slopes(f, xs, leaves, backend), expected)


def test_a_nan_of_the_selected_branch_stays() -> None:
    w = Value(-1.0)

    def f(xs: Any) -> Any:
        s, _ = ag.scan(lambda s, x: (ag.where(x > 0.0, ag.sqrt(s * w), s), None), 1.0, xs)
        return s

    compiled = ag.jit(f, "python")
    assert compiled.backward([[-1.0, -1.0]]) == 1.0
    assert w.grad == 0.0
    assert math.isnan(compiled.backward([[-1.0, 1.0]]))
    assert math.isnan(w.grad)


def test_what_is_printed_ignores_outputs_that_are_not_selected() -> None:
    w, xs = Value(0.5, "w"), [Value(1.0), Value(-2.0), Value(3.0)]

    def f() -> Any:
        last, roots = ag.scan(lambda s, x: (ag.sin(s * w), ag.sqrt(x * w)), w, xs)
        chosen = [ag.where(x > 0.0, r, 0.1 * w) for x, r in zip(xs, roots, strict=True)]
        return ag.sum(chosen) + last

    f().backward()
    compiled = ag.jit(f, "python")
    compiled()
    leaves = [leaf.data for leaf in compiled.program.leaves]
    printed = python.compile_program(compiled.program)(leaves, [])[1:].tolist()
    assert printed == pytest.approx([leaf.grad for leaf in compiled.program.leaves], rel=1e-14)


def test_a_nan_stays_if_only_an_output_takes_part() -> None:
    def f(w: Any, xs: Any) -> Any:  # the second step does not select the state that it outputs
        last, states = ag.scan(lambda s, x: (ag.where(x > 0.0, ag.sqrt(s) ** 2, 5.0), s), w, xs)
        return states[1] + last

    xs, w = [1.0, -1.0], Value(0.0)
    assert math.isnan(ag.gradient(f, argnums=0)(0.0, xs))
    ag.jit(functools.partial(f, w), "python").backward([xs])
    assert math.isnan(w.grad)


# --- what goes in and out -------------------------------------------------------------------------


class Point(NamedTuple):
    x: Any
    y: Any


@pytest.mark.parametrize("compiled", [False, True])
def test_no_steps_give_the_state_back(compiled: bool) -> None:
    def f(x: Any) -> Any:
        state, outputs = ag.scan(lambda s, _: (s * 2.0, s), x, [])
        assert outputs == []
        assert state is x
        return state

    assert ag.jit(f, "python")([3.0]) == [3.0] if compiled else f(3.0) == 3.0


def test_structures_are_kept() -> None:
    np = pytest.importorskip("numpy")

    def step(state: Any, x: Any) -> Any:
        point = Point(state["point"].y, state["point"].x + x[0])
        return {
            "point": point,
            "row": np.array([x[1] * r for r in state["row"]], object),
            "none": (),
        }, [point, x[1]]

    def f(a: Any) -> Any:
        start = {"point": Point(a, 2.0), "row": np.array([a, 2.0], object), "none": ()}
        state, outputs = ag.scan(step, start, [(a, 2.0), (1.0, a), (0.5, 0.25)])
        assert isinstance(state["point"], Point)
        assert isinstance(outputs[0][0], Point)
        assert state["row"].shape == (2,)
        assert [len(y) for y in outputs] == [2, 2, 2]
        flat = [z for y in outputs for z in (*y[0], y[1])]
        return [*state["point"], *state["row"].tolist(), *flat]

    expected = [x.data if isinstance(x, Value) else x for x in f(Value(3.0))]
    (found,) = ag.jit(f, "python")([3.0])
    assert same(found, expected)


def test_without_outputs_there_is_none() -> None:
    assert ag.scan(lambda s, x: (s + x, None), 0.0, [1.0, 2.0]) == (3.0, None)
    assert ag.scan(lambda s, _: (s + 1.0, s), 0.0, length=3) == (3.0, [0.0, 1.0, 2.0])
    assert ag.scan(lambda s, i: (s + i, None), 0, range(4))[0] == 6


def test_a_column_of_numpy_is_a_sequence_of_numbers() -> None:
    np = pytest.importorskip("numpy")
    state, _ = ag.scan(lambda s, x: (s * x, None), Value(1.0), np.array([2.0, 3.0]))
    assert state.data == 6.0
    state, _ = ag.scan(
        lambda s, x: (s + x[0] * x[1], None), 0.0, np.array([[2.0, 3.0], [1.0, 4.0]])
    )
    assert state == 10.0


def refused(error: type[Exception], match: str, *args: Any, **options: Any) -> None:
    """The error of eager code and of a compiled function."""
    with pytest.raises(error, match=match):
        ag.scan(*args, **options)
    with pytest.raises(error, match=match):
        ag.jit(lambda x: ag.scan(*args, **options)[0] * x, "python")([1.0])


def test_what_is_no_loop_is_refused() -> None:
    keep = lambda s, x: (s, None)  # noqa: E731
    refused(TypeError, "scan: expected a function as step, got 3", 3, 0.0, [1.0])
    refused(TypeError, "scan: got neither inputs nor a length", keep, 0.0)
    refused(TypeError, r"scan: .*zip\(a, b\)", keep, 0.0, {"a": [1.0]})
    refused(TypeError, "length=n", keep, 0.0, 5)
    refused(TypeError, "scan: expected a whole number", keep, 0.0, length=2.5)
    refused(TypeError, "scan: expected a whole number", keep, 0.0, length=-1)
    refused(ValueError, "scan: length is 3, but there are 2", keep, 0.0, [1.0, 2.0], length=3)


def test_a_step_of_another_form_is_refused() -> None:
    refused(TypeError, "scan: step must return a pair", lambda s, x: s, 0.0, [1.0])
    refused(TypeError, "scan: step must return a pair", lambda s, x: [s, x], 0.0, [1.0])
    refused(
        ValueError,
        r"scan: a step returned the state \[number\], where the first one is number",
        lambda s, x: ([s], None),
        *(0.0, [1.0]),
    )
    refused(
        ValueError,
        r"\(number, number\), where the first one is \(number, \[number\]\)",
        lambda s, x: ((s[0], s[0]), None),
        *((0.0, [1.0]), [1.0]),
    )
    refused(
        ValueError,
        r"\{'a': number\}, where the first one is \{'b': number\}",
        lambda s, x: ({"a": 1.0}, None),
        *({"b": 1.0}, [1.0]),
    )


def test_inputs_of_different_forms_are_refused_when_compiled() -> None:
    f = ag.jit(lambda x: ag.scan(lambda s, _: (s, None), x, [1.0, (2.0, 3.0)])[0], "python")
    with pytest.raises(ValueError, match=r"scan: input 1 is \(number, number\), where the first"):
        f([1.0])


@pytest.mark.parametrize("place", ["state", "input", "output"])
def test_what_is_no_number_is_refused_by_name(place: str) -> None:
    wrong = {"state": 1.0, "input": 1.0, "output": 1.0, place: "one"}

    def f(x: Any) -> Any:
        step = lambda s, x: (s, wrong["output"])  # noqa: E731
        return ag.scan(step, wrong["state"], [wrong["input"]])[0]

    with pytest.raises(TypeError, match=f"scan: an?.*{place}|scan: the.*{place}|scan: {place}"):
        ag.jit(f, "python")([1.0])


def test_a_branch_on_a_number_is_refused_when_compiled() -> None:
    step = lambda s, x: (s * x if x > 0.0 else s, None)  # noqa: E731
    assert ag.scan(step, 1.0, [2.0, -1.0])[0] == 2.0
    with pytest.raises(TypeError, match="cannot be compiled"):
        ag.jit(lambda a: ag.scan(step, a, [2.0, -1.0])[0], "python")([1.0])


def test_a_value_that_a_step_keeps_is_refused() -> None:
    kept: list[Any] = []

    def step(s: Any, x: Any) -> Any:
        kept.append(s * x)
        return s + x, None

    def f(x: Any) -> Any:
        state, _ = ag.scan(step, x, [1.0, 2.0])
        return state + kept[-1]

    with pytest.raises(RuntimeError, match="nor the step of a scan"):
        ag.jit(f, "python")([1.0])


def test_what_an_inner_step_keeps_is_refused() -> None:
    kept: list[Any] = []

    def outer(s: Any, x: Any) -> Any:
        def inner(r: Any, y: Any) -> Any:
            kept.append(r * y)
            return r + y, None

        r, _ = ag.scan(inner, s, [x, x])
        return r + kept[-1], None

    with pytest.raises(TypeError, match="a Value of another step that was kept"):
        ag.jit(lambda x: ag.scan(outer, x, [1.0, 2.0])[0], "python")([1.0])


def test_a_leaf_made_in_a_step_is_a_constant_of_it() -> None:
    f = ag.jit(lambda x: ag.scan(lambda s, _: (s * Value(2.0), None), x, length=3)[0], "python")
    assert f([1.0]) == [8.0]


def test_one_recording_serves_all_numbers() -> None:
    w = Value(2.0)
    calls = []

    def step(s: Any, x: Any) -> Any:
        calls.append(x)
        return w * s + x, None

    f = ag.jit(lambda xs: ag.scan(step, 0.0, xs)[0], "python")
    assert f([[1.0, 1.0, 1.0]]) == [7.0]
    w.data = 3.0
    assert f([[1.0, 1.0, 2.0]]) == [14.0]
    assert len(calls) == 1


@pytest.mark.parametrize("backend", EXACT)
def test_a_row_of_your_own_is_called_back_in_a_step(backend: Any) -> None:
    halved = ag.Primitive("halved in a step", "½", lambda x: 0.5 * x, lambda z, x: 0.5)
    w = Value(3.0)
    f = ag.jit(lambda x: ag.scan(lambda s, _: (halved(s) * w, None), x, length=2)[0], backend)
    assert f.backward([4.0]) == 9.0
    assert w.grad == 6.0
    assert [row.name for row in unnested(f.program).rows] == ["halved in a step"]
