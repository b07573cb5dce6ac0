"""The log of a deployment is noted by its path, and its last change is read when the deployment ends."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from probekit.cli.deployment_command import command
from probekit.history.store import Store
from probekit.model.history import TargetKey
from probekit.model.ledger import DeploymentLog

PLACE = TargetKey(environment="prod", base_url="https://app.example.com")
CONFIG = f"""
[env.prod]
base_url = "{PLACE.base_url}"
scope = ["deploy.services.health-endpoint"]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "probes.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROBEKIT_STATE", "state.sqlite3")
    return tmp_path


@pytest.fixture
def deployment(folder):
    """A function from the words of a command to its exit code, stdout and stderr."""

    def call(*words):
        result = CliRunner().invoke(command, words, standalone_mode=False)
        if result.exception is not None:
            return None, "", str(result.exception)
        return result.return_value, result.stdout, result.stderr

    return call


@pytest.fixture
def noted(folder):
    """A function that reads the log of the latest deployment on record."""

    def read():
        with Store(folder / "state.sqlite3") as store:
            return store.deployments(PLACE)[0].log

    return read


def write(path, ago=timedelta(0)) -> datetime:
    """Write a log that was last changed so long ago, and return when that was."""
    path.write_text("done\n")
    changed = datetime.now(UTC).replace(microsecond=0) - ago
    os.utime(path, times=(changed.timestamp(),) * 2)
    return changed


def test_the_absolute_path_is_noted_for_the_deployment_under_way(deployment, noted, folder) -> None:
    deployment("start", "--release", "2.3.1")
    write(folder / "deploy.log")

    code, told, warnings = deployment("log", "deploy.log", "--env", "prod")

    assert (code, told, warnings) == (0, f"prod: the log of the deployment of 2.3.1 is {folder}/deploy.log\n", "")
    assert noted() == DeploymentLog(path=f"{folder}/deploy.log")


def test_a_log_that_is_not_there_yet_is_noted_with_a_warning(deployment, noted, folder) -> None:
    deployment("start", "--release", "2.3.1")

    code, _, warnings = deployment("log", "later.log")

    assert (code, "has no last change yet: it does not exist" in warnings) == (0, True)
    assert noted() == DeploymentLog(path=f"{folder}/later.log")


@pytest.mark.parametrize("end", [("finish",), ("finish", "--failed"), ("rolled-back",)])
def test_the_last_change_is_read_when_the_deployment_ends(deployment, noted, folder, end) -> None:
    deployment("start", "--release", "2.3.1", "--at", "10m")
    changed = write(folder / "deploy.log", ago=timedelta(minutes=2))
    deployment("log", "deploy.log")

    assert deployment(*end)[0] == 0
    (folder / "deploy.log").unlink()
    assert noted() == DeploymentLog(path=f"{folder}/deploy.log", written=changed)


def test_a_rollback_after_the_finish_keeps_what_the_finish_read(deployment, noted, folder) -> None:
    deployment("start", "--release", "2.3.1", "--at", "10m")
    changed = write(folder / "deploy.log", ago=timedelta(minutes=2))
    deployment("log", "deploy.log")
    deployment("finish")
    write(folder / "deploy.log")

    deployment("rolled-back")

    assert noted().written == changed


def test_a_log_that_cannot_be_read_ends_the_deployment_with_a_warning(deployment, noted, folder) -> None:
    deployment("start", "--release", "2.3.1")
    os.mkfifo(folder / "pipe")
    deployment("log", "pipe")

    code, told, warnings = deployment("finish")

    assert (code, "is finished" in told) == (0, True)
    assert "the last change of the log" in warnings
    assert "it is not a regular file" in warnings
    assert noted() == DeploymentLog(path=f"{folder}/pipe")


def test_another_log_replaces_the_first_also_after_the_finish(deployment, noted, folder) -> None:
    deployment("start", "--release", "2.3.1", "--at", "10m")
    write(folder / "one.log")
    deployment("log", "one.log")
    deployment("finish")

    deployment("log", "/var/log/two.log")

    assert noted() == DeploymentLog(path="/var/log/two.log")


def test_without_a_deployment_there_is_nothing_to_note(deployment) -> None:
    code, _, told = deployment("log", "deploy.log")

    assert (code, told.strip()) == (
        64,
        "probekit: no deployment of 'prod' is on record; see: probekit deployment start --help",
    )


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("a\nb.log", "control or invisible characters"),
        ("a\0b.log", "control or invisible characters"),
        ("a\x1b[31m.log", "control or invisible characters"),
        ("\udcff.log", "control or invisible characters"),
        ("x" * 5000, "more than 4096 bytes"),
    ],
)
def test_a_hostile_path_is_refused(deployment, path, told) -> None:
    deployment("start", "--release", "2.3.1")

    code, _, error = deployment("log", path)

    assert (code, told in error) == (None, True)
