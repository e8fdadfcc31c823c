"""Figures of classifiers: decision boundaries, their animation, confusion matrices, image grids."""

from __future__ import annotations

import io
import itertools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from autograd.checks import rows_of
from autograd.files import write_whole
from autograd.nn.predictions import predict
from autograd.plotting import style
from autograd.plotting.style import COLORS, INK, Figure, counted, label_text, one_line
from autograd.training import Epoch, Recording
from autograd.training.examples import class_indices
from autograd.viz.drawing import html_image


def decision_boundary(
    model: Callable[[list[float]], Any],
    X: Sequence[Sequence[float]],
    Y: Sequence[Any],
    *,
    threshold: float = 0.0,
    labels: tuple[str, str] = ("x₁", "x₂"),
    classes: Sequence[str] = (),
    resolution: int = 61,
) -> Figure:
    """Draw the decision boundary of a classifier of two inputs, with its training examples.

    A model with one output predicts the larger of Y's labels where its score is above the threshold
    (blue); a model with one output per class predicts the class with the largest output.

    Args:
        model: takes a list of two floats; returns one score, or a list with one for each class.
        X: the examples, rows of two features.
        Y: their labels, or the names of their classes.
        threshold: 0 for logits and for the hinge's scores, ½ for probabilities.
        labels: the names of the two features.
        classes: the names of the classes in their order, such as `history.classes`.
        resolution: points of the grid along each axis; the model is called resolution² times.

    Raises:
        ValueError: if X is empty, is not as long as Y, or has a row of other than two features, or
            if Y has a label that is none of the classes.
    """
    figure = style.new_figure(4.6, 3.8)
    plane = _Plane(model, X, Y, threshold, labels, classes, resolution)
    scores = plane.scores()
    plane.draw(figure, scores, _scale(scores))
    return style.described(figure, f"Decision boundary over {plane.described()}")


class Animation:
    """An animation; it is displayed in a notebook, and saved with `save("moons.gif")`."""

    def __init__(self, gif: bytes, described: str = "A moving picture") -> None:
        self.gif = gif
        self.described = described

    def __repr__(self) -> str:
        return f"{self.described} ({len(self.gif):,} bytes of GIF: .save('boundary.gif') writes it)"

    def _repr_html_(self) -> str:
        return html_image(self.gif, "gif", self.described)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the GIF. Raises ValueError for a name that does not end in .gif."""
        if Path(path).suffix.lower() != ".gif":
            raise ValueError(f"Animation.save: expected a name that ends in .gif, got {path!r}")
        write_whole(path, self.gif)


def boundary_animation(
    recording: Recording,
    X: Sequence[Sequence[float]],
    Y: Sequence[Any],
    *,
    threshold: float = 0.0,
    labels: tuple[str, str] = ("x₁", "x₂"),
    classes: Sequence[str] = (),
    frames: int = 40,
    seconds: float = 6.0,
    resolution: int = 41,
) -> Animation:
    """The decision boundary as it forms, from a recorded run of `fit`.

    Frames are spaced evenly over the epochs, the start and the end included. The model's parameters
    are restored.

    Args:
        recording: the `Recording` that was passed to `fit`.
        X: the examples, rows of two features.
        Y: their labels, or the names of their classes.
        threshold: as of `decision_boundary`.
        labels: the names of the two features.
        classes: the names of the classes in their order, such as `history.classes`.
        frames: the largest number of pictures.
        seconds: how long they take; the last one stays for two seconds more.
        resolution: points of the grid along each axis.

    Raises:
        ValueError: if no epoch was recorded, or for examples that `decision_boundary` rejects.
    """
    if not recording.rows:
        raise ValueError(
            "boundary_animation: nothing was recorded; call fit(…, callback=recording)"
        )
    figure = style.new_figure(4.6, 4.0)
    plane = _Plane(recording.model, X, Y, threshold, labels, classes, resolution)
    last = len(recording.rows)
    chosen = sorted({round(i * last / max(1, frames - 1)) for i in range(frames)} | {last})
    parameters, scores = recording.model.parameters(), []
    for epoch in chosen:
        with style.holding(parameters, recording.snapshots[epoch]):
            scores.append(plane.scores())
            described = plane.described(f"; at last {_caption(recording.rows, epoch)}")
    pictures = []
    for epoch, score in zip(chosen, scores, strict=True):
        figure.clear()
        plane.draw(figure, score, _scale(scores[-1]), _caption(recording.rows, epoch))
        pictures.append(style.pixels(figure, 100, 96))
    forms = f"Decision boundary as it forms, {counted(len(pictures), 'picture')}"
    return Animation(_gif(pictures, seconds), f"{forms}, over {described}")


class _Plane:
    """The part of the plane around the examples, on a grid, with the examples in it.

    Attributes:
        names: the labels of the classes in the order of their colors, each with its name.
    """

    def __init__(
        self,
        model: Callable[[list[float]], Any],
        X: Sequence[Any],
        Y: Sequence[Any],
        threshold: float,
        labels: Sequence[str],
        classes: Sequence[str],
        resolution: int,
    ) -> None:
        self.model, self.X, Y, self.threshold = model, rows_of(X), rows_of(Y), threshold
        if not self.X or len(self.X) != len(Y):
            raise ValueError(
                f"decision boundary: expected as many labels as examples, at least one; "
                f"got {len(self.X)} examples and {len(Y)} labels"
            )
        for row in self.X:
            if len(row) != 2:
                raise ValueError(
                    f"decision boundary: a plane needs rows of two features, got {list(row)!r}; "
                    f"train a model of two of them"
                )
        columns = zip(*self.X, strict=True)
        self.xs, self.ys = (style.evenly_spaced(style.widened(x), resolution) for x in columns)
        self.labels = labels
        # Labels that are names become indices; those are sorted, as in `fit`.
        self.Y, classes = class_indices("decision boundary", Y, Y, classes)
        found: Sequence[float] = sorted(set(self.Y))
        n_outputs = len(self.margins(self.X[:1]))
        if n_outputs > 1:
            for label in found:
                if label not in range(n_outputs):
                    raise ValueError(
                        f"decision boundary: expected a class index from 0 to {n_outputs - 1}, "
                        f"got {label}"
                    )
            found = range(n_outputs)
        names = classes if len(classes) == len(found) else [f"class {label}" for label in found]
        self.names = dict(zip(found, names, strict=True))

    def margins(self, rows: Sequence[Sequence[float]]) -> Any:
        """For each output and row, how far it is above the threshold, or the best of the others."""
        outputs = np.reshape(predict(self.model, [list(row) for row in rows]), (len(rows), -1))
        if outputs.shape[1] == 1:
            return outputs.T - self.threshold
        return np.array([z - np.delete(outputs, k, 1).max(1) for k, z in enumerate(outputs.T)])

    def scores(self) -> Any:
        """The margins at each point of the grid."""
        places = [[x, y] for y in self.ys for x in self.xs]
        return self.margins(places).reshape(-1, len(self.ys), len(self.xs))

    def described(self, when: str = "") -> str:
        """In words: the ranges, how many examples each class has, how many are classified right."""
        axes = zip(self.labels, (self.xs, self.ys), strict=True)
        over = " and ".join(f"{one_line(name)} {style.span(numbers)}" for name, numbers in axes)
        counts = Counter(self.Y)
        each = "; ".join(
            f"{one_line(name)}, {counted(counts[label], 'example')}"
            for label, name in self.names.items()
        )
        margins, order = self.margins(self.X), [*self.names]
        if len(margins) == 1:
            right = sum((margins[0] > 0.0) == (np.array(self.Y) == order[-1]))
        else:
            right = sum(margins[np.array(self.Y, int), range(len(self.Y))] > 0.0)
        told = f"{each}; {right} of the {len(self.Y)} lie on the side of their class"
        return f"{over}{when}: {told}"

    def draw(self, figure: Figure, scores: Any, scale: float, title: str = "") -> None:
        """Draw areas, boundaries and examples into the empty figure."""
        axes, colors = figure.subplots(), COLORS
        if len(scores) == 1:
            colors = (COLORS[1], COLORS[0], *COLORS[2:])  # blue is positive, as in `draw`
            levels = [scale * i / 5 for i in range(-5, 6)]
            shades = style.two_shades(*colors[:2])
            axes.contourf(self.xs, self.ys, scores[0], levels, cmap=shades, extend="both")
        for score, color in zip(scores, itertools.cycle(COLORS)):
            if score.min() < 0.0 < score.max():
                axes.contour(self.xs, self.ys, score, [0.0], colors=INK, linewidths=1.4)
            if len(scores) > 1 and score.max() > 0.0:
                area = [0.0, score.max()]
                axes.contourf(self.xs, self.ys, score, area, colors=[color], alpha=0.28)
        looks = itertools.cycle(zip(colors, style.MARKERS, strict=True))
        for (label, name), (color, marker) in zip(self.names.items(), looks, strict=False):
            rows = [row for row, of_row in zip(self.X, self.Y, strict=True) if of_row == label]
            x, y = np.reshape(rows, (-1, 2)).T
            dots = axes.scatter(x, y, s=22, marker=marker, color=color, zorder=3)
            dots.set(edgecolor="white", linewidth=0.6, label=label_text(name or label))
        if title:
            axes.set_title(title, fontsize=9, color=INK, loc="left")
        style.style_axes(axes, self.labels[0], self.labels[1], grid=False)
        style.add_legend(axes)


def _scale(scores: Any) -> float:
    """The score with the full shade: the 90th percentile of |score|, or 1 if there is none."""
    finite = np.abs(scores[np.isfinite(scores)])
    return float(np.quantile(finite, 0.9)) or 1.0 if finite.size else 1.0


def _caption(rows: Sequence[Epoch], epoch: int) -> str:
    if epoch == 0:
        return "before training"
    row = rows[epoch - 1]
    accuracy = "" if row.accuracy is None else f" · accuracy {100.0 * row.accuracy:.0f} %"
    return f"epoch {epoch} · loss {row.loss:.3g}{accuracy}"


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


# --- what a classifier got wrong ------------------------------------------------------------------


def confusion_matrix(
    truth: Sequence[Any], predicted: Sequence[Any], *, classes: Sequence[str] = ()
) -> Figure:
    """Plot how often each class is predicted as each: rows are true classes, columns predictions.

    The diagonal, where both agree, is blue, and every mistake orange. A color is full where it
    stands for all examples of a class, or for the most frequent mistake.

    Args:
        truth: the label of each example.
        predicted: as many predictions.
        classes: the names of the classes 0, 1, …, such as `history.classes`; each is then shown.

    Raises:
        ValueError: if there are no examples, or not as many predictions as labels.
    """
    truth, predicted = rows_of(truth), rows_of(predicted)
    if not truth or len(truth) != len(predicted):
        raise ValueError(
            f"confusion_matrix: expected as many predictions as labels, at least one; "
            f"got {len(predicted)} predictions and {len(truth)} labels"
        )
    if classes:
        indices = dict(enumerate(classes))
        truth, predicted = ([indices.get(y, y) for y in labels] for labels in (truth, predicted))
    found = {*truth, *predicted}
    shown = [*classes, *sorted(found - {*classes}, key=str)] if classes else sorted(found)
    place = {name: k for k, name in enumerate(shown)}
    counts = np.zeros((len(shown), len(shown)), dtype=int)
    for row, column in zip(truth, predicted, strict=True):
        counts[place[row], place[column]] += 1
    right = np.diag(np.diag(counts))
    wrong = counts - right

    names = [label_text(name) for name in shown]
    room = 0.07 * max(map(len, names))  # in inches, for the longest name
    figure = style.new_figure(1.5 + room + 0.36 * len(shown), 0.9 + room + 0.36 * len(shown))
    axes = figure.subplots()
    totals = counts.sum(axis=1, keepdims=True)
    shades = right / np.maximum(1, totals) - wrong / max(1, wrong.max())
    axes.imshow(shades, cmap=style.two_shades(COLORS[1], COLORS[0]), vmin=-1.0, vmax=1.0)
    for y, x in np.argwhere(counts):
        axes.text(x, y, str(counts[y, x]), fontsize=8, color=INK, ha="center", va="center")
    axes.set_xticks(range(len(shown)), names, rotation=90 if room > 0.3 else 0)
    axes.set_yticks(range(len(shown)), names)
    style.style_axes(axes, "predicted class", "true class", grid=False)
    mistakes = [
        f"{one_line(shown[i])} as {one_line(shown[j])} ({counted(int(wrong[i, j]), 'time')})"
        for i, j in sorted(np.argwhere(wrong), key=lambda pair: -wrong[tuple(pair)])
    ]
    more = f" and {counted(len(mistakes) - 5, 'other kind')}" * (len(mistakes) > 5)
    share = f"{right.sum()} of {counted(len(truth), 'example')} right"
    told_mistakes = f"mistakes: {', '.join(mistakes[:5]) or 'none'}{more}"
    what = f"Confusion matrix of the classes {style.joined(shown)}"
    return style.described(figure, f"{what}: {share}; {told_mistakes}")


def image_grid(
    images: Sequence[Sequence[float]], titles: Sequence[str] = (), *, columns: int = 10
) -> Figure:
    """Square images side by side, from white at the smallest of all their numbers to black.

    Args:
        images: each a flat row of numbers as a network takes it, pixel by pixel, line by line.
        titles: a title for each image, or None.
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
    figure = style.new_figure(0.76 * columns, (0.96 if titles else 0.76) * n_rows)
    panels = figure.subplots(n_rows, columns, squeeze=False).flat
    for axes, image, title in itertools.zip_longest(panels, images, titles):
        axes.set_axis_off()
        if image is not None:
            side = math.isqrt(len(image))
            axes.imshow(np.reshape(image, (side, side)), cmap="Greys", vmin=lightest, vmax=darkest)
            axes.set_title(label_text(title or ""), fontsize=8, color=INK, pad=3)
    sides = " or ".join(
        f"{side} by {side}" for side in sorted({math.isqrt(len(i)) for i in images})
    )
    said = f"{counted(len(images), 'image')} of {sides} pixels, {columns} in a row"
    return style.described(figure, f"{said}: {style.joined(titles)}" if titles else said)
