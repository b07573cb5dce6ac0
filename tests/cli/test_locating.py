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

    assert located(Place(file="pipe", keys=HEALTH)) == Location(uri="pipe")
