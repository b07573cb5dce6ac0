"""Compare the replies with the declared rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from probekit.probes._support import headers as grammar
from probekit.probes._support.json import shown
from probekit.probes.cors.origins import is_origin
from probekit.probes.cors.reply import ANY, Reply, is_unsafe_header
from probekit.probes.cors.settings import CorsProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """The foreign origins that a browser would allow."""

    let_in: frozenset[str]
    with_credentials: frozenset[str]
    asking: frozenset[str]  # their preflight passes, but permits nothing that needs one


def refusals(declared: CorsProbe, reply: Reply) -> Iterator[str]:
    """The reasons why a browser refuses an allowed origin."""
    method, credentials = reply.method, declared.credentials
    what = f"{reply.origin} is refused by the {'request itself' if method is None else f'preflight for {method}'}"
    if not reply.counts:
        return
    if not reply.is_ok:
        yield f"{what}: status {reply.answer.status}"
    elif not reply.lets_in(credentials=False) or (credentials and reply.allowed_origin == ANY):
        value = "missing" if reply.allowed_origin is None else shown(reply.allowed_origin)
        yield f"{what}: Access-Control-Allow-Origin is {value}"
    elif credentials and not reply.takes_credentials:
        yield f"{what}: Access-Control-Allow-Credentials is not true"
    elif method:
        if not reply.allows_method(method, credentials=credentials):
            yield f"{what}: Access-Control-Allow-Methods does not allow it"
        needed = filter(is_unsafe_header, declared.headers)
        refused = [name for name in needed if not reply.allows_header(name, credentials=credentials)]
        if refused:
            yield f"{what}: Access-Control-Allow-Headers does not allow {', '.join(refused)}"


def foreign_admitted(declared: CorsProbe, replies: Sequence[Reply]) -> Foreign:
    """The foreign origins that are allowed by the request itself, or by a preflight that permits what needs one.

    Where no origin is allowed, a preflight that passes is enough, whatever it permits; where every origin is allowed,
    only credentials are a violation.
    """

    def admits(reply: Reply, *, credentials: bool) -> bool:
        is_enough = reply.method is None or declared.is_closed or any(reply.grants(credentials=credentials))
        return is_enough and reply.lets_in(credentials=credentials)

    with_credentials = frozenset(reply.origin for reply in replies if admits(reply, credentials=True))
    if declared.is_public:
        return Foreign(let_in=with_credentials, with_credentials=with_credentials, asking=frozenset())
    let_in = frozenset(reply.origin for reply in replies if admits(reply, credentials=False))
    passing = frozenset(reply.origin for reply in replies if reply.method and reply.lets_in(credentials=False))
    return Foreign(let_in=let_in, with_credentials=with_credentials, asking=passing - let_in)


def admitted(tried: Sequence[str], foreign: Foreign) -> Iterator[str]:
    """The foreign origins that are allowed, in the order tried."""
    for origin in tried:
        if origin in foreign.let_in:
            yield f"{origin} is allowed{' with credentials' if origin in foreign.with_credentials else ''}"


def undeclared(declared: CorsProbe, replies: Iterable[Reply], tried: Iterable[str]) -> Iterator[str]:
    """Origins that answers allow although they were neither declared nor tried."""
    named = {reply.allowed_origin or "" for reply in replies if reply.is_ok}
    for origin in sorted(filter(is_origin, () if declared.is_public else named - {*tried})):
        yield f"Access-Control-Allow-Origin is {shown(origin)}, which was not declared"


def wildcard(replies: Iterable[Reply]) -> Iterator[str]:
    """A wildcard together with credentials, which browsers refuse."""
    if any(reply.allowed_origin == ANY and reply.takes_credentials for reply in replies):
        yield "Access-Control-Allow-Origin is * together with credentials"


def unvaried(replies: Iterable[Reply]) -> Iterator[str]:
    """A missing Vary, with which a cache would give one origin's answer to another; preflights are never cached."""
    answers = [reply for reply in replies if reply.method is None]
    if len({reply.allowed_origin for reply in answers}) == 1:  # a fixed value, which every origin gets
        return
    if any(reply.allowed_origin is not None and not _is_kept_apart(reply) for reply in answers):
        yield "Access-Control-Allow-Origin depends on the origin, but Vary does not list Origin"


def _is_kept_apart(reply: Reply) -> bool:
    headers = reply.answer.headers
    vary = grammar.members(headers, "vary")
    return "origin" in vary or "*" in vary or "no-store" in grammar.members(headers, "cache-control")


def surplus(declared: CorsProbe, to_allowed: Sequence[Reply], foreign: Foreign) -> Iterator[str]:
    """Undeclared permissions in preflights, for an allowed origin, or for a foreign one that cannot use them."""
    for origin in dict.fromkeys(reply.origin for reply in to_allowed):
        replies = [reply for reply in to_allowed if reply.origin == origin and reply.method]
        granted = [reply.grants(credentials=declared.credentials) for reply in replies]
        methods = frozenset().union(*(methods for methods, _ in granted)) - {*declared.methods}
        headers = frozenset().union(*(headers for _, headers in granted)) - {*map(str.lower, declared.headers)}
        words = [f"method {shown(', '.join(sorted(methods)))}"] if methods else []
        words += [f"header {shown(', '.join(sorted(headers)))}"] if headers else []
        if not declared.credentials and any(reply.lets_in(credentials=True) for reply in replies):
            words.append("credentials")
        if words:
            yield f"the preflight grants {origin} more than declared: {'; '.join(words)}"
    for origin in sorted(foreign.asking):
        yield f"the preflight allows {origin}, but only requests that need no preflight"
