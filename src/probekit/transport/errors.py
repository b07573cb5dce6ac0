"""Map errors of sockets and TLS handshakes to reasons and messages."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.urls import Address, SocketFile

_RUNNER_ERRORS: Final = {
    errno.ENOENT: "the socket file does not exist on this machine",
    errno.ENOTDIR: "the socket file does not exist on this machine",
    errno.ENOTSOCK: "the file is not a socket",
    errno.ENETUNREACH: "network unreachable from this machine",
    errno.EHOSTUNREACH: "no route to host from this machine",
    errno.ENETDOWN: "this machine's network is down",
    errno.EAFNOSUPPORT: "this machine does not support the address family",
    errno.ENOBUFS: "this machine has no network buffers left",
    errno.ENOMEM: "this machine has no memory left",
    errno.EADDRNOTAVAIL: "this machine has no free local address or port",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "this machine has too many open files",
    errno.EACCES: "permission denied on this machine",
    errno.EPERM: "permission denied on this machine",
}
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")  # OpenSSL before 3.2, and since
_ALERTS: Final = (
    "ALERT",
    "CERTIFICATE_REQUIRED",
    "UNRECOGNIZED_NAME",
)  # parts of OpenSSL's reasons for an alert from the server
_LOCAL_TLS_ERRORS: Final = (
    "NO_CIPHERS_AVAILABLE",
    "NO_PROTOCOLS_AVAILABLE",
    "UNSUPPORTED_PROTOCOL",
    "DH_KEY_TOO_SMALL",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
    "WRONG_SIGNATURE_TYPE",
    "BAD_ECPOINT",
)


def connection_failed(error: OSError, address: Address | SocketFile) -> ProbeFailedError:
    """The reason and message for an error of a socket or a TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProbeFailedError(
            Reason.UNTRUSTED, f"certificate verification failed for {address}: {error.verify_message}"
        )
    if isinstance(error, ssl.SSLError):
        return _handshake_failed(error.reason or "", error, address)
    if isinstance(error, socket.gaierror):
        return ProbeFailedError(Reason.UNRESOLVED, f"invalid address {address}: {error_text(error)}")
    if error.errno in _RUNNER_ERRORS:
        return ProbeFailedError(Reason.NO_NETWORK, f"cannot connect to {address}: {_RUNNER_ERRORS[error.errno]}")
    words: dict[type[OSError], str] = {
        ConnectionRefusedError: "connection refused by",
        ConnectionResetError: "connection reset by",
    }
    known = words.get(type(error))
    detail = f"{known} {address}" if known else f"cannot connect to {address}: {error_text(error)}"
    return ProbeFailedError(Reason.UNREACHABLE, detail)


@contextmanager
def named_step(step: str) -> Iterator[None]:
    """Name a step over an open connection, so that `not_connected` can state in which step the time ran out."""
    try:
        yield
    except asyncio.CancelledError as ended:
        ended.add_note(step)
        raise


def not_connected(error: TimeoutError, address: Address, seconds: float, reason: Reason) -> ProbeFailedError:
    """The error for a timeout: of the connection itself, or of a named step on an open one."""
    cancellation = error.__cause__ or error.__context__  # Python 3.11.2 sets only the context
    steps = getattr(cancellation, "__notes__", ())
    if steps:
        detail = f"{steps[0]} timeout: {address} accepted the connection and did not finish within {seconds:g} s"
        return ProbeFailedError(reason, detail)
    return ProbeFailedError(reason, f"no connection to {address} within {seconds:g} s")


def other_side_ended(error: BaseException | None) -> bool:
    """Whether the server ended a connection: by an alert, a reset or a close (None)."""
    if isinstance(error, ssl.SSLError):
        return isinstance(error, ssl.SSLEOFError) or _is_alert(error.reason or "")
    return error is None or isinstance(error, ConnectionError)


def _is_alert(reason: str) -> bool:
    return any(word in reason for word in _ALERTS)


def _handshake_failed(reason: str, error: ssl.SSLError, address: Address | SocketFile) -> ProbeFailedError:
    if _is_alert(reason):  # the server supports TLS and rejects this handshake
        return ProbeFailedError(Reason.ACCESS_DENIED, f"{address} rejected the TLS handshake ({reason})")
    if any(word in reason for word in _LOCAL_TLS_ERRORS):
        return ProbeFailedError(
            Reason.BUG, f"the runner's TLS library rejected the handshake with {address} ({reason})"
        )
    hint = "; the answer is not valid TLS: check scheme and port" if reason in _NOT_TLS else ""
    return ProbeFailedError(
        Reason.UNREACHABLE, f"TLS handshake with {address} failed: {reason or error_text(error)}{hint}"
    )


def error_text(error: BaseException) -> str:
    """The system's text of an error, else its type."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
