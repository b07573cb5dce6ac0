"""Collect the certificates that an address serves, one for each signature family whose cipher suites it accepts."""

from __future__ import annotations

import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from probekit.probe import Address, ProbeFailedError, Reason
from probekit.probes.tls.certificates import certificate_of, family_of
from probekit.probes.tls.handshakes import ANY, Door, Hello, Seen, refusal_of
from probekit.transport.trust import CertificateDemandedError

_HELLOS: Final[Mapping[str, Hello]] = MappingProxyType(  # suites name their family in TLS 1.2, not in TLS 1.3
    {
        "RSA": Hello(suites="aRSA:!eNULL", newest=ssl.TLSVersion.TLSv1_2),
        "ECDSA": Hello(suites="aECDSA:!eNULL", newest=ssl.TLSVersion.TLSv1_2),  # EdDSA's too, RFC 8422 section 5.1.1
    }
)
_NO_SUCH: Final = {"SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_INSUFFICIENT_SECURITY"}  # alerts, RFC 5246 7.2.2
_NO_TLS_1_2: Final = "TLSV1_ALERT_PROTOCOL_VERSION"
_ONE: Final = "only one certificate was read, because the server supports only TLS 1.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The certificates that an address serves: the preferred one, then those of other families."""

    certificates: tuple[Seen, ...]
    unasked: str = ""  # why there may be further certificates


async def shown_at(door: Door, address: Address | None = None) -> Shown:
    """Return every certificate that an address serves; by default the door's own address.

    Raises:
        ProbeFailedError: the handshake fails, or one for another family neither succeeds nor is refused.
    """
    preferred = await door.shown(ANY, address)
    own = family_of(certificate_of(preferred.leaf))
    found, refusals = {preferred.leaf: preferred}, []
    for family in _HELLOS:
        if family != own:
            other = await _asked(door, family, address)
            if isinstance(other, Seen):
                found.setdefault(other.leaf, other)
            else:
                refusals.append(other)
    unknown = preferred.protocol == "TLSv1.3" and len(found) == 1
    only_1_3 = unknown and not await _speaks_tls_1_2(door, own, refusals, address)
    return Shown(certificates=tuple(found.values()), unasked=_ONE if only_1_3 else "")


async def _speaks_tls_1_2(door: Door, own: str, refusals: Collection[str], address: Address | None) -> bool:
    """Return whether TLS 1.2 is spoken; without a clear alert, request the family that is known to be served."""
    if _NO_TLS_1_2 in refusals or _NO_SUCH & set(refusals):
        return _NO_TLS_1_2 not in refusals
    try:
        return isinstance(await _asked(door, "RSA" if own == "RSA" else "ECDSA", address), Seen)
    except CertificateDemandedError:
        return True


async def _asked(door: Door, family: str, address: Address | None) -> Seen | str:
    """Return the certificate of a family, or how the server refuses the handshake."""
    try:
        return await door.shown(_HELLOS[family], address)
    except CertificateDemandedError:
        raise  # there is a certificate that cannot be read
    except ProbeFailedError as error:
        refusal = refusal_of(error)
        if refusal is not None:
            return refusal
        reason = Reason.TIMEOUT if isinstance(error.__cause__, TimeoutError) else Reason.BAD_RESPONSE
        raise ProbeFailedError(reason, f"while requesting an {family} certificate: {error.detail}") from error
