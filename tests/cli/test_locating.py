"""The line of a table in the configuration, for reports that name one."""

from __future__ import annotations

import os

import pytest

from probekit.cli.locating import located
from probekit.model.document import Place
from probekit.reports import Location

TEXT = """# a file
[env.prod]
base_url = "https://app.example.com"

[env.prod.probes.health]
kind = "http"
"""
HEALTH = ("env", "prod", "probes", "health")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "probes.toml").write_text(TEXT)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("keys", "line"),
    [(HEALTH, 5), (("env", "prod"), 2), (("env", "prod", "probes", "cache"), 5), (("env", "stage"), 2), ((), 1)],
)
def test_a_table_has_its_line_and_a_missing_one_that_of_its_parent(keys, line) -> None:
    assert located(Place(file="probes.toml", keys=keys)) == Location(uri="probes.toml", line=line)


def test_a_file_below_the_working_directory_is_named_by_its_path_from_there(folder) -> None:
    assert located(Place(file=str(folder / "probes.toml"), keys=HEALTH)).uri == "probes.toml"
    (folder / "a b#c").mkdir()
    (folder / "a b#c" / "probes.toml").write_text(TEXT)
    assert located(Place(file="a b#c/probes.toml")).uri == "a%20b%23c/probes.toml"


def test_a_file_elsewhere_is_named_by_its_url(tmp_path_factory, folder) -> None:
    other = tmp_path_factory.mktemp("other") / "probes.toml"
    other.write_text(TEXT)

    assert located(Place(file=str(other), keys=HEALTH)) == Location(uri=other.as_uri(), line=5)


@pytest.mark.parametrize("content", [None, b"\xff", b"[broken", b"a = " + b"[" * 5000])
def test_a_file_that_cannot_be_read_any_more_has_its_first_line(folder, content) -> None:
    (folder / "probes.toml").unlink()
    if content is not None:
        (folder / "probes.toml").write_bytes(content)

    assert located(Place(file="probes.toml", keys=HEALTH)).line == 1


def test_a_pipe_is_not_read_again(folder) -> None:
    os.mkfifo(folder / "pipe")
    handle = os.open(folder / "pipe", os.O_RDWR)
    os.write(handle, b"kept")

    assert located(Place(file="pipe", keys=HEALTH)) == Location(uri="pipe")
    assert os.read(handle, 100) == b"kept"
    os.close(handle)


def test_a_path_is_resolved_before_it_counts_as_inside_or_outside(folder, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "probes.toml").write_text(TEXT)
    (folder / "inner").mkdir()
    (folder / "linked").symlink_to(other)
    (other / "back").symlink_to(folder)

    inside = [f"../{folder.name}/probes.toml", "inner/../probes.toml", str(other / "back" / "probes.toml")]
    outside = [f"../{other.name}/probes.toml", "linked/probes.toml"]

    assert [located(Place(file=file)).uri for file in inside] == ["probes.toml"] * 3
    assert [located(Place(file=file)).uri for file in outside] == [(other / "probes.toml").as_uri()] * 2


def test_a_name_that_is_not_utf_8_is_written_byte_by_byte() -> None:
    assert located(Place(file=os.fsdecode(b"\xff.toml"))).uri == "%FF.toml"


@pytest.mark.parametrize("name", ["\ud800.toml", "a\x00b", "loop/probes.toml", "x" * 5000, "", "/dev/zero", "//host/x"])
def test_a_name_that_is_none_of_a_file_has_a_place_all_the_same(folder, name) -> None:
    (folder / "loop").symlink_to("loop")

    location = located(Place(file=name, keys=HEALTH))

    assert location.line == 1
    assert location.uri.isascii()


def test_without_a_working_directory_a_place_has_its_path(folder, monkeypatch) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()

    assert located(Place(file=str(folder / "probes.toml"), keys=HEALTH)) == Location(
        uri=str(folder / "probes.toml"), line=5
    )
    assert located(Place(file="probes.toml")) == Location(uri="probes.toml")
