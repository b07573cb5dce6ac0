"""What will run, what will not and why, and whether a go can be had at all; nothing is touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import pytest

from probekit import checklist as checklists
from probekit.config.loader import load
from probekit.model.history import Deployment, History
from probekit.model.plan import Bounds
from probekit.model.record import Identity
from probekit.model.verdict import Stage
from probekit.planning.plan import plan
from probekit.planning.release import ReleaseRequest
from probekit.planning.selection import Selection
from probekit.toml_file import ConfigError

HEALTH = "deploy.services.health-endpoint"
TABLES = """
[env.prod.probes.health]
kind = "http"
path = "/health"
[env.prod.probes.release]
kind = "release"
path = "/version"
expect = "2"
"""


@pytest.fixture(scope="module")
def checklist():
    return checklists.load("softfactory")


@pytest.fixture
def planned(tmp_path, checklist):
    def one(*scope, tables=TABLES, base_url="https://app.test", selection=None, release=None, settles=True, **settings):
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        items = ", ".join(f'"{name}"' for name in scope)
        text = f'[env.prod]\nbase_url = "{base_url}"\nscope = [{items}]\n{lines}{tables}'
        (tmp_path / "probes.toml").write_text(text)
        target = load(tmp_path / "probes.toml").targets["prod"]
        return plan(target, selection=selection, release=release, settles=settles)

    return one


def test_a_probe_that_claims_reachability_takes_looks_and_its_items_attempts(planned) -> None:
    (step,) = planned(HEALTH).steps

    assert (step.repeat, step.attempts, step.spread, step.attempt_interval) == (8, 3, 20.0, 10.0)
    assert step.wanted == step.reachability_metrics == {"up", "status", "failed_assertions", "response_time"}


def test_the_number_of_looks_is_the_probe_s_own_setting(planned) -> None:
    (step,) = planned(HEALTH, tables=TABLES.replace('"/health"', '"/health"\nrepeat = 30')).steps

    assert step.repeat == 30


def test_any_other_probe_takes_one_look_and_further_attempts_only_where_an_item_asks_for_them(planned) -> None:
    (step,) = planned("pre.infra.tls-deployed").steps

    assert (step.probe, step.repeat, step.attempts, step.spread) == ("certificate", 1, 1, 0.0)


def test_one_measurement_serves_every_item_that_names_its_probe(planned) -> None:
    steps = planned("pre.security.tls-days-left", "pre.infra.tls-deployed").steps

    assert [step.probe for step in steps] == ["certificate"]
    assert {"time_left", "trusted", "host_matches"} <= steps[0].wanted


@pytest.mark.parametrize(("settings", "cost", "load_time"), [({}, 1, 0.0), ({"allow": '["load"]'}, 73, 81.5)])
def test_a_burst_costs_its_requests_and_its_time_only_where_load_is_allowed(planned, settings, cost, load_time) -> None:
    tables = '[env.prod.probes.rate-limit]\nkind = "rate_limit"\npath = "/api"\nlimit = 30\nper = "10s"\n'
    (step,) = planned("pre.security.rate-limit-configured", tables=tables, **settings).steps

    assert (step.cost, step.load_time) == (cost, load_time)
    assert step.longest == replace(step, load_time=0.0).longest + load_time


def test_what_writes_is_planned_once_an_attempt(planned) -> None:
    tables = '[env.prod.probes.health]\nkind = "http"\npath = "/orders"\nmethod = "POST"\njson = { sku = "probe" }\n'
    (step,) = planned(HEALTH, tables=tables).steps

    assert (step.repeat, step.attempts, step.cost, step.spread) == (1, 3, 3, 20)
    assert (step.writes, step.each_address) == (True, False)


def test_many_routes_take_their_time(planned) -> None:
    routes = ",".join(f'{{ path = "/{number}" }}' for number in range(500))
    tables = f'[env.prod.probes.routes]\nkind = "routes"\nroutes = [{routes}]\n'
    (step,) = planned("deploy.smoke.core-endpoints", tables=tables).steps

    assert step.cost == 502 * (8 + 24 + 2 * (step.attempts - 1))
    assert step.longest == 20 + (8 + 24 + step.attempts - 1) * 127 * 10 + (step.attempts - 1) * 10


def test_the_cost_is_that_of_the_worst_case(planned) -> None:
    (step,) = planned(HEALTH).steps

    assert step.cost == 3 * (8 + 24 + 2 * 2)
    assert step.longest == 20 + (8 + 24 + 2) * 10 + 2 * 10  # one after another, for its durations count


def test_a_probe_without_a_table_is_there_where_its_kind_needs_none(planned) -> None:
    with_tls = planned("pre.infra.tls-deployed", "deploy.services.settle-time", tables="")
    without = planned("pre.infra.tls-deployed", tables="", base_url="http://app.test")

    assert [step.probe for step in with_tls.steps] == ["certificate", "deployment"]
    assert "no probe named 'certificate' is configured" in without.uncovered["pre.infra.tls-deployed"]


def test_steps_stand_in_the_checklist_s_order(planned) -> None:
    steps = planned("deploy.services.settle-time", HEALTH, "pre.infra.tls-deployed").steps

    assert [step.probe for step in steps] == ["certificate", "health", "deployment"]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (
            "deploy.code.rollout-progress",
            "no probe named 'containers' is configured; probekit explain containers names the kinds",
        ),
        ("pre.infra.dns-as-declared", "no probe named 'dns' is configured; probekit explain dns names the kinds"),
        ("deploy.preflight.baseline-captured", None),
        ("rollback.steps.previous-version-serving", None),
    ],
)
def test_what_no_probe_can_answer_is_unserved_with_its_reason(planned, item, why) -> None:
    uncovered = planned(item).uncovered

    assert (why is None and not uncovered) or why in uncovered[item]


@pytest.mark.parametrize(
    ("settings", "each"),
    [
        ({}, 300),
        ({"budget": 200}, 100),
        ({"budget": 1}, 1),
        ({"budget": 10_000}, 300),
        ({"allow": '["load"]'}, None),
        ({"throttle": '{ requests = 1, per = "10s" }'}, 6),
    ],
)
def test_samplings_share_the_budget_unless_load_is_allowed(planned, settings, each) -> None:
    tables = "".join(
        f'[env.prod.probes.api.{name}]\nkind = "latency"\nrate = 50\nroutes = [{{ path = "/{name}" }}]\n'
        for name in "ab"
    )
    steps = planned("deploy.smoke.smoke-response-times", tables=tables, **settings).steps

    assert [step.budget for step in steps] == [each, each]
    assert [step.cost // step.windows for step in steps] == [each or 3000] * 2


@pytest.mark.parametrize(
    ("settings", "windows", "cost"),
    [
        ({}, 1, 300),  # five a second take the whole of its share, 300
        ({"rate": 2.5}, 2, 300),
        ({"rate": 1.25}, 3, 225),
        ({"rate": 1}, 3, 180),
        ({"rate": 1, "budget": 120}, 2, 120),
        ({"rate": 1, "budget": 119}, 1, 60),
        ({"throttle": '{ requests = 1, per = "10s" }'}, 3, 18),
        ({"allow": '["load"]', "rate": 50}, 3, 9000),
        ({"allow": '["load"]', "rate": 50, "deadline": '"200s"'}, 2, 6000),  # a window and two timeouts take 80 s
        ({"allow": '["load"]', "rate": 50, "deadline": '"159s"'}, 1, 3000),
    ],
)
def test_a_sampling_may_go_on_for_as_many_windows_as_budget_and_deadline_hold(planned, settings, windows, cost) -> None:
    rate = settings.pop("rate", 5)
    table = f'[env.prod.probes.api]\nkind = "latency"\nrate = {rate}\nroutes = [{{ path = "/" }}]\n'

    (step,) = planned("deploy.smoke.smoke-response-times", tables=table, **settings).steps

    assert (step.windows, step.further_windows, step.cost) == (windows, windows - 1, cost)
    assert step.longest == windows * (60 + 2 * 10)


def test_watchers_and_readers_of_the_target_s_counters_do_not_go_on(planned) -> None:
    tables = """
[env.prod.probes.api]
kind = "scrape"
path = "/metrics"
requests = "http_requests_total"
[env.prod.probes.cache-load]
kind = "redis"
url = { env = "CACHE" }
"""
    steps = planned("deploy.performance", "post.performance.cache-hit-rate", tables=tables, allow='["load"]').steps

    assert {(step.kind, step.windows) for step in steps} == {("scrape", 1), ("redis", 1)}


def test_how_often_a_window_may_go_on_is_no_other_measurement(planned) -> None:
    table = '[env.prod.probes.api]\nkind = "latency"\nrate = 1\nroutes = [{ path = "/" }]\n'
    plans = [
        planned("deploy.smoke.smoke-response-times", tables=table, **settings) for settings in ({}, {"budget": 60})
    ]

    assert [plan.steps[0].windows for plan in plans] == [3, 1]
    assert plans[0].fingerprints == plans[1].fingerprints


def test_a_window_with_fewer_requests_is_not_the_same_measurement(planned) -> None:
    table = '[env.prod.probes.api]\nkind = "latency"\nrate = {}\nroutes = [{{ path = "/" }}]\n'

    def prints(rate, **settings):
        plan = planned("deploy.smoke.smoke-response-times", tables=table.format(rate), **settings)
        return plan.fingerprints["api", ""]

    assert prints(5) == prints(5, budget=300) != prints(5, budget=100)


@pytest.mark.parametrize(
    "other",
    [
        {"base_url": "https://other.example.net"},
        {"base_url": "http://app.example.com"},
        {"base_url": "https://app.example.com:8443"},
        {"connect": '{ resolve = { "app.example.com:443" = "192.0.2.1" } }'},
        {"connect": '{ family = "ipv4" }'},
        {"connect": '{ proxy = { env = "PROXY" } }'},
        {"vantage": '"elsewhere"'},
    ],
    ids=str,
)
def test_what_is_asked_elsewhere_or_from_elsewhere_is_not_the_same_measurement(planned, other) -> None:
    table = '[env.prod.probes.api]\nkind = "latency"\nroutes = [{ path = "/" }]\n'

    def print_of(**settings):
        return planned("deploy.smoke.smoke-response-times", tables=table, **settings).fingerprints["api", ""]

    own = {"base_url": "https://app.example.com"}
    assert print_of(**own) == print_of(**own, settle='"1s"')
    assert print_of(**own) != print_of(**own | other)


COMMAND = """
[env.prod.probes.{probe}]
kind = "command"
argv = ["/bin/report"]
metrics = {{ {metrics} }}
"""


@pytest.mark.parametrize(
    ("item", "probe", "metric", "bounds"),
    [
        ("pre.review.no-critical-vulnerabilities", "vulnerabilities", "critical", Bounds(low=0, high=inf)),
        ("pre.schema.pre-release-backup", "backup", "verified", Bounds(low=0, high=inf, is_claim=True)),
        ("pre.schema.pre-release-backup", "backup", "relative_size", None),
        ("deploy.performance.cpu-usage", "host-load", "cpu_used", Bounds(low=0, high=100)),
        ("deploy.performance.cpu-usage", "host-load", "memory_growth", None),
    ],
)
def test_what_a_program_says_of_a_metric_has_bounds(planned, checklist, item, probe, metric, bounds) -> None:
    metrics = ", ".join(f'{name} = "$.it"' for name in checklist.probes[probe].metrics)

    (step,) = planned(item, tables=COMMAND.format(probe=probe, metrics=metrics)).steps

    assert step.bounds.get(metric) == bounds


@pytest.mark.parametrize(
    ("probe", "item", "limit"),
    [
        ("vulnerabilities", "pre.review.no-critical-vulnerabilities", "critical >= 0"),
        ("host-load", "deploy.performance.cpu-usage", "cpu_used <= 100 %"),
    ],
)
def test_a_limit_that_every_number_of_a_program_keeps_is_refused(planned, checklist, probe, item, limit) -> None:
    metrics = ", ".join(f'{name} = "$.it"' for name in checklist.probes[probe].metrics)
    change = f'[env.prod.limits]\n"{item}" = {{ expect = ["{limit}"], reason = "because" }}\n'

    with pytest.raises(ConfigError, match="has no effect"):
        planned(item, tables=COMMAND.format(probe=probe, metrics=metrics) + change)


def test_a_program_can_fill_the_health_probe(planned, checklist) -> None:
    metrics = ", ".join(f'{name} = "$.it"' for name in checklist.probes["health"].metrics)

    assert planned(HEALTH, tables=COMMAND.format(probe="health", metrics=metrics)).uncovered == {}


def test_a_share_that_a_program_says_without_its_sample_is_refused(planned) -> None:
    written = COMMAND.format(probe="api", metrics='error_rate = "$.it", p95 = { at = "$.p95", n = "$.n" }')

    with pytest.raises(ConfigError) as refused:
        planned("deploy.performance.error-rate", tables=written)

    (told,) = str(refused.value).splitlines()
    assert "probes.toml:8: env.prod.probes.api.metrics.error_rate: the sample size of 'error_rate' is missing, " in told
    assert 'error_rate = { at = "...", n = "..." }' in told


PARTS = """
[env.prod.probes.{probe}.rows]
kind = "postgres"
dsn = {{ env = "DATABASE_URL" }}
orphans = [{{ child = "orders.user_id", parent = "users.id" }}]

[env.prod.probes.{probe}.page]
kind = "http"
path = "/counts"
"""


def test_where_a_probe_has_parts_an_instance_answers_for_the_items_whose_metrics_it_gives(planned) -> None:
    found = planned("post.database.no-orphans", tables=PARTS.format(probe="database-integrity"))

    assert [step.instance for step in found.steps] == ["rows"]
    assert not found.uncovered


def test_elsewhere_every_instance_must_give_an_item_s_metrics(planned) -> None:
    found = planned("deploy.services.database-connectivity", tables=PARTS.format(probe="database"))

    assert found.steps == ()
    assert "kind http of probe 'database' does not provide" in found.uncovered["deploy.services.database-connectivity"]


def test_every_instance_is_a_step_of_its_own(planned) -> None:
    tables = (
        '[env.prod.probes.health.a]\nkind = "http"\npath = "/a"\n'
        '[env.prod.probes.health.b]\nkind = "http"\npath = "/b"\n'
    )

    assert [step.name for step in planned(HEALTH, tables=tables).steps] == ["health.a", "health.b"]


def test_the_release_is_the_guard_and_no_ordinary_step(planned) -> None:
    back = ReleaseRequest(stage=Stage.ROLLED_BACK)
    found = planned(HEALTH, "rollback.steps.previous-version-serving", release=back)

    assert [step.probe for step in found.steps] == ["health"]
    assert ([guard.probe for guard in found.release_guards], found.versions.expected) == (["release"], ("2",))
    assert [guard.repeat for guard in found.release_guards] == [10]  # before and after: 20 answers of every address
    assert [guard.repeat for guard in planned(HEALTH).release_guards] == [4]
    assert planned(HEALTH, tables="").release_guards == ()
    assert [found.layers[name] for name in ("health", "certificate", "deployment")] == [
        "application",
        "certificate",
        "record",
    ]


MARK = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
UNDER_WAY = History(deployment=Deployment(release="2", started=MARK), previous=Identity(release="1"))
OVER = History(deployment=Deployment(release="2", started=MARK, finished=MARK), previous=Identity(release="1"))
ANOTHER = History(deployment=Deployment(release="3", started=MARK))
UNNAMED = History(deployment=Deployment(release=None, started=MARK, finished=MARK), declared="2")


@pytest.mark.parametrize(
    ("request_", "expected", "allowed"),
    [
        (ReleaseRequest(), ("2",), ("1.9",)),
        (ReleaseRequest(version="3"), ("3",), ("1.9",)),
        (ReleaseRequest(version="1.9"), ("1.9",), ()),
        (ReleaseRequest(history=UNDER_WAY), ("2",), ("1.9", "1")),  # the previous one may still be served
        (ReleaseRequest(history=OVER), ("2",), ("1.9",)),
        (ReleaseRequest(stage=Stage.BEFORE), (), ()),  # none is on record
        (ReleaseRequest(stage=Stage.BEFORE, version="3"), (), ()),
        (ReleaseRequest(stage=Stage.BEFORE, version="3", history=OVER), ("2",), ()),
        (ReleaseRequest(stage=Stage.BEFORE, history=UNDER_WAY), ("1",), ()),
        (ReleaseRequest(history=ANOTHER), ("3",), ("1.9",)),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=OVER), ("1",), ()),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=UNDER_WAY), ("1",), ()),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, version="0", history=OVER), ("0",), ()),
        (ReleaseRequest(stage=Stage.ROLLED_BACK), ("2",), ()),  # what the file says, where nothing is on record
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=replace(OVER, previous=Identity())), (), ()),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=UNNAMED), (), ()),  # what the file said is what was deployed
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=replace(UNNAMED, declared="1")), ("2",), ()),  # edited since
    ],
)
def test_which_versions_may_be_served_follows_from_stage_and_record(planned, request_, expected, allowed) -> None:
    canary = TABLES.replace('expect = "2"', 'expect = "2"\nalso = ["1.9"]')

    versions = planned(HEALTH, tables=canary, release=request_).versions

    assert (versions.expected, versions.allowed) == (expected, allowed)


@pytest.mark.parametrize(
    ("request_", "rolled_back"),
    [
        (ReleaseRequest(stage=Stage.AFTER, history=OVER), ()),
        (ReleaseRequest(stage=Stage.ROLLED_BACK), ()),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=OVER), ("2",)),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=UNNAMED), ("2",)),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, version="2", history=OVER), ()),  # it is named to be served again
    ],
)
def test_what_was_rolled_back_may_not_be_served(planned, request_, rolled_back) -> None:
    assert planned(HEALTH, release=request_).versions.rolled_back == rolled_back


@pytest.mark.parametrize(
    ("expect", "history", "expected"),
    [
        ('["1", "2"]', OVER, ("1", "2")),  # the mark is one of them
        ('["1", "2"]', ANOTHER, ("3",)),
        ('["1", "2"]', History(), ("1", "2")),
    ],
)
def test_a_mark_narrows_no_list_that_names_it(planned, expect, history, expected) -> None:
    tables = TABLES.replace('expect = "2"', f"expect = {expect}")

    assert planned(HEALTH, tables=tables, release=ReleaseRequest(history=history)).versions.expected == expected


@pytest.mark.parametrize(
    ("request_", "subject"),
    [
        (ReleaseRequest(), None),
        (ReleaseRequest(version="3", history=OVER), "3"),
        (ReleaseRequest(history=OVER), "2"),
        (ReleaseRequest(stage=Stage.BEFORE, history=OVER), None),
        (ReleaseRequest(stage=Stage.BEFORE, history=UNDER_WAY), "2"),
        (ReleaseRequest(stage=Stage.BEFORE, version="3", history=OVER), "3"),
        (ReleaseRequest(stage=Stage.ROLLED_BACK, history=OVER), "1"),
    ],
)
def test_which_release_a_run_is_about(request_, subject) -> None:
    assert request_.subject == subject


def test_what_does_not_apply_is_kept_with_its_reason_and_costs_nothing(planned) -> None:
    exempt = f'[env.prod.not_applicable]\n"{HEALTH}" = "no such endpoint"\n'

    found = planned(HEALTH, tables=TABLES + exempt)

    assert (found.steps, found.not_applicable, found.uncovered) == ((), {HEALTH: "no such endpoint"}, {})


@pytest.mark.parametrize(
    ("selection", "items"),
    [
        (Selection(sections=("pre.infra",)), {"pre.infra.tls-deployed"}),
        (Selection(items=(HEALTH,)), {HEALTH}),
        (Selection(probes=("health",)), {HEALTH}),
        (Selection(quick=True), {HEALTH, "pre.infra.tls-deployed"}),
        (Selection(), {HEALTH, "pre.infra.tls-deployed"}),
        (Selection(machine_only=True), {HEALTH, "pre.infra.tls-deployed"}),  # all that can be measured
    ],
)
def test_a_selection_narrows_what_runs(planned, selection, items) -> None:
    found = planned(HEALTH, "pre.infra.tls-deployed", selection=selection)

    assert {item.id for item in found.items} == items
    assert found.partial == (selection not in (Selection(), Selection(machine_only=True)))
    assert found.in_scope == 2


def test_what_only_the_wait_makes_good_does_not_apply_without_it(planned) -> None:
    settle = "deploy.services.settle-time"
    reason = {settle: "this run does not wait for the release to settle"}

    waits, does_not = planned(settle, HEALTH), planned(settle, HEALTH, settles=False)

    assert (dict(waits.not_applicable), dict(does_not.not_applicable)) == ({}, reason)
    assert "deployment" in {step.probe for step in waits.steps}
    assert "deployment" not in {step.probe for step in does_not.steps}


def test_an_item_with_another_metric_applies_without_the_wait(planned) -> None:
    settle = "deploy.services.settle-time"
    limits = ["settled >= 30 s", "age_at_deployment <= 60 min"]
    tables = f'{TABLES}\n[env.prod.limits."{settle}"]\nexpect = {limits}\nreason = "both are needed"\n'

    found = planned(settle, tables=tables, settles=False)

    assert found.not_applicable == {}
    assert {step.probe for step in found.steps} == {"deployment"}
