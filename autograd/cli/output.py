"""What is printed: names in it cannot command the terminal, a closed pipe or full disk is met."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from autograd.data import printable


def prepare() -> None:
    """Make standard output and error fit for any text, also where the shell closed them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):  # a name that it cannot show should end nothing
            stream.reconfigure(errors="backslashreplace")


def say(text: str, file: TextIO | None = None) -> None:
    """Print lines, control characters escaped; once a reader such as `head` is gone, nothing."""
    stream = file or sys.stdout
    try:
        print("\n".join(printable(line, sys.maxsize) for line in text.split("\n")), file=stream)
    except OSError as error:
        _met(error, stream)


def flush() -> None:
    """Hand on what was printed."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _met(error, sys.stdout)


def discard(stream: TextIO) -> None:
    """Send to nowhere what the stream still holds, and all that follows."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _met(error: OSError, stream: TextIO) -> None:
    discard(stream)
    if not isinstance(error, BrokenPipeError):
        raise OSError(error.errno, error.strerror, "standard output") from None
