"""Figures of costs: descent on a curve or a surface, and on a plane through weight space."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.plotting import style
from autograd.plotting.style import COLORS, INK, Figure, Point, as_float, counted, one_line, span
from autograd.recording import no_grad
from autograd.value import Value
from autograd.viz.notation import short_number


def cost_curve(
    cost: Callable[[float], Value | float],
    x_range: Point,
    paths: Sequence[float] | Mapping[str, Sequence[float]] = (),
    *,
    x_label: str = "w",
    y_label: str = "cost",
) -> Figure:
    """A cost of one weight, and paths of descent on it, each in its own panel.

    A ring marks the start. The parts of a path outside the picture are cut off.

    Raises:
        ValueError: if the range is not (low, high), finite.
    """
    grid = style.evenly_spaced(x_range, 201)
    runs = style.named_runs(paths)
    with no_grad():
        curve = [_height(cost, x) for x in grid]
        heights = {name: [_height(cost, x) for x in path] for name, path in runs.items()}
    figure = style.new_figure(max(4.6, 2.0 * len(runs)), 2.7)
    panels = figure.subplots(1, len(runs), sharey=True, squeeze=False)[0]
    for axes, (name, path), color in zip(panels, runs.items(), itertools.cycle(COLORS)):
        axes.plot(grid, curve, color=style.FAINT, linewidth=1.2)
        style.draw_path(axes, (path, heights[name]), color)
        axes.set_xlim(x_range)
        axes.set_ylim(style.widened(curve))
        axes.set_title(style.label_text(name), fontsize=9, color=INK)
        style.style_axes(axes, x_label, y_label if axes is panels[0] else "")
    places = {name: [(x,) for x in path] for name, path in runs.items()}
    said = _described((x_label, y_label), (x_range,), [(x,) for x in grid], curve)
    return style.described(figure, f"Curve of {said}{_ways(places, heights)}")


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
    xs, ys = style.evenly_spaced(x_range, resolution), style.evenly_spaced(y_range, resolution)
    runs = style.named_runs(paths)
    with no_grad():
        surface = np.array([[_height(cost, x, y) for x in xs] for y in ys])
    surface[~np.isfinite(surface)] = np.nan
    if np.isnan(surface).all():
        raise ValueError(f"cost_surface: no finite cost in x {x_range}, y {y_range}")

    figure = style.new_figure(8.4, 3.8)
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
    style.style_relief(relief, labels)
    contours = figure.add_subplot(1, 2, 2)
    figure.suptitle(labels[2], fontsize=9, color=INK)  # at its axis it would lie on the contours
    low, high = float(np.nanmin(surface)), float(np.nanmax(surface))
    levels = [low + (high - low) * (i / 14) ** 2 for i in range(1, 15)] if low < high else [low]
    contours.contour(xs, ys, surface, levels=levels, cmap="cividis", linewidths=0.9)
    contours.set_xlim(x_range)
    contours.set_ylim(y_range)
    style.style_axes(contours, labels[0], labels[1], grid=False)

    heights = {}
    for (name, path), color in zip(runs.items(), itertools.cycle(COLORS[1:] + COLORS[:1])):
        inside = [
            (x, y, _height(cost, x, y))
            for x, y in path
            if x_range[0] <= x <= x_range[1] and y_range[0] <= y <= y_range[1]
        ]
        heights[name] = [height for _, _, height in inside]
        if inside:
            style.draw_path(relief, [*zip(*inside, strict=True)], color)
        if len(path):  # which may be an array, and has no truth then
            style.draw_path(contours, [*zip(*path, strict=True)], color, name)
    if list(runs) != [""]:
        style.add_legend(contours)
    places = [(x, y) for y in ys for x in xs]
    said = _described(labels, (x_range, y_range), places, surface.ravel().tolist())
    return style.described(figure, f"Relief and contours of {said}{_ways(runs, heights)}")


class Plane:
    """A plane in the space of a model's parameters, over which a cost of many weights is drawn.

    Its points are `origin + x·first + y·second`, the origin being the parameters as they are now.

    Args:
        parameters: the weights and biases that the cost depends on.
        first: a direction, one number for each parameter; or one of the parameters, for its
            axis, in which case x is the value of that parameter.
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
        self._directions = np.array([self._direction(first), self._direction(second)])
        along = {id(first), id(second)}
        self._origin = np.array([0.0 if id(p) in along else p.data for p in self.parameters])
        self._gram = self._directions @ self._directions.T
        if not np.linalg.det(self._gram) > 1e-12 * self._gram[0, 0] * self._gram[1, 1]:
            raise ValueError("Plane: the two directions are parallel, or one of them is zero")

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
        return [as_float(number) for number in along]

    def cost(self, loss: Callable[[], Value | float]) -> Callable[[float, float], float]:
        """`loss` as a function of x and y, for `cost_surface`; the parameters are restored."""

        def cost_at(x: float, y: float) -> float:
            numbers = (self._origin + (x, y) @ self._directions).tolist()
            with no_grad(), style.holding(self.parameters, numbers):
                return as_float(loss())

        return cost_at

    def path(self, snapshots: Sequence[Sequence[float]]) -> list[Point]:
        """The (x, y) of each snapshot of the parameters, projected onto the plane."""
        for snapshot in snapshots:
            if len(snapshot) != len(self.parameters):
                raise ValueError(
                    f"Plane.path: a snapshot has {len(snapshot)} numbers "
                    f"for {len(self.parameters)} parameters"
                )
        offsets = np.reshape(snapshots, (-1, len(self.parameters))) - self._origin
        points = np.linalg.solve(self._gram, self._directions @ offsets.T).T
        return [(x, y) for x, y in points.tolist()]


def _described(
    labels: Sequence[str],
    ranges: Sequence[Point],
    places: Sequence[Sequence[float]],
    heights: Sequence[float],
) -> str:
    """In words, the ranges of the weights and of the cost, and where the cost is lowest."""
    *axes, cost = map(one_line, labels)
    over = " and ".join(f"{axis} {span(ends)}" for axis, ends in zip(axes, ranges, strict=True))
    finite = [(height, i) for i, height in enumerate(heights) if math.isfinite(height)]
    if not finite:
        return f"{cost} over {over}, nowhere finite"
    (low, where), (high, _) = min(finite), max(finite)
    between = f"between {short_number(low)} and {short_number(high)}"
    return f"{cost} over {over}, {between}, lowest at {_place(places[where])}"


def _ways(runs: Mapping[str, Sequence[Sequence[float]]], heights: Mapping[str, list[float]]) -> str:
    """The ends of each path, and the cost at those of its points where it is known, in words."""
    said = ""
    for name, path in runs.items():
        known = heights[name]
        if len(path):
            ends = f"from {_place(path[0])} to {_place(path[-1])}"
            said += f"; {one_line(name) or 'a path'}, {counted(len(path), 'point')} {ends}"
        if 0 < len(known) < len(path):
            said += f", {len(known)} of them in the picture"
        if known:
            said += f", cost {span(known)}"
    return said


def _place(numbers: Sequence[float]) -> str:
    written = ", ".join(map(short_number, numbers))
    return written if len(numbers) == 1 else f"({written})"


def _height(cost: Callable[..., Any], *weights: float) -> float:
    """The cost as a float; inf where it overflows, as on a diverged path."""
    try:
        return as_float(cost(*weights))
    except OverflowError:
        return math.inf
