"""Who is let in from another origin? Judged as a browser does, by preflight and by the request itself."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from builders import mocked
from hypothesis import given, strategies as st
from pydantic import ValidationError

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.cors import KIND, CorsProbe, look_alikes
from probekit.transport.client import Http
from probekit.transport.urls import Address, Endpoint

APP = "https://app.example.test"
SHOP = "https://shop.example.test:8443"
BASE = "https://api.test"
ADDRESS = Address(Endpoint("api.test", 443), "192.0.2.1")


class Server:
    """An API with one mistake at most: who is let in, and what its two kinds of answers carry."""

    def __init__(self, *, lets_in=lambda origin: origin == APP, preflight=204, status=200, **headers):
        self.lets_in = lets_in
        self.preflight = preflight
        self.status = status
        self.value = headers.pop("value", None)  # instead of an echo
        self.varies = headers.pop("varies", True)
        self.only = headers.pop("only", ("OPTIONS", "GET"))  # methods whose answers speak of origins
        self.headers = {"Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Allow-Headers": "X-Any"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        origin = request.headers["Origin"]
        headers = {"Vary": "Accept, origin"} if self.varies else {}
        if self.lets_in(origin) and request.method in self.only:
            headers |= {"Access-Control-Allow-Origin": self.value or origin} | self.headers
        return httpx.Response(self.preflight if request.method == "OPTIONS" else self.status, headers=headers)


async def read(server, **settings):
    """What the kind reads of this server."""
    http = Http(run="test", rate=(1000, 1.0), send=mocked(httpx.MockTransport(server)))
    return await measured(http.probe_client(address=ADDRESS, timeout=1), BASE, **settings)


async def measured(measurement, base, **settings):
    context = Context(
        base_url=base,
        timeout=measurement.timeout,
        http=measurement,
        reveal=str,
        now=lambda: datetime(2026, 11, 23, tzinfo=UTC),
        address=measurement.address,
    )
    config = CorsProbe.model_validate({"kind": "cors", "path": "/items", "origins": [APP]} | settings)
    return await KIND.measure(config, context)


def counts(readings):
    return tuple(readings.values[name].value for name in ("violations", "foreign_with_credentials"))


async def test_the_allowed_origin_and_no_other() -> None:
    server = Server()

    readings = await read(server, methods=["GET", "PUT"], headers=["x-any"])

    assert readings.values == {"violations": Exact(0), "foreign_with_credentials": Exact(0)}
    assert set(readings.values) == KIND.metric_names
    assert readings.summary == f"let in as declared: {APP}; 8 foreign origins are refused"
    assert len(server.asked) == 18


async def test_a_preflight_is_asked_as_a_browser_asks() -> None:
    server = Server(Access_Control_Allow_Headers="authorization, x-any")

    await read(server, methods=["GET", "PUT"], headers=["X-Any", "Authorization"])

    preflight, request = server.asked[:2]
    assert (preflight.method, request.method) == ("OPTIONS", "GET")
    assert preflight.headers["Origin"] == request.headers["Origin"] == APP
    assert preflight.headers["Access-Control-Request-Method"] == "PUT"
    assert preflight.headers["Access-Control-Request-Headers"] == "authorization,x-any"
    assert "Access-Control-Request-Method" not in request.headers


async def test_without_declared_headers_none_are_asked_for() -> None:
    server = Server()

    await read(server)

    assert "Access-Control-Request-Headers" not in server.asked[0].headers
    assert server.asked[0].headers["Access-Control-Request-Method"] == "GET"


@pytest.mark.parametrize("foreign", look_alikes([APP])[2:])
async def test_one_look_alike_that_is_let_in_is_one_violation(foreign) -> None:
    readings = await read(Server(lets_in=lambda origin: origin in (APP, foreign)))

    assert counts(readings) == (1, 0)
    assert readings.summary == f"{foreign} is let in"


@pytest.mark.parametrize(
    ("comparison", "let_in"),
    [
        (lambda origin: origin.startswith(APP), [f"{APP}.evil.test", f"{APP}:8443"]),
        (lambda origin: origin.endswith("app.example.test"), ["https://evilapp", "https://evil.app", "http://app"]),
        (lambda origin: origin in (APP, "https://appxexample.test"), ["https://appxexample.test"]),
        (lambda origin: origin in (APP, "null"), ["null"]),
        (lambda origin: "app.example.test" in origin, [".evil.test", "evilapp", "evil.app", "http://", ":8443"]),
    ],
)
async def test_a_careless_comparison_is_found_out(comparison, let_in) -> None:
    readings = await read(Server(lets_in=comparison, Access_Control_Allow_Credentials="true"), credentials=True)

    assert counts(readings) == (len(let_in), len(let_in))
    assert all(word in readings.summary for word in let_in)
    assert "is let in with credentials" in readings.summary


async def test_an_echo_of_everything_is_found_out() -> None:
    assert counts(await read(Server(lets_in=lambda _: True))) == (8, 0)
    assert counts(await read(Server(lets_in=lambda _: True, Access_Control_Allow_Credentials="true"))) == (8, 8)


@pytest.mark.parametrize("only", ["OPTIONS", "GET"])
async def test_a_foreign_origin_that_one_of_the_two_answers_lets_in(only) -> None:
    class Half(Server):
        def __call__(self, request):
            self.lets_in = lambda origin: origin == APP or (origin == "null" and request.method == only)
            return super().__call__(request)

    assert counts(await read(Half(Access_Control_Allow_Credentials="true"))) == (1, 1)


@pytest.mark.parametrize("status", [301, 400, 403, 404])
async def test_a_preflight_of_a_bad_status_lets_no_foreign_origin_in(status) -> None:
    class Refusing(Server):
        def __call__(self, request):
            answer = super().__call__(request)
            is_foreign = request.method == "OPTIONS" and request.headers["Origin"] != APP
            return httpx.Response(status, headers=answer.headers) if is_foreign else answer

    server = Refusing(lets_in=lambda _: True, only=("OPTIONS",), Access_Control_Allow_Credentials="true")

    readings = await read(server)

    assert counts(readings) == (1, 0)  # the request itself refuses even the allowed one
    assert "is refused by the request itself" in readings.summary


@pytest.mark.parametrize(
    ("server", "settings", "told"),
    [
        (Server(lets_in=lambda _: False), {}, ["preflight for GET: Access-Control-Allow-Origin is null", "itself"]),
        (Server(only=("GET",)), {}, ["preflight for GET: Access-Control-Allow-Origin is null"]),
        (Server(only=("OPTIONS",)), {}, ["the request itself: Access-Control-Allow-Origin is null"]),
        (Server(preflight=403), {}, ["preflight for GET: status 403"]),
        (Server(preflight=302), {}, ["preflight for GET: status 302"]),
        (Server(preflight=405), {}, ["preflight for GET: status 405"]),
        (Server(value=f"{APP}/"), {}, [f'Access-Control-Allow-Origin is "{APP}/"', "itself"]),
        (Server(value="https://App.example.test"), {}, ['is "https://App.example.test"', "itself"]),
        (Server(value=f"{APP}, {SHOP}"), {}, ["preflight", "itself"]),
        (Server(value=f"{APP} {SHOP}"), {}, ["preflight", "itself"]),
        (Server(), {"methods": ["DELETE"]}, ["preflight for DELETE: it does not allow the method"]),
        (Server(), {"methods": ["PUT", "PATCH", "DELETE"]}, ["for PATCH: it does not", "for DELETE: it does not"]),
        (Server(Access_Control_Allow_Methods="put"), {"methods": ["PUT"]}, ["does not allow the method"]),
        (Server(Access_Control_Allow_Methods="GET PUT"), {"methods": ["PUT"]}, ["does not allow the method"]),
        (Server(Access_Control_Allow_Methods="GET; PUT"), {}, ["does not allow the method"]),
        (Server(), {"headers": ["X-Any", "X-Other"]}, ["it does not allow X-Other"]),
        (Server(Access_Control_Allow_Headers="*"), {"headers": ["Authorization"]}, ["does not allow Authorization"]),
        (Server(), {"credentials": True}, ["Credentials is not true", "itself: Access-Control-Allow-Credentials"]),
        (Server(Access_Control_Allow_Credentials="True"), {"credentials": True}, ["not true", "itself"]),
        (
            Server(Access_Control_Allow_Credentials="true", Access_Control_Allow_Methods="*"),
            {"credentials": True, "methods": ["PUT"]},
            ["does not allow the method"],
        ),
        (
            Server(Access_Control_Allow_Credentials="true", Access_Control_Allow_Headers="*"),
            {"credentials": True, "headers": ["X-Any"]},
            ["does not allow X-Any"],
        ),
    ],
)
async def test_what_a_browser_would_refuse_an_allowed_origin(server, settings, told) -> None:
    readings = await read(server, **settings)

    assert counts(readings) == (len(told), 0)
    assert all(words in readings.summary for words in told)


@pytest.mark.parametrize(
    ("server", "settings"),
    [
        (Server(Access_Control_Allow_Methods="*"), {"methods": ["DELETE"]}),
        (Server(Access_Control_Allow_Headers="*"), {"headers": ["X-Other"]}),
        (Server(Access_Control_Allow_Headers="*, authorization"), {"headers": ["Authorization"]}),
        (Server(Access_Control_Allow_Methods=""), {"methods": ["GET", "POST", "HEAD"]}),
        (Server(Access_Control_Allow_Credentials="true"), {"credentials": True}),
        (Server(status=401), {}),
        (Server(status=403), {}),
        (Server(status=405), {}),
        (Server(preflight=200), {}),
        (Server(preflight=299), {}),
        (Server(varies=False, Cache_Control="private, no-store"), {}),
        (Server(varies=False, Vary="*"), {}),
    ],
)
async def test_what_a_browser_would_allow(server, settings) -> None:
    assert counts(await read(server, **settings)) == (0, 0)


async def test_a_method_that_one_preflight_has_allowed_is_not_asked_for_again() -> None:
    class Sparing(Server):
        def __call__(self, request):
            asked = request.headers.get("Access-Control-Request-Method", "")
            self.headers["Access-Control-Allow-Methods"] = asked
            return super().__call__(request)

    listing, sparing = Server(Access_Control_Allow_Methods="PUT, DELETE"), Sparing()
    methods = ["GET", "PUT", "DELETE"]

    assert counts(await read(listing, methods=methods)) == (0, 0)
    assert counts(await read(sparing, methods=methods)) == (0, 0)
    assert (len(listing.asked), len(sparing.asked)) == (18, 19)


async def test_a_wildcard_lets_every_foreign_origin_in() -> None:
    readings = await read(Server(lets_in=lambda _: True, value="*", varies=False))

    assert counts(readings) == (8, 0)


async def test_a_wildcard_with_credentials_is_a_violation_of_its_own_and_lets_nobody_in_with_them() -> None:
    server = Server(lets_in=lambda _: True, value="*", varies=False, Access_Control_Allow_Credentials="true")

    assert counts(await read(server)) == (9, 0)
    assert counts(await read(server, credentials=True)) == (11, 0)  # nor the allowed one, twice


async def test_a_fixed_value_needs_no_vary() -> None:
    assert counts(await read(Server(lets_in=lambda _: True, value=APP, varies=False))) == (0, 0)


async def test_preflights_are_in_no_cache_and_need_no_vary() -> None:
    class Fixed(Server):
        def __call__(self, request):
            is_request = request.method == "GET"
            self.value = APP if is_request else None
            self.lets_in = lambda origin: origin == APP or is_request
            return super().__call__(request)

    assert counts(await read(Fixed(varies=False))) == (0, 0)


async def test_a_fixed_value_refuses_the_second_allowed_origin() -> None:
    readings = await read(Server(lets_in=lambda _: True, value=APP, varies=False), origins=[APP, SHOP])

    assert counts(readings) == (2, 0)
    assert readings.summary.startswith(f"{SHOP} is refused by the preflight for GET")


async def test_an_echo_without_vary_is_one_violation() -> None:
    readings = await read(Server(lets_in=lambda origin: origin in (APP, SHOP), varies=False), origins=[APP, SHOP])

    assert counts(readings) == (1, 0)
    assert readings.summary == "Access-Control-Allow-Origin depends on the origin, but Vary does not say so"


async def test_many_violations_are_cut() -> None:
    readings = await read(Server(lets_in=lambda _: True), origins=[APP, SHOP])

    assert counts(readings)[0] == 14
    assert readings.summary.endswith("; 2 more")


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (Server(preflight=429), Reason.TURNED_AWAY),
        (Server(preflight=407), Reason.TURNED_AWAY),
        (Server(preflight=421), Reason.TURNED_AWAY),
        (Server(status=511), Reason.TURNED_AWAY),
        (Server(status=429), Reason.TURNED_AWAY),
        (Server(status=407), Reason.TURNED_AWAY),
        (Server(CF_Mitigated="challenge"), Reason.TURNED_AWAY),
        (Server(preflight=500), Reason.BAD_RESPONSE),
        (Server(status=503), Reason.BAD_RESPONSE),
        (Server(status=404), Reason.BAD_RESPONSE),
        (Server(status=302), Reason.BAD_RESPONSE),
    ],
)
async def test_an_answer_that_proves_nothing(server, reason) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read(server)

    assert caught.value.reason is reason


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.UNTRUSTED, Reason.TIMEOUT, Reason.MISSING_SECRET])
async def test_silence_is_no_reading(reason) -> None:
    def silent(_request):
        raise ProbeFailedError(reason, "told")

    with pytest.raises(ProbeFailedError) as caught:
        await read(silent)

    assert caught.value.reason is reason


@pytest.fixture
def on_loopback(serve):
    """What the kind reads of a real peer that sends these lines to APP, and nothing to anybody else."""

    async def measurement(*lines, status="200 OK"):
        async def act(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            peer.heads.append(head)
            sent = lines if f"origin: {APP}\r\n" in head.decode().lower() else ()
            answer = [f"HTTP/1.1 {status}", "Content-Length: 0", *sent]
            writer.write("".join(f"{line}\r\n" for line in [*answer, ""]).encode())
            await writer.drain()

        port, peer = await serve(act=act)
        address = Address(Endpoint("api.test", port), "127.0.0.1")
        http = Http(run="test", rate=(1000, 1.0))
        readings = await measured(http.probe_client(address=address, timeout=2), f"http://api.test:{port}")
        return readings, peer

    return measurement


async def test_two_lines_of_the_same_origin_are_one_value_that_nobody_is(on_loopback) -> None:
    once, peer = await on_loopback(f"Access-Control-Allow-Origin: {APP}", "Vary: Accept", "Vary: Origin")
    twice, _ = await on_loopback(*[f"Access-Control-Allow-Origin: {APP}"] * 2, "Vary: Origin")

    assert counts(once) == (0, 0)
    assert counts(twice) == (2, 0)
    assert f"{APP}, {APP}" in twice.summary
    assert peer.heads[0].startswith(b"OPTIONS /items HTTP/1.1\r\n")
    assert peer.heads[1].startswith(b"GET /items HTTP/1.1\r\n")


async def test_a_real_401_speaks_of_origins_too(on_loopback) -> None:
    readings, _ = await on_loopback(f"Access-Control-Allow-Origin: {APP}", "Vary: Origin", status="401 Unauthorized")

    assert counts(readings) == (1, 0)  # the preflight must not be asked who it is
    assert readings.summary == f"{APP} is refused by the preflight for GET: status 401"


def test_look_alikes_of_one_origin() -> None:
    null, stranger, *others = look_alikes([APP])

    assert null == "null"
    assert stranger.startswith("https://")
    assert others == [
        "https://app.example.test.evil.test",
        "https://evilapp.example.test",
        "https://appxexample.test",
        "https://evil.app.example.test",
        "http://app.example.test",
        "https://app.example.test:8443",
    ]


def test_look_alikes_keep_the_port_and_leave_out_what_is_allowed() -> None:
    others = look_alikes([SHOP, "http://shop.example.test:8443"])[2:]

    assert "https://shop.example.test.evil.test:8443" in others
    assert "https://shop.example.test:9443" in others
    assert "http://shop.example.test:8443" not in others
    assert look_alikes(["http://[::1]:3000"])[2:] == ("https://[::1]:3000", "http://[::1]:8443")
    assert "http://localhost:3000" not in look_alikes(["http://localhost:3000"])


def test_look_alikes_of_many_origins_are_bounded_and_the_worst_of_each_come_first() -> None:
    origins = [f"https://app{number}.example.test" for number in range(8)]

    found = look_alikes(origins)

    assert len(found) == len(set(found)) == 24
    assert {f"{origin}.evil.test" for origin in origins} <= set(found)


ORIGIN = st.builds(
    "{}://{}{}".format, st.sampled_from(["http", "https"]), st.from_regex(r"[a-z0-9.-]{1,20}"), st.just("")
)


@given(st.lists(st.text(), min_size=1, max_size=8) | st.lists(ORIGIN, min_size=1, max_size=8))
def test_origins_are_refused_or_have_foreign_look_alikes(origins) -> None:
    try:
        config = CorsProbe(kind="cors", path="/", origins=origins)
    except ValidationError:
        return
    found = look_alikes(config.origins)

    assert 3 <= len(found) <= 24
    assert not {*found} & {*config.origins}


@given(st.lists(st.tuples(st.sampled_from(["Access-Control-Allow-Origin", "Vary"]), st.text("*,;\t aO", max_size=9))))
async def test_no_header_breaks_the_judgement(headers) -> None:
    readings = await read(lambda _request: httpx.Response(200, headers=headers))

    assert readings.values["foreign_with_credentials"] == Exact(0)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"origins": []}, "at least 1"),
        ({"origins": [f"https://a{number}.test" for number in range(9)]}, "at most 8"),
        ({"origins": ["*"]}, "no origin"),
        ({"origins": ["null"]}, "no origin"),
        ({"origins": ["https://app.test/"]}, "no origin"),
        ({"origins": ["https://App.test"]}, "no origin"),
        ({"origins": ["https://app.test:443"]}, "no origin"),
        ({"origins": ["http://app.test:80"]}, "no origin"),
        ({"origins": ["https://app.test:99999"]}, "no origin"),
        ({"origins": ["https://user@app.test"]}, "no origin"),
        ({"origins": ["app.test"]}, "no origin"),
        ({"origins": ["https://*.test"]}, "no origin"),
        ({"methods": []}, "at least 1"),
        ({"methods": ["get"]}, "GET"),
        ({"headers": ["X Any"]}, "pattern"),
        ({"url": "https://b.test/"}, "either 'path' or 'url'"),
        ({"credential": True}, "Extra inputs"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings, told) -> None:
    with pytest.raises(ValidationError, match=told):
        CorsProbe.model_validate({"kind": "cors", "path": "/items", "origins": [APP]} | settings)


def test_an_application_s_own_scheme_is_an_origin() -> None:
    config = CorsProbe(kind="cors", url="https://api.test:8443/items", origins=["capacitor://localhost"])

    assert config.origins == ("capacitor://localhost",)
    assert KIND.endpoint(config, BASE) == Endpoint("api.test", 8443)
