"""The estimators, against scikit-learn's own demands and beside its own perceptrons."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="NumPy is not installed")
pytest.importorskip("sklearn", minversion="1.6", reason="scikit-learn is not installed")

from sklearn import datasets, neural_network  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

import autograd as ag  # noqa: E402
from autograd.interop.sklearn import MLPClassifier, MLPRegressor  # noqa: E402

pytestmark = pytest.mark.slow


def split(data: Any) -> Any:
    return train_test_split(data.data, data.target, random_state=0)


@pytest.mark.parametrize("load", [datasets.load_iris, datasets.load_wine])
def test_it_classifies_as_well_as_scikit_learns_own(load: Any) -> None:
    X_train, X_test, y_train, y_test = split(load())
    ours = make_pipeline(StandardScaler(), MLPClassifier(random_state=0))
    theirs = make_pipeline(
        StandardScaler(), neural_network.MLPClassifier((16,), max_iter=1000, random_state=0)
    )
    scores = [model.fit(X_train, y_train).score(X_test, y_test) for model in (ours, theirs)]
    assert scores[0] >= scores[1] - 0.03


def test_it_predicts_numbers_as_well_as_scikit_learns_own() -> None:
    X_train, X_test, y_train, y_test = split(datasets.load_diabetes())
    ours = make_pipeline(StandardScaler(), MLPRegressor((8,), random_state=0))
    theirs = make_pipeline(
        StandardScaler(),
        neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=1000, random_state=0),
    )
    scores = [model.fit(X_train, y_train).score(X_test, y_test) for model in (ours, theirs)]
    assert scores[0] >= scores[1] - 0.03
    model = ours[-1].model_
    rows = ours[0].transform(X_test)
    assert model.predict(rows).tolist() == ours.predict(X_test).tolist()  # in the target's units


def test_probabilities_are_those_of_the_model() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    three = MLPClassifier(max_iter=5, random_state=1).fit(X, y)
    assert three.model_.classes == ("0", "1", "2")
    assert three.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(len(X)), rel=1e-14)
    assert (three.predict_proba(X).argmax(axis=1) == three.predict(X)).all()
    names = np.array(["no", "yes"])[(y == 1).astype(int)]
    two = MLPClassifier(max_iter=5, random_state=1).fit(X, names)
    assert two.model_.widths[-1] == 1
    logit = two.decision_function(X)
    assert two.predict_proba(X)[:, 1] == pytest.approx(1.0 / (1.0 + np.exp(-logit)), rel=1e-12)
    assert set(two.predict(X)) <= {"no", "yes"}


def test_the_training_is_ours() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    chosen = y < 2
    X, y = X[chosen], y[chosen]
    estimator = MLPClassifier((3,), alpha=0.0, batch_size=None, max_iter=4, tol=None)
    estimator.set_params(random_state=np.random.RandomState(7)).fit(X, y)
    random = np.random.RandomState(7)
    model = ag.MLP(4, [3, 1], "tanh", seed=int(random.randint(2**31)))
    optimizer = ag.Adam(model.parameters(), 0.01)
    history = ag.fit(model, ag.binary_cross_entropy, X, y, optimizer, epochs=4, progress=False)
    assert estimator.loss_curve_ == pytest.approx([row.loss for row in history], rel=1e-9)
    assert estimator.n_iter_ == 4
    assert estimator.predict_proba(X)[:, 1] == pytest.approx(
        [ag.sigmoid(z) for z in model.predict(X.tolist())], rel=1e-9
    )


def test_several_targets() -> None:
    X = np.linspace(-1.0, 1.0, 60).reshape(-1, 1)
    Y = np.column_stack([1000.0 * X[:, 0], 5.0 + X[:, 0] ** 2])
    model = MLPRegressor((8,), max_iter=400, tol=None, alpha=0.0, random_state=0).fit(X, Y)
    assert model.predict(X).shape == (60, 2)
    assert model.score(X, Y) > 0.98
    assert MLPRegressor(max_iter=1).fit(X, Y[:, :1]).predict(X).shape == (60, 1)


def test_grid_search_and_cross_validation() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=15, random_state=0))
    search = GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(2,), (8,)]}, cv=3)
    search.fit(X, y)
    assert search.best_params_ == {"mlpclassifier__hidden_layer_sizes": (8,)}
    assert cross_val_score(search.best_estimator_, X, y, cv=3).mean() > 0.85


def test_it_can_be_pickled() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    model = MLPClassifier(max_iter=2).fit(X, y)
    assert (pickle.loads(pickle.dumps(model)).predict_proba(X) == model.predict_proba(X)).all()


def test_a_single_hidden_layer_may_be_a_number() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    model = MLPClassifier(5, max_iter=2).fit(X, y)
    assert model.model_.widths == [5, 3]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"batch_size": "auto"}, "batch_size must be an int, got 'auto'"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"alpha": -1.0}, "alpha: expected a finite number, 0 or above"),
        ({"alpha": "1"}, "alpha: expected a number"),
        ({"max_iter": 0}, "epochs must be at least 1"),
        ({"hidden_layer_sizes": "x"}, "width of layer 0 must be an int"),
        ({"activation": "cube"}, "use one of relu"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        MLPRegressor(**settings).fit([[0.0], [1.0]], [0.0, 1.0])


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two classes in y, got one class, 'a'"):
        MLPClassifier().fit([[1.0], [2.0]], ["a", "a"])


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_the_docstring_lists_the_settings_alike_in_every_python(kind: type) -> None:
    lines = str(kind.__doc__).splitlines()
    assert {"Args:", "Attributes:", "    verbose: whether to show a progress bar."} <= {*lines}
    assert ("    classes_: the classes, sorted." in lines) is (kind is MLPClassifier)
