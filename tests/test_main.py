"""The command line: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd as ag
from autograd import datasets, drawing
from autograd.__main__ import main

QUICK = ["--epochs", "3", "--hidden", "4"]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that these arguments are refused with."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    *progress, message = capsys.readouterr().err.splitlines()
    assert message.startswith("python -m autograd")
    assert all("training" in line or not line for line in progress)
    return message


def test_the_main_job_learns_irises_and_shows_its_work() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "autograd"],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(ag.__file__).parents[1]), "PATH": "/usr/bin:/bin"},
    )
    accuracy = re.search(r"test +accuracy ([\d.]+)% \(\d+ of 50\)", run.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) >= 93.0
    assert "all 131 partial derivatives of the mean loss agree" in run.stdout
    assert "Where to begin" in run.stdout
    assert "100%" in run.stderr  # the progress bar
    assert sorted(path.name for path in Path("runs").iterdir()) == [
        "graph.svg",
        "loss.svg",
        "model.json",
    ]


def test_where_nothing_can_draw_the_dot_text_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_programs", lambda: iter(()))
    assert main(["train", *QUICK]) == 0
    files = sorted(path.name for path in Path("runs").iterdir())
    assert files == ["graph.dot", "loss.svg", "model.json"]
    shown = capsys.readouterr()
    assert "pip install graphviz-pure" in shown.err
    assert f"{Path('runs', 'graph.dot')} (one neuron" in shown.out

    assert main(["draw", "a*b", "a=2", "b=3"]) == 0
    assert Path("graph.dot").read_text(encoding="utf-8").startswith("digraph")
    assert "wrote graph.dot" in capsys.readouterr().out


def test_the_saved_model_takes_the_raw_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--epochs", "40"]) == 0
    trained = capsys.readouterr().out
    X, Y = datasets.iris()
    Path("flowers.csv").write_text("\n".join(",".join(map(str, row)) for row in X))
    assert main(["predict", "runs/model.json", "flowers.csv"]) == 0
    predicted = capsys.readouterr().out.split()
    right = sum(name == datasets.IRIS_CLASSES[y] for name, y in zip(predicted, Y, strict=True))
    counted = sum(int(n) for n in re.findall(r"\((\d+) of \d+\)", trained))
    assert right == counted  # of train and test together


def test_the_neuron_drawn_is_the_saved_one_with_gradients_of_one_example() -> None:
    main(["train", *QUICK])
    picture = Path("runs/graph.svg").read_text("utf-8")
    weights = json.loads(Path("runs/model.json").read_text("utf-8"))["parameters"]
    bias = next(
        p
        for (name, _), p in zip(ag.MLP(4, [4, 3]).named_parameters(), weights, strict=True)
        if name == "layer0.neuron0.bias"
    )
    assert f"{bias:#.4g}" in picture
    assert "layer0.neuron0" in picture
    assert ">–<" not in picture  # every gradient is there


def test_a_table_of_ones_own_with_words_as_labels(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{i},{i % 5},{'low' if i < 15 else 'high'}" for i in range(30)]
    Path("mine.csv").write_text("\n".join(["size,shade,kind", *rows]))
    assert main(["train", "mine.csv", *QUICK, "--output", "here/there"]) == 0
    assert "classes high, low" in capsys.readouterr().out
    Path("new.csv").write_text("1,2\n29,1\n")
    assert main(["predict", "here/there/model.json", "new.csv"]) == 0
    assert set(capsys.readouterr().out.split()) <= {"high", "low"}


def test_labels_that_are_numbers_are_predicted_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    Path("line.csv").write_text("\n".join(f"{i},{0.5 * i + 0.25}" for i in range(30)))
    assert main(["train", "line.csv", "--hidden", "--epochs", "60"]) == 0
    assert "mean squared error" in capsys.readouterr().out
    Path("new.csv").write_text("2\n")
    main(["predict", "runs/model.json", "new.csv"])
    assert float(capsys.readouterr().out) == pytest.approx(1.25, abs=0.05)


@pytest.mark.parametrize("data", ["moons", "circles", "spirals", "blobs", "xor"])
def test_every_toy_set_trains(data: str) -> None:
    assert main(["train", data, *QUICK, "--stepper", "adam", "--learning-rate", "0.01"]) == 0


def test_a_formula_is_drawn_with_its_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "tanh(a*b + c)", "a=2", "b=-3", "c=10", "--output", "t.svg"]) == 0
    assert capsys.readouterr().out == "tanh(a*b + c) = 0.999329; wrote t.svg\n"
    assert "0.001341" in Path("t.svg").read_text("utf-8")  # ∂/∂c


def test_an_unwritable_place_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    assert "file" in refusal(capsys, "train", *QUICK, "--output", "file/runs")
    assert "nowhere" in refusal(capsys, "draw", "1", "--output", "nowhere/graph.svg")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["learn"], "invalid choice"),
        (["train", "nothing.csv"], "there is no such file, nor such a data set"),
        (["train", "--epochs", "0"], "whole number from 1 on"),
        (["train", "--epochs", "many"], "whole number from 1 on, got many"),
        (["train", "--batch-size", "-1"], "whole number from 1 on"),
        (["train", "--learning-rate", "-0.1"], "learning_rate"),
        (["train", "--learning-rate", "nan"], "learning_rate"),
        (["train", "--hidden", "0"], "whole number from 1 on"),
        (["train", "--activation", "swish"], "invalid choice"),
        (["train", "--stepper", "newton"], "invalid choice"),
        (["train", "."], "."),
        (["predict", "nothing.json", "x.csv"], "nothing.json"),
        (["draw", "a*b", "a=1"], "the variable b has no number"),
        (["draw", "a", "a=x"], "expected a variable and its number"),
        (["draw", "a", "a"], "expected a variable and its number"),
        (["draw", "__import__('os')"], "cannot read"),
        (["draw", "a", "a=1", "--output", "a.pdf"], ".pdf"),
    ],
)
def test_bad_arguments_get_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert says in refusal(capsys, *arguments)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("a,b\n", "no rows of numbers below the header"),
        ("1,2,x\n3,4\n", "line 2"),
        ("1,2,x\n3,red,y\n", "line 2, column 2: expected a finite number, got 'red'"),
        ("1,nan,x\n", "expected a finite number, got 'nan'"),
        ("1\n2\n", "single column"),
        ("1,2,\n", "label is missing"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_bad_table_is_refused_where_it_is_bad(
    capsys: pytest.CaptureFixture[str], content: str | bytes, says: str
) -> None:
    Path("bad.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    message = refusal(capsys, "train", "bad.csv", *QUICK)
    assert says in message
    assert "bad.csv" in message


def test_a_model_that_does_not_fit_the_table_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ag.MLP(3, [1], seed=0).save("model.json")
    Path("two.csv").write_text("1,2\n")
    assert "expected 3 inputs, got 2" in refusal(capsys, "predict", "model.json", "two.csv")
    Path("model.json").write_text("{}")
    assert "model.json" in refusal(capsys, "predict", "model.json", "two.csv")


def test_divergence_is_told_and_writes_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    message = refusal(capsys, "train", "moons", "--activation", "relu", "--learning-rate", "1e300")
    assert "diverged at step" in message
    assert list(Path("runs").iterdir()) == []
