"""Gradient checking: compares the engine's derivatives with finite differences.

    >>> check_gradient(lambda x, y: x * y**2 + abs(y - 2.0), [3.0, 2.0])
    input  analytic  numeric  relative error  verdict
    0             4        4         0.0e+00  ok
    1            12       12         0.0e+00  kink, slopes 11 | 13

A finite difference knows no derivative rules: it asks the function at two points nearby. That
takes two evaluations for each input, where `backward()` needs one sweep for all, and it is never
exact. But it is wrong in other ways than a rule is, and so it can tell that a rule is wrong.
"""

from __future__ import annotations

import math
import re
import reprlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

from autograd import recording
from autograd.derivatives import grad
from autograd.derivatives.structures import flat, paths, rebuilt
from autograd.value import Value, adjoints


def check_gradient(
    f: Callable[..., Value],
    inputs: Iterable[Any],
    *,
    order: int = 1,
    relative: float = 1e-5,
    absolute: float = 1e-12,
) -> GradientReport:
    """Compare every partial derivative of `f` with central differences.

    No `grad` is touched, and each input gets its number back whatever happens. `f` must compute
    afresh and alike at every call: two for each input, and a few dozen for one where the first
    two do not settle the matter.

    Args:
        f: returns one Value, by operations on Values; or what `jit` made of such a function, whose
            compiled values and derivatives are then compared.
        inputs: numbers, nested as may be in lists, dictionaries and arrays, and `f(*inputs)` is
            called with Values in place of the numbers, or `f(inputs)` for a single dictionary; or
            leaf Values that `f` uses, such as a model's parameters, and `f()` is called.
        order: 2 to check the second derivatives as well, n² of them for n inputs.
        relative: how far the two derivatives may differ, relative to the larger one.
        absolute: how far they may differ beyond that, which matters where both are close to 0.

    Returns:
        A report that prints as a table with one line for each input.

    Raises:
        GradientCheckError: if a derivative is not confirmed. The message names the worst input and
            holds the table. A kink is reported but confirmed, for there the derivative is a matter
            of convention; a kink is where the slopes on the left and on the right differ however
            small the step.
        TypeError: if `f` returns anything but a Value, or the inputs are neither all numbers nor
            all Values.
        ValueError: if there are no inputs, or one is no leaf; or if the order is neither 1 nor 2.
    """
    if order not in (1, 2):
        raise ValueError(f"check_gradient: order must be 1 or 2, got {order!r}")
    leaves, names, arguments = _leaves(inputs)
    compiled: Any = f if hasattr(f, "function") and hasattr(f, "backward") else None
    function = compiled.function if compiled else f
    comparisons: list[Comparison] = []

    def output() -> Value:
        y = function(*arguments)
        if not isinstance(y, Value):
            raise TypeError(
                f"check_gradient: f must return one Value, "
                f"got {reprlib.repr(y)} of type {type(y).__name__}"
            )
        return y

    def compare(g: Callable[[], Value], of: str = "") -> None:
        evaluate: Callable[[], float]
        if compiled:
            evaluate = type(compiled)(g, compiled.backend)
            partials = type(compiled)(lambda: grad(g(), leaves), compiled.backend)()
        else:
            evaluate, found = lambda: g().data, adjoints(g())
            partials = [found.get(leaf, 0.0) for leaf in leaves]
        y = evaluate()
        for leaf, name, analytic in zip(leaves, names, partials, strict=True):
            x = leaf.data

            def along(there: float, leaf: Value = leaf, x: float = x) -> float:
                try:
                    leaf.data = there
                    return evaluate()
                finally:
                    leaf.data = x

            judged = _judged(analytic, along, x, y, margin)
            comparisons.append(Comparison(name + of, analytic, *judged))

    def derivative(leaf: Value) -> Callable[[], Value]:
        return lambda: grad(output(), [leaf])[0]

    def margin(a: float, b: float) -> float:
        return relative * max(abs(a), abs(b)) + absolute

    with recording.recorded():  # throughout, because f may itself call `grad`
        compare(output)
        for leaf, name in zip(leaves, names, strict=True) if order == 2 else ():
            compare(derivative(leaf), f" of d/d{name}")
    report = GradientReport(tuple(comparisons))
    if report.failures:
        raise GradientCheckError(report)
    return report


def _leaves(inputs: Any) -> tuple[list[Value], list[str], list[Any]]:
    """The leaves to perturb, their names, and the arguments that hold them, if f takes any."""
    if not isinstance(inputs, Iterable):
        raise TypeError(f"check_gradient: expected a list of inputs, got {inputs!r}")
    given = inputs if isinstance(inputs, dict) else list(inputs)
    numbers = list(flat(given))
    names = [re.sub(r"^\['?(\w+)'?\]", r"\1", path) for path in paths(given)]
    if not numbers:
        raise ValueError("check_gradient: expected at least one input, got none")
    kind = Value if isinstance(numbers[0], Value) else Real
    for x in numbers:
        if not isinstance(x, kind):
            raise TypeError(
                f"check_gradient: expected inputs that are all numbers or all Values, "
                f"got {x!r} of type {type(x).__name__}"
            )
        if isinstance(x, Value) and x.args:
            raise ValueError(f"check_gradient: expected leaves as inputs, got {x!r}")
    if kind is Value:
        labels = [x.label if x.label.isprintable() else repr(x.label) for x in numbers]
        return numbers, [label or name for label, name in zip(labels, names, strict=True)], []
    leaves = [Value(x) for x in numbers]
    arguments = rebuilt(given, iter(leaves))
    return leaves, names, [arguments] if isinstance(given, dict) else arguments


class GradientCheckError(AssertionError):
    """Finite differences do not confirm a derivative. `report` holds all comparisons."""

    def __init__(self, report: GradientReport) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        failures, n_inputs = self.report.failures, len(self.report.comparisons)
        worst = failures[0]
        return (
            f"{len(failures)} of {n_inputs} partial derivatives not confirmed; the worst is input "
            f"{worst.input}, {worst.verdict}: analytic {worst.analytic}, numeric {worst.numeric}\n"
            f"{self.report}"
        )


@dataclass(frozen=True)
class Comparison:
    """One partial derivative, by backpropagation and by differences.

    Attributes:
        input: the input's label, or its index if it has none.
        analytic: the derivative by backpropagation.
        numeric: the derivative by central differences.
        verdict: "ok" or "kink", which pass; or "wrong"; or "unsettled", where the differences
            come to no number as the step shrinks; or "not finite".
        slopes: at a kink, the slopes on its left and on its right.
    """

    input: str
    analytic: float
    numeric: float
    verdict: str
    slopes: tuple[float, float] | None = None

    @property
    def relative_error(self) -> float:
        """|analytic - numeric| over the larger of the two; nan if one of them is not finite."""
        difference = abs(self.analytic - self.numeric)
        larger = max(abs(self.analytic), abs(self.numeric))  # 0 for 0 and nan
        return difference / larger if difference and larger else difference


@dataclass(frozen=True, repr=False)
class GradientReport:
    """What `check_gradient` found: one comparison for each input. It prints as a table."""

    comparisons: tuple[Comparison, ...]

    @property
    def failures(self) -> list[Comparison]:
        """The comparisons that did not pass, the worst first."""
        failures = [c for c in self.comparisons if c.verdict not in ("ok", "kink")]
        return sorted(
            failures, key=lambda c: (math.isnan(c.relative_error), c.relative_error), reverse=True
        )

    def __repr__(self) -> str:
        rows = [("input", "analytic", "numeric", "relative error", "verdict")]
        for c in self.comparisons:
            numbers = f"{c.analytic:.10g}", f"{c.numeric:.10g}", f"{c.relative_error:.1e}"
            slopes = ", slopes {:.10g} | {:.10g}".format(*c.slopes) if c.slopes else ""
            rows.append((c.input, *numbers, c.verdict + slopes))
        first, *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
        return "\n".join(
            "  ".join((name.ljust(first), *map(str.rjust, numbers, widths), verdict))
            for name, *numbers, verdict in rows
        )


# --- numeric derivatives --------------------------------------------------------------------------

_STEP = 2.0**-17
"""The step, relative to inputs above 1: about the cube root of float64's epsilon. There the error
of a central difference, of order step², meets that of rounding, of order 1/step (Nocedal and
Wright, Numerical Optimization, 2nd ed., section 8.1)."""


class _Slopes(NamedTuple):
    """Difference quotients of f to the left and to the right of a point."""

    left: float
    right: float
    uncertainty: float

    @property
    def central(self) -> float:
        """The mean of both slopes: the central difference, if the steps are equal."""
        return (self.left + self.right) / 2.0

    @property
    def gap(self) -> float:
        return abs(self.right - self.left)


def _judged(
    analytic: float,
    f: Callable[[float], float],
    x: float,
    y: float,
    margin: Callable[[float, float], float],
) -> tuple[float, str, tuple[float, float] | None]:
    """The numeric derivative, the verdict on the analytic one, and the slopes at a kink.

    First by one central difference; only if that leaves a doubt, by the slopes on both sides.
    """

    def agree(a: float, b: float, uncertainty: float) -> bool:  # inf and nan never do
        return abs(a - b) <= margin(a, b) + uncertainty < math.inf

    def confirms(slopes: _Slopes) -> bool:
        slope = slopes.central
        return agree(analytic, slope, min(slopes.uncertainty, 9.0 * margin(slope, slope)))

    def doubt(slopes: _Slopes) -> float:
        """How uncertain the slopes are, relative to the difference that is allowed."""
        allowed = margin(slopes.left, slopes.right) or sys.float_info.min
        return slopes.uncertainty / allowed

    slopes = _differences(f, x, y, _STEP * max(1.0, abs(x)))
    if confirms(slopes) and slopes.gap <= 0.01 * abs(slopes.central) + slopes.uncertainty:
        return slopes.central, "ok", None
    known = [slopes for slopes in _limits(f, x, y) if slopes.uncertainty < math.inf]
    if not known:
        return math.nan, "not finite", None
    best = min(reversed(known), key=doubt)  # of slopes known alike, those at the smallest step
    for finer in known[known.index(best) + 1 :]:  # where both sides meet after all: no kink
        if finer.gap <= best.gap / 2.0 and finer.uncertainty <= best.gap / 10.0:
            best = finer
    limit = best.central
    if not math.isfinite(analytic):
        return limit, "not finite", None
    if not agree(best.left, best.right, 10.0 * best.uncertainty):
        return limit, "kink", (best.left, best.right)
    if confirms(slopes):
        return slopes.central, "ok", None
    if confirms(best):
        return limit, "ok", None
    return limit, "unsettled" if abs(analytic - limit) <= best.uncertainty else "wrong", None


def _differences(f: Callable[[float], float], x: float, y: float, step: float) -> _Slopes:
    """The difference quotients on both sides; their only uncertainty is rounding."""
    before, after = x - step, x + step  # the steps taken are what rounding left of `step`
    a, b = f(before), f(after)
    rounding = (
        4.0
        * sys.float_info.epsilon
        * (max(abs(y), abs(a)) / (x - before) + max(abs(y), abs(b)) / (after - x))
    )
    return _Slopes((y - a) / (x - before), (b - y) / (after - x), rounding)


def _limits(f: Callable[[float], float], x: float, y: float) -> Iterator[_Slopes]:
    """The slopes on both sides at ever smaller steps, extrapolated to step 0.

    The error of a one-sided difference is proportional to the step: if the step shrinks to a
    sixteenth, the remaining error is a fifteenth of the change (Richardson extrapolation). The
    uncertainty is the change of the result from the step before.
    """
    coarse = before = _Slopes(math.nan, math.nan, math.nan)
    step = 2.0**-11 * max(1.0, abs(x))
    while step > (2.0**-48 * abs(x) or 2.0**-60):
        fine = _differences(f, x, y, step)
        left = fine.left + (fine.left - coarse.left) / 15.0
        right = fine.right + (fine.right - coarse.right) / 15.0
        change = abs(left - before.left) + abs(right - before.right)
        before = _Slopes(left, right, change + fine.uncertainty)
        yield before
        coarse = fine
        step /= 16.0
