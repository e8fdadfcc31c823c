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
- nodes that stand for several Values, for part of one, for a plain number that folded neurons take,
  or for what was left out, have `folded`, `part`, `input` or `cut` as their second class and other
  ids, as have the edges between them; the frames of neurons and the names of layers are
  `<g class="frame">`.

Colors show the gradient: blue is positive, orange negative, stronger is larger, yellow is not
finite. An edge has the color and the width of what it contributes to the gradient of its operand.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, Literal

from autograd.files import write_whole
from autograd.nn import Module
from autograd.value import Value, topological_order
from autograd.viz.dot import dot_text
from autograd.viz.graphview import Fold, Picture, Selection, check_choice, checked, picture
from autograd.viz.svg import svg_text

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
    pass); every operand is an edge, labeled with the local derivative, or dashed where there is
    none. Plain numbers stand in the operation's text. Leaves have square corners, parameters a bar
    at their side, the output a double border; the nodes of a neuron and of a layer stand in a
    frame. A node whose operands have changed since it was recorded has a dashed border, and its
    data, as all derivatives, are those that were recorded.

    Args:
        value: the output of the graph.
        expand: show `dot` and `sum` as their products and additions.
        collapse: "neurons" or "layers" draws each of those as one node; an edge between two
            neurons is then the weight between them. Plain numbers that they take are nodes x0, x1 …
        only: the part to draw: nodes, their labels, or the name of a layer or neuron
            (`"layer0"`); one of these or several. What is cut off is shown as "…".
        rankdir: "LR" draws from left to right, "TB" from top to bottom.
        limit: the most nodes to draw.
        prefix: put before every id of the SVG, so that two pictures on one page share no id.
        model: whose parts the graph's parameters are, by their names in it. Without it, leaves that
            are labeled as those of `nn` are (`layer0.neuron3.weight1`) are taken for parameters.

    Raises:
        TypeError: if `value` is no Value.
        ValueError: if the picture would have more nodes than `limit` (or 20 times as many edges, or
            edges that pass over 100 times as many columns of nodes), `only` names something that is
            not in the graph, or an argument is none of those above.
    """
    order = topological_order(checked(value, "draw"))
    check_choice("draw: rankdir", rankdir, ("LR", "TB"))
    if not re.fullmatch(r"[\w-]*", prefix, re.ASCII):
        raise ValueError(f"draw: a prefix is made of letters, digits, - and _, got {prefix!r}")
    shown = picture(
        "draw", order, expand=expand, collapse=collapse, only=only, limit=limit, model=model
    )
    return Drawing(shown, rankdir, prefix)


class Drawing:
    """A picture of a graph, which shows itself in Jupyter.

    Attributes:
        dot: the picture as DOT text, for any Graphviz.
        svg: the picture as SVG text. Raises RuntimeError, which says what to install, if there is
            no program to lay it out.
        image: the same as an HTML image.
    """

    def __init__(self, shown: Picture, rankdir: str, prefix: str = "") -> None:
        self._shown = shown
        self._prefix = prefix
        self.dot = dot_text(shown, rankdir)

    @cached_property
    def svg(self) -> str:
        """The picture as SVG text."""
        svg = svg_text(self._shown, layout(self.dot))
        return svg.replace(' id="', f' id="{self._prefix}')  # a quotation mark in a text is escaped

    @property
    def image(self) -> str:
        """The picture as an `<img>` with alternative text, to be put into any page."""
        return html_image(self.svg.encode(), "svg+xml", self.described)

    @property
    def described(self) -> str:
        """The picture in one sentence, as alternative text."""
        nodes = [node for node in self._shown.nodes if node.kind not in ("cut", "part")]
        (output,) = [node for node in nodes if node.is_output] or nodes[-1:]
        told = ", ".join(f"{caption} {text}" for caption, text in output.rows)
        inputs = [node for node in nodes if node.kind in ("leaf", "parameter", "input")]
        from_leaves = f", from {len(inputs)} leaves" if len(inputs) > 1 else ""
        name = output.label or output.operation or "a leaf"
        return f"Graph of {len(nodes)} nodes{from_leaves}, up to {name}: {told}"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to `path`, in the format of its extension: .svg, .png, .dot or .gv.

        The file appears only once it is complete. Returns its path. Raises ValueError for any other
        extension.
        """
        path = Path(path)
        content: str | bytes
        match path.suffix.lower():
            case ".svg":
                content = self.svg
            case ".png":
                content = rendered(self.dot, "png", "-Gdpi=192", "-Gbgcolor=white")
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
        # The HTML has alternative text, which `image/png` cannot have; the PNG is for those that
        # take no HTML, such as nbconvert to LaTeX. No `image/svg+xml`: JupyterLab drops it from a
        # notebook that is not trusted, and others would take it in place of the HTML. marimo, and
        # nbconvert to HTML and LaTeX, find the picture; only `--sanitize-html` drops it.
        try:
            formats = {"text/html": self.image, "text/plain": repr(self)}
        except RuntimeError as reason:
            return {"text/plain": f"{self!r}\n{reason}"}
        with contextlib.suppress(RuntimeError):  # where only `layout` was replaced, as in a browser
            png = rendered(self.dot, "png", "-Gbgcolor=white", f"-Gsize={WIDEST}")
            formats["image/png"] = base64.b64encode(png).decode("ascii")
        return formats


WIDEST = "11,100"
"""Width and height in inches that a notebook's PNG is reduced to, at 96 pixels each."""


def html_image(picture: bytes, kind: str, described: str, attributes: str = "") -> str:
    """A picture as an HTML image with alternative text."""
    source = f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
    return f'<img alt="{escape(described)}" {attributes}style="max-width: 100%" src="{source}">'


# --- the layout, by a program of Graphviz ---------------------------------------------------------


def layout(dot: str) -> dict[str, Any]:
    """The layout of a DOT text: the output of `dot -Tjson0`, as a dictionary.

    Every picture and page uses this function. Where no program can run, as in a browser, assign
    another function to `drawing.layout` that takes the same text and returns the same thing.
    """
    places: dict[str, Any] = json.loads(rendered(dot, "json0"))
    return places


def rendered(dot: str, output: str, *options: str) -> bytes:
    """Run Graphviz on the DOT text. Raises RuntimeError if it is not installed or fails."""
    problem = HOW_TO_RENDER
    for program in layout_programs():
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


def layout_programs() -> Iterator[str]:
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
