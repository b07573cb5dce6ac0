"""`probekit baseline`: measure what is normal before a deployment, and show which changes it can detect."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, stdev
from typing import Final

import click

from probekit import log
from probekit.cli.config_file import default_config
from probekit.cli.errors import exit_on_error
from probekit.cli.moments import Seconds
from probekit.cli.options import config_option, environment_option, log_format_option
from probekit.cli.output import show as show_blocks, warn, write_stderr, write_stdout
from probekit.cli.progress import shown_progress
from probekit.cli.signals import stop_on_signals
from probekit.cli.state import required_file, state_option, target_key
from probekit.cli.usage import Count
from probekit.drawing import Column, Table
from probekit.engine.context import Cancellation, Clock, RunObserver
from probekit.history.ahead import ignored
from probekit.history.store import RunSummary, Store
from probekit.judging.baseline import drifts
from probekit.judging.comparison import LEAST_WINDOWS, baseline_reach
from probekit.judging.statistics import Risks
from probekit.model.checklist import Item
from probekit.model.history import BaselineWindow, History, TargetKey
from probekit.model.numbers import count, number
from probekit.model.quantity import SECONDS
from probekit.model.readings import BaselineValues
from probekit.model.verdict import Outcome, Stage
from probekit.planning.baseline import baseline_items
from probekit.reports.json.read import window_document, window_of
from probekit.text import escape, moment, words
from probekit.workflows.assembly import loaded, with_config
from probekit.workflows.baseline import CapturedWindow, CaptureError, capture
from probekit.workflows.options import RequestError, RunOptions

_UNDECIDED: Final = 10
_COMPARED: Final = (Column(title="outcome"), Column(title="metric"), Column(title="because", is_wrapped=True))
_SPAN: Final = timedelta(hours=1)  # that a baseline should cover at least


@click.group(name="baseline")
def command() -> None:
    """Measure what is normal before a deployment.

    \b
    Examples:
      probekit baseline capture --env prod --windows 8 --every 10m
      probekit baseline capture --env prod             (one more window, by cron)
      probekit baseline show --env prod
      probekit baseline compare --env prod
    """  # noqa: D301  # \b is click's mark for lines it must not wrap


@command.command(name="capture")
@environment_option
@click.option("--windows", type=Count(1, 500), default=1, show_default=True, help="Number of windows to measure.")
@click.option(
    "--every",
    type=Seconds(),
    default=600.0,
    metavar="DURATION",
    help="Time from the start of one window to the next. [default: 10m]",
)
@config_option
@state_option
@log_format_option
@exit_on_error
def capture_(environment: str | None, windows: int, every: float, config: Path | None, state: str | None) -> int:
    """Measure baseline windows and record them.

    A window holds every metric that is compared with a baseline. Each window is recorded as soon as it ends, so an
    interruption loses at most one. At least 3 windows are needed; more of them, over several hours, detect smaller
    changes.

    Exits with 0 if the last window holds metrics of the checklist's baseline, else with 10.
    """
    log.configure()
    options = _options(environment, config)
    target = target_key(options)
    warned: set[str] = set()  # in any window: an unconfigured metric is missing in each of them
    with Store(required_file(state)) as store:
        _warn_of_windows_ahead(store, target)
        for taken in range(1, windows + 1):
            began = datetime.now().astimezone()
            found = _captured(options, _windows(store, target))
            if refusal := _not_of_a_go(found.window, store, target):
                raise RequestError(refusal)
            store.add_window(target, found.window.taken, window_document(found.window))
            kept = found.window.rows or len(found.window.values)  # with own checks only
            write_stderr(f"window {taken} of {windows} recorded: {count(kept, 'metric')}")
            for lacking in found.lacking:
                if lacking not in warned:
                    warn(lacking)
            warned.update(found.lacking)
            if taken < windows:
                _wait(began + timedelta(seconds=every))
        known = _windows(store, target)
    write_stdout("".join(f"{line}\n" for line in _reach(known, options)))
    return 0 if known[-1].rows else _UNDECIDED


@command.command(name="show")
@environment_option
@config_option
@state_option
@exit_on_error
def show(environment: str | None, config: Path | None, state: str | None) -> int:
    """Show the recorded windows and which changes they can detect."""
    options = _options(environment, config)
    target = target_key(options)
    with Store(required_file(state)) as store:
        _warn_of_windows_ahead(store, target)
        kept = _windows(store, target)
    if not kept:
        raise RequestError(f"no baseline of '{target.environment}' is on record; see: probekit baseline capture --help")
    write_stdout("".join(f"{line}\n" for line in _reach(kept, options)))
    return 0


@command.command(name="compare")
@environment_option
@config_option
@state_option
@log_format_option
@exit_on_error
def compare(environment: str | None, config: Path | None, state: str | None) -> int:
    """Measure one window and compare it with the recorded ones.

    The window is not recorded. Exits with 0 if every metric is within its tolerance, else with 10.
    """
    log.configure()
    options = _options(environment, config)
    target = target_key(options)
    with Store(required_file(state)) as store:
        _warn_of_windows_ahead(store, target)
        kept = _windows(store, target)
    found = _captured(options, kept)
    rows = [(words(verdict.outcome), verdict.item.title, verdict.because) for verdict in found.verdicts]
    show_blocks([Table(columns=_COMPARED, rows=rows, has_titles=False)])
    return 0 if all(verdict.outcome is Outcome.PASS for verdict in found.verdicts) else _UNDECIDED


def _options(environment: str | None, config: Path | None) -> RunOptions:
    return with_config(RunOptions(environment=environment, config=default_config(config)))


def _captured(options: RunOptions, known: Sequence[BaselineWindow]) -> CapturedWindow:
    options = replace(options, history=History(baseline=tuple(known)))
    try:
        with shown_progress() as progress:
            return asyncio.run(_until_cancelled(options, progress))
    except CaptureError as error:
        raise RequestError(f"no window was recorded: {error}") from error


async def _until_cancelled(options: RunOptions, progress: RunObserver | None) -> CapturedWindow:
    cancellation = Cancellation()
    stop_on_signals(cancellation)
    return await capture(options, clock=Clock(), cancellation=cancellation, observer=progress)


def _wait(until: datetime) -> None:
    left = (until - datetime.now().astimezone()).total_seconds()
    if left > 0:
        asyncio.run(asyncio.sleep(left))


def _windows(store: Store, target: TargetKey) -> tuple[BaselineWindow, ...]:
    return tuple(window_of(document) for document in store.windows(target, datetime.now(UTC)))


def _warn_of_windows_ahead(store: Store, target: TargetKey) -> None:
    _, windows = store.count_ahead(target, datetime.now(UTC))
    if windows:
        warn(f"warning: {ignored(windows, 'baseline window')}")


def _not_of_a_go(window: BaselineWindow, store: Store, target: TargetKey) -> str:
    """Return why the window cannot be recorded: only the first release needs no go, or a slow drift becomes normal."""
    releases = {one.release for one in _windows(store, target)}
    if not releases or window.release in releases:
        return ""
    went = any(_is_go(run) and run.release == window.release for run in store.runs(target, most=10_000))
    shown = escape(window.release or "unknown")
    return (
        ""
        if went
        else f"release {shown} has no go on record, which a further baseline needs; run probekit verify first"
    )


def _is_go(run: RunSummary) -> bool:
    """Return whether a run approves the release that it read: a gate approves another one, which is not served yet."""
    is_gate = run.ledger is not None and run.ledger.phase is not None and run.ledger.stage == Stage.BEFORE
    return run.action == "go" and not is_gate


def _reach(kept: Sequence[BaselineWindow], options: RunOptions) -> Iterator[str]:
    """Yield a line for each metric: its windows, their spread, and which changes they can detect."""
    rows = {(row.probe, row.expect[0].metric): row for row in baseline_items(loaded(options).checklist)}
    first = "" if len({window.release for window in kept}) > 1 else ", recorded without a preceding go"
    yield f"{count(len(kept), 'window')}, {moment(kept[0].taken)} to {moment(kept[-1].taken)}{first}"
    if kept[-1].taken - kept[0].taken < _SPAN:
        yield "the windows span less than an hour; capture more at other hours to cover normal variation"
    for source, one in kept[-1].values.items():
        same = [window.values[source] for window in kept if source in window.values]
        values = [known.value for known in same if known.fingerprint == one.fingerprint]
        probe, instance, metric = source
        name = f"{probe}.{instance} {metric}" if instance else f"{probe} {metric}"
        yield f"{name}: {_decides(values, rows.get((probe, metric)))}"
    yield from (escape(drift) for drift in drifts(tuple(rows.values()), kept))


def _decides(values: Sequence[float], row: Item | None) -> str:
    counted = f"{count(len(values), 'window')}, mean {number(fmean(values))}"
    limit = row.expect[0] if row else None
    if limit is None or limit.of == "value":
        return f"{counted}; " + (f"judged by {limit}" if limit else "compared if an item asks for it")
    if len(values) < LEAST_WINDOWS or 0 in values:
        return f"{counted}; at least {LEAST_WINDOWS} windows, all above zero, are needed to compare"
    passing, failing = baseline_reach(BaselineValues(tuple(values)), limit.value / 100, Risks(), limit.floor)
    spread = 100 * stdev(values) / fmean(values)
    able = passing <= max(limit.value / 100, limit.floor / max(fmean(values), limit.floor))
    allowed = f"+{number(limit.value)} % or {number(limit.floor, limit.unit)}"
    smallest = f"too small for these windows (smallest: +{number(round(100 * passing))} %)"
    tolerance = f"tolerance {allowed}" if able else f"tolerance {allowed} is {smallest}"
    change = "slowdowns" if limit.unit in SECONDS else "increases"
    detected = f"detects {change} of {number(round(100 * (failing - 1)))} % or more"
    return f"{counted}, spread {number(round(spread, 1))} %; {tolerance}; {detected}"
