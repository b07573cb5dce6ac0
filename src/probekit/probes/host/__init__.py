"""Measure how much of a machine's memory, disks, processors and network is used."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from typing import Final

from probekit.probe import Context, Endpoint, Failure, Kind, Metric, ProbeFailedError, Readings, Reason
from probekit.probes.host.readings import Machine, cpu_used, fullest, network_errors, throughput
from probekit.probes.host.settings import HostProbe
from probekit.transport.urls import endpoint_of

_PAUSE: Final = 1.0  # seconds after which a missing mount is read again


def _machine(config: HostProbe, context: Context) -> Machine:
    """The machine of the settings, read by its node exporter or by this process."""
    if config.url:
        from probekit.probes.host.node_exporter import NodeExporter  # noqa: PLC0415  # import only the reader in use

        return NodeExporter(config, context)
    from probekit.probes.host.local import ThisMachine  # noqa: PLC0415  # as above

    return ThisMachine(config, context.timeout)


async def measure(config: HostProbe, context: Context) -> Readings:
    """Read memory and disks once; twice if a mount is missing, because a remount may be in progress."""
    machine = _machine(config, context)
    usage = await machine.usage()
    if usage.misses_a_mount:
        await context.sleep(_PAUSE)
        usage = await machine.usage()
    memory, disks = usage.memory, usage.disks
    notes = [one.detail if isinstance(one, Failure) else str(one) for one in (memory, *disks)]
    return Readings(
        f"{usage.machine}: {', '.join(notes)}",
        memory_used=memory if isinstance(memory, Failure) else memory.share,
        disk_used=fullest([disk if isinstance(disk, Failure) else disk.space for disk in disks]),
        inodes_used=fullest([disk if isinstance(disk, Failure) else disk.inodes for disk in disks]),
    )


async def sample(config: HostProbe, context: Context) -> AsyncGenerator[Readings, None]:
    """Read processors, memory and network over each block of time, as differences of counters."""
    machine = _machine(config, context)
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "a sampling needs a window")
    before = await machine.counters()
    while await context.window.next():
        after = await machine.counters()
        of = after.processors
        yield Readings(
            f"{after.machine}: {of.detail if isinstance(of, Failure) else f'processor time of {of.whose}'}",
            cpu_used=cpu_used(before, after),
            memory=after.memory,
            throughput=throughput(config.interfaces, before, after),
            network_errors=network_errors(config.interfaces, before, after),
        )
        before = after


def _unread(config: HostProbe, _base_url: str) -> dict[str, str]:
    """All metrics, if the settings name another machine without its node exporter."""
    name = socket.gethostname()
    if config.url or config.means(name):
        return {}
    reason = f"needs the machine {config.host}, this one is {name}: run probekit there, or set url to its node exporter"
    return dict.fromkeys(KIND.metric_names, reason)


def _endpoint(config: HostProbe, base_url: str) -> Endpoint:
    return endpoint_of(config.url or base_url)


KIND = Kind(
    config=HostProbe,
    fills=("host", "host-load"),
    layer="host",
    default_limits=lambda _: ("memory_used < 70 %", "disk_used < 80 %"),
    metrics=(
        Metric(
            name="memory_used",
            unit="%",
            high=100,
            help="Share of the memory that is not available to programs, of the machine or of its container.",
        ),
        Metric(
            name="disk_used",
            unit="%",
            high=100,
            help="Share of the space for users that is in use, on the fullest mount.",
        ),
        Metric(
            name="inodes_used",
            unit="%",
            high=100,
            help="Share of the inodes for users that are in use, on the mount with the highest share.",
        ),
        Metric(
            name="cpu_used",
            unit="%",
            high=100,
            help="Share of the processor time that is in use, of the machine or of its container's quota; the mean of "
            "all blocks.",
            in_window=True,
        ),
        Metric(
            name="memory",
            unit="MB",
            help="Resident memory of the named processes, or all memory in use; the mean of all blocks.",
            in_window=True,
        ),
        Metric(
            name="throughput",
            unit="MB",
            help="Network traffic per second, sent and received; the mean of all blocks.",
            in_window=True,
        ),
        Metric(
            name="network_errors",
            unit="",
            help="Network errors and dropped packets in a block, sent and received.",
            in_window=True,
        ),
    ),
    measure=measure,
    sample=sample,
    endpoint=_endpoint,
    unread=_unread,
    connects=lambda config: config.url is not None,
    each_address=True,
    requests=lambda config: 2 if config.url else 0,
    example="""\
kind = "host"
host = "web-1"  # the host name of the machine that probekit runs on
mounts = ["/", "/var"]
# url = "http://web-1:9100/metrics"  # its node exporter, if probekit runs on another machine
""",
    privileges="any user of that machine, or access to its node exporter",
    safety="Only reads, on the machine that probekit runs on or by a node exporter.",
)
