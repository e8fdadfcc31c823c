"""`play(…, widget=True)`: a player as a Jupyter widget, which shares its leaves with Python.

Importing this file imports anywidget.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from autograd.optional import requires
from autograd.value import Value
from autograd.viz.html import json_number

with requires("play: widget=True", "anywidget", "widget"):
    import anywidget
    import traitlets


class PlayerWidget(anywidget.AnyWidget):
    """A player that shares its numbers with the leaves of the graph.

    Typing a number in the page, or its *Step*, changes the leaf's `data`; its *Backward* sets
    the leaves' `grad`, which is None while the derivatives are unknown. Where Python changes a
    leaf (`optimizer.step()`), the page follows at the end of the cell in Jupyter, and elsewhere
    when `update()` is called.

    Attributes:
        leaves: the leaves of the graph, in the order of `numbers` and `gradients`.
        value: the output at the page's numbers. (The graph itself stays as it was recorded.)
    """

    _markup: Any = traitlets.Unicode().tag(sync=True)
    numbers: Any = traitlets.List().tag(sync=True)
    gradients: Any = traitlets.List().tag(sync=True)
    value: Any = traitlets.Any().tag(sync=True)

    def __init__(self, output: Value, leaves: list[Value], markup: str, script: str) -> None:
        self.leaves = leaves
        super().__init__(
            _esm=script + Path(__file__).with_name("widget.js").read_text("utf-8"),
            _markup=markup,
            numbers=self._present(),
            value=json_number(output.data),
        )
        with contextlib.suppress(ImportError, AttributeError):  # not in IPython
            from IPython import get_ipython

            get_ipython().events.register("post_run_cell", lambda *_: self.update())

    def __repr__(self) -> str:
        labels = ", ".join(repr(leaf.label) for leaf in self.leaves[:8])
        more = ", …" * (len(self.leaves) > 8)
        return f"PlayerWidget(leaves {labels}{more}): .update() shows what Python changed"

    def update(self) -> None:
        """Show the current numbers of the leaves."""
        self.numbers = self._present()

    def _present(self) -> list[Any]:
        # As a number -0.0 would equal 0.0, and a change of one to the other would reach nobody.
        numbers = [leaf.data for leaf in self.leaves]
        return ["-0" if str(x) == "-0.0" else json_number(x) for x in numbers]

    @traitlets.observe("numbers")
    def _moved(self, change: Any) -> None:
        for leaf, number in zip(self.leaves, change["new"], strict=True):
            leaf.data = float(number)

    @traitlets.observe("gradients")
    def _found(self, change: Any) -> None:
        found = change["new"] or [None] * len(self.leaves)
        for leaf, gradient in zip(self.leaves, found, strict=True):
            leaf.grad = None if gradient is None else float(gradient)
