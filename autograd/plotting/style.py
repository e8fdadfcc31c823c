"""The style of all figures, number conversion, and their alternative text.

The colors are those of Okabe and Ito (Color Universal Design, 2008), which color-blind readers
tell apart; lines differ in dash, and classes in marker, as well.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from autograd.optional import requires
from autograd.value import Value
from autograd.viz.drawing import html_image
from autograd.viz.notation import short_number, shortened, visible

with requires("plotting", "matplotlib", "plot"):
    import matplotlib.figure
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap, to_rgb
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
    from PIL import Image

Point: TypeAlias = tuple[float, float]
"""Two numbers: a place in a plane, or the lower and the upper end of an axis."""

INK, FAINT = "#2b2b2b", "#8c8c8c"
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 3)), (0, (8, 2)))
MARKERS = ("o", "^", "s", "D", "v", "P")
PIXELS_PER_INCH, SHOWN_PER_INCH = 132, 88  # sharp on screens that have three pixels for two, too


# --- numbers --------------------------------------------------------------------------------------


def as_float(result: Any) -> float:
    """The result as a float, whether it is a Value or a number."""
    return float(result.data if isinstance(result, Value) else result)


def named_runs(runs: Any) -> dict[str, Any]:
    """Several runs by name; a single one has the name ""."""
    named = dict(runs) if isinstance(runs, Mapping) else {"": runs}
    if not named:
        raise ValueError("expected at least one run, got an empty dictionary")
    return named


def evenly_spaced(ends: Point, count: int) -> list[float]:
    """`count` numbers from the lower to the upper end."""
    low, high = ends
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"expected a range (low, high) with low < high, both finite, got {ends}")
    if count < 2:
        raise ValueError(f"resolution: expected at least 2 points along each axis, got {count}")
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def widened(numbers: Sequence[float]) -> Point:
    """A range around all finite numbers, with a margin."""
    finite = [x for x in numbers if math.isfinite(x)] or [0.0]
    low, high = min(finite), max(finite)
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def one_line(name: object) -> str:
    """A name for use in a sentence: on one line and shortened."""
    return shortened(visible(str(name)))


def label_text(name: object) -> str:
    """A text for matplotlib, where "$" would begin a formula, and "_" hide it in legends."""
    text = one_line(name).replace("$", r"\$")
    return f"\N{ZERO WIDTH SPACE}{text}" if text.startswith("_") else text


def joined(names: Sequence[object]) -> str:
    """The names separated by commas, at most 20 of them."""
    return ", ".join(map(one_line, names[:20])) + ", …" * (len(names) > 20)


def counted(number: int, noun: str) -> str:
    """The number with its noun, in the plural unless it is 1: "3 points"."""
    return f"{number} {noun}{'s' * (number != 1)}"


def span(numbers: Sequence[float], unit: str = "") -> str:
    """The first and the last number, and the range if others are outside of theirs, in words."""
    first, last = numbers[0], numbers[-1]
    said = f"from {short_number(first)}{unit} to " * (len(numbers) > 1) + short_number(last) + unit
    low, high = min(first, last), max(first, last)
    finite = [x for x in numbers if math.isfinite(x)]
    if all(low <= x <= high for x in finite):
        return said
    return (
        f"{said}, between {short_number(min(finite))}{unit} and {short_number(max(finite))}{unit}"
    )


@contextmanager
def holding(parameters: Sequence[Value], numbers: Sequence[float]) -> Iterator[None]:
    """A context in which the parameters hold other numbers."""
    before = [parameter.data for parameter in parameters]
    try:
        for parameter, number in zip(parameters, numbers, strict=True):
            parameter.data = number
        yield
    finally:
        for parameter, number in zip(parameters, before, strict=True):
            parameter.data = number


# --- figures --------------------------------------------------------------------------------------


class Figure(matplotlib.figure.Figure):
    """A figure that displays itself in notebooks without pyplot, with alternative text."""

    described = ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        # As `image/png` it would have no alternative text: neither JupyterLab nor nbconvert's
        # usual template passes one on. Both formats are made of one drawing.
        stream = io.BytesIO()
        pixels(self, PIXELS_PER_INCH, 256).save(stream, "png", optimize=True)
        png, width = stream.getvalue(), round(SHOWN_PER_INCH * self.get_size_inches()[0])
        return {
            "text/html": html_image(png, "png", self.described, f'width="{width}" '),
            "image/png": base64.b64encode(png).decode("ascii"),
            "text/plain": repr(self),
        }

    def savefig(self, fname: Any, **settings: Any) -> None:
        """Matplotlib's `savefig`, with `described` as the title in the file's metadata."""
        if str(settings.get("format", fname)).endswith(("png", "svg", "pdf")):
            settings.setdefault("metadata", {"Title": self.described})
        super().savefig(fname, **settings)

    def __repr__(self) -> str:
        return self.described or super().__repr__()

    __str__ = __repr__


def new_figure(width: float, height: float) -> Figure:
    """An empty figure; width and height in inches."""
    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def described(figure: Figure, sentence: str) -> Figure:
    """Attach a description for readers who cannot see the figure; returns the figure."""
    figure.described = sentence
    return figure


def pixels(figure: Figure, per_inch: float, colors: int) -> Any:
    """The figure as a bitmap with a palette of few colors, which takes a third of the space."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=per_inch)
    picture = Image.open(stream).convert("RGB")
    return picture.quantize(colors, dither=Image.Dither.NONE)


def style_axes(
    axes: Axes,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    y_log: bool = False,
    *,
    grid: bool = True,
) -> None:
    """Apply the common style: thin lines, labeled axes, and a grid and log scales if asked for."""
    axes.set_xlabel(label_text(x_label), fontsize=9, color=INK)
    axes.set_ylabel(label_text(y_label), fontsize=9, color=INK)
    axes.tick_params(labelsize=8, colors=INK, width=0.6, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set(color=FAINT, linewidth=0.8)
    if grid:
        axes.grid(color="#e6e6e6", linewidth=0.6)
    axes.set_axisbelow(True)
    if x_log:
        axes.set_xscale("log")
        _name_few_ticks(axes.xaxis)
    if y_log:
        axes.set_yscale("log")
        _name_few_ticks(axes.yaxis)


def _name_few_ticks(axis: Any) -> None:
    """Label 1, 2 and 5 of each decade on a short logarithmic axis, else powers of ten."""
    low, high = axis.get_view_interval()
    if high < 1000.0 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def style_relief(axes: Any, labels: Sequence[str]) -> None:
    """Apply the common style to 3D axes."""
    for axis, label in zip((axes.xaxis, axes.yaxis, axes.zaxis), (*labels[:2], ""), strict=True):
        axis.set_label_text(label_text(label), fontsize=8, color=INK)
        axis.labelpad = -4.0  # beside the numbers; further out it would seem to belong to nothing
        axis.set_tick_params(labelsize=7, colors=INK, pad=-2)
        axis.set_pane_color((1.0, 1.0, 1.0, 0.0))
        axis.line.set_color(FAINT)
        axis.set_major_locator(MaxNLocator(5))
    axes.grid(False)


def two_shades(low: str, high: str) -> Any:
    """A scale of colors from one through white to the other."""
    ends = [[1.0 - 0.55 * (1.0 - c) for c in to_rgb(color)] for color in (low, high)]
    return LinearSegmentedColormap.from_list("autograd", [ends[0], (1.0, 1.0, 1.0), ends[1]])


def draw_lines(
    axes: Axes, columns: Mapping[str, Sequence[Sequence[float]]], marker: str = ""
) -> None:
    """Named columns of x and y, told apart by color and dash."""
    axes.set_prop_cycle(color=COLORS, linestyle=DASHES)
    for name, points in columns.items():
        x, y = points or ([], [])
        # A run of one epoch is a point, and a line of one point cannot be seen.
        lone = "o" if len(x) == 1 else marker
        axes.plot(x, y, marker=lone, ms=3.5, label=label_text(name), lw=1.4)


def draw_path(axes: Any, columns: Sequence[Sequence[float]], color: str, name: str = "") -> None:
    """Draw the path of a descent, with a ring at its start."""
    axes.plot(*columns, "o-", color=color, lw=1.1, ms=2.8, label=label_text(name), zorder=4)
    start = [column[:1] for column in columns]
    axes.plot(*start, "o", color=INK, ms=8, markerfacecolor="none", zorder=5)


def add_legend(axes: Axes) -> None:
    """Add a legend."""
    axes.legend(fontsize=8, labelcolor=INK, frameon=True, framealpha=0.85, edgecolor="none")
