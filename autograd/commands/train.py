"""`train`: learn from a table, keep the model at once, say how good it is, and show its work."""

from __future__ import annotations

import argparse
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograd import datasets, functions
from autograd.commands.arguments import (
    add_column_options,
    add_file_options,
    positive_int,
    program,
    reading_of,
    sheet_of,
)
from autograd.commands.draw import saved
from autograd.commands.interrupts import Interrupts
from autograd.commands.learning import STEPPERS, Learner, Settings, can_compile, listed, outputs
from autograd.curve import captioned, confusion_svg, curve_svg, scatter_svg
from autograd.datasets import Reading, Rows, filled, printable, train_test_split
from autograd.drawing import draw
from autograd.files import write_whole
from autograd.gradcheck import Comparison, GradientCheckError, check_gradient
from autograd.losses import cross_entropy, mean_squared_error
from autograd.nn import GAINS, MLP
from autograd.training import History
from autograd.value import Value, topological_order

HELP = "train a network on a data set"

TOY_SETS: dict[str, Callable[..., tuple[Rows, list[int]]]] = {
    "moons": datasets.moons,
    "circles": datasets.circles,
    "spirals": datasets.spirals,
    "blobs": datasets.blobs,
    "xor": partial(datasets.xor, n=200, noise=0.2),
}

MANY_INPUTS = 8
"""How many inputs of a neuron are drawn."""

CHECK_SECONDS = 2.0
CHECK_EXAMPLES = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    option = parser.add_argument
    default = Settings()
    data = f"iris, {', '.join(TOY_SETS)}, or a file: a table, with the label in its last column"
    option("data", nargs="?", default="iris", help=f"{data} (default: iris)")
    add_column_options(parser)
    add_file_options(parser)
    option = parser.add_argument_group("how to learn").add_argument
    option(
        "--hidden",
        type=positive_int,
        nargs="*",
        default=list(default.hidden),
        metavar="WIDTH",
        help="the widths of the hidden layers (default: 32)",
    )
    option("--activation", choices=list(GAINS), default=default.activation)
    option("--epochs", type=positive_int, default=default.epochs, help="(default: 100)")
    option("--batch-size", type=positive_int, default=default.batch_size, help="(default: 32)")
    option("--learning-rate", type=float, default=default.learning_rate, help="(default: 0.003)")
    option(
        "--weight-decay",
        type=_share,
        default=default.weight_decay,
        help="how much large weights cost: this times the sum of their squares (default: 0.003)",
    )
    option("--stepper", choices=list(STEPPERS), default="adam", help="(default: adam)")
    option("--seed", type=int, default=0, help="of weights, batches and the split (default: 0)")
    option("--eager", action="store_true", help="on Values, also where machine code could be made")
    option(
        "--check",
        choices=["sample", "all", "none"],
        default="sample",
        help="which derivatives to compare with finite differences (default: sample, 2 s at most)",
    )
    option("--output", default="runs", metavar="FOLDER", help="(default: runs)")


@dataclass(frozen=True)
class Job:
    """What is to be learnt: examples, divided, with the names of their columns and classes.

    Attributes:
        places: where the examples held out stand in the file.
        reading: how the table was read, if it comes from a file.
    """

    name: str
    X_train: Rows
    X_test: Rows
    Y_train: Sequence[float]
    Y_test: Sequence[float]
    features: tuple[str, ...]
    classes: tuple[str, ...]
    places: list[str]
    reading: Reading | None


def run(options: argparse.Namespace, interrupts: Interrupts) -> None:
    """Train, keep the model, and only then look at it."""
    job = _job(options)
    folder = Path(options.output)
    folder.mkdir(parents=True, exist_ok=True)  # now, and not after the training
    settings = Settings(
        options.hidden,
        options.activation,
        options.epochs,
        options.batch_size,
        options.learning_rate,
        options.weight_decay,
        options.stepper,
        options.seed,
        compiled=can_compile() and not options.eager,
    )
    interrupts.kept = "no epoch was complete, so there is nothing to keep"
    learner = Learner(job.X_train, job.Y_train, job.classes, settings)
    goal = f"classes {_names(job.classes)}" if job.classes else "a number to predict"
    print(
        f"{job.name}: {len(job.X_train)} examples to learn from, {len(job.X_test)} held out; {goal}"
    )
    print(learner.model, flush=True)

    history: History | None = None
    try:
        history = learner.learn()
        interrupts.hold()
    except KeyboardInterrupt:  # a second one, while the first was seen to
        interrupts.hold()
    was_interrupted = interrupts.received is not None
    if was_interrupted and not history:
        raise KeyboardInterrupt
    with interrupts.held():
        model = learner.learned()
        if job.reading:
            model.table = {**job.reading.to_json(), "means": learner.means}
        path = _kept(model, folder / "model.json")
        interrupts.kept = f"what was learnt is kept in {path}"
    if was_interrupted:
        print(f"interrupted after {len(history or ())} epochs; {interrupts.kept}")
        if interrupts.code != _CTRL_C:
            return

    X_train, X_test = (filled(X, learner.means) for X in (job.X_train, job.X_test))
    _report("train", job, outputs(model, X_train), job.Y_train)
    predictions = outputs(model, X_test)
    _report("test", job, predictions, job.Y_test)
    written = {path: f"{program()} predict applies it"}
    written |= _pictures(folder, job, model, history, predictions, X_test)
    for start, (file, what) in zip(["wrote", *[""] * 9], written.items(), strict=False):
        print(f"{start:9} {file} ({what})")
    if options.check != "none" and not was_interrupted:
        print(f"gradient  {_checked(learner, options.check)}")


_CTRL_C = 130


# --- what to learn --------------------------------------------------------------------------------


def _job(options: argparse.Namespace) -> Job:
    if options.data in TOY_SETS:
        X, labels = TOY_SETS[options.data](seed=options.seed)
        classes = tuple(str(label) for label in sorted(set(labels)))
        return _divided(options, options.data, X, labels, ("x", "y"), classes)
    path = str(datasets.IRIS_FILE) if options.data == "iris" else options.data
    if not Path(path).exists():
        raise FileNotFoundError(
            f"{path}: there is no such file, nor such a data set ({', '.join(['iris', *TOY_SETS])})"
        )
    sheet = sheet_of(path, options)
    reading = reading_of(sheet, options)
    label = reading.label
    if reading.classes and label and len(label.words) < 2:
        raise ValueError(
            f"{path}, {sheet.named(label.position)} (the label): it holds only "
            f"{printable(reading.classes[0])}, so there is nothing to tell apart; "
            f"type --label and the name of another column"
        )
    X, Y, lines = reading.examples(sheet)
    print(reading.described(sheet))
    for hint in reading.hints(sheet):
        print(f"  {hint}")
    places = [f"line {line}: " for line in lines]
    name = Path(path).name.split(".")[0]
    return _divided(options, name, X, Y, reading.features, reading.classes, places, reading)


def _divided(
    options: argparse.Namespace,
    name: str,
    X: Rows,
    Y: Sequence[float],
    features: tuple[str, ...],
    classes: tuple[str, ...],
    places: Sequence[str] = (),
    reading: Reading | None = None,
) -> Job:
    named = list(zip(X, places or [""] * len(X), strict=True))
    # A number to predict has no classes to divide by: all its values are one.
    strata = Y if classes else [0.0] * len(Y)
    numbered = list(zip(named, Y, strict=True))
    train, test, _, _ = train_test_split(numbered, strata, seed=options.seed)
    return Job(
        name,
        [x for (x, _), _ in train],
        [x for (x, _), _ in test],
        [y for _, y in train],
        [y for _, y in test],
        features,
        classes,
        [place for (_, place), _ in test],
        reading,
    )


# --- how good it is -------------------------------------------------------------------------------


def _report(part: str, job: Job, found: list[list[float]], Y: Sequence[float]) -> None:
    """The accuracy, or the mean squared error, and whether a constant would do as well."""
    n = len(Y)
    if not job.classes:
        mean = math.fsum(job.Y_train) / len(job.Y_train)
        error = math.fsum((z[0] - y) ** 2 for z, y in zip(found, Y, strict=True)) / n
        plain = math.fsum((mean - y) ** 2 for y in Y) / n
        print(
            f"{part:9} mean squared error {error:.4g} over {n} examples "
            f"({plain:.4g} if always the mean, {mean:.4g}, is predicted)"
        )
        is_better, constant = error < plain, "the mean"
    else:
        right = sum(z.index(max(z)) == y for z, y in zip(found, Y, strict=True))
        print(f"{part:9} accuracy {right / n:.1%} ({right} of {n})")
        common = Counter(job.Y_train).most_common(1)[0][0]
        is_better = right > sum(y == common for y in Y)
        constant = f"always {printable(job.classes[int(common)])}"
    if part == "test" and not is_better:
        print(
            f"          that is no better than {constant}: nothing was learnt that holds for "
            f"other examples; try other columns, or more of --epochs or --weight-decay"
        )


def _checked(learner: Learner, which: str) -> str:
    """How the gradient of the mean loss compares with central differences.

    All parameters and examples, or as many parameters as there is time for, and a few examples.
    """
    from tqdm import tqdm

    rng = random.Random(learner.settings.seed)
    examples = list(zip(learner.X, learner.Y, strict=True))
    parameters = learner.model.parameters()
    if which == "sample":
        examples = rng.sample(examples, min(CHECK_EXAMPLES, len(examples)))
        parameters = rng.sample(parameters, len(parameters))

    def mean_loss() -> Value:
        return functions.mean([learner.loss(learner.model(x), y) for x, y in examples])

    comparisons: list[Comparison] = []
    began = time.monotonic()
    batch = 4 if which == "sample" else 16
    with tqdm(total=len(parameters), desc="checking", unit="derivative", leave=False) as bar:
        for i in range(0, len(parameters), batch):
            try:
                comparisons += check_gradient(mean_loss, parameters[i : i + batch]).comparisons
            except GradientCheckError as error:
                return str(error)
            bar.update(batch)
            if which == "sample" and time.monotonic() > began + 0.9 * CHECK_SECONDS:
                break
    worst = max(comparison.relative_error for comparison in comparisons)
    kinks = sum(comparison.verdict == "kink" for comparison in comparisons)
    n = len(parameters)
    share = f"all {n}" if len(comparisons) == n else f"{len(comparisons)} of the {n}"
    return (
        f"check: {share} partial derivatives of the mean loss agree with central "
        f"differences over {len(examples)} examples, relative error {worst:.0e} at most"
        f"{f', but for {kinks} at a kink' if kinks else ''}"
    )


# --- what is left behind --------------------------------------------------------------------------


def _kept(model: MLP, path: Path) -> Path:
    """Write the model; one that is there already gets another name, unless it is the same.

    Where the folder refuses it, the model goes to one for temporary files, and the error says so.
    """
    earlier = None
    try:
        if path.exists():
            numbers = iter(range(1, 10**9))
            earlier = next(
                other for i in numbers if not (other := path.with_stem(f"model-{i}")).exists()
            )
            path.rename(earlier)
        model.save(path)
    except OSError as error:
        refuge = Path(tempfile.mkdtemp(prefix="scalar-autograd-")) / path.name
        model.save(refuge)
        raise OSError(f"{path}: {error.strerror}; the model is kept in {refuge}") from error
    if earlier and earlier.read_bytes() == path.read_bytes():
        earlier.unlink()
    elif earlier:
        print(f"{path} was there before; that model is now {earlier}")
    return path


def _pictures(
    folder: Path,
    job: Job,
    model: MLP,
    history: History | None,
    predictions: list[list[float]],
    X_test: Rows,
) -> dict[Path, str]:
    """Write them all; the path of each, and what it shows."""
    written: dict[Path, str] = {}
    for name in ("accuracy.svg", "confusion.svg", "predictions.svg"):
        (folder / name).unlink(missing_ok=True)  # what an earlier training left is not about this

    def write(name: str, svg: str, what: str) -> None:
        written[write_whole(folder / name, svg)] = what

    if history:
        write("loss.svg", curve_svg([row.loss for row in history]), "the loss over the epochs")
        shares = [row.accuracy for row in history if row.accuracy is not None]
        if shares:
            what = "the accuracy over the epochs, on the examples learnt from"
            write("accuracy.svg", curve_svg(shares, "accuracy"), what)
    if job.classes:
        counts = [[0] * len(job.classes) for _ in job.classes]
        for z, y in zip(predictions, job.Y_test, strict=True):
            counts[int(y)][z.index(max(z))] += 1
        names = [printable(name) for name in job.classes]
        what = "which class was taken for which, of the examples held out"
        write("confusion.svg", confusion_svg(counts, names), what)
    else:
        numbers = [z for [z] in predictions]
        what = "predictions against targets, of the examples held out"
        write("predictions.svg", scatter_svg(job.Y_test, numbers), what)
    loss = cross_entropy if job.classes else mean_squared_error
    wrong = [
        loss(z if len(z) > 1 else z[0], y).data
        for z, y in zip(predictions, job.Y_test, strict=True)
    ]
    i = wrong.index(max(wrong))
    target = job.Y_test[i]
    shown = printable(job.classes[int(target)]) if job.classes else f"target {target:g}"
    example = f"the example held out that it is most wrong about ({job.places[i]}{shown})"
    neuron, part = _neuron_in_context(model, X_test[i], target, job)
    path = saved(draw(neuron, only=part), folder / "graph.svg")
    if path.suffix == ".svg":
        lines = [
            f"{neuron.label} at {example}, with gradients of its loss.",
            "Blue: more of it raises the loss; orange: lowers it; the stronger, the more.",
        ]
        if part:
            total = len(job.features)
            lines.append(f"The {MANY_INPUTS} inputs of {total} that weigh most; … are the others.")
        write_whole(path, captioned(path.read_text("utf-8"), lines))
    written[path] = f"one neuron, its values and gradients at {example}"
    return written


def _neuron_in_context(
    model: MLP, x: Sequence[float], target: float, job: Job
) -> tuple[Value, list[Value] | None]:
    """The neuron that matters most at an example, with gradients of the loss; and what to draw."""
    inputs = [Value(number, name) for number, name in zip(x, job.features, strict=True)]
    signals = inputs
    layers = [signals := listed(layer(signals)) for layer in model.layers]
    loss = cross_entropy if job.classes else mean_squared_error
    loss(signals if len(signals) > 1 else signals[0], target).backward()
    matters = [abs(neuron.data * (neuron.grad or 0.0)) for neuron in layers[0]]
    which = matters.index(max(matters))
    neuron, first = layers[0][which], model.layers[0].neurons[which]
    neuron.label = f"layer0.neuron{which}"
    if len(inputs) <= MANY_INPUTS:
        return neuron, None
    weights = first.weights
    by_weight = sorted(range(len(x)), key=lambda i: -abs(weights[i].data * x[i]))
    places = sorted(by_weight[:MANY_INPUTS])
    own = [node for node in topological_order(neuron) if node.args or node is first.bias]
    return neuron, [*(inputs[i] for i in places), *(weights[i] for i in places), *own]


def _names(classes: Sequence[str]) -> str:
    shown = [printable(name) for name in classes[:10]]
    return ", ".join(shown + ([f"… ({len(classes)})"] if len(classes) > 10 else []))


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0.0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number from 0 on, got {text}")
    return number
