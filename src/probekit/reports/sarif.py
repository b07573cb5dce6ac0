"""Write the security items that are not settled as SARIF 2.1.0, for code-scanning views such as GitHub's.

A rule is an item in scope of a section whose id ends in `.security`; own checks are left out. A result is an item that
is not settled: of level `error` if it rules out a go and is critical or high, `warning` if it rules out a go, else
`note`. One more result of level `error` is the decision, unless it is go or a partial pass: a report of any other
decision has an error even if every security item passed.

Every result has kind `fail` (3.27.9). GitHub ignores `kind` and shows each result as an alert, so that what passed, is
waived or does not apply is left out. Kind `open`, for what is not verified, requires level `none` (3.27.10), and
readers such as DefectDojo drop it: a missing reading would be no alert there.

GitHub refuses a file with a result that has no location, reads one fingerprint (`primaryLocationLineHash`), and closes
the alerts of the earlier report of the same category, which is `automationDetails.id` without its last part. A partial
run and a run of one phase have categories of their own, because they must not close alerts of items that they left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Any, Final, Literal
from urllib.parse import quote

from probekit.model.checklist import Severity
from probekit.model.document import Place
from probekit.model.report import Report, Run
from probekit.model.verdict import Action, Outcome, Verdict
from probekit.reports import PLAIN, Format, Location, View
from probekit.reports._support.bounded import bounded
from probekit.reports._support.decision import decision_words, further_reasons, main_reason
from probekit.reports._support.facts import facts
from probekit.reports._support.next_step import next_step
from probekit.reports._support.remedies import remedy, why
from probekit.reports._support.values import evidence
from probekit.text import words

Level = Literal["error", "warning", "note"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT: Final = "%SRCROOT%"  # name of the folder that relative URIs start from (3.4.4)
_FILE: Final = Location(uri="probes.toml")  # of a report on record without places
_RESULTS: Final = 25_000  # of a run, and rules: GitHub refuses a file with more
_TEXT: Final = 980  # characters before the number of those left out: GitHub limits a description to 1,024
_FACT: Final = 10_000  # characters
_REASONS: Final = 10  # further ones of the decision
_RANKS: Final = ("error", "warning", "note", None)
_SCORES: Final = {  # GitHub's bands of security-severity: critical over 9.0, high from 7.0, medium from 4.0
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 2.0,
}
_MILD: Final = 5.5  # at most, of an item that does not rule out a go: GitHub's check of a pull request fails from high
_MARKUP: Final = re.compile(r"(?<!\w)@(?=\w)|#(?=\d)|<(?=[a-z/!?])|\](?=\()", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What there is to report under one rule."""

    rule: dict[str, Any]
    level: Level | None  # None: there is no result
    texts: tuple[str, ...]  # one for each paragraph of the result's message
    probe: str  # its table is the location; empty: that of the environment
    properties: dict[str, Any]


def render(report: Report, view: View = PLAIN) -> str:
    """Return a SARIF log of one run in ASCII, with the most severe results first."""
    security = [one for one in report.verdicts if one.item.section.endswith(".security") and not one.item.is_own]
    items = sorted((_of_item(one, report) for one in security), key=lambda finding: _RANKS.index(finding.level))
    findings = [_of_decision(report), *items][:_RESULTS]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report, findings, cache(view.located))]}
    return json.dumps(log, indent=1) + "\n"


def _run(report: Report, findings: Sequence[_Finding], located: Callable[[Place], Location]) -> dict[str, Any]:
    driver = {
        "name": "probekit",
        "version": bounded(report.run.version, _TEXT),
        "rules": [finding.rule for finding in findings],
    }
    results = [_result(one, index, report, located) for index, one in enumerate(findings) if one.level]
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{_category(report)}/{_encoded(report.run.id)}"},
        "invocations": [_invocation(report)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The working directory of the run."}}},
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {label: bounded(text, _FACT) for label, text in facts(report)},
    }


def _category(report: Report) -> str:
    """Return what a later report replaces: the alerts of an environment, of a phase, or of partial runs."""
    situation, run = report.situation, report.run
    is_partial = situation.partial or len(report.verdicts) < situation.in_scope
    parts = (run.environment, f"phase {run.phase}" if run.phase else "", "partial" if is_partial else "")
    return "/".join(_encoded(part) for part in parts if part)


def _invocation(report: Report) -> dict[str, Any]:
    """Return the process; an undecided run is a failed one (3.20.14, 3.20.21), whatever it measured."""
    run, is_decided = report.run, report.decision.action is not Action.UNDECIDED
    failure = {"level": "error", "message": _message(main_reason(report))}
    return {
        "executionSuccessful": is_decided,
        "exitCode": report.exit_code,
        "exitCodeDescription": bounded(decision_words(report), _TEXT),
        "startTimeUtc": _time(run.started),
        **_end(run),
        "toolExecutionNotifications": [] if is_decided else [failure],
    }


def _end(run: Run) -> dict[str, str]:
    try:
        return {"endTimeUtc": _time(run.started + timedelta(seconds=run.seconds))}
    except (OverflowError, ValueError):  # beyond the calendar, or not a number
        return {}


def _of_decision(report: Report) -> _Finding:
    rule = {
        "id": "probekit.decision",
        "shortDescription": _message("The decision about the deployment is not go"),
        "fullDescription": _message("The decision covers every item in scope, not only those about security."),
        "help": _message(next_step(report)),
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["deployment"], "problem.severity": "error", "precision": "high"},
    }
    return _Finding(
        rule=rule,
        level="error" if report.exit_code else None,
        texts=(f"{decision_words(report)}: {main_reason(report)}", *islice(further_reasons(report), _REASONS)),
        probe="",
        properties={"action": report.decision.action.word},
    )


def _of_item(verdict: Verdict, report: Report) -> _Finding:
    item, is_open, bars_go = verdict.item, not verdict.outcome.is_settled, report.bars_go(verdict)
    state = {"outcome": verdict.outcome.value, "severity": verdict.severity.value, "flags": sorted(verdict.flags)}
    reason = evidence(verdict) if verdict.outcome is Outcome.FAIL else why(verdict, report)
    score = _SCORES[verdict.severity]
    rule = {
        "id": bounded(item.id, _TEXT),
        "shortDescription": _message(f"Not passed: {item.title or item.id}"),
        "fullDescription": _message(item.text or item.id),
        "help": _message(remedy(verdict, report) or "Nothing is to be done.", f"Owner: {item.owner}"),
        "defaultConfiguration": {"level": _level(verdict, bars_go=True)},
        "properties": {
            "tags": ["security", bounded(item.phase, _TEXT)],
            "security-severity": str(min(score, _MILD) if is_open and not bars_go else score),
            "precision": "high",
            "outcome": verdict.outcome.value,
        },
    }
    return _Finding(
        rule=rule,
        level=_level(verdict, bars_go=bars_go) if is_open else None,
        texts=(f"{words(verdict.outcome)}: {reason}",),
        probe=item.probe or "",
        properties={**state, "rulesOutGo": bars_go},
    )


def _level(verdict: Verdict, *, bars_go: bool) -> Level:
    if not bars_go:
        return "note"
    return "error" if verdict.severity.is_grave else "warning"


def _result(finding: _Finding, index: int, report: Report, located: Callable[[Place], Location]) -> dict[str, Any]:
    run, rule = report.run, finding.rule["id"]
    place = report.places.get(finding.probe) or report.places.get("")
    message = _message(*finding.texts, f"Environment: {run.environment}, {run.base_url}")
    return {
        "ruleId": rule,
        "ruleIndex": index,
        "kind": "fail",
        "level": finding.level,
        "message": {"text": f"{message['text']}\n{finding.rule['help']['text']}"},
        "locations": [{"physicalLocation": _physical(located(place) if place else _FILE)}],
        "partialFingerprints": _fingerprints(run.environment, rule),
        "properties": finding.properties,
    }


def _fingerprints(environment: str, rule: str) -> dict[str, str]:
    """Return what identifies an alert: the same in every run, whatever was measured and wherever the probe stands."""
    digest = sha256(json.dumps([environment, rule]).encode()).hexdigest()
    return {"primaryLocationLineHash": f"{digest[:16]}:1", "probekitItem/v1": digest}


def _physical(location: Location) -> dict[str, Any]:
    """Return a line of a file as the empty region at its start: GitHub requires all four numbers."""
    line, uri = location.line, _uri(location.uri)
    base = {} if uri.startswith("file:") else {"uriBaseId": _ROOT}
    return {
        "artifactLocation": {"uri": uri, **base},
        "region": {"startLine": line, "startColumn": 1, "endLine": line, "endColumn": 1},
    }


def _uri(text: str) -> str:
    """Return a URI (RFC 3986) whose escapes are kept; a path from the root needs a scheme (3.4.3)."""
    path = re.sub(r"%(?![0-9a-fA-F]{2})", "%25", text.removeprefix("file://"))
    scheme = "file://" if path.startswith("/") else ""
    return scheme + quote(path, safe="/%", errors="replace")


def _encoded(part: str) -> str:
    """Return one part of a hierarchical string (3.5.4)."""
    return quote(part[:_TEXT], safe=" ", errors="replace")


def _message(*texts: str) -> dict[str, str]:
    """Return a plain text message of one paragraph for each text.

    Braces are doubled (3.11.5). A space takes away its meaning from a link (3.11.6), and from what GitHub's Markdown
    would read as a tag, a mention or the number of an issue.
    """
    plain = (_MARKUP.sub(r"\g<0> ", bounded(text, _TEXT)) for text in texts)
    return {"text": "\n".join(plain).replace("{", "{{").replace("}", "}}")}


def _time(moment: datetime) -> str:
    """Return a time in UTC (3.9)."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FORMAT = Format(name="sarif", help="code-scanning views: the security items (SARIF 2.1.0)", render=render)
