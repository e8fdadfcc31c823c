"""`predict` and `score`: what a model says of many rows, and how often it is right."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag
from autograd import MLP, Module, Value
from autograd.nn import predictions

MODEL = MLP(2, [4, 3], "tanh", seed=1)
ONE = MLP(2, [4, 1], "tanh", seed=2)
ROWS = [[i / 100, math.sin(i)] for i in range(predictions.MANY + 5)]


def eager(model: Any, rows: list[list[float]]) -> list[Any]:
    outputs = [model(row) for row in rows]
    return [[z.data for z in y] if isinstance(y, list) else y.data for y in outputs]


@pytest.mark.parametrize("model", [MODEL, ONE], ids=["three outputs", "one output"])
@pytest.mark.parametrize("n", [0, 1, 3, len(ROWS)])
def test_predictions_are_those_of_the_model(model: Any, n: int) -> None:
    expected = eager(model, ROWS[:n])
    found = model.predict(ROWS[:n])
    assert type(found) is list
    assert found == expected
    assert model.predict(iter(ROWS[:n])) == expected


@pytest.mark.parametrize("model", [MODEL, ONE], ids=["three outputs", "one output"])
@pytest.mark.parametrize("n", [3, len(ROWS)])
def test_arrays_in_arrays_out(model: Any, n: int) -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose arrays this test passes, is missing")
    found = model.predict(np.array(ROWS[:n]))
    assert isinstance(found, np.ndarray)
    assert found.tolist() == eager(model, ROWS[:n])


@pytest.mark.parametrize("n", [3, len(ROWS)])
def test_tables_of_pandas(n: int) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame(ROWS[:n], columns=["a", "b"])
    assert MODEL.predict(table).tolist() == eager(MODEL, ROWS[:n])
    targets = pandas.Series(MODEL.predict(table).argmax(axis=1))
    assert MODEL.score(table, targets) == 1.0
    assert ONE.score(table, pandas.DataFrame({"y": ONE.predict(table)})) == 1.0


@pytest.mark.parametrize("n", [4, len(ROWS)])
def test_tables_of_mixed_columns_with_gaps(n: int) -> None:
    """The columns of pandas may differ in kind: whole numbers, ticks, and its own with gaps."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame({"a": [True, False] * n, "b": [0.5, 2.0] * n})
    expected = MODEL.predict(table.to_numpy(float)).tolist()
    assert MODEL.predict(table).tolist() == expected
    assert ag.jit(MODEL, "python")(table).tolist() == expected
    assert MODEL.predict(table.convert_dtypes()).tolist() == expected

    table["b"] = pandas.array([None, 2] * n, dtype="Int64")
    found = MODEL.predict(table)
    assert [math.isnan(row[0]) for row in found] == [True, False] * n
    assert MODEL.score(table, found.argmax(axis=1)) == 0.5  # no prediction is no hit
    assert ONE.score(table, [float(z > 0.0) for z in ONE.predict(table)]) == 0.5

    table["b"] = "red"
    for use in MODEL.predict, ag.jit(MODEL, "python"):
        with pytest.raises(TypeError, match="holds 'red' in row 0, column 'b', which is no number"):
            use(table)
    days = pandas.DataFrame({"a": pandas.to_datetime(["2020-01-01"])})
    with pytest.raises(TypeError, match=r"predict: X holds datetime64.*, which are no numbers"):
        MODEL.predict(days)


def test_masked_targets_are_refused() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose arrays this test passes, is missing")
    masked = np.ma.masked_array([0, 1, 2], mask=[False, True, False])
    with pytest.raises(ValueError, match="score: some of the targets are masked"):
        MODEL.score(ROWS[:3], masked)


def test_many_rows_are_compiled_and_few_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(
        predictions, "jit", lambda model: compiled.append(model) or (lambda rows: [0.0])
    )
    MODEL.predict(ROWS[: predictions.MANY - 1])
    assert compiled == []
    MODEL.predict(ROWS[: predictions.MANY])
    assert compiled == [MODEL]


def test_a_model_that_cannot_be_compiled_predicts_all_the_same() -> None:
    class Folded(Module):
        def __init__(self) -> None:
            self.w = Value(2.0)

        def __call__(self, row: list[Any]) -> Any:
            return self.w * row[0] if row[0] > 1.0 else 0.5

    found = Folded().predict(ROWS)
    assert found == [2.0 * x if x > 1.0 else 0.5 for x, _ in ROWS]


@pytest.mark.parametrize(
    "choose",
    [
        lambda x: 2.0 if x == 1.0 else 3.0,
        lambda x: {0.0: 3.0, 1.0: 2.0}[x],
        lambda x: [3.0, 2.0][int(x)],
        lambda x: 3.0 if x.hex() == "0x0.0p+0" else 2.0,
    ],
    ids=["equality", "dictionary", "index", "method of a float"],
)
@pytest.mark.parametrize("n", [4, predictions.MANY])
def test_few_rows_or_many_are_predicted_alike(choose: Callable[[Any], float], n: int) -> None:
    class Chooses(Module):
        def __init__(self) -> None:
            self.w = Value(1.0)

        def __call__(self, row: list[Any]) -> Any:
            return self.w * choose(row[0])

    assert Chooses().predict([[float(i % 2)] for i in range(n)]) == [3.0, 2.0] * (n // 2)


@pytest.mark.parametrize("n", [1, predictions.MANY])
def test_a_wrong_row_is_refused_by_the_model(n: int) -> None:
    with pytest.raises(ValueError, match="MLP: expected 2 inputs, got 3"):
        MODEL.predict([*ROWS[: n - 1], [1.0, 2.0, 3.0]])
    with pytest.raises(TypeError, match="MLP: an input: expected a Value or a real number"):
        MODEL.predict([*ROWS[: n - 1], [1.0, None]])
    with pytest.raises(TypeError, match="of several, give one row at a time, or all to predict"):
        MODEL(ROWS[:2])
    with pytest.raises(TypeError, match=r"expected a list of 2 inputs, got 0\.5"):
        MODEL.predict([0.5, 1.0])


def test_a_masked_array_is_refused_not_unmasked() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose arrays this test passes, is missing")
    for n in (3, len(ROWS)):
        masked = np.ma.masked_greater(np.array(ROWS[:n]), 0.015)
        with pytest.raises(ValueError, match="some of the inputs are masked"):
            MODEL.predict(masked)


# --- score ----------------------------------------------------------------------------------------


class Given(Module):
    """Predicts what its rows say."""

    classes = ("red", "green", "blue")

    def __call__(self, row: list[Any]) -> Any:
        return row if len(row) > 1 else row[0]


LOGITS = [[3.0, 1.0, 2.0], [0.0, 1.0, 1.0], [-1.0, -2.0, -0.5], [1.0, 2.0, 3.0]]


@pytest.mark.parametrize(
    ("Y", "share"),
    [
        ([0, 1, 2, 2], 1.0),
        ([0, 2, 2, 1], 0.5),
        (["red", "green", "blue", "red"], 0.75),
    ],
)
def test_the_share_of_classes_that_are_right(Y: list[Any], share: float) -> None:
    assert Given().score(LOGITS, Y) == share
    assert Given().score(LOGITS, Y, ag.cross_entropy) == share


def test_probabilities_as_targets_of_a_loss_that_classifies() -> None:
    Y = [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    assert Given().score(LOGITS, Y, ag.cross_entropy) == 0.75


def test_rows_with_a_single_one_are_classes() -> None:
    Y = [[1, 0, 0], [0, 0, 1.0], [0, 0, 1], [0, 1, 0]]
    assert Given().score(LOGITS, Y) == Given().score(LOGITS, Y, ag.cross_entropy) == 0.5
    assert Given().score(LOGITS, [*Y[:3], [0.5, 0.5, 0.0]]) != 0.5
    assert Given().score([[1.0, 1.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]) == 1.0


@pytest.mark.parametrize("no", [0, -1])
def test_one_output_lies_on_one_side_or_the_other(no: int) -> None:
    X = [[2.0], [-2.0], [0.25], [-0.25]]
    assert Given().score(X, [1, no, 1, no]) == 1.0
    assert Given().score(X, [1, no, no, no]) == 0.75
    assert Given().score(X, [1, 1, 1, 1]) == 0.5


def test_after_a_sigmoid_the_middle_is_one_half() -> None:
    model = MLP(1, [1], output="sigmoid", seed=0)
    model.layers[0].neurons[0].weights[0].data = 1.0
    assert [round(p, 2) for p in model.predict([[1.0], [-1.0]])] == [0.73, 0.27]
    assert model.score([[1.0], [-1.0]], [1, 0]) == 1.0
    assert model.score([[1.0], [-1.0]], [1, 1]) == 0.5


@pytest.mark.slow
def test_r_squared_against_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    X, Y = [[0.5], [1.5], [2.0], [-1.0]], [0.25, 1.0, 3.0, -2.0]
    expected = metrics.r2_score(Y, [x for (x,) in X])
    assert Given().score(X, Y) == pytest.approx(expected, rel=1e-14)
    assert Given().score(X, [1, 0, 1, 0], ag.mean_squared_error) == pytest.approx(
        metrics.r2_score([1, 0, 1, 0], [x for (x,) in X]), rel=1e-14
    )
    assert Given().score(X, [2.5] * 4) == 0.0
    assert Given().score([[2.5]] * 2, [2.5] * 2) == 1.0
    wide = [[1.0, 2.0], [3.0, 5.0], [0.0, 1.0]]
    targets = [[1.5, 2.0], [2.0, 5.0], [0.0, 0.0]]
    expected = metrics.r2_score(targets, wide, multioutput="variance_weighted")
    assert Given().score(wide, targets) == pytest.approx(expected, rel=1e-14)


def test_what_cannot_be_scored() -> None:
    with pytest.raises(ValueError, match="X has 1 rows, Y has 2 targets"):
        Given().score([[1.0]], [1, 0])
    with pytest.raises(ValueError, match="give each equally many, and at least one"):
        Given().score([], [])
    with pytest.raises(ValueError, match="'pink' is no class of the model, which has 'red', 'g"):
        Given().score(LOGITS, ["pink"] * 4)
    with pytest.raises(ValueError, match=r"has none; .* model\.classes = history\.classes"):
        MODEL.score(ROWS[:2], ["a", "b"])
