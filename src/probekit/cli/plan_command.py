"""`probekit plan`: what would run, what it costs, and whether a go is possible."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.options import config_option, environment_option, fact_option, phase_option
from probekit.cli.output import warn, write_stdout
from probekit.cli.state import state_file, state_option, target_key
from probekit.files import is_file

if TYPE_CHECKING:  # --help needs none of it
    from probekit.model.history import History
    from probekit.workflows.options import RunOptions

IMPOSSIBLE = 10  # exit code of a plan that cannot end in a go


@click.command(name="plan")
@environment_option
@config_option
@click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="SECTION",
    help="Plan only items of this section, such as deploy.services. Repeatable.",
    shell_complete=complete.sections,
)
@click.option(
    "--item",
    "items",
    multiple=True,
    metavar="ITEM",
    help="Plan only this item, or the items below this id. Repeatable.",
    shell_complete=complete.items,
)
@click.option(
    "--probe",
    "probes",
    multiple=True,
    metavar="PROBE",
    help="Plan only items that read this probe. Repeatable.",
    shell_complete=complete.probes,
)
@phase_option
@fact_option
@click.option("--release", metavar="VERSION", help="Version that must be served.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document (probekit.plan/1).")
@click.option("--show-config", is_flag=True, help="Print every setting with its file and line instead of the plan.")
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
    phase: str | None,
    facts: Mapping[str, bool],
    **selection: tuple[str, ...],
) -> int:
    """Check the configuration and show what verify would do.

    Nothing is sent to the target. Secrets, files, allowances, limits, sample sizes and the state file are checked. The
    last lines state whether a go is possible for a healthy target, or which obstacles prevent it and how to remove
    them.

    \b
    Exit codes:
      0   GO is possible for a healthy target (of a part of the scope: PARTIAL)
      10  GO is impossible with this configuration
      64  the command line is wrong
      78  probes.toml or the checklist is wrong

    \b
    Examples:
      probekit plan --env prod
      probekit plan --env prod --section deploy.services
      probekit plan --env prod --phase pre --fact changes-schema=no
      probekit plan --env prod --json | jq .obstacles
      probekit plan --env prod --show-config
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    from probekit.planning.selection import Selection  # noqa: PLC0415  # --help needs none
    from probekit.workflows.options import RunOptions  # noqa: PLC0415  # as above

    chosen = Selection(
        phase=phase, sections=selection["sections"], items=selection["items"], probes=selection["probes"]
    )
    asked = RunOptions(
        environment=environment, config=default_config(config), selection=chosen, release=release, facts=facts
    )
    if show_config:
        return _shown(asked, as_json=as_json)
    return _planned(asked, state, as_json=as_json)


def _shown(asked: RunOptions, *, as_json: bool) -> int:
    """Print the configuration of the environment and return the exit code."""
    from probekit.cli.shown_config import render  # noqa: PLC0415  # --help needs none
    from probekit.workflows.assembly import loaded, target_of  # noqa: PLC0415  # as above
    from probekit.workflows.options import RequestError  # noqa: PLC0415  # as above

    if as_json:
        raise RequestError("--show-config prints TOML and cannot be combined with --json: remove one of them")
    config = loaded(asked)
    write_stdout(render(config, target_of(asked, config)))
    return 0


def _planned(asked: RunOptions, state: str | None, *, as_json: bool) -> int:
    """Print the plan and return its exit code."""
    from probekit.cli import plan_json, plan_text  # noqa: PLC0415  # --help needs none
    from probekit.config.settings import Variables  # noqa: PLC0415  # as above
    from probekit.planning.feasibility import Surroundings, feasibility  # noqa: PLC0415  # as above
    from probekit.workflows.assembly import loaded, prepare  # noqa: PLC0415  # as above
    from probekit.workflows.options import with_history  # noqa: PLC0415  # as above

    config, now = loaded(asked), datetime.now(UTC)
    request = replace(
        asked,
        config_loaded=config,
        release=asked.release or Variables().completed(config.dotenv.values).release,
    )
    request = with_history(request, _history(request, state, now), None)
    _, target, planned = prepare(request)
    surroundings = Surroundings(variables=os.environ, now=now, history=request.history)
    found = feasibility(config, target, planned, surroundings)
    write_stdout((plan_json if as_json else plan_text).render(config, target, planned, found, now))
    return 0 if found.go_possible else IMPOSSIBLE


def _history(request: RunOptions, state: str | None, now: datetime) -> History:
    """Return what is on record; a missing state file is not created."""
    from probekit.model.history import History  # noqa: PLC0415  # --help needs none

    file = state_file(state, make=False)
    if file is None or not is_file(file):
        return History()
    from probekit.history.load import load_history  # noqa: PLC0415  # sqlite3, for an existing state file only
    from probekit.workflows.plans import deployment_plans  # noqa: PLC0415  # as above

    return load_history(file, target_key(request), now, warn=warn, plans=deployment_plans(request)).history
