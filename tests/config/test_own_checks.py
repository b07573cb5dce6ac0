"""A probe that the checklist does not know is the user's own: it fills no item and brings one."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from probekit import probes
from probekit.config import limits as limits_of_items, own_checks
from probekit.config.loader import load, read
from probekit.config.target import sources_by_probe
from probekit.model.checklist import Deadline, Severity
from probekit.model.limit import parse_limit
from probekit.planning.plan import plan
from probekit.toml_file import ConfigError

DATA = Path(__file__).parents[1] / "data"
HEAD = """
[env.prod]
base_url = "https://app.example.com"
{scope}
[env.prod.probes.checkout]
"""
ITEM = 'scope = ["deploy.services.health-endpoint"]'
HTTP = 'kind = "http"\npath = "/health"\n'


def target(table: str, *, scope: str = ITEM, top: str = ""):
    return read(top + HEAD.format(scope=scope) + table, Path("probes.toml")).targets["prod"]


def own(table: str, **more: str):
    """The one item that the table brings."""
    (item,) = [item for item in target(table, **more).items if item.is_own]
    return item


def told(table: str, **more: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        own(table, **more)
    return [f"{problem.key}: {problem.found}, expected {problem.expected}" for problem in caught.value.problems]


def limits(*texts: str):
    return tuple(map(parse_limit, texts))


def test_it_brings_an_item_with_the_limits_of_its_kind() -> None:
    item = own(HTTP)

    assert (item.id, item.severity, item.confirm) == ("own.checks.checkout", Severity.HIGH, 3)
    assert item.expect == limits("up == 1", "status == 200", "failed_assertions == 0")
    assert item.text == item.title == "Own check checkout"  # a report on record keeps one of them
    assert not item.may_roll_back(None)


def test_its_own_limits_stand_beside_those_of_other_metrics() -> None:
    """A limit on a duration alone would pass a quick error page."""
    item = own(HTTP + 'expect = ["response_time < 300 ms", "status == 503"]')

    assert item.expect == limits("up == 1", "failed_assertions == 0", "response_time < 300 ms", "status == 503")


@pytest.mark.parametrize(
    ("keys", "severity", "now", "deadline"),
    [
        ('severity = "critical"\nrollback = true', Severity.CRITICAL, True, Deadline(minutes=10)),
        ('severity = "critical"', Severity.CRITICAL, False, Deadline(minutes=10)),
        ("rollback = true", Severity.HIGH, True, Deadline(minutes=10, then="rollback")),
        ('severity = "low"', Severity.LOW, False, Deadline(minutes=10)),
    ],
)
def test_severity_and_rollback_are_the_users(keys, severity, now, deadline) -> None:
    item = own(HTTP + keys)

    assert (item.severity, item.may_roll_back(None), item.deadline_of(None)) == (severity, now, deadline)
    assert item.matrix_row.id == "own-check"


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (HTTP + 'expect = ["first_bite < 1 ms"]', ["expect.0: unknown metric 'first_bite', expected a metric of "]),
        (HTTP + 'expect = ["first_byte < 1 s"]', ["expect.0: wrong unit 's', expected 'ms', the unit of first_byte"]),
        (HTTP + 'expect = ["fast"]', ["expect.0: 'fast' is not a limit: write METRIC OPERATOR NUMBER"]),
        (HTTP + 'expect = "up == 1"', ["expect: a text, expected a list"]),
        (HTTP + 'expect = ["up >= 0"]', ["expect.0: 'up >= 0' has no effect"]),
        (HTTP + 'severity = "grave"', ["severity: 'grave', expected 'critical', 'high', 'medium' or 'low'"]),
        (HTTP + 'severity = "low"\nrollback = true', ["rollback: true with severity low, expected severity critical"]),
        (HTTP + 'rollback = "yes"', ["rollback: a text, expected true or false"]),
        (HTTP + "confirm = 9", ["confirm: 9, expected at most 5"]),
        ('kind = "latency"\nroutes = [{ path = "/" }]\nconfirm = 2', ["confirm: 2 attempts, expected 1: a window"]),
        (
            'kind = "host"\nhost = "a"\nexpect = ["cpu_used < 90 %", "memory_used < 90 %"]',
            ["expect: cpu_used is measured over a window, and the other metrics are not, expected a separate"],
        ),
        ('a = { kind = "http", path = "/" }\nb = { kind = "tls" }', [": instances whose kinds have different default"]),
        ('kind = "release"\npath = "/v"\nlimits = ["x == 1"]', ["limits.0: unknown metric 'x'"]),
        ("", [": missing 'kind', expected"]),
        (HTTP + "[env.prod.probes.checkout.b]\n" + HTTP, ["b: an instance inside [env.prod.probes."]),
        ('kind = "htp"', ["kind: unknown kind 'htp'"]),
        (HTTP + "repeet = 3", ["repeet: unknown key"]),
    ],
)  # fmt: skip
def test_each_mistake_is_told_at_its_place(table, found) -> None:
    for problem, expected in zip(told(table), found, strict=True):
        key, _, words = expected.partition(": ")
        assert problem.startswith(f"env.prod.probes.checkout{f'.{key}' if key else ''}: {words}"), problem


@pytest.mark.parametrize("key", ['severity = "low"', 'expect = ["statuss == 200"]', "rollback = true", 'title = "x"'])
def test_its_keys_are_none_of_a_probe_that_the_checklist_knows(key) -> None:
    with pytest.raises(ConfigError) as caught:
        read(HEAD.format(scope=ITEM).replace("checkout", "search") + HTTP + key, Path("probes.toml"))

    (problem,) = caught.value.problems
    assert problem.found == f"'{key.split()[0]}' is for your own probes only, and 'search' is a probe of the checklist"


def test_a_mistake_in_the_only_check_is_told_alone() -> None:
    """That nothing is in scope would follow from it, and a probe of one's own is there."""
    found = told(HTTP.replace("http", "htp"), scope="", top='checklist = "none"\n')

    assert [text.partition(",")[0] for text in found] == ["env.prod.probes.checkout.kind: unknown kind 'htp'"]


def test_a_name_must_be_one_that_an_option_can_name() -> None:
    with pytest.raises(ConfigError, match="a name of letters, digits, - and _"):
        target(HTTP + '[env.prod.probes."two words"]\n' + HTTP)


def test_a_window_is_taken_where_its_limit_asks_for_one() -> None:
    load, cpu = 'kind = "host"\nhost = "a"\n', 'expect = ["cpu_used < 90 %"]'

    for table, expect, is_window in [
        (load, limits("memory_used < 70 %", "disk_used < 80 %"), False),
        (load + cpu, limits("cpu_used < 90 %"), True),
    ]:
        found = target(table)
        (step,) = [step for step in plan(found).steps if step.probe == "checkout"]
        assert (own(table).expect, bool(step.window), step.turn == "background") == (expect, is_window, is_window)


def test_a_program_states_metrics_of_its_own_which_may_be_negative() -> None:
    table = 'kind = "command"\nargv = ["/bin/temp"]\nmetrics = { degrees = "$.t" }\nexpect = ["degrees < 5"]'
    found = target(table)

    (step,) = [step for step in plan(found).steps if step.probe == "checkout"]

    assert own(table).expect == limits("exit_code == 0", "degrees < 5")
    assert "degrees" not in step.bounds


def test_instances_belong_to_one_check() -> None:
    item = own('severity = "medium"\na = { kind = "http", path = "/a" }\nb = { kind = "http", path = "/b" }')

    assert item.severity is Severity.MEDIUM
    assert len(target('a = { kind = "http", path = "/a" }\nb = { kind = "http", path = "/b" }').probes) == 2


def test_a_shared_table_is_a_check_of_every_environment() -> None:
    two = '[env.test]\nbase_url = "https://test.example.com"\n'
    config = read(f"[probes.shared]\n{HTTP}{two}{HEAD.format(scope='')}{HTTP}", Path("probes.toml"))

    found = {name: [item.probe for item in one.items] for name, one in config.targets.items()}

    assert found == {"test": ["shared"], "prod": ["shared", "checkout"]}
    assert [item.probe for item in config.whole_checklist.items if item.is_own] == ["shared", "checkout"]


def test_without_a_checklist_the_own_checks_and_the_release_are_all_there_is() -> None:
    release = '[env.prod.probes.release]\nkind = "release"\npath = "/version"\nexpect = "1"\n'
    found = target(HTTP + release, scope="", top='checklist = "none"\n')
    planned = plan(found)

    assert [item.id for item in found.items] == ["own.checks.checkout"]
    assert [guard.kind for guard in planned.release_guards] == ["release"]


def test_where_a_known_probe_lacks_a_similar_name_is_told() -> None:
    """`checkhealth` or `helth` fills no item: whoever mistyped it must see why the item has no probe."""
    found = read(HEAD.format(scope=ITEM).replace("checkout", "helth") + HTTP, Path("probes.toml")).targets["prod"]

    (why,) = plan(found).uncovered.values()

    assert "your own check 'helth' is a different probe" in why


def test_a_broken_own_check_is_complained_of_once() -> None:
    text = 'checklist = "none"\n' + HEAD.format(scope="") + HTTP.replace('"http"', '"tcp"')

    with pytest.raises(ConfigError) as caught:
        read(text, Path("probes.toml"))

    assert "unknown kind 'tcp'" in str(caught.value)
    assert "nothing is in scope" not in str(caught.value)


def test_every_kind_has_default_limits_that_its_example_can_keep() -> None:
    for name in probes.kind_names():
        source = probes.load_kind(name).configure(_example(name))
        windowed = {metric.name for metric in source.metrics if metric.in_window}
        asked = {limit.metric for limit in limits(*source.default_limits)}
        assert asked, name
        assert asked <= source.provided, name
        assert not asked & windowed, name
        own("".join(f"{line}\n" for line in probes.load_kind(name).example.splitlines()))


def _example(name: str):
    return tomllib.loads(probes.load_kind(name).example)


def test_the_small_checklist_takes_own_checks_too(tmp_path) -> None:
    (tmp_path / "checklist.toml").write_text((DATA / "checklist.toml").read_text("utf-8"), "utf-8")
    text = 'checklist = "checklist.toml"\n' + HEAD.format(scope='scope = ["deploy"]') + HTTP
    (tmp_path / "probes.toml").write_text(text, "utf-8")

    config = load(tmp_path / "probes.toml")

    assert len(config.targets["prod"].checklist.items) == len(config.checklist.items) + 1


def test_the_probes_of_an_environment_are_sorted_once_for_all_of_its_checks(monkeypatch) -> None:
    """Each check that searches through all probes costs a large file the square of its probes."""
    calls = []

    def sorted_once(configured):
        calls.append(len(configured))
        return sources_by_probe(configured)

    for module in (limits_of_items, own_checks):
        monkeypatch.setattr(module, "sources_by_probe", sorted_once)
    more = "".join(f'[env.prod.probes.p{n}]\n{HTTP}expect = ["response_time < 900 ms"]\n' for n in range(20))

    assert len(target(HTTP + more).probes) == 21
    assert calls == [21] * 3  # for the own checks, for their limits, for the items in scope
