"""From a listing to a program: finding the loops again. (First step: every node is a group.)"""

from __future__ import annotations

from array import array

from autograd.compiler.program import (
    Apply,
    Expression,
    Group,
    Operand,
    Program,
    Reduce,
    Run,
    Term,
)
from autograd.compiler.trace import EACH, MEAN, Listing


def roll(listing: Listing) -> Program:
    """The program that computes the listing."""
    sizes = dict.fromkeys("kwxcvmy", 0)
    places: list[Operand] = []
    sections: list[list[Group]] = [[], [], [], []]
    constants = array("d")

    def new(space: str) -> Operand:
        sizes[space] += 1
        return Operand(space, sizes[space] - 1, ())

    for i, (op, args) in enumerate(zip(listing.ops, listing.args, strict=True)):
        section = listing.sections[i]
        if op in ("k", "w", "x"):
            places.append(new(op))
            if op == "k":
                constants.append(args)
            continue
        places.append(new("v" if section == EACH else "m" if section == MEAN else "c"))
        values: list[Expression] = [
            listing.args[a] if listing.ops[a] == "k" else places[a] for a in args
        ]
        expression: Expression
        if op in ("sum", "dot"):
            factors = [Operand(p.space, p.base, (0,)) for p in (places[a] for a in args)]
            half = len(factors) // 2
            pairs = zip(factors[:half], factors[half:], strict=True)
            terms = list(pairs) if op == "dot" else [(f,) for f in factors]
            expression = Reduce(None, tuple(Run(1, (Term(t),)) for t in terms)) if terms else 0.0
        else:
            expression = values[0] if op == "mean" else Apply(op, tuple(values))
        sections[section].append(Group((), places[i], expression, listing.labels.get(i, "")))
    for node in listing.results:
        last = 1 if not listing.is_batch else 3
        sections[last].append(Group((), new("y"), places[node]))
    return Program(
        tuple(listing.inputs),
        tuple(listing.leaves),
        listing.is_batch,
        *map(tuple, sections),
        constants=constants,
        sizes=sizes,
        key=listing.key(),
    )
