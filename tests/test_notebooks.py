"""The course runs from top to bottom, and its committed copies show what a reader should see."""

from __future__ import annotations

import json
import os
import re
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
    numbers = [int(path.stem.partition("_")[0]) for path in NOTEBOOKS]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 6


@pytest.mark.slow
@each_notebook
def test_a_notebook_runs_from_top_to_bottom_in_a_fresh_kernel(path: Path) -> None:
    for package in ("nbclient", "ipykernel", "matplotlib"):
        pytest.importorskip(package, reason=f"running a notebook needs {package}")
    from nbclient import NotebookClient

    # The kernel is to import this checkout, installed or not.
    found_first = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    client = NotebookClient(
        nbformat.read(path, as_version=4),
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
def test_prose_comes_first_and_exercises_with_folded_answers_last(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == cells[-1].cell_type == "markdown"
    assert re.match(r"# .+\n\n\*Run All first: .+\*\n\n", cells[0].source)
    assert "## Exercises" in cells[-1].source
    assert cells[-1].source.count("<details>") == cells[-1].source.count("</details>") > 0
