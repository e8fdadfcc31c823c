"""From a listing to a program: finding the loops again that the recording unrolled.

The passes, each linear in the size of the listing:

1. *Sums* (see `forms`). Chains of additions and subtractions become one sum with signs; products
   that are used in it alone become its terms. So a loop over `total = total + a * b` and a call of
   `dot` are the same program. Additions are swapped, never regrouped: that keeps each bit.
2. *Trees.* A node that is used once goes into the expression of its user.
3. *Groups* (see `numbering`). Expressions of one form whose operands are ready at the same time are
   a group. Its rows get neighbouring addresses, and each operand is described as
   base + Σ strideᵢ·indexᵢ, or by a table of addresses where that fails.
4. *Loops.* A sequence of groups that comes again, with every base moved on by a step of its own, is
   a loop (see `folding`).
5. *Constants* that are the same in a whole group, and in all turns of the loops around it, become
   literals; others are data, in the order in which they are read.

Plain Python throughout, so that no back end needs more than this package.
"""

from __future__ import annotations

from typing import Any

from autograd.compiler.folding import Flat, fold
from autograd.compiler.forms import Forms
from autograd.compiler.layout import assembled
from autograd.compiler.numbering import Numbering
from autograd.compiler.program import Program
from autograd.compiler.trace import AFTER, EACH, Listing

FEW, WELL_ROLLED, MANY_NODES = 30, 200, 40_000
"""With more groups than a few, other orders of the groups are tried: as late as possible instead of
as soon, and chain after chain instead of level by level; of many nodes only if they roll badly."""


def roll(listing: Listing) -> Program:
    """The program that computes the listing."""
    forms = Forms(listing)
    best: tuple[int, Any] | None = None
    for is_late, by_chain in ((False, False), (True, False), (False, True), (True, True)):
        numbered = Numbering(listing, forms)
        sections: list[list[Flat]] = [[], [], [], []]
        for section, rows in forms.groups(is_late, by_chain):
            sections[section] += numbered.group(rows)
        sections[EACH if not listing.is_batch else AFTER] += numbered.copies()
        folded = [fold(flats) for flats in sections]
        n_items = sum(len(flat.labels) for flats in folded for flat in flats)
        if best is None or n_items < best[0]:
            best = n_items, (folded, numbered.constants, numbered.sizes)
        n_nodes = len(listing.ops)
        if n_items <= FEW or (n_nodes > MANY_NODES and n_items * WELL_ROLLED < n_nodes):
            break
    assert best is not None
    return assembled(listing, *best[1])
