"""`playground`: a page that trains a model in the browser, without Python and without a server.

What a step needs is printed as JavaScript: the objective of a batch with its gradient, the model
with its loss, and the rule of the stepper, all by the compiler, from the same code that `fit` runs.
The batches come in the order in which `fit` takes them.
"""

from __future__ import annotations

import functools
import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from autograd import recording
from autograd.compiler.backends import javascript
from autograd.data import Standardization
from autograd.derivatives.structures import flat
from autograd.losses import CORRECT, cross_entropy
from autograd.nn import GAINS, MLP, Module
from autograd.nn.serialization import metadata
from autograd.optim import Adam, GradientDescent, Stepper
from autograd.training.examples import Examples, checked_examples, class_indices, shape_of
from autograd.training.objective import Correct, Loss, Model, Objective, Penalty
from autograd.value import Value
from autograd.viz.html import Page, element, scripts, styles
from autograd.viz.notation import in_a_line, names
from autograd.viz.playground import programs

HERE = Path(__file__).parent

SCRIPTS = (
    *("charts.js", "training.js", "examples.js", "plane.js", "network.js", "curves.js"),
    *("controls.js", "figures.js", "selection.js", "messages.js", "loop.js"),
)
"""One file a concern, in the order in which the page runs them, for each model that it opens."""

N_EXAMPLES = 5000
"""The most examples that a page holds."""

LONGEST_NAME, LONGEST_TITLE = 60, 200
"""The longest name of an input or a class, and the longest title; longer ones are shortened."""


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
    scale: Standardization | None = None,
    target_scale: Standardization | None = None,
    title: str = "",
) -> Playground:
    """A page that trains the model as `fit` does, from the weights and settings as they are now.

    The model, the loss and the stepper are recorded and printed; nothing of them is changed. The
    numbers of the first steps are those of `fit`, up to the last places of functions such as exp.

    Args:
        model, loss, X, Y, optimizer, batch_size, penalty, seed, shuffle, accuracy: as for `fit`.
            Every example is a number or a row of numbers, and all are alike.
        path: where to write the page; None to write none yet.
        held_out: examples and targets not used for training, on which the page tests the model.
        features: the names of the inputs.
        classes: the names of the classes 0, 1, …
        scale, target_scale: the standardizations that were applied to X and Y, for an `MLP`. The
            page then shows the original numbers, and saves weights of a model that takes and
            predicts these.
        title: the page's heading.

    Raises:
        TypeError, ValueError: as `fit`; if the examples are ragged, hold what is no finite number,
            or are too many; for names that are not as many as the features or the classes; for an
            operation that has no spelling in JavaScript; for a scale and a model that is no `MLP`.
        OSError: if the page cannot be written.
    """
    examples = checked_examples("playground", X, Y)
    n_learned = len(examples.X)
    if loss in CORRECT:
        known = classes or getattr(model, "classes", ())
        indices, classes = class_indices("playground", Y, examples.Y, known)
        examples = examples._replace(Y=indices)
    if held_out is not None:
        more = checked_examples("playground: held_out", *held_out)
        if loss in CORRECT:
            indices, _ = class_indices("playground: held_out", more.Y, more.Y, classes)
            more = more._replace(Y=indices)
        examples = examples._replace(X=examples.X + more.X, Y=examples.Y + more.Y)
    if not isinstance(optimizer, Stepper):
        raise TypeError(f"playground: optimizer must be a stepper with a rule, got {optimizer!r}")
    _check_scales(model, scale, target_scale)
    shapes, rows = _rows(examples)
    n_inputs = math.prod(shapes[0])
    objective = Objective(model, loss, penalty, accuracy or CORRECT.get(loss))
    prediction = objective.model(examples.X[0])
    predicted = list(flat(prediction))
    with recording.no_grad():  # the loss may refuse a target; the generated program checks none
        for target in {tuple(row[n_inputs:]): row[n_inputs:] for row in rows}.values():
            objective.loss(prediction, target if shapes[1] else target[0])

    own: Iterable[Any] = model.parameters() if isinstance(model, Module) else optimizer.parameters
    parameters: list[Any] = list(dict.fromkeys([*own, *optimizer.parameters]))
    gradient, moved = programs.gradient(objective, shapes, optimizer, parameters)
    forward, units = programs.forward(objective, shapes, parameters)
    features = features or examples.columns
    _check_names("features", features, n_inputs)
    _check_names("classes", classes, max(2, len(predicted)))
    printed = {"gradient": gradient, "forward": forward}
    leaves = [leaf for each in printed.values() for x in each for leaf in x.leaves]
    place = {leaf: i for i, leaf in enumerate(dict.fromkeys(leaves))}
    unique = names(list(place), longest=LONGEST_NAME)
    for leaf in place:
        if not math.isfinite(leaf.data):
            raise ValueError(f"playground: {leaf!r} is not finite; give it a number to start from")
    steppers = _steppers(optimizer)
    states: dict[Any, Any] = dict(zip(optimizer.parameters, optimizer.states, strict=True))
    ends_in = getattr(predicted[0], "op", "")
    is_binary = len({tuple(row[n_inputs:]) for row in rows}) <= 2 and len(predicted) == 1
    data = {
        "names": [unique[leaf] for leaf in place],
        "numbers": [leaf.data for leaf in place],
        "arrays": [
            {"name": in_a_line(name), "columns": n, "at": [place[leaf] for leaf in found]}
            for name, n, found in _arrays(model, moved)
        ],
        "moved": [place[leaf] for leaf in moved],
        "leaves": {
            name: [[place[leaf] for leaf in program.leaves] for program in found]
            for name, found in printed.items()
        },
        "parameters": [place[leaf] for leaf in own],
        "rows": list(itertools.chain.from_iterable(rows)),
        "width": len(rows[0]),
        "inputs": n_inputs,
        "features": [in_a_line(name, LONGEST_NAME) for name in features],
        "scales": [each and list(zip(*each, strict=True)) for each in (scale, target_scale)],
        "classes": [in_a_line(name, LONGEST_NAME) for name in classes],
        "learned": n_learned,
        "outputs": len(predicted),
        "units": [
            {
                "name": unit.name,
                "layer": unit.layer,
                "weights": [place[leaf] for leaf in unit.neuron.weights],
                "bias": place[unit.neuron.bias],
                "sources": unit.sources,
                "gain": GAINS[unit.neuron.activation],
                "dies": unit.neuron.activation == "relu",
            }
            for unit in units
        ],
        "seed": seed_words(seed),
        "shuffle": shuffle,
        "batch": min(batch_size or n_learned, n_learned),
        "kind": "classes"
        if loss is cross_entropy
        else "score"
        if objective.correct is not None and is_binary
        else "number",
        "threshold": 0.5 if loss not in CORRECT and ends_in == "sigmoid" else 0.0,
        "counts": objective.correct is not None,
        "penalised": penalty is not None,
        "steppers": [
            {
                "name": _name(stepper),
                "coefficients": stepper.coefficients(),
                "initial": stepper.initial_state,
                "states": [states[leaf] for leaf in moved] if i == 0 else None,
            }
            for i, stepper in enumerate(steppers)
        ],
        "file": metadata(model) | {"parameters": []} if isinstance(model, Module) else None,
    }
    page = Playground(
        in_a_line(title, LONGEST_TITLE) or "A model learns",
        data,
        "".join(programs.source(name, found) for name, found in printed.items()),
        programs.source("rules", [javascript.update_rule(stepper) for stepper in steppers]),
    )
    if path is not None:
        page.save(path)
    return page


def _rows(examples: Examples) -> tuple[programs.Shapes, list[list[float]]]:
    """The shapes of an example and its target; and all of them as rows of numbers."""
    X, Y, _ = examples
    if len(X) > N_EXAMPLES:
        raise ValueError(
            f"playground: {len(X):,} examples are more than a page holds ({N_EXAMPLES:,}); "
            f"give a part of them"
        )
    shapes = [(shape_of(x), shape_of(y)) for x, y in zip(X, Y, strict=True)]
    for i, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise ValueError(
                f"playground: row {i} has the shapes {shape[0]} and {shape[1]}, row 0 has "
                f"{shapes[0][0]} and {shapes[0][1]}; all examples have to be alike"
            )
    if problem := examples.not_finite(range(len(X))):
        raise ValueError(f"playground: {problem}give finite numbers")
    return shapes[0], [list(map(float, [*flat(x), *flat(y)])) for x, y in zip(X, Y, strict=True)]


class Playground(Page):
    """A page in which a model is trained.

    Attributes:
        html: an HTML fragment, to be embedded in any page.
        data: the input of its scripts: the examples, the parameters, and how the model learns.
        source: the JavaScript of the gradient and of the forward pass.
        rules: the JavaScript of the steppers' rules.
    """

    def __init__(self, title: str, data: dict[str, Any], source: str, rules: str) -> None:
        self.title, self.data, self.source, self.rules = title, data, source, rules
        n, m = len(data["moved"]), data["learned"]
        self.introduction = (
            f"{n:,} parameter{'s are' if n > 1 else ' is'} trained on {m:,} "
            f"example{'s' if m > 1 else ''}. Each step computes the loss and its derivative with "
            f"respect to each of them, then moves them all a little downhill. The page needs no "
            f"Python: it runs JavaScript that Python generated, and sends nothing anywhere."
        )

    @functools.cached_property
    def html(self) -> str:
        """One self-contained piece of HTML."""
        opened = "open(root, told, { gradient, forward, rules }, {});\n"
        return html_of(self.title, self.data, self.source + self.rules + opened)

    def __repr__(self) -> str:
        n, m = len(self.data["moved"]), self.data["learned"]
        return f"Playground({n} parameters, {m} examples): .save('learn.html')"


def html_of(title: str, told: dict[str, Any], program: str) -> str:
    """The HTML of a playground: its data, the scripts, and the program that opens a model."""
    workplace = "function open(root, told, { gradient, forward, rules }, kept) {\n"
    workplace += f"{scripts(HERE, SCRIPTS)}}}\n"
    once = scripts(HERE, ("../shared/dom.js", "random.js", "start.js"))
    style = f"<style>\n{styles(HERE, ('../shared/page.css', 'playground.css'))}</style>\n"
    script = f'<script>\n(() => {{\n"use strict";\n{once}{workplace}{program}}})();\n</script>\n'
    return element("autograd-playground", title, style, told, script)


def seed_words(seed: int) -> list[int]:
    """The seed in words of 32 bits, the lowest first, as `random.Random` uses it."""
    seed = abs(seed)
    return [seed >> shift & 0xFFFFFFFF for shift in range(0, max(1, seed.bit_length()), 32)]


def _check_scales(
    model: Model, scale: Standardization | None, target_scale: Standardization | None
) -> None:
    """Raise if the model cannot absorb the scales into its first and last layer."""
    if not scale and not target_scale:
        return
    if not isinstance(model, MLP):
        raise TypeError(f"playground: a scale is for an MLP, which can take it in, got {model!r}")
    needed = {"scale": (scale, model.n_inputs), "target_scale": (target_scale, model.widths[-1])}
    for name, (given, n) in needed.items():
        if given and len(given.means) != n:
            raise ValueError(f"playground: {name} is of {len(given.means)} numbers, got {model!r}")


def _check_names(what: str, names: Sequence[str], n: int) -> None:
    if names and len(names) != n:
        given = ", ".join(map(repr, names))
        raise ValueError(
            f"playground: expected names of {n} {what}, got {len(names)}: {given:.200}"
        )


def _steppers(optimizer: Stepper) -> list[Stepper]:
    """The optimizer given, then the alternatives that the page offers."""
    one = [Value(0.0)]
    others = [GradientDescent(one, 0.1), GradientDescent(one, 0.03, momentum=0.9), Adam(one, 0.01)]
    return [optimizer, *(other for other in others if _name(other) != _name(optimizer))]


def _name(stepper: Stepper) -> str:
    if type(stepper) is not GradientDescent:
        return type(stepper).__name__
    if stepper.momentum == 0.0:
        return "Gradient descent"
    return f"{'Nesterov' if stepper.nesterov else 'Momentum'} {stepper.momentum:g}"


def _arrays(model: Model, moved: list[Any]) -> Iterator[tuple[str, int, Sequence[Any]]]:
    """The model's arrays of parameters: their names, how many columns they have, their elements."""
    if not isinstance(model, Module):
        yield "parameters", min(len(moved), 16), moved
        return
    for name, (shape, found) in model.arrays().items():
        yield name, math.prod(shape[-1:]), found
