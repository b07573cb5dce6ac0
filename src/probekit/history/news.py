"""Does a run say what the run before did not? It does where a reader would do something else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from probekit.history.store import Document


def is_news(before: Document | None, after: Document) -> bool:
    """Whether the later JSON report has another action, failure, severity or served version, or a time that is over.

    What the earlier one does not say, because another version wrote it, is news.
    """
    try:
        return before is None or _told(before) != _told(after)
    except (AttributeError, KeyError, TypeError, ValueError):
        return True


def _told(report: Document) -> tuple[Any, ...]:
    """What a reader acts upon."""
    now = _moment(report["situation"]["now"])
    failures = {
        (verdict["item"], verdict["severity"], verdict["due"] is not None and _moment(verdict["due"]) <= now)
        for verdict in report["verdicts"]
        if verdict["outcome"] == "fail"
    }
    return report["decision"]["action"], failures, set(report["situation"]["release"]["answers"].values())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
