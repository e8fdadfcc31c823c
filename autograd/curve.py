"""A training curve as SVG text, drawn with nothing but the standard library.

The command line must show how the loss fell also where matplotlib is not installed; everything
beyond this one picture is in `plotting`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 24, 48


def loss_curve_svg(losses: Sequence[float]) -> str:
    """The loss of each epoch as a line, as the text of an SVG picture.

    Args:
        losses: the finite mean loss of each epoch, from the first one on.

    Raises:
        ValueError: if there is no loss, or one is not finite.
    """
    if not losses or not all(map(math.isfinite, losses)):
        raise ValueError(f"loss curve: expected finite losses, at least one, got {losses!r:.80}")
    epochs = _ticks(1, max(len(losses), 2))
    levels = _ticks(min(0.0, *losses), max(losses))
    first, last = 1, max(len(losses), 2)
    low, high = levels[0], levels[-1]

    def x(epoch: float) -> float:
        return LEFT + (epoch - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(loss: float) -> float:
        return HEIGHT - BOTTOM - (loss - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    grid = [
        f'<path class="grid" d="M{LEFT} {y(level):.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 8}" y="{y(level) + 4:.1f}" text-anchor="end">{level:g}</text>'
        for level in levels
    ]
    steps = [
        f'<text x="{x(epoch):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{epoch:g}</text>'
        for epoch in epochs
        if first <= epoch <= last
    ]
    points = " ".join(f"{x(epoch):.1f},{y(loss):.1f}" for epoch, loss in enumerate(losses, start=1))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img" '
            f'aria-label="The loss over {len(losses)} epochs, {losses[-1]:.4g} in the last">',
            "<style>text{font:12px sans-serif;fill:#444}.grid{stroke:#ddd;fill:none}"
            ".loss{stroke:#0072b2;stroke-width:2;fill:none;stroke-linejoin:round}</style>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            *grid,
            *steps,
            f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">epoch</text>',
            f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)">loss</text>',
            f'<polyline class="loss" points="{points}"/>',
            f'<circle cx="{x(len(losses)):.1f}" cy="{y(losses[-1]):.1f}" r="3" fill="#0072b2"/>',
            f'<text x="{x(len(losses)) - 6:.1f}" y="{y(losses[-1]) - 8:.1f}" '
            f'text-anchor="{"end" if len(losses) > 1 else "start"}">{losses[-1]:.4g}</text>',
            "</svg>",
            "",
        ]
    )


def _ticks(low: float, high: float) -> list[float]:
    """Five or so round numbers (1, 2 or 5 times a power of ten) that enclose low and high."""
    span = max(high - low, 1e-9 * abs(high), 1e-300)
    magnitude = 10.0 ** math.floor(math.log10(span / 4))
    step = next(m * magnitude for m in (1, 2, 5, 10) if span / (m * magnitude) <= 6)
    first, last = math.floor(low / step), math.ceil((low + span) / step)
    return [step * i for i in range(first, last + 1)]
