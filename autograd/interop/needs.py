"""What a missing library is told as."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(library: str, extra: str) -> Iterator[None]:
    """Says what to install where an import fails inside of the block."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"autograd.interop.{extra} needs {library}: pip install 'scalar-autograd[{extra}]' "
            f"({error})"
        ) from error
