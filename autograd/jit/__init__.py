"""`jit`: a function of Values, recorded once and compiled for all examples.

    >>> @jit
    ... def loss(x, y):
    ...     return (w * x - y) ** 2
    >>> loss([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])

The way from the one to the other is short, because the gradient of a graph is a graph:

- `tracing` records the function on Values without numbers;
- `grad`, which knows nothing of compilers, adds the gradient to the graph;
- `program` lists the graph, gradient included, one line per primitive;
- `python` and `llvm` spell those lines, one row per primitive, and never see a derivative.
"""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Literal, TypeAlias, overload

from autograd import recording
from autograd.jit import llvm, machine, python
from autograd.jit.columns import Column, read_columns
from autograd.jit.program import Program, batch_program, example_program
from autograd.jit.tracing import Trace, gradient_of, leaves_of, trace
from autograd.value import Value

Backend: TypeAlias = Literal["auto", "python", "llvm"]

Run: TypeAlias = Callable[[Sequence[float], Sequence[Column]], Sequence[float]]
"""A program that was compiled: takes the numbers of the leaves and the columns of the examples,
and returns the results of the batch; or the first result of all examples, then the second, …"""


@overload
def jit(f: Callable[..., Any], backend: Backend = "auto") -> Compiled: ...
@overload
def jit(*, backend: Backend = "auto") -> Callable[[Callable[..., Any]], Compiled]: ...
def jit(f: Any = None, backend: Any = "auto") -> Any:
    """Compile a function of Values, so that it maps over columns of examples at machine speed.

    Also a decorator: `@jit`, or `@jit(backend="python")`. The function is written for one
    example: it takes a Value per argument (or a list of Values, where a column has rows) and
    returns one Value or a list of them. It is recorded at the first call for each shape of
    example, and not called again for that shape.

    What a recording keeps: the operations, and plain numbers as constants. Every leaf it reaches,
    such as a parameter of a model, is read afresh at each call (but a leaf's `data`, taken inside
    of the function, is a plain number and stays as it was). What it refuses: an `if` on a
    comparison of Values, or the number of an input; use `maximum`, `relu` or `where`. (`==` is no
    comparison of numbers, here as elsewhere: it asks whether two Values are the same node.)

    Args:
        f: the function, or anything callable, such as a model.
        backend: "python" (generated source), "llvm" (machine code; needs llvmlite), or "auto",
            which is "llvm" where llvmlite is installed.

    Raises:
        TypeError: if `f` cannot be called.
        ValueError: for an unknown backend.
        ImportError: for "llvm" without llvmlite.
    """
    if f is None:
        return lambda f: jit(f, backend)
    return Compiled(f, backend)


class Compiled:
    """A compiled function: calls map it over examples. See `jit`."""

    def __init__(self, f: Callable[..., Any], backend: Backend = "auto") -> None:
        if not callable(f):
            raise TypeError(f"jit: expected a function, got {f!r} of type {type(f).__name__}")
        functools.update_wrapper(self, f, updated=())
        self.function = f
        self.backend = _checked_backend(backend)
        self._lock = threading.RLock()
        self._recordings: dict[tuple[tuple[int, ...], ...], _Recording] = {}
        self._latest: _Recording | None = None

    def __repr__(self) -> str:
        return f"<jit of {self.function!r}, backend {self.backend!r}>"

    def __call__(self, *columns: Any) -> Any:
        """The function of each example, as a list, or as a NumPy array where a column is one.

        Args:
            columns: one per argument: a sequence of numbers, or of rows, or a NumPy array.

        Raises:
            TypeError, ValueError: for columns that hold anything but numbers, or are ragged, empty
                or of different length; or if the function cannot be compiled (see `jit`).
        """
        if recording.is_tracing():  # called by another function that is being compiled
            return self.function(*columns)
        read = read_columns(columns)
        recorded = self._recorded(read)
        with self._lock:
            run = recorded.values
        results = run(read)
        width, count = len(recorded.trace.outputs), read[0].count
        if any(column.is_array for column in read):
            import numpy as np

            array = np.array(results).reshape(width, count)
            return array.T if recorded.trace.returned_list else array[0]
        if recorded.trace.returned_list:
            return [list(results[i::count]) for i in range(count)]
        return list(results)

    def mean(self, *columns: Any) -> Any:
        """The mean of the function over the examples; of a list, the list of means."""
        read = read_columns(columns)
        recorded = self._recorded(read)
        with self._lock:
            run = recorded.mean
        means = run(read)
        return list(means) if recorded.trace.returned_list else means[0]

    def backward(self, *columns: Any) -> float:
        """The mean over the examples; adds its gradient to the `grad` of every leaf it reaches.

        Raises:
            TypeError: if the function returns a list.
        """
        read = read_columns(columns)
        recorded = self._recorded(read)
        with self._lock:
            run = recorded.gradient
        mean, *gradient = run(read)
        for leaf, slope in zip(recorded.leaves, gradient, strict=True):
            leaf.grad = slope if leaf.grad is None else leaf.grad + slope
        return mean

    @property
    def program(self) -> Program:
        """The linear program for the shape of example of the latest call.

        It is that of `backward` where the function returns one Value, with the gradient in it.
        """
        if self._latest is None:
            raise RuntimeError(
                f"{self!r} has no program yet: it is recorded at its first call, for the shape of "
                f"the examples given"
            )
        with self._lock:
            return self._latest.program

    @property
    def source(self) -> str:
        """The program as Python, whatever the back end."""
        return python.source(self.program)

    @property
    def llvm(self) -> str:
        """The program as LLVM IR for this machine, whatever the back end; needs llvmlite."""
        return llvm.source(self.program, machine.lanes())

    def _recorded(self, columns: list[Column]) -> _Recording:
        shapes = tuple(column.shape for column in columns)
        with self._lock:
            if shapes not in self._recordings:
                recorded = _Recording(trace(self.function, shapes), self.backend)
                self._recordings[shapes] = recorded
            self._latest = self._recordings[shapes]
            return self._latest


class _Recording:
    """A function recorded for one shape of example, and what was compiled of it so far."""

    def __init__(self, trace: Trace, backend: str) -> None:
        self.trace = trace
        self.backend = backend

    @cached_property
    def values(self) -> _Executable:
        return _Executable(example_program(self.trace.inputs, self.trace.outputs), self.backend)

    @cached_property
    def mean(self) -> _Executable:
        return _Executable(batch_program(self.trace.inputs, self.trace.outputs), self.backend)

    @cached_property
    def gradient(self) -> _Executable:
        """The mean, and after it the gradient of the mean with respect to each of `leaves`."""
        if self.trace.returned_list:
            raise TypeError("backward: the function returns a list; it needs one Value to follow")
        (output,) = self.trace.outputs
        slopes = gradient_of(output, self.leaves)
        program = batch_program(self.trace.inputs, [output, *slopes])
        return _Executable(program, self.backend)

    @cached_property
    def leaves(self) -> list[Value]:
        """The leaves that the output reaches, inputs aside."""
        return leaves_of(self.trace.outputs[0])

    @property
    def program(self) -> Program:
        return (self.values if self.trace.returned_list else self.gradient).program


class _Executable:
    """A compiled program, and the leaves whose numbers it reads at each call."""

    def __init__(self, program: Program, backend: str) -> None:
        self.program = program
        self.leaves = list(program.leaves.values())
        self.run = _BACKENDS[backend](program)

    def __call__(self, columns: list[Column]) -> Sequence[float]:
        # the slot behind `data`: asking the property takes four times as long
        return self.run([leaf._float for leaf in self.leaves], columns)


_BACKENDS: dict[str, Callable[[Program], Run]] = {
    "python": python.compile_program,
    "llvm": llvm.compile_program,
}


def _checked_backend(backend: str) -> str:
    if backend not in ("auto", "python", "llvm"):
        raise ValueError(f"jit: backend must be 'auto', 'python' or 'llvm', got {backend!r}")
    has_llvm = importlib.util.find_spec("llvmlite") is not None
    if backend == "llvm" and not has_llvm:
        raise ImportError(
            "jit: backend 'llvm' needs llvmlite; pip install 'scalar-autograd[jit]', "
            "or choose backend 'python'"
        )
    return ("llvm" if has_llvm else "python") if backend == "auto" else backend
