"""Wait until the services of a release have settled."""

from __future__ import annotations

from datetime import datetime, timedelta

from probekit.engine.context import RunContext


def settling_mark(context: RunContext) -> datetime | None:
    """Return the moment from which settling counts: the deployment, else now; None if the run does not wait."""
    deployment = context.history.deployment
    return deployment.mark if deployment else context.clock.now() if context.settle else None


async def settle(context: RunContext, since: datetime | None) -> None:
    """Wait until the settle time has passed since the mark; a mark in the future counts as now."""
    clock = context.clock
    began = clock.now()
    until = min(since or began, began) + timedelta(seconds=context.environment.settle)
    if not context.settle or until <= began:
        return
    with context.observer.wait("the services to settle", until):
        while (left := (until - clock.now()).total_seconds()) > 0:
            await clock.sleep(left)
