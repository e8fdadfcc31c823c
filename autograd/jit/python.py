"""A program as Python source: the back end without dependencies.

The source is straight-line code over local variables, in a loop over the examples. It is compiled
by Python itself, and `linecache` knows it, so that debuggers and tracebacks can show it.
"""

from __future__ import annotations

import itertools
import linecache
import math
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FunctionType
from typing import cast

from autograd.jit.columns import Column
from autograd.jit.program import Instruction, Program, comment, in_short_sums
from autograd.primitives import TABLE

SPELLING = {"sum": "{}", "dot": "{} * {}"}
"""How one term is written of what has any number of them."""

NAMESPACE: dict[str, object] = {name: primitive.value for name, primitive in TABLE.items()}
NAMESPACE |= {"inf": math.inf, "nan": math.nan}

_compiled_so_far = itertools.count(1)


def compile_program(
    program: Program,
) -> Callable[[Sequence[float], Sequence[Column]], Sequence[float]]:
    """A function of leaves and columns that runs the program (see `Run`)."""
    function = _function(source(program))

    def run(leaves: Sequence[float], columns: Sequence[Column]) -> Sequence[float]:
        count = columns[0].count
        numbers = [number for column in columns for number in _transposed(column)]
        examples = zip(*numbers, strict=True) if numbers else [()] * count
        results = cast(list[float], function(leaves, count, examples))
        if program.is_batch:
            return results
        width = len(program.results)
        return [number for i in range(width) for number in results[i::width]]

    return run


def source(program: Program) -> str:
    """The program as the text of one Python function."""
    return "".join(f"{line}\n" for line in _lines(program))


def _lines(program: Program) -> Iterator[str]:
    yield "def program(leaves, count, examples):"
    yield from (f"    # {p}{comment(leaf.label)}" for p, leaf in program.leaves.items())
    yield from (f"    # {x}{comment(name)}" for x, name in program.inputs.items())
    yield f"    [{', '.join(program.leaves)}] = leaves"
    yield from _statements(program.once, indent="    ")
    results = f"[{', '.join(map(str, program.results))}]"
    for_each = f"    for [{', '.join(program.inputs)}] in examples:"
    if not program.is_batch:
        yield "    results = []"
        yield for_each
        yield from _statements(program.each, indent="        ")
        yield f"        results += {results}"
        yield "    return results"
        return
    if program.means:
        yield from (f"    {m} = -0.0" for m in program.means)  # to which -0.0 adds as -0.0
        yield for_each
        yield from _statements(program.each, indent="        ")
        yield from (f"        {m} += {v}" for m, v in program.means.items())
        yield from (f"    {m} /= count" for m in program.means)
    yield from _statements(program.after, indent="    ")
    yield f"    return {results}"


def _statements(instructions: Iterable[Instruction], indent: str) -> Iterator[str]:
    for instruction in in_short_sums(instructions):
        label = comment(instruction.label)
        yield f"{indent}{instruction.target} = {_spelled(instruction)}{label}"


def _spelled(instruction: Instruction) -> str:
    args, primitive = instruction.args, TABLE[instruction.operation]
    spelling = SPELLING.get(primitive.name, primitive.inline)
    if instruction.operation == "sum":
        return " + ".join(map(spelling.format, args))
    if instruction.operation == "dot":
        half = len(args) // 2
        return " + ".join(map(spelling.format, args[:half], args[half:]))
    return spelling.format(*args) if spelling else f"{primitive.name}({', '.join(map(str, args))})"


def _function(text: str) -> FunctionType:
    filename = f"<autograd.jit {next(_compiled_so_far)}>"
    namespace = dict(NAMESPACE)
    exec(compile(text, filename, "exec"), namespace)
    function = cast(FunctionType, namespace["program"])
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    weakref.finalize(function, linecache.cache.pop, filename, None)
    return function


def _transposed(column: Column) -> Iterator[Sequence[float]]:
    """For each number of an example, that number of all examples."""
    numbers = column.numbers.tolist()
    return (numbers[i :: column.width] for i in range(column.width))
