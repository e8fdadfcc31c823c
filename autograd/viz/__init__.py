"""Visualization of computation graphs: pictures, single steps, explanations, interactive pages.

    >>> from autograd import Value
    >>> a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    >>> L = a * b + c
    >>> L.label = "L"
    >>> for step in backward_steps(L):
    ...     print(step)
    dL/dv3 += ∂L/∂v3 = 1
    dL/dc += ∂L/∂c = 1
    dL/da += dL/dv3 · ∂v3/∂a = 1 · (-3) = -3
    dL/db += dL/dv3 · ∂v3/∂b = 1 · 2 = 2

Total derivatives are written dL/da, local ones ∂v3/∂a: L may depend on a along several paths, an
operation depends on each operand once.

- `draw(L)` is a picture of the graph, `explain(L, a)` writes dL/da as the sum over the paths from L
  to a.
- `play(L)` (`player/`) is a page where you carry out backpropagation yourself.
- `playground(…)` (`playground/`) is a page where a model trains.
- `notation` writes operations, derivatives and numbers as text, `formula` parses a formula, and
  `charts` draws the curves of the command line.

`draw` goes from `graphview`, which decides what nodes and edges are shown, to `dot`, which writes
them as DOT text; Graphviz computes positions, and `svg` writes the picture. Figures that need
matplotlib are in `autograd.plotting`.
"""

from autograd.viz.drawing import Drawing, draw
from autograd.viz.explanation import Chain, Explanation, Link, Path, explain
from autograd.viz.player import Player, play
from autograd.viz.steps import ForwardStep, Step, backward_steps, forward_steps

__all__ = [
    "Chain",
    "Drawing",
    "Explanation",
    "ForwardStep",
    "Link",
    "Path",
    "Player",
    "Step",
    "backward_steps",
    "draw",
    "explain",
    "forward_steps",
    "play",
]
