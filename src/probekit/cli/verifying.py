"""The common part of `probekit verify` and `probekit demo`: run, write the reports, record the run."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from probekit import log, reports
from probekit.cli.config_file import default_config
from probekit.cli.lock import lock
from probekit.cli.moments import Deployed
from probekit.cli.output import warn
from probekit.cli.people_options import OneLine
from probekit.cli.plugin import exit_code
from probekit.cli.progress import shown_progress
from probekit.cli.report_files import Output, check_files, with_stdout, written
from probekit.cli.signals import stop_on_signals, undisturbed
from probekit.cli.state import NONE, environment_of, state_file, target_key
from probekit.config.settings import Variables
from probekit.engine.context import Cancellation, RunObserver
from probekit.history.deployed import Stated, repeated
from probekit.history.load import EarlierRun, earlier_run, last_report, load_history, record_deployment, record_run
from probekit.history.news import is_news
from probekit.model.history import History
from probekit.model.record import Identity
from probekit.model.report import Report, Run
from probekit.model.responsible import Responsible
from probekit.model.verdict import Action, Stage
from probekit.planning.release import declared_release
from probekit.planning.selection import Selection
from probekit.workflows.assembly import loaded, target_of, with_config
from probekit.workflows.options import RequestError, RunOptions, with_history
from probekit.workflows.plans import deployment_plans
from probekit.workflows.release import configured_release
from probekit.workflows.verify import execute_run


def verify(environment: str | None, config: Path | None, options: dict[str, Any]) -> int:
    """Carry out one run, from parsed options to its exit code."""
    request, output = _parsed(environment, config, options)
    file, now = state_file(options.get("state", NONE)), datetime.now(UTC)
    request = with_config(request)
    request, stated = _with_variables(request, options["deployed"])
    target, settings = target_key(request), environment_of(request)
    output = replace(output, state=file)
    check_files(output)
    with lock(target, wait=options.get("wait", 0.0)):
        since, note = options.get("since"), ""
        earlier = earlier_run(since, target, now, warn=warn) if since else None
        if stated and earlier and since:
            stated, note = repeated(stated, earlier.mark, since)
        past = load_history(file, target, now, warn=warn, stated=stated, plans=deployment_plans(request))
        known = _remembered(past.history, earlier)
        request = with_history(request, known, Stage(options["stage"]) if options["stage"] else None)
        request = replace(request, notes=(*filter(None, [note]), *past.notes))
        report = _executed(request, output)
        with undisturbed():
            text = reports.load_format("json").text(report)
            document = json.loads(text)
            is_go = report.exit_code == Action.GO.exit_code
            last = last_report(file, target, now, phase=report.run.phase) if output.on_change else None
            is_known = output.on_change and not is_news(last, document)
            is_written = written(report, output, settings.report_mode, silent=(output.quiet and is_go) or is_known)
            # Only after the report is written: an unwritten one must not silence the next run with --on-change.
            if stated and past.is_new and request.url is None and _is_of_the_deployment(report):
                stated = replace(stated, responsible=_as_shown(stated.responsible, report.run))
                record_deployment(file, target, stated, now, warn=warn)
            record_run(file, target, report, document, warn=warn, keep=settings.keep)
            _archived(report, text, past.history, file)
    return exit_code(report, output.exit_codes, is_written=is_written)


def _archived(report: Report, text: str, history: History, file: Path | None) -> None:
    """Archive the run where the environment has an archive."""
    if history.ledger.archive is not None:
        from probekit.workflows.archiving import archive_run  # noqa: PLC0415  # for environments with an archive

        archive_run(report, text, history, file, warn=warn)


def _is_of_the_deployment(report: Report) -> bool:
    """Return whether a stated deployment is recorded: a partial run leaves the record unchanged."""
    return report.run.stage is Stage.AFTER and not report.situation.partial


def _as_shown(named: Responsible, run: Run) -> Responsible:
    """Return the named people as the report shows them: a name that is also a secret is not recorded."""
    return Responsible(
        deployed_by=named.deployed_by and run.deployed_by, reviewed_by=named.reviewed_by and run.reviewed_by
    )


def _remembered(history: History, earlier: EarlierRun | None) -> History:
    """Return what is on record; an earlier report (--since) takes precedence over the state file."""
    if earlier is None:
        return history
    found = earlier.history
    return replace(
        history,
        since=found.since,
        evidence=found.evidence,
        answered=found.answered | history.answered,
        known=found.known,
    )


def _parsed(environment: str | None, config: Path | None, options: dict[str, Any]) -> tuple[RunOptions, Output]:
    if options["quiet"] and options["verbose"]:
        raise RequestError("--quiet and --verbose exclude each other: remove one of them")
    if options["exit_codes"] == "nagios" and (options["quiet"] or options.get("on_change")):
        raise RequestError("--exit nagios prints its line in every run: remove --quiet and --on-change")
    reports = with_stdout(options["reports"], options["exit_codes"])
    request = RunOptions(
        environment=environment,
        config=default_config(config),
        url=options.get("url"),
        ca=options.get("ca"),
        headers=options.get("headers", {}),
        facts=options["facts"],
        selection=Selection(
            phase=options["phase"],
            sections=options["sections"],
            items=options["items"],
            probes=options["probes"],
            quick=options["quick"],
            machine_only=options.get("machine_only", False),
        ),
        release=options["release"],
        responsible=Responsible(deployed_by=options.get("deployed_by"), reviewed_by=options.get("reviewed_by")),
        maintenance=tuple(options.get("maintenance", ())),
        wait_release=options["wait_release"],
        settle=not options["no_settle"],
        strict=options["strict"],
        measure_all=options["measure_all"],
    )
    output = Output(
        reports=reports,
        show=options["show"],
        quiet=options["quiet"],
        on_change=options.get("on_change", False),
        verbose=options["verbose"],
        exit_codes=options["exit_codes"],
    )
    return request, output


def _with_variables(request: RunOptions, given: tuple[datetime, bool] | None) -> tuple[RunOptions, Stated | None]:
    """Return the request with the release and its deployment: by the command line, else by PROBEKIT_ variables."""
    config = loaded(request)
    variables = Variables().completed(config.dotenv.values)
    by_variables = Responsible(
        deployed_by=_person("DEPLOYED_BY", variables.deployed_by),
        reviewed_by=_person("REVIEWED_BY", variables.reviewed_by),
    )
    responsible = request.responsible.completed(by_variables)
    request = replace(request, release=request.release or variables.release, responsible=responsible)
    given = given or (_deployed(variables.deployed) if variables.deployed else None)
    if given is None:
        return request, None
    target = target_of(request, config)
    configured, notes = configured_release(config, target)
    request = replace(request, configured_release=(configured, notes))  # read once: its file may be a pipe
    release = request.release or configured.release
    moment, is_relative = given
    stated = Stated(
        at=moment,
        release=release,
        declared=declared_release(target),
        is_relative=is_relative,
        responsible=responsible,
        identity=configured if configured.release in (None, release) else Identity(),
    )
    return request, stated


def _person(name: str, text: str | None) -> str | None:
    """Return the person that a PROBEKIT_ variable names."""
    try:
        return OneLine().convert(text, None, None) if text else None
    except click.BadParameter as error:
        raise RequestError(f"PROBEKIT_{name}: {error.message}") from None


def _deployed(text: str) -> tuple[datetime, bool]:
    """Return the moment that PROBEKIT_DEPLOYED names."""
    try:
        return Deployed().convert(text, None, None)
    except click.BadParameter as error:
        raise RequestError(f"PROBEKIT_DEPLOYED: {error.message}") from None


def _executed(request: RunOptions, output: Output) -> Report:
    log.configure(level=logging.DEBUG if output.verbose else logging.WARNING)
    with shown_progress(quiet=output.quiet) as progress:
        return asyncio.run(_until_cancelled(request, progress))


async def _until_cancelled(request: RunOptions, progress: RunObserver | None) -> Report:
    """Run; a signal ends it early with what was measured so far."""
    cancellation = Cancellation()
    stop_on_signals(cancellation)
    return await execute_run(request, cancellation=cancellation, observer=progress)
