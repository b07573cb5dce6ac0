"""State why a success criterion is not met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from probekit.model.numbers import count
from probekit.model.report import Report
from probekit.model.success import CriterionResult, CriterionState

_NAMED: Final = 2  # items that keep a criterion open


def why_not_met(result: CriterionResult, report: Report) -> str:
    """Return the items that failed, else those that leave the criterion open."""
    if result.state is CriterionState.MET:
        return ""
    if result.failed:
        return f"{_names(result.failed)} failed"
    seen = {verdict.item.id for verdict in report.verdicts}
    unseen, unsettled = ([name for name in result.open if (name in seen) is is_seen] for is_seen in (False, True))
    parts = [f"{_names(unsettled)} not verified"] if unsettled else []
    parts += [f"{count(len(unseen), 'item')} out of scope"] if unseen else []
    return "; ".join(parts) or "none of its items applies"


def _names(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(name.rpartition(".")[2] for name in ids[:_NAMED]) + more
