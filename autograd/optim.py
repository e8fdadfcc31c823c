"""Optimizers (steppers): `GradientDescent`, `RMSprop`, `Adam`, `AdamW`, and their base class.

A stepper does not know where the gradient comes from. It sees objects with `data` and `grad` (and
`label`, for messages) and nothing else: this file imports nothing of the engine, and the engine
knows no learning rate. Backpropagation computes gradients; gradient descent applies updates.

    >>> optimizer = GradientDescent(model.parameters(), learning_rate=0.1)
    >>> optimizer.zero_grad()  # forget the gradient of the step before
    >>> loss.backward()        # not ours: the engine writes every parameter's gradient
    >>> optimizer.step()       # every parameter moves against its gradient

A stepper is one rule, stated once for one weight as scalar arithmetic. `step` reads it with floats;
a compiler reads the same lines with Values, and so has it in machine code or in JavaScript. A
stepper of one's own is such a rule too, here that of Chen et al., Symbolic Discovery of
Optimization Algorithms, 2023, with a smooth sign:

    >>> class SmoothLion(Stepper):
    ...     initial_state = (0.0,)
    ...     learning_rate: float = setting(check=positive, default=1e-4)
    ...     memory: float = setting(check=fraction, default=0.99)
    ...
    ...     def update(self, weight, gradient, state, coefficients, sqrt):
    ...         (m,) = state
    ...         learning_rate, memory = coefficients
    ...         m = memory * m + (1.0 - memory) * gradient
    ...         return weight - learning_rate * m / sqrt(m * m + 1e-12), (m,)

A setting is an argument of the constructor. It is checked whenever it is assigned, shown, and
passed to the rule.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, NoReturn, Protocol, Self, TypeAlias, dataclass_transform

from autograd.checks import checked_number

Scalar: TypeAlias = Any
"""A float, or a Value while a compiler traces the rule. Rules are generic over the two."""

Scalars: TypeAlias = tuple[Scalar, ...]
Sqrt: TypeAlias = Callable[[Scalar], Scalar]


class Parameter(Protocol):
    """The protocol of a parameter; a `label`, if there is one, names it in messages."""

    grad: float | None

    @property
    def data(self) -> float:
        """The number to update."""

    @data.setter
    def data(self, number: float, /) -> None: ...


# --- settings -------------------------------------------------------------------------------------

Check: TypeAlias = Callable[[str, object], Any]
"""Takes a setting's name and the assigned value; returns the value to store, or raises an error."""


def setting(*, check: Check, default: Any = MISSING) -> Any:
    """A setting of a stepper: a field of its class, checked whenever it is assigned."""
    return field(default=default, metadata={"check": check})


def real(expected: str, allows: Callable[[float], bool]) -> Callable[[str, object], float]:
    """A check of a number: what it expects, in words, and whether it allows one."""
    return lambda name, given: checked_number(name, given, expected, allows)


number = real("a finite number", math.isfinite)
positive = real("a finite number above 0", lambda x: 0.0 < x < math.inf)
not_negative = real("a finite number, 0 or above", lambda x: 0.0 <= x < math.inf)
fraction = real("a number from 0 to below 1", lambda x: 0.0 <= x < 1.0)


def two_fractions(name: str, given: object) -> tuple[float, float]:
    """Two numbers, each from 0 to below 1."""
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise TypeError(f"{name}: expected two numbers, got {given!r}")
    return fraction(f"{name}[0]", given[0]), fraction(f"{name}[1]", given[1])


def flag(name: str, given: object) -> bool:
    """Check a Boolean setting, by which a rule may branch; it is none of its coefficients."""
    if not isinstance(given, bool):
        raise TypeError(f"{name}: expected True or False, got {given!r}")
    return given


# --- a stepper ------------------------------------------------------------------------------------


@dataclass_transform(eq_default=False, field_specifiers=(setting, field))
@dataclass(eq=False, repr=False)
class Stepper(ABC):
    """Base class of optimizers: parameters, their states, and a step that changes all or nothing.

    A subclass defines `update`, its rule for one weight, by operations on both floats and Values:
    `+ - * / **`, `abs`, and the square root passed to it. It must not branch on numbers, so that it
    can be compiled. What a rule remembers of a parameter, such as its velocity or the number of its
    steps, is that parameter's state.

    Attributes:
        parameters: the parameters to update, in the order given.
        states: the state of each parameter, in the same order. To resume later, pickle model and
            stepper together, `pickle.dumps((model, stepper))`, so that they share the parameters.
        initial_state: the state of a parameter that was never updated; `()` for a rule that
            remembers nothing.
        learning_rate: above 0; may be reassigned between steps, as may the other settings. A class
            declares each of its settings by `setting`; other attributes are not settings.

    Raises:
        ValueError: for no parameters, one given twice, or a setting out of its range.
        TypeError: for a parameter without `data` and `grad`, or a setting that is no number.
    """

    initial_state: ClassVar[Scalars] = ()
    deferred_states: Callable[[], list[Scalars]] | None = field(default=None, init=False)
    _checks: ClassVar[dict[str, Check]] = {}
    _has_own_init: ClassVar[bool] = False

    parameters: Sequence[Parameter]
    learning_rate: float = field(metadata={"check": positive})

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        # a constructor that a class defines is inherited, as in any other class
        cls._has_own_init = cls._has_own_init or "__init__" in vars(cls)
        dataclass(init=not cls._has_own_init, eq=False, repr=False)(cls)
        # a setting whose default a subclass changes is still one
        declared = {x.name: x.metadata["check"] for x in fields(cls) if "check" in x.metadata}
        cls._checks = cls._checks | declared

    def __post_init__(self) -> None:
        self.parameters = _checked_parameters(self.parameters)
        self.states = [self.initial_state] * len(self.parameters)

    def __setattr__(self, name: str, given: Any) -> None:
        check = self._checks.get(name)
        super().__setattr__(name, check(name, given) if check else given)

    @property
    def states(self) -> list[Scalars]:
        """The state of each parameter; those of a compiled step are fetched when asked for."""
        if self.deferred_states is not None:
            self.states = self.deferred_states()
        states: list[Scalars] = vars(self)["states"]
        return states

    @states.setter
    def states(self, states: list[Scalars]) -> None:
        vars(self)["states"] = states
        self.deferred_states = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "states": list(self.states), "deferred_states": None}

    def __repr__(self) -> str:
        settings = [(name, getattr(self, name)) for name in self._checks]
        # a flag that is False is a choice that was not made
        shown = "".join(f", {name}={given}" for name, given in settings if given is not False)
        return f"{type(self).__name__}({len(self.parameters)} parameters{shown})"

    def coefficients(self) -> tuple[float, ...]:
        """The settings as numbers for `update`, as they are now; the learning rate first.

        They are in the order of declaration; a pair such as `betas` gives two numbers. Flags are
        left out: `update` reads them.
        """
        numbers: list[float] = []
        for name in self._checks:
            given = getattr(self, name)
            if type(given) is float:
                numbers.append(given)
            elif type(given) is tuple:
                numbers += given
        return tuple(numbers)

    def with_coefficients(self, numbers: Iterable[Scalar]) -> Self:
        """A copy with these numbers as settings, unchecked, in the order of `coefficients`."""
        copied, left = object.__new__(type(self)), iter(numbers)
        vars(copied).update(vars(self))
        for name in self._checks:
            given = getattr(self, name)
            if type(given) is float:
                vars(copied)[name] = next(left)
            elif type(given) is tuple:
                vars(copied)[name] = tuple(next(left) for _ in given)
        return copied

    @abstractmethod
    def update(
        self, weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
    ) -> tuple[Scalar, Scalars]:
        """The rule: the new weight and its new state. Pure, and without branches on numbers.

        A compiled program passes new settings at each step, whether they are read from
        `coefficients` or from `self`; any other number would be a constant of the recording, as
        flags are.

        Args:
            weight: the parameter's number.
            gradient: its gradient.
            state: the state that the rule returned for this parameter at its last step.
            coefficients: the result of `coefficients`.
            sqrt: the square root, for floats or for Values.
        """

    def zero_grad(self) -> None:
        """Set all gradients to None; otherwise each backward pass adds to them."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient, and its state; leave the others unchanged.

        Raises:
            RuntimeError: if no parameter has a gradient.
            FloatingPointError: if a gradient, a new weight or a new state is not finite. The
                message names the parameter; nothing has changed.
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
            try:
                weight, new_state = update(parameter.data, gradient, state, coefficients, sqrt)
            except ArithmeticError:  # where IEEE 754 has inf or nan, Python's `/` and `**` raise
                weight, new_state = math.nan, state
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
        parameters, states = self.parameters, self.states
        for index, weight, state in moves:
            parameters[index].data = weight
            states[index] = state

    def _refuse(self, index: int, what: str, gradient: float) -> NoReturn:
        name = getattr(self.parameters[index], "label", "") or f"parameter {index}"
        raise FloatingPointError(
            f"{type(self).__name__}.step: {what.format(name, gradient)}; nothing was changed "
            f"(the learning rate is {self.learning_rate}: try a smaller one)"
        )


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


# --- the rules ------------------------------------------------------------------------------------


class GradientDescent(Stepper):
    """Gradient descent, with momentum if asked for.

        v ← momentum · v + g,  starting from v = 0
        w ← w - learning_rate · v

    so that without momentum w ← w - learning_rate · g; and with Nesterov's momentum

        w ← w - learning_rate · (g + momentum · v)

    which steps from where the velocity is about to lead. This is PyTorch's `torch.optim.SGD`
    (without dampening) and `optax.sgd`, where the learning rate stands outside of v, and not inside
    as in the momentum of B. T. Polyak (Some methods of speeding up the convergence of iteration
    methods, 1964) and in Keras; the two agree while the learning rate stays the same. Nesterov's is
    the form of I. Sutskever, J. Martens, G. Dahl and G. Hinton, On the importance of initialization
    and momentum in deep learning, ICML 2013.

    Args:
        parameters: objects with `data` and `grad`, such as Values; any iterable of them.
        learning_rate: above 0.
        momentum: from 0 to below 1.
        nesterov: whether the momentum is Nesterov's; it then has to be above 0.
    """

    initial_state = (0.0,)
    momentum: float = setting(check=fraction, default=0.0)
    nesterov: bool = setting(check=flag, default=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov: expected a momentum above 0 with it, got 0.0")

    def update(
        self, weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
    ) -> tuple[Scalar, Scalars]:
        """The rule above, with state (v,)."""
        (velocity,) = state
        learning_rate, momentum = coefficients
        velocity = momentum * velocity + gradient
        move = gradient + momentum * velocity if self.nesterov else velocity
        return weight - learning_rate * move, (velocity,)


class RMSprop(Stepper):
    """RMSprop: the gradient, divided by the root of a moving average of its squares.

        v ← alpha · v + (1 - alpha) · g²,  starting from v = 0
        w ← w - learning_rate · g / (√v + eps)

    T. Tieleman and G. Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012; the same as
    PyTorch's `torch.optim.RMSprop`, and as `optax.rmsprop` with `eps_in_sqrt=False`. (Keras and
    TensorFlow have eps under the root.)

    Args:
        parameters: objects with `data` and `grad`, such as Values; any iterable of them.
        learning_rate: above 0.
        alpha: from 0 to below 1; how much of the mean is kept at each step.
        eps: above 0; keeps the division finite where all gradients were 0.
    """

    initial_state = (0.0,)
    learning_rate: float = setting(check=positive, default=0.01)
    alpha: float = setting(check=fraction, default=0.99)
    eps: float = setting(check=positive, default=1e-8)

    def update(
        self, weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
    ) -> tuple[Scalar, Scalars]:
        """The rule above, with state (v,)."""
        (v,) = state
        learning_rate, alpha, eps = coefficients
        v = alpha * v + (1.0 - alpha) * (gradient * gradient)
        return weight - learning_rate * gradient / (sqrt(v) + eps), (v,)


class Adam(Stepper):
    """Adam: every weight has its own step size, scaled by its past gradients.

        m ← β₁ · m + (1 - β₁) · g
        v ← β₂ · v + (1 - β₂) · g²
        w ← w - learning_rate · m̂ / (√v̂ + eps),  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)

    t counts the steps of this parameter. m and v start at 0, and the division takes that bias
    out again. D. P. Kingma and J. Ba, Adam: A Method for Stochastic Optimization, ICLR 2015,
    algorithm 1; the same as PyTorch's `torch.optim.Adam` and `optax.adam`. Keras' Adam is another
    formula, with the "epsilon hat" of that paper's section 2: w ← w - learning_rate ·
    √(1 - β₂ᵗ) / (1 - β₁ᵗ) · m / (√v + 1e-7), which is this one with eps = 1e-7 / √(1 - β₂ᵗ).

    Args:
        parameters: objects with `data` and `grad`, such as Values; any iterable of them.
        learning_rate: above 0; about the size of the first steps, whatever the gradient's.
        betas: β₁ and β₂, each from 0 to below 1.
        eps: above 0; keeps the division finite where all gradients were 0.
    """

    initial_state = (0.0, 0.0, 1.0, 1.0)
    learning_rate: float = setting(check=positive, default=0.001)
    betas: tuple[float, float] = setting(check=two_fractions, default=(0.9, 0.999))
    eps: float = setting(check=positive, default=1e-8)

    def update(
        self, weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
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


class AdamW(Adam):
    """Adam with decoupled weight decay: weights shrink a little before each step.

        w ← w - learning_rate · weight_decay · w,  then the rule of `Adam`

    The decay is no part of the gradient, so that Adam does not scale it. I. Loshchilov and F.
    Hutter, Decoupled Weight Decay Regularization, ICLR 2019, algorithm 2, with the learning rate as
    a factor of the decay, as PyTorch's `torch.optim.AdamW` and `optax.adamw` have it.

    Args:
        parameters: objects with `data` and `grad`, such as Values; any iterable of them.
        learning_rate: above 0; about the size of the first steps, whatever the gradient's.
        betas: β₁ and β₂, each from 0 to below 1.
        eps: above 0; keeps the division finite where all gradients were 0.
        weight_decay: 0 or above.
    """

    weight_decay: float = setting(check=not_negative, default=0.01)

    def update(
        self, weight: Scalar, gradient: Scalar, state: Scalars, coefficients: Scalars, sqrt: Sqrt
    ) -> tuple[Scalar, Scalars]:
        """The rule above, with Adam's state."""
        *adams, weight_decay = coefficients
        learning_rate = coefficients[0]
        shrunk = weight - learning_rate * weight_decay * weight
        return super().update(shrunk, gradient, state, tuple(adams), sqrt)
