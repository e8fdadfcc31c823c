"""Models to JAX and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

import autograd as ag  # noqa: E402
from autograd.interop.jax import from_jax, to_jax_model  # noqa: E402
from tests.models import MODELS, ROWS, numbers, predictions  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def in_float64() -> Any:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_weights_both_ways_bit_for_bit_and_predictions(model: Any) -> None:
    parameters, apply = to_jax_model(model)
    for found in (apply(parameters, ROWS), jax.jit(apply)(parameters, ROWS)):
        for ours, theirs in zip(predictions(model), found.tolist(), strict=True):
            assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-12)
    assert apply(parameters, ROWS[0]).tolist() == pytest.approx(
        predictions(model)[0], rel=1e-12, abs=1e-12
    )
    activations = (
        (model.activation, model.output)
        if isinstance(model, ag.MLP)
        else ("relu", model.neurons[0].activation)
    )
    back = from_jax(parameters, *activations)
    assert numbers(back) == numbers(model)
    assert predictions(back) == predictions(model)


def test_gradients_agree() -> None:
    model = ag.MLP(3, [4, 1], "tanh", seed=1)
    parameters, apply = to_jax_model(model)
    theirs = jax.grad(lambda p: apply(p, ROWS[:3]).sum())(parameters)
    ag.sum(model(row) for row in ROWS[:3]).backward()
    arrays = [array for layer in theirs for array in (layer["weight"], layer["bias"])]
    for (_, ours), array in zip(model.arrays().values(), arrays, strict=True):
        expected = [parameter.grad for parameter in ours]
        assert array.flatten().tolist() == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_float32_is_refused_for_it_would_lose_bits() -> None:
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(RuntimeError, match=r'jax.config.update\("jax_enable_x64", True\)'):
        to_jax_model(ag.MLP(1, [1]))


COMPLEX = {"weight": np.ones((1, 2)) + 1j, "bias": np.ones(1)}


def test_what_is_no_model() -> None:
    with pytest.raises(TypeError, match=r"to_jax_model: expected an MLP or a Layer, got Neuron\(2"):
        to_jax_model(ag.Neuron(2))
    for wrong in (3, [3], [{"weight": 3}], [{"w": 3, "b": 4}], {"weight": 3}, [COMPLEX]):
        with pytest.raises(TypeError, match="from_jax: expected a list with an array 'weight'"):
            from_jax(wrong)  # type: ignore[arg-type]
    parameters, _ = to_jax_model(ag.MLP(2, [3, 1]))
    with pytest.raises(ValueError, match="unknown activation 'swish': use one of relu"):
        from_jax(parameters, "swish")
    with pytest.raises(ValueError, match="found no layer"):
        from_jax([])
    with pytest.raises(ValueError, match="do not fit the bias"):
        from_jax([{**parameters[0], "bias": parameters[1]["bias"]}])
