"""The built-in pictures of a training."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET

import pytest

from autograd.viz.charts import captioned, confusion_svg, curve_svg, scatter_svg

SVG = "{http://www.w3.org/2000/svg}"


def points(svg: str) -> list[tuple[float, float]]:
    line = ET.fromstring(svg).find(f"{SVG}polyline")
    assert line is not None
    return [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]  # type: ignore[misc]


def test_a_falling_loss_is_a_line_that_falls_from_left_to_right() -> None:
    drawn = points(curve_svg([4.0, 2.0, 1.0]))
    assert drawn == sorted(drawn)  # x grows, and y, which SVG counts downwards, grows with it
    assert len(set(drawn)) == 3


@pytest.mark.parametrize(
    "losses", [[0.0], [1.0], [2.0, 2.0], [-3.0, -2.0], [1e300, 1e-300], [5e-324], [-1e-12, 1e12]]
)
def test_every_finite_curve_stays_inside_the_picture(losses: list[float]) -> None:
    for x, y in points(curve_svg(losses)):
        assert 0 <= x <= 640
        assert 0 <= y <= 360


@pytest.mark.parametrize("n", [1, 2, 3, 7, 100])
def test_marks_of_epochs_differ(n: int) -> None:
    texts = ET.fromstring(curve_svg([1.0] * n)).iter(f"{SVG}text")
    epochs = [x.text for x in texts if x.attrib.get("text-anchor") == "middle"]
    assert len(set(epochs)) == len(epochs)


@pytest.mark.parametrize("losses", [[], [math.nan], [1.0, math.inf]])
def test_a_curve_of_nothing_or_of_no_number_is_refused(losses: list[float]) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        curve_svg(losses)


def test_predictions_stand_over_their_targets_and_the_line_shows_where_they_agree() -> None:
    picture = ET.fromstring(scatter_svg([1.0, 2.0, 3.0], [1.0, 2.5, 2.0]))
    marks = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in picture.iter(f"{SVG}circle")]
    assert [x for x, _ in marks] == sorted(x for x, _ in marks)
    assert marks[1][1] < marks[2][1] < marks[0][1]  # SVG counts downwards
    (line,) = [p for p in picture.iter(f"{SVG}path") if "stroke-dasharray" in p.attrib]
    x1, y1, x2, y2 = map(float, re.findall(r"[\d.]+", line.attrib["d"]))
    x, y = marks[0]  # predicted right
    assert (y - y1) * (x2 - x1) == pytest.approx((x - x1) * (y2 - y1), abs=100)


def test_a_confusion_matrix_counts_in_rows_of_the_class_and_columns_of_the_prediction() -> None:
    svg = confusion_svg([[5, 1], [0, 7]], ["a<b", "c"])
    picture = ET.fromstring(svg)
    titles = [title.text for title in picture.iter(f"{SVG}title")]
    assert titles == [
        "a<b predicted as a<b: 5",
        "a<b predicted as c: 1",
        "c predicted as a<b: 0",
        "c predicted as c: 7",
    ]
    assert picture.attrib["aria-label"].endswith("12 of 13 right")
    with pytest.raises(ValueError, match="expected 2 rows of 2 counts"):
        confusion_svg([[1]], ["a", "b"])
    ET.fromstring(confusion_svg([[1] * 60] * 60, [f"class {i}" * 9 for i in range(60)]))


def test_a_caption_stands_above_the_picture() -> None:
    svg = captioned(curve_svg([2.0, 1.0]), ["what <this> is", "and more"])
    picture = ET.fromstring(svg)
    (inner,) = picture.findall(f"{SVG}svg")
    assert float(inner.attrib["y"]) >= 40
    assert float(picture.attrib["height"]) == 360 + float(inner.attrib["y"])
    assert [text.text for text in picture.findall(f"{SVG}text")] == ["what <this> is", "and more"]


@pytest.mark.parametrize(
    "values",
    [
        [3.0 * 0.6**i + 0.1 for i in range(40)],
        [float(i) for i in range(30)],
        [1.0 + 0.2 * (-1) ** i for i in range(50)],
        [5.0, 1.0],
        [0.0] * 10,
    ],
)
def test_the_last_number_does_not_touch_the_curve(values: list[float]) -> None:
    svg = ET.fromstring(curve_svg(values))
    (line,) = svg.iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]
    *_, label = svg.iter("{http://www.w3.org/2000/svg}text")
    x, baseline = float(label.get("x", "")), float(label.get("y", ""))
    left, top = x - 7 * len(label.text or ""), baseline - 10
    assert not [p for p in points if left <= p[0] <= x and top <= p[1] <= baseline]
