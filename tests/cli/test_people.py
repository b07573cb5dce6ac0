"""From the command line to the report: who deployed, whom to call, and what maintenance changes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from probekit import cli
from probekit.cli import plan_text
from probekit.history.store import Store
from probekit.model.history import History, TargetKey
from probekit.model.responsible import Responsible
from probekit.planning.feasibility import Surroundings, feasibility
from probekit.workflows.assembly import prepare
from probekit.workflows.options import RunOptions

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{target}"
scope = ["deploy.services.health-endpoint"]
control = ["http://127.0.0.1:{control}/"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
deployed_by = "Delivery Crew"
{settings}
[env.prod.contacts]
deployment_lead = {{ name = "Deployment Lead", contact = "deployment-lead@example.com" }}
on_call = {{ name = "On-Call Engineer", contact = "https://pager.example.com/{path}" }}
escalation = "Head of Operations"

[env.prod.connect.headers]
X-Key = {{ env = "KEY" }}

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
HOUR = timedelta(hours=1)


class _Down(BaseHTTPRequestHandler):
    """A target that is down, and whose answer speaks of a contact and of the key that it got."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "down", "ask": "On-Call Engineer", "key": self.headers["X-Key"]}).encode()
        self.send_response(503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


class _Up(_Down):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    servers = {name: ThreadingHTTPServer(("127.0.0.1", 0), one) for name, one in (("target", _Down), ("control", _Up))}
    threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers.values()]
    for thread in threads:
        thread.start()
    yield {name: server.server_port for name, server in servers.items()}
    for server, thread in zip(servers.values(), threads, strict=True):
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def probekit(tmp_path, monkeypatch, capfd, ports):
    """A command in a folder with the configuration; its exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KEY", "kept-Apart-7")

    def run(*words: str, settings: str = "", path: str = "on-call") -> tuple[int, str, str]:
        (tmp_path / "probes.toml").write_text(CONFIG.format(**ports, settings=settings, path=path))
        capfd.readouterr()
        code = cli.run(list(words))
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def verified(probekit):
    """The JSON report of one run."""

    def run(*words: str, **parts: str):
        return json.loads(probekit("verify", "--no-settle", "--report", "json", *words, **parts)[1])

    return run


def window(start: timedelta, end: timedelta) -> str:
    now = datetime.now(UTC)
    return f"maintenance = [{{ from = {_written(now + start)}, to = {_written(now + end)}, reason = 'new storage' }}]"


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def names(document) -> tuple[str | None, str | None]:
    return document["run"]["deployed_by"], document["run"]["reviewed_by"]


@pytest.mark.parametrize(
    ("start", "end", "deployed", "action"),
    [
        (-2 * HOUR, -HOUR, "30m", "rollback"),
        (-HOUR / 4, HOUR, "30m", "investigate"),
        (-HOUR, HOUR, "30m", "rollback"),
        (HOUR, 2 * HOUR, "30m", "rollback"),
    ],
)
def test_maintenance_orders_no_rollback_unless_the_deployment_is_in_it(
    verified, probekit, start, end, deployed, action
) -> None:
    document = verified("--deployed", deployed, settings=window(start, end))

    assert document["decision"]["action"] == action
    assert [one["role"] for one in document["decision"]["to_call"]] == ["on_call", "escalation"]
    in_force = [one["reason"] for one in document["situation"]["maintenance"]]
    assert in_force == (["new storage"] if start < timedelta() < end else [])
    again = json.loads(probekit("runs", "judge", document["run"]["id"], "--report", "json")[1])
    for part in ("run", "situation", "decision"):
        ignored = {"notes", "config_hash"}
        assert {name: value for name, value in again[part].items() if name not in ignored} == {
            name: value for name, value in document[part].items() if name not in ignored
        }


def test_a_window_may_be_named_for_one_run(verified) -> None:
    now = datetime.now(UTC)
    named = f"{_written(now - HOUR / 4)}/{_written(now + HOUR)}"

    document = verified("--deployed", "30m", "--maintenance", named)

    assert document["decision"]["action"] == "investigate"
    assert "no rollback is ordered: maintenance is under way (from " in "\n".join(document["decision"]["because"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--maintenance", "tonight"), "'tonight' is not FROM/TO, two times with time zones"),
        (("--maintenance", "2026-12-01T22:00/2026-12-01T23:00"), "two times with time zones"),
        (("--maintenance", "2026-12-01T22:00Z/2026-12-01T21:00Z"), "TO is not after FROM"),
        (("--maintenance", "2026-12-01T22:00Z/2026-12-31T22:00Z"), "the period is longer than 7 days"),
        (("--maintenance", "0001-01-01T00:00+01:00/2026-12-31T22:00Z"), "two times with time zones"),
        (("--deployed-by", ""), "it is blank"),
        (("--deployed-by", "a\nb"), "it is not one line of printable characters"),
        (("--reviewed-by", "x" * 201), "it has 201 characters, at most 200 are allowed"),
    ],
)
def test_what_cannot_be_is_refused(probekit, words, message) -> None:
    code, out, err = probekit("verify", *words)

    assert (code, out) == (64, "")
    assert message in " ".join(err.split())


def test_a_person_that_a_variable_names_is_one_line(probekit, monkeypatch) -> None:
    monkeypatch.setenv("PROBEKIT_REVIEWED_BY", "a\u202eb")

    code, out, err = probekit("verify")

    assert (code, out) == (64, "")
    assert "PROBEKIT_REVIEWED_BY: it is not one line of printable characters" in err


def test_who_deployed_is_remembered_with_the_mark_and_the_nearest_word_wins(
    probekit, verified, monkeypatch, tmp_path
) -> None:
    assert names(verified()) == ("Delivery Crew", None)
    people = ("--deployed-by", "Release Team", "--reviewed-by", "Release Board")
    assert probekit("deployment", "start", "--release", "2.3.1", *people)[0] == 0
    assert names(verified()) == ("Release Team", "Release Board")
    assert probekit("deployment", "finish")[0] == 0
    assert names(verified()) == ("Release Team", "Release Board")

    (tmp_path / ".env").write_text("PROBEKIT_DEPLOYED_BY=Night Shift\n")
    assert names(verified()) == ("Night Shift", "Release Board")
    monkeypatch.setenv("PROBEKIT_DEPLOYED_BY", "Day Shift")
    assert names(verified()) == ("Day Shift", "Release Board")
    assert names(verified("--deployed-by", "Somebody Else")) == ("Somebody Else", "Release Board")


def test_a_run_whose_deployment_is_remembered_keeps_who_made_it(verified) -> None:
    verified("--release", "2.3.1", "--deployed", "now", "--deployed-by", "Release Team")
    assert names(verified()) == ("Release Team", None)
    verified("--release", "2.3.1", "--deployed", "now", "--deployed-by", "Night Shift")  # the same deployment
    assert names(verified()) == ("Release Team", None)
    verified("--release", "2.3.2", "--deployed", "now")
    assert names(verified()) == ("Delivery Crew", None)


def test_a_contact_stands_in_reports_and_one_that_is_a_secret_does_not(verified, monkeypatch) -> None:
    monkeypatch.setenv("KEY", "On-Call Engineers of old")  # shares a run of characters with a contact

    text = json.dumps(verified())
    assert '"name": "On-Call Engineer"' in text
    assert "of old" not in text

    monkeypatch.setenv("KEY", "T0k3n-of-the-pager")
    text = json.dumps(verified(path="T0k3n-of-the-pager"))
    assert '"name": "On-Call Engineer", "contact": "[secret]"' in text
    assert "T0k3n" not in text


def test_a_name_that_is_also_a_secret_is_not_kept(verified, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PROBEKIT_STATE", str(tmp_path / "state.sqlite3"))
    people = ("--deployed-by", "kept-Apart-7", "--reviewed-by", "Release Board")

    document = verified("--release", "2.3.1", "--deployed", "now", *people)

    assert names(document) == ("[secret]", "Release Board")
    place = TargetKey(environment="prod", base_url=document["run"]["base_url"])
    with Store(tmp_path / "state.sqlite3") as store:
        (deployment,) = store.deployments(place)
        kept = store.mark(place, deployment).responsible
    assert kept == Responsible(deployed_by="[secret]", reviewed_by="Release Board")


@pytest.mark.parametrize(
    ("start", "end", "line"),
    [
        (-HOUR, HOUR, "(new storage): no rollback is ordered"),
        (-2 * HOUR, -HOUR, None),
        (49 * HOUR, 50 * HOUR, None),
    ],
)
def test_plan_names_a_window_that_is_open(probekit, start, end, line) -> None:
    settings = window(start, end)

    text = " ".join(probekit("plan", settings=settings)[1].split())
    document = json.loads(probekit("plan", "--json", settings=settings)[1])

    assert ("maintenance" in text) == bool(line)
    assert (line or "") in text
    assert [one["open"] for one in document["maintenance"]] == [bool(line)]


@pytest.mark.parametrize(
    ("now", "is_named"),
    [("2026-11-30T23:59", False), ("2026-12-01T00:00", True), ("2026-12-01T21:59", True), ("2026-12-01T23:31", False)],
)
def test_plan_names_a_window_that_begins_today(tmp_path, now, is_named) -> None:
    period = "{ from = 2026-12-01T22:00:00Z, to = 2026-12-01T23:30:00Z, reason = 'new storage' }"
    file = tmp_path / "probes.toml"
    file.write_text(CONFIG.format(target=1, control=2, path="on-call", settings=f"maintenance = [{period}]"))
    moment = datetime.fromisoformat(f"{now}Z")

    config, target, planned = prepare(RunOptions(config=file))
    found = feasibility(config, target, planned, Surroundings(variables={}, now=moment, history=History()))
    text = " ".join(plan_text.render(config, target, planned, found, moment).split())

    line = "today, from 2026-12-01 22:00 to 23:30 UTC (new storage): no rollback is ordered while it lasts"
    assert (line in text) == is_named


def test_the_console_names_who_is_called(probekit) -> None:
    out = probekit("verify", "--no-settle")[1]

    call = "call: On-Call Engineer, https://pager.example.com/on-call; Head of Operations"
    assert call in " ".join(out.split())
