"""A page on which a model learns in the reader's browser: `playground`."""

from autograd.playground.page import Playground, playground

__all__ = ["Playground", "playground"]
