"""`ba`: bundle adjustment, the errors of observations and their sparse Jacobian.

An observation sees a point by a camera. It is one example of a compiled function, whose columns are
its camera, point, weight and feature; so a block of the Jacobian is a dense row of 2 · 15 numbers.
A camera is a rotation as axis times angle (3), its center (3), the focal length, the principal
point (2) and the coefficients of radial distortion (2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk

Vector = Sequence[Any]
CAMERA, POINT = 11, 3
BLOCK = 2 * (CAMERA + POINT + 1)


def cross(a: Vector, b: Vector) -> list[Any]:
    return [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]


def rotated(rotation: Vector, v: Vector) -> list[Any]:
    """Rodrigues' formula; of a rotation of 0 its first order, v + rotation × v."""
    squared = ag.dot(rotation, rotation)
    is_zero = squared <= 0.0
    angle = ag.sqrt(ag.where(is_zero, 1.0, squared))
    axis = [r / angle for r in rotation]
    c, s = ag.cos(angle), ag.sin(angle)
    along = ag.dot(axis, v) * (1.0 - c)
    return [
        ag.where(is_zero, p + first, p * c + q * s + a * along)
        for p, first, q, a in zip(v, cross(rotation, v), cross(axis, v), axis, strict=True)
    ]


def reprojection_error(camera: Vector, point: Vector, weight: Any, feature: Vector) -> list[Any]:
    """Where the camera sees the point, less where it was observed."""
    rotation, center, focal = camera[0:3], camera[3:6], camera[6]
    principal, (k1, k2) = camera[7:9], camera[9:11]
    x, y, z = rotated(rotation, [p - c for p, c in zip(point, center, strict=True)])
    seen = [x / z, y / z]
    r2 = ag.dot(seen, seen)
    scale = focal * (1.0 + k1 * r2 + k2 * r2 * r2)
    return [
        weight * (scale * a + origin - observed)
        for a, origin, observed in zip(seen, principal, feature, strict=True)
    ]


def weight_error(weight: Any) -> Any:
    return 1.0 - weight * weight


def error_block(camera: Vector, point: Vector, weight: Any, feature: Vector) -> list[Any]:
    """The Jacobian of both errors, one row after the other."""
    errors = reprojection_error(camera, point, weight, feature)
    parameters = [*camera, *point, weight]
    return [slope for error in errors for slope in ag.grad(error, parameters)]


@dataclass
class Problem:
    """The parameters, and which camera and point each observation has."""

    cameras: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    features: np.ndarray
    camera_of: np.ndarray
    point_of: np.ndarray

    @classmethod
    def repeated(cls, given: dict[str, Any]) -> Problem:
        """The problem of an eval, which repeats one camera, point, weight and feature."""
        n, m, p = given["n"], given["m"], given["p"]
        return cls(
            np.tile(given["cam"], (n, 1)),
            np.tile(given["x"], (m, 1)),
            np.full(p, given["w"]),
            np.tile(given["feat"], (p, 1)),
            np.arange(p) % n,
            np.arange(p) % m,
        )

    def columns(self) -> tuple[np.ndarray, ...]:
        """The parameters of each observation."""
        cameras, points = self.cameras[self.camera_of], self.points[self.point_of]
        return cameras, points, self.weights, self.features

    def structure(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each row of the Jacobian begins, and the column of each of its entries.

        Two rows an observation, of BLOCK / 2 entries, and then one row a weight, of one entry. The
        columns are the cameras, the points and the weights.
        """
        p = len(self.weights)
        first_point = self.cameras.size
        first_weight = first_point + self.points.size
        of_weights = first_weight + np.arange(p)
        of_row = np.concatenate(
            [
                CAMERA * self.camera_of[:, None] + np.arange(CAMERA),
                first_point + POINT * self.point_of[:, None] + np.arange(POINT),
                of_weights[:, None],
            ],
            axis=1,
        )
        lengths = np.concatenate([np.full(2 * p, BLOCK // 2), np.ones(p, int)])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return starts, np.concatenate([np.repeat(of_row, 2, axis=0).reshape(-1), of_weights])


def _objective(given: dict[str, Any]) -> Thunk:
    problem = Problem.repeated(given)
    reprojection, of_weight = ag.jit(reprojection_error), ag.jit(weight_error)
    return lambda: (reprojection(*problem.columns()), of_weight(problem.weights))


def _jacobian(given: dict[str, Any]) -> Thunk:
    problem = Problem.repeated(given)
    starts, columns = problem.structure()  # which does not depend on the numbers
    blocks, slope = ag.jit(error_block), ag.jit(ag.gradient(weight_error))
    n_errors, entries = BLOCK * len(problem.weights), np.empty(len(columns))

    def compute() -> Any:
        entries[:n_errors].reshape(-1, BLOCK)[:] = blocks(*problem.columns())
        entries[n_errors:] = slope(problem.weights)
        return starts, columns, entries

    return compute


def _first_errors(errors: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """As the eval has it: the first of each, because all are alike, and how many there are."""
    reprojection, of_weights = errors
    return {
        "reproj_error": {"elements": reprojection[0], "repeated": len(reprojection)},
        "w_err": {"element": of_weights[0], "repeated": len(of_weights)},
    }


def _first_block(jacobian: tuple[np.ndarray, ...]) -> dict[str, Any]:
    """As the eval has it: so many elements as a block has, and the last one, of each array."""
    names = ("rows", "cols", "vals")
    return {name: [*x[:BLOCK], x[-1]] for name, x in zip(names, jacobian, strict=True)}


objective, jacobian = Function(_objective, _first_errors), Function(_jacobian, _first_block)
