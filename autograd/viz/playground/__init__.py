"""A page where a model trains in the reader's browser: `playground`."""

from autograd.viz.playground.choices import Choices
from autograd.viz.playground.page import Playground, playground

__all__ = ["Choices", "Playground", "playground"]
