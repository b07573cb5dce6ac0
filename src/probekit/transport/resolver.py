"""Resolve names to addresses."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.transport.errors import error_text
from probekit.transport.urls import Address, Endpoint, ascii_host


@dataclass(frozen=True, slots=True)
class Resolved:
    """Every address of an endpoint, each once, and the seconds it took to resolve them."""

    addresses: tuple[Address, ...]
    seconds: float


LookUp = Callable[[Endpoint], Sequence[str]]
Family = Literal["any", "ipv4", "ipv6"]
_FAMILIES: Final = {4: "ipv4", 6: "ipv6"}


def system_addresses(endpoint: Endpoint) -> Sequence[str]:
    """The addresses from the system's resolver, of families this machine has (blocks; gaierror: none)."""
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves names to addresses; addresses fixed by the configuration are never looked up."""

    fixed: Mapping[str, str] = field(default_factory=dict)  # "host:port", as `name_of` writes it -> IP
    look_up: LookUp = system_addresses
    family: Family = "any"  # of the resolved addresses
    asked: set[str] = field(default_factory=set)  # the names that were resolved, as in `fixed`

    async def resolve(self, endpoint: Endpoint) -> Resolved:
        """Every address of the endpoint.

        Raises:
            ProbeFailedError: `unresolved`: there is none, or no DNS server answered, on either side.
        """
        self.asked.add(name_of(endpoint))
        known = self._fixed(endpoint) or _literal(endpoint.host)
        if known:
            return Resolved((Address(endpoint, known),), 0.0)
        start = time.perf_counter()
        try:
            found = await _in_a_thread(lambda: self.look_up(endpoint))
        except (OSError, UnicodeError) as error:
            raise ProbeFailedError(
                Reason.UNRESOLVED, f"the name {endpoint.host} does not resolve: {error_text(error)}"
            ) from error
        addresses = [Address(endpoint, ip) for ip in dict.fromkeys(found)]
        kept = tuple(address for address in addresses if self.family in ("any", _FAMILIES[address.family]))
        if found and not kept:
            detail = f"the name {endpoint.host} has no {self.family} address (connect.family)"
            raise ProbeFailedError(Reason.UNRESOLVED, detail)
        return Resolved(kept, time.perf_counter() - start)

    def is_fixed(self, endpoint: Endpoint) -> bool:
        """Whether the configuration fixes its address."""
        return self._fixed(endpoint) is not None

    def _fixed(self, endpoint: Endpoint) -> str | None:
        return self.fixed.get(name_of(endpoint))


def name_of(endpoint: Endpoint) -> str:
    """The endpoint as `Resolver.fixed` names it: a Unicode host by IDNA, an IPv6 address in brackets."""
    try:
        return str(Endpoint(ascii_host(endpoint.host), endpoint.port))
    except ValueError:  # a host that cannot be resolved
        return str(endpoint).lower()


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


async def _in_a_thread(work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """The result of the work in a daemon thread: a thread of the loop's executor would block the exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Sequence[str]] = loop.create_future()

    def tell(result: Sequence[str] | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error:
            done.set_exception(error)
        else:
            done.set_result(result or ())

    def run() -> None:
        try:
            result, failed = work(), None
        except (OSError, UnicodeError) as error:
            result, failed = None, error
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result, failed)

    threading.Thread(target=run, name="resolve", daemon=True).start()
    return await done
