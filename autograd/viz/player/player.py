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

from autograd.compiler.backends import javascript
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Program
from autograd.compiler.trace import trace
from autograd.nn import Module
from autograd.optim import GradientDescent
from autograd.primitives import TABLE
from autograd.value import Operand, Value, adjoints, topological_order
from autograd.viz import drawing, graphview, notation
from autograd.viz.dot import dot_text, is_dense
from autograd.viz.drawing import Drawing, html_image
from autograd.viz.graphview import Edge, Fold, Node
from autograd.viz.html import Page, element, json_number, scripts, styles
from autograd.viz.notation import Notation, in_a_line
from autograd.viz.steps import check_choice, checked, local_derivatives
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
    check_choice("play: collapse", collapse, ("neurons", "layers", None))
    try:
        if collapse is None:
            graphview.check_size(len(order), "nodes", limit)  # before naming any of a million
        graph = _Graph(order, collapse, model, limit, mode, rankdir)
    except graphview.TooLargeError as reason:
        raise ValueError(
            f"play: {reason}: play a smaller graph (one neuron, one example), fold a network "
            f"(collapse='neurons' or 'layers'), or pass a higher limit= and be patient"
        ) from None
    player = Player(graph, in_a_line(title, LONGEST_TITLE))
    if widget:
        from autograd.viz.player.widget import PlayerWidget

        leaves = [node for node in order if not node.op]
        style = f"<style>{styles(HERE, STYLES)}</style>"
        script = function((*SCRIPTS[:-1], "sync.js", SCRIPTS[-1])) + graph.program()
        return PlayerWidget(value, leaves, player.markup(style), script)
    return player


class Player(Page):
    """A page where you carry out backpropagation through a graph.

    Attributes:
        html: an HTML fragment, to be embedded in any page. RuntimeError, saying what to install,
            if there is no program to lay out the picture.
    """

    introduction = (
        "Change any number, and all values are computed again. Backward computes how the output "
        "would change with each leaf; Step moves the leaves against these derivatives. They are "
        "two buttons because backpropagation computes gradients and gradient descent applies them."
    )

    def __init__(self, graph: _Graph, title: str = "") -> None:
        self.graph = graph
        self.title = title or f"Backpropagation through {graph.title}"

    @functools.cached_property
    def html(self) -> str:
        """One self-contained piece of HTML."""
        style = f"<style>\n{styles(HERE, STYLES)}</style>\n"
        return self.markup(style, f"<script>\n{self.start(function(SCRIPTS))}</script>\n")

    def start(self, definition: str = "") -> str:
        """The script that starts the page; `definition` is the source of its function `play`."""
        return (
            f"// The graph, computed and taken apart.\n(() => {{\n{definition}"
            f"{self.graph.program()}play({FIRST_NEW}, graph, rule);\n}})();\n"
        )

    def markup(self, style: str, script: str = "") -> str:
        """The page's element, with all data and a picture for readers without JavaScript."""
        graph, label = self.graph, f"{self.title}, step by step"
        described = f"{graph.title} with its values and gradients: {graph.drawing.described}"
        picture = html_image(graph.drawing.svg.encode(), "svg+xml", described)
        shown = f"{style}{picture}\n"
        return element("autograd-player", label, shown, graph.page(), script)

    def __repr__(self) -> str:
        nodes, edges = len(self.graph.shown.nodes), len(self.graph.shown.edges)
        return f"Player(nodes={nodes}, edges={edges}): .save('backprop.html') writes a page"


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


# --- the graph as a page has it -------------------------------------------------------------------


class _Graph:
    """The data that a page needs of a graph: its nodes, what is shown of them, and its program."""

    def __init__(
        self,
        order: Sequence[Value],
        collapse: Fold | None,
        model: Module | None,
        limit: int,
        mode: Mode,
        rankdir: str | None,
    ) -> None:
        self.order = order
        self.mode = mode
        self.rankdir = rankdir
        called = graphview.called_after(order, model)
        self.names = notation.names(order, called, LONGEST_NAME)
        in_full = {
            node: in_a_line(node.label or called.get(node, ""), LONGEST_TITLE) for node in order
        }
        longer = {node: text for node, text in in_full.items() if len(text) > LONGEST_NAME}
        self.in_full = self.names | longer
        self.title = self.in_full[order[-1]]
        self.shown = graphview.picture(
            order,
            collapse=collapse,
            limit=limit,
            model=model,
            labels=self.names,
            gradients=adjoints(order[-1]),
        )
        self.shorts = {
            node.values[0]: node.label or self.names[node.values[0]]
            for node in self.shown.nodes
            if len(node.values) == 1
        }
        """The name of each node within its frame."""
        self.position = {node: i for i, node in enumerate(order)}
        self.edges = [(node, k) for node in reversed(order) for k, _, _ in local_derivatives(node)]
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
        self.links = [self._link(edge) for edge in self.shown.edges]

    @functools.cached_property
    def drawing(self) -> Drawing:
        """The picture for where no scripts run."""
        return Drawing(self.shown, self.rankdir or "LR")

    def page(self) -> dict[str, Any]:
        """The data of the page."""
        leaves = [node for node in self.order if not node.op]
        moved = self.parameters or leaves
        dense = is_dense(self.shown)
        return {
            "nodes": [self._node(node) for node in self.order],
            "edges": [self._edge(node, k) for node, k in self.edges],
            "leaves": [self.position[node] for node in leaves],
            "moved": sorted(self.position[node] for node in moved),
            "moves": "all parameters" if self.parameters else "all",
            "outdated": [self.position[node] for node in notation.changed_since(self.order)],
            "cards": [self._card(node) for node in self.shown.nodes],
            "links": self.links,
            "layouts": {
                "wide": self._layout(self.rankdir or "LR", DENSE if dense else WIDE),
                "tall": self._layout(self.rankdir or "TB", TALL),
            },
            "mode": self.mode,
            "dense": dense,
            "rates": RATES,
            "coefficients": [float(x) for x in STEPPER.coefficients()],
            "state": list(STEPPER.initial_state),
            "fixed": self._unprintable,
        }

    def _node(self, node: Value) -> dict[str, Any]:
        """The data of a node; `args` are its first operands: the place of a node, or a number."""
        args = node.args[:2]
        return {
            "name": self.names[node],
            "short": self.shorts.get(node, self.names[node]),
            "full": self.in_full[node],
            "value": json_number(node.data),
            "op": node.op,
            "formula": _parts(_PAGE.formula(node, self._marks)) if node.op else None,
            "args": [[self.position[x]] if isinstance(x, Value) else json_number(x) for x in args],
        }

    def _edge(self, node: Value, index: int) -> dict[str, Any]:
        """The data of an edge: its ends, its partial as recorded, whether its operation selects."""
        return {
            "to": self.position[node],
            "from": self.position[node.args[index]],
            "partial": json_number(node.partials[index]),
            "chooses": TABLE[node.op].chooses,
        }

    def _card(self, node: Node) -> dict[str, Any]:
        is_folded, name = node.kind == "folded", ".".join(filter(None, [node.frame, node.label]))
        return {
            "kind": "leaf" if node.kind == "parameter" else node.kind,
            "label": node.label,
            "name": name if is_folded else None,
            "operation": node.operation if is_folded else "",
            "shows": node.rows[0][1].replace("-", "−") if node.kind == "input" else "",
            "output": node.is_output,
            "exits": [self.position[x] for x in node.exits],
            "values": [self.position[x] for x in node.values],
        }

    def _link(self, edge: Edge) -> dict[str, Any]:
        """The data of an edge in the picture, which stands for one or more edges of the graph."""
        ends = self.places[edge.source], self.places[edge.target]
        edges = [self.numbers[use] for use in edge.operands if use in self.numbers]
        told: dict[str, Any] = {"from": ends[0], "to": ends[1], "edges": edges}
        if edges and all(self.shown.nodes[end].kind != "folded" for end in ends):
            ((node, k),) = edge.operands
            exact = _PAGE.local_derivative(node, k, self._marks)
            told["local"] = _PAGE.partial(node, k, self.names)
            told["tag"] = _PAGE.partial(node, k, self.names | self.shorts)
            told["rule"] = _parts(_PAGE.textbook(node, self._marks) or exact)
            if node.op in notation.TEXTBOOK:
                told["exactly"] = _parts(exact)
        return told

    # --- where everything stands ------------------------------------------------------------------

    def _layout(self, rankdir: str, look: _Look) -> dict[str, Any]:
        sizes = {node.id: self._size(node, look) for node in self.shown.nodes}
        # The longest text that each edge's label will have.
        labels = [
            f"{link['tag']} = −0.0000"
            if look.names_locals and "tag" in link
            else "−0.00000" * bool(link["edges"])
            for link in self.links
        ]
        pairs = zip(self.shown.edges, labels, strict=True)
        shown = replace(self.shown, edges=[replace(edge, label=label) for edge, label in pairs])
        places = Places(drawing.layout(dot_text(shown, rankdir, sizes=sizes)))
        frames = dict.fromkeys(node.frame for node in self.shown.nodes if node.frame)
        return {
            "tagged": look.names_locals,
            "size": [places.width, places.height],
            "cards": [places.node(node.id) for node in self.shown.nodes],
            "links": [places.edge(edge.id) for edge in self.shown.edges],
            "frames": [(name, *places.frame(name)) for name in frames],
        }

    def _size(self, node: Node, look: _Look) -> tuple[float, float]:
        """A card's width and height, with room for the node's name and its total derivative."""
        if node.kind == "folded":
            return look.folded
        name = node.label[:LONGEST_NAME]
        total = len(f"d{self.names[self.order[-1]]}/d{name or 'v00'} = −0.0000")
        formula = len(name) + (14 if node.kind == "operation" else 5)
        width = 7.4 * max(total, formula) + 26.0
        is_sum = bool(node.values) and self.uses[node.values[0]] > 1
        sum_below = 20.0 if is_sum and look is not DENSE else 0.0
        return min(max(width, look.narrowest), look.widest), look.height + sum_below

    # --- its program ------------------------------------------------------------------------------

    def program(self) -> str:
        """Two JavaScript constants: `graph`, a function of the leaves, and `rule`, the update rule.

        `graph` computes all values, then all partials. It is null if a primitive of a user in the
        graph cannot be compiled to JavaScript.
        """
        rule = javascript.source(javascript.update_rule(STEPPER), "rule")
        if self._unprintable:
            return f"const graph = null;\n{rule}"
        return javascript.source(self._program(), "graph") + rule

    @functools.cached_property
    def _unprintable(self) -> str:
        """The first operation that has no spelling in JavaScript, if there is one."""
        spelled = javascript.SPELLING.keys() | javascript.HELPERS.keys() | {"sum", "dot"}
        spelled |= {name for name, row in TABLE.items() if row.definition is not None}
        return next((node.op for node in self.order if node.op and node.op not in spelled), "")

    def _program(self) -> Program:
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
        return roll(lower(recorded.inputs, recorded.outputs, is_batch=False))


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
