"""`gc_paused`: pauses garbage collection while a graph is built, since graphs have no cycles."""

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
    """Pause the garbage collector, which otherwise scans a growing graph again and again.

    Its previous state is restored when the last open block of any thread ends.
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
