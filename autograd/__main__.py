"""The command line: `python -m autograd` trains a small network on real data, and shows its work.

Without a command it trains on Fisher's irises. `train` takes other data and other settings,
`predict` applies a saved model, and `draw` draws the graph of a formula.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import autograd as ag
from autograd import datasets
from autograd.curve import loss_curve_svg
from autograd.datasets import Standardisation
from autograd.expressions import parse
from autograd.files import write_whole
from autograd.nn import GAINS
from autograd.training import Loss

WHERE_TO_BEGIN = """\
Where to begin: look at the pictures above, then at notebooks/01_values_and_gradients.ipynb, or try
  python -m autograd draw "tanh(a*b + c)" a=2 b=-3 c=10
  python -m autograd train moons --hidden 16 16 --stepper adam --learning-rate 0.01
  python -m autograd --help"""

TOY_SETS = {
    "moons": datasets.moons,
    "circles": datasets.circles,
    "spirals": datasets.spirals,
    "blobs": datasets.blobs,
    "xor": datasets.xor,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns 0, or 2 after one line on stderr that says what is wrong."""
    parser = _parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given or ["train"])
    try:
        options.run(options)
    except (ValueError, TypeError, OSError, FloatingPointError) as error:
        parser.error(_one_line(error))
    if not given:
        print(WHERE_TO_BEGIN)
    return 0


# --- train ----------------------------------------------------------------------------------------


class Task(NamedTuple):
    """What is to be learnt: a table of examples, divided, with the names of the classes if any."""

    name: str
    X_train: list[list[float]]
    X_test: list[list[float]]
    Y_train: list[float]
    Y_test: list[float]
    classes: tuple[str, ...]


def train(options: argparse.Namespace) -> None:
    """Train an MLP, say how well it does, check its gradient, and write what there is to see."""
    task = _task(options.data, options.seed)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)  # now, and not after the training
    scale = Standardisation.of(task.X_train)
    X = scale(task.X_train)
    model = ag.MLP(
        len(X[0]),
        [*options.hidden, len(task.classes) or 1],
        activation=options.activation,
        seed=options.seed,
    )
    loss = ag.cross_entropy if task.classes else ag.mean_squared_error
    stepper = ag.Adam if options.stepper == "adam" else ag.GradientDescent
    goal = f"classes {', '.join(task.classes)}" if task.classes else "a number to predict"
    print(f"{task.name}: {len(X)} examples to learn from, {len(task.X_test)} held out; {goal}")
    print(model)
    history = ag.fit(
        model,
        loss,
        X,
        task.Y_train,
        stepper(model.parameters(), options.learning_rate),
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
    )
    if history.stopped == "interrupted":
        print(f"interrupted after {len(history)} epochs; going on with the model as it is")

    _report("train", model, X, task.Y_train)
    _report("test", model, scale(task.X_test), task.Y_test)
    print(f"gradient  {_checked(model, loss, X, task.Y_train)}")

    _absorb(scale, model)
    model.classes = task.classes
    graph = _saved(_neuron_in_context(model, loss, task), folder / "graph.svg")
    write_whole(folder / "loss.svg", loss_curve_svg([row.loss for row in history]))
    model.save(folder / "model.json")
    print(
        f"wrote     {graph} (one neuron, its values and gradients at one example)\n"
        f"          {folder / 'loss.svg'} (the loss over the epochs)\n"
        f"          {folder / 'model.json'} (python -m autograd predict applies it)"
    )


def _task(data: str, seed: int) -> Task:
    X: list[list[float]]
    Y: Sequence[float]
    classes: tuple[str, ...]
    if data == "iris":
        (X, Y), classes = datasets.iris(), datasets.IRIS_CLASSES
    elif data in TOY_SETS:
        X, Y = TOY_SETS[data](seed=seed)
        classes = tuple(str(label) for label in sorted(set(Y)))
    elif not Path(data).exists():
        raise FileNotFoundError(
            f"{data}: there is no such file, nor such a data set ({', '.join(['iris', *TOY_SETS])})"
        )
    else:
        X, Y, _, classes = datasets.read_csv(data)
    return Task(Path(data).stem, *datasets.train_test_split(X, Y, seed=seed), classes)


def _report(part: str, model: ag.MLP, X: list[list[float]], Y: list[float]) -> None:
    outputs = _outputs(model, X)
    if model.widths[-1] == 1:
        error = sum((z[0] - y) ** 2 for z, y in zip(outputs, Y, strict=True)) / len(Y)
        print(f"{part:9} mean squared error {error:.4g} over {len(Y)} examples")
    else:
        right = sum(z.index(max(z)) == y for z, y in zip(outputs, Y, strict=True))
        print(f"{part:9} accuracy {right / len(Y):.1%} ({right} of {len(Y)})")


def _checked(model: ag.MLP, loss: Loss, X: list[list[float]], Y: list[float]) -> str:
    """How the gradient of the mean loss over all examples compares with central differences."""

    def mean_loss() -> ag.Value:
        return ag.mean([loss(model(x), y) for x, y in zip(X, Y, strict=True)])

    try:
        comparisons = ag.check_gradient(mean_loss, model.parameters()).comparisons
    except ag.GradientCheckError as error:
        return str(error)
    worst = max(comparison.relative_error for comparison in comparisons)
    kinks = sum(comparison.verdict == "kink" for comparison in comparisons)
    return (
        f"check: all {len(comparisons)} partial derivatives of the mean loss agree with central "
        f"differences, relative error {worst:.0e} at most"
        f"{f', but for {kinks} at a kink' if kinks else ''}"
    )


def _outputs(model: ag.MLP, X: list[list[float]]) -> list[list[float]]:
    with ag.no_grad():
        responses = [model(x) for x in X]
    return [[output.data for output in _listed(response)] for response in responses]


def _absorb(scale: Standardisation, model: ag.MLP) -> None:
    """Let the model take raw inputs: w·(x - m)/s + b is (w/s)·x + (b - (w/s)·m)."""
    for neuron in model.layers[0].neurons:
        for weight, mean, deviation in zip(neuron.weights, *scale, strict=True):
            weight.data /= deviation
            neuron.bias.data -= weight.data * mean


def _neuron_in_context(model: ag.MLP, loss: Loss, task: Task) -> ag.Value:
    """The first neuron's output at one held-out example, after a backward pass from the loss."""
    inputs = [ag.Value(x, f"input {i}") for i, x in enumerate(task.X_test[0])]
    signals = inputs
    model.zero_grad()  # what training left there belongs to another loss
    outputs = [signals := _listed(layer(signals)) for layer in model.layers]
    loss(signals if len(signals) > 1 else signals[0], task.Y_test[0]).backward()
    neuron = outputs[0][0]
    neuron.label = "layer0.neuron0"
    return neuron


def _listed(response: ag.Value | list[ag.Value]) -> list[ag.Value]:
    return response if isinstance(response, list) else [response]


# --- predict --------------------------------------------------------------------------------------


def predict(options: argparse.Namespace) -> None:
    """Print one prediction a line for the rows of a CSV file without labels."""
    model = ag.MLP.load(options.model)
    table = datasets.read_csv(options.data, labelled=False)
    for outputs in _outputs(model, table.X):
        if len(outputs) == 1:
            print(repr(outputs[0]))
        else:
            best = outputs.index(max(outputs))
            print(model.classes[best] if model.classes else best)


# --- draw -----------------------------------------------------------------------------------------


def draw(options: argparse.Namespace) -> None:
    """Draw the graph of a formula, with its gradients."""
    output = parse(options.formula, **dict(map(_assignment, options.numbers)))
    output.backward()
    print(f"{output.label} = {output.data:.6g}; wrote {_saved(output, Path(options.output))}")


def _saved(value: ag.Value, path: Path) -> Path:
    """Draw the graph into a file; if no program can lay it out, say so and write the DOT text."""
    drawing = ag.draw(value)
    try:
        return drawing.save(path)
    except RuntimeError as reason:
        print(_one_line(reason), file=sys.stderr)
        return drawing.save(path.with_suffix(".dot"))


def _assignment(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise ValueError(f"expected a variable and its number, such as a=2, got {text!r}") from None


# --- arguments ------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is a single line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> _Parser:
    parser = _Parser(prog="python -m autograd", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    command = commands.add_parser("train", help="train an MLP on a data set", allow_abbrev=False)
    command.set_defaults(run=train)
    option = command.add_argument
    data = f"iris, {', '.join(TOY_SETS)}, or a CSV file with the label in its last column"
    option("data", nargs="?", default="iris", help=f"{data} (default: iris)")
    option(
        "--hidden",
        type=_positive_int,
        nargs="*",
        default=[16],
        metavar="WIDTH",
        help="the widths of the hidden layers (default: 16)",
    )
    option("--activation", choices=list(GAINS), default="tanh", help="(default: tanh)")
    option("--epochs", type=_positive_int, default=100, help="(default: 100)")
    option("--batch-size", type=_positive_int, default=10, help="(default: 10)")
    option("--learning-rate", type=float, default=0.1, help="(default: 0.1)")
    option(
        "--stepper",
        choices=["gradient-descent", "adam"],
        default="gradient-descent",
        help="(default: gradient-descent)",
    )
    option("--seed", type=int, default=0, help="of weights, batches and the split (default: 0)")
    option("--output", default="runs", metavar="FOLDER", help="(default: runs)")

    command = commands.add_parser("predict", help="apply a saved model", allow_abbrev=False)
    command.set_defaults(run=predict)
    command.add_argument("model", help="a model.json that train wrote")
    command.add_argument("data", help="a CSV file with the model's inputs and no label")

    command = commands.add_parser("draw", help="draw a formula's graph", allow_abbrev=False)
    command.set_defaults(run=draw)
    formula = 'such as "tanh(a*b + c)"; put -- before one that begins with a minus'
    command.add_argument("formula", help=formula)
    command.add_argument("numbers", nargs="*", metavar="NAME=NUMBER", help="such as a=2 b=-3 c=10")
    command.add_argument(
        "--output", default="graph.svg", metavar="FILE", help="(default: graph.svg)"
    )
    return parser


def _positive_int(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text}")
    return int(text)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
