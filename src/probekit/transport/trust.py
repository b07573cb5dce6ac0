"""Which certificates are believed, and which one is shown to servers that ask."""

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
    """Who is believed: the system's store and, beside it, the configured CA file; and who we are to whoever asks."""

    ca: Path | None = None
    client_cert: Path | None = None  # certificate, its chain and its key in one PEM file

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Verifies path, dates and name; made when a connection first needs it, once a run (20 ms of CPU)."""
        return self.verifying()

    def verifying(self, *, dates: bool = True, name: bool = True) -> ssl.SSLContext:
        """A context that verifies the path, and, where asked, the dates and the name.

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
        """A context that takes any certificate, for a handshake after which nothing is sent.

        Raises:
            ProbeFailedError: `missing_file`: the configured client certificate cannot be read.
        """
        context = self._presenting()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def _presenting(self) -> ssl.SSLContext:
        """A client's context that presents the configured certificate and notes which servers ask for one."""
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        if self.client_cert:
            _present(context, self.client_cert)
            context.presented = "connect.client_cert"
        context._msg_callback = _note_request  # type: ignore[attr-defined]  # noqa: SLF001  # nothing public tells it
        return context


class CertificateDemandedError(ProbeFailedError):
    """Access denied: a server demands a client certificate and accepts none that it was shown."""

    def __init__(self, where: object, *, presented: str = "", withheld: str = "", alert: str = "") -> None:
        """Say which setting's certificate was presented, or why none was, and how the server put it."""
        found = f"does not accept that of {presented}" if presented else "was shown none"
        advice = "" if presented else f": {withheld}" if withheld else "; configure connect.client_cert"
        words = f" ({alert})" if alert else ""
        detail = f"access denied: {where} demands a client certificate and {found}{words}{advice}"
        super().__init__(Reason.TURNED_AWAY, detail)


_ASKED: Final[WeakSet[object]] = WeakSet()  # TLS sessions whose server asked for a client certificate
_SESSIONS: Final[ContextVar[list[ssl.SSLObject] | None]] = ContextVar("sessions of this task's handshake", default=None)
_CERTIFICATE_REQUEST: Final = 13  # RFC 8446 section 4


class _Context(ssl.SSLContext):
    """Hands its sessions to the task that makes the handshake: asyncio shows those of failed handshakes nowhere."""

    presented = ""  # the setting whose certificate is shown

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:  # noqa: ANN401  # passed on as they are
        session = super().wrap_bio(*arguments, **named)
        watched = _SESSIONS.get()
        if watched is not None:
            watched.append(session)
        return session


def watch_handshake() -> list[ssl.SSLObject]:
    """A list that holds the session of this task's next handshake as soon as that begins."""
    sessions: list[ssl.SSLObject] = []
    _SESSIONS.set(sessions)
    return sessions


def _note_request(
    session: object, direction: str, _version: object, _content: object, message: int, _data: bytes
) -> None:
    """With TLS 1.3 a server refuses a client without a certificate after the handshake, and may do so by a reset."""
    if direction == "read" and message == _CERTIFICATE_REQUEST:
        _ASKED.add(session)


def demanded_certificate(
    session: ssl.SSLObject | None, where: object, error: BaseException | None = None
) -> CertificateDemandedError | None:
    """What a connection that ends before the server's first answer means; None where it is not about a certificate.

    Args:
        session: the TLS session, None without TLS.
        where: the server, for the text.
        error: how the connection ended, None for a plain close. An error of this side is no refusal.
    """
    if session is None or session not in _ASKED or not other_side_ended(error):
        return None
    alert = (error.reason if isinstance(error, ssl.SSLError) else None) or ""
    return CertificateDemandedError(where, presented=getattr(session.context, "presented", ""), alert=alert)


def _load_system_store(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    paths = ssl.get_default_verify_paths()
    if not paths.cafile and not paths.capath:  # no store where OpenSSL looks for one, as with Python's macOS builds
        import certifi  # noqa: PLC0415  # httpx brings it; only such systems need it

        context.load_verify_locations(certifi.where())


def _load(context: ssl.SSLContext, ca: Path) -> None:
    try:
        require_regular(ca)
        context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        detail = f"the CA file {ca} cannot be read: {_words(error)}; connect.ca names a file in PEM"
        raise ProbeFailedError(Reason.MISSING_FILE, detail) from error


def _present(context: ssl.SSLContext, certificate: Path) -> None:
    try:
        require_regular(certificate)
        context.load_cert_chain(certificate, password=_no_passphrase)
    except (OSError, ValueError) as error:
        summary = f"cannot be used: {_words(error)}; it holds certificate and key in PEM"
        detail = f"the client certificate {certificate} {summary}"
        raise ProbeFailedError(Reason.MISSING_FILE, detail) from error


_FILE_WORDS: Final = {  # by OpenSSL's reason, of which ssl knows no more than this for most
    "NO_CERTIFICATE_OR_CRL_FOUND": "no certificate stands in it",
    "KEY_VALUES_MISMATCH": "its key is not the key of its certificate",
    "KEY_TYPE_MISMATCH": "its key is not the key of its certificate",
    "EE_KEY_TOO_SMALL": "its key is too small for this machine's OpenSSL",
    "CA_MD_TOO_WEAK": "its signature is too weak for this machine's OpenSSL",
    "CA_KEY_TOO_SMALL": "the key of a CA in it is too small for this machine's OpenSSL",
}


def _words(error: OSError | ValueError) -> str:
    """Why a file of certificates cannot be used: never in OpenSSL's own text, which names a line of its wrapper."""
    if isinstance(error, ssl.SSLError):
        return _FILE_WORDS.get(error.reason or "", "a part of it is missing or damaged")
    return error_text(error)


def _no_passphrase() -> str:
    """Asked for by OpenSSL where a key is encrypted; without an answer it would ask at the terminal."""
    raise ValueError("its key is encrypted")
