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
from typing import Literal, TypeAlias

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
    function: str,
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

    `labels` and `gradients` stand in for those that the nodes have. ValueError, which names the
    function, for a picture that is too large or an unknown `collapse`.
    """
    check_choice(f"{function}: collapse", collapse, ("neurons", "layers", None))
    if collapse is None and only is None:
        check_size(function, len(order), "nodes", limit)  # before looking at any of a million
    parameters = _parameters(order, model)
    neurons = _neurons(order, parameters)
    if labels is None:
        labels = {x: visible(str(x.label)) or parameters.get(x, "") for x in order}
    grads = {x: x.grad if gradients is None else gradients.get(x) for x in order}
    kept = set(order) if only is None else _selected(order, neurons, labels, only)
    members: dict[str, list[Value]] = {}
    ids: dict[ModulePath, str] = {}
    parts: dict[Value, Parts] = {}
    for i, x in enumerate(order):
        if x in kept:
            path = folded(neurons.get(x, ()), collapse)
            name = f"node{i}"
            if path:
                name = ids.setdefault(path, f"part{len(ids)}-{identifier(path)}")
            members.setdefault(name, []).append(x)
            if expand and not path and x.op in ("dot", "sum") and len(x.args) > 1:
                parts[x] = _written_out(x)
    names = {x: name for name, values in members.items() for x in values}
    for x, (*inner, last) in parts.items():
        names |= {part: f"{names[x]}_{k}" for k, part in enumerate(inner)} | {last: names[x]}
    check_size(function, len(members) + len(names) - len(kept), "nodes", limit)

    operands = list(_operands(order, names, parts, grads))
    leaving = {(edge.source, x.args[k]) for edge in operands for x, k in edge.operands}
    outdated = set(changed_since(kept))
    nodes: list[Node] = []
    for name, values in members.items():
        x, *_ = values
        path = neurons.get(x, ())
        if fold := folded(path, collapse):
            exits = [x for x in values if x is order[-1] or (name, x) in leaving]
            node = _folded_node(name, fold, values, exits, grads)
        else:
            kind = "parameter" if x in parameters else "operation" if x.op else "leaf"
            *inner, last = parts.get(x, [x])
            frame = ".".join(path)
            nodes += [_part(names[part], part, frame, grads[x], x) for part in inner]
            node = _node(name, x, kind, frame, grads[x], labels[x], last)
        is_outdated = not outdated.isdisjoint(values)
        nodes.append(replace(node, is_output=order[-1] in values, is_outdated=is_outdated))
    inputs, entering = _inputs(members, neurons, collapse)
    nodes = [*inputs, *nodes]
    kinds = {node.id: node.kind for node in nodes}
    edges = [*entering, *_merged(operands, kinds)]
    ends = dict.fromkeys(end for edge in edges for end in (edge.source, edge.target))
    nodes += [Node(end, "cut", "…", about="not drawn") for end in ends if end not in kinds]
    check_size(function, len(nodes), "nodes", limit)
    check_size(function, len(edges), "edges", 20 * limit)
    check_size(function, passed_over(edges), "columns passed over by edges", 100 * limit)
    return Picture(nodes, edges)


ADVICE = {
    "draw": "draw a part (only=...), fold a network (collapse='neurons' or 'layers'), or pass a "
    "higher limit= (the DOT text, `.dot`, is then there at once; the layout of the picture takes "
    "its time)",
    "play": "play a smaller graph (one neuron, one example), fold a network (collapse='neurons' or "
    "'layers'), or pass a higher limit= and be patient",
}


def check_size(function: str, count: int, what: str, limit: int) -> None:
    """Raise ValueError, which says what to do instead, if the count exceeds the limit."""
    if count > limit:
        raise ValueError(
            f"{function}: {count:,} {what} are more than the limit of {limit:,}: {ADVICE[function]}"
        )


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


def checked(value: object, function: str) -> Value:
    """`value` itself. TypeError, which names the function, if it is no Value."""
    if not isinstance(value, Value):
        raise TypeError(
            f"{function}: expected a Value, got {value!r} of type {type(value).__name__}"
        )
    return value


def check_choice(what: str, given: object, choices: Sequence[str | None]) -> None:
    """Raise ValueError if an argument is none of the values that it may have."""
    if given not in choices:
        *first, last = (choice and f'"{choice}"' for choice in choices)
        raise ValueError(f"{what} is {', '.join(map(str, first))} or {last}, got {given!r}")


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


def _node(
    name: str, x: Value, kind: str, frame: str, grad: float | None, label: str, last: Value
) -> Node:
    """The node of one Value; `last` is the operation that it shows."""
    return Node(
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


def _part(name: str, part: Value, frame: str, grad: float | None, whole: Value) -> Node:
    """The node of a product or sum in an operation that is written out."""
    operation, about = _readable(TEXT.applied(part)), f"part of {_formula(whole)}"
    return Node(name, "part", "", operation, part.data, grad, frame=frame, about=about)


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
    parts: Mapping[Value, Parts],
    grads: Mapping[Value, float | None],
) -> Iterator[Edge]:
    """An edge for each operand to draw, between the nodes of these names."""
    for i, x in enumerate(order):
        for part, places in (parts.get(x) or {x: range(len(x.args))}).items():
            taker = names.get(part)
            for arg, k in zip(part.args, places, strict=True):
                maker = names.get(arg) if isinstance(arg, Value) else taker
                if maker == taker:
                    continue  # a plain number, both in one folded node, or neither drawn
                source, target = maker or f"before-{taker}", taker or f"after-{maker}"
                if k is None:
                    yield _edge(f"edge-{source}-{target}", source, target, 1.0, grads[x])
                else:
                    name = f"edge{i}_{k}"
                    yield _edge(name, source, target, x.partials[k], grads[x], [(x, k)])


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


def _merged(edges: Iterable[Edge], kinds: Mapping[str, str]) -> Iterator[Edge]:
    """Edges between the same nodes as one edge, if one of the nodes is folded or cut."""
    bundles: dict[object, list[Edge]] = {}
    for edge in edges:
        ends = edge.source, edge.target
        is_plain = all(kinds.get(end, "cut") not in ("folded", "cut") for end in ends)
        bundles.setdefault(edge.id if is_plain else ends, []).append(edge)
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

Parts: TypeAlias = "Mapping[Value, Sequence[int | None]]"
"""The operations that an operation is drawn as, in the order in which they are computed; of each
operand its index among the operands of the whole, None if it is another part."""


def _written_out(x: Value) -> Parts:
    """A `dot` or `sum` as products and additions, recorded anew."""
    parts: dict[Value, Sequence[int | None]] = {}

    def combined(op: str, left: Operand, right: Operand, *places: int | None) -> Operand:
        result: Operand = TABLE[op](left, right)
        if isinstance(result, Value):
            parts[result] = places
        return result

    with recording.recorded():
        terms: list[tuple[int | None, Operand]] = list(enumerate(x.args))
        if x.op == "dot":
            half = len(terms) // 2
            pairs = zip(terms[:half], terms[half:], strict=True)
            terms = [(None, combined("mul", u, v, i, k)) for (i, u), (k, v) in pairs]
        (first, total), *others = terms
        for place, term in others:
            total = combined("add", total, term, first, place)
            first = None
    return parts
