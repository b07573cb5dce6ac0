"""Evaluate the windows of a sampling together, and find out whether further windows could decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from probekit.judging.evaluate import Evaluation, evaluate, keeps, limit_test
from probekit.judging.evidence import added
from probekit.judging.reference import Reference
from probekit.judging.statistics import SPENT, Risks
from probekit.model.limit import Limit
from probekit.model.readings import Counted, ErrorRate, Mean, Quantile, Reading
from probekit.model.verdict import Outcome


def strung(windows: Sequence[Reading]) -> Reading:
    """Return all windows as one reading, block by block; the latest of readings that cannot be added."""
    return reduce(_after, windows)


def _after(earlier: Reading, later: Reading) -> Reading:
    if type(earlier) is not type(later):
        return later
    if isinstance(earlier, Mean) and isinstance(later, Mean):
        return earlier + later
    return added(earlier, later) if isinstance(earlier, Counted) and isinstance(later, Counted) else later


def evaluate_windows(
    windows: Sequence[Reading], limit: Limit, risks: Risks, reference: Reference, *, may_go_on: bool
) -> Evaluation:
    """Evaluate all windows together, at the part of the risk that is left for the latest.

    Where the result is inconclusive, an earlier decision stands while all windows together are on its side of the
    limit. A baseline has windows of one length, so only the first is held against it.
    """
    if limit.of == "baseline" or (len(windows) == 1 and not may_go_on):
        return evaluate(windows[0], limit, risks, reference)
    *before, last = (
        evaluate(strung(windows[: number + 1]), limit, replace(risks, window=number), reference)
        for number in range(len(windows))
    )
    if last.outcome is Outcome.INCONCLUSIVE:
        side = Outcome.PASS if keeps(last.value, limit) else Outcome.FAIL
        for number, one in enumerate(before, start=1):
            if one.outcome is side:
                return replace(one, detail=f"decided by {number} of {len(windows)} windows: {one.detail}")
    return replace(last, detail=f"{len(windows)} windows: {last.detail}") if before and last.detail else last


def could_decide(windows: Sequence[Reading], limit: Limit, risks: Risks, more: int) -> bool:
    """Return whether `more` windows could decide an inconclusive limit: kept without an event, or broken as now.

    A comparison with a baseline takes more windows of the baseline. A target that stopped answering is left alone.
    """
    whole = strung(windows)
    if isinstance(whole, Mean):
        return True
    if limit.of == "baseline" or not isinstance(whole, Counted):
        return False
    if isinstance(whole, Quantile | ErrorRate) and whole.sample.went_silent:
        return False
    last = replace(risks, window=len(SPENT) - 1)
    now = limit_test(whole, limit, last)
    if now.needed <= more * now.trials / len(windows):
        return True
    as_now = reduce(added, [whole] * (more + 1))
    return limit_test(as_now, limit, last).outcome is Outcome.FAIL
