"""Long loops: `scan` beside the same loop unrolled, and beside `lax.scan` in JAX by hand.

The first gradient (recording and compiling included) and the memory that it takes are measured in a
process for each; the time of a gradient in one process, by turns. All compute in float64.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import autograd as ag
from autograd import Value
from tests.benchmarks.measure import in_turns, peak_memory, print_table, readable, repeated

LENGTHS = (1_000, 10_000, 100_000)
MOST_UNROLLED = 200_000
"""How many operations are unrolled at most, which takes 2 to 3 s; more are left out."""

UNITS = 8

Gradient = Callable[[], Any]


def by_hand(step: Any, state: Any, inputs: Any) -> tuple[Any, Any]:
    """A loop of Python."""
    outputs = []
    for x in inputs:
        state, output = step(state, x)
        outputs.append(output)
    return state, outputs


# --- a differential equation ----------------------------------------------------------------------

H, PARAMETERS = 0.001, (1.1, 0.4, 0.3)


def oscillator(a: Any, mu: Any) -> Any:
    """A step of van der Pol's oscillator by the method of Runge and Kutta, on any numbers."""

    def slopes(x: Any, v: Any) -> tuple[Any, Any]:
        return v, mu * (1.0 - x * x) * v - a * x

    def step(state: Any, _: Any) -> tuple[Any, Any]:
        x, v = state
        k1 = slopes(x, v)
        k2 = slopes(x + 0.5 * H * k1[0], v + 0.5 * H * k1[1])
        k3 = slopes(x + 0.5 * H * k2[0], v + 0.5 * H * k2[1])
        k4 = slopes(x + H * k3[0], v + H * k3[1])
        new = [
            y + H / 6.0 * (p + 2.0 * q + 2.0 * r + s)
            for y, p, q, r, s in zip(state, k1, k2, k3, k4, strict=True)
        ]
        return tuple(new), None

    return step


def equation(n: int, run: Any) -> Gradient:
    """The gradient of where the oscillator ends."""
    a, b, mu = map(Value, PARAMETERS)

    def loss() -> Value:
        (x, v), _ = run(oscillator(a, mu), (b * 1.0, b * 2.0), [None] * n)
        end: Value = x * x + v
        return end

    return _compiled(loss, [a, b, mu])


def equation_in_jax(n: int) -> Gradient:
    """The same by `lax.scan`."""
    import jax

    def loss(p: Any) -> Any:
        (x, v), _ = jax.lax.scan(oscillator(p[0], p[2]), (p[1], 2.0 * p[1]), None, length=n)
        return x * x + v

    return _in_jax(loss, PARAMETERS)


# --- a recurrent network --------------------------------------------------------------------------


def weights() -> list[float]:
    return [0.4 * math.sin(3.0 * i + 1.0) for i in range(UNITS * (UNITS + 2))]


def signal(n: int) -> list[float]:
    return [math.sin(0.1 * i) for i in range(n)]


def network(n: int, run: Any) -> Gradient:
    """The gradient of the mean square of what a recurrent network says of a signal."""
    numbers = [Value(w) for w in weights()]
    rows = [numbers[i * (UNITS + 2) : (i + 1) * (UNITS + 2)] for i in range(UNITS)]
    xs = signal(n)

    def step(state: Any, x: Any) -> tuple[Any, Any]:
        new = [ag.tanh(ag.dot(row, [*state, x, 1.0])) for row in rows]
        return new, new[0] * new[0]

    def loss() -> Value:
        _, squares = run(step, [0.0] * UNITS, xs)
        return ag.sum(squares) / n

    return _compiled(loss, numbers)


def network_in_jax(n: int) -> Gradient:
    """The same on arrays."""
    import jax
    from jax import numpy as jnp

    xs = jnp.array(signal(n))

    def loss(p: Any) -> Any:
        w = p.reshape(UNITS, UNITS + 2)

        def step(state: Any, x: Any) -> tuple[Any, Any]:
            new = jnp.tanh(w[:, :UNITS] @ state + w[:, UNITS] * x + w[:, UNITS + 1])
            return new, new[0] * new[0]

        _, squares = jax.lax.scan(step, jnp.zeros(UNITS), xs)
        return squares.mean()

    return _in_jax(loss, weights())


# --- measuring ------------------------------------------------------------------------------------


def _compiled(loss: Callable[[], Value], leaves: list[Value]) -> Gradient:
    compiled = ag.jit(loss)

    def gradient() -> list[float]:
        for leaf in leaves:
            leaf.grad = None
        value = compiled.backward()
        return [value, *(leaf.grad or 0.0 for leaf in leaves)]

    return gradient


def _in_jax(loss: Any, parameters: Any) -> Gradient:
    import jax
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    numbers = jax.numpy.array(parameters)
    compiled = jax.jit(jax.value_and_grad(loss))

    def gradient() -> list[float]:
        value, slopes = compiled(numbers)
        return [float(value), *np.asarray(slopes).tolist()]

    return gradient


WORKLOADS = {
    "van der Pol, RK4": (equation, equation_in_jax, 40),
    f"recurrent network, {UNITS} units": (network, network_in_jax, 180),
}
"""Ours, that in JAX, and about how many operations a step has."""


def contestants(name: str, n: int) -> dict[str, Callable[[], Gradient]]:
    """What makes the gradient of each."""
    ours, in_jax, operations = WORKLOADS[name]
    found: dict[str, Callable[[], Gradient]] = {"scan": lambda: ours(n, ag.scan)}
    if n * operations <= MOST_UNROLLED:
        found["unrolled"] = lambda: ours(n, by_hand)
    try:
        import jax  # noqa: F401
    except ImportError:
        return found
    return {**found, "lax.scan": lambda: in_jax(n)}


def measure(name: str, n: int, who: str) -> None:
    """Print the seconds of the first gradient and the memory, as JSON; in a process of its own."""
    make = contestants(name, n)[who]
    before, start = peak_memory(), time.process_time()
    make()()
    print(json.dumps([time.process_time() - start, peak_memory() - before]))


def run(title: str) -> None:
    """Measure and print."""
    rows = []
    for name in WORKLOADS:
        for n in LENGTHS:
            made = {who: make() for who, make in contestants(name, n).items()}
            found = {who: gradient() for who, gradient in made.items()}
            for who, numbers in found.items():
                for x, y in zip(numbers, found["scan"], strict=True):
                    assert math.isclose(x, y, rel_tol=1e-6, abs_tol=1e-9), f"{who} of {name}"
            times = in_turns({who: repeated(gradient) for who, gradient in made.items()}, rounds=5)
            for who, seconds in times.items():
                call = f"from tests.benchmarks.scan import measure; measure({name!r}, {n}, {who!r})"
                printed = subprocess.run(
                    [sys.executable, "-c", call], capture_output=True, text=True, check=True
                ).stdout
                first, memory = json.loads(printed)
                rows.append(
                    (
                        name,
                        f"{n:,}",
                        who,
                        readable(first),
                        f"{memory / 1e6:,.0f} MB",
                        readable(seconds),
                        f"{seconds / times['scan']:.2f}",
                    )
                )
    header = ("loop", "steps", "by", "first gradient (CPU)", "memory", "a gradient", "× scan")
    print_table(title, header, rows)
