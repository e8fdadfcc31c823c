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
import textwrap
from collections.abc import Iterator, Sequence

from autograd.compiler.backends.codegen import BRACED, COMPARISONS, LIBRARY, Printer, escaped
from autograd.compiler.pipeline import lower, roll
from autograd.compiler.program import Backend, Element, Program, primitives_used
from autograd.compiler.trace import trace_rule
from autograd.optim import Stepper

SPELLING: dict[str, str] = {
    **BRACED,
    **{name: f"{text} ? 1 : 0" for name, text in COMPARISONS.items()},
    "fmod": "{} % {}",
    **{name: f"Math.{name}" for name in ("abs", *LIBRARY)},
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
    text = str(_Printer(program))
    if name:
        body = textwrap.indent(text, "  ").replace("  export ", "  ")
        return f"const {name} = (() => {{\n{body}  return {{ sizes, memory, program }};\n}})();\n"
    return text


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
    count, truth = "rows.length", "{} !== 0"  # which nan is not
    head = "for (let {0} = 0; {0} < {1}; {0}++) {{"
    declaration = "let {} = {}"
    arrays = ("const k = Float64Array.of({});", "const table = Int32Array.of({});")

    def lines(self) -> Iterator[str]:
        program, sizes = self.program, self.program.sizes
        yield self.listed("w", program.leaf_names)
        yield self.listed("the inputs of an example", program.inputs)
        spaces = {space: sizes[space] for space in "wcvmy"}
        listed = ", ".join(f"{space}: {n}" for space, n in {**spaces, "x": sizes["x"]}.items())
        yield f"export const sizes = {{ {listed} }};"
        arrays = ", ".join(f"{space}: new Float64Array({n})" for space, n in spaces.items())
        yield f"export const memory = () => ({{ {arrays} }});"
        yield from self.helpers()
        yield from self.constants()
        every = f"[...Array(examples.length / {sizes['x']}).keys()]" if sizes["x"] else "[0]"
        yield ""
        named = f"{{ {', '.join(spaces)} }}"
        yield f"export function program({named}, examples = [], rows = {every}) {{"
        yield from self.indented(self.body(sizes["x"], sizes["y"]))
        yield "}"

    def body(self, width: int, n: int) -> Iterator[str]:
        program, head = self.program, "for (const row of rows) {"
        inputs = [f"const x = {width} * row;"] if width else []
        summed = "my" if program.is_batch else "m"
        yield from (f"{s}.fill(-0);" for s in summed if program.means and program.sizes[s])
        if program.is_batch:
            yield from self.sections(head, inputs)
            yield "return y;"
        else:
            yield f"const results = new Float64Array({n} * rows.length);"
            yield "let filled = 0;"
            yield from self.sections(head, inputs, ["results.set(y, filled);", f"filled += {n};"])
            yield "return results;"

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

    def comment(self, text: str) -> str:
        return f"// {_ascii(text)}"

    def listed(self, space: str, names: Sequence[str]) -> str:
        """A line that says what stands in a space, in order; of many the first and the last."""
        shown = [_ascii(name or "(no label)") for name in names]
        if len(shown) > 8:
            shown[3:-1] = ["…"]
        return f"// {space}, {len(names)}: {', '.join(shown)}"

    def literal(self, number: float) -> str:
        text = repr(number).removesuffix(".0")
        return text.replace("inf", "Infinity").replace("nan", "NaN")

    def operand(self, operand: Element, n_indices: int | None = None) -> str:
        text = super().operand(operand, n_indices)
        if operand.space != "x":
            return text
        return "examples[x]" if text == "x[0]" else text.replace("x[", "examples[x + ", 1)


def _ascii(text: str) -> str:
    """The text in ASCII, safe for a comment, also inside a `<script>` element."""
    return escaped(text).replace("<", "\\x3c")


BACKEND = Backend("javascript", SPELLING | HELPERS, source)
