"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write the file, text as UTF-8, or, whatever happens on the way, leave it as it was.

    The content goes to a new file beside it, which takes its place when it is complete; only a
    device or a pipe, which no file should replace, is written to as it stands. Returns the path as
    a `Path`. Raises OSError if the folder cannot be written, or the path is a folder.
    """
    target = Path(path).resolve()  # through a symbolic link, which would be replaced otherwise
    data = content.encode() if isinstance(content, str) else content
    if Path(path).exists() and not target.is_file():
        Path(path).write_bytes(data)
        return Path(path)
    unfinished = target.with_name(f".unfinished-{os.urandom(8).hex()}")
    try:
        with unfinished.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, unfinished)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return Path(path)
