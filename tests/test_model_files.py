"""Files of any model, in both formats: every bit comes back, and other programs can read them."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd import MLP, Layer, Module, Neuron, Value
from autograd.nn import safetensors
from tests.models import fill, numbers
from tests.numerics import SPECIAL, same

FORMATS = ("model.json", "model.safetensors")


class Net(Module):
    def __init__(self, width: int, shift: float = 0.0) -> None:
        self.layers = [Layer(2, width, "tanh", seed=1), Layer(width, 1, "linear", seed=2)]
        self.scale, self.shift = Value(1.5), Value(shift)
        self.gate = Neuron(2, seed=3)

    def __call__(self, row: list[float]) -> Value:
        output: Value = self.layers[1](self.layers[0](row)) * self.scale
        return output + self.gate(row) * self.shift


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
@given(st.lists(st.sampled_from(SPECIAL) | st.floats(), min_size=18, max_size=18))
def test_a_model_of_ones_own_comes_back_to_the_last_bit(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: Any
) -> None:
    path = tmp_path_factory.mktemp("models") / name
    model = Net(3)
    fill(model, data)
    model.save(path)
    loaded = Net.load(path, 3, shift=7.0)
    assert same(numbers(loaded), data)


@pytest.mark.parametrize("name", FORMATS)
def test_a_perceptron_needs_its_file_alone(tmp_path: Path, name: str) -> None:
    model = MLP(2, [3, 2], activation="sin", output="sigmoid", seed=4)
    model.classes = ("no", "yes ∂")
    model.save(tmp_path / name)
    loaded = MLP.load(str(tmp_path / name))
    assert repr(loaded) == repr(model)
    assert (numbers(loaded), loaded.classes) == (numbers(model), model.classes)
    with pytest.raises(ValueError, match="give the path alone"):
        MLP.load(tmp_path / name, 2)


@pytest.mark.parametrize("name", FORMATS)
def test_another_model_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Net(3).save(path)
    with pytest.raises(ValueError, match=r"Net.load: cannot restore .*after the path, give the"):
        Net.load(path)
    with pytest.raises(ValueError, match=r"it holds a Net with the parameters \['layer0"):
        Net.load(path, 4)
    with pytest.raises(ValueError, match="the format 'autograd MLP', got 'autograd module'"):
        MLP.load(path)
    MLP(1, [1]).save(path)
    with pytest.raises(ValueError, match="the format 'autograd module'"):
        Net.load(path, 3)


def test_the_json_of_a_module_says_what_it_holds(tmp_path: Path) -> None:
    Neuron(1, seed=1).save(tmp_path / "neuron.json")
    saved = json.loads((tmp_path / "neuron.json").read_text("utf-8"))
    assert saved == {
        "format": "autograd module",
        "version": 1,
        "class": "Neuron",
        "names": ["weight0", "bias"],
        "parameters": numbers(Neuron(1, seed=1)),
    }


def test_two_parameters_of_one_name_are_not_saved(tmp_path: Path) -> None:
    class Hidden(Module):
        def parameters(self) -> list[Value]:
            return [Value(1.0, "w"), Value(2.0, "w")]

    with pytest.raises(ValueError, match="two parameters are called 'w'"):
        Hidden().save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_first_edition_loads(tmp_path: Path) -> None:
    first = {
        "format": "autograd MLP",
        "version": 1,
        "n_inputs": 2,
        "widths": [1],
        "activation": "relu",
        "output": "linear",
        "classes": [],
        "parameters": [0.1, "-inf", 5e-324],
    }
    (tmp_path / "model.json").write_text(json.dumps(first))
    model = MLP.load(tmp_path / "model.json")
    assert numbers(model) == [0.1, -math.inf, 5e-324]
    model.save(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == first


def test_a_layer_is_two_arrays_as_elsewhere() -> None:
    shapes = {name: shape for name, (shape, _) in Net(3).arrays().items()}
    assert shapes == {
        "layer0.weight": (3, 2),
        "layer0.bias": (3,),
        "layer1.weight": (1, 3),
        "layer1.bias": (1,),
        "scale": (),
        "shift": (),
        "gate.weight": (2,),
        "gate.bias": (),
    }
    model = MLP(2, [3, 1], seed=1)
    (_, weights), (_, biases) = list(model.arrays().values())[:2]
    assert weights == [w for neuron in model.layers[0].neurons for w in neuron.weights]
    assert biases == [neuron.bias for neuron in model.layers[0].neurons]
    assert {id(x) for _, found in Net(3).arrays().values() for x in found}.__len__() == 18


# --- with the library of the format -----------------------------------------------------------


@pytest.mark.slow
@given(st.lists(st.sampled_from(SPECIAL) | st.floats(), min_size=18, max_size=18))
def test_the_library_reads_what_we_write(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    path = tmp_path_factory.mktemp("models") / "model.safetensors"
    model = Net(3)
    fill(model, data)
    model.save(path)
    read = library.load_file(path)
    for name, (shape, parameters) in model.arrays().items():
        assert read[name].shape == shape
        assert read[name].dtype == "float64"
        bits = struct.pack(f"<{len(parameters)}d", *[parameter.data for parameter in parameters])
        assert read[name].tobytes() == bits
    assert set(read) == set(model.arrays())


@pytest.mark.slow
@given(st.dictionaries(st.text(max_size=9), st.lists(st.floats(), max_size=5), max_size=4))
def test_we_read_what_the_library_writes(data: dict[str, list[float]]) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    data.pop("__metadata__", None)
    arrays = {name: np.array(x, dtype=np.float64) for name, x in data.items()}
    tensors, texts = safetensors.unpacked(library.save(arrays, {"about": "ω"}))
    assert texts == {"about": "ω"}
    assert {name: (x.shape, x.tobytes()) for name, x in tensors.items()} == {
        name: ((len(x),), struct.pack(f"<{len(x)}d", *x)) for name, x in data.items()
    }


def test_the_library_reads_a_file_without_arrays_and_a_single_number(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    assert library.load(safetensors.packed({}, {})) == {}
    assert library.load(safetensors.packed({"π": np.array(math.pi)}, {}))["π"] == math.pi


PACKED = safetensors.packed({"a": np.array([1.0, 2.0])}, {})


def packed(header: str, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header.encode() + data


def entry(dtype: str = "F64", shape: str = "[1]", begin: int = 0, end: int = 8) -> str:
    return f'{{"a": {{"dtype": "{dtype}", "shape": {shape}, "data_offsets": [{begin}, {end}]}}}}'


@pytest.mark.parametrize(
    "content",
    [
        PACKED[:-1],
        PACKED + b"\0",
        packed(entry(dtype="F32"), bytes(8)),
        packed(entry(shape="[2]"), bytes(8)),
        packed(entry(shape="[-1]"), bytes(8)),
        packed(entry(shape='["1"]'), bytes(8)),
        packed(entry(shape="{}"), bytes(8)),
        packed(entry(end=16), bytes(8)),
        packed(entry(begin=-8, end=0), bytes(8)),
        packed(entry(begin=8, end=0), bytes(8)),
        packed('{"a": 3}'),
        packed("{,}"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - by whichever part finds it out
        safetensors.unpacked(content)
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match="cannot restore"):
        MLP.load(tmp_path / "model.safetensors")


def test_arrays_that_belong_to_no_model_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(PACKED)
    with pytest.raises(ValueError, match="no description of the model"):
        MLP.load(path)
    about = json.dumps({"format": "autograd module", "version": 1, "names": ["weight0", "bias"]})
    path.write_bytes(safetensors.packed({"a": np.array([1.0, 2.0])}, {"autograd": about}))
    with pytest.raises(ValueError, match=r"expected arrays of the shapes \{'weight': \(1,\)"):
        Neuron.load(path, 1)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    MLP(2, [2, 1]).save(tmp_path / "model.safetensors")
    content = (tmp_path / "model.safetensors").read_bytes()
    for length in range(0, len(content), 7):
        (tmp_path / "model.safetensors").write_bytes(content[:length])
        with pytest.raises(ValueError, match="cannot restore"):
            MLP.load(tmp_path / "model.safetensors")
