"""What `probekit verify` and `probekit demo` do with their options: run the flow, write the reports, remember."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from probekit import log, reports
from probekit.cli.config_file import default_config
from probekit.cli.lock import lock
from probekit.cli.options import Moment
from probekit.cli.output import colour, save, warn, write_stdout
from probekit.cli.progress import Progress
from probekit.cli.signals import stop_on_signals, undisturbed
from probekit.cli.state import NONE, environment_of, state_file, target_key
from probekit.config.dotenv import Dotenv
from probekit.config.settings import Variables
from probekit.engine.context import Cancellation
from probekit.history.load import history_of_report, load_history, record_run
from probekit.history.news import is_news
from probekit.model.history import History, TargetKey
from probekit.model.report import Report
from probekit.model.verdict import Action, Stage
from probekit.planning.selection import Selection
from probekit.workflows.assembly import loaded
from probekit.workflows.options import RequestError, RunOptions, history_at
from probekit.workflows.verify import execute_run


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where the report goes, and how much is said beside it."""

    reports: tuple[tuple[str, Path | None], ...] = ()  # format and file; None: stdout
    quiet: bool = False
    on_change: bool = False
    verbose: bool = False


def verify(environment: str, config: Path | None, options: dict[str, Any]) -> int:
    """One run from parsed options to its exit code."""
    request, output = _parsed(environment, config, options)
    file, now = state_file(options.get("state", NONE)), datetime.now(UTC)
    found = loaded(request)
    request = replace(_with_variables(request, found.dotenv, options["deployed"]), config_loaded=found)
    target, settings = target_key(request), environment_of(request)
    with lock(target, wait=options.get("wait", 0.0)):
        past = load_history(file, target, now, warn=warn)
        request = _remembering(request, past.history, options.get("since"), target, now)
        report = _carried_out(request, output)
        with undisturbed():
            document = json.loads(reports.load_format("json").text(report))
            is_go = report.exit_code == Action.GO.exit_code
            is_known = output.on_change and not is_news(past.last, document)
            _written(report, output, settings.report_mode, silent=(output.quiet and is_go) or is_known)
            # After it was written: a run that nobody could read must not silence the next one of --on-change.
            record_run(file, target, report, document, warn=warn, keep=settings.keep)
    return report.exit_code


def _remembering(
    request: RunOptions, history: History, since: Path | None, target: TargetKey, now: datetime
) -> RunOptions:
    """What the command line says of the past goes before what the store knows."""
    if since and (found := history_of_report(since, target, now, warn=warn)):
        history = replace(
            history,
            since=found.since,
            evidence=found.evidence,
            answered=found.answered | history.answered,
            known=found.known,
        )
    if request.history.deployment is not None:
        history = replace(history, deployment=request.history.deployment, counters={})  # they were read at another mark
    return replace(request, history=history)


def _parsed(environment: str, config: Path | None, options: dict[str, Any]) -> tuple[RunOptions, Output]:
    if options["quiet"] and options["verbose"]:
        raise RequestError("--quiet and --verbose exclude each other")
    reports = options["reports"]
    if sum(file is None for _, file in reports) > 1:
        raise RequestError(
            "two reports to stdout would be no document: name a file for one, such as --report json=report.json"
        )
    request = RunOptions(
        environment=environment,
        config=default_config(config),
        url=options.get("url"),
        stage=Stage(options["stage"]),
        selection=Selection(
            sections=options["sections"],
            items=options["items"],
            probes=options["probes"],
            quick=options["quick"],
            machine_only=options.get("machine_only", False),
        ),
        release=options["release"],
        wait_release=options["wait_release"],
        settle=not options["no_settle"],
        strict=options["strict"],
        measure_all=options["measure_all"],
    )
    if all(file is not None for _, file in reports):
        reports = (*reports, ("console", None))
    output = Output(
        reports=reports,
        quiet=options["quiet"],
        on_change=options.get("on_change", False),
        verbose=options["verbose"],
    )
    return request, output


def _with_variables(request: RunOptions, dotenv: Dotenv, deployed: datetime | None) -> RunOptions:
    """Where the command line says nothing of the release, the PROBEKIT_ variables do."""
    variables = Variables().completed(dotenv.values)
    release = request.release or variables.release
    moment = deployed or (_deployed(variables.deployed) if variables.deployed else None)
    return replace(request, release=release, history=history_at(moment, release) if moment else History())


def _deployed(text: str) -> datetime:
    """The moment that PROBEKIT_DEPLOYED names."""
    try:
        return Moment().convert(text, None, None)
    except click.BadParameter as error:
        raise RequestError(f"PROBEKIT_DEPLOYED: {error.message}") from None


def _carried_out(request: RunOptions, output: Output) -> Report:
    log.configure(level=logging.DEBUG if output.verbose else logging.WARNING)
    terminal = sys.stderr.isatty() and not output.quiet
    progress = Progress(colour=colour(sys.stderr.isatty())) if terminal else None
    return asyncio.run(_until_told(request, progress))


async def _until_told(request: RunOptions, progress: Progress | None) -> Report:
    """The flow, ended early by a signal with what was measured so far."""
    cancellation = Cancellation()
    stop_on_signals(cancellation)
    return await execute_run(request, cancellation=cancellation, observer=progress)


def _written(report: Report, output: Output, mode: str | None, *, silent: bool) -> None:
    """Files first, whole; then stdout, unless nothing is to be said there."""
    for name, file in output.reports:
        if file is not None:
            form = reports.load_format(name)
            save(form.text(report), file, mode=form.mode if mode is None else int(mode, 8))
    for name, file in output.reports:
        if file is None and not silent:
            write_stdout(reports.load_format(name).text(report, colour=colour(sys.stdout.isatty())))
