"""The values that are read of a machine, and the readings that are computed from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol

from probekit.model.numbers import number
from probekit.probe import Exact, Failure, Mean, Reason

MEGA: Final = 1_000_000
MACHINE: Final = "the machine"
_JITTER: Final = 1.0  # seconds that a counter of idle or iowait time may decrease by (proc(5), /proc/stat)
_SHOWN: Final = 10  # names that a message lists


class Machine(Protocol):
    """A reader of one machine."""

    async def usage(self) -> Usage:
        """The current use of memory and disks.

        Raises:
            ProbeFailedError: the machine cannot be read, or is not the one that the settings name.
        """

    async def counters(self) -> Counters:
        """The current values of all counters.

        Raises:
            ProbeFailedError: as above.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes in use, bytes in all, and whose memory it is."""

    used: float
    total: float
    whose: str = MACHINE

    @property
    def share(self) -> Exact:
        """Percent in use."""
        return Exact(self.used / self.total * 100)

    @property
    def megabytes(self) -> Mean:
        """Megabytes in use."""
        return Mean((self.used / MEGA,))

    def __str__(self) -> str:
        return f"{number(round(self.used / MEGA))} of {number(round(self.total / MEGA))} MB of {self.whose} used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A mounted file system: bytes and inodes in use, and those left for users.

    The share is that of df: space reserved for root counts neither as used nor as free.
    """

    mount: str
    used: float
    free: float
    inodes_used: float
    inodes_free: float

    @property
    def space(self) -> Exact | Failure:
        """Percent of the bytes in use; a failure where the file system has no size."""
        usable = self.used + self.free
        if usable <= 0:
            return unread(f"{self.mount} has no size; it is a pseudo file system: remove it from 'mounts'")
        return Exact(self.used / usable * 100)

    @property
    def inodes(self) -> Exact:
        """Percent of the inodes in use; 0 if they have no limit, as on Btrfs."""
        usable = self.inodes_used + self.inodes_free
        return Exact(self.inodes_used / usable * 100 if usable > 0 else 0.0)

    def __str__(self) -> str:
        space = self.space
        return space.detail if isinstance(space, Failure) else f"{self.mount} {space.value:.1f} % full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Memory and file systems of a machine at one moment."""

    machine: str
    memory: Memory | Failure
    disks: tuple[Disk | Failure, ...]

    @property
    def misses_a_mount(self) -> bool:
        """Whether a mount is missing; one that does not answer is not missing."""
        failures = [disk for disk in self.disks if isinstance(disk, Failure)]
        return any(failure.reason is Reason.MISSING_FILE for failure in failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processors:
    """Processor time since the start of the machine or the container, in seconds."""

    spent: float
    there: float | None  # spent and idle; None: elapsed time times cores
    cores: float
    whose: str = MACHINE
    counters: Mapping[str, float] = field(default_factory=dict)  # `spent` and `there` are sums of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """The counters of one network interface."""

    carried: float  # bytes, both ways
    errors: float  # and dropped packets, both ways
    is_loopback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """All counters of a machine at one moment, and the memory in use."""

    machine: str
    at: float  # seconds, by a monotonic clock
    memory: Mean | Failure
    processors: Processors | Failure
    interfaces: Mapping[str, Interface] | Failure


def fullest(readings: Sequence[Exact | Failure]) -> Exact | Failure:
    """The highest reading; a failure if there is one, because the missing reading could be the highest."""
    failure = next((reading for reading in readings if isinstance(reading, Failure)), None)
    return failure or Exact(max(reading.value for reading in readings if isinstance(reading, Exact)))


def cpu_used(before: Counters, after: Counters) -> Mean | Failure:
    """Percent of the processor time of a block that was in use: neither idle nor waiting for a disk."""
    first, last = before.processors, after.processors
    if isinstance(first, Failure):
        return first
    if isinstance(last, Failure):
        return last
    if problem := _not_comparable(first, last):
        return unread(f"{problem} in this block")
    by_clock = (after.at - before.at) * last.cores
    there = by_clock if first.there is None or last.there is None else last.there - first.there
    if there <= 0:
        return unread("no time passed in this block")
    return Mean((min(max((last.spent - first.spent) / there, 0.0), 1.0) * 100,))


def _not_comparable(first: Processors, last: Processors) -> str | None:
    """Why two readings of processor time have no meaningful difference; None if they have one."""
    if first.whose != last.whose:
        return "the container's quota changed"
    if first.counters.keys() != last.counters.keys():
        return "a processor was added or removed"
    if any(last.counters[name] < value - _JITTER for name, value in first.counters.items()):
        return "a counter of processor time was reset"
    return None


def throughput(names: Sequence[str], before: Counters, after: Counters) -> Mean | Failure:
    """Megabytes per second, both ways, of the named interfaces, or of all except loopback."""
    seconds = after.at - before.at
    pairs = _pairs(names, before, after)
    if isinstance(pairs, Failure):
        return pairs
    if seconds <= 0:
        return unread("no time passed in this block")
    return Mean((sum(last.carried - first.carried for first, last in pairs) / seconds / MEGA,))


def network_errors(names: Sequence[str], before: Counters, after: Counters) -> Exact | Failure:
    """Errors and drops of a block, both ways, of the same interfaces."""
    pairs = _pairs(names, before, after)
    return pairs if isinstance(pairs, Failure) else Exact(sum(last.errors - first.errors for first, last in pairs))


def _pairs(names: Sequence[str], before: Counters, after: Counters) -> list[tuple[Interface, Interface]] | Failure:
    """The counters of each interface before and after a block; a new interface counts from the next block on."""
    earlier, later = before.interfaces, after.interfaces
    if isinstance(earlier, Failure):
        return earlier
    if isinstance(later, Failure):
        return later
    if missing := [name for name in names if name not in earlier or name not in later]:
        return unread(f"the machine has no interface {', '.join(missing)}, only {some(later)}: check 'interfaces'")
    counting = names or [name for name, interface in later.items() if not interface.is_loopback]
    pairs = [(earlier[name], later[name]) for name in counting if name in earlier]
    if not pairs:
        return unread("the machine has no network interface except loopback")
    if any(last.carried < first.carried or last.errors < first.errors for first, last in pairs):
        return unread("a counter of a network interface was reset in this block")
    return pairs


def some(names: Iterable[str]) -> str:
    """The first ten names, shortened to 64 characters each."""
    return ", ".join(name[:64] for name in islice(names, _SHOWN)) or "none"


def unread(detail: str) -> Failure:
    """Return the failure of a reading that cannot be used."""
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
