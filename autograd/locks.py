"""Fork-safe locks: a child process never finds one held by a thread of its parent."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")

_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def fork_safe_lock() -> threading.RLock:
    """A reentrant lock that no thread of the parent holds in a forked child.

    For data that is complete whenever it is stored, such as an entry of a dict.
    """
    lock = threading.RLock()
    _locks.add(lock)
    return lock


loading = threading.RLock()
"""Held while modules are imported when first needed: a child could not wait for such an import."""


class cached(Generic[T]):  # noqa: N801 - a decorator
    """`functools.cached_property` without its lock, which Python 3.11 shares between instances."""

    def __init__(self, function: Callable[[Any], T]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> cached[T]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: Any, owner: type | None = None) -> cached[T] | T:
        """The result of the function, which is called once."""
        if instance is None:
            return self
        result = instance.__dict__[self.function.__name__] = self.function(instance)
        return result


def _open() -> None:
    for lock in list(_locks):
        lock._at_fork_reinit()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_open)
    os.register_at_fork(
        before=loading.acquire, after_in_parent=loading.release, after_in_child=loading.release
    )
