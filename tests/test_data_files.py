"""Public data files as they are shipped: each trains, or one line says what to type, and then does.

Those that scikit-learn ships are read as they stand there. The others are made here to their form:
names, separators, quotes, gaps and kinds of cells are those of the file, the numbers are not.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from autograd.__main__ import main

pytestmark = pytest.mark.slow

ROWS = 48


class File(NamedTuple):
    """A file, and what has to come of it.

    Attributes:
        content: its bytes.
        options: what somebody who knows the file would say at once.
        n_inputs, classes: of the model; no classes where the label is a number.
        fix: the options that the refusal must suggest; none if it trains as it is.
    """

    content: bytes
    options: list[str]
    n_inputs: int
    classes: list[str]
    fix: list[str]


def shipped(name: str) -> bytes:
    sklearn = pytest.importorskip("sklearn", reason="scikit-learn ships the file")
    content: bytes = (Path(sklearn.__file__).parent / "datasets" / "data" / name).read_bytes()
    return content


def rows(row: Callable[[int, random.Random], Iterable[object]], separator: str) -> str:
    rng = random.Random(0)
    return "\n".join(separator.join(map(str, row(i, rng))) for i in range(ROWS)) + "\n"


def numbers(rng: random.Random, n: int) -> list[float]:
    return [round(rng.uniform(0.0, 100.0), 2) for _ in range(n)]


def iris() -> File:
    classes = ["setosa", "versicolor", "virginica"]
    return File(shipped("iris.csv"), [], 4, classes, [])


def wine_data() -> File:
    return File(shipped("wine_data.csv"), [], 13, ["class_0", "class_1", "class_2"], [])


def breast_cancer() -> File:
    return File(shipped("breast_cancer.csv"), [], 30, ["malignant", "benign"], [])


def digits_csv_gz() -> File:
    return File(shipped("digits.csv.gz"), [], 61, list("0123456789"), [])


def diabetes_data_raw_csv_gz() -> File:
    return File(shipped("diabetes_data_raw.csv.gz"), [], 9, [], [])


def linnerud_exercise() -> File:
    return File(shipped("linnerud_exercise.csv"), [], 2, [], [])


def diabetes_tab_txt() -> File:
    """As Hastie, Tibshirani and Friedman publish it: tabs, whole numbers to predict."""
    header = "AGE\tSEX\tBMI\tBP\tS1\tS2\tS3\tS4\tS5\tS6\tY\n"
    text = rows(lambda i, r: [*numbers(r, 10), r.randrange(25, 346)], "\t")
    return File((header + text).encode(), [], 10, [], [])


def penguins() -> File:
    header = "species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year\n"

    def row(i: int, rng: random.Random) -> list[object]:
        measured = ["NA"] * 5 if i in (3, 30) else [*numbers(rng, 4), ("male", "female")[i % 2]]
        return [SPECIES[i % 3], ("Torgersen", "Dream")[i % 2], *measured, 2007 + i % 3]

    text = rows(row, ",")
    fix = ["--missing", "mean", "--one-hot"]
    return File((header + text).encode(), ["--label", "species"], 9, SPECIES, fix)


SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


def penguins_raw() -> File:
    header = (
        "studyName,Sample Number,Species,Region,Island,Stage,Individual ID,Clutch Completion,"
        "Date Egg,Culmen Length (mm),Sex,Delta 15 N (o/oo),Comments\n"
    )

    def row(i: int, rng: random.Random) -> list[object]:
        return [
            *("PAL0708", i + 1, f"{SPECIES[i % 3]} Penguin", "Anvers", "Dream"),
            *('"Adult, 1 Egg Stage"', f"N{i}A1", "Yes", f"2007-11-{i % 28 + 1}"),
            *(*numbers(rng, 1), ("MALE", "FEMALE", "NA")[i % 3], *numbers(rng, 1)),
            "Not enough blood for isotopes." if i == 4 else "NA",
        ]

    fix = ["--missing", "mean", "--label", "Delta 15 N (o/oo)", "--one-hot"]
    return File((header + rows(row, ",")).encode(), [], 7, [], [*fix, "--drop"])


def titanic_kaggle() -> File:
    header = "PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked\n"

    def row(i: int, rng: random.Random) -> list[object]:
        ticket = f"A/5 {i}" if i % 3 else 113803 + i
        return [
            *(i + 1, int(rng.random() > 0.6), i % 3 + 1, f'"Braund, Mr. Owen {i}"'),
            *(("male", "female")[i % 2], "" if i % 5 == 0 else rng.randrange(80), i % 4, 0),
            *(ticket, *numbers(rng, 1), "" if i % 9 else f"C{i}", "SCQ"[i % 3]),
        ]

    fix = ["--missing", "mean", "--one-hot", "--drop", "Name", "Ticket"]
    content = (header + rows(row, ",")).encode()
    # Cabin is mostly empty; its few words are still one-hot. Parch never varies.
    return File(content, ["--label", "Survived"], 16, ["0", "1"], fix)


def titanic_r() -> File:
    header = '"","class","age","sex","survived"\n'

    def row(i: int, rng: random.Random) -> list[object]:
        words = f"{i % 3 + 1}st class", ("adults", "child")[i % 2], ("man", "women")[i // 2 % 2]
        return [f'"{i + 1}"', *(f'"{w}"' for w in (*words, rng.choice(["yes", "no"])))]

    return File((header + rows(row, ",")).encode(), [], 7, ["no", "yes"], ["--one-hot"])


CARS = ["mpg", "cyl", "disp", "hp", "drat", "wt", "qsec", "vs", "am", "gear", "carb"]


def car(i: int, rng: random.Random) -> list[object]:
    return [f'"Mazda RX4 {i}"', *numbers(rng, 9), 3 + i % 3, 1 + i % 6]


def mtcars() -> File:
    header = ",".join(f'"{name}"' for name in ["", *CARS]) + "\n"
    content = (header + rows(car, ",")).encode()
    return File(content, ["--label", "mpg"], 10, [], [])


def mtcars_write_table() -> File:
    """As R's `write.table` writes it: one name less than there are columns."""
    header = " ".join(f'"{name}"' for name in CARS) + "\n"
    content = (header + rows(car, " ")).encode()
    return File(content, [], 10, list("123456"), [])


def airquality() -> File:
    header = '"","Ozone","Solar.R","Wind","Temp","Month","Day"\n'

    def row(i: int, rng: random.Random) -> list[object]:
        return [f'"{i + 1}"', *("NA" if rng.random() < 0.2 else x for x in numbers(rng, 5)), i]

    content = (header + rows(row, ",")).encode()
    return File(content, ["--label", "Temp"], 5, [], ["--missing", "mean"])


BOSTON = ["crim", "zn", "indus", "chas", "nox", "rm", "age"]
BOSTON += ["dis", "rad", "tax", "ptratio", "black", "lstat", "medv"]


def boston() -> File:
    header = ",".join(f'"{name}"' for name in ["", *BOSTON]) + "\n"
    content = (header + rows(lambda i, r: [f'"{i + 1}"', *numbers(r, 14)], ",")).encode()
    return File(content, [], 13, [], [])


def housing_data() -> File:
    """As UCI publishes it: columns of a fixed width, no names."""
    text = rows(lambda i, r: [f"{x:8.2f}" for x in numbers(r, 14)], " ")
    return File(text.encode(), [], 13, [], [])


def pima_indians_diabetes() -> File:
    text = rows(lambda i, r: [*numbers(r, 8), int(r.random() > 0.6)], ",")
    return File(text.encode(), [], 8, ["0", "1"], [])


def biopsy() -> File:
    header = '"","ID","V1","V2","V3","V4","V5","V6","V7","V8","V9","class"\n'

    def row(i: int, rng: random.Random) -> list[object]:
        graded: list[object] = [rng.randrange(1, 11) for _ in range(9)]
        graded[5] = "NA" if i == 23 else graded[5]
        return [f'"{i + 1}"', f'"{1000025 + i}"', *graded, f'"{("benign", "malignant")[i % 2]}"']

    content = (header + rows(row, ",")).encode()
    return File(content, ["--drop", "ID"], 9, ["benign", "malignant"], ["--missing", "mean"])


def auto_mpg_data() -> File:
    """As UCI publishes it: spaces and a tab, ? for what is missing, no names."""

    def row(i: int, rng: random.Random) -> list[object]:
        power = "?" if i == 32 else f"{rng.uniform(50, 200):.1f}"
        weighed = [f"{x:.1f}" for x in numbers(rng, 2)]
        name = f'70  1\t"chevrolet chevelle {i}"'
        return [*(f"{x:.1f}  " for x in numbers(rng, 1)), 8, "307.0 ", power, *weighed, name]

    content = rows(row, "  ").encode()
    fix = ["--missing", "mean", "--drop", "column 9"]
    return File(content, ["--label", "1"], 3, [], fix)  # four columns never vary


def seattle_weather() -> File:
    header = "date,precipitation,temp_max,temp_min,wind,weather\n"
    sky = ["drizzle", "fog", "rain", "snow", "sun"]

    def row(i: int, rng: random.Random) -> list[object]:
        return [f"2012/{i // 28 + 1:02}/{i % 28 + 1:02}", *numbers(rng, 4), sky[i % 5]]

    return File((header + rows(row, ",")).encode(), [], 4, sky, [])


def winequality_red() -> File:
    names = "fixed acidity;volatile acidity;citric acid;residual sugar;chlorides;alcohol;quality"
    header = ";".join(f'"{name}"' for name in names.split(";")) + "\n"
    text = rows(lambda i, r: [*numbers(r, 6), 3 + i % 6], ";")
    return File((header + text).encode(), [], 6, list("345678"), [])


def adult_data() -> File:
    """As UCI publishes it: a space after each comma, ? for what is missing, no names."""

    def row(i: int, rng: random.Random) -> list[object]:
        work = ("Private", "State-gov", "?")[i % 3]
        income = ("<=50K", ">50K")[i % 2]
        return [20 + i % 50, work, 77516 + i, ("Bachelors", "HS-grad")[i % 2], i % 16, income]

    fix = ["--missing", "mean", "--one-hot"]
    return File(rows(row, ", ").encode(), [], 7, ["<=50K", ">50K"], fix)


def pandas_without_names() -> File:
    """As pandas writes a frame of an array and a target: the first line counts the columns."""
    text = rows(lambda i, r: [*numbers(r, 4), i % 3], ",")
    return File(("0,1,2,3,target\n" + text).encode(), [], 4, ["0", "1", "2"], [])


def house_prices_euro() -> File:
    """As a spreadsheet writes it in much of Europe, compressed."""
    text = rows(lambda i, r: [*(str(x).replace(".", ",") for x in numbers(r, 3)), 60 + i], ";")
    return File(gzip.compress(("area;age;rooms;price\n" + text).encode()), [], 3, [], [])


FILES = [
    iris,
    wine_data,
    breast_cancer,
    digits_csv_gz,
    diabetes_data_raw_csv_gz,
    linnerud_exercise,
    diabetes_tab_txt,
    penguins,
    penguins_raw,
    titanic_kaggle,
    titanic_r,
    mtcars,
    mtcars_write_table,
    airquality,
    boston,
    housing_data,
    pima_indians_diabetes,
    biopsy,
    auto_mpg_data,
    seattle_weather,
    winequality_red,
    adult_data,
    pandas_without_names,
    house_prices_euro,
]


@pytest.mark.parametrize("made", FILES, ids=lambda made: made.__name__)
def test_a_public_file_trains_or_says_what_to_type(
    made: Callable[[], File],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = made()
    Path("table").write_bytes(file.content)
    quick = ["--epochs", "2", "--hidden", "3", "--eager", "--check", "none"]
    given = ["train", "table", *quick, *file.options]
    if file.fix:
        with pytest.raises(SystemExit):
            main(given)
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        assert len(message) < 700
        typed = re.search(r"; type: python -m autograd (.*) \(see ", message)
        assert typed is not None, message
        suggested = shlex.split(typed[1])
        assert suggested[: len(given)] == given
        given = suggested
        added = given[len(["train", "table", *quick, *file.options]) :]
        assert [word for word in file.fix if word in added] == file.fix, message
    assert main(given) == 0
    model: dict[str, Any] = json.loads(Path("runs/model.json").read_text("utf-8"))
    assert (model["n_inputs"], model["classes"]) == (file.n_inputs, file.classes)

    # And the model reads the file that it learned from, however that looks.
    options = given[given.index("--missing") :][:2] if "--missing" in given else []
    capsys.readouterr()
    assert main(["predict", "runs/model.json", "table", *options]) == 0
    shown = capsys.readouterr()
    assert re.search(r"accuracy .* of \d+\)|mean squared error .* over \d+ examples", shown.err)


def test_json_is_refused_with_a_line_that_makes_a_table_of_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cars.json").write_text('[{"Name": "chevrolet chevelle malibu", "Cylinders": 8}]')
    with pytest.raises(SystemExit):
        main(["train", "cars.json"])
    said = "pandas.read_json('cars.json').to_csv('table.csv', index=False) makes a table of it"
    assert said in capsys.readouterr().err
