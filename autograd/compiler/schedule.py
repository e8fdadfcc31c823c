"""Scheduling: which expressions are computed together, and in what order.

List scheduling in the order of the recording: the earliest expression that is not yet computed is
next, and with it all others of its form that can be computed already. They are a *group*. So what
does not depend on the steps before is computed at once for all steps of a simulation, the rest step
by step, and a backward pass goes through the steps in reverse.

A group waits for expressions of its form that lack nothing but what can be computed already.
Otherwise the cells at the border of a grid, which have another form, would split the groups of the
cells within.
"""

from __future__ import annotations

import numpy as np

from autograd.compiler.expressions import Expressions
from autograd.compiler.lowering import AFTER
from autograd.compiler.ragged import Integers, offsets


def groups(x: Expressions) -> tuple[Integers, list[int]]:
    """Order the roots for computation: returns indices into `x.roots`, and where each group begins.

    Within a group, rows are in the order in which they were recorded.
    """
    schedule = _Schedule(x)
    sections = x.section[x.roots]
    for section in range(AFTER + 1):
        schedule.run(np.flatnonzero(sections == section).tolist())
    return np.array(schedule.order, np.int64), schedule.begin


class _Schedule:
    """The schedule of the roots, as indices. Roots of the same kind can form a group."""

    def __init__(self, x: Expressions) -> None:
        n = len(x.roots)
        self.kind: list[int] = (x.form[x.roots] * len(x.spaces) + x.space[x.roots]).tolist()
        place = np.full(len(x.op), -1)
        place[x.roots] = np.arange(n)
        user, operand = np.repeat(np.arange(n), x.n_slots), place[x.slots]
        section = x.section[x.roots]
        is_edge = (operand >= 0) & (section[operand] == section[user])
        user, operand = user[is_edge], operand[is_edge]
        self.operands: list[int] = operand.tolist()
        self.first_operand = _starts(user, n)
        self.users = user[np.argsort(operand, kind="stable")].tolist()
        self.first_user = _starts(operand, n)
        self.missing = np.bincount(user, minlength=n).tolist()  # operands that are not computed
        self.blocked = self.missing[:]  # operands that cannot be computed yet
        self.ready: dict[int, list[int]] = {}  # of each kind, in any order
        self.waiting: dict[int, list[int]] = {}  # those that nothing blocks
        self.is_ready, self.is_done = bytearray(n), bytearray(n)
        self.order: list[int] = []
        self.begin = [0]

    def run(self, roots: list[int]) -> None:
        """Schedule all roots of a section."""
        for root in roots:
            if not self.missing[root]:
                self.make_ready(root)
        for root in roots:
            if self.is_done[root]:
                continue
            stack = [self.kind[root]]
            while stack:
                other = self.awaited(stack)
                if other is None:
                    self.compute(stack.pop())
                else:
                    stack.append(other)

    def make_ready(self, root: int) -> None:
        """Note that all operands of a root are computed."""
        self.is_ready[root] = 1
        self.ready.setdefault(self.kind[root], []).append(root)
        for user in self.users[self.first_user[root] : self.first_user[root + 1]]:
            self.blocked[user] -= 1
            if not self.blocked[user]:
                self.waiting.setdefault(self.kind[user], []).append(user)

    def awaited(self, stack: list[int]) -> int | None:
        """A kind to compute first, so that more roots of the last kind on the stack become ready.

        None if there is no such kind, or if it waits for a kind that is on the stack.
        """
        waiting = self.waiting.get(stack[-1], [])
        while waiting:
            root = waiting[-1]
            if not self.is_ready[root]:
                operands = self.operands[self.first_operand[root] : self.first_operand[root + 1]]
                kinds = [self.kind[operand] for operand in operands if not self.is_done[operand]]
                if not any(kind in stack for kind in kinds):
                    return kinds[0]
            waiting.pop()
        return None

    def compute(self, kind: int) -> None:
        """Compute all roots of a kind that are ready, as a group."""
        group = sorted(self.ready.pop(kind))
        self.order += group
        self.begin.append(len(self.order))
        for root in group:
            self.is_done[root] = 1
        for root in group:
            for user in self.users[self.first_user[root] : self.first_user[root + 1]]:
                self.missing[user] -= 1
                if not self.missing[user]:
                    self.make_ready(user)


def _starts(owners: Integers, n: int) -> list[int]:
    """The start index of each of the n owners' entries, once they are sorted by owner."""
    starts: list[int] = offsets(np.bincount(owners, minlength=n)).tolist()
    return starts
