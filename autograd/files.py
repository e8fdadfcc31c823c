"""Atomic file writing: a file is written completely, or stays as it was."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write a file atomically, text as UTF-8: on any failure it stays as it was.

    The content goes to a new file beside it, which takes its place when it is complete; only a
    device or a pipe, which must not be replaced, is written to directly. Returns the path as a
    `Path`.

    Raises:
        OSError: if there is no such folder, it cannot be written to, or the path is a folder
            itself; it names the path.
    """
    target = Path(path).resolve()  # through a symbolic link, which would be replaced otherwise
    data = content.encode() if isinstance(content, str) else content
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "it is a folder; name a file in it", str(path))
    if Path(path).exists() and not target.is_file():
        with _naming(path):
            Path(path).write_bytes(data)
        return Path(path)
    unfinished = target.with_name(f".unfinished-{os.urandom(8).hex()}")
    try:
        with _naming(path), unfinished.open("xb") as file:  # closing it writes, too
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, unfinished)
        unfinished.replace(target)
    except BaseException:
        with suppress(OSError):  # such as that there is no folder
            unfinished.unlink()
        raise
    return Path(path)


@contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Make an OSError name the path: some have none (disk full) or that of the unfinished file."""
    try:
        yield
    except FileNotFoundError:
        reason = f"there is no folder {Path(path).parent}; make it first"
        raise FileNotFoundError(errno.ENOENT, reason, str(path)) from None
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
