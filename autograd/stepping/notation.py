"""How nodes, numbers, operations and local derivatives are written, in text and in LaTeX.

A node goes by its label. One without is called by its place in the topological order, counted
from 0: v3, as in the literature (Griewank and Walther, Evaluating Derivatives, SIAM 2008). Two
nodes that share a label are told apart: x and x#2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from autograd import recording
from autograd.picture import short_number, shortened, visible
from autograd.primitives import TABLE
from autograd.value import Value

T = TypeVar("T")
Arg: TypeAlias = Value | float
Names: TypeAlias = Mapping[Value, str]

TERMS_SHOWN = 6
"""How many operands of a long operation are written out, the last among them."""

BINDING = {"add": 1, "sub": 1, "dot": 1, "mul": 2, "div": 2, "neg": 2, "pow": 3}
"""How tightly an operation holds its operands; a function's are in parentheses anyway."""


def names(order: Sequence[Value]) -> dict[Value, str]:
    """A name of its own for every node of a topological order; the labels people gave go first."""
    labels = {node: _shown(node.label) for node in order}
    taken: dict[str, int] = {}
    named = {node: _unique(label, taken) for node, label in labels.items() if label}
    for i, node in enumerate(order):
        if node not in named:
            named[node] = _unique(f"v{i}", taken)
    return named


def _shown(label: str) -> str:
    return shortened(visible(" ".join(str(label).split())))


def _unique(name: str, taken: dict[str, int]) -> str:
    candidate = name
    while candidate in taken:
        taken[name] += 1
        candidate = f"{name}#{taken[name]}"
    taken[candidate] = 1
    return candidate


def _number_now(arg: Arg) -> float:
    return arg.data if isinstance(arg, Value) else arg


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


class Notation:
    """Plain text: `∂L/∂a`, `-2 · -3`, `tanh(n)`."""

    times = " · "
    dots = "…"

    def name(self, name: str) -> str:
        """A node's name."""
        return name

    def number(self, x: float) -> str:
        """x as the pictures have it, in four significant digits: `-3`, `0.1`, `1e-07`, `inf`."""
        return short_number(x)

    def derivative(self, of: str, by: str) -> str:
        """∂of/∂by of two names."""
        return f"∂{of}/∂{by}"

    def partial(self, node: Value, index: int, named: Names) -> str:
        """∂node/∂argᵢ; `∂y/∂(2nd x)` where an operand occurs several times, as in y = x·x."""
        arg = node.args[index]
        operand = named[arg]  # type: ignore[index]
        if node.args.count(arg) > 1:
            operand = f"({_ordinal(node.args[: index + 1].count(arg))} {operand})"
        return self.derivative(named[node], operand)

    def joined(
        self, separator: str, items: Sequence[T], write: Callable[[T], str], shown: int
    ) -> str:
        """The items as written; of more than `shown`, the first ones, dots, and the last."""
        if len(items) <= shown:
            return separator.join(map(write, items))
        return separator.join([*map(write, items[: shown - 1]), self.dots, write(items[-1])])

    # --- operations -------------------------------------------------------------------------------

    def formula(self, node: Value, named: Names) -> str:
        """The operation that made the node, on its operands' names: `a · b`, `w1·x1 + w2·x2`."""
        operands = [self._operand(arg, lambda x: self._name_of(x, named)) for arg in node.args]
        return self._operation(node.op, operands)

    def numbers(self, node: Value) -> str | None:
        """The same on the operands' data: `2 · -3`.

        None if the data no longer give the node's: one of them has been reassigned since.
        """
        now = TABLE[node.op].value(*map(_number_now, node.args))
        if now != node.data and not (math.isnan(now) and math.isnan(node.data)):
            return None
        operands = [self._operand(arg, lambda x: self.number(x.data)) for arg in node.args]
        return self._operation(node.op, operands)

    def local_derivative(self, node: Value, index: int, named: Names) -> str:
        """∂node/∂argᵢ as the table of primitives states it, on names: `b` for ∂(a·b)/∂a.

        The rule is read with Values that carry the names, so that it records its own formula.
        """
        with recording.recorded():
            z = Value(node.data, self._name_of(node, named))
            args = [
                Value(x.data, self._name_of(x, named)) if isinstance(x, Value) else x
                for x in node.args
            ]
            partial = TABLE[node.op].partials_at(z, args, args)[index]
        return self._expression(partial)

    def _expression(self, x: Arg) -> str:
        """A rule's formula. (It recurses: a rule is at most a handful of operations deep.)"""
        if not isinstance(x, Value) or not x.args:
            return self._operand(x, lambda leaf: leaf.label)
        return self._operation(x.op, [self._held(x.op, i, arg) for i, arg in enumerate(x.args)])

    def _held(self, op: str, index: int, arg: Arg) -> str:
        """An operand's formula, in parentheses where the operation would tear it apart.

        Of a case distinction inside a formula, the case that holds is enough: y · x ** (y - 1).
        """
        while op != "where" and isinstance(arg, Value) and arg.op == "where":
            condition, then, otherwise = arg.args
            arg = then if condition else otherwise
        text = self._expression(arg)
        if not isinstance(arg, Value) or op not in BINDING or arg.op not in BINDING:
            return text
        holds, needs = BINDING[op], BINDING[arg.op]
        regroups = op in ("sub", "div", "pow") and index == 1
        return f"({text})" if needs < holds or (needs == holds and regroups) else text

    def _operation(self, op: str, operands: Sequence[str]) -> str:
        symbol = TABLE[op].symbol
        if op == "dot":
            half = len(operands) // 2
            pairs = list(zip(operands[:half], operands[half:], strict=True))
            return self.joined(" + ", pairs, self._pair, TERMS_SHOWN)
        if symbol.isidentifier():
            return f"{self._function(symbol)}({self.joined(', ', operands, str, TERMS_SHOWN)})"
        if len(operands) == 1:
            (operand,) = operands
            return f"{symbol}({operand})" if operand.startswith("-") else f"{symbol}{operand}"
        if op == "pow":
            return self._power(*operands)
        return (self.times if op == "mul" else f" {symbol} ").join(operands)

    def _function(self, symbol: str) -> str:
        return symbol

    def _pair(self, factors: tuple[str, str]) -> str:
        return "·".join(factors)

    def _power(self, base: str, exponent: str) -> str:
        return f"({base}) ** {exponent}" if base.startswith("-") else f"{base} ** {exponent}"

    def _operand(self, arg: Arg, write: Callable[[Value], str]) -> str:
        if isinstance(arg, Value):
            return write(arg)
        return str(arg) if isinstance(arg, bool) else self.number(arg)

    def _name_of(self, node: Value, named: Names) -> str:
        """A node's name, or its number where the graph does not reach it (as in a condition)."""
        name = named.get(node) or _shown(node.label)
        return self.name(name) if name else self.number(node.data)


class LaTeX(Notation):
    r"""For mathematics in LaTeX: `\frac{\partial L}{\partial a}`, `-2 \cdot -3`."""

    times = r" \cdot "
    dots = r"\ldots"

    _escapes = str.maketrans(
        {
            "\\": r"\backslash{}",
            "^": r"\wedge{}",
            "~": r"\sim{}",
            "<": r"\lt{}",
            ">": r"\gt{}",
            "'": r"\prime{}",
            " ": r"\ ",
        }
        | {character: f"\\{character}" for character in "{}$&#%_"}
    )

    def name(self, name: str) -> str:
        """A letter with its index, or upright as it stands; nothing in it is a command."""
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

    def derivative(self, of: str, by: str) -> str:
        """∂of/∂by as a fraction."""
        return rf"\frac{{\partial {self.name(of)}}}{{\partial {self.name(by)}}}"

    def _function(self, symbol: str) -> str:
        return rf"\mathrm{{{symbol}}}"

    def _pair(self, factors: tuple[str, str]) -> str:
        return r" \cdot ".join(factors)

    def _power(self, base: str, exponent: str) -> str:
        return (
            f"{{({base})}}^{{{exponent}}}" if base.startswith("-") else f"{{{base}}}^{{{exponent}}}"
        )


TEXT = Notation()
LATEX = LaTeX()
