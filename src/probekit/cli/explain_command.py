"""`probekit explain`: what an item, probe or kind means, and how to configure it."""

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
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Configuration file with the checklist and own checks. [default: $PROBEKIT_CONFIG, ./probes.toml or none]",
)
@exit_on_error
def command(name: str, config: Path | None) -> int:
    """Explain an item, a probe or a kind.

    An item is a line of the checklist, a probe is what it reads, and a kind is a way to measure a probe. The text holds
    limits, settings and an example to copy. Without a configuration file the built-in checklist is explained.

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
