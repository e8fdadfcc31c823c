"""Random programs with loops, from a seed: what a compiler that finds loops again may get wrong.

A program computes rows of numbers, one from the rows before it: by an elementwise formula, by sums
that take their terms from anywhere, by recurrences, by sums of different length, by terms that
several sums share. Numbers stay small, so that no inf hides a wrong term.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import autograd as ag
from autograd.value import Value

Rows = list[list[Any]]


class Loops:
    """A random function of some leaves, or of a row of inputs and some leaves.

    Attributes:
        leaves: what it closes over.
        row: the numbers of one example.
    """

    def __init__(self, seed: int) -> None:
        source = random.Random(seed)
        self.leaves = [
            Value(source.uniform(-1.0, 1.0), f"w{i}") for i in range(source.choice([3, 8, 15]))
        ]
        self.row = [source.uniform(-1.0, 1.0) for _ in range(source.choice([0, 0, 4, 12]))]
        self.seed = source.random()
        self.n_steps = source.randint(2, 6)

    def __call__(self, inputs: Sequence[Any] = ()) -> Any:
        """The result: of Values one Value."""
        source = random.Random(self.seed)  # the same choices in every call
        rows: Rows = [list(self.leaves)]
        if inputs:
            rows.append(list(inputs))
        for _ in range(self.n_steps):
            step = source.choice(STEPS)
            rows.append([0.5 * ag.tanh(x) for x in step(source, rows)])
        return ag.sum([x * (0.1 * (i % 3 + 1)) for row in rows[1:] for i, x in enumerate(row)])


def elementwise(source: random.Random, rows: Rows) -> list[Any]:
    """A formula of each element of a row, perhaps with another for some."""
    row, scale = source.choice(rows), source.uniform(0.5, 1.5)
    every = source.choice([1, 1, 2, 3])
    return [x * scale + 0.1 if i % every == 0 else 0.2 - x * x for i, x in enumerate(row)]


def two_rows(source: random.Random, rows: Rows) -> list[Any]:
    """A formula of two rows, which stand shifted or reversed to each other."""
    x, y = source.choice(rows), source.choice(rows)
    shift, sign = source.randrange(5), source.choice([1, -1])
    return [a * y[(shift + sign * i) % len(y)] - 0.3 * a for i, a in enumerate(x)]


def matrix(source: random.Random, rows: Rows) -> list[Any]:
    """Sums of products: of a row with places of another, by some stride."""
    x, y = source.choice(rows), source.choice(rows)
    n, stride = source.choice([3, 5, 8]), source.choice([1, 2, 3, 7])
    return [ag.dot(x, [y[(i * n + j * stride) % len(y)] for j in range(len(x))]) for i in range(n)]


def anywhere(source: random.Random, rows: Rows) -> list[Any]:
    """Sums whose terms come from anywhere, with a sign each."""
    flat = [x for row in rows for x in row]
    n, length = source.choice([2, 4, 9]), source.choice([2, 5, 6, 11])
    signs = source.choice([[1], [1, -1], [1, 1, -1], [source.choice([1, -1]) for _ in range(11)]])
    found = []
    for _ in range(n):
        total: Any = source.choice(flat)
        for j in range(length):
            term = source.choice(flat)
            if source.random() < 0.5:
                term = term * source.choice(flat)
            total = total + term if signs[j % len(signs)] > 0 else total - term
        found.append(total)
    return found


def from_the_right(source: random.Random, rows: Rows) -> list[Any]:
    """Sums that are put together from the right: x + (y · z + (… - …))."""
    flat = [x for row in rows for x in row]
    subtracts = source.random() < 0.3
    found = []
    for _ in range(source.choice([1, 3, 6])):
        total: Any = source.choice(flat)
        for j in range(source.choice([3, 7, 12])):
            term = source.choice(flat)
            if j % source.choice([1, 2, 5]) == 0:
                term = term * source.choice(flat)
            total = term - total if subtracts and j % 3 == 1 else term + total
        found.append(total)
    return found


def ragged(source: random.Random, rows: Rows) -> list[Any]:
    """Sums over ever more, or ever fewer, elements."""
    x, y = source.choice(rows), source.choice(rows)
    n = len(x)
    sizes = source.choice([range(1, n + 1), range(n, 0, -1), range(1, n + 1, 2)])
    if source.random() < 0.5:
        return [ag.sum(x[:size]) * 0.2 for size in sizes]
    return [ag.sum([a * y[(i + size) % len(y)] for i, a in enumerate(x[:size])]) for size in sizes]


def recurrence(source: random.Random, rows: Rows) -> list[Any]:
    """A state that each element of a row moves on, read after every few steps."""
    row, scale = source.choice(rows), source.uniform(0.3, 0.9)
    state, velocity = row[0], row[-1]
    found = []
    for i in range(source.choice([4, 9, 20])):
        x = row[i % len(row)]
        velocity = velocity * scale - 0.1 * state
        state = state + 0.5 * velocity * x
        found.append(state)
    return found[:: source.choice([1, 2, 5])]


def nested(source: random.Random, rows: Rows) -> list[Any]:
    """A grid that is swept several times: each cell from its neighbors."""
    cells = source.choice(rows)
    n, wraps = len(cells), source.random() < 0.5
    for _ in range(source.choice([2, 5, 7])):
        cells = [
            0.6 * cells[i]
            + 0.2 * (cells[(i + 1) % n] if wraps else cells[min(i + 1, n - 1)])
            + 0.2 * (cells[i - 1] if wraps else cells[max(i - 1, 0)]) * cells[i]
            for i in range(n)
        ]
    return cells


def triangle(source: random.Random, rows: Rows) -> list[Any]:
    """A table of which each entry sums products of entries before, as in a factorization."""
    row = source.choice(rows)
    n = min(len(row), 6)
    lower: Rows = []
    for i in range(n):
        entries: list[Any] = []
        for j in range(i + 1):
            known = ag.sum([entries[p] * lower[j][p] for p in range(j)]) if j < i else 0.3 * row[i]
            entries.append(0.5 * (row[(i + j) % len(row)] - known))
        lower.append(entries)
    return [x for entries in lower for x in entries]


def shared(source: random.Random, rows: Rows) -> list[Any]:
    """Products and chains that several sums have in common, and functions of equal operands."""
    x, y = source.choice(rows), source.choice(rows)
    products = [a * y[i % len(y)] for i, a in enumerate(x)]
    partial = products[0]
    found = []
    for i, product in enumerate(products[1:]):
        partial = partial + product
        if i % 3 == 2:
            found.append(partial * 0.5)
    again = ag.sum([ag.exp(-a) for a in x]) * 0.1
    return [*found, ag.sum(products) + again, again - products[-1]]


def branches(source: random.Random, rows: Rows) -> list[Any]:
    """Choices between neighbors."""
    row, bound = source.choice(rows), source.uniform(-0.2, 0.2)
    return [
        ag.where(x > bound, ag.maximum(x, y), ag.relu(y - x))
        for x, y in zip(row, row[1:] + row[:1], strict=True)
    ]


STEPS: list[Callable[[random.Random, Rows], list[Any]]] = [
    *(elementwise, two_rows, matrix, anywhere, from_the_right, ragged),
    *(recurrence, nested, triangle, shared, branches),
]
