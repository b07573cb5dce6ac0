"""What a run's windows hold: the deadline bounds their number, and what they cannot prove is known before."""

from __future__ import annotations

import pytest

from probekit.config.loader import read
from probekit.judging.evaluate import evaluate
from probekit.judging.evidence import KEPT_BLOCKS
from probekit.judging.reference import Reference
from probekit.judging.statistics import Risks
from probekit.model.readings import ErrorRate, LatencySample
from probekit.model.verdict import Outcome
from probekit.planning.plan import plan
from probekit.planning.samples import short_samples

TEXT = """
[env.prod]
base_url = "https://app.test"
scope = ["deploy.performance.error-rate"]
{settings}
[env.prod.probes.release]
kind = "release"
path = "/version"
[env.prod.probes.api]
kind = "latency"
rate = {rate}
routes = [{{ path = "/" }}]
"""


@pytest.fixture
def planned(tmp_path):
    def planned(rate=1.0, **settings):
        lines = "\n".join(f"{name} = {value}" for name, value in settings.items())
        config = read(TEXT.format(rate=rate, settings=lines), tmp_path / "probes.toml")
        return plan(config.targets["prod"])

    return planned


@pytest.mark.parametrize(
    ("deadline", "windows"),
    [
        ("900s", 3),
        # 120 s are over, and 80 s of a window, 70 s and 0.2 s of the guard, 20 s of block and controls may come.
        ("291s", 3),
        ("290s", 2),
        ("231s", 2),
        ("230s", 1),
        ("159s", 1),
    ],
)
def test_no_more_windows_are_planned_than_the_run_would_begin_before_its_deadline(planned, deadline, windows) -> None:
    (step,) = planned(deadline=f'"{deadline}"').steps

    assert (step.windows, step.cost) == (windows, 60 * windows)


def window(requests: int, blocks: int) -> ErrorRate:
    """Good answers alone."""
    each = requests // blocks
    values = tuple((1000,) * each for _ in range(blocks))
    delays = tuple((0,) * each for _ in range(blocks))
    return ErrorRate(LatencySample(values, delays, (0,) * blocks, (0,) * blocks))


def test_so_many_runs_as_it_says_prove_the_limit_together_and_one_fewer_does_not(planned) -> None:
    (short,) = short_samples(planned(rate=5.0), 10.0)

    def outcome(runs):
        earlier = Reference(earlier=window(short.has * (runs - 1), 6 * (runs - 1)))
        return evaluate(window(short.has, 6), short.limit, Risks(), earlier).outcome

    assert short.runs is not None
    assert outcome(short.runs) is Outcome.PASS
    assert outcome(short.runs - 1) is Outcome.INCONCLUSIVE


def test_runs_that_would_need_more_blocks_than_are_kept_do_not_add_up(planned) -> None:
    (short,) = short_samples(planned(rate=0.2), 10.0)

    assert (short.runs, short.is_versioned) == (None, True)
    assert 3000 / short.has * 6 > KEPT_BLOCKS


@pytest.mark.parametrize("rate", [5.0, 0.2])
def test_the_longer_window_that_is_named_holds_enough_where_there_is_one(planned, rate) -> None:
    (short,) = short_samples(planned(rate=rate), 10.0)

    assert (short.longer is None) == (rate * 3600 < short.needs)
    assert short.longer is None or rate * short.longer >= short.needs
