"""Neural networks as ordinary functions of Values: `Neuron`, `Layer` and `MLP`.

A neuron is weights · inputs + bias under an activation, a layer is neurons side by side, and a
multilayer perceptron is layers one after another. Nothing here learns: a model computes,
`backward()` finds the gradient of what was computed, and a stepper from `optim` moves the
`parameters()`.

    >>> model = MLP(2, [16, 16, 1], seed=1)
    >>> model
    MLP(2, [16, 16, 1], activation='relu', output='linear') of 337 parameters
    >>> score = model([0.5, -1.0])

A forward pass never looks at the numbers in it, so a model recorded at one input can be compiled
for all of them.
"""

from __future__ import annotations

import json
import math
import os
import random
import re
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self, TypeAlias

from autograd import primitives
from autograd.checks import checked_int
from autograd.files import write_whole
from autograd.primitives import real_number
from autograd.value import Operand, Value

GAINS = {"relu": 2.0, "softplus": 2.0, "tanh": 1.0, "sigmoid": 1.0, "sin": 1.0, "linear": 1.0}
"""The activations, and for each the variance of its first weights times the number of inputs.

It lets the outputs of deep layers vary as much as the inputs do: 1 for an activation that is close
to a straight line around 0 (LeCun et al., Efficient BackProp, 1998, section 4.6), and 2 for one
that loses its negative half (He et al., Delving Deep into Rectifiers, 2015, section 2.2).
"""

Part: TypeAlias = "Value | Module"

Seed: TypeAlias = int | random.Random | None
"""What weights are drawn from: the seed of a generator, a generator, or None for a fresh one."""


class Module:
    """Something with parameters to learn, found through its attributes.

    A parameter is a Value without operands, a part is another module; an attribute holds one of
    them, or a list, tuple or dictionary of them. (A `Value` that is not to be learned belongs into
    a plain number, or a subclass overrides `parameters` to say which it means.)

        >>> class Line(Module):
        ...     def __init__(self):
        ...         self.slope, self.height = Value(1.0), Value(0.0)
        ...     def __call__(self, x):
        ...         return self.slope * x + self.height
        >>> [name for name, _ in Line().named_parameters()]
        ['slope', 'height']

    Names are the way to a parameter, joined by dots. What stands in a list is called after it in
    the singular, as `layer0` in `layers`; where the list's name is no plural, as `hidden.0`.
    """

    def parameters(self) -> list[Value]:
        """The leaves that learning may move, each once, in the order of the attributes.

        A label that is empty, or only the end of the dotted name, becomes that name, so that
        messages and pictures tell the parameters of two parts apart.
        """
        found: dict[Value, None] = {}
        seen = {id(self)}
        todo = self._parts()[::-1]
        while todo:
            path, part = todo.pop()
            if isinstance(part, Value):
                if part not in found and (not part.label or path.endswith(f".{part.label}")):
                    part.label = path
                found[part] = None
            elif id(part) not in seen:
                seen.add(id(part))
                parts = part._parts()
                if type(part).parameters is not Module.parameters:  # it says itself which
                    parts = list(part.named_parameters())
                todo += [(f"{path}.{name}", inner) for name, inner in reversed(parts)]
        return list(found)

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Each parameter under its dotted name, in the order of `parameters`.

        One that `parameters` gives and no attribute leads to goes by its label.
        """
        names = {id(part): path for path, part in self._walk()}
        return [
            (names.get(id(parameter)) or parameter.label or f"parameter{i}", parameter)
            for i, parameter in enumerate(self.parameters())
        ]

    def named_modules(self) -> list[tuple[str, Module]]:
        """This module under the name "", and every part within it under its dotted name."""
        return [(path, part) for path, part in self._walk() if isinstance(part, Module)]

    def _walk(self) -> Iterator[tuple[str, Part]]:
        """This module and all within it, depth-first, each once."""
        seen: set[int] = set()
        todo: list[tuple[str, Part]] = [("", self)]
        while todo:
            path, part = todo.pop()
            if id(part) not in seen:
                seen.add(id(part))
                yield path, part
                if isinstance(part, Module):
                    prefix = f"{path}." if path else ""
                    todo += [(prefix + name, inner) for name, inner in reversed(part._parts())]

    def _parts(self) -> list[tuple[str, Part]]:
        """What the attributes hold, under names of which there are no two alike."""
        named: dict[str, Part] = {}
        for attribute, content in vars(self).items():
            for name, part in _parts_in(attribute, content):
                free = name
                while free in named:
                    free += "_"
                named[free] = part
        return list(named.items())

    def zero_grad(self) -> None:
        """Forget the gradients, so that the next backward pass starts afresh."""
        for parameter in self.parameters():
            parameter.grad = None

    def __repr__(self) -> str:
        return f"{self._signature()} of {len(self.parameters())} parameters"

    def _signature(self) -> str:
        return type(self).__name__


class Neuron(Module):
    """activation(weights · inputs + bias), for inputs that are Values or real numbers.

    The weights are drawn uniformly around 0 with the variance that `GAINS` asks for; the bias
    starts at 0. (Uniformly, because a seed then gives the same bits on every platform.)

    Args:
        n_inputs: how many inputs it takes, at least 1.
        activation: one of `GAINS`.
        seed: an int, a `random.Random` to draw from, or None for other weights each time.

    Its parameters are the weights, then the bias.

    Attributes:
        weights: one leaf per input, labelled `weight0`, `weight1` and so on.
        bias: a leaf, labelled `bias`.

    Raises:
        TypeError, ValueError: if `n_inputs` is no positive int or the activation is unknown.
            When called: if an input is no number, or if there are too many or too few.
    """

    def __init__(self, n_inputs: int, activation: str = "relu", seed: Seed = None) -> None:
        n_inputs = checked_int("the number of inputs", n_inputs)
        self.activation = _known(activation)
        limit = math.sqrt(3.0 * GAINS[activation] / n_inputs)  # the variance is limit² / 3
        rng = _generator(seed)
        self.weights = [Value(rng.uniform(-limit, limit), f"weight{i}") for i in range(n_inputs)]
        self.bias = Value(0.0, "bias")

    def __call__(self, inputs: Iterable[Operand]) -> Value:
        """The output for one row of inputs."""
        return self._output(_row(self, inputs, len(self.weights)))

    def _output(self, row: Sequence[Operand]) -> Value:
        z = Value.record(primitives.dot, (*self.weights, *row)) + self.bias
        return z if self.activation == "linear" else getattr(z, self.activation)()

    def _signature(self) -> str:
        return f"Neuron({len(self.weights)}, activation={self.activation!r})"


class Layer(Module):
    """Neurons side by side, all on the same inputs. It returns a Value, or a list if several.

    Args:
        n_inputs: how many inputs it takes, at least 1.
        n_outputs: how many neurons it has, at least 1.
        activation: one of `GAINS`.
        seed: as for `Neuron`.

    Its parameters come neuron by neuron, the weights of each and then its bias.

    Attributes:
        neurons: its neurons, whose parameters are labelled `neuron3.weight1` and so on.

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
        self.parameters()  # which are labelled with their names

    def __call__(self, inputs: Iterable[Operand]) -> Any:
        """The output for one row of inputs, or the list of outputs if there are several.

        A `Value` or a list of them by the width, which no type can say; hence the return type.
        """
        return _one_or_all(self._outputs(_row(self, inputs, self.n_inputs)))

    def _outputs(self, row: Sequence[Operand]) -> list[Value]:
        return [neuron._output(row) for neuron in self.neurons]

    def _signature(self) -> str:
        activation = self.neurons[0].activation
        return f"Layer({self.n_inputs}, {len(self.neurons)}, activation={activation!r})"


class MLP(Module):
    """A multilayer perceptron: layers one after another, each on the outputs of the one before.

    It returns a Value if the last layer has one neuron, and a list of Values if it has several.

    Args:
        n_inputs: how many inputs it takes, at least 1.
        widths: how many neurons each layer has, the last being the number of outputs.
        activation: one of `GAINS`, for all layers but the last.
        output: one of `GAINS`, for the last layer. Losses on logits want it "linear".
        seed: as for `Neuron`.

    Its parameters come layer by layer, and in a layer neuron by neuron.

    Attributes:
        layers: its layers, whose parameters are labelled `layer0.neuron3.weight1` and so on.
        classes: the names of its outputs, where it tells classes apart; saved with the model.

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
        self.parameters()  # which are labelled with their names

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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model as JSON, to be restored to the last bit by `MLP.load`.

        The file appears complete or not at all: whatever fails, an earlier one stays as it was.

        Raises:
            OSError: if the file cannot be written.
            ValueError: if there are `classes`, but not a name for each output.
        """
        saved = {
            "format": _FORMAT,
            "version": _VERSION,
            "n_inputs": self.n_inputs,
            "widths": self.widths,
            "activation": self.activation,
            "output": self.output,
            "classes": _names(self.classes, self.widths[-1]),
            "parameters": [_to_json(parameter.data) for parameter in self.parameters()],
        }
        write_whole(path, json.dumps(saved, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The model that was saved under this path.

        Raises:
            OSError: if the file cannot be read; FileNotFoundError if there is none.
            ValueError: if it is damaged or no saved MLP; the message says what is wrong.
        """
        content = Path(path).read_bytes()
        try:
            return cls._restored(content)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f"MLP.load: cannot restore {path}: {error}") from error

    @classmethod
    def _restored(cls, content: bytes) -> Self:
        saved = json.loads(content)
        if not isinstance(saved, dict) or saved.get("format") != _FORMAT:
            raise ValueError(f"expected a JSON object with the format {_FORMAT!r}")
        if saved.get("version") != _VERSION:
            raise ValueError(f"expected version {_VERSION}, got {saved.get('version')!r}")
        if missing := [key for key in _CONTENT if key not in saved]:
            raise ValueError(f"it lacks {', '.join(missing)}")
        n_inputs, widths, activation, output, classes, numbers = (saved[key] for key in _CONTENT)
        # Counted before anything is built, for a damaged width could ask for all memory.
        expected = sum((n_in + 1) * n_out for n_in, n_out in pairwise(_sizes(n_inputs, widths)))
        if not isinstance(numbers, list) or len(numbers) != expected:
            raise ValueError(f"expected a list of {expected} parameters, got {_described(numbers)}")
        model = cls(n_inputs, widths, activation, output, seed=0)
        for (name, parameter), number in zip(model.named_parameters(), numbers, strict=True):
            parameter.data = _from_json(number, name)
        model.classes = tuple(_names(classes, model.widths[-1]))
        return model


# --- checks ---------------------------------------------------------------------------------------


def _row(module: Module, inputs: Iterable[Operand], n_inputs: int) -> list[Operand]:
    """The inputs as Values and floats, after checking that they are that, and how many."""
    name = type(module).__name__
    if not isinstance(inputs, Iterable):
        raise TypeError(f"{name}: expected a list of {n_inputs} inputs, got {inputs!r}")
    expected = f"{name}: an input", "a Value or a real number"
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


def _generator(seed: Seed) -> random.Random:
    return seed if isinstance(seed, random.Random) else random.Random(seed)


_PLURAL = re.compile(r"(?:(?<=ss)|(?<=ias)|(?<=x))es$|(?<![aius])s$")
"""The ending of "layers", "biases" and "boxes", but not of "bias", "loss" or "radius"."""

_PLAIN = {float, int, bool, str, type(None)}


def _parts_in(name: str, content: object) -> Iterator[tuple[str, Part]]:
    """The leaves and modules that an attribute of this name holds."""
    if isinstance(content, Module) or (isinstance(content, Value) and not content.args):
        yield name, content
    elif isinstance(content, dict):
        for key, item in content.items():
            yield from _parts_in(f"{name}.{key}", item)
    elif isinstance(content, list | tuple) and not set(map(type, content)) <= _PLAIN:
        singular, is_plural = _PLURAL.subn("", name)
        stem = singular if is_plural else f"{name}."
        for i, item in enumerate(content):
            yield from _parts_in(f"{stem}{i}", item)


def _one_or_all(outputs: list[Value]) -> Value | list[Value]:
    return outputs[0] if len(outputs) == 1 else outputs


# --- files ----------------------------------------------------------------------------------------

_FORMAT = "autograd MLP"
_VERSION = 1
_CONTENT = ("n_inputs", "widths", "activation", "output", "classes", "parameters")
_NOT_IN_JSON = ("inf", "-inf", "nan")


def _to_json(number: float) -> float | str:
    """A number that JSON can write, which it does with as many digits as bring every bit back."""
    return number if math.isfinite(number) else repr(number)


def _from_json(number: object, name: str) -> float:
    if isinstance(number, bool) or not (isinstance(number, int | float) or number in _NOT_IN_JSON):
        raise ValueError(f"expected a number for {name}, got {reprlib.repr(number)}")
    return float(number)


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


def _described(numbers: object) -> str:
    return f"{len(numbers)}" if isinstance(numbers, list) else reprlib.repr(numbers)
