"""What does one HTTP check cost? 1,000 distinct checks against one local nginx: status, JSON, one value compared."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import httpx
from measure import cpu, cpu_of, side_by_side, table

from probekit.demo import servers
from probekit.demo.launcher import launching
from probekit.transport.client import Http

CHECKS = 1000
ROUNDS = 3
PLUGIN = Path("/usr/lib/nagios/plugins/check_http")
SERVER = 'server { listen 127.0.0.1:@port@; default_type application/json; keepalive_requests 100000;\
 return 200 \'{"status":"ok"}\'; }'


def is_ok(body: bytes) -> bool:
    return json.loads(body)["status"] == "ok"


def with_httpx(base: str, concurrency: int, *, kept: bool) -> float:
    """A plain httpx loop: one shared client, connections kept or closed after each request."""

    async def run() -> None:
        headers = {} if kept else {"Connection": "close"}
        limits = httpx.Limits(max_connections=concurrency)
        async with httpx.AsyncClient(headers=headers, limits=limits, trust_env=False) as client:
            paths = iter(range(CHECKS))

            async def worker() -> None:
                for number in paths:
                    answer = await client.get(f"{base}/{number}")
                    assert answer.status_code == 200 and is_ok(answer.content)

            await asyncio.gather(*(worker() for _ in range(concurrency)))

    return _cost(run)


def with_probekit(base: str, concurrency: int, *, kept: bool) -> float:
    """Looks as kind http takes them, a new connection each; or lines as kind latency keeps them."""

    async def run() -> None:
        http = Http(run="bench", rate=(1_000_000, 1.0), most_in_flight=None)
        paths = iter(range(CHECKS))

        async def worker() -> None:
            client = http.probe_client(timeout=5)
            line = await client.keep_alive(f"{base}/") if kept else None
            for number in paths:
                url = f"{base}/{number}"
                answer = await (line.prepare(url)() if line else http.probe_client(timeout=5).get(url))
                assert answer.status == 200 and is_ok(answer.body)
            if line:
                await line.close()

        await asyncio.gather(*(worker() for _ in range(concurrency)))

    return _cost(run)


def _cost(run) -> float:
    before = cpu()
    asyncio.run(run())
    return (cpu() - before) / CHECKS * 1e6


def with_pytest(base: str) -> float:
    """One test a check, in a process of its own."""
    text = f"""
import httpx, pytest
client = httpx.Client(trust_env=False)
@pytest.mark.parametrize("number", range({CHECKS}))
def test_check(number):
    answer = client.get(f"{base}/{{number}}")
    assert answer.status_code == 200 and answer.json()["status"] == "ok"
"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test_checks.py"
        file.write_text(text)
        return cpu_of([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]) / CHECKS * 1e6


def with_plugin(base: str, checks: int = 100) -> float:
    """One process a check."""
    port = base.rpartition(":")[2]
    script = "\n".join(f"{PLUGIN} -I 127.0.0.1 -p {port} -u /{number} -s ok" for number in range(checks))
    return cpu_of(["/bin/sh", "-c", script]) / checks * 1e6


def main() -> None:
    with launching() as launcher:
        base = f"http://127.0.0.1:{servers.start_nginx(launcher, SERVER).port}"
        works = {"httpx, kept": lambda: with_httpx(base, 1, kept=True)}
        works["httpx, new connections"] = lambda: with_httpx(base, 1, kept=False)
        works["httpx, kept, 20 at once"] = lambda: with_httpx(base, 20, kept=True)
        for count in (1, 20, 100):
            works[f"probekit, kept, {count} at once"] = lambda count=count: with_probekit(base, count, kept=True)
            works[f"probekit, new connections, {count} at once"] = lambda count=count: with_probekit(
                base, count, kept=False
            )
        works["pytest and httpx"] = lambda: with_pytest(base)
        if PLUGIN.exists():
            works["check_http, a process each"] = lambda: with_plugin(base)
        least = side_by_side(works, rounds=ROUNDS)
    loop = least["httpx, kept"]
    rows = [(name, f"{micro:.0f} us", f"{micro / loop:.2f}") for name, micro in least.items()]
    table(f"CPU of one check, of {CHECKS}; the ratio is to a plain httpx loop", [("", "CPU", "ratio"), *rows])


if __name__ == "__main__":
    main()
