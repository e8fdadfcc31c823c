"""`CompiledTraining`: many training steps in one call of machine code, for `fit` and `jit_step`.

A step runs two programs: that of the gradient, and the rule of the stepper, whose examples are the
parameters. Then it checks that their results are finite.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

import numpy as np

from autograd.compiler.backends.llvm.builder import Function, Index
from autograd.compiler.backends.llvm.module import FRAME
from autograd.compiler.backends.llvm.runtime import (
    Machine,
    MachineCode,
    Memory,
    address,
    aligned_zeros,
    chunk_of,
    pack,
)
from autograd.compiler.columns import Column, Numbers, read_columns
from autograd.compiler.jit import executable, executables, rolled
from autograd.compiler.linking import Joined
from autograd.compiler.pipeline import lower
from autograd.compiler.program import Group, Loop, Place, Program
from autograd.compiler.trace import leaves_of, trace, trace_rule
from autograd.optim import Stepper
from autograd.value import Operand, Value


class CompiledTraining:
    """Steps of a stepper on a set of examples, taken in machine code.

    States, weights and the other leaves stand side by side in two arrays, of which a step reads one
    and writes the other. Weights are read from the parameters before the steps and written back
    after them. States stay in the array until `stepper.states` is asked for.

    Args:
        objective: takes one example, an argument for each column, and returns a list: first the
            loss, whose mean is to be lowered, then further quantities to be measured.
        columns: the examples.
        stepper: updates those of its parameters that the objective depends on, not the others.

    Attributes:
        moved: the indices of the parameters that are moved; `unmoved`, of the others.
        parameters: the parameters to train.

    Raises:
        TypeError: if the rule does not return a weight and as many numbers of state as it is given.
    """

    def __init__(
        self,
        objective: Callable[..., list[Operand]],
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
        (weight, *state, slope), (new_weight, *new_state) = update.inputs, update.outputs
        rule = lower([slope, *state, weight], [*new_state, new_weight], is_batch=False)
        n, self._n_measured = len(parameters), len(recorded.outputs)
        self._others = gradient.leaves[n:]
        self._used = [settings.index(leaf) for leaf in rule.leaves]
        self._states = self._n_measured + n  # where they begin, and then the weights
        self._weights = self._states + n * len(state)
        self._tables = [aligned_zeros(self._weights + len(gradient.leaves)) for _ in range(2)]
        self._frame = array("q", bytes(8 * len(STEPS)))
        self._memories: dict[int, Memory] = {}
        self._has_slopes = False
        self._before: list[Any] = []  # the states that were read
        self._machine: Any = executable(gradient, "llvm")
        compiled = executables.get(
            ("rule", rule.key, n), lambda: Machine(of_all_parameters(rolled(rule), n))
        )
        self._rule: Memory = compiled.memory(1)[0]

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

    def _table(self, step: int) -> Numbers:
        """The table that a step of the latest run reads; it writes to the other one.

        Machine code counts the steps, so that Ctrl-C never leaves half a step.
        """
        return self._tables[(self._frame[_START] + step) % 2]

    def _now(self) -> Numbers:
        """The table with the current weights and states, the one written last."""
        return self._table(self._frame[_N_TAKEN])

    def load_weights(self) -> None:
        """Read the weights of the parameters."""
        # the slot behind `data`: asking the property takes four times as long
        pack([parameter._float for parameter in self.parameters], self._now(), self._weights)
        self._has_slopes = False

    def load_states(self) -> None:
        """Read the states of the stepper, unless they are in memory already."""
        if self._stepper.deferred_states == self._read_states:
            return
        self._before = list(self._stepper.states)
        rows = np.array([self._before[i] for i in self.moved], float)
        self._now()[self._states : self._weights] = rows.T.reshape(-1)
        self._stepper.deferred_states = self._read_states

    def _read_states(self) -> list[Any]:
        """The states of all parameters."""
        numbers = self._now()[self._states : self._weights].reshape(-1, len(self.moved))
        states = self._before[:]
        for i, state in zip(self.moved, numbers.T.tolist(), strict=True):
            states[i] = tuple(state)
        return states

    def store(self) -> None:
        """Write weights and gradients to the parameters, if a step was tried since they were read.

        May be interrupted, and called again.
        """
        if not self._has_slopes:
            return
        n, latest = len(self.parameters), min(self._frame[_N_TAKEN], self._frame[_N_STEPS] - 1)
        weights = self._now()[self._weights : self._weights + n].data
        slopes = self._table(latest)[self._n_measured : self._states].data
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
        for table in self._tables if self._others else ():
            pack([leaf._float for leaf in self._others], table, self._weights + n)
        measured = array("d", bytes(8 * n_measured * len(counts)))
        settings = array("d", [row[i] for row in coefficients for i in self._used])
        sizes, ordered = array("q", counts), None if order is None else array("q", order)
        chunk, rule = chunk_of(most), self._rule
        if chunk not in self._memories:
            self._memories[chunk] = self._machine.memory(most)[0]
        memory = self._memories[chunk]
        memory.prepare(self._columns if columns is None else columns, most, ordered)
        given = [
            *(memory.code.address, memory.frame, rule.code.address, rule.frame),
            *map(address, (*self._tables, settings, sizes, measured)),
            *(n_measured, self._states, self._weights, self._weights + n),
            len(self._used) if len(coefficients) > 1 else 0,
            order is None and most <= chunk,
            len(counts),
        ]
        self._frame[: len(given)] = array("q", given)
        self._has_slopes, start = True, time.perf_counter()
        _steps()(address(self._frame))
        memory.code.has_run(start)
        rule.code.has_run(start)
        end = self._frame[_N_TAKEN] * n_measured
        return [measured[i:end:n_measured].tolist() for i in range(n_measured)]


def of_all_parameters(rule: Program, n: int) -> Program:
    """The program for n examples, which are parameters, as a program without examples.

    The number at address `a` of example `i` is at the address a·n + i.
    """
    joined, spaces = Joined(), {}
    for space, size in rule.sizes.items():
        step, stride = (n, 1) if rule.varies(space) else (1, 0)
        spaces[space] = Place(space, joined.room(space, step * size), size, stride, step)
    once = joined.sections["once"]
    once += joined.mover(rule, spaces, 0).items(rule.once)
    for item in joined.mover(rule, spaces, 1).items(rule.each):
        if isinstance(item, Group):
            once.append(replace(item, dims=(n, *item.dims)))
        else:
            once.append(Loop(n, (item,)))
    return joined.program((), rule.leaves, True, rule.key)


# --- the loop over the steps ----------------------------------------------------------------------

STEPS = {
    **dict.fromkeys(("gradient", "frame", "rule", "rule_frame", "table", "other"), "ptr"),
    **dict.fromkeys(("settings", "counts", "rows"), "ptr"),
    **dict.fromkeys(("n_measured", "states", "weights", "end", "more", "stays"), "i64"),
    **dict.fromkeys(("n_steps", "start", "n_taken"), "i64"),
}
"""The arguments of the loop, each in 8 bytes:

    gradient    the code of the gradient, and its `frame`
    rule        the code of the rule, and its `rule_frame`
    table       what a step reads: `n_measured` numbers and the slopes, which the gradient writes;
                from `states` on the states, and from `weights` up to `end` the weights, which the
                rule writes to the `other` one; then other leaves. Steps swap the two
    settings    the leaves of the rule, of which each step has `more`; 0 if they stay the same
    counts      how many examples each step takes
    rows        where to write the measured numbers of each step
    stays       whether all steps take the same examples, which fit into a chunk
    n_steps     how many steps to take
    start       0 if the first step reads `table`, 1 if it reads the other
    n_taken     counts the steps; the loop begins with 0, where the one before has ended
"""

_N_STEPS, _START, _N_TAKEN = (list(STEPS).index(x) for x in ("n_steps", "start", "n_taken"))

WIDE = 16
"""How many numbers are checked side by side: four vectors of most machines. With 1 a step of
training takes 1.11 (demo) and 1.3 times as long (digits), with 4 1.03 and 1.06, with 32 as long."""


@cache
def _steps() -> MachineCode:
    """The loop over the steps; one that finds a nonfinite number changes nothing, and ends it."""
    code, wide, zeros = Function("void @run(ptr %steps)"), f"<{WIDE} x double>", "zeroinitializer"
    given = {
        name: code.let(f"load {kind}, ptr {code.address('%steps', i)}")
        for i, (name, kind) in enumerate(STEPS.items())
    }
    total = code.let(f"add i64 {given['start']}, {given['n_taken']}")
    start = code.let(f"and i64 {total}, 1")

    def slot(frame: str, name: str) -> str:
        return code.address(given[frame], list(FRAME).index(name))

    def step(i: Index) -> list[str]:
        """Take the step unless its results are not finite; returns whether it was taken."""
        is_odd = code.let(f"trunc i64 {code.integer((1, start), (1, i))} to i1")
        first, second = given["table"], given["other"]
        table = code.let(f"select i1 {is_odd}, ptr {second}, ptr {first}")
        other = code.let(f"select i1 {is_odd}, ptr {first}, ptr {second}")
        settings = code.address(given["settings"], code.integer((given["more"], i)))
        count = code.let(f"load i64, ptr {code.address(given['counts'], i)}")
        for frame, name, x in (
            ("frame", "count", f"i64 {count}"),
            ("frame", "w", f"ptr {code.address(table, given['weights'])}"),
            ("frame", "y", f"ptr {table}"),
            ("rule_frame", "w", f"ptr {settings}"),
            ("rule_frame", "x", f"ptr {code.address(table, given['n_measured'])}"),
            ("rule_frame", "y", f"ptr {code.address(other, given['states'])}"),
        ):
            code.do(f"store {x}, ptr {slot(frame, name)}")
        code.do(f"call void {given['gradient']}(ptr {given['frame']})")
        code.do(f"call void {given['rule']}(ptr {given['rule_frame']})")
        sums = add_up(table, 0, given["states"], [zeros])
        sums = add_up(other, given["states"], given["end"], sums)
        total = f"call double @llvm.vector.reduce.fadd.v{WIDE}f64(double 0.0, {wide} {sums[0]})"
        is_finite = code.let(f"fcmp ord double {code.let(total)}, 0.0")
        code.branch(is_finite, lambda: accept(i, table, count))
        return [is_finite]

    def add_up(numbers: str, begin: Index, end: str, sums: Sequence[str]) -> Sequence[str]:
        """Add 0 · x for each number x, so that a sum is nan unless all are finite.

        The last vector ends with the last number; what the first has before is finite, too.
        """

        def add(i: Index, total: str) -> list[str]:
            x = code.let(f"load {wide}, ptr {code.address(numbers, i)}, align 8")
            return [code.let(f"fadd {wide} {total}, {code.let(f'fmul {wide} {x}, {zeros}')}")]

        ahead = code.let(f"and i64 {code.integer((1, begin), (-1, end))}, {WIDE - 1}")
        return code.loop(code.integer((1, begin), (-1, ahead)), end, WIDE, add, sums, wide)

    def accept(i: Index, table: str, count: str) -> None:
        row = code.address(given["rows"], code.integer((given["n_measured"], i)))

        def keep(k: Index) -> None:
            x = code.let(f"load double, ptr {code.address(table, k)}")
            code.do(f"store double {x}, ptr {code.address(row, k)}")

        code.loop(0, given["n_measured"], 1, keep)
        code.do(f"store i64 {code.integer((1, i), (1, 1))}, ptr {n_taken}")
        order = code.let(f"load ptr, ptr {slot('frame', 'order')}")
        following = f"store ptr {code.address(order, count)}, ptr {slot('frame', 'order')}"
        code.branch(code.let(f"icmp ne ptr {order}, null"), lambda: code.do(following))
        stays = code.let(f"icmp ne i64 {given['stays']}, 0")
        code.branch(stays, lambda: code.do(f"store i64 0, ptr {slot('frame', 'n_columns')}"))

    def iterate(i: Index, is_going: str) -> Sequence[str]:
        return code.branch(is_going, lambda: step(i), ["false"], "i1")

    n_taken = code.address("%steps", _N_TAKEN)
    code.do(f"store i64 {start}, ptr {code.address('%steps', _START)}")
    code.do(f"store i64 0, ptr {n_taken}")
    code.loop(0, given["n_steps"], 1, iterate, ["true"], "i1")
    return MachineCode(str(code), [])
