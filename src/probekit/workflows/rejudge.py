"""Judge an earlier run again: its measurements with the current limits; nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from probekit.judging.decide import decide
from probekit.judging.judge import judge
from probekit.model.plan import Plan
from probekit.model.report import Report
from probekit.model.verdict import Outcome
from probekit.planning.selection import Selection
from probekit.probe import ConfiguredKind
from probekit.reports.json.report import report_from
from probekit.workflows.assembly import load_config, loaded, prepare, with_config
from probekit.workflows.documents import places_of
from probekit.workflows.options import RequestError, RunOptions


def is_of_url(report: Mapping[str, Any]) -> bool:
    """Return whether it is the report of a run of `verify --url`.

    Raises:
        ReportError: the document is not a report.
    """
    return report_from(report).run.is_of_url


def rejudge(report: Mapping[str, Any], config: Path) -> Report:
    """Return the report of that run with the limits of a file.

    Raises:
        ConfigError: a file is wrong.
        ReportError: the document is not a report.
        RequestError: the file lacks the run's environment, or has none of its items in scope.
    """
    earlier, known = report_from(report), load_config(config)
    run = earlier.run
    if run.is_of_url and run.environment not in known.environments:
        raise RequestError(
            f"run {run.id} is a run of verify --url, and {config} has no environment '{run.environment}'; "
            "remove --limits to judge it with the built-in limits"
        )
    return _rejudged(earlier, RunOptions(config=config, config_loaded=known))


def rejudge_url(report: Mapping[str, Any], url: str | None) -> Report:
    """Return the report of a run of `verify --url` with the current built-in limits.

    Args:
        report: names the origin of its URL, not the path.
        url: the whole URL; None if the run was of the origin itself.

    Raises:
        ReportError: the document is not a report.
        RequestError: the URL is wrong, or it is None and the run was of another path.
    """
    earlier = report_from(report)
    run = earlier.run
    options = RunOptions(url=url or run.base_url)
    config = loaded(options)
    if url is None and config.digest != run.config_hash:
        raise RequestError(
            f"run {run.id} is a run of verify --url, and its record lacks the URL's path; "
            f"name the whole URL, such as --url {run.base_url}/health"
        )
    return _rejudged(earlier, replace(options, config_loaded=config))


def _rejudged(earlier: Report, source: RunOptions) -> Report:
    """Return the report of a run, judged by the configuration of `source`."""
    situation, phase = earlier.situation, earlier.run.phase
    asked = with_config(_options(earlier, source))
    config, target, settled = prepare(asked)
    _, _, unsettled = prepare(replace(asked, settle=False))
    settling = unsettled.not_applicable.keys() - settled.not_applicable.keys()
    left_out = {verdict.item.id for verdict in earlier.verdicts if verdict.outcome is Outcome.NOT_APPLICABLE}
    asked = replace(asked, settle=settling.isdisjoint(left_out))
    judged = {verdict.item.id for verdict in earlier.verdicts}
    kept = tuple(item.id for item in target.items if item.id in judged)
    if not kept:
        raise RequestError(f"no item that this run judged is in scope of '{target.name}' in {config.path}")
    _, _, planned = prepare(replace(asked, selection=Selection(phase=phase, items=kept)))
    if source.url is not None:
        planned = _as_recorded(planned, earlier)
    in_scope = sum(map(Selection(phase=phase).is_in_phase, target.items))
    situation = replace(situation, in_scope=in_scope)
    verdicts = judge(planned, earlier.attempts, situation)
    note = f"judged again with the limits of {config.path}; nothing was measured"
    return replace(
        earlier,
        run=replace(
            earlier.run, config_file=str(config.path), config_hash=config.digest, notes=(*earlier.run.notes, note)
        ),
        situation=situation,
        checklist=config.checklist.full_title,
        items=len(config.checklist.items),
        verdicts=verdicts,
        decision=decide(verdicts, situation),
        evidence={},
        document=target.checklist.document,
        criteria=target.checklist.success_criteria,
        places={} if source.url is not None else places_of(config, target),
    )


def _as_recorded(planned: Plan[ConfiguredKind], earlier: Report) -> Plan[ConfiguredKind]:
    """Return the plan in which items that did not apply to a URL then, such as https on loopback, do not apply now."""
    recorded = {
        verdict.item.id: verdict.because for verdict in earlier.verdicts if verdict.outcome is Outcome.NOT_APPLICABLE
    }
    reasons = {name: recorded[name] for name in planned.uncovered if name in recorded}
    others = {name: why for name, why in planned.uncovered.items() if name not in reasons}
    return replace(planned, not_applicable={**planned.not_applicable, **reasons}, uncovered=others)


def _options(earlier: Report, source: RunOptions) -> RunOptions:
    """Return the options of that run as far as its plan depends on them; its facts where the checklist has them."""
    run, situation = earlier.run, earlier.situation
    expected, known = situation.release.expected, loaded(source).checklist.facts
    return replace(
        source,
        environment=run.environment,
        stage=situation.stage,
        history=situation.history,
        release=expected[0] if len(expected) == 1 else None,
        settle=True,
        facts={name: is_true for name, is_true in run.facts.items() if name in known},
    )
