"""Loss functions: how wrong one prediction is, as a Value to call `backward()` on.

Each is `loss(prediction, target)` for one example. The prediction is what a model returned, a
Value or a list of Values; the target is a number, or a list of as many.

    >>> loss = binary_cross_entropy(model([0.5, -1.0]), 1)
    >>> loss.backward()

Targets may be Values too, so that a loss recorded once can be compiled for all targets. Hence
nothing here branches on a number that could be in the graph: only plain numbers are checked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from numbers import Real
from typing import TypeAlias

from autograd import functions
from autograd.checks import real_number
from autograd.functions import dot, exp, expm1, log1p, maximum, mean, stop_gradient, where
from autograd.value import Operand, Value

Numbers: TypeAlias = Operand | Iterable[Operand]
"""One number, or a list of them: Values or real numbers."""


def mean_squared_error(prediction: Numbers, target: Numbers) -> Value:
    """(prediction - target)², the mean over the outputs. The loss for regression.

    Raises:
        TypeError: if the prediction or the target holds anything but numbers.
        ValueError: if they differ in length.
    """
    differences = [y - t for y, t in _pairs("mean_squared_error", prediction, target)]
    return _mean([d * d for d in differences])


def hinge(prediction: Numbers, target: Numbers) -> Value:
    """max(0, 1 - target·prediction) for targets -1 and +1, the mean over the outputs.

    It is 0 where the prediction lies on the target's side of 0 by at least 1 (Cortes and Vapnik,
    Support-Vector Networks, 1995).

    Raises:
        TypeError: if the prediction or the target holds anything but numbers.
        ValueError: if they differ in length, or a target is neither -1 nor +1.
    """
    pairs = _pairs("hinge", prediction, target)
    for _, t in pairs:
        if not isinstance(t, Value) and t not in (-1.0, 1.0):
            raise ValueError(f"hinge: expected targets -1 and +1, got {t}; from 0 and 1, use 2·t-1")
    return _mean([(1.0 - t * y).relu() for y, t in pairs])


def binary_cross_entropy(prediction: Numbers, target: Numbers) -> Value:
    """-t·log p - (1-t)·log(1-p) for p = sigmoid(prediction), the mean over the outputs.

    The predictions are logits: put no sigmoid before this loss. For a logit z it is computed as
    t·softplus(-z) + (1-t)·softplus(z), in which nothing cancels, however sure the prediction is.
    Its gradient is p - t.

    Args:
        prediction: a logit, or a list of them.
        target: t, the probability that the answer is yes: 1 for yes, 0 for no, or in between.

    Raises:
        TypeError: if the prediction or the target holds anything but numbers.
        ValueError: if they differ in length, or a target is not between 0 and 1.
    """
    pairs = _pairs("binary_cross_entropy", prediction, target)
    _check_probabilities("binary_cross_entropy", [t for _, t in pairs])
    return _mean([dot([t, 1.0 - t], [(-z).softplus(), z.softplus()]) for z, t in pairs])


def cross_entropy(prediction: Numbers, target: Numbers) -> Value:
    """Cross-entropy: -log pₖ for the class k, or -Σ tᵢ·log pᵢ for probabilities t.

    Here p = softmax(prediction): the predictions are logits, so put no softmax before this loss.
    For logits z and a class k it is computed as log(1 + Σ exp(zᵢ - zₖ)) over the other classes i,
    for probabilities t as log Σ exp(zᵢ - Σ tⱼ·zⱼ), with the largest term factored out. Neither
    overflows or cancels, however certain the prediction is. The gradient is p - t.

    Args:
        prediction: the logits, one for each class, at least two.
        target: the index of the class, or a sequence with the probability of each class. An index
            that is a Value is not checked, because it may be compiled: an invalid one gives nan.

    Raises:
        TypeError: if the prediction or the target holds anything but numbers.
        ValueError: if there are fewer than two logits, or the target is neither the index of a
            class nor a probability for each class.
    """
    logits = _logits(prediction)
    if isinstance(target, Value):
        # Each logit is selected once, in one of the two places, by the same condition, so it is
        # known to have a gradient, and compiled code needs no guard below it.
        is_target = [functions.is_at(target, k) for k in range(len(logits))]
        others = [where(c, -math.inf, z) for c, z in zip(is_target, logits, strict=True)]
        return _log_one_plus(others, functions.selector(is_target)(logits))
    if isinstance(target, Real):
        k = _index(real_number(target, "cross_entropy"), len(logits))
        return _log_one_plus(logits[:k] + logits[k + 1 :], logits[k])
    probabilities = _probabilities(logits, target)
    plain = [t for t in probabilities if not isinstance(t, Value)]
    if len(plain) == len(logits) and plain.count(0.0) == len(logits) - 1 and 1.0 in plain:
        return cross_entropy(logits, plain.index(1.0))
    expected = dot(probabilities, logits)
    return _value(functions.logsumexp([z - expected for z in logits]))


def _log_one_plus(others: list[Value], chosen: Operand) -> Value:
    """log(1 + Σ exp(z - chosen)) over the other logits; one of -inf adds nothing.

    The largest difference is factored out if it is positive. If the chosen logit is so far below
    the others (even -inf) that the 1 is lost in rounding, differences are taken from the largest of
    the others instead, to keep their digits.
    """
    terms: list[Operand] = [-math.inf, *others]
    largest = stop_gradient(reduce(maximum, terms))
    is_far = chosen - largest < -800.0  # exp(-800) is 0
    start = where(is_far, largest, chosen)
    top = stop_gradient(where(is_far, 0.0, maximum(largest - chosen, 0.0)))
    total = functions.sum([exp((z - start) - top) for z in others])
    own = stop_gradient(where(is_far, -1.0, expm1(-top)))  # constant, as top is
    return where(is_far, largest - chosen, top) + log1p(total + own)


def _probabilities(logits: list[Value], target: Numbers) -> list[Operand]:
    probabilities = [t for _, t in _pairs("cross_entropy", logits, target)]
    _check_probabilities("cross_entropy", probabilities)
    plain = [t for t in probabilities if not isinstance(t, Value)]
    if len(plain) == len(logits) and not math.isclose(math.fsum(plain), 1.0, abs_tol=1e-6):
        raise ValueError(
            f"cross_entropy: expected probabilities with the sum 1, got {math.fsum(plain)}"
        )
    return probabilities


# --- accuracy -------------------------------------------------------------------------------------


def _sides_agree(prediction: Numbers, target: Numbers, threshold: float) -> Operand:
    """1.0 if prediction > 0 if and only if target > threshold, for every output; else 0.0."""
    agree: Operand = 1.0
    for y, t in _pairs("accuracy", prediction, target):
        is_yes = where(t > threshold, 1.0, 0.0)
        agree = agree * where(y > 0.0, is_yes, 1.0 - is_yes)
    return agree


def _classes_agree(prediction: Numbers, target: Numbers) -> Operand:
    """1.0 if the largest logit is that of the target's class (the most probable one), else 0.0."""
    predicted = _arg_max(_logits(prediction))
    targets = _numbers("accuracy", target)
    expected = targets[0] if len(targets) == 1 else _arg_max(targets)
    return where(predicted <= expected, where(predicted >= expected, 1.0, 0.0), 0.0)


def _arg_max(row: Sequence[Operand]) -> Operand:
    """The index of the largest number, the first of them if they tie."""
    index: Operand = 0.0
    largest, *others = row
    for i, x in enumerate(others, start=1):
        index = where(x > largest, float(i), index)
        largest = maximum(x, largest)
    return index


CORRECT: dict[Callable[[Numbers, Numbers], Value], Callable[[Numbers, Numbers], Operand]] = {
    hinge: lambda prediction, target: _sides_agree(prediction, target, 0.0),
    binary_cross_entropy: lambda prediction, target: _sides_agree(prediction, target, 0.5),
    cross_entropy: _classes_agree,
}
"""For each loss that classifies, a function of the same arguments: 1.0 if the example is classified
right, 0.0 if not. Its mean is the accuracy. It is made of comparisons, so it compiles too."""


# --- checks ---------------------------------------------------------------------------------------


def _pairs(loss: str, prediction: Numbers, target: Numbers) -> list[tuple[Value, Operand]]:
    """Each prediction, as a Value, with its target."""
    ys, ts = _numbers(loss, prediction), _numbers(loss, target)
    if len(ys) != len(ts) or not ys:
        of_classes = loss == "binary_cross_entropy" and len(ts) == 1 < len(ys)
        hint = "; for the index of one of several classes there is cross_entropy"
        raise ValueError(
            f"{loss}: expected as many predictions as targets, got {len(ys)} and {len(ts)}"
            f"{hint if of_classes else ''}"
        )
    return [(_value(y), t) for y, t in zip(ys, ts, strict=True)]


def _logits(prediction: Numbers) -> list[Value]:
    logits = [_value(z) for z in _numbers("cross_entropy", prediction)]
    if len(logits) < 2:
        raise ValueError(
            f"cross_entropy: expected a logit for each of two classes or more, got {len(logits)}; "
            f"for a yes or no with one logit there is binary_cross_entropy"
        )
    return logits


def _numbers(loss: str, given: Numbers) -> list[Operand]:
    if not isinstance(given, Iterable):
        given = [given]
    expected = loss, "a Value or a real number", "take the loss of one example at a time"
    return [x if isinstance(x, Value) else real_number(x, *expected) for x in given]


def _value(x: Operand) -> Value:
    return x if isinstance(x, Value) else Value(x)


def _mean(terms: list[Value]) -> Value:
    """The mean; a single term is returned as it is, without nodes for sum and quotient."""
    return terms[0] if len(terms) == 1 else mean(terms)


def _index(target: float, n_classes: int) -> int:
    if target not in range(n_classes):
        raise ValueError(
            f"cross_entropy: expected a class index from 0 to {n_classes - 1}, got {target}"
        )
    return int(target)


def _check_probabilities(loss: str, targets: list[Operand]) -> None:
    for t in targets:
        if not isinstance(t, Value) and not 0.0 <= t <= 1.0:
            raise ValueError(f"{loss}: expected a probability from 0 to 1 as target, got {t}")
