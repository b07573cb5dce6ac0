"""Verification of a real target: each fault breaks what its row says, and nothing else.

A row verifies its own items in this process, on one target that all rows share; its times are short. Rows of the
program as a whole start `probekit demo` or `probekit verify` and read the report and the exit code.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import probekit
from probekit.demo import environment
from probekit.demo.target import FAULTS, SERVE_PORTS, Target, running_target
from probekit.reports import console
from probekit.reports.json import write as json_report
from probekit.workflows.rejudge import rejudge

DAYS, DEPLOYED, SETTLED, HEALTH = environment.SCOPE[:4]
INFRASTRUCTURE = "deploy.services.infrastructure-health"
ROUTES = "deploy.smoke.core-endpoints"
P95 = ("deploy.smoke.smoke-response-times", "deploy.performance.p95-latency", "post.performance.api-response-times")
HIT_RATE = "post.performance.cache-hit-rate"
SLOW_QUERIES = "post.performance.no-slow-queries"
BLOCKED = "post.database.no-blocked-sessions"
POOL = "post.performance.pool-headroom"
RATE_LIMIT = "post.security.rate-limiting"
IN_A_WINDOW = {*P95, environment.ERROR_RATE, HIT_RATE, SLOW_QUERIES, POOL, RATE_LIMIT}
AT_ONCE = tuple(item for item in environment.SCOPE if item not in IN_A_WINDOW)  # no window and no burst
SHORT_TIMES = {"spread": "0.4s", "attempt_interval": "0.2s", "block": "0.5s"}
BRIEF = environment.Sampling(seconds=3, rate=100)
ROOT = Path(__file__).parents[2]
TABLES = tomllib.loads((ROOT / "tests" / "data" / "faults.toml").read_text("utf-8"))
ROWS = {row["name"]: row for row in TABLES["fault"]}
OUTCOMES = ("fail", "error", "inconclusive")


def expected(fault: str, *, deployed: bool = True) -> tuple[int, dict[str, str]]:
    """The exit code and the verdicts that are no pass, as the fault's row has them."""
    row = ROWS[fault]
    not_green = {item: outcome for outcome in OUTCOMES for item in row.get(outcome, ())}
    return row["code"] if deployed else min(row["code"], 10), not_green  # without a deployment nothing rolls back


@dataclass(frozen=True)
class Seen:
    """One run of the program and what it reported."""

    code: int
    out: str
    err: str
    report: dict

    @property
    def verdicts(self) -> dict[str, dict]:
        return {verdict["item"]: verdict for verdict in self.report["verdicts"]}

    @property
    def not_green(self) -> dict[str, str]:
        """What is not passed, without what was left out once the decision was fixed."""
        open_ = {name: verdict for name, verdict in self.verdicts.items() if not verdict["passed"]}
        return {name: verdict["outcome"] for name, verdict in open_.items() if name not in self.left_out}

    @property
    def left_out(self) -> set[str]:
        return {name for name, verdict in self.verdicts.items() if "not_measured" in verdict["because"]}


def short(target: Target, sampling: environment.Sampling, **times: str) -> str:
    """The environment of a target with times that a test can wait for."""
    text = environment.text(replace(environment.place_of(target), folder=target.folder.absolute()), sampling)
    for name, time in (SHORT_TIMES | times).items():
        text, found = re.subn(rf'^{name} = "\w+"', f'{name} = "{time}"', text, flags=re.MULTILINE)
        assert found == 1, name
    return text


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with running_target() as running:
        environment.write(running, environment.SHORT)
        yield running


@pytest.fixture
def verify(tmp_path):
    """Run `probekit` with a JSON report; what came of it."""

    def one(*arguments: str) -> Seen:
        file = tmp_path / "report.json"
        command = [sys.executable, "-m", "probekit", *arguments, "--report", f"json={file}"]
        home = os.environ | {"HOME": str(tmp_path)}
        result = subprocess.run(
            command, cwd=tmp_path, env=home, capture_output=True, text=True, timeout=80, check=False
        )
        seen = Seen(result.returncode, result.stdout, result.stderr, json.loads(file.read_text("utf-8")))
        assert seen.report["decision"]["exit_code"] == seen.code
        assert seen.out.splitlines()[-1].endswith(f"exit code {seen.code}")
        return seen

    return one


@dataclass(frozen=True)
class Row:
    """Runs of the shared target with one fault planted."""

    target: Target
    config: Path

    def __call__(
        self,
        fault: str,
        *scope: str,
        is_deployed: bool = True,
        wait_release: float = 0.0,
        timeout: str = "2s",
        sampling: environment.Sampling = BRIEF,
    ) -> Seen:
        """Plant a fault, verify these items, take the fault back."""
        sampling = replace(sampling, scope=(*dict.fromkeys((SETTLED, *scope)),))
        self.config.write_text(short(self.target, sampling, timeout=timeout), "utf-8")
        self.target.plant(fault)
        try:
            report = probekit.verify(
                "demo",
                config=self.config,
                deployed=datetime.now(UTC) - timedelta(minutes=1) if is_deployed else None,
                wait_release=wait_release,
            )
        finally:
            self.target.repair()
        seen = Seen(report.exit_code, console.render(report), "", json.loads(json_report.render(report)))
        assert set(seen.verdicts) == {SETTLED, *scope}
        return seen


@pytest.fixture
def with_fault(target, tmp_path) -> Row:
    return Row(target, tmp_path / "row.toml")


@pytest.mark.faults
def test_the_whole_demo_is_go_with_every_item_measured(verify) -> None:
    seen = verify("demo", "--deployed", "now")

    assert (seen.code, seen.not_green) == (0, {})
    assert set(seen.verdicts) == set(environment.SCOPE)
    assert seen.report["account"]["pass"] == 23
    assert "of 3300 failed" in seen.verdicts[environment.ERROR_RATE]["because"]


def test_a_healthy_target_is_go(verify, target) -> None:
    config = str(target.folder / "probes.toml")

    seen = verify("verify", "--env", "demo", "--config", config, "--deployed", "now")

    assert (seen.code, seen.report["decision"]["action"], seen.not_green) == (0, "go", {})
    assert seen.out.startswith("GO")
    assert seen.err == ""
    assert set(seen.verdicts) == set(environment.SHORT.scope)
    account = seen.report["account"]
    assert (account["items"], account["pass"], account["out_of_scope"]) == (203, 22, 181)
    assert seen.report["situation"]["release"] == {
        "expected": ["2.3.1"],
        "allowed": [],
        "answers": {"2.3.1": 8},
        "served": "expected",
        "because": "2.3.1 is served",
    }
    assert seen.report["situation"]["control"] == "answers"
    assert seen.verdicts[SETTLED]["flags"] == ["changed"]
    assert seen.verdicts[SETTLED]["observed"] >= 1
    assert 300 < seen.verdicts[DAYS]["observed"] < 366
    assert "response time" in seen.verdicts[HEALTH]["because"]
    measurements = [measurement for measurement in seen.report["measurements"] if measurement["probe"] == "health"]
    assert len(measurements) == 8
    assert {measurement["values"]["status"] for measurement in measurements} == {200}


@pytest.mark.faults
def test_the_whole_demo_with_a_fault_orders_a_rollback(verify) -> None:
    seen = verify("demo", "--fault", "hang", "--deployed", "now")

    assert (seen.code, seen.report["decision"]["action"], seen.not_green) == (20, "rollback", expected("hang")[1])
    assert set(seen.verdicts) == set(environment.SCOPE)
    assert {environment.ERROR_RATE, *P95} <= seen.left_out


@pytest.mark.faults
def test_errors_in_every_thirtieth_answer_of_the_whole_demo_fail_the_error_rate_and_no_percentile(verify) -> None:
    seen = verify("demo", "--fault", "errors", "--deployed", "now")

    assert (seen.code, seen.not_green) == expected("errors")
    assert set(seen.verdicts) == set(environment.SCOPE)
    assert seen.verdicts[environment.ERROR_RATE]["severity"] == "high"
    assert seen.verdicts[ROUTES]["flags"] == ["flaky"]
    assert 4 < seen.report["decision"]["minutes"] <= 5


@pytest.mark.faults
def test_the_demo_plants_a_fault_itself_and_exits_with_verify_s_code(verify) -> None:
    seen = verify("demo", "--fault", "hang", "--probe", "health", "--deployed", "now")

    assert (seen.code, seen.not_green) == (10, {HEALTH: "fail"})  # a part of the scope orders no rollback
    assert seen.out.startswith("INVESTIGATE NOW (partial run, 1 of 23 items)")


@pytest.mark.faults
@pytest.mark.parametrize(("is_deployed", "code"), [(False, 10), (True, 20)])
def test_a_health_endpoint_that_hangs_fails_in_three_attempts(with_fault, is_deployed, code) -> None:
    seen = with_fault("hang", *AT_ONCE, *P95, is_deployed=is_deployed, timeout="1s")

    assert (seen.code, seen.not_green) == expected("hang", deployed=is_deployed)
    assert seen.code == code
    assert "all 3 measurements in 3 attempts" in seen.verdicts[HEALTH]["because"]
    assert set(P95) <= seen.left_out if code == 20 else not seen.left_out
    assert seen.verdicts[HEALTH]["severity"] == "critical"


@pytest.mark.faults
@pytest.mark.parametrize("is_deployed", [False, True])
def test_half_broken_replicas_are_unproven_and_never_roll_back(with_fault, is_deployed) -> None:
    seen = with_fault("half-broken", *AT_ONCE, is_deployed=is_deployed)

    assert (seen.code, seen.not_green) == expected("half-broken", deployed=is_deployed)
    assert seen.verdicts[HEALTH]["flags"] == ["flaky"]


@pytest.mark.faults
@pytest.mark.parametrize("is_deployed", [False, True])
def test_an_expired_certificate_fails_its_days_and_its_trust_and_never_rolls_back(with_fault, is_deployed) -> None:
    seen = with_fault("expired-cert", *environment.SHORT.scope, is_deployed=is_deployed)

    assert (seen.code, seen.not_green) == expected("expired-cert", deployed=is_deployed)
    assert seen.verdicts[DAYS]["severity"] == "critical"
    assert "trusted 0" in seen.verdicts[DEPLOYED]["because"]
    assert "refused: the leaf localhost expired on" in seen.verdicts[DEPLOYED]["because"]
    assert seen.verdicts[HEALTH]["because"].startswith("untrusted: ")


@pytest.mark.faults
@pytest.mark.parametrize("is_deployed", [False, True])
def test_another_host_s_certificate_fails_what_is_deployed(with_fault, is_deployed) -> None:
    seen = with_fault("wrong-host-cert", *environment.SHORT.scope, is_deployed=is_deployed)

    assert (seen.code, seen.not_green) == expected("wrong-host-cert", deployed=is_deployed)
    assert "host matches 0" in seen.verdicts[DEPLOYED]["because"]
    assert seen.verdicts[HEALTH]["because"].startswith("untrusted: ")


@pytest.mark.faults
@pytest.mark.parametrize(("is_deployed", "bursts"), [(False, {RATE_LIMIT}), (True, set())])  # a second burst would wait
def test_an_old_version_hides_what_the_release_itself_answers_and_nothing_else(with_fault, is_deployed, bursts) -> None:
    seen = with_fault("old-version", *AT_ONCE, *P95, *bursts, is_deployed=is_deployed)

    of_release = {name for name, one in seen.verdicts.items() if one["layer"] in ("application", "edge")}
    code, hidden = expected("old-version", deployed=is_deployed)
    assert (seen.code, seen.not_green) == (10, dict.fromkeys(of_release, "inconclusive"))
    assert (code, hidden.keys() - {RATE_LIMIT} | bursts) == (10, of_release)
    assert all(seen.verdicts[name]["flags"] == ["other_release"] for name in of_release)
    assert {one["layer"] for one in seen.verdicts.values() if one["passed"]} >= {"certificate", "database", "cache"}
    assert seen.report["decision"]["because"][0] == "WRONG VERSION: 2.3.0 is served, 2.3.1 expected"
    assert seen.report["situation"]["release"]["answers"].keys() == {"2.3.0"}


@pytest.mark.faults
def test_one_stray_error_is_asked_again_and_shown(with_fault) -> None:
    seen = with_fault("one-stray-error", *AT_ONCE, is_deployed=False)

    assert (seen.code, seen.not_green) == expected("one-stray-error", deployed=False)
    assert seen.verdicts[HEALTH]["flags"] == ["flaky"]
    assert "1 of 32 measurements was not good: 503 from 127.0.0.1" in seen.verdicts[HEALTH]["because"]
    assert "1 of 32 measurements" in " ".join(seen.out.split())


@pytest.mark.faults
@pytest.mark.parametrize(
    ("fault", "scope"),
    [
        ("missing-headers", AT_ONCE),
        ("slow", (HEALTH, *P95)),
        ("orphans", AT_ONCE),
        ("cache-down", (*AT_ONCE, HIT_RATE)),
        ("soon-expiring-cert", AT_ONCE),
        ("html-error-page", (*AT_ONCE, *P95, SLOW_QUERIES)),
        ("open-cors", AT_ONCE),
        ("no-rate-limit", (HEALTH, RATE_LIMIT)),
        ("blocked-lock", (HEALTH, *P95, BLOCKED, SLOW_QUERIES)),
        ("invalid-index", AT_ONCE),
        ("cold-cache", (HEALTH, *P95, HIT_RATE)),
        ("cache-full", AT_ONCE),
        ("readonly-database", AT_ONCE),
        ("slow-half", (HEALTH, *P95)),
        ("base-delay", (HEALTH, *P95)),
    ],
)
def test_a_fault_fails_what_its_row_says(with_fault, fault, scope) -> None:
    seen = with_fault(fault, *scope)

    code, not_green = expected(fault)
    assert (seen.code, seen.not_green) == (code, not_green)
    undeployed = seen.report["situation"] | {"deployment": None}
    again = rejudge(seen.report | {"situation": undeployed}, with_fault.config)
    open_ = {verdict.item.id: verdict.outcome for verdict in again.verdicts if verdict.outcome != "pass"}
    assert open_ == not_green | dict.fromkeys(seen.left_out, "inconclusive")
    assert again.exit_code == min(code, 10)  # nothing on record that could be rolled back


@pytest.mark.faults
def test_an_optional_component_that_is_down_is_named_and_stops_nothing(with_fault) -> None:
    seen = with_fault("component-optional-down", *AT_ONCE)

    assert (seen.code, seen.not_green) == expected("component-optional-down")
    assert "queue" in seen.verdicts[INFRASTRUCTURE]["because"]


@pytest.mark.faults
def test_a_health_endpoint_that_lies_is_held_against_the_direct_look(with_fault) -> None:
    seen = with_fault("infrastructure-lies", *AT_ONCE, SLOW_QUERIES, POOL)

    assert (seen.code, seen.not_green) == expected("infrastructure-lies")
    because = seen.verdicts[INFRASTRUCTURE]["because"]
    assert "the probe reports success" in because
    assert "the direct measurement of database reports: PostgreSQL at 127.0.0.1" in because


@pytest.mark.faults
def test_a_database_that_is_down_fails_what_needs_it_and_is_the_one_reason_for_the_rest(with_fault) -> None:
    seen = with_fault("database-down", *environment.SCOPE, sampling=environment.Sampling())

    assert (seen.code, seen.not_green) == expected("database-down")
    assert {environment.ERROR_RATE, *P95, HIT_RATE} <= seen.left_out


@pytest.mark.faults
def test_the_release_is_waited_for_and_the_wait_is_bounded(with_fault) -> None:
    seen = with_fault("old-version", HEALTH, is_deployed=False, wait_release=3)

    assert seen.code == 10
    assert seen.report["run"]["seconds"] > 3
    assert len([measurement for measurement in seen.report["measurements"] if measurement["probe"] == "release"]) >= 4


@pytest.fixture(scope="module")
def refusing() -> Iterator[Target]:
    """A target whose HTTPS and plain HTTP refuse connections, which it cannot take back."""
    with running_target() as running:
        running.stop_serving()
        environment.write(running, environment.SHORT)
        yield running


@pytest.mark.faults
@pytest.mark.parametrize("row", TABLES["refusal"], ids=lambda row: row["name"])
def test_a_target_that_refuses_is_rolled_back_only_when_we_can_be_sure(verify, refusing, tmp_path, row) -> None:
    text = short(refusing, environment.SHORT)
    refused = f"http://127.0.0.1:{refusing.plain_url.rpartition(':')[2]}/"
    file = tmp_path / "probes.toml"
    file.write_text(text if row["control"] else text.replace(refusing.control_url, refused), "utf-8")

    arguments = ("--deployed", "now") if row["deployed"] else ()
    seen = verify("verify", "--env", "demo", "--config", str(file), *arguments)

    assert seen.code == row["code"]
    assert seen.not_green[HEALTH] == seen.not_green["deploy.services.infrastructure-health"] == "fail"
    assert seen.not_green[DAYS] == seen.not_green[DEPLOYED] == "error"
    assert seen.verdicts["deploy.services.database-connectivity"]["passed"]
    assert seen.report["situation"]["release"]["served"] == "down"
    assert "connection refused by" in seen.verdicts[HEALTH]["because"]
    assert ("control.silent" in seen.err) is not row["control"]


def test_every_fault_has_its_row() -> None:
    text = Path(__file__).read_text("utf-8")

    assert list(ROWS) == list(FAULTS)
    assert [(row["control"], row["deployed"], row["code"]) for row in TABLES["refusal"]] == [
        (True, True, 20),
        (True, False, 10),
        (False, True, 30),
    ]
    assert all(f'"{fault}"' in text for fault in FAULTS)


def test_the_project_s_own_file_describes_the_served_demo() -> None:
    ours = tomllib.loads((ROOT / "probes.toml").read_text("utf-8"))["env"]["demo"]
    place = environment.Place(
        base_url=f"https://localhost:{SERVE_PORTS.https}",
        plain_url=f"http://localhost:{SERVE_PORTS.plain}",
        control_url=f"http://127.0.0.1:{SERVE_PORTS.control}/",
        folder=Path(".probekit-demo"),
        version="2.3.1",
    )

    assert tomllib.loads(environment.text(place))["env"]["demo"] == ours


def test_a_url_needs_no_file_and_a_quick_look_takes_seconds(tmp_path) -> None:
    if {address for *_, (address, *_) in socket.getaddrinfo("localhost", None)} != {"127.0.0.1"}:
        pytest.skip("localhost has another address than the target's")
    with running_target() as target:  # one whose rate limit nobody has used up
        wishes = ["--url", f"{target.base_url}/health", "--quick", "--report", "json"]
        command = [sys.executable, "-m", "probekit", "verify", *wishes]
        env = os.environ | {"HOME": str(tmp_path), "SSL_CERT_FILE": str(target.ca_file)}

        result = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)

    report = json.loads(result.stdout)
    outcomes = {verdict["item"]: verdict["outcome"] for verdict in report["verdicts"]}
    assert result.returncode == 0
    assert report["situation"]["partial"] is True
    assert report["run"]["seconds"] < 5
    assert outcomes == {DAYS: "pass", DEPLOYED: "pass", HEALTH: "pass", "post.security.headers": "error"}
