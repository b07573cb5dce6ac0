"""A planned period: what lies in it, and which windows a run has to do with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from probekit.model.maintenance import Maintenance, Period, in_force

FROM = datetime(2026, 12, 1, 22, tzinfo=UTC)
TO = FROM + timedelta(minutes=90)
SECOND = timedelta(seconds=1)
WINDOW = Maintenance(start=FROM, end=TO, reason="new storage")


@pytest.mark.parametrize(
    ("began", "now", "is_in_force"),
    [
        (FROM - 2 * SECOND, FROM - SECOND, False),
        (FROM - SECOND, FROM, True),
        (FROM, FROM + SECOND, True),
        (TO - SECOND, TO + SECOND, True),  # it measured in the window, although it ended after it
        (TO, TO + timedelta(hours=1), True),
        (TO + SECOND, TO + 2 * SECOND, False),
        (FROM - SECOND, TO + SECOND, True),
    ],
)
def test_a_window_is_in_force_for_a_run_that_has_some_of_its_time_in_it(began, now, is_in_force) -> None:
    assert in_force([WINDOW], began, now) == ((WINDOW,) if is_in_force else ())


def test_windows_in_force_are_in_order_and_each_once() -> None:
    earlier = Maintenance(start=FROM - SECOND, end=TO)

    assert in_force([WINDOW, earlier, WINDOW], FROM, FROM) == (earlier, WINDOW)


@pytest.mark.parametrize(
    ("start", "end"), [(FROM, FROM), (TO, FROM), (FROM.replace(tzinfo=None), TO.replace(tzinfo=None))]
)
def test_what_is_no_period_is_refused(start, end) -> None:
    with pytest.raises(ValueError, match="is not after its start, or a time zone is missing"):
        Period(start=start, end=end)


def test_it_is_told_in_utc_and_with_the_second_day_where_there_is_one() -> None:
    seoul = timezone(timedelta(hours=9))

    assert str(Period(start=FROM.astimezone(seoul), end=TO)) == "from 2026-12-01 22:00 to 23:30 UTC"
    assert str(Maintenance(start=FROM, end=TO + timedelta(hours=1), reason="new storage")) == (
        "from 2026-12-01 22:00 to 2026-12-02 00:30 UTC (new storage)"
    )
