"""ImportErrors for optional dependencies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def requires(what: str, library: str, extra: str) -> Iterator[None]:
    """Raise an error that says what to install if an import in the block fails.

    Args:
        what: the function, or the module, that needs the library.
        library: its name.
        extra: the extra of this distribution that installs it.
    """
    try:
        yield
    except ImportError as error:
        raise type(error)(
            f"{what} needs {library}: pip install 'scalar-autograd[{extra}]' ({error})",
            name=error.name,
        ) from error
