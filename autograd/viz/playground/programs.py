"""JavaScript programs of a playground: the forward pass, and a batch's objective with gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.compiler.backends import javascript
from autograd.compiler.pipeline import Lowered, lower, roll
from autograd.compiler.program import Program
from autograd.compiler.trace import Trace, leaves_of, trace
from autograd.derivatives.structures import flat
from autograd.nn import Module, Neuron
from autograd.optim import Stepper
from autograd.training.objective import Model, Objective
from autograd.value import Operand, Value, topological_order

WIDEST, MOST_WEIGHTS = 64, 4000
"""A network with a wider layer, or more weights, is too much for a picture."""

Shapes = Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class Unit:
    """A neuron in the recording of a model.

    Attributes:
        name: the neuron's dotted name in the model.
        layer: 1 if all its inputs are inputs of the model, else 1 + the largest layer among them.
        neuron: its weights and its bias.
        sources: for each weight, what it multiplies: the index of an input, or the number of inputs
            plus the index of a unit; -1 if it is neither.
    """

    name: str
    layer: int
    neuron: Neuron
    sources: list[int]


def gradient(
    objective: Objective, shapes: Shapes, optimizer: Stepper, parameters: Iterable[Any]
) -> tuple[list[Program], list[Any]]:
    """The objective of a batch, its accuracy and its gradient; and the parameters of the gradient.

    Raises:
        RuntimeError: if the objective depends on none of the optimizer's parameters.
    """

    def of_one(x: Any, y: Any) -> list[Operand]:
        value, predictions = objective([x], [y], optimizer.parameters)
        return [value, objective.n_correct(predictions, [y])]

    def with_slopes(recorded: Trace, follows_branches: bool) -> Lowered:
        inputs, outputs = recorded.inputs, recorded.outputs
        return lower(inputs, outputs, True, parameters, moved, follows_branches)

    reached = set(leaves_of(trace(of_one, shapes).outputs[0]))
    moved: list[Any] = [p for p in optimizer.parameters if p in reached]
    if not moved:
        raise RuntimeError("playground: the loss depends on none of the optimizer's parameters")
    return _programs(of_one, shapes, with_slopes), moved


def forward(
    objective: Objective, shapes: Shapes, parameters: Iterable[Any]
) -> tuple[list[Program], list[Unit]]:
    """The forward pass for one example, and the neurons of the model, if they can be shown.

    The programs return the predictions, the loss, whether they are right (1 or 0), and each unit's
    output.
    """

    def of_one(x: Any, y: Any) -> list[Operand]:
        prediction = objective.model(x)
        correct = objective.n_correct([prediction], [y])
        return [*flat(prediction), objective.loss(prediction, y), correct]

    units: dict[Value, Unit] = {}

    def with_units(recorded: Trace, _: bool) -> Lowered:
        units.clear()
        units.update(_units(objective.model, recorded, math.prod(shapes[0])))
        return lower(recorded.inputs, [*recorded.outputs, *units], False, parameters)

    return _programs(of_one, shapes, with_units), list(units.values())


def _programs(
    f: Callable[..., Any], shapes: Shapes, lowered: Callable[[Trace, bool], Lowered]
) -> list[Program]:
    """The program of f, and one that ignores unselected branches, if it differs.

    The second is for where the first finds a nan.
    """
    plain, followed = (lowered(trace(f, shapes, follows), follows) for follows in (False, True))
    return [roll(plain)] + [roll(followed)] * (followed.key != plain.key)


def source(name: str, programs: Sequence[Program]) -> str:
    """The programs as one constant: a list of them, in JavaScript."""
    parts = [javascript.source(program, f"{name}{i}") for i, program in enumerate(programs)]
    return (
        f"{''.join(parts)}const {name} = [{', '.join(f'{name}{i}' for i in range(len(parts)))}];\n"
    )


# --- the neurons of a model -----------------------------------------------------------------------


def _units(model: Model, recorded: Trace, n_inputs: int) -> dict[Value, Unit]:
    """Map each neuron's output node to the neuron; empty if there are too many to show."""
    loss = recorded.outputs[-2]
    if not isinstance(model, Module) or not isinstance(loss, Value):
        return {}
    parts = [(name, x) for name, x in model.named_modules() if isinstance(x, Neuron)]
    neurons: dict[Any, tuple[str, Neuron]] = {x.weights[0]: (name, x) for name, x in parts}
    order = topological_order(loss)
    users: dict[Any, Value] = {}
    for node in order:
        for arg in node.args:
            users.setdefault(arg, node)
    units: dict[Value, Unit] = {}
    places: dict[Any, int] = {x: i for i, x in enumerate(recorded.inputs[:n_inputs])}
    for node in order:
        name, neuron = neurons.get(node.args[0], ("", None)) if node.op == "dot" else ("", None)
        said = users.get(node)
        if neuron is None or said is None or said.args != (node, neuron.bias):
            continue
        sources = [places.get(_origin(x, places), -1) for x in node.args[len(neuron.weights) :]]
        before = [unit.layer for i, unit in enumerate(units.values()) if n_inputs + i in sources]
        if neuron.activation != "linear":
            said = users[said]
        places[said] = n_inputs + len(units)
        units[said] = Unit(name or "neuron", 1 + max(before, default=0), neuron, sources)
    layers = [unit.layer for unit in units.values()]
    widest = max(map(layers.count, layers), default=0)
    n_weights = sum(len(unit.sources) for unit in units.values())
    return units if max(widest, n_inputs) <= WIDEST and n_weights <= MOST_WEIGHTS else {}


def _origin(x: Any, places: dict[Any, int]) -> Any:
    """The input that x is computed from by operations on one Value, such as a scaling."""
    while isinstance(x, Value) and x not in places:
        args = [arg for arg in x.args if isinstance(arg, Value)]
        if len(args) != 1:
            break
        (x,) = args
    return x
