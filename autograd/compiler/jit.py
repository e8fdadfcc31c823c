"""`jit`: a function of Values, recorded once and compiled for all examples.

    >>> @jit
    ... def loss(x, y):
    ...     return (w * x - y) ** 2
    >>> loss([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])

From a call to its result:

- `columns` checks the arguments and stores them as flat arrays;
- `trace` records the function on Values without numbers;
- `pipeline` makes a `Program` of the graph, in which the loops that the recording unrolled are
  loops again; `reverse` appends the gradient, by the rules of the table;
- a back end translates the program and runs it. It has code for each primitive, and never sees a
  derivative.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
import math
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MethodType
from typing import Any, Literal, NoReturn, TypeAlias, cast, overload

from autograd import recording
from autograd.compiler.backends import c, javascript, jax, llvm, python
from autograd.compiler.columns import Column, Numbers, read_columns
from autograd.compiler.interpreter import interpreter, most_calls
from autograd.compiler.pipeline import Lowered, lower, roll
from autograd.compiler.program import Backend, Executable, Program
from autograd.compiler.trace import Trace, leaves_of, trace
from autograd.gc_pause import gc_paused
from autograd.locks import cached, fork_safe_lock
from autograd.recording import Selection
from autograd.value import Value, topological_order

BackendName: TypeAlias = Literal["auto", "python", "llvm", "jax"]

BACKENDS: dict[str, Backend] = {
    backend.name: backend
    for backend in (python.BACKEND, llvm.BACKEND, c.BACKEND, javascript.BACKEND, jax.BACKEND)
}
"""Every way to print a program; those with `compile` can run it as well."""


Axes: TypeAlias = int | Sequence[int | None] | None
"""Of one argument or of all: 0 for a column of examples, None for what all examples share."""


@overload
def jit(f: Callable[..., Any], backend: BackendName = "auto", in_axes: Axes = 0) -> Compiled: ...
@overload
def jit(
    *, backend: BackendName = "auto", in_axes: Axes = 0
) -> Callable[[Callable[..., Any]], Compiled]: ...
def jit(f: Any = None, backend: Any = "auto", in_axes: Axes = 0) -> Any:
    """Compile a function of Values, so that it maps over columns of examples at machine speed.

    Also a decorator, `@jit` or `@jit(backend="python")`, for methods too. The function is written
    for one example: it takes a Value per argument (or a list of Values, where a column has rows)
    and returns one Value, or lists and tuples of them. It is recorded at the first call for each
    shape of example, and not called again for that shape. A function without arguments is computed
    once a call.

    With `in_axes=None` the arguments are not columns: `f(x)` evaluates the function at one point,
    as without `jit`, and an array is passed to `f` as an array. A tuple has one of the two for each
    argument: with `in_axes=(0, None)` the first has an element for each example, and the second is
    the same for all of them (as in `jax.vmap`).

    The recording consists of operations, with plain numbers as constants. The leaves it reaches,
    such as the parameters of a model, are read at each call. Everything else is fixed when `f` is
    recorded: a plain number that changes later, an object that is replaced by another, the `data`
    of a leaf. Use a leaf or an argument for whatever is to change.

    An `if` on a comparison of Values raises an error, and so does reading the number of an input or
    a result; use `maximum`, `relu` or `where`, and `take` for `rows[index]`. (`==` does not compare
    numbers, here as elsewhere: it tests whether two Values are the same node.)

    Args:
        f: the function, or anything callable, such as a model.
        backend: "python" (generated source), "llvm" (machine code; needs llvmlite), "jax" (XLA;
            needs jax), or "auto", which is "llvm" where llvmlite is installed, else "python".
            With "auto" the first calls at a single point are interpreted, to the same numbers,
            because a program takes longer to compile.
        in_axes: 0 if the arguments are columns of examples, None if they are not; or one of the two
            for each argument.

    Raises:
        TypeError: if `f` cannot be called.
        ValueError: for an unknown backend, or other axes than 0 and None.
        ImportError: for a back end that is not installed.
    """
    if f is None:
        return lambda f: jit(f, backend, in_axes)
    return Compiled(f, backend, in_axes)


class Compiled:
    """A compiled function: calls map it over examples. See `jit`."""

    __name__: str

    def __init__(
        self, f: Callable[..., Any], backend: BackendName = "auto", in_axes: Axes = 0
    ) -> None:
        if not callable(f):
            raise TypeError(f"jit: expected a function, got {f!r} of type {type(f).__name__}")
        functools.update_wrapper(self, f, updated=())
        self.function = f
        self._traced = f
        self.backend = checked_backend(backend)
        self._requested = backend
        self.in_axes = _checked_axes(in_axes)
        self._recordings = Cache()
        self._of_object: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<jit of {self.function!r}, backend {self.backend!r}>"

    def __get__(self, instance: Any, owner: type | None = None) -> Compiled:
        """The compiled method of an object, which has recordings of its own."""
        if instance is None:
            return self
        method = MethodType(self.function, instance)
        bound = Compiled(method, self._requested, self.in_axes)
        try:
            kept = self._of_object.setdefault(instance, bound._recordings)
            bound._traced = _without_object(method)
        except (TypeError, ValueError):  # no weak reference, no hash or no signature
            return bound
        bound._recordings = kept
        return bound

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refused: machine code belongs to this process."""
        raise TypeError(
            f"{self!r} cannot be copied or pickled: it holds a recording and machine code of this "
            f"process; copy or pickle the function (`.function`), and call jit on it again"
        )

    def __call__(self, *columns: Any) -> Any:
        """The function of each example, as a list, or as a NumPy array where a column is one.

        Without columns, just its result.

        Args:
            columns: one per argument: a sequence of numbers, or of rows, or a NumPy array; and an
                argument as the function itself takes it where `in_axes` is None.

        Raises:
            TypeError, ValueError: for columns that hold anything but numbers, or are ragged, empty
                or of different length; or if the function cannot be compiled (see `jit`).
        """
        if recording.is_tracing():  # called by another function that is being compiled
            return self.function(*columns)
        read = read_columns(columns, self.in_axes)
        recorded = self._recorded(read)
        results, form = recorded.values(read), recorded.trace.form
        count, is_array = None, False
        for column in read:
            is_array |= column.is_array
            if not column.is_constant:
                count = column.count
        if is_array and count is not None:
            return _stacked(form, results.reshape(-1, count))[0]
        if is_array and form is not None:
            return _stacked(form, results)[0]
        numbers = results.tolist()
        if count is None:
            return _filled(form, iter(numbers))
        if form is None:
            return numbers
        return [_filled(form, iter(numbers[i::count])) for i in range(count)]

    def mean(self, *columns: Any) -> Any:
        """The mean of the function over the examples; of a list, the list of means."""
        read = read_columns(columns, self.in_axes)
        recorded = self._recorded(read)
        form = recorded.trace.form
        means = recorded.mean(read).tolist()
        return _filled(list(form) if isinstance(form, tuple) else form, iter(means))

    def backward(self, *columns: Any) -> float:
        """The mean over the examples; adds its gradient to the `grad` of every leaf it reaches.

        Raises:
            TypeError: if the function returns a list.
        """
        read = read_columns(columns, self.in_axes)
        recorded = self._recorded(read)
        if recorded.trace.form is not None:
            raise TypeError("backward: the function returns a list; it needs one Value to follow")
        return recorded.backward(read)[0]

    def backward_of_first(self, *columns: Any) -> list[float]:
        """The means of the list that the function returns; adds the gradient of the first one."""
        read = read_columns(columns, self.in_axes)
        return self._recorded(read).backward(read)

    @property
    def program(self) -> Program:
        """The program for the example shape of the latest call.

        If the function returns one Value, this is the program of `backward`, gradient included.
        Where it finds a nan, or could miss one because it is only compared, a call runs a second
        program, whose gradients ignore unselected branches. The second one is shown here if
        unselected branches can give nan by themselves; the first, if that takes an infinite input
        or leaf, an overflow (such as x·x at 1e200), an invalid index of `take` (or another nan that
        the function selects), or a function of the selected operand that is infinite there (such as
        log(relu(x)) at -1).
        """
        return cast(_Recording, self._recordings.latest(self)).main.printed

    @property
    def source(self) -> str:
        """The program as Python, whatever the back end."""
        return BACKENDS["python"].source(self.program)

    @property
    def c(self) -> str:
        """The program as C99, for one example."""
        return BACKENDS["c"].source(self.program)

    @property
    def javascript(self) -> str:
        """The program as a JavaScript module."""
        return BACKENDS["javascript"].source(self.program)

    @property
    def jax(self) -> str:
        """The program as traced by jax (a jaxpr); needs jax."""
        return BACKENDS["jax"].source(self.program)

    @property
    def llvm(self) -> str:
        """The program as LLVM IR for this machine, whatever the back end; needs llvmlite."""
        return BACKENDS["llvm"].source(self.program)

    def recorded(self, *columns: Any) -> _Recording:
        """The recording for such arguments; nothing is compiled or run."""
        return self._recorded(read_columns(columns, self.in_axes))

    def _recorded(self, columns: list[Column]) -> _Recording:
        """The recording for these columns.

        Raises:
            TypeError: if an enclosing transformation differentiates with respect to a Value that
                the function depends on, since a call returns plain numbers.
        """
        key = tuple([x.shape if not x.is_constant else (x.shape, x.is_array) for x in columns])
        found: _Recording = self._recordings.get(
            key, lambda: _Recording(self._traced, columns, self._requested)
        )
        for variable in recording.variables():
            if variable in found.nodes:
                raise TypeError(
                    f"{self!r} depends on {variable!r}, with respect to which a transformation "
                    f"differentiates, but returns plain numbers; call the function itself "
                    f"(`.function`), or compile the whole, or call it under ag.no_grad()"
                )
        return found


class _Recording:
    """A function recorded for one shape of example, and what was compiled of it so far."""

    def __init__(self, f: Callable[..., Any], columns: Sequence[Column], backend: str) -> None:
        shapes = [column.shape for column in columns]
        shared = {i: x.is_array for i, x in enumerate(columns) if x.is_constant}
        self._trace = functools.partial(trace, f, shapes, shared=shared)
        self._is_batch = len(shared) == len(shapes)
        self._backend = backend
        self.trace = self._trace(postpones=True)

    @cached
    def graph(self) -> Trace:
        """The recording, with all results as outputs."""
        return self.trace.expanded()

    @cached
    def nodes(self) -> set[Value]:
        """All nodes that the outputs depend on."""
        outputs = [x for x in self.graph.outputs if isinstance(x, Value)]
        return {node for output in outputs for node in topological_order(output)}

    @cached
    def values(self) -> _Runner:
        return self._runner(is_batch=self._is_batch)

    @cached
    def mean(self) -> _Runner:
        return self._runner()

    @cached
    def gradient(self) -> _Runner:
        """The means, and the derivative of the first with respect to each of `leaves`."""
        return self._runner(with_gradient=True)

    @cached
    def leaves(self) -> list[Value]:
        """The leaves that the first output depends on, without the inputs."""
        return leaves_of(self.graph.outputs[0])

    def backward(self, columns: list[Column]) -> list[float]:
        """The means of the outputs; adds the gradient of the first one to the `grad` of leaves."""
        n_means = len(self.graph.outputs)
        found: list[float] = self.gradient(columns).tolist()
        for leaf, slope in zip(self.leaves, found[n_means:], strict=True):
            leaf.grad = slope if leaf.grad is None else leaf.grad + slope
        return found[:n_means]

    @property
    def main(self) -> _Runner:
        """The runner whose program is shown: that of the gradient, if there is one."""
        return self.values if self.trace.form is not None else self.gradient

    def _runner(
        self, with_gradient: bool = False, is_batch: bool = True, follows_branches: bool = False
    ) -> _Runner:
        """A runner for the outputs, with another to run if an unselected branch makes them nan."""
        with gc_paused():
            recorded = self.graph if with_gradient else self.trace
            if follows_branches and recorded.selection:  # in gradients that f takes itself
                recorded = self._trace(follows_branches)
            constants = recorded.constants
            variables = self.leaves if with_gradient else recorded.variables
            lowered = lower(
                recorded.inputs,
                recorded.outputs,
                is_batch,
                [*constants, *variables],
                variables,
                follows_branches,
                recorded.with_value,
            )
            selection = max(recorded.selection, lowered.selection)
            runner = _Runner(lowered, self._backend, len(constants))
        if selection and not follows_branches:
            follower = functools.partial(self._runner, with_gradient, is_batch, True)
            if recorded.hides_nan:
                return follower()
            runner.follower = functools.cache(follower)
            runner.needs_follower = selection is Selection.NAN
        return runner


class _Runner:
    """A program and the leaves whose numbers it reads.

    It is compiled when it is first run. With the backend "auto" the first calls at a single point
    are interpreted, which takes less time than to compile it.

    Attributes:
        follower: makes the runner to use instead if a result is nan: the same program, but with
            gradients that ignore unselected branches.
        needs_follower: whether unselected branches can give nan without an overflow.
    """

    def __init__(self, listed: Lowered, backend: str, n_constants: int) -> None:
        self.follower: Callable[[], _Runner] | None = None
        self.needs_follower = False
        self._listing = listed
        self._backend = backend
        self._read = listed.leaves[n_constants:]
        self._run: Executable | None = None
        self._interpreter: Executable | None = None
        self._n_interpreted = 0

    @property
    def program(self) -> Program:
        return rolled(self._listing)

    @property
    def printed(self) -> Program:
        """The program to export, which has no second one to fall back on.

        If unselected branches can give nan, it is the one that ignores them.
        """
        return self.follower().program if self.follower and self.needs_follower else self.program

    def __call__(self, columns: list[Column]) -> Numbers:
        run = self._run or self._chosen(columns)
        # the slot behind `data`: asking the property takes four times as long
        results = run([leaf._float for leaf in self._read], columns)
        if self.follower is not None and (results != results).any():  # noqa: PLR0124 - a nan
            return self.follower()(columns)
        return results

    def _chosen(self, columns: list[Column]) -> Executable:
        """The interpreter for the first calls at a single point, then the compiled program."""
        from autograd.compiler.lowering import Tape

        tape, is_one = self._listing, all(x.count == 1 for x in columns)
        if self._backend == "auto" and is_one and isinstance(tape, Tape):
            self._n_interpreted += 1
            if self._n_interpreted <= most_calls(tape):
                run = self._interpreter or interpreter(tape)
                self._interpreter = run  # which another thread may set to None meanwhile
                return run
        self._run, self._interpreter = executable(tape, self._backend), None
        return self._run


# --- what was compiled is kept --------------------------------------------------------------------


class Cache:
    """A cache of the n most recently used results; without n, of all."""

    def __init__(self, n: float = math.inf) -> None:
        self._n = n
        self._lock = fork_safe_lock()
        self._found: OrderedDict[Any, Any] = OrderedDict()
        self._latest: Any = None

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """The result for a key, made by `make` if there is none.

        One thread at a time makes a result; a result that exists is returned without waiting.
        """
        found = self._found.get(key)
        if found is None:
            with self._lock:
                found = self._found.get(key)
                if found is None:
                    with gc_paused():
                        found = self._found[key] = make()
                    if len(self._found) > self._n:
                        self._found.popitem(last=False)
        elif found is not self._latest:
            with suppress(KeyError):  # dropped meanwhile by another thread
                self._found.move_to_end(key)
        self._latest = found
        return found

    def latest(self, function: object) -> Any:
        """The result that was used last, for a compiled function."""
        if self._latest is None:
            raise RuntimeError(f"{function!r} has no program yet: it is recorded at its first call")
        return self._latest


_programs, executables = Cache(32), Cache(64)


def rolled(listed: Lowered) -> Program:
    """The program of a tape; equal tapes are rolled once."""
    program: Program = _programs.get(listed.key, lambda: replace(roll(listed), leaves=()))
    return replace(program, leaves=tuple(listed.leaves), inputs=tuple(listed.inputs))


def executable(listed: Lowered, backend: str) -> Executable:
    """Compile the tape, or reuse the result for an equal one compiled in this process."""
    backend = checked_backend(backend)
    compile_program = BACKENDS[backend].compile
    assert compile_program is not None
    key = backend, listed.key
    found: Executable = executables.get(key, lambda: compile_program(rolled(listed)))
    return found


def checked_backend(backend: str, caller: str = "jit") -> str:
    """The name of a back end that can run programs here; "auto" is the fastest one there is.

    Raises:
        ValueError: for an unknown one.
        ImportError: for one that is not installed.
    """
    able = [name for name, row in BACKENDS.items() if row.compile is not None]
    if backend == "auto":
        return "llvm" if "llvm" in able and _is_installed("llvm") else "python"
    if backend not in able:
        names = ", ".join(map(repr, able))
        raise ValueError(f"{caller}: backend must be 'auto' or one of {names}, got {backend!r}")
    if not _is_installed(backend):
        module, extra = BACKENDS[backend].needs or ("", "")
        raise ImportError(
            f"{caller}: backend {backend!r} needs {module}; "
            f"pip install 'scalar-autograd[{extra}]', or choose backend 'python'"
        )
    return backend


def _is_installed(backend: str) -> bool:
    needs = BACKENDS[backend].needs
    return needs is None or importlib.util.find_spec(needs[0]) is not None


# --- what goes in and comes out -------------------------------------------------------------------


def _checked_axes(axes: Any) -> int | tuple[int | None, ...] | None:
    checked = tuple(axes) if isinstance(axes, list | tuple) else axes
    each = checked if isinstance(checked, tuple) else (checked,)
    if any(isinstance(axis, bool) or axis not in (0, None) for axis in each):
        raise ValueError(
            f"jit: in_axes must be 0 (columns of examples) or None (no column), or one of these "
            f"for each argument, got {axes!r}"
        )
    return checked


def _without_object(method: MethodType) -> Callable[..., Any]:
    """The method without a reference to its object, which its recordings would keep alive."""
    reference = weakref.WeakMethod(method)

    def call(*args: Any) -> Any:
        found = reference()
        assert found is not None, "the caller holds the object"
        return found(*args)

    call.__name__ = getattr(method, "__name__", "call")
    call.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
    return call


def _filled(form: Any, numbers: Iterator[float]) -> Any:
    """The numbers, in the structure of lists and tuples that the function returned."""
    if form is None:
        return next(numbers)
    return type(form)([_filled(part, numbers) for part in form])


def _stacked(form: Any, rows: Any, at: int = 0) -> tuple[Any, int]:
    """The results of all examples, as arrays whose first axis is the examples.

    `rows` has a row for each result; for a single call it has a number, and the arrays lack that
    axis. A list of numbers, or of equally long lists, is one more axis; a tuple of lists stays a
    tuple. Returns the part that begins at row `at`, and the row after it.
    """
    import numpy as np

    if form is None:
        return rows[at] if rows.ndim > 1 else float(rows[at]), at + 1
    if form and form.count(None) == len(form):
        return rows[at : at + len(form)].T, at + len(form)
    parts = []
    for part in form:
        stacked, at = _stacked(part, rows, at)
        parts.append(stacked)
    shapes = {getattr(part, "shape", None) for part in parts}
    if parts and isinstance(form, list) and len(shapes) == 1 and None not in shapes:
        return np.stack(parts, axis=rows.ndim - 1), at
    return type(form)(parts), at
