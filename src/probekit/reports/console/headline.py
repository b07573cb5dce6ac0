"""The first lines: the decision and its reason in one sentence, then what it rests on and of what it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from probekit.drawing import Line, Style
from probekit.model.measurement import Reason
from probekit.model.numbers import count
from probekit.model.report import Report
from probekit.model.verdict import Action, Outcome, Served, Verdict
from probekit.reports.console.remedies import is_not_of_the_release
from probekit.reports.console.values import measured, names, short_id
from probekit.text import words

STYLES: Final[dict[Action, Style]] = {
    Action.GO: "good",
    Action.PARTIAL: "good",
    Action.HOLD: "warn",
    Action.INVESTIGATE: "warn",
    Action.NO_GO: "bad",
    Action.ROLLBACK: "bad",
    Action.UNDECIDED: "odd",
}
_REASONS: Final = 5  # that stand at the top; the rest is in the lists below
_ALSO: Final = 2  # further items that the first line names
_UNVERIFIED: Final = (Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_CONFIGURED)


def head(report: Report) -> Iterator[Line]:
    """The decision with its reason, why it is that decision, and which release and target it is about."""
    action = report.decision.action
    yield Line(f"{_decision(report)}: {_reason(report)}", style=STYLES[action])
    reasons = list(_further(report))
    yield from (Line(reason, 2) for reason in reasons[:_REASONS])
    if len(reasons) > _REASONS:
        yield Line(f"and {len(reasons) - _REASONS} more, in the lists below", 2)
    yield from (Line(f"maintenance: {window}", 2) for window in report.maintenance)
    if report.to_call:
        yield Line(f"call: {'; '.join(map(str, report.to_call))}", 2, "strong")
    yield Line(_subject(report), style="faint")


def _decision(report: Report) -> str:
    """The decision in capitals, with how soon; of a partial run how much of the scope it covers."""
    action, minutes, situation = report.decision.action, report.decision.minutes, report.situation
    if action is Action.PARTIAL:
        return "PASS (partial run)"
    part = f" (partial run, {len(report.verdicts)} of {count(situation.in_scope, 'item')})" if situation.partial else ""
    if action is Action.ROLLBACK:
        return f"ROLLBACK NOW{part}"
    soon = ""
    if action is Action.INVESTIGATE and minutes is not None:
        soon = f" within {minutes:.0f} min" if minutes >= 1 else " NOW"
    return f"{words(action.word).upper()}{soon}{part}"


def _reason(report: Report) -> str:
    """The reason as one says it on the telephone: where, what, and how much."""
    action, environment = report.decision.action, report.run.environment
    if report.run.ended_by:
        return f"{environment}: the run was ended by {report.run.ended_by} before it was over"
    if action is Action.UNDECIDED:
        return f"{environment}: {report.decision.because[0]}"
    if action is Action.PARTIAL:
        return f"{environment}: {report.decision.because[0]}; this is no release decision"
    if action is Action.GO:
        return f"{environment}: {_served(report)}{report.decision.because[0]}"
    if report.situation.release.served is Served.OTHER:
        return f"{environment}: wrong version: {report.situation.release.because}"
    return f"{environment}: {_worst(report)}"


def _served(report: Report) -> str:
    release = report.situation.release
    return (
        f"{', '.join(release.versions)} is served, " if release.served is Served.EXPECTED and release.versions else ""
    )


def _worst(report: Report) -> str:
    """The gravest of what stops the release, and how many more there are."""
    stopping = [one for one in report.verdicts if not (one.outcome.is_settled or one.is_follow_up)]
    for outcomes, verb in (
        ((Outcome.FAIL,), "failed"),
        (_UNVERIFIED, "not verified"),
        ((Outcome.PENDING,), "unsigned"),
    ):
        found = sorted((one for one in stopping if one.outcome in outcomes), key=lambda one: -one.severity.gravity)
        if found:
            return _named(found, verb)
    return report.decision.because[0]


def _named(found: Sequence[Verdict], verb: str) -> str:
    first, more = found[0], len(found) - 1
    others = f" (also {_short(found[1:])})" if more else ""
    if first.outcome is Outcome.PENDING:
        owners = ", ".join(dict.fromkeys(one.item.owner for one in found))
        return f"{count(len(found), 'signature')} missing: {owners}"
    if first.outcome is Outcome.NOT_CONFIGURED:
        return f"{count(len(found), 'item')} not verified; {short_id(first)} is not configured"
    return f"{short_id(first)} {verb}: {_in_short(first)}{others}"


def _short(verdicts: Sequence[Verdict]) -> str:
    """The first few by the last words of their ids, each once, and how many more there are."""
    found = list(dict.fromkeys(map(short_id, verdicts)))
    more = f" and {len(found) - _ALSO} more" if len(found) > _ALSO else ""
    return ", ".join(found[:_ALSO]) + more


def _in_short(verdict: Verdict) -> str:
    """The value with its limit where it has a unit, else what the probe says of it."""
    if verdict.outcome is not Outcome.FAIL:
        why = verdict.because.removeprefix(f"{verdict.reason}: ")
        return why if verdict.reason in (None, Reason.OVERLOADED) else why.partition("; ")[0]  # then comes what to do
    has_unit = verdict.limit is not None and (verdict.limit.unit or verdict.limit.of == "baseline")
    value = measured(verdict, with_limit=True)
    return value if has_unit and value else verdict.summary or value or verdict.because


def _further(report: Report) -> Iterator[str]:
    """The reasons of the decision without what stands in the first line, or in full in the lists below."""
    first, wrong_version = _reason(report), report.situation.release.because
    for reason in report.decision.because:
        about = next((one for one in report.verdicts if reason.endswith(f": {one.because}")), None)
        if about is None:
            is_said = reason in first or (wrong_version and reason.endswith(wrong_version))
            yield from () if is_said else (reason,)
        elif about.outcome is Outcome.FAIL:
            yield reason.removesuffix(f": {about.because}")
    if report.decision.action is Action.ROLLBACK:
        others = [one for one in report.verdicts if is_not_of_the_release(one)]
        yield from [f"rolling back would not mend {names(others)}: investigate there first"] if others else ()


def _subject(report: Report) -> str:
    """Which release of which target was verified, at which stage, from where and by which file."""
    run, release = report.run, report.situation.release
    expected = " or ".join(release.expected)
    version = ", ".join(release.versions) or "unknown"
    if expected and release.served is not Served.EXPECTED:
        version += f" (expected {expected})"
    vantage = f", seen from {run.vantage}" if run.vantage else ""
    return f"release {version} at {run.base_url}, stage {run.stage}{vantage}, by {run.config_file}"
