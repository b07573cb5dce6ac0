"""`probekit runs`: what earlier runs decided, how one item or number went from run to run, and which are kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from probekit import reports
from probekit.cli import complete
from probekit.cli.config_file import default_config
from probekit.cli.options import Seconds, config_option
from probekit.cli.output import view, write_stdout
from probekit.cli.state import required_file, state_option, target_key
from probekit.cli.trouble import exit_on_error
from probekit.history.store import Document, RunSummary, Store
from probekit.text import escape, moment, paragraph
from probekit.workflows.options import RequestError, RunOptions
from probekit.workflows.rejudge import rejudge

_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 80
_LONGEST: Final = 3650 * 86_400.0  # seconds, ten years


@click.group(name="runs")
def command() -> None:
    """Show, judge or remove earlier runs.

    \b
    Examples:
      probekit runs list --env prod
      probekit runs list --env prod --item deploy.performance.p95-latency
      probekit runs show 3f2a
      probekit runs show 3f2a --json
      probekit runs judge 3f2a --limits stricter.toml
      probekit runs prune --keep 90d --dry-run
    """  # noqa: D301  # \b is click's mark for lines it must not wrap


@command.command(name="list")
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Only this environment of probes.toml.",
    shell_complete=complete.environments,
)
@click.option("--item", metavar="ITEM", help="What came of this item, with its number as a trend.")
@click.option("--last", type=click.IntRange(1, 10_000), default=20, show_default=True, help="So many runs.")
@config_option
@state_option
@exit_on_error
def list_(environment: str | None, item: str | None, last: int, config: Path | None, state: str | None) -> int:
    """List runs, the newest first."""
    target = target_key(RunOptions(environment=environment, config=default_config(config))) if environment else None
    with Store(required_file(state)) as store:
        runs = store.runs(target, most=last)
        lines = list(_of_item(item, runs, store) if item else map(_line, runs))
    if not lines:
        raise RequestError("no run is on record" + (f" for '{environment}'" if environment else ""))
    write_stdout("".join(f"{line}\n" for line in lines))
    return 0


def _line(run: RunSummary) -> str:
    part = "  (partial)" if run.partial else ""
    decision = f"{run.action:11}  {run.exit_code:3}"
    line = f"{run.id:12}  {moment(run.started)}  {run.target.environment:10}  {decision}  {run.release or '-'}{part}"
    return escape(line)  # the release is what the target said


def _of_item(item: str, runs: Sequence[RunSummary], store: Store) -> Iterator[str]:
    """Each run's verdict of the item, and its numbers from the oldest to the newest."""
    numbers: list[float | None] = []
    for run in runs:
        verdicts = (store.report(run.id) or {}).get("verdicts", ())
        found = next((verdict for verdict in verdicts if verdict["item"] == item), None)
        if found:
            numbers.append(found["observed"])
            limit = f"  (limit {found['limit']})" if found["limit"] else ""
            number = "-" if found["observed"] is None else f"{found['observed']:g} {found['unit'] or ''}".strip()
            yield f"{run.id:12}  {moment(run.started)}  {found['outcome']:14}  {number}{limit}"
    if any(number is not None for number in numbers):
        yield f"oldest {_trend(numbers[::-1])} newest"


def _trend(numbers: Sequence[float | None]) -> str:
    """A bar for each number between the least and the greatest, a gap where there was none."""
    known = [number for number in numbers if number is not None]
    least, most = min(known), max(known)
    steps = (len(_BARS) - 1) / (most - least) if most > least else 0.0
    return "".join(" " if number is None else _BARS[round((number - least) * steps)] for number in numbers)


@command.command(name="show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="The whole report, as it was written.")
@state_option
@exit_on_error
def show(run: str, as_json: bool, state: str | None) -> int:  # noqa: FBT001  # a flag of the command line
    """Show one run, by the beginning of its id."""
    report = _found(run, state)
    write_stdout(json.dumps(report, indent=1) + "\n" if as_json else "".join(f"{line}\n" for line in _summary(report)))
    return 0


@command.command(name="judge")
@click.argument("run")
@click.option(
    "--limits",
    "config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The probes.toml whose limits hold; else PROBEKIT_CONFIG or ./probes.toml.",
)
@click.option("--report", "form", type=click.Choice(reports.format_names()), default="console", show_default=True)
@state_option
@exit_on_error
def judge(run: str, config: Path | None, form: str, state: str | None) -> int:
    """Judge one run again by the limits of now; nothing is sent.

    The exit code is that of the decision.
    """
    report = rejudge(_found(run, state), default_config(config))
    write_stdout(reports.load_format(form).text(report, view()))
    return report.exit_code


@command.command(name="prune")
@click.option(
    "--keep",
    required=True,
    type=Seconds(most=_LONGEST),
    metavar="DURATION",
    help="How long a run is kept, such as 90d.",
)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Only runs of this environment of probes.toml.",
    shell_complete=complete.environments,
)
@click.option("--dry-run", is_flag=True, help="Count the runs and remove none.")
@config_option
@state_option
@exit_on_error
def prune(keep: float, environment: str | None, dry_run: bool, config: Path | None, state: str | None) -> int:  # noqa: FBT001  # a flag of the command line
    """Remove runs that are older than a duration; marks and baselines stay.

    The last 20 runs of each target stay, however old. Age counts from the earliest start of the last 20 runs on record,
    so that a clock that is wrong once removes nothing.

    \b
    Examples:
      probekit runs prune --keep 90d
      probekit runs prune --keep 30d --env prod --dry-run
    """  # noqa: D301  # see above
    target = target_key(RunOptions(environment=environment, config=default_config(config))) if environment else None
    file = required_file(state)
    with Store(file) as store:
        found = store.prune_runs(datetime.now(UTC), timedelta(seconds=keep), target, dry_run=dry_run)
        verb = "would be removed" if dry_run else "removed"
        begun = moment(found.counted_from - timedelta(seconds=keep))
        write_stdout(
            f"{found.count} of {found.total} runs {verb}: begun before {begun}; each target keeps its last 20\n"
        )
        if found.count and not dry_run:
            store.compact()
    return 0


def _found(run: str, state: str | None) -> Document:
    with Store(required_file(state)) as store:
        report, ids = store.report(run), store.ids(run)
    if report is not None:
        return report
    if not ids:
        raise RequestError(f"no run on record begins with '{run}'; see: probekit runs list")
    raise RequestError(f"several runs begin with '{run}': {', '.join(ids)}; write more of the id")


def _summary(report: Document) -> Iterator[str]:
    """The decision, and what was not green."""
    run, decision = report["run"], report["decision"]
    action = decision["action"].replace("_", " ").upper()
    yield f"{escape(run['environment'])}, {run['started']}, run {run['id']}: {action}"
    for because in decision["because"]:
        yield from paragraph(because, width=_WIDTH, indent="  ", hanging="    ")
    for verdict in report["verdicts"]:
        if not verdict["passed"]:
            yield from paragraph(_verdict(verdict), width=_WIDTH, hanging="    ")
    own = Counter(verdict["outcome"] for verdict in report["verdicts"] if verdict.get("own"))
    for counts, heading in ((report["account"], ""), (own, "own checks: ")):
        if told := ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count):
            yield f"{heading}{told}"


def _verdict(verdict: dict[str, Any]) -> str:
    since = f" (since {verdict['since']})" if verdict["since"] else ""
    return f"{verdict['outcome'].replace('_', ' ')} {verdict['item']}: {verdict['because']}{since}"
