"""Compute the numbers of a machine from its node exporter's page, equal to those that psutil gives of this machine.

The formulas are those of the exporter's monitoring mixin (prometheus/node_exporter, docs/node-mixin,
rules/rules.libsonnet and alerts/alerts.libsonnet), with two differences that make both readers agree. Space is a share
of what users may fill, as in df and psutil; the mixin's alerts divide by the whole size. Stolen processor time counts
as used; the mixin excludes it, together with idle time and time spent waiting for a disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from probekit.model.numbers import number
from probekit.probe import ProbeFailedError, Reason
from probekit.probes.host.page import Labels, Page
from probekit.probes.host.readings import Disk, Interface, Memory, Processors, some

_IDLE: Final = ("idle", "iowait")
_MOST_AT_A_MOUNT: Final = 20  # file systems at one mount point; all except the last are hidden
_LOOPBACK: Final = "lo"  # the mixin's rules exclude it, too
_CARRIED: Final = ("node_network_receive_bytes_total", "node_network_transmit_bytes_total")
_ERRORS: Final = (
    "node_network_receive_errs_total",
    "node_network_transmit_errs_total",
    "node_network_receive_drop_total",
    "node_network_transmit_drop_total",
)


def memory(page: Page) -> Memory:
    """The mixin's instance:node_memory_utilisation:ratio, without its fallback for kernels before 3.14."""
    total, available = page.number("node_memory_MemTotal_bytes"), page.number("node_memory_MemAvailable_bytes")
    if not 0 < total >= available:
        raise _impossible(f"{number(available)} of {number(total)} bytes of memory available")
    return Memory(used=total - available, total=total)


def disks(page: Page, mount: str) -> tuple[Disk, ...]:
    """The file system at a mount point, and those that it hides.

    Raises:
        ProbeFailedError: `missing_file`: there is none, or the exporter could not read it; `bad_response`: there are
            too many; and what `Page` raises.
    """
    sizes = page.series("node_filesystem_size_bytes")
    there = [labels for labels in sizes if ("mountpoint", mount) in labels]
    errors = page.series("node_filesystem_device_error", required=False)
    if any(value and ("mountpoint", mount) in labels for labels, value in errors.items()):
        raise ProbeFailedError(Reason.MISSING_FILE, f"{mount} cannot be read by the exporter (device error)")
    if not there:
        known = some(sorted({dict(labels).get("mountpoint", "") for labels in sizes}))
        detail = f"the exporter has no file system at {mount}, only at {known}"
        hint = "check 'mounts', and the exporter's --collector.filesystem.mount-points-exclude and --path.rootfs"
        raise ProbeFailedError(Reason.MISSING_FILE, f"{detail}: {hint}")
    if len(there) > _MOST_AT_A_MOUNT:
        raise _impossible(f"{len(there)} file systems at {mount}")
    return tuple(_disk(page, mount, labels, sizes[labels]) for labels in there)


def _disk(page: Page, mount: str, labels: Labels, size: float) -> Disk:
    """The file system of one series; Linux reserves no inodes for root."""
    free, available, inodes, inodes_free = (
        page.value(f"node_filesystem_{name}", labels) for name in ("free_bytes", "avail_bytes", "files", "files_free")
    )
    if not (available <= free <= size and inodes_free <= inodes):
        shown = [number(one) for one in (free, size, inodes_free, inodes)]
        raise _impossible(f"{shown[0]} of {shown[1]} bytes and {shown[2]} of {shown[3]} inodes free at {mount}")
    return Disk(
        mount=mount, used=size - free, free=available, inodes_used=inodes - inodes_free, inodes_free=inodes_free
    )


def processors(page: Page) -> Processors:
    """The parts of the mixin's instance:node_cpu_utilisation; `user` and `nice` include the time of guests."""
    seconds = {
        (dict(labels).get("cpu", ""), dict(labels).get("mode", "")): value
        for labels, value in page.series("node_cpu_seconds_total").items()
    }
    cores = {cpu for cpu, _ in seconds}
    if any((cpu, "idle") not in seconds for cpu in cores):
        raise _impossible("a processor without idle time in node_cpu_seconds_total")
    return Processors(
        spent=sum(value for (_, mode), value in seconds.items() if mode not in _IDLE),
        there=sum(seconds.values()),
        cores=len(cores),
        counters={f"{cpu} {mode}": value for (cpu, mode), value in seconds.items()},
    )


def interfaces(page: Page) -> Mapping[str, Interface]:
    """The counters of the mixin's instance:node_network_..._excluding_lo; errors and drops are added up."""
    carried, errors = ([page.by(name, "device") for name in names] for names in (_CARRIED, _ERRORS))
    known = carried[0].keys()
    if any(one.keys() != known for one in (*carried, *errors)):
        raise _impossible("an interface without all of its counters in node_network_...")
    return {
        name: Interface(
            carried=sum(one[name] for one in carried),
            errors=sum(one[name] for one in errors),
            is_loopback=name == _LOOPBACK,
        )
        for name in known
    }


def _impossible(detail: str) -> ProbeFailedError:
    return ProbeFailedError(Reason.BAD_RESPONSE, f"the exporter reports {detail}: check the exporter")
