"""State what a run is about and what it rests on, as labels and texts for the head of any report."""

from __future__ import annotations

from collections.abc import Iterator

from probekit.model.numbers import count, span
from probekit.model.report import Report
from probekit.model.verdict import Served
from probekit.reports._support.decision import decision_words, main_reason
from probekit.text import moment, words


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """Return the decision, the account, the release, the target and the run, each with its label."""
    return tuple((label, text) for label, text in _facts(report) if text)


def account_text(report: Report) -> str:
    """Return the number of items and of each outcome: `203 items = 23 pass + 180 out of scope`."""
    found = dict(report.account)
    of_phase = f" of phase {report.run.phase}" if report.run.phase else ""
    named = {word: words(word) for word in found} | {"out_of_scope": f"out of scope{of_phase}"}
    items = found.pop("items")
    parts = " + ".join(f"{some} {named[word]}" for word, some in found.items() if some)
    return f"{count(items, 'item')} = {parts}" if items else ""


def served_text(report: Report) -> str:
    """Return the served versions, with the expected ones where another is served."""
    release = report.situation.release
    expected, version = " or ".join(release.expected), ", ".join(release.versions) or "unknown"
    return f"{version} (expected {expected})" if expected and release.served is not Served.EXPECTED else version


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    run, identity = report.run, report.situation.identity
    yield "decision", f"{decision_words(report)}, exit code {report.exit_code}"
    yield "reason", main_reason(report)
    yield "call", "; ".join(map(str, report.to_call))
    yield "account", account_text(report)
    yield "own checks", str(len(report.own_checks) or "")
    yield "reported by a program, not measured", ", ".join(one.item.id for one in report.reported)
    yield "served release", served_text(report)
    yield "release", str(identity)
    yield "previous release", identity.previous or ""
    yield "environment", run.environment
    yield "target", run.base_url
    yield "stage", str(run.stage) + (f", phase {run.phase}" if run.phase else "")
    yield "deployed by", run.deployed_by or ""
    yield "reviewed by", run.reviewed_by or ""
    yield "run", f"{run.id}, {span(run.seconds)} from {moment(run.started)}"
    yield "seen from", run.vantage
    yield "checklist", report.checklist
    yield "configuration", f"{run.config_file}, sha256 {run.config_hash}"
    yield "probekit", run.version
