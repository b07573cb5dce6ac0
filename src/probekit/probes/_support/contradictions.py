"""Find assertions about one place that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from probekit.probes._support.assertions import Assertion
from probekit.probes._support.length import are_in_order


def contradiction(claims: Sequence[Assertion]) -> str:
    """Return the place of assertions that no value can meet together; empty where there is none."""
    for claim in claims:
        same = [one for one in claims if str(one).lower() == str(claim).lower()]
        if len(same) > 1 and not _are_possible_together(same):
            return str(claim)
    return ""


def _are_possible_together(claims: Sequence[Assertion]) -> bool:
    if any(one.status for one in claims):
        return bool(set[int].intersection(*(set(one.status) for one in claims)))
    if any(one.exists is False for one in claims):
        return all(one.exists is False for one in claims)
    if values := next((one.values for one in claims if one.values), ()):
        return any(all(one.admits(value) for one in claims) for value in values)
    least = max((one.at_least for one in claims if one.at_least is not None), default=None)
    return are_in_order(least, min((one.at_most for one in claims if one.at_most is not None), default=None))
