"""A scalar reverse-mode automatic differentiation engine, small enough to read in an afternoon.

A `Value` records how it was computed, and `backward()` applies the chain rule to that record:

    >>> import autograd as ag
    >>> a, b = ag.Value(2.0, "a"), ag.Value(-3.0, "b")
    >>> c = a * b + a
    >>> c.backward()
    >>> a.grad, b.grad
    (-2.0, 2.0)

On top stand `grad` (the gradient as graph), `MLP` and its losses, the steppers `GradientDescent`
and `Adam`, `fit`, pictures (`draw`, `play`, `explain`) and a compiler (`jit`).
"""

from autograd import datasets, interop, plotting
from autograd.compiler.backends.jax import to_jax
from autograd.compiler.jit import jit
from autograd.compiler.step import jit_step
from autograd.derivatives import (
    grad,
    gradient,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    value_and_gradient,
)
from autograd.drawing import Drawing, draw
from autograd.functions import abs as abs
from autograd.functions import (
    acos,
    asin,
    atan,
    atan2,
    clip,
    cos,
    cosh,
    dot,
    erf,
    erfc,
    exp,
    expm1,
    hypot,
    log,
    log1p,
    logsumexp,
    maximum,
    mean,
    minimum,
    norm_cdf,
    relu,
    sigmoid,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    stop_gradient,
    take,
    tan,
    tanh,
    where,
)
from autograd.functions import sum as sum
from autograd.gradcheck import GradientCheckError, check_gradient
from autograd.losses import binary_cross_entropy, cross_entropy, hinge, mean_squared_error
from autograd.nn import MLP, Layer, Module, Neuron
from autograd.optim import Adam, AdamW, GradientDescent, RMSprop, Stepper
from autograd.playground import playground
from autograd.primitives import Primitive
from autograd.recording import no_grad
from autograd.stepping import Step, backward_steps, explain, forward_steps, play
from autograd.training import History, Recording, batches, fit
from autograd.value import Condition, Value, first_nonfinite

__version__ = "0.1.0"

# All of the above but `sum` and `abs`, which would shadow the builtins in a star import; "as" tells
# type checkers that these two are public all the same.
__all__ = [
    "MLP",
    "Adam",
    "AdamW",
    "Condition",
    "Drawing",
    "GradientCheckError",
    "GradientDescent",
    "History",
    "Layer",
    "Module",
    "Neuron",
    "Primitive",
    "RMSprop",
    "Recording",
    "Step",
    "Stepper",
    "Value",
    "acos",
    "asin",
    "atan",
    "atan2",
    "backward_steps",
    "batches",
    "binary_cross_entropy",
    "check_gradient",
    "clip",
    "cos",
    "cosh",
    "cross_entropy",
    "datasets",
    "dot",
    "draw",
    "erf",
    "erfc",
    "exp",
    "explain",
    "expm1",
    "first_nonfinite",
    "fit",
    "forward_steps",
    "grad",
    "gradient",
    "hessian",
    "hessian_vector_product",
    "hinge",
    "hypot",
    "interop",
    "jacobian",
    "jit",
    "jit_step",
    "jvp",
    "log",
    "log1p",
    "logsumexp",
    "maximum",
    "mean",
    "mean_squared_error",
    "minimum",
    "no_grad",
    "norm_cdf",
    "play",
    "playground",
    "plotting",
    "relu",
    "sigmoid",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "stop_gradient",
    "take",
    "tan",
    "tanh",
    "to_jax",
    "value_and_gradient",
    "where",
]

__docformat__ = "google"  # how pdoc is to read `Args:`, `Raises:` and the like


def __dir__() -> list[str]:
    """What is public, and no more: not the rooms that it comes from."""
    return [*__all__, "abs", "sum"]
