"""`lesson`: the notebooks of the course, copied for a class, with answers or without."""

from __future__ import annotations

import argparse
from pathlib import Path

from autograd.cli.output import say
from autograd.exercises.lesson import notebooks, prepared
from autograd.files import write_whole

EXAMPLE = "--without-answers --output handout"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    option = parser.add_argument
    option(
        "--without-answers",
        action="store_true",
        help="leave out folded answers, the engine's solutions and all outputs; hints and checks "
        "stay",
    )
    option("--output", metavar="FOLDER", default="lesson", help="(default: %(default)s)")


def run(options: argparse.Namespace) -> None:
    """Write the copies. ValueError if one of them is there already: somebody may work in it."""
    folder = Path(options.output)
    copies = {folder / path.name: path for path in notebooks()}
    for copy in copies:
        if copy.exists():
            raise ValueError(f"{copy}: this is there already; name another folder with --output")
    folder.mkdir(parents=True, exist_ok=True)
    for copy, path in copies.items():
        write_whole(copy, prepared(path, has_answers=not options.without_answers))
    answers = "without" if options.without_answers else "with"
    say(f"wrote {len(copies)} notebooks {answers} answers to {folder}: open them in JupyterLab")
