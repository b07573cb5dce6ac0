"""Requests leave on schedule whatever the last one did, and nothing that is slow or lost is left out."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import count
from queue import Queue
from statistics import median
from threading import Thread

import pytest
from pydantic import ValidationError

from probekit.judging.evaluate import evaluate
from probekit.judging.statistics import Risks
from probekit.model.history import History
from probekit.model.limit import parse_limit
from probekit.model.measurement import ProbeFailedError, Reason
from probekit.model.verdict import Outcome
from probekit.probe import Context, Window
from probekit.probes.latency import KIND, Latency, Route
from probekit.transport.client import Http
from probekit.transport.response import Answer, Phases
from probekit.transport.urls import Address, Endpoint

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Keeps connections open and answers the n-th request as `answer` says: seconds to wait, and a status."""

    def __init__(self, answer) -> None:
        self.answer = answer
        self.numbers = count()
        self.paths = []
        self.connections = 0
        self.unknown = NOT_FOUND

    async def __call__(self, reader, writer) -> None:
        with suppress(asyncio.IncompleteReadError), closing(writer.transport):
            is_new = True
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"/probekit-" in head:  # a path that cannot exist
                    writer.write(self.unknown)
                    await writer.drain()
                    return
                self.connections += is_new
                is_new = False
                number = next(self.numbers)
                self.paths.append(head.split()[1].decode())
                wait, status = self.answer(number)
                await asyncio.sleep(wait)
                if status is None:  # it hangs up instead
                    return
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok".encode())
                await writer.drain()
                if status == 299:  # this answer ends the connection without a word
                    return


@pytest.fixture
def elsewhere():
    """Start a server in a thread and a loop of its own, which go on while ours stand still; its port."""
    ports, ends = Queue(), []

    async def serving(server) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        ports.put((listening.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(end.set)))
        await end.wait()
        listening.close()

    def start(server) -> int:
        thread = Thread(target=asyncio.run, args=(serving(server),))
        thread.start()
        port, end = ports.get(timeout=5)
        ends.append((end, thread))
        return port

    yield start
    for end, thread in ends:
        end()
        thread.join()


async def no_time(_seconds: float) -> None:
    """Between the questions that follow a sampling."""


@pytest.fixture
def read(serve):
    """The sample of a window against this server, and the server."""

    async def one(
        answer,
        *,
        start=None,
        paths=("/a",),
        rate=100.0,
        block=0.1,
        blocks=6,
        allow=("load",),
        budget=None,
        timeout=1.0,
        unknown=NOT_FOUND,
        made_up_path=True,
        answered=(),
        **route,
    ):
        server = Server(answer)
        server.unknown = unknown
        port = start(server) if start else (await serve(act=server))[0]
        address = Address(Endpoint("app.test", port), "127.0.0.1")
        base = f"http://app.test:{port}"
        door = Http(run="test", most_in_flight=None if "load" in allow else 4).probe_client(
            address=address, timeout=timeout
        )
        context = Context(
            base_url=base,
            timeout=timeout,
            http=door,
            history=History(answered=frozenset(door.question(f"{base}{path}") for path in answered)),
            reveal=str,
            now=lambda: datetime.now(UTC),
            address=address,
            allow=frozenset(allow),
            budget=budget,
            window=Window(
                block=block, least=blocks, goes_on=lambda: False, now=lambda: datetime.now(UTC), sleep=no_time
            ),
        )
        routes = [{"path": path, **route} for path in paths]
        config = Latency(kind="latency", rate=rate, routes=routes, made_up_path=made_up_path)
        (readings,) = [block async for block in KIND.sample(config, context)]
        return readings, server

    return one


def sample_of(readings):
    return readings.values["p95"].sample


def theirs_of(readings):
    """Microseconds of each answer without our own delay."""
    sample = sample_of(readings)
    blocks = zip(sample.values, sample.delays, strict=True)
    return [value - delay for values, delays in blocks for value, delay in zip(values, delays, strict=True)]


async def test_every_request_of_the_schedule_leaves_in_turn_over_the_routes(read) -> None:
    readings, server = await read(lambda _number: (0, 200), paths=("/a", "/b", "/c"))

    sample = sample_of(readings)
    assert sum(sample.failed().trials) == 60
    assert [len(values) for values in sample.values] == [10] * 6
    assert (sample.failures, sample.unsent) == ((0,) * 6, (0,) * 6)
    assert sorted(set(server.paths)) == ["/a", "/b", "/c"]
    assert server.paths.count("/a") == 20
    assert set(readings.values) == {"p50", "p95", "p99", "error_rate"}


async def test_connections_are_warm_and_many_requests_use_each(read) -> None:
    _, server = await read(lambda _number: (0, 200), allow=())

    assert server.connections == 4


async def test_a_stall_is_felt_by_every_request_that_was_due_in_it(read) -> None:
    free = asyncio.get_running_loop().time()

    def stall(number):
        nonlocal free
        now = asyncio.get_running_loop().time()
        if number == 20:
            free = now + 0.2  # nothing is answered for 200 ms
        return max(0.0, free - now), 200

    readings, _ = await read(stall)

    slow = [value for values in sample_of(readings).values for value in values if value > 50_000]
    assert 12 <= len(slow) <= 25  # at 100 requests/s some 15 to 20 are due in it; a closed loop would see 1


async def test_waiting_for_one_of_few_slots_is_our_own_delay(read) -> None:
    readings, _ = await read(lambda _number: (0.1, 200), allow=(), rate=100.0)

    sample = sample_of(readings)
    delays = [delay for block in sample.delays for delay in block]
    assert max(delays) > 200_000
    assert all(v >= d for block in zip(sample.values, sample.delays, strict=True) for v, d in zip(*block, strict=True))


async def test_a_window_sends_no_more_than_its_budget(read) -> None:
    readings, server = await read(lambda _number: (0, 200), allow=(), rate=500.0, budget=50)

    assert sum(sample_of(readings).failed().trials) == len(server.paths) == 50


@pytest.mark.parametrize("status", [500, 503, 404, 302])
async def test_an_unexpected_status_is_an_error_however_fast(read, status) -> None:
    readings, _ = await read(lambda number: (0, status if number % 10 == 0 else 200))

    sample = sample_of(readings)
    assert sum(sample.failures) == 6
    assert sum(len(values) for values in sample.values) == 54


async def test_a_declared_status_is_an_answer(read) -> None:
    readings, _ = await read(lambda _number: (0, 401), expect=[401])

    assert sum(sample_of(readings).failures) == 0


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_being_access_denied_is_neither_slow_nor_an_error(read, status) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        await read(lambda number: (0, status if number == 30 else 200))

    assert caught.value.reason is Reason.ACCESS_DENIED


async def test_a_request_without_an_answer_is_an_error(read) -> None:
    readings, _ = await read(lambda number: (5 if number == 7 else 0, 200))

    assert sum(sample_of(readings).failures) == 1


async def test_answers_that_came_while_we_stood_still_are_neither_errors_nor_slow(read, elsewhere) -> None:
    loop, asked = asyncio.get_running_loop(), []

    def answer(number):
        asked.append(number)
        if len(asked) == 20:
            loop.call_soon_threadsafe(time.sleep, 1.3)
        return 0.1, 200

    readings, _ = await read(answer, start=elsewhere, timeout=1.0)

    sample = sample_of(readings)
    assert sum(sample.failures) == 0
    theirs = theirs_of(readings)
    assert len(theirs) == 60
    assert max(theirs) < 1_000_000  # each within its time, told by when it arrived
    assert max(delay for delays in sample.delays for delay in delays) > 400_000


async def test_other_work_of_ours_before_a_request_is_written_is_our_own_delay(read, elsewhere) -> None:
    async def work() -> None:
        while True:
            time.sleep(0.05)  # noqa: ASYNC251  # that is what is tried
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    readings, _ = await read(lambda _number: (0, 200), start=elsewhere, rate=20.0, allow=())
    working.cancel()

    assert median(theirs_of(readings)) < 50_000  # less than one round of that work


async def test_what_a_server_takes_before_it_hangs_up_is_its_own(read) -> None:
    readings, server = await read(lambda number: (0.35, None) if number == 20 else (0, 200), allow=())

    assert sum(sample_of(readings).failures) == 0
    assert server.connections == 5  # it was asked again, on a new one
    assert max(theirs_of(readings)) >= 300_000


async def test_a_request_that_was_not_waited_for_is_an_error_among_others(read) -> None:
    readings, _ = await read(lambda number: (0, 408 if number % 4 == 0 else 200), allow=())

    sample = sample_of(readings)
    assert 0 < sum(sample.failures) < sum(map(len, sample.values))


async def test_a_connection_that_was_closed_while_idle_is_opened_again(read) -> None:
    readings, server = await read(lambda number: (0, 299 if number % 7 == 6 else 200), expect=[200, 299])

    assert sum(sample_of(readings).failures) == 0
    assert server.connections > 4


async def test_three_blocks_of_nothing_but_failures_end_it(read) -> None:
    readings, server = await read(lambda _number: (0, 503), blocks=12)

    assert len(server.paths) < 60
    assert "ended early" in readings.summary
    assert sum(sample_of(readings).unsent) > 50


async def test_nobody_there_is_nothing_but_failures() -> None:
    address = Address(Endpoint("app.test", 9), "127.0.0.1")
    now = lambda: datetime.now(UTC)  # noqa: E731  # two uses
    context = Context(
        base_url="http://app.test:9",
        timeout=0.2,
        http=Http(run="test").probe_client(address=address, timeout=0.2),
        reveal=str,
        now=now,
        address=address,
        window=Window(block=0.1, least=6, goes_on=lambda: False, now=now, sleep=asyncio.sleep),
    )
    config = Latency(kind="latency", rate=100, routes=[{"path": "/"}])

    (readings,) = [block async for block in KIND.sample(config, context)]

    sample = sample_of(readings)
    assert sum(map(len, sample.values)) == 0
    assert sum(failures > 0 for failures in sample.failures) == 3
    assert "ended early" in readings.summary


@pytest.mark.parametrize(
    "settings",
    [{"routes": []}, {"routes": [{"path": "/"}], "rate": 0}, {"routes": [{"path": "/"}, {"url": "http://b.test/"}]}],
)
def test_settings_that_cannot_be_sampled_are_refused(settings) -> None:
    with pytest.raises(ValidationError):
        Latency(kind="latency", **settings)


async def test_how_fast_one_page_for_every_path_is_says_nothing_of_the_routes(read) -> None:
    readings, _ = await read(lambda _number: (0, 200), unknown=OK)

    for value in readings.values.values():
        assert value.reason is Reason.BAD_RESPONSE
        assert "gets the answer of /a" in value.detail
    assert not readings.answered


async def test_that_a_server_which_answers_anything_fails_is_so(read) -> None:
    readings, _ = await read(lambda number: (0, 503 if number % 8 == 7 else 200), unknown=OK, blocks=12)

    assert {readings.values[name].reason for name in ("p50", "p95", "p99")} == {Reason.BAD_RESPONSE}
    rate = readings.values["error_rate"]
    assert "gets the answer of /a" in rate.doubt
    assert evaluate(rate, parse_limit("error_rate < 1 %"), Risks()).outcome is Outcome.FAIL
    told = evaluate(rate, parse_limit("error_rate < 99 %"), Risks())
    assert (told.outcome, told.detail.endswith(rate.doubt)) == (Outcome.ERROR, True)
    assert not readings.answered


async def test_one_page_for_every_path_does_not_answer_a_question_that_others_refuse(read) -> None:
    """One replica has a page for every path, the other one does not know the route: it may be wrong itself."""
    readings, _ = await read(lambda number: (0, 404 if number % 2 else 200), unknown=OK)
    known, _ = await read(lambda number: (0, 404 if number % 2 else 200), unknown=OK, answered=("/a",))

    assert readings.values["error_rate"].reason is Reason.BAD_RESPONSE
    assert "so the request may be wrong" in readings.values["error_rate"].detail
    assert "gets the answer of /a" in known.values["error_rate"].doubt


@pytest.mark.parametrize(
    ("body", "is_answered"),
    [
        (b"some orders", True),
        (b"\xef\xbb\xbforders", True),
        ("\ufefforders".encode("utf-16-le"), True),
        ("orders".encode("utf-16-le"), False),  # no byte order mark says so
        (b"", False),
        (b"no orders", False),  # words that are denied are not there
    ],
)
def test_an_answer_must_hold_its_text_however_it_is_encoded(body, is_answered) -> None:
    phases = Phases(connect=0, tls=None, first_byte=0, response=0, total=0, arrived=0, local_delay=0)
    address = Address(Endpoint("app.test", 80), "192.0.2.1")
    answer = Answer(url="http://app.test/", address=address, status=200, headers=(), body=body, phases=phases)

    assert Route(path="/", contains="orders").is_answered_by(answer) == is_answered


@pytest.mark.parametrize("settings", [{"contains": "ok"}, {"made_up_path": False}])
async def test_a_text_that_is_claimed_or_a_question_that_is_not_wanted_lets_such_a_server_be_timed(
    read, settings
) -> None:
    readings, _ = await read(lambda _number: (0, 200), unknown=OK, **settings)

    assert sum(sample_of(readings).failures) == 0


async def test_an_answer_without_the_text_that_is_claimed_is_an_error(read) -> None:
    readings, _ = await read(lambda _number: (0, 200), contains="orders", blocks=2)

    assert sum(sample_of(readings).failures) == sum(readings.values["p95"].sample.failed().trials) > 0


@pytest.mark.parametrize("status", [301, 404])
async def test_a_route_that_was_never_answered_well_may_be_wrong_itself(read, status) -> None:
    readings, _ = await read(lambda _number: (0, status))

    for value in readings.values.values():
        assert value.reason is Reason.BAD_RESPONSE
        assert "no recorded run got the expected answer, so the request may be wrong" in value.detail
    assert not readings.answered


async def test_a_route_that_was_answered_well_once_fails_now(read) -> None:
    readings, _ = await read(lambda _number: (0, 404), answered=("/a",))

    assert sum(sample_of(readings).failures) == sum(readings.values["error_rate"].sample.failed().trials)


async def test_good_answers_are_remembered_and_some_others_beside_them_count(read) -> None:
    readings, _ = await read(lambda number: (0, 404 if number % 2 else 200))

    assert len(readings.answered) == 1
    assert sum(sample_of(readings).failures)


async def test_a_server_error_is_the_target_s_whatever_is_on_record(read) -> None:
    readings, _ = await read(lambda number: (0, 500 if number == 3 else 404))

    assert sum(sample_of(readings).failures)
