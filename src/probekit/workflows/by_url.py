"""The specifics of `verify --url`: a URL without https, and a URL that is not a health endpoint."""

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
    """Return the plan of a URL, with the reason why items that need https cannot be measured over http.

    If every address of the host is loopback or private, they do not apply, and a go is possible. At any other address,
    or if the name does not resolve, they stay not configured, and a go is impossible.
    """
    lacking = [one.id for one in planned.items if one.id in planned.uncovered and lacks_https(one.probe or "", target)]
    if not lacking:
        return planned
    place = await _place_of(target.environment.base_url, resolver or Resolver())
    if place in ("loopback", "private"):
        reasons = dict.fromkeys(lacking, f"http on a {place} address")
        others = {name: why for name, why in planned.uncovered.items() if name not in reasons}
        return replace(planned, not_applicable={**planned.not_applicable, **reasons}, uncovered=others)
    why = f"http {place}: this item needs https, and a go is impossible without it"
    return replace(planned, uncovered={**planned.uncovered, **dict.fromkeys(lacking, why)})


async def _place_of(url: str, resolver: Resolver) -> str:
    """Return `loopback` or `private` if all addresses of the URL's host are so; else a phrase for the place."""
    endpoint = endpoint_of(url)
    try:
        async with asyncio.timeout(_LONGEST):
            found = (await resolver.resolve(endpoint)).addresses
    except (ProbeFailedError, TimeoutError):
        return "at a name that does not resolve"
    return _kind_of(found) or "on a public address"


def _kind_of(addresses: Sequence[Address]) -> str:
    """Return `loopback` or `private` if all addresses are; empty if one is public or there are none."""
    found = [_unmapped(address.ip) for address in addresses]
    if found and all(one.is_loopback or one.is_unspecified for one in found):  # the kernel takes 0.0.0.0 for loopback
        return "loopback"
    are_near = all(
        one.is_loopback or any(one.version == network.version and one in network for network in _PRIVATE)
        for one in found
    )
    return "private" if found and are_near else ""


def _unmapped(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return the address, or the IPv4 address that an IPv4-mapped IPv6 address stands for."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def is_hopeless(verdicts: Sequence[Verdict]) -> bool:
    """Return whether the URL's path was measured and did not pass, so that no window can lead to a go."""
    return any(_is_of_health(one) and one.outcome is not Outcome.PASS for one in verdicts)


def advice(verdicts: Sequence[Verdict], url: str) -> tuple[str, ...]:
    """Return what to do if the URL's path did not give a health answer."""
    found = [one for one in verdicts if _is_of_health(one)]
    if any(one.outcome is Outcome.ERROR and one.because.startswith(Reason.UNTRUSTED) for one in found):
        return ("to trust a private certificate authority, use --ca FILE",)
    if any(one.outcome is Outcome.ERROR and one.because.startswith(Reason.ACCESS_DENIED) for one in found):
        return ("to send a credential, use --header Authorization=VARIABLE; the variable holds the whole header value",)
    if not any(one.outcome is Outcome.INCONCLUSIVE for one in found):
        return ()
    parts = urlsplit(url)
    path, base = parts.path or "/", f"{parts.scheme}://{parts.netloc}"
    if any(IGNORABLE in one.because for one in found):
        return (
            f"to ignore a component, use a file: probekit init {base}{path}, then set 'ignore' of its health probe",
        )
    if any(SUGGESTED in one.because for one in found):
        return (
            f"the answer of {path} is not understood: probekit init {base}{path} writes a file with an assertion on it",
        )
    what = f"the answer of {path} says nothing about health, so nothing was sampled"
    return (f"{what}: give the URL of the health endpoint; probekit init {base} tries the usual paths",)


def _is_of_health(verdict: Verdict) -> bool:
    return verdict.item.probe == HEALTH
