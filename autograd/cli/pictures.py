"""The pictures that `train` writes: curves, confusion matrix or predictions, and a neuron."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd.cli.draw import saved
from autograd.cli.examples import Examples
from autograd.data import Rows, printable
from autograd.files import write_whole
from autograd.losses import cross_entropy, mean_squared_error
from autograd.nn import MLP
from autograd.training import History
from autograd.value import Value, topological_order
from autograd.viz.charts import captioned, confusion_svg, curve_svg, scatter_svg
from autograd.viz.drawing import draw

MANY_INPUTS = 8
"""How many inputs of a neuron are drawn."""


def pictures(
    folder: Path,
    job: Examples,
    model: MLP,
    history: History,
    predictions: list[Any],
    X_test: Rows,
) -> dict[Path, str]:
    """Write all pictures; returns the path of each and what it shows."""
    written: dict[Path, str] = {}
    for name in ("accuracy.svg", "confusion.svg", "predictions.svg"):
        (folder / name).unlink(missing_ok=True)  # what an earlier training left is not about this

    def write(name: str, svg: str, what: str) -> None:
        written[write_whole(folder / name, svg)] = what

    write("loss.svg", curve_svg([row.loss for row in history]), "the loss over the epochs")
    if shares := [row.accuracy for row in history if row.accuracy is not None]:
        what = "the accuracy on the training examples over the epochs"
        write("accuracy.svg", curve_svg(shares, "accuracy"), what)
    if job.classes:
        counts = [[0] * len(job.classes) for _ in job.classes]
        for z, y in zip(predictions, job.Y_test, strict=True):
            counts[int(y)][z.index(max(z))] += 1
        names = [printable(name) for name in job.classes]
        what = "the confusion matrix of the held-out examples"
        write("confusion.svg", confusion_svg(counts, names), what)
    else:
        what = "predictions against targets of the held-out examples"
        write("predictions.svg", scatter_svg(job.Y_test, predictions), what)
    loss = cross_entropy if job.classes else mean_squared_error
    wrong = [loss(z, y).data for z, y in zip(predictions, job.Y_test, strict=True)]
    i = wrong.index(max(wrong))
    target = job.Y_test[i]
    shown = printable(job.classes[int(target)]) if job.classes else f"target {target:g}"
    example = f"the held-out example with the largest loss ({job.places[i]}{shown})"
    neuron, part = _neuron_in_context(model, X_test[i], target, job)
    path = saved(draw(neuron, only=part), folder / "graph.svg")
    if path.suffix == ".svg":
        lines = [
            f"{neuron.label} at {example}, with gradients of its loss.",
            "Blue: increasing it raises the loss; orange: lowers it; "
            "stronger color, larger effect.",
        ]
        if part:
            total = len(job.features)
            lines.append(f"The {MANY_INPUTS} of {total} inputs with the largest products w·x.")
        write_whole(path, captioned(path.read_text("utf-8"), lines))
    written[path] = f"one neuron, its values and gradients at {example}"
    return written


def _neuron_in_context(
    model: MLP, x: Sequence[float], target: float, job: Examples
) -> tuple[Value, list[Value] | None]:
    """The neuron with the most influence at an example, and the nodes to draw, or None for all."""
    inputs = [Value(number, name) for number, name in zip(x, job.features, strict=True)]
    signals = inputs
    layers = [signals := [neuron(signals) for neuron in layer.neurons] for layer in model.layers]
    loss = cross_entropy if job.classes else mean_squared_error
    loss(signals if job.classes else signals[0], target).backward()
    matters = [abs(neuron.data * (neuron.grad or 0.0)) for neuron in layers[0]]
    which = matters.index(max(matters))
    neuron, first = layers[0][which], model.layers[0].neurons[which]
    neuron.label = f"layer0.neuron{which}"
    if len(inputs) <= MANY_INPUTS:
        return neuron, None
    weights = first.weights
    by_weight = sorted(range(len(x)), key=lambda i: -abs(weights[i].data * x[i]))
    places = sorted(by_weight[:MANY_INPUTS])
    own = [node for node in topological_order(neuron) if node.args or node is first.bias]
    return neuron, [*(inputs[i] for i in places), *(weights[i] for i in places), *own]
