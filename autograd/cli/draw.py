"""`draw`: the graph of a formula, with its gradients."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from autograd.cli.output import say
from autograd.data import printable
from autograd.value import Value
from autograd.viz.drawing import Drawing, draw
from autograd.viz.formula import parse

EXAMPLE = '"tanh(a*b + c)" a=2 b=-3 c=10'


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_formula(parser)
    parser.add_argument(
        "--output", default="graph.svg", metavar="FILE", help="(default: graph.svg)"
    )


def add_formula(parser: argparse.ArgumentParser) -> None:
    """The arguments for a formula and the numbers of its variables."""
    formula = 'such as "tanh(a*b + c)"; put -- before one that begins with a minus'
    parser.add_argument("formula", help=formula)
    parser.add_argument("numbers", nargs="*", metavar="NAME=NUMBER", help="such as a=2 b=-3 c=10")


def formula_of(options: argparse.Namespace) -> Value:
    """The graph of the formula that the arguments name."""
    return parse(options.formula, **dict(map(_assignment, options.numbers)))


def run(options: argparse.Namespace) -> None:
    """Draw the formula and print its value."""
    output = formula_of(options)
    output.backward()
    path = Path(options.output)
    try:
        drawing = draw(output)
    except ValueError:  # it is too large: its text is made at once, a layout is not
        drawing = draw(output, limit=sys.maxsize)
        path = path.with_suffix(".dot")
        say("a graph of this size is not laid out here; Graphviz does", file=sys.stderr)
    say(f"{printable(output.label, 60)} = {output.data:.6g}; wrote {saved(drawing, path)}")


def saved(drawing: Drawing, path: Path) -> Path:
    """Write the picture; without a program to lay it out, write the DOT text and say so."""
    if path.is_dir():
        raise IsADirectoryError(f"{path}: it is a folder; name a file in it")
    try:
        return drawing.save(path)
    except RuntimeError as reason:
        say(" ".join(str(reason).split()), file=sys.stderr)
        return drawing.save(path.with_suffix(".dot"))


def _assignment(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        comma = re.fullmatch(r"\s*-?\d+,\d+\s*", number)
        hint = f"; type {text.replace(',', '.')}" if comma else ""
        raise ValueError(
            f"expected a variable and its number, such as a=2, got {text!r}{hint}"
        ) from None
