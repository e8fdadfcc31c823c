"""SciPy's optimizers take our functions as they are, and NumPy's functions take our Values."""

from __future__ import annotations

import math
from typing import Any

import pytest

import autograd as ag
from autograd import Value

np = pytest.importorskip("numpy", reason="NumPy is not installed")
optimize = pytest.importorskip("scipy.optimize", reason="SciPy is not installed")


def rosenbrock(x: Any) -> Any:
    return sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


START = np.array([1.3, 0.7, 0.8, 1.9])


def test_minimize_by_value_and_gradient() -> None:
    f = ag.value_and_gradient(rosenbrock)
    found = optimize.minimize(f, START, jac=True, method="L-BFGS-B", options={"ftol": 1e-15})
    assert found.x == pytest.approx(np.ones(4), abs=1e-4)


def test_minimize_with_a_hessian() -> None:
    found = optimize.minimize(
        rosenbrock,
        START,
        jac=ag.gradient(rosenbrock),
        hess=ag.hessian(rosenbrock),
        method="trust-exact",
    )
    assert found.x == pytest.approx(np.ones(4), abs=1e-4)
    assert found.nit < 60


def test_least_squares_with_a_jacobian() -> None:
    times = [0.1 * i for i in range(30)]
    data = [2.0 * math.exp(-0.7 * t) for t in times]

    def residuals(p: Any) -> Any:
        return np.array([p[0] * ag.exp(p[1] * t) - y for t, y in zip(times, data, strict=True)])

    found = optimize.least_squares(residuals, [1.0, 0.0], jac=ag.jacobian(residuals))
    assert found.x == pytest.approx([2.0, -0.7], abs=1e-8)


def test_root() -> None:
    def equations(x: Any) -> Any:
        return [x[0] * x[0] + x[1] * x[1] - 4.0, x[0] * x[1] - 1.0]

    found = optimize.root(equations, [2.0, 0.3], jac=ag.jacobian(equations))
    assert found.success
    assert equations(found.x) == pytest.approx([0.0, 0.0], abs=1e-10)


def test_arrays_in_arrays_out() -> None:
    def f(x: Any) -> Any:
        return (x * x).sum() + x[0, 0] * x[1, 1]

    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    slope = ag.gradient(f)(x)
    assert isinstance(slope, np.ndarray)
    assert slope.tolist() == [[6.0, 4.0], [6.0, 9.0]]
    value, both = ag.value_and_gradient(f)(x)
    assert (value, both.tolist()) == (34.0, slope.tolist())
    assert ag.hessian(f)(x).shape == (2, 2, 2, 2)
    assert ag.hessian_vector_product(f)(x, np.ones((2, 2))).tolist() == [[3.0, 2.0], [2.0, 3.0]]
    assert ag.jvp(lambda v: v * v)(np.array([1.0, 2.0]), np.array([1.0, 1.0])).tolist() == [2, 4]
    assert ag.gradient(lambda x, y: x * y)(2.0, 3.0) == (3.0, 2.0)
    assert ag.gradient(lambda v: v[0] * v[1])((2.0, 3.0)) == (3.0, 2.0)


def test_values_in_graph_out() -> None:
    x = Value(3.0)
    slope = ag.gradient(lambda v: v**3)(x)
    assert isinstance(slope, Value)
    slope.backward()
    assert (slope.data, x.grad) == (27.0, 18.0)
    y = x * x  # two arguments are two variables, whatever one was computed from
    assert [s.data for s in ag.gradient(lambda a, b: a * b)(x, y)] == [9.0, 3.0]
    assert [s.data for s in ag.gradient(lambda a, b: a * b)(x, x)] == [3.0, 3.0]


def test_numpys_functions_are_those_of_the_table() -> None:
    x, y = Value(0.5), Value(2.0)
    assert (np.exp(x).op, np.exp(x).data) == ("exp", math.exp(0.5))
    assert (np.maximum(x, y).op, np.arctan2(x, 1.0).op, np.less(x, y).op) == (
        *("maximum", "atan2", "lt"),
    )
    assert (np.multiply(2.0, x)).args == (2.0, x)
    assert (np.cbrt(x).op, np.sign(x).op, np.floor(x).op) == ("cbrt", "sign", "floor")
    assert (np.clip(x, -y, y).op, np.remainder(x, y).op) == ("clip", "mod")
    for bounds in [(-1.0, 0.25), (-1, y), (x, y)]:
        assert np.clip(x, *bounds).op == "clip"
    assert ag.gradient(lambda v, w: np.clip(v, -w, w))(5.0, 2.0) == (0.0, 1.0)
    assert (np.square(x).op, np.square(x).args) == ("mul", (x, x))
    assert (np.reciprocal(x).op, np.positive(x)) == ("div", x)
    for refused in (np.exp2, np.signbit, np.isnan):
        with pytest.raises(TypeError, match=refused.__name__):
            refused(x)
    with pytest.raises(TypeError):
        np.add.reduce([x, y], axis=0, out=x)


OF_ARRAYS = [
    *(np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan, np.tanh, np.expm1, np.log1p, np.sinh),
    *(np.cosh, np.arcsin, np.arccos, np.arctan, np.abs, np.fabs, np.square, np.negative),
    *(np.cbrt, np.log2, np.log10, np.arcsinh, np.arctanh, np.floor, np.ceil, np.trunc, np.rint),
    *(np.reciprocal, np.sum, np.prod, np.mean, np.var, np.std, np.max),
]


@pytest.mark.parametrize("f", OF_ARRAYS, ids=lambda f: f.__name__)
def test_numpys_functions_of_an_array_are_those_of_its_values(f: Any) -> None:
    x = np.array([0.25, 0.4, 0.75])
    value, slope = ag.value_and_gradient(lambda v: np.atleast_1d(f(v)).sum())(x)
    assert value == pytest.approx(np.sum(f(x)))
    h = 1e-6
    step = [(np.sum(f(x + h * e)) - np.sum(f(x - h * e))) / (2 * h) for e in np.eye(3)]
    assert slope == pytest.approx(np.array(step), abs=1e-8)


@pytest.mark.parametrize(
    "f", [np.arctan2, np.maximum, np.power, np.remainder, np.floor_divide, np.fmod, np.hypot]
)
def test_numpys_functions_of_two_arrays(f: Any) -> None:
    x, y = np.array([0.25, 0.5]), np.array([0.5, 0.15])
    value, slopes = ag.value_and_gradient(lambda u, v: np.sum(f(u, v)))(x, y)
    assert value == pytest.approx(np.sum(f(x, y)))
    h = 1e-6
    step = [(np.sum(f(x + h * e, y)) - np.sum(f(x - h * e, y))) / (2 * h) for e in np.eye(2)]
    assert slopes[0] == pytest.approx(np.array(step), abs=1e-8)


def test_an_array_without_dimensions_is_no_number_but_has_one() -> None:
    for call in (lambda: Value(np.array(2.0)), lambda: Value(1.0) * np.array(2.0)):
        with pytest.raises(TypeError, match=r"of type ndarray; its number is \.item\(\)$"):
            call()


def test_the_math_module_is_told_what_to_write() -> None:
    with pytest.raises(TypeError, match=r"ag\.exp"):
        math.exp(Value(1.0))


def test_a_number_that_depends_on_outer_values_says_both_remedies() -> None:
    w = Value(2.0)
    slope = ag.gradient(lambda t: (w * t - 1.0) ** 2)
    with pytest.raises(TypeError, match=r"give it those as arguments.*ag\.no_grad\(\)") as caught:
        np.asarray([slope(1.0)], float)  # as the optimizers do
    assert "`.data` for the number" in str(caught.value)
    with pytest.raises(TypeError, match=r"give it those as arguments.*ag\.no_grad\(\)"):
        assert slope(1.0) != 0.0  # as others of them ask
    with ag.no_grad():
        assert optimize.brentq(slope, -1.0, 2.0) == pytest.approx(0.5)
    of_both = ag.gradient(lambda t, w: (w * t - 1.0) ** 2, argnums=0)
    assert optimize.brentq(of_both, -1.0, 2.0, args=(w.data,)) == pytest.approx(0.5)
