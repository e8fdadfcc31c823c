"""`gc_paused`: pauses garbage collection while a graph is built, since graphs have no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the garbage collector, which otherwise scans a growing graph again and again.

    A block that finds it paused changes nothing, so that blocks may overlap in several threads.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
