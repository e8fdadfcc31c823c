"""`root`: a solution of equations, differentiable by the implicit function theorem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from autograd import recording
from autograd.checks import checked_int
from autograd.compiler.trace import Traced
from autograd.derivatives.graph import closed_over, copied
from autograd.derivatives.structures import Nested, flat, operands, rebuilt
from autograd.primitives import stop_gradient
from autograd.solve.implicit import Solution, System
from autograd.solve.newton import Point, newton
from autograd.value import Operand, Value


def root(f: Callable[..., Nested], x0: Nested, *parameters: Nested, max_steps: int = 100) -> Nested:
    """A solution x of f(x, *parameters) = 0, with its derivatives with respect to the parameters.

        >>> a = Value(2.0)
        >>> x = root(lambda x, a: x * x - a, 1.0, a)
        >>> x.backward()
        >>> x.data, a.grad
        (1.4142135623730951, 0.35355339059327373)

    The equations are solved by Newton's method with a line search, until the residual is zero up to
    rounding. The derivatives are those of the implicit function theorem, dx/dp = -(∂f/∂x)⁻¹·∂f/∂p,
    and exist to any order. They depend neither on how x was found nor on `x0`.
    Where ∂f/∂x is singular at the solution, as at a double root, the theorem does not apply, and
    the derivatives are inf or nan.

    In a function that is compiled, the equations are solved anew at each call, for each example:
    the program calls Newton's method back in Python, which evaluates the compiled `f` and its
    Jacobian. The back ends "python", "llvm" and "jax" can do that; there is no C or JavaScript
    source of such a function.

    Args:
        f: takes x and the parameters and returns as many numbers as x has, in any structure. It is
            called at every step with Values; its branches may depend on their numbers, unless it
            is compiled.
        x0: where to start: a number, or nested lists, tuples and dictionaries of them, or an array.
        parameters: further arguments of `f`, in any such structures.
        max_steps: after how many steps to give up.

    Returns:
        x in the structure of `x0`: floats where the result depends on floats alone; Values where a
        parameter is a Value, or `f` depends on other Values. Under `no_grad()`, leaves if a
        parameter is a Value, else floats.

    Raises:
        ConvergenceError: if no solution is found; the message shows the residual. A compiled
            function raises it when it is called.
        TypeError: if `f` cannot be called, or an argument or a result holds anything but real
            numbers and Values.
        ValueError: if `f` returns another number of equations than there are unknowns.
    """
    if not callable(f):
        raise TypeError(f"root: expected a function, got {f!r}; write root(f, x0, *parameters)")
    max_steps = checked_int("root: max_steps", max_steps)
    call = _Call(f, x0, parameters)
    if recording.is_tracing():
        return rebuilt(x0, iter(call.traced(max_steps)))
    is_paused = recording.is_paused()
    with recording.recorded():
        found: Sequence[Any] = call.eager(max_steps, is_paused)
    return rebuilt(x0, iter(found))


class _Call:
    """One call of `root`."""

    def __init__(self, f: Callable[..., Nested], x0: Nested, parameters: Sequence[Nested]) -> None:
        self.f, self.x0, self.parameters = f, x0, parameters
        self.guesses = operands(x0, "root: x0")
        if not self.guesses:
            raise ValueError(f"root: x0 is {x0!r}, which holds no unknowns; give it a number each")
        given = operands(parameters, "root: a parameter")
        self.values = [p for p in given if isinstance(p, Value)]

    def recorded(
        self, xs: Sequence[Value], leaf: Callable[[Value], Value]
    ) -> tuple[System, list[Value]]:
        """The equations at these unknowns, and the Values that their parameters stand for.

        Those are the Values among the parameters and all others that `f` depends on. In their place
        there are leaves, so that what they were computed from is no part of the equations.
        """
        start = xs[0]._created
        ps = [leaf(p) for p in self.values]
        items: Iterator[Value] = iter(ps)
        given = [next(items) if isinstance(p, Value) else p for p in flat(self.parameters)]
        arguments = rebuilt(self.parameters, iter(given))
        with recording.differentiating([*xs, *ps]):
            result = self.f(rebuilt(self.x0, iter(xs)), *arguments)
        residuals = operands(result, "root of f", "return lists or arrays of numbers")
        if len(residuals) != len(xs):
            raise ValueError(
                f"root: f returned {len(residuals)} numbers for {len(xs)} unknowns; there must be "
                f"one equation for each"
            )
        others = closed_over(residuals, {*xs}, start)
        if others:
            leaves = [leaf(x) for x in others]
            residuals = copied(residuals, dict(zip(others, leaves, strict=True)))
            ps += leaves
        return System(xs, ps, residuals), [*self.values, *others]

    def eager(self, max_steps: int, is_paused: bool) -> Sequence[Operand]:
        """The solution as Values, or as numbers if it depends on no Value."""
        latest: tuple[System, list[Value]]

        def evaluate(x: list[float]) -> Point:
            nonlocal latest
            latest = self.recorded([Value(number) for number in x], lambda p: Value(p._float))
            return latest[0].point()

        start = [x._float if isinstance(x, Value) else x for x in self.guesses]
        point = newton(evaluate, start, max_steps)
        system, operands = latest
        if [x._float for x in system.xs] != point.x:  # it ended with a step that was not taken
            evaluate(point.x)
            system, operands = latest
        if is_paused or not operands:
            return [Value(x) for x in point.x] if self.values else point.x
        return Solution(system, point.x, max_steps, point).nodes(operands)

    def traced(self, max_steps: int) -> Sequence[Operand]:
        """The solution, recorded as part of a function that is being compiled."""
        system, operands = self.recorded([Traced() for _ in self.guesses], lambda p: Traced())
        guesses = [stop_gradient(x) for x in self.guesses if isinstance(x, Value)]
        solution = Solution(system, self.guesses, max_steps)
        if not (operands or guesses):
            return solution.at([])[0]
        return solution.nodes([*operands, *guesses])
