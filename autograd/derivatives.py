"""Derivatives as graph (`grad`), and of functions of plain numbers (`gradient`, `hessian`, …).

`grad` reads the same rules as `backward()`, with Values in place of floats, so that the gradient
it returns is a graph itself: it can be differentiated again, drawn, or compiled.

    >>> x = Value(3.0, "x")
    >>> (slope,) = grad(x**3, [x])
    >>> (curvature,) = grad(slope, [x])
    >>> slope.data, curvature.data
    (27.0, 18.0)

The other four differentiate functions: floats in, floats out, in the structure they came in.

    >>> gradient(lambda x, y: x * y**2)(3.0, 2.0)
    (4.0, 12.0)
    >>> hessian(lambda v: v[0] * v[1] ** 2)([3.0, 2.0])
    [[0.0, 4.0], [4.0, 6.0]]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from autograd import primitives, recording
from autograd.primitives import TABLE, real_number
from autograd.value import Operand, Value, adjoints, topological_order

Nested: TypeAlias = Any
"""A float, or a list or tuple of Nested. (A recursive type would refuse users' own lists.)"""


def grad(output: Value, inputs: Iterable[Value]) -> list[Value]:
    """∂output/∂input for each input, as new graph; `Value(0.0)` for one it does not depend on.

    The sums are those of `backward()`, in the same order, so the numbers agree to the last bit.

    Args:
        output: the Value to differentiate.
        inputs: the Values to differentiate with respect to: leaves or inner nodes.

    Raises:
        TypeError: if the output or an input is no Value.
        RuntimeError: if a leaf was changed since the graph was recorded, so that a partial built
            from the graph as it is now would differ from the recorded one.
    """
    if not isinstance(inputs, Iterable):
        raise TypeError(f"grad: expected a list of Values as inputs, got {inputs!r}; write [x]")
    inputs = list(inputs)
    for value in (output, *inputs):
        if not isinstance(value, Value):
            raise TypeError(f"grad: expected a Value, got {value!r} of type {type(value).__name__}")
    order = topological_order(output)
    depends_on_input: set[object] = set(inputs)
    for node in order:
        if not depends_on_input.isdisjoint(node.args):
            depends_on_input.add(node)

    contributions: dict[Value, list[Operand]] = {node: [] for node in order}
    contributions[output].append(1.0)
    adjoints: dict[Value, Operand] = {}
    for node in reversed(order):
        if node not in depends_on_input:
            continue
        adjoints[node] = upstream = _sum(contributions[node])
        if not depends_on_input.isdisjoint(node.args):
            partials = TABLE[node.op].partials_at(node, node.args, node.args)
            for arg, partial, recorded in zip(node.args, partials, node.partials, strict=True):
                if isinstance(arg, Value) and arg in depends_on_input:
                    _check_reproduced(node, partial, recorded)
                    contributions[arg].append(_product(upstream, partial))
    return [_as_value(adjoints.get(x, 0.0)) for x in inputs]


def _sum(terms: list[Operand]) -> Operand:
    return terms[0] if len(terms) == 1 else primitives.sum(*terms)


def _product(upstream: Operand, partial: Operand) -> Operand:
    """upstream·partial, without a node for a factor 1, which leaves every bit as it is."""
    if type(partial) is float and partial == 1.0:
        return upstream
    if type(upstream) is float and upstream == 1.0:
        return partial
    return upstream * partial


def _as_value(x: Operand) -> Value:
    return x if isinstance(x, Value) else Value(x)


def _check_reproduced(node: Value, partial: Operand, recorded: float | None) -> None:
    if recording.is_tracing():  # whatever the leaves are now, a compiled function reads them anew
        return
    number = partial.data if isinstance(partial, Value) else partial
    both_nan = recorded is not None and math.isnan(recorded) and math.isnan(number)
    if number != recorded and not both_nan:
        raise RuntimeError(
            f"grad: a leaf was changed after {node!r} was recorded: its partial derivative was "
            f"{recorded} then and would be {number} now; record the graph again, then call grad"
        )


# --- functions of plain numbers -------------------------------------------------------------------


def gradient(f: Callable[..., Operand]) -> Callable[..., Nested]:
    """The function that returns the gradient of `f`.

    Args:
        f: takes numbers (or nested lists of them) and returns one number, by operations on Values.

    Returns:
        A function of the same arguments, floats or nested lists and tuples of floats. It returns
        ∂f/∂x in the structure of x; for several arguments, a tuple of those. Nothing else is
        touched: parameters that `f` closes over keep their `grad`.

    Raises:
        TypeError: from the returned function, if an argument holds anything but real numbers, or
            if `f` returns anything but one number.
    """

    def gradient_of_f(*xs: Nested) -> Nested:
        with recording.recorded():
            inputs = _map(_leaf, xs)
            output = _one_value(f(*inputs), "gradient")
            return _gathered(adjoints(output), inputs)

    return gradient_of_f


def jacobian(f: Callable[..., Nested]) -> Callable[..., Nested]:
    """The function that returns all first derivatives of `f`, which may return nested lists.

    The result has the structure of f's result, with the `gradient` of each number in its place.
    """

    def jacobian_of_f(*xs: Nested) -> Nested:
        with recording.recorded():
            inputs = _map(_leaf, xs)
            return _map(
                lambda output: _gathered(adjoints(_one_value(output, "jacobian")), inputs),
                f(*inputs),
            )

    return jacobian_of_f


def hessian(f: Callable[..., Operand]) -> Callable[..., Nested]:
    """The function that returns all second derivatives of `f`, which returns one number.

    The result has the structure of the `gradient`, and that structure again in place of each of
    its numbers: for one list argument, the usual square matrix as a list of rows.
    """

    def hessian_of_f(*xs: Nested) -> Nested:
        with recording.recorded():
            inputs = _map(_leaf, xs)
            leaves = list(_flat(inputs))
            slopes = dict(zip(leaves, grad(_one_value(f(*inputs), "hessian"), leaves), strict=True))
            rows = _map(lambda x: _gathered(adjoints(slopes[x]), inputs), inputs)
            return _unpacked(rows)

    return hessian_of_f


def hessian_vector_product(f: Callable[..., Operand]) -> Callable[..., Nested]:
    """The function that returns H·v without building the matrix H of second derivatives of `f`.

    It takes f's arguments and then the vector, in the structure of the argument (for several
    arguments, a tuple of those): `hessian_vector_product(f)(x, v)`. It costs about two gradients,
    because H·v is the gradient of (gradient · v) (Pearlmutter, Fast Exact Multiplication by the
    Hessian, Neural Computation 6(1), 1994).

    Raises:
        ValueError: from the returned function, if the vector has another number of elements.
    """

    def product_of_f(*xs_and_vector: Nested) -> Nested:
        *xs, vector = xs_and_vector
        with recording.recorded():
            inputs = _map(_leaf, tuple(xs))
            leaves = list(_flat(inputs))
            numbers = [real_number(v, "hessian_vector_product") for v in _flat(vector)]
            if len(numbers) != len(leaves):
                raise ValueError(
                    f"hessian_vector_product: the vector has {len(numbers)} elements for "
                    f"{len(leaves)} inputs; give it one number per input, as the last argument"
                )
            slopes = grad(_one_value(f(*inputs), "hessian_vector_product"), leaves)
            along = _as_value(primitives.dot(*slopes, *numbers))
            return _gathered(adjoints(along), inputs)

    return product_of_f


def _leaf(number: object) -> Value:
    return Value(real_number(number, "a function's argument"))


def _one_value(result: object, operation: str) -> Value:
    return result if isinstance(result, Value) else Value(real_number(result, f"{operation} of f"))


def _gathered(adjoints: dict[Value, float], inputs: tuple[Nested, ...]) -> Nested:
    """The adjoint of each input, in the structure of the inputs."""
    return _unpacked(_map(lambda x: adjoints.get(x, 0.0), inputs))


def _unpacked(per_argument: tuple[Nested, ...]) -> Nested:
    return per_argument[0] if len(per_argument) == 1 else per_argument


def _map(function: Callable[[Any], Any], nested: Nested) -> Nested:
    """`function` of every number, in the same lists and tuples (nested as deep as people type)."""
    if isinstance(nested, tuple):
        return tuple(_map(function, item) for item in nested)
    if isinstance(nested, list):
        return [_map(function, item) for item in nested]
    return function(nested)


def _flat(nested: Nested) -> Iterator[Any]:
    if isinstance(nested, list | tuple):
        for item in nested:
            yield from _flat(item)
    else:
        yield nested
