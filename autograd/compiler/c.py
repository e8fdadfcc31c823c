"""A program as C99: readable, without dependencies, for one example or a batch of them.

It has the bits of the eager code where the compiler neither fuses nor reorders, which is what
`cc -ffp-contract=off` asks for, and where its library is Python's.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator

from autograd.compiler.program import (
    INDICES,
    Apply,
    Backend,
    Expression,
    Group,
    Integer,
    Item,
    Loop,
    Operand,
    Program,
    Reduce,
    Run,
    named_ranges,
    primitives_used,
)
from autograd.primitives import TABLE

SPELLING: dict[str, str] = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "neg": "-{}",
    "lt": "{} < {}",
    "le": "{} <= {}",
    "gt": "{} > {}",
    "ge": "{} >= {}",
    "where": "{} ? {} : {}",
    "stop_gradient": "{}",
    "abs": "fabs({})",
    "pow": "power({}, {})",
    "hypot": "length({n}, (const double[]){{{all}}})",
    **{
        name: f"{name}({{all}})"
        for name in (
            *("sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan"),
            *("atan2", "sinh", "cosh", "tanh", "sech2", "sigmoid", "softplus", "erf", "erfc"),
            *("relu", "maximum", "minimum"),
        )
    },
}
"""How each primitive is written. What the C library does not have is defined in `FUNCTIONS`."""

FUNCTIONS: dict[str, str] = {
    "relu": "double relu(double x) { return x < 0.0 ? 0.0 : x; }",
    "maximum": "double maximum(double x, double y) { return x >= y ? x : x < y ? y : x + y; }",
    "minimum": "double minimum(double x, double y) { return x <= y ? x : x > y ? y : x + y; }",
    "pow": "double power(double x, double y) { return y == 2.0 ? x * x : pow(x, y); }",
    "sigmoid": """\
double sigmoid(double x) {
  double e = exp(-fabs(x));
  return (x >= 0.0 ? 1.0 : e) / (1.0 + e);
}""",
    "sech2": """\
double sech2(double x) {
  double e = exp(-2.0 * fabs(x));
  return 4.0 * e / ((1.0 + e) * (1.0 + e));
}""",
    "softplus": "double softplus(double x) { return (x < 0.0 ? 0.0 : x) + log1p(exp(-fabs(x))); }",
    "hypot": """\
double length(int n, const double *x) {
  double largest = 0.0, total = -0.0;
  for (int i = 0; i < n; i++) {
    if (isinf(x[i])) return INFINITY;
    largest = largest >= fabs(x[i]) ? largest : largest < fabs(x[i]) ? fabs(x[i]) : NAN;
  }
  if (!(largest > 0.0)) return largest;
  for (int i = 0; i < n; i++) total += (x[i] / largest) * (x[i] / largest);
  return largest * sqrt(total);
}""",
}
"""Each as its row of the table computes it, step by step."""

LOGICAL = ("lt", "le", "gt", "ge")


def source(program: Program) -> str:
    """The program as the text of one C function, with what it needs."""
    return "".join(f"{line}\n" for line in _Printer(program).lines())


class _Printer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.n_totals = 0

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
                numbers = ", ".join(["double"] * (TABLE[name].arity or 0))
                yield f"double {name}({numbers});  /* a row of your own */"
        yield from _array("double", "k", map(_number, program.constants))
        yield from _array("int", "table", map(str, program.table))
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
        yield from _ranges("w", [str(leaf.label) for leaf in program.leaves])
        yield f"   x       for each example {len(program.inputs)} inputs, one example after another"
        yield from _ranges("x", program.inputs)
        yield "   count   how many examples there are, at least one"
        yield f"   y       room for the {sizes['y']} results of {of}"
        yield f"   memory  room for {n_memory} numbers"
        yield ""
        yield "   Compile it with -ffp-contract=off if each bit matters. */"

    def section(
        self, title: str, items: Iterable[Item], depth: int = 1, assign: str = "="
    ) -> Iterator[str]:
        if items:
            yield f"{'  ' * depth}/* {title} */"
            yield from self.items(items, depth, 0, assign)

    def items(self, items: Iterable[Item], depth: int, loops: int, assign: str) -> Iterator[str]:
        for item in items:
            if isinstance(item, Loop):
                yield "  " * depth + self.loop(INDICES[loops], item.count) + " {"
                yield from self.items(item.body, depth + 1, loops + 1, assign)
                yield "  " * depth + "}"
            else:
                yield from self.group(item, depth, loops, assign)

    def group(self, group: Group, depth: int, loops: int, assign: str) -> Iterator[str]:
        if group.label:
            yield "  " * depth + f"/* {_comment(group.label)} */"
        heads = [self.loop(INDICES[loops + i], n) for i, n in enumerate(group.dims)]
        for i, head in enumerate(heads):
            yield "  " * (depth + i) + head + (" {" if i == len(heads) - 1 else "")
        inner = depth + len(heads)
        self.n_indices = loops + len(heads)
        self.before: list[str] = []
        value = "count" if assign == "/=" else self.value(group.expression)
        value = value[1:-1] if _is_bracketed(value) else value
        yield from ("  " * inner + line for line in self.before)
        yield "  " * inner + f"{self.operand(group.target)} {assign} {value};"
        if heads:
            yield "  " * (inner - 1) + "}"

    def loop(self, name: str, count: Integer) -> str:
        return f"for (int {name} = 0; {name} < {self.integer(count)}; {name}++)"

    def value(self, expression: Expression) -> str:
        match expression:
            case Operand():
                return self.operand(expression)
            case Apply(primitive=name, args=args):
                values = [self.value(arg) for arg in args]
                if name == "where" and isinstance(args[0], Apply) and args[0].primitive in LOGICAL:
                    values[0] = values[0][1:].removesuffix(" ? 1.0 : 0.0)")
                spelling = SPELLING.get(name, f"{name}({{all}})")
                text = spelling.format(*values, all=", ".join(values), n=len(values))
                if name in LOGICAL:
                    return f"(({text}) ? 1.0 : 0.0)"
                return text if spelling[-1] == ")" else f"({text})"
            case Reduce(first=first, runs=runs):
                total = f"t{self.n_totals}"
                self.n_totals += 1
                start = "-0.0" if first is None else self.value(first)
                self.before.append(f"double {total} = {start};")
                for run in runs:
                    self.before += self.run(total, run)
                return total
        return _number(expression)

    def run(self, total: str, run: Run) -> Iterator[str]:
        terms = []
        for term in run.terms:
            factors = " * ".join(map(self.operand, term.factors))
            terms.append(f"{total} {'-' if term.is_negative else '+'}= {factors};")
        head = self.loop(INDICES[self.n_indices], run.count)
        if len(terms) == 1:
            yield f"{head} {terms[0]}"
            return
        yield head + " {"
        yield from (f"  {term}" for term in terms)
        yield "}"

    def operand(self, operand: Operand) -> str:
        return f"{operand.space}[{self._index(operand.base, operand.strides)}]"

    def integer(self, x: Integer) -> str:
        return str(x) if isinstance(x, int) else f"table[{self._index(x.at, x.strides)}]"

    def _index(self, base: Integer, strides: Iterable[Integer]) -> str:
        parts = [] if base == 0 else [self.integer(base)]
        for name, stride in zip(INDICES, strides, strict=False):
            if stride != 0:
                parts.append(name if stride == 1 else f"{self.integer(stride)} * {name}")
        return " + ".join(parts).replace("+ -", "- ") or "0"


def _array(kind: str, name: str, numbers: Iterable[str]) -> Iterator[str]:
    """A constant array, in lines that are not too long."""
    text = ", ".join(numbers)
    if text:
        yield f"static const {kind} {name}[] = {{"
        yield from textwrap.wrap(text, 98, initial_indent="  ", subsequent_indent="  ")
        yield "};"


def _ranges(space: str, names: Iterable[str]) -> Iterator[str]:
    for start, end, text in named_ranges(list(names)):
        last = f" … {space}[{end - 1}]" if end - start > 1 else ""
        yield f"             {space}[{start}]{last}  {_comment(text)}".rstrip()


def _comment(text: str) -> str:
    """`text` as it can stand in a comment: no label ends it."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/")


def _number(x: float) -> str:
    if math.isnan(x):
        return "NAN"
    if math.isinf(x):
        return "INFINITY" if x > 0 else "(-INFINITY)"
    return f"({x!r})" if repr(x)[0] == "-" else repr(x)


def _is_bracketed(text: str) -> bool:
    """Whether the first bracket closes at the end."""
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i == len(text) - 1 and text[0] == "("
    return False


BACKEND = Backend("c", SPELLING, source)
