"""Start TLS on a plain connection, in the protocol that is spoken on it."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal

from probekit.probe import ProbeFailedError, Reason
from probekit.transport.connection import Connection

Protocol = Literal["postgres", "smtp"]

_LINES: Final = 50  # of one answer
_REFUSAL: Final = re.compile(r"[45][0-5]\d[ -]|[45][0-5]\d\r?\n")  # RFC 5321 section 4.2
_SSL_REQUEST: Final = struct.pack("!II", 8, 80877103)  # PostgreSQL 17, "SSLRequest" of its message formats


async def _postgres(connection: Connection) -> None:
    connection.writer.write(_SSL_REQUEST)
    answer = await connection.reader.read(1)
    if answer != b"S":
        what = "offers no TLS" if answer == b"N" else "does not answer as PostgreSQL does"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{connection.address} {what}")


async def _smtp(connection: Connection) -> None:
    """RFC 3207: greeting, EHLO, STARTTLS."""
    await _answer(connection, "220", "as its greeting")
    connection.writer.write(b"EHLO probekit.invalid\r\n")
    offered = await _answer(connection, "250", "to EHLO")
    if not any(line[4:].strip().upper() == "STARTTLS" for line in offered):
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{connection.address} offers no STARTTLS")
    connection.writer.write(b"STARTTLS\r\n")
    await _answer(connection, "220", "to STARTTLS")


async def _answer(connection: Connection, code: str, where: str) -> list[str]:
    """Return the lines of one answer with this code (RFC 5321 section 4.2.1); `where` is for the error's text."""
    lines: list[str] = []
    while len(lines) < _LINES:
        try:
            line = (await connection.reader.readuntil(b"\n")).decode("ascii", "replace")
        except (EOFError, asyncio.LimitOverrunError) as error:
            raise ProbeFailedError(
                Reason.BAD_RESPONSE, f"{connection.address} closed the connection or sent too long a line"
            ) from error
        lines.append(line)
        if not line.startswith(code):
            raise _unexpected(connection, lines, where)
        if line[3:4] != "-":
            return lines
    raise ProbeFailedError(Reason.BAD_RESPONSE, f"{connection.address} sent an answer of more than {_LINES} lines")


def _unexpected(connection: Connection, lines: list[str], where: str) -> ProbeFailedError:
    """Return the error of a refusal, temporary where its code begins with 4 (RFC 5321 section 4.2.1), or of no SMTP."""
    if len(lines) > 1 or not _REFUSAL.match(lines[0]):
        return ProbeFailedError(Reason.BAD_RESPONSE, f"{connection.address} does not answer as SMTP does")
    code = lines[0][:3]
    how = "declined TLS temporarily" if code.startswith("4") else "refused TLS"
    hint = "; try again later" if code.startswith("4") else ""
    return ProbeFailedError(Reason.ACCESS_DENIED, f"{connection.address} {how}: {code} {where}{hint}")


_UPGRADES: Mapping[Protocol, Callable[[Connection], Awaitable[None]]] = MappingProxyType(
    {"postgres": _postgres, "smtp": _smtp}
)
PORTS: Mapping[Protocol, int] = MappingProxyType({"postgres": 5432, "smtp": 25})


async def upgrade(connection: Connection, protocol: Protocol) -> None:
    """Speak the protocol up to the TLS handshake.

    Raises:
        ProbeFailedError: `access_denied`: the server refuses TLS; `bad_response`: it does not offer TLS, speaks another
            protocol, or sent data before the handshake; `unreachable`: it reset the connection.
    """
    try:
        await _UPGRADES[protocol](connection)
    except OSError:  # without a cause: a reset before the hello does not refuse the hello
        raise ProbeFailedError(Reason.UNREACHABLE, f"{connection.address} reset the connection") from None
    if connection.reader._buffer:  # type: ignore[attr-defined]  # noqa: SLF001  # an attacker may have injected it (CVE-2021-23222)
        detail = f"{connection.address} sent unexpected data before the handshake"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
