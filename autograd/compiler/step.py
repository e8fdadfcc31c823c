"""`jit_step`: a step of training as one compiled program, called from an ordinary loop.

>>> step = jit_step(lambda x, y: hinge(model(x), y), optimizer)
>>> for X, Y in batches_of_data:
...     loss = step(X, Y)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn

from autograd.compiler.columns import Column, read_columns
from autograd.compiler.jit import Cache, checked_backend
from autograd.functions import mean
from autograd.locks import fork_safe_lock
from autograd.optim import Stepper


def jit_step(loss: Callable[..., Any], optimizer: Stepper) -> CompiledStep:
    """Compile a step of training: gradient, update and a check that all is finite, in one program.

    `step = jit_step(loss, optimizer)` takes the place of three lines: `step(X, Y)` does the same as
    `optimizer.zero_grad()`, `value = jit(loss).backward(X, Y)` and `optimizer.step()`, and returns
    `value`, the mean of the loss over the examples before the step. Parameters are read at each
    call, and written back with their `grad` before it returns, so that they may be looked at,
    changed, saved or copied between two calls; so may the optimizer's states, its `learning_rate`
    and its other settings.

    Many steps take less time in a block, which reads the parameters on entry and writes them back
    on exit, even after an exception:

        with step:
            for X, Y in batches:
                loss = step(X, Y)

    Parameters may be read and set inside the block as well: access to a number or a `grad` first
    writes all of them back, and the next step reads them again. That takes as long as leaving and
    entering the block, so do it now and then, not at every step. (Until then `type(parameter)` is a
    subclass of its class. One thread at a time may use the parameters.)

    The loss is recorded as by `jit`, once for each shape of example. Parameters that it does not
    depend on are unchanged, with `grad` None after a step.

    Args:
        loss: takes one example, an argument for each column, and returns a Value.
        optimizer: a stepper; its rule is compiled with the gradient.

    Raises:
        TypeError: if the loss or the optimizer's rule cannot be compiled.
        ImportError: without llvmlite.
    """
    if not callable(loss):
        raise TypeError(
            f"jit_step: expected a function, got {loss!r} of type {type(loss).__name__}"
        )
    check_rule(optimizer, "jit_step", "or call its step() after jit(loss).backward(...)")
    checked_backend("llvm", "jit_step")
    return CompiledStep(loss, optimizer)


class CompiledStep:
    """A compiled step of training, taken by calling it. See `jit_step`."""

    def __init__(self, loss: Callable[..., Any], optimizer: Stepper) -> None:
        self._loss = loss
        self._optimizer = optimizer
        self._lock = fork_safe_lock()
        self._trainings = Cache()
        self._is_open = False
        self._held: Any = None  # the training whose parameters are held
        self._kinds: dict[type, type] = {}  # of held parameters, by the class that they had

    @property
    def loss(self) -> Callable[..., Any]:
        """The function that is compiled."""
        return self._loss

    @property
    def optimizer(self) -> Stepper:
        """The stepper whose rule is compiled."""
        return self._optimizer

    def __repr__(self) -> str:
        return f"jit_step({self.loss!r}, {self.optimizer!r})"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refused: machine code belongs to this process."""
        raise TypeError(
            f"{self!r} cannot be copied or pickled: it holds machine code of this process; copy or "
            f"pickle its `loss` and `optimizer` together, and call jit_step on them again"
        )

    def __call__(self, *columns: Any) -> float:
        """Take a step on these examples; returns the mean of the loss before it.

        Args:
            columns: one per argument: a sequence of numbers, or of rows, or a NumPy array.

        Raises:
            TypeError, ValueError: for columns that hold anything but numbers, or are ragged, empty
                or of different length; or if the loss cannot be compiled (see `jit`).
            RuntimeError: if the loss depends on no parameter of the optimizer.
            FloatingPointError: if the loss, a gradient, a new weight or its state would not be
                finite. Then no weight and no state has changed.
        """
        read = read_columns(columns)
        count = read[0].count if read else 1
        with self._lock:
            training = self._training(read)
            if not training.moved:
                raise RuntimeError("jit_step: the loss depends on no parameter of the optimizer")
            for i in training.unmoved:
                self.optimizer.parameters[i].grad = None
            if training is not self._held:
                self._release()
                training.load_weights()
                if self._is_open:
                    self._hold(training)
            training.load_states()
            try:
                (losses,) = training.run([count], None, [self.optimizer.coefficients()], read)
                if not self._is_open:
                    training.store()
            except KeyboardInterrupt:
                if not self._is_open:
                    training.store()  # from the start: no step is ever half taken
                raise
            return losses[0] if losses else self._on_values(read)

    # --- the block, in which machine code has the weights

    def __enter__(self) -> CompiledStep:
        """Begin a block of steps that keeps the weights in machine code."""
        if self._is_open:
            raise RuntimeError(f"{self!r}: this step is in a with block already")
        self._is_open = True
        return self

    def __exit__(self, *_: object) -> None:
        """Write the weights back."""
        self._is_open = False
        self._release()

    def _hold(self, training: Any) -> None:
        """Hold the parameters: their numbers are fetched when needed (see `_held_class`)."""
        self._held = training
        try:
            for parameter in training.parameters:
                kind = type(parameter)
                if kind not in self._kinds:
                    self._kinds[kind] = _held_class(kind, self)
                parameter.__class__ = self._kinds[kind]
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        """Write weights and gradients back, and give the parameters their own classes again."""
        with self._lock:
            held = self._held
            if held is None:
                return
            try:
                self._write_back(held)
            except KeyboardInterrupt:
                self._write_back(held)
                raise
            finally:
                self._held = None

    def _write_back(self, held: Any) -> None:
        kinds = {kind: before for before, kind in self._kinds.items()}
        for parameter in held.parameters:
            kind = type(parameter)
            parameter.__class__ = kinds.get(kind, kind)
        held.store()

    def _training(self, columns: list[Column]) -> Any:
        # a flag selects the rule, which is compiled; other settings are passed at each step
        flags = [setting for setting in vars(self.optimizer).values() if isinstance(setting, bool)]
        key = (*flags, *[column.shape for column in columns])

        def make() -> Any:
            from autograd.compiler.backends.llvm.training import CompiledTraining

            return CompiledTraining(self._as_list, columns, self.optimizer)

        return self._trainings.get(key, make)

    def _as_list(self, *example: Any) -> list[Any]:
        value = self.loss(*example)
        if isinstance(value, list | tuple):
            kind = type(value).__name__
            raise TypeError(f"jit_step: the loss returned a {kind}; it needs one Value to follow")
        return [value]

    def _on_values(self, columns: list[Column]) -> float:
        """Take the same step on Values.

        It raises an error that says what is not finite, or succeeds, if only an unselected branch
        made the compiled gradient nan.
        """
        rows = zip(*[column.rows() for column in columns], strict=True)
        value = mean([self.loss(*row) for row in rows]) if columns else self.loss()
        if not math.isfinite(value.data):
            raise FloatingPointError(f"jit_step: the loss is {value.data}")
        self.optimizer.zero_grad()
        value.backward()
        self.optimizer.step()
        return float(value.data)


def _held_class(kind: type, step: CompiledStep) -> type:
    """The class of parameters of this kind while a block of steps holds them.

    Meanwhile compiled code holds their numbers and gradients. The class has properties for both,
    which on access write all of them back, and give the parameters their own classes again.
    """

    def released(name: str) -> property:
        def read(parameter: Any) -> Any:
            step._release()
            return getattr(parameter, name)

        def write(parameter: Any, number: Any) -> None:
            step._release()
            setattr(parameter, name, number)

        return property(read, write)

    def reduce(parameter: Any, protocol: Any) -> Any:
        step._release()
        return parameter.__reduce_ex__(protocol)

    members = {name: released(name) for name in ("_float", "grad")}
    return type(kind.__name__, (kind,), {"__slots__": (), "__reduce_ex__": reduce, **members})


def check_rule(optimizer: object, caller: str, otherwise: str) -> None:
    """Refuse an optimizer whose steps a compiled program cannot take.

    Raises:
        TypeError: if it is no stepper with a rule, or its `step` does more than to apply the rule.
    """
    name = type(optimizer).__name__
    if not isinstance(optimizer, Stepper):
        raise TypeError(
            f"{caller}: {name} states no rule that could be compiled; derive it from ag.Stepper, "
            f"whose update() is that rule, {otherwise}"
        )
    for method in "step", "zero_grad":
        if getattr(optimizer, method) != getattr(Stepper, method).__get__(optimizer):
            raise TypeError(
                f"{caller}: {name} overrides {method}(), which machine code does not call: it "
                f"would train differently; state the rule in update(), {otherwise}"
            )
