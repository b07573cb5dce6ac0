"""Values that a probe's own settings accept go before the checklist's limits on them."""

from __future__ import annotations

import pytest

from probekit.config.loader import read
from probekit.model.checklist import Item
from probekit.toml_file import ConfigError

ITEM = "deploy.services.health-endpoint"
TEXT = f"""
[env.prod]
base_url = "http://localhost"
scope = ["{ITEM}"]
"""
WHOLE = ["up == 1", "status == 200", "failed_assertions == 0", "response_time < 200 ms"]
REST = ["up == 1", "failed_assertions == 0", "response_time < 200 ms"]


def item(path, tables: str, own: str = ITEM) -> Item:
    (target,) = read(TEXT + tables, path / "probes.toml").targets.values()
    return next(one for one in target.items if one.id == own)


def http(assertions: str, name: str = "health") -> str:
    return f'[env.prod.probes.{name}]\nkind = "http"\npath = "/health"\nassertions = [{assertions}]\n'


@pytest.mark.parametrize(
    ("assertions", "limits"),
    [
        ("{ status = [200, 429] }", REST),
        ('{ status = 204 }, { equals = "" }', REST),
        ("{ status = 200 }", WHOLE),
        ('{ path = "$.status", equals = "ok" }', WHOLE),
    ],
)
def test_a_status_that_assertions_accept_is_not_limited_beside_them(tmp_path, assertions, limits) -> None:
    found = item(tmp_path, http(assertions))

    assert [str(limit) for limit in found.expect] == limits
    assert bool(found.changed_from) is (limits == REST)


def test_no_band_of_the_status_makes_a_slow_answer_critical(tmp_path) -> None:
    found = item(tmp_path, http("{ status = [200, 429] }"))

    assert [band.when.metric for band in found.bands] == ["failed_assertions", "response_time"]
    assert found.changed_reason == "the assertions of probe 'health' define the accepted status"


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        ('expect = ["response_time < 900 ms"]', ["up == 1", "failed_assertions == 0", "response_time < 900 ms"]),
        ('expect = ["status < 500"]', [*REST, "status < 500"]),
    ],
)
def test_a_limit_of_the_environment_stays_beside_what_assertions_accept(tmp_path, change, limits) -> None:
    changes = f'[env.prod.limits]\n"{ITEM}" = {{ {change}, reason = "slow" }}\n'

    found = item(tmp_path, http("{ status = [200, 429] }") + changes)

    assert [str(limit) for limit in found.expect] == limits


def test_instances_accept_a_status_all_or_none(tmp_path) -> None:
    both = http("{ status = 200 }", "health.a") + http("{ status = 429 }", "health.b")
    assert [str(limit) for limit in item(tmp_path, both).expect] == REST

    with pytest.raises(ConfigError, match=r"health: one instance of 'health' asserts another status"):
        item(tmp_path, http('{ equals = "ok" }', "health.a") + http("{ status = 429 }", "health.b"))


def test_a_limit_of_an_own_check_is_its_own(tmp_path) -> None:
    table = http("{ status = [200, 429] }", "mine") + 'expect = ["status == 200"]\n'

    assert "status == 200" in map(str, item(tmp_path, table, "own.checks.mine").expect)
