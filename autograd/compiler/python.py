"""A program as Python source: the back end without dependencies.

One function on lists, one list for each space. It is compiled by Python itself, and `linecache`
knows it, so that debuggers and tracebacks can show it.
"""

from __future__ import annotations

import itertools
import linecache
import math
import textwrap
import weakref
from collections.abc import Iterable, Iterator, Sequence
from types import FunctionType
from typing import cast

from autograd.compiler.columns import Column
from autograd.compiler.program import (
    Apply,
    Backend,
    Executable,
    Expression,
    Group,
    Integer,
    Item,
    Loop,
    Operand,
    Program,
    Reduce,
    named_ranges,
    primitives_used,
)
from autograd.primitives import TABLE

SPELLING: dict[str, str] = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "neg": "-{}",
    "lt": "1.0 if {} < {} else 0.0",
    "le": "1.0 if {} <= {} else 0.0",
    "gt": "1.0 if {} > {} else 0.0",
    "ge": "1.0 if {} >= {} else 0.0",
    "where": "{1} if {0} else {2}",
}
"""Primitives that Python has an operator for. Others are called by name: the primitive's own value
on floats, which gives inf or nan where Python's would raise."""

INDICES = "ijabdefghnopqrstuz"  # no space is called so


def source(program: Program) -> str:
    """The program as the text of one Python function."""
    return "".join(f"{line}\n" for line in _Printer(program).lines())


class _Printer:
    def __init__(self, program: Program) -> None:
        self.program = program

    def lines(self) -> Iterator[str]:
        program = self.program
        for name, numbers in (("k", program.constants), ("table", program.table)):
            if numbers:
                text = ", ".join(map(repr, numbers))
                yield f"{name} = ["
                yield from textwrap.wrap(text, 96, initial_indent="    ", subsequent_indent="    ")
                yield "]"
        yield "def program(w, count, examples):"
        for start, end, text in named_ranges([str(leaf.label) for leaf in program.leaves]):
            if text:
                yield f"    # w[{start}:{end}] {_ascii(text)}"
        for start, end, text in named_ranges(program.inputs):
            yield f"    # x[{start}:{end}] {_ascii(text)}"
        for space in "cvmy":
            if program.sizes[space] and not program.varies(space):
                yield f"    {space} = [-0.0] * {program.sizes[space]}"
        if program.sizes["v"]:
            yield f"    v = [0.0] * {program.sizes['v']}"
        if not program.is_batch:
            yield "    results = []"
        yield from self.items(program.once, 1)
        if program.each or program.means or not program.is_batch:
            yield "    for x in examples:"
            if not program.is_batch:
                yield f"        y = [0.0] * {program.sizes['y']}"
            yield from self.items(program.each, 2)
            yield from self.items(program.means, 2, " += ")
            if not program.is_batch:
                yield "        results += y"
        yield from self.items(program.means, 1, " /= ")
        yield from self.items(program.after, 1)
        yield f"    return {'y' if program.is_batch else 'results'}"

    def items(
        self, items: Iterable[Item], depth: int, assign: str = " = ", loops: int = 0
    ) -> Iterator[str]:
        for item in items:
            if isinstance(item, Loop):
                name = INDICES[loops]
                yield f"{'    ' * depth}for {name} in range({self.integer(item.count)}):"
                yield from self.items(item.body, depth + 1, assign, loops + 1)
            else:
                yield from self.group(item, depth, assign, loops)

    def group(self, group: Group, depth: int, assign: str, loops: int) -> Iterator[str]:
        label = f"  # {group.label.encode('unicode_escape').decode('ascii')}" if group.label else ""
        for i, extent in enumerate(group.dims, loops):
            yield f"{'    ' * depth}for {INDICES[i]} in range({self.integer(extent)}):{label}"
            label = ""
            depth += 1
        indent = "    " * depth
        target = self.operand(group.target)
        if assign == " /= ":
            yield f"{indent}{target} /= count"
            return
        self.before: list[str] = []
        self.n_indices = loops + len(group.dims)
        value = self.value(group.expression)
        yield from (indent + line for line in self.before)
        yield f"{indent}{target}{assign}{value}{label}"

    def value(self, expression: Expression) -> str:
        match expression:
            case Operand():
                return self.operand(expression)
            case Apply(primitive=name, args=args):
                values = [self.value(arg) for arg in args]
                return (
                    f"({SPELLING[name].format(*values)})"
                    if name in SPELLING
                    else f"{name}({', '.join(values)})"
                )
            case Reduce(first=first, runs=runs):
                total = f"total{len(self.before)}"
                self.before.append(f"{total} = {'-0.0' if first is None else self.value(first)}")
                for run in runs:
                    if run.count != 1:
                        self.before.append(
                            f"for {INDICES[self.n_indices]} in range({self.integer(run.count)}):"
                        )
                    for term in run.terms:
                        text = " * ".join(self.operand(f, run.count == 1) for f in term.factors)
                        sign = "-" if term.is_negative else "+"
                        self.before.append(
                            f"{'' if run.count == 1 else '    '}{total} {sign}= {text}"
                        )
                return total
        return repr(expression) if expression >= 0 else f"({expression!r})"

    def operand(self, operand: Operand, first: bool = False) -> str:
        parts = [] if operand.base == 0 else [self.integer(operand.base)]
        strides = operand.strides[:-1] if first else operand.strides
        for name, stride in zip(INDICES, strides, strict=False):
            if stride != 0:
                parts.append(name if stride == 1 else f"{self.integer(stride)}*{name}")
        return f"{operand.space}[{' + '.join(parts) or '0'}]"

    def integer(self, x: Integer) -> str:
        if isinstance(x, int):
            return str(x)
        parts = [self.integer(x.at)]
        parts += [
            n if s == 1 else f"{s}*{n}" for n, s in zip(INDICES, x.strides, strict=False) if s
        ]
        return f"table[{' + '.join(parts)}]"


NAMESPACE: dict[str, object] = {"inf": math.inf, "nan": math.nan}
NAMESPACE |= {name: row.value for name, row in TABLE.items()}
"""What the source refers to."""

_compiled_so_far = itertools.count(1)


def compile_program(program: Program) -> Executable:
    """The program as a function of leaves and columns."""
    text = source(program)
    filename = f"<autograd.jit {next(_compiled_so_far)}>"
    namespace = NAMESPACE | {name: TABLE[name].value for name in primitives_used(program)}
    exec(compile(text, filename, "exec"), namespace)
    function = cast(FunctionType, namespace["program"])
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    weakref.finalize(function, linecache.cache.pop, filename, None)
    is_batch, width = program.is_batch, program.sizes["y"]

    def run(leaves: Sequence[float], columns: Sequence[Column]) -> Sequence[float]:
        count = columns[0].count if columns else 1
        numbers = [number for column in columns for number in _transposed(column)]
        examples = zip(*numbers, strict=True) if numbers else [()] * count
        results = cast("list[float]", function(leaves, count, examples))
        if is_batch:
            return results
        return [number for i in range(width) for number in results[i::width]]

    return run


def _transposed(column: Column) -> Iterator[Sequence[float]]:
    """For each number of an example, that number of all examples."""
    numbers = column.numbers.tolist()
    return (numbers[i :: column.width] for i in range(column.width))


def _ascii(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii")


BACKEND = Backend("python", SPELLING, source, compile_program)
