"""The data sets, the reader for CSV files, the split and the standardization."""

from __future__ import annotations

import bz2
import gzip
import json
import math
import os
import random
import re
import shlex
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.data import text_file
from autograd.data.csv_reader import BLOCK
from autograd.data.numbers import NumberFormat, infer_formats
from autograd.data.sheet import Cells
from autograd.data.summary import describe, hints
from autograd.datasets import (
    IRIS_CLASSES,
    Schema,
    Standardization,
    TableError,
    blobs,
    circles,
    infer_schema,
    iris,
    moons,
    read_csv,
    read_sheet,
    spirals,
    train_test_split,
    xor,
)

ToySet = Callable[..., tuple[list[list[float]], list[int]]]
TOY_SETS: list[ToySet] = [moons, circles, spirals, blobs, xor]
EACH = pytest.mark.parametrize("toy_set", TOY_SETS)


def distance(p: list[float], q: tuple[float, float] = (0.0, 0.0)) -> float:
    return math.dist(p, q)


# --- toy sets -------------------------------------------------------------------------------------


@EACH
def test_a_toy_set_is_lists_of_floats_with_the_index_of_their_class(toy_set: ToySet) -> None:
    X, Y = toy_set(61)
    assert len(X) == len(Y) == 61
    assert all(type(x) is float and math.isfinite(x) for row in X for x in row)
    assert {len(row) for row in X} == {2}
    assert set(Y) == set(range(max(Y) + 1))
    assert all(type(y) is int for y in Y)


@EACH
def test_a_seed_decides_every_number(toy_set: ToySet) -> None:
    assert toy_set(40, 0.1, 7) == toy_set(40, 0.1, 7)
    assert toy_set(40, 0.1, 7) != toy_set(40, 0.1, 8)


@EACH
def test_the_random_numbers_of_others_are_left_alone(toy_set: ToySet) -> None:
    random.seed(1)
    before = random.getstate()
    toy_set(20, 0.1, 7)
    assert random.getstate() == before


@EACH
def test_any_beginning_of_a_toy_set_holds_all_classes_alike(toy_set: ToySet) -> None:
    _, Y = toy_set(48)
    counts = Counter(Y[:24])
    assert len(set(counts.values())) == 1
    assert set(counts) == set(Y)


@EACH
def test_noise_is_the_standard_deviation_of_what_is_added(toy_set: ToySet) -> None:
    exact, _ = toy_set(4000, 0.0)
    noisy, _ = toy_set(4000, 0.3)
    added = [b - a for p, q in zip(exact, noisy, strict=True) for a, b in zip(p, q, strict=True)]
    assert np.mean(added) == pytest.approx(0.0, abs=0.02)
    assert np.std(added) == pytest.approx(0.3, rel=0.05)


def test_moons_are_two_half_circles() -> None:
    for point, label in zip(*moons(50, noise=0.0), strict=True):
        centre, side = (((0.0, 0.0), 1.0), ((1.0, 0.5), -1.0))[label]
        assert distance(point, centre) == pytest.approx(1.0)
        assert side * (point[1] - centre[1]) > 0.0


def test_circles_lie_one_in_the_other() -> None:
    for point, label in zip(*circles(50, noise=0.0, ratio=0.3), strict=True):
        assert distance(point) == pytest.approx((1.0, 0.3)[label])


def test_spirals_wind_out_of_the_origin() -> None:
    X, Y = spirals(90, noise=0.0, classes=3, turns=2.0)
    assert set(Y) == {0, 1, 2}
    for label in range(3):
        arm = [point for point, y in zip(X, Y, strict=True) if y == label]
        radii = [distance(point) for point in arm]
        assert radii == sorted(radii)
        turned = [
            r - (math.atan2(y, x) / math.tau - label / 3) / 2
            for r, (x, y) in zip(radii, arm, strict=True)
        ]
        assert all(2 * t == pytest.approx(round(2 * t), abs=1e-9) for t in turned)


def test_blobs_have_their_centres_on_the_unit_circle() -> None:
    X, Y = blobs(8, noise=0.0, classes=4)
    assert Y == [0, 1, 2, 3, 0, 1, 2, 3]
    assert X[:4] == [
        pytest.approx(centre, abs=1e-12) for centre in ([1, 0], [0, 1], [-1, 0], [0, -1])
    ]


def test_xor_is_the_truth_table() -> None:
    assert xor() == ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 1}, ValueError, "n must be at least [234], got 1"),
        ({"n": -3}, ValueError, "got -3"),
        ({"n": 10.0}, TypeError, "n must be an int, got 10.0 of type float"),
        ({"n": True}, TypeError, "got True"),
        ({"n": "10"}, TypeError, "got '10'"),
        ({"noise": -0.1}, ValueError, "noise must be finite and at least 0, got -0.1"),
        ({"noise": math.nan}, ValueError, "got nan"),
        ({"noise": math.inf}, ValueError, "got inf"),
        ({"noise": "much"}, TypeError, "noise must be a number, got 'much'"),
        ({"seed": [1]}, TypeError, "seed"),
    ],
)
@EACH
def test_a_toy_set_refuses_what_makes_no_sense(
    toy_set: ToySet, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        toy_set(**arguments)


@pytest.mark.parametrize(
    ("toy_set", "arguments", "message"),
    [
        (circles, {"ratio": 0.0}, "ratio must be above 0 and below 1, got 0.0"),
        (circles, {"ratio": 1.0}, "got 1.0"),
        (circles, {"ratio": math.nan}, "got nan"),
        (spirals, {"classes": 1}, "classes must be at least 2, got 1"),
        (spirals, {"turns": 0.0}, "turns must be finite and above 0, got 0.0"),
        (spirals, {"turns": math.inf}, "got inf"),
        (blobs, {"classes": 0}, "classes must be at least 2, got 0"),
        (blobs, {"n": 4, "classes": 5}, "n must be at least 5, got 4"),
    ],
)
def test_the_shape_of_a_toy_set_is_checked(
    toy_set: ToySet, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        toy_set(**arguments)


# --- iris -----------------------------------------------------------------------------------------


def test_iris_is_fishers_table() -> None:
    X, Y = iris()
    assert Y == [0] * 50 + [1] * 50 + [2] * 50
    assert IRIS_CLASSES == ("setosa", "versicolor", "virginica")
    # The means of the three species as Fisher's paper has them.
    means = [
        [math.fsum(column) / 50 for column in zip(*X[i : i + 50], strict=True)]
        for i in (0, 50, 100)
    ]
    assert means[0] == pytest.approx([5.006, 3.428, 1.462, 0.246])
    assert means[1] == pytest.approx([5.936, 2.770, 4.260, 1.326])
    assert means[2] == pytest.approx([6.588, 2.974, 5.552, 2.026])
    # The two flowers in which the file at UCI differs from the paper.
    assert X[34] == [4.9, 3.1, 1.5, 0.2]
    assert X[37] == [4.9, 3.6, 1.4, 0.1]


@pytest.mark.slow
def test_iris_is_scikit_learns() -> None:
    sklearn = pytest.importorskip("sklearn.datasets", reason="scikit-learn ships the same table")
    theirs = sklearn.load_iris()
    X, Y = iris()
    assert theirs.data.tolist() == X
    assert theirs.target.tolist() == Y
    assert tuple(theirs.target_names) == IRIS_CLASSES


def test_everyone_gets_an_iris_table_of_their_own() -> None:
    iris()[0][0][0] = -1.0
    assert iris()[0][0][0] == 5.1


# --- CSV ------------------------------------------------------------------------------------------


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


CsvFile = Callable[[str | bytes], Path]


def repeated(*labels: str, rows: int = 30) -> str:
    return "".join(f"1.5,-2e1,{labels[i % len(labels)]}\n" for i in range(rows))


@pytest.mark.parametrize(
    ("content", "Y", "classes"),
    [
        (repeated("no", "yes"), [0, 1], ("no", "yes")),
        (repeated("2", "10"), [0, 1], ("2", "10")),
        (repeated("1.0", "-1", "-1.0"), [1, 0, 0], ("-1", "1")),
        (repeated("1", "a", "1.5"), [0, 2, 1], ("1", "1.5", "a")),
        (repeated("0.5", "1", "2e3"), [0.5, 1.0, 2000.0], ()),
        (repeated("日本", "ä b", "日本"), [1, 0, 1], ("ä b", "日本")),
        (
            repeated("Yes", "Yes", "yes", "NO", "no ", "No", "No"),
            [1, 1, 1, 0, 0, 0, 0],
            ("No", "Yes"),
        ),
        (repeated("a", "A"), [1, 0], ("A", "a")),
        (repeated(*map(str, range(20)), rows=60), [0, 1], tuple(map(str, range(20)))),
        (repeated(*map(str, range(20)), rows=40), [0.0, 1.0], ()),
        (repeated(*map(str, range(21)), rows=630), [0.0, 1.0], ()),
    ],
    ids=[
        "words",
        "whole numbers",
        "signs",
        "mixed",
        "numbers",
        "non-Latin",
        "spellings",
        "single letters",
        "few",
        "few, but hardly any comes again",
        "many",
    ],
)
def test_labels_are_classes_or_numbers(
    csv_file: CsvFile, content: str, Y: list[float], classes: tuple[str, ...]
) -> None:
    table = read_csv(csv_file(content))
    assert table.X[0] == [1.5, -20.0]
    assert (table.Y[: len(Y)], table.classes) == (Y, classes)


def test_the_task_can_be_said(csv_file: CsvFile) -> None:
    path = csv_file(repeated("1", "2"))
    assert read_csv(path, task="regression")[1::2] == ([1.0, 2.0] * 15, ())
    path = csv_file(repeated("0.5", "1", "2e3"))
    assert read_csv(path, task="classification").classes == ("0.5", "1", "2000")
    path = csv_file(repeated("a", "b"))
    with pytest.raises(TableError, match=r"column 3: it holds words .a, b.*task='classification'"):
        read_csv(path, task="regression")


@pytest.mark.parametrize(
    ("content", "features"),
    [
        ("a,b,kind\n1,2,x\n3,4,y\n", ("a", "b")),
        ("1,2,x\n3,4,y\n", ("column 1", "column 2")),
        (",b,kind\n1,2,x\n3,4,y\n", ("column 1", "b")),
        ("a,a,kind\n1,2,x\n3,4,y\n", ("a (1)", "a (2)")),
        ("\ufeffa,b,kind\r\n1,2,x\r\n3,4,y\r\n", ("a", "b")),
        (
            '# a comment, with commas\n\n"a", "b, too",kind\n 1 , 2 , x \n,,\n3,4,y',
            ("a", "b, too"),
        ),
        ("a;b;kind\n1,0;2,0;x\n3;4;y\n", ("a", "b")),
        ("a\tb\tkind\n1\t2\tx\n3\t4\ty\n", ("a", "b")),
        ("a|b|kind\n1|2|x\n3|4|y\n", ("a", "b")),
        (" 1.0   2  x\n 3   4.\ty\n", ("column 1", "column 2")),
        (gzip.compress(b"a,b,kind\n1,2,x\n3,4,y\n"), ("a", "b")),
        (bz2.compress(b"a,b,kind\n1,2,x\n3,4,y\n"), ("a", "b")),
        ("a\tb\tkind\n1\t2\tx\n3\t4\ty\n".encode("utf-16"), ("a", "b")),
        ("2,2,x,y\n1,2,0\n3,4,1\n", ("column 1", "column 2")),
        ("a,b,kind\nr1,1,2,x\nr2,3,4,y\n", ("a", "b")),
        (",a,b,kind\nr1,1,2,x\nr2,3,4,y\n", ("a", "b")),
        ("sep=;\r\na;b;kind\r\n1;2;x\r\n3;4;y\r\n", ("a", "b")),
        ("Class 10b;;\n;;\nspring\na;b;kind\n1;2;x\n3;4;y\n", ("a", "b")),
        ("a;b;kind\n1;2;x\n3;4;y\nSumme:;6;\n", ("a", "b")),
        ("1,0;2,0;x\n3,0;4,0;y\n", ("column 1", "column 2")),
        ('a,b,kind\n"1,0","2,0",x\n"3,0","4,0",y\n', ("a", "b")),
        ("a;b;kind\n1,0 €;2 %;x\n3,0 €;4 %;y\n", ("a", "b")),
        ("a;b;kind;c\n1;2;x;#NV\n3;4;y;#DIV/0!\n", ("a", "b")),
        ("# made in May\n# a b kind\n1 2 x\n3 4 y\n", ("a", "b")),
        ("#,a,b,kind\n1,1,2,x\n2,3,4,y\n", ("a", "b")),
        ("# in m, in s, of stone\na,b,kind\n1,2,x\n3,4,y\n", ("a", "b")),
        ("a,b,kind\n1,2,x,\n3,4,y,\n", ("a", "b")),
        ("a,b,kind,\n1,2,x,\n3,4,y,\n", ("a", "b")),
        ("a,b,kind\r1,2,x\r3,4,y\r", ("a", "b")),
    ],
    ids=[
        "header",
        "none",
        "partly empty",
        "twice the same",
        "as Excel writes it",
        "untidy",
        "semicolons, decimal commas",
        "tabs",
        "bars",
        "spaces",
        "gzip",
        "bzip2",
        "UTF-16",
        "a first line of counts",
        "as R writes it",
        "rows with names",
        "as Excel says what separates",
        "a title",
        "a line of totals",
        "decimal commas, no header",
        "decimal commas in quotes",
        "units",
        "a column that could not be computed",
        "names in a comment, as NumPy writes them",
        "rows counted below #",
        "a comment above the names",
        "a separator behind each row",
        "a separator behind each line",
        "line ends of an old Mac",
    ],
)
def test_what_separates_cells_and_names_columns_is_recognized(
    csv_file: CsvFile, content: str | bytes, features: tuple[str, ...]
) -> None:
    table = read_csv(csv_file(content))
    assert table.features == features
    assert table.X == [[1.0, 2.0], [3.0, 4.0]]
    assert (table.Y, table.classes) == ([0, 1], ("x", "y"))


@pytest.mark.parametrize(
    ("rows", "is_header"),
    [
        ("0,1,2,target\n5,6,7,0\n8,9,5,1\n", True),
        ("0,1,2,kind\n" + "5,6,7,x\n8,9,5,y\n" * 9, True),
        ("1,2,x\n3,4,y\n5,6,x\n", False),
        ("colour,size,kind\nred,S,x\nblue,S,y\nred,L,x\n", True),
        ("red,S,x\nblue,S,y\nred,L,x\n", False),
        ("a,b,c\n1,,2\n?,3,4\n", True),
        ("NA,2,x\n3,4,y\n5,6,x\n", False),
        ("land,2019,2020,2021\nA,5,6,7\nB,8,9,5\n", True),
        ("A,4,5,6\nB,5,6,7\nA,8,9,5\n", False),
        ("A,2019,2020\nB,5,6\nC,8,9\n", False),
    ],
)
def test_a_header_is_told_from_data(csv_file: CsvFile, rows: str, is_header: bool) -> None:
    assert read_sheet(csv_file(rows)).has_header is is_header
    for said in (True, False):
        assert read_sheet(csv_file(rows), header=said).has_header is said


@pytest.mark.parametrize(
    ("cells", "delimiter", "numbers", "decimal"),
    [
        (["1,5", "2"], ";", [1.5, 2], ","),
        (["1,5", "2.5"], ";", [1.5, 2.5], ""),
        (["1,234", "5,678"], ";", [1.234, 5.678], ","),
        (["36,105", "5,389"], ",", [36105, 5389], "."),
        (["1.234", "5.678"], ";", [1.234, 5.678], "."),
        (["1.234", "1,5"], ";", [1234, 1.5], ","),
        (["1,234", "1.5"], ";", [1234, 1.5], "."),
        (["1,234", "1.567"], ";", [None, 1.567], ""),
        (["1.234.567", "9 646,5", "1'000"], ";", [1234567, 9646.5, 1000], ","),
        (["4.439,00 €", "5 €"], ";", [4439, 5], ","),
        (["$155.99", "-$3", "$1,000"], ",", [155.99, -3, 1000], "."),
        (["EUR 5", "EUR 6"], ",", [5, 6], ""),
        (["64 %", "7%", "late"], ";", [64, 7, None], ""),
        (["weight", "40kg"], ";", [None, 40], ""),
        (["1,50 m", "−1,6 m"], ";", [1.5, -1.6], ","),
        (["1e5", "-1,5e-3"], ";", [1e5, -1.5e-3], ","),
        (["5.00-", "2.50", "(5.00)"], ",", [-5, 2.5, -5], "."),
        (["5,00-", "2,50", "(1.234,50)"], ";", [-5, 2.5, -1234.5], ","),
        (["($5.00)", "$-26.15", "$7", "-$1.50"], ",", [-5, -26.15, 7, -1.5], "."),
        (["€ -5,00", "€ 1.234,50", "(€ 3,00)"], ";", [-5, 1234.5, -3], ","),
        (["1,23,456.78", "12,34,567", "999.5"], ",", [123456.78, 1234567, 999.5], "."),
        ([",095", "-,5", "1,5"], ";", [0.095, -0.5, 1.5], ","),
        (["–1.5", "−2.5", "- 3"], ",", [-1.5, -2.5, -3], "."),
        (["2-", "--5", "(5", "5)", "-5.00-", "1,2345,678"], ";", [None] * 6, ""),
        (["1.15", "2.15", "$-26.15"], ",", [1.15, 2.15, -26.15], "."),
        (["1.15", "2.15", "$-26.15", "late"], ",", [1.15, 2.15, None, None], "."),
        (["12,3 b", "11,0", "10,5 p", "9,8", "7,0"], ";", [12.3, 11, 10.5, 9.8, 7], ","),
        (
            ["12.3*", "11.5", "10.5 **", "9.8", ":", ": c"],
            ",",
            [12.3, 11.5, 10.5, 9.8] + [None] * 2,
            ".",
        ),
        (["10 a", "10 b", "11 a"], ";", [None] * 3, ""),
        *(
            ([cell, cell], ";", [None, None], "")
            for cell in ("10a", "8:00", "030 123 456", "18-24 kg", "word", "", "5 or 6", "A12")
        ),
        (["16.08.2009", "1.1.2010"], ";", [None, None], ""),
        (["5 kg", "4 lb"], ";", [None, None], ""),
        (["x", "y", "5 kg"], ";", [None] * 3, ""),
        (["1_000", "nan", "5."], ";", [None, None, 5], ""),
        (["1,5", "5."], ";", [1.5, 5], ","),
    ],
)
def test_numbers_are_parsed_as_people_write_them(
    cells: list[str], delimiter: str, numbers: list[float | None], decimal: str
) -> None:
    column = Cells(cells)
    found, [units], _ = infer_formats([column], delimiter)
    assert found == decimal
    form = NumberFormat(found, units)
    parsed = [form.parse(cell) for cell in cells]
    assert parsed == [None if n is None else pytest.approx(n) for n in numbers]


@pytest.mark.parametrize("decimal", ["", ".", ","])
@pytest.mark.parametrize("units", [(), ("€",), ("EUR", "kg"), ("b", "e", "p")])
@pytest.mark.parametrize(
    "cells",
    [
        ["1", "2.5", "-3e5", "", "nan", "inf"],
        ["1.5", "1_000", "1e400", "5.", "-nan"],
        ["1,5", "1.234,50", "NA", "-3", "1.234", "0,123"],
        ["1,234.5", "$5", "5 kg", "5 EUR", "5 €", "€ -5"],
        ["(5.00)", "5.00-", "2-", "(0)"],
        ["5 b", "5 e", "5e3", "1 b"],
        ["−5,5 €", "–3", "", "word", "10a"],
        ["0,0", "0,05", "1 234,5", "1'234", "1,23,456"],
    ],
)
def test_a_column_is_parsed_at_once_as_its_cells_are_one_by_one(
    cells: list[str], units: tuple[str, ...], decimal: str
) -> None:
    form = NumberFormat(decimal, units)
    for part in (cells, *([cell] for cell in cells)):
        column = Cells(part)
        parsed = [form.parse(cell) for cell in part]
        expected = [math.nan if x is None else x for x in parsed]
        for _ in range(2):  # the second time it remembers them
            assert form.column(column).tolist() == pytest.approx(expected, rel=0, nan_ok=True)
        other = NumberFormat(",").column(column).tolist()
        assert other == pytest.approx(
            [math.nan if (x := NumberFormat(",").parse(cell)) is None else x for cell in part],
            rel=0,
            nan_ok=True,
        )


def test_a_negative_zero_is_the_class_0(csv_file: CsvFile) -> None:
    table = read_csv(csv_file("a,y\n" + "1,-0\n2,1\n3,0\n" * 5))
    assert table.classes == ("0", "1")
    assert table.Y[:3] == [0, 1, 0]


def test_new_rows_are_read_with_the_decimal_mark_of_those_learned_from(csv_file: CsvFile) -> None:
    schema = infer_schema(read_sheet(csv_file("a;b;y\n1.234;1,5;0\n5.678;2,5;1\n")))
    kept = Schema.from_json(json.loads(json.dumps(schema.to_json())), schema.classes)

    def first(text: str) -> float:
        sheet = read_sheet(csv_file(text), decimal=kept.decimal)
        return kept.located(sheet).examples(sheet).X[0][0]

    assert read_csv(csv_file("a;b\n1.234;3\n"), labeled=False).X[0][0] == 1.234
    assert first("a;b\n1.234;3\n") == 1234.0
    assert first("a;b\n1.25;3\n") == 1.25
    assert first("a;b\n1.234;3.5\n") == 1.234  # this file's own cells know better


def test_new_rows_have_the_unit_of_those_learned_from(csv_file: CsvFile) -> None:
    sheet = read_sheet(csv_file("a,b,y\n" + "5 €,1,0\n7 €,2,1\n" * 5))
    assert "unit € ignored" in sheet.notes
    schema = infer_schema(sheet)
    kept = Schema.from_json(json.loads(json.dumps(schema.to_json())), schema.classes)
    same = read_sheet(csv_file("a,b\n6 €,1\n8,2\n"))
    assert kept.located(same).examples(same).X == [[6.0, 1.0], [8.0, 2.0]]
    other = read_sheet(csv_file("a,b\n6 $,1\n8 $,2\n"))
    with pytest.raises(TableError, match=r"line 2, column a: expected a finite number, got '6 \$'"):
        kept.located(other).examples(other)


def test_what_is_no_row_is_told_and_a_row_like_it_is_kept(csv_file: CsvFile) -> None:
    sheet = read_sheet(csv_file("Class\n\na,b,y\n1,2,x\n3,4,y\nTotal,6,\n\nfrom: us,,\n"))
    assert sheet.left_out == ("a title in line 1", "a footnote in line 8", "totals in line 6")
    assert {f"left out: {part}" for part in sheet.left_out} <= set(sheet.notes)
    assert list(sheet.line_numbers) == [4, 5]
    for kept in ("sum,1,x\nmean,2,y\nsum,3,x\n", "a,b\nmean,1\nx,2\nmean,3\n"):
        assert read_sheet(csv_file(kept)).left_out == ()
    with pytest.raises(TableError, match="line 1: found 1 columns"):
        read_sheet(csv_file("7\n1,2,x\n3,4,y\n"))
    assert read_sheet(csv_file("a,b\n1,2\n3,4\nill,ill\n"), na_values=["ill"]).left_out == ()


def test_totals_of_many_groups_are_rows(csv_file: CsvFile) -> None:
    years = [f"{week},{year},{week}\n" for year in range(3) for week in [*range(200), "Total"]]
    sheet = read_sheet(csv_file("week,year,n\n" + "".join(years)))
    assert (sheet.n_rows, sheet.left_out) == (len(years), ())


def test_a_line_of_totals_needs_two_rows_and_a_word_for_them(csv_file: CsvFile) -> None:
    for word in ("Summe:", "TOTAL", "mean :"):
        assert read_sheet(csv_file(f"a,b\n1,2\n3,4\n{word},6\n")).left_out == ("totals in line 4",)
    assert read_sheet(csv_file("a,b\n1,2\nTotal,6\n")).left_out == ("totals in line 3",)
    for kept in ("a,b\n1,2\nfoo,6\n", "x,1\ntotal,2\n", "a,b\n1,2\n3,4\nsubtotal,6\n"):
        assert read_sheet(csv_file(kept)).left_out == ()


def test_where_two_widths_are_as_frequent_the_wider_one_counts(csv_file: CsvFile) -> None:
    # Of two rows one has no semicolon, and neither has a comma.
    with pytest.raises(TableError, match="line 2: found 1 columns, where the others have 2"):
        read_sheet(csv_file("1;2\n3\n"))
    with pytest.raises(TableError, match="line 2: found 2 columns, where the others have 1"):
        read_sheet(csv_file("3\n1;2\n"))
    assert read_sheet(csv_file("# a remark\n\n1|2\n3|4\n")).column(1) == ["2", "4"]


def test_a_header_may_end_in_a_delimiter_that_its_rows_lack(csv_file: CsvFile) -> None:
    for rows in ("1;2;x\n3;4;y\n", "1;2;x\n"):
        sheet = read_sheet(csv_file("a;b;kind;\n" + rows))
        assert (sheet.names, sheet.named_rows) == (("a", "b", "kind"), False)
        assert sheet.column(0)[0] == "1"
    with pytest.raises(TableError, match="line 3: found 4 columns, where the others have 3"):
        read_sheet(csv_file("a;b;kind;\n1;2;x\n3;4;y;z\n5;6;x\n"))


@pytest.mark.parametrize(
    "content",
    [
        "name,inhabitants,rank\nA,22,843,10\n",
        "name,rank,inhabitants\nA,10,22,843\nB,11,1,234\n",
        "name,inhabitants,rank\nA,22,843,10\nB,1,234,11\nC,999,999,12\n",
        "name,size,rank\nA,2,5,10\nA,3,5,11\n",
    ],
    ids=["one row", "in the last column", "all rows", "names that come twice"],
)
def test_a_comma_within_a_number_makes_no_row_names(csv_file: CsvFile, content: str) -> None:
    with pytest.raises(
        TableError,
        match=r"line 2: found 4 columns, where the (header has|others have) 3; .*in quotes",
    ):
        read_sheet(csv_file(content))


@pytest.mark.parametrize(("start", "counts"), [(0, True), (1, True), (2, False)])
def test_a_column_without_a_name_that_counts_from_0_or_1_names_the_rows(
    csv_file: CsvFile, start: int, counts: bool
) -> None:
    rows = "".join(f"{i},{i * i % 7},{'xy'[i % 2]}\n" for i in range(start, start + 12))
    assert read_sheet(csv_file(",a,kind\n" + rows)).named_rows == counts


def test_rows_have_names_unless_all_of_them_have_a_number_with_a_comma(csv_file: CsvFile) -> None:
    first, second = "A,22,843,x\n", "B,23,44,y\n"
    sheet = read_sheet(csv_file("a,b,kind\n" + first + second))
    assert (sheet.named_rows, sheet.column(1)) == (True, ["22", "23"])
    with pytest.raises(TableError, match="line 2: found 4 columns, where the header has 3"):
        read_sheet(csv_file("a,b,kind\n" + first + second.replace("44", "440")))


def test_a_first_line_counts_the_rows_of_a_whole_file(csv_file: CsvFile) -> None:
    rows = "".join(f"{i}.5,{i * i}.25,{i % 2}\n" for i in range(4))
    assert read_sheet(csv_file("4,2,no,yes\n" + rows)).classes == ("no", "yes")
    with pytest.raises(TableError, match="line 1: found 4 columns, where the others have 3"):
        read_sheet(csv_file("5,2,no,yes\n" + rows))


def test_the_label_is_a_column_that_is_filled_in_most_rows(csv_file: CsvFile) -> None:
    half, more = "a,b,c\n1,x,1\n2,y,\n3,x,2\n4,y,\n", "5,x,3\n"
    with pytest.raises(TableError, match="missing in 2 of 4 rows") as raised:
        infer_schema(read_sheet(csv_file(half)), missing="drop")
    assert raised.value.fix["label"] == "b"
    schema = infer_schema(read_sheet(csv_file(half + more)), missing="drop", one_hot=True)
    assert schema.label is not None
    assert schema.label.name == "c"


@pytest.mark.parametrize(("strays", "are_gaps"), [("abcde", True), ("abcdef", False)])
def test_up_to_five_words_among_numbers_may_be_gaps(
    csv_file: CsvFile, strays: str, are_gaps: bool
) -> None:
    cells = [*map(str, range(40)), *(f"remark {letter}" for letter in strays)]
    rows = "".join(f"{cell},{i % 7}.5\n" for i, cell in enumerate(cells))
    with pytest.raises(TableError, match="expected a finite number, got 'remark a'") as raised:
        infer_schema(read_sheet(csv_file("size,price\n" + rows)))
    assert raised.value.fix.get("na_values", []) == cells[40:] * are_gaps


@pytest.mark.parametrize(("n_words", "fits"), [(20, True), (21, True), (22, False)])
def test_a_fifth_of_the_rows_may_be_classes_of_their_own(
    csv_file: CsvFile, n_words: int, fits: bool
) -> None:
    words = [f"kind{chr(97 + i % n_words)}" for i in range(105)]
    rows = "".join(f"{i * i % 13},{word}\n" for i, word in enumerate(words))
    sheet = read_sheet(csv_file("size,kind\n" + rows))
    if fits:
        assert len(infer_schema(sheet).classes) == n_words
    else:
        with pytest.raises(TableError, match="22 different words"):
            infer_schema(sheet)


def test_na_values_are_compared_after_numbers_are_read(csv_file: CsvFile) -> None:
    rows = (
        "".join(f"{i},5;{i % 7};{i % 3}\n" for i in range(30)) + "-200,0;-200;-200,00\n1,5;2;-200\n"
    )
    table = read_csv(csv_file("a;b;y\n" + rows), na_values=["-200"], missing="drop")
    assert min(map(min, table.X)) == 0.0
    assert (len(table.Y), table.classes) == (30, ("0", "1", "2"))
    kept = infer_schema(read_sheet(csv_file("a;b;y\n" + rows), na_values=["-200"]), missing="mean")
    assert kept.na_values == ("-200",)
    word = read_csv(csv_file("a,y\n1,p\n0x,q\n3,p\n"), na_values=["0X"], missing="drop")
    assert word.X == [[1.0], [3.0]]


def test_what_looks_like_a_number_is_never_a_gap(csv_file: CsvFile) -> None:
    amounts = [f"${i}.15" for i in range(40)]
    amounts[7], amounts[9] = "$-26.15", "($3.00)"
    path = csv_file(
        "amount,b,y\n" + "".join(f"{a},{i % 7},{i % 2}\n" for i, a in enumerate(amounts))
    )
    X = read_csv(path).X
    assert (X[7][0], X[9][0]) == (-26.15, -3.0)
    for odd in ("$-26.15-", "12..5", "7 l/s (2)", "1O5"):
        amounts[7] = odd
        path = csv_file(
            "a,b,y\n" + "".join(f"{a},{i % 7},{i % 2}\n" for i, a in enumerate(amounts))
        )
        with pytest.raises(TableError, match="line 9, column a: expected a finite number") as no:
            read_csv(path, one_hot=True, missing="mean")
        assert repr(odd) in str(no.value)
        assert no.value.fix == {}
    text = "a,b,y\n" + "".join(f"{a},{i % 7},{i % 2}\n" for i, a in enumerate(amounts))
    text = text.replace("$11.15", "1..1").replace("$12.15", "1..2").replace("$13.15", "1..3")
    with pytest.raises(TableError, match=r"got '1O5', '1\.\.1', '1\.\.2', '1\.\.3'; correct"):
        read_csv(csv_file(text))  # in the order of the file


def test_an_infinite_number_is_one_without_a_unit(csv_file: CsvFile) -> None:
    """Beside a unit as in a block of its own, which is read as Python reads it."""
    for other in "inf", "1.e5":
        sheet = read_sheet(csv_file(f"a,y\n5 b,0\n{other},1\n{other},0\n"))
        assert "flags ignored (b 1)" in sheet.notes


def test_flags_beside_numbers_are_set_aside_and_told(csv_file: CsvFile) -> None:
    cells = ["12,3 b", "11,0", ":", "10,5 p", ": c", *(f"{i},5" for i in range(20))]
    rows = "".join(f"{cell};{i % 4};{'xy'[i % 2]}\n" for i, cell in enumerate(cells))
    sheet = read_sheet(csv_file("rate;n;kind\n" + rows))
    assert {"decimal commas", "flags ignored (b 1, p 1)"} <= set(sheet.notes)
    schema = infer_schema(sheet, missing="drop")
    assert [row[0] for row in schema.examples(sheet).X[:3]] == [12.3, 11.0, 10.5]
    assert len(schema.examples(sheet).X) == 23


@pytest.mark.parametrize(
    "dates",
    [
        ("2012-01-31", "2012-02-01"),
        ("2012/1/31", "2012/2/1"),
        ("31.01.2012", "1.2.12"),
        ("1/31/2012", "2/1/2012"),
        ("2012-01-31T12:30:00Z", "2012-02-01 12:30"),
        ("18.00.00", "19.30.00"),
        ("8:00", "12:30 pm"),
        ("5-Jan-20", "31 December 2020"),
        ("Jan 5, 2020", "March 31, 2020"),
        ("2020Q1", "2020-W05"),
        ("2012-01", "2012-02"),
    ],
)
def test_dates_are_left_out_and_told(csv_file: CsvFile, dates: tuple[str, str]) -> None:
    rows = "".join(f'"{dates[i % 2]}",{i % 7},{"ab"[i % 3 > 0]}\n' for i in range(20))
    sheet = read_sheet(csv_file("when,n,kind\n" + rows))
    for one_hot in (False, True):
        schema = infer_schema(sheet, one_hot=one_hot)
        assert schema.features == ("n",)
    assert "when    date    left out" in describe(schema, sheet)
    assert any("dates and times are left out (when)" in hint for hint in hints(schema, sheet))
    labeled = infer_schema(sheet, label="when", one_hot=True)
    assert len(labeled.classes) == 2  # who asks for it gets it


def test_words_are_no_dates(csv_file: CsvFile) -> None:
    rows = "".join(
        f"{('2012-01-31', 'soon')[i % 2]},{i % 7},{'ab'[i % 3 > 0]}\n" for i in range(20)
    )
    schema = infer_schema(read_sheet(csv_file("when,n,kind\n" + rows)), one_hot=True)
    assert schema.features == ("when=2012-01-31", "when=soon", "n")


def test_a_constant_column_is_left_out_on_demand_and_told(csv_file: CsvFile) -> None:
    rows = "".join(f"7,red,{i},{'ab'[i % 2]}\n" for i in range(12))
    sheet = read_sheet(csv_file("k,color,n,kind\n" + rows))
    schema = infer_schema(sheet, one_hot=True, drop_constant=True)
    assert schema.features == ("n",)
    shown = describe(schema, sheet)
    assert "k       number  left out" in shown
    assert "always 7" in shown
    assert "always red" in shown
    assert "a column that never varies is left out (k, color)" in hints(schema, sheet)
    assert infer_schema(sheet, one_hot=True).features == ("k", "color=red", "n")
    gappy = read_sheet(csv_file("k,n,kind\n" + "7,1,a\n,2,b\n" * 6))
    with pytest.raises(TableError, match="column k: it is missing"):
        infer_schema(gappy, drop_constant=True)
    assert infer_schema(gappy, drop_constant=True, missing="mean").features == ("n",)
    with pytest.raises(TableError, match="no column is left to learn from"):
        infer_schema(read_sheet(csv_file("k,y\n" + "7,a\n7,b\n" * 6)), drop_constant=True)


def test_whole_numbers_as_classes_name_the_other_task(csv_file: CsvFile) -> None:
    sheet = read_sheet(
        csv_file("a,grade\n" + "".join(f"{i * i % 31},{i % 18}\n" for i in range(90)))
    )
    schema = infer_schema(sheet)
    assert len(schema.classes) == 18
    assert any("--task regression" in hint and "18" in hint for hint in hints(schema, sheet))
    said = infer_schema(sheet, task="classification")
    assert not any("--task" in hint for hint in hints(said, sheet))
    binary = read_sheet(csv_file("a,y\n" + "".join(f"{i * i % 31},{i % 2}\n" for i in range(90))))
    assert not any("--task" in hint for hint in hints(infer_schema(binary), binary))


def test_cp1252_is_recognized(csv_file: CsvFile) -> None:
    text = "Größe,price in €,kind\n" + "1,2,schön\n3,4,häßlich\n" * 3
    sheet = read_sheet(csv_file(text.encode("cp1252")))
    assert sheet.names[:2] == ("Größe", "price in €")
    assert "cp1252" in sheet.notes
    assert "cp1252" not in read_sheet(csv_file(text)).notes
    late = "a,b,kind\n" + "1,2,plain\n" * 20_000 + "3,4,Köln\n"
    assert read_sheet(csv_file(late.encode("cp1252"))).column(2)[-1] == "Köln"
    with pytest.raises(TableError, match=r"it is not text in UTF-8.*; pass encoding="):
        read_sheet(csv_file("a,b\nтест,привет\n".encode("cp1251")))


# --- size -----------------------------------------------------------------------------------------

MANY = 20_000


@pytest.mark.slow
def test_a_long_table_is_read_as_a_short_one(csv_file: CsvFile) -> None:
    rows = [
        f"{i}.5,{'' if i % 100 == 7 else i % 9},{('red', 'Red', 'blue')[i % 3]},{i % 4}"
        for i in range(MANY)
    ]
    rows[15_000] = "15000.5,(3),red,0"
    text = "a title\na,b,color,y\n" + "\n".join([*rows, "total,9,,", "a footnote"])
    sheet = read_sheet(csv_file(text))
    assert sheet.left_out == (
        "a title in line 1",
        f"a footnote in line {MANY + 4}",
        f"totals in line {MANY + 3}",
    )
    assert sheet.n_rows == MANY
    schema = infer_schema(sheet, one_hot=True, missing="drop")
    X, Y, kept = schema.examples(sheet)
    assert len(X) == MANY - MANY // 100
    assert X[kept.index(15_000)] == [15000.5, -3.0, 0.0, 1.0]
    assert [Y[kept.index(i)] for i in (1, 2, MANY - 1)] == [1, 2, 3]
    b = schema.columns[1]
    assert (b.n_missing, b.span) == (MANY // 100, (-3.0, 8.0))
    assert schema.columns[2].words == {"blue": 6666, "red": 13334}
    rows[19_000] = "1,2,green,0"
    late = read_sheet(csv_file("a,b,color,y\n" + "\n".join(rows)))
    with pytest.raises(
        TableError, match="line 19002, column color: expected one of blue, red, got 'green'"
    ):
        schema.located(late).examples(late)
    rows[19_000] = "1,2,red"
    with pytest.raises(TableError, match="line 19002: found 3 columns, where the others have 4"):
        read_sheet(csv_file("a,b,color,y\n" + "\n".join(rows)))


@pytest.mark.parametrize("n", [BLOCK - 2, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK])
def test_footnotes_are_found_wherever_a_block_of_rows_ends(csv_file: CsvFile, n: int) -> None:
    sheet = read_sheet(csv_file("a,b,y\n" + "1,2,0\n" * n + "total,2,\na footnote\n"))
    assert sheet.n_rows == n
    assert sheet.left_out == (f"a footnote in line {n + 3}", f"totals in line {n + 2}")


def test_columns_of_many_words_are_no_classes(csv_file: CsvFile) -> None:
    rows = "".join(f"name {i},{i % 9},{i / 7}\n" for i in range(3000))
    with pytest.raises(TableError, match="column id: it holds 3000 different words") as no:
        read_csv(csv_file("id,n,y\n" + rows))
    assert no.value.fix == {"drop": ["id"]}
    with pytest.raises(TableError, match=r"3000 different numbers.*task='regression'"):
        read_csv(csv_file("id,n,y\n" + rows), drop=["id"], task="classification")
    with pytest.raises(TableError, match="as the label, it holds 3000 different words"):
        read_csv(csv_file("id,n,y\n" + rows), label="id")
    whole = "".join(f"{i % 9},{i}\n" for i in range(3000))
    assert read_csv(csv_file("n,y\n" + whole)).Y[:3] == [0.0, 1.0, 2.0]


def test_a_limit_reads_the_first_rows(csv_file: CsvFile) -> None:
    path = csv_file(
        "a,b,y\n" + "".join(f"{i},{i % 7},{i % 2}\n" for i in range(5000)) + "odd\n,,,,,\n"
    )
    for limit in (3, 1500, 4999):
        sheet = read_sheet(path, limit=limit)
        assert sheet.column(0) == [str(i) for i in range(limit)]
        assert f"only the first {limit} rows read" in sheet.notes
    assert len(read_csv(path, limit=10).Y) == 10
    whole = read_sheet(csv_file("a,b\n1,2\n3,4\n"), limit=2)
    assert not any("only the first" in note for note in whole.notes)
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        read_sheet(path, limit=0)


@pytest.mark.parametrize("compressed", [True, False])
def test_more_text_than_can_be_read_whole_is_refused_at_once(
    csv_file: CsvFile, monkeypatch: pytest.MonkeyPatch, compressed: bool
) -> None:
    text = b"a,b,y\n" + b"1,2,0\n3,4,1\n" * 200_000
    path = csv_file(gzip.compress(text) if compressed else text)
    monkeypatch.setattr(text_file, "MOST_BYTES", 2_000_000)
    with pytest.raises(TableError, match=r"more than 2 MB of text, too much.*; pass limit=100000"):
        read_csv(path)
    assert len(read_csv(path, limit=50).Y) == 50
    monkeypatch.setattr(text_file, "LONGEST_LINE", 1000)
    with pytest.raises(TableError, match="a line has 1000 characters or more"):
        read_csv(csv_file(gzip.compress(b"1," * 1_000_000)), limit=5)


@pytest.mark.slow
def test_a_small_file_of_much_text_takes_no_memory(csv_file: CsvFile) -> None:
    path = csv_file(gzip.compress((b"1,2,3,4,5,6,7,8,9,0\n" * 50_000) * 26))  # 26 MB
    tracemalloc.start()
    assert len(read_csv(path, limit=1000).Y) == 1000
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "MOST_BYTES", 20_000_000)
        with pytest.raises(TableError, match="more than 20 MB"):
            read_csv(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.slow
def test_cells_take_little_more_memory_than_their_text(csv_file: CsvFile) -> None:
    path = csv_file("".join(f"{i}.25,{i % 7},{i % 2}\n" for i in range(20_000)))
    tracemalloc.start()
    sheet = read_sheet(path)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert sheet.n_rows == 20_000
    # The text itself, 8 bytes a row for its line, and as many for the number in each cell.
    assert kept < 2.5 * path.stat().st_size + 3 * 8 * 20_000


def test_a_lack_of_memory_is_one_line(csv_file: CsvFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Schema, "examples", fail)
    with pytest.raises(TableError, match=r"data.csv: there is not enough memory.*limit=100000"):
        read_csv(csv_file("a,y\n1,0\n2,1\n"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_table_can_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = gzip.compress("a,b,kind\n1,2,schön\n3,4,gut\n".encode("cp1252"))
    writer = threading.Thread(target=lambda: pipe.write_bytes(content))
    writer.start()
    assert read_csv(pipe).classes == ("gut", "schön")
    writer.join()


def test_separator_and_encoding_can_be_said(csv_file: CsvFile) -> None:
    assert read_csv(csv_file("1:2:x\n3:4:y\n"), delimiter=":").X == [[1.0, 2.0], [3.0, 4.0]]
    latin = "a,b,größe\n1,2,ä\n3,4,ö\n".encode("latin-1")
    assert read_csv(csv_file(latin), encoding="latin-1").classes == ("ä", "ö")
    no_text, no_names = ("rot13", "base64", "undefined"), ("\udcff", "latin\0")
    for encoding in ("klingon", *no_text, *no_names):
        with pytest.raises(TableError, match=re.escape(f"no encoding {encoding!r}")):
            read_csv(csv_file(latin), encoding=encoding)
    with pytest.raises(TableError, match="cannot separate by 'ab'"):
        read_csv(csv_file("1,2,x\n"), delimiter="ab")


def test_without_labels_every_column_is_an_input(csv_file: CsvFile) -> None:
    table = read_csv(csv_file("a,b\n1,2\n3,4\n"), labeled=False)
    assert table == ([[1.0, 2.0], [3.0, 4.0]], [], ("a", "b"), ())


def test_any_column_can_be_the_label_and_any_left_out(csv_file: CsvFile) -> None:
    path = csv_file("kind,a,b,note\n" + "x,1,2,?\ny,3,4,hm\n" * 3)
    for label in ("kind", 1, "1"):
        table = read_csv(path, label=label, drop=["note"])
        assert (table.features, table.classes, table.X[0]) == (("a", "b"), ("x", "y"), [1.0, 2.0])
    with pytest.raises(
        TableError, match="there is no column 'c'; its columns are kind, a, b, note"
    ):
        read_csv(path, label="c")
    with pytest.raises(TableError, match="there is no column '5'"):
        read_csv(path, drop=["5"])


def test_words_become_inputs_on_demand(csv_file: CsvFile) -> None:
    path = csv_file("colour,n,y\n" + "red,1,0.5\nBlue,2,1\nblue,3,2\nblue,4,3\n" * 2)
    with pytest.raises(
        TableError, match="column colour: it holds words, blue, red; pass one_hot=True"
    ):
        read_csv(path)
    table = read_csv(path, one_hot=True)
    assert table.features == ("colour=blue", "colour=red", "n")
    assert table.X[:2] == [[0.0, 1.0, 1.0], [1.0, 0.0, 2.0]]


def test_missing_cells_are_refused_dropped_or_filled(csv_file: CsvFile) -> None:
    path = csv_file("a,word,y\n1,x,0\nNA,x,1\n3,,0\n5,z,1\n2,z,\n")
    with pytest.raises(
        TableError, match=r"line 3, column a: it is missing \('NA', and 2 more"
    ) as no:
        read_csv(path)
    assert no.value.fix == {"missing": "mean", "one_hot": True}
    assert read_csv(path, missing="drop", one_hot=True).X == [[1.0, 1.0, 0.0], [5.0, 0.0, 1.0]]
    filled = read_csv(path, missing="mean", one_hot=True)
    assert filled.X[1] == [3.0, 1.0, 0.0]
    assert filled.X[2] == [3.0, pytest.approx(2 / 3), pytest.approx(1 / 3)]
    assert len(filled.Y) == 4  # a label cannot be filled in
    path = csv_file("a,b,y\n,1,0\n2,,1\n")
    with pytest.raises(TableError, match="every row has a missing cell"):
        read_csv(path, missing="drop")


def test_words_among_numbers_are_gaps_where_they_are_few(csv_file: CsvFile) -> None:
    rows = "".join(f"{'ill' if i % 9 == 8 else i},{i % 4},{'ab'[i % 2]}\n" for i in range(36))
    path = csv_file("points,mark,kind\n" + rows)
    with pytest.raises(TableError, match=r"line 10, column points: expected .*, got 'ill'") as no:
        read_csv(path, one_hot=True)
    assert no.value.fix == {"na_values": ["ill"], "missing": "mean"}
    expected = [[float(i), float(i % 4)] for i in range(36) if i % 9 != 8]
    read = read_csv(path, na_values=["Ill"], missing="drop")[0]
    assert read == expected
    kept = infer_schema(read_sheet(path, na_values=["Ill"]), missing="drop").to_json()
    assert Schema.from_json(json.loads(json.dumps(kept)), ()).na_values == ("Ill",)

    path = csv_file("a,points\n" + "".join(f"{i % 2},{i if i % 9 else 'ill'}\n" for i in range(36)))
    with pytest.raises(TableError, match="expected a finite number, got 'ill'") as no:
        read_csv(path)
    assert no.value.fix == {"na_values": ["ill"], "missing": "drop"}
    assert len(read_csv(path, na_values=["ill"], missing="drop").Y) == 32

    half = csv_file("a,kind\n" + "".join(f"{i if i % 2 else 'x'},{i % 3}\n" for i in range(30)))
    with pytest.raises(TableError) as no:
        read_csv(half)
    assert "na_values" not in no.value.fix


def test_a_box_that_is_ticked_or_not_is_an_answer(csv_file: CsvFile) -> None:
    sheet = read_sheet(csv_file("music,n,y\n" + "x,1,a\n,2,b\nx,3,b\n,4,a\n" * 3))
    schema = infer_schema(sheet, one_hot=True)
    assert schema.features == ("music=(empty)", "music=x", "n")
    assert schema.examples(sheet).X[:3] == [[0.0, 1.0, 1.0], [1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]
    assert "(empty) 6, x 6" in describe(schema, sheet)
    kept = Schema.from_json(json.loads(json.dumps(schema.to_json())), schema.classes)
    assert kept.located(sheet).examples(sheet) == schema.examples(sheet)
    remark = read_sheet(csv_file("said,n,y\n" + "sorry,1,a\n,2,b\n" * 4))
    assert infer_schema(remark, one_hot=True, missing="mean").features == ("said=sorry", "n")


@pytest.mark.parametrize(("n", "is_told"), [(9, False), (10, True)])
def test_ten_numbers_that_count_upwards_are_told(csv_file: CsvFile, n: int, is_told: bool) -> None:
    for start in (0, 17):
        rows = "".join(f"{start + i},{i % 4},{'ab'[i % 2]}\n" for i in range(n))
        sheet = read_sheet(csv_file(f"nth,mark,kind\n{rows}"))
        assert any("--drop nth" in hint for hint in hints(infer_schema(sheet), sheet)) is is_told
    for first, step in (0.0, 0.5), (0.5, 1.0):
        rows = "".join(f"{first + step * i},{i % 4},{'ab'[i % 2]}\n" for i in range(12))
        sheet = read_sheet(csv_file(f"x,mark,kind\n{rows}"))
        assert not any("--drop" in hint for hint in hints(infer_schema(sheet), sheet))


@pytest.mark.parametrize(
    ("n", "told"), [(1, "1 row with missing cells is"), (2, "2 rows with missing cells are")]
)
def test_how_many_rows_are_left_out_is_told(csv_file: CsvFile, n: int, told: str) -> None:
    rows = "".join(f"{'' if i < n else i * i % 13},{'ab'[i % 2]}\n" for i in range(12))
    sheet = read_sheet(csv_file("x,kind\n" + rows))
    first = hints(infer_schema(sheet, missing="drop"), sheet)[0]
    assert re.fullmatch(f"{told} left out", first)


@pytest.mark.parametrize(
    ("name", "n_different", "is_told"),
    [("Pupil-ID", 13, True), ("Nr.", 13, True), ("anything", 13, False), ("shop id", 4, False)],
)
def test_numbers_in_no_order_are_told_by_their_name(
    csv_file: CsvFile, name: str, n_different: int, is_told: bool
) -> None:
    rows = "".join(f"{7 * i % n_different + 100},{i % 5},{'ab'[i % 2]}\n" for i in range(13))
    sheet = read_sheet(csv_file(f"{name},mark,kind\n{rows}"))
    found = [hint for hint in hints(infer_schema(sheet), sheet) if "numbers the rows" in hint]
    assert len(found) == is_told


@pytest.mark.parametrize("name", ["Pupil-ID", "No.", "lfd. Nr.", "Matrikelnummer", "anything"])
def test_a_column_that_numbers_the_rows_is_told(csv_file: CsvFile, name: str) -> None:
    rows = "".join(f"{1000 + i},{i % 4},{'ab'[i % 2]}\n" for i in range(12))
    sheet = read_sheet(csv_file(f"{name},mark,kind\n{rows}"))
    [hint] = [hint for hint in hints(infer_schema(sheet), sheet) if "numbers the rows" in hint]
    assert hint.endswith(f"--drop {shlex.quote(name)}")


def test_a_class_that_is_called_none_is_no_other_word(csv_file: CsvFile) -> None:
    schema = infer_schema(read_sheet(csv_file("a,y\n" + "1,none\n2,some\n" * 3)))
    assert schema.classes == ("none", "some")
    sheet = read_sheet(csv_file("a,y\n1,NONE\n2,other\n"))
    with pytest.raises(
        TableError, match="line 3, column y: expected one of the classes none, some"
    ):
        schema.located(sheet).examples(sheet)


def test_columns_are_found_by_their_names_whatever_their_capitals(csv_file: CsvFile) -> None:
    schema = infer_schema(read_sheet(csv_file("Maths,Sport  Hours,y\n1,2,x\n3,4,z\n")))
    sheet = read_sheet(csv_file("sport hours,maths\n5,6\n7,8\n"))
    assert schema.located(sheet).examples(sheet).X == [[6.0, 5.0], [8.0, 7.0]]


def test_what_was_understood_is_told(csv_file: CsvFile) -> None:
    path = csv_file(
        "id,size,colour,price,note,kind\n"
        + "".join(
            f"{i},{i % 7}.5,{('blue', 'red', 'red', 'Red', 'red', 'red')[i % 6]},"
            f"{'?' if i == 4 else i},,{'ab'[i % 2]}\n"
            for i in range(30)
        )
    )
    sheet = read_sheet(path)
    schema = infer_schema(sheet, missing="drop", one_hot=True)
    told = describe(schema, sheet).replace(str(path), "data.csv")
    assert told == (
        "data.csv: 30 rows of 6 columns; a header, commas\n"
        "  column  kind    role              missing  levels\n"
        "  id      number  input                      0 … 29\n"
        "  size    number  input                      0.5 … 6.5\n"
        "  colour  words   2 inputs                   blue 5, red 25; 3 spellings\n"
        "  price   number  input             1        0 … 29\n"
        "  note    empty   left out          30\n"
        "  kind    words   label: 2 classes           a 15, b 15"
    )
    hinted = hints(schema, sheet)
    assert "1 row with missing cells is left out" in hinted
    assert any("--drop id" in hint for hint in hinted)


def test_many_columns_that_are_alike_share_a_line(csv_file: CsvFile) -> None:
    path = csv_file(
        "".join(f"{','.join(str(i + k) for k in range(40))},{'ab'[i % 2]}\n" for i in range(9))
    )
    sheet = read_sheet(path)
    described = describe(infer_schema(sheet), sheet)
    assert "  column 1 … column 40  number  40 inputs" in described
    assert described.count("\n") == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("\n\n , \n# only a comment\n", "empty"),
        ("a,b,kind\n", "line 1: there are no rows below the header; pass header='no'"),
        ("1\n2\n", "line 1: found a single column.*separated by commas"),
        ("a,b,y\n1,2,x\n3,four,y\n", "line 3, column b: expected a finite number, got 'four'"),
        ("1,two,x\n3,4,y\n", "line 1, column 2: expected a finite number, got 'two'"),
        ("a,b,kind\n1,,x\n2,3,y\n", r"line 2, column b: it is missing \(''\); pass missing='mean'"),
        ("a,b,y\n,1,x\n,3,z\n3,4,x\n4,5,z\n", r"column a: it is missing \('', and 1 more\)"),
        ("a,b,y\n,1,x\n2,,z\n3,,x\n4,5,z\n", r"\('', and 2 more in 2 columns\)"),
        ("1,nan,x\n1,2,x", r"line 1, column 2: it is missing \('nan'\)"),
        ("1,2,x\n-inf,2,x\n", "line 2, column 1: expected a finite number, got '-inf'"),
        ("1,2,x\n\n1,2\n", "line 3: found 2 columns, where the others have 3"),
        ("a,b,kind\n1,2,x,3\n", "line 2: found 4 columns, where the others have 3"),
        (
            "1,2,x\n1,2,\n1,2,x",
            "line 2, column 3: the label is missing.*the last column unless.*missing='drop'",
        ),
        ("1,2,0.5\n1,2,inf\n", "line 2, column 3: expected a finite number, got 'inf'"),
        ('1,2,"x\n', "line 1: unexpected end.*a quotation mark that is not closed"),
        (b"1,2,\xff\n", "UTF-8.*pass encoding='latin-1'"),
        (b"1,2,\x80\xff\n", "UTF-8.*pass encoding='cp1252'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        ("1,2,x\n".encode("utf-16-le"), "zero bytes in it; pass encoding='utf-16-le'"),
        ("1,2,x\n".encode("utf-16-be"), "zero bytes in it; pass encoding='utf-16-be'"),
        ("1,2,x\n1,2,\0\n", "zero bytes in it$"),
        ("\n<!DOCTYPE html>\n<html>1,2</html>", "it is a web page"),
        (b"\x93NUMPY\x01", "an array of NumPy"),
        ("a,b,y\n1,1e200,x\n3,4,y\n", "line 2, column b: '1e200' is too large"),
        ("a,y\n1,2.5\n3,-1e300\n", "line 3, column y: '-1e300' is too large"),
        (b"PK\x03\x04\x00", "zip archive, as Excel's workbooks are"),
        (b"PAR1\x00", "in Parquet; with pandas"),
        (b"\x1f\x8b\x08\x00", "compressed, and cannot be unpacked: .+"),
        ('[{"a": 1}]', "it is JSON; with pandas"),
        (f"1,{'x' * 200_000},y\n", "field larger"),
        (
            "a,b\n" + "".join(f"{i}x,{i}y\n" for i in range(40)),
            "as the label, it holds 40 different",
        ),
    ],
)
def test_a_csv_file_that_cannot_be_read_says_where(
    csv_file: CsvFile, content: str | bytes, message: str
) -> None:
    path = csv_file(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 2 * len(str(path)) + 200


def test_an_encoding_that_was_said_and_is_wrong_is_named(csv_file: CsvFile) -> None:
    with pytest.raises(ValueError, match="not text in ascii"):
        read_csv(csv_file("ä,2,x\n"), encoding="ascii")
    with pytest.raises(ValueError, match="no encoding 'morse'"):
        read_csv(csv_file("1,2,x\n"), encoding="morse")


def test_a_label_cannot_be_left_out(csv_file: CsvFile) -> None:
    with pytest.raises(ValueError, match="column y: it cannot be the label and be left out"):
        read_csv(csv_file("a,b,y\n1,2,3\n4,5,6\n"), label="y", drop=["y"])


def test_a_missing_csv_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "nowhere.csv")
    with pytest.raises(OSError, match=str(tmp_path)):
        read_csv(str(tmp_path))


def test_a_schema_is_kept_as_json(csv_file: CsvFile) -> None:
    sheet = read_sheet(csv_file("w,a,y\n" + "p,1,x\nq,2,z\n" * 3))
    schema = infer_schema(sheet, one_hot=True, missing="mean")
    kept = Schema.from_json(json.loads(json.dumps(schema.to_json())), schema.classes)
    assert kept.located(sheet).examples(sheet) == schema.examples(sheet)
    turned = read_sheet(csv_file("a,more,w\n7,8,Q\n"[:-2] + "q\n"))
    assert kept.located(turned).examples(turned).X == [[0.0, 1.0, 7.0]]
    assert kept.to_json() == schema.to_json()
    damages: list[dict[str, Any]] = [
        {"na_values": [1]},
        {"na_values": "ill"},
        {"empty": [1]},
        {"decimal": 5},
        {"decimal": "x"},
        {"missing": ["mean"]},
        {"means": ["x"]},
        {"means": [1.0]},
        {"means": [10**400, 1.0, 1.0]},
        {"columns": [["a", "output", None, []]]},
        {"columns": [["a", "input", [1], []]]},
        {"columns": [["a", "input", None, "€"]]},
        {"columns": [[5, "input", None, []]]},
    ]
    for damaged in (
        {},
        {"columns": 3, "missing": "mean"},
        {"columns": [[1]], "missing": "mean"},
        5,
        *({**schema.to_json(), **damage} for damage in damages),
    ):
        with pytest.raises(ValueError, match="the model's columns are damaged"):
            Schema.from_json(damaged, ())


def test_a_mean_may_have_been_written_as_a_whole_number(csv_file: CsvFile) -> None:
    """As a page writes it: JavaScript's 2.0 is 2."""
    sheet = read_sheet(csv_file("a,y\n1,0\n3,1\n2,0\n"))
    schema = replace(infer_schema(sheet), means=(2.0,))
    assert Schema.from_json({**schema.to_json(), "means": [2]}, schema.classes).means == (2.0,)


def test_rows_without_names_are_placed_by_how_many_columns_they_have(csv_file: CsvFile) -> None:
    rows = "".join(f"n{i},{i % 7},{i % 5}.5,{'xy'[i % 2]}\n" for i in range(12))
    learned = infer_schema(read_sheet(csv_file("name,a,b,kind\n" + rows)), drop=["name"])

    def found(text: str) -> list[list[float]]:
        sheet = read_sheet(csv_file(text), header=False)
        return learned.located(sheet).examples(sheet, keep_unlabeled=True).X

    assert found("n,1,2,x\nm,3,4,y\n") == [[1.0, 2.0], [3.0, 4.0]]  # as the file learned from
    assert found("n,1,2\nm,3,4\n") == [[1.0, 2.0], [3.0, 4.0]]  # without the label
    assert found("1,2\n3,4\n") == [[1.0, 2.0], [3.0, 4.0]]  # the inputs alone
    with pytest.raises(TableError, match=r"expected 2 columns \(a, b\), got 1"):
        found("1\n2\n")


# --- split ----------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=60),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32),
)
def test_a_split_keeps_every_example_once_and_every_class_in_proportion(
    labels: list[int], share: float, seed: int
) -> None:
    n_test = round(share * len(labels))
    if not 0 < n_test < len(labels):
        with pytest.raises(ValueError, match="leaves one part empty"):
            train_test_split(labels, labels, share, seed)
        return
    X_train, X_test, Y_train, Y_test = train_test_split(range(len(labels)), labels, share, seed)
    assert sorted([*X_train, *X_test]) == list(range(len(labels)))
    assert [labels[i] for i in X_train] == Y_train
    assert [labels[i] for i in X_test] == Y_test
    assert len(Y_test) == n_test
    for label, count in Counter(labels).items():
        assert abs(Y_test.count(label) - count * n_test / len(labels)) < 1.0


def test_a_data_frame_is_split_by_its_rows() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    X, Y = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], [0, 1, 0, 1]
    table, labels = pandas.DataFrame(X, columns=["a", "b"]), pandas.Series(Y, index=[7, 8, 9, 3])
    parts = train_test_split(table, labels, 0.5, seed=1)
    expected = train_test_split(X, Y, 0.5, seed=1)
    assert [[list(row) for row in part] for part in parts[:2]] == [*map(list, expected[:2])]
    assert parts[2:] == expected[2:]
    scale = Standardization.of(table)
    assert (scale, scale(table)) == (Standardization.of(X), scale(X))


def test_a_seed_decides_the_split() -> None:
    X, Y = iris()
    assert train_test_split(X, Y, seed=3) == train_test_split(X, Y, seed=3)
    assert train_test_split(X, Y, seed=3) != train_test_split(X, Y, seed=4)


def test_a_third_of_iris_holds_a_third_of_every_species() -> None:
    _, _, Y_train, Y_test = train_test_split(*iris())
    assert sorted(Counter(Y_test).values()) == [16, 17, 17]
    assert Y_train != sorted(Y_train)  # and comes mixed


def test_targets_may_be_rows_or_arrays() -> None:
    rows = [[0.0, 1.0], [1.0, 0.0]] * 6
    _, _, _, held_out = train_test_split(list(range(12)), rows)
    assert sorted(held_out) == [[0.0, 1.0]] * 2 + [[1.0, 0.0]] * 2
    X_train, X_test, _, _ = train_test_split(np.arange(12), np.array(rows))
    assert sorted([*X_train, *X_test]) == list(range(12))


@pytest.mark.parametrize(
    ("n_targets", "share", "error", "message"),
    [
        (3, 0.5, ValueError, "X has 4 examples, Y has 3"),
        (4, 0.0, ValueError, "above 0 and below 1, got 0.0"),
        (4, 1.0, ValueError, "got 1.0"),
        (4, -0.5, ValueError, "got -0.5"),
        (4, 1.5, ValueError, "got 1.5"),
        (4, math.nan, ValueError, "got nan"),
        (4, math.inf, ValueError, "got inf"),
        (4, 0.1, ValueError, "0.1 of 4 examples leaves one part empty"),
        (4, 0.9, ValueError, "0.9 of 4 examples leaves one part empty"),
        (4, "half", TypeError, "test_share must be a number, got 'half'"),
    ],
)
def test_a_split_that_makes_no_sense_is_refused(
    n_targets: int, share: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        train_test_split([1, 2, 3, 4], [0] * n_targets, share)


# --- standardization ------------------------------------------------------------------------------


def test_standardized_inputs_have_mean_0_and_deviation_1() -> None:
    X, _ = iris()
    standardized = np.array(Standardization.of(X)(X))
    assert standardized.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-12)
    assert standardized.std(axis=0) == pytest.approx(np.ones(4))


def test_other_examples_are_shifted_and_scaled_as_the_training_set() -> None:
    scale = Standardization.of([[0.0, 10.0], [2.0, 30.0]])
    assert scale == ([1.0, 20.0], [1.0, 10.0])
    assert scale([[5.0, 20.0]]) == [[4.0, 0.0]]


def test_an_input_whose_deviation_has_no_inverse_is_only_shifted() -> None:
    assert Standardization.of([[0.0], [2e-320]]).deviations == [1.0]


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e-300, -3.7])
def test_an_input_that_never_varies_is_only_shifted(constant: float) -> None:
    scale = Standardization.of([[constant]] * 7)
    assert scale.deviations == [1.0]
    assert scale([[constant]])[0][0] == pytest.approx(0.0, abs=1e-12)


def test_huge_inputs_do_not_overflow() -> None:
    assert Standardization.of([[1e200], [-1e200]])([[1e200]]) == [[pytest.approx(1.0)]]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 inputs, got 1 in example 1"):
        Standardization.of([[1.0, 2.0], [3.0]])
    with pytest.raises(ValueError, match="expected 2 inputs, got 3 in example 0"):
        Standardization.of([[1.0, 2.0], [3.0, 4.0]])([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="no examples"):
        Standardization.of([])
