"""A file is read to its end or to a bound, whatever it is; what is written is whole, private and where it should be."""

from __future__ import annotations

import errno
import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from probekit import files
from probekit.files import append_file, make_private, make_private_folder, read_file, write_file


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

    with pytest.raises(OSError, match=r"was not closed within 0.05 s") as caught:
        read_file(tmp_path / "pipe", patience=0.05)

    assert caught.value.errno == errno.ETIMEDOUT


def test_a_pipe_whose_writer_stays_ends(tmp_path) -> None:
    ends = threading.Event()
    piped(tmp_path / "pipe", b"a = 1\n", ends=ends)

    with pytest.raises(OSError, match="was not closed within") as caught:
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


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_new_file_has_the_mode_that_is_asked_for(tmp_path, mode) -> None:
    write_file(tmp_path / "report", "text", mode=mode)

    assert (mode_of(tmp_path / "report"), (tmp_path / "report").read_text()) == (mode, "text")
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o604, 0o640, 0o664])
def test_a_replaced_file_keeps_its_mode(tmp_path, mode) -> None:
    (tmp_path / "report").write_text("before, and longer")
    (tmp_path / "report").chmod(mode)

    write_file(tmp_path / "report", "text", mode=0o644)

    assert (mode_of(tmp_path / "report"), (tmp_path / "report").read_text()) == (mode, "text")


def test_the_mode_of_another_user_s_file_does_not_count(tmp_path, monkeypatch) -> None:
    (tmp_path / "report").write_text("planted")
    (tmp_path / "report").chmod(0o666)
    monkeypatch.setattr(os, "geteuid", lambda: (tmp_path / "report").stat().st_uid + 1)

    write_file(tmp_path / "report", "text")

    assert (mode_of(tmp_path / "report"), (tmp_path / "report").read_text()) == (0o600, "text")


def test_a_group_that_cannot_be_kept_is_not_let_in(tmp_path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    (tmp_path / "report").write_text("before")
    (tmp_path / "report").chmod(0o664)
    monkeypatch.setattr(os, "fchown", refuse)

    write_file(tmp_path / "report", "text")

    assert mode_of(tmp_path / "report") == 0o604


@pytest.mark.parametrize("leads_to", ["victim", "nowhere", "folder"])
def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path, leads_to) -> None:
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "victim").chmod(0o644)
    (tmp_path / "folder").mkdir()
    (tmp_path / "report").symlink_to(tmp_path / leads_to)

    write_file(tmp_path / "report", "text")

    assert (mode_of(tmp_path / "report"), (tmp_path / "report").read_text()) == (0o600, "text")
    assert not (tmp_path / "report").is_symlink()
    assert (tmp_path / "victim").read_text() == "untouched"
    assert {path.name for path in tmp_path.iterdir()} == {"victim", "folder", "report"}


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(tmp_path, monkeypatch) -> None:
    (tmp_path / "victim").write_text("untouched")
    names = iter(["planted", "other"])
    monkeypatch.setattr(files.mkstemp.__globals__["_RandomNameSequence"], "__next__", lambda _self: next(names))
    (tmp_path / ".probekit-planted.part").symlink_to(tmp_path / "victim")

    write_file(tmp_path / "report", "text")

    assert next(names, None) is None  # the planted name was tried
    assert (tmp_path / "victim").read_text() == "untouched"
    assert (tmp_path / "report").read_text() == "text"


def test_two_writers_use_two_temporary_files(tmp_path, monkeypatch) -> None:
    seen: list[str] = []
    replace = Path.replace

    def observed(part: Path, path: Path) -> Path:
        seen.append(part.name)
        assert mode_of(part) == 0o600
        return replace(part, path)

    monkeypatch.setattr(Path, "replace", observed)
    for _ in range(2):
        write_file(tmp_path / "report", "text")

    assert len(set(seen)) == 2


@pytest.mark.parametrize("path", ["folder", "absent/report", "victim/report", "x" * 300, "", "/"])
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch, path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "victim").write_text("untouched")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OSError, match=r"."):
        write_file(Path(path), "text")

    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "victim"}


def test_half_a_surrogate_pair_is_escaped(tmp_path) -> None:
    write_file(tmp_path / "report", "2.3\ud800")

    assert (tmp_path / "report").read_text() == "2.3\\ud800"


def test_a_pipe_gets_the_text_and_stays_a_pipe(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(tmp_path / "pipe", "text")
        assert os.read(reader, 100) == b"text"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)


def test_a_pipe_s_reader_may_come_later(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()), daemon=True)
    starter = threading.Timer(0.1, reader.start)
    starter.start()

    write_file(tmp_path / "pipe", "x" * 200_000, patience=20)  # more than a pipe holds

    starter.join()
    reader.join(20)
    assert read == ["x" * 200_000]


def test_a_pipe_that_nobody_reads_is_given_up(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="the pipe has no reader") as caught:
        write_file(tmp_path / "pipe", "text", patience=0.1)

    assert caught.value.errno == errno.ENXIO


def test_a_pipe_whose_reader_takes_nothing_is_given_up(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OSError, match=r"has read nothing for 0.1 s") as caught:
            write_file(tmp_path / "pipe", "x" * 200_000, patience=0.1)
    finally:
        os.close(reader)

    assert caught.value.errno == errno.ETIMEDOUT


def test_a_link_of_the_system_is_followed(tmp_path) -> None:
    """A process substitution, and /dev/stdout where stdout is a pipe or a file."""
    reader, writer = os.pipe()
    file = os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT)
    try:
        for handle in (writer, file):
            write_file(Path(f"/dev/fd/{handle}"), "text")
        assert os.read(reader, 100) == b"text"
    finally:
        for handle in (reader, writer, file):
            os.close(handle)
    assert (tmp_path / "out").read_text() == "text"


@pytest.mark.usefixtures("umask")
def test_a_text_is_appended_to_a_file_and_a_new_one_is_private(tmp_path) -> None:
    (tmp_path / "there").write_text("one")
    (tmp_path / "there").chmod(0o644)

    for name in ("there", "new"):
        append_file(tmp_path / name, "two\ud800")

    assert (tmp_path / "there").read_text() == "onetwo\\ud800"
    assert (tmp_path / "new").read_text() == "two\\ud800"
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("there", "new")] == [0o644, 0o600]


def test_a_file_that_another_process_has_just_created_gets_the_text_too(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("one")
    monkeypatch.setattr(files, "_state_of", lambda _path: None)

    append_file(tmp_path / "file", "two")

    assert (tmp_path / "file").read_text() == "onetwo"


def test_nothing_is_appended_to_a_file_that_would_be_too_large(tmp_path) -> None:
    (tmp_path / "file").write_text("x" * 6)

    append_file(tmp_path / "file", "\xe9\xe9", largest=10)
    with pytest.raises(OSError, match="larger than") as caught:
        append_file(tmp_path / "file", "y", largest=10)

    assert caught.value.errno == errno.EFBIG
    assert (tmp_path / "file").read_text() == "x" * 6 + "\xe9\xe9"


@pytest.mark.parametrize("path", ["folder", "absent/file", "link", "dangling", "x" * 300, "", "/"])
def test_what_is_no_file_of_its_own_gets_no_text(tmp_path, monkeypatch, path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "link").symlink_to("victim")
    (tmp_path / "dangling").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(OSError, match=r"."):
        append_file(Path(path), "text")

    assert {path.name for path in tmp_path.rglob("*")} == {"folder", "victim", "link", "dangling"}
    assert (tmp_path / "victim").read_text() == "untouched"


def test_a_private_file_and_its_folder_are_made_for_their_owner(tmp_path) -> None:
    make_private(tmp_path / "folder" / "store")

    assert (mode_of(tmp_path / "folder"), mode_of(tmp_path / "folder/store")) == (0o700, 0o600)


def test_a_private_file_that_is_there_stays(tmp_path) -> None:
    (tmp_path / "store").write_text("kept")

    make_private(tmp_path / "store")

    assert (tmp_path / "store").read_text() == "kept"


@pytest.mark.parametrize("leads_to", ["victim", "nowhere"])
def test_a_link_in_the_place_of_a_private_file_is_refused(tmp_path, leads_to) -> None:
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / "store").symlink_to(tmp_path / leads_to)

    with pytest.raises(OSError, match="name the file that it points to"):
        make_private(tmp_path / "store")

    assert {path.name for path in tmp_path.iterdir()} == {"victim", "store"}


@pytest.mark.parametrize("name", ["pipe", "/dev/null", "folder"])
def test_what_is_no_regular_file_is_no_private_file(tmp_path, name) -> None:
    os.mkfifo(tmp_path / "pipe")  # without a writer it is not waited for
    (tmp_path / "folder").mkdir()

    with pytest.raises(OSError, match=r"regular file|Is a directory"):
        make_private(tmp_path / name)


@pytest.mark.parametrize("mode", [None, 0o755, 0o777, 0o700])
def test_a_folder_of_our_own_is_closed_to_others(tmp_path, mode) -> None:
    if mode:
        (tmp_path / "state").mkdir()
        (tmp_path / "state").chmod(mode)

    make_private_folder(tmp_path / "state")

    assert mode_of(tmp_path / "state") == 0o700


@pytest.mark.parametrize("name", ["", "there", "none", "x" * 300, "a\0b", "there/below"])
def test_a_name_that_no_file_can_have_is_that_of_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").write_text("")

    asked = tmp_path / name

    assert [ask(asked) for ask in (files.is_there, files.is_file, files.is_folder)] == {
        "": [True, False, True],
        "there": [True, True, False],
    }.get(name, [False] * 3)


def test_what_a_user_named_is_asked_for_by_these_functions() -> None:
    """pathlib's own raise for a name that is too long, which is a mistake of the command line or configuration."""
    source = Path(files.__file__).parent
    allowed = {"control_group.py"}  # a path of the kernel's
    asked = re.compile(r"\.(?:exists|is_file|is_dir)\(\)")

    found = [
        path.name
        for path in source.rglob("*.py")
        if "demo" not in path.relative_to(source).parts and asked.search(path.read_text("utf-8"))
    ]

    assert {*found} <= allowed
