"""Read the results of the last runs on one target, for a trend in a report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any, Final

from probekit.history.store import Document, Store, StoreError
from probekit.model.history import TargetKey
from probekit.model.trend import PastResult
from probekit.model.verdict import Outcome
from probekit.reports.json.noun import in_utc

_MOST: Final = 20


def past_results(file: Path | None, target: TargetKey, before: datetime) -> tuple[PastResult, ...]:
    """Return the results of the last 20 runs that started before a time, oldest first.

    Without a state file, or with one that cannot be read, there are none; a report that is none is left out.
    """
    if file is None:
        return ()
    try:
        with Store(file) as store:
            return tuple(islice(_results(store, target, before), _MOST))[::-1]
    except StoreError:
        return ()


def _results(store: Store, target: TargetKey, before: datetime) -> Iterator[PastResult]:
    for document in store.reports(target, before):
        found = _result(document)
        if found is not None and found.started < before:
            yield found


def _result(document: Document) -> PastResult | None:
    try:
        run, verdicts = document["run"], document["verdicts"]
        return PastResult(
            id=str(run["id"]),
            started=in_utc(datetime.fromisoformat(run["started"])),
            action=str(document["decision"]["action"]),
            failed=sum(one["outcome"] == Outcome.FAIL for one in verdicts),
            values={str(one["item"]): float(one["observed"]) for one in verdicts if _is_number(one["observed"])},
        )
    except (LookupError, TypeError, ValueError, OverflowError):
        return None


def _is_number(value: Any) -> bool:  # noqa: ANN401  # any JSON
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
