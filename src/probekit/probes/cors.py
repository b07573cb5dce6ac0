"""Which other origins may use the API, as a browser decides it?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Annotated, Final, Literal
from uuid import uuid4

from pydantic import AfterValidator, Field, StringConstraints

from probekit.probe import (
    Answer,
    Context,
    Exact,
    HttpConfig,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    http_endpoint,
)
from probekit.probes._support import headers as grammar
from probekit.probes._support.json import shown
from probekit.transport.urls import has_host

_FOREIGN: Final = 24  # foreign origins tried in one measurement
_TOLD: Final = 12  # violations in one sentence
_SAFE: Final = ("GET", "HEAD", "POST")  # methods that need no leave (Fetch, "CORS-safelisted method")
_ORIGIN: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?")
_OWN_PORTS: Final = (("http", ":80"), ("https", ":443"))


def _parts(origin: str) -> tuple[str, str, str]:
    """Scheme, host, and the port with its colon where there is one."""
    found = _ORIGIN.fullmatch(origin)
    scheme, host, port = found.groups("") if found else ("", "", "")
    is_web = scheme in ("http", "https")
    if not found or (scheme, port) in _OWN_PORTS or (is_web and not has_host(origin)):
        message = (
            f"'{origin}' is no origin as browsers send it: in lower case, without a path and without the scheme's own "
            'port, such as "https://app.example.com"'
        )
        raise ValueError(message)
    return scheme, host, port


def _as_sent(origin: str) -> str:
    _parts(origin)
    return origin


Origin = Annotated[str, AfterValidator(_as_sent)]
Token = Annotated[str, StringConstraints(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class CorsProbe(HttpConfig):
    """One route of the API and who may use it from another origin."""

    kind: Literal["cors"]
    origins: tuple[Origin, ...] = Field(min_length=1, max_length=8, description="the origins that are allowed")
    methods: tuple[Method, ...] = Field(("GET",), min_length=1, description="methods that they must be allowed")
    headers: tuple[Token, ...] = Field((), description="request headers that they must be allowed")
    credentials: bool = Field(default=False, description="whether their requests carry cookies or a login")


async def measure(config: CorsProbe, context: Context) -> Readings:
    """Ask as every allowed origin and as its look-alikes, by preflight and by GET, and judge as a browser would."""
    foreign = look_alikes(config.origins)
    ours = [reply for origin in config.origins for reply in await _replies(config, context, origin, config.methods)]
    theirs = [
        reply for origin in foreign for reply in await _replies(config, context, origin, _first(config.methods)[:1])
    ]
    let_in = {reply.origin for reply in theirs if reply.lets_in(credentials=False)}
    with_credentials = {reply.origin for reply in theirs if reply.lets_in(credentials=True)}
    declared = [summary for reply in ours for summary in _refusals(config, reply)]
    general = [*_wildcard(*ours, *theirs), *_unvaried(*ours, *theirs)]
    summary = [*_admitted(foreign, let_in, with_credentials), *declared, *general]
    good = f"let in as declared: {', '.join(config.origins)}; {len(foreign)} foreign origins are refused"
    return Readings(
        "; ".join(_cut(summary)) or good,
        {"tried": ", ".join(foreign)},
        violations=Exact(len(let_in) + len(declared) + len(general)),
        foreign_with_credentials=Exact(len(with_credentials)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """One answer to one origin; `method` is what a preflight asked leave for, None for the request itself."""

    origin: str
    answer: Answer
    method: Method | None

    @property
    def allowed_origin(self) -> str | None:
        """Access-Control-Allow-Origin as browsers read it, all lines as one."""
        return grammar.combined(self.answer.headers, "access-control-allow-origin")

    @property
    def takes_credentials(self) -> bool:
        """Whether cookies and logins are let in: the one word, in lower case."""
        return grammar.combined(self.answer.headers, "access-control-allow-credentials") == "true"

    @property
    def is_ok(self) -> bool:
        """A preflight needs an ok status (Fetch); the request itself may answer anything."""
        return self.method is None or 200 <= self.answer.status < 300  # noqa: PLR2004  # Fetch, "ok status"

    def lets_in(self, *, credentials: bool) -> bool:
        """The CORS check of the Fetch standard, and the status of a preflight."""
        if credentials:
            return self.is_ok and self.allowed_origin == self.origin and self.takes_credentials
        return self.is_ok and self.allowed_origin in ("*", self.origin)

    def allows_method(self, method: str, *, credentials: bool) -> bool:
        """Whether the browser may go on with that method, in its exact spelling."""
        allowed = grammar.tokens(self.answer.headers, "access-control-allow-methods")
        return allowed is not None and (method in (*_SAFE, *allowed) or ("*" in allowed and not credentials))

    def allows_header(self, name: str, *, credentials: bool) -> bool:
        """Whether the browser may send that header; a wildcard speaks of no Authorization."""
        allowed = grammar.tokens(self.answer.headers, "access-control-allow-headers")
        known = {word.lower() for word in allowed or ()}
        return name.lower() in known or ("*" in known and not credentials and name.lower() != "authorization")


async def _replies(config: CorsProbe, context: Context, origin: str, methods: Sequence[Method]) -> list[_Reply]:
    """A preflight for each method that no earlier one has allowed (browsers keep the list), then the request."""
    url, replies, left = config.target(context.base_url), list[_Reply](), _first(methods)
    asked = {"Access-Control-Request-Headers": ",".join(sorted(map(str.lower, config.headers)))}
    while left:
        headers = {"Origin": origin, "Access-Control-Request-Method": left[0], **(asked if config.headers else {})}
        answer = await context.http.get(url, method="OPTIONS", headers=headers)
        reply = _Reply(origin=origin, answer=_readable(answer), method=left[0])
        replies.append(reply)
        left = [method for method in left[1:] if not reply.allows_method(method, credentials=config.credentials)]
    answer = _readable(await context.http.get(url, headers={"Origin": origin}))
    if answer.status == 404 or answer.is_redirect:  # noqa: PLR2004  # RFC 9110 section 15.5.5
        detail = f"{answer.status} for {answer.url} from {answer.address}: name a route that answers itself"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return [*replies, _Reply(origin=origin, answer=answer, method=None)]


def _first(methods: Sequence[Method]) -> list[Method]:
    """The methods, those that need leave in front."""
    return sorted(methods, key=lambda method: method in _SAFE)


def _readable(answer: Answer) -> Answer:
    """The answer; 401 and 403 are answers too, as the browser's script would get them."""
    if answer.refuses_request:
        raise answer.access_denied()
    if answer.is_server_error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{answer.status} for {answer.url} from {answer.address}")
    return answer


def look_alikes(origins: Sequence[str]) -> tuple[str, ...]:
    """Foreign origins that a careless comparison takes for one of these; at most 24, the worst of each first."""
    stranger = f"https://{uuid4().hex[:12]}.test"
    by_turns = [origin for turn in zip_longest(*map(_mutations, origins)) for origin in turn if origin]
    tried = dict.fromkeys(["null", stranger, *by_turns])
    return tuple(origin for origin in tried if origin not in origins)[:_FOREIGN]


def _mutations(origin: str) -> Iterator[str]:
    scheme, host, port = _parts(origin)
    if not host.startswith("["):
        yield f"{scheme}://{host}.evil.test{port}"  # startswith
        yield f"{scheme}://evil{host}{port}"  # endswith
        yield f"{scheme}://{host.replace('.', 'x', 1)}{port}"  # a regular expression with bare dots
        yield f"{scheme}://evil.{host}{port}"
    yield f"{'http' if scheme == 'https' else 'https'}://{host}{port}"
    yield f"{scheme}://{host}{':8443' if port != ':8443' else ':9443'}"


def _refusals(config: CorsProbe, reply: _Reply) -> Iterator[str]:
    """What keeps an allowed origin out."""
    method, credentials = reply.method, config.credentials
    what = f"{reply.origin} is refused by the {'request itself' if method is None else f'preflight for {method}'}"
    if not reply.is_ok:
        yield f"{what}: status {reply.answer.status}"
    elif not reply.lets_in(credentials=False) or (credentials and reply.allowed_origin == "*"):
        yield f"{what}: Access-Control-Allow-Origin is {shown(reply.allowed_origin)}"
    elif credentials and not reply.takes_credentials:
        yield f"{what}: Access-Control-Allow-Credentials is not true"
    elif method:
        if not reply.allows_method(method, credentials=credentials):
            yield f"{what}: it does not allow the method"
        refused = [name for name in config.headers if not reply.allows_header(name, credentials=credentials)]
        if refused:
            yield f"{what}: it does not allow {', '.join(refused)}"


def _admitted(foreign: Sequence[str], let_in: set[str], with_credentials: set[str]) -> Iterator[str]:
    for origin in foreign:
        if origin in let_in:
            yield f"{origin} is let in{' with credentials' if origin in with_credentials else ''}"


def _wildcard(*replies: _Reply) -> Iterator[str]:
    if any(reply.allowed_origin == "*" and reply.takes_credentials for reply in replies):
        yield "Access-Control-Allow-Origin is * together with credentials"


def _unvaried(*replies: _Reply) -> Iterator[str]:
    """A cache would give one origin's answer to another; preflights are in no shared cache."""
    answers = [reply for reply in replies if reply.method is None]
    if len({reply.allowed_origin for reply in answers}) == 1:  # a fixed value, which every origin gets
        return
    if any(reply.allowed_origin is not None and not _is_kept_apart(reply.answer) for reply in answers):
        yield "Access-Control-Allow-Origin depends on the origin, but Vary does not say so"


def _is_kept_apart(answer: Answer) -> bool:
    vary = grammar.members(answer.headers, "vary")
    return "origin" in vary or "*" in vary or "no-store" in grammar.members(answer.headers, "cache-control")


def _cut(summary: Sequence[str]) -> list[str]:
    return [*summary[:_TOLD], *([f"{len(summary) - _TOLD} more"] if len(summary) > _TOLD else [])]


KIND = Kind(
    config=CorsProbe,
    fills=("cors",),
    metrics=(
        Metric(
            name="violations",
            unit="",
            help="allowed origins that a browser would refuse, foreign ones it would let in, a wildcard with "
            "credentials, a missing Vary",
        ),
        Metric(
            name="foreign_with_credentials",
            unit="",
            help="foreign origins, null among them, whose requests with cookies or a login are let in",
        ),
    ),
    measure=measure,
    endpoint=http_endpoint,
    each_address=True,
    requests=80,  # eight origins with three preflights and a request, 24 foreign ones with two; 18 for one origin
    example="""\
kind = "cors"
path = "/api/version"
origins = ["https://app.example.com"]  # who may use it from a browser
""",
)
