"""What is declared, where it trips, and what a burst cannot tell."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from builders import mocked

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.rate_limit import KIND, RateLimit
from probekit.transport.client import Http
from probekit.transport.urls import Address, Endpoint, origin_of

ADDRESS = Address(Endpoint("app.test", 443), "192.0.2.1")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def read():
    """The readings, and the requests that were sent."""

    async def one(answer, *, allow=("load",), **settings):
        sent = []

        def reply(request):
            sent.append(request)
            status, headers = answer(len(sent))
            return httpx.Response(status, headers=headers)

        http = Http(
            run="test",
            rate=(10_000, 1.0),
            send=mocked(httpx.MockTransport(reply)),
            identity={"X-Key": lambda: "exempt"},
            origin=origin_of("https://app.test"),
        )
        context = Context(
            base_url="https://app.test",
            timeout=1,
            http=http.probe_client(address=ADDRESS, timeout=1),
            reveal=str,
            now=lambda: NOW,
            address=ADDRESS,
            allow=frozenset(allow),
        )
        config = RateLimit(kind="rate_limit", path="/api", **({"limit": 30, "per": "10s"} | settings))
        return await KIND.measure(config, context), sent

    return one


def limiter(after, **headers):
    """429 for every request after so many."""
    return lambda number: (200, {}) if number <= after else (429, headers)


async def test_a_limit_that_trips_with_retry_after_is_proved_by_as_few_requests_as_it_takes(read) -> None:
    readings, sent = await read(limiter(30, **{"Retry-After": "7"}))

    assert readings.values == {"declared": Exact(1), "tripped": Exact(1)}
    assert len(sent) == 31
    assert readings.summary == "request 31 was refused with 429, Retry-After 7"


async def test_the_burst_goes_without_our_identity_which_may_be_exempt(read) -> None:
    _, anonymous = await read(limiter(30))
    _, configured = await read(limiter(30), identity="configured")

    assert all("x-key" not in request.headers for request in anonymous)
    assert all(request.headers["x-key"] == "exempt" for request in configured)


@pytest.mark.parametrize(
    ("retry_after", "tripped"),
    [("7", 1), ("Mon, 23 Nov 2026 10:00:30 GMT", 1), ("soon", 0), ("9" * 50, 0), ("", 0), (None, 0)],
)
async def test_a_refusal_must_say_when_to_come_back_in_either_form(read, retry_after, tripped) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}

    readings, _ = await read(limiter(30, **headers))

    assert readings.values["tripped"] == Exact(tripped)


async def test_no_refusal_within_one_window_is_a_failure_of_the_limit(read) -> None:
    sliding, sent = await read(lambda _number: (200, {}), sliding=True)
    fixed, _ = await read(lambda _number: (200, {"RateLimit-Reset": "9"}))

    assert sliding.values["tripped"] == fixed.values["tripped"] == Exact(0)
    assert len(sent) == 33  # the limit and ten percent


@pytest.mark.parametrize("settings", [{}, {"per": None, "sliding": True}])
async def test_no_refusal_proves_nothing_where_the_burst_may_have_met_two_windows(read, settings) -> None:
    readings, _ = await read(lambda _number: (200, {}), **settings)

    assert readings.values["tripped"].reason is Reason.BAD_RESPONSE


async def test_a_refusal_of_the_first_request_proves_nothing(read) -> None:
    readings, _ = await read(limiter(0, **{"Retry-After": "7"}))

    assert readings.values["tripped"].reason is Reason.BAD_RESPONSE


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        ({"allow": ()}, Reason.MISSING_SETTING),
        ({"limit": None}, Reason.MISSING_SETTING),
        ({"limit": 100}, Reason.BUDGET_SPENT),
    ],
)
async def test_without_load_or_beyond_its_bound_one_request_reads_what_is_declared(read, wishes, reason) -> None:
    readings, sent = await read(lambda _number: (200, {"RateLimit-Limit": "30"}), **wishes)

    assert len(sent) == 1
    assert readings.values["declared"] == Exact(1)
    assert readings.values["tripped"].reason is reason


async def test_what_says_nothing_of_a_limit_declares_none(read) -> None:
    readings, _ = await read(lambda _number: (200, {}), allow=())

    assert readings.values["declared"] == Exact(0)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, Reason.TURNED_AWAY), (401, Reason.TURNED_AWAY), (421, Reason.TURNED_AWAY), (503, Reason.BAD_RESPONSE)],
)
async def test_any_other_refusal_is_no_limit(read, status, reason) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read(lambda number: (status if number == 5 else 200, {}))

    assert caught.value.reason is reason


def test_it_runs_last_and_alone() -> None:
    assert KIND.turn == "final"
