"""Files appear whole or not at all."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from autograd.files import write_whole


@pytest.mark.parametrize("content", ["naïve ∂\n", b"\x00\xff"])
def test_a_file_holds_what_was_written(tmp_path: Path, content: str | bytes) -> None:
    path = write_whole(tmp_path / "new", content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_an_interrupted_write_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "kept"
    path.write_text("before")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*new"):
        write_whole(tmp_path / "new", "text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_file_that_cannot_be_written_to_its_end_is_named(tmp_path: Path) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size in (200, 100_000):  # in the buffer as the file is closed, and beyond it
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
            with pytest.raises(OSError, match=r"too large: .*new"):
                write_whole(tmp_path / "new", "x" * size)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no such device here")
def test_a_device_that_takes_nothing_is_named() -> None:
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        write_whole("/dev/full", "text")


def test_a_link_is_written_through_and_a_mode_kept(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("before")
    target.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(target)
    write_whole(link, "after")
    assert link.is_symlink()
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("after", 0o600)


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    for name in ("x" * 255, "é" * 127):  # of two bytes each
        assert write_whole(tmp_path / name, "text").read_text() == "text"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert write_whole(pipe, "text") == pipe
        assert os.read(reader, 100) == b"text"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_folder_is_refused_and_nothing_is_left_behind(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]


def test_an_error_names_the_file_that_was_to_be(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"there is no folder .*nowhere; make it first"
    ) as e:
        write_whole(tmp_path / "nowhere" / "file", "text")
    assert e.value.filename == str(tmp_path / "nowhere" / "file")
    with pytest.raises(IsADirectoryError, match="it is a folder; name a file in it") as folder:
        write_whole(tmp_path, "text")
    assert folder.value.filename == str(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError) as inside:
        write_whole(tmp_path / "file" / "inside", "text")
    assert inside.value.filename == str(tmp_path / "file" / "inside")
