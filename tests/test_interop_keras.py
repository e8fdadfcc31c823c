"""Models to Keras and back, on whichever library Keras computes here."""

from __future__ import annotations

from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="NumPy is not installed")
keras = pytest.importorskip("keras", minversion="3", reason="Keras is not installed")

import autograd as ag  # noqa: E402
from autograd.interop.keras import from_keras, to_keras  # noqa: E402
from tests.models import MODELS, ROWS, numbers, predictions  # noqa: E402

pytestmark = pytest.mark.slow

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

    before = jax.config.read("jax_enable_x64")
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


def moons_model() -> Any:
    return ag.MLP(2, [8, 1], activation="tanh", seed=0)


def with_probability(model: Any) -> Any:
    """In Keras, with the sigmoid that its loss expects, while ours takes the logit."""
    theirs = to_keras(model)
    theirs.add(layers.Activation("sigmoid", dtype="float64"))
    return theirs


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("SGD", {"learning_rate": 0.01}),
        (keras.optimizers.SGD(0.5), {"learning_rate": 0.5}),
        (keras.optimizers.SGD(0.25, momentum=0.5), {"learning_rate": 0.25, "momentum": 0.5}),
    ],
    ids=["by name", "rate", "momentum"],
)
def test_the_same_training_there_and_here(theirs: Any, ours: Any) -> None:
    X, Y = ag.datasets.moons(60, noise=0.1, seed=0)
    model, there = moons_model(), with_probability(moons_model())
    there.compile(optimizer=theirs, loss="binary_crossentropy")
    trained = there.fit(
        np.array(X), np.array(Y, float), batch_size=20, epochs=10, shuffle=False, verbose=0
    )
    optimizer = ag.GradientDescent(model.parameters(), **ours)
    history = ag.fit(
        model, ag.binary_cross_entropy, X, Y, optimizer, 10, 20, shuffle=False, progress=False
    )
    losses = [row.loss for row in history]
    assert losses == pytest.approx(trained.history["loss"], abs=1e-6)
    assert losses[-1] < losses[0]
    assert numbers(from_keras(there)) == pytest.approx(numbers(model), abs=1e-6)


def test_their_optimizer_takes_our_gradients() -> None:
    model, there = moons_model(), to_keras(moons_model())
    ours, theirs = ag.GradientDescent(model.parameters(), 0.5), keras.optimizers.SGD(0.5)
    for _ in range(3):
        ours.zero_grad()
        ag.binary_cross_entropy(model([0.5, -1.0]), 1).backward()
        gradients = [
            keras.ops.convert_to_tensor(np.reshape([w.grad for w in weights], shape).T)
            for shape, weights in in_their_order(model)
        ]
        theirs.apply(gradients, there.trainable_weights)
        ours.step()
    assert numbers(from_keras(there)) == pytest.approx(numbers(model), rel=1e-15)
    assert numbers(model) != numbers(moons_model())


def in_their_order(model: Any) -> Any:
    arrays = model.arrays()
    for k in range(len(model.layers)):
        yield arrays[f"layer{k}.weight"]
        yield arrays[f"layer{k}.bias"]


def test_what_an_mlp_cannot_be() -> None:
    for part in (layers.Dense(2, "gelu"), layers.LayerNormalization()):
        model = keras.Sequential([keras.Input((2,)), part])
        with pytest.raises(ValueError, match="from_keras: an MLP has no part such as this one"):
            from_keras(model)
    with pytest.raises(TypeError, match=r"expected a keras.Model, got 3 of type int"):
        from_keras(3)
    with pytest.raises(TypeError, match=r"to_keras: expected an MLP or a Layer, got Neuron\(2"):
        to_keras(ag.Neuron(2))


def test_a_model_without_weights_is_told_what_it_lacks() -> None:
    with pytest.raises(ValueError, match=r"no weights yet; begin it with keras.Input"):
        from_keras(keras.Sequential([layers.Dense(2)]))
