"""Does a server still speak TLS 1.0 or 1.1 (retired by RFC 8996)? Asked by a hello of our own: OpenSSL sends none."""

from __future__ import annotations

import ipaddress
import struct
from typing import Final

from probekit.probe import Exact, Failure, Reason
from probekit.transport.connection import Connection

_TLS_1_1: Final = 0x0302
_ALERT, _HANDSHAKE, _SERVER_HELLO = 21, 22, 2  # RFC 4346 sections 6.2.1 and 7.4
_REFUSALS: Final = (70, 40)  # protocol_version and handshake_failure, RFC 4346 section 7.2.2
_LONGEST: Final = (1 << 14) + 2048  # bytes of a record, RFC 4346 section 6.2.3
_CIPHERS: Final = (  # of those that TLS 1.1 has: ECDHE, DHE and RSA with AES or 3DES; and RFC 5746's signal
    *(0xC009, 0xC00A, 0xC013, 0xC014, 0xC008, 0xC012),
    *(0x0033, 0x0039, 0x0032, 0x0038, 0x0016, 0x0013),
    *(0x002F, 0x0035, 0x000A, 0x00FF),
)
_GROUPS: Final = (0x001D, 0x0017, 0x0018, 0x0019)  # x25519 and the NIST curves, RFC 8422 section 5.1.1


def hello(host: str, random: bytes) -> bytes:
    """A ClientHello that offers TLS 1.1 at most (RFC 4346 section 7.4.1.2), as one record."""
    ciphers = b"".join(struct.pack("!H", cipher) for cipher in _CIPHERS)
    extensions = _name(host) + _extension(10, _vector(b"".join(struct.pack("!H", group) for group in _GROUPS)))
    extensions += _extension(11, b"\x01\x00")  # uncompressed points
    body = struct.pack("!H", _TLS_1_1) + random + b"\x00" + _vector(ciphers) + b"\x01\x00" + _vector(extensions)
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return struct.pack("!BHH", _HANDSHAKE, 0x0301, len(message)) + message


def _vector(content: bytes) -> bytes:
    return struct.pack("!H", len(content)) + content


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack("!H", number) + _vector(content)


def _name(host: str) -> bytes:
    """The host asked for (RFC 6066 section 3); an address is no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _extension(0, _vector(b"\x00" + _vector(host.encode("ascii", "replace"))))
    return b""


async def refused(connection: Connection, host: str, random: bytes) -> Exact | Failure:
    """1 where the server refuses such a hello, 0 where it takes it; a Failure where its answer says neither."""
    connection.writer.write(hello(host, random))
    try:
        head = await connection.reader.read(5)
        while 0 < len(head) < 5 and (more := await connection.reader.read(5 - len(head))):  # noqa: PLR2004  # a record's head
            head += more
        if not head:
            return Exact(1)  # it closed the connection
        kind, _, length = struct.unpack("!BHH", head.ljust(5, b"\x00"))
        body = await connection.reader.readexactly(min(length, 6)) if 0 < length <= _LONGEST else b""
    except ConnectionResetError:
        return Exact(1)
    except (OSError, EOFError):  # IncompleteReadError is an EOFError
        return _unclear("its answer to a hello of TLS 1.1 breaks off")
    if kind == _ALERT and len(body) == 2:  # noqa: PLR2004  # level and description
        return Exact(1) if body[1] in _REFUSALS else _unclear(f"it answers a hello of TLS 1.1 with alert {body[1]}")
    if kind == _HANDSHAKE and len(body) == 6 and body[0] == _SERVER_HELLO:  # noqa: PLR2004  # up to the version
        version = int.from_bytes(body[4:6], "big")
        return Exact(0) if version <= _TLS_1_1 else _unclear("it answers a hello of TLS 1.1 with a newer version")
    return _unclear("its answer to a hello of TLS 1.1 is no TLS")


def _unclear(detail: str) -> Failure:
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
