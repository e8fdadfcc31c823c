"""Models to PyTorch and back."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import autograd as ag  # noqa: E402
from autograd.interop.torch import from_torch, to_torch  # noqa: E402
from autograd.interop.torch_modules import Sine  # noqa: E402
from tests.models import MODELS, ROWS, numbers, predictions  # noqa: E402

pytestmark = pytest.mark.slow

nn = torch.nn


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_weights_both_ways_bit_for_bit_and_predictions(model: Any) -> None:
    module = to_torch(model)
    with torch.no_grad():
        found = module(torch.tensor(ROWS, dtype=torch.float64)).tolist()
    for ours, theirs in zip(predictions(model), found, strict=True):
        assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-12)
    back = from_torch(module)
    assert numbers(back) == numbers(model)
    assert predictions(back) == predictions(model)


def test_the_parameters_are_laid_out_as_the_arrays_of_the_model() -> None:
    model = ag.MLP(2, [3, 1], seed=1)
    theirs = to_torch(model).state_dict().values()
    for (shape, parameters), tensor in zip(model.arrays().values(), theirs, strict=True):
        assert tuple(tensor.shape) == shape
        assert tensor.flatten().tolist() == [parameter.data for parameter in parameters]


def test_gradients_agree() -> None:
    model = ag.MLP(3, [4, 1], "tanh", seed=1)
    module = to_torch(model)
    module(torch.tensor(ROWS[:3], dtype=torch.float64)).sum().backward()
    ag.sum(model(row) for row in ROWS[:3]).backward()
    for (_, parameters), theirs in zip(model.arrays().values(), module.parameters(), strict=True):
        found = theirs.grad.flatten().tolist()
        assert found == pytest.approx([p.grad for p in parameters], rel=1e-12, abs=1e-14)


def test_a_module_of_float32_without_biases_in_parts() -> None:
    module = nn.Sequential(
        nn.Sequential(nn.Linear(2, 3, bias=False), nn.Dropout(0.5), nn.Tanh()),
        nn.Identity(),
        nn.Linear(3, 2),
        nn.Sigmoid(),
    )
    model = from_torch(module)
    assert (model.activation, model.output, model.widths) == ("tanh", "sigmoid", [3, 2])
    (weights, biases) = (found for _, found in list(model.arrays().values())[:2])
    assert [w.data for w in weights] == module[0][0].weight.double().flatten().tolist()
    assert [b.data for b in biases] == [0.0, 0.0, 0.0]
    with torch.no_grad():
        expected = module.eval().double()(torch.tensor([[0.5, -1.0]], dtype=torch.float64))
    assert model.predict([[0.5, -1.0]])[0] == pytest.approx(expected[0].tolist(), rel=1e-12)


def test_a_linear_layer_alone() -> None:
    assert from_torch(nn.Linear(3, 2)).widths == [2]


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Linear(2, 1), nn.GELU()), "no part such as this one.*GELU"),
        (nn.Sequential(nn.ReLU(), nn.Linear(2, 1)), "at this place: ReLU"),
        (nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Tanh()), "at this place: Tanh"),
        (nn.Sequential(nn.Linear(2, 1), nn.Softplus(beta=2.0)), "Softplus"),
        (nn.Conv1d(1, 1, 1), "Conv1d"),
        (nn.Sequential(), "found no layer with weights"),
        (nn.Sequential(nn.Linear(2, 3), nn.Linear(2, 1)), "takes 2 inputs, and the one before"),
        (
            nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 1), Sine(), nn.Linear(1, 1)),
            "one activation for all hidden layers, got sin, tanh",
        ),
    ],
)
def test_what_an_mlp_cannot_be(module: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_torch(module)


def test_what_is_no_model() -> None:
    with pytest.raises(TypeError, match=r"from_torch: expected a torch.nn.Module, got 3"):
        from_torch(3)
    with pytest.raises(TypeError, match=r"to_torch: expected an MLP or a Layer, got Neuron\(2"):
        to_torch(ag.Neuron(2))
