"""`play`: the forward and the backward pass on the graph's picture, one step after the other.

What is written here is one piece of HTML with everything in it. It holds the final picture as an
image, which shows wherever images do, and the steps as JSON; where scripts run, `player.js` puts
the picture's parts in the page and plays the steps on them, and `player.css` says how that looks.
"""

from __future__ import annotations

import base64
import functools
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

from autograd.drawing import Drawing, draw
from autograd.files import write_whole
from autograd.formula import TEXT, Names, changed_since, names, short_number
from autograd.picture import called_after
from autograd.stepping.steps import ForwardStep, Step, checked, sweep
from autograd.value import Value, adjoints, topological_order

LISTED = 6
"""How many leaves or local derivatives a sentence lists."""


@dataclass(frozen=True)
class Frame:
    """What one step shows; nodes and edges go by their ids in the picture.

    Attributes:
        phase: where in the pass we are.
        line: the step as a formula.
        words: the step as sentences.
        nodes, edges: what is at work.
        computed: nodes whose data are known from now on.
        gradients: what a node's gradient reads from now on.
        complete: nodes whose gradient is complete from now on.
    """

    phase: str
    line: str
    words: str
    nodes: Sequence[str] = ()
    edges: Sequence[str] = ()
    computed: Sequence[str] = ()
    gradients: dict[str, str] = field(default_factory=dict)
    complete: Sequence[str] = ()


def play(value: Value, *, limit: int = 300) -> Player:
    """A player of the forward and backward pass of `value`, which shows itself in Jupyter.

    It has controls (first, previous, play, next, last, a slider) and follows the arrow keys, Home
    and End. It shows the graph as it is now and changes nothing in it, `grad` included.

    Args:
        value: the output of the graph.
        limit: the most nodes to draw.

    Raises:
        TypeError: if `value` is no Value.
        ValueError: if the graph has more nodes than `limit` (or 20 times as many edges).
    """
    order = topological_order(checked(value, "play"))
    if len(order) > limit:
        raise ValueError(
            f"play: {len(order):,} nodes are more than the limit of {limit:,}: play a smaller "
            f"graph (one neuron, one example), or pass a higher limit= and be patient"
        )
    named = names(order, called_after(order))
    drawing = draw(_after_backward(order, named), limit=limit)
    return Player(drawing, named[value], list(_frames(order, named)))


class Player:
    """The steps of a forward and a backward pass, played on the picture of the graph.

    Attributes:
        html: what it shows, to be put into any page. RuntimeError, saying what to install, if
            there is no program to lay out the picture.
    """

    def __init__(self, drawing: Drawing, title: str, frames: Sequence[Frame]) -> None:
        self._drawing = drawing
        self._title = title
        self._frames = frames

    @functools.cached_property
    def html(self) -> str:
        """One self-contained piece of HTML."""
        title = escape(f"Forward and backward pass of {self._title}, step by step")
        final = escape(f"The graph of {self._title} with its values and gradients")
        picture = base64.b64encode(self._drawing.svg.encode()).decode()
        return (
            f'<div class="autograd-player" role="group" aria-label="{title}">\n'
            f"<style>\n{_asset('player.css')}</style>\n"
            f'<img alt="{final}" style="max-width: 100%"'
            f' src="data:image/svg+xml;base64,{picture}">\n'
            f'<script type="application/json">{_json_for_script(self._frames)}</script>\n'
            f"<script>\n{_asset('player.js')}</script>\n"
            f"</div>\n"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the player as a page of its own, which needs no network and no Python.

        The file appears when it is complete. Returns its path.
        """
        page = (
            '<!DOCTYPE html>\n<html lang="en" style="color-scheme: light dark">\n'
            '<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>Backpropagation: {escape(self._title)}</title>\n"
            f'<body style="margin: 1.5rem">\n{self.html}</body>\n</html>\n'
        )
        return write_whole(path, page)

    def __repr__(self) -> str:
        return f"Player of {len(self._frames)} steps: .save('backprop.html') writes a page"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        try:
            return {"text/html": self.html, "text/plain": repr(self)}
        except RuntimeError as reason:
            return {"text/plain": f"{self!r}\n{reason}"}


@functools.cache
def _asset(name: str) -> str:
    from importlib import resources

    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _json_for_script(frames: Sequence[Frame]) -> str:
    """JSON that is text to the HTML parser, too: no label in it can end the script or begin one."""
    text = json.dumps(list(map(asdict, frames)), ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _after_backward(order: Sequence[Value], named: Names) -> Value:
    """A copy of the graph with the gradients of this backward pass, and with the lines' names."""
    copies: dict[object, Value] = {}
    for node, adjoint in adjoints(order[-1]).items():
        copy = copies[node] = Value(node.data, named[node])
        copy.grad = adjoint
        copy.op, copy.partials = node.op, node.partials
        copy.args = tuple(copies[arg] if isinstance(arg, Value) else arg for arg in node.args)
    return copies[order[-1]]


# --- the steps ------------------------------------------------------------------------------------


def _frames(order: Sequence[Value], named: Names) -> Iterator[Frame]:
    """The leaves, the forward pass, the output's gradient 1, the backward pass, the result."""
    output, leaves = order[-1], [node for node in order if not node.args]
    position = {node: i for i, node in enumerate(order)}
    gradients = adjoints(output)

    def derivative(x: Value) -> str:
        return f"{TEXT.total(named[output], named[x])} = {TEXT.number(gradients[x])}"

    start = [f"node{position[x]}" for x in leaves]
    yield Frame(
        "Start",
        TEXT.joined(", ", leaves, lambda x: f"{named[x]} = {TEXT.number(x.data)}", LISTED),
        "The leaves have the values they were given. The forward pass computes the others.",
        nodes=start,
        computed=start,
    )
    yield from _forward(order, named, position)
    end = f"node{position[output]}"
    yield Frame(
        "Backward pass",
        derivative(output),
        f"Backpropagation begins at the output: {named[output]} changes by as much as itself.",
        nodes=[end],
        gradients={end: TEXT.number(gradients[output])},
        complete=[end],
    )
    yield from _backward(order, named, position)
    yield Frame(
        "Done",
        TEXT.joined(", ", leaves, derivative, LISTED),
        "Every gradient is complete. backward() adds those of the leaves to their grad.",
    )


def _forward(order: Sequence[Value], named: Names, position: dict[Value, int]) -> Iterator[Frame]:
    operations = [node for node in order if node.args]
    for count, node in enumerate(operations, 1):
        i = position[node]
        operands = [k for k, partial in enumerate(node.partials) if partial is not None]
        write = functools.partial(_local_derivative, node, named)
        partials = TEXT.joined(", ", operands, write, LISTED)
        yield Frame(
            f"Forward {count} of {len(operations)}",
            str(ForwardStep(node, named)),
            f"Kept for the way back: {partials}." if operands else "It depends on no Value.",
            nodes=[f"node{i}"],
            edges=[f"edge{i}_{k}" for k in operands],
            computed=[f"node{i}"],
        )


def _backward(order: Sequence[Value], named: Names, position: dict[Value, int]) -> Iterator[Frame]:
    steps = list(sweep(order, named))
    uses = Counter(step.arg for step in steps)
    received: Counter[Value] = Counter()
    for count, step in enumerate(steps, 1):
        received[step.arg] += 1
        i, arg = position[step.node], f"node{position[step.arg]}"
        yield Frame(
            f"Backward {count} of {len(steps)}",
            str(step),
            _chain_rule(step, received[step.arg], uses[step.arg]),
            nodes=[f"node{i}", arg],
            edges=[f"edge{i}_{step.index}"],
            gradients={arg: TEXT.number(step.total)},
            complete=[arg] if received[step.arg] == uses[step.arg] else [],
        )


def _local_derivative(node: Value, named: Names, index: int) -> str:
    """∂e/∂a = b = -3: what it is, by which rule, and its number at the recorded point."""
    number = short_number(node.partials[index])
    if changed_since([node]):
        return f"{TEXT.partial(node, index, named)} = {number}, as recorded"
    if why := TEXT.why(node, index, named).get(node.partials[index] or 0.0):
        return f"{TEXT.partial(node, index, named)} = {number} ({why})"
    rule = TEXT.local_derivative(node, index, named)
    return " = ".join([TEXT.partial(node, index, named), *dict.fromkeys([rule, number])])


def _chain_rule(step: Step, use: int, uses: int) -> str:
    """The step in words. It is contribution number `use` to its operand, which gets `uses`."""
    node, arg = step.names[step.node], step.names[step.arg]
    words = (
        f"{node} = {TEXT.formula(step.node, step.names)}, "
        f"so {_local_derivative(step.node, step.names, step.index)}. "
        f"Times the gradient of {node}, which is {TEXT.number(step.upstream)}, "
        f"that makes {TEXT.number(step.contribution)} for {arg}."
    )
    total = TEXT.number(step.total)
    if uses == 1:
        return words
    if use < uses:
        return f"{words} {arg} is used {uses} times; after {use} of them its sum is {total}."
    return f"{words} {arg} is used {uses} times; this completes the sum: {total}."
