"""Read another machine by the page of its node exporter."""

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
_SLACK: Final = 2.0  # seconds: the boot time has whole seconds, and two clocks differ a little
_OK: Final = 200
_DENIED: Final = (401, 403)
_LONGEST: Final = 64  # characters of a host name: what Linux allows
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The machine of one page, and when the page was requested and received."""

    machine: str
    asked: datetime
    answered: datetime
    uptime: float  # seconds since that machine's start, independent of its clock


class NodeExporter:
    """Reads the machine that a node exporter runs on."""

    def __init__(self, config: HostProbe, context: Context) -> None:
        """Keep the settings; nothing is requested yet."""
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
        """Processor time, network counters and memory; their time is the machine's uptime."""
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
        """The exporter's current page, and the name of its machine."""
        answer = await self._context.http.get(self._config.url or "", headers=_HEADERS, most=MOST_BYTES)
        answer.require_age(self._config.max_age)
        _require_metrics(answer)
        page = await asyncio.to_thread(Page, answer.body)  # a large page would block the event loop
        name = page.machine[:_LONGEST]
        if name and not self._config.means(name):
            detail = f"the exporter at {answer.address} is on {name}, but host is {self._config.host}: correct one"
            raise ProbeFailedError(Reason.MISSING_SETTING, detail)
        return page, name or str(answer.address)


def _require_metrics(answer: Answer) -> None:
    if answer.status in _DENIED:
        raise answer.access_denied("allow this machine to read the exporter; connect.headers go to base_url only")
    answer.require_answer()
    if answer.status != _OK or answer.media_type == "text/html":
        detail = f"{answer.status} {answer.media_type} from {answer.address}, expected a node exporter's metrics"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}: set url, such as http://web-2:9100/metrics")


def _require_same(first: _Reading, last: _Reading) -> None:
    """Require two pages of one machine that ran without a break between them.

    Its uptime must have grown by the time that passed here. Setting its clock moves its boot time, too.

    Raises:
        ProbeFailedError: `bad_response`: the machine was restarted or suspended, or two machines answer.
    """
    least = (last.asked - first.answered).total_seconds() - _SLACK
    most = (last.answered - first.asked).total_seconds() + _SLACK
    grown = last.uptime - first.uptime
    if first.machine != last.machine:
        detail = f"{first.machine} and {last.machine} answer in turn: set url to the exporter of one machine"
        raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
    if not least <= grown <= most:
        detail = f"the uptime of {last.machine} grew by {grown:.0f} s in {most - _SLACK:.0f} s"
        causes = "it was restarted or suspended, a cache answers, or two machines answer"
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{detail}: {causes}")


def _or_failure(read: Callable[[], T]) -> T | Failure:
    """Return the value or the failure, so that the other parts of the page are still read."""
    try:
        return read()
    except ProbeFailedError as error:
        return Failure(reason=error.reason, detail=error.detail)
