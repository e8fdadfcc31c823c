"""`Neuron`, `Layer` and `MLP`: the models that come with the library."""

from __future__ import annotations

import math
import random
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Self, TypeAlias

from autograd import primitives
from autograd.checks import checked_int, real_number
from autograd.nn.module import Array, Module
from autograd.value import Operand, Value

GAINS = {"relu": 2.0, "softplus": 2.0, "tanh": 1.0, "sigmoid": 1.0, "sin": 1.0, "linear": 1.0}
"""The activations, and for each the variance of its first weights times the number of inputs.

It lets the outputs of deep layers vary as much as the inputs do: 1 for an activation that is close
to a straight line around 0 (LeCun et al., Efficient BackProp, 1998, section 4.6), and 2 for one
that loses its negative half (He et al., Delving Deep into Rectifiers, 2015, section 2.2).
"""

Seed: TypeAlias = int | random.Random | None
"""The source of random weights: a seed, a generator, or None for a new generator."""


def weight_limit(n_inputs: int, activation: str) -> float:
    """The largest magnitude of a neuron's first weights, whose variance is limit² / 3."""
    return math.sqrt(3.0 * GAINS[activation] / n_inputs)


class Neuron(Module):
    """activation(weights · inputs + bias), for inputs that are Values or real numbers.

    The weights are drawn uniformly around 0 with the variance given by `GAINS`; the bias starts at
    0. (Uniformly, because a seed then gives the same bits on every platform.)

    Args:
        n_inputs: how many inputs it takes, at least 1.
        activation: "relu", "softplus", "tanh", "sigmoid", "sin" or "linear".
        seed: an int, a `random.Random` to draw from, or None for other weights each time.

    Its parameters are the weights, then the bias.

    Attributes:
        weights: one leaf per input, labeled `weight0`, `weight1` and so on.
        bias: a leaf, labeled `bias`.

    Raises:
        TypeError, ValueError: if `n_inputs` is no positive int or the activation is unknown.
            When called: if an input is no number, or if there are too many or too few.
    """

    def __init__(self, n_inputs: int, activation: str = "relu", seed: Seed = None) -> None:
        n_inputs = checked_int("the number of inputs", n_inputs)
        self.activation = _known(activation)
        limit = weight_limit(n_inputs, activation)
        rng = _generator(seed)
        self.weights = [Value(rng.uniform(-limit, limit), f"weight{i}") for i in range(n_inputs)]
        self.bias = Value(0.0, "bias")

    def __call__(self, inputs: Iterable[Operand]) -> Value:
        """The output for one row of inputs."""
        return self._output(_row(self, inputs, len(self.weights)))

    def _output(self, row: Sequence[Operand]) -> Value:
        z = Value.record(primitives.dot, (*self.weights, *row)) + self.bias
        return z if self.activation == "linear" else getattr(z, self.activation)()

    def _own_arrays(self) -> dict[str, Array]:
        return {"weight": ((len(self.weights),), self.weights), "bias": ((), [self.bias])}

    def _signature(self) -> str:
        return f"Neuron({len(self.weights)}, activation={self.activation!r})"


class Layer(Module):
    """Neurons that share their inputs. A call returns a Value, or a list if there are several.

    Args:
        n_inputs: how many inputs it takes, at least 1.
        n_outputs: how many neurons it has, at least 1.
        activation: "relu", "softplus", "tanh", "sigmoid", "sin" or "linear".
        seed: as for `Neuron`.

    Its parameters come neuron by neuron, the weights of each and then its bias.

    Attributes:
        neurons: its neurons, whose parameters are labeled `neuron3.weight1` and so on.

    Raises:
        TypeError, ValueError: as `Neuron` does.
    """

    def __init__(
        self, n_inputs: int, n_outputs: int, activation: str = "relu", seed: Seed = None
    ) -> None:
        width = checked_int("the number of outputs", n_outputs)
        rng = _generator(seed)
        self.neurons = [Neuron(n_inputs, activation, rng) for _ in range(width)]
        self.n_inputs = len(self.neurons[0].weights)
        self.parameters()  # which are labeled with their names

    def __call__(self, inputs: Iterable[Operand]) -> Any:
        """The output for one row of inputs, or the list of outputs if there are several.

        A `Value` or a list of them by the width, which no type can say; hence the return type.
        """
        return _one_or_all(self._outputs(_row(self, inputs, self.n_inputs)))

    def _outputs(self, row: Sequence[Operand]) -> list[Value]:
        return [neuron._output(row) for neuron in self.neurons]

    def _own_arrays(self) -> dict[str, Array]:
        width = len(self.neurons)
        return {
            "weight": ((width, self.n_inputs), [w for n in self.neurons for w in n.weights]),
            "bias": ((width,), [neuron.bias for neuron in self.neurons]),
        }

    def _signature(self) -> str:
        activation = self.neurons[0].activation
        return f"Layer({self.n_inputs}, {len(self.neurons)}, activation={activation!r})"


class MLP(Module):
    """A multilayer perceptron: layers one after another, each on the outputs of the one before.

    It returns a Value if the last layer has one neuron, and a list of Values if it has several.

    Args:
        n_inputs: how many inputs it takes, at least 1.
        widths: how many neurons each layer has, the last being the number of outputs.
        activation: the activation of all layers but the last, as for `Neuron`.
        output: the activation of the last layer; "linear" for losses on logits.
        seed: as for `Neuron`.

    Its parameters come layer by layer, and in a layer neuron by neuron.

    Attributes:
        layers: its layers, whose parameters are labeled `layer0.neuron3.weight1` and so on.
        classes: the names of its outputs, where it tells classes apart; saved with the model.
        table: how the columns of its table become inputs (`datasets.Schema`); saved, too.

    Raises:
        TypeError, ValueError: as `Neuron` does, and if there are no layers.
    """

    def __init__(
        self,
        n_inputs: int,
        widths: Sequence[int],
        activation: str = "relu",
        output: str = "linear",
        seed: Seed = None,
    ) -> None:
        sizes = _sizes(n_inputs, widths)
        self.n_inputs, *self.widths = sizes
        self.activation = _known(activation)
        self.output = _known(output)
        rng = _generator(seed)
        activations = [activation] * (len(sizes) - 2) + [output]
        self.layers = [
            Layer(n_in, n_out, name, rng)
            for (n_in, n_out), name in zip(pairwise(sizes), activations, strict=True)
        ]
        self.classes: tuple[str, ...] = ()
        self.table: dict[str, Any] = {}
        self.parameters()  # which are labeled with their names

    def __call__(self, inputs: Iterable[Operand]) -> Any:
        """The output for one row of inputs, or the list of outputs if there are several.

        A `Value` or a list of them by the width, which no type can say; hence the return type.
        """
        first, *others = self.layers
        outputs = first._outputs(_row(self, inputs, self.n_inputs))
        for layer in others:
            outputs = layer._outputs(outputs)
        return _one_or_all(outputs)

    def _signature(self) -> str:
        activations = f"activation={self.activation!r}, output={self.output!r}"
        return f"MLP({self.n_inputs}, {self.widths}, {activations})"

    _FORMAT: ClassVar[str] = "autograd MLP"

    def _description(self) -> dict[str, Any]:
        about = {key: getattr(self, key) for key in _CONTENT}
        about["classes"] = _names(self.classes, self.widths[-1])
        return about | ({"table": self.table} if self.table else {})

    @classmethod
    def _restored(
        cls, about: Mapping[str, Any], n_numbers: object, arguments: Any, named: Any
    ) -> Self:
        if arguments or named:
            raise TypeError("an MLP is built from what its file says; give the path alone")
        if missing := [key for key in _CONTENT if key not in about]:
            raise ValueError(f"it lacks {', '.join(missing)}")
        n_inputs, widths, activation, output, classes = (about[key] for key in _CONTENT)
        # Counted before anything is built, for a damaged width could ask for all memory.
        expected = sum((n_in + 1) * n_out for n_in, n_out in pairwise(_sizes(n_inputs, widths)))
        if n_numbers != expected:
            raise ValueError(f"expected a list of {expected} parameters, got {n_numbers}")
        model = cls(n_inputs, widths, activation, output, seed=0)
        model.classes = tuple(_names(classes, model.widths[-1]))
        model.table = dict(about.get("table", {}))
        return model


# --- checks ---------------------------------------------------------------------------------------


def _row(module: Module, inputs: Iterable[Operand], n_inputs: int) -> list[Operand]:
    """The inputs as Values and floats, after checking that they are that, and how many."""
    name = type(module).__name__
    if not isinstance(inputs, Iterable):
        hint = f"; write [{inputs!r}]" if n_inputs == 1 else ""
        raise TypeError(f"{name}: expected a list of {n_inputs} inputs, got {inputs!r}{hint}")
    several = "give one row at a time, or all to predict"
    expected = f"{name}: an input", "a Value or a real number", several
    row = [x if isinstance(x, Value) else real_number(x, *expected) for x in inputs]
    if len(row) != n_inputs:
        raise ValueError(f"{name}: expected {n_inputs} inputs, got {len(row)}: {reprlib.repr(row)}")
    return row


def _sizes(n_inputs: int, widths: Sequence[int]) -> list[int]:
    if not isinstance(widths, Iterable):
        raise TypeError(f"MLP: expected a list of layer widths, got {widths!r}")
    sizes = [checked_int("the number of inputs", n_inputs)]
    sizes += [checked_int(f"the width of layer {i}", width) for i, width in enumerate(widths)]
    if len(sizes) == 1:
        raise ValueError("MLP: expected the width of at least one layer, got none")
    return sizes


def _known(activation: str) -> str:
    if not isinstance(activation, str) or activation not in GAINS:
        raise ValueError(f"unknown activation {activation!r}: use one of {', '.join(GAINS)}")
    return activation


# --- small parts ----------------------------------------------------------------------------------


_CONTENT = ("n_inputs", "widths", "activation", "output", "classes")


def _generator(seed: Seed) -> random.Random:
    return seed if isinstance(seed, random.Random) else random.Random(seed)


def _one_or_all(outputs: list[Value]) -> Value | list[Value]:
    return outputs[0] if len(outputs) == 1 else outputs


def _names(classes: object, n_outputs: int) -> list[str]:
    if (
        not isinstance(classes, list | tuple)
        or len(classes) not in (0, n_outputs)
        or not all(isinstance(name, str) for name in classes)
    ):
        raise ValueError(
            f"expected the names of {n_outputs} classes, or none, got {reprlib.repr(classes)}"
        )
    return list(classes)
