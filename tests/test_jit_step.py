"""`jit_step`: the same steps as by `backward` and `optimizer.step()`, in one program."""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import pickle
import random
import sys
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


@pytest.mark.slow
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


# --- the block, in which machine code has the weights ---------------------------------------------


def pickled(parameters: list[ag.Value], optimizer: ag.Stepper) -> Any:
    parameters, optimizer = pickle.loads(pickle.dumps((parameters, optimizer)))
    return [(p.data, p.grad, type(p)) for p in parameters], optimizer.states


ACTIONS = {
    "read a weight": lambda p, o: p[3].data,
    "read a gradient": lambda p, o: p[5].grad,
    "set a weight": lambda p, o: setattr(p[2], "data", 0.5),
    "set a gradient": lambda p, o: setattr(p[2], "grad", None),
    "compute with weights": lambda p, o: (p[0] * p[1] + 2.0).data,
    "differentiate": lambda p, o: ag.grad(p[0] * p[1], [p[1]])[0].data,
    "compile": lambda p, o: ag.jit(lambda x: p[0] * x, "python")([2.0]),
    "print": lambda p, o: (repr(p[1]), f"{p[1]:.3}", str(p[4])),
    "copy a weight": lambda p, o: (copy.copy(p[1]).data, type(copy.deepcopy(p[1])) is ag.Value),
    "pickle all": pickled,
    "zero_grad": lambda p, o: o.zero_grad(),
    "read states": lambda p, o: list(o.states),
    "set a state": lambda p, o: o.states.__setitem__(1, o.initial_state),
    "set all states": lambda p, o: setattr(o, "states", [o.initial_state] * len(p)),
    "copy the optimizer": lambda p, o: (copy.deepcopy(o).states, copy.copy(o).states),
    "learning rate": lambda p, o: setattr(o, "learning_rate", 0.02),
    "step of the optimizer": lambda p, o: o.step(),
    "nothing": lambda p, o: None,
}


def by_hand(loss: Any, optimizer: ag.Stepper) -> Callable[..., float]:
    """The three lines that a compiled step takes the place of."""
    compiled = ag.jit(loss, "llvm")

    def step(*columns: Any) -> float:
        optimizer.zero_grad()
        value = compiled.backward(*columns)
        optimizer.step()
        return value

    return step


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_in_a_block_nothing_is_stale(name: str) -> None:
    """Whatever is read or set between two steps, in any order, is as without the block."""
    source = random.Random(name)
    actions = [source.choice(list(ACTIONS)) for _ in range(60)] + list(ACTIONS)
    found = []
    for is_block in (True, False):
        loss, parameters = classifier()
        optimizer = OPTIMIZERS[name](parameters)
        step = ag.jit_step(loss, optimizer) if is_block else by_hand(loss, optimizer)
        rows: list[Any] = []
        with step if is_block else contextlib.nullcontext():
            for i, action in enumerate(actions):
                rows += [step(*data(1 + i % 5)) for _ in range(1 + i % 2)]
                rows.append((action, ACTIONS[action](parameters, optimizer)))
            rows.append(step(*data(7)))
        rows += [(p.data, p.grad, type(p)) for p in parameters]
        found.append((rows, [tuple(state) for state in optimizer.states]))
    assert found[0] == found[1]


def test_a_block_is_left_with_all_written_back_whatever_ends_it() -> None:
    for error in (ValueError, KeyboardInterrupt):
        found = []
        for is_block in (True, False):
            loss, parameters = classifier()
            optimizer = ag.Adam(parameters, 0.01)
            step = ag.jit_step(loss, optimizer)

            def loop(step: Any = step, is_block: bool = is_block, error: Any = error) -> None:
                with step if is_block else contextlib.nullcontext():
                    for _ in range(3):
                        step(*data(9))
                    raise error

            with pytest.raises(error):
                loop()
            found.append([(p.data, p.grad) for p in parameters] + optimizer.states)
            assert {type(p) for p in parameters} == {ag.Value}
        assert found[0] == found[1]


def test_two_steps_of_one_optimizer_in_two_blocks() -> None:
    """Each has the weights and states of the other's latest step."""
    found = []
    for is_block in (True, False):
        loss, parameters = classifier()
        optimizer = ag.Adam(parameters, 0.01)
        losses = [loss, lambda x, y, w=parameters[0]: (w * x[0] - y) ** 2]
        steps = [(ag.jit_step if is_block else by_hand)(f, optimizer) for f in losses]
        with contextlib.ExitStack() as stack:
            for step in steps if is_block else []:
                stack.enter_context(step)  # type: ignore[arg-type]
            values = [steps[i % 2](*data(4 + i % 3)) for i in range(7)]
        found.append((values, [p.data for p in parameters], list(optimizer.states[0])))
    assert found[0] == found[1]


def test_a_parameter_of_a_class_of_ones_own_is_held_too() -> None:
    class Weight(ag.Value):
        """A Value with an attribute."""

        kind = "weight"

    w = Weight(1.0, "w")
    w.kind = "mine"
    with ag.jit_step(lambda x: w * w * x, ag.GradientDescent([w], 0.25)) as step:
        assert [step([1.0]), step([1.0])] == [1.0, 0.25]
        assert (w.kind, w.data, type(w)) == ("mine", 0.25, Weight)


def test_a_step_that_would_not_stay_finite_is_refused_in_a_block() -> None:
    w = ag.Value(1.0, "w")
    optimizer = ag.GradientDescent([w], 1.0)
    with ag.jit_step(lambda x: w.sqrt() * x, optimizer) as step:
        step([2.0])
        with pytest.raises(FloatingPointError, match="the gradient of w is inf"):
            step([2.0])
        assert w.data == 0.0
        w.data = 4.0
        assert step([1.0]) == 2.0
    assert w.data == 3.75


def test_a_block_is_entered_once_at_a_time() -> None:
    w = ag.Value(1.0, "w")
    with ag.jit_step(lambda x: w * x, ag.GradientDescent([w], 0.5)) as step:
        with pytest.raises(RuntimeError, match="in a with block already"):
            step.__enter__()
        step([1.0])
    with step:
        step([1.0])
    assert w.data == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("is_block", [False, True])
def test_no_step_is_half_taken_wherever_it_is_interrupted(is_block: bool) -> None:
    """A Ctrl-C on any line: weights and states are those before the step, or those after it."""

    def trained(n_steps: int, line: int = 0) -> tuple[Any, Any, bool]:
        loss, parameters = classifier()
        optimizer = ag.Adam(parameters, 0.01)
        step = ag.jit_step(loss, optimizer)
        was_interrupted = False
        with step if is_block else contextlib.nullcontext():
            for i in range(n_steps):
                if line and i == n_steps - 1:
                    try:
                        interrupted(lambda: step(*data(3)), line)
                    except KeyboardInterrupt:
                        was_interrupted = True
                else:
                    step(*data(3))
            if line == 0 or line % 2:  # read in the block, or after it
                list(optimizer.states)
        rows = [(p.data, *state) for p, state in zip(parameters, optimizer.states, strict=True)]
        assert {type(p) for p in parameters} == {ag.Value}
        return rows, step(*data(3)), was_interrupted

    before, after = trained(2)[:2], trained(3)[:2]
    found: list[Any] = []
    line = 1
    while not found or found[-1][2]:
        found.append(trained(3, line))
        line += 1
    assert len(found) > 30
    for rows, following, _ in found:
        assert (rows, following) in (before, after)


def interrupted(call: Callable[[], Any], n: int) -> None:
    """Run it, with a Ctrl-C at the n-th line of the compiler or the optimizer."""
    lines = itertools.count(1)

    def trace(frame: Any, event: str, _: Any) -> Any:
        path = frame.f_code.co_filename.replace("\\", "/")
        if "/compiler/" not in path and not path.endswith("/optim.py"):
            return None
        if event == "line" and next(lines) == n:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("in_block", [False, True])
def test_a_flag_that_is_switched_between_steps_switches_the_rule(in_block: bool) -> None:
    def trained(compiled: bool) -> list[float]:
        w, b = ag.Value(0.5), ag.Value(-0.2)
        optimizer = ag.GradientDescent([w, b], 0.05, momentum=0.9)

        def loss(x: ag.Value, y: ag.Value) -> ag.Value:
            return (w * x + b - y) ** 2

        step, gradient = ag.jit_step(loss, optimizer), ag.jit(loss)
        with step if compiled and in_block else contextlib.nullcontext():
            for nesterov in False, False, True, True, False:
                optimizer.nesterov = nesterov
                if compiled:
                    step([1.0, 2.0], [2.0, 0.5])
                else:
                    optimizer.zero_grad()
                    gradient.backward([1.0, 2.0], [2.0, 0.5])
                    optimizer.step()
        return [w.data, b.data]

    assert trained(compiled=True) == trained(compiled=False)
