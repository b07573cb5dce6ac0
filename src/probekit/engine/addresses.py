"""Silent addresses that do not count: those that this machine cannot reach, or that left the target's name."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from probekit.engine.context import Observations
from probekit.engine.measure import Measurer
from probekit.model.measurement import Attempt, Failure
from probekit.model.plan import Step
from probekit.probe import ConfiguredKind
from probekit.transport.urls import Address

_FAMILIES: Final = (4, 6)


async def note_uncounted(
    steps: Sequence[Step[ConfiguredKind]], observations: Observations, measurer: Measurer, reached: set[int]
) -> None:
    """Note why a silent address does not count, for each step that measures its addresses separately.

    Args:
        steps: the steps of the run.
        observations: the observations so far, to which the notes are added.
        measurer: resolves the names again.
        reached: the address families (4, 6) over which this run has reached anything.
    """
    for step in steps:
        mine = [attempts for key, attempts in observations.attempts.items() if key.probe == step.probe]
        silent = {address for attempts in mine if (address := _silent(attempts))} - observations.uncounted.keys()
        if not step.each_address or not silent:
            continue
        listed = await measurer.resolve(step)
        for address in silent:
            if why := _why(address, listed.addresses if not isinstance(listed, Failure) else None, reached):
                observations.uncounted[address] = why


def _silent(attempts: Sequence[Attempt]) -> str | None:
    """Return the address of an instance that never answered, else None."""
    measurements = [one for attempt in attempts for one in (*attempt.measurements, *attempt.rechecks)]
    return measurements[0].address if measurements and all(one.is_silent for one in measurements) else None


def _why(address: str, listed: Sequence[Address] | None, reached: set[int]) -> str | None:
    if listed is not None and address not in map(str, listed):
        return f"the name no longer resolves to {address}"
    family = _family(address)
    others = set(_FAMILIES) - {family}
    return f"IPv{family} not tested from here" if family not in reached and others & reached else None


def _family(address: str) -> int | None:
    """Return the address family of `IP:port`; None for a name, as with a proxy."""
    host = address.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None
