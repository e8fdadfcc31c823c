"""Ragged arrays in compressed form (CSR): parts of different lengths, one after another."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.ma  # np.unique would load it when first called, perhaps during a fork

Integers: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"


def offsets(lengths: Integers) -> Integers:
    """The start of each part, and at last the end of the last part."""
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))


def ranges(starts: Integers, lengths: Integers) -> Integers:
    """The ranges start, start + 1, … of the given lengths, concatenated."""
    ends = np.cumsum(lengths, dtype=np.int64)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - ends + lengths, lengths)


RANDOM = np.random.default_rng(0).integers(0, 2**63, 1 << 16, np.uint64)


def hashes(x: Integers, start: Integers) -> Integers:
    """A hash of each part, none of which is empty: of its numbers, zeros too, and its length."""
    if len(start) < 2:
        return np.zeros(0, np.uint64)
    place = np.arange(len(x)) - np.repeat(start[:-1], np.diff(start))
    factors = RANDOM[place & 65535] * (RANDOM[-1 - (place >> 16)] | np.uint64(1))
    # any odd factor that is none of RANDOM's
    of_lengths = np.diff(start).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    found: Integers = of_lengths + np.add.reduceat(x.astype(np.uint64) * factors, start[:-1])
    return found


def distinct(x: Integers) -> tuple[Integers, Integers]:
    """Like `np.unique` with `return_index` and `return_inverse`, without the unique numbers."""
    found = np.unique(x)
    which = np.searchsorted(found, x)
    first = np.empty(len(found), np.int64)
    first[which[::-1]] = np.arange(len(x) - 1, -1, -1)
    return first, which


def combined(key: Integers, column: Integers) -> Integers:
    """Keys that are equal where both `key` and `column` (not negative) are equal."""
    base = int(column.max(initial=0)) + 1
    if int(key.max(initial=0)) >= 2**62 // base:
        key = distinct(key)[1]
    return key * base + column


def true_runs(flags: Integers, fewest: int = 1) -> list[tuple[int, int]]:
    """The start and the end of each run of at least `fewest` true flags."""
    padded = np.concatenate(([False], flags, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    starts, ends = edges[::2], edges[1::2]
    long = ends - starts >= fewest
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))
