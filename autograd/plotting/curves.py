"""Line plots: training curves, columns of numbers, and the error of finite differences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from autograd.plotting import style
from autograd.plotting.style import Figure, counted, one_line, span
from autograd.training import Epoch
from autograd.viz.notation import short_number

Run: TypeAlias = Sequence[Epoch] | Sequence[float]
"""The result of `fit`, or a list of losses."""


def training_curve(history: Run | Mapping[str, Run]) -> Figure:
    """Loss, and accuracy where it is known, over the epochs of one run or of several named ones.

    The axis of the loss is logarithmic where the loss stays positive and spans more than tenfold.

    Args:
        history: the result of `fit`, or a plain list of losses (one a step), or a dictionary of
            either that gives each run its name.

    Raises:
        ValueError: if there is no run, or a run has no rows.
    """
    runs = {name: _columns(run) for name, run in style.named_runs(history).items()}
    for name, run in runs.items():
        if not run.losses:
            raise ValueError(f"training_curve: the run {name!r} has no rows; train first")
    unit = next(iter(runs.values())).unit
    accuracies = {name: (run.epochs, run.percents) for name, run in runs.items() if run.percents}

    figure = style.new_figure(7.6 if accuracies else 5.0, 3.0)
    panels = figure.subplots(1, 2 if accuracies else 1, squeeze=False)[0]
    style.draw_lines(panels[0], {name: (run.epochs, run.losses) for name, run in runs.items()})
    finite = [loss for run in runs.values() for loss in run.losses if math.isfinite(loss)]
    spans_much = bool(finite) and 0.0 < 10.0 * min(finite) < max(finite)
    style.style_axes(panels[0], unit, "loss", y_log=spans_much)
    if accuracies:
        style.draw_lines(panels[1], accuracies)
        style.style_axes(panels[1], unit, "accuracy (%)")
        panels[1].set_ylim(top=102.0)
    if list(runs) == [""]:
        return style.described(figure, f"Training curve of {runs[''].described}")
    style.add_legend(panels[0])
    each = "; ".join(f"{one_line(name)}, {run.described}" for name, run in runs.items())
    return style.described(figure, f"Training curves of {counted(len(runs), 'run')}: {each}")


class _Columns(NamedTuple):
    unit: str
    epochs: list[float]
    losses: list[float]
    percents: list[float]

    @property
    def described(self) -> str:
        said = f"{counted(len(self.losses), self.unit)}, loss {span(self.losses)}"
        return f"{said}, accuracy {span(self.percents, ' %')}" if self.percents else said


def _columns(run: Run) -> _Columns:
    rows: list[Any] = list(run)
    if rows and hasattr(rows[0], "loss"):
        percents = [100.0 * row.accuracy for row in rows if row.accuracy is not None]
        return _Columns("epoch", [r.epoch for r in rows], [r.loss for r in rows], percents)
    return _Columns("step", list(range(len(rows))), [style.as_float(loss) for loss in rows], [])


def lines(
    x: Sequence[float],
    columns: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str,
    x_log: bool = False,
    y_log: bool = False,
) -> Figure:
    """Plot named columns of numbers against a common one.

    Args:
        x: the common column.
        columns: the others, each by its name, which a legend shows unless it is a single "".
        x_label: the name of x, with its unit.
        y_label: the name of the columns, with their unit.
        x_log: whether the x axis is logarithmic.
        y_log: whether the y axis is logarithmic.

    Raises:
        ValueError: if there is nothing to draw, or a column is not as long as `x`.
    """
    _check_columns("lines", x, columns)
    figure = style.new_figure(5.6, 3.2)
    axes = figure.subplots()
    style.draw_lines(axes, {name: (x, column) for name, column in columns.items()})
    style.style_axes(axes, x_label, y_label, x_log, y_log)
    if list(columns) != [""]:
        style.add_legend(axes)
    each = "; ".join(f"{one_line(name)} {span(column)}".strip() for name, column in columns.items())
    over = f"{one_line(y_label)} over {one_line(x_label)} {span(x)}"
    return style.described(figure, f"{counted(len(columns), 'line')}, {over}: {each}")


def difference_errors(steps: Sequence[float], errors: Mapping[str, Sequence[float]]) -> Figure:
    """The error of finite differences over their step: a V on logarithmic axes, its best marked.

    Right of the best step the error comes from the function's curvature (truncation); left of it,
    from subtracting numbers that differ in their last digits only (rounding).

    Args:
        steps: the step sizes h.
        errors: the relative error at each step, for each formula by its name. An error of exactly
            zero has no place on a logarithmic axis and is left out.

    Raises:
        ValueError: if there is nothing to draw, or a column is not as long as `steps`.
    """
    _check_columns("difference_errors", steps, errors)
    figure = style.new_figure(5.6, 3.4)
    axes = figure.subplots()
    visible = {
        name: [(h, e) for h, e in zip(steps, column, strict=True) if e > 0.0]
        for name, column in errors.items()
    }
    least = {
        name: min(points, key=lambda point: point[1]) for name, points in visible.items() if points
    }
    labels = {name: f"{name}, best h = {h:.0e}" for name, (h, _) in least.items()}
    columns = {labels.get(name, name): tuple(zip(*x, strict=True)) for name, x in visible.items()}
    style.draw_lines(axes, columns, "o")
    for name, color in zip(visible, itertools.cycle(style.COLORS), strict=False):
        if name in least:
            axes.plot(*least[name], "o", ms=10, markerfacecolor="none", color=color)
    axes.margins(y=0.15)
    style.style_axes(axes, "step h", "relative error", x_log=True, y_log=True)
    style.add_legend(axes)
    over = f"Relative error over the step h, {span(steps)}, on logarithmic axes"
    smallest = (
        f"{one_line(name)} {short_number(error)} at h = {short_number(h)}"
        for name, (h, error) in least.items()
    )
    return style.described(figure, f"{over}; smallest: {'; '.join(smallest) or 'none above 0'}")


def _check_columns(caller: str, x: Sequence[float], columns: Mapping[str, Sequence[float]]) -> None:
    if not len(x) or not columns:
        raise ValueError(f"{caller}: got nothing to draw; give at least one column of numbers")
    for name, column in columns.items():
        if len(column) != len(x):
            raise ValueError(
                f"{caller}: {name!r} has {len(column)} numbers, the x axis has {len(x)}"
            )
