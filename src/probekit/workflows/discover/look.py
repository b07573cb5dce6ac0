"""Inspect a running system: its root, health, components, version, certificate and metrics."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

from probekit import log
from probekit.config.dotenv import read_dotenv
from probekit.config.secrets import SecretResolver
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probe import Context, SecretRef
from probekit.probes import tls
from probekit.probes._support.exposition import MOST_BYTES
from probekit.redaction import Redactor
from probekit.transport.client import Http
from probekit.transport.response import Answer
from probekit.transport.trust import Trust
from probekit.transport.urls import endpoint_of, origin_of
from probekit.workflows.discover.asking import Asker, path_within
from probekit.workflows.discover.found import Discovery
from probekit.workflows.discover.health import find_components, find_health
from probekit.workflows.discover.paths import METRICS, SPRING_METRICS
from probekit.workflows.discover.versions import find_version

_HTTPS_PORT: Final = 443
_UNREADABLE: Final = (Reason.BAD_RESPONSE, Reason.TIMEOUT)  # of one page; another may be readable
_LONGEST_PAGE: Final = 60  # characters of a path
_TYPED: Final = (b"# HELP ", b"# TYPE ")  # the beginning of a page of metrics


@dataclass(frozen=True, kw_only=True)
class Start:
    """The address to inspect, and the credentials."""

    base_url: str
    path: str | None = None  # the health path that the user named
    ca: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # by name: the variable that holds its value
    folder: Path = Path()  # that may hold a .env


async def discover(
    start: Start, *, seconds: float, now: Callable[[], datetime], tell: Callable[[str], None]
) -> Discovery:
    """Inspect a running system with at most `MOST_REQUESTS` GET requests, each within so many seconds.

    Raises:
        ConfigError: the .env cannot be read.
        ProbeFailedError: a header's value is missing, or the target does not answer or is not trusted.
    """
    redactor = Redactor()
    http = _http(start, redactor)
    asker = Asker(
        base_url=start.base_url,
        client=http.probe_client(timeout=seconds),
        now=now,
        tell=tell,
        named=start.path,
        clean=redactor.clean,
    )
    try:
        return await _inspect(start, http, asker, seconds)
    except ProbeFailedError as error:
        raise ProbeFailedError(error.reason, redactor.clean(error.detail)) from error


def _http(start: Start, redactor: Redactor) -> Http:
    """Return the client, which sends the headers to the origin of base_url only; their values are read first."""
    log.redact(redactor)
    dotenv = read_dotenv(start.folder)
    secrets = SecretResolver(folder=start.folder, variables=os.environ, dotenv=dotenv, redactor=redactor)
    references = {name: SecretRef(env=variable) for name, variable in start.headers.items()}
    for reference in references.values():
        secrets.reveal(reference)
    return Http(
        run=uuid4().hex[:12],
        trust=Trust(ca=start.ca),
        rate=(10, 1.0),
        identity={name: partial(secrets.reveal, reference) for name, reference in references.items()},
        origin=origin_of(start.base_url),
    )


async def _inspect(start: Start, http: Http, asker: Asker, seconds: float) -> Discovery:
    found = Discovery(base_url=start.base_url, notes=asker.notes)
    root = await _root(start, asker)
    _note_redirect(found, root, asker)
    if start.base_url.startswith("https://"):
        found.certificate = await _certificate(start.base_url, http, seconds, asker.now)
        await _plain(found, asker)
    await find_health(found, asker, root)
    await find_components(found, asker)
    await find_version(found, asker, root)
    await _metrics(found, asker)
    return found


async def _root(start: Start, asker: Asker) -> Answer | None:
    """Return the answer of `/`; None if it is unreadable and another path answers.

    Raises:
        ProbeFailedError: the target does not answer, or refuses every request.
    """
    try:
        root = await asker.root()
    except ProbeFailedError as error:
        if error.reason not in _UNREADABLE:
            raise
        other = start.path or "/health"
        try:
            await asker.client.get(f"{start.base_url}{other}")
        except ProbeFailedError:
            detail = f"neither / nor {other} can be read: {error.detail}"
            raise ProbeFailedError(error.reason, detail) from None
        asker.note(f"/ cannot be read: {asker.clean(error.detail)}")
        return None
    if root.refuses_request:
        raise root.access_denied()
    return root


def _note_redirect(found: Discovery, root: Answer | None, asker: Asker) -> None:
    """Keep where `/` redirects to: a page within its origin, else a note."""
    if root is None:
        return
    path = urlsplit(root.url).path
    if path not in ("", "/") and len(path) <= _LONGEST_PAGE:
        found.page = path
    if root.redirect:
        is_within = path_within(asker.base_url, "/", root.redirect) is not None
        hint = (
            ""
            if is_within
            else ", which is another origin and not followed; if that is the system, give its URL instead"
        )
        asker.note(f"/ redirects to {root.redirect}{hint}")


async def _certificate(base_url: str, client: Http, seconds: float, now: Callable[[], datetime]) -> str | None:
    try:
        resolved = await client.resolve(endpoint_of(base_url), seconds)
        address = resolved.addresses[0]
        context = Context(
            base_url=base_url,
            timeout=seconds,
            http=client.probe_client(address=address, timeout=seconds),
            reveal=str,
            now=now,
            address=address,
            resolved=resolved,
            wanted=frozenset({"time_left"}),
        )
        return (await tls.measure(tls.TlsProbe(), context)).summary
    except (ProbeFailedError, IndexError):
        return None


async def _plain(found: Discovery, asker: Asker) -> None:
    """Find whether plain http on its usual port redirects to https."""
    where = endpoint_of(found.base_url)
    if where.port != _HTTPS_PORT:  # the port of plain http is unknown then
        return
    url = f"http://{where.host}/"
    try:
        answer = await asker.client.get(url)
    except ProbeFailedError:
        return
    if (answer.redirect or "").startswith("https://"):
        found.plain_url = url
    else:
        asker.note(f"{url} answers {answer.status} and does not redirect to https")


async def _metrics(found: Discovery, asker: Asker) -> None:
    """Find a page of metrics: the usual one, or Spring Boot's if its other pages exist."""
    spring = found.infrastructure or (found.version or ("",))[0] or (found.health.path if found.health else "")
    for path in (METRICS, *((SPRING_METRICS,) if spring.startswith("/actuator/") else ())):
        answer = await asker.raw(path, most=MOST_BYTES)
        if answer and answer.is_success and answer.body.lstrip().startswith(_TYPED):
            found.metrics = path
            return
