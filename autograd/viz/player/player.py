"""Implements `play`: the data, the program and the HTML of a player page.

The page is one piece of HTML that loads nothing: the final picture as an image, for where scripts
do not run; the data of the graph as JSON; its values and local derivatives as a
JavaScript program, generated from the table of primitives; and the scripts and style sheets of this
folder. It needs no Python, kernel, server or network.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict, Unpack, get_args, overload

from autograd import recording
from autograd.compiler.backends import javascript
from autograd.compiler.pipeline import lower, roll
from autograd.nn import Module
from autograd.optim import GradientDescent
from autograd.primitives import TABLE
from autograd.value import Operand, Value, adjoints, topological_order
from autograd.viz import drawing
from autograd.viz.dot import dot_text, is_dense
from autograd.viz.drawing import Drawing, html_image
from autograd.viz.graphview import (
    Fold,
    Node,
    called_after,
    check_choice,
    check_size,
    checked,
    picture,
)
from autograd.viz.html import Page, element, json_number, scripts, styles
from autograd.viz.notation import TEXTBOOK, Names, Notation, changed_since, in_a_line, names
from autograd.viz.steps import local_derivatives
from autograd.viz.svg import Places

Mode: TypeAlias = Literal["once", "edges", "predict"]


class _Options(TypedDict, total=False):
    title: str
    mode: Mode
    rankdir: Literal["LR", "TB"] | None
    collapse: Fold | None
    model: Module | None
    limit: int


@overload
def play(
    value: Value, *, widget: Literal[False] = False, **options: Unpack[_Options]
) -> Player: ...
@overload
def play(value: Value, *, widget: Literal[True], **options: Unpack[_Options]) -> Any: ...
def play(
    value: Value,
    *,
    title: str = "",
    mode: Mode = "edges",
    rankdir: Literal["LR", "TB"] | None = None,
    collapse: Fold | None = None,
    model: Module | None = None,
    limit: int = 300,
    widget: bool = False,
) -> Any:
    """A page where you carry out backpropagation yourself; it shows itself in Jupyter.

    Leaves can be changed, and `value` is then recomputed. *Backward* computes the derivatives, all
    at once or edge by edge, or lets you predict them; *Step* moves the parameters, or all leaves if
    there are none, against their gradients. The page starts from what was recorded; the graph,
    `grad` included, is not changed.

    A page whose address ends in `?present` opens with larger text, for a projector.

    Args:
        value: the output of the graph.
        title: the heading of the page, "Backpropagation through L" by default.
        mode: how *Backward* proceeds at first: "once" for all at once, "edges" for edge by edge, or
            "predict" to predict each contribution yourself.
        rankdir: "LR" draws the graph from left to right, "TB" from top to bottom; by default it
            depends on the width of the page.
        collapse: "neurons" or "layers" shows each of those as one node, to be opened for its
            weights.
        model: the model with the graph's parameters; its parts name the nodes. Without it, leaves
            with labels like those of `nn` count as parameters.
        limit: the largest number of nodes to show.
        widget: return a widget that shares its numbers with the leaves of `value`, in Jupyter and
            other notebooks (the extra `widget`). It has a method `update()` and the attributes
            `value` and `leaves`.

    Returns:
        A `Player`, or a widget.

    Raises:
        TypeError: if `value` is not a Value.
        ModuleNotFoundError: if a widget is wanted, and anywidget is not installed.
        ValueError: if the graph has more nodes than `limit`, 20 times as many edges, or edges that
            pass over 100 times as many columns of nodes, which no layout could untangle; or for any
            other invalid argument.
    """
    order = topological_order(checked(value, "play"))
    check_choice("play: mode", mode, get_args(Mode))
    check_choice("play: rankdir", rankdir, ("LR", "TB", None))
    if collapse is None:
        check_size("play", len(order), "nodes", limit)  # before naming any of a million
    player = Player(
        order, title=title, mode=mode, rankdir=rankdir, collapse=collapse, model=model, limit=limit
    )
    if widget:
        from autograd.viz.player.widget import PlayerWidget

        style = f"<style>{styles(HERE, STYLES)}</style>"
        script = function((*SCRIPTS[:-1], "sync.js", SCRIPTS[-1])) + player.program
        return PlayerWidget(value, player.leaves, player.markup(style), script)
    return player


class Player(Page):
    """A page where you carry out backpropagation through a graph.

    Attributes:
        html: an HTML fragment, to be embedded in any page. RuntimeError, saying what to install,
            if there is no program to lay out the picture.
        order: the nodes of the graph, in topological order.
    """

    introduction = (
        "Change any number, and all values are computed again. Backward computes how the output "
        "would change with each leaf; Step moves the leaves against these derivatives. They are "
        "two buttons because backpropagation computes gradients and gradient descent applies them."
    )

    def __init__(self, order: Sequence[Value], **options: Unpack[_Options]) -> None:
        self.order = order
        self.leaves = [node for node in order if not node.op]
        self._options = options
        model = options["model"]
        called = called_after(order, model)
        self._names = names(order, called, LONGEST_NAME)
        self._in_full = {
            node: text if len(text) > LONGEST_NAME else self._names[node]
            for node in order
            for text in [in_a_line(node.label or called.get(node, ""), LONGEST_TITLE)]
        }
        self._output = self._in_full[order[-1]]
        heading = in_a_line(options["title"], LONGEST_TITLE)
        self.title = heading or f"Backpropagation through {self._output}"
        self._picture = picture(
            "play",
            order,
            collapse=options["collapse"],
            limit=options["limit"],
            model=model,
            labels=self._names,
            gradients=adjoints(order[-1]),
        )
        self._position = {node: i for i, node in enumerate(order)}
        self._edges = [(node, k) for node in reversed(order) for k, _, _ in local_derivatives(node)]
        """Every operand with a derivative, in the order of the backward pass."""

    @functools.cached_property
    def html(self) -> str:
        """One self-contained piece of HTML."""
        style = f"<style>\n{styles(HERE, STYLES)}</style>\n"
        return self.markup(style, f"<script>\n{self.start(function(SCRIPTS))}</script>\n")

    def start(self, definition: str = "") -> str:
        """The script that starts the page; `definition` is the source of its function `play`."""
        return (
            f"// The graph, computed and taken apart.\n(() => {{\n{definition}"
            f"{self.program}play({FIRST_NEW}, graph, rule);\n}})();\n"
        )

    def markup(self, style: str, script: str = "") -> str:
        """The page's element, with all data and a picture for readers without JavaScript."""
        drawn = Drawing(self._picture, self._options["rankdir"] or "LR")
        described = f"{self._output} with its values and gradients: {drawn.described}"
        shown = f"{style}{html_image(drawn.svg.encode(), 'svg+xml', described)}\n"
        label = f"{self.title}, step by step"
        return element("autograd-player", label, shown, self._data(), script)

    def __repr__(self) -> str:
        nodes, edges = len(self._picture.nodes), len(self._picture.edges)
        return f"Player(nodes={nodes}, edges={edges}): .save('backprop.html') writes a page"

    # --- the data of the page ---------------------------------------------------------------------

    def _data(self) -> dict[str, Any]:
        cards, at = self._picture.nodes, self._position
        parameters = [
            node
            for card in cards
            if card.kind in ("parameter", "folded")
            for node in card.values
            if not node.op
        ]
        short = {card.values[0]: card.label for card in cards if len(card.values) == 1}
        short = self._names | {node: label for node, label in short.items() if label}
        marks = {node: f"{_MARK}{i}{_MARK}" for node, i in at.items()}
        links = self._links(short, marks)
        rankdir, dense = self._options["rankdir"], is_dense(self._picture)
        return {
            "nodes": [self._node(node, short, marks) for node in self.order],
            "edges": [
                {
                    "to": at[node],
                    "from": at[node.args[k]],
                    "partial": json_number(node.partials[k]),
                    "chooses": TABLE[node.op].chooses,
                }
                for node, k in self._edges
            ],
            "leaves": [at[node] for node in self.leaves],
            "moved": sorted(at[node] for node in parameters or self.leaves),
            "moves": "all parameters" if parameters else "all",
            "outdated": [at[node] for node in changed_since(self.order)],
            "cards": [self._card(card) for card in cards],
            "links": links,
            "layouts": {
                "wide": self._layout(rankdir or "LR", DENSE if dense else WIDE, links),
                "tall": self._layout(rankdir or "TB", TALL, links),
            },
            "mode": self._options["mode"],
            "dense": dense,
            "rates": RATES,
            "coefficients": [float(x) for x in STEPPER.coefficients()],
            "state": list(STEPPER.initial_state),
            "fixed": self._unprintable,
        }

    def _node(self, node: Value, short: Names, marks: Names) -> dict[str, Any]:
        """The data of a node; `args` are its first operands: the place of a node, or a number."""
        return {
            "name": self._names[node],
            "short": short[node],
            "full": self._in_full[node],
            "value": json_number(node.data),
            "op": node.op,
            "formula": _parts(_PAGE.formula(node, marks)) if node.op else None,
            "args": [
                [self._position[x]] if isinstance(x, Value) else json_number(x)
                for x in node.args[:2]
            ],
        }

    def _card(self, card: Node) -> dict[str, Any]:
        is_folded = card.kind == "folded"
        return {
            "kind": "leaf" if card.kind == "parameter" else card.kind,
            "label": card.label,
            "name": ".".join(filter(None, [card.frame, card.label])) if is_folded else None,
            "operation": card.operation if is_folded else "",
            "shows": card.rows[0][1].replace("-", "−") if card.kind == "input" else "",
            "output": card.is_output,
            "exits": [self._position[x] for x in card.exits],
            "values": [self._position[x] for x in card.values],
        }

    def _links(self, short: Names, marks: Names) -> list[dict[str, Any]]:
        """The edges of the picture, each of which stands for one or more edges of the graph."""
        cards = {card.id: (i, card.kind) for i, card in enumerate(self._picture.nodes)}
        numbers = {use: i for i, use in enumerate(self._edges)}
        links = []
        for edge in self._picture.edges:
            ends = cards[edge.source], cards[edge.target]
            edges = [numbers[use] for use in edge.operands if use in numbers]
            link: dict[str, Any] = {"from": ends[0][0], "to": ends[1][0], "edges": edges}
            if edges and all(kind != "folded" for _, kind in ends):
                ((node, k),) = edge.operands
                exact = _PAGE.local_derivative(node, k, marks)
                link["local"] = _PAGE.partial(node, k, self._names)
                link["tag"] = _PAGE.partial(node, k, short)
                link["rule"] = _parts(_PAGE.textbook(node, marks) or exact)
                if node.op in TEXTBOOK:
                    link["exactly"] = _parts(exact)
            links.append(link)
        return links

    # --- where everything stands ------------------------------------------------------------------

    def _layout(self, rankdir: str, look: _Look, links: list[dict[str, Any]]) -> dict[str, Any]:
        uses = Counter(node.args[k] for node, k in self._edges)
        sizes = {card.id: self._size(card, look, uses) for card in self._picture.nodes}
        # The longest text that each edge's label will have.
        labels = [
            f"{link['tag']} = −0.0000"
            if look.names_locals and "tag" in link
            else "−0.00000" * bool(link["edges"])
            for link in links
        ]
        pairs = zip(self._picture.edges, labels, strict=True)
        shown = replace(self._picture, edges=[replace(edge, label=label) for edge, label in pairs])
        places = Places(drawing.layout(dot_text(shown, rankdir, sizes=sizes)))
        frames = dict.fromkeys(card.frame for card in shown.nodes if card.frame)
        return {
            "tagged": look.names_locals,
            "size": [places.width, places.height],
            "cards": [places.node(card.id) for card in shown.nodes],
            "links": [places.edge(edge.id) for edge in shown.edges],
            "frames": [(name, *places.frame(name)) for name in frames],
        }

    def _size(self, card: Node, look: _Look, uses: Counter[Operand]) -> tuple[float, float]:
        """A card's width and height, with room for the node's name and its total derivative."""
        if card.kind == "folded":
            return look.folded
        name = card.label[:LONGEST_NAME]
        total = len(f"d{self._names[self.order[-1]]}/d{name or 'v00'} = −0.0000")
        formula = len(name) + (14 if card.kind == "operation" else 5)
        width = 7.4 * max(total, formula) + 26.0
        is_sum = any(uses[x] > 1 for x in card.values)
        sum_below = 20.0 if is_sum and look is not DENSE else 0.0
        return min(max(width, look.narrowest), look.widest), look.height + sum_below

    # --- its program ------------------------------------------------------------------------------

    @functools.cached_property
    def program(self) -> str:
        """Two JavaScript constants: `graph`, all values and partials, and `rule`, the update rule.

        `graph` computes all values from those of the leaves, then all partials. It is null if a
        primitive of a user in the graph cannot be compiled to JavaScript.
        """
        rule = javascript.source(javascript.update_rule(STEPPER), "rule")
        if self._unprintable:
            return f"const graph = null;\n{rule}"
        with recording.recorded():
            partials = {
                node: TABLE[node.op].partials_at(node, node.args, node.args)
                for node in self.order
                if node.op
            }
        outputs = [*self.order, *(partials[node][k] for node, k in self._edges)]
        return javascript.source(roll(lower([], outputs, False, self.leaves)), "graph") + rule

    @functools.cached_property
    def _unprintable(self) -> str:
        """The first operation that has no spelling in JavaScript, if there is one."""
        spelled = javascript.SPELLING.keys() | javascript.HELPERS.keys() | {"sum", "dot"}
        spelled |= {name for name, row in TABLE.items() if row.definition is not None}
        return next((node.op for node in self.order if node.op and node.op not in spelled), "")


HERE = Path(__file__).parent

SCRIPTS = (
    *("../shared/dom.js", "messages.js", "text.js"),
    *("page.js", "graph.js", "view.js", "backward.js", "step.js", "predict.js", "controls.js"),
    *("fields.js", "layout.js", "folded.js", "render.js", "chart.js", "start.js"),
)
"""One file a concern, in the order in which the page runs them; the last one starts the page."""


def function(names: Sequence[str]) -> str:
    """The scripts as one JavaScript function, `play`.

    Its arguments are the page's root element, the graph's program, the optimizer's update rule and,
    for a widget, the object that shares its numbers with Python.
    """
    body = scripts(HERE, names)
    return f'function play(root, graph, rule, sync) {{\n"use strict";\n{body}}}\n'


FIRST_NEW = 'document.querySelector(".autograd-player:not([data-state])")'

STYLES = ("../shared/page.css", "player.css", "graph.css", "sizes.css")

LONGEST_NAME, LONGEST_TITLE = 24, 200
"""A label of more characters is shortened in cards and sentences; in a title it has more room."""


# --- notation with places for names and numbers ---------------------------------------------------


class _PageNotation(Notation):
    """The notation of the page, with a true minus sign."""

    minus = "−"


_PAGE = _PageNotation()
_MARK = "\x00"

Parts = list["str | int"]
"""Text with places in it: strings, and between them the nodes whose names or numbers go there."""


def _parts(text: str) -> Parts:
    """The text split at its marks: the positions of nodes, as ints, and what is between them."""
    return [int(part) if i % 2 else part for i, part in enumerate(text.split(_MARK))]


# --- settings of the page -------------------------------------------------------------------------


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
"""The rule that Step applies; the learning rate is chosen in the page."""

RATES = [0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0]
