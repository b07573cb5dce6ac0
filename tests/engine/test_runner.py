"""Looks, attempts, spacing, guards and controls; no exception escapes a probe, nothing seen is lost."""

from __future__ import annotations

import asyncio
import time as clock
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from builders import Make

from probekit.config.settings import Environment
from probekit.engine import measure as measuring
from probekit.engine.context import Cancellation, Clock, RunContext, RunObserver, steady_clock
from probekit.engine.runner import run
from probekit.model.history import Deployment, History
from probekit.model.measurement import Failure, ProbeFailedError, Reason
from probekit.model.plan import Bounds, Retry, Versions
from probekit.model.readings import Exact, Summary
from probekit.probe import Kind, Metric, ProbeConfig, Readings
from probekit.redaction import Redactor
from probekit.transport.client import Http
from probekit.transport.resolver import Resolver
from probekit.transport.urls import Endpoint

LEFT = "the name no longer resolves to 192.0.2.2:443"
START = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Time:
    """A clock that is moved by sleeping: a spread of 20 s costs nothing."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class Double:
    """A kind that answers what the test says and keeps what it was asked."""

    def __init__(self) -> None:
        self.contexts = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.answer = lambda _context: Readings(up=Exact(1), status=Exact(200))

    async def measure(self, _config, context):
        self.contexts.append(context)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            answer = self.answer(context)
            return await answer if asyncio.iscoroutine(answer) else answer
        finally:
            self.in_flight -= 1


class Settings(ProbeConfig):
    kind: str = "double"


@pytest.fixture
def double():
    return Double()


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def go(double, time, make):
    """Run steps of the double against these addresses."""

    async def one(
        *steps,
        addresses=("192.0.2.1",),
        more=None,
        each_address=False,
        endpoint=True,
        guard=None,
        sample=None,
        **wishes,
    ):
        kind = Kind(
            config=Settings,
            metrics=(Metric(name="up", unit="", help="", role="reached"), Metric(name="status", unit="", help="")),
            measure=double.measure,
            sample=sample,
            endpoint=(lambda _config, _base: Endpoint("app.test", 443)) if endpoint else None,
            each_address=each_address,
            example='kind = "double"\n',
        )
        source = kind.configure({"kind": "double"})
        steps, guards = (
            tuple(replace(one, source=source, each_address=each_address) for one in some)
            for some in (steps, (guard and [guard]) or [])
        )
        facts = {"base_url": "https://app.test", "scope": ["a"], "settle": "30s"} | wishes.pop("environment", {})
        environment = Environment.model_validate(facts)
        look_up = wishes.pop("look_up", lambda _endpoint: addresses)
        order = RunContext(
            environment=environment,
            http=wishes.pop("http", None) or Http(run="test", resolver=Resolver(look_up=look_up)),
            reveal=str,
            redactor=wishes.pop("redactor", Redactor()),
            clock=Clock(now=lambda: time.now, sleep=time.sleep),
            settle=wishes.pop("settle", False),
            **wishes,
        )
        plan = make.plan(steps=steps, release_guards=guards, versions=Versions(expected=("2",)))
        return await run(plan, more or (lambda _step, _attempts: None), order)

    return one


def step(**fields):
    defaults = {"kind": "double", "wanted": frozenset({"up", "status", "indexes"})}
    return Make().step(**defaults | {"reachability_metrics": frozenset({"up", "status"})} | fields)


async def test_measurements_whose_durations_count_are_taken_alone_one_after_another(go, double) -> None:
    await go(step(timed=frozenset({"status"})))

    assert [context.http.alone for context in double.contexts] == [True] * 8
    assert double.most_in_flight == 1


@pytest.fixture
def hang(double, time, monkeypatch):
    """From the measurement of that number on, each takes its whole timeout and gets no answer."""
    monkeypatch.setattr(measuring, "perf_counter", lambda: time.now.timestamp())  # noqa: PLW0108  # time.now is another each time

    def from_measurement(number):
        async def silent(seconds):
            time.now += timedelta(seconds=seconds)
            return Readings(up=Exact(0))

        def answer(context):
            hangs = len(double.contexts) > number
            return silent(context.timeout) if hangs else Readings(up=Exact(1), status=Exact(200))

        double.answer = answer

    return from_measurement


@pytest.mark.parametrize("timed", [frozenset({"status"}), frozenset()])
@pytest.mark.parametrize(("number", "taken"), [(0, 1), (3, 4)])
async def test_an_attempt_ends_with_the_first_measurement_that_times_out(
    go, double, hang, timed, number, taken
) -> None:
    hang(number)

    seen = await go(step(timed=timed, spread=0.0, in_flight=1 if number else 4))

    (attempt,) = seen.attempts["health", ""]
    assert [one.reached for one in attempt.measurements] == [True] * number + [False]
    assert len(double.contexts) == taken


async def test_what_is_silent_at_many_addresses_is_not_waited_for_in_a_row(go, double) -> None:
    double.answer = lambda _context: Readings(up=Exact(0))

    await go(
        step(timed=frozenset({"status"}), spread=0.0),
        addresses=tuple(f"192.0.2.{number}" for number in range(1, 7)),
        each_address=True,
    )

    assert [context.http.alone for context in double.contexts].count(True) == 1
    assert double.most_in_flight > 1


async def test_a_refusal_takes_no_time_and_ends_no_attempt(go, double) -> None:
    double.answer = lambda _context: Readings(up=Exact(0))

    assert len((await go(step(spread=0.0))).attempts["health", ""][0].measurements) == 8


async def test_what_hangs_is_asked_three_times_in_all(go, double, hang) -> None:
    hang(0)

    await go(step(), more=lambda _step, attempts: Retry() if len(attempts) < 3 else None)

    assert len(double.contexts) == 3


async def test_no_measurement_begins_before_the_first_one_is_answered(go, double) -> None:
    begun = []

    def answer(_context):
        begun.append(double.in_flight)
        return Readings(up=Exact(1))

    double.answer = answer
    await go(step(spread=0.0))

    assert begun[0] == 1
    assert double.most_in_flight == 4


async def test_failures_are_confirmed_when_nothing_else_is_measured(go, double) -> None:
    order, here = [], Counter()

    async def answer(context):
        address = str(context.address)
        here[address] += 1
        order.append((address, double.in_flight, here[address]))
        await asyncio.sleep(0)
        here[address] -= 1
        return Readings(up=Exact(0))

    double.answer = answer
    addresses = tuple(f"192.0.2.{number}" for number in range(1, 7))
    seen = await go(
        step(probe="one"), step(probe="two"), addresses=addresses, each_address=True,
        more=lambda _step, attempts: Retry() if len(attempts) < 2 else None,
    )  # fmt: skip

    first = sum(len(attempts[0].measurements) for attempts in seen.attempts.values())
    confirming = order[first:]
    assert all(len(attempts[1].measurements) == 1 for attempts in seen.attempts.values())
    assert Counter(address for address, _, _ in confirming) == {f"{address}:443": 2 for address in addresses}
    assert max(in_flight for _, in_flight, _ in confirming) == 4
    assert {at_once for _, _, at_once in confirming} == {1}


async def test_each_of_many_addresses_gets_fewer_measurements(go) -> None:
    addresses = tuple(f"192.0.2.{number}" for number in range(1, 21))
    few, many = [await go(step(), addresses=some, each_address=True) for some in (addresses[:4], addresses)]

    assert {len(attempts[0].measurements) for attempts in few.attempts.values()} == {8}
    assert {len(attempts[0].measurements) for attempts in many.attempts.values()} == {3}


@pytest.mark.parametrize(
    ("addresses", "listed", "families", "uncounted"),
    [
        (("192.0.2.1", "2001:db8::1"), None, {4}, {"[2001:db8::1]:443": "IPv6 not tested from here"}),
        (("192.0.2.1", "2001:db8::1"), None, {6}, {"192.0.2.1:443": "IPv4 not tested from here"}),
        (("192.0.2.1", "2001:db8::1"), None, {4, 6}, {}),
        (("192.0.2.1", "2001:db8::1"), None, set(), {}),  # nothing at all was reached: no family is to blame
        (("192.0.2.1", "192.0.2.2"), ("192.0.2.1",), {4}, {"192.0.2.2:443": LEFT}),
    ],
)  # fmt: skip
async def test_silence_of_an_address_that_was_not_tested_tells_nothing(
    go, double, addresses, listed, families, uncounted
) -> None:
    double.answer = lambda _context: Readings(up=Exact(0))
    asked = iter([addresses])
    http = Http(run="test", resolver=Resolver(look_up=lambda _endpoint: next(asked, listed or addresses)))
    http.families.update(families)

    seen = await go(step(), each_address=True, http=http)

    assert seen.uncounted == uncounted


async def test_an_address_that_gave_readings_is_not_silent_where_its_kind_says_nothing_of_reach(go, double) -> None:
    double.answer = lambda _context: Readings(status=Exact(1))
    asked = iter([("192.0.2.1", "192.0.2.2")])

    seen = await go(step(repeat=1), look_up=lambda _endpoint: next(asked, ("192.0.2.3",)), each_address=True)

    assert seen.uncounted == {}


async def test_once_the_decision_is_fixed_no_window_begins_and_no_watcher_is_waited_for(go, double, time) -> None:
    sampled = []

    async def sample(_config, context):
        sampled.append(context)
        await context.window.next()
        yield Readings(up=Exact(1))
        await asyncio.Event().wait()

    seen = await go(
        step(),
        step(probe="watch", turn="background", window=60.0),
        step(probe="load", turn="exclusive", window=60.0),
        step(probe="more", turn="exclusive"),
        step(probe="burst", turn="final"),
        sample=sample,
        is_decided=lambda seen: ("health", "") in seen.attempts,
    )

    left_out = {probe: attempts[0].measurements[0].values["up"] for (probe, _), attempts in seen.attempts.items()}
    assert [left_out[probe] for probe in ("health", "more")] == [Exact(1)] * 2
    for probe in ("watch", "load", "burst"):
        assert left_out[probe] == Failure(reason=Reason.NOT_MEASURED, detail="decision fixed")
    assert seen.complete
    assert len(sampled) == 1


async def test_durations_that_no_limit_holds_keep_nobody_waiting(go, double) -> None:
    await go(step(timed=frozenset({"connect"})))

    assert not any(context.http.alone for context in double.contexts)


BOUNDS = {"up": Bounds(low=0, high=1, is_claim=True), "status": Bounds(low=0, high=100)}


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"up": Exact(1), "status": Exact(100)}, {}),
        ({"up": Exact(2), "status": Exact(0)}, {"up": "2 is impossible, expected 0 or 1"}),
        ({"up": Exact(0.5), "status": Exact(-1)}, {"up": "0.5 is", "status": "-1 is impossible, expected 0 to 100"}),
        ({"status": Exact(100.1)}, {"status": "100.1 is impossible"}),
        ({"status": Summary(250, 40)}, {"status": "250 is impossible"}),
        ({"indexes": Exact(-5)}, {}),
    ],
)
async def test_a_number_that_cannot_be_is_no_reading(go, double, said, refused) -> None:
    double.answer = lambda _context: Readings(**said)

    seen = await go(step(repeat=1, bounds=BOUNDS))

    values = seen.measurements[0].values
    found = {name: value.detail for name, value in values.items() if isinstance(value, Failure)}
    assert set(found) == set(refused)
    assert all(told in found[name] for name, told in refused.items())


def versioned(version, **values):
    readings = Readings(**values)
    readings.version = version
    return readings


async def test_the_first_attempt_takes_every_look_whether_or_not_one_succeeds(go, double) -> None:
    seen = await go(step())

    (attempt,) = seen.attempts["health", ""]
    assert len(attempt.measurements) == len(double.contexts) == 8
    assert seen.complete


async def test_looks_start_spread_over_their_time_and_few_are_in_flight(go, double, time) -> None:
    await go(step())

    assert sorted(time.slept) == [2.5 * number for number in range(1, 8)]
    assert double.most_in_flight <= 4


@pytest.mark.parametrize(("addresses", "least"), [(2, 4), (3, 2), (10, 1)])
async def test_every_resolved_address_is_looked_at(go, double, addresses, least) -> None:
    await go(step(), addresses=tuple(f"192.0.2.{number}" for number in range(addresses)))

    measurements = Counter(context.address.ip for context in double.contexts)
    assert len(measurements) == addresses
    assert min(measurements.values()) >= least


async def test_once_a_look_has_reached_the_target_only_reachability_is_asked_for(go, double) -> None:
    seen = await go(step(in_flight=1))

    asked = [measurement.asked for measurement in seen.attempts["health", ""][0].measurements]
    assert asked == [frozenset({"up", "status", "indexes"}), *[frozenset({"up", "status"})] * 7]


async def test_until_a_look_has_reached_the_target_everything_is_asked_for(go, double) -> None:
    double.answer = lambda _context: Readings(up=Exact(0))

    seen = await go(step(in_flight=1))

    assert {measurement.asked for measurement in seen.attempts["health", ""][0].measurements} == {
        frozenset({"up", "status", "indexes"})
    }


async def test_what_writes_is_asked_at_one_address_once_an_attempt(go, double) -> None:
    double.answer = lambda _context: Readings(up=Exact(0))

    await go(
        step(repeat=1, attempts=3, writes=True),
        addresses=("192.0.2.1", "192.0.2.2"),
        more=lambda _step, _attempts: Retry(),
    )

    assert [context.address.ip for context in double.contexts] == ["192.0.2.1"] * 3


async def test_further_attempts_wait_their_spacing_and_take_each_address_once(go, time) -> None:
    seen = await go(
        step(),
        addresses=("192.0.2.1", "192.0.2.2", "192.0.2.3"),
        more=lambda _step, attempts: Retry() if len(attempts) < 3 else None,
    )

    attempts = seen.attempts["health", ""]
    assert [len(attempt.measurements) for attempt in attempts] == [8, 3, 3]
    assert time.slept.count(10.0) == 2 + 1  # one of the spread measurements starts at 10 s, too


async def test_no_more_attempts_than_the_plan_says(go) -> None:
    seen = await go(step(attempts=3), more=lambda _step, _attempts: Retry())

    assert len(seen.attempts["health", ""]) == 3


async def test_a_stray_look_is_asked_again_at_its_own_address(go, double) -> None:
    asked = []

    def once(_step, attempts):
        asked.append(len(attempts))
        return Retry(rechecks=24, at=("192.0.2.2:443",), each=8) if len(asked) == 1 else None

    seen = await go(step(), addresses=tuple(f"192.0.2.{number}" for number in range(1, 13)), more=once)

    (attempt,) = seen.attempts["health", ""]
    assert len(attempt.rechecks) == 24
    assert Counter(measurement.address for measurement in attempt.rechecks)["192.0.2.2:443"] >= 8


async def test_each_address_is_an_instance_of_its_own_where_the_kind_says_so(go) -> None:
    seen = await go(step(repeat=1), addresses=("192.0.2.1", "2001:db8::1"), each_address=True)

    assert set(seen.attempts) == {("health", "192.0.2.1:443"), ("health", "[2001:db8::1]:443")}


@pytest.mark.parametrize("budget", [40, None])
async def test_a_kind_is_told_what_it_may_send(go, double, budget) -> None:
    await go(step(repeat=1, budget=budget))

    assert {context.budget for context in double.contexts} == {budget}


async def test_a_kind_that_connects_nowhere_takes_one_look(go, double) -> None:
    seen = await go(step(repeat=1), endpoint=False)

    assert len(seen.attempts["health", ""][0].measurements) == 1
    assert double.contexts[0].address is None


async def test_a_kind_waits_by_the_clock_of_the_run(go, double, time) -> None:
    async def waits(context):
        before = context.now()
        await context.sleep(61.0)
        return Readings(up=Exact(1), status=Exact((context.now() - before).total_seconds()))

    double.answer = waits

    seen = await go(step(repeat=1, spread=0.0))

    (attempt,) = seen.attempts["health", ""]
    assert attempt.measurements[0].values["status"] == Exact(61.0)
    assert time.slept == [61.0]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProbeFailedError(Reason.ACCESS_DENIED, "403"), Reason.ACCESS_DENIED),
        (ZeroDivisionError("password=hunter2"), Reason.BUG),
        (ExceptionGroup("many", [ValueError()]), Reason.BUG),
        (RecursionError(), Reason.BUG),
        (SystemExit(0), Reason.BUG),  # its code would be a go
    ],
)
async def test_no_exception_escapes_a_probe(go, double, error, reason) -> None:
    def fail(_context):
        raise error

    double.answer = fail

    seen = await go(step())

    (attempt,) = seen.attempts["health", ""]
    readings = {reading for measurement in attempt.measurements for reading in measurement.values.values()}
    assert {reading.reason for reading in readings} == {reason}
    assert "hunter2" not in str(readings)
    assert seen.complete


async def test_what_a_kind_returns_that_is_no_reading_is_its_bug(go, double) -> None:
    double.answer = lambda _context: None

    seen = await go(step())

    assert seen.attempts["health", ""][0].measurements[0].values["up"].reason is Reason.BUG


async def test_one_broken_kind_leaves_its_neighbours_their_readings(go, double) -> None:
    def fail_for_one(context):
        if context.wanted == {"status"}:
            raise ZeroDivisionError
        return Readings(up=Exact(1))

    double.answer = fail_for_one

    seen = await go(
        step(), step(probe="other", repeat=1, wanted=frozenset({"status"}), reachability_metrics=frozenset())
    )

    assert seen.attempts["health", ""][0].measurements[0].values["up"] == Exact(1)
    assert seen.attempts["other", ""][0].measurements[0].values["status"].reason is Reason.BUG


async def test_secrets_are_taken_out_of_what_a_target_says(go, double) -> None:
    redactor = Redactor()
    redactor.learn("planted-secret")
    double.answer = lambda _context: Readings(
        "it echoes planted-secret", up=Failure(reason=Reason.BAD_RESPONSE, detail="planted-secret")
    )

    seen = await go(step(), redactor=redactor)

    assert "planted-secret" not in str(seen.measurements)


async def test_a_name_that_does_not_resolve_is_a_reason_for_every_metric(go) -> None:
    def nothing(_endpoint):
        raise OSError("no such name")

    seen = await go(step(), look_up=nothing)

    (attempt,) = seen.attempts["health", ""]
    assert {value.reason for value in attempt.measurements[0].values.values()} == {Reason.UNRESOLVED}


async def test_the_run_waits_until_the_release_has_settled(go, double, time) -> None:
    deployment = Deployment(release="2", started=START, finished=START - timedelta(seconds=12))

    await go(step(repeat=1), history=History(deployment=deployment), settle=True)

    assert time.slept == [18.0]
    assert double.contexts[0].settling_since == deployment.mark


async def test_without_a_deployment_settling_counts_from_the_run_s_start(go, double, time) -> None:
    await go(step(repeat=1), settle=True)

    assert time.slept == [30.0]
    assert double.contexts[0].settling_since == START


async def test_a_deployment_mark_in_the_future_is_not_waited_for_beyond_the_settle_time(go, time) -> None:
    history = History(deployment=Deployment(release="2", started=START + timedelta(days=9)))

    await go(step(repeat=1), history=history, settle=True)

    assert time.slept == [30.0]


async def test_the_release_is_read_on_every_address_before_and_after(go, double) -> None:
    double.answer = lambda _context: versioned("2", other_versions=Exact(0), up=Exact(1))
    guard = step(probe="release", repeat=1, wanted=frozenset({"other_versions"}), reachability_metrics=frozenset())

    seen = await go(step(repeat=1), guard=guard, addresses=("192.0.2.1", "192.0.2.2"))

    assert [measurement.address for measurement in seen.guard_measurements] == ["192.0.2.1:443", "192.0.2.2:443"] * 2
    asked = [context.wanted for context in double.contexts]
    assert asked[:2] == asked[-2:] == [frozenset({"other_versions"})] * 2


async def test_every_guard_looks_several_times_at_each_address(go, double) -> None:
    double.answer = lambda _context: Readings(other_versions=Exact(0), up=Exact(1))
    guard = step(probe="release", repeat=4, wanted=frozenset({"other_versions"}), reachability_metrics=frozenset())

    seen = await go(guard=guard, addresses=("192.0.2.1", "192.0.2.2"))

    assert len(seen.guard_measurements) == 2 * 2 * 4
    assert {len(attempts[0].measurements) for attempts in seen.attempts.values()} == {2 * 4}


async def test_a_guard_of_many_addresses_reads_each_of_them_twice(go) -> None:
    guard = step(probe="release", repeat=8, wanted=frozenset({"other_versions"}), reachability_metrics=frozenset())

    seen = await go(guard=guard, addresses=[f"192.0.2.{number}" for number in range(1, 31)])

    assert set(Counter(one.address for one in seen.guard_measurements).values()) == {2 * 2}
    assert len(seen.guard_measurements) == 2 * 2 * 30


async def test_it_waits_for_the_release_and_settling_counts_from_then(go, double, time) -> None:
    versions = iter(["1", "1", "2", "2", "2"])

    def answer(context):
        return versioned(next(versions)) if "other_versions" in context.wanted else Readings()

    double.answer = answer
    guard = step(probe="release", repeat=1, wanted=frozenset({"other_versions"}), reachability_metrics=frozenset())

    seen = await go(step(repeat=1), guard=guard, wait_release=300.0, settle=True)

    assert time.slept == [10.0, 10.0, 30.0]
    assert seen.settling_since == START + timedelta(seconds=20)


async def test_it_waits_for_a_release_no_longer_than_it_was_told(go, double, time) -> None:
    double.answer = lambda _context: versioned("1")
    guard = step(probe="release", repeat=1, wanted=frozenset({"other_versions"}), reachability_metrics=frozenset())

    await go(guard=guard, wait_release=35.0)

    assert time.slept == [10.0] * 4


@pytest.mark.servers
async def test_controls_are_asked_at_the_start_and_at_the_end(go, serve, http_reply) -> None:
    port, peer = await serve(http_reply())
    silent = "http://127.0.0.1:9/"

    seen = await go(
        step(repeat=1),
        http=Http(run="test"),
        endpoint=False,
        environment={"control": [silent, f"http://127.0.0.1:{port}/"], "timeout": "1s"},
    )

    assert seen.controls == [True, True]
    assert peer.connections == 2


async def test_a_silent_control_is_told(go) -> None:
    seen = await go(
        step(repeat=1), http=Http(run="test"), endpoint=False, environment={"control": ["http://127.0.0.1:9/"]}
    )

    assert seen.controls == [False, False]


async def test_a_stop_keeps_what_was_measured_and_says_who_wanted_it(go, double) -> None:
    cancellation = Cancellation()

    async def hang(context):
        if "up" in context.wanted:
            return Readings(up=Exact(1))
        while len(double.contexts) < 9 or double.in_flight > 1:  # noqa: ASYNC110  # eight measurements of other tasks
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        cancellation.request("SIGINT")
        await asyncio.Event().wait()
        return Readings()

    double.answer = hang

    seen = await go(
        step(),
        step(probe="other", repeat=1, wanted=frozenset({"status"}), reachability_metrics=frozenset()),
        cancellation=cancellation,
    )

    assert (seen.complete, seen.ended_by) == (False, "SIGINT")
    assert len(seen.attempts["health", ""][0].measurements) == 8
    (cut,) = seen.attempts["other", ""]
    assert cut.measurements[0].values["status"].reason is Reason.CUT_OFF


async def test_half_an_attempt_is_no_attempt(go, double) -> None:
    cancellation = Cancellation()
    count = iter(range(100))

    async def slow(_context):
        if next(count) == 5:
            cancellation.request("SIGTERM")
            await asyncio.Event().wait()
        return Readings(up=Exact(1))

    double.answer = slow

    seen = await go(step(in_flight=1), cancellation=cancellation)

    ((cut,),) = seen.attempts.values()
    assert {value.reason for value in cut.measurements[0].values.values()} == {Reason.CUT_OFF}
    assert len([measurement for measurement in seen.measurements if measurement.values["up"] == Exact(1)]) == 5


async def test_the_run_s_own_deadline_ends_it(go, double) -> None:
    async def hang(_context):
        await asyncio.Event().wait()

    double.answer = hang

    seen = await go(step(), environment={"deadline": "50ms"})

    assert (seen.complete, seen.ended_by) == (False, "deadline")


async def test_the_time_to_settle_is_no_part_of_the_deadline(go, time) -> None:
    async def really(seconds):
        time.now += timedelta(seconds=seconds)
        await asyncio.sleep(seconds)

    time.sleep = really

    seen = await go(step(repeat=1), settle=True, environment={"settle": "300ms", "deadline": "150ms"})

    assert seen.complete


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_is_set_amid_a_run_moves_none_of_its_waits(jump) -> None:
    wall, elapsed = datetime(2026, 11, 25, 12, tzinfo=UTC), 500.0
    now = steady_clock(wall=lambda: wall, elapsed=lambda: elapsed)

    wall, elapsed = wall + jump, elapsed + 10

    assert now() == datetime(2026, 11, 25, 12, 0, 10, tzinfo=UTC)


async def test_silence_while_our_own_loop_stood_still_is_no_outage(go, double) -> None:
    def standstill(_context):
        clock.sleep(0.4)  # the whole process stands, as on an overloaded runner
        return Readings(up=Exact(0))

    double.answer = standstill

    seen = await go(step(repeat=1, attempts=1, spread=0.0, timeout=1.0))

    (measurement,) = seen.attempts["health", ""][0].measurements
    assert {metric: value.reason for metric, value in measurement.values.items()} == dict.fromkeys(
        measurement.asked, Reason.OVERLOADED
    )
    assert measurement.asked > {"up"}
    assert measurement.lag > 0.25


async def test_a_kind_that_goes_on_past_its_time_is_cut_off(go, double, monkeypatch) -> None:
    monkeypatch.setattr("probekit.engine.runner.SLACK", 0.0)

    async def hang(_context):
        await asyncio.Event().wait()

    double.answer = hang

    seen = await go(step(repeat=1, attempts=1, spread=0.0, timeout=0.001), endpoint=False)

    (attempt,) = seen.attempts["health", ""]
    assert attempt.measurements[0].values["up"].reason is Reason.BUG
    assert seen.complete


async def test_watchers_watch_the_others_and_those_that_want_to_be_alone_come_after_them(go, double, time) -> None:
    order = []

    def noted(context):
        (metric,) = context.wanted
        order.append(metric)
        return Readings(**{metric: Exact(1)})

    async def watch(_config, context):
        order.append("watch")
        while await context.window.next():
            yield Readings(watch=Exact(len(order)))
        order.append("watched")

    double.answer = noted
    turns = [("final", "last"), ("exclusive", "alone"), ("concurrent", "a"), ("concurrent", "b")]
    steps = [
        step(probe=name, repeat=1, turn=turn, wanted=frozenset({name}), reachability_metrics=frozenset())
        for turn, name in turns
    ]
    watcher = step(probe="watch", repeat=1, attempts=1, turn="background", window=60.0, wanted=frozenset({"watch"}))
    guard = step(probe="release", repeat=1, wanted=frozenset({"guard"}), reachability_metrics=frozenset())

    seen = await go(*steps, watcher, guard=guard, sample=watch)

    assert order == ["guard", "watch", "a", "b", "alone", "watched", "guard", "last"]
    assert time.slept.count(10.0) >= 6  # six blocks at least
    assert isinstance(seen.attempts["watch", ""][0].measurements[0].values["watch"], Exact)


async def test_a_sampler_that_gives_nothing_or_breaks_is_no_reading(go) -> None:
    async def nothing(_config, _context):
        return
        yield

    async def broken(_config, context):
        yield Readings(up=Exact(1))
        raise ZeroDivisionError

    sampling = step(repeat=1, attempts=1, turn="exclusive", window=60.0)

    for sample, reason in [(nothing, Reason.BAD_RESPONSE), (broken, Reason.BUG)]:
        seen = await go(sampling, sample=sample)
        assert seen.attempts["health", ""][0].measurements[0].values["up"].reason is reason


@pytest.fixture
def windows(go):
    """Run a sampling of 60 s and one timeout of 1 s whose items stay undecided; its measurements, first and further."""

    async def windows(*others, more=None, **environment):
        contexts = []

        async def sample(_config, context):
            contexts.append(context)
            yield Readings(up=Exact(1), status=Exact(200))

        def undecided(step, attempts):
            if not step.window:
                return None
            return more(attempts) if more else Retry(rechecks=1) if len(attempts[0].rechecks) < 2 else None

        sampling = step(probe="api", repeat=1, attempts=1, turn="exclusive", window=60.0, further_windows=2)
        seen = await go(sampling, *others, sample=sample, more=undecided, environment=environment)
        assert seen.complete
        ((attempt,),) = (kept for key, kept in seen.attempts.items() if key.probe == "api")
        return attempt, contexts

    return windows


async def test_an_undecided_sampling_goes_on_in_the_same_attempt_and_is_asked_for_all_metrics(windows) -> None:
    attempt, contexts = await windows()

    assert (len(attempt.measurements), len(attempt.rechecks)) == (1, 2)
    assert {one.wanted for one in contexts} == {frozenset({"up", "status", "indexes"})}


async def test_a_window_that_the_deadline_would_cut_off_does_not_begin(windows) -> None:
    """It takes 62 s; the last block of watchers and the controls 10 s each; one more step of 8 looks 34 s after it."""
    later = step(turn="final", attempts=1, spread=0.0, repeat=8, timeout=3.0)
    # 2 rounds of the first eight and 6 of rechecks, 3 s each

    async def taken(*others, deadline):
        attempt, _ = await windows(*others, deadline=deadline)
        return 1 + len(attempt.rechecks)

    assert [await taken(deadline=deadline) for deadline in ("81s", "83s")] == [1, 3]
    assert [await taken(later, deadline=deadline) for deadline in ("105s", "107s")] == [1, 3]


class Follower(RunObserver):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard = []

    def started(self, steps):
        self.heard.append(("started", len(steps)))

    def waiting(self, what, until):
        self.heard.append(("waiting", what, (until - START).total_seconds()))

    def waited(self, what):
        self.heard.append(("waited", what))

    def began(self, step, until):
        self.heard.append(("began", step.probe, (until - START).total_seconds()))

    def ended(self, step):
        self.heard.append(("ended", step.probe))


async def test_an_observer_hears_what_begins_and_ends_and_every_wait(go, double) -> None:
    follower = Follower()
    double.answer = lambda _context: Readings(up=Exact(0))

    await go(
        step(spread=0.0, attempts=2), settle=True, observer=follower,
        more=lambda _step, attempts: Retry() if len(attempts) < 2 else None,
    )  # fmt: skip

    longest = step(spread=0.0, attempts=2).longest
    assert follower.heard == [
        ("started", 1),
        ("waiting", "the services to settle", 30.0),
        ("waited", "the services to settle"),
        ("began", "health", 30 + longest),
        ("ended", "health"),
        ("began", "health", 30 + longest),
        ("waiting", "attempt 2 of 2 of health", 40.0),
        ("waited", "attempt 2 of 2 of health"),
        ("ended", "health"),
    ]


async def test_an_observer_hears_of_the_end_of_what_is_cut_off(go, double) -> None:
    follower, cancellation = Follower(), Cancellation()

    async def answer(_context):
        cancellation.request("SIGTERM")
        await asyncio.Event().wait()

    double.answer = answer
    await go(step(), cancellation=cancellation, observer=follower)

    assert [one[0] for one in follower.heard] == ["started", "began", "ended"]
