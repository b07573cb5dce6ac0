"""Read one page of a node exporter (Prometheus text format): the series that this kind needs, each once."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Final

from probekit.model.numbers import number
from probekit.probe import ProbeFailedError, Reason
from probekit.probes._support.exposition import parse

Labels = frozenset[tuple[str, str]]

_COLLECTORS: Final = {  # each series that is read, with its collector in the exporter
    "node_boot_time_seconds": "stat",
    "node_cpu_seconds_total": "cpu",
    "node_filesystem_avail_bytes": "filesystem",
    "node_filesystem_device_error": "filesystem",
    "node_filesystem_files": "filesystem",
    "node_filesystem_files_free": "filesystem",
    "node_filesystem_free_bytes": "filesystem",
    "node_filesystem_size_bytes": "filesystem",
    "node_memory_MemAvailable_bytes": "meminfo",
    "node_memory_MemTotal_bytes": "meminfo",
    "node_network_receive_bytes_total": "netdev",
    "node_network_receive_drop_total": "netdev",
    "node_network_receive_errs_total": "netdev",
    "node_network_transmit_bytes_total": "netdev",
    "node_network_transmit_drop_total": "netdev",
    "node_network_transmit_errs_total": "netdev",
    "node_time_seconds": "time",
    "node_uname_info": "uname",
}
_SUCCESS: Final = "node_scrape_collector_success"
_READ: Final = frozenset({*_COLLECTORS, _SUCCESS})


class Page:
    """The series of one page by their names."""

    def __init__(self, body: bytes) -> None:
        """Parse the page.

        Raises:
            ProbeFailedError: `bad_response`: the format is wrong, the page is another program's, or a series occurs
                twice.
        """
        self._series: dict[str, dict[Labels, float]] = {}
        for sample in parse(body, _READ).samples:
            known, labels = self._series.setdefault(sample.name, {}), frozenset(sample.labels.items())
            if labels in known:
                detail = f"{sample.name} occurs twice with the same labels: set url to the exporter of one machine"
                raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
            known[labels] = sample.value
        if not self._series:
            detail = "the page has no series of a node exporter (node_...): check url"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)

    def series(self, name: str, *, required: bool = True) -> Mapping[Labels, float]:
        """The value of every series of that name, by its labels.

        Raises:
            ProbeFailedError: `missing_setting`: there is none, but it is required; the detail names its collector.
                `bad_response`: a value is negative or not finite.
        """
        found = self._series.get(name, {})
        if not found and required:
            raise ProbeFailedError(Reason.MISSING_SETTING, self._remedy(name))
        wrong = [value for value in found.values() if not (isfinite(value) and value >= 0)]
        if wrong:
            detail = f"{name} is {number(wrong[0])}, expected a finite number, 0 or more: check the exporter"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
        return found

    def number(self, name: str) -> float:
        """The value of the only series of that name.

        Raises:
            ProbeFailedError: `bad_response`: there are several; and what `series` raises.
        """
        found = [*self.series(name).values()]
        if len(found) > 1:
            detail = f"{name} occurs {len(found)} times, expected once: set url to the exporter of one machine"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
        return found[0]

    def value(self, name: str, labels: Labels) -> float:
        """The value of one series.

        Raises:
            ProbeFailedError: `bad_response`: only others of that name exist; and what `series` raises.
        """
        found = self.series(name)
        if labels not in found:
            detail = f"{name} lacks a series that others of its collector have: check the exporter"
            raise ProbeFailedError(Reason.BAD_RESPONSE, detail)
        return found[labels]

    def by(self, name: str, label: str) -> Mapping[str, float]:
        """The series of that name by a label that differs in each, such as `device`.

        Raises:
            ProbeFailedError: `bad_response`: two have the same label; and what `series` raises.
        """
        found = self.series(name)
        by_label = {dict(labels).get(label, ""): value for labels, value in found.items()}
        if len(by_label) < len(found):
            raise ProbeFailedError(Reason.BAD_RESPONSE, f"two series of {name} have the same {label}")
        return by_label

    @property
    def machine(self) -> str:
        """The host name of the machine; empty where the page does not give one."""
        found = self._series.get("node_uname_info", {})
        return dict(next(iter(found))).get("nodename", "") if len(found) == 1 else ""

    def _remedy(self, name: str) -> str:
        """What to do about a missing series."""
        collector = _COLLECTORS[name]
        success = {dict(labels).get("collector"): value for labels, value in self._series.get(_SUCCESS, {}).items()}
        if success.get(collector) == 0:
            return f"the exporter does not give {name}: its collector {collector} failed, see the exporter's log"
        return f"the exporter does not give {name}: enable its collector {collector} (--collector.{collector})"
