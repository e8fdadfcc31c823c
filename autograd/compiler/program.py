"""`Program`: the intermediate representation, groups and loops, that the back ends translate.

A recording unrolls the loops of the source code; `pipeline` finds them again. The result is a
`Program`: in each of its sections a sequence of items, and an item is

- a `Group`: one expression, computed for every index of a box, `for i in 16, j in 16: …`;
- a `Loop`: items that are run so many times, one iteration after another; or
- a `Scan`: a loop that was recorded as one, whose step is a program of its own.

Every number stands in a *space*, at an *address*, which counts from 0 in each space:

    k  constants of the recording, data that the program carries with it (`constants`)
    w  leaves, which are read afresh at every call (`leaves`)
    x  the inputs of one example, flat (`inputs`)
    c  numbers computed once a call, in the sections `once` and `after`
    v  numbers computed for each example, in the section `each`
    m  means over the examples, of the section `means`
    y  the results

`x` and `v` differ from example to example, and so does `y` unless the program `is_batch`.

An address is `base + Σ strideᵢ·indexᵢ`. The indices are those of all loops around the operand, from
the outermost inwards, then those of the group's box, and, inside of a run, one more for its
terms. So an operand always has as many strides as there are indices where it stands, and
stride 0 says that it is the same for all. Whatever is no such affine address is looked up: each
integer of the representation (a base, a stride, an extent, a count) may be a `Lookup` in the
program's `table` instead.

Each address is written by one row of one group, before it is read; the rows of a group read nothing
that the same group writes, so that they may be computed in any order, or side by side.
"""

from __future__ import annotations

import itertools
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from autograd.compiler.columns import Column, Numbers
from autograd.primitives import TABLE, Primitive
from autograd.value import Value


@dataclass(frozen=True, slots=True)
class Lookup:
    """An integer that changes with the indices: `table[at + Σ strideᵢ·indexᵢ]`.

    The strides belong to the first of the indices where it stands; it may have fewer than these.
    `at` may be looked up itself.
    """

    at: Integer
    strides: tuple[int, ...]


Integer: TypeAlias = "int | Lookup"


@dataclass(frozen=True, slots=True)
class Element:
    """The number at `space[base + Σ strideᵢ·indexᵢ]`."""

    space: str
    base: Integer
    strides: tuple[Integer, ...]


@dataclass(frozen=True, slots=True)
class Apply:
    """A primitive, by its name in `primitives.TABLE`, applied to its arguments.

    Rows made by users are included. There is no `sum` and no `dot` (they are `add` and `mul`, or a
    `Reduce`); `hypot` may have any number of arguments. A comparison (`lt`, …) is 1.0 if it holds,
    else 0.0, and `where(c, x, y)` is x if c is not 0.
    """

    primitive: str
    args: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A term that a run adds (or subtracts) in each iteration: a factor, or a product of two."""

    factors: tuple[Element, ...]
    is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """`for t in range(count):` add the terms, one after another. The factors have a stride for t.

    The count is at least 1, but may be 0 where it is a `Lookup`.
    """

    count: Integer
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Reduce:
    """`first` plus all terms of all runs, added from left to right in exactly this order.

    Without `first`, the sum starts from -0.0, which changes no number that is added to it.
    """

    first: Expression | None
    runs: tuple[Run, ...]


Expression: TypeAlias = "float | Element | Apply | Reduce"
"""A plain float is a literal, the same for every row and iteration."""


@dataclass(frozen=True, slots=True)
class Group:
    """`target = expression` for each index of the box `dims`, the first index outermost.

    Without `dims` it is a single row. In the section `means`, the target becomes the mean of the
    expression over the examples: a sum that starts from -0.0, to which each example adds, divided
    at the end by their count. (Since each address is written once, a code generator may fill all of
    `m` and of a batch's `y` with -0.0 at the start of a call.)

    `label` is the label that the user gave to the nodes.
    """

    dims: tuple[Integer, ...]
    target: Element
    expression: Expression
    label: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """`for r in range(count):` the items of the body, in order.

    An iteration may read what earlier ones wrote. The count may be 0 if it is a `Lookup`.
    """

    count: Integer
    body: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Numbers from `space[base]` on, shifted by `stride` in each iteration.

    Attributes:
        count: how many numbers there are.
        step: from one number to the next.
    """

    space: str
    base: int
    count: int
    stride: int = 0
    step: int = 1


@dataclass(frozen=True, slots=True)
class Scan:
    """A loop of `count` iterations that carries a state. (See `linking.unnested`.)

    The inputs of the program `step` are the state; its results are the new state, then the outputs.
    Its section `once` runs before the first iteration, `each` in every iteration. A scan is never
    inside a loop or in the section `means`.

    Attributes:
        initial: the places that make up the initial state, in order.
        given: the place of each further space that the step reads.
        to: the place of the results; one for each example if the space is "v".
        keeps_all: whether to write all rows: one with the initial state, then one with state and
            outputs for each iteration. Otherwise only the last state is written.
    """

    count: int
    step: Program
    initial: tuple[Place, ...]
    given: Mapping[str, Place]
    to: Place
    keeps_all: bool


Item: TypeAlias = "Group | Loop | Scan"


@dataclass(frozen=True)
class Program:
    """The items of a program, in four sections that run in this order.

    `once` runs once a call, `each` for each example, `means` averages over the examples, and
    `after` runs once after that.

    Attributes:
        inputs: a name for each address of `x`.
        leaves: the Values behind the addresses of `w`.
        is_batch: whether the results belong to the whole batch, not to each example.
        constants: the numbers of `k`.
        table: the integers that are looked up.
        sizes: how many addresses each space has.
        key: equal for programs that differ only in the numbers and labels of the leaves.
        rows: the users' primitives that it calls by name; the program keeps them alive.
    """

    inputs: tuple[str, ...]
    leaves: tuple[Value, ...]
    is_batch: bool
    once: tuple[Item, ...] = ()
    each: tuple[Item, ...] = ()
    means: tuple[Item, ...] = ()
    after: tuple[Item, ...] = ()
    constants: array[float] = field(default_factory=lambda: array("d"))
    table: array[int] = field(default_factory=lambda: array("q"))
    sizes: Mapping[str, int] = field(default_factory=dict)
    key: str = ""
    rows: tuple[Primitive, ...] = ()

    def __str__(self) -> str:
        return "\n".join(_Text(self).lines())

    @property
    def sections(self) -> dict[str, tuple[Item, ...]]:
        """The items of each section, in the order in which they are run."""
        return {"once": self.once, "each": self.each, "means": self.means, "after": self.after}

    @property
    def leaf_names(self) -> list[str]:
        """The labels of the leaves, "" for those without a label."""
        return [str(leaf.label or "") for leaf in self.leaves]

    def varies(self, space: str) -> bool:
        """Whether the numbers of this space differ from example to example."""
        return space in "xv" or (space == "y" and not self.is_batch)


Executable: TypeAlias = "Callable[[Sequence[float], Sequence[Column]], Numbers]"
"""A program that was compiled: takes the numbers of the leaves, and the columns of the examples and
what these share (which stands before the leaves in `w`); and returns the results of the batch; or
the first result of all examples, then the second, …"""


@dataclass(frozen=True)
class Backend:
    """A way to print a program, and perhaps to run it.

    Attributes:
        name: its name for `jit(backend=…)`.
        spelling: how each primitive is written; other primitives are called back, if the back end
            can do that.
        source: the program as text; compiles nothing.
        compile: the program as a function; None if the printed text is run elsewhere.
        needs: the module that must be installed, and the extra that installs it.
    """

    name: str
    spelling: Mapping[str, object]
    source: Callable[[Program], str]
    compile: Callable[[Program], Executable] | None = None
    needs: tuple[str, str] | None = None


def parts(x: Any) -> Iterator[Any]:
    """An item or an expression, or several, and all that they consist of, from left to right."""
    yield x
    inner = (
        x if isinstance(x, tuple) else [getattr(x, name) for name in getattr(x, "__slots__", ())]
    )
    if isinstance(x, Scan):
        inner = x.step.once, x.step.each
    for part in inner:
        yield from parts(part)


def elements(expression: Expression) -> Iterator[Element]:
    """All numbers of memory that an expression reads."""
    return (x for x in parts(expression) if isinstance(x, Element))


def groups(items: Iterable[Item]) -> Iterator[Group]:
    """All groups, those in loops among them."""
    return (x for x in parts(tuple(items)) if isinstance(x, Group))


def primitives_used(program: Program) -> list[str]:
    """The names of the primitives that the program applies, each once."""
    found = parts(tuple(program.sections.values()))
    return list(dict.fromkeys(x.primitive for x in found if isinstance(x, Apply)))


# --- a program as text ----------------------------------------------------------------------------

INDICES = "ijpqrstuabdefghnoz"
"""Names of the indices, from the outermost; no space has such a name."""


def named_ranges(names: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """At most `MOST_RANGES` ranges (start, end, text) of neighboring names of one kind."""

    def kind(name: str) -> str:
        return re.sub(r"\d+", "#", name)

    for key in (kind, lambda name: name.partition(".")[0], lambda name: ""):
        runs = [list(run) for _, run in itertools.groupby(names, key)]
        if len(runs) <= MOST_RANGES:
            break
    start = 0
    for run in runs:
        yield start, start + len(run), spanned(run)
        start += len(run)


MOST_RANGES = 12


def spanned(names: Sequence[str]) -> str:
    """The first and the last of the names, as one line of text."""
    named = [name for name in names if name]
    text = "" if not named else named[0] if len(set(named)) == 1 else f"{named[0]} … {named[-1]}"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class _Text:
    """A program as a person would write it, one line for each group."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def lines(self) -> Iterator[str]:
        program = self.program
        for space, names in (
            ("w", program.leaf_names),
            ("x", list(program.inputs)),
        ):
            for start, end, text in named_ranges(names):
                kind = "leaf" if space == "w" else "input"
                yield f"{_range(space, start, end)} = {kind}{comment(text)}"
        for title, items in (
            ("once a call:", program.once),
            ("for each example:", program.each),
            ("means over the examples:", program.means),
            ("then:", program.after),
        ):
            if items:
                yield title
                yield from self.items(items, "  ", 0)
        yield f"return {_range('y', 0, program.sizes['y']) or 'nothing'}"

    def items(self, items: Iterable[Item], indent: str, depth: int) -> Iterator[str]:
        for item in items:
            if isinstance(item, Loop):
                yield f"{indent}for {INDICES[depth]} in {self.integer(item.count)}:"
                yield from self.items(item.body, indent + "  ", depth + 1)
            elif isinstance(item, Scan):
                yield from self.scan(item, indent)
            else:
                yield indent + self.group(item, depth)

    def scan(self, scan: Scan, indent: str) -> Iterator[str]:
        """The step of a scan, with its own spaces."""
        step, to = scan.step, scan.to
        state = " + ".join(_range(x.space, x.base, x.base + x.count) for x in scan.initial)
        yield f"{indent}scan of {scan.count} steps, x = {state or 'nothing'}:"
        for name, x in scan.given.items():
            moves = f", moved by {x.stride} each step" if x.stride else ""
            yield f"{indent}  {name} = {_range(x.space, x.base, x.base + x.count)}{moves}"
        inner = _Text(step)
        yield from inner.items(step.once, indent + "  ", 0)
        if step.once:
            yield f"{indent}  in each step:"
        yield from inner.items(step.each, indent + "  " * (2 if step.once else 1), 0)
        what = "each y" if scan.keeps_all else "the last x"
        becomes = f"x = {_range('y', 0, step.sizes['x'])}, " if step.sizes["x"] else ""
        yield f"{indent}  {becomes}{what} to {_range(to.space, to.base, to.base + to.count)}"

    def group(self, group: Group, depth: int) -> str:
        box = [
            f"{INDICES[depth + i]} in {self.integer(extent)}" for i, extent in enumerate(group.dims)
        ]
        self.depth = depth + len(group.dims)
        sign, expression = "=", group.expression
        match expression:
            case Reduce(first=None, runs=(run,)):
                box.append(f"{INDICES[self.depth]} in {self.integer(run.count)}")
                sign, text = "+=", self.terms(run)
                if text[0] == "-" and len(run.terms) == 1:
                    sign, text = "-=", text[1:].strip()
                line = f"{self.operand(group.target)} {sign} {text}"
                return f"for {', '.join(box)}: {line}{comment(group.label)}"
        line = f"{self.operand(group.target)} {sign} {self.value(expression, 0)}"
        return f"{'for ' + ', '.join(box) + ': ' if box else ''}{line}{comment(group.label)}"

    def value(self, expression: Expression, binding: int) -> str:
        """The expression, in brackets if it binds less than what is around it."""
        match expression:
            case Element():
                return self.operand(expression)
            case Apply(primitive=name, args=args) if name in BINDING:
                own = BINDING[name]
                if name == "where":
                    condition, x, y = (self.value(arg, own + 1) for arg in args)
                    text = f"{x} if {condition} else {y}"
                elif len(args) == 1:
                    text = f"-{self.value(args[0], own)}"
                else:
                    text = f" {TABLE[name].symbol} ".join(
                        self.value(arg, own + i) for i, arg in enumerate(args)
                    )
                return f"({text})" if own < binding else text
            case Apply(primitive=name, args=args):
                return f"{name}({', '.join(self.value(arg, 0) for arg in args)})"
            case Reduce(first=first, runs=runs):
                parts = [] if first is None else [self.value(first, 1)]
                for run in runs:
                    terms = self.terms(run)
                    if run.count != 1:
                        over = f"{INDICES[self.depth]} in {self.integer(run.count)}"
                        terms = f"(Σ {over}: {terms})"
                    parts.append(terms)
                text = " + ".join(parts).replace("+ -", "- ")
                return f"({text})" if len(parts) > 1 and binding > 1 else text
        return f"({expression!r})" if repr(expression)[0] == "-" else repr(expression)

    def terms(self, run: Run) -> str:
        text = "".join(
            f" {'-' if term.is_negative else '+'} " + " · ".join(map(self.operand, term.factors))
            for term in run.terms
        )
        return text.removeprefix(" + ").strip()

    def operand(self, operand: Element) -> str:
        parts = _affine(operand.strides, self.integer)
        if isinstance(operand.base, int):
            name = f"{operand.space}{operand.base}"
            if operand.space[-1].isdigit():
                name, parts = (
                    operand.space,
                    [str(operand.base)][: not parts or operand.base] + parts,
                )
        else:
            name, parts = operand.space, [self.integer(operand.base), *parts]
        return f"{name}[{' + '.join(parts).replace('+ -', '- ')}]" if parts else name

    def integer(self, x: Integer) -> str:
        if isinstance(x, int):
            return str(x)
        parts = _affine(x.strides, self.integer)
        at = f"T{x.at}" if isinstance(x.at, int) else f"T[{self.integer(x.at)}]"
        return f"{at}[{' + '.join(parts).replace('+ -', '- ')}]"


BINDING = {"where": 0, "lt": 1, "le": 1, "gt": 1, "ge": 1, "add": 2, "sub": 2, "mul": 3, "div": 3}
BINDING |= {"mod": 3, "floordiv": 3, "neg": 4, "pow": 5}
"""How closely an operator binds, in printed programs and in formulas."""


def _affine(strides: Sequence[Integer], integer: Callable[[Integer], str]) -> list[str]:
    """The terms stride·index of an address."""
    pairs = zip(INDICES, strides, strict=False)
    signs: dict[Integer, str] = {1: "", -1: "-"}
    return [f"{signs[s] if s in signs else integer(s)}{name}" for name, s in pairs if s != 0]


def _range(space: str, start: int, end: int) -> str:
    last = f" … {space}{end - 1}" if end - start > 1 else ""
    return f"{space}{start}{last}" if end > start else ""


def comment(text: str) -> str:
    """`text` as the end of a line, or nothing."""
    return f"  # {spanned([text])}" if text else ""
