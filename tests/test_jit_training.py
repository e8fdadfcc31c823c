"""`fit(compiled=True)`: the same training as the eager one, in machine code."""

from __future__ import annotations

import _thread
import itertools
import math
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import autograd as ag
from autograd.compiler.backends.llvm.training import CompiledTraining
from autograd.optim import Stepper, setting, two_fractions
from autograd.training import fitting, loop
from autograd.training.compiled import MachineSteps, ProgramSteps

pytest.importorskip("llvmlite", reason="training in machine code needs llvmlite (extra jit)")

Run = tuple[ag.MLP, Stepper, ag.History]

X = [[math.sin(3.0 * i), math.cos(5.0 * i)] for i in range(30)]
SIGNS = [1 if x > y else -1 for x, y in X]


def weight_decay(parameters: Any) -> ag.Value:
    return 1e-3 * ag.sum(w * w for w in parameters)


def run(
    compiled: bool,
    stepper: Callable[[Any], Stepper] = lambda p: ag.GradientDescent(p, 0.1),
    epochs: int = 12,
    loss: Any = ag.hinge,
    targets: Any = SIGNS,
    n_outputs: int = 1,
    **settings: Any,
) -> Run:
    model = ag.MLP(2, [5, n_outputs], activation="tanh", seed=1)
    optimizer = stepper(model.parameters())
    settings = {"progress": False, "compiled": compiled} | settings
    return model, optimizer, ag.fit(model, loss, X, targets, optimizer, epochs, **settings)


def assert_same(compiled: Run, eager: Run) -> None:
    """Up to the order of the sums over a batch."""
    for got, expected in zip(compiled[2], eager[2], strict=True):
        assert got.loss == pytest.approx(expected.loss, rel=1e-9, abs=1e-300)
        assert got._replace(loss=0.0) == expected._replace(loss=0.0)
    assert compiled[2].stopped == eager[2].stopped
    assert weights(compiled) == pytest.approx(weights(eager), rel=1e-9)
    assert gradients(compiled) == pytest.approx(gradients(eager), rel=1e-9)
    for got_state, state in zip(compiled[1].states, eager[1].states, strict=True):
        assert got_state == pytest.approx(state, rel=1e-9)
    assert compiled[1].learning_rate == eager[1].learning_rate


def weights(run: Run) -> list[float]:
    return [p.data for p in run[0].parameters()]


def gradients(run: Run) -> list[float | None]:
    return [p.grad for p in run[0].parameters()]


class Signed(Stepper):
    """A stepper of one's own, with a state whose rule uses only some of the coefficients."""

    initial_state = (1.0,)

    def coefficients(self) -> tuple[float, ...]:
        return self.learning_rate, 17.0, 0.5

    def update(self, weight: Any, gradient: Any, state: Any, coefficients: Any, sqrt: Any) -> Any:
        (size,) = state
        learning_rate, _, decay = coefficients
        size = decay * size + (1.0 - decay) * sqrt(gradient * gradient + 1e-6)
        return weight - learning_rate * gradient / size, (size,)


STEPPERS = {
    "descent": lambda p: ag.GradientDescent(p, 0.1),
    "momentum": lambda p: ag.GradientDescent(p, 0.05, momentum=0.9),
    "nesterov": lambda p: ag.GradientDescent(p, 0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda p: ag.RMSprop(p, 0.01, alpha=0.9),
    "adam": lambda p: ag.Adam(p, 0.02, betas=(0.8, 0.99)),
    "adamw": lambda p: ag.AdamW(p, 0.02, weight_decay=0.1),
    "own": lambda p: Signed(p, 0.01),
}

SETTINGS: dict[str, dict[str, Any]] = {
    "batch": {},
    "stochastic": {"batch_size": 1},
    "mini-batch": {"batch_size": 8},
    "even mini-batch": {"batch_size": 10, "seed": 3},
    "larger than all": {"batch_size": 1000},
    "penalty": {"batch_size": 8, "penalty": weight_decay},
    "schedule": {"batch_size": 8, "schedule": lambda step: 0.1 / (1.0 + step)},
    "tolerance": {"epochs": 40, "tolerance": 0.3},
    "one epoch": {"epochs": 1},
    "accuracy": {"accuracy": lambda y, t: ag.where(y * t > 0.1, 1.0, 0.0)},
}


@pytest.mark.parametrize(
    ("stepper", "setting"),
    [
        *((stepper, "mini-batch") for stepper in STEPPERS),
        *(
            pytest.param(stepper, setting, marks=pytest.mark.slow)
            for stepper in ("descent", "adam")
            for setting in SETTINGS
            if setting != "mini-batch"
        ),
    ],
)
def test_it_is_the_same_training(stepper: str, setting: str) -> None:
    kind, settings = STEPPERS[stepper], SETTINGS[setting]
    eager = run(False, kind, **settings)
    assert_same(run(True, kind, **settings), eager)
    assert_same(run(False, kind, backend="python", **settings), eager)


@pytest.mark.parametrize("backend", ["auto", "llvm", "python"])
def test_a_back_end_may_be_named(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []
    for kind in (MachineSteps, ProgramSteps):
        method = kind.take

        def take(self: Any, chunk: Any, method: Any = method) -> Any:
            taken.append(type(self))
            return method(self, chunk)

        monkeypatch.setattr(kind, "take", take)
    run(False, backend=backend, epochs=3)
    assert set(taken) == {ProgramSteps if backend == "python" else MachineSteps}
    taken.clear()
    run(True, backend=backend, epochs=3)
    assert set(taken) == {ProgramSteps if backend == "python" else MachineSteps}
    taken.clear()
    run(True, epochs=3)
    assert set(taken) == {MachineSteps}


def test_examples_in_the_order_given() -> None:
    settings: dict[str, Any] = {"batch_size": 8, "shuffle": False}
    in_order = run(True, **settings)
    assert_same(in_order, run(False, **settings))
    assert weights(in_order) != weights(run(True, batch_size=8))


@pytest.mark.parametrize("backend", ["llvm", "python"])
def test_examples_of_different_shapes_train_by_a_program_for_each(backend: Any) -> None:
    lengths = [1, 3, 2, 3, 3, 1, 2, 3]
    rows = [[math.sin(i + k) for k in range(n)] for i, n in enumerate(lengths)]
    targets = [[math.cos(x) for x in row] for row in rows]
    found: dict[Any, tuple[list[float], ag.History]] = {}
    for way in (backend, None):
        w, v = ag.Value(0.5), ag.Value(0.1)

        def model(xs: Any, w: Any = w, v: Any = v) -> list[ag.Value]:
            """A recurrent network of one number."""
            state: Any = 0.0
            states = []
            for x in xs:
                state = (w * state + v * x).tanh()
                states.append(state)
            return states

        history = ag.fit(
            *(model, ag.mean_squared_error, rows, targets, ag.Adam([w, v], 0.01), 5, 1),
            backend=way, progress=False,
        )  # fmt: skip
        found[way] = [w.data, v.data], history
    assert found[backend][0] == found[None][0]
    assert [row.loss for row in found[backend][1]] == [row.loss for row in found[None][1]]

    optimizer = ag.Adam([w, v], 0.01)
    with pytest.raises(ValueError, match=r"rows \d and \d have \(\(\d,\), .*batch_size=1"):
        ag.fit(model, ag.mean_squared_error, rows, targets, optimizer, 5, 3, backend=backend)


def root_or_line(w: ag.Value, x: float) -> ag.Value:
    return ag.where(w * x > 0.0, (w * x).sqrt(), w * x)


@pytest.mark.parametrize("backend", ["llvm", "python"])
def test_an_unselected_branch_contributes_nothing_to_a_step(backend: Any) -> None:
    """The compiled gradient is nan where the root of a negative number was not taken."""
    outcomes = []
    for way in (backend, None):
        w = ag.Value(0.5)
        history = ag.fit(
            partial(root_or_line, w),
            *(ag.mean_squared_error, [-1.0, 1.0, 4.0], [-1.0, 1.0, 2.0]),
            *(ag.GradientDescent([w], 0.1), 10),
            backend=way, progress=False,
        )  # fmt: skip
        outcomes.append([w.data, *(row.loss for row in history)])
    assert outcomes[0] == pytest.approx(outcomes[1], rel=1e-12)
    assert 0.5 < outcomes[0][0] < 1.0


CLASSES = [i % 3 for i in range(30)]

PROBLEMS: dict[str, dict[str, Any]] = {
    "cross entropy": {"loss": ag.cross_entropy, "targets": CLASSES, "n_outputs": 3},
    "rows of probabilities": {
        "loss": ag.cross_entropy,
        "targets": [[float(k == c) for c in range(3)] for k in CLASSES],
        "n_outputs": 3,
    },
    "binary cross entropy": {
        "loss": ag.binary_cross_entropy,
        "targets": [(s + 1) // 2 for s in SIGNS],
    },
    "regression": {"loss": ag.mean_squared_error, "targets": [x * y for x, y in X]},
    "regression to rows": {"loss": ag.mean_squared_error, "targets": X, "n_outputs": 2},
}


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_every_loss_trains(problem: dict[str, Any]) -> None:
    assert_same(run(True, batch_size=7, **problem), run(False, batch_size=7, **problem))


@pytest.mark.slow
def test_one_example_has_the_same_bits() -> None:
    settings: dict[str, Any] = {"batch_size": 1, "penalty": weight_decay, "epochs": 3}
    for stepper in STEPPERS.values():
        compiled, eager = run(True, stepper, **settings), run(False, stepper, **settings)
        assert weights(compiled) == weights(eager)
        assert compiled[1].states == eager[1].states


def test_a_training_may_be_continued() -> None:
    model, optimizer, _ = first = run(True, STEPPERS["adam"], epochs=4, batch_size=30)
    optimizer.learning_rate = 0.3
    ag.fit(model, ag.hinge, X, SIGNS, optimizer, 4, compiled=True, progress=False)
    model, optimizer, _ = second = run(False, STEPPERS["adam"], epochs=4, batch_size=30)
    optimizer.learning_rate = 0.3
    ag.fit(model, ag.hinge, X, SIGNS, optimizer, 4, progress=False)
    assert weights(first) == pytest.approx(weights(second), rel=1e-9)


def test_a_callback_sees_the_parameters_of_its_epoch() -> None:
    seen: dict[bool, list[float]] = {}
    for compiled in (True, False):
        model = ag.MLP(2, [4, 1], seed=2)
        optimizer = ag.GradientDescent(model.parameters(), 0.1)
        found = seen[compiled] = []

        def look(
            epoch: Any, model: Any = model, optimizer: Any = optimizer, found: Any = found
        ) -> None:
            found.append(model.parameters()[0].data)
            optimizer.learning_rate = 0.1 / epoch.epoch  # and may steer

        ag.fit(
            *(model, ag.hinge, X, SIGNS, optimizer, 9),
            batch_size=13, callback=look, compiled=compiled, progress=False,
        )  # fmt: skip
    assert seen[True] == pytest.approx(seen[False], rel=1e-9)
    assert len(set(seen[True])) == 9


def test_a_callback_may_watch_a_long_training() -> None:
    seen: list[Any] = []
    settings: dict[str, Any] = {"epochs": 700}
    history = run(True, callback=seen.append, **settings)[2]
    assert seen == history
    assert history == run(True, **settings)[2]


def test_a_schedule_is_asked_once_for_each_step_in_order() -> None:
    asked: list[int] = []

    def schedule(step: int) -> float:
        asked.append(step)
        return 0.1 / (1 + step)

    history = run(True, epochs=50, batch_size=8, schedule=schedule)[2]
    assert asked == list(range(200))
    assert [row.learning_rate for row in history] == [0.1 / (4 * n) for n in range(1, 51)]


class Plain(ag.Stepper):
    """Reads its settings from `self`."""

    pull: tuple[float, float] = setting(check=two_fractions, default=(0.5, 0.1))

    def update(self, weight: Any, gradient: Any, state: Any, *_: Any) -> Any:
        return weight - self.learning_rate * (gradient * self.pull[0] + self.pull[1]), state


def test_a_setting_that_a_rule_reads_from_itself_is_no_constant() -> None:
    settings: dict[str, Any] = {"batch_size": 8, "schedule": lambda step: 0.1 / (1.0 + step)}
    eager, compiled = (run(flag, lambda p: Plain(p, 0.5), **settings) for flag in (False, True))
    assert weights(compiled) == pytest.approx(weights(eager), rel=1e-12)
    model = ag.MLP(1, [1], seed=0)
    optimizer = Plain(model.parameters(), 0.5)
    step = ag.jit_step(lambda x: model([x]), optimizer)
    step([0.0])
    optimizer.pull = (0.0, 0.0)
    before = [parameter.data for parameter in model.parameters()]
    step([0.0])
    assert [parameter.data for parameter in model.parameters()] == before


def test_an_epoch_may_take_longer_than_machine_code_may_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its loss and accuracy are then put together from several chunks of steps."""
    settings: dict[str, Any] = {"epochs": 9, "batch_size": 4, "stepper": STEPPERS["adam"]}
    monkeypatch.setattr(loop, "CHUNK", 1e-9)
    in_small_chunks = run(True, **settings)
    monkeypatch.undo()
    whole = run(True, **settings)
    assert in_small_chunks[2] == whole[2]
    assert weights(in_small_chunks) == weights(whole)


# --- stopping -------------------------------------------------------------------------------------


def test_an_interrupt_leaves_the_parameters_of_the_last_epoch_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Although machine code had run ahead of it."""

    def interrupt(history: Any, tolerance: float) -> bool:
        if len(history) == 137:
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr(fitting, "has_converged", interrupt)
    interrupted = run(True, STEPPERS["momentum"], epochs=1000, tolerance=0.1, batch_size=9)
    assert interrupted[2].stopped == "interrupted"
    assert len(interrupted[2]) == 137
    monkeypatch.undo()
    whole = run(True, STEPPERS["momentum"], epochs=137, batch_size=9)
    assert weights(interrupted) == weights(whole)
    assert interrupted[1].states == whole[1].states


@pytest.mark.parametrize("batch_size", [None, 7])
def test_of_an_interrupted_chunk_no_step_is_kept(
    batch_size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, calls = MachineSteps.take, itertools.count()

    def take(self: Any, chunk: Any) -> Any:
        found = taken(self, chunk)
        if next(calls) == 3:
            raise KeyboardInterrupt
        return found

    settings: Any = {"schedule": lambda step: 0.1 / (1.0 + step), "batch_size": batch_size}
    monkeypatch.setattr(MachineSteps, "take", take)
    interrupted = run(True, epochs=10**6, **settings)
    monkeypatch.undo()
    whole = run(True, epochs=len(interrupted[2]), **settings)
    assert interrupted[2].stopped == "interrupted"
    assert weights(interrupted) == weights(whole)
    assert interrupted[1].learning_rate == whole[1].learning_rate


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_while_machine_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = CompiledTraining.steps
    calls = itertools.count()
    returned = threading.Event()

    def interrupt() -> None:
        _thread.interrupt_main()
        while not returned.wait(10.0):  # it met a finaliser, which swallows exceptions
            _thread.interrupt_main()

    def steps(*args: Any) -> Any:
        if next(calls) == 9:
            threading.Timer(0.03, interrupt).start()
        return taken(*args)

    monkeypatch.setattr(CompiledTraining, "steps", steps)
    interrupted = run(True, epochs=10**9)
    returned.set()
    monkeypatch.undo()
    assert interrupted[2].stopped == "interrupted"
    whole = run(True, epochs=len(interrupted[2]))
    assert weights(interrupted) == weights(whole)
    assert interrupted[2][-1] == whole[2][-1]


# --- errors ---------------------------------------------------------------------------------------

DIVERGING: dict[str, dict[str, Any]] = {
    "loss": {"loss": lambda y, t: (y * y + 1.0).log() * math.inf},
    "gradient": {"loss": lambda y, t: (y - y).sqrt() * t, "targets": [1.0] * 30},
    "step": {"stepper": lambda p: ag.GradientDescent(p, 1e200), "loss": ag.mean_squared_error},
    "slowly": {"stepper": lambda p: ag.GradientDescent(p, 30.0), "loss": ag.mean_squared_error,
               "epochs": 3000, "batch_size": 7},
}  # fmt: skip


@pytest.mark.parametrize("settings", DIVERGING.values(), ids=DIVERGING)
def test_divergence_is_reported_as_ever(settings: dict[str, Any]) -> None:
    settings = dict(settings)
    made = settings.pop("stepper", STEPPERS["descent"])
    found: dict[Any, tuple[str, list[float]]] = {}
    for compiled in (True, False, "python"):
        steppers: list[Stepper] = []

        def stepper(parameters: Any, steppers: Any = steppers) -> Stepper:
            steppers.append(made(parameters))
            return steppers[0]

        backend = "python" if compiled == "python" else None
        with pytest.raises(FloatingPointError) as error:
            run(compiled is True, stepper, backend=backend, **settings)
        data = [p.data for p in steppers[0].parameters]
        assert all(map(math.isfinite, data))
        found[compiled] = str(error.value), data
    assert found[True][0].split(" is ")[0] == found[False][0].split(" is ")[0]
    assert found["python"][0].split(" is ")[0] == found[False][0].split(" is ")[0]
    assert "diverged at step" in found[True][0]


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "target": ({"targets": [0] * 30}, ValueError, "hinge: expected targets -1 and \\+1"),
    "class": (
        {"loss": ag.cross_entropy, "targets": [7] * 30, "n_outputs": 3},
        ValueError,
        "class index from 0 to 2",
    ),
    "branch": ({"loss": lambda y, t: y if y > t else t}, TypeError, "cannot be compiled"),
    "plain loss": ({"loss": lambda y, t: 1.0}, TypeError, "plain number"),
    "ragged": ({"targets": [[1]] * 29 + [[1, 1]]}, ValueError, "ragged|as many"),
    "unreached": ({"loss": lambda y, t: t * ag.Value(1.0)}, RuntimeError, "call backward"),
}


@pytest.mark.parametrize("backend", ["llvm", "python"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, backend: str) -> None:
    settings, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        run(True, backend=backend, **settings)


class Clipped(ag.GradientDescent):
    """Does more in a step than its rule says."""

    def step(self) -> None:
        for p in self.parameters:
            p.grad = None if p.grad is None else max(-0.01, min(0.01, p.grad))
        super().step()


class Forgetting(ag.Adam):
    def zero_grad(self) -> None:
        for p in self.parameters:
            p.grad = 0.0


def patched(parameters: Any) -> Stepper:
    optimizer = ag.Adam(parameters, 0.1)
    optimizer.step = lambda: None  # type: ignore[method-assign]
    return optimizer


class Wrapped:
    """Hands on what it does not know, the rule too, so that it looks like a stepper."""

    def __init__(self, parameters: Any) -> None:
        self.inner = ag.GradientDescent(parameters, 0.1)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.mark.parametrize(
    ("stepper", "message"),
    [
        (
            lambda p: Clipped(p, 0.1),
            r"Clipped overrides step\(\), which machine code does not call",
        ),
        (Forgetting, r"Forgetting overrides zero_grad\(\)"),
        (patched, r"Adam overrides step\(\)"),
        (Wrapped, r"Wrapped states no rule.*ag\.Stepper.*backend='python'"),
    ],
)
def test_a_stepper_that_would_train_differently_is_refused_by_name(
    stepper: Any, message: str
) -> None:
    untrained = [p.data for p in ag.MLP(2, [5, 1], activation="tanh", seed=1).parameters()]
    made: list[Any] = []

    def remembered(parameters: Any) -> Any:
        made.append(stepper(parameters))
        return made[0]

    with pytest.raises(TypeError, match=message):
        run(True, remembered)
    assert [p.data for p in made[0].parameters] == untrained


@pytest.mark.parametrize("stepper", [lambda p: Clipped(p, 0.1), Wrapped])
def test_a_gradient_compiled_alone_leaves_the_step_to_the_stepper(stepper: Any) -> None:
    compiled, eager = run(False, stepper, backend="python"), run(False, stepper)
    assert weights(compiled) == pytest.approx(weights(eager), rel=1e-9)
    assert weights(eager) != weights(run(False, lambda p: ag.GradientDescent(p, 0.2)))


def test_a_parameter_that_the_loss_does_not_reach_stays() -> None:
    used, unused = ag.Value(1.0), ag.Value(2.0)
    optimizer = ag.Adam([unused, used], 0.1)
    frozen = ag.Value(3.0)
    ag.fit(
        *(lambda x: used * x[0] * frozen, ag.mean_squared_error, X, SIGNS, optimizer, 5),
        compiled=True, progress=False,
    )  # fmt: skip
    assert (unused.data, optimizer.states[0]) == (2.0, ag.Adam.initial_state)
    assert used.data != 1.0
    assert frozen.data == 3.0
    assert unused.grad is None


@pytest.mark.slow
def test_without_llvmlite_the_error_says_what_to_install() -> None:
    program = """
        import sys
        sys.modules["llvmlite"] = None
        import autograd as ag
        model = ag.MLP(1, [1], seed=0)
        stepper = ag.GradientDescent(model.parameters(), 0.1)
        try:
            ag.fit(model, ag.mean_squared_error, [[1.0]], [1.0], stepper, 1, compiled=True)
        except ImportError as error:
            print(error)
    """
    run = [sys.executable, "-c", textwrap.dedent(program)]
    printed = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert printed == (
        "fit: backend 'llvm' needs llvmlite; pip install 'scalar-autograd[jit]', "
        "or choose backend 'python'\n"
    )
