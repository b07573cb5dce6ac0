"""`verify --deployed` is remembered, once for each release: a line of cron orders no rollback for ever."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probekit import cli

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint"]
timeout = "1s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
RELEASE = '\n[env.prod.probes.release]\nkind = "release"\npath = "/version"\nexpect = "{version}"\n'


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with the configuration of a target that nobody answers for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def probekit(folder, capfd):
    def run(*words):
        capfd.readouterr()
        code = cli.run(list(words))
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


@pytest.fixture
def deployment(probekit):
    """What a run takes for the deployment, and its notes; by the words of its command line."""

    def run(*words):
        document = json.loads(probekit("verify", "--no-settle", "--report", "json", *words).stdout)
        return document["situation"]["deployment"], "\n".join(document["run"]["notes"])

    return run


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat(timespec="seconds")


def age(mark) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(mark["finished"] or mark["started"])


@pytest.mark.parametrize(("written", "minutes"), [("10m", 10), ("90 min", 90), ("now", 0)])
def test_a_moment_may_be_said_as_how_long_ago_it_was(deployment, monkeypatch, written, minutes) -> None:
    said, _ = deployment("--state", "none", "--deployed", written)
    monkeypatch.setenv("PROBEKIT_DEPLOYED", written)
    by_variable, _ = deployment("--state", "none")

    for mark in (said, by_variable):
        assert timedelta(0) <= age(mark) - timedelta(minutes=minutes) < timedelta(minutes=1)


@pytest.mark.parametrize("by", ["option", "variable", "expect"])
def test_a_release_is_deployed_once_and_later_runs_know_it(deployment, folder, monkeypatch, by) -> None:
    named = ("--release", "2.3.1") if by == "option" else ()
    if by == "variable":
        monkeypatch.setenv("PROBEKIT_RELEASE", "2.3.1")
    if by == "expect":
        (folder / "probes.toml").write_text((folder / "probes.toml").read_text() + RELEASE.format(version="2.3.1"))

    first, told = deployment(*named, "--deployed", ago(hours=3))
    known, _ = deployment()
    second, note = deployment(*named, "--deployed", "now")

    assert first == known == second
    assert "--deployed was ignored" not in told
    assert "--deployed was ignored: the deployment of 2.3.1 is already on record at " in note
    assert "probekit deployment start --env prod" in note


def test_another_release_is_another_deployment(deployment) -> None:
    deployment("--release", "2.3.1", "--deployed", ago(hours=3))
    other, note = deployment("--release", "2.3.2", "--deployed", "now")
    known, _ = deployment()

    assert age(other) < timedelta(minutes=1)
    assert known == other
    assert "--deployed was ignored" not in note


def test_the_release_that_a_file_expects_is_read_anew_by_every_run(deployment, probekit, folder) -> None:
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text + RELEASE.format(version="2.3.1"))
    deployment("--deployed", ago(hours=3))
    (folder / "probes.toml").write_text(text + RELEASE.format(version="2.3.2"))

    later = json.loads(probekit("verify", "--no-settle", "--report", "json").stdout)
    again, _ = deployment("--deployed", "now")

    assert later["situation"]["release"]["expected"] == ["2.3.2"]
    assert age(again) < timedelta(minutes=1)


def test_without_a_name_a_moment_that_moves_counts_once_and_a_fixed_one_each_time(deployment) -> None:
    first, _ = deployment("--deployed", ago(hours=3))
    repeated, note = deployment("--deployed", "now")
    minutes_ago, _ = deployment("--deployed", "10m")
    fixed, _ = deployment("--deployed", ago(hours=1))
    known, _ = deployment()

    assert first == repeated == minutes_ago
    assert "name its release with --release" in note
    assert timedelta(hours=1) <= age(fixed) < timedelta(hours=1, minutes=1)
    assert known == fixed


def test_a_line_of_cron_makes_no_failure_one_soon_after_a_deployment(probekit) -> None:
    probekit("verify", "--no-settle", "--release", "2", "--deployed", ago(hours=3))
    later = [probekit("verify", "--no-settle", *words, "--deployed", "now") for words in (("--release", "2"), ())]

    assert all(
        "the deployment is 180 min old, more than 120; decide by hand" in " ".join(one.stdout.split()) for one in later
    )


@pytest.mark.parametrize(
    "words", [("--state", "none"), ("--item", "deploy.services"), ("--quick",), ("--stage", "before")]
)
def test_what_is_no_whole_run_after_a_deployment_leaves_the_record_as_it_was(deployment, words) -> None:
    said, _ = deployment("--release", "2", "--deployed", "now", *words)
    known, _ = deployment()

    assert age(said) < timedelta(minutes=1)
    assert known is None


def test_a_deployment_under_way_stays_so_and_can_be_finished(deployment, probekit) -> None:
    probekit("deployment", "start", "--release", "2", "--at", "10m")
    said, note = deployment("--release", "2", "--deployed", "now")
    finished = probekit("deployment", "finish")

    assert said["finished"] is None
    assert "--deployed was ignored" in note
    assert (finished.returncode, finished.stdout) == (0, "prod: the deployment of 2 is finished; it took 10 min\n")


def test_a_deployment_that_was_stated_gives_way_to_one_that_is_marked(deployment, probekit) -> None:
    deployment("--release", "2", "--deployed", ago(hours=3))
    again = probekit("deployment", "start", "--release", "2")
    known, _ = deployment()

    assert "prod: the deployment of 2 started at " in again.stdout
    assert age(known) < timedelta(minutes=1)


def test_a_deployment_that_is_started_twice_keeps_its_first_moment(deployment, probekit) -> None:
    probekit("deployment", "start", "--release", "2", "--at", "10m")
    again = probekit("deployment", "start", "--release", "2")
    kept, _ = deployment()
    other = probekit("deployment", "start", "--release", "3")

    assert (again.returncode, other.returncode) == (0, 0)
    assert again.stdout.startswith("prod: the deployment of 2 already started at 20")
    assert "probekit deployment finish --env prod" in again.stdout
    assert timedelta(minutes=10) <= age(kept) < timedelta(minutes=11)
    assert other.stdout.startswith("prod: the deployment of 3 started at ")


def test_a_run_is_named_by_so_much_of_its_id_as_is_its_own(probekit) -> None:
    for _ in range(17):  # of 16 first digits one comes twice
        probekit("verify", "--no-settle")
    ids = [line.split()[0] for line in probekit("runs", "list").stdout.splitlines()]
    first = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)

    several, none = probekit("runs", "show", first), probekit("runs", "show", "nowhere")

    assert (several.returncode, none.returncode) == (64, 64)
    assert f"several run ids begin with '{first}': {first}" in several.stderr
    assert "no run id on record begins with 'nowhere'; see: probekit runs list" in none.stderr


def test_a_file_with_probes_of_its_own_says_which_release_is_deployed(deployment, folder) -> None:
    own = '\n[env.prod.probes.checkout-api]\nkind = "http"\npath = "/checkout"\n'
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text + RELEASE.format(version="2.3.1") + own)

    first, _ = deployment("--deployed", ago(hours=3))
    second, note = deployment("--deployed", "now")

    assert first == second
    assert "the deployment of 2.3.1 is already on record at" in note


@pytest.mark.parametrize("named", [("--release", "2"), ()], ids=["named", "unnamed"])
def test_without_a_state_the_earlier_report_remembers_the_deployment(deployment, folder, named) -> None:
    stateless = ("--state", "none", "--since", "last.json")
    first, _ = deployment(*stateless, *named, "--deployed", ago(hours=3), "--report", "json=last.json")
    second, note = deployment(*stateless, *named, "--deployed", "now", "--report", "json=last.json")
    third, _ = deployment(*stateless, *named, "--deployed", "10m")

    assert first == second == third
    assert "--deployed was ignored: according to last.json, the deployment" in note


def test_without_a_state_another_release_is_another_deployment(deployment) -> None:
    stateless = ("--state", "none", "--since", "last.json", "--report", "json=last.json")
    deployment(*stateless, "--release", "2", "--deployed", ago(hours=3))
    other, note = deployment(*stateless, "--release", "3", "--deployed", "now")

    assert age(other) < timedelta(minutes=1)
    assert "--deployed was ignored" not in note


def test_a_record_that_cannot_be_read_makes_no_repeated_statement_a_deployment(deployment, folder) -> None:
    (folder / "broken").write_text("no database")

    moving, note = deployment("--state", "broken", "--release", "2", "--deployed", "now")
    fixed, silent = deployment("--state", "broken", "--release", "2", "--deployed", ago(hours=1))

    assert moving is None
    assert "--deployed did not count: the state file cannot be read" in note
    assert timedelta(hours=1) <= age(fixed) < timedelta(hours=1, minutes=1)
    assert "did not count" not in silent
