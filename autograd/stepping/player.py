"""`play`: a graph whose numbers can be changed, and whose derivatives are found edge by edge.

What is written here is one piece of HTML with everything in it: the final picture as an image,
which shows wherever images do; what the page says of the graph, as JSON; the graph's values and
local derivatives as a program in JavaScript, printed by the compiler from the same table that
Python computes with; and `player.js` and `player.css`. Where scripts run, the page computes: with
no Python, kernel, server or network.
"""

from __future__ import annotations

import functools
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd import drawing
from autograd.drawing import Drawing, Place, Places, Way, html_image
from autograd.formula import Notation, changed_since, in_a_line, names, shortened, visible
from autograd.nn import Module
from autograd.optim import GradientDescent
from autograd.picture import Edge, Fold, Node, TooLargeError, called_after, check_size, picture
from autograd.primitives import TABLE
from autograd.stepping.page import json_for_script, write_page
from autograd.stepping.sentences import SENTENCES
from autograd.stepping.steps import checked
from autograd.value import Operand, Value, adjoints, topological_order

if TYPE_CHECKING:
    from autograd.compiler.program import Program


def play(
    value: Value,
    *,
    collapse: Fold | None = None,
    model: Module | None = None,
    limit: int = 300,
) -> Player:
    """A page on which `value` is computed anew as leaves are changed; it shows itself in Jupyter.

    *Backward* finds the derivatives, at once or edge by edge, or asks what they are; *Step* moves
    the leaves against them, or the parameters alone if the graph has any. The page begins with what
    was recorded and changes nothing in the graph, `grad` included.

    Args:
        value: the output of the graph.
        collapse: "neurons" or "layers" shows each of those as one node, to be opened for its
            weights.
        model: whose parameters the graph's are, and after whose parts its nodes are called. Without
            it, leaves that are labelled as those of `nn` are taken for parameters.
        limit: the most nodes to show.

    Raises:
        TypeError: if `value` is no Value.
        ValueError: if the graph has more nodes than `limit`, 20 times as many edges, or edges that
            pass over 100 times as many columns of nodes: no layout could untangle these.
    """
    order = topological_order(checked(value, "play"))
    try:
        if collapse is None:
            check_size(len(order), "nodes", limit)  # before naming any of a million
        return Player(_Graph(order, collapse, model, limit))
    except TooLargeError as reason:
        raise ValueError(
            f"play: {reason}: play a smaller graph (one neuron, one example), fold a network "
            f"(collapse='neurons' or 'layers'), or pass a higher limit= and be patient"
        ) from None


class Player:
    """A graph to change and to step through.

    Attributes:
        html: what it shows, to be put into any page. RuntimeError, saying what to install, if
            there is no program to lay out the picture.
    """

    def __init__(self, graph: _Graph) -> None:
        self._graph = graph

    @functools.cached_property
    def html(self) -> str:
        """One self-contained piece of HTML."""
        graph = self._graph
        title = escape(f"Backpropagation through {graph.title}, step by step")
        described = f"{graph.title} with its values and gradients: {graph.drawing.described}"
        picture = html_image(graph.drawing.svg.encode(), "svg+xml", described)
        style, script = ((HERE / name).read_text("utf-8") for name in ("player.css", "player.js"))
        return (
            f'<div class="autograd-player" role="group" aria-label="{title}">\n'
            f"<style>\n{style}</style>\n"
            f"{picture}\n"
            f'<p class="still">{escape(STILL)}</p>\n'
            f'<script type="application/json">{json_for_script(graph.page())}</script>\n'
            f"<script>\n// The graph, computed and taken apart.\n(() => {{\n"
            f'"use strict";\n{graph.program()}{script}}})();\n</script>\n'
            f"</div>\n"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the player as a page of its own, which needs no network and no Python.

        The file appears when it is complete. Returns its path. ValueError for a name that does not
        end in .html or .htm.
        """
        title = f"Backpropagation through {self._graph.title}"
        return write_page(path, title, INTRODUCTION, self.html)

    def __repr__(self) -> str:
        nodes, edges = len(self._graph.shown.nodes), len(self._graph.shown.edges)
        return f"Player(nodes={nodes}, edges={edges}): .save('backprop.html') writes a page"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        try:
            return {"text/html": self.html, "text/plain": repr(self)}
        except RuntimeError as reason:
            return {"text/plain": f"{self!r}\n{reason}"}


HERE = Path(__file__).parent

LONGEST_NAME, LONGEST_TITLE = 24, 200
"""A label of more characters is shortened in cards and sentences; in a title it has more room."""

STILL = (
    "This picture stands still, because no scripts run here: run the cell, or trust the notebook, "
    "to change its numbers and to step through it."
)

INTRODUCTION = (
    "Change any number: all values follow at once. Backward finds how the output would change with "
    "each leaf. Step moves the leaves against that. These are two buttons because they are two "
    "different things."
)


# --- notation with places for names and numbers ---------------------------------------------------


class _PageNotation(Notation):
    """As on the page: a true minus, exponents raised."""

    minus = "−"
    _raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

    def _power(self, base: str, exponent: str) -> str:
        if exponent.isascii() and exponent.isdigit():
            return base + exponent.translate(self._raised)
        return super()._power(base, exponent)


_PAGE = _PageNotation()
_MARK = "\x00"

Parts = list["str | int"]
"""Text with places in it: strings, and between them the nodes whose names or numbers go there."""


def _parts(text: str) -> Parts:
    """The parts of a text in which nodes stand as their numbers between marks."""
    return [int(part) if i % 2 else part for i, part in enumerate(text.split(_MARK))]


def _number(x: float | None) -> float | str | None:
    """A number as JSON has it; what is not finite by its name in JavaScript."""
    if x is None or math.isfinite(x):
        return x
    return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


# --- the graph as a page has it -------------------------------------------------------------------


class _Graph:
    """What a page needs to know of a graph: its nodes, what is shown of them, and its program."""

    def __init__(
        self, order: Sequence[Value], collapse: Fold | None, model: Module | None, limit: int
    ) -> None:
        self.order = order
        called = called_after(order, model)
        self.names = names(order, called, LONGEST_NAME)
        self.in_full = {
            node: in_a_line(node.label or called.get(node, ""), LONGEST_TITLE) or self.names[node]
            for node in order
        }
        self.title = self.in_full[order[-1]]
        self.shown = picture(
            order,
            collapse=collapse,
            limit=limit,
            model=model,
            labels=self.names,
            gradients=adjoints(order[-1]),
        )
        self.shorts = {
            node.values[0]: in_a_line(node.label, LONGEST_NAME) or self.names[node.values[0]]
            for node in self.shown.nodes
            if len(node.values) == 1
        }
        """What a node is called within its frame."""
        self.position = {node: i for i, node in enumerate(order)}
        self.edges = [(node, k) for node in reversed(order) for k in _with_derivative(node)]
        """Every operand with a derivative, in the order of the backward pass."""
        self.numbers = {use: i for i, use in enumerate(self.edges)}
        self.uses = Counter(node.args[k] for node, k in self.edges)
        self.places = {node.id: i for i, node in enumerate(self.shown.nodes)}
        self.parameters = [
            node
            for shown in self.shown.nodes
            if shown.kind in ("parameter", "folded")
            for node in shown.values
            if not node.op
        ]
        self._marks = {node: f"{_MARK}{i}{_MARK}" for node, i in self.position.items()}

    @functools.cached_property
    def drawing(self) -> Drawing:
        """The picture for where no scripts run."""
        return Drawing(self.shown, "LR", "")

    def page(self) -> dict[str, Any]:
        """All that the page is told."""
        leaves = [node for node in self.order if not node.op]
        moved = self.parameters or leaves
        is_dense = drawing.is_dense(self.shown)
        return {
            "sentences": SENTENCES,
            "nodes": [self._node(node) for node in self.order],
            "edges": [self._edge(node, k) for node, k in self.edges],
            "leaves": [self.position[node] for node in leaves],
            "moved": sorted(self.position[node] for node in moved),
            "moves": "all parameters" if self.parameters else "all",
            "outdated": [self.position[node] for node in changed_since(self.order)],
            "cards": [self._card(node) for node in self.shown.nodes],
            "ways": [self._way(edge) for edge in self.shown.edges],
            "layouts": {
                "wide": self._layout("LR", DENSE if is_dense else WIDE),
                "tall": self._layout("TB", TALL),
            },
            "dense": is_dense,
            "rates": RATES,
            "coefficients": [float(x) for x in STEPPER.coefficients()],
            "state": list(STEPPER.initial_state),
            "fixed": self._unprintable,
        }

    def _node(self, node: Value) -> dict[str, Any]:
        told: dict[str, Any] = {"name": self.names[node], "value": _number(node.data)}
        if self.shorts.get(node, told["name"]) != told["name"]:
            told["short"] = self.shorts[node]
        if len(self.in_full[node]) > LONGEST_NAME:
            told["full"] = self.in_full[node]
        if node.op:
            told |= {
                "op": node.op,
                "formula": _parts(_PAGE.formula(node, self._marks)),
                "args": [self._argument(arg) for arg in node.args[:2]],
            }
        return told

    def _argument(self, arg: Value | float) -> list[int] | float | str | None:
        """An operand: the place of a node in a list, or a plain number."""
        return [self.position[arg]] if isinstance(arg, Value) else _number(arg)

    def _edge(self, node: Value, index: int) -> dict[str, Any]:
        """An edge: its ends, its partial as recorded, and whether its operation chooses."""
        told = {
            "to": self.position[node],
            "from": self.position[node.args[index]],
            "partial": _number(node.partials[index]),
        }
        return told | ({"chooses": True} if getattr(TABLE[node.op], "chooses", False) else {})

    def _card(self, node: Node) -> dict[str, Any]:
        kind = "leaf" if node.kind == "parameter" else node.kind
        exits = [self.position[x] for x in node.exits]
        told: dict[str, Any] = {
            "kind": kind,
            "label": visible(node.label),
            "exits": exits,
            "values": [self.position[x] for x in node.values],
        }
        if kind == "folded":
            told["operation"] = node.operation
            told["name"] = ".".join(filter(None, [node.frame, node.label]))
        if node.is_output:
            told["output"] = True
        return told

    def _way(self, edge: Edge) -> dict[str, Any]:
        """An edge of the picture, which stands for one of the graph or for several."""
        told: dict[str, Any] = {
            "from": self.places[edge.source],
            "to": self.places[edge.target],
            "edges": [self.numbers[use] for use in edge.operands if use in self.numbers],
        }
        (node, k), *others = edge.operands
        if self._is_plain(edge) and not others and edge.has_derivative:
            told["local"] = _PAGE.partial(node, k, self.names)
            told["tag"] = _PAGE.partial(node, k, self.names | self.shorts)
            if why := _PAGE.why(node, k, self._marks):
                told["why"] = {f"{x:g}": _parts(text) for x, text in why.items()}
            else:
                told["rule"] = _parts(_PAGE.local_derivative(node, k, self._marks))
        return told

    def _is_plain(self, edge: Edge) -> bool:
        ends = (self.shown.nodes[self.places[end]] for end in (edge.source, edge.target))
        return all(node.kind != "folded" for node in ends)

    # --- where everything stands ------------------------------------------------------------------

    def _layout(self, rankdir: str, look: _Look) -> dict[str, Any]:
        sizes = {node.id: self._size(node, look) for node in self.shown.nodes}
        edges = [replace(edge, label=self._room_for(edge, look)) for edge in self.shown.edges]
        shown = replace(self.shown, edges=edges)
        places = Places(drawing.layout(drawing.dot_text(shown, rankdir, sizes=sizes)))
        frames = dict.fromkeys(node.frame for node in self.shown.nodes if node.frame)
        return {
            "tagged": look.names_locals,
            "size": [places.width, places.height],
            "cards": [_rounded(places.node(node.id)) for node in self.shown.nodes],
            "ways": [_told(places.edge(edge.id)) for edge in self.shown.edges],
            "frames": [
                {"name": visible(name), "box": box and _rounded(box), "at": _rounded(at)[:2]}
                for name in frames
                for box, at in [places.frame(name)]
            ],
        }

    def _size(self, node: Node, look: _Look) -> tuple[float, float]:
        """A card's width and height: room for its name, and for the derivative in it."""
        if node.kind == "folded":
            return look.folded
        name = shortened(node.label, LONGEST_NAME)
        total = len(f"d{self.names[self.order[-1]]}/d{name or 'v00'} = −0.0000")
        formula = len(name) + (14 if node.kind == "operation" else 5)
        width = 7.4 * max(total, formula) + 26.0
        is_sum = bool(node.values) and self.uses[node.values[0]] > 1
        sum_below = 20.0 if is_sum and look is not DENSE else 0.0
        return min(max(width, look.narrowest), look.widest), look.height + sum_below

    def _room_for(self, edge: Edge, look: _Look) -> str:
        """The longest text that an edge's label will have."""
        if not edge.has_derivative or not edge.operands:
            return ""
        node, k = edge.operands[0]
        is_named = look.names_locals and self._is_plain(edge)
        return (
            f"{_PAGE.partial(node, k, self.names | self.shorts)} = −0.0000" if is_named else "−0.00"
        )

    # --- its program ------------------------------------------------------------------------------

    def program(self) -> str:
        """Two constants of JavaScript: the graph's numbers from its leaves, and the stepper's rule.

        The first gives all values, then all partials; null if it has an operation of a user's that
        JavaScript cannot compute.
        """
        from autograd.compiler.backends import javascript  # loaded for a page, not with the package

        rule = javascript.source(javascript.update_rule(STEPPER), "rule")
        if self._unprintable:
            return f"const graph = null;\n{rule}"
        return javascript.source(self._program(), "graph") + rule

    @functools.cached_property
    def _unprintable(self) -> str:
        """The first operation that has no spelling in JavaScript, if there is one."""
        from autograd.compiler.backends import javascript

        spelled = javascript.SPELLING.keys() | javascript.HELPERS.keys() | {"sum", "dot"}
        return next((node.op for node in self.order if node.op and node.op not in spelled), "")

    def _program(self) -> Program:
        from autograd.compiler.rolling import roll
        from autograd.compiler.trace import listing, trace

        def everything(leaves: list[Value]) -> list[Operand]:
            at: dict[Value, Any] = dict(zip([x for x in self.order if not x.op], leaves))  # noqa: B905
            partials: dict[Value, Sequence[Any]] = {}
            for node in self.order:
                if node.op:
                    args = [at[arg] if isinstance(arg, Value) else arg for arg in node.args]
                    at[node] = TABLE[node.op](*args)
                    partials[node] = TABLE[node.op].partials_at(at[node], args, args)
            return [
                *map(at.__getitem__, self.order),
                *(partials[node][k] for node, k in self.edges),
            ]

        n_leaves = sum(not node.op for node in self.order)
        recorded = trace(everything, [(n_leaves,)])
        return roll(listing(recorded.inputs, recorded.outputs, is_batch=False))


def _with_derivative(node: Value) -> list[int]:
    return [k for k, partial in enumerate(node.partials) if partial is not None]


@dataclass(frozen=True)
class _Look:
    """The sizes of cards in pixels, and whether edges name the derivative that they carry."""

    narrowest: float
    widest: float
    height: float
    folded: tuple[float, float]
    names_locals: bool


WIDE = _Look(148.0, 250.0, 96.0, (132.0, 44.0), names_locals=True)
DENSE = _Look(118.0, 118.0, 86.0, (144.0, 44.0), names_locals=False)
TALL = _Look(112.0, 168.0, 92.0, (138.0, 44.0), names_locals=False)

STEPPER = GradientDescent([Value(0.0)], learning_rate=0.01)
"""What Step does; its learning rate is the page's to choose."""

RATES = [0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0]


def _rounded(place: Place) -> list[float]:
    return [round(x, 1) for x in place]


def _told(way: Way) -> dict[str, Any]:
    label = way.label and _rounded(way.label)[:2]
    return {"path": way.path, "tip": way.tip, "label": label}
