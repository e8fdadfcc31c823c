"""The tool for GradBench: its protocol, and its results at small sizes beside NumPy's."""

from __future__ import annotations

import functools
import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
from tests.gradbench.run import EVALS, function_of, serve

Array = np.ndarray[Any, Any]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def evaluated(module: str, function: str, given: Any) -> Any:
    """The output of a function, asked for by the protocol."""
    messages = [
        {"id": 0, "kind": "start", "eval": module},
        {"id": 1, "kind": "define", "module": module},
        {"id": 2, "kind": "evaluate", "module": module, "function": function, "input": given},
    ]
    started, defined, found = replies(messages)
    assert started["tool"] == "scalar-autograd"
    assert defined["success"]
    assert found["success"], found["error"]
    assert all(timing["name"] == "evaluate" for timing in found["timings"])
    return found["output"]


def replies(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in serve(map(json.dumps, messages))]


def slopes(f: Callable[[Array], Any], x: Array, h: float = 1e-6) -> Array:
    """The derivatives of f's results by central differences; those by x along the last axis."""
    steps = h * np.eye(len(x))
    columns = [(np.asarray(f(x + e)) - np.asarray(f(x - e))) / (2.0 * h) for e in steps]
    return np.stack(columns, axis=-1)


def close(found: Any, expected: Any, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


# --- the protocol ---------------------------------------------------------------------------------


def test_a_reply_for_each_message_until_the_end() -> None:
    lines = [
        {"id": 0, "kind": "start"},
        {"id": 1, "kind": "analysis", "of": 0, "valid": True},
        {"id": 2, "kind": "end"},
        {"id": 3, "kind": "start"},
    ]
    assert replies(lines) == [{"id": 0, "tool": "scalar-autograd"}, {"id": 1}]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"kind": "define", "module": "run"}, "no module 'run'"),
        ({"kind": "evaluate", "module": "lse", "function": "primal", "input": {}}, "KeyError"),
        ({"kind": "evaluate", "module": "lse", "function": "reduce", "input": {}}, "no function"),
    ],
)
def test_an_error_is_told_and_the_next_message_served(message: dict[str, Any], error: str) -> None:
    refused, served = replies([message | {"id": 7}, {"id": 8, "kind": "start"}])
    assert refused["id"] == 7
    assert not refused["success"]
    assert error in refused["error"]
    assert served["id"] == 8


@pytest.mark.parametrize(
    ("asked", "runs"), [({}, 1), ({"min_runs": 3}, 3), ({"min_runs": 2, "min_seconds": 1e-9}, 2)]
)
def test_it_runs_as_often_as_asked(asked: dict[str, float], runs: int) -> None:
    found = function_of("lse", "primal").evaluate({"x": [1.0, 2.0]} | asked)
    assert len(found["timings"]) == runs


def test_it_runs_for_as_long_as_asked() -> None:
    found = function_of("lse", "primal").evaluate({"x": [1.0, 2.0], "min_seconds": 0.01})
    spent = [timing["nanoseconds"] for timing in found["timings"]]
    assert sum(spent[:-1]) < 1e7 <= sum(spent)


@pytest.mark.slow
def test_the_command_serves_standard_input() -> None:
    call = {"id": 1, "kind": "evaluate", "module": "hello", "function": "double", "input": 3.0}
    finished = subprocess.run(
        [sys.executable, "-m", "tests.gradbench"],
        input=json.dumps({"id": 0, "kind": "start"}) + "\n" + json.dumps(call) + "\n",
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    started, found = map(json.loads, finished.stdout.splitlines())
    assert started == {"id": 0, "tool": "scalar-autograd"}
    assert (found["id"], found["output"]) == (1, 6.0)


def test_every_eval_has_a_module() -> None:
    assert all(
        reply["success"]
        for reply in replies(
            [{"id": i, "kind": "define", "module": name} for i, name in enumerate(EVALS)]
        )
    )


# --- the evals ------------------------------------------------------------------------------------


def test_hello() -> None:
    assert evaluated("hello", "square", 3.0) == 9.0
    assert evaluated("hello", "double", 9.0) == 18.0


def test_llsq(random: np.random.Generator) -> None:
    x, n = random.random(4), 7
    t = np.linspace(-1.0, 1.0, n)
    powers = np.vander(t, len(x), increasing=True)
    residuals = powers @ x - np.sign(t)
    given = {"x": x.tolist(), "n": n}
    close(evaluated("llsq", "primal", given), 0.5 * residuals @ residuals, 1e-12)
    close(evaluated("llsq", "gradient", given), powers.T @ residuals, 1e-12)


@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_lse(shift: float, random: np.random.Generator) -> None:
    x = random.normal(size=9)
    weights = np.exp(x) / np.sum(np.exp(x))
    given = {"x": (x + shift).tolist()}
    close(evaluated("lse", "primal", given), np.log(np.sum(np.exp(x))) + shift, 1e-12)
    close(evaluated("lse", "gradient", given), weights, 1e-9)


def test_det(random: np.random.Generator) -> None:
    a = random.normal(size=(4, 4))
    given = {"A": a.reshape(-1).tolist(), "ell": 4}
    cofactors = np.linalg.det(a) * np.linalg.inv(a).T
    close(evaluated("det", "primal", given), np.linalg.det(a), 1e-12)
    close(evaluated("det", "gradient", given), cofactors.reshape(-1), 1e-12)


def test_ode(random: np.random.Generator) -> None:
    x, steps = 0.5 + random.random(3), 30
    y = 2.0 * x[0], 2.0 * x[0] * x[1], 4.0 / 3.0 * x[0] * x[1] * x[2]  # x₀t, x₀x₁t²/2, …
    given = {"x": x.tolist(), "s": steps}
    close(evaluated("ode", "primal", given), y, 1e-12)  # the method is exact for a cubic
    close(evaluated("ode", "gradient", given), y[-1] / x, 1e-12)


@pytest.mark.parametrize("steps", [1, 5])
def test_ode_has_the_error_of_its_method(steps: int, random: np.random.Generator) -> None:
    """y₅ is a polynomial of degree 6, of which each step takes what is of fourth order in h."""

    def solved(x: Array) -> Array:
        a = np.diag(x[1:], -1)  # y' = A·y + x₀e₀
        h, y, first = 2.0 / steps, np.zeros(len(x)), np.eye(len(x))[0] * x[0]
        powers = [np.linalg.matrix_power(h * a, k) for k in range(5)]
        propagator = sum(p / math.factorial(k) for k, p in enumerate(powers))
        integral = h * sum(p / math.factorial(k + 1) for k, p in enumerate(powers[:4]))
        for _ in range(steps):
            y = propagator @ y + integral @ first
        return y

    x = 0.5 + random.random(6)
    given = {"x": x.tolist(), "s": steps}
    close(evaluated("ode", "primal", given), solved(x), 1e-12)
    close(evaluated("ode", "gradient", given), slopes(lambda x: solved(x)[-1], x))


def test_kmeans(random: np.random.Generator) -> None:
    points = random.random((30, 3))
    centroids = points[-4:] + 0.01
    distances = np.sum((points[:, None] - centroids) ** 2, axis=-1)
    nearest = np.argmin(distances, axis=1)
    means = [points[nearest == j].mean(axis=0) for j in range(len(centroids))]
    given = {"points": points.tolist(), "centroids": centroids.tolist()}
    close(evaluated("kmeans", "cost", given), distances.min(axis=1).sum(), 1e-12)
    close(evaluated("kmeans", "dir", given), centroids - means, 1e-12)


def test_gmm(random: np.random.Generator) -> None:
    d, k, n, m, gamma = 3, 2, 5, 1, 1.5
    sizes = {"alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    shapes = list(sizes.values())
    x = random.normal(size=(n, d))

    def log_posterior(flat: Array) -> float:
        """Densities of the multivariate normal and of the Wishart distribution."""
        alpha, mu, q, lower = split(flat, shapes)
        weights = np.exp(alpha) / np.sum(np.exp(alpha))
        densities, prior = np.zeros(n), 0.0
        degrees = d + m + 1
        for j in range(k):
            Q = np.diag(np.exp(q[j]))
            Q[np.triu_indices(d, 1)[::-1]] = lower[j]  # below the diagonal, column by column
            precision = Q.T @ Q
            scatter = np.einsum("ni,ij,nj->n", x - mu[j], precision, x - mu[j])
            scale = np.sqrt(np.linalg.det(precision / (2.0 * np.pi)))
            densities += weights[j] * scale * np.exp(-0.5 * scatter)
            log_gamma = d * (d - 1) / 4.0 * np.log(np.pi)
            log_gamma += sum(math.lgamma((degrees - i) / 2.0) for i in range(d))
            prior += (degrees - d - 1) / 2.0 * np.linalg.slogdet(precision)[1]
            prior -= 0.5 * gamma**2 * np.trace(precision)
            prior -= degrees * d / 2.0 * np.log(2.0) - degrees * d * np.log(gamma) + log_gamma
        return float(np.sum(np.log(densities)) + prior)

    flat = random.normal(size=sum(map(math.prod, shapes)))
    parameters = dict(zip(sizes, split(flat, shapes), strict=True))
    given = {"d": d, "k": k, "n": n, "m": m, "gamma": gamma, "x": x.tolist()}
    given |= {name: numbers.tolist() for name, numbers in parameters.items()}
    close(evaluated("gmm", "objective", given), log_posterior(flat), 1e-12)
    expected = split(slopes(log_posterior, flat), shapes)
    found = evaluated("gmm", "jacobian", given)
    assert list(found) == list(sizes)
    for name, slope in zip(sizes, expected, strict=True):
        close(found[name], slope)


def split(flat: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """Arrays of these shapes from one after another."""
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    parts = np.split(flat, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def cross_matrix(v: Array) -> Array:
    x, y, z = v
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])


def rotation(v: Array) -> Array:
    """The rotation about v by its length: the exponential series of its cross matrix."""
    term, total = np.eye(3), np.eye(3)
    for k in range(1, 40):
        term = term @ cross_matrix(v) / k
        total = total + term
    return total


@pytest.mark.parametrize("turn", [0.7, 0.0])
def test_ba(turn: float, random: np.random.Generator) -> None:
    n, m, p = 2, 3, 4
    camera = 0.1 + 0.2 * random.random(11)
    camera[:3] = turn * np.array([1.0, -0.5, 0.3])
    point, weight, feature = np.array([0.3, -0.2, 2.5]), 0.8, random.random(2)

    def errors(flat: Array) -> Array:
        camera, point, (weight,) = split(flat, [(11,), (3,), (1,)])
        seen = rotation(camera[:3]) @ (point - camera[3:6])
        plane = seen[:2] / seen[2]
        radius = plane @ plane
        plane = plane * (1.0 + camera[9] * radius + camera[10] * radius**2)
        return weight * (plane * camera[6] + camera[7:9] - feature)

    flat = np.concatenate([camera, point, [weight]])
    given = {"n": n, "m": m, "p": p, "cam": camera.tolist(), "x": point.tolist()}
    given |= {"w": weight, "feat": feature.tolist()}
    found = evaluated("ba", "objective", given)
    close(found["reproj_error"].pop("elements"), errors(flat), 1e-12)
    close(found["w_err"].pop("element"), 1.0 - weight**2, 1e-12)
    assert found == {"reproj_error": {"repeated": p}, "w_err": {"repeated": p}}

    found = evaluated("ba", "jacobian", given)
    block = slopes(errors, flat).reshape(-1)
    close(found["vals"], [*block, -2.0 * weight], 1e-5)
    columns = [*range(11), *range(11 * n, 11 * n + 3), 11 * n + 3 * m]
    assert found["cols"] == [*columns, *columns, 11 * n + 3 * m + p - 1]
    starts = [*range(0, 30 * p, 15), *range(30 * p, 31 * p + 1)]
    assert found["rows"] == [*starts[:30], 31 * p]


@pytest.mark.slow
@pytest.mark.parametrize(("with_triangles", "is_mirrored"), [(False, True), (True, False)])
def test_ht(with_triangles: bool, is_mirrored: bool, random: np.random.Generator) -> None:
    n_bones, n_vertices, n_points = 22, 5, 3
    parents = np.array([-1, 0, *(0 if i % 4 == 0 else i + 1 for i in range(20))])
    relatives, inverses = random.normal(size=(2, n_bones, 4, 4)) / 2.0
    relatives[:, 3] = inverses[:, 3] = [0.0, 0.0, 0.0, 1.0]
    positions = np.c_[random.normal(size=(n_vertices, 3)), np.ones(n_vertices)]
    weights = random.dirichlet(np.ones(n_bones), n_vertices)
    triangles = [[0, 1, 2], [2, 3, 4]]
    correspondences = [1, 0, 1] if with_triangles else [3, 1, 4]
    points = random.normal(size=(n_points, 3))
    theta = random.normal(size=26)
    us = random.random((n_points, 2)) if with_triangles else np.zeros((0, 2))

    def plane_rotation(axis: int, angle: float) -> Array:
        found = np.eye(4)
        found[:3, :3] = rotation(angle * np.eye(3)[axis])
        return found

    def errors(theta: Array, us: Array) -> Array:
        angles = np.zeros((n_bones, 3))  # about x, z, y
        for finger, four in enumerate(theta[6:].reshape(5, 4)):
            first = 2 + 4 * finger
            angles[first, :2] = four[:2]
            angles[first + 1 : first + 3, 0] = four[2:]
        absolutes = list[Array]()
        for parent, relative, (x, z, y) in zip(parents, relatives, angles, strict=True):
            turned = plane_rotation(2, z) @ plane_rotation(1, y) @ plane_rotation(0, x)
            before = np.eye(4) if parent == -1 else absolutes[parent]
            absolutes.append(before @ relative @ turned)
        bones = np.array(absolutes) @ inverses
        posed = np.einsum("vb,bij,vj->vi", weights, bones, positions)[:, :3]
        if is_mirrored:
            posed = posed * [-1.0, 1.0, 1.0]
        posed = posed @ rotation(theta[:3]).T + theta[3:6]
        if with_triangles:
            corners = posed[np.array(triangles)[correspondences]]
            barycentric = np.c_[us, 1.0 - us.sum(axis=1)]
            return (points - np.einsum("nk,nki->ni", barycentric, corners)).reshape(-1)
        return (points - posed[correspondences]).reshape(-1)

    model = {
        "bone_count": n_bones,
        "bone_names": [f"bone {i}" for i in range(n_bones)],
        "parents": parents.tolist(),
        "base_relatives": relatives.tolist(),
        "inverse_base_absolutes": inverses.tolist(),
        "base_positions": positions.tolist(),
        "weights": weights.tolist(),
        "triangles": triangles,
        "is_mirrored": is_mirrored,
    }
    data = {"model": model, "correspondences": correspondences, "points": points.tolist()}
    given = {"theta": theta.tolist(), "data": data, "us": us.tolist()}
    close(evaluated("ht", "objective", given), errors(theta, us), 1e-10)
    expected = slopes(lambda theta: errors(theta, us), theta)
    if with_triangles:
        of_us = slopes(lambda flat: errors(theta, flat.reshape(us.shape)), us.reshape(-1))
        own = [of_us[3 * i : 3 * i + 3, 2 * i : 2 * i + 2] for i in range(n_points)]
        expected = np.c_[np.concatenate(own), expected]
    close(evaluated("ht", "jacobian", given), expected)


def test_lstm(random: np.random.Generator) -> None:
    n_layers, n_characters, width = 2, 6, 3
    shapes = [(2 * n_layers, 4 * width), (3, width)]
    state = random.normal(size=(2 * n_layers, width))
    sequence = random.integers(0, 2, (n_characters, width)).astype(float)

    def sigmoid(x: Array) -> Array:
        return 1.0 / (1.0 + np.exp(-x))

    def loss(flat: Array) -> float:
        main, (of_input, of_output, bias) = split(flat, shapes)
        s, total = state.copy(), 0.0
        for x, following in pairwise(sequence):
            h = x * of_input
            for i in range(0, 2 * n_layers, 2):
                weights, biases = main[i : i + 2].reshape(2, 4, width)
                hidden, memory = s[i : i + 2]
                gates = weights * [h, hidden, h, hidden] + biases
                memory = memory * sigmoid(gates[0]) + sigmoid(gates[1]) * np.tanh(gates[3])
                h = sigmoid(gates[2]) * np.tanh(memory)
                s[i : i + 2] = h, memory
            y = h * of_output + bias
            total += following @ (y - np.log(2.0 + np.sum(np.exp(y))))
        return -total / ((n_characters - 1) * width)

    flat = random.normal(size=sum(map(math.prod, shapes)))
    main, extra = split(flat, shapes)
    given = {"main_params": main, "extra_params": extra, "state": state, "sequence": sequence}
    given = {name: array.tolist() for name, array in given.items()}
    close(evaluated("lstm", "objective", given), loss(flat), 1e-12)
    close(evaluated("lstm", "jacobian", given), slopes(loss, flat))


def descent(f: Callable[[Array], float], slope: Callable[[Array], Array], x: Array) -> Any:
    """The descent that `saddle` and `particle` ask for."""
    size, lowered, value, direction = 1e-5, 0, f(x), slope(x)
    while np.linalg.norm(direction) > 1e-5:
        if lowered == 10:
            size, lowered = 2.0 * size, 0
        new = x - size * direction
        if np.linalg.norm(new - x) <= 1e-5:
            break
        if f(new) < value:
            x, value, direction, lowered = new, f(new), slope(new), lowered + 1
        else:
            size, lowered = 0.5 * size, 0
    return x


@pytest.mark.slow
@pytest.mark.parametrize("modes", ["rr", "ff", "fr", "rf"])
def test_saddle(modes: str) -> None:
    """The inner descent does not depend on the outer one, so both are one of |x|²."""
    start = np.array([0.6, -0.2])
    end = descent(lambda x: float(x @ x), lambda x: 2.0 * x, start)
    close(evaluated("saddle", modes, {"start": start.tolist()}), [*end, *end], 1e-9)


@functools.cache
def best_charge() -> float:
    """By the differences of a path integrated here."""

    def crossing(w: float) -> float:
        charges = np.array([[10.0, 10.0 - w], [10.0, 0.0]])
        x, v = np.array([0.0, 8.0]), np.array([0.75, 0.0])
        while True:
            away = x - charges
            force = np.sum(away / np.sum(away**2, axis=1, keepdims=True) ** 1.5, axis=0)
            x = x + 0.1 * v
            if x[1] <= 0.0:
                return float((x[0] - x[1] / v[1] * v[0]) ** 2)
            v = v + 0.1 * force

    def slope(w: Array) -> Array:
        return np.array([(crossing(w[0] + 1e-6) - crossing(w[0] - 1e-6)) / 2e-6])

    return float(descent(lambda w: crossing(w[0]), slope, np.array([0.15]))[0])


@pytest.mark.slow
@pytest.mark.parametrize("modes", ["rr", "ff", "fr", "rf"])
def test_particle(modes: str) -> None:
    close(evaluated("particle", modes, {"w": 0.15}), best_charge(), 1e-5)


@pytest.mark.slow
def test_a_loop_that_is_too_short_is_recorded_again_with_twice_the_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tests.gradbench import saddle

    given = {"start": [1.0, 1.0]}
    expected = evaluated("saddle", "rr", given)
    monkeypatch.setattr(saddle, "MAX_STEPS", 20)
    assert evaluated("saddle", "rr", given) == expected


def test_the_first_of_equal_largest_numbers_is_no_kink() -> None:
    """The gradient of log Σ exp(xᵢ) where several are the largest."""
    close(evaluated("lse", "gradient", {"x": [2.0, 2.0, 2.0, 2.0]}), [0.25] * 4, 1e-12)


def test_values_are_told_as_numbers() -> None:
    from tests.gradbench.function import as_json

    assert as_json({"x": (ag.Value(2.0), np.float64(1.0), np.arange(2))}) == {
        "x": [2.0, 1.0, [0, 1]]
    }
