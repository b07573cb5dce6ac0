"""When does the time of a failure end? A high one's is counted from the first on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from probekit.model.checklist import Severity
from probekit.model.verdict import Outcome, Verdict

SINCE = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("since", [SINCE, None])
def test_only_a_high_failure_on_record_is_due(make, severity, outcome, since) -> None:
    item = make.item("up == 1", severity=severity)
    verdict = Verdict(item=item, outcome=outcome, because="", since=since)

    has_time = severity is Severity.HIGH and outcome is Outcome.FAIL and since is not None
    assert verdict.due == (SINCE + timedelta(minutes=verdict.deadline.minutes) if has_time else None)
