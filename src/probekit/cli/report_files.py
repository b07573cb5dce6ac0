"""Where the reports of a run go: checked before anything is measured, and written after the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from probekit import reports
from probekit.cli.output import save, view, write_stdout
from probekit.files import require_writable
from probekit.model.report import Report
from probekit.reports import Show, View
from probekit.workflows.options import RequestError

_DEVICES: Final = Path("/dev")  # whose files can take several reports


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where the reports go, and how much is printed."""

    reports: tuple[tuple[str, Path | None], ...] = ()  # format and file; None: stdout
    show: Show | None = None  # None: all on a terminal, else failures
    quiet: bool = False
    on_change: bool = False
    verbose: bool = False


def check_reports(reports: Sequence[tuple[str, Path | None]]) -> None:
    """Refuse two reports to one place, where neither could be read.

    Raises:
        RequestError: there are two.
    """
    if sum(file is None for _, file in reports) > 1:
        raise RequestError("two reports go to stdout: write one to a file, such as --report json=report.json")
    files = [file.absolute() for _, file in reports if file is not None and file.parent != _DEVICES]
    if twice := next((file for file in files if files.count(file) > 1), None):
        raise RequestError(f"two reports go to {twice}: give each its own file")


def check_files(output: Output) -> None:
    """Refuse a report file that cannot be written before anything is measured, so that no old report stays there.

    Raises:
        RequestError: there is such a file.
    """
    for _, file in output.reports:
        if file is not None:
            try:
                require_writable(file)
            except (OSError, ValueError) as error:  # ValueError: a name with a NUL
                reason = getattr(error, "strerror", None) or error
                raise RequestError(f"the report {file} cannot be written: {reason}; nothing was measured") from error


def written(report: Report, output: Output, mode: str | None, *, silent: bool) -> bool:
    """Write the report files and then, unless it is silent, stdout; return whether all of it was written."""
    is_written = True
    for name, file in output.reports:
        if file is not None:
            form = reports.load_format(name)
            is_written &= save(
                form.text(report, View(show=output.show or "failures")),
                file,
                mode=form.mode if mode is None else int(mode, 8),
            )
    for name, file in output.reports:
        if file is None and not (silent and is_written):
            is_written &= write_stdout(reports.load_format(name).text(report, view(output.show)))
    return is_written
