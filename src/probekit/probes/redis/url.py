"""What does the URL of a cache say?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from probekit.probe import Endpoint, ProbeFailedError, Reason, SecretRef

_PORT: Final = 6379


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What the URL says."""

    endpoint: Endpoint
    is_secure: bool
    user: str | None
    password: str | None = field(repr=False)
    database: int


def server_of(url: str, kept: SecretRef) -> Server:
    """What the URL says; ProbeFailedError, without a word of it, where it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORT
        database = int(parse_qs(parts.query).get("db", [parts.path.strip("/") or "0"])[0])
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("redis", "rediss") or not host:
        detail = f"{kept} holds no URL of a Redis server: scheme redis or rediss, host, port and number of the database"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)
    return Server(
        endpoint=Endpoint(host, port),
        is_secure=parts.scheme == "rediss",
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        database=database,
    )
