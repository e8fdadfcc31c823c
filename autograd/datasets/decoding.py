"""The text in a file: what compresses it, how its characters are encoded, and what is none."""

from __future__ import annotations

import importlib
import zlib
from pathlib import Path

from autograd.datasets.refusal import TableError

UNPACK = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}
"""The module that decompresses a file that begins with these bytes. Not every Python has all."""

NO_TEXT = {
    b"PK\x03\x04": "a zip archive, as Excel's workbooks are; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"PAR1": "in Parquet; with pandas, pandas.read_parquet(…).to_csv('table.csv', index=False)",
    b"\x93NUMPY": "an array of NumPy; numpy.savetxt('table.csv', numpy.load(…), delimiter=',')",
}
"""What a file is that begins with these bytes, and what to do about it."""

NO_TABLE = {
    ("[", "{"): (
        "JSON; with pandas, "
        "pandas.read_json({file!r}).to_csv('table.csv', index=False) makes a table of it"
    ),
    ("<!doctype", "<html"): "a web page; save what it links to, often called raw or download",
}
"""What a text is that begins so, in small letters, and what to do about it."""


def text_of(path: Path, file: str, encoding: str | None) -> tuple[str, list[str]]:
    r"""The text of the file, its lines ended by \n, and a note on how it was compressed.

    Args:
        path: the file.
        file: its name, for messages.
        encoding: of the text; UTF-8, or UTF-16 with its mark, if None.
    """
    content, packed = _unpacked(path.read_bytes(), file)
    for start, kind in NO_TEXT.items():
        if content.startswith(start):
            raise TableError(f"{file}: it is {kind}")
    by_mark = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding or by_mark)
    except LookupError:
        raise TableError(f"{file}: there is no encoding {encoding!r}; try latin-1") from None
    except UnicodeError as error:
        raise _undecoded(content, file, encoding, error) from error
    if "\0" in text:
        # Of two bytes one is 0 where UTF-16 writes letters and digits, and lacks its mark.
        is_wide = 3 * content.count(0) > len(content)
        cure = {"encoding": "utf-16-be" if content[0] == 0 else "utf-16-le"} if is_wide else {}
        raise TableError(
            f"{file}: it is no text in {encoding or 'UTF-8'}, but has zero bytes in it", cure
        )
    begin = text[:200].lstrip().casefold()
    for starts, kind in NO_TABLE.items():
        if begin.startswith(starts):
            raise TableError(f"{file}: it is {kind.format(file=file)}")
    return text.replace("\r\n", "\n").replace("\r", "\n"), packed


def _unpacked(content: bytes, file: str) -> tuple[bytes, list[str]]:
    name = next((name for start, name in UNPACK.items() if content.startswith(start)), None)
    if name is None:
        return content, []
    try:
        unpack = importlib.import_module(name)
    except ImportError as error:  # as in a browser
        raise TableError(
            f"{file}: it is compressed, and this Python lacks the module {name}; unpack it"
        ) from error
    try:
        return unpack.decompress(content), [name + " compressed"]
    except (OSError, EOFError, zlib.error, getattr(unpack, "LZMAError", OSError)) as error:
        raise TableError(f"{file}: it is compressed, and damaged: {error}") from error


def _undecoded(content: bytes, file: str, encoding: str | None, error: UnicodeError) -> TableError:
    start = getattr(error, "start", 0)
    reason = f"byte {start} is {content[start : start + 1].hex()}"
    if encoding:
        return TableError(f"{file}: it is no text in {encoding} ({reason}); try another")
    if b"\0" in content:
        return TableError(f"{file}: it is no text in UTF-8 ({reason})")
    # Excel saves a plain CSV in the encoding of Windows, which has € and “ where Latin-1 has
    # characters that nobody types.
    windows = any(0x80 <= byte < 0xA0 for byte in content)
    return TableError(
        f"{file}: it is no text in UTF-8 ({reason})",
        {"encoding": "cp1252" if windows else "latin-1"},
    )
