"""Transformations of functions: `gradient`, `jacobian`, `hessian`, `jvp`, `vjp` and their kind.

**Floats in, floats out, if the result depends on the arguments alone.** If it also depends on other
Values, one that the function closes over, a direction, or a constant given by name, then it is a
function of those too: the result holds Values, all of it, in the same structure.

    >>> w = Value(3.0)
    >>> gradient(lambda t: t * t + w)(2.0)  # the slope does not depend on w
    4.0
    >>> slope = gradient(lambda t: w * t * t)(2.0)
    >>> slope.backward()
    >>> slope.data, w.grad
    (12.0, 4.0)

So transformations nest in any way, and no derivative is cut off. Leaves that the function itself
makes while it runs, such as an accumulator `Value(0.0)`, count as constants. Values as arguments
give Values. Under `no_grad()` the result holds floats for floats, and leaves for Values.
"""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import index
from typing import Any, SupportsIndex, TypeAlias
from weakref import WeakSet

from autograd import primitives, recording
from autograd.checks import real_number
from autograd.derivatives.graph import (
    as_value,
    grad,
    made_since,
    number_of,
    positive_zero,
    tangent_numbers,
    tangents,
)
from autograd.derivatives.structures import Nested, flat, flat_like, rebuilt
from autograd.operators import counter
from autograd.value import Operand, Value, leaf_adjoints

Transformed: TypeAlias = Callable[..., Any]

Argnums: TypeAlias = int | Sequence[int] | None
"""Positions of the arguments to differentiate with respect to; None is all of them."""

gradients: WeakSet[Transformed] = WeakSet()
"""The functions that `gradient` and `value_and_gradient` returned."""


class _Call:
    """One call of a transformed function: its arguments as leaves, and the form of its result.

    Attributes:
        leaves: a leaf for each number of the arguments to differentiate with respect to.
        start: the creation number before theirs; a Value older than that is an outer one.
        needs_graph: whether to build a graph of the derivatives, because an argument is a Value, or
            a function is being compiled, or the results may depend on an outer Value.
        nodes: if no graph is needed, the nodes that the results or their derivatives depend on.
        postponed: the tracing that the derivatives are left to, if any.
    """

    def __init__(
        self, operation: str, xs: tuple[Nested, ...], argnums: Argnums, is_paused: bool
    ) -> None:
        self.operation = operation
        self.xs = xs
        self.indices, self.is_single = _indices(operation, argnums, len(xs))
        self.chosen = tuple([xs[i] for i in self.indices])
        self.is_paused = is_paused
        self.start = next(counter)
        tracing = recording.current_tracing()
        self.postponed = None
        if tracing is not None and tracing.postpones:
            self.postponed, tracing.postpones = tracing, False  # not the gradients in f
        what = f"{operation}: a function's argument"
        expected = "a real number", "give a list, a tuple, a dictionary or a NumPy array"

        def leaf(x: Any) -> Value:
            if not isinstance(x, Value):
                return Value(real_number(x, what, *expected))
            if self.postponed:  # an input, which f gets from here alone
                return x
            # A copy, a sum of one term: each argument is a variable of its own, whatever it was
            # computed from, and whether or not f itself refers to that Value as well.
            return Value(x.data) if is_paused else primitives.sum(x)

        given = list(flat(self.chosen))
        self.leaves = [leaf(x) for x in given]
        self.has_values = any(isinstance(x, Value) for x in given)
        self.needs_graph = recording.is_tracing() or (self.has_values and not is_paused)
        self.nodes: set[Value] = set()
        self._is_open = self.needs_graph

    def apply(self, f: Callable[..., Nested], constants: Mapping[str, Any]) -> Nested:
        """Call f with the leaves as arguments; other arguments are passed unchanged."""
        args = list(self.xs)
        for i, x in zip(self.indices, rebuilt(self.chosen, iter(self.leaves)), strict=True):
            args[i] = x
        with recording.differentiating(self.leaves):
            return f(*args, **constants)

    def values(self, outputs: Nested) -> list[Value]:
        """The numbers that f returned, as Values; also sets `needs_graph`."""
        values = [self.one_value(output) for output in flat(outputs)]
        if not self.needs_graph:
            nodes = made_since(values, self.start, self.leaves)
            self.needs_graph = nodes is None
            self.nodes = nodes or set()
        return values

    def value(self, output: Nested) -> Value:
        """Like `values`, for a function that returns one number."""
        return self.values([self.one_value(output)])[0]

    def directions(self, vector: Nested, like: Nested, of: str = "inputs") -> list[Operand]:
        """The numbers of a vector, one for each number of `like`."""
        count = sum(1 for _ in flat(like))
        vector = list(flat_like(like, vector, self.operation))
        numbers = [v if isinstance(v, Value) else real_number(v, self.operation) for v in vector]
        if len(numbers) != count:
            raise ValueError(
                f"{self.operation}: the vector has {len(numbers)} elements for {count} {of}; "
                f"give it one number for each, as the last argument"
            )
        has_values = any(isinstance(v, Value) for v in numbers)
        self.has_values = self.has_values or has_values
        if self.is_paused:
            return [number_of(v) for v in numbers]
        self.needs_graph = self.needs_graph or has_values
        return numbers

    def again(self, u: Nested) -> _Call:
        """The same call, prepared for a later call of the function that `vjp` returned."""
        call = copy.copy(self)
        call.is_paused = recording.is_paused()
        if recording.is_tracing() or any(isinstance(x, Value) for x in flat(u)):
            call.needs_graph = call._is_open = True
        elif self.is_paused:
            call.is_paused = True
        return call

    def one_value(self, result: object) -> Value:
        """The result of f as a Value. Raises TypeError unless it is one number."""
        if isinstance(result, Value):
            return result
        of_many = self.operation in ("jacobian", "jvp", "vjp")
        structures = "return a list, a tuple, a dictionary or a NumPy array"
        several = structures if of_many else "take the jacobian"
        return Value(real_number(result, f"{self.operation} of f", "a real number", several))

    def derivatives(self, output: Operand) -> list[Operand]:
        """doutput/dleaf for each leaf: Values if a graph is needed, else floats."""
        if not isinstance(output, Value):
            return [0.0] * len(self.leaves)
        if self.needs_graph and not self.postponed:
            return list(grad(output, self.leaves))
        zero = positive_zero([output], self.leaves)
        if self.postponed:
            if math.copysign(1.0, zero) > 0.0:  # which the compiler does not add
                return list(grad(output, self.leaves))
            self.postponed.output, self.postponed.variables = output, self.leaves
            return [Value(math.nan) for _ in self.leaves]  # each stands for a result
        found = leaf_adjoints(output)
        return [found.get(leaf, 0.0) + zero for leaf in self.leaves]

    def tangents(self, outputs: Sequence[Value], directions: Sequence[Operand]) -> list[Operand]:
        """The derivative of each output along the directions: Values if a graph is needed."""
        if self.needs_graph:
            return tangents(outputs, self.leaves, directions)
        numbers = [number_of(v) for v in directions]
        zero = positive_zero(outputs, self.leaves)
        found = tangent_numbers(outputs, self.leaves, numbers, self.nodes)
        return [along + zero for along in found]

    def returned(self, results: Iterable[Operand]) -> Iterator[Operand]:
        """The results as Values if one of them depends on an outer Value, else as numbers."""
        results = list(results)
        if self.is_paused:
            numbers = map(number_of, results)
            return map(Value, numbers) if self.has_values else numbers
        if self._is_open or (
            self.needs_graph
            and made_since([x for x in results if isinstance(x, Value)], self.start, self.leaves)
            is None
        ):
            return map(as_value, results)
        return map(number_of, results)

    def structured(self, results: Iterable[Nested]) -> Nested:
        """The results, one per leaf, in the structure of the argument or of several."""
        per_argument = rebuilt(self.chosen, iter(results))
        return per_argument[0] if self.is_single else per_argument


@contextmanager
def _called(operation: str, xs: tuple[Nested, ...], argnums: Argnums = None) -> Iterator[_Call]:
    """A block in which a function is recorded and differentiated, even inside `no_grad`."""
    is_paused = recording.is_paused()
    with recording.recorded():
        yield _Call(operation, xs, argnums, is_paused)


def _indices(operation: str, argnums: Argnums, count: int) -> tuple[list[int], bool]:
    """The positions meant by `argnums`, and whether the result is that of a single argument."""
    if argnums is None:
        return list(range(count)), count == 1
    is_one = isinstance(argnums, SupportsIndex)  # NumPy's integers too
    try:
        given = list(map(index, [argnums] if isinstance(argnums, SupportsIndex) else argnums))
    except TypeError:
        raise TypeError(
            f"{operation}: argnums is {argnums!r}; give the position of an argument, a whole "
            f"number, or a list of positions"
        ) from None
    indices = [i + count if i < 0 else i for i in given]
    if not all(0 <= i < count for i in indices) or len(set(indices)) < len(indices):
        raise ValueError(
            f"{operation}: argnums is {argnums!r} for {count} arguments; give positions from 0 to "
            f"{count - 1}, each once"
        )
    return indices, is_one


def _transforms(f: Callable[..., Any], operation: str) -> Callable[[Transformed], Transformed]:
    """A decorator that gives a transformed function the name and the description of `f`."""
    if not callable(f):
        raise TypeError(f"{operation}: expected a function, got {f!r}; of a Value there is ag.grad")
    return functools.wraps(f, updated=())


def gradient(f: Callable[..., Operand], argnums: Argnums = None) -> Transformed:
    """The function that returns the gradient of `f`.

    Args:
        f: takes numbers (or nested lists, tuples and dictionaries of them, or NumPy arrays) and
            returns one number, by operations on Values.
        argnums: the position of the argument to differentiate with respect to, or a sequence of
            positions; all positional arguments by default.

    Returns:
        A function of the same arguments. It returns df/dx in the structure of x; for several
        arguments, a tuple of those. Floats give floats, arrays give arrays, Values give Values,
        which can be differentiated again. If the gradient at floats also depends on other Values,
        it is a function of those too, and so holds Values: with `w = Value(3.0)`,
        `gradient(lambda t: w * t * t)(2.0)` is a Value, 12.0, whose derivative with respect to w is
        4.0, and `gradient(lambda t: t * t + w)(2.0)` is the float 4.0. For the number alone use
        its `.data`, or call it under `no_grad()`, or pass w as an argument. Leaves that `f` makes
        while it runs count as constants. Arguments given by name, and positions not in `argnums`,
        are passed to `f` unchanged. Parameters that `f` closes over keep their `grad`.

    Raises:
        TypeError: if `f` cannot be called; from the returned function, if an argument holds
            anything but real numbers and Values, or if `f` returns anything but one number.
        ValueError: from the returned function, if `argnums` names no argument.
    """

    @_transforms(f, "gradient")
    def gradient_of_f(*xs: Nested, **constants: Any) -> Nested:
        with _called("gradient", xs, argnums) as call:
            output = call.value(call.apply(f, constants))
            return call.structured(call.returned(call.derivatives(output)))

    gradients.add(gradient_of_f)
    return gradient_of_f


def value_and_gradient(f: Callable[..., Operand], argnums: Argnums = None) -> Transformed:
    """The function that returns `(f(x), gradient(f)(x))`, from one recording of `f`.

    As SciPy's optimizers take it: `minimize(value_and_gradient(f), x0, jac=True)`. If the value or
    the gradient depends on other Values, both are Values (see `gradient`).
    """

    @_transforms(f, "value_and_gradient")
    def value_and_gradient_of_f(*xs: Nested, **constants: Any) -> tuple[Nested, Nested]:
        with _called("value_and_gradient", xs, argnums) as call:
            output = call.value(call.apply(f, constants))
            value, *slopes = call.returned([output, *call.derivatives(output)])
            return value, call.structured(slopes)

    gradients.add(value_and_gradient_of_f)
    return value_and_gradient_of_f


def jacobian(f: Callable[..., Nested], argnums: Argnums = None) -> Transformed:
    """The function that returns all first derivatives of `f`, which may return any structure.

    The result has the structure of f's result, with the `gradient` of each number in its place. If
    `f` returns an array, tuples and dictionaries of arguments enclose arrays whose first axes are
    those of f's result. Floats or Values, and `argnums`, are as for `gradient`.
    """

    @_transforms(f, "jacobian")
    def jacobian_of_f(*xs: Nested, **constants: Any) -> Nested:
        with _called("jacobian", xs, argnums) as call:
            outputs = call.apply(f, constants)
            rows = [call.derivatives(value) for value in call.values(outputs)]
            numbers = call.returned([slope for row in rows for slope in row])
            items = [call.structured(islice(numbers, len(row))) for row in rows]
            return rebuilt(outputs, iter(items))

    return jacobian_of_f


def hessian(f: Callable[..., Operand], argnums: Argnums = None) -> Transformed:
    """The function that returns all second derivatives of `f`, which returns one number.

    The result has the structure of the `gradient`, and that structure again in place of each of
    its numbers: for one list argument, the usual square matrix as a list of rows. Floats or Values,
    and `argnums`, are as for `gradient`.
    """

    @_transforms(f, "hessian")
    def hessian_of_f(*xs: Nested, **constants: Any) -> Nested:
        with _called("hessian", xs, argnums) as call:
            output = call.value(call.apply(f, constants))
            rows = [call.derivatives(slope) for slope in grad(output, call.leaves)]
            numbers = call.returned([second for row in rows for second in row])
            return call.structured(call.structured(islice(numbers, len(row))) for row in rows)

    return hessian_of_f


def hessian_vector_product(f: Callable[..., Operand]) -> Transformed:
    """The function that returns H·v without building the matrix H of second derivatives of `f`.

    It takes f's arguments and then the vector, in the structure of the argument (for several
    arguments, a tuple of those): `hessian_vector_product(f)(x, v)`. It costs about two gradients,
    because H·v is the gradient of (gradient · v) (Pearlmutter, Fast Exact Multiplication by the
    Hessian, Neural Computation 6(1), 1994). Floats or Values are as for `gradient`; Values in
    the vector are treated as other Values that the result depends on.

    Raises:
        ValueError: from the returned function, if the vector has another number of elements.
    """

    @_transforms(f, "hessian_vector_product")
    def product_of_f(*xs_and_vector: Nested, **constants: Any) -> Nested:
        xs, vector = _arguments_and_vector("hessian_vector_product", xs_and_vector)
        with _called("hessian_vector_product", xs) as call:
            v = call.directions(vector, xs[0] if call.is_single else xs)
            output = call.value(call.apply(f, constants))
            along = primitives.dot(*grad(output, call.leaves), *v)
            return call.structured(call.returned(call.derivatives(along)))

    return product_of_f


def jvp(f: Callable[..., Nested]) -> Transformed:
    """The function that returns J·v, the derivative of `f` along the vector v.

    It takes f's arguments and then the vector, in the structure of the argument (for several
    arguments, a tuple of those): `jvp(f)(x, v)`. The result has the structure of f's. This is
    forward mode: at floats it costs less than 2.5 times the function, whatever the number of inputs
    and results. Floats or Values are as for `gradient`; Values in the vector count as other Values
    that the result depends on.

    Raises:
        ValueError: from the returned function, if the vector has another number of elements.
    """

    @_transforms(f, "jvp")
    def product_of_f(*xs_and_vector: Nested, **constants: Any) -> Nested:
        xs, vector = _arguments_and_vector("jvp", xs_and_vector)
        with _called("jvp", xs) as call:
            v = call.directions(vector, xs[0] if call.is_single else xs)
            values = call.values(outputs := call.apply(f, constants))
            along = call.tangents(values, v)
            return rebuilt(outputs, call.returned(along))

    return product_of_f


def vjp(f: Callable[..., Nested], *primals: Nested, **constants: Any) -> tuple[Nested, Transformed]:
    """The value of `f`, and the function that takes u to uᵀ·J, from one recording of `f`.

        >>> value, pull_back = vjp(lambda x, y: [x * y, x + y], 2.0, 3.0)
        >>> value, pull_back([1.0, 10.0])
        ([6.0, 5.0], (13.0, 12.0))

    Args:
        f: takes and returns any structure of numbers.
        primals: its arguments.
        constants: arguments given by name, which are handed to `f` as they are.

    Returns:
        f's result, and a function that takes u, in the structure of that result, and returns a
        tuple with one entry for each argument, in its structure. Floats or Values are as for
        `gradient`; a u that holds Values gives Values.

    Raises:
        TypeError: if `f` cannot be called, or an argument or a result holds anything but real
            numbers and Values.
        ValueError: from the returned function, if u has another number of elements than f's result.
    """
    _transforms(f, "vjp")
    with _called("vjp", primals) as call:
        outputs = call.apply(f, constants)
        values = call.values(outputs)
        result = rebuilt(outputs, call.returned(values))

    def pull_back(u: Nested) -> tuple[Nested, ...]:
        pulled = call.again(u)
        with recording.recorded():
            along = primitives.dot(*pulled.directions(u, outputs, "results"), *values)
            pulled_back: tuple[Nested, ...] = rebuilt(
                primals, pulled.returned(pulled.derivatives(along))
            )
            return pulled_back

    return result, pull_back


def _arguments_and_vector(
    operation: str, given: tuple[Nested, ...]
) -> tuple[tuple[Nested, ...], Nested]:
    if len(given) < 2:
        raise TypeError(
            f"{operation}: expected f's arguments and then the vector, got {len(given)} of them"
        )
    return given[:-1], given[-1]
