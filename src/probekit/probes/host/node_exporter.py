"""Another machine, by the page of its node exporter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from probekit.probe import Answer, Context, Failure, ProbeFailedError, Reason
from probekit.probes._support.exposition import MOST_BYTES
from probekit.probes.host import formulas
from probekit.probes.host.page import Page
from probekit.probes.host.readings import Counters, Disk, Usage
from probekit.probes.host.settings import HostProbe

_HEADERS: Final = {"Accept": "text/plain;version=0.0.4", "Cache-Control": "no-cache"}  # RFC 9111 section 5.2.1.4
_SLACK: Final = 2.0  # seconds: the boot time is given in whole ones, and two clocks differ a little
_OK: Final = 200
_DENIED: Final = (401, 403)
_LONGEST: Final = 64  # characters of a host name: what Linux allows
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Which machine a page speaks of, and when it was asked for and there."""

    machine: str
    asked: datetime
    answered: datetime
    uptime: float  # seconds since that machine's start; no setting of its clock moves them


class NodeExporter:
    """Reads the machine that a node exporter's page speaks of."""

    def __init__(self, config: HostProbe, context: Context) -> None:
        """Nothing is asked yet."""
        self._config = config
        self._context = context
        self._last: _Reading | None = None

    async def usage(self) -> Usage:
        """Memory and file systems."""
        page, machine = await self._page()
        disks: list[Disk | Failure] = []
        for mount in self._config.mounts:
            found = _or_failure(partial(formulas.disks, page, str(mount)))
            disks += (found,) if isinstance(found, Failure) else found
        return Usage(machine=machine, memory=_or_failure(lambda: formulas.memory(page)), disks=tuple(disks))

    async def counters(self) -> Counters:
        """Processor time and network counters, by the machine's own clock since its start, and memory."""
        asked = self._context.now()
        page, machine = await self._page()
        uptime = page.number("node_time_seconds") - page.number("node_boot_time_seconds")
        reading = _Reading(machine=machine, asked=asked, answered=self._context.now(), uptime=uptime)
        if self._last:
            _require_same(self._last, reading)
        self._last = reading
        return Counters(
            machine=machine,
            at=uptime,
            memory=_or_failure(lambda: formulas.memory(page).megabytes),
            processors=_or_failure(lambda: formulas.processors(page)),
            interfaces=_or_failure(lambda: formulas.interfaces(page)),
        )

    async def _page(self) -> tuple[Page, str]:
        """The exporter's page of now, and the name of the machine that it speaks of."""
        answer = await self._context.http.get(self._config.url or "", headers=_HEADERS, most=MOST_BYTES)
        answer.require_age(self._config.max_age)
        _require_metrics(answer)
        page = await asyncio.to_thread(Page, answer.body)  # a large page would hold up the run's one loop
        name = page.machine[:_LONGEST]
        if name and not self._config.means(name):
            detail = f"the exporter at {answer.address} speaks of {name}, the probe asks for {self._config.host}"
            raise ProbeFailedError(Reason.MISSING_SETTING, detail)
        return page, name or str(answer.address)


def _require_metrics(answer: Answer) -> None:
    if answer.status in _DENIED:
        raise answer.access_denied("let this machine read the exporter's page; connect.headers go to base_url only")
    answer.require_answer()
    if answer.status != _OK or answer.media_type == "text/html":
        detail = f"{answer.status} {answer.media_type} from {answer.address}, where a node exporter's metrics are due"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}: `url` is such as http://web-2:9100/metrics")


def _require_same(first: _Reading, last: _Reading) -> None:
    """Go on only where both pages are of one machine that ran all the time between them.

    Its time since the start must have grown by what passed here. A clock that was set moves the boot time with it.

    Raises:
        ProbeFailedError: `bad_response`: the machine was restarted or stood still, or two machines answer.
    """
    least = (last.asked - first.answered).total_seconds() - _SLACK
    most = (last.answered - first.asked).total_seconds() + _SLACK
    grown = last.uptime - first.uptime
    if first.machine != last.machine:
        detail = f"{first.machine} and {last.machine} answer in turn: name the exporter of one machine by `url`"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    if not least <= grown <= most:
        detail = f"the uptime of {last.machine} grew by {grown:.0f} s in {most - _SLACK:.0f} s"
        causes = "it was restarted or stood still, a cache answers, or two machines do"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}: {causes}")


def _or_failure(read: Callable[[], T]) -> T | Failure:
    """What can be read; a part that cannot leaves the others as they are."""
    try:
        return read()
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=error.detail)
