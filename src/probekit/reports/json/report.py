"""Read a whole report from JSON, for every format: the verdicts and the decision are those of its run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from probekit.model.checklist import Deadline, Item, Row, Severity
from probekit.model.document import BaselineComparison, Document, Place
from probekit.model.history import History
from probekit.model.limit import Limit, parse_limit
from probekit.model.measurement import Attempt, InstanceKey, Measurement
from probekit.model.percentile import Percentile
from probekit.model.quantity import NUMBER
from probekit.model.report import Report, Run
from probekit.model.success import SuccessCriterion
from probekit.model.verdict import Action, Decision, Outcome, Situation, Verdict
from probekit.reports.json.noun import noun
from probekit.reports.json.people import people_facts, period_facts
from probekit.reports.json.read import evidence_of, measurement_of, picked, refused, since_of
from probekit.reports.json.recorded import MOST_ITEMS

_SITUATION: Final = (
    "now",
    "release",
    "control",
    "reached",
    "complete",
    "strict",
    "partial",
    "in_scope",
    "runner",
    "uncounted",
)
_ADDED: Final = ("identity", "contradictions")  # that an older report does not have
_OVER: Final = re.compile(rf"(?P<metric>[a-z][a-z0-9_]*) at most {NUMBER} % over baseline")
_ACTIONS: Final = {action.word: action for action in Action}
_OF_URL: Final = "--url"  # in place of a configuration file
_RUN: Final = frozenset(Run.__dataclass_fields__)


@refused
def report_from(document: Any) -> Report:  # noqa: ANN401  # any JSON
    """Return the report of a document: its items have only the facts that a format needs, not all limits and bands.

    Raises:
        ReportError: not a report, or an incomplete one.
    """
    run, decision, items = document["run"], _decision(document["decision"]), int(document["account"]["items"])
    if not 0 <= items <= MOST_ITEMS:
        raise ValueError(items)
    measurements = [measurement_of(one) for one in document["measurements"]]
    criteria = noun(tuple[SuccessCriterion, ...], [_criterion(one) for one in document.get("success", ())])
    lines = {str(one["item"]): str(one["text"]) for one in document.get("lines", ())}
    return Report(
        run=noun(Run, {name: value for name, value in _run(run).items() if name in _RUN}),
        situation=_situation(document),
        checklist=str(run["checklist"]),
        items=items,
        measurements=tuple(measurements),
        verdicts=tuple(_verdict(one, lines, criteria) for one in document["verdicts"]),
        decision=decision,
        attempts=_attempts(document, measurements),
        evidence=dict(map(evidence_of, document["history"]["evidence"])),
        answered=frozenset(map(str, document["history"].get("answered", ()))),
        document=noun(Document, {**document.get("document", {}), "lines": lines}),
        criteria=criteria,
        baseline=noun(tuple[BaselineComparison, ...], document.get("baseline", ())),
        percentiles=noun(tuple[Percentile, ...], document.get("percentiles", ())),
        places={str(one["probe"]): noun(Place, one) for one in document.get("places", ())},
    )


def _decision(document: Mapping[str, Any]) -> Decision:
    """Return the decision, which has at least one reason."""
    decision = noun(Decision, {**document, "action": _ACTIONS[document["action"]]})
    if not decision.because:
        raise ValueError(decision)
    return decision


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    return {**run, **people_facts(run), "is_of_url": run["config_file"] == _OF_URL}


def _situation(document: Mapping[str, Any]) -> Situation:
    written = document["situation"]
    facts = {name: written[name] for name in (*_SITUATION, *(name for name in _ADDED if name in written))}
    facts["maintenance"] = [period_facts(one) for one in written.get("maintenance", ())]  # an older report has none
    history = {
        "deployment": written["deployment"],
        "since": since_of(document),
        "previous": written.get("previous", {}),
    }
    return noun(Situation, {**facts, "stage": document["run"]["stage"], "history": noun(History, history)})


def _attempts(document: Mapping[str, Any], measurements: list[Measurement]) -> dict[InstanceKey, tuple[Attempt, ...]]:
    attempts: dict[InstanceKey, tuple[Attempt, ...]] = {}
    for one in document["attempts"]:
        key = InstanceKey(str(one["probe"]), str(one["instance"]))
        attempt = Attempt(
            measurements=picked(measurements, one["measurements"]), rechecks=picked(measurements, one["rechecks"])
        )
        attempts[key] = (*attempts.get(key, ()), attempt)
    return attempts


def _criterion(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in ("id", "group", "text", "items")}


def _verdict(document: Mapping[str, Any], lines: Mapping[str, str], criteria: tuple[SuccessCriterion, ...]) -> Verdict:
    limit = _limit(document["limit"] or "")
    facts = {name: document[name] for name in ("outcome", "because", "observed", "flags", "confirmed", "since")}
    facts |= {name: document[name] for name in ("layer", "claim", "reason", "summary", "records") if name in document}
    return noun(Verdict, {**facts, "item": _item(document, lines, criteria), "limit": limit})


def _item(document: Mapping[str, Any], lines: Mapping[str, str], criteria: tuple[SuccessCriterion, ...]) -> Item:
    """Return an item whose severity, deadline and right to roll back are those of its verdict."""
    name, severity = str(document["item"]), Severity(document["severity"])
    changed, limit = document.get("changed") or {}, document["limit"]
    is_follow_up = bool(document.get("follow_up", not severity.is_grave))
    may_roll_back = bool(document.get("may_roll_back", False))
    facts = {
        "id": name,
        "text": lines.get(name, document["title"]),
        "title": document["title"],
        "severity": severity,
        "owner": document.get("owner", ""),
        "probe": document.get("probe"),
        "expect": _limits(changed.get("to", [limit] if limit else [])),
        "criteria": [one.id for one in criteria if name in one.items],
        "matrix_row": _row(document.get("row"), severity, may_roll_back=may_roll_back),
        "holds_if_pending": document["outcome"] == Outcome.PENDING and not is_follow_up,
        "escalate_after": _deadline(document, may_roll_back=may_roll_back),
        "bound_to": document.get("bound_to"),
        "changed_from": _limits(changed.get("from", [])),
        "changed_reason": changed.get("reason", ""),
        "is_own": document.get("own", False),
    }
    return noun(Item, facts)


def _row(name: str | None, severity: Severity, *, may_roll_back: bool) -> Row | None:
    if name is None:
        return None
    is_rollback = may_roll_back and severity is Severity.CRITICAL
    return Row(id=name, text=name, severity=severity, action="rollback" if is_rollback else "investigate")


def _deadline(document: Mapping[str, Any], *, may_roll_back: bool) -> Deadline:
    """Return the time limit of the failure: from its first failure on record to its deadline."""
    then = "rollback" if may_roll_back else "escalate"
    if not (document.get("due") and document.get("since")):
        return noun(Deadline, {"minutes": 0.0, "then": then})
    since, due = (noun(datetime, document[name]) for name in ("since", "due"))
    return noun(Deadline, {"minutes": (due - since).total_seconds() / 60, "then": then})


def _limits(texts: list[str]) -> list[Limit]:
    return [limit for text in texts if (limit := _limit(text)) is not None]


def _limit(text: str) -> Limit | None:
    """Return the limit that a report states; None for a text that is none."""
    if found := _OVER.fullmatch(text):
        return Limit(metric=found["metric"], op="<=", value=float(found["number"]), of="baseline")
    try:
        return parse_limit(text)
    except ValueError:
        return None
