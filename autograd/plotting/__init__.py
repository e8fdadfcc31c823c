"""Figures by matplotlib: training curves, decision boundaries, confusion matrices, cost surfaces.

Every function takes what `fit` returned, or plain lists and functions of floats, and returns a
matplotlib `Figure`, which shows itself in a notebook and is saved with `figure.savefig(path)`.
`print(figure)` says in a sentence what it shows, which is its alternative text. No figure passes
through `pyplot`: none needs a display, none is kept alive by a global list.

    recording = Recording(model)
    history = fit(model, hinge, X, Y, optimizer, epochs=100, callback=recording)
    training_curve(history).savefig("loss.svg")
    boundary_animation(recording, X, Y).save("moons.gif")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autograd.training import Recording

if TYPE_CHECKING:
    from autograd.plotting.classifiers import (
        Animation,
        boundary_animation,
        confusion_matrix,
        decision_boundary,
        image_grid,
    )
    from autograd.plotting.costs import Plane, cost_curve, cost_surface
    from autograd.plotting.curves import difference_errors, lines, training_curve

__all__ = [
    "Animation",
    "Plane",
    "Recording",
    "boundary_animation",
    "confusion_matrix",
    "cost_curve",
    "cost_surface",
    "decision_boundary",
    "difference_errors",
    "image_grid",
    "lines",
    "training_curve",
]


def __getattr__(name: str) -> Any:
    # The modules import matplotlib, and are loaded when a figure is first asked for.
    for module in ("curves", "costs", "classifiers") if name in __all__ else ():
        found = importlib.import_module(f"{__name__}.{module}")
        if hasattr(found, name):
            return getattr(found, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
