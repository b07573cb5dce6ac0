"""`probekit schema`: the JSON Schema with which editors complete and check a probes.toml."""

from __future__ import annotations

import json

import click

from probekit.cli.errors import exit_on_error
from probekit.cli.output import write_stdout
from probekit.config.schema import schema


@click.command(name="schema")
@exit_on_error
def command() -> int:
    """Print the JSON Schema of probes.toml, with the settings of every installed kind.

    An editor with TOML support uses it to complete, explain and check the file.

    \b
    Examples:
      probekit schema > probes.schema.json

    \b
    Then write as the first line of probes.toml (for Taplo and Even Better TOML):
      #:schema ./probes.schema.json
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    write_stdout(json.dumps(schema(), indent=1) + "\n")
    return 0
