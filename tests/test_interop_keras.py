"""Models to Keras and back, on whichever library Keras computes here."""

from __future__ import annotations

from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="NumPy is not installed")
keras = pytest.importorskip("keras", minversion="3", reason="Keras is not installed")

import autograd as ag  # noqa: E402
from autograd.interop.keras import from_keras, to_keras  # noqa: E402
from tests.models import MODELS, ROWS, numbers, predictions  # noqa: E402

BACKEND = keras.backend.backend()
# On PyTorch it multiplies in float32, on JAX it computes tanh and sin in float32.
DIGITS = 1e-12 if BACKEND == "tensorflow" else 1e-6
layers = keras.layers


@pytest.fixture(autouse=True)
def in_float64() -> Any:
    if BACKEND != "jax":
        yield
        return
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_weights_both_ways_bit_for_bit_and_predictions(model: Any) -> None:
    theirs = to_keras(model)
    rows = ROWS[:20]  # of which no sum is so large that float32 leaves no digits to its sine
    found = np.asarray(keras.ops.convert_to_numpy(theirs(np.array(rows)))).tolist()
    for ours, row in zip(predictions(model), found, strict=False):
        assert row == pytest.approx(ours, rel=DIGITS, abs=DIGITS)
    back = from_keras(theirs)
    assert numbers(back) == numbers(model)
    assert predictions(back) == predictions(model)


def test_a_model_in_float32_with_activations_between() -> None:
    theirs = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(3, use_bias=False),
            layers.Activation("tanh"),
            layers.Dropout(0.5),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model = from_keras(theirs)
    assert (model.activation, model.output, model.widths) == ("tanh", "sigmoid", [3, 1])
    (_, weights) = model.arrays()["layer0.weight"]
    assert [w.data for w in weights] == theirs.layers[0].get_weights()[0].T.flatten().tolist()


def test_the_same_training_there_and_here() -> None:
    X, Y = ag.datasets.moons(60, noise=0.1, seed=0)
    theirs = keras.Sequential(
        [
            keras.Input((2,), dtype="float64"),
            layers.Dense(8, "tanh", dtype="float64"),
            layers.Dense(1, "sigmoid", dtype="float64"),
        ]
    )
    model = from_keras(theirs)  # the same first weights
    model.output = "linear"  # for the loss takes the logit
    for neuron in model.layers[-1].neurons:
        neuron.activation = "linear"
    theirs.compile(optimizer=keras.optimizers.SGD(0.5), loss="binary_crossentropy")
    trained = theirs.fit(
        np.array(X), np.array(Y, float), batch_size=60, epochs=20, shuffle=False, verbose=0
    )
    optimizer = ag.GradientDescent(model.parameters(), learning_rate=0.5)
    history = ag.fit(model, ag.binary_cross_entropy, X, Y, optimizer, epochs=20, progress=False)
    ours = [row.loss for row in history]
    assert len(ours) == 20
    assert ours == pytest.approx(trained.history["loss"], rel=1e-6)
    assert ours[-1] < ours[0]


def test_what_an_mlp_cannot_be() -> None:
    for part in (layers.Dense(2, "gelu"), layers.LayerNormalization()):
        model = keras.Sequential([keras.Input((2,)), part])
        with pytest.raises(ValueError, match="from_keras: an MLP has no part such as this one"):
            from_keras(model)
    with pytest.raises(TypeError, match=r"expected a keras.Model, got 3 of type int"):
        from_keras(3)
    with pytest.raises(TypeError, match=r"to_keras: expected an MLP or a Layer, got Neuron\(2"):
        to_keras(ag.Neuron(2))
