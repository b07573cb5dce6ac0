"""The archive of a deployment: private files with checksums that sha256sum accepts, and nothing is ever overwritten."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from probekit import archive as module
from probekit.archive import Archive, last_change, problem_of, safe_name

START = datetime(2026, 11, 23, 10, 30, 5, 250_000, tzinfo=UTC)
STEM = "deployment-20261123T103005Z"


@pytest.fixture
def archive(tmp_path) -> Archive:
    return Archive(root=tmp_path / "archive", release="2.3.1", started=START)


@pytest.fixture
def log(tmp_path) -> Path:
    path = tmp_path / "deploy.log"
    path.write_text("migrated\n")
    return path


def files_of(archive) -> list[str]:
    return sorted(path.name for path in archive.folder.iterdir())


def test_a_report_and_a_log_lie_in_the_folder_of_the_release_with_checksums(archive, log) -> None:
    archive.add_report("3f2a", '{"text": "Grüße"}')
    assert archive.add_log(str(log))

    names = ["report-3f2a.json", f"{STEM}.log"]
    assert archive.folder == archive.root / "2.3.1"
    assert files_of(archive) == sorted([*names, *(f"{name}.sha256" for name in names)])
    assert (archive.folder / f"{STEM}.log").read_text() == "migrated\n"
    assert list(archive.missing(["3f2a"], has_log=True)) == []


def test_sha256sum_accepts_the_checksums(archive, log) -> None:
    archive.add_report("3f2a", "{}")
    archive.add_log(str(log))
    sums = [name for name in files_of(archive) if name.endswith(".sha256")]

    command = ["sha256sum", "-c", "--strict", *sums]
    checked = subprocess.run(command, cwd=archive.folder, check=True, capture_output=True)

    assert checked.stdout.decode().splitlines() == [f"{name.removesuffix('.sha256')}: OK" for name in sums]


def test_files_and_folders_are_private_whatever_the_umask(archive, log) -> None:
    before = os.umask(0)
    try:
        archive.add_report("3f2a", "{}")
        archive.add_log(str(log))
    finally:
        os.umask(before)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in archive.folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(archive.folder.stat().st_mode) == 0o700


def test_a_log_that_changed_gets_a_further_name_and_the_same_one_none(archive, log) -> None:
    assert archive.add_log(str(log))
    assert not archive.add_log(str(log))
    log.write_text("migrated\nseeded\n")
    assert archive.add_log(str(log))

    assert [name for name in files_of(archive) if name.endswith(".log")] == [f"{STEM}-2.log", f"{STEM}.log"]
    assert (archive.folder / f"{STEM}.log").read_text() == "migrated\n"
    assert list(archive.missing((), has_log=True)) == []


def test_a_report_is_not_overwritten(archive) -> None:
    archive.add_report("3f2a", "{}")
    archive.add_report("3f2a", "{}")

    with pytest.raises(FileExistsError):
        archive.add_report("3f2a", '{"other": 1}')
    assert (archive.folder / "report-3f2a.json").read_text() == "{}"


def test_two_deployments_of_one_release_have_logs_of_their_own(archive, log) -> None:
    archive.add_log(str(log))
    second = Archive(root=archive.root, release="2.3.1", started=START.replace(hour=12))

    assert list(second.missing((), has_log=True)) == ["the log"]
    second.add_log(str(log))
    assert list(second.missing((), has_log=True)) == []


def changed(folder, name):
    (folder / name).write_text("changed")


def removed(folder, name):
    (folder / name).unlink()


def replaced_by_folder(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()


def replaced_by_pipe(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)


@pytest.mark.parametrize("harm", [changed, removed, replaced_by_folder, replaced_by_pipe])
@pytest.mark.parametrize("part", ["", ".sha256"])
@pytest.mark.parametrize(("name", "told"), [("report-3f2a.json", "the report of run 3f2a"), (f"{STEM}.log", "the log")])
def test_what_is_missing_or_differs_is_named(archive, log, harm, part, name, told) -> None:
    archive.add_report("3f2a", "{}")
    archive.add_log(str(log))

    harm(archive.folder, name + part)

    assert list(archive.missing(["3f2a"], has_log=True)) == [told]


def test_a_checksum_of_another_file_proves_nothing(archive) -> None:
    archive.add_report("a", "{}")
    archive.add_report("b", "{}")
    sums = archive.folder / "report-a.json.sha256"
    sums.write_bytes((archive.folder / "report-b.json.sha256").read_bytes())

    assert list(archive.missing(["a", "b"], has_log=False)) == ["the log", "the report of run a"]


def test_a_copy_that_was_cut_off_does_not_prevent_the_next_one(archive, log) -> None:
    """A process that is killed leaves a part without a checksum."""
    archive.folder.mkdir(parents=True)
    (archive.folder / f"{STEM}.log").write_text("migr")

    assert archive.add_log(str(log))
    assert list(archive.missing((), has_log=True)) == []


def test_a_lacking_checksum_of_the_same_content_is_added(archive, log) -> None:
    archive.add_log(str(log))
    (archive.folder / f"{STEM}.log.sha256").unlink()

    assert not archive.add_log(str(log))
    assert list(archive.missing((), has_log=True)) == []


def test_without_a_noted_log_the_log_is_missing(archive, log) -> None:
    archive.add_log(str(log))

    assert list(archive.missing((), has_log=False)) == ["the log"]


@pytest.mark.parametrize(
    "release",
    [
        "../../x",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "x" * 300,
        "-rf",
        ".hidden",
        "a\0b",
        "a\nb",
        "ünïcode",
        "\ud800",
        " ",
        "2.3.1.",
        "_unnamed",
    ],
)
def test_the_name_of_a_hostile_release_stays_in_the_archive(tmp_path, release) -> None:
    archive = Archive(root=tmp_path / "archive", release=release, started=START)

    archive.add_report("3f2a", "{}")

    assert archive.folder.parent == tmp_path / "archive"
    assert [path.name for path in (tmp_path / "archive").iterdir()] == [archive.folder.name]
    assert archive.folder.name not in ("_unnamed", release)
    assert len(archive.folder.name) < 100
    assert not archive.folder.name.startswith((".", "-"))


@pytest.mark.parametrize("release", ["2.3.1", "v2.3.1-rc.1+build.5", "main_3f2a", "x" * 64])
def test_an_ordinary_release_names_its_folder(release) -> None:
    assert safe_name(release) == release


def test_different_releases_have_different_folders() -> None:
    names = ["a/b", "a-b", "a\\b", "A/b", "../a", "x" * 300, "x" * 301, ""]

    assert len({safe_name(name) for name in names}) == len(names)
    assert Archive(root=Path("/a"), release=None, started=START).folder == Path("/a/_unnamed")


def test_the_id_of_a_run_cannot_leave_the_folder(archive) -> None:
    archive.add_report("../../x", "{}")

    assert {path.parent for path in archive.root.rglob("*.json")} == {archive.folder}


def test_a_log_of_more_than_the_limit_is_refused(archive, log, monkeypatch) -> None:
    with log.open("wb") as file:
        file.truncate((64 << 20) + 1)

    with pytest.raises(OSError, match="larger than 64 MiB"):
        archive.add_log(str(log))
    assert not archive.folder.exists()
    monkeypatch.setattr(module, "LARGEST", 3)
    with pytest.raises(OSError, match="the report is larger"):
        archive.add_report("3f2a", "{  }")


def test_a_pipe_is_refused_at_once(archive, tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="not a regular file"):
        archive.add_log(str(tmp_path / "pipe"))


def test_a_link_in_place_of_the_folder_is_refused(archive, tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    archive.root.mkdir()
    archive.folder.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="a symbolic link"):
        archive.add_report("3f2a", "{}")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_place_of_a_file_is_not_followed(archive, tmp_path) -> None:
    archive.folder.mkdir(parents=True)
    (archive.folder / "report-3f2a.json").symlink_to(tmp_path / "victim")

    with pytest.raises(FileExistsError):
        archive.add_report("3f2a", "{}")
    assert not (tmp_path / "victim").exists()


def test_a_full_archive_refuses_another_copy(archive, log) -> None:
    for number in range(100):
        log.write_text(f"{number}\n")
        assert archive.add_log(str(log))
    log.write_text("one more\n")

    with pytest.raises(OSError, match="100 copies"):
        archive.add_log(str(log))


def test_a_file_that_cannot_be_written_whole_is_removed(archive, monkeypatch) -> None:
    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        archive.add_report("3f2a", "{}")
    assert files_of(archive) == []


def test_the_checksum_is_that_of_the_bytes(archive) -> None:
    archive.add_report("3f2a", '"\ud800"')

    data = (archive.folder / "report-3f2a.json").read_bytes()
    line = f"{hashlib.sha256(data).hexdigest()}  report-3f2a.json\n"
    assert (archive.folder / "report-3f2a.json.sha256").read_text() == line


def test_the_last_change_is_read_without_opening_the_file(log, monkeypatch) -> None:
    os.utime(log, times=(START.timestamp(),) * 2)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    monkeypatch.setattr("builtins.open", lambda *_: pytest.fail("opened"))

    assert last_change(str(log)) == START


def test_a_log_that_this_user_cannot_read_has_no_last_change(log, monkeypatch) -> None:
    """The mode alone does not show it: root reads every file."""
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (str(log), os.R_OK))

    with pytest.raises(PermissionError) as raised:
        last_change(str(log))
    assert problem_of(raised.value) == "it cannot be read: permission denied"


@pytest.mark.parametrize("time", [1e15, -1e15])
def test_a_change_outside_the_calendar_is_no_time(log, monkeypatch, time) -> None:
    state = os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, 5, time, time, time))
    monkeypatch.setattr(Path, "stat", lambda _path: state)

    with pytest.raises(OSError, match="outside the calendar"):
        last_change(str(log))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(2, "No such file"), "it does not exist"),
        (PermissionError(13, "x"), "it cannot be read: permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ValueError("embedded null byte"), "embedded null byte"),
    ],
)
def test_a_problem_is_told_in_words(error, told) -> None:
    assert problem_of(error) == told
