"""Write the report as JUnit XML, for the test pages of Jenkins, GitLab and GitHub.

The elements and attributes are those of junit-10.xsd of Jenkins' xunit plugin. Jenkins takes the part of a classname
before its last dot as its package. GitLab identifies a case by classname and name, and shows the text of the element,
not its message. Both attach the file that a text names as `[[ATTACHMENT|path]]`.

What rules out a go is red: `failure` if it failed, `error` otherwise. What does not is passed or `skipped`, so that no
go is red. The decision is a case of its own, which makes every other report red even if all items pass. An item out
of scope is not a case; the property `account` counts these. An item has no time, because many items share the
measurements of one probe: the time of the run is that of the decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from math import isfinite
from typing import Final
from xml.etree import ElementTree as ET

from probekit.model.report import Report
from probekit.model.verdict import Action, Outcome, Verdict
from probekit.reports import PLAIN, Format, View
from probekit.reports._support.bounded import bounded
from probekit.reports._support.decision import decision_words, further_reasons, main_reason
from probekit.reports._support.facts import facts
from probekit.reports._support.next_step import next_step
from probekit.reports._support.outline import Section, phases_of
from probekit.reports._support.remedies import remedy, why
from probekit.reports._support.values import changed_limit, evidence
from probekit.text import moment, words

_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_MESSAGE: Final = 500  # characters of a message, which a list shows
_LINE: Final = 10_000  # characters of a line of a case's text
_PASSED: Final = (Outcome.PASS, Outcome.ATTESTED)
_BAD_NEWS: Final = (Action.INVESTIGATE, Action.NO_GO, Action.ROLLBACK)
_OPENING: Final = re.compile(r"(?<=\[)\[")  # begins an attachment


def render(report: Report, _view: View = PLAIN) -> str:
    """Return an XML document in UTF-8 of one suite for the decision, then one for each section with items in scope."""
    sections = [section for some in phases_of(report).values() for section in some]
    suites = [_decision(report), *(suite for section in sections for suite in _suite(section, report))]
    root = ET.Element("testsuites", {"name": _text(f"probekit {report.run.environment}"), **_time(report)})
    root.extend(suites)
    root.attrib |= {name: str(sum(int(one.attrib[name]) for one in suites)) for name in ("tests", "failures", "errors")}
    ET.indent(root)
    return _HEAD + ET.tostring(root, encoding="unicode") + "\n"


def _text(text: str, most: int = _MESSAGE) -> str:
    """Return the text on one line, of characters that XML 1.0 (section 2.2) allows: those that can be printed."""
    return _OPENING.sub(" [", bounded(text, most))


def _lines(labelled: Iterable[tuple[str, str]]) -> str:
    """Return one line for each label and text; a log takes no line that begins with a label for a command."""
    return "\n".join(f"{label}: {_text(text, _LINE)}" for label, text in labelled if text)


def _time(report: Report) -> dict[str, str]:
    seconds = report.run.seconds
    return {"time": f"{seconds:.3f}"} if isfinite(seconds) and seconds >= 0 else {}


def _decision(report: Report) -> ET.Element:
    """Return the suite of the decision, with the facts about the run as its properties and the case's output."""
    known = facts(report)
    case = ET.Element("testcase", {"classname": "probekit", "name": "decision", **_time(report)})
    if report.exit_code:
        kind = "failure" if report.decision.action in _BAD_NEWS else "error"
        message = f"{decision_words(report)}: {main_reason(report)}"
        reasons = [("because", reason) for reason in further_reasons(report)]
        text = _lines([("decision", message), *reasons, ("next", next_step(report))])
        case.append(_element(kind, text, type=report.decision.action.word, message=_text(message)))
    case.append(_element("system-out", _lines(known)))
    suite = _counted("probekit", [case], report)
    properties = ET.Element("properties")
    properties.extend(ET.Element("property", name=label, value=_text(text, _LINE)) for label, text in known)
    suite.insert(0, properties)
    suite.attrib |= _time(report)
    return suite


def _suite(section: Section, report: Report) -> Iterator[ET.Element]:
    """Yield the suite of a section, unless none of its items is in scope."""
    heading = "" if section.heading == section.id else section.heading
    classname = _text(": ".join(filter(None, (section.id, heading.replace(".", " ")))))
    cases = [_case(line.verdict, classname, report) for line in section.lines if line.verdict]
    if cases:
        suite = _counted(section.heading, cases, report)
        suite.set("id", _text(section.id))  # two sections may have the same heading
        yield suite


def _counted(name: str, cases: list[ET.Element], report: Report) -> ET.Element:
    """Return a suite of these cases with its counts; its time is in UTC, without a zone as in Ant's reports."""
    found = {kind: str(sum(case.find(kind) is not None for case in cases)) for kind in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        name=_text(name),
        tests=str(len(cases)),
        failures=found["failure"],
        errors=found["error"],
        skipped=found["skipped"],
        timestamp=f"{report.run.started.astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
        hostname=_text(report.run.vantage),
    )
    suite.extend(cases)
    return suite


def _case(verdict: Verdict, classname: str, report: Report) -> ET.Element:
    case = ET.Element("testcase", classname=classname, name=_text(verdict.item.id))
    text = _lines(_evidence(verdict, report))
    if verdict.outcome in _PASSED:
        case.append(_element("system-out", text))
    else:
        message = _text(f"{words(verdict.outcome)}: {_because(verdict, report)}")
        case.append(_element(_kind(verdict, report), text, type=verdict.outcome.value, message=message))
    return case


def _kind(verdict: Verdict, report: Report) -> str:
    if not report.bars_go(verdict):
        return "skipped"
    return "failure" if verdict.outcome is Outcome.FAIL else "error"


def _because(verdict: Verdict, report: Report) -> str:
    return evidence(verdict) if verdict.outcome in (Outcome.FAIL, *_PASSED) else why(verdict, report)


def _evidence(verdict: Verdict, report: Report) -> Iterator[tuple[str, str]]:
    """Yield what the verdict is about and what it rests on; for one that is not settled also who does what."""
    item = verdict.item
    yield "item", item.text
    yield "result", ", ".join((words(verdict.outcome), verdict.severity, *map(words, sorted(verdict.flags))))
    yield "because", _because(verdict, report)
    yield "changed limit", changed_limit(verdict)
    yield "failing since", moment(verdict.since) if verdict.since and verdict.outcome is Outcome.FAIL else ""
    yield from (("record", str(record)) for record in verdict.records)
    yield "do", remedy(verdict, report)
    yield "owner", item.owner
    if report.bars_go(verdict):
        yield "call", "; ".join(map(str, report.run.paging.of(verdict.severity)))


def _element(name: str, text: str, **attributes: str) -> ET.Element:
    element = ET.Element(name, attributes)
    element.text = text
    return element


FORMAT = Format(name="junit", help="the test pages of Jenkins, GitLab and GitHub (JUnit XML)", render=render)
