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
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Array: TypeAlias = "NDArray[np.float64]"


def packed(arrays: Mapping[str, Array], texts: Mapping[str, str]) -> bytes:
    """The content of a file with these arrays and these texts."""
    header: dict[str, Any] = {"__metadata__": dict(texts)}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": "F64", "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers can be mapped into memory as they stand
    data = [array.astype("<f8").tobytes() for array in arrays.values()]
    return b"".join([len(text).to_bytes(8, "little"), text, *data])


def is_packed(content: bytes) -> bool:
    """Whether this is the beginning of a safetensors file.

    In JSON or text, the first 8 bytes would be a header length greater than the file's length.
    """
    return content[8:9] == b"{" and int.from_bytes(content[:8], "little") <= len(content)


def unpacked(content: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the texts of a safetensors file. Raises ValueError if it is damaged."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    data = content[start:]
    texts = header.pop("__metadata__", {})
    arrays = {name: _array(name, entry, data) for name, entry in header.items()}
    if sum(array.nbytes for array in arrays.values()) != len(data):
        raise ValueError(f"its header does not describe the {len(data)} bytes that follow it")
    return arrays, texts


def _array(name: str, entry: Any, data: bytes) -> Array:
    import numpy as np

    match entry:
        case {"dtype": "F64", "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            are_counts = all(isinstance(n, int) and n >= 0 for n in shape)
            is_within = 0 <= begin <= end <= len(data)
            if are_counts and is_within and end - begin == 8 * math.prod(shape):
                return np.frombuffer(data[begin:end], "<f8").reshape(shape)
    raise ValueError(f"its array {name!r} is damaged, or no array of float64 (F64): {entry}")
