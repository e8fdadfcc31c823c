"""Activity before the numbers are known: what unselected branches can do to a gradient.

A node of a graph is active if a path of selected edges leads from the output to it; an inactive one
contributes 0 to the gradient, even where its own partial derivative is nan. In a function that is
being compiled it is not known what is selected. But many nodes are active whatever is: over a path
on which nothing selects, or because both arms of a selection lead to them. And many others have
finite partials, so that an upstream gradient of 0 gives 0 by itself. `Activity` finds both; where
neither is known, the gradient has to be recorded with a guard.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from autograd.operators import CONDITIONS
from autograd.recording import Selection

N = TypeVar("N", bound=Hashable)

Arm: TypeAlias = tuple[Any, int]
"""A selection and one of its two operands: the node is active if that operand is selected."""

MOST_ARMS = 64
"""Of a node below more selections, some are forgotten, lest long chains take quadratic time: a chain
of 4,000 numbers, each of which is selected alone, is lowered in 0.3 s, and in 4.8 s without."""

FINITE = {
    *("add", "sub", "mul", "neg", "sum", "dot", "abs", "where", "maximum", "minimum", "relu"),
    *("clip", "sin", "cos", "atan", "tanh", "sech2", "sigmoid", "logistic_pdf", "asinh", "bell"),
    *("erf", "erfc", "norm_pdf", "norm_cdf", "softplus", "log_sigmoid", "logaddexp"),
}
"""The rows whose partials are finite wherever their operands are, unless they overflow."""

LINEAR = {"add", "sub", "neg", "sum", "abs", "where", "maximum", "minimum", "relu", "clip"}
"""Those of them whose partials are finite whatever the operands are."""

FINITE_VALUES = FINITE | {"exp", "hypot", "stop_gradient"}
"""The rows whose values are finite wherever their operands are, unless they overflow."""

POSITIVE = {"div": 1, "log": 0, "log2": 0, "log10": 0, "sqrt": 0, "pow": 0}
"""The rows whose partials are finite where one operand is positive, and which operand that is."""

TWO_ARMED = {"where", "maximum", "minimum"}
"""The rows that select at least one of their last two operands."""


def derivative_args(row: Any, args: Sequence[Any]) -> list[Any]:
    """The operands with respect to which a row has a derivative."""
    if row.variadic:
        return [x for x in args if type(x) is not float]
    return [x for x, rule in zip(args, row.partials, strict=True) if rule and type(x) is not float]


def _lowest_power(args: Sequence[Any], low: Sequence[float]) -> float:
    is_even = type(args[1]) is float and args[1] % 2.0 == 0.0
    return 0.0 if is_even or low[0] >= 0.0 else -math.inf


def _lowest_product(args: Sequence[Any], low: Sequence[float]) -> float:
    x, y = args
    if type(x) is type(y) and x == y:
        return 0.0
    return low[0] * low[1] if min(low) >= 0.0 else -math.inf


def _lowest_dot(args: Sequence[Any], low: Sequence[float]) -> float:
    half = len(args) // 2
    pairs = zip(args[:half], args[half:], low[:half], low[half:], strict=True)
    return builtins.sum(_lowest_product((x, y), (a, b)) for x, y, a, b in pairs)


LOWEST: dict[str, Callable[[Sequence[Any], Sequence[float]], float]] = {
    "add": lambda args, low: builtins.sum(low),
    "sum": lambda args, low: builtins.sum(low),
    "mul": _lowest_product,
    "dot": _lowest_dot,
    "div": lambda args, low: 0.0 if min(low) >= 0.0 else -math.inf,
    "pow": _lowest_power,
    "where": lambda args, low: min(low[1:]),
    "maximum": lambda args, low: max(low),
    "minimum": lambda args, low: min(low),
    "relu": lambda args, low: max(low[0], 0.0),
    "sqrt": lambda args, low: math.sqrt(max(low[0], 0.0)),
    "stop_gradient": lambda args, low: low[0],
    **dict.fromkeys(["abs", "exp", "hypot", "sigmoid", "softplus"], lambda args, low: 0.0),
}
"""Of rows, a lower bound of the result from the operands and their lower bounds."""


class Activity(Generic[N]):
    """Which nodes are active whatever is selected, in a sweep from outputs to inputs.

    Args:
        operation: the row of a node and its operands, nodes or floats; None and () of a leaf.
        nodes: those of several operands that matter: no floats, and perhaps no leaves.
    """

    def __init__(
        self,
        operation: Callable[[N], tuple[Any, Sequence[Any]]],
        nodes: Callable[[Sequence[Any]], list[Any]],
    ) -> None:
        self._operation = operation
        self._nodes = nodes
        self._sure: set[N] = set()
        self._arms: dict[
            Any, set[Arm]
        ] = {}  # another node is active if one of its arms is selected
        self._visited: set[N] = set()
        self._inactive: list[N] = []  # those of them of which some operand may be inactive
        self._lowest: dict[N, float] = {}

    def start(self, node: N) -> None:
        """Declare a node active."""
        self._sure.add(node)

    def is_sure(self, node: N) -> bool:
        """Whether the node is active whatever is selected; its users must have been visited."""
        return node in self._sure

    def visit(self, node: N) -> None:
        """Pass the activity of a node on to its operands; users are visited before operands."""
        row, args = self._operation(node)
        given = args if row.variadic else derivative_args(row, args)
        if not given:
            return
        targets = self._nodes(given)
        self._visited.add(node)
        is_sure = node in self._sure
        if is_sure and not row.chooses:
            self._sure.update(targets)
            return
        self._inactive.append(node)
        if not row.chooses:
            for x in targets:
                self._add(x, self._arms.get(node, ()))
        elif row.name in TWO_ARMED:
            # Selections by one condition select alike, if each of them is active itself.
            selection = (args[0],) if row.name == "where" and is_sure else node
            for i, x in enumerate(args[-2:]):
                for target in self._nodes([x]):
                    self._add(target, [(selection, i)])

    def _add(self, node: N, arms: Iterable[Arm]) -> None:
        """Note that a node is active if one of these arms is selected."""
        own = self._arms.setdefault(node, set())
        new = list(arms)
        while new and node not in self._sure:
            selection, i = arm = new.pop()
            if arm not in own and len(own) < MOST_ARMS:
                own.add(arm)
                if (selection, 1 - i) in own:  # it is active if the selection itself is
                    if type(selection) is tuple or selection in self._sure:
                        self._sure.add(node)
                    new += self._arms.get(selection, ())

    def selection(self) -> Selection:
        """What unselected branches can do to the contributions of the nodes visited."""
        found = set(self._visited)  # each of these is active, or looked at here
        stack: list[N] = []

        def are_finite(args: Sequence[Any]) -> bool:
            new = set(self._nodes(args)) - found
            found.update(new)
            stack.extend(new)
            return all(math.isfinite(x) for x in args if type(x) is float)

        for node in self._inactive:
            row, args = self._operation(node)
            if not self._is_finite(row, args, FINITE):
                return Selection.NAN
            if node not in self._sure:
                own = [x for x in args if type(x) is float] if row.name in LINEAR else args
                if not are_finite(own):
                    return Selection.NAN
        while stack:  # operands that are not differentiated
            row, args = self._operation(stack.pop())
            if row is None or row.name in CONDITIONS:
                continue
            if not (self._is_finite(row, args, FINITE_VALUES) and are_finite(args)):
                return Selection.NAN
        return Selection.FINITE if self._inactive else Selection.NONE

    def _is_finite(self, row: Any, args: Sequence[Any], rows: Collection[str]) -> bool:
        """Whether partials (or values) are finite if the operands are, and nothing overflows.

        Args:
            rows: those whose are.
        """
        if row.name == "pow" and type(y := args[1]) is float and y >= 1.0 and y.is_integer():
            return True
        if row.name in POSITIVE:
            x = args[POSITIVE[row.name]]
            is_negative = row.name == "div" and type(x) is float and x < 0.0
            return is_negative or self.lowest(x) > 0.0
        return row.name in rows

    def lowest(self, x: N | float) -> float:
        """A lower bound of a node's number, unless that is nan; -inf if none is known."""
        known = self._lowest
        stack: list[Any] = [x]
        while stack:
            node = stack[-1]
            if type(node) is float or node in known:
                stack.pop()
                continue
            row, args = self._operation(node)
            rule = None if row is None else LOWEST.get(row.name)
            if rule is None:
                known[node] = -math.inf
                continue
            unknown = [y for y in args if type(y) is not float and y not in known]
            if unknown:
                stack += unknown
            else:
                bound = rule(args, [y if type(y) is float else known[y] for y in args])
                known[node] = -math.inf if math.isnan(bound) else bound
        return x if type(x) is float else known[x]  # type: ignore[index]
