"""What a reader would do something else about is news; the same once more is none."""

from __future__ import annotations

from copy import deepcopy

import pytest

from probekit.history.news import is_news

NOW = "2026-11-24T10:00:00Z"


def failure(item="a", severity="high", due="2026-11-24T10:10:00Z", outcome="fail"):
    return {"item": item, "severity": severity, "due": due, "outcome": outcome}


def report(*verdicts, action="investigate", now=NOW, answers=None):
    return {
        "decision": {"action": action, "minutes": 3.0, "because": ["a: 231 ms"]},
        "situation": {"now": now, "release": {"answers": answers or {"release": "2.3.1"}}},
        "verdicts": list(verdicts),
    }


BEFORE = report(failure())


@pytest.mark.parametrize(
    ("after", "news"),
    [
        (deepcopy(BEFORE), False),
        (report(failure(), now="2026-11-24T10:09:59Z"), False),  # less time left
        (report(failure(), now="2026-11-24T10:10:00Z"), True),  # none left
        (report(failure(), now="2026-11-24T10:10:00.5Z"), True),
        (report(failure(severity="critical", due=None)), True),
        (report(failure(), failure("b")), True),
        (report(failure("b")), True),
        (report(), True),
        (report(failure(), failure("b", outcome="inconclusive")), False),
        (report(failure(), failure("b", outcome="pass", due=None)), False),
        (report(failure(), action="rollback"), True),
        (report(failure(), answers={"release": "2.3.2"}), True),
        (report(failure(), answers={"release": "2.3.1", "second": "2.3.1"}), False),
        (report(failure(), answers={"release": "2.3.1", "second": "2.3.0"}), True),
    ],
)
def test_what_a_reader_would_do_something_else_about_is_news(after, news) -> None:
    assert is_news(BEFORE, after) is news


def test_a_time_that_was_over_before_is_none() -> None:
    assert not is_news(report(failure(), now="2026-11-24T10:11:00Z"), report(failure(), now="2026-11-24T10:16:00Z"))


@pytest.mark.parametrize(
    "before",
    [None, {}, {"decision": None}, BEFORE | {"verdicts": [{"item": "a", "severity": "high", "outcome": "fail"}]}],
)
def test_what_an_earlier_report_does_not_say_is_news(before) -> None:
    assert is_news(before, BEFORE)
