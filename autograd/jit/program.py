"""A graph as a linear program: one line per primitive, in an order in which it can be run.

    >>> compiled = jit(lambda x: w * x + w * w)
    >>> compiled.mean([1.0, 2.0, 3.0])
    >>> print(compiled.program)
    p0 = leaf()  # w
    x0 = input()  # x
    once a call:
      c0 = mul(p0, p0)
      c1 = sum(p0, p0)
    for each example:
      v0 = mul(p0, x0)
    m0 = mean(v0)
    m1 = mean(x0)
    then:
      r0 = sum(m0, c0)
      r1 = sum(m1, c1)
    return r0, r1

What depends on no input is computed once a call, before the examples, and the rest once for each
example. A program that sums up a batch (`batch_program`) then adds to a mean what does not vary
over the batch. Every register is one float64 and is written once. The back ends only spell these
lines in another language. The gradient needs no word here: it is graph like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from autograd import primitives, recording
from autograd.jit.tracing import Traced
from autograd.value import Operand, Value

Register: TypeAlias = str
"""The name of a number: `p…` a leaf, `x…` an input, `c…` computed once a call, `v…` once an
example, `m…` a mean over the examples, `r…` what is added to one."""

Argument: TypeAlias = Register | float
"""What an instruction works on: a register, or a constant."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """`target = operation(*args)`, with the label that a person gave to the node."""

    target: Register
    operation: str
    args: tuple[Argument, ...]
    label: str = ""

    def __str__(self) -> str:
        args = ", ".join(map(str, self.args))
        return f"{self.target} = {self.operation}({args}){comment(self.label)}"


def comment(text: str) -> str:
    """`text` as the end of a line of Python or of a program: one line of ASCII, or nothing."""
    return f"  # {str(text).encode('unicode_escape').decode('ascii')}" if text else ""


@dataclass
class Program:
    """Straight-line code in sections: `once` a call, then `each` example, then `after` them.

    Attributes:
        inputs: the registers of one example, flat, and a name for each.
        leaves: the Values read at each call, by the register of each.
        means: for each `m…` register, what it is the mean of over the examples.
        results: what is returned, for each example, or once if `is_batch`.
    """

    inputs: dict[Register, str]
    is_batch: bool
    leaves: dict[Register, Value] = field(default_factory=dict)
    once: list[Instruction] = field(default_factory=list)
    each: list[Instruction] = field(default_factory=list)
    means: dict[Register, Argument] = field(default_factory=dict)
    after: list[Instruction] = field(default_factory=list)
    results: list[Argument] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"{p} = leaf(){comment(leaf.label)}" for p, leaf in self.leaves.items())
        yield from (f"{x} = input(){comment(name)}" for x, name in self.inputs.items())
        yield from _section("once a call:", self.once)
        yield from _section("for each example:", self.each)
        yield from (f"{m} = mean({v})" for m, v in self.means.items())
        yield from _section("then:", self.after)
        yield f"return {', '.join(map(str, self.results))}"


def _section(title: str, instructions: list[Instruction]) -> Iterator[str]:
    if instructions:
        yield title
        yield from (f"  {instruction}" for instruction in instructions)


def example_program(inputs: Sequence[Traced], outputs: Sequence[Operand]) -> Program:
    """The program that computes the outputs for each example."""
    lister = _Lister(inputs, outputs, is_batch=False)
    lister.program.results = [lister.argument(output) for output in outputs]
    return lister.program


def batch_program(inputs: Sequence[Traced], outputs: Sequence[Operand]) -> Program:
    """The program that computes the mean of each output over the examples."""
    varying = _varying(inputs, outputs)
    with recording.recorded():
        splits = [_split(output, varying) for output in outputs]
    lister = _Lister(inputs, [term for split in splits for term in split], is_batch=True)
    program = lister.program
    means: dict[Argument, Register] = {}  # each once: a sum of leaves gives all the same slope
    for first, *rest in splits:
        result = lister.argument(first)
        if first in varying:
            result = means.setdefault(result, f"m{len(means)}")
        if rest:
            total = f"r{len(program.after)}"
            terms = (result, *map(lister.argument, rest))
            program.after.append(Instruction(total, "sum", terms))
            result = total
        program.results.append(result)
    program.means = {mean: result for result, mean in means.items()}
    return program


def _varying(inputs: Sequence[Traced], outputs: Sequence[Operand]) -> set[Operand]:
    """All nodes that depend on an input, and so vary from example to example."""
    varying: set[Operand] = set(inputs)
    for node in _in_order(outputs):
        if not varying.isdisjoint(node.args):
            varying.add(node)
    return varying


def _split(output: Operand, varying: set[Operand]) -> list[Operand]:
    """Terms whose sum from the left is the output, and of which only the first may vary.

    Additions are swapped, never regrouped, so that the mean over one example has the bits of that
    example. Hence the terms that vary must come first, or there must be just one of them.
    """
    constant: list[Operand] = []
    while isinstance(output, Value) and output.op in ("add", "sum"):
        terms: list[Any] = list(output.args)
        positions = [i for i, term in enumerate(terms) if term in varying]
        if not 0 < len(positions) < len(terms):
            break
        first, end = positions[0], positions[-1] + 1
        if len(positions) > 1 and (first > 0 or end != len(positions)):
            break
        before = [_sum(terms[:first])] if first else []
        constant = [*before, *terms[end:], *constant]
        output = _sum(terms[first:end])
        varying.add(output)
    return [output, *constant]


def _sum(terms: Sequence[Any]) -> Operand:
    total: Operand = terms[0] if len(terms) == 1 else primitives.sum(*terms)
    return total


class _Lister:
    """Writes the nodes of a graph into a program, each once, after its operands."""

    def __init__(
        self, inputs: Sequence[Traced], outputs: Sequence[Operand], is_batch: bool
    ) -> None:
        names = {f"x{i}": x.label for i, x in enumerate(inputs)}
        self.program = Program(names, is_batch)
        self.arguments: dict[Value, Argument] = dict(zip(inputs, names, strict=True))
        self.targets: dict[tuple[str, ...], Register] = {}
        for node in _in_order(outputs):
            if node not in self.arguments:
                self.arguments[node] = self._written(node) if node.op else self._leaf(node)

    def argument(self, x: Operand) -> Argument:
        """Where the number of `x` is found."""
        return self.arguments[x] if isinstance(x, Value) else float(x)

    def _leaf(self, node: Value) -> Register:
        if isinstance(node, Traced):
            raise RuntimeError(
                f"jit: the graph holds {node!r} of another recording; a function to compile must "
                f"not keep Values for its next call"
            )
        register = f"p{len(self.program.leaves)}"
        self.program.leaves[register] = node
        return register

    def _written(self, node: Value) -> Argument:
        """The register of this operation: a new one, unless the very same was written before."""
        operation = node.op
        if operation == "where" and not isinstance(node.args[0], Value):
            return self.argument(node.args[1] if node.args[0] else node.args[2])
        args = tuple(map(self.argument, node.args))
        key = (operation, *map(repr, args))  # repr tells 0.0 from -0.0
        target = self.targets.get(key)
        if target is None:
            varies = any(arg[0] in "xv" for arg in args if isinstance(arg, str))
            section = self.program.each if varies else self.program.once
            target = self.targets[key] = f"{'v' if varies else 'c'}{len(section)}"
            section.append(Instruction(target, operation, args, node.label))
        return target


def _in_order(outputs: Iterable[Operand]) -> list[Value]:
    """The nodes that the outputs depend on, each after its operands.

    Of several outputs; otherwise this is `topological_order`.
    """
    finished: dict[Value, None] = {}
    stack: list[Any] = list(outputs)[::-1]
    while stack:
        node = stack.pop()
        if node is None:  # the node beneath has all its operands finished
            finished[stack.pop()] = None
        elif isinstance(node, Value) and node not in finished:
            stack += [node, None, *reversed(node.args)]
    return list(finished)


MOST_TERMS = 64


def in_short_sums(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    """The same instructions, with no `sum` or `dot` of more than `MOST_TERMS` terms.

    No line grows too long for a compiler. The additions keep their order, and so their bits.
    """
    for instruction in instructions:
        target, operation, args = instruction.target, instruction.operation, instruction.args
        factors: dict[Argument, tuple[Argument, ...]] = {}  # of each product, if it is a long dot
        if operation == "dot" and len(args) > 2 * MOST_TERMS:
            half = len(args) // 2
            pairs = zip(args[:half], args[half:], strict=True)
            factors = {f"{target}_{i}": pair for i, pair in enumerate(pairs)}
            operation, args = "sum", tuple(factors)
        if operation != "sum" or len(args) <= MOST_TERMS:
            yield instruction
            continue
        subtotal: tuple[Register, ...] = ()
        for start in range(0, len(args), MOST_TERMS):
            terms = args[start : start + MOST_TERMS]
            for product in terms if factors else ():
                yield Instruction(str(product), "mul", factors[product])
            if start + MOST_TERMS < len(args):
                name = f"{target}_sum{start}"
                yield Instruction(name, "sum", (*subtotal, *terms))
                subtotal = (name,)
        yield Instruction(target, "sum", (*subtotal, *terms), instruction.label)
