"""Fill the page of a report: what the template shows, in its order."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from probekit.model.numbers import ago, number
from probekit.model.report import Report
from probekit.model.success import CriterionResult, CriterionState
from probekit.model.verdict import Action, Outcome, Verdict
from probekit.reports import View
from probekit.reports._support.criteria import why_not_met
from probekit.reports._support.decision import decision_words, further_reasons, main_reason
from probekit.reports._support.facts import account_text, facts, served_text
from probekit.reports._support.next_step import next_step
from probekit.reports._support.outline import Line, Section, phases_of
from probekit.reports._support.remedies import remedy, why
from probekit.reports._support.values import changed_limit, evidence, held_to, measured
from probekit.reports.html.baseline import baselines, title_of
from probekit.reports.html.latency import latencies
from probekit.reports.html.styles import OF_ACTION, OF_CRITERION, OF_OUTCOME, style_of
from probekit.reports.html.timeline import timeline
from probekit.reports.html.trend import trend
from probekit.text import escape, moment, words

_FOLDER: Final = Path(__file__).parent
_LONGEST: Final = 2_000  # characters of one text
_NOT_VERIFIED: Final = (Outcome.ERROR, Outcome.INCONCLUSIVE)
_CAN_WAIT: Final = "Can wait"
_AT_TOP: Final = 60  # verdicts of one list at the top
_MANY: Final = 1_000  # lines, from which the browser lays out only those in view


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Verdicts of one cause."""

    ids: tuple[str, ...]
    verdict: Verdict  # the first of them
    style: str
    grade: str
    facts: tuple[tuple[str, str], ...]


def page(report: Report, view: View) -> str:
    """Return the page as one HTML document, without a request to anything."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = ((_FOLDER / name).read_text("utf-8") for name in ("style.css", "script.js"))
    parts = environment.get_template("page.jinja").generate(
        **_texts(report),
        **_charts(report, view),
        style=Markup(style),  # noqa: S704  # a file of this package
        script=Markup(script),  # noqa: S704  # a file of this package
        policy=_policy(style, script),
        report=report,
    )
    return "".join(parts)


def _safe(value: Any) -> Any:  # noqa: ANN401  # jinja's interface
    """Return a text for the page: bounded, with control and bidirectional characters made visible."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    shown = escape(value[: _LONGEST + 1])
    return f"{shown[:_LONGEST]} ... (shortened)" if len(value) > _LONGEST else shown


def _policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy that allows nothing but the page's own style and script (CSP3)."""
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (style, script)]
    return f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; base-uri 'none'; form-action 'none'"


def _texts(report: Report) -> Mapping[str, Any]:
    run, deployment = report.run, report.situation.history.deployment
    return {
        "title": f"{decision_words(report)}: {run.environment}",
        "decision": decision_words(report),
        "decision_style": OF_ACTION[report.decision.action],
        "reason": main_reason(report),
        "further": list(further_reasons(report)),
        "next_step": next_step(report),
        "until": _until(report),
        "owners": _owners_to_call(report),
        "account": account_text(report),
        "release": served_text(report),
        "started": moment(run.started),
        "facts": facts(report),
        "lists": [
            (title, sum(len(card.ids) for card in cards), cards, len(cards) - _AT_TOP)
            for title, cards in _lists(report)
            if cards
        ],
        "criteria": _criteria(report),
        "criteria_account": _account(one.state.value for one in report.success),
        "phases": {heading: (_account_of(sections), sections) for heading, sections in phases_of(report).items()},
        "line_style": lambda line: _line_style(line, report),
        "line_facts": lambda line: tuple(_facts_of(line.verdict, report)) if line.verdict else (),
        "measured": measured,
        "held_to": held_to,
        "baseline": [(title_of(row), row, OF_OUTCOME[row.outcome]) for row in report.baseline],
        "number": number,
        "signers": [(role, item) for item, role in report.document.signers.items()],
        "attested": {one.item.id: one.because for one in report.verdicts if one.outcome is Outcome.ATTESTED},
        "deployed": deployment and moment(deployment.started),
        "finished": deployment and deployment.mark != deployment.started and moment(deployment.mark),
        "words": words,
        "can_wait": _CAN_WAIT,
        "at_top": _AT_TOP,
        "many": _MANY,
    }


def _charts(report: Report, view: View) -> Mapping[str, Any]:
    return {
        "latencies": latencies(report),
        "dots": baselines(report.baseline),
        "timeline": timeline(report),
        "trend": trend(report, view.past()),
    }


def _until(report: Report) -> str:
    """Return the end of an investigation's deadline; empty for any other decision and for a deadline of now."""
    action, minutes = report.decision.action, report.decision.minutes
    if action is not Action.INVESTIGATE or minutes is None or minutes < 1:
        return ""
    return moment(report.situation.now + timedelta(minutes=minutes))


def _owners_to_call(report: Report) -> str:
    """Return whose the items are that failed, for a rollback without configured contacts; else empty.

    The next step of every other decision that needs somebody names the owners itself.
    """
    if report.decision.action is not Action.ROLLBACK or report.to_call:
        return ""
    failed = (one for one in report.verdicts if one.outcome is Outcome.FAIL and report.bars_go(one))
    return " and ".join(dict.fromkeys(one.item.owner for one in failed))


def _account(states: Iterable[str]) -> str:
    """Return the count of each state: `2 met, 1 missed, 15 open`; out of scope comes last."""
    counts = Counter(states)
    known = [*(one.value for one in CriterionState), *(one.value for one in Outcome), "out_of_scope"]
    return ", ".join(f"{counts[state]} {words(state)}" for state in known if counts[state])


def _account_of(sections: Iterable[Section]) -> str:
    lines = [line for section in sections for line in section.lines]
    return _account(line.verdict.outcome.value if line.verdict else "out_of_scope" for line in lines)


def _lists(report: Report) -> Iterator[tuple[str, list[Card]]]:
    """Yield what failed, is not verified, not configured or unsigned, then what can wait; the most severe first."""
    found = sorted(report.verdicts, key=lambda one: -one.severity.gravity)
    now = [one for one in found if report.bars_go(one)]
    later = [one for one in found if not one.outcome.is_settled and not report.bars_go(one)]
    yield "Failed", _cards([one for one in now if one.outcome is Outcome.FAIL], report)
    yield "Not verified", _cards([one for one in now if one.outcome in _NOT_VERIFIED], report)
    yield "Not configured", _cards([one for one in now if one.outcome is Outcome.NOT_CONFIGURED], report)
    yield "Unsigned", _cards([one for one in now if one.outcome is Outcome.PENDING], report)
    yield _CAN_WAIT, _cards(later, report)


def _cards(verdicts: list[Verdict], report: Report) -> list[Card]:
    causes: dict[tuple[object, ...], list[Verdict]] = {}
    for one in verdicts:
        key = (one.outcome, one.severity, one.flags, tuple(_facts_of(one, report)))
        causes.setdefault(key, []).append(one)
    return [
        Card(
            ids=tuple(one.item.id for one in alike),
            verdict=alike[0],
            style=style_of(alike[0], bars_go=report.bars_go(alike[0])),
            grade=", ".join((alike[0].severity, words(alike[0].outcome), *map(words, sorted(alike[0].flags)))),
            facts=key[-1],  # type: ignore[arg-type]  # made above
        )
        for key, alike in causes.items()
    ]


def _facts_of(verdict: Verdict, report: Report) -> Iterator[tuple[str, str]]:
    """Yield the evidence of a verdict and what to do about it, each with its label."""
    is_read = verdict.outcome in (Outcome.FAIL, Outcome.PASS, Outcome.ATTESTED)
    yield ("measured", evidence(verdict)) if is_read else ("why", why(verdict, report))
    if verdict.outcome is Outcome.FAIL and verdict.since:
        age = (report.situation.now - verdict.since).total_seconds()
        yield "since", f"{moment(verdict.since)}, {ago(age)}" if age > 0 else "this run"
    if verdict.outcome is Outcome.FAIL and not verdict.confirmed:
        yield "attempts", "not every attempt failed yet: verify again"
    if verdict.due:
        yield "deadline", moment(verdict.due)
    if advice := remedy(verdict, report):
        yield "do", advice
    yield "owner", verdict.item.owner
    if verdict.outcome is Outcome.FAIL and (called := report.run.paging.of(verdict.severity)):
        yield "call", "; ".join(map(str, called))
    if changed := changed_limit(verdict):
        yield "changed limit", changed
    for record in verdict.records:
        if record.is_known:
            yield "record", str(record)


def _line_style(line: Line, report: Report) -> str:
    return style_of(line.verdict, bars_go=line.verdict is not None and report.bars_go(line.verdict))


def _criteria(report: Report) -> Mapping[str, list[tuple[CriterionResult, str, str]]]:
    groups: dict[str, list[tuple[CriterionResult, str, str]]] = {}
    for one in report.success:
        groups.setdefault(one.criterion.group, []).append((one, OF_CRITERION[one.state], why_not_met(one, report)))
    return groups
