"""The loop: batches, history, stopping, interruption, divergence."""

from __future__ import annotations

import contextlib
import gc
import math
import pickle
import re
import signal
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import functions
from autograd.datasets import iris, moons, train_test_split
from autograd.losses import binary_cross_entropy, cross_entropy, hinge, mean_squared_error
from autograd.nn import MLP
from autograd.optim import Adam, GradientDescent
from autograd.training import Epoch, History, Recording, batches, fit
from autograd.training.diagnostics import origin
from autograd.value import Value


class Line:
    """The model w·x + b, small enough to differentiate by hand."""

    def __init__(self, w: float = 0.0, b: float = 0.0) -> None:
        self.w, self.b = Value(w, "w"), Value(b, "b")

    def __call__(self, x: float) -> Value:
        return self.w * x + self.b

    def parameters(self) -> list[Value]:
        return [self.w, self.b]

    def numbers(self) -> tuple[float, float]:
        return self.w.data, self.b.data


X_LINE = [-1.0, 0.0, 1.0, 2.0, 3.0]
Y_LINE = [3.0 * x - 1.0 for x in X_LINE]


def fit_line(model: Line, epochs: int = 5, rate: float = 0.1, **settings: Any) -> History:
    X, Y = settings.pop("X", X_LINE), settings.pop("Y", Y_LINE)
    loss = settings.pop("loss", mean_squared_error)
    optimizer = settings.pop("optimizer", None) or GradientDescent(model.parameters(), rate)
    settings = {"progress": False} | settings
    return fit(model, loss, X, Y, optimizer, epochs, **settings)


def on_call(number: int, act: Callable[[], object]) -> Callable[[Any, Any], Value]:
    """The squared error, which acts at its n-th call."""
    calls = iter(range(1_000_000))

    def loss(prediction: Any, target: Any) -> Value:
        if next(calls) == number:
            act()
        return mean_squared_error(prediction, target)

    return loss


# --- batches --------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 2**64))
def test_an_epoch_meets_every_example_once_beside_its_target(n: int, size: int, seed: int) -> None:
    X, Y = list(range(n)), [-i for i in range(n)]
    epoch = list(batches(X, Y, size, seed))
    assert [len(xs) for xs, _ in epoch] == [size] * (n // size) + [n % size] * (n % size > 0)
    assert sorted(x for xs, _ in epoch for x in xs) == X
    assert all([-x for x in xs] == ys for xs, ys in epoch)


def test_a_seed_decides_the_order() -> None:
    X = list(range(20))
    assert list(batches(X, X, 3, seed=1)) == list(batches(X, X, 3, seed=1))
    assert list(batches(X, X, 3, seed=1)) != list(batches(X, X, 3, seed=2))
    assert list(range(20)) == X


@pytest.mark.parametrize("size", [20, 21, 1000])
def test_one_batch_of_all_keeps_the_order(size: int) -> None:
    X = list(range(20))
    assert list(batches(X, X, size, seed=1)) == [(X, X)]


def test_arrays_come_as_lists_of_plain_numbers() -> None:
    X, Y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 2])
    assert list(batches(X, Y, 3, 0)) == [([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [0, 1, 2])]
    ((xs, ys),) = batches(list(X), list(Y), 3, 0)
    assert {type(x) for row in xs for x in row} == {float}
    assert {type(y) for y in ys} == {int}


@pytest.mark.parametrize(
    ("X", "Y", "size", "error", "message"),
    [
        ([1, 2], [1], 1, ValueError, "X has 2 examples, Y has 1 targets"),
        ([], [], 1, ValueError, "no examples"),
        ([1], [1], 0, ValueError, "size must be at least 1, got 0"),
        ([1], [1], -2, ValueError, "got -2"),
        ([1], [1], 1.0, TypeError, "size must be an int, got 1.0 of type float"),
        ([1], [1], True, TypeError, "got True"),
        ([1], [1], None, TypeError, "got None"),
    ],
)
def test_bad_batches_are_refused_before_the_first_is_asked_for(
    X: list[int], Y: list[int], size: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        batches(X, Y, size, 0)


# --- the steps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, None])
def test_fit_takes_the_steps_of_the_loop_one_would_write_by_hand(size: int | None) -> None:
    fitted, by_hand = Line(), Line()
    met: list[list[float]] = []

    def observed(x: float) -> Value:
        met.append([x])
        return fitted(x)

    optimizer = GradientDescent(fitted.parameters(), 0.05, momentum=0.5)
    fit(observed, mean_squared_error, X_LINE, Y_LINE, optimizer, 3, size, progress=False)

    stepper = GradientDescent(by_hand.parameters(), 0.05, momentum=0.5)
    order = iter([x for (x,) in met])
    for _ in range(3):
        left = len(X_LINE)
        while left:
            xs = [next(order) for _ in range(min(size or 5, left))]
            left -= len(xs)
            stepper.zero_grad()
            functions.mean([(by_hand(x) - (3.0 * x - 1.0)) ** 2 for x in xs]).backward()
            stepper.step()
    assert fitted.numbers() == pytest.approx(by_hand.numbers(), rel=1e-12)


def test_the_gradient_of_a_batch_is_the_mean_of_its_examples() -> None:
    def gradients(X: list[float]) -> list[float]:
        model = Line(0.5, 0.25)
        fit_line(model, epochs=1, rate=1e-9, X=X, Y=[3.0 * x - 1.0 for x in X])
        return [p.grad for p in model.parameters()]  # type: ignore[misc]

    each = [gradients([x]) for x in X_LINE]
    mean = [sum(column) / len(X_LINE) for column in zip(*each, strict=True)]
    assert gradients(X_LINE) == pytest.approx(mean, rel=1e-12)


def test_every_epoch_has_an_order_of_its_own_that_the_seed_decides() -> None:
    def orders(seed: int) -> list[list[float]]:
        met: list[float] = []
        model = Line()
        optimizer = GradientDescent(model.parameters(), 0.01)
        X = [float(i) / 20 for i in range(20)]

        def observed(x: float) -> Value:
            met.append(x)
            return model(x)

        fit(observed, mean_squared_error, X, X, optimizer, 3, 4, progress=False, seed=seed)
        return [met[i : i + 20] for i in range(0, 60, 20)]

    first = orders(1)
    assert first == orders(1)
    assert all(a != b for a, b in pairwise(first))
    assert first[0] != orders(2)[0]


def test_the_penalty_counts_once_a_batch() -> None:
    calls = []

    def penalty(parameters: list[Value]) -> Value:
        calls.append(parameters)
        return 10.0 * functions.sum([p * p for p in parameters])

    model = Line(2.0, 1.0)
    plain = fit_line(Line(2.0, 1.0), epochs=1, rate=1e-9)
    penalised = fit_line(model, epochs=1, rate=1e-9, penalty=penalty)
    assert penalised[0].loss == pytest.approx(plain[0].loss + 10.0 * (4.0 + 1.0))
    assert calls == [model.parameters()]
    fit_line(model, epochs=1, rate=1e-9, penalty=penalty, batch_size=2)
    assert len(calls) == 1 + 3


def test_weight_decay_as_penalty_shrinks_the_weights() -> None:
    free, decayed = Line(), Line()
    fit_line(free, epochs=300)
    fit_line(decayed, epochs=300, penalty=lambda ps: functions.sum([p * p for p in ps]))
    assert free.numbers() == pytest.approx((3.0, -1.0), abs=1e-6)
    assert abs(decayed.w.data) < 2.9


def test_a_schedule_sets_the_rate_of_every_step() -> None:
    asked: list[int] = []
    model = Line()

    def schedule(step: int) -> float:
        asked.append(step)
        return 0.1 / (1 + step)

    optimizer = GradientDescent(model.parameters(), 5.0)
    history = fit_line(model, 2, optimizer=optimizer, batch_size=2, schedule=schedule)
    assert asked == list(range(6))
    assert [row.learning_rate for row in history] == [0.1 / 3, 0.1 / 6]
    assert optimizer.learning_rate == 0.1 / 6


def test_a_bad_rate_of_a_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"learning_rate.*got 0\.0"):
        fit_line(Line(), schedule=lambda step: 0.0)


@pytest.mark.parametrize("settings", [{}, {"backend": "python"}, {"backend": "llvm"}])
@pytest.mark.parametrize("first", [0, 2])
def test_a_schedule_that_returns_nothing_is_refused(settings: Any, first: int) -> None:
    if settings == {"backend": "llvm"}:
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite (extra jit)")

    def schedule(step: int) -> Any:
        return 0.1 if step < first else None

    with pytest.raises(TypeError, match=r"learning_rate: expected a number, got None"):
        fit_line(Line(), 20, schedule=schedule, **settings)


def test_any_parameter_that_the_stepper_does_not_hold_stays() -> None:
    model = Line(1.0, 1.0)
    fit_line(model, optimizer=GradientDescent([model.w], 0.1))
    assert model.b.data == 1.0
    assert model.w.data != 1.0


def test_arrays_and_lists_train_alike() -> None:
    lists, arrays = Line(), Line()
    fit_line(lists, batch_size=2)
    fit_line(arrays, batch_size=2, X=np.array(X_LINE), Y=np.array(Y_LINE))
    assert lists.numbers() == arrays.numbers()


def test_without_shuffling_every_epoch_has_the_order_given() -> None:
    met: list[float] = []
    model = Line()

    def observed(x: float) -> Value:
        met.append(x)
        return model(x)

    optimizer = GradientDescent(model.parameters(), 0.01)
    fit(
        observed, mean_squared_error, X_LINE, Y_LINE, optimizer, 3, 2, progress=False, shuffle=False
    )
    assert met == 3 * X_LINE
    in_order = batches(X_LINE, Y_LINE, 2, shuffle=False)
    assert [xs for xs, _ in in_order] == [X_LINE[:2], X_LINE[2:4], X_LINE[4:]]


def test_a_stepper_without_the_base_class_may_train() -> None:
    class Plain:
        learning_rate = 0.1

        def __init__(self, parameters: list[Value]) -> None:
            self.parameters = parameters

        def zero_grad(self) -> None:
            for p in self.parameters:
                p.grad = None

        def step(self) -> None:
            for p in self.parameters:
                p.data -= self.learning_rate * (p.grad or 0.0)

    plain, ours = Line(), Line()
    optimizer: Any = Plain(plain.parameters())
    assert fit_line(plain, optimizer=optimizer) == fit_line(ours)
    assert plain.numbers() == ours.numbers()


# --- the collector --------------------------------------------------------------------------------


@pytest.fixture
def collector() -> Any:
    """Whatever a test does, the collector is enabled afterwards."""
    yield
    gc.enable()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_pauses_while_a_graph_lives(enabled: bool, collector: None) -> None:
    seen: list[bool] = []
    between: list[bool] = []

    def loss(prediction: Value, target: float) -> Value:
        seen.append(gc.isenabled())
        return mean_squared_error(prediction, target)

    if not enabled:
        gc.disable()
    fit_line(Line(), loss=loss, callback=lambda row: between.append(gc.isenabled()))
    assert (set(seen), set(between), gc.isenabled()) == ({False}, {enabled}, enabled)


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt, FloatingPointError])
def test_the_collector_is_as_it_was_whatever_happens(
    enabled: bool, error: type[BaseException], collector: None
) -> None:
    def fail() -> None:
        raise error

    if not enabled:
        gc.disable()
    with contextlib.suppress(LookupError, FloatingPointError):
        fit_line(Line(), loss=on_call(7, fail))
    assert gc.isenabled() == enabled


def test_trainings_side_by_side_leave_the_collector_as_it_was(collector: None) -> None:
    met = threading.Barrier(2, timeout=60.0)

    def train(last: int) -> None:
        """Two steps of one thread overlap those of the other, and end in turn."""
        fit_line(Line(), epochs=last, loss=on_call(2, met.wait))

    threads = [threading.Thread(target=train, args=(epochs,)) for epochs in (2, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.isenabled()


def test_a_training_within_a_training_leaves_the_pause_to_the_outer(collector: None) -> None:
    enabled: list[bool] = []

    def train() -> None:
        fit_line(Line(), epochs=1)
        enabled.append(gc.isenabled())

    fit_line(Line(), loss=on_call(3, train))
    assert enabled == [False]
    assert gc.isenabled()


# --- frames, arrays with gaps, names of classes ---------------------------------------------------


def table(**columns: Any) -> Any:
    pandas = pytest.importorskip("pandas", reason="frames are pandas'")
    return pandas.DataFrame(columns)


def fit_table(X: Any, Y: Any, loss: Any = hinge, n_outputs: int = 1, **settings: Any) -> Any:
    model = MLP(2, [3, n_outputs], seed=0)
    optimizer = Adam(model.parameters(), 0.1)
    history = fit(model, loss, X, Y, optimizer, 3, 4, progress=False, **settings)
    return history, [p.data for p in model.parameters()]


POINTS = [[0.5 * i, (-1.0) ** i] for i in range(10)]
SIGNS = [1 if i % 3 else -1 for i in range(10)]


@pytest.mark.parametrize("backend", [None, "python"])
def test_frames_train_as_lists_do(backend: Any) -> None:
    frame = table(size=[x for x, _ in POINTS], side=[int(y) for _, y in POINTS], sign=SIGNS)
    expected = fit_table(POINTS, SIGNS, backend=backend)
    features = frame[["size", "side"]]
    assert fit_table(features, frame["sign"], backend=backend) == expected
    assert fit_table(features, frame[["sign"]], backend=backend) == expected
    assert fit_table(features.convert_dtypes(), frame["sign"], backend=backend) == expected
    assert fit_table(features.astype(object), frame["sign"], backend=backend) == expected
    shuffled = frame.sample(frac=1.0, random_state=1).sort_values("size")  # an index out of order
    assert fit_table(shuffled[["size", "side"]], shuffled["sign"], backend=backend) == expected
    ((xs, ys),) = batches(features, frame["sign"], 10)
    assert (xs, ys) == (POINTS, SIGNS)


def test_a_column_of_text_is_named() -> None:
    frame = table(size=[1.0, 2.0], kind=["good", "bad"])
    with pytest.raises(TypeError, match="X holds 'good' in row 0, column 'kind', which is no num"):
        fit_table(frame, [1, -1])


def test_a_column_of_dates_is_named() -> None:
    pandas = pytest.importorskip("pandas")
    frame = table(size=[1.0, 2.0], day=pandas.to_datetime(["2020-01-01", "2020-01-02"]))
    with pytest.raises(TypeError, match="in row 0, column 'day', which is no number"):
        fit_table(frame, [1, -1])


@pytest.mark.parametrize(
    ("X", "Y", "named"),
    [
        (np.ma.array(POINTS, mask=False), SIGNS, "X"),
        (POINTS, np.ma.array(SIGNS, mask=[True] + [False] * 9), "Y"),
        ([np.ma.array(row, mask=[False, True]) for row in POINTS], SIGNS, "X"),
    ],
)
def test_masked_arrays_are_refused_by_name(X: Any, Y: Any, named: str) -> None:
    with pytest.raises(TypeError, match=rf"fit: {named} is a masked array.*\.filled"):
        fit_table(X, Y)
    with pytest.raises(TypeError, match=f"batches: {named} is a masked array"):
        batches(X, Y, 3)


@pytest.mark.parametrize("backend", [None, "python", "llvm"])
@pytest.mark.parametrize("batch_size", [None, 2])
def test_a_nan_in_the_examples_is_found_by_row_and_column(backend: Any, batch_size: Any) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite (extra jit)")
    X: Any = [row[:] for row in POINTS]
    X[7][1] = math.nan
    model = MLP(2, [3, 1], seed=0)

    def train(X: Any, Y: Any) -> None:
        optimizer = Adam(model.parameters(), 0.1)
        fit(model, hinge, X, Y, optimizer, 3, batch_size, progress=False, backend=backend)

    with pytest.raises(
        FloatingPointError, match=r"loss is nan; X is nan in row 7, column 1; the f"
    ):
        train(X, SIGNS)
    with pytest.raises(FloatingPointError, match="; X is nan in row 7, column 'side'; the first"):
        train(table(size=[x for x, _ in X], side=[y for _, y in X]), SIGNS)


def test_an_infinite_number_in_the_examples_is_found_too() -> None:
    X: Any = [row[:] for row in POINTS]
    X[2][0] = -math.inf
    model = MLP(2, [3, 1], seed=0)
    with pytest.raises(FloatingPointError, match="; X is -inf in row 2, column 0; the first"):
        fit(model, hinge, X, SIGNS, Adam(model.parameters(), 0.1), 3, progress=False)


def test_an_empty_cell_is_nan() -> None:
    empty = table(a=[1.0, None], b=[2, None]).convert_dtypes()
    with pytest.raises(FloatingPointError, match="X is nan in row 1, column 'a'"):
        fit_table(empty, [1, -1])


def test_a_nan_among_the_targets_is_found_by_row() -> None:
    with pytest.raises(FloatingPointError, match="; Y is nan in row 3; "):
        fit_line(Line(), Y=[1.0, 2.0, 3.0, math.nan, 5.0])


def test_a_nan_that_takes_no_part_does_no_harm() -> None:
    model = Line()
    X = [1.0, math.nan, 2.0]
    optimizer = GradientDescent(model.parameters(), 0.01)

    def imputed(x: float) -> Value:
        return model(0.0 if math.isnan(x) else x)

    history = fit(imputed, mean_squared_error, X, X_LINE[:3], optimizer, 3, progress=False)
    assert history[-1].loss < history[0].loss


NAMES = ["setosa", "virginica", "setosa", "versicolor"]


def test_names_of_classes_train_as_their_indices_and_stay_with_the_history() -> None:
    points = POINTS[:4]
    expected = fit_table(points, [0, 2, 0, 1], cross_entropy, 3)
    found = fit_table(points, NAMES, cross_entropy, 3)
    assert found == expected
    assert found[0].classes == ("setosa", "versicolor", "virginica")
    assert expected[0].classes == ()
    assert pickle.loads(pickle.dumps(found[0])).classes == found[0].classes


def test_the_order_of_classes_may_be_given() -> None:
    points, order = POINTS[:4], ("virginica", "versicolor", "setosa")
    expected = fit_table(points, [2, 0, 2, 1], cross_entropy, 3)
    given = fit_table(points, NAMES, cross_entropy, 3, classes=order)
    assert given == expected
    assert given[0].classes == order
    pandas = pytest.importorskip("pandas")
    categories = pandas.Series(pandas.Categorical(NAMES, categories=order))
    assert fit_table(points, categories, cross_entropy, 3)[0].classes == order
    assert fit_table(points, pandas.Series(NAMES), cross_entropy, 3)[0].classes[0] == "setosa"
    named = fit_table(points, [2, 0, 2, 1], cross_entropy, 3, classes=order)
    assert named[0].classes == order


def test_a_name_that_is_no_class_is_refused() -> None:
    with pytest.raises(ValueError, match=r"target of row 3 is 'versicolor'.*\('setosa', 'virg"):
        fit_table(POINTS[:4], NAMES, cross_entropy, 3, classes=("setosa", "virginica"))


def test_a_gap_among_names_of_classes_is_named() -> None:
    with pytest.raises(ValueError, match="the target of row 2 is None, and those of others are na"):
        fit_table(POINTS[:4], [*NAMES[:2], None, NAMES[3]], cross_entropy, 3)


def test_a_loss_of_ones_own_may_take_text() -> None:
    met: list[Any] = []

    def loss(prediction: Value, target: str) -> Value:
        met.append(target)
        return mean_squared_error(prediction, len(target))

    fit_line(Line(), epochs=1, X=[1.0, 2.0], Y=["a", "bc"], loss=loss)
    assert met == ["a", "bc"]


# --- the history ----------------------------------------------------------------------------------


def test_the_history_has_a_row_per_epoch() -> None:
    history = fit_line(Line(), epochs=4)
    assert isinstance(history, list)
    assert [row.epoch for row in history] == [1, 2, 3, 4]
    assert all(row.accuracy is None and row.learning_rate == 0.1 for row in history)
    assert all(a.loss > b.loss for a, b in pairwise(history))
    assert history.stopped == "epochs"
    assert history[0].loss == (16.0 + 1.0 + 4.0 + 25.0 + 64.0) / 5  # before any step, at 0·x + 0


def test_the_loss_of_an_epoch_weighs_its_batches_by_their_size() -> None:
    met: list[float] = []

    def loss(prediction: Value, target: float) -> Value:
        error = mean_squared_error(prediction, target)
        met.append(error.data)
        return error

    history = fit_line(Line(), epochs=1, batch_size=2, loss=loss)
    assert history[0].loss == pytest.approx(sum(met) / len(met))


@pytest.mark.parametrize(
    ("loss", "targets"), [(hinge, [-1, -1, 1, 1]), (binary_cross_entropy, [0, 0, 1, 1])]
)
def test_the_accuracy_of_a_loss_that_classifies_is_known(
    loss: Callable[..., Value], targets: list[int]
) -> None:
    X = [-2.0, 0.5, -0.5, 2.0]  # the sign of w·x is right about the first and the last
    history = fit_line(Line(w=1.0), epochs=1, rate=1e-9, X=X, Y=targets, loss=loss, batch_size=3)
    assert history[0].accuracy == 0.5


def test_the_accuracy_of_a_loss_of_ones_own_may_be_given() -> None:
    history = fit_line(
        Line(), epochs=1, rate=1e-9, accuracy=lambda p, y: 1.0 if abs(p.data - y) < 3.0 else 0.0
    )
    assert history[0].accuracy == 0.4  # of the targets -4, -1, 2, 5, 8, it predicts 0
    assert fit_line(Line(), loss=lambda p, y: (p - y) ** 2)[0].accuracy is None


def test_the_callback_sees_each_row_and_the_parameters_after_it() -> None:
    model = Line()
    seen: list[tuple[Epoch, tuple[float, float]]] = []
    history = fit_line(model, epochs=3, callback=lambda row: seen.append((row, model.numbers())))
    assert [row for row, _ in seen] == history
    assert seen[-1][1] == model.numbers()
    assert len({numbers for _, numbers in seen}) == 3


@pytest.mark.parametrize("settings", [{}, {"batch_size": 2}], ids=["all", "batches"])
@pytest.mark.parametrize("backend", [None, "python", "llvm"])
def test_a_callback_may_end_the_training(settings: dict[str, Any], backend: Any) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="machine code needs llvmlite (extra jit)")

    def stop(row: Epoch) -> None:
        if row.epoch == 3:
            raise StopIteration

    model, shorter = Line(), Line()
    history = fit_line(model, epochs=50, callback=stop, backend=backend, **settings)
    assert (len(history), history.stopped) == (3, "callback")
    assert repr(history).startswith("History(3 epochs, callback: loss ")
    assert fit_line(shorter, epochs=3, backend=backend, **settings) == history
    assert model.numbers() == shorter.numbers()


def test_a_recording_keeps_the_path_of_the_parameters() -> None:
    model = Line()
    recording = Recording(model)
    history = fit_line(model, epochs=3, callback=recording)
    assert recording.rows == history
    assert recording.snapshots[0] == [0.0, 0.0]
    assert tuple(recording.snapshots[-1]) == model.numbers()
    assert len(recording.snapshots) == 4


def test_a_history_says_how_the_run_went() -> None:
    history = History([Epoch(1, 0.5, 0.25, 0.1), Epoch(2, 0.125, 1.0, 0.1)])
    assert repr(history) == "History(2 epochs: loss 0.5 → 0.125, accuracy 25.0% → 100.0%)"
    history.stopped = "converged"
    assert repr(history).startswith("History(2 epochs, converged: loss")
    history = History([Epoch(1, 0.5, None, 0.1)])
    assert repr(history) == "History(1 epoch: loss 0.5 → 0.5)"
    assert repr(History()) == "History(0 epochs)"


def test_a_history_can_be_pickled() -> None:
    history = fit_line(Line(3.0, -1.0), epochs=100, tolerance=0.5)
    restored = pickle.loads(pickle.dumps(history))
    assert restored == history
    assert restored.stopped == history.stopped == "converged"


# --- stopping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tolerance", [0.001, 0.1, 0.9])
def test_it_stops_once_ten_epochs_improved_the_loss_by_less_than_the_tolerance(
    tolerance: float,
) -> None:
    history = fit_line(Line(), epochs=10_000, tolerance=tolerance, Y=[1.0, 0.0, 3.0, 1.0, 4.0])
    assert history.stopped == "converged"
    losses = [row.loss for row in history]
    gains = [1.0 - now / before for before, now in zip(losses, losses[10:], strict=False)]
    assert gains[-1] < tolerance
    assert all(gain >= tolerance for gain in gains[:-1])


def test_it_goes_on_while_the_loss_improves() -> None:
    history = fit_line(Line(), epochs=30, tolerance=0.01)
    assert (len(history), history.stopped) == (30, "epochs")


@pytest.mark.parametrize("tolerance", [0.0, 0.1])
def test_a_loss_of_zero_has_converged(tolerance: float) -> None:
    history = fit_line(Line(3.0, -1.0), epochs=100, tolerance=tolerance)
    assert (len(history), history.stopped) == (11, "converged")


def test_without_a_tolerance_it_never_stops_early() -> None:
    assert len(fit_line(Line(3.0, -1.0), epochs=40)) == 40


# --- interruption ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_the_run_with_the_history_so_far_and_a_usable_model() -> None:
    model, reference = Line(), Line()
    loss = on_call(5 * 7 + 3, lambda: signal.raise_signal(signal.SIGINT))
    history = fit_line(model, epochs=1000, loss=loss)
    expected = fit_line(reference, epochs=7)
    assert history.stopped == "interrupted"
    assert history == expected
    assert model.numbers() == reference.numbers()
    assert fit_line(model, epochs=3).stopped == "epochs"


def test_ctrl_c_in_a_callback_keeps_the_epoch_just_completed() -> None:
    def callback(row: Epoch) -> None:
        if row.epoch == 4:
            raise KeyboardInterrupt

    history = fit_line(Line(), epochs=1000, callback=callback)
    assert (len(history), history.stopped) == (4, "interrupted")


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_before_the_first_epoch_is_over_leaves_an_empty_history() -> None:
    loss = on_call(2, lambda: signal.raise_signal(signal.SIGINT))
    history = fit_line(Line(), progress=True, loss=loss)
    assert history == []
    assert repr(history) == "History(0 epochs, interrupted)"


def test_any_other_error_is_not_swallowed() -> None:
    def fail() -> None:
        raise LookupError("of one's own")

    with pytest.raises(LookupError, match="of one's own"):
        fit_line(Line(), loss=on_call(7, fail))


# --- divergence -----------------------------------------------------------------------------------


def test_a_rate_beyond_the_cliff_ends_in_an_error_and_finite_weights() -> None:
    model = Line(1.0, 1.0)
    with pytest.raises(FloatingPointError) as caught:
        fit_line(model, epochs=100_000, rate=10.0)
    assert re.match(
        r"fit: it diverged at step \d+, in epoch \d+: the loss is inf", str(caught.value)
    )
    assert "; try a smaller learning rate; the first node that is not finite is" in str(
        caught.value
    )
    assert re.search(r"the largest being \S+ = -?[0-9.]+e\+\d+$", str(caught.value))
    assert all(map(math.isfinite, model.numbers()))


def test_a_loss_that_is_not_finite_names_the_step_and_the_first_node() -> None:
    def loss(prediction: Value, target: float) -> Value:
        exploded = (prediction * 1000.0).exp()
        exploded.label = "exploded"
        return exploded * 0.0

    model = Line(1.0, 0.0)
    with pytest.raises(FloatingPointError) as caught:
        fit_line(model, X=[0.0, 0.0, 0.0, 2.0], Y=[0.0] * 4, loss=loss, batch_size=4)
    message = str(caught.value)
    assert "at step 0, in epoch 1: the loss is nan" in message
    assert "the first node that is not finite is exploded = exp(2000.0) = inf" in message
    assert model.numbers() == (1.0, 0.0)


def test_of_many_operands_four_are_shown_those_that_are_not_finite_first() -> None:
    def added(*numbers: float) -> str:
        terms = [x if math.isinf(x) else Value(x) for x in numbers]  # a constant is no node
        return origin(functions.sum(terms))

    said = "the first node that is not finite is "
    assert added(1e308, 1e308, 1.0, 2.0) == said + "sum(1e+308, 1e+308, 1.0, 2.0) = inf"
    assert added(1e308, 1e308, 1.0, 2.0, 3.0) == said + "sum(1e+308, 1e+308, 1.0, 2.0, …) = inf"
    assert added(1.0, 2.0, math.inf) == said + "sum(inf, …) = inf"
    assert added(math.inf, 1.0, -math.inf) == said + "sum(inf, -inf, …) = nan"


def test_a_gradient_that_is_not_finite_names_parameter_step_and_node() -> None:
    model = Line(1.0, 1.0)
    weights: list[tuple[float, float]] = []

    def loss(prediction: Value, target: float) -> Value:
        weights.append(model.numbers())
        return (prediction - target).abs().sqrt()  # whose slope at 0 is infinite

    with pytest.raises(FloatingPointError) as caught:
        fit_line(model, 9, X=[0.0, 0.0], Y=[0.5, 1.0], loss=loss, batch_size=2)
    message = str(caught.value)
    assert "step 0, in epoch 1" in message
    assert "the gradient of w is nan" in message
    assert "the first node whose derivative is not finite is sqrt(0.0) = 0.0" in message
    assert model.numbers() == (1.0, 1.0) == weights[-1]


def test_the_weights_after_a_divergence_are_those_before_the_step_that_failed() -> None:
    model = Line(1.0, 0.0)
    before: list[tuple[float, float]] = []

    def loss(prediction: Value, target: float) -> Value:
        before.append(model.numbers())
        return (prediction * (1e300 if len(before) == 4 else 1.0)) ** 2

    with pytest.raises(FloatingPointError, match="at step 3, in epoch 4: the loss is inf"):
        fit_line(model, X=[1.0], Y=[1.0], loss=loss)
    assert model.numbers() == before[-1]
    assert len(set(before)) == 4


def test_a_nan_in_the_data_is_seen_in_the_message() -> None:
    model = MLP(2, [3, 1], seed=0)
    with pytest.raises(FloatingPointError, match=r"dot\(nan, …\) = nan"):
        fit(
            model,
            mean_squared_error,
            [[1.0, math.nan]],
            [1.0],
            Adam(model.parameters()),
            1,
            progress=False,
        )


# --- what is shown --------------------------------------------------------------------------------


@pytest.fixture
def moons_run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[History, str]]:
    X, Y = moons(20, seed=1)

    def run(**settings: Any) -> tuple[History, str]:
        model = MLP(2, [4, 1], seed=1)
        optimizer = Adam(model.parameters(), 0.05)
        history = fit(model, binary_cross_entropy, X, Y, optimizer, **settings)
        out, err = capsys.readouterr()
        assert out == ""
        return history, err

    return run


def test_the_bar_shows_loss_and_accuracy(
    moons_run: Callable[..., tuple[History, str]],
) -> None:
    history, shown = moons_run(epochs=30)
    last = history[-1]
    assert f"loss {last.loss:.4g}, accuracy {last.accuracy:.1%}" in shown
    assert "trained: 100%" in shown
    assert "30/30" in shown


def test_the_bar_says_that_it_has_converged(
    moons_run: Callable[..., tuple[History, str]],
) -> None:
    history, shown = moons_run(epochs=1000, tolerance=0.5)
    assert "converged" in shown.split("\r")[-1]
    assert f"{len(history)}/1000" in shown


def test_the_bar_can_be_turned_off(moons_run: Callable[..., tuple[History, str]]) -> None:
    assert moons_run(epochs=3, progress=False)[1] == ""


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"epochs": 2.5}, TypeError, "epochs must be an int, got 2.5"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": "4"}, TypeError, "batch_size must be an int, got '4'"),
        ({"tolerance": -0.1}, ValueError, "tolerance.*got -0.1"),
        ({"tolerance": math.nan}, ValueError, "tolerance.*got nan"),
        ({"tolerance": 1.0}, ValueError, "tolerance.*got 1.0"),
        ({"tolerance": "0.1"}, TypeError, "tolerance.*got '0.1'"),
        ({"X": [1.0]}, ValueError, "X has 1 examples, Y has 5 targets"),
        ({"X": [], "Y": []}, ValueError, "no examples"),
        (
            {"Y": None},
            TypeError,
            "fit: Y must be a list, an array or a frame .* got None of type No",
        ),
        ({"optimizer": 0.1}, TypeError, "optimizer must be a stepper.*got 0.1 of type float"),
        ({"loss": "mse"}, TypeError, "loss must be a function such as .*, got 'mse' of type str"),
        ({"optimizer": Adam}, TypeError, "a stepper .* of type ABCMeta, which has no parameters"),
        ({"loss": lambda p, y: 0.5}, TypeError, "plain number 0.5, which has no gradient"),
        ({"loss": lambda p, y: Value(0.5)}, RuntimeError, "depends on the parameters"),
        ({"seed": [1]}, TypeError, "seed"),
        (
            {"schedule": 0.1},
            TypeError,
            "schedule must be a function or None, got 0.1 of type float",
        ),
        ({"penalty": 1e-4}, TypeError, "penalty must be a function or None, got 0.0001"),
        (
            {"accuracy": "accuracy"},
            TypeError,
            "accuracy must be a function or None, got 'accuracy'",
        ),
        ({"callback": [print]}, TypeError, "callback must be a function or None, got "),
        ({"backend": "fortran"}, ValueError, "backend must be .*got 'fortran'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = Line(1.0, 1.0)
    with pytest.raises(error, match=message):
        fit_line(model, **settings)
    assert model.numbers() == (1.0, 1.0)


def test_arguments_in_another_order_are_told_the_right_one() -> None:
    model, (X, Y) = MLP(2, [1], seed=0), moons(4)
    optimizer = Adam(model.parameters())
    with pytest.raises(
        TypeError, match=r"is binary_cross_entropy, a loss; the order is fit\(model"
    ):
        fit(binary_cross_entropy, model, X, Y, optimizer, 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="model must be a function such as an MLP, got 'MLP'"):
        fit("MLP", binary_cross_entropy, X, Y, optimizer, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"row 0 of X is 0 .* give X first, and Y second"):
        fit(model, binary_cross_entropy, Y, X, optimizer, 1)
    with pytest.raises(TypeError, match=r"expected a list of 1 inputs, got 3.0; write \[3.0\]"):
        fit(one := MLP(1, [1]), mean_squared_error, [3.0], [1.0], Adam(one.parameters()), 1)


def test_a_stepper_of_another_model_is_refused() -> None:
    with pytest.raises(ValueError, match="moves none of the model's parameters"):
        fit_line(Line(), optimizer=GradientDescent(Line().parameters(), 0.1))


# --- together -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_network_learns_iris() -> None:
    from autograd.datasets import Standardization
    from autograd.losses import CORRECT, cross_entropy

    X_train, X_test, Y_train, Y_test = train_test_split(*iris(), seed=0)
    scale = Standardization.of(X_train)
    model = MLP(4, [8, 3], activation="tanh", seed=0)
    optimizer = Adam(model.parameters(), 0.05)
    history = fit(model, cross_entropy, scale(X_train), Y_train, optimizer, 40, 20, progress=False)
    last = history[-1]
    assert last.accuracy is not None
    assert last.accuracy > 0.95
    outcomes = map(CORRECT[cross_entropy], map(model, scale(X_test)), Y_test)
    right: Any = functions.mean(outcomes)
    assert right.data >= 0.93


def test_the_accuracy_of_an_epoch_is_a_whole_number_of_examples() -> None:
    """Of each batch 15 of 22 are correct; three times 15/22 · 22 is not 45."""
    line = Line(1.0)
    X = [float(i % 22 < 15) for i in range(66)]
    history = fit(
        *(line, mean_squared_error, X, [0.0] * 66, GradientDescent(line.parameters(), 1e-6)),
        accuracy=lambda y, t: functions.where(y > 0.5, 1.0, 0.0),
        epochs=1,
        batch_size=22,
        shuffle=False,
        progress=False,
    )
    assert history[0].accuracy == 45 / 66
