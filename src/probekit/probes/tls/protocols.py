"""Which protocols does an address speak?"""

from __future__ import annotations

import ssl
from typing import Final

from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.tls.handshakes import MODERN, Door, Seen, old_only
from probekit.transport.trust import CertificateDemandedError

_REFUSALS: Final = ("TLSV1_ALERT_PROTOCOL_VERSION", "SSLV3_ALERT_HANDSHAKE_FAILURE")  # alerts, RFC 5246 7.2.2


async def modern_protocol(door: Door, seen: Seen) -> Exact | Failure:
    """Whether a newer protocol was negotiated and TLS 1.1 is refused: who speaks both can be talked down.

    A refusal is an alert of the server's, or a connection that it ends; an error of this side is no reading.
    """
    if seen.protocol not in MODERN:
        return Exact(0)
    try:
        await door.handshake(old_only(door.trust))
    except CertificateDemandedError:
        return Exact(0)  # it took TLS 1.1, and went on to ask for a certificate
    except ProbeFailedError as error:
        cause = error.__cause__
        reason = (cause.reason if isinstance(cause, ssl.SSLError) else None) or ""
        if reason in _REFUSALS or isinstance(cause, ConnectionResetError | ssl.SSLEOFError):
            return Exact(1)
        reason_of = Reason.TIMEOUT if isinstance(cause, TimeoutError) else Reason.BAD_RESPONSE
        return Failure(reason=reason_of, detail=f"asked for TLS 1.1: {error.detail}")
    return Exact(0)
