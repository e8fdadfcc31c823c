"""Implements `Module.predict` and `Module.score`: outputs for many rows, and their score."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autograd import recording
from autograd.checks import array_of_frame, refuse_masked, rows_of
from autograd.compiler.jit import jit
from autograd.losses import CORRECT
from autograd.value import Value

MANY = 256
"""How many predictions pay for a compilation: it takes about as long as these do on Values."""


def predict(model: Any, X: Iterable[Any]) -> Any:
    """See `Module.predict`."""
    rows: Any = array_of_frame("predict: X", X) if hasattr(X, "to_numpy") else X
    rows = rows if hasattr(rows, "__len__") else list(rows)
    refuse_masked("predict: X", rows)
    if len(rows) >= MANY:
        try:
            return jit(model)(rows)
        except Exception:
            pass  # no function to compile, or a row to refuse, which the model does by name
    with recording.no_grad():
        outputs = [model(row.tolist() if hasattr(row, "tolist") else row) for row in rows]
    numbers = [_numbers(output) for output in outputs]
    if not hasattr(rows, "dtype"):
        return numbers
    import numpy as np

    return np.array(numbers)


def _numbers(output: Any) -> Any:
    if isinstance(output, list | tuple):
        return [_numbers(x) for x in output]
    return output.data if isinstance(output, Value) else float(output)


def score(
    model: Any, X: Iterable[Any], Y: Iterable[Any], loss: Callable[..., Value] | None
) -> float:
    """See `Module.score`."""
    import numpy as np

    outputs = np.asarray(predict(model, X))
    targets = _targets(Y, getattr(model, "classes", ()))
    if len(outputs) != len(targets) or not targets:
        raise ValueError(
            f"score: X has {len(outputs)} rows, Y has {len(targets)} targets; "
            f"give each equally many, and at least one"
        )
    has_one = outputs.ndim == 1
    if has_one:  # a table of one column is that column
        targets = [y[0] if isinstance(y, list) and len(y) == 1 else y for y in targets]
    has_classes = _are_classes(has_one, targets) if loss is None else loss in CORRECT
    if not has_classes:
        return _r_squared(outputs, targets)
    if has_one:
        middle = 0.5 if getattr(model, "output", "") == "sigmoid" else 0.0
        between = 0.0 if -1.0 in targets else 0.5
        is_right = (outputs > middle) == (np.asarray(targets) > between)
        return float(np.mean(is_right & ~np.isnan(outputs)))
    wanted = [y.index(max(y)) if isinstance(y, list) else y for y in targets]
    return float(np.mean((outputs.argmax(1) == wanted) & ~np.isnan(outputs).any(1)))


def _targets(Y: Any, classes: Iterable[str]) -> list[Any]:
    """Plain numbers or lists of them, a class given by its name as its index."""
    refuse_masked("score: Y", Y)
    targets = [y.tolist() if hasattr(y, "tolist") else y for y in rows_of(Y)]
    index = {name: i for i, name in enumerate(classes)}
    for y in targets:
        if isinstance(y, str) and y not in index:
            names = ", ".join(map(repr, index)) or "none"
            raise ValueError(
                f"score: {y!r} is no class of the model, which has {names}; after a training on "
                f"names, set model.classes = history.classes"
            )
    return [index[y] if isinstance(y, str) else y for y in targets]


def _are_classes(has_one: bool, targets: list[Any]) -> bool:
    if has_one:
        return set(targets) <= {0.0, 1.0} or set(targets) <= {-1.0, 1.0}
    rows = [y for y in targets if isinstance(y, list)]
    return all(y.count(1.0) == 1 and y.count(0.0) == len(y) - 1 for y in rows)


def _r_squared(outputs: Any, targets: list[Any]) -> float:
    import numpy as np

    ys = np.asarray(targets, dtype=float)
    if ys.shape != outputs.shape:
        raise ValueError(f"score: outputs of shape {outputs.shape}, targets of shape {ys.shape}")
    wrong = np.sum((ys - outputs) ** 2)
    if (ys == ys[0]).all():  # nothing varies, so nothing can be explained
        return 1.0 if wrong == 0.0 else 0.0
    return float(1.0 - wrong / np.sum((ys - ys.mean(axis=0)) ** 2))
