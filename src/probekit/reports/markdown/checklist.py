"""Write the lines of the checklist's document as tasks, under its headings; ticked only where settled by proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from probekit.model.numbers import count
from probekit.model.report import Report
from probekit.model.verdict import Outcome
from probekit.reports._support.outline import Line, Section, phases_of
from probekit.reports.markdown.bounds import MOST, limited, whole
from probekit.reports.markdown.inline import NAME, code, joined, marked, prose
from probekit.reports.markdown.lines import VERIFIED, evidence, outcome

_LINE: Final = 300  # characters of one line of the document
_SHORTENED: Final = f"Shortened, so that the whole has at most {MOST:,} characters: the JSON report has the rest."
_EXEMPT: Final = (Outcome.WAIVED, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detail:
    """How much of the lines is written."""

    evidence: int  # characters of one reason
    is_of_passed: bool = True  # the lines that passed have evidence


_DETAILS: Final = (
    _Detail(evidence=2_000),
    _Detail(evidence=300),
    _Detail(evidence=80),
    _Detail(evidence=80, is_of_passed=False),
)


def checklist(report: Report, most: int) -> str:
    """Return the whole document in that many characters.

    Where it is longer, the evidence is shortened, then that of passed lines left out, then whole lines that passed or
    are out of scope, with their number, in as few sections as it takes.
    """
    phases = _without_signatures(phases_of(report), report)
    if not phases:
        return ""
    title = f"## Checklist: {prose(report.checklist, NAME)}"
    for detail in _DETAILS:
        top = [title] if detail is _DETAILS[0] else [title, "", _SHORTENED]
        if lines := whole(chain(top, _document(phases, report, detail)), most):
            return "\n".join(lines)
    return "\n".join((title, "", _SHORTENED, *_folded(phases, report, most - len(title) - len(_SHORTENED) - 3)))


Phases = Mapping[str, Sequence[Section]]


def _without_signatures(phases: Phases, report: Report) -> Phases:
    """Return the phases without the lines to sign, which come last in the report."""
    signers = report.document.signers
    found = {
        heading: [
            replace(section, lines=lines)
            for section in sections
            if (lines := tuple(line for line in section.lines if line.item not in signers))
        ]
        for heading, sections in phases.items()
    }
    return {heading: sections for heading, sections in found.items() if sections}


def _document(phases: Phases, report: Report, detail: _Detail) -> Iterator[str]:
    for heading, sections in phases.items():
        yield from ("", f"### {prose(heading, NAME)}")
        for section in sections:
            yield from _section(section, heading, report, detail)


def _section(section: Section, phase: str, report: Report, detail: _Detail) -> Iterator[str]:
    if section.heading != phase:
        yield from ("", f"#### {prose(section.heading, NAME)}")
    yield ""
    if is_out := all(line.verdict is None for line in section.lines):
        yield from ("Out of scope:", "")
    yield from (_line(line, report, detail, is_marked=not is_out) for line in section.lines)


def _line(line: Line, report: Report, detail: _Detail, *, is_marked: bool = True) -> str:
    """Return one task; `is_marked`: with the words "out of scope" where it is."""
    verdict, text = line.verdict, marked(line.text, _LINE) or code(line.item)
    if verdict is None:
        return f"- [ ] {text}" + (": out of scope" if is_marked else "")
    is_verified = verdict.outcome in VERIFIED
    shown = f"~~{text}~~" if verdict.outcome in _EXEMPT else text
    reason = evidence(verdict, report, detail.evidence) if detail.is_of_passed or not is_verified else ""
    stated = joined((outcome(verdict, report), reason), ": ")
    return f"- [{'x' if is_verified else ' '}] {shown}: {stated}"


def _folded(phases: Phases, report: Report, most: int) -> Sequence[str]:
    """Return the document without what needs no action, in as few sections as it takes to fit."""
    detail = _DETAILS[-1]
    ordered = [(section, phase) for phase, sections in phases.items() for section in sections]
    full = [list(_section(section, phase, report, detail)) for section, phase in ordered]
    short = [list(_left_out(section, phase, report, detail)) for section, phase in ordered]
    saved = [_size(some) - _size(fewer) for some, fewer in zip(full, short, strict=True)]
    left = sum(map(_size, full)) + sum(len(f"\n### {prose(phase, NAME)}\n") for phase in phases) - most
    chosen = set()
    for number in sorted(range(len(saved)), key=lambda number: -saved[number]):
        if left <= 0:
            break
        chosen.add(number)
        left -= saved[number]
    lines, before = [], None
    for number, (_, phase) in enumerate(ordered):
        lines += ["", f"### {prose(phase, NAME)}"] if phase != before else []
        lines += short[number] if number in chosen else full[number]
        before = phase
    return limited(lines, most, "line")


def _left_out(section: Section, phase: str, report: Report, detail: _Detail) -> Iterator[str]:
    """Yield a section with the number of its lines that need no action in their place."""
    is_open = [line.verdict is not None and not line.verdict.outcome.is_settled for line in section.lines]
    open_lines = tuple(line for line, kept in zip(section.lines, is_open, strict=True) if kept)
    others = [line for line, kept in zip(section.lines, is_open, strict=True) if not kept]
    out = sum(line.verdict is None for line in others)
    if section.heading != phase:
        yield from ("", f"#### {prose(section.heading, NAME)}")
    yield ""
    yield from (_line(line, report, detail) for line in open_lines)
    if others:
        yield f"- {count(len(others), 'line')} left out: {len(others) - out} settled, {out} out of scope"


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)
