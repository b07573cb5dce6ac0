"""`probekit list`: the names that a configuration or a command line can use."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import click

from probekit import probes
from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.list_items import ChosenItems, list_items
from probekit.cli.listing import Listing, checklist_at
from probekit.cli.options import config_option, environment_option
from probekit.cli.output import show, write_stdout
from probekit.cli.state import state_option
from probekit.config.target import Config
from probekit.drawing import Block, Cell, Column, Line, Table
from probekit.model.numbers import count
from probekit.model.verdict import Outcome
from probekit.planning.coverage import NOT_BUILT, kinds_for
from probekit.probe import Metric
from probekit.workflows.assembly import load_config
from probekit.workflows.options import RequestError

_TEXT: Final[Mapping[str, bool]] = {"is_wrapped": True, "may_go_below": True}  # of a column with an explanation


@click.command(name="list")
@click.argument("what", type=click.Choice(["items", "probes", "kinds", "envs"]))
@click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="SECTION",
    help="List only items of this section, such as deploy.services. Repeatable.",
    shell_complete=complete.sections,
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    type=click.Choice([outcome.value for outcome in Outcome]),
    metavar="OUTCOME",
    help="List only items with this outcome in the environment's latest run: pass, fail, ... Repeatable.",
)
@environment_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array. docs/reports.md describes its fields.")
@config_option
@state_option
@exit_on_error
def command(what: str, config: Path | None, as_json: bool, **chosen: Any) -> int:  # noqa: ANN401, FBT001  # click's options
    """List items, probes, kinds or environments.

    An item is a line of the checklist, a probe is what it reads, a kind is a way to measure a probe, and envs are the
    environments of probes.toml. "not built" marks what no kind can measure yet; a program of your own can, by kind
    command. In a pipe each entry is one line. --section, --outcome, --env and --state work with items only.

    \b
    Examples:
      probekit list items --section deploy.services
      probekit list items | grep -v 'not built'
      probekit list items --env prod --outcome fail --outcome inconclusive
      probekit list kinds --json
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    path = default_config(config)
    if what == "items":
        found = list_items(path, ChosenItems(**chosen))
    elif chosen["sections"] or chosen["outcomes"] or chosen["environment"]:
        raise RequestError(
            f"--section, --outcome and --env work with 'list items' only; remove them from 'list {what}'"
        )
    else:
        lists: dict[str, Callable[[Path], Listing]] = {"probes": _probes, "kinds": _kinds, "envs": _environments}
        found = lists[what](path)
    if as_json:
        write_stdout(json.dumps(found.documents, indent=1) + "\n")
    else:
        show(_blocks(found), rows_whole=True)
    return 0


def _blocks(found: Listing) -> list[Block]:
    """Return what is shown; a pipe gets rows only, because a program would read titles and groups as entries."""
    if not sys.stdout.isatty():
        return [Table(columns=found.columns, rows=found.rows, has_titles=False)]
    blocks: list[Block] = [Line(found.heading), Line("")] if found.heading else []
    if not found.groups:
        return [*blocks, Table(columns=found.columns, rows=found.rows)]
    for name, rows in groupby(zip(found.groups, found.rows, strict=True), key=itemgetter(0)):
        group = Table(columns=found.columns, rows=[row for _, row in rows], indent=2, has_titles=False)
        blocks += [Line(name, 0, "strong"), group]
    return blocks


def _probes(path: Path) -> Listing:
    checklist = checklist_at(path)
    own = {item.probe for item in checklist.items if item.is_own}
    documents: list[dict[str, Any]] = [
        {
            "name": name,
            "help": requirement.help,
            "is_own": name in own,
            "kinds": kinds_for(name, checklist),
            "metrics": dict(requirement.metrics),
        }
        for name, requirement in checklist.probes.items()
    ]
    return Listing(
        documents=documents,
        columns=(Column(title="probe"), Column(title="filled by"), Column(title="what it reads", **_TEXT)),
        rows=[(Cell(one["name"], "strong"), _filled_by(one), one["help"]) for one in documents],
    )


def _filled_by(probe: Mapping[str, Any]) -> Cell:
    if probe["is_own"]:
        return Cell("your own")
    return Cell(", ".join(probe["kinds"])) if probe["kinds"] else Cell(NOT_BUILT, "faint")


def _kinds(_path: Path) -> Listing:
    kinds = [(name, probes.load_kind(name)) for name in probes.kind_names()]
    titles = [Column(title="kind"), Column(title="metric"), Column(title="unit"), Column(title="meaning", **_TEXT)]
    return Listing(
        documents=[
            {
                "name": name,
                "safety": kind.safety,
                "fills": kind.fills,
                "metrics": [_metric(one) for one in kind.metrics],
            }
            for name, kind in kinds
        ],
        columns=titles,
        rows=[
            (Cell(name, "strong"), metric.name, metric.unit, metric.help)
            for name, kind in kinds
            for metric in kind.metrics
        ],
    )


def _metric(metric: Metric) -> dict[str, str]:
    return {"name": metric.name, "unit": metric.unit, "help": metric.help}


def _environments(path: Path) -> Listing:
    config = load_config(path)
    documents = [_environment(name, config) for name in config.environments]
    return Listing(
        documents=documents,
        columns=(
            Column(title="environment"),
            Column(title="in scope", is_number=True),
            Column(title="base_url", **_TEXT),
        ),
        rows=[
            (Cell(one["name"], "strong"), count(one["items"], "item"), one["base_url"])
            if one["unset"] is None
            else (Cell(one["name"], "strong"), "", Cell(f"not usable here: {one['unset']}", "warn"))
            for one in documents
        ],
    )


def _environment(name: str, config: Config) -> dict[str, Any]:
    """Return the facts of an environment; `unset`: why it cannot be used here, else None."""
    if name in config.unset:
        return {"name": name, "base_url": None, "items": None, "probes": [], "unset": config.unset[name][0].found}
    target = config.targets[name]
    return {
        "name": name,
        "base_url": target.environment.base_url,
        "items": len(target.items),
        "probes": list(dict.fromkeys(one.probe for one in target.probes)),
        "unset": None,
    }
