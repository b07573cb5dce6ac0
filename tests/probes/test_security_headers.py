"""Do the pages keep the minimum? Which pages are asked, what silence and refusals are, and where plain http leads."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from builders import mocked
from pydantic import ValidationError

from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.security_headers import KIND, SecurityHeaders
from probekit.transport.client import Http
from probekit.transport.urls import Address, Endpoint

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
GOOD = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
HOME = httpx.Response(301, headers={"Location": "https://app.test/"})


def page(status=200, *, without=(), **more):
    kept = {name: value for name, value in GOOD.items() if name not in without}
    return httpx.Response(status, headers=kept | {name.replace("_", "-"): value for name, value in more.items()})


@pytest.fixture
def read():
    """What the kind reads where these paths answer so, every other one with `absent`, and plain http with `plain`."""

    async def measurement(paths=None, *, base="https://app.test", ip="192.0.2.1", absent=None, plain=HOME, **settings):
        asked = settings.pop("asked", [])
        allow = settings.pop("allow", ())

        def answer(request):
            asked.append(request)
            is_plain = request.url.scheme == "http" and base.startswith("https")
            given = plain if is_plain else (paths or {"/": page()}).get(request.url.path, absent or page(404))
            if isinstance(given, Exception):
                raise given
            return httpx.Response(given.status_code, headers=given.headers)

        url = httpx.URL(base)
        endpoint = Endpoint(url.host, url.port or (443 if url.scheme == "https" else 80))
        http = Http(
            run="test",
            send=mocked(httpx.MockTransport(answer)),
            origin=(url.scheme, endpoint),
            identity={"Authorization": lambda: "Bearer planted"},
        )
        context = context_of(http, Address(endpoint, ip), base, allow=allow)
        return await KIND.measure(SecurityHeaders(**settings), context)

    return measurement


def context_of(http, address, base, timeout=1, allow=()):
    return Context(
        base_url=base,
        timeout=timeout,
        http=http.probe_client(address=address, timeout=timeout),
        reveal=lambda ref: f"user=canary&password={ref.env}",
        now=lambda: NOW,
        address=address,
        allow=frozenset(allow),
    )


def numbers(readings):
    return {name: value.value if isinstance(value, Exact) else value.reason for name, value in readings.values.items()}


NOTHING = {"missing": 0, "weak": 0, "leaking": 0, "weak_cookies": 0, "https_redirect": 1}


async def test_pages_that_keep_the_minimum_give_every_promised_number(read) -> None:
    readings = await read({"/": page(), "/api": page(401)}, api="/api")

    assert numbers(readings) == NOTHING
    assert set(readings.values) == KIND.metric_names
    assert readings.notes["pages"] == "/ 200, /api 401, a made-up path 404"
    assert readings.summary == 'every page meets the minimum; http://app.test/ answers 301 to "https://app.test/"'


async def test_what_is_asked(read) -> None:
    asked = []

    await read({"/": page(), "/shop": page(), "/api": page()}, asked=asked, pages=["/", "/shop"], api="/api")

    assert [str(request.url) for request in asked[:3]] == [f"https://app.test{path}" for path in ("/", "/shop", "/api")]
    assert asked[3].url.path.startswith("/probekit-")
    assert str(asked[4].url) == "http://app.test/"
    assert len(asked) == 5
    assert asked[0].headers["Accept"].startswith("text/html")
    assert asked[2].headers["Accept"].startswith("application/json")
    assert all(request.method == "GET" for request in asked)


async def test_a_header_counts_once_on_each_page_and_is_told_once(read) -> None:
    bare = page(without=["X-Content-Type-Options"], Server="nginx/1.25.3")
    short = page(404, Strict_Transport_Security="max-age=60", without=["Strict-Transport-Security"])

    readings = await read({"/": bare, "/shop": bare, "/api": short}, pages=["/", "/shop"], api="/api")

    assert numbers(readings) == NOTHING | {"missing": 2, "weak": 1, "leaking": 2}
    told = readings.summary.split("; ")
    assert told[:3] == [
        "X-Content-Type-Options is missing on /, /shop",
        'server discloses software on /, /shop: "nginx/1.25.3"',
        "Strict-Transport-Security is weak on /api: max-age 60 s, minimum 15552000 s",
    ]


async def test_the_error_page_is_read_too(read) -> None:
    with_error = await read(absent=httpx.Response(404))
    without = await read(absent=httpx.Response(404), error_page=False)

    assert numbers(with_error) == NOTHING | {"missing": 5}
    assert "Content-Security-Policy is missing on a made-up path" in with_error.summary
    assert numbers(without) == NOTHING


async def test_a_cookie_counts_once_by_its_name(read) -> None:
    setting = page(Set_Cookie="sid=1; Secure; HttpOnly")

    readings = await read({"/": setting, "/shop": setting}, pages=["/", "/shop"])

    assert readings.values["weak_cookies"] == Exact(1)
    assert 'cookie "sid" is weak on /, /shop: no SameSite' in readings.summary


GOOD_COOKIE = "sid=1; Secure; HttpOnly; SameSite=Lax"
LOGIN = {"path": "/login?next=secret", "body": {"env": "LOGIN"}}
MAY_POST = {"allow": ["canary-write"], "post": LOGIN}


@pytest.mark.parametrize(
    ("set_cookie", "reading"),
    [
        (GOOD_COOKIE, 0),
        ("sid=1; Secure; HttpOnly", 1),
        (f"sid={'x' * 4096}; Secure; HttpOnly; SameSite=Lax", 1),
        ("sid=; Max-Age=0", Reason.BAD_RESPONSE),
        ("other=1; Secure; HttpOnly; SameSite=Lax", Reason.BAD_RESPONSE),
        ("SID=1; Secure; HttpOnly; SameSite=Lax", Reason.BAD_RESPONSE),
        ("other=1", 1),
    ],
)
async def test_a_named_session_cookie_must_be_set(read, set_cookie, reading) -> None:
    readings = await read({"/": page(Set_Cookie=set_cookie)}, session_cookies=["sid"])

    assert numbers(readings) == NOTHING | {"weak_cookies": reading}
    if reading is Reason.BAD_RESPONSE:
        assert readings.values["weak_cookies"].detail.startswith("no sampled answer sets sid: add its page")


async def test_a_cookie_that_is_too_large_is_told(read) -> None:
    readings = await read({"/": page(Set_Cookie=f"sid={'x' * 4096}; Secure; HttpOnly; SameSite=Lax")})

    assert 'cookie "sid" is weak on /: browsers drop it: its name and value have 4099 bytes' in readings.summary


@pytest.mark.parametrize(
    ("login", "reading"),
    [
        (page(Set_Cookie=GOOD_COOKIE), 0),
        (page(204, Set_Cookie=GOOD_COOKIE), 0),
        (page(302, Location="/", Set_Cookie=GOOD_COOKIE), 0),
        (httpx.Response(200, headers={"Set-Cookie": GOOD_COOKIE}), 0),  # its other headers are not judged
        (page(Set_Cookie="sid=1; HttpOnly; SameSite=Lax"), 1),
        (page(Set_Cookie="other=1; Secure; HttpOnly; SameSite=Lax"), Reason.BAD_RESPONSE),
        (page(), Reason.BAD_RESPONSE),
        (page(302, Location="/login?error"), Reason.BAD_RESPONSE),
        (page(401, Set_Cookie=GOOD_COOKIE), Reason.REFUSED_CREDENTIALS),
        (page(403), Reason.REFUSED_CREDENTIALS),
        (page(422), Reason.BAD_RESPONSE),
        (page(500), Reason.BAD_RESPONSE),
        (page(429), Reason.ACCESS_DENIED),
        (ProbeFailedError(Reason.TIMEOUT, "the body was not complete"), Reason.TIMEOUT),
    ],
)
async def test_the_cookies_of_a_declared_post_are_read_where_that_is_allowed(read, login, reading) -> None:
    readings = await read({"/": page(), "/login": login}, session_cookies=["sid"], **MAY_POST)

    assert numbers(readings) == NOTHING | {"weak_cookies": reading}
    if reading == 1:
        assert 'cookie "sid" is weak on POST /login: no Secure' in readings.summary
    if isinstance(reading, Reason):
        assert "secret" not in readings.values["weak_cookies"].detail


async def test_a_post_that_sets_no_cookie_leaves_cookies_not_verified(read) -> None:
    readings = await read({"/": page(Set_Cookie=GOOD_COOKIE), "/login": page()}, **MAY_POST)

    assert numbers(readings) == NOTHING | {"weak_cookies": Reason.BAD_RESPONSE}
    assert readings.values["weak_cookies"].detail == "POST /login answers 200 and sets no cookie: check its body"


@pytest.mark.parametrize("allow", [[], ["load"]])
async def test_a_post_that_is_not_allowed_is_not_sent_and_leaves_cookies_not_verified(read, allow) -> None:
    asked = []

    readings = await read({"/": page(Set_Cookie=GOOD_COOKIE)}, asked=asked, post=LOGIN, allow=allow)
    weak = await read({"/": page(Set_Cookie="a=1")}, post=LOGIN, allow=allow)

    assert numbers(readings) == NOTHING | {"weak_cookies": Reason.MISSING_SETTING}
    assert readings.values["weak_cookies"].detail == (
        'POST /login is not sent because it changes the target: add allow = ["canary-write"] to the environment'
    )
    assert {request.method for request in asked} == {"GET"}
    assert weak.values["weak_cookies"] == Exact(1)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json"])
async def test_the_post_is_sent_once_with_its_body_by_reference(read, content_type) -> None:
    asked = []
    login = page(302, Location="/login", Set_Cookie=GOOD_COOKIE)

    await read(
        {"/": page(), "/login": login},
        asked=asked,
        follow=5,
        allow=["canary-write"],
        post=LOGIN | {"content_type": content_type},
    )

    (sent,) = [request for request in asked if request.method == "POST"]
    assert str(sent.url) == "https://app.test/login?next=secret"
    assert sent.content == b"user=canary&password=LOGIN"
    assert sent.headers["Content-Type"] == content_type
    assert sent.headers["Authorization"] == "Bearer planted"


async def test_a_post_may_have_no_body(read) -> None:
    asked = []

    await read(
        {"/": page(), "/start": page(Set_Cookie=GOOD_COOKIE)},
        asked=asked,
        allow=["canary-write"],
        post={"path": "/start"},
    )

    assert [request.content for request in asked if request.method == "POST"] == [b""]


async def test_a_long_list_of_faults_is_cut(read) -> None:
    cookies = "\r\n".join(f"Set-Cookie: c{number}=1" for number in range(30)).split("\r\n")
    many = httpx.Response(200, headers=[*GOOD.items(), *[tuple(line.split(": ")) for line in cookies]])

    readings = await read({"/": many})

    assert readings.values["weak_cookies"] == Exact(30)
    assert "; 18 more; " in readings.summary


async def test_an_unknown_path_that_leads_elsewhere_is_no_document(read) -> None:
    elsewhere = httpx.Response(302, headers={"Location": "/", "Strict-Transport-Security": "max-age=31536000"})

    readings = await read(absent=elsewhere)

    assert numbers(readings) == NOTHING
    assert readings.notes["pages"] == "/ 200, a made-up path 302"


@pytest.mark.parametrize(
    ("paths", "settings", "reason", "told"),
    [
        ({"/": page(401)}, {}, Reason.ACCESS_DENIED, r"access denied \(401 .* which / may need"),
        ({"/": page(403)}, {}, Reason.ACCESS_DENIED, r"access denied \(403 .* which / may need"),
        ({"/": page(421)}, {}, Reason.ACCESS_DENIED, r"access denied \(421 .* which / may need"),
        ({"/": page(407)}, {}, Reason.ACCESS_DENIED, r"access denied \(407 .* which / may need"),
        ({"/": page(429)}, {}, Reason.ACCESS_DENIED, r"rate limited \(429 .* which / may need"),
        ({"/": page(CF_Mitigated="challenge")}, {}, Reason.ACCESS_DENIED, r"access denied \(200 .* which / may need"),
        ({"/": page(500)}, {}, Reason.BAD_RESPONSE, "500 for /"),
        ({"/": page(302, Location="/login?next=x")}, {}, Reason.BAD_RESPONSE, '/ redirects to "/login"'),
        ({"/": page(304)}, {}, Reason.BAD_RESPONSE, "/ redirects to null"),
        (
            {"/": page(), "/api": page(429)},
            {"api": "/api"},
            Reason.ACCESS_DENIED,
            r"limited \(429 .* which /api may need",
        ),
        (
            {"/": page(), "/api": page(503)},
            {"api": "/api"},
            Reason.BAD_RESPONSE,
            "503 for /api",
        ),
        ({"/": page(), "/api": page(301, Location="/v2")}, {"api": "/api"}, Reason.BAD_RESPONSE, "/api redirects to"),
        (
            {"/": ProbeFailedError(Reason.UNREACHABLE, "connection refused by 192.0.2.1:443")},
            {},
            Reason.UNREACHABLE,
            "refused",
        ),
        ({"/": ProbeFailedError(Reason.UNTRUSTED, "expired")}, {}, Reason.UNTRUSTED, "expired"),
    ],
)
async def test_a_page_that_is_not_had_proves_nothing(read, paths, settings, reason, told) -> None:
    with pytest.raises(ProbeFailedError, match=told) as caught:
        await read(paths, **settings)

    assert caught.value.reason is reason


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 410])
async def test_any_answer_of_the_api_below_500_is_read(read, status) -> None:
    readings = await read({"/": page(), "/api": page(status, without=["Referrer-Policy"])}, api="/api")

    assert numbers(readings) == NOTHING | {"missing": 1}


async def test_a_redirect_is_followed_where_that_is_declared(read) -> None:
    readings = await read({"/": page(302, Location="/login"), "/login": page()}, follow=1)

    assert numbers(readings) == NOTHING
    assert readings.notes["pages"].startswith("/ 200")


@pytest.mark.parametrize(
    ("status", "location", "redirect"),
    [
        (301, "https://app.test/", 1),
        (302, "https://APP.test/login", 1),
        (303, "https://app.test:8443/", 1),
        (307, "https://app.test", 1),
        (308, "//app.test/", 0),  # the same scheme
        (301, "/", 0),
        (301, "http://app.test/", 0),
        (301, "https://www.app.test/", 0),
        (301, "https://app.test.evil.test/", 0),
        (301, "https://app.test@evil.test/", 0),
        (301, "https://app.test:443@evil.test/", 0),
        (301, "https://user@app.test/", 0),
        (301, "https://app.test:port/", 0),
        (301, "https://[::1/", 0),
        (301, "https:app.test", 0),
        (301, None, 0),
        (304, "https://app.test/", 0),
        (300, "https://app.test/", 0),
        (200, "https://app.test/", 0),
        (200, None, 0),
        (403, None, 0),
        (426, None, 0),
        (502, None, 0),
    ],
)
async def test_where_plain_http_leads(read, status, location, redirect) -> None:
    readings = await read(plain=httpx.Response(status, headers={"Location": location} if location else {}))

    assert readings.values["https_redirect"] == Exact(redirect)
    assert f"http://app.test/ answers {status}" in readings.summary
    assert readings.summary.endswith("not to https on the same host") is not bool(redirect)


async def test_two_targets_of_a_redirect_are_none(read) -> None:
    two = httpx.Response(301, headers=[("Location", "https://app.test/"), ("Location", "https://evil.test/")])

    readings = await read(plain=two)

    assert readings.values["https_redirect"] == Exact(0)


async def test_plain_http_is_asked_of_the_same_machine(read) -> None:
    asked = []

    await read(asked=asked, ip="192.0.2.7")

    assert str(asked[-1].extensions["address"]) == "192.0.2.7:80"


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (ProbeFailedError(Reason.UNREACHABLE, "connection refused by 192.0.2.1:80"), Reason.UNREACHABLE),
        (httpx.Response(429), Reason.ACCESS_DENIED),
        (httpx.Response(407), Reason.ACCESS_DENIED),
        (httpx.Response(403, headers={"CF-Mitigated": "challenge"}), Reason.ACCESS_DENIED),
    ],
)
async def test_plain_http_without_an_answer_takes_no_other_number_away(read, plain, reason) -> None:
    readings = await read(plain=plain)

    assert numbers(readings) == NOTHING | {"https_redirect": reason}


@pytest.mark.parametrize("base", ["https://app.test:8443", "http://app.test"])
async def test_where_plain_http_is_spoken_must_be_known(read, base) -> None:
    readings = await read(base=base, hsts=False)

    failure = readings.values["https_redirect"]
    assert isinstance(failure, Failure)
    assert failure.reason is Reason.MISSING_SETTING
    assert "plain_url" in failure.detail
    assert readings.values["missing"] == Exact(0)


async def test_a_declared_plain_url_is_asked(read) -> None:
    asked = []

    readings = await read(
        base="https://app.test:8443",
        plain=httpx.Response(308, headers={"Location": "https://app.test:8443/x?token=hidden"}),
        plain_url="http://app.test:8080/x",
        asked=asked,
    )

    assert numbers(readings) == NOTHING
    assert str(asked[-1].url) == "http://app.test:8080/x"
    assert "hidden" not in readings.summary


async def test_the_host_of_an_address_has_brackets(read) -> None:
    asked = []

    readings = await read(base="https://[2001:db8::1]", ip="2001:db8::1", asked=asked)

    assert str(asked[-1].url) == "http://[2001:db8::1]/"
    assert readings.values["https_redirect"] == Exact(0)  # app.test is another host


async def test_a_secret_header_of_ours_is_not_sent_by_plain_http(read) -> None:
    asked = []

    await read(asked=asked)

    assert ["authorization" in request.headers for request in asked] == [True, True, False]


async def test_what_was_waited_for_our_own_throttle_is_kept() -> None:
    class Slow(Http):
        @asynccontextmanager
        async def exchange_with(self, host, *, alone=False, throttled=True):
            yield 1.0

    slow = Slow(run="test", send=mocked(httpx.MockTransport(lambda _request: page())))
    context = context_of(slow, Address(Endpoint("app.test", 443), "192.0.2.1"), "https://app.test")

    await KIND.measure(SecurityHeaders(), context)

    assert context.http.waited == 3.0


@pytest.fixture
def on_loopback(serve):
    """What the kind reads of a real peer that sends these header lines, in this order."""

    async def measurement(*lines, **settings):
        head = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", "Content-Length: 0", *lines))
        port, peer = await serve(f"{head}\r\n".encode())
        address = Address(Endpoint("app.test", port), "127.0.0.1")
        context = context_of(Http(run="test"), address, f"http://app.test:{port}", timeout=2)
        readings = await KIND.measure(SecurityHeaders(hsts=False, error_page=False, **settings), context)
        return readings, peer

    return measurement


async def test_repeated_lines_are_all_read_in_their_order(on_loopback) -> None:
    readings, peer = await on_loopback(
        "Content-Security-Policy: default-src 'self' 'unsafe-inline'",
        "Content-Security-Policy: script-src 'self'",
        "X-Content-Type-Options: nosniff",
        "X-Content-Type-Options: sniff",
        "Referrer-Policy: unsafe-url",
        "Referrer-Policy: no-referrer",
        "X-Frame-Options: SAMEORIGIN",
        "X-Frame-Options: DENY",
        "Set-Cookie: a=1; Secure; HttpOnly; SameSite=Lax",
        'Set-Cookie: b={"x": 1}; HttpOnly; SameSite=Lax',
    )

    assert [readings.values[name].value for name in ("missing", "weak", "leaking", "weak_cookies")] == [0, 0, 0, 1]
    assert "/: X-Frame-Options contradicts itself" in readings.summary
    assert "/: X-Content-Type-Options contradicts itself" in readings.summary
    assert peer.connections == 1


async def test_the_other_order_is_another_page(on_loopback) -> None:
    readings, _ = await on_loopback(
        "Content-Security-Policy: default-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
        "X-Content-Type-Options: sniff",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Referrer-Policy: unsafe-url",
    )

    assert (readings.values["missing"], readings.values["weak"]) == (Exact(1), Exact(2))


async def test_a_silent_page_is_no_reading(serve) -> None:
    port, _ = await serve(5.0)
    address = Address(Endpoint("app.test", port), "127.0.0.1")
    context = context_of(Http(run="test"), address, f"http://app.test:{port}", timeout=0.2)

    with pytest.raises(ProbeFailedError) as caught:
        await KIND.measure(SecurityHeaders(), context)

    assert caught.value.reason is Reason.UNREACHABLE


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"pages": []}, "at least 1"),
        ({"pages": ["/a", "/b", "/c", "/d", "/e"]}, "at most 4"),
        ({"pages": ["no-slash"]}, "pattern"),
        ({"api": "https://b.test/"}, "pattern"),
        ({"plain_url": "https://b.test/"}, "pattern"),
        ({"plain_url": "http://user:word@b.test/"}, "pattern"),
        ({"plain_url": "http://b.test:99999/"}, "missing host or invalid port"),
        ({"follow": 6}, "less than or equal"),
        ({"hst": True}, "Extra inputs"),
        ({"session_cookies": ["a b"]}, "pattern"),
        ({"post": {"path": "https://b.test/"}}, "pattern"),
        ({"post": {"path": "/login", "body": "user=canary"}}, "SecretRef"),
        ({"post": {"path": "/login", "content_type": "text/plain"}}, "application/json"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings, told) -> None:
    with pytest.raises(ValidationError, match=told):
        SecurityHeaders(**settings)


def test_it_runs_unasked_where_base_url_is_https() -> None:
    assert KIND.enabled_by_default("https://app.test")
    assert not KIND.enabled_by_default("http://app.test")
    assert KIND.endpoint(SecurityHeaders(), "https://app.test:8443/shop") == Endpoint("app.test", 8443)
