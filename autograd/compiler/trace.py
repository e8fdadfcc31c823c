"""Tracing: a function is called once, on Values without numbers, to record its graph.

`trace` calls a function with `Traced` inputs. A Traced is a Value without a number; an operation on
one records another, so that the function leaves the graph of its result behind and nothing else.
Code that asks for a number on the way (`if`, `max`, `.data`, `float`) would compile the answer for
one example into the program for all, and raises a TypeError.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from operator import attrgetter
from types import FunctionType, MappingProxyType
from typing import Any, NoReturn, cast

from autograd import recording
from autograd.checks import is_bool, real_number
from autograd.derivatives.graph import dependent, in_recorded_order, pulled_back, sources
from autograd.derivatives.many_results import ManyResults
from autograd.derivatives.structures import is_array
from autograd.derivatives.transformations import gradients
from autograd.operators import BINARY, CONDITIONS, counter
from autograd.optim import Stepper
from autograd.primitives import TABLE, Primitive, own_names, sqrt
from autograd.recording import Selection
from autograd.value import Operand, Value

_new = object.__new__


class Traced(Value):
    """A Value without a number, for a function that is recorded once for all examples."""

    __slots__ = ()

    def __init__(self, label: str = "") -> None:
        self._create(None, None, None)
        self.label = label

    def _create(self, primitive: Primitive | None, x: Any, y: Any) -> None:
        self.label = ""
        self.grad = None
        self.primitive = primitive
        self._x = x
        self._y = y
        self._dx = self._dy = None
        self._created = next(counter)

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Value:
        """Record `primitive` on `args`: the operation alone, no number and no partials."""
        if not _OPERANDS.issuperset(map(type, args)):
            args = [x if isinstance(x, Value) else primitive.number(x) for x in args]
        node = _new(Traced)
        if len(args) == 2:
            node._create(primitive, args[0], args[1])
        elif len(args) == 1:
            node._create(primitive, args[0], None)
        else:
            node._create(primitive, tuple(args), None)
        return node

    @property
    def partials(self) -> tuple[float | None, ...]:
        """None for each operand."""
        return (None,) * len(self.args)

    def __repr__(self) -> str:
        return f"Traced({self.label!r}, op={self.op!r})"

    def _refuse(self, *_: object) -> NoReturn:
        if self.op in CONDITIONS:
            raise recording.cannot_compile("a branch on the comparison of Values")
        raise recording.cannot_compile(f"using the number of the traced {self!r}")

    __bool__ = __int__ = backward = _refuse
    data = property(_refuse, _refuse)

    def __float__(self) -> NoReturn:
        what = f"using the number of the traced {self!r}"
        raise recording.cannot_compile(what, ", and ag.exp(x) for math.exp(x)")

    def __index__(self) -> NoReturn:
        what = f"looking something up by the number of the traced {self!r}"
        raise recording.cannot_compile(what, ", and take(rows, x) for rows[x]")

    def __eq__(self, other: object) -> bool:
        """Identity, as of any Value; but an example's number, which it stands for, has equals."""
        if isinstance(other, Real) or is_bool(other):
            raise recording.cannot_compile(f"asking whether the traced {self!r} equals {other!r}")
        return self is other

    __hash__ = Value.__hash__


COMPARING = {*CONDITIONS, "where", "maximum", "minimum", "clip", "relu", "abs"}
"""The rows whose value or partials compare an operand, so that a nan can become a number."""

_OPERANDS = {Traced, Value, float}


def _binary(primitive: Primitive, is_reflected: bool) -> Callable[[Traced, Any], Traced]:
    """A binary operator of Traced: does what `record` does, in half the time."""

    def method(x: Traced, y: Any) -> Traced:
        if type(y) is not Traced and type(y) is not float and not isinstance(y, Value):
            y = primitive.number(y)
        node = _new(Traced)
        node._create(primitive, y, x) if is_reflected else node._create(primitive, x, y)
        return node

    return method


for _python, _name in BINARY.items():
    setattr(Traced, f"__{_python}__", _binary(TABLE[_name], False))
    setattr(Traced, f"__r{_python}__", _binary(TABLE[_name], True))


@dataclass(frozen=True)
class Trace:
    """A function's recording.

    Attributes:
        inputs: the Traced inputs of one example, flat.
        constants: the Traced inputs of the arguments that all examples share.
        outputs: the results of the function, flat.
        form: the lists and tuples of the results, with None for each result; None for one Value.
        selection: how unselected branches can affect the gradients in it.
        hides_nan: whether something that unselected branches may make nan is only compared, so that
            a nan need not reach the results.
        variables: if a gradient was postponed, what it is with respect to. The one output is what
            it is of, and the results are the derivatives; `with_value` if the output is one, too.
    """

    inputs: list[Traced]
    constants: list[Traced]
    outputs: list[Operand]
    form: Any
    selection: Selection
    hides_nan: bool = False
    variables: Sequence[Value] = ()
    with_value: bool = True

    def expanded(self) -> Trace:
        """The same, with all results as outputs."""
        if not self.variables:
            return self
        slopes, selection = gradient_of(self.outputs[0], self.variables)
        outputs = [*(self.outputs if self.with_value else ()), *slopes]
        selection = max(selection, self.selection)
        return replace(self, outputs=outputs, selection=selection, variables=(), with_value=True)


def trace(
    f: Callable[..., Any],
    shapes: Sequence[tuple[int, ...]],
    follows_branches: bool = False,
    shared: Mapping[int, bool] = MappingProxyType({}),
    postpones: bool = False,
) -> Trace:
    """Record `f` on one example: a Traced for each column of numbers, lists for a column of rows.

    With `follows_branches`, gradients taken while tracing ignore unselected branches.

    Args:
        shapes: the shape of each argument.
        shared: the arguments that all examples share, by index, and whether `f` takes each as an
            array.
        postpones: whether a gradient that `f` returns may be left to `lower` (see `Trace`).

    Raises:
        TypeError: if `f` uses the number of an input, or branches on a comparison of Values,
            or returns anything but Values and numbers, or lists and tuples of them.
    """
    inputs: list[Traced] = []
    constants: list[Traced] = []
    outputs: list[Operand] = []
    arguments: list[Any] = []
    for i, (name, shape) in enumerate(zip(_argument_names(f, len(shapes)), shapes, strict=True)):
        argument = _argument(name, shape, constants if i in shared else inputs)
        arguments.append(_array(argument, shape) if shared.get(i) else argument)
    postpones = postpones and isinstance(f, FunctionType) and f in gradients
    with recording.tracing(follows_branches, postpones) as current:
        result = f(*arguments)
    form, variables, with_value = _form(f, result, outputs), current.variables, True
    if variables:
        outputs, with_value = [current.output], len(outputs) > len(variables)
    hides_nan = bool(current.uncertain) and _hides_nan(outputs, current.uncertain)
    selection = current.selection
    return Trace(inputs, constants, outputs, form, selection, hides_nan, variables, with_value)


def _hides_nan(outputs: Sequence[Operand], uncertain: Sequence[Any]) -> bool:
    """Whether some of these Values, or what depends on them, is compared.

    Also if that is unknown, because it happens in the step of a loop.
    """
    nodes = in_recorded_order(outputs)
    values = [x for x in uncertain if isinstance(x, Value)]
    if any(isinstance(x.primitive, ManyResults) for x in nodes) and not set(nodes).issuperset(
        values
    ):
        return True
    found = set(dependent(nodes, values))
    for node in nodes:
        row, args = node.primitive, node.args
        if row is None or (row.name in own_names and row.name not in COMPARING):
            continue
        if not found.isdisjoint(args[:1] if row.name == "where" else args):
            return True
    return False


def _array(nested: Any, shape: tuple[int, ...]) -> Any:
    """Nested lists as an array of objects."""
    import numpy as np  # which has been imported, as an array was given

    return np.array(nested, object).reshape(shape)  # lists lack the 3 of a shape (0, 3)


def _form(f: Callable[..., Any], result: object, outputs: list[Operand]) -> Any:
    """The nested lists and tuples of a result; appends their items to `outputs`."""
    if is_array(result):
        result = cast(Any, result).tolist()
    if isinstance(result, list | tuple):
        kind = tuple if isinstance(result, tuple) else list
        return kind([_form(f, part, outputs) for part in result])
    outputs.append(_output(f, result))
    return None


def _argument(label: str, shape: tuple[int, ...], inputs: list[Traced]) -> Any:
    """A Traced, or nested lists of them as `shape` says; appends each to `inputs`."""
    if not shape:
        inputs.append(Traced(label))
        return inputs[-1]
    return [_argument(f"{label}[{i}]", shape[1:], inputs) for i in range(shape[0])]


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):  # a callable that does not say
        names = []
    return (names + [f"argument{i}" for i in range(len(names), count)])[:count]


def _output(f: Callable[..., Any], value: object) -> Operand:
    if isinstance(value, Value):
        return value
    try:
        return real_number(value, "jit")
    except TypeError:
        raise TypeError(
            f"jit: {f!r} returned {value!r} of type {type(value).__name__}; a compiled function "
            f"returns one Value, or a list of Values"
        ) from None


def leaves_of(output: Operand) -> list[Value]:
    """The leaves that `backward()` of the output reaches, other than inputs.

    Those that are only compared are not among them. They are in the order of their creation.
    """
    leaves = [x for x in sources([output]) if x.primitive is None and type(x) is not Traced]
    return sorted(leaves, key=attrgetter("_created"))


def gradient_of(
    output: Operand, leaves: Sequence[Value], follows_branches: bool = False
) -> tuple[list[Operand], Selection]:
    """∂output/∂leaf for each leaf, as a Value or a float.

    Also returns how unselected branches can affect these gradients, which ignore them if
    `follows_branches` is true.
    """
    if not isinstance(output, Value):
        return [0.0] * len(leaves), Selection.NONE
    with recording.tracing(follows_branches) as current:
        found = pulled_back([(output, 1.0, 1.0)], leaves)
        return [0.0 if x is None else x for x, _ in found], current.selection


def trace_rule(stepper: Stepper) -> tuple[Trace, list[Value]]:
    """A stepper's rule for one parameter: from weight, state and gradient to new weight and state.

    Also its leaves, all the stepper's coefficients in their order.

    Raises:
        TypeError: if the rule does not return a weight and as many numbers of state as it is given.
    """
    coefficients = [Value(number) for number in stepper.coefficients()]
    n_state = len(stepper.states[0])

    def rule(weight: Value, state: list[Value], gradient: Value) -> list[Operand]:
        settings = tuple(coefficients)
        update = stepper.with_coefficients(settings).update  # which may read them from `self`
        new_weight, new_state = update(weight, gradient, tuple(state), settings, sqrt)
        if len(new_state) != n_state:
            raise TypeError(
                f"{type(stepper).__name__}.update: returned a state of {len(new_state)} numbers, "
                f"got one of {n_state}; the two must be alike"
            )
        return [new_weight, *new_state]

    return trace(rule, [(), (n_state,), ()]), coefficients
