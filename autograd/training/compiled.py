"""Training steps by compiled programs: many at once in machine code, or one after the other.

A step in machine code may take only a few microseconds, so whatever can be done once for all steps
of a chunk is not done for each step.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd import recording
from autograd.compiler.columns import read_columns
from autograd.compiler.jit import executable
from autograd.compiler.pipeline import lower
from autograd.compiler.step import check_rule
from autograd.compiler.trace import leaves_of, trace
from autograd.gc_pause import gc_paused
from autograd.optim import Stepper
from autograd.training.batches import Chunk
from autograd.training.eager import EagerSteps, Rows
from autograd.training.examples import Examples, shape_of
from autograd.training.objective import Objective
from autograd.value import Operand

if TYPE_CHECKING:
    from autograd.compiler.backends.llvm.training import CompiledTraining

_Shape: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""Of an example and its target: () for a number, (2,) for a row of two."""


class MachineSteps:
    """Takes steps in machine code, gradient and update, without coming back to Python.

    Examples of different shapes, such as sentences of different lengths, have a program each.

    Raises:
        TypeError: if the optimizer is no stepper with a rule, or its `step` does more than to
            apply the rule; or if what it trains cannot be compiled.
    """

    runs_ahead = True

    def __init__(self, objective: Objective, examples: Examples, optimizer: Stepper) -> None:
        check_rule(optimizer, "fit", "or train with backend='python', which calls its step()")
        self._objective = _OfOneExample(objective, optimizer)
        self._optimizer = optimizer
        self._eager = EagerSteps(objective, examples, optimizer)
        self._shapes = _Shapes(objective, examples)
        self._trainings: dict[_Shape, CompiledTraining] = {}
        self._training(self._shapes.of_row[0])

    def take(self, chunk: Chunk) -> Rows:
        """Take all of these steps; one that is not finite is taken by `EagerSteps`.

        Raises:
            FloatingPointError: as for `EagerSteps`.
        """
        losses: list[float] = []
        shares: list[float] = []
        while chunk:
            alike = self._shapes.alike(chunk)
            rows: Rows = self._steps(alike) or self._eager.take(chunk.split(1)[0])
            losses += rows[0]
            shares += rows[1]
            chunk = chunk.split(len(rows[0]))[1]
        return losses, shares

    def _steps(self, chunk: Chunk) -> Rows | None:
        """As many of these steps as stay finite; None if the first one does not."""
        coefficients = []
        for rate in chunk.rates or [self._optimizer.learning_rate]:
            self._optimizer.learning_rate = rate
            coefficients.append(self._optimizer.coefficients())
        shape, order = self._shapes.of_row[chunk.order[0] if chunk.order else 0], chunk.order
        if order is not None and len(self._shapes.rows) > 1:
            rows = self._shapes.rows[shape]
            order = [bisect_left(rows, row) for row in order]
        losses, shares = self._training(shape).steps(chunk.counts, order, coefficients)
        return (losses, shares) if losses else None

    def _training(self, shape: _Shape) -> CompiledTraining:
        """The compiled training for examples of this shape; compiled on first use."""
        from autograd.compiler.backends.llvm.training import CompiledTraining

        if shape not in self._trainings:
            columns = self._shapes.columns(self._shapes.rows[shape])
            with gc_paused():  # recording makes many objects
                training = CompiledTraining(self._objective, columns, self._optimizer)
            self._trainings[shape] = training
        return self._trainings[shape]


class ProgramSteps:
    """Takes steps with the gradient by a compiled program, and the update by `step()` itself."""

    runs_ahead = False

    def __init__(
        self, objective: Objective, examples: Examples, optimizer: Stepper, backend: str
    ) -> None:
        self._objective = _OfOneExample(objective, optimizer)
        self._optimizer = optimizer
        self._eager = EagerSteps(objective, examples, optimizer)
        self._shapes = _Shapes(objective, examples)
        self._backend = backend
        self._gradients: dict[_Shape, _Gradient] = {}
        self._gradient(range(1))

    def take(self, chunk: Chunk) -> Rows:
        """Take all of these steps; one that is not finite is taken by `EagerSteps`.

        Raises:
            FloatingPointError: as for `EagerSteps`.
        """
        rows = [self._take(chunk.split(i + 1)[0].split(i)[1]) for i in range(len(chunk))]
        return [row[0] for row in rows], [row[1] for row in rows]

    def _take(self, chunk: Chunk) -> tuple[float, float]:
        """Take one step; returns the objective before it and the share of correct predictions."""
        (planned,) = chunk
        if planned.rate is not None:
            self._optimizer.learning_rate = planned.rate
        gradient = self._gradient(planned.rows)
        loss, share, *slopes = gradient(self._shapes.columns(planned.rows))
        try:
            if not math.isfinite(loss):
                raise FloatingPointError
            self._optimizer.zero_grad()
            for parameter, slope in zip(gradient.moved, slopes, strict=True):
                parameter.grad = slope
            self._optimizer.step()
        except FloatingPointError:
            (losses, shares) = self._eager.take(chunk)
            return losses[0], shares[0]
        return loss, share

    def _gradient(self, rows: Sequence[int]) -> _Gradient:
        """The function for the gradient of a batch of this shape, compiled when first needed."""
        shape = self._shapes.of_rows(rows)
        if shape not in self._gradients:
            batch = self._shapes.columns(rows)
            with gc_paused():  # a graph grows
                gradient = _Gradient(self._objective, batch, self._optimizer, self._backend)
            self._gradients[shape] = gradient
        return self._gradients[shape]


class _Gradient:
    """The objective of a batch with its gradient, compiled.

    Attributes:
        moved: the parameters of the optimizer that the objective depends on.
    """

    def __init__(
        self, objective: _OfOneExample, batch: list[list[Any]], optimizer: Stepper, backend: str
    ) -> None:
        recorded = trace(objective, [column.shape for column in read_columns(batch)])
        reached = set(leaves_of(recorded.outputs[0]))
        self.moved: list[Any] = [p for p in optimizer.parameters if p in reached]
        # a nan is left to Values
        listed = lower(recorded.inputs, recorded.outputs, True, self.moved, self.moved)
        self._leaves = listed.leaves
        self._run = executable(listed, backend)

    def __call__(self, batch: list[list[Any]]) -> Sequence[float]:
        """The objective, the share of correct predictions, and the slope of each parameter."""
        numbers = [leaf.data for leaf in self._leaves]
        found: list[float] = self._run(numbers, read_columns(batch)).tolist()
        return found


class _OfOneExample:
    """The function to compile: the objective of one example, and whether it is predicted right."""

    def __init__(self, objective: Objective, optimizer: Stepper) -> None:
        self._objective = objective
        self._parameters = optimizer.parameters

    def __call__(self, x: Any, y: Any) -> list[Operand]:
        value, predictions = self._objective([x], [y], self._parameters)
        return [value, self._objective.n_correct(predictions, [y])]


class _Shapes:
    """Examples grouped by shape; each shape is compiled separately.

    Attributes:
        of_row: the shapes of each example and its target.
        rows: for each shape, the indices of its examples.
    """

    def __init__(self, objective: Objective, examples: Examples) -> None:
        self._examples = examples
        self.of_row = [
            (shape_of(x), shape_of(y)) for x, y in zip(examples.X, examples.Y, strict=True)
        ]
        self.rows: dict[_Shape, list[int]] = {}
        for row, shape in enumerate(self.of_row):
            self.rows.setdefault(shape, []).append(row)
        with recording.no_grad():  # a loss refuses a wrong target here: compiled, it cannot
            for rows in self.rows.values():
                prediction = objective.model(examples.X[rows[0]])
                for target in {repr(y): y for y in (examples.Y[row] for row in rows)}.values():
                    objective.loss(prediction, target)

    def columns(self, rows: Sequence[int]) -> list[list[Any]]:
        """The inputs of these rows, and their targets."""
        X, Y, _ = self._examples
        return [[X[row] for row in rows], [Y[row] for row in rows]]

    def of_rows(self, rows: Sequence[int]) -> _Shape:
        """The shape of the examples of a batch, which have to be alike."""
        if len(self.rows) > 1:
            for row in rows:
                if self.of_row[row] != self.of_row[rows[0]]:
                    raise ValueError(
                        f"fit: a compiled batch holds examples of one shape, but those of rows "
                        f"{rows[0]} and {row} have {self.of_row[rows[0]]} and {self.of_row[row]} "
                        f"(ragged); train with batch_size=1, or eager"
                    )
        return self.of_row[rows[0]]

    def alike(self, chunk: Chunk) -> Chunk:
        """The first steps of the chunk, as many as have examples of one shape."""
        if len(self.rows) == 1:
            return chunk
        first, *others = (self.of_rows(planned.rows) for planned in chunk)
        n = 1 + sum(1 for _ in itertools.takewhile(lambda shape: shape == first, others))
        return chunk.split(n)[0]
