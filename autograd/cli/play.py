"""`play`: a page where you carry out backpropagation through a formula yourself."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd.cli.draw import add_formula, formula_of
from autograd.cli.output import say
from autograd.viz import play

EXAMPLE = '"tanh(a*b + c)" a=2 b=-3 c=10'


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    option = parser.add_argument
    add_formula(parser)
    option("--title", default="", help='the heading (default: "Backpropagation through …")')
    option(
        "--mode",
        choices=["once", "edges", "predict"],
        default="edges",
        help="how the backward pass proceeds at first: all at once, edge by edge, or by asking for "
        "each contribution (default: edges)",
    )
    option("--rankdir", choices=["LR", "TB"], help="draw from left to right, or from top to bottom")
    option(
        "--output", metavar="FILE", default="backpropagation.html", help="(default: %(default)s)"
    )


def run(options: argparse.Namespace) -> None:
    """Write the page."""
    output = formula_of(options)
    player = play(output, title=options.title, mode=options.mode, rankdir=options.rankdir)
    say(f"wrote {player.save(Path(options.output))}: open it in a browser")
