"""`playground`: a page that trains a model on its data, with neither Python nor a server.

What a step needs is printed as JavaScript: the objective of a batch with its gradient, the model
with its loss, and the rule of the stepper, all by the compiler, from the same code that `fit` runs.
The batches come in the order in which `fit` takes them.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from autograd import recording
from autograd.compiler import javascript
from autograd.compiler.program import Program
from autograd.compiler.rolling import roll
from autograd.compiler.trace import gradient_of, leaves_of, listing, trace
from autograd.files import write_whole
from autograd.formula import visible
from autograd.losses import CORRECT, cross_entropy
from autograd.nn import MLP, Module
from autograd.optim import Adam, GradientDescent, Stepper
from autograd.stepping.player import PAGE_STYLE, json_for_script
from autograd.training.batches import Plan
from autograd.training.examples import checked_examples, class_indices
from autograd.training.objective import Correct, Loss, Model, Objective, Penalty
from autograd.value import Operand, Value

N_EPOCHS = 25
"""So many epochs have their order in the page, which is 50 steps of any size; then they repeat."""

N_EXAMPLES = 5000
"""A page holds at most so many."""


def playground(
    model: Model,
    loss: Loss,
    X: Iterable[Any],
    Y: Iterable[Any],
    optimizer: Stepper,
    path: str | os.PathLike[str] | None = None,
    *,
    batch_size: int | None = None,
    penalty: Penalty | None = None,
    seed: int = 0,
    shuffle: bool = True,
    accuracy: Correct | None = None,
    held_out: tuple[Iterable[Any], Iterable[Any]] | None = None,
    features: Sequence[str] = (),
    classes: Sequence[str] = (),
    title: str = "",
) -> Playground:
    """A page that trains the model as `fit` does, from the weights and settings as they are now.

    The model, the loss and the stepper are recorded and printed; nothing of them is changed. The
    numbers of the first steps are those of `fit`, up to the last places of functions such as exp.

    Args:
        model, loss, X, Y, optimizer, batch_size, penalty, seed, shuffle, accuracy: as for `fit`.
            Every example is a number or a row of numbers, and all are alike.
        path: where to write the page; None to write none yet.
        held_out: examples and targets that are not learnt from; the page shows how they fare.
        features: the names of the inputs.
        classes: the names of the classes 0, 1, …
        title: the page's heading.

    Raises:
        TypeError, ValueError: as `fit`; if the examples are ragged, hold what is no finite number,
            or are too many; for an operation that has no spelling in JavaScript.
        OSError: if the page cannot be written.
    """
    examples = checked_examples("playground", X, Y)
    targets = examples.Y
    test_X: list[Any] = []
    test_Y: list[Any] = []
    if held_out is not None:
        test_X, test_Y, _ = checked_examples("playground: held_out", *held_out)
    if loss in CORRECT:
        targets, classes = class_indices(Y, targets, classes)
        test_Y = class_indices(test_Y, test_Y, classes)[0]
    if not isinstance(optimizer, Stepper):
        raise TypeError(f"playground: optimizer must be a stepper with a rule, got {optimizer!r}")
    page = Playground(
        Objective(model, loss, penalty, accuracy or CORRECT.get(loss)),
        _Rows([*examples.X, *test_X], [*targets, *test_Y]),
        len(examples.X),
        optimizer,
        batch_size=batch_size or len(examples.X),
        seed=seed,
        shuffle=shuffle,
        features=features or examples.columns,
        classes=classes,
        title=title,
    )
    if path is not None:
        page.save(path)
    return page


class _Rows:
    """Examples with their targets as rows of numbers of one length."""

    def __init__(self, X: Sequence[Any], Y: Sequence[Any]) -> None:
        if len(X) > N_EXAMPLES:
            raise ValueError(
                f"playground: {len(X):,} examples are more than a page holds ({N_EXAMPLES:,}); "
                f"give a part of them"
            )
        self.x, self.y = X[0], Y[0]
        self.shapes = [_shape(X[0]), _shape(Y[0])]
        self.n_inputs = math.prod(self.shapes[0])
        self.numbers: list[list[float]] = []
        for i, (x, y) in enumerate(zip(X, Y, strict=True)):
            if [_shape(x), _shape(y)] != self.shapes:
                raise ValueError(
                    f"playground: row {i} has the shapes {_shape(x)} and {_shape(y)}, row 0 has "
                    f"{self.shapes[0]} and {self.shapes[1]}; all examples have to be alike"
                )
            row = [float(number) for number in [*_flat(x), *_flat(y)]]
            if not all(map(math.isfinite, row)):
                raise ValueError(f"playground: row {i} holds {row}, which is not finite")
            self.numbers.append(row)


class Playground:
    """A model that learns in a page.

    Attributes:
        html: what it shows, to be put into any page.
    """

    def __init__(
        self,
        objective: Objective,
        rows: _Rows,
        n_learnt: int,
        optimizer: Stepper,
        *,
        batch_size: int,
        seed: int,
        shuffle: bool,
        features: Sequence[str],
        classes: Sequence[str],
        title: str,
    ) -> None:
        self._rows, self._n_learnt = rows, n_learnt
        self._batch_size = min(batch_size, n_learnt)
        self._title = title or "A network learns"
        parameters: list[Any] = list(optimizer.parameters)
        if isinstance(objective.model, Module):
            parameters = list(dict.fromkeys([*objective.model.parameters(), *parameters]))
        self._check_targets(objective)
        gradient, moved = _gradient(objective, rows, optimizer, parameters)
        forward, n_outputs, layers = _forward(objective, rows, parameters)
        self._leaves = list(dict.fromkeys([*gradient.leaves, *forward.leaves]))
        steppers = _steppers(optimizer)
        self._source = (
            javascript.source(gradient, "gradient")
            + javascript.source(forward, "forward")
            + "".join(
                javascript.source(javascript.update_rule(stepper), f"rule{i}")
                for i, stepper in enumerate(steppers)
            )
            + f"const rules = [{', '.join(f'rule{i}' for i in range(len(steppers)))}];\n"
        )
        place = {leaf: i for i, leaf in enumerate(self._leaves)}
        states: dict[Any, Any] = dict(zip(optimizer.parameters, optimizer.states, strict=True))
        plan = Plan(n_learnt, 1, N_EPOCHS, seed, shuffle and n_learnt > 1)
        self._page: dict[str, Any] = {
            "names": [visible(leaf.label) or f"p{i}" for i, leaf in enumerate(self._leaves)],
            "numbers": [leaf.data for leaf in self._leaves],
            "spread": _spread(objective.model, self._leaves, parameters),
            "arrays": _arrays(objective.model, place, moved),
            "moved": [place[leaf] for leaf in moved],
            "gradientLeaves": [place[leaf] for leaf in gradient.leaves],
            "forwardLeaves": [place[leaf] for leaf in forward.leaves],
            "parameters": [place[leaf] for leaf in parameters],
            "rows": list(itertools.chain.from_iterable(rows.numbers)),
            "width": len(rows.numbers[0]),
            "inputs": rows.n_inputs,
            "features": [
                visible(features[i]) if i < len(features) else f"x{i + 1}"
                for i in range(rows.n_inputs)
            ],
            "classes": [visible(name) for name in classes],
            "learnt": n_learnt,
            "outputs": n_outputs,
            "layers": layers,
            "order": plan.chunk(n_learnt * N_EPOCHS).order or [0] * N_EPOCHS,
            "batch": self._batch_size,
            "kind": _kind(objective, rows, n_outputs),
            "counts": objective.correct is not None,
            "penalised": objective.penalty is not None,
            "steppers": [
                {
                    "name": type(stepper).__name__,
                    "coefficients": stepper.coefficients(),
                    "initial": stepper.initial_state,
                    "states": [states[leaf] for leaf in moved] if i == 0 else None,
                }
                for i, stepper in enumerate(steppers)
            ],
            "file": _file(objective.model),
        }

    def _check_targets(self, objective: Objective) -> None:
        """The loss refuses a wrong target here: printed, it cannot."""
        with recording.no_grad():
            prediction = objective.model(self._rows.x)
            width = self._rows.n_inputs
            for row in {tuple(row[width:]) for row in self._rows.numbers}:
                objective.loss(prediction, row[0] if not self._rows.shapes[1] else list(row))

    @functools.cached_property
    def html(self) -> str:
        """One self-contained piece of HTML."""
        return (
            f'<div class="autograd-playground" role="group" aria-label="{escape(self._title)}">\n'
            f"<style>\n{_asset('playground.css')}</style>\n"
            f'<p class="still">{escape(STILL)}</p>\n'
            f'<script type="application/json">{json_for_script(self._page)}</script>\n'
            f'<script>\n(() => {{\n"use strict";\n{self._source}{_asset("playground.js")}}})();\n'
            f"</script>\n</div>\n"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a page of its own, which needs no network and no Python. Returns its path.

        The file appears when it is complete.
        """
        title = escape(visible(self._title))
        n, m = len(self._page["moved"]), self._n_learnt
        page = (
            '<!DOCTYPE html>\n<html lang="en" style="color-scheme: light dark">\n'
            '<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n{PAGE_STYLE}\n"
            f"<main>\n<h1>{title}</h1>\n<p>{INTRODUCTION.format(n=n, m=m)}</p>\n{self.html}"
            f"</main>\n</html>\n"
        )
        return write_whole(path, page)

    def __repr__(self) -> str:
        n = len(self._page["moved"])
        return f"Playground({n} parameters, {self._n_learnt} examples): .save('learn.html')"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": repr(self)}


STILL = "No scripts run here: run the cell, or trust the notebook, to train this model."

INTRODUCTION = (
    "{n} numbers are learnt from {m} examples. Each step computes the loss and its derivative by "
    "every one of them, then moves them all a little downhill. The program was printed by autograd "
    "and runs in this page; nothing is sent anywhere."
)


def _steppers(optimizer: Stepper) -> list[Stepper]:
    """The one given, then those to choose instead of it."""
    one = [Value(0.0)]
    others: list[Stepper] = [GradientDescent(one, 0.1), Adam(one, 0.01)]
    return [optimizer, *(other for other in others if type(other) is not type(optimizer))]


def _gradient(
    objective: Objective, rows: _Rows, optimizer: Stepper, parameters: list[Any]
) -> tuple[Program, list[Any]]:
    """A batch's objective, its share of right predictions and its slopes, and by what these are."""

    def of_one(x: Any, y: Any) -> list[Operand]:
        value, predictions = objective([x], [y], optimizer.parameters)
        return [value, objective.n_correct(predictions, [y])]

    recorded = trace(of_one, rows.shapes)
    reached = set(leaves_of(recorded.outputs[0]))
    moved = [p for p in optimizer.parameters if p in reached]
    if not moved:
        raise RuntimeError("playground: the loss depends on none of the optimiser's parameters")
    slopes, _ = gradient_of(recorded.outputs[0], moved)  # the page refuses a step with a nan
    outputs = [*recorded.outputs, *slopes]
    return roll(listing(recorded.inputs, outputs, is_batch=True, leaves=parameters)), moved


def _forward(
    objective: Objective, rows: _Rows, parameters: list[Any]
) -> tuple[Program, int, list[int]]:
    """An example's predictions, its loss, whether it is right, and what the neurons say."""
    counts: list[int] = []
    layers: list[int] = []

    def of_one(x: Any, y: Any) -> list[Operand]:
        neurons: list[Operand] = []
        prediction: Any = x
        if isinstance(objective.model, MLP):
            for layer in objective.model.layers:
                prediction = layer(prediction if isinstance(prediction, list) else [prediction])
                outputs = _flat(prediction)
                layers.append(len(outputs))
                neurons += outputs
        else:
            prediction = objective.model(x)
        predictions = _flat(prediction)
        counts.append(len(predictions))
        correct = objective.n_correct([prediction], [y])
        return [*predictions, objective.loss(prediction, y), correct, *neurons]

    recorded = trace(of_one, rows.shapes)
    listed = listing(recorded.inputs, recorded.outputs, is_batch=False, leaves=parameters)
    return roll(listed), counts[0], layers


def _kind(objective: Objective, rows: _Rows, n_outputs: int) -> str:
    """What a prediction is: "classes" by the largest of several, a "score", or a "number"."""
    if objective.loss is cross_entropy:
        return "classes"
    two = len({tuple(row[rows.n_inputs :]) for row in rows.numbers}) == 2
    return "score" if objective.correct is not None and n_outputs == 1 and two else "number"


def _spread(model: Model, leaves: list[Value], parameters: list[Any]) -> list[float]:
    """How far from 0 a new weight may lie: as far as those of its array that are there."""
    groups = [[p] for p in parameters]
    if isinstance(model, Module):
        groups = [found for _, found in model.arrays().values()]
    limits = {
        leaf: math.sqrt(3.0 / len(group)) * math.hypot(*[x.data for x in group])
        for group in groups
        for leaf in group
    }
    return [limits.get(leaf, 0.0) for leaf in leaves]


def _arrays(model: Model, place: dict[Value, int], moved: list[Any]) -> list[dict[str, Any]]:
    """The parameters by the arrays that they stand in, as rows."""
    if not isinstance(model, Module):
        return [
            {"name": "weights", "columns": min(len(moved), 16), "at": [place[x] for x in moved]}
        ]
    return [
        {
            "name": visible(name),
            "columns": (shape[-1] if len(shape) > 1 else len(found)) or 1,
            "at": [place[leaf] for leaf in found],
        }
        for name, (shape, found) in model.arrays().items()
    ]


def _file(model: Model) -> dict[str, Any] | None:
    """What the file of the model says, for the page to put its own numbers in."""
    if not isinstance(model, Module):
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save(path)
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return about | {"parameters": []}


def _flat(numbers: Any) -> list[Any]:
    if not isinstance(numbers, list | tuple):
        return [numbers]
    return [number for part in numbers for number in _flat(part)]


def _shape(example: Any) -> tuple[int, ...]:
    if not isinstance(example, list | tuple):
        return ()
    return (len(example), *(_shape(example[0]) if example else ()))


@functools.cache
def _asset(name: str) -> str:
    from importlib import resources

    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
