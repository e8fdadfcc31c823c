"""The steppers: their rules against PyTorch's, and what they refuse."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import primitives
from autograd.optim import (
    Adam,
    AdamW,
    GradientDescent,
    RMSprop,
    Stepper,
    flag,
    fraction,
    not_negative,
    number,
    setting,
)
from autograd.value import Value


@dataclass(eq=False)
class Weight:
    """All that a stepper needs to know of a parameter: no Value in sight."""

    data: float
    grad: float | None = None
    label: str = ""


SETTINGS = [
    (GradientDescent, {"learning_rate": 0.1}),
    (GradientDescent, {"learning_rate": 0.02, "momentum": 0.9}),
    (GradientDescent, {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}),
    (RMSprop, {"learning_rate": 0.02}),
    (RMSprop, {"learning_rate": 0.02, "alpha": 0.5, "eps": 0.1}),
    (AdamW, {"learning_rate": 0.03}),
    (AdamW, {"learning_rate": 0.03, "betas": (0.5, 0.7), "eps": 0.1, "weight_decay": 0.3}),
    (Adam, {"learning_rate": 0.03}),
    (Adam, {"learning_rate": 0.5, "betas": (0.5, 0.7), "eps": 0.1}),
    (Adam, {"learning_rate": 0.01, "betas": (0.0, 0.0), "eps": 1e-300}),
]
EITHER = pytest.mark.parametrize("stepper", [GradientDescent, RMSprop, Adam, AdamW])


# --- the rules ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("stepper", "settings"), SETTINGS)
def test_hundreds_of_steps_end_where_pytorch_ends(
    stepper: type[Stepper], settings: dict[str, Any]
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the reference for the update rules")
    rng = random.Random(7)
    ours = [Weight(rng.gauss(0, 1)) for _ in range(6)]
    theirs = [torch.tensor(w.data, dtype=torch.float64, requires_grad=True) for w in ours]
    optimizer = stepper(ours, **settings)
    torch_settings = {"lr" if k == "learning_rate" else k: v for k, v in settings.items()}
    torch_names: Any = {GradientDescent: "SGD"}
    reference = getattr(torch.optim, torch_names.get(stepper, stepper.__name__))
    torch_optimizer = reference(theirs, **torch_settings)

    for step in range(300):
        for index, (w, t) in enumerate(zip(ours, theirs, strict=True)):
            # Some parameters start late, some are skipped now and then.
            absent = step < 10 * index or rng.random() < 0.1 * index
            w.grad = None if absent else math.sin(3 * w.data) + rng.gauss(0, 0.1)
            t.grad = None if absent else torch.tensor(w.grad, dtype=torch.float64)
        if step == 150:
            optimizer.learning_rate = torch_optimizer.param_groups[0]["lr"] = 0.007
        if all(w.grad is None for w in ours):
            continue
        optimizer.step()
        torch_optimizer.step()
        for w, t in zip(ours, theirs, strict=True):
            assert w.data == pytest.approx(t.item(), rel=1e-12, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("stepper", "settings"), SETTINGS)
def test_fifty_steps_end_where_optax_ends(stepper: type[Stepper], settings: dict[str, Any]) -> None:
    optax = pytest.importorskip("optax", reason="optax is the other reference for the rules")
    import jax

    rate = settings["learning_rate"]
    momentum, nesterov = settings.get("momentum"), settings.get("nesterov", False)
    betas = settings.get("betas", (0.9, 0.999))
    alpha = {"decay": settings.get("alpha", 0.99), "eps_in_sqrt": False}
    of_adam = {"b1": betas[0], "b2": betas[1], "eps": settings.get("eps", 1e-8)}
    decay = {"weight_decay": settings.get("weight_decay", 0.01)}
    reference = {
        GradientDescent: lambda: optax.sgd(rate, momentum, nesterov=nesterov),
        RMSprop: lambda: optax.rmsprop(rate, **alpha, eps=of_adam["eps"]),
        Adam: lambda: optax.adam(rate, **of_adam),
        AdamW: lambda: optax.adamw(rate, **of_adam, **decay),
    }[stepper]()
    ours = [Weight(x) for x in (-1.5, 0.25, 2.0)]
    optimizer = stepper(ours, **settings)
    with jax.enable_x64(True):
        theirs = jax.numpy.array([w.data for w in ours])
        state = reference.init(theirs)
        for step in range(50):
            gradients = [math.sin(3 * w.data + step) for w in ours]
            for w, gradient in zip(ours, gradients, strict=True):
                w.grad = gradient
            optimizer.step()
            moves, state = reference.update(jax.numpy.array(gradients), state, theirs)
            theirs = theirs + moves
            expected = pytest.approx(theirs.tolist(), rel=1e-12, abs=1e-12)
            assert [w.data for w in ours] == expected


def test_keras_adam_is_adam_with_an_eps_that_shrinks() -> None:
    w, betas, eps_hat = Weight(1.0), (0.9, 0.999), 1e-3
    optimizer = Adam([w], 0.1, betas)
    m = v = 0.0
    keras = 1.0
    for t in range(1, 50):
        w.grad = gradient = math.cos(t)
        optimizer.eps = eps_hat / math.sqrt(1.0 - betas[1] ** t)
        optimizer.step()
        m = betas[0] * m + (1.0 - betas[0]) * gradient
        v = betas[1] * v + (1.0 - betas[1]) * gradient**2
        rate = 0.1 * math.sqrt(1.0 - betas[1] ** t) / (1.0 - betas[0] ** t)
        keras -= rate * m / (math.sqrt(v) + eps_hat)
        assert w.data == pytest.approx(keras, rel=1e-12)


def test_weight_decay_shrinks_by_its_share_of_the_rate_where_the_gradient_is_zero() -> None:
    w = Weight(2.0, grad=0.0)
    AdamW([w], 0.1, weight_decay=0.5).step()
    assert w.data == 2.0 - 0.1 * 0.5 * 2.0


def test_nesterovs_momentum_looks_ahead() -> None:
    w = Weight(0.0, grad=1.0)
    optimizer = GradientDescent([w], 1.0, momentum=0.5, nesterov=True)
    path = []
    for _ in range(2):
        optimizer.step()
        path.append(w.data)
    assert path == [-1.5, -1.5 - 1.75]
    optimizer.nesterov = False
    optimizer.step()
    assert w.data == path[-1] - 1.75  # v is 1, 1.5, 1.75, and the step is v itself


def test_plain_descent_subtracts_rate_times_gradient_exactly() -> None:
    w = Weight(0.3, grad=0.7)
    GradientDescent([w], 0.1).step()
    assert w.data == 0.3 - 0.1 * 0.7


def test_momentum_starts_as_the_gradient() -> None:
    w = Weight(0.0, grad=1.0)
    optimizer = GradientDescent([w], 1.0, momentum=0.5)
    path = []
    for _ in range(3):
        optimizer.step()
        path.append(w.data)
    assert path == [-1.0, -1.0 - 1.5, -1.0 - 1.5 - 1.75]


@pytest.mark.parametrize("gradient", [1e-6, 1.0, 1e6, -1e6])
def test_adam_takes_a_first_step_of_the_learning_rate_whatever_the_gradient(
    gradient: float,
) -> None:
    w = Weight(0.0, gradient)
    Adam([w], 0.1, eps=1e-12).step()
    assert w.data == pytest.approx(-math.copysign(0.1, gradient), rel=1e-5)


def test_adam_counts_the_steps_of_each_parameter() -> None:
    early, late = Weight(0.0, 1.0), Weight(0.0)
    optimizer = Adam([early, late], 0.1)
    for _ in range(50):
        optimizer.step()
    late.grad = 1.0
    optimizer.step()
    assert late.data == pytest.approx(-0.1)  # a first step, unbiased as a first step
    assert optimizer.states[0][3] == pytest.approx(0.999**51)
    assert optimizer.states[1][3] == 0.999


@pytest.mark.parametrize(
    ("rate", "expected"), [(0.1, 0.8**20), (0.5, 0.0), (0.9, 0.8**20), (1.0, 1.0), (1.1, 1.2**20)]
)
def test_the_learning_rate_has_a_cliff_on_the_square(rate: float, expected: float) -> None:
    x = Value(1.0)
    optimizer = GradientDescent([x], rate)
    for _ in range(20):
        optimizer.zero_grad()
        (x * x).backward()
        optimizer.step()
    assert abs(x.data) == pytest.approx(expected)


@pytest.mark.parametrize(("zeroed", "amplitude"), [(True, 0.0), (False, 1.0)])
def test_forgetting_to_zero_never_settles(zeroed: bool, amplitude: float) -> None:
    x = Value(1.0)
    optimizer = GradientDescent([x], 0.1)
    path = []
    for _ in range(2000):
        if zeroed:
            optimizer.zero_grad()
        (0.5 * x * x).backward()
        optimizer.step()
        path.append(abs(x.data))
    assert max(path[-100:]) == pytest.approx(amplitude, abs=0.05)


@pytest.mark.parametrize(("stepper", "settings"), SETTINGS)
def test_the_rule_is_pure_and_runs_on_values_as_on_floats(
    stepper: type[Stepper], settings: dict[str, Any]
) -> None:
    optimizer = stepper([Weight(1.0)], **settings)
    coefficients = optimizer.coefficients()
    weight, state = 0.7, optimizer.initial_state
    for gradient in (0.3, -2.0, 0.0):
        traced = optimizer.update(
            Value(weight),
            Value(gradient),
            tuple(map(Value, state)),
            tuple(map(Value, coefficients)),
            primitives.sqrt,
        )
        weight, state = optimizer.update(weight, gradient, state, coefficients, math.sqrt)
        assert (traced[0].data, [s.data for s in traced[1]]) == (weight, list(state))
    assert optimizer.states == [optimizer.initial_state]
    assert optimizer.parameters[0].data == 1.0


@EITHER
def test_the_learning_rate_is_the_first_coefficient_and_read_at_each_step(
    stepper: Callable[..., Stepper],
) -> None:
    optimizer = stepper([Weight(1.0)], 0.1)
    assert optimizer.coefficients()[0] == 0.1
    optimizer.learning_rate = 7
    assert optimizer.coefficients()[0] == 7.0
    assert type(optimizer.learning_rate) is float


def test_other_settings_may_be_reassigned_too() -> None:
    momentum = GradientDescent([Weight(0.0)], 0.1, 0.5)
    momentum.momentum = 0.25
    assert momentum.coefficients() == (0.1, 0.25)
    adam = Adam([Weight(0.0)], 0.1)
    adam.betas, adam.eps = (0.1, 0.2), 1.0
    assert adam.coefficients() == (0.1, 0.1, 0.2, 1.0)


# --- the step -------------------------------------------------------------------------------------


@EITHER
def test_a_parameter_without_gradient_is_skipped_with_its_state(
    stepper: Callable[..., Stepper],
) -> None:
    moved, skipped = Weight(1.0, 0.5), Weight(1.0)
    optimizer = stepper([moved, skipped], 0.1)
    optimizer.step()
    assert moved.data != 1.0
    assert skipped.data == 1.0
    assert optimizer.states[0] != optimizer.initial_state
    assert optimizer.states[1] == optimizer.initial_state


@EITHER
def test_a_step_without_any_gradient_points_to_backward(stepper: Callable[..., Stepper]) -> None:
    with pytest.raises(RuntimeError, match=r"call backward\(\)"):
        stepper([Weight(1.0), Weight(2.0)], 0.1).step()


@EITHER
def test_zero_grad_forgets_and_changes_nothing_else(stepper: Callable[..., Stepper]) -> None:
    weights = [Weight(1.0, 0.5), Weight(2.0, 0.0)]
    stepper(weights, 0.1).zero_grad()
    assert [(w.data, w.grad) for w in weights] == [(1.0, None), (2.0, None)]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("label", "named"), [("layer0.bias", "layer0.bias"), ("", "parameter 2")])
@EITHER
def test_a_gradient_that_is_not_finite_is_named_and_changes_nothing(
    stepper: Callable[..., Stepper], bad: float, label: str, named: str
) -> None:
    weights = [Weight(1.0, 0.5), Weight(2.0), Weight(3.0, bad, label), Weight(4.0, 1.0)]
    optimizer = stepper(weights, 0.1)
    weights[2].grad = 1.0
    optimizer.step()
    weights[2].grad = bad
    before, states = [w.data for w in weights], list(optimizer.states)
    with pytest.raises(FloatingPointError, match=f"gradient of {named} is {bad}"):
        optimizer.step()
    assert [w.data for w in weights] == before
    assert optimizer.states == states


@pytest.mark.parametrize(
    ("stepper", "gradient"),
    [(GradientDescent, 1e308), (Adam, 1e200), (RMSprop, 1e200)],
    ids=["weight", "squared gradient", "square of RMSprop"],
)
def test_a_step_that_would_overflow_is_refused(
    stepper: Callable[..., Stepper], gradient: float
) -> None:
    fine, huge = Weight(1.0, 1.0), Weight(1.0, gradient, "huge")
    optimizer = stepper([fine, huge], 1000.0)
    with pytest.raises(FloatingPointError, match=r"overflows at huge.*1000\.0"):
        optimizer.step()
    assert (fine.data, huge.data) == (1.0, 1.0)
    assert optimizer.states == [optimizer.initial_state] * 2


def test_a_weight_and_a_state_whose_sum_overflows_are_finite_all_the_same() -> None:
    w = Weight(1.7e308, grad=1e308)
    optimizer = GradientDescent([w], 1e-3)
    optimizer.step()
    assert math.isfinite(w.data)
    assert math.isinf(w.data + optimizer.states[0][0])


@EITHER
def test_a_step_is_never_half_taken_when_interrupted(stepper: Callable[..., Stepper]) -> None:
    class InterruptedOnce(Weight):
        interrupted = False

        def __setattr__(self, name: str, number: Any) -> None:
            if name == "data" and hasattr(self, "data") and not self.interrupted:
                self.interrupted = True
                raise KeyboardInterrupt
            super().__setattr__(name, number)

    interrupted = [Weight(1.0, 1.0), InterruptedOnce(2.0, 1.0), Weight(3.0, 1.0)]
    plain = [Weight(w.data, w.grad) for w in interrupted]
    optimizer, reference = stepper(interrupted, 0.1), stepper(plain, 0.1)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step()
    reference.step()
    assert [w.data for w in interrupted] == [w.data for w in plain]
    assert optimizer.states == reference.states


def test_descent_does_not_care_where_a_gradient_comes_from() -> None:
    w = Weight(1.0)
    optimizer = GradientDescent([w], 0.1)
    for _ in range(200):
        w.grad = w.data  # written by hand: the derivative of ½w²
        optimizer.step()
    assert w.data == pytest.approx(0.9**200, rel=1e-12)


def test_a_gradient_of_fewer_bits_leaves_the_weight_all_of_its_own() -> None:
    w = Weight(0.3, np.float32(0.5))
    optimizer = GradientDescent([w], 0.1, momentum=0.9)
    optimizer.step()
    assert w.data == 0.3 - 0.1 * 0.5
    assert {type(x) for x in (w.data, *optimizer.states[0])} == {float}


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0, 0.0, -0.1, math.nan, math.inf, -math.inf, 10**400])
@EITHER
def test_a_bad_rate_is_refused_also_when_reassigned(
    stepper: Callable[..., Stepper], rate: float
) -> None:
    with pytest.raises(ValueError, match=rf"learning_rate.*{rate}"):
        stepper([Weight(1.0)], rate)
    optimizer = stepper([Weight(1.0)], 0.1)
    with pytest.raises(ValueError, match=rf"learning_rate.*{rate}"):
        optimizer.learning_rate = rate
    assert optimizer.learning_rate == 0.1


@pytest.mark.parametrize("rate", [True, "0.1", None, 1j, [0.1], np.array([0.1])])
@EITHER
def test_a_rate_that_is_no_number_is_refused(stepper: Callable[..., Stepper], rate: object) -> None:
    with pytest.raises(TypeError, match="learning_rate: expected a number, got"):
        stepper([Weight(1.0)], rate)


@pytest.mark.parametrize("rate", [1, np.float32(0.5), np.int64(2), Fraction(1, 3)])
@EITHER
def test_any_real_number_is_a_rate(stepper: Callable[..., Stepper], rate: float) -> None:
    assert stepper([Weight(1.0)], rate).learning_rate == float(rate)


@pytest.mark.parametrize(
    ("stepper", "settings", "named"),
    [
        (GradientDescent, {"momentum": -0.1}, "momentum"),
        (GradientDescent, {"momentum": 1.0}, "momentum"),
        (GradientDescent, {"momentum": math.nan}, "momentum"),
        (Adam, {"betas": (1.0, 0.9)}, r"betas\[0\]"),
        (Adam, {"betas": (0.9, -0.1)}, r"betas\[1\]"),
        (Adam, {"betas": (0.9, math.nan)}, r"betas\[1\]"),
        (Adam, {"eps": 0.0}, "eps"),
        (Adam, {"eps": math.inf}, "eps"),
        (AdamW, {"weight_decay": -0.1}, "weight_decay.*0 or above"),
        (AdamW, {"weight_decay": math.inf}, "weight_decay"),
        (RMSprop, {"alpha": 1.0}, "alpha"),
        (RMSprop, {"eps": -1.0}, "eps"),
        (GradientDescent, {"nesterov": True}, "nesterov: expected a momentum above 0"),
    ],
)
def test_a_setting_out_of_range_is_named(
    stepper: Callable[..., Stepper], settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        stepper([Weight(1.0)], 0.1, **settings)


@pytest.mark.parametrize("betas", [0.9, (0.9,), (0.9, 0.99, 0.999), "ab", (0.9, "0.99")])
def test_betas_are_two_numbers(betas: object) -> None:
    with pytest.raises(TypeError, match="betas"):
        Adam([Weight(1.0)], 0.1, betas=betas)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ([], ValueError, "got none"),
        (iter(()), ValueError, "got none"),
        (Weight(1.0), TypeError, r"an iterable.*got one Weight.*model\.parameters\(\)"),
        ([Weight(1.0), 2.0], TypeError, "2.0 of type float at index 1"),
        ("weights", TypeError, "'w' of type str at index 0"),
        ([[Weight(1.0)]], TypeError, "of type list at index 0"),
    ],
)
@EITHER
def test_parameters_that_cannot_be_moved_are_refused(
    stepper: Callable[..., Stepper], parameters: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        stepper(parameters, 0.1)


@EITHER
def test_a_single_value_is_refused_with_the_way_out(stepper: Callable[..., Stepper]) -> None:
    with pytest.raises(TypeError, match=r"\[w\] for a single Value w"):
        stepper(Value(1.0), 0.1)


@EITHER
def test_a_parameter_given_twice_is_refused(stepper: Callable[..., Stepper]) -> None:
    w = Weight(1.0, label="shared")
    with pytest.raises(ValueError, match=r"shared.*index 0 and again at 2"):
        stepper([w, Weight(1.0), w], 0.1)


@pytest.mark.parametrize("kind", [list, tuple, iter, dict.fromkeys])
def test_parameters_may_be_any_iterable(kind: Callable[[list[Weight]], Iterable[Weight]]) -> None:
    weights = [Weight(1.0, 1.0), Weight(2.0, 1.0)]
    GradientDescent(kind(weights), 0.5).step()
    assert [w.data for w in weights] == [0.5, 1.5]


@pytest.mark.parametrize("choice", [1, 0.9, None, "yes"])
def test_a_flag_is_true_or_false(choice: Any) -> None:
    with pytest.raises(TypeError, match="nesterov: expected True or False, got"):
        GradientDescent([Weight(1.0)], 0.1, 0.9, nesterov=choice)


# --- steppers of one's own ------------------------------------------------------------------------


class Scaled(Adam):
    def __init__(self, parameters: Any, scale: float) -> None:
        super().__init__(parameters, learning_rate=scale / 10.0)
        self.scale = scale


class Rescaled(Scaled):
    """Adds nothing."""


class Tuned(GradientDescent):
    learning_rate: float = 0.25


def test_a_constructor_that_a_class_defines_is_inherited() -> None:
    for kind in (Scaled, Rescaled):
        stepper = kind([Value(1.0)], 2.0)
        assert (stepper.learning_rate, stepper.scale) == (0.2, 2.0)


def test_a_new_default_of_a_setting_is_checked_and_passed_to_the_rule() -> None:
    assert Tuned([Value(1.0)]).coefficients() == (0.25, 0.0)
    assert repr(Tuned([Value(1.0)])) == "Tuned(1 parameters, learning_rate=0.25, momentum=0.0)"
    with pytest.raises(ValueError, match="learning_rate: expected a finite number above 0"):
        Tuned([Value(1.0)], -1.0)


class Noisy(Stepper):
    """Has settings of several kinds, and an attribute that is none."""

    initial_state = (0.0, 1.0)
    memory: float = setting(check=fraction)
    scale: float = setting(check=number)
    shift: float = setting(check=number)
    signed: bool = setting(check=flag)

    def __init__(
        self,
        parameters: Iterable[Weight],
        learning_rate: float,
        scale: float,
        memory: float = 0.5,
        shift: float = -1.0,
        signed: bool = False,
        name: str = "noisy",
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.shift = shift
        self.scale = scale
        self.memory = memory
        self.signed = signed
        self.name = name

    def update(self, weight: Any, gradient: Any, state: Any, coefficients: Any, sqrt: Any) -> Any:
        m, t = state
        learning_rate, memory, scale, shift = coefficients
        m = memory * m + gradient
        return weight - learning_rate * scale * m / t + shift, (m, t + 1.0)


class Cautious(GradientDescent):
    """Adds a setting to those of its base."""

    caution: float = setting(check=not_negative, default=2.0)


def test_a_stepper_of_ones_own_hands_its_settings_to_its_rule() -> None:
    w = Weight(1.0, grad=0.5)
    optimizer = Noisy([w], 0.1, scale=4)
    assert optimizer.coefficients() == (0.1, 0.5, 4.0, -1.0)
    optimizer.step()
    assert w.data == 1.0 - 0.1 * 4.0 * 0.5 / 1.0 - 1.0
    assert optimizer.states == [(0.5, 2.0)]
    optimizer.shift = 0
    assert optimizer.coefficients() == (0.1, 0.5, 4.0, 0.0)
    assert Cautious([w], 0.1, caution=3).coefficients() == (0.1, 0.0, 3.0)
    with pytest.raises(TypeError, match="learning_rate"):
        Cautious([w])  # type: ignore[call-arg]


def test_a_stepper_of_ones_own_shows_its_settings() -> None:
    optimizer = Noisy([Weight(1.0)], 0.1, scale=4)
    shown = "Noisy(1 parameters, learning_rate=0.1, memory=0.5, scale=4.0, shift=-1.0"
    assert repr(optimizer) == f"{shown})"
    optimizer.signed = True
    assert repr(optimizer) == f"{shown}, signed=True)"


@pytest.mark.parametrize(
    ("name", "setting", "error"),
    [
        ("memory", 1.0, ValueError),
        ("memory", "0.5", TypeError),
        ("scale", math.nan, ValueError),
        ("scale", -math.inf, ValueError),
        ("scale", None, TypeError),
        ("shift", "left", TypeError),
        ("shift", True, TypeError),
        ("signed", 1, TypeError),
    ],
)
def test_the_settings_of_a_stepper_of_ones_own_are_checked(
    name: str, setting: Any, error: type[Exception]
) -> None:
    optimizer = Noisy([Weight(1.0)], 0.1, scale=4)
    before = getattr(optimizer, name)
    with pytest.raises(error, match=rf"{name}(: expected| must be)"):
        setattr(optimizer, name, setting)
    assert getattr(optimizer, name) == before
    with pytest.raises(error, match=rf"{name}(: expected| must be)"):
        Noisy([Weight(1.0)], 0.1, **{"scale": 1.0, name: setting})


def test_an_attribute_that_is_not_declared_is_no_setting() -> None:
    optimizer = Noisy([Weight(1.0)], 0.1, 1.0, name="mine")
    before = optimizer.coefficients()
    optimizer.name = "still mine"
    optimizer.other = 5.0  # type: ignore[attr-defined]
    assert "mine" not in repr(optimizer)
    assert "other" not in repr(optimizer)
    assert optimizer.coefficients() == before


@pytest.mark.parametrize("bad", [lambda g: 1.0 / (g - g), lambda g: (1e200 * g) ** 2])
def test_a_rule_that_leaves_the_numbers_is_refused_as_an_overflow(bad: Any) -> None:
    class Reckless(Stepper):
        def update(
            self, weight: Any, gradient: Any, state: Any, coefficients: Any, sqrt: Any
        ) -> Any:
            return weight - bad(gradient), state

    w = Weight(1.0, 2.0, "w")
    with pytest.raises(FloatingPointError, match=r"Reckless\.step: the step overflows at w"):
        Reckless([w], 0.1).step()
    assert w.data == 1.0


def test_the_stepper_in_the_description_works() -> None:
    import doctest
    import sys
    import textwrap

    optim = sys.modules[Stepper.__module__]
    lines = doctest.script_from_examples(optim.__doc__ or "").splitlines()
    start = lines.index("class SmoothLion(Stepper):")
    source = [line for line in lines[start:] if not line.startswith("#")]
    names = vars(optim).copy()
    exec(textwrap.dedent("\n".join(source)), names)
    w = Weight(1.0, grad=5.0)
    optimizer = names["SmoothLion"]([w], 0.01)
    optimizer.step()
    assert w.data == pytest.approx(0.99)
    with pytest.raises(ValueError, match="memory"):
        optimizer.memory = 1.0


def test_a_stepper_says_what_it_is() -> None:
    weights = [Weight(1.0), Weight(2.0)]
    assert repr(GradientDescent(weights, 0.1)) == (
        "GradientDescent(2 parameters, learning_rate=0.1, momentum=0.0)"
    )
    assert repr(Adam(weights)) == (
        "Adam(2 parameters, learning_rate=0.001, betas=(0.9, 0.999), eps=1e-08)"
    )
    assert repr(GradientDescent(weights, 0.1, 0.5, nesterov=True)).endswith(", nesterov=True)")
    assert repr(AdamW(weights)).endswith("eps=1e-08, weight_decay=0.01)")
    assert (
        repr(RMSprop(weights)) == "RMSprop(2 parameters, learning_rate=0.01, alpha=0.99, eps=1e-08)"
    )
