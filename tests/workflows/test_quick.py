"""A quick run does not wait for the release to settle."""

from __future__ import annotations

import pytest

from probekit.engine.context import Clock
from probekit.planning.selection import Selection
from probekit.workflows.options import RunOptions
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
