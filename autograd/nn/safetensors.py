"""The safetensors format: named arrays of numbers, bit for bit, in one file.

A file is the length of its header (8 bytes, little-endian), the header as JSON, and the numbers
one after another, little-endian and in row-major order. The header gives each array its type, its
shape and where its numbers begin and end; under `__metadata__` it may hold texts by name. (The
format is described at https://huggingface.co/docs/safetensors.)

Only the one type is known here that this project computes in, float64.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_LENGTH = struct.Struct("<Q")


class Tensor(NamedTuple):
    """An array: its shape, () for a single number, and its numbers in row-major order."""

    shape: tuple[int, ...]
    numbers: Sequence[float]


def packed(tensors: Mapping[str, Tensor], texts: Mapping[str, str]) -> bytes:
    """The content of a file with these arrays and these texts."""
    header: dict[str, Any] = {"__metadata__": dict(texts)}
    end = 0
    for name, (shape, numbers) in tensors.items():
        begin, end = end, end + 8 * len(numbers)
        header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers can be mapped into memory as they stand
    data = [struct.pack(f"<{len(numbers)}d", *numbers) for _, numbers in tensors.values()]
    return b"".join([_LENGTH.pack(len(text)), text, *data])


def is_packed(content: bytes) -> bool:
    """Whether this is the beginning of a safetensors file.

    In JSON or text, the first 8 bytes would be a header length greater than the file's length.
    """
    return content[8:9] == b"{" and _LENGTH.unpack(content[:8])[0] <= len(content)


def unpacked(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The arrays and the texts of a safetensors file. Raises ValueError if it is damaged."""
    start = 8 + int(_LENGTH.unpack(content[:8])[0])
    header = json.loads(content[8:start])
    data = content[start:]
    texts = header.pop("__metadata__", {})
    tensors = {name: _tensor(name, entry, data) for name, entry in header.items()}
    if sum(8 * len(numbers) for _, numbers in tensors.values()) != len(data):
        raise ValueError(f"its header does not describe the {len(data)} bytes that follow it")
    return tensors, texts


def _tensor(name: str, entry: Any, data: bytes) -> Tensor:
    match entry:
        case {"dtype": "F64", "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            numbers = data[begin:end] if 0 <= begin <= end <= len(data) else b""
            if all(isinstance(n, int) and n >= 0 for n in shape) and (
                end - begin == len(numbers) == 8 * math.prod(shape)
            ):
                return Tensor(tuple(shape), struct.unpack(f"<{len(numbers) // 8}d", numbers))
    raise ValueError(f"its array {name!r} is damaged, or no array of float64 (F64): {entry}")
