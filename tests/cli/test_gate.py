"""The gate of a deployment as verify judges it: a run before the start counts, none or a later one fails the item."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probekit import cli
from probekit.history.database import packed
from probekit.history.details import past_run_document
from probekit.history.store import Store
from probekit.model.history import TargetKey

PLACE = TargetKey(environment="prod", base_url="http://127.0.0.1:9")
GATE = "deploy.preflight.pre-deployment-gate"
CONFIG = f"""
[env.prod]
base_url = "{PLACE.base_url}"
scope = ["{GATE}", "post.records.report-created"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "probes.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROBEKIT_STATE", "state.sqlite3")
    return tmp_path


@pytest.fixture
def judged(folder, capfd):
    """A function that verifies, and returns the verdict on the gate and the decision."""

    def verify(*words):
        capfd.readouterr()
        cli.run(["verify", "--report", "json", *words])
        report = json.loads(capfd.readouterr().out)
        assert report["decision"]["action"] != "rollback"
        return {one["item"]: one for one in report["verdicts"]}

    return verify


@pytest.fixture
def gate(judged, folder):
    """A function that leaves a gate run which ended so many minutes ago."""

    def run(ago, **facts):
        judged("--stage", "before", "--release", "2.3.1")
        ended = datetime.now(UTC) - timedelta(minutes=ago)
        with Store(folder / "state.sqlite3") as store:
            (past,) = store.past_runs(PLACE, ended - timedelta(days=1))
        past = replace(past, **({"phase": "pre", "action": "go", "ended": ended} | facts))
        with closing(sqlite3.connect(folder / "state.sqlite3")) as raw, raw:
            started = (ended - timedelta(minutes=1)).isoformat(timespec="microseconds")
            document = packed(past_run_document(past))
            raw.execute("UPDATE run SET ledger = ?, started = ? WHERE id = ?", (document, started, past.id))

    return run


def start(*words) -> None:
    assert cli.run(["deployment", "start", *words]) == 0


def test_a_gate_before_the_start_passes_and_names_its_record(judged, gate) -> None:
    gate(30)
    start("--release", "2.3.1", "--at", "10m")

    verdicts = judged()

    found, other = verdicts[GATE], verdicts["post.records.report-created"]
    assert found["outcome"] == "pass", found["because"]
    assert "record of 2.3.1" in found["because"]
    assert [one["by"] for one in found["records"]] == ["probekit"]
    assert other["records"] == []
    assert "record" not in other["because"].replace("on record", "")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"subject": "2.3.0"}, "no gate run of release 2.3.1 is on record"),
        ({"partial": True}, "no gate run of release 2.3.1 is on record"),
        ({"action": "no_go"}, "of release 2.3.1 ended with no_go"),
    ],
)
def test_a_run_that_is_no_gate_of_the_release_fails_the_item(judged, gate, facts, told) -> None:
    gate(30, **facts)
    start("--release", "2.3.1", "--at", "10m")

    found = judged()[GATE]

    assert (found["outcome"], told in found["because"]) == ("fail", True)


def test_a_gate_after_the_start_fails_the_item(judged, gate) -> None:
    gate(5)
    start("--release", "2.3.1", "--at", "10m")

    found = judged()[GATE]

    assert (found["outcome"], "after the deployment began" in found["because"]) == ("fail", True)


def test_without_a_state_file_the_gate_is_not_verified(judged) -> None:
    found = judged("--state", "none", "--deployed", "5m", "--release", "2.3.1")[GATE]

    assert (found["outcome"], "--state none" in found["because"]) == ("inconclusive", True)


def test_without_a_release_the_gate_is_not_verified(judged, gate) -> None:
    gate(30)
    start("--at", "10m")

    found = judged()[GATE]

    assert (found["outcome"], "names no release" in found["because"]) == ("error", True)


OWN = """
[env.prod.probes.verified]
kind = "ledger"
severity = "critical"
expect = ["reports >= 1", "gate_passed == 1"]
"""


def test_an_own_check_of_kind_ledger_reads_the_runs_on_record(judged, gate, folder) -> None:
    """It may be the only item that needs them; unread, they would look like a deployment without a gate."""
    gate(30)
    start("--release", "2.3.1", "--at", "10m")
    assert cli.run(["deployment", "finish", "--at", "9m"]) == 0
    scope, text = 'scope = ["deploy.services.settle-time"]', (folder / "probes.toml").read_text()
    lines = [scope if line.startswith("scope") else line for line in text.splitlines()]
    (folder / "probes.toml").write_text("\n".join(lines) + OWN)

    judged()
    found = judged()["own.checks.verified"]

    assert found["outcome"] == "pass", found["because"]
