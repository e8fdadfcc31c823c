"""Public tables, learned as `train` learns them, beside scikit-learn's MLP on the same examples.

The files are those that packages ship: scikit-learn, palmerpenguins, vega_datasets and pydataset.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
import tarfile
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd.cli.learner import Learner, Settings, can_compile
from autograd.data import Rows, filled, infer_schema, read_sheet, train_test_split
from tests.benchmarks.measure import print_table, readable, version

SPLITS, HELD_OUT = 5, 200
"""Each table is divided so often, a third held out, or more often until so many examples were held
out; what is shown is the mean."""


def shipped(package: str, path: str) -> bytes:
    """A file of an installed package. ImportError if the package is missing."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"{package} is missing")
    return (Path(spec.origin).parent / path).read_bytes()


def sklearn(name: str) -> bytes:
    return shipped("sklearn", f"datasets/data/{name}")


def pydataset(name: str) -> bytes:
    """A file of R's, from the archive that pydataset ships."""
    packed = io.BytesIO(shipped("pydataset", "resources.tar.gz"))
    with tarfile.open(fileobj=packed) as archive:
        file = archive.extractfile(f"resources/rdata/csv/{name}.csv")
        assert file is not None
        return file.read()


def pima() -> bytes:
    """Both parts of the table in one."""
    first, second = pydataset("MASS/Pima.tr"), pydataset("MASS/Pima.te")
    return first + second.split(b"\n", 1)[1]


def cars() -> bytes:
    """The cars of Vega as CSV."""
    records = json.loads(shipped("vega_datasets", "_data/cars.json"))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def diabetes() -> bytes:
    """The inputs, and the target from a file of its own as their last column."""
    inputs, targets = (
        gzip.decompress(sklearn(f"diabetes_{part}.csv.gz")).decode().splitlines()
        for part in ("data_raw", "target")
    )
    return "\n".join(f"{x} {y}" for x, y in zip(inputs, targets, strict=True)).encode()


TABLES: dict[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "wine": (lambda: sklearn("wine_data.csv"), {}),
    "penguins": (
        lambda: shipped("palmerpenguins", "data/penguins.csv"),
        {"label": "species", "one_hot": True, "missing": "mean"},
    ),
    "titanic": (lambda: pydataset("COUNT/titanic"), {"one_hot": True}),
    "pima": (pima, {"drop": ["1"]}),
    "biopsy": (lambda: pydataset("MASS/biopsy"), {"drop": ["ID"], "missing": "mean"}),
    "breast cancer": (lambda: sklearn("breast_cancer.csv"), {}),
    "digits": (lambda: sklearn("digits.csv.gz"), {}),
    "weather": (
        lambda: shipped("vega_datasets", "_data/seattle-weather.csv"),
        {"drop": ["date"]},
    ),
    "boston": (lambda: pydataset("MASS/Boston"), {}),
    "autompg": (
        cars,
        {
            "label": "Miles_per_Gallon",
            "drop": ["Name", "Year"],
            "one_hot": True,
            "missing": "mean",
        },
    ),
    "mtcars": (lambda: pydataset("datasets/mtcars"), {"label": "mpg"}),
    "diabetes": (diabetes, {}),
}
"""For each table the bytes of its file, and what `train` has to be told about it."""

Split = tuple[Rows, Rows, list[float], list[float]]


def examples(name: str) -> tuple[list[Split], tuple[str, ...]]:
    """The table, divided several times, and its classes."""
    content, options = TABLES[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content())
        sheet = read_sheet(path)
    schema = infer_schema(sheet, **options)
    X, Y, _ = schema.examples(sheet)
    strata: Sequence[float] = Y if schema.classes else [0.0] * len(Y)
    numbered = list(zip(X, Y, strict=True))
    splits = []
    for seed in range(max(SPLITS, -(-HELD_OUT // (len(X) // 3)))):
        train, test, _, _ = train_test_split(numbered, strata, seed=seed)
        rows = [x for x, _ in train], [x for x, _ in test]
        splits.append((*rows, [y for _, y in train], [y for _, y in test]))
    return splits, schema.classes


def ours(split: Split, classes: tuple[str, ...], seed: int) -> list[Any]:
    """What our model says of the examples held out, learned with the defaults of `train`."""
    X_train, X_test, Y_train, _ = split
    settings = Settings(compiled=can_compile(), seed=seed)
    learner = Learner(X_train, Y_train, classes, settings)
    learner.learn(progress=False)
    return learner.learned().predict(filled(X_test, learner.means))


def theirs(split: Split, classes: tuple[str, ...], seed: int, max_iter: int = 200) -> list[Any]:
    """What scikit-learn says: its defaults, in standard units as ours."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X_train, X_test, Y_train, _ = split
    kind = MLPClassifier if classes else MLPRegressor
    network = kind(random_state=seed, max_iter=max_iter)
    model = make_pipeline(SimpleImputer(), StandardScaler(), network)
    if not classes:
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 200 iterations were not enough
        model.fit(X_train, Y_train)
    if not classes:
        return list(map(float, model.predict(X_test)))
    return [list(map(float, row)) for row in model.predict_proba(X_test)]


def figure(found: list[Any], Y: list[float], classes: tuple[str, ...]) -> float:
    """The accuracy in percent, or the mean squared error."""
    if classes:
        right = sum(z.index(max(z)) == y for z, y in zip(found, Y, strict=True))
        return 100.0 * right / len(Y)
    return math.fsum((z - y) ** 2 for z, y in zip(found, Y, strict=True)) / len(Y)


def measured(learned: Callable[..., Any], name: str) -> tuple[float, float]:
    """The mean of the figure over all splits, and the seconds that one takes."""
    splits, classes = examples(name)
    start = time.perf_counter()
    found = [learned(split, classes, seed) for seed, split in enumerate(splits)]
    taken = time.perf_counter() - start
    figures = [figure(z, split[3], classes) for z, split in zip(found, splits, strict=True)]
    return math.fsum(figures) / len(splits), taken / len(splits)


def run(title: str) -> None:
    """Measure and print."""
    rows = []
    for name in TABLES:
        try:
            splits, classes = examples(name)
            our, our_time = measured(ours, name)
            their, their_time = measured(theirs, name)
            if not classes:  # for some tables its 200 iterations are too few, for some too many
                longer = measured(partial(theirs, max_iter=2000), name)
                their, their_time = min((their, their_time), longer)
        except ImportError as error:
            rows.append((name, str(error), *[""] * 6))
            continue
        n = len(splits[0][2] + splits[0][3])
        measure, goal = "accuracy %", f"{our - their:+.1f} (≥ -1)"
        if not classes:
            measure, goal = "squared error", f"{our / their:.2f} × (≤ 1.1)"
        times = readable(our_time), readable(their_time)
        rows.append((name, f"{n}", measure, f"{our:.4g}", f"{their:.4g}", goal, *times))
    print_table(
        f"{title} (scikit-learn {version('scikit-learn')}), mean of {SPLITS} splits or more",
        ("", "rows", "held out", "ours", "scikit-learn", "beside it (goal)", "time", "its time"),
        rows,
    )
