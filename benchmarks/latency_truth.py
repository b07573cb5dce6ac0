"""Does a percentile say what users saw? Senders side by side against a loopback server whose delays are known."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import multiprocessing
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from math import ceil
from pathlib import Path

import aiohttp
import httpx
from measure import table

from probekit.probe import Context, Window
from probekit.probes.latency import KIND, Latency
from probekit.transport.client import Http

QUANTILES = (0.5, 0.95, 0.99)
BASE, CYCLE, STALL = 0.02, 10.0, 1.0  # seconds: of a plain answer; in every ten, the last one answers nothing
DELAYS: dict[str, Callable[[random.Random], float]] = {
    "constant": lambda _rng: BASE,
    "lognormal": lambda rng: rng.lognormvariate(-3.5, 0.6),  # median 30 ms
    "bimodal": lambda rng: 0.2 if rng.random() < 0.1 else 0.01,
    "stall": lambda _rng: BASE,
}


class Server(asyncio.Protocol):
    """Answers each request after its delay, and keeps what it took from the request's arrival to the answer."""

    taken: list[float] = []  # noqa: RUF012  # one server a process
    mode, rng = "constant", random.Random(0)

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        arrived, path = time.monotonic(), data.split(b" ", 2)[1].decode()
        if path.startswith("/mode/"):
            Server.mode, Server.taken, Server.rng = path[6:], [], random.Random(20261125)
            self.answer(b"{}")
        elif path == "/taken":
            self.answer(json.dumps(Server.taken).encode())
        else:
            wait = DELAYS[Server.mode](Server.rng) + (left_of_stall(arrived) if Server.mode == "stall" else 0)
            asyncio.get_running_loop().call_later(wait, self.answer_late, arrived)

    def answer_late(self, arrived):
        self.answer(b"{}")
        Server.taken.append(time.monotonic() - arrived)

    def answer(self, body):
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def left_of_stall(moment: float) -> float:
    """Seconds until the stall ends in which this moment lies."""
    return left if (left := CYCLE - moment % CYCLE) <= STALL else 0.0


def serve(port) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def percentiles(seconds: Sequence[float]) -> list[float]:
    """Milliseconds, by the nearest rank."""
    ranked = sorted(seconds)
    return [1000 * ranked[ceil(q * len(ranked)) - 1] for q in QUANTILES]


def truth(mode: str, rate: float, seconds: float, taken: Sequence[float]) -> list[float]:
    """What the server took; of a stall, what requests had felt that came evenly whatever the last one did."""
    if mode != "stall":
        return percentiles(taken)
    return percentiles([BASE + left_of_stall(number / rate) for number in range(round(rate * seconds))])


Seen = dict[str, list[float]]  # percentiles by what they are called


async def with_probekit(base: str, rate: float, seconds: float, *, busy: bool = False) -> Seen:
    """Kind latency with load allowed; `busy`: beside 20 ms of other work every 100 ms in the same loop."""
    now = lambda: datetime.now(UTC)  # noqa: E731
    window = Window(block=seconds / 10, least=10, goes_on=lambda: False, now=now, sleep=asyncio.sleep)
    http = Http(run="bench", rate=(1_000_000, 1.0), most_in_flight=None).probe_client(timeout=5)
    context = Context(
        base_url=base, timeout=5, http=http, reveal=str, now=now, allow=frozenset({"load"}), window=window
    )
    config = Latency(kind="latency", rate=rate, routes=[{"path": "/x"}], made_up_path=False)
    work = asyncio.create_task(_work()) if busy else None
    (readings,) = [block async for block in KIND.sample(config, context)]
    if work:
        work.cancel()
    sample = readings.values["p95"].sample
    pairs = [pair for block in zip(sample.values, sample.delays, strict=True) for pair in zip(*block, strict=True)]
    return {
        "": percentiles([value / 1e6 for value, _ in pairs]),
        ", less our delay": percentiles([(value - delay) / 1e6 for value, delay in pairs]),
    }


async def _work() -> None:
    while True:
        until = time.perf_counter() + 0.02
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0.08)


Get = Callable[[], Awaitable[object]]


async def one_after_the_other(get: Get, rate: float, seconds: float) -> Seen:
    """A closed loop: the next one leaves when its moment has come and the last one was answered."""
    taken, begin = [], time.monotonic()
    for number in range(round(rate * seconds)):
        await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
        start = time.monotonic()
        await get()
        taken.append(time.monotonic() - start)
    return {"": percentiles(taken)}


async def a_task_each(get: Get, rate: float, seconds: float) -> Seen:
    """An open loop through the client's pool: each leaves at its moment and is timed from its own start."""
    taken: list[float] = []

    async def one(due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        start = time.monotonic()
        await get()
        taken.append(time.monotonic() - start)

    begin = time.monotonic() + 0.05
    async with asyncio.TaskGroup() as group:
        for number in range(round(rate * seconds)):
            group.create_task(one(begin + number / rate))
    return {"": percentiles(taken)}


async def with_httpx(loop, base: str, rate: float, seconds: float) -> Seen:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        await client.get(f"{base}/x")
        return await loop(partial(client.get, f"{base}/x"), rate, seconds)


async def with_aiohttp(base: str, rate: float, seconds: float) -> Seen:
    async with aiohttp.ClientSession() as session:

        async def get() -> None:
            async with session.get(f"{base}/x") as answer:
                await answer.read()

        await get()
        return await a_task_each(get, rate, seconds)


def with_hey(base: str, rate: float, seconds: float) -> Seen:
    """Ten workers that wait for their answers: a closed loop each."""
    workers = min(10, round(rate))
    command = ["hey", "-o", "csv", "-c", str(workers), "-q", str(rate / workers), "-z", f"{seconds:g}s", f"{base}/x"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {"": percentiles([float(row["response-time"]) for row in csv.DictReader(io.StringIO(out))])}


def with_h2load(base: str, rate: float, seconds: float) -> Seen:
    """HTTP/1.1 on ten connections, at a rate of each."""
    connections = min(10, round(rate))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        command = ["h2load", "--h1", "-c", str(connections), "-m", "1", "-n", str(round(rate * seconds))]
        command += [f"--rps={rate / connections:g}", f"--log-file={log}", f"{base}/x"]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        return {"": percentiles([int(line.split("\t")[2]) / 1e6 for line in log.read_text().splitlines()])}


ASYNC = {
    "probekit": with_probekit,
    "probekit, busy loop": partial(with_probekit, busy=True),
    "httpx, closed loop": partial(with_httpx, one_after_the_other),
    "httpx, a task each": partial(with_httpx, a_task_each),
    "aiohttp, a task each": with_aiohttp,
}
PROGRAMS = {"hey": with_hey, "h2load": with_h2load}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[5, 50, 100, 200], help="requests a second")
    parser.add_argument("--seconds", type=float, default=CYCLE, help="of each sender; at 5 a second, six times that")
    wishes = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    base = f"http://127.0.0.1:{ours.recv()}"
    for rate in wishes.rates:
        seconds = wishes.seconds * (6 if rate <= 5 else 1)
        for mode in DELAYS:
            table(
                f"{mode} delays, {rate:g} requests a second, {seconds:g} s each", list(rows(base, mode, rate, seconds))
            )
    process.terminate()


def rows(base: str, mode: str, rate: float, seconds: float):
    """A head, and a sender each: its percentiles and the truth beside them, in milliseconds."""
    yield ("", *(f"p{round(100 * q)} (truth)" for q in QUANTILES), "p95 off by")
    works = {name: partial(_run, work) for name, work in ASYNC.items()}
    works |= {name: work for name, work in PROGRAMS.items() if shutil.which(name)}
    for name, work in works.items():
        httpx.get(f"{base}/mode/{mode}", trust_env=False)
        try:
            seen = work(base, rate, seconds)
        except* httpx.HTTPError as errors:  # a pool that is not quick enough never recovers
            seen = None
            yield (name, *[""] * len(QUANTILES), f"gave up: {len(errors.exceptions)} requests failed")
        if seen is None:
            continue
        taken = httpx.get(f"{base}/taken", trust_env=False).json()
        true = truth(mode, rate, seconds, taken)
        for more, values in seen.items():
            off = values[1] - true[1]
            cells = (f"{value:.1f} ({t:.1f})" for value, t in zip(values, true, strict=True))
            yield (name + more, *cells, f"{off:+.1f} ms, {100 * off / true[1]:+.1f} %")


def _run(work, *arguments) -> Seen:
    return asyncio.run(work(*arguments))


if __name__ == "__main__":
    main()
