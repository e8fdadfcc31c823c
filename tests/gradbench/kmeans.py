"""`kmeans`: the sum of squared distances of points to the nearest centroid, and Newton's direction.

The points are the examples of a compiled function, which share the centroids. The Hessian is
diagonal, because a distance is a sum of squares of one coordinate each. So its diagonal is the sum
of its rows, which is the gradient of the sum of the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk

Vector: TypeAlias = Sequence[Any]


def squared_distance(point: Vector, centroid: Vector) -> Any:
    return ag.sum([(c - p) ** 2 for p, c in zip(point, centroid, strict=True)])


def nearest(point: Vector, centroids: Sequence[Vector]) -> Any:
    return reduce(ag.minimum, [squared_distance(point, c) for c in centroids])


slopes = ag.gradient(nearest, argnums=1)


def derivatives(point: Vector, centroids: Sequence[Vector]) -> list[Any]:
    """The gradient with respect to the centroids, and the diagonal of the Hessian."""

    def total_slope(centroids: Any) -> Any:
        return ag.sum(np.ravel(slopes(point, centroids)))

    return [slopes(point, centroids), ag.gradient(total_slope)(centroids)]


def _prepared(of_point: Callable[..., Any], told: Callable[[Any, int], Any]) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        points, centroids = np.array(given["points"]), np.array(given["centroids"])
        compiled = ag.jit(of_point, in_axes=(0, None))
        return lambda: told(compiled.mean(points, centroids), len(points))

    return Function(prepare)


cost = _prepared(nearest, lambda mean, n: n * mean)
dir = _prepared(derivatives, lambda means, _: np.divide(*means))
