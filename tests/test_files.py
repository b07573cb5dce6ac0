"""A file is read to its end or to a bound, whatever it is."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from probekit.files import read_file


def piped(path: Path, *parts: bytes, ends: threading.Event | None = None) -> None:
    """A named pipe and its writer, which stays until that event."""
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            for part in parts:
                pipe.write(part)
            if ends:
                ends.wait(20)

    threading.Thread(target=write, daemon=True).start()


@pytest.mark.parametrize("data", [b"", b"a", b"x" * 100])
def test_a_file_is_read_whole(tmp_path, data) -> None:
    (tmp_path / "a").write_bytes(data)

    assert read_file(tmp_path / "a", largest=100) == data


@pytest.mark.parametrize("parts", [(), (b"a",), (b"a" * 70_000, b"b" * 70_000)])
def test_a_pipe_is_read_whole(tmp_path, parts) -> None:
    piped(tmp_path / "pipe", *parts)

    assert read_file(tmp_path / "pipe", patience=20) == b"".join(parts)


def test_a_process_substitution_is_read_whole() -> None:
    read, write = os.pipe()
    os.write(write, b"text")
    os.close(write)
    try:
        assert read_file(Path(f"/dev/fd/{read}"), patience=20) == b"text"
    finally:
        os.close(read)


def test_a_pipe_without_a_writer_ends(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match=r"has not ended after 0.05 s") as caught:
        read_file(tmp_path / "pipe", patience=0.05)

    assert caught.value.errno == errno.ETIMEDOUT


def test_a_pipe_whose_writer_stays_ends(tmp_path) -> None:
    ends = threading.Event()
    piped(tmp_path / "pipe", b"a = 1\n", ends=ends)

    with pytest.raises(OSError, match=r"has not ended") as caught:
        read_file(tmp_path / "pipe", patience=0.3)

    assert caught.value.errno == errno.ETIMEDOUT
    ends.set()


@pytest.mark.parametrize("name", ["/dev/zero", "large"])
def test_what_is_too_large_is_not_read_on(tmp_path, name) -> None:
    (tmp_path / "large").write_bytes(bytes((1 << 20) + 1))

    with pytest.raises(OSError, match=r"larger than 1 MiB") as caught:
        read_file(tmp_path / name)

    assert caught.value.errno == errno.EFBIG


@pytest.mark.parametrize(("name", "error"), [("absent", FileNotFoundError), (".", IsADirectoryError)])
def test_what_cannot_be_read_is_told(tmp_path, name, error) -> None:
    with pytest.raises(error):
        read_file(tmp_path / name)
