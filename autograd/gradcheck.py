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
from numbers import Real
from typing import Any, NamedTuple

from autograd import recording
from autograd.derivatives import grad, gradient
from autograd.derivatives.structures import flat, paths, rebuilt
from autograd.value import Value, adjoints

Evaluate = Callable[[], Value]


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
    leaves, names, arguments = _leaves(inputs)
    comparisons: list[Comparison] = []

    def evaluate() -> Value:
        output = (f.function if is_compiled else f)(*arguments)  # type: ignore[attr-defined]
        if not isinstance(output, Value):
            raise TypeError(
                f"check_gradient: f must return one Value, "
                f"got {reprlib.repr(output)} of type {type(output).__name__}"
            )
        return output

    def compare(evaluate: Evaluate, partials: Sequence[float], of: str = "") -> None:
        y = evaluate().data
        for name, leaf, analytic in zip(names, leaves, partials, strict=True):
            along = _along(evaluate, leaf)
            comparison = _compare(name + of, analytic, along, leaf.data, y, relative, absolute)
            comparisons.append(comparison)

    def partials(output: Value) -> list[float]:
        found = adjoints(output)
        return [found.get(leaf, 0.0) for leaf in leaves]

    with recording.recorded():  # throughout, because f may itself call `grad`
        if is_compiled:
            compare(*_compiled(f, leaves, bool(arguments)))
        else:
            compare(evaluate, partials(evaluate()))
        for leaf, name in zip(leaves, names, strict=True) if order == 2 else ():

            def slope(leaf: Value = leaf) -> Value:
                return grad(evaluate(), [leaf])[0]

            compare(slope, partials(slope()), f" of d/d{name}")
    report = GradientReport(tuple(comparisons))
    if report.failures:
        raise GradientCheckError(report)
    return report


def _leaves(inputs: object) -> tuple[list[Value], list[str], list[Any]]:
    """The leaves to perturb, their names, and the arguments that hold them, if f takes any."""
    if not isinstance(inputs, Iterable):
        raise TypeError(f"check_gradient: expected a list of inputs, got {inputs!r}")
    given = inputs if isinstance(inputs, dict) else list(inputs)
    named = list(_named(given))
    if not named:
        raise ValueError("check_gradient: expected at least one input, got none")
    kind = Value if isinstance(named[0][1], Value) else Real
    for _, x in named:
        if not isinstance(x, kind):
            hint = "; give f each number by itself: lambda *x: f(x)" * hasattr(x, "__len__")
            raise TypeError(
                f"check_gradient: expected inputs that are all numbers or all Values, "
                f"got {x!r} of type {type(x).__name__}{hint}"
            )
        if isinstance(x, Value) and x.args:
            raise ValueError(f"check_gradient: expected leaves as inputs, got {x!r}")
    if kind is Value:
        labels = [x.label if x.label.isprintable() else repr(x.label) for _, x in named]
        names = [label or name for label, (name, _) in zip(labels, named, strict=True)]
        return [x for _, x in named], names, []
    leaves = [Value(x) for _, x in named]
    arguments = rebuilt(given, iter(leaves))
    return (
        leaves,
        [name for name, _ in named],
        [arguments] if isinstance(given, dict) else arguments,
    )


def _named(inputs: dict[Any, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    """Each input with its place: an argument's index, and keys; keys alone of one dictionary."""
    for key, item in inputs.items() if isinstance(inputs, dict) else enumerate(inputs):
        place = key if isinstance(key, str) and key.isprintable() else repr(key)
        nested = isinstance(inputs, dict) or isinstance(item, dict)
        yield from zip(paths(item, place), flat(item), strict=True) if nested else [(place, item)]


def _compiled(
    f: Any, leaves: Sequence[Value], takes_leaves: bool
) -> tuple[Evaluate, Sequence[float]]:
    """The value of a compiled function, and its derivatives as it computes them."""
    f = type(f)(f.function, f.backend)  # of columns, whatever it was made for

    def columns() -> list[list[float]]:
        return [[leaf.data] for leaf in leaves] if takes_leaves else []

    if takes_leaves:
        (slopes,) = type(f)(gradient(f.function), f.backend)(*columns())
        return lambda: Value(f(*columns())[0]), [*flat(slopes)]
    before = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    f.backward()
    partials = [leaf.grad or 0.0 for leaf in leaves]
    for leaf, slope in zip(leaves, before, strict=True):
        leaf.grad = slope
    return lambda: Value(f()), partials


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
        return self.input, *numbers, self.verdict + slopes


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


class _Slopes(NamedTuple):
    """What f rises by on the left and on the right of a point, per unit of its input."""

    left: float
    right: float
    rounding: float
    uncertainty: float

    @property
    def central(self) -> float:
        """With equal steps on both sides, the central difference."""
        return (self.left + self.right) / 2.0

    @property
    def gap(self) -> float:
        return abs(self.right - self.left)


def _along(evaluate: Evaluate, leaf: Value) -> Callable[[float], float]:
    """The output as a function of one leaf, with the others held."""
    x = leaf.data

    def f(there: float) -> float:
        try:
            leaf.data = there
            return evaluate().data
        finally:
            leaf.data = x

    return f


def _compare(
    name: str,
    analytic: float,
    f: Callable[[float], float],
    x: float,
    y: float,
    relative: float,
    absolute: float,
) -> Comparison:
    """First by one central difference; only if that leaves a doubt, by the derivatives proper."""

    def margin(a: float, b: float = 0.0) -> float:
        return relative * max(abs(a), abs(b)) + absolute

    def agree(a: float, b: float, uncertainty: float) -> bool:  # inf and nan never do
        return abs(a - b) <= margin(a, b) + uncertainty < math.inf

    def confirms(slope: float, uncertainty: float) -> bool:
        return agree(analytic, slope, min(uncertainty, 9.0 * margin(slope)))

    def doubt(slopes: _Slopes) -> float:
        return slopes.uncertainty / (margin(slopes.left, slopes.right) or sys.float_info.min)

    slopes = _differences(f, x, y, _STEP * max(1.0, abs(x)))
    central = slopes.central
    agrees = confirms(central, slopes.rounding)
    if agrees and slopes.gap <= 0.01 * abs(central) + absolute + slopes.rounding:
        return Comparison(name, analytic, central, "ok")

    # The smallest step comes first, which wins if the slopes at several are known alike. If those
    # that are known best differ, but meet at a smaller step, f bends, if sharply, and has no kink.
    known = [found for found in _limits(f, x, y) if found.uncertainty < math.inf][::-1]
    if not known:
        return Comparison(name, analytic, math.nan, "not finite")
    best = min(known, key=doubt)
    for smaller in known[: known.index(best)]:
        if smaller.gap <= best.gap / 2.0 and smaller.rounding <= best.gap / 10.0:
            best = smaller
            break
    left, right, _, uncertainty = best
    limit = best.central
    if not math.isfinite(analytic):
        return Comparison(name, analytic, limit, "not finite")
    if not agree(left, right, 10.0 * uncertainty):
        return Comparison(name, analytic, limit, "kink", (left, right))
    if agrees:
        return Comparison(name, analytic, central, "ok")
    if confirms(limit, uncertainty):
        return Comparison(name, analytic, limit, "ok")
    verdict = "unsettled" if abs(analytic - limit) <= uncertainty else "wrong"
    return Comparison(name, analytic, limit, verdict)


def _differences(f: Callable[[float], float], x: float, y: float, step: float) -> _Slopes:
    """The differences on both sides; uncertain by rounding alone."""
    slopes, rounding = [], 0.0
    for there in (x - step, x + step):
        taken, z = there - x, f(there)  # of the step, what rounding left
        slopes.append((z - y) / taken)
        rounding += 4.0 * sys.float_info.epsilon * max(abs(y), abs(z)) / abs(taken)
    left, right = slopes
    return _Slopes(left, right, rounding, rounding)


def _limits(f: Callable[[float], float], x: float, y: float) -> Iterator[_Slopes]:
    """The slopes on both sides at ever smaller steps, extrapolated to step 0.

    The error of a one-sided difference is of order step; as the step shrinks to a sixteenth, so
    does that error, and a fifteenth of the change is what is left of it (Richardson's
    extrapolation). By how much the result changes at the next step is its uncertainty.
    """
    coarse = before = _Slopes(math.nan, math.nan, math.nan, math.nan)
    step = 2.0**-11 * max(1.0, abs(x))
    while step > (2.0**-48 * abs(x) or 2.0**-60):
        fine = _differences(f, x, y, step)
        left = fine.left + (fine.left - coarse.left) / 15.0
        right = fine.right + (fine.right - coarse.right) / 15.0
        change = abs(left - before.left) + abs(right - before.right)
        before = _Slopes(left, right, fine.rounding, change + fine.rounding)
        yield before
        coarse = fine
        step /= 16.0
