"""Measure which TLS versions an address speaks."""

from __future__ import annotations

from typing import Final

from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.tls.handshakes import CLOSED, MODERN, OLD, Door, Seen, refusal_of
from probekit.transport.trust import CertificateDemandedError

_REFUSALS: Final = ("TLSV1_ALERT_PROTOCOL_VERSION", "SSLV3_ALERT_HANDSHAKE_FAILURE", CLOSED)  # RFC 5246 section 7.2.2


async def modern_protocol(door: Door, seen: Seen) -> Exact | Failure:
    """Return whether TLS 1.2 or newer was negotiated and TLS 1.1 is refused, so that no downgrade is possible.

    A refusal is an alert of the server, or a connection that it closes; an error of the runner is not a reading.
    """
    if seen.protocol not in MODERN:
        return Exact(0)
    try:
        await door.shown(OLD)
    except CertificateDemandedError:
        return Exact(0)  # it accepted TLS 1.1, and then demanded a certificate
    except ProbeFailedError as error:
        if refusal_of(error) in _REFUSALS:
            return Exact(1)
        reason = Reason.TIMEOUT if isinstance(error.__cause__, TimeoutError) else Reason.BAD_RESPONSE
        return Failure(reason=reason, detail=f"while offering TLS 1.1: {error.detail}")
    return Exact(0)
