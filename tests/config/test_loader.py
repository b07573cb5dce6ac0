"""Every mistake of a configuration is told at once, with its line and without a secret; what is right is resolved."""

from __future__ import annotations

import tomllib
import traceback
from pathlib import Path
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from probekit import probes
from probekit.config.dotenv import read_dotenv
from probekit.config.settings import Environment, Variables
from probekit.model.limit import parse_limit
from probekit.planning.plan import plan
from probekit.planning.samples import short_samples
from probekit.probes.http import HttpProbe
from probekit.toml_file import ConfigError
from probekit.workflows.assembly import load_config

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parents[1] / "data"
RIGHT = (DATA / "probes.toml").read_text("utf-8")
SMALL = (DATA / "checklist.toml").read_text("utf-8")
MISTAKES = tomllib.loads((DATA / "config_mistakes.toml").read_text("utf-8"))["mistake"]
PLANTED = "planted-5ecret"
HEALTH = "deploy.services.health-endpoint"


@pytest.fixture
def write(tmp_path):
    """Put a probes.toml of this text beside the small checklist."""

    def of(text: str) -> Path:
        (tmp_path / "checklist.toml").write_text(SMALL, "utf-8")
        (tmp_path / "probes.toml").write_text(text, "utf-8")
        return tmp_path / "probes.toml"

    return of


@pytest.fixture
def problems(write, tmp_path):
    """What is wrong with a probes.toml of this text, paths shortened to names."""

    def of(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load_config(write(text))
        return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return of


# ---------------------------------------------------------------- what is right


@pytest.mark.parametrize("written", ['"probe.pem"', '{ file = "probe.pem" }'])
def test_a_client_certificate_is_a_path_or_a_reference_to_a_file(write, written) -> None:
    config = load_config(write(RIGHT.replace("[env.prod.connect]\n", f"[env.prod.connect]\nclient_cert = {written}\n")))

    assert config.targets["prod"].environment.connect.client_cert == Path("probe.pem")


def test_the_example_of_the_repository_loads() -> None:
    config = load_config(ROOT / "probes.toml")

    assert list(config.targets) == ["prod", "staging", "demo"]
    assert config.checklist.name == "softfactory"
    assert [item.id for item in config.targets["prod"].items] == [
        "pre.security.tls-days-left",
        "pre.infra.tls-deployed",
        "deploy.services.settle-time",
        HEALTH,
    ]
    assert [(one.probe, one.source.name) for one in config.targets["prod"].probes] == [
        ("release", "release"),
        ("health", "http"),
    ]


def test_a_configuration_knows_its_file_and_a_hash_of_what_it_says(write) -> None:
    config = load_config(write(RIGHT))
    commented = load_config(write(f"# a comment\n{RIGHT}"))
    changed = load_config(write(RIGHT.replace('timeout = "10s"', 'timeout = "11s"')))

    assert config.path == commented.path
    assert config.digest == commented.digest != changed.digest
    assert len(bytes.fromhex(config.digest)) == 32


def test_items_stand_in_the_checklists_order_each_once(write) -> None:
    scope = f'["{HEALTH}", "deploy", "pre.team", "deploy.services.tls-valid"]'
    config = load_config(write(RIGHT.replace('["deploy", "pre.team.lead-signs"]', scope)))

    ids = [item.id for item in config.targets["prod"].items]

    assert ids == ["pre.team.lead-signs", HEALTH, "deploy.services.tls-valid"]


def test_times_are_seconds_and_have_defaults(write) -> None:
    text = RIGHT.replace('timeout = "10s"', 'timeout = "1.5 s"\nspread = "2 min"\nsettle = "0s"')

    changed, default = (target.environment for target in load_config(write(text)).targets.values())

    assert (changed.timeout, changed.spread, changed.settle, changed.throttle.per) == (1.5, 120, 0, 1)
    assert (default.timeout, default.spread, default.settle, default.attempt_interval, default.deadline) == (
        10,
        20,
        30,
        10,
        900,
    )
    assert (default.throttle.requests, default.throttle.per, default.control, default.vantage) == (20, 1, [], "")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "https://localhost:8443/",
        "https://app.example.com/shop/v2",
        "http://127.0.0.1:80",
        "https://[::1]:8443/shop",
        "https://bücher.example",
    ],
)
def test_a_base_url_may_have_a_port_and_a_prefix(write, url) -> None:
    config = load_config(write(RIGHT.replace("https://app.example.com", url)))

    assert config.targets["prod"].environment.base_url == url


def test_tables_of_tables_are_the_instances_of_a_probe(write) -> None:
    config = load_config(write(RIGHT))

    instances = [(one.probe, one.instance, one.source.name) for one in config.targets["test"].probes]

    assert instances == [("certificate", "", "tls"), ("health", "orders", "http"), ("health", "stock", "http")]
    assert [
        cast("HttpProbe", one.source.config).target("http://h/shop") for one in config.targets["test"].probes[1:]
    ] == [
        "http://h/shop/orders/health",
        "http://localhost:8081/health",
    ]


def test_an_environments_own_table_replaces_the_shared_one_whole(write) -> None:
    shared = '[probes.health]\nkind = "http"\npath = "/shared"\nmethod = "HEAD"\nany_body = true\n'
    other = '[env.other]\nbase_url = "http://localhost"\nscope = ["deploy"]\n'
    config = load_config(write(f"{RIGHT}\n{shared}\n{other}"))

    tables = {
        name: [
            (one.instance, cast("HttpProbe", one.source.config).path, cast("HttpProbe", one.source.config).method)
            for one in target.probes
            if one.probe == "health"
        ]
        for name, target in config.targets.items()
    }

    assert tables == {
        "prod": [("", "/health", "GET")],  # not HEAD: nothing of the shared table is left
        "test": [("orders", "/orders/health", "GET"), ("stock", None, "GET")],
        "other": [("", "/shared", "HEAD")],
    }


def test_other_limits_change_an_item_and_keep_the_checklists(write) -> None:
    config = load_config(write(RIGHT))

    changed, own = (next(item for item in target.items if item.id == HEALTH) for target in config.targets.values())

    assert changed.expect == (parse_limit("up == 1"), parse_limit("first_byte < 500 ms"))
    assert changed.changed_from == own.expect == (parse_limit("up == 1"), parse_limit("first_byte < 200 ms"))
    assert (changed.changed_reason, changed.bands, changed.severity) == ("smaller machines", own.bands, own.severity)
    assert (own.changed_from, own.changed_reason) == ((), "")


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        ('expect = ["first_byte < 500 ms"]', ["up == 1", "first_byte < 500 ms"]),
        ('expect = ["up == 1"]', ["first_byte < 200 ms", "up == 1"]),
        ('expect = ["bytes > 10", "bytes < 900"]', ["up == 1", "first_byte < 200 ms", "bytes > 10", "bytes < 900"]),
        ('drop = ["first_byte"]', ["up == 1"]),
        ('expect = ["total < 900 ms"], drop = ["first_byte"]', ["up == 1", "total < 900 ms"]),
    ],
)
def test_a_change_leaves_the_limits_of_metrics_that_it_does_not_name(write, change, limits) -> None:
    text = RIGHT.replace('expect = ["up == 1", "first_byte < 500 ms"]', change)

    (changed,) = [one for one in load_config(write(text)).targets["prod"].items if one.id == HEALTH]

    assert [str(limit) for limit in changed.expect] == limits


def test_a_limit_may_be_a_share_of_the_baseline(write) -> None:
    config = load_config(write(RIGHT.replace("first_byte < 500 ms", "first_byte within 20 % of baseline")))

    (item,) = config.checklist.select(HEALTH)
    (changed,) = [one for one in config.targets["prod"].items if one.id == item.id]

    assert changed.expect[1] == parse_limit("first_byte within 20 % of baseline")


def test_a_reason_exempts_every_item_that_it_names(write) -> None:
    config = load_config(
        write(RIGHT.replace('"pre" = "nobody', '"deploy.services.tls-valid" = "no TLS"\n"pre" = "nobody'))
    )

    target = config.targets["prod"]

    assert target.not_applicable == {"deploy.services.tls-valid": "no TLS", "pre.team.lead-signs": "nobody signs here"}
    assert len(target.items) == 3  # exempt items stay in the account


def test_one_reason_may_be_given_twice(write) -> None:
    again = '"pre" = "nobody signs here"\n"pre.team.lead-signs" = "nobody signs here"'
    config = load_config(write(RIGHT.replace('"pre" = "nobody signs here"', again)))

    assert config.targets["prod"].not_applicable == {"pre.team.lead-signs": "nobody signs here"}


def test_a_secret_is_a_reference(write) -> None:
    text = RIGHT.replace("{ env = ", '{ file = "key" }, Other = { env = ')

    headers = load_config(write(text)).targets["prod"].environment.connect.headers

    assert {name: str(secret) for name, secret in headers.items()} == {"X-Probe-Key": "key", "Other": "$PROBE_KEY"}


def test_a_checklist_is_looked_for_beside_the_configuration(write, tmp_path, monkeypatch) -> None:
    path = write(RIGHT.replace('"checklist.toml"', '"lists/mine.toml"'))
    (tmp_path / "lists").mkdir()
    (tmp_path / "checklist.toml").rename(tmp_path / "lists/mine.toml")
    monkeypatch.chdir("/")

    assert load_config(path).checklist.name == "small"


def test_without_a_word_on_it_the_built_in_checklist_is_meant(write) -> None:
    text = '[env.a]\nbase_url = "http://localhost"\nscope = ["pre"]\n'

    assert load_config(write(text)).checklist.name == "softfactory"


def test_variables_of_the_process_win_over_the_env_file(tmp_path, monkeypatch) -> None:
    (tmp_path / ".env").write_text("PROBEKIT_RELEASE=1.0\nPROBEKIT_DEPLOYED=now\nOTHER=1\n")
    monkeypatch.setenv("PROBEKIT_RELEASE", "2.0")
    monkeypatch.delenv("PROBEKIT_CONFIG", raising=False)

    variables = Variables().completed(read_dotenv(tmp_path).values)

    assert (variables.release, variables.deployed, variables.config) == ("2.0", "now", None)


# ---------------------------------------------------------------- its mistakes


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["name"])
def test_a_mistake_is_told_with_its_line_and_what_is_due(problems, mistake) -> None:
    assert RIGHT.count(mistake["instead_of"]) == 1

    told = problems(RIGHT.replace(mistake["instead_of"], mistake["write"]))

    known = {"{kinds}": ", ".join(probes.kind_names()), "{settings}": ", ".join(sorted(Environment.model_fields))}
    expected = mistake["told"]
    for name, words in known.items():
        expected = [line.replace(name, words) for line in expected]
    assert told == expected
    assert PLANTED not in "\n".join(told)


WINDOWS = """
[env.prod]
base_url = "https://app.example.com"
scope = ["deploy.performance.p95-latency", "deploy.performance.error-rate"]
allow = [{allow}]
block = "1s"
{window}
[env.prod.probes.api]
kind = "latency"
rate = {rate}
routes = [{{ path = "/" }}]
"""


@pytest.mark.parametrize(
    ("window", "rate", "told"),
    [
        (
            'window = "5s"',
            500,
            [("probes.toml:7: env.prod.window: 5 blocks of 1 s, expected at least 6, 6 s; fewer cannot detect bursts"
             " of errors")],
        ),
        (
            'window = "30s"',
            50,
            [("probes.toml:7: env.prod.window: 1,500 requests of probe 'api' in 30 s, expected at least 3,218, which"
             " 'error_rate < 0.1 %' of deploy.performance.error-rate needs;"
             " set a longer window (65s) or a higher rate")],
        ),
        (
            'window = "10s"',
            5,
            [("probes.toml:7: env.prod.window: 50 requests of probe 'api' in 10 s, expected at least 3,218, which"
             " 'error_rate < 0.1 %' of deploy.performance.error-rate needs;"
             " set a longer window (644s) or a higher rate"),
             ("probes.toml:7: env.prod.window: 50 requests of probe 'api' in 10 s, expected at least 63, which"
             " 'p95 < 500 ms' of deploy.performance.p95-latency needs;"
             " set a longer window (13s) or a higher rate")],
        ),
        (
            'window = "30s"',
            100,
            [("probes.toml:7: env.prod.window: 3,000 requests of probe 'api' in 30 s, expected at least 3,218, which"
             " 'error_rate < 0.1 %' of deploy.performance.error-rate needs;"
             " set a longer window (33s) or a higher rate")],
        ),
        ('window = "30s"', 110, []),
        ('window = "30s"\ndeadline = "60s"', 100, []),  # no time for a second window: nothing is spent, 2,995 will do
    ],
)  # fmt: skip
def test_where_load_is_allowed_a_window_must_be_able_to_prove_its_limits(problems, write, window, rate, told) -> None:
    text = WINDOWS.format(allow='"load"', window=window, rate=rate)

    assert (sorted(problems(text)) if told else load_config(write(text)).targets["prod"].probes and []) == told


def test_without_load_a_window_that_is_too_small_is_no_mistake_and_is_told_by_the_plan(write) -> None:
    target = load_config(write(WINDOWS.format(allow="", window='window = "60s"', rate=5))).targets["prod"]

    (one,) = short_samples(plan(target), target.environment.block)

    assert (one.item.id, one.has, one.needs) == ("deploy.performance.error-rate", 300, 2995)


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("error_rate within 10 % of baseline", "error_rate may be zero, and a percentage of zero is zero"),
        ("error_rate < 0 %", "a sample cannot decide 'error_rate < 0 %', expected more than 0 % and less"),
        ("error_rate < 100 %", "a sample cannot decide 'error_rate < 100 %'"),
        ("p95 == 500 ms", "a sample cannot decide 'p95 == 500 ms', expected one of <, <=, >, >="),
    ],
)
def test_a_changed_limit_that_no_sample_can_prove_is_refused(problems, limit, told) -> None:
    text = WINDOWS.format(allow="", window='window = "60s"', rate=5)
    text += f'[env.prod.limits]\n"deploy.performance.p95-latency" = {{ expect = ["{limit}"], reason = "tried" }}\n'

    (problem,) = problems(text)

    assert problem.startswith("probes.toml:13: env.prod.limits.deploy.performance.p95-latency.expect.0: ")
    assert told in problem


def test_a_file_without_an_environment_is_refused(problems) -> None:
    assert problems('checklist = "checklist.toml"\n') == [
        "probes.toml: env: missing; this setting is required (Environments by name)"
    ]


@pytest.mark.parametrize(
    ("instead_of", "written"),
    [
        ('{ env = "PROBE_KEY" }', f'"{PLANTED}"'),
        ('{ env = "PROBE_KEY" }', f'["{PLANTED}"]'),
        ('{ env = "PROBE_KEY" }', f'{{ value = "{PLANTED}" }}'),
        ('{ env = "PROBE_KEY" }', f'{{ env = ["{PLANTED}"] }}'),
        ('{ "X-Probe-Key" = { env = "PROBE_KEY" } }', f'"X-Probe-Key: {PLANTED}"'),
        ('{ "X-Probe-Key" = { env = "PROBE_KEY" } }', f'["X-Probe-Key: {PLANTED}"]'),
        ('"https://app.example.com"', f'"https://ana:{PLANTED}@app.example.com"'),
        ('"https://app.example.com"', f'"https://app.example.com?token={PLANTED}"'),
        ('["https://status.example.net/ok"]', f'["https://ana:{PLANTED}@status.example.net"]'),
        ('["https://status.example.net/ok"]', f'["https://{PLANTED}@status.example.net"]'),
        ('["https://status.example.net/ok"]', f'"https://ana:{PLANTED}@status.example.net"'),
        ('"http://localhost:8081/health"', f'"http://ana:{PLANTED}@localhost:8081/health"'),
        ('equals = "ok"', f'equals = "ok", token = "{PLANTED}"'),
        ('equals = "ok"', f'at_most = "{PLANTED}"'),
        ('path = "/orders/health"', f'path = "{PLANTED}"'),
        ('timeout = "10s"', f'password = "{PLANTED}"'),
        ("requests = 20", f'requests = "{PLANTED}"'),
    ],
)
def test_a_secret_written_in_clear_is_refused_and_not_repeated(write, instead_of, written) -> None:
    assert RIGHT.count(instead_of) == 1
    path = write(RIGHT.replace(instead_of, written))

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    assert PLANTED not in "".join(traceback.format_exception(caught.value))  # pydantic's own error would show it


def test_all_mistakes_are_told_at_once(problems) -> None:
    told = problems(
        RIGHT.replace('"pre.team.lead-signs"]', '"pre.team.nobody"]')
        .replace('"pre" = "nobody', '"post" = "nobody')
        .replace("first_byte < 500 ms", "first_byte < 500")
        .replace('kind = "tls"', 'kind = "tsl"')
        .replace('path = "/health"', 'path = "health"')
        .replace('kind = "http"\nurl', 'kind = "htp"\nurl')
    )

    assert {line.partition(" ")[0] for line in told} == {
        "probes.toml:6:",
        "probes.toml:10:",
        "probes.toml:20:",
        "probes.toml:23:",
        "probes.toml:27:",
        "probes.toml:39:",
    }
    assert len(told) == 6


def test_all_mistakes_of_shape_are_told_at_once(problems) -> None:
    told = problems(
        RIGHT.replace('timeout = "10s"', "timeout = 10")
        .replace('scope = ["deploy.services"]', "scope = 1")
        .replace("requests = 20", "requests = 0")
        .replace('{ env = "PROBE_KEY" }', "{}")
    )

    assert [line.partition(" ")[0] for line in told] == [
        "probes.toml:12:",
        "probes.toml:13:",
        "probes.toml:16:",
        "probes.toml:32:",
    ]


def test_a_mistake_in_a_shared_table_is_told_once(problems) -> None:
    told = problems(RIGHT.replace('kind = "tls"', 'kind = "tls"\nserver = 1'))

    assert [line.partition(" ")[0] for line in told] == ["probes.toml:7:"]


def test_an_unknown_kind_is_told_with_the_installed_ones(problems) -> None:
    (told,) = problems(RIGHT.replace('kind = "tls"', 'kind = "relese"'))

    assert all(name in told for name in probes.kind_names())
    assert told.endswith("did you mean 'release'?")


def test_the_mistakes_of_a_checklist_are_told_with_the_checklists_own_lines(write, tmp_path) -> None:
    path = write(RIGHT)
    (tmp_path / "checklist.toml").write_text(SMALL.replace("count = 3", "count = 4"))

    with pytest.raises(ConfigError) as caught:
        load_config(path)

    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (tmp_path / "checklist.toml", 7)


def test_a_configuration_that_is_not_there_is_told_with_what_to_do(tmp_path) -> None:
    with pytest.raises(ConfigError, match="--config"):
        load_config(tmp_path / "probes.toml")


def test_a_configuration_of_more_than_1_mib_is_not_read(problems) -> None:
    assert problems(f"{RIGHT}\n#{'x' * (1 << 20)}") == ["probes.toml: cannot be read: larger than 1 MiB"]


@pytest.mark.parametrize("number", ["9" * 20, "9" * 401, f"0x{'f' * 5000}", "-1", "1e308", "inf", "nan"])
@pytest.mark.parametrize("key", ["requests = 20", 'kind = "tls"', 'timeout = "10s"', 'reason = "smaller machines"'])
def test_no_number_is_too_large_to_be_told(problems, key, number) -> None:
    name = key.partition(" ")[0]

    told = problems(RIGHT.replace(key, f"{name} = {number}"))

    assert all(line.startswith("probes.toml:") and len(line) < 300 for line in told)


WORDS = [
    "0",
    "-1",
    "inf",
    "''",
    "'x'",
    "'\\u0000'",
    "true",
    "[]",
    "[1]",
    "['a']",
    "{}",
    "{ a = 1 }",
    "2026-01-01",
    "1e400",
]


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_any_change_of_one_line_is_a_configuration_or_a_config_error(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "checklist.toml").write_text(SMALL, "utf-8")
    lines = RIGHT.splitlines()
    number = data.draw(st.sampled_from([at for at, line in enumerate(lines) if " = " in line]))
    key, _, _ = lines[number].partition(" = ")
    lines[number] = f"{key} = {data.draw(st.sampled_from(WORDS))}"
    (folder / "probes.toml").write_text("\n".join(lines), "utf-8")

    try:
        config = load_config(folder / "probes.toml")
    except ConfigError as error:
        assert all(problem.found for problem in error.problems)  # noqa: PT017  # either is right
    else:
        assert set(config.targets) == {"prod", "test"}


@given(data=st.binary() | st.text().map(str.encode))
@settings(max_examples=100)
def test_any_file_is_a_configuration_or_a_config_error(tmp_path_factory, data) -> None:
    path = tmp_path_factory.getbasetemp() / "any-probes.toml"
    path.write_bytes(data)

    with pytest.raises(ConfigError):
        load_config(path)
