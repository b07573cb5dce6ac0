"""`probekit runs show`: the decision of one run, its reasons, and every measured item with its value and limit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import click

from probekit.cli.codes import INTERNAL
from probekit.cli.errors import exit_on_error
from probekit.cli.options import report_option
from probekit.cli.output import view, write_stdout
from probekit.cli.report_files import Output, Reports, check_files, check_reports, written
from probekit.cli.runs.found import report_of
from probekit.cli.runs.item import outcome_style
from probekit.cli.runs.list_runs import STYLES
from probekit.cli.runs.targets import Choice, chosen, target_options, title
from probekit.cli.state import required_file, state_option
from probekit.drawing import Block, Cell, Column, Line, Table, draw
from probekit.history.store import Store
from probekit.model.history import TargetKey
from probekit.model.numbers import count, span
from probekit.model.verdict import Outcome
from probekit.reports.json.recorded import RecordedReport, RecordedVerdict, read_report
from probekit.reports.json.report import report_from
from probekit.text import moment, words
from probekit.workflows.options import RequestError

_MEASURED: Final = (Outcome.FAIL, Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.PASS)  # in this order
_NAMED: Final = 6  # named items of one outcome


@click.command(name="show")
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print the whole recorded JSON report.")
@report_option
@target_options
@state_option
@exit_on_error
def command(
    *,
    run: str,
    as_json: bool,
    reports: Reports,
    choice: Choice,
    state: str | None,
) -> int:
    """Show the decision of one run, its reasons and its values.

    With --report, write it as verify does. The decision is that of the run; runs judge applies the current limits.
    The exit code is 0 whatever the decision; that of runs judge is the decision's.

    RUN is the beginning of the run's id, or last or previous: the run of the target that --env or --url names.

    \b
    Examples:
      probekit runs show 3f2a
      probekit runs show last --env prod
      probekit runs show 3f2a --json
      probekit runs show last --env prod --report markdown=report.md
    """  # noqa: D301  # \b is click's mark for lines it must not wrap
    if as_json and reports:
        raise RequestError("--json and --report exclude each other: remove one of them")
    output = Output(reports=reports, state=required_file(state))
    check_reports(reports)
    check_files(output)
    with Store(required_file(state)) as store:
        document = report_of(store, run, chosen(store, choice))
    if as_json:
        write_stdout(json.dumps(document, indent=1) + "\n")
        return 0
    if reports:
        return 0 if written(report_from(document), output) else INTERNAL
    shown = view()
    write_stdout(draw(blocks_of(read_report(document)), width=shown.width, colour=shown.colour))
    return 0


def blocks_of(report: RecordedReport) -> Iterator[Block]:
    """Yield the decision and its reasons, each item that did not pass, all values, and the totals."""
    run, decision = report.run, report.decision
    target = title(TargetKey(environment=run.environment, base_url=run.base_url))
    phase = f", phase {run.phase}" if run.phase else ""
    part = " (partial run)" if report.situation.partial else ""
    action = words(decision.action).upper()
    style = STYLES.get(decision.action, "")
    yield Line(f"{action}{part}, exit code {decision.exit_code}: {target}", style=style)
    yield from (Line(because, 2) for because in decision.because)
    yield Line(
        f"run {run.id}: {moment(run.started)}, {span(run.seconds)}, release {report.release or 'unknown'}, "
        f"stage {run.stage}{phase}, by {run.config_file}, {run.checklist}, probekit {run.version}"
        + (f", seen from {run.vantage}" if run.vantage else "")
    )
    for outcome in _MEASURED[:-1]:
        yield from _with_reasons(outcome, [one for one in report.verdicts if one.outcome is outcome])
    yield from _table(report.verdicts)
    yield from _records(report.verdicts)
    yield from _others(report.verdicts)
    yield Line("")
    yield from _account(report)
    yield from (Line(f"note: {note}") for note in run.notes)


def _with_reasons(outcome: Outcome, verdicts: Sequence[RecordedVerdict]) -> Iterator[Block]:
    """Yield each item of an outcome with its reason."""
    if verdicts:
        yield Line("")
        title_of = "failed" if outcome is Outcome.FAIL else f"not verified ({words(outcome)})"
        yield Line(f"{title_of}: {len(verdicts)}", style=outcome_style(outcome))
    for one in sorted(verdicts, key=lambda one: -one.severity.gravity):
        facts = [one.severity.value, *map(words, one.flags), *([one.owner] if one.owner else [])]
        facts += [f"since {moment(one.since)}"] if one.since else []
        yield Line(f"{one.item} ({', '.join(facts)})", 2)
        yield Line(one.because, 4)


def _table(verdicts: Iterable[RecordedVerdict]) -> Iterator[Block]:
    measured = [one for outcome in _MEASURED for one in verdicts if one.outcome is outcome]
    if measured:
        yield Line("")
    columns = [Column(title="item"), Column(title="outcome"), Column(title="measured", is_number=True)]
    yield Table(
        columns=[*columns, Column(title="limit")],
        rows=[
            [one.item, Cell(words(one.outcome), outcome_style(one.outcome)), one.measured or "-", one.bound or "-"]
            for one in measured
        ],
    )


def _records(verdicts: Sequence[RecordedVerdict]) -> Iterator[Block]:
    """Yield what each verdict rests on."""
    known = [(one.item, record) for one in verdicts for record in one.records if record.is_known]
    if known:
        yield Line("")
    yield from (Line(f"record: {item}: {record}") for item, record in known)


def _others(verdicts: Sequence[RecordedVerdict]) -> Iterator[Block]:
    """Yield the items that were not measured, by outcome: the first by name, and the number of others."""
    groups = {outcome: [one.item for one in verdicts if one.outcome is outcome] for outcome in Outcome}
    groups = {outcome: items for outcome, items in groups.items() if items and outcome not in _MEASURED}
    if groups:
        yield Line("")
    for outcome, items in groups.items():
        more = f" and {len(items) - _NAMED} more" if len(items) > _NAMED else ""
        yield Line(f"{words(outcome)}: {', '.join(items[:_NAMED])}{more}")


def _account(report: RecordedReport) -> Iterator[Block]:
    counts = dict(report.account)
    items = counts.pop("items", 0)
    if items:
        parts = " + ".join(f"{number} {words(name)}" for name, number in counts.items() if number)
        yield Line(f"{count(items, 'item')} = {parts}")
    own = Counter(one.outcome for one in report.verdicts if one.own)
    if own:
        yield Line("own checks: " + ", ".join(f"{number} {words(outcome)}" for outcome, number in own.items()))
