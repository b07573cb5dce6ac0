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
        description='the machine\'s host name, or "localhost"; probekit must run on it, or `url` must speak of it',
    )
    url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="the page of that machine's node exporter, where probekit runs on another one",
    )
    mounts: tuple[Path, ...] = Field(
        (Path("/"),), min_length=1, description="mount points whose file systems are read; the fullest counts"
    )
    interfaces: tuple[str, ...] = Field(
        (), description="network interfaces that count; none: all but loopback (name them where a bridge counts twice)"
    )
    processes: tuple[str, ...] = Field(
        (), description="names of the processes whose memory is followed; none: that of the whole machine"
    )

    @model_validator(mode="after")
    def _names_a_machine(self) -> Self:
        if self.host is None and self.url is None:
            message = "name 'host', the machine that probekit runs on, or 'url', the node exporter of another one"
            raise ValueError(message)
        if self.url and not has_host(self.url):
            message = "'url' has no host, or no port that can be"
            raise ValueError(message)
        if self.url and self.processes:
            message = "'processes' needs probekit on that machine: a node exporter does not give their memory"
            raise ValueError(message)
        return self

    def means(self, name: str) -> bool:
        """Whether a machine of that host name is the one that is meant; a name without its domain fits any domain."""
        asked, found = (self.host or "localhost").casefold(), name.casefold()
        is_short = "." not in asked or "." not in found
        is_same = asked.partition(".")[0] == found.partition(".")[0] if is_short else asked == found
        return is_same or asked == "localhost"
