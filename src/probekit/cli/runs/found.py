"""Find a run on record: by the beginning of its id, or as the last or previous run of a target."""

from __future__ import annotations

from typing import Final

from probekit.cli.runs.targets import name_of, only, title
from probekit.history.store import Document, Store
from probekit.model.history import TargetKey
from probekit.reports.json.recorded import read_report
from probekit.workflows.options import RequestError

_PLACES: Final = {"last": 0, "previous": 1}


def report_of(store: Store, run: str, target: TargetKey | None = None) -> Document:
    """Return the report of one run.

    Args:
        store: the open state file.
        run: the beginning of its id, or `last` or `previous`: of that target, or of the only target on record.
        target: the target that the command names; a run of another target is refused.

    Raises:
        ReportError: the document is not a report.
        RequestError: no run or several runs match, or the run has another target.
    """
    report = store.report(_id_of(store, run, target) if run in _PLACES else run)
    if report is not None:
        if target is not None and (found := _target_of(report)) != target:
            raise RequestError(f"run {run} is a run of {title(found)}, not of {title(target)}")
        return report
    ids = store.ids(run)
    if not ids:
        raise RequestError(f"no run id on record begins with '{run}'; see: probekit runs list")
    raise RequestError(f"several run ids begin with '{run}': {', '.join(ids)}; write more of the id")


def _target_of(report: Document) -> TargetKey:
    run = read_report(report).run
    return TargetKey(environment=run.environment, base_url=run.base_url)


def _id_of(store: Store, word: str, target: TargetKey | None) -> str:
    place, target = _PLACES[word], only(store, target)
    runs = store.runs(target, most=place + 1)
    if len(runs) <= place:
        raise RequestError(f"{name_of(target)} has only one run on record, so there is no previous run")
    return runs[place].id
