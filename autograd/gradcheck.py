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
import reprlib
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

    def output() -> Value:
        y = (compiled.function if compiled else f)(*arguments)
        if not isinstance(y, Value):
            raise TypeError(
                f"check_gradient: f must return one Value, "
                f"got {reprlib.repr(y)} of type {type(y).__name__}"
            )
        return y

    def derivative(leaf: Value) -> Callable[[], Value]:
        return lambda: grad(output(), [leaf])[0]

    def compared(g: Callable[[], Value], of: str = "") -> Iterator[Comparison]:
        if compiled:
            number = type(compiled)(g, compiled.backend)
            partials = type(compiled)(lambda: grad(g(), leaves), compiled.backend)()
        else:
            number, found = lambda: g().data, adjoints(g())
            partials = [found.get(leaf, 0.0) for leaf in leaves]
        y = number()
        for leaf, name, partial in zip(leaves, names, partials, strict=True):
            judged = _judged(partial, number, leaf, y, relative, absolute)
            yield Comparison(name + of, partial, *judged)

    with recording.recorded():  # throughout, because f may itself call `grad`
        comparisons = [*compared(output)]
        if order == 2:
            for leaf, name in zip(leaves, names, strict=True):
                comparisons += compared(derivative(leaf), f" of d/d{name}")
    report = GradientReport(tuple(comparisons))
    if report.failures:
        raise GradientCheckError(report)
    return report


def _leaves(inputs: Any) -> tuple[list[Value], list[str], list[Any]]:
    """The leaves to perturb, their names, and the arguments that hold them, if f takes any."""
    if not isinstance(inputs, Iterable):
        raise TypeError(f"check_gradient: expected a list of inputs, got {inputs!r}")
    given = inputs if isinstance(inputs, dict) else list(inputs)
    items = given.items() if isinstance(given, dict) else enumerate(given)
    names = [name for key, item in items for name in paths(item, str(key))]
    numbers = list(flat(given))
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
        failures = self.report.failures
        worst = failures[0]
        return (
            f"{len(failures)} of {len(self.report.comparisons)} partial derivatives not confirmed; "
            f"the worst is input {worst.input}, {worst.verdict}: "
            f"analytic {worst.analytic}, numeric {worst.numeric}\n{self.report}"
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
    """The result of `check_gradient`: one comparison for each input. It prints as a table."""

    comparisons: tuple[Comparison, ...]

    @property
    def failures(self) -> list[Comparison]:
        """The comparisons that did not pass, the worst first."""
        failures = [c for c in self.comparisons if c.verdict not in ("ok", "kink")]
        return sorted(failures, key=lambda c: (c.relative_error >= 0.0, -c.relative_error))

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
    """The slopes on both sides of a point: their mean, right minus left, and the error."""

    mean: float
    gap: float
    error: float


def _judged(
    analytic: float, f: Callable[[], float], leaf: Value, y: float, relative: float, absolute: float
) -> tuple[float, str, tuple[float, float] | None]:
    """The numeric derivative, the verdict on the analytic one, and the slopes at a kink.

    First by one central difference; only if that leaves a doubt, by the slopes on both sides.
    """

    def confirms(slopes: _Slopes) -> bool:  # inf and nan never do
        margin = relative * max(abs(analytic), abs(slopes.mean)) + absolute
        return abs(analytic - slopes.mean) <= margin + min(slopes.error, 9.0 * margin) < math.inf

    def doubt(slopes: _Slopes) -> float:
        return abs(slopes.gap) + 10.0 * slopes.error

    central = _differences(f, leaf, y, _STEP * max(1.0, abs(leaf.data)))
    if confirms(central) and abs(central.gap) <= 0.01 * abs(central.mean) + central.error:
        return central.mean, "ok", None
    known = [slopes for slopes in _limits(f, leaf, y) if slopes.error < math.inf]
    if not known:
        return math.nan, "not finite", None
    best = known[0]
    for finer in known:  # replaces the best if it leaves less doubt, or contradicts it
        if doubt(finer) <= doubt(best) or abs(finer.mean - best.mean) > doubt(finer) + doubt(best):
            best = finer
    if not math.isfinite(analytic):
        return best.mean, "not finite", None
    left, right = best.mean - best.gap / 2.0, best.mean + best.gap / 2.0
    if abs(best.gap) > relative * max(abs(left), abs(right)) + absolute + 10.0 * best.error:
        return best.mean, "kink", (left, right)
    for numeric in filter(confirms, (central, best)):
        return numeric.mean, "ok", None
    is_hidden = abs(analytic - best.mean) <= best.error
    return best.mean, "unsettled" if is_hidden else "wrong", None


def _differences(f: Callable[[], float], leaf: Value, y: float, step: float) -> _Slopes:
    """The difference quotients on both sides; their only error is that of rounding."""
    x, sides, rounding = leaf.data, [], 0.0
    try:
        for there in (x - step, x + step):  # the step taken is what rounding left of `step`
            leaf.data = there
            value = f()
            sides.append((value - y) / (there - x))
            rounding += 2.0**-50 * max(abs(y), abs(value)) / abs(there - x)
    finally:
        leaf.data = x
    left, right = sides
    return _Slopes((left + right) / 2.0, right - left, rounding)


def _limits(f: Callable[[], float], leaf: Value, y: float) -> Iterator[_Slopes]:
    """The slopes on both sides at ever smaller steps, extrapolated to step 0.

    The error of a one-sided difference is proportional to the step: if the step shrinks to a
    sixteenth, the remaining error is a fifteenth of the change (Richardson extrapolation). What
    that leaves is estimated by the change of the result from the step before.
    """
    x = abs(leaf.data)
    coarse = before = _Slopes(math.nan, math.nan, math.nan)
    step = 2.0**-11 * max(1.0, x)
    while step > (2.0**-48 * x or 2.0**-60):
        fine = _differences(f, leaf, y, step)
        mean, gap = (a + (a - b) / 15.0 for a, b in zip(fine[:2], coarse[:2], strict=True))
        change = max(2.0 * abs(mean - before.mean), abs(gap - before.gap))
        before = _Slopes(mean, gap, change + fine.error)
        yield before
        coarse = fine
        step /= 16.0
