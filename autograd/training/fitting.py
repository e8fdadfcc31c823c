"""`fit`: checks its arguments, chooses how steps are taken, and collects epochs in a history."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from autograd import losses, recording
from autograd.checks import checked_int
from autograd.compiler.jit import BackendName, checked_backend
from autograd.losses import CORRECT
from autograd.optim import Stepper, fraction
from autograd.training.batches import Schedule, rows_of_steps
from autograd.training.compiled import MachineSteps, ProgramSteps
from autograd.training.eager import EagerSteps
from autograd.training.examples import Examples, checked_examples, class_indices
from autograd.training.history import Epoch, History, has_converged
from autograd.training.loop import Taker, epochs_of
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
    backend: BackendName | None = None,
    shuffle: bool = True,
    classes: Sequence[str] = (),
) -> History:
    """Train a model: for every batch one forward pass, one backward pass and one step.

    Each step lowers the mean of `loss(model(x), y)` over the examples of its batch, plus
    `penalty(parameters)`. Ctrl-C ends the training after a whole step, and the history so far is
    returned.

    Args:
        model: takes an example x and returns a prediction.
        loss: takes a prediction and a target y, and returns a Value.
        X: the examples: a list, a NumPy array or a DataFrame.
        Y: as many targets. For the library's classification losses, names of classes may be given
            in place of their indices.
        optimizer: the stepper, which holds the parameters to learn.
        epochs: the number of passes over the examples, at least 1.
        batch_size: how many examples a step takes, at least 1; None for all of them.
        penalty: takes the optimizer's parameters; weight decay, for example, is
            `lambda parameters: 1e-4 * ag.sum(w * w for w in parameters)`.
        tolerance: end the training once the loss has fallen by less than this fraction in ten
            epochs, such as 0.001; None for never.
        compiled: whether to take the steps in machine code, which needs llvmlite; the same as
            `backend="llvm"`. The history is the same, up to the order in which a batch is summed
            up. Model, loss, penalty and accuracy are recorded once for all examples, as `jit`
            records a function.
        progress: whether to show a progress bar.
        seed: determines the order of the examples, which are shuffled anew in every epoch.
        schedule: takes the number of the step, from 0, and returns its learning rate, above 0.
        callback: takes the `Epoch` just completed. If it raises `StopIteration`, the training ends,
            for example when the loss of held-out examples no longer falls: `held_out(X, Y)`, with
            `held_out = ag.jit(lambda x, y: loss(model(x), y)).mean`.
        accuracy: takes a prediction and its target, and returns 1.0 if it is right, else 0.0. By
            default one that suits the loss, for the library's classification losses.
        backend: compile by this back end of `jit`. "llvm" takes gradient and update of many steps
            in machine code; "python" and the others compile the gradient, and call the
            optimizer's own `step`; "auto" is "llvm" where llvmlite is installed, else "python".
        shuffle: False to use the examples in the given order in every epoch.
        classes: the names of the classes 0, 1, …, which `History.classes` keeps for figures; by
            default those found in Y, sorted, or in the order of its pandas categories.

    Raises:
        FloatingPointError: if the loss or a gradient is not finite. Names the step, the parameter,
            a nan or inf in the examples by row and column, and the first node that is not finite;
            the parameters keep their last finite values.
        RuntimeError: if the loss depends on none of the optimizer's parameters.
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    _check_functions(
        model, loss, penalty=penalty, schedule=schedule, callback=callback, accuracy=accuracy
    )
    examples = checked_examples("fit", X, Y)
    _check_order(model, examples)
    epochs = checked_int("fit: epochs", epochs)
    n = len(examples.X)
    size = n if batch_size is None else checked_int("fit: batch_size", batch_size)
    if tolerance is not None:
        fraction("fit: tolerance", tolerance)
    _check_parameters(model, optimizer)
    if loss in CORRECT:
        targets, classes = class_indices("fit", Y, examples.Y, classes)
        examples = examples._replace(Y=targets)
    objective = Objective(model, loss, penalty, accuracy or CORRECT.get(loss))
    is_eager = backend is None and not compiled
    chosen: Any = "" if is_eager else checked_backend(backend or "llvm", "fit")
    taker: Taker
    if is_eager:
        taker = EagerSteps(objective, examples, optimizer)
    elif chosen == "llvm":
        taker = MachineSteps(objective, examples, optimizer)
    else:
        taker = ProgramSteps(objective, examples, optimizer, chosen)
    steps = rows_of_steps(n, size, epochs, seed, shuffle)
    has_accuracy, is_watched = objective.correct is not None, callback is not None
    rows = epochs_of(taker, steps, n, size, optimizer, schedule, has_accuracy, is_watched)

    history = History()
    history.classes = tuple(classes)
    with recording.recorded(), closing(rows), _progress_bar(epochs, progress) as bar:
        try:
            for row in rows:
                history.append(row)
                if bar.update():  # it was time to show something
                    bar.set_postfix_str(_summary(row))
                if callback is not None:
                    try:
                        callback(row)
                    except StopIteration:
                        history.stopped = "callback"
                        break
                if tolerance is not None and has_converged(history, tolerance):
                    history.stopped = "converged"
                    break
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        ended = {"epochs": "trained", "callback": "stopped"}.get(history.stopped, history.stopped)
        bar.set_description_str(ended, refresh=False)
        if history:
            bar.set_postfix_str(_summary(history[-1]))
    return history


def _progress_bar(epochs: int, progress: bool) -> tqdm[Any]:
    with warnings.catch_warnings():
        # Without ipywidgets, tqdm warns and draws a bar of text, which does as well; so it does
        # where no thread can be started to look after the bar, as in a browser.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

        return tqdm(total=epochs, desc="training", unit="epoch", disable=not progress)


def _summary(row: Epoch) -> str:
    accuracy = "" if row.accuracy is None else f", accuracy {row.accuracy:.1%}"
    return f"loss {row.loss:.4g}{accuracy}"


def _check_functions(model: object, loss: object, **optional: object) -> None:
    if getattr(model, "__module__", None) == losses.__name__:
        raise TypeError(
            f"fit: the model is {getattr(model, '__name__', model)}, a loss; the order is "
            f"fit(model, loss, X, Y, optimizer, epochs)"
        )
    needed = {"model": "such as an MLP", "loss": "such as mean_squared_error"}
    for name, given in {"model": model, "loss": loss, **optional}.items():
        if not (callable(given) or (given is None and name not in needed)):
            raise TypeError(
                f"fit: {name} must be a function {needed.get(name, 'or None')}, got {given!r} "
                f"of type {type(given).__name__}"
            )


def _check_order(model: object, examples: Examples) -> None:
    n = getattr(model, "n_inputs", None)
    x, y = (isinstance(row, list) and len(row) == n for row in (examples.X[0], examples.Y[0]))
    if y and not x:
        raise ValueError(
            f"fit: row 0 of X is {examples.X[0]!r:.40} and row 0 of Y {examples.Y[0]!r:.40}, which "
            f"fits the {n} inputs of the model: give X first, and Y second"
        )


def _check_parameters(model: Model, optimizer: Stepper) -> None:
    needed = ("parameters", "learning_rate", "step", "zero_grad")
    if missing := [name for name in needed if not hasattr(optimizer, name)]:
        raise TypeError(
            f"fit: optimizer must be a stepper such as GradientDescent, got {optimizer!r} "
            f"of type {type(optimizer).__name__}, which has no {', '.join(missing)}"
        )
    if hasattr(model, "parameters"):
        moved = set(map(id, optimizer.parameters))
        if not any(id(parameter) in moved for parameter in model.parameters()):
            raise ValueError(
                "fit: the optimizer moves none of the model's parameters; "
                "build it anew on model.parameters()"
            )
