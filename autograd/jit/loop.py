"""Training without coming back to Python: gradient, update, gradient, update, in machine code.

Two programs are compiled, and neither knows of the other. One finds the mean gradient of a batch,
as everywhere in this package. The other is the stepper's rule, which maps over the parameters as
any compiled function maps over examples. Only the loop that joins them is written here.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from autograd.jit import machine
from autograd.jit.columns import read_columns
from autograd.jit.llvm import MachineProgram, Memory, address, describe
from autograd.jit.program import Program, batch_program, example_program
from autograd.jit.tracing import Trace, gradient_of, leaves_of, trace
from autograd.primitives import sqrt
from autograd.value import Operand, Value


class Stepper(Protocol):
    """What is asked of a stepper: parameters with their states, and the rule for one of them."""

    parameters: list[Any]
    states: list[tuple[float, ...]]

    @property
    def rule(self) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
        """From weight, gradient, state, coefficients and square root to new weight and state."""
        ...

    def coefficients(self) -> tuple[float, ...]:
        """The settings that `update` takes."""
        ...


class CompiledTraining:
    """Steps of a stepper on a set of examples, taken in machine code.

    Args:
        objective: takes one example, an argument for each column, and returns a list: first what
            is to be lowered in the mean, then what else is to be measured in passing.
        columns: the examples.
        stepper: moves those of its parameters that the objective reaches, and leaves the others.

    Attributes:
        moved: the indices of the parameters that are moved.
    """

    def __init__(
        self,
        objective: Callable[..., list[Operand]],
        columns: Sequence[object],
        stepper: Stepper,
    ) -> None:
        self._stepper = stepper
        self._columns = read_columns(columns)
        recorded = trace(objective, [column.shape for column in self._columns])
        reached = set(leaves_of(recorded.outputs[0]))
        self.moved = [i for i, p in enumerate(stepper.parameters) if p in reached]
        parameters = [stepper.parameters[i] for i in self.moved]
        program = _gradient_program(recorded, parameters)
        rule, self._used = _rule_program(stepper)
        self._other_leaves = list(program.leaves.values())[len(parameters) :]
        self._n_measures = len(recorded.outputs)

        gradient, update = MachineProgram(program), MachineProgram(rule)
        width, spare = 1 + len(stepper.states[0]), gradient.lanes
        self._table = array("d", bytes(8 * width * len(parameters)))
        self._new_table = array("d", bytes(8 * (width * len(parameters) + spare)))
        self._gradient = Memory(gradient, [0.0] * len(program.leaves), describe(self._columns))
        first_slope = self._gradient.results + 8 * self._n_measures
        n_bytes = 8 * len(parameters)
        addresses = [address(self._table) + i * n_bytes for i in range(width)] + [first_slope]
        inputs = array("q", [x for i, at in enumerate(addresses) for x in (at, 1, i)])
        self._update = Memory(update, [0.0] * len(rule.leaves), inputs)
        ir = _loop(
            gradient=self._gradient,
            update=self._update,
            table=address(self._table),
            new_table=address(self._new_table),
            n_parameters=len(parameters),
            width=width,
            n_measures=self._n_measures,
            n_coefficients=len(self._used),
            lanes=gradient.lanes,
        )
        self._train = machine.compiled(ir, "train", n_arguments=6)

    def steps(
        self,
        counts: Sequence[int],
        order: Sequence[int] | None,
        coefficients: Sequence[Sequence[float]],
    ) -> list[list[float]]:
        """Take a step for each count, on that many examples, starting from the stepper's weights.

        It ends before a step in which a gradient, a measure, a new weight or its state would not
        be finite; and takes none if the objective reaches no parameter.

        Args:
            counts: how many examples each step takes.
            order: the examples of the first step, those of the second, and so on; None if every
                step takes all of them as they are.
            coefficients: those of the stepper for each step, or once for all of them.

        Returns:
            for each number that the objective returns, its means over the batches of the steps
            that were taken.
        """
        if not self.moved:
            return [[] for _ in range(self._n_measures)]
        self._load()
        n_taken = array("q", [0])
        sizes = array("q", counts)
        rows = array("d", bytes(8 * self._n_measures * len(counts)))
        settings = array("d", [row[i] for row in coefficients for i in self._used])
        settings *= len(counts) if len(coefficients) == 1 else 1
        ordered = array("q", order or ())
        self._train(
            len(counts),
            address(sizes),
            address(ordered) if order is not None else 0,
            address(settings),
            address(rows),
            address(n_taken),
        )
        try:
            self._store()
        except KeyboardInterrupt:
            self._store()  # from the start: no step is ever half taken
            raise
        end = n_taken[0] * self._n_measures
        return [rows[i : end : self._n_measures].tolist() for i in range(self._n_measures)]

    def _load(self) -> None:
        parameters, states = self._stepper.parameters, self._stepper.states
        rows = [(parameters[i].data, *states[i]) for i in self.moved]
        self._table[:] = array("d", itertools.chain(*zip(*rows, strict=True)))
        first = len(self.moved)
        others = array("d", [leaf.data for leaf in self._other_leaves])
        self._gradient.scalars[first : first + len(others)] = others

    def _store(self) -> None:
        rows = [self._table[i :: len(self.moved)] for i in range(len(self.moved))]
        end = len(self._gradient.scalars) - self._gradient.compiled.lanes
        slopes = self._gradient.scalars[end - len(self.moved) : end]
        for i, slope, (weight, *state) in zip(self.moved, slopes, rows, strict=True):
            self._stepper.parameters[i].data = weight
            self._stepper.parameters[i].grad = slope
            self._stepper.states[i] = tuple(state)


def _gradient_program(recorded: Trace, parameters: list[Value]) -> Program:
    """The means of what was recorded, and the gradient of the first by these parameters.

    They are the first of the program's leaves.
    """
    slopes = gradient_of(recorded.outputs[0], parameters)
    program = batch_program(recorded.inputs, [*recorded.outputs, *slopes])
    registers = {leaf: register for register, leaf in program.leaves.items()}
    program.leaves = {registers[leaf]: leaf for leaf in parameters} | program.leaves
    return program


def _rule_program(stepper: Stepper) -> tuple[Program, list[int]]:
    """The rule as a program from weight, state and gradient to new weight and new state.

    Its leaves are the coefficients that the rule uses; also their indices.
    """
    coefficients = [Value(number) for number in stepper.coefficients()]

    def rule(*numbers: Value) -> list[Operand]:
        weight, *state, gradient = numbers
        settings = tuple(coefficients)
        new_weight, new_state = stepper.rule(weight, gradient, tuple(state), settings, sqrt)
        return [new_weight, *new_state]

    recorded = trace(rule, [()] * (2 + len(stepper.states[0])))
    program = example_program(recorded.inputs, recorded.outputs)
    return program, [coefficients.index(leaf) for leaf in program.leaves.values()]


def _loop(
    gradient: Memory,
    update: Memory,
    table: int,
    new_table: int,
    n_parameters: int,
    width: int,
    n_measures: int,
    n_coefficients: int,
    lanes: int,
) -> str:
    """The loop over steps in LLVM IR. The memory it works on is fixed, so it is written out."""
    vector = f"<{lanes} x double>"
    n_results, n_numbers = n_measures + n_parameters, n_parameters * width
    return f"""
define void @train(i64 %n_steps, ptr %counts, ptr %order, ptr %coefficients, ptr %rows,
                   ptr %n_taken) {{
  %as_they_are = icmp eq ptr %order, null
  br label %begin
begin:
  br label %next
next:
  %step = phi i64 [ 0, %begin ], [ %step.next, %take ]
  %start = phi i64 [ 0, %begin ], [ %start.next, %take ]
  store i64 %step, ptr %n_taken
  %more = icmp ult i64 %step, %n_steps
  br i1 %more, label %gradient, label %end

gradient:
  call void @copy({_pointer(gradient.addresses[0])}, {_pointer(table)}, i64 {n_parameters})
  %order.at = getelementptr i64, ptr %order, i64 %start
  %batch = select i1 %as_they_are, ptr null, ptr %order.at
  %count.at = getelementptr i64, ptr %counts, i64 %step
  %count = load i64, ptr %count.at
  call void {_run(gradient)}, ptr %batch, i64 %count, ptr null)
  %sane = call i1 @all_finite({_pointer(gradient.results)}, i64 {n_results})
  br i1 %sane, label %update, label %end

update:
  %setting = mul i64 %step, {n_coefficients}
  %setting.at = getelementptr double, ptr %coefficients, i64 %setting
  call void @copy({_pointer(update.addresses[0])}, ptr %setting.at, i64 {n_coefficients})
  call void {_run(update)}, ptr null, i64 {n_parameters},
                  {_pointer(new_table)})
  %still_sane = call i1 @all_finite({_pointer(new_table)}, i64 {n_numbers})
  br i1 %still_sane, label %take, label %end

take:
  call void @copy({_pointer(table)}, {_pointer(new_table)}, i64 {n_numbers})
  %row = mul i64 %step, {n_measures}
  %row.at = getelementptr double, ptr %rows, i64 %row
  call void @copy(ptr %row.at, {_pointer(gradient.results)}, i64 {n_measures})
  %step.next = add i64 %step, 1
  %start.next = add i64 %start, %count
  br label %next
end:
  ret void
}}

define internal void @copy(ptr %to, ptr %from, i64 %n) {{
  %bytes = mul i64 %n, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %to, ptr %from, i64 %bytes, i1 false)
  ret void
}}

; x - x is 0 for a finite x, and nan otherwise
define internal i1 @all_finite(ptr %numbers, i64 %n) {{
begin:
  br label %block
block:
  %i = phi i64 [ 0, %begin ], [ %i.next, %block ]
  %so_far = phi {vector} [ zeroinitializer, %begin ], [ %sum, %block ]
  %at = getelementptr double, ptr %numbers, i64 %i
  %x = load {vector}, ptr %at, align 8
  %zero = fsub {vector} %x, %x
  %sum = fadd {vector} %so_far, %zero
  %i.next = add i64 %i, {lanes}
  %more = icmp ult i64 %i.next, %n
  br i1 %more, label %block, label %end
end:
  %finite = fcmp ord {vector} %sum, %sum
  %all = call i1 @llvm.vector.reduce.and.v{lanes}i1(<{lanes} x i1> %finite)
  ret i1 %all
}}

declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare i1 @llvm.vector.reduce.and.v{lanes}i1(<{lanes} x i1>)
"""


def _run(memory: Memory) -> str:
    """The start of a call of the program that this memory belongs to."""
    *pointers, n_columns = memory.addresses
    run = _pointer(machine.address(memory.compiled.run)).removeprefix("ptr ")
    return f"{run}({', '.join(map(_pointer, pointers))}, i64 {n_columns}"


def _pointer(address: int) -> str:
    return f"ptr inttoptr (i64 {address} to ptr)"
