"""Evaluates a program with JAX operations: one for each group, `lax.scan` for a recurrent loop.

JAX arrays cannot be written to. So each group makes a new array, and `_Memory` knows in which array
and at which place of it the number of each address is. Addresses are integer arrays of NumPy, known
while JAX traces; those of all spaces count on in one sequence. An operand is read as a slice of an
array, reshaped and transposed, where its addresses allow it; otherwise slices are joined, or the
numbers are gathered. Addresses that are the same along an axis have length 1 there, which makes a
matrix product of a sum of products.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np
from jax import lax
from jax import numpy as jnp

from autograd.compiler.program import (
    Apply,
    Element,
    Expression,
    Group,
    Integer,
    Item,
    Loop,
    Place,
    Program,
    Reduce,
    Run,
    Scan,
)

Array: TypeAlias = Any
"""An array of JAX: an axis for the examples, where they differ, and then those of its group."""

Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"

Step: TypeAlias = "tuple[Group, _Box]"
"""A group, and the box of its rows in all iterations of the loops around it."""

Table: TypeAlias = Callable[[str], Callable[..., Array]]
"""The function of arrays for the name of a primitive."""

Parts: TypeAlias = "Callable[[Loop, _Box], Iterable[tuple[Sequence[Item], bool]]]"
"""See `Evaluation.parts`."""


# --- index spaces ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Box:
    """All values of the indices in scope: for each index an array, which broadcasts to `shape`.

    If an extent differs from row to row, the rows are concatenated along a single axis.
    """

    memory: _Memory
    shape: tuple[int, ...] = ()
    index: tuple[Integers, ...] = ()

    def integer(self, x: Integer) -> Integers:
        """The integer at each point; of length 1 along axes that it does not depend on."""
        if isinstance(x, int):
            return np.full((1,) * len(self.shape), x)
        table = self.memory.table
        return table[self.affine(x.at, x.strides, len(table))]

    def affine(self, base: Integer, strides: Sequence[Integer], size: int) -> Integers:
        """base + Σ stride·index, clipped to the range of `size`, which padding may exceed."""
        total = self.integer(base)
        for stride, index in zip(strides, self.index, strict=False):
            if stride != 0:
                total = total + self.integer(stride) * index
        return np.clip(total, 0, size - 1)

    def addresses(self, x: Element) -> Integers:
        """The address at each point; of length 1 along axes that it does not depend on."""
        start, size = self.memory.spaces[x.space]
        found = start + self.affine(x.base, x.strides, size)
        for axis, n in enumerate(found.shape):
            if n > 1 and (found == (first := found.take([0], axis))).all():
                found = first  # looked up in a table, but all equal
        return found

    def padded(self, extent: Integer) -> tuple[_Box, Any]:
        """Add an index of this extent; returns the new box, and a mask of its points that exist.

        Where the extent is smaller than elsewhere, the last index is repeated.
        """
        n = self.integer(extent)[..., None]
        values = np.arange(n.max(initial=0)).reshape((1,) * len(self.shape) + (-1,))
        index = *(i[..., None] for i in self.index), np.minimum(values, np.maximum(n - 1, 0))
        return _Box(self.memory, (*self.shape, values.size), index), values < n

    def extended(self, extent: Integer) -> _Box:
        """The box with one more index, without the points that do not exist."""
        box, exist = self.padded(extent)
        return box if exist.all() else box.where(exist)

    def unrolled(self, count: Integer) -> Iterator[_Box]:
        """The box with one more index, once for each of its values."""
        n = self.integer(count)
        for value in range(int(n.max())):
            box = self if (n > value).all() else self.where(n > value)
            yield replace(box, index=(*box.index, np.full((1,) * len(box.shape), value)))

    def fixed(self, axis: int, value: int) -> _Box:
        """The points of the box that have this value on an axis, without that axis."""
        index = (i.take([min(value, i.shape[axis] - 1)], axis) for i in self.index)
        shape = self.shape[:axis] + self.shape[axis + 1 :]
        return _Box(self.memory, shape, tuple(i.squeeze(axis) for i in index))

    def where(self, chosen: Any) -> _Box:
        """The chosen points as a box with a single axis."""
        chosen = np.broadcast_to(chosen, self.shape)
        index = tuple(np.broadcast_to(i, self.shape)[chosen] for i in self.index)
        return _Box(self.memory, (int(chosen.sum()),), index)


def _steps(items: Iterable[Item], box: _Box, parts: Parts | None = None) -> Iterator[Step]:
    """The non-empty groups, each with all iterations of the box and of the loops around it.

    A loop adds an axis to the box; its recurrent `parts` are unrolled instead.
    """
    for item in items:
        if isinstance(item, Group):
            rows = reduce(_Box.extended, item.dims, box)
            if math.prod(rows.shape):
                yield item, rows
            continue
        assert isinstance(item, Loop)  # there are no scans in a loop
        extended = box.extended(item.count)
        for part, is_recurrent in parts(item, extended) if parts else [(item.body, False)]:
            inner = list(box.unrolled(item.count)) if is_recurrent else [extended]
            for one in inner:
                yield from _steps(part, one, parts)


def _written(step: Step) -> Integers:
    """The addresses that the rows of a group write to."""
    group, rows = step
    return np.broadcast_to(rows.addresses(group.target), rows.shape)


def _reads(expression: Expression, box: _Box) -> Iterator[tuple[Integers, Any]]:
    """The addresses that an expression reads, for each row (and term); and which of these exist."""
    match expression:
        case Element():
            yield box.addresses(expression), np.True_
        case Apply(args=args):
            for arg in args:
                yield from _reads(arg, box)
        case Reduce(first=first, runs=runs):
            yield from _reads(-0.0 if first is None else first, box)
            for _, factors, exist in _terms(runs, box):
                yield from ((factor, exist) for factor in factors)


def _terms(runs: Sequence[Run], box: _Box) -> Iterator[tuple[bool, list[Integers], Any]]:
    """The terms of all runs in all their iterations, grouped by sign and by which factors vary.

    Yields for each group: whether its terms are subtracted; the addresses of their one or two
    factors, with the terms on the last axis; and which of these exist (the others are padding).
    """
    kinds: dict[Any, list[list[Any]]] = {}
    for run in runs:
        extended, exist = box.padded(run.count)
        for term in run.terms if extended.shape[-1] else ():
            columns = [extended.addresses(factor) for factor in term.factors]
            varies = tuple(box.memory.varies[column.flat[0]] for column in columns)
            columns = [
                np.broadcast_to(c, (*c.shape[:-1], extended.shape[-1])) for c in (*columns, exist)
            ]
            kinds.setdefault((term.is_negative, varies), []).append(columns)
    for (is_negative, _), parts in kinds.items():
        *factors, exist = (_side_by_side(column) for column in zip(*parts, strict=True))
        yield is_negative, factors, exist


def _side_by_side(columns: Sequence[Integers]) -> Integers:
    """The columns joined at their last axis."""
    rows = np.broadcast_shapes(*(column.shape[:-1] for column in columns))
    return np.concatenate([np.broadcast_to(c, (*rows, c.shape[-1])) for c in columns], -1)


# --- where numbers are ----------------------------------------------------------------------------


class _Memory:
    """For each address, the array that holds its number, and the index on its last axis.

    Attributes:
        spaces: for each space its first address and its size.
        varies: for each address, whether its number differs from example to example.
        table: the table of the program, as an array.
    """

    def __init__(
        self, sizes: Mapping[str, int], varying: Iterable[str], table: Any, dtype: Any
    ) -> None:
        counts, varies = list(sizes.values()), set(varying)
        starts = accumulate(counts, initial=0)
        self.spaces = dict(zip(sizes, zip(starts, counts, strict=False), strict=True))
        self.varies = np.repeat([space in varies for space in sizes], counts)
        self.table: Integers = np.frombuffer(table, np.int64)
        self.arrays: list[Array] = [jnp.zeros(1, dtype)]  # for addresses that only padding reads
        self.owner, self.place = np.zeros((2, len(self.varies)), np.int64)
        self.found: dict[Any, Array] = {}

    def addresses(self, space: str) -> Integers:
        """All addresses of a space."""
        start, size = self.spaces[space]
        return np.arange(start, start + size)

    def copy(self) -> _Memory:
        """Memory with the same numbers, to be written to."""
        new = copy.copy(self)
        new.arrays, new.found = self.arrays[:], self.found.copy()
        new.owner, new.place = self.owner.copy(), self.place.copy()
        return new

    def at(self, place: Place, n: int = 1) -> Integers:
        """The addresses of a place in each of n iterations."""
        start = self.spaces[place.space][0] + place.base
        return start + place.stride * np.arange(n)[:, None] + np.arange(place.count)

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
    lead = max((arrays[i].shape[:-1] for i in used), key=len)
    shift, parts, start = np.zeros(len(arrays), np.int64), [], 0
    for i in used:
        mine = place[owner == i]
        low, high = int(mine.min()), int(mine.max()) + 1
        parts.append(jnp.broadcast_to(arrays[i][..., low:high], (*lead, high - low)))
        shift[i] = start - low
        start += high - low
    x, at = jnp.concatenate(parts, -1), place + shift[owner]
    found = _sliced(x, at)
    if found is None:
        found = x.at[..., at.astype(np.int32)].get(mode="promise_in_bounds")
    return found


def _sliced(x: Array, place: Integers) -> Array | None:
    """The numbers at these places by slice, reshape and transpose; None if that is impossible."""
    zero = (0,) * place.ndim
    ones = [(*zero[:i], min(1, n - 1), *zero[i + 1 :]) for i, n in enumerate(place.shape)]
    strides = [int(place[one] - place[zero]) for one in ones]
    indices: Any = np.indices(place.shape, sparse=True)
    affine: Any = sum((s * i for s, i in zip(strides, indices, strict=True)), place[zero])
    moving = sorted((i for i, s in enumerate(strides) if s), key=lambda i: -abs(strides[i]))
    steps = [(place.shape[i], abs(strides[i])) for i in moving]
    if not (affine == place).all() or any(
        outer % inner or n * inner > outer for (_, outer), (n, inner) in pairwise(steps)
    ):
        return None
    low, lead = int(place.min()), x.shape[:-1]
    size = math.prod(steps[0]) if steps else 1
    x = jnp.pad(x, [(0, 0)] * len(lead) + [(0, max(0, low + size - x.shape[-1]))])
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
    """A loop that cannot be run by `lax.scan`."""


class Evaluation:
    """A program on arrays (numbers, or what JAX traces).

    Args:
        program: the program to run.
        function: maps the name of a primitive to a function of arrays.
        leaves: the numbers of the leaves, flat.
        examples: the inputs, a row for each example.
    """

    def __init__(self, program: Program, function: Table, leaves: Array, examples: Array) -> None:
        self.program, self.function = program, function
        leaves = jnp.asarray(leaves)
        self.dtype = jnp.result_type(leaves, float)  # integers as floats
        if leaves.shape != (program.sizes["w"],):
            raise ValueError(
                f"jax: expected the numbers of {program.sizes['w']} leaves in a flat array, "
                f"got an array of shape {leaves.shape}"
            )
        examples = jnp.asarray(examples, self.dtype)
        self.n_examples = len(examples)
        varying = filter(program.varies, program.sizes)
        self.memory = _Memory(program.sizes, varying, program.table, self.dtype)
        self.put({"w": leaves.astype(self.dtype), "x": examples})

    def put(self, spaces: Mapping[str, Array]) -> None:
        """Write the constants, and all numbers of some spaces."""
        constants = self.constant(np.frombuffer(self.program.constants))
        for space, array in {"k": constants, **spaces}.items():
            self.memory.put(self.memory.addresses(space), array)

    def results(self) -> Array:
        """Run the program; returns the results of the batch, or a row for each example."""
        for section, items in self.program.sections.items():
            self.section = section
            self.run(items, _Box(self.memory))
        if not self.program.sizes["y"]:
            return jnp.zeros((self.n_examples, 0)[self.program.is_batch :])
        return self.memory.read(self.memory.addresses("y"))

    def constant(self, numbers: Any) -> Array:
        """The number or numbers as an array.

        Large ones are hidden from XLA, which would simplify (x + 2⁵²) - 2⁵², a rounding, to x.
        """
        array = jnp.asarray(numbers, self.dtype)
        if np.max(np.abs(numbers), initial=0.0) < 2.0**23:
            return array
        return lax.optimization_barrier(array)  # type: ignore[no-untyped-call]

    def lead(self, addresses: Integers) -> tuple[int, ...]:
        """The leading shape at these addresses: (number of examples,), or () if all share them."""
        return (self.n_examples,) if self.memory.varies[addresses.flat[0]] else ()

    def run(self, items: Iterable[Item], box: _Box) -> None:
        """Compute the items in all iterations of the box."""
        for item in items:
            if isinstance(item, Group):
                self.write(item, reduce(_Box.extended, item.dims, box))
                continue
            if isinstance(item, Scan):
                self.scan(item)
                continue
            extended = box.extended(item.count)
            for part, is_recurrent in self.parts(item, extended):
                try:
                    if is_recurrent:
                        self.recurrence(part, extended, len(box.shape))
                    else:
                        self.run(part, extended)
                except _IrregularError:
                    for one in box.unrolled(item.count):
                        self.run(part, one)

    def scan(self, scan: Scan) -> None:
        """Run a scan by `lax.scan`."""
        memory, step, n = self.memory, scan.step, scan.count
        lead = self.lead(memory.at(scan.to))

        def read(place: Place, n: int = 1) -> Array:
            x = memory.read(memory.at(place, n))
            return jnp.moveaxis(jnp.broadcast_to(x, (*lead, *x.shape[-2:])), -2, 0)

        fixed = {name: place for name, place in scan.given.items() if not place.stride}
        moving = {name: read(x, n) for name, x in scan.given.items() if name not in fixed}
        empty = jnp.zeros((*lead, 0), self.dtype)
        state = jnp.concatenate([empty, *(read(place)[0] for place in scan.initial)], -1)
        inner = copy.copy(self)
        inner.program, inner.section = step, "once"
        sizes = {**step.sizes, **{name: place.count for name, place in scan.given.items()}}
        varying = {"x", "v", "y", *moving} if lead else set()
        own = {name for name, x in fixed.items() if memory.varies[memory.at(x).flat[0]]}
        varying |= own | ({"c"} if own else set())
        inner.memory = _Memory(sizes, varying, step.table, self.dtype)
        inner.put({name: memory.read(memory.at(place)[0]) for name, place in fixed.items()})
        inner.run(step.once, _Box(inner.memory))

        def iterate(state: Array, inputs: dict[str, Array]) -> tuple[Array, Array]:
            one = copy.copy(inner)
            one.memory, one.section = inner.memory.copy(), "each"
            one.put({"x": state, **inputs})
            one.run(step.each, _Box(one.memory))
            y = one.memory.read(one.memory.addresses("y"))
            y = jnp.broadcast_to(y, (*lead, y.shape[-1]))
            return y[..., : state.shape[-1]], y if scan.keeps_all else None

        last, rows = lax.scan(iterate, state, moving, length=n)
        if scan.keeps_all:
            width = step.sizes["y"]
            first = jnp.pad(state, [(0, 0)] * len(lead) + [(0, width - state.shape[-1])])
            last = jnp.moveaxis(jnp.concatenate([first[None], rows]), 0, -2)
            last = last.reshape(*lead, (n + 1) * width)
        memory.put(memory.at(scan.to)[0], last)

    def write(self, group: Group, rows: _Box) -> None:
        """Compute a group and store the result."""
        if math.prod(rows.shape):
            lead = self.lead(rows.addresses(group.target))
            compute = self.mean if self.section == "means" else self.value
            y = jnp.asarray(compute(group.expression, rows), self.dtype)
            y = jnp.broadcast_to(y, lead + rows.shape).reshape(*lead, math.prod(rows.shape))
            self.memory.put(_written((group, rows)), y)

    def parts(self, loop: Loop, extended: _Box) -> Iterator[tuple[list[Item], bool]]:
        """The body in parts, in order, each for all iterations before the next (loop fission).

        Items that need each other's earlier iterations are one part, and that is recurrent. (With
        the body in one part, the gradient of the GPT on 8 tokens takes 3.2 times as long.)
        """
        if not math.prod(extended.shape):
            return
        radices = [int(i.max()) + 1 for i in extended.index]

        def iteration(box: _Box) -> Integers:
            return np.ravel_multi_index(box.index[: len(radices)], radices)

        writer, written_in = np.full((2, len(self.memory.varies)), -1)
        steps = [(i, step) for i, item in enumerate(loop.body) for step in _steps([item], extended)]
        for number, step in steps:
            addresses = _written(step)
            writer[addresses] = number
            written_in[addresses] = iteration(step[1])
        reached = np.eye(len(loop.body), dtype=bool)  # which items each needs, also through others
        is_recurrent = np.zeros(len(loop.body), bool)
        for number, (group, rows) in steps:
            here = iteration(rows)
            for addresses, _ in _reads(group.expression, rows):
                needed = writer[addresses]
                reached[number, needed[needed >= 0]] = True
                own = here.reshape(here.shape + (1,) * (addresses.ndim - here.ndim))
                earlier = (needed == number) & (written_in[addresses] != own)
                is_recurrent[number] |= earlier.any()
        for through in range(len(reached)):
            reached |= np.outer(reached[:, through], reached[through])
        mutual = reached & reached.T
        for number in np.argsort(reached.sum(1), kind="stable"):  # what needs more comes later
            part = np.flatnonzero(mutual[number])
            if part[0] == number:
                yield [loop.body[i] for i in part], len(part) > 1 or bool(is_recurrent[number])

    def recurrence(self, items: Sequence[Item], extended: _Box, axis: int) -> None:
        """Run a recurrent loop, whose iterations are an axis of the box, by `lax.scan`.

        An iteration reads numbers of the same iteration; of `lag` iterations before, each time from
        the same row of the same group (such a group is carried); or from before the loop (a scanned
        input, or one that is the same for all iterations). The scan stacks the carried groups only.
        The others are computed afterwards, for all iterations at once.

        The step of the scan is one of the iterations, with what it reads put where it reads it. It
        is taken from within, where what is read from both ends does not meet.
        """
        memory, n = self.memory, extended.shape[-1]
        one, iterations = 2 * n // 3, np.arange(n)[:, None]
        steps = list(_steps(items, extended, self.parts))
        writes, read, fixed = self.addresses_by_iteration(steps, extended, axis)
        written = np.concatenate(writes, 1)
        iteration, column = np.full((2, len(memory.varies)), -1)
        iteration[written], column[written] = iterations, np.arange(written.shape[1])
        when, which = iteration[read], column[read]
        source = which[one]
        is_inside, outside = source >= 0, read[:, source < 0]
        lag = np.where(is_inside, one - when[one], 0)
        is_alike = (which == source) & (iterations - when == lag)
        if (
            not np.where(is_inside & (iterations >= lag), is_alike, which < 0).all()
            or len(np.unique(read[one])) < read.shape[1]
            or any(np.isin(outside[one], at).any() for at in fixed)
            or not 0 < lag.max() <= one
        ):
            raise _IrregularError
        # by lag and number, the address that is read as long as the loop has not written it
        before: Integers = np.full((lag.max(), written.shape[1]), -1)
        for k in range(1, len(before) + 1):
            i = np.flatnonzero(lag >= k)
            before[k - 1, source[i]] = read[lag[i] - k, i]
            if (before[k - 1, source[i]] != read[lag[i] - k, i]).any():
                raise _IrregularError
        owner = np.repeat(range(len(steps)), [own.shape[1] for own in writes])
        owners = owner[(before >= 0).any(0)]
        columns = np.flatnonzero(np.isin(owner, owners))
        carried, lead = written[:, columns], self.lead(written)
        before = np.where(before < 0, before.max(), before)[:, columns]
        start = [jnp.broadcast_to(memory.read(at), (*lead, len(columns))) for at in before]
        inputs = [jnp.moveaxis(memory.read(outside), -2, 0)] if outside.size else []
        found = {(at.shape, at.tobytes()): memory.read(at) for at in fixed}

        def step(carry: list[Array], scanned: list[Array]) -> tuple[list[Array], Array]:
            inner = copy.copy(self)
            inner.memory = memory.copy()
            inner.memory.found = found.copy()  # what was read elsewhere is not what is put here
            for array in scanned:
                inner.memory.put(outside[one], array)
            for k, array in enumerate(carry, 1):
                inner.memory.put(carried[one - k], array)
            for group, rows in steps:
                inner.write(group, replace(rows.fixed(axis, one), memory=inner.memory))
            now = inner.memory.read(carried[one])
            return [now, *carry[:-1]], now

        _, stacked = lax.scan(step, start, inputs, length=n)
        y = jnp.moveaxis(stacked, 0, -2)
        memory.put(carried, y.reshape(*lead, carried.size))
        for number, (group, rows) in enumerate(steps):
            if number not in owners:
                self.write(group, rows)

    def addresses_by_iteration(
        self, steps: Sequence[Step], extended: _Box, axis: int
    ) -> tuple[list[Integers], Integers, list[Integers]]:
        """The addresses that the iterations of a loop write and read, a row for each iteration.

        Returns those that each step writes; those that the steps read, as distinct columns; and
        apart from these what all iterations read from outside of the loop.
        """
        n = extended.shape[-1]
        for _, rows in steps:
            own = rows.index[len(extended.index) - 1]
            if own.shape[axis:][:1] != (n,) or (own.ravel() != range(n)).any():
                raise _IrregularError  # some iterations have more rows than others

        def by_iteration(addresses: Integers) -> Integers:
            return np.moveaxis(addresses, axis, 0).reshape(addresses.shape[axis], -1)

        writes = [by_iteration(_written(step)) for step in steps]
        inside = np.isin(np.arange(len(self.memory.varies)), np.concatenate(writes, 1))
        reads: list[Integers] = []
        fixed: list[Any] = []
        for group, rows in steps:
            for addresses, exist in _reads(group.expression, rows):
                if not exist.all():
                    raise _IrregularError  # which terms exist may change
                at = by_iteration(addresses)
                if len(at) == 1 and not inside[at].any():
                    fixed.append(addresses.take(0, axis))
                else:
                    reads.append(np.broadcast_to(at, (n, at.shape[1])))
        return writes, np.unique(np.concatenate(reads, 1), axis=1), fixed

    def mean(self, expression: Expression, box: _Box) -> Array:
        """The mean over the examples."""
        n = len(box.shape)
        match expression:
            case Apply("mul", (Element() as u, Element() as v)):
                x, y = (self.memory.read(box.addresses(z)) for z in (u, v))
                if min(x.ndim, y.ndim) > n:  # then the sum over the examples is a product
                    x, y = (jnp.moveaxis(z, 0, -1) for z in (x, y))
                    return _contracted(x, y, NAMES[:n]) / self.n_examples
        y = self.value(expression, box)
        return y.mean(0) if jnp.ndim(y) > n else y

    def value(self, expression: Expression, box: _Box) -> Array:
        """The value of the expression for each row of the box."""
        match expression:
            case Element():
                return self.memory.read(box.addresses(expression))
            case Apply(primitive=name, args=args):
                return self.function(name)(*(self.value(x, box) for x in args))
            case Reduce(first=first, runs=runs):
                total = -0.0 if first is None else self.value(first, box)
                for is_negative, factors, exist in _terms(runs, box):
                    x, *others = map(self.memory.read, factors)
                    x = x if exist.all() else jnp.where(exist, x, 0.0)
                    names = NAMES[: len(box.shape)]
                    term = _contracted(x, others[0], names) if others else x.sum(-1)
                    total = total - term if is_negative else total + term
                return total
        return self.constant(expression)


NAMES = "acdefghijklmnopqrs"
"""The axes of a box in an einsum, where b is the axis of the examples and t that of the terms."""


def _contracted(x: Array, y: Array, axes: str) -> Array:
    """The sum of products over the last axis; one factor may lack the first axis, of examples."""
    if x.shape == y.shape:
        return (x * y).sum(-1)
    u, v = ("b" * (z.ndim - len(axes) - 1) + axes for z in (x, y))
    return jnp.einsum(f"{u}t,{v}t->{max(u, v, key=len)}", x, y, precision="highest")
