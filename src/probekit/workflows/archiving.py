"""Archive the reports of a deployment, and its log once that is over; a failure is only a warning."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from probekit.archive import Archive, problem_of
from probekit.history.ledger import reports_on_record
from probekit.history.store import StoreError
from probekit.model.history import Deployment, History
from probekit.model.ledger import Ledger
from probekit.model.report import Report
from probekit.model.verdict import Stage
from probekit.text import escape

Warn = Callable[[str], None]

_MOST_EARLIER: Final = 20  # reports on record that one run adds


def archive_run(report: Report, text: str, history: History, file: Path | None, *, warn: Warn) -> None:
    """Add a run of a deployment that has begun to the archive, and the noted log of one that is over.

    Reports of its gate and its earlier runs are added from the state file where they lack: the setting may be new, or
    the archive was not writable.

    `text`: the report as JSON. `file`: the state file.
    """
    deployment, root = history.deployment, history.ledger.archive
    if root is None or deployment is None or report.run.stage is Stage.BEFORE:
        return
    archive = Archive(root=Path(root), release=deployment.release, started=deployment.started)
    is_of_it = deployment.covers(report.situation.now)  # a run of cron every five minutes would fill the archive
    is_writable = not is_of_it or _add_reports(archive, iter([(report.run.id, text)]), warn)
    if is_writable and file is not None:
        lacking = [run for run in _runs_of(deployment, history.ledger) if not archive.has_report(run)]
        _add_reports(archive, _on_record(file, lacking[:_MOST_EARLIER]), warn)
    if deployment.log is not None and not deployment.is_under_way and (is_of_it or not archive.has_log):
        _add_log(archive, deployment.log.path, warn)


def _runs_of(deployment: Deployment, ledger: Ledger) -> Iterator[str]:
    """Yield the ids of the gate and of the earlier runs whose reports the archive should have."""
    gate = ledger.gate_of(deployment.release, deployment.started) if deployment.release else None
    if gate is not None:
        yield gate.id
    yield from (run.id for run in ledger.runs_since(deployment.started) if deployment.covers(run.ended))


def _on_record(file: Path, runs: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the id and the report of each of these runs, as JSON; the file is opened only if there is one."""
    if runs:
        for run, document in reports_on_record(file, runs):
            yield run, json.dumps(document, indent=1) + "\n"


def _add_reports(archive: Archive, reports: Iterator[tuple[str, str]], warn: Warn) -> bool:
    """Add these reports; the first that fails ends it with a warning. Return whether all were added."""
    try:
        for run, text in reports:
            archive.add_report(run, text)
    except (OSError, ValueError) as error:
        warn(f"warning: the report was not archived in {escape(str(archive.folder))}: {problem_of(error)}")
    except StoreError as error:
        warn(f"warning: earlier reports were not archived: {error}")
    else:
        return True
    return False


def _add_log(archive: Archive, path: str, warn: Warn) -> None:
    """Add the log; one that is gone causes no warning where the archive has a copy of it."""
    try:
        archive.add_log(path)
    except FileNotFoundError as error:
        if not archive.has_log:
            warn(_not_archived(path, error))
    except (OSError, ValueError) as error:
        warn(_not_archived(path, error))


def _not_archived(path: str, error: OSError | ValueError) -> str:
    return f"warning: the log {escape(path)} was not archived: {problem_of(error)}"
