"""A claim about a body holds, does not hold, or cannot be read; one that means nothing is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.assertions import Assertion, broken


@pytest.mark.parametrize(
    ("claim", "body", "failed"),
    [
        ({"path": "$.status", "equals": "ready"}, b'{"status": "ready"}', 0),
        ({"path": "$.status", "equals": "ready"}, b'{"status": "ok"}', 1),
        ({"path": "$.status", "equals": "ready"}, b'\xef\xbb\xbf{"status": "ready"}', 0),
        ({"equals": "ready"}, b"\xef\xbb\xbfready\n", 0),
        ({"contains": "ready"}, "\ufeffis ready".encode("utf-16-le"), 0),
        ({"path": "$.ok", "equals": True}, b'{"ok": true}', 0),
        ({"path": "$.ok", "equals": True}, b'{"ok": "true"}', 1),
        ({"path": "$.ok", "equals": True}, b'{"ok": 1}', 1),
        ({"path": "$.n", "equals": 1}, b'{"n": 1.0}', 0),
        ({"path": "$.queue.depth", "at_most": 100}, b'{"queue": {"depth": 100}}', 0),
        ({"path": "$.queue.depth", "at_most": 100}, b'{"queue": {"depth": 100.1}}', 1),
        ({"path": "$.workers", "at_least": 2}, b'{"workers": 1}', 1),
        ({"path": "$.n", "at_least": 1, "at_most": 3}, b'{"n": 2}', 0),
        ({"path": "$.n", "at_least": 1, "at_most": 3}, b'{"n": 4}', 1),
        ({"path": "$.n", "one_of": [1, 2], "at_least": 2}, b'{"n": 1}', 1),  # both are claimed
        ({"path": "$.n", "one_of": [1, 2], "at_least": 2}, b'{"n": 2}', 0),
        ({"path": "$.checks[?@.name=='db'].state", "equals": "up"}, b'{"checks": [{"name": "db", "state": "up"}]}', 0),
        ({"path": "$.status", "one_of": ["ok", "pass"]}, b'{"status": "pass"}', 0),
        ({"path": "$.status", "one_of": ["ok", "pass"]}, b'{"status": "fail"}', 1),
        ({"path": "$.status", "contains": "ok"}, b'{"status": "all ok"}', 0),
        ({"path": "$.status", "contains": "ok"}, b'{"status": "down"}', 1),
        ({"equals": "OK"}, b"OK\n", 0),
        ({"equals": "OK"}, b"DOWN", 1),
        ({"equals": "OK"}, b"OK, but not ready", 1),
        ({"one_of": ["OK", "UP"]}, b"UP", 0),
        ({"one_of": ["OK", "UP"]}, b"OK UP", 1),
        ({"contains": "healthy"}, b"unhealthy", 1),
        ({"contains": "healthy"}, b"Status: unhealthy", 1),
        ({"contains": "healthy"}, b"<h1>not healthy</h1>", 1),
        ({"contains": "healthy"}, b"Prometheus Server is healthy.", 0),
        ({"contains": "OK"}, b"NOT OK", 1),
        ({"contains": "OK"}, b"not_OK", 1),
        ({"contains": "OK"}, b"ok", 1),
        ({"contains": "available"}, b"Unavailable", 1),
        ({"contains": "up"}, b"not up, or up", 0),
        ({"contains": '"status":"ok"'}, b'{"status":"ok"}', 0),
        ({"contains": "livez check passed"}, b"[+]ping ok\nlivez check passed\n", 0),
        ({"contains": "livez check passed"}, b"[-]etcd failed\nlivez check failed\n", 1),
        ({"contains": "<h1>Shop"}, b"<html><h1>Shop</h1></html>", 0),
        ({"contains": "OK"}, b"\xff\xfd OK", 0),  # no UTF-8 in front of it
        ({"equals": "OK"}, b"", 1),
    ],
)
def test_a_claim_is_about_a_value_at_a_path_or_about_the_whole_text(claim, body, failed) -> None:
    assert len(broken([Assertion(**claim)], body)) == failed


@pytest.mark.parametrize(
    ("claim", "body", "told"),
    [
        ({"path": "$.status", "equals": "ok"}, b'{"state": "ok"}', 'nothing at $.status; the body\'s keys are "state"'),
        ({"path": "$.status", "equals": "ok"}, b'{"status": null}', "null at $.status"),
        ({"path": "$.checks[*].state", "equals": "up"}, b'{"checks": []}', "nothing at"),
        ({"path": "$.checks[*].state", "equals": "up"}, b'{"checks": [{"state":"up"},{"state":"up"}]}', "2 values"),
        ({"path": "$.n", "at_most": 1}, b'{"n": "0"}', "where a number is due"),
        ({"path": "$.n", "equals": 1}, b'{"n": "1"}', "where a number is due"),
        ({"path": "$.n", "equals": 1}, b'{"n": true}', "where a number is due"),
        ({"path": "$.n", "at_most": 1}, b'{"n": false}', "where a number is due"),
        ({"path": "$.n", "contains": "1"}, b'{"n": 1}', "where a text is due"),
        ({"path": "$.n", "at_most": 1}, b"<html>", "no JSON"),
    ],
)
def test_a_claim_about_what_is_not_there_is_no_reading(claim, body, told) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        broken([Assertion(**claim)], body)

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert told in caught.value.detail


def test_a_failed_claim_outweighs_one_that_cannot_be_read() -> None:
    unread, failed = Assertion(path="$.absent", equals=1), Assertion(path="$.status", equals="ready")

    assert broken([unread, failed], b'{"status": "ok"}') == ["$.status is not as declared"]


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ({"path": "$.a"}, "says nothing"),
        ({}, "says nothing"),
        ({"contains": ""}, "at least 1 character"),
        ({"path": "$.a[", "equals": 1}, "RFC 9535"),
        ({"path": "$.a", "at_most": float("nan")}, "finite"),
        ({"path": "$.a", "equals": float("nan")}, "finite"),
        ({"path": "$.a", "one_of": [1.0, float("inf")]}, "finite"),
        ({"equals": 1}, "the body's text"),
        ({"at_least": 1}, "the body's text"),
        ({"path": "$.n", "equals": 0, "at_least": 1}, "contradicts itself"),
        ({"path": "$.n", "equals": "ok", "at_least": 1}, "contradicts itself"),
        ({"path": "$.n", "contains": "ok", "at_least": 1}, "contradicts itself"),
        ({"path": "$.n", "at_least": 2, "at_most": 1}, "contradicts itself"),
        ({"equals": "down", "contains": "ok"}, "contradicts itself"),
        ({"equals": "ok", "one_of": ["up"]}, "contradicts itself"),
    ],
)
def test_a_claim_that_means_nothing_is_refused(claim, told) -> None:
    with pytest.raises(ValidationError, match=told):
        Assertion(**claim)
