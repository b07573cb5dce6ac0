"""What does probekit itself have on record of this deployment?"""

from __future__ import annotations

from typing import Literal

from probekit.probe import Context, Exact, Failure, Kind, Metric, ProbeConfig, Readings, Reason


class Ledger(ProbeConfig):
    """Needs no settings: it reads the run's own record."""

    kind: Literal["ledger"] = "ledger"


async def measure(_config: Ledger, context: Context) -> Readings:
    """Read how long the release has been in place: since its mark, else since this run began."""
    if context.settling_since is None:
        return Readings(settled=Failure(reason=Reason.MISSING_SETTING, detail="no moment is known to count from"))
    seconds = (context.now() - context.settling_since).total_seconds()
    if seconds < 0:
        detail = f"the deployment on record is {-seconds:.0f} s in the future; look at the clocks and --deployed"
        return Readings(settled=Failure(reason=Reason.BAD_RESPONSE, detail=detail))
    return Readings({"since": context.settling_since.isoformat(timespec="seconds")}, settled=Exact(seconds))


KIND = Kind(
    config=Ledger,
    metrics=(
        Metric(name="settled", unit="s", help="time since the deployment was finished, else since the run began"),
    ),
    measure=measure,
    unasked=lambda _base_url: True,
    requests=0,
    example="""\
kind = "ledger"  # it needs no table: --deployed says when the release was finished
""",
    safety="it asks the target nothing",
)
