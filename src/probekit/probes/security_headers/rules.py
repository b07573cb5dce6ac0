"""The minimum for the headers of an answer, and the headers below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from probekit.probe import Answer, Duration, ProbeConfig
from probekit.probes._support import headers as grammar
from probekit.probes._support.cookies import MOST, Cookie, cookies
from probekit.probes._support.json import shown
from probekit.probes.security_headers.document import Document, document


def _quoted(word: object) -> object:
    return f"'{word}'" if isinstance(word, str) and word.startswith("unsafe-") else word


Word = Annotated[str, StringConstraints(pattern=r"^[!-~]+$")]
Opening = Annotated[  # sources that admit injected scripts: the keys of grammar.OPENINGS
    Literal["'unsafe-inline'", "*", "data:", "'unsafe-eval'"],
    BeforeValidator(
        _quoted,
        json_schema_input_type=Literal[
            "unsafe-inline", "'unsafe-inline'", "*", "data:", "unsafe-eval", "'unsafe-eval'"
        ],
    ),
]

_DISCLOSING: Final = (
    "server",
    "x-powered-by",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-generator",
    "x-php-version",
    "x-runtime",
    "x-backend-server",
    "x-owa-version",
    "microsoftsharepointteamservices",
)
_NOT_LEAKING: Final = ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin")
_ONE_VALUE: Final = ("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")


class Minimum(ProbeConfig):
    """The minimum for every page."""

    hsts: bool = Field(default=True, description="Whether Strict-Transport-Security is required.")
    max_age: Duration = Field(
        15_552_000.0,
        ge=0,
        allow_inf_nan=False,
        description='Lowest max-age of Strict-Transport-Security, such as "180 d".',
    )
    include_subdomains: bool = Field(
        default=False, description="Whether Strict-Transport-Security must include subdomains."
    )
    csp: bool = Field(default=True, description="Whether a Content-Security-Policy must block injected scripts.")
    csp_allow: tuple[Opening, ...] = Field(
        (), description="Sources that the policy may allow: 'unsafe-eval', 'unsafe-inline', data: or * (any host)."
    )
    nosniff: bool = Field(default=True, description="Whether X-Content-Type-Options: nosniff is required.")
    frames: bool = Field(
        default=True, description="Whether frame-ancestors or X-Frame-Options must block other sites' frames."
    )
    referrer: tuple[Word, ...] = Field(
        _NOT_LEAKING, description="Accepted values of Referrer-Policy; empty: the header is not required."
    )
    disclosing: tuple[Word, ...] = Field(
        _DISCLOSING, description="Headers that must not be sent; Server is accepted without a version."
    )
    readable_cookies: tuple[Word, ...] = Field(
        (), description="Names of cookies that scripts may read (without HttpOnly)."
    )
    cross_site_cookies: tuple[Word, ...] = Field((), description="Names of cookies that may have SameSite=None.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A header or cookie below the minimum."""

    metric: Literal["missing", "weak", "leaking", "weak_cookies"]
    subject: str
    why: str = ""


def faults(minimum: Minimum, answer: Answer, now: datetime) -> Iterator[Fault]:
    """Yield what is below the minimum; a header that browsers ignore is missing, and a redirect has no document."""
    headers = answer.headers
    if minimum.hsts:
        yield from _transport(minimum, answer)
    if not answer.is_redirect:
        found, page = grammar.policies(headers), document(answer)
        if minimum.csp:
            yield from _scripts(minimum, headers, found, page)
        if minimum.nosniff and not grammar.is_nosniff(headers):
            yield _missing(headers, "X-Content-Type-Options")
        if minimum.frames:
            yield from _frames(headers, found, page)
        if minimum.referrer:
            yield from _referrer(minimum, headers, page)
    yield from _leaks(minimum, headers)
    yield from cookie_faults(minimum, answer, now)


def cookie_faults(minimum: Minimum, answer: Answer, now: datetime) -> Iterator[Fault]:
    """Yield the cookies that an answer sets below the minimum."""
    for cookie in cookies_set(answer, now):
        flaws = tuple(_flaws(minimum, cookie))
        if flaws:
            yield Fault(metric="weak_cookies", subject=f"cookie {shown(cookie.name)}", why=", ".join(flaws))


def cookies_set(answer: Answer, now: datetime) -> tuple[Cookie, ...]:
    """Return the cookies that an answer sets, without those that it deletes."""
    found = cookies(grammar.lines(answer.headers, "set-cookie"))
    return tuple(cookie for cookie in found if not cookie.is_deletion(now))


def conflicts(answer: Answer) -> Iterator[str]:
    """Yield the headers of one value that were sent with several."""
    for name in _ONE_VALUE:
        found = {line.lower() for line in grammar.lines(answer.headers, name.lower())}
        if len(found) > 1:
            yield f"{name} contradicts itself: {', '.join(map(shown, sorted(found)))}"


def _missing(headers: grammar.Headers, name: str) -> Fault:
    """Return the fault of a header that is absent or that browsers ignore."""
    return Fault(metric="missing", subject=name, why=_unread(headers, name))


def _unread(headers: grammar.Headers, name: str) -> str:
    """Return the header's value that browsers ignore; empty where the header was not sent."""
    found = grammar.lines(headers, name.lower())
    return f"browsers ignore {shown(found[0])}" if found else ""


def _transport(minimum: Minimum, answer: Answer) -> Iterator[Fault]:
    name = "Strict-Transport-Security"
    found = grammar.lines(answer.headers, name.lower())
    policy = grammar.hsts(found[0]) if found else None
    if not answer.url.startswith("https://"):
        yield Fault(metric="missing", subject=name, why="browsers ignore it over plain http")
    elif policy is None:
        yield _missing(answer.headers, name)
    elif policy.max_age < minimum.max_age:
        yield Fault(metric="weak", subject=name, why=f"max-age {policy.max_age} s, minimum {minimum.max_age:.0f} s")
    elif minimum.include_subdomains and not policy.include_subdomains:
        yield Fault(metric="weak", subject=name, why="without includeSubDomains")


def _scripts(
    minimum: Minimum, headers: grammar.Headers, found: Sequence[grammar.Policy], page: Document
) -> Iterator[Fault]:
    """Yield the fault of the policies: all of headers and page apply, one of the page only to what follows it."""
    name = "Content-Security-Policy"
    allowed = {grammar.OPENINGS[source] for source in minimum.csp_allow}
    let_in = sorted(grammar.open_to([*found, *page.policies]) - allowed)
    if not found and not page.policies:
        is_report_only = grammar.lines(headers, f"{name}-report-only".lower())
        why = "report-only enforces nothing" if is_report_only else _unread(headers, name) or ", ".join(page.ignored)
        yield Fault(metric="missing", subject=name, why=why)
    elif let_in:
        yield Fault(metric="weak", subject=name, why=f"allows {', '.join(let_in)}")
    elif grammar.open_to([*found, *page.first]) - allowed:
        yield Fault(metric="weak", subject=name, why="its <meta> is after a <script>, to which it does not apply")


def _frames(headers: grammar.Headers, found: Sequence[grammar.Policy], page: Document) -> Iterator[Fault]:
    """Yield the fault of framing: all policies apply; with frame-ancestors, browsers ignore X-Frame-Options."""
    ancestors = [policy["frame-ancestors"] for policy in found if "frame-ancestors" in policy]
    if not ancestors and not grammar.refuses_frames(headers):
        why = _unread(headers, "X-Frame-Options") or next((why for why in page.ignored if "frame-ancestors" in why), "")
        yield Fault(metric="missing", subject="frame-ancestors or X-Frame-Options", why=why)
    elif ancestors and all(any(map(grammar.is_any_host, sources)) for sources in ancestors):
        yield Fault(metric="weak", subject="frame-ancestors", why="allows every site")


def _referrer(minimum: Minimum, headers: grammar.Headers, page: Document) -> Iterator[Fault]:
    """Yield the fault of the referrer policy; the page's own replaces the header's."""
    name = "Referrer-Policy"
    policy = page.referrer or grammar.referrer_policy(headers)
    if policy is None:
        yield _missing(headers, name)
    elif policy not in map(str.lower, minimum.referrer):
        where = " (<meta>)" if page.referrer else ""
        yield Fault(metric="weak", subject=name, why=f"{policy}{where} is not one of {', '.join(minimum.referrer)}")


def _leaks(minimum: Minimum, headers: grammar.Headers) -> Iterator[Fault]:
    for name in minimum.disclosing:
        found = [line for line in grammar.lines(headers, name.lower()) if line]
        if name.lower() == "server":
            found = [line for line in found if grammar.names_a_version(line)]
        if found:
            yield Fault(metric="leaking", subject=name, why=shown(", ".join(found)))


def _flaws(minimum: Minimum, cookie: Cookie) -> Iterator[str]:
    if cookie.is_dropped:
        yield f"browsers drop it: its name and value have {cookie.size} bytes (maximum {MOST})"
        return
    if "secure" not in cookie.attributes:
        yield "no Secure"
    if "httponly" not in cookie.attributes and cookie.name not in minimum.readable_cookies:
        yield "no HttpOnly"
    if cookie.same_site == "none" and cookie.name not in minimum.cross_site_cookies:
        yield "SameSite=None"
    elif cookie.same_site not in ("none", "lax", "strict"):
        yield "no SameSite"
    is_host_only = cookie.attributes.get("path") == "/" and not cookie.attributes.get("domain")
    if cookie.name.lower().startswith("__host-") and not is_host_only:
        yield "__Host- without Path=/, or with a Domain"
