"""Code generation shared by Python, C and JavaScript: groups and loops as statements.

The class of a language defines how a loop, a number and each primitive are written. (LLVM has a
`codegen` of its own.)
"""

from __future__ import annotations

import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence

from autograd.compiler.nesting import unnested
from autograd.compiler.program import (
    INDICES,
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

COMPARISONS = {"lt": "{} < {}", "le": "{} <= {}", "gt": "{} > {}", "ge": "{} >= {}"}

OPERATORS = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "neg": "-{}"}


class Printer(ABC):
    """Writes the items of a program as source code, line by line.

    Attributes:
        spelling: how to write each primitive: "{} + {}" for an operator, or the name of a function.
        indices: the names of the indices, the outermost first.
        indent: the indentation of the lines in a loop.
        end: the end of a statement.
        count: the name of the number of examples.
    """

    spelling: Mapping[str, str]
    indices = INDICES
    indent, end, count = "  ", ";", "count"

    def __init__(self, program: Program) -> None:
        self.program = unnested(program)

    # --- what differs between the languages

    @abstractmethod
    def head(self, index: str, count: str) -> str:
        """The first line of a loop."""

    @abstractmethod
    def nested(self, heads: Sequence[str], lines: Iterable[str]) -> list[str]:
        """Lines in loops, the outermost first; perhaps in none."""

    @abstractmethod
    def short(self, head: str, line: str) -> list[str]:
        """A loop whose body is a single line."""

    @abstractmethod
    def labeled(self, lines: list[str], label: str) -> list[str]:
        """The lines of a group, with its label as a comment."""

    @abstractmethod
    def literal(self, number: float) -> str:
        """A number as a literal."""

    def total(self) -> str:
        """The name of the variable that accumulates a sum."""
        return f"total{len(self.before) or ''}"

    @abstractmethod
    def declared(self, total: str, start: str) -> str:
        """A declaration of a variable with its initial value."""

    def condition(self, expression: Expression) -> str:
        """An expression as a condition: comparisons become those of the language."""
        if isinstance(expression, Apply) and expression.primitive in COMPARISONS:
            return COMPARISONS[expression.primitive].format(*map(self.value, expression.args))
        return self.value(expression)

    def called(self, name: str) -> str:
        """The name of a function for a primitive that is not in `spelling`."""
        return name

    # --- what is the same in all

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
        return self.head(self.indices[depth], self.integer(count))

    def group(self, group: Group, assign: str, depth: int) -> list[str]:
        """The loops of a group, and in them what it computes."""
        self.n_indices = depth + len(group.dims)
        self.before: list[str] = []
        value = self.count if assign == "/=" else self.value(group.expression, False)
        lines = [*self.before, f"{self.operand(group.target)} {assign} {value}{self.end}"]
        heads = [self.loop(i, extent) for i, extent in enumerate(group.dims, depth)]
        lines = self.nested(heads, lines)
        return self.labeled(lines, group.label) if group.label and assign != "/=" else lines

    def value(self, expression: Expression, is_part: bool = True) -> str:
        """The expression as text; an operation that is part of another is in parentheses."""
        match expression:
            case Operand():
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
        total = self.total()
        self.before.append(self.declared(total, start))
        for run in runs:
            n_indices = self.n_indices + (run.count != 1)
            adds = []
            for term in run.terms:
                factors = " * ".join(self.operand(x, n_indices) for x in term.factors)
                adds.append(f"{total} {'-' if term.is_negative else '+'}= {factors}{self.end}")
            if run.count != 1:
                head = self.loop(self.n_indices, run.count)
                adds = self.short(head, *adds) if len(adds) == 1 else self.nested([head], adds)
            self.before += adds
        return total

    def operand(self, operand: Operand, n_indices: int | None = None) -> str:
        """The source text of an operand, by all indices in scope, or by the first `n_indices`."""
        n_indices = self.n_indices if n_indices is None else n_indices
        return f"{operand.space}[{self.address(operand.base, operand.strides[:n_indices])}]"

    def integer(self, x: Integer) -> str:
        """The source text of an integer: a literal, or a lookup in the table."""
        return str(x) if isinstance(x, int) else f"table[{self.address(x.at, x.strides)}]"

    def address(self, base: Integer, strides: Sequence[Integer]) -> str:
        """base + Σ stride·index."""
        parts = [] if base == 0 else [self.integer(base)]
        for index, stride in zip(self.indices, strides, strict=False):
            if stride != 0:
                parts.append(index if stride == 1 else f"{self.integer(stride)} * {index}")
        return " + ".join(parts).replace("+ -", "- ") or "0"

    def array(self, start: str, numbers: Iterable[str], end: str) -> list[str]:
        """The numbers between `start` and `end`, wrapped into lines; no lines if there are none."""
        wrapper = textwrap.TextWrapper(98, subsequent_indent=self.indent, break_on_hyphens=False)
        text = ", ".join(numbers)
        return wrapper.wrap(f"{start}{text}{end}") if text else []

    def indented(self, lines: Iterable[str], levels: int = 1) -> Iterator[str]:
        """The lines, indented by this many levels."""
        return (self.indent * levels + line for line in lines)
