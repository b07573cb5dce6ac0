"""Measure whether pages carry the protective headers, and whether these are strong enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal
from uuid import uuid4

from pydantic import Field, field_validator

from probekit.probe import (
    Answer,
    Context,
    Endpoint,
    Exact,
    Failure,
    Kind,
    Metric,
    ProbeFailedError,
    Readings,
    Reason,
    UrlPath,
)
from probekit.probes._support.json import shown
from probekit.probes.security_headers.cookie_post import CookiePost, send
from probekit.probes.security_headers.plain_http import https_redirect, usual_plain_url
from probekit.probes.security_headers.rules import Fault, Minimum, Word, conflicts, cookie_faults, cookies_set, faults
from probekit.transport.urls import endpoint_of, has_host

_HTML: Final = {"Accept": "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"}
_MADE_UP: Final = "a made-up path"
_TOLD: Final = 12  # faults in one sentence


class SecurityHeaders(Minimum):
    """The sampled pages, and the minimum for their headers."""

    kind: Literal["security_headers"] = "security_headers"
    pages: tuple[UrlPath, ...] = Field(("/",), min_length=1, max_length=4, description="Paths of HTML pages.")
    api: UrlPath | None = Field(None, description="Path of the API; any answer below 500 is read, also a 401.")
    error_page: bool = Field(default=True, description="Whether a made-up path, for an error page, is sampled too.")
    follow: int = Field(0, ge=0, le=5, description="Number of redirects of a page to follow, only within its origin.")
    session_cookies: tuple[Word, ...] = Field(
        (),
        max_length=8,
        description="Names of cookies that at least one sampled answer must set; else the cookies count as not read.",
    )
    post: CookiePost | None = Field(
        None,
        description='A POST whose cookies are read too, such as { path = "/login", body = { env = "LOGIN_FORM" } }; '
        "needs canary-write to be allowed.",
    )
    plain_url: str | None = Field(
        None,
        pattern=r"^http://[^\s/@]+(/\S*)?$",
        description="The http:// URL that must redirect to https; default: http://HOST/ of a base_url on port 443.",
    )

    @field_validator("plain_url")
    @classmethod
    def _names_a_host(cls, url: str | None) -> str | None:
        if url and not has_host(url):
            message = "missing host or invalid port"
            raise ValueError(message)
        return url


async def measure(config: SecurityHeaders, context: Context) -> Readings:
    """Read every page, compare each header with its minimum, and send one request over plain http."""
    pages = await _pages(config, context)
    posted = await send(config.post, context) if config.post else None
    found = [(fault, name) for name, answer in pages.items() for fault in faults(config, answer, context.now())]
    if config.post and isinstance(posted, Answer):
        found += [(fault, config.post.name) for fault in cookie_faults(config, posted, context.now())]
    redirect, summary = await https_redirect(config.plain_url, context)
    clashes = [f"{name}: {clash}" for name, answer in pages.items() for clash in conflicts(answer)]
    counts = Counter(fault.metric for fault, _ in found)
    return Readings(
        "; ".join([*(_summary(found) or ["every page meets the minimum"]), summary, *clashes]),
        {"pages": ", ".join(f"{name} {answer.status}" for name, answer in pages.items())},
        missing=Exact(counts["missing"]),
        weak=Exact(counts["weak"]),
        leaking=Exact(counts["leaking"]),
        weak_cookies=_weak_cookies(config, context, found, [*pages.values(), posted]),
        https_redirect=redirect,
    )


def _weak_cookies(
    config: SecurityHeaders,
    context: Context,
    found: Sequence[tuple[Fault, str]],
    answers: Sequence[Answer | Failure | None],
) -> Exact | Failure:
    """Return the number of weak cookies; 0 only where every declared cookie was read."""
    weak = {fault.subject for fault, _ in found if fault.metric == "weak_cookies"}
    unread = next((answer for answer in answers if isinstance(answer, Failure)), None)
    if weak:
        return Exact(len(weak))
    if unread:
        return unread
    read = [answer for answer in answers if isinstance(answer, Answer)]
    names = {cookie.name for answer in read for cookie in cookies_set(answer, context.now())}
    if unset := [name for name in config.session_cookies if name not in names]:
        detail = f"no sampled answer sets {', '.join(unset)}: add its page to 'pages', or its log-in as 'post'"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
    return Exact(0)


async def _pages(config: SecurityHeaders, context: Context) -> dict[str, Answer]:
    """Return the sampled answers by their names.

    Raises:
        ProbeFailedError: one of them failed, or is not a page.
    """
    base = context.base_url.rstrip("/")
    pages = {}
    for path in config.pages:
        answer = await context.http.get(base + path, headers=_HTML, follow=config.follow)
        pages[path] = _readable(path, answer, (401, 403))
    if config.api:
        pages[config.api] = _readable(config.api, await context.http.get(base + config.api))
    for path, answer in pages.items():
        if answer.is_redirect:
            detail = f"{path} redirects to {shown(answer.redirect)}: list that page instead, or set 'follow'"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    if config.error_page:
        answer = await context.http.get(f"{base}/probekit-{uuid4().hex}", headers=_HTML)
        pages[_MADE_UP] = _readable(_MADE_UP, answer)
    return pages


def _readable(name: str, answer: Answer, refusals: Sequence[int] = ()) -> Answer:
    if answer.status in refusals or answer.refuses_request:
        raise answer.access_denied(f"configure connect.headers, which {name} may need")
    if answer.is_server_error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{answer.status} for {name} from {answer.address}")
    return answer


def _summary(found: Sequence[tuple[Fault, str]]) -> list[str]:
    """Return a sentence for each fault, with every page that has it."""
    pages: dict[Fault, list[str]] = {}
    for fault, page in found:
        pages.setdefault(fault, []).append(page)
    words = {"missing": "is missing", "weak": "is weak", "leaking": "discloses software", "weak_cookies": "is weak"}
    sentences = [
        f"{fault.subject} {words[fault.metric]} on {', '.join(names)}" + (f": {fault.why}" if fault.why else "")
        for fault, names in pages.items()
    ]
    more = [f"{len(sentences) - _TOLD} more"] if len(sentences) > _TOLD else []
    return sentences[:_TOLD] + more


def endpoint(_config: SecurityHeaders, base_url: str) -> Endpoint:
    """Return where the pages are requested."""
    return endpoint_of(base_url)


def _requests(config: SecurityHeaders) -> int:
    """Return the number of requests: pages with their redirects, API, error page, POST and plain http."""
    others = (config.api is not None, config.error_page, config.post is not None, True)
    return len(config.pages) * (1 + config.follow) + sum(others)


def _unread(config: SecurityHeaders, base_url: str) -> dict[str, str]:
    """Return the redirect to https as unread, where its URL is not known."""
    if config.plain_url or usual_plain_url(base_url):
        return {}
    return {"https_redirect": "needs 'plain_url', because base_url is not https on port 443"}


KIND = Kind(
    config=SecurityHeaders,
    fills=("security-headers",),
    layer="edge",
    default_limits=lambda _: ("missing == 0", "weak == 0"),
    metrics=(
        Metric(
            name="missing",
            unit="",
            help="Number of required headers that are absent or that browsers ignore, per header and page.",
        ),
        Metric(name="weak", unit="", help="Number of headers below the minimum, per header and page."),
        Metric(
            name="leaking",
            unit="",
            help="Number of headers that disclose software or its version, per header and page.",
        ),
        Metric(
            name="weak_cookies",
            unit="",
            help="Number of cookies, by name, without Secure, HttpOnly or SameSite, or too large for browsers.",
        ),
        Metric(name="https_redirect", unit="", high=1, help="1: plain http redirects to the same host over https."),
    ),
    measure=measure,
    endpoint=endpoint,
    each_address=True,
    enabled_by_default=lambda base_url: base_url.startswith("https://"),
    allowed_by=lambda config: {"weak_cookies": "canary-write"} if config.post else {},
    unread=_unread,
    requests=_requests,
    example="""\
kind = "security_headers"
pages = ["/"]
api = "/api/version"
plain_url = "http://app.example.com/"  # must redirect to https
""",
    safety="Only reads; where canary-write is allowed, each measurement sends a declared POST once.",
)
