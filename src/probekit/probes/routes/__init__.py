"""Does each of a set of routes answer as declared?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final, Literal

from pydantic import Field, field_validator

from probekit.probe import (
    MADE_UP,
    Answer,
    Context,
    Duration,
    Endpoint,
    Exact,
    FreshConfig,
    Kind,
    MadeUpPathConfig,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    RepeatedConfig,
    Where,
)
from probekit.probes._support.questions import doubt_of_question
from probekit.probes._support.statuses import Statuses, in_words, is_expected
from probekit.transport.body import PAGE
from probekit.transport.client import ProbeClient
from probekit.transport.urls import endpoint_of

MOST: Final = 20  # routes of one table
_AT_ONCE: Final = 4
_TOLD: Final = 8  # routes that a line of evidence names
_EXPECT: Final = "look at the path, or say which status is due: expect"
_SILENT: Final = (Reason.UNREACHABLE, Reason.TIMEOUT)


class Route(Where):
    """One URL and the statuses that it must answer with."""

    name: str | None = Field(None, min_length=1, max_length=60, description="what the report calls it")
    method: Literal["GET", "HEAD"] = Field("GET", description="how it is asked")
    expect: Statuses = Field(
        (), description="the status, or a list of those, that it may answer with; any 2xx if not given"
    )
    max_age: Duration | None = Field(None, ge=0, description="how old an answer may be, instead of the table's own")
    need: Literal["required", "optional"] = Field(
        "required", description='"optional": it is shown when it misbehaves, and does not count'
    )

    def expects(self, status: int) -> bool:
        """Whether the route may answer with this status."""
        return is_expected(status, self.expect)

    @property
    def due(self) -> str:
        """The statuses that it may answer with, in words."""
        return in_words(self.expect)

    def __str__(self) -> str:
        return self.name or f"{self.method} {self.place}"


class Routes(RepeatedConfig, FreshConfig, MadeUpPathConfig):
    """The routes, each asked once a measurement."""

    kind: Literal["routes"]
    routes: tuple[Route, ...] = Field(
        max_length=MOST, description="what is asked: a path or a URL, and what it must answer"
    )

    @field_validator("routes")
    @classmethod
    def _say_something(cls, routes: tuple[Route, ...]) -> tuple[Route, ...]:
        places = [(route.method, route.path, route.url) for route in routes]
        twice = next((route for route, place in zip(routes, places, strict=True) if places.count(place) > 1), None)
        if twice:
            message = f"'{twice}' is there twice"
            raise ValueError(message)
        if all(route.need == "optional" for route in routes):
            message = "no route is required: nothing would be measured"
            raise ValueError(message)
        return routes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """How one route answered."""

    route: Route
    wrong: str = ""  # in words; empty where it is as declared
    failed: ProbeFailedError | None = None  # there is no telling
    question: str | None = None  # that was answered as declared


async def measure(config: Routes, context: Context) -> Readings:
    """One request per route, each on a new connection; a route that refuses, resets or keeps silent is unexpected."""
    slots = asyncio.Semaphore(_AT_ONCE)
    doors = [replace(context.http, waited=0.0) for _ in config.routes]  # what they wait at the same time is no sum

    async def one(route: Route, door: ProbeClient) -> _Seen:
        async with slots:
            return await _look(config, route, replace(context, http=door))

    seen = await asyncio.gather(*map(one, config.routes, doors))
    context.http.waited += max(door.waited for door in doors)
    required = [one for one in seen if one.route.need == "required"]
    wrong = sum(bool(one.wrong) for one in required)
    for route, failed in [(one.route, one.failed) for one in required if one.failed]:
        beside = f"; beside it, {wrong} not as declared" if wrong else ""
        raise ProbeFailedError(failed.reason, f"{route}: {failed.detail}{beside}") from failed
    readings = Readings(_summary(seen, wrong, len(required)), unexpected=Exact(wrong))
    readings.answered = frozenset(one.question for one in seen if one.question)
    return readings


async def _look(config: Routes, route: Route, context: Context) -> _Seen:
    url, max_age = route.target(context.base_url), config.max_age if route.max_age is None else route.max_age
    try:
        answer = await context.http.get_fresh(url, max_age=max_age, method=route.method, most=PAGE)
        await _believe(config, route, answer, context)
    except ProbeFailedError as error:
        if error.reason in _SILENT:
            return _Seen(route=route, wrong=error.detail)
        return _Seen(route=route, failed=error)
    question = context.http.question(url, route.method)
    if route.expects(answer.status):
        return _Seen(route=route, question=question)
    if doubt := doubt_of_question(context, answer, question, _EXPECT):
        return _Seen(route=route, failed=ProbeFailedError(Reason.BAD_RESPONSE, doubt))
    where = f", which points to {answer.redirect}," if answer.redirect else ""
    return _Seen(route=route, wrong=f"{answer.status} from {answer.address}{where} where {route.due} is due")


async def _believe(config: Routes, route: Route, answer: Answer, context: Context) -> None:
    """Nothing, if the answer tells of this route.

    Raises:
        ProbeFailedError: `turned_away`: a guard answered instead; `bad_response`: every path gets this answer.
    """
    is_due = route.expects(answer.status)
    if answer.is_challenge or (answer.denies_access and not is_due):
        raise answer.access_denied("configure connect.headers, or expect it")
    if not (config.made_up_path and is_due and (answer.is_success or answer.denies_access)):
        return
    url, has_body = route.target(context.base_url), route.method != "HEAD" and not answer.denies_access
    if await context.http.answers_anything(url, answer, has_body=has_body):
        who = (
            f"only the gateway at {answer.address} answered"
            if answer.denies_access
            else f"{answer.address} answers anything"
        )
        detail = f"{who}: a path that cannot exist gets the same {answer.status if answer.denies_access else 'answer'}"
        hint = "if it must, made_up_path = false asks no more, and proves less"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")


def _summary(seen: list[_Seen], wrong: int, required: int) -> str:
    """The count, and each route that is not as declared or cannot be read."""
    summary = [
        f"{one.route}{' (optional)' if one.route.need == 'optional' else ''}: "
        f"{one.failed.detail if one.failed else one.wrong}"
        for one in sorted(seen, key=lambda one: one.route.need == "optional")
        if one.failed or one.wrong
    ]
    more = [f"and {len(summary) - _TOLD} more"] if len(summary) > _TOLD else []
    return "; ".join([f"{wrong} of {required} routes not as declared", *summary[:_TOLD], *more])


def _endpoint(config: Routes, base_url: str) -> Endpoint:
    """Where most of it goes: the base URL if any route lies below it, else the first route's own host."""
    first = next((route for route in config.routes if route.path), config.routes[0])
    return endpoint_of(first.target(base_url))


KIND = Kind(
    config=Routes,
    fills=("routes", "dependencies"),
    metrics=(
        Metric(
            name="unexpected",
            unit="",
            role="answered",
            help="required routes that answer with another status than declared, or refuse, reset or keep silent",
        ),
    ),
    measure=measure,
    endpoint=_endpoint,
    default_limits=lambda _: ("unexpected == 0",),
    remembers=True,
    in_flight=1,  # measurements: each has up to four requests in flight
    requests=lambda config: len(config.routes) + MADE_UP,
    example="""\
kind = "routes"
routes = [
    { path = "/api/orders" },
    { path = "/api/me", expect = 401 },  # a protected route that says so is well
    { url = "https://pay.example.net/status", need = "optional" },
]
""",
)
