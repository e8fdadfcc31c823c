"""What the README shows is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import autograd as ag
from autograd.__main__ import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_programs_print_the_numbers_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(PROGRAMS[0], names)
    stated = re.findall(r"print\(.*\) +# (.*)", PROGRAMS[0])
    assert capsys.readouterr().out.splitlines() == stated
    exec(PROGRAMS[1], names)
    assert f"a.data is now {names['a'].data}" in PROGRAMS[1]  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("program", [program for program in PROGRAMS[2:] if "print(" in program])
def test_the_other_programs_print_the_numbers_beside_them(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec("import autograd as ag\n" + program, {})
    stated = re.findall(r"print\(.*\) +# (.*)", program)
    assert stated
    assert capsys.readouterr().out.splitlines() == stated


def test_the_compiled_program_is_printed_as_it_is_shown() -> None:
    (shown,) = re.findall(r"```\n(for each example:\n.*?)```", README, re.DOTALL)
    model = ag.MLP(2, [16, 16, 1], seed=0)
    compiled = ag.jit(lambda x, y: ag.hinge(model(x), y), backend="python")
    compiled.backward([[0.5, -1.0]], [1.0])
    printed = str(compiled.program).splitlines()
    assert [line for line in printed if line in shown.splitlines()] == [
        line for line in shown.splitlines() if "…" not in line
    ]


def test_the_picture_is_the_one_that_the_program_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(PROGRAMS[0], {})
    drawn = Path("graph.svg").read_text("utf-8")
    shown = (ROOT / "notebooks/pictures/graph.svg").read_text("utf-8")
    assert re.findall(r">([^<]+)</text>", drawn) == re.findall(r">([^<]+)</text>", shown)


def test_every_module_is_in_the_table() -> None:
    modules = {p.stem for p in (ROOT / "autograd").glob("*")}
    ignored = {"__init__", "__pycache__", "py", "data"}
    missing = {name for name in modules - ignored if not re.search(rf"`{name}(\.py|/)`", README)}
    assert missing == set()


PAGES = [ROOT / "README.md", *sorted((ROOT / "notebooks").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


def test_every_page_is_named_in_the_readme() -> None:
    assert {page.name for page in PAGES[1:]} <= {
        Path(x).name for x in re.findall(r"\(([^)]+)\)", README)
    }


def test_the_readme_is_short() -> None:
    assert README.count("\n") <= 230


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_on_its_page(command: str) -> None:
    page = (ROOT / "notebooks" / "command_line.md").read_text("utf-8")
    assert re.search(rf"^\| `{command} ", page, re.MULTILINE)


def test_the_training_program_learns(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("llvmlite", reason="the program compiles its loop")
    names: dict[str, object] = {}
    program = next(program for program in PROGRAMS if "ag.fit(" in program)
    exec("import autograd as ag\n" + program, names)
    history = names["history"]
    assert history[-1].accuracy == 1.0  # type: ignore[index]


def test_floats_and_values_come_out_as_it_says() -> None:
    (said,) = re.findall(
        r"With `(w = .*?)`, `(.*?)`\s+is (.*?), and `(.*?)` a\s+Value: (.*?), with",
        README,
        re.DOTALL,
    )
    names: dict[str, Any] = {"ag": ag}
    exec(said[0], names)
    independent, slope = (eval(f"({text})", names) for text in (said[1], said[3]))
    assert type(independent) is float
    assert repr(independent) == said[2]
    slope.backward()
    assert repr(slope.data) == said[4]
    assert f"with slope {names['w'].grad} in w" in README
