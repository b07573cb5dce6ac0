"""Read the limits of the container that probekit runs in from its control group (cgroup versions 1 and 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from probekit.probe import ProbeFailedError, Reason
from probekit.probes.host.readings import Memory

CGROUP: Final = Path("/sys/fs/cgroup")  # inside a container this is its own group


def limited_memory(total: int) -> Memory | None:
    """The container's memory; None if its limit is not lower than `total`, the machine's memory in bytes."""
    for limit, usage, cache in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),  # version 1
    ):
        words = _words(limit)
        if words and words != ["max"] and _number(limit, words[0]) < total:
            reclaimable = _fields(str(Path(usage).with_name("memory.stat"))).get(cache, 0)
            used = max(_number(usage, *_words(usage)) - reclaimable, 0)  # the working set, as kubelet counts it
            return Memory(used=used, total=max(_number(limit, words[0]), 1), whose="the container")
    return None


def quota() -> float | None:
    """Cores that the container may use; None without a limit."""
    for name, words in (
        ("cpu.max", _words("cpu.max")),
        ("cpu/cpu.cfs_quota_us", _words("cpu/cpu.cfs_quota_us") + _words("cpu/cpu.cfs_period_us")),  # version 1
    ):
        if words and words[0] not in ("max", "-1"):
            allowed, period = (_number(name, word) for word in (*words, "100000")[:2])
            return allowed / period if allowed > 0 and period > 0 else None
    return None


def spent() -> float:
    """Seconds of processor time that the container has used."""
    if (CGROUP / "cpu.stat").exists():
        return _number("cpu.stat", str(_fields("cpu.stat").get("usage_usec"))) / 1e6
    return _number("cpuacct/cpuacct.usage", *_words("cpuacct/cpuacct.usage")) / 1e9


def _words(name: str) -> list[str]:
    """The words of a file of the control group; none if the file does not exist."""
    try:
        return (CGROUP / name).read_text("ascii").split()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:  # with a limit that cannot be read, the machine's numbers look too good
        raise ProbeFailedError(Reason.MISSING_FILE, f"{CGROUP / name} cannot be read") from error


def _fields(name: str) -> dict[str, int]:
    """The names and numbers of a file of the control group."""
    words = _words(name)
    return {key: _number(name, value) for key, value in zip(words[::2], words[1::2], strict=False)}


def _number(name: str, *words: str) -> int:
    """The first word as a number."""
    try:
        return int(words[0])
    except (IndexError, ValueError) as error:
        raise ProbeFailedError(Reason.BAD_RESPONSE, f"{CGROUP / name} does not contain a number") from error
