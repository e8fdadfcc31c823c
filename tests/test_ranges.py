"""What is said of numbers before there are any holds for every number that there may be."""

from __future__ import annotations

import itertools
import math

import pytest

from autograd import primitives
from autograd.derivatives.ranges import Range, partials_are_finite
from autograd.primitives import TABLE, Primitive

NUMBERS = [-7.5, -2.0, -1.0, -0.5, -0.0, 0.0, 1e-9, 0.5, 1.0, 2.0, 3.0, math.inf, -math.inf]
BOUNDS = [-math.inf, -2.0, 0.0, 1e-9, 1.0]
ROWS = [TABLE[name] for name in sorted(primitives.own_names)]


def known_of(x: float, low: float) -> list[Range | float]:
    """What may be known of a number: itself, or a bound that it keeps to."""
    return [x, Range(low, math.isfinite(x))] if low <= x else [x]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_range_holds_for_every_number_in_it(row: Primitive) -> None:
    arity = row.arity or 2
    spans = range(len(NUMBERS)) if arity < 3 else range(0, len(NUMBERS), 2)
    for places in itertools.product(spans, repeat=arity):
        numbers = [NUMBERS[i] for i in places]
        z = row.at(numbers)
        partials = row.partials_at(z, numbers, [object()] * arity)
        for low in BOUNDS:
            for operands in itertools.product(*[known_of(x, low) for x in numbers]):
                if not any(isinstance(x, Range) for x in operands):
                    continue
                found = Range.record(row, operands)
                assert math.isnan(z) or z >= found.low, (operands, numbers)
                assert math.isfinite(z) or not found.is_finite, (operands, numbers)
                if partials_are_finite(row, operands):
                    given = zip(partials, operands, strict=True)
                    slopes = [p for p, x in given if p is not None and isinstance(x, Range)]
                    assert all(map(math.isfinite, slopes)), (operands, numbers)


def test_a_square_is_known_to_be_positive() -> None:
    x, y = Range(is_finite=True), Range(is_finite=True)
    assert primitives.mul(x, x).low == 0.0 == primitives.dot(x, y, x, y).low
    assert primitives.mul(x, y).low == -math.inf == primitives.dot(x, y, y, x).low
    assert partials_are_finite(primitives.log, [primitives.add(primitives.mul(x, x), 1e-9)])
    assert not partials_are_finite(primitives.log, [primitives.add(primitives.mul(x, y), 1e-9)])


def test_a_sigmoid_is_between_two_bounds_and_its_slopes_are_finite() -> None:
    x = Range(is_finite=True)
    for name in ("sigmoid", "tanh", "softplus", "logaddexp", "norm_pdf", "erf"):
        row = TABLE[name]
        assert Range.record(row, [x] * (row.arity or 2)).is_finite
        assert partials_are_finite(row, [x] * (row.arity or 2))
    assert primitives.sigmoid(x).low > 0.0
