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
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any, NoReturn

from autograd import recording
from autograd.derivatives import grad
from autograd.operators import CONDITIONS, add_arithmetic, following
from autograd.optim import Stepper
from autograd.primitives import TABLE, Primitive, is_bool, real_number, sqrt
from autograd.value import Operand, Value, topological_order


class Traced(Value):
    """A Value whose number differs from example to example: the slot for it stays empty."""

    __slots__ = ()

    def __init__(self, label: str = "") -> None:
        self.label = label
        self._created = following()
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


@dataclass(frozen=True)
class Trace:
    """A function's recording.

    Attributes:
        inputs: the Traced inputs of one example, flat.
        outputs: what it returned, flat.
        form: the lists and tuples that it returned them in, with None for each; None for one Value.
        has_branches: whether following branches makes a difference to it.
    """

    inputs: list[Traced]
    outputs: list[Operand]
    form: Any
    has_branches: bool


def trace(
    f: Callable[..., Any], shapes: Sequence[tuple[int, ...]], follows_branches: bool = False
) -> Trace:
    """Record `f` on one example: a Traced for each column of numbers, lists for a column of rows.

    If it `follows_branches`, gradients that are taken in it keep those not taken out.

    Raises:
        TypeError: if `f` asks for a number of its inputs, or branches on a comparison of Values,
            or returns anything but Values and numbers, or lists and tuples of them.
    """
    inputs: list[Traced] = []
    outputs: list[Operand] = []
    names = _argument_names(f, len(shapes))
    with recording.tracing(follows_branches) as current:
        result = f(*[_argument(*pair, inputs) for pair in zip(names, shapes, strict=True)])
    form = _form(f, result, outputs)
    return Trace(inputs, outputs, form, current.has_branches)


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
    """The leaves that `backward()` of the output reaches, other than inputs.

    Those that are only compared are not among them. They are in the order of their names, if all
    have names that differ; else as they are met.
    """
    order = topological_order(output) if isinstance(output, Value) else []
    reached: set[Any] = {output}
    for node in reversed(order):
        if node in reached and node.primitive is not None:
            has_derivative = node.primitive.has_derivative
            reached.update(arg for i, arg in enumerate(node.args) if has_derivative(i))
    leaves = [x for x in order if x.primitive is None and x in reached and type(x) is not Traced]
    names = {str(leaf.label or "") for leaf in leaves}
    return sorted(leaves, key=_natural) if len(names) == len(leaves) and "" not in names else leaves


def _natural(leaf: Value) -> list[tuple[int, str]]:
    """For sorting by label, with numbers in it by their size."""
    parts = re.split(r"(\d+)", str(leaf.label))
    return [(int(part), "") if i % 2 else (0, part) for i, part in enumerate(parts)]


def gradient_of(
    output: Operand, leaves: Sequence[Value], follows_branches: bool = False
) -> tuple[list[Operand], bool]:
    """∂output/∂leaf for each leaf, as graph or as a plain number, and whether branches matter.

    If they do, a gradient that `follows_branches` keeps those not taken out (see `grad`).
    """
    if not isinstance(output, Value):
        return [0.0] * len(leaves), False
    known = {node for node in topological_order(output) if node.primitive is None}
    with recording.tracing(follows_branches) as current:
        slopes = grad(output, leaves)
    numbers = [x if x.primitive is not None or x in known else x.data for x in slopes]
    return numbers, current.has_branches


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
        new_weight, new_state = stepper.rule(weight, gradient, tuple(state), settings, sqrt)
        if len(new_state) != n_state:
            raise TypeError(
                f"{type(stepper).__name__}.rule: returned a state of {len(new_state)} numbers, "
                f"got one of {n_state}; the two must be alike"
            )
        return [new_weight, *new_state]

    return trace(rule, [(), (n_state,), ()]), coefficients


# --- the graph as integers ------------------------------------------------------------------------

ONCE, EACH, MEAN, AFTER = range(4)

OWN = frozenset(TABLE)
"""The package's rows. One that a user made is listed as "row.NAME", whatever it is called."""


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
        users = sorted(op for op in set(self.ops) if op.startswith("row."))
        rows = [id(TABLE.get(op.removeprefix("row."))) for op in users]  # made anew, it is another
        parts = [counts, self.ops, self.args, self.results, self.labels, rows]
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
        pop, push = stack.pop, stack.append
        while stack:
            node = pop()
            if node is None:  # the node beneath has all its operands listed
                node = pop()
                if node not in nodes:
                    nodes[node] = self._node(node)
            elif type(node) is not float and node not in nodes:
                if node.primitive is None:
                    self._leaf(node)
                    continue
                push(node)
                push(None)
                for arg in reversed(node.args):
                    if type(arg) is not float and arg not in nodes:
                        push(arg)

    def node(self, x: Operand) -> int:
        """The number of a node, or of a plain number."""
        if type(x) is not float:
            return self.nodes[x]
        key = x or repr(x)  # tells 0.0 from -0.0, and takes nan for nan
        key = key if x == x else "nan"  # noqa: PLR0124
        found = self.written.get(key)
        return self._append("k", x, ONCE, key) if found is None else found

    def _leaf(self, leaf: Value) -> None:
        if isinstance(leaf, Traced):
            raise RuntimeError(
                f"jit: the graph holds {leaf!r} of another recording; a function to compile must "
                f"not keep Values for its next call"
            )
        if leaf not in self.nodes:
            self.out.leaves.append(leaf)
            self.nodes[leaf] = self._append("w", (), ONCE)

    def _node(self, node: Value) -> int:
        assert node.primitive is not None
        nodes = self.nodes
        args = tuple([nodes[x] if type(x) is not float else self.node(x) for x in node.args])
        number = self.operation(node.primitive, args)
        if node.label:
            self.out.labels.setdefault(number, str(node.label))
        return number

    def operation(self, primitive: Primitive, args: tuple[int, ...]) -> int:
        """The node of an operation; that of a composite row is written in elementary ones."""
        if primitive.definition is not None:
            result = primitive.definition(*[_Written(self, arg) for arg in args])
            return result.number if isinstance(result, _Written) else self.node(float(result))
        op, ops, numbers = primitive.name, self.out.ops, self.out.args
        if op not in OWN:
            op = f"row.{op}"
        if op == "where" and ops[args[0]] == "k":  # decided by a plain number
            return args[1] if numbers[args[0]] else args[2]
        if op == "pow" and ops[args[1]] == "k" and numbers[args[1]] in (1.0, 2.0):
            if numbers[args[1]] == 1.0:
                return args[0]
            op, args = "mul", (args[0], args[0])  # as the table has it
        if op == "stop_gradient":
            return args[0]
        if op in ("sum", "dot") and len(args) <= 2:
            if not args:
                return self.node(0.0)
            if len(args) == 1:
                return args[0]
            op = "add" if op == "sum" else "mul"
        return self.write(op, args)

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


class _Written:
    """A node of a listing, for the value of a composite row to be written with."""

    __slots__ = ("lister", "number")

    def __init__(self, lister: _Lister, number: int) -> None:
        self.lister = lister
        self.number = number

    def record(self, primitive: Primitive, args: Sequence[Any]) -> _Written:
        """The operation, written to the listing."""
        lister = self.lister
        numbers = [x.number if isinstance(x, _Written) else lister.node(float(x)) for x in args]
        return _Written(lister, lister.operation(primitive, tuple(numbers)))


add_arithmetic(_Written)
