"""A program as Python source: the back end that needs no compiler.

One function on lists, one list for each space. It is compiled by Python itself, and `linecache`
knows it, so that debuggers and tracebacks can show it.
"""

from __future__ import annotations

import itertools
import linecache
import math
import weakref
from collections.abc import Iterable, Iterator, Sequence
from types import FunctionType
from typing import cast

from autograd.compiler.backends.codegen import COMPARISONS, OPERATORS, Printer
from autograd.compiler.columns import Column, Numbers, joined_leaves
from autograd.compiler.program import (
    Backend,
    Executable,
    Program,
    named_ranges,
    primitives_used,
)
from autograd.primitives import TABLE, own_names

SPELLING: dict[str, str] = {
    **OPERATORS,
    **{name: f"1.0 if {text} else 0.0" for name, text in COMPARISONS.items()},
    "where": "{1} if {0} else {2}",
}
"""Primitives that Python has an operator for. Others are called by name: the primitive's own value
on floats, which gives inf or nan where Python's would raise."""


def source(program: Program) -> str:
    """The program as the text of one Python function."""
    return "".join(f"{line}\n" for line in _Printer(program).lines())


class _Printer(Printer):
    spelling = SPELLING
    indent, end = "    ", ""

    def lines(self) -> Iterator[str]:
        program = self.program
        yield from self.array("k = [", map(repr, program.constants), "]")
        yield from self.array("table = [", map(str, program.table), "]")
        yield "def program(w, count, examples):"
        yield from self.indented(self.body())

    def body(self) -> Iterator[str]:
        program = self.program
        for start, end, text in named_ranges(program.leaf_names):
            if text:
                yield f"# w[{start}:{end}] {_ascii(text)}"
        for start, end, text in named_ranges(program.inputs):
            yield f"# x[{start}:{end}] {_ascii(text)}"
        for space in "cvmy":
            if program.sizes[space] and (space == "v" or not program.varies(space)):
                yield f"{space} = [-0.0] * {program.sizes[space]}"
        if not program.is_batch:
            yield "results = []"
        yield from self.items(program.once)
        if program.each or program.means or not program.is_batch:
            yield "for x in examples:"
            if not program.is_batch:
                yield f"    y = [0.0] * {program.sizes['y']}"
            yield from self.indented(self.items(program.each))
            yield from self.indented(self.items(program.means, "+="))
            if not program.is_batch:
                yield "    results += y"
        yield from self.items(program.means, "/=")
        yield from self.items(program.after)
        yield f"return {'y' if program.is_batch else 'results'}"

    def head(self, index: str, count: str) -> str:
        return f"for {index} in range({count}):"

    def nested(self, heads: Sequence[str], lines: Iterable[str]) -> list[str]:
        outer = [self.indent * i + head for i, head in enumerate(heads)]
        return [*outer, *self.indented(lines, len(heads))]

    def short(self, head: str, line: str) -> list[str]:
        return [head, self.indent + line]

    def labeled(self, lines: list[str], label: str) -> list[str]:
        return [f"{lines[0]}  # {_ascii(label)}", *lines[1:]]

    def literal(self, number: float) -> str:
        return repr(number)

    def declared(self, total: str, start: str) -> str:
        return f"{total} = {start}"

    def called(self, name: str) -> str:
        return name if name in own_names else f"rows[{name!r}]"


NAMESPACE: dict[str, object] = {"inf": math.inf, "nan": math.nan}
NAMESPACE |= {name: TABLE[name].value for name in own_names if TABLE[name].definition is None}
"""What the source refers to; rows that users made it finds by name in `rows`."""

_compiled_so_far = itertools.count(1)


def compile_program(program: Program) -> Executable:
    """The program as a function of leaves and columns."""
    import numpy as np

    text = source(program)
    filename = f"<autograd.jit {next(_compiled_so_far)}>"
    namespace = NAMESPACE | {"rows": {name: TABLE[name] for name in primitives_used(program)}}
    exec(compile(text, filename, "exec"), namespace)
    function = cast(FunctionType, namespace["program"])
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    weakref.finalize(function, linecache.cache.pop, filename, None)
    is_batch, width = program.is_batch, program.sizes["y"]

    def run(leaves: Sequence[float], columns: Sequence[Column]) -> Numbers:
        numbers, columns = joined_leaves(leaves, columns)
        count = columns[0].count if columns else 1
        inputs = [number for column in columns for number in _transposed(column)]
        examples = zip(*inputs, strict=True) if inputs else [()] * count
        results = np.array(function(numbers.tolist(), count, examples), float)
        return results if is_batch else results.reshape(count, width).T.reshape(-1)

    return run


def _transposed(column: Column) -> Iterator[Sequence[float]]:
    """For each number of an example, that number of all examples."""
    numbers = column.numbers.tolist()
    return (numbers[i :: column.width] for i in range(column.width))


def _ascii(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


BACKEND = Backend("python", SPELLING, source, compile_program)
