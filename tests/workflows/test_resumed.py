"""A second start resumes the deployment on record, for two hours after its finish, and adds only what was lacking."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from probekit.model.history import Deployment
from probekit.model.record import Identity
from probekit.workflows.options import RequestError
from probekit.workflows.resumed import resumed

START = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
COMMIT, DIGEST = "a" * 40, f"sha256:{'a' * 64}"
UNDER_WAY = Deployment(release="2", started=START, commit=COMMIT)
OVER = replace(UNDER_WAY, finished=START + timedelta(hours=1), failed=True)
LIMIT = timedelta(hours=3)
SAME = Identity(release="2")


@pytest.mark.parametrize(
    ("found", "after", "is_resumed"),
    [
        (UNDER_WAY, timedelta(days=9), True),
        (OVER, LIMIT, True),
        (OVER, LIMIT + timedelta(microseconds=1), False),
        (replace(OVER, rolled_back=OVER.finished), timedelta(hours=1), False),
        (replace(UNDER_WAY, rolled_back=START), timedelta(hours=1), False),
        (replace(UNDER_WAY, release="1"), timedelta(hours=1), False),
    ],
)
def test_a_deployment_is_resumed_until_two_hours_after_its_finish(found, after, is_resumed) -> None:
    again = resumed(found, SAME, START + after)

    assert again == (replace(found, finished=None, failed=False) if is_resumed else None)


def test_facts_are_added_and_none_is_replaced() -> None:
    again = resumed(OVER, Identity(release="2", commit=COMMIT[:7], images={"app": DIGEST}, previous="1"), START + LIMIT)

    assert again == replace(OVER, finished=None, failed=False, commit=COMMIT, images={"app": DIGEST}, previous="1")


def test_a_fact_that_contradicts_the_record_is_refused() -> None:
    with pytest.raises(RequestError, match=r"on record with commit a+, not b+"):
        resumed(OVER, Identity(release="2", commit="b" * 40), START + LIMIT)


def test_without_a_release_only_a_deployment_under_way_is_resumed() -> None:
    """Two deployments without a name may be of two releases."""
    unnamed = replace(UNDER_WAY, release=None)

    assert resumed(unnamed, Identity(), START + LIMIT) == unnamed
    assert resumed(replace(OVER, release=None), Identity(), START + timedelta(hours=1)) is None
