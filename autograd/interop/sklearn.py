"""`MLPClassifier` and `MLPRegressor`: an `MLP` and `fit` under the conventions of scikit-learn.

    >>> pipeline = make_pipeline(StandardScaler(), MLPClassifier(random_state=0))
    >>> cross_val_score(pipeline, X, y)

The names of the settings are those of scikit-learn's own estimators where they mean the same.
Inputs are taken as they are, so put a `StandardScaler` before.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from inspect import cleandoc
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from autograd import functions, losses
from autograd.checks import checked_int
from autograd.nn import MLP
from autograd.optim import Adam, not_negative
from autograd.optional import requires
from autograd.training import History, fit

with requires("interop.sklearn", "scikit-learn", "sklearn"):
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.extmath import softmax
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["MLPClassifier", "MLPRegressor"]

Floats = NDArray[np.float64]


@dataclass(eq=False, repr=False)
class _Perceptron(BaseEstimator):  # type: ignore[misc]
    """The settings and the training that classifier and regressor share.

    Args:
        hidden_layer_sizes: how many neurons each hidden layer has; a number for a single one.
        activation: of the hidden layers, as `autograd.Neuron` takes it.
        alpha: how much half the sum of the squares of the weights counts beside the summed losses
            of a batch.
        batch_size: how many examples a step takes; None for all of them.
        learning_rate_init: the learning rate of `Adam`.
        max_iter: how many epochs at most.
        tol: end the training once the loss of an epoch is less than this share below that of ten
            epochs before; None for never.
        random_state: decides the first weights and the order of the examples.
        verbose: whether to show a progress bar.

    Attributes:
        model_: the trained `MLP`, to be drawn, saved or trained further.
        n_iter_: how many epochs it took.
        loss_curve_, loss_: the loss of each epoch, and of the last.
        n_features_in_: how many inputs there are.
    """

    hidden_layer_sizes: int | Sequence[int] = (16,)
    activation: str = "tanh"
    _: KW_ONLY
    alpha: float = 0.0001
    batch_size: int | None = 32
    learning_rate_init: float = 0.01
    max_iter: int = 200
    tol: float | None = 0.001
    random_state: Any = None
    verbose: bool = False

    def _train(self, X: Floats, Y: NDArray[Any], n_outputs: int, loss: Any) -> None:
        random = check_random_state(self.random_state)
        seed, order = (int(random.randint(2**31)) for _ in range(2))
        hidden = self.hidden_layer_sizes
        widths = [*(hidden if isinstance(hidden, Iterable) else [hidden]), n_outputs]
        self.model_ = MLP(X.shape[1], widths, self.activation, seed=seed)
        size = len(X)
        if self.batch_size is not None:
            size = min(checked_int("batch_size", self.batch_size), size)
        # times the sum of squares of the weights, biases aside
        share = not_negative("alpha", self.alpha) / (2.0 * size)

        def penalty(parameters: Sequence[Any]) -> Any:
            return share * functions.sum(w * w for w in parameters if not w.label.endswith("bias"))

        history: History = fit(
            self.model_,
            loss,
            X,
            Y,
            Adam(self.model_.parameters(), self.learning_rate_init),
            epochs=self.max_iter,
            batch_size=size,
            penalty=penalty if share else None,
            tolerance=self.tol,
            compiled=importlib.util.find_spec("llvmlite") is not None,
            progress=self.verbose,
            seed=order,
        )
        self.n_iter_ = len(history)
        self.loss_curve_ = [row.loss for row in history]
        self.loss_ = self.loss_curve_[-1] if history else float("nan")

    def _outputs(self, X: Any) -> Floats:
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(self.model_.predict(rows), dtype=np.float64)


_SETTINGS = cleandoc(str(_Perceptron.__doc__)).partition("share.\n")[2]
"""For both classes alike. Python 3.13 keeps docstrings without their indentation, 3.12 with it."""


class MLPClassifier(ClassifierMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron for classes, trained on cross-entropy by `Adam`."""

    __doc__ = f"{cleandoc(str(__doc__))}\n{_SETTINGS}\n    classes_: the classes, sorted."

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from the rows of X and their classes, of any kind that can be sorted."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, indices = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"MLPClassifier: expected at least two classes in y, got one class, "
                f"{self.classes_.tolist()[0]!r}"
            )
        if len(self.classes_) == 2:
            self._train(X, indices, 1, losses.binary_cross_entropy)
        else:
            self._train(X, indices, len(self.classes_), losses.cross_entropy)
            self.model_.classes = tuple(map(str, self.classes_))
        return self

    def decision_function(self, X: Any) -> Floats:
        """The logits: one for each class; for two classes, only that of the second."""
        return self._outputs(X)

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class."""
        logits = self._outputs(X)
        if logits.ndim == 1:
            logits = np.column_stack([np.zeros_like(logits), logits])
        return np.asarray(softmax(logits))

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row."""
        logits = self._outputs(X)
        indices = (logits > 0.0).astype(int) if logits.ndim == 1 else logits.argmax(axis=1)
        return np.asarray(self.classes_[indices])


class MLPRegressor(RegressorMixin, _Perceptron):  # type: ignore[misc]
    """A multilayer perceptron for numbers, trained on the mean squared error by `Adam`.

    Targets are standardized for training, so that one learning rate suits them all; afterwards the
    last layer is rescaled to predict in their own units.
    """

    __doc__ = f"{cleandoc(str(__doc__))}\n{_SETTINGS}"

    def fit(self, X: Any, y: Any) -> Self:
        """Learn from the rows of X and their targets: a number each, or a row of several."""
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        rows = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
        mean, scale = rows.mean(axis=0), rows.std(axis=0)
        scale[scale == 0.0] = 1.0
        targets = (rows - mean) / scale
        self._is_column = np.ndim(y) == 1
        one = rows.shape[1] == 1
        self._train(X, targets[:, 0] if one else targets, rows.shape[1], losses.mean_squared_error)
        for neuron, m, s in zip(self.model_.layers[-1].neurons, mean, scale, strict=True):
            for weight in neuron.weights:
                weight.data *= s
            neuron.bias.data = neuron.bias.data * s + m
        return self

    def predict(self, X: Any) -> Floats:
        """The prediction for each row, of the shape that y had."""
        outputs = self._outputs(X)
        return outputs if self._is_column else outputs.reshape(len(outputs), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
