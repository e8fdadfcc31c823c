"""Data sets and table reading: the public names of the package `data`."""

from autograd.data import *  # noqa: F403
from autograd.data import __all__ as __all__  # noqa: PLC0414
