"""Training steps by compiled programs: many at once in machine code, or one after the other.

A step in machine code may take only a few microseconds, so whatever can be done once for all steps
of a call is not done for each step.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from autograd import recording
from autograd.compiler.jit import BackendName, jit
from autograd.compiler.step import check_rule
from autograd.gc_pause import gc_paused
from autograd.optim import Stepper
from autograd.training.batches import Steps
from autograd.training.eager import EagerSteps, Measured
from autograd.training.examples import Examples, shape_of
from autograd.training.objective import Objective

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
        self._objective, self._examples, self._optimizer = objective, examples, optimizer
        self._eager = EagerSteps(objective, examples, optimizer)
        self._shapes = _Shapes(objective, examples)
        self._trainings: dict[_Shape, CompiledTraining] = {}
        self._training(self._shapes.of_row[0])

    def take(self, steps: Steps) -> Measured:
        """Take all of these steps; one that is not finite is taken by `EagerSteps`.

        Raises:
            FloatingPointError: as for `EagerSteps`.
        """
        losses: list[float] = []
        shares: list[float] = []
        while steps.rows:
            measured = self._run(self._shapes.alike(steps))
            if not measured[0]:
                measured = self._eager.take(steps.part(0, 1))
            losses += measured[0]
            shares += measured[1]
            steps = steps.part(len(measured[0]))
        return losses, shares

    def _run(self, steps: Steps) -> Measured:
        """Take these steps, on examples of one shape, as long as all stays finite."""
        shapes, optimizer = self._shapes, self._optimizer
        coefficients = []
        for rate in [optimizer.learning_rate] if steps.rates is None else steps.rates:
            optimizer.learning_rate = rate
            coefficients.append(optimizer.coefficients())
        counts = list(map(len, steps.rows))
        order = None  # all examples as they are
        if counts[0] < len(self._examples.X):
            order = list(itertools.chain.from_iterable(steps.rows))
            if len(shapes.rows) > 1:
                order = [shapes.place[row] for row in order]
        training = self._training(shapes.of_row[steps.rows[0][0]])
        losses, shares = training.steps(counts, order, coefficients)
        return losses, shares

    def _training(self, shape: _Shape) -> CompiledTraining:
        """The compiled training for examples of this shape; compiled on first use."""
        from autograd.compiler.backends.llvm.training import CompiledTraining

        if shape not in self._trainings:
            columns = self._examples.batch(self._shapes.rows[shape])
            with gc_paused():  # recording makes many objects
                measured = self._objective.of_one_example(self._optimizer.parameters)
                training = CompiledTraining(measured, columns, self._optimizer)
            self._trainings[shape] = training
        return self._trainings[shape]


class ProgramSteps(EagerSteps):
    """Takes steps with the gradient by a compiled program, and the update by `step()` itself.

    A step that is not finite is taken on Values.
    """

    def __init__(
        self, objective: Objective, examples: Examples, optimizer: Stepper, backend: BackendName
    ) -> None:
        super().__init__(objective, examples, optimizer)
        self._shapes = _Shapes(objective, examples)
        self._measured = jit(objective.of_one_example(optimizer.parameters), backend)
        self._measured.recorded(*examples.batch(range(1)))  # now, so that a mistake shows at once

    def _take(self, rows: Sequence[int], number: int, per_epoch: int) -> tuple[float, float]:
        optimizer = self._optimizer
        self._shapes.of_batch(rows)
        optimizer.zero_grad()
        loss, share = self._measured.backward_of_first(*self._examples.batch(rows))
        try:
            if not math.isfinite(loss):
                raise FloatingPointError
            optimizer.step()
        except FloatingPointError:
            return super()._take(rows, number, per_epoch)
        return loss, share


class _Shapes:
    """Examples grouped by shape; each shape is compiled separately.

    Attributes:
        of_row: the shapes of each example and its target.
        rows: for each shape, the indices of its examples.
        place: for each example, its index among those of its shape.
    """

    def __init__(self, objective: Objective, examples: Examples) -> None:
        shapes = zip(map(shape_of, examples.X), map(shape_of, examples.Y), strict=True)
        self.of_row: list[_Shape] = list(shapes)
        self.rows: dict[_Shape, list[int]] = {}
        self.place = []
        for row, shape in enumerate(self.of_row):
            alike = self.rows.setdefault(shape, [])
            self.place.append(len(alike))
            alike.append(row)
        with recording.no_grad():  # a loss refuses a wrong target here: compiled, it cannot
            for rows in self.rows.values():
                prediction = objective.model(examples.X[rows[0]])
                for target in {repr(y): y for y in (examples.Y[row] for row in rows)}.values():
                    objective.loss(prediction, target)

    def alike(self, steps: Steps) -> Steps:
        """The first of these steps, as many as have examples of one shape."""
        if len(self.rows) == 1:
            return steps
        _, run = next(itertools.groupby(map(self.of_batch, steps.rows)))
        return steps.part(0, len(list(run)))

    def of_batch(self, rows: Sequence[int]) -> _Shape:
        """The shape of the examples of a batch, which have to be alike."""
        shape = self.of_row[rows[0]]
        for row in rows:
            if self.of_row[row] != shape:
                raise ValueError(
                    f"fit: a compiled batch holds examples of one shape, but those of rows "
                    f"{rows[0]} and {row} have {shape} and {self.of_row[row]} (ragged); "
                    f"train with batch_size=1, or eager"
                )
        return shape
