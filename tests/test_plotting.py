"""Figures show the numbers they were given, need no display, and leave models as they were."""

from __future__ import annotations

import base64
import html
import io
import itertools
import math
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest

import autograd as ag
from autograd import plotting, training

pytestmark = pytest.mark.slow

pytest.importorskip("matplotlib", reason='figures need pip install "scalar-autograd[plot]"')

X = [[0.0, 0.0], [1.0, 0.2], [0.2, 1.0], [1.0, 1.0]]
Y = [-1, -1, 1, 1]


class Row(NamedTuple):
    epoch: int
    loss: float
    accuracy: float | None
    learning_rate: float


HISTORY = [Row(i, 2.0**-i, i / 10, 0.1) for i in range(1, 11)]


class Line:
    """A classifier whose boundary is the straight line w·x + b = 0."""

    def __init__(self, *weights: float) -> None:
        self.weights = [ag.Value(w) for w in weights]

    def __call__(self, x: list[float]) -> ag.Value:
        a, b, c = self.weights
        return a * x[0] + b * x[1] + c

    def parameters(self) -> list[ag.Value]:
        return self.weights


def recorded_line() -> training.Recording:
    """A line that turns from lying upright to lying flat in ten epochs."""
    model = Line(1.0, 0.0, -0.5)
    recording = training.Recording(model)
    for row in HISTORY:
        model.weights[0].data = 1.0 - row.epoch / 10
        model.weights[1].data = row.epoch / 10
        recording(row)
    return recording


def every_figure() -> Iterator[Any]:
    path = [(1.0, 1.0), (0.5, 0.2), (0.0, 0.0)]
    yield plotting.training_curve(HISTORY)
    yield plotting.training_curve({"one": HISTORY, "other": [3.0, 2.0, 1.0]})
    yield plotting.lines([1, 2, 3], {"a": [1, 2, 3]}, x_label="x", y_label="y")
    yield plotting.difference_errors([1e-1, 1e-2, 1e-3], {"central": [1e-2, 1e-4, 0.0]})
    yield plotting.cost_curve(lambda w: w * w, (-1, 1), {"slow": [1.0, 0.9], "fast": [1.0, 0.0]})
    yield plotting.cost_surface(lambda x, y: x * x + y * y, (-1, 1), (-1, 1), path, resolution=9)
    yield plotting.decision_boundary(Line(1.0, 1.0, -1.0), X, Y, resolution=9)


def pictures(gif: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(gif))


def shown(figure: Any) -> str:
    """The HTML that a notebook shows, which holds the picture that stands beside it."""
    formats = figure._repr_mimebundle_()
    assert f'src="data:image/png;base64,{formats["image/png"]}"' in formats["text/html"]
    return cast(str, formats["text/html"])


def size_of(markup: str) -> tuple[int, int]:
    from PIL import Image

    (data,) = re.findall(r'src="data:image/png;base64,([\w+/=]+)"', markup)
    return Image.open(io.BytesIO(base64.b64decode(data))).size


def draw(figure: Any) -> None:
    figure.savefig(io.BytesIO(), format="png", dpi=30)


def alternative_text(markup: str) -> str:
    (text,) = re.findall(r'<img alt="([^"]*)"', markup)
    return html.unescape(text)


# --- what a figure says ---------------------------------------------------------------------------


def test_every_figure_shows_itself_in_a_notebook_and_says_what_it_shows() -> None:
    """Without a display; every axis has a name."""
    figures = [*every_figure()]
    said = [str(figure) for figure in figures]
    assert said == [
        "Training curve of 10 epochs, loss from 0.5 to 0.0009766, accuracy from 10 % to 100 %",
        "Training curves of 2 runs: one, 10 epochs, loss from 0.5 to 0.0009766, "
        "accuracy from 10 % to 100 %; other, 3 steps, loss from 3 to 1",
        "1 line, y over x from 1 to 3: a from 1 to 3",
        "Relative error over the step h, from 0.1 to 0.001, on logarithmic axes; "
        "smallest: central 0.0001 at h = 0.01",
        "Curve of cost over w from -1 to 1, between 0 and 1, lowest at 0; "
        "slow, 2 points from 1 to 0.9, cost from 1 to 0.81; "
        "fast, 2 points from 1 to 0, cost from 1 to 0",
        "Relief and contours of cost over w₁ from -1 to 1 and w₂ from -1 to 1, between 0 and 2, "
        "lowest at (0, 0); a path, 3 points from (1, 1) to (0, 0), cost from 2 to 0",
        "Decision boundary over x₁ from -0.08 to 1.08 and x₂ from -0.08 to 1.08: "
        "class -1, 2 examples; class 1, 2 examples; 3 of the 4 lie on the side of their class",
    ]
    for figure, sentence in zip(figures, said, strict=True):
        markup = shown(figure)
        width, height = size_of(markup)
        assert width > height > 100
        assert alternative_text(markup) == repr(figure) == sentence
        for axes in figure.axes:
            shares_its_scale = axes.get_ylim() == figure.axes[0].get_ylim()
            assert axes.get_xlabel()
            assert axes.get_ylabel() or shares_its_scale


def test_what_strays_is_not_finite_or_leaves_the_picture_is_said() -> None:
    curve = plotting.training_curve([1.0, 5.0, math.inf, 0.5, math.nan])
    assert str(curve) == "Training curve of 5 steps, loss from 1 to nan, between 0.5 and 5"
    once = plotting.training_curve([HISTORY[0]])
    assert str(once) == "Training curve of 1 epoch, loss 0.5, accuracy 10 %"
    far = [(0.5, 0.5), (1e200, -1e200)]
    surface = plotting.cost_surface(
        lambda x, y: ag.log(x) + y, (-1, 1), (0, 1), {"far": far}, resolution=3
    )
    assert (
        "between 0 and 1, lowest at (1, 0); far, 2 points from (0.5, 0.5) to (1e+200, -1e+200), "
        in (str(surface))
    )
    assert str(surface).endswith("1 of them in the picture, cost -0.1931")
    exact = plotting.difference_errors([0.1, 0.2], {"exact": [0.0, 0.0]})
    assert str(exact).endswith("smallest: none above 0")


def test_what_was_right_and_wrong_is_said() -> None:
    truth, predicted = [0, 1, 2, 2, 2, 1], [0, 1, 1, 1, 2, 0]
    classes = ["ant", "bee", "cat"]
    assert str(plotting.confusion_matrix(truth, predicted, classes=classes)) == (
        "Confusion matrix of the classes ant, bee, cat: 3 of 6 examples right; "
        "mistakes: cat as bee (2 times), bee as ant (1 time)"
    )
    assert str(plotting.confusion_matrix([0], [0])).endswith("1 of 1 example right; mistakes: none")
    many = plotting.confusion_matrix([0] * 7, range(7))
    assert str(many).endswith("0 as 5 (1 time) and 1 other kind")
    three = plotting.decision_boundary(
        lambda x: [x[0], x[1], 0.5], X, [2.0, 0.0, 1.0, 1.0], classes=classes, resolution=5
    )
    assert str(three).endswith(
        "ant, 1 example; bee, 2 examples; cat, 1 example; 3 of the 4 lie on the side of their class"
    )
    images = plotting.image_grid([[0, 1, 2, 3], [5]], ["a", "b"], columns=1)
    assert str(images) == "2 images of 1 by 1 or 2 by 2 pixels, 1 in a row: a, b"
    assert str(plotting.image_grid([[0.0]] * 2)) == "2 images of 1 by 1 pixels, 2 in a row"


def test_a_name_cannot_break_out_of_the_sentence() -> None:
    name = '"><b>\n\u202e' + "x" * 100
    figure = plotting.confusion_matrix([0], [0], classes=[name])
    assert repr(figure).isprintable()
    assert len(repr(figure)) < 140
    assert "<b>" not in shown(figure)
    assert '"><b>' in alternative_text(shown(figure))


@pytest.mark.parametrize("name", ["_private", "$\\frac{", "$x$ and $y$", "a\nb"])
def test_any_name_is_in_the_legend_and_is_no_formula(name: str) -> None:
    column = {name: [1.0, 2.0], "other": [2.0, 3.0]}
    figures = [
        plotting.lines([1.0, 2.0], column, x_label=name, y_label=name),
        plotting.cost_curve(lambda w: w * w, (-1.0, 1.0), column, x_label=name),
        plotting.cost_surface(
            lambda x, y: x * y,
            *((0.0, 1.0), (0.0, 1.0), {name: [(0.1, 0.2), (0.3, 0.4)]}),
            labels=(name, name, name),
        ),
        plotting.decision_boundary(
            lambda x: [ag.Value(x[0]), ag.Value(x[1])],
            *([[0.0, 1.0], [1.0, 0.0]], [name, "other"]),
            labels=(name, name),
        ),
        plotting.image_grid([[0.0]], [name]),
    ]
    for figure in figures:
        figure.draw_without_rendering()  # a formula would be read here
        legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
        for legend in legends:
            assert len(legend.get_texts()) == len(legend.legend_handles) >= 1
    legend = figures[0].axes[0].get_legend()
    assert [text.get_text().strip("\u200b") for text in legend.get_texts()] == [
        name.replace("$", r"\$").replace("\n", r"\n"),
        "other",
    ]


def test_a_saved_figure_has_its_sentence_as_title(tmp_path: Path) -> None:
    from PIL import Image

    figure = plotting.training_curve([2.0, 1.0])
    for name in ("curve.svg", "curve.png", "curve.jpg"):
        figure.savefig(tmp_path / name)
    assert f"<title>{figure}</title>" in (tmp_path / "curve.svg").read_text(encoding="utf-8")
    assert Image.open(tmp_path / "curve.png").info["Title"] == str(figure)
    own, stream = {"Title": "ours"}, io.BytesIO()
    figure.savefig(stream, format="svg", metadata=own)
    assert b"<title>ours</title>" in stream.getvalue()


def test_pyplot_is_never_loaded_and_matplotlib_only_when_a_figure_is_drawn() -> None:
    program = (
        "import sys; from autograd import plotting\n"
        "assert 'matplotlib' not in sys.modules and 'numpy' not in sys.modules\n"
        "plotting.training_curve([2.0, 1.0])._repr_mimebundle_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_without_matplotlib_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("style", "curves", "costs", "classifiers"):
        monkeypatch.delitem(sys.modules, f"autograd.plotting.{module}", raising=False)
        monkeypatch.delattr(plotting, module, raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in (
        lambda: plotting.training_curve([1.0]),
        lambda: plotting.cost_surface(lambda x, y: x, (0, 1), (0, 1)),
        lambda: plotting.decision_boundary(Line(1, 1, 1), X, Y),
        lambda: plotting.boundary_animation(recorded_line(), X, Y),
    ):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'scalar-autograd\[plot\]'"):
            draw()


# --- curves ---------------------------------------------------------------------------------------


def test_a_training_curve_shows_loss_and_accuracy_of_every_epoch() -> None:
    loss, accuracy = plotting.training_curve(HISTORY).axes
    assert list(loss.lines[0].get_xdata()) == list(range(1, 11))
    assert list(loss.lines[0].get_ydata()) == [row.loss for row in HISTORY]
    assert list(accuracy.lines[0].get_ydata()) == pytest.approx([10.0 * i for i in range(1, 11)])
    assert loss.get_yscale() == "log"


@pytest.mark.parametrize(
    "losses", [[1.0, 0.5], [1.0, 0.0], [5.0, -5.0], [math.nan, math.inf]], ids=str
)
def test_a_loss_that_spans_little_or_is_not_positive_has_a_plain_axis(losses: list[float]) -> None:
    (loss,) = plotting.training_curve(losses).axes
    assert loss.get_yscale() == "linear"
    assert loss.get_xlabel() == "step"


def test_named_runs_have_a_legend_and_a_run_without_accuracy_has_no_line_there() -> None:
    without = [row._replace(accuracy=None) for row in HISTORY]
    loss, accuracy = plotting.training_curve({"with": HISTORY, "without": without}).axes
    assert [line.get_label() for line in loss.lines] == ["with", "without"]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == ["with", "without"]
    assert [line.get_label() for line in accuracy.lines] == ["with"]


@pytest.mark.parametrize("history", [[], {}, {"a": HISTORY, "b": []}], ids=["list", "dict", "run"])
def test_a_training_curve_of_nothing_is_refused(history: Any) -> None:
    with pytest.raises(ValueError, match=r"no rows|at least one run"):
        plotting.training_curve(history)


def test_the_best_step_of_a_finite_difference_is_marked() -> None:
    figure = plotting.difference_errors([1e-1, 1e-2, 1e-3], {"central": [1e-2, 1e-6, 1e-3]})
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["central, best h = 1e-02"]
    _curve, ring = figure.axes[0].lines
    assert (*ring.get_xdata(), *ring.get_ydata()) == (1e-2, 1e-6)  # type: ignore[misc]


@pytest.mark.parametrize("draw", [plotting.difference_errors, plotting.lines])
@pytest.mark.parametrize(("x", "columns"), [([], {"a": []}), ([1], {}), ([1, 2], {"a": [1]})])
def test_columns_that_do_not_fit_are_refused(
    draw: Callable[..., object], x: list[float], columns: dict[str, list[float]]
) -> None:
    labels = {} if draw is plotting.difference_errors else {"x_label": "x", "y_label": "y"}
    with pytest.raises(ValueError, match=r"nothing to draw|has 1 numbers"):
        draw(x, columns, **labels)


# --- descent on a cost ----------------------------------------------------------------------------


def test_a_path_of_descent_lies_on_the_curve_of_its_cost() -> None:
    figure = plotting.cost_curve(lambda w: w**2, (-2.0, 2.0), {"a": [2.0, 1.0, 0.5]})
    (axes,) = figure.axes
    _curve, path, start = axes.lines
    assert list(path.get_ydata()) == [4.0, 1.0, 0.25]
    assert list(start.get_xdata()) == [2.0]


def test_a_path_that_has_diverged_beyond_floats_is_cut_off() -> None:
    draw(plotting.cost_curve(lambda w: w**4, (-1.0, 1.0), [1.0, -1e30, 1e200]))
    far = [(0.5, 0.5), (1e200, -1e200), (math.inf, math.nan)]
    figure = plotting.cost_surface(
        lambda x, y: x**4 + y**4, (-1, 1), (-1, 1), {"far": far}, resolution=5
    )
    relief, contours = figure.axes
    assert len(relief.lines[0].get_data_3d()[0]) == 1  # type: ignore[attr-defined]
    assert len(contours.lines[0].get_xdata()) == 3
    draw(figure)


def test_a_cost_may_answer_with_a_value_and_leaves_no_graph_behind() -> None:
    w = ag.Value(1.0)
    plotting.cost_surface(lambda x, y: (x - w) ** 2 + y, (-1, 1), (-1, 1), resolution=5)
    assert w.data == 1.0
    assert w.grad is None


@pytest.mark.parametrize(
    "ends", [(1.0, 1.0), (2.0, 1.0), (0.0, math.inf), (math.nan, 1.0)], ids=str
)
def test_a_range_that_is_none_is_refused(ends: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected a range"):
        plotting.cost_surface(lambda x, y: x + y, (0.0, 1.0), ends)
    with pytest.raises(ValueError, match="expected a range"):
        plotting.cost_curve(lambda x: x, ends)


def test_a_flat_cost_and_one_with_holes_are_drawn_and_one_without_a_number_is_refused() -> None:
    draw(plotting.cost_surface(lambda x, y: 1.0, (0, 1), (0, 1), resolution=5))
    draw(plotting.cost_surface(lambda x, y: ag.log(x), (-1, 1), (0, 1), resolution=5))
    with pytest.raises(ValueError, match="no finite cost"):
        plotting.cost_surface(lambda x, y: math.nan, (0, 1), (0, 1))


def test_a_plane_along_two_weights_has_their_values_as_coordinates() -> None:
    model = Line(3.0, -2.0, 5.0)
    plane = plotting.Plane(model.weights, model.weights[0], model.weights[2])
    cost = plane.cost(lambda: model([10.0, 1.0]))
    assert cost(1.0, 0.25) == 10.0 - 2.0 + 0.25
    assert [w.data for w in model.weights] == [3.0, -2.0, 5.0]
    assert plane.path([[3.0, 7.0, 5.0], [0.0, 0.0, 0.0]]) == [(3.0, 5.0), (0.0, 0.0)]


def test_a_plane_along_slanted_directions_finds_the_points_it_made() -> None:
    model = Line(1.0, 2.0, 3.0)
    first, second = [1.0, 1.0, 0.0], [0.0, 2.0, -1.0]
    plane = plotting.Plane(model.weights, first, second)
    snapshot = [
        w.data + 0.5 * u - 3.0 * v for w, u, v in zip(model.weights, first, second, strict=False)
    ]
    assert plane.path([snapshot])[0] == pytest.approx((0.5, -3.0))
    assert plane.cost(lambda: model.weights[1])(0.5, -3.0) == 2.0 + 0.5 - 6.0


def test_the_path_of_no_snapshot_is_empty_and_one_of_another_length_is_refused() -> None:
    weights = Line(1.0, 2.0, 3.0).weights
    plane = plotting.Plane((w for w in weights), weights[0], weights[1])  # type: ignore[arg-type]
    assert plane.path([]) == []
    assert plane.path([[4.0, 5.0, 6.0]]) == [(4.0, 5.0)]
    for numbers in [1.0], [1.0, 2.0], [1.0] * 6:
        with pytest.raises(ValueError, match=f"Plane.path: .* {len(numbers)} numbers for 3"):
            plane.path([[4.0, 5.0, 6.0], numbers])
        with pytest.raises(ValueError, match=f"Plane.path: .* {len(numbers)} numbers for 3"):
            plane.path([numbers])


def test_a_plane_restores_the_parameters_when_the_cost_fails() -> None:
    model = Line(1.0, 2.0, 3.0)
    plane = plotting.Plane(model.weights, model.weights[0], model.weights[1])
    with pytest.raises(ZeroDivisionError):
        plane.cost(lambda: 1 // 0)(5.0, 5.0)
    assert [w.data for w in model.weights] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        ([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], "parallel"),
        ([0.0, 0.0, 0.0], [2.0, 4.0, 6.0], "zero"),
        ([1.0, 2.0], [2.0, 4.0, 6.0], "2 numbers for 3 parameters"),
        (ag.Value(1.0, "stray"), [2.0, 4.0, 6.0], "stray.*none of the parameters"),
    ],
)
def test_directions_that_span_no_plane_are_refused(first: Any, second: Any, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        plotting.Plane(Line(1.0, 2.0, 3.0).weights, first, second)


# --- decision boundaries --------------------------------------------------------------------------


def boundary_points(figure: Any) -> list[Any]:
    (boundary,) = [
        c for c in figure.axes[0].collections if hasattr(c, "levels") and list(c.levels) == [0.0]
    ]
    return [point for path in boundary.get_paths() for point in path.vertices]


@pytest.mark.parametrize("threshold", [0.0, 0.25])
def test_the_boundary_is_drawn_where_the_score_crosses_the_threshold(threshold: float) -> None:
    points = boundary_points(
        plotting.decision_boundary(Line(2.0, 1.0, -1.0), X, Y, threshold=threshold, resolution=9)
    )
    assert len(points) > 5
    assert [2.0 * x + y - 1.0 for x, y in points] == pytest.approx([threshold] * len(points))


def test_the_boundary_is_the_same_whether_the_model_can_be_compiled_or_not() -> None:
    model = Line(2.0, 1.0, -1.0)

    def branching(x: list[float]) -> float:
        score = 2.0 * x[0] + 1.0 * x[1] - 1.0
        return math.nan if math.isnan(score) else score

    compiled, plain = (
        plotting.decision_boundary(f, X, Y, resolution=21) for f in (model, branching)
    )
    assert str(compiled) == str(plain)
    points = [[point.tolist() for point in boundary_points(f)] for f in (compiled, plain)]
    assert points[0] == points[1]


def test_tables_of_pandas_are_drawn_as_their_rows_are() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table, labels = pandas.DataFrame(X, columns=["a", "b"]), pandas.Series(Y)
    model = Line(2.0, 1.0, -1.0)
    drawn = plotting.decision_boundary(model, table, labels, resolution=9)
    assert str(drawn) == str(plotting.decision_boundary(model, X, Y, resolution=9))
    assert str(plotting.confusion_matrix(labels, labels)) == str(plotting.confusion_matrix(Y, Y))


def test_blue_is_positive_as_in_pictures_of_graphs() -> None:
    from matplotlib.colors import to_hex

    from autograd.viz.dot import POSITIVE

    axes = plotting.decision_boundary(Line(1.0, 0.0, -0.5), X, Y, resolution=5).axes[0]
    *_, no, yes = axes.collections
    assert to_hex(yes.get_facecolors()[0]) == POSITIVE != to_hex(no.get_facecolors()[0])  # type: ignore[attr-defined]
    blueness = [c[2] - c[0] for c in (axes.collections[0].get_cmap()(x) for x in (0.0, 1.0))]
    assert blueness[0] < 0.0 < blueness[1]


def test_several_scores_give_each_class_its_region() -> None:
    figure = plotting.decision_boundary(
        lambda x: [x[0], x[1], 1.0 - x[0] - x[1]], [*X, [0.0, 0.1]], [2, 0, 1, 0, 2], resolution=9
    )
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "class 0",
        "class 1",
        "class 2",
    ]
    draw(figure)


def legend_of(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_the_names_of_classes_stand_in_the_legend() -> None:
    def scores(x: list[float]) -> list[float]:
        return [x[0], x[1], 0.5]

    points, names = [[0.0, 1.0], [1.0, 0.0], [0.2, 0.3]], ["cat", "ant", "$dog$"]
    settings: Any = {"resolution": 5}
    sorted_names = plotting.decision_boundary(scores, points, names, **settings)
    assert legend_of(sorted_names) == [r"\$dog\$", "ant", "cat"]
    given = plotting.decision_boundary(scores, points, names, classes=names, **settings)
    assert legend_of(given) == ["cat", "ant", r"\$dog\$"]
    indices = plotting.decision_boundary(scores, points, [0, 1, 0], classes=names, **settings)
    assert legend_of(indices) == legend_of(given)
    (of_cat, _, _) = (dots.get_offsets().tolist() for dots in indices.axes[0].collections[-3:])
    assert of_cat == [points[0], points[2]]
    signs = plotting.decision_boundary(
        lambda x: x[0], points, [-1, 1, 1], classes=["no", "yes"], **settings
    )
    assert legend_of(signs) == ["no", "yes"]
    with pytest.raises(ValueError, match=r"row 2 is 'eel', and the classes"):
        plotting.decision_boundary(scores, points, ["ant", "cat", "eel"], classes=names)


def test_a_class_without_examples_keeps_its_colour_and_an_unknown_class_is_refused() -> None:
    def model(x: list[float]) -> list[float]:
        return [x[0], x[1], 1.0 - x[0] - x[1]]

    figure = plotting.decision_boundary(model, X, [0, 2, 2, 0], resolution=5)
    *_, zeros, ones, twos = figure.axes[0].collections
    assert [len(points.get_offsets()) for points in (zeros, ones, twos)] == [2, 0, 2]
    with pytest.raises(ValueError, match="class index from 0 to 2, got 3"):
        plotting.decision_boundary(model, X, [0, 3, 2, 0], resolution=5)


def test_a_model_that_never_changes_its_mind_or_answers_nan_is_still_drawn() -> None:
    draw(plotting.decision_boundary(lambda x: 1.0, X, Y, resolution=5))
    draw(plotting.decision_boundary(lambda x: math.nan, X, Y, resolution=5))
    draw(plotting.decision_boundary(lambda x: [1.0, 1.0], X, [0, 1, 0, 1], resolution=5))
    draw(plotting.decision_boundary(Line(1.0, 1.0, 0.0), X[:1], Y[:1], resolution=5))


@pytest.mark.parametrize(
    ("rows", "labels", "complaint"),
    [
        ([], [], "at least one"),
        (X, Y[:2], "4 examples and 2 labels"),
        ([[1.0, 2.0, 3.0]], [1], r"two features, got \[1.0, 2.0, 3.0\]"),
    ],
)
def test_examples_that_fit_no_plane_are_refused(
    rows: list[list[float]], labels: list[int], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        plotting.decision_boundary(Line(1.0, 1.0, 1.0), rows, labels)


def test_a_recording_keeps_the_start_and_every_epoch() -> None:
    recording = recorded_line()
    assert len(recording.snapshots) == 11
    assert recording.snapshots[0] == [1.0, 0.0, -0.5]
    assert recording.snapshots[10] == [0.0, 1.0, -0.5]
    assert recording.rows == HISTORY


def test_an_animation_has_the_frames_asked_for_and_lingers_on_the_last() -> None:
    animation = plotting.boundary_animation(
        recorded_line(), X, Y, frames=4, seconds=2.0, resolution=5
    )
    gif = pictures(animation.gif)
    durations = []
    for i in range(gif.n_frames):
        gif.seek(i)
        durations.append(gif.info["duration"])
    assert durations == [500, 500, 500, 2500]


def test_an_animation_changes_no_parameter_and_moves() -> None:
    recording = recorded_line()
    model = recording.model
    animation = plotting.boundary_animation(recording, X, Y, frames=3, resolution=5)
    assert [w.data for w in model.parameters()] == recording.snapshots[-1]
    gif = pictures(animation.gif)
    first = gif.convert("RGB").tobytes()
    gif.seek(2)
    assert gif.convert("RGB").tobytes() != first


def test_an_animation_saves_itself_and_shows_itself(tmp_path: Path) -> None:
    animation = plotting.boundary_animation(recorded_line(), X, Y, frames=2, resolution=5)
    animation.save(tmp_path / "line.gif")
    assert (tmp_path / "line.gif").read_bytes() == animation.gif
    assert alternative_text(animation._repr_html_()) == animation.described
    assert 'src="data:image/gif;base64,R0lGOD' in animation._repr_html_()
    assert repr(animation).startswith("Decision boundary as it forms, 2 pictures, over x₁ from")
    assert "at last epoch 10 · loss 0.000977 · accuracy 100 %: class -1, 2" in animation.described
    assert animation.described.endswith("4 of the 4 lie on the side of their class")
    with pytest.raises(ValueError, match=r"\.gif"):
        animation.save(tmp_path / "line.mp4")


def test_an_animation_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="callback=recording"):
        plotting.boundary_animation(plotting.Recording(Line(1.0, 1.0, 1.0)), X, Y)


def test_a_confusion_matrix_counts_what_was_taken_for_what() -> None:
    figure = plotting.confusion_matrix(["cat", "cat", "dog", "cat"], ["cat", "dog", "dog", "cat"])
    (axes,) = figure.axes
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "2", (1, 0): "1", (1, 1): "1"}  # (column, row)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog"]
    shades = axes.images[0].get_array().tolist()
    assert shades == [[2 / 3, -1.0], [0.0, 1.0]]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_confusion_matrix_shows_the_classes_by_name_and_in_their_order(by_name: bool) -> None:
    classes = ["setosa", "$b$", "ant"]
    truth, predicted = [0, 2, 2], [0, 0, 2]
    if by_name:
        truth, predicted = ([classes[k] for k in labels] for labels in (truth, predicted))  # type: ignore[assignment]
    (axes,) = plotting.confusion_matrix(truth, predicted, classes=classes).axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == ["setosa", r"\$b\$", "ant"]
    written = {text.get_position(): text.get_text() for text in axes.texts}
    assert written == {(0, 0): "1", (0, 2): "1", (2, 2): "1"}


def test_a_class_that_is_only_predicted_has_a_row_of_its_own() -> None:
    (axes,) = plotting.confusion_matrix([0, 0], [0, 1]).axes
    assert axes.images[0].get_array().tolist() == [[0.5, -1.0], [0.0, 0.0]]


@pytest.mark.parametrize(("truth", "predicted"), [([], []), ([0, 1], [0])])
def test_a_confusion_matrix_needs_a_prediction_for_each_label(
    truth: list[int], predicted: list[int]
) -> None:
    with pytest.raises(ValueError, match=f"{len(predicted)} predictions and {len(truth)} labels"):
        plotting.confusion_matrix(truth, predicted)


def test_an_image_grid_shows_every_image_line_by_line_on_one_scale() -> None:
    figure = plotting.image_grid([[0, 1, 2, 3], [4, 5, 6, 7], [8, 8, 8, 8]], list("abc"), columns=2)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["a", "b", "c"]
    assert shown[0].images[0].get_array().tolist() == [[0, 1], [2, 3]]
    assert {axes.images[0].get_clim() for axes in shown} == {(0, 8)}
    assert len(figure.axes) == 4  # the last place of the second row is empty


@pytest.mark.parametrize(
    ("images", "titles", "columns", "complaint"),
    [
        ([], [], 10, "0 images"),
        ([[1.0]], ["a", "b"], 10, "2 titles"),
        ([[1.0]], [], 0, "0 columns"),
        ([[1.0, 2.0, 3.0]], [], 10, "3 numbers is no square"),
        ([[]], [], 10, "0 numbers is no square"),
    ],
)
def test_images_that_fit_no_grid_are_refused(
    images: list[list[float]], titles: list[str], columns: int, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        plotting.image_grid(images, titles, columns=columns)


def test_long_names_leave_the_matrix_its_room_and_one_another_too() -> None:
    names = ["x" * 60, "versicolor", "virginica"]
    figure = plotting.confusion_matrix(names, names)
    with warnings.catch_warnings(action="error"):  # of a layout that could not be
        draw(figure)
    (axes,) = figure.axes
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
    assert axes.get_window_extent().width > 3 * 0.3 * figure.dpi


def test_a_class_may_be_called_anything() -> None:
    names = ["$\\frac$", "a$b$", "x_1^"]
    figure = plotting.confusion_matrix(names, names)
    figure.savefig(io.BytesIO())
    (axes, *_) = figure.axes
    assert [label.get_text().replace("\\$", "$") for label in axes.get_xticklabels()] == sorted(
        names
    )
