"""A TLS handshake with an address: what probekit offers, and the certificates of the server."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass
from typing import Any, Final

from probekit.probe import Address, Context, ProbeFailedError, Reason
from probekit.transport.client import Upgrade
from probekit.transport.connection import Connection
from probekit.transport.errors import other_side_ended
from probekit.transport.trust import Trust

MODERN: Final = ("TLSv1.2", "TLSv1.3")  # RFC 8996 retires the older ones
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The offer of a handshake: cipher suites in OpenSSL's notation, and the newest protocol."""

    suites: str = "ALL"
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED

    def unverifying(self, trust: Trust) -> ssl.SSLContext:
        """Return a context that accepts any certificate and every protocol of this OpenSSL; no data is sent over it."""
        return self._offered(trust.unverifying(), is_modern=False)

    def verifying(
        self, trust: Trust, *, is_modern: bool = True, dates: bool = True, name: bool = True
    ) -> ssl.SSLContext:
        """Return a context that verifies; it accepts weak keys and hashes unless `is_modern`."""
        return self._offered(trust.verifying(dates=dates, name=name), is_modern=is_modern)

    def _offered(self, context: ssl.SSLContext, *, is_modern: bool) -> ssl.SSLContext:
        if not is_modern:
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            context.set_ciphers(f"{self.suites}:@SECLEVEL=0")
        elif self != ANY:
            context.set_ciphers(self.suites)
        if self != ANY:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # retired protocols are intended here
                context.maximum_version = self.newest
        return context


ANY: Final = Hello()
OLD: Final = Hello(newest=ssl.TLSVersion.TLSv1_1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The result of one handshake; certificates in DER."""

    hello: Hello
    leaf: bytes
    sent: tuple[bytes, ...]
    verified: tuple[bytes, ...]
    protocol: str


@dataclass(frozen=True, slots=True)
class Door:
    """The address of the handshakes, and how each begins."""

    context: Context
    address: Address
    begin: Upgrade | None

    @property
    def trust(self) -> Trust:
        """The trusted roots, and the client certificate."""
        return self.context.http.http.trust

    async def shown(self, hello: Hello, address: Address | None = None) -> Seen:
        """Return the handshake of this hello, without verification; by default at the door's own address."""
        return await self.handshake(hello, hello.unverifying(self.trust), address)

    async def handshake(self, hello: Hello, tls: ssl.SSLContext, address: Address | None = None) -> Seen:
        """Return one handshake, on a separate connection; `tls` is a context of this hello."""
        where = address or self.address
        connection = await self.context.http.connect(where, tls, self.begin)
        try:
            session = connection.ssl_object
            leaf = session.getpeercert(binary_form=True)
            if not leaf:
                raise ProbeFailedError(Reason.BAD_RESPONSE, f"{where} sent no certificate")
            return Seen(
                hello=hello,
                leaf=leaf,
                sent=_chain(connection, "get_unverified_chain"),
                verified=_chain(connection, "get_verified_chain") if tls.verify_mode is ssl.CERT_REQUIRED else (),
                protocol=session.version() or "unknown",
            )
        finally:
            await connection.close()


def refusal_of(error: ProbeFailedError) -> str | None:
    """Return how the server refused a hello: an alert, in OpenSSL's notation, or CLOSED; None: it did not refuse."""
    if error.reason is Reason.NO_NETWORK:  # a proxy opened no tunnel, so the server received no hello
        return None
    cause = error.__cause__
    if isinstance(cause, ConnectionResetError | ssl.SSLEOFError):
        return CLOSED
    return cause.reason if isinstance(cause, ssl.SSLError) and other_side_ended(cause) else None


def _chain(connection: Connection, method: str) -> tuple[bytes, ...]:
    """Return a chain in DER; the method is public since Python 3.13, and on the private object before."""
    session: Any = connection.ssl_object
    if hasattr(session, method):
        return tuple(getattr(session, method)())
    encoding_der = 2  # _ssl.ENCODING_DER
    return tuple(certificate.public_bytes(encoding_der) for certificate in getattr(session._sslobj, method)() or ())  # noqa: SLF001  # no other way before 3.13
