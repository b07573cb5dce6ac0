"""Verify a certificate with OpenSSL: its path, its dates and its name."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from probekit.probe import Exact, Failure, ProbeFailedError, Reason
from probekit.probes.tls.certificates import (
    certificate_of,
    common_name,
    date_text,
    days_left,
    family_of,
    names_of,
    out_of_dates,
)
from probekit.probes.tls.handshakes import MODERN, Door, Seen

_ANOTHER_NAME: Final = (62, 63, 64)  # X509_V_ERR_HOSTNAME_, EMAIL_, IP_ADDRESS_MISMATCH of OpenSSL's x509_vfy.h


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A certificate that an address serves, and the results of its verification."""

    seen: Seen
    leaf: x509.Certificate
    path: tuple[x509.Certificate, ...] | None  # from leaf to root, verified except for dates; None: none
    host_matches: Exact | Failure
    invalid: tuple[str, ...]  # certificates of the path, or the leaf, that expired or are not valid yet
    refusals: tuple[str, ...]  # OpenSSL's messages about path and name

    @property
    def trusted(self) -> bool:
        """Whether the path verifies, dates included."""
        return self.path is not None and not self.invalid

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The path, or the leaf alone where there is no path."""
        return self.path or (self.leaf,)

    @property
    def chain_complete(self) -> Exact | Failure:
        """Whether the server sent every certificate between leaf and root (RFC 8446 section 4.4.2)."""
        if self.path is not None:
            return Exact(set(self.path[1:-1]) <= {certificate_of(der) for der in self.seen.sent})
        if self.leaf.issuer == self.leaf.subject:
            return Exact(1)
        detail = "the chain does not lead to a trusted root, so its completeness is unknown"
        return Failure(reason=Reason.BAD_RESPONSE, detail=detail)

    def summary(self, now: datetime) -> str:
        """Return a sentence about the certificate, and what is wrong with it."""
        leaf, first = self.leaf, min(self.certificates, key=lambda certificate: days_left(certificate, now))
        issuer, until = common_name(leaf.issuer), date_text(leaf.not_valid_after_utc)
        parts = [f"certificate of {names_of(leaf)}, issued by {issuer}, valid until {until}"]
        if first != leaf and not self.invalid:
            parts.append(f"{names_of(first)} above it expires first, {first.not_valid_after_utc:%Y-%m-%d}")
        if wrong := [*self.refusals, *self.invalid]:
            parts.append(f"refused: {', '.join(wrong)}")
        return "; ".join(parts)


def summaries(served: Sequence[Served], now: datetime) -> list[str]:
    """Return a sentence for each certificate, with its signature family where there are several."""
    several = len(served) > 1
    return [f"{family_of(one.leaf)} {one.summary(now)}" if several else one.summary(now) for one in served]


async def verified(door: Door, seen: Seen, now: datetime) -> Served:
    """Verify path, dates and name together, and separately where that fails.

    Dates come first, so that an expired certificate is on the path only where there is no other path.
    """
    path, refusal = await _verify(door, _verifying(door, seen), seen)
    of_name = None
    if refusal and refusal.verify_code in _ANOTHER_NAME:
        of_name = refusal
        path, refusal = await _verify(door, _verifying(door, seen, name=False), seen)
    elif refusal:  # the refusal would be the same without the name
        of_name = await _refusal_of_name(door, seen)
    if path is None:
        path, refusal = await _verify(door, _verifying(door, seen, name=False, dates=False), seen)
    leaf = certificate_of(seen.leaf)
    certificates = tuple(certificate_of(der) for der in path) if path else None
    return Served(
        seen=seen,
        leaf=leaf,
        path=certificates,
        host_matches=_host_matches(of_name),
        invalid=_invalid(certificates or (leaf,), now),
        refusals=tuple(one.verify_message for one in (refusal, of_name) if one),
    )


def _verifying(door: Door, seen: Seen, *, dates: bool = True, name: bool = True) -> ssl.SSLContext:
    return seen.hello.verifying(door.trust, is_modern=seen.protocol in MODERN, dates=dates, name=name)


async def _refusal_of_name(door: Door, seen: Seen) -> ssl.SSLCertVerificationError | None:
    """Return OpenSSL's refusal of the name alone: the leaf itself is the anchor, and dates are not checked."""
    own = seen.hello.verifying(door.trust, is_modern=False, dates=False)  # a weak key is a separate reading
    own.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    own.load_verify_locations(cadata=seen.leaf)
    _, refusal = await _verify(door, own, seen)
    return refusal


async def _verify(
    door: Door, tls: ssl.SSLContext, seen: Seen
) -> tuple[tuple[bytes, ...], None] | tuple[None, ssl.SSLCertVerificationError]:
    """Return the verified path, or OpenSSL's refusal."""
    try:
        again = await door.handshake(seen.hello, tls)
    except ProbeFailedError as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            return None, error.__cause__
        raise
    if again.leaf != seen.leaf:  # results of one certificate do not apply to the other
        detail = f"{door.address} serves more than one certificate: it changed between two handshakes"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    return again.verified, None


def _host_matches(refusal: ssl.SSLCertVerificationError | None) -> Exact | Failure:
    if refusal is None or refusal.verify_code in _ANOTHER_NAME:
        return Exact(refusal is None)
    return Failure(reason=Reason.BAD_RESPONSE, detail=f"the host name cannot be verified: {refusal.verify_message}")


def _invalid(certificates: tuple[x509.Certificate, ...], now: datetime) -> tuple[str, ...]:
    """Return which certificates of a path expired or are not valid yet."""
    roles = ["leaf", *["intermediate"] * (len(certificates) - 2), "root"]
    return tuple(
        f"the {role} {names_of(certificate)} {problem}"
        for role, certificate in zip(roles, certificates, strict=False)  # a single certificate is the leaf
        if (problem := out_of_dates(certificate, now))
    )
