"""Backpropagation one step at a time: as lines of text, as a sum over paths, as a live page.

    >>> from autograd import Value
    >>> a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    >>> L = a * b + c
    >>> L.label = "L"
    >>> for step in backward_steps(L):
    ...     print(step)
    dL/dv2 += ∂L/∂v2 = 1
    dL/dc += ∂L/∂c = 1
    dL/da += dL/dv2 · ∂v2/∂a = 1 · (-3) = -3
    dL/db += dL/dv2 · ∂v2/∂b = 1 · 2 = 2

Total derivatives are written dL/da, local ones ∂v2/∂a: L may depend on a along several paths, an
operation depends on each operand once.

`explain(L, a)` writes dL/da out as the sum over the paths from L to a; `play(L)` is a page on which
the numbers can be changed, and the derivatives found edge by edge.
"""

from autograd.stepping.explanation import Chain, Explanation, Link, Path, explain
from autograd.stepping.player import Player, play
from autograd.stepping.steps import ForwardStep, Step, backward_steps, forward_steps

__all__ = [
    "Chain",
    "Explanation",
    "ForwardStep",
    "Link",
    "Path",
    "Player",
    "Step",
    "backward_steps",
    "explain",
    "forward_steps",
    "play",
]
