"""`playground`: a page where a network trains on a data set, in any browser and without Python.

Without a data set it is a page in which data, noise, network and regularization are chosen."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from autograd.cli.arguments import add_learning_options
from autograd.cli.examples import add_data_options, examples_of
from autograd.cli.learner import Learner, Settings
from autograd.cli.output import say
from autograd.data import printable
from autograd.optim import Adam
from autograd.viz.html import check_page_name
from autograd.viz.playground import Choices, Playground, playground

EXAMPLE = "grades.csv --label passed --drop name --hidden 8 8"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_data_options(parser, None)
    add_learning_options(parser, Settings((8, 8), learning_rate=0.01))
    parser.add_argument(
        "--output", metavar="FILE", help="(default: playground.html)", default="playground.html"
    )


def run(options: argparse.Namespace) -> None:
    """Write the page."""
    check_page_name(options.output)
    page = _choices(options) if options.data is None else _training(options)
    say(f"wrote {page.save(Path(options.output))}: open it in a browser")


def _training(options: argparse.Namespace) -> Playground:
    """The page where a network trains on the data set."""
    job = examples_of(options)
    settings = Settings(options.hidden, options.activation, seed=options.seed)
    learner = Learner(job.X_train, job.Y_train, job.classes, settings)
    learner.model.classes = job.classes
    if job.schema:
        learner.model.table = replace(job.schema, means=tuple(learner.means)).to_json()
    return playground(
        learner.model,
        learner.loss,
        learner.X,
        learner.Y,
        Adam(learner.model.parameters(), options.learning_rate),
        batch_size=options.batch_size,
        seed=options.seed,
        held_out=learner.scaled(job.X_test, job.Y_test),
        features=job.features,
        classes=job.classes,
        scale=learner.scale,
        target_scale=None if job.classes else learner.target_scale,
        title=f"A network trains on {printable(job.name)}",
    )


def _choices(options: argparse.Namespace) -> Choices:
    """The page with all choices. ValueError for an option that needs a data set."""
    given = vars(options)
    for name, default in vars(options.parser.parse_args([])).items():
        if name != "output" and given.get(name) != default:
            option = name.replace("_", "-")
            raise ValueError(f"--{option} needs a data set: type its name first, such as moons")
    return Choices()
