"""One handshake with an address: what it offers, and what the server shows."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import dataclass
from typing import Any, Final

from probekit.probe import Address, Context, ProbeFailedError, Reason
from probekit.transport.client import Upgrade
from probekit.transport.connection import Connection
from probekit.transport.trust import Trust

MODERN: Final = ("TLSv1.2", "TLSv1.3")  # RFC 8996 retires the older ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one handshake showed; certificates in DER."""

    leaf: bytes
    sent: tuple[bytes, ...]
    verified: tuple[bytes, ...]
    protocol: str


@dataclass(frozen=True, slots=True)
class Door:
    """Where the handshakes go, and how each begins."""

    context: Context
    address: Address
    begin: Upgrade | None

    @property
    def trust(self) -> Trust:
        """Who is believed, and which certificate is presented."""
        return self.context.http.http.trust

    async def handshake(self, tls: ssl.SSLContext, address: Address | None = None) -> Seen:
        """One handshake, on a connection of its own."""
        where = address or self.address
        connection = await self.context.http.connect(where, tls, self.begin)
        try:
            session = connection.ssl_object
            leaf = session.getpeercert(binary_form=True)
            if not leaf:
                raise ProbeFailedError(Reason.BAD_RESPONSE, f"{where} sent no certificate")
            return Seen(
                leaf=leaf,
                sent=_chain(connection, "get_unverified_chain"),
                verified=_chain(connection, "get_verified_chain") if tls.verify_mode is ssl.CERT_REQUIRED else (),
                protocol=session.version() or "unknown",
            )
        finally:
            await connection.close()


def unverifying(trust: Trust) -> ssl.SSLContext:
    """Takes any certificate and any protocol that this OpenSSL still speaks: nothing is sent over it."""
    return speaking_old(trust.unverifying())


def speaking_old(context: ssl.SSLContext) -> ssl.SSLContext:
    """The context, made to take any protocol and cipher suite that this OpenSSL still speaks, and weak keys."""
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def old_only(trust: Trust) -> ssl.SSLContext:
    """Offers TLS 1.1 and older."""
    context = unverifying(trust)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that it is retired is what is asked about
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def _chain(connection: Connection, method: str) -> tuple[bytes, ...]:
    """A chain in DER: public since Python 3.13, on the private object before."""
    session: Any = connection.ssl_object
    if hasattr(session, method):
        return tuple(getattr(session, method)())
    encoding_der = 2  # _ssl.ENCODING_DER
    return tuple(certificate.public_bytes(encoding_der) for certificate in getattr(session._sslobj, method)() or ())  # noqa: SLF001  # no other way before 3.13
