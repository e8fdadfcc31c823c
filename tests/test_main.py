"""The command line: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import random
import re
import shlex
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import IO, Any
from unittest.mock import Mock

import pytest

import autograd as ag
from autograd import __main__ as command_line
from autograd import data, datasets
from autograd.__main__ import COMMANDS, main
from autograd.cli import gradient_check, learner, train
from autograd.gradcheck import Comparison, GradientReport
from autograd.training import Epoch
from autograd.viz import drawing

pytestmark = pytest.mark.slow

QUICK = ["--epochs", "3", "--hidden", "4", "--check", "none"]
FILES = ["accuracy.svg", "confusion.svg", "graph.svg", "loss.svg", "model.json"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that these arguments are refused with."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    *progress, message = capsys.readouterr().err.splitlines()
    assert message.startswith("python -m autograd")
    assert all("train" in line or not line for line in progress)
    return message


def suggested(message: str) -> list[str]:
    """The arguments that a refusal says to type."""
    typed = re.search(r"; type: python -m autograd (.*) \(see ", message)
    assert typed is not None, message
    return shlex.split(typed[1])


def files(folder: str = "runs") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def table(name: str, header: str, rows: list[str]) -> None:
    Path(name).write_text("\n".join([*([header] if header else []), *rows]) + "\n", "utf-8")


# --- train ----------------------------------------------------------------------------------------


def test_the_main_job_learns_irises_and_shows_its_work() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "autograd"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(ag.__file__).parents[1])},
    )
    accuracy = re.search(r"test +accuracy ([\d.]+)% \(\d+ of 50\)", run.stdout)
    assert accuracy is not None
    assert float(accuracy[1]) >= 93.0
    assert re.search(r"check: [1-9]\d* of \d+ partial derivatives .* agree", run.stdout)
    assert "petal width (cm)   number  input" in run.stdout
    assert "Where to begin" in run.stdout
    assert "100%" in run.stderr  # the progress bar
    assert files() == FILES


def test_eager_and_compiled_learn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = []
    for options in (["--output", "compiled"], ["--eager", "--output", "eager"]):
        assert main(["train", *QUICK, *options]) == 0
        folder = Path(options[-1])
        trained.append(json.loads((folder / "model.json").read_text("utf-8"))["parameters"])
    assert trained[0] == pytest.approx(trained[1], rel=1e-9)
    asked = []

    def fit(*_: object, compiled: bool, **__: object) -> ag.History:
        asked.append(compiled)
        return ag.History([Epoch(1, 1.0, None, 0.1)])

    monkeypatch.setattr(learner, "fit", fit)
    main(["train", *QUICK])
    main(["train", *QUICK, "--eager"])
    monkeypatch.setattr(train, "can_compile", lambda: False)
    main(["train", *QUICK])
    assert asked == [True, False, False]


def test_where_nothing_can_draw_the_dot_text_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "layout_programs", lambda: iter(()))
    assert main(["train", *QUICK]) == 0
    assert files() == ["accuracy.svg", "confusion.svg", "graph.dot", "loss.svg", "model.json"]
    shown = capsys.readouterr()
    assert "pip install graphviz-pure" in shown.err
    assert f"{Path('runs', 'graph.dot')} (one neuron" in shown.out

    assert main(["draw", "a*b", "a=2", "b=3"]) == 0
    assert Path("graph.dot").read_text(encoding="utf-8").startswith("digraph")
    assert "wrote graph.dot" in capsys.readouterr().out


def test_the_saved_model_takes_the_raw_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--epochs", "40", "--check", "none"]) == 0
    trained = capsys.readouterr().out
    X, Y = datasets.iris()
    Path("flowers.csv").write_text("\n".join(",".join(map(str, row)) for row in X))
    assert main(["predict", "runs/model.json", "flowers.csv"]) == 0
    predicted = capsys.readouterr().out.split()
    right = sum(name == datasets.IRIS_CLASSES[y] for name, y in zip(predicted, Y, strict=True))
    counted = sum(int(n) for n in re.findall(r"\((\d+) of \d+\)", trained))
    assert right == counted  # of train and test together
    assert main(["predict", "runs/model.json", str(datasets.IRIS_FILE)]) == 0
    shown = capsys.readouterr()
    assert shown.out.split() == predicted
    assert shown.err == f"accuracy {right / 150:.1%} ({right} of 150)\n"


def test_the_neuron_drawn_is_a_saved_one_and_says_at_which_example() -> None:
    main(["train", *QUICK])
    picture = Path("runs/graph.svg").read_text("utf-8")
    saved = json.loads(Path("runs/model.json").read_text("utf-8"))["parameters"]
    names = [name for name, _ in ag.MLP(4, [4, 3]).named_parameters()]
    neuron = re.search(
        r"(layer0\.neuron\d) at the held-out example .*? \(line (\d+): (\w+)\)", picture
    )
    assert neuron is not None
    line, name = int(neuron[2]), neuron[3]
    assert datasets.IRIS_FILE.read_text("utf-8").splitlines()[line - 1].endswith(name)
    bias = saved[names.index(f"{neuron[1]}.bias")]
    assert f">{bias:#.4g}<" in picture
    places = [picture.index(name) for name in ("sepal length", "sepal width", "petal length")]
    assert places == sorted(places)
    assert ">–<" not in picture  # every gradient is there
    assert "Blue: increasing it raises the loss" in picture
    ET.fromstring(picture)


def test_of_a_neuron_with_many_inputs_the_heaviest_are_drawn() -> None:
    names = [f"f{i}" for i in range(400)]
    rows = [",".join([*(str((i * k) % 7) for k in range(400)), "ab"[i % 2]]) for i in range(12)]
    table("wide.csv", ",".join([*names, "kind"]), rows)
    assert main(["train", "wide.csv", *QUICK]) == 0
    picture = Path("runs/graph.svg").read_text("utf-8")
    assert "The 8 of 342 inputs with the largest products w·x" in picture
    assert len(re.findall(r">f\d+<", picture)) == 8


def test_a_table_of_ones_own_with_words_as_labels(capsys: pytest.CaptureFixture[str]) -> None:
    table("mine.csv", "size,shade,kind", [f"{i},{i % 5},{'ab'[i < 15]}" for i in range(30)])
    assert main(["train", "mine.csv", *QUICK, "--output", "here/there"]) == 0
    assert "classes a, b" in capsys.readouterr().out
    Path("new.csv").write_text("1,2\n29,1\n")
    assert main(["predict", "here/there/model.json", "new.csv"]) == 0
    assert set(capsys.readouterr().out.split()) <= {"a", "b"}


def test_a_number_is_predicted_in_its_own_unit(capsys: pytest.CaptureFixture[str]) -> None:
    table("line.csv", "", [f"{1e4 * i},{2e6 * i + 5e8}" for i in range(60)])
    assert main(["train", "line.csv", "--hidden", "--weight-decay", "0", "--epochs", "600"]) == 0
    shown = capsys.readouterr().out
    errors = re.search(r"test +mean squared error (\S+) over 20 .*\((\S+) if always", shown)
    assert errors is not None
    assert float(errors[1]) < 1e-3 * float(errors[2])
    assert "no better" not in shown
    assert files() == ["graph.svg", "loss.svg", "model.json", "predictions.svg"]
    main(["train", *QUICK])
    assert files() == [*FILES[:-1], "model-1.json", "model.json"]  # no picture of another training
    Path("runs/model-1.json").replace("runs/model.json")
    capsys.readouterr()
    Path("new.csv").write_text("20000\n")
    main(["predict", "runs/model.json", "new.csv"])
    assert float(capsys.readouterr().out) == pytest.approx(5.04e8, rel=0.01)


@pytest.mark.parametrize("labels", ["number", "word"])
def test_what_is_no_better_than_a_constant_is_told(
    capsys: pytest.CaptureFixture[str], labels: str
) -> None:
    rng = random.Random(0)
    rows = [[rng.gauss(0.0, 1.0) for _ in range(20)] for _ in range(60)]
    said = [f"{rng.random()}" if labels == "number" else "no" for _ in rows]
    said[:20] = [f"{rng.random()}" if labels == "number" else "yes" for _ in range(20)]
    rng.shuffle(said)
    table("noise.csv", "", [",".join([*map(str, x), y]) for x, y in zip(rows, said, strict=True)])
    assert main(["train", "noise.csv", "--check", "none"]) == 0
    assert "that is no better than" in capsys.readouterr().out


@pytest.mark.parametrize("data", ["moons", "circles", "spirals", "blobs", "xor"])
def test_every_toy_set_trains(data: str) -> None:
    options = ["--stepper", "gradient-descent", "--learning-rate", "0.1", "--weight-decay", "0"]
    assert main(["train", data, *QUICK, *options]) == 0
    assert files() == FILES


# --- nothing is lost ------------------------------------------------------------------------------


def test_an_earlier_model_is_kept_under_another_name(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", *QUICK])
    first = Path("runs/model.json").read_bytes()
    main(["train", *QUICK])
    assert files() == FILES  # the same model once more needs no second name
    main(["train", "moons", *QUICK])
    assert "that model is now runs/model-1.json" in capsys.readouterr().out
    assert Path("runs/model-1.json").read_bytes() == first
    main(["train", *QUICK])
    assert {"model-1.json", "model-2.json"} < set(files())


@pytest.mark.parametrize("links", [True, False])
def test_trainings_that_end_at_once_in_one_folder_lose_no_model(
    links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all moments the worst: while one looks for a free name, another model appears."""
    if not links:  # as on a memory stick
        monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError))
    path = Path("model.json")
    models = iter([ag.nn.MLP(1, [1], seed=seed) for seed in range(6)])
    really = train.out_of_the_way

    def at_the_worst_moment(place: Path) -> Path | None:
        earlier = really(place)
        if (other := next(models, None)) is not None:
            train.kept_model(other, place)
        return earlier

    monkeypatch.setattr(train, "out_of_the_way", at_the_worst_moment)
    train.kept_model(next(models), path)
    train.kept_model(next(models), path)
    assert next(models, None) is None
    kept = {str(ag.nn.MLP.load(file).parameters()) for file in Path().iterdir()}
    assert len(kept) == 6


@pytest.mark.parametrize("links", [True, False])
def test_a_model_is_whole_as_soon_as_it_has_its_name(
    links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", Mock(side_effect=PermissionError))
    opened: list[str] = []
    really = Path.open

    def noted(path: Path, mode: str = "r") -> IO[Any]:
        opened.extend([path.name] * ("r" not in mode))
        return really(path, mode)

    monkeypatch.setattr(Path, "open", noted)
    train.kept_model(ag.nn.MLP(1, [1]), Path("model.json"))
    assert [name.startswith(".unfinished-") for name in opened] == [True]
    assert files(".") == ["model.json"]


def test_where_a_folder_has_the_name_of_the_model_nothing_is_left_behind() -> None:
    Path("model.json").mkdir()
    with pytest.raises(OSError, match="the model is kept in ") as error:
        train.kept_model(ag.nn.MLP(1, [1]), Path("model.json"))
    kept = Path(str(error.value).rpartition(" ")[2])
    assert ag.nn.MLP.load(kept).n_inputs == 1
    kept.unlink()
    kept.parent.rmdir()
    assert files(".") == ["model.json"]


def test_a_model_that_the_folder_refuses_goes_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    save = ag.MLP.save

    def full(model: ag.MLP, path: Path) -> None:
        if path.parent.name == "runs":
            raise OSError(28, "No space left on device", str(path))
        save(model, path)

    monkeypatch.setattr(ag.MLP, "save", full)
    message = refusal(capsys, "train", *QUICK)
    kept = re.search(r"No space left on device; the model is kept in (\S+)", message)
    assert kept is not None
    assert ag.MLP.load(kept[1]).classes == datasets.IRIS_CLASSES
    Path(kept[1]).unlink()
    Path(kept[1]).parent.rmdir()


def test_the_model_is_on_disk_before_anything_else_is_done(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        assert files() == ["model.json"]
        raise KeyboardInterrupt

    monkeypatch.setattr(ag.MLP, "predict", interrupted)
    assert main(["train", *QUICK]) == 130
    assert "interrupted; what was learned is kept in runs/model.json" in capsys.readouterr().err
    assert ag.MLP.load("runs/model.json").n_inputs == 4


def test_names_that_the_terminal_cannot_show_end_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table("mine.csv", "Größe,Ü", [f"{i},{'ja' if i % 2 else 'nö'}" for i in range(30)])
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", write_through=True))
    assert main(["train", "mine.csv", *QUICK]) == 0
    assert rb"Gr\xf6\xdfe" in shown.getvalue()
    assert main(["predict", "runs/model.json", "mine.csv", "--show", "Größe"]) == 0


def test_cells_that_are_shown_are_read_back_as_they_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = ["a, b", 'the "best"', "plain"]
    quoted = ['"a, b"', '"the ""best"""', "plain"]
    table("mine.csv", "name,x,y", [f"{quoted[i % 3]},{i},{'yn'[i % 2]}" for i in range(30)])
    assert main(["train", "mine.csv", "--drop", "name", *QUICK]) == 0
    capsys.readouterr()
    assert main(["predict", "runs/model.json", "mine.csv", "--show", "name"]) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines(), skipinitialspace=True))
    assert [row[0] for row in rows[1:4]] == names


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_in_the_place_of_the_model_is_moved_and_not_read() -> None:
    Path("runs").mkdir()
    os.mkfifo("runs/model.json")
    assert main(["train", *QUICK]) == 0
    assert ag.MLP.load("runs/model.json").n_inputs == 4
    assert Path("runs/model-1.json").is_fifo()


def shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run the command line, here `autograd`, in a shell; `$?` of its first part is printed."""
    python = f"{shlex.quote(sys.executable)} -m autograd"
    return subprocess.run(
        ["bash", "-c", command.replace("autograd", python)],
        capture_output=True,
        text=True,
        check=False,
        # Output is written when it is flushed, as by default: only then are some errors met.
        env={
            **os.environ,
            "PYTHONPATH": str(Path(ag.__file__).parents[1]),
            "PYTHONUNBUFFERED": "",
        },
        timeout=300,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such shell")
@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("autograd train {quick} >&-", 0, ""),
        ("autograd train {quick} >&- 2>&-", 0, ""),
        ("autograd train {quick} | head -1; exit ${{PIPESTATUS[0]}}", 0, ""),
        ("autograd train {quick} >/dev/full", 2, "standard output: No space left on device"),
        ("autograd --help >/dev/full", 2, "standard output: No space left on device"),
        ("autograd train --help | head -1; exit ${{PIPESTATUS[0]}}", 0, ""),
    ],
)
def test_whatever_becomes_of_the_output_it_ends_cleanly(command: str, code: int, says: str) -> None:
    if "/dev/full" in command and not Path("/dev/full").exists():
        pytest.skip("there is no such device here")
    run = shell(command.format(quick=shlex.join(QUICK)))
    assert run.returncode == code, run.stderr
    assert says in run.stderr
    assert not re.search("Traceback|Exception ignored|BrokenPipe", run.stderr)
    if code == 0 and "--help" not in command:
        assert files() == FILES


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such shell")
def test_a_progress_bar_that_nobody_reads_ends_without_a_traceback() -> None:
    run = shell("autograd train --epochs 3000 2>&1 >/dev/null | head -c 20; exit ${PIPESTATUS[0]}")
    assert run.returncode == 141
    assert run.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize("module", ["csv", "difflib"])
def test_an_interrupt_while_it_is_imported_leaves_no_traceback(module: str) -> None:
    """A module that both the package and the command line need is made to take its time."""
    Path(f"{module}.py").write_text("import time; print('importing', flush=True); time.sleep(60)")
    program = (  # this process may ignore the signal, which its children would inherit
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'autograd', 'train'])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{Path.cwd()}:{Path(ag.__file__).parents[1]}"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGINT
    assert err == ""


def test_a_lack_of_memory_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data.Schema, "examples", Mock(side_effect=MemoryError))
    assert "not enough memory; --limit N reads only the first N" in refusal(capsys, "train")


def test_a_limit_of_rows_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    table("mine.csv", "a,kind", [f"{i},{'ab'[i % 2]}" for i in range(60)])
    assert main(["train", "mine.csv", "--limit", "30", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "mine.csv: 30 rows of 2 columns; a header, commas, only the first 30 rows read" in said
    assert main(["predict", "runs/model.json", "mine.csv", "--limit", "5"]) == 0
    assert len(capsys.readouterr().out.split()) == 5


def test_a_constant_column_has_no_influence(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"7,{i},{'ab'[i > 15]}" for i in range(31)]
    table("mine.csv", "k,x,kind", rows)
    assert main(["train", "mine.csv", *QUICK]) == 0
    said = capsys.readouterr().out
    assert re.search(r"k +number  left out +always 7\n", said)
    assert "a column that never varies is left out (k)" in said
    assert ag.MLP.load("runs/model.json").n_inputs == 1

    # And where it varies, but in no example that is learned from.
    X = [[7.0, float(i)] for i in range(30)]
    settings = learner.Settings()
    learned = learner.Learner(X, [float(i % 2) for i in range(30)], ["a", "b"], settings)
    learned.learn(progress=False)
    model = learned.learned()
    assert learned.constant == [0]
    assert model.predict([[7.0, 3.0]]) == model.predict([[99.0, 3.0]])
    assert model.predict([[7.0, 3.0]]) != model.predict([[7.0, 9.0]])


def test_what_is_constant_among_the_examples_learned_from_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x_of = dict.fromkeys(range(30), 7)
    main(["train", "moons", *QUICK])
    for odd in range(30):  # wherever the split holds out a row, its number alone differs
        table("mine.csv", "k,x,y", [f"{8 if i == odd else 7},{i},{i * 1.5}" for i in x_of])
        capsys.readouterr()
        main(["train", "mine.csv", *QUICK, "--eager"])
        if "k: the same in every example to learn from" in capsys.readouterr().out:
            return
    pytest.fail("no split held that row out")


def test_what_fails_after_the_training_says_where_the_model_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "runs/loss.svg")

    monkeypatch.setattr(train, "pictures", full)
    message = refusal(capsys, "train", *QUICK)
    kept = "; what was learned is kept in runs/model.json"
    assert f"runs/loss.svg: No space left on device{kept}" in message
    assert files() == ["model.json"]


def test_where_no_machine_code_can_be_made_a_long_training_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "can_compile", lambda: False)
    main(["train", *QUICK])
    assert "scalar-autograd[jit]" not in capsys.readouterr().out
    monkeypatch.setattr(train, "MANY_PRODUCTS", 1000)
    main(["train", *QUICK])
    assert "pip install 'scalar-autograd[jit]'" in capsys.readouterr().out
    monkeypatch.setattr(train, "can_compile", lambda: True)
    main(["train", *QUICK, "--eager"])
    assert "scalar-autograd[jit]" not in capsys.readouterr().out


def started(*arguments: str) -> subprocess.Popen[str]:
    """The command line in a process of its own, which heeds signals that this one may ignore."""
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(getattr(signal, 'SIGHUP', signal.SIGTERM), signal.SIG_DFL)\n"
        "from autograd.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(ag.__file__).parents[1])},
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
@pytest.mark.parametrize(
    ("name", "how"),
    [
        *(("SIGINT", "--eager"), ("SIGINT", "--check=none")),
        *(("SIGTERM", "--check=none"), ("SIGHUP", "--eager")),
    ],
)
def test_an_interrupted_training_keeps_what_was_learned(how: str, name: str) -> None:
    process = started("train", "moons", "--epochs", "10000000", how)
    assert process.stderr is not None
    seen = ""
    while not re.search(r"\b[1-9]\d*/10000000", seen):  # the bar, after an epoch
        letter = process.stderr.read(1)
        assert letter, seen
        seen += letter
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 128 + getattr(signal, name)
    assert re.search(r"interrupted after \d+ epochs; what was learned is kept in runs/model", out)
    assert "Traceback" not in err
    assert ag.MLP.load("runs/model.json").widths == [32, 2]
    assert files() == (FILES if name == "SIGINT" else ["model.json"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signals")
def test_an_interrupt_before_anything_was_learned_says_so() -> None:
    process = started("train", "moons", "--eager", "--hidden", "200", "200", "200")
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert err.endswith("interrupted; no epoch was complete, so there is nothing to keep\n")
    assert files() == []


def test_an_unfinished_file_is_cleaned_up_when_the_program_is_ended(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from autograd.__main__ import main\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGTERM)\n"
        "sys.exit(main(['draw', 'a*b', 'a=1', 'b=2', '--output', 'g.dot']))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(Path(ag.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 143
    assert "interrupted; nothing was written" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_divergence_is_told_and_writes_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--stepper", "gradient-descent", "--learning-rate", "1e300"]
    message = refusal(capsys, "train", "moons", *options)
    assert "diverged at step" in message
    assert "try a smaller --learning-rate" in message
    assert list(Path("runs").iterdir()) == []


# --- the gradient check ---------------------------------------------------------------------------


def test_all_derivatives_are_checked_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "xor", "--hidden", "3", "--check", "all"])
    said = capsys.readouterr().out
    assert "check: 17 of 17 partial derivatives of the mean loss agree" in said
    assert "not checked" not in said
    assert "over 133 examples" in said


def test_a_check_that_ran_out_of_time_says_how_many_it_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradient_check, "CHECK_SECONDS", 0.0)
    main(["train", "xor", "--epochs", "1", "--hidden", "3"])
    said = capsys.readouterr().out
    assert re.search(r"check: \d of 4 partial .* agree .*, 13 more not checked within 0 s", said)


def test_derivatives_too_small_to_tell_and_kinks_agree_with_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        Comparison("a", 1.0, 1.0 + 1e-9, "ok"),
        Comparison("b", 1e-14, 0.0, "ok"),
        Comparison("c", 0.0, 0.5, "kink", (0.0, 1.0)),
        Comparison("d", 0.0, 0.0, "ok"),
    ]
    report = GradientReport(tuple(found))
    monkeypatch.setattr(gradient_check, "check_gradient", lambda *_: report)
    main(["train", "xor", "--epochs", "1", "--check", "all", "--hidden"])
    said = capsys.readouterr().out
    assert "check: 2 of 4 partial derivatives of the mean loss agree" in said
    assert "relative error 1e-09 at most, 1 at a kink, 1 too small to tell" in said
    monkeypatch.setattr(gradient_check, "check_gradient", lambda *_: GradientReport((found[1],)))
    main(["train", "xor", "--epochs", "1", "--check", "all", "--hidden"])
    assert "check: 0 of 1 partial derivatives" in capsys.readouterr().out


def test_a_wrong_derivative_is_found_by_a_sample(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograd import gradcheck

    right = gradcheck.adjoints  # type: ignore[attr-defined]
    monkeypatch.setattr(
        gradcheck, "adjoints", lambda x: {node: 1.01 * g for node, g in right(x).items()}
    )
    main(["train", "moons", "--epochs", "3"])
    assert "not confirmed" in capsys.readouterr().out


# --- predict --------------------------------------------------------------------------------------

MIXED = [f"{i % 3},{'red' if i % 2 else 'Blue'},{i},{'yes' if i % 2 else 'no'}" for i in range(40)]


def test_predict_reads_columns_by_their_names_and_words_as_they_were_learned(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table("mine.csv", "a,colour,id,answer", MIXED)
    options = ["--one-hot", "--drop", "id", "--missing", "mean", "--check", "none"]
    assert main(["train", "mine.csv", *options]) == 0
    table("new.csv", "colour;other;a", ["red;?;0", "BLUE;1;", ";1;1"])
    capsys.readouterr()
    assert main(["predict", "runs/model.json", "new.csv"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["yes", "no"]

    assert main(["predict", "runs/model.json", "mine.csv"]) == 0
    assert capsys.readouterr().err == "accuracy 100.0% (40 of 40)\n"

    table("green.csv", "colour,a", ["green,1"])
    message = refusal(capsys, "predict", "runs/model.json", "green.csv")
    assert "green.csv, line 2, column colour: expected one of Blue, red, got 'green'" in message
    table("less.csv", "colour,b", ["red,1"])
    message = refusal(capsys, "predict", "runs/model.json", "less.csv")
    assert "less.csv: it has no column a; its columns are colour, b" in message
    table("gap.csv", "colour,a", ["red,"])
    message = refusal(capsys, "predict", "runs/model.json", "gap.csv", "--missing", "refuse")
    assert "gap.csv, line 2, column a: it is missing ('')" in message
    assert suggested(message)[-2:] == ["--missing", "mean"]


@pytest.mark.parametrize("missing", ["refuse", "drop", "mean"])
def test_rows_whose_label_is_still_empty_are_predicted(
    capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    table("mine.csv", "a,b,answer", [f"{i},{i % 7},{'yes' if i > 9 else 'no'}" for i in range(20)])
    main(["train", "mine.csv", *QUICK, "--missing", missing])
    table("new.csv", "a,b,answer", ["1,1,no", "12,4,", "13,5,NA"])
    table("newer.csv", "a,b,answer", ["1,1,", "12,4,"])
    capsys.readouterr()
    for file, n, evaluated in ("new.csv", 3, r"accuracy .* of 1\)\n"), ("newer.csv", 2, ""):
        assert main(["predict", "runs/model.json", file]) == 0
        shown = capsys.readouterr()
        assert len(shown.out.split()) == n
        assert re.fullmatch(evaluated, shown.err)


def test_predict_prints_probabilities(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "--epochs", "20", "--check", "none"])
    capsys.readouterr()
    main(["predict", "runs/model.json", str(datasets.IRIS_FILE), "--probabilities"])
    header, *lines = capsys.readouterr().out.splitlines()
    assert header == "prediction, setosa, versicolor, virginica"
    assert len(lines) == 150
    for line in lines:
        name, *shares = line.split(", ")
        numbers = list(map(float, shares))
        assert sum(numbers) == pytest.approx(1.0, abs=1e-3)
        assert datasets.IRIS_CLASSES[numbers.index(max(numbers))] == name

    table("line.csv", "", [f"{i},{i / 2 + 0.25}" for i in range(30)])
    main(["train", "line.csv", *QUICK])
    message = refusal(capsys, "predict", "runs/model.json", "line.csv", "--probabilities")
    assert "it predicts a number" in message


def test_a_model_made_without_the_command_line_is_applied(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = ag.MLP(2, [2], seed=0)
    model.classes = ("no", "yes")
    model.save("model.json")
    Path("two.csv").write_text("1,2\n3,4\n")
    assert main(["predict", "model.json", "two.csv"]) == 0
    assert set(capsys.readouterr().out.split()) <= {"no", "yes"}
    Path("three.csv").write_text("1,2,yes\n3,4,no\n")
    assert main(["predict", "model.json", "three.csv"]) == 0
    assert re.fullmatch(r"accuracy .* \(\d of 2\)\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "damage",
    [
        *({"na_values": [1]}, {"empty": [1]}, {"means": ["x"]}, {"means": [math.inf]}),
        *({"columns": [[1]]}, {"missing": [1]}),
    ],
    ids=str,
)
def test_a_model_that_was_tampered_with_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], damage: dict[str, object]
) -> None:
    table("mine.csv", "a,answer", [f"{i},{'yes' if i > 9 else 'no'}" for i in range(20)])
    main(["train", "mine.csv", *QUICK])
    model = json.loads(Path("runs/model.json").read_text("utf-8"))
    model["table"] |= damage
    Path("runs/model.json").write_text(json.dumps(model))
    message = refusal(capsys, "predict", "runs/model.json", "mine.csv")
    assert "runs/model.json: the model's columns are damaged: " in message


def test_a_model_that_is_not_finite_predicts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    model = ag.MLP(1, [1], seed=0)
    model.layers[0].neurons[0].bias.data = math.nan
    model.save("model.json")
    Path("one.csv").write_text("1\n2\n")
    message = refusal(capsys, "predict", "model.json", "one.csv")
    assert "model.json: it has parameters that are not finite; train it again" in message


def test_a_disk_that_cannot_be_read_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    Path("mine.csv").write_text("a,b\n1,2\n3,4\n")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *_: Broken())
        message = refusal(capsys, "train", "mine.csv")
    assert "mine.csv: Input/output error" in message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no folder that is in use")
def test_a_folder_that_was_deleted_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    gone = Path("gone")
    gone.mkdir()
    os.chdir(gone)
    Path("../gone").rmdir()
    message = refusal(capsys, "draw", "a", "a=1", "--output", "graph.dot")
    assert "the current folder: No such file or directory" in message


def test_a_name_of_a_file_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\nevil"
    table(f"{evil}.csv", "a,answer", [f"{i},{'yes' if i > 9 else 'no'}" for i in range(20)])
    assert main(["train", f"{evil}.csv", *QUICK, "--output", f"{evil} runs"]) == 0
    assert main(["train", f"{evil}.csv", *QUICK, "--output", f"{evil} runs", "--seed", "1"]) == 0
    assert main(["predict", f"{evil} runs/model.json", f"{evil}.csv", "--show", "a"]) == 0
    assert main(["playground", f"{evil}.csv", "--output", f"{evil}.html"]) == 0
    assert main(["draw", "a", "a=1", "--output", f"{evil}.svg"]) == 0
    shown = capsys.readouterr()
    refused = [
        refusal(capsys, "train", f"{evil}.cvs"),
        refusal(capsys, "train", f"{evil}.csv", "--output", f"{evil}.html"),
        refusal(capsys, "train", f"{evil}.csv", "--label", "b"),
        refusal(capsys, "train", evil, "--epochs", "no"),
        refusal(capsys, f"{evil}.csv"),
        refusal(capsys, "predict", f"{evil}.json", f"{evil}.csv"),
        refusal(capsys, "predict", f"{evil}.csv", f"{evil}.csv"),
        refusal(capsys, "draw", "a", "a=1", "--output", f"{evil}/a.svg"),
    ]
    for text in (shown.out, shown.err, *refused):
        assert "\x1b" not in text
    assert r"wrote     \x1b[2J\nevil runs/model.json (" in shown.out
    assert "\nevil" not in shown.out


def test_names_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\x07evil\nname"
    table(
        "mine.csv",
        '"\x1b[31mred",b,kind',
        [f'{i},{i},"{evil if i % 2 else "x"}"' for i in range(30)],
    )
    main(["train", "mine.csv", "--check", "none"])
    main(["predict", "runs/model.json", "mine.csv", "--probabilities"])
    refused = refusal(capsys, "train", "mine.csv", "--label", "\x1b[0m")
    shown = capsys.readouterr()
    for text in (shown.out, shown.err, refused):
        assert "\x1b" not in text
        assert "\x07" not in text
    for name in ("confusion.svg", "graph.svg"):
        ET.parse(Path("runs", name))


# --- draw -----------------------------------------------------------------------------------------


def test_a_formula_is_drawn_with_its_gradients(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "tanh(a*b + c)", "a=2", "b=-3", "c=10", "--output", "t.svg"]) == 0
    assert capsys.readouterr().out == "tanh(a*b + c) = 0.999329; wrote t.svg\n"
    assert "0.001341" in Path("t.svg").read_text("utf-8")  # ∂/∂c


def test_of_a_large_graph_the_text_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "+".join(["a*a"] * 200), "a=1", "--output", "large.png"]) == 0
    shown = capsys.readouterr()
    assert shown.out.endswith("… = 200; wrote large.dot\n")
    assert "not laid out here" in shown.err
    assert files(".") == ["large.dot"]


def test_a_place_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    Path("folder.svg").mkdir()
    assert "file" in refusal(capsys, "train", *QUICK, "--output", "file/runs")
    message = refusal(capsys, "draw", "1", "--output", "nowhere/graph.svg")
    assert "nowhere/graph.svg: there is no folder nowhere; make it first" in message
    message = refusal(capsys, "draw", "1", "--output", "folder.svg")
    assert "folder.svg: it is a folder" in message
    assert "unfinished" not in message


def test_a_long_formula_is_not_echoed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "+".join(["a"] * 60), "a=1"]) == 0
    assert len(capsys.readouterr().out) < 100


def test_predict_shows_columns_beside_the_predictions(capsys: pytest.CaptureFixture[str]) -> None:
    table("mine.csv", "a,colour,id,answer", MIXED)
    main(["train", "mine.csv", "--one-hot", "--drop", "id", "--check", "none"])
    table("new.csv", "name;a;Colour", ["Ö, Ali;0;red", "Eva;;blue", "Kim;1,0;Blue", "Sum;1;"])
    capsys.readouterr()
    predict = ["predict", "runs/model.json", "new.csv", "--missing", "drop", "--show"]
    assert main([*predict, "name", "a"]) == 0
    shown = capsys.readouterr()
    assert shown.out == 'name, a, prediction\n"Ö, Ali", 0, yes\nKim, "1,0", no\n'
    assert "left out: totals in line 5" in shown.err
    assert "1 row with missing cells is left out" in shown.err
    message = refusal(capsys, *predict, "surname")
    assert "there is no column 'surname'; its columns are name, a, Colour" in message


def test_words_that_stand_for_an_empty_cell_are_kept_with_the_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [f"{'ill' if i == 5 else i % 2},{'yes' if i % 2 else 'no'}" for i in range(40)]
    table("mine.csv", "a,answer", rows)
    message = refusal(capsys, "train", "mine.csv", "--check", "none")
    assert suggested(message)[-4:] == ["--na-values", "ill", "--missing", "mean"]
    assert main(suggested(message)) == 0
    table("new.csv", "a", ["1", "ill", "late"])
    message = refusal(capsys, "predict", "runs/model.json", "new.csv")
    assert "line 4, column a: expected a finite number, got 'late'" in message
    capsys.readouterr()
    assert main(["predict", "runs/model.json", "new.csv", "--na-values", "late"]) == 0
    assert len(capsys.readouterr().out.split()) == 3


def test_dates_and_grades_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"2024-01-{i % 28 + 1:02},{i % 13},{i % 18}" for i in range(90)]
    table("mine.csv", "day,points,grade", rows)
    assert main(["train", "mine.csv", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "dates and times are left out (day)" in said
    assert "the 18 different numbers of the label are classes; --task regression" in said
    assert main(["train", "mine.csv", *QUICK, "--task", "regression"]) == 0
    assert "label: a number" in capsys.readouterr().out


def test_a_model_and_a_table_in_the_wrong_order(capsys: pytest.CaptureFixture[str]) -> None:
    table("mine.csv", "a,answer", ["1,yes"])
    message = refusal(capsys, "predict", "mine.csv", "model.json")
    assert "cannot restore mine.csv: it is no file that save() wrote" in message
    assert "name the model first, and the table second" in message


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["learn"], "invalid choice"),
        (["tarin"], "; did you mean train?"),
        (["mine.csv"], "; to learn from it, type: python -m autograd train mine.csv"),
        (["train", "nothing.csv"], "there is no such file, nor such a data set"),
        (["train", "nothing.csv"], "; it was sought in /"),
        (["train", "Mien.csv"], "; did you mean mine.csv?"),
        (["train", "MINE"], "; did you mean mine.csv?"),
        (["train", "irsi"], "; did you mean iris?"),
        (["train", "data/mine.csv"], "; there is no folder data in /"),
        (["train", "https://example.org/a.csv"], "nothing is fetched from the web here; save it"),
        (["train", "my", "mine.csv"], "cannot place 'mine.csv'; put quotes around a name that has"),
        (["train", "--epoch", "3"], "did you mean --epochs? (see python -m autograd train --help)"),
        (["train", "--Epochs=3"], "there is no option --Epochs; did you mean --epochs?"),
        (["train", "--optimizer", "adam"], "no option --optimizer; did you mean --stepper?"),
        (["playground", "--optimizer", "adam"], "there is no option --optimizer (see"),
        (["train", "--activation", "rleu"], "; did you mean relu?"),
        (["train", "--hidden", "16,16"], "whole number from 1 on, got 16,16; type 16 16"),
        (["train", "--learning-rate", "0,1"], "expected a number, got 0,1; type 0.1"),
        (["train", "--output", "mine.csv"], "mine.csv: it is a file, and --output takes a folder"),
        (["playground", "--output", "a.pdf"], "ends in .html, got 'a.pdf'"),
        (["train", "--epochs", "0"], "whole number from 1 on"),
        (["train", "--epochs", "many"], "whole number from 1 on, got many"),
        (["train", "--batch-size", "-1"], "whole number from 1 on"),
        (["train", "--learning-rate", "-0.1"], "learning_rate"),
        (["train", "--learning-rate", "nan"], "learning_rate"),
        (["train", "--weight-decay", "-1"], "a number from 0 on"),
        (["train", "--hidden", "0"], "whole number from 1 on"),
        (["train", "--activation", "swish"], "invalid choice"),
        (["train", "--stepper", "newton"], "invalid choice"),
        (["train", "--label", "x"], "there is no column 'x'; its columns are sepal length (cm)"),
        (["train", "."], ".: it is a folder; name a file in it"),
        (["predict", "nothing.json", "x.csv"], "nothing.json"),
        (["draw", "a*b", "a=1,5"], "got 'a=1,5'; type a=1.5"),
        (["draw", "a*b", "a=1"], "the variable b has no number"),
        (["draw", "a", "a=x"], "expected a variable and its number"),
        (["draw", "a", "a"], "expected a variable and its number"),
        (["draw", "__import__('os')"], "cannot read"),
        (["draw", "a", "a=1", "--output", "a.pdf"], ".pdf"),
        (["draw", "a", "a=1", "--output", "."], ".: it is a folder; name a file in it"),
    ],
)
def test_bad_arguments_get_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    Path("mine.csv").write_text("1,2\n")
    assert says in refusal(capsys, *arguments)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("a,b\n", "no rows below the header"),
        ("1,2,x\n3,4\n", "line 2"),
        ("a,b,y\n1,2,x\n3,red,y\n", "line 3, column b: expected a finite number, got 'red'"),
        ("a,b,y\n1,NA,x\n2,3,y", "line 2, column b: it is missing ('NA')"),
        ("1\n2\n", "single column"),
        ("1,2,\n2,2,x\n3,3,y\n", "column 3: the label is missing"),
        ("1,2,x\n3,4,x\n1,2,x\n", "nothing to tell apart"),
        ("1,2,7.5\n3,4,7.5\n1,2,7.5\n", "it holds only 7.5, so there is nothing to tell apart"),
        (b"\xff\xfe\x00", "not text"),
    ],
)
def test_a_bad_table_is_refused_where_it_is_bad(
    capsys: pytest.CaptureFixture[str], content: str | bytes, says: str
) -> None:
    Path("bad.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    message = refusal(capsys, "train", "bad.csv", *QUICK)
    assert says in message
    assert "bad.csv" in message


def test_what_is_to_be_typed_overrules_what_was_typed(capsys: pytest.CaptureFixture[str]) -> None:
    table("mine.csv", "a,b,y", [f"{i},,{'yes' if i % 2 else 'no'}" for i in range(20)] + ["1,2,no"])
    given = ["train", "mine.csv", "--missing", "refuse", "--task=regression", *QUICK]
    first = suggested(refusal(capsys, *given))
    assert first == [*given, "--missing", "mean"]
    second = suggested(refusal(capsys, *first))
    assert second == [*first, "--task", "classification"]
    assert main(second) == 0


def test_a_model_that_does_not_fit_the_table_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ag.MLP(3, [1], seed=0).save("model.json")
    Path("two.csv").write_text("1,2\n")
    assert "expected 3 inputs, got 2" in refusal(capsys, "predict", "model.json", "two.csv")
    Path("model.json").write_text("{}")
    assert "model.json" in refusal(capsys, "predict", "model.json", "two.csv")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_that_it_takes(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    example = " ".join(capsys.readouterr().out.split("for example: python -m autograd")[1].split())
    assert command_line.parser().parse_args(shlex.split(example)).run is COMMANDS[name].run


def test_the_program_goes_by_the_name_it_was_called_by(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/scalar-autograd"])
    with pytest.raises(SystemExit):
        main(["train", "--epochs", "0"])
    assert capsys.readouterr().err.startswith("scalar-autograd train: ")
    main(["train", *QUICK])
    assert "(scalar-autograd predict applies it)" in capsys.readouterr().out


def test_the_console_script_is_the_command_line() -> None:
    import tomllib

    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    module, _, function = project["project"]["scripts"][project["project"]["name"]].partition(":")
    assert (module, function) == (command_line.__name__, main.__name__)
