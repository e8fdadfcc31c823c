"""`train`: train a network on a table, save it, report its accuracy, and draw pictures of it."""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograd.cli.arguments import add_learning_options, number_from_0, positive_int, program
from autograd.cli.examples import Examples, add_data_options, examples_of
from autograd.cli.gradient_check import checked
from autograd.cli.learner import STEPPERS, Learner, Settings, can_compile, how_good
from autograd.cli.output import flush, say
from autograd.cli.pictures import pictures
from autograd.cli.signals import Interrupts
from autograd.data import filled, printable
from autograd.data.errors import abbreviated
from autograd.nn import MLP

EXAMPLE = "grades.csv --label passed --drop name --missing mean"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_data_options(parser, "iris")
    option = add_learning_options(parser, Settings())
    option("--epochs", type=positive_int, help="(default: %(default)s)")
    option(
        "--weight-decay",
        type=number_from_0,
        help="how much large weights cost: this times the sum of their squares "
        "(default: %(default)s)",
    )
    option("--stepper", choices=list(STEPPERS), help="(default: %(default)s)")
    option("--eager", action="store_true", help="on Values, also where machine code could be made")
    option(
        "--check",
        choices=["sample", "all", "none"],
        default="sample",
        help="which derivatives to compare with finite differences (default: sample, 2 s at most)",
    )
    option("--output", default="runs", metavar="FOLDER", help="(default: runs)")


def run(options: argparse.Namespace) -> None:
    """Train, save the model, and then evaluate and plot it."""
    examples = examples_of(options)
    interrupts: Interrupts = options.interrupts
    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)  # now, and not after the training
    except FileExistsError:
        raise ValueError(f"{folder}: it is a file, and --output takes a folder") from None
    options.compiled = can_compile() and not options.eager
    settings = Settings(**{name: getattr(options, name) for name in vars(Settings())})
    interrupts.nothing = "no epoch was complete, so there is nothing to keep"
    learner = Learner(examples.X_train, examples.Y_train, examples.classes, settings)
    classes = abbreviated(examples.classes, 10)
    goal = f"classes {classes}" if classes else "a number to predict"
    n_train, n_test = len(examples.X_train), len(examples.X_test)
    say(f"{examples.name}: {n_train} examples to learn from, {n_test} held out; {goal}")
    say(str(learner.model))
    if learner.constant:
        names = abbreviated(examples.features[i] for i in learner.constant)
        say(f"{names}: the same in every example to learn from, so without influence")
    n_products = settings.epochs * len(examples.X_train) * len(learner.model.parameters())
    if n_products > MANY_PRODUCTS and not can_compile():
        say(*SLOW.splitlines())
    flush()

    history = learner.learn()  # Ctrl-C ends it
    with interrupts.held():
        was_interrupted = interrupts.received is not None
        if was_interrupted and not history:
            raise KeyboardInterrupt
        model = learner.learned()
        if examples.schema:
            model.table = replace(examples.schema, means=tuple(learner.means)).to_json()
        path = interrupts.saved = kept_model(model, folder / "model.json")
    if was_interrupted:
        say(f"interrupted after {len(history)} epochs; {interrupts.kept}")
        if interrupts.code != _CTRL_C:
            return

    X_train, X_test = (filled(X, learner.means) for X in (examples.X_train, examples.X_test))
    _report("train", examples, model.predict(X_train), examples.Y_train)
    predictions = model.predict(X_test)
    _report("test", examples, predictions, examples.Y_test)
    written = {path: f"{program()} predict applies it"}
    written |= pictures(folder, examples, model, history, predictions, X_test)
    for start, (file, what) in zip(["wrote", *[""] * 9], written.items(), strict=False):
        say(f"{start:9} {file} ({what})")
    if options.check != "none" and not was_interrupted:
        say(f"gradient  {checked(learner, options.check)}")


_CTRL_C = 130

MANY_PRODUCTS = 20_000_000
"""From so many products of a weight with an input on, Values take the better part of a minute."""

SLOW = """\
this takes its time on Values, one Python object per number; machine code takes about a hundredth
of it: pip install 'scalar-autograd[jit]' (Ctrl-C ends the training and keeps what was learned)"""


# --- how good it is -------------------------------------------------------------------------------


def _report(part: str, examples: Examples, found: list[Any], Y: Sequence[float]) -> None:
    """Print the accuracy or the mean squared error, compared to a constant prediction."""
    said, score = how_good(found, Y)
    if not examples.classes:
        mean = math.fsum(examples.Y_train) / len(examples.Y_train)
        _, plain = how_good([mean] * len(Y), Y)
        said += f" ({plain:.4g} if always the mean, {mean:.4g}, is predicted)"
        is_better, constant = score < plain, "the mean"
    else:
        common = Counter(examples.Y_train).most_common(1)[0][0]
        is_better = score > sum(y == common for y in Y) / len(Y)
        constant = f"always {printable(examples.classes[int(common)])}"
    say(f"{part:9} {said}")
    if part == "test" and not is_better:
        say(
            f"          that is no better than {constant}: nothing was learned that holds for "
            f"other examples; try other columns, or more of --epochs or --weight-decay"
        )


# --- what is left behind --------------------------------------------------------------------------


def kept_model(model: MLP, path: Path) -> Path:
    """Save the model; an existing file is renamed, or deleted if it has the same content.

    Several trainings may end in the same folder at once. If the folder is not writable, the model
    is saved in a temporary folder, and the OSError says where.
    """
    earlier = None
    new = path.with_name(f".unfinished-{os.urandom(8).hex()}")
    try:
        model.save(new)
        content = new.read_bytes()
        while True:
            try:
                os.link(new, path)  # a rename would overwrite an existing file
            except OSError:  # there is one, or the file system has no links
                if path.exists():
                    earlier = out_of_the_way(path) or earlier
                    continue
                new.rename(path)
            break
    except OSError as error:
        refuge = Path(tempfile.mkdtemp(prefix="scalar-autograd-")) / path.name
        model.save(refuge)
        raise OSError(f"{path}: {error.strerror}; the model is kept in {refuge}") from error
    finally:
        new.unlink(missing_ok=True)
    if earlier and earlier.is_file() and earlier.read_bytes() == content:
        earlier.unlink()
    elif earlier:
        say(f"{path} was there before; that model is now {earlier}")
    return path


def out_of_the_way(path: Path) -> Path | None:
    """Rename the file to the next free name and return it; None if the file no longer exists."""
    for i in range(1, 10**9):
        other = path.with_stem(f"{path.stem}-{i}")
        with suppress(FileExistsError):
            other.open("x").close()  # reserves the name
            break
    try:
        return path.replace(other)
    except OSError:
        other.unlink()
        if path.exists():
            raise
        return None
