"""`probekit runs ticket`: record the ticket of an item that is open after a deployment, or list the tickets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.deployment.marking import latest, named, none_is
from probekit.cli.errors import exit_on_error
from probekit.cli.options import config_option, environment_option
from probekit.cli.output import view, write_stdout
from probekit.cli.state import required_file, state_option, target_key
from probekit.drawing import Column, Line, Table, draw
from probekit.history.store import RunSummary, Store
from probekit.model.history import Deployment, TargetKey, is_ahead
from probekit.model.verdict import Outcome
from probekit.reports.json.recorded import read_report
from probekit.text import escape, words
from probekit.toml_file import nearest
from probekit.workflows.assembly import with_config
from probekit.workflows.options import RequestError, RunOptions

_LONGEST: Final = 2000  # characters of a URL
_LAST: Final = 1000  # runs that are searched for those of the deployment


class TicketUrl(click.ParamType[str]):
    """The address of a ticket."""

    name = "URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401  # click's interface
        """Return the URL if it is a safe link."""
        if problem := _problem(str(value)):
            self.fail(f"the URL {problem}; write one such as https://tracker.example.com/OPS-7", param, ctx)
        return str(value)


def _problem(url: str) -> str:
    """Return why a text is not the address of a ticket; empty where it is."""
    if len(url) > _LONGEST:
        return f"has {len(url)} characters, at most {_LONGEST} are allowed"
    if escape(url) != url or any(character.isspace() for character in url):
        return "has spaces, control or invisible characters"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has an invalid host or port"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if "@" in parts.netloc:
        return "has a user name or a password"
    return "" if host else "has no host"


@click.command(name="ticket")
@click.argument("item", required=False, shell_complete=complete.items)
@click.argument("url", required=False, type=TicketUrl())
@environment_option
@config_option
@state_option
@exit_on_error
def command(
    item: str | None, url: str | None, environment: str | None, *, config: Path | None, state: str | None
) -> int:
    """Record the ticket of an item, or list the tickets of the deployment on record.

    The item has failed, or is not verified, in the latest run of the deployment that covers it. A second ticket
    replaces the first.

    \b
    Examples:
      probekit runs ticket deploy.smoke.smoke-suite https://tracker.test/OPS-7
      probekit runs ticket --env prod
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    if item is not None and url is None:
        raise RequestError(f"the ticket of '{escape(item)}' has no URL: probekit runs ticket ITEM URL")
    target = target_key(with_config(RunOptions(environment=environment, config=default_config(config))))
    with Store(required_file(state)) as store:
        deployment = latest(store, target)
        if deployment is None:
            raise none_is("on record", target)
        if item is None or url is None:
            _list(store.tickets(target, deployment), target, deployment)
            return 0
        _require_open(store, target, deployment, item)
        store.add_ticket(target, deployment, item, url)
    write_stdout(f"{target.environment}: the ticket of {item} is {url}\n")
    return 0


def _list(tickets: Mapping[str, str], target: TargetKey, deployment: Deployment) -> None:
    """Print the tickets of a deployment."""
    heading = f"{target.environment}, the deployment of {named(deployment)}"
    if not tickets:
        write_stdout(f"{heading} has no ticket\n")
        return
    shown = view()
    rows = [[escape(item), escape(url)] for item, url in tickets.items()]
    table = Table(columns=[Column(title="item"), Column(title="ticket")], rows=rows)
    write_stdout(draw([Line(heading, style="strong"), table], width=shown.width, colour=shown.colour))


def _require_open(store: Store, target: TargetKey, deployment: Deployment, item: str) -> None:
    """Refuse an item that the latest run of the deployment which covers it did not leave open.

    Raises:
        RequestError: it passed, or was not verified there, or there is no such run.
        ReportError: the report of that run cannot be read.
    """
    runs = tuple(_latest_runs(store, target, deployment))
    if not runs:
        raise RequestError(
            f"no run of the deployment of {named(deployment)} is on record: "
            f"probekit verify --env {escape(target.environment)}"
        )
    found: dict[str, tuple[Outcome, str]] = {}
    for run in runs:
        for one in read_report(store.report(run.id)).verdicts:
            found.setdefault(one.item, (one.outcome, run.id))
    if item not in found:
        open_ = sorted(name for name, (outcome, _) in found.items() if not outcome.is_settled)
        hint = nearest(item, open_) or f"; see: probekit runs show {runs[0].id}"
        raise RequestError(f"'{escape(item)}' is not an item of run {' or '.join(run.id for run in runs)}{hint}")
    outcome, last = found[item]
    if outcome.is_settled:
        raise RequestError(f"{item} needs no ticket: it is '{words(outcome)}' in run {last}")


def _latest_runs(store: Store, target: TargetKey, deployment: Deployment) -> Iterator[RunSummary]:
    """Yield the latest whole run since the start of the deployment, and of each other phase since the last without one.

    Without a whole run, yield the latest partial one.
    """
    now = datetime.now(UTC)
    verified = {one.id: one for one in store.past_runs(target, deployment.started, most=_LAST) if one.stage != "before"}
    runs = [one for one in store.runs(target, most=_LAST) if one.id in verified and not is_ahead(one.started, now)]
    whole = [one for one in runs if not one.partial]
    phases: set[str] = set()
    for run in whole or runs[:1]:
        phase = verified[run.id].phase
        if phase is None or phase not in phases:
            yield run
        if phase is None or not whole:
            return
        phases.add(phase)
