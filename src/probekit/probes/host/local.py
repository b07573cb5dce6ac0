"""Read the machine that probekit runs on by psutil; in a container, read the container's limits."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import psutil  # type: ignore[import-untyped]  # it ships no types

from probekit.probe import Failure, Mean, ProbeFailedError, Reason
from probekit.probes.host import control_group
from probekit.probes.host.readings import MEGA, Counters, Disk, Interface, Memory, Processors, Usage, unread
from probekit.probes.host.settings import HostProbe


class ThisMachine:
    """Reads the machine that this process runs on."""

    def __init__(self, config: HostProbe, timeout: float) -> None:
        """Check the machine's name; `timeout` (seconds) limits the answer of a file system.

        Raises:
            ProbeFailedError: `missing_setting`: the settings name another machine.
        """
        self._config = config
        self._timeout = timeout
        self._name = socket.gethostname()
        if not config.means(self._name):
            detail = f"probekit runs on {self._name}, but host is {config.host}"
            hint = "run probekit there, or set url to the machine's node exporter"
            raise ProbeFailedError(Reason.MISSING_SETTING, f"{detail}: {hint}")

    async def usage(self) -> Usage:
        """Memory and file systems."""
        memory = _memory()
        disks = await asyncio.gather(*(_disk(mount, self._timeout) for mount in self._config.mounts))
        return Usage(machine=self._name, memory=memory, disks=tuple(disks))

    async def counters(self) -> Counters:
        """Processor time, network counters and memory."""
        interfaces = _interfaces()
        return Counters(
            machine=self._name,
            at=perf_counter(),
            processors=_processors(),
            interfaces=interfaces,
            memory=_followed(self._config.processes),
        )


def _memory() -> Memory:
    """The machine's memory, or that of the container if its limit is lower."""
    machine = psutil.virtual_memory()
    whole = Memory(used=machine.total - machine.available, total=machine.total)
    return control_group.limited_memory(machine.total) or whole


def _followed(names: tuple[str, ...]) -> Mean | Failure:
    """Megabytes of the named processes, or of the machine or the container."""
    if not names:
        return _memory().megabytes
    running = [process.info for process in psutil.process_iter(["name", "memory_info"])]
    followed = [seen for seen in running if seen["name"] in names]
    if missing := sorted(set(names) - {seen["name"] for seen in followed}):
        return unread(f"no running process is named {', '.join(missing)}: check 'processes'")
    if any(seen["memory_info"] is None for seen in followed):
        detail = "the memory of a process of another user cannot be read: run probekit as that user"
        return Failure(reason=Reason.NOT_PERMITTED, detail=detail)
    return Mean((sum(seen["memory_info"].rss for seen in followed) / MEGA,))


async def _disk(mount: Path, within: float) -> Disk | Failure:
    """One file system, read in a daemon thread, because a network mount without its server never answers."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Disk | Failure] = loop.create_future()

    def tell(disk: Disk | Failure) -> None:
        if not done.done():
            done.set_result(disk)

    def run() -> None:
        disk = _read_disk(mount)
        with suppress(RuntimeError):  # the loop is closed, so the result is no longer needed
            loop.call_soon_threadsafe(tell, disk)

    threading.Thread(target=run, name="disk", daemon=True).start()
    try:
        async with asyncio.timeout(within):
            return await done
    except TimeoutError:
        return Failure(reason=Reason.TIMEOUT, detail=f"{mount} did not answer within {within:g} s")


def _read_disk(mount: Path) -> Disk | Failure:
    try:
        if str(mount.resolve()) not in {"/", *(part.mountpoint for part in psutil.disk_partitions(all=True))}:
            detail = f"no file system is mounted at {mount}: mount it, or change 'mounts'"
            return Failure(reason=Reason.MISSING_FILE, detail=detail)
        space, counts = psutil.disk_usage(str(mount)), os.statvfs(mount)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        text = getattr(error, "strerror", None) or type(error).__name__
        return Failure(reason=Reason.MISSING_FILE, detail=f"{mount} cannot be read: {text}")
    return Disk(
        mount=str(mount),
        used=space.used,
        free=space.free,
        inodes_used=counts.f_files - counts.f_ffree,
        inodes_free=counts.f_favail,
    )


def _processors() -> Processors:
    """The machine's processor time, or that of the container if its quota is lower."""
    cores = control_group.quota()
    if cores is not None and cores < (psutil.cpu_count() or 1):
        return Processors(
            spent=control_group.spent(), there=None, cores=cores, whose=f"the container's {cores:g} cores"
        )
    times = psutil.cpu_times()._asdict()
    total = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)  # in user and nice already
    idle = times["idle"] + times.get("iowait", 0.0)
    return Processors(spent=total - idle, there=total, cores=psutil.cpu_count() or 1, counters=times)


def _interfaces() -> Mapping[str, Interface]:
    counters = psutil.net_io_counters(pernic=True, nowrap=False)  # nowrap would hide a counter that was reset
    flags = {name: stats.flags.split(",") for name, stats in psutil.net_if_stats().items()}
    return {
        name: Interface(
            carried=seen.bytes_sent + seen.bytes_recv,
            errors=seen.errin + seen.errout + seen.dropin + seen.dropout,
            is_loopback="loopback" in flags.get(name, ()),
        )
        for name, seen in counters.items()
    }
