"""Charts of the command line as SVG text: curves, scatter plots and confusion matrices.

They need the standard library alone, because `train` works where matplotlib is not installed; all
other charts are in `plotting`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from html import escape

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
    across = _Axis(1, max(n, 2), LEFT, WIDTH - RIGHT, inside=True)
    up = _Axis(min(0.0, *values), max(values), HEIGHT - BOTTOM, TOP)
    points = " ".join(f"{across(i):.1f},{up(x):.1f}" for i, x in enumerate(values, start=1))
    return _page(
        f"The {name} over {n} epochs, {last} in the last",
        *_frame(across, up, "epoch", name),
        f'<polyline points="{points}" fill="none" stroke="{BLUE}" stroke-width="2" '
        f'stroke-linejoin="round"/>',
        f'<circle cx="{across(n):.1f}" cy="{up(values[-1]):.1f}" r="3" fill="{BLUE}"/>',
        _text(WIDTH - RIGHT, TOP - 10, f"at last {last}", "end"),
    )


def scatter_svg(targets: Sequence[float], predictions: Sequence[float]) -> str:
    """Predictions against their targets, with the line on which they would be equal.

    Raises:
        ValueError: if there is none, one is not finite, or they differ in number.
    """
    _check("predictions", [*targets, *predictions])
    pairs = list(zip(targets, predictions, strict=True))
    low, high = min(map(min, pairs)), max(map(max, pairs))
    across = _Axis(low, high, LEFT, WIDTH - RIGHT)
    up = _Axis(low, high, HEIGHT - BOTTOM, TOP)
    (a, *_, b) = across.ticks
    return _page(
        f"{len(pairs)} predictions against their targets; the nearer to the line, the better",
        *_frame(across, up, "target", "prediction"),
        f'<path d="M{across(a):.1f} {up(a):.1f}L{across(b):.1f} {up(b):.1f}" stroke="{INK}" '
        f'stroke-dasharray="4 3"/>',
        *(
            f'<circle cx="{across(t):.1f}" cy="{up(p):.1f}" r="3" fill="{BLUE}" '
            f'fill-opacity="0.6"/>'
            for t, p in pairs
        ),
    )


def confusion_svg(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """Confusion matrix: a row for each class, a column for each predicted class.

    Raises:
        ValueError: if there is not a row and a column for each class.
    """
    n = len(classes)
    if not n or [len(row) for row in counts] != [n] * n:
        raise ValueError(f"confusion matrix: expected {n} rows of {n} counts, got {counts!r:.80}")
    names = [name if len(name) <= 20 else f"{name[:19]}…" for name in classes]
    side = max(18, min(64, 480 // n))
    left = top = 40 + 7 * max(map(len, names))
    width, height = left + n * side + RIGHT, top + n * side + RIGHT
    cells = []
    for i, row in enumerate(counts):
        y = top + i * side
        cells.append(_text(left - 8, y + side / 2 + 4, names[i], "end"))
        x = left + (i + 0.5) * side
        cells.append(
            f'<text transform="translate({x + 4:.1f} {top - 8}) rotate(-90)">'
            f"{escape(names[i])}</text>"
        )
        for j, count in enumerate(row):
            share = count / max(1, sum(row))
            x = left + j * side
            title = escape(f"{classes[i]} predicted as {classes[j]}: {count}")
            cells.append(
                f'<rect x="{x}" y="{y}" width="{side - 1}" height="{side - 1}" '
                f'fill="{BLUE}" fill-opacity="{0.04 + 0.9 * share:.2f}">'
                f"<title>{title}</title></rect>"
            )
            if count:
                color = "#fff" if share > 0.5 else INK
                cells.append(_text(x + side / 2, y + side / 2 + 4, count, "middle", color))
    right, total = sum(counts[i][i] for i in range(n)), sum(map(sum, counts))
    return _page(
        f"Rows: the class; columns: the predicted class; {right} of {total} right",
        _text(8, 18, "row: the class · column: predicted as"),
        *cells,
        size=(max(width, 300), height),
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


class _Axis:
    """Numbers from low to high, between two places on the page, with round ones marked."""

    def __init__(
        self, low: float, high: float, start: float, end: float, inside: bool = False
    ) -> None:
        ticks = _ticks(low, high)
        self.ticks = [t for t in ticks if low <= t <= high] if inside else ticks
        self.low, self.high = (low, high) if inside else (ticks[0], ticks[-1])
        self.start, self.end = start, end

    def __call__(self, number: float) -> float:
        share = (number - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _frame(across: _Axis, up: _Axis, x_name: str, y_name: str) -> Iterable[str]:
    """The marks of both axes and their names."""
    for tick in up.ticks:
        yield f'<path d="M{LEFT} {up(tick):.1f}H{WIDTH - RIGHT}" stroke="{PALE}"/>'
        yield _text(LEFT - 8, up(tick) + 4, f"{tick:g}", "end")
    for tick in across.ticks:
        yield _text(across(tick), HEIGHT - BOTTOM + 20, f"{tick:g}", "middle")
    yield _text(WIDTH / 2, HEIGHT - 8, x_name, "middle")
    yield f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)">{escape(y_name)}</text>'


def _text(x: float, y: float, text: object, anchor: str = "start", color: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">'
        f"{escape(str(text))}</text>"
    )


def _page(
    label: str, *parts: str, size: tuple[float, float] = (WIDTH, HEIGHT), paper: str = "#fff"
) -> str:
    width, height = map(round, size)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(label)}" '
            f'font-family="sans-serif" font-size="12" fill="{INK}">',
            f'<rect width="100%" height="100%" fill="{paper}"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _check(what: str, numbers: Sequence[float]) -> None:
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{what}: expected finite numbers, at least one, got {numbers!r:.80}")


def _ticks(low: float, high: float) -> list[float]:
    """Five or so round numbers (1, 2 or 5 times a power of ten) that enclose low and high."""
    span = max(high - low, 1e-9 * abs(high), 1e-300)
    magnitude = 10.0 ** math.floor(math.log10(span / 4))
    step = next(m * magnitude for m in (1, 2, 5, 10) if span / (m * magnitude) <= 6)
    first, last = math.floor(low / step), math.ceil((low + span) / step)
    return [step * i for i in range(first, last + 1)]
