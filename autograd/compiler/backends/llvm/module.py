"""The LLVM module of a program: its function `run`, and the frame that this is given.

The frame is an array of integers and addresses (see `FRAME`). `run` computes the program once, for
its examples in chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from autograd.compiler.backends.llvm.builder import Function, Index, quoted
from autograd.compiler.backends.llvm.codegen import Layout, call_of, functions_of

FRAME = {
    **dict.fromkeys(("w", "k", "c", "m", "y", "x", "v", "table", "sums"), "ptr"),
    **dict.fromkeys(("columns", "order", "rows"), "ptr"),
    **dict.fromkeys(("n_columns", "count"), "i64"),
}
"""The arguments of `run`, each in 8 bytes:

    w … v      the spaces of the program; of those that differ between examples, for a chunk
    table      the program's integers
    sums       of more examples than a chunk has: room for a vector for each number of `m`, then `y`
    columns    three integers for each: its address, its width and the index of its first input
    order      the examples in the order in which to take them, or null
    rows       where the results of many examples go: all of the first result, then the second, …;
               those of one example stay in `y`
    n_columns  how many columns there are; none if `x` still holds the inputs of the call before
    count      how many examples there are, at least one
"""


def module(layout: Layout) -> tuple[str, list[str]]:
    """The text of a module, and the external functions that it calls (see `Vectors`)."""
    externals: dict[str, int] = {}
    run = _Run(layout, externals)
    declared = [
        f"declare double {quoted(name)}({', '.join(['double'] * n)})"
        for name, n in externals.items()
    ]
    return "\n".join([*declared, *map(str, run.functions), str(run)]), [*externals]


class _Run(Function):
    """The function `run`: runs the sections of a program, for the examples chunk by chunk.

    The first block of the examples may be incomplete; its idle lanes repeat its last example.
    """

    def __init__(self, layout: Layout, externals: dict[str, int]) -> None:
        super().__init__("void @run(ptr %frame)")
        self._layout, self._program = layout, layout.program
        for i, (name, kind) in enumerate(FRAME.items()):
            self.do(f"%{name} = load {kind}, ptr {self.address('%frame', i)}")
        made = {
            section: functions_of(layout, externals, section, items)
            for section, items in self._program.sections.items()
        }
        self.functions = [function for functions in made.values() for function in functions]
        alone: dict[str, Index] = {
            "end": 1,
            "short": -1,
            "busy": 1,
            "is_later": "false",
            "is_last": "true",
        }
        for function in made["once"]:
            self.do(call_of(function, alone))
        self._each = made["each"] + made["means"]
        if self._each or not self._program.is_batch:
            block = layout.block
            full = self.integer((1, "%count"), (1, block - 1))
            self._n = self.let(f"and i64 {full}, {-block}")
            self._idle = self.let(f"sub i64 {self._n}, %count")
            self._has_order = self.let("icmp ne ptr %order, null")
            self.loop(0, self._n, layout.chunk, self._chunk)
        for function in made["after"]:
            self.do(call_of(function, alone))

    def _chunk(self, start: Index) -> None:
        """Gather the inputs of a chunk, compute, and scatter its results."""
        left, block = self.let(f"sub i64 {self._n}, {start}"), self._layout.block
        end = self.smaller(left, self._layout.chunk)
        is_later = self.let(f"icmp ne i64 {start}, 0")
        idle = self.let(f"select i1 {is_later}, i64 0, i64 {self._idle}")
        is_full = self.let(f"icmp eq i64 {idle}, 0")
        self._full = self.let(f"select i1 {is_full}, i64 0, i64 {block}")
        self.loop(0, "%n_columns", 1, lambda column: self._gather(column, start, end))
        given: dict[str, Index] = {
            "end": end,
            "short": self.let(f"select i1 {is_full}, i64 -1, i64 0"),
            "busy": self.let(f"sub i64 {block}, {idle}"),
            "is_later": is_later,
            "is_last": self.let(f"icmp eq i64 {left}, {end}"),
        }
        for function in self._each:
            self.do(call_of(function, given))
        if not self._program.is_batch and self._layout.chunk > 1:
            self.loop(0, self._program.sizes["y"], 1, lambda i: self._scatter(i, start, end))

    def _in_full(self, start: Index, e: Index) -> str:
        """The index of the example at place `e` of the chunk, if that is in a full block."""
        return self.let(f"sub i64 {self.integer((1, start), (1, e))}, {self._idle}")

    def _example(self, start: Index, e: Index) -> str:
        """Which example stands at any place of the chunk."""
        last = self.let(f"sub i64 {self._layout.block - 1}, {self._idle}")
        place = self.smaller(self.integer((1, start), (1, e)), last)
        return self.larger(place, self._in_full(start, e))

    def _ordered(self, example: str) -> str:
        def look_up() -> list[str]:
            return [self.let(f"load i64, ptr {self.address('%order', example)}")]

        return self.branch(self._has_order, look_up, [example], "i64")[0]

    def _gather(self, column: Index, start: Index, end: Index) -> None:
        """Copy a column, so that the examples of each number are contiguous.

        A column of one number per example, in its own order, is copied by vectors from the first
        full block on.
        """
        entry = self.address("%columns", self.integer((3, column)))
        numbers, width, first = (
            self.let(f"load {kind}, ptr {self.address(entry, i)}")
            for i, kind in enumerate(("ptr", "i64", "i64"))
        )
        chunk = self._layout.chunk
        to = self.address("%x", self.integer((chunk, first)))
        is_narrow = self.let(f"icmp eq i64 {width}, 1")
        is_copied = self.let(f"select i1 {self._has_order}, i1 false, i1 {is_narrow}")
        stop = self.let(f"select i1 {is_copied}, i64 {self._full}, i64 {end}")

        def example(e: Index) -> None:
            at = self._ordered(self._example(start, e))
            row, its = self.address(numbers, self.integer((width, at))), self.address(to, e)

            def number(i: Index) -> None:
                self._copy(self.address(row, i), self.address(its, self.integer((chunk, i))), 1)

            self.loop(0, width, 1, number)

        def vector(e: Index) -> None:
            at = self.address(numbers, self._in_full(start, e))
            self._copy(at, self.address(to, e), self._layout.block)

        self.loop(0, stop, 1, example)
        self.loop(stop, end, self._layout.block, vector)

    def _scatter(self, i: Index, start: Index, end: Index) -> None:
        """Copy result i of the chunk to the array of results."""
        block = self._layout.block
        source = self.address("%y", self.integer((self._layout.chunk, i)))
        to = self.address("%rows", self.integer(("%count", i)))

        def copy(n: int, place: Callable[[Index, Index], str], e: Index) -> None:
            self._copy(self.address(source, e), self.address(to, place(start, e)), n)

        self.loop(0, self._full, 1, partial(copy, 1, self._example))
        self.loop(self._full, end, block, partial(copy, block, self._in_full))

    def _copy(self, source: str, to: str, n: int) -> None:
        kind = f"<{n} x double>" if n > 1 else "double"
        x = self.let(f"load {kind}, ptr {source}, align 8")
        self.do(f"store {kind} {x}, ptr {to}, align 8")
