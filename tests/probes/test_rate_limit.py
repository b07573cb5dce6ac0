"""What is declared, where it trips, who gets round it, and what a burst cannot tell.

The limiters are stand-ins behind a mock transport; their clock is the measurement's, moved by requests and by sleeping.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from builders import mocked
from pydantic import ValidationError

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.rate_limit import KIND, RateLimit
from probekit.transport.client import Http
from probekit.transport.urls import Address, Endpoint, origin_of

ADDRESS = Address(Endpoint("app.test", 443), "192.0.2.1")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TOOK = 0.05  # seconds of a request


class Target:
    """What was sent to the server of a test, and the clock."""

    def __init__(self, answer):
        self.answer = answer
        self.took = TOOK
        self.seconds = 0.0
        self.sent = []
        self.slept = []

    def reply(self, request):
        self.seconds += self.took
        self.sent.append(request)
        status, headers = self.answer(request, self.seconds)
        return httpx.Response(status, headers=headers)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds

    def now(self):
        return NOW + timedelta(seconds=self.seconds)


@pytest.fixture
def read():
    """The readings, and the target that was asked."""

    async def one(answer, *, allow=("load",), took=TOOK, **settings):
        target = Target(answer)
        target.took = took
        http = Http(
            run="test",
            rate=(10_000, 1.0),
            send=mocked(httpx.MockTransport(target.reply)),
            identity={"X-Key": lambda: "exempt"},
            origin=origin_of("https://app.test"),
        )
        context = Context(
            base_url="https://app.test",
            timeout=1,
            http=http.probe_client(address=ADDRESS, timeout=1),
            reveal=str,
            now=target.now,
            sleep=target.sleep,
            allow=frozenset(allow),
        )
        config = RateLimit(kind="rate_limit", path="/api", **({"limit": 30, "per": "10s"} | settings))
        return await KIND.measure(config, context), target

    return one


def client_of(request):
    return request.headers.get("x-forwarded-for", "its own")


def window(limit, *, per=10.0, used=0, status=429, by=client_of, good=200, **headers):
    """A sliding window for each client, of which others have used something just before."""
    passed = defaultdict(lambda: [0.0] * used)

    def answer(request, now):
        mine = [one for one in passed[by(request)] if one > now - per]
        if len(mine) >= limit:
            return status, headers
        passed[by(request)] = [*mine, now]
        return good, {}

    return answer


def bucket(size, refill, **headers):
    """A token bucket, or a leaky one: what it holds passes at once, and so much a second in the long run."""
    state = {"tokens": float(size), "at": 0.0}

    def answer(_request, now):
        state.update(tokens=min(size, state["tokens"] + (now - state["at"]) * refill), at=now)
        if state["tokens"] < 1:
            return 429, headers
        state["tokens"] -= 1
        return 200, {}

    return answer


def after(passed, status=429, **headers):
    """It refuses every request after so many, for ever."""
    counts = Counter()

    def answer(_request, _now):
        counts["sent"] += 1
        return (200, {}) if counts["sent"] <= passed else (status, headers)

    return answer


def always(status=200, **headers):
    return lambda _request, _now: (status, headers)


async def test_a_limit_that_trips_is_shown_by_as_few_requests_as_it_takes(read) -> None:
    readings, target = await read(after(30, **{"Retry-After": "7"}))

    assert readings.values == {
        "declared": Exact(1),
        "tripped": Exact(1),
        "retry_after": Exact(1),
        "spoofable": Exact(0),
    }
    assert (len(target.sent), target.slept) == (32, [])
    assert readings.summary == "request 31 was refused with 429, Retry-After 7"


async def test_the_burst_goes_without_the_configured_identity_which_may_be_exempt(read) -> None:
    _, anonymous = await read(after(30))
    _, configured = await read(after(30), identity="configured")

    assert all("x-key" not in request.headers for request in anonymous.sent)
    assert all(request.headers["x-key"] == "exempt" for request in configured.sent)


@pytest.mark.parametrize("passed", [27, 29, 30, 32])
async def test_the_limit_is_met_within_ten_percent(read, passed) -> None:
    readings, _ = await read(after(passed))

    assert readings.values["tripped"] == Exact(1)


@pytest.mark.parametrize(
    ("retry_after", "says_when"),
    [("7", 1), ("Mon, 23 Nov 2026 10:00:30 GMT", 1), ("soon", 0), ("9" * 50, 0), ("", 0), (None, 0)],
)
async def test_whether_a_refusal_says_when_to_come_back_is_a_reading_of_its_own(read, retry_after, says_when) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}

    readings, _ = await read(after(30, **headers))

    assert readings.values["retry_after"] == readings.values["declared"] == Exact(says_when)
    assert readings.values["tripped"] == Exact(1)


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit-Limit": "2"},
        {"X-RateLimit-Limit": "2"},
        {"RateLimit-Limit": "2, 2;w=10"},
        {"RateLimit": "limit=2, remaining=0, reset=7"},
        {"RateLimit-Policy": '"default";q=2;w=3600;qu="requests"'},
        {"RateLimit-Policy": "burst;q=100;w=1, daily;q=2;w=86400"},
    ],
)
async def test_an_early_refusal_whose_headers_state_a_smaller_limit_fails_at_once(read, headers) -> None:
    readings, target = await read(after(2, **headers))

    assert readings.values["tripped"] == Exact(0)
    assert target.slept == []
    assert "request 3 was refused with 429, no Retry-After, but limit = 30 is declared and its headers state 2 req" in (
        readings.summary
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"RateLimit-Limit": "30"},
        {"RateLimit-Limit": "30, 2;w=1, 30;w=10"},  # two in a second is another limit beside it
        {"RateLimit-Limit": "2, 2;w=1, 30;w=10"},
        {"RateLimit-Policy": '"default";q=2;w=10;qu="content-bytes"'},
        {"RateLimit": '"default";r=0;t=7'},  # what is left is no limit
        {"RateLimit-Limit": "two, ;;=,9" + "9" * 5000},
        {"Retry-After": "2"},
    ],
)
async def test_any_other_early_refusal_fails_when_it_happens_again_after_a_quiet_period(read, headers) -> None:
    readings, target = await read(window(2, **headers))

    assert readings.values["tripped"] == Exact(0)
    assert target.slept == [11.0, 0.5]  # the period and a second; then as long as one of thirty takes
    assert readings.summary.count("request 3 was refused with 429") == 2


async def test_a_header_that_states_what_a_bucket_gets_does_not_state_a_smaller_limit(read) -> None:
    server = bucket(20, 5.0, **{"RateLimit-Limit": "5, 5;w=1"})
    for _ in range(11):  # others' requests
        server(None, 0.0)

    readings, target = await read(server, limit=5, per="1s", burst=20)

    assert readings.values["tripped"] == Exact(1)
    assert target.slept == [5.0]  # as long as it takes to fill the bucket, and a second


async def test_a_limit_that_others_had_used_up_is_met_after_a_quiet_period(read) -> None:
    partly, _ = await read(window(30, used=20, by=lambda _request: "all"))
    wholly, target = await read(window(30, used=30, by=lambda _request: "all", **{"Retry-After": "20"}))

    assert partly.values["tripped"] == wholly.values["tripped"] == Exact(1)
    assert target.slept == [21.0]
    assert "request 1 was refused with 429, Retry-After 20, but limit = 30 is declared; after 21 s" in wholly.summary


@pytest.mark.parametrize(
    ("server", "settings", "reason", "words"),
    [
        (bucket(1, 3.0), {}, Reason.BAD_RESPONSE, "set 'burst'"),  # a smooth limit refuses the second request
        (after(2), {"per": None}, Reason.BAD_RESPONSE, "set 'per'"),
        (after(2), {"per": "5min"}, Reason.BUDGET_SPENT, "300 s without requests, more than the maximum of 60 s"),
        (
            after(2, **{"Retry-After": "3600"}),
            {},
            Reason.BUDGET_SPENT,
            "3600 s without requests, more than the maximum of 60 s",
        ),
        (after(0), {}, Reason.BAD_RESPONSE, "this client is banned, or other clients use the limit up"),
    ],
)
async def test_an_early_refusal_that_may_have_another_cause_is_not_verified(
    read, server, settings, reason, words
) -> None:
    readings, target = await read(server, **settings)

    assert readings.values["tripped"].reason is reason
    assert words in readings.values["tripped"].detail
    assert "but limit = 30 is declared" in readings.summary
    assert sum(target.slept) <= 12


@pytest.mark.parametrize(
    ("server", "settings", "tripped"),
    [
        (bucket(6, 0.5), {"limit": 30, "per": "60s", "burst": 5}, 1),  # as nginx counts: 1 + burst
        (bucket(30, 3.0), {"burst": 30}, 1),  # it trips after 35, of which it got 5 meanwhile
        (bucket(1, 0.5), {"limit": 30, "per": "60s", "burst": 5}, 0),
        (bucket(50, 0.5), {"limit": 30, "per": "60s", "burst": 5}, 0),
        (always(), {"limit": 30, "per": "60s", "burst": 5}, 0),
    ],
)
async def test_a_smooth_limit_trips_at_its_burst(read, server, settings, tripped) -> None:
    readings, target = await read(server, **settings)

    load = KIND.load(RateLimit(kind="rate_limit", path="/api", **({"limit": 30, "per": "10s"} | settings)))
    assert readings.values["tripped"] == Exact(tripped)
    assert len(target.sent) <= load.requests


async def test_no_refusal_within_one_window_is_a_failure_of_the_limit(read) -> None:
    sliding, target = await read(always(), sliding=True)
    fixed, _ = await read(always(**{"RateLimit-Reset": "9"}))

    assert sliding.values["tripped"] == fixed.values["tripped"] == Exact(0)
    assert sliding.values["declared"] == Exact(0)
    assert len(target.sent) == 33  # the limit and ten percent


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "two windows"),
        ({"per": None, "sliding": True}, "two windows"),
        ({"sliding": True, "took": 0.5}, "too slow to exceed the limit"),
        ({"burst": 5, "took": 1.0}, "too slow to exceed the limit"),
    ],
)
async def test_no_refusal_tells_nothing_where_the_limit_may_not_have_been_exceeded(read, settings, words) -> None:
    readings, target = await read(always(), **settings)

    assert readings.values["tripped"].reason is Reason.BAD_RESPONSE
    assert words in readings.values["tripped"].detail
    assert {readings.values[name].reason for name in ("declared", "retry_after", "spoofable")} == {Reason.BAD_RESPONSE}
    assert len(target.sent) <= 33


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"allow": ()}, Reason.MISSING_SETTING),
        ({"limit": None}, Reason.MISSING_SETTING),
        ({"limit": 1000}, Reason.BUDGET_SPENT),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"RateLimit-Limit": "30"}])
async def test_without_a_burst_one_request_reads_what_is_declared_and_its_absence_is_not_verified(
    read, settings, reason, headers
) -> None:
    readings, target = await read(always(**headers), **settings)

    assert len(target.sent) == 1
    assert {readings.values[name].reason for name in ("tripped", "retry_after", "spoofable")} == {reason}
    assert (readings.values["declared"] == Exact(1)) if headers else (readings.values["declared"].reason is reason)


@pytest.mark.parametrize("retry_after", ["7", None])
async def test_without_a_burst_a_refusal_that_was_met_by_chance_tells_when_to_come_back(read, retry_after) -> None:
    headers = {"Retry-After": retry_after} if retry_after else {}

    readings, target = await read(always(429, **headers), allow=())

    assert len(target.sent) == 1
    assert readings.values["retry_after"] == Exact(1 if retry_after else 0)
    if retry_after:
        assert readings.values["declared"] == Exact(1)
    else:
        assert readings.values["declared"].reason is Reason.MISSING_SETTING
    assert {readings.values[name].reason for name in ("tripped", "spoofable")} == {Reason.MISSING_SETTING}


async def test_a_limit_of_hundreds_is_tried_where_load_is_allowed(read) -> None:
    readings, target = await read(window(500, per=60), limit=500, per="60s")

    assert readings.values["tripped"] == Exact(1)
    assert len(target.sent) == 507  # and six for 'spoofable'


@pytest.mark.parametrize("limit", [1, 2, 30, 900])
async def test_the_requests_and_the_time_of_the_worst_case_are_bounded(read, limit) -> None:
    load = KIND.load(RateLimit(kind="rate_limit", path="/api", limit=limit, per="60s"))

    _, target = await read(window(limit // 2, per=60, status=429), limit=limit, per="60s")

    assert len(target.sent) <= load.requests <= 2 * 1000 + 7
    assert target.seconds <= load.seconds <= 2 * 60 + 61 + 90


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ({}, None),  # no burst is sent
        ({"limit": 1000, "per": "60s"}, None),
        ({"limit": 5}, 60.0),
        ({"limit": 5, "per": "1h"}, 60.0),  # a second one would take a quiet hour
        ({"limit": 5, "per": "10s"}, 2 * 10 + 61 + 3.0),
        ({"limit": 1, "per": "1s", "burst": 61}, 60.0),  # nor is a bucket waited for that takes 61 s to fill
    ],
)
def test_only_bursts_that_may_be_sent_are_planned_for(settings, seconds) -> None:
    load = KIND.load(RateLimit(kind="rate_limit", path="/api", **settings))

    assert (load and load.seconds) == seconds


@pytest.mark.parametrize("status", [503, 403])
async def test_another_status_at_the_limit_is_not_verified_unless_it_is_declared(read, status) -> None:
    undeclared, _ = await read(after(30, status, **{"RateLimit-Limit": "30"}))
    bare, _ = await read(after(30, status))
    declared, _ = await read(after(30, status), status=status)
    wrongly, _ = await read(after(30, 429), status=status)

    for readings, seen in ((undeclared, status), (wrongly, 429)):
        assert f"request 31 was refused with {seen} by 192.0.2.1:443" in readings.values["tripped"].detail
        assert f"set status = {seen}" in readings.values["tripped"].detail
        assert readings.values["tripped"].reason in (Reason.BAD_RESPONSE, Reason.ACCESS_DENIED)
    assert undeclared.values["declared"] == Exact(1)
    assert f"set status = {status}" in bare.values["declared"].detail
    assert declared.values["tripped"] == Exact(1)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, Reason.ACCESS_DENIED), (401, Reason.ACCESS_DENIED), (421, Reason.ACCESS_DENIED), (503, Reason.BAD_RESPONSE)],
)
async def test_a_first_answer_that_is_not_as_due_tells_nothing(read, status, reason) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read(always(status))

    assert caught.value.reason is reason


async def test_a_status_that_cannot_be_declared_as_a_refusal_is_not_proposed_as_one(read) -> None:
    with pytest.raises(
        ProbeFailedError,
        match=r"request 1 was answered with 301 by .*, expected 2xx or, at the limit, 429: if it is a good answer, add",
    ):
        await read(always(301, Location="/elsewhere"))


@pytest.mark.parametrize("expect", [401, [200, 401]])
async def test_a_good_answer_may_have_any_declared_status(read, expect) -> None:
    readings, _ = await read(window(30, good=401, by=lambda _request: "all"), expect=expect)

    assert readings.values["tripped"] == Exact(1)


def mixed_up(request, _now, *, counts):
    """A limit of 30 that answers a request which names another client with 403."""
    counts["sent"] += 1
    return (403, {}) if "x-forwarded-for" in request.headers else ((200, {}) if counts["sent"] <= 30 else (429, {}))


def alternating(_request, _now, *, counts):
    """A limit that lets every other request pass after the first refusal, such as one that refills as fast."""
    counts["sent"] += 1
    return (200, {}) if counts["sent"] <= 30 or counts["sent"] % 2 == 0 else (429, {})


@pytest.mark.parametrize(
    ("server", "settings", "spoofable"),
    [
        (window(30), {"sliding": True}, 1),
        (window(30), {"limit": 30, "per": "60s"}, 1),
        (window(30, by=lambda _request: "all"), {}, 0),
        (bucket(30, 3.0), {"burst": 30}, 0),
        (lambda request, now, counts=Counter(): mixed_up(request, now, counts=counts), {}, None),
        (lambda request, now, counts=Counter(): alternating(request, now, counts=counts), {}, None),
    ],
)
async def test_a_client_that_names_another_must_not_get_round_the_limit(read, server, settings, spoofable) -> None:
    took = 0.2 if spoofable is None else TOOK

    readings, target = await read(server, **settings, took=took)

    named = {request.headers["x-forwarded-for"] for request in target.sent if "x-forwarded-for" in request.headers}
    assert named <= {"203.0.113.1", "203.0.113.2"}
    if spoofable is None:
        assert readings.values["spoofable"].reason is Reason.BAD_RESPONSE
    else:
        assert readings.values["spoofable"] == Exact(spoofable)
        assert readings.values["tripped"] == Exact(not spoofable)
    assert ("X-Forwarded-For" in readings.summary) is (spoofable == 1)


@pytest.mark.parametrize("per", [None, "60s"])
@pytest.mark.parametrize("share", [0.2, 0.3, 1 / 3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 2 / 3, 0.7])
async def test_a_smooth_limit_that_is_not_declared_is_not_taken_for_one_that_believes_the_client(
    read, share, per
) -> None:
    """It lets every second request pass, or every third one; `share` is what it refills during one request."""
    readings, target = await read(bucket(5, share / TOOK), per=per)

    assert any("x-forwarded-for" in request.headers for request in target.sent)
    assert readings.values["spoofable"] != Exact(1)


@pytest.mark.parametrize(
    "settings", [{"burst": 5}, {"burst": 5, "limit": 30}, {"status": 429, "expect": [200, 429]}, {"status": 200}]
)
def test_settings_that_contradict_one_another_are_refused(settings) -> None:
    with pytest.raises(ValidationError):
        RateLimit(kind="rate_limit", path="/api", **settings)


def test_it_runs_last_and_alone_with_one_burst_for_all_addresses_of_a_name() -> None:
    assert KIND.turn == "final"
    assert KIND.endpoint is None
