"""The data sets, the reader for CSV files, the split and the standardisation."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.datasets import (
    IRIS_CLASSES,
    Standardisation,
    blobs,
    circles,
    iris,
    moons,
    read_csv,
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


@pytest.mark.parametrize(
    ("labels", "Y", "classes"),
    [
        (["no", "yes", "no"], [0, 1, 0], ("no", "yes")),
        (["2", "10", "2"], [0, 1, 0], ("2", "10")),
        (["1.0", "-1", "-1.0"], [1, 0, 0], ("-1", "1")),
        (["1", "a", "1.5"], [0, 2, 1], ("1", "1.5", "a")),
        (["0.5", "1", "2e3"], [0.5, 1.0, 2000.0], ()),
        (["日本", "ä b", "日本"], [1, 0, 1], ("ä b", "日本")),
    ],
    ids=["words", "whole numbers", "signs", "mixed", "numbers", "non-Latin"],
)
def test_labels_are_words_or_numbers(
    csv_file: CsvFile, labels: list[str], Y: list[float], classes: tuple[str, ...]
) -> None:
    table = read_csv(csv_file("".join(f"1.5,-2e1,{label}\n" for label in labels)))
    assert table.X == [[1.5, -20.0]] * 3
    assert (table.Y, table.classes) == (Y, classes)


@pytest.mark.parametrize(
    ("content", "features"),
    [
        ("a,b,kind\n1,2,x\n3,4,y\n", ("a", "b")),
        ("1,2,x\n3,4,y\n", ("column 1", "column 2")),
        (",b,kind\n1,2,x\n3,4,y\n", ("column 1", "b")),
        ("\ufeffa,b,kind\r\n1,2,x\r\n3,4,y\r\n", ("a", "b")),
        (
            '# a comment, with commas\n\n"a", "b, too",kind\n 1 , 2 , x \n,,\n3,4,y',
            ("a", "b, too"),
        ),
    ],
    ids=["header", "none", "partly empty", "as Excel writes it", "untidy"],
)
def test_a_header_is_optional(csv_file: CsvFile, content: str, features: tuple[str, ...]) -> None:
    table = read_csv(csv_file(content))
    assert table.features == features
    assert table.X == [[1.0, 2.0], [3.0, 4.0]]
    assert table.classes == ("x", "y")


def test_without_labels_every_column_is_an_input(csv_file: CsvFile) -> None:
    table = read_csv(csv_file("a,b\n1,2\n3,4\n"), labelled=False)
    assert table == ([[1.0, 2.0], [3.0, 4.0]], [], ("a", "b"), ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("\n\n , \n# only a comment\n", "empty"),
        ("a,b,kind\n", "line 1: there are no rows of numbers below the header"),
        ("1\n2\n", "line 1: found a single column.*separated by commas"),
        ("1;2;x\n", "line 1: found a single column"),
        ("1,2,x\n3,four,y\n", "line 2, column 2: expected a finite number, got 'four'"),
        ("1,two,x\n3,4,y\n", "line 1, column 2: expected a finite number, got 'two'"),
        ("a,b,kind\n1,,x\n", "line 2, column 2: expected a finite number, got ''"),
        ("1,nan,x\n", "line 1, column 2: expected a finite number, got 'nan'"),
        ("1,2,x\n-inf,2,x\n", "line 2, column 1: expected a finite number, got '-inf'"),
        ("1,2,x\n\n1,2\n", "line 3: found 2 columns, where the first row has 3"),
        ("a,b,kind\n1,2,x,3\n", "line 2: found 4 columns, where the first row has 3"),
        ("1,2,x\n1,2,\n", "line 2, column 3: the label is missing"),
        ("1,2,0.5\n1,2,nan\n", "line 2, column 3: expected a finite number, got 'nan'"),
        ('1,2,"x\n', "unexpected end"),
        (b"1,2,\xff\n", "UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "UTF-8"),
        (f"1,{'x' * 200_000},y\n", "field larger"),
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
    assert len(str(caught.value)) < len(str(path)) + 200


def test_a_missing_csv_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "nowhere.csv")
    with pytest.raises(OSError, match=str(tmp_path)):
        read_csv(str(tmp_path))


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


# --- standardisation ------------------------------------------------------------------------------


def test_standardised_inputs_have_mean_0_and_deviation_1() -> None:
    X, _ = iris()
    standardised = np.array(Standardisation.of(X)(X))
    assert standardised.mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-12)
    assert standardised.std(axis=0) == pytest.approx(np.ones(4))


def test_other_examples_are_shifted_and_scaled_as_the_training_set() -> None:
    scale = Standardisation.of([[0.0, 10.0], [2.0, 30.0]])
    assert scale == ([1.0, 20.0], [1.0, 10.0])
    assert scale([[5.0, 20.0]]) == [[4.0, 0.0]]


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e-300, -3.7])
def test_an_input_that_never_varies_is_only_shifted(constant: float) -> None:
    scale = Standardisation.of([[constant]] * 7)
    assert scale.deviations == [1.0]
    assert scale([[constant]])[0][0] == pytest.approx(0.0, abs=1e-12)


def test_huge_inputs_do_not_overflow() -> None:
    assert Standardisation.of([[1e200], [-1e200]])([[1e200]]) == [[pytest.approx(1.0)]]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 inputs, got 1 in example 1"):
        Standardisation.of([[1.0, 2.0], [3.0]])
    with pytest.raises(ValueError, match="expected 2 inputs, got 3 in example 0"):
        Standardisation.of([[1.0, 2.0], [3.0, 4.0]])([[1.0, 2.0, 3.0]])
    with pytest.raises(ValueError, match="no examples"):
        Standardisation.of([])
