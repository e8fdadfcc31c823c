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

import functools
import math
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from numbers import Number
from operator import attrgetter
from typing import Any, NoReturn, TypeAlias

from autograd import copying, operators, primitives, recording, special
from autograd.checks import is_bool, real_number
from autograd.locks import fork_safe_lock
from autograd.operators import counter
from autograd.primitives import TABLE, Primitive

UnaryMethod: TypeAlias = "Callable[[Value], Value]"
BinaryMethod: TypeAlias = "Callable[[Value, Value | float], Value]"


def _unary(primitive: Primitive) -> UnaryMethod:
    return operators.operator(primitive)


def _binary(primitive: Primitive) -> tuple[BinaryMethod, BinaryMethod]:
    return operators.operator(primitive, method_of=0), operators.operator(primitive, method_of=1)


def _comparison(primitive: Primitive) -> Callable[[Value, Value | float], Condition]:
    return operators.operator(primitive)


_AT_FLOATS = (
    "(A derivative at plain floats is a Value where it depends on other Values: give it those as "
    "arguments, or take it under ag.no_grad(), where it is a float.)"
)


class Value:
    """A node of a computation graph: a float64 and the operation that computed it.

    Args:
        data: any real number.
        label: a name for messages and pictures.

    Attributes:
        data: the number. That of a leaf may be reassigned; nodes recorded earlier do not change.
        grad: the derivative from `backward()`; None until a pass reaches this node.
        label: the name given, or "".
        primitive: the primitive that computed this node; None at a leaf.
        op: its name; "" at a leaf.
        args: the operands in order; plain numbers are floats.
        partials: ∂self/∂argᵢ at the recorded point, aligned with `args`; None at a plain number,
            and where there is no derivative.

    Operators take Values and real numbers on either side; anything else is a TypeError. `==` and
    hashing go by identity, so that nodes can be kept in sets and dictionaries. Comparing a Value
    with a number by `==` is a TypeError, because it would be False whatever the data.
    """

    # One object per node, because the garbage collector visits each: up to two operands, and
    # their partials, stand in slots. Of more, `_x` and `_dx` are tuples.
    __slots__ = (
        *("__weakref__", "_created", "_dx", "_dy", "_float", "_x", "_y"),
        *("grad", "label", "primitive"),
    )

    grad: float | None
    label: str
    primitive: Primitive | None
    _created: int
    _x: Any
    _y: Any
    _dx: Any
    _dy: float | None

    def __init__(self, data: float, label: str = "") -> None:
        if not isinstance(label, str):
            raise TypeError(f"Value: expected text as the label, got {label!r:.80}")
        self._float = data if type(data) is float else real_number(data, "Value")
        self.label = label
        self._created = next(counter)
        self.grad = self.primitive = None
        self._x = self._y = self._dx = self._dy = None

    def _keep(self, args: Sequence[Any], partials: Sequence[float | None]) -> None:
        """Store the operands and their partials."""
        if len(args) > 2:
            self._x, self._y, self._dx, self._dy = tuple(args), None, tuple(partials), None
        else:
            self._x, self._y = (*args, None, None)[:2]
            self._dx, self._dy = (*partials, None, None)[:2]

    @property
    def data(self) -> float:
        """The number, a float64."""
        if self._x is not None and recording.is_tracing():
            raise recording.cannot_compile(f"asking for the number of a node ({self.op})")
        return self._float

    @data.setter
    def data(self, number: float) -> None:
        self._float = number if type(number) is float else real_number(number, "Value.data")

    @property
    def op(self) -> str:
        """The name of the primitive that made this node; "" at a leaf."""
        return "" if self.primitive is None else self.primitive.name

    @property
    def args(self) -> tuple[Any, ...]:
        """The operands, in order: Values and floats."""
        x, y = self._x, self._y
        return x if type(x) is tuple else () if x is None else (x,) if y is None else (x, y)

    @property
    def partials(self) -> tuple[float | None, ...]:
        """∂self/∂argᵢ at the recorded point, aligned with `args`."""
        dx = self._dx
        return dx if type(dx) is tuple else (dx, self._dy)[: len(self.args)]

    __reduce_ex__ = copying.reduced  # for copy and pickle

    def __repr__(self) -> str:
        named = "".join(f", {k}={v!r}" for k, v in (("label", self.label), ("op", self.op)) if v)
        return f"{type(self).__name__}({self._float}{named}, grad={self.grad})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else str(self)

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Value:
        """Record `primitive` on `args`: compute its value and its partials and keep both.

        This takes any operands; the operators are the same, written out for one or two.
        """
        try:
            numbers = [arg if type(arg) is float else arg._float for arg in args]
        except AttributeError:  # a number of another type, or a node that has none
            args = [arg if isinstance(arg, Value) else primitive.number(arg) for arg in args]
            for arg in args:
                if getattr(arg, "record", Value.record) is not Value.record:
                    traced: Value = arg.record(primitive, args)
                    return traced
            numbers = [arg if type(arg) is float else arg._float for arg in args]
        z = primitive.at(numbers)
        node = Condition(z) if primitive.name in operators.CONDITIONS else Value(z)
        if not (recording.open_pauses and recording.is_paused()):
            node.primitive = primitive
            node._keep(args, primitive.partials_at(z, numbers, args))
        return node

    # The operators are generated from their rows (see `operators`). That of a product, for example,
    # makes a node whose data is x.data * y.data, whose args are (x, y), and whose partials are
    # (y.data, x.data).
    __add__, __radd__ = _binary(primitives.add)
    __sub__, __rsub__ = _binary(primitives.sub)
    __mul__, __rmul__ = _binary(primitives.mul)
    __truediv__, __rtruediv__ = _binary(primitives.div)
    __pow__, __rpow__ = _binary(primitives.pow)
    __mod__, __rmod__ = _binary(special.mod)
    __floordiv__, __rfloordiv__ = _binary(special.floordiv)
    __neg__ = _unary(primitives.neg)
    __abs__ = abs = _unary(primitives.abs)
    __floor__ = _unary(special.floor)  # which NumPy asks for of the elements of an array
    __ceil__ = _unary(special.ceil)
    __trunc__ = _unary(special.trunc)

    def __round__(self, digits: None = None) -> Value:
        if digits is not None:
            raise TypeError(
                f"round: a Value is rounded to a whole number; round its number, "
                f"round(x.data, {digits!r})"
            )
        rounded: Value = special.round(self)
        return rounded

    def __divmod__(self, other: Value | float) -> tuple[Value, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Value | float) -> tuple[Value, Value]:
        return other // self, other % self

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

    __lt__ = _comparison(primitives.lt)
    __le__ = _comparison(primitives.le)
    __gt__ = _comparison(primitives.gt)
    __ge__ = _comparison(primitives.ge)

    def __and__(self, other: Value | bool) -> Value:
        return _logical(primitives.logical_and, self, other)

    def __or__(self, other: Value | bool) -> Value:
        return _logical(primitives.logical_or, self, other)

    def __invert__(self) -> Value:
        return _logical(primitives.logical_not, self)

    __rand__, __ror__ = __and__, __or__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Number) or is_bool(other):
            raise TypeError(
                f"==: a Value equals itself alone, and {self!r} was compared with the number "
                f"{other!r}; compare its number, x.data == {other!r}. {_AT_FLOATS}"
            )
        return self is other if isinstance(other, Value) else NotImplemented

    __hash__ = object.__hash__

    def __pos__(self) -> Value:
        return self

    def conjugate(self) -> Value:
        """x itself, since it is real. NumPy calls this in `np.var`."""
        return self

    def clip(self, low: Value | float, high: Value | float, out: None = None) -> Value:
        """x limited to a range, for `np.clip(x, low, high)`; see `ag.clip`."""
        clipped: Value = primitives.clip(self, low, high)
        return clipped

    def hypot(self, other: Value | float) -> Value:
        """√(x² + y²), for `np.hypot`; see `ag.hypot`."""
        length: Value = primitives.hypot(self, other)
        return length

    __array_ufunc__ = operators.array_ufunc

    def _refuse(self) -> NoReturn:
        raise TypeError(
            f"{self!r} is a graph node, not a float. Use ag.exp(x) instead of math.exp(x), a "
            f"comparison to branch, and `.data` for the number. {_AT_FLOATS}"
        )

    __bool__ = __float__ = __int__ = _refuse

    @property
    def _prev(self) -> tuple[Value, ...]:
        """The distinct operands that are Values, under micrograd's name."""
        return tuple(dict.fromkeys(arg for arg in self.args if isinstance(arg, Value)))

    @property
    def _op(self) -> str:
        """The symbol of the operation, "" at a leaf: micrograd's name for it."""
        return "" if self.primitive is None else self.primitive.symbol.replace("·", "*")

    def backward(self) -> None:
        """Backpropagation: write dself/dnode to the `grad` of every node that self depends on.

        The sweep starts from dself/dself = 1 and goes from the latest node to the earliest, so a
        node is visited after all nodes that use it, when its gradient is complete. The node then
        contributes upstream gradient × partial derivative to each operand; an operand that is used
        several times receives the sum. That is the chain rule of several variables.

        Leaves add the result to the `grad` they have, so that the gradients of several losses
        accumulate until they are zeroed; inner nodes hold the last pass alone. If the pass is
        interrupted, the leaves keep the `grad` that they had. Passes of several threads run one
        after another; until one has ended, another thread may read a part of a sum.
        """
        with _sweeping:
            found = leaf_adjoints(self)
            _write({x: a if x.grad is None else x.grad + a for x, a in found.items()})


class Condition(Value):
    """The comparison of two Values, a node whose data is 1.0 where it holds, else 0.0.

    Its truth value makes `if`, `max` and sorting work as with numbers. While a function is being
    compiled it has none: use `where(condition, x, y)`, which keeps both branches.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        numbers = (f"{arg.data if isinstance(arg, Value) else arg}" for arg in self.args)
        compared = f" {self._op} ".join(numbers)
        return f"Condition({compared}{': ' if compared else ''}{self._float != 0.0})"

    def __bool__(self) -> bool:  # type: ignore[override]
        if recording.is_tracing():
            raise recording.cannot_compile("a branch on the comparison of Values")
        return self._float != 0.0


for _kind in (Value, Condition):
    operators.NAMESPACE[_kind.__name__] = _kind
    # One call that makes a node without a number: this costs a tenth less than `new(Value)`.
    operators.NAMESPACE[f"new_{_kind.__name__}"] = functools.partial(object.__new__, _kind)
for _row in TABLE.values():
    _row.make_operator()
primitives.own_names = frozenset(TABLE)


def condition(x: object, operation: str) -> Any:
    """x as a condition; raises a TypeError that names the operation if x is not a condition."""
    if isinstance(x, Value) and x.op in operators.CONDITIONS:
        return x
    if isinstance(x, Condition):  # recorded by nobody, in a no_grad block
        return x._float
    if hasattr(x, "record") and not isinstance(x, Value):  # of a rule that is read
        return x
    if not is_bool(x):
        raise TypeError(
            f"{operation}: expected a comparison of Values or a bool as the condition, "
            f"got {x!r} of type {type(x).__name__}"
        )
    return float(x)


def _logical(primitive: Primitive, *conditions: object) -> Value:
    result = primitive(*[condition(x, primitive.symbol) for x in conditions])
    return result if isinstance(result, Value) else Condition(result)  # in a no_grad block


Operand: TypeAlias = Value | float
"""What arithmetic on Values takes; at run time, any real number will do for the float."""

# NumPy computes np.sinh of an array by the method `sinh` of each element.
_METHODS = (
    *("expm1", "log1p", "log2", "log10", "sinh", "cosh", "arcsin", "arccos", "arctan", "arctan2"),
    *("arcsinh", "arccosh", "arctanh", "cbrt", "floor", "ceil", "trunc", "rint", "sign", "fabs"),
    *("fmod", "logaddexp"),
)
for _name in _METHODS:
    setattr(Value, _name, TABLE[operators.UFUNCS.get(_name, _name)].operator)


_creation = attrgetter("_created")
_grad = attrgetter("grad")

_sweeping = fork_safe_lock()
"""Held by the thread that writes gradients: others may sweep through the same nodes."""


def topological_order(output: Value) -> list[Value]:
    """All nodes that `output` depends on in the order of their creation, so `output` is the last.

    A node is made after its operands, so each comes after all that it depends on.
    """
    found, stack = {output}, [output]
    while stack:
        new = [x for x in stack.pop().args if type(x) is not float and x not in found]
        found.update(new)
        stack += new
    return sorted(found, key=_creation)


def leaf_adjoints(output: Value) -> dict[Any, float]:
    """doutput/dleaf for every leaf that `output` depends on.

    The `grad` of a leaf stays as it is; that of an inner node is overwritten.
    """
    # Where a sum starts, because -0.0 + x is x even if x is -0.0. As a new object it marks nodes.
    start = math.copysign(0.0, -1.0)
    ends: dict[Any, float | None] = {}
    with _sweeping:
        try:
            nodes = _reached(output, start, ends)
            output.grad = 1.0
            _sweep(nodes)
            if math.isnan(sum(map(_grad, ends))):  # a nan anywhere has reached an end
                for node, adjoint in adjoints(output).items():
                    node.grad = adjoint
            found = {node: node.grad for node in ends if node._x is None}
            if len(found) < len(ends):  # others keep what they have now
                ends |= {node: node.grad for node in ends if node._x is not None}
        finally:
            _write(ends)
    return found


def _write(grads: Mapping[Any, float | None]) -> None:
    """Set the `grad` of these nodes, of all or of none: no signal is handled in the middle."""
    deque(map(setattr, grads, repeat("grad"), grads.values()), maxlen=0)


def _reached(output: Any, start: float, ends: dict[Any, float | None]) -> list[Any]:
    """The nodes that `output` has a derivative with respect to, the latest first.

    Their `grad` becomes `start`. `ends` receives the `grad` of those without operands among them.
    """
    nodes: list[Any] = []
    stack = [output]
    keep, pop, push = nodes.append, stack.pop, stack.append
    while stack:
        node = pop()
        if (grad := node.grad) is start:
            continue
        keep(node)
        dx, dy = node._dx, node._dy
        if type(dx) is tuple:
            pairs = zip(node._x, dx)  # noqa: B905 - aligned when recorded
            new = [x for x, partial in pairs if partial is not None and x.grad is not start]
            stack += new
            if not new and all(partial is None for partial in dx):
                ends[node] = grad
        elif dx is not None:
            push(node._x)
            if dy is not None:
                push(node._y)
        elif dy is not None:
            push(node._y)
        else:
            ends[node] = grad
        node.grad = start
    nodes.sort(key=_creation, reverse=True)  # this order is nearly sorted, that of a set is not
    return nodes


def _sweep(nodes: Iterable[Any]) -> None:
    """Complete the `grad` of each node: the chain rule."""
    for node in nodes:
        upstream, dx, dy = node.grad, node._dx, node._dy
        if type(dx) is tuple:
            for x, partial in zip(node._x, dx):  # noqa: B905 - aligned when recorded
                if partial is not None:
                    x.grad += upstream * partial
            continue
        if dx is not None:
            node._x.grad += upstream * dx
        if dy is not None:
            node._y.grad += upstream * dy


def adjoints(output: Value) -> dict[Value, float]:
    """doutput/dnode for every node that `output` depends on; changes nothing.

    This is the sweep of `backward`, with the rule for unselected branches: a node is active if a
    path of selected edges leads from it to the output, and a contribution over any other edge
    counts as 0 if it is nan. Where nothing is nan the rule makes no difference.
    """
    adjoint = {output: 1.0}
    active = {output}
    for node in reversed(topological_order(output)):
        if node not in adjoint:
            continue
        upstream = adjoint[node]
        for arg, partial, is_chosen in edges(node, active):
            contribution = upstream * partial
            if is_chosen:
                active.add(arg)
            elif math.isnan(contribution):
                contribution = 0.0
            adjoint[arg] = adjoint[arg] + contribution if arg in adjoint else contribution
    return adjoint


def edges(node: Value, active: Container[Value]) -> Iterator[tuple[Value, float, bool]]:
    """Each operand with a derivative: itself, its partial, and whether it is active over this edge.

    No edge of an inactive node is active; of an operation that selects, only the edge to the
    operand that it selected.
    """
    chooses = node.primitive is not None and node.primitive.chooses
    for arg, partial in zip(node.args, node.partials, strict=True):
        if partial is not None:
            yield arg, partial, node in active and not (chooses and partial == 0.0)


def first_nonfinite(value: Value) -> Value | None:
    """The first node, in forward order, whose data is inf or nan; None if all are finite."""
    if not isinstance(value, Value):
        raise TypeError(f"first_nonfinite: expected a Value, got {value!r:.80}")
    return next((x for x in topological_order(value) if not math.isfinite(x.data)), None)
