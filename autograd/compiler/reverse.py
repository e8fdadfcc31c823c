"""The reverse sweep through the columns of a recording: it appends the gradient to them.

It knows no derivative. What an operation contributes to the adjoints of its operands is the
gradient of a graph of one node, which `grad` records once for each kind of operation; the sweep
repeats those operations for every node of the kind. The sums are those of `grad`, in its order.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from autograd import primitives, recording
from autograd.compiler.ragged import combined, distinct, hashes, offsets, ranges
from autograd.compiler.trace import Traced
from autograd.derivatives.activity import Activity
from autograd.derivatives.graph import in_recorded_order, pulled_back
from autograd.primitives import Primitive
from autograd.recording import Selection
from autograd.value import Value

DEPENDS, DATA = 1, 2
"""What the operations of a kind have in common at an operand: DEPENDS, if it depends on an input;
DATA, if it is a constant whose number does not matter; the constant, if it does; otherwise 0."""

OF_DATA = {primitives.add, primitives.sub, primitives.mul, primitives.sum, primitives.dot}
"""The operations whose constants are data: their rules calculate nothing from them."""


@dataclass
class Columns:
    """The operations of a recording. A number counts from the first input, and ~k is `floats[k]`.

    Attributes:
        first: the number of the first operation.
        codes, widths: of each operation its code and the number of its operands.
        args: the operands of all operations.
        floats: the constants.
        code: finds the code of a row on so many operands.
        row_of: the row of each code.
    """

    first: int
    codes: list[int]
    widths: list[int]
    args: list[int]
    floats: list[float]
    code: Callable[[Primitive, int], int]
    row_of: dict[int, Primitive]
    known: dict[Any, int] = field(default_factory=dict)

    def constant(self, x: float) -> int:
        """The number of a constant."""
        key = x, math.copysign(1.0, x)
        if key not in self.known:
            self.known[key] = ~len(self.floats)
            self.floats.append(x)
        return self.known[key]


class Contributions(NamedTuple):
    """The steps that compute the contributions of one kind of operation to its operands' adjoints.

    A place is an index into: the upstream gradient, the node, its operands, the steps before; or
    it is negative, a constant.

    Attributes:
        before: the place of the first step.
        codes, widths, places: of the steps: their codes, how many operands they have, and these.
        results: for each operand with a derivative, which it is and the place of the contribution.
        found: for each node of the kind the number of its first step, its upstream gradient, and
            itself, one after another.
    """

    before: int
    codes: list[int]
    widths: list[int]
    places: list[int]
    results: list[tuple[int, int]]
    found: array[int]


def mark_dependents(marks: list[bool], args: Sequence[int], widths: Iterable[int]) -> None:
    """Append for each operation whether it is applied to a marked number; constants are not."""
    end = 0
    for width in widths:
        start, end = end, end + width
        for arg in args[start:end]:
            if arg >= 0 and marks[arg]:
                marks.append(True)
                break
        else:
            marks.append(False)


class ReverseSweep:
    """The adjoints of an output's operands.

    Attributes:
        adjoints: the number of the adjoint of each input; a constant if there is none.
        selection: how unselected branches can affect them.
        op, count, args: the operations to append: their codes, numbers of operands, and operands.
    """

    def __init__(self, x: Columns, output: int, inputs: Sequence[int]) -> None:
        self.x = x
        self.n = self._end = x.first + len(x.codes)
        self._depends = [False] * x.first
        for node in inputs:
            self._depends[node] = True
        mark_dependents(self._depends, x.args, x.widths)
        self._ends = offsets(np.array(x.widths, np.int64)).tolist()
        self._of_data = {code for code, row in x.row_of.items() if row in OF_DATA}
        self._kinds: list[dict[Any, Contributions]] = []  # by pattern and upstream gradient
        self._sums: list[tuple[int, list[int]]] = []
        self._terms: list[Any] = [None] * self.n  # of each number a term, or a list of several
        if output >= 0 and self._depends[output]:
            self._terms[output] = x.constant(1.0)
        self.selection = self._sweep(output)
        adjoints = {node: self._sum(self._terms[node]) for node in reversed(inputs)}
        self.adjoints = [adjoints[node] for node in inputs]
        self._write()

    def _patterns(self) -> list[int]:
        """A number for each operation, the same for operations of one kind.

        These have the same code and constants, and the same operands of them depend on an input.
        Constants that are added or multiplied may differ.
        """
        args, depends = np.array(self.x.args, np.int64), np.array(self._depends, np.int64)
        codes = np.array(self.x.codes, np.int64)
        constants = np.where(
            np.repeat(np.isin(codes, list(self._of_data)), self.x.widths), DATA, args
        )
        given = np.where(args < 0, constants, depends[np.maximum(args, 0)])
        of_operands = distinct(hashes(given, np.array(self._ends)))[1]
        pattern = distinct(combined(of_operands, codes))[1]
        self._kinds += [{} for _ in range(int(pattern.max(initial=-1)) + 1)]
        found: list[int] = pattern.tolist()
        return found

    def _sweep(self, output: int) -> Selection:
        """Go from the last operation to the first."""
        x, terms, ends, kinds = self.x, self._terms, self._ends, self._kinds
        pattern = self._patterns()
        depends, args, codes, first = self._depends, x.args, x.codes, x.first
        activity = Activity(self._operation, self._operations)
        activity.start(output)
        selects = any(x.row_of[code].chooses for code in set(codes))
        one = x.constant(1.0)
        for node in range(self.n - 1, first - 1, -1):
            upstream = terms[node]
            if upstream is None:
                continue
            if type(upstream) is list:
                upstream = self._sum(upstream)
            terms[node] = None
            at = node - first
            start = ends[at]
            if upstream >= 0:
                key: Any = None
            elif upstream == one:
                key = one
            else:
                key = upstream, *[arg for arg in args[start : ends[at + 1]] if arg < 0]
            known = kinds[pattern[at]].get(key)
            if known is None:
                is_data = (upstream >= 0 or upstream == one) and codes[at] in self._of_data
                given = [
                    depends[arg] if arg >= 0 else DATA if is_data else arg
                    for arg in args[start : ends[at + 1]]
                ]
                known = _contributions(x, codes[at], min(upstream, 0), given)
                kinds[pattern[at]][key] = known
            base = self._end
            known.found.extend((base, upstream, node))
            self._end += len(known.codes)
            for i, place in known.results:
                operand = args[start + i]
                if place >= known.before:
                    term = base + place - known.before
                elif place <= 0:
                    term = place or upstream
                else:
                    term = node if place == 1 else args[start + place - 2]
                others = terms[operand]
                if others is None:
                    terms[operand] = term
                elif type(others) is int:
                    terms[operand] = [others, term]
                else:
                    others.append(term)
            if selects:
                activity.visit(node)
        return activity.selection()

    def _operation(self, node: int) -> tuple[Primitive | None, Sequence[float]]:
        """The row of an operation and its operands, constants as floats; None and () of another."""
        x, at = self.x, node - self.x.first
        if at < 0:
            return None, ()
        args: list[Any] = x.args[self._ends[at] : self._ends[at + 1]]
        if min(args, default=0) < 0:
            args = [arg if arg >= 0 else x.floats[~arg] for arg in args]
        return x.row_of[x.codes[at]], args

    def _operations(self, args: Sequence[float]) -> list[float]:
        """The operands that are results of operations."""
        first = self.x.first
        return [arg for arg in args if type(arg) is int and arg >= first]

    def _sum(self, terms: Any) -> int:
        """The sum of the terms of a number."""
        x = self.x
        if terms is None:
            return x.constant(0.0)
        if type(terms) is int:
            return terms
        if max(terms) < 0:
            return x.constant(primitives.sum(*[x.floats[~term] for term in terms]))
        self._sums.append((self._end, terms))
        self._end += 1
        return self._end - 1

    def _write(self) -> None:
        """The columns of what is appended."""
        x, n, size = self.x, self.n, self._end - self.n
        self.op = np.full(size, x.code(primitives.sum, 0))
        self.count = np.empty(size, np.int64)
        places = np.array([number - n for number, _ in self._sums], np.int64)
        lengths = np.array([len(terms) for _, terms in self._sums], np.int64)
        self.count[places] = lengths
        kinds = [known for kinds in self._kinds for known in kinds.values() if known.codes]
        found = [np.frombuffer(known.found, np.int64).reshape(-1, 3) for known in kinds]
        for known, rows in zip(kinds, found, strict=True):
            steps = rows[:, :1] - n + np.arange(len(known.codes))
            self.op[steps], self.count[steps] = known.codes, known.widths
        start = offsets(self.count)
        self.args = np.empty(start[-1], np.int64)
        self.args[ranges(start[places], lengths)] = [x for _, terms in self._sums for x in terms]
        forward, ends = np.array(x.args, np.int64), np.array(self._ends)
        for known, rows in zip(kinds, found, strict=True):
            node = rows[0, 2] - x.first
            operands = np.arange(ends[node + 1] - ends[node])
            starts = ends[rows[:, 2] - x.first]
            values = [
                rows[:, 1:],
                forward[starts[:, None] + operands],
                rows[:, :1] + np.arange(len(known.codes)),
            ]
            place = np.array(known.places)
            own = np.where(
                place < 0, place, np.concatenate(values, axis=1)[:, np.maximum(place, 0)]
            )
            self.args[start[rows[:, :1] - n] + np.arange(len(place))] = own


def _contributions(x: Columns, code: int, upstream_kind: int, kinds: list[int]) -> Contributions:
    """The contributions of a kind of operation, given which of its numbers are constants.

    Args:
        upstream_kind: the upstream gradient if it is a constant, else 0.
        kinds: what is known of each operand (see `DEPENDS`).
    """
    row = x.row_of[code]
    with recording.tracing():
        given: list[Any] = [Traced() if k >= 0 else x.floats[~k] for k in (upstream_kind, *kinds)]
        upstream, *operands = given
        node = Traced.record(row, operands)
        active = [i for i, k in enumerate(kinds) if k == DEPENDS]
        found = pulled_back([(node, upstream, 1.0)], [operands[i] for i in active])
    values: list[Any] = [upstream, node, *operands]
    places = {value: place for place, value in enumerate(values) if isinstance(value, Value)}
    codes: list[int] = []
    args: list[list[int]] = []

    def place(value: Any) -> int:
        return places[value] if isinstance(value, Value) else x.constant(value)

    results = [adjoint for adjoint, _ in found]
    for value in in_recorded_order([y for y in results if y is not None], places):
        if value in places:
            continue
        own = [place(arg) for arg in value.args]
        if value.op == "sum" and len(own) == 1:
            places[value] = own[0]
            continue
        places[value] = len(values) + len(codes)
        assert value.primitive is not None
        codes.append(x.code(value.primitive, len(own)))
        args.append(own)
    return Contributions(
        len(values),
        codes,
        [len(own) for own in args],
        [p for own in args for p in own],
        [(i, place(y)) for i, y in zip(active, results, strict=True) if y is not None],
        array("q"),
    )
