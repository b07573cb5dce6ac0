"""Names for the shell's completion of an option; with a wrong file there are no names and no message."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from probekit.cli.config_file import default_config
from probekit.files import read_file

if TYPE_CHECKING:  # --help needs none
    from probekit.checklist import Checklist


def environments(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """Return the environments of the probes.toml that the command would read."""
    path = default_config(ctx.params.get("config"))
    with suppress(OSError, ValueError):
        text = read_file(path).decode("utf-8")
        document = tomllib.loads(text)
        return _begun(begun, _with_included(text, path) if "include" in document else document.get("env", {}))
    return []


def _with_included(text: str, path: Path) -> Iterable[str]:
    """Return the environments of a file and of the files that it includes."""
    from probekit.config.sources import read_sources  # noqa: PLC0415  # a file alone needs none
    from probekit.toml_file import ConfigError  # noqa: PLC0415  # as above

    with suppress(ConfigError):
        found = read_sources(text, path).get("env")
        return found.value if found and isinstance(found.value, dict) else ()
    return ()


def _among(names: Callable[[], Iterable[str]]) -> Callable[..., list[str]]:
    def complete(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        return _begun(begun, names())

    return complete


def _checklist() -> Checklist:
    from probekit import checklist  # noqa: PLC0415  # --help needs none

    return checklist.load("softfactory")


def _formats() -> Iterable[str]:
    from probekit.reports import format_names  # noqa: PLC0415  # --help needs none

    return format_names()


items = _among(lambda: (item.id for item in _checklist().items))
sections = _among(lambda: _checklist().sections)
probes = _among(lambda: _checklist().probes)
phases = _among(lambda: _checklist().phases)
formats = _among(_formats)
facts = _among(lambda: [f"{name}={answer}" for name in _checklist().facts for answer in ("yes", "no")])


def _begun(begun: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if str(name).startswith(begun)]
