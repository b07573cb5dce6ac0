"""A quick run does not wait for the release to settle."""

from __future__ import annotations

import json

import pytest

from probekit.engine.context import Clock
from probekit.model.verdict import Outcome
from probekit.planning.selection import Selection
from probekit.reports.json import write
from probekit.workflows.options import RunOptions
from probekit.workflows.rejudge import rejudge
from probekit.workflows.verify import execute_run

CONFIG = """
[env.prod]
base_url = "http://127.0.0.1:9"
scope = ["deploy.services.health-endpoint"]
settle = "1h"
attempt_interval = "0s"
timeout = "1s"

[env.prod.probes.health]
kind = "http"
path = "/health"
"""
RELEASE = """
[env.prod.probes.release]
kind = "release"
path = "/api/version"
"""


class SettlingError(Exception):
    """The run waits for an hour."""


async def _sleep(seconds: float) -> None:
    if seconds > 60:
        raise SettlingError


@pytest.mark.parametrize("quick", [True, False])
async def test_a_quick_run_does_not_wait_for_settling(tmp_path, quick) -> None:
    (tmp_path / "probes.toml").write_text(CONFIG)
    options = RunOptions(config=tmp_path / "probes.toml", selection=Selection(quick=quick))
    run = execute_run(options, clock=Clock(sleep=_sleep))

    if quick:
        assert (await run).situation.partial
    else:
        with pytest.raises(SettlingError):
            await run


@pytest.mark.parametrize(
    ("options", "waits"),
    [({}, True), ({"settle": False}, False), ({"selection": Selection(quick=True)}, False)],
)
async def test_what_the_wait_alone_makes_good_does_not_apply_without_it_then_and_later(
    tmp_path, options, waits
) -> None:
    settle_time = "deploy.services.settle-time"
    file = tmp_path / "probes.toml"
    file.write_text(CONFIG.replace('endpoint"]', f'endpoint", "{settle_time}"]').replace('"1h"', '"0s"'))

    report = await execute_run(RunOptions(config=file, **options), clock=Clock(sleep=_sleep))
    again = rejudge(json.loads(write.render(report)), file)

    outcomes = [{one.item.id: one.outcome for one in each.verdicts} for each in (report, again)]
    assert (outcomes[0][settle_time] is Outcome.NOT_APPLICABLE) is not waits
    assert outcomes[0] == outcomes[1]
    assert report.success == again.success != ()


async def test_a_run_of_a_named_release_is_judged_again_by_the_same_claims(tmp_path) -> None:
    file = tmp_path / "probes.toml"
    scope = 'scope = ["rollback.steps.previous-version-serving"]'
    file.write_text(CONFIG.replace('scope = ["deploy.services.health-endpoint"]', scope) + RELEASE)
    options = RunOptions(config=file, release="2.3.0", settle=False)

    report = await execute_run(options, clock=Clock(sleep=_sleep))
    again = rejudge(json.loads(write.render(report)), file)

    assert [one.claim for one in report.verdicts] == [one.claim for one in again.verdicts]
