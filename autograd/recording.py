"""Whether operations on Values are recorded, which each thread decides for itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


class _Thread(threading.local):
    paused = False
    tracing = False


_thread = _Thread()
_lock = threading.Lock()
open_pauses = 0
"""How many `no_grad` blocks are open over all threads: while it is 0, nobody need ask further."""


@contextmanager
def no_grad() -> Iterator[None]:
    """A context in which this thread computes without recording: every result is a new leaf."""
    global open_pauses
    if _thread.tracing:
        raise RuntimeError(
            "no_grad: not inside a function that is being compiled, which lives by its recording; "
            "enter it around the call of the compiled function instead"
        )
    with _lock:
        open_pauses += 1
    try:
        with _paused(True):
            yield
    finally:
        with _lock:
            open_pauses -= 1


def recorded() -> AbstractContextManager[None]:
    """A context in which this thread records, also inside a `no_grad` block."""
    return _paused(False)


@contextmanager
def tracing() -> Iterator[None]:
    """A context in which this thread records a function to compile, and refuses its branches."""
    before, _thread.tracing = _thread.tracing, True
    try:
        with recorded():
            yield
    finally:
        _thread.tracing = before


def is_tracing() -> bool:
    """Whether this thread is recording a function to compile."""
    return _thread.tracing


def cannot_compile(what: str) -> TypeError:
    """The error for what depends on a number, while one recording has to serve all numbers."""
    return TypeError(
        f"{what} cannot be compiled: the function is recorded once, for all examples and all "
        f"parameters; use maximum, relu or where(condition, x, y), which are recorded"
    )


def is_paused() -> bool:
    """Whether this thread is inside a `no_grad` block."""
    return _thread.paused


@contextmanager
def _paused(paused: bool) -> Iterator[None]:
    before, _thread.paused = _thread.paused, paused
    try:
        yield
    finally:
        _thread.paused = before
