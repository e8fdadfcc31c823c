"""Gradient descent: steppers that move parameters downhill along a gradient they are given.

A stepper does not know where the gradient comes from. It sees objects with `data` and `grad` (and
`label`, for messages) and nothing else: this file imports nothing of the engine, and the engine
knows no learning rate. Backpropagation computes gradients; gradient descent applies updates.

    >>> optimizer = GradientDescent(model.parameters(), learning_rate=0.1)
    >>> optimizer.zero_grad()  # forget the gradient of the step before
    >>> loss.backward()        # not ours: the engine writes every parameter's gradient
    >>> optimizer.step()       # every parameter moves against its gradient
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any, NoReturn, Protocol, TypeAlias

Scalar: TypeAlias = Any
"""A float, or a Value while a compiler traces the rule. Rules are generic over the two."""

Scalars: TypeAlias = tuple[Scalar, ...]
Sqrt: TypeAlias = Callable[[Scalar], Scalar]


class Parameter(Protocol):
    """What a stepper sees of the thing that it moves; a `label`, if there is one, names it."""

    data: float
    grad: float | None


class Stepper(ABC):
    """What all steppers share: the parameters, their states, and a step that is taken or refused.

    A subclass states its rule once, for one weight, in arithmetic that floats and Values both
    know (`+ - * /` and the square root it is handed, no branches), so that a compiler can trace
    the very rule that `step` runs.

    Attributes:
        parameters: what is moved, in the order given.
        states: the state of each parameter, in the same order: what the rule remembers of it.
        initial_state: the state of a parameter that was never moved.
        learning_rate: above 0; may be reassigned between steps, as may the other settings.
    """

    initial_state: Scalars
    learning_rate: float

    def __init__(self, parameters: Iterable[Parameter], learning_rate: float) -> None:
        self.parameters = _checked_parameters(parameters)
        self.states = [self.initial_state] * len(self.parameters)
        self.learning_rate = learning_rate

    def __setattr__(self, name: str, setting: Any) -> None:
        check = _CHECKS.get(name)
        super().__setattr__(name, check(name, setting) if check else setting)

    def __repr__(self) -> str:
        settings = "".join(f", {name}={vars(self)[name]}" for name in _CHECKS if name in vars(self))
        return f"{type(self).__name__}({len(self.parameters)} parameters{settings})"

    @abstractmethod
    def coefficients(self) -> tuple[float, ...]:
        """The settings that `update` takes, as they are now; the learning rate first."""

    @staticmethod
    @abstractmethod
    def update(
        weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
    ) -> tuple[Scalar, Scalars]:
        """The rule: the new weight and its new state. Pure, and without branches."""

    def zero_grad(self) -> None:
        """Forget the gradients, which otherwise add up from one backward pass to the next."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient; skip the others, their state too.

        Raises:
            RuntimeError: if no parameter has a gradient.
            FloatingPointError: if a gradient is not finite, or is so large that the step would
                make a weight or its state so. Names the parameter; then nothing has changed.
        """
        coefficients = self.coefficients()
        update, sqrt, isfinite = self.update, math.sqrt, math.isfinite
        moves = []
        for index, (parameter, state) in enumerate(zip(self.parameters, self.states, strict=True)):
            gradient = parameter.grad
            if gradient is None:
                continue
            gradient = float(gradient)  # a NumPy float32 would drag the weight down to its bits
            if not isfinite(gradient):
                self._refuse(index, "the gradient of {} is {}", gradient)
            weight, new_state = update(parameter.data, gradient, state, coefficients, sqrt)
            # a sum takes less time, and while it may overflow, it never loses an inf or a nan
            if not (isfinite(sum(new_state, weight)) or all(map(isfinite, (weight, *new_state)))):
                self._refuse(index, "the step overflows at {}, whose gradient is {}", gradient)
            moves.append((index, weight, new_state))
        if not moves:
            raise RuntimeError(
                f"{type(self).__name__}.step: no parameter has a gradient; call backward() "
                f"on a loss that depends on the parameters first"
            )
        try:
            self._take(moves)
        except KeyboardInterrupt:
            self._take(moves)  # once more from the start: no step is ever half taken
            raise

    def _take(self, moves: list[tuple[int, float, Scalars]]) -> None:
        for index, weight, state in moves:
            self.parameters[index].data = weight
            self.states[index] = state

    def _refuse(self, index: int, what: str, gradient: float) -> NoReturn:
        name = getattr(self.parameters[index], "label", "") or f"parameter {index}"
        raise FloatingPointError(
            f"{type(self).__name__}.step: {what.format(name, gradient)}; nothing was changed "
            f"(the learning rate is {self.learning_rate}: try a smaller one)"
        )


class GradientDescent(Stepper):
    """Gradient descent, with momentum if asked for.

        v ← momentum · v + g,  starting from v = 0
        w ← w - learning_rate · v

    so that without momentum w ← w - learning_rate · g. This is PyTorch's `torch.optim.SGD`, where
    the learning rate stands outside of v, and not inside as in the momentum of B. T. Polyak (Some
    methods of speeding up the convergence of iteration methods, 1964); the two agree while the
    learning rate stays the same.

    Args:
        parameters: any iterable of objects with `data` and `grad`, such as Values.
        learning_rate: above 0.
        momentum: from 0 to below 1.

    Raises:
        ValueError: for no parameters, one given twice, or a setting out of its range.
        TypeError: for a parameter without `data` and `grad`, or a setting that is no number.
    """

    initial_state = (0.0,)
    momentum: float

    def __init__(
        self, parameters: Iterable[Parameter], learning_rate: float, momentum: float = 0.0
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.momentum = momentum

    def coefficients(self) -> tuple[float, ...]:
        """The learning rate and the momentum."""
        return self.learning_rate, self.momentum

    @staticmethod
    def update(
        weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
    ) -> tuple[Scalar, Scalars]:
        """The rule above, with state (v,)."""
        (velocity,) = state
        learning_rate, momentum = coefficients
        velocity = momentum * velocity + gradient
        return weight - learning_rate * velocity, (velocity,)


class Adam(Stepper):
    """Adam: every weight has a step of its own, scaled by the gradients that it has met.

        m ← β₁ · m + (1 - β₁) · g
        v ← β₂ · v + (1 - β₂) · g²
        w ← w - learning_rate · m̂ / (√v̂ + eps),  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)

    t counts the steps of this parameter. m and v start at 0, and the division takes that bias
    out again. D. P. Kingma and J. Ba, Adam: A Method for Stochastic Optimization, ICLR 2015,
    algorithm 1; the same as PyTorch's `torch.optim.Adam`.

    Args:
        parameters: any iterable of objects with `data` and `grad`, such as Values.
        learning_rate: above 0; about the size of the first steps, whatever the gradient's.
        betas: β₁ and β₂, each from 0 to below 1.
        eps: above 0; keeps the division finite where all gradients were 0.

    Raises:
        ValueError: for no parameters, one given twice, or a setting out of its range.
        TypeError: for a parameter without `data` and `grad`, or a setting that is no number.
    """

    initial_state = (0.0, 0.0, 1.0, 1.0)
    betas: tuple[float, float]
    eps: float

    def __init__(
        self,
        parameters: Iterable[Parameter],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.betas = betas
        self.eps = eps

    def coefficients(self) -> tuple[float, ...]:
        """The learning rate, β₁, β₂ and eps."""
        return self.learning_rate, *self.betas, self.eps

    @staticmethod
    def update(
        weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
    ) -> tuple[Scalar, Scalars]:
        """The rule above, with state (m, v, β₁ᵗ, β₂ᵗ)."""
        m, v, beta1_to_t, beta2_to_t = state
        learning_rate, beta1, beta2, eps = coefficients
        m = beta1 * m + (1.0 - beta1) * gradient
        v = beta2 * v + (1.0 - beta2) * (gradient * gradient)
        beta1_to_t = beta1_to_t * beta1
        beta2_to_t = beta2_to_t * beta2
        unbiased_m = m / (1.0 - beta1_to_t)
        unbiased_v = v / (1.0 - beta2_to_t)
        new_weight = weight - learning_rate * unbiased_m / (sqrt(unbiased_v) + eps)
        return new_weight, (m, v, beta1_to_t, beta2_to_t)


def _checked_parameters(parameters: Iterable[Parameter]) -> list[Parameter]:
    if not isinstance(parameters, Iterable):
        raise TypeError(
            f"parameters: expected an iterable of parameters, got one {type(parameters).__name__}; "
            f"give model.parameters(), or [w] for a single Value w"
        )
    checked = list(parameters)
    if not checked:
        raise ValueError("parameters: got none; there is nothing to move")
    seen: dict[int, int] = {}
    for index, parameter in enumerate(checked):
        if not (hasattr(parameter, "data") and hasattr(parameter, "grad")):
            raise TypeError(
                f"parameters: expected objects with data and grad, "
                f"got {parameter!r} of type {type(parameter).__name__} at index {index}"
            )
        first = seen.setdefault(id(parameter), index)
        if first != index:
            raise ValueError(
                f"parameters: {parameter!r} stands at index {first} and again at {index}; "
                f"it would be moved twice a step, so give it once"
            )
    return checked


def _number(name: str, number: object) -> float:
    if not isinstance(number, Real) or isinstance(number, bool):
        raise TypeError(
            f"{name}: expected a number, got {number!r} of type {type(number).__name__}"
        )
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _positive(name: str, setting: object) -> float:
    number = _number(name, setting)
    if not 0.0 < number < math.inf:
        raise ValueError(f"{name}: expected a finite number above 0, got {setting!r}")
    return number


def _fraction(name: str, setting: object) -> float:
    number = _number(name, setting)
    if not 0.0 <= number < 1.0:
        raise ValueError(f"{name}: expected a number from 0 to below 1, got {setting!r}")
    return number


def _two_fractions(name: str, setting: object) -> tuple[float, float]:
    if not isinstance(setting, tuple | list) or len(setting) != 2:
        raise TypeError(f"{name}: expected two numbers, got {setting!r}")
    return _fraction(f"{name}[0]", setting[0]), _fraction(f"{name}[1]", setting[1])


_CHECKS: dict[str, Callable[[str, object], object]] = {
    "learning_rate": _positive,
    "momentum": _fraction,
    "betas": _two_fractions,
    "eps": _positive,
}
"""The settings of all steppers, and what is asked of them each time they are assigned."""
