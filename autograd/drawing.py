"""`draw`: a computation graph as a picture, in DOT and in SVG.

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> loss = (a * b + 1.0).tanh()
    >>> loss.backward()
    >>> draw(loss).save("graph.svg")

The graph is described in DOT, the language of Graphviz, whose `dot` program finds a place for every
node and edge; the SVG is then written here, on those places. So any Graphviz draws the DOT text,
while the SVG has what a page needs: an id and a class for every part, and text that is text.

The parts of the SVG, for scripts and style sheets (i counts in topological order, k operands):

- node i is `<g class="node leaf" id="node{i}">`, its second class `leaf`, `parameter` or
  `operation`, and `output` as a third for the output. Its first three `<text>` elements have the
  classes `name`, `data` and `grad`; the text of the last two is the number alone.
- the edge to operand k of node i is `<g class="edge" id="edge{i}_{k}">`. Its `<text>`, of class
  `partial`, is the local derivative ∂node i/∂operand k.
- a node whose operands have changed since it was recorded has the class `outdated`, too.
- nodes that stand for several Values, for part of one, or for what was left out, have `folded`,
  `part` or `cut` as their second class and other ids, as have the edges between them; the frames
  of neurons and the names of layers are `<g class="frame">`.

Colours show the gradient: blue is positive, orange negative, stronger is larger, yellow is not
finite. An edge has the colour and the width of what it contributes to the gradient of its operand.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from autograd.files import write_whole
from autograd.formula import shortened
from autograd.nn import Module
from autograd.picture import (
    Edge,
    Fold,
    Node,
    Picture,
    Selection,
    TooLargeError,
    identifier,
    passed_over,
    picture,
)
from autograd.value import Value, topological_order

HOW_TO_RENDER = (
    "no program to draw with was found: `pip install graphviz-pure`, or install Graphviz so that "
    "`dot` is on the PATH (the DOT text, `.dot`, needs neither)"
)


def draw(
    value: Value,
    *,
    expand: bool = False,
    collapse: Fold | None = None,
    only: Selection | None = None,
    rankdir: Literal["LR", "TB"] = "LR",
    limit: int = 300,
    prefix: str = "",
    model: Module | None = None,
) -> Drawing:
    """A picture of the graph that ends in `value`, as it is now.

    Every Value is a node with its label or operation, data and grad ("–" before any backward
    pass); every operand is an edge, labelled with the local derivative, or dashed where there is
    none. Plain numbers stand in the operation's text. Leaves have square corners, parameters a bar
    at their side, the output a double border; the nodes of a neuron and of a layer stand in a
    frame. A node whose operands have changed since it was recorded has a dashed border, and its
    data, as all derivatives, are those that were recorded.

    Args:
        value: the output of the graph.
        expand: show `dot` and `sum` as their products and additions.
        collapse: "neurons" or "layers" draws each of those as one node; an edge between two
            neurons is then the weight between them.
        only: the part to draw: nodes, their labels, or the name of a layer or neuron
            (`"layer0"`); one of these or several. What is cut off is shown as "…".
        rankdir: "LR" draws from left to right, "TB" from top to bottom.
        limit: the most nodes to draw.
        prefix: put before every id of the SVG, so that two pictures on one page do not meet.
        model: whose parts the graph's parameters are, by their names in it. Without it, leaves that
            are labelled as those of `nn` are (`layer0.neuron3.weight1`) are taken for parameters.

    Raises:
        TypeError: if `value` is no Value.
        ValueError: if the picture would have more nodes than `limit` (or 20 times as many edges, or
            edges that pass over 100 times as many columns of nodes), `only` names something that is
            not in the graph, or an argument is none of those above.
    """
    if not isinstance(value, Value):
        raise TypeError(f"draw: expected a Value, got {value!r} of type {type(value).__name__}")
    if rankdir not in ("LR", "TB"):
        raise ValueError(f'draw: rankdir is "LR" or "TB", got {rankdir!r}')
    if collapse not in (None, "neurons", "layers"):
        raise ValueError(f'draw: collapse is "neurons", "layers" or None, got {collapse!r}')
    if not re.fullmatch(r"[\w-]*", prefix, re.ASCII):
        raise ValueError(f"draw: a prefix is made of letters, digits, - and _, got {prefix!r}")
    try:
        shown = picture(
            topological_order(value),
            expand=expand,
            collapse=collapse,
            only=only,
            limit=limit,
            model=model,
        )
    except TooLargeError as reason:
        raise ValueError(
            f"draw: {reason}: draw a part (only=...), fold a network (collapse='neurons' or "
            f"'layers'), or pass a higher limit= (the DOT text, `.dot`, is then there at once; the "
            f"layout of the picture takes its time)"
        ) from None
    return Drawing(shown, rankdir, prefix)


class Drawing:
    """A picture of a graph, which shows itself in Jupyter.

    Attributes:
        dot: the picture as DOT text, for any Graphviz.
        svg: the picture as SVG text. RuntimeError, saying what to install, if there is no program
            to lay it out.
        image: the same as an HTML image.
    """

    def __init__(self, shown: Picture, rankdir: str, prefix: str) -> None:
        self._shown = shown
        self._prefix = prefix
        self.dot = dot_text(shown, rankdir, prefix)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text."""
        return _svg_text(self._shown, layout(self.dot), self._prefix)

    @property
    def image(self) -> str:
        """The picture as an `<img>` with alternative text, to be put into any page."""
        return html_image(self.svg.encode(), "svg+xml", self.described)

    @property
    def described(self) -> str:
        """The picture in a sentence, for those who do not see it."""
        nodes = [node for node in self._shown.nodes if node.kind not in ("cut", "part")]
        (output,) = [node for node in nodes if node.is_output] or nodes[-1:]
        told = ", ".join(f"{caption} {text}" for caption, text in output.rows)
        inputs = [node for node in nodes if node.kind in ("leaf", "parameter")]
        from_leaves = f", from {len(inputs)} leaves" if len(inputs) > 1 else ""
        name = shortened(output.label or output.operation) or "a leaf"
        return f"Graph of {len(nodes)} nodes{from_leaves}, up to {name}: {told}"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to `path`, in the format of its ending: .svg, .png, .dot or .gv.

        The file appears when it is complete. Returns its path. ValueError for another ending.
        """
        path = Path(path)
        content: str | bytes
        match path.suffix.lower():
            case ".svg":
                content = self.svg
            case ".png":
                content = _render(self.dot, "png", "-Gdpi=192", "-Gbgcolor=white")
            case ".dot" | ".gv":
                content = self.dot
            case ending:
                raise ValueError(f"save: the ending is .svg, .png, .dot or .gv, got {ending!r}")
        return write_whole(path, content)

    def __repr__(self) -> str:
        return (
            f"Drawing(nodes={len(self._shown.nodes)}, edges={len(self._shown.edges)}): "
            f"write it with .save('graph.svg'), or take its text, .svg or .dot"
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        try:
            # JupyterLab drops SVG from a notebook that is not trusted yet; an image it shows.
            return {
                "image/svg+xml": self.svg,
                "text/html": self.image,
                "text/plain": repr(self),
            }
        except RuntimeError as reason:
            return {"text/plain": f"{self!r}\n{reason}"}


def html_image(picture: bytes, kind: str, described: str, attributes: str = "") -> str:
    """A picture as an HTML image with alternative text."""
    source = f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
    return f'<img alt="{escape(described)}" {attributes}style="max-width: 100%" src="{source}">'


# --- colours and measures, the same in DOT and SVG ------------------------------------------------

# Nodes are light cards with dark text, on any background. What stands on the background itself is
# of middling lightness, which is told from white paper as well as from a dark page.
PAPER, INK, FAINT_INK, OUTLINE, MUTED = "#ffffff", "#1f2328", "#57606a", "#7d8590", "#757e88"
# Blue, vermilion and yellow from the palette that Okabe and Ito made for colour-blind readers.
POSITIVE, NEGATIVE, NOT_FINITE, NOT_FINITE_LINE = "#0072b2", "#d55e00", "#f0e442", "#b3a000"

MANY_EDGES = 60
MANY_PASSED_OVER = 1000
IN_A_HURRY = {"splines": "line", "nslimit": "0.2", "mclimit": "0.01"}
"""Straight edges, found with less search: a second for what would take Graphviz a minute."""


def is_dense(shown: Picture) -> bool:
    """Whether there are so many edges between neurons that these need to be bare lines."""
    return len(shown.edges) > MANY_EDGES and any(node.kind == "folded" for node in shown.nodes)


class _Palette:
    """The colours of gradients, relative to the largest in the picture."""

    def __init__(self, shown: Picture) -> None:
        gradients = [x.grad for x in shown.nodes] + [x.contribution for x in shown.edges]
        finite = [abs(g) for g in gradients if g is not None and math.isfinite(g)]
        self.largest = max(finite, default=0.0)

    def strength(self, gradient: float | None) -> float:
        """From 0 to 1. The root keeps small gradients visible beside large ones."""
        if not gradient or not math.isfinite(gradient):
            return 0.0
        return math.sqrt(abs(gradient) / self.largest)

    def fill(self, node: Node) -> str:
        if not all(math.isfinite(x) for x in (node.data, node.grad) if x is not None):
            return NOT_FINITE
        if not node.grad:
            return PAPER
        return _mixed(PAPER, _sign_colour(node.grad), 0.05 + 0.35 * self.strength(node.grad))

    def line(self, gradient: float | None) -> str:
        if gradient is not None and not math.isfinite(gradient):
            return NOT_FINITE_LINE
        return _mixed(OUTLINE, _sign_colour(gradient), 0.3 + 0.7 * self.strength(gradient))

    def width(self, gradient: float | None) -> float:
        return round(0.8 + 1.6 * self.strength(gradient), 2)


def _sign_colour(gradient: float | None) -> str:
    return OUTLINE if not gradient else POSITIVE if gradient > 0 else NEGATIVE


def _mixed(one: str, other: str, share: float) -> str:
    pairs = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return "#" + bytes(round(a + (b - a) * share) for a, b in pairs).hex()


# --- DOT ------------------------------------------------------------------------------------------


def dot_text(
    shown: Picture,
    rankdir: str,
    prefix: str = "",
    sizes: Mapping[str, tuple[float, float]] | None = None,
) -> str:
    """The picture as DOT text. `sizes` are those of the cards that will stand for the nodes, as
    width and height in points, where not Graphviz but somebody else draws them."""
    from graphviz import Digraph

    palette = _Palette(shown)
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
            _add_nodes(dot, nodes, palette, prefix)
        elif nodes[0].kind == "folded":
            _add_layer(dot, frame, nodes, palette, prefix)
        else:
            _add_neuron(dot, frame, nodes, palette, prefix)
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
        dot.edge(edge.source, edge.target, id=prefix + edge.id, **look)
    for name, (width, height) in (sizes or {}).items():
        dot.node(name, "", width=str(width / 72.0), height=str(height / 72.0), fixedsize="true")
    source_text: str = dot.source
    return source_text


def _add_neuron(dot: Any, name: str, nodes: list[Node], palette: _Palette, prefix: str) -> None:
    with dot.subgraph(name=f"cluster-{_frame_id(name)}") as frame:
        frame.attr(label=_dot_lines([name]), id=f"{prefix}{_frame_id(name)}")
        frame.attr(style="rounded", color=OUTLINE, penwidth="0.6")
        _add_nodes(frame, nodes, palette, prefix)


def _add_layer(dot: Any, name: str, neurons: list[Node], palette: _Palette, prefix: str) -> None:
    """Neurons in line, under the layer's name. Edges that are not seen keep them in order."""
    with dot.subgraph() as line:
        line.attr(rank="same")
        heading = {"shape": "plaintext", "height": "0.3", "fontcolor": MUTED, "fontsize": "11"}
        line.node(name, _dot_lines([name]), id=f"{prefix}{_frame_id(name)}", **heading)
        _add_nodes(line, neurons, palette, prefix)
        for one, next_one in pairwise([name, *(neuron.id for neuron in neurons)]):
            line.edge(one, next_one, style="invis")


def _frame_id(name: str) -> str:
    return f"frame-{identifier(name.split('.'))}"


STYLES = {
    "leaf": "filled",
    "parameter": "filled,bold",
    "operation": "filled,rounded",
    "part": "filled,rounded,dashed",
    "folded": "filled,rounded,bold",
}


def _add_nodes(dot: Any, nodes: Iterable[Node], palette: _Palette, prefix: str) -> None:
    for node in nodes:
        if node.kind == "cut":
            dot.node(node.id, node.label, id=prefix + node.id, shape="plaintext", width="0")
            continue
        lines = [_title(node), *(f"{caption}  {text}" for caption, text in node.rows)]
        dot.node(
            node.id,
            _dot_lines(filter(None, lines)),
            id=prefix + node.id,
            style=STYLES[node.kind] + ",dashed" * node.is_outdated,
            fillcolor=palette.fill(node),
            peripheries="2" if node.is_output else "1",
        )


def _title(node: Node) -> str:
    return f"{shortened(node.label)}  {shortened(node.operation)}".strip()


def _dot_lines(lines: Iterable[str]) -> str:
    r"""Lines of a DOT label, safe from entities (&lt;), escapes (\N) and <markup>."""
    from graphviz import escape as escape_dot
    from graphviz import nohtml

    text: str = nohtml("\\n".join(escape_dot(line.replace("&", "&amp;")) for line in lines))
    return text


def layout(dot: str) -> dict[str, Any]:
    """The places of everything in the DOT text: what `dot -Tjson0` gives, as a dictionary.

    Every picture and page comes through here. Where no program can run, as in a browser, assign
    another function to `drawing.layout` that takes the same text and returns the same thing.
    """
    places: dict[str, Any] = json.loads(_render(dot, "json0"))
    return places


def _render(dot: str, output: str, *options: str) -> bytes:
    """What Graphviz makes of the DOT text. RuntimeError if there is no Graphviz, or it fails."""
    problem = HOW_TO_RENDER
    for program in _programs():
        command = [program, f"-T{output}", *options]
        try:
            result = subprocess.run(command, input=dot.encode(), capture_output=True, check=True)
        except OSError as error:
            problem = f"{program} cannot be run: {error}"
        except subprocess.CalledProcessError as error:
            problem = f"{program} failed: {error.stderr.decode(errors='replace').strip()}"
        else:
            return result.stdout
    raise RuntimeError(f"draw: {problem}")


def _programs() -> Iterator[str]:
    """The programs that can lay out a graph: `dot`, and the one of the package graphviz-pure."""
    from importlib import metadata

    for name in ("dot", "graphviz-pure"):
        if program := shutil.which(name):
            yield program
    try:
        files = metadata.files("graphviz-pure") or ()
    except metadata.PackageNotFoundError:
        return
    # Its folder is not on the PATH where a virtual environment is used without being activated.
    yield from (str(file.locate()) for file in files if file.stem == "graphviz-pure")


# --- SVG ------------------------------------------------------------------------------------------

MARGIN = 8.0
LINE_HEIGHT = 16.0


class Place(NamedTuple):
    """Where something stands: its middle, its width and height."""

    x: float
    y: float
    width: float = 0.0
    height: float = 0.0


class Way(NamedTuple):
    """Where an edge goes: the data of an SVG path, the corners of its tip, its label's place."""

    path: str
    tip: str
    label: Place | None


class Places:
    """A layout in pixels from the top left, as SVG measures; Graphviz has points from the bottom.

    Args:
        found: what `layout` gave.
        prefix: what stands before every id in it.

    Attributes:
        width, height: the size of the whole.
    """

    def __init__(self, found: Mapping[str, Any], prefix: str = "") -> None:
        *_, self._width, self._height = map(float, found["bb"].split(","))
        self.width, self.height = (round(x + 2 * MARGIN) for x in (self._width, self._height))
        drawn = (*found.get("objects", ()), *found.get("edges", ()))
        self._found = {item["id"].removeprefix(prefix): item for item in drawn if "id" in item}

    def node(self, name: str) -> Place:
        """The place of a node."""
        place = self._found[name]
        ((x, y),) = self._points(place["pos"])
        return Place(x, y, 72.0 * float(place["width"]), 72.0 * float(place["height"]))

    def edge(self, name: str) -> Way:
        """The way of an edge: Bézier curves from a start to the base of the tip."""
        place = self._found[name]
        points = self._points(place["pos"].removeprefix("e,"))
        end = points.pop(0) if place["pos"].startswith("e,") else None
        (x, y), *curve = points
        path = f"M{x},{y} C" + " ".join(f"{x},{y}" for x, y in curve)
        label = place.get("lp") or place.get("xlp")
        return Way(
            path,
            _tip(curve[-1], end) if end else "",
            Place(*self._points(label)[0]) if label else None,
        )

    def frame(self, name: str) -> tuple[Place | None, Place]:
        """The place of a neuron's frame, None for a layer, which has none; and that of its name."""
        place = self._found[_frame_id(name)]
        ((x, y),) = self._points(place.get("lp") or place["pos"])
        if "bb" not in place:
            return None, Place(x, y)
        x1, y1, x2, y2 = place["bb"].split(",")
        (left, bottom), (right, top) = self._points(f"{x1},{y1} {x2},{y2}")
        box = Place((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
        return box, Place(x, y)

    def _points(self, text: str) -> list[tuple[float, float]]:
        pairs = (map(float, pair.split(",")) for pair in text.split())
        return [(round(MARGIN + x, 2), round(MARGIN + self._height - y, 2)) for x, y in pairs]


def _tip(base: tuple[float, float], tip: tuple[float, float]) -> str:
    dx, dy = 0.4 * (tip[0] - base[0]), 0.4 * (tip[1] - base[1])
    corners = (tip, (base[0] - dy, base[1] + dx), (base[0] + dy, base[1] - dx))
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)


def _svg_text(shown: Picture, found: Mapping[str, Any], prefix: str) -> str:
    """The SVG of nodes and edges on the places that `dot -Tjson0` gave them."""
    places = Places(found, prefix)
    palette = _Palette(shown)
    w, h = places.width, places.height
    elements = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="12" xml:space="preserve">'
    ]
    for name in dict.fromkeys(node.frame for node in shown.nodes if node.frame):
        elements += _frame(name, places, prefix)
    for edge in shown.edges:
        elements += _edge(edge, places, palette, prefix)
    for node in shown.nodes:
        elements += _node(node, places, palette, prefix)
    return "\n".join([*elements, "</svg>\n"])


def _node(node: Node, places: Places, palette: _Palette, prefix: str) -> Iterator[str]:
    x, y, width, height = places.node(node.id)
    left, top = x - width / 2, y - height / 2
    classes = f"node {node.kind}{' output' * node.is_output}{' outdated' * node.is_outdated}"
    yield f'<g class="{classes}" id="{prefix}{node.id}">'
    yield f"<title>{escape(node.details)}</title>"
    if node.kind == "cut":
        yield f"{_text('name', x, y, node.label, MUTED, 'middle')}</g>"
        return
    corner = {"leaf": 0, "parameter": 0, "folded": 14}.get(node.kind, 7)
    is_dashed = node.kind == "part" or node.is_outdated
    line = f'stroke="{OUTLINE}"' + (' stroke-dasharray="3 2"' if is_dashed else "")
    if node.is_output:
        outer = corner and corner + 4
        yield _box(left - 4, top - 4, width + 8, height + 8, outer, f'fill="none" {line}')
    yield _box(left, top, width, height, corner, f'fill="{palette.fill(node)}" {line}')
    if node.kind == "parameter":
        yield _box(left, top, 4, height, 0, f'fill="{OUTLINE}"')

    n_lines = len(node.rows) + bool(_title(node))
    below = [y + LINE_HEIGHT * (i + 0.5 - n_lines / 2) for i in range(n_lines)]
    yield _name(node, x, below[0])
    captions = []
    for (caption, text), line_y in zip(node.rows, below[-len(node.rows) :], strict=True):
        css_class = "data" if caption == "recorded" else caption
        yield _text(css_class, left + width - 9, line_y, text, INK, "end")
        captions.append(_text("caption", left + 10, line_y, caption, FAINT_INK, "start"))
    yield from captions
    yield "</g>"


def _name(node: Node, x: float, y: float) -> str:
    label, operation = escape(shortened(node.label)), escape(shortened(node.operation))
    gap = ' dx="5"' if label else ""
    bold = "" if label else ' font-weight="bold"'
    return (
        f'<text class="name" x="{x:.2f}" y="{y + 4:.2f}" fill="{INK}" text-anchor="middle">'
        f'<tspan font-weight="bold" unicode-bidi="isolate">{label}</tspan>'
        f"<tspan{gap}{bold}>{operation}</tspan></text>"
    )


def _edge(edge: Edge, places: Places, palette: _Palette, prefix: str) -> Iterator[str]:
    way = places.edge(edge.id)
    colour, width = palette.line(edge.contribution), palette.width(edge.contribution)
    yield f'<g class="edge" id="{prefix}{edge.id}">'
    yield f"<title>{escape(edge.details)}</title>"
    dashes = "" if edge.has_derivative else ' stroke-dasharray="4 3"'
    yield f'<path d="{way.path}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'
    if way.tip:
        yield f'<polygon points="{way.tip}" fill="{colour}"/>'
    if way.label:
        x, y, *_ = way.label
        yield _text("partial", x, y, edge.label, MUTED, "middle", 'font-size="11"')
    yield "</g>"


def _frame(name: str, places: Places, prefix: str) -> Iterator[str]:
    """The frame of a neuron with its name, or the name alone that stands above a layer."""
    box, (x, y, *_) = places.frame(name)
    yield f'<g class="frame" id="{prefix}{_frame_id(name)}">'
    if box:
        paint = f'fill="{OUTLINE}" fill-opacity="0.08" stroke="{OUTLINE}" stroke-width="0.6"'
        left, top = box.x - box.width / 2, box.y - box.height / 2
        yield _box(left, top, box.width, box.height, 8, paint)
    yield _text("name", x, y, name, MUTED, "middle", 'font-size="11"')
    yield "</g>"


def _box(x: float, y: float, width: float, height: float, corner: float, paint: str) -> str:
    size = f'width="{width:.2f}" height="{height:.2f}" rx="{corner}"'
    return f'<rect x="{x:.2f}" y="{y:.2f}" {size} {paint}/>'


def _text(
    css_class: str, x: float, y: float, text: str, colour: str, anchor: str, more: str = ""
) -> str:
    """A line of text whose middle has the height y; its baseline is a third of its size below."""
    return (
        f'<text class="{css_class}" x="{x:.2f}" y="{y + 4:.2f}" fill="{colour}" '
        f'text-anchor="{anchor}" {more}>{escape(text)}</text>'
    )
