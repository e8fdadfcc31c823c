"""Loops over many steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import autograd as ag


def unrolled(
    step: Callable[[Any, Any], tuple[Any, Any]],
    state: Any,
    inputs: Iterable[Any] | None = None,
    length: int = 0,
) -> tuple[Any, list[Any]]:
    """`state, output = step(state, input)` for each input, or `length` times with None."""
    outputs = []
    for x in [None] * length if inputs is None else inputs:
        state, output = step(state, x)
        outputs.append(output)
    return state, outputs


scan: Any = getattr(ag, "scan", unrolled)
"""The library's loop that is recorded once, where it has one."""
