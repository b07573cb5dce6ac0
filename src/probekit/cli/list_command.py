"""`probekit list`: what there is to name in a configuration or on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click

from probekit import checklist as checklists, probes
from probekit.checklist import Checklist
from probekit.cli.config_file import default_config
from probekit.cli.options import config_option
from probekit.cli.output import write_stdout
from probekit.cli.trouble import exit_on_error
from probekit.planning.coverage import kinds_for
from probekit.workflows.assembly import load_config


@click.command(name="list")
@click.argument("what", type=click.Choice(["items", "probes", "kinds", "envs"]))
@config_option
@exit_on_error
def command(what: str, config: Path | None) -> int:
    """List items, probes, kinds or environments, one on a line.

    \b
    Examples:
      probekit list items
      probekit list kinds
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    path = default_config(config)
    lines: dict[str, Callable[[Path], Iterator[str]]] = {
        "items": _items,
        "probes": _probes,
        "kinds": _kinds,
        "envs": _environments,
    }
    write_stdout("".join(f"{line}\n" for line in lines[what](path)))
    return 0


def _checklist(path: Path) -> Checklist:
    """That of the configuration, the built-in one where there is none."""
    return load_config(path).checklist if path.exists() else checklists.load("softfactory")


def _items(path: Path) -> Iterator[str]:
    for item in _checklist(path).items:
        yield f"{item.id:50}  {item.severity:8}  {item.probe or 'a person':20}  {item.title}"


def _probes(path: Path) -> Iterator[str]:
    checklist = _checklist(path)
    for name, requirement in checklist.probes.items():
        yield f"{name:20}  {', '.join(kinds_for(name, checklist)) or '-':24}  {requirement.help}"


def _kinds(_path: Path) -> Iterator[str]:
    for name in probes.kind_names():
        for metric in probes.load_kind(name).metrics:
            yield f"{name:20}  {metric.name:22}  {metric.unit:3}  {metric.help}"


def _environments(path: Path) -> Iterator[str]:
    for name, target in load_config(path).targets.items():
        yield f"{name:20}  {len(target.items):3} items  {target.environment.base_url}"
