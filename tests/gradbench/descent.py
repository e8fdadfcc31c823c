"""Gradient descent with a step size that adapts, as the evals `saddle` and `particle` specify it.

The step size doubles after ten steps that lowered the function, and is halved after one that did
not. The descent ends where the gradient is short, or the next step would be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import autograd as ag

TOLERANCE, FIRST_STEP_SIZE, STEPS_TO_DOUBLE = 1e-5, 1e-5, 10

Point = Sequence[Any]
Scalar = Callable[[Point], Any]
"""A function of a point, with one number as the result."""

Differentiated = Callable[[Point], list[Any]]
"""Returns the value of a function, and after it its slopes."""


def forward(f: Scalar) -> Differentiated:
    """By forward mode, one direction after another."""

    def value_and_slopes(x: Point) -> list[Any]:
        n = len(x)
        units = [[float(i == k) for i in range(n)] for k in range(n)]
        return [f(x), *[ag.jvp(f)(list(x), unit) for unit in units]]

    return value_and_slopes


def reverse(f: Scalar) -> Differentiated:
    """By reverse mode."""

    def value_and_slopes(x: Point) -> list[Any]:
        value, slopes = ag.value_and_gradient(f)(list(x))
        return [value, *slopes]

    return value_and_slopes


MODES = {"f": forward, "r": reverse}


class State(NamedTuple):
    """Where a descent has come to."""

    x: list[Any]
    value: Any
    slopes: list[Any]
    step_size: Any
    n_lower: Any
    """How many steps have lowered the function since the step size changed."""


def begun(f: Differentiated, x: Point) -> State:
    """The state before the first step."""
    value, *slopes = f(x)
    return State(list(x), value, slopes, FIRST_STEP_SIZE, 0.0)


def goes_on(state: State) -> Any:
    """Whether there is another step."""
    slope = length(state.slopes)
    return (slope > TOLERANCE) & (state.step_size * slope > TOLERANCE)


def stepped(f: Differentiated, state: State) -> State:
    """The state after one more step, which is not taken unless it lowers the function."""
    x = [a - state.step_size * slope for a, slope in zip(state.x, state.slopes, strict=True)]
    value, *slopes = f(x)
    is_lower, n_lower = value < state.value, state.n_lower + 1.0
    doubles = n_lower >= STEPS_TO_DOUBLE
    taken = State(
        x,
        value,
        slopes,
        ag.where(doubles, 2.0 * state.step_size, state.step_size),
        ag.where(doubles, 0.0, n_lower),
    )
    refused = state._replace(step_size=0.5 * state.step_size, n_lower=0.0)
    return chosen(is_lower, taken, refused)


def chosen(condition: Any, a: State, b: State) -> State:
    """One of two states, number by number, so that it can be recorded."""
    return State(
        [ag.where(condition, p, q) for p, q in zip(a.x, b.x, strict=True)],
        ag.where(condition, a.value, b.value),
        [ag.where(condition, p, q) for p, q in zip(a.slopes, b.slopes, strict=True)],
        ag.where(condition, a.step_size, b.step_size),
        ag.where(condition, a.n_lower, b.n_lower),
    )


def minimize(f: Differentiated, x: Point) -> list[Any]:
    """Where the descent from x ends."""
    state = begun(f, x)
    while goes_on(state):
        state = stepped(f, state)
    return state.x


def recorded_minimize(f: Differentiated, x: Point, max_steps: int) -> tuple[list[Any], Any]:
    """The same inside of a function that is being compiled, and whether it has ended.

    A recording has no `while`: it has a loop of fixed length, whose steps after the end of the
    descent keep the state as it is.
    """

    def step(state: State, _: object) -> tuple[State, None]:
        return chosen(goes_on(state), stepped(f, state), state), None

    state, _ = ag.scan(step, begun(f, x), length=max_steps)
    return state.x, ~goes_on(state)


def length(v: Point) -> Any:
    return ag.sqrt(ag.sum([x * x for x in v]))


def until_finite(make: Callable[[int], Any], max_steps: int) -> Callable[..., Any]:
    """A function with a loop of fixed length, whose first result is inf if that was too short.

    It is made anew, with a loop of twice the length, as often as it is too short.
    """
    f = make(max_steps)

    def call(*args: Any) -> Any:
        nonlocal f, max_steps
        while math.isinf((results := f(*args))[0]):
            max_steps *= 2
            f = make(max_steps)
        return results

    return call
