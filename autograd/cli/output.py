"""Printing: control characters are escaped, closed pipes and full disks are handled."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from autograd.data import printable


def prepare() -> None:
    """Make stdout and stderr accept any text, also if they are closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):  # no error for what it cannot encode
            stream.reconfigure(errors="backslashreplace")


def say(*lines: str, file: TextIO | None = None) -> None:
    """Print lines with control characters escaped; a reader that quits, as `head`, is no error."""
    _write("".join(f"{printable(line, sys.maxsize)}\n" for line in lines), file or sys.stdout)


def flush() -> None:
    """Flush standard output."""
    _write("", sys.stdout, flush=True)


def discard(stream: TextIO) -> None:
    """Redirect the stream to the null device, together with its unwritten output."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _write(text: str, stream: TextIO, flush: bool = False) -> None:
    try:
        print(text, end="", file=stream, flush=flush)
    except OSError as error:
        discard(stream)
        if not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, error.strerror, "standard output") from None
