"""Which texts and documents say that they are well, where kind http cannot read it by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from probekit.probes._support.assertions import Assertion
from probekit.probes._support.claims import broken
from probekit.probes._support.suggestion import suggestion
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint
from probekit.workflows.discover.claims import broken_by, strong_claims, weak_claims
from probekit.workflows.first_file.health import assertions
from probekit.workflows.first_file.toml import commented

PHASES = Phases(connect=0.0, tls=None, first_byte=0.0, response=0.0, total=0.0, arrived=0.0, local_delay=0.0)


def answer(body: str, status: int = 200) -> Answer:
    where = Address(Endpoint("app.test", 80), "127.0.0.1")
    return Answer(url="http://app.test/", address=where, status=status, headers=(), body=body.encode(), phases=PHASES)


@pytest.mark.parametrize(
    ("body", "claim"),
    [
        ("Prometheus Server is Healthy.\n", {"contains": "is Healthy"}),
        ("Service is up and running!", {"contains": "and running"}),
        ("all shards are ready", {"contains": "are ready"}),
        ("GitLab OK", {"contains": "GitLab OK"}),
        ("true", {"equals": "true"}),
        ('{"health":"true"}', {"path": "$.health", "equals": "true"}),
        ("[+]ping ok\n[+]etcd ok\nlivez check passed\n", {"contains": "livez check passed"}),  # Kubernetes, ?verbose
        ('{"note":"x","ready":"true"}', {"path": "$.ready", "equals": "true"}),
    ],
)
def test_what_calls_itself_well_gets_a_claim_that_kind_http_takes(body, claim) -> None:
    assert strong_claims(answer(body)) == (claim,)
    assert Assertion.model_validate(claim)


@pytest.mark.parametrize(
    "body",
    [
        *("Prometheus Server is not Ready.", "Service isn't ready", "It was ready", "10 failed, 0 passed", "ready"),
        *("the database is down, the cache is up", "will be ready", "never ok", "degraded but running", "no news"),
        *("", "{}", "[]", "null", "false", '{"debug":"true"}', '{"a b":"true"}', '"true"x'),
        *("[+]ping ok\n[-]etcd failed: reason withheld\nlivez check passed", "[+]ping ok\nlivez check failed", "[+]a"),
        *('{"sealed": false}', '{"initialized": "true", "sealed": false}'),
        *("line\nServer is ready", " ".join(["very"] * 20 + ["ready"]), "x" * 200 + " ready"),
    ],
)
def test_what_does_not_call_itself_well_gets_none(body) -> None:
    assert strong_claims(answer(body)) == ()


def test_vault_is_well_where_it_is_initialized_and_not_sealed() -> None:
    well = ({"path": "$.initialized", "equals": True}, {"path": "$.sealed", "equals": False})

    for initialized, sealed, broken_now in [
        ("true", "false", ""),
        ("true", "true", "sealed is true"),
        ("false", "true", "initialized is false"),
    ]:
        body = answer(f'{{"initialized": {initialized}, "sealed": {sealed}, "standby": false}}')
        assert strong_claims(body) == well
        assert broken_by(body) == broken_now


def test_what_breaks_its_claim_is_told() -> None:
    assert broken_by(answer('{"health":"false"}')) == 'health is "false"'
    assert broken_by(answer('{"health":"true"}')) == ""
    assert strong_claims(answer('{"health":"false"}')) == strong_claims(answer('{"health":"true"}'))


@pytest.mark.parametrize(
    ("body", "status", "claims"),
    [
        ("", 200, ({"status": 200}, {"equals": ""})),
        (" \n", 204, ({"status": 204}, {"equals": ""})),
        ("{}\n", 200, ({"equals": "{}"},)),
        ("PONG", 200, ({"equals": "PONG"},)),
        ('{"a": 1}', 200, ()),
        ("anything", 200, ()),
    ],
)
def test_what_says_nothing_gets_its_exact_text(body, status, claims) -> None:
    assert weak_claims(answer(body, status)) == claims


@pytest.mark.parametrize(
    ("body", "claim"),
    [
        ('{"queue": 3, "phase": "steady"}', {"path": "$.phase", "equals": "steady"}),
        ('{"queue": 3}', {"path": "$.queue", "exists": True}),
        ('{"a\\"b": "steady", "text": "' + "x" * 100 + '"}', {"path": "$.text", "exists": True}),
        ('{"' + "a" * 60 + '": "' + "x" * 30 + '", "b": "fine"}', {"path": "$.b", "equals": "fine"}),
        ("[1, 2]", {"path": "$[0]", "exists": True}),
        ("<html><body><h1>200 OK</h1>\nService ready.\n</body></html>", {"contains": "Service ready"}),  # HAProxy
        ("", {"equals": ""}),
        ("<p>fine</p>", {"equals": "<p>fine</p>"}),
        ("all fine\nhere", {"contains": "all fine"}),
        ('{"status": "yellow"}', {"path": "$.status", "exists": True}),  # and not one that "green" would break
        ('{"n": {"phase": "degraded"}}', {"path": "$.n.phase", "equals": "degraded"}),  # no bad word there is read
        ("Degraded", {"length": {"at_least": 1}}),
        (
            "one two three four five six seven eight nine ten",
            {"contains": "one two three four five six seven eight nine ten"},
        ),
        ("\x00" * 100, {"length": {"at_least": 1}}),
    ],
)
def test_what_is_not_understood_gets_a_claim_that_it_keeps_and_a_line_holds(body, claim) -> None:
    assert suggestion(answer(body)) == claim
    assert not list(broken([Assertion.model_validate(claim)], answer(body), datetime.now(UTC)))
    assert all(len(line) <= 80 for line in commented(assertions([claim])))
