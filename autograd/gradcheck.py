"""Gradient checking: the engine's derivatives against differences of the function itself.

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
import reprlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any, NamedTuple

from autograd import recording
from autograd.derivatives import grad, gradient
from autograd.derivatives.structures import flat, paths, rebuilt
from autograd.value import Value, adjoints


def check_gradient(
    f: Callable[..., Value],
    inputs: Sequence[Any] | dict[Any, Any],
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
            compiled value and gradient are then compared.
        inputs: numbers or dictionaries, nested as may be, and `f(*inputs)` is called with Values
            in place of the numbers, or `f(inputs)` for a single dictionary; or leaf Values that `f`
            uses, such as a model's parameters, and `f()` is called.
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
    is_compiled = hasattr(f, "function") and hasattr(f, "backward")
    if is_compiled and order == 2:
        raise ValueError("check_gradient: order=2 checks a function of Values, not a compiled one")
    given = _Inputs(inputs)
    leaves, names = given.leaves, given.names
    evaluate = given.evaluating(getattr(f, "function", f) if is_compiled else f)
    tolerance = _Tolerance(relative, absolute)
    comparisons: list[Comparison] = []

    def compare(evaluate: Callable[[], Value], partials: Sequence[float], of: str = "") -> None:
        start = evaluate().data
        for i, (leaf, analytic) in enumerate(zip(leaves, partials, strict=True)):
            line = _Line(evaluate, leaf, start)
            comparisons.append(_compare(names[i] + of, analytic, line, tolerance))

    with recording.recorded():  # throughout, because f may itself call `grad`
        if is_compiled:
            compare(*_compiled(f, leaves, bool(given.arguments)))
        else:
            compare(evaluate, _partials(evaluate(), leaves))
        for i in range(len(leaves) if order == 2 else 0):

            def slope(i: int = i) -> Value:
                return grad(evaluate(), [leaves[i]])[0]

            compare(slope, _partials(slope(), leaves), f" of d/d{names[i]}")
    report = GradientReport(tuple(comparisons))
    if report.failures:
        raise GradientCheckError(report)
    return report


def _partials(output: Value, leaves: Sequence[Value]) -> list[float]:
    found = adjoints(output)
    return [found.get(leaf, 0.0) for leaf in leaves]


def _compiled(
    f: Any, leaves: Sequence[Value], takes_leaves: bool
) -> tuple[Callable[[], Value], list[float]]:
    """The value of a compiled function, and its derivatives as it computes them."""
    f = type(f)(f.function, f.backend)  # of columns, whatever it was made for

    def columns() -> list[list[float]]:
        return [[leaf.data] for leaf in leaves] if takes_leaves else []

    def evaluate() -> Value:
        found = f(*columns())
        return Value(found[0] if takes_leaves else found)

    if takes_leaves:
        (slopes,) = type(f)(gradient(f.function), f.backend)(*columns())
        return evaluate, list(slopes) if isinstance(slopes, tuple) else [slopes]
    before = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    f.backward()
    partials = [leaf.grad or 0.0 for leaf in leaves]
    for leaf, slope in zip(leaves, before, strict=True):
        leaf.grad = slope
    return evaluate, partials


class GradientCheckError(AssertionError):
    """Differences do not confirm a derivative. `report` holds all the comparisons."""

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
        if not (math.isfinite(self.analytic) and math.isfinite(self.numeric)):
            return math.nan
        larger = max(abs(self.analytic), abs(self.numeric))
        return abs(self.analytic - self.numeric) / larger if larger else 0.0

    def cells(self) -> tuple[str, str, str, str, str]:
        """The comparison as a line of the table."""
        slopes = ", slopes {:.10g} | {:.10g}".format(*self.slopes) if self.slopes else ""
        numbers = f"{self.analytic:.10g}", f"{self.numeric:.10g}", f"{self.relative_error:.1e}"
        return (self.input, *numbers, self.verdict + slopes)


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
        rows += [comparison.cells() for comparison in self.comparisons]
        *widths, _ = (max(map(len, column)) for column in zip(*rows, strict=True))
        lines = []
        for name, *numbers, verdict in rows:
            aligned = map(str.rjust, numbers, widths[1:])
            lines.append("  ".join((name.ljust(widths[0]), *aligned, verdict)))
        return "\n".join(lines)


# --- numeric derivatives --------------------------------------------------------------------------

_STEP = 2.0**-17
"""The step, relative to inputs above 1: about the cube root of float64's epsilon. There the error
of a central difference, of order step², meets that of rounding, of order 1/step (Nocedal and
Wright, Numerical Optimization, 2nd ed., section 8.1)."""


class _Line:
    """f as a function of one input, with the others held, around the point (x, y)."""

    def __init__(self, evaluate: Callable[[], Value], leaf: Value, y: float) -> None:
        self.evaluate = evaluate
        self.leaf = leaf
        self.x = leaf.data
        self.y = y

    def __call__(self, x: float) -> float:
        try:
            self.leaf.data = x
            return self.evaluate().data
        finally:
            self.leaf.data = self.x

    def slopes(self, step: float) -> _Slopes:
        """The differences on both sides; uncertain, for now, by rounding alone."""
        left, left_rounding = self._difference(-step)
        right, right_rounding = self._difference(step)
        rounding = left_rounding + right_rounding
        return _Slopes(left, right, rounding, rounding)

    def _difference(self, step: float) -> tuple[float, float]:
        there = self.x + step
        taken = there - self.x  # of the step, what rounding left
        y = self(there)
        rounding = 4.0 * sys.float_info.epsilon * max(abs(y), abs(self.y))
        return (y - self.y) / taken, rounding / abs(taken)


class _Slopes(NamedTuple):
    """What f rises by on the left and on the right of a point, per unit of its input."""

    left: float
    right: float
    uncertainty: float
    rounding: float

    @property
    def central(self) -> float:
        """With equal steps on both sides, the central difference."""
        return (self.left + self.right) / 2.0

    @property
    def gap(self) -> float:
        return abs(self.right - self.left)


class _Tolerance(NamedTuple):
    relative: float
    absolute: float

    def margin(self, a: float, b: float) -> float:
        return self.relative * max(abs(a), abs(b)) + self.absolute

    def excused(self, uncertainty: float, slope: float) -> float:
        """The uncertainty of a slope, as far as it may excuse: up to ten times the tolerance."""
        return min(uncertainty, 9.0 * self.margin(slope, 0.0))

    def allows(self, a: float, b: float, uncertainty: float = 0.0) -> bool:
        """Whether two numbers agree, which inf and nan never do."""
        return abs(a - b) <= self.margin(a, b) + uncertainty < math.inf


def _compare(name: str, analytic: float, line: _Line, tolerance: _Tolerance) -> Comparison:
    """First by one central difference; only if that leaves a doubt, by the derivatives proper."""
    found = partial(Comparison, name, analytic)
    slopes = line.slopes(_STEP * max(1.0, abs(line.x)))
    central = slopes.central
    agrees = tolerance.allows(analytic, central, tolerance.excused(slopes.rounding, central))
    straight = slopes.gap <= 0.01 * abs(central) + tolerance.absolute + slopes.rounding
    if agrees and straight:
        return found(central, "ok")

    slopes = _one_sided_derivatives(line, tolerance)
    limit, uncertainty = slopes.central, slopes.uncertainty
    if not math.isfinite(analytic) or not math.isfinite(limit):
        return found(limit, "not finite")
    if not tolerance.allows(slopes.left, slopes.right, 10.0 * uncertainty):
        return found(limit, "kink", (slopes.left, slopes.right))
    if agrees:
        return found(central, "ok")
    if tolerance.allows(analytic, limit, tolerance.excused(uncertainty, limit)):
        return found(limit, "ok")
    return found(limit, "unsettled" if abs(analytic - limit) <= uncertainty else "wrong")


def _one_sided_derivatives(line: _Line, tolerance: _Tolerance) -> _Slopes:
    """The slopes on both sides as the step shrinks to 0, nan if they are not finite.

    They are taken at the step where they are known best. If they differ there, but meet at a
    smaller step, that step counts: the function bends, if sharply, and has no kink.
    """
    candidates = [slopes for slopes in _extrapolated(line) if slopes.uncertainty < math.inf]
    if not candidates:
        return _Slopes(math.nan, math.nan, math.nan, math.nan)

    def doubt(slopes: _Slopes) -> float:
        margin = tolerance.margin(slopes.left, slopes.right)
        return slopes.uncertainty / (margin or sys.float_info.min)

    candidates.reverse()  # the smallest step first, which wins if several are known alike
    best = min(candidates, key=doubt)
    for smaller in candidates[: candidates.index(best)]:
        if smaller.gap <= best.gap / 2.0 and smaller.rounding <= best.gap / 10.0:
            return smaller
    return best


def _extrapolated(line: _Line) -> Iterator[_Slopes]:
    """The slopes on both sides at ever smaller steps, extrapolated to step 0.

    The error of a one-sided difference is of order step; as the step shrinks to a sixteenth, so
    does that error, and a fifteenth of the change is what is left of it (Richardson's
    extrapolation). By how much the result changes at the next step is its uncertainty.
    """
    nowhere = _Slopes(math.nan, math.nan, math.nan, math.nan)
    coarse = before = nowhere
    step = 2.0**-11 * max(1.0, abs(line.x))
    smallest = 2.0**-48 * abs(line.x) or 2.0**-60
    while step > smallest:
        fine = line.slopes(step)
        left = fine.left + (fine.left - coarse.left) / 15.0
        right = fine.right + (fine.right - coarse.right) / 15.0
        change = abs(left - before.left) + abs(right - before.right)
        before = _Slopes(left, right, change + fine.rounding, fine.rounding)
        yield before
        coarse = fine
        step /= 16.0


# --- small parts ----------------------------------------------------------------------------------


class _Inputs:
    """What a gradient is checked with respect to.

    Attributes:
        leaves: the leaves to perturb.
        names: for each its label, or else where it stands among the inputs.
        arguments: what f is called with, which holds the leaves; nothing if f refers to them.
    """

    def __init__(self, inputs: object) -> None:
        if not isinstance(inputs, Iterable):
            raise TypeError(f"check_gradient: expected a list of inputs, got {inputs!r}")
        given = inputs if isinstance(inputs, dict) else list(inputs)
        numbers = list(_numbers(given))
        if not numbers:
            raise ValueError("check_gradient: expected at least one input, got none")
        kind = Value if isinstance(numbers[0], Value) else Real
        for x in numbers:
            if not isinstance(x, kind):
                hint = (
                    "; give f each number by itself: lambda *x: f(x)"
                    if hasattr(x, "__len__")
                    else ""
                )
                raise TypeError(
                    f"check_gradient: expected inputs that are all numbers or all Values, "
                    f"got {x!r} of type {type(x).__name__}{hint}"
                )
            if isinstance(x, Value) and x.args:
                raise ValueError(f"check_gradient: expected leaves as inputs, got {x!r}")
        self.leaves = [x if isinstance(x, Value) else Value(x) for x in numbers]
        self.names = [
            (leaf.label if leaf.label.isprintable() else repr(leaf.label)) or place
            for leaf, place in zip(self.leaves, _places(given), strict=True)
        ]
        self.arguments: list[Any] = []
        if kind is Real:
            rebuilt_inputs = rebuilt(given, iter(self.leaves))
            self.arguments = [rebuilt_inputs] if isinstance(given, dict) else rebuilt_inputs

    def evaluating(self, f: Callable[..., Value]) -> Callable[[], Value]:
        """f as a function of nothing that reads the leaves."""

        def evaluate() -> Value:
            output = f(*self.arguments)
            if not isinstance(output, Value):
                raise TypeError(
                    f"check_gradient: f must return one Value, "
                    f"got {reprlib.repr(output)} of type {type(output).__name__}"
                )
            return output

        return evaluate


def _numbers(inputs: dict[Any, Any] | list[Any]) -> Iterator[Any]:
    """The inputs, and what dictionaries among them hold."""
    for x in [inputs] if isinstance(inputs, dict) else inputs:
        yield from flat(x) if isinstance(x, dict) else [x]


def _places(inputs: dict[Any, Any] | list[Any]) -> Iterator[str]:
    """Where each number stands: its argument's index, and keys; of one dictionary keys alone."""
    if isinstance(inputs, dict):
        for key, item in inputs.items():
            yield from paths(item, key if isinstance(key, str) and key.isprintable() else repr(key))
    else:
        for i, item in enumerate(inputs):
            yield from paths(item, str(i))
