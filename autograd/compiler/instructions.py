"""Instructions of LLVM IR, written one after another: on integers, on float64s, in loops.

An instruction works on one float64, or on one for each lane of a vector. What was computed before
on the same operands is not computed again.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeAlias

from llvmlite import ir

DOUBLE, I64, POINTER = ir.DoubleType(), ir.IntType(64), ir.PointerType()

Index: TypeAlias = "int | ir.Value"
"""An integer: an int where it is known when the code is written."""

Numbers: TypeAlias = ir.Value
"""A float64, or a vector of them."""


@cache
def vector(kind: ir.Type, lanes: int) -> ir.Type:
    """The type of that many lanes."""
    return ir.VectorType(kind, lanes) if lanes > 1 else kind


@cache
def constant(kind: ir.Type, text: str, lanes: int = 1) -> ir.Constant:
    """A constant in every lane, given as LLVM writes it."""
    written = ir.FormattedConstant(vector(kind, lanes), text)
    if lanes > 1:
        text = text if text == POISON else f"splat ({kind} {text})"
        written.constant = text  # not one for each lane
    return written


POISON = "poison"
"""What a lane is until it is written."""


@cache
def mask(lanes: tuple[int, ...]) -> ir.Constant:
    """Which lanes to take."""
    i32 = ir.IntType(32)
    return ir.Constant(ir.VectorType(i32, len(lanes)), [ir.Constant(i32, i) for i in lanes])


class Code:
    """Writes the instructions of one function.

    Attributes:
        lanes: how many float64s an instruction works on.
        arguments: the function's arguments by their names.
    """

    def __init__(
        self, module: ir.Module, name: str, arguments: dict[str, ir.Type], lanes: int = 1
    ) -> None:
        kind = ir.FunctionType(ir.VoidType(), list(arguments.values()))
        self.function = ir.Function(module, kind, name)
        self.lanes = lanes
        self.arguments = dict(zip(arguments, self.function.args, strict=True))
        for label, argument in self.arguments.items():
            argument.name = label
        self.write = ir.IRBuilder(self.function.append_basic_block("begin"))
        self._known: dict[tuple[object, ...], Any] = {}
        self._truths: dict[int, ir.Value] = {}

    @property
    def type(self) -> ir.Type:
        """Of what the instructions work on."""
        return vector(DOUBLE, self.lanes)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """What is computed inside is forgotten afterwards: memory may change, or a block end."""
        known = self._known
        self._known = dict(known)
        yield
        self._known = known

    def once(self, *key: object, write: Callable[[], Any]) -> Any:
        """The result of `write`, which is asked only if the key is not known yet."""
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = write()
        return found

    # --- integers

    def integer(self, x: Index) -> ir.Value:
        """As an operand."""
        return constant(I64, str(x)) if isinstance(x, int) else x

    def plus(self, x: Index, y: Index) -> Index:
        """x + y."""
        if isinstance(x, int) and isinstance(y, int):
            return x + y
        if x == 0 or y == 0:
            return y if x == 0 else x
        a, b = self.integer(x), self.integer(y)
        return self.once("plus", id(a), id(b), write=lambda: self.write.add(a, b))

    def minus(self, x: Index, y: Index) -> Index:
        """x - y."""
        if isinstance(x, int) and isinstance(y, int):
            return x - y
        return self.write.sub(self.integer(x), self.integer(y))

    def times(self, x: Index, y: Index) -> Index:
        """x · y."""
        if isinstance(x, int) and isinstance(y, int):
            return x * y
        if x == 0 or y == 0:
            return 0
        if x == 1 or y == 1:
            return y if x == 1 else x
        a, b = self.integer(x), self.integer(y)
        return self.once("times", id(a), id(b), write=lambda: self.write.mul(a, b))

    def less(self, x: Index, y: Index) -> ir.Value:
        """Whether x < y, of numbers that are not negative."""
        return self.write.icmp_unsigned("<", self.integer(x), self.integer(y))

    def smaller(self, x: Index, y: Index) -> ir.Value:
        """The smaller of two."""
        return self.write.select(self.less(x, y), self.integer(x), self.integer(y))

    # --- memory

    def address(self, pointer: ir.Value, index: Index = 0, offset: int = 0) -> ir.Value:
        """Of the float64, or integer, so many places after the pointer."""
        for places in (index, offset):
            if not (isinstance(places, int) and places == 0):
                by = self.integer(places)
                write = partial(self.write.gep, pointer, [by], source_etype=DOUBLE)
                pointer = self.once("address", id(pointer), id(by), write=write)
        return pointer

    def load(self, kind: ir.Type, address: ir.Value, align: int = 8) -> ir.Value:
        """What stands there, read again only if it may have changed since."""
        write = partial(self.write.load, address, align=align, typ=kind)
        return self.once("load", id(kind), id(address), write=write)

    def store(self, number: ir.Value, address: ir.Value, align: int = 8) -> None:
        """Put it there."""
        self.write.store(number, address, align=align)

    # --- float64s

    def number(self, number: float) -> Numbers:
        """The number, in every lane."""
        return constant(DOUBLE, f"0x{struct.pack('>d', number).hex()}", self.lanes)

    def operation(self, name: str, *operands: Numbers) -> Numbers:
        """One such as `fadd`."""
        key = (name, *map(id, operands))
        return self.once(*key, write=lambda: getattr(self.write, name)(*operands))

    def intrinsic(self, name: str, x: Numbers) -> Numbers:
        """One such as `llvm.fabs`."""

        def write() -> Numbers:
            suffix = f"v{self.lanes}f64" if self.lanes > 1 else "f64"
            return self.write.call(self._declared(f"{name}.{suffix}", self.type, self.type), [x])

        return self.once(name, id(x), write=write)

    def call(self, name: str, *operands: Numbers) -> Numbers:
        """A function on float64s, in every lane: `libm.…`, or a row that is called back.

        A row gets the address of its numbers, because there may be any number of them.
        """

        def write() -> Numbers:
            kinds = [DOUBLE] * len(operands)
            if name.startswith("row."):
                function = self._in_every_lane(self._declared(name, DOUBLE, POINTER), len(operands))
            elif self.lanes > 1:
                function = self._in_every_lane(self._declared(name, DOUBLE, *kinds), len(operands))
            else:
                function = self._declared(name, DOUBLE, *kinds)
            return self.write.call(function, operands)

        return self.once(name, *map(id, operands), write=write)

    def _declared(self, name: str, result: ir.Type, *arguments: ir.Type) -> ir.Function:
        module = self.function.module
        return module.globals.get(name) or ir.Function(
            module, ir.FunctionType(result, arguments), name
        )

    def _in_every_lane(self, called: ir.Function, n_arguments: int) -> ir.Function:
        """A function on vectors that calls one on float64s, or on their address, for each lane."""
        on_vectors = self._declared(
            f"{called.name}.v{self.lanes}", self.type, *[self.type] * n_arguments
        )
        if not on_vectors.is_declaration:
            return on_vectors
        on_vectors.linkage = "internal"
        write = ir.IRBuilder(on_vectors.append_basic_block("begin"))
        by_address = called.args[0].type is POINTER
        if by_address:
            room = write.alloca(DOUBLE, n_arguments)
            room.type = POINTER
        result = constant(DOUBLE, POISON, self.lanes)
        for lane in map(self.integer, range(self.lanes)):
            numbers = on_vectors.args
            if self.lanes > 1:
                numbers = [write.extract_element(x, lane) for x in numbers]
            if by_address:
                for i, x in enumerate(numbers):
                    write.store(x, write.gep(room, [self.integer(i)], source_etype=DOUBLE))
                numbers = [room]
            number = write.call(called, numbers)
            result = write.insert_element(result, number, lane) if self.lanes > 1 else number
        write.ret(result)
        return on_vectors

    def compare(self, symbol: str, x: Numbers, y: Numbers) -> ir.Value:
        """Whether it holds, in every lane; never for nan, as in Python."""
        write = partial(self.write.fcmp_ordered, symbol, x, y)
        return self.once(symbol, id(x), id(y), write=write)

    def truth(self, holds: ir.Value) -> Numbers:
        """1.0 where it holds, and 0.0 elsewhere."""
        x = self.select(holds, self.number(1.0), self.number(0.0))
        self._truths[id(x)] = holds
        return x

    def holds(self, x: Numbers) -> ir.Value:
        """Whether x is not 0, in every lane."""
        write = partial(self.write.fcmp_unordered, "!=", x, self.number(0.0))
        return self._truths.get(id(x)) or self.once("holds", id(x), write=write)

    def select(self, holds: ir.Value, x: Numbers, y: Numbers) -> Numbers:
        """x where it holds, y elsewhere."""
        return self.operation("select", holds, x, y)

    def splat(self, x: ir.Value) -> ir.Value:
        """It in every lane."""
        if self.lanes == 1:
            return x

        def write() -> ir.Value:
            empty = constant(x.type, POISON, self.lanes)
            first = self.write.insert_element(empty, x, self.integer(0))
            return self.write.shuffle_vector(first, empty, mask((0,) * self.lanes))

        return self.once("splat", id(x), write=write)

    def gathered(self, numbers: Sequence[ir.Value]) -> Numbers:
        """One in each lane."""
        x: Numbers = constant(DOUBLE, POISON, self.lanes)
        for lane, number in enumerate(numbers):
            x = self.write.insert_element(x, number, self.integer(lane))
        return x

    def lane(self, x: Numbers, lane: int) -> ir.Value:
        """What stands in one lane."""
        return self.write.extract_element(x, self.integer(lane)) if self.lanes > 1 else x

    def shuffled(self, x: Numbers, y: Numbers, lanes: Sequence[int]) -> Numbers:
        """These lanes of x and y, side by side."""
        return self.write.shuffle_vector(x, y, mask(tuple(lanes)))

    # --- loops and branches

    def choose(
        self,
        holds: ir.Value,
        then: Callable[[], Sequence[Numbers]],
        otherwise: Sequence[Numbers] = (),
    ) -> Sequence[Numbers]:
        """What `then` writes, which is run only where it holds, or else the others."""
        write = self.write
        before = write.block
        inside, after = (self.function.append_basic_block() for _ in range(2))
        write.cbranch(holds, inside, after)
        write.position_at_end(inside)
        with self.scope():
            results = then()
        end = write.block
        write.branch(after)
        write.position_at_end(after)
        return [
            self._merged((x, end), (y, before)) for x, y in zip(results, otherwise, strict=True)
        ]

    def _merged(self, *ways: tuple[ir.Value, ir.Block]) -> ir.Value:
        phi = self.write.phi(ways[0][0].type)
        for x, block in ways:
            phi.add_incoming(x, block)
        return phi

    def loop(
        self,
        start: Index,
        stop: Index,
        step: int,
        body: Callable[..., Sequence[Numbers]],
        carried: Sequence[Numbers] = (),
        may_be_empty: bool = False,
    ) -> Sequence[Numbers]:
        """`for i in range(start, stop, step): carried = body(i, *carried)`; returns the last."""
        if isinstance(start, int) and isinstance(stop, int) and stop - start <= step:
            return body(start, *carried)
        write = self.write
        before = write.block
        head, after = (self.function.append_basic_block() for _ in range(2))
        if may_be_empty:
            write.cbranch(self.less(start, stop), head, after)
        else:
            write.branch(head)
        write.position_at_end(head)
        i, *now = (write.phi(kind) for kind in [I64, *(x.type for x in carried)])
        with self.scope():
            results = body(i, *now)
        end = write.block
        following = write.add(i, self.integer(step))
        for phi, first, later in zip(
            [i, *now], [self.integer(start), *carried], [following, *results], strict=True
        ):
            phi.add_incoming(first, before)
            phi.add_incoming(later, end)
        write.cbranch(self.less(following, stop), head, after)
        write.position_at_end(after)
        if not may_be_empty:
            return results
        return [
            self._merged((first, before), (later, end))
            for first, later in zip(carried, results, strict=True)
        ]
