"""The trusted certificates, and the client certificate for servers that request one."""

from __future__ import annotations

import ssl
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from probekit.files import require_regular
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.errors import error_text, other_side_ended

NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h: ssl has no name for it


@dataclass(frozen=True)
class Trust:
    """The trusted CAs (the system's store and the configured CA file) and the client certificate."""

    ca: Path | None = None
    client_cert: Path | None = None  # certificate, its chain and its key in one PEM file

    @cached_property
    def context(self) -> ssl.SSLContext:
        """A context that verifies path, dates and name; made once a run (20 ms of CPU), at the first connection."""
        return self.verifying()

    def verifying(self, *, dates: bool = True, name: bool = True) -> ssl.SSLContext:
        """A context that verifies the path and, if requested, the dates and the name.

        Raises:
            ProbeFailedError: `missing_file`: the configured CA file or client certificate cannot be read.
        """
        context = self._presenting()
        context.check_hostname = name
        context.hostname_checks_common_name = False  # RFC 9525 section 6.3: only a subjectAltName names a host
        context.verify_flags |= ssl.VerifyFlags(0 if dates else NO_CHECK_TIME)
        _load_system_store(context)
        if self.ca:
            _load(context, self.ca)
        return context

    def unverifying(self) -> ssl.SSLContext:
        """A context that accepts any certificate, for a handshake after which nothing is sent.

        Raises:
            ProbeFailedError: `missing_file`: the configured client certificate cannot be read.
        """
        context = self._presenting()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def _presenting(self) -> ssl.SSLContext:
        """A client context that presents the configured certificate and records which servers request one."""
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        if self.client_cert:
            _present(context, self.client_cert)
            context.presented = "connect.client_cert"
        context._msg_callback = _note_request  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public interface for it
        return context


class CertificateDemandedError(ProbeFailedError):
    """Access denied: a server requires a client certificate and did not get one that it accepts."""

    def __init__(self, where: object, *, presented: str = "", withheld: str = "", alert: str = "") -> None:
        """State the setting of the presented certificate, or why none was presented, and the server's alert."""
        found = f"rejected that of {presented}" if presented else "received none"
        advice = "" if presented else f": {withheld}" if withheld else "; configure connect.client_cert"
        words = f" ({alert})" if alert else ""
        detail = f"access denied: {where} requires a client certificate and {found}{words}{advice}"
        super().__init__(Reason.ACCESS_DENIED, detail)


_ASKED: Final[WeakSet[object]] = WeakSet()  # TLS sessions whose server requested a client certificate
_SESSIONS: Final[ContextVar[list[ssl.SSLObject] | None]] = ContextVar("sessions of this task's handshake", default=None)
_CERTIFICATE_REQUEST: Final = 13  # RFC 8446 section 4


class _Context(ssl.SSLContext):
    """Passes its sessions to the task that makes the handshake; asyncio does not expose those of failed handshakes."""

    presented = ""  # the setting of the presented certificate

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:  # noqa: ANN401  # passed on as they are
        session = super().wrap_bio(*arguments, **named)
        watched = _SESSIONS.get()
        if watched is not None:
            watched.append(session)
        return session


def watch_handshake() -> list[ssl.SSLObject]:
    """A list to which the session of this task's next handshake is added when it begins."""
    sessions: list[ssl.SSLObject] = []
    _SESSIONS.set(sessions)
    return sessions


def _note_request(
    session: object, direction: str, _version: object, _content: object, message: int, _data: bytes
) -> None:
    """Record a certificate request: with TLS 1.3 a server refuses after the handshake, possibly by a reset."""
    if direction == "read" and message == _CERTIFICATE_REQUEST:
        _ASKED.add(session)


def demanded_certificate(
    session: ssl.SSLObject | None, where: object, error: BaseException | None = None
) -> CertificateDemandedError | None:
    """The error for a connection that ended before the server's first answer; None where it is not about a certificate.

    Args:
        session: the TLS session, None without TLS.
        where: the server, for the message.
        error: how the connection ended, None for a plain close. A local error is not a refusal.
    """
    if session is None or session not in _ASKED or not other_side_ended(error):
        return None
    alert = (error.reason if isinstance(error, ssl.SSLError) else None) or ""
    return CertificateDemandedError(where, presented=getattr(session.context, "presented", ""), alert=alert)


def _load_system_store(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not paths.capath:  # OpenSSL finds no store, as with Python's macOS builds
        import certifi  # noqa: PLC0415  # httpx brings it; only such systems need it

        context.load_verify_locations(certifi.where())


def _load(context: ssl.SSLContext, ca: Path) -> None:
    try:
        require_regular(ca)
        context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        detail = f"the CA file {ca} cannot be read: {_words(error)}; connect.ca must be a file in PEM"
        raise ProbeFailedError(Reason.MISSING_FILE, detail) from error


def _present(context: ssl.SSLContext, certificate: Path) -> None:
    try:
        require_regular(certificate)
        context.load_cert_chain(certificate, password=_no_passphrase)
    except (OSError, ValueError) as error:
        summary = f"cannot be used: {_words(error)}; it must contain certificate and key in PEM"
        detail = f"the client certificate {certificate} {summary}"
        raise ProbeFailedError(Reason.MISSING_FILE, detail) from error


_FILE_WORDS: Final = {  # by OpenSSL's reason
    "NO_CERTIFICATE_OR_CRL_FOUND": "it contains no certificate",
    "KEY_VALUES_MISMATCH": "its key does not match its certificate",
    "KEY_TYPE_MISMATCH": "its key does not match its certificate",
    "EE_KEY_TOO_SMALL": "its key is too small for this machine's OpenSSL",
    "CA_MD_TOO_WEAK": "its signature is too weak for this machine's OpenSSL",
    "CA_KEY_TOO_SMALL": "the key of a CA in it is too small for this machine's OpenSSL",
}


def _words(error: OSError | ValueError) -> str:
    """The reason why a certificate file cannot be used, without OpenSSL's text, which names a source line."""
    if isinstance(error, ssl.SSLError):
        return _FILE_WORDS.get(error.reason or "", "a part of it is missing or damaged")
    return error_text(error)


def _no_passphrase() -> str:
    """Refuse an encrypted key; without this callback OpenSSL would ask for the passphrase at the terminal."""
    raise ValueError("its key is encrypted")
