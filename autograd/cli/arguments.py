"""Argument parsing shared by the commands: the parser, number types, options that read tables."""

from __future__ import annotations

import argparse
import difflib
import math
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from autograd.cli.learner import Settings
from autograd.data import Schema, Sheet, printable, read_sheet
from autograd.nn import GAINS

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", r"\t": "\t", "bar": "|", "space": " "}


def program() -> str:
    """The name of the program as it was started: the console script, or `python -m autograd`."""
    typed = Path(sys.argv[0]).stem
    return typed if typed == "scalar-autograd" else "python -m autograd"


OTHER_NAMES = {
    "--lr": "--learning-rate",
    "--optimizer": "--stepper",
    "--layers": "--hidden",
    "--target": "--label",
    "--sep": "--delimiter",
    "--out": "--output",
    "--nrows": "--limit",
}
"""Names of options in other programs, and what they are called here."""


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are a single line with a suggestion."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, its control characters escaped, and exit with 2."""
        line = printable(message, sys.maxsize)
        self.exit(2, f"{self.prog}: {line} (see {self.prog} --help)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Like the base class, but each command reports its own unknown options as errors."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            if word.startswith("-"):
                known = [option for action in self._actions for option in action.option_strings]
                self.error(f"there is no option {word}{meant(OTHER_NAMES.get(word, word), known)}")
            self.error(f"cannot place {word!r}; put quotes around a name that has spaces")
        return options, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            hint = meant(str(value), map(str, action.choices or ()))
            if not hint and isinstance(action.choices, dict) and Path(str(value)).exists():
                hint = f"; to learn from it, type: {program()} train {value}"
            raise argparse.ArgumentError(action, f"{error.message}{hint}") from None


def meant(word: str, known: Iterable[str], paths: Iterable[Path] = ()) -> str:
    """The end of a message, "; did you mean NAME?", or "" if no known name is close to the word.

    Case is ignored. A path is compared by its file name without suffix.
    """
    names = {name.casefold(): name for name in known}
    names |= {path.stem.casefold(): str(path) for path in paths}
    alike = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.7)
    return f"; did you mean {names[alike[0]]}?" if alike else ""


def positive_int(text: str) -> int:
    """Parse a whole number that is at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        several = re.split(r"[,;x]", text)
        hint = f"; type {' '.join(several)}" if len(several) > 1 and all(several) else ""
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}{hint}")
    return int(text)


def decimal_number(text: str) -> float:
    """Parse a decimal number, for argparse."""
    try:
        return float(text)
    except ValueError:
        hint = f"; type {text.replace(',', '.')}" if re.fullmatch(r"-?\d+,\d+", text) else ""
        raise argparse.ArgumentTypeError(f"expected a number, got {text}{hint}") from None


def number_from_0(text: str) -> float:
    """A finite number that is not negative."""
    if not 0.0 <= (number := decimal_number(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0 on, got {text}")
    return number


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that override how a file is read."""
    option = parser.add_argument_group(
        "how to read a file, where it is not recognized"
    ).add_argument
    option("--delimiter", metavar="SEPARATOR", help=f"{', '.join(SEPARATORS)}, or any character")
    option("--header", choices=["yes", "no"], help="whether the first line names the columns")
    option("--encoding", metavar="NAME", help="of the text, such as latin-1 (default: utf-8)")
    option(
        "--missing",
        choices=["refuse", "drop", "mean"],
        help="refuse empty cells (NA, ?), drop their rows, or fill in the mean (default: refuse)",
    )
    option(
        "--na-values",
        nargs="+",
        action="extend",
        default=[],
        metavar="WORD",
        help="words or numbers that stand for an empty cell, such as absent or -999",
    )
    option("--limit", type=positive_int, metavar="N", help="read only the first N rows")


def add_learning_options(parser: argparse.ArgumentParser, settings: Settings) -> Any:
    """Add the options of a network and its training; returns what adds further ones to them.

    The settings are the defaults of these options, and of those that are added later.
    """
    option = parser.add_argument_group("how to learn").add_argument
    widths = " ".join(map(str, settings.hidden))
    option(
        "--hidden",
        type=positive_int,
        nargs="*",
        metavar="WIDTH",
        help=f"the widths of the hidden layers (default: {widths})",
    )
    option("--activation", choices=list(GAINS))
    option("--batch-size", type=positive_int, help="(default: %(default)s)")
    option("--learning-rate", type=decimal_number, help="(default: %(default)s)")
    option("--seed", type=int, help="of weights, batches and the split (default: %(default)s)")
    parser.set_defaults(**vars(settings))
    return option


def read_sheet_of(
    path: str,
    options: argparse.Namespace,
    schema: Schema | None = None,
    data_sets: Sequence[str] = (),
) -> Sheet:
    """Read the table in a file, its cells still text.

    Args:
        path: the file.
        options: how to read it.
        schema: the schema of the training table, to read this one in the same way.
        data_sets: the names of built-in data sets, for the message if there is no such file.
    """
    if re.match(r"https?://", path):
        raise ValueError(f"{path}: nothing is fetched from the web here; save it and name the file")
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path}: it is a folder; name a file in it")
    if not Path(path).exists():
        nor = f", nor such a data set ({', '.join(data_sets)})" if data_sets else ""
        raise FileNotFoundError(f"{path}: there is no such file{nor}{_file_meant(path, data_sets)}")
    return read_sheet(
        path,
        delimiter=SEPARATORS.get(options.delimiter, options.delimiter),
        header={"yes": True, "no": False}.get(options.header),
        encoding=options.encoding,
        na_values=[*(schema.na_values if schema else ()), *options.na_values],
        decimal=schema.decimal if schema else "",
        limit=options.limit,
    )


def _file_meant(path: str, others: Sequence[str]) -> str:
    """The end of a message about a missing file: a similar name, or the folder searched."""
    folder = Path(path).parent
    if not folder.is_dir():
        where = "" if folder.is_absolute() else f" in {Path.cwd()}"
        return f"; there is no folder {folder}{where}"
    files = sorted(folder.iterdir())
    return meant(Path(path).stem, others, files) or f"; it was sought in {folder.resolve()}"


def typed(fix: dict[str, Any]) -> list[str]:
    """Arguments of `read_csv` as options of the command line."""
    words = []
    for name, value in fix.items():
        words.append(f"--{name.replace('_', '-')}")
        words += value if isinstance(value, list) else [] if value is True else [str(value)]
    return words
