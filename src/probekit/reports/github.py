"""Write annotations for a job of GitHub Actions, and the checklist in the summary of its step.

An annotation is a workflow command, one line that the runner reads: `::error file=F,line=N,title=T::message`. The
runner reads `::` at the beginning of a line, and the older `##[` anywhere in any other line
(ActionCommand.cs of actions/runner). Here each line is a command, and no text has a line break of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Final, Literal
from urllib.parse import unquote

from probekit.model.document import Place
from probekit.model.numbers import count
from probekit.model.report import Report
from probekit.model.verdict import Outcome, Verdict
from probekit.reports import PLAIN, Format, Location, View, markdown
from probekit.reports._support.bounded import cut
from probekit.reports._support.decision import decision_words, main_reason
from probekit.reports._support.facts import facts
from probekit.reports._support.next_step import next_step
from probekit.reports._support.remedies import remedy
from probekit.reports._support.values import changed_limit, evidence
from probekit.text import escape, words

_MOST: Final = 10  # annotations of each type that the runner takes from a step (ExecutionContext.cs)
_TITLE: Final = 200  # characters; GitHub takes 255
_FACT: Final = 120  # characters of one fact; the runner cuts a message after 4,096
_TEXT: Final = 600
_IN_MESSAGE: Final = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))  # in this order: escapeData of @actions/core
_IN_PROPERTY: Final = (*_IN_MESSAGE, (":", "%3A"), (",", "%2C"))  # escapeProperty

Locate = Callable[[Place], Location]
Level = Literal["error", "warning", "notice"]


def render(report: Report, view: View = PLAIN) -> str:
    """Return a command for the decision, and one for each verdict that is not settled, the most severe first.

    What rules out a go is an error, what can wait a warning, and a go itself a notice.
    """
    located = cache(view.located)
    opened = sorted((one for one in report.verdicts if not one.outcome.is_settled), key=_order)
    errors = [one for one in opened if report.bars_go(one)]
    warnings = [one for one in opened if not report.bars_go(one)]
    level: Level = "error" if report.exit_code else "notice"
    lines = [
        _command(level, f"probekit: {decision_words(report)}", _decision(report)),
        *_annotations("error", errors, report, located, most=_MOST - (level == "error")),
        *_annotations("warning", warnings, report, located, most=_MOST),
    ]
    return "\n".join(lines) + "\n"


def summary(report: Report, view: View = PLAIN) -> str:
    """Return the Markdown report, apart from what the step has written before."""
    return f"\n{markdown.render(report, view)}"


def _order(verdict: Verdict) -> tuple[int, bool]:
    return -verdict.severity.gravity, verdict.outcome is not Outcome.FAIL


def _decision(report: Report) -> Sequence[str]:
    """Return the lines of the message: the reason, what to do, and the facts of the run."""
    stated = [f"{label}: {cut(text, _FACT)}" for label, text in facts(report) if label not in {"decision", "reason"}]
    return (cut(main_reason(report), _TEXT), f"next: {cut(next_step(report), _TEXT)}", *stated)


def _annotations(
    level: Level, verdicts: Sequence[Verdict], report: Report, located: Locate, *, most: int
) -> Iterator[str]:
    """Yield the commands of one type; where there are more than GitHub shows, the last one has their number."""
    shown = verdicts if len(verdicts) <= most else verdicts[: most - 1]
    for verdict in shown:
        yield _command(level, _title(verdict), _lines(verdict, report), _place(verdict, report, located))
    if more := verdicts[len(shown) :]:
        named = ", ".join(one.item.id for one in more[:_MOST])
        title = f"probekit: {count(len(more), 'item')} more"
        yield _command(level, title, (cut(named, _TEXT), "the summary of the step and the JSON report have them all"))


def _title(verdict: Verdict) -> str:
    return f"{words(verdict.outcome)}: {verdict.item.id} ({verdict.severity})"


def _lines(verdict: Verdict, report: Report) -> Sequence[str]:
    """Return the lines of the message: the item, its value and limit with the evidence, and what to do."""
    stated = (
        ("", verdict.item.title),
        ("", evidence(verdict)),
        ("changed limit: ", changed_limit(verdict)),
        ("flags: ", ", ".join(map(words, sorted(verdict.flags)))),
        ("do: ", remedy(verdict, report)),
        ("owner: ", verdict.item.owner),
    )
    return [f"{label}{line}" for label, text in stated if (line := cut(text, _TEXT))]


def _place(verdict: Verdict, report: Report, located: Locate) -> dict[str, str]:
    """Return the line of the table that configures the probe, or of its environment, where its file is in the folder.

    GitHub shows an annotation at a file of the repository only, and takes a relative path as one.
    """
    place = report.places.get(verdict.item.probe or "") or report.places.get("")
    if place is None:
        return {}
    location = located(place)
    path = unquote(location.uri)
    is_inside = not (path.startswith(("/", "file:")) or ".." in path.split("/"))
    return {"file": path, "line": str(location.line)} if is_inside and path and escape(path) == path else {}


def _command(level: Level, title: str, lines: Sequence[str], place: dict[str, str] | None = None) -> str:
    properties = {**(place or {}), "title": cut(title, _TITLE)}
    written = ",".join(f"{name}={_escaped(text, _IN_PROPERTY)}" for name, text in properties.items())
    return f"::{level} {written}::{_escaped(chr(10).join(lines), _IN_MESSAGE)}"


def _escaped(text: str, replacements: Sequence[tuple[str, str]]) -> str:
    for character, code in replacements:
        text = text.replace(character, code)
    return text


FORMAT = Format(
    name="github",
    help="a job of GitHub Actions: annotations, and the checklist in the summary of its step",
    render=render,
    appended={"GITHUB_STEP_SUMMARY": summary},
)
