"""Was this question ever answered well? If not, a 3xx or 4xx may be the fault of the question, and no outage."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from probekit.probe import Answer, Context

_TO_ASK: Final = (3, 4)  # classes of status that may speak of what was asked (RFC 9110 sections 15.4 and 15.5)


def doubt_of_question(context: Context, answer: Answer, question: str, hint: str) -> str | None:
    """Why this answer tells nothing of the target's health; None where it does.

    Args:
        context: with the questions that earlier runs saw answered well.
        answer: the final answer.
        question: what was asked, by `ProbeClient.question`.
        hint: what would mend it.
    """
    if answer.status // 100 not in _TO_ASK or question in context.history.answered:
        return None
    where = f", which points to {answer.redirect}" if answer.redirect else ""
    unknown = "no run on record saw this answered well, so the question may be wrong"
    path = urlsplit(answer.url).path or "/"
    return f"{answer.status} for {path} from {answer.address}{where}: {unknown}; {hint}"
