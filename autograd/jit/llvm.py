"""A program as LLVM IR, and that as machine code: the back end for speed.

The straight-line code of one example is written once and runs on vectors, with one example in
each lane: eight at a time where the machine has AVX-512. A block that is not full computes its
last example in the idle lanes too. What the lanes have in common stands in memory as scalars, and
is broadcast.

Every operation is the IEEE one. Nothing is reordered or fused, and exp, log and their kind are
called in the C library that Python's `math` calls, under names that LLVM does not know: it would
write exp2(x) for pow(2, x), whose last bit differs.

LLVM takes more than linear time for a long function, so the code is cut into parts, and what
crosses a cut goes through memory.
"""

from __future__ import annotations

import itertools
import math
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from typing import Any

from autograd.jit import blocks, machine
from autograd.jit.columns import Column
from autograd.jit.machine import LIBM
from autograd.jit.program import Argument, Instruction, Program, Register, in_short_sums
from autograd.primitives import TABLE

PREDICATES = {"<": "olt", "<=": "ole", ">": "ogt", ">=": "oge", "!=": "une"}
"""How a comparison is written: ordered, which is false for nan, as in Python."""


class Code:
    """Lines of straight-line IR on float64s, or on vectors of them; operands are their names."""

    def __init__(self, lanes: int) -> None:
        self.lines: list[str] = []
        self.lanes = lanes
        self.type = f"<{lanes} x double>" if lanes > 1 else "double"
        self.truth = f"<{lanes} x i1>" if lanes > 1 else "i1"
        self.suffix = f"v{lanes}f64" if lanes > 1 else "f64"

    def line(self, text: str) -> str:
        """Append the computation of `text` and return the name of its result."""
        name = f"%t{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def constant(self, number: float) -> str:
        """The number, in every lane."""
        (bits,) = struct.unpack("<Q", struct.pack("<d", number))
        return blocks.splat("double", f"0x{bits:016X}", self.lanes)

    def operation(self, name: str, *args: str) -> str:
        """An instruction such as `fadd`."""
        return self.line(f"{name} {self.type} {', '.join(args)}")

    def call(self, function: str, *args: str) -> str:
        """A function of one number, or of several, in every lane."""
        typed = ", ".join(f"{self.type} {arg}" for arg in args)
        return self.line(f"call {self.type} @{function}.{self.suffix}({typed})")

    def where(self, x: str, symbol: str, y: str, then: str, otherwise: str) -> str:
        """`then` in the lanes where the comparison of x and y holds, `otherwise` in the others."""
        holds = self.line(f"fcmp {PREDICATES[symbol]} {self.type} {x}, {y}")
        return self.line(
            f"select {self.truth} {holds}, {self.type} {then}, {self.type} {otherwise}"
        )

    def add(self, x: str, y: str) -> str:
        """x + y."""
        return self.operation("fadd", x, y)

    def mul(self, x: str, y: str) -> str:
        """x · y."""
        return self.operation("fmul", x, y)


def _relu(code: Code, x: str) -> str:
    zero = code.constant(0.0)
    return code.where(x, "<", zero, zero, x)


def _power(code: Code, x: str, y: str) -> str:
    power = code.call("libm.pow", x, y)
    return code.where(y, "!=", code.constant(2.0), power, code.mul(x, x))


def _sech2(code: Code, x: str) -> str:
    one = code.constant(1.0)
    twice = code.mul(code.constant(-2.0), code.call("llvm.fabs", x))
    e = code.call("libm.exp", twice)
    square = code.mul(code.add(one, e), code.add(one, e))
    return code.operation("fdiv", code.mul(code.constant(4.0), e), square)


def _hypot(code: Code, *xs: str) -> str:
    largest, infinity = code.constant(0.0), code.constant(math.inf)
    nothing = code.constant(0.0)
    some_infinite = nothing
    for x in xs:
        size = code.call("llvm.fabs", x)
        largest = _extremum(code, largest, size, ">=", "<")
        some_infinite = code.where(size, ">=", infinity, infinity, some_infinite)
    ratios = [code.operation("fdiv", x, largest) for x in xs]
    squares = _sum(code, *[code.mul(ratio, ratio) for ratio in ratios])
    length = code.mul(largest, code.call("llvm.sqrt", squares))
    length = code.where(largest, "<=", nothing, largest, length)
    return code.where(some_infinite, ">", nothing, infinity, length)


def _exp_of_minus_abs(code: Code, x: str) -> str:
    return code.call("libm.exp", code.operation("fneg", code.call("llvm.fabs", x)))


def _sigmoid(code: Code, x: str) -> str:
    one, e = code.constant(1.0), _exp_of_minus_abs(code, x)
    numerator = code.where(x, ">=", code.constant(0.0), one, e)
    return code.operation("fdiv", numerator, code.add(one, e))


def _softplus(code: Code, x: str) -> str:
    return code.add(_relu(code, x), code.call("libm.log1p", _exp_of_minus_abs(code, x)))


def _extremum(code: Code, x: str, y: str, wins: str, loses: str) -> str:
    other = code.where(x, loses, y, y, code.add(x, y))
    return code.where(x, wins, y, x, other)


def _sum(code: Code, *terms: str) -> str:
    return reduce(code.add, terms)


def _dot(code: Code, *factors: str) -> str:
    half = len(factors) // 2
    return _sum(code, *map(code.mul, factors[:half], factors[half:]))


SPELLING: dict[str, Callable[..., str]] = {
    "add": Code.add,
    "sub": lambda code, x, y: code.operation("fsub", x, y),
    "mul": Code.mul,
    "div": lambda code, x, y: code.operation("fdiv", x, y),
    "pow": _power,
    "neg": lambda code, x: code.operation("fneg", x),
    "abs": lambda code, x: code.call("llvm.fabs", x),
    "sqrt": lambda code, x: code.call("llvm.sqrt", x),
    "sigmoid": _sigmoid,
    "relu": _relu,
    "softplus": _softplus,
    "maximum": lambda code, x, y: _extremum(code, x, y, ">=", "<"),
    "minimum": lambda code, x, y: _extremum(code, x, y, "<=", ">"),
    "sum": _sum,
    "dot": _dot,
    "stop_gradient": lambda code, x: x,
    "sech2": _sech2,
    "hypot": _hypot,
    "where": lambda code, c, x, y: code.where(c, "!=", code.constant(0.0), x, y),
    **{
        name: lambda code, x, y, symbol=TABLE[name].symbol: code.where(
            x, symbol, y, code.constant(1.0), code.constant(0.0)
        )
        for name in ("lt", "le", "gt", "ge")
    },
    **{
        name: lambda code, *args, name=name: code.call(f"libm.{name}", *args)
        for name in LIBM
        if name != "pow"
    },
}
"""How each primitive is written, step by step as its value on floats is (see `primitives`)."""


# --- straight-line code ---------------------------------------------------------------------------

SCALAR_PART, BLOCK_PART = 100, 300
"""About how many operations a function of straight-line code has at most. (For scalars fewer, and
where nothing but sums is stored: LLVM tries to join stores, in the square of their number.)"""


class Layout:
    """Where each register stands in memory, and the parts that the code is cut into.

    Attributes:
        scalars: the index of what is one float64: leaves, means, what crosses a cut, and last the
            results `y…` of a batch.
        vectors: the index of what has a lane for each example of a block: inputs, what the block
            leaves behind (its share of the sums, or results `y…`), what crosses a cut.
        collected: what the block leaves behind, and the registers it is found in.
    """

    def __init__(self, program: Program, lanes: int) -> None:
        results = {f"y{i}": result for i, result in enumerate(program.results)}
        after = _results_in_order(program, results) if program.is_batch else ()
        self.once = _parts(program.once, SCALAR_PART)
        self.each = _parts(program.each, BLOCK_PART)
        self.after = _parts(after, SCALAR_PART)
        self.collected = program.means if program.is_batch else results
        crossing = _crossing([*self.once, *self.each, *self.after])
        found = map(str, self.collected.values())  # among them what was computed once a call
        crossing |= {register: None for register in found if register[0] == "c"}
        spare = [f"spare{i}" for i in range(-len(program.means) % lanes)]  # to whole vectors
        scalars = [*program.leaves, *program.means, *spare, *(r for r in crossing if r[0] in "cy")]
        scalars += results if program.is_batch else ()
        vectors = [*program.inputs, *self.collected, *spare, *(r for r in crossing if r[0] == "v")]
        self.scalars = {register: i for i, register in enumerate(scalars)}
        self.vectors = {register: i for i, register in enumerate(vectors)}


def _results_in_order(program: Program, results: dict[Register, Argument]) -> Iterator[Instruction]:
    """What comes after the examples, so that each result of the batch has a register of its own."""
    totals = {instruction.target: instruction for instruction in program.after}
    for register, result in results.items():
        args = totals[result].args if result in totals else (result,)
        yield Instruction(register, "sum", args)


def _parts(instructions: Iterable[Instruction], size: int) -> list[list[Instruction]]:
    """The instructions cut into pieces of about equal size; at least one piece."""
    parts: list[list[Instruction]] = [[]]
    work = 0
    for instruction in in_short_sums(instructions):
        if work > size:
            parts.append([])
            work = 0
        parts[-1].append(instruction)
        work += len(instruction.args)
    return parts


def _crossing(parts: Iterable[list[Instruction]]) -> dict[Register, None]:
    """The registers that are read by another part than the one that writes them, in order."""
    crossing: dict[Register, None] = {}
    for part in parts:
        written = {instruction.target for instruction in part}
        read = (arg for instruction in part for arg in instruction.args)
        crossing |= {arg: None for arg in read if isinstance(arg, str) and arg not in written}
    return crossing


class _Part:
    """The code of one part: operands are loaded when first read, results are kept by name."""

    def __init__(self, layout: Layout, lanes: int) -> None:
        self.code = Code(lanes)
        self.layout = layout
        self.names: dict[Argument, str] = {}

    def write(self, instruction: Instruction) -> None:
        self.code.lines.append(f"; {instruction}")
        args = map(self.read, instruction.args)
        self.names[instruction.target] = SPELLING[instruction.operation](self.code, *args)

    def read(self, arg: Argument) -> str:
        if isinstance(arg, float):
            return self.code.constant(arg)
        if arg not in self.names:
            load = self.load_scalar if arg in self.layout.scalars else self.load
            self.names[arg] = load(arg)
        return self.names[arg]

    def load(self, register: Register) -> str:
        return self.code.line(f"load {self.code.type}, ptr {self._vector(register)}")

    def load_scalar(self, register: Register) -> str:
        code = self.code
        number = code.line(f"load double, ptr {self._scalar(register)}")
        if code.lanes == 1:
            return number
        first = code.line(f"insertelement {code.type} poison, double {number}, i64 0")
        lanes = f"<{code.lanes} x i32> zeroinitializer"
        return code.line(f"shufflevector {code.type} {first}, {code.type} poison, {lanes}")

    def store(self, name: str, register: Register) -> None:
        self.code.lines.append(f"store {self.code.type} {name}, ptr {self._vector(register)}")

    def store_scalar(self, name: str, register: Register) -> None:
        self.code.lines.append(f"store double {name}, ptr {self._scalar(register)}")

    def _vector(self, register: Register) -> str:
        index = self.layout.vectors[register]
        return self.code.line(f"getelementptr {self.code.type}, ptr %vectors, i64 {index}")

    def _scalar(self, register: Register) -> str:
        index = self.layout.scalars[register]
        return self.code.line(f"getelementptr double, ptr %scalars, i64 {index}")


def _scalar_parts(layout: Layout, parts: list[list[Instruction]]) -> Iterator[list[str]]:
    """Each part on single numbers: stores what crosses, and results."""
    for instructions in parts:
        part = _Part(layout, lanes=1)
        for instruction in instructions:
            part.write(instruction)
        for register in (instruction.target for instruction in instructions):
            if register in layout.scalars:  # stored at the end: LLVM compares loads with stores
                part.store_scalar(part.names[register], register)
        yield part.code.lines


def _block_parts(layout: Layout, program: Program, lanes: int) -> Iterator[list[str]]:
    """Each part on a block of examples: stores what crosses, and adds to the sums."""
    waiting: dict[Argument, list[Register]] = {}
    for register, arg in layout.collected.items():
        waiting.setdefault(arg, []).append(register)

    def collect(part: _Part, arg: Argument) -> None:
        for register in waiting.pop(arg, ()):
            name = part.read(arg)
            if program.is_batch:
                name = part.code.add(part.load(register), name)
            part.store(name, register)

    for instructions in layout.each:
        part = _Part(layout, lanes)
        for instruction in instructions:
            part.write(instruction)
            if instruction.target in layout.vectors:
                part.store(part.names[instruction.target], instruction.target)
            collect(part, instruction.target)
        yield part.code.lines
    others = iter(list(waiting))  # inputs, and what is the same for all examples
    while args := list(itertools.islice(others, SCALAR_PART)):
        part = _Part(layout, lanes)
        for arg in args:
            collect(part, arg)
        yield part.code.lines


# --- a whole module -------------------------------------------------------------------------------


def source(program: Program, lanes: int) -> str:
    """The program as a module of LLVM IR; its function `run` is described in `blocks`."""
    return _module(program, Layout(program, lanes), lanes)


def _module(program: Program, layout: Layout, lanes: int) -> str:
    sections = {
        "once": _scalar_parts(layout, layout.once),
        "each": _block_parts(layout, program, lanes),
        "after": _scalar_parts(layout, layout.after),
    }
    text: list[str] = []
    calls: dict[str, list[str]] = {}
    for section, parts in sections.items():
        functions = [blocks.straight_line(f"{section}.{i}", lines) for i, lines in enumerate(parts)]
        text += functions
        calls[section] = [
            f"call void @{section}.{i}(ptr %scalars, ptr %vectors)" for i in range(len(functions))
        ]
    text.append(
        blocks.driver(
            **calls,
            lanes=lanes,
            n_collected=len(layout.collected),
            first_collected=len(program.inputs),
            first_mean=len(program.leaves) if program.is_batch else None,
        )
    )
    return "".join([*text, *_called_functions("".join(text), lanes), blocks.ATTRIBUTES])


def _called_functions(text: str, lanes: int) -> Iterator[str]:
    """Declarations of what the text calls, in every lane and for a single number."""
    for name, n_arguments in LIBM.items():
        if f"@libm.{name}." in text:
            yield blocks.in_every_lane(f"libm.{name}", n_arguments, lanes)
            yield f"declare double @libm.{name}.f64({', '.join(['double'] * n_arguments)}) #1\n"
    for name in ("llvm.fabs", "llvm.sqrt"):
        for code in (Code(1), Code(lanes)):
            yield f"declare {code.type} @{name}.{code.suffix}({code.type})\n"


# --- machine code ---------------------------------------------------------------------------------


def compile_program(
    program: Program,
) -> Callable[[Sequence[float], Sequence[Column]], array[float]]:
    """A function of leaves and columns that runs the program (see `Run`)."""
    return MachineProgram(program)


class MachineProgram:
    """A program in machine code. `run` is the function that `blocks` describes."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lanes = machine.lanes()
        self.layout = Layout(program, self.lanes)
        text = _module(program, self.layout, self.lanes)
        self.run = machine.compiled(text, "run", n_arguments=7)

    def __call__(self, leaves: Sequence[float], columns: Sequence[Column]) -> array[float]:
        """The results of the batch; or the first result of all examples, then the second, …"""
        memory = Memory(self, leaves, describe(columns))
        count = columns[0].count
        n_rows = 0 if self.program.is_batch else count
        rows = array("d", bytes(8 * n_rows * len(self.program.results)))
        self.run(*memory.addresses, NO_ORDER, count, address(rows))
        n_scalars, n_results = len(self.layout.scalars), len(self.program.results)
        return memory.scalars[n_scalars - n_results : n_scalars] if n_rows == 0 else rows


class Memory:
    """What one call of a program works on; threads have one each, and run side by side.

    Attributes:
        scalars: the leaves, and after them every other number that is computed once a call.
        results: the address of a batch's results, which are the last of them.
        addresses: the first four arguments of `run`.
    """

    def __init__(
        self, compiled: MachineProgram, leaves: Sequence[float], columns: array[int]
    ) -> None:
        n_scalars, n_vectors = len(compiled.layout.scalars), len(compiled.layout.vectors)
        block = 8 * compiled.lanes
        self.compiled = compiled
        spare = compiled.lanes  # so that whole vectors can be read, or aligned
        self.scalars = array("d", struct.pack(f"{len(leaves)}d", *leaves))
        self.scalars.frombytes(bytes(8 * (n_scalars - len(leaves) + spare)))
        self._vectors = array("d", bytes(block * n_vectors + 8 * spare))
        self._columns = columns
        aligned = -(-address(self._vectors) // block) * block
        n_columns = len(columns) // 3
        self.results = address(self.scalars) + 8 * (n_scalars - len(compiled.program.results))
        self.addresses = (address(self.scalars), aligned, address(columns), n_columns)


NO_ORDER = 0


def describe(columns: Sequence[Column]) -> array[int]:
    """Three integers for each column: its address, its width and the index of its first input."""
    described = array("q")
    first = 0
    for column in columns:
        described.extend((column.address, column.width, first))
        first += column.width
    return described


def address(numbers: array[Any]) -> int:
    """Where in memory an array's numbers stand."""
    return numbers.buffer_info()[0]
