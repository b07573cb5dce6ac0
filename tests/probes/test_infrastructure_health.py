"""Which components does a target call healthy? Every dialect by its shape; an unknown one is never a pass."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from builders import NOW, mocked
from hypothesis import example, given, strategies as st
from pydantic import ValidationError

from probekit.model.history import History
from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.readings import Exact
from probekit.probe import Context
from probekit.probes.infrastructure_health import KIND, InfrastructureHealth, components
from probekit.transport.client import Http
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint

BASE = "https://app.test"
PATH = "/api/infrastructure/health"
ADDRESS = Address(Endpoint("app.test", 443), "192.0.2.1")
STORES = {"database": "required", "cache": "required", "queue": "optional"}
METRICS = ("unhealthy_required", "unhealthy_undeclared", "missing_components")


async def read(body, status=200, media_type="application/json", headers=None, absent=404, **settings):
    """What the kind reads when its URL answers like this, and every other path with a 404."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(request):
        if request.url.path == PATH:
            return httpx.Response(status, content=content, headers={"Content-Type": media_type} | (headers or {}))
        return httpx.Response(absent, content=content if absent == 200 else b"", headers={"Content-Type": media_type})

    return await _measured(answer, **settings)


def answer_of(document):
    """The answer of a server that says this."""
    phases = Phases(connect=0, tls=None, first_byte=0, response=0, total=0, arrived=0, local_delay=0)
    body = json.dumps(document).encode()
    return Answer(url=BASE, address=ADDRESS, status=200, headers=(), body=body, phases=phases)


async def _measured(answer, *, answered=False, **settings):
    measurement = Http(run="test", rate=(1000, 1.0), send=mocked(httpx.MockTransport(answer))).probe_client(
        address=ADDRESS, timeout=1
    )
    known = History(answered=frozenset({measurement.question(f"{BASE}{PATH}")} if answered else ()))
    context = Context(
        base_url=BASE, timeout=1, http=measurement, reveal=str, now=lambda: NOW, address=ADDRESS, history=known
    )
    config = InfrastructureHealth(kind="infrastructure_health", path=PATH, **settings)
    return await KIND.measure(config, context)


def numbers(readings):
    """Required, undeclared, missing; the reason where there is no number."""
    assert readings.values["up"] == Exact(1)
    values = [readings.values[name] for name in METRICS]
    return tuple(value.reason if isinstance(value, Failure) else int(value.value) for value in values)


# In each dialect the words stand for the database, the cache and the queue.
DIALECTS = {
    "the demo's": lambda a, b, c: {
        "status": "ok",
        "components": {"database": {"status": a}, "cache": {"status": b}, "queue": {"status": c}},
    },
    "Spring Boot": lambda a, b, c: {
        "status": "UP",
        "groups": ["liveness", "readiness"],
        "components": {
            "database": {"status": a, "details": {"database": "PostgreSQL", "validationQuery": "isValid()"}},
            "cache": {"status": b, "details": {"version": "7.2", "exists": False}},
            "queue": {"status": c},
        },
    },
    "Spring Boot 2.1": lambda a, b, c: {
        "status": "UP",
        "details": {"database": {"status": a, "details": {"hello": 1}}, "cache": {"status": b}, "queue": {"status": c}},
    },
    "Spring Boot 1": lambda a, b, c: {
        "status": "UP",
        "database": {"status": a, "database": "H2", "hello": 1},
        "cache": {"status": b, "total": 5, "free": 4},
        "queue": {"status": c},
    },
    "ASP.NET": lambda a, b, c: {
        "status": "Healthy",
        "totalDuration": "00:00:00.05",
        "results": {
            "database": {"status": a, "description": None, "data": {"state": "ok"}, "tags": ["db"]},
            "cache": {"status": b, "duration": "00:00:00.01", "data": {}},
            "queue": {"status": c, "exception": None},
        },
    },
    "ASP.NET UI": lambda a, b, c: {
        "status": "Healthy",
        "totalDuration": "00:00:00.05",
        "entries": {"database": {"data": {}, "status": a}, "cache": {"status": b}, "queue": {"status": c}},
    },
    "ASP.NET, a list": lambda a, b, c: {
        "status": "Healthy",
        "checks": [{"name": "database", "status": a}, {"name": "cache", "status": b}, {"name": "queue", "status": c}],
    },
    "health+json": lambda a, b, c: {
        "status": "pass",
        "version": "1",
        "releaseId": "1.2.2",
        "notes": [""],
        "output": "",
        "serviceId": "f03e522f-1f44-4062-9b55-9587f91c9c41",
        "description": "health of the shop",
        "links": {"about": "http://api.example.com/about"},
        "checks": {
            "database:responseTime": [
                {"componentId": "dfd6cf2b", "componentType": "datastore", "observedValue": 250, "status": a},
                {"componentId": "9e1c0f0a", "node": 2, "observedUnit": "ms", "status": "pass"},
            ],
            "cache:connections": [{"observedValue": 75, "status": b, "time": "2018-01-17T03:36:48Z"}],
            "queue": [{"status": c}],
        },
    },
    "NestJS terminus": lambda a, b, c: {
        "status": "ok",
        "info": {"database": {"status": a}},
        "error": {"cache": {"status": b, "message": "told"}},
        "details": {"database": {"status": a}, "cache": {"status": b, "message": "told"}, "queue": {"status": c}},
    },
    "flat": lambda a, b, c: {"database": a, "cache": b, "queue": c},
    "flat, with a word": lambda a, b, c: {
        "status": "ok",
        "database": a,
        "cache": b,
        "queue": c,
        "version": "1.2.3",
        "uptime": 123.4,
        "timestamp": "2026-11-23T10:30:00Z",
        "started_at": "today",
        "service": "shop",
        "workers": 4,
        "memory": {"rss": 5, "unit": "MB"},
        "error": None,
        "timed_out": False,
    },
    "keys with _status": lambda a, b, c: {"database_status": a, "cacheStatus": b, "queue-health": c},
    "one map": lambda a, b, c: {"checks": {"database": a, "cache": b, "queue": c}},
    "nested maps": lambda a, b, c: {
        "healthy": True,
        "data": {"services": {"database": {"state": a}, "cache": {"health": b}, "queue": {"status": c}}},
    },
    "wrapped": lambda a, b, c: {"data": {"status": "ok", "components": {"database": a, "cache": b, "queue": c}}},
    "a list of states": lambda a, b, c: [
        {"component": "database", "state": a},
        {"service": "cache", "healthy": b},
        {"name": "queue", "health": c},
    ],
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("word", ["ok", "UP", "Healthy", "pass", "working", "connected", True])
async def test_healthy_components_are_read_in_every_dialect(dialect, word) -> None:
    readings = await read(DIALECTS[dialect](word, word, word), components=STORES)

    assert numbers(readings) == (0, 0, 0)
    assert readings.summary.startswith("200 from 192.0.2.1:443, ")
    assert "3 components, all healthy" in readings.summary


@pytest.mark.parametrize("status", [200, 500, 503])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("word", ["down", "DOWN", "Unhealthy", "fail", "OUT_OF_SERVICE", "error: refused", False])
async def test_a_component_that_is_down_is_counted_in_every_dialect(dialect, word, status) -> None:
    good = not word if isinstance(word, bool) else "ok"

    assert numbers(await read(DIALECTS[dialect](word, good, good), status, components=STORES)) == (1, 0, 0)
    assert numbers(await read(DIALECTS[dialect](word, word, good), status, components=STORES)) == (2, 0, 0)
    assert numbers(await read(DIALECTS[dialect](good, good, word), status, components=STORES)) == (0, 0, 0)
    assert numbers(await read(DIALECTS[dialect](good, good, word), status)) == (0, 1, 0)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("word", ["degraded", "WARN", "kaputt", "true", "", None, 1, "d\x1b[31m\u202e"])
async def test_a_word_that_is_neither_good_nor_bad_is_never_a_pass(dialect, word) -> None:
    required = await read(DIALECTS[dialect](word, "ok", "ok"), components=STORES)
    optional = await read(DIALECTS[dialect]("ok", "ok", word), components=STORES)

    assert numbers(required) == (Reason.BAD_RESPONSE, 0, 0)
    assert json.dumps(word) in required.values["unhealthy_required"].detail
    assert numbers(optional) == (0, 0, 0)
    assert f'"queue" (optional) reports {json.dumps(word)}' in optional.summary


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_undeclared_component_of_an_unclear_word_is_no_number_either(dialect) -> None:
    readings = await read(DIALECTS[dialect]("ok", "degraded", "ok"))

    assert numbers(readings) == (0, Reason.BAD_RESPONSE, 0)
    assert 'components = { NAME = "optional" }' in readings.values["unhealthy_undeclared"].detail


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_is_declared_and_not_listed_is_missing(dialect) -> None:
    body = DIALECTS[dialect]("ok", "ok", "ok")
    readings = await read(body, components=STORES | {"mail": "required", "search": "optional"})

    assert numbers(readings) == (0, 0, 2)
    assert '"mail" is missing; "search" is missing' in readings.summary


@pytest.mark.parametrize(
    ("body", "status", "counted"),
    [
        ({"status": "degraded", "components": {"database": "ok", "cache": "ok", "queue": "down"}}, 200, (0, 0, 0)),
        ({"status": "down", "components": {"database": "ok", "cache": "ok", "queue": "down"}}, 503, (0, 0, 0)),
        ({"status": "ok", "components": {"database": "down", "cache": "ok", "queue": "ok"}}, 200, (1, 0, 0)),
        ({"status": "down", "components": {"database": "ok", "cache": "ok", "queue": "ok"}}, 200, (1, 0, 0)),
        ({"status": "ok", "components": {"database": "ok", "cache": "ok", "queue": "ok"}}, 503, (1, 0, 0)),
        ({"status": "down", "components": {"database": "ok", "cache": "ok", "queue": "ok", "x": "down"}}, 503,
         (0, 1, 0)),
        ({"status": "down", "components": {"database": "degraded", "cache": "ok", "queue": "ok"}}, 503, (1, 0, 0)),
        ({"status": "degraded", "components": {"database": "ok", "cache": "ok", "queue": "ok"}}, 200,
         (Reason.BAD_RESPONSE, 0, 0)),
        ({"status": "banana", "components": {"database": "ok", "cache": "ok", "queue": "ok"}}, 200,
         (Reason.BAD_RESPONSE, 0, 0)),
        ({"status": "down", "components": {"database": "ok", "cache": "ok", "queue": "degraded"}}, 503,
         (Reason.BAD_RESPONSE, 0, 0)),  # only an optional one may be unwell: we cannot tell
        ({"status": "down", "components": {"database": "down"}}, 503, (1, 0, 2)),
        ({"status": "ok", "healthy": False, "database": "ok", "cache": "ok", "queue": "ok"}, 200, (1, 0, 0)),
    ],
)  # fmt: skip
async def test_where_a_component_is_bad_the_components_decide(body, status, counted) -> None:
    assert numbers(await read(body, status, components=STORES)) == counted


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ({"status": "DOWN"}, "application/json"),
        ({"ready": False}, "application/json"),
        (b"DOWN", "text/plain"),
        (b'"unhealthy"', "application/json"),
        (b"Unhealthy\n", "text/plain; charset=utf-8"),
    ],
)
async def test_a_200_that_says_down_is_down_and_a_bare_body_misses_nothing(body, media_type) -> None:
    assert numbers(await read(body, media_type=media_type, components=STORES)) == (1, 0, 0)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<html>502 Bad Gateway", "text/html"),
        (b"", "text/plain"),
        (b"oops", "text/plain"),
        (b"[" * 100_000, "application/json"),
        ({"error": "Internal Server Error"}, "application/json"),
        ({"status": "ok"}, "application/json"),
        (b"\xff", "application/json"),
    ],
)
async def test_a_5xx_without_a_component_map_is_one_that_is_unhealthy(body, media_type) -> None:
    assert numbers(await read(body, 502, media_type, components=STORES)) == (1, 0, 0)
    readings = await read(body, 500, media_type)
    assert numbers(readings) == (1, 0, 0)
    assert readings.summary.startswith("500 from 192.0.2.1:443: ")
    assert readings.summary.endswith("no component is listed")


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"OK", "text/plain"),
        (b"Healthy", "text/plain"),
        (b'{"status": "pass"}', "text/plain"),
        ({"status": "UP"}, "application/vnd.spring-boot.actuator.v3+json"),
        ({"ready": True}, "application/json"),
        ("ok", "application/json"),
        ({"status": "ok", "version": "1.2", "uptime": 5, "region": "eu"}, "application/json"),
    ],
)
async def test_a_good_word_alone_is_good_and_lists_nothing_that_is_declared(body, media_type) -> None:
    nothing = await read(body, media_type=media_type)

    assert numbers(nothing) == (Reason.BAD_RESPONSE, 0, 0)
    assert 'components = { NAME = "required" }' in nothing.values["unhealthy_required"].detail
    assert numbers(await read(body, media_type=media_type, components=STORES)) == (0, 0, 3)


async def test_django_s_500_tells_which_check_failed() -> None:
    body = {
        "Cache backend: default": "working",
        "DatabaseBackend": "unavailable: could not connect to server",
        "DiskUsage": "warning: 91 % used",
    }
    known = {"Cache backend": "required", "DatabaseBackend": "required", "DiskUsage": "optional"}

    assert numbers(await read(body, 500, components=known)) == (1, 0, 0)
    assert numbers(await read(body, 500, components=known | {"DatabaseBackend": "optional"})) == (0, 0, 0)


@pytest.mark.parametrize(
    ("db", "components", "counted"),
    [
        ({"status": "DOWN", "components": {"a": {"status": "UP"}, "b": {"status": "DOWN"}}}, {}, (0, 1, 0)),
        ({"status": "DOWN", "components": {"a": {"status": "UP"}, "b": {"status": "DOWN"}}},
         {"db": "required"}, (1, 0, 0)),
        ({"status": "DOWN", "components": {"a": {"status": "DOWN"}, "b": {"status": "DOWN"}}},
         {"db": "required"}, (1, 0, 0)),
        ({"status": "DOWN", "components": {"a": {"status": "UP"}, "b": {"status": "DOWN"}}},
         {"db": "required", "db.b": "optional"}, (0, 0, 0)),
        ({"status": "DOWN", "components": {"a": {"status": "UP"}, "b": {"status": "UP"}}},
         {"db": "required"}, (1, 0, 0)),
        ({"status": "UP", "components": {"a": {"status": "DOWN"}}}, {"db": "required"}, (1, 0, 0)),
        ({"status": "UP", "details": {"a": {"status": "DOWN"}}}, {"db": "required"}, (1, 0, 0)),
        ({"a": {"status": "UP"}, "b": {"status": "DOWN"}}, {"db.b": "required"}, (1, 0, 0)),
        ({"b": {"c": "down", "d": "down"}}, {"db": "required", "db.b": "optional"}, (0, 0, 0)),
        ({"status": "DOWN", "components": {"b": {"status": "DOWN"}}},
         {"db": "required", "db.b": "optional"}, (0, 0, 0)),
        ({"primary": "up", "replica": "down"}, {"db": "required"}, (1, 0, 0)),
        ([{"name": "a", "status": "up"}, {"name": "b", "status": "down"}], {"db": "required"}, (1, 0, 0)),
        ({"latency_ms": 3}, {"db": "required"}, (Reason.BAD_RESPONSE, 0, 0)),
        ({"latency_ms": 3}, {"db": "optional"}, (0, 0, 0)),
        ({"latency_ms": 3}, {}, (0, Reason.BAD_RESPONSE, 0)),
        ([], {"db": "required"}, (Reason.BAD_RESPONSE, 0, 0)),
    ],
)  # fmt: skip
async def test_a_component_and_its_parts_are_one_where_it_is_declared(db, components, counted) -> None:
    body = {"status": "UP", "components": {"db": db, "disk": {"status": "UP"}}}

    assert numbers(await read(body, components=components)) == counted


@pytest.mark.parametrize(
    ("body", "media_type", "told"),
    [
        (b"", "application/json", "the body is empty"),
        (b"<!doctype html><p>ok</p>", "text/html", "a page"),
        (b"  <html>ok</html>", "application/json", "a page"),
        (b"fine, thank you", "text/plain", 'its status "fine, thank you" is neither good nor bad'),
        ({}, "application/json", "the body's keys are none"),
        ([], "application/json", "the body is []"),
        (["ok"], "application/json", 'the body is ["ok"]'),
        (b"true", "application/json", "the body is true"),
        (b"null", "application/json", "the body is null"),
        (b"200", "application/json", "the body is 200"),
        ({"status": "banana"}, "application/json", '"banana" is neither good nor bad'),
        ({"status": "degraded"}, "application/json", '"degraded" is neither good nor bad'),
        ({"status": None}, "application/json", "null is neither good nor bad"),
        ({"status": 200}, "application/json", "200 is neither good nor bad"),
        ({"a": "b"}, "application/json", 'the body\'s keys are "a"; set the place: at = "$...."'),
        (
            {"a": 1, "things": {"b": [1]}},
            "application/json",
            'keys are "a", "things"; set the place: at = "$.things"',
        ),
        ({'x"]': {"b": 1}}, "application/json", 'at = "$...."'),
        ({"components": {}}, "application/json", 'at = "$.components"'),
        ({"checks": {"a": "b"}}, "application/json", 'at = "$.checks"'),
        (b'{"database": "ok", "database": "down"}', "application/json", "a repeated key"),
        (b'{"database": "ok", "load": NaN}', "application/json", "NaN is not a JSON number"),
        (b'{"database": "ok"', "application/json", "not valid JSON"),
        (b"[" * 100_000, "application/json", "nested too deeply"),
        ({str(n): "ok" for n in range(201)}, "application/json", "more than 200 components"),
        ({"checks": [{"name": "a", "status": "ok"}] * 201}, "application/json", "more than 200 components"),
    ],
)
async def test_what_cannot_be_read_is_no_reading(body, media_type, told) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read(body, media_type=media_type)

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert caught.value.detail.startswith("200 from 192.0.2.1:443: ")
    assert told in caught.value.detail


async def test_components_within_components_end_somewhere() -> None:
    body: dict[str, Any] = {"status": "down"}
    for _ in range(20):
        body = {"status": "ok", "components": {"one": body}}

    with pytest.raises(ProbeFailedError, match="more than 8 levels"):
        await read(body)


@pytest.mark.parametrize("status", [301, 404, 418])
async def test_one_that_was_answered_well_before_is_bad_now(status) -> None:
    readings = await read({"status": "ok"}, status, answered=True)

    assert numbers(readings) == (1, 0, 0)
    assert not readings.answered
    assert (await read({"status": "ok", "db": {"status": "ok"}}, answered=True)).answered


@pytest.mark.parametrize("status", [301, 400, 404, 418])
async def test_a_question_that_was_never_answered_well_may_be_wrong_itself(status) -> None:
    with pytest.raises(ProbeFailedError, match=f"{status} for .*: no recorded run got the expected answer") as caught:
        await read({"status": "ok"}, status, headers={"Location": "/moved?next=hidden"})

    assert caught.value.reason is Reason.BAD_RESPONSE
    assert "hidden" not in caught.value.detail


@pytest.mark.parametrize(
    ("status", "headers"),
    [(401, {}), (403, {}), (407, {}), (429, {}), (503, {"cf-mitigated": "challenge"}),
     (405, {"x-amzn-waf-action": "captcha"})],
)  # fmt: skip
async def test_being_access_denied_is_no_failure_of_the_target(status, headers) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read({"status": "down"}, status, headers=headers)

    assert caught.value.reason is Reason.ACCESS_DENIED


async def test_a_server_that_answers_anything_proves_nothing() -> None:
    with pytest.raises(ProbeFailedError, match="answers anything") as caught:
        await read({"status": "ok"}, absent=200)

    assert caught.value.reason is Reason.BAD_RESPONSE


async def test_silence_is_up_0_and_gives_no_other_number() -> None:
    def silent(_request):
        raise ProbeFailedError(Reason.UNREACHABLE, "connection refused by 192.0.2.1:443")

    readings = await _measured(silent, components=STORES)

    assert readings.values == {"up": Exact(0)}
    assert readings.summary == "connection refused by 192.0.2.1:443"


@pytest.mark.parametrize("reason", [Reason.UNTRUSTED, Reason.TIMEOUT, Reason.MISSING_SECRET, Reason.UNRESOLVED])
async def test_any_other_trouble_is_no_reading_of_up(reason) -> None:
    def trouble(_request):
        raise ProbeFailedError(reason, "told")

    with pytest.raises(ProbeFailedError) as caught:
        await _measured(trouble)

    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("at", "body", "counted"),
    [
        ("$.things", {"things": {"database": "ok", "cache": "down"}}, (1, 0, 1)),
        ("$.things", {"status": 2, "things": {"database": "ok", "cache": "ok", "queue": "ok"}}, (0, 0, 0)),
        ("$.things", {"status": "down", "things": {"database": "ok", "cache": "ok", "queue": "ok"}}, (1, 0, 0)),
        ("$.a[0].b", {"a": [{"b": [{"name": "database", "status": "ok"}]}]}, (0, 0, 2)),
        ("$.a.word", {"a": {"word": "down"}}, (1, 0, 0)),
    ],
)
async def test_the_configuration_says_where_the_component_map_is(at, body, counted) -> None:
    assert numbers(await read(body, at=at, components=STORES)) == counted


async def test_nothing_at_that_place_is_no_reading() -> None:
    with pytest.raises(ProbeFailedError, match=r"nothing at \$\.things; the body's keys are \"status\""):
        await read({"status": "ok"}, at="$.things")
    with pytest.raises(ProbeFailedError, match=r"keys are \"things\"; check at = '\$\.things'"):
        await read({"things": {"a": 1}}, at="$.things")

    assert numbers(await read({"status": "ok"}, 503, at="$.things")) == (1, 0, 0)


@pytest.mark.parametrize(
    ("beside", "counted"),
    [
        ({"maintenance": False}, (0, 0, 0)),
        ({"maintenance": True}, (Reason.BAD_RESPONSE, 0, 0)),
        ({"errors": []}, (0, 0, 0)),
        ({"errors": ["x"]}, (Reason.BAD_RESPONSE, 0, 0)),
        ({"failures": 0}, (0, 0, 0)),
        ({"failures": 2}, (Reason.BAD_RESPONSE, 0, 0)),
    ],
)
async def test_what_is_good_when_it_is_false_or_empty_may_be_declared(beside, counted) -> None:
    declared = {"db": "required"} | dict.fromkeys(beside, "required")

    assert numbers(await read({"status": "ok", "db": "ok"} | beside, components=declared)) == counted


def test_what_is_not_well_beside_a_whole_that_is_can_do_so() -> None:
    def needs(document):
        return components(answer_of(document))

    well = {"status": "UP", "components": {"db": {"status": "UP"}, "mail": {"status": "DOWN"}}}
    assert needs(well) == {"db": "required", "mail": "optional"}
    assert needs(well | {"status": "DOWN"}) == {"db": "required", "mail": "required"}
    assert needs({"status": "ok", "maintenance": True, "db": "ok"}) == {"maintenance": "optional", "db": "required"}


async def test_a_component_may_be_named_like_anything() -> None:
    body = {"status": "ok", "version": "ok", "database_status": "ok", "errors": True}
    components = {"status": "required", "version": "required", "database_status": "required", "errors": "required"}

    assert numbers(await read(body, components=components)) == (1, 0, 0)


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        ({"status": "ok", "maintenance": False, "db": {"status": "ok"}}, (0, 0, 0)),
        ({"status": "ok", "maintenance": True, "db": {"status": "ok"}}, (0, Reason.BAD_RESPONSE, 0)),
        ({"Status": "Healthy", "Checks": [{"Name": "db", "Status": "Healthy"}]}, (0, 0, 0)),
        ({"Status": "Unhealthy", "Checks": [{"Name": "db", "Status": "Unhealthy"}]}, (1, 0, 0)),
        ({"status": "ok", "db": {"status": "ok"}, "errors": ["x"]}, (0, Reason.BAD_RESPONSE, 0)),
    ],
)
async def test_flags_capitals_and_errors_are_read_as_what_they_are(body, counted) -> None:
    assert numbers(await read(body, components={"db": "required"})) == counted


async def test_an_ignored_component_is_none() -> None:
    body = {"status": "ok", "components": {"db": "ok", "mail": "down"}, "errors": ["x"]}

    assert numbers(await read(body, components={"db": "required"}, ignore=["mail", "errors"])) == (0, 0, 0)


async def test_a_claim_of_the_opposite_is_read_as_such() -> None:
    assert numbers(await read({"database": "ok", "cache_down": True})) == (0, 1, 0)
    assert numbers(await read({"database": "ok", "cache_down": False})) == (0, 0, 0)


async def test_a_component_that_one_of_our_probes_looks_at_is_required_and_kept_for_the_judge() -> None:
    components = {"database": "database.primary", "cache": "cache", "queue": "optional"}
    readings = await read({"database": "down", "cache": "ok", "queue": "ok"}, components=components)
    config = InfrastructureHealth(kind="infrastructure_health", path=PATH, components=components)

    assert numbers(readings) == (1, 0, 0)
    assert readings.notes["mapped"] == '"database" = database.primary, "cache" = cache'
    assert config.mapped == {"database": "database.primary", "cache": "cache"}


async def test_what_the_target_says_is_escaped_and_cut() -> None:
    hostile = {f"\x1b[31m\u202e{n}" + "n" * 1000: "down\n" + "x" * 1000 for n in range(150)} | {"a": "down"}
    readings = await read({"components": hostile})

    assert numbers(readings) == (0, 1, 0) or readings.values["unhealthy_undeclared"] == Exact(1)
    assert readings.summary.isascii()
    assert readings.summary.isprintable()
    assert len(readings.summary) < 1500
    assert readings.summary.startswith('200 from 192.0.2.1:443: "a" (undeclared) reports "down"; ')
    assert readings.summary.endswith("; and 143 more")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"path": None}, "either 'path' or 'url'"),
        ({"url": "https://b.test/"}, "either 'path' or 'url'"),
        ({"components": {"database": "Required"}}, '"Required" is neither "required" nor "optional"'),
        ({"components": {"database": "not a probe"}}, "nor the name of a probe"),
        ({"components": {"": "required"}}, "at least 1 character"),
        ({"components": ["database"]}, "dict"),
        ({"at": "things"}, "RFC 9535"),
        ({"follow": 1}, "Extra inputs"),
    ],
)
def test_settings_that_say_nothing_are_refused(settings, told) -> None:
    with pytest.raises(ValidationError, match=told):
        InfrastructureHealth(**{"kind": "infrastructure_health", "path": PATH} | settings)


def test_it_connects_below_the_base_url_or_elsewhere() -> None:
    here = InfrastructureHealth(kind="infrastructure_health", path=PATH)
    there = InfrastructureHealth(kind="infrastructure_health", url="https://other.test:8443/x")

    assert KIND.endpoint(here, BASE) == Endpoint("app.test", 443)
    assert KIND.endpoint(there, BASE) == Endpoint("other.test", 8443)


KEYS = st.sampled_from(
    ["status", "components", "checks", "details", "data", "name", "database", "cache_status", "error", "info", "a.b"]
)
JUNK = st.recursive(
    st.none()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["junk", "true", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["ok", "DOWN", "warn", "junk"]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(body=JUNK, components=st.sampled_from([{}, STORES, {"database": "optional"}]))
@example(body={"components": {"database": "junk"}}, components={"database": "optional"})
def test_junk_is_never_a_pass(body, components) -> None:
    try:
        readings = asyncio.run(read(body, components=components))
    except ProbeFailedError as error:
        assert_is_bad_response(error)
        return

    assert numbers(readings) != (0, 0, 0)


@given(body=WORDS, status=st.sampled_from([200, 204, 500, 503]), components=st.sampled_from([{}, STORES]))
def test_any_document_is_a_reading_or_expected_trouble(body, status, components) -> None:
    try:
        readings = asyncio.run(read(body, status, components=components))
    except ProbeFailedError as error:
        assert_is_bad_response(error)
        return

    assert set(readings.values) == KIND.metric_names
    assert readings.summary.isascii()


@given(body=st.binary(max_size=60), status=st.sampled_from([200, 500]))
def test_any_bytes_are_a_reading_or_expected_trouble(body, status) -> None:
    try:
        readings = asyncio.run(read(body, status))
    except ProbeFailedError as error:
        assert_is_bad_response(error)
        return

    assert status == 500
    assert numbers(readings) == (1, 0, 0)


def assert_is_bad_response(error) -> None:
    assert error.reason is Reason.BAD_RESPONSE
    assert error.detail.isascii()
