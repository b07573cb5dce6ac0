"""State the decision and its reason in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from probekit.model.measurement import Reason
from probekit.model.numbers import count
from probekit.model.report import Report
from probekit.model.verdict import Action, Outcome, Served, Verdict
from probekit.reports._support.remedies import is_not_of_the_release
from probekit.reports._support.values import measured, names, phrased, short_id
from probekit.text import words

_COLON: Final = re.compile(": ")
_ALSO: Final = 2  # further items that the sentence names
_UNVERIFIED: Final = (Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_CONFIGURED)


def decision_words(report: Report) -> str:
    """Return the decision in capitals with its deadline; for a partial run also how much of the scope it covers."""
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


def main_reason(report: Report) -> str:
    """Return the reason in short: environment, item, value."""
    action, environment = report.decision.action, report.run.environment
    environment += f", phase {report.run.phase}" if report.run.phase else ""
    if report.run.ended_by:
        return f"{environment}: the run was interrupted by {report.run.ended_by}"
    if action is Action.UNDECIDED:
        return f"{environment}: {report.decision.because[0]}"
    if action is Action.PARTIAL:
        return f"{environment}: {report.decision.because[0]}; not a release decision"
    if action is Action.GO:
        return f"{environment}: {_served(report)}{report.decision.because[0]}"
    return f"{environment}: {_of_release(report) or _worst(report)}"


def further_reasons(report: Report) -> Iterator[str]:
    """Yield the reasons of the decision that neither that sentence nor a list of failures states."""
    first, wrong_version = main_reason(report), report.situation.release.because
    known = {one.because: one for one in reversed(report.verdicts)}
    for reason in report.decision.because:
        about = next((known[end] for end in _ends(reason) if end in known), None)
        if about is None:
            is_first = reason.removeprefix("CONTRADICTION: ") in first
            is_stated = is_first or (wrong_version and reason.endswith(wrong_version))
            yield from () if is_stated else (reason,)
        elif about.outcome is Outcome.FAIL:
            yield reason.removesuffix(f": {about.because}")
    if report.decision.action is Action.ROLLBACK:
        others = [one for one in report.verdicts if is_not_of_the_release(one)]
        yield from [f"a rollback would not fix {names(others)}: investigate there first"] if others else ()


def _ends(reason: str) -> Iterator[str]:
    """Yield what follows each colon of a reason."""
    return (reason[found.end() :] for found in _COLON.finditer(reason))


def _of_release(report: Report) -> str:
    """Return what is wrong with the release itself: a contradiction, or another version; empty otherwise."""
    situation = report.situation
    if situation.contradictions:
        return f"contradiction: {situation.contradictions[0]}"
    return f"wrong version: {situation.release.because}" if situation.release.served is Served.OTHER else ""


def _served(report: Report) -> str:
    release = report.situation.release
    return (
        f"{', '.join(release.versions)} is served, " if release.served is Served.EXPECTED and release.versions else ""
    )


def _worst(report: Report) -> str:
    """Return the most severe item that stops the release, and how many more there are."""
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
    """Return the first few by the last words of their ids, each once, and how many more there are."""
    found = list(dict.fromkeys(map(short_id, verdicts)))
    more = f" and {len(found) - _ALSO} more" if len(found) > _ALSO else ""
    return ", ".join(found[:_ALSO]) + more


def _in_short(verdict: Verdict) -> str:
    """Return the value with its limit where it has a unit, else the probe's summary."""
    if verdict.outcome is not Outcome.FAIL:
        why = verdict.because.removeprefix(f"{verdict.reason}: ")
        return why if verdict.reason in (None, Reason.OVERLOADED) else why.partition("; ")[0]  # what to do follows it
    if phrase := phrased(verdict):
        return phrase
    has_unit = verdict.limit is not None and (verdict.limit.unit or verdict.limit.of == "baseline")
    value = measured(verdict, with_limit=True)
    return value if has_unit and value else verdict.summary or value or verdict.because
