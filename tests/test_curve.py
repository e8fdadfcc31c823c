"""The built-in training curve."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest

from autograd.curve import loss_curve_svg

SVG = "{http://www.w3.org/2000/svg}"


def points(svg: str) -> list[tuple[float, float]]:
    line = ET.fromstring(svg).find(f"{SVG}polyline")
    assert line is not None
    return [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]  # type: ignore[misc]


def test_a_falling_loss_is_a_line_that_falls_from_left_to_right() -> None:
    drawn = points(loss_curve_svg([4.0, 2.0, 1.0]))
    assert drawn == sorted(drawn)  # x grows, and y, which SVG counts downwards, grows with it
    assert len(set(drawn)) == 3


@pytest.mark.parametrize(
    "losses", [[0.0], [1.0], [2.0, 2.0], [-3.0, -2.0], [1e300, 1e-300], [5e-324], [-1e-12, 1e12]]
)
def test_every_finite_curve_stays_inside_the_picture(losses: list[float]) -> None:
    for x, y in points(loss_curve_svg(losses)):
        assert 0 <= x <= 640
        assert 0 <= y <= 360


@pytest.mark.parametrize("losses", [[], [math.nan], [1.0, math.inf]])
def test_a_curve_of_nothing_or_of_no_number_is_refused(losses: list[float]) -> None:
    with pytest.raises(ValueError, match="finite losses"):
        loss_curve_svg(losses)
