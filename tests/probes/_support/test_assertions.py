"""A claim about an answer holds, does not hold, or cannot be read; one that means nothing is refused."""

from __future__ import annotations

import json
import time

import pytest
from builders import NOW
from pydantic import ValidationError

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support import claims
from probekit.probes._support.assertions import Assertion
from probekit.probes._support.claims import in_words
from probekit.probes._support.contradictions import contradiction
from probekit.probes._support.json import parse
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint

BY_DATE = {"Date": "Mon, 23 Nov 2026 10:30:00 GMT"}  # the moment of the tests
AT_ONCE = Phases(connect=0, tls=None, first_byte=0, response=0, total=0, arrived=0, local_delay=0)


def answer(body=b"", status=200, **headers) -> Answer:
    lines = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    where = Address(Endpoint("app.test", 443), "192.0.2.1")
    return Answer(url="https://app.test/", address=where, status=status, headers=lines, body=body, phases=AT_ONCE)


def broken(claimed, body=b"", status=200, **headers):
    return claims.broken(claimed, answer(body, status, **headers), NOW)


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
        ({"equals": ""}, b" \r\n", 0),
        ({"equals": ""}, b"{}", 1),
        ({"equals": "{}"}, b"{}", 0),
        ({"contains": "OK"}, b"NOT  OK", 1),
        ({"contains": "OK"}, b"isn't OK", 1),
        ({"contains": "OK"}, b"NOT OK, now OK", 0),
        ({"contains": "up"}, b"piano up", 0),
        ({"contains": "OK"}, b"OK: false", 1),
        ({"contains": "OK"}, b"OK=no", 1),
        ({"contains": "OK"}, b"'OK' : 'false', db: up", 1),
        ({"contains": "OK"}, b"OK: no errors found", 0),
        ({"contains": "OK"}, b"PING OK: 0 lost", 0),
        ({"contains": "OK"}, b"OK: false, and later OK", 0),
        ({"contains": "OK"}, b"not: OK", 1),
        ({"contains": "OK"}, b'not "OK"', 1),
        ({"contains": "OK"}, b"never OK", 1),
        ({"contains": "OK"}, b"no longer OK", 1),
        ({"contains": "OK"}, "isn\u2019t OK".encode(), 1),
        ({"contains": "OK"}, "not\u200bOK".encode(), 1),
        ({"matches": "^v[0-9]+$"}, b"v12\n", 0),
        ({"matches": "^v[0-9]+$"}, b"v12\nv13", 1),
        ({"matches": "v[0-9]"}, b"\xff v1", 0),
        ({"path": "$.v", "matches": "^2[.]"}, b'{"v": "2.1"}', 0),
        ({"path": "$.v", "matches": "^2[.]"}, b'{"v": "1.2.1"}', 1),
        ({"path": "$.v", "matches": "a"}, b'{"v": "\\ud800a"}', 0),
        ({"at_least": 3}, b"17", 0),
        ({"at_most": 3}, b"17", 1),
        ({"path": "$.a", "exists": True}, b'{"a": null}', 0),
        ({"path": "$.a", "exists": True}, b"{}", 1),
        ({"path": "$.a", "exists": False}, b"{}", 0),
        ({"path": "$.a", "exists": False}, b'{"a": null}', 1),
        ({"path": "$.a[?@.s == 'down']", "exists": False}, b'{"a": [{"s": "up"}, {"s": "up"}]}', 0),
        ({"path": "$.a[?@.s == 'down']", "exists": False}, b'{"a": [{"s": "down"}, {"s": "down"}]}', 1),
        ({"path": "$.a", "exists": True, "equals": 1}, b"{}", 1),
        ({"path": "$.a", "length": 2}, b'{"a": [1, 2]}', 0),
        ({"path": "$.a", "length": 2}, b'{"a": {"x": 1}}', 1),
        ({"path": "$.a", "length": {"at_least": 1, "at_most": 3}}, b'{"a": "four"}', 1),
        ({"path": "$", "length": 0}, b"[]", 0),
        ({"length": {"at_most": 3}}, b" four ", 1),
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
        ({"path": "$.n", "at_most": 1}, b'{"n": "0"}', "expected a number"),
        ({"path": "$.n", "equals": 1}, b'{"n": "1"}', "expected a number"),
        ({"path": "$.n", "equals": 1}, b'{"n": true}', "expected a number"),
        ({"path": "$.n", "at_most": 1}, b'{"n": false}', "expected a number"),
        ({"path": "$.n", "contains": "1"}, b'{"n": 1}', "expected a string"),
        ({"path": "$.n", "at_most": 1}, b"<html>", "not valid JSON"),
        ({"path": "$.n", "exists": False}, b"<html>", "not valid JSON"),
        ({"path": "$.n", "length": 1}, b'{"n": 1}', "$.n is 1 (number), expected a string, an array or an object"),
        ({"at_least": 1}, b"many", 'the text is "many", expected a number'),
        ({"at_least": 1}, b"", 'the text is "", expected a number'),
        ({"header": "Age", "at_most": 1}, b"", "the answer has no header Age; use exists = true if this must fail"),
        ({"path": "$.t", "younger_than": "5m"}, b'{"t": "2026-11-23 10:30"}', "expected a time, such as"),
        ({"path": "$.t", "younger_than": "5m"}, b'{"t": "2026-02-30T10:30:00Z"}', "expected a time, such as"),
        ({"path": "$.t", "younger_than": "5m"}, b'{"t": -1}', "expected a time, such as"),
        ({"path": "$.t", "younger_than": "5m"}, b'{"t": 1e300}', "expected a time, such as"),
        ({"path": "$.t", "younger_than": "5m"}, b'{"t": true}', "expected a time, such as"),
    ],
)
def test_a_claim_about_what_is_not_there_is_no_reading(claim, body, told) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        broken([Assertion(**claim)], body)

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert told in caught.value.detail


def test_a_failed_claim_outweighs_one_that_cannot_be_read() -> None:
    unread, failed = Assertion(path="$.absent", equals=1), Assertion(path="$.status", equals="ready")

    assert broken([unread, failed], b'{"status": "ok"}') == ['$.status is "ok" (string), expected "ready" (string)']


def test_a_failed_status_outweighs_a_body_that_is_no_json() -> None:
    claimed = [Assertion(path="$.a", equals=1), Assertion(path="$.b", equals=1), Assertion(status=200)]

    assert broken(claimed, b"<html>", 503) == ["the status is 503, expected 200"]


@pytest.mark.parametrize(
    ("claim", "seen", "told"),
    [
        ({"path": "$.health", "equals": True}, {"body": b'{"health": "true"}'},
         '$.health is "true" (string), expected true (boolean)'),
        ({"path": "$.n", "equals": 2}, {"body": b'{"n": 1.5}'}, "$.n is 1.5 (number), expected 2 (number)"),
        ({"path": "$.n", "one_of": ["a", True]}, {"body": b'{"n": [1]}'},
         '$.n is an array of 1 entry, expected one of "a" (string), true (boolean)'),
        ({"path": "$.n", "equals": "a"}, {"body": b'{"n": {"a": 1, "b": 2}}'},
         '$.n is an object of 2 keys, expected "a" (string)'),
        ({"path": "$.s", "contains": "OK"}, {"body": b'{"s": "NOT OK"}'},
         '$.s is "NOT OK" (string), expected to contain "OK"'),
        ({"path": "$.s", "matches": "^v"}, {"body": b'{"s": "x1"}'}, '$.s is "x1" (string), expected to match "^v"'),
        ({"path": "$.n", "at_least": 2}, {"body": b'{"n": 1}'}, "$.n is 1 (number), expected at least 2"),
        ({"path": "$.n", "at_least": 2, "at_most": 1_500_000}, {"body": b'{"n": 1}'},
         "$.n is 1 (number), expected at least 2 and at most 1500000"),
        ({"path": "$.n", "exists": True}, {"body": b"{}"}, "$.n is absent, expected to exist"),
        ({"path": "$.n", "exists": False}, {"body": b'{"n": null}'}, "$.n is null, expected not to exist"),
        ({"path": "$.n", "length": 3}, {"body": b'{"n": [1]}'},
         "$.n is an array of 1 entry, expected a length of 3, not 1"),
        ({"path": "$.t", "younger_than": "5m"}, {"body": b'{"t": "2026-11-23T10:00:00Z"}'},
         '$.t is "2026-11-23T10:00:00Z" (string), expected to be younger than 300s: it is 1800s old'),
        ({"path": "$.t", "younger_than": "5m"}, {"body": b'{"t": "2026-11-23T10:32:00Z"}', **BY_DATE},
         '$.t is "2026-11-23T10:32:00Z" (string), expected to be younger than 300s: it is 120s ahead'),
        ({"contains": "OK"}, {"body": b"NOT OK"}, 'the text is "NOT OK", expected to contain "OK"'),
        ({"equals": ""}, {"body": b"x" * 100}, f'the text is "{"x" * 60}"..., expected ""'),
        ({"status": [200, 204]}, {"status": 503}, "the status is 503, expected 200 or 204"),
        ({"header": "Content-Type", "equals": "a/b"}, {"content_type": "text/html"},
         'the header Content-Type is "text/html", expected "a/b"'),
        ({"header": "X-Left", "at_least": 5}, {"X_LEFT": "3"}, 'the header X-Left is "3", expected at least 5'),
        ({"header": "X-A", "exists": True}, {}, "the header X-A is absent, expected to exist"),
        ({"header": "X-A", "exists": False}, {"X_A": "1"}, 'the header X-A is "1", expected not to exist'),
    ],
)  # fmt: skip
def test_a_claim_that_fails_shows_the_place_what_was_seen_and_what_is_expected(claim, seen, told) -> None:
    assert broken([Assertion(**claim)], **seen) == [told]


@pytest.mark.parametrize(
    ("claim", "headers"),
    [
        ({"status": 200}, {}),
        ({"header": "content-type", "contains": "html"}, {"Content_Type": "text/html; charset=utf-8"}),
        ({"header": "X-A", "equals": "1, 2"}, {"X_A": "1", "x_a": " 2 "}),  # its lines are one list
        ({"header": "X-A", "equals": ""}, {"X_A": " "}),
        ({"header": "X-A", "length": 3}, {"X_A": "abc"}),
        ({"header": "Date", "younger_than": "1m"}, {"Date": "Mon, 23 Nov 2026 10:29:30 GMT"}),
        ({"header": "X-A", "exists": False}, {}),
    ],
)
def test_a_claim_about_status_or_header_can_hold(claim, headers) -> None:
    assert broken([Assertion(**claim)], **headers) == []


@pytest.mark.parametrize(
    ("seen", "is_young"),
    [
        (b'"2026-11-23T10:29:00Z"', True),
        (b'"2026-11-23T10:25:00Z"', True),
        (b'"2026-11-23T10:24:59Z"', False),
        (b'"2026-11-23t12:29:00.123456789+02:00"', True),
        (b'"2026-11-23T05:29:00-05:00"', True),
        (b'"2026-11-23T10:31:00Z"', True),
        (b'"2026-11-23T10:31:01Z"', False),  # more than a minute ahead
        (b"1795429740", True),
        (b"1795429740123", True),
        (b"1795429740.5", True),
        (b'"1795429740"', True),
        (b"1795400000", False),
        (b"0", False),
    ],
)
def test_a_time_is_young_by_the_clock_of_the_run(seen, is_young) -> None:
    failed = broken([Assertion(path="$.t", younger_than="5m")], b'{"t": %s}' % seen, **BY_DATE)

    assert len(failed) == (0 if is_young else 1)


@pytest.mark.parametrize(
    ("seen", "date", "told"),
    [
        ("10:00:00", "10:01:00", "its age is 1800s by the runner's clock and 60s by the answer's header Date"),
        ("10:29:00", "11:00:00", "its age is 60s by the runner's clock and 1860s by the answer's header Date"),
        ("10:40:00", "10:40:30", "its age is -600s by the runner's clock and 30s by the answer's header Date"),
        ("10:32:00", None, "it is ahead of the runner's clock, and the answer has no header Date to compare"),
    ],
)
def test_an_age_of_which_two_clocks_disagree_is_no_reading(seen, date, told) -> None:
    headers = {"Date": f"Mon, 23 Nov 2026 {date} GMT"} if date else {}
    body = b'{"t": "2026-11-23T%sZ"}' % seen.encode()

    with pytest.raises(ProbeFailedError) as caught:
        broken([Assertion(path="$.t", younger_than="5m")], body, **headers)

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert told in caught.value.detail


@pytest.mark.parametrize("headers", [{}, {"Date": "now"}])
def test_less_than_a_minute_ahead_is_now_where_no_clock_says_otherwise(headers) -> None:
    assert broken([Assertion(path="$.t", younger_than="5m")], b'{"t": "2026-11-23T10:30:50Z"}', **headers) == []


@pytest.mark.parametrize("pattern", ["^[^x]*$", "^[0-9]*$", ".", "^$", "OK"])
def test_a_pattern_that_some_text_has_not_claims_something(pattern) -> None:
    assert Assertion(matches=pattern).matches == pattern


@pytest.mark.parametrize(
    ("seen", "claimed", "told"),
    [
        ("cafe\u0301", "caf\u00e9", '; in ASCII, it is "cafe\\u0301"'),
        ("\u041e\u041a", "OK", '; in ASCII, it is "\\u041e\\u041a"'),
        ("\uff2f\uff2b", "OK", '; in ASCII, it is "\\uff2f\\uff2b"'),
        ("down", "live", 'expected "live" (string)'),
        ("caf\u00e9 zu", "caf\u00e9", 'expected "caf\u00e9" (string)'),
    ],
)
def test_a_text_that_only_looks_like_the_claimed_one_is_written_out(seen, claimed, told) -> None:
    (failed,) = broken([Assertion(path="$.t", equals=claimed)], json.dumps({"t": seen}).encode())

    assert failed.endswith(told)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("$.error", b"[]"),
        ("$.error", b"null"),
        ("$.error", b"1"),
        ("$.error", b'"fine"'),
        ("$.data.error", b"{}"),
        ("$.data.error", b'{"data": null}'),
        ("$.checks[?@.state == 'down']", b"{}"),
        ("$.checks[?@.state == 'down']", b'{"checks": "none"}'),
        ("$.checks[0]", b'{"checks": {}}'),
        ("$.checks[0].error", b'{"checks": []}'),
    ],
)
def test_the_absence_of_what_could_not_be_there_is_no_reading(path, body) -> None:
    with pytest.raises(ProbeFailedError, match="because the object or array around it is absent") as caught:
        broken([Assertion(path=path, exists=False)], body)

    assert caught.value.reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("$.error", b"{}"),
        ("$..error", b"{}"),
        ("$..error", b"[]"),
        ("$[?@.down]", b"[]"),
        ("$.checks[?@.state == 'down']", b'{"checks": []}'),
        ("$.checks[?@.state == 'down']", b'{"checks": {"db": {"state": "up"}}}'),
        ("$.checks[*].error", b'{"checks": [{"a": 1}, 2]}'),
        ("$.checks[3]", b'{"checks": [1]}'),
        ("$.checks['a', 'b']", b'{"checks": {}}'),
    ],
)
def test_what_is_absent_where_it_could_be_is_absent(path, body) -> None:
    assert broken([Assertion(path=path, exists=False)], body) == []


def test_a_regular_expression_takes_no_more_time_than_its_text_is_long() -> None:
    body = b"a" * (1 << 20) + b"!"
    began = time.process_time()

    assert broken([Assertion(matches=pattern) for pattern in ("(a+)+$", "(a|a)*b$", "^(a|aa)+$")], body)
    assert time.process_time() - began < 10  # of a backtracking engine: years


def test_a_pattern_within_a_path_takes_no_more_time_either() -> None:
    body = b'[{"a": "%s!"}]' % (b"a" * 500_000)
    began = time.process_time()

    for call in ("search(@.a, '(a+)+$')", "match(@.a, '(a+)+')"):
        assert broken([Assertion(path=f"$[?{call}]", exists=False)], body) == []
    assert broken([Assertion(path="$[?search(@.a, 'a!$')]", exists=False)], body)
    assert time.process_time() - began < 10


@pytest.mark.parametrize("pattern", ["(?=a)", "(", "a" * 501])
def test_a_pattern_within_a_path_that_cannot_be_read_is_no_pass(pattern) -> None:
    body = json.dumps([{"a": "x", "p": pattern}]).encode()

    with pytest.raises(ProbeFailedError, match="cannot be evaluated in this answer"):
        broken([Assertion(path="$[?search(@.a, @.p)]", exists=False)], body)


def test_of_many_claims_that_fail_the_first_few_are_named() -> None:
    failed = broken([Assertion(path="$.n", equals=number) for number in range(1, 51)], b'{"n": 0}')

    assert len(failed) == 50
    assert in_words(failed).count("expected") == 8
    assert in_words(failed).endswith("; and 42 more")


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ({"path": "$.a"}, "has no condition"),
        ({}, "has no condition"),
        ({"contains": ""}, "at least 1 character"),
        ({"contains": "  "}, "not only white space"),
        ({"matches": ".*"}, "matches every text"),
        ({"path": "$.a", "matches": "OK|"}, "matches every text"),
        ({"matches": "[0-9]*"}, "matches every text"),
        ({"path": "$.a", "length": {"at_least": 0}}, "every length is at least 0"),
        ({"path": "$.a", "at_least": True}, "valid number"),
        ({"path": "$.a", "at_most": "5"}, "valid number"),
        ({"path": "$.a", "exists": "yes"}, "valid boolean"),
        ({"path": "$.a[", "equals": 1}, "RFC 9535"),
        ({"path": "$.a", "at_most": float("nan")}, "finite"),
        ({"path": "$.a", "equals": float("nan")}, "finite"),
        ({"path": "$.a", "one_of": [1.0, float("inf")]}, "finite"),
        ({"equals": 1}, "the body's text"),
        ({"header": "X-A", "equals": True}, "applies to a header"),
        ({"one_of": ["ok", 1]}, "the body's text"),
        ({"exists": True}, 'for an empty body, use equals = ""'),
        ({"header": "X-A"}, "has no condition"),
        ({"header": "X A", "equals": "1"}, "pattern"),
        ({"header": "X-A\r\nB", "equals": "1"}, "pattern"),
        ({"header": "X-A", "path": "$.a", "equals": "1"}, "names two places"),
        ({"status": 200, "path": "$.a"}, "names two places"),
        ({"status": 200, "equals": "ok"}, "status excludes all other conditions"),
        ({"status": 99}, "greater than or equal to 200"),
        ({"status": []}, "no status"),
        ({"status": "200"}, "valid integer"),
        ({"matches": "("}, "invalid regular expression: a .* is not closed"),
        ({"matches": "(?=a)"}, "RE2 has neither lookaround"),
        ({"matches": r"(a)\1"}, "back-references are not supported"),
        ({"matches": "((a{100}){10}){10}"}, "is not a valid repetition"),
        ({"matches": "(a?){200}(b?){200}(c?){200}(d?){200}"}, "too large"),
        ({"matches": "a" * 501}, "at most 500 characters"),
        ({"path": "$.t", "younger_than": 5}, "a number and a unit"),
        ({"path": "$.t", "younger_than": "0s"}, "greater than 0"),
        ({"path": "$.t", "younger_than": "999999999999d"}, "less than or equal to"),
        ({"path": "$.a", "length": -1}, "greater than or equal to 0"),
        ({"path": "$.a", "length": True}, "valid dictionary"),
        ({"path": "$.a", "length": {}}, "has no bound"),
        ({"path": "$.a", "length": {"at_least": 2, "at_most": 1}}, "contradicts itself"),
        ({"path": "$.a", "length": 1, "at_least": 1}, "contradicts itself"),
        ({"path": "$.a", "length": 1, "contains": "ok"}, "contradicts itself"),
        ({"path": "$.a", "length": 1, "equals": "ok"}, "contradicts itself"),
        ({"path": "$.a", "exists": False, "equals": 1}, "contradicts itself"),
        ({"path": "$.a", "equals": "ok", "matches": "^up"}, "contradicts itself"),
        ({"path": "$.a", "equals": "2026-11-23T10:29:00Z", "younger_than": "5m"}, "contradicts itself"),
        ({"equals": "OK "}, "without white space around it"),
        ({"header": "X-A", "one_of": ["a", " b"]}, "without white space around it"),
        ({"equals": "many", "at_least": 1}, "contradicts itself"),
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


@pytest.mark.parametrize(
    ("claimed", "place"),
    [
        ([{"status": 200}, {"status": [200, 503]}], ""),
        ([{"status": 200}, {"status": 503}], "the status"),
        ([{"path": "$.a", "equals": 1}, {"path": "$.b", "equals": 2}], ""),
        ([{"path": "$.a", "equals": 1}, {"path": "$.a", "equals": 2}], "$.a"),
        ([{"path": "$.a", "one_of": [1, 2]}, {"path": "$.a", "at_least": 2}], ""),
        ([{"path": "$.a", "one_of": [1, 2]}, {"path": "$.a", "at_least": 3}], "$.a"),
        ([{"path": "$.a", "at_most": 2}, {"path": "$.a", "at_least": 3}], "$.a"),
        ([{"path": "$.a", "exists": False}, {"path": "$.a", "equals": 3}], "$.a"),
        ([{"path": "$.a", "exists": True}, {"path": "$.a", "exists": False}], "$.a"),
        ([{"contains": "a"}, {"contains": "b"}], ""),
        ([{"equals": "OK"}, {"contains": "up"}], "the text"),
        ([{"header": "X-A", "equals": "a"}, {"header": "x-a", "equals": "b"}], "the header X-A"),
    ],
)
def test_several_assertions_about_one_place_must_leave_a_value(claimed, place) -> None:
    assert contradiction([Assertion(**claim) for claim in claimed]) == place


@pytest.mark.parametrize(
    ("body", "place"),
    [(b"<html>", "line 1, column 1"), (b'{"a"\n1}', "line 2, column 1"), (b"[1] 2", "line 1, column 5")],
)
def test_a_malformed_body_is_told_by_its_place_not_in_the_words_of_the_parser(body, place) -> None:
    with pytest.raises(ProbeFailedError, match=f"the body is not valid JSON: syntax error, {place}"):
        parse(body)
