"""How much of this machine's memory, disks, processors and network is used?"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final, Literal

import psutil  # type: ignore[import-untyped]  # it ships no types
from pydantic import Field

from probekit.probe import (
    Context,
    Exact,
    Failure,
    Kind,
    Mean,
    Metric,
    ProbeConfig,
    ProbeFailedError,
    Readings,
    Reason,
)

CGROUP: Final = Path("/sys/fs/cgroup")  # inside a container its own group is mounted here
_MEGA: Final = 1_000_000
_MACHINE: Final = "the machine"


class HostProbe(ProbeConfig):
    """The machine that probekit runs on, by its name."""

    kind: Literal["host"]
    host: str = Field(min_length=1, description='the machine it speaks of: its host name, or "localhost"')
    mounts: tuple[Path, ...] = Field(
        (Path("/"),), min_length=1, description="mount points whose file systems are looked at; the fullest counts"
    )
    interfaces: tuple[str, ...] = Field(
        (), description="network interfaces that count; none: all but loopback (name them where a bridge counts twice)"
    )
    processes: tuple[str, ...] = Field(
        (), description="names of the processes whose memory is followed; none: that of the whole machine"
    )


async def measure(config: HostProbe, context: Context) -> Readings:
    """One look at memory and disks; in a container with a limit, the memory is the container's."""
    _require_here(config)
    memory = _memory()
    disks = await asyncio.gather(*(_disk(mount, context.timeout) for mount in config.mounts))
    notes = [f"{memory.used / _MEGA:.0f} of {memory.total / _MEGA:.0f} MB of {memory.whose} used"]
    notes += [disk.text if isinstance(disk, _Disk) else disk.detail for disk in disks]
    return Readings(
        f"{socket.gethostname()}: {', '.join(notes)}",
        memory_used=Exact(memory.used / memory.total * 100),
        disk_used=_fullest([disk.space if isinstance(disk, _Disk) else disk for disk in disks]),
        inodes_used=_fullest([disk.inodes if isinstance(disk, _Disk) else disk for disk in disks]),
    )


async def sample(config: HostProbe, context: Context) -> AsyncGenerator[Readings, None]:
    """Processors, memory and network over each block of time: differences of counters, never a first reading."""
    _require_here(config)
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "a sampling needs a window")
    before = _counted()
    while await context.window.next():
        after = _counted()
        yield Readings(
            f"{socket.gethostname()}: processor time is of {after.processors.whose}",
            cpu_used=_cpu_used(before, after),
            memory=_memory_followed(config),
            throughput=_throughput(config, before, after),
            network_errors=_network_errors(config, before, after),
        )
        before = after


def _require_here(config: HostProbe) -> None:
    """Refuse to speak of another machine."""
    here, there = socket.gethostname().casefold(), config.host.casefold()
    is_short = "." not in here or "." not in there  # one of them leaves the domain out
    is_here = here.partition(".")[0] == there.partition(".")[0] if is_short else here == there
    if there != "localhost" and not is_here:
        detail = f"probekit runs on {socket.gethostname()}, the probe asks for {config.host}"
        raise ProbeFailedError(Reason.MISSING_SETTING, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """Bytes that cannot be given away, of how many, and whose they are."""

    used: int
    total: int
    whose: str = _MACHINE


def _memory() -> _Memory:
    """The machine's memory, or that of the container where its limit is lower."""
    machine = psutil.virtual_memory()
    for limit, usage, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),  # version 1
    ):
        words = _words(limit)
        if words and words != ["max"] and _number(limit, words[0]) < machine.total:
            reclaimable = _fields(str(Path(usage).with_name("memory.stat"))).get(cache, 0)
            used = max(_number(usage, *_words(usage)) - reclaimable, 0)  # the working set, as the kubelet counts it
            return _Memory(used=used, total=max(_number(limit, words[0]), 1), whose="the container")
    return _Memory(used=machine.total - machine.available, total=machine.total)


def _memory_followed(config: HostProbe) -> Mean | Failure:
    """Megabytes of the named processes, else of the machine or the container."""
    if not config.processes:
        return Mean((_memory().used / _MEGA,))
    running = [process.info for process in psutil.process_iter(["name", "memory_info"])]
    ours = [seen for seen in running if seen["name"] in config.processes]
    if missing := sorted(set(config.processes) - {seen["name"] for seen in ours}):
        return _unread(f"no process of the name {', '.join(missing)} runs here")
    if any(seen["memory_info"] is None for seen in ours):
        detail = "the memory of a process of another user cannot be read: run probekit as that user"
        return Failure(reason=Reason.NOT_PERMITTED, detail=detail)
    return Mean((sum(seen["memory_info"].rss for seen in ours) / _MEGA,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Disk:
    """How full a mounted file system is."""

    mount: Path
    space: Exact
    inodes: Exact

    @property
    def text(self) -> str:
        return f"{self.mount} {self.space.value:.1f} % full"


async def _disk(mount: Path, within: float) -> _Disk | Failure:
    """One file system, asked from a daemon thread: a network mount whose server is gone never answers."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Disk | Failure] = loop.create_future()

    def tell(disk: _Disk | Failure) -> None:
        if not done.done():
            done.set_result(disk)

    def run() -> None:
        disk = _read_disk(mount)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, disk)

    threading.Thread(target=run, name="disk", daemon=True).start()
    try:
        async with asyncio.timeout(within):
            return await done
    except TimeoutError:
        return Failure(reason=Reason.TIMEOUT, detail=f"{mount} tells nothing within {within:g} s")


def _read_disk(mount: Path) -> _Disk | Failure:
    try:
        if str(mount.resolve()) not in {"/", *(part.mountpoint for part in psutil.disk_partitions(all=True))}:
            return Failure(reason=Reason.MISSING_FILE, detail=f"nothing is mounted at {mount}")
        space, counts = psutil.disk_usage(str(mount)), os.statvfs(mount)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        text = getattr(error, "strerror", None) or type(error).__name__
        return Failure(reason=Reason.MISSING_FILE, detail=f"{mount} cannot be looked at: {text}")
    used = counts.f_files - counts.f_ffree
    usable = used + counts.f_favail
    return _Disk(
        mount=mount,
        space=Exact(space.percent),  # of the space that users may fill, as df has it
        inodes=Exact(used / usable * 100 if usable > 0 else 0.0),  # some, such as Btrfs, have no number of them
    )


def _fullest(readings: list[Exact | Failure]) -> Exact | Failure:
    """The highest of all; one that is missing could be it."""
    failure = next((reading for reading in readings if isinstance(reading, Failure)), None)
    return failure or Exact(max(reading.value for reading in readings if isinstance(reading, Exact)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Processors:
    """Processor time since the start: how much was spent, of how much there was; None where only a clock tells."""

    spent: float
    there: float | None
    cores: float
    whose: str = _MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interface:
    """What one network interface counted."""

    carried: int  # bytes, both ways
    errors: int  # and drops, both ways


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Every counter at one moment."""

    at: float
    processors: _Processors
    interfaces: Mapping[str, _Interface]


def _counted() -> _Counted:
    counters = psutil.net_io_counters(pernic=True, nowrap=False)  # nowrap hides a counter that went back
    interfaces = {
        name: _Interface(
            carried=seen.bytes_sent + seen.bytes_recv, errors=seen.errin + seen.errout + seen.dropin + seen.dropout
        )
        for name, seen in counters.items()
    }
    return _Counted(at=perf_counter(), processors=_processors(), interfaces=interfaces)


def _processors() -> _Processors:
    """The machine's processor time, or that of the container where its quota is lower."""
    cores = _quota()
    if cores is not None and cores < (psutil.cpu_count() or 1):
        return _Processors(spent=_spent(), there=None, cores=cores, whose=f"the container's {cores:g} cores")
    times = psutil.cpu_times()._asdict()
    total = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)  # user and nice hold these
    return _Processors(
        spent=total - times["idle"] - times.get("iowait", 0.0), there=total, cores=psutil.cpu_count() or 1
    )


def _quota() -> float | None:
    """Cores that the container may use, None without a limit."""
    for name, words in (
        ("cpu.max", _words("cpu.max")),
        ("cpu/cpu.cfs_quota_us", _words("cpu/cpu.cfs_quota_us") + _words("cpu/cpu.cfs_period_us")),  # version 1
    ):
        if words and words[0] not in ("max", "-1"):
            quota, period = (_number(name, word) for word in (*words, "100000")[:2])
            return quota / period if quota > 0 and period > 0 else None
    return None


def _spent() -> float:
    """Seconds of processor time that the container has used."""
    if (CGROUP / "cpu.stat").exists():
        return _number("cpu.stat", str(_fields("cpu.stat").get("usage_usec"))) / 1e6
    return _number("cpuacct/cpuacct.usage", *_words("cpuacct/cpuacct.usage")) / 1e9


def _cpu_used(before: _Counted, after: _Counted) -> Mean | Failure:
    first, last = before.processors, after.processors
    if first.whose != last.whose:
        return _unread("the container's quota changed in this block")
    there = (
        (after.at - before.at) * last.cores if first.there is None or last.there is None else last.there - first.there
    )
    if there <= 0:
        return _unread("no time passed in this block")
    return Mean((min(max((last.spent - first.spent) / there, 0.0), 1.0) * 100,))


def _throughput(config: HostProbe, before: _Counted, after: _Counted) -> Mean | Failure:
    """Megabytes per second, both ways, of all interfaces that count."""
    seconds = after.at - before.at
    pairs = _pairs(config, before, after)
    if isinstance(pairs, Failure):
        return pairs
    if seconds <= 0:
        return _unread("no time passed in this block")
    return Mean((sum(last.carried - first.carried for first, last in pairs) / seconds / _MEGA,))


def _network_errors(config: HostProbe, before: _Counted, after: _Counted) -> Exact | Failure:
    pairs = _pairs(config, before, after)
    return pairs if isinstance(pairs, Failure) else Exact(sum(last.errors - first.errors for first, last in pairs))


def _pairs(config: HostProbe, before: _Counted, after: _Counted) -> list[tuple[_Interface, _Interface]] | Failure:
    """What each interface that counts had counted before and after."""
    names = config.interfaces or tuple(name for name in after.interfaces if not _is_loopback(name))
    if missing := [name for name in config.interfaces if name not in before.interfaces or name not in after.interfaces]:
        return _unread(f"no interface {', '.join(missing)} here, but {', '.join(after.interfaces)}")
    pairs = [(before.interfaces[name], after.interfaces[name]) for name in names if name in before.interfaces]
    if not pairs:
        return _unread("this machine has no network interface but loopback")
    if any(last.carried < first.carried or last.errors < first.errors for first, last in pairs):
        return _unread("a counter of a network interface went back in this block")
    return pairs


def _is_loopback(name: str) -> bool:
    stats = psutil.net_if_stats().get(name)
    return stats is not None and "loopback" in stats.flags.split(",")


def _words(name: str) -> list[str]:
    """What a file of the control group says; nothing where there is no such file."""
    try:
        return (CGROUP / name).read_text("ascii").split()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:  # what limits us is hidden: the machine's numbers would be too good
        raise ProbeFailedError(Reason.MISSING_FILE, f"{CGROUP / name} cannot be read") from error


def _fields(name: str) -> dict[str, int]:
    """A file of the control group that holds names and numbers."""
    words = _words(name)
    return {key: _number(name, value) for key, value in zip(words[::2], words[1::2], strict=False)}


def _number(name: str, *words: str) -> int:
    """The first word as a number."""
    try:
        return int(words[0])
    except (IndexError, ValueError) as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{CGROUP / name} holds no number") from error


def _unread(detail: str) -> Failure:
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)


KIND = Kind(
    config=HostProbe,
    fills=("host", "host-load"),
    metrics=(
        Metric(
            name="memory_used",
            unit="%",
            high=100,
            help="memory that cannot be given away, of the machine or the container",
        ),
        Metric(
            name="disk_used",
            unit="%",
            high=100,
            help="space in use, of what users may fill, on the fullest mount",
        ),
        Metric(
            name="inodes_used",
            unit="%",
            high=100,
            help="inodes in use, of what users may take, on the mount with the most",
        ),
        Metric(
            name="cpu_used",
            unit="%",
            high=100,
            help="processor time spent, of the machine or the quota; the mean of all blocks",
        ),
        Metric(
            name="memory", unit="MB", help="resident memory of the named processes, else the memory in use; the mean"
        ),
        Metric(name="throughput", unit="MB", help="sent and received per second; the mean"),
        Metric(name="network_errors", unit="", help="errors and dropped packets in a block, both ways"),
    ),
    measure=measure,
    sample=sample,
    example="""\
kind = "host"
host = "web-1"  # the machine that probekit runs on, by its name
mounts = ["/", "/var"]
""",
    privileges="a user of that machine",
    safety="it only reads, on the machine that probekit runs on",
)
