"""Activity analysis: what unselected branches can do to a gradient, before it is computed.

A node of a graph is active if a path of selected edges leads from the output to it; an inactive one
contributes 0 to the gradient, even where its own partial derivative is nan. In a function that is
being compiled it is not known what is selected. But many nodes are active whatever is: over a path
on which nothing selects, or because both arms of a selection lead to them. And many others have
finite partials, so that an upstream gradient of 0 gives 0 by itself. `Activity` finds both; where
neither is known, the gradient has to be recorded with a guard.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Hashable, Iterable, Sequence
from copy import copy
from typing import Any, Generic, TypeAlias, TypeVar

from autograd import primitives
from autograd.derivatives.ranges import SOME, Range, partials_are_finite
from autograd.primitives import Primitive
from autograd.recording import Selection

N = TypeVar("N", bound=Hashable)

Arm: TypeAlias = tuple[Any, int]
"""A selection and one of its two operands: the node is active if that operand is selected."""

MOST_ARMS = 64
"""Of a node below more selections, some are forgotten, lest long chains take quadratic time: a
chain of 4,000 numbers, each of which is selected alone, is lowered in 0.3 s, without it in 4.8."""

TWO_ARMED = {"where", "maximum", "minimum"}
"""The rows that select at least one of their last two operands."""


def derivative_args(row: Any, args: Sequence[Any]) -> list[Any]:
    """The operands with respect to which a row has a derivative."""
    if row.variadic:
        return [x for x in args if type(x) is not float]
    return [x for x, rule in zip(args, row.partials, strict=True) if rule and type(x) is not float]


class Activity(Generic[N]):
    """Which nodes are active whatever is selected, in a sweep from outputs to inputs.

    Args:
        operation: the row of a node and its operands, nodes or floats; None and () of a leaf.
        nodes: selects the operands that matter: no floats, and perhaps no leaves.
        computed: leaves that stand for a number computed elsewhere, which may be infinite.
    """

    def __init__(
        self,
        operation: Callable[[N], tuple[Any, Sequence[Any]]],
        nodes: Callable[[Sequence[Any]], list[Any]],
        computed: Container[N] = (),
    ) -> None:
        self._operation = operation
        self._nodes = nodes
        self._computed = computed
        self._sure: set[N] = set()
        self._arms: dict[Any, set[Arm]] = {}  # a node is active if one of its arms is selected
        self._inactive: list[N] = []  # the visited nodes of which some operand may be inactive
        self._ranges: dict[N, Range] = {}
        self._found: dict[Any, Any] = {}

    def start(self, node: N) -> None:
        """Declare a node active."""
        self._sure.add(node)

    def note(self, node: N) -> None:
        """Note that a partial of the node is multiplied by what an inactive node contributes."""
        self._inactive.append(node)

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
        is_sure = node in self._sure
        if is_sure and not row.chooses:
            self._sure.update(targets)
            return
        self.note(node)
        if not row.chooses:
            for x in targets:
                self._add(x, self._arms.get(node, ()))
        elif row.name in TWO_ARMED:
            # Selections by one condition select alike, if each of them is active itself.
            # A plain number as the condition could not be told from a node that is an int.
            is_condition = row.name == "where" and is_sure and type(args[0]) is not float
            selection = (args[0],) if is_condition else node
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
        """How unselected branches can affect the contributions of the nodes visited."""
        for node in self._inactive:
            row, args = self._operation(node)
            if not isinstance(row, Primitive):  # an operation with several results
                return Selection.NAN
            for x in self._nodes(args):
                self._find_range(x)
            if not self._once(partials_are_finite, row, args):
                return Selection.NAN
        return Selection.FINITE if self._inactive else Selection.NONE

    def _find_range(self, node: N) -> None:
        """Find the range of a node's number, given that inputs and other leaves are finite."""
        known = self._ranges
        stack = [] if node in known else [node]
        while stack:
            x = stack.pop()
            row, args = self._operation(x)
            if not isinstance(row, Primitive):  # a leaf, or an operation with several results
                known[x] = Range(is_finite=row is None and x not in self._computed)
            elif new := [y for y in self._nodes(args) if y not in known]:
                stack += [x, *new]
            else:
                valid = _valid(row, args)
                known[x] = copy(self._once(Range.record, row, valid))  # for it is another number

    def _once(self, function: Callable[..., Any], row: Primitive, args: Sequence[Any]) -> Any:
        """A function of a row and the range of each operand (a number itself), computed once."""
        known, twice = self._ranges, {}
        if len(set(args)) < len(args):  # a leaf that occurs twice is the same number
            leaves = {x for x in args if type(x) is not float and x not in known}
            twice = {x: Range(is_finite=True) for x in leaves}
        operands = [x if type(x) is float else twice.get(x) or known.get(x, SOME) for x in args]
        key = function, row.name, *operands
        if key not in self._found:
            self._found[key] = function(row, operands)
        return self._found[key]


def _valid(row: Primitive, args: Sequence[Any]) -> Sequence[Any]:
    """The operands; of a `where` with a nan, which marks what is invalid, the other arm twice."""
    if row is not primitives.where:
        return args
    arms = [x for x in args[1:] if type(x) is not float or not math.isnan(x)]
    return [args[0], arms[0], arms[-1]] if arms else args
