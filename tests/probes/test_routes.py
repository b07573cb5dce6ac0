"""Does each of a set of routes answer as declared? What counts, what is no reading, what is only shown."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

import httpx
import pytest
from builders import NOW, mocked
from hypothesis import given, strategies as st
from pydantic import ValidationError

from probekit.model.history import History
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.routes import KIND
from probekit.probes.routes.settings import MOST, Routes
from probekit.transport.body import DOCUMENT
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver
from probekit.transport.urls import Address, Endpoint

BASE = "https://app.test"
ADDRESS = Address(Endpoint("app.test", 443), "192.0.2.1")


class AllAnswered(frozenset):
    """As if every question had been answered well before."""

    def __contains__(self, question):
        return True


def context_for(answer, rate=(1000, 1.0), answered=AllAnswered()) -> Context:  # noqa: B008  # it never changes
    resolver = Resolver(look_up=lambda _endpoint: ["192.0.2.9"])
    http = Http(run="test", resolver=resolver, rate=rate, send=mocked(httpx.MockTransport(answer)))
    measurement = http.probe_client(address=ADDRESS, timeout=1)
    known = History(answered=answered)
    return Context(
        base_url=BASE, timeout=1, http=measurement, reveal=str, now=lambda: NOW, address=ADDRESS, history=known
    )


def settings(*routes, **others) -> Routes:
    return Routes(kind="routes", routes=routes, **others)


@pytest.fixture
def answers():
    """What the kind reads when its routes answer like this: a status, an exception, or a whole response by path."""

    async def read(replies, *routes):
        def answer(request):
            reply = replies.get(request.url.path, 404)
            if isinstance(reply, Exception):
                raise reply
            return reply if isinstance(reply, httpx.Response) else httpx.Response(reply, content=b"{}")

        return await KIND.measure(settings(*routes), context_for(answer))

    return read


async def test_routes_that_answer_as_declared_are_none_that_is_unexpected(answers) -> None:
    readings = await answers(
        {"/list": 200, "/new": 201, "/admin": 401},
        {"path": "/list"},
        {"path": "/new"},
        {"path": "/admin", "expect": [401, 403]},
    )

    assert readings.values == {"unexpected": Exact(0)}
    assert readings.summary == "0 of 3 routes not as declared"


@pytest.mark.parametrize(
    ("status", "route", "unexpected"),
    [
        (200, {}, 0),
        (204, {}, 0),
        (299, {}, 0),
        (302, {}, 1),
        (302, {"expect": 302}, 0),
        (404, {}, 1),
        (404, {"expect": [200, 404]}, 0),
        (500, {}, 1),
        (503, {"expect": 503}, 0),
        (201, {"expect": 200}, 1),
        (200, {"expect": 401}, 1),  # what must be closed is open
        (401, {"expect": 401}, 0),
        (429, {"expect": [200, 429]}, 0),
        (500, {"need": "optional"}, 0),
    ],
)
async def test_a_status_counts_unless_it_is_declared(answers, status, route, unexpected) -> None:
    readings = await answers({"/one": status, "/good": 200}, {"path": "/good"}, {"path": "/one"} | route)

    assert readings.values["unexpected"] == Exact(unexpected)


async def test_the_evidence_names_route_status_and_what_was_due(answers) -> None:
    moved = httpx.Response(302, headers={"Location": "/moved?session=hidden"})
    readings = await answers(
        {"/list": 503, "/old": moved},
        {"path": "/list?page=1", "name": "the list"},
        {"path": "/old?key=hidden", "expect": [200, 404]},
        {"url": "https://mail.test/ping", "need": "optional"},
    )

    assert readings.values["unexpected"] == Exact(2)
    assert readings.summary == (
        "2 of 2 routes not as declared; the list: 503 from 192.0.2.1:443 instead of 2xx; "
        "GET /old: 302 from 192.0.2.1:443, which points to /moved, instead of 200 or 404; "
        "GET https://mail.test/ping (optional): 404 from 192.0.2.9:443 instead of 2xx"
    )


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.TIMEOUT])
async def test_silence_counts_as_unexpected(answers, reason) -> None:
    silent = ProbeFailedError(reason, "no response from 192.0.2.1:443 within 1 s")
    readings = await answers({"/one": silent, "/two": 200}, {"path": "/one"}, {"path": "/two"})

    assert readings.values["unexpected"] == Exact(1)
    assert "GET /one: no response from 192.0.2.1:443 within 1 s" in readings.summary


async def test_a_refused_and_a_closed_connection_count_on_real_sockets(serve, http_reply) -> None:
    async def guarded(reader, writer):
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        writer.write(http_reply(status="401 Unauthorized" if path == b"/" else "404 Not Found"))
        await writer.drain()

    open_port, open_peer = await serve(act=guarded)
    mute_port, _peer = await serve()
    config = settings(
        {"url": f"http://127.0.0.1:{open_port}/", "expect": 401},
        {"url": f"http://127.0.0.1:{mute_port}/"},
        {"url": "http://127.0.0.1:1/"},
    )
    measurement = Http(run="test").probe_client(timeout=5)

    readings = await KIND.measure(
        config, Context(base_url=BASE, timeout=5, http=measurement, reveal=str, now=lambda: NOW)
    )

    assert readings.values["unexpected"] == Exact(2)
    assert "connection refused by 127.0.0.1:1" in readings.summary
    assert f"127.0.0.1:{mute_port} closed the connection without a response" in readings.summary
    assert open_peer.connections == 3  # the route, and two paths that cannot exist


@pytest.mark.parametrize(
    "reason",
    [
        Reason.UNTRUSTED,
        Reason.ACCESS_DENIED,
        Reason.NO_NETWORK,
        Reason.UNRESOLVED,
        Reason.MISSING_SECRET,
        Reason.BAD_RESPONSE,
        Reason.BUG,
    ],
)
async def test_any_other_trouble_is_no_reading_at_all(answers, reason) -> None:
    with pytest.raises(ProbeFailedError, match="GET /one: told; 1 more not as declared") as caught:
        await answers({"/one": ProbeFailedError(reason, "told"), "/two": 500}, {"path": "/two"}, {"path": "/one"})

    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("status", "headers", "route"),
    [
        (401, {}, {}),
        (403, {}, {"expect": 401}),
        (407, {}, {}),
        (429, {"Retry-After": "9"}, {"expect": 200}),
        (503, {"cf-mitigated": "challenge"}, {}),
        (403, {"cf-mitigated": "challenge"}, {"expect": 403}),  # the guard's refusal is not the declared one
        (202, {"x-amzn-waf-action": "challenge"}, {}),
    ],
)
async def test_being_access_denied_is_no_failure_of_the_target(answers, status, headers, route) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await answers({"/one": httpx.Response(status, headers=headers)}, {"path": "/one"} | route)

    assert caught.value.reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize("reply", [401, ProbeFailedError(Reason.UNTRUSTED, "told"), 500])
async def test_an_optional_route_is_only_shown(answers, reply) -> None:
    readings = await answers(
        {"/one": reply, "/two": 200}, {"path": "/one", "need": "optional", "name": "mail"}, {"path": "/two"}
    )

    assert readings.values["unexpected"] == Exact(0)
    assert "mail (optional): " in readings.summary


@pytest.mark.parametrize(
    ("expect", "is_read"), [(None, False), (200, False), ([200, 404], False), (401, True), (404, True)]
)
async def test_a_server_that_answers_anything_proves_nothing_where_a_2xx_is_due(expect, is_read) -> None:
    context = context_for(lambda _request: httpx.Response(200, content=b"welcome"))
    config = settings({"path": "/one"} | ({"expect": expect} if expect else {}))

    if is_read:
        assert (await KIND.measure(config, context)).values["unexpected"] == Exact(1)
        return
    with pytest.raises(ProbeFailedError, match="answers anything") as caught:
        await KIND.measure(config, context)
    assert caught.value.reason is Reason.BAD_RESPONSE


async def test_a_page_for_every_path_is_known_up_to_the_size_of_a_route() -> None:
    page = b"welcome" + bytes(DOCUMENT)
    context = context_for(lambda _request: httpx.Response(200, content=page))

    with pytest.raises(ProbeFailedError, match="answers anything"):
        await KIND.measure(settings({"path": "/one"}), context)


@pytest.mark.parametrize("status", [301, 404, 410])
async def test_a_route_that_was_never_answered_as_declared_may_be_wrong_itself(status) -> None:
    context = context_for(
        lambda request: httpx.Response(200 if request.url.path == "/b" else status), answered=frozenset()
    )
    with pytest.raises(
        ProbeFailedError, match=f"GET /a: {status} .* no recorded run got the expected answer"
    ) as caught:
        await KIND.measure(settings({"path": "/a"}, {"path": "/b"}), context)

    assert caught.value.reason is Reason.BAD_RESPONSE


async def test_routes_that_are_answered_as_declared_are_remembered() -> None:
    context = context_for(
        lambda request: httpx.Response(200 if request.url.path == "/a" else 503), answered=frozenset()
    )
    readings = await KIND.measure(settings({"path": "/a"}, {"path": "/b"}), context)

    assert readings.values["unexpected"] == Exact(1)
    assert readings.answered == {context.http.question(f"{BASE}/a")}


async def test_each_route_is_asked_once_with_its_method_and_nothing_is_followed() -> None:
    asked = []

    def answer(request):
        asked.append(f"{request.method} {request.url}")
        return httpx.Response(302, headers={"Location": "/elsewhere"})

    await KIND.measure(
        settings({"path": "/a?x=1", "expect": 302}, {"path": "/b", "method": "HEAD"}, {"url": "https://other.test/c"}),
        context_for(answer),
    )

    assert sorted(asked) == ["GET https://app.test/a?x=1", "GET https://other.test/c", "HEAD https://app.test/b"]


async def test_at_most_four_are_in_flight() -> None:
    flying = most = 0

    async def answer(_request):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        flying -= 1
        return httpx.Response(500)

    context = context_for(answer)
    readings = await KIND.measure(settings(*({"path": f"/{n}"} for n in range(MOST))), context)

    assert readings.values["unexpected"] == Exact(MOST)
    assert readings.summary.endswith(f"; and {MOST - 8} more")
    assert 1 < most <= 4


async def test_what_its_routes_wait_for_our_throttle_at_the_same_time_is_no_sum() -> None:
    context = context_for(lambda _request: httpx.Response(500), rate=(2, 0.05))
    start = time.perf_counter()

    await KIND.measure(settings(*({"path": f"/{n}"} for n in range(8))), context)

    assert 0 < context.http.waited <= time.perf_counter() - start


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ([], "nothing would be measured"),
        ([{"path": f"/{n}"} for n in range(MOST + 1)], f"at most {MOST} items"),
        ([{}], "either 'path' or 'url'"),
        ([{"path": "/a", "url": "https://b.test/"}], "either 'path' or 'url'"),
        ([{"path": "a"}], "pattern"),
        ([{"url": "https://user:word@b.test/"}], "pattern"),
        ([{"url": "https://b.test:99999/"}], "its port is not a number"),
        ([{"path": "/a"}, {"path": "/a", "expect": 401}], "'GET /a' is listed twice"),
        ([{"path": "/a", "need": "optional"}], "nothing would be measured"),
        ([{"path": "/a", "need": "sometimes"}], "optional"),
        ([{"path": "/a", "expect": 20}], "greater than or equal to 200"),
        ([{"path": "/a", "expect": 600}], "less than or equal to 599"),
        ([{"path": "/a", "expect": []}], "no status"),
        ([{"path": "/a", "expect": "200"}], "valid integer"),
        ([{"path": "/a", "expect": True}], "valid integer"),
        ([{"path": "/a", "expect": [200, "404"]}], "valid integer"),
        ([{"path": "/a", "method": "TRACE"}], "GET"),
        ([{"path": "/a", "body": "x"}], "GET sends no body"),
        ([{"path": "/a", "name": ""}], "at least 1 character"),
        ([{"path": "/a", "statuses": [200]}], "Extra inputs"),
    ],
)
def test_settings_that_say_nothing_are_refused(routes, told) -> None:
    with pytest.raises(ValidationError, match=told):
        settings(*routes)


def test_the_same_path_by_another_method_is_another_route() -> None:
    assert len(settings({"path": "/a"}, {"path": "/a", "method": "HEAD"}).routes) == 2


@pytest.mark.parametrize(
    ("routes", "endpoint"),
    [
        ([{"url": "https://other.test/x"}, {"path": "/a"}], Endpoint("app.test", 443)),
        ([{"url": "http://other.test/x"}, {"url": "https://third.test/"}], Endpoint("other.test", 80)),
    ],
)
def test_it_connects_below_the_base_url_if_any_route_does(routes, endpoint) -> None:
    assert KIND.endpoint(settings(*routes), BASE) == endpoint


async def test_only_the_endpoint_s_own_routes_go_to_the_look_s_address() -> None:
    readings = await KIND.measure(
        settings({"path": "/a"}, {"url": "https://other.test/b"}), context_for(lambda _request: httpx.Response(500))
    )

    assert "GET /a: 500 from 192.0.2.1:443" in readings.summary
    assert "GET https://other.test/b: 500 from 192.0.2.9:443" in readings.summary


@given(status=st.integers(200, 599), body=st.recursive(st.none() | st.text(), st.lists, max_leaves=3).map(json.dumps))
def test_an_answer_is_counted_or_no_reading_whatever_it_says(status, body) -> None:
    def answer(request):
        return httpx.Response(status, content=body) if request.url.path == "/a" else httpx.Response(404)

    measured = KIND.measure(settings({"path": "/a", "expect": 200}), context_for(answer))
    if status in (401, 403, 407, 408, 421, 426, 429, 431, 451, 501, 505, 511):
        with pytest.raises(ProbeFailedError, match=r"access denied|request timeout|rate limited"):
            asyncio.run(measured)
    else:
        assert asyncio.run(measured).values == {"unexpected": Exact(status != 200)}


async def test_a_declared_401_that_every_path_gets_is_the_gateway_s() -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await KIND.measure(
            settings({"path": "/me", "expect": 401}), context_for(lambda _request: httpx.Response(401, content=b"{}"))
        )

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert "only the gateway at 192.0.2.1:443 answered: a made-up path gets the same 401" in caught.value.detail


async def test_the_question_for_a_made_up_path_can_be_left_out() -> None:
    asked = []

    def answer(request):
        asked.append(request.url.path)
        return httpx.Response(200, content=b"{}")

    readings = await KIND.measure(settings({"path": "/one"}, made_up_path=False), context_for(answer))

    assert readings.values["unexpected"] == Exact(0)
    assert asked == ["/one"]


@pytest.mark.parametrize(
    ("route", "table", "is_read"),
    [
        ({}, {}, False),
        ({"max_age": "1h"}, {}, True),
        ({}, {"max_age": "1h"}, True),
        ({"max_age": "1s"}, {"max_age": "1h"}, False),
    ],
)
async def test_a_route_that_a_cache_answers_for_is_read_where_that_is_meant(route, table, is_read) -> None:
    seen = []

    def answer(request):
        seen.append(request.headers["Cache-Control"])
        if request.url.path == "/one":
            return httpx.Response(200, content=b"{}", headers={"Age": "60"})
        return httpx.Response(404)

    measured = KIND.measure(settings({"path": "/one"} | route, **table), context_for(answer))

    if is_read:
        assert (await measured).values["unexpected"] == Exact(0)
    else:
        with pytest.raises(ProbeFailedError, match="bad_response"):
            await measured
    assert set(seen) == {"no-cache"}


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.TIMEOUT])
async def test_a_target_that_keeps_silent_is_not_asked_for_all_of_its_routes(reason) -> None:
    asked = []

    def answer(request):
        asked.append(request.url.path)
        raise ProbeFailedError(reason, "no answer within 1 s")

    readings = await KIND.measure(settings(*({"path": f"/{n}"} for n in range(MOST))), context_for(answer))

    assert 8 <= len(asked) <= 11  # those that were in flight
    assert readings.values["unexpected"] == Exact(MOST)  # whatever the limit is
    assert readings.summary.endswith(f"; {MOST - len(asked)} not asked after 8 in a row without a response")


async def test_the_silence_of_optional_routes_leaves_the_required_ones_to_be_asked() -> None:
    def answer(request):
        if request.url.host == "other.test":
            raise ProbeFailedError(Reason.UNREACHABLE, "no answer within 1 s")
        return httpx.Response(503)

    optional = [{"url": f"https://other.test/{n}", "need": "optional"} for n in range(20)]
    readings = await KIND.measure(settings(*optional, {"path": "/a"}), context_for(answer))

    assert readings.values["unexpected"] == Exact(1)
    assert "GET /a: 503" in readings.summary
    assert "not asked" not in readings.summary


async def test_a_route_that_answers_shows_that_the_others_are_worth_asking() -> None:
    asked = []

    def answer(request):
        asked.append(request.url.path)
        if len(asked) % 7:
            raise ProbeFailedError(Reason.TIMEOUT, "no answer within 1 s")
        return httpx.Response(200)

    readings = await KIND.measure(
        settings(*({"path": f"/{n}"} for n in range(70)), made_up_path=False), context_for(answer)
    )

    assert len(asked) == 70
    assert readings.values["unexpected"] == Exact(60)


async def test_the_evidence_of_many_routes_stays_short() -> None:
    routes = [{"path": f"/{'x' * 200}/{n}", "name": f"{n:060}"} for n in range(MOST)]

    readings = await KIND.measure(settings(*routes), context_for(lambda _request: httpx.Response(503)))

    assert len(readings.summary) < 2000


@pytest.mark.parametrize(
    ("routes", "more", "requests", "exchanges"),
    [
        (1, {}, 3, 3),
        (9, {}, 11, 5),
        (500, {}, 502, 127),
        (500, {"made_up_path": False}, 500, 125),
    ],
)
def test_its_cost_and_time_are_those_of_all_routes(routes, more, requests, exchanges) -> None:
    source = KIND.configure({"kind": "routes", "routes": [{"path": f"/{n}"} for n in range(routes)], **more})

    assert (source.requests, source.exchanges) == (requests, exchanges)
    assert source.default_limits == ("unexpected == 0",)


def test_paths_that_cannot_exist_cost_two_requests_at_each_origin_and_with_each_set_of_headers() -> None:
    routes = [
        {"path": "/a"},
        {"path": "/b"},
        {"path": "/c", "headers": {"Accept": "text/plain"}},
        {"url": "https://other.test/d"},
        {"url": "https://other.test/e"},
    ]

    assert KIND.configure({"kind": "routes", "routes": routes}).requests == 5 + 3 * 2


async def test_a_route_is_asked_with_its_own_request() -> None:
    asked = {}

    async def answer(request):
        asked[request.url.path] = (request.method, request.headers.get("X-A"), await request.aread())
        return httpx.Response(200 if request.url.path in ("/a", "/b") else 404)

    context = replace(context_for(answer), allow=frozenset({"canary-write"}))
    routes = [{"path": "/a", "method": "POST", "json": {"n": 1}}, {"path": "/b", "headers": {"X-A": "1"}}]
    readings = await KIND.measure(settings(*routes), context)

    assert readings.values["unexpected"] == Exact(0)
    assert asked.pop("/a") == ("POST", None, b'{"n": 1}')
    assert asked.pop("/b") == ("GET", "1", b"")
    assert list(asked.values()) == [("GET", "1", b"")] * 2  # two paths that cannot exist, for the GET alone


async def test_nothing_is_sent_where_one_route_would_write_and_that_is_not_allowed() -> None:
    asked = []
    config = settings({"path": "/a"}, {"path": "/b?key=hidden", "method": "DELETE"})

    with pytest.raises(ProbeFailedError) as caught:
        await KIND.measure(config, context_for(asked.append))

    assert caught.value.reason is Reason.MISSING_SETTING
    assert caught.value.detail == (
        'DELETE /b is not sent because it changes the target: add allow = ["canary-write"] to the environment'
    )
    assert not asked


def test_routes_that_write_are_asked_once_an_attempt() -> None:
    writing = {"kind": "routes", "routes": [{"path": "/a"}, {"path": "/b", "method": "POST"}]}
    source = KIND.configure(writing)

    assert (source.repeat, source.writes, source.allowed_by) == (1, True, {"unexpected": "canary-write"})
    with pytest.raises(ValidationError, match="a POST is sent once per attempt"):
        KIND.configure({**writing, "repeat": 4})


def test_the_same_path_with_another_body_is_another_route() -> None:
    same = {"path": "/a", "method": "POST"}

    assert len(settings({**same, "body": "1"}, {**same, "body": "2"}).routes) == 2
    with pytest.raises(ValidationError, match="'POST /a' is listed twice"):
        settings({**same, "body": "1"}, {**same, "body": "1"})
