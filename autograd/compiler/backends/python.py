"""A program as Python source: the back end that needs no compiler.

One function on lists, one list for each space. It is compiled by Python itself, and `linecache`
knows it, so that debuggers and tracebacks can show it.
"""

from __future__ import annotations

import itertools
import linecache
import math
import weakref
from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import cast

from autograd.compiler.backends.codegen import COMPARISONS, OPERATORS, Printer, escaped
from autograd.compiler.columns import Column, Numbers, joined_leaves
from autograd.compiler.program import Backend, Executable, Program, primitives_used
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
    return str(_Printer(program))


class _Printer(Printer):
    spelling = SPELLING
    indent, end, closing = "    ", "", ""
    arrays = ("k = [{}]", "table = [{}]")
    head, declaration = "for {} in range({}):", "{} = {}"

    def lines(self) -> Iterator[str]:
        yield from self.constants()
        yield "def program(w, count, examples):"
        yield from self.indented(self.body())

    def body(self) -> Iterator[str]:
        program, n = self.program, self.program.sizes["y"]
        yield from map(self.comment, self.names())
        for space in "cvmy":
            is_used = program.sizes[space] or space == "y"
            if is_used and (space == "v" or not program.varies(space)):
                yield f"{space} = [-0.0] * {program.sizes[space]}"
        if program.is_batch:
            yield from self.sections("for x in examples:")
            yield "return y"
        else:
            yield "results = []"
            yield from self.sections("for x in examples:", [f"y = [0.0] * {n}"], ["results += y"])
            yield "return results"

    def comment(self, text: str) -> str:
        return f"# {escaped(text)}"

    def called(self, name: str) -> str:
        return name if name in own_names else f"rows[{name!r}]"


NAMESPACE: dict[str, object] = {"inf": math.inf, "nan": math.nan}
NAMESPACE |= {name: TABLE[name].value for name in own_names if TABLE[name].definition is None}
"""The names that the source refers to; it finds rows that users made by name in `rows`."""

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


BACKEND = Backend("python", SPELLING, source, compile_program)
