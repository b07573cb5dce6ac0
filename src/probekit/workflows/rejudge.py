"""Judge an earlier run again: its measurements with the current limits; nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from probekit.config import by_url
from probekit.config.target import Config
from probekit.judging.decide import decide
from probekit.judging.judge import judge
from probekit.model.plan import Plan
from probekit.model.report import Report, Run
from probekit.model.verdict import Outcome, Situation
from probekit.planning.selection import Selection
from probekit.probe import ConfiguredKind
from probekit.reports.json.read import RecordedRun, read_run
from probekit.reports.json.recorded import RecordedFacts, RecordedReport, read_report
from probekit.workflows.assembly import load_config, loaded, prepare, with_config
from probekit.workflows.options import RequestError, RunOptions


def is_of_url(report: Mapping[str, Any]) -> bool:
    """Return whether it is the report of a run of `verify --url`.

    Raises:
        ReportError: the document is not a report.
    """
    return _is_of_url(read_report(report))


def _is_of_url(written: RecordedReport) -> bool:
    return written.run.config_file == by_url.FILE


def rejudge(report: Mapping[str, Any], config: Path) -> Report:
    """Return the report of that run with the limits of a file.

    Raises:
        ConfigError: a file is wrong.
        ReportError: the document is not a report.
        RequestError: the file lacks the run's environment, or has none of its items in scope.
    """
    written, known = read_report(report), load_config(config)
    run = written.run
    if _is_of_url(written) and run.environment not in known.environments:
        raise RequestError(
            f"run {run.id} is a run of verify --url, and {config} has no environment '{run.environment}'; "
            "remove --limits to judge it with the built-in limits"
        )
    return _rejudged(read_run(report), written, RunOptions(config=config, config_loaded=known))


def rejudge_url(report: Mapping[str, Any], url: str | None) -> Report:
    """Return the report of a run of `verify --url` with the current built-in limits.

    Args:
        report: names the origin of its URL, not the path.
        url: the whole URL; None if the run was of the origin itself.

    Raises:
        ReportError: the document is not a report.
        RequestError: the URL is wrong, or it is None and the run was of another path.
    """
    written = read_report(report)
    run = written.run
    options = RunOptions(url=url or run.base_url)
    config = loaded(options)
    if url is None and config.digest != run.config_hash:
        raise RequestError(
            f"run {run.id} is a run of verify --url, and its record lacks the URL's path; "
            f"name the whole URL, such as --url {run.base_url}/health"
        )
    return _rejudged(read_run(report), written, replace(options, config_loaded=config))


def _rejudged(found: RecordedRun, written: RecordedReport, source: RunOptions) -> Report:
    """Return the report of a run, judged by the configuration of `source`."""
    situation = found.situation
    asked = with_config(_options(written, situation, source))
    config, target, settled = prepare(asked)
    _, _, unsettled = prepare(replace(asked, settle=False))
    settling = unsettled.not_applicable.keys() - settled.not_applicable.keys()
    left_out = {verdict.item for verdict in written.verdicts if verdict.outcome is Outcome.NOT_APPLICABLE}
    asked = replace(asked, settle=settling.isdisjoint(left_out))
    judged = {verdict.item for verdict in written.verdicts}
    kept = tuple(item.id for item in target.items if item.id in judged)
    if not kept:
        raise RequestError(f"no item that this run judged is in scope of '{target.name}' in {config.path}")
    _, _, planned = prepare(replace(asked, selection=Selection(phase=written.run.phase, items=kept)))
    if source.url is not None:
        planned = _as_recorded(planned, written)
    in_scope = sum(map(Selection(phase=written.run.phase).is_in_phase, target.items))
    situation = replace(situation, in_scope=in_scope)
    verdicts = judge(planned, found.attempts, situation)
    return Report(
        run=_run(written.run, found, config, is_of_url=source.url is not None),
        situation=situation,
        checklist=config.checklist.full_title,
        items=len(config.checklist.items),
        measurements=tuple(
            measurement
            for kept in found.attempts.values()
            for one in kept
            for measurement in one.measurements + one.rechecks
        ),
        verdicts=verdicts,
        decision=decide(verdicts, situation),
        attempts=found.attempts,
        sections=target.checklist.sections,
        criteria=target.checklist.success_criteria,
    )


def _as_recorded(planned: Plan[ConfiguredKind], written: RecordedReport) -> Plan[ConfiguredKind]:
    """Return the plan in which items that did not apply to a URL then, such as https on loopback, do not apply now."""
    recorded = {
        verdict.item: verdict.because for verdict in written.verdicts if verdict.outcome is Outcome.NOT_APPLICABLE
    }
    reasons = {name: recorded[name] for name in planned.uncovered if name in recorded}
    others = {name: why for name, why in planned.uncovered.items() if name not in reasons}
    return replace(planned, not_applicable={**planned.not_applicable, **reasons}, uncovered=others)


def _options(written: RecordedReport, situation: Situation, source: RunOptions) -> RunOptions:
    """Return the options of that run as far as its plan depends on them; its facts where the checklist has them."""
    expected, known = situation.release.expected, loaded(source).checklist.facts
    return replace(
        source,
        environment=written.run.environment,
        stage=situation.stage,
        history=situation.history,
        release=expected[0] if len(expected) == 1 else None,
        settle=True,
        facts={name: is_true for name, is_true in written.run.facts.items() if name in known},
    )


def _run(written: RecordedFacts, found: RecordedRun, config: Config, *, is_of_url: bool) -> Run:
    return Run(
        id=written.id,
        environment=written.environment,
        base_url=written.base_url,
        stage=found.situation.stage,
        started=written.started,
        seconds=written.seconds,
        version=written.version,
        config_file=str(config.path),
        config_hash=config.digest,
        vantage=written.vantage,
        phase=written.phase,
        facts=written.facts,
        subject=written.subject,
        deployed_by=found.people.deployed_by,
        reviewed_by=found.people.reviewed_by,
        deployment_window=found.people.deployment_window,
        paging=found.people.paging,
        ended_by=written.ended_by,
        is_of_url=is_of_url,
        notes=(*written.notes, f"judged again with the limits of {config.path}; nothing was measured"),
    )
