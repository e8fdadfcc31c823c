"""Pauses of the garbage collector, which has nothing to find in a graph: a graph has no cycles."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_n_pauses = 0
_was_enabled = False


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the collector, which otherwise visits every node again and again while a graph grows.

    What was found is restored when the last block that is open in any thread is closed.
    """
    global _n_pauses, _was_enabled
    with _lock:
        if _n_pauses == 0:
            _was_enabled = gc.isenabled()
            gc.disable()
        _n_pauses += 1
    try:
        yield
    finally:
        with _lock:
            _n_pauses -= 1
            if _n_pauses == 0 and _was_enabled:
                gc.enable()
