"""Operations, derivatives and numbers as text and as LaTeX.

Pictures, `backward_steps`, `explain` and `play` all use this notation.

A node is named by its label. One without is named by its place in the topological order, counted
from 0: v3, as in the literature (Griewank and Walther, Evaluating Derivatives, SIAM 2008). Two
nodes that share a label are told apart: x and x#2.

Total derivatives are written dL/da, local ones ∂d/∂a; `TOTAL_AND_LOCAL` says why. The local ones
come from the table of primitives, whose rules record their own formula on Values; no derivative is
stated here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias, TypeVar

from autograd import recording
from autograd.compiler.program import BINDING
from autograd.primitives import TABLE
from autograd.value import Value

T = TypeVar("T")
Arg: TypeAlias = Value | float
Names: TypeAlias = Mapping[Value, str]

TOTAL_AND_LOCAL = (
    "d is the total derivative, summed over all paths; ∂ is the local derivative of one operation."
)
"""Why two signs: L may depend on a along several paths, while an operation depends on each of its
operands once. With one sign for both, ∂L/∂a could be either number."""


# --- numbers and labels as text -------------------------------------------------------------------


def short_number(number: float | None) -> str:
    """A number in four significant digits; "–" for None, and 0 for -0.

    Trailing zeros mark a rounded number: 1 is exact, 1.000 is rounded.
    """
    if number is None:
        return "–"
    short = f"{number + 0.0:.4g}"
    is_exact = float(short) == number or not math.isfinite(number)
    return short if is_exact else f"{number:#.4g}".removesuffix(".")


LONGEST_TEXT = 40

ISOLATE, END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
    r"\u202a-\u202e\u2066\u2067]"  # marks of direction, but for those of `isolated`
)


def visible(text: str) -> str:
    """`text` in one line, with an escape for each character that XML or a page can't show.

    Escaped are control characters, lone surrogates, line ends, and characters that change the
    direction of the text that follows. Blanks of any width, and what joins or varies other
    characters, as in emoji, are no such characters.
    """
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text`, or its beginning and dots, where it would be too long for a picture or a line."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def isolated(text: str) -> str:
    """Isolate right-to-left text (Unicode), so that a formula around it keeps its order."""
    is_turned = any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in text)
    return ISOLATE + text + END if is_turned else text


# --- names ----------------------------------------------------------------------------------------


def names(
    order: Sequence[Value], called: Names | None = None, longest: int = LONGEST_TEXT
) -> dict[Value, str]:
    """A unique name for every node of a topological order, of about `longest` characters.

    Labels take precedence over the names that a model gives its nodes (`called`); other nodes are
    named by their index.
    """
    called = called or {}
    given = {node: in_a_line(node.label or called.get(node, ""), longest) for node in order}
    taken: dict[str, int] = {}
    found: dict[Value, str] = {}
    for i, node in sorted(enumerate(order), key=lambda at: (not at[1].label, not given[at[1]])):
        found[node] = _unique(given[node] or f"v{i}", taken)
    return found


def in_a_line(label: str, longest: int = LONGEST_TEXT) -> str:
    """A label for use in a line of text: shortened to `longest` characters and printable.

    White space is collapsed to single blanks, invisible characters are replaced, and right-to-left
    text is isolated from its surroundings.
    """
    return isolated(shortened(visible(" ".join(str(label).split())), longest))


def _unique(name: str, taken: dict[str, int]) -> str:
    candidate = name
    while candidate in taken:
        taken[name] += 1
        candidate = f"{name}#{taken[name]}"
    taken[candidate] = 1
    return candidate


# --- what has changed since it was recorded -------------------------------------------------------


def changed_since(order: Iterable[Value]) -> list[Value]:
    """The nodes one of whose operands has changed since they were recorded.

    A leaf's data may be reassigned; what was recorded before keeps its value and its partials.
    """
    return [node for node in order if node.op and _has_changed(node)]


def _has_changed(node: Value) -> bool:
    numbers = (arg.data if isinstance(arg, Value) else arg for arg in node.args)
    now = TABLE[node.op].value(*numbers)
    return now != node.data and not (math.isnan(now) and math.isnan(node.data))


# --- operations and derivatives -------------------------------------------------------------------

TERMS_SHOWN = 6
"""How many operands of a long operation are written out, the last among them."""

TEXTBOOK = {"sigmoid": "{0} · (1 - {0})", "tanh": "1 - {0} ** 2"}
"""Derivatives as textbooks have them, by the name of the row; {0} is the result of the operation.

The rows state the same derivatives in a form that does not cancel, which `local_derivative` writes.
"""


class Notation:
    """Plain text: `dL/da`, `∂d/∂a`, `-2 · (-3)`, `tanh(n)`."""

    times = " · "
    dots = "…"
    minus = "-"
    text_template = "{}"
    total_template = "d{}/d{}"
    local_template = "∂{}/∂{}"
    function_template = "{}"
    pair_template = "{}·{}"
    power_template = "{} ** {}"
    infix: ClassVar[Mapping[str, str]] = {}
    """Operators that are not written as their symbol."""
    start, indent, equals = "", "  ", " = "
    """What a row begins with, what indents it, and the sign at which rows are aligned."""

    def name(self, name: str) -> str:
        """A node's name."""
        return name

    def words(self, text: str) -> str:
        """Words beside formulas."""
        return self.text_template.format(text)

    def columns(self, rows: Sequence[tuple[str, str, str]]) -> list[str]:
        """Rows of two sides of an equation, and what stands beside it."""
        left, right = (max(len(row[i]) for row in rows) for i in (0, 1))
        return [f"{a:{left}} = {b:{right}}   {c}" for a, b, c in rows]

    def number(self, x: float) -> str:
        """x in four significant digits: `-3`, `0.1`, `1e-07`, `inf`."""
        return short_number(x).replace("-", self.minus)

    def total(self, of: str, by: str) -> str:
        """The total derivative of one name by another: `dL/da`."""
        return self.total_template.format(self.name(of), self.name(by))

    def local(self, of: str, by: str) -> str:
        """The local derivative of one name with respect to another: `∂d/∂a`."""
        return self.local_template.format(self.name(of), self.name(by))

    def partial(self, node: Value, index: int, named: Names) -> str:
        """∂node/∂argᵢ; `∂y/∂(2nd x)` where an operand occurs several times, as in y = x·x."""
        arg = node.args[index]
        operand = named[arg]
        is_arg = [x is arg for x in node.args]
        if is_arg.count(True) > 1:
            operand = f"({_ordinal(is_arg[: index + 1].count(True))} {operand})"
        return self.local(named[node], operand)

    def product(self, factors: Sequence[float], shown: int = 1000) -> str:
        """A product, such as `-2 · (-3)`: negative factors after the first are in parentheses."""
        texts = [self.number(x) for x in factors]
        return self.joined(self.times, [*texts[:1], *map(self.guarded, texts[1:])], str, shown)

    def joined(
        self, separator: str, items: Sequence[T], write: Callable[[T], str], shown: int
    ) -> str:
        """The items as written; of more than `shown`, the first ones, dots, and the last."""
        if len(items) <= shown:
            return separator.join(map(write, items))
        return separator.join([*map(write, items[: shown - 1]), self.dots, write(items[-1])])

    def guarded(self, text: str) -> str:
        """`text`, in parentheses if it begins with a minus sign."""
        return f"({text})" if text.startswith(self.minus) else text

    # --- operations -------------------------------------------------------------------------------

    def formula(self, node: Value, named: Names) -> str:
        """The operation that made the node, on its operands' names: `a · b`, `w1·x1 + w2·x2`."""
        return self.written(node, lambda x: self._name_of(x, named))

    def numbers(self, node: Value) -> str | None:
        """The operation that made the node, on its operands' data: `2 · (-3)`.

        None if an operand's data has been reassigned since, so that the result would differ.
        """
        return None if changed_since([node]) else self.written(node, lambda x: self.number(x.data))

    def written(self, node: Value, write: Callable[[Value], str]) -> str:
        """The operation of the node on its operands, each written by `write`."""
        return self._operation(node.op, [self._operand(arg, write) for arg in node.args])

    def symbol(self, op: str) -> str:
        """The symbol of the operation: `·`, `tanh`; for `dot` its name, unlike a product."""
        return op if op == "dot" else TABLE[op].symbol.replace("-", self.minus)

    def applied(self, node: Value) -> str:
        """The operation and the plain numbers among its operands: `· 3`, `10 /`, `max(_, 0)`.

        The numbers of a `dot` are left out: they are the local derivatives on its edges.
        """
        symbol = self.symbol(node.op)
        plain = [self.number(arg) for arg in node.args if not isinstance(arg, Value)]
        if node.op == "dot" or not plain:
            return symbol
        if node.op == "sum":
            return " + ".join([symbol, *map(self.guarded, plain)])
        blank = "_" if _is_called(symbol, len(node.args)) else ""
        return self.written(node, lambda _: blank).strip()

    def local_derivative(self, node: Value, index: int, named: Names) -> str:
        """The formula of ∂node/∂argᵢ in the names of the operands: `b` for ∂(a·b)/∂a.

        If the rule has several cases, it is the one that holds at the node's numbers.

        The rule is called with Values that carry the names, which records its formula.
        """
        with recording.recorded():
            z = Value(node.data, self._name_of(node, named))
            args = [
                Value(x.data, self._name_of(x, named)) if isinstance(x, Value) else x
                for x in node.args
            ]
            partial = TABLE[node.op].partials_at(z, args, args)[index]
        return self._expression(_case_that_holds(partial))

    def textbook(self, node: Value, named: Names) -> str:
        """∂node/∂arg as textbooks write it, if the primitive computes it differently; else ""."""
        name = self._name_of(node, named)
        return TEXTBOOK.get(node.op, "").replace("-", self.minus).replace("{0}", name)

    def _expression(self, x: Arg) -> str:
        """The formula of a rule as text. (Recursive: rules are at most a few operations deep.)"""
        if not isinstance(x, Value) or not x.args:
            return self._operand(x, lambda leaf: leaf.label)
        if x.op == "pow" and type(x.args[1]) is float and x.args[1] == 1.0:
            return self._expression(x.args[0])
        return self._operation(x.op, [self._held(x.op, i, arg) for i, arg in enumerate(x.args)])

    def _held(self, op: str, index: int, arg: Arg) -> str:
        """An operand's formula, in parentheses where the precedence of operators requires them."""
        arg = _case_that_holds(arg)
        text = self._expression(arg)
        inner = arg.op if isinstance(arg, Value) else ""
        inner = "add" if inner == "dot" else inner  # a sum of products
        if op not in BINDING or inner not in BINDING:
            return text
        binds, needs = BINDING["mul" if op == "neg" else op], BINDING[inner]  # -a · b needs none
        rounds = inner in ("mod", "floordiv")  # -(a // b) is not (-a) // b
        regroups = (op in ("sub", "div") or rounds) and (index == 1 or op == "neg")
        regroups = regroups or op == "pow"  # (a ** b) ** c is not a ** b ** c
        return f"({text})" if needs < binds or (needs == binds and regroups) else text

    def _operation(self, op: str, operands: Sequence[str]) -> str:
        symbol = self.symbol(op)
        if op == "dot":
            half = len(operands) // 2
            factors = list(map(self.guarded, operands))
            products = list(map(self.pair_template.format, factors[:half], factors[half:]))
            return self.joined(" + ", products, str, TERMS_SHOWN)
        if _is_called(symbol, len(operands)):
            name = self.function_template.format(symbol)
            return f"{name}({self.joined(', ', operands, str, TERMS_SHOWN)})"
        if len(operands) == 1:
            return f"{symbol}{self.guarded(operands[0])}"
        first, second = operands
        if op == "pow":
            return self.power_template.format(self.guarded(first), second)
        spaced = self.times if op == "mul" else f" {self.infix.get(symbol, symbol)} "
        is_comparison = BINDING.get(op) == BINDING["lt"]
        return f"{first}{spaced}{second if is_comparison else self.guarded(second)}"

    def _operand(self, arg: Arg, write: Callable[[Value], str]) -> str:
        return write(arg) if isinstance(arg, Value) else self.number(arg)

    def _name_of(self, node: Value, named: Names) -> str:
        """A node's name, or its number where it has none."""
        name = named.get(node) or in_a_line(node.label)
        return self.name(name) if name else self.number(node.data)


def _case_that_holds(x: Any) -> Any:
    while isinstance(x, Value) and x.op == "where":
        condition, then, otherwise = x.args
        holds = condition.data if isinstance(condition, Value) else condition
        x = then if holds else otherwise
    return x


def is_word(symbol: str) -> bool:
    """Whether an operation's symbol is a name, such as tanh, rather than a sign."""
    return symbol[0].isalpha()


def _is_called(symbol: str, count: int) -> bool:
    """Whether an operation is written as a function of so many operands, not before or between."""
    return is_word(symbol) or count > 2


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


class LaTeX(Notation):
    r"""For mathematics in LaTeX: `\frac{\mathrm{d} L}{\mathrm{d} a}`, `-2 \cdot (-3)`."""

    times = r" \cdot "
    dots = r"\ldots"
    text_template = r"\text{{{}}}"
    total_template = r"\frac{{\mathrm{{d}} {}}}{{\mathrm{{d}} {}}}"
    local_template = r"\frac{{\partial {}}}{{\partial {}}}"
    function_template = r"\mathrm{{{}}}"
    pair_template = r"{} \cdot {}"
    power_template = "{{{}}}^{{{}}}"
    infix: ClassVar[Mapping[str, str]] = {"<": r"\lt", "<=": r"\le", ">": r"\gt", ">=": r"\ge"}
    start, indent, equals = "&", r"\quad ", " &= "

    _escapes = str.maketrans(
        {
            "\\": r"\backslash{}",
            "^": r"\wedge{}",
            "~": r"\sim{}",
            "<": r"\lt{}",
            ">": r"\gt{}",
            "'": r"\prime{}",
            " ": r"\ ",
            ISOLATE: "",  # each symbol of a formula is set on its own
            END: "",
        }
        | {character: f"\\{character}" for character in "{}$&#%_"}
    )

    def columns(self, rows: Sequence[tuple[str, str, str]]) -> list[str]:
        """Rows of two sides of an equation, and what stands beside it."""
        return [rf"{a} &= {b} &\quad {c}" for a, b, c in rows]

    def name(self, name: str) -> str:
        """A name in LaTeX: a letter with its index, or upright text; special characters escaped."""
        if indexed := re.fullmatch(r"([^\W\d_])_?(\d+)", name):
            return f"{indexed[1]}_{{{indexed[2]}}}"
        escaped = name.translate(self._escapes)
        return escaped if len(name) == 1 else rf"\mathrm{{{escaped}}}"

    def number(self, x: float) -> str:
        """x in four significant digits, with a power of ten where it needs one."""
        mantissa, e, exponent = super().number(x).partition("e")
        if e:
            return rf"{mantissa} \times 10^{{{int(exponent)}}}"
        if math.isnan(x):
            return r"\mathrm{nan}"
        return mantissa.replace("inf", r"\infty")


TEXT = Notation()
LATEX = LaTeX()
