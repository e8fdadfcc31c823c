"""`jit_step`: the same steps as by `backward` and `optimizer.step()`, in one program."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag

pytest.importorskip("llvmlite", reason="machine code needs llvmlite (extra jit)")

Optimizer = Callable[[list[ag.Value]], ag.Stepper]

OPTIMIZERS: dict[str, Optimizer] = {
    "descent": lambda p: ag.GradientDescent(p, 0.05),
    "momentum": lambda p: ag.GradientDescent(p, 0.05, momentum=0.9, nesterov=True),
    "RMSprop": lambda p: ag.RMSprop(p, 0.01),
    "Adam": lambda p: ag.Adam(p, 0.01),
    "AdamW": lambda p: ag.AdamW(p, 0.01, weight_decay=0.1),
}


def data(n: int) -> tuple[list[list[float]], list[float]]:
    X = [[math.sin(3.0 * i), math.cos(7.0 * i)] for i in range(n)]
    return X, [1.0 if a * b > 0.0 else -1.0 for a, b in X]


def classifier() -> tuple[Callable[..., Any], list[ag.Value]]:
    model = ag.MLP(2, [5, 1], activation="tanh", seed=3)
    return lambda x, y: ag.hinge(model(x), y), model.parameters()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_backward_and_step_to_the_bit(name: str) -> None:
    """On batches of any size, whatever is changed between the steps."""
    found = []
    for is_one_program in (True, False):
        loss, parameters = classifier()
        optimizer = OPTIMIZERS[name](parameters)
        step, compiled = ag.jit_step(loss, optimizer), ag.jit(loss, "llvm")
        losses = []
        for i, size in enumerate([1, 7, 40, 120, 7]):
            X, Y = data(size)
            if i == 2:
                optimizer.learning_rate = 0.003
            if i == 3:
                parameters[4].data = 0.25
            if is_one_program:
                losses.append(step(X, Y))
            else:
                optimizer.zero_grad()
                losses.append(compiled.backward(X, Y))
                optimizer.step()
        found.append(
            (losses, [(p.data, p.grad) for p in parameters], [tuple(s) for s in optimizer.states])
        )
    assert found[0] == found[1]


def test_it_is_the_eager_step() -> None:
    X, Y = data(20)
    rows = []
    for is_compiled in (True, False):
        loss, parameters = classifier()
        optimizer = ag.Adam(parameters, 0.01)
        step = ag.jit_step(loss, optimizer)
        for _ in range(5):
            if is_compiled:
                step(X, Y)
                continue
            optimizer.zero_grad()
            ag.mean([loss(x, y) for x, y in zip(X, Y, strict=True)]).backward()
            optimizer.step()
        rows.append([p.data for p in parameters])
    assert rows[0] == pytest.approx(rows[1], rel=1e-12)


def test_a_loss_without_arguments_and_parameters_that_it_does_not_reach() -> None:
    w, other = ag.Value(3.0, "w"), ag.Value(5.0, "other")
    w.grad = other.grad = 7.0
    step = ag.jit_step(lambda: w * w, ag.GradientDescent([other, w], 0.25))
    assert [step(), step()] == [9.0, 2.25]
    assert (w.data, w.grad) == (0.75, 3.0)
    assert (other.data, other.grad) == (5.0, None)


def test_a_leaf_that_is_no_parameter_is_read_at_each_call() -> None:
    w, scale = ag.Value(1.0, "w"), ag.Value(2.0, "scale")
    step = ag.jit_step(lambda x: scale * w * x, ag.GradientDescent([w], 0.5))
    assert step([1.0]) == 2.0
    scale.data = -4.0
    assert step([1.0]) == 0.0
    assert (w.data, w.grad, scale.grad) == (2.0, -4.0, None)


@pytest.mark.parametrize(
    ("of_w", "start", "x", "message"),
    [
        (lambda w: w.sqrt(), 0.0, 1.0, "the gradient of w is inf"),
        (lambda w: w, 1.0, math.inf, "the loss is inf"),
        (lambda w: (w - 1.0) * 1e200, 1.0, 1.0, "the step overflows at w"),
    ],
    ids=["gradient", "loss", "state"],
)
def test_a_step_that_would_not_stay_finite_is_refused(
    of_w: Callable[[Any], Any], start: float, x: float, message: str
) -> None:
    other, w = ag.Value(1.0, "other"), ag.Value(start, "w")
    optimizer = ag.RMSprop([other, w], 1.0)
    step = ag.jit_step(lambda x: other + of_w(w) * x, optimizer)
    with pytest.raises(FloatingPointError, match=message):
        step([x, x])
    assert (w.data, other.data) == (start, 1.0)
    assert optimizer.states == [(0.0,), (0.0,)]


def test_a_branch_that_was_not_taken_spoils_nothing() -> None:
    w = ag.Value(1.0, "w")
    step = ag.jit_step(
        lambda x: ag.where(w > 2.0, ag.log(w - 2.0), w * x), ag.GradientDescent([w], 0.5)
    )
    assert step([1.0, 3.0]) == 2.0
    assert (w.data, w.grad) == (0.0, 2.0)


def test_what_it_is_not_for_is_refused_by_name() -> None:
    w = ag.Value(1.0, "w")
    descent = ag.GradientDescent([w], 0.1)
    with pytest.raises(TypeError, match=r"^jit_step: expected a function, got 3.0 of type float"):
        ag.jit_step(3.0, descent)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^jit_step: int states no rule .*ag\.Stepper"):
        ag.jit_step(lambda x: w * x, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^jit_step: the loss returned a list; it needs one Value"):
        ag.jit_step(lambda x: [w * x], descent)([1.0])
    with pytest.raises(RuntimeError, match=r"^jit_step: the loss depends on no parameter"):
        ag.jit_step(lambda x: x * x, descent)([1.0])
    step = ag.jit_step(lambda x: w * x, descent)
    for refused in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            refused(step)
