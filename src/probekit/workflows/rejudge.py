"""An earlier run once more: what was seen then, judged by the limits of now; nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from probekit.config.target import Config
from probekit.judging.decide import decide
from probekit.judging.judge import judge
from probekit.model.report import Report, Run
from probekit.model.verdict import Outcome, Situation
from probekit.planning.selection import Selection
from probekit.reports.json.read import RecordedRun, read_run
from probekit.reports.json.recorded import RecordedFacts, RecordedReport, read_report
from probekit.workflows.assembly import prepare, with_config
from probekit.workflows.options import RequestError, RunOptions


def rejudge(report: Mapping[str, Any], config: Path) -> Report:
    """The report of that run as it would be by this file.

    Raises:
        ConfigError: a file is wrong.
        ReportError: it is no report.
        RequestError: the file does not know its environment, or has nothing of its items in scope.
    """
    found, written = read_run(report), read_report(report)
    situation, environment = found.situation, written.run.environment
    asked = with_config(_options(written, situation, config))
    _, target, unsettled = prepare(asked)
    settling = unsettled.not_applicable.keys() - target.not_applicable.keys()
    left_out = {verdict.item for verdict in written.verdicts if verdict.outcome is Outcome.NOT_APPLICABLE}
    asked = replace(asked, settle=settling.isdisjoint(left_out))
    judged = {verdict.item for verdict in written.verdicts}
    kept = tuple(item.id for item in target.items if item.id in judged)
    if not kept:
        raise RequestError(f"nothing that this run judged is in scope of '{environment}' in {config}")
    loaded, _, planned = prepare(replace(asked, selection=Selection(items=kept)))
    situation = replace(situation, in_scope=len(target.items))
    verdicts = judge(planned, found.attempts, situation)
    return Report(
        run=_run(written.run, found, config, loaded),
        situation=situation,
        checklist=loaded.checklist.full_title,
        items=len(loaded.checklist.items),
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


def _options(written: RecordedReport, situation: Situation, config: Path) -> RunOptions:
    """The options of that run, as far as its plan depends on them, without the wait for the release to settle."""
    expected = situation.release.expected
    return RunOptions(
        environment=written.run.environment,
        config=config,
        stage=situation.stage,
        history=situation.history,
        release=expected[0] if len(expected) == 1 else None,
        settle=False,
    )


def _run(written: RecordedFacts, found: RecordedRun, config: Path, loaded: Config) -> Run:
    return Run(
        id=written.id,
        environment=written.environment,
        base_url=written.base_url,
        stage=found.situation.stage,
        started=written.started,
        seconds=written.seconds,
        version=written.version,
        config_file=str(config),
        config_hash=loaded.digest,
        vantage=written.vantage,
        deployed_by=found.people.deployed_by,
        reviewed_by=found.people.reviewed_by,
        deployment_window=found.people.deployment_window,
        paging=found.people.paging,
        ended_by=written.ended_by,
        notes=(*written.notes, f"judged again by {config}; nothing was measured anew"),
    )
