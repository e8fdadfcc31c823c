"""Recording a function once for all examples: Values that have no number yet.

`trace` calls a function with `Traced` inputs. A Traced is a Value without a number; any operation
that meets one records a Traced again, so that the function leaves behind the graph of its result
and nothing else. Whatever asks for a number on the way (an `if`, `max`, `.data`, `float`) would
freeze the answer for one example into the program for all, and so is a TypeError.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from autograd import recording
from autograd.derivatives import grad
from autograd.primitives import Primitive, real_number
from autograd.value import Operand, Value, topological_order


class Traced(Value):
    """A Value whose number differs from example to example: the slot for it stays empty."""

    __slots__ = ()

    def __init__(self, label: str = "") -> None:
        self.label = label
        self.grad = self.primitive = None
        self._keep((), ())

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Value:
        """Record `primitive` on `args`: the operation alone, no number and no partials."""
        node = Traced()
        node.primitive = primitive
        operands = [arg if isinstance(arg, Value) else primitive.number(arg) for arg in args]
        node._keep(operands, (None,) * len(operands))
        return node

    def __repr__(self) -> str:
        return f"Traced({self.label!r}, op={self.op!r})"

    def _refuse(self, *_: object) -> NoReturn:
        raise recording.cannot_compile(f"using the number of the traced {self!r}")

    __bool__ = __float__ = __int__ = backward = _refuse
    data = property(_refuse, _refuse)


@dataclass(frozen=True)
class Trace:
    """A function's recording: the Traced inputs of one example, flat, and what it returned."""

    inputs: list[Traced]
    outputs: list[Operand]
    returned_list: bool


def trace(f: Callable[..., Any], shapes: Sequence[tuple[int, ...]]) -> Trace:
    """Record `f` on one example: a Traced for each column of numbers, lists for a column of rows.

    Raises:
        TypeError: if `f` asks for a number of its inputs, or branches on a comparison of Values,
            or returns anything but a Value, a number, or a list of them.
    """
    inputs: list[Traced] = []
    names = _argument_names(f, len(shapes))
    with recording.tracing():
        result = f(*[_argument(*pair, inputs) for pair in zip(names, shapes, strict=True)])
    returned_list = isinstance(result, list | tuple)
    outputs = [_output(f, value) for value in (result if returned_list else [result])]
    return Trace(inputs, outputs, returned_list)


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
    """The leaves that the output reaches, other than inputs."""
    order = topological_order(output) if isinstance(output, Value) else []
    return [node for node in order if not node.args and not isinstance(node, Traced)]


def gradient_of(output: Operand, leaves: Sequence[Value]) -> list[Operand]:
    """∂output/∂leaf for each leaf as graph, or as a plain number where it is one."""
    if not isinstance(output, Value):
        return [0.0] * len(leaves)
    known = {node for node in topological_order(output) if not node.args}
    with recording.tracing():
        slopes = grad(output, leaves)
    return [x if x.args or x in known else x.data for x in slopes]
