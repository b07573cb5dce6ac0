"""Decide whether a 3xx or 4xx may be the fault of the request: yes, unless an earlier run got the expected answer."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from probekit.probe import Answer, Context

_TO_ASK: Final = (3, 4)  # classes of status that may be about the request (RFC 9110 sections 15.4 and 15.5)


def doubt_of_question(context: Context, answer: Answer, question: str, hint: str) -> str | None:
    """Return why this answer says nothing about the target's health; None where it does.

    Args:
        context: holds the questions that were answered as expected in earlier runs.
        answer: the final answer.
        question: digest of the request, from `ProbeClient.question`.
        hint: how to fix the request.
    """
    if answer.status // 100 not in _TO_ASK or question in context.history.answered:
        return None
    where = f", which points to {answer.redirect}" if answer.redirect else ""
    unknown = "no recorded run got the expected answer, so the request may be wrong"
    path = urlsplit(answer.url).path or "/"
    return f"{answer.status} for {path} from {answer.address}{where}: {unknown}; {hint}"
