"""Exercises accept the right answers, and say of the usual wrong ones which mistake they are."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import autograd as ag
from autograd.__main__ import main
from autograd.exercises import check, lesson
from autograd.exercises.grading import EXERCISES, Mistake, gradient
from autograd.exercises.lesson import notebooks

# --- the thirty lines, and their mistakes ---------------------------------------------------------


class Number:
    def __init__(self, data: float, operands: Any = (), partials: Any = ()) -> None:
        self.data = data
        self.operands = operands
        self.partials = partials
        self.grad = 0.0

    def __add__(self, other: Number) -> Number:
        return Number(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: Number) -> Number:
        return Number(self.data * other.data, (self, other), (other.data, self.data))


def order(output: Number) -> list[Number]:
    found: list[Number] = []

    def visit(node: Number) -> None:
        if node not in found:
            for operand in node.operands:
                visit(operand)
            found.append(node)

    visit(output)
    return found


def sweep(output: Number, nodes: Any = order, start: float = 1.0, rule: str = "add") -> None:
    output.grad = start
    for node in reversed(nodes(output)):
        for operand, partial in zip(node.operands, node.partials, strict=True):
            contribution = node.grad * partial
            if rule == "assign":
                operand.grad = contribution
            elif rule == "local":
                operand.grad += partial
            else:
                operand.grad += contribution


def step(parameters: list[Number], rate: float, sign: float = -1.0, zero: bool = True) -> None:
    for parameter in parameters:
        parameter.data += sign * rate * parameter.grad
        if zero:
            parameter.grad = 0.0


def early(output: Number) -> list[Number]:
    """In which a node comes once, but may come before its operands."""
    found: list[Number] = []

    def visit(node: Number) -> None:
        if node not in found:
            found.append(node)
            for operand in node.operands:
                visit(operand)

    visit(output)
    return found


def made(**changes: Any) -> type:
    class Changed(Number):
        def __init__(self, data: float, operands: Any = (), partials: Any = ()) -> None:
            super().__init__(data, operands, partials)
            for name, value in changes.items():
                delattr(self, name) if value is None else setattr(self, name, value(self))

    return Changed


class OwnFactor(Number):
    def __mul__(self, other: Number) -> Number:
        return OwnFactor(self.data * other.data, (self, other), (self.data, other.data))


class Forgets(Number):
    def __add__(self, other: Number) -> Any:
        return self.data + other.data


@pytest.mark.parametrize(
    ("name", "answers"),
    [
        ("1b.1", (Number,)),
        ("1b.2", (Number,)),
        ("1b.3", (order, Number)),
        ("1b.4", (sweep, Number)),
        ("1b.5", (step, Number)),
    ],
)
def test_the_engine_in_thirty_lines_is_right(name: str, answers: tuple[Any, ...]) -> None:
    assert check(name, *answers)


@pytest.mark.parametrize(
    ("name", "answers", "mistake"),
    [
        ("1b.1", (made(operands=None),), "find the way back"),
        ("1b.1", (made(partials=None),), "nothing to multiply by"),
        ("1b.1", (made(grad=lambda _: None),), "start at 0.0"),
        ("1b.1", (made(operands=lambda x: [float(y.data) for y in x.operands]),), "not a copy"),
        ("1b.1", (lambda x: x,), "TypeError"),
        ("1b.2", (OwnFactor,), "the \\*other\\* factor"),
        ("1b.2", (Forgets,), "forgot where it came from"),
        ("1b.3", (lambda x: order(x)[1:], Number), "a is missing"),
        ("1b.3", (lambda x: [*order(x), x], Number), "more than once"),
        ("1b.3", (early, Number), "before its operand"),
        ("1b.4", (lambda x: sweep(x, rule="assign"), Number), "don't assign"),
        ("1b.4", (lambda x: sweep(x, rule="local"), Number), "local derivative, -3, alone"),
        ("1b.4", (lambda x: sweep(x, start=0.0), Number), "own gradient is 1"),
        ("1b.4", (lambda x: sweep(x, lambda y: order(y)[::-1]), Number), "\\*reversed\\* order"),
        ("1b.4", (lambda x: sweep(x, lambda y: early(y)[::-1]), Number), "12 where 24 is right"),
        ("1b.5", (lambda p, r: step(p, r, sign=1.0), Number), "\\*up\\* the slope"),
        ("1b.5", (lambda p, r: step(p, 1.0), Number), "by the rate"),
        ("1b.5", (lambda p, r: step(p, r, zero=False), Number), "still there"),
        ("1b.5", (lambda p, r: None, Number), "No parameter has moved"),
    ],
)
def test_a_mistake_in_the_engine_is_named(
    name: str, answers: tuple[Any, ...], mistake: str
) -> None:
    reply = check(name, *answers)
    assert not reply
    assert re.search(mistake, reply.text), reply.text


# --- the other exercises --------------------------------------------------------------------------


def tanh(x: Number) -> Number:
    t = math.tanh(x.data)
    return Number(t, (x,), (1 - t * t,))


def squared_input(x: Number) -> Number:
    return Number(math.tanh(x.data), (x,), (1 - x.data**2,))


def complex_derivative(f: Any, x: float) -> float:
    return float(f(complex(x, 1e-20)).imag / 1e-20)


def option(v: float) -> float:
    spread = v * math.sqrt(0.75)
    d1 = (math.log(1.05) + (0.03 + v * v / 2) * 0.75) / spread
    return float(105 * ag.norm_cdf(d1) - 100 * math.exp(-0.0225) * ag.norm_cdf(d1 - spread))


def implied() -> float:
    low, high = 0.1, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if option(middle) < 15 else (low, middle)
    return low


RIGHT: dict[str, tuple[Any, ...]] = {
    "1.1": (5, 3),
    "1.2": (["bias", "w2", "w1"],),
    "1.3": ("Line",),
    "1b.1": (Number,),
    "1b.2": (Number,),
    "1b.3": (order, Number),
    "1b.4": (sweep, Number),
    "1b.5": (step, Number),
    "1b.6": (tanh, Number),
    "1b.7": (3,),
    "2.1": ("f", 4),
    "2.2": (2, 3, 6.0),
    "2.3": (36,),
    "3.1": (1e-5,),
    "3.2": (3, 6),
    "3.3": (complex_derivative,),
    "4.1": (1 / 6, 0.333),
    "4.2": (1,),
    "4.3": (True,),
    "5.1": (0.563,),
    "5.2": ("line",),
    "5.3": (0.5,),
    "6.1": (24, 0),
    "6.2": (3 * (1 / math.sqrt(3)) ** 2 - 1,),
    "6.3": (0, "weights"),
    "7.1": ("once a call",),
    "7.2": (False,),
    "7.3": (0,),
    "7.4": (0.965,),
    "8.1": ("alike", "wild"),
    "8.2": ("order",),
    "9.1": (0.19,),
    "9.2": (implied(),),
    "9.3": ("falls",),
    "9.4": (lambda value, bend, x: bend + value + x,),
    "10.1": (19,),
    "10.2": ("twice",),
}


def test_every_exercise_has_a_right_answer_here() -> None:
    assert set(RIGHT) == set(EXERCISES)


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_answer_is_accepted(name: str) -> None:
    reply = check(name, *RIGHT[name])
    assert reply, reply
    assert repr(reply).startswith("Right.")


@pytest.mark.parametrize(
    ("name", "answers", "mistake"),
    [
        ("1.1", (4, 3), "contribution of one path"),
        ("1.1", (5, -3), "other sign"),
        ("1.1", (10, 3), "counted twice"),
        ("1.1", (15, 3), "value of z"),
        ("1.1", ("five", 3), "is a number"),
        ("1.1", (7.5, 3), "dz/dx is not 7.5"),
        ("1.2", (["w1"],), "2 are missing"),
        ("1.2", (["w1", "w2", "bias", "x1"],), "x1 is too much"),
        ("1.3", ("wave",), "Choose one of circle, curve, line"),
        ("1b.6", (squared_input, Number), "the result squared"),
        ("2.1", ("a", 0), "only through d"),
        ("2.1", ("f", -4), "other sign"),
        ("2.2", (1, 3, 6), "two operands"),
        ("2.2", (2, 3, 3), "one path"),
        ("2.3", (24,), "right derivative"),
        ("3.1", (1e-8,), "Rounding is not smaller"),
        ("3.1", (-1e-5,), "A step is a positive number"),
        ("3.1", (10**400,), "So large"),
        ("3.2", (6, 6), "cannot see x.data"),
        ("3.3", (lambda f, x: f(x + 1e-5j).imag / 1e-5,), "far smaller h"),
        ("3.3", (lambda f, x: f(x + 1e-20j),), "complex number"),
        ("3.3", (lambda f, x: ...,), "three dots"),
        ("4.1", (1 / 6, 1 / 6), "lands at once"),
        ("5.1", (0.563 - 1,), "for \\*yes\\*"),
        ("6.3", (0, "inputs"), "flat pieces"),
        ("7.4", (96.5,), "As a share"),
        ("9.2", (ag.Value(0.3),), "costs 14.48"),
        ("9.4", (lambda value, bend, x: bend - value - x,), "both signs"),
        ("9.4", (lambda value, bend, x: 0.0,), "even for a function that is no solution"),
        ("10.1", (28,), "both halves"),
        ("10.1", (100,), "dense"),
        ("10.2", ("four times",), "dense"),
    ],
)
def test_a_wrong_answer_is_told_its_mistake(
    name: str, answers: tuple[Any, ...], mistake: str
) -> None:
    reply = check(name, *answers)
    assert not reply
    assert re.search(mistake, repr(reply)), reply
    assert repr(reply).startswith("Not yet.")


def test_what_is_still_to_be_answered_is_no_mistake() -> None:
    assert "no answer here yet" in check("1.1", dz_dx=..., dz_dy=3).text


def test_an_unknown_exercise_and_wrong_arguments_are_errors() -> None:
    with pytest.raises(ValueError, match=r"no exercise '0\.1'; there are 1\.1,"):
        check("0.1", 1)
    with pytest.raises(TypeError, match="dz_dz"):
        check("1.1", dz_dz=1)


def test_mistakes_are_read_from_any_graph() -> None:
    a, b = ag.Value(2.0, "a"), ag.Value(-3.0, "b")
    e = a * b
    e.label = "e"
    L = e * ag.Value(7.0, "f") + e
    L.label = "L"
    gradient(-24, L, a)
    for given, mistake in [(-21, "one path"), (-3, "one path"), (63, "add the paths")]:
        with pytest.raises(Mistake, match=mistake):
            gradient(given, L, a)
    chain = (a * b) * ag.Value(5.0)
    chain.label = "L"
    with pytest.raises(Mistake, match="multiplied, not added"):
        gradient(2, chain, a)


# --- the notebooks, and a class's copies of them --------------------------------------------------


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return found


def test_the_notebooks_ask_every_exercise_once_and_answer_none() -> None:
    asked: list[str] = []
    for path in notebooks():
        for cell in cells(path):
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and "answer" not in cell["metadata"].get("tags", ()):
                asked += re.findall(r'(?m)^check\("([^"]+)"', source)
                for output in cell["outputs"]:
                    assert "Right." not in "".join(output.get("data", {}).get("text/plain", ""))
    assert sorted(asked) == sorted(EXERCISES)


def test_a_lesson_without_answers_has_hints_and_checks_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "handout"
    assert main(["lesson", "--without-answers", "--output", str(folder)]) == 0
    assert f"wrote {len(notebooks())} notebooks without answers" in capsys.readouterr().out
    for original in notebooks():
        copy = cells(folder / original.name)
        text = "\n".join("".join(cell["source"]) for cell in copy)
        assert "<summary>Answer" not in text
        assert text.count("<details>") == text.count("</details>") == text.count("Hint</summary>")
        assert "operand.grad +=" not in text.partition('check("1b.4"')[0]
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copy)
        assert re.findall(r"(?m)^check\(", text)


def test_the_notebooks_are_found_in_a_clone_that_the_package_was_installed_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, "__file__", str(tmp_path / "site" / "a" / "b" / "lesson.py"))
    own = tmp_path / "notebooks"
    own.mkdir()
    (own / "02_other.ipynb").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no notebooks here"):
        notebooks()
    (own / lesson.FIRST).touch()
    assert [path.name for path in notebooks()] == [lesson.FIRST, "02_other.ipynb"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no folder that is in use")
def test_notebooks_beside_the_package_need_no_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected, gone = notebooks(), tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert notebooks() == expected


def test_a_lesson_with_answers_is_the_notebooks_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lesson", "--output", str(tmp_path)]) == 0
    for original in notebooks():
        assert (tmp_path / original.name).read_bytes() == original.read_bytes()
    with pytest.raises(SystemExit):
        main(["lesson", "--output", str(tmp_path)])
    assert "this is there already" in capsys.readouterr().err
