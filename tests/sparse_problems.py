"""Models with sparse derivatives, each written once for floats, Values and CasADi's symbols.

`m` is a module with `sin`, `cos`, `exp` and `sqrt`: `autograd`, `casadi` or `math`. A problem has a
point, and as far as it is one of that kind an objective, constraints g(x) and a Lagrangian
f(x) + λᵀg(x). Besides, each is written as a function of an array, for `jax.numpy`.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Numbers = list[float]
Function = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Problem:
    """A model.

    Attributes:
        point: where to evaluate it.
        objective: f(m, x), one number; None if there is none.
        constraints: g(m, x), a list; None if there are none.
        of_array: f and g of an array x, or 0 and an empty array where there are none.
        lower, upper: bounds on x; `g_lower`, `g_upper` those on g.
    """

    name: str
    point: Numbers
    objective: Function | None = None
    constraints: Function | None = None
    of_array: Function | None = None
    lower: Numbers | None = None
    upper: Numbers | None = None
    g_lower: Numbers | None = None
    g_upper: Numbers | None = None

    def lagrangian(self, m: Any, x: Any, v: Any) -> Any:
        """The objective plus each constraint times its multiplier."""
        total = 0.0 if self.objective is None else self.objective(m, x)
        if self.constraints is not None:
            for g, multiplier in zip(self.constraints(m, x), v, strict=True):
                total = total + multiplier * g
        return total

    def multipliers(self) -> Numbers:
        """As many numbers as there are constraints."""
        source = random.Random(7)
        count = 0 if self.constraints is None else len(self.constraints(math, self.point))
        return [source.uniform(-1.0, 1.0) for _ in range(count)]


def rosenbrock(n: int) -> Problem:
    """Σ 100 (xᵢ₊₁ - xᵢ²)² + (1 - xᵢ)², whose Hessian is tridiagonal."""

    def objective(_: Any, x: Any) -> Any:
        total: Any = 0.0
        for here, there in itertools.pairwise(x):
            total = total + 100.0 * (there - here**2) ** 2 + (1.0 - here) ** 2
        return total

    def of_array(m: Any, x: Any) -> Any:
        terms = 100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2
        return terms.sum(), m.zeros(0)

    source = random.Random(1)
    point = [source.uniform(-1.5, 1.5) for _ in range(n)]
    return Problem(f"Rosenbrock, {n}", point, objective, of_array=of_array)


def springs(n_masses: int) -> Problem:
    """The energy of a hanging chain of masses between two walls, joined by springs, in space."""
    rest = 6.0 / (n_masses + 1)

    def objective(m: Any, x: Any) -> Any:
        masses = [x[i : i + 3] for i in range(0, len(x), 3)]
        chain = [[0.0, 0.0, 0.0], *masses, [8.0, 0.0, 0.0]]
        energy: Any = 0.0
        for p, q in itertools.pairwise(chain):
            squares = [(a - b) ** 2 for a, b in zip(p, q, strict=True)]
            length = m.sqrt(squares[0] + squares[1] + squares[2])
            energy = energy + 20.0 * n_masses * (length - rest) ** 2
        for mass in masses:
            energy = energy + 9.81 * mass[2]
        return energy

    def of_array(m: Any, x: Any) -> Any:
        masses = x.reshape(-1, 3)
        chain = m.concatenate([m.zeros((1, 3)), masses, m.array([[8.0, 0.0, 0.0]])])
        lengths = m.sqrt(((chain[1:] - chain[:-1]) ** 2).sum(1))
        energy = 20.0 * n_masses * ((lengths - rest) ** 2).sum() + 9.81 * masses[:, 2].sum()
        return energy, m.zeros(0)

    source = random.Random(2)
    point: Numbers = []
    for i in range(n_masses):
        s = (i + 1) / (n_masses + 1)
        point += [8.0 * s, 0.1 * source.random(), -3.0 * s * (1.0 - s)]
    return Problem(f"springs, {n_masses} masses", point, objective, of_array=of_array)


# --- optimal control, by trapezoidal collocation --------------------------------------------------


def collocation(
    name: str,
    intervals: int,
    duration: float,
    start: list[float | None],
    end: list[float | None],
    rate: Callable[[Any, Any, Any], list[Any]],
    cost: Callable[[Any, Any], Any],
    largest_control: float,
) -> Problem:
    """min ∫ cost(x, u) dt with dx/dt = rate(x, u), one control; unknowns are (x, u) at each time.

    M. Kelly, An introduction to trajectory optimization, SIAM Review 59(4), 2017.
    """
    n, h = len(start), duration / intervals

    def stages(z: Any) -> list[tuple[Any, Any]]:
        width = n + 1
        return [(z[i : i + n], z[i + n]) for i in range(0, (intervals + 1) * width, width)]

    def objective(m: Any, z: Any) -> Any:
        costs = [cost(x, u) for x, u in stages(z)]
        total = 0.5 * h * (costs[0] + costs[-1])
        for one in costs[1:-1]:
            total = total + h * one
        return total

    def constraints(m: Any, z: Any) -> list[Any]:
        points = stages(z)
        rates = [rate(m, x, u) for x, u in points]
        found = []
        for k in range(intervals):
            for i in range(n):
                step = 0.5 * h * (rates[k][i] + rates[k + 1][i])
                found.append(points[k + 1][0][i] - points[k][0][i] - step)
        return found

    def of_array(m: Any, z: Any) -> Any:
        rows = z.reshape(-1, n + 1)
        x, u = rows[:, :n], rows[:, n]
        costs, rates = cost(x.T, u), m.stack(rate(m, x.T, u), axis=1)
        total = 0.5 * h * (costs[0] + costs[-1]) + h * costs[1:-1].sum()
        return total, (x[1:] - x[:-1] - 0.5 * h * (rates[:-1] + rates[1:])).ravel()

    inf = math.inf
    lower, upper, point = [], [], []
    for k in range(intervals + 1):
        s = k / intervals
        fixed = start if k == 0 else end if k == intervals else [None] * n
        lower += [-inf if x is None else x for x in fixed] + [-largest_control]
        upper += [inf if x is None else x for x in fixed] + [largest_control]
        for a, b in zip(start, end, strict=True):
            first = 0.0 if a is None else a
            point.append(first + s * ((first if b is None else b) - first))
        point.append(0.1 * math.sin(3.0 * s))
    zeros = [0.0] * (intervals * n)
    title = f"{name}, {intervals} intervals"
    return Problem(title, point, objective, constraints, of_array, lower, upper, zeros, zeros)


def cart_pole(intervals: int) -> Problem:
    """A pole on a cart swings up in 2 s with the least squared force, after Kelly."""
    cart, pole, length, gravity = 1.0, 0.3, 0.5, 9.81

    def rate(m: Any, x: Any, force: Any) -> list[Any]:
        _, angle, speed, spin = x[0], x[1], x[2], x[3]
        s, c = m.sin(angle), m.cos(angle)
        inertia = cart + pole * (1.0 - c**2)
        swing = length * pole * s * spin**2
        return [
            speed,
            spin,
            (swing + force + pole * gravity * c * s) / inertia,
            -(swing * c + force * c + (cart + pole) * gravity * s) / (length * inertia),
        ]

    ends: tuple[Any, Any] = [0.0, 0.0, 0.0, 0.0], [1.0, math.pi, 0.0, 0.0]
    return collocation("cart-pole", intervals, 2.0, *ends, rate, lambda x, u: u**2, 20.0)


def van_der_pol(intervals: int) -> Problem:
    """The oscillator of van der Pol is brought to rest, with a control between -1 and 1."""

    def rate(m: Any, x: Any, u: Any) -> list[Any]:
        return [(1.0 - x[1] ** 2) * x[0] - x[1] + u, x[0]]

    def cost(x: Any, u: Any) -> Any:
        return x[0] ** 2 + x[1] ** 2 + u**2

    ends: tuple[Any, Any] = [0.0, 1.0], [None, None]
    return collocation("van der Pol", intervals, 10.0, *ends, rate, cost, 1.0)


# --- optimal power flow ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """An alternating-current grid, in units of 100 MVA.

    Attributes:
        loads: the active and the reactive power that each bus draws.
        shunts: the susceptance at each bus.
        reference: the bus whose angle is 0.
        generators: bus, least and most active and reactive power, cost c₂ and c₁ of p in MW.
        lines: from, to, resistance, reactance, charging, largest apparent power or 0, tap ratio.
        voltage: the least and the largest.
    """

    loads: list[tuple[float, float]]
    shunts: list[float]
    reference: int
    generators: list[tuple[int, float, float, float, float, float, float]]
    lines: list[tuple[int, int, float, float, float, float, float]]
    voltage: tuple[float, float]


def five_buses() -> Grid:
    """F. Li and R. Bo, Small test systems for power system economic studies, IEEE PES, 2010."""
    load = (3.0, 0.9861)
    lines = [
        (0, 1, 0.00281, 0.0281, 0.00712, 4.0, 1.0),
        (0, 3, 0.00304, 0.0304, 0.00658, 0.0, 1.0),
        (0, 4, 0.00064, 0.0064, 0.03126, 0.0, 1.0),
        (1, 2, 0.00108, 0.0108, 0.01852, 0.0, 1.0),
        (2, 3, 0.00297, 0.0297, 0.00674, 0.0, 1.0),
        (3, 4, 0.00297, 0.0297, 0.00674, 2.4, 1.0),
    ]
    generators = [
        (0, 0.0, 0.4, -0.3, 0.3, 0.0, 14.0),
        (0, 0.0, 1.7, -1.275, 1.275, 0.0, 15.0),
        (2, 0.0, 5.2, -3.9, 3.9, 0.0, 30.0),
        (3, 0.0, 2.0, -1.5, 1.5, 0.0, 40.0),
        (4, 0.0, 6.0, -4.5, 4.5, 0.0, 10.0),
    ]
    loads = [(0.0, 0.0), load, load, (4.0, 1.3147), (0.0, 0.0)]
    return Grid(loads, [0.0] * 5, 3, generators, lines, (0.9, 1.1))


def fourteen_buses() -> Grid:
    """The IEEE test case of 14 buses, a part of the American Midwest in 1962."""
    demand = (
        "0 0; 21.7 12.7; 94.2 19; 47.8 -3.9; 7.6 1.6; 11.2 7.5; 0 0; 0 0; 29.5 16.6; 9 5.8; "
        "3.5 1.8; 6.1 1.6; 13.5 5.8; 14.9 5"
    )
    branches = (
        "1 2 .01938 .05917 .0528 1; 1 5 .05403 .22304 .0492 1; 2 3 .04699 .19797 .0438 1; "
        "2 4 .05811 .17632 .034 1; 2 5 .05695 .17388 .0346 1; 3 4 .06701 .17103 .0128 1; "
        "4 5 .01335 .04211 0 1; 4 7 0 .20912 0 .978; 4 9 0 .55618 0 .969; 5 6 0 .25202 0 .932; "
        "6 11 .09498 .1989 0 1; 6 12 .12291 .25581 0 1; 6 13 .06615 .13027 0 1; "
        "7 8 0 .17615 0 1; 7 9 0 .11001 0 1; 9 10 .03181 .0845 0 1; 9 14 .12711 .27038 0 1; "
        "10 11 .08205 .19207 0 1; 12 13 .22092 .19988 0 1; 13 14 .17093 .34802 0 1"
    )
    loads = [tuple(float(x) / 100.0 for x in row.split()) for row in demand.split(";")]
    lines = []
    for row in branches.split(";"):
        start, end, *numbers = row.split()
        r, x, b, tap = map(float, numbers)
        lines.append((int(start) - 1, int(end) - 1, r, x, b, 0.0, tap))
    generators = [
        (0, 0.0, 3.324, 0.0, 0.1, 0.0430292599, 20.0),
        (1, 0.0, 1.4, -0.4, 0.5, 0.25, 20.0),
        (2, 0.0, 1.0, 0.0, 0.4, 0.01, 40.0),
        (5, 0.0, 1.0, -0.06, 0.24, 0.01, 40.0),
        (7, 0.0, 1.0, -0.06, 0.24, 0.01, 40.0),
    ]
    shunts = [0.19 if i == 8 else 0.0 for i in range(14)]
    return Grid(loads, shunts, 0, generators, lines, (0.94, 1.06))  # type: ignore[arg-type]


def mesh(side: int) -> Grid:
    """A square mesh of side² buses, a generator at every fifth, numbers drawn at random."""
    source = random.Random(3)
    n = side * side
    loads = [(source.uniform(0.05, 0.25), source.uniform(0.01, 0.08)) for _ in range(n)]
    generators = [
        (i, 0.0, 2.0, -1.0, 1.0, source.uniform(0.005, 0.05), source.uniform(10.0, 40.0))
        for i in range(0, n, 5)
    ]
    lines = []
    for bus in range(n):
        right = [bus + 1] if (bus + 1) % side else []
        for other in [*right, *([bus + side] if bus + side < n else [])]:
            x = source.uniform(0.02, 0.1)
            charging = source.uniform(0.0, 0.04)
            lines.append((bus, other, x * source.uniform(0.1, 0.4), x, charging, 1.5, 1.0))
    return Grid(loads, [0.0] * n, 0, generators, lines, (0.9, 1.1))


def power_flow(name: str, grid: Grid) -> Problem:
    """The cheapest generation that meets all loads; unknowns are angles, voltages, powers p and q.

    Constraints are the balance of active and of reactive power at each bus, and the square of the
    apparent power at both ends of lines that have a limit.
    """
    n, n_generators = len(grid.loads), len(grid.generators)

    def objective(m: Any, z: Any) -> Any:
        total: Any = 0.0
        for generator, p in zip(grid.generators, z[2 * n : 2 * n + n_generators], strict=True):
            total = total + generator[5] * (100.0 * p) ** 2 + generator[6] * 100.0 * p
        return total

    def constraints(m: Any, z: Any) -> list[Any]:
        angle, voltage = z[:n], z[n : 2 * n]
        active: list[Any] = [p for p, _ in grid.loads]
        reactive: list[Any] = [
            q - b * v**2 for (_, q), b, v in zip(grid.loads, grid.shunts, voltage, strict=True)
        ]
        limits = []
        for i, j, r, x, charging, most, tap in grid.lines:
            g, b = r / (r**2 + x**2), -x / (r**2 + x**2)
            c, s = m.cos(angle[i] - angle[j]), m.sin(angle[i] - angle[j])
            both = voltage[i] * voltage[j] / tap
            here, there = (voltage[i] / tap) ** 2, voltage[j] ** 2
            p_here = g * here - both * (g * c + b * s)
            q_here = -(b + charging / 2.0) * here - both * (g * s - b * c)
            p_there = g * there - both * (g * c - b * s)
            q_there = -(b + charging / 2.0) * there + both * (g * s + b * c)
            active[i], reactive[i] = active[i] + p_here, reactive[i] + q_here
            active[j], reactive[j] = active[j] + p_there, reactive[j] + q_there
            if most:
                limits += [p_here**2 + q_here**2, p_there**2 + q_there**2]
        for k, generator in enumerate(grid.generators):
            bus = generator[0]
            active[bus] = active[bus] - z[2 * n + k]
            reactive[bus] = reactive[bus] - z[2 * n + n_generators + k]
        return [*active, *reactive, *limits]

    def of_array(m: Any, z: Any) -> Any:
        angle, voltage = z[:n], z[n : 2 * n]
        power = z[2 * n :].reshape(2, n_generators)
        bus, *_, c2, c1 = map(m.array, zip(*grid.generators, strict=True))
        i, j, r, x, charging, _, tap = map(m.array, zip(*grid.lines, strict=True))
        g, b = r / (r**2 + x**2), -x / (r**2 + x**2)
        c, s = m.cos(angle[i] - angle[j]), m.sin(angle[i] - angle[j])
        both = voltage[i] * voltage[j] / tap
        here, there = (voltage[i] / tap) ** 2, voltage[j] ** 2
        p_here, p_there = g * here - both * (g * c + b * s), g * there - both * (g * c - b * s)
        q_here = -(b + charging / 2.0) * here - both * (g * s - b * c)
        q_there = -(b + charging / 2.0) * there + both * (g * s + b * c)
        p, q = m.array(grid.loads).T
        p = p.at[i].add(p_here).at[j].add(p_there).at[bus].add(-power[0])
        q = (q - m.array(grid.shunts) * voltage**2).at[i].add(q_here).at[j].add(q_there)
        flows = m.stack([p_here**2 + q_here**2, p_there**2 + q_there**2], axis=1)
        limited = [k for k, line in enumerate(grid.lines) if line[5]]
        flows = flows[m.array(limited, int)].ravel()
        total = (c2 * (100.0 * power[0]) ** 2 + c1 * 100.0 * power[0]).sum()
        return total, m.concatenate([p, q.at[bus].add(-power[1]), flows])

    inf = math.inf
    free = [-inf] * n
    free[grid.reference] = 0.0
    bounds = [(x[1], x[2]) for x in grid.generators] + [(x[3], x[4]) for x in grid.generators]
    lower = [*free, *[grid.voltage[0]] * n, *[low for low, _ in bounds]]
    upper = [*[-x for x in free], *[grid.voltage[1]] * n, *[high for _, high in bounds]]
    source = random.Random(4)
    angles = [source.uniform(-0.1, 0.1) for _ in range(n)]
    voltages = [source.uniform(0.95, 1.05) for _ in range(n)]
    point = [*angles, *voltages, *[0.5 * (low + high) for low, high in bounds]]
    most = [line[5] ** 2 for line in grid.lines if line[5] for _ in range(2)]
    g_lower = [0.0] * (2 * n) + [-inf] * len(most)
    g_upper = [0.0] * (2 * n) + most
    return Problem(name, point, objective, constraints, of_array, lower, upper, g_lower, g_upper)


# --- least squares --------------------------------------------------------------------------------


def bundle_adjustment(cameras: int, points: int, observations: int) -> Problem:
    """Cameras of 11 numbers, points in space and a weight for each observation, as in GradBench.

    The objective is half the sum of squares; the constraints are the residuals.
    """
    source = random.Random(5)
    seen = [(k % cameras, (3 * k + k // cameras) % points) for k in range(observations)]
    measured = [(source.uniform(-1.0, 1.0), source.uniform(-1.0, 1.0)) for _ in seen]

    def cross(a: Any, b: Any) -> list[Any]:
        return [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]

    def dot(a: Any, b: Any) -> Any:
        return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

    def projected(m: Any, camera: Any, point: Any) -> list[Any]:
        turn, center, focus, middle, distortion = (
            *(camera[:3], camera[3:6], camera[6], camera[7:9], camera[9:11]),
        )
        offset = [p - c for p, c in zip(point, center, strict=True)]
        angle = m.sqrt(dot(turn, turn))  # Rodrigues' formula
        axis = [t / angle for t in turn]
        s, c = m.sin(angle), m.cos(angle)
        across, along = cross(axis, offset), dot(axis, offset) * (1.0 - c)
        x, y, z = (offset[i] * c + across[i] * s + axis[i] * along for i in range(3))
        u = [x / z, y / z]
        square = u[0] ** 2 + u[1] ** 2
        scale = focus * (1.0 + distortion[0] * square + distortion[1] * square**2)
        return [u[0] * scale + middle[0], u[1] * scale + middle[1]]

    def residuals(m: Any, x: Any) -> list[Any]:
        first_point, first_weight = 11 * cameras, 11 * cameras + 3 * points
        found, rest = [], []
        for k, ((camera, point), target) in enumerate(zip(seen, measured, strict=True)):
            at = first_point + 3 * point
            image = projected(m, x[11 * camera : 11 * camera + 11], x[at : at + 3])
            weight = x[first_weight + k]
            found += [weight * (a - b) for a, b in zip(image, target, strict=True)]
            rest.append(1.0 - weight**2)
        return found + rest

    def objective(m: Any, x: Any) -> Any:
        total: Any = 0.0
        for r in residuals(m, x):
            total = total + 0.5 * r**2
        return total

    def of_array(m: Any, x: Any) -> Any:
        numbers, places, weights = m.split(x, [11 * cameras, 11 * cameras + 3 * points])
        camera, point = map(m.array, zip(*seen, strict=True))
        image = projected(m, numbers.reshape(-1, 11)[camera].T, places.reshape(-1, 3)[point].T)
        found = weights[:, None] * (m.stack(image, axis=1) - m.array(measured))
        r = m.concatenate([found.ravel(), 1.0 - weights**2])
        return 0.5 * (r**2).sum(), r

    start = [source.uniform(0.1, 1.0) for _ in range(11 * cameras + 3 * points)]
    start += [source.uniform(0.5, 1.0) for _ in seen]
    name = f"bundle adjustment, {observations} observations"
    return Problem(name, start, objective, residuals, of_array)


def decay(n: int) -> Problem:
    """n residuals of a fit of three damped oscillations and a constant, 10 parameters."""
    truth = [1.0, 0.5, 3.0, 0.7, 0.2, 7.0, 0.4, 0.9, 12.0, 0.1]

    def curve(m: Any, p: Any, t: float) -> Any:
        total = p[9]
        for k in (0, 3, 6):
            total = total + p[k] * m.exp(-p[k + 1] * t) * m.cos(p[k + 2] * t)
        return total

    source = random.Random(6)
    times = [5.0 * i / n for i in range(n)]
    data = [curve(math, truth, t) + source.gauss(0.0, 0.01) for t in times]

    def residuals(m: Any, p: Any) -> list[Any]:
        return [curve(m, p, t) - y for t, y in zip(times, data, strict=True)]

    def of_array(m: Any, p: Any) -> Any:
        return 0.0, curve(m, p, m.array(times)) - m.array(data)

    start = [x * source.uniform(0.95, 1.05) for x in truth]
    name = f"least squares, {n} residuals"
    return Problem(name, start, constraints=residuals, of_array=of_array)
