"""A Jacobian by vertex elimination, structural nonzeros only.

The graph between inputs and outputs is one of edges with partials. To eliminate a node is to
replace the paths through it by edges past it: the product of the two edges is added to the edge
from each predecessor to each successor. When no inner node is left, the edges are the Jacobian.
From the outputs backwards this is reverse mode, from the inputs forwards it is forward mode; here
the node that costs the fewest multiplications is next (H. M. Markowitz's rule; A. Griewank and
S. Reese, On the calculation of Jacobian matrices by the Markowitz rule, SIAM, 1991), and of equal
ones the latest.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from autograd.derivatives.active import active_nodes
from autograd.derivatives.edge_pushing import Entries
from autograd.derivatives.local import LocalDerivatives
from autograd.derivatives.terms import Factor, Term, Terms, is_number
from autograd.value import Value


def jacobian_entries(outputs: Sequence[Factor], inputs: Sequence[Value]) -> Entries:
    """The structural nonzeros of the derivatives of Values (or numbers), row by row."""
    graph = _Elimination(outputs, inputs)
    graph.eliminate()
    return graph.entries(inputs)


class _Elimination:
    """The graph of partials.

    Attributes:
        before: of each node, and of each row of the Jacobian (an int), the contributions to the
            edge from each predecessor.
        after: the successors of each node.
    """

    def __init__(self, outputs: Sequence[Factor], inputs: Sequence[Value]) -> None:
        order = active_nodes(outputs, inputs)
        self.n_outputs = len(outputs)
        self.rank = {x: i for i, x in enumerate(order)}
        self.terms = Terms()
        self.before: dict[Any, dict[Value, list[Term]]] = {}
        self.after: dict[Value, dict[Any, None]] = {x: {} for x in order}
        self.inner = order[len(inputs) :]
        derivatives = LocalDerivatives()
        for node in self.inner:
            partials = derivatives.of(node, self.rank).first
            self.before[node] = {arg: [term] for arg, term in partials.items()}
            for arg in partials:
                self.after[arg][node] = None
        for i, y in enumerate(outputs):
            self.before[i] = {y: [Term(1.0)]} if isinstance(y, Value) and y in self.rank else {}
            for x in self.before[i]:
                self.after[x][i] = None

    def eliminate(self) -> None:
        """Eliminate all inner nodes."""
        rank, cost = self.rank, {x: self.cost(x) for x in self.inner}
        heap = [(cost[x], -rank[x], x) for x in self.inner]
        heapq.heapify(heap)
        while heap:
            expected, _, node = heapq.heappop(heap)
            if cost.get(node) != expected:
                continue  # done, or put in again
            del cost[node]
            for neighbor in self.remove(node):
                if neighbor in cost and (new := self.cost(neighbor)) != cost[neighbor]:
                    cost[neighbor] = new
                    heapq.heappush(heap, (new, -rank[neighbor], neighbor))

    def remove(self, node: Value) -> list[Any]:
        """Replace the paths through a node by edges past it; returns the nodes at their ends."""
        product, total = self.terms.product, self.terms.total
        before, after = self.before.pop(node), self.after.pop(node)
        factors = {x: total(contributions) for x, contributions in before.items()}
        for y in after:
            row = self.before[y]
            factor = total(row.pop(node))
            for x, inner in factors.items():
                row.setdefault(x, []).append(product(factor, inner))
                self.after[x][y] = None
        for x in factors:
            del self.after[x][node]
        return [*factors, *after]

    def cost(self, node: Value) -> int:
        """How many multiplications it takes to eliminate a node."""
        before = sum(map(_is_factor, self.before[node].values()))
        after = sum(_is_factor(self.before[y][node]) for y in self.after[node])
        return before * after

    def entries(self, inputs: Sequence[Value]) -> Entries:
        """The edges from inputs to outputs, sorted."""
        index = {x: i for i, x in enumerate(inputs)}
        found: Entries = []
        for i in range(self.n_outputs):
            row = self.before[i]
            for x in sorted(row, key=index.__getitem__):
                value = self.terms.number(self.terms.total(row[x]))
                if not is_number(value, 0.0):
                    found.append((i, index[x], value))
        return found


def _is_factor(contributions: list[Term]) -> bool:
    """Whether it takes a multiplication."""
    value = contributions[0].value
    return len(contributions) > 1 or not (type(value) is float and value in (1.0, -1.0))
