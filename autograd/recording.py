"""Recording mode of the current context: recording, paused, or tracing.

That is a matter of the context (`contextvars`): each thread and each asyncio task has its own, in
whatever order they close their blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


@dataclass(eq=False, slots=True)
class _Block:
    """A `with` block that pauses or resumes recording."""

    pauses: bool
    is_open: bool = True


_blocks: ContextVar[tuple[_Block, ...]] = ContextVar("autograd.blocks", default=())

open_pauses: list[_Block] = []
"""The blocks that pause, in all contexts: while there are none, nobody need ask further."""


@contextmanager
def _entered(block: _Block) -> Iterator[None]:
    # Marked as closed, not taken off: a generator may be closed in another context than its own.
    _blocks.set((*(outer for outer in _blocks.get() if outer.is_open), block))
    try:
        yield
    finally:
        block.is_open = False


@contextmanager
def no_grad() -> Iterator[None]:
    """A block that computes without recording: every result is a new leaf.

    It applies to the current thread or asyncio task. It may also decorate a function, but not a
    generator or coroutine, whose body runs after the call has returned.
    """
    if is_tracing():
        raise RuntimeError(
            "no_grad: not inside a function that is being compiled, which has to be recorded; "
            "enter it around the call of the compiled function instead"
        )
    block = _Block(pauses=True)
    open_pauses.append(block)
    try:
        with _entered(block):
            yield
    finally:
        open_pauses.remove(block)


def recorded() -> AbstractContextManager[None]:
    """A block that records, also inside of a `no_grad` block."""
    return _entered(_Block(pauses=False))


def is_paused() -> bool:
    """Whether recording is paused in the innermost open block."""
    return next((block.pauses for block in reversed(_blocks.get()) if block.is_open), False)


# --- differentiating a function -------------------------------------------------------------------

_variables: ContextVar[tuple[Any, ...]] = ContextVar("autograd.variables", default=())


@contextmanager
def differentiating(leaves: Iterable[Any]) -> Iterator[None]:
    """A block in which a transformation differentiates with respect to these Values."""
    token = _variables.set((*_variables.get(), *leaves))
    try:
        yield
    finally:
        _variables.reset(token)


def variables() -> tuple[Any, ...]:
    """The Values with respect to which the transformations around this code differentiate."""
    return () if open_pauses and is_paused() else _variables.get()


# --- recording a function to compile --------------------------------------------------------------


class Selection(IntEnum):
    """How unselected branches can affect the gradients of a function being recorded."""

    NONE = 0
    """There are none."""
    FINITE = 1
    """They contribute 0, unless something overflows."""
    NAN = 2
    """They may contribute nan, if nothing is done about it."""


@dataclass(eq=False, slots=True)
class Tracing:
    """A function being recorded for compilation, without numbers.

    Attributes:
        follows_branches: whether gradients are to ignore unselected branches, even those with nan.
        selection: how unselected branches can affect the gradients taken so far.
        uncertain: the derivatives that they may make nan.
        postpones: whether the next gradient, the outermost one, is left to the compiler, which has
            a faster sweep.
        output: what that gradient is of, set when it is left to the compiler.
        variables: what it is with respect to.
    """

    follows_branches: bool = False
    selection: Selection = Selection.NONE
    uncertain: list[Any] = field(default_factory=list)
    postpones: bool = False
    variables: Sequence[Any] = ()
    output: Any = None

    def note(self, selection: Selection, derivatives: Iterable[Any]) -> None:
        """Note how unselected branches can affect these derivatives."""
        self.selection = max(self.selection, selection)
        if self.selection is Selection.NAN:
            self.uncertain += derivatives


_tracing: ContextVar[Tracing | None] = ContextVar("autograd.tracing", default=None)


@contextmanager
def tracing(follows_branches: bool = False, postpones: bool = False) -> Iterator[Tracing]:
    """A block that records a function to compile; operations that need a number are refused."""
    token = _tracing.set(current := Tracing(follows_branches, postpones=postpones))
    try:
        with recorded():
            yield current
    finally:
        _tracing.reset(token)


def current_tracing() -> Tracing | None:
    """The tracing of the current context, if any."""
    return _tracing.get()


def is_tracing() -> bool:
    """Whether a function is being recorded for compilation in the current context."""
    return _tracing.get() is not None


_unrolls: ContextVar[bool] = ContextVar("autograd.unrolls", default=False)


@contextmanager
def unrolling() -> Iterator[None]:
    """A block that records each step of a `scan`, also to compile: a graph to be taken apart."""
    token = _unrolls.set(True)
    try:
        yield
    finally:
        _unrolls.reset(token)


def has_loops() -> bool:
    """Whether a `scan` is to be recorded as one loop."""
    return is_tracing() and not _unrolls.get()


def cannot_compile(what: str, instead: str = "") -> TypeError:
    """The error for code that needs the number of a Value, which is unknown during compilation."""
    return TypeError(
        f"{what} cannot be compiled: the function is recorded once, for all examples and all "
        f"parameters; use maximum, relu or where(condition, x, y), which are recorded{instead}"
    )
