"""A release from its gate to its archive, by the commands of a pipeline; each row makes one fact wrong.

The target is a server of this test; the scanner's report is a file that this test writes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from probekit import cli

pytestmark = pytest.mark.servers

COMMIT, OTHER = "3f2a9c1d" * 5, "0badc0de" * 5
GATE, WINDOW = "deploy.preflight.pre-deployment-gate", "deploy.preflight.window-opened"
SCAN, VERDICT = "pre.review.no-critical-vulnerabilities", "deploy.rollout.deployment-verdict"
DECISION, DUE = "rollback.decision.decision-time", "rollback.decision.severity-critical"
SCOPE = (
    *(SCAN, GATE, WINDOW, VERDICT, DECISION, DUE),
    *("deploy.services.health-endpoint", "deploy.rollout.deployment-duration", "post.records.report-created"),
)
CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = [{scope}]
control = ["http://localhost:{port}/control"]
trust = ["vulnerabilities"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
[env.prod.release]
commit = "{commit}"
previous = "2.3.0"
[env.prod.deployment_window]
from = {start:%Y-%m-%dT%H:%M:%SZ}
to = {end:%Y-%m-%dT%H:%M:%SZ}
[env.prod.probes.health]
kind = "http"
path = "/health"
[env.prod.probes.vulnerabilities]
kind = "command"
argv = ["/bin/cat", "{report}"]
metrics = {{ critical = "$.critical" }}
"""


class Healthy(BaseHTTPRequestHandler):
    """A target whose health can end."""

    is_up = True
    port = 0

    def do_GET(self) -> None:
        is_known = self.path in {"/health", "/control"}
        self.send_response(404 if not is_known else 200 if self.is_up or self.path == "/control" else 503)
        self.send_header("Content-Length", "15")
        self.end_headers()
        self.wfile.write(b'{"status":"ok"}')

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def target() -> Iterator[type[Healthy]]:
    class Handler(Healthy):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        Handler.port = server.server_port
        yield Handler
        server.shutdown()
        thread.join()


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is wrong with the release: times are hours before now."""

    gate: float | None = 1.0
    commit: str = COMMIT
    gate_commit: str = COMMIT
    made: float = 2.0
    started: float = 0.5
    window: tuple[float, float] = (1.0, -1.0)


@pytest.fixture
def pipeline(tmp_path, monkeypatch, capfd, target):
    """A function that plays a release by its commands, and returns the verdicts of its last run by their items."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROBEKIT_STATE", "state.sqlite3")
    now = datetime.now(UTC).replace(microsecond=0)

    def ago(hours: float) -> datetime:
        return now - timedelta(hours=hours)

    def call(*words: str) -> dict[str, dict]:
        capfd.readouterr()
        code = cli.run([*words, "--env", "prod", *(("--report", "json") if words[0] == "verify" else ())])
        out = capfd.readouterr().out
        assert code in (0, 10, 20), out
        return {one["item"]: one for one in json.loads(out)["verdicts"]} if words[0] == "verify" else {}

    def play(row: Row, *, ends: bool = True) -> dict[str, dict]:
        report, scope = tmp_path / "scan.json", ", ".join(f'"{item}"' for item in SCOPE)
        facts = {"critical": 0, "commit": row.commit, "made": ago(row.made).isoformat()}
        report.write_text(json.dumps(facts))
        start, end = (ago(hours) for hours in row.window)
        text = CONFIG.format(port=target.port, scope=scope, commit=COMMIT, report=report, start=start, end=end)
        (tmp_path / "probes.toml").write_text(text.replace(COMMIT, row.gate_commit))
        if row.gate is not None:
            call("verify", "--phase", "pre", "--stage", "before", "--release", "2.3.1")
            _move(tmp_path / "state.sqlite3", ago(row.gate))
        (tmp_path / "probes.toml").write_text(text)
        call("deployment", "start", "--release", "2.3.1", "--at", f"{ago(row.started):%Y-%m-%dT%H:%M:%SZ}")
        if ends:
            call("deployment", "finish")
        call("verify")
        return call("verify")

    return play, call


def _move(file, moment: datetime) -> None:
    """Move the run that was recorded last to another moment, as if it had ended then."""
    with sqlite3.connect(file) as store:
        rowid, column = store.execute("SELECT rowid, ledger FROM run ORDER BY rowid DESC LIMIT 1").fetchone()
        ledger = json.loads(zlib.decompress(column)) | {"ended": moment.isoformat()}
        changed = (moment.isoformat(timespec="microseconds"), zlib.compress(json.dumps(ledger).encode()), rowid)
        store.execute("UPDATE run SET started = ?, ledger = ? WHERE rowid = ?", changed)


@pytest.mark.parametrize(
    ("row", "item", "outcome", "because"),
    [
        (Row(), GATE, "pass", "gate passed 1"),
        (Row(), SCAN, "pass", f"record of commit {COMMIT[:12]}"),
        (Row(), WINDOW, "pass", ""),
        (Row(), VERDICT, "pass", "other items of phase deploy allow a go"),
        (Row(gate=None), GATE, "fail", "no gate run of release 2.3.1 is on record"),
        (Row(gate=None), VERDICT, "fail", GATE),
        (Row(gate=4.6), GATE, "fail", "gate age at deployment"),  # 4.1 h before the start
        (Row(gate=0.4), GATE, "fail", "made 6 min after the deployment began"),
        (Row(commit=OTHER), SCAN, "inconclusive", "of another release"),
        (Row(gate_commit=OTHER), GATE, "inconclusive", "of another release"),
        (Row(made=24.6), SCAN, "inconclusive", "too old"),  # 24.1 h before the start
        (Row(made=24.4), SCAN, "pass", ""),  # 23.9 h before the start, and older than a day now
        (Row(window=(3.0, 1.0)), WINDOW, "fail", ""),
    ],
)
def test_a_wrong_fact_of_the_release_is_found_by_its_item(pipeline, row, item, outcome, because) -> None:
    play, _ = pipeline

    verdict = play(row)[item]

    assert verdict["outcome"] == outcome, verdict["because"]
    assert because in verdict["because"]


def test_every_report_names_the_record_of_a_verdict(pipeline, capfd) -> None:
    play, _ = pipeline
    play(Row())
    name = f"record: {SCAN}: of commit {COMMIT[:12]}, made "

    capfd.readouterr()
    assert cli.run(["verify", "--env", "prod"]) == 0
    assert name in " ".join(capfd.readouterr().out.split())
    cli.run(["runs", "show", "last", "--env", "prod"])
    assert name in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize(("minutes", "outcome"), [(12, "fail"), (3, "pass")])
def test_a_decision_twelve_minutes_after_the_first_failure_is_too_late(
    pipeline, target, tmp_path, minutes, outcome
) -> None:
    play, call = pipeline
    verdicts = play(Row())
    assert {verdicts[item]["outcome"] for item in (DECISION, DUE)} == {"not_applicable"}

    target.is_up = False
    failed = call("verify")["deploy.services.health-endpoint"]
    assert (failed["outcome"], failed["severity"]) == ("fail", "critical")
    _blame(tmp_path / "state.sqlite3", datetime.now(UTC) - timedelta(minutes=minutes))
    call("deployment", "rolled-back")
    target.is_up = True
    verdicts = call("verify", "--phase", "rollback")

    assert verdicts[DUE]["outcome"] == "pass", verdicts[DUE]["because"]
    assert verdicts[DECISION]["outcome"] == outcome, verdicts[DECISION]["because"]


def _blame(file, since: datetime) -> None:
    """Say that the failure of the last run began then, and that this run ordered no rollback."""
    with sqlite3.connect(file) as store:
        rowid, column = store.execute("SELECT rowid, ledger FROM run ORDER BY rowid DESC LIMIT 1").fetchone()
        ledger = json.loads(zlib.decompress(column))
        ledger |= {
            "action": "investigate",
            "failures": [[*one[:3], since.isoformat(), one[4]] for one in ledger["failures"]],
        }
        store.execute("UPDATE run SET ledger = ? WHERE rowid = ?", (zlib.compress(json.dumps(ledger).encode()), rowid))
