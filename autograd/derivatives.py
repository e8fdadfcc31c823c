"""Derivatives as graph (`grad`), and transformations of functions (`gradient`, `hessian`, …).

`grad` reads the same rules as `backward()`, with Values in place of floats, so that the gradient
it returns is a graph itself: it can be differentiated again, drawn, or compiled.

    >>> x = Value(3.0, "x")
    >>> (slope,) = grad(x**3, [x])
    >>> (curvature,) = grad(slope, [x])
    >>> slope.data, curvature.data
    (27.0, 18.0)

The others take a function and return one. Floats in, floats out, in the structure they came in;
NumPy arrays in, arrays out; Values in, graph out, so that they compose. What is given by its name,
`gradient(f)(x, n=3)`, is handed on as it is, a constant.

    >>> gradient(lambda x, y: x * y**2)(3.0, 2.0)
    (4.0, 12.0)
    >>> gradient(gradient(lambda x: x**3))(3.0)
    18.0
    >>> hessian(lambda v: v[0] * v[1] ** 2)([3.0, 2.0])
    [[0.0, 4.0], [4.0, 6.0]]
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from autograd import primitives, recording
from autograd.primitives import real_number
from autograd.value import Operand, Value, adjoints, topological_order

Nested: TypeAlias = Any
"""A number, or a list, tuple or array of Nested. (A recursive type would refuse users' lists.)"""


def grad(output: Value, inputs: Iterable[Value]) -> list[Value]:
    """doutput/dinput for each input, as new graph; `Value(0.0)` for one it does not depend on.

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
            hint = "; of a function there is the gradient" if callable(value) else ""
            raise TypeError(
                f"grad: expected a Value, got {value!r} of type {type(value).__name__}{hint}"
            )
    order = topological_order(output)
    depends_on_input: set[object] = set(inputs)
    for node in order:
        if not depends_on_input.isdisjoint(node.args):
            depends_on_input.add(node)

    branches = _Branches(output)
    contributions: dict[Value, list[Operand]] = {node: [] for node in order}
    contributions[output].append(1.0)
    adjoints: dict[Value, Operand] = {}
    for node in reversed(order):
        if node not in depends_on_input or not contributions[node]:
            continue
        adjoints[node] = upstream = _sum(contributions[node])
        args = node.args
        if node.primitive is None or depends_on_input.isdisjoint(args):
            continue
        partials = node.primitive.partials_at(node, args, args)
        for arg, partial, recorded in zip(args, partials, node.partials, strict=True):
            if partial is not None and arg in depends_on_input:
                if branches.tracing is None:  # else a compiled function reads the leaves anew
                    _check_reproduced(node, partial, recorded)
                contribution = _product(upstream, partial)
                contributions[arg].append(branches.passed(node, arg, partial, contribution))
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


class _Branches:
    """Which nodes are active: linked to the output by edges that were chosen, where one chooses.

    What an inactive node contributes is the number 0, of whatever sign, and no graph: it has no say
    in any higher derivative either. While a function is traced, a choice has no number yet. Then
    the plain gradient is built; or, if the tracing follows branches, one that knows for each node
    by a Value, 0 or 1, whether it is active.
    """

    def __init__(self, output: Value) -> None:
        self.tracing = recording.current_tracing()
        self.activity: dict[Value, Operand] = {output: 1.0}

    def passed(self, node: Value, arg: Value, partial: Operand, contribution: Operand) -> Operand:
        """The contribution of the node to its operand, as far as it has one."""
        active = self.activity.get(node, 0.0)
        chooses = node.primitive is not None and node.primitive.chooses
        if self.tracing is None:
            if chooses and _number(partial) == 0.0:
                active = 0.0
            if active == 0.0:
                return _without_nan(_number(contribution))
            self.activity[arg] = active
            return contribution
        self.tracing.has_branches |= chooses
        if not self.tracing.follows_branches:
            return contribution
        if chooses:
            active = primitives.where(partial > 0.0, active, 0.0)
        self.activity[arg] = primitives.maximum(active, self.activity.get(arg, 0.0))
        if type(active) is float and active == 1.0:
            return contribution
        is_number = contribution <= contribution  # noqa: PLR0124 - nan is not
        zero = primitives.where(is_number, contribution, 0.0)
        return primitives.where(active > 0.0, contribution, primitives.stop_gradient(zero))


def _number(x: Operand) -> float:
    return x.data if isinstance(x, Value) else x


def _without_nan(x: float) -> float:
    return 0.0 if math.isnan(x) else x


def _check_reproduced(node: Value, partial: Operand, recorded: float | None) -> None:
    number = _number(partial)
    both_nan = recorded is not None and math.isnan(recorded) and math.isnan(number)
    if number != recorded and not both_nan:
        raise RuntimeError(
            f"grad: a leaf was changed after {node!r} was recorded: its partial derivative was "
            f"{recorded} then and would be {number} now; record the graph again, then call grad"
        )


# --- transformations of functions -----------------------------------------------------------------


class _Inputs:
    """The arguments of one call: as leaves of a graph, and in the structure they came in.

    A number becomes a leaf. Where there is a Value, of an outer transformation or of a function
    being compiled, the derivatives are Values too.
    """

    def __init__(self, xs: tuple[Nested, ...], function: str) -> None:
        self.xs = xs
        given = list(_flat(xs))
        self.is_graph = recording.is_tracing() or any(isinstance(x, Value) for x in given)
        what = f"{function}: a function's argument"
        expected = "a real number", "give a list, a tuple or a NumPy array"
        # Of a Value a copy, a sum of one term: each argument is a variable of its own, whatever it
        # was computed from, and whether or not f itself refers to that Value as well.
        self.leaves = [
            primitives.sum(x) if isinstance(x, Value) else Value(real_number(x, what, *expected))
            for x in given
        ]

    def apply(self, f: Callable[..., Nested], constants: Mapping[str, Any]) -> Nested:
        """f of the leaves, and of keyword arguments, which stay as they are."""
        return f(*_rebuilt(self.xs, iter(self.leaves)), **constants)

    def derivatives(self, output: Value) -> list[Operand]:
        """doutput/dleaf for each leaf."""
        if self.is_graph:
            return list(grad(output, self.leaves))
        found = adjoints(output)
        return [found.get(leaf, 0.0) for leaf in self.leaves]

    def result(self, output: Value) -> Operand:
        """What f returned, as the kind of number that the derivatives are."""
        return output if self.is_graph else output.data

    def structured(self, derivatives: Iterable[Nested]) -> Nested:
        """Something for each leaf, in the structure of the arguments, or of a single one."""
        per_argument = _rebuilt(self.xs, iter(derivatives))
        return per_argument[0] if len(per_argument) == 1 else per_argument


Transformed: TypeAlias = Callable[..., Any]


def _named_after(f: Callable[..., Any], operation: str) -> Callable[[Transformed], Transformed]:
    """What gives a transformed function the name and the description of `f`."""
    if not callable(f):
        raise TypeError(f"{operation}: expected a function, got {f!r}; of a Value there is ag.grad")
    return functools.wraps(f, updated=())


def gradient(f: Callable[..., Operand]) -> Transformed:
    """The function that returns the gradient of `f`.

    Args:
        f: takes numbers (or nested lists of them, or NumPy arrays) and returns one number, by
            operations on Values.

    Returns:
        A function of the same arguments. It returns df/dx in the structure of x; for several
        arguments, a tuple of those: floats for floats, arrays for arrays, Values, a graph to be
        differentiated again, for Values. (A float has no graph: where weights that `f` closes over
        shall learn from its slope at a float, give `Value(x)`.) An argument given by its name is a
        constant, handed to `f` as it is, whatever it is. Nothing else is touched: parameters that
        `f` closes over keep their `grad`.

    Raises:
        TypeError: if `f` cannot be called; from the returned function, if an argument holds
            anything but real numbers and Values, or if `f` returns anything but one number.
    """

    @_named_after(f, "gradient")
    def gradient_of_f(*xs: Nested, **constants: Any) -> Nested:
        return value_and_gradient(f)(*xs, **constants)[1]

    return gradient_of_f


def value_and_gradient(f: Callable[..., Operand]) -> Transformed:
    """The function that returns `(f(x), gradient(f)(x))`, from one recording of `f`.

    As SciPy's optimisers take it: `minimize(value_and_gradient(f), x0, jac=True)`.
    """

    @_named_after(f, "value_and_gradient")
    def value_and_gradient_of_f(*xs: Nested, **constants: Any) -> tuple[Nested, Nested]:
        with recording.recorded():
            inputs = _Inputs(xs, "gradient")
            output = _one_value(inputs.apply(f, constants), "gradient")
            return inputs.result(output), inputs.structured(inputs.derivatives(output))

    return value_and_gradient_of_f


def jacobian(f: Callable[..., Nested]) -> Transformed:
    """The function that returns all first derivatives of `f`, which may return nested lists.

    The result has the structure of f's result, with the `gradient` of each number in its place.
    """

    @_named_after(f, "jacobian")
    def jacobian_of_f(*xs: Nested, **constants: Any) -> Nested:
        with recording.recorded():
            inputs = _Inputs(xs, "jacobian")
            outputs = inputs.apply(f, constants)
            values = [_one_value(output, "jacobian") for output in _flat(outputs)]
            rows = [inputs.structured(inputs.derivatives(value)) for value in values]
            return _rebuilt(outputs, iter(rows))

    return jacobian_of_f


def hessian(f: Callable[..., Operand]) -> Transformed:
    """The function that returns all second derivatives of `f`, which returns one number.

    The result has the structure of the `gradient`, and that structure again in place of each of
    its numbers: for one list argument, the usual square matrix as a list of rows.
    """

    @_named_after(f, "hessian")
    def hessian_of_f(*xs: Nested, **constants: Any) -> Nested:
        with recording.recorded():
            inputs = _Inputs(xs, "hessian")
            slopes = grad(_one_value(inputs.apply(f, constants), "hessian"), inputs.leaves)
            return inputs.structured(inputs.structured(inputs.derivatives(s)) for s in slopes)

    return hessian_of_f


def hessian_vector_product(f: Callable[..., Operand]) -> Transformed:
    """The function that returns H·v without building the matrix H of second derivatives of `f`.

    It takes f's arguments and then the vector, in the structure of the argument (for several
    arguments, a tuple of those): `hessian_vector_product(f)(x, v)`. It costs about two gradients,
    because H·v is the gradient of (gradient · v) (Pearlmutter, Fast Exact Multiplication by the
    Hessian, Neural Computation 6(1), 1994).

    Raises:
        ValueError: from the returned function, if the vector has another number of elements.
    """

    @_named_after(f, "hessian_vector_product")
    def product_of_f(*xs_and_vector: Nested, **constants: Any) -> Nested:
        with recording.recorded():
            inputs, vector = _inputs_and_vector(xs_and_vector, "hessian_vector_product")
            output = _one_value(inputs.apply(f, constants), "hessian_vector_product")
            slopes = grad(output, inputs.leaves)
            along = primitives.dot(*slopes, *_direction("hessian_vector_product", vector, slopes))
            return inputs.structured(inputs.derivatives(_as_value(along)))

    return product_of_f


def jvp(f: Callable[..., Nested]) -> Transformed:
    """The function that returns J·v, the derivative of `f` along the vector v.

    It takes f's arguments and then the vector, in the structure of the argument (for several
    arguments, a tuple of those): `jvp(f)(x, v)`. The result has the structure of f's. It costs two
    gradients whatever the number of results y, because J·v is the derivative by u of v·(Jᵀu), which
    is linear in u, and Jᵀu is the gradient of u·y.

    Raises:
        ValueError: from the returned function, if the vector has another number of elements.
    """

    @_named_after(f, "jvp")
    def product_of_f(*xs_and_vector: Nested, **constants: Any) -> Nested:
        with recording.recorded():
            inputs, vector = _inputs_and_vector(xs_and_vector, "jvp")
            outputs = inputs.apply(f, constants)
            values = [_one_value(output, "jvp") for output in _flat(outputs)]
            weights = [Value(1.0) for _ in values]
            slopes = grad(_as_value(primitives.dot(*weights, *values)), inputs.leaves)
            along = _as_value(primitives.dot(*slopes, *_direction("jvp", vector, slopes)))
            if inputs.is_graph:
                return _rebuilt(outputs, iter(grad(along, weights)))
            found = adjoints(along)
            return _rebuilt(outputs, (found.get(weight, 0.0) for weight in weights))

    return product_of_f


def _inputs_and_vector(given: tuple[Nested, ...], function: str) -> tuple[_Inputs, Nested]:
    if len(given) < 2:
        raise TypeError(
            f"{function}: expected f's arguments and then the vector, got {len(given)} of them"
        )
    return _Inputs(given[:-1], function), given[-1]


def _direction(function: str, vector: Nested, slopes: list[Value]) -> list[Operand]:
    numbers = [v if isinstance(v, Value) else real_number(v, function) for v in _flat(vector)]
    if len(numbers) != len(slopes):
        raise ValueError(
            f"{function}: the vector has {len(numbers)} elements for {len(slopes)} inputs; "
            f"give it one number per input, as the last argument"
        )
    return numbers


def _one_value(result: object, operation: str) -> Value:
    if isinstance(result, Value):
        return result
    of_many = operation in ("jacobian", "jvp")
    several = "return a list, a tuple or a NumPy array" if of_many else "take the jacobian"
    return Value(real_number(result, f"{operation} of f", "a real number", several))


# --- nested lists, tuples and arrays --------------------------------------------------------------


def _flat(nested: Nested) -> Iterator[Any]:
    if isinstance(nested, list | tuple) or _is_array(nested):
        for item in nested if isinstance(nested, list | tuple) else nested.flat:
            yield from _flat(item)
    else:
        yield nested


def _rebuilt(nested: Nested, items: Iterator[Any]) -> Nested:
    """The next items, one for each number of `nested`, in its structure."""
    if isinstance(nested, tuple):
        parts = [_rebuilt(item, items) for item in nested]
        return type(nested)(*parts) if hasattr(nested, "_fields") else tuple(parts)
    if isinstance(nested, list):
        return [_rebuilt(item, items) for item in nested]
    return _array(nested, items) if _is_array(nested) else next(items)


def _is_array(x: object) -> bool:
    numpy = sys.modules.get("numpy")  # who has not imported it can give no array of it
    return numpy is not None and isinstance(x, numpy.ndarray)


def _array(like: Any, items: Iterator[Any]) -> Any:
    """An array of the next items; where these are arrays themselves, of more dimensions."""
    import numpy as np

    taken = [next(items) for _ in range(like.size)]
    if any(isinstance(item, list | tuple) for item in taken):
        return taken  # of several arguments: nothing that an array could hold
    inner = np.shape(taken[0]) if taken else ()
    numbers = list(_flat(taken))
    kind = object if any(isinstance(x, Value) for x in numbers) else float
    array = np.empty(len(numbers), kind)
    array[:] = numbers
    return array.reshape(like.shape + inner)
