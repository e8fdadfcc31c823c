"""`Module`: the base class of models, with named parameters, saving, loading and predictions."""

from __future__ import annotations

import json
import os
import re
import reprlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

from autograd.files import write_whole
from autograd.nn import predictions, safetensors, serialization
from autograd.value import Value

Part: TypeAlias = "Value | Module"
"""An item found among the attributes of a module: a parameter, or a module inside it."""

Array: TypeAlias = "tuple[tuple[int, ...], list[Value]]"
"""A shape, and the parameters that fill it in row-major order."""


class Module:
    """Something with parameters to learn, found through its attributes.

    A parameter is a Value without operands, a part is another module; an attribute holds one of
    them, or a list, tuple, dictionary or NumPy array of them. (For a constant, use a plain number
    in place of a `Value`, or override `parameters`.) A subclass defines in `__call__` what the
    module computes.

        >>> class Line(Module):
        ...     def __init__(self):
        ...         self.slope, self.height = Value(1.0), Value(0.0)
        ...     def __call__(self, x):
        ...         return self.slope * x + self.height
        >>> [name for name, _ in Line().named_parameters()]
        ['slope', 'height']

    The name of a parameter is the path to it, joined by dots. An element of a list is named by the
    singular of the list's name, such as `layer0` in `layers`; without a plural, as `hidden.0`.
    """

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Compute the output. Subclasses implement this."""
        forward = "; a method forward is called by nobody" if hasattr(self, "forward") else ""
        raise TypeError(
            f"{type(self).__name__}: its class does not say what it computes; give it a method "
            f"__call__(self, x){forward}"
        )

    def parameters(self) -> list[Value]:
        """The leaves that training may change, each once, in the order of the attributes.

        A label that is empty, or only the end of the dotted name, is replaced by that name, so that
        messages and pictures distinguish the parameters of different parts.
        """
        leaves = [
            (path, part) for path, part in self._walk(learned=True) if isinstance(part, Value)
        ]
        for path, leaf in leaves:
            if not leaf.label or path.endswith(f".{leaf.label}"):
                leaf.label = path
        return [leaf for _, leaf in leaves]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Each parameter under its dotted name, in the order of `parameters`.

        A parameter that is reached through no attribute is named by its label or its index.
        """
        names = {id(part): path for path, part in self._walk()}
        return [
            (names.get(id(parameter)) or parameter.label or f"parameter{i}", parameter)
            for i, parameter in enumerate(self.parameters())
        ]

    def named_modules(self) -> list[tuple[str, Module]]:
        """This module under the name "", and every part within it under its dotted name."""
        return [(path, part) for path, part in self._walk() if isinstance(part, Module)]

    def _walk(self, learned: bool = False) -> Iterator[tuple[str, Part]]:
        """This module and all within it, depth-first, each once, with their dotted names.

        If only what is `learned` is asked for, of a part that overrides `parameters` those.
        """
        seen: set[int] = set()
        todo: list[tuple[str, Part]] = [("", self)]
        while todo:
            path, part = todo.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            yield path, part
            if isinstance(part, Module):
                parts = part._parts()
                if learned and part is not self and type(part).parameters is not Module.parameters:
                    parts = list(part.named_parameters())
                prefix = f"{path}." if path else ""
                todo += [(prefix + name, inner) for name, inner in reversed(parts)]

    def _parts(self) -> list[tuple[str, Part]]:
        """The modules and parameters in the attributes, with a distinct name for each."""
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

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model into a file from which `load` restores it to the last bit.

        A name that ends in `.safetensors` selects that format, in which a layer is an array
        `weight` (outputs × inputs) and an array `bias`; any other name selects JSON. The file is
        written atomically: on any failure, an existing one stays unchanged.

        Raises:
            OSError: if the file cannot be written.
            ValueError: if two parameters have one name, or an `MLP` has `classes`, but not a name
                for each output.
        """
        about = serialization.metadata(self)
        if Path(path).suffix == ".safetensors":
            import numpy as np

            arrays = {
                name: np.reshape([parameter.data for parameter in parameters], shape)
                for name, (shape, parameters) in self.arrays().items()
            }
            texts = {serialization.METADATA: json.dumps(about)}
            write_whole(path, safetensors.packed(arrays, texts))
        else:
            about["parameters"] = [
                serialization.to_json(parameter.data) for parameter in self.parameters()
            ]
            write_whole(path, json.dumps(about, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str], *arguments: Any, **named: Any) -> Self:
        """The model that was saved under this path.

        A class of your own is constructed first, so pass the arguments that it takes:
        `Net.load("net.json", 3, hidden=8)`. An `MLP` reads them from the file.

        Raises:
            OSError: if the file cannot be read; FileNotFoundError if there is none.
            ValueError: if it is damaged, or holds another kind of model; says what is wrong.
        """
        content = Path(path).read_bytes()
        try:
            about, numbers = serialization.parsed(content, cls._FORMAT)
            model = cls._restored(about, serialization.count(numbers), arguments, named)
            model._fill(numbers)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ValueError(f"{cls.__name__}.load: cannot restore {path}: {error}") from error
        return model

    _FORMAT: ClassVar[str] = "autograd module"

    def _description(self) -> dict[str, Any]:
        """How this kind of model is built again from a file: names, or sizes."""
        names = [name for name, _ in self.named_parameters()]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(
                f"{type(self).__name__}.save: two parameters are called {twice!r}; give each a "
                f"label or an attribute of its own"
            )
        return {"class": type(self).__name__, "names": names}

    @classmethod
    def _restored(
        cls, about: Mapping[str, Any], n_numbers: object, arguments: Any, named: Any
    ) -> Self:
        """Build the model that a file describes, without its numbers.

        Raises ValueError if the file describes a model with other parameters.
        """
        try:
            model = cls(*arguments, **named)
        except TypeError as error:
            raise TypeError(
                f"{error}; after the path, give the arguments that the model is built with"
            ) from error
        names = [name for name, _ in model.named_parameters()]
        if about.get("names") != names:
            raise ValueError(
                f"it holds a {about.get('class')} with the parameters "
                f"{reprlib.repr(about.get('names'))}, and this one has {reprlib.repr(names)}"
            )
        if n_numbers != len(names):
            raise ValueError(f"expected a list of {len(names)} parameters, got {n_numbers}")
        return model

    def _fill(self, numbers: list[Any] | dict[str, safetensors.Array]) -> None:
        if isinstance(numbers, list):
            for (name, parameter), number in zip(self.named_parameters(), numbers, strict=True):
                parameter.data = serialization.from_json(number, name)
            return
        arrays = self.arrays()
        expected = {name: shape for name, (shape, _) in arrays.items()}
        given = {name: array.shape for name, array in numbers.items()}
        if expected != given:
            raise ValueError(f"expected arrays of the shapes {expected}, got {given}")
        for name, (_, parameters) in arrays.items():
            for parameter, number in zip(parameters, numbers[name].flat, strict=True):
                parameter.data = float(number)

    def arrays(self) -> dict[str, Array]:
        """The parameters as other libraries store them: by name, a shape and the elements.

        A layer has an array `weight` (outputs × inputs) and an array `bias`, a neuron the same
        for its one output; any other parameter is an array of its own, of shape ().
        """
        found: dict[str, Array] = {}
        left = {id(parameter) for parameter in self.parameters()}
        for path, module in self.named_modules():
            own = module._own_arrays()
            ids = {id(x) for _, parameters in own.values() for x in parameters}
            if ids and ids <= left:
                left -= ids
                found |= {f"{path}.{name}" if path else name: x for name, x in own.items()}
        alone = ((name, x) for name, x in self.named_parameters() if id(x) in left)
        return found | {name: ((), [x]) for name, x in alone}

    def _own_arrays(self) -> dict[str, Array]:
        return {}

    # --- predictions

    def predict(self, X: Iterable[Any]) -> Any:
        """The outputs for many rows, as numbers: a list, or a NumPy array where X is one.

        Many rows are computed by a compiled function, as by `jit`, where the model can be
        compiled; few on Values. (To predict many times, keep `jit(model)`, which is compiled once,
        and reads the parameters afresh at each call.)

        Args:
            X: the rows: a list, a NumPy array or a table with a method `to_numpy`, as pandas'.

        Returns:
            A number for each row where the model has one output, else a list of numbers.

        Raises:
            TypeError, ValueError: for a row that the model refuses.
        """
        return predictions.predict(self, X)

    def score(
        self, X: Iterable[Any], Y: Iterable[Any], loss: Callable[..., Value] | None = None
    ) -> float:
        """Score the predictions: the accuracy of a classifier, or R² where numbers are predicted.

        R² is 1 - Σ(y - ŷ)² / Σ(y - mean)², over all outputs: 1 if all is predicted exactly, 0 if
        no better than the mean. A prediction of a class is right

        - of several outputs, if the largest is the target's, an index or a name of `classes`;
        - of one output, if it lies on the target's side: of 0, or of ½ after a sigmoid.

        Args:
            X: the rows, as for `predict`.
            Y: as many targets.
            loss: the training loss, which tells classes from numbers. Without it, the targets do:
                names and indices of outputs are classes, and so are rows with a single 1 among 0,
                and for one output 0 and 1 or -1 and +1.

        Raises:
            TypeError, ValueError: as `predict` does, and if X and Y differ in length or are empty.
        """
        return predictions.score(self, X, Y, loss)


# --- attributes -----------------------------------------------------------------------------------

_PLURAL = re.compile(r"(?:(?<=ss)|(?<=ias)|(?<=x))es$|(?<![aius])s$")
"""The ending of "layers", "biases" and "boxes", but not of "bias", "loss" or "radius"."""

_PLAIN = {float, int, bool, str, type(None)}


def _parts_in(name: str, content: Any) -> Iterator[tuple[str, Part]]:
    """The leaves and modules that an attribute of this name holds."""
    if isinstance(content, Module) or (isinstance(content, Value) and not content.args):
        yield name, content
    elif isinstance(content, dict):
        for key, item in content.items():
            yield from _parts_in(f"{name}.{key}", item)
    elif str(getattr(content, "dtype", "")) == "object":  # NumPy's array of Values
        yield from _parts_in(name, content.tolist())
    elif isinstance(content, list | tuple) and not set(map(type, content)) <= _PLAIN:
        singular, is_plural = _PLURAL.subn("", name)
        stem = singular if is_plural else f"{name}."
        for i, item in enumerate(content):
            yield from _parts_in(f"{stem}{i}", item)
