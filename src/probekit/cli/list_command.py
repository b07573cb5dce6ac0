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
from probekit.model.checklist import Item
from probekit.planning.coverage import NOT_BUILT, kinds_for, kinds_for_item
from probekit.workflows.assembly import load_config


@click.command(name="list")
@click.argument("what", type=click.Choice(["items", "probes", "kinds", "envs"]))
@config_option
@exit_on_error
def command(what: str, config: Path | None) -> int:
    """List items, probes, kinds or environments, one on a line.

    An item or a probe that no kind can fill yet is marked "not built": a program of your own can (kind command).

    \b
    Examples:
      probekit list items
      probekit list items | grep -v 'not built'
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


def checklist_at(path: Path) -> Checklist:
    """Return that of the configuration with its own checks, the built-in one where there is no file."""
    return load_config(path).whole_checklist if path.exists() else checklists.load("softfactory")


def _items(path: Path) -> Iterator[str]:
    checklist = checklist_at(path)
    for item in checklist.items:
        by = f"{item.probe or '-':20}  {_answered_by(item, checklist):22}"
        yield f"{item.id:50}  {item.severity:8}  {by}  {item.title}"


def _answered_by(item: Item, checklist: Checklist) -> str:
    """Return who or what answers an item: a person, a kind, or none that is built."""
    if item.probe is None:
        return "a person"
    return "your own probe" if item.is_own else ", ".join(kinds_for_item(item, checklist)) or NOT_BUILT


def _probes(path: Path) -> Iterator[str]:
    checklist = checklist_at(path)
    for name, requirement in checklist.probes.items():
        kinds = ", ".join(kinds_for(name, checklist)) or NOT_BUILT
        is_own = any(item.is_own and item.probe == name for item in checklist.items)
        yield f"{name:20}  {'your own' if is_own else kinds:24}  {requirement.help}"


def _kinds(_path: Path) -> Iterator[str]:
    for name in probes.kind_names():
        for metric in probes.load_kind(name).metrics:
            yield f"{name:20}  {metric.name:22}  {metric.unit:3}  {metric.help}"


def _environments(path: Path) -> Iterator[str]:
    for name, target in load_config(path).targets.items():
        yield f"{name:20}  {len(target.items):3} items  {target.environment.base_url}"
