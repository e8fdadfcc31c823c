"""A program as C99: readable, without dependencies, for one example or a batch of them.

It has the bits of the eager code where the compiler neither fuses nor reorders, which is what
`cc -ffp-contract=off` asks for, and where its library is Python's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from autograd.compiler.backends.codegen import COMPARISONS, OPERATORS, Printer
from autograd.compiler.program import Backend, Item, Program, named_ranges, primitives_used
from autograd.primitives import TABLE

SPELLING: dict[str, str] = {
    **OPERATORS,
    "div": "{} / {}",
    **{name: f"{text} ? 1.0 : 0.0" for name, text in COMPARISONS.items()},
    "where": "{} ? {} : {}",
    "stop_gradient": "{}",
    "abs": "fabs",
    "pow": "power",
    **{
        name: name
        for name in (
            *("sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan"),
            *("atan2", "sinh", "cosh", "tanh", "erf", "erfc"),
            *("log2", "log10", "asinh", "acosh", "atanh", "floor", "fmod"),
        )
    },
}
"""How each primitive is written. What the C library does not have is defined in `FUNCTIONS`."""

FUNCTIONS: dict[str, str] = {
    "pow": "double power(double x, double y) { return y == 2.0 ? x * x : pow(x, y); }",
}
"""Each as its row of the table computes it, step by step."""


def source(program: Program) -> str:
    """The program as the text of one C function, with what it needs."""
    return "".join(f"{line}\n" for line in _Printer(program).lines())


class _Printer(Printer):
    spelling = SPELLING
    n_totals = 0

    def lines(self) -> Iterator[str]:
        program, sizes = self.program, self.program.sizes
        memory = [space for space in "cvm" if sizes[space]]
        yield from self.header(sum(sizes[space] for space in memory))
        yield "#include <math.h>"
        yield ""
        used = primitives_used(program)
        for name in used:
            if name in FUNCTIONS:
                yield f"static {FUNCTIONS[name]}"
            elif name not in SPELLING:
                if TABLE[name].variadic:
                    raise ValueError(
                        f"c: {name!r} is computed by Python, on any number of arguments, and "
                        f"cannot be printed as C; run the program with another back end"
                    )
                numbers = ", ".join(["double"] * (TABLE[name].arity or 0))
                yield f"double {self.called(name)}({numbers});  /* a row of your own */"
        constants = map(self.literal, program.constants)
        yield from self.array("static const double k[] = {", constants, "};")
        yield from self.array("static const int table[] = {", map(str, program.table), "};")
        yield "void program(const double *w, const double *x, int count, double *y, double *memory)"
        yield "{"
        start = 0
        for space in memory:
            yield f"  double *{space} = memory + {start};  /* {sizes[space]} numbers */"
            start += sizes[space]
        for space in ("m", "y") if program.means else ():
            if sizes[space]:
                yield f"  for (int i = 0; i < {sizes[space]}; i++) {space}[i] = -0.0;"
        yield from self.section("once a call", program.once)
        width = len(program.inputs)
        if program.each or program.means:
            yield "  for (int example = 0; example < count; example++) {"
            yield from self.section("for each example", program.each, 2)
            yield from self.section("its share of the means", program.means, 2, "+=")
            yield f"    x += {width};"
            if not program.is_batch:
                yield f"    y += {sizes['y']};"
            yield "  }"
        yield from self.section("means", program.means, 1, "/=")
        yield from self.section("then", program.after)
        yield "}"

    def header(self, n_memory: int) -> Iterator[str]:
        program, sizes = self.program, self.program.sizes
        of = "the batch" if program.is_batch else "each example"
        yield "/* Written by autograd. The arguments of `program`:"
        yield ""
        yield f"   w       {sizes['w']} leaves" + ":" * bool(sizes["w"])
        yield from _ranges("w", program.leaf_names)
        yield f"   x       for each example {len(program.inputs)} inputs, one example after another"
        yield from _ranges("x", program.inputs)
        yield "   count   how many examples there are, at least one"
        yield f"   y       room for the {sizes['y']} results of {of}"
        yield f"   memory  room for {n_memory} numbers"
        yield ""
        yield "   Compile it with -ffp-contract=off if each bit matters. */"

    def section(
        self, title: str, items: Iterable[Item], levels: int = 1, assign: str = "="
    ) -> Iterator[str]:
        if items:
            yield from self.indented([f"/* {title} */", *self.items(items, assign)], levels)

    def head(self, index: str, count: str) -> str:
        return f"for (int {index} = 0; {index} < {count}; {index}++)"

    def nested(self, heads: Sequence[str], lines: Iterable[str]) -> list[str]:
        if not heads:
            return list(lines)
        *outer, inner = heads
        block = [f"{inner} {{", *self.indented(lines), "}"]
        begun = [self.indent * i + head for i, head in enumerate(outer)]
        return [*begun, *self.indented(block, len(outer))]

    def short(self, head: str, line: str) -> list[str]:
        return [f"{head} {line}"]

    def labeled(self, lines: list[str], label: str) -> list[str]:
        return [f"/* {_comment(label)} */", *lines]

    def called(self, name: str) -> str:
        is_taken = re.fullmatch(r"program|count|memory|table|example|t\d+|.", name)
        if is_taken or not (name.isidentifier() and name.isascii()):
            raise ValueError(f"c: no function of your own can be called {name!r}; rename the row")
        return name

    def literal(self, number: float) -> str:
        if math.isnan(number):
            return "NAN"
        return repr(number).replace("inf", "INFINITY")

    def total(self) -> str:
        self.n_totals += 1
        return f"t{self.n_totals - 1}"

    def declared(self, total: str, start: str) -> str:
        return f"double {total} = {start};"


def _ranges(space: str, names: Iterable[str]) -> Iterator[str]:
    for start, end, text in named_ranges(list(names)):
        last = f" … {space}[{end - 1}]" if end - start > 1 else ""
        yield f"             {space}[{start}]{last}  {_comment(text)}".rstrip()


def _comment(text: str) -> str:
    """`text` made safe for a comment: `*/`, `/*` and backslashes are replaced."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/")


BACKEND = Backend("c", SPELLING, source)
