"""Wait until the services of a release have settled."""

from __future__ import annotations

from datetime import datetime, timedelta

from probekit.engine.context import RunContext


def settling_mark(context: RunContext) -> datetime | None:
    """What settling counts from: the deployment, else now; nothing where the run does not wait for it either."""
    deployment = context.history.deployment
    return deployment.mark if deployment else context.clock.now() if context.settle else None


async def settle(context: RunContext, since: datetime | None) -> None:
    """Wait until the settle time has passed since the mark, for a mark in the future no longer than that."""
    clock = context.clock
    began = clock.now()
    until = min(since or began, began) + timedelta(seconds=context.environment.settle)
    if not context.settle or until <= began:
        return
    with context.observer.wait("the services to settle", until):
        while (left := (until - clock.now()).total_seconds()) > 0:
            await clock.sleep(left)
