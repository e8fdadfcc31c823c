"""The graph view: which nodes and edges a picture shows, and what is written on them.

Usually that is one node per Value and one edge per operand. A part of the graph, a network folded
to its neurons or layers, and a `dot` written out as products and additions differ in which nodes
there are, and in where the edges begin and end. Colors and sizes are decided in `dot` and `svg`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Literal, NamedTuple, TypeAlias

from autograd import recording
from autograd.nn import GAINS, Module
from autograd.primitives import TABLE
from autograd.value import Operand, Value
from autograd.viz.notation import TEXT, changed_since, short_number, shortened, visible

Fold: TypeAlias = Literal["neurons", "layers"]
Selection: TypeAlias = Value | str | Iterable[Value | str]
ModulePath: TypeAlias = tuple[str, ...]
"""A part of a model by its dotted name: `("layer0", "neuron3")`."""


@dataclass(frozen=True)
class Node:
    """A card of the picture, or the "…" in place of what was cut off.

    Attributes:
        id: "node3" for the fourth Value in topological order.
        kind: "leaf", "parameter", "operation", "part" (of an operation written out), "folded"
            (several Values in one), "input" (a plain number that folded neurons take) or "cut".
        label, operation: the name given, and the symbol with the plain numbers it is applied to.
        data, grad: the numbers that it shows and that color it; None if it stands for several.
        counts: captions and texts that it shows in place of numbers.
        frame: the neuron or layer to draw around it and others, if it lies in one.
        about: its description, unshortened.
        is_output: whether it is the output, or contains it.
        is_outdated: whether its data no longer follow from those of its operands.
        values, exits: the Values that it stands for, and those of them that others use.
    """

    id: str
    kind: str
    label: str = ""
    operation: str = ""
    data: float | None = None
    grad: float | None = None
    counts: Sequence[tuple[str, str]] = ()
    frame: str = ""
    about: str = ""
    is_output: bool = False
    is_outdated: bool = False
    values: Sequence[Value] = ()
    exits: Sequence[Value] = ()

    @property
    def rows(self) -> Sequence[tuple[str, str]]:
        """Captions and their texts, such as ("data", "2"); "recorded" if outdated."""
        if self.counts or self.data is None:
            return self.counts
        caption = "recorded" if self.is_outdated else "data"
        return (caption, short_number(self.data)), ("grad", short_number(self.grad))

    @property
    def details(self) -> str:
        """The text that the node shows, unshortened."""
        lines = [self.about]
        if self.data is not None and not self.counts:
            lines += [f"data {self.data!r}", f"grad {_exact(self.grad)}"]
        if self.is_outdated:
            lines.append("an operand has changed since this was recorded")
        return "\n".join(filter(None, lines))


@dataclass(frozen=True)
class Edge:
    """An edge from an operand to its user. At a folded or cut node it stands for several of them.

    `contribution` is upstream gradient × local derivative, which is what colors the edge.
    `has_derivative` is False for an operand that is only compared. `operands` are the uses of
    Values that the edge stands for, each as the user and the index among the user's operands.
    """

    id: str
    source: str
    target: str
    label: str
    contribution: float | None
    details: str
    has_derivative: bool = True
    operands: Sequence[tuple[Value, int]] = ()


@dataclass(frozen=True)
class Picture:
    """The nodes, in topological order, and the edges."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]


def picture(
    order: Sequence[Value],
    *,
    expand: bool = False,
    collapse: Fold | None = None,
    only: Selection | None = None,
    limit: int = 300,
    model: Module | None = None,
    labels: Mapping[Value, str] | None = None,
    gradients: Mapping[Value, float] | None = None,
) -> Picture:
    """The picture of a graph, from its nodes in topological order; see `drawing.draw`.

    `labels` and `gradients` stand in for those that the nodes have.
    """
    if collapse is None and only is None:
        check_size(len(order), "nodes", limit)  # before looking at any of a million
    parameters = _parameters(order, model)
    neurons = _neurons(order, parameters)
    if labels is None:
        labels = {x: visible(str(x.label)) or parameters.get(x, "") for x in order}
    grads = {x: x.grad if gradients is None else gradients.get(x) for x in order}
    kept = set(order) if only is None else _selected(order, neurons, labels, only)
    members: dict[str, list[Value]] = {}
    ids: dict[ModulePath, str] = {}
    parts: dict[Value, _Parts] = {}
    for i, x in enumerate(order):
        if x in kept:
            path = folded(neurons.get(x, ()), collapse)
            name = f"node{i}"
            if path:
                name = ids.setdefault(path, f"part{len(ids)}-{identifier(path)}")
            members.setdefault(name, []).append(x)
            if expand and not path and x.op in ("dot", "sum") and len(x.args) > 1:
                parts[x] = _written_out(x, name)
    n_parts = sum(len(written.ids) for written in parts.values())
    check_size(len(members) + n_parts, "nodes", limit)

    names = {x: name for name, values in members.items() for x in values}
    operands = list(_operands(order, names, parts, grads))
    leaving = {(edge.source, x.args[k]) for edge in operands for x, k in edge.operands}
    outdated = set(changed_since(kept))
    nodes: list[Node] = []
    for name, values in members.items():
        path = neurons.get(values[0], ())
        if fold := folded(path, collapse):
            exits = [x for x in values if x is order[-1] or (name, x) in leaving]
            found = [_folded_node(name, fold, values, exits, grads)]
        else:
            (x,) = values
            kind = "parameter" if x in parameters else "operation" if x.op else "leaf"
            found = list(_nodes(name, x, kind, ".".join(path), parts.get(x), grads[x], labels[x]))
        is_outdated = not outdated.isdisjoint(values)
        nodes += [
            replace(node, is_output=order[-1] in node.values, is_outdated=is_outdated)
            for node in found
        ]
    inputs, entering = _inputs(members, neurons, collapse)
    nodes = [*inputs, *nodes]
    check_size(len(nodes), "nodes", limit)
    plain = {node.id for node in nodes if node.kind != "folded"}
    edges = [*entering, *_merged(operands, plain)]
    check_size(len(edges), "edges", 20 * limit)
    check_size(passed_over(edges), "columns passed over by edges", 100 * limit)
    drawn = {node.id for node in nodes}
    ends = dict.fromkeys(end for edge in edges for end in (edge.source, edge.target))
    cut = [Node(end, "cut", "…", about="not drawn") for end in ends if end not in drawn]
    return Picture([*nodes, *cut], edges)


class TooLargeError(ValueError):
    """A graph exceeds a limit; the message says by how much, and the caller adds advice."""


def check_size(count: int, what: str, limit: int) -> None:
    """Raise `TooLargeError` if the count exceeds the limit."""
    if count > limit:
        raise TooLargeError(f"{count:,} {what} are more than the limit of {limit:,}")


def passed_over(edges: Sequence[Edge]) -> int:
    """How many columns of nodes the edges skip in total.

    Graphviz places a point in each of them, which takes most of its time: a weight that is used at
    each of fifty steps takes longer to lay out than a network of as many nodes.
    """
    into: dict[str, list[str]] = {}
    for edge in edges:
        into.setdefault(edge.target, []).append(edge.source)
    column: dict[str, int] = {}
    for target, sources in into.items():  # in topological order, as the edges are
        column[target] = 1 + max(column.get(source, 0) for source in sources)
    for edge in edges:
        if edge.source not in into:  # a leaf stands just before the first that uses it
            before = column[edge.target] - 1
            column[edge.source] = min(before, column.get(edge.source, before))
    return sum(max(0, column[edge.target] - column[edge.source] - 1) for edge in edges)


# --- which Values, and which of them belong together ----------------------------------------------

LABEL = re.compile(r"(?:layer\d+\.)?neuron\d+\.(?:weight\d+|bias)")
"""The label of a parameter of `nn`, by which it is known where no model is given."""


def _parameters(order: Sequence[Value], model: Module | None) -> dict[Value, str]:
    """The parameters among the nodes, and their names: those of the model, or leaves so labeled."""
    if model is None:
        leaves = ((x, str(x.label)) for x in order if not x.op)
        return {x: label for x, label in leaves if LABEL.fullmatch(label)}
    graph = set(order)
    return {x: visible(name) for name, x in model.named_parameters() if x in graph}


def folded(path: ModulePath, collapse: Fold | None) -> ModulePath:
    """The module that a node is folded into: its neuron or layer; () if it is not folded."""
    if collapse == "layers" and len(path) > 1 and path[-1].startswith("neuron"):
        return path[:-1]
    return path if collapse else ()


def called_after(order: Sequence[Value], model: Module | None = None) -> dict[Value, str]:
    """Names for the nodes of a model: `layer0.neuron2.z` is w·x + b, `.a` its activation.

    Its parameters have their dotted names, unless they were given labels of their own.
    """
    parameters = _parameters(order, model)
    called = {x: name for x, name in parameters.items() if not x.label or name.endswith(x.label)}
    for x, path in _neurons(order, parameters).items():
        ending = "a" if x.op in GAINS else PARTS_OF_A_NEURON.get(x.op)
        if ending and not x.label:
            called[x] = ".".join([*path, ending])
    return called


PARTS_OF_A_NEURON = {"dot": "wx", "add": "z", "sum": "z"}


def identifier(path: Iterable[str]) -> str:
    """The path as an id: only letters, digits, _ and -."""
    return "-".join(re.sub(r"\W", "_", part, flags=re.ASCII) for part in path)


def _neurons(order: Sequence[Value], parameters: Mapping[Value, str]) -> dict[Value, ModulePath]:
    """The neuron of every node that is part of one: its parameters, w·x + b, and the activation."""
    if not parameters:
        return {}
    uses = Counter(arg for node in order for arg in node.args if isinstance(arg, Value))
    neurons: dict[Value, ModulePath] = {}
    for node in order:
        if node.op:
            path = _neuron_of_operation(node, neurons, uses)
        else:
            path = tuple(parameters.get(node, "").split(".")[:-1])
        if path:
            neurons[node] = path
    return neurons


def _neuron_of_operation(
    node: Value, neurons: Mapping[Value, ModulePath], uses: Mapping[Value, int]
) -> ModulePath:
    operands = {arg for arg in node.args if isinstance(arg, Value)}
    if node.op in GAINS:
        # An activation is all that becomes of w·x + b. What a loss does to it may look the same.
        (z,) = operands
        return neurons.get(z, ()) if uses[z] == 1 and z.op in ("add", "sum", "dot") else ()
    if node.op not in ("add", "sum", "mul", "dot") or len(set(node.args)) == 1:
        return ()  # not w·x + b, nor w·w, which is weight decay
    found = {neurons[x] for x in operands if not x.op and x in neurons}
    if not found and any(x.op == "mul" for x in operands):
        found = {neurons.get(x, ()) for x in operands}  # products of parameters, added
    return found.pop() if len(found) == 1 else ()


def _selected(
    order: Sequence[Value],
    neurons: Mapping[Value, ModulePath],
    labels: Mapping[Value, str],
    only: Selection,
) -> set[Value]:
    graph = set(order)
    selected: set[Value] = set()
    for part in only if isinstance(only, Iterable) and not isinstance(only, str) else [only]:
        if isinstance(part, Value):
            found = {part} & graph
        elif isinstance(part, str):
            text = visible(part)
            found = {x for x in order if text == labels[x] or _lies_in(text, neurons.get(x, ()))}
        else:
            raise TypeError(f"draw: only= takes Values and labels, got {part!r}")
        if not found:
            raise ValueError(f"draw: only={part!r} is no node, label, neuron or layer of the graph")
        selected |= found
    if not selected:
        raise ValueError("draw: only= selects nothing; name at least one node")
    return selected


def _lies_in(name: str, path: ModulePath) -> bool:
    return any(name == ".".join(path[:n]) for n in range(1, len(path) + 1))


# --- nodes ----------------------------------------------------------------------------------------


def _nodes(
    name: str,
    x: Value,
    kind: str,
    frame: str,
    parts: _Parts | None,
    grad: float | None,
    label: str,
) -> Iterator[Node]:
    """The node of one Value, preceded by the nodes of its parts if it is drawn as these."""
    *inner, last = parts.ids if parts else [x]
    for part in inner:
        yield Node(
            id=parts.ids[part] if parts else "",
            kind="part",
            operation=_readable(TEXT.applied(part)),
            data=part.data,
            grad=grad,
            frame=frame,
            about=f"part of {_formula(x)}",
        )
    yield Node(
        id=name,
        kind=kind,
        label=shortened(label.removeprefix(f"{frame}.") if frame else label),
        operation=_readable(TEXT.applied(last)) if x.op else "",
        data=x.data,
        grad=grad,
        frame=frame,
        about=f"{label}\n{_formula(x) or kind}".strip(),
        values=[x],
        exits=[x],
    )


def _folded_node(
    name: str,
    path: ModulePath,
    values: Sequence[Value],
    exits: Sequence[Value],
    grads: Mapping[Value, float | None],
) -> Node:
    """The one node for a neuron or layer. It shows data and grad if it has a single output."""
    *frame, label = path
    counts = [("parameters", str(sum(not x.op for x in values))), ("outputs", str(len(exits)))]
    (x, *others) = exits
    return Node(
        id=name,
        kind="folded",
        label=shortened(label),
        operation=TEXT.symbol(x.op) if x.op in GAINS and not others else "",
        data=None if others else x.data,
        grad=None if others else grads[x],
        counts=counts if others else (),
        frame=".".join(frame),
        about="\n".join([".".join(path), *map(" ".join, counts)]),
        values=values,
        exits=exits,
    )


def _inputs(
    members: Mapping[str, Sequence[Value]],
    neurons: Mapping[Value, ModulePath],
    collapse: Fold | None,
) -> tuple[list[Node], list[Edge]]:
    """The plain numbers that folded neurons take, as nodes x0, x1 … with edges to the neurons.

    One node per layer and position; it shows its number, or how many there are if the neurons are
    applied to several examples.
    """
    numbers: dict[tuple[ModulePath, int], list[float]] = {}
    weights: dict[tuple[ModulePath, int], dict[str, list[float]]] = {}
    for name, values in members.items():
        for x in values if folded(neurons.get(values[0], ()), collapse) else ():
            half = len(x.args) // 2
            pairs = zip(x.args[:half], x.args[half:], strict=True) if x.op == "dot" else ()
            for k, (weight, number) in enumerate(pairs):
                if isinstance(weight, Value) and not isinstance(number, Value):
                    place = (neurons[x][:-1], k)
                    numbers.setdefault(place, []).append(number)
                    weights.setdefault(place, {}).setdefault(name, []).append(weight.data)
    nodes, edges = [], []
    for (layer, k), found in numbers.items():
        ident, distinct = f"node-{identifier((*layer, f'x{k}'))}", list(dict.fromkeys(found))
        data = distinct[0] if len(distinct) == 1 else None
        row = ("numbers", str(len(distinct))) if data is None else ("data", short_number(data))
        about = f"input {k}\n{f'{len(distinct)} numbers' if data is None else repr(data)}"
        nodes.append(Node(ident, "input", f"x{k}", data=data, counts=(row,), about=about))
        for target, ws in weights[layer, k].items():
            label = short_number(ws[0]) if len(set(ws)) == 1 else f"{len(set(ws))} weights"
            edge = f"edge-{ident}-{target}"
            edges.append(Edge(edge, ident, target, label, None, "a plain number: no gradient"))
    return nodes, edges


SIGNS = str.maketrans({"·": "×", "-": "−"})


def _readable(operation: str) -> str:
    """The operation as a title; an operator sign alone is replaced by a larger sign."""
    return shortened(operation) if any(map(str.isalnum, operation)) else operation.translate(SIGNS)


def _exact(number: float | None) -> str:
    return "–" if number is None else repr(number)


def _formula(x: Value) -> str:
    """The operation on its operands by name, or by number; nothing for a leaf."""
    return TEXT.formula(x, {}) if x.op else ""


# --- edges ----------------------------------------------------------------------------------------


def _operands(
    order: Sequence[Value],
    names: Mapping[Value, str],
    parts: Mapping[Value, _Parts],
    grads: Mapping[Value, float | None],
) -> Iterator[Edge]:
    """An edge for each operand to draw, between the nodes of these names."""
    for i, x in enumerate(order):
        grad = grads[x]
        ids, taker = parts.get(x, _Parts({}, {}))
        for part, target in ids.items():
            for inner in part.args:
                if isinstance(inner, Value) and inner in ids:
                    yield _edge(f"edge-{ids[inner]}-{target}", ids[inner], target, 1.0, grad)
        for k, (arg, partial) in enumerate(zip(x.args, x.partials, strict=True)):
            if isinstance(arg, Value):
                source, taking = names.get(arg), taker.get(k, names.get(x))
                if source != taking:  # both in one folded node, or neither drawn
                    ends = source or f"before-{taking}", taking or f"after-{source}"
                    yield _edge(f"edge{i}_{k}", *ends, partial, grad, [(x, k)])


def _edge(
    name: str,
    source: str,
    target: str,
    partial: float | None,
    grad: float | None,
    operands: Sequence[tuple[Value, int]] = (),
) -> Edge:
    if partial is None:
        return Edge(name, source, target, "", None, NO_DERIVATIVE, False, operands)
    contribution = None if grad is None else grad * partial
    details = f"local derivative {partial!r}\ncontributes {_exact(contribution)}"
    label = short_number(partial)
    return Edge(name, source, target, label, contribution, details, operands=operands)


NO_DERIVATIVE = "without a derivative\ncontributes –"


def _merged(edges: Iterable[Edge], plain: set[str]) -> Iterator[Edge]:
    """Edges between the same nodes as one edge, if one of the nodes is folded or cut."""
    bundles: dict[object, list[Edge]] = {}
    for edge in edges:
        ends = edge.source, edge.target
        bundles.setdefault(edge.id if plain.issuperset(ends) else ends, []).append(edge)
    for several in bundles.values():
        merged = replace(several[0], operands=[use for edge in several for use in edge.operands])
        if len(several) > 1 and any(edge.has_derivative for edge in several):
            known = [edge.contribution for edge in several if edge.contribution is not None]
            contribution = reduce(add, known) if known else None
            merged = replace(
                merged,
                label=f"{len(several)} operands",
                contribution=contribution,
                details=f"contributes {_exact(contribution)}",
                has_derivative=True,
            )
        yield merged


# --- dot and sum written out ----------------------------------------------------------------------


class _Parts(NamedTuple):
    """A `dot` or `sum` as products and additions, as they are computed.

    Attributes:
        ids: the id of each part's node; the last part is the operation itself once more.
        taker: for each of its operands, by index, the id of the part that it goes into.
    """

    ids: dict[Value, str]
    taker: dict[int, str]


def _written_out(x: Value, name: str) -> _Parts:
    """The parts of an operation of several operands, recorded anew."""
    parts: list[Value] = []
    taker: dict[int, Value] = {}

    def combined(op: str, left: Operand, right: Operand, *operands: int) -> Operand:
        result: Operand = TABLE[op](left, right)
        if isinstance(result, Value):
            parts.append(result)
            for k in operands:
                taker.setdefault(k, result)
        return result

    with recording.recorded():
        terms = list(x.args)
        if x.op == "dot":
            half = len(terms) // 2
            pairs = zip(terms[:half], terms[half:], strict=True)
            terms = [combined("mul", u, v, k, half + k) for k, (u, v) in enumerate(pairs)]
        total = terms[0]
        for k, term in enumerate(terms[1:], start=1):
            total = combined("add", total, term, *((0, k) if x.op == "sum" else ()))
    *inner, last = parts
    ids = {part: f"{name}_{i}" for i, part in enumerate(inner)} | {last: name}
    return _Parts(ids, {k: ids[part] for k, part in taker.items()})
