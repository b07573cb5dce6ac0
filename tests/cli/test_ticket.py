"""A ticket belongs to an item that the latest run of the deployment left open."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from probekit import cli
from probekit.history.store import Store

FAILING, PENDING = "deploy.services.health-endpoint", "signoff.approvals.team-lead"
TICKET = "https://tracker.example.com/OPS-7"
CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["{failing}", "{pending}", "deploy.services.settle-time"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with the configuration of a target that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port, failing=FAILING, pending=PENDING))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROBEKIT_STATE", "state.sqlite3")
    return tmp_path


@pytest.fixture
def probekit(folder, capfd):
    """A function from words to the exit code, stdout and stderr."""

    def call(*words):
        capfd.readouterr()
        code = cli.run(list(words))
        return code, *capfd.readouterr()

    return call


@pytest.fixture
def ticket(probekit):
    return lambda *words: probekit("runs", "ticket", *words, "--env", "prod")


@pytest.fixture
def deployed(probekit):
    """A deployment that was verified."""
    probekit("deployment", "start", "--release", "2.3.1", "--at", "5m")
    probekit("deployment", "finish", "--at", "4m")
    probekit("verify")


def test_a_ticket_is_recorded_and_listed(deployed, ticket, folder) -> None:
    assert ticket(FAILING, TICKET) == (0, f"prod: the ticket of {FAILING} is {TICKET}\n", "")

    code, told, _ = ticket()
    assert code == 0
    assert "prod, the deployment of 2.3.1" in told
    assert [line.split() for line in told.splitlines()][-1] == [FAILING, TICKET]


def test_a_second_ticket_replaces_the_first(deployed, ticket) -> None:
    ticket(FAILING, TICKET)
    ticket(FAILING, f"{TICKET}1")

    assert ticket()[1].count("tracker.example.com") == 1
    assert f"{TICKET}1" in ticket()[1]


def test_an_item_that_is_not_verified_may_have_a_ticket(deployed, ticket) -> None:
    assert ticket(PENDING, TICKET)[0] == 0


def test_the_next_run_counts_the_tickets(deployed, ticket, probekit, folder) -> None:
    text = (folder / "probes.toml").read_text()
    items = ', "post.records.issues-ticketed", "post.records.report-created"]'
    (folder / "probes.toml").write_text(text.replace('"]\n', f'"{items}\n', 1))

    def verdicts():
        found = json.loads(probekit("verify", "--report", "json")[1])["verdicts"]
        return {one["item"]: (one["outcome"], one["observed"]) for one in found}

    before = verdicts()
    assert before["post.records.report-created"] == ("pass", 1)
    assert before["post.records.issues-ticketed"] == ("fail", 1)
    assert verdicts()["post.records.issues-ticketed"] == ("fail", 1)
    ticket(FAILING, TICKET)
    assert verdicts()["post.records.issues-ticketed"] == ("pass", 0)


def test_the_items_about_earlier_runs_need_no_ticket_of_their_own(probekit, folder) -> None:
    """The first run has no earlier report and fails for it; that must not fail every later run."""
    text = (folder / "probes.toml").read_text()
    scope = '"post.records.issues-ticketed", "post.records.report-created", "deploy.services.settle-time"'
    lines = [f"scope = [{scope}]" if line.startswith("scope") else line for line in text.splitlines()]
    (folder / "probes.toml").write_text("\n".join(lines).split("[env.prod.probes")[0])
    probekit("deployment", "start", "--release", "2.3.1", "--at", "5m")
    probekit("deployment", "finish", "--at", "4m")

    def outcomes():
        found = json.loads(probekit("verify", "--report", "json")[1])["verdicts"]
        return {one["item"].rpartition(".")[2]: one["outcome"] for one in found}

    first, second, third = outcomes(), outcomes(), outcomes()
    assert (first["report-created"], first["issues-ticketed"]) == ("fail", "inconclusive")
    assert [set(later.values()) for later in (second, third)] == [{"pass"}, {"pass"}]


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("deploy.services.health-endpont", f"did you mean '{FAILING}'?"),
        ("zzz", "see: probekit runs show "),
        ("deploy.services.settle-time", "needs no ticket: it is 'pass'"),
        ("a\x1b[31mb", "'a\\x1b[31mb' is not an item of run"),
    ],
)
def test_another_item_is_refused(deployed, ticket, item, told) -> None:
    code, _, error = ticket(item, TICKET)

    assert (code, told in error) == (64, True), error
    assert "no ticket" in ticket()[1]


def test_without_a_run_of_the_deployment_there_is_no_open_item(ticket, probekit) -> None:
    assert ticket(FAILING, TICKET)[0] == 64
    probekit("verify")
    assert "no deployment of 'prod' is on record" in ticket(FAILING, TICKET)[2]
    probekit("deployment", "start", "--release", "2.3.1")

    code, _, error = ticket(FAILING, TICKET)

    assert (code, "no run of the deployment of 2.3.1 is on record: probekit verify --env prod" in error) == (64, True)
    assert ticket()[1] == "prod, the deployment of 2.3.1 has no ticket\n"


def test_the_tickets_of_an_earlier_deployment_stay_with_it(deployed, ticket, probekit, folder) -> None:
    ticket(FAILING, TICKET)
    probekit("deployment", "start", "--release", "2.3.2")

    assert "has no ticket" in ticket()[1]
    with Store(folder / "state.sqlite3") as store:
        place = store.targets()[0]
        assert [len(store.tickets(place, one)) for one in store.deployments(place)] == [0, 1]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://tracker.example.com/1", "does not begin with http:// or https://"),
        ("javascript:alert(1)", "does not begin with http:// or https://"),
        ("OPS-7", "does not begin with http:// or https://"),
        ("https://", "has no host"),
        ("https:///OPS-7", "has no host"),
        ("https://user:password@tracker.example.com/1", "has a user name or a password"),
        ("https://user@tracker.example.com/1", "has a user name or a password"),
        ("https://tracker.example.com:99999/1", "has an invalid host or port"),
        ("https://[::1/1", "has an invalid host or port"),
        ("https://tracker.example.com/a b", "has spaces, control or invisible characters"),
        ("https://tracker.example.com/\x1b[31m", "has spaces, control or invisible characters"),
        ("https://tracker.example.com/\u202e", "has spaces, control or invisible characters"),
        (f"https://tracker.example.com/{'x' * 2000}", "at most 2000 are allowed"),
    ],
)
def test_a_url_that_is_no_safe_link_is_refused(deployed, ticket, url, told) -> None:
    code, _, error = ticket(FAILING, url)

    error = " ".join(error.split())  # click wraps it
    assert (code, told in error) == (64, True), error
    assert "password" not in error.replace("a user name or a password", "")


def test_an_item_needs_a_url(deployed, ticket) -> None:
    code, _, error = ticket(FAILING)

    assert (code, "probekit runs ticket ITEM URL" in error) == (64, True)


def test_a_run_before_the_next_deployment_is_not_one_of_this_deployment(ticket, probekit) -> None:
    probekit("deployment", "start", "--release", "2.3.1", "--at", "5m")
    probekit("deployment", "finish", "--at", "4m")
    probekit("verify", "--stage", "before")

    code, _, error = ticket(FAILING, TICKET)

    assert (code, "no run of the deployment of 2.3.1 is on record" in error) == (64, True)


def test_the_latest_whole_run_counts_before_a_partial_one(deployed, ticket, probekit) -> None:
    probekit("verify", "--item", "deploy.services.settle-time")

    assert ticket(FAILING, TICKET)[0] == 0


@pytest.fixture
def verify(deployed, probekit, folder):
    """A function that verifies one phase, with an item of phase post in scope too."""
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(text.replace('"]\n', '", "post.records.report-created"]\n', 1))

    def one(phase):
        report = json.loads(probekit("verify", "--phase", phase, "--report", "json")[1])
        assert (report["run"]["phase"], report["situation"]["partial"]) == (phase, False)
        return report["run"]["id"]

    return one


def test_an_item_of_an_earlier_phase_may_have_a_ticket(verify, ticket) -> None:
    """Its failure counts until a run that covers it; a run of another phase does not."""
    verify("deploy")
    verify("post")

    assert ticket(FAILING, TICKET)[0] == 0
    assert ticket(PENDING, TICKET)[0] == 0  # of the run before, which had no phase
    code, _, error = ticket("deploy.services.settle-tim", TICKET)
    assert (code, "is not an item of run" in error) == (64, True)


def test_the_latest_run_of_a_phase_decides_on_its_items(verify, ticket, folder) -> None:
    text = (folder / "probes.toml").read_text()
    (folder / "probes.toml").write_text(f'{text}[env.prod.not_applicable]\n"{FAILING}" = "no such service"\n')
    run = verify("deploy")
    (folder / "probes.toml").write_text(text)
    verify("post")

    code, _, error = ticket(FAILING, TICKET)

    assert (code, f"needs no ticket: it is 'not applicable' in run {run}" in " ".join(error.split())) == (64, True)
