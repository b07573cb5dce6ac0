"""The report for a person: the decision and its reason first, then what is not green, then what to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from probekit.drawing import Line
from probekit.model.limit import Limit
from probekit.model.report import Report
from probekit.model.verdict import Action, Control, Flag, Outcome, Served, Verdict
from probekit.reports import PLAIN, Format, View
from probekit.reports.console.not_green import names, not_green
from probekit.text import moment, paragraph, words

_COLOURS: Final = {
    Action.GO: "32",
    Action.PARTIAL: "32",
    Action.HOLD: "33",
    Action.INVESTIGATE: "33",
    Action.NO_GO: "31",
    Action.ROLLBACK: "31",
    Action.UNDECIDED: "35",
}
_NEXT: Final = {
    Action.GO: "go on.",
    Action.PARTIAL: "go on, but not with the release: that takes a run of the whole scope.",
    Action.HOLD: "get the signature of {owners}, then verify again.",
    Action.NO_GO: "do not deploy; {owners} must mend what failed; then verify again.",
    Action.ROLLBACK: "roll back to the previous release now, then verify it with --stage rolled-back.",
    Action.UNDECIDED: "take this for neither a go nor a rollback; do what the first reason says.",
}
_REASONS: Final = 5  # that stand at the top; the rest is in the lists below it


def render(report: Report, view: View = PLAIN) -> str:
    """Text of at most that many columns, unless one word is longer."""
    width, colour = view.width, view.colour
    reasons = report.decision.because[:_REASONS]
    first, *rest = _laid_out(_head(report, reasons), width)
    last = f"{report.decision.action.word}, exit code {report.exit_code}"
    if colour:
        first, last = (f"\x1b[1;{_COLOURS[report.decision.action]}m{line}\x1b[0m" for line in (first, last))
    blocks = (
        [first, *rest],
        _laid_out(not_green(report, reasons), width),
        _laid_out(_sections(report), width),
        _laid_out(_own_checks(report), width),
        _laid_out(_account(report), width),
        _laid_out(_notes(report), width),
        [*_laid_out([Line(f"Next: {_next(report)}")], width), last],
    )
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _laid_out(lines: Iterable[Line], width: int) -> list[str]:
    """Every line of the report is escaped and wrapped here."""
    laid = (paragraph(text, width=width, indent=" " * at, hanging=" " * (at + 2)) for text, at, *_ in lines)
    return [line for lines_of_one in laid for line in lines_of_one]


def _head(report: Report, reasons: Sequence[str]) -> Iterator[Line]:
    """What was decided, why, and of what: all that a glance should need."""
    decision, run, release = report.decision, report.run, report.situation.release
    signal = f" ({run.ended_by})" if run.ended_by else ""
    yield Line(f"{_headline(report)}, exit code {report.exit_code}{signal}{_urgency(report)}: {run.environment}")
    for reason in reasons:
        yield Line(reason, 2)
    if more := len(decision.because) - len(reasons):
        yield Line(f"and {more} more, in the lists below", 2)
    version = " or ".join(release.expected) or ", ".join(release.versions) or "unknown"
    vantage = f", seen from {run.vantage}" if run.vantage else ""
    yield Line(f"release {version}, stage {run.stage}{vantage}, by {run.config_file}")


def _headline(report: Report) -> str:
    """The decision in capitals; of a run that looked at a part, how much of the scope that was."""
    action, in_scope = report.decision.action, report.situation.in_scope
    count = f"partial run, {len(report.verdicts)} of {in_scope} items"
    if action is Action.PARTIAL:
        return f"PASS ({count}): not a release decision"
    return words(action.word).upper() + (f" ({count})" if report.situation.partial else "")


def _urgency(report: Report) -> str:
    action, minutes = report.decision.action, report.decision.minutes
    if action is Action.ROLLBACK:
        return ", now"
    if action is not Action.INVESTIGATE or minutes is None:
        return ""
    return f", {minutes:.0f} min left" if minutes >= 1 else ", page somebody now"


def _sections(report: Report) -> Iterator[Line]:
    counts: dict[str, Counter[Outcome]] = defaultdict(Counter)
    for verdict in report.verdicts:
        if not verdict.item.is_own:
            counts[verdict.item.section][verdict.outcome] += 1
    column = max((len(section) for section in counts), default=0)
    for section, outcomes in counts.items():
        summary = ", ".join(f"{outcomes[outcome]} {words(outcome)}" for outcome in Outcome if outcomes[outcome])
        yield Line(f"{section:<{column}}  {summary}")


def _own_checks(report: Report) -> Iterator[Line]:
    """Each check of the user's own, with what it read."""
    if report.own_checks:
        yield Line(f"own checks: {len(report.own_checks)}")
    for verdict in report.own_checks:
        yield Line(f"{verdict.item.probe}  {words(verdict.outcome)}: {verdict.because}", 2)


def _account(report: Report) -> Iterator[Line]:
    counts = dict(report.account)
    items = counts.pop("items")
    if not items:
        return
    yield Line(f"{items} items = " + " + ".join(f"{count} {words(word)}" for word, count in counts.items() if count))


def _notes(report: Report) -> Iterator[Line]:
    """What is green and yet not plain, and what the run rests on."""
    for verdict in report.verdicts:
        yield from _of_one(verdict)
    if reported := [verdict for verdict in report.verdicts if Flag.REPORTED in verdict.flags]:
        yield Line(f"reported by a program, not measured: {', '.join(one.item.id for one in reported)}")
    exempt: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in report.verdicts:
        if verdict.outcome is Outcome.NOT_APPLICABLE:
            exempt[verdict.because].append(verdict)
    for because, verdicts in exempt.items():
        yield Line(f"not applicable: {names(verdicts)}: {because}")
    yield from _situation(report)
    run = report.run
    for note in run.notes:
        yield Line(f"note: {note}")
    took = f"{run.seconds:.1f} s from {moment(run.started)}"
    yield Line(f"run {run.id}: {took}, {report.checklist}, probekit {run.version}")


def _of_one(verdict: Verdict) -> Iterator[Line]:
    item = verdict.item
    if Flag.CHANGED in verdict.flags:
        limits = f"{_all(item.expect)} here, {_all(item.changed_from)} in the checklist"
        given_up = {limit.metric for limit in item.changed_from} - {limit.metric for limit in item.expect}
        dropped = f"; without a limit here: {', '.join(sorted(given_up))}" if given_up else ""
        yield Line(f"changed limit: {item.id}: {limits}{dropped}; why: {item.changed_reason}")
    if Flag.FLAKY in verdict.flags and verdict.outcome is Outcome.PASS:
        yield Line(f"flaky pass: {item.id}: {verdict.because}")
    if verdict.outcome is Outcome.WAIVED:
        yield Line(f"waived: {item.id}: {verdict.because}")


def _all(limits: Sequence[Limit]) -> str:
    return " and ".join(str(limit) for limit in limits)


def _situation(report: Report) -> Iterator[Line]:
    situation = report.situation
    if situation.release.because:
        yield Line(f"release: {situation.release.because}")
    yield from (Line(f"maintenance: {window}") for window in report.maintenance)
    if report.to_call:
        yield Line(f"call: {'; '.join(map(str, report.to_call))}")
    yield Line(f"control: {'none configured' if situation.control is Control.NONE else situation.control}")
    if situation.runner and situation.runner.is_strained:
        yield Line(f"this machine was strained, so durations may be ours: {situation.runner}")
    deployment = situation.history.deployment
    if deployment is None:
        yield Line("deployment on record: none")
        return
    mark = "finished" if deployment.finished else "not finished, started"
    ago = (situation.now - deployment.mark).total_seconds() / 60
    release = f"{deployment.release}, " if deployment.release else ""
    yield Line(f"deployment on record: {release}{mark} {moment(deployment.mark)}, {ago:.0f} min ago")


def _next(report: Report) -> str:
    """What to do now, for somebody who was asleep a minute ago."""
    action, minutes = report.decision.action, report.decision.minutes or 0
    owners = _owners(report, Outcome.PENDING if action is Action.HOLD else Outcome.FAIL)
    if action is not Action.INVESTIGATE:
        waiting = action is Action.GO and any(not verdict.outcome.is_settled for verdict in report.verdicts)
        return _NEXT[action].format(owners=owners) + (" The follow-ups above can wait." if waiting else "")
    if report.situation.release.served is Served.OTHER:
        return "find out why another version is served, before anything else; then verify again."
    if not owners and all(verdict.outcome.is_settled for verdict in report.verdicts):
        return "verify again, with the whole scope."
    if not owners:
        return (
            f"nothing grave failed, but not every item is verified: fix that in {minutes:.0f} min; then verify again."
        )
    if minutes < 1:
        return f"page {owners} now: mend it, or decide by hand whether to roll back; then verify again."
    return f"tell {owners}: {minutes:.0f} min to find out why; then verify again."


def _owners(report: Report, outcome: Outcome) -> str:
    """Whose the items are that stop the release."""
    found = [one.item.owner for one in report.verdicts if one.outcome is outcome and not one.is_follow_up]
    return " and ".join(dict.fromkeys(found))


FORMAT = Format(name="console", render=render)
