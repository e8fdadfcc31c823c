"""`fit`: the training as a whole, from its arguments to its history."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterable
from contextlib import closing
from numbers import Real
from typing import TYPE_CHECKING, Any

from autograd import recording
from autograd.checks import checked_int
from autograd.losses import CORRECT
from autograd.optim import Stepper
from autograd.training.batches import checked_examples, order_of
from autograd.training.compiled import compiled_epochs
from autograd.training.eager import Schedule, eager_epochs
from autograd.training.history import Epoch, History, has_converged
from autograd.training.objective import Correct, Loss, Model, Objective, Penalty

if TYPE_CHECKING:
    from tqdm import tqdm


def fit(
    model: Model,
    loss: Loss,
    X: Iterable[Any],
    Y: Iterable[Any],
    optimizer: Stepper,
    epochs: int,
    batch_size: int | None = None,
    penalty: Penalty | None = None,
    tolerance: float | None = None,
    compiled: bool = False,
    progress: bool = True,
    seed: int = 0,
    *,
    schedule: Schedule | None = None,
    callback: Callable[[Epoch], object] | None = None,
    accuracy: Correct | None = None,
) -> History:
    """Train a model: for every batch one forward pass, one backward pass and one step.

    Each step lowers the mean of `loss(model(x), y)` over the examples of its batch, plus
    `penalty(parameters)`. Ctrl-C ends the training after a whole step, and the history so far is
    returned.

    Args:
        model: takes an example x and returns a prediction.
        loss: takes a prediction and a target y, and returns a Value.
        X: the examples, a list or a NumPy array.
        Y: as many targets.
        optimizer: the stepper, which holds the parameters to learn.
        epochs: how often every example is met, at least 1.
        batch_size: how many examples a step takes, at least 1; None for all of them.
        penalty: takes the optimiser's parameters; weight decay, for example, is
            `lambda parameters: 1e-4 * ag.sum(w * w for w in parameters)`.
        tolerance: end the training once the loss of an epoch is less than this share below that
            of ten epochs before, such as 0.001; None for never.
        compiled: whether to take the steps in machine code, which needs llvmlite. The history is
            the same, up to the order in which a batch is summed up. Model, loss, penalty and
            accuracy are recorded once for all examples, as `jit` records a function.
        progress: whether to show a progress bar.
        seed: decides the order of the examples, which is another one in every epoch.
        schedule: takes the number of the step, from 0, and returns its learning rate.
        callback: takes the `Epoch` just completed.
        accuracy: takes a prediction and its target, and returns 1.0 if it is right, else 0.0. By
            default what suits the loss, if it is one of the library's that classify.

    Raises:
        FloatingPointError: if the loss or a gradient is not finite. Names the step, the parameter
            and the first node that is not finite; the parameters keep their last finite values.
        RuntimeError: if the loss depends on none of the optimiser's parameters.
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    X, Y = checked_examples("fit", X, Y)
    epochs = checked_int("fit: epochs", epochs)
    size = len(X) if batch_size is None else checked_int("fit: batch_size", batch_size)
    _check_tolerance(tolerance)
    _check_parameters(model, optimizer)
    objective = Objective(model, loss, penalty, accuracy or CORRECT.get(loss))
    seeds = random.Random(seed)
    orders = (order_of(len(X), size, seeds.getrandbits(64)) for _ in range(epochs))
    settings = (objective, X, Y, size, orders, optimizer, schedule)
    rows = (
        compiled_epochs(*settings, epochs, watched=callback is not None)
        if compiled
        else eager_epochs(*settings)
    )

    history = History()
    with recording.recorded(), closing(rows), _progress_bar(epochs, progress) as bar:
        try:
            for row in rows:
                history.append(row)
                if bar.update():  # it was time to show something
                    bar.set_postfix_str(_summary(row))
                if callback is not None:
                    callback(row)
                if tolerance is not None and has_converged(history, tolerance):
                    history.stopped = "converged"
                    break
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        ended = "trained" if history.stopped == "epochs" else history.stopped
        bar.set_description_str(ended, refresh=False)
        if history:
            bar.set_postfix_str(_summary(history[-1]))
    return history


def _progress_bar(epochs: int, progress: bool) -> tqdm[Any]:
    with warnings.catch_warnings():
        # Without ipywidgets, tqdm warns and draws a bar of text, which does as well.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(total=epochs, desc="training", unit="epoch", disable=not progress)


def _summary(row: Epoch) -> str:
    accuracy = "" if row.accuracy is None else f", accuracy {row.accuracy:.1%}"
    return f"loss {row.loss:.4g}{accuracy}"


def _check_tolerance(tolerance: float | None) -> None:
    if tolerance is None:
        return
    if not isinstance(tolerance, Real) or isinstance(tolerance, bool):
        raise TypeError(f"fit: tolerance must be a number or None, got {tolerance!r}")
    if not 0.0 <= tolerance < 1.0:
        raise ValueError(f"fit: tolerance must be a share from 0 to below 1, got {tolerance!r}")


def _check_parameters(model: Model, optimizer: Stepper) -> None:
    if not (hasattr(optimizer, "parameters") and hasattr(optimizer, "step")):
        raise TypeError(
            f"fit: optimizer must be a stepper such as GradientDescent, got {optimizer!r} "
            f"of type {type(optimizer).__name__}"
        )
    if hasattr(model, "parameters"):
        moved = set(map(id, optimizer.parameters))
        if not any(id(parameter) in moved for parameter in model.parameters()):
            raise ValueError(
                "fit: the optimiser moves none of the model's parameters; "
                "build it anew on model.parameters()"
            )
