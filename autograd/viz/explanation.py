"""Gradients written out: as the sum over all paths, and as a chain of labeled nodes.

dL/da is the sum, over all paths from L down to a, of the product of the local derivatives along
the path. Paths multiply quickly (60 doublings make 2⁶⁰), so they are counted, ranked and added up
by dynamic programming: every node keeps its few largest products, and count and sum of the rest,
and one sweep over the graph does it all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import add
from typing import TypeAlias, overload

from autograd.nn import Module
from autograd.value import Value, adjoints, topological_order
from autograd.viz.graphview import called_after, checked
from autograd.viz.notation import (
    LATEX,
    TEXT,
    TOTAL_AND_LOCAL,
    Names,
    Notation,
    changed_since,
    names,
)
from autograd.viz.steps import local_derivatives

PATHS_SHOWN = 8
FACTORS_SHOWN = 16
LINKS_SHOWN = 40
TERMS_SHOWN = 4
LEGEND_SHOWN = 12

MERGED = " Unlabeled nodes in between are merged."

AS_RECORDED = "these are the derivatives at the point that was recorded."


@overload
def explain(value: Value, *, model: Module | None = None) -> Chain: ...
@overload
def explain(value: Value, leaf: Value, *, model: Module | None = None) -> Explanation: ...
def explain(
    value: Value, leaf: Value | None = None, *, model: Module | None = None
) -> Explanation | Chain:
    """dvalue/dleaf written out, in symbols and numbers; prints as text, in Jupyter as formulas.

    Args:
        value: the Value to differentiate.
        leaf: with respect to what: a leaf or an inner node. Without it, the whole backward pass
            is written out from label to label, one gradient a line.
        model: nodes are named after the parts of this model, as in `draw` and `play`. Without it,
            parameters have the labels that `nn` gives them.

    Returns:
        An `Explanation`: the gradient as the sum over paths of the products of partials, then from
        label to label. Without a leaf, a `Chain`: the latter alone, for every labeled node and
        leaf. No node is changed.

    Raises:
        TypeError: if value or leaf is no Value.
    """
    order = topological_order(checked(value, "explain"))
    gradients, changed = adjoints(value), changed_since(order)
    nodes, called = set(order), called_after(order, model)
    if leaf is None:
        ends = {node for node in order if node.label or not node.args}
        links = _links(order, ends, nodes, gradients)
        return Chain(value, links, names(order, called), changed)
    named = names(order if checked(leaf, "explain") in nodes else [*order, leaf], called)
    above = _nodes_above(leaf, order)
    ends = {node for node in above if node.label or node is leaf}
    chain = Chain(value, _links(order, ends, above, gradients), named, changed)
    paths, left_out, left_out_sum = _largest_paths(order, leaf, above)
    gradient = gradients.get(leaf, 0.0)
    return Explanation(value, leaf, gradient, paths, left_out, left_out_sum, chain, named)


# --- what there is to say -------------------------------------------------------------------------


@dataclass(frozen=True)
class Path:
    """A path from the output down to the leaf.

    Attributes:
        nodes: the nodes on it, the output first, the leaf last.
        indices: for each node, the index of the next one among its operands.
        partials: the local derivative of each node with respect to that operand.
        product: their product, multiplied from the output down.
    """

    nodes: tuple[Value, ...]
    indices: tuple[int, ...]
    partials: tuple[float, ...]
    product: float


@dataclass(frozen=True)
class Link:
    """doutput/dnode as a sum over the labeled nodes that use the node.

    Attributes:
        node: the node.
        terms: (user, doutput/duser, ∂user/∂node) for each labeled node that uses it, directly or
            through nodes without a label.
        gradient: doutput/dnode as `backward()` finds it.
    """

    node: Value
    terms: tuple[tuple[Value, float, float], ...]
    gradient: float

    def direct(self, user: Value) -> list[float]:
        """∂user/∂node for each operand of `user` that is the node."""
        return [partial for _, arg, partial in local_derivatives(user) if arg is self.node]

    def passes_unlabeled(self, user: Value, local: float) -> bool:
        """Whether a term's local derivative (∂) includes paths through unlabeled nodes."""
        return _total(self.direct(user)) != local and not math.isnan(local)


def _nodes_above(leaf: Value, order: Sequence[Value]) -> set[Value]:
    """The leaf and all nodes that depend on it."""
    above = {leaf}
    for node in order:
        if any(arg in above for _, arg, _ in local_derivatives(node)):
            above.add(node)
    return above


Prefix: TypeAlias = "tuple[float, tuple[Value, int, Prefix] | None]"
"""The beginning of a path: its product, its last operand, and what came before."""


def _largest_paths(
    order: Sequence[Value], leaf: Value, above: set[Value]
) -> tuple[tuple[Path, ...], int, float]:
    """The paths with the largest products; how many others there are, and their sum.

    Nodes are visited in the order of the backward pass, so all prefixes that end at a node are
    known when it is visited. A prefix that is not among the largest there cannot become one later,
    because all of them are extended by the same factors.
    """
    largest: dict[Value, list[Prefix]] = {order[-1]: [(1.0, None)]}
    others: dict[Value, tuple[int, float]] = {}
    for node in reversed(order):
        if node is leaf:
            break
        if node not in above or node not in largest:
            continue
        prefixes = largest.pop(node)
        n_others, sum_of_others = others.pop(node, (0, 0.0))
        for index, arg, partial in local_derivatives(node):
            if arg in above:
                arrived: list[Prefix] = [(p[0] * partial, (node, index, p)) for p in prefixes]
                ranked = sorted(largest.get(arg, []) + arrived, key=_size, reverse=True)
                largest[arg] = ranked[:PATHS_SHOWN]
                behind = [product for product, _ in ranked[PATHS_SHOWN:]]
                if n_others or behind:
                    count, so_far = others.get(arg, (0, 0.0))
                    terms = [so_far, *([sum_of_others * partial] if n_others else []), *behind]
                    others[arg] = (count + n_others + len(behind), _total(terms))
    paths = tuple(_path(prefix, leaf) for prefix in largest.get(leaf, ()))
    return paths, *others.get(leaf, (0, 0.0))


def _size(prefix: Prefix) -> float:
    return math.inf if math.isnan(prefix[0]) else abs(prefix[0])


def _path(prefix: Prefix, leaf: Value) -> Path:
    product, last = prefix
    edges: list[tuple[Value, int]] = []
    while last is not None:
        node, index, (_, last) = last
        edges.append((node, index))
    edges.reverse()
    return Path(
        nodes=(*(node for node, _ in edges), leaf),
        indices=tuple(index for _, index in edges),
        partials=tuple(p for node, i in edges if (p := node.partials[i]) is not None),
        product=product,
    )


def _links(
    order: Sequence[Value], ends: set[Value], within: set[Value], gradients: dict[Value, float]
) -> tuple[Link, ...]:
    """The gradients of `ends`, those first that are complete first, inner nodes before leaves.

    One sweep from the output: `reached` holds, for each node, the ends above it that lead to it
    without passing another end, and their derivatives with respect to it.
    """
    position = {node: i for i, node in enumerate(order)}
    reached: dict[Value, dict[Value, float]] = {}
    links: list[Link] = []
    for node in reversed(order):
        users = reached.pop(node, {})
        if node is order[-1] or (node in ends and node in gradients):
            terms = sorted(users.items(), key=lambda term: -position[term[0]])
            if terms:
                told = tuple((user, gradients[user], local) for user, local in terms)
                links.append(Link(node, told, gradients[node]))
            users = {node: 1.0}
        for _, arg, partial in local_derivatives(node):
            if arg in within:
                into = reached.setdefault(arg, {})
                for user, derivative in users.items():
                    contribution = derivative * partial
                    into[user] = into[user] + contribution if user in into else contribution

    def completed(link: Link) -> tuple[int, bool, int]:
        first, last = link.terms[0][0], link.terms[-1][0]
        return -position[last], not link.node.args, -position[first]

    return tuple(sorted(links, key=completed))


def _total(terms: Iterable[float]) -> float:
    """The sum, added from left to right."""
    return reduce(add, terms, 0.0)


# --- how it is said -------------------------------------------------------------------------------


class _Written:
    """Prints as text, in Jupyter as formulas."""

    def _blocks(self, notation: Notation) -> Iterator[list[str]]:
        """What there is to say, in blocks of rows."""
        raise NotImplementedError

    def __str__(self) -> str:
        return "\n\n".join(map("\n".join, self._blocks(TEXT)))

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        body = r" \\[1ex] ".join(row for block in self._blocks(LATEX) for row in block)
        return rf"$$\begin{{aligned}} {body} \end{{aligned}}$$"


@dataclass(frozen=True, repr=False)
class Chain(_Written):
    """The backward pass from label to label, in the order in which gradients are computed.

    It prints one gradient a line, with each factor by name and by number, and next to it the value
    that `backward()` computes.

    Attributes:
        output: the Value that is differentiated.
        links: its gradients, from the output backward.
        names: the names of the nodes.
        changed: nodes whose operands have changed since they were recorded.
    """

    output: Value
    links: tuple[Link, ...]
    names: Names = field(compare=False)
    changed: Sequence[Value] = field(default=(), compare=False)

    def _blocks(self, notation: Notation) -> Iterator[list[str]]:
        yield self.rows(notation)
        yield from self.remarks(notation)

    def rows(self, notation: Notation) -> list[str]:
        """One row for each gradient, in aligned columns."""
        name, more = self.names[self.output], len(self.links) - LINKS_SHOWN
        if not self.links:
            return [f"{notation.start}{notation.total(name, name)} = 1"]
        rows = notation.columns([self._row(link, notation) for link in self.links[:LINKS_SHOWN]])
        return rows + [notation.start + notation.words(f"and {more:,} more")] * (more > 0)

    def remarks(self, notation: Notation) -> list[list[str]]:
        """Notes on all rows: what d and ∂ mean, and what has changed since the recording."""
        shown = self.links[:LINKS_SHOWN]
        is_merged = any(
            link.passes_unlabeled(user, local) for link in shown for user, _, local in link.terms
        )
        remarks = [notation.words(TOTAL_AND_LOCAL + MERGED * is_merged)] if shown else []
        if self.changed:
            name = notation.name(self.names[self.changed[0]])
            before = notation.words("An operand of ")
            after = notation.words(f" has changed since: {AS_RECORDED}")
            remarks.append(f"{before}{name}{after}")
        return [[notation.start + remark] for remark in remarks]

    def _row(self, link: Link, notation: Notation) -> tuple[str, str, str]:
        """One row: the gradient's symbol, its terms in symbols and numbers, and its value."""
        output, node = self.names[self.output], self.names[link.node]

        def symbols(term: tuple[Value, float, float]) -> str:
            user, _, partial = term
            local = notation.local(self.names[user], node)
            is_sum = link.direct(user) and link.passes_unlabeled(user, partial)
            if is_sum:
                local = f"{local} + {notation.dots}"
            if user is self.output:  # dL/dL is 1
                return local
            local = f"({local})" if is_sum else local
            return f"{notation.total(output, self.names[user])}{notation.times}{local}"

        def numbers(term: tuple[Value, float, float]) -> str:
            product = notation.product(term[2:] if term[0] is self.output else term[1:])
            return product if term is link.terms[0] else notation.guarded(product)

        right = [
            notation.joined(" + ", link.terms, symbols, TERMS_SHOWN),
            notation.joined(" + ", link.terms, numbers, TERMS_SHOWN),
            notation.number(_total(upstream * local for _, upstream, local in link.terms)),
        ]
        equal = " = ".join(dict.fromkeys(right))
        found = f"{notation.words('backward(): ')}{notation.number(link.gradient)}"
        return notation.total(output, node), equal, found


@dataclass(frozen=True, repr=False)
class Explanation(_Written):
    """dvalue/dleaf as a sum over paths; prints as text, in Jupyter as formulas.

    Attributes:
        value: the Value that is differentiated.
        leaf: with respect to what.
        gradient: dvalue/dleaf as `backward()` finds it.
        paths: the paths with the largest products in magnitude, the largest first.
        left_out: how many other paths there are.
        left_out_sum: the sum of their products.
        chain: the same gradient from label to label.
        names: the names of the nodes.
    """

    value: Value
    leaf: Value
    gradient: float
    paths: tuple[Path, ...]
    left_out: int
    left_out_sum: float
    chain: Chain
    names: Names = field(compare=False)

    @property
    def count(self) -> int:
        """The number of paths from the value to the leaf."""
        return len(self.paths) + self.left_out

    @property
    def sum_over_paths(self) -> float:
        """The sum of all products: the gradient, up to rounding in another order of addition."""
        shown = _total(path.product for path in self.paths)
        return shown + self.left_out_sum if self.left_out else shown

    def _blocks(self, notation: Notation) -> Iterator[list[str]]:
        words, start = notation.words, notation.start
        inner = start + notation.indent
        gradient = notation.number(self.gradient)
        summary = words(f", {self._summary()}")
        yield [f"{self._derivative(notation)}{notation.equals}{gradient}{summary}"]
        for path in self.paths:
            symbols, numbers = self._path(path, notation)
            yield [f"{inner}{symbols}", f"{inner}= {numbers}"]
        if self.left_out:
            yield [f"{inner}{words(f'{self._others()} ')}{notation.number(self.left_out_sum)}"]
        if legend := self._legend(notation):
            yield [f"{start}{words('where ')}{line}" for line in legend]
        if len(self.chain.links) > 1:
            yield [start + words("From each labeled node to the next:")]
            yield self.chain.rows(notation)
        yield from self.chain.remarks(notation)

    def _derivative(self, notation: Notation) -> str:
        return notation.total(self.names[self.value], self.names[self.leaf])

    def _summary(self) -> str:
        if self.count == 0:
            return "because no path leads there"
        if self.count == 1:
            return "the product along the only path:"
        total, gradient = self.sum_over_paths, self.gradient
        rounding = ""
        if math.isnan(total) and not math.isnan(gradient):
            rounding = " (an unselected branch contributes no gradient, even where it is nan)"
        elif total != gradient and not math.isnan(gradient):
            rounding = (
                f" (off by {abs(total - gradient):.1g}, because it is rounded in another order)"
            )
        return f"the sum over {_counted(self.count)} paths{rounding}:"

    def _path(self, path: Path, notation: Notation) -> tuple[str, str]:
        """The product along a path in symbols, and in numbers with its result."""
        if not path.partials:
            return self._derivative(notation), notation.number(path.product)
        edges = list(zip(path.nodes, path.indices, strict=False))  # the leaf has no operand

        def symbol(edge: tuple[Value, int]) -> str:
            return notation.partial(*edge, self.names)

        symbols = notation.joined(notation.times, edges, symbol, FACTORS_SHOWN)
        numbers = notation.product(path.partials, FACTORS_SHOWN)
        product = notation.number(path.product)
        return symbols, numbers if numbers == product else f"{numbers} = {product}"

    def _others(self) -> str:
        paths = "1 other path:" if self.left_out == 1 else f"{_counted(self.left_out)} other paths:"
        return f"and {paths}"

    def _legend(self, notation: Notation) -> list[str]:
        """The formulas of the nodes without labels that the paths mention."""
        mentioned = dict.fromkeys(x for path in self.paths for x in path.nodes[:FACTORS_SHOWN])
        unlabeled = [node for node in mentioned if node.args and not node.label]
        return [
            f"{notation.name(self.names[node])} = {notation.formula(node, self.names)}"
            for node in unlabeled[:LEGEND_SHOWN]
        ]


def _counted(count: int) -> str:
    """A count with its thousands set off; one too long to read in powers of ten."""
    return f"{count:,}" if count < 10**21 else f"about {Decimal(count):.3e}"
