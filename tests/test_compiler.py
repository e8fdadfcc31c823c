"""Compiled functions: the bits of eager, one recording for all examples, and clear refusals."""

from __future__ import annotations

import copy
import functools
import gc
import importlib.util
import inspect
import itertools
import math
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import primitives
from autograd.compiler import columns
from autograd.compiler.backends import c, python
from autograd.compiler.backends.llvm import ops
from autograd.compiler.jit import BACKENDS, jit
from autograd.compiler.program import elements, groups
from autograd.primitives import TABLE
from tests.graphs import COMPARISONS, Program, any_float, inputs, ordinary, programs
from tests.numerics import SPECIAL, bits, same

HOUSE = frozenset(TABLE)
"""The rows of the package itself."""

HAS_LLVM = importlib.util.find_spec("llvmlite") is not None
needs_llvm = pytest.mark.skipif(not HAS_LLVM, reason="llvmlite is not installed (extra jit)")
each_backend = pytest.mark.parametrize(
    "backend", ["python", pytest.param("llvm", marks=needs_llvm)]
)


def gradients(leaves: Sequence[ag.Value]) -> list[float | None]:
    found = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    return found


# --- the same bits --------------------------------------------------------------------------------


@pytest.mark.slow
@each_backend
@pytest.mark.parametrize("numbers", [ordinary, any_float], ids=["ordinary", "special"])
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_one_example_has_the_bits_of_eager(
    backend: Any, numbers: st.SearchStrategy[float], data: st.DataObject
) -> None:
    """Value and gradient, of a random graph on two leaves and an input, which is shared by both."""
    program: Program = data.draw(programs(constants=numbers))
    point = data.draw(inputs(numbers))
    leaves = [ag.Value(x) for x in point[:2]]

    eager = program(*leaves, point[2])
    if not isinstance(eager, ag.Value):
        return
    eager.backward()
    expected = gradients(leaves)

    compiled = jit(lambda x: program(*leaves, x), backend)
    assert same(compiled([point[2]]), [eager.data])
    assert same([compiled.mean([point[2]])], [eager.data])
    assert same([compiled.backward([point[2]])], [eager.data])
    computed = gradients(leaves)
    reached = [(c, e) for c, e in zip(computed, expected, strict=True) if e is not None]
    assert same([c for c, _ in reached], [e for _, e in reached])


@pytest.mark.slow
@each_backend
@settings(max_examples=25, deadline=None)
@given(program=programs(), points=st.lists(inputs(any_float), min_size=1, max_size=11))
def test_derivatives_by_the_inputs_compile_and_map(
    backend: Any, program: Program, points: list[Sequence[float]]
) -> None:
    """Each example of a batch has the bits it has alone, in whatever lane it is computed."""

    def value_and_slopes(x: Any, y: Any, z: Any) -> list[Any]:
        value = program(x, y, z)
        return [value, *ag.grad(value, [x, y, z])]

    rows = jit(value_and_slopes, backend)(*map(list, zip(*points, strict=True)))
    for row, point in zip(rows, points, strict=True):
        assert same(row, [x.data for x in value_and_slopes(*map(ag.Value, point))])


def calls_of(name: str) -> list[tuple[int, Callable[..., Any]]]:
    """A primitive as functions of numbers, with how many they take."""
    if name == "where":
        return [
            (3, lambda x, y, z, compare=compare: ag.where(compare(x, y), z, x))
            for compare in map(TABLE.__getitem__, COMPARISONS)
        ]
    primitive = TABLE[name]
    return [(2 if primitive.variadic else len(primitive.partials), primitive)]


@functools.cache
def at_special_values(name: str) -> list[tuple[Callable[..., Any], list[Any], list[Any]]]:
    """Functions of its value and slopes, their points, and what eager code finds there."""
    found = []
    for n, primitive in calls_of(name):
        points = list(itertools.product(SPECIAL, repeat=n))
        if n == 3:
            points = points[::7]

        def value_and_slopes(*xs: Any, primitive: Any = primitive) -> list[Any]:
            value = primitive(*xs)
            return [value, *ag.grad(value, xs)]

        expected = [[x.data for x in value_and_slopes(*map(ag.Value, point))] for point in points]
        found.append((value_and_slopes, points, expected))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["python", pytest.param("llvm", marks=needs_llvm)])
@pytest.mark.parametrize("name", TABLE)
def test_every_primitive_has_its_bits_at_special_values(name: str, backend: Any) -> None:
    for f, points, expected in at_special_values(name):
        rows = jit(f, backend)(*map(list, zip(*points, strict=True)))
        for row, wanted, point in zip(rows, expected, points, strict=True):
            assert same(row, wanted), (point, row, wanted)


@needs_llvm
@pytest.mark.parametrize("name", ops.LIBM)
def test_no_library_function_is_rewritten(name: str) -> None:
    """At constants, where a compiler would like to compute by itself, and at powers of 2 and x²."""
    xs = [0.1 * i + 0.013 for i in range(200)]
    if name == "pow":
        f = jit(lambda x: [x**2.0, x**3.0, x**0.5, x**-1.0, 2.0**x, 10.0**x], "llvm")
        expected = [
            [
                math.pow(x, 2.0),
                math.pow(x, 3.0),
                math.pow(x, 0.5),
                math.pow(x, -1.0),
                math.pow(2.0, x),
                math.pow(10.0, x),
            ]
            for x in xs
        ]
    else:
        more = [2.5] * (len(TABLE[name].partials) - 1)
        function = TABLE[name]
        f = jit(lambda x: [function(x, *more), function(x * 0.0 + 0.3, *more)], "llvm")
        expected = [[function(x, *more), function(0.3, *more)] for x in xs]
    assert all(map(same, f(xs), expected))


@each_backend
def test_nothing_is_fused(backend: Any) -> None:
    """x·y + z with a product that must be rounded before the addition: a fused one gives 2⁻⁶⁰."""
    x = 1.0 + 2.0**-30
    assert jit(lambda x, y, z: x * y + z, backend)([x], [x], [-(1.0 + 2.0**-29)]) == [0.0]


@each_backend
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 127, 128, 129, 300])
def test_long_sums_are_added_from_left_to_right(backend: Any, n: int) -> None:
    weights = [ag.Value(math.sin(1e3 * i) * 10.0 ** (i % 9)) for i in range(n)]
    row = [math.cos(1e3 * i) for i in range(n)]

    def f(xs: Any) -> Any:
        return ag.sum(xs) + ag.dot(weights, xs) * ag.dot(xs, xs) + ag.sum(weights)

    eager = f(list(map(ag.Value, row)))
    eager.backward()
    expected = gradients(weights)
    compiled = jit(f, backend)
    assert bits(compiled.backward([row])) == bits(eager.data)
    assert same(gradients(weights), expected)


@each_backend
def test_a_sum_with_many_terms_that_do_not_vary(backend: Any) -> None:
    leaves = [ag.Value(math.sin(i)) for i in range(133)]
    f = jit(lambda x: ag.sum([x * leaves[0], *leaves]), backend)
    eager = f.function(ag.Value(0.3))
    eager.backward()
    expected = gradients(leaves)
    assert bits(f.backward([0.3])) == bits(eager.data)
    assert same(gradients(leaves), expected)
    assert f.program.sizes["v"] <= 1


# --- batches --------------------------------------------------------------------------------------


@each_backend
@pytest.mark.parametrize("n", range(1, 20))
def test_a_batch_of_any_size_is_the_mean_of_its_examples(backend: Any, n: int) -> None:
    w, b = ag.Value(0.7, "w"), ag.Value(-0.2, "b")
    X = [0.3 * i - 1.0 for i in range(n)]
    f = jit(lambda x: (w * x + b).tanh() + 0.1 * w * w, backend)
    values, slopes = [], []
    for x in X:
        value = f.function(x)
        value.backward()
        values.append(value.data)
        slopes.append(gradients([w, b]))
    assert same(f(X), values)
    mean = f.backward(X)
    assert mean == pytest.approx(math.fsum(values) / n, rel=1e-14)
    assert bits(f.mean(X)) == bits(mean)
    expected = [math.fsum(column) / n for column in zip(*slopes, strict=True)]
    assert gradients([w, b]) == pytest.approx(expected, rel=1e-13)


@each_backend
def test_a_batch_has_the_same_bits_in_every_run(backend: Any) -> None:
    w = ag.Value(0.7)
    X = [math.sin(i) for i in range(1003)]
    runs = set()
    for _ in range(3):
        f = jit(lambda x: (w * x).exp(), backend)
        runs.add((bits(f.backward(X)), bits(gradients([w])[0] or 0.0)))
    assert len(runs) == 1


@each_backend
def test_an_example_that_is_not_finite_stays_out_of_idle_lanes(backend: Any) -> None:
    w = ag.Value(1.0)
    f = jit(lambda x: w * x, backend)
    assert f.mean([1.0, 2.0, 3.0]) == 2.0
    assert f.mean([1.0, 2.0, math.inf]) == math.inf
    assert f.mean([1.0] * 9 + [math.inf, -math.inf]) != f.mean([1.0] * 11)


@each_backend
def test_backward_adds_to_grad(backend: Any) -> None:
    w = ag.Value(2.0)
    w.grad = 10.0
    f = jit(lambda x: w * x, backend)
    f.backward([1.0, 3.0])
    assert w.grad == 12.0


@each_backend
def test_backward_reaches_the_leaves_that_eager_reaches(backend: Any) -> None:
    """A leaf in a branch not taken has 0.0; one that is only compared, or not used, has None."""
    taken, other, compared, _ = leaves = [ag.Value(float(i)) for i in range(1, 5)]
    f = jit(lambda x: ag.where(compared > x, taken, other) * x, backend)
    f.backward([1.0])
    assert gradients(leaves) == [1.0, 0.0, None, None]
    compared.data = 0.0
    f.backward([1.0])
    assert gradients(leaves) == [0.0, 1.0, None, None]


@each_backend
def test_a_leaf_or_an_input_or_a_number_may_be_the_result(backend: Any) -> None:
    w = ag.Value(2.0)
    assert jit(lambda x: w, backend)([1.0, 5.0]) == [2.0, 2.0]
    assert jit(lambda x: x, backend).backward([1.0, 5.0]) == 3.0
    assert jit(lambda x: 7, backend)([1.0, 5.0]) == [7.0, 7.0]
    assert jit(lambda x: 7, backend).backward([1.0, 5.0]) == 7.0
    assert jit(lambda x: [], backend)([1.0, 5.0]) == [[], []]
    assert jit(lambda x: [x, w, 1, x * w], backend)([3.0]) == [[3.0, 2.0, 1.0, 6.0]]
    assert jit(lambda x: (x, w, 1, x * w), backend).mean([3.0]) == [3.0, 2.0, 1.0, 6.0]
    jit(lambda x: w, backend).backward([1.0])
    assert gradients([w]) == [1.0]
    jit(lambda x: w + x + w, backend).backward([1.0])
    assert gradients([w]) == [2.0]


# --- one recording --------------------------------------------------------------------------------


@each_backend
def test_the_function_is_called_once_for_each_shape(backend: Any) -> None:
    calls = []

    @jit(backend=backend)
    def total(x: Any) -> Any:
        calls.append(x)
        return ag.sum(x) if isinstance(x, list) else x

    for rows in ([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]], [[1, 2]]):
        total(rows)
        total.mean(rows)
        total.backward(rows)
    assert len(calls) == 1
    assert total([[1.0, 2.0, 3.0]]) == [6.0]
    assert total([4.0]) == [4.0]
    assert total([[7.0, 8.0]]) == [15.0]
    assert len(calls) == 3


@each_backend
def test_every_leaf_is_read_afresh(backend: Any) -> None:
    w = ag.Value(2.0)
    outside = w * w  # a node that was there before
    f = jit(lambda x: outside * x + abs(w), backend)
    assert f([10.0]) == [42.0]
    w.data = -3.0
    assert f([10.0]) == [93.0]
    f.backward([10.0])
    assert gradients([w]) == [-61.0]  # the derivative of abs follows the sign that w has now


@each_backend
def test_nothing_freezes_inside_no_grad(backend: Any) -> None:
    w = ag.Value(2.0)
    f = jit(lambda x: w * w + 0.1 * w * x, backend)
    with ag.no_grad():
        assert f([1.0]) == [4.2]
        f.backward([1.0])
    assert gradients([w]) == [4.1]
    w.data = 3.0
    assert f.mean([1.0]) == pytest.approx(9.3)


def spaces(items: Any) -> set[str]:
    """The spaces that these items read."""
    found = groups(items)
    return {operand.space for group in found for operand in elements(group.expression)}


def test_what_depends_on_no_input_is_computed_once_a_call() -> None:
    model = ag.MLP(2, [3, 1], seed=0)
    parameters = model.parameters()
    f = jit(lambda x: model(x).relu() + 0.1 * ag.dot(parameters, parameters), "python")
    f.backward([[1.0, 2.0]])
    assert spaces(f.program.once) <= {"w", "c", "k"}
    assert "c" not in spaces((*f.program.each, *f.program.means))
    assert spaces(f.program.after) <= {"c", "m"}
    assert f.program.sizes["y"] == 1 + len(parameters)


def test_a_slope_shared_by_many_leaves_is_summed_up_once() -> None:
    leaves = [ag.Value(1.0) for _ in range(5)]
    f = jit(lambda x: ag.sum(w * x for w in leaves), "python")
    f.backward([1.0, 3.0])
    assert [group.dims for group in groups(f.program.means)] == [(), ()]
    assert gradients(leaves) == [2.0] * 5


@each_backend
def test_the_slopes_may_be_the_inputs_of_a_long_row(backend: Any) -> None:
    weights = [ag.Value(0.5) for _ in range(201)]
    rows = [[math.sin(i * j) for i in range(len(weights))] for j in range(11)]
    jit(lambda x: ag.dot(weights, x), backend).backward(rows)
    expected = [math.fsum(column) / 11 for column in zip(*rows, strict=True)]
    assert gradients(weights) == pytest.approx(expected, rel=1e-13)


def test_common_expressions_are_computed_once() -> None:
    f = jit(lambda x: (x * 2.0).exp() + (x * 2.0).exp() * (x * -0.0) + x * 0.0, "python")
    assert f([1.0]) == [math.exp(2.0)]
    assert str(f.program).count("exp") == 1
    assert f.source.count("* x[0]") + f.source.count("x[0] *") == 3  # 2x, 0x and -0x


@each_backend
def test_a_compiled_function_compiles_inside_another(backend: Any) -> None:
    square = jit(lambda x: x * x, backend)
    assert jit(lambda x: square(x) + 1.0, backend)([3.0]) == [10.0]


# --- columns --------------------------------------------------------------------------------------


@each_backend
def test_rows_nest(backend: Any) -> None:
    f = jit(lambda image, y: ag.dot(image[0], image[1]) - y, backend)
    assert f([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], (True, 2)) == [10.0, 81.0]
    assert f.program.inputs[3] == "image[1][1]"


@each_backend
def test_numpy_columns(backend: Any) -> None:
    np = pytest.importorskip("numpy", reason="columns as arrays need NumPy")
    f = jit(lambda x, y: [x[0] * y, x[1]], backend)
    X = np.arange(6.0).reshape(3, 2)
    rows = f(X, [1.0, 2.0, 3.0])
    assert isinstance(rows, np.ndarray)
    assert rows.tolist() == [[0.0, 1.0], [4.0, 3.0], [12.0, 5.0]]
    for same_numbers in (X.astype(np.float32), X.astype(int), np.asfortranarray(X), [*X]):
        assert np.array_equal(f(same_numbers, np.array([1, 2, 3])), rows)
    assert np.array_equal(f(X[::2], np.array([1.0, 9.0, 3.0])[::2]), rows[::2])
    assert np.array_equal(f(X.view(np.matrix), [1.0, 2.0, 3.0]), rows)
    means = jit(lambda x: x * 2.0, backend)(np.array([1.0, 2.0]))
    assert means.dtype == np.float64
    assert means.shape == (2,)


def test_data_frames_are_columns() -> None:
    pd = pytest.importorskip("pandas", reason="columns of data frames need pandas")
    f = jit(lambda x, y: x[0] * y + x[1], "python")
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]}, index=[7, 9])
    assert f(frame, frame["a"]).tolist() == [4.0, 8.0]
    with pytest.raises(TypeError, match="column 1 holds 'a' in row 0, which is no number"):
        f(frame, pd.Series(["a", "b"]))


def test_an_int_beyond_the_range_of_floats_is_infinite() -> None:
    assert jit(lambda x: x, "python")([1, -(10**400), 2.5]) == [1.0, -math.inf, 2.5]


def test_a_masked_array_is_refused_by_name() -> None:
    np = pytest.importorskip("numpy", reason="columns as arrays need NumPy")
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError, match=r"column 0 is a masked array.*filled"):
        jit(lambda x: x, "python")(masked)
    with pytest.raises(TypeError, match=r"sparse_jacobian: argument 0 is a masked array.*filled"):
        ag.sparse_jacobian(lambda x: [x[0] * x[1]]).values(masked)
    with pytest.raises(TypeError, match=r"scan: inputs is a masked array.*filled"):
        ag.scan(lambda s, x: (s + x, None), 0.0, masked)
    for x in masked, [masked], list(masked):
        with pytest.raises(TypeError, match=r"masked.*filled"):
            ag.gradient(lambda x: 1.0)(x)
    for rows in ([masked, masked], [1.0, np.ma.masked]):
        with pytest.raises(TypeError, match=r"column 0 is a masked array.*filled"):
            jit(lambda x: x, "python")(rows)


# --- functions, methods and what they return ------------------------------------------------------


@each_backend
def test_a_function_without_arguments(backend: Any) -> None:
    w = ag.Value(3.0)
    f = jit(lambda: w * w, backend)
    assert f() == 9.0
    assert f.mean() == 9.0
    assert f.backward() == 9.0
    assert gradients([w]) == [6.0]
    assert jit(lambda: (w, [w * 2.0, 1.0]), backend)() == (3.0, [6.0, 1.0])


class Scaled:
    """An object with a compiled method."""

    def __init__(self, factor: float) -> None:
        self.factor = ag.Value(factor)

    @jit
    def __call__(self, x: Any) -> Any:
        return self.factor * x

    @jit(backend="python")
    def twice(self, x: Any) -> Any:
        """Twice that."""
        return 2.0 * self.factor * x


def test_methods_are_compiled_for_each_object() -> None:
    one, other = Scaled(1.0), Scaled(10.0)
    assert one.twice([1.0, 2.0]) == [2.0, 4.0]
    assert other.twice([1.0]) == [20.0]
    assert one.twice.program.leaves == (one.factor,)
    other.factor.data = 5.0
    assert other.twice.mean([1.0]) == 10.0
    assert one([3.0]) == [3.0]
    assert Scaled.twice.__doc__ == "Twice that."


@each_backend
def test_rows_of_no_numbers_are_examples_too(backend: Any) -> None:
    np = pytest.importorskip("numpy")
    w = ag.Value(2.0)
    f = jit(lambda row: ag.sum(row) + w, backend)
    assert f([[], [], []]) == [2.0, 2.0, 2.0]
    assert f(np.zeros((3, 0))).tolist() == [2.0, 2.0, 2.0]
    assert f.mean([[], []]) == f.backward([[], []]) == 2.0
    assert (w.grad, f([[1.0]])) == (1.0, [3.0])
    assert jit(lambda row: [1.0, w], backend)([[], []]) == [[1.0, 2.0], [1.0, 2.0]]


@each_backend
def test_what_is_returned_keeps_its_form(backend: Any) -> None:
    f = jit(lambda x, y: (x * y, [y, {"no": 1}["no"], (x,)]), backend)
    assert f([2.0, 3.0], [5.0, 7.0]) == [(10.0, [5.0, 1.0, (2.0,)]), (21.0, [7.0, 1.0, (3.0,)])]
    np = pytest.importorskip("numpy", reason="columns as arrays need NumPy")
    value, slopes = jit(lambda x: (x[0] * x[1], [x[1], x[0]]), backend)(np.ones((3, 2)))
    assert value.shape == (3,)
    assert slopes.shape == (3, 2)


@each_backend
def test_a_transformation_of_a_function_compiles(backend: Any) -> None:
    def f(x: Any) -> Any:
        return x[0] ** 3 * x[1]

    rows = [[2.0, 5.0], [1.0, -1.0]]
    expected = [ag.gradient(f)(row) for row in rows]
    assert jit(ag.gradient(f), backend)(rows) == expected
    both = jit(ag.value_and_gradient(f), backend)(rows)
    assert [value for value, _ in both] == [f(row) for row in rows]
    assert [slope for _, slope in both] == expected


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_compiled_function_says_that_it_cannot_be_copied(copied: Any) -> None:
    with pytest.raises(TypeError, match="cannot be copied or pickled"):
        copied(jit(abs, "python"))


@each_backend
def test_take_compiles(backend: Any) -> None:
    rows = [[ag.Value(10.0 * i + j) for j in range(3)] for i in range(5)]
    f = jit(lambda token: ag.sum(x * x for x in ag.take(rows, token)), backend)
    assert f([0, 3]) == [5.0, 2885.0]
    f.backward([3])
    assert [gradients(row) for row in rows] == [[0.0] * 3] * 3 + [[60.0, 62.0, 64.0], [0.0] * 3]
    assert all(map(math.isnan, f([5, -1, 0.5])))


@each_backend
def test_branches_not_taken_have_no_say(backend: Any) -> None:
    w = ag.Value(0.0)
    f = jit(lambda x: ag.where(w > 0.0, w.log() * x, w * x), backend)
    assert f.backward([3.0]) == 0.0
    assert gradients([w]) == [3.0]
    w.data = 2.0
    f.backward([3.0])
    assert gradients([w]) == [1.5]


def test_a_numpy_column_of_float64_is_not_copied() -> None:
    np = pytest.importorskip("numpy", reason="columns as arrays need NumPy")
    read_column = columns.read_column
    X = np.arange(6.0).reshape(3, 2)
    assert np.shares_memory(read_column(X, "X").numbers, X)


# --- arguments that are no columns ----------------------------------------------------------------


def rosenbrock(x: Any) -> Any:
    """Of an array, or of a list."""
    terms = [100.0 * (b - a**2) ** 2 + (1.0 - a) ** 2 for a, b in itertools.pairwise(x)]
    return ag.sum(terms)


@each_backend
def test_a_function_at_one_point_is_called_as_without_jit(backend: Any) -> None:
    np = pytest.importorskip("numpy", reason="arrays need NumPy")
    point = [1.3, 0.7, 0.8, 1.9]
    for f in (rosenbrock, ag.gradient(rosenbrock), ag.hessian(rosenbrock)):
        compiled = jit(f, backend, in_axes=None)
        expected: Any = f([ag.Value(x) for x in point])
        numbers = np.vectorize(lambda x: x.data)(np.array(expected, object)).tolist()
        assert compiled(point) == numbers
        of_array = compiled(np.array(point))
        assert np.asarray(of_array).tolist() == numbers
        assert type(of_array) is (float if f is rosenbrock else np.ndarray)
        assert compiled(point) == numbers
    assert jit(rosenbrock, backend, in_axes=None).mean(point) == rosenbrock(point)


@each_backend
def test_a_function_of_arrays_takes_an_array(backend: Any) -> None:
    """Its operations on whole arrays are recorded, and an array is what it may return."""
    np = pytest.importorskip("numpy", reason="arrays need NumPy")

    def f(x: Any, a: Any) -> Any:
        return (x[1:] * x[:-1]) @ a, x.T[::-1] + 1.0, np.exp(x[0])

    x, a = np.array([1.0, 2.0, 0.5]), np.array([[1.0, 3.0], [2.0, 4.0]])
    for found, expected in zip(jit(f, backend, in_axes=None)(x, a), f(x, a), strict=True):
        assert np.asarray(found) == pytest.approx(np.asarray(expected), rel=1e-15)
    with pytest.raises(TypeError, match="sequence"):
        jit(f, backend, in_axes=None)(x.tolist(), a)


@each_backend
def test_some_arguments_may_be_shared_by_all_examples(backend: Any) -> None:
    w, recordings = ag.Value(2.0, "w"), []

    def shared(x: Any, a: Any, s: Any) -> Any:
        recordings.append(x)
        return w * x * s + a[0] * ag.exp(a[1])

    f = jit(shared, backend, in_axes=[0, None, None])

    def expected(x: float, a: list[float], s: float) -> float:
        return 2.0 * x * s + a[0] * math.exp(a[1])

    for a, s in (([1.0, 2.0], 3.0), ([0.5, -1.0], 1)):
        xs = [0.25, 1.0, -3.0]
        assert f(xs, a, s) == [expected(x, a, s) for x in xs]
        assert f(xs, tuple(a), s) == f(xs, a, s)
        assert f.backward(xs, a, s) == f.mean(xs, a, s)
        assert gradients([w]) == [pytest.approx(sum(xs) * s / 3)]
    assert len(recordings) == 1
    assert "c0 = w0 · exp(w1)" in str(f.program)
    assert f.program.leaf_names == ["a[0]", "a[1]", "s", "w"]


def test_what_is_shared_is_computed_once_a_call() -> None:
    f = jit(lambda x, a: [x * ag.exp(a) + ag.log(x), ag.sin(a)], "python", in_axes=(0, None))
    assert f([1.0, 2.0], 0.0) == [[1.0, 0.0], [2.0 + math.log(2.0), 0.0]]
    once = list(groups(f.recorded([1.0, 2.0], 0.0).values.program.once))
    assert [getattr(group.expression, "primitive", "") for group in once] == ["exp", "sin"]


@each_backend
def test_unselected_branches_at_one_point(backend: Any) -> None:
    f = jit(ag.gradient(lambda x: ag.where(x > 0.0, ag.log(x), 3.0 * x)), backend, in_axes=None)
    assert [f(2.0), f(0.0), f(-1.0)] == [0.5, 3.0, 3.0]


def test_axes_are_checked() -> None:
    for axes in (1, "x", (0, 2), True, [None, False]):
        with pytest.raises(ValueError, match=r"^jit: in_axes must be 0 "):
            jit(lambda x: x, in_axes=axes)  # type: ignore[arg-type]
    f = jit(lambda x, y: x * y, "python", in_axes=(0, None))
    with pytest.raises(ValueError, match=r"^jit: got 1 arguments, but in_axes=\(0, None\) has 2"):
        f([1.0])
    for bad in ("three", None, [[1.0], [1.0, 2.0]], ag.Value(1.0)):
        with pytest.raises((TypeError, ValueError), match=r"^jit: argument 1"):
            f([1.0], bad)
    assert f([1.0, 2.0], 3) == [3.0, 6.0]


def test_a_compiled_method_has_the_axes() -> None:
    class Scale:
        factor = ag.Value(2.0)

        @jit(backend="python", in_axes=None)
        def scaled(self, x: Any) -> Any:
            return self.factor * x

    assert Scale().scaled(3.0) == 6.0


def test_a_check_of_a_compiled_function_at_one_point() -> None:
    assert ag.check_gradient(jit(lambda x, y: x * ag.exp(y), in_axes=None), [1.0, 2.0])


REFUSED_COLUMNS: list[tuple[tuple[Any, ...], type[Exception], str]] = [
    (([],), ValueError, "no examples"),
    (([1.0], [1.0, 2.0]), ValueError, r"\[1, 2\]"),
    (([[1.0, 2.0], [3.0]],), ValueError, "rows of 1 and rows of 2"),
    (([[1.0], 2.0],), ValueError, "rows of 1 and plain numbers"),
    (([[[1.0]], [1.0]],), ValueError, "ragged"),
    (("text",), TypeError, "'text'"),
    ((["a", "b"],), TypeError, "'a'"),
    (([1.0, None],), TypeError, "None"),
    (([1j],), TypeError, "complex"),
    ((3.0,), TypeError, r"3.0 of type float; of one example write f\(\[x\]\)"),
    ((ag.Value(3.0),), TypeError, r"of type Value; .* jit\(gradient\(f\)\)"),
    ((iter([1.0]),), TypeError, "iterator"),
    (([ag.Value(1.0)],), TypeError, "Value"),
    (({"a": 1.0},), TypeError, "dict"),
]


@pytest.mark.parametrize(("columns", "error", "message"), REFUSED_COLUMNS)
@pytest.mark.parametrize("method", ["__call__", "mean", "backward"])
def test_what_is_no_column_is_refused(
    columns: tuple[Any, ...], error: type[Exception], message: str, method: str
) -> None:
    f = jit(lambda *xs: 1.0, "python")
    with pytest.raises(error, match=message):
        getattr(f, method)(*columns)


def test_what_is_no_column_of_numpy_is_refused() -> None:
    np = pytest.importorskip("numpy", reason="columns as arrays need NumPy")
    f = jit(lambda x: 1.0, "python")
    for column, error in [
        (np.array(["a"]), TypeError),
        (np.array([1j]), TypeError),
        (np.array([None]), TypeError),
        (np.array(1.0), ValueError),
        (np.zeros((0, 2)), ValueError),
    ]:
        with pytest.raises(error, match="jit: column 0"):
            f(column)


# --- rows that users made -------------------------------------------------------------------------


def made(name: str, value: Any, *partials: Any) -> ag.Primitive:
    return ag.Primitive(name, name, value, *partials)


@each_backend
def test_a_value_in_the_operations_of_the_table_compiles_like_them(backend: Any) -> None:
    swish = made(
        "swish_here",
        "x / (1.0 + exp(-x))",
        lambda z, x: z + primitives.sigmoid(x) * (1.0 - z),
    )
    w = ag.Value(3.0)
    f = ag.jit(lambda x: swish(x) * w, backend)
    points = [-800.0, -2.0, -0.0, 0.5, 30.0, math.inf, math.nan]
    found = f(points)
    assert [x.hex() for x in found] == [(swish(x) * 3.0).hex() for x in points]
    assert f.backward([0.5]) == found[3]
    assert w.grad == swish(0.5)
    for text in (f.source, f.c, f.javascript):
        assert "exp(" in text
        assert "swish" not in text


TAKEN = [
    "k",
    "w",
    "x",
    "y",
    "mean",
    "Σ",
    "Σ·",
    "+",
    "program",
    "count",
    "examples",
    "total",
    "range",
]


@pytest.mark.slow
@each_backend
@pytest.mark.parametrize("name", [*TAKEN, "i", "lambda", "my row", 'a."b', "libm.exp", "é"])
def test_a_row_may_have_any_name(backend: Any, name: str) -> None:
    row = made(name, lambda x: 3.0 * x, lambda z, x: 3.0)
    w = ag.Value(2.0)
    f = jit(lambda x: ag.sum([row(x) * w, row(w), x, w, x * w, w + 1.0]), backend)
    assert f([1.0, 2.0]) == [6.0 + 6.0 + 1.0 + 2.0 + 2.0 + 3.0, 12.0 + 6.0 + 2.0 + 2.0 + 4.0 + 3.0]
    f.backward([1.0, 2.0])
    assert w.grad == 4.5 + 3.0 + 1.0 + 1.5 + 1.0


@pytest.mark.parametrize("name", ["x", "count", "my row", "é", "total1"])
def test_c_says_what_it_cannot_call(name: str) -> None:
    row = made(name, lambda x: 3.0 * x, lambda z, x: 3.0)
    f = jit(row, "python")
    f([1.0])
    with pytest.raises(ValueError, match=f"^c: no function of your own can be called '{name}'"):
        c.source(f.program)


@each_backend
def test_a_row_that_is_made_anew_is_another(backend: Any) -> None:
    def results(factor: float) -> Any:
        row = made("anew", lambda x: factor * x, lambda z, x: factor)
        found = jit(row, backend)([1.0])
        del TABLE["anew"]
        return found

    assert [results(factor) for factor in (2.0, 3.0)] == [[2.0], [3.0]]


@pytest.mark.slow
@each_backend
def test_a_row_of_thousands_of_numbers(backend: Any) -> None:
    xs = [ag.Value(3.0), *[ag.Value(0.0) for _ in range(2000)], ag.Value(4.0)]
    f = jit(lambda x: ag.hypot(*xs) * x, backend)
    assert f([1.0]) == [5.0]
    assert f([1.0] * 40) == [5.0] * 40


@each_backend
def test_what_stops_a_row_stops_the_call(backend: Any) -> None:
    def stopped(x: float) -> float:
        raise KeyboardInterrupt

    row = made("stopped", stopped, lambda z, x: 0.0)
    with pytest.raises(KeyboardInterrupt):
        jit(lambda x: row(x) + 1.0, backend)([1.0])


# --- what cannot be compiled ----------------------------------------------------------------------

p, q = ag.Value(1.0, "p"), ag.Value(2.0, "q")

UNCOMPILABLE: dict[str, Callable[[Any], Any]] = {
    "if": lambda x: x if x > 0.0 else -x,
    "if on a parameter and an input": lambda x: x if p < x else -x,
    "if on parameters": lambda x: x if p < q else -x,
    "and": lambda x: x > 0.0 and x,
    "not": lambda x: not x < 0.0,
    "max": lambda x: max(x, 0.0),
    "sorted": lambda x: sorted([x, p])[0],
    "data": lambda x: x * x.data,
    "data of an inner node": lambda x: x * (x + p).data,
    "data of a node of parameters": lambda x: x * (p * q).data,
    "float": lambda x: x * float(x),
    "int": lambda x: x * int(x),
    "bool": lambda x: x if x else -x,
    "math": math.exp,
    "equal to a number": lambda x: x if x == 1.0 else -x,
    "not equal": lambda x: x if x != 1.0 else -x,
    "among numbers": lambda x: x if x in (0, True) else -x,
    "an index": lambda x: [p, q][x],
    "set data": lambda x: setattr(x, "data", 1.0),
    "backward": lambda x: (x * x).backward(),
}


@pytest.mark.parametrize("name", UNCOMPILABLE)
def test_what_needs_a_number_cannot_be_compiled(name: str) -> None:
    with pytest.raises(TypeError, match=r"cannot be compiled.*maximum, relu or where"):
        jit(UNCOMPILABLE[name], "python")([1.0])
    assert p < q  # outside of a recording a branch is a branch


def test_it_is_said_what_to_write_instead() -> None:
    with pytest.raises(TypeError, match=r"ag\.exp\(x\) for math\.exp\(x\)$"):
        jit(math.exp, "python")([1.0])
    with pytest.raises(TypeError, match=r"take\(rows, x\) for rows\[x\]$"):
        jit(lambda x: [p, q][x], "python")([1.0])


def test_what_equals_no_number_is_told_apart_all_the_same() -> None:
    def chosen(x: Any, y: Any) -> Any:
        assert x != y
        assert x != "x"
        assert x is not None
        return {x: 2.0, y: 3.0}[x] * [x, y][[x, y].index(y)]

    assert jit(chosen, "python")([1.0], [5.0]) == [10.0]


@each_backend
def test_branches_that_are_recorded_compile(backend: Any) -> None:
    f = jit(lambda x: ag.where(x > p, ag.where(p < q, x, 0.0), ag.maximum(x, -1.0)), backend)
    assert f([3.0, 0.5, -7.0]) == [3.0, 0.5, -1.0]
    assert jit(lambda x: ag.where(True, x, p), backend)([3.0]) == [3.0]


def test_other_refusals() -> None:
    kept: list[Any] = []

    def keeps(x: Any) -> Any:
        kept.append(x)
        return kept[0] * 1.0

    f = jit(keeps, "python")
    f([1.0])
    with pytest.raises(RuntimeError, match="another recording"):
        f([[1.0]])
    with pytest.raises(TypeError, match="returned None"):
        jit(lambda x: None, "python")([1.0])
    with pytest.raises(TypeError, match="returned"):
        jit(lambda x: [[x, "a"]], "python")([1.0])
    with pytest.raises(TypeError, match="returns a list"):
        jit(lambda x: [x], "python").backward([1.0])
    with pytest.raises(TypeError, match="expected a function"):
        jit(3.0)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="'fortran'"):
        jit(abs, "fortran")  # type: ignore[call-overload]
    with pytest.raises(RuntimeError, match="no_grad"):
        jit(_inside_no_grad, "python")([1.0])
    with pytest.raises(RuntimeError, match="first call"):
        _ = jit(abs, "python").program
    with pytest.raises(TypeError, match=r"mul.*'a'"):
        jit(lambda x: x * "a", "python")([1.0])
    with pytest.raises(TypeError, match=r"max.*'a'"):
        jit(lambda x: ag.maximum(x, "a"), "python")([1.0])  # type: ignore[call-overload]


def _inside_no_grad(x: Any) -> Any:
    with ag.no_grad():
        return x * p


def test_a_refused_function_may_be_tried_again() -> None:
    strict = True

    @jit(backend="python")
    def f(x: Any) -> Any:
        return float(x) if strict else x * p

    with pytest.raises(TypeError):
        f([1.0])
    strict = False
    assert f([5.0]) == [5.0]
    assert p * 2.0 > q - 1.0  # and this thread records as ever


def test_llvm_without_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert jit(abs).backend == "python"
    with pytest.raises(ImportError, match="scalar-autograd"):
        jit(abs, "llvm")


# --- what can be seen of it -----------------------------------------------------------------------

SHOWN = """\
w0 = leaf  # w
w1 = leaf  # limit
x0 = input  # x
x1 = input  # y
once a call:
  c0 = 0.5 · (w0 · w0)
  c1 = 0.5 · w0 + 0.5 · w0
for each example:
  v0 = w0 · x0  # prediction
  v1 = v0 < w1
means over the examples:
  m0 = v0 if v1 else x1
  m1 = x0 · (1.0 if v1 else 0.0)
then:
  for i in 2: y0[i] = m0[i] + c0[i]
return y0 … y1"""


def test_the_program_is_printed() -> None:
    w, limit = ag.Value(2.0, "w"), ag.Value(9.0, "limit")

    def f(x: Any, y: Any) -> Any:
        prediction = w * x
        prediction.label = "prediction"
        return ag.where(prediction < limit, prediction, y) + 0.5 * (w * w)

    compiled = jit(f, "python")
    compiled([1.0, 2.0], [0.0, 0.0])
    assert str(compiled.program) == SHOWN


@each_backend
def test_source_is_python_and_runs(backend: Any) -> None:
    w = ag.Value(2.0, "w")
    f = jit(lambda x: (w * x).exp(), backend)
    f([1.0])
    namespace: dict[str, Any] = dict(python.NAMESPACE)
    exec(f.source, namespace)
    assert namespace["program"]([2.0], 1, [(1.0,)]) == [math.exp(2.0), math.exp(2.0)]


def test_a_debugger_can_show_the_source() -> None:
    run = python.compile_program
    f = jit(lambda x: x * 3.0, "python")
    f([1.0])
    function = run(f.program)
    generated = inspect.getclosurevars(function).nonlocals["function"]
    assert inspect.getsource(generated) == f.source


@needs_llvm
def test_the_ir_can_be_read() -> None:
    f = jit(lambda x: x * 3.0, "python")
    f([1.0])
    assert "fmul" in f.llvm


HOSTILE = [
    "\nimport os; os._exit(3)",
    "a\r\n    v0 = 0.0",
    '""" + quotes \' """',
    "\x00\x0c\u2028\u2029\x85nel",
    "*/ --> ; } { %0 = ",
    "\\",
    "λ → ∞",
    "# -*- coding: rot13 -*-",
    "\ud800",
]


class Text(str):
    """A label whose representation is code."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'a'\n    v0 = 0.0"


HOSTILE.append(Text("a"))


@each_backend
@pytest.mark.parametrize("label", HOSTILE, ids=range(len(HOSTILE)))
def test_no_label_changes_a_program(backend: Any, label: str) -> None:
    w = ag.Value(2.0, label)

    def f(x: Any) -> Any:
        x.label = label
        y = w * x
        y.label = label
        z = y + w * w
        z.label = label
        return z

    compiled = jit(f, backend)
    assert compiled.backward([3.0]) == 10.0
    assert len(str(compiled.program).splitlines()) == 1 + str(compiled.program).count("\n")
    assert compiled.source.isascii()
    lines = [line.split("#")[0].split() for line in compiled.source.splitlines()]
    w.label = ""
    plain = jit(lambda x: w * x + w * w, backend)
    plain([3.0])
    code = [line.split("#")[0].split() for line in plain.source.splitlines()]
    assert [line for line in lines if line] == [line for line in code if line]


@each_backend
def test_a_label_may_be_anything_that_has_a_name(backend: Any) -> None:
    leaves = [ag.Value(2.0), ag.Value(3.0), ag.Value(4.0)]
    labels: list[Any] = [5, None, ("a", 1)]
    for leaf, label in zip(leaves, labels, strict=True):
        leaf.label = label
    f = jit(lambda x: ag.dot(leaves, [x, x, x]), backend)
    assert f.backward([1.0]) == 9.0
    for text in (str(f.program), f.source, f.c, f.javascript):
        assert all(str(label) in text for label in (5, ("a", 1)))


def test_it_is_a_decorator_and_keeps_the_name() -> None:
    @jit(backend="python")
    def f(x: Any) -> Any:
        """Twice x."""
        return x * 2.0

    assert (f.__name__, f.__doc__) == ("f", "Twice x.")
    assert "f at" in repr(f)
    assert ag.jit is jit


@each_backend
def test_a_model_predicts(backend: Any) -> None:
    model = ag.MLP(2, [3, 2], seed=0)
    rows = [[0.5, -1.0], [2.0, 1.0]]
    expected = [[output.data for output in model(row)] for row in rows]
    assert jit(model, backend)(rows) == expected


@pytest.mark.slow
def test_importing_the_compiler_loads_neither_llvmlite_nor_numpy() -> None:
    code = "import sys, autograd.compiler.jit; print({'llvmlite', 'numpy'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


# --- the rest of the contract ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["llvm", "c", "javascript"])
def test_every_primitive_has_a_spelling_in_every_back_end(name: str) -> None:
    written_otherwise = {"sum", "dot", "stop_gradient"}  # groups write sums; the last vanishes
    composite = {row.name for row in TABLE.values() if row.definition is not None}
    assert HOUSE - written_otherwise - composite <= set(BACKENDS[name].spelling)
    assert not composite & set(BACKENDS[name].spelling), "its value is stated in the table"


@each_backend
def test_threads_map_one_function_at_once(backend: Any) -> None:
    model = ag.MLP(2, [8, 1], activation="tanh", seed=0)
    f = jit(model, backend)
    columns = [[[math.sin(i * j), math.cos(i + j)] for i in range(50)] for j in range(8)]
    expected = [jit(model, "python")(column) for column in columns]
    found: dict[int, list[Any]] = {}
    start = threading.Barrier(8)

    def work(j: int) -> None:
        start.wait()
        found[j] = [f(columns[j]) for _ in range(20)]

    threads = [threading.Thread(target=work, args=(j,)) for j in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {j: [expected[j]] * 20 for j in range(8)}


@each_backend
def test_a_deep_and_a_wide_graph_compile(backend: Any) -> None:
    def deep(x: Any) -> Any:
        y = x
        for _ in range(3000):
            y = y * 0.999 + 0.001
        return y

    f = jit(deep, backend)
    assert f([1.0, 0.5]) == [deep(1.0), deep(0.5)]
    w = [ag.Value(1.0 / (i + 1)) for i in range(2000)]
    wide = jit(lambda x: ag.sum(v * x for v in w), backend)
    wide.backward([2.0])
    assert all(v.grad == 2.0 for v in w)


@each_backend
@pytest.mark.parametrize("n", [1, 3, 4])
def test_products_of_different_length_have_gradients_of_their_own(n: int, backend: Any) -> None:
    # Of the first layer, 2·n operands depend on a weight and 2·n do not, of the second all 2·n do.
    model = ag.MLP(2 * n, [n, 1], "tanh", seed=0)
    X = [[math.sin(3.0 * i + j) for j in range(2 * n)] for i in range(3)]
    jit(lambda x: model(x) ** 2, backend).backward(X)
    found = [p.grad for p in model.parameters()]
    model.zero_grad()
    ag.mean([model(x) ** 2 for x in X]).backward()
    assert found == pytest.approx([p.grad for p in model.parameters()], rel=1e-12)


@each_backend
def test_a_gradient_left_to_the_compiler_is_that_of_the_graph(backend: Any) -> None:
    w = ag.Value(1.5, "w")

    def f(x: Any, p: Any) -> Any:
        inner = ag.gradient(lambda t: (w * t * t).tanh() * p[1])(x)  # is recorded as graph
        return ag.where(x > p[0], inner * p[1].log() + w, ag.dot([x, *p], [x, *p])) - p[0] / 3.0

    @functools.wraps(ag.gradient(f))
    def scaled(x: Any, p: Any) -> Any:
        slope, slopes = ag.gradient(f)(x, p)
        return slope * 2.0, [2.0 * y for y in slopes]

    for x, p in (0.3, [0.1, 2.0]), (0.3, [0.7, -2.0]), (-1.0, [-2.0, 0.5]):
        with ag.no_grad():
            both = ag.value_and_gradient(f)(x, p)
        expected = both[1]
        assert jit(ag.gradient(f), backend)([x], [p]) == [expected]
        assert jit(ag.gradient(f), backend, in_axes=None)(x, p) == expected
        assert jit(ag.value_and_gradient(f), backend)([x], [p]) == [both]
        assert jit(ag.gradient(f, 1), backend)([x], [p]) == [expected[1]]
        twice = 2.0 * expected[0], [2.0 * y for y in expected[1]]
        assert jit(scaled, backend)([x], [p]) == [twice]


@each_backend
def test_a_gradient_with_respect_to_nothing_leaves_those_in_the_function_alone(
    backend: Any,
) -> None:
    def f(xs: Any, a: Any) -> Any:
        return ag.gradient(lambda t: t * t * a)(3.0) + ag.sum(xs)

    each: list[Any] = [0, []]
    for argnums in each:
        compiled = jit(ag.value_and_gradient(f, argnums), backend, in_axes=None)
        assert compiled([], 2.0) == ag.value_and_gradient(f, argnums)([], 2.0)


@each_backend
def test_backward_of_a_compiled_gradient_is_a_second_derivative(backend: Any) -> None:
    w = ag.Value(1.5, "w")
    slope = jit(ag.gradient(lambda x: (w * x * x).sin() + w), backend)
    expected = ag.gradient(lambda x: (w * x * x).sin() + w)(0.3)
    expected.backward()
    second, w.grad = w.grad, None
    assert slope([0.3]) == [expected.data]
    assert slope.backward([0.3]) == expected.data
    assert w.grad == second
    assert [leaf.label for leaf in slope.program.leaves] == ["w"]
    assert jit(ag.gradient(lambda x: 3.0), backend)([1.0]) == [0.0]
    assert jit(ag.gradient(lambda x: x), backend)([1.0]) == [1.0]


@each_backend
def test_a_function_that_returns_no_numbers(backend: Any) -> None:
    assert jit(lambda: ([], []), backend)() == ([], [])
    assert jit(ag.gradient(ag.sum), backend, in_axes=None)([]) == []
    assert jit(lambda x: ([], x), backend)([1.0, 2.0]) == [([], 1.0), ([], 2.0)]


@each_backend
def test_means_of_a_compiled_gradient_and_the_gradient_of_the_first_of_them(backend: Any) -> None:
    w = ag.Value(1.5, "w")

    def f(x: Any, y: Any) -> Any:
        return (w * x).sin() * y

    slopes = jit(ag.gradient(f), backend)
    both = jit(ag.value_and_gradient(f), backend)
    expected = ag.gradient(f)(0.3, 2.0)
    expected[0].backward()
    second, w.grad = w.grad, None
    assert slopes.backward_of_first([0.3], [2.0]) == [slope.data for slope in expected]
    assert w.grad == second
    w.grad = None
    f(ag.Value(0.3), 2.0).backward()
    first, w.grad = w.grad, None
    means = both.backward_of_first([0.3], [2.0])
    assert means == [f(0.3, 2.0).data, *[slope.data for slope in expected]]
    assert w.grad == first


def test_a_call_does_not_wait_while_another_is_recorded() -> None:
    started, may_end = threading.Event(), threading.Event()

    def f(xs: Any) -> Any:
        if len(xs) == 3:
            started.set()
            assert may_end.wait(60)
        return ag.sum(xs)

    compiled = jit(f, "python")
    assert compiled([[1.0]]) + compiled([[1.0, 2.0]]) == [1.0, 3.0]
    found: list[float] = []
    slow = threading.Thread(target=lambda: compiled([[1.0, 2.0, 3.0]]))
    quick = threading.Thread(target=lambda: found.extend(compiled([[1.0]]) + compiled([[1, 2]])))
    slow.start()
    assert started.wait(60)
    quick.start()
    quick.join(20)
    is_waiting = quick.is_alive()
    may_end.set()
    slow.join()
    quick.join()
    assert not is_waiting
    assert found == [1.0, 3.0]


def test_a_call_that_is_interrupted_anywhere_loses_no_recording() -> None:
    n_recorded, left, k, interrupted = 0, 0, 0, True

    def f(x: Any) -> Any:
        nonlocal n_recorded
        n_recorded += 1
        return 2.0 * x

    def interrupt(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    compiled = jit(f, "python")
    compiled([1.0])
    while interrupted:
        k, interrupted, left = k + 1, False, k
        try:
            sys.setprofile(interrupt)
            compiled([1.0])
            sys.setprofile(None)
        except KeyboardInterrupt:
            interrupted = True
        assert compiled([3.0]) == [6.0]
        assert n_recorded == 1
    assert k > 10


def test_a_recording_is_freed_with_the_function() -> None:
    """By reference counting alone; what stays for the next equal program holds no Value."""
    gc.collect()
    gc.disable()
    try:
        w = ag.Value(2.0, "w")
        f = jit(lambda x, w=w: x * w * w, "python")
        f([1.0])
        f.backward([1.0])
        assert f.program.leaves == (w,)
        leaf = weakref.ref(w)
        del f, w
        assert leaf() is None
    finally:
        gc.enable()


def test_a_compiled_method_keeps_no_object_alive() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = ag.Value(2.0)

        @ag.jit
        def error(self, x: Any) -> Any:
            return ag.where(x > 0.0, ag.sqrt(x), self.w * x)

    model = Model()
    assert model.error([1.0, 4.0]) == [1.0, 2.0]
    assert model.error.backward([-1.0, 4.0]) == 0.0
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


def test_constants_that_a_derivative_produces_are_no_leaves() -> None:
    """They would be read at every call."""
    w = ag.Value(2.0)

    def residuals(p: Any) -> Any:
        return [p[0] + p[1] * t + w for t in (1.0, 2.0, 3.0)]

    for f in (ag.jacobian(residuals), ag.hessian(lambda p: p[0] ** 2 * p[1] + 3.0 * p[0])):
        compiled = ag.jit(f, "python")
        assert compiled([[0.5, 0.25]]) == [f([0.5, 0.25])]
        assert compiled.program.leaves == ()
    slopes = ag.jit(ag.gradient(lambda p: 3.0 * p[0] + w * p[1]), "python")
    assert slopes([[0.5, 0.25]]) == [[3.0, 2.0]]
    assert slopes.program.leaves == (w,)
    tangents = ag.jit(lambda p: ag.jvp(residuals)(p, [1.0, 0.0]), "python")
    assert tangents([[0.5, 0.25]]) == [[1.0, 1.0, 1.0]]
    assert tangents.program.leaves == ()
