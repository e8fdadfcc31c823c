"""Writes the picture of a graph as SVG text, at the positions that Graphviz computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, NamedTuple

from autograd.viz.dot import FAINT_INK, INK, MUTED, OUTLINE, Palette, frame_id, title
from autograd.viz.graphview import Edge, Node, Picture

MARGIN = 8.0
LINE_HEIGHT = 16.0


class Place(NamedTuple):
    """The position of a node or label: its center, width and height."""

    x: float
    y: float
    width: float = 0.0
    height: float = 0.0


class EdgePath(NamedTuple):
    """The path of an edge: the data of an SVG path, the corners of its tip, its label's place."""

    path: str
    tip: str
    label: Place | None


class Places:
    """A layout in pixels from the top left, as SVG measures; Graphviz has points from the bottom.

    Args:
        found: the result of `layout`.

    Attributes:
        width, height: the size of the whole.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        *_, self._width, self._height = map(float, found["bb"].split(","))
        self.width, self.height = (round(x + 2 * MARGIN) for x in (self._width, self._height))
        drawn = (*found.get("objects", ()), *found.get("edges", ()))
        self._found = {item["id"]: item for item in drawn if "id" in item}

    def node(self, name: str) -> Place:
        """The place of a node."""
        place = self._found[name]
        ((x, y),) = self._points(place["pos"])
        return Place(x, y, 72.0 * float(place["width"]), 72.0 * float(place["height"]))

    def edge(self, name: str) -> EdgePath:
        """The path of an edge: Bézier curves from its start to the base of its arrowhead."""
        place = self._found[name]
        points = self._points(place["pos"].removeprefix("e,"))
        end = points.pop(0) if place["pos"].startswith("e,") else None
        (x, y), *curve = points
        path = f"M{x},{y} C" + " ".join(f"{x},{y}" for x, y in curve)
        label = place.get("lp") or place.get("xlp")
        return EdgePath(
            path,
            _tip(curve[-1], end) if end else "",
            Place(*self._points(label)[0]) if label else None,
        )

    def frame(self, name: str) -> tuple[Place | None, Place]:
        """The place of a neuron's frame (None for a layer, which has no frame), and of its name."""
        place = self._found[frame_id(name)]
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


def svg_text(shown: Picture, found: Mapping[str, Any]) -> str:
    """The SVG of nodes and edges on the places that `dot -Tjson0` gave them."""
    places = Places(found)
    palette = Palette(shown)
    w, h = places.width, places.height
    elements = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="12" xml:space="preserve">'
    ]
    for name in dict.fromkeys(node.frame for node in shown.nodes if node.frame):
        elements += _frame(name, places)
    for edge in shown.edges:
        elements += _edge(edge, places, palette)
    for node in shown.nodes:
        elements += _node(node, places, palette)
    return "\n".join([*elements, "</svg>\n"])


def _node(node: Node, places: Places, palette: Palette) -> Iterator[str]:
    x, y, width, height = places.node(node.id)
    left, top = x - width / 2, y - height / 2
    classes = f"node {node.kind}{' output' * node.is_output}{' outdated' * node.is_outdated}"
    yield f'<g class="{classes}" id="{node.id}">'
    yield f"<title>{escape(node.details)}</title>"
    if node.kind == "cut":
        yield f"{_text('name', x, y, node.label, MUTED, 'middle')}</g>"
        return
    corner = {"leaf": 0, "parameter": 0, "input": 0, "folded": 14}.get(node.kind, 7)
    is_dashed = node.kind == "part" or node.is_outdated
    line = f'stroke="{OUTLINE}"' + (' stroke-dasharray="3 2"' if is_dashed else "")
    if node.is_output:
        outer = corner and corner + 4
        yield _box(left - 4, top - 4, width + 8, height + 8, outer, f'fill="none" {line}')
    yield _box(left, top, width, height, corner, f'fill="{palette.fill(node)}" {line}')
    if node.kind == "parameter":
        yield _box(left, top, 4, height, 0, f'fill="{OUTLINE}"')

    n_lines = len(node.rows) + bool(title(node))
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
    label, operation = escape(node.label), escape(node.operation)
    gap = ' dx="5"' if label else ""
    bold = "" if label else ' font-weight="bold"'
    if node.operation and not any(map(str.isalnum, node.operation)):  # a sign alone
        bold += ' font-size="17"'
    return (
        f'<text class="name" x="{x:.2f}" y="{y + 4:.2f}" fill="{INK}" text-anchor="middle">'
        f'<tspan font-weight="bold" unicode-bidi="isolate">{label}</tspan>'
        f"<tspan{gap}{bold}>{operation}</tspan></text>"
    )


def _edge(edge: Edge, places: Places, palette: Palette) -> Iterator[str]:
    path = places.edge(edge.id)
    color, width = palette.line(edge.contribution), palette.width(edge.contribution)
    yield f'<g class="edge" id="{edge.id}">'
    yield f"<title>{escape(edge.details)}</title>"
    dashes = "" if edge.has_derivative else ' stroke-dasharray="4 3"'
    yield f'<path d="{path.path}" fill="none" stroke="{color}" stroke-width="{width}"{dashes}/>'
    if path.tip:
        yield f'<polygon points="{path.tip}" fill="{color}"/>'
    if path.label:
        x, y, *_ = path.label
        yield _text("partial", x, y - 3, edge.label, MUTED, "middle", 'font-size="11"')
    yield "</g>"


def _frame(name: str, places: Places) -> Iterator[str]:
    """SVG of a neuron's frame and name, or of the name above a layer."""
    box, (x, y, *_) = places.frame(name)
    yield f'<g class="frame" id="{frame_id(name)}">'
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
    css_class: str, x: float, y: float, text: str, color: str, anchor: str, more: str = ""
) -> str:
    """A line of text whose middle has the height y; its baseline is a third of its size below."""
    return (
        f'<text class="{css_class}" x="{x:.2f}" y="{y + 4:.2f}" fill="{color}" '
        f'text-anchor="{anchor}" {more}>{escape(text)}</text>'
    )
