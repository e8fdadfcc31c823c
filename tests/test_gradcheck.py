"""The gradient checker is checked: it must find planted faults, and cry wolf at nothing else."""

from __future__ import annotations

import itertools
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import GradientCheckError, Value, check_gradient, primitives
from autograd.gradcheck import Comparison
from autograd.primitives import TABLE, Primitive

number = itertools.count()


def plant(value: Any, *partials: Any) -> Any:
    """A faulty primitive, which is gone after the test."""
    return Primitive(f"faulty{next(number)}", "faulty", value, *partials)


def verdicts(f: Callable[..., Any], inputs: Any, **options: float) -> list[str]:
    try:
        report = check_gradient(f, inputs, **options)
    except GradientCheckError as error:
        report = error.report
    return [comparison.verdict for comparison in report.comparisons]


# --- right derivatives ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [n for n, p in TABLE.items() if len(p.partials) == 1 and p.partials[0]]
)
def test_right_derivatives_pass(name: str) -> None:
    if TABLE[name].variadic:
        check_gradient(TABLE[name], [0.7, -1.3, 2.0, 0.25])
    else:
        check_gradient(TABLE[name], [1.7 if name == "acosh" else 0.7])


@pytest.mark.parametrize(
    ("f", "points"),
    [
        (ag.log, [1e-300, 1e-20, 1e-8, 1e-3, 1.0, 1e5, 1e150, 1e300]),
        (ag.sqrt, [1e-300, 1e-20, 1e-8, 1e-3, 1.0, 1e5, 1e150, 1e300]),
        (lambda x: 3.0 * x, [-1e300, -1e10, -1.0, -1e-20, 0.0, 1e-300, 1e-3, 1e5, 1e300]),
        (lambda x: 1.0 / x, [-1e100, -1e10, -1.0, -1e-20, 1e-100, 1e-3, 1e5, 1e100]),
        (ag.sin, [-1e10, -1e8, -1e4, -1.0, -1e-20, 0.0, 1e-300, 1e-3, 1e6, 1e10]),
        (ag.tanh, [-1e12, -20.0, -1.0, -1e-20, 0.0, 1e-300, 1e-3, 4.0, 1e10]),
    ],
)
def test_the_step_fits_the_magnitude(f: Callable[[Any], Any], points: list[float]) -> None:
    assert [verdicts(f, [x]) for x in points] == [["ok"]] * len(points)


CURVED: list[tuple[Callable[[Any], Any], float]] = [
    (lambda x: 1e6 * x * x, 0.0),
    (lambda x: 1e6 * x**3, 0.0),
    (lambda x: (1e5 * x).sin(), 0.3),
    (lambda x: (200.0 * x).exp(), 1.0),
    (lambda x: (1e9 * (x - 1.0) + 0.3).tanh(), 1.0),
    (lambda x: 1e-9 * (1e9 * x).softplus(), 0.0),
    (lambda x: 1.0 + 1e-9 * (1e9 * x).softplus(), 0.0),
    (lambda x: (x * x + 1e-16).sqrt(), 0.0),
    (lambda x: (x * x + 1e-16).sqrt(), 1e-9),
    (lambda x: x * abs(x), 0.0),
    (lambda x: abs(x) ** 1.5, 0.0),
]


@pytest.mark.parametrize(("f", "x"), CURVED)
def test_strong_curvature_is_no_kink(f: Callable[[Any], Any], x: float) -> None:
    assert verdicts(f, [x]) == ["ok"]


@given(
    st.sampled_from([ag.sin, ag.tanh, ag.exp, ag.sigmoid, ag.softplus, lambda x: 1 / (1 + x * x)]),
    st.floats(-3.0, 7.0),
    st.floats(-3.0, 3.0),
    st.floats(0.01, 2.0),
    st.sampled_from([0.0, 1.0, 100.0]),
)
def test_smooth_functions_of_every_scale_pass(
    f: Callable[[Any], Any], exponent: float, centre: float, at: float, offset: float
) -> None:
    steepness = 10.0**exponent
    x = centre + at / steepness
    assert verdicts(lambda v: f(steepness * (v - centre)) + offset, [x]) == ["ok"]


def test_a_kink_nearby_is_not_mistaken_for_one_here() -> None:
    for distance in (1e-3, 1e-6, 1e-9, 1e-11):
        assert verdicts(lambda x: (x - 1.0).relu(), [1.0 + distance]) == ["ok"]
        assert verdicts(lambda x: (x - 1.0).relu(), [1.0 - distance]) == ["ok"]


def test_gradients_of_gradients() -> None:
    check_gradient(lambda x, y: ag.grad(x**3 * y.sin(), [x])[0], [1.5, 0.3])
    check_gradient(lambda x: ag.grad(x * x, [x])[0], [0.0])


def test_dictionaries() -> None:
    def f(p: dict[str, Any], scale: Any = 1.0) -> Any:
        return scale * ag.exp(p["bias"]) * p["layers"][0]["w"] ** 2 * p["layers"][1]

    point = {"bias": 0.5, "layers": [{"w": 1.5}, -2.0]}
    report = check_gradient(f, point)
    slope = ag.gradient(f)(point)
    assert [c.input for c in report.comparisons] == ["bias", "layers[0]['w']", "layers[1]"]
    assert [c.analytic for c in report.comparisons] == [
        *(slope["bias"], slope["layers"][0]["w"], slope["layers"][1]),
    ]
    report = check_gradient(f, [point, 3.0], order=2)
    assert [c.input for c in report.comparisons[:4]] == [
        *("0['bias']", "0['layers'][0]['w']", "0['layers'][1]", "1"),
    ]
    assert len(report.comparisons) == 4 + 4 * 4
    leaves = {"a": Value(0.5, "named"), "b": {"c": Value(2.0)}}
    report = check_gradient(lambda: leaves["a"] * leaves["b"]["c"] ** 2, leaves)  # type: ignore[index]
    assert [(c.input, c.analytic) for c in report.comparisons] == [("named", 4.0), ("b['c']", 2.0)]
    with pytest.raises(TypeError, match="got 'x' of type str"):
        check_gradient(f, {"bias": "x"})


def test_transformations_inside() -> None:
    w = Value(1.5, "w")

    def penalty(x: Any) -> Any:
        return ag.gradient(lambda t: ag.tanh(w * t) * x)(0.3) ** 2 * ag.jvp(ag.sin)(0.2, x * w)

    check_gradient(penalty, [0.7], order=2)
    check_gradient(lambda: penalty(0.7), [w], order=2)
    check_gradient(lambda x: ag.hessian(lambda d: d["a"] ** 3 * x)({"a": 2.0})["a"]["a"], [0.7])


def test_an_input_without_influence() -> None:
    assert [c.analytic for c in check_gradient(lambda x, y: x * 2.0, [1.0, 5.0]).comparisons] == [
        2.0,
        0.0,
    ]
    check_gradient(lambda x: Value(3.0), [1.0])
    check_gradient(lambda x: x, [1.0])


# --- planted faults -------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1.001, 0.999, 1.0001, -1.0, 0.0, 2.0])
@pytest.mark.parametrize("x", [1e-3, 0.3, 2.0, -40.0, 1e4])
def test_a_partial_off_by_a_little(factor: float, x: float) -> None:
    faulty = plant(math.sin, lambda z, x: primitives.cos(x) * factor)
    with pytest.raises(GradientCheckError, match="wrong"):
        check_gradient(faulty, [x])
    with pytest.raises(GradientCheckError, match="wrong"):
        check_gradient(lambda v: faulty(v) * 1e-4 + 7.0, [x])


@pytest.mark.parametrize(("f", "x"), CURVED[2:6])
def test_a_fault_is_not_excused_by_curvature(f: Any, x: float) -> None:
    faulty = plant(lambda x: x, lambda z, x: 1.001)
    assert verdicts(lambda v: faulty(f(v)), [x]) == ["wrong"]
    assert verdicts(lambda v: f(faulty(v)), [x]) == ["wrong"]


def test_a_fault_next_to_a_kink_is_not_excused() -> None:
    faulty = plant(lambda x: 0.0 if x <= 0.0 else x, lambda z, x: ag.where(x > 0.0, 1.001, 0.0))
    for distance in (1e-3, 1e-6, 1e-9):
        assert verdicts(lambda v: faulty(v - 1.0), [1.0 + distance]) == ["wrong"]


def test_a_dropped_fan_out_term(monkeypatch: pytest.MonkeyPatch) -> None:
    def last_term_only(output: Value) -> dict[Value, float]:
        adjoints = {output: 1.0}
        for node in reversed(ag.value.topological_order(output)):
            for arg, partial in zip(node.args, node.partials, strict=True):
                if isinstance(arg, Value) and partial is not None:
                    adjoints[arg] = adjoints[node] * partial
        return adjoints

    check_gradient(lambda x, y: x * x + y, [3.0, 1.0])
    monkeypatch.setattr("autograd.gradcheck.adjoints", last_term_only)
    assert verdicts(lambda x, y: x * x + y, [3.0, 1.0]) == ["wrong", "ok"]


def test_a_slope_that_rounding_hides_is_not_called_right() -> None:
    assert verdicts(lambda x: 1e-3 * x + 1e12, [1.0]) == ["unsettled"]
    faulty = plant(math.sin, lambda z, x: 1.01 * primitives.cos(x))
    assert verdicts(lambda x: faulty(x) + 1e8, [0.3]) == ["unsettled"]


def test_swapped_operands() -> None:
    faulty = plant(lambda x, y: x * y, lambda z, x, y: x, lambda z, x, y: y)
    assert verdicts(faulty, [2.0, 5.0]) == ["wrong", "wrong"]
    faulty = plant(lambda x, y: x - y, lambda z, x, y: -1.0, lambda z, x, y: 1.0)
    assert verdicts(faulty, [2.0, 5.0]) == ["wrong", "wrong"]


def test_a_derivative_that_the_rules_get_wrong_together() -> None:
    """relu(x) - relu(-x) is x, with slope 1; the convention relu'(0) = 0 makes it 0."""
    assert verdicts(lambda x: x.relu() - (-x).relu(), [0.0]) == ["wrong"]


def test_a_number_that_bypasses_the_graph() -> None:
    assert verdicts(lambda x: x * x.data, [3.0]) == ["wrong"]


def test_the_worst_input_is_named() -> None:
    slightly = plant(math.sin, lambda z, x: 1.001 * primitives.cos(x))
    badly = plant(math.sin, lambda z, x: 1.1 * primitives.cos(x))
    leaves = [Value(0.3, "fine"), Value(0.4, "slight"), Value(0.5, "bad")]
    with pytest.raises(GradientCheckError) as raised:
        check_gradient(lambda: leaves[0].sin() + slightly(leaves[1]) + badly(leaves[2]), leaves)
    headline, *table = str(raised.value).splitlines()
    assert headline.startswith("2 of 3 partial derivatives not confirmed")
    assert "bad" in headline
    assert "slight" not in headline
    assert "\n".join(table) == str(raised.value.report)
    assert [c.input for c in raised.value.report.failures] == ["bad", "slight"]
    assert raised.value.report.failures[0].relative_error == pytest.approx(0.1 / 1.1)


def test_a_failed_check_is_a_failed_assertion() -> None:
    with pytest.raises(AssertionError) as raised:
        check_gradient(lambda x: x * x.data, [3.0])
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


# --- kinks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "slopes"),
    [
        (ag.relu, 0.0, (0.0, 1.0)),
        (abs, 0.0, (-1.0, 1.0)),
        (lambda x: ag.maximum(x, 2.0 * x), 0.0, (1.0, 2.0)),
        (lambda x: ag.minimum(x, 1.0), 1.0, (1.0, 0.0)),
        (lambda x: (x - 3.0).relu() * 5.0 + x.sin(), 3.0, (math.cos(3.0), 5.0 + math.cos(3.0))),
        (lambda x: x.relu() + 1e6 * x * x, 0.0, (0.0, 1.0)),
        (lambda x: 1e-6 * abs(x), 0.0, (-1e-6, 1e-6)),
        (lambda x: ag.maximum(x, 0.3), 0.1 + 0.2, (0.0, 1.0)),
        # The derivative by the conventions, 0, does not even lie between the slopes.
        (lambda x: 3.0 * x.relu() - 2.0 * (-x).relu(), 0.0, (2.0, 3.0)),
    ],
)
def test_a_kink_is_told_from_a_wrong_derivative(
    f: Callable[[Any], Any], x: float, slopes: tuple[float, float]
) -> None:
    (comparison,) = check_gradient(f, [x]).comparisons
    assert comparison.verdict == "kink"
    assert comparison.slopes == pytest.approx(slopes, rel=1e-5, abs=1e-9)
    assert comparison.numeric == pytest.approx(sum(slopes) / 2.0, rel=1e-5, abs=1e-9)


def test_a_kink_does_not_hide_a_fault_at_another_input() -> None:
    faulty = plant(math.sin, lambda z, x: 1.001 * primitives.cos(x))
    assert verdicts(lambda x, y: x.relu() + faulty(y), [0.0, 0.3]) == ["kink", "wrong"]


# --- where there is nothing to compare ------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "verdict"),
    [
        (ag.sqrt, 0.0, "not finite"),
        (ag.log, 0.0, "not finite"),
        (ag.log, -1.0, "not finite"),
        (lambda x: x**1.5, 0.0, "not finite"),
        (lambda x: x * 1e308 * 10.0, 1.0, "not finite"),
        (ag.sin, math.nan, "not finite"),
        (ag.tanh, math.inf, "not finite"),
        (lambda x: ag.where(x > 0.0, 1.0, 0.0) + 0.0 * x, 0.0, "unsettled"),
    ],
)
def test_what_cannot_be_confirmed_fails(f: Any, x: float, verdict: str) -> None:
    with pytest.raises(GradientCheckError, match=verdict):
        check_gradient(f, [x])


@pytest.mark.parametrize("analytic", [0.0, 1.0, math.inf, math.nan])
def test_the_error_is_unknown_where_a_derivative_is_not_finite(analytic: float) -> None:
    for numeric in (math.nan, math.inf, -math.inf):
        assert math.isnan(Comparison("x", analytic, numeric, "not finite").relative_error)
        assert math.isnan(Comparison("x", numeric, analytic, "not finite").relative_error)


def test_a_function_that_does_not_repeat_itself() -> None:
    count = iter(range(10_000))
    assert verdicts(lambda x: x * float(next(count)), [1.0]) != ["ok"]


# --- inputs ---------------------------------------------------------------------------------------


def test_leaves_are_perturbed_in_place_and_put_back() -> None:
    a, b = Value(2.0, "a"), Value(-0.0, "b")
    seen = set()

    def f() -> Value:
        seen.add((a.data, b.data))
        return a * a + b * a

    report = check_gradient(f, [a, b])
    assert [c.input for c in report.comparisons] == ["a", "b"]
    assert [c.analytic for c in report.comparisons] == [4.0, 2.0]
    assert len(seen) == 5
    assert (a.data, math.copysign(1.0, b.data)) == (2.0, -1.0)


@pytest.mark.parametrize("error", [ValueError("in the middle"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("calls", range(1, 6))
def test_inputs_are_put_back_whatever_happens(error: BaseException, calls: int) -> None:
    a, b = Value(2.0), Value(3.0)
    left = iter(range(calls - 1))

    def f() -> Value:
        if next(left, None) is None:
            raise error
        return a * b

    with pytest.raises(type(error)):
        check_gradient(f, [a, b])
    assert (a.data, b.data) == (2.0, 3.0)


def test_no_grad_of_anything_is_touched() -> None:
    a, b = Value(2.0), Value(3.0)
    a.grad = 17.0
    middle = a * b
    middle.grad = 18.0
    check_gradient(lambda: a * b + b, [a])
    with pytest.raises(GradientCheckError):
        check_gradient(lambda: a * b.data * a.data, [a])
    assert (a.grad, b.grad, middle.grad) == (17.0, None, 18.0)


def test_inside_no_grad() -> None:
    with ag.no_grad():
        report = check_gradient(lambda x: x * x, [3.0])
        assert (Value(1.0) + 1.0).args == ()
    assert report.comparisons[0].analytic == 6.0


def test_a_network_and_its_loss() -> None:
    model = ag.MLP(2, [4, 3], activation="tanh", seed=1)
    X, Y = [[0.5, -1.0], [1.5, 0.3], [-0.7, 0.8]], [0, 2, 1]
    report = check_gradient(
        lambda: ag.mean(ag.cross_entropy(model(x), y) for x, y in zip(X, Y, strict=True)),
        model.parameters(),
    )
    assert [c.input for c in report.comparisons] == [name for name, _ in model.named_parameters()]
    assert {c.verdict for c in report.comparisons} == {"ok"}


def test_numbers_of_every_kind() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose numbers this test passes, is missing")
    check_gradient(lambda x, y: x * y, (2, True))
    check_gradient(lambda x, y: x * y, np.array([2.0, 3.0]))
    report = check_gradient(lambda x, M: x[0] * M[0, 1] ** 2, [[2.0], np.array([[1.0, 3.0]])])
    assert [(c.input, c.analytic) for c in report.comparisons] == [
        *(("0[0]", 9.0), ("1[0][0]", 0.0), ("1[0][1]", 12.0)),
    ]


@pytest.mark.parametrize(
    ("f", "inputs", "error", "message"),
    [
        (lambda: Value(1.0), [], ValueError, "at least one input, got none"),
        (lambda x: x, 2.0, TypeError, "a list of inputs, got 2.0"),
        (lambda x: x, Value(2.0), TypeError, "a list of inputs, got Value"),
        (lambda x: x, ["2"], TypeError, "got '2' of type str"),
        (lambda x: x, "2", TypeError, "got '2' of type str"),
        (lambda x: x, [[2.0, "2"]], TypeError, "got '2' of type str"),
        (lambda x: x, [None], TypeError, "got None"),
        (lambda *xs: xs[0], [1.0, Value(2.0)], TypeError, "all numbers or all Values, got Value"),
        (lambda *xs: xs[0], [Value(2.0), 1.0], TypeError, "all numbers or all Values, got 1.0"),
        (lambda: Value(2.0), [Value(1.0) + 1.0], ValueError, "expected leaves"),
        (lambda x: x.data, [1.0], TypeError, "f must return one Value, got 1.0 of type float"),
        (lambda x: [x], [1.0], TypeError, "of type list"),
        (lambda x: None, [1.0], TypeError, "got None"),
    ],
)
def test_what_is_refused(f: Any, inputs: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        check_gradient(f, inputs)
    assert str(raised.value).startswith("check_gradient: ")


def test_tolerances() -> None:
    faulty = lambda x: x * (x.data * 1.001)  # noqa: E731
    assert verdicts(faulty, [3.0], relative=1.0) == ["ok"]
    assert verdicts(faulty, [3.0], absolute=10.0) == ["ok"]
    assert verdicts(faulty, [3.0], relative=0.0, absolute=0.0) == ["wrong"]


# --- the report -----------------------------------------------------------------------------------


def test_the_report_prints_as_an_aligned_table() -> None:
    a, kinky = Value(3.0, "a"), Value(0.0, "layer0.bias")
    report = check_gradient(lambda: a * a * 1000.0 + kinky.relu(), [a, kinky])
    assert str(report) == repr(report)
    header, first, second = str(report).splitlines()
    assert header.split() == ["input", "analytic", "numeric", "relative", "error", "verdict"]
    assert first.split()[:2] == ["a", "6000"]
    assert second.split() == [
        "layer0.bias",
        "0",
        "0.5",
        "1.0e+00",
        "kink,",
        "slopes",
        "0",
        "|",
        "1",
    ]
    for column in ("verdict", "input"):
        at = header.index(column)
        assert " " not in (first[at], second[at])
    end = header.index("analytic") + len("analytic")
    assert first[end - 4 : end + 1] == "6000 "
    assert second[end - 2 : end + 1] == " 0 "


def test_inputs_without_a_label_go_by_their_index() -> None:
    report = check_gradient(lambda x, y: x * y, [2.0, 3.0])
    assert [c.input for c in report.comparisons] == ["0", "1"]


def test_a_hostile_label_does_not_break_the_table() -> None:
    leaves = [Value(1.0, "two\nlines"), Value(2.0, "\x1b[31m"), Value(3.0, "gewicht ∂")]
    report = check_gradient(lambda: ag.sum(x * x for x in leaves), leaves)
    assert len(str(report).splitlines()) == 4
    assert "\x1b" not in str(report)
    assert "gewicht ∂" in str(report)


def test_second_derivatives_are_checked_too() -> None:
    report = check_gradient(lambda x, y: x**3 * y.sin(), [0.7, 1.3], order=2)
    assert len(report.comparisons) == 2 + 4
    crooked = plant(lambda x: x**3, lambda z, x: 3.0 * x * ag.stop_gradient(x))
    check_gradient(crooked, [0.7])  # its slope is right, and only the slope of that is not
    with pytest.raises(GradientCheckError, match="of d/d0"):
        check_gradient(crooked, [0.7], order=2)


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_compiled_function_is_checked(backend: Any) -> None:
    w = Value(0.4, "w")
    w.grad = 5.0
    check_gradient(ag.jit(lambda x, y: w * x.tanh() * y, backend), [0.3, -2.0])
    report = check_gradient(ag.jit(lambda: (w * w).exp(), backend), [w], order=2)  # noqa: PLW0108
    assert len(report.comparisons) == 2
    assert w.grad == 5.0


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_fault_in_a_compiled_function_is_found(backend: Any) -> None:
    faulty = plant(lambda x: x * x, lambda z, x: 2.002 * x)
    assert verdicts(ag.jit(lambda x, y: faulty(x) * y, backend), [3.0, 2.0]) == ["wrong", "ok"]


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", ["sin", "atanh", "sech2", "abs", "relu", "sign", "floor", "ceil"])
def test_close_to_zero_or_to_a_kink_a_correct_derivative_is_confirmed(
    name: str, order: int
) -> None:
    for x in (1.0584683062371306e-08, -1.7e-8):
        assert not ag.check_gradient(TABLE[name].operator, [x], order=order).failures
