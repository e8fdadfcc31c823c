"""Neurons, layers and networks: what they compute, their parameters, and their files."""

from __future__ import annotations

import copy
import json
import math
import os
import pickle
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autograd as ag
from autograd import MLP, Layer, Module, Neuron, Value, recording
from autograd.nn import GAINS
from autograd.value import topological_order
from tests.models import fill, numbers
from tests.numerics import SPECIAL, same

# --- the forward pass -----------------------------------------------------------------------------


def test_a_neuron_by_hand() -> None:
    neuron = Neuron(2, activation="tanh")
    fill(neuron, [0.5, -2.0, 0.25])
    a, b = Value(3.0), Value(1.0)
    output = neuron([a, b])
    assert output.data == math.tanh(0.5 * 3.0 + -2.0 * 1.0 + 0.25)
    output.backward()
    slope = 1.0 - output.data**2
    gradients = [x.grad for x in (*neuron.parameters(), a, b)]
    assert gradients == [3.0 * slope, 1.0 * slope, slope, 0.5 * slope, -2.0 * slope]


def test_a_neuron_records_three_nodes() -> None:
    ops = [node.op for node in topological_order(Neuron(5)([1.0] * 5)) if node.op]
    assert ops == ["dot", "add", "relu"]
    ops = [node.op for node in topological_order(Neuron(5, "linear")([1.0] * 5)) if node.op]
    assert ops == ["dot", "add"]


@pytest.mark.parametrize("activation", GAINS)
def test_every_activation(activation: str) -> None:
    neuron = Neuron(1, activation)
    fill(neuron, [2.0, -0.5])
    functions: dict[str, Callable[[float], float]] = {"linear": lambda z: z}
    function = functions.get(activation) or getattr(ag, activation)
    for x in (-1.0, 0.25, 3.0):
        assert neuron([x]).data == function(2.0 * x - 0.5)


def test_a_network_by_hand() -> None:
    model = MLP(2, [2, 1], activation="relu", output="sigmoid")
    fill(model, [1.0, 2.0, -0.5, -1.0, 1.0, 0.0, 3.0, -4.0, 0.125])
    x, y = 0.75, 0.5
    hidden = [max(0.0, x + 2.0 * y - 0.5), max(0.0, -x + y)]
    assert model([x, y]).data == ag.sigmoid(3.0 * hidden[0] - 4.0 * hidden[1] + 0.125)


def test_one_output_is_a_value_and_several_are_a_list() -> None:
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    assert isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    for outputs in (Layer(2, 3)([1.0, 2.0]), MLP(2, [1, 3])([1.0, 2.0])):
        assert isinstance(outputs, list)
        assert [type(output) for output in outputs] == [Value] * 3


def test_rows_of_every_kind() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose rows this test passes, is missing")
    model = MLP(2, [3, 1], seed=1)
    expected = model([1.0, 2.0]).data
    row = [1.0, 2.0]
    rows: list[Any] = [(1, True + 1), map(Value, row), [Value(1.0), 2], (x for x in row)]
    rows += [np.array(row), np.array([1, 2]), np.array(row, dtype=np.float32)]
    assert [model(row).data for row in rows] == [expected] * len(rows)


def test_the_forward_pass_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [MLP(2, [3, 2], activation, "tanh") for activation in GAINS]
    inputs = [Value(1.0), Value(-2.0)]

    def refuse(value: Value) -> float:
        raise AssertionError("the forward pass looked at a number")

    monkeypatch.setattr(Value, "data", property(refuse))
    with recording.tracing():  # in which a branch on a comparison raises
        for model in models:
            model(inputs)


def test_models_run_without_recording() -> None:
    with ag.no_grad():
        outputs = MLP(2, [3, 2])([1.0, 2.0])
    assert [output.args for output in outputs] == [(), ()]


@pytest.mark.parametrize("activation", [name for name in GAINS if name != "relu"])
def test_the_gradient_of_a_network(activation: str) -> None:
    model = MLP(2, [3, 2, 2], activation=activation, output=activation, seed=3)
    rows = [[0.3, -0.8], [1.2, 0.4]]
    report = ag.check_gradient(
        lambda: ag.sum(ag.dot(model(x), [1.0, -2.0]) for x in rows), model.parameters()
    )
    assert len(report.comparisons) == len(model.parameters())


# --- parameters -----------------------------------------------------------------------------------


def test_parameters_come_layer_by_layer_neuron_by_neuron_weights_then_bias() -> None:
    model = MLP(2, [2, 1])
    expected = []
    for layer in model.layers:
        for neuron in layer.neurons:
            expected += [*neuron.weights, neuron.bias]
    assert model.parameters() == expected
    assert [name for name, _ in model.named_parameters()] == [
        *("layer0.neuron0.weight0", "layer0.neuron0.weight1", "layer0.neuron0.bias"),
        *("layer0.neuron1.weight0", "layer0.neuron1.weight1", "layer0.neuron1.bias"),
        *("layer1.neuron0.weight0", "layer1.neuron0.weight1", "layer1.neuron0.bias"),
    ]


def test_a_parameter_is_labeled_with_its_name() -> None:
    for module in (Neuron(2), Layer(2, 2), MLP(2, [2, 1])):
        assert [name for name, _ in module.named_parameters()] == [
            parameter.label for parameter in module.parameters()
        ]
    assert [p.label for p in Neuron(2).parameters()] == ["weight0", "weight1", "bias"]
    assert [p.label for p in Layer(1, 2).parameters()][:2] == ["neuron0.weight0", "neuron0.bias"]


def test_zero_grad_forgets_every_gradient() -> None:
    model = MLP(2, [3, 1])
    model([1.0, 2.0]).backward()
    assert None not in [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    assert {parameter.grad for parameter in model.parameters()} == {None}


def test_a_module_of_ones_own() -> None:
    class Line(Module):
        def __init__(self) -> None:
            self.slope, self.height = Value(2.0, "slope"), Value(1.0, "height")

        def __call__(self, x: float) -> Value:
            return self.slope * x + self.height

        def parameters(self) -> list[Value]:
            return [self.slope, self.height]

    line = Line()
    line(3.0).backward()
    assert [(name, p.grad) for name, p in line.named_parameters()] == [
        ("slope", 3.0),
        ("height", 1.0),
    ]
    line.zero_grad()
    assert line.slope.grad is None
    assert repr(line) == "Line of 2 parameters"
    assert Module().parameters() == []


class TwoLayers(Module):
    def __init__(self) -> None:
        self.first, self.second = Layer(1, 2, "tanh"), Layer(2, 1, "linear")
        self.scale = Value(1.0)
        self.bounds = (0.0, 1.0)

    def __call__(self, inputs: list[float]) -> Value:
        output: Value = self.second(self.first(inputs)) * self.scale
        return output


def names(module: Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


def test_parts_are_found_through_attributes_and_no_name_comes_twice() -> None:
    model = TwoLayers()
    expected = [
        *("first.neuron0.weight0", "first.neuron0.bias"),
        *("first.neuron1.weight0", "first.neuron1.bias"),
        *("second.neuron0.weight0", "second.neuron0.weight1", "second.neuron0.bias"),
        "scale",
    ]
    assert names(model) == expected
    assert [parameter.label for parameter in model.parameters()] == expected
    assert names(model.first)[0] == "neuron0.weight0"  # seen from the part, its name is shorter
    assert [name for name, _ in model.named_modules()] == [
        *("", "first", "first.neuron0", "first.neuron1", "second", "second.neuron0"),
    ]
    assert model.named_modules()[1][1] is model.first


def test_parts_in_lists_tuples_and_dictionaries() -> None:
    class Parts(Module):
        def __init__(self) -> None:
            self.layers = [Neuron(1), Neuron(1)]
            self.heads = {"left": (Value(1.0), 2.0), "right": Neuron(1)}
            self.hidden = [[Value(2.0)], [Value(3.0), "text"]]
            self.biases = (Value(4.0),)
            self.bias = [Value(5.0)]
            self.losses = {3: Value(6.0)}
            self.table = [[0.0] * 3] * 3

    assert names(Parts()) == [
        *("layer0.weight0", "layer0.bias", "layer1.weight0", "layer1.bias"),
        *("heads.left.0", "heads.right.weight0", "heads.right.bias"),
        *("hidden.0.0", "hidden.1.0", "bias0", "bias.0", "losses.3"),
    ]


def test_parts_in_arrays_of_numpy() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose arrays this test passes, is missing")

    class Linear(Module):
        def __init__(self) -> None:
            self.matrix = np.array([[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]])
            self.biases = np.array([Value(5.0)])
            self.numbers, self.names = np.ones(3), np.array(["a", None], dtype=object)

        def __call__(self, x: Any) -> Any:
            return (self.matrix @ np.array(x)).sum() + self.biases[0]

    model = Linear()
    names = [*(f"matrix.{i}.{k}" for i in (0, 1) for k in (0, 1)), "bias0"]
    assert [name for name, _ in model.named_parameters()] == names
    assert [x.data for x in model.parameters()] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert model.predict([[1.0, 10.0]]) == [69.0]


def test_a_module_that_does_not_say_what_it_computes() -> None:
    class Silent(Module):
        pass

    class Forward(Module):
        def forward(self, x: Any) -> Any:
            return x

    with pytest.raises(TypeError, match=r"^Silent: .* give it a method __call__\(self, x\)$"):
        Silent()([1.0])
    with pytest.raises(TypeError, match=r"^Forward: .*; a method forward is called by nobody$"):
        Forward().predict([[1.0]])


def test_what_a_user_has_labeled_stays_labeled() -> None:
    model = Module()
    model.inner = Module()  # type: ignore[attr-defined]
    model.inner.w = Value(1.0, "ω")  # type: ignore[attr-defined]
    assert [(name, p.label) for name, p in model.named_parameters()] == [("inner.w", "ω")]


def test_a_shared_parameter_and_a_part_that_knows_its_owner_are_met_once() -> None:
    class Tied(Module):
        def __init__(self) -> None:
            self.encode, self.decode = Neuron(1), Neuron(1)
            self.decode.weights = self.encode.weights
            self.encode.owner = self  # type: ignore[attr-defined]

    model = Tied()
    assert names(model) == ["encode.weight0", "encode.bias", "decode.bias"]
    assert names(model.encode) == ["weight0", "bias", "owner.decode.bias"]


def test_what_was_computed_is_no_parameter() -> None:
    line = TwoLayers()
    before = names(line)
    line.latest = line([1.0])  # type: ignore[attr-defined]
    assert names(line) == before


def test_a_part_that_says_itself_which_parameters_it_has() -> None:
    class Frozen(Module):
        def __init__(self) -> None:
            self.moving, self.still = Value(1.0), Value(2.0)

        def parameters(self) -> list[Value]:
            return [self.moving]

    class Owner(Module):
        def __init__(self) -> None:
            self.own, self.frozen = Value(0.0), Frozen()

    assert names(Frozen()) == ["moving"]
    assert names(Owner()) == ["own", "frozen.moving"]


def test_names_that_would_be_alike_are_told_apart() -> None:
    model = Module()
    model.layer0, model.layers = Value(1.0), [Value(2.0)]  # type: ignore[attr-defined]
    assert names(model) == ["layer0", "layer0_"]
    assert [parameter.data for parameter in model.parameters()] == [1.0, 2.0]


def test_what_works_with_micrograd_works_here() -> None:
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    score = model([Value(1.0), Value(2.0)])
    (1 + -1.0 * score).relu().backward()
    model.zero_grad()
    assert len(Neuron(3).parameters()) == 4
    assert len(Layer(3, 2)([1.0, 2.0, 3.0])) == 2


def test_micrograd_with_the_same_weights_finds_the_same() -> None:
    micrograd = pytest.importorskip("micrograd.nn", reason="micrograd is not installed")
    theirs, ours = micrograd.MLP(2, [16, 16, 1]), MLP(2, [16, 16, 1])
    fill(ours, numbers(theirs))
    for model in (theirs, ours):
        for row in ([0.5, -1.0], [-1.5, 2.0]):
            model(row).backward()
    assert ours([2.0, 1.0]).data == pytest.approx(theirs([2.0, 1.0]).data, rel=1e-12)
    gradients = [parameter.grad for parameter in ours.parameters()]
    expected = [parameter.grad for parameter in theirs.parameters()]
    assert gradients == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_repr() -> None:
    model = MLP(2, [16, 16, 1], output="sigmoid")
    assert repr(model) == (
        "MLP(2, [16, 16, 1], activation='relu', output='sigmoid') of 337 parameters"
    )
    assert repr(model.layers[0]) == "Layer(2, 16, activation='relu') of 48 parameters"
    assert repr(Neuron(2, "tanh")) == "Neuron(2, activation='tanh') of 3 parameters"


def test_models_can_be_copied_and_pickled() -> None:
    model = MLP(2, [3, 1], seed=1)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other([1.0, 2.0]).data == model([1.0, 2.0]).data
        assert not set(other.parameters()) & set(model.parameters())


# --- the first weights ----------------------------------------------------------------------------


def test_a_seed_decides_the_weights() -> None:
    assert numbers(MLP(3, [4, 2], seed=7)) == numbers(MLP(3, [4, 2], seed=7))
    assert numbers(MLP(3, [4, 2], seed=7)) != numbers(MLP(3, [4, 2], seed=8))
    assert numbers(MLP(3, [4, 2])) != numbers(MLP(3, [4, 2]))


def test_a_seed_means_the_same_for_ever() -> None:
    expected = ["-0x1.443fdbedea918p+0", "0x1.341b93564958cp+0", "0x0.0p+0"]
    assert [x.hex() for x in numbers(Neuron(2, seed=1))] == expected


@pytest.mark.parametrize("kind", [Neuron, Layer])
def test_the_description_names_every_activation(kind: type) -> None:
    assert all(f'"{name}"' in str(kind.__doc__) for name in GAINS)


def test_no_two_neurons_start_alike() -> None:
    weights = [
        w.data
        for layer in MLP(4, [8, 8, 3], seed=1).layers
        for neuron in layer.neurons
        for w in neuron.weights
    ]
    assert len(set(weights)) == len(weights)


@pytest.mark.parametrize("activation", GAINS)
def test_the_first_weights_have_the_variance_of_their_source(activation: str) -> None:
    n = 50
    layer = Layer(n, 200, activation, seed=1)
    weights = [w.data for neuron in layer.neurons for w in neuron.weights]
    expected = (2.0 if activation in ("relu", "softplus") else 1.0) / n  # He, LeCun
    assert math.fsum(w * w for w in weights) / len(weights) == pytest.approx(expected, rel=0.03)
    assert math.fsum(weights) / len(weights) == pytest.approx(
        0.0, abs=0.01 * math.sqrt(expected) * 3
    )
    assert max(weights) <= math.sqrt(3.0 * expected)
    assert {neuron.bias.data for neuron in layer.neurons} == {0.0}


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: MLP(2, []), ValueError, "at least one layer"),
        (lambda: MLP(2, [3, 0]), ValueError, "the width of layer 1 must be at least 1, got 0"),
        (lambda: MLP(2, [-3, 1]), ValueError, "layer 0 must be at least 1, got -3"),
        (lambda: MLP(0, [1]), ValueError, "inputs must be at least 1, got 0"),
        (lambda: MLP(2, [2.5, 1]), TypeError, "layer 0 must be an int, got 2.5 of type float"),
        (lambda: MLP(2, [16.0, 1]), TypeError, "got 16.0"),
        (lambda: MLP(2, [True]), TypeError, "got True of type bool"),
        (lambda: MLP(True, [1]), TypeError, "got True of type bool"),
        (lambda: MLP(2.0, [1]), TypeError, "got 2.0"),
        (lambda: MLP(None, [1]), TypeError, "got None"),
        (lambda: MLP(2, 16), TypeError, "a list of layer widths, got 16"),
        (lambda: MLP(2, "16"), TypeError, "got '1' of type str"),
        (lambda: Layer(2, 0), ValueError, "outputs must be at least 1, got 0"),
        (lambda: Layer(2, True), TypeError, "got True"),
        (lambda: Neuron(0), ValueError, "inputs must be at least 1, got 0"),
        (lambda: Neuron("2"), TypeError, "got '2'"),
        (lambda: Neuron(2, "swish"), ValueError, "'swish': use one of relu, softplus, tanh"),
        (lambda: MLP(2, [1], activation="swish"), ValueError, "'swish'"),
        (lambda: MLP(2, [1], output="softmax"), ValueError, "'softmax'"),
        (lambda: MLP(2, [1], output=["relu"]), ValueError, "'relu'"),
    ],
)
def test_no_such_model(build: Callable[[], Module], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_numpy_ints_are_ints() -> None:
    np = pytest.importorskip("numpy", reason="NumPy, whose ints this test passes, is missing")
    assert MLP(np.int64(2), np.array([3, 1])).widths == [3, 1]


@pytest.mark.parametrize("module", [Neuron(2), Layer(2, 3), MLP(2, [3, 1])], ids=repr)
def test_wrong_inputs(module: Any) -> None:
    name = type(module).__name__
    row: Any
    for row in ([], [1.0], [1.0, 2.0, 3.0]):
        with pytest.raises(ValueError, match=f"{name}: expected 2 inputs, got {len(row)}"):
            module(row)
    for row in (["1", 2.0], [1.0, None], [1j, 1.0], [[1.0], [2.0]], "ab"):
        with pytest.raises(TypeError, match=f"{name}: an input: expected a Value or a real number"):
            module(row)
    for no_row in (1.0, None, Value(1.0)):
        with pytest.raises(TypeError, match=f"{name}: expected a list of 2 inputs, got"):
            module(no_row)


# --- files ----------------------------------------------------------------------------------------


def test_a_file_brings_back_every_bit(tmp_path: Path) -> None:
    model = MLP(3, [3, 2], activation="tanh", output="sigmoid")
    fill(model, SPECIAL)
    model.save(tmp_path / "model.json")
    loaded = MLP.load(tmp_path / "model.json")
    assert same(numbers(loaded), SPECIAL)
    assert repr(loaded) == repr(model)
    assert loaded.named_parameters()[-1][0] == "layer1.neuron1.bias"


SAVED = {
    "format": "autograd MLP",
    "version": 1,
    "n_inputs": 1,
    "widths": [1],
    "activation": "relu",
    "output": "linear",
    "classes": [],
    "parameters": [1.0, 2],
}


def test_a_file_is_strict_json_that_says_what_it_is(tmp_path: Path) -> None:
    model = MLP(1, [1])
    fill(model, [math.nan, -math.inf])
    model.save(tmp_path / "model.json")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    saved = json.loads((tmp_path / "model.json").read_text("utf-8"), parse_constant=refuse)
    assert saved == {**SAVED, "parameters": ["nan", "-inf"]}


def test_paths_of_both_kinds(tmp_path: Path) -> None:
    MLP(1, [1], seed=1).save(str(tmp_path / "a b.json"))
    assert numbers(MLP.load(tmp_path / "a b.json")) == numbers(MLP(1, [1], seed=1))


def test_the_names_of_the_classes_are_saved(tmp_path: Path) -> None:
    model = MLP(1, [2])
    model.classes = ("no", "yes ∂")
    model.save(tmp_path / "model.json")
    assert MLP.load(tmp_path / "model.json").classes == ("no", "yes ∂")
    model.classes = ("no", "yes", "perhaps")
    with pytest.raises(ValueError, match="names of 2 classes"):
        model.save(tmp_path / "model.json")
    assert MLP.load(tmp_path / "model.json").classes == ("no", "yes ∂")


def damaged(**changes: Any) -> str:
    return json.dumps({key: x for key, x in {**SAVED, **changes}.items() if x != "absent"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1 column 1"),
        (damaged()[:-20], "line 1 column"),
        ("\x00\x01PK", "line 1 column 1"),
        (b"\xff\xfe\xfa\xfb\xfc", "codec can't decode"),
        ("[" * 100_000, "recursion"),
        ("[1, 2]", "the format 'autograd MLP'"),
        ("{}", "the format 'autograd MLP'"),
        (damaged(format="keras"), "the format 'autograd MLP'"),
        (damaged(version=2), "expected version 1, got 2"),
        (damaged(version="absent"), "expected version 1, got None"),
        (damaged(widths="absent", output="absent"), "it lacks widths, output"),
        (damaged(widths=[]), "at least one layer"),
        (damaged(widths=3), "a list of layer widths, got 3"),
        (damaged(widths=[1.0]), "layer 0 must be an int, got 1.0"),
        (damaged(n_inputs=0), "inputs must be at least 1, got 0"),
        (damaged(n_inputs=2), "a list of 3 parameters, got 2"),
        (damaged(widths=[10**15]), "a list of 2000000000000000 parameters, got 2"),
        (damaged(parameters=[1.0]), "a list of 2 parameters, got 1"),
        (damaged(parameters={"a": 1.0, "b": 2.0}), "a list of 2 parameters, got {'a'"),
        (damaged(parameters=[1.0, "two"]), "a number for layer0.neuron0.bias, got 'two'"),
        (damaged(parameters=[None, 1.0]), "a number for layer0.neuron0.weight0, got None"),
        (damaged(parameters=[True, 1.0]), "got True"),
        (damaged(parameters=[[1.0], 1.0]), r"got \[1.0\]"),
        (damaged(parameters=["0x1p0", 1.0]), "got '0x1p0'"),
        (damaged(parameters=[10**400, 1.0]), "too large"),
        (damaged(activation="swish"), "unknown activation 'swish'"),
        (damaged(activation=None), "unknown activation None"),
        (damaged(classes=["a", "b"]), r"names of 1 classes, or none, got \['a', 'b'\]"),
        (damaged(classes=[1]), r"got \[1\]"),
        (damaged(classes="a"), "got 'a'"),
    ],
)
def test_a_file_that_is_no_model(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message) as raised:
        MLP.load(path)
    assert str(path) in str(raised.value)


def test_an_undamaged_file_of_that_kind_loads(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(damaged())
    assert numbers(MLP.load(tmp_path / "model.json")) == [1.0, 2.0]


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    MLP(1, [1], seed=1).save(path)
    content = path.read_text()
    for length in range(len(content.rstrip())):
        path.write_text(content[:length])
        with pytest.raises(ValueError, match="cannot restore"):
            MLP.load(path)


def test_a_missing_file_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MLP.load(tmp_path / "model.json")


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()], ids=repr)
def test_an_interrupted_save_leaves_the_earlier_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    path = tmp_path / "model.json"
    MLP(1, [1], seed=1).save(path)
    before = path.read_bytes()

    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(type(error)):
        MLP(1, [1], seed=2).save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.json"]


def test_saving_into_no_folder_or_over_a_folder_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError):
        MLP(1, [1]).save(tmp_path / "nowhere" / "model.json")
    with pytest.raises(OSError, match="folder"):
        MLP(1, [1]).save(tmp_path / "folder")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.skipif(os.name != "posix", reason="permissions and symbolic links as POSIX has them")
def test_permissions_and_links_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.touch()
    usual = stat.S_IMODE(path.stat().st_mode)
    path.unlink()
    MLP(1, [1]).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == usual

    path.chmod(0o640)
    (tmp_path / "link.json").symlink_to(path)
    MLP(1, [1], seed=5).save(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert numbers(MLP.load(path)) == numbers(MLP(1, [1], seed=5))
