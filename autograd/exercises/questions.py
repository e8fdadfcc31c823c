"""The exercises at the ends of the notebooks: right answers, and the mistakes behind wrong ones."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable

from autograd.derivatives import hessian
from autograd.exercises.grading import (
    Mistake,
    as_number,
    as_share,
    called,
    choice,
    exercise,
    gradient,
    number,
)
from autograd.functions import exp as exp_of
from autograd.functions import log, norm_cdf, sqrt
from autograd.value import Value

# --- 1: values and gradients ----------------------------------------------------------------------


@exercise("1.1")
def two_uses(dz_dx: float, dz_dy: float) -> None:
    """The gradients of x·y + x at (3, 4)."""
    x, y = Value(3.0, "x"), Value(4.0, "y")
    z = x * y + x
    z.label = "z"
    gradient(dz_dx, z, x)
    gradient(dz_dy, z, y)


@exercise("1.2")
def who_moves(names: Iterable[str]) -> str:
    """Which parameters of the neuron change once the second input is 1."""
    given = [names] if isinstance(names, str) else list(names)
    right = ["w1", "w2", "bias"]
    reason = "A weight moves if its input is not 0; the input of the bias is always 1."
    if extra := [name for name in given if name not in right]:
        raise Mistake(f"{', '.join(map(str, extra))} is too much. {reason}")
    if missing := len(right) - len(set(given)):
        raise Mistake(f"{missing} {'is' if missing == 1 else 'are'} missing. {reason}")
    return "w2 and the bias even move by the same amounts: their inputs are the same."


@exercise("1.3")
def one_hidden_neuron(shape: str) -> str:
    """The shape of the boundary of a network with one hidden neuron."""
    reason = "The hidden neuron passes on one number, w·x + b. Where does it have a fixed value?"
    choice(shape, "line", {"curve": reason, "circle": reason})
    return "The boundary is where w·x + b has one fixed value."


# --- 2: backpropagation ---------------------------------------------------------------------------


def first_expression(f: float) -> tuple[Value, dict[str, Value]]:
    """L = (a·b + c)·f of notebook 2, and its leaves."""
    leaves = {n: Value(x, n) for n, x in {"a": 2.0, "b": -3.0, "c": 10.0, "f": f}.items()}
    a, b, c, last = leaves.values()
    output = (a * b + c) * last
    output.label = "L"
    return output, leaves


@exercise("2.1")
def all_but_one(leaf: str, dL_dleaf: float) -> str:
    """The one leaf whose gradient is not 0 where f is 0."""
    output, leaves = first_expression(0.0)
    if str(leaf) not in leaves:
        raise Mistake(f"The leaves are a, b, c and f; {leaf!r} is none of them.")
    if leaf != "f":
        raise Mistake(f"{leaf} reaches L only through d, and L = d·f changes with d by f = 0.")
    gradient(dL_dleaf, output, leaves["f"])
    return "L changes with f by d = 4; everything behind d is multiplied by f = 0."


@exercise("2.2")
def square(edges: int, each: float, dy_dx: float) -> None:
    """The edges of x·x at 3, what each contributes, and the sum."""
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    number("The number of edges", edges, 2, {1: "A product has two operands, here twice the same."})
    number("What each contributes", each, 3, {6: "That is the sum of both.", 9: "That is y."})
    gradient(dy_dx, y, x)


@exercise("2.3")
def rushing(found: float) -> str:
    """The gradient found if nodes are visited in the wrong order, operands from left to right."""
    mistakes = {
        24: "That is the right derivative. Run the changed function: it finds something else.",
        48: "That is what it found before the change.",
        6: "That is what assigning finds.",
    }
    number("The result", found, 36, mistakes)
    return "A result that depends on the order of a loop is a sign that something is wrong."


# --- 3: checking gradients ------------------------------------------------------------------------


@exercise("3.1")
def best_step(h: float) -> str:
    """The best step of a central difference for exp at 20."""
    h = as_number("The step", h)
    if not h > 0:
        raise Mistake("A step is a positive number, such as 1e-8.")
    if h < 1e-6:
        raise Mistake("Smaller than for the sine? Rounding is not smaller here: 20 + h loses h.")
    if h > 3e-4:
        raise Mistake("So large? The error of truncation grows with h² here as for the sine.")
    return "Near 1e-5, as for the sine: exp bends in proportion to its slope."


@exercise("3.2")
def hidden_factor(analytic: float, numeric: float) -> str:
    """The derivative of x * x.data at 3, by the engine and by finite differences."""
    number("What the engine finds", analytic, 3, {6: "The engine cannot see x.data: a number."})
    number("What the difference finds", numeric, 6, {3: "A difference computes both factors anew."})
    return "Half of the numeric value: a contribution that was dropped."


@exercise("3.3")
def complex_step(derivative: Callable[[Callable[[complex], complex], float], float]) -> str:
    """A derivative without subtraction, by a step in the imaginary direction."""
    found, right = called(derivative, cmath.sin, 1.0), math.cos(1.0)
    if isinstance(found, complex):
        raise Mistake("It returns a complex number; the derivative is its imaginary part over h.")
    mistakes = {
        math.sin(1.0): "That is the real part, sin 1. The derivative is in the imaginary part.",
        0.0: "Divide the imaginary part by h.",
    }
    number("The derivative", found, right, mistakes, 1e-4)
    if not math.isclose(found, right, rel_tol=4e-16):
        error = abs(found / right - 1)
        raise Mistake(f"Right to {error:.0e}. Nothing is subtracted: take a far smaller h.")
    return "To the last digit."


# --- 4: gradient descent --------------------------------------------------------------------------


@exercise("4.1")
def rates(lands: float, limit: float) -> None:
    """The rate at which descent on 3x² reaches the minimum at once, and the largest stable one."""
    curvature = hessian(lambda x: 3 * x**2)(0.0)
    factor = "3 is the factor in front of x². The curvature is the second derivative, 6."
    number("The rate that lands at once", lands, 1 / curvature, {1 / 3: factor})
    mistakes = {
        2 / 3: factor,
        1 / 6: "That is the rate that lands at once.",
        1.0: "That is for x².",
    }
    number("The limit", limit, 2 / curvature, mistakes)


@exercise("4.2")
def never_zeroing(momentum: float) -> str:
    """The momentum that has the same effect as never setting the gradients to zero."""
    number("The momentum", momentum, 1, {0: "Momentum 0 forgets every past gradient.", 0.9: "0.9 "
           "forgets a tenth at each step. Without zeroing, how much is forgotten?"})  # fmt: skip
    return "All past gradients are kept: a pendulum without friction."


@exercise("4.3")
def leaves_saddle(leaves: bool) -> str:
    """Whether stochastic descent leaves the saddle."""
    if leaves is not True:
        raise Mistake("The *mean* of the gradients is 0 there. Are those of single examples?")
    return "Single examples push it aside, unless each of their gradients is 0 along y."


# --- 5: a network learns --------------------------------------------------------------------------


@exercise("5.1")
def other_answer(dLoss_dz3: float) -> None:
    """dLoss/dz3 of the network of the worked example, for the target no."""
    z = -0.4 + 1.2 * max(0.0, 0.8 - 0.3 * max(0.0, 0.5 * 1.5 + 0.1))
    y = 1 / (1 + math.exp(-z))
    mistakes = {
        y - 1: "That is for *yes*, ŷ - 1.",
        y * (1 - y): "That is dŷ/dz3. Multiply it by dLoss/dŷ = 1/(1 - ŷ).",
        1 / (1 - y): "That is dLoss/dŷ. Multiply it by ŷ·(1 - ŷ).",
        z: "That is z3 itself.",
    }
    number("dLoss/dz3", dLoss_dz3, y, mistakes)


@exercise("5.2")
def linear_network(shape: str) -> str:
    """The decision boundary of a network without activations."""
    reason = "What is a linear function of a linear function?"
    choice(shape, "line", {"curve": reason, "circle": reason})
    return "The bends come from the activation alone."


@exercise("5.3")
def too_fast(accuracy: float) -> str:
    """The accuracy on the moons at a learning rate of 5."""
    if not 0.3 <= as_share(accuracy) <= 0.7:
        raise Mistake(f"{accuracy:g} is not what that run reaches. Read it off `history[-1]`.")
    return "That of a coin."


# --- 6: beyond the first derivative ---------------------------------------------------------------


@exercise("6.1")
def fourth(fourth: float, fifth: float) -> None:
    """The fourth and the fifth derivative of x⁴."""
    mistakes = {4: "That is the exponent.", 12: "That is the factor of the second derivative."}
    number("The fourth derivative", fourth, 24, mistakes | {48: "That is the third, at x = 2."})
    number("The fifth", fifth, 0, {24: "The fourth derivative is the same at every x."})


@exercise("6.2")
def no_curvature(curvature: float) -> str:
    """∂²f/∂y² of the saddle at y = 1/√3."""
    given = 0.0 if isinstance(curvature, float) and abs(curvature) < 1e-6 else curvature
    mistakes = {2.0: "That is ∂²f/∂x².", -1.0: "That is at y = 0."}
    number("∂²f/∂y²", given, 0.0, mistakes)
    return "A parabola without curvature has no bottom to jump to."


@exercise("6.3")
def flat(second: float, curved_in: str) -> None:
    """The second derivative of abs at 0, and whether ReLU nets are curved in inputs or weights."""
    number("The second derivative", second, 0.0, {1.0: "That is the slope to the right of 0."})
    reason = "As a function of its inputs it is made of flat pieces."
    choice(curved_in, "weights", {"inputs": reason})


# --- 7: from a graph to machine code --------------------------------------------------------------


@exercise("7.1")
def penalty_section(section: str) -> str:
    """The section of the compiled program that computes a penalty on a weight."""
    mistakes = {
        "for each example": "Does w² depend on an example?",
        "means over the examples": "It is no mean: every example would have the same number.",
    }
    choice(section, "once a call", mistakes)
    return "It depends on no input, so it is computed once."


@exercise("7.2")
def injected(imports_os: bool) -> str:
    """Whether a label can bring code into a program."""
    if imports_os is not False:
        raise Mistake("Look again: on which line does `import os` stand, and after which sign?")
    return "Labels are comments, on one line."


@exercise("7.3")
def longer(more_lines: int) -> str:
    """How many more lines the program of a wider network has."""
    number("The number of further lines", more_lines, 0, {48: "The loops are longer, not more."})
    return "Only the numbers of turns change."


@exercise("7.4")
def simple_model(accuracy: float) -> str:
    """The accuracy of a linear model on the digits."""
    if not 0.93 <= as_share(accuracy) < 0.99:
        raise Mistake(f"{accuracy:g} is not what it reaches on the digits that were held out.")
    return "The hidden layer gains only the last percent or two. Try the simple model first."


# --- 8: a GPT -------------------------------------------------------------------------------------


@exercise("8.1")
def temperatures(cold: str, hot: str) -> None:
    """What a low and a high temperature do to the names."""
    choice(cold, "alike", {"wild": "A small divisor makes large scores larger still."})
    choice(hot, "wild", {"alike": "A large divisor brings all scores together."})


@exercise("8.2")
def without_places(lost: str) -> None:
    """What a model without positions cannot see."""
    reason = "Attention still mixes what stands before: it sees which letters there are."
    choice(lost, "order", {"letters": reason, "both": reason})


# --- 9: scalar models -----------------------------------------------------------------------------


@exercise("9.1")
def shift(change: float) -> str:
    """How the first swap's value changes if all rates rise by a basis point."""
    mistakes = {
        2000: "Multiply by the size of the shift, 0.0001.",
        20: "A basis point is a hundredth of a percent: 0.0001.",
        0.002: "All thirty slopes count, not one.",
    }
    number("The change", change, 0.19, mistakes, 0.25)  # of any of the first scenarios
    return "Whoever pays the fixed rate gains when rates rise."


def call_price(volatility: float) -> float:
    """The Black-Scholes price of the call option in section 2, at this volatility."""
    spot, strike, rate, years = 105.0, 100.0, 0.03, 0.75
    spread = volatility * sqrt(years)
    d1 = (log(spot / strike) + (rate + volatility**2 / 2) * years) / spread
    owed = strike * exp_of(-rate * years)
    return float(spot * norm_cdf(d1) - owed * norm_cdf(d1 - spread))


@exercise("9.2")
def implied(volatility: float) -> str:
    """The volatility at which the option costs 15."""
    volatility = as_number("A volatility", volatility)
    if not 0 < volatility < 5:
        raise Mistake("A volatility is a positive number, here between 0.1 and 1.")
    price = call_price(volatility)
    if abs(price - 15) > 0.005:
        raise Mistake(f"At {volatility:g} the option costs {price:.3f}, not 15.")
    return "Traders call it the implied volatility."


@exercise("9.3")
def long_leaps(accepted: str) -> str:
    """What longer leaps do to the share of samples that is accepted."""
    reason = "A ball in long leaps gains energy where the walls are steep."
    choice(accepted, "falls", {"rises": reason, "stays": reason})
    return "The samples stay correct, but there are few of them."


@exercise("9.4")
def other_equation(broken: Callable[[float, float, float], float]) -> str:
    """How far u, u″ and x are from satisfying u″ = -u - x."""
    for x in (0.2, 0.7):
        value, bend = math.sin(x) / math.sin(1) - x, -math.sin(x) / math.sin(1)
        found = called(broken, value, bend, x)
        if isinstance(found, (int, float)) and abs(found) < 1e-12:
            continue
        wrong = {bend - value - x: "Bring -u - x to the left side: both signs change."}
        number(f"For the solution at x = {x}, what is broken", found, 0.0, wrong, 1e-9)
    if abs(called(broken, 1.0, 1.0, 1.0)) < 1e-12:
        raise Mistake("It is 0 even for a function that is no solution.")
    return "It is 0 for the solution, sin x / sin 1 - x."


# --- 10: sparse problems --------------------------------------------------------------------------


@exercise("10.1")
def tridiagonal(count: int) -> str:
    """The structural nonzeros of the lower half of a Hessian of ten unknowns."""
    mistakes = {
        100: "That is the dense matrix. Unknowns that meet in no term have no second derivative.",
        55: "That is the lower half of a dense matrix. Only neighbors meet in a term.",
        28: "Those are both halves; the structure is that of the lower one.",
        10: "That is the diagonal. Neighbors meet in a term as well.",
        9: "The diagonal counts, too.",
    }
    number("The number of entries", count, 19, mistakes)
    return "The matrix is tridiagonal."


@exercise("10.2")
def twice_the_steps(nonzeros: str) -> str:
    """By how much the nonzeros of a Jacobian grow if the time steps double."""
    reasons = {
        "four times": "That is the dense matrix: twice as many rows, and twice as many columns.",
        "the same": "There are twice as many equations.",
    }
    choice(nonzeros, "twice", reasons)
    return "Each row holds as many unknowns as before."
