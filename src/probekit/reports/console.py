"""The report for a person: the decision and its reason first, then what is not green, then the account."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from probekit.model import Action, Flag, Outcome, Report, Severity, Verdict
from probekit.reports.text import escape, paragraph

_COLOURS: Final = {
    Action.GO: "32",
    Action.HOLD: "33",
    Action.INVESTIGATE: "33",
    Action.NO_GO: "31",
    Action.ROLLBACK: "31",
    Action.UNDECIDED: "35",
}
_WORDS: Final = {Action.NO_GO: "no go"}
_NEXT: Final = {
    Action.GO: "Go on.",
    Action.HOLD: "Get the missing signatures, then verify again.",
    Action.INVESTIGATE: "Look at what failed or is unproven above, then verify again.",
    Action.NO_GO: "Do not deploy; mend what failed, then verify again.",
    Action.ROLLBACK: "Roll back now, then verify with --stage rolled-back.",
    Action.UNDECIDED: "Nothing was decided: mend the runner or its network, then verify again.",
}
_LONG: Final = 3  # items without a probe that are still named one by one


def render(report: Report, *, colour: bool = False, width: int = 80) -> str:
    """Plain text of at most `width` columns, unless one word is longer."""
    blocks = [
        list(_head(report, colour=colour, width=width)),
        list(_not_green(report, width)),
        list(_to_know(report, width)),
        list(_sections(report)),
        list(_account(report, width)),
        [*paragraph(_next(report), width=width), _last(report, colour=colour)],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _word(report: Report) -> str:
    action = report.decision.action
    return _WORDS.get(action, action.word)


def _painted(text: str, report: Report, *, colour: bool) -> str:
    return f"\x1b[1;{_COLOURS[report.decision.action]}m{text}\x1b[0m" if colour else text


def _head(report: Report, *, colour: bool, width: int) -> Iterator[str]:
    minutes = report.decision.minutes
    left = "" if minutes is None else ", now" if not minutes else f", {minutes:.0f} min left"
    yield _painted(_word(report).upper(), report, colour=colour) + f"{left}: {escape(report.run.environment)}"
    for reason in report.decision.because:
        yield from paragraph(reason, width=width, indent="  ", hanging="    ")


def _not_green(report: Report, width: int) -> Iterator[str]:
    """Failed and unproven items, the gravest first; what no probe serves only in numbers."""
    order = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.PENDING)
    found = [verdict for verdict in report.verdicts if verdict.outcome in order]
    for verdict in sorted(found, key=lambda one: (order.index(one.outcome), -one.severity.gravity)):
        yield from _line(verdict, width)
    yield from _unserved([verdict for verdict in report.verdicts if verdict.outcome is Outcome.NOT_CONFIGURED], width)


def _line(verdict: Verdict, width: int) -> Iterator[str]:
    flags = "".join(f", {flag.value}" for flag in sorted(verdict.flags))
    yield f"{verdict.outcome.value:<14}{verdict.item.id} ({verdict.severity}{flags})"
    yield from paragraph(verdict.because, width=width, indent=" " * 14)


def _unserved(verdicts: Sequence[Verdict], width: int) -> Iterator[str]:
    if len(verdicts) <= _LONG:
        for verdict in verdicts:
            yield from _line(verdict, width)
        return
    counts = Counter(verdict.severity for verdict in verdicts)
    told = ", ".join(f"{counts[severity]} {severity.value}" for severity in Severity if counts[severity])
    yield f"not configured  {len(verdicts)} items: {told}"
    missing = Counter(verdict.item.probe for verdict in verdicts)
    probes = ", ".join(f"{name} {count}" if count > 1 else f"{name}" for name, count in missing.most_common())
    yield from paragraph(f"probes: {probes}", width=width, indent=" " * 14)


def _to_know(report: Report, width: int) -> Iterator[str]:
    """What is green and yet not plain, and what the run rests on."""
    for verdict in report.verdicts:
        if verdict.outcome is Outcome.PASS and Flag.FLAKY in verdict.flags:
            yield from paragraph(f"flaky: {verdict.item.id}: {verdict.because}", width=width, hanging="  ")
        if Flag.CHANGED in verdict.flags:
            before = " and ".join(str(limit) for limit in verdict.item.changed_from)
            now = " and ".join(str(limit) for limit in verdict.item.expect)
            text = f"changed: {verdict.item.id}: {now}, the checklist says {before}: {verdict.item.changed_why}"
            yield from paragraph(text, width=width, hanging="  ")
        if verdict.outcome is Outcome.NOT_APPLICABLE:
            yield from paragraph(f"not applicable: {verdict.item.id}: {verdict.because}", width=width, hanging="  ")
    yield from paragraph(f"control: {report.situation.control.value}", width=width, hanging="  ")
    if report.situation.release.because:
        yield from paragraph(f"release: {report.situation.release.because}", width=width, hanging="  ")
    if deployment := report.situation.memory.deployment:
        name = f" of {deployment.release}" if deployment.release else ""
        yield from paragraph(f"deployment{name} on record: {deployment.mark:%Y-%m-%d %H:%M:%S} UTC", width=width)
    for note in report.run.notes:
        yield from paragraph(f"note: {note}", width=width, hanging="  ")


def _sections(report: Report) -> Iterator[str]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for verdict in report.verdicts:
        counts[verdict.item.section][verdict.outcome.value] += 1
    for section, outcomes in counts.items():
        yield f"{section:<22}" + ", ".join(f"{count} {word.replace('_', ' ')}" for word, count in outcomes.items())


def _account(report: Report, width: int) -> Iterator[str]:
    account = report.account
    parts = ", ".join(
        f"{count} {word.replace('_', ' ')}" for word, count in account.items() if word != "items" and count
    )
    yield from paragraph(f"of {account['items']} items: {parts}", width=width, hanging="  ")
    if report.run.narrowed:
        yield from paragraph("narrowed: this run speaks of its own items only, it is no go of the release", width=width)
    run = report.run
    vantage = f", from {run.vantage}" if run.vantage else ""
    text = f"run {run.id} of {run.config_file}{vantage}, stage {run.stage.value}, {run.seconds:.1f} s, probekit {run.version}"
    yield from paragraph(text, width=width, hanging="  ")


def _next(report: Report) -> str:
    if report.run.ended_by:
        return f"Ended by {report.run.ended_by}. {_NEXT[Action.UNDECIDED]}"
    if report.decision.action is Action.INVESTIGATE and report.decision.minutes == 0:
        return "Call somebody now: this does not wait. Look at what failed above, then verify again."
    return _NEXT[report.decision.action]


def _last(report: Report, *, colour: bool) -> str:
    return _painted(_word(report), report, colour=colour) + f", exit code {report.exit_code}"
