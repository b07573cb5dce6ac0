"""Who would believe a certificate? OpenSSL's answers: path, dates and name."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.tls.handshakes import MODERN, Door, Seen, speaking_old

_ANOTHER_NAME: Final = (62, 63, 64)  # X509_V_ERR_HOSTNAME_, EMAIL_, IP_ADDRESS_MISMATCH of OpenSSL's x509_vfy.h


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """Whether a path verifies, whether the name is right, and the path."""

    path: tuple[bytes, ...] | None
    host_matches: bool | Failure
    refusal: str = ""


async def verified(door: Door, seen: Seen) -> Verified:
    """OpenSSL's answers, dates left aside: path and name at once, and one by one where that is refused."""

    def verifying(*, dates: bool = False, name: bool = True) -> ssl.SSLContext:
        tls = door.trust.verifying(dates=dates, name=name)
        return tls if seen.protocol in MODERN else speaking_old(tls)  # which also takes weak keys, so only where needed

    for tls in (verifying(dates=True), verifying()):  # with dates first: an expired cross-sign must not be the path
        path, why = await _verify(door, tls, seen)
        if path is not None:
            return Verified(path=path, host_matches=True)
    path, refusal = await _verify(door, verifying(name=False), seen)
    own = speaking_old(verifying())  # a weak key has its own reading
    own.verify_flags |= (
        ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    )  # the leaf itself is the anchor: only the name is left to refuse
    own.load_verify_locations(cadata=seen.leaf)
    _, of_name = await _verify(door, own, seen)
    matches: bool | Failure = of_name is None
    if of_name is not None and of_name.verify_code not in _ANOTHER_NAME:
        matches = Failure(reason=Reason.BAD_RESPONSE, detail=f"its name cannot be verified: {of_name.verify_message}")
    summary = refusal if path is None else why
    return Verified(path=path, host_matches=matches, refusal=summary.verify_message if summary else "")


async def _verify(
    door: Door, tls: ssl.SSLContext, seen: Seen
) -> tuple[tuple[bytes, ...], None] | tuple[None, ssl.SSLCertVerificationError]:
    """The verified path, or OpenSSL's refusal."""
    try:
        again = await door.handshake(tls)
    except ProbeFailedError as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return None, error.__cause__
        raise
    if again.leaf != seen.leaf:  # nothing that was read of one speaks of the other
        detail = f"{door.address} serves more than one certificate: they changed from one handshake to the next"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return again.verified, None


def chain_complete(seen: Seen, trust: Verified, leaf: x509.Certificate) -> Exact | Failure:
    """Whether the server sent every certificate between leaf and root (RFC 8446 section 4.4.2)."""
    if trust.path is not None:
        return Exact(set(trust.path[1:-1]) <= set(seen.sent))
    if leaf.issuer == leaf.subject:
        return Exact(1)
    return Failure(reason=Reason.BAD_RESPONSE, detail="no trusted root is known to which the chain could be complete")
