"""`scan`: a loop over many steps, which a compiled function records once and does not unroll.

    >>> def step(state, force):
    ...     position, velocity = state
    ...     velocity = velocity + 0.1 * (force - position)
    ...     return (position + 0.1 * velocity, velocity), position
    >>> state, positions = scan(step, (Value(1.0), Value(0.0)), [0.0] * 100)

In a function that is being compiled the step is called once, and recorded as a graph of its own
(see `loop_primitive`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd import recording
from autograd.checks import refuse_masked
from autograd.compiler.loop_primitive import Step, joined, record
from autograd.compiler.trace import Traced
from autograd.derivatives.graph import closed_over, copied, of_loops
from autograd.derivatives.structures import (
    Nested,
    flat,
    form_of,
    is_array,
    operands,
    paths,
    rebuilt,
)
from autograd.operators import counter
from autograd.value import Operand, Value

UNDIVIDED = 1_024
"""Loops of more steps are recorded as loops over segments of about √n steps. A gradient then keeps
the numbers of one segment and the state before each, and computes each segment a second time: the
gradient of 1,000 steps takes 1.4 to 1.6 times as long, but the memory grows with √n only."""


def scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    state: Nested,
    inputs: Iterable[Nested] | None = None,
    length: int | None = None,
) -> tuple[Any, Any]:
    """Run a loop: `state, output = step(state, input)` for each of the inputs in turn.

    In eager code this is a Python loop, and the graph has a node for each operation of each step.
    In a function that is being compiled (by `jit`, `jit_step`, `fit(compiled=True)` or `to_jax`)
    the step is called once, and becomes a loop of the program: the time and the memory to compile
    it are those of one step. So is its gradient, which keeps about √length states and computes the
    steps between them again. Values and gradients have the bits of eager code, with the exceptions
    below. For `sparse_jacobian`, `sparse_hessian` and `minimize` every step is recorded.

        >>> decay = Value(0.5)
        >>> def step(total, x):
        ...     total = decay * total + x
        ...     return total, total
        >>> jit(lambda xs: scan(step, 0.0, xs)[0])([[1.0, 2.0, 3.0]])
        [4.25]

    Values that the step closes over, such as the parameters of a model, get gradients as usual.
    Derivatives of any order, `gradient`, `jvp` and other transformations apply.

    While a step is recorded, its state and its inputs are Values without numbers, even if the
    initial state or the inputs are plain numbers. The rules of `jit` apply to the step: no `if` on
    a comparison of Values, and a Value may leave the step only as a part of its result.

    Some sums are grouped in another way, so that gradients may differ from those of eager code in
    the last bits: for a Value that the loop reads in two places (as its initial state and in the
    step, or twice in the state or the inputs), for a state that a step returns unchanged, and for
    derivatives of higher order.

    Args:
        step: takes the state and an input, and returns the new state and an output; `None` as the
            output if there is none.
        state: the initial state: a number, or lists, tuples, dictionaries and arrays of numbers.
            Each step must return one of the same structure.
        inputs: one for each step, all of the same structure; without inputs, `step` gets None.
        length: the number of steps, if there are no inputs to count.

    Returns:
        the last state, and the list of the outputs; None in its place if every output is None.

    Raises:
        TypeError: if `step` does not return a pair, or the state, an input or an output holds
            anything but real numbers and Values; or if neither inputs nor a length is given.
        ValueError: if a new state, or an input, has another structure than the one before, or
            `length` is not the number of inputs.
    """
    if not callable(step):
        raise TypeError(f"scan: expected a function as step, got {step!r:.80}")
    xs = _inputs(inputs, length)
    if xs and recording.has_loops():
        return _recorded(step, state, xs)
    form, outputs = form_of(state), []
    is_mutable = _is_mutable(form)
    for x in xs:
        if is_mutable:  # a step that changes its state must not change earlier outputs
            state = rebuilt(state, flat(state))
        state, output = _pair(step(state, x))
        if form_of(state) != form:
            raise _other_structure("a step returned the state", state, form)
        outputs.append(output)
    return state, None if xs and all(output is None for output in outputs) else outputs


def _inputs(inputs: Any, length: int | None) -> list[Any]:
    if length is not None and (type(length) is not int or length < 0):
        raise TypeError(f"scan: expected a whole number from 0 on as length, got {length!r}")
    if inputs is None:
        if length is None:
            raise TypeError("scan: got neither inputs nor a length; write length=n for n steps")
        return [None] * length
    if isinstance(inputs, str | dict) or not hasattr(inputs, "__iter__"):
        raise TypeError(
            f"scan: expected inputs with an element for each step, got {inputs!r:.80} of type "
            f"{type(inputs).__name__}; of several write list(zip(a, b)), and for a number of steps "
            f"length=n"
        )
    refuse_masked("scan: inputs", inputs)
    is_column = is_array(inputs) and inputs.ndim == 1
    xs = inputs.tolist() if is_column else list(inputs)
    if length not in (None, len(xs)):
        raise ValueError(f"scan: length is {length}, but there are {len(xs)} inputs; give one")
    return xs


def _pair(returned: object) -> tuple[Any, Any]:
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise TypeError(
            f"scan: step must return a pair, (new state, output), got {returned!r:.80}; "
            f"without an output write `return state, None`"
        )
    return returned


def _described(form: Any) -> str:
    """A structure as text, such as (number, [number, number])."""
    if form == "number":
        return "number"
    kind, parts = form
    if kind == "array":
        return f"array of shape {parts}"
    if issubclass(kind, dict):
        return "{" + ", ".join(f"{key!r}: {_described(part)}" for key, part in parts) + "}"
    inner = ", ".join(map(_described, parts))
    return f"[{inner}]" if issubclass(kind, list) else f"({inner}{',' * (len(parts) == 1)})"


def _is_mutable(form: Any) -> bool:
    """Whether a structure has lists, dictionaries or arrays in it, which can change in place."""
    if form == "number":
        return False
    kind, parts = form
    return kind == "array" or not issubclass(kind, tuple) or any(map(_is_mutable, parts))


def _other_structure(what: str, nested: Nested, expected: Any) -> ValueError:
    return ValueError(
        f"scan: {what} {_described(form_of(nested))}, where the first one is "
        f"{_described(expected)}; all must have the same structure"
    )


# --- recording a step -----------------------------------------------------------------------------


def _recorded(step: Callable[[Any, Any], Any], state: Nested, xs: list[Any]) -> tuple[Any, Any]:
    """Record the loop as a node; returns the last state, and the outputs of each step or None."""
    numbers, form = operands(state, "scan: the initial state"), form_of(state)
    rows: list[Sequence[Operand]] = [()] * len(xs)
    if xs[0] is not None:
        rows = [operands(x, f"scan: input {t}") for t, x in enumerate(xs)]
        form_of_input = form_of(xs[0])
        for t, x in enumerate(xs):
            if form_of(x) != form_of_input:
                raise _other_structure(f"input {t} is", x, form_of_input)
    start = next(counter)
    states = [Traced(f"state{path}") for path in paths(state)]
    inputs = [Traced(f"input{path}") for path in paths(xs[0])] if xs[0] is not None else []
    x = None if xs[0] is None else rebuilt(xs[0], iter(inputs))
    new_state, output = _pair(step(rebuilt(state, iter(states)), x))
    if form_of(new_state) != form:
        raise _other_structure("a step returned the state", new_state, form)
    results = operands(new_state, "scan: a state that step returned")
    outputs = [] if output is None else operands(output, "scan: an output of step")
    closure = closed_over([*results, *outputs], {*states, *inputs}, start, with_leaves=True)
    for node in closure:
        if type(node) is Traced and node._created >= start:
            raise TypeError(
                f"scan: step uses {node!r}, a Value of another step that was kept; a step "
                f"passes on what it returns, as state or as output"
            )
    new = {x: _leaf(x) for x in closure}
    results = copied([*results, *outputs], dict(new))
    graph = Step(states, inputs, list(new.values()), results[: len(states)])
    last, kept = _run(graph, results[len(states) :], numbers, closure, rows)
    by_step = None if output is None else [rebuilt(output, iter(row)) for row in kept]
    return rebuilt(state, iter(last)), by_step


def _leaf(x: Value) -> Value:
    """A leaf of a step that stands for a Value outside of it."""
    leaf = Value(math.nan if type(x) is Traced else x._float, x.label)
    if x.primitive is not None or x in of_loops:
        of_loops.add(leaf)
    return leaf


def _run(
    step: Step,
    outputs: Sequence[Operand],
    state: Sequence[Operand],
    closure: Sequence[Value],
    rows: Sequence[Sequence[Operand]],
) -> tuple[list[Operand], list[list[Operand]]]:
    """Run a loop: returns its last state, and the outputs of each step.

    A long loop is divided into segments; the steps that are left over come before them.
    """
    n = len(rows)
    if n <= UNDIVIDED:
        return _undivided(step, outputs, state, closure, rows)
    size = segment_size(n)
    first = n % size
    kept: list[list[Operand]] = []
    if first:
        state, kept = _undivided(step, outputs, state, closure, rows[:first])
    leaves = [_leaf(x) for x in step.closure]
    states = [Traced(x.label) for x in step.state]
    inputs = [[Traced(x.label) for x in step.inputs] for _ in range(size)]
    last, each = _undivided(step, outputs, states, leaves, inputs)
    segment = Step(states, joined(inputs), leaves, last)
    blocks = [joined(rows[i : i + size]) for i in range(first, n, size)]
    last, blocks = _undivided(segment, joined(each), state, closure, blocks)
    width = len(outputs)
    kept += [block[i * width : (i + 1) * width] for block in blocks for i in range(size)]
    return last, kept


def segment_size(n: int) -> int:
    """The number of steps of a segment: about √n, a divisor of n if one is near."""
    root = math.isqrt(n)
    near = sorted(range(root // 2 + 1, 2 * root), key=lambda size: abs(math.log(size / root)))
    return next((size for size in near if n % size == 0), root)


def _undivided(
    step: Step,
    outputs: Sequence[Operand],
    state: Sequence[Operand],
    closure: Sequence[Value],
    rows: Sequence[Sequence[Operand]],
) -> tuple[list[Operand], list[list[Operand]]]:
    """Run all steps as one loop; returns the last state and the outputs of each step."""
    columns = zip(*rows, strict=True)
    run = record(step, len(rows), [*state, *closure, *joined(columns)])
    last = [run.at(x, len(rows) - 1) for x in step.next_state]
    return last, [[run.at(x, t) for x in outputs] for t in range(len(rows))]
