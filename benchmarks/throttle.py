"""asyncio-throttle behind one gate: rate kept, order kept, and no core burned by a thousand who wait."""

from __future__ import annotations

import asyncio
import time

from measure import cpu, table

from probekit.transport.rate_limit import RateLimiter

WAITING = 1000
SECONDS = 6.0


async def granted(rate: int) -> tuple[float, float, bool]:
    limiter = RateLimiter(rate, 1.0)
    order: list[int] = []
    times: list[float] = []

    async def one(number: int) -> None:
        await limiter.acquire()
        order.append(number)
        times.append(time.perf_counter())

    tasks = [asyncio.create_task(one(number)) for number in range(WAITING)]
    await asyncio.sleep(0)
    start, before = time.perf_counter(), cpu()
    await asyncio.sleep(SECONDS)
    wall, used, count = time.perf_counter() - start, cpu() - before, len(order)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return (
        (count - rate) / (times[count - 1] - times[rate - 1]),
        100 * used / wall,
        order[:count] == sorted(order[:count]),
    )


def main() -> None:
    rows = [("rate", "granted a second, after the first window's", "of a core", "in order")]
    for rate in (5, 20, 100):
        each, core, is_kept = asyncio.run(granted(rate))
        rows.append((rate, f"{each:.2f}", f"{core:.1f} %", "yes" if is_kept else "NO"))
    table(f"{WAITING} who wait at one throttle, {SECONDS:g} s", rows)


if __name__ == "__main__":
    main()
