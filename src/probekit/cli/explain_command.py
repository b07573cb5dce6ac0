"""`probekit explain`: what one item, probe or kind is about, and what it takes to have it measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from probekit import probes
from probekit.checklist import Checklist
from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.explain_text import of_item, of_kind, of_probe
from probekit.cli.listing import checklist_at
from probekit.cli.output import show
from probekit.drawing import Block
from probekit.toml_file import nearest
from probekit.workflows.options import RequestError


@click.command(name="explain")
@click.argument("name", shell_complete=complete.items)
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Whose checklist; else the built-in one."
)
@exit_on_error
def command(name: str, config: Path | None) -> int:
    """Explain an item, a probe of the checklist, or a kind.

    \b
    Examples:
      probekit explain deploy.services.health-endpoint
      probekit explain database
      probekit explain kind:postgres
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    path = default_config(config)
    show(_explained(name, checklist_at(path)))
    return 0


def _explained(name: str, checklist: Checklist) -> Iterator[Block]:
    kind_name = name.removeprefix("kind:")
    items = [item for item in checklist.items if item.id == name]
    if items:
        return of_item(items[0], checklist)
    if name in checklist.probes:
        return of_probe(name, checklist)
    if probes.is_kind_installed(kind_name):
        return of_kind(kind_name, probes.load_kind(kind_name), checklist)
    known = [*(item.id for item in checklist.items), *checklist.probes, *probes.kind_names()]
    raise RequestError(f"no item, probe or kind '{name}'{nearest(name, known)}; see: probekit list items|probes|kinds")
