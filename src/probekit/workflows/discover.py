"""What can be seen of a running system from outside? A few requests, for whoever writes its first probes.toml."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from probekit.model.measurement import ProbeFailedError
from probekit.probe import Context
from probekit.probes import infrastructure_health, tls
from probekit.probes._support.json import find, parse
from probekit.probes._support.own_word import doubted, implied
from probekit.probes.infrastructure_health import Need
from probekit.probes.rate_limit import LIMITS
from probekit.transport.client import Http
from probekit.transport.response import Answer
from probekit.transport.urls import endpoint_of

HEALTH: Final = (
    *("/health", "/healthz", "/api/health", "/actuator/health", "/health/ready", "/readyz", "/ready", "/livez"),
    *("/-/healthy", "/api/healthz", "/api/v1/health", "/status", "/ping", "/up"),
)
PARTS: Final = ("/api/infrastructure/health", "/health/detailed", "/health/details", "/health/full")
VERSIONS: Final = (
    *(("/version", "$.version"), ("/api/version", "$.version"), ("/actuator/info", "$.build.version")),
    *(("/info", "$.version"), ("/version.json", "$.version"), ("/health", "$.version")),
)
_ANYTHING: Final = (
    "a path that cannot exist gets the same answer as some of the usual ones: "
    "where that must be, catch_all = true with assertions"
)
_OK: Final = 200
_LONGEST: Final = 100  # characters of a version


@dataclass(kw_only=True)
class Discovery:
    """What was found; what was not is None or empty."""

    base_url: str
    health: str | None = None  # the path
    health_doubt: str = ""  # why a probe of that path could not pass now
    doubted: tuple[str, ...] = ()  # components of that answer that are not plainly well
    infrastructure: str | None = None  # the path
    components: Mapping[str, Need] = field(default_factory=dict)
    version: tuple[str, str, str] | None = None  # path, place, value
    certificate: str | None = None
    limits: tuple[str, ...] = ()  # headers that tell a rate limit
    plain_url: str | None = None  # that leads to https
    notes: list[str] = field(default_factory=list)  # what to know beside it


Tell = Callable[[str], None]


async def discover(
    base_url: str, client: Http, *, seconds: float, now: Callable[[], datetime], tell: Tell
) -> Discovery:
    """Look at a running system; GET only, at most some thirty requests, each within so many seconds.

    Raises:
        ProbeFailedError: nobody answers there, or whoever does is not to be believed.
    """
    door = client.probe_client(timeout=seconds)
    found = Discovery(base_url=base_url)
    tell(base_url)
    first = await door.get(f"{base_url}/")
    if first.redirect:
        found.notes.append(f"/ redirects to {first.redirect}")
    if base_url.startswith("https://"):
        found.certificate = await _certificate(base_url, client, seconds, now)
        await _plain(found, door.get)

    async def read(path: str) -> Answer | None:
        """What is there, unless the server answers anything, or says nothing."""
        tell(path)
        url = f"{base_url}{path}"
        try:
            answer = await door.get(url)
            if answer.denies_access or not await door.answers_anything(url, answer):
                return answer
        except ProbeFailedError:
            return None
        if answer.status == _OK and _ANYTHING not in found.notes:
            found.notes.append(_ANYTHING)
        return None

    await _health(found, read)
    await _version(found, read)
    return found


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


async def _plain(found: Discovery, get: Callable[[str], Awaitable[Answer]]) -> None:
    """Whether plain http on its usual port leads to https."""
    where = endpoint_of(found.base_url)
    if where.port != 443:  # noqa: PLR2004  # another port says nothing of where plain http would be
        return
    url = f"http://{where.host}/"
    try:
        answer = await get(url)
    except ProbeFailedError:
        return
    if (answer.redirect or "").startswith("https://"):
        found.plain_url = url
    else:
        found.notes.append(f"{url} answers {answer.status} and does not lead to https")


async def _health(found: Discovery, read: Callable[[str], Awaitable[Answer | None]]) -> None:
    """The first path whose answer passes as it is, else the first that answers at all."""
    refused = []
    for path in (*HEALTH, *PARTS):
        if found.health and not found.health_doubt and found.infrastructure:
            break
        answer = await read(path)
        if answer is None:
            continue
        if answer.denies_access:
            refused.append(path)
            continue
        if answer.is_success or answer.is_server_error:
            found.limits = found.limits or tuple(name for name in LIMITS if answer.header(name))
            _take_health(found, path, answer)
            _take_components(found, path, answer)
    if refused and not found.health:
        found.notes.append(f"{', '.join(refused)}: access denied; configure connect.headers")


def _take_health(found: Discovery, path: str, answer: Answer) -> None:
    if path in PARTS or (found.health and not found.health_doubt):
        return
    try:
        doubt = f"it answers {answer.status}" if answer.is_server_error else "; ".join(implied(answer).failed)
    except ProbeFailedError as error:
        doubt = error.detail
    if not doubt or not found.health:
        found.health, found.health_doubt, found.doubted = path, doubt, doubted(answer) if doubt else ()


def _take_components(found: Discovery, path: str, answer: Answer) -> None:
    try:
        listed = infrastructure_health.components(answer)
    except ProbeFailedError:
        return
    if listed and not found.infrastructure:
        found.infrastructure, found.components = path, listed


async def _version(found: Discovery, read: Callable[[str], Awaitable[Answer | None]]) -> None:
    for path, at in VERSIONS:
        answer = await read(path)
        if answer is None or answer.status != _OK:
            continue
        try:
            value = find(at, parse(answer.body))
        except ProbeFailedError:
            continue
        if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable():
            found.version = path, at, value
            return
