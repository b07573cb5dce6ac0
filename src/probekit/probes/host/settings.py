"""The settings of kind `host`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from probekit.probe import FreshConfig, ProbeConfig
from probekit.transport.urls import has_host


class HostProbe(FreshConfig, ProbeConfig):
    """One machine: the one that probekit runs on, or another one by its node exporter."""

    kind: Literal["host"]
    host: str | None = Field(
        None,
        min_length=1,
        description='The machine\'s host name, or "localhost"; probekit must run on it, or url must be its exporter.',
    )
    url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="The page of the machine's node exporter, if probekit runs on another machine.",
    )
    mounts: tuple[Path, ...] = Field(
        (Path("/"),), min_length=1, description="The mount points of the file systems to read; the fullest one counts."
    )
    interfaces: tuple[str, ...] = Field(
        (),
        description="The network interfaces that count; by default all except loopback. List them if a bridge counts "
        "traffic twice.",
    )
    processes: tuple[str, ...] = Field(
        (), description="The names of the processes whose memory is measured; by default all memory in use."
    )

    @model_validator(mode="after")
    def _names_a_machine(self) -> Self:
        if self.host is None and self.url is None:
            message = "set 'host', the machine that probekit runs on, or 'url', the node exporter of another machine"
            raise ValueError(message)
        if self.url and not has_host(self.url):
            message = "'url' has a missing host or an invalid port"
            raise ValueError(message)
        if self.url and self.processes:
            message = "'processes' does not work with 'url': a node exporter does not give the memory of processes"
            raise ValueError(message)
        return self

    def means(self, name: str) -> bool:
        """Whether `host` means the machine of that name; a name without a domain matches any domain."""
        asked, found = (self.host or "localhost").casefold(), name.casefold()
        is_short = "." not in asked or "." not in found
        is_same = asked.partition(".")[0] == found.partition(".")[0] if is_short else asked == found
        return is_same or asked == "localhost"
