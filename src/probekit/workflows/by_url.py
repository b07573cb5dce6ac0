"""What a run of a URL adds to that of a file: https that it lacks, and a health path that is wrong."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from probekit.config.by_url import HEALTH
from probekit.config.target import Target
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.plan import Plan
from probekit.model.verdict import Outcome, Verdict
from probekit.planning.coverage import lacks_https
from probekit.probe import ConfiguredKind
from probekit.probes._support.own_word import IGNORABLE, SUGGESTED
from probekit.transport.resolver import Resolver
from probekit.transport.urls import Address, endpoint_of

_LONGEST: Final = 5.0  # seconds for the resolver
_PRIVATE: Final = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"),
    )
)  # RFC 1918, RFC 3927, RFC 4193, RFC 4291 section 2.5.6


async def without_https(
    planned: Plan[ConfiguredKind], target: Target, resolver: Resolver | None = None
) -> Plan[ConfiguredKind]:
    """The plan of a URL, in which items that need https say what keeps them from a measurement.

    They do not apply where every address of the host is loopback or private, so that the run can be go. At any other
    address, and where the name does not resolve, they stay without an answer, and the run cannot be go.
    """
    lacking = [one.id for one in planned.items if one.id in planned.uncovered and lacks_https(one.probe or "", target)]
    if not lacking:
        return planned
    place = await _place_of(target.environment.base_url, resolver or Resolver())
    if place in ("loopback", "private"):
        reasons = dict.fromkeys(lacking, f"http on a {place} address")
        others = {name: why for name, why in planned.uncovered.items() if name not in reasons}
        return replace(planned, not_applicable={**planned.not_applicable, **reasons}, uncovered=others)
    why = f"http {place}: this needs https, and without it the run cannot be go"
    return replace(planned, uncovered={**planned.uncovered, **dict.fromkeys(lacking, why)})


async def _place_of(url: str, resolver: Resolver) -> str:
    """`loopback` or `private` where all addresses of the URL's host are so; else where it is, in words."""
    endpoint = endpoint_of(url)
    try:
        async with asyncio.timeout(_LONGEST):
            found = (await resolver.resolve(endpoint)).addresses
    except (ProbeFailedError, TimeoutError):
        return "at a name that does not resolve"
    return _kind_of(found) or "on a public address"


def _kind_of(addresses: Sequence[Address]) -> str:
    """`loopback` or `private` where all addresses are at least private; empty where one is not, or none is there."""
    found = [_unmapped(address.ip) for address in addresses]
    if found and all(one.is_loopback or one.is_unspecified for one in found):  # the kernel takes 0.0.0.0 for loopback
        return "loopback"
    are_near = all(
        one.is_loopback or any(one.version == network.version and one in network for network in _PRIVATE)
        for one in found
    )
    return "private" if found and are_near else ""


def _unmapped(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address; of an IPv6 address that stands for an IPv4 address, the latter."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def is_hopeless(verdicts: Sequence[Verdict]) -> bool:
    """Whether the URL's own path was measured and did not pass: no window can lead to a go then."""
    return any(_is_of_health(one) and one.outcome is not Outcome.PASS for one in verdicts)


def advice(verdicts: Sequence[Verdict], url: str) -> tuple[str, ...]:
    """What to do where the URL's own path gave no answer that tells health."""
    found = [one for one in verdicts if _is_of_health(one)]
    if any(one.outcome is Outcome.ERROR and one.because.startswith(Reason.UNTRUSTED) for one in found):
        return ("a certificate of an authority of one's own is believed with --ca FILE",)
    if any(one.outcome is Outcome.ERROR and one.because.startswith(Reason.TURNED_AWAY) for one in found):
        return ("a credential is sent with --header Authorization=VARIABLE, which holds the header's whole value",)
    if not any(one.outcome is Outcome.INCONCLUSIVE for one in found):
        return ()
    parts = urlsplit(url)
    path, base = parts.path or "/", f"{parts.scheme}://{parts.netloc}"
    if any(IGNORABLE in one.because for one in found):
        return (
            f"a part that does not count is named in a file: probekit init {base}{path}, then 'ignore' of its probe",
        )
    if any(SUGGESTED in one.because for one in found):
        return (
            f"what {path} answers is not understood: probekit init {base}{path} writes a file with a claim about it",
        )
    what = f"what {path} answers tells nothing of health, and nothing was sampled"
    return (f"{what}: name the path of the health endpoint; probekit init {base} looks at the usual ones",)


def _is_of_health(verdict: Verdict) -> bool:
    return verdict.item.probe == HEALTH
