"""`kmeans`: the sum of squared distances of points to the nearest centroid, and Newton's direction.

The points are the examples of a compiled function, and the centroids its parameters. The Hessian is
diagonal, because a distance is a sum of squares of one coordinate each. So its diagonal is the sum
of its rows, which is the gradient of the sum of the gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk, flat, values


def squared_distance(point: Sequence[Any], centroid: Sequence[Any]) -> Any:
    return ag.sum([(c - p) ** 2 for p, c in zip(point, centroid, strict=True)])


def nearest(point: Sequence[Any], centroids: Sequence[Sequence[Any]]) -> Any:
    return reduce(ag.minimum, [squared_distance(point, c) for c in centroids])


def _cost(given: dict[str, Any]) -> Thunk:
    centroids, points = values(given["centroids"]), np.array(given["points"])
    compiled = ag.jit(lambda point: nearest(point, centroids))
    return lambda: len(points) * compiled.mean(points)


def _dir(given: dict[str, Any]) -> Thunk:
    centroids, points = values(given["centroids"]), np.array(given["points"])
    parameters = flat(centroids)

    def derivatives(point: Sequence[Any]) -> Any:
        slopes = ag.grad(nearest(point, centroids), parameters)
        return [slopes, ag.grad(ag.sum(slopes), parameters)]

    compiled = ag.jit(derivatives)

    def compute() -> Any:
        slopes, curvatures = np.array(compiled.mean(points))
        return np.reshape(slopes / curvatures, np.shape(given["centroids"]))

    return compute


cost, dir = Function(_cost), Function(_dir)
