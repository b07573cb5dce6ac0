"""The target as an environment of probes.toml."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from probekit.demo.target import Target

_ENVIRONMENT: Final = Template("""\
[env.demo]
base_url = "$base_url"
scope = [
    "pre.security.tls-days-left",
    "pre.infra.tls-deployed",
    "deploy.services.settle-time",
    "deploy.services.health-endpoint",
]
control = ["$control_url"]
timeout = "2s"                           # the demo's times are short, so that it is over in seconds
settle = "1s"
spread = "2s"
spacing = "1s"
vantage = "the target's own machine"

[env.demo.connect]
ca = "$ca"
resolve = { "$authority" = "127.0.0.1" }
headers = { "X-Demo-Key" = { file = "$key" } }

[env.demo.limits]
"deploy.services.settle-time" = { expect = ["settled >= 1 s"], why = "this target is ready as soon as it answers" }

[env.demo.probes.release]
kind = "release"
path = "/api/version"
expect = "$version"

[env.demo.probes.health]
kind = "http"
path = "/health"
""")


def write(target: Target, folder: Path) -> Path:
    """Write a probes.toml for the running target into the folder; its path."""
    file = folder / "probes.toml"
    file.write_text(of(target), "utf-8")
    return file


def of(target: Target) -> str:
    """The environment `demo`, with the target's ports and files."""
    return text(
        base_url=target.base_url,
        control_url=target.control_url,
        ca=str(target.ca_file),
        key=str(target.key_file),
        version=target.version,
    )


def text(*, base_url: str, control_url: str, ca: str, key: str, version: str) -> str:
    """The environment `demo` for a target at these places."""
    authority = base_url.removeprefix("https://")
    return _ENVIRONMENT.substitute(
        base_url=base_url, authority=authority, control_url=control_url, ca=ca, key=key, version=version
    )
