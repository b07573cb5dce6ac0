"""How often is a verdict wrong? Each method on seeded simulations, and the whole of it on the real embedded target."""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from statistics import fmean

from measure import table

from probekit import verify
from probekit.demo.target import Target, running_target
from probekit.judging.comparison import judge_against_baseline
from probekit.judging.statistics import LimitTest, Risks, judge_mean, judge_quantile, judge_share
from probekit.model.readings import BaselineValues, LatencySample, Mean, Share
from probekit.model.verdict import Outcome

SIMULATED = 2000
RISKS = Risks(false_pass=0.05, false_fail=0.01)
BLOCKS, EACH = 30, 100  # of a window, and requests in a block
LIMIT = 500_000  # microseconds
CONFIG = """
[env.oc]
base_url = "{base_url}"
scope = ["{item}"]
settle = "0s"
spread = "0s"
attempt_interval = "0s"
block = "100ms"
window = "3s"
allow = ["load"]

[env.oc.connect]
ca = "{ca}"
resolve = {{ "localhost:{port}" = "127.0.0.1" }}
headers = {{ "X-Demo-Key" = {{ file = "{key}" }} }}

[env.oc.limits]
"{item}" = {{ expect = ["{limit}"], why = "what 300 requests can tell" }}

[env.oc.probes.api]
kind = "latency"
rate = 100
routes = [{{ path = "/api/orders" }}, {{ path = "/api/search?q=tea" }}]
"""
ERRORS, SLOW = "deploy.performance.error-rate", "deploy.performance.p95-latency"
ROWS = (  # item, limit, fault, percent of the requests that it meets, and of those that may be so
    *((ERRORS, "error_rate < 1 %", f"errors={share}%", share, 1) for share in (0.5, 1, 2, 4)),
    *((SLOW, "p95 < 500 ms", f"slow={share}%", share, 5) for share in (2.5, 5, 7.5, 10)),
)


def shares(rng: random.Random, share: float, burst: int) -> list[int]:
    """Events in each block, in bursts of so many."""
    events = (sum(burst for _ in range(EACH // burst) if rng.random() < share) for _ in range(BLOCKS))
    return [min(count, EACH) for count in events]


def a_share(at: float, burst: int) -> Callable[[random.Random], LimitTest]:
    return lambda rng: judge_share(Share(tuple(shares(rng, 0.01 * at, burst)), (EACH,) * BLOCKS), 0.01, RISKS)


def a_percentile(at: float, burst: int) -> Callable[[random.Random], LimitTest]:
    def judged(rng: random.Random) -> LimitTest:
        slow = shares(rng, 0.05 * at, burst)
        values = tuple((LIMIT,) * count + (LIMIT // 5,) * (EACH - count) for count in slow)
        none = tuple((0,) * EACH for _ in values)
        return judge_quantile(LatencySample(values, none, (0,) * BLOCKS, (0,) * BLOCKS), 0.95, LIMIT, RISKS)

    return judged


def a_mean(at: float, spread: float) -> Callable[[random.Random], LimitTest]:
    return lambda rng: judge_mean(Mean(tuple(max(0.0, rng.gauss(70 * at, 70 * spread)) for _ in range(12))), 70, RISKS)


def against_a_baseline(at: float, *, naive: bool = False) -> Callable[[random.Random], LimitTest]:
    """One window against eight, all 6 % apart, and at most 10 % more: at that limit, unchanged, 30 % quicker."""
    factor = {1.0: 1.1, 0.8: 1.0, 0.5: 0.7}[at]

    def judged(rng: random.Random) -> LimitTest:
        base = BaselineValues(tuple(100 * rng.lognormvariate(0, 0.06) for _ in range(8)))
        seen = 100 * factor * rng.lognormvariate(0, 0.06)
        if not naive:
            return judge_against_baseline(BaselineValues((seen,)), base, 0.1, RISKS)
        good = seen <= 1.1 * fmean(base.values)
        outcome = Outcome.PASS if good else Outcome.FAIL
        return LimitTest(outcome=outcome, value=seen, low=seen, high=seen, trials=8, needed=0)

    return judged


def simulated() -> Iterator[tuple[object, ...]]:
    """Passes at the limit are false, and so are fails below it (of a baseline: where nothing has changed)."""
    yield ("method", "at the limit: pass", "promised", "at 0.8 of it: fail", "promised", "at half of it: pass")
    methods = {
        "share, independent": lambda at: a_share(at, 1),
        "share, bursts of 5": lambda at: a_share(at, 5),
        "percentile, independent": lambda at: a_percentile(at, 1),
        "percentile, stalls of 20": lambda at: a_percentile(at, 20),
        "mean over 12 blocks, 5 % apart": lambda at: a_mean(at, 0.05),
        "mean over 12 blocks, 20 % apart": lambda at: a_mean(at, 0.2),
        "10 % over 8 windows": against_a_baseline,
        "the same, a plain comparison": lambda at: against_a_baseline(at, naive=True),
    }
    for name, method in methods.items():
        at, below, half = (outcomes(method(part)) for part in (1.0, 0.8, 0.5))
        good, bad = percent(at[Outcome.PASS]), percent(below[Outcome.FAIL])
        yield (name, good, "5 %", bad, "1 %", percent(half[Outcome.PASS]))


def outcomes(judge: Callable[[random.Random], LimitTest]) -> Counter[Outcome]:
    rng = random.Random(20261125)
    return Counter(judge(rng).outcome for _ in range(SIMULATED))


def percent(count: int, runs: int = SIMULATED) -> str:
    return f"{100 * count / runs:.2f} %"


def live(target: Target, runs: int) -> Iterator[tuple[object, ...]]:
    """The whole flow, 300 requests a run."""
    yield ("item", "each request", "limit", "pass", "inconclusive", "fail", "error", "promised")
    file = target.folder / "oc.toml"
    for item, limit, fault, share, most in ROWS:
        print(f"{item}: {fault}", file=sys.stderr)
        port = target.base_url.rpartition(":")[2]
        facts = {"item": item, "limit": limit, "ca": target.ca_file, "key": target.key_file, "port": port}
        file.write_text(CONFIG.format(base_url=target.base_url, **facts))
        target.plant(fault)
        seen = Counter(verdict_of(file, item) for _ in range(runs))
        target.mend()
        promised = "pass <= 5 %" if share >= most else "fail <= 1 %"
        words = (Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.ERROR)
        yield (item, fault, limit, *(f"{100 * seen[word] / runs:.0f} %" for word in words), promised)


def verdict_of(file: Path, item: str) -> Outcome:
    with redirect_stderr(StringIO()):
        report = verify("oc", config=file)
    return next(verdict.outcome for verdict in report.verdicts if verdict.item.id == item)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="of each row on the embedded target; one takes 4 s")
    wishes = parser.parse_args()
    table(f"seeded simulations, {SIMULATED} each", list(simulated()))
    with running_target() as target:
        table(f"the embedded target, {wishes.runs} runs each", list(live(target, wishes.runs)))


if __name__ == "__main__":
    main()
