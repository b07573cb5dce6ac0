"""Whether a run has news compared with the previous run, for --on-change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from probekit.history.store import Document


def is_news(before: Document | None, after: Document) -> bool:
    """Return whether the later report differs in decision, failures, severities, passed deadlines or served versions.

    A field that the earlier report lacks, because another version wrote it, is news.
    """
    try:
        return before is None or _facts(before) != _facts(after)
    except (AttributeError, KeyError, TypeError, ValueError):
        return True


def _facts(report: Document) -> tuple[Any, ...]:
    """Return the facts on which a reader acts."""
    now = _moment(report["situation"]["now"])
    failures = {
        (verdict["item"], verdict["severity"], verdict["due"] is not None and _moment(verdict["due"]) <= now)
        for verdict in report["verdicts"]
        if verdict["outcome"] == "fail"
    }
    return report["decision"]["action"], failures, set(report["situation"]["release"]["answers"].values())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
