"""The LLVM module of a program: its functions `run` and `train`, and the frame they are given.

The frame is an array of integers and addresses (see `FRAME`). `run` computes the program once, for
its examples in chunks. `train` repeats a program that is a training step, each time on the weights
that the step before has written, and stops at a number that is not finite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from autograd.compiler.backends.llvm.builder import Function, Index
from autograd.compiler.backends.llvm.codegen import Layout, Module, call_of

FRAME = {
    **dict.fromkeys(("w", "k", "s", "v", "new_w", "settings", "table", "sums"), "ptr"),
    **dict.fromkeys(("columns", "order", "rows", "counts"), "ptr"),
    **dict.fromkeys(("n_columns", "count", "n_steps", "n_taken", "stays", "more"), "i64"),
}
"""What the functions are given, each in 8 bytes:

    w          the leaves
    k          the program's constants, and `table` its integers
    s          room for the numbers of a call, and `v` for those of a chunk of examples
    sums       of more examples than a chunk has: room for a vector for each number of `s`
    columns    three integers for each: its address, its width and the index of its first input
    order      the examples in the order in which to take them, or null
    rows       where the results go: of each example all of the first result, then the second, …;
               of each step what it measures
    n_columns  how many columns there are; none if `v` still holds the inputs of the call before
    count      how many examples there are, at least one

And to train:

    new_w      the leaves after the step
    settings   the numbers of the step that are no leaves
    n_steps    how many steps to take; `n_taken` counts them
    counts     how many examples each step takes
    stays      whether all of them take the same examples, which fit into a chunk
    more       how many settings there are for each step; 0 if they stay the same
"""


@dataclass(frozen=True)
class Training:
    """How the results of a program that is a training step are used.

    Attributes:
        n_measured: how many of the first results are recorded for each step.
        checked: the numbers that must be finite, as ranges (space, start, count).
    """

    n_measured: int
    checked: tuple[tuple[str, int, int], ...]


def module(layout: Layout, training: Training | None = None) -> tuple[str, list[str]]:
    """The text of a module, and the symbols that it imports (see `Externals`)."""
    written = Module(layout)
    run = _Run(written)
    texts = [_INTRINSICS, *written.externals.texts.values(), *map(str, written.functions), str(run)]
    if training is not None:
        texts.append(_train(layout, training))
    return "\n".join(texts), written.externals.symbols


_INTRINSICS = "".join(
    f"declare {kind} @llvm.{name}.{suffix}({', '.join([kind] * n)})\n"
    for names, n, kinds in (
        ("smin smax", 2, {"i64": "i64"}),
        (
            "fabs sqrt",
            1,
            {"f64": "double"} | {f"v{n}f64": f"<{n} x double>" for n in (2, 4, 8)},
        ),
    )
    for name in names.split()
    for suffix, kind in kinds.items()
)


class _Run(Function):
    """The function `run`: runs the sections of a program, for the examples chunk by chunk.

    The first block of the examples may be incomplete; its idle lanes repeat its last example.
    """

    def __init__(self, module: Module) -> None:
        super().__init__("void @run(ptr %frame)")
        self._layout = module.layout
        program = module.layout.program
        for i, (name, kind) in enumerate(FRAME.items()):
            self.do(f"%{name}.at = getelementptr i64, ptr %frame, i64 {i}")
            self.do(f"%{name} = load {kind}, ptr %{name}.at")
        names = {
            section: module.write(section, items) for section, items in program.sections.items()
        }
        alone: dict[str, Index] = dict.fromkeys(("end", "busy"), 1)
        alone |= {"short": -1, "is_later": "false", "is_last": "true"}
        for name in names["once"]:
            self.do(call_of(name, alone))
        if names["each"] or names["means"] or not program.is_batch:
            block = module.layout.block
            full = self.integer((1, "%count"), (1, block - 1))
            self._n = self.let(f"and i64 {full}, {-block}")
            self._idle = self.let(f"sub i64 {self._n}, %count")
            self._busy = self.let(f"sub i64 {block}, {self._idle}")
            self._has_order = self.let("icmp ne ptr %order, null")
            self._functions = names["each"] + names["means"]
            self.loop(0, self._n, module.layout.chunk, self._chunk)
        for name in names["after"]:
            self.do(call_of(name, alone))

    def _chunk(self, start: Index) -> None:
        """Gather the inputs of a chunk, compute, and scatter its results."""
        left = self.let(f"sub i64 {self._n}, {start}")
        end = self.smaller(left, self._layout.chunk)
        is_later = self.let(f"icmp ne i64 {start}, 0")
        is_full = self.let(f"icmp eq i64 {self._idle}, 0")
        has_no_short = self.let(f"or i1 {is_later}, {is_full}")
        self._full = self.let(f"select i1 {has_no_short}, i64 0, i64 {self._layout.block}")
        self.loop(0, "%n_columns", 1, lambda column: self._gather(column, start, end))
        given: dict[str, Index] = {
            "end": end,
            "short": self.let(f"select i1 {has_no_short}, i64 -1, i64 0"),
            "busy": self._busy,
            "is_later": is_later,
            "is_last": self.let(f"icmp eq i64 {left}, {end}"),
        }
        for name in self._functions:
            self.do(call_of(name, given))
        program = self._layout.program
        if not program.is_batch:
            self.loop(0, program.sizes["y"], 1, lambda i: self._scatter(i, start, end))

    def _in_full(self, start: Index, e: Index) -> str:
        """The index of the example at place `e` of the chunk, if that is in a full block."""
        return self.let(f"sub i64 {self.integer((1, start), (1, e))}, {self._idle}")

    def _example(self, start: Index, e: Index) -> str:
        """Which example stands at any place of the chunk."""
        place, last = self.integer((1, start), (1, e)), self.let(f"sub i64 {self._busy}, 1")
        return self.larger(self.smaller(place, last), self._in_full(start, e))

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
        chunk, block = self._layout.chunk, self._layout.block
        to = self.address("%v", self.integer((chunk, first)))
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
            self._copy(at, self.address(to, e), block)

        self.loop(0, stop, 1, example)
        self.loop(stop, end, block, vector)

    def _scatter(self, i: Index, start: Index, end: Index) -> None:
        """Copy result i of the chunk to the array of results."""
        chunk, block = self._layout.chunk, self._layout.block
        _, first = self._layout.place("y")
        source = self.address("%v", self.integer((chunk, i), (chunk, first)))
        to = self.address("%rows", self.integer(("%count", i)))

        def copy(n: int, place: Callable[[Index, Index], str], e: Index) -> None:
            self._copy(self.address(source, e), self.address(to, place(start, e)), n)

        self.loop(0, self._full, 1, partial(copy, 1, self._example))
        self.loop(self._full, end, block, partial(copy, block, self._in_full))

    def _copy(self, source: str, to: str, n: int) -> None:
        kind = f"<{n} x double>" if n > 1 else "double"
        x = self.let(f"load {kind}, ptr {source}, align 8")
        self.do(f"store {kind} {x}, ptr {to}, align 8")


WIDE = 16
"""How many numbers are checked side by side: four vectors of most machines. One by one, a step of
training of micrograd's demo takes 12 % longer, one of 101,770 weights 45 %."""


def _train(layout: Layout, training: Training) -> str:
    """The function `train`: steps from `w` to `new_w`, which are swapped after each step.

    A step that finds a nonfinite number changes nothing and is the last.
    """
    code = Function("void @train(ptr %frame)")
    slots = {name: f"%{name}.at" for name in FRAME}
    for i, slot in enumerate(slots.values()):
        code.do(f"{slot} = getelementptr i64, ptr %frame, i64 {i}")

    def read(name: str) -> str:
        return code.let(f"load {FRAME[name]}, ptr {slots[name]}")

    def write(name: str, x: Index) -> None:
        code.do(f"store {FRAME[name]} {x}, ptr {slots[name]}")

    def step(i: Index) -> list[str]:
        """Take the step unless its results are not finite; returns whether it was taken."""
        count = code.let(f"load i64, ptr {code.address(read('counts'), i)}")
        write("count", count)
        code.do("call void @run(ptr %frame)")
        total: Sequence[str] = ["0.0"]
        for space, start, n in training.checked:
            total = add_up(place(space, start), n, total)
        is_finite = code.let(f"fcmp ord double {total[0]}, 0.0")
        code.branch(is_finite, lambda: accept(i, count))
        return [is_finite]

    def place(space: str, start: int) -> str:
        pointer, first = layout.place(space)
        return code.address(read(pointer[1:]), first + start)

    def add_up(numbers: str, n: int, total: Sequence[str]) -> Sequence[str]:
        """Add 0 · x for each number x, so that the total is nan unless all are finite.

        Several numbers are added at once, in a vector.
        """

        def add(kind: str, zero: str, i: Index, total: str) -> list[str]:
            x = code.let(f"load {kind}, ptr {code.address(numbers, i)}, align 8")
            return [code.let(f"fadd {kind} {total}, {code.let(f'fmul {kind} {x}, {zero}')}")]

        wide, zeros, rest = f"<{WIDE} x double>", "zeroinitializer", n % WIDE
        sums = code.loop(0, n - rest, WIDE, partial(add, wide, zeros), [zeros], wide)
        total = code.loop(n - rest, n, 1, partial(add, "double", "0.0"), total)
        added = (
            f"call double @llvm.vector.reduce.fadd.v{WIDE}f64(double {total[0]}, {wide} {sums[0]})"
        )
        return [code.let(added)]

    def accept(i: Index, count: str) -> None:
        results, n = place("y", 0), training.n_measured
        row = code.address(read("rows"), code.integer((n, i)))

        def keep(k: Index) -> None:
            x = code.let(f"load double, ptr {code.address(results, k)}")
            code.do(f"store double {x}, ptr {code.address(row, k)}")

        code.loop(0, n, 1, keep)
        weights, new_weights, order = read("w"), read("new_w"), read("order")
        write("w", new_weights)
        write("new_w", weights)
        write("n_taken", code.integer((1, i), (1, 1)))
        write("settings", code.address(read("settings"), read("more")))
        has_order = code.let(f"icmp ne ptr {order}, null")
        code.branch(has_order, lambda: write("order", code.address(order, count)))
        stays = code.let(f"icmp ne i64 {read('stays')}, 0")
        code.branch(stays, lambda: write("n_columns", 0))

    def turn(i: Index, is_going: str) -> Sequence[str]:
        return code.branch(is_going, lambda: step(i), ["false"], "i1")

    code.loop(0, read("n_steps"), 1, turn, ["true"], "i1")
    return f"declare double @llvm.vector.reduce.fadd.v{WIDE}f64(double, <{WIDE} x double>)\n{code}"
