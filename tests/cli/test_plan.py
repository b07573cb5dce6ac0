"""`probekit plan`: the run and its cost, what is in the way, as text that fits a terminal and as a document."""

from __future__ import annotations

import json
import os
import re
import socket
from datetime import UTC, datetime, timedelta

import pytest

from probekit import cli
from probekit.history.store import Store
from probekit.model.history import Deployment, TargetKey

ENVIRONMENT = """
[env.prod]
base_url = "http://127.0.0.1:{port}"
scope = [{scope}]
timeout = "1s"
settle = "0s"
spread = "0s"
attempt_interval = "0s"
{settings}
[env.prod.probes.health]
kind = "http"
path = "/health"
"""
HEALTH = "deploy.services.health-endpoint"
API = '[env.prod.probes.api]\nkind = "latency"\nrate = {rate}\nroutes = [{{ path = "/" }}]\n'
RELEASE = '[env.prod.probes.release]\nkind = "release"\npath = "/version"\n'


@pytest.fixture
def plan(tmp_path, monkeypatch, capfd):
    """Plan a configuration in a folder of its own; the exit code and what was printed."""
    (tmp_path / "home").mkdir()
    for name in [name for name in os.environ if name.startswith(("PROBEKIT_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def plan(scope, *words, tables="", settings="", port=1):
        items = ", ".join(f'"{item}"' for item in scope)
        text = ENVIRONMENT.format(port=port, scope=items, settings=settings) + tables
        (tmp_path / "probes.toml").write_text(text)
        capfd.readouterr()
        code = cli.run(["plan", "--env", "prod", *words])
        out, err = capfd.readouterr()
        assert err == ""
        return code, out

    return plan


def flat(text: str) -> str:
    return " ".join(text.split())


def test_it_shows_order_cost_gaps_and_the_scope_that_could_be_go_and_touches_nothing(plan, tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as watched:
        code, out = plan(("deploy.services", "deploy.code", "pre.infra"), port=watched.getsockname()[1])
        watched.settimeout(0)
        with pytest.raises(BlockingIOError):
            watched.accept()

    text = flat(out)
    assert code == 10
    assert "health http 108 34 s 8 measurements at once, up to 3 attempts" in text
    assert "at most 108 requests to each address, 0 to the controls" in text
    assert "no probe named 'source' is configured; probekit explain source names the kinds that can fill it" in text
    assert "GO is impossible" in text
    assert "deploy.services.database-connectivity (critical)" in text
    assert "base_url is http://: use https://, where kind tls needs no table" in text
    scope = out.partition("scope = [")[2]
    assert f'"{HEALTH}",' in scope
    assert "settle-time" not in scope  # nothing settles
    assert "tls-deployed" not in scope  # base_url has no certificate
    assert list((tmp_path / "home").rglob("*")) == []


@pytest.mark.parametrize("words", [(), ("--item", HEALTH)])
def test_every_line_fits_a_terminal_and_no_word_is_broken(plan, words) -> None:
    wide = "a-secret-with-a-name-of-many-words"
    secrets = f'[env.prod.connect]\nheaders = {{ "X-Key" = {{ env = "{wide}" }} }}\n'

    _, out = plan(("deploy", "pre"), *words, tables=API.format(rate=5) + secrets)

    assert max(map(len, out.splitlines())) <= 80
    assert (
        f"the variable {wide} is not set or empty; set it in the environment or in .env (connect.headers.X-Key)"
        in flat(out)
    )


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_terminal_s_width_and_colour_are_used(plan, monkeypatch, columns) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for name, value in {"COLUMNS": str(columns), "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)

    _, out = plan(("deploy", "pre"), tables=API.format(rate=5))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)

    assert columns - 12 <= max(map(len, plain.splitlines())) <= columns
    assert "\x1b[1;31mGO is impossible" in out
    _, good = plan((HEALTH,))
    assert "\x1b[32mGO is possible for a healthy target" in good


def test_a_span_of_time_never_looks_like_the_deadline_that_it_exceeds(plan) -> None:
    _, out = plan(
        ("deploy.performance.p95-latency",),
        settings='deadline = "119.6s"\nwindow = "119.9s"',
        tables=API.format(rate=5),
    )

    assert "the run takes at least 119.9 s, but is cut off after 120 s (deadline)" in flat(out)


def test_it_says_what_no_run_can_prove_and_that_the_throttle_is_too_slow(plan) -> None:
    settings = 'deadline = "60s"\nthrottle = { requests = 1, per = "10s" }'

    code, out = plan(("deploy.performance.error-rate", HEALTH), settings=settings, tables=API.format(rate=5))

    text = flat(out)
    assert code == 10
    assert "'error_rate < 0.1 %' needs 2,995 requests, but probe 'api' sends 6" in text
    assert "api latency 6 deadline, 60 s a window of 60 s of 6 requests" in text
    assert "the run takes at least 2 min 10 s, but is cut off after 60 s (deadline)" in text
    assert "throttle (now 1 in 10s)" in text


def test_it_says_how_many_windows_a_sampling_may_take_and_whether_runs_add_up(plan) -> None:
    scope = ("deploy.performance.error-rate", "deploy.performance.p95-latency")

    _, alone = plan(scope, tables=API.format(rate=1))
    _, versioned = plan(scope, tables=API.format(rate=1) + RELEASE)

    assert "a window of 60 s of 60 requests; up to 3 windows while an item is undecided" in flat(alone)
    assert "'error_rate < 0.1 %' needs 3,218 requests, but probe 'api' sends 60 in each of 3 windows" in flat(alone)
    assert "'p95 < 500 ms'" not in alone  # 60 are not enough, 120 are
    assert "several runs cannot be combined, because no release probe reads the version" in flat(alone)
    assert "or combine about 58 runs of one release after `probekit deployment start`" in flat(versioned)


def test_the_document_names_items_steps_obstacles_and_shortages(plan) -> None:
    code, out = plan((HEALTH, "deploy.performance.error-rate", "pre.infra"), "--json", tables=API.format(rate=5))

    document = json.loads(out)
    states = {item["id"]: (item["state"], item["reason"]) for item in document["items"]}
    assert (code, document["schema"], document["go_possible"]) == (10, "probekit.plan/1", False)
    assert (document["environment"], document["base_url"]) == ("prod", "http://127.0.0.1:1")
    assert states[HEALTH] == ("covered", None)
    assert states["pre.infra.tls-deployed"][0] == "uncovered"
    assert [(step["name"], step["requests"]) for step in document["steps"]] == [("health", 108), ("api", 300)]
    assert {one["cause"] for one in document["obstacles"]} >= {"not_configured", "sample"}
    assert document["shortages"][0]["needed"] == 2995


def test_a_pipe_is_left_to_the_run(plan, tmp_path) -> None:
    os.mkfifo(tmp_path / "key")
    connect = '[env.prod.connect]\nheaders = { "X-Key" = { file = "key" } }\n'

    code, out = plan((HEALTH,), tables=connect)

    assert code == 0
    assert "the secret key (connect.headers.X-Key) is a pipe: read at run time" in flat(out)


@pytest.mark.parametrize(("content", "code"), [(None, 10), ("", 10), ("\n", 10), ("planted-5ecret", 0)])
def test_a_secret_s_file_must_be_there_and_hold_something_which_is_not_shown(plan, tmp_path, content, code) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
        (tmp_path / "key").chmod(0o600)
    connect = '[env.prod.connect]\nheaders = { "X-Key" = { file = "key" } }\n'

    found, out = plan((HEALTH,), tables=connect)

    assert found == code
    assert "planted" not in out


def test_the_variable_may_stand_in_dotenv_and_the_release_in_the_environment(plan, tmp_path, monkeypatch) -> None:
    (tmp_path / ".env").write_text("KEY=planted-5ecret\nPROBEKIT_RELEASE=2.3.1\n")
    connect = '[env.prod.connect]\nheaders = { "X-Key" = { env = "KEY" } }\n'

    code, out = plan((HEALTH, "rollback.steps.previous-version-serving"), tables=connect + RELEASE)

    assert code == 0
    assert "expects 2.3.1" in flat(out)


def test_what_is_on_record_counts(plan, tmp_path) -> None:
    file, now = tmp_path / "state.sqlite3", datetime.now(UTC)
    with Store(file) as store:
        mark = now - timedelta(minutes=5)
        deployment = Deployment(release="2", started=mark, finished=mark)
        store.begin(TargetKey(environment="prod", base_url="http://127.0.0.1:1"), deployment)
    scope = (HEALTH, "deploy.services.settle-time", "rollback.steps.previous-version-serving")

    _, without = plan(scope, "--state", "none", tables=RELEASE)
    code, known = plan(scope, "--state", str(file), tables=RELEASE)

    assert "settled will be 0 s, but 'settled >= 30 s' is required" in flat(without)
    assert "no version is expected" in flat(without)
    assert (code, "settled" in known, "expects 2" in known) == (0, False, True)


def test_of_many_items_behind_one_obstacle_the_gravest_are_named(plan) -> None:
    _, out = plan(("pre", "deploy", "post"), "--probe", "containers")
    _, document = plan(("pre", "deploy", "post"), "--probe", "containers", "--json")

    (obstacle,) = json.loads(document)["obstacles"]
    severities = [line.rpartition("(")[2] for line in out.splitlines() if line.endswith(("(critical)", "(high)"))]
    assert len(obstacle["items"]) > 6
    assert f"and {len(obstacle['items']) - 5} more; --json lists them" in out
    assert severities == sorted(severities)


def test_it_asks_for_each_fact_that_is_not_stated(plan) -> None:
    scope = ("pre.schema", "deploy.smoke.upload-roundtrip", HEALTH)

    _, asked = plan(scope)
    _, stated = plan(scope, "--fact", "changes-schema=no", settings="facts = { accepts-uploads = true }")
    _, document = plan(scope, "--json", "--fact", "changes-schema=no")

    question = "Does the application accept file uploads?"
    remedy = "write accepts-uploads = true, or false, in [env.prod.facts], or add --fact accepts-uploads=yes|no"
    assert f"- {question} 1 item applies unless it is false: {remedy}" in flat(asked)
    assert "- Does this release change the database schema? 2 items apply unless it is false: " in flat(asked)
    assert "unless it is false" not in stated
    assert (
        "- 2 not applicable: 'changes-schema' is false by --fact (Does this release change the database schema?)"
        in flat(stated)
    )
    upload = {"name": "accepts-uploads", "question": question, "remedy": remedy, "items": [scope[1]]}
    assert json.loads(document)["unknown_facts"] == [upload]


def test_a_plan_of_a_phase_says_so_wherever_it_says_go(plan) -> None:
    scope = ("pre.schema.dba-reviewed-migrations", HEALTH, "deploy.code.checkout-is-release")

    _, possible = plan(scope[:2], "--phase", "deploy")
    _, impossible = plan(scope, "--phase", "deploy")
    _, document = plan(scope, "--phase", "deploy", "--json")

    head = "plan for prod, phase deploy (http://127.0.0.1:1), probes.toml\n1 of 203 items in scope of phase deploy\n"
    assert possible.startswith(head)
    assert "GO of phase deploy is possible for a healthy target" in possible
    assert "GO of phase deploy is impossible: 1 obstacle" in impossible
    without = f'GO of phase deploy is possible with these items of it in scope: scope = [ "{HEALTH}", ]'
    assert without in flat(impossible)
    assert (json.loads(document)["phase"], json.loads(document)["in_scope"]) == ("deploy", 2)
