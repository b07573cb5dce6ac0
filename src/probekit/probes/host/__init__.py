"""How much of a machine's memory, disks, processors and network is used?"""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from typing import Final

from probekit.probe import Context, Endpoint, Failure, Kind, Metric, ProbeFailedError, Readings, Reason
from probekit.probes.host.readings import Machine, cpu_used, fullest, network_errors, throughput
from probekit.probes.host.settings import HostProbe
from probekit.transport.urls import endpoint_of

_PAUSE: Final = 1.0  # seconds after which a mount that is not there is read again


def _machine(config: HostProbe, context: Context) -> Machine:
    """The machine that the settings name, by the way that they name."""
    if config.url:
        from probekit.probes.host.node_exporter import NodeExporter  # noqa: PLC0415  # the way that is asked for

        return NodeExporter(config, context)
    from probekit.probes.host.local import ThisMachine  # noqa: PLC0415  # as above

    return ThisMachine(config, context.timeout)


async def measure(config: HostProbe, context: Context) -> Readings:
    """Read memory and disks once; again where a mount is not there, which may be mounted anew just now."""
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
    """Processors, memory and network over each block of time: differences of counters, never a first reading."""
    machine = _machine(config, context)
    if context.window is None:
        raise ProbeFailedError(Reason.BUG, "a sampling needs a window")
    before = await machine.counters()
    while await context.window.next():
        after = await machine.counters()
        of = after.processors
        yield Readings(
            f"{after.machine}: {of.detail if isinstance(of, Failure) else f'processor time is of {of.whose}'}",
            cpu_used=cpu_used(before, after),
            memory=after.memory,
            throughput=throughput(config.interfaces, before, after),
            network_errors=network_errors(config.interfaces, before, after),
        )
        before = after


def _unread(config: HostProbe, _base_url: str) -> dict[str, str]:
    """Every metric, where the settings name another machine and no way to it."""
    name = socket.gethostname()
    if config.url or config.means(name):
        return {}
    reason = f"is of the machine {config.host}, and this one is {name}: run it there, or name its node exporter: url"
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
            in_window=True,
        ),
        Metric(
            name="memory",
            unit="MB",
            help="resident memory of the named processes, else the memory in use; the mean",
            in_window=True,
        ),
        Metric(name="throughput", unit="MB", help="sent and received per second; the mean", in_window=True),
        Metric(name="network_errors", unit="", help="errors and dropped packets in a block, both ways", in_window=True),
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
host = "web-1"  # the machine that probekit runs on, by its name
mounts = ["/", "/var"]
# url = "http://web-1:9100/metrics"  # its node exporter, where probekit runs on another machine
""",
    privileges="a user of that machine, or the page of its node exporter",
    safety="it only reads, on the machine that probekit runs on or by a node exporter",
)
