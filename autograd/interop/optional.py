"""ImportErrors for optional dependencies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def requires(library: str, extra: str) -> Iterator[None]:
    """Imports that fail in the block raise an error that says what to install."""
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"autograd.interop.{extra} needs {library}: pip install 'scalar-autograd[{extra}]' "
            f"({error})"
        ) from error
