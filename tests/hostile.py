"""Texts that would inject something into a report or break its reader, and a report that is full of one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from builders import Make

from probekit.model.checklist import Severity
from probekit.model.document import Document, Place
from probekit.model.people import Contact, Paging
from probekit.model.record import Identity, Record
from probekit.model.report import Report
from probekit.model.verdict import Flag, Outcome, Release, Served, Verdict

HOSTILE: Mapping[str, str] = {
    "markup": "<script>alert(1)</script> & <b> <!-- <?xml ?> ]]> <![CDATA[ &amp; &#0; <!DOCTYPE x [<!ENTITY y 'z'>]>",
    "quotes": '"\'`|\\"',
    "controls": "a\x00b\x07c\x1b[31md\x7f\x9b",
    "line breaks": "a\nb\r\nc\vd\fe\x85f\u2028g\u2029h\ttab",
    "bidi": "\u202eevil\u202c \u2066isolated\u2069 \u200f\u061c",
    "not characters": "\ud800 \udfff \ufffe \uffff \U0001fffe",
    "emoji": "\U0001f680 \u2764\ufe0f \U0001f468\u200d\U0001f469",
    "commands": "::error::x\n::error file=a::b\r##[error]c %0A::warning::d",
    "markdown": "![x](y) [z](https://evil.example) @name #1 org/repo#2 {0} {{1}} $x^2$",
    "attachments": "[[ATTACHMENT|/etc/passwd]] [[[ATTACHMENT|b]]",
    "paths": "../../%2e%2e/%zz%41?a#b c:\\d",
    "nul": "a\x00b",
    "half a pair": "\ud800x\udfff",
    "end of CDATA": "]]>-->",
    "table": "a | b || c",
    "mention": "@everyone #1 GH-1 owner/repo#1 www.evil.test https://evil.test/",
    "image": "![x](https://evil.test/p.png) [y](javascript:alert(1))",
    "template": "{{ 7*7 }} {% raw %} ${7*7} %(x)s",
    "brackets": "'label'=1;2;3 | 'x'=9",
    "terminal": "\x1b[2J\x1b[31m\x1b]8;;https://evil.test\x07\x9b1m",
    "long": "\x00\n" * 100 + "x" * 100_000,
}


def hostile_report(text: str, make: Make, report_of: Callable[..., Report]) -> Report:
    """A report with a verdict of each outcome and an own check, all of whose texts are that text."""
    outcomes = [(outcome, severity) for outcome in Outcome for severity in (Severity.CRITICAL, Severity.LOW)]
    verdicts = [
        _verdict(f"pre.security.{number}-{text}", text, outcome, severity, make)
        for number, (outcome, severity) in enumerate(outcomes)
    ]
    own = _verdict(f"own.{text}", text, Outcome.FAIL, Severity.CRITICAL, make)
    named = ("id", "environment", "base_url", "version", "config_file", "config_hash", "vantage", "deployed_by")
    contact = Contact(role="lead", name=text, contact=text)
    report = report_of(
        *verdicts,
        replace(own, item=replace(own.item, is_own=True)),
        run=dict.fromkeys(named, text)
        | {"paging": Paging(contacts=(contact,), page=dict.fromkeys(Severity, ("lead",))), "notes": (text,)},
        release=Release(expected=(text,), answers={f"{text}2": 3}, served=Served.OTHER, because=text),
        identity=Identity(release=text, commit=text, images={text: text}, previous=text),
        contradictions=(text,),
    )
    document = Document(phases={"pre": text}, sections={"pre.security": text})
    return replace(report, document=document, places={"": Place(file=text), "health": Place(file=text, keys=(text,))})


def _verdict(name: str, text: str, outcome: Outcome, severity: Severity, make: Make) -> Verdict:
    item = make.item("up == 1", id=name, text=text, title=text, owner=text, severity=severity, changed_reason=text)
    return Verdict(
        item=item,
        outcome=outcome,
        because=text,
        observed=0.0,
        limit=item.expect[0],
        summary=text,
        since=make.now,
        flags=frozenset({Flag.REPORTED, Flag.CHANGED}),
        records=(Record(release=text, by=text, place=text),),
    )
