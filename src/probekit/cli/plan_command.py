"""`probekit plan`: what would run, what it costs, and whether it could ever be go."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.options import config_option, environment_option
from probekit.cli.output import warn, write_stdout
from probekit.cli.state import state_file, state_option, target_key
from probekit.files import is_file

if TYPE_CHECKING:  # --help needs none of it
    from probekit.model.history import History
    from probekit.workflows.options import RunOptions

IMPOSSIBLE = 10  # the exit code of verify that such a plan comes to


@click.command(name="plan")
@environment_option
@config_option
@click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="SECTION",
    help="Only items of this section.",
    shell_complete=complete.sections,
)
@click.option(
    "--item",
    "items",
    multiple=True,
    metavar="ITEM",
    help="Only this item, or those whose id begins so.",
    shell_complete=complete.items,
)
@click.option(
    "--probe",
    "probes",
    multiple=True,
    metavar="PROBE",
    help="Only items that read this probe.",
    shell_complete=complete.probes,
)
@click.option("--release", metavar="VERSION", help="The version that must be served.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document (probekit.plan/1).")
@click.option("--show-config", is_flag=True, help="Print every setting, with where it was written, and plan nothing.")
@state_option
@exit_on_error
def command(  # noqa: PLR0913  # one for each option
    environment: str | None,
    config: Path | None,
    release: str | None,
    state: str | None,
    *,
    as_json: bool,
    show_config: bool,
    **selection: tuple[str, ...],
) -> int:
    """Check the files and show what verify would do; the target is not touched.

    Secrets, files, allowances, limits, sample sizes and the record are checked. The last lines say whether a healthy
    target can get its go, and else what is in the way and what to do about each.

    \b
    Exit codes:
      0   a healthy target gets its go (of a part of the scope: its good end)
      10  GO is impossible by this plan
      64  wrong command line, 78 probes.toml or the checklist is wrong

    \b
    Examples:
      probekit plan --env prod
      probekit plan --env prod --section deploy.services
      probekit plan --env prod --json | jq .obstacles
      probekit plan --env prod --show-config
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    from probekit.planning.selection import Selection  # noqa: PLC0415  # --help needs none
    from probekit.workflows.options import RunOptions  # noqa: PLC0415  # as above

    chosen = Selection(sections=selection["sections"], items=selection["items"], probes=selection["probes"])
    asked = RunOptions(environment=environment, config=default_config(config), selection=chosen, release=release)
    if show_config:
        return _shown(asked, as_json=as_json)
    return _planned(asked, state, as_json=as_json)


def _shown(asked: RunOptions, *, as_json: bool) -> int:
    """Print the configuration of the environment; the exit code."""
    from probekit.cli.shown_config import render  # noqa: PLC0415  # --help needs none
    from probekit.workflows.assembly import loaded, target_of  # noqa: PLC0415  # as above
    from probekit.workflows.options import RequestError  # noqa: PLC0415  # as above

    if as_json:
        raise RequestError("--show-config prints TOML: leave --json out")
    config = loaded(asked)
    write_stdout(render(config, target_of(asked, config)))
    return 0


def _planned(asked: RunOptions, state: str | None, *, as_json: bool) -> int:
    """Print the plan; its exit code."""
    from probekit.cli import plan_json, plan_text  # noqa: PLC0415  # --help needs none
    from probekit.config.settings import Variables  # noqa: PLC0415  # as above
    from probekit.planning.feasibility import Surroundings, feasibility  # noqa: PLC0415  # as above
    from probekit.workflows.assembly import loaded, prepare  # noqa: PLC0415  # as above

    config, now = loaded(asked), datetime.now(UTC)
    request = replace(
        asked,
        config_loaded=config,
        release=asked.release or Variables().completed(config.dotenv.values).release,
    )
    request = replace(request, history=_history(request, state, now))
    _, target, planned = prepare(request)
    surroundings = Surroundings(variables=os.environ, now=now, history=request.history)
    found = feasibility(config, target, planned, surroundings)
    write_stdout((plan_json if as_json else plan_text).render(config, target, planned, found, now))
    return 0 if found.go_possible else IMPOSSIBLE


def _history(request: RunOptions, state: str | None, now: datetime) -> History:
    """What is on record; none is begun where there is none."""
    from probekit.model.history import History  # noqa: PLC0415  # --help needs none

    file = state_file(state, make=False)
    if file is None or not is_file(file):
        return History()
    from probekit.history.load import load_history  # noqa: PLC0415  # sqlite3, where something is on record

    return load_history(file, target_key(request), now, warn=warn).history
