"""`ht`: hand tracking, the errors of a posed hand's vertices and their Jacobian.

A correspondence is one example of a compiled function: a measured point, and a vertex of the hand
or, if the input has `us`, a place on a triangle of three vertices, in barycentric coordinates
(u₀, u₁, 1 - u₀ - u₁). The pose θ, 26 numbers, is what all examples share: what follows of it alone,
the transformation of each bone, is computed once a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

import autograd as ag
from tests.gradbench.function import Function, Thunk

Vector: TypeAlias = Sequence[Any]
Matrix: TypeAlias = Sequence[Vector]

N_FINGERS = 5
FIRST_FINGER = 2
"""Of the bones: the wrist and the palm come before it."""


def product(a: Matrix, b: Matrix) -> list[list[Any]]:
    """The matrix product without the terms that are 0 in any case."""
    columns = list(zip(*b, strict=True))
    return [[_dot(row, column) for column in columns] for row in a]


def _dot(u: Vector, v: Vector) -> Any:
    terms = [a * b for a, b in zip(u, v, strict=True) if not (_is_zero(a) or _is_zero(b))]
    return ag.sum(terms)


def _is_zero(x: Any) -> bool:
    return isinstance(x, float) and x == 0.0


def euler_rotation(x: Any, z: Any, y: Any) -> list[list[Any]]:
    """The rotation by x about the x axis, then by y about the y axis, then by z about z."""
    about_x = [[1.0, 0.0, 0.0], [0.0, ag.cos(x), -ag.sin(x)], [0.0, ag.sin(x), ag.cos(x)]]
    about_y = [[ag.cos(y), 0.0, ag.sin(y)], [0.0, 1.0, 0.0], [-ag.sin(y), 0.0, ag.cos(y)]]
    about_z = [[ag.cos(z), -ag.sin(z), 0.0], [ag.sin(z), ag.cos(z), 0.0], [0.0, 0.0, 1.0]]
    return product(product(about_z, about_y), about_x)


def axis_rotation(v: Vector) -> list[list[Any]]:
    """The rotation about the axis v by its length as the angle."""
    angle = ag.sqrt(ag.dot(v, v))
    x, y, z = (a / angle for a in v)
    s, c = ag.sin(angle), ag.cos(angle)
    t = 1.0 - c
    return [
        [t * x * x + c, t * x * y - s * z, t * x * z + s * y],
        [t * x * y + s * z, t * y * y + c, t * y * z - s * x],
        [t * x * z - s * y, t * y * z + s * x, t * z * z + c],
    ]


def bone_angles(theta: Vector, n_bones: int) -> list[list[Any]]:
    """Three angles of each bone: a finger's first joint bends and spreads, two more bend.

    θ has the global rotation and translation, and then four angles for each finger of four bones.
    """
    angles: list[list[Any]] = [[0.0, 0.0, 0.0] for _ in range(n_bones)]
    for finger in range(N_FINGERS):
        bend, spread, second, third = theta[6 + 4 * finger : 10 + 4 * finger]
        bone = FIRST_FINGER + 4 * finger
        angles[bone][:2] = bend, spread
        angles[bone + 1][0], angles[bone + 2][0] = second, third
    return angles


def bone_transformations(theta: Vector, model: dict[str, Any]) -> list[Matrix]:
    """For each bone the 4 × 4 matrix from the hand at rest to the posed one."""
    absolute: list[Matrix] = []
    angles = bone_angles(theta, model["bone_count"])
    for parent, relative, xzy in zip(
        model["parents"], model["base_relatives"], angles, strict=True
    ):
        rotation = [[*row, 0.0] for row in euler_rotation(*xzy)]
        posed = product(relative, [*rotation, [0.0, 0.0, 0.0, 1.0]])
        absolute.append(posed if parent == -1 else product(absolute[parent], posed))
    return [product(a, b) for a, b in zip(absolute, model["inverse_base_absolutes"], strict=True)]


def vertex(
    theta: Vector,
    bones: Sequence[Matrix],
    mirrored: bool,
    position: Vector,
    weights: Vector,
) -> list[Any]:
    """Where a vertex is in the posed hand: the mean over the bones, rotated and moved."""
    moved = [
        ag.sum([w * ag.dot(bone[i], position) for w, bone in zip(weights, bones, strict=True)])
        for i in range(3)
    ]
    if mirrored:
        moved[0] = -moved[0]
    rotation = axis_rotation(theta[0:3])
    return [ag.dot(row, moved) + shift for row, shift in zip(rotation, theta[3:6], strict=True)]


def _columns(given: dict[str, Any]) -> list[np.ndarray]:
    """The measured points; positions and weights of their vertices; and us, if there are any."""
    data, us = given["data"], np.array(given["us"])
    model = data["model"]
    correspondences = np.array(data["correspondences"])
    if us.size:
        vertices = np.array(model["triangles"])[correspondences]
    else:
        vertices = correspondences[:, None]
    positions, weights = np.array(model["base_positions"]), np.array(model["weights"])
    columns = [np.array(data["points"]), positions[vertices], weights[vertices]]
    return [*columns, us] if us.size else columns


def _prepared(with_jacobian: bool) -> Function:
    def prepare(given: dict[str, Any]) -> Thunk:
        model, theta, columns = given["data"]["model"], np.array(given["theta"]), _columns(given)

        def errors(
            theta: Vector, point: Vector, positions: Matrix, weights: Matrix, *us: Any
        ) -> Any:
            """What is measured less what is posed; `us` holds the point's u, if there is one."""
            bones = bone_transformations(theta, model)
            found = [
                vertex(theta, bones, model["is_mirrored"], x, w)
                for x, w in zip(positions, weights, strict=True)
            ]
            u = us[0] if us else []
            coordinates = [*u, 1.0 - ag.sum(u)]
            return [
                measured - ag.dot(coordinates, column)
                for measured, column in zip(point, zip(*found, strict=True), strict=True)
            ]

        def jacobian(theta: Vector, point: Vector, *others: Any) -> Any:
            u = others[2] if len(others) > 2 else []
            return [ag.grad(error, [*u, *theta]) for error in errors(theta, point, *others)]

        f, axes = jacobian if with_jacobian else errors, (None, *[0] * len(columns))
        compiled = ag.jit(f, in_axes=axes)
        return lambda: compiled(theta, *columns)

    def told(results: np.ndarray) -> np.ndarray:
        """The three rows of each correspondence, one below the other."""
        return results.reshape(-1, *results.shape[2:])

    return Function(prepare, told)


objective, jacobian = _prepared(False), _prepared(True)
