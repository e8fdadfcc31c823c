"""A program as a JavaScript module: what a page runs, without Python.

The module has three names:

    sizes                            how many numbers each space has (see `program`)
    memory()                         fresh Float64Arrays {w, c, v, m, y} for them
    program(memory, examples, rows)  runs the program

`memory.w` holds the numbers of the leaves, which the caller sets. `examples` is one Float64Array,
the inputs of the first example, those of the second, and so on; `rows` are the indices of those to
take, all if it is left out. What a batch returns is `memory.y`; else the results of each row, one
row after another, in a new array. All numbers of the last example stay in the memory, so that a
page can show what was computed on the way.

JavaScript's numbers are float64s, and + - * / sqrt and comparisons have the bits of Python's. Its
other functions differ by at most two units in the last place, those made of exp by four.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from autograd.compiler.backends.codegen import COMPARISONS, OPERATORS, Printer
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Apply, Backend, Expression, Operand, Program, primitives_used
from autograd.compiler.trace import trace_rule
from autograd.optim import Stepper

SPELLING: dict[str, str] = {
    **OPERATORS,
    "div": "{} / {}",
    **{name: f"{text} ? 1 : 0" for name, text in COMPARISONS.items()},
    "where": "{} ? {} : {}",
    "stop_gradient": "{}",
    "fmod": "{} % {}",
    **{
        name: f"Math.{name}"
        for name in (
            *("abs", "sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh"),
            *("tanh", "asin", "acos", "atan", "atan2", "log2", "log10", "asinh", "acosh", "atanh"),
            "floor",
        )
    },
}
"""How primitives are written, an operator or a function's name; the others are `HELPERS`."""

HELPERS: dict[str, str] = {
    # Math.pow(±1, ±Infinity) and Math.pow(1, NaN) are NaN; in IEEE 754, C and Python they are 1
    "pow": "(x, y) => y === 2 ? x * x : x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : "
    "Math.pow(x, y)",
    "polynomial": "(coefficients, x) => coefficients.reduceRight((sum, c) => sum * x + c, 0)",
    # fitted to erf(x) / x as a polynomial in x² up to 1
    "erf": """x => {
  if (!(Math.abs(x) < 1)) return Math.sign(x) * (1 - erfc_tail(Math.abs(x)));
  return x * polynomial([1.1283791670955126, -0.3761263890318375, 0.11283791670954879,
    -0.026866170645076792, 0.0052239776248180145, -0.000854832698083379, 0.0001205533111164271,
    -1.4925595266831182e-05, 1.6461000484121361e-06, -1.6350312701054618e-07,
    1.4659775274046955e-08, -1.1372848856789924e-09, 5.957176147746114e-11], x * x);
}""",
    "erfc": "x => x < 0.5 ? 1 - erf(x) : erfc_tail(x)",
    # erfc(x) · exp(x²) · (1 + 2x), fitted as a polynomial in (x - 4) / (x + 4) from 0.5 to 28;
    # exp(-x²) by parts, so that rounding x² does no harm
    "erfc_tail": """x => {
  if (x > 28) return 0;
  const near = Math.round(16 * x) / 16, e = Math.exp(-near * near);
  return (e + e * Math.expm1((near - x) * (near + x))) / (1 + 2 * x) * polynomial([
    1.2329951186255526, -0.13962111684056253, 0.015379652102619027, 0.0680970542546948,
    -0.10103906603625375, 0.09373283499828751, -0.06633036581360713, 0.03716751553818893,
    -0.01619773403826592, 0.0050319699756138135, -0.0007577734486762808, -0.00019925671345040716,
    0.00015062249512264785, -2.4398983809134553e-05, -1.12247322473501e-05, 5.7086428044048145e-06,
    2.9955790685567077e-07, -8.22559563206072e-07, 6.702452833728971e-08, 1.0568025135820959e-07,
    -1.2224048303152388e-08, -1.0476718674668371e-08], (x - 4) / (x + 4));
}""",
}
"""Functions that JavaScript lacks, or has with other values; each is printed only where used. A row
of one's own needs a line here, its value as a function, to be printed."""


def source(program: Program, name: str = "") -> str:
    """The program as the text of an ES module; or, with a name, as a constant of that name.

    The constant is an object with the module's three names in it, so that a page can hold many.

    Raises:
        ValueError: for a primitive that has no spelling in JavaScript: a row made by a user.
    """
    lines = list(_Printer(program).lines())
    if name:
        body = "".join(f"  {line}\n" if line else "\n" for line in lines)
        body = body.replace("  export ", "  ")
        return f"const {name} = (() => {{\n{body}  return {{ sizes, memory, program }};\n}})();\n"
    return "".join(f"{line}\n" for line in lines)


def update_rule(stepper: Stepper) -> Program:
    """The stepper's rule for one parameter as a program: its examples are parameters.

    Its inputs are the weight, the numbers of its state, and the gradient; its results the new
    weight and the new state; its leaves all the stepper's coefficients, in their order.
    """
    recorded, coefficients = trace_rule(stepper)
    return roll(lower(recorded.inputs, recorded.outputs, False, coefficients))


class _Printer(Printer):
    spelling = SPELLING
    indices = "ijhnpqrstuabdefgloz"
    count = "rows.length"

    def lines(self) -> Iterator[str]:
        program, sizes = self.program, self.program.sizes
        yield _comment("w", program.leaf_names)
        yield _comment("the inputs of an example", program.inputs)
        spaces = {space: sizes[space] for space in "wcvmy"}
        listed = ", ".join(f"{space}: {n}" for space, n in {**spaces, "x": sizes["x"]}.items())
        yield f"export const sizes = {{ {listed} }};"
        arrays = ", ".join(f"{space}: new Float64Array({n})" for space, n in spaces.items())
        yield f"export const memory = () => ({{ {arrays} }});"
        yield from self.helpers()
        constants = map(self.literal, program.constants)
        yield from self.array("const k = Float64Array.of(", constants, ");")
        yield from self.array("const table = Int32Array.of(", map(str, program.table), ");")
        width, y = sizes["x"], sizes["y"]
        every = f"[...Array(examples.length / {width}).keys()]" if width else "[0]"
        yield ""
        named = f"{{ {', '.join(spaces)} }}"
        yield f"export function program({named}, examples = [], rows = {every}) {{"
        summed = "my" if program.is_batch else "m"
        yield from (f"  {s}.fill(-0);" for s in summed if program.means and sizes[s])
        if not program.is_batch:
            yield f"  const results = new Float64Array({y} * rows.length);"
            yield "  let filled = 0;"
        yield from self.indented(self.items(program.once))
        if program.each or program.means or not program.is_batch:
            yield "  for (const row of rows) {"
            if width:
                yield f"    const x = {width} * row;"
            yield from self.indented(self.items(program.each), 2)
            yield from self.indented(self.items(program.means, "+="), 2)
            if not program.is_batch:
                yield "    results.set(y, filled);"
                yield f"    filled += {y};"
            yield "  }"
        yield from self.indented(self.items(program.means, "/="))
        yield from self.indented(self.items(program.after))
        yield f"  return {'y' if program.is_batch else 'results'};"
        yield "}"

    def helpers(self) -> Iterator[str]:
        names = [name for name in primitives_used(self.program) if name not in SPELLING]
        needed: dict[str, None] = {}
        while names:
            name = names.pop()
            if name not in HELPERS:
                raise ValueError(
                    f"javascript: the primitive {name!r} has no spelling; give it one in autograd."
                    "compiler.backends.javascript.HELPERS: its value as a JavaScript function"
                )
            if name not in needed:
                needed[name] = None
                names += [x for x in HELPERS if re.search(rf"\b(?<!\.){x}\b[(,]", HELPERS[name])]
        for name, text in HELPERS.items():
            if name in needed:
                yield from f"const {name} = {text};".split("\n")

    def head(self, index: str, count: str) -> str:
        return f"for (let {index} = 0; {index} < {count}; {index}++) {{"

    def nested(self, heads: Sequence[str], lines: Iterable[str]) -> list[str]:
        lines = list(lines)
        if not heads and len(lines) > 1:
            heads = ["{"]  # which the names in it do not leave
        for head in reversed(heads):
            lines = [head, *self.indented(lines), "}"]
        return lines

    def short(self, head: str, line: str) -> list[str]:
        return [f"{head} {line} }}"]

    def labeled(self, lines: list[str], label: str) -> list[str]:
        return [f"{lines[0]}  // {_ascii(label)}", *lines[1:]]

    def literal(self, number: float) -> str:
        text = repr(number).removesuffix(".0")
        return text.replace("inf", "Infinity").replace("nan", "NaN")

    def declared(self, total: str, start: str) -> str:
        return f"let {total} = {start};"

    def condition(self, expression: Expression) -> str:
        text = super().condition(expression)
        is_comparison = isinstance(expression, Apply) and expression.primitive in COMPARISONS
        return text if is_comparison else f"{text} !== 0"  # which nan is not

    def operand(self, operand: Operand, n_indices: int | None = None) -> str:
        text = super().operand(operand, n_indices)
        if operand.space != "x":
            return text
        return "examples[x]" if text == "x[0]" else text.replace("x[", "examples[x + ", 1)


def _ascii(text: str) -> str:
    """The text in ASCII, safe for a comment, also inside a `<script>` element."""
    return text.encode("unicode_escape").decode("ascii").replace("<", "\\x3c")


def _comment(space: str, names: Sequence[str]) -> str:
    """A line that says what stands in a space, in order; of many the first and the last."""
    shown = [_ascii(name or "(no label)") for name in names]
    if len(shown) > 8:
        shown[3:-1] = ["…"]
    return f"// {space}, {len(names)}: {', '.join(shown)}"


BACKEND = Backend("javascript", SPELLING | HELPERS, source)
