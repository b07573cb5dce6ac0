"""verify archives the report of each run of a deployment, and its log when it is over; a failure is a warning."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from probekit import cli
from probekit.history.store import Store, StoreError
from probekit.workflows import archiving

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["deploy.services.health-endpoint"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
archive = "archive"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with the configuration of a target that does not answer; the current folder is another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROBEKIT_STATE", str(tmp_path / "state.sqlite3"))
    monkeypatch.setenv("PROBEKIT_CONFIG", str(tmp_path / "probes.toml"))
    return tmp_path


@pytest.fixture
def probekit(folder, capfd):
    """A function from words to the exit code, stdout and stderr."""

    def call(*words):
        capfd.readouterr()
        code = cli.run(list(words))
        return code, *capfd.readouterr()

    return call


def archived(folder, ending, release="2.3.1") -> list[Path]:
    return sorted((folder / "archive" / release).glob(f"*{ending}"))


def test_each_run_of_a_deployment_is_archived_with_its_log(probekit, folder) -> None:
    (folder / "deploy.log").write_text("done\n")
    probekit("verify")
    assert not (folder / "archive").exists()
    probekit("deployment", "start", "--release", "2.3.1", "--at", "5m")
    probekit("deployment", "log", str(folder / "deploy.log"))

    _, report, _ = probekit("verify", "--report", "json")
    assert [path.read_text() for path in archived(folder, ".json")] == [report]
    assert archived(folder, ".log") == []
    probekit("verify", "--stage", "before")
    assert len(archived(folder, ".json")) == 1
    probekit("deployment", "finish")
    code, _, warnings = probekit("verify", "--item", "deploy.services.health-endpoint")
    assert (code, "archive" in warnings) == (10, False)
    assert len(archived(folder, ".json")) == 2
    assert [path.read_text() for path in archived(folder, ".log")] == ["done\n"]
    probekit("deployment", "rolled-back")
    probekit("verify", "--stage", "rolled-back")
    assert len(archived(folder, ".json")) == 3
    sums = [path.name for path in archived(folder, ".sha256")]
    assert len(sums) == 4
    command = ["sha256sum", "-c", *sums]
    subprocess.run(command, cwd=folder / "archive/2.3.1", check=True, capture_output=True)


def test_a_run_long_after_the_deployment_adds_its_log_only(probekit, folder) -> None:
    """Cron goes on for weeks; its reports do not fill the archive."""
    (folder / "deploy.log").write_text("done\n")
    probekit("deployment", "start", "--release", "2.3.1", "--at", "4h")
    probekit("deployment", "log", str(folder / "deploy.log"))
    probekit("deployment", "finish", "--at", "3h")

    probekit("verify")

    assert archived(folder, ".json") == []
    assert [path.read_text() for path in archived(folder, ".log")] == ["done\n"]
    (folder / "deploy.log").write_text("the next deployment writes here\n")
    probekit("verify")
    assert [path.read_text() for path in archived(folder, ".log")] == ["done\n"]


def test_the_next_run_counts_what_the_archive_lacks(probekit, folder) -> None:
    name, text = "post.records.logs-archived", (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text.replace('endpoint"]', f'endpoint", "{name}"]'))
    probekit("deployment", "start", "--release", "2.3.1", "--at", "5m")
    (folder / "deploy.log").write_text("done\n")

    def verdict():
        found = json.loads(probekit("verify", "--report", "json")[1])["verdicts"]
        return next((one["outcome"], one["observed"]) for one in found if one["item"] == name)

    assert verdict() == ("inconclusive", None)
    assert verdict() == ("fail", 1)
    probekit("deployment", "log", str(folder / "deploy.log"))
    probekit("deployment", "finish")
    assert verdict() == ("fail", 1)
    assert verdict() == ("pass", 0)


@pytest.fixture
def enlarged(folder):
    """A scope with the items that read the ledger and one of the gate; the archive is not set yet."""
    items = '"post.records.logs-archived", "deploy.preflight.pre-deployment-gate", "pre.review.release-commit-on-main"]'
    text = (folder / "probes.toml").read_text().replace('endpoint"]', f'endpoint", {items}')
    (folder / "probes.toml").write_text(text.replace('archive = "archive"\n', ""))

    def set_archive():
        (folder / "probes.toml").write_text(text)

    return set_archive


def ids(folder):
    """The ids of the archived reports, and the stage of each."""
    found = [json.loads(path.read_text())["run"] for path in archived(folder, ".json")]
    return {run["id"]: run["stage"] for run in found}


def test_earlier_reports_and_the_gate_are_added_from_the_record(probekit, folder, enlarged) -> None:
    """The setting may be new, or the archive was not writable."""

    def verify(*words):
        return json.loads(probekit("verify", "--report", "json", *words)[1])

    verify("--phase", "pre", "--stage", "before", "--release", "2.3.0")
    gate = verify("--phase", "pre", "--stage", "before", "--release", "2.3.1")["run"]["id"]
    verify()
    probekit("deployment", "start", "--release", "2.3.1")
    earlier = [verify()["run"]["id"] for _ in range(2)]
    assert not (folder / "archive").exists()
    enlarged()

    latest = verify()

    assert ids(folder) == {gate: "before", **dict.fromkeys([*earlier, latest["run"]["id"]], "after")}
    found = {one["item"]: one["observed"] for one in verify()["verdicts"]}
    assert found["post.records.logs-archived"] == 1  # no log is noted
    sums = [path.name for path in archived(folder, ".sha256")]
    command = ["sha256sum", "-c", *sums]
    subprocess.run(command, cwd=folder / "archive/2.3.1", check=True, capture_output=True)


def test_one_run_adds_some_earlier_reports_and_leaves_the_rest_to_the_next(
    probekit, folder, enlarged, monkeypatch
) -> None:
    monkeypatch.setattr(archiving, "_MOST_EARLIER", 1)
    probekit("deployment", "start", "--release", "2.3.1")
    for _ in range(3):
        probekit("verify")
    enlarged()

    counts = []
    for _ in range(4):
        probekit("verify")
        counts.append(len(ids(folder)))

    assert counts == [2, 4, 6, 7]


def test_an_archived_report_that_was_changed_is_left_as_it_is(probekit, folder, enlarged) -> None:
    enlarged()
    probekit("deployment", "start", "--release", "2.3.1")
    probekit("verify")
    (changed,) = archived(folder, ".json")
    changed.write_text('{"run": {"id": "changed", "stage": "after"}}')

    _, _, warnings = probekit("verify")

    assert "archived" not in warnings
    assert "changed" in ids(folder)


def test_a_record_that_cannot_be_read_again_is_one_warning(probekit, folder, enlarged, monkeypatch) -> None:
    def damaged(_store, _run):
        raise StoreError("the state file is damaged")

    probekit("deployment", "start", "--release", "2.3.1")
    before, *_ = probekit("verify")
    enlarged()
    monkeypatch.setattr(Store, "report", damaged)

    code, _, warnings = probekit("verify")

    assert (code, warnings.count("warning: ")) == (before, 1)
    assert "warning: earlier reports were not archived: the state file is damaged" in warnings
    assert len(ids(folder)) == 1


def read_only(folder):
    (folder / "archive").write_text("a file in place of the folder")


def no_log(folder):
    (folder / "deploy.log").unlink()


def pipe(folder):
    (folder / "deploy.log").unlink()
    os.mkfifo(folder / "deploy.log")


def huge(folder):
    with (folder / "deploy.log").open("wb") as file:
        file.truncate((64 << 20) + 1)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (read_only, "the report was not archived in "),
        (no_log, "deploy.log was not archived: it does not exist"),
        (pipe, "deploy.log was not archived: not a regular file"),
        (huge, "deploy.log was not archived: larger than 64 MiB"),
    ],
)
def test_a_failure_of_the_archive_is_a_warning_and_changes_no_answer(probekit, folder, harm, told) -> None:
    (folder / "deploy.log").write_text("done\n")
    probekit("deployment", "start", "--release", "2.3.1", "--at", "5m")
    probekit("deployment", "log", str(folder / "deploy.log"))
    probekit("deployment", "finish")
    harm(folder)

    code, report, warnings = probekit("verify")

    assert code == 10
    assert report.splitlines()[-1].endswith("exit code 10")
    assert f"warning: the {'' if harm is read_only else 'log '}" in warnings
    assert told in warnings


def test_a_log_that_was_rotated_after_its_copy_is_no_warning(probekit, folder) -> None:
    (folder / "deploy.log").write_text("done\n")
    probekit("deployment", "start", "--release", "2.3.1", "--at", "5m")
    probekit("deployment", "log", str(folder / "deploy.log"))
    probekit("deployment", "finish")
    probekit("verify")
    no_log(folder)

    assert "archived" not in probekit("verify")[2]


def test_a_hostile_release_stays_in_the_archive(probekit, folder) -> None:
    probekit("deployment", "start", "--release", "../../x", "--at", "5m")
    probekit("verify")

    assert {path.parent.parent for path in folder.rglob("report-*.json")} == {folder / "archive"}


def test_an_archive_without_a_name_is_refused(probekit, folder) -> None:
    text = (folder / "probes.toml").read_text()
    for wrong in ('""', '"a\\u0000b"', "1"):
        (folder / "probes.toml").write_text(text.replace('"archive"', wrong))

        code, _, error = probekit("verify")

        assert (code, "env.prod.archive" in error) == (78, True)
