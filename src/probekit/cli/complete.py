"""The names that the shell completes for an option; an error in a file gives no names and no message."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from probekit.cli.config_file import default_config
from probekit.files import read_file

if TYPE_CHECKING:  # --help needs none
    from probekit.checklist import Checklist


def environments(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The environments of the probes.toml that the command would read."""
    with suppress(OSError, ValueError):
        document = tomllib.loads(read_file(default_config(ctx.params.get("config"))).decode("utf-8"))
        return _begun(begun, document.get("env", {}))
    return []


def _of_checklist(names: Callable[[], Iterable[str]]) -> Callable[..., list[str]]:
    def complete(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        return _begun(begun, names())

    return complete


def _checklist() -> Checklist:
    from probekit import checklist  # noqa: PLC0415  # --help needs none

    return checklist.load("softfactory")


items = _of_checklist(lambda: (item.id for item in _checklist().items))
sections = _of_checklist(lambda: _checklist().sections)
probes = _of_checklist(lambda: _checklist().probes)


def _begun(begun: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if str(name).startswith(begun)]
