"""What is read of a machine, by whichever way, and the numbers that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Protocol

from probekit.model.numbers import number
from probekit.probe import Exact, Failure, Mean, Reason

MEGA: Final = 1_000_000
MACHINE: Final = "the machine"
_JITTER: Final = 1.0  # seconds that a counter of idle or iowait time may go back (proc(5), /proc/stat)
_SHOWN: Final = 10  # names that a message lists


class Machine(Protocol):
    """A way to read one machine."""

    async def usage(self) -> Usage:
        """How full it is now.

        Raises:
            ProbeFailedError: the machine cannot be read, or is another one than the settings name.
        """

    async def counters(self) -> Counters:
        """What it has counted so far.

        Raises:
            ProbeFailedError: as above.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes that cannot be given away, of how many, and whose they are."""

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
    """How full a mounted file system is: bytes and inodes in use, and those left for users.

    The share is that of df: what only root may fill counts as neither used nor free.
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
            return unread(f"{self.mount} has no size, as a pseudo file system has none")
        return Exact(self.used / usable * 100)

    @property
    def inodes(self) -> Exact:
        """Percent of the inodes in use; 0 where they have no limit."""
        usable = self.inodes_used + self.inodes_free
        return Exact(self.inodes_used / usable * 100 if usable > 0 else 0.0)  # of Btrfs and others

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
        """Whether a mount is not there; one that only keeps silent is not meant."""
        failures = [disk for disk in self.disks if isinstance(disk, Failure)]
        return any(failure.reason is Reason.MISSING_FILE for failure in failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Processors:
    """Processor time since the start: how much was spent, of how much there was; None where only a clock tells."""

    spent: float
    there: float | None
    cores: float
    whose: str = MACHINE
    counters: Mapping[str, float] = field(default_factory=dict)  # that both are sums of


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What one network interface counted."""

    carried: float  # bytes, both ways
    errors: float  # and drops, both ways
    is_loopback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Every counter of a machine at one moment, and the memory that is followed."""

    machine: str
    at: float  # seconds, by a clock that passes evenly
    memory: Mean | Failure
    processors: Processors | Failure
    interfaces: Mapping[str, Interface] | Failure


def fullest(readings: Sequence[Exact | Failure]) -> Exact | Failure:
    """The highest of all; a missing one could be it."""
    failure = next((reading for reading in readings if isinstance(reading, Failure)), None)
    return failure or Exact(max(reading.value for reading in readings if isinstance(reading, Exact)))


def cpu_used(before: Counters, after: Counters) -> Mean | Failure:
    """Percent of the processor time of a block that was spent: neither idle nor waiting for a disk."""
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
    """What happened between two readings of processor time, so that their difference is none of one machine."""
    if first.whose != last.whose:
        return "the container's quota changed"
    if first.counters.keys() != last.counters.keys():
        return "a processor was added or removed"
    if any(last.counters[name] < value - _JITTER for name, value in first.counters.items()):
        return "a counter of processor time went back"
    return None


def throughput(names: Sequence[str], before: Counters, after: Counters) -> Mean | Failure:
    """Megabytes per second, both ways, of all interfaces that count: the named ones, else all but loopback."""
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
    """What each interface that counts had counted before and after; one that is new counts from the next block on."""
    earlier, later = before.interfaces, after.interfaces
    if isinstance(earlier, Failure):
        return earlier
    if isinstance(later, Failure):
        return later
    if missing := [name for name in names if name not in earlier or name not in later]:
        return unread(f"no interface {', '.join(missing)} here, but {some(later)}")
    counting = names or [name for name, interface in later.items() if not interface.is_loopback]
    pairs = [(earlier[name], later[name]) for name in counting if name in earlier]
    if not pairs:
        return unread("this machine has no network interface but loopback")
    if any(last.carried < first.carried or last.errors < first.errors for first, last in pairs):
        return unread("a counter of a network interface went back in this block")
    return pairs


def some(names: Iterable[str]) -> str:
    """The first names of many, none longer than a line holds."""
    return ", ".join(name[:64] for name in islice(names, _SHOWN)) or "none"


def unread(detail: str) -> Failure:
    """A failure: what was read cannot be used."""
    return Failure(reason=Reason.BAD_RESPONSE, detail=detail)
