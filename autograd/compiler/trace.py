"""Recording a function once for all examples, and its graph as a list of integers.

`trace` calls a function with `Traced` inputs. A Traced is a Value without a number; any operation
that meets one records a Traced again, so that the function leaves behind the graph of its result
and nothing else. Whatever asks for a number on the way (an `if`, `max`, `.data`, `float`) would
freeze the answer for one example into the program for all, and so is a TypeError.

`listing` then numbers what the results depend on, each after its operands and each once. The
gradient needs no word here: it is graph like any other.
"""

from __future__ import annotations

import hashlib
import inspect
import marshal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn, cast

from autograd import recording
from autograd.derivatives import grad
from autograd.primitives import Primitive, real_number
from autograd.value import Condition, Operand, Value, operand, topological_order


class Traced(Value):
    """A Value whose number differs from example to example: the slot for it stays empty."""

    __slots__ = ()

    def __init__(self, label: str = "") -> None:
        self.grad = None
        self.label = label
        self.op = ""
        self.args = self.partials = ()

    @staticmethod
    def record(primitive: Primitive, args: Sequence[Any]) -> Value:
        """Record `primitive` on `args`: the operation alone, no number and no partials."""
        node = Traced()
        node.op = primitive.name
        node.args = tuple(operand(primitive, arg) for arg in args)
        node.partials = (None,) * len(node.args)
        return node

    def __lt__(self, other: Operand) -> Condition:
        return TracedCondition(self, "<", other)

    def __le__(self, other: Operand) -> Condition:
        return TracedCondition(self, "<=", other)

    def __gt__(self, other: Operand) -> Condition:
        return TracedCondition(self, ">", other)

    def __ge__(self, other: Operand) -> Condition:
        return TracedCondition(self, ">=", other)

    def __repr__(self) -> str:
        return f"Traced({self.label!r}, op={self.op!r})"

    def _refuse(self, *_: object) -> NoReturn:
        raise recording.cannot_compile(f"using the number of the traced {self!r}")

    __bool__ = __float__ = __int__ = backward = _refuse
    data = property(_refuse, _refuse)


class TracedCondition(Condition):
    """A comparison that may turn out differently for each example."""

    __slots__ = ()
    record = staticmethod(Traced.record)

    def __init__(self, left: Operand, symbol: str, right: Operand) -> None:
        self.left = left if isinstance(left, Value) else real_number(left, symbol)
        self.right = right if isinstance(right, Value) else real_number(right, symbol)
        self.symbol = symbol

    @property
    def truth(self) -> NoReturn:  # type: ignore[override]
        """Never known while tracing."""
        raise recording.cannot_compile("a branch on the comparison of Values")

    def __repr__(self) -> str:
        return f"TracedCondition({self.left!r} {self.symbol} {self.right!r})"


@dataclass(frozen=True)
class Trace:
    """A function's recording.

    Attributes:
        inputs: the Traced inputs of one example, flat.
        outputs: what it returned, flat.
        form: the lists and tuples that it returned them in, with None for each; None for one Value.
    """

    inputs: list[Traced]
    outputs: list[Operand]
    form: Any


def trace(f: Callable[..., Any], shapes: Sequence[tuple[int, ...]]) -> Trace:
    """Record `f` on one example: a Traced for each column of numbers, lists for a column of rows.

    Raises:
        TypeError: if `f` asks for a number of its inputs, or branches on a comparison of Values,
            or returns anything but Values and numbers, or lists and tuples of them.
    """
    inputs: list[Traced] = []
    outputs: list[Operand] = []
    names = _argument_names(f, len(shapes))
    with recording.tracing():
        result = f(*[_argument(*pair, inputs) for pair in zip(names, shapes, strict=True)])
    return Trace(inputs, outputs, _form(f, result, outputs))


def _form(f: Callable[..., Any], result: object, outputs: list[Operand]) -> Any:
    """The lists and tuples of a result; appends what they hold to `outputs`."""
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


# --- the graph as integers ------------------------------------------------------------------------

ONCE, EACH, MEAN, AFTER = range(4)


@dataclass
class Listing:
    """What is to be computed, one node after its operands; a node is its index in these lists.

    Attributes:
        ops: the name of a primitive, or "mean"; "k" for a constant, "w" for a leaf, "x" for an
            input.
        args: the nodes that are operated on; for a constant its number, of leaves and inputs
            nothing.
        sections: where it is computed: ONCE a call (constants and leaves too), for EACH example
            (inputs too), as a MEAN, or AFTER the means.
        labels: what people called the nodes.
        results: the nodes that are returned.
    """

    inputs: list[str]
    leaves: list[Value]
    is_batch: bool
    ops: list[str]
    args: list[Any]
    sections: list[int]
    labels: dict[int, str]
    results: list[int]

    @cached_property
    def key(self) -> str:
        """The same for listings that differ in nothing but the leaves and their labels."""
        counts = [len(self.inputs), len(self.leaves), self.is_batch]
        parts = [counts, self.ops, self.args, self.results, self.labels]
        text = marshal.dumps(parts, 2)  # the format that depends on nothing but the values
        return hashlib.blake2b(text, digest_size=16).hexdigest()


def listing(
    inputs: Sequence[Traced],
    outputs: Sequence[Operand],
    is_batch: bool,
    leaves: Iterable[Value] = (),
) -> Listing:
    """The listing of the outputs for each example, or of their means over the batch.

    Args:
        leaves: those that come first among the leaves; the others follow as they are met.
    """
    lister = _Lister(inputs, leaves, is_batch)
    lister.walk(outputs)
    nodes = [lister.node(output) for output in outputs]
    lister.out.results = [lister.mean(node) for node in nodes] if is_batch else nodes
    return lister.out


class _Lister:
    """Writes the nodes of a graph into a listing, each once, after its operands."""

    def __init__(self, inputs: Sequence[Traced], leaves: Iterable[Value], is_batch: bool) -> None:
        self.out = Listing([x.label for x in inputs], [], is_batch, [], [], [], {}, [])
        self.nodes: dict[Any, int] = {}  # of a Value
        self.written: dict[Any, int] = {}  # of what is written
        for x in inputs:
            self.nodes[x] = self._append("x", (), EACH)
        for leaf in leaves:
            self._leaf(leaf)

    def walk(self, outputs: Iterable[Operand]) -> None:
        """List all that the outputs depend on (see `topological_order`)."""
        nodes = self.nodes
        stack: list[Any] = list(outputs)[::-1]
        while stack:
            node = stack.pop()
            if node is None:  # the node beneath has all its operands listed
                node = stack.pop()
                if node not in nodes:
                    nodes[node] = self._node(node)
            elif type(node) not in (float, bool) and node not in nodes:
                if args := _operands(node):
                    stack += [node, None, *args[::-1]]
                elif isinstance(node, Value):
                    self._leaf(node)

    def node(self, x: Any) -> int:
        """The number of a node, or of a plain number."""
        if type(x) is not float and not isinstance(x, float | int):
            return self.nodes[x]
        number = float(x)
        key = number if number and number == number else repr(number)  # tells 0.0 from -0.0
        found = self.written.get(key)
        return self._append("k", number, ONCE, key) if found is None else found

    def _leaf(self, leaf: Value) -> None:
        if isinstance(leaf, Traced):
            raise RuntimeError(
                f"jit: the graph holds {leaf!r} of another recording; a function to compile must "
                f"not keep Values for its next call"
            )
        if leaf not in self.nodes:
            self.out.leaves.append(leaf)
            self.nodes[leaf] = self._append("w", (), ONCE)

    def _node(self, node: Any) -> int:
        op, args = _op(node), [self.node(arg) for arg in _operands(node)]
        if op == "where" and self.out.ops[args[0]] == "k":  # decided by a plain number
            return args[1] if self.out.args[args[0]] else args[2]
        if op == "pow" and self.out.ops[args[1]] == "k" and self.out.args[args[1]] == 1.0:
            return args[0]
        if op in ("sum", "dot") and len(args) <= 2:
            if not args:
                return self.node(0.0)
            if len(args) == 1:
                return args[0]
            op = "add" if op == "sum" else "mul"
        number = self.write(op, tuple(args))
        if label := getattr(node, "label", ""):
            self.out.labels.setdefault(number, str(label))
        return number

    def write(self, op: str, args: tuple[int, ...], section: int | None = None) -> int:
        """The node of this operation: a new one, unless the very same was written before."""
        key = (op, args)
        found = self.written.get(key)
        if found is not None:
            return found
        if section is None:
            sections = self.out.sections
            section = max([sections[arg] for arg in args], default=ONCE)
        return self._append(op, args, section, key)

    def _append(self, op: str, args: Any, section: int, key: Any = None) -> int:
        out = self.out
        out.ops.append(op)
        out.args.append(args)
        out.sections.append(section)
        number = len(out.ops) - 1
        if key is not None:
            self.written[key] = number
        return number

    def mean(self, node: int) -> int:
        """The mean of a node over the examples: what does not vary is added to a mean.

        Additions are swapped, never regrouped, so that the mean over one example has the bits of
        that example. Hence the terms that vary must come first, or there must be just one of them.
        """
        constant: list[int] = []
        ops, args, sections = self.out.ops, self.out.args, self.out.sections
        if sections[node] == ONCE:
            return node
        while ops[node] in ("add", "sum"):
            terms: Sequence[int] = args[node]
            positions = [i for i, term in enumerate(terms) if sections[term] == EACH]
            if len(positions) == len(terms):
                break
            first, end = positions[0], positions[-1] + 1
            if len(positions) > 1 and (first > 0 or end != len(positions)):
                break
            before = [self._sum(terms[:first])] if first else []
            constant = [*before, *terms[end:], *constant]
            node = self._sum(terms[first:end])
        mean = self.write("mean", (node,), MEAN)
        return self.write("sum", (mean, *constant), AFTER) if constant else mean

    def _sum(self, terms: Sequence[int]) -> int:
        return terms[0] if len(terms) == 1 else self.write("sum", tuple(terms))


_NAMES = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def _op(node: Any) -> str:
    return _NAMES[node.symbol] if isinstance(node, Condition) else cast(str, node.op)


def _operands(node: Any) -> tuple[Any, ...]:
    return (node.left, node.right) if isinstance(node, Condition) else node.args
