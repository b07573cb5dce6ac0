"""Write the first lines: the decision with its reason in one sentence, further reasons, and the subject."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from probekit.drawing import Line, Style
from probekit.model.report import Report
from probekit.model.verdict import Action, Stage
from probekit.reports._support.decision import decision_words, further_reasons, main_reason
from probekit.reports._support.facts import served_text

STYLES: Final[dict[Action, Style]] = {
    Action.GO: "good",
    Action.PARTIAL: "good",
    Action.HOLD: "warn",
    Action.INVESTIGATE: "warn",
    Action.NO_GO: "bad",
    Action.ROLLBACK: "bad",
    Action.UNDECIDED: "odd",
}
_REASONS: Final = 5  # at the top; the others are in the lists below


def head(report: Report) -> Iterator[Line]:
    """Yield the decision with its reason, further reasons, and the release and target."""
    action = report.decision.action
    yield Line(f"{decision_words(report)}: {main_reason(report)}", style=STYLES[action])
    reasons = list(further_reasons(report))
    yield from (Line(reason, 2) for reason in reasons[:_REASONS])
    if len(reasons) > _REASONS:
        yield Line(f"and {len(reasons) - _REASONS} more, in the lists below", 2)
    yield from (Line(f"maintenance: {window}", 2) for window in report.maintenance)
    if report.to_call:
        yield Line(f"call: {'; '.join(map(str, report.to_call))}", 2, "strong")
    yield Line(_subject(report), style="faint")


def _subject(report: Report) -> str:
    """Return the served release, the target, stage and phase of the run, the release it is about, vantage and file."""
    run, version = report.run, served_text(report)
    identity, stage = report.situation.identity, str(run.stage) + (f", phase {run.phase}" if run.phase else "")
    if run.stage is Stage.BEFORE:  # another release than the served one
        stage += f", for {identity}" if str(identity) else ""
    elif facts := str(replace(identity, release=None)):
        version += f", {facts}"
    vantage = f", seen from {run.vantage}" if run.vantage else ""
    return f"release {version} at {run.base_url}, stage {stage}{vantage}, by {run.config_file}"
