"""Windows of time: an absolute schedule, watchers beside the run, and blocks that make one reading."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from probekit.engine.windows import put_together
from probekit.model.measurement import Failure, Reason
from probekit.model.readings import Complement, Exact, LatencySample, Mean, Quantile, Share
from probekit.probe import Readings, Window

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
LOST = Failure(reason=Reason.UNREACHABLE, detail="gone")


@pytest.fixture
def window():
    """A window on a clock that sleeping moves; and that clock."""

    class Time:
        now = START

        async def sleep(self, seconds: float) -> None:
            self.now += timedelta(seconds=seconds)
            await asyncio.sleep(0)

    def build(goes_on=lambda: False, least=6, block=10.0):
        time = Time()
        return Window(block=block, least=least, goes_on=goes_on, now=lambda: time.now, sleep=time.sleep), time

    return build


async def test_a_window_has_its_least_number_of_blocks(window) -> None:
    six, time = window()

    assert [await six.next() for _ in range(8)] == [True] * 6 + [False] * 2
    assert time.now == START + timedelta(seconds=60)


async def test_a_watcher_goes_on_as_long_as_the_run_does(window) -> None:
    left = iter([True] * 3)
    longer, _ = window(goes_on=lambda: next(left, False), least=2)

    blocks = 0
    while await longer.next():
        blocks += 1

    assert blocks == 2 + 3


async def test_a_slow_reading_delays_no_later_block(window) -> None:
    six, time = window()

    await six.next()
    time.now += timedelta(seconds=7)  # the reading of the first block
    await six.next()

    assert time.now == START + timedelta(seconds=20)


def test_shares_and_levels_are_strung_together_and_of_a_count_the_largest_is_kept() -> None:
    blocks = [
        Readings(
            f"block {number}",
            hits=Complement(Share((number,), (10,))),
            slow=Exact(slow),
            cpu=Mean((slow,)),
        )
        for number, slow in enumerate([0, 3, 1])
    ]

    whole = put_together(blocks)

    assert whole.values == {
        "hits": Complement(Share((0, 1, 2), (10, 10, 10))),
        "slow": Exact(3),
        "cpu": Mean((0, 3, 1)),
    }
    assert whole.summary == "block 2"


@pytest.mark.parametrize("order", [1, -1])
def test_a_failure_in_any_block_stands(order) -> None:
    blocks = [Readings(hits=Share((0,), (10,))), Readings(hits=LOST)][::order]

    assert put_together(blocks).values == {"hits": LOST}


def test_what_only_the_last_block_gives_is_kept() -> None:
    assert put_together([Readings(a=Exact(1)), Readings(a=Exact(0), b=Exact(7))]).values == {
        "a": Exact(1),
        "b": Exact(7),
    }


def test_a_sample_is_given_whole() -> None:
    sample = LatencySample(((1,),), ((0,),), (0,), (0,))

    with pytest.raises(TypeError, match="given whole"):
        put_together([Readings(p95=Quantile(sample, 0.95))] * 2)
