"""A program on JAX arrays: one array operation for each group, `lax.scan` for a recurrent loop.

JAX arrays cannot be written to. So each group makes a new array, and `_Memory` knows in which array
and at which place of it the number of each address is. Addresses are integer arrays of NumPy, known
while JAX traces; those of all spaces count on in one sequence. An operand is read as a slice of an
array, reshaped and transposed, where its addresses allow it; otherwise slices are joined, or the
numbers are gathered. Addresses that are the same along an axis have length 1 there, which makes a
matrix product of a sum of products.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import jax
import numpy as np
from jax import lax
from jax import numpy as jnp

from autograd.compiler.program import (
    Apply,
    Expression,
    Group,
    Integer,
    Item,
    Loop,
    Operand,
    Program,
    Reduce,
    Run,
)

Array: TypeAlias = Any
"""An array of JAX: an axis for the examples, where they differ, and then those of its group."""

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

Read: TypeAlias = Callable[[Integers], Array]
"""The numbers at these addresses."""

Step: TypeAlias = "tuple[Group, _Box]"
"""A group, and the box of its rows in all iterations of the loops around it."""


# --- index spaces ---------------------------------------------------------------------------------


class _Layout:
    """The address spaces of a program one after another, and its table as an array."""

    def __init__(self, program: Program) -> None:
        self.table: Integers = np.frombuffer(program.table, np.int64)
        self.sizes = program.sizes
        ends = list(accumulate(program.sizes.values(), initial=0))
        self.start = dict(zip(program.sizes, ends, strict=False))
        self.varies = np.zeros(ends[-1], bool)  # of each address, whether it does between examples
        for space, size in program.sizes.items():
            self.varies[self.start[space] :][:size] = program.varies(space)


@dataclass(frozen=True)
class _Box:
    """All values of the indices in scope: for each index an array, which broadcasts to `shape`.

    Where an extent differs from row to row, the rows stand one after another in a single axis.
    """

    layout: _Layout
    shape: tuple[int, ...] = ()
    index: tuple[Integers, ...] = ()

    def integer(self, x: Integer) -> Integers:
        """The integer at each point; of length 1 along an axis on which it does not depend."""
        if isinstance(x, int):
            return np.full((1,) * len(self.shape), x)
        return self.layout.table[self.affine(x.at, x.strides, len(self.layout.table))]

    def affine(self, base: Integer, strides: Sequence[Integer], size: int) -> Integers:
        """base + Σ stride·index, at least 0 and less than `size`, which padding may exceed."""
        total = self.integer(base)
        for stride, index in zip(strides, self.index, strict=False):
            if stride != 0:
                total = total + self.integer(stride) * index
        return np.clip(total, 0, size - 1)

    def addresses(self, x: Operand) -> Integers:
        """With length 1 along each axis on which they do not depend."""
        within = self.affine(x.base, x.strides, self.layout.sizes[x.space])
        return within + self.layout.start[x.space]

    def padded(self, extent: Integer) -> tuple[_Box, Any]:
        """The box with one more index; and which of its points exist, None if all do.

        Where there are fewer values than elsewhere, the last is repeated.
        """
        n = self.integer(extent)[..., None]
        values = np.arange(n.max(initial=0)).reshape((1,) * len(self.shape) + (-1,))
        inside = None if (n == values.size).all() else values < n
        index = values if inside is None else np.minimum(values, np.maximum(n - 1, 0))
        indices = (*(i[..., None] for i in self.index), index)
        return _Box(self.layout, (*self.shape, values.size), indices), inside

    def extended(self, extent: Integer) -> _Box:
        """The box with one more index."""
        box, inside = self.padded(extent)
        return box if inside is None else box.where(inside)

    def fixed(self, value: int, count: Integer) -> _Box:
        """The box with one more index, which has this value."""
        inside = self.integer(count) > value
        box = self if inside.all() else self.where(inside)
        return replace(box, index=(*box.index, np.full((1,) * len(box.shape), value)))

    def where(self, inside: Any) -> _Box:
        """Those points, in a single axis."""
        inside = np.broadcast_to(inside, self.shape)
        index = tuple(np.broadcast_to(i, self.shape)[inside] for i in self.index)
        return _Box(self.layout, (int(inside.sum()),), index)

    def rows(self, group: Group) -> _Box:
        """The box with the indices of the group."""
        box = self
        for extent in group.dims:
            box = box.extended(extent)
        return box


def _steps(items: Iterable[Item], box: _Box) -> Iterator[Step]:
    """The groups, each in all iterations of the loops around it."""
    for item in items:
        if isinstance(item, Group):
            rows = box.rows(item)
            if math.prod(rows.shape):
                yield item, rows
        else:
            yield from _steps(item.body, box.extended(item.count))


def _written(step: Step) -> Integers:
    """The addresses of all rows of a group."""
    group, rows = step
    return np.broadcast_to(rows.addresses(group.target), rows.shape)


def _reads(expression: Expression, box: _Box) -> Iterator[tuple[Operand, _Box]]:
    """All operands, each with the box of the indices where it stands."""
    match expression:
        case Operand():
            yield expression, box
        case Apply(args=args):
            for arg in args:
                yield from _reads(arg, box)
        case Reduce(first=first, runs=runs):
            yield from _reads(-0.0 if first is None else first, box)
            for run in runs:
                turns, _ = box.padded(run.count)
                for term in run.terms if turns.shape[-1] else ():
                    yield from ((factor, turns) for factor in term.factors)


# --- where numbers are ----------------------------------------------------------------------------


class _Memory:
    """In which array the number at each address is, and at which place of its last axis."""

    def __init__(self, size: int) -> None:
        self.arrays: list[Array] = [jnp.zeros(1)]  # for addresses that only padding reads
        self.owner, self.place = np.zeros((2, size), np.int64)
        self.found: dict[Any, Array] = {}

    def put(self, addresses: Integers, array: Array) -> None:
        self.owner[addresses] = len(self.arrays)
        self.place[addresses] = np.arange(addresses.size).reshape(addresses.shape)
        self.arrays.append(array)

    def read(self, addresses: Integers) -> Array:
        """The numbers at these addresses, none of which is written to afterwards."""
        key = addresses.shape, addresses.tobytes()
        if key not in self.found:
            found = _picked(self.arrays, self.owner[addresses], self.place[addresses])
            self.found[key] = found
        return self.found[key]


def _picked(arrays: Sequence[Array], owner: Integers, place: Integers) -> Array:
    """The numbers at these places of the last axes of these arrays."""
    used = list(dict.fromkeys(owner.ravel().tolist()))
    x, at = arrays[used[0]], place
    if len(used) > 1:
        at, parts, start = np.zeros_like(place), [], 0
        for i in used:
            mine = owner == i
            low, high = int(place[mine].min()), int(place[mine].max()) + 1
            parts.append(lax.slice_in_dim(arrays[i], low, high, axis=-1))
            at[mine] = place[mine] - low + start
            start += high - low
        x = jnp.concatenate(parts, -1)
    found = _sliced(x, at)
    if found is None:
        found = x.at[..., at.astype(np.int32)].get(mode="promise_in_bounds")
    return found


def _sliced(x: Array, place: Integers) -> Array | None:
    """The numbers at these places as a slice, reshaped and transposed; None if they are not."""
    zero = (0,) * place.ndim
    ones = [(*zero[:i], min(1, n - 1), *zero[i + 1 :]) for i, n in enumerate(place.shape)]
    strides = [int(place[one] - place[zero]) for one in ones]
    indices = np.indices(place.shape, sparse=True)
    affine = sum((s * i for s, i in zip(strides, indices, strict=True)), place[zero])
    moving = sorted((i for i, s in enumerate(strides) if s), key=lambda i: -abs(strides[i]))
    steps = [(place.shape[i], abs(strides[i])) for i in moving]
    if not (affine == place).all() or any(
        outer % inner or n * inner > outer for (_, outer), (n, inner) in pairwise(steps)
    ):
        return None
    low, lead = int(place.min()), x.shape[:-1]
    size = math.prod(steps[0]) if steps else 1
    if low + size > x.shape[-1]:
        x = jnp.pad(x, [(0, 0)] * len(lead) + [(0, low + size - x.shape[-1])])
    y = lax.slice_in_dim(x, low, low + size, axis=-1)
    for n, step in steps:
        y = y.reshape(*y.shape[:-1], size // step, step)[..., :n, :]
        size = step
    y = jnp.flip(y[..., 0], [len(lead) + i for i, axis in enumerate(moving) if strides[axis] < 0])
    order = sorted(range(len(moving)), key=moving.__getitem__)
    y = y.transpose(*range(len(lead)), *(len(lead) + i for i in order))
    kept = [n if stride else 1 for n, stride in zip(place.shape, strides, strict=True)]
    return jnp.broadcast_to(y.reshape(lead + tuple(kept)), lead + place.shape)


# --- running it -----------------------------------------------------------------------------------


class _IrregularError(Exception):
    """A loop that no scan can run."""


class Evaluation:
    """A program on arrays (numbers, or what JAX traces).

    Args:
        program: what to run.
        apply: applies the primitive of this name to arrays.
        leaves: the numbers of the leaves, flat.
        examples: the inputs, a row for each example.
    """

    def __init__(
        self, program: Program, apply: Callable[..., Array], leaves: Array, examples: Array
    ) -> None:
        self.program, self.apply = program, apply
        leaves = jnp.asarray(leaves)
        self.dtype = jnp.result_type(leaves, float)  # integers as floats
        if leaves.shape != (program.sizes["w"],):
            raise ValueError(
                f"jax: expected the numbers of {program.sizes['w']} leaves in a flat array, "
                f"got an array of shape {leaves.shape}"
            )
        examples = jnp.asarray(examples, self.dtype)
        self.n_examples = len(examples)
        self.layout = _Layout(program)
        self.memory = _Memory(len(self.layout.varies))
        constants = jnp.asarray(np.frombuffer(program.constants), self.dtype)
        for space, array in ("k", constants), ("w", leaves.astype(self.dtype)), ("x", examples):
            self.memory.put(self.space(space), array)

    def results(self) -> Array:
        """The results of the batch, or a row for each example."""
        for section, items in self.program.sections.items():
            self.section = section
            self.run(items, _Box(self.layout))
        if not self.program.sizes["y"]:
            return jnp.zeros((self.n_examples, 0)[self.program.is_batch :])
        return self.memory.read(self.space("y"))

    def space(self, space: str) -> Integers:
        """All addresses of a space."""
        return self.layout.start[space] + np.arange(self.program.sizes[space])

    def lead(self, addresses: Integers) -> tuple[int, ...]:
        """The axis of the examples, or none."""
        return (self.n_examples,) if self.layout.varies[addresses.flat[0]] else ()

    def run(self, items: Iterable[Item], box: _Box) -> None:
        """Compute the items in all iterations of the box."""
        for item in items:
            if isinstance(item, Group):
                self.write(item, box.rows(item))
                continue
            turns = box.extended(item.count)
            if not math.prod(turns.shape):
                continue
            for part, is_recurrent in self.parts(item, turns):
                if not is_recurrent:
                    self.run(part, turns)
                    continue
                try:
                    _Scan(self, part, turns, len(box.shape)).run()
                except _IrregularError:
                    for turn in range(int(box.integer(item.count).max())):
                        self.run(part, box.fixed(turn, item.count))

    def write(self, group: Group, rows: _Box) -> None:
        """Compute a group, and keep what it computes."""
        if math.prod(rows.shape):
            array = self.computed(group, rows, rows.shape, self.memory.read)
            self.memory.put(_written((group, rows)), array)

    def parts(self, loop: Loop, turns: _Box) -> Iterator[tuple[list[Item], bool]]:
        """The body in parts, in order, each for all iterations before the next (loop fission).

        Items that need each other's earlier iterations are one part, and that is recurrent.
        """
        radices = [int(i.max()) + 1 for i in turns.index]

        def iteration(box: _Box) -> Integers:
            number = np.zeros((1,) * len(box.shape), np.int64)
            for index, radix in zip(box.index, radices, strict=False):
                number = number * radix + index
            return number

        writer, written_in = np.full((2, len(self.layout.varies)), -1)
        steps = [(i, step) for i, item in enumerate(loop.body) for step in _steps([item], turns)]
        for number, step in steps:
            addresses = _written(step)
            writer[addresses] = number
            written_in[addresses] = iteration(step[1])
        reached = np.eye(len(loop.body), dtype=bool)  # which items each needs, also through others
        is_recurrent = np.zeros(len(loop.body), bool)
        for number, (group, rows) in steps:
            for operand, box in _reads(group.expression, rows):
                addresses = box.addresses(operand)
                needed = writer[addresses]
                reached[number, needed[needed >= 0]] = True
                earlier = (needed == number) & (written_in[addresses] != iteration(box))
                is_recurrent[number] |= earlier.any()
        for through in range(len(reached)):
            reached |= np.outer(reached[:, through], reached[through])
        mutual = reached & reached.T
        for number in np.argsort(reached.sum(1), kind="stable"):  # what needs more comes later
            part = np.flatnonzero(mutual[number])
            if part[0] == number:
                yield [loop.body[i] for i in part], len(part) > 1 or bool(is_recurrent[number])

    def computed(self, group: Group, box: _Box, shape: tuple[int, ...], read: Read) -> Array:
        """The numbers of a group, its rows in one axis."""
        lead = self.lead(box.addresses(group.target))
        if self.section == "means":
            y = self.mean(group.expression, box, shape, read)
        else:
            y = self.value(group.expression, box, shape, read)
        y = jnp.broadcast_to(jnp.asarray(y, self.dtype), lead + shape)
        return y.reshape(*lead, math.prod(shape))

    def mean(self, expression: Expression, box: _Box, shape: tuple[int, ...], read: Read) -> Array:
        """The mean over the examples."""
        match expression:
            case Apply("mul", (Operand() as u, Operand() as v)):
                x, y = (read(box.addresses(z)) for z in (u, v))
                if min(x.ndim, y.ndim) > len(shape):
                    names = NAMES[: len(shape)]
                    y = jnp.einsum(f"b{names},b{names}->{names}", x, y, precision="highest")
                    return y / self.n_examples
        y = self.value(expression, box, shape, read)
        return y.mean(0) if jnp.ndim(y) > len(shape) else y

    def value(self, expression: Expression, box: _Box, shape: tuple[int, ...], read: Read) -> Array:
        """The expression for each row."""
        match expression:
            case Operand():
                return read(box.addresses(expression))
            case Apply(primitive=name, args=args):
                return self.apply(name, *(self.value(arg, box, shape, read) for arg in args))
            case Reduce(first=first, runs=runs):
                total = -0.0 if first is None else self.value(first, box, shape, read)
                for term in self.terms(runs, box, len(shape), read):
                    total = total + term
                return total
        return jnp.asarray(expression, self.dtype)

    def terms(self, runs: Sequence[Run], box: _Box, n_axes: int, read: Read) -> Iterator[Array]:
        """The sums over the iterations of all runs, one for all terms of a kind."""
        kinds: dict[Any, list[list[Any]]] = {}
        for run in runs:
            turns, inside = box.padded(run.count)
            if inside is not None and len(box.shape) != n_axes:
                raise _IrregularError  # a mask that may change between the iterations of a scan
            for term in run.terms if turns.shape[-1] else ():
                columns = [turns.addresses(factor) for factor in term.factors]
                varies = tuple(self.layout.varies[column.flat[0]] for column in columns)
                columns.append(np.ones((1,) * len(turns.shape), bool) if inside is None else inside)
                full = [np.broadcast_to(c, (*c.shape[:-1], turns.shape[-1])) for c in columns]
                kinds.setdefault((term.is_negative, varies), []).append(full)
        for (is_negative, _), parts in kinds.items():
            *addresses, inside = (_side_by_side(column) for column in zip(*parts, strict=True))
            factors = list(map(read, addresses))
            if not inside.all():
                factors[0] = jnp.where(inside, factors[0], 0.0)
            y = factors[0].sum(-1) if len(factors) == 1 else _contracted(*factors, n_axes)
            yield -y if is_negative else y


NAMES = "acdefghijklmnopqrs"
"""The axes of a box in an einsum, where b is the axis of the examples and t that of the terms."""


def _contracted(x: Array, y: Array, n_axes: int) -> Array:
    """The sum of products over the last axis: a matrix product where a factor lacks an axis."""
    spelled = ["b" * (z.ndim - n_axes - 1) + NAMES[:n_axes] for z in (x, y)]
    if x.shape == y.shape:
        return (x * y).sum(-1)
    out = max(spelled, key=len)
    return jnp.einsum(f"{spelled[0]}t,{spelled[1]}t->{out}", x, y, precision="highest")


def _side_by_side(columns: Sequence[Integers]) -> Integers:
    """The columns joined at their last axis."""
    rows = np.broadcast_shapes(*(column.shape[:-1] for column in columns))
    return np.concatenate([np.broadcast_to(c, (*rows, c.shape[-1])) for c in columns], -1)


# --- recurrent loops ------------------------------------------------------------------------------

FEW = 16
"""Up to this many numbers of an iteration are joined one by one rather than gathered."""


class _Scan:
    """A recurrent loop as a `lax.scan`.

    What an iteration reads was written in this iteration, or `lag` iterations before, each time by
    the same row of the same group (such a group is carried); or it was written before the loop (a
    scanned input, or the same for all iterations). Only what is carried is stacked. The rest
    follows from it afterwards, for all iterations at once.

    Args:
        evaluation: what the loop is a part of.
        items: the body.
        turns: the box of the loop.
        axis: its axis that has the iterations of this loop.
    """

    def __init__(
        self, evaluation: Evaluation, items: Sequence[Item], turns: _Box, axis: int
    ) -> None:
        if len(turns.shape) != axis + 1:
            raise _IrregularError
        self.evaluation, self.memory = evaluation, evaluation.memory
        self.axis, self.n, self.turns = axis, turns.shape[-1], turns
        self.steps = list(self.flat(items, turns))
        self.written: list[Integers] = []  # by step, for each iteration and row
        self.writers = np.full((3, len(evaluation.layout.varies)), -1)  # step, iteration, row
        for number, step in enumerate(self.steps):
            addresses = np.moveaxis(_written(step), axis, 0).reshape(self.n, -1)
            turn, row = np.indices(addresses.shape, sparse=True)
            self.writers[:, addresses] = np.stack(np.broadcast_arrays(number, turn, row))
            self.written.append(addresses)
        self.scanned: list[Array] = []
        self.before: dict[tuple[int, int], Integers] = {}  # what a step left `lag` iterations ago
        self.sources: dict[Any, Any] = {}

    def flat(self, items: Iterable[Item], box: _Box) -> Iterator[Step]:
        """The groups of an iteration; a loop in it is one more axis, or it is unrolled."""
        for item in items:
            if isinstance(item, Group):
                rows = box.rows(item)
                own, turn = rows.index[len(self.turns.index) - 1], np.arange(self.n)
                if (
                    own.size != self.n
                    or rows.shape[self.axis] != self.n
                    or (own.ravel() != turn).any()
                ):
                    raise _IrregularError
                if math.prod(rows.shape):
                    yield item, rows
                continue
            inner = box.extended(item.count)
            for part, is_recurrent in (
                self.evaluation.parts(item, inner) if math.prod(inner.shape) else ()
            ):
                if not is_recurrent:
                    yield from self.flat(part, inner)
                    continue
                for turn in range(int(box.integer(item.count).max())):
                    yield from self.flat(part, box.fixed(turn, item.count))

    def source(self, addresses: Integers) -> Any:
        """An array that is the same for all iterations; or the keys of arrays, and places in them.

        A key is the number of a scanned input, or a step and its lag.
        """
        key = addresses.shape, addresses.tobytes()
        if key not in self.sources:
            at = np.moveaxis(addresses, self.axis, 0)
            if len(at) == self.n:
                self.sources[key] = self.moving(at.reshape(self.n, -1), at.shape[1:])
            elif (self.writers[0, at] < 0).all():
                self.sources[key] = self.memory.read(at[0])
            else:
                raise _IrregularError
        return self.sources[key]

    def moving(self, at: Integers, shape: tuple[int, ...]) -> Any:
        step, turn, row = self.writers[:, at]
        last, lag = step[-1], self.n - 1 - turn[-1]
        turns = np.arange(self.n)[:, None]
        is_inside = (last >= 0) & (turns >= lag)
        as_last = (step == last) & (row == row[-1]) & (turns - turn == lag)
        if (lag[last >= 0] < 0).any() or not np.where(is_inside, as_last, step < 0).all():
            raise _IrregularError
        keys: dict[Any, int] = {}
        owner, place = np.zeros_like(last), row[-1].copy()
        for i in np.flatnonzero(last >= 0).tolist():
            writer, k = int(last[i]), int(lag[i])
            owner[i] = keys.setdefault((writer, k), len(keys))
            for earlier in range(1, k + 1):
                left = np.full(self.written[writer].shape[1], -1)
                left = self.before.setdefault((writer, earlier), left)
                if left[place[i]] not in (-1, at[k - earlier, i]):
                    raise _IrregularError
                left[place[i]] = at[k - earlier, i]
        outside = last < 0
        if outside.any():
            owner[outside] = keys.setdefault(len(self.scanned), len(keys))
            place[outside] = np.arange(outside.sum())
            self.scanned.append(jnp.moveaxis(self.memory.read(at[:, outside]), -2, 0))
        return list(keys), owner.reshape(shape), place.reshape(shape)

    def results(self, read: Read) -> Iterator[Array]:
        """What each step computes in an iteration."""
        for group, rows in self.steps:
            shape = rows.shape[: self.axis] + rows.shape[self.axis + 1 :]
            yield self.evaluation.computed(group, rows, shape, read)

    def run(self) -> None:
        evaluation = self.evaluation

        asked: list[Integers] = []

        def placeholder(addresses: Integers) -> Array:
            asked.append(addresses)
            shape = np.moveaxis(addresses, self.axis, 0).shape[1:]
            return jnp.zeros(evaluation.lead(addresses) + shape, evaluation.dtype)

        jax.eval_shape(lambda: list(self.results(placeholder)))
        for addresses in asked:
            self.source(addresses)
        carried = sorted(self.before)
        kept = sorted({step for step, _ in carried})
        start = []
        for step, lag in carried:
            left = self.before[step, lag]
            x = self.memory.read(np.where(left < 0, left.max(), left))
            start.append(jnp.broadcast_to(x, evaluation.lead(self.written[step]) + left.shape))

        def turn(carry: list[Array], scanned: list[Array]) -> tuple[list[Array], list[Array]]:
            known: dict[Any, Array] = dict(zip(carried, carry, strict=True))
            known |= dict(enumerate(scanned))

            def read(addresses: Integers) -> Array:
                source = self.source(addresses)
                if not isinstance(source, tuple):
                    return source
                keys, owner, place = source
                return _picked_one_by_one([known[key] for key in keys], owner, place)

            for step, array in enumerate(self.results(read)):
                known[step, 0] = array
            return [known[step, lag - 1] for step, lag in carried], [
                known[step, 0] for step in kept
            ]

        _, stacked = lax.scan(turn, start, self.scanned, length=self.n)
        for step, array in zip(kept, stacked, strict=True):
            y = jnp.moveaxis(array, 0, -2)
            self.memory.put(self.written[step], y.reshape(*y.shape[:-2], math.prod(y.shape[-2:])))
        for step, (group, rows) in enumerate(self.steps):
            if step not in kept:
                evaluation.write(group, rows)


def _picked_one_by_one(arrays: Sequence[Array], owner: Integers, place: Integers) -> Array:
    """As `_picked`, but few numbers are joined one by one, which XLA fuses with what reads them."""
    if not 1 < place.size <= FEW:
        return _picked(arrays, owner, place)
    places = zip(owner.ravel().tolist(), place.ravel().tolist(), strict=True)
    y = jnp.concatenate([arrays[i][..., j : j + 1] for i, j in places], -1)
    return y.reshape(*y.shape[:-1], *place.shape)
