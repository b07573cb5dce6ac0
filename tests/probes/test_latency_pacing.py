"""A target that keeps silent is asked little, and its silence is in the readings: whole samplings, in virtual time."""

from __future__ import annotations

import asyncio
import selectors
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from probekit.judging.evaluate import evaluate
from probekit.judging.statistics import Risks
from probekit.model.limit import parse_limit
from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.verdict import Outcome
from probekit.probe import Context, Window
from probekit.probes.latency import KIND, Latency
from probekit.probes.latency.pacing import Pacing
from probekit.probes.latency.tally import Schedule
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint

ADDRESS = Address(Endpoint("app.test", 80), "127.0.0.1")
HANGS, REFUSES = "hangs", "refuses"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class _Jumps(selectors.DefaultSelector):
    """Waits for nothing: time jumps to the next timer."""

    now = 0.0

    def select(self, timeout=None):
        assert timeout is not None, "nothing would ever happen again"
        self.now += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes only while all wait."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now


class Target:
    """Answers each request as `behave(moment, path)` says: seconds, (seconds, status), HANGS or REFUSES."""

    def __init__(self, behave, timeout) -> None:
        self.behave = behave
        self.timeout = timeout
        self.left = []  # moments and paths
        self.asked_alone = []  # as those on connections of their own
        self.opened = []
        self.in_flight = Counter()
        self.most_in_flight = Counter()

    def question(self, url):
        return url

    async def keep_alive(self, _url):
        self.opened.append(self._now())
        if self.behave(self._now(), None) == REFUSES:
            raise ProbeFailedError(Reason.UNREACHABLE, "refused")
        return self

    def prepare(self, url):
        return lambda: self._answer(url, self.left)

    async def get(self, url):
        return await self._answer(url, self.asked_alone)

    async def answers_anything(self, _url, _answer) -> bool:
        return False

    async def close(self) -> None:
        pass

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _answer(self, url, kept) -> Answer:
        path, began = url.removeprefix("http://app.test"), self._now()
        kept.append((began, path))
        behaviour = self.behave(began, path)
        if behaviour == REFUSES:
            raise ProbeFailedError(Reason.UNREACHABLE, "refused")
        seconds, status = behaviour if isinstance(behaviour, tuple) else (behaviour, 200)
        self.in_flight[path] += 1
        self.most_in_flight[path] = max(self.most_in_flight[path], self.in_flight[path])
        await asyncio.sleep(self.timeout if seconds == HANGS else min(seconds, self.timeout))
        self.in_flight[path] -= 1
        if seconds == HANGS or seconds > self.timeout:
            raise ProbeFailedError(Reason.UNREACHABLE, "no answer")
        took = self._now() - began
        phases = Phases(
            connect=0, tls=None, first_byte=took, response=took, total=took, arrived=self._now(), local_delay=0
        )
        return Answer(url=url, address=ADDRESS, status=status, headers=(), body=b"ok", phases=phases)


def sampled(behave, *, rate=55.0, paths=("/a",), blocks=6, block=10.0, timeout=5.0, allow=("load",), budget=None):
    """The readings of a whole sampling, and the target with what it got."""

    async def whole():
        loop = asyncio.get_running_loop()
        window = Window(
            block=block,
            least=blocks,
            goes_on=lambda: False,
            now=lambda: NOON + timedelta(seconds=loop.time()),
            sleep=asyncio.sleep,
        )
        context = Context(
            base_url="http://app.test",
            timeout=timeout,
            http=target,
            reveal=str,
            now=window.now,
            allow=frozenset(allow),
            window=window,
            budget=budget,
        )
        config = Latency(kind="latency", rate=rate, routes=[{"path": path} for path in paths])
        return [readings async for readings in KIND.sample(config, context)]

    target = Target(behave, timeout)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        (readings,) = runner.run(whole())
    return readings, target


def outcome(readings, limit):
    limit = parse_limit(limit)
    return evaluate(readings.values[limit.metric], limit, Risks()).outcome


def sample_of(readings):
    return readings.values["p95"].sample


def dead_at(moment, how=HANGS, until=1e9):
    return lambda now, _path: how if moment <= now < until else 0.02


@pytest.mark.parametrize("allow", [(), ("load",)])
@pytest.mark.parametrize("how", [HANGS, REFUSES])
@pytest.mark.parametrize("timeout", [2.0, 5.0, 10.0])
def test_a_target_that_is_dead_gets_few_requests_and_fails(how, allow, timeout) -> None:
    readings, target = sampled(dead_at(0, how), allow=allow, timeout=timeout, rate=55 if allow else 5)

    assert 3 <= len(target.left or target.opened) <= 20
    assert len(target.opened) <= 20
    assert outcome(readings, "error_rate < 0.1 %") is Outcome.FAIL
    assert outcome(readings, "p95 < 500 ms") is Outcome.FAIL
    assert "ended early" in readings.summary


def test_until_the_first_answer_nothing_else_leaves_and_one_connection_is_open() -> None:
    _, target = sampled(lambda now, _path: 3.0 if now < 1 else 0.02, blocks=6, block=2.0)

    assert [now for now, _ in target.left if now < 3] == [0]
    assert len([now for now in target.opened if now < 3]) == 1


@pytest.mark.parametrize("how", [HANGS, REFUSES])
def test_a_target_that_dies_meanwhile_gets_twenty_requests_more(how) -> None:
    readings, target = sampled(dead_at(20, how), blocks=12)

    after = [now for now, _ in target.left if now >= 20]
    assert len(after) <= 20
    assert all(later - earlier > 1 for earlier, later in pairwise(after[17:]))
    assert outcome(readings, "error_rate < 0.1 %") is Outcome.FAIL
    assert outcome(readings, "error_rate < 5 %") is not Outcome.PASS
    assert outcome(readings, "p95 < 500 ms") is not Outcome.PASS
    assert "ended early" in readings.summary


def test_a_target_that_dies_late_in_a_long_window_passes_nothing() -> None:
    readings, _ = sampled(dead_at(870), blocks=90, rate=10.0)

    assert outcome(readings, "error_rate < 0.1 %") is Outcome.FAIL
    assert outcome(readings, "error_rate < 1 %") is not Outcome.PASS


def test_without_load_a_block_of_nothing_but_timeouts_is_silence() -> None:
    _, target = sampled(dead_at(20), allow=(), rate=5.0, blocks=12)

    assert len([now for now, _ in target.left if now >= 20]) <= 20


def test_what_was_due_in_a_stall_is_in_the_percentiles() -> None:
    """Four seconds in which nothing is answered: an open loop that never holds sees 220 slow starts."""

    def stalls(now, _path):
        return 24.0 - now if 20 <= now < 24 else 0.02

    readings, target = sampled(stalls, blocks=6)

    sample = sample_of(readings)
    slow = sum(value >= 500_000 for values in sample.values for value in values)
    assert 185 <= slow <= 195  # 55 a second for 3.5 s
    assert sum(sample.failures) == sum(sample.unsent) == 0
    assert len([now for now, _ in target.left if 20 <= now < 24]) <= 20
    assert max(delay for delays in sample.delays for delay in delays) < 20_000  # an answer in flight ended it


def test_what_was_due_in_an_outage_failed_and_own_blindness_is_own_delay() -> None:
    readings, target = sampled(dead_at(20, until=37), blocks=6)

    sample = sample_of(readings)
    assert sum(sample.unsent) == 0
    assert len([now for now, _ in target.left if 20 <= now < 37]) <= 20
    assert 55 * 10 <= sum(sample.failures) <= 55 * 17  # those due in the last seconds may have been answered in time
    assert sum(sample.failures[:2]) <= 1  # the schedule begins with the first answer
    assert sum(sample.failures[4:]) == 0
    assert outcome(readings, "error_rate < 0.1 %") is not Outcome.PASS
    assert outcome(readings, "p95 < 500 ms") is not Outcome.PASS


def test_seconds_in_which_a_silent_target_is_not_asked_are_no_delay_of_its_own() -> None:
    """It refuses for two seconds, and is asked again when the next block begins."""
    readings, _ = sampled(dead_at(21, REFUSES, until=23), blocks=6)

    sample = sample_of(readings)
    blocks = zip(sample.values, sample.delays, strict=True)
    theirs = [value - delay for values, delays in blocks for value, delay in zip(values, delays, strict=True)]
    assert max(theirs) < 2_100_000
    assert sum(sample.failures) <= 60


def test_a_slow_answer_delays_nothing_and_its_numbers_are_the_target_s() -> None:
    readings, target = sampled(lambda _now, _path: 1.0)

    sample = sample_of(readings)
    assert len(target.left) == 3300
    assert {round(value, -4) for values in sample.values for value in values} == {1_000_000}
    assert (sum(sample.failures), sum(sample.unsent)) == (0, 0)
    assert all(round(later - earlier, 3) in {0.018, 0.019} for (earlier, _), (later, _) in pairwise(target.left[1:]))


@pytest.mark.parametrize("seconds", [0.02, 1.0, 3.0, 4.5])
@pytest.mark.parametrize("paths", [("/a",), ("/a", "/b", "/c", "/d")])
def test_a_target_that_answers_slowly_but_surely_gets_every_request(seconds, paths) -> None:
    readings, target = sampled(lambda _now, _path: seconds, paths=paths)

    assert len(target.left) == 3300
    assert {round(value, -4) for values in sample_of(readings).values for value in values} == {seconds * 1e6}


@pytest.mark.parametrize(("allow", "rate"), [((), 5.0), (("load",), 55.0)])
def test_a_route_that_hangs_leaves_the_others_alone(allow, rate) -> None:
    paths = ("/a", "/b", "/c", "/d")
    readings, target = sampled(lambda _now, path: HANGS if path == "/d" else 0.02, paths=paths, allow=allow, rate=rate)

    asked = Counter(path for _, path in target.left)
    assert asked["/a"] == asked["/b"] == asked["/c"] == rate * 60 / 4
    assert target.most_in_flight["/d"] <= (3 if not allow else 15)
    later = [now for now, path in target.left if path == "/d" and now > 10]
    assert len(later) == 5
    assert outcome(readings, "error_rate < 0.1 %") is Outcome.FAIL
    assert outcome(readings, "p95 < 500 ms") is not Outcome.PASS
    assert sum(sample_of(readings).unsent) == 0


def test_a_route_that_answers_again_is_asked_again() -> None:
    paths = ("/a", "/b")
    _, target = sampled(lambda now, path: HANGS if path == "/b" and now < 25 else 0.02, paths=paths, allow=(), rate=5.0)

    assert len([now for now, path in target.left if path == "/b" and now > 45]) > 30


@pytest.mark.parametrize(
    ("again", "reason"),
    [(200, Reason.ACCESS_DENIED), (503, None), (500, None), (HANGS, None), (REFUSES, None)],
)
def test_503_at_the_rate_of_the_sampling_is_asked_again_slowly(again, reason) -> None:
    def behave(now, _path):
        if now < 60:
            return (0.02, 503) if int(now * 55) % 5 == 0 else 0.02
        return again if isinstance(again, str) else (0.02, again if int(now) == 80 else 200)

    readings, target = sampled(behave)

    found = readings.values["error_rate"]
    if reason is None:
        assert outcome(readings, "error_rate < 0.1 %") is Outcome.FAIL
        return
    assert isinstance(found, Failure)
    assert found.reason is reason
    assert set(readings.values.values()) == {found}
    assert found.detail.startswith("throttled at 55 a second: 2")
    assert found.detail.endswith(
        "% of 3300 requests got 503, but all of 44 at one a second were answered: lower 'rate'"
    )
    assert len(target.asked_alone) == 44
    assert all(later - earlier >= 1 for (earlier, _), (later, _) in pairwise(target.asked_alone))


@pytest.mark.parametrize(
    ("behaviours", "rate"),
    [
        ([(0.02, 503)] * 1 + [0.02] * 15, 55.0),  # too few
        ([(0.02, 503)] * 2 + [(0.02, 500)] + [0.02] * 5, 55.0),  # another failure
        ([(0.02, 503)] * 2 + [HANGS] + [0.02] * 50, 5.0),
        ([(0.02, 503)] * 2 + [0.02] * 5, 1.0),  # that slow already
        ([0.02], 5.0),
    ],
)
def test_other_failures_count_as_they_were_measured(behaviours, rate) -> None:
    numbers = iter(range(100_000))

    readings, target = sampled(lambda _now, path: behaviours[next(numbers) % len(behaviours)] if path else 0, rate=rate)

    assert target.asked_alone == []
    assert sum(sample_of(readings).failed().trials) == rate * 60


def test_routes_that_failed_are_asked_again_in_turn() -> None:
    paths = ("/a", "/b", "/c")

    def behave(now, path):
        return (0.02, 503 if now < 60 and path != "/a" else 200)

    _, target = sampled(behave, paths=paths, rate=5.0)

    assert Counter(path for _, path in target.asked_alone) == {"/b": 22, "/c": 22}


@pytest.mark.parametrize("status", [401, 403, 429])
def test_to_be_access_denied_ends_all(status) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        sampled(lambda now, _path: (0.02, status if now > 5 else 503))

    assert caught.value.reason is Reason.ACCESS_DENIED


def test_a_slow_answer_to_every_question_ends_the_questions() -> None:
    readings, target = sampled(
        lambda now, _path: (0.02, 503) if now < 60 and int(now * 55) % 5 == 0 else 0.02 if now < 60 else 4.0
    )

    assert 10 < len(target.asked_alone) < 44
    assert outcome(readings, "error_rate < 0.1 %") is Outcome.FAIL


@pytest.fixture
def pacing():
    """Of ten starts a second over six blocks of ten seconds, with a timeout of five."""
    return Pacing(Schedule(rate=10, starts=600, blocks=6, routes=1, block=10.0), 5.0)


def test_a_silent_target_is_asked_one_at_a_time_six_times_a_block(pacing) -> None:
    left = []
    for number in range(300):
        now = number / 10
        if pacing.admits(number, now, now):
            left.append(number)
            pacing.failed(number, now + 0.01)

    assert left == [0, 17, 34, 51, 68, 85, 100, 117, 134, 151, 168, 185, 200, 217, 234, 251, 268]


def test_nothing_else_is_asked_while_the_first_request_is_in_flight(pacing) -> None:
    assert [number for number in range(150) if pacing.admits(number, number / 10, number / 10)] == [0, 100]


@pytest.mark.parametrize(
    ("left", "took", "now", "admitted"),
    [
        (16, 0.02, 9.0, True),  # too few to tell
        (17, 0.02, 0.3, True),  # too early
        (17, 0.02, 0.4, False),
        (17, 3.0, 8.9, True),  # it answers slowly but surely
        (17, 3.0, 9.1, False),
    ],
)
def test_so_many_without_an_answer_for_so_long_are_silence(pacing, left, took, now, admitted) -> None:
    pacing.admits(0, 0.0, 0.0)
    pacing.answered(0, took, took)
    for number in range(1, 1 + left):
        assert pacing.admits(number, took, took)

    assert pacing.admits(50, now, now) is admitted


def test_a_held_start_took_until_the_answer_less_what_was_not_asked(pacing) -> None:
    assert [pacing.admits(number, number / 10, number / 10) for number in (0, 1, 19)] == [True, False, False]
    pacing.failed(0, 2.0)
    assert [pacing.admits(number, number / 10, number / 10) for number in (22, 25)] == [True, False]

    fates = {fate.number: (fate.seconds, fate.own) for fate in pacing.answered(22, 6.7, 6.8)}

    assert fates[1] == (None, 0.0)  # 6.6 s, of which 0.2 s were not asked
    assert fates[19] == pytest.approx((4.9, 0.2 + 0.1))  # and the answer was read 0.1 s late
    assert fates[25] == pytest.approx((4.3, 0.1))  # a request was in flight all the time


def test_what_is_held_at_the_end_failed_where_the_silence_outlasts_its_timeout(pacing) -> None:
    for number, now in [(0, 0.0), (49, 4.9), (51, 5.1), (52, 5.2)]:
        pacing.admits(number, now, now)
    pacing.failed(0, 9.95)

    lost, not_due = pacing.ended()

    assert ([fate.number for fate in lost], not_due) == ([49], [51, 52])
