"""An unselected branch contributes no gradient: in any order, in `backward`, `grad`, and compiled.

Most libraries answer nan in these cases, where 0 meets an infinite derivative.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, grad
from autograd.compiler.backends import python
from autograd.primitives import Primitive
from tests.benchmarks import workloads
from tests.graphs import Program, any_float, inputs, programs
from tests.numerics import same
from tests.runners import CC, compiled_c

Function = Callable[[Any], Any]

CASES: dict[str, tuple[Function, float, float, float]] = {
    "log": (lambda x: ag.where(x > 0.0, ag.log(x), 0.0 * x), 0.0, 0.0, 0.0),
    "sqrt": (lambda x: ag.where(x > 0.0, ag.sqrt(x), 0.0), -3.0, 0.0, 0.0),
    "elu": (lambda x: ag.where(x > 0.0, x, ag.exp(x) - 1.0), 800.0, 1.0, 0.0),
    "sinc": (lambda x: ag.where(abs(x) > 0.0, ag.sin(x) / x, 1.0), 0.0, 0.0, 0.0),
    "minimum": (lambda x: ag.minimum(x, ag.exp(x)), 1000.0, 1.0, 0.0),
    "sqrt of relu": (lambda x: ag.sqrt(ag.relu(x)), -1.0, 0.0, 0.0),
    "a curved branch": (lambda x: ag.where(x > 0.0, ag.sqrt(x), x * x) * x, -3.0, 27.0, -18.0),
}
"""A function, a point, and its first and second derivative there."""

HONEST: dict[str, Function] = {
    "a square of a root": lambda x: ag.sqrt(x) ** 2,
    "a length": lambda x: ag.sqrt(x * x + x * x),
    "a zero computed": lambda x: (x - x) * ag.log(x),
    "in the selected branch": lambda x: ag.where(x < 1.0, ag.sqrt(x) ** 2, x),
    "beside a selection": lambda x: ag.relu(x + 1.0) * ag.sqrt(x * x + x * x),
}
"""Functions whose nan at 0 takes part, and shows."""

each_case = pytest.mark.parametrize(("f", "x", "first", "second"), CASES.values(), ids=CASES)
each_backend = pytest.mark.parametrize("backend", ["python", "llvm"])


@each_case
def test_first_order(f: Function, x: float, first: float, second: float) -> None:
    leaf = Value(x)
    f(leaf).backward()
    assert leaf.grad == first
    leaf = Value(x)
    assert grad(f(leaf), [leaf])[0].data == first
    assert ag.gradient(f)(x) == first


@each_case
def test_second_order(f: Function, x: float, first: float, second: float) -> None:
    assert ag.gradient(ag.gradient(f))(x) == second
    assert ag.hessian(f)(x) == second
    leaf = Value(x)
    (slope,) = grad(f(leaf), [leaf])
    assert grad(slope, [leaf])[0].data == second


SELECTING: list[Function] = [
    lambda x: ag.where(x > 0.5, x * x, 3.0 * x),
    lambda x: ag.clip(x, -2.0 * x, 0.1 * x),
    lambda x: ag.take([x, x * x, 5.0 * x], 1.0),
    lambda x: ag.maximum(x * x, 3.0 * x) - ag.minimum(x * x, 3.0 * x),
    lambda x: ag.minimum(2.0, 3.0 * x) * ag.relu(-x + 2.0 * ag.relu(x)),
]


@pytest.mark.parametrize("f", SELECTING)
def test_forward_mode(f: Function) -> None:
    for x in (0.25, 0.75):
        assert ag.jvp(f)(x, 1.0) == ag.gradient(f)(x)
        assert ag.jvp(lambda x: ag.jvp(f)(x, 1.0))(x, 1.0) == ag.hessian(f)(x)


@each_backend
@each_case
def test_compiled(f: Function, x: float, first: float, second: float, backend: Any) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite")
    assert ag.jit(ag.gradient(f), backend)([x]) == [first]
    assert ag.jit(ag.gradient(ag.gradient(f)), backend)([x]) == [second]
    leaf = Value(1.0)
    ag.jit(lambda y: f(leaf * y), backend).backward([x])
    assert leaf.grad == first * x


@pytest.mark.slow
@each_backend
@each_case
def test_in_a_batch_each_example_goes_its_own_way(
    f: Function, x: float, first: float, second: float, backend: Any
) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite")
    ordinary = [0.25 * (i + 1) for i in range(10)]
    column = [*ordinary[:5], x, *ordinary[5:], x]
    wanted = [first if y == x else ag.gradient(f)(y) for y in column]
    found = ag.jit(ag.gradient(f), backend)(column)
    assert found == pytest.approx(wanted, rel=1e-15)
    leaf = Value(1.0)
    ag.jit(lambda y: f(leaf * y), backend).backward(column)
    mean = math.fsum(slope * y for slope, y in zip(wanted, column, strict=True)) / len(column)
    assert leaf.grad == pytest.approx(mean, rel=1e-14)


def nested_where(x: Any) -> Any:
    right = ag.where(x > 1.0, ag.log(x - 1.0) * ag.sin(x * x), ag.sqrt(1.0 - x) * x * ag.tanh(x))
    left = ag.where(x < -1.0, ag.log(-x - 1.0) * ag.cos(x), ag.sqrt(x + 1.0) * ag.sin(x) * x * x)
    return ag.where(x > 0.3, right, left) * ag.sin(x)


def taken(x: Any) -> Any:
    rows = [ag.sin(x) * x, ag.exp(x) * x * x, ag.tanh(x) * x]
    y = ag.take(rows, ag.where(x > 0.0, 1.0, 2.0))
    return y * y * ag.sin(y) + rows[1] * rows[2] * y


def largest_of_softmax(x: Any) -> Any:
    p = ag.softmax([x, x * x, ag.sin(x)])
    largest = ag.maximum(ag.maximum(p[0], p[1]), p[2])
    return largest * largest * ag.log(largest)


def two_layers(x: Any) -> Any:
    h = [ag.relu(x * 1.3 + 0.2), ag.relu(-0.7 * x + 0.1), ag.relu(0.3 * x * x - 0.5)]
    u, v = ag.relu(h[0] * h[1] + h[2] * 0.3), ag.relu(h[0] - h[1] * h[2])
    return u * v + u * u * ag.sin(v) + ag.minimum(u, v) ** 3


RICH: dict[str, Function] = {
    "nested where": nested_where,
    "take": taken,
    "maximum over softmax": largest_of_softmax,
    "relu": two_layers,
    "a root not taken": lambda x: ag.where(x > 0.0, ag.sqrt(x) * ag.sin(x), ag.exp(x) * x) * x * x,
    "root of relu": lambda x: (
        ag.sqrt(ag.relu(x)) ** 3 * x + ag.where(x < 0.0, (-x) ** 2.5, x) * ag.tanh(x)
    ),
    "a pole not taken": lambda x: (
        ag.where(abs(x) > 1.0, ag.sin(x) / (x * x - 1.0) * x, ag.log(1.0 - x * x) * x)
        * ag.maximum(x, ag.log(x + 1.5))
    ),
    "a pole beside a branch": lambda x: ag.log(1.0 - x) * ag.where(x > 0.5, x, x * x),
    "two relus of which one is 0": lambda x: ag.relu(x) ** 2 * ag.relu(-x),
}


def derivative(f: Function, kinds: str) -> Function:
    """f after one transformation for each letter: a gradient, or a jvp."""
    for kind in kinds:
        f = ag.gradient(f) if kind == "g" else functools.partial(lambda f, x: ag.jvp(f)(x, 0.7), f)
    return f


@pytest.mark.slow
@pytest.mark.parametrize("kinds", ["g", "gg", "ggg", "gggg", "jj", "jjj", "jg", "gj", "ggj"])
@pytest.mark.parametrize("f", RICH.values(), ids=RICH)
def test_derivatives_of_any_order_have_the_same_bits_compiled(f: Function, kinds: str) -> None:
    source = random.Random(0)
    points = [source.uniform(-2.0, 2.0) for _ in range(15 if len(kinds) > 3 else 40)]
    derived = derivative(f, kinds)
    compiled = ag.jit(derived, "python")
    # One by one: a nan in a batch would change the program for all.
    for x in (*points, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0):
        assert same(compiled([x]), [derived(x)]), x


@pytest.mark.parametrize("f", [*RICH.values(), *SELECTING[-2:]])
def test_a_second_derivative_of_zero_has_the_same_sign_compiled(f: Function) -> None:
    compiled = ag.jit(ag.hessian(f), "python")
    for x in (-1.0, -0.5, -0.0, 0.0, 0.5, 1.0):
        assert same(compiled([x]), [ag.hessian(f)(x)]), x


@pytest.mark.parametrize("f", HONEST.values(), ids=HONEST)
def test_a_nan_that_takes_part_shows(f: Function) -> None:
    leaf = Value(0.0)
    f(leaf).backward()
    assert math.isnan(leaf.grad)
    assert math.isnan(ag.gradient(f)(0.0))
    assert math.isnan(ag.hessian(f)(0.0))
    for compiled in (ag.gradient(f), ag.hessian(f)):
        assert math.isnan(ag.jit(compiled, "python")([0.0])[0])
    leaf.grad = None
    ag.jit(lambda: f(leaf), "python").backward()
    assert math.isnan(leaf.grad)


def test_what_was_compared_is_in_the_graph() -> None:
    a, b = Value(2.0, "a"), Value(-1.0, "b")
    chosen = ag.where(b.log() > 0.0, a, b)
    found = ag.first_nonfinite(chosen)
    assert found is not None
    assert found.op == "log"
    assert [step.node.op for step in ag.forward_steps(ag.where(a * b > 0.0, a, b))] == [
        *("mul", "gt", "where")
    ]


def slope_past_a_branch(x: Any) -> Any:
    """2·x, of which the plain gradient is nan at 0."""
    return ag.gradient(lambda t: ag.where(t >= 0.0, t * t, ag.sqrt(t)))(x)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: ag.where(slope_past_a_branch(x) > -1.0, x + 1.0, x - 1.0),
        lambda x: ag.relu(slope_past_a_branch(x) + 1.0),
        lambda x: ag.where((x < 1.0) & (slope_past_a_branch(x) < 1.0), x, 5.0),
        lambda x: abs(slope_past_a_branch(x) + 1.0),
        lambda x: ag.where(slope_past_a_branch(slope_past_a_branch(x)) < 1.0, x, 5.0),
        lambda x: ag.where(ag.jvp(slope_past_a_branch)(x, 1.0) > 1.0, x, 5.0),
    ],
)
def test_a_slope_that_is_compared_ignores_unselected_branches_too(f: Function) -> None:
    for derived in (f, ag.gradient(f), ag.value_and_gradient(f)):
        found, expected = ag.jit(derived, "python")([0.0])[0], derived(Value(0.0))
        assert found == pytest.approx(
            [x.data for x in expected] if isinstance(expected, tuple) else expected.data
        )


def test_a_derivative_of_zero_has_the_same_sign_at_floats_and_at_values() -> None:
    def f(x: Any) -> Any:
        return ag.where(slope_past_a_branch(x) > 1.0, x, 5.0)

    along = ag.jvp(f)(1.0, -0.0)
    assert same([along], [ag.jvp(f)(Value(1.0), -0.0).data])
    assert same([along], ag.jit(lambda x: ag.jvp(f)(x, -0.0), "python")([1.0]))


def test_a_row_that_selects_may_have_a_negative_slope() -> None:
    where = ag.primitives.where
    rule = lambda z, x: where(x > 0.0, -1.0, 0.0)  # noqa: E731
    turned = Primitive("turned", "turned", "where(x > 0.0, -x, 0.0)", rule, chooses=True)
    f = lambda x: turned(x * x) ** 2 * ag.where(x > 0.0, x, ag.sqrt(x))  # noqa: E731
    for kinds, expected in {"g": 25.3125, "j": 25.3125, "gg": 67.5, "gj": 67.5}.items():
        scale = 0.7 ** kinds.count("j")
        derived = derivative(f, kinds)
        assert derived(1.5) == pytest.approx(expected * scale)
        assert same(ag.jit(derived, "python")([1.5]), [derived(1.5)])
        beside_a_nan = ag.jit(derived, "python")([1.5, -1.0])
        assert same(beside_a_nan[:1], [derived(1.5)])
    assert ag.sparse_hessian(lambda v: f(v[0])).values([1.5]) == pytest.approx([67.5])


def test_a_constant_in_an_unselected_branch_has_gradient_0_under_an_infinite_slope() -> None:
    x = Value(0.0)
    for constant in (ag.stop_gradient(x), ag.where(x >= 0.0, 1.0, 2.0)):
        ag.sqrt(ag.where(x >= 0.0, x, constant)).backward()
        assert constant.grad == 0.0  # and not inf·0
        assert x.grad == math.inf


def plain_sweep(output: Value, leaf: Value) -> float:
    adjoints: dict[Value, float] = {output: 1.0}
    for node in reversed(ag.value.topological_order(output)):
        for arg, partial in zip(node.args, node.partials, strict=True):
            if partial is not None and node in adjoints:
                contribution = adjoints[node] * partial
                adjoints[arg] = adjoints[arg] + contribution if arg in adjoints else contribution
    return adjoints.get(leaf, 0.0)


@pytest.mark.slow
@given(programs(), inputs(st.one_of(any_float, st.floats(-2.0, 2.0))))
def test_a_gradient_without_nan_keeps_its_bits(program: Program, numbers: list[float]) -> None:
    leaves = [Value(x) for x in numbers]
    output = program(*leaves)
    if not isinstance(output, Value):
        return
    output.backward()
    for leaf in leaves:
        plain = plain_sweep(output, leaf)
        if not math.isnan(plain):
            assert same([0.0 if leaf.grad is None else leaf.grad], [plain])


@pytest.mark.parametrize("at", [-1.0, 4.0])
def test_what_is_printed_gives_the_numbers_of_the_call(at: float, tmp_path: Path) -> None:
    w = Value(at, "w")
    f = ag.jit(lambda: ag.where(w > 0.0, ag.sqrt(w), 0.0 * w), "python")
    f.backward()
    expected = [math.sqrt(at), 0.25] if at > 0.0 else [-0.0, 0.0]
    assert [f(), w.grad] == expected
    names: dict[str, Any] = dict(python.NAMESPACE)
    exec(f.source, names)
    assert names["program"]([at], 1, [()]) == expected
    if CC is not None:
        assert compiled_c(f.program, tmp_path)([at]) == expected


def test_a_network_of_relus_is_printed_plainly() -> None:
    model = ag.MLP(2, [4, 1], "relu", seed=0)
    f = ag.jit(lambda x, y: (model(x) - y) ** 2, "python")
    f.backward([[1.0, 2.0]], [1.0])
    assert len(f.source.splitlines()) <= 60


def test_a_step_under_an_infinite_gradient_is_printed_with_care() -> None:
    w = Value(0.5)
    f = ag.jit(lambda: ag.log(ag.floor(w)), "python")
    f.backward()
    assert w.grad == 0.0  # though log has the slope inf at 0
    names: dict[str, Any] = dict(python.NAMESPACE)
    exec(f.source, names)
    assert names["program"]([0.5], 1, [()]) == [-math.inf, 0.0]


def needs_a_guard(f: Any, *columns: Any) -> bool:
    """Whether the program shown is one that follows branches."""
    runner = f.recorded(*columns).main
    return runner.printed.key != runner.program.key


def printed_gradient(f: Callable[[], Any], leaves: list[Value]) -> list[float]:
    """The gradient by the source that is printed, which runs nothing else when it finds a nan."""
    compiled = ag.jit(f, "python")
    recorded = compiled.recorded()
    names: dict[str, Any] = dict(python.NAMESPACE)
    exec(python.BACKEND.source(recorded.main.printed), names)
    numbers = [leaf.data for leaf in recorded.main.printed.leaves]
    found = dict(zip(recorded.leaves, names["program"](numbers, 1, [()])[1:], strict=True))
    return [found.get(leaf, 0.0) for leaf in leaves]


ALWAYS_ACTIVE: dict[str, Callable[[Value, Value, Value], Any]] = {
    "another path": lambda w, v, x: ag.where(x > 0.0, n := ag.sqrt(w), v) + n,
    "both arms": lambda w, v, x: ag.where(x > 0.0, n := ag.log(w), 2.0 * n),
    "two selections by one condition": lambda w, v, x: (
        ag.where(c := x > 0.0, n := ag.log(w), v) * ag.where(c, v, n)
    ),
    "piecewise": lambda w, v, x: ag.where(
        x < 0.0, n := v / w, ag.where(x < 1.0, n + v, ag.where(x < 2.0, 3.0 * n, -n))
    ),
    "the largest of several": lambda w, v, x: ag.maximum(
        ag.maximum(ag.maximum(n := ag.sqrt(abs(w)), x * n), v * n), -n
    ),
    "the class of a cross entropy": lambda w, v, x: ag.cross_entropy([v / w, x / w, w / v], x),
    "a row taken": lambda w, v, x: ag.take([w, v, w * v], x) + ag.log(v),
}
"""Functions in which whatever has an infinite slope somewhere is active, whatever is selected."""

FINITE_BELOW: dict[str, Callable[[Value, Value, Value], Any]] = {
    "a root mean square": lambda w, v, x: ag.relu(
        w * (ag.dot([w, v], [w, v]) * 0.5 + 1e-5) ** -0.5
    ),
    "a standard deviation": lambda w, v, x: ag.relu(
        (w - v) / ag.sqrt(ag.mean([(w - v) ** 2, (v + x) ** 2]) + 1e-5)
    ),
    "a size with a lower bound": lambda w, v, x: ag.relu(w / ag.maximum(abs(v), 1e-9)),
    "a logarithm of 1 and more": lambda w, v, x: ag.relu(ag.log(1.0 + w * w + abs(v)) - 1.0),
    "division by a number": lambda w, v, x: ag.where(x > 0.0, w / -3.0, v),
}
"""Functions in which an inactive node has a finite slope."""

INACTIVE: dict[str, tuple[Callable[[Value, Value, Value], Any], list[float]]] = {
    "two conditions": (
        lambda w, v, x: ag.where(x > 0.0, n := ag.sqrt(w), v) + ag.where(v > 0.0, v, n),
        [-1.0, 1.0, -1.0],
    ),
    "two selections alike": (
        lambda w, v, x: ag.where(c := x > 0.0, n := ag.sqrt(w), v) + ag.where(c, 2.0 * n, v),
        [-1.0, 1.0, -1.0],
    ),
    "the other arm in a branch that is not selected": (
        lambda w, v, x: (
            ag.where(x > 0.0, ag.where(c := v > 0.0, n := ag.sqrt(w), v), v) + ag.where(c, v, n)
        ),
        [-1.0, 1.0, -1.0],
    ),
    "neither of two relus": (
        lambda w, v, x: ag.relu(v * (n := ag.sqrt(w))) + ag.relu(-v * n),
        [0.0, 1.0, 0.0],
    ),
    "a bound of 0": (lambda w, v, x: ag.where(x > 0.0, (w * w) ** -0.5, v), [0.0, 1.0, -1.0]),
    "a product of two": (
        lambda w, v, x: ag.where(x > 0.0, ag.log(w * v + 1.0), v),
        [-1.0, 1.0, -1.0],
    ),
    "a dot product of two": (
        lambda w, v, x: ag.where(x > 0.0, ag.sqrt(ag.dot([w, v], [v, w]) + 1e-5), v),
        [-1.0, 1.0, -1.0],
    ),
    "an odd power": (lambda w, v, x: ag.where(x > 0.0, ag.sqrt(w**3 + 1.0), v), [-1.0, 1.0, -1.0]),
    "a smaller number": (
        lambda w, v, x: ag.where(x > 0.0, 1.0 / ag.minimum(w * w + 1.0, v), v),
        [1.0, 0.0, -1.0],
    ),
    "a factor without a gradient": (
        lambda w, v, x: ag.where(x > 0.0, w * ag.sqrt(ag.stop_gradient(x)), v),
        [1.0, 1.0, -1.0],
    ),
    "an infinite factor that is active": (
        lambda w, v, x: ag.where(x > 0.0, v * (n := ag.log(w)), v) + n,
        [0.0, 1.0, -1.0],
    ),
    "an operand without a gradient": (
        lambda w, v, x: ag.where(x > 0.0, v * ag.sin(ag.stop_gradient(1.0 / w)), v),
        [0.0, 1.0, -1.0],
    ),
    "an infinite constant": (lambda w, v, x: ag.where(x > 0.0, math.inf * w, v), [1.0, 1.0, -1.0]),
    "an infinite constant further down": (
        lambda w, v, x: ag.where(x > 0.0, ag.sin(ag.where(x < 0.0, -math.inf, w)), v),
        [1.0, 1.0, -1.0],
    ),
    "the next step of a loop": (
        lambda w, v, x: ag.scan(
            lambda s, y: (ag.sqrt(ag.where(s > 0.0, s - 1.0, y)), None), w, [4.0, 4.0]
        )[0],
        [1.0, 0.0, 0.0],
    ),
    "what a loop selects": (
        lambda w, v, x: ag.scan(
            lambda s, y: (ag.sin(s) + ag.relu(y[0] * y[1] - 1.0), None),
            v,
            [[n := ag.sqrt(w), 1.0], [n, 2.0]],
        )[0],
        [0.0, 1.0, 0.0],
    ),
    "what a loop closes over": (
        lambda w, v, x: (
            n := ag.sqrt(w),
            ag.scan(lambda s, y: (ag.sin(s) + ag.relu(n * y - 1.0), None), v, [1.0, 2.0])[0],
        )[1],
        [0.0, 1.0, 0.0],
    ),
    "an infinite state of a loop": (
        lambda w, v, x: ag.scan(
            lambda s, y: ((s[0], ag.sin(s[1]) + ag.where(v > y, s[0] * s[1], s[1])), None),
            (math.inf, v),
            [2.0, 2.0],
        )[0][1],
        [1.0, 1.0, 0.0],
    ),
    "an infinite input of a loop": (
        lambda w, v, x: ag.scan(
            lambda s, y: (ag.sin(s) + ag.where(v > 2.0, s * y, s), None), v, [math.inf, 1.0]
        )[0],
        [1.0, 1.0, 0.0],
    ),
    "an infinite number that a loop closes over": (
        lambda w, v, x: (
            n := ag.stop_gradient(1.0 / w),
            ag.scan(lambda s, y: (ag.sin(s) + ag.where(v > y, s * n, s), None), v, [2.0, 2.0])[0],
        )[1],
        [0.0, 1.0, 0.0],
    ),
}
"""Functions, and a point at which an infinite or undefined slope is inactive."""


def slopes_of(leaves: list[Value]) -> list[float]:
    return [0.0 if leaf.grad is None else leaf.grad for leaf in leaves]


@pytest.mark.parametrize("f", ALWAYS_ACTIVE.values(), ids=ALWAYS_ACTIVE)
def test_what_is_active_whatever_is_selected_needs_no_guard(f: Function) -> None:
    leaves = [Value(0.5), Value(2.0), Value(1.0)]
    assert not needs_a_guard(ag.jit(functools.partial(f, *leaves), "python"))
    for leaf in leaves:
        leaf.grad = None
    f(*leaves).backward()
    slopes = slopes_of(leaves)
    assert same(printed_gradient(functools.partial(f, *leaves), leaves), slopes)


@pytest.mark.parametrize("f", FINITE_BELOW.values(), ids=FINITE_BELOW)
def test_a_slope_that_is_finite_needs_no_guard(f: Function) -> None:
    for numbers in ([0.0, 0.0, 0.0], [-1.0, 2.0, -3.0], [3.0, 1e-9, 1.0]):
        leaves = list(map(Value, numbers))
        assert not needs_a_guard(ag.jit(functools.partial(f, *leaves), "python"))
        f(*leaves).backward()
        slopes = slopes_of(leaves)
        assert all(map(math.isfinite, slopes))
        assert same(printed_gradient(functools.partial(f, *leaves), leaves), slopes)


@pytest.mark.parametrize(("f", "point"), INACTIVE.values(), ids=INACTIVE)
def test_what_may_be_inactive_is_printed_with_a_guard(f: Function, point: list[float]) -> None:
    leaves = list(map(Value, point))
    assert needs_a_guard(ag.jit(functools.partial(f, *leaves), "python"))
    f(*leaves).backward()
    slopes = slopes_of(leaves)
    assert not any(map(math.isnan, slopes))
    assert same(printed_gradient(functools.partial(f, *leaves), leaves), slopes)


def test_the_gradient_of_a_gpt_is_printed_plainly() -> None:
    """Its normalizations are below relus; its softmax is active over the sum around these."""
    model = workloads.gpt(8)
    compiled = ag.jit(model.loss, "python")
    compiled.recorded()
    assert not needs_a_guard(compiled)
    assert len(str(compiled.program).splitlines()) <= 189


def test_a_transformer_below_a_cross_entropy_is_printed_plainly() -> None:
    weights = workloads.gpt_parameters(Value)
    tokens = workloads.tokens_of(3)

    def loss(target: Any) -> Any:
        scores = workloads.gpt_scores(weights, tokens)[-1]
        return ag.cross_entropy([z / (1.0 + ag.exp(z)) for z in scores], target)

    assert not needs_a_guard(ag.jit(loss, "python"), [3.0])


def test_a_condition_that_is_a_plain_number_is_no_other_condition() -> None:
    """The comparison is operation 1 of its program, and True the number 1.0."""
    w = Value(0.0)

    def f() -> Value:
        c, n = w > 0.5, ag.sqrt(w)
        return ag.where(True, w, n) + ag.where(c, n, w)

    assert printed_gradient(f, [w]) == [2.0]


@pytest.mark.parametrize("number", [-1.0, 0.0, 2.0])
def test_a_rule_that_is_written_with_where_is_compiled_below_a_selection(number: float) -> None:
    smaller = Primitive(
        "log_or_less",
        "log_or_less",
        "where(x > 1.0, log(x), x - 1.0)",
        lambda z, x: ag.where((x > 1.0) & ~(x <= 1.0), 1.0 / x, 1.0),
    )
    several = Primitive(
        "added",
        "added",
        lambda *xs: ag.sum([ag.where(round(x) > x, x, x) for x in xs]),
        lambda z, *xs: [ag.where(round(x) > z, 1.0, 1.0) for x in xs],
        variadic=True,
        composite=True,
    )
    w, x = Value(number), Value(-1.0)

    def f() -> Value:
        return ag.where(x > 0.0, smaller(w), several(w, 2.0 * w)) + ag.relu(
            ag.sin(several(x, smaller(w)))
        )

    f().backward()
    slopes = slopes_of([w, x])
    w.grad = x.grad = None
    ag.jit(f, "python").backward()
    assert same(slopes_of([w, x]), slopes)


def test_rows_taken_by_an_index_are_finite_unless_it_is_invalid() -> None:
    rows = [[Value(0.5), Value(-1.0)], [Value(2.0), Value(1.5)]]

    def loss(token: Any) -> Any:
        x = ag.take(rows, token)
        scale = (ag.dot(x, x) / 2.0 + 1e-5) ** -0.5
        return ag.sum([(a * scale).relu() for a in x])

    assert not needs_a_guard(ag.jit(loss, "python"), [1.0])
    v = Value(3.0)
    f = ag.jit(lambda i: ag.where(i < 2.0, v * ag.take(rows, i)[0], v))
    f.backward([2.0])
    assert v.grad == 1.0


def test_conditions_combine_in_a_block_that_records_nothing() -> None:
    x = Value(1.0)
    with ag.no_grad():
        both, either, no = (x > 0.0) & (x < 2.0), (x > 1.0) | (x < 0.0), ~(x > 0.0)
        assert [bool(c) for c in (both, either, no)] == [True, False, False]
        assert [ag.where(c, 1.0, 2.0) for c in (both, either, no)] == [1.0, 2.0, 2.0]


@each_backend
def test_a_nan_of_an_unselected_branch_that_is_only_compared_is_noticed(backend: Any) -> None:
    slope = ag.gradient(lambda t: ag.where(t > 0.0, ag.sqrt(t), 3.0 * t))

    def branch(x: Any) -> Any:
        return ag.where(slope(x) > 1.0, x, 2.0 * x)

    def kink(x: Any) -> Any:
        return ag.maximum(slope(x), 0.5 * x) + x * x

    def loop(x: Any) -> Any:
        return ag.scan(lambda s, _: (ag.where(slope(s) > 1.0, s - 1.0, 2.0 * s), None), x, [0] * 3)[
            0
        ]

    for f in branch, kink, loop, lambda x: slope(x) * x:
        for compiled in f, ag.gradient(f), ag.value_and_gradient(f):
            expected = [compiled(x) for x in (-1.0, 4.0)]
            numbers = [getattr(x, "data", x) for x in expected]
            assert ag.jit(compiled, backend)([-1.0, 4.0]) == numbers
