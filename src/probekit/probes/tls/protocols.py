"""Which protocols does an address speak?"""

from __future__ import annotations

from typing import Final

from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.tls.handshakes import CLOSED, MODERN, OLD, Door, Seen, refusal_of
from probekit.transport.trust import CertificateDemandedError

_REFUSALS: Final = ("TLSV1_ALERT_PROTOCOL_VERSION", "SSLV3_ALERT_HANDSHAKE_FAILURE", CLOSED)  # RFC 5246 section 7.2.2


async def modern_protocol(door: Door, seen: Seen) -> Exact | Failure:
    """Whether a newer protocol was negotiated and TLS 1.1 is refused: who speaks both can be talked down.

    A refusal is an alert of the server's, or a connection that it ends; an error of this side is no reading.
    """
    if seen.protocol not in MODERN:
        return Exact(0)
    try:
        await door.shown(OLD)
    except CertificateDemandedError:
        return Exact(0)  # it took TLS 1.1, and went on to ask for a certificate
    except ProbeFailedError as error:
        if refusal_of(error) in _REFUSALS:
            return Exact(1)
        reason = Reason.TIMEOUT if isinstance(error.__cause__, TimeoutError) else Reason.BAD_RESPONSE
        return Failure(reason=reason, detail=f"asked for TLS 1.1: {error.detail}")
    return Exact(0)
