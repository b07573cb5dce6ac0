"""Does one URL answer well? Good words, declared claims, and who is to blame when there is no answer."""

from __future__ import annotations

import json
import re
import tomllib
from functools import partial

import httpx
import pytest
import respx
from builders import NOW, mocked
from pydantic import ValidationError

from probekit.model.history import History
from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.http import KIND, HttpProbe
from probekit.transport.client import Http
from probekit.transport.resolver import Resolved
from probekit.transport.urls import Address, Endpoint

BASE = "https://app.test"
ADDRESS = Address(Endpoint("app.test", 443), "192.0.2.1")


@pytest.fixture
def answers():
    """What the kind reads when /health answers like this, and every other path with a 404."""

    async def read(
        content=b'{"status":"ok"}', status=200, media_type="application/json", absent=404, *, answered=True, **settings
    ):
        router = respx.Router(assert_all_called=False)
        reply = httpx.Response(
            status, content=content, headers={"Content-Type": media_type} | settings.pop("headers", {})
        )
        router.route(path="/health").mock(return_value=reply)
        missing = httpx.Response(
            absent, content=content if absent == 200 else b"", headers={"Content-Type": media_type}
        )
        router.route().mock(return_value=missing)
        http = Http(run="test", send=mocked(httpx.MockTransport(router.async_handler)))
        door = http.probe_client(address=ADDRESS, timeout=1)
        known = door.question(f"{BASE}/health", settings.get("method", "GET"))
        context = Context(
            base_url=BASE,
            timeout=1,
            http=door,
            history=History(answered=frozenset({known} if answered else ())),
            reveal=str,
            now=lambda: NOW,
            address=ADDRESS,
            resolved=Resolved((ADDRESS,), 0.002),
        )
        return await KIND.measure(HttpProbe(kind="http", path="/health", **settings), context)

    return read


async def test_a_good_answer_gives_every_promised_number(answers) -> None:
    readings = await answers()

    assert set(readings.values) == KIND.metric_names - {"tls"}  # the double has no handshake
    assert readings.values["up"] == Exact(1)
    assert readings.values["status"] == Exact(200)
    assert readings.values["failed_assertions"] == Exact(0)
    assert readings.values["bytes"] == Exact(15)
    assert readings.values["dns"] == Exact(2)
    assert readings.summary == "200 from 192.0.2.1:443"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b'{"status": "UP"}', "application/vnd.spring-boot.actuator.v3+json"),
        (b'{"status": "healthy", "checks": {}}', "application/json"),
        (b'"ok"', "application/json"),
        (b"OK", "text/plain"),
        (b"Healthy\n", "text/plain; charset=utf-8"),
        (b'{"status": "pass"}', "text/plain"),
        (b'{"ready": true}', "application/json"),
        (b"OK", "text/html; charset=utf-8"),
        (b"OK", ""),
        (b'\xef\xbb\xbf{"status": "ok"}', "application/json"),
        (b"\xef\xbb\xbfOK\r\n", "text/plain"),
        ("\ufeffOK".encode("utf-16-be"), "text/plain"),
    ],
)
async def test_a_good_word_is_an_implied_claim_that_holds(answers, body, media_type) -> None:
    readings = await answers(body, media_type=media_type)

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(0))


ERROR_PAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"
SIGN_IN_PAGE = b"<!doctype html><title>Shop</title><input type=password>"
PAGE = b"<!doctype html><title>Shop</title><h1>Offers</h1>"


@pytest.mark.parametrize(
    ("body", "settings", "told"),
    [
        (ERROR_PAGE, {"page": True}, "an error page: its title or heading is"),
        (SIGN_IN_PAGE, {"page": True}, "a sign-in page"),
        (ERROR_PAGE, {"assertions": [{"status": 200}]}, "an error page: its title or heading is"),
        (ERROR_PAGE, {"assertions": [{"header": "Content-Type", "contains": "html"}]}, "an error page"),
        (b"", {"page": True}, "the body is empty"),
        (b"<error>down</error>", {"page": True}, "instead of a health answer"),
    ],
)
async def test_a_page_that_is_plainly_no_content_is_no_reading(answers, body, settings, told) -> None:
    readings = await answers(body, media_type="application/xml" if body[:2] == b"<e" else "text/html", **settings)

    for metric in ("up", "failed_assertions"):
        assert readings.values[metric].reason is Reason.BAD_RESPONSE
        assert told in readings.values[metric].detail


@pytest.mark.parametrize(
    ("body", "status", "settings"),
    [
        (PAGE, 200, {"page": True}),
        (SIGN_IN_PAGE, 200, {"assertions": [{"status": 200}]}),
        (ERROR_PAGE, 200, {"assertions": [{"contains": "Bad Gateway"}]}),
        (ERROR_PAGE, 502, {"assertions": [{"status": 502}]}),
        (ERROR_PAGE, 200, {"any_body": True}),
    ],
)
async def test_a_page_counts_as_what_is_declared_of_it(answers, body, status, settings) -> None:
    readings = await answers(body, status, media_type="text/html", **settings)

    assert readings.values["failed_assertions"] == Exact(0)


@pytest.mark.parametrize(
    ("body", "claim"),
    [(b'{"status": "not ok"}', {"header": "Content-Type", "exists": True}), (b"NOT OK", {"matches": "OK"})],
)
async def test_a_denied_good_word_is_a_bad_one_beside_assertions(answers, body, claim) -> None:
    readings = await answers(body, media_type="text/plain", assertions=[claim])

    assert "the declared assertions hold, but" in readings.values["failed_assertions"].detail


@pytest.mark.parametrize(("body", "failed"), [(b'{"status": "down"}', 1), (b'{"status": "ok"}', 0), (b"ERROR", 1)])
@pytest.mark.parametrize("page", [True, False])
async def test_a_document_or_a_word_that_is_sent_as_html_is_no_page(answers, body, failed, page) -> None:
    readings = await answers(body, media_type="text/html", page=page)

    assert readings.values["failed_assertions"] == Exact(failed)
    assert "weak" not in readings.notes


@pytest.mark.parametrize("word", ["DOWN", "fail", "unhealthy", "OUT_OF_SERVICE", "error", "not ok", "NOT_HEALTHY"])
async def test_a_200_that_says_down_is_down(answers, word) -> None:
    readings = await answers(f'{{"status": "{word}"}}'.encode())

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(1))
    assert word in readings.summary


@pytest.mark.parametrize(
    ("body", "media_type", "told"),
    [
        (b"", "application/json", 'assertions = [{ equals = "" }], or any_body = true to accept any 2xx'),
        (b"<!doctype html><p>ok</p>", "text/html", "a page"),
        (b"  <html>ok</html>", "application/json", "a page"),
        (b'{"state": {"a": 1}}', "application/json", 'keys are "state"'),
        (b'{"status": "banana"}', "application/json", "not a recognised word of health"),
        (b'{"status": "yellow"}', "application/json", 'its status "yellow" is neither good nor bad'),
        (b"Degraded", "text/plain", 'its status "Degraded" is neither good nor bad'),
        (b'{"status": null}', "application/json", "not a recognised word of health"),
        (b'{"status": ["ok"]}', "application/json", "the body has no status"),
        (b'{"status": "ok", "status": "down"}', "application/json", "a repeated key"),
        (b'{"status": NaN}', "application/json", "NaN is not a JSON number"),
        (b'{"status": 1e999}', "application/json", "not a JSON number"),
        (b"[" * 100_000, "application/json", "nested too deeply"),
        (b'{"n": ' + b"9" * 5000 + b"}", "application/json", "5000 digits"),
        (b"\xff\xfe", "application/json", "the body is empty"),  # a byte order mark and nothing after it
        ('\ufeff{"status": "ok"}'.encode("utf-16-le"), "application/json", "not UTF-8"),
        (b'{"status": "\xff"}', "application/json", "not UTF-8"),
        (b'{"status":"ok"} {"status":"ok"}', "application/json", "not valid JSON"),
        (b"everything is fine here, thank you for asking!", "text/plain", "not valid JSON"),
    ],
)
async def test_what_cannot_be_read_is_no_reading(answers, body, media_type, told) -> None:
    readings = await answers(body, media_type=media_type)

    for metric in ("up", "failed_assertions"):
        assert isinstance(readings.values[metric], Failure)
        assert readings.values[metric].reason is Reason.BAD_RESPONSE
        assert told in readings.values[metric].detail
    assert readings.values["status"] == Exact(200)


async def test_a_declared_claim_that_does_not_hold_is_counted(answers) -> None:
    held, broken = {"path": "$.status", "equals": "ok"}, {"contains": "ready"}

    readings = await answers(b'{"status": "ok"}', assertions=(held, broken))

    assert readings.values["failed_assertions"] == Exact(1)
    assert readings.summary.endswith("""the text is "{\\"status\\": \\"ok\\"}", expected to contain "ready\"""")


async def test_a_claim_about_what_is_not_there_is_no_reading(answers) -> None:
    readings = await answers(b'{"state": "ok"}', assertions=({"path": "$.status", "equals": "ok"},))

    for metric in ("up", "failed_assertions"):
        assert readings.values[metric].reason is Reason.BAD_RESPONSE
        assert 'nothing at $.status; the body\'s keys are "state"' in readings.values[metric].detail


@pytest.mark.parametrize("status", [500, 502, 503, 404, 301, 418])
async def test_status_comes_first_whatever_the_body_says(answers, status) -> None:
    readings = await answers(b'{"status": "ok"}', status)

    assert (readings.values["up"], readings.values["status"]) == (Exact(1), Exact(status))
    assert isinstance(readings.values["failed_assertions"], Failure)


@pytest.mark.parametrize(
    ("status", "headers"),
    [(401, {}), (403, {}), (407, {}), (451, {}), (429, {"Retry-After": "9"}), (503, {"cf-mitigated": "challenge"}),
     (405, {"x-amzn-waf-action": "captcha"})],
)  # fmt: skip
async def test_being_access_denied_is_no_failure_of_the_target(answers, status, headers) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await answers(b"no", status, headers=headers)

    assert caught.value.reason is Reason.ACCESS_DENIED


async def test_a_server_that_answers_anything_proves_nothing(answers) -> None:
    readings = await answers(absent=200)

    assert readings.values["up"].reason is Reason.BAD_RESPONSE
    assert "answers anything" in readings.values["up"].detail


async def test_an_unfollowed_redirect_is_named(answers) -> None:
    readings = await answers(b"", 302, headers={"Location": "/moved?session=hidden"})

    assert readings.values["status"] == Exact(302)
    assert readings.summary == "302 from 192.0.2.1:443, a redirect to /moved that was not followed"


@pytest.mark.parametrize(
    ("status", "method", "hint"),
    [
        (
            301,
            "GET",
            "which points to /health/: no recorded run got the expected answer.*; set follow = 1 to follow it",
        ),
        (404, "GET", "no recorded run got the expected answer, so the request may be wrong; check path"),
        (400, "HEAD", "so the request may be wrong"),
    ],
)
async def test_a_question_that_was_never_answered_well_may_be_wrong_itself(answers, status, method, hint) -> None:
    more = {"method": method, "any_body": True} if method == "HEAD" else {}
    readings = await answers(
        b"", status, headers={"Location": "/health/"} if status == 301 else {}, **more, answered=False
    )

    assert readings.values["up"] == Exact(1)
    assert readings.values["status"].reason is Reason.BAD_RESPONSE
    assert re.search(hint, readings.values["status"].detail)
    assert not readings.answered


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error_is_the_target_s_whatever_is_on_record(answers, status) -> None:
    assert (await answers(b"", status, answered=False)).values["status"] == Exact(status)


@pytest.mark.parametrize(
    ("body", "status", "more", "is_kept"),
    [
        (b'{"status":"ok"}', 200, {}, True),
        (b'{"status":"DOWN"}', 200, {}, False),
        (b'{"status":"ok"}', 404, {}, False),
        (b'{"status":"ok"}', 200, {"absent": 200}, False),  # whatever is asked gets this answer
    ],
)
async def test_what_is_answered_well_is_remembered(answers, body, status, more, is_kept) -> None:
    readings = await answers(body, status, **more, answered=False)

    assert bool(readings.answered) is is_kept


@pytest.mark.parametrize(
    ("body", "settings", "is_weak"),
    [
        (b"", {"assertions": [{"status": 200}, {"equals": ""}]}, True),
        (b"{}", {"assertions": [{"equals": "{}"}]}, True),
        (b"{}", {"assertions": [{"path": "$", "length": 0}]}, True),
        (b"anything", {"any_body": True}, True),
        (b"fine", {"assertions": [{"status": 200}, {"equals": "fine"}]}, False),
        (b'{"a": 1}', {"assertions": [{"path": "$", "length": 1}]}, False),
        (b'{"status": "ok"}', {}, False),
    ],
)
async def test_a_rule_that_any_process_keeps_which_answers_is_named_as_weak(answers, body, settings, is_weak) -> None:
    readings = await answers(body, **settings)

    assert readings.values["failed_assertions"] == Exact(0)
    assert ("weak" in readings.notes) == is_weak
    assert readings.notes.get("assertions", "").startswith(str(len(settings.get("assertions", [])) or ""))


async def test_what_a_server_error_says_is_shown(answers) -> None:
    readings = await answers(b'{"error": "stream could not be recovered"}', 503)

    assert readings.summary.endswith(': {"error": "stream could not be recovered"}')


async def test_any_body_is_accepted_where_that_is_declared(answers) -> None:
    readings = await answers(b"<html>", media_type="text/html", any_body=True)

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(0))


async def test_silence_is_up_0_and_gives_no_other_number() -> None:
    def silent(_request):
        raise ProbeFailedError(Reason.UNREACHABLE, "connection refused by 192.0.2.1:443")

    readings = await _measured_over(silent)

    assert readings.values == {"up": Exact(0)}
    assert readings.summary == "connection refused by 192.0.2.1:443"


@pytest.mark.parametrize("reason", [Reason.UNTRUSTED, Reason.TIMEOUT, Reason.MISSING_SECRET, Reason.UNRESOLVED])
async def test_any_other_trouble_is_no_reading_of_up(reason) -> None:
    def trouble(_request):
        raise ProbeFailedError(reason, "told")

    with pytest.raises(ProbeFailedError) as caught:
        await _measured_over(trouble)

    assert caught.value.reason is reason


async def _measured_over(handler):
    http = Http(run="test", send=mocked(httpx.MockTransport(handler)))
    context = Context(
        base_url=BASE,
        timeout=1,
        http=http.probe_client(address=ADDRESS, timeout=1),
        reveal=str,
        now=lambda: NOW,
        address=ADDRESS,
    )
    return await KIND.measure(HttpProbe(kind="http", path="/health"), context)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "either 'path' or 'url'"),
        ({"path": "/a", "url": "https://b.test/"}, "either 'path' or 'url'"),
        ({"path": "no-slash"}, "pattern"),
        ({"url": "https://user:word@b.test/"}, "pattern"),
        ({"url": "ftp://b.test/"}, "pattern"),
        ({"url": "https://b.test:99999/"}, "its port is not a number"),
        ({"url": "https://[::1/"}, "write an IPv6 address in"),
        ({"path": "/", "assertions": [{"path": "$.a"}]}, "has no condition"),
        (
            {"path": "/", "any_body": True, "assertions": [{"path": "$.a", "equals": 1}]},
            "conflict with any_body = true",
        ),
        ({"path": "/", "any_body": True, "ignore": ["a"]}, "ignore has no effect with any_body = true"),
        ({"path": "/", "body": "any"}, "any_body = true"),
        ({"path": "/", "method": "HEAD", "body": "any"}, "any_body = true"),
        ({"path": "/", "body": "a=1"}, 'GET sends no body: body needs method = "POST"'),
        ({"path": "/", "catch_all": True}, "add assertions that verify health"),
        ({"path": "/", "catch_all": True, "assertions": [{"status": 200}]}, "add assertions that verify health"),
        (
            {"path": "/", "catch_all": True, "assertions": [{"status": 200}, {"path": "$.error", "exists": False}]},
            "add assertions that verify health",
        ),
        (
            {"path": "/", "assertions": [{"status": 200}, {"status": 503}]},
            "about the status contradict each other: remove one",
        ),
        ({"path": "/", "assertions": [{"path": "$.a", "equals": 1}] * 51}, "51 assertions, expected at most 50"),
        ({"path": "/", "method": "TRACE"}, "GET"),
        ({"path": "/", "method": "HEAD"}, "set any_body = true if a 2xx is enough"),
        ({"path": "/", "method": "HEAD", "assertions": [{"contains": "ok"}]}, "the answer to a HEAD has no body"),
        ({"path": "/", "method": "POST", "follow": 1}, "remove follow"),
        ({"path": "/", "method": "POST", "repeat": 2}, "remove repeat"),
        ({"path": "/", "timout": "1s"}, "Extra inputs"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings, told) -> None:
    with pytest.raises(ValidationError, match=told):
        HttpProbe(kind="http", **settings)


def test_a_url_of_its_own_leads_to_another_host() -> None:
    config = HttpProbe(kind="http", url="https://other.test:8443/x")

    assert KIND.endpoint(config, BASE) == Endpoint("other.test", 8443)
    assert KIND.endpoint(HttpProbe(kind="http", path="/x"), BASE) == Endpoint("app.test", 443)


async def test_a_server_that_answers_every_path_passes_by_a_declared_assertion_alone(answers) -> None:
    readings = await answers(absent=200, catch_all=True, assertions=({"path": "$.status", "equals": "ok"},))

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(0))
    assert "only the declared assertions count" in readings.summary


async def test_the_question_for_a_made_up_path_can_be_left_out(answers) -> None:
    readings = await answers(absent=200, made_up_path=False)

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(0))


@pytest.mark.parametrize(("age", "is_read"), [("0", True), ("5", True), ("6", False), ("6, 0", False), ("x", True)])
async def test_an_answer_out_of_a_cache_is_no_reading_of_now(answers, age, is_read) -> None:
    if is_read:
        assert (await answers(headers={"Age": age})).values["up"] == Exact(1)
        return
    with pytest.raises(ProbeFailedError) as caught:
        await answers(headers={"Age": age})

    assert caught.value.reason is Reason.BAD_RESPONSE


async def test_how_old_an_answer_may_be_can_be_declared(answers) -> None:
    assert (await answers(headers={"Age": "3600"}, max_age="1h")).values["up"] == Exact(1)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"status": "ok", "database": "down"}', 'ignore = ["database"]'),
        (b'{"status": "ok", "checks": {"orders": "degraded"}}', 'ignore = ["orders"]'),
        (b'{"status": "ok", "checks": {"orders": "connection refused"}}', 'ignore = ["orders"]'),
        (b'{"status": "ok", "errors": ["x"]}', '"errors" is ["x"]'),
        (b'{"status": "ok", "maintenance": true}', '"maintenance" is true'),
        (b'{"status": "ok", "ready": false}', '"ready" is false; to ignore this: ignore = ["ready"]'),
        (b'{"database": "down", "cache": "ok"}', 'ignore = ["database"]'),
    ],
)
async def test_a_good_word_beside_one_that_is_not_is_no_reading_and_the_line_to_write_is_told(
    answers, body, told
) -> None:
    readings = await answers(body)

    for metric in ("up", "failed_assertions"):
        assert readings.values[metric].reason is Reason.BAD_RESPONSE
        assert told in readings.values[metric].detail


@pytest.mark.parametrize(
    ("body", "ignore"),
    [
        (b'{"status": "ok", "database": "down"}', ["database"]),
        (b'{"status": "ok", "ready": false}', ["ready"]),
        (b'{"status": "ok", "errors": ["x"], "maintenance": true}', ["errors", "maintenance"]),
    ],
)
async def test_what_is_ignored_says_nothing(answers, body, ignore) -> None:
    readings = await answers(body, ignore=ignore)

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(0))


@pytest.mark.parametrize(
    ("body", "is_read"),
    [
        (b'{"n": 1}', True),  # it says nothing of health
        (b'{"n": 1, "status": "banana"}', True),
        (b'{"n": 1, "errors": ["x"], "maintenance": true, "checks": {"db": "degraded"}}', True),  # not explicitly bad
        (b'{"n": 1, "status": "down"}', False),
        (b'{"n": 1, "checks": {"db": {"status": 503}}}', False),
        (b'{"n": 1, "conditions": [{"type": "Ready", "status": "False"}]}', False),
    ],
)
async def test_beside_assertions_that_hold_only_an_explicit_bad_word_counts(answers, body, is_read) -> None:
    readings = await answers(body, assertions=({"path": "$.n", "equals": 1},))

    if is_read:
        assert readings.values["failed_assertions"] == Exact(0)
    else:
        assert "the declared assertions hold, but " in readings.values["failed_assertions"].detail


JSON, HTML, XML = "application/json", "text/html", "application/xml"
TO_COPY = [
    (b'{"health":"true"}', "application/json", '{ path = "$.health", equals = "true" }'),
    (b'{"state": "banana"}', "application/json", '{ path = "$.state", equals = "banana" }'),
    (b'{"app": {"name": "shop", "status": "fine"}}', "application/json", '{ path = "$.app.status", equals = "fine" }'),
    (b'{"uptime": 12, "initialized": true}', "application/json", '{ path = "$.initialized", equals = true }'),
    (b'{"uptime": 12}', "application/json", '{ path = "$.uptime", exists = true }'),
    (b'{"a b": 1}', "application/json", '{ equals = "{\\"a b\\": 1}" }'),
    (b"{}", "application/json", '{ path = "$", length = 0 }'),
    (b"[]", "application/json", '{ path = "$", length = 0 }'),
    (b"[1, 2]", "application/json", '{ path = "$[0]", exists = true }'),
    (b'"fine"', "application/json", '{ path = "$", equals = "fine" }'),
    (b'{"n": NaN}', "application/json", '{ equals = "{\\"n\\": NaN}" }'),
    (b"Ok, and well", "text/plain", '{ equals = "Ok, and well" }'),
    (b"17", "text/plain", '{ equals = "17" }'),
    (b'\\ and "', "text/plain", '{ equals = "\\\\ and \\"" }'),
    (b"[+]ping ok\n[+]etcd ok\nlivez check passed\n", "text/plain", '{ contains = "livez check passed" }'),
    (b"<html><title>My shop</title><p>" + b"x " * 100, "text/html", '{ contains = "My shop" }'),
    (b"<h1>It works</h1>", "text/html", '{ equals = "<h1>It works</h1>" }'),
    (b"word " * 200_000, "text/plain", '{ contains = "' + ("word " * 11).strip() + '" }'),
    (b'{"at": "2026-11-29T10:00:00Z", "version": "2.3.1", "n": 1}', JSON, '{ path = "$.at", exists = true }'),
    (b'{"version": "2.3.1", "uptime": "3 d", "phase": "fine"}', JSON, '{ path = "$.phase", equals = "fine" }'),
    (b'{"sealed": false, "mode": "off", "initialized": true}', JSON, '{ path = "$.sealed", equals = false }'),
    (b"<html><body><h1>200 OK</h1>\nService ready.\n</body></html>", HTML, '{ contains = "Service ready" }'),
    (b"<html><title>Shop &amp; more</title><h1>Hello</h1></html>", HTML, '{ contains = "Shop" }'),
    (b"<html><script>var well = 'is ready'</script><h1>Hello</h1></html>", HTML, '{ contains = "Hello" }'),
    (b"<?xml version='1.0'?><health><status>UP</status></health>", XML, '{ contains = "<status>UP</status>" }'),
    (b"caf\xe9 is fine", "text/plain", "{ length = { at_least = 1 } }"),
    (b"ok\x00\x1b[31m", "text/plain", "{ length = { at_least = 1 } }"),
    (b"Degraded", JSON, '{ equals = "Degraded" }'),  # where no bad word would be read
    (b"x" * 100, "text/plain", "{ length = { at_least = 1 } }"),
    ("\u202e\u0007".encode() * 30, "text/plain", "{ length = { at_least = 1 } }"),
]


@pytest.mark.parametrize(("body", "media_type", "claim"), TO_COPY)
async def test_the_refusal_names_the_claim_that_would_pass(answers, body, media_type, claim) -> None:
    readings = await answers(body, media_type=media_type)

    detail = readings.values["up"].detail
    assert "any_body" not in detail
    assert detail.endswith(f"; to accept it: assertions = [{claim}]")
    told = tomllib.loads(detail.rpartition("to accept it: ")[2])
    assert (await answers(body, media_type=media_type, **told)).values["failed_assertions"] == Exact(0)


@pytest.mark.parametrize(
    ("media_type", "unclear", "good", "bad"),
    [
        (JSON, b'{"status": "yellow"}', b'{"status": "green"}', b'{"status": "red"}'),
        (JSON, b'"degraded"', b'"ok"', b'"down"'),
        ("text/plain", b"Degraded", b"Healthy", b"Unhealthy"),
    ],
)
async def test_the_claim_for_an_unclear_word_takes_a_good_one_and_no_bad_one(
    answers, media_type, unclear, good, bad
) -> None:
    answers = partial(answers, media_type=media_type)
    detail = (await answers(unclear)).values["up"].detail
    told = tomllib.loads(detail.rpartition("to accept it: ")[2])

    for body in (unclear, good):
        assert (await answers(body, **told)).values["failed_assertions"] == Exact(0)
    assert "the declared assertions hold, but" in (await answers(bad, **told)).values["failed_assertions"].detail


@pytest.mark.parametrize(
    ("body", "media_type", "line"),
    [
        (b'{\n  "health":\n  "true"\n}', "application/json", '{ "health": "true" }'),
        (b"[+]ping ok\n[+]etcd ok\nlivez check passed", "text/plain", "[+]ping ok"),
        (b"one line\nand another that is long enough to be no word", "text/plain", "one line"),
        (b"y" * 500, "text/plain", "y" * 80 + "..."),
    ],
)
async def test_the_refusal_shows_the_first_line_of_the_body(answers, body, media_type, line) -> None:
    readings = await answers(body, media_type=media_type)

    assert f"; first line: {line}; to accept it: " in readings.values["up"].detail


@pytest.mark.parametrize(
    ("status", "claims", "failed"),
    [
        (429, [{"status": [200, 429]}], 0),
        (473, [{"status": [200, 473]}, {"path": "$.role", "equals": "standby"}], 0),
        (473, [{"status": [200, 473]}, {"path": "$.role", "equals": "leader"}], 1),
        (503, [{"status": 200}, {"path": "$.role", "equals": "standby"}], 1),
        (200, [{"status": 503}], 1),
        (404, [{"status": 200}], 1),  # it was answered well before
        (403, [{"status": 403}], 0),
    ],
)
async def test_with_a_claimed_status_any_answer_is_judged_by_the_claims(answers, status, claims, failed) -> None:
    readings = await answers(b'{"role": "standby"}', status, assertions=claims)

    assert readings.values["failed_assertions"] == Exact(failed)
    assert readings.values["status"] == Exact(status)
    assert bool(readings.answered) is not failed
    assert bool(re.search("the status is [0-9]+, expected", readings.summary)) is (status not in claims[0]["status"]
        if isinstance(claims[0]["status"], list) else status != claims[0]["status"])  # fmt: skip


@pytest.mark.parametrize("status", [302, 404])
async def test_a_claimed_status_is_no_proof_against_a_question_that_may_be_wrong(answers, status) -> None:
    readings = await answers(b"", status, assertions=[{"status": 200}], answered=False)

    for metric in ("status", "failed_assertions"):
        assert "no recorded run got the expected answer" in readings.values[metric].detail


@pytest.mark.parametrize(
    ("status", "headers", "claimed"),
    [(429, {}, 200), (403, {}, 429), (503, {"cf-mitigated": "challenge"}, 503), (302, {"Location": "/login"}, 200)],
)
async def test_a_refusal_that_is_not_claimed_stays_no_reading(answers, status, headers, claimed) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await answers(b"no", status, headers=headers, assertions=[{"status": claimed}])

    assert caught.value.reason is Reason.ACCESS_DENIED


async def test_claims_about_status_and_headers_leave_any_body_to_be(answers) -> None:
    claims = [{"status": 200}, {"header": "Content-Type", "contains": "html"}]

    readings = await answers(b"<html>", media_type="text/html", any_body=True, assertions=claims)

    assert readings.values["failed_assertions"] == Exact(0)


@pytest.mark.parametrize(
    ("settings", "limits"),
    [
        ({}, ("up == 1", "status == 200", "failed_assertions == 0")),
        ({"assertions": [{"contains": "ok"}]}, ("up == 1", "status == 200", "failed_assertions == 0")),
        ({"assertions": [{"status": 429}]}, ("up == 1", "failed_assertions == 0")),
    ],
)
def test_a_claimed_status_takes_the_place_of_the_default_limit(settings, limits) -> None:
    assert KIND.configure({"kind": "http", "path": "/", **settings}).default_limits == limits


@pytest.mark.parametrize(
    ("settings", "requests"),
    [
        ({}, 3),
        ({"follow": 2}, 9),
        ({"made_up_path": False}, 1),
        ({"method": "OPTIONS"}, 1),
        ({"method": "POST"}, 1),
    ],
)
def test_its_cost_counts_redirects_and_made_up_paths(settings, requests) -> None:
    assert KIND.configure({"kind": "http", "path": "/", **settings}).requests == requests


LINES = [
    {"status": "ok", "ready": False},
    {"status": "ok", "ready": False, "live": False},
    {"status": "ok", "data": {"status": "down", "ready": False}},
    {"status": "ok", "IsHealthy": False},
    {"status": "ok", "overall_status": "down"},
    {"status": "ok", "maintenance": True, "errors": ["x"]},
    {"status": "ok", "components": {"db": {"status": "UP", "details": {"connected": False}}}},
    {"status": "ok", "checks": [{"status": "down"}]},
    {"status": "ok", "checks": {"database": "connection refused"}},
    {"status": "ok", "services": {"app": "down"}},
    {"status": "ok", "conditions": [{"type": "Ready", "status": "False"}]},
    {"data": {"status": "ok", "db": False}},
]


@pytest.mark.parametrize("document", LINES, ids=json.dumps)
@pytest.mark.parametrize("settings", [{}, {"assertions": [{"contains": "ok"}]}], ids=["implied", "declared"])
async def test_the_line_that_is_told_lets_the_answer_pass(answers, document, settings) -> None:
    body = json.dumps(document).encode()
    first = (await answers(body, **settings)).values["failed_assertions"]
    if settings and isinstance(first, Exact):
        return  # beside an assertion only an explicit bad word counts

    told = json.loads(first.detail.rpartition("ignore = ")[2])
    assert (await answers(body, ignore=told, **settings)).values["failed_assertions"] == Exact(0)


@pytest.mark.parametrize(
    ("body", "media_type", "claim"),
    [
        (b"down", "text/plain", "down"),
        (b'{"status":"ok","db":{"status":"down"},"load":NaN}', "application/json", "ok"),
        (b'\xef\xbb\xbf{"status":"ok","db":{"status":"down"}}', "application/json", "ok"),
        (b'{"status":"ok","status":"ok","db":{"status":"down"}}', "application/json", "ok"),
    ],
)
async def test_a_bad_word_counts_beside_a_text_claim_too(answers, body, media_type, claim) -> None:
    seen = (await answers(body, media_type=media_type, assertions=[{"contains": claim}])).values["failed_assertions"]

    assert isinstance(seen, Failure)
    assert "the declared assertions hold, but" in seen.detail


async def test_more_components_than_are_read_are_no_pass_beside_an_assertion(answers) -> None:
    checks = {f"c{number}": {"status": "ok"} for number in range(250)}
    body = json.dumps({"status": "ok", "checks": checks | {"last": {"status": "down"}}}).encode()

    seen = (await answers(body, assertions=[{"path": "$.status", "equals": "ok"}])).values["failed_assertions"]

    assert isinstance(seen, Failure)
    assert "more than 200 components" in seen.detail


async def test_what_says_nothing_of_health_is_noted(answers) -> None:
    assert (await answers(b'{"status":"ok","debug":false}')).notes["neutral"] == "debug = false"


async def test_the_response_time_is_that_of_the_body_too(serve, http_reply) -> None:
    whole = http_reply(b'{"status":"ok"}')
    port, _ = await serve(whole[:-5], 0.1, whole[-5:])
    address = Address(Endpoint("app.test", port), "127.0.0.1")
    context = Context(
        base_url=f"http://app.test:{port}",
        timeout=5,
        http=Http(run="test").probe_client(address=address, timeout=5),
        reveal=str,
        now=lambda: NOW,
        address=address,
    )

    values = (await KIND.measure(HttpProbe(kind="http", path="/health", made_up_path=False), context)).values

    assert values["response_time"].value >= values["first_byte"].value + 50


SECRETS = {"A": "Bearer a-b-c", "B": "a b&c", "BROKEN": "a\r\nX: 1", "LARGE": "x" * 70_000}


@pytest.fixture
def asked():
    """Requests that reach a target which answers well, and the measurement that sends them."""
    requests = []

    async def measure(*, allow=(), reply=None, **settings):
        async def answer(request):
            requests.append((request, await request.aread()))
            path = request.url.path
            return reply(request) if reply else httpx.Response(200 if path == "/x" else 404, content=b"OK")

        http = Http(run="test", send=mocked(httpx.MockTransport(answer)), origin=("https", Endpoint("app.test", 443)))
        context = Context(
            base_url=BASE,
            timeout=1,
            http=http.probe_client(address=ADDRESS, timeout=1),
            reveal=lambda secret: SECRETS[secret.env or ""],
            now=lambda: NOW,
            address=ADDRESS,
            allow=frozenset(allow),
        )
        table = {"kind": "http", "path": "/x", **settings}
        return requests, await KIND.measure(HttpProbe.model_validate(table), context)

    return measure


async def test_headers_are_sent_with_their_secrets_revealed_to_made_up_paths_too(asked) -> None:
    headers = {"accept": "text/plain", "Authorization": {"env": "A"}}

    requests, readings = await asked(headers=headers)

    assert readings.values["failed_assertions"] == Exact(0)
    assert len(requests) == 3
    for request, _ in requests:
        assert request.headers.get_list("Accept") == ["text/plain"]
        assert request.headers["Authorization"] == "Bearer a-b-c"


async def test_headers_do_not_follow_a_redirect_to_another_origin(asked) -> None:
    def reply(request):
        moved = {"/x": "/y", "/y": "https://other.test/z"}.get(request.url.path, "")
        return httpx.Response(302 if moved else 404, headers={"Location": moved})

    requests, readings = await asked(headers={"Authorization": {"env": "A"}}, follow=5, reply=reply)

    assert [str(request.url) for request, _ in requests] == [f"{BASE}/x", f"{BASE}/y"]
    assert readings.values["status"].reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("settings", "content", "media_type"),
    [
        ({"body": "plain é"}, "plain é".encode(), None),
        ({"body": {"env": "B"}, "headers": {"Content-Type": "a/b"}}, b"a b&c", "a/b"),
        ({"json": {"n": [1, 2.5, True], "t": "é"}}, '{"n": [1, 2.5, true], "t": "é"}'.encode(), "application/json"),
        ({"json": [1]}, b"[1]", "application/json"),
        ({"json": '{"n": null}'}, b'{"n": null}', "application/json"),
        ({"json": {}}, b"{}", "application/json"),
        ({"json": {"a": 1}, "headers": {"content-type": "x/y"}}, b'{"a": 1}', "x/y"),
        ({"form": {"a": "1 2", "password": {"env": "B"}}}, b"a=1+2&password=a+b%26c",
         "application/x-www-form-urlencoded"),
        ({"body": ""}, b"", None),
        ({}, b"", None),
    ],
)  # fmt: skip
async def test_a_body_is_sent_once_where_that_is_allowed(asked, settings, content, media_type) -> None:
    requests, readings = await asked(method="POST", allow=["canary-write"], **settings)

    assert readings.values["failed_assertions"] == Exact(0)
    [(request, sent)] = requests
    assert (request.method, sent, request.headers.get("Content-Type")) == ("POST", content, media_type)
    assert request.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_method_that_writes_sends_nothing_unless_it_is_allowed(asked, method) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await asked(method=method, path="/x?key=hidden", headers={"Authorization": {"env": "ABSENT"}}, allow=["load"])

    assert caught.value.reason is Reason.MISSING_SETTING
    assert caught.value.detail == (
        f'{method} /x is not sent because it changes the target: add allow = ["canary-write"] to the environment'
    )


@pytest.mark.parametrize(
    ("settings", "reason", "told"),
    [
        ({"headers": {"X-Token": {"env": "BROKEN"}}}, Reason.MISSING_SECRET,
         "the secret of header X-Token contains a character that is not allowed in headers"),
        ({"method": "POST", "body": {"env": "LARGE"}}, Reason.MISSING_SETTING, "larger than 64 KiB"),
    ],
)  # fmt: skip
async def test_a_secret_that_cannot_be_sent_is_no_reading(asked, settings, reason, told) -> None:
    with pytest.raises(ProbeFailedError, match=told) as caught:
        await asked(allow=["canary-write"], **settings)

    assert caught.value.reason is reason


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
async def test_a_method_whose_answer_differs_is_not_asked_for_made_up_paths(asked, method) -> None:
    requests, _ = await asked(method=method, allow=["canary-write"])

    assert len(requests) == 1


def test_a_method_that_writes_is_measured_once_an_attempt_at_one_address() -> None:
    writing = KIND.configure({"kind": "http", "path": "/x", "method": "POST"})
    reading = KIND.configure({"kind": "http", "path": "/x", "method": "OPTIONS"})

    assert (writing.repeat, writing.writes, writing.each_address) == (1, True, False)
    assert set(writing.allowed_by.items()) == {(name, "canary-write") for name in KIND.metric_names}
    assert (reading.repeat, reading.writes, reading.each_address, reading.allowed_by) == (8, False, True, {})


async def test_two_requests_for_one_url_are_two_questions(asked) -> None:
    tables = [
        {},
        {"method": "OPTIONS"},
        {"headers": {"Accept": "a/b"}},
        {"method": "POST"},
        {"method": "POST", "body": "1"},
        {"method": "POST", "body": "2"},
        {"method": "POST", "body": {"env": "B"}},
        {"method": "POST", "json": {"a": 1}},
    ]

    questions = {next(iter((await asked(allow=["canary-write"], **table))[1].answered)) for table in tables}

    assert len(questions) == len(tables)
    same = [(await asked(headers={"Accept": value}))[1].answered for value in ("a/b", "c/d")]
    assert same[0] == same[1]  # of headers the names tell, not the values
