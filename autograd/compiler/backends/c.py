"""A program as C99: readable, without dependencies, for one example or a batch of them.

It has the bits of the eager code where the compiler neither fuses nor reorders, which is what
`cc -ffp-contract=off` asks for, and where its library is Python's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from autograd.compiler.backends.codegen import BRACED, COMPARISONS, LIBRARY, Printer
from autograd.compiler.program import Backend, Program, primitives_used
from autograd.primitives import TABLE

SPELLING: dict[str, str] = {
    **BRACED,
    **{name: f"{text} ? 1.0 : 0.0" for name, text in COMPARISONS.items()},
    "abs": "fabs",
    "pow": "power",
    **{name: name for name in ("erf", "erfc", "fmod", *LIBRARY)},
}
"""How each primitive is written; a user-defined one is a function with a name of its own."""

POWER = "static double power(double x, double y) { return y == 2.0 ? x * x : pow(x, y); }"
"""A power, as its row of the table computes it."""


def source(program: Program) -> str:
    """The program as the text of one C function, with what it needs."""
    return str(_Printer(program))


class _Printer(Printer):
    spelling = SPELLING
    arrays = ("static const double k[] = {{{}}};", "static const int table[] = {{{}}};")
    head, declaration = "for (int {0} = 0; {0} < {1}; {0}++) {{", "double {} = {}"

    def lines(self) -> Iterator[str]:
        program, sizes = self.program, self.program.sizes
        memory = [space for space in "cvm" if sizes[space]]
        yield from HEADER.format(
            sizes=sizes,
            names="\n".join(f"             {_safe(name)}" for name in self.names()),
            of="the batch" if program.is_batch else "each example",
            memory=sum(sizes[space] for space in memory),
        ).splitlines()
        for name in primitives_used(program):
            if name == "pow":
                yield POWER
            elif name not in SPELLING:
                if TABLE[name].variadic:
                    raise ValueError(
                        f"c: {name!r} is computed by Python, on any number of arguments, and "
                        f"cannot be printed as C; run the program with another back end"
                    )
                numbers = ", ".join(["double"] * (TABLE[name].arity or 0))
                yield f"double {self.called(name)}({numbers});  /* a row of your own */"
        yield from self.constants()
        yield "void program(const double *w, const double *x, int count, double *y, double *memory)"
        yield "{"
        start = 0
        for space in memory:
            yield f"  double *{space} = memory + {start};  /* {sizes[space]} numbers */"
            start += sizes[space]
        for space in ("m", "y") if program.means else ():
            if sizes[space]:
                yield f"  for (int i = 0; i < {sizes[space]}; i++) {space}[i] = -0.0;"
        head = "for (int example = 0; example < count; example++) {"
        following = [f"x += {sizes['x']};"]
        if not program.is_batch:
            following.append(f"y += {sizes['y']};")
        yield from self.indented(self.sections(head, after=following))
        yield "}"

    def comment(self, text: str) -> str:
        return f"/* {_safe(text)} */"

    def called(self, name: str) -> str:
        is_taken = re.fullmatch(r"program|count|memory|table|example|total\d*|.", name)
        if is_taken or not (name.isidentifier() and name.isascii()):
            raise ValueError(f"c: no function of your own can be called {name!r}; rename the row")
        return name

    def literal(self, number: float) -> str:
        return "NAN" if math.isnan(number) else repr(number).replace("inf", "INFINITY")


HEADER = """/* Written by autograd. The arguments of `program`:

   w       {sizes[w]} leaves
   x       for each example {sizes[x]} inputs, one example after another
{names}
   count   how many examples there are, at least one
   y       room for the {sizes[y]} results of {of}
   memory  room for {memory} numbers

   Compile it with -ffp-contract=off if each bit matters. */
#include <math.h>
"""


def _safe(text: str) -> str:
    """`text` made safe for a comment: `*/`, `/*` and backslashes are replaced."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/")


BACKEND = Backend("c", SPELLING, source)
