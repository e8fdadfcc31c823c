"""Reads the lines of a text file: decompresses and decodes it, and rejects other formats."""

from __future__ import annotations

import importlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from autograd.data.errors import TableError

COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "lzma"}
"""The module that decompresses a file that begins with these bytes. Not every Python has all."""

NO_TABLE = {
    "PK\x03\x04": "a zip archive, as Excel's workbooks are; unpack it, or save the sheet as CSV",
    "\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    "PAR1": "in Parquet; with pandas, pandas.read_parquet(…).to_csv('table.csv', index=False)",
    "\x93NUMPY": "an array of NumPy; numpy.savetxt('table.csv', numpy.load(…), delimiter=',')",
    **dict.fromkeys(
        ("[", "{"),
        "JSON; with pandas, "
        "pandas.read_json({file!r}).to_csv('table.csv', index=False) makes a table of it",
    ),
    **dict.fromkeys(
        ("<!doctype", "<html"), "a web page; save what it links to, often called raw or download"
    ),
}
"""Other formats by how they begin, text in lower case, each with advice for the message."""

MOST_BYTES = 500_000_000
"""A larger text is read only up to a limit: as numbers it takes about seven times its size."""

LONGEST_LINE = 10_000_000

SOME_ROWS = 100_000
"""The limit that is suggested for a table that is too large."""


class TextFile:
    """A file of text, compressed or not, in UTF-8, UTF-16 with its mark, or cp1252.

    Attributes:
        name: its name in messages.
        encoding: its encoding.
        notes: how it is compressed, and an encoding that was recognized, as text for the user.
    """

    def __init__(self, path: Path, name: str, encoding: str | None) -> None:
        self._path, self.name = path, name
        self._content: bytes | None = None
        self._module = ""
        if not path.is_file():  # a pipe, which can be read only once
            with self._open() as pipe:
                self._content = pipe.read(MOST_BYTES + 1)
        start = self._start()
        self._module = next((m for begin, m in COMPRESSED.items() if start.startswith(begin)), "")
        self.notes = [f"{self._module} compressed"] if self._module else []
        start = self._start()
        has_mark = start[:2] in (b"\xff\xfe", b"\xfe\xff")
        self.encoding = encoding or ("utf-16" if has_mark else "utf-8-sig")
        try:
            text = start.decode(self.encoding, "ignore").lstrip().lower()
        except (LookupError, ValueError):  # the codec named "undefined" decodes nothing
            raise TableError(f"{name}: there is no encoding {encoding!r}; try latin-1") from None
        for begin, kind in NO_TABLE.items():
            if start.startswith(begin.encode("latin-1")) or text.startswith(begin):
                raise TableError(f"{name}: it is {kind.format(file=name)}")
        if not encoding and not has_mark and b"\0" in start:
            # Of two bytes one is 0 where UTF-16 writes letters and digits, and lacks its mark.
            is_wide = 3 * start.count(0) > len(start)
            wide = "utf-16-be" if start[0] == 0 else "utf-16-le"
            raise TableError(
                f"{name}: it is not text in UTF-8, but has zero bytes in it",
                {"encoding": wide} if is_wide else {},
            )

    def check_size(self) -> None:
        """Raise a TableError if there is too much text to be read whole."""
        with self._open() as file:
            file.seek(MOST_BYTES)
            if file.read(1):
                raise TableError(
                    f"{self.name}: it holds more than {MOST_BYTES // 10**6} MB of text, too much "
                    f"to read whole",
                    {"limit": SOME_ROWS},
                )

    def lines(self) -> Iterator[str]:
        """The lines with their ends. Raises UnicodeDecodeError if the encoding is wrong."""
        with self._open() as file, io.TextIOWrapper(file, self.encoding) as text:
            while line := text.readline(LONGEST_LINE):
                if len(line) == LONGEST_LINE:
                    raise TableError(f"{self.name}: a line has {LONGEST_LINE} characters or more")
                if "\0" in line:
                    raise TableError(f"{self.name}: it is not text, but has zero bytes in it")
                yield line

    def change_encoding(self, error: UnicodeDecodeError) -> None:
        """Change to cp1252 after UTF-8 failed, if that is likely.

        Raises:
            TableError: if no other is likely.
        """
        reason = f"byte {error.object[error.start : error.start + 1].hex()}"
        if self.encoding != "utf-8-sig":
            raise TableError(
                f"{self.name}: it is not text in {self.encoding} ({reason}); try another"
            )
        # Excel saves a plain CSV in the encoding of Windows, which has € and “ where Latin-1 has
        # characters that nobody types. In the languages it is for, most letters are ASCII.
        try:
            letters = [c for c in error.object.decode("cp1252") if c.isalpha()]
        except UnicodeDecodeError:
            letters = []
        if letters and 2 * sum(map(str.isascii, letters)) > len(letters):
            self.encoding = "cp1252"
            self.notes.append(self.encoding)
            return
        is_windows = any(0x80 <= byte < 0xA0 for byte in error.object)
        raise TableError(
            f"{self.name}: it is not text in UTF-8 ({reason})",
            {"encoding": "cp1252" if is_windows else "latin-1"},
        )

    def _start(self) -> bytes:
        """The first bytes."""
        with self._open() as file:
            return file.read(1 << 16)

    @contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        """Open the file, decompressed if it is compressed. An OSError in the block names it."""
        content, unpack = self._content, None
        with self._path.open("rb") if content is None else io.BytesIO(content) as source:
            try:
                unpack = importlib.import_module(self._module) if self._module else None
                yield unpack.open(source) if unpack else source
            except (
                OSError,
                EOFError,
                ImportError,
                zlib.error,
                getattr(unpack, "LZMAError", OSError),
            ) as error:
                if self._module:  # which a browser's Python may lack
                    raise TableError(
                        f"{self.name}: it is compressed, and cannot be unpacked: {error}"
                    ) from error
                if isinstance(error, OSError) and error.errno and error.filename is None:
                    raise type(error)(error.errno, error.strerror, str(self._path)) from None
                raise
