"""Losses: values and gradients against closed forms and PyTorch, stability, and other targets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, recording
from autograd.losses import CORRECT
from autograd.primitives import TABLE
from tests.numerics import same

LOSSES = [ag.mean_squared_error, ag.hinge, ag.binary_cross_entropy, ag.cross_entropy]

logit = st.floats(-50.0, 50.0)
logits = st.lists(logit, min_size=2, max_size=6)
any_logit = st.floats(-1e307, 1e307) | st.sampled_from([1000.0, -1000.0, 1e308, -1e308])


def loss_and_gradient(
    loss: Callable[..., Value], prediction: Sequence[float], target: Any
) -> tuple[float, list[float | None]]:
    leaves = [Value(z) for z in prediction]
    result = loss(leaves if len(leaves) > 1 else leaves[0], target)
    result.backward()
    return result.data, [leaf.grad for leaf in leaves]


def softmax(logits: Sequence[float]) -> list[float]:
    largest = max(logits)
    weights = [math.exp(z - largest) for z in logits]
    return [w / math.fsum(weights) for w in weights]


def replay(output: Any, leaves: dict[Value, float]) -> float:
    """A recorded graph computed again with other numbers at these leaves, as compiled code does."""
    numbers = dict(leaves)

    def number(arg: Any) -> Any:
        if not isinstance(arg, Value):
            return arg
        if arg not in numbers:
            args = map(number, arg.args)
            numbers[arg] = TABLE[arg.op].value(*args) if arg.args else arg.data
        return numbers[arg]

    return float(number(output))


# --- values and gradients -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "expected", "gradient"),
    [
        (ag.mean_squared_error, [3.0], 1.0, 4.0, [4.0]),
        (ag.mean_squared_error, [3.0, 0.0], [1.0, 2.0], 4.0, [2.0, -2.0]),
        (ag.hinge, [0.25], 1, 0.75, [-1.0]),
        (ag.hinge, [0.25], -1, 1.25, [1.0]),
        (ag.hinge, [3.0], 1, 0.0, [0.0]),
        (ag.hinge, [0.5, -3.0], [-1, -1], 0.75, [0.5, 0.0]),
        (ag.binary_cross_entropy, [0.0], 1, math.log(2.0), [-0.5]),
        (ag.binary_cross_entropy, [0.0], 0.25, math.log(2.0), [0.25]),
        (ag.binary_cross_entropy, [math.log(3.0)], 0, math.log(4.0), [0.75]),
        (ag.cross_entropy, [0.0, 0.0], 1, math.log(2.0), [0.5, -0.5]),
        (ag.cross_entropy, [math.log(3.0), 0.0], 1, math.log(4.0), [0.75, -0.75]),
        (ag.cross_entropy, [math.log(3.0), 0.0], [0.5, 0.5], math.log(16 / 3) / 2, [0.25, -0.25]),
    ],
)
def test_closed_forms(
    loss: Callable[..., Value],
    prediction: list[float],
    target: Any,
    expected: float,
    gradient: list[float],
) -> None:
    value, found = loss_and_gradient(loss, prediction, target)
    assert value == pytest.approx(expected, rel=1e-15)
    assert found == pytest.approx(gradient, rel=1e-15)


@given(logit, st.floats(0.0, 1.0))
def test_the_gradient_of_binary_cross_entropy_is_p_minus_t(z: float, t: float) -> None:
    _, (gradient,) = loss_and_gradient(ag.binary_cross_entropy, [z], t)
    assert gradient == pytest.approx(ag.sigmoid(z) - t, rel=1e-15, abs=1e-15)


@given(logits, st.integers(0, 5))
def test_the_gradient_of_cross_entropy_is_p_minus_t(zs: list[float], k: int) -> None:
    k %= len(zs)
    _, gradient = loss_and_gradient(ag.cross_entropy, zs, k)
    expected = [p - (i == k) for i, p in enumerate(softmax(zs))]
    assert gradient == pytest.approx(expected, rel=1e-13, abs=1e-15)


@given(logits, st.data())
def test_the_gradient_of_cross_entropy_is_p_minus_t_for_a_row_too(
    zs: list[float], data: st.DataObject
) -> None:
    weights = data.draw(st.lists(st.floats(0.1, 1.0), min_size=len(zs), max_size=len(zs)))
    ts = [w / math.fsum(weights) for w in weights]
    value, gradient = loss_and_gradient(ag.cross_entropy, zs, ts)
    ps = softmax(zs)
    assert gradient == pytest.approx([p - t for p, t in zip(ps, ts, strict=True)], abs=1e-15)
    expected = -math.fsum(t * math.log(p) for p, t in zip(ps, ts, strict=True))
    assert value == pytest.approx(expected, rel=1e-12)


def test_two_classes_are_one_logit() -> None:
    two = loss_and_gradient(ag.cross_entropy, [0.0, 1.75], 1)
    one = loss_and_gradient(ag.binary_cross_entropy, [1.75], 1)
    assert two[0] == pytest.approx(one[0], rel=1e-15)
    assert two[1][1] == pytest.approx(one[1][0], rel=1e-15)


@pytest.mark.slow
def test_pytorch_agrees() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle of this test, is missing")
    functional = torch.nn.functional
    cases: list[tuple[Callable[..., Value], Any, list[float], Any]] = [
        (ag.mean_squared_error, functional.mse_loss, [0.3, -1.2, 7.0], [1.0, 0.0, -2.0]),
        (
            ag.binary_cross_entropy,
            functional.binary_cross_entropy_with_logits,
            [0.3, -30.0, 700.0, -1000.0],
            [0.2, 0.0, 1.0, 1.0],
        ),
        (ag.cross_entropy, functional.cross_entropy, [0.3, -1.2, 7.0, 6.9], [0.1, 0.2, 0.3, 0.4]),
        (ag.cross_entropy, functional.cross_entropy, [1000.0, -1000.0, 3.0], 1),
        (ag.cross_entropy, functional.cross_entropy, [0.0, 0.0, 0.0], 2),
    ]
    for loss, in_torch, prediction, target in cases:
        tensor = torch.tensor(prediction, dtype=torch.float64, requires_grad=True)
        kind = torch.long if isinstance(target, int) else torch.float64
        expected = in_torch(tensor, torch.tensor(target, dtype=kind))
        expected.backward()
        value, gradient = loss_and_gradient(loss, prediction, target)
        assert value == pytest.approx(expected.item(), rel=1e-14)
        assert gradient == pytest.approx(tensor.grad.tolist(), rel=1e-14, abs=1e-16)


def test_gradients_are_right_at_second_order_too() -> None:
    def slopes(z: Value, y: Value) -> Value:
        a, b = ag.grad(ag.cross_entropy([z, y, z * y], 1), [z, y])
        return a * 2.0 + b + ag.grad(ag.binary_cross_entropy(z, 0.3), [z])[0]

    ag.check_gradient(slopes, [0.4, -1.1])


# --- stability ------------------------------------------------------------------------------------


@given(any_logit, st.sampled_from([0.0, 1.0, 0.3]))
def test_binary_cross_entropy_is_stable(z: float, t: float) -> None:
    value, (gradient,) = loss_and_gradient(ag.binary_cross_entropy, [z], t)
    assert math.isfinite(value)
    assert value >= 0.0
    assert gradient == pytest.approx(ag.sigmoid(z) - t, abs=1e-15)


@given(st.lists(any_logit.map(lambda z: z / 2), min_size=2, max_size=5), st.integers(0, 4))
def test_cross_entropy_is_stable(zs: list[float], k: int) -> None:
    value, gradient = loss_and_gradient(ag.cross_entropy, zs, k % len(zs))
    assert math.isfinite(value)
    assert value >= 0.0
    assert all(g is not None and -1.0 <= g <= 1.0 for g in gradient)


@pytest.mark.parametrize("target", [1, [0.0, 1.0]])
def test_logits_further_apart_than_float64_reaches(target: Any) -> None:
    assert loss_and_gradient(ag.cross_entropy, [-1e308, 1e308], target) == (0.0, [0.0, 0.0])
    far_off = loss_and_gradient(ag.cross_entropy, [1e308, -1e308], target)
    assert far_off == (math.inf, [1.0, -1.0])


def test_a_small_loss_keeps_its_digits_and_a_gradient() -> None:
    for z, t, sign in ((-700.0, 0, 1.0), (700.0, 1, -1.0)):
        value, (gradient,) = loss_and_gradient(ag.binary_cross_entropy, [z], t)
        assert value == pytest.approx(math.exp(-700.0), rel=1e-14, abs=0.0)
        assert gradient == pytest.approx(sign * math.exp(-700.0), rel=1e-14, abs=0.0)
    _, gradients = loss_and_gradient(ag.cross_entropy, [0.0, -700.0], 0)
    assert gradients[1] == pytest.approx(math.exp(-700.0), rel=1e-14, abs=0.0)


# --- targets that are Values ----------------------------------------------------------------------


@given(logits, st.integers(0, 5))
def test_a_class_index_may_be_a_value(zs: list[float], k: int) -> None:
    k %= len(zs)
    plain, plain_gradient = loss_and_gradient(ag.cross_entropy, zs, k)
    value, gradient = loss_and_gradient(ag.cross_entropy, zs, Value(k))
    assert same([value, *gradient], [plain, *plain_gradient])


@pytest.mark.parametrize("no_index", [-1.0, 0.5, 3.0, math.nan, math.inf])
def test_a_value_that_is_no_class_index_gives_nan(no_index: float) -> None:
    value, _ = loss_and_gradient(ag.cross_entropy, [1.0, 2.0, 3.0], Value(no_index))
    assert math.isnan(value)


TARGETS: list[tuple[Callable[..., Value], list[float], list[Any]]] = [
    (ag.mean_squared_error, [0.5, -2.0], [[1.0, 0.0], [-3.0, 0.5]]),
    (ag.hinge, [0.5, -2.0], [[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]),
    (ag.hinge, [-0.5], [1.0, -1.0]),
    (ag.binary_cross_entropy, [0.5, -2.0], [[1.0, 0.0], [0.0, 0.25], [0.0, 1.0]]),
    (ag.cross_entropy, [0.5, -2.0, 0.75], [0.0, 1.0, 2.0]),
    (ag.cross_entropy, [0.5, -2.0, 0.75], [[1.0, 0.0, 0.0], [0.25, 0.25, 0.5]]),
]


@pytest.mark.parametrize(("loss", "prediction", "targets"), TARGETS)
def test_a_loss_recorded_at_one_target_holds_for_every_target(
    loss: Callable[..., Value], prediction: list[float], targets: list[Any]
) -> None:
    functions: list[Callable[..., Any]] = [loss]
    if loss in CORRECT:
        functions.append(CORRECT[loss])
    for function in functions:
        first = targets[0]
        leaves = [Value(t) for t in (first if isinstance(first, list) else [first])]
        outputs = [Value(z) for z in prediction]
        with recording.tracing():  # in which a branch on a comparison raises
            recorded = function(
                outputs if len(outputs) > 1 else outputs[0],
                leaves if isinstance(first, list) else leaves[0],
            )
        for target in targets:
            numbers = target if isinstance(target, list) else [target]
            found = replay(recorded, dict(zip(leaves, numbers, strict=True)))
            expected = function(outputs if len(outputs) > 1 else outputs[0], target)
            assert found == pytest.approx(expected.data, rel=1e-15)


# --- accuracy -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "expected"),
    [
        (ag.hinge, 0.1, 1, 1.0),
        (ag.hinge, 0.1, -1, 0.0),
        (ag.hinge, -0.1, -1, 1.0),
        (ag.hinge, -0.1, 1, 0.0),
        (ag.hinge, 0.0, -1, 1.0),
        (ag.hinge, 0.0, 1, 0.0),
        (ag.hinge, [0.1, -3.0], [1, -1], 1.0),
        (ag.hinge, [0.1, 3.0], [1, -1], 0.0),
        (ag.binary_cross_entropy, 0.1, 1, 1.0),
        (ag.binary_cross_entropy, 0.1, 0, 0.0),
        (ag.binary_cross_entropy, -0.1, 0, 1.0),
        (ag.binary_cross_entropy, -0.1, 0.9, 0.0),
        (ag.cross_entropy, [1.0, 3.0, 2.0], 1, 1.0),
        (ag.cross_entropy, [1.0, 3.0, 2.0], 2, 0.0),
        (ag.cross_entropy, [1.0, 3.0, 2.0], [0.2, 0.5, 0.3], 1.0),
        (ag.cross_entropy, [1.0, 3.0, 2.0], [0.5, 0.2, 0.3], 0.0),
        (ag.cross_entropy, [2.0, 2.0, 2.0], 0, 1.0),
        (ag.cross_entropy, [2.0, 2.0, 2.0], 2, 0.0),
    ],
)
def test_what_counts_as_correct(
    loss: Callable[..., Value], prediction: Any, target: Any, expected: float
) -> None:
    row = isinstance(prediction, list)
    values = [Value(z) for z in prediction] if row else Value(prediction)
    for outputs in (prediction, values):
        for wanted in (
            target,
            [*map(Value, target)] if isinstance(target, list) else Value(target),
        ):
            found = CORRECT[loss](outputs, wanted)
            assert (found.data if isinstance(found, Value) else found) == expected


def test_regression_has_no_accuracy() -> None:
    assert set(CORRECT) == set(LOSSES) - {ag.mean_squared_error}


# --- what they take -------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
def test_numpy_rows_and_numbers_will_do(loss: Callable[..., Value]) -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose rows this test passes, is missing")
    prediction = np.array([0.5, -2.0])
    outputs = [Value(z) for z in prediction]
    expected = loss(outputs, [1.0, 0.0] if loss is not ag.hinge else [1.0, -1.0]).data
    target = np.array([1, 0] if loss is not ag.hinge else [1, -1], dtype=np.int64)
    assert loss(outputs, target).data == loss(prediction, target).data == expected


def test_a_numpy_bool_is_a_target() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose bool this test passes, is missing")
    logit = Value(0.5)
    expected = ag.binary_cross_entropy(logit, 1).data
    assert ag.binary_cross_entropy(logit, np.bool_(True)).data == expected


def test_a_class_index_may_be_any_number_that_is_whole() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose numbers this test passes, is missing")
    outputs = [Value(1.0), Value(2.0)]
    expected = ag.cross_entropy(outputs, 1).data
    for index in (1.0, True, np.int64(1), np.float32(1.0)):
        assert ag.cross_entropy(outputs, index).data == expected


def test_one_output_costs_no_mean() -> None:
    assert ag.hinge([Value(0.5)], [1]).op == "relu"


A, B = Value(0.5), Value(-2.0)
REFUSED: list[tuple[Callable[..., Value], Any, Any, type[Exception], str]] = [
    (ag.mean_squared_error, [A, B], [1.0], ValueError, "got 2 and 1"),
    (ag.mean_squared_error, [A, B], 1.0, ValueError, "got 2 and 1"),
    (ag.mean_squared_error, [], [], ValueError, "got 0 and 0"),
    (ag.mean_squared_error, A, "1", TypeError, "'1' of type str"),
    (ag.mean_squared_error, A, None, TypeError, "got None"),
    (ag.mean_squared_error, None, 1.0, TypeError, "got None"),
    (ag.mean_squared_error, [[A, B]], [[1.0, 2.0]], TypeError, "list; .*of one example at a time"),
    (ag.hinge, A, 0, ValueError, r"-1 and \+1, got 0.0"),
    (ag.hinge, A, math.nan, ValueError, "got nan"),
    (ag.hinge, [A, B], [1, 2], ValueError, "got 2.0"),
    (ag.binary_cross_entropy, [A, B], 1, ValueError, "got 2 and 1; .* there is cross_entropy"),
    (ag.binary_cross_entropy, A, -1, ValueError, "from 0 to 1 as target, got -1.0"),
    (ag.binary_cross_entropy, A, math.nan, ValueError, "got nan"),
    (ag.cross_entropy, [A, B], 2, ValueError, "from 0 to 1, got 2.0"),
    (ag.cross_entropy, [A, B], -1, ValueError, "got -1.0"),
    (ag.cross_entropy, [A, B], 0.5, ValueError, "got 0.5"),
    (ag.cross_entropy, [A, B], math.nan, ValueError, "got nan"),
    (ag.cross_entropy, [A, B], math.inf, ValueError, "got inf"),
    (ag.cross_entropy, [A, B], [1.0, 1.0], ValueError, "the sum 1, got 2.0"),
    (ag.cross_entropy, [A, B], [2.0, -1.0], ValueError, "got 2.0"),
    (ag.cross_entropy, [A, B], [1.0], ValueError, "got 2 and 1"),
    (ag.cross_entropy, [A], 0, ValueError, "binary_cross_entropy"),
    (ag.cross_entropy, A, 0, ValueError, "binary_cross_entropy"),
    (ag.cross_entropy, [A, B], "1", TypeError, "of type str"),
    (ag.cross_entropy, [A, B], 1j, TypeError, "1j"),
]


@pytest.mark.parametrize(("loss", "prediction", "target", "error", "message"), REFUSED)
def test_what_is_refused(
    loss: Callable[..., Value], prediction: Any, target: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        loss(prediction, target)
    assert loss.__name__ in str(raised.value)


def test_the_accuracy_of_a_target_in_the_middle_is_that_of_no() -> None:
    correct = CORRECT[ag.binary_cross_entropy]
    found = [correct(Value(z), t) for z in (2.0, -2.0) for t in (0.5, math.nextafter(0.5, 1.0))]
    assert [x.data for x in found] == [0.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("logits", [[5.0, 1.0, 3.0], [5.0, 1.0, 3.0, 2.0], [2.0, 1.0, 2.0]])
def test_the_largest_logit_is_the_largest_of_all_so_far(logits: list[float]) -> None:
    predictions = [Value(z) for z in logits]
    correct = [CORRECT[ag.cross_entropy](predictions, k).data for k in range(len(logits))]
    assert correct == [1.0] + [0.0] * (len(logits) - 1)


def test_a_compiled_classifier_prints_its_plain_program() -> None:
    model = ag.MLP(4, [8, 3], seed=1)
    loss = ag.jit(lambda x, y: ag.cross_entropy(model(x), y), backend="python")
    loss.backward([[0.1, 0.2, 0.3, 0.4]], [1])
    assert len(str(loss.program).splitlines()) <= 40  # that which follows branches has 80
