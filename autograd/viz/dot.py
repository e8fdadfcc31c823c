"""Writes the picture of a graph as DOT text for Graphviz, with colors and sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from autograd.viz.graphview import Node, Picture, identifier, passed_over

# Nodes are light cards with dark text, on any background. What stands on the background itself is
# of middling lightness, which is told from white paper as well as from a dark page.
PAPER, INK, FAINT_INK, OUTLINE, MUTED = "#ffffff", "#1f2328", "#57606a", "#7d8590", "#757e88"
# Blue, vermilion and yellow from the palette that Okabe and Ito made for color-blind readers.
POSITIVE, NEGATIVE, NOT_FINITE, NOT_FINITE_LINE = "#0072b2", "#d55e00", "#f0e442", "#b3a000"

MANY_EDGES = 12  # with labels on more, Graphviz bends edges around each other's labels
MANY_PASSED_OVER = 1000
IN_A_HURRY = {"splines": "line", "nslimit": "0.2", "mclimit": "0.01"}
"""Straight edges, found with less search: a second for what would take Graphviz a minute."""


def is_dense(shown: Picture) -> bool:
    """Whether there are so many edges between neurons that these need to be bare lines."""
    return len(shown.edges) > MANY_EDGES and any(node.kind == "folded" for node in shown.nodes)


class Palette:
    """The colors of gradients, relative to the largest in the picture."""

    def __init__(self, shown: Picture) -> None:
        gradients = [x.grad for x in shown.nodes] + [x.contribution for x in shown.edges]
        finite = [abs(g) for g in gradients if g is not None and math.isfinite(g)]
        self.largest = max(finite, default=0.0)

    def strength(self, gradient: float | None) -> float:
        """The strength of a color, 0 to 1; the square root keeps small gradients visible."""
        if not gradient or not math.isfinite(gradient):
            return 0.0
        return math.sqrt(abs(gradient) / self.largest)

    def fill(self, node: Node) -> str:
        """The fill color of a node."""
        if not all(math.isfinite(x) for x in (node.data, node.grad) if x is not None):
            return NOT_FINITE
        if not node.grad:
            return PAPER
        return _mixed(PAPER, _sign_color(node.grad), 0.05 + 0.35 * self.strength(node.grad))

    def line(self, gradient: float | None) -> str:
        """The line color of an edge with this contribution, None if it is unknown."""
        if gradient is not None and not math.isfinite(gradient):
            return NOT_FINITE_LINE
        return _mixed(OUTLINE, _sign_color(gradient), 0.3 + 0.7 * self.strength(gradient))

    def width(self, gradient: float | None) -> float:
        """The width of an edge with this gradient."""
        return round(0.8 + 1.6 * self.strength(gradient), 2)


def _sign_color(gradient: float | None) -> str:
    return OUTLINE if not gradient else POSITIVE if gradient > 0 else NEGATIVE


def _mixed(one: str, other: str, share: float) -> str:
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(a + (b - a) * share) for a, b in pairs).hex()


def dot_text(
    shown: Picture, rankdir: str, sizes: Mapping[str, tuple[float, float]] | None = None
) -> str:
    """The picture as DOT text.

    Args:
        sizes: width and height, in points, of the cards that another program draws for the nodes.
    """
    from graphviz import Digraph

    palette = Palette(shown)
    dense = is_dense(shown)
    font = {"fontname": "Helvetica", "fontcolor": MUTED, "fontsize": "11"}
    dot = Digraph(
        graph_attr=font
        | {"rankdir": rankdir, "bgcolor": "transparent", "labeljust": "l", "nodesep": "0.2"}
        | (
            {"ranksep": "0.8" if sizes else "2", "splines": "line"}
            if dense
            else {"ranksep": "0.35"}
        )
        | (IN_A_HURRY if passed_over(shown.edges) > MANY_PASSED_OVER else {}),
        node_attr=font
        | {"shape": "box", "fontcolor": INK, "fontsize": "12", "color": OUTLINE}
        | {"margin": "0.21,0.08", "width": "1.2"},
        edge_attr=font | {"arrowsize": "0.6"} | ({"fontsize": "14"} if sizes else {}),
    )
    framed: dict[str, list[Node]] = {}
    for node in shown.nodes:
        framed.setdefault(node.frame, []).append(node)
    for frame, nodes in framed.items():
        if not frame:
            _add_nodes(dot, nodes, palette)
        elif nodes[0].kind == "folded":
            _add_layer(dot, frame, nodes, palette)
        else:
            _add_neuron(dot, frame, nodes, palette)
    by_id = {node.id: node for node in shown.nodes}
    for edge in shown.edges:
        source, target = by_id[edge.source], by_id[edge.target]
        look = {"color": palette.line(edge.contribution)}
        if not edge.has_derivative:
            look["style"] = "dashed"
        look["penwidth"] = str(palette.width(edge.contribution))
        if dense and target.kind == "folded":
            tail, head = ("e", "w") if rankdir == "LR" else ("s", "n")
            look |= {"tailport": tail, "headport": head, "arrowhead": "none"}
        else:
            look["xlabel" if dense else "label"] = f" {edge.label} "
        if target.frame and not source.frame and target.kind != "folded":
            look["minlen"] = "2"  # an input stands before the frame of a neuron, not beside it
        if sizes and not dense and source.kind == "operation":
            look["weight"] = "8"  # a chain of operations is straight, not a staircase
        dot.edge(edge.source, edge.target, id=edge.id, **look)
    for name, (width, height) in (sizes or {}).items():
        dot.node(name, "", width=str(width / 72.0), height=str(height / 72.0), fixedsize="true")
    source_text: str = dot.source
    return source_text


def _add_neuron(dot: Any, name: str, nodes: list[Node], palette: Palette) -> None:
    with dot.subgraph(name=f"cluster-{frame_id(name)}") as frame:
        frame.attr(label=_dot_lines([name]), id=frame_id(name))
        frame.attr(style="rounded", color=OUTLINE, penwidth="0.6")
        _add_nodes(frame, nodes, palette)


def _add_layer(dot: Any, name: str, neurons: list[Node], palette: Palette) -> None:
    """Add neurons in one rank, with the layer's name; invisible edges keep them in order."""
    with dot.subgraph() as line:
        line.attr(rank="same")
        heading = {"shape": "plaintext", "height": "0.3", "fontcolor": MUTED, "fontsize": "11"}
        line.node(name, _dot_lines([name]), id=frame_id(name), **heading)
        _add_nodes(line, neurons, palette)
        for one, next_one in pairwise([name, *(neuron.id for neuron in neurons)]):
            line.edge(one, next_one, style="invis")


def frame_id(name: str) -> str:
    """The id of the frame around a neuron, or of a layer's name."""
    return f"frame-{identifier(name.split('.'))}"


STYLES = {
    "leaf": "filled",
    "parameter": "filled,bold",
    "input": "filled",
    "operation": "filled,rounded",
    "part": "filled,rounded,dashed",
    "folded": "filled,rounded,bold",
}


def _add_nodes(dot: Any, nodes: Iterable[Node], palette: Palette) -> None:
    for node in nodes:
        if node.kind == "cut":
            dot.node(node.id, node.label, id=node.id, shape="plaintext", width="0")
            continue
        lines = [title(node), *(f"{caption}  {text}" for caption, text in node.rows)]
        dot.node(
            node.id,
            _dot_lines(filter(None, lines)),
            id=node.id,
            style=STYLES[node.kind] + ",dashed" * node.is_outdated,
            fillcolor=palette.fill(node),
            peripheries="2" if node.is_output else "1",
        )


def title(node: Node) -> str:
    """The first line of a node: its label and its operation."""
    return f"{node.label}  {node.operation}".strip()


def _dot_lines(lines: Iterable[str]) -> str:
    r"""Lines of a DOT label, safe from entities (&lt;), escapes (\N) and <markup>."""
    from graphviz import escape as escape_dot
    from graphviz import nohtml

    text: str = nohtml("\\n".join(escape_dot(line.replace("&", "&amp;")) for line in lines))
    return text
