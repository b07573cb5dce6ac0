"""`probekit verify`: parse, run the flow, write the reports, exit."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from probekit import log, quantity
from probekit.cli.lock import lock
from probekit.cli.output import colour, emit, save
from probekit.cli.progress import Progress
from probekit.cli.trouble import told
from probekit.config import Variables
from probekit.flow import Request, RequestError, carry_out, deployment_at
from probekit.model import Action, Memory, Report, Stage
from probekit.order import Stop
from probekit.plan import Selection
from probekit.redact import Redactor
from probekit.reports import FORMATS

_DAY = 86400.0
_AHEAD = timedelta(minutes=1)  # how far another machine's clock may be ahead of ours


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where the report goes, and how much is said beside it."""

    reports: tuple[tuple[str, Path | None], ...] = ()  # format and file; None: stdout
    quiet: bool = False
    verbose: bool = False


class Seconds(click.ParamType[float]):
    """A duration such as 5m."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # click's interface
        """Seconds."""
        if isinstance(value, float):
            return value
        try:
            seconds = quantity.duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds > _DAY:
            self.fail(f"'{value}' is longer than a day", param, ctx)
        return seconds


class Moment(click.ParamType[datetime]):
    """A moment with its zone, or now."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401  # click's interface
        """The moment in UTC."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC)
        if value == "now":
            return now
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no time: write 2026-11-23T10:00Z, or now", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"'{value}' has no zone: write {value}Z for UTC", param, ctx)
        if moment > now + _AHEAD:
            self.fail(f"'{value}' lies in the future", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"'{value}' is no time of this calendar", param, ctx)


class _ReportTo(click.ParamType[tuple[str, Path | None]]):
    """A format, and a file where it is not stdout."""

    name = "FORMAT[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Path | None]:  # noqa: ANN401  # click's interface
        if isinstance(value, tuple):
            return value
        name, equals, file = value.partition("=")
        if name not in FORMATS:
            self.fail(f"unknown format '{name}'; known: {', '.join(FORMATS)}", param, ctx)
        if equals and not file:
            self.fail(f"'{value}' names no file", param, ctx)
        return name, Path(file) if file else None


_OPTIONS = (
    click.option(
        "--stage",
        type=click.Choice([stage.value for stage in Stage]),
        default="after",
        show_default=True,
        help="Where the release stands: before, there is nothing to roll back yet.",
    ),
    click.option(
        "--section",
        "sections",
        multiple=True,
        metavar="SECTION",
        help="Only items of this section, such as deploy.services.",
    ),
    click.option("--item", "items", multiple=True, metavar="ITEM", help="Only this item, or those whose id begins so."),
    click.option("--probe", "probes", multiple=True, metavar="PROBE", help="Only items that read this probe."),
    click.option(
        "--report",
        "reports",
        multiple=True,
        type=_ReportTo(),
        help="console or json, to stdout or to a file; may be given several times.",
    ),
    click.option(
        "--deployed",
        metavar="TIME|now",
        type=Moment(),
        help="When this release was put in place; without it nothing orders a rollback.",
    ),
    click.option("--release", metavar="VERSION", help="The version that must be served."),
    click.option(
        "--wait-release",
        type=Seconds(),
        default=0.0,
        metavar="DURATION",
        help="Wait so long for that version, such as 5m.",
    ),
    click.option("--quick", is_flag=True, help="No windows and no bursts: seconds, and no go of the release."),
    click.option("--strict", is_flag=True, help="What would be a follow-up keeps it from a go."),
    click.option("--no-settle", is_flag=True, help="Do not wait for the release to settle (for cron)."),
    click.option("--quiet", is_flag=True, help="Print nothing on go."),
    click.option("--verbose", is_flag=True, help="Log every measurement to stderr."),
)


def verify_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of verify that demo has too."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command(name="verify")
@click.option("--env", "environment", metavar="NAME", help="The environment of probes.toml.")
@click.option("--url", metavar="URL", help="Verify this URL without a file: health, certificate, headers, latency.")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Instead of PROBEKIT_CONFIG or ./probes.toml."
)
@verify_options
def command(environment: str | None, url: str | None, config: Path | None, **options: Any) -> int:  # noqa: ANN401  # click hands over what the options parsed
    """Measure a deployment, hold it against the checklist, and decide.

    \b
    Examples:
      probekit verify --env prod
      probekit verify --env prod --deployed now --release 2.3.1 --wait-release 5m
      probekit verify --env prod --report json=report.json --quiet
      probekit verify --env staging --stage before --section deploy.services
      probekit verify --url https://app.example.com --quick

    \b
    The exit code is the decision's, whatever the format:
      0 go, 10 investigate, 11 hold, 20 rollback, 21 no go, 30 undecided
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    if (environment is None) == (url is None):
        raise click.UsageError("Missing option '--env' (or '--url'); one of them.")
    return verify(environment or "url", config, options | {"url": url})


@told
def verify(environment: str, config: Path | None, options: dict[str, Any]) -> int:
    """One run from parsed options to its exit code."""
    request, output = _parsed(environment, config, options)
    with lock(request.config, environment):
        return _carried_out(request, output)


def default_config(config: Path | None) -> Path:
    """The named file, else PROBEKIT_CONFIG, else ./probes.toml."""
    return config or Variables().config or Path("probes.toml")


def _parsed(environment: str, config: Path | None, options: dict[str, Any]) -> tuple[Request, Output]:
    if options["quiet"] and options["verbose"]:
        raise RequestError("--quiet and --verbose exclude each other")
    reports = options["reports"]
    if sum(file is None for _, file in reports) > 1:
        raise RequestError(
            "two reports to stdout would be no document: name a file for one, such as --report json=report.json"
        )
    path = default_config(config)
    try:
        variables = Variables(_env_file=path.absolute().parent / ".env")
    except (ValidationError, UnicodeDecodeError, OSError) as error:  # OSError: unreadable, or no working directory
        raise RequestError(f"the PROBEKIT_ variables cannot be read: {type(error).__name__}") from None
    release = options["release"] or variables.release
    moment = options["deployed"] or (Moment().convert(variables.deployed, None, None) if variables.deployed else None)
    request = Request(
        environment=environment,
        config=path,
        url=options.get("url"),
        stage=Stage(options["stage"]),
        selection=Selection(
            sections=options["sections"], items=options["items"], probes=options["probes"], quick=options["quick"]
        ),
        memory=deployment_at(moment, release) if moment else Memory(),
        release=release,
        wait_release=options["wait_release"],
        settle=not options["no_settle"],
        strict=options["strict"],
    )
    if all(file is not None for _, file in reports):
        reports = (*reports, ("console", None))
    return request, Output(reports=reports, quiet=options["quiet"], verbose=options["verbose"])


def _carried_out(request: Request, output: Output) -> int:
    redactor = Redactor()
    log.configure(level=logging.DEBUG if output.verbose else logging.WARNING, redactor=redactor)
    terminal = sys.stderr.isatty() and not output.quiet
    progress = Progress(redactor=redactor, colour=colour(sys.stderr.isatty())) if terminal else None
    report = asyncio.run(_until_told(request, redactor, progress))
    with _undisturbed():
        _written(report, output, redactor)
    return report.exit_code


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second signal must not take the report with it."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _until_told(request: Request, redactor: Redactor, progress: Progress | None) -> Report:
    """The flow, ended early by SIGINT or SIGTERM with what was measured so far."""
    stop, loop = Stop(), asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM"):
        loop.add_signal_handler(getattr(signal, name), stop.wish, name)
    return await carry_out(request, redactor=redactor, stop=stop, watcher=progress)


def _written(report: Report, output: Output, redactor: Redactor) -> None:
    """Files first, whole; then stdout."""
    for name, file in output.reports:
        if file is not None:
            save(_rendered(report, name, redactor), file)
    for name, file in output.reports:
        silent = output.quiet and report.exit_code == Action.GO.exit_code
        if file is None and not silent:
            emit(_rendered(report, name, redactor, colour=colour(sys.stdout.isatty())))


def _rendered(report: Report, name: str, redactor: Redactor, **wishes: bool) -> str:
    """The report as text; what it quotes was cleaned when it was seen, so a document for programs stays one."""
    return redactor.clean(FORMATS[name](report, **wishes)) if name == "console" else FORMATS[name](report)
