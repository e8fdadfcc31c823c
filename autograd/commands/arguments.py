"""What all commands share of arguments: the parser, numbers, and how a table is to be read."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NoReturn

from autograd.datasets.reading import Reading
from autograd.datasets.text import Sheet, read_sheet
from autograd.datasets.understanding import understand

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", r"\t": "\t", "bar": "|", "space": " "}


def program() -> str:
    """What was typed to get here: the console script, or the module."""
    typed = Path(sys.argv[0]).stem
    return typed if typed == "scalar-autograd" else "python -m autograd"


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is a single line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and leave with 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def positive_int(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return int(text)


def add_file_options(parser: argparse.ArgumentParser) -> None:
    """The options that say how a file is to be read, where it is not recognised."""
    option = parser.add_argument_group(
        "how to read a file, where it is not recognised"
    ).add_argument
    option("--delimiter", metavar="SEPARATOR", help=f"{', '.join(SEPARATORS)}, or any character")
    option("--header", choices=["yes", "no"], help="whether the first line names the columns")
    option("--encoding", metavar="NAME", help="of the text, such as latin-1 (default: utf-8)")
    option(
        "--missing",
        choices=["refuse", "drop", "mean"],
        help="refuse empty cells (NA, ?), drop their rows, or fill in the mean (default: refuse)",
    )


def add_column_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what the columns of a table are to be."""
    option = parser.add_argument_group("what the columns are").add_argument
    option("--label", metavar="NAME|N", help="the column to predict (default: the last one)")
    option("--task", choices=["classification", "regression"], help="what the label is about")
    option("--drop", nargs="+", action="extend", default=[], metavar="NAME", help="leave out")
    option("--encode", action="store_true", help="make each word of a column an input, 0 or 1")


def sheet_of(path: str, options: argparse.Namespace) -> Sheet:
    """The table in the file, as it stands there."""
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: there is no such file")
    if Path(path).is_dir():
        raise IsADirectoryError(f"{path}: it is a folder; name a file in it")
    return read_sheet(
        path,
        delimiter=SEPARATORS.get(options.delimiter, options.delimiter),
        header={"yes": True, "no": False}.get(options.header),
        encoding=options.encoding,
    )


def reading_of(sheet: Sheet, options: argparse.Namespace) -> Reading:
    """How the table is to be read."""
    return understand(
        sheet,
        label=options.label,
        task=options.task,
        drop=options.drop,
        missing=options.missing or "refuse",
        encode=options.encode,
    )


def typed(cure: dict[str, Any]) -> list[str]:
    """Arguments of `read_csv` as options of the command line."""
    words = []
    for name, value in cure.items():
        words.append(f"--{name}")
        words += value if isinstance(value, list) else [] if value is True else [str(value)]
    return words
