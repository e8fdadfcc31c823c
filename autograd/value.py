"""`Value`: a number that remembers how it was computed, and `backward()`, which uses that.

Every operation on Values records a node: its result, its operands, and the local derivative of
the result with respect to each operand. Together the nodes are the computation graph. `backward()`
walks it from the result back to the leaves and applies the chain rule on the way:

    >>> a, b = Value(2.0, "a"), Value(-3.0, "b")
    >>> c = a * b + a
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)

No derivative is stated here (they stand in `primitives`), and no learning rate (see `optim`).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

from autograd import primitives, recording
from autograd.primitives import Primitive, real_number


def _unary(primitive: Primitive) -> Callable[[Value], Value]:
    """The method that records `primitive`: `Value.record` for one Value, written out for speed."""
    value, name, (dx,) = primitive.value, primitive.name, primitive.partials

    def method(x: Value) -> Value:
        try:
            a = x._float
        except AttributeError:
            return Value.record(primitive, (x,))
        z = value(a)
        if recording.open_pauses and recording.is_paused():
            return Value(z)
        return _node(z, name, (x,), (dx(z, a),))

    method.__doc__ = primitive.__doc__
    return method


BinaryMethod: TypeAlias = "Callable[[Value, Value | float], Value]"


def _binary(primitive: Primitive) -> tuple[BinaryMethod, BinaryMethod]:
    """The operator and its reflection: `Value.record` for two operands, written out for speed."""
    value, name, (dx, dy) = primitive.value, primitive.name, primitive.partials

    def operation(x: Operand, y: Operand) -> Value:
        try:
            a: float = x if type(x) is float else x._float  # type: ignore[union-attr]
            b: float = y if type(y) is float else y._float  # type: ignore[union-attr]
        except AttributeError:  # a number of another type, or an operand to refuse
            return Value.record(primitive, (operand(primitive, x), operand(primitive, y)))
        z = value(a, b)
        if recording.open_pauses and recording.is_paused():
            return Value(z)
        partials = (None if a is x else dx(z, a, b), None if b is y else dy(z, a, b))
        return _node(z, name, (x, y), partials)

    return operation, lambda y, x: operation(x, y)


def _comparison(symbol: str) -> Callable[[Value, Value | float], Condition]:
    return lambda left, right: Condition(left, symbol, right)


class Value:
    """A node of a computation graph: a float64, and how it came about.

    Args:
        data: any real number.
        label: a name for messages and pictures.

    Attributes:
        data: the number. A leaf's may be reassigned; what was recorded before keeps its point.
        grad: what `backward()` found for this node; None until a pass reaches it.
        label: the name given, or "".
        op: the name of the primitive that made this node; "" at a leaf.
        args: the operands in order; a plain number stands there as a float.
        partials: ∂self/∂argᵢ at the recorded point, aligned with `args`; None at a plain number.

    Operators take Values and real numbers on either side; anything else is a TypeError. `==` and
    hashing go by identity, so that nodes can be kept in sets and dictionaries.
    """

    __slots__ = ("__weakref__", "_float", "args", "grad", "label", "op", "partials")
    __array_ufunc__ = None  # NumPy leaves the operation to us: its scalars count, its arrays don't

    args: tuple[Value | Condition | float, ...]
    grad: float | None
    label: str
    op: str
    partials: tuple[float | None, ...]

    def __init__(self, data: float, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"Value: expected text as the label, got {label!r:.80}")
        self._float = real_number(data, "Value")
        self.grad = None
        self.label = label
        self.op = ""
        self.args = self.partials = ()

    @property
    def data(self) -> float:
        """The number, a float64."""
        return self._float

    @data.setter
    def data(self, number: float) -> None:
        self._float = number if type(number) is float else real_number(number, "Value.data")

    def __repr__(self) -> str:
        named = "".join(f", {k}={v!r}" for k, v in (("label", self.label), ("op", self.op)) if v)
        return f"Value({self.data}{named}, grad={self.grad})"

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Value:
        """Record `primitive` on `args`: compute its value and its partials and keep both."""
        try:
            numbers = [arg if type(arg) is float else arg._float for arg in args]
        except AttributeError:  # a number of another type, a condition, or an operand to refuse
            args = [operand(primitive, arg) for arg in args]
            for arg in args:
                if getattr(arg, "record", Value.record) is not Value.record:
                    traced: Value = arg.record(primitive, args)  # it has no number yet
                    return traced
            numbers = [_number(arg) for arg in args]
        z = primitive.value(*numbers)
        if recording.open_pauses and recording.is_paused():
            return Value(z)
        partials = primitive.partials_at(z, numbers, args)
        return _node(z, primitive.name, tuple(args), tuple(partials))

    __add__, __radd__ = _binary(primitives.add)
    __sub__, __rsub__ = _binary(primitives.sub)
    __mul__, __rmul__ = _binary(primitives.mul)
    __truediv__, __rtruediv__ = _binary(primitives.div)
    __pow__, __rpow__ = _binary(primitives.pow)
    __neg__ = _unary(primitives.neg)
    __abs__ = abs = _unary(primitives.abs)
    exp = _unary(primitives.exp)
    log = _unary(primitives.log)
    sqrt = _unary(primitives.sqrt)
    sin = _unary(primitives.sin)
    cos = _unary(primitives.cos)
    tan = _unary(primitives.tan)
    tanh = _unary(primitives.tanh)
    sigmoid = _unary(primitives.sigmoid)
    relu = _unary(primitives.relu)
    softplus = _unary(primitives.softplus)

    __lt__ = _comparison("<")
    __le__ = _comparison("<=")
    __gt__ = _comparison(">")
    __ge__ = _comparison(">=")

    def _refuse(self) -> NoReturn:
        raise TypeError(f"{self!r} is a node, not a plain number: use its `.data`, or compare it")

    __bool__ = __float__ = __int__ = _refuse

    def backward(self) -> None:
        """Backpropagation: write ∂self/∂node to the `grad` of every node that self depends on.

        Leaves add it to the `grad` they have, so that the gradients of several losses accumulate
        until they are zeroed; inner nodes hold the last pass alone.
        """
        for node, adjoint in adjoints(self).items():
            node.grad = adjoint if node.args or node.grad is None else node.grad + adjoint


Operand: TypeAlias = Value | float
"""What arithmetic on Values takes; at run time, any real number will do for the float."""


class Condition:
    """A comparison of Values. Its truth compares their data at the time it was made.

    So `if`, `max` and sorting work as with numbers, while `where(condition, x, y)` keeps the
    comparison itself in the graph.
    """

    __slots__ = ("left", "right", "symbol", "truth")
    record = staticmethod(Value.record)  # where(condition, 1.0, 0.0) has no Value to record it

    def __init__(self, left: Operand, symbol: str, right: Operand) -> None:
        self.left = left if isinstance(left, Value) else real_number(left, symbol)
        self.right = right if isinstance(right, Value) else real_number(right, symbol)
        self.symbol = symbol
        self.truth: bool = COMPARISONS[symbol](_number(self.left), _number(self.right))

    def __bool__(self) -> bool:
        if recording.is_tracing():
            raise recording.cannot_compile("a branch on the comparison of Values")
        return self.truth

    def __repr__(self) -> str:
        return f"Condition({_number(self.left)} {self.symbol} {_number(self.right)}: {self.truth})"


COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _node(data: float, op: str, args: tuple[Any, ...], partials: tuple[float | None, ...]) -> Value:
    node = Value.__new__(Value)
    node._float = data
    node.grad = None
    node.label = ""
    node.op = op
    node.args = args
    node.partials = partials
    return node


def operand(primitive: Primitive, arg: Any) -> Value | Condition | float:
    """`arg` as a node can hold it; a TypeError that names the operation if it is no operand."""
    is_condition = primitive is primitives.where and isinstance(arg, Condition | bool)
    return arg if is_condition or isinstance(arg, Value) else primitive.number(arg)


def _number(arg: Value | Condition | float) -> float:
    return arg.data if isinstance(arg, Value) else arg.truth if isinstance(arg, Condition) else arg


def topological_order(output: Value) -> list[Value]:
    """All nodes that `output` depends on, each after its operands, `output` last.

    This is the postorder of a depth-first walk, operands from left to right, so it depends on the
    program alone.
    """
    return list(_postorder(output))


def _postorder(output: Value) -> dict[Any, Any]:
    """`topological_order` as the keys of a dictionary, for a sweep to note a number at each.

    The walk keeps its own stack: a graph may be deeper than Python's.
    """
    finished: dict[Value, None] = {}
    stack: list[Any] = [output]
    push, pop = stack.append, stack.pop
    while stack:
        node = pop()
        if node is None:  # the node beneath has all its operands finished
            finished[pop()] = None
        elif node not in finished:
            push(node)
            push(None)
            for arg in reversed(node.args):
                if isinstance(arg, Value) and arg not in finished:
                    push(arg)
    return finished


def adjoints(output: Value) -> dict[Value, float]:
    """∂output/∂node for every node that `output` depends on, in one sweep; changes nothing.

    The sweep starts from ∂output/∂output = 1 and visits a node only after all nodes that use it,
    when its adjoint is complete. The node then contributes upstream gradient × local derivative
    to each operand, and an operand that is used several times receives the sum. That is the chain
    rule of several variables.
    """
    adjoints = _postorder(output)
    adjoints[output] = 1.0
    for node in reversed(adjoints):
        upstream = adjoints[node]
        for arg, partial in zip(node.args, node.partials):  # noqa: B905 - aligned when recorded
            if partial is not None:
                contribution = upstream * partial
                so_far = adjoints[arg]
                adjoints[arg] = contribution if so_far is None else so_far + contribution
    return adjoints


def first_nonfinite(value: Value) -> Value | None:
    """The first node, in forward order, whose data is inf or nan; None if all are finite."""
    if not isinstance(value, Value):
        raise TypeError(f"first_nonfinite: expected a Value, got {value!r:.80}")
    return next((x for x in topological_order(value) if not math.isfinite(x.data)), None)
