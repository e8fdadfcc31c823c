"""Sparse Hessians by edge pushing: the structural nonzeros of the lower triangle.

R. M. Gower and M. P. Mello, A new framework for the computation of Hessians, Optimization Methods
and Software 27(2), 2012. A reverse sweep carries, beside the adjoint of each node, the second
derivatives of the output with respect to pairs of nodes that are known so far, as weighted edges
between the two. When the sweep reaches a node, the edges at it are pushed to its operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement

from autograd.derivatives.elimination import jacobian_entries
from autograd.derivatives.graph import grad, nodes_since
from autograd.derivatives.sparse_graph import ActiveGraph
from autograd.derivatives.terms import Entries, Term, Terms
from autograd.value import Operand, Value


def hessian_entries(
    output: Operand, inputs: Sequence[Value], graph: ActiveGraph | None = None
) -> Entries:
    """The structural nonzeros of the lower half of the Hessian of a Value, or of a number.

    Args:
        graph: the graph of the inputs, if one is shared.
    """
    if not isinstance(output, Value):
        return []
    rows = {x.primitive for x in nodes_since([output], inputs)}
    if all(row is None or row.is_local for row in rows):
        return _Sweep(output, graph or ActiveGraph(inputs)).entries(inputs)
    # Edge pushing needs second partials of each node alone: take the Jacobian of the gradient.
    return [(i, j, x) for i, j, x in jacobian_entries(grad(output, inputs), inputs) if j <= i]


class _Sweep:
    """The reverse sweep over a graph (see the module's docstring).

    Attributes:
        rank: the position of each active node in the sweep; inputs are the lowest, so that an edge
            is pushed until both of its ends are inputs.
        adjoints: the contributions to the adjoint of each node.
        edges: the contributions to each edge, as `edges[later node][earlier node]`.
    """

    def __init__(self, output: Value, graph: ActiveGraph) -> None:
        [distinct], self.rank = graph.behind([output])
        inner = list(self.rank)[len(graph.inputs) :]
        self.terms = Terms(graph.record)
        self.adjoints: dict[Value, list[Term]] = {distinct: [Term(1.0)]}
        self.edges: dict[Value, dict[Value, list[Term]]] = {}
        for node in reversed(inner):
            if node in self.adjoints:
                local = graph.local(node)
                adjoint = self.terms.total(self.adjoints.pop(node))
                self.push_edges(node, local.first)
                for a, b, second in local.second(jacobian_entries):
                    self.add_edge(a, b, self.terms.product(adjoint, Term(second)))
                for a, partial in local.first.items():
                    contribution = self.terms.product(adjoint, partial)
                    self.adjoints.setdefault(a, []).append(contribution)

    def add_edge(self, a: Value, b: Value, term: Term) -> None:
        """Add a term to d²output/(da db)."""
        if self.rank[a] < self.rank[b]:
            a, b = b, a
        self.edges.setdefault(a, {}).setdefault(b, []).append(term)

    def push_edges(self, node: Value, partials: dict[Value, Term]) -> None:
        """Move the edges at a node to its operands."""
        product = self.terms.product
        for other, contributions in self.edges.pop(node, {}).items():
            weight = self.terms.total(contributions)
            pushed = {a: product(weight, partial) for a, partial in partials.items()}
            if other is node:
                for a, b in combinations_with_replacement(partials, 2):
                    self.add_edge(a, b, product(pushed[a], partials[b]))
            else:
                for a, term in pushed.items():  # an edge from a node to itself is there and back
                    self.add_edge(a, other, product(Term(2.0), term) if a is other else term)

    def entries(self, inputs: Sequence[Value]) -> Entries:
        """The edges between inputs, sorted."""
        index, found = {x: i for i, x in enumerate(inputs)}, {}
        for a, row in self.edges.items():
            for b, contributions in row.items():
                i, j = index[a], index[b]
                found[max(i, j), min(i, j)] = contributions
        return self.terms.entries(found)
