"""Locks that a forked child does not find held by a thread of its parent."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def fork_safe_lock() -> threading.RLock:
    """A reentrant lock for what is complete whenever it is stored, such as an entry of a dict."""
    lock = threading.RLock()
    _locks.add(lock)
    return lock


loading = threading.RLock()
"""Held while modules are imported when first needed: a child could not wait for such an import."""


def _open() -> None:
    for lock in list(_locks):
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_open)
    os.register_at_fork(
        before=loading.acquire, after_in_parent=loading.release, after_in_child=loading.release
    )
