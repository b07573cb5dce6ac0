"""Runs of single phases that alternate: what each says it covered, and that no run changes what is known of another."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from probekit import cli
from probekit.history.store import Store
from probekit.model.history import Deployment, TargetKey

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = ["pre.schema.dba-reviewed-migrations", "deploy.services.health-endpoint", "{back}"]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"

[env.prod.probes.repository]
kind = "command"
argv = ["/bin/echo", '{{"approvals": 1, "release": "2.4.0"}}']
metrics = {{ fewest_dba_approvals = "$.approvals" }}
record = {{ release = "$.release" }}

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
HEALTH, REVIEW = "deploy.services.health-endpoint", "pre.schema.dba-reviewed-migrations"
BACK = "rollback.steps.health-after-rollback"
STATE = "state.sqlite3"
ROOT = Path(__file__).parents[2]
GATE = ("--phase", "pre", "--stage", "before", "--release", "2.4.0")
DEPLOY = ("--phase", "deploy")


@pytest.fixture
def place(tmp_path, monkeypatch) -> TargetKey:
    """The target of a folder's configuration; nothing listens on its port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "probes.toml").write_text(CONFIG.format(port=port, back=BACK))
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PROBEKIT_STATE", STATE)
    return TargetKey(environment="prod", base_url=f"http://127.0.0.1:{port}")


@pytest.fixture
def run(place, capfd):
    """Run a command line in this process; its exit code, stdout and stderr."""

    def run(*words):
        capfd.readouterr()
        code = cli.run([*words, *(("--env", "prod") if "--env" not in words else ())])
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(words, code, out, err)

    return run


@pytest.fixture
def verify(run):
    """Verify; the report as a document."""

    def verify(*words):
        return json.loads(run("verify", "--report", "json", *words).stdout)

    return verify


def outcomes(report) -> dict[str, str]:
    return {one["item"]: one["outcome"] for one in report["verdicts"]}


def flat(text: str) -> str:
    return " ".join(text.split())


def mark(place, *, is_back: bool) -> None:
    """Record a deployment that ended ten minutes ago, and its rollback."""
    at = datetime.now(UTC) - timedelta(minutes=10)
    with Store(Path(STATE)) as store:
        store.begin(place, Deployment(release="2.4.0", started=at, finished=at, rolled_back=at if is_back else None))


def other_checklist() -> None:
    """Write a configuration whose checklist is the built-in one with another name of a fact."""
    Path("checklist").mkdir()
    for file in sorted((ROOT / "src/probekit/data/softfactory").glob("*.toml")):
        Path("checklist", file.name).write_text(file.read_text().replace("changes-schema", "alters-schema"))
    Path("other.toml").write_text('checklist = "checklist"\n' + Path("probes.toml").read_text())


def test_the_gate_says_what_it_covered_and_what_its_go_rests_on(run) -> None:
    result = run("verify", *GATE)

    text = flat(result.stdout)
    assert result.returncode == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert text.startswith("GO: prod, phase pre: records and people only, for 2.4.0; nothing of the target was read: ")
    assert "stage before, phase pre, for 2.4.0, by probes.toml" in text
    assert "203 items = 1 pass + 202 out of scope of phase pre" in text
    assert "Next: go on: phase pre allows it; a run of each other phase verifies the items of that phase." in text
    assert result.stdout.splitlines()[-1] == "go, phase pre, exit code 0"


@pytest.mark.parametrize(
    ("words", "partial", "items"),
    [
        (GATE, False, [REVIEW]),
        ((*GATE, "--section", "pre.schema"), True, [REVIEW]),
        ((*GATE, "--item", REVIEW), True, [REVIEW]),
        ((*GATE, "--probe", "repository"), True, [REVIEW]),
        ((*GATE, "--quick"), True, [REVIEW]),
        (DEPLOY, False, [HEALTH]),
    ],
)
def test_a_selection_narrows_a_phase_and_is_partial(verify, words, partial, items) -> None:
    report = verify(*words)

    assert list(outcomes(report)) == items
    assert (report["situation"]["partial"], report["situation"]["in_scope"]) == (partial, 1)
    assert report["run"]["phase"] == words[1]


def test_a_part_of_a_phase_decides_nothing_about_the_phase(run) -> None:
    result = run("verify", *GATE, "--quick")

    assert result.stdout.startswith("PASS (partial run): prod, phase pre: ")
    assert "Next: go on; to decide on phase pre, verify all of it.\npartial, phase pre, exit code 0" in result.stdout


def test_a_failure_keeps_its_time_while_runs_of_other_phases_alternate_with_its_own(verify) -> None:
    def since(report):
        return [one["since"] for one in report["verdicts"] if one["item"] == HEALTH]

    first, gate, whole, second = verify(*DEPLOY), verify(*GATE), verify(), verify(*DEPLOY)

    assert outcomes(first) == {HEALTH: "fail"}
    assert since(gate) == []
    assert since(first)[0] is not None
    assert since(first) == since(whole) == since(second)


def test_on_change_compares_with_the_last_run_of_the_same_phase(run) -> None:
    phases = (DEPLOY, GATE, ())

    first = [run("verify", "--on-change", *words) for words in phases]
    again = [run("verify", "--on-change", *words) for words in phases]
    Path("probes.toml").write_text(Path("probes.toml").read_text().replace("/bin/echo", "/bin/false"))
    changed = [run("verify", "--on-change", *words).stdout != "" for words in (DEPLOY, GATE, GATE)]

    assert [one.stdout.partition(":")[0] for one in first] == ["INVESTIGATE NOW", "GO", "INVESTIGATE NOW"]
    assert [one.stdout for one in again] == ["", "", ""]
    assert [one.returncode for one in again] == [one.returncode for one in first]
    assert changed == [False, True, False]


@pytest.mark.parametrize(("words", "is_noted"), [((), True), (DEPLOY, False), ((*DEPLOY, "--quick"), False)])
def test_an_address_that_another_phase_may_use_is_not_called_unused(verify, words, is_noted) -> None:
    fixed = '[env.prod.connect.resolve]\n"api.example.com:443" = "127.0.0.1"\n'
    Path("probes.toml").write_text(f"{Path('probes.toml').read_text()}\n{fixed}")

    notes = verify(*words)["run"]["notes"]

    assert any("connect.resolve 'api.example.com:443'" in note for note in notes) is is_noted


def test_the_record_shows_the_phase_of_a_run(run) -> None:
    ids = [
        json.loads(run("verify", "--report", "json", *one).stdout)["run"]["id"] for one in (GATE, (*GATE, "--quick"))
    ]
    run("verify", *DEPLOY)
    run("verify")

    listed = [line.split() for line in run("runs", "list").stdout.splitlines()[2:]]
    phases = [one["phase"] for one in json.loads(run("runs", "list", "--json").stdout)["runs"]]
    compared = run("runs", "compare", ids[0], "previous").stdout
    same = run("runs", "compare", *ids).stdout

    assert [" ".join(line[-4:-1] if "part" in line else line[-2:-1]) for line in listed] == [
        "whole", "deploy", "part of pre", "pre",
    ]  # fmt: skip
    assert phases == [None, "deploy", "pre", "pre"]
    assert "stage before, phase pre, by probes.toml" in flat(run("runs", "show", ids[0]).stdout)
    different = "these runs covered different phases: the earlier one phase pre, the later one phase deploy"
    assert different in flat(compared)
    assert "different phases" not in same


def test_a_run_that_is_judged_again_keeps_its_phase_and_its_facts(run, verify) -> None:
    gate, other = verify(*GATE, "--fact", "changes-schema=yes"), verify(*DEPLOY)
    with_fact = verify("--fact", "changes-schema=no")

    again = [json.loads(run("runs", "judge", one["run"]["id"], "--report", "json").stdout) for one in (gate, other)]
    of_fact = json.loads(run("runs", "judge", with_fact["run"]["id"], "--report", "json").stdout)

    for before, after in zip((gate, other), again, strict=True):
        assert (after["run"]["phase"], after["run"]["facts"]) == (before["run"]["phase"], before["run"]["facts"])
        assert outcomes(after) == outcomes(before)
        assert after["situation"]["in_scope"] == 1
        assert after["decision"]["action"] == before["decision"]["action"]
    assert outcomes(of_fact)[REVIEW] == outcomes(with_fact)[REVIEW] == "not_applicable"
    question = "Does this release change the database schema?"
    (because,) = [one["because"] for one in of_fact["verdicts"] if one["item"] == REVIEW]
    assert because == f"'changes-schema' is false by --fact ({question})"


@pytest.mark.parametrize("settles", [True, False])
def test_a_false_fact_changes_nothing_about_settling_where_a_run_is_judged_again(run, verify, place, settles) -> None:
    settle = "deploy.services.settle-time"
    text = Path("probes.toml").read_text().replace(BACK, settle)
    Path("probes.toml").write_text(f"{text}\n[env.prod.facts]\nchanges-schema = false\n")
    mark(place, is_back=False)

    before = verify(*(() if settles else ("--no-settle",)))
    after = json.loads(run("runs", "judge", before["run"]["id"], "--report", "json").stdout)

    assert outcomes(after) == outcomes(before)
    assert (outcomes(before)[settle] == "not_applicable") is not settles


def test_a_checklist_of_ones_own_has_its_own_facts(run, verify) -> None:
    before = verify("--fact", "changes-schema=no")
    other_checklist()

    refused = run("verify", "--config", "other.toml", "--fact", "changes-schema=no")
    again = run("runs", "judge", before["run"]["id"], "--limits", "other.toml", "--report", "json")

    assert (refused.returncode, refused.stdout) == (64, "")
    assert "no fact 'changes-schema'; did you mean 'alters-schema'?; known facts: alters-schema, " in flat(
        refused.stderr
    )
    assert json.loads(again.stdout)["run"]["facts"] == {"changes-schema": False}  # as the run stated it
    assert outcomes(json.loads(again.stdout))[REVIEW] != "not_applicable"


@pytest.mark.parametrize(
    ("phase", "told"),
    [
        ("pre", "no phase 'pre'; known phases: none"),
        ("own", "no phase 'own'; known phases: none"),
        ("\x1b[31m", "no phase '"),
    ],
)
def test_own_checks_alone_have_no_phase(run, phase, told) -> None:
    own = Path("probes.toml").read_text().replace("scope", "# scope").partition("[env.prod.probes.repository]")[0]
    Path("own.toml").write_text(f'checklist = "none"\n{own}[env.prod.probes.stock]\nkind = "http"\npath = "/stock"\n')

    result = run("verify", "--config", "own.toml", "--phase", phase)

    assert (result.returncode, result.stdout) == (64, "")
    assert told in flat(result.stderr)
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    ("is_back", "words", "stage", "back"),
    [
        (False, (), "after", "not_applicable"),
        (True, (), "rolled-back", "fail"),
        (True, ("--stage", "after"), "after", "fail"),
        (False, ("--stage", "rolled-back"), "rolled-back", "fail"),
        (True, ("--phase", "rollback"), "rolled-back", "fail"),
        (False, ("--phase", "rollback", "--stage", "rolled-back"), "rolled-back", "fail"),
    ],
)
def test_the_rollback_phase_follows_the_record_and_the_stage(verify, place, is_back, words, stage, back) -> None:
    mark(place, is_back=is_back)

    report = verify(*words)

    assert (report["run"]["stage"], outcomes(report)[BACK]) == (stage, back)


def test_a_new_deployment_after_a_rollback_is_verified_as_deployed(verify, place) -> None:
    mark(place, is_back=True)

    report = verify("--deployed", "now", "--release", "2.5.0")

    assert (report["run"]["stage"], outcomes(report)[BACK]) == ("after", "not_applicable")


@pytest.mark.parametrize("command", ["verify", "plan"])
def test_the_rollback_phase_is_refused_without_a_rollback(run, place, command) -> None:
    mark(place, is_back=False)

    result = run(command, "--phase", "rollback")

    assert (result.returncode, result.stdout) == (64, "")
    why = "--phase rollback: no rollback is on record; probekit deployment rolled-back records one"
    assert why in flat(result.stderr)
