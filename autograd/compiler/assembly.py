"""Assembly: items become the groups and loops of a `Program`.

Addresses that are affine in the indices get a base and strides, others a lookup table; constants
are placed in the order in which they are read.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np

from autograd.compiler.program import (
    Apply,
    Element,
    Expression,
    Group,
    Integer,
    Item,
    Lookup,
    Loop,
    Reduce,
    Run,
    Term,
    spanned,
)
from autograd.compiler.ragged import Integers
from autograd.compiler.reroll import Items, Roller


class Assembly:
    """Writes items as groups and loops.

    Attributes:
        constants, table: as in `Program`.
    """

    def __init__(self, roller: Roller, numbers: Integers, labels: list[str]) -> None:
        self.roller = roller
        self.numbers = numbers  # at each place where a constant is read
        self.labels = labels  # of each row
        self.constants: array[float] = array("d")
        self.table: array[int] = array("q")
        self._places: dict[tuple[str, bytes], int] = {}

    def items(self, items: Items) -> tuple[Item, ...]:
        """Convert compressed items to groups and loops."""
        out = []
        for key, a, b in zip(items.keys.tolist(), items.start, items.start[1:], strict=False):
            entry = self.roller.entries[key]
            self._counts = iter(entry.counts)
            bases = items.bases[a:b].tolist()
            if entry.structure[0] == "row" and not entry.counts:  # of single numbers
                self._addresses = iter(bases)
            else:
                pairs = zip(bases, entry.relative, strict=True)
                self._addresses = iter([base + x for base, x in pairs])
            out.append(self._item(entry.structure, ()))
        return tuple(out)

    def _item(self, structure: Any, dims: tuple[Integer, ...]) -> Item:
        kind, *rest = structure
        if kind == "row":
            space, form = rest
            label = self._label(next(self._addresses))
            target = self._operand(space)
            assert isinstance(target, Element)
            return Group(dims, target, self._expression(form), label)
        count = self._count()
        (body,) = rest
        if kind == "box":
            return self._item(body[0], (*dims, count))
        return Loop(count, tuple([self._item(part, ()) for part in body]))

    def _label(self, rows: Integers) -> str:
        if not self.labels:
            return ""
        rows = np.asarray(rows)
        ends = rows.flat[0], min(int(rows.flat[-1]), len(self.labels) - 1)
        return spanned([self.labels[row] for row in ends])

    def _expression(self, form: Any) -> Expression:
        if type(form) is str:
            return self._operand(form)
        op, *parts = form
        if op == "Σ":
            first = None if parts[0] is None else self._expression(parts[0])
            return Reduce(first, tuple(map(self._run, parts[1])))
        args = [self._expression(part) for part in parts]
        if op == "dot":
            half = len(args) // 2
            pairs = zip(args[:half], args[half:], strict=True)
            args = [Apply("mul", pair) for pair in pairs]
        if op in ("sum", "dot"):
            total = args[0]
            for term in args[1:]:
                total = Apply("add", (total, term))
            return total
        if op in ("mean", "copy"):  # which the section and the target say
            return args[0]
        return Apply(op.removeprefix("row."), tuple(args))

    def _run(self, classes: Any) -> Run:
        count = self._count()
        terms = []
        for is_negative, *spaces in classes:
            factors: Any = tuple([self._operand(space, False) for space in spaces])
            terms.append(Term(factors, is_negative))
        return Run(count, tuple(terms))

    def _operand(self, space: str, may_be_literal: bool = True) -> Element | float:
        addresses = next(self._addresses)
        if type(addresses) is int:
            if space == "k":
                return float(self.numbers[addresses])
            return Element(space, addresses, ())
        if space == "k":
            return self._constant(addresses, may_be_literal)
        strides = [0] * addresses.ndim
        for axis, extent in enumerate(addresses.shape):
            if extent > 1:
                first, second = addresses.take([0], axis), addresses.take([1], axis)
                step = int(second.flat[0]) - int(first.flat[0])
                shape = [extent if a == axis else 1 for a in range(addresses.ndim)]
                if (addresses == first + step * np.arange(extent).reshape(shape)).all():
                    strides[axis] = step
                    addresses = first
        return Element(space, self._integer(addresses), tuple(strides))

    def _count(self) -> Integer:
        return self._integer(next(self._counts))

    def _integer(self, x: Integers) -> Integer:
        """A constant integer, or a lookup by the indices that it depends on."""
        for axis, extent in enumerate(x.shape):
            if extent > 1 and (x == x.take([0], axis)).all():
                x = x.take([0], axis)
        if x.size == 1:
            return int(x.flat[0])
        strides = _strides(x.shape)
        while not strides[-1]:
            strides.pop()
        return Lookup(self._place(x.astype(np.int64).tobytes(), self.table), tuple(strides))

    def _constant(self, places: Integers, may_be_literal: bool) -> Element | float:
        """A literal if the number is always the same, else an operand that reads constants."""
        bits = self.numbers[places].view(np.int64)
        for axis in range(bits.ndim):
            first = bits.take([0], axis)
            if (bits == first).all():
                bits = first
        if bits.size == 1 and may_be_literal:
            return float(bits.view(np.float64).flat[0])
        place = self._place(bits.tobytes(), self.constants)
        return Element("k", place, tuple(_strides(bits.shape)))

    def _place(self, data: bytes, to: Any) -> int:
        """The position of these numbers in a table; they are appended if they are not in it."""
        key = to.typecode, data
        if key not in self._places:
            self._places[key] = len(to)
            to.frombytes(data)
        return self._places[key]


def _strides(shape: tuple[int, ...]) -> list[int]:
    """The strides of an array in row-major order, 0 where its extent is 1."""
    strides, step = [0] * len(shape), 1
    for axis in reversed(range(len(shape))):
        if shape[axis] > 1:
            strides[axis] = step
        step *= shape[axis]
    return strides
