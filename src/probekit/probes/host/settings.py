"""The settings of kind `host`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from probekit.probe import ProbeConfig


class HostProbe(ProbeConfig):
    """The machine that probekit runs on, by its name."""

    kind: Literal["host"]
    host: str = Field(min_length=1, description='the host name of the machine that probekit runs on, or "localhost"')
    mounts: tuple[Path, ...] = Field(
        (Path("/"),), min_length=1, description="mount points whose file systems are read; the fullest counts"
    )
    interfaces: tuple[str, ...] = Field(
        (), description="network interfaces that count; none: all but loopback (name them where a bridge counts twice)"
    )
    processes: tuple[str, ...] = Field(
        (), description="names of the processes whose memory is followed; none: that of the whole machine"
    )

    def means(self, name: str) -> bool:
        """Whether a machine of that host name is the one that is meant; a name without its domain fits any domain."""
        asked, found = self.host.casefold(), name.casefold()
        is_short = "." not in asked or "." not in found
        is_same = asked.partition(".")[0] == found.partition(".")[0] if is_short else asked == found
        return is_same or asked == "localhost"
