"""A scalar reverse-mode automatic differentiation engine, with what is built on it.

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

import pathlib as _pathlib
import signal as _signal
import sys as _sys
import warnings as _warnings

if (
    # The command line: Ctrl-C while this is imported ends it at once, without a traceback.
    (
        (_sys.argv[:1] == ["-m"] and "autograd" in _sys.orig_argv)
        or any(argument.endswith("scalar-autograd") for argument in _sys.argv[:1])
    )
    and _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
):
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

if _pathlib.Path(__file__).with_name("differential_operators.py").exists():
    # A file of the other package that is imported as `autograd`: here it was installed first.
    _warnings.warn(
        f"{_pathlib.Path(__file__).parent} holds a second package called autograd, of which only "
        "this one, scalar-autograd, can be imported: use a virtual environment for each",
        RuntimeWarning,
        stacklevel=2,
    )

from autograd import datasets, exercises, interop, plotting
from autograd.compiler.backends.jax import to_jax
from autograd.compiler.jit import jit
from autograd.compiler.loop_recording import scan
from autograd.compiler.sparse import sparse_hessian, sparse_jacobian
from autograd.compiler.step import jit_step
from autograd.derivatives import (
    custom,
    grad,
    gradient,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    value_and_gradient,
    vjp,
)
from autograd.functions import abs as abs
from autograd.functions import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    ceil,
    clip,
    cos,
    cosh,
    digamma,
    dot,
    erf,
    erfc,
    exp,
    expm1,
    floor,
    hypot,
    lgamma,
    log,
    log1p,
    log2,
    log10,
    log_norm_cdf,
    log_sigmoid,
    logaddexp,
    logsumexp,
    maximum,
    mean,
    minimum,
    norm_cdf,
    polygamma,
    relu,
    sigmoid,
    sign,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    square,
    stop_gradient,
    take,
    tan,
    tanh,
    trunc,
    where,
    xlogy,
)
from autograd.functions import round as round
from autograd.functions import sum as sum
from autograd.gradcheck import GradientCheckError, check_gradient
from autograd.losses import binary_cross_entropy, cross_entropy, hinge, mean_squared_error
from autograd.nn import MLP, Layer, Module, Neuron
from autograd.optim import Adam, AdamW, GradientDescent, RMSprop, Stepper
from autograd.primitives import Primitive
from autograd.recording import no_grad
from autograd.solve.minimize import minimize
from autograd.solve.newton import ConvergenceError
from autograd.solve.root import root
from autograd.training import History, Recording, batches, fit
from autograd.value import Condition, Value, first_nonfinite
from autograd.viz import Drawing, Step, backward_steps, draw, explain, forward_steps, play
from autograd.viz.playground import playground

__version__ = "0.3.0"

# All of the above but `sum`, `abs` and `round`, which would shadow the builtins in a star import;
# "as" tells type checkers that they are public all the same.
__all__ = [
    "MLP",
    "Adam",
    "AdamW",
    "Condition",
    "ConvergenceError",
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
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "backward_steps",
    "batches",
    "binary_cross_entropy",
    "cbrt",
    "ceil",
    "check_gradient",
    "clip",
    "cos",
    "cosh",
    "cross_entropy",
    "custom",
    "datasets",
    "digamma",
    "dot",
    "draw",
    "erf",
    "erfc",
    "exercises",
    "exp",
    "explain",
    "expm1",
    "first_nonfinite",
    "fit",
    "floor",
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
    "lgamma",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_norm_cdf",
    "log_sigmoid",
    "logaddexp",
    "logsumexp",
    "maximum",
    "mean",
    "mean_squared_error",
    "minimize",
    "minimum",
    "no_grad",
    "norm_cdf",
    "play",
    "playground",
    "plotting",
    "polygamma",
    "relu",
    "root",
    "scan",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sparse_hessian",
    "sparse_jacobian",
    "sqrt",
    "square",
    "stop_gradient",
    "take",
    "tan",
    "tanh",
    "to_jax",
    "trunc",
    "value_and_gradient",
    "vjp",
    "where",
    "xlogy",
]

__docformat__ = "google"  # how pdoc is to read `Args:`, `Raises:` and the like


def __dir__() -> list[str]:
    """The public names, without the modules that define them."""
    return [*__all__, "abs", "round", "sum"]
