"""The command line: train a small network on real data, apply it, and see how it works.

Without a command it trains on Fisher's irises. `train` takes other data and other settings,
`predict` applies a saved model, `draw` draws the graph of a formula, `play` writes a page where you
carry out backpropagation yourself, and `playground` one where a network trains. `lesson` copies the
notebooks for a class.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

import autograd

if not hasattr(autograd, "Value"):  # PyPI's `autograd`, installed later, replaced __init__.py
    sys.exit(
        f"{autograd.__file__} belongs to another package called autograd; remove both with "
        "pip uninstall autograd scalar-autograd, then install scalar-autograd alone"
    )

from autograd.cli import draw, lesson, play, playground, predict, train
from autograd.cli.arguments import Parser, program, typed
from autograd.cli.output import discard, flush, prepare, say
from autograd.cli.signals import Interrupts
from autograd.data import TableError

JOBS = (train, predict, draw, play, playground, lesson)
COMMANDS = {job.__name__.rpartition(".")[2]: job for job in JOBS}
"""A command is a file of `cli/`: EXAMPLE, arguments(parser), run(options), and a first line that
says what it does."""

WHERE_TO_BEGIN = """\
Where to begin: look at the pictures above, then at notebooks/01_values_and_gradients.ipynb, or try
  {program} draw "tanh(a*b + c)" a=2 b=-3 c=10
  {program} train moons --hidden 16 16
  {program} --help"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns 0; 2 after one line on stderr that says what is wrong; or 128 plus the number of
    the signal that interrupted it, 130 for Ctrl-C.
    """
    prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = parser()
    with Interrupts() as interrupts:
        try:
            try:
                options = command.parse_args(given or ["train"])
            finally:
                flush()  # the text of --help and --version
            command = options.parser
            options.interrupts = interrupts
            options.run(options)
            if not given:
                say(*WHERE_TO_BEGIN.format(program=program()).splitlines())
            flush()
        except KeyboardInterrupt:
            interrupts.tell()
            return interrupts.code or 130
        except TableError as error:
            command.error(error.problem + _remedy(error, given))
        except BrokenPipeError:  # the progress bar has nobody who reads it
            discard(sys.stderr)
            return _SIGPIPE
        except FloatingPointError as error:
            command.error(f"{error}; try a smaller --learning-rate")
        except MemoryError:
            command.error(
                "there is not enough memory; --limit N reads only the first N rows of a table"
            )
        except (ValueError, TypeError, OSError) as error:
            kept = f"; {interrupts.kept}" if interrupts.saved else ""
            command.error(_described(error) + kept)
    return interrupts.code


_SIGPIPE = 128 + 13


def parser() -> Parser:
    """The parser of the command line."""
    parser = Parser(prog=program(), description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--version", action="version", version=f"scalar-autograd {autograd.__version__}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, job in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=str(job.__doc__).splitlines()[0].partition(": ")[2],
            description=job.__doc__,
            epilog=f"for example: {program()} {name} {job.EXAMPLE}",
            allow_abbrev=False,
        )
        job.arguments(command)
        command.set_defaults(run=job.run, parser=command)
    return parser


def _remedy(error: TableError, given: Sequence[str]) -> str:
    """The end of a message: the command line that would read the table."""
    if not error.fix:
        return ""
    # Of an option that is given twice, the last one counts.
    return f"; type: {program()} {shlex.join([*given, *typed(error.fix)])}"


def _described(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        # `os.getcwd` names nothing where the folder was deleted, nor can it.
        return f"{error.filename or 'the current folder'}: {error.strerror}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
