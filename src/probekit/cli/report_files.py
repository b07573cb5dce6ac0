"""Where the reports of a run go: checked before anything is measured, and written after the run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from probekit import reports
from probekit.cli.codes import INTERNAL
from probekit.cli.locating import located
from probekit.cli.output import save, view, warn, write_stdout
from probekit.cli.plugin import ExitCodes, console_or_line, exit_code
from probekit.files import append_file, require_writable
from probekit.model.history import TargetKey
from probekit.model.report import Report
from probekit.model.trend import PastResult
from probekit.reports import Format, Show, View
from probekit.workflows.options import RequestError

_DEVICES: Final = Path("/dev")  # whose files can take several reports

Reports = Sequence[tuple[str, Path | None]]  # format and file; None: stdout


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where the reports go, and how much is printed."""

    reports: Reports = ()
    show: Show | None = None  # None: all on a terminal, else failures
    quiet: bool = False
    on_change: bool = False
    verbose: bool = False
    exit_codes: ExitCodes = "probekit"
    state: Path | None = None  # the state file with earlier runs, for a trend


def with_stdout(reports: Reports, exit_codes: ExitCodes) -> Reports:
    """Return the reports, with one on stdout where none goes there: the console report, or a plugin's line.

    Raises:
        RequestError: see `check_reports`.
    """
    check_reports(reports)
    return (*reports, (console_or_line(exit_codes), None)) if all(file is not None for _, file in reports) else reports


def check_reports(reports: Reports) -> None:
    """Refuse two reports to one place, where neither could be read.

    Raises:
        RequestError: there are two.
    """
    if sum(file is None for _, file in reports) > 1:
        raise RequestError("two reports go to stdout: write one to a file, such as --report json=report.json")
    files = Counter(place for _, file in reports if file and (place := _resolved(file)).parent != _DEVICES)
    if twice := next((file for file, number in files.items() if number > 1), None):
        raise RequestError(f"two reports go to {twice}: give each its own file")


def _resolved(file: Path) -> Path:
    """Return the one path of a file, however it was named; a link at its end is replaced, and so not followed.

    Without a working directory, for a loop of links or a NUL it is the path as given, which `check_files` refuses.
    """
    try:
        return file.parent.resolve() / file.name
    except (OSError, RuntimeError, ValueError):
        return file


def check_files(output: Output) -> None:
    """Refuse a report file that cannot be written before the work begins, so that no old report stays there.

    Raises:
        RequestError: there is such a file.
    """
    for _, file in output.reports:
        if file is not None:
            try:
                require_writable(file)
            except (OSError, ValueError) as error:  # ValueError: a name with a NUL
                reason = getattr(error, "strerror", None) or error
                raise RequestError(f"the report {file} cannot be written: {reason}") from error


def written(report: Report, output: Output, mode: str | None = None, *, silent: bool = False) -> bool:
    """Write the report files and then, unless it is silent, stdout; return whether all of it was written.

    A plugin whose go is lost prints why in place of the go. What a format appends to a file of the environment is not
    part of that: without it, no report is lost.
    """
    is_written = True
    whole = View(show=output.show or "failures", located=located, past=partial(_past, report, output.state))
    on_stdout = replace(view(output.show), located=whole.located, past=whole.past)
    for name in dict.fromkeys(name for name, _ in output.reports):
        _append(report, reports.load_format(name))
    for name, file in output.reports:
        if file is not None:
            form = reports.load_format(name)
            is_written &= save(
                form.text(report, whole),
                file,
                mode=form.mode if mode is None else int(mode, 8),
            )
    is_unknown = output.exit_codes == "nagios" and exit_code(report, "nagios", is_written=is_written) == INTERNAL
    for name, file in output.reports:
        if file is None and not (silent and is_written) and not is_unknown:
            is_written &= write_stdout(reports.load_format(name).text(report, on_stdout))
    return is_written


def _past(report: Report, state: Path | None) -> tuple[PastResult, ...]:
    """Return the results of the runs before; sqlite3 is imported by a format that draws them."""
    from probekit.history.trend import past_results  # noqa: PLC0415  # as above

    target = TargetKey(environment=report.run.environment, base_url=report.run.base_url)
    return past_results(state, target, report.run.started)


def _append(report: Report, form: Format) -> None:
    """Append to the files that variables of the environment name; warn about each that is not there."""
    for variable, render in form.appended.items():
        if not (named := os.environ.get(variable)):
            warn(f"{variable} is not set, so report format {form.name} has no file to append its summary to")
            continue
        try:
            append_file(Path(named), render(report, View(located=located)))
        except (OSError, ValueError) as error:  # ValueError: a name with a NUL
            warn(f"the file of {variable}, {named}, cannot be written: {getattr(error, 'strerror', None) or error}")
