"""The pages that stand built in `notebooks/pages/`: `python -m tests.pages` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

from autograd import Neuron, Value, log, maximum, play
from autograd.files import write_whole
from autograd.viz import Player
from autograd.viz.html import page_text, styles
from autograd.viz.player.player import HERE, SCRIPTS, STYLES, function
from autograd.viz.playground import Choices

FOLDER = Path(__file__).parents[1] / "notebooks" / "pages"

TITLE = "Backpropagation by hand"
INTRODUCTION = (
    "Ready pages for a lesson. Each works offline; keep them in one folder with player.js and "
    "player.css. Add ?present to an address for larger text."
)


def named(value: Value, label: str) -> Value:
    value.label = label
    return value


def neuron() -> Player:
    """A neuron of two inputs with the squared error of its output; Step moves its parameters."""
    model = Neuron(2, "tanh", seed=0)
    labels = ("w1", "w2", "b")
    x1, x2 = Value(2.0, "x1"), Value(-1.0, "x2")
    w1, w2, b = (named(p, name) for p, name in zip(model.parameters(), labels, strict=True))
    w1.data, w2.data, b.data = 0.5, 1.5, 0.8
    z = named(x1 * w1 + x2 * w2 + b, "z")
    y = named(z.tanh(), "y")
    error = named(y - 1.0, "error")
    return play(named(error * error, "L"), model=model)


def two_paths() -> Value:
    """L = (a·b + c)·a, in which L depends on a along two paths."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    d = named(a * b + c, "d")
    return named(d * a, "L")


def sigmoid_chain() -> Value:
    """Three layers of one sigmoid neuron each, and −log ŷ."""
    a: Value | float = 1.0
    for layer, (w, b) in enumerate([(0.8, 0.2), (1.5, -0.5), (2.0, -1.0)], start=1):
        z = named(Value(w, f"W{layer}") * a + Value(b, f"b{layer}"), f"z{layer}")
        a = named(z.sigmoid(), "ŷ" if layer == 3 else f"a{layer}")
    return named(-log(a), "Loss")


def product_rule() -> Value:
    """y = x²·sin x, whose derivative is that of a product."""
    x = Value(1.0, "x")
    u, v = named(x * x, "u"), named(x.sin(), "v")
    return named(u * v, "y")


def branch() -> Value:
    """The larger of two numbers: only one of them has an influence."""
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(1.5, "c")
    p, q = named(a * b, "p"), named(b + c, "q")
    return named(maximum(p, q) * c, "L")


def players() -> dict[str, tuple[Player, str, str]]:
    """By the name of the file: a player, its title, and what to try."""
    return {
        "neuron.html": (
            neuron(),
            "One neuron",
            "Two inputs, two weights, a bias, tanh, and the squared error for the target 1. Press "
            "Step a few times: which weights grow, and why? Then set x1 to 0: which gradient is 0?",
        ),
        "sigmoid_chain.html": (
            play(sigmoid_chain()),
            "Three layers of sigmoids",
            "z1, z2 and z3 are one neuron each. Compare dLoss/dW3 with dLoss/dW1: every sigmoid "
            "multiplies the gradient by ¼ at most.",
        ),
        "product_rule.html": (
            play(product_rule()),
            "The product rule",
            "y = x²·sin x. The two paths from x to y are the two terms of the product rule, and "
            "x² has two paths of its own.",
        ),
        "branch.html": (
            play(branch()),
            "A maximum",
            "Only the larger operand gets a gradient. Change b until the other one is larger.",
        ),
    }


class Entry(NamedTuple):
    """A page of the gallery: its file, its heading, what to try there, and what it shows.

    Without a player, it is a page that is whole in itself, and is only linked.
    """

    name: str
    title: str
    text: str
    player: Player | None = None


def entries() -> Iterator[Entry]:
    text = (
        "L depends on a directly and through d. Choose I predict, and find both contributions to "
        "dL/da before the page shows them."
    )
    yield Entry("backpropagation.html", "Two paths", text)
    for name, (player, title, text) in players().items():
        yield Entry(name, title, text, player)
    text = "Choose data, network and learning rate, and train a network in the browser."
    yield Entry("playground.html", "A playground", text)


def links() -> str:
    items = (
        f'<li style="margin-bottom: 12px"><a href="{escape(entry.name)}">{escape(entry.title)}</a>'
        f"<br>{escape(entry.text)}</li>\n"
        for entry in entries()
    )
    return f"<ul>\n{''.join(items)}</ul>\n"


def beside_the_script(player: Player) -> str:
    """The player's element, whose script and style sheet are files beside the page."""
    script = f'<script src="player.js"></script>\n<script>\n{player.start()}</script>\n'
    back = '<p class="back"><a href="index.html">All pages</a></p>\n'
    return player.markup('<link rel="stylesheet" href="player.css">\n', script) + back


def build(folder: Path) -> list[Path]:
    """Write all pages to the folder; returns their paths."""
    files = {
        "player.js": function(SCRIPTS),
        "player.css": styles(HERE, STYLES),
        "index.html": page_text(TITLE, INTRODUCTION, links()),
    }
    for name, title, text, player in entries():
        if player is not None:
            files[name] = page_text(title, text, beside_the_script(player))
    return [
        *(write_whole(folder / name, content) for name, content in files.items()),
        play(two_paths()).save(folder / "backpropagation.html"),
        Choices().save(folder / "playground.html"),
    ]


if __name__ == "__main__":
    for path in build(FOLDER):
        print(path)
