"""A playground whose data set, noise, network and regularization are chosen in the page.

The programs of all networks and activations are generated once, and the data sets are stored with
each level of noise. A seed gives the weights of `MLP(seed=…)` and the batches of `fit(seed=…)`, so
that every choice can be repeated in Python:

    X, Y = choices.examples("moons", noise=0.1)
    l1, l2 = choices.PENALTIES["L2 0.001"]
    model = ag.MLP(2, [8, 8, 1], activation="tanh", seed=7)
    ag.fit(model, ag.binary_cross_entropy, X[:140], Y[:140], ag.Adam(model.parameters(), 0.03),
           penalty=lambda parameters: choices.penalty(parameters, l1, l2), seed=7, …)

A link can make the choices: `playground.html?data=spirals&noise=0&held=30&network=5&seed=3`, where
network is its place in `NETWORKS`.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd import datasets, functions
from autograd.losses import binary_cross_entropy
from autograd.nn import MLP
from autograd.optim import Adam
from autograd.value import Value
from autograd.viz.html import Page, scripts
from autograd.viz.playground.page import HERE, html_of, playground

N_EXAMPLES = 200
NOISES = (0.0, 0.05, 0.1, 0.2, 0.3)
HELD_OUT = (0, 10, 30, 50)
"""Percent of the examples."""

NETWORKS = ((), (4,), (8,), (4, 4), (8, 8), (6, 6, 6))
"""The widths of the hidden layers."""

ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear")

PENALTIES = {
    "none": (0.0, 0.0),
    "L1 0.001": (0.001, 0.0),
    "L1 0.01": (0.01, 0.0),
    "L2 0.001": (0.0, 0.001),
    "L2 0.01": (0.0, 0.01),
    "L2 0.1": (0.0, 0.1),
}
"""The strengths of the two penalties, l1 and l2."""

LEARNING_RATE = 0.03


def _square(n: int, noise: float) -> tuple[datasets.Rows, list[int]]:
    """`xor` with its corners at ±1, so that the mean of each input is 0."""
    X, Y = datasets.xor(n, noise / 2.0)
    return [[2.0 * x - 1.0 for x in row] for row in X], Y


DATA: dict[str, Callable[[int, float], tuple[datasets.Rows, list[int]]]] = {
    "moons": datasets.moons,
    "circles": datasets.circles,
    "xor": _square,
    "spirals": datasets.spirals,
}


def examples(name: str, noise: float) -> tuple[datasets.Rows, list[int]]:
    """A data set of the page: its coordinates in three decimals, in random order.

    Raises KeyError if there is no such data set.
    """
    X, Y = DATA[name](N_EXAMPLES, noise)
    order = random.Random(0).sample(range(N_EXAMPLES), N_EXAMPLES)
    return [[round(x, 3) for x in X[i]] for i in order], [Y[i] for i in order]


def penalty(parameters: Iterable[Any], l1: Any, l2: Any) -> Any:
    """l1·Σ|w| + l2·Σw² over the weights; biases are not penalized."""
    weights = [p for p in parameters if not p.label.endswith("bias")]
    return l1 * functions.sum(map(abs, weights)) + l2 * functions.sum(w * w for w in weights)


class Choices(Page):
    """A page that trains a network on data, both chosen on the page.

    Attributes:
        html: its content, to embed in any page.
    """

    title = "Train a neural network in your browser"
    introduction = (
        "Choose data and a network, then press Train. Each step computes the loss and its "
        "derivative with respect to each parameter, then changes them all a little against it. "
        "The page needs no Python: it runs JavaScript that Python generated, and sends nothing "
        "anywhere."
    )

    @functools.cached_property
    def html(self) -> str:
        """One self-contained piece of HTML."""
        strengths = Value(0.0, "l1"), Value(0.0, "l2")
        programs: dict[str, str] = {}
        networks = [
            {
                "widths": widths,
                "models": {name: _model(widths, name, strengths, programs) for name in ACTIVATIONS},
            }
            for widths in NETWORKS
        ]
        data = {
            "networks": networks,
            "data": {
                name: {f"{noise:g}": _flat(*examples(name, noise)) for noise in NOISES}
                for name in DATA
            },
            "held": HELD_OUT,
            "penalties": PENALTIES,
        }
        sources = ",\n".join(f"() => {{\n{text}}}" for text in programs)
        rules = next(iter(programs.values()))
        panel = scripts(HERE, ("choices.js",))
        program = f"{rules}const programs = [\n{sources}];\n{panel}"
        return html_of(self.title, data, program)

    def __repr__(self) -> str:
        return f"Choices({len(NETWORKS)} networks, {len(DATA)} data sets): .save('playground.html')"


def _model(
    widths: Sequence[int],
    activation: str,
    strengths: tuple[Value, Value],
    programs: dict[str, str],
) -> dict[str, Any]:
    """The data of one network for the page; its program is added to `programs`, once.

    The initial weights and the examples are chosen in the page.
    """
    X, Y = examples("moons", 0.1)
    model = MLP(2, [*widths, 1], activation=activation, seed=0)
    page = playground(
        *(model, binary_cross_entropy, X, Y),
        Adam(model.parameters(), LEARNING_RATE),
        penalty=lambda parameters: penalty(parameters, *strengths),
        classes=("class 0", "class 1"),
    )
    data = {
        key: item for key, item in page.data.items() if key not in ("numbers", "rows", "learned")
    }
    data["strengths"] = [data["names"].index(x.label) for x in strengths]
    data["steppers"] = [{**stepper, "states": None} for stepper in data["steppers"]]
    source = f"{page.source}return {{ gradient, forward, rules }};\n"
    programs.setdefault(source, page.rules)
    return data | {"program": list(programs).index(source)}


def _flat(X: datasets.Rows, Y: Sequence[int]) -> list[float]:
    return [number for x, y in zip(X, Y, strict=True) for number in (*x, y)]
