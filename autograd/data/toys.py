"""Toy data sets: seeded points in the plane, in two classes or more.

They list their classes in turn, 0, 1, 0, 1, so that the first examples are as mixed as all of them.
`noise` is the standard deviation of the Gaussian noise on each coordinate. They need the standard
library alone, and a seed decides every number.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from autograd.data.errors import checked_int, checked_number

Rows = list[list[float]]
Point = Callable[[int, float], tuple[float, float]]


def moons(n: int = 100, noise: float = 0.1, seed: int = 0) -> tuple[Rows, list[int]]:
    """Two interleaving half circles of radius 1, in two dimensions and two classes.

    Args:
        n: the number of examples, at least 2.
        noise: the standard deviation of the noise on each coordinate, at least 0.
        seed: decides the noise.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """

    def point(label: int, share: float) -> tuple[float, float]:
        x, y = math.cos(math.pi * share), math.sin(math.pi * share)
        return (x, y) if label == 0 else (1.0 - x, 0.5 - y)

    return _points("moons", point, 2, n, noise, seed)


def circles(
    n: int = 100, noise: float = 0.05, seed: int = 0, *, ratio: float = 0.5
) -> tuple[Rows, list[int]]:
    """A circle of radius 1 (class 0) around one of radius `ratio` (class 1).

    Args:
        n, noise, seed: as for `moons`.
        ratio: the inner radius, above 0 and below 1.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    checked_number("circles: ratio", ratio, "above 0 and below 1", lambda x: 0.0 < x < 1.0)

    def point(label: int, share: float) -> tuple[float, float]:
        radius, angle = (1.0, ratio)[label], 2.0 * math.pi * share
        return radius * math.cos(angle), radius * math.sin(angle)

    return _points("circles", point, 2, n, noise, seed)


def spirals(
    n: int = 200, noise: float = 0.02, seed: int = 0, *, classes: int = 2, turns: float = 1.0
) -> tuple[Rows, list[int]]:
    """Arms that wind out of the origin to radius 1, one per class.

    Args:
        n, noise, seed: as for `moons`; at least as many examples as classes.
        classes: the number of arms, at least 2.
        turns: how often each arm goes round, above 0.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    classes = checked_int("spirals: classes", classes, at_least=2)
    checked_number("spirals: turns", turns, "finite and above 0", lambda x: 0.0 < x < math.inf)

    def point(label: int, share: float) -> tuple[float, float]:
        angle = 2.0 * math.pi * (turns * share + label / classes)
        return share * math.cos(angle), share * math.sin(angle)

    return _points("spirals", point, classes, n, noise, seed)


def blobs(
    n: int = 150, noise: float = 0.25, seed: int = 0, *, classes: int = 3
) -> tuple[Rows, list[int]]:
    """Round clouds whose centers stand evenly on the unit circle, one per class.

    Args:
        n, noise, seed: as for `moons`; at least as many examples as classes.
        classes: the number of clouds, at least 2.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """
    classes = checked_int("blobs: classes", classes, at_least=2)

    def point(label: int, share: float) -> tuple[float, float]:
        angle = 2.0 * math.pi * label / classes
        return math.cos(angle), math.sin(angle)

    return _points("blobs", point, classes, n, noise, seed)


def xor(n: int = 4, noise: float = 0.0, seed: int = 0) -> tuple[Rows, list[int]]:
    """The corners (0,0), (0,1), (1,0), (1,1) in turn, with the exclusive or of their coordinates.

    By default the truth table; with more examples and noise, four clouds in two classes that no
    straight line separates.

    Args:
        n, noise, seed: as for `moons`; at least 4 examples.

    Raises:
        TypeError, ValueError: for an argument of the wrong type, or out of its range.
    """

    def point(corner: int, share: float) -> tuple[float, float]:
        return float(corner // 2), float(corner % 2)

    X, corners = _points("xor", point, 4, n, noise, seed)
    return X, [(0, 1, 1, 0)[corner] for corner in corners]


def _points(
    name: str, point: Point, classes: int, n: int, noise: float, seed: int
) -> tuple[Rows, list[int]]:
    """`point(label, share)` with noise, the share of each class going evenly from 0 to 1."""
    n = checked_int(f"{name}: n", n, at_least=classes)
    proper = "finite and at least 0"
    checked_number(f"{name}: noise", noise, proper, lambda x: 0.0 <= x < math.inf)
    rng = random.Random(seed)
    labels = [i % classes for i in range(n)]
    shares = [(i // classes + 0.5) / ((n - 1 - i % classes) // classes + 1) for i in range(n)]
    X = [
        [coordinate + rng.gauss(0.0, noise) for coordinate in point(label, share)]
        for label, share in zip(labels, shares, strict=True)
    ]
    return X, labels
