"""`root`: solutions of equations, and their derivatives in every order, eager and compiled."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.compiler.jit import BACKENDS as BACKENDS_OF_JIT

BACKENDS = ["python", "llvm", "jax"]


def kepler(E: Any, e: Any, M: Any) -> Any:
    """Kepler's equation, of the eccentric anomaly E."""
    return E - e * ag.sin(E) - M


def anomaly(e: Any, M: Any) -> Any:
    return ag.root(kepler, M, e, M)


def circle(v: Any, p: Any) -> Any:
    """A circle and a line through its center, which meet at y = √(p₀ / (1 + p₁²)), x = p₁·y."""
    return [v[0] ** 2 + v[1] ** 2 - p[0], v[0] - v[1] * p[1]]


def crossing(p: Any) -> Any:
    v = ag.root(circle, [1.0, 1.0], p)
    return ag.exp(v[0]) * v[1]


def crossing_by_formula(p: Any) -> Any:
    y = ag.sqrt(p[0] / (1.0 + p[1] * p[1]))
    return ag.exp(y * p[1]) * y


# --- solutions ------------------------------------------------------------------------------------


def test_floats_give_floats() -> None:
    x = ag.root(lambda x: x * x - 2.0, 1)
    assert type(x) is float
    assert x == math.sqrt(2.0)
    assert ag.root(lambda x, a: x * x - a, 1.0, 2.0) == math.sqrt(2.0)


@pytest.mark.parametrize("x0", [[1.0, 2.0], (1.0, 2.0), {"a": 1.0, "b": 2.0}])
def test_the_result_has_the_structure_of_the_start(x0: Any) -> None:
    def f(v: Any) -> Any:
        a, b = v.values() if isinstance(v, dict) else v
        return [a + b - 3.0, (a - 1.0) * 2.0 - b + 2.5]

    found = ag.root(f, x0)
    assert type(found) is type(x0)
    numbers = list(found.values() if isinstance(found, dict) else found)
    assert numbers == pytest.approx([2.5 / 3.0, 6.5 / 3.0], rel=1e-15)


def test_arrays_give_arrays() -> None:
    target = np.array([[1.0, 4.0], [9.0, 16.0]])
    found = ag.root(lambda x: x * x - target, np.ones((2, 2)))
    assert found.dtype == float
    np.testing.assert_array_equal(found, np.sqrt(target))
    values = ag.root(lambda x, t: x * x - t, np.ones(2), np.array([Value(4.0), Value(9.0)]))
    assert values.dtype == object
    assert [x.data for x in values] == [2.0, 3.0]


@given(st.floats(0.0, 0.99), st.floats(-10.0, 10.0))
def test_keplers_equation_is_solved_to_the_last_digits(e: float, M: float) -> None:
    E = anomaly(e, M)
    scale = abs(E) + abs(e * math.sin(E)) + abs(M)
    assert abs(E - e * math.sin(E) - M) <= 2.3e-16 * scale + 1e-300


@pytest.mark.parametrize("scale", [1e-100, 1e-12, 1.0, 1e12, 1e100])
@pytest.mark.parametrize("weight", [1e-150, 1.0, 1e150])
def test_the_scale_of_unknowns_and_equations_does_not_matter(scale: float, weight: float) -> None:
    def f(v: Any) -> Any:
        a, b = v[0] / scale, v[1] / scale
        return [(a * a + b * b - 5.0) * weight, (a * b - 2.0) / weight]

    found = ag.root(f, [0.5 * scale, 3.0 * scale])
    assert found == pytest.approx([scale, 2.0 * scale], rel=1e-14, abs=0.0)


def test_a_solution_of_zero_is_found_up_to_rounding() -> None:
    assert abs(ag.root(lambda x: x + 0.1 + 0.2 - 0.3, 1.0)) < 2e-16
    assert ag.root(ag.sin, 0.5) == 0.0


def test_the_line_search_tames_newtons_method() -> None:
    # full steps diverge from |x| > 1.39
    assert ag.root(ag.atan, 20.0) == pytest.approx(0.0, abs=1e-300)
    powell = ag.root(
        lambda v: [1e4 * v[0] * v[1] - 1.0, ag.exp(-v[0]) + ag.exp(-v[1]) - 1.0001], [0.0, 1.0]
    )
    # Powell's badly scaled function (Moré, Garbow, Hillstrom, ACM TOMS 7(1), 1981, problem 3)
    assert powell == pytest.approx([1.09815933e-5, 9.10614674], rel=1e-8)


def test_a_double_root_has_no_derivative() -> None:
    assert ag.root(lambda x: (x - 1.0) ** 2, 3.0) == pytest.approx(1.0, rel=1e-14)
    a = Value(1.0)
    x = ag.root(lambda x: (x - a) ** 2, 1.0)
    x.backward()
    assert math.isnan(a.grad)


def test_branches_in_python_and_where() -> None:
    def f(x: Any, a: Any) -> Any:
        return x * x - a if x > 1.0 else x - a

    assert ag.gradient(lambda a: ag.root(f, 3.0, a))(9.0) == pytest.approx(1.0 / 6.0)
    g = lambda x, a: ag.where(x > 0.0, x - a, ag.sqrt(x))  # noqa: E731 - nan's derivative unselected
    h = lambda a: ag.root(g, 3.0, a)  # noqa: E731
    assert ag.gradient(ag.gradient(lambda a: h(a) ** 2))(1.5) == pytest.approx(2.0)
    assert ag.jit(ag.gradient(h), backend="python")([1.5]) == [1.0]


# --- derivatives ----------------------------------------------------------------------------------


def test_an_unselected_branch_that_is_nan_does_not_count_as_rounding_error() -> None:
    def solution(p: Any) -> Any:
        return ag.root(lambda x, p: ag.where(x > 0.0, x * x, ag.sqrt(x - 10.0)) - p, 1.0, p)

    assert solution(4.0) == 2.0
    assert ag.jit(ag.hessian(solution), "python")([4.0]) == [ag.hessian(solution)(4.0)] == [-1 / 32]


def test_what_an_equation_only_compares_does_not_count_as_its_rounding_error() -> None:
    def equations(x: Any) -> Any:
        z = x[0] * x[1]  # its slope in the first equation is large, in the second there is none
        return [1e18 * (z - 2.0), ag.where(z > 0.0, x[0] ** 3 - 27.0, x[0])]

    assert ag.root(equations, [2.0, 1.0]) == pytest.approx([3.0, 2.0 / 3.0], rel=1e-15)


def test_the_derivatives_of_any_order() -> None:
    f = lambda a: ag.root(lambda x, a: x**3 - a, 1.0, a)  # noqa: E731
    expected, power = 1.0, 1.0 / 3.0
    for _ in range(5):
        assert f(2.0) == pytest.approx(expected * 2.0**power, rel=1e-13)
        f, expected, power = ag.gradient(f), expected * power, power - 1.0


@pytest.mark.parametrize(
    "transform",
    [ag.gradient, ag.hessian, lambda f: ag.jacobian(ag.hessian(f))],
    ids=["first", "second", "third"],
)
def test_the_derivatives_of_a_system(transform: Any) -> None:
    point = [2.0, 1.3]
    found, expected = transform(crossing)(point), transform(crossing_by_formula)(point)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_forward_mode_and_products_with_the_hessian() -> None:
    point, v = [2.0, 1.3], [0.5, -2.0]
    for transform in (ag.jvp, ag.hessian_vector_product):
        found, expected = transform(crossing)(point, v), transform(crossing_by_formula)(point, v)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_values_that_f_closes_over_count() -> None:
    w = Value(2.0)
    a = w * w  # an inner node, and what it is computed from
    x = ag.root(lambda x: x * x - a * w, 1.0)  # x² = w³
    assert isinstance(x, Value)
    (slope,) = ag.grad(x, [w])
    (second,) = ag.grad(slope, [w])
    assert slope.data == pytest.approx(1.5 * 2.0**0.5, rel=1e-15)
    assert second.data == pytest.approx(0.75 * 2.0**-0.5, rel=1e-14)
    outer = ag.gradient(lambda s: ag.gradient(lambda t: ag.root(lambda x: x * x - t * s, 1.0))(2.0))
    assert outer(3.0) == pytest.approx(0.25 / math.sqrt(6.0), rel=1e-14)  # of √s / (2·√t)


def test_the_start_has_no_derivative() -> None:
    start = Value(1.0)
    x = ag.root(lambda x: x * x - 2.0, start)
    assert type(x) is float
    assert ag.gradient(lambda s: ag.root(lambda x: x * x - 2.0, s))(1.0) == 0.0
    values = ag.root(lambda x, a: x * x - a, start, Value(2.0))
    values.backward()
    assert start.grad is None


def test_a_solution_within_the_equations_of_another() -> None:
    def f(x: Any, a: Any) -> Any:
        return x * ag.root(lambda y, x: y * y - x, 1.0, x) - a  # x^1.5 = a

    found = ag.gradient(ag.gradient(lambda a: ag.root(f, 1.0, a)))(2.0)
    assert found == pytest.approx(-2.0 / 9.0 * 2.0 ** (-4.0 / 3.0), rel=1e-12)


def test_no_grad() -> None:
    a = Value(2.0)
    with ag.no_grad():
        leaf = ag.root(lambda x, a: x * x - a, 1.0, a)
        number = ag.root(lambda x: x * x - a, 1.0)
    assert leaf.args == ()
    assert leaf.data == number == math.sqrt(2.0)
    assert type(number) is float


def test_a_pivot_of_zero_is_exchanged() -> None:
    def f(v: Any, p: Any) -> Any:  # ∂f₀/∂v₀ = 0
        return [v[1] * v[2] - p[0], v[0] * v[2] - p[1], v[0] * v[1] - p[2]]

    def g(p: Any) -> Any:
        v = ag.root(f, [1.0, 1.5, 2.0], p)
        return v[0] + 2.0 * v[1] * v[2]

    def by_formula(p: Any) -> Any:
        return ag.sqrt(p[1] * p[2] / p[0]) + 2.0 * p[0]

    point = [6.0, 3.0, 2.0]
    for transform in (ag.gradient, ag.hessian):
        found, expected = transform(g)(point), transform(by_formula)(point)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
        compiled = ag.jit(transform(g), backend="python")([point])[0]
        np.testing.assert_allclose(compiled, expected, rtol=1e-12, atol=1e-14)


def test_a_chain_of_twenty_unknowns() -> None:
    n = 20

    def f(v: Any, p: Any) -> Any:
        ends = [p[0], *v, p[1]]
        return [ends[i] - 2.0 * ends[i + 1] + ends[i + 2] - ends[i + 1] ** 3 for i in range(n)]

    def g(p: Any) -> Any:
        return ag.root(f, [0.0] * n, p)[n // 2]

    h = 1e-5
    slopes = ag.gradient(g)([1.0, 0.5])
    difference = [(g([1.0 + h, 0.5]) - g([1.0 - h, 0.5])) / (2.0 * h)]
    difference += [(g([1.0, 0.5 + h]) - g([1.0, 0.5 - h])) / (2.0 * h)]
    assert slopes == pytest.approx(difference, rel=1e-8)


# --- compiled -------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("transform", [lambda f: f, ag.gradient, ag.hessian])
def test_compiled_it_has_the_numbers_of_eager_code(backend: Any, transform: Any) -> None:
    pytest.importorskip("jax" if backend == "jax" else "llvmlite")
    f = transform(anomaly)
    found = ag.jit(f, backend=backend)([0.3, 0.9], [1.1, 2.0])
    for row, expected in zip(found, [f(0.3, 1.1), f(0.9, 2.0)], strict=True):
        np.testing.assert_allclose(row, expected, rtol=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_compiled_system(backend: Any) -> None:
    pytest.importorskip("jax" if backend == "jax" else "llvmlite")
    points = [[2.0, 1.3], [3.0, -0.4]]
    found = ag.jit(ag.hessian(crossing), backend=backend)(points)
    for row, point in zip(found, points, strict=True):
        np.testing.assert_allclose(row, ag.hessian(crossing_by_formula)(point), rtol=1e-11)


@pytest.mark.parametrize(
    "transform", [ag.gradient, ag.hessian, lambda f: lambda t: ag.jvp(f)(t, 1.0)]
)
def test_a_system_is_differentiated_at_a_number_inside_a_compiled_function(transform: Any) -> None:
    def slope(b: Any) -> Any:  # the Jacobian consists of Values that differ by no example
        def f(t: Any) -> Any:
            x, y = ag.root(lambda v: [t * v[0] + 0.2 * v[1] - b, v[1] - t * v[0] + t], [0.1, 0.2])
            return x * y

        return transform(f)(0.7)

    points = [0.5, -0.3]
    assert ag.jit(slope, backend="python")(points) == pytest.approx([slope(b) for b in points])


def test_compiled_it_reads_leaves_afresh() -> None:
    w = Value(2.0)
    compiled = ag.jit(lambda x: x * ag.root(lambda y: y * y - w, 1.0))
    assert compiled([3.0]) == [3.0 * math.sqrt(2.0)]
    compiled.backward([3.0])
    assert w.grad == pytest.approx(1.5 / math.sqrt(2.0), rel=1e-15)
    w.data = 9.0
    assert compiled([3.0]) == [9.0]
    constant = ag.jit(lambda x: x * ag.root(lambda y: y * y - 2.0, 1.0))
    assert constant([3.0]) == [3.0 * math.sqrt(2.0)]


def test_compiled_it_starts_where_each_example_says() -> None:
    compiled = ag.jit(lambda start: ag.root(lambda x: x * x - 4.0, start))
    assert compiled([1.0, -1.0]) == [2.0, -2.0]
    assert ag.jit(ag.gradient(lambda s: ag.root(lambda x: x * x - 4.0, s)))([1.0]) == [0.0]


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_compiled_it_raises_too(backend: Any) -> None:
    pytest.importorskip("llvmlite")
    compiled = ag.jit(lambda a: ag.root(lambda x, a: x * x + a, 1.0, a), backend=backend)
    assert compiled([-4.0]) == [2.0]
    with pytest.raises(ag.ConvergenceError, match="residual"):
        compiled([-4.0, 4.0])


def test_what_cannot_call_back_is_refused_by_name() -> None:
    compiled = ag.jit(anomaly, backend="python")
    compiled([0.3], [1.1])
    with pytest.raises(ValueError, match=r"c: 'root \d+.0' is computed by Python"):
        compiled.c  # noqa: B018
    with pytest.raises(ValueError, match=r"javascript: the primitive 'root \d+.0'"):
        compiled.javascript  # noqa: B018


def test_a_branch_in_python_is_refused_when_compiled() -> None:
    compiled = ag.jit(lambda a: ag.root(lambda x, a: x - a if x > 0.0 else x, 1.0, a))
    with pytest.raises(TypeError, match="cannot be compiled"):
        compiled([1.0])


class CubeRoot(ag.Module):
    def __init__(self) -> None:
        self.w = Value(2.0)

    def __call__(self, x: Any) -> Any:
        return ag.root(lambda y: y**3 - self.w * x[0], 1.0)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_model_that_solves_equations_is_trained(compiled: bool) -> None:
    pytest.importorskip("llvmlite")
    model = CubeRoot()
    ag.fit(
        model,
        lambda p, t: (p - t) ** 2,
        [[1.0], [2.0]],
        [2.0, 16.0 ** (1.0 / 3.0)],
        epochs=60,
        optimizer=ag.Adam(model.parameters(), 0.5),
        compiled=compiled,
        progress=False,
    )
    assert model.w.data == pytest.approx(8.0, rel=0.1)


def test_a_program_outlives_what_it_was_recorded_from() -> None:
    compiled = ag.jit(lambda a: ag.root(lambda x, a: x * x - a, 1.0, a), backend="python")
    assert compiled([4.0]) == [2.0]
    program = compiled.program
    del compiled
    gc.collect()
    text = str(program)
    with pytest.raises(ValueError, match="is computed by Python"):
        BACKENDS_OF_JIT["c"].source(program)
    assert "root" in text


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x0", "residual"),
    [
        (lambda x: x * x + 1.0, 1.0, [1.0]),
        (lambda x: x * x - 2.0, 0.0, [-2.0]),  # the derivative is 0 there
        (ag.exp, 0.0, None),
        (lambda v: [v[0] + v[1] - 1.0, v[0] + v[1] - 2.0], [0.0, 0.0], [0.5, -0.5]),
    ],
)
def test_no_solution_is_an_error_that_shows_the_residual(
    f: Any, x0: Any, residual: list[float] | None
) -> None:
    with pytest.raises(ag.ConvergenceError, match="the residual is") as caught:
        ag.root(f, x0)
    if residual is not None:
        assert caught.value.residual == pytest.approx(residual)
    assert len(caught.value.x) == len(caught.value.residual)
    assert pickle.loads(pickle.dumps(caught.value)).residual == caught.value.residual


def test_nan_at_the_start_is_said() -> None:
    with pytest.raises(ag.ConvergenceError, match="not finite"):
        ag.root(ag.log, -1.0)
    with pytest.raises(ag.ConvergenceError, match="not finite"):
        ag.root(lambda x: x, math.nan)


def test_too_few_steps_are_said() -> None:
    with pytest.raises(ag.ConvergenceError, match="2 steps were not enough"):
        ag.root(lambda x: x**3 - 2.0, 100.0, max_steps=2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((1.0, 1.0), TypeError, "root: expected a function"),
        ((lambda v: [v[0]], [1.0, 2.0]), ValueError, "1 numbers for 2 unknowns"),
        ((lambda x: "a", 1.0), TypeError, "root of f"),
        ((lambda x: x, "a"), TypeError, "root: x0"),
        ((lambda x, p: x, 1.0, "a"), TypeError, "root: a parameter"),
        ((lambda x: x, []), ValueError, "holds no unknowns"),
    ],
)
def test_what_is_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ag.root(*arguments)


def test_an_exception_of_f_comes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        ag.root(lambda x: x * (1 / 0), 1.0)


# --- graphs ---------------------------------------------------------------------------------------


def test_graphs_with_solutions_are_freed_without_the_collector() -> None:
    gc.disable()
    try:
        a = Value(2.0)
        x = ag.root(lambda x, a: x * x - a, 1.0, a)
        (slope,) = ag.grad(x, [a])
        kept = [weakref.ref(o) for o in (x, x.primitive, slope)]
        del x, slope
        assert [ref() for ref in kept] == [None] * 3
    finally:
        gc.enable()


def test_copies_are_differentiated_like_the_original() -> None:
    p = [Value(2.0), Value(1.3)]
    leaves, output = copy.deepcopy((p, crossing(p)))
    first = ag.grad(output, leaves)
    second = [[h.data for h in ag.grad(slope, leaves)] for slope in first]
    np.testing.assert_allclose(second, ag.hessian(crossing_by_formula)([2.0, 1.3]), rtol=1e-12)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(output)


def test_a_leaf_that_was_changed_is_noticed() -> None:
    a = Value(2.0)
    x = ag.root(lambda x, a: x * a - 2.0, 1.0, a)
    a.data = 5.0
    with pytest.raises(RuntimeError, match="a leaf was changed"):
        ag.grad(x, [a])


def test_it_can_be_drawn_and_played() -> None:
    y = crossing([Value(2.0, "p"), Value(1.3, "q")])
    assert "root" in ag.draw(y).svg
    assert str(ag.explain(y))
    assert list(ag.backward_steps(y))
    ag.play(y)


# --- with what stands on derivatives --------------------------------------------------------------


def test_sparse_derivatives_see_through_it() -> None:
    pytest.importorskip("scipy")
    point = [2.0, 1.3]

    def solved(p: Any) -> Any:
        return ag.root(circle, [1.0, 1.0], p)

    np.testing.assert_allclose(
        ag.sparse_jacobian(solved)(point).toarray(), ag.jacobian(solved)(point), rtol=1e-12
    )
    np.testing.assert_allclose(
        ag.sparse_hessian(crossing)(point).toarray(),
        ag.hessian(crossing_by_formula)(point),
        rtol=1e-11,
    )


def test_minimize_and_jax_see_through_it() -> None:
    pytest.importorskip("scipy")

    def cube_root(a: Any) -> Any:
        return ag.root(lambda x, a: x**3 - a, 1.0, a)

    found = ag.minimize(lambda p: (cube_root(p[0]) - 2.0) ** 2 + (p[1] - p[0]) ** 2, [1.0, 1.0])
    assert found.x == pytest.approx([8.0, 8.0], rel=1e-4)
    pytest.importorskip("jax")
    w = Value(2.0)
    loss = ag.to_jax(lambda a: (cube_root(w * a) - 1.0) ** 2, 1.0)
    value, slopes = loss.value_and_gradient(loss.numbers(), np.array([2.0, 3.0]))
    x = np.cbrt([4.0, 6.0])
    assert float(value) == pytest.approx(np.mean((x - 1.0) ** 2), rel=1e-5)
    expected = np.mean(2.0 * (x - 1.0) * np.array([2.0, 3.0]) / (3.0 * x**2))
    assert float(slopes[0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loop_solves_an_equation_at_each_step(backend: Any) -> None:
    pytest.importorskip("jax" if backend == "jax" else "llvmlite")

    def step(a: Any, u: Any) -> Any:
        return ag.root(lambda x, a: x**3 - a, 1.0, a + u), a

    def scanned(a: Any) -> Any:
        return ag.scan(step, a, [1.0, 2.0, 3.0])[0]

    def by_formula(a: Any) -> Any:
        for u in (1.0, 2.0, 3.0):
            a = ag.cbrt(a + u)
        return a

    found = ag.jit(ag.value_and_gradient(scanned), backend=backend)([2.0])[0]
    assert found == pytest.approx(ag.value_and_gradient(by_formula)(2.0), rel=1e-13)


@pytest.mark.parametrize(
    ("equations", "slopes"),
    [
        (lambda x, p: [x[0] - p, 0.0], [1.0, math.nan]),
        (lambda x, p: [x[0] + x[1] - p, 0.0], [math.nan, math.nan]),
        (lambda x, p: [x[1] - p, x[1] - p], [math.nan, 1.0]),
    ],
    ids=["on no unknown", "one for two", "two for one"],
)
def test_an_unknown_without_an_equation_has_the_slope_nan(equations: Any, slopes: Any) -> None:
    slope = ag.jacobian(lambda p: ag.root(equations, [1.0, 1.0], p))
    assert slope(2.0) == pytest.approx(slopes, nan_ok=True)
    compiled = ag.jit(slope, in_axes=None, backend="python")
    assert compiled(2.0) == pytest.approx(slopes, nan_ok=True)
