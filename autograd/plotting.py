"""Figures of what the other rooms return: training curves, decision boundaries, cost surfaces.

Every function takes what `fit` returned, or plain lists and functions of floats, and returns a
matplotlib `Figure`, which shows itself in a notebook and is saved with `figure.savefig(path)`. No
figure passes through `pyplot`: none needs a display, none is kept alive by a global list.

    recording = Recording(model)
    history = fit(model, hinge, X, Y, optimizer, epochs=100, callback=recording)
    training_curve(history).savefig("loss.svg")
    boundary_animation(recording, X, Y).save("moons.gif")

The colours are those of Okabe and Ito (Color Universal Design, 2008), which colour-blind readers
tell apart; lines differ in dash, and classes in marker, as well.
"""

from __future__ import annotations

import base64
import io
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from autograd.files import write_whole
from autograd.recording import no_grad
from autograd.training import Recording as Recording  # noqa: PLC0414 (plotting.Recording, too)
from autograd.value import Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from autograd.training import Epoch


class Classifier(Protocol):
    """A model of two inputs, such as an `MLP`: one score, or one for each class."""

    def __call__(self, inputs: list[float], /) -> Any:
        """The scores: Values or floats."""

    def parameters(self) -> list[Value]:
        """What training moves."""


Run: TypeAlias = "Sequence[Epoch] | Sequence[float]"
"""What `fit` returned, or a plain list of losses."""

Point: TypeAlias = tuple[float, float]
"""Two numbers: a place in a plane, or the lower and the upper end of an axis."""

INK, FAINT = "#2b2b2b", "#8c8c8c"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (5, 1.5)), (0, (2, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 3)), (0, (8, 2)))
MARKERS = ("o", "^", "s", "D", "v", "P")
PIXELS_PER_INCH = 132


# --- curves ---------------------------------------------------------------------------------------


def training_curve(history: Run | Mapping[str, Run]) -> Figure:
    """Loss, and accuracy where it is known, over the epochs of one run or of several named ones.

    The axis of the loss is logarithmic where the loss stays positive and spans more than tenfold.

    Args:
        history: what `fit` returned, or a plain list of losses (one a step), or a dictionary of
            either that gives each run its name.

    Raises:
        ValueError: if there is no run, or a run has no rows.
    """
    runs = {name: _columns(run) for name, run in _named(history).items()}
    for name, run in runs.items():
        if not run.losses:
            raise ValueError(f"training_curve: the run {name!r} has no rows; train first")
    unit = next(iter(runs.values())).unit
    accuracies = {
        name: (run.epochs, [100.0 * a for a in run.accuracies])
        for name, run in runs.items()
        if run.accuracies
    }

    figure = _figure(7.6 if accuracies else 5.0, 3.0)
    panels = figure.subplots(1, 2 if accuracies else 1, squeeze=False)[0]
    _draw_lines(panels[0], {name: (run.epochs, run.losses) for name, run in runs.items()})
    finite = [loss for run in runs.values() for loss in run.losses if math.isfinite(loss)]
    spans_much = bool(finite) and 0.0 < 10.0 * min(finite) < max(finite)
    _style(panels[0], unit, "loss", y_log=spans_much)
    if accuracies:
        _draw_lines(panels[1], accuracies)
        _style(panels[1], unit, "accuracy (%)")
        panels[1].set_ylim(top=102.0)
    if list(runs) != [""]:
        _legend(panels[0])
    return figure


class _Columns(NamedTuple):
    unit: str
    epochs: list[float]
    losses: list[float]
    accuracies: list[float]


def _columns(run: Run) -> _Columns:
    rows: list[Any] = list(run)
    if rows and hasattr(rows[0], "loss"):
        accuracies = [row.accuracy for row in rows if row.accuracy is not None]
        return _Columns("epoch", [r.epoch for r in rows], [r.loss for r in rows], accuracies)
    return _Columns("step", list(range(len(rows))), [_number(loss) for loss in rows], [])


def lines(
    x: Sequence[float],
    columns: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    y_log: bool = False,
) -> Figure:
    """Named columns of numbers over a common one.

    Args:
        x: the common column.
        columns: the others, each by its name, which a legend shows unless it is a single "".
        x_label: what x is, with its unit.
        y_label: what the columns are, with their unit.
        x_log: whether the axis of x is logarithmic.
        y_log: whether that of the columns is.

    Raises:
        ValueError: if there is nothing to draw, or a column is not as long as `x`.
    """
    _check_columns("lines", x, columns)
    figure = _figure(5.6, 3.2)
    axes = figure.subplots()
    _draw_lines(axes, {name: (x, column) for name, column in columns.items()})
    _style(axes, x_label, y_label, x_log, y_log)
    if list(columns) != [""]:
        _legend(axes)
    return figure


def difference_errors(steps: Sequence[float], errors: Mapping[str, Sequence[float]]) -> Figure:
    """The error of finite differences over their step: a V on logarithmic axes, its best marked.

    Right of the V the quotient misses the bend of the function (truncation); left of it, two
    numbers are subtracted that differ in their last digits only (rounding).

    Args:
        steps: the step sizes h.
        errors: the relative error at each step, for each formula by its name. An error of exactly
            zero has no place on a logarithmic axis and is left out.

    Raises:
        ValueError: if there is nothing to draw, or a column is not as long as `steps`.
    """
    _check_columns("difference_errors", steps, errors)
    figure = _figure(5.6, 3.4)
    axes = figure.subplots()
    visible = {
        name: [(h, e) for h, e in zip(steps, column, strict=True) if e > 0.0]
        for name, column in errors.items()
    }
    _draw_lines(axes, {name: _transposed(points) for name, points in visible.items()}, "o")
    for points, colour in zip(visible.values(), itertools.cycle(COLOURS), strict=False):
        if points:
            best = min(points, key=lambda point: point[1])
            axes.plot(*best, "o", ms=10, markerfacecolor="none", color=colour)
            axes.annotate(
                f"h = {best[0]:.0e}",
                best,
                textcoords="offset points",
                xytext=(0, -18),
                ha="center",
                fontsize=8,
                color=colour,
            )
    axes.margins(y=0.15)
    _style(axes, "step h", "relative error", x_log=True, y_log=True)
    _legend(axes)
    return figure


def _check_columns(caller: str, x: Sequence[float], columns: Mapping[str, Sequence[float]]) -> None:
    if not len(x) or not columns:
        raise ValueError(f"{caller}: got nothing to draw; give at least one column of numbers")
    for name, column in columns.items():
        if len(column) != len(x):
            raise ValueError(
                f"{caller}: {name!r} has {len(column)} numbers, the x axis has {len(x)}"
            )


# --- descent on a cost ----------------------------------------------------------------------------


def cost_curve(
    cost: Callable[[float], Value | float],
    x_range: Point,
    paths: Sequence[float] | Mapping[str, Sequence[float]] = (),
    *,
    x_label: str = "w",
    y_label: str = "cost",
) -> Figure:
    """A cost of one weight, with one path of descent on it or several, each in its own panel.

    A ring marks the start. What of a path leaves the picture is cut off.

    Raises:
        ValueError: if the range is not (low, high), finite.
    """
    grid = _grid(x_range, 201)
    runs = _named(paths)
    with no_grad():
        curve = [_height(cost, x) for x in grid]
        heights = {name: [_height(cost, x) for x in path] for name, path in runs.items()}
    figure = _figure(max(4.6, 2.0 * len(runs)), 2.7)
    panels = figure.subplots(1, len(runs), sharey=True, squeeze=False)[0]
    for axes, (name, path), colour in zip(panels, runs.items(), itertools.cycle(COLOURS)):
        axes.plot(grid, curve, color=FAINT, linewidth=1.2)
        _draw_path(axes, (path, heights[name]), colour)
        axes.set_xlim(x_range)
        axes.set_ylim(_widened(curve))
        axes.set_title(name, fontsize=9, color=INK)
        _style(axes, x_label, y_label if axes is panels[0] else "")
    return figure


def cost_surface(
    cost: Callable[[float, float], Value | float],
    x_range: Point,
    y_range: Point,
    paths: Sequence[Point] | Mapping[str, Sequence[Point]] = (),
    *,
    labels: tuple[str, str, str] = ("w₁", "w₂", "cost"),
    resolution: int = 61,
) -> Figure:
    """A cost of two weights in 3-D and as contours, with the paths of descent on it.

    A ring marks each start. The contours lie at heights that grow with the square of their number,
    so that a parabolic bowl has evenly spaced ones. For a cost of many weights see `Plane`.

    Args:
        cost: takes two floats.
        x_range: (low, high) of the first weight.
        y_range: (low, high) of the second.
        paths: the (x, y) of a run's steps, or a dictionary of such paths by name.
        labels: names of the two axes and of the cost.
        resolution: points of the grid along each axis; the cost is computed resolution² times.

    Raises:
        ValueError: if a range is not (low, high), or the cost is not finite anywhere in them.
    """
    figure = _figure(8.4, 3.8)  # first, because it says what to install
    import numpy as np

    xs, ys = _grid(x_range, resolution), _grid(y_range, resolution)
    runs = _named(paths)
    with no_grad():
        surface = np.array([[_height(cost, x, y) for x in xs] for y in ys])
    surface[~np.isfinite(surface)] = np.nan
    if np.isnan(surface).all():
        raise ValueError(f"cost_surface: no finite cost in x {x_range}, y {y_range}")

    relief: Any = figure.add_subplot(1, 2, 1, projection="3d", computed_zorder=False)
    relief.plot_surface(
        *np.meshgrid(xs, ys),
        surface,
        cmap="cividis",
        antialiased=False,
        linewidth=0.0,
        rcount=61,
        ccount=61,
    )
    relief.view_init(elev=38, azim=-58)
    _style_relief(relief, labels)
    contours = figure.add_subplot(1, 2, 2)
    figure.suptitle(labels[2], fontsize=9, color=INK)  # at its axis it would lie on the contours
    low, high = float(np.nanmin(surface)), float(np.nanmax(surface))
    levels = [low + (high - low) * (i / 14) ** 2 for i in range(1, 15)] if low < high else [low]
    contours.contour(xs, ys, surface, levels=levels, cmap="cividis", linewidths=0.9)
    contours.set_xlim(x_range)
    contours.set_ylim(y_range)
    _style(contours, labels[0], labels[1], grid=False)

    for (name, path), colour in zip(runs.items(), itertools.cycle(COLOURS[1:] + COLOURS[:1])):
        inside = [
            (x, y, _height(cost, x, y))
            for x, y in path
            if x_range[0] <= x <= x_range[1] and y_range[0] <= y <= y_range[1]
        ]
        if inside:
            _draw_path(relief, _transposed(inside), colour)
        if len(path):  # which may be an array, and has no truth then
            _draw_path(contours, _transposed(path), colour, name)
    if list(runs) != [""]:
        _legend(contours)
    return figure


class Plane:
    """A plane through the space of a model's parameters, to see a cost of many weights in two.

    Its points are `origin + x·first + y·second`, the origin being the parameters as they are now.

    Args:
        parameters: the weights and biases that the cost depends on.
        first: a direction, one number for each parameter; or one of the parameters, along whose
            own axis the plane then lies, x being the value of that parameter itself.
        second: likewise, for y.

    Raises:
        ValueError: if a direction has another number of elements, or the two are parallel.
    """

    def __init__(
        self,
        parameters: Sequence[Value],
        first: Sequence[float] | Value,
        second: Sequence[float] | Value,
    ) -> None:
        self.parameters = list(parameters)
        self.first, self.second = self._direction(first), self._direction(second)
        self.origin = [
            0.0 if parameter is first or parameter is second else parameter.data
            for parameter in self.parameters
        ]
        self._gram = [[_dot(u, v) for v in self._axes] for u in self._axes]
        (uu, uv), (_, vv) = self._gram
        if not uu * vv - uv * uv > 1e-12 * uu * vv:
            raise ValueError("Plane: the two directions are parallel, or one of them is zero")

    @property
    def _axes(self) -> tuple[list[float], list[float]]:
        return self.first, self.second

    def _direction(self, along: Sequence[float] | Value) -> list[float]:
        if isinstance(along, Value):
            numbers = [1.0 if parameter is along else 0.0 for parameter in self.parameters]
            if not any(numbers):
                raise ValueError(f"Plane: {along!r} is none of the parameters")
            return numbers
        if len(along) != len(self.parameters):
            raise ValueError(
                f"Plane: a direction has {len(along)} numbers for {len(self.parameters)} parameters"
            )
        return [_number(number) for number in along]

    def cost(self, loss: Callable[[], Value | float]) -> Callable[[float, float], float]:
        """`loss` as a function of x and y, for `cost_surface`; the parameters are restored."""

        def cost_at(x: float, y: float) -> float:
            pairs = zip(self.origin, self.first, self.second, strict=True)
            with no_grad(), _holding(self.parameters, [o + x * u + y * v for o, u, v in pairs]):
                return _number(loss())

        return cost_at

    def path(self, snapshots: Sequence[Sequence[float]]) -> list[Point]:
        """The (x, y) at which each snapshot of the parameters lies, seen straight from above."""
        (uu, uv), (_, vv) = self._gram
        determinant = uu * vv - uv * uv
        points = []
        for snapshot in snapshots:
            offset = [s - o for s, o in zip(snapshot, self.origin, strict=True)]
            along, across = _dot(offset, self.first), _dot(offset, self.second)
            points.append(
                ((vv * along - uv * across) / determinant, (uu * across - uv * along) / determinant)
            )
        return points


def _dot(u: Sequence[float], v: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(u, v, strict=True))


# --- decision boundaries --------------------------------------------------------------------------


def decision_boundary(
    model: Callable[[list[float]], Any],
    X: Sequence[Sequence[float]],
    Y: Sequence[float],
    *,
    threshold: float = 0.0,
    labels: tuple[str, str] = ("x₁", "x₂"),
    resolution: int = 61,
) -> Figure:
    """Where a classifier of two inputs changes its mind, with the examples it learned from.

    A model with one output prefers the larger of Y's labels where its score is above the threshold;
    one with an output per class prefers the class with the largest.

    Args:
        model: takes a list of two floats; returns one score, or a list with one for each class.
        X: the examples, rows of two features.
        Y: their labels.
        threshold: 0 for logits and for the hinge's scores, ½ for probabilities.
        labels: the names of the two features.
        resolution: points of the grid along each axis; the model is called resolution² times.

    Raises:
        ValueError: if X is empty, is not as long as Y, or has a row of other than two features, or
            if Y has a label that is none of the classes.
    """
    figure = _figure(4.6, 3.8)
    window = _Window.around(X, Y, resolution)
    scores = window.scores(model, threshold)
    axes = figure.subplots()
    window.draw(axes, scores, _scale(scores), X, Y)
    _style(axes, *labels, grid=False)
    _legend(axes)
    return figure


class Animation:
    """A moving picture: shows itself in a notebook, and is saved with `save("moons.gif")`."""

    def __init__(self, gif: bytes) -> None:
        self.gif = gif

    def __repr__(self) -> str:
        return f"Animation({len(self.gif):,} bytes of GIF: .save('boundary.gif') writes it)"

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.gif).decode("ascii")
        return f'<img src="data:image/gif;base64,{data}" alt="animated decision boundary">'

    def save(self, path: str | PathLike[str]) -> None:
        """Write the GIF. Raises ValueError for a name that does not end in .gif."""
        if Path(path).suffix.lower() != ".gif":
            raise ValueError(f"Animation.save: expected a name that ends in .gif, got {path!r}")
        write_whole(path, self.gif)


def boundary_animation(
    recording: Recording,
    X: Sequence[Sequence[float]],
    Y: Sequence[float],
    *,
    threshold: float = 0.0,
    labels: tuple[str, str] = ("x₁", "x₂"),
    frames: int = 40,
    seconds: float = 6.0,
    resolution: int = 41,
) -> Animation:
    """The decision boundary as it forms, from a recorded run of `fit`.

    Frames are spaced evenly over the epochs, the start and the end included. The model's parameters
    are restored.

    Args:
        recording: what collected the run.
        X: the examples, rows of two features.
        Y: their labels.
        threshold: as of `decision_boundary`.
        labels: the names of the two features.
        frames: the largest number of pictures.
        seconds: how long they take; the last one stays for two seconds more.
        resolution: points of the grid along each axis.

    Raises:
        ValueError: if no epoch was recorded, or the examples are not as `decision_boundary` wants.
    """
    if not recording.rows:
        raise ValueError(
            "boundary_animation: nothing was recorded; call fit(…, callback=recording)"
        )
    figure = _figure(4.6, 4.0)
    window = _Window.around(X, Y, resolution)
    last = len(recording.rows)
    chosen = sorted({round(i * last / max(1, frames - 1)) for i in range(frames)} | {last})
    parameters = recording.model.parameters()
    scores = []
    for epoch in chosen:
        with _holding(parameters, recording.snapshots[epoch]):
            scores.append(window.scores(recording.model, threshold))
    scale = _scale(scores[-1])

    pictures = []
    for epoch, score in zip(chosen, scores, strict=True):
        figure.clear()
        axes = figure.subplots()
        window.draw(axes, score, scale, X, Y)
        axes.set_title(_caption(recording.rows, epoch), fontsize=9, color=INK, loc="left")
        _style(axes, *labels, grid=False)
        _legend(axes)
        pictures.append(_pixels(figure))
    return Animation(_gif(pictures, seconds))


class _Window(NamedTuple):
    """The part of the plane around the examples, on a grid."""

    xs: list[float]
    ys: list[float]

    @classmethod
    def around(cls, X: Sequence[Sequence[float]], Y: Sequence[float], resolution: int) -> _Window:
        if not len(X) or len(X) != len(Y):
            raise ValueError(
                f"decision boundary: expected as many labels as examples, at least one; "
                f"got {len(X)} examples and {len(Y)} labels"
            )
        for row in X:
            if len(row) != 2:
                raise ValueError(
                    f"decision boundary: a plane needs rows of two features, got {list(row)!r}"
                )
        xs, ys = _transposed(X)
        return cls(_grid(_widened(xs), resolution), _grid(_widened(ys), resolution))

    def scores(self, model: Callable[[list[float]], Any], threshold: float) -> Any:
        """For each output, how far it is above the threshold, or above the best of the others."""
        import numpy as np

        with no_grad():
            outputs = [[_numbers(model([x, y])) for x in self.xs] for y in self.ys]
        scores = np.moveaxis(np.array(outputs), 2, 0)
        if len(scores) == 1:
            return scores - threshold
        others = [np.delete(scores, k, axis=0).max(axis=0) for k in range(len(scores))]
        return scores - np.array(others)

    def draw(
        self,
        axes: Axes,
        scores: Any,
        scale: float,
        X: Sequence[Sequence[float]],
        Y: Sequence[float],
    ) -> None:
        if len(scores) == 1:
            levels = [scale * i / 5 for i in range(-5, 6)]
            shades = _shades(COLOURS[0], COLOURS[1])
            axes.contourf(self.xs, self.ys, scores[0], levels, cmap=shades, extend="both")
        for score, colour in zip(scores, itertools.cycle(COLOURS)):
            if score.min() < 0.0 < score.max():
                axes.contour(self.xs, self.ys, score, [0.0], colors=INK, linewidths=1.4)
            if len(scores) > 1 and score.max() > 0.0:
                axes.contourf(
                    self.xs, self.ys, score, [0.0, score.max()], colors=[colour], alpha=0.28
                )
        labels = _classes(Y, len(scores))
        for label, colour, marker in zip(
            labels, itertools.cycle(COLOURS), itertools.cycle(MARKERS)
        ):
            rows = [row for row, of_row in zip(X, Y, strict=True) if of_row == label]
            x, y = _transposed(rows) if rows else ([], [])
            axes.scatter(
                x,
                y,
                s=22,
                marker=marker,
                color=colour,
                edgecolors="white",
                linewidths=0.6,
                label=f"class {label}",
                zorder=3,
            )


def _classes(Y: Sequence[float], n_outputs: int) -> Sequence[float]:
    """The labels, in the order of the colours: the indices of the outputs, if there are several."""
    labels = sorted(set(Y))
    if n_outputs == 1:
        return labels
    for label in labels:
        if label not in range(n_outputs):
            raise ValueError(
                f"decision boundary: expected a class index from 0 to {n_outputs - 1}, got {label}"
            )
    return range(n_outputs)


def _scale(scores: Any) -> float:
    """A score whose shade is full: nine tenths of the plane lie closer to the boundary."""
    import numpy as np

    finite = np.abs(scores[np.isfinite(scores)])
    return float(np.quantile(finite, 0.9)) or 1.0 if finite.size else 1.0


def _caption(rows: Sequence[Epoch], epoch: int) -> str:
    if epoch == 0:
        return "before training"
    row = rows[epoch - 1]
    accuracy = "" if row.accuracy is None else f" · accuracy {100.0 * row.accuracy:.0f} %"
    return f"epoch {epoch} · loss {row.loss:.3g}{accuracy}"


def _pixels(figure: Figure) -> Any:
    """The figure as a picture of few colours, as a GIF holds it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.frombytes("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba()))
    return picture.convert("RGB").quantize(96, dither=Image.Dither.NONE)


def _gif(pictures: list[Any], seconds: float) -> bytes:
    stream = io.BytesIO()
    each = round(1000.0 * seconds / len(pictures))
    pictures[0].save(
        stream,
        format="GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[each] * (len(pictures) - 1) + [each + 2000],
        loop=0,
    )
    return stream.getvalue()


@contextmanager
def _holding(parameters: Sequence[Value], numbers: Sequence[float]) -> Iterator[None]:
    """A context in which the parameters hold other numbers."""
    before = [parameter.data for parameter in parameters]
    try:
        for parameter, number in zip(parameters, numbers, strict=True):
            parameter.data = number
        yield
    finally:
        for parameter, number in zip(parameters, before, strict=True):
            parameter.data = number


# --- numbers --------------------------------------------------------------------------------------


def _number(result: Any) -> float:
    return float(result.data if isinstance(result, Value) else result)


def _height(cost: Callable[..., Any], *weights: float) -> float:
    """The cost as a float; where a path has diverged beyond what float's ** can do, inf."""
    try:
        return _number(cost(*weights))
    except OverflowError:
        return math.inf


def _numbers(result: Any) -> list[float]:
    return [_number(x) for x in (result if isinstance(result, list | tuple) else [result])]


def _named(runs: Any) -> dict[str, Any]:
    """Several runs by name; a single one has the name ""."""
    named = dict(runs) if isinstance(runs, Mapping) else {"": runs}
    if not named:
        raise ValueError("expected at least one run, got an empty dictionary")
    return named


def _grid(ends: Point, count: int) -> list[float]:
    low, high = ends
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"expected a range (low, high) with low < high, both finite, got {ends}")
    if count < 2:
        raise ValueError(f"resolution: expected at least 2 points along each axis, got {count}")
    return [low + (high - low) * i / (count - 1) for i in range(count)]


def _widened(numbers: Sequence[float]) -> Point:
    finite = [x for x in numbers if math.isfinite(x)] or [0.0]
    low, high = min(finite), max(finite)
    margin = 0.08 * (high - low) or 1.0
    return low - margin, high + margin


def _transposed(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


# --- one look for all figures ---------------------------------------------------------------------


@cache
def _figure_class() -> type[Figure]:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"figures are drawn by matplotlib, which is not installed ({missing.name}): "
            'pip install "scalar-autograd[plot]"',
            name=missing.name,
        ) from None

    class ShownFigure(Figure):
        """A figure that a notebook shows without pyplot."""

        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            stream = io.BytesIO()
            self.savefig(stream, format="png", dpi=PIXELS_PER_INCH)
            width, height = self.get_size_inches()
            return stream.getvalue(), {"width": round(88 * width), "height": round(88 * height)}

    return ShownFigure


def _figure(width: float, height: float) -> Figure:
    """An empty figure; width and height in inches."""
    return _figure_class()(figsize=(width, height), layout="constrained", facecolor="white")


def _style(
    axes: Axes,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    y_log: bool = False,
    *,
    grid: bool = True,
) -> None:
    axes.set_xlabel(x_label, fontsize=9, color=INK)
    axes.set_ylabel(y_label, fontsize=9, color=INK)
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
    """On a short logarithmic axis, 1, 2 and 5 of each decade; on a long one, its powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    if high < 1000.0 * low:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())


def _style_relief(axes: Any, labels: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    for axis, label in zip((axes.xaxis, axes.yaxis, axes.zaxis), (*labels[:2], ""), strict=True):
        axis.set_label_text(label, fontsize=9, color=INK)
        axis.set_tick_params(labelsize=7, colors=INK, pad=0)
        axis.set_pane_color((1.0, 1.0, 1.0, 0.0))
        axis.line.set_color(FAINT)
        axis.set_major_locator(MaxNLocator(5))
    axes.grid(False)


def _shades(low: str, high: str) -> Any:
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    ends = [[1.0 - 0.55 * (1.0 - c) for c in to_rgb(colour)] for colour in (low, high)]
    return LinearSegmentedColormap.from_list("autograd", [ends[0], (1.0, 1.0, 1.0), ends[1]])


def _draw_lines(
    axes: Axes, columns: Mapping[str, Sequence[Sequence[float]]], marker: str = ""
) -> None:
    looks = itertools.cycle(zip(COLOURS, DASHES, strict=True))
    for (name, points), (colour, dash) in zip(columns.items(), looks, strict=False):
        x, y = points or ([], [])
        # A run of one epoch is a point, and a line of one point cannot be seen.
        lone = "o" if len(x) == 1 else marker
        axes.plot(
            x, y, marker=lone, ms=3.5, color=colour, linestyle=dash, label=name, linewidth=1.4
        )


def _draw_path(axes: Any, columns: Sequence[Sequence[float]], colour: str, name: str = "") -> None:
    axes.plot(*columns, "o-", color=colour, linewidth=1.1, ms=2.8, label=name, zorder=4)
    start = [column[:1] for column in columns]
    axes.plot(*start, "o", color=INK, ms=8, markerfacecolor="none", zorder=5)


def _legend(axes: Axes) -> None:
    axes.legend(fontsize=8, labelcolor=INK, frameon=True, framealpha=0.85, edgecolor="none")


# --- what a classifier got wrong ------------------------------------------------------------------


def confusion_matrix(truth: Sequence[Any], predicted: Sequence[Any]) -> Figure:
    """How often each class was taken for which: a row for what it is, a column for the prediction.

    The diagonal, where both agree, is blue, and every mistake orange. A colour is full where it
    stands for all examples of a class, or for the most frequent mistake.

    Args:
        truth: the label of each example.
        predicted: as many predictions.

    Raises:
        ValueError: if there are no examples, or not as many predictions as labels.
    """
    if not len(truth) or len(truth) != len(predicted):
        raise ValueError(
            f"confusion_matrix: expected as many predictions as labels, at least one; "
            f"got {len(predicted)} predictions and {len(truth)} labels"
        )
    counts = Counter(zip(truth, predicted, strict=True))
    totals = Counter(truth)
    worst = max((n for (row, column), n in counts.items() if row != column), default=1)
    classes = sorted({*truth, *predicted})

    def shade(row: Any, column: Any) -> float:
        if row == column:
            return counts[row, row] / max(1, totals[row])
        return -counts[row, column] / worst

    figure = _figure(1.6 + 0.36 * len(classes), 1.0 + 0.36 * len(classes))
    axes = figure.subplots()
    shades = [[shade(row, column) for column in classes] for row in classes]
    axes.imshow(shades, cmap=_shades(COLOURS[1], COLOURS[0]), vmin=-1.0, vmax=1.0)
    for (row, column), count in counts.items():
        place = classes.index(column), classes.index(row)
        axes.text(*place, str(count), fontsize=8, color=INK, ha="center", va="center")
    axes.set_xticks(range(len(classes)), list(map(str, classes)))
    axes.set_yticks(range(len(classes)), list(map(str, classes)))
    _style(axes, "predicted class", "true class", grid=False)
    return figure


def image_grid(
    images: Sequence[Sequence[float]], titles: Sequence[str] = (), *, columns: int = 10
) -> Figure:
    """Square images side by side, from white at the smallest of all their numbers to black.

    Args:
        images: each a flat row of numbers as a network takes it, pixel by pixel, line by line.
        titles: what stands above each, if anything.
        columns: how many stand in a row, at least 1.

    Raises:
        ValueError: if there are no images, one is not square, or there are not as many titles.
    """
    if not len(images) or columns < 1 or len(titles) not in (0, len(images)):
        raise ValueError(
            f"image_grid: expected images, as many titles or none, and at least 1 column; "
            f"got {len(images)} images, {len(titles)} titles and {columns} columns"
        )
    for image in images:
        if not len(image) or len(image) != math.isqrt(len(image)) ** 2:
            raise ValueError(f"image_grid: a row of {len(image)} numbers is no square image")
    lightest, darkest = min(map(min, images)), max(map(max, images))
    columns = min(columns, len(images))
    n_rows = math.ceil(len(images) / columns)
    figure = _figure(0.76 * columns, (0.96 if titles else 0.76) * n_rows)
    panels = figure.subplots(n_rows, columns, squeeze=False).flat
    for axes, image, title in itertools.zip_longest(panels, images, titles):
        axes.set_axis_off()
        if image is not None:
            side = math.isqrt(len(image))
            pixels = [image[i : i + side] for i in range(0, len(image), side)]
            axes.imshow(pixels, cmap="Greys", vmin=lightest, vmax=darkest)
            axes.set_title(title or "", fontsize=8, color=INK, pad=3)
    return figure
