"""How is one connection opened to one chosen address?"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal
from weakref import WeakSet

from probekit.model.measurement import Reason
from probekit.stamped import StampedSocket


class ProbeFailedError(Exception):
    """Expected trouble: there is no reading, and the reason says who is to blame."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name and a port, as a configuration writes them."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """One address that an endpoint's name resolved to."""

    endpoint: Endpoint
    ip: str

    def __str__(self) -> str:
        return str(Endpoint(self.ip, self.endpoint.port))


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every address of an endpoint, each once, and the seconds it took to learn them."""

    addresses: tuple[Address, ...]
    seconds: float


LookUp = Callable[[Endpoint], Sequence[str]]
Family = Literal["any", "ipv4", "ipv6"]
_VERSIONS: Final = {"ipv4": 4, "ipv6": 6}


def system_addresses(endpoint: Endpoint) -> Sequence[str]:
    """The addresses the system's resolver gives, of families this machine has (blocks; gaierror: none)."""
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Names to addresses; what the configuration fixes is never asked for."""

    fixed: Mapping[str, str] = field(default_factory=dict)  # "host:port", in lower case -> IP
    look_up: LookUp = system_addresses
    family: Family = "any"  # of the addresses that a resolver gives
    asked: set[str] = field(default_factory=set)  # the names it was asked for, as in `fixed`

    async def resolve(self, endpoint: Endpoint) -> Resolved:
        """Every address of the endpoint.

        Raises:
            ProbeFailedError: `unresolved`: there is none, or no resolver answers: ours or theirs, nobody can tell.
        """
        self.asked.add(_name(endpoint))
        known = self._fixed(endpoint) or _literal(endpoint.host)
        if known:
            return Resolved((Address(endpoint, known),), 0.0)
        start = time.perf_counter()
        try:
            found = await _in_a_thread(lambda: self.look_up(endpoint))
        except (OSError, UnicodeError) as error:
            raise ProbeFailedError(
                Reason.UNRESOLVED, f"the name {endpoint.host} does not resolve: {_text(error)}"
            ) from error
        kept = [ip for ip in dict.fromkeys(found) if self._is_wanted(ip)]
        if found and not kept:
            detail = f"the name {endpoint.host} has no {self.family} address (connect.family)"
            raise ProbeFailedError(Reason.UNRESOLVED, detail)
        return Resolved(tuple(Address(endpoint, ip) for ip in kept), time.perf_counter() - start)

    def is_fixed(self, endpoint: Endpoint) -> bool:
        """Whether the configuration says where it is."""
        return self._fixed(endpoint) is not None

    def _fixed(self, endpoint: Endpoint) -> str | None:
        return self.fixed.get(_name(endpoint))

    def _is_wanted(self, ip: str) -> bool:
        version = ipaddress.ip_address(ip.partition("%")[0]).version  # a scope may follow a link-local address
        return self.family == "any" or version == _VERSIONS[self.family]


def _name(endpoint: Endpoint) -> str:
    return f"{endpoint.host}:{endpoint.port}".lower()


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


async def _in_a_thread(work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """The work's result; a daemon thread, because the loop's own would hold up the exit behind a dead resolver."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Sequence[str]] = loop.create_future()

    def tell(result: Sequence[str] | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(result or ())

    def run() -> None:
        try:
            result, failed = work(), None
        except (OSError, UnicodeError) as error:
            result, failed = None, error
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result, failed)

    threading.Thread(target=run, name="resolve", daemon=True).start()
    return await done


NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h: ssl has no name for it


@dataclass(frozen=True)
class Trust:
    """Who is believed: the system's store and, beside it, the configured CA file; and who we are to whoever asks."""

    ca: Path | None = None
    client_cert: Path | None = None  # certificate, its chain and its key in one PEM file

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Verifies path, dates and name; made when a connection first needs it, once a run (20 ms of CPU)."""
        return self.verifying()

    def verifying(self, *, dates: bool = True, name: bool = True) -> ssl.SSLContext:
        """A context that verifies the path, and on wish the dates and the name.

        Raises:
            ProbeFailedError: `missing_file`: the configured CA file or client certificate cannot be read.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = name
        context.hostname_checks_common_name = False  # RFC 9525 section 6.3: only a subjectAltName names a host
        context.verify_flags |= ssl.VerifyFlags(0 if dates else NO_CHECK_TIME)
        _load_system_store(context)
        if self.ca:
            _load(context, self.ca)
        if self.client_cert:
            _present(context, self.client_cert)
        context._msg_callback = _note_request  # type: ignore[attr-defined]  # noqa: SLF001  # nothing public tells it
        return context


_ASKED: Final[WeakSet[object]] = WeakSet()  # TLS sessions whose server asked for a certificate of ours
_CERTIFICATE_REQUEST: Final = 13  # RFC 8446 section 4


def _note_request(
    session: object, direction: str, _version: object, _content: object, message: int, _data: bytes
) -> None:
    """With TLS 1.3 a server refuses a client without a certificate after the handshake, and may do so by a reset."""
    if direction == "read" and message == _CERTIFICATE_REQUEST:
        _ASKED.add(session)


def _load_system_store(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not paths.capath:  # no store where OpenSSL looks for one, as with Python's macOS builds
        import certifi  # noqa: PLC0415  # httpx brings it; only such systems need it

        context.load_verify_locations(certifi.where())


def _load(context: ssl.SSLContext, ca: Path) -> None:
    try:
        context.load_verify_locations(ca)
    except (OSError, ssl.SSLError) as error:  # ssl.SSLError is an OSError, named for the reader
        detail = f"the CA file {ca} cannot be read: {_text(error)}; connect.ca names a file in PEM"
        raise ProbeFailedError(Reason.MISSING_FILE, detail) from error


def _present(context: ssl.SSLContext, certificate: Path) -> None:
    try:
        context.load_cert_chain(certificate, password=_no_passphrase)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError, named for the reader
        detail = (
            f"the client certificate {certificate} cannot be used: {_text(error)}; it holds certificate and key in PEM"
        )
        raise ProbeFailedError(Reason.MISSING_FILE, detail) from error


def _no_passphrase() -> str:
    """Asked for by OpenSSL where a key is encrypted; without an answer it would ask at the terminal."""
    raise ValueError("its key is encrypted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy that opens tunnels (CONNECT, RFC 9110 section 9.3.6)."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)  # the header's value

    def __str__(self) -> str:
        return str(Endpoint(self.host, self.port))


@dataclass(slots=True)
class Connection:
    """An open connection and what it took to open it, in seconds."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: Address
    connect: float
    tls: float | None = None
    socket: StampedSocket | None = None  # None through a proxy

    @property
    def arrived(self) -> float:
        """When what was last read had arrived, by the monotonic clock; now, where nobody knows."""
        known = self.socket.arrived if self.socket else None
        return time.monotonic() if known is None else known

    @property
    def ssl_object(self) -> Any:  # noqa: ANN401  # SSLObject, whose chain is on private parts before 3.13
        """The TLS session's object, None without TLS."""
        return self.writer.get_extra_info("ssl_object")

    @property
    def asks_who_we_are(self) -> bool:
        """Whether the server asked for a certificate of ours: without one that it takes, it will not answer."""
        return self.ssl_object in _ASKED if self.ssl_object is not None else False

    async def close(self) -> None:
        """Close at once, without waiting for the other side."""
        self.writer.transport.abort()
        await asyncio.sleep(0)  # the transport gives up its socket in the loop's next turn


async def dial(
    address: Address, *, tls: ssl.SSLContext | None, name: str | None = None, proxy: Proxy | None = None
) -> Connection:
    """Open a connection to exactly this address; the caller bounds the time.

    Args:
        address: where to.
        tls: the context of the handshake, None for a plain connection.
        name: the host to ask for (SNI) and to verify, the endpoint's own if None.
        proxy: who tunnels it.

    Raises:
        ProbeFailedError: the connection cannot be opened or its certificate does not verify.
    """
    start = time.perf_counter()
    try:
        stream = None if proxy else await _connected(address)
        pair = await (asyncio.open_connection(sock=stream) if proxy is None else _tunnelled(address, proxy))
    except OSError as error:
        raise connection_failed(error, address) from error
    connection = Connection(*pair, address, time.perf_counter() - start, socket=stream)
    if tls is not None:
        await secure(connection, tls, name=name)
    return connection


async def secure(connection: Connection, tls: ssl.SSLContext, *, name: str | None = None) -> None:
    """Make the handshake on an open connection, which is closed where that fails.

    Raises:
        ProbeFailedError: the certificate does not verify, or there is no handshake.
    """
    start = time.perf_counter()
    host = name or connection.address.endpoint.host
    try:
        await connection.writer.start_tls(tls, server_hostname=host, ssl_handshake_timeout=3600)
    except OSError as error:  # ssl.SSLError is an OSError
        await connection.close()
        raise connection_failed(error, connection.address) from error
    except BaseException:
        await connection.close()
        raise
    connection.tls = time.perf_counter() - start


_Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connected(address: Address) -> StampedSocket:
    """A socket that is connected to it."""
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV  # never asks a resolver, which would block
    found = socket.getaddrinfo(address.ip, address.endpoint.port, type=socket.SOCK_STREAM, flags=numeric)
    family, kind, protocol, _, where = found[0]
    stream = StampedSocket(family, kind, protocol)
    try:
        stream.settimeout(0)
        stream.stamp()
        await asyncio.get_running_loop().sock_connect(stream, where)
    except BaseException:
        stream.close()
        raise
    return stream


async def _tunnelled(address: Address, proxy: Proxy) -> _Pair:
    """Through the proxy; its trouble is never the target's."""
    try:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=_TUNNEL_HEAD)
    except OSError as error:
        raise ProbeFailedError(Reason.NO_NETWORK, f"the proxy {proxy} cannot be reached: {_text(error)}") from error
    try:
        lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
        lines += [f"Proxy-Authorization: {proxy.authorization}"] if proxy.authorization else []
        writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
        head = await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        writer.transport.abort()
        raise ProbeFailedError(Reason.NO_NETWORK, f"the proxy {proxy} opened no tunnel to {address}") from error
    except BaseException:
        writer.transport.abort()
        raise
    if not re.match(rb"HTTP/1\.[01] 2\d\d[ \r]", head):
        writer.transport.abort()
        status = head[9:12].decode("ascii", "replace") if head.startswith(b"HTTP/1.") else "no HTTP"
        reason = Reason.TURNED_AWAY if status in ("401", "403", "407", "429") else Reason.NO_NETWORK
        raise ProbeFailedError(reason, f"the proxy {proxy} opens no tunnel to {address}: {status}")
    return reader, writer


_TUNNEL_HEAD: Final = 1 << 16  # bytes of a proxy's answer
_OURS: Final = {
    errno.ENETUNREACH: "this machine has no route there",
    errno.EHOSTUNREACH: "no route from this machine leads there",
    errno.ENETDOWN: "this machine's network is down",
    errno.EAFNOSUPPORT: "this machine does not speak that family of addresses",
    errno.ENOBUFS: "this machine has no buffers left",
    errno.ENOMEM: "this machine has no memory left",
    errno.EADDRNOTAVAIL: "this machine has no address left to connect from",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "this machine has too many open files",
    errno.EACCES: "this machine forbids the connection",
    errno.EPERM: "this machine forbids the connection",
}
_ALERTS: Final = ("ALERT", "CERTIFICATE_REQUIRED", "UNRECOGNIZED_NAME")  # in OpenSSL's words for one of the other side
_OUR_OWN_TLS: Final = (
    "NO_CIPHERS_AVAILABLE",
    "NO_PROTOCOLS_AVAILABLE",
    "UNSUPPORTED_PROTOCOL",
    "DH_KEY_TOO_SMALL",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    "WRONG_SIGNATURE_TYPE",
    "BAD_ECPOINT",
)


def connection_failed(error: OSError, address: Address) -> ProbeFailedError:
    """Who is to blame for an error of a socket or a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProbeFailedError(
            Reason.UNTRUSTED, f"the certificate of {address} does not verify: {error.verify_message}"
        )
    if isinstance(error, ssl.SSLError):
        return _handshake_failed(error.reason or "", error, address)
    if isinstance(error, socket.gaierror):
        return ProbeFailedError(Reason.UNRESOLVED, f"{address} is no address here: {_text(error)}")
    if error.errno in _OURS:
        return ProbeFailedError(Reason.NO_NETWORK, f"no connection to {address}: {_OURS[error.errno]}")
    words: dict[type[OSError], str] = {
        ConnectionRefusedError: "refused the connection",
        ConnectionResetError: "reset the connection",
    }
    return ProbeFailedError(
        Reason.UNREACHABLE, f"{address} {words.get(type(error), f'cannot be reached: {_text(error)}')}"
    )


def _handshake_failed(reason: str, error: ssl.SSLError, address: Address) -> ProbeFailedError:
    if any(word in reason for word in _ALERTS):  # it speaks TLS and refuses us
        return ProbeFailedError(Reason.TURNED_AWAY, f"{address} refuses our handshake ({reason})")
    if any(word in reason for word in _OUR_OWN_TLS):
        return ProbeFailedError(Reason.BUG, f"our own TLS library refuses to talk to {address} ({reason})")
    return ProbeFailedError(Reason.UNREACHABLE, f"no TLS with {address}: {reason or _text(error)}")


def _text(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
