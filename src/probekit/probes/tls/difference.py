"""Compare the certificates of an address with the declared one, or with those of the first address."""

from __future__ import annotations

from collections.abc import Sequence

from probekit.probes.tls.certificates import common_name, fingerprint_of
from probekit.probes.tls.families import shown_at
from probekit.probes.tls.handshakes import Door
from probekit.probes.tls.settings import TlsProbe
from probekit.probes.tls.verification import Served


async def difference(config: TlsProbe, door: Door, served: Sequence[Served]) -> str:
    """Return how the certificates differ from the declaration; empty where they do not, or nothing is declared.

    One of several must have the declared fingerprint, and all the declared issuer. Addresses may serve different
    certificates: several edges, or a renewal that is being rolled out.
    """
    leaves = [one.leaf for one in served]
    if config.fingerprint and config.fingerprint not in map(fingerprint_of, leaves):
        return "the fingerprint differs from the declared one"
    issuers = [leaf.issuer for leaf in leaves]
    if config.issuer and not all(config.issuer in {common_name(one), one.rfc4514_string()} for one in issuers):
        return "the issuer differs from the declared one"
    resolved = door.context.resolved
    first = resolved.addresses[0] if resolved else door.address
    if not config.same_everywhere or first == door.address:
        return ""
    shown = await shown_at(door, first)
    others = {one.leaf for one in shown.certificates}
    return "" if others == {one.seen.leaf for one in served} else f"{first} serves another certificate"
