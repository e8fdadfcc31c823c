"""`custom`: a value with partial derivatives that are given by hand."""

from __future__ import annotations

from autograd import primitives
from autograd.derivatives.structures import Nested, flat_like, operand, operands
from autograd.value import Operand, Value


def custom(value: Operand, xs: Nested, partials: Nested) -> Operand:
    """A value with the derivatives given by hand, in place of those of its own computation.

        >>> x = Value(0.3)
        >>> step = custom(where(x > 0.0, 1.0, 0.0), [x], [exp(-x * x)])  # a smooth slope
        >>> step.backward()
        >>> step.data, x.grad
        (1.0, 0.9139311852712282)

    The result has the number of `value` and depends on `xs` alone: its derivative with respect to
    `xs[i]` is `partials[i]`, whatever `value` was computed from. A partial that is a graph of the
    same Values is differentiated for the next order, so higher derivatives are those of the given
    partials; one that is a plain number is constant. (The second derivatives are symmetric if the
    partials are those of some function.) An `x` may be the result of other operations, to which its
    gradient goes on.

    It consists of built-in primitives, so every back end compiles it, without calling Python. In a
    compiled function, `value` and `partials` must be computed by operations on Values.

    Args:
        value: the number, or a Value, whose own graph is not differentiated.
        xs: what the result depends on: a Value, or nested lists, tuples and dictionaries of them,
            or an array. A plain number is a constant, and its partial is not used.
        partials: for each of `xs` the derivative with respect to it, a number or a Value, in the
            same structure.

    Returns:
        A Value, or a float if there is no Value among `xs` and `value`.

    Raises:
        TypeError: for anything but real numbers and Values.
        ValueError: if there is not one partial for each of `xs`.
    """
    checked = operands(xs, "custom: xs")
    slopes = operands(list(flat_like(xs, partials, "custom")), "custom: partials")
    if len(checked) != len(slopes):
        raise ValueError(
            f"custom: got {len(slopes)} partials for {len(checked)} xs; give one for each"
        )
    result: Operand = primitives.stop_gradient(operand(value, "custom: the value"))
    for x, slope in zip(checked, slopes, strict=True):
        if isinstance(x, Value):
            result = primitives.given_partial(result, x, slope)
    return result
