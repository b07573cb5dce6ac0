"""Arrange all lines of the checklist's document with their verdicts, under its headings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from probekit.model.report import Report
from probekit.model.verdict import Verdict

_OWN: Final = "Own checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the document, and its verdict; None where it is out of scope."""

    item: str
    text: str
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The lines under one heading of the document."""

    phase: str  # id; empty for own checks
    id: str
    heading: str
    lines: tuple[Line, ...]


def phases_of(report: Report) -> dict[str, tuple[Section, ...]]:
    """Return the sections by the heading of their phase, in the document's order; own checks come last.

    A report on record that has no document gives the lines of its verdicts, under the ids of their sections.
    """
    found: dict[str, tuple[Section, ...]] = {}
    for section in _sections(report):
        heading = report.document.phases.get(section.phase, section.phase or _OWN)
        found[heading] = (*found.get(heading, ()), section)
    return found


def _sections(report: Report) -> list[Section]:
    verdicts = {one.item.id: one for one in report.verdicts if not one.item.is_own}
    texts = {**{name: one.item.text for name, one in verdicts.items()}, **report.document.lines}
    ordered = [*report.document.lines, *(name for name in verdicts if name not in report.document.lines)]
    lines: dict[str, list[Line]] = {}
    for name in ordered:
        section = ".".join(name.split(".")[:2])
        lines.setdefault(section, []).append(Line(item=name, text=texts[name], verdict=verdicts.get(name)))
    found = [
        Section(
            phase=section.partition(".")[0],
            id=section,
            heading=report.document.sections.get(section, section),
            lines=tuple(some),
        )
        for section, some in lines.items()
    ]
    own = tuple(Line(item=one.item.id, text=one.item.text, verdict=one) for one in report.own_checks)
    return [*found, Section(phase="", id="own", heading=_OWN, lines=own)] if own else found
