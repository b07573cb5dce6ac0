"""Does one URL answer well? Good words, declared claims, and who is to blame when there is no answer."""

from __future__ import annotations

import json
import re

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


@pytest.mark.parametrize("word", ["DOWN", "fail", "unhealthy", "OUT_OF_SERVICE", "error"])
async def test_a_200_that_says_down_is_down(answers, word) -> None:
    readings = await answers(f'{{"status": "{word}"}}'.encode())

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(1))
    assert word in readings.summary


@pytest.mark.parametrize(
    ("body", "media_type", "told"),
    [
        (b"", "application/json", 'body = "any" accepts it'),
        (b"<!doctype html><p>ok</p>", "text/html", "a page"),
        (b"  <html>ok</html>", "application/json", "a page"),
        (b'{"state": {"a": 1}}', "application/json", 'keys are "state"'),
        (b'{"status": "banana"}', "application/json", "no word we know"),
        (b'{"status": null}', "application/json", "no word we know"),
        (b'{"status": ["ok"]}', "application/json", "no status in it"),
        (b'{"status": "ok", "status": "down"}', "application/json", "one key twice"),
        (b'{"status": NaN}', "application/json", "NaN is no JSON number"),
        (b'{"status": 1e999}', "application/json", "no JSON number"),
        (b"[" * 100_000, "application/json", "nested too deeply"),
        (b'{"n": ' + b"9" * 5000 + b"}", "application/json", "5000 digits"),
        (b"\xff\xfe", "application/json", 'body = "any" accepts it'),  # a byte order mark and nothing after it
        ('\ufeff{"status": "ok"}'.encode("utf-16-le"), "application/json", "not UTF-8"),
        (b'{"status": "\xff"}', "application/json", "not UTF-8"),
        (b'{"status":"ok"} {"status":"ok"}', "application/json", "no JSON"),
        (b"everything is fine here, thank you for asking!", "text/plain", "no JSON"),
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
    assert readings.summary.endswith(": the text is not as declared")


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
async def test_being_turned_away_is_no_failure_of_the_target(answers, status, headers) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await answers(b"no", status, headers=headers)

    assert caught.value.reason is Reason.TURNED_AWAY


async def test_a_server_that_answers_anything_proves_nothing(answers) -> None:
    readings = await answers(absent=200)

    assert readings.values["up"].reason is Reason.BAD_RESPONSE
    assert "answers anything" in readings.values["up"].detail


async def test_an_unfollowed_redirect_is_named(answers) -> None:
    readings = await answers(b"", 302, headers={"Location": "/moved?session=hidden"})

    assert readings.values["status"] == Exact(302)
    assert readings.summary == "302 from 192.0.2.1:443, which points to /moved and was not followed"


@pytest.mark.parametrize(
    ("status", "method", "hint"),
    [
        (301, "GET", "which points to /health/: no run on record saw this answered well.*; follow = 1 follows it"),
        (404, "GET", "no run on record saw this answered well, so the question may be wrong; look at path"),
        (400, "HEAD", "so the question may be wrong"),
    ],
)
async def test_a_question_that_was_never_answered_well_may_be_wrong_itself(answers, status, method, hint) -> None:
    more = {"method": method, "body": "any"} if method == "HEAD" else {}
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


async def test_any_body_is_accepted_where_that_is_declared(answers) -> None:
    readings = await answers(b"<html>", media_type="text/html", body="any")

    assert (readings.values["up"], readings.values["failed_assertions"]) == (Exact(1), Exact(0))


async def test_silence_is_up_0_and_gives_no_other_number() -> None:
    def silent(_request):
        raise ProbeFailedError(Reason.UNREACHABLE, "192.0.2.1:443 refused the connection")

    readings = await _measured_over(silent)

    assert readings.values == {"up": Exact(0)}
    assert readings.summary == "192.0.2.1:443 refused the connection"


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
        ({"url": "https://b.test:99999/"}, "its port is no number"),
        ({"url": "https://[::1/"}, "an IPv6 address stands in"),
        ({"path": "/", "assertions": [{"path": "$.a"}]}, "says nothing"),
        ({"path": "/", "body": "any", "assertions": [{"path": "$.a", "equals": 1}]}, "do not go with"),
        ({"path": "/", "catch_all": True}, "add the assertions"),
        ({"path": "/", "method": "DELETE"}, "GET"),
        ({"path": "/", "method": "HEAD"}, "its status is enough"),
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
        (b'{"status": "ok", "errors": ["x"]}', '"errors" says ["x"]'),
        (b'{"status": "ok", "maintenance": true}', '"maintenance" says true'),
        (b'{"status": "ok", "ready": false}', '"ready" says false; what does not count: ignore = ["ready"]'),
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


@pytest.mark.parametrize(
    ("body", "media_type", "told"),
    [
        (b"<h1>It works</h1>", "text/html", 'assertions = [{ contains = "..." }]'),
        (b"all systems go", "text/plain", 'assertions = [{ contains = "..." }]'),
        (b'{"state": "banana"}', "application/json", 'assertions = [{ path = "$.status", equals = "..." }]'),
    ],
)
async def test_the_refusal_names_the_claim_that_would_pass(answers, body, media_type, told) -> None:
    readings = await answers(body, media_type=media_type)

    assert told in readings.values["up"].detail
    assert 'body = "any"' not in readings.values["up"].detail


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
