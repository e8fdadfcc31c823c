"""The course runs from top to bottom, and its committed copies show what a reader should see."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason='notebooks need pip install ".[test]"')

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECONDS_PER_CELL = 300

ABSOLUTE_PATH = re.compile(r"(?<![\w.:/<])/(?:[\w.-]+/)+[\w.-]+|\b[A-Za-z]:\\\\?\w|~/\.?\w")
MEMORY_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]+")

FEWER = {  # what runs hundreds of times for the pictures runs a few times here
    "01": {"epochs=100": "epochs=5", "moons(100,": "moons(30,"},
    "03": {"[10, 30, 100, 300, 1000]": "[10, 30]"},
    "04": {
        "steps=400": "steps=20",
        "epochs=100,": "epochs=5,",
        "(1, 10, 100)": "(1, 5)",
        "epochs=500": "epochs=20",
        "(100, 40)": "(100, 3)",
        "(20, 40)": "(20, 3)",
        "(1, 40)": "(1, 3)",
    },
    "05": {
        "moons(100,": "moons(30,",
        "epochs=60": "epochs=8",
        "(0, 5, 60)": "(0, 5, 8)",
        "epochs=40": "epochs=4",
        "frames=30, resolution=33": "frames=3, resolution=9",
        "resolution=23": "resolution=7",
    },
    "07": {
        "digits.data / 16": "digits.data[:200] / 16",
        "digits.target": "digits.target[:200]",
        "n_steps = 50_000": "n_steps = 500",
        "epochs=30": "epochs=3",
    },
    "08": {
        '""".split()': '""".split()[:40]',
        "WIDTH, HEADS, CONTEXT = 16, 4, 16": "WIDTH, HEADS, CONTEXT = 8, 2, 8",
        "EPOCHS = 12": "EPOCHS = 1",
    },
    "09": {
        "10_000": "500",
        "rounds=500": "rounds=120",
        "chains=100": "chains=5",
        "3000": "30",
        "epochs=2000": "epochs=100",
        "steps=500": "steps=50",
        "range(300)": "range(50)",
    },
    "10": {"range(5000)": "range(50)", "range(1000)": "range(50)"},
}

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code_cells(path: Path) -> list[Any]:
    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(path: Path) -> Iterator[Any]:
    for cell in code_cells(path):
        yield from cell.outputs


def text_of(output: Any) -> str:
    """What an output says in words, without the bytes of pictures and the code of pages."""
    data = {kind: text for kind, text in output.get("data", {}).items() if kind != "image/png"}
    text = re.sub(r"base64,[\w+/=]+", "", json.dumps([output.get("text", ""), data]))
    return re.sub(r"<script.*?</script>", "", text)


def test_there_are_notebooks_numbered_from_one() -> None:
    numbers = [path.stem.partition("_")[0] for path in NOTEBOOKS]
    assert numbers == ["01", "01b", *(f"{i:02}" for i in range(2, 11))]


@each_notebook
def test_a_notebook_is_called_by_its_number(path: Path) -> None:
    number = path.stem.partition("_")[0].removeprefix("0")
    assert nbformat.read(path, as_version=4).cells[0].source.startswith(f"# {number}. ")


@pytest.mark.slow
@each_notebook
def test_a_notebook_runs_from_top_to_bottom_in_a_fresh_kernel(path: Path) -> None:
    for package in ("nbclient", "ipykernel", "matplotlib"):
        pytest.importorskip(package, reason=f"running a notebook needs {package}")
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    for long, short in FEWER.get(path.stem.partition("_")[0], {}).items():
        assert any(long in cell.source for cell in notebook.cells), long
        for cell in notebook.cells:
            cell.source = cell.source.replace(long, short)
    # The kernel is to import this checkout, installed or not.
    found_first = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute(env={**os.environ, "PYTHONPATH": found_first})


@each_notebook
def test_every_cell_was_executed_in_order(path: Path) -> None:
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_no_cell_ended_in_an_error_or_a_warning(path: Path) -> None:
    for output in outputs(path):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text


@each_notebook
def test_no_output_shows_a_path_of_a_machine_or_an_address_in_memory(path: Path) -> None:
    for text in map(text_of, outputs(path)):
        assert not ABSOLUTE_PATH.findall(text)
        assert not MEMORY_ADDRESS.findall(text)


@pytest.mark.parametrize(
    "text", ["/home/ada/autograd", "File ~/.venv/x.py", "C:\\Users\\ada", "(/usr/lib/python3)"]
)
def test_a_path_of_a_machine_is_known_when_seen(text: str) -> None:
    assert ABSOLUTE_PATH.search(json.dumps(text))


def words_for_pictures(data: dict[str, str]) -> list[str]:
    """The alternative text of each picture that an output shows, empty where it has none.

    Only HTML has room for it: of an `image/png` neither JupyterLab nor nbconvert's usual template
    passes one on, whatever its metadata say.
    """
    images = re.findall(r"<img\b[^>]*>", "".join(data.get("text/html", "")))
    if not images and any(kind.startswith("image/") for kind in data):
        return [""]
    return ["".join(re.findall(r'\balt="([^"]*)"', image)) for image in images]


@each_notebook
def test_every_picture_says_what_it_shows_in_words_of_its_own(path: Path) -> None:
    said = [text for output in outputs(path) for text in words_for_pictures(output.get("data", {}))]
    for text in said:
        assert len(text.split()) >= 8, f"a picture is described as {text!r}"
        assert re.search(r"\d", text), f"a picture's description has no number in it: {text!r}"
    assert len(said) == len(set(said))


def test_a_picture_without_words_is_noticed() -> None:
    assert words_for_pictures({"image/png": "iVBO", "text/plain": "<Figure>"}) == [""]
    assert words_for_pictures({"image/svg+xml": "<svg/>", "text/html": "<img src='x'>"}) == [""]
    assert words_for_pictures({"text/html": '<p><img alt="A" src="x"> <img src="y">'}) == ["A", ""]
    assert words_for_pictures({"text/html": "<table></table>"}) == []


@each_notebook
def test_no_cell_prints_a_hundred_lines(path: Path) -> None:
    for output in outputs(path):
        printed = output.get("text", "") or output.get("data", {}).get("text/plain", "")
        assert printed.count("\n") < 100


@each_notebook
def test_a_notebook_says_what_it_is_for_and_how_long_it_takes(path: Path) -> None:
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert re.match(
        r"# .+\n\n\*Run All first: .+\*\n\n"
        r"\*\*After this notebook\*\* .+ \*\*Time:\*\* \d+ minutes, and \d+ for the exercises",
        first.source,
    )


@each_notebook
def test_exercises_come_last_with_folded_hints_and_answers_and_a_check(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    (start,) = [i for i, cell in enumerate(cells) if "## Exercises" in cell.source]
    questions, checks = cells[start::2], cells[start + 1 :: 2]
    assert len(questions) == len(checks) >= 2
    for k, (question, check) in enumerate(zip(questions, checks, strict=True), start=1):
        assert question.cell_type == "markdown"
        assert check.cell_type == "code"
        assert f"**{k}.** " in question.source
        summaries = re.findall("<details><summary>(.*?)</summary>", question.source)
        assert summaries == ["Hint", "Answer"]
        assert question.source.count("</details>") == 2
        assert re.search(r'(?m)^check\("', check.source)


PICTURE = "image/svg+xml"


@each_notebook
def test_pictures_have_formats_that_editors_and_converters_show(path: Path) -> None:
    """HTML with alternative text, and beside it PNG for those that take no HTML."""
    for output in outputs(path):
        data = output.get("data", {})
        assert PICTURE not in data
        if re.search(r'<img[^>]*src="data:image/(png|svg)', data.get("text/html", "")):
            is_page = "<script" in data["text/html"]
            assert is_page or "image/png" in data


@pytest.mark.slow
def test_a_converter_to_latex_finds_every_picture() -> None:
    latex = pytest.importorskip("nbconvert.exporters").LatexExporter()
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith("01_")]
    pictures = sum("image/png" in output.get("data", {}) for output in outputs(path))
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = code_cells(path)  # text takes pandoc
    _, resources = latex.from_notebook_node(notebook)
    assert pictures >= 8
    assert len(resources["outputs"]) == pictures


@pytest.mark.slow
def test_a_converter_to_html_keeps_the_alternative_text() -> None:
    html = pytest.importorskip("nbconvert.exporters").HTMLExporter()
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith("01_")]
    page, _ = html.from_filename(str(path))
    said = [text for output in outputs(path) for text in words_for_pictures(output.get("data", {}))]
    found = re.findall(r'<img\b[^>]*\balt="([^"]*)"', page)
    assert [text for text in found if text in said] == said


@pytest.mark.parametrize(
    ("number", "library"), [("04", "keras"), ("05", "torch"), ("07", "jax"), ("10", "casadi")]
)
def test_without_a_library_a_cell_shows_the_committed_numbers(
    number: str, library: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (path,) = [path for path in NOTEBOOKS if path.stem.startswith(f"{number}_")]
    monkeypatch.setitem(sys.modules, library, None)  # an import of it fails
    names: dict[str, Any] = {"os": os}
    n_cells = 0
    for cell in code_cells(path):
        if f"import {library}" not in cell.source and f"if {library}:" not in cell.source:
            continue
        exec(cell.source, names)
        said = capsys.readouterr().out.replace(" (from an earlier run)", "")
        shown = "".join(output.get("text", "") for output in cell.outputs)
        assert set(shown.splitlines()) <= set(said.splitlines())
        n_cells += bool(shown)
    assert n_cells == (2 if library == "keras" else 1)
