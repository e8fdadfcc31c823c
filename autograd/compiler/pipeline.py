"""The compiler pipeline: `lower` and `roll` run the passes from a recorded graph to a `Program`.

`trace` has recorded a function, with all loops unrolled. What follows are passes over arrays of
integers, the first by `lower`, the others by `roll`:

1. `lowering`: the operations that are needed, as a tape; with `reverse`, those of the gradient.
2. `expressions`: operations are fused into expression trees, and trees of one form identified.
3. `schedule`: expressions that can be computed together become groups, in an order.
4. `access`: every number gets an address; groups become arrays of the addresses they use.
5. `reroll`: repeated sequences of groups become loops, also nested ones.
6. `assembly`: addresses that are affine in the loop indices are recognized; the result is a
   `Program`.

`partition` divides a graph with scans into parts, which pass through these one by one, and links
them.

The modules of the passes, and NumPy, are imported when the first program is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from autograd.compiler.program import Program
from autograd.compiler.trace import Traced
from autograd.locks import loading
from autograd.value import Operand, Value

if TYPE_CHECKING:
    from autograd.compiler.lowering import Tape
    from autograd.compiler.partition import Partitioned

Lowered: TypeAlias = "Tape | Partitioned"
"""The input of `roll`: a tape, or several of them with scans in between."""


def lower(
    inputs: Sequence[Traced],
    outputs: Sequence[Operand],
    is_batch: bool,
    leaves: Iterable[Value] = (),
    variables: Sequence[Value] = (),
    follows_branches: bool = False,
    with_value: bool = True,
) -> Lowered:
    """The tape of the outputs for each example, or of their means over the batch.

    Args:
        leaves: the first of the leaves; others follow in the order of their creation.
        variables: leaves or inputs; the derivative of the first output with respect to each of them
            is one more output. (`selection` of the tape says what unselected branches can do to
            these.)
        follows_branches: whether those derivatives ignore unselected branches.
        with_value: whether the first output is an output itself, beside its derivatives.
    """
    with loading:
        from autograd.compiler import partition

    return partition.lower_parts(
        inputs, outputs, is_batch, leaves, None, variables, follows_branches, with_value
    )


def roll(tape: Lowered) -> Program:
    """The program that computes what is on the tape."""
    with loading:
        from autograd.compiler import partition
        from autograd.compiler.access import Access
        from autograd.compiler.assembly import Assembly
        from autograd.compiler.expressions import Expressions
        from autograd.compiler.schedule import groups

    if isinstance(tape, partition.Partitioned):
        return partition.roll_parts(tape, roll)
    x = Expressions(tape)
    access = Access(x, *groups(x))
    rolled = [access.roller.loops(items) for items in access.sections]
    labels = [tape.labels.get(row, "") for row in access.rows.tolist()] if tape.labels else []
    assembly = Assembly(access.roller, tape.numbers[access.constants], labels)
    once, each, means, after = map(assembly.items, rolled)
    return Program(
        tuple(tape.inputs),
        tuple(tape.leaves),
        tape.is_batch,
        once,
        each,
        means,
        after,
        constants=assembly.constants,
        table=assembly.table,
        sizes=access.sizes | {"k": len(assembly.constants)},
        key=tape.key,
        rows=tuple(tape.rows),
    )
