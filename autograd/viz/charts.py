"""Charts of the command line as SVG text: curves, scatter plots and confusion matrices.

They need the standard library alone, because `train` works where matplotlib is not installed; all
other charts are in `plotting`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import TypeAlias

from autograd.viz.notation import shortened

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 24, 48
BLUE, INK, PALE = "#0072b2", "#444", "#ddd"


def curve_svg(values: Sequence[float], name: str = "loss") -> str:
    """A line chart of one number per epoch, such as the loss.

    Args:
        values: the finite numbers, from the first epoch on.
        name: the name of the numbers.

    Raises:
        ValueError: if there is no number, or one is not finite.
    """
    _check(name, values)
    n, last = len(values), f"{values[-1]:.4g}"
    x, y, _, frame = _axes((1, max(n, 2)), (min(0.0, *values), max(values)), "epoch", name)
    points = " ".join(f"{x(i):.1f},{y(number):.1f}" for i, number in enumerate(values, start=1))
    return _page(
        f"The {name} over {n} epochs, {last} in the last",
        *frame,
        f'<polyline points="{points}" fill="none" stroke="{BLUE}" stroke-width="2" '
        f'stroke-linejoin="round"/>',
        _dot(x(n), y(values[-1])),
        _text(WIDTH - RIGHT, TOP - 10, f"at last {last}", "end"),
    )


def scatter_svg(targets: Sequence[float], predictions: Sequence[float]) -> str:
    """Predictions against their targets, with the line on which they would be equal.

    Raises:
        ValueError: if there is none, one is not finite, or they differ in number.
    """
    numbers = [*targets, *predictions]
    _check("predictions", numbers)
    both = min(numbers), max(numbers)
    x, y, (a, *_, b), frame = _axes(both, both, "target", "prediction")
    dots = [_dot(x(t), y(p)) for t, p in zip(targets, predictions, strict=True)]
    return _page(
        f"{len(dots)} predictions against their targets; the nearer to the line, the better",
        *frame,
        f'<path d="M{x(a):.1f} {y(a):.1f}L{x(b):.1f} {y(b):.1f}" stroke="{INK}" '
        f'stroke-dasharray="4 3"/>',
        *dots,
    )


def confusion_svg(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """Confusion matrix: a row for each class, a column for each predicted class.

    Raises:
        ValueError: if there is not a row and a column for each class.
    """
    n = len(classes)
    if not n or [len(row) for row in counts] != [n] * n:
        raise ValueError(f"confusion matrix: expected {n} rows of {n} counts, got {counts!r:.80}")
    names = [shortened(name, 20) for name in classes]
    side = max(18, min(64, 480 // n))
    start = 40 + 7 * max(map(len, names))
    cells = []
    for i, row in enumerate(counts):
        at = start + i * side
        cells.append(_text(start - 8, at + side / 2 + 4, names[i], "end"))
        cells.append(_upward(at + side / 2 + 4, start - 8, names[i]))
        for j, count in enumerate(row):
            share = count / max(1, sum(row))
            x = start + j * side
            title = escape(f"{classes[i]} predicted as {classes[j]}: {count}")
            cells.append(
                f'<rect x="{x}" y="{at}" width="{side - 1}" height="{side - 1}" '
                f'fill="{BLUE}" fill-opacity="{0.04 + 0.9 * share:.2f}">'
                f"<title>{title}</title></rect>"
            )
            if count:
                color = "#fff" if share > 0.5 else INK
                cells.append(_text(x + side / 2, at + side / 2 + 4, count, "middle", color))
    right, total = sum(counts[i][i] for i in range(n)), sum(map(sum, counts))
    size = start + n * side + RIGHT
    return _page(
        f"Rows: the class; columns: the predicted class; {right} of {total} right",
        _text(8, 18, "row: the class · column: predicted as"),
        *cells,
        size=(max(size, 300), size),
    )


def captioned(svg: str, lines: Sequence[str]) -> str:
    """A picture with lines of text above it."""
    found = re.search(r'<svg [^>]*?width="(\d+)" height="(\d+)"', svg)
    width, height = map(int, found.groups()) if found else (WIDTH, HEIGHT)
    room = 20 * len(lines) + 12
    wide = max(width, *(16 + 7 * len(line) for line in lines))
    return _page(
        " ".join(lines),
        *(_text(8, 20 * (i + 1), line) for i, line in enumerate(lines)),
        svg.strip().replace("<svg ", f'<svg y="{room}" ', 1),
        size=(wide, height + room),
        paper="none",
    )


# --- parts ----------------------------------------------------------------------------------------

Scale: TypeAlias = Callable[[float], float]
"""From a number to its place on the page."""


def _axes(
    xs: tuple[float, float], ys: tuple[float, float], x_name: str, y_name: str
) -> tuple[Scale, Scale, list[float], list[str]]:
    """The scales of both axes, for numbers in these ranges; the round numbers across; the marks."""
    across, upward = _ticks(*xs), _ticks(*ys)
    x, y = _scale(across, LEFT, WIDTH - RIGHT), _scale(upward, HEIGHT - BOTTOM, TOP)
    marks = [_text(x(t), HEIGHT - BOTTOM + 20, f"{t:g}", "middle") for t in across]
    for t in upward:
        marks.append(f'<path d="M{LEFT} {y(t):.1f}H{WIDTH - RIGHT}" stroke="{PALE}"/>')
        marks.append(_text(LEFT - 8, y(t) + 4, f"{t:g}", "end"))
    marks.append(_text(WIDTH / 2, HEIGHT - 8, x_name, "middle"))
    marks.append(_upward(16, HEIGHT / 2, y_name))
    return x, y, across, marks


def _scale(ticks: Sequence[float], start: float, end: float) -> Scale:
    low, high = ticks[0], ticks[-1]
    return lambda number: start + (number - low) / (high - low) * (end - start)


def _ticks(low: float, high: float) -> list[float]:
    """Five or so round numbers (1, 2 or 5 times a power of ten) that enclose low and high."""
    span = max(high - low, 1e-9 * abs(high), 1e-300)
    magnitude = 10.0 ** math.floor(math.log10(span / 4))
    step = next(m * magnitude for m in (1, 2, 5, 10) if span / (m * magnitude) <= 6)
    first, last = math.floor(low / step), math.ceil((low + span) / step)
    return [step * i for i in range(first, last + 1)]


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{BLUE}" fill-opacity="0.6"/>'


def _text(x: float, y: float, text: object, anchor: str = "start", color: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">'
        f"{escape(str(text))}</text>"
    )


def _upward(x: float, y: float, text: str) -> str:
    return f'<text transform="translate({x:.1f} {y}) rotate(-90)">{escape(text)}</text>'


def _page(
    label: str, *parts: str, size: tuple[int, int] = (WIDTH, HEIGHT), paper: str = "#fff"
) -> str:
    width, height = size
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(label)}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">\n'
        f'<rect width="100%" height="100%" fill="{paper}"/>\n{body}\n</svg>\n'
    )


def _check(what: str, numbers: Sequence[float]) -> None:
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{what}: expected finite numbers, at least one, got {numbers!r:.80}")
