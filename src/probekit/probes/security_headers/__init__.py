"""Do the pages carry the protective headers, and are they strong enough?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final, Literal
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

from pydantic import Field, StringConstraints, field_validator

from probekit.probe import (
    Address,
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
)
from probekit.probes._support import headers as grammar
from probekit.probes._support.json import shown
from probekit.probes.security_headers.rules import Fault, Minimum, conflicts, faults
from probekit.transport.urls import endpoint_of, has_host, origin_of

Path = Annotated[str, StringConstraints(pattern=r"^/\S*$")]

_HTML: Final = {"Accept": "text/html, application/xhtml+xml;q=0.9, */*;q=0.5"}
_MADE_UP: Final = "a path that cannot exist"
_FOLLOWED: Final = (301, 302, 303, 307, 308)  # the redirects of a browser (Fetch, "redirect status")
_TOLD: Final = 12  # faults in one sentence


class SecurityHeaders(Minimum):
    """The pages that are sampled, beside the minimum that their headers must keep."""

    kind: Literal["security_headers"] = "security_headers"
    pages: tuple[Path, ...] = Field(("/",), min_length=1, max_length=4, description="paths of HTML pages")
    api: Path | None = Field(None, description="a path of the API; any answer below 500 is read, a 401 too")
    error_page: bool = Field(default=True, description="whether a path that cannot exist is sampled too")
    follow: int = Field(0, ge=0, le=5, description="redirects of a page that are followed, within the origin only")
    plain_url: str | None = Field(
        None,
        pattern=r"^http://[^\s/@]+(/\S*)?$",
        description="the http:// URL that must lead to https; http://HOST/ where base_url is https on port 443",
    )

    @field_validator("plain_url")
    @classmethod
    def _names_a_host(cls, url: str | None) -> str | None:
        if url and not has_host(url):
            message = "has no host, or no port that can be"
            raise ValueError(message)
        return url


async def measure(config: SecurityHeaders, context: Context) -> Readings:
    """Read every page, hold each header against its minimum, and ask once by plain http."""
    pages = await _pages(config, context)
    found = [(fault, name) for name, answer in pages.items() for fault in faults(config, answer, context.now())]
    redirect, summary = await _https_redirect(config, context)
    clashes = [f"{name}: {clash}" for name, answer in pages.items() for clash in conflicts(answer)]
    counts = Counter(fault.metric for fault, _ in found)
    weak_cookies = {fault.subject for fault, _ in found if fault.metric == "weak_cookies"}
    return Readings(
        "; ".join([*(_summary(found) or ["every page keeps the minimum"]), summary, *clashes]),
        {"pages": ", ".join(f"{name} {answer.status}" for name, answer in pages.items())},
        missing=Exact(counts["missing"]),
        weak=Exact(counts["weak"]),
        leaking=Exact(counts["leaking"]),
        weak_cookies=Exact(len(weak_cookies)),
        https_redirect=redirect,
    )


async def _pages(config: SecurityHeaders, context: Context) -> dict[str, Answer]:
    """The sampled answers by what they are called.

    Raises:
        ProbeFailedError: one of them could not be had, or is no page.
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
            detail = f"{path} leads to {shown(answer.redirect)}: name that page, or set 'follow'"
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
    """One sentence a fault, with every page that has it."""
    pages: dict[Fault, list[str]] = {}
    for fault, page in found:
        pages.setdefault(fault, []).append(page)
    words = {"missing": "is missing", "weak": "is weak", "leaking": "tells too much", "weak_cookies": "is weak"}
    sentences = [
        f"{fault.subject} {words[fault.metric]} on {', '.join(names)}" + (f": {fault.why}" if fault.why else "")
        for fault, names in pages.items()
    ]
    more = [f"{len(sentences) - _TOLD} more"] if len(sentences) > _TOLD else []
    return sentences[:_TOLD] + more


async def _https_redirect(config: SecurityHeaders, context: Context) -> tuple[Exact | Failure, str]:
    """Whether plain http leads to the same host over https, and what was seen."""
    url = config.plain_url or _plain_url(context.base_url)
    if url is None:
        detail = "base_url is not https on port 443: set 'plain_url' to where plain http is spoken"
        return Failure(reason=Reason.MISSING_SETTING, detail=detail), "plain http was not asked"
    try:
        answer = await _ask_plainly(url, context)
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=f"{url}: {error.detail}"), f"no answer from {url}"
    seen = f"{url} answers {answer.status}"
    if answer.refuses_request:
        return Failure(reason=Reason.TURNED_AWAY, detail=answer.access_denied().detail), seen
    targets = {*grammar.lines(answer.headers, "location")} if answer.status in _FOLLOWED else set()
    if targets:
        seen += f" to {', '.join(shown(target.partition('?')[0]) for target in sorted(targets))}"
    leads = bool(targets) and all(_is_same_host_by_https(url, target) for target in targets)
    return Exact(leads), seen if leads else f"{seen}, not to https on the same host"


def _plain_url(base_url: str) -> str | None:
    scheme, where = origin_of(base_url)
    host = f"[{where.host}]" if ":" in where.host else where.host
    return f"http://{host}/" if (scheme, where.port) == ("https", 443) else None


async def _ask_plainly(url: str, context: Context) -> Answer:
    """Its answer, from the machine that this measurement is for where the name is the same."""
    where, address = endpoint_of(url), context.address
    same = address is not None and address.endpoint.host == where.host
    door = replace(context.http, address=Address(where, address.ip) if address and same else None)
    try:
        return await door.get(url)
    finally:
        context.http.waited = door.waited


def _is_same_host_by_https(url: str, target: str) -> bool:
    try:
        parts = urlsplit(urljoin(url, target))
        known = parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # a port of letters, a bracket left open
        return False
    return known and parts.scheme == "https" and parts.hostname == urlsplit(url).hostname


def endpoint(_config: SecurityHeaders, base_url: str) -> Endpoint:
    """Where the pages are asked for."""
    return endpoint_of(base_url)


KIND = Kind(
    config=SecurityHeaders,
    fills=("security-headers",),
    metrics=(
        Metric(
            name="missing",
            unit="",
            help="demanded headers that are absent or that browsers ignore, once per header and page",
        ),
        Metric(name="weak", unit="", help="headers that are present but below the minimum, once per header and page"),
        Metric(name="leaking", unit="", help="headers that tell the software or its version, once per header and page"),
        Metric(name="weak_cookies", unit="", help="cookies set without Secure, HttpOnly or SameSite, by name"),
        Metric(name="https_redirect", unit="", high=1, help="1: plain http leads to the same host over https"),
    ),
    measure=measure,
    endpoint=endpoint,
    each_address=True,
    enabled_by_default=lambda base_url: base_url.startswith("https://"),
    requests=7,  # four pages, the API, an error page, plain http; 3 where nothing is declared
    example="""\
kind = "security_headers"
pages = ["/"]
api = "/api/version"
plain_url = "http://app.example.com/"  # must lead to https
""",
)
