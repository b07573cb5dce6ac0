"""Measure whether each of a set of routes answers as declared."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from probekit.probe import (
    MADE_UP,
    Allowance,
    Answer,
    Context,
    Endpoint,
    Exact,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
)
from probekit.probes._support.questions import doubt_of_question
from probekit.probes._support.request import ALLOWANCE, Request
from probekit.probes.routes.settings import Route, Routes
from probekit.transport.body import PAGE
from probekit.transport.client import ProbeClient
from probekit.transport.urls import endpoint_of, origin_of

_AT_ONCE: Final = 4
_TOLD: Final = 8  # routes that a line of evidence names
_EXPECT: Final = "check the path, or declare the status in 'expect'"
_SILENT: Final = (Reason.UNREACHABLE, Reason.TIMEOUT)
_ENOUGH: Final = 8  # routes in a row without a response; then no more are asked: each may hold a worker of the target


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """The result of one route."""

    route: Route
    wrong: str = ""  # what differs from the declaration; empty: nothing
    failed: ProbeFailedError | None = None  # why there is no result
    question: str | None = None  # set: it was answered as declared
    is_silent: bool = False
    is_asked: bool = True


@dataclass(slots=True)
class _Silence:
    """The number of required routes without a response since the last one that responded."""

    count: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether no more are asked."""
        return self.count >= _ENOUGH

    def note(self, seen: _Seen) -> None:
        """Count one route, in the order in which they end; optional ones often belong to another target."""
        if seen.route.need == "required":
            self.count = self.count + 1 if seen.is_silent else 0


async def measure(config: Routes, context: Context) -> Readings:
    """Send one request per route, each on a new connection; a route that refuses or does not respond is unexpected.

    After eight routes in a row without a response, no more are asked, and the rest counts as unexpected too.
    """
    requests = [route.request(context, route.place) for route in config.routes]  # raises before the first is sent
    doors = [replace(context.http, waited=0.0) for _ in range(_AT_ONCE)]  # their waits overlap: the longest counts
    silence, seen, left = _Silence(), dict[int, _Seen](), iter(enumerate(requests))

    async def ask(door: ProbeClient) -> None:
        for number, request in left:
            route = config.routes[number]
            if silence.is_enough:
                seen[number] = _Seen(route=route, wrong="not asked", is_asked=False)
            else:
                seen[number] = await _measured(config, route, request, replace(context, http=door))
                silence.note(seen[number])

    await asyncio.gather(*map(ask, doors))
    context.http.waited += max(door.waited for door in doors)
    return _readings([seen[number] for number in sorted(seen)])


def _readings(seen: list[_Seen]) -> Readings:
    required = [one for one in seen if one.route.need == "required"]
    wrong = sum(bool(one.wrong) for one in required)
    for route, failed in [(one.route, one.failed) for one in required if one.failed]:
        others = f"; {wrong} more not as declared" if wrong else ""
        raise ProbeFailedError(failed.reason, f"{route}: {failed.detail}{others}") from failed
    readings = Readings(_summary(seen, wrong, len(required)), unexpected=Exact(wrong))
    readings.answered = frozenset(one.question for one in seen if one.question)
    return readings


async def _measured(config: Routes, route: Route, request: Request, context: Context) -> _Seen:
    url, max_age = route.target(context.base_url), config.max_age if route.max_age is None else route.max_age
    try:
        answer = await context.http.get_fresh(
            url,
            max_age=max_age,
            method=route.method,
            headers=request.headers,
            content=request.content,
            most=PAGE,
        )
        await _require_own_answer(config, route, answer, request, context)
    except ProbeFailedError as error:
        if error.reason in _SILENT:
            return _Seen(route=route, wrong=error.detail, is_silent=True)
        return _Seen(route=route, failed=error)
    question = context.http.question(url, route.method, route.asks_beside())
    if route.expects(answer.status):
        return _Seen(route=route, question=question)
    if doubt := doubt_of_question(context, answer, question, _EXPECT):
        return _Seen(route=route, failed=ProbeFailedError(Reason.BAD_RESPONSE, doubt))
    where = f", which points to {answer.redirect}," if answer.redirect else ""
    return _Seen(route=route, wrong=f"{answer.status} from {answer.address}{where} instead of {route.due}")


async def _require_own_answer(config: Routes, route: Route, answer: Answer, request: Request, context: Context) -> None:
    """Go on only where the answer is that of this route.

    Raises:
        ProbeFailedError: `access_denied`: access is denied; `bad_response`: every path gets this answer.
    """
    is_due = route.expects(answer.status)
    if answer.is_challenge or (answer.denies_access and not is_due):
        raise answer.access_denied("configure connect.headers, or declare it in 'expect'")
    is_comparable = config.made_up_path and route.method in ("GET", "HEAD")
    if not (is_comparable and is_due and (answer.is_success or answer.denies_access)):
        return
    url, has_body = route.target(context.base_url), route.method != "HEAD" and not answer.denies_access
    if await context.http.answers_anything(url, answer, headers=request.headers, has_body=has_body):
        who = (
            f"only the gateway at {answer.address} answered"
            if answer.denies_access
            else f"{answer.address} answers anything"
        )
        detail = f"{who}: a made-up path gets the same {answer.status if answer.denies_access else 'answer'}"
        hint = "if this is intended, made_up_path = false disables this check"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}; {hint}")


def _summary(seen: list[_Seen], wrong: int, required: int) -> str:
    """Return the count, and each route that is not as declared or cannot be read."""
    summary = [
        f"{one.route}{' (optional)' if one.route.need == 'optional' else ''}: "
        f"{one.failed.detail if one.failed else one.wrong}"
        for one in sorted(seen, key=lambda one: one.route.need == "optional")
        if one.is_asked and (one.failed or one.wrong)
    ]
    more = [f"and {len(summary) - _TOLD} more"] if len(summary) > _TOLD else []
    if unasked := sum(not one.is_asked for one in seen):
        more.append(f"{unasked} not asked after {_ENOUGH} in a row without a response")
    return "; ".join([f"{wrong} of {required} routes not as declared", *summary[:_TOLD], *more])


def _endpoint(config: Routes, base_url: str) -> Endpoint:
    """Return where most requests go: the base URL if a route is below it, else the first route's own host."""
    first = next((route for route in config.routes if route.path), config.routes[0])
    return endpoint_of(first.target(base_url))


def _requests(config: Routes) -> int:
    """Return the number of requests: each route, and the made-up paths for each origin and set of headers."""
    asked = {(route.url and origin_of(route.url), frozenset(route.headers)) for route in config.routes}
    return len(config.routes) + MADE_UP * len(asked) * config.made_up_path


def _exchanges(config: Routes) -> int:
    """Return the number of exchanges in a row: four routes are asked at once, the made-up paths after one of them."""
    return -(-len(config.routes) // _AT_ONCE) + MADE_UP * config.made_up_path


def _allowed_by(config: Routes) -> dict[str, Allowance]:
    return dict.fromkeys(KIND.metric_names, ALLOWANCE) if config.writes else {}


KIND = Kind(
    config=Routes,
    fills=("routes", "dependencies"),
    metrics=(
        Metric(
            name="unexpected",
            unit="",
            role="answered",
            help="Number of required routes that answer with another status than declared, refuse or reset the "
            "connection, or do not answer.",
        ),
    ),
    measure=measure,
    endpoint=_endpoint,
    remembers=True,
    in_flight=1,  # measurements: each has up to four requests in flight
    requests=_requests,
    least_requests=lambda config: sum(not route.url for route in config.routes) or 1,
    exchanges=_exchanges,
    default_limits=lambda _config: ("unexpected == 0",),
    allowed_by=_allowed_by,
    writes=lambda config: config.writes,
    example="""\
kind = "routes"
routes = [
    { path = "/api/orders" },
    { path = "/api/me", expect = 401 },  # a protected route
    { url = "https://pay.example.net/status", need = "optional" },
]
""",
    safety="Only reads; with a POST, PUT, PATCH or DELETE among its routes, all are requested once per attempt, and "
    "only where canary-write is allowed.",
)
