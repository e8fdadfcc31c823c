"""Programs as functions of JAX: the numbers of the other back ends, and JAX's transformations."""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd as ag
from autograd.primitives import TABLE, Primitive
from tests.numerics import ordinary_points
from tests.shapes import SHAPES

pytestmark = pytest.mark.slow

jax = pytest.importorskip("jax", reason="JAX is not installed (extra jax)")
np = pytest.importorskip("numpy")


@pytest.fixture(autouse=True)
def float64() -> Any:
    with jax.enable_x64(True):
        yield


def agrees(computed: Any, expected: Any, tolerance: float = 1e-12) -> bool:
    computed, expected = np.asarray(computed), np.asarray(expected)
    assert computed.shape == expected.shape
    scale = np.max(np.abs(expected), initial=1e-300)
    return bool(
        np.allclose(computed, expected, rtol=tolerance, atol=tolerance * scale, equal_nan=True)
    )


def value_and_gradient(f: Any, leaves: list[ag.Value], *columns: Any, backend: str) -> list[float]:
    for leaf in leaves:
        leaf.grad = None
    value = ag.jit(f, backend=backend).backward(*columns)  # type: ignore[arg-type]
    return [value, *(leaf.grad or 0.0 for leaf in leaves)]


def both_agree(f: Any, leaves: list[ag.Value], *columns: Any) -> bool:
    """The gradient by the back end "jax" and by "python"."""
    expected = value_and_gradient(f, leaves, *columns, backend="python")
    return agrees(value_and_gradient(f, leaves, *columns, backend="jax"), expected)


def some(n: int, seed: int = 0) -> list[float]:
    rng = random.Random(seed)
    return [rng.uniform(-1.0, 1.0) for _ in range(n)]


def values(n: int, seed: int = 0) -> list[ag.Value]:
    return [ag.Value(x, f"w{i}") for i, x in enumerate(some(n, seed))]


# --- the same numbers -----------------------------------------------------------------------------


def test_every_primitive_and_its_derivatives() -> None:
    names = [name for name in TABLE if name not in ("where", "take")]
    points = {name: list(ordinary_points(TABLE[name])) for name in names}
    widths = [len(points[name][0]) for name in names]

    def f(*rows: Any) -> list[Any]:
        """Value and slopes of each primitive, each on arguments of its own."""
        results = []
        for name, row in zip(names, rows, strict=True):
            y = TABLE[name](*row)
            results += [y, *ag.grad(y, row)]
        return results

    columns = [list(map(list, points[name])) for name in names]
    computed = np.array(ag.jit(f, backend="jax")(*columns))
    expected = np.array(ag.jit(f, backend="python")(*columns))
    start = 0
    for name, width in zip(names, widths, strict=True):
        own = slice(start, start := start + 1 + width)
        assert np.allclose(computed[:, own], expected[:, own], rtol=1e-13, atol=1e-14), name


def test_special_values_of_the_primitives_made_here() -> None:
    points = [0.0, -0.0, 1e300, -1e300, math.inf, -math.inf, math.nan, 700.0, -700.0]

    def f(x: Any, y: Any) -> list[Any]:
        parts = [x.relu(), x.softplus(), x.sigmoid(), x.tanh(), ag.hypot(x, y), ag.hypot(x)]
        return [*parts, ag.maximum(x, y), ag.where(x > y, x, y)]

    columns = [[x for x in points for _ in points], points * len(points)]
    computed = np.array(ag.jit(f, backend="jax")(*columns))
    expected = np.array(ag.jit(f, backend="python")(*columns))
    assert np.allclose(computed, expected, rtol=1e-14, atol=0.0, equal_nan=True)


def test_comparisons_are_numbers() -> None:
    """Two that hold add up to 2; neither "or" nor a boolean that cannot be negated."""
    lt = TABLE["lt"]

    def f(x: Any, y: Any) -> list[Any]:
        return [lt(x, y) + lt(x, 2.0), -lt(x, y), x * lt(x, y) - lt(y, 2.0)]

    columns = [[1.0, 1.0, 3.0, 3.0], [1.5, 0.5, 4.0, 2.5]]
    assert ag.jit(f, backend="jax")(*columns) == ag.jit(f, backend="python")(*columns)


def test_rounding_by_a_large_number_is_kept() -> None:
    """(x + 2⁵²) - 2⁵² is a whole number, for which XLA's algebra would take x."""

    def f(x: Any) -> Any:
        return (x + 2.0**52) - 2.0**52

    assert ag.jit(f, backend="jax")([1.3, 2.5, 7.7]) == [1.0, 2.0, 8.0]


def test_a_network_on_a_batch() -> None:
    model = ag.MLP(3, [8, 4, 1], seed=0)
    X, Y = [some(3, i) for i in range(10)], some(10, 99)
    assert both_agree(lambda x, y: (model(x) - y) ** 2, model.parameters(), X, Y)


def test_a_recurrent_network_is_scanned() -> None:
    """A loop whose turns depend on those before, forwards and in the gradient."""
    w = values(12)
    series = [some(60, i) for i in range(3)]

    def f(xs: list[ag.Value]) -> ag.Value:
        a, b, c = w[0], w[1], w[2]
        for x in xs:
            a, b, c = (
                (w[3] * a + w[4] * b + w[5] * x).tanh(),
                (w[6] * b + w[7] * c + w[8] * x).tanh(),
                (w[9] * c + w[10] * a + w[11] * x).tanh(),
            )
        return a * b + c

    assert both_agree(f, w, series)
    with_loops = ag.jit(f, backend="jax")
    with_loops.backward(series)
    assert "scan[" in with_loops.jax


def test_only_what_recurs_is_scanned() -> None:
    """What each iteration needs of its input alone, and what is made of its state, is an array."""
    w = values(3)

    def f(xs: list[ag.Value]) -> ag.Value:
        state: Any = w[0]
        states = []
        for x in xs:
            push = (w[2] * x).exp()
            state = (w[1] * state + push).tanh()
            states.append((state * push).sin())
        return ag.sum(states)

    series = some(40)
    program = ag.to_jax(f, series)
    jaxpr = jax.make_jaxpr(program)(program.numbers(), np.array(series))
    (scan,) = (step for step in jaxpr.eqns if step.primitive.name == "scan")
    scanned = {step.primitive.name for step in scan.params["jaxpr"].eqns}
    assert "tanh" in scanned
    assert scanned.isdisjoint({"exp", "sin"})
    assert agrees(program(program.numbers(), np.array(series)), ag.jit(f, "python")([series])[0])


def kalman(w: list[ag.Value]) -> Any:
    total: Any = 0.0
    data, mean, variance = some(70, 5), w[0], w[1] ** 2 + 0.1
    for y in data:
        variance = variance + w[2] ** 2
        error, spread = y - mean, variance + w[3] ** 2 + 0.1
        total = total + spread.log() + error * error / spread
        gain = variance / spread
        mean, variance = mean + gain * error, variance - gain * variance
    return total


def cholesky(w: list[ag.Value]) -> ag.Value:
    n = 7
    rows: list[list[Any]] = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i + 1):
            total = (w[i] - w[j]) * (w[i] - w[j]) * -0.5
            total = total.exp() + (0.5 if i == j else 0.0)
            for k in range(j):
                total = total - rows[i][k] * rows[j][k]
            rows[i][j] = total.sqrt() if i == j else total / rows[j][j]
    return ag.sum([rows[i][i].log() for i in range(n)])


def lagged(w: list[ag.Value]) -> ag.Value:
    """Three turns back; the first of them read what was there before the loop."""
    series: list[ag.Value] = [w[0], w[1] * w[2], w[2] + 1.0]
    for _ in range(120):
        series.append((w[3] * series[-3] + w[4] * series[-1]).sin())
    return ag.dot(series, series)


def attention(w: list[ag.Value]) -> Any:
    """Sums over 1, 2, … terms."""
    n = 9
    total: Any = 0.0
    for i in range(n):
        scores = [(w[i] * w[j]).exp() for j in range(i + 1)]
        norm = ag.sum(scores)
        total = total + ag.sum([s / norm * w[j + 1] for j, s in enumerate(scores)])
    return total


@pytest.mark.parametrize("f", [kalman, cholesky, lagged, attention])
def test_programs_with_loops(f: Callable[[list[ag.Value]], ag.Value]) -> None:
    w = values(12, seed=3)
    assert both_agree(lambda: f(w), w)


@pytest.mark.parametrize(("name", "size"), [("a swap", 30), ("a spline", 26), ("random walks", 8)])
def test_programs_as_people_write_them(name: str, size: int) -> None:
    f, leaves = SHAPES[name][0](size)
    assert both_agree(f, leaves)


def test_a_row_of_ones_own_is_called_back() -> None:
    name = "cube_root_for_jax"
    cube_root = Primitive(name, "∛", math.cbrt, lambda z, x: 1.0 / (3.0 * z * z))
    try:
        w = ag.Value(2.0)
        assert both_agree(lambda x: cube_root(x * w), [w], [1.0, 2.0, 3.0])
        assert ag.jit(lambda row: ag.sum(row) + w, "jax")([[], []]) == [2.0, 2.0]
    finally:
        TABLE.pop(name)


# --- to_jax ---------------------------------------------------------------------------------------


def test_the_function_is_pure_and_transforms() -> None:
    """jit, grad and vmap; and the gradient by JAX is the engine's own."""
    model = ag.MLP(2, [5, 1], activation="tanh", seed=0)
    X, Y = np.array([some(2, i) for i in range(8)]), np.array(some(8, 50))
    f = ag.to_jax(lambda x, y: (model(x) - y) ** 2, X[0], Y[0])
    leaves = f.numbers()
    expected = ag.jit(lambda x, y: (model(x) - y) ** 2, backend="python")(X, Y)
    assert agrees(f(leaves, X, Y), expected)
    assert agrees(jax.vmap(f, (None, 0, 0))(leaves, X, Y), expected)
    assert agrees(f(leaves, X[3], Y[3]), expected[3])
    value, gradient = jax.jit(f.value_and_gradient)(leaves, X, Y)
    assert agrees(value, np.mean(expected))
    by_jax = jax.grad(lambda w: f(w, X, Y).mean())(leaves)
    assert agrees(gradient, by_jax)
    for leaf in f.leaves:
        leaf.data *= 2.0
    assert agrees(f.value_and_gradient(leaves, X, Y)[1], gradient)  # it is pure


def test_scans_are_differentiable() -> None:
    w = values(12, seed=3)
    f = ag.to_jax(lambda: lagged(w))
    value, gradient = f.value_and_gradient(f.numbers())
    assert agrees(jax.grad(f)(f.numbers()), gradient)
    assert agrees(f(f.numbers()), value)


def test_lists_come_back_as_lists() -> None:
    w = ag.Value(2.0)
    f = ag.to_jax(lambda x: [x * w, (w, x + 1.0)], 1.0)
    first, (second, third) = f(f.numbers(), np.array([1.0, 2.0]))
    assert [first.tolist(), second.tolist(), third.tolist()] == [[2, 4], [2, 2], [2, 3]]
    with pytest.raises(TypeError, match="returns a list"):
        f.value_and_gradient(f.numbers(), np.array([1.0]))


def test_wrong_columns_are_refused() -> None:
    f = ag.to_jax(lambda x, y: x[0] * x[1] + y, [1.0, 2.0], 3.0)
    with pytest.raises(TypeError, match="takes 2 columns, got 1"):
        f(f.numbers(), np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"column 1 has the shape \(4,\)"):
        f(f.numbers(), np.ones((3, 2)), np.ones(4))
    with pytest.raises(TypeError, match="real numbers, got 'a'"):
        ag.to_jax(lambda x: x, "a")


def recurrent(xs: list[ag.Value]) -> ag.Value:
    state, w = xs[0], ag.Value(0.5)
    for x in xs:
        state = (w * state + x).tanh()
    return state


def test_integers_are_numbers_and_there_may_be_no_example() -> None:
    w = ag.Value(2.0)
    f = ag.to_jax(lambda x: x * x * w, 1.0)
    assert f([3], np.array([100_000, 2])).tolist() == [np.float32(3e10), 12.0]
    series = ag.to_jax(recurrent, [1.0] * 30)
    for g, column in ((f, np.zeros(0)), (series, np.zeros((0, 30)))):
        assert g(g.numbers(), column).shape == (0,)
    with pytest.raises(ValueError, match=r"^jax: expected the numbers of 1 leaves .* shape \(2,\)"):
        f(np.zeros(2), np.ones(3))


def test_it_can_be_looked_at() -> None:
    f = ag.jit(lambda x: x.exp(), backend="python")
    f.mean([2.0])
    assert "exp" in f.jax


def test_a_missing_jax_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'scalar-autograd\[jax\]'"):
        ag.to_jax(lambda x: x, 1.0)
    with pytest.raises(ImportError, match=r"pip install 'scalar-autograd\[jax\]'"):
        ag.jit(lambda x: x, backend="jax")


SHARDED = """
import jax, numpy as np, random
jax.config.update("jax_enable_x64", True)
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import autograd as ag

assert len(jax.devices()) == 8
rng = random.Random(0)
X = np.array([[rng.gauss(0, 1) for _ in range(4)] for _ in range(64)])
Y = np.array([rng.choice((-1.0, 1.0)) for _ in range(64)])
model = ag.MLP(4, [16, 16, 1], seed=0)
def loss(x, y):
    return (1.0 - y * model(x)).relu() + 1e-4 * ag.dot(model.parameters(), model.parameters())

f = ag.to_jax(loss, X[0], Y[0])
mesh = Mesh(np.array(jax.devices()), ("batch",))
split, same = NamedSharding(mesh, PartitionSpec("batch")), NamedSharding(mesh, PartitionSpec())
step = jax.jit(f.value_and_gradient, in_shardings=(same, split, split), out_shardings=(same, same))
compiled = step.lower(f.numbers(), X, Y).compile()
assert "all-reduce" in compiled.as_text()
X, Y = jax.device_put(X, split), jax.device_put(Y, split)
assert len(X.sharding.device_set) == 8
value, gradient = step(f.numbers(), X, Y)

mean = ag.jit(loss, backend="python").backward(np.asarray(X), np.asarray(Y))
expected = np.array([leaf.grad for leaf in f.leaves])
assert abs(value - mean) <= 1e-12 * abs(mean), (value, mean)
assert np.max(np.abs(gradient - expected)) <= 1e-12 * np.max(np.abs(expected))
print("agreed on", len(gradient.sharding.device_set), "devices")
"""


def test_a_batch_is_split_over_eight_devices() -> None:
    """The mean over the batch is a collective; value and gradient are the engine's to 1e-12."""
    import os

    flags = "--xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, "-c", SHARDED],
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
        cwd=Path(ag.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "agreed on 8 devices", done.stderr
