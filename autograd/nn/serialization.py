"""The file format of saved models: JSON, or safetensors with JSON as its metadata."""

from __future__ import annotations

import json
import math
import reprlib
from typing import Any

from autograd.nn import safetensors

VERSION = 1
METADATA = "autograd"
_NOT_IN_JSON = ("inf", "-inf", "nan")


def metadata(model: Any) -> dict[str, Any]:
    """The description of a `Module` for its file, without the numbers.

    Raises:
        ValueError: if the module cannot be saved (see `Module.save`).
    """
    return {"format": model._FORMAT, "version": VERSION, **model._description()}


def parsed(content: bytes, expected: str) -> tuple[Any, Any]:
    """The description of the model in a file, and its numbers: a list, or arrays by name.

    Raises:
        ValueError: if `save` did not write it, or its format or version is another one.
    """
    numbers, text = None, content
    if safetensors.is_packed(content):
        numbers, texts = safetensors.unpacked(content)
        if METADATA not in texts:
            raise ValueError("it has arrays, but no description of the model that they belong to")
        text = texts[METADATA].encode()
    try:
        saved = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is no file that save() wrote: no JSON ({error})") from error
    if not isinstance(saved, dict) or saved.get("format") != expected:
        found = saved.get("format") if isinstance(saved, dict) else type(saved).__name__
        raise ValueError(f"expected a JSON object with the format {expected!r}, got {found!r}")
    if saved.get("version") != VERSION:
        raise ValueError(f"expected version {VERSION}, got {saved.get('version')!r}")
    return saved, saved.get("parameters") if numbers is None else numbers


def count(numbers: Any) -> object:
    """Number of parameters, or the repr of an invalid argument."""
    if isinstance(numbers, dict) and all(hasattr(x, "size") for x in numbers.values()):
        return sum(x.size for x in numbers.values())
    return len(numbers) if isinstance(numbers, list) else reprlib.repr(numbers)


def to_json(number: float) -> float | str:
    """The number itself if it is finite, which JSON writes without loss, else its name as text."""
    return number if math.isfinite(number) else repr(number)


def from_json(number: object, name: str) -> float:
    """Read a number that `to_json` wrote.

    Raises ValueError, with the parameter's name, for anything else.
    """
    if isinstance(number, bool) or not (isinstance(number, int | float) or number in _NOT_IN_JSON):
        raise ValueError(f"expected a number for {name}, got {reprlib.repr(number)}")
    return float(number)
