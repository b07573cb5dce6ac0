"""A claim is another one where what is asked, what is held or what follows from it changed, and for nothing else."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from probekit.config.loader import load
from probekit.model.checklist import Deadline
from probekit.planning.plan import plan
from probekit.planning.release import ReleaseRequest
from probekit.probes import load_kind

HEALTH, OWN = "deploy.services.health-endpoint", "own.checks.shop"
RELEASE = "rollback.steps.previous-version-serving"
FILE = """
[env.prod]
base_url = "https://app.test"
scope = ["deploy.services"]
timeout = "10s"
attempt_interval = "10s"

[env.prod.connect]
headers = { "X-Key" = { env = "KEY" } }

[env.prod.limits]
"deploy.services.health-endpoint" = { expect = ["response_time < 150 ms"], reason = "our contract" }

[env.prod.probes.health.eu]
kind = "http"
path = "/eu/health"

[env.prod.probes.health.us]
kind = "http"
path = "/us/health"
headers = { Authorization = { env = "TOKEN" } }
assertions = [{ path = "$.status", equals = "ok" }]

[env.prod.probes.shop]
kind = "command"
argv = ["check-shop"]
metrics = { orders = "$.orders" }
expect = ["orders > 5"]
title = "Shop"
"""


@pytest.fixture
def claims(tmp_path):
    """A function from changes of the file to the claims of its items."""

    def claims(*changes, release=None):
        text = FILE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "probes.toml").write_text(text)
        return plan(load(tmp_path / "probes.toml").targets["prod"], release=release).claims

    return claims


@pytest.mark.parametrize(
    ("old", "new", "item"),
    [
        ('path = "/eu/health"', 'path = "/eu/ready"', HEALTH),
        ('kind = "http"\npath = "/eu/health"', 'kind = "routes"\nroutes = [{ path = "/eu/health" }]', HEALTH),
        ("response_time < 150 ms", "response_time < 140 ms", HEALTH),
        ('equals = "ok"', 'equals = "up"', HEALTH),
        ('{ env = "TOKEN" }', '{ env = "OTHER_TOKEN" }', HEALTH),
        ('{ env = "KEY" }', '{ file = "key" }', HEALTH),
        ("[env.prod.probes.health.us]", "[env.prod.probes.health.asia]", HEALTH),
        ('[env.prod.probes.health.eu]\nkind = "http"\npath = "/eu/health"\n', "", HEALTH),
        ("orders > 5", "orders > 6", OWN),
        ('title = "Shop"', 'severity = "medium"', OWN),
        ('title = "Shop"', "rollback = true", OWN),
        ('["check-shop"]', '["check-shop", "--all"]', OWN),
    ],
    ids=[
        "other path", "other kind", "other limit", "other assertion", "other secret reference", "other credential",
        "other instance", "one of two instances removed", "limit of an own check", "severity", "rollback", "arguments",
    ],
)  # fmt: skip
def test_what_is_claimed_changed(claims, old, new, item) -> None:
    before, after = claims(), claims((old, new))

    assert before[item] != after[item]


def _later(item):
    return replace(item, escalate_after=Deadline(minutes=45))


def _coarser(item):
    return replace(item, expect=tuple(replace(limit, floor=5.0) for limit in item.expect))


@pytest.mark.parametrize("changed", [_later, _coarser], ids=["when somebody is called", "what is noise"])
def test_what_the_checklist_says_beside_its_limits_is_claimed_too(claims, tmp_path, changed) -> None:
    before, target = claims(), load(tmp_path / "probes.toml").targets["prod"]

    after = plan(replace(target, items=tuple(map(changed, target.items)))).claims

    assert after[HEALTH] != before[HEALTH]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('reason = "our contract"', 'reason = "agreed with the customers"'),
        ('title = "Shop"', 'title = "The shop takes orders"\nconfirm = 2'),
        ('timeout = "10s"\nattempt_interval = "10s"', 'timeout = "5s"\nattempt_interval = "1s"\nsettle = "0s"'),
        ('path = "/eu/health"', 'path = "/eu/health"\nrepeat = 30\nfollow = 0'),
        ('argv = ["check-shop"]', 'argv = ["check-shop"]\ntimeout = "90s"'),
        ("[env.prod.connect]", 'control = ["https://status.test/"]\nvantage = "ci"\n[env.prod.connect]'),
    ],
    ids=["only a reason", "only a title", "only times", "only repeats", "only a probe's timeout", "only the runner"],
)
def test_only_the_way_it_is_measured_or_described_changed(claims, old, new) -> None:
    assert claims((old, new)) == claims()


def test_another_item_keeps_its_claim(claims) -> None:
    before, after = claims(), claims(("/eu/health", "/eu/ready"))

    assert [item for item in before if before[item] != after[item]] == [HEALTH]


def test_another_expected_release_is_another_claim_about_the_release_alone(claims) -> None:
    scope = ('scope = ["deploy.services"]', f'scope = ["{HEALTH}", "{RELEASE}"]')
    before, after = (claims(scope, release=ReleaseRequest(version=version)) for version in ("2.3.0", "2.3.1"))

    assert [item for item in before if before[item] != after[item]] == [RELEASE]


def test_a_setting_at_its_default_is_left_out_so_that_a_new_setting_changes_no_claim() -> None:
    source = load_kind("http").configure({"kind": "http", "path": "/health", "follow": 0, "method": "GET"})

    assert json.loads(source.config.claimed()) == {"kind": "http", "path": "/health"}
