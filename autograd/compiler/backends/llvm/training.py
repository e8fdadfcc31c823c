"""Training without coming back to Python: gradient, update and finite check as one program.

The stepper's rule joins the program of the gradient: each of its operations is a group over all
parameters. The steps are then taken one after another in machine code.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from autograd.compiler.backends.llvm.module import Training
from autograd.compiler.backends.llvm.runtime import Machine, address, describe
from autograd.compiler.columns import Column, read_columns
from autograd.compiler.jit import kept, rolled
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
from autograd.compiler.rolling import lower
from autograd.compiler.trace import gradient_of, leaves_of, trace, trace_rule
from autograd.optim import Stepper
from autograd.value import Operand as Number
from autograd.value import Value


class CompiledTraining:
    """Steps of a stepper on a set of examples, taken in machine code.

    Args:
        objective: takes one example, an argument for each column, and returns a list: first what
            is to be lowered in the mean, then what else is to be measured in passing.
        columns: the examples.
        stepper: moves those of its parameters that the objective reaches, and leaves the others.

    Attributes:
        moved: the indices of the parameters that are moved; `unmoved`, of the others.

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
        self._parameters = parameters = [cast(Value, stepper.parameters[i]) for i in self.moved]
        slopes, _ = gradient_of(recorded.outputs[0], parameters)
        outputs = [*recorded.outputs, *slopes]
        gradient = lower(recorded.inputs, outputs, is_batch=True, leaves=parameters)
        update, settings = trace_rule(stepper)
        rule = lower(update.inputs, update.outputs, is_batch=False)
        self._leaves = gradient.leaves
        self._used = [settings.index(leaf) for leaf in rule.leaves]
        self._n_measured = len(recorded.outputs)
        self._n_state = len(update.outputs) - 1
        self._moves_all = not self.unmoved
        n, n_measured = len(parameters), self._n_measured

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
        """Take a step for each count, on that many examples, starting from the stepper's weights.

        It ends before a step in which a gradient, a measure, a new weight or its state would not
        be finite; and takes none if the objective reaches no parameter.

        Args:
            counts: how many examples each step takes.
            order: the examples of the first step, those of the second, and so on; None if every
                step takes all of them as they are.
            coefficients: those of the stepper for each step, or once for all of them.
            columns: other examples than those that it was made for, of the same shape.

        Returns:
            for each number that the objective returns, its means over the batches of the steps
            that were taken.
        """
        n, n_measured = len(self.moved), self._n_measured
        if not n:
            return [[] for _ in range(n_measured)]
        # the slot behind `data`: asking the property takes four times as long
        leaves = array("d", [leaf._float for leaf in self._leaves])
        states, n_state = self._stepper.states, self._n_state
        moved = states if self._moves_all else [states[i] for i in self.moved]
        numbers = array("d", itertools.chain.from_iterable(moved))
        for i in range(n_state):
            leaves.extend(numbers[i::n_state])
        tables = leaves, leaves[:]
        rows = array("d", bytes(8 * n_measured * len(counts)))
        settings = array("d", [row[i] for row in coefficients for i in self._used])
        sizes, ordered = array("q", counts), array("q", order or ())
        inputs = describe(self._columns if columns is None else columns)
        with self._machine.memory(max(counts)) as memory:
            start = 0 if order is None else address(ordered)
            memory.prepare(address(leaves), inputs, start, max(counts), address(rows))
            memory.set(
                new_w=address(tables[1]),
                settings=address(settings),
                more=len(self._used) if len(coefficients) > 1 else 0,
                n_steps=len(counts),
                n_taken=0,
                counts=address(sizes),
                stays=order is None and max(counts) <= memory.layout.chunk,
            )
            memory.code(memory.frame)
            n_taken = memory.get("n_taken")
            slopes = memory.totals()[n_measured : n_measured + n]
        leaves = tables[n_taken % 2]
        try:
            self._store(leaves, slopes)
        except KeyboardInterrupt:
            self._store(leaves, slopes)  # from the start: no step is ever half taken
            raise
        end = n_taken * n_measured
        return [rows[i:end:n_measured].tolist() for i in range(n_measured)]

    def _store(self, leaves: array[float], slopes: array[float]) -> None:
        n, states = len(self.moved), self._stepper.states
        for parameter, weight, slope in zip(self._parameters, leaves, slopes, strict=False):
            parameter._float = weight
            parameter.grad = slope
        if self._n_state:
            numbers = leaves[len(self._leaves) :]
            for i in range(self._n_state):
                start = len(self._leaves) + i * n
                numbers[i :: self._n_state] = leaves[start : start + n]
            moved = zip(*[iter(numbers)] * self._n_state, strict=True)
            if self._moves_all:
                states[:] = moved
            else:
                for i, state in zip(self.moved, moved, strict=True):
                    states[i] = state


# --- the program of a step ------------------------------------------------------------------------


def step_program(
    gradient: Program, rule: Program, n: int, n_measured: int
) -> tuple[Program, Training]:
    """The program that computes a gradient and from it the new weights and states.

    Args:
        gradient: finds the measures, then the slope of each of its first n leaves.
        rule: finds a new weight and its state, from weight, state and slope.

    Returns:
        a program whose leaves are those of the gradient, then the states of all parameters, the
        first number of each, then the second. It writes what they become into the space `new_w`,
        and reads the leaves of the rule in the space `settings`. And what is to be done with that.
    """
    sizes = {space: gradient.sizes.get(space, 0) for space in "wkcy"}
    n_state = rule.sizes["y"] - 1
    states = [sizes["w"] + i * n for i in range(n_state)]
    shared = sizes["c"]
    of_parameters = shared + rule.sizes.get("c", 0)
    inputs = [("w", 0), *(("w", at) for at in states), ("y", n_measured)]
    results = [0, *states]

    def moved(space: str, at: int) -> Operand:
        """An address of the rule, for the first parameter; and its stride from one to the next."""
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
    """Each row that the items compute, as its target and its expression, written out.

    Args:
        moved: takes a space and an address of the program, and returns the operand there, with its
            stride in the one index that there is.
        around: the indices of the loops around.
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
        extents = [range(integer(extent, around)) for extent in item.dims]
        for place in itertools.product(*extents):
            index = (*around, *place)
            yield operand(item.target, index), expression(item.expression, index)
