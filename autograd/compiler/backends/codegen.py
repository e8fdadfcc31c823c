"""Code generation shared by Python, C and JavaScript: groups and loops as statements.

The class of a language defines how a loop, a number and each primitive are written. (LLVM has a
`codegen` of its own.)
"""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from autograd.compiler.linking import unnested
from autograd.compiler.program import (
    INDICES,
    Apply,
    Element,
    Expression,
    Group,
    Integer,
    Item,
    Loop,
    Program,
    Reduce,
    Run,
    named_ranges,
)

COMPARISONS = {"lt": "{} < {}", "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}"}

OPERATORS = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "neg": "-{}"}

BRACED = {**OPERATORS, "div": "{} / {}", "where": "{} ? {} : {}", "stop_gradient": "{}"}
"""Operators of C and JavaScript. (Python's `/` raises an error at 0.)"""

LIBRARY = (
    *("sqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos"),
    *("atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "floor"),
)
"""Primitives that the libraries of C and JavaScript have, under the same names."""


class Printer(ABC):
    """Writes a program as source code, line by line.

    Attributes:
        spelling: how to write each primitive: "{} + {}" for an operator, or the name of a function.
        indices: the names of the indices, the outermost first.
        indent: the indentation of the lines in a loop.
        end: the end of a statement.
        count: the name of the number of examples.
        head: the first line of a loop, with its index and its count.
        closing: the text that ends a loop.
        declaration: of a variable with its first number.
        truth: how to ask whether a number is not 0.
        arrays: the definitions of `k` and of `table`.
    """

    spelling: Mapping[str, str]
    indices = INDICES
    indent, end, count = "  ", ";", "count"
    head: str
    closing = "}"
    declaration: str
    truth = "{}"
    arrays: tuple[str, str]

    def __init__(self, program: Program) -> None:
        self.program = unnested(program)

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self.lines())

    @abstractmethod
    def lines(self) -> Iterator[str]:
        """The whole text."""

    @abstractmethod
    def comment(self, text: str) -> str:
        """The text as a comment."""

    def literal(self, number: float) -> str:
        """A number as a literal."""
        return repr(number)

    def called(self, name: str) -> str:
        """The name of a function for a primitive that is not in `spelling`."""
        return name

    # --- the parts of a program

    def names(self) -> Iterator[str]:
        """The labels of the numbers in `w` and `x`, as lines of text such as `w[0:3] bias`."""
        for space, names in ("w", self.program.leaf_names), ("x", self.program.inputs):
            for start, end, text in named_ranges(names):
                if text:
                    yield f"{space}[{start}:{end}] {text}"

    def constants(self) -> Iterator[str]:
        """The constants and the table, if there are any, wrapped into lines."""
        given = map(self.literal, self.program.constants), map(str, self.program.table)
        for array, numbers in zip(self.arrays, given, strict=True):
            if text := ", ".join(numbers):
                yield from textwrap.wrap(
                    array.format(text), 98, subsequent_indent=self.indent, break_on_hyphens=False
                )

    def sections(
        self, head: str, before: Sequence[str] = (), after: Sequence[str] = ()
    ) -> Iterator[str]:
        """The items of all sections.

        Args:
            head: the first line of the loop over the examples.
            before, after: the first and the last lines in that loop.
        """
        program = self.program
        yield from self.items(program.once)
        if program.each or program.means or not program.is_batch:
            each = [*self.items(program.each), *self.items(program.means, "+=")]
            yield from self.nested([head], [*before, *each, *after])
        yield from self.items(program.means, "/=")
        yield from self.items(program.after)

    def items(self, items: Iterable[Item], assign: str = "=", depth: int = 0) -> Iterator[str]:
        """Print groups and loops inside `depth` loops; results are assigned by `=` or `+=`.

        With `/=`, numbers written before are divided by the number of examples.
        """
        for item in items:
            if isinstance(item, Group):
                yield from self.group(item, assign, depth)
            else:
                assert isinstance(item, Loop)  # scans are written as such
                body = self.items(item.body, assign, depth + 1)
                yield from self.nested([self.loop(depth, item.count)], body)

    def loop(self, depth: int, count: Integer) -> str:
        """The first line of a loop that is nested in `depth` others."""
        return self.head.format(self.indices[depth], self.integer(count))

    def nested(self, heads: Sequence[str], lines: Iterable[str]) -> list[str]:
        """Lines in loops, the outermost first; perhaps in none."""
        lines = list(lines)
        if self.closing and not heads and len(lines) > 1:
            heads = ["{"]  # which the names in it do not leave
        for head in reversed(heads):
            lines = [head, *self.indented(lines), *filter(None, [self.closing])]
        return lines

    def condition(self, expression: Expression) -> str:
        """An expression as a condition: comparisons become those of the language."""
        if isinstance(expression, Apply) and expression.primitive in COMPARISONS:
            return COMPARISONS[expression.primitive].format(*map(self.value, expression.args))
        return self.truth.format(self.value(expression))

    def group(self, group: Group, assign: str, depth: int) -> list[str]:
        """The loops of a group, and in them what it computes."""
        self.n_indices = depth + len(group.dims)
        self.before: list[str] = []
        value = self.count if assign == "/=" else self.value(group.expression, False)
        lines = [*self.before, f"{self.operand(group.target)} {assign} {value}{self.end}"]
        heads = [self.loop(i, extent) for i, extent in enumerate(group.dims, depth)]
        first, *others = self.nested(heads, lines)
        if group.label and assign != "/=":
            first += f"  {self.comment(group.label)}"
        return [first, *others]

    def value(self, expression: Expression, is_part: bool = True) -> str:
        """The expression as text; an operation that is part of another is in parentheses."""
        match expression:
            case Element():
                return self.operand(expression)
            case Apply(primitive=name, args=args):
                spelling = self.spelling.get(name) or self.called(name)
                if "{" not in spelling:
                    return f"{spelling}({', '.join(self.value(arg, False) for arg in args)})"
                values = list(map(self.value, args))
                if name == "where":
                    values[0] = self.condition(args[0])
                text = spelling.format(*values)
                return f"({text})" if is_part else text
            case Reduce(first=first, runs=runs):
                start = self.literal(-0.0) if first is None else self.value(first, False)
                return self.sum(start, runs)
        literal = self.literal(expression)
        return f"({literal})" if literal.startswith("-") else literal

    def sum(self, start: str, runs: Iterable[Run]) -> str:
        """Write the statements that add the runs to `start`; returns the name of the total."""
        total = f"total{len(self.before) or ''}"
        self.before.append(self.declaration.format(total, start) + self.end)
        for run in runs:
            n_indices = self.n_indices + (run.count != 1)
            adds = []
            for term in run.terms:
                factors = " * ".join(self.operand(x, n_indices) for x in term.factors)
                adds.append(f"{total} {'-' if term.is_negative else '+'}= {factors}{self.end}")
            if run.count != 1:
                adds = self.nested([self.loop(self.n_indices, run.count)], adds)
                if self.closing and len(run.terms) == 1:
                    adds = [" ".join(map(str.strip, adds))]
            self.before += adds
        return total

    def operand(self, operand: Element, n_indices: int | None = None) -> str:
        """The source text of an operand, by all indices in scope, or by the first `n_indices`."""
        n_indices = self.n_indices if n_indices is None else n_indices
        return f"{operand.space}[{self.address(operand.base, operand.strides[:n_indices])}]"

    def integer(self, x: Integer) -> str:
        """The source text of an integer: a literal, or a lookup in the table."""
        return str(x) if isinstance(x, int) else f"table[{self.address(x.at, x.strides)}]"

    def address(self, base: Integer, strides: Sequence[Integer]) -> str:
        """The source text of the address base + Σ stride·index."""
        parts = [] if base == 0 else [self.integer(base)]
        for index, stride in zip(self.indices, strides, strict=False):
            if stride != 0:
                parts.append(index if stride == 1 else f"{self.integer(stride)} * {index}")
        return " + ".join(parts).replace("+ -", "- ") or "0"

    def indented(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines, indented by one level: the body of a loop or function."""
        return (self.indent + line for line in lines)


def escaped(text: str) -> str:
    """The text in ASCII, on one line."""
    return text.encode("unicode_escape").decode("ascii")
