"""Map errors of sockets and handshakes to reasons."""

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
    errno.ENOENT: "there is no such socket file on this machine",
    errno.ENOTDIR: "there is no such socket file on this machine",
    errno.ENOTSOCK: "that file is no socket",
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
    """Who is to blame for an error of a socket or a handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProbeFailedError(
            Reason.UNTRUSTED, f"the certificate of {address} does not verify: {error.verify_message}"
        )
    if isinstance(error, ssl.SSLError):
        return _handshake_failed(error.reason or "", error, address)
    if isinstance(error, socket.gaierror):
        return ProbeFailedError(Reason.UNRESOLVED, f"{address} is no address here: {error_text(error)}")
    if error.errno in _RUNNER_ERRORS:
        return ProbeFailedError(Reason.NO_NETWORK, f"no connection to {address}: {_RUNNER_ERRORS[error.errno]}")
    words: dict[type[OSError], str] = {
        ConnectionRefusedError: "refused the connection",
        ConnectionResetError: "reset the connection",
    }
    return ProbeFailedError(
        Reason.UNREACHABLE, f"{address} {words.get(type(error), f'cannot be reached: {error_text(error)}')}"
    )


@contextmanager
def named_step(step: str) -> Iterator[None]:
    """Name what goes on over an open connection, so that `not_connected` can say what the time ran out in."""
    try:
        yield
    except asyncio.CancelledError as ended:
        ended.add_note(step)
        raise


def not_connected(error: TimeoutError, address: Address, seconds: float, reason: Reason) -> ProbeFailedError:
    """What the time ran out in: the connection itself, or a step that was named on an open one."""
    cancellation = error.__cause__ or error.__context__  # Python 3.11.2 names no cause
    steps = getattr(cancellation, "__notes__", ())
    if steps:
        detail = f"{steps[0]} timeout: {address} accepted the connection and did not finish within {seconds:g} s"
        return ProbeFailedError(reason, detail)
    return ProbeFailedError(reason, f"no connection to {address} within {seconds:g} s")


def other_side_ended(error: BaseException | None) -> bool:
    """Whether the other side ended a connection: by an alert, a reset or a close (None)."""
    if isinstance(error, ssl.SSLError):
        return isinstance(error, ssl.SSLEOFError) or _is_alert(error.reason or "")
    return error is None or isinstance(error, ConnectionError)


def _is_alert(reason: str) -> bool:
    return any(word in reason for word in _ALERTS)


def _handshake_failed(reason: str, error: ssl.SSLError, address: Address | SocketFile) -> ProbeFailedError:
    if _is_alert(reason):  # it speaks TLS and refuses us
        return ProbeFailedError(Reason.TURNED_AWAY, f"{address} refuses our handshake ({reason})")
    if any(word in reason for word in _LOCAL_TLS_ERRORS):
        return ProbeFailedError(Reason.BUG, f"our own TLS library refuses to talk to {address} ({reason})")
    return ProbeFailedError(Reason.UNREACHABLE, f"no TLS with {address}: {reason or error_text(error)}")


def error_text(error: BaseException) -> str:
    """The system's own text of an error, else its type."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
