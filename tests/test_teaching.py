"""The page for teachers: its times add up, its links lead somewhere, and its commands run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from autograd.__main__ import main
from autograd.exercises.grading import EXERCISES

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
PAGE = (NOTEBOOKS / "teaching.md").read_text("utf-8")
COMMANDS = re.findall(r"(?m)^.venv/bin/python -m autograd (.*)$", PAGE)


def test_the_plan_is_that_of_ninety_minutes() -> None:
    sections = re.split(r"(?m)^### ", PAGE)[1:]
    stated = [int(section.split()[0]) for section in sections]
    assert stated == [25, 35, 20, 10]
    assert sum(stated) == 90
    for section, minutes in zip(sections[:3], stated[:3], strict=True):
        assert sum(map(int, re.findall(r"(?m)^\| (\d+) \|", section))) == minutes


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) >= 8
    for link in links:
        assert (NOTEBOOKS / link).exists(), link


def test_what_it_quotes_of_the_code_stands_there() -> None:
    (row,) = re.findall(r"(?m)^mul = .*$", PAGE)
    code = NOTEBOOKS.parent / "autograd"
    assert row in (code / "primitives.py").read_text("utf-8")
    (function,) = re.findall(r"And `(\w+)` in `autograd/value.py`", PAGE)
    assert f"def {function}(" in (code / "value.py").read_text("utf-8")
    assert "partials" not in (code / "optim.py").read_text("utf-8")
    assert "learning_rate" not in (code / "value.py").read_text("utf-8")
    assert {"2.1", "4.1"} <= set(EXERCISES)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_plan_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)
    assert main(words) == 0
    assert Path(words[words.index("--output") + 1]).exists()
