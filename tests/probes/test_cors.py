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
from probekit.transport.urls import Address, Endpoint, endpoint_of

APP = "https://app.example.test"
SHOP = "https://shop.example.test:8443"
BASE = "https://api.test"
WRITES = {"methods": ["GET", "PUT"]}
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


async def read(server, base=BASE, **settings):
    """What the kind reads of this server."""
    http = Http(run="test", rate=(1000, 1.0), send=mocked(httpx.MockTransport(server)))
    address = Address(endpoint_of(base), ADDRESS.ip)
    return await measured(http.probe_client(address=address, timeout=1), base, **settings)


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
    assert readings.summary == f"allowed as declared: {APP}; 8 foreign origins are refused"
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
    assert [request.method for request in server.asked[:2]] == ["OPTIONS", "GET"]


@pytest.mark.parametrize("foreign", look_alikes([APP])[2:])
async def test_one_look_alike_that_is_let_in_is_one_violation(foreign) -> None:
    readings = await read(Server(lets_in=lambda origin: origin in (APP, foreign)))

    assert counts(readings) == (1, 0)
    assert readings.summary == f"{foreign} is allowed"


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
    assert "is allowed with credentials" in readings.summary


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
        (
            Server(lets_in=lambda _: False),
            WRITES,
            ["preflight for PUT: Access-Control-Allow-Origin is missing", "itself"],
        ),
        (Server(only=("GET",)), WRITES, ["preflight for PUT: Access-Control-Allow-Origin is missing"]),
        (Server(only=("OPTIONS",)), WRITES, ["the request itself: Access-Control-Allow-Origin is missing"]),
        (Server(preflight=403), WRITES, ["preflight for PUT: status 403"]),
        (Server(preflight=302), WRITES, ["preflight for PUT: status 302"]),
        (Server(preflight=405), WRITES, ["preflight for PUT: status 405"]),
        (Server(value=f"{APP}/"), WRITES, [f'Access-Control-Allow-Origin is "{APP}/"', "itself"]),
        (Server(value="https://App.example.test"), WRITES, ['is "https://App.example.test"', "itself"]),
        (Server(value=f"{APP}, {SHOP}"), WRITES, ["preflight", "itself"]),
        (Server(value=f"{APP} {SHOP}"), WRITES, ["preflight", "itself"]),
        (Server(), {"methods": ["DELETE"]}, ["preflight for DELETE: Access-Control-Allow-Methods does not allow it"]),
        (
            Server(),
            {"methods": ["PUT", "PATCH", "DELETE"]},
            ["for PATCH: Access-Control-Allow-Methods", "for DELETE: Access-Control-Allow-Methods"],
        ),
        (Server(Access_Control_Allow_Methods="put"), {"methods": ["PUT"]}, ["Methods does not allow it"]),
        (Server(Access_Control_Allow_Methods="GET PUT"), {"methods": ["PUT"]}, ["Methods does not allow it"]),
        (
            Server(Access_Control_Allow_Methods="GET; PUT"),
            WRITES,
            ["for PUT: Access-Control-Allow-Methods does not allow it"],
        ),
        (Server(), {"headers": ["X-Any", "X-Other"]}, ["Access-Control-Allow-Headers does not allow X-Other"]),
        (Server(Access_Control_Allow_Headers="*"), {"headers": ["Authorization"]}, ["does not allow Authorization"]),
        (
            Server(),
            WRITES | {"credentials": True},
            ["Credentials is not true", "itself: Access-Control-Allow-Credentials"],
        ),
        (Server(Access_Control_Allow_Credentials="True"), WRITES | {"credentials": True}, ["not true", "itself"]),
        (
            Server(Access_Control_Allow_Credentials="true", Access_Control_Allow_Methods="*"),
            {"credentials": True, "methods": ["PUT"]},
            ["Methods does not allow it"],
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
    assert counts(await read(server, credentials=True)) == (10, 0)  # nor the allowed one
    assert counts(await read(server, credentials=True, **WRITES)) == (11, 0)  # twice


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
    readings = await read(Server(lets_in=lambda _: True, value=APP, varies=False), origins=[APP, SHOP], **WRITES)

    assert counts(readings) == (2, 0)
    assert readings.summary.startswith(f"{SHOP} is refused by the preflight for PUT")


async def test_an_echo_without_vary_is_one_violation() -> None:
    readings = await read(Server(lets_in=lambda origin: origin in (APP, SHOP), varies=False), origins=[APP, SHOP])

    assert counts(readings) == (1, 0)
    assert readings.summary == "Access-Control-Allow-Origin depends on the origin, but Vary does not list Origin"


async def test_many_violations_are_cut() -> None:
    readings = await read(Server(lets_in=lambda _: True), origins=[APP, SHOP])

    assert counts(readings)[0] == 14
    assert readings.summary.endswith("; 2 more")


@pytest.mark.parametrize("preflight", [301, 403, 404, 405, 501])
@pytest.mark.parametrize(
    "settings",
    [
        {"methods": ["GET"]},
        {"methods": ["GET", "HEAD", "POST"]},
        {"methods": ["GET"], "headers": ["Accept", "accept-language", "Content-Language"]},
        {"methods": ["GET"], "strict": True},
    ],
)
async def test_where_a_browser_asks_no_leave_a_refused_preflight_refuses_nothing(preflight, settings) -> None:
    assert counts(await read(Server(preflight=preflight), **settings)) == (0, 0)


@pytest.mark.parametrize(
    ("settings", "asked"),
    [
        ({"methods": ["GET", "DELETE"]}, "DELETE"),
        ({"methods": ["GET"], "headers": ["X-Any"]}, "GET"),
        ({"methods": ["POST"], "headers": ["Content-Type"]}, "POST"),  # application/json needs leave
    ],
)
@pytest.mark.parametrize("preflight", [405, 501])
async def test_where_a_browser_asks_leave_a_refused_preflight_refuses(preflight, settings, asked) -> None:
    readings = await read(Server(preflight=preflight), **settings)

    assert counts(readings) == (1, 0)
    assert readings.summary == f"{APP} is refused by the preflight for {asked}: status {preflight}"


async def test_head_is_asked_where_it_is_declared_and_get_is_not() -> None:
    server = Server(only=("HEAD",))

    assert counts(await read(server, methods=["HEAD"])) == (0, 0)
    assert {request.method for request in server.asked} == {"OPTIONS", "HEAD"}


async def test_a_route_without_get_tells_nothing_of_its_other_methods() -> None:
    with pytest.raises(ProbeFailedError, match="set path to a route with a GET") as caught:
        await read(Server(only=("OPTIONS",), status=405), methods=["PUT"])

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert counts(await read(Server(only=("OPTIONS",), status=405), **WRITES)) == (1, 0)  # it is declared
    assert counts(await read(Server(status=405), methods=["PUT"])) == (0, 0)  # it speaks of origins


async def test_that_nobody_is_let_in_takes_an_answer_of_the_route() -> None:
    def nobody(origin):
        return False

    with pytest.raises(ProbeFailedError, match=r"405 for GET .*: set path to a route with a GET"):
        await read(Server(lets_in=nobody, status=405, preflight=405), origins="none")

    assert counts(await read(Server(only=("OPTIONS",), lets_in=lambda _: True, status=405), origins="none")) == (8, 0)


class Refusing:
    """A server that answers these statuses, to requests without an Origin another one, and never a word on origins."""

    def __init__(self, preflight, status, plain):
        self.preflight, self.status, self.plain = preflight, status, plain
        self.asked = []

    def __call__(self, request):
        self.asked.append(request)
        status = self.preflight if request.method == "OPTIONS" else self.status
        return httpx.Response(status if "Origin" in request.headers else self.plain)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("settings", "preflight"),
    [({}, None), ({}, 405), (WRITES, None), ({"origins": "none"}, None), ({"origins": "*"}, None)],
)
async def test_who_is_refused_everything_is_denied_access(settings, preflight, status) -> None:
    with pytest.raises(ProbeFailedError, match=r"access denied \(40[13] from .*; configure connect.headers") as caught:
        await read(Refusing(preflight or status, status, status), **settings)

    assert caught.value.reason is Reason.ACCESS_DENIED


@pytest.mark.parametrize(
    ("server", "settings", "violations"),
    [
        (Refusing(403, 403, 200), {}, 1),  # it is the origin that is refused
        (Refusing(403, 403, 404), WRITES, 2),
        (Refusing(405, 403, 403), WRITES, 2),  # a preflight needs no login, and there is none
        (Refusing(403, 403, 200), {"origins": "none"}, 0),
        (Server(lets_in=lambda _: False, status=200), {}, 1),
    ],
)
async def test_a_refusal_of_origins_alone_is_judged(server, settings, violations) -> None:
    assert counts(await read(server, **settings)) == (violations, 0)


@pytest.mark.parametrize("allowed", ["http://api.test", "https://api.test:8443"])
async def test_the_own_origin_is_no_look_alike_of_an_allowed_one(allowed) -> None:
    base = "https://api.test" if allowed.startswith("http:") else "https://api.test:9443"
    server = Server(lets_in=lambda origin: origin in (allowed, base))

    assert counts(await read(server, base=base, origins=[allowed])) == (0, 0)
    assert base not in {request.headers["Origin"] for request in server.asked}


async def test_one_header_on_origins_makes_a_refusal_an_answer() -> None:
    server = Server(lets_in=lambda _: True, value=SHOP, preflight=403, status=403)

    readings = await read(server)

    assert counts(readings) == (2, 0)
    assert "request itself: Access-Control-Allow-Origin" in readings.summary


@pytest.mark.parametrize(
    ("server", "violations", "told"),
    [
        (Server(lets_in=lambda _: False), 0, "no origin is allowed; 8 foreign origins are refused"),
        (Server(lets_in=lambda origin: origin == BASE), 0, "no origin is allowed"),  # its own pages need no leave
        (Server(lets_in=lambda origin: origin == "null"), 1, "null is allowed"),
        (Server(lets_in=lambda origin: origin == "https://api.test.evil.test"), 1, "api.test.evil.test is allowed"),
        (Server(lets_in=lambda _: True, value="*", varies=False), 8, "null is allowed"),
        (Server(lets_in=lambda _: True, value=SHOP, varies=False), 1, f'Origin is "{SHOP}", which was not declared'),
        (
            Server(
                lets_in=lambda _: True,
                only=("OPTIONS",),
                Access_Control_Allow_Methods="GET",
                Access_Control_Allow_Headers="",
            ),
            8,
            "null is allowed",
        ),
    ],
)
async def test_nobody_is_let_in_where_that_is_declared(server, violations, told) -> None:
    readings = await read(server, origins="none")

    assert counts(readings) == (violations, 0)
    assert told in readings.summary


@pytest.mark.parametrize(
    ("server", "settings", "found"),
    [
        (Server(lets_in=lambda _: True, value="*", varies=False), {}, (0, 0)),
        (Server(lets_in=lambda _: True, value="*", varies=False), {"methods": ["PUT"], "headers": ["X-Any"]}, (0, 0)),
        (Server(lets_in=lambda _: True), {}, (0, 0)),  # an echo with Vary
        (Server(lets_in=lambda origin: origin != "null"), {}, (0, 0)),
        (Server(lets_in=lambda _: True, varies=False), {}, (1, 0)),
        (Server(), {}, (1, 0)),
        (Server(preflight=405, lets_in=lambda _: True, value="*", varies=False), {"methods": ["PUT"]}, (1, 0)),
        (Server(lets_in=lambda _: True, Access_Control_Allow_Credentials="true"), {}, (2, 2)),
        (
            Server(lets_in=lambda _: True, value="*", varies=False, Access_Control_Allow_Credentials="true"),
            {},
            (1, 0),
        ),
    ],
)
async def test_everybody_is_let_in_without_credentials_where_that_is_declared(server, settings, found) -> None:
    readings = await read(server, origins="*", **settings)

    assert counts(readings) == found


async def test_a_declared_foreign_origin_is_tried() -> None:
    server = Server(lets_in=lambda origin: origin in (APP, SHOP))

    assert counts(await read(server)) == (0, 0)
    readings = await read(server, foreign_origins=[SHOP])
    assert counts(readings) == (1, 0)
    assert readings.summary == f"{SHOP} is allowed"
    assert SHOP in readings.notes["tried"]


async def test_an_origin_that_is_named_to_others_is_let_in_too() -> None:
    class First(Server):
        def __call__(self, request):
            self.value = None if request.headers["Origin"] == APP else SHOP
            return super().__call__(request)

    readings = await read(First(lets_in=lambda _: True))

    assert counts(readings) == (1, 0)
    assert readings.summary == f'Access-Control-Allow-Origin is "{SHOP}", which was not declared'


@pytest.mark.parametrize(
    ("granted", "settings", "told"),
    [
        ({"Access_Control_Allow_Methods": "GET, PUT, DELETE"}, {}, 'method "DELETE, PUT"'),
        ({"Access_Control_Allow_Methods": "GET, PUT, DELETE"}, WRITES, 'method "DELETE"'),
        ({"Access_Control_Allow_Methods": "*"}, WRITES, 'method "*"'),
        ({"Access_Control_Allow_Headers": "X-Any, X-Other"}, {"headers": ["x-any"]}, 'header "x-other"'),
        ({"Access_Control_Allow_Headers": "*"}, {"headers": ["X-Any"]}, 'header "*"'),
        ({"Access_Control_Allow_Credentials": "true"}, {}, "credentials"),
    ],
)
async def test_a_preflight_that_grants_more_than_was_declared_is_a_note_or_strictly_a_violation(
    granted, settings, told
) -> None:
    server = Server(**({"Access_Control_Allow_Methods": "GET", "Access_Control_Allow_Headers": ""} | granted))
    needed = {"Access_Control_Allow_Methods": "GET, PUT"} if settings is WRITES else {}
    server.headers = {name.replace("_", "-"): value for name, value in needed.items()} | server.headers

    lenient = await read(server, **settings)
    strict = await read(server, **settings, strict=True)

    assert counts(lenient) == (0, 0)
    assert lenient.notes["beyond_declared"] == f"the preflight grants {APP} more than declared: {told}"
    assert counts(strict) == (1, 0)
    assert strict.summary == lenient.notes["beyond_declared"]


@pytest.mark.parametrize(
    ("server", "settings"),
    [
        (Server(Access_Control_Allow_Methods="GET, HEAD, POST, OPTIONS, PUT"), WRITES | {"headers": ["X-Any"]}),
        (Server(Access_Control_Allow_Headers="x-any, Accept"), WRITES | {"headers": ["X-Any"]}),
        (Server(preflight=405), {}),
        (Server(only=("GET",)), {}),
        (
            Server(  # with credentials a * is the name of a method
                Access_Control_Allow_Methods="PUT, *",
                Access_Control_Allow_Headers="X-Any, *",
                Access_Control_Allow_Credentials="true",
            ),
            WRITES | {"headers": ["X-Any"], "credentials": True},
        ),
    ],
)
async def test_what_was_declared_or_needs_no_leave_is_not_more(server, settings) -> None:
    readings = await read(server, **settings, strict=True)

    assert counts(readings) == (0, 0)
    assert "beyond_declared" not in readings.notes


async def test_strictly_a_method_that_was_not_declared_is_asked_for() -> None:
    class Echo(Server):
        def __call__(self, request):
            self.headers = {"Access-Control-Allow-Methods": request.headers.get("Access-Control-Request-Method", "")}
            return super().__call__(request)

    assert counts(await read(Echo(), **WRITES)) == (0, 0)
    strict = await read(Echo(), **WRITES, strict=True)
    assert counts(strict) == (1, 0)
    assert strict.summary.endswith('method "DELETE"')


async def test_a_foreign_preflight_that_allows_only_what_needs_none_is_a_note() -> None:
    class Gateway(Server):
        def __call__(self, request):
            is_preflight = request.method == "OPTIONS"
            self.value = "*" if is_preflight else None
            self.lets_in = lambda origin: is_preflight or origin == APP
            return super().__call__(request)

    simple = Gateway(Access_Control_Allow_Methods="GET,OPTIONS", Access_Control_Allow_Headers="")
    lenient, strict = await read(simple), await read(simple, strict=True)

    assert counts(lenient) == (0, 0)
    assert "the preflight allows null, but only requests that need no preflight" in lenient.notes["beyond_declared"]
    assert counts(strict) == (8, 0)
    assert counts(await read(Gateway(Access_Control_Allow_Methods="GET, PUT"))) == (8, 0)  # a real leave


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (Server(preflight=429), Reason.ACCESS_DENIED),
        (Server(preflight=407), Reason.ACCESS_DENIED),
        (Server(preflight=421), Reason.ACCESS_DENIED),
        (Server(status=511), Reason.ACCESS_DENIED),
        (Server(status=429), Reason.ACCESS_DENIED),
        (Server(status=407), Reason.ACCESS_DENIED),
        (Server(CF_Mitigated="challenge"), Reason.ACCESS_DENIED),
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

    async def measurement(*lines, status="200 OK", **settings):
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
        readings = await measured(http.probe_client(address=address, timeout=2), f"http://api.test:{port}", **settings)
        return readings, peer

    return measurement


async def test_two_lines_of_the_same_origin_are_one_value_that_nobody_is(on_loopback) -> None:
    once, peer = await on_loopback(f"Access-Control-Allow-Origin: {APP}", "Vary: Accept", "Vary: Origin")
    twice, _ = await on_loopback(*[f"Access-Control-Allow-Origin: {APP}"] * 2, "Vary: Origin")

    assert counts(once) == (0, 0)
    assert counts(twice) == (1, 0)
    assert f"{APP}, {APP}" in twice.summary
    assert peer.heads[0].startswith(b"OPTIONS /items HTTP/1.1\r\n")
    assert peer.heads[1].startswith(b"GET /items HTTP/1.1\r\n")


async def test_a_real_401_speaks_of_origins_too(on_loopback) -> None:
    lines = f"Access-Control-Allow-Origin: {APP}", "Access-Control-Allow-Methods: PUT", "Vary: Origin"
    reading, _ = await on_loopback(*lines, status="401 Unauthorized")
    writing, _ = await on_loopback(*lines, status="401 Unauthorized", **WRITES)

    assert counts(reading) == (0, 0)
    assert counts(writing) == (1, 0)  # the preflight must not be asked who it is
    assert writing.summary == f"{APP} is refused by the preflight for PUT: status 401"


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
        ({"origins": [APP, "*"]}, "cannot be combined"),
        ({"origins": ["none", "*"]}, "cannot be combined"),
        ({"origins": "anybody"}, "is not an origin"),
        ({"origins": "*", "credentials": True}, "needs named origins"),
        ({"origins": "none", "credentials": True}, "needs named origins"),
        ({"origins": "*", "foreign_origins": [SHOP]}, "remove foreign_origins"),
        ({"foreign_origins": [SHOP, APP]}, "cannot be both"),
        ({"foreign_origins": ["*"]}, "is not an origin"),
        ({"foreign_origins": [f"https://a{number}.test" for number in range(9)]}, "at most 8"),
        ({"origins": ["null"]}, "is not an origin"),
        ({"origins": ["https://app.test/"]}, "is not an origin"),
        ({"origins": ["https://App.test"]}, "is not an origin"),
        ({"origins": ["https://app.test:443"]}, "is not an origin"),
        ({"origins": ["http://app.test:80"]}, "is not an origin"),
        ({"origins": ["https://app.test:99999"]}, "is not an origin"),
        ({"origins": ["https://user@app.test"]}, "is not an origin"),
        ({"origins": ["app.test"]}, "is not an origin"),
        ({"origins": ["https://*.test"]}, "is not an origin"),
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
