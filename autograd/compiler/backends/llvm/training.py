"""`CompiledTraining`: many training steps in one call of machine code, for `fit` and `jit_step`.

The rule of the stepper is added to the program of the gradient, each of its operations as a group
over all parameters. That program is one step, with the check that its numbers are finite.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from autograd.compiler.backends.llvm.module import Training
from autograd.compiler.backends.llvm.runtime import Machine, Memory, address, chunk_of, pack
from autograd.compiler.columns import Column, read_columns
from autograd.compiler.jit import kept, rolled
from autograd.compiler.pipeline import lower
from autograd.compiler.program import (
    Apply,
    Expression,
    Group,
    Integer,
    Item,
    Loop,
    Operand,
    Program,
    Reduce,
    Run,
    Term,
)
from autograd.compiler.trace import leaves_of, trace, trace_rule
from autograd.optim import Stepper
from autograd.value import Operand as Number
from autograd.value import Value


class CompiledTraining:
    """Steps of a stepper on a set of examples, taken in machine code.

    Weights and states stand side by side in two arrays, of which a step reads one and writes the
    other. Weights are read from the parameters before the steps and written back after them. States
    stay in the array until `stepper.states` is asked for.

    Args:
        objective: takes one example, an argument for each column, and returns a list: first the
            loss, whose mean is to be lowered, then further quantities to be measured.
        columns: the examples.
        stepper: updates those of its parameters that the objective depends on, not the others.

    Attributes:
        moved: the indices of the parameters that are moved; `unmoved`, of the others.
        parameters: those that are moved.

    Raises:
        TypeError: if the rule does not return a weight and as many numbers of state as it is given.
    """

    def __init__(
        self,
        objective: Callable[..., list[Number]],
        columns: Sequence[Any],
        stepper: Stepper,
    ) -> None:
        self._stepper = stepper
        are_read = all(isinstance(column, Column) for column in columns)
        self._columns: list[Column] = list(columns) if are_read else read_columns(columns)
        recorded = trace(objective, [column.shape for column in self._columns])
        reached = set(leaves_of(recorded.outputs[0]))
        self.moved = [i for i, p in enumerate(stepper.parameters) if p in reached]
        self.unmoved = [i for i, p in enumerate(stepper.parameters) if p not in reached]
        self.parameters = parameters = [cast(Value, stepper.parameters[i]) for i in self.moved]
        gradient = lower(recorded.inputs, recorded.outputs, True, parameters, parameters)
        update, settings = trace_rule(stepper)
        rule = lower(update.inputs, update.outputs, is_batch=False)
        self._others = gradient.leaves[len(parameters) :]
        self._used = [settings.index(leaf) for leaf in rule.leaves]
        self._n_measured = len(recorded.outputs)
        self._n_state = len(update.outputs) - 1
        n, n_measured = len(parameters), self._n_measured
        size = len(gradient.leaves) + n * self._n_state
        self._tables = np.zeros(size), np.zeros(size)
        self._addresses = address(self._tables[0]), address(self._tables[1])
        self._memories: dict[int, Memory] = {}
        self._memory: Memory | None = None  # of the latest step
        self._has_slopes = False
        self._unmoved_states: list[Any] = []

        def compile_step() -> Machine:
            return Machine(*step_program(rolled(gradient), rolled(rule), n, n_measured))

        self._machine = kept(("step", gradient.key, rule.key, n), compile_step)

    def steps(
        self,
        counts: Sequence[int],
        order: Sequence[int] | None,
        coefficients: Sequence[Sequence[float]],
        columns: Sequence[Column] | None = None,
    ) -> list[list[float]]:
        """Take a step for each count, on that many examples, from the parameters' current weights.

        See `run` for arguments and results. If the objective depends on no parameter, no step is
        taken.
        """
        if not self.moved:
            return [[] for _ in range(self._n_measured)]
        self.load_weights()
        self.load_states()
        try:
            measured = self.run(counts, order, coefficients, columns)
            self.store()
        except KeyboardInterrupt:
            self.store()  # from the start: no step is ever half taken
            raise
        return measured

    def _now(self) -> int:
        """The index of the array with the current weights and states, the one written last.

        Machine code swaps the two arrays at each step, so that Ctrl-C never leaves half a step.
        """
        return int(self._memory is not None and self._memory.get("w") == self._addresses[1])

    def load_weights(self) -> None:
        """Read the weights of the parameters."""
        # the slot behind `data`: asking the property takes four times as long
        pack([parameter._float for parameter in self.parameters], self._tables[self._now()])
        self._has_slopes = False

    def load_states(self) -> None:
        """Read the states of the stepper, unless they are in memory already."""
        if self._stepper.deferred_states == self._write_states:
            return
        states = self._stepper.states
        self._unmoved_states = list(states) if self.unmoved else []
        moved = [states[i] for i in self.moved] if self.unmoved else states
        rows = np.fromiter(itertools.chain.from_iterable(moved), float)
        columns = rows.reshape(len(moved), -1).T if moved else rows
        now = self._tables[self._now()]
        now[len(now) - columns.size :] = columns.reshape(-1)
        self._stepper.defer_states(self._write_states)

    def _write_states(self, states: list[Any]) -> None:
        """Fill an empty list with the states of all parameters."""
        n, now = len(self.parameters), self._tables[self._now()]
        numbers = now[len(now) - n * self._n_state :].reshape(-1, n).tolist()
        rows = zip(*numbers, strict=True) if numbers else [()] * n
        if self.unmoved:
            of_moved = dict(zip(self.moved, rows, strict=True))
            rows = [of_moved.get(i, state) for i, state in enumerate(self._unmoved_states)]
        states[:] = rows

    def store(self) -> None:
        """Write weights and gradients to the parameters, if a step was tried since they were read.

        May be interrupted, and called again.
        """
        if self._memory is None or not self._has_slopes:
            return
        n, first = len(self.parameters), self._n_measured
        weights = self._tables[self._now()][:n].data
        slopes = self._memory.results[first : first + n].data
        parameter: Value  # a memoryview makes its floats one by one, in half the time of lists
        for parameter, parameter._float, parameter.grad in zip(  # noqa: B007 - for speed
            self.parameters, weights, slopes, strict=True
        ):
            pass

    def run(
        self,
        counts: Sequence[int],
        order: Sequence[int] | None,
        coefficients: Sequence[Sequence[float]],
        columns: Sequence[Column] | None = None,
    ) -> list[list[float]]:
        """Take a step for each count, on that many examples, from the weights that were read.

        It stops before a step in which a gradient, a result, a new weight or its state would not be
        finite.

        Args:
            counts: how many examples each step takes.
            order: the indices of the examples, for all steps in sequence; None if every step takes
                all examples in their order.
            coefficients: the stepper's coefficients for each step, or one row for all steps.
            columns: examples to use in place of the original ones, of the same shape.

        Returns:
            for each number that the objective returns, its mean over the batch at each step taken.
        """
        n, n_measured, most = len(self.parameters), self._n_measured, max(counts)
        if self._others:
            for table in self._tables:
                pack([leaf._float for leaf in self._others], table, n)
        rows = array("d", bytes(8 * n_measured * len(counts)))
        settings = array("d", [row[i] for row in coefficients for i in self._used])
        sizes, ordered = array("q", counts), None if order is None else array("q", order)
        chunk, now = chunk_of(most), self._now()
        memory = self._memories.get(chunk)
        if memory is None:
            memory = self._memories[chunk] = self._machine.memory(most)[0]
        inputs = self._columns if columns is None else columns
        memory.prepare(inputs, most, ordered)
        memory.set(
            w=self._addresses[now],
            rows=address(rows),
            new_w=self._addresses[1 - now],
            settings=address(settings),
            more=len(self._used) if len(coefficients) > 1 else 0,
            n_steps=len(counts),
            n_taken=0,
            counts=address(sizes),
            stays=order is None and most <= chunk,
        )
        self._memory, self._has_slopes = memory, True
        memory.run()
        end = memory.get("n_taken") * n_measured
        return [rows[i:end:n_measured].tolist() for i in range(n_measured)]


# --- the program of a step ------------------------------------------------------------------------


def step_program(
    gradient: Program, rule: Program, n: int, n_measured: int
) -> tuple[Program, Training]:
    """The program that computes a gradient, and from it the new weights and states.

    Args:
        gradient: computes the measures, then the derivative with respect to each of its first n
            leaves, the parameters.
        rule: computes a new weight and its new state from weight, state and derivative.
        n: the number of parameters.
        n_measured: the number of measures.

    Returns:
        the program, and how to use it for training. Its leaves are those of the gradient, then the
        states of all parameters: the first number of each, then the second. It writes the new
        weights and states into the space `new_w`, and reads the leaves of the rule in `settings`.
    """
    sizes = {space: gradient.sizes.get(space, 0) for space in "wkcy"}
    n_state = rule.sizes["y"] - 1
    states = [sizes["w"] + i * n for i in range(n_state)]
    shared = sizes["c"]
    of_parameters = shared + rule.sizes.get("c", 0)
    inputs = [("w", 0), *(("w", at) for at in states), ("y", n_measured)]
    results = [0, *states]

    def moved(space: str, at: int) -> Operand:
        """The first parameter's operand for an address of the rule, with its stride to the next."""
        match space:
            case "x":
                return Operand(*inputs[at], (1,))
            case "y":
                return Operand("new_w", results[at], (1,))
            case "v":
                return Operand("c", of_parameters + at * n, (1,))
            case "c":
                return Operand("c", shared + at, (0,))
            case "k":
                return Operand("k", sizes["k"] + at, (0,))
        return Operand("settings", at, (0,))

    once = [Group((1,), *row) for row in _rows(rule, rule.once, moved)]
    each = [Group((n,), *row) for row in _rows(rule, rule.each, moved)]
    step = replace(
        gradient,
        after=(*gradient.after, *once, *each),
        constants=gradient.constants + rule.constants,
        sizes={
            **gradient.sizes,
            "w": sizes["w"] + n_state * n,
            "k": sizes["k"] + rule.sizes.get("k", 0),
            "c": of_parameters + rule.sizes.get("v", 0) * n,
        },
        key="",
    )
    checked = ("y", 0, sizes["y"]), *(("new_w", at, n) for at in results)
    return step, Training(n_measured, checked)


def _rows(
    program: Program,
    items: Iterable[Item],
    moved: Callable[[str, int], Operand],
    around: tuple[int, ...] = (),
) -> Iterator[tuple[Operand, Expression]]:
    """The rows that the items compute, unrolled: pairs of target and expression.

    Args:
        moved: takes a space and an address of the program, and returns the operand there, with its
            stride in the only remaining index.
        around: the values of the indices of the enclosing loops.
    """

    def integer(x: Integer, index: Sequence[int]) -> int:
        if isinstance(x, int):
            return x
        steps = sum(a * i for a, i in zip(x.strides, index, strict=False))
        return program.table[integer(x.at, index) + steps]

    def operand(x: Operand, index: Sequence[int], *more: int) -> Operand:
        steps = sum(integer(a, index) * i for a, i in zip(x.strides, index, strict=True))
        found = moved(x.space, integer(x.base, index) + steps)
        return replace(found, strides=(*found.strides, *more))

    def turn(terms: Iterable[Term], index: Sequence[int]) -> Run:
        fixed = [replace(t, factors=tuple(operand(x, index, 0) for x in t.factors)) for t in terms]
        return Run(1, tuple(fixed))

    def expression(x: Expression, index: tuple[int, ...]) -> Expression:
        match x:
            case Operand():
                return operand(x, index)
            case Apply(primitive=name, args=args):
                return Apply(name, tuple(expression(arg, index) for arg in args))
            case Reduce(first=first, runs=runs):
                turns = [(run, i) for run in runs for i in range(integer(run.count, index))]
                total = tuple(turn(run.terms, (*index, i)) for run, i in turns)
                return Reduce(None if first is None else expression(first, index), total)
        return x

    for item in items:
        if isinstance(item, Loop):
            for i in range(integer(item.count, around)):
                yield from _rows(program, item.body, moved, (*around, i))
            continue
        assert isinstance(item, Group)  # the rule of a stepper has no scans
        extents = [range(integer(extent, around)) for extent in item.dims]
        for place in itertools.product(*extents):
            index = (*around, *place)
            yield operand(item.target, index), expression(item.expression, index)
