"""How often is a verdict wrong? Each method on seeded simulations, and the whole of it on the real embedded target."""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from statistics import fmean

from cron import cron
from measure import table

from probekit import verify
from probekit.demo.target import Target, running_target
from probekit.judging.comparison import judge_against_baseline
from probekit.judging.reference import NO_REFERENCE
from probekit.judging.statistics import SPENT, LimitTest, Risks, judge_mean, judge_quantile, judge_share
from probekit.judging.windows import evaluate_windows, strung
from probekit.model.limit import parse_limit
from probekit.model.readings import BaselineValues, LatencySample, Mean, Reading, Share
from probekit.model.verdict import Outcome

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
deadline = "40s"  # holds one window, so that each run is one of 300 requests
allow = ["load"]

[env.oc.connect]
ca = "{ca}"
resolve = {{ "localhost:{port}" = "127.0.0.1" }}
headers = {{ "X-Demo-Key" = {{ file = "{key}" }} }}

[env.oc.limits]
"{item}" = {{ expect = ["{limit}"], reason = "what 300 requests can tell" }}

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


def further_windows(runs: int) -> Iterator[tuple[object, ...]]:
    """An undecided window is followed by up to two more: what passes at the limit, and at half of it."""
    yield ("method", "at the limit: pass", "promised", "nothing spent", "at half: pass", "windows", "one alone")
    for name, percentage, burst in (
        ("share below 1 %, independent", 1, 1),
        ("the same in bursts of 5", 1, 5),
        ("share below 5 %, independent", 5, 1),
        ("the same in stalls of 20", 5, 20),
    ):
        at, half = (Sampling(percentage, burst, part, runs) for part in (1.0, 0.5))
        passes, unspent = percent(at.passes, runs), percent(at.passes_without_spending, runs)
        yield (name, passes, "5 %", unspent, percent(half.passes, runs), f"{half.taken:.2f}", percent(half.alone, runs))


class Sampling:
    """How often samplings of that true share, a part of the limit, pass."""

    def __init__(self, percentage: int, burst: int, part: float, runs: int) -> None:
        self.passes = self.passes_without_spending = self.alone = 0
        self.limit, rng = parse_limit(f"error_rate < {percentage} %"), random.Random(20261125)
        taken = 0
        for _ in range(runs):
            events = (shares(rng, percentage / 100 * part, burst) for _ in SPENT)
            windows = [Share(tuple(one), (EACH,) * BLOCKS) for one in events]
            so_far = [windows[: number + 1] for number in range(len(windows))]
            outcomes = [self._outcome(some, may_go_on=True) for some in so_far]
            decided = next((at for at, one in enumerate(outcomes) if one is not Outcome.INCONCLUSIVE), len(SPENT) - 1)
            self.passes += outcomes[decided] is Outcome.PASS
            unspent = [self._outcome([strung(some)], may_go_on=False) for some in so_far]
            self.passes_without_spending += Outcome.PASS in unspent
            self.alone += unspent[0] is Outcome.PASS
            taken += 1 + decided
        self.taken = taken / runs

    def _outcome(self, windows: Sequence[Reading], *, may_go_on: bool) -> Outcome:
        return evaluate_windows(windows, self.limit, RISKS, NO_REFERENCE, may_go_on=may_go_on).outcome


def simulated(runs: int) -> Iterator[tuple[object, ...]]:
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
        at, below, half = (outcomes(method(part), runs) for part in (1.0, 0.8, 0.5))
        good, bad = percent(at[Outcome.PASS], runs), percent(below[Outcome.FAIL], runs)
        yield (name, good, "5 %", bad, "1 %", percent(half[Outcome.PASS], runs))


def outcomes(judge: Callable[[random.Random], LimitTest], runs: int) -> Counter[Outcome]:
    rng = random.Random(20261125)
    return Counter(judge(rng).outcome for _ in range(runs))


def percent(count: int, runs: int) -> str:
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
    parts = ("methods", "windows", "cron", "live")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; else all")
    parser.add_argument("--simulated", type=int, default=2000, help="seeded simulations of each row")
    parser.add_argument("--cron", type=int, default=1000, help="simulated runs of each row from cron")
    parser.add_argument("--runs", type=int, default=100, help="of each row on the embedded target; one takes 4 s")
    wishes = parser.parse_args()
    if unknown := set(wishes.parts) - set(parts):
        parser.error(f"no part {', '.join(sorted(unknown))}")
    asked = wishes.parts or parts
    if "methods" in asked:
        table(f"seeded simulations, {wishes.simulated} each", list(simulated(wishes.simulated)))
    if "windows" in asked:
        title = f"an undecided window goes on, twice at most, {wishes.simulated} each"
        table(title, list(further_windows(wishes.simulated)))
    if "cron" in asked:
        table(f"a healthy service, verified from cron, {wishes.cron} simulated runs each", list(cron(wishes.cron)))
    if "live" in asked:
        with running_target() as target:
            table(f"the embedded target, {wishes.runs} runs each", list(live(target, wishes.runs)))


if __name__ == "__main__":
    main()
