"""From flat groups to a `Program`: expressions, tables and constants in their final places."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

from autograd.compiler.folding import Flat, Table
from autograd.compiler.program import (
    Apply,
    Expression,
    Group,
    Integer,
    Item,
    Lookup,
    Loop,
    Operand,
    Program,
    Reduce,
    Run,
    Term,
)
from autograd.compiler.trace import Listing


def assembled(
    listing: Listing, sections: list[list[Flat]], constants: array[float], sizes: dict[str, int]
) -> Program:
    """The program of these sections."""
    layout = _Layout(constants)
    once, each, means, after = (tuple(map(layout.item, flats)) for flats in sections)
    return Program(
        tuple(listing.inputs),
        tuple(listing.leaves),
        listing.is_batch,
        once,
        each,
        means,
        after,
        constants=layout.constants,
        table=layout.table,
        sizes=sizes | {"k": len(layout.constants)},
        key=listing.key,
    )


class _Layout:
    def __init__(self, constants: array[float]) -> None:
        self.read_constants = constants
        self.constants: array[float] = array("d")
        self.table: array[int] = array("q")
        self._places: dict[tuple[int, ...], int] = {}
        self._blocks: dict[bytes, int] = {}
        self._extents: list[Any] = []  # of the indices, where we are

    def item(self, flat: Flat) -> Item:
        """A group or loop as it stands in a program."""
        self._ints = iter(flat.ints)
        self._labels = iter(flat.labels)
        return self._item(flat.shape)

    def _item(self, shape: Any) -> Item:
        if shape[0] == "loop":
            count = next(self._ints)
            self._extents.append(count)
            body = tuple([self._item(part) for part in shape[1]])
            self._extents.pop()
            return Loop(self._integer(count), body)
        _, n_dims, space, form, runs = shape
        dims = [next(self._ints) for _ in range(n_dims)]
        self._extents += dims
        target = self._operand(space)
        expression = self._expression(form, iter(runs))
        if n_dims:
            del self._extents[-n_dims:]
        assert isinstance(target, Operand)
        return Group(tuple(map(self._integer, dims)), target, expression, next(self._labels))

    def _expression(self, form: Any, runs: Iterator[Any]) -> Expression:
        if isinstance(form, str):
            return self._operand(form)
        op, *parts = form
        if op != "Σ":
            return Apply(
                op.removeprefix("row."), tuple([self._expression(part, runs) for part in parts])
            )
        first = None if parts[0] is None else self._expression(parts[0], runs)
        return Reduce(first, tuple([self._run(period, terms) for period, terms in next(runs)]))

    def _run(self, period: int, classes: Any) -> Run:
        count = next(self._ints)
        self._extents.append(count)
        terms = []
        for is_negative, *spaces in classes:
            factors = tuple([self._operand(space, False) for space in spaces])
            terms.append(Term(factors, is_negative))  # type: ignore[arg-type]
        self._extents.pop()
        return Run(self._integer(count), tuple(terms))

    def _operand(self, space: str, may_be_literal: bool = True) -> Operand | float:
        base, table = next(self._ints), next(self._ints)
        strides = [next(self._ints) for _ in self._extents]
        if space == "k":
            return self._constant(base, table, strides, may_be_literal)
        return Operand(space, self._address(base, table), tuple(map(self._integer, strides)))

    def _address(self, base: int, table: Any) -> Integer:
        if table == 0:
            return base
        values = tuple([x + base for x in table.values])
        return self._integer(Table(values, table.strides, table.offsets))

    def _integer(self, x: Any) -> Integer:
        if isinstance(x, int):
            return x
        at = self._places.get(x.values)
        if at is None:
            at = self._places[x.values] = len(self.table)
            self.table.extend(x.values)
        if x.offsets is None:
            return Lookup(at, x.strides)
        offsets = Table(
            tuple([o + at for o in x.offsets.values]), x.offsets.strides, x.offsets.offsets
        )
        return Lookup(self._integer(offsets), x.strides)

    # --- constants --------------------------------------------------------------------------------

    def _constant(
        self, base: int, table: Any, strides: list[Any], may_be_literal: bool
    ) -> Operand | float:
        """A literal if it is always the same number; else data in the order in which it is read."""
        is_affine = table == 0 and all(isinstance(x, int) for x in (*strides, *self._extents))
        at = [base]
        if is_affine:
            for extent, stride in zip(self._extents, strides, strict=True):
                at = [a + stride * i for a in at for i in range(extent)] if stride else at
        else:
            at = [base + x for x in _offsets(table, strides, self._extents)]
        numbers = array("d", [self.read_constants[a] for a in at])
        if not numbers:
            return Operand("k", 0, tuple([0] * len(strides)))
        if numbers.tobytes() == numbers[:1].tobytes() * len(numbers):
            if may_be_literal:
                return numbers[0]
            return Operand("k", self._block(numbers[:1]), tuple([0] * len(strides)))
        if not is_affine:
            low, high = min(at), max(at)
            start = self._block(self.read_constants[low : high + 1])
            return Operand(
                "k",
                self._address(base + start - low, table),
                tuple(map(self._integer, strides)),
            )
        extents = [e if s else 1 for e, s in zip(self._extents, strides, strict=True)]
        kept = [True] * len(extents)
        inner = len(numbers)
        for d, extent in enumerate(extents):
            inner //= extent
            bits, size = numbers.tobytes(), 8 * inner
            turns = [bits[i : i + size] for i in range(0, len(bits), size)]
            if extent > 1 and all(
                turns[i] == turns[i - i % extent] for i in range(len(turns))
            ):  # the same along this index
                numbers = array("d", b"".join(turns[::extent]))
                kept[d] = False
            kept[d] = kept[d] and extent > 1
        new, step = [0] * len(extents), 1
        for d in reversed(range(len(extents))):
            if kept[d]:
                new[d] = step
                step *= extents[d]
        return Operand("k", self._block(numbers), tuple(new))

    def _block(self, numbers: array[float]) -> int:
        """Where these numbers stand, one after the other."""
        bits = numbers.tobytes()
        if bits not in self._blocks:
            self._blocks[bits] = len(self.constants)
            self.constants += numbers
        return self._blocks[bits]


def _offsets(table: Any, strides: list[Any], extents: list[Any]) -> Iterator[int]:
    """All values of table + Σ stride·index; an index's extent may depend on those before."""

    def number(x: Any, index: tuple[int, ...]) -> int:
        if isinstance(x, int):
            return x
        at = 0 if x.offsets is None else number(x.offsets, index)
        return int(x.values[at + sum(s * i for s, i in zip(x.strides, index, strict=False))])

    def visit(index: tuple[int, ...]) -> Iterator[int]:
        if len(index) == len(extents):
            steps = sum(number(s, index) * i for s, i in zip(strides, index, strict=True))
            yield number(table, index) + steps
        else:
            for i in range(number(extents[len(index)], index)):
                yield from visit((*index, i))

    return visit(())
