"""Measure whether plain http redirects to the same host over https."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from probekit.probe import Address, Answer, Context, Exact, Failure, ProbeFailedError, Reason
from probekit.probes._support import headers as grammar
from probekit.probes._support.json import shown
from probekit.transport.urls import endpoint_of, origin_of

_FOLLOWED: Final = (301, 302, 303, 307, 308)  # the redirects of a browser (Fetch, "redirect status")


async def https_redirect(plain_url: str | None, context: Context) -> tuple[Exact | Failure, str]:
    """Return whether plain http redirects to the same host over https, and a summary."""
    url = plain_url or usual_plain_url(context.base_url)
    if url is None:
        detail = "base_url is not https on port 443: set 'plain_url' to the URL of plain http"
        return Failure(reason=Reason.MISSING_SETTING, detail=detail), "plain http was not requested"
    try:
        answer = await _ask_plainly(url, context)
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=f"{url}: {error.detail}"), f"no response from {url}"
    seen = f"{url} answers {answer.status}"
    if answer.refuses_request:
        return Failure(reason=Reason.ACCESS_DENIED, detail=answer.access_denied().detail), seen
    targets = {*grammar.lines(answer.headers, "location")} if answer.status in _FOLLOWED else set()
    if targets:
        seen += f" to {', '.join(shown(target.partition('?')[0]) for target in sorted(targets))}"
    leads = bool(targets) and all(_is_same_host_by_https(url, target) for target in targets)
    return Exact(leads), seen if leads else f"{seen}, not to https on the same host"


def usual_plain_url(base_url: str) -> str | None:
    """Return the URL of plain http for a base URL on https' usual port; None for any other base URL."""
    scheme, where = origin_of(base_url)
    host = f"[{where.host}]" if ":" in where.host else where.host
    return f"http://{host}/" if (scheme, where.port) == ("https", 443) else None


async def _ask_plainly(url: str, context: Context) -> Answer:
    """Return the answer of a URL; from the address that this measurement is for, where the host is the same."""
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
    except ValueError:  # a port of letters, a missing bracket
        return False
    return known and parts.scheme == "https" and parts.hostname == urlsplit(url).hostname
